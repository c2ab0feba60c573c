// LoggedGroups has the commit groups whose leaders have appended them to the log and passed on the
// leadership: they wait to be durable, and become visible in the order of the log.
//
// A sync covers all that was appended before it began, so whichever ends first settles all groups
// up to there, and a group that comes while the allowed number of syncs is at work is covered by
// the next one. Syncs have numbers in the order they begin in; a group waits for the one after
// those that had begun when it came, and all who wait for one sync are woken with one call.
//
//   appended:   a b c | d | e f | g h        a, b, c: covered by sync 1, and so on
//   syncs:      1-----+---+-->               at work: 1, 2, 3
//               2-----+---+------>           g and h wait for 4, which begins when one of these
//                   3-+---+---------->       ends; when 3 ends before 1 and 2, a to f are durable
//
// Whoever waits does what there is to do: Next() tells. Syncs may overlap; commits do not.
//
// After a failure all groups that are here fail: what is behind a hole in the log would not be
// recovered.
//
// On some disks two syncs at once take as long as one after the other, so that one for everybody
// is better: both ways are tried now and then, and MayOverlap() says what to do.
//
// Lock order: the mutex is a leaf; no disk is waited for while it is held.
//
// Thread safety: as each method says.

#ifndef SKARN_CORE_DB_LOGGED_GROUPS_H_
#define SKARN_CORE_DB_LOGGED_GROUPS_H_

#include <atomic>
#include <cstdint>

#include "core/base/mutex.h"
#include "core/base/status.h"
#include "core/db/commit_queue.h"
#include "core/db/wal_manager.h"
#include "core/key/internal_key.h"

namespace skarn {

// Lives on its leader's stack, like the writers.
struct LoggedGroup {
  Writer* leader = nullptr;
  Writer* last = nullptr;
  SequenceNumber last_sequence = 0;
  bool sync = false;

  // Of LoggedGroups.
  bool passed_on = false;    // The leadership. Before that, nobody may end its writers.
  uint64_t sync_number = 0;  // It waits for this sync.
  LoggedGroup* newer = nullptr;
};

class LoggedGroups {
 public:
  // --- For the commit leader ---

  // Whether the next group that wants a sync may be added; else it is better committed alone.
  bool MayOverlap() SKARN_EXCLUDES(mu_);
  // A sync that nothing else ran beside took so long.
  void NoteAlone(uint64_t micros) SKARN_EXCLUDES(mu_);
  // The group was just appended to the log. The leader passes on the leadership, then does what
  // Next() says until there is nothing left.
  void Add(LoggedGroup* group) SKARN_EXCLUDES(mu_);
  // Whether AwaitNone() would not wait.
  bool none() SKARN_EXCLUDES(mu_);
  // Waits until nothing is here and no sync runs. A failure is forgotten.
  void AwaitNone() SKARN_EXCLUDES(mu_);

  // --- For the leader of a group, after passing on ---

  struct Work {
    enum class Kind : uint8_t { kNothing, kSync, kCommit };
    Kind kind = Kind::kNothing;
    // Of a sync.
    uint32_t handle = 0;
    uint64_t number = 0;
    // Of a commit: groups in the order of the log, linked through `newer`.
    LoggedGroup* first = nullptr;
    LoggedGroup* last = nullptr;
    Status failure;  // They fail with it, unless Ok.
  };
  // Waits until there is something to do, or the group's writers have ended (kNothing).
  Work Next(LoggedGroup* own) SKARN_EXCLUDES(mu_);
  // What came of it. A failure has been made the database's error before.
  void EndSync(const Work& work, const Status& status, uint64_t micros) SKARN_EXCLUDES(mu_);
  // The status of all writers is set; `queue` ends them.
  void EndCommit(const Work& work, const Status& status, CommitQueue* queue) SKARN_EXCLUDES(mu_);

 private:
  static constexpr uint32_t kSyncsMax = WalManager::kSyncHandles;
  static constexpr uint32_t kWords = 8;
  static_assert(kWords > kSyncsMax + 1);
  // Of so many groups that want a sync, the first are committed alone, to know what a sync takes,
  // and some after them overlap even where that did not pay.
  static constexpr uint32_t kLookAgain = 512;
  static constexpr uint32_t kAlone = 2;
  static constexpr uint32_t kTrial = 16;

  // A word that the leaders of groups sleep on; WordOf() says which.
  struct alignas(64) Word {
    std::atomic<uint32_t> wakes{0};
  };
  static constexpr uint32_t kUnsyncedWord = kWords;
  static uint32_t WordOf(const LoggedGroup& group) {
    return group.sync ? static_cast<uint32_t>(group.sync_number % kWords) : kUnsyncedWord;
  }
  bool MayCommit(const LoggedGroup& group) const SKARN_REQUIRES(mu_) {
    return group.passed_on &&
           (!failure_.ok() || !group.sync || group.sync_number <= durable_through_);
  }
  bool NothingHere() const SKARN_REQUIRES(mu_) {
    return oldest_ == nullptr && !committing_ && running_ == 0;
  }
  void SignalWhenNone() SKARN_REQUIRES(mu_) {
    if (awaited_ && NothingHere()) none_.SignalAll();
  }
  static void Average(uint64_t micros, uint64_t* average);

  Mutex mu_;
  CondVar none_{&mu_};
  bool awaited_ SKARN_GUARDED_BY(mu_) = false;
  LoggedGroup* oldest_ SKARN_GUARDED_BY(mu_) = nullptr;
  LoggedGroup* newest_ SKARN_GUARDED_BY(mu_) = nullptr;
  bool committing_ SKARN_GUARDED_BY(mu_) = false;
  Status failure_ SKARN_GUARDED_BY(mu_);  // The first.

  uint64_t syncs_begun_ SKARN_GUARDED_BY(mu_) = 0;
  uint64_t durable_through_ SKARN_GUARDED_BY(mu_) = 0;  // The newest sync that succeeded.
  bool uncovered_ SKARN_GUARDED_BY(mu_) = false;        // A group waits for the next sync.
  uint32_t running_ SKARN_GUARDED_BY(mu_) = 0;          // Bits of handles in use.
  uint32_t overlapped_ SKARN_GUARDED_BY(mu_) = 0;       // Those that did not run alone.

  // Averages of what a sync takes, in microseconds; 0: not known.
  uint64_t alone_us_ SKARN_GUARDED_BY(mu_) = 0;
  uint64_t beside_us_ SKARN_GUARDED_BY(mu_) = 0;
  uint32_t turn_ SKARN_GUARDED_BY(mu_) = 0;

  Word words_[kWords + 1];
};

}  // namespace skarn

#endif  // SKARN_CORE_DB_LOGGED_GROUPS_H_
