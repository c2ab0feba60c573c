#include "core/memtable/memtable_cursor.h"

#include <algorithm>

#include "core/memtable/memtable.h"
#include "core/metrics/perf_context.h"

namespace skarn {
namespace {

constexpr uint32_t kPrefetchDistance = 8;
constexpr size_t kFlushPrefetchDistance = 8;

// All of the record that Show() reads, if the key is short: it may lie across two lines.
inline void PrefetchRecord(const char* record) {
  __builtin_prefetch(record);
  __builtin_prefetch(record + 40);
}

bool PinTable(const MemTable* table, Pin* pin) {
  auto* pinned = const_cast<MemTable*>(table);
  pinned->Ref();
  *pin = Pin(pinned, nullptr, [](void* object, void*) { static_cast<MemTable*>(object)->Unref(); });
  return true;
}

}  // namespace

OrderCursor::~OrderCursor() { CountSteps(); }

void OrderCursor::CountSteps() {
  if ((nexts_ | prevs_) == 0) return;
  ThreadContext* context = CurrentThreadContext();
  PerfAdd(context, PerfMetric::kNextOnMemtableCount, nexts_);
  PerfAdd(context, PerfMetric::kPrevOnMemtableCount, prevs_);
  nexts_ = prevs_ = 0;
}

[[gnu::always_inline]] inline void OrderCursor::Show() {
  const RecordKey key = ReadRecordKey(store_.At(leaf_.ref(index_)));
  user_key_ = key.user_key;
  tag_ = key.tag;
  if (SKARN_LIKELY(locks_ == nullptr)) {
    value_ = ReadRecordValue(key.rest);
  } else {
    locks_->Read(key.user_key, key.rest, &value_copy_);
    value_ = value_copy_;
  }
}

void OrderCursor::Land(int index) {
  valid_ = index >= 0;
  if (!valid_) return;
  index_ = static_cast<uint32_t>(index);
  Show();
}

void OrderCursor::SeekToFirst() {
  CountSteps();
  tree_ = records_->Current();
  Land(tree_->SeekToFirst(&leaf_));
}

void OrderCursor::SeekToLast() {
  CountSteps();
  tree_ = records_->Current();
  Land(tree_->SeekToLast(&leaf_));
}

void OrderCursor::Seek(Slice user_key, uint64_t tag) {
  CountSteps();
  PerfAdd(CurrentThreadContext(), PerfMetric::kSeekOnMemtableCount);
  tree_ = records_->Current();
  Land(tree_->Seek(user_key, tag, &leaf_));
}

void OrderCursor::SeekForPrev(Slice user_key, uint64_t tag) {
  CountSteps();
  tree_ = records_->Current();
  Land(tree_->SeekBefore(user_key, tag, /*or_equal=*/true, &leaf_));
}

void OrderCursor::Next() {
  ++nexts_;
  ++index_;
  if (SKARN_UNLIKELY(index_ >= leaf_.count())) {
    Land(tree_->NextLeaf(&leaf_));
    if (!valid_) return;
    const uint32_t ahead = std::min(leaf_.count(), kPrefetchDistance);
    for (uint32_t i = 1; i < ahead; ++i) PrefetchRecord(store_.At(leaf_.ref(i)));
  } else {
    Show();
  }
  if (index_ + kPrefetchDistance < leaf_.count()) {
    PrefetchRecord(store_.At(leaf_.ref(index_ + kPrefetchDistance)));
  }
}

void OrderCursor::Prev() {
  ++prevs_;
  if (SKARN_UNLIKELY(index_ == 0)) {
    Land(tree_->SeekBefore(user_key_, tag_, /*or_equal=*/false, &leaf_));
    return;
  }
  --index_;
  if (index_ >= kPrefetchDistance) {
    PrefetchRecord(store_.At(leaf_.ref(index_ - kPrefetchDistance)));
  }
  Show();
}

bool OrderCursor::PinValue(Pin* pin) { return locks_ == nullptr && PinTable(table_, pin); }

void FlushCursor::Land(size_t index) {
  valid_ = index < refs_.size();
  if (!valid_) return;
  index_ = index;
  const RecordStore& store = records_.store();
  if (index + kFlushPrefetchDistance < refs_.size()) {
    const char* ahead = store.At(refs_[index + kFlushPrefetchDistance]);
    __builtin_prefetch(ahead);
    __builtin_prefetch(ahead + 64);
    __builtin_prefetch(ahead + 128);
  }
  const RecordKey key = ReadRecordKey(store.At(refs_[index]));
  user_key_ = key.user_key;
  tag_ = key.tag;
  value_ = ReadRecordValue(key.rest);
}

void FlushCursor::Seek(Slice user_key, uint64_t tag) {
  const auto found = std::partition_point(refs_.begin(), refs_.end(), [&](RecordRef ref) {
    const RecordKey key = ReadRecordKey(records_.store().At(ref));
    return records_.key_order().Compare(key.user_key, key.tag, user_key, tag) < 0;
  });
  Land(static_cast<size_t>(found - refs_.begin()));
}

void FlushCursor::SeekForPrev(Slice user_key, uint64_t tag) {
  const auto found = std::partition_point(refs_.begin(), refs_.end(), [&](RecordRef ref) {
    const RecordKey key = ReadRecordKey(records_.store().At(ref));
    return records_.key_order().Compare(key.user_key, key.tag, user_key, tag) <= 0;
  });
  Land(static_cast<size_t>(found - refs_.begin()) - 1);
}

bool FlushCursor::PinValue(Pin* pin) { return PinTable(table_, pin); }

}  // namespace skarn
