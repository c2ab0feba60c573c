// Statistics counts what one or more databases do: tickers, which only count, and
// histograms, which keep distributions. Users read them by number and as text.
//
// Every core has slots of its own, so counting touches no line that another core
// writes; reading sums the slots.
//
// Numbers and names are those of the C interface of 11.8; the tables at the end of
// this file translate those of 7.8.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_METRICS_STATISTICS_H_
#define SKARN_CORE_METRICS_STATISTICS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/cpu.h"
#include "core/base/thread_context.h"
#include "core/metrics/histogram.h"

namespace skarn {

// The numbers are part of the ABI.
enum class Ticker : uint32_t {
#define SKARN_TICKER(enumerator, name) enumerator,
#include "core/metrics/tickers.def"
#undef SKARN_TICKER
  kCount,
  kNone = UINT32_MAX,
};
inline constexpr size_t kTickers = static_cast<size_t>(Ticker::kCount);

// The numbers are part of the ABI.
enum class HistogramKind : uint32_t {
#define SKARN_HISTOGRAM(enumerator, name) enumerator,
#include "core/metrics/histograms.def"
#undef SKARN_HISTOGRAM
  kCount,
  kNone = UINT32_MAX,
};
inline constexpr size_t kHistograms = static_cast<size_t>(HistogramKind::kCount);

const char* TickerName(Ticker ticker);
const char* HistogramName(HistogramKind kind);

// How much is counted. The numbers are part of the ABI.
enum class StatsLevel : uint8_t {
  kDisableAll = 0,
  kExceptHistogramsOrTimers = 1,
  kExceptTimers = 2,
  kExceptDetailedTimers = 3,
  kExceptTimeForMutex = 4,
  kAll = 5,
};

class Statistics {
 public:
  Statistics();
  ~Statistics();
  Statistics(const Statistics&) = delete;
  Statistics& operator=(const Statistics&) = delete;

  void Add(Ticker ticker, uint64_t count = 1) { Add(CurrentThreadContext(), ticker, count); }
  void Add(ThreadContext* context, Ticker ticker, uint64_t count) {
    if (level() == StatsLevel::kDisableAll) return;
    SlotOf(context).tickers[static_cast<size_t>(ticker)].fetch_add(count,
                                                                   std::memory_order_relaxed);
  }
  void Record(HistogramKind kind, uint64_t value) { Record(CurrentThreadContext(), kind, value); }
  void Record(ThreadContext* context, HistogramKind kind, uint64_t value) {
    if (level() <= StatsLevel::kExceptHistogramsOrTimers) return;
    SlotOf(context).histograms[static_cast<size_t>(kind)].Add(value);
  }
  // Whether callers should take the time for a histogram of durations.
  bool WantsTimers() const { return level() > StatsLevel::kExceptTimers; }
  bool WantsDetailedTimers() const { return level() > StatsLevel::kExceptDetailedTimers; }
  bool WantsMutexTimers() const { return level() > StatsLevel::kExceptTimeForMutex; }

  uint64_t Get(Ticker ticker) const;
  // Sets to 0 and returns what was there; counts made meanwhile are in one or the other.
  uint64_t GetAndReset(Ticker ticker);
  void Set(Ticker ticker, uint64_t count);
  HistogramSnapshot Get(HistogramKind kind) const;
  HistogramSummary Summary(HistogramKind kind) const { return Get(kind).Summary(); }
  void Reset();

  // One line for each ticker, then one for each histogram.
  std::string ToString() const;
  std::vector<std::pair<std::string, uint64_t>> TickerValues() const;

  StatsLevel level() const { return level_.load(std::memory_order_relaxed); }
  void set_level(StatsLevel level) { level_.store(level, std::memory_order_relaxed); }

 private:
  struct alignas(128) Slot {
    std::atomic<uint64_t> tickers[kTickers];
    Histogram histograms[kHistograms];
  };

  // Threads keep to one slot: there are as many as cores, so two running threads
  // seldom share one.
  Slot& SlotOf(const ThreadContext* context) { return slots_[context->index & slot_mask_]; }

  std::atomic<StatsLevel> level_{StatsLevel::kExceptDetailedTimers};  // Any thread.
  uint32_t slot_mask_;
  std::unique_ptr<Slot[]> slots_;
};

// Counts when `statistics` is set.
inline void CountTicker(Statistics* statistics, Ticker ticker, uint64_t count = 1) {
  if (statistics != nullptr) statistics->Add(ticker, count);
}
inline void RecordHistogram(Statistics* statistics, HistogramKind kind, uint64_t value) {
  if (statistics != nullptr) statistics->Record(kind, value);
}

// The 7.8 numbering: what a number means now (kNone when nothing does), and its name then.
struct OldTicker {
  Ticker ticker;
  const char* name;
};
struct OldHistogram {
  HistogramKind kind;
  const char* name;
};
const std::vector<OldTicker>& TickersOf78();
const std::vector<OldHistogram>& HistogramsOf78();

}  // namespace skarn

#endif  // SKARN_CORE_METRICS_STATISTICS_H_
