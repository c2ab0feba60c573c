// OrderedRecords makes the order of a memtable's records when someone wants it.
//
// Lazily (the rule): nothing until the first Current(). That call sorts what is there
// and builds a tree; later calls sort what came since and add it. Once there is a tree,
// writers add small batches now and then, so no reader has much to do.
// Eagerly (comparators that cannot be hashed, in-place updates): every record is added
// to the tree as it is written.
//
// When the keys turn out to share more or fewer bytes than the tree was made for, a new
// tree replaces it; cursors in the old one go on there, with all that they may see.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_MEMTABLE_ORDERED_RECORDS_H_
#define SKARN_CORE_MEMTABLE_ORDERED_RECORDS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/mutex.h"
#include "core/memtable/order_tree.h"
#include "core/memtable/record_sorter.h"
#include "core/memtable/record_store.h"
#include "core/memtable/write_lanes.h"

namespace skarn {

class OrderedRecords {
 public:
  // Writers call DrainSome() each time their lane has taken this many entries.
  static constexpr uint64_t kDrainInterval = 512;

  // All outlive this object. `check_size` is that of the checksum behind each record.
  OrderedRecords(const KeyOrder& order, const RecordStore& store, const WriteLanes& lanes,
                 bool eager, size_t check_size);

  bool eager() const { return eager_; }
  const KeyOrder& key_order() const { return order_; }
  const RecordStore& store() const { return store_; }

  // Eager only: adds a record that is complete but not yet committed.
  OrderTree::Outcome AddNow(Slice user_key, uint64_t tag, RecordRef ref) SKARN_EXCLUDES(mu_);

  // A tree with all records committed before the call.
  const OrderTree* Current() SKARN_EXCLUDES(mu_) {
    // The number drained is read first: then equality means that nothing is missing.
    const uint64_t drained = drained_.load(std::memory_order_acquire);
    const OrderTree* tree = tree_.load(std::memory_order_acquire);
    if (tree != nullptr && (eager_ || drained == lanes_.entries())) return tree;
    return Drain();
  }
  // Whether someone has asked for the order.
  bool wanted() const { return tree_.load(std::memory_order_relaxed) != nullptr; }
  // For writers: adds what is there, unless another thread is at it.
  void DrainSome() SKARN_EXCLUDES(mu_);

  // All records committed before the call, sorted, leaving the tree alone. Lazy only.
  LargeVector<RecordRef> SortAll() const;

  size_t memory_bytes() const { return memory_.load(std::memory_order_relaxed); }

 private:
  struct Open {
    RecordStore::Extent* extent;
    const char* drained;  // Up to here it is in the tree.
  };

  const OrderTree* Drain() SKARN_EXCLUDES(mu_);
  void DrainLocked() SKARN_REQUIRES(mu_);
  // Makes a tree of all there is, which is sorted by `order`.
  void Rebuild(const RecordOrder& order, const SortEntries& sorted) SKARN_REQUIRES(mu_);
  // Adds the records from `from` on and returns the end. Without `scan` their prefixes are not set.
  const char* Walk(const RecordStore::Extent& extent, const char* from, PrefixScan* scan,
                   SortEntries* entries) const;
  // Takes all records, unless their keys do not ascend: then false, and `refs` has some of them.
  bool TakeAscending(const std::vector<RecordStore::Extent*>& extents,
                     LargeVector<RecordRef>* refs) const;

  const KeyOrder& order_;
  const RecordStore& store_;
  const WriteLanes& lanes_;
  const bool eager_;
  const size_t check_size_;

  std::atomic<OrderTree*> tree_{nullptr};  // The newest of trees_. Written under mu_.
  std::atomic<uint64_t> drained_{0};       // Records in it. Written under mu_.
  std::atomic<size_t> memory_{0};          // Written under mu_.

  Mutex mu_;  // Above RecordStore's in the lock order.
  std::vector<std::unique_ptr<OrderTree>> trees_ SKARN_GUARDED_BY(mu_);
  size_t extents_seen_ SKARN_GUARDED_BY(mu_) = 0;
  std::vector<Open> open_ SKARN_GUARDED_BY(mu_);  // Extents that may get more records.
  uint64_t rebuild_at_ SKARN_GUARDED_BY(mu_) = 0;
};

}  // namespace skarn

#endif  // SKARN_CORE_MEMTABLE_ORDERED_RECORDS_H_
