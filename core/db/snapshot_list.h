// SnapshotList holds the snapshots that are not yet released, oldest first.
//
// Taking a snapshot reads the visible sequence number under the list's mutex, and so
// does copying the list: a job that copied it knows that every later snapshot is at
// least as new as everything that was visible at that time.
//
// Thread safety: any thread. The mutex is a leaf in the lock order.

#ifndef SKARN_CORE_DB_SNAPSHOT_LIST_H_
#define SKARN_CORE_DB_SNAPSHOT_LIST_H_

#include <atomic>
#include <cstdint>
#include <vector>

#include "core/base/mutex.h"
#include "core/key/internal_key.h"
#include "core/key/snapshot.h"

namespace skarn {

class SnapshotList {
 public:
  explicit SnapshotList(const std::atomic<SequenceNumber>* visible);
  ~SnapshotList();

  // `write_conflict_boundary`: a transaction checks conflicts against it, so compactions keep
  // what is needed to see them.
  const Snapshot* New(uint64_t now_s, bool write_conflict_boundary = false) SKARN_EXCLUDES(mu_);
  // When there is no snapshot: New() waits until LetIn(). False, and nothing done, when there is
  // one. By one thread at a time, for no longer than a write to the disk takes.
  bool HoldOff() SKARN_EXCLUDES(mu_);
  void LetIn() SKARN_EXCLUDES(mu_);
  // Returns the number of the oldest snapshot left, or kMaxSequenceNumber.
  SequenceNumber Release(const Snapshot* snapshot) SKARN_EXCLUDES(mu_);

  // Ascending, without duplicates.
  std::vector<SequenceNumber> Sequences(SequenceNumber* earliest_write_conflict = nullptr) const
      SKARN_EXCLUDES(mu_);
  size_t count() const SKARN_EXCLUDES(mu_);
  // Of the oldest snapshot; 0 when there is none.
  uint64_t oldest_time_s() const SKARN_EXCLUDES(mu_);
  SequenceNumber oldest_sequence() const SKARN_EXCLUDES(mu_);

 private:
  const std::atomic<SequenceNumber>* const visible_;
  mutable Mutex mu_;
  Snapshot head_;  // Of the ring; not a snapshot itself. Its links are guarded by mu_.
  size_t count_ SKARN_GUARDED_BY(mu_) = 0;
  bool held_off_ SKARN_GUARDED_BY(mu_) = false;
  CondVar let_in_{&mu_};
  // Numbers of snapshots that are write conflict boundaries, unsorted.
  std::vector<const Snapshot*> boundaries_ SKARN_GUARDED_BY(mu_);

  // The last to be released, in a ring whose oldest is at `next_released_`: read options of a
  // careless caller may still name one. The oldest is the memory of the next that is taken.
  static constexpr size_t kReleasedKept = 64;
  Snapshot* released_[kReleasedKept] SKARN_GUARDED_BY(mu_) = {};
  size_t next_released_ SKARN_GUARDED_BY(mu_) = 0;
};

}  // namespace skarn

#endif  // SKARN_CORE_DB_SNAPSHOT_LIST_H_
