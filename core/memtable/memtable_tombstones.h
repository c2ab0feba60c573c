// MemTableTombstones are the range deletions of one memtable: a list as written, and
// the same cut into fragments, made when someone asks after a change.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_MEMTABLE_MEMTABLE_TOMBSTONES_H_
#define SKARN_CORE_MEMTABLE_MEMTABLE_TOMBSTONES_H_

#include <atomic>
#include <memory>
#include <vector>

#include "core/base/mutex.h"
#include "core/key/range_tombstone.h"

namespace skarn {

class MemTableTombstones {
 public:
  explicit MemTableTombstones(const KeyOrder& order) : order_(order) {}
  ~MemTableTombstones() { delete cached_.load(std::memory_order_relaxed); }

  void Add(Slice start, Slice end, SequenceNumber sequence) SKARN_EXCLUDES(mu_);
  uint64_t count() const { return count_.load(std::memory_order_acquire); }
  SequenceNumber smallest_sequence() const {
    return smallest_sequence_.load(std::memory_order_relaxed);
  }
  SequenceNumber largest_sequence() const {
    return largest_sequence_.load(std::memory_order_relaxed);
  }
  uint64_t data_bytes() const { return data_bytes_.load(std::memory_order_relaxed); }

  // All that were added before the call. Null when there are none.
  std::shared_ptr<const FragmentedTombstones> Fragments() const SKARN_EXCLUDES(mu_);
  // As FragmentedTombstones::MaxCovering(). The timestamp lives as long as the epoch the
  // caller is in.
  SequenceNumber MaxCovering(Slice user_key, SequenceNumber snapshot, Slice read_timestamp,
                             Slice* found_timestamp) const SKARN_EXCLUDES(mu_);

 private:
  struct Cached {
    uint64_t count;                                         // Of tombstones in it.
    std::shared_ptr<const FragmentedTombstones> fragments;  // Shared with iterators.
  };
  // Precondition: count() != 0, and the caller is in an epoch.
  const Cached* Fresh() const SKARN_EXCLUDES(mu_);

  const KeyOrder& order_;
  // Written under mu_, the count last with release.
  std::atomic<uint64_t> data_bytes_{0};
  std::atomic<SequenceNumber> smallest_sequence_{kMaxSequenceNumber};
  std::atomic<SequenceNumber> largest_sequence_{0};
  std::atomic<uint64_t> count_{0};
  // Replaced under mu_; the old one is retired to the epoch domain.
  mutable std::atomic<const Cached*> cached_{nullptr};
  mutable Mutex mu_;  // A leaf in the lock order.
  std::vector<RangeTombstone> tombstones_ SKARN_GUARDED_BY(mu_);
};

}  // namespace skarn

#endif  // SKARN_CORE_MEMTABLE_MEMTABLE_TOMBSTONES_H_
