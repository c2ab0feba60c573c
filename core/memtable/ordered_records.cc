#include "core/memtable/ordered_records.h"

#include <utility>

namespace skarn {
namespace {

// A tree that has grown by this is looked at again: its prefixes may be badly chosen.
constexpr uint64_t kRebuildFactor = 16;
// Fewer keys say little about what later ones share.
constexpr uint64_t kRebuildMin = 1000;
// How far ahead of the walk through all records their memory is asked for.
constexpr size_t kWalkAhead = 1024;

}  // namespace

OrderedRecords::OrderedRecords(const KeyOrder& order, const RecordStore& store,
                               const WriteLanes& lanes, bool eager, size_t check_size)
    : order_(order), store_(store), lanes_(lanes), eager_(eager), check_size_(check_size) {
  if (!eager) return;
  MutexLock lock(&mu_);
  Rebuild(RecordOrder(order_, store_), {});
}

const char* OrderedRecords::Walk(const RecordStore::Extent& extent, const char* from,
                                 PrefixScan* scan, SortEntries* entries) const {
  // Acquire pairs with the lane's commit.
  const char* committed = extent.committed.load(std::memory_order_acquire);
  while (from < committed) {
    __builtin_prefetch(from + kWalkAhead);
    const RecordKey key = ReadRecordKey(from);
    if (scan != nullptr) {
      scan->Add(key, extent.RefOf(from), entries);
    } else {
      entries->push_back({0, extent.RefOf(from)});
    }
    from = RecordEnd(from, key, check_size_);
  }
  return from;
}

bool OrderedRecords::TakeAscending(const std::vector<RecordStore::Extent*>& extents,
                                   LargeVector<RecordRef>* refs) const {
  Slice last_key;
  for (const RecordStore::Extent* extent : extents) {
    const char* const committed = extent->committed.load(std::memory_order_acquire);
    for (const char* from = extent->begin; from < committed;) {
      __builtin_prefetch(from + kWalkAhead);
      const RecordKey key = ReadRecordKey(from);
      // Equal user keys may be in either order.
      if (!refs->empty() && order_.CompareUser(last_key, key.user_key) >= 0) return false;
      refs->push_back(extent->RefOf(from));
      from = RecordEnd(from, key, check_size_);
      last_key = key.user_key;
    }
  }
  return true;
}

LargeVector<RecordRef> OrderedRecords::SortAll() const {
  LargeVector<RecordRef> refs;
  refs.reserve(lanes_.entries());
  std::vector<RecordStore::Extent*> extents;
  store_.Extents(0, &extents);
  // Those of bulk loads came in order.
  if (TakeAscending(extents, &refs)) return refs;
  SortEntries entries;
  entries.reserve(lanes_.entries());
  PrefixScan scan(order_);
  for (const RecordStore::Extent* extent : extents) Walk(*extent, extent->begin, &scan, &entries);
  SortByPrefixes(scan.Finish(store_, &entries), &entries);
  refs.resize(entries.size());
  for (size_t i = 0; i < refs.size(); ++i) refs[i] = entries[i].ref;
  return refs;
}

void OrderedRecords::Rebuild(const RecordOrder& order, const SortEntries& sorted) {
  auto tree = std::make_unique<OrderTree>(order);
  // Without memory the tree stays short of some records; nothing else can be done here.
  (void)tree->Build(sorted);
  rebuild_at_ = std::max(sorted.size() * kRebuildFactor, kRebuildMin);
  tree_.store(tree.get(), std::memory_order_release);
  trees_.push_back(std::move(tree));
}

OrderTree::Outcome OrderedRecords::AddNow(Slice user_key, uint64_t tag, RecordRef ref) {
  MutexLock lock(&mu_);
  OrderTree* tree = tree_.load(std::memory_order_relaxed);
  const OrderTree::Outcome outcome =
      tree->Insert(tree->order().PrefixOf(user_key), user_key, tag, ref);
  if (outcome != OrderTree::Outcome::kAdded) return outcome;
  memory_.store(tree->memory_bytes(), std::memory_order_relaxed);
  return outcome;
}

const OrderTree* OrderedRecords::Drain() {
  MutexLock lock(&mu_);
  DrainLocked();
  return tree_.load(std::memory_order_relaxed);
}

void OrderedRecords::DrainSome() {
  if (!mu_.TryLock()) return;
  DrainLocked();
  mu_.Unlock();
}

void OrderedRecords::DrainLocked() {
  OrderTree* tree = tree_.load(std::memory_order_relaxed);
  SortEntries entries;
  PrefixScan scan(order_);
  if (tree == nullptr) entries.reserve(lanes_.entries());
  std::vector<RecordStore::Extent*> fresh;
  store_.Extents(extents_seen_, &fresh);
  extents_seen_ += fresh.size();
  for (RecordStore::Extent* extent : fresh) open_.push_back({extent, extent->begin});
  size_t kept = 0;
  for (Open& open : open_) {
    // Looked at before walking: then the walk sees the last record.
    const bool closed = open.extent->closed.load(std::memory_order_acquire);
    open.drained = Walk(*open.extent, open.drained, tree == nullptr ? &scan : nullptr, &entries);
    if (closed) continue;
    open_[kept++] = open;
  }
  open_.resize(kept);

  const uint64_t drained = drained_.load(std::memory_order_relaxed) + entries.size();
  if (tree == nullptr) {
    const RecordOrder order = scan.Finish(store_, &entries);
    SortByPrefixes(order, &entries);
    Rebuild(order, entries);
  } else if (drained >= rebuild_at_) {
    // Everything again, from the old tree and what is new.
    OrderTree::Leaf leaf;
    for (int index = tree->SeekToFirst(&leaf); index >= 0; index = tree->NextLeaf(&leaf)) {
      for (uint32_t i = 0; i < leaf.count(); ++i) entries.push_back({0, leaf.ref(i)});
    }
    const RecordOrder order(order_, store_, SharedKeyBytes(tree->order(), entries));
    if (order.shared() == tree->order().shared()) {
      rebuild_at_ *= kRebuildFactor;
      entries.resize(drained - drained_.load(std::memory_order_relaxed));
    } else {
      SortRecords(order, &entries);
      Rebuild(order, entries);
      entries.clear();
    }
  }
  if (tree != nullptr && tree == tree_.load(std::memory_order_relaxed)) {
    SortRecords(tree->order(), &entries);
    for (const SortEntry& entry : entries) {
      const RecordKey key = ReadRecordKey(store_.At(entry.ref));
      (void)tree->Insert(entry.prefix, key.user_key, key.tag, entry.ref);
    }
  }
  size_t memory = 0;
  for (const auto& one : trees_) memory += one->memory_bytes();
  memory_.store(memory, std::memory_order_relaxed);
  // Release pairs with the acquire in Current().
  drained_.store(drained, std::memory_order_release);
}

}  // namespace skarn
