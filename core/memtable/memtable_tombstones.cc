#include "core/memtable/memtable_tombstones.h"

#include <algorithm>

#include "core/base/epoch.h"

namespace skarn {

void MemTableTombstones::Add(Slice start, Slice end, SequenceNumber sequence) {
  MutexLock lock(&mu_);
  tombstones_.push_back({start.ToString(), end.ToString(), sequence});
  smallest_sequence_.store(std::min(smallest_sequence_.load(std::memory_order_relaxed), sequence),
                           std::memory_order_relaxed);
  largest_sequence_.store(std::max(largest_sequence_.load(std::memory_order_relaxed), sequence),
                          std::memory_order_relaxed);
  data_bytes_.store(data_bytes_.load(std::memory_order_relaxed) + start.size() + end.size(),
                    std::memory_order_relaxed);
  // Release pairs with the acquire in count().
  count_.store(tombstones_.size(), std::memory_order_release);
}

const MemTableTombstones::Cached* MemTableTombstones::Fresh() const {
  const Cached* cached = cached_.load(std::memory_order_acquire);
  if (cached != nullptr && cached->count == count()) return cached;
  const Cached* fresh = nullptr;
  {
    MutexLock lock(&mu_);
    cached = cached_.load(std::memory_order_relaxed);
    if (cached != nullptr && cached->count == tombstones_.size()) return cached;
    fresh = new Cached{tombstones_.size(),
                       std::make_shared<const FragmentedTombstones>(order_, tombstones_)};
    cached_.store(fresh, std::memory_order_release);
  }
  // Without the mutex: it may delete what others have retired.
  if (cached != nullptr) EpochDomain::Retire(cached);
  return fresh;
}

std::shared_ptr<const FragmentedTombstones> MemTableTombstones::Fragments() const {
  if (count() == 0) return nullptr;
  const EpochGuard guard;
  return Fresh()->fragments;
}

SequenceNumber MemTableTombstones::MaxCovering(Slice user_key, SequenceNumber snapshot,
                                               Slice read_timestamp, Slice* found_timestamp) const {
  const EpochGuard guard;
  return Fresh()->fragments->MaxCovering(user_key, snapshot, read_timestamp, found_timestamp);
}

}  // namespace skarn
