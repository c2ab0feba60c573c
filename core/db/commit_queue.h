// CommitQueue puts writers in an order and lets the first of them, the leader, commit
// for a group of those behind it: one log record, one sync, one step of visibility.
//
// A writer joins with one compare-exchange. Whoever finds the queue empty leads at
// once; the others wait: spinning briefly, yielding for a while, then asleep. The leader takes a
// group of waiting writers, commits it, and ends the group, which hands leadership to the next
// writer and wakes the members.
//
// Only the leader runs between Join() and Finish(), so leadership is also how memtables
// and logs are switched: EnterExclusive() leads without writing anything.
//
// Lock order: leadership comes before the db mutex: never Join() while holding it.
//
// Thread safety: any thread; a Writer belongs to the thread that joins with it until it
// is done.

#ifndef SKARN_CORE_DB_COMMIT_QUEUE_H_
#define SKARN_CORE_DB_COMMIT_QUEUE_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/base/cpu.h"
#include "core/base/slice.h"
#include "core/base/status.h"
#include "core/key/internal_key.h"
#include "core/options/options.h"

namespace skarn {

class ColumnFamily;
class WriteBatch;

// Asked by the leader, in commit order, whether a writer may still commit: optimistic
// transactions check for conflicts here.
class WriteCallback {
 public:
  virtual ~WriteCallback() = default;
  // Called without the db mutex. A failure takes the writer out of the group and is its result.
  virtual Status Check() = 0;
  // False: the writer commits in a group of its own.
  virtual bool AllowsGroup() const { return true; }
};

// One write on its way through the queue. Lives on the writing thread's stack.
struct Writer {
  // What the log gets after the 12 bytes of header: these bytes of a batch, or the one entry
  // below, which needs no batch.
  Slice log_bytes;
  size_t log_size = 0;           // Of either.
  uint32_t log_entry_count = 0;  // Counted entries in it.
  uint32_t entry_count = 0;      // Counted entries for the memtable: sequence numbers taken.
  size_t size_bytes = 0;         // As a batch, header included.

  // What the memtable gets: a whole batch when `batch_bytes` is set, or one entry.
  Slice batch_bytes;
  ColumnFamily* family = nullptr;  // Of the one entry.
  EntryKind kind = EntryKind::kValue;
  Slice key;
  Slice value;
  WriteBatch* batch = nullptr;  // To give its sequence number back; may be null.

  WriteCallback* callback = nullptr;
  uint64_t log_reference = 0;  // Log of the transaction's prepare; 0 none.
  bool sync = false;
  bool disable_wal = false;
  bool disable_memtable = false;  // Goes to the log only.
  bool no_slowdown = false;
  bool low_pri = false;
  bool has_merge = false;
  bool exclusive = false;  // No write: leads alone.
  bool excluded = false;   // Its callback said no.
  IoPriority rate_limiter_priority = IoPriority::kTotal;

  // Outcome.
  Status status;
  SequenceNumber sequence = 0;  // Of the first entry.
  uint64_t log_used = 0;

  // The queue's own. `older` is set by the joining thread, then changed only by leaders.
  enum State : uint32_t { kWaiting = 0, kLeading = 1, kDone = 2, kInserting = 3 };
  static constexpr uint32_t kAsleep = 4;  // With one of them: on this word, alone.
  std::atomic<uint32_t> state{kWaiting};
  Writer* older = nullptr;
  Writer* newer = nullptr;  // Leaders only.
  void* group = nullptr;    // WriteGroup, while kInserting.
};

class CommitQueue {
 public:
  struct Limits {
    uint64_t group_bytes_max = 1 << 20;
    uint64_t yield_us_max = 100;     // write_thread_max_yield_usec
    uint64_t yield_us_expected = 3;  // write_thread_slow_yield_usec
    bool spin = true;
  };
  explicit CommitQueue(const Limits& limits) : limits_(Sensible(limits)) {}

  // Waits until the writer leads (true), or until a leader has committed it or asks it to
  // insert its own entries (false; look at writer->state).
  bool Join(Writer* writer) {
    if (SKARN_LIKELY(!writer->sync && !writer->no_slowdown)) {
      // Mostly nobody is there. Acquire takes over what the last leader did.
      Writer* none = nullptr;
      writer->older = nullptr;
      if (SKARN_LIKELY(newest_.compare_exchange_strong(none, writer, std::memory_order_acq_rel,
                                                       std::memory_order_relaxed))) {
        writer->state.store(Writer::kLeading, std::memory_order_relaxed);
        return true;
      }
    }
    return JoinSlow(writer);
  }

  // For the leader: links the writers that may be committed with it behind it, oldest
  // first, through `newer`, and returns the last. Those that may not are passed over: they
  // stay in the queue, in their order, behind the group.
  Writer* TakeGroup(Writer* leader, size_t* size_bytes, size_t* count) {
    *size_bytes = leader->size_bytes;
    *count = 1;
    Writer* const newest = newest_.load(std::memory_order_acquire);
    return SKARN_LIKELY(newest == leader) ? leader : TakeMore(leader, newest, size_bytes, count);
  }

