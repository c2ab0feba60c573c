// The brakes on writers: per column family a verdict from its memtables, level 0 and
// pending compaction bytes; for the whole database a stop, a delay rate, and the pace
// at which delayed writers pass (docs/architecture.md, "write stalls").
//
// Thread safety: WriteController: all methods under the db mutex, except for the
// atomics' readers. EvaluateStall() is pure.

#ifndef SKARN_CORE_DB_WRITE_STALL_H_
#define SKARN_CORE_DB_WRITE_STALL_H_

#include <atomic>
#include <cstdint>

#include "core/options/options.h"

namespace skarn {

enum class StallCondition : uint8_t { kNormal = 0, kDelayed = 1, kStopped = 2 };
enum class StallCause : uint8_t {
  kNone,
  kMemtableLimit,
  kLevel0FileCount,
  kPendingCompactionBytes,
  kWriteBufferManagerLimit,
};
const char* StallCauseName(StallCause cause);

struct StallVerdict {
  StallCondition condition = StallCondition::kNormal;
  StallCause cause = StallCause::kNone;
};

struct StallInputs {
  size_t unflushed_memtables = 0;
  int level0_count = 0;  // Sorted runs, for universal compaction.
  uint64_t pending_compaction_bytes = 0;
};
StallVerdict EvaluateStall(const StallInputs& inputs, const ColumnFamilyOptions& options);

class WriteController {
 public:
  static constexpr uint64_t kMinRate = 16 << 10;

  // `rate_max`: bytes a second while delayed.
  explicit WriteController(uint64_t rate_max);

  // A column family's verdict changed; counts how many stop or delay.
  void Change(StallCondition from, StallCondition to);
  bool stopped() const { return stops_.load(std::memory_order_relaxed) > 0; }
  bool delayed() const { return delays_.load(std::memory_order_relaxed) > 0; }

  // Adapts the rate when stalls are evaluated again while delayed.
  struct Adaptation {
    bool was_delayed = false;
    bool was_stopped = false;
    bool near_stop = false;
    bool auto_compactions_disabled = false;
    uint64_t pending_bytes = 0;
    uint64_t pending_bytes_before = 0;
  };
  void AdaptRate(const Adaptation& adaptation);
  // The delay ended.
  void RecoverRate();
  void set_rate_max(uint64_t rate);
  uint64_t rate() const { return rate_.load(std::memory_order_relaxed); }

  // Microseconds that a writer of `bytes` must sleep; called by the commit leader.
  uint64_t DelayFor(uint64_t bytes, uint64_t now_us);

  // Statistics for properties; indexed by StallCause.
  uint64_t stop_counts[5] = {};
  uint64_t delay_counts[5] = {};

 private:
  std::atomic<uint32_t> stops_{0};
  std::atomic<uint32_t> delays_{0};
  std::atomic<uint64_t> rate_;
  uint64_t rate_max_;
  // Token bucket: credit in bytes, and when it was last filled.
  uint64_t credit_ = 0;
  uint64_t refilled_us_ = 0;
};

}  // namespace skarn

#endif  // SKARN_CORE_DB_WRITE_STALL_H_