  // For the leader: wakes the members after it up to `last`, whose status is set, and makes
  // the next waiting writer the leader. The leader itself is not waited for by anybody.
  void Finish(Writer* leader, Writer* last) {
    if (SKARN_LIKELY(leader == last && !leader->sync)) {
      Writer* newest = last;
      if (SKARN_LIKELY(newest_.compare_exchange_strong(newest, nullptr, std::memory_order_acq_rel,
                                                       std::memory_order_relaxed))) {
        return;
      }
    }
    FinishSlow(leader, last);
  }

  // For the leader: wakes one member with kInserting, or a member waits for kDone again.
  void Wake(Writer* writer, Writer::State state);
  void WaitWhile(Writer* writer, uint32_t state);

  // Leads without a group. `writer->exclusive` is set here.
  void EnterExclusive(Writer* writer);
  void LeaveExclusive(Writer* writer) { Finish(writer, writer); }

  // For the leader, while writes are stopped or delayed: ends all waiting no_slowdown writers
  // with `status`; until AllowSlowdown() more of them are refused by Join() (done, with status).
  void RefuseNoSlowdown(Writer* leader, const Status& status);
  void AllowSlowdown() { refusing_.store(false, std::memory_order_release); }
  bool refusing() const { return refusing_.load(std::memory_order_acquire); }

  // For the leader: a sync that so many writers wanted took so long. Decides how those wait that
  // join next.
  void NoteSync(uint64_t micros, size_t writers);
  // Whether those yield for a while before they sleep.
  bool yields_for_syncs() const { return yields_for_syncs_.load(std::memory_order_relaxed); }

  // How many writers in the queue want a sync, the leader included.
  uint32_t syncing() const { return syncing_.load(std::memory_order_relaxed); }
  // For the leader, before it takes a group that it syncs: those who shared the last sync are about
  // to come back, and one without them would make them wait for another. Waits for them briefly.
  void AwaitReturn();

 private:
  static Limits Sensible(Limits limits) {
    constexpr uint64_t kMicrosMax = 10'000'000;
    limits.yield_us_max = std::min(limits.yield_us_max, kMicrosMax);
    limits.yield_us_expected = std::min(limits.yield_us_expected, kMicrosMax);
    return limits;
  }
  bool JoinSlow(Writer* writer);
  Writer* TakeMore(Writer* leader, Writer* newest, size_t* size_bytes, size_t* count);
  void FinishSlow(Writer* leader, Writer* last);
  // Sets the state and wakes a writer that waits alone; true when WakeRound() is to follow.
  static bool Set(Writer* writer, Writer::State state);
  void WakeRound();
  static bool MayShareGroup(const Writer& leader, const Writer& writer);
  // Moves `writer` from behind the run of writers that are passed over to before it. `newest`
  // was the newest writer when the leader looked.
  void MoveBefore(Writer* first_left, Writer* last_left, Writer* writer, Writer* newest);
  // Sets `newer` in all writers from `newest` back to the leader.
  static void LinkNewer(Writer* newest, Writer* leader);
  // Gives the processor to others, again and again, until it is done (true), has taken so long, or
  // others want the processor.
  template <typename Done>
  bool YieldUntil(const Done& done, uint64_t micros_max, bool for_sync);

  // Who waits for a sync of several writers sleeps, or yields for a while. To wake a thread takes
  // the waker 20 us where the processor it last ran on is halted, and the thread begins 50 us later
  // (a virtual machine); the writers of a sync that takes 150 us then come back too late for the
  // next one. So many yield_us_max may be spent on it, and it is done when at least kYieldersMin
  // share a sync: fewer gain less than the processor time is worth.
  static constexpr uint64_t kSyncYields = 3;
  static constexpr size_t kYieldersMin = 3;
  // A yield that takes so many yield_us_expected has given the processor to somebody who works.
  // After so many of them in a few syncs nobody yields for some syncs, for twice as many the next
  // time, up to the second number.
  static constexpr uint64_t kSlowYield = 256;
  static constexpr uint32_t kSlowYieldsMax = 4;
  static constexpr uint32_t kSleepingSyncsMin = 16;
  static constexpr uint32_t kSleepingSyncsMax = 1024;

  const Limits limits_;
  alignas(128) std::atomic<Writer*> newest_{nullptr};  // Any thread.
  std::atomic<uint32_t> syncing_{0};                   // Any thread.
  std::atomic<bool> refusing_{false};                  // Written by leaders.
  std::atomic<bool> yields_for_syncs_{false};          // Written by leaders.
  std::atomic<uint32_t> slow_yields_{0};               // Any thread: since the last sync.
  uint32_t slow_yields_lately_ = 0;                    // Leaders only.
  size_t last_sync_writers_ = 1;                       // Leaders only.
  uint32_t sleeping_syncs_ = 0;                        // Leaders only: the last number of them,
  uint32_t sleeping_syncs_left_ = 0;                   // and how many are left.
  // Writers that want a sync come in groups: they sleep on this word together, and one call wakes
  // them. Written by leaders.
  alignas(128) std::atomic<uint32_t> round_{0};
  std::atomic<uint32_t> round_sleepers_{0};  // Any thread.
};

}  // namespace skarn

#endif  // SKARN_CORE_DB_COMMIT_QUEUE_H_
