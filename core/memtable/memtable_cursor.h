// The cursors over a memtable.
//
// OrderCursor walks copies of the order tree's leaves. FlushCursor walks all records of
// an immutable memtable, sorted for this one pass.
//
// Thread safety: one thread at a time; writers may go on beside an OrderCursor.

#ifndef SKARN_CORE_MEMTABLE_MEMTABLE_CURSOR_H_
#define SKARN_CORE_MEMTABLE_MEMTABLE_CURSOR_H_

#include <memory>
#include <string>
#include <vector>

#include "core/key/internal_cursor.h"
#include "core/memtable/in_place_locks.h"
#include "core/memtable/ordered_records.h"

namespace skarn {

class MemTable;

class OrderCursor final : public InternalCursor {
 public:
  // `locks` is null without in-place updates. All outlive the cursor.
  OrderCursor(const MemTable* table, OrderedRecords* records, const InPlaceLocks* locks)
      : table_(table), records_(records), store_(records->store()), locks_(locks) {
    value_ready_ = true;
  }
  ~OrderCursor() override;

  void SeekToFirst() override;
  void SeekToLast() override;
  void Seek(Slice user_key, uint64_t tag) override;
  void SeekForPrev(Slice user_key, uint64_t tag) override;
  void Next() override;
  void Prev() override;
  Status status() const override { return Status::Ok(); }
  bool KeyPinned() const override { return true; }
  bool ValuePinned() const override { return locks_ == nullptr; }
  bool PinValue(Pin* pin) override;

 private:
  void Land(int index);
  void Show();
  void CountSteps();

  const MemTable* const table_;
  OrderedRecords* const records_;
  const RecordStore& store_;
  const InPlaceLocks* const locks_;
  const OrderTree* tree_ = nullptr;
  uint32_t index_ = 0;
  uint32_t nexts_ = 0;  // Steps not yet in the perf counters.
  uint32_t prevs_ = 0;
  std::string value_copy_;  // With in-place updates.
  OrderTree::Leaf leaf_;
};

class FlushCursor final : public InternalCursor {
 public:
  FlushCursor(const MemTable* table, const OrderedRecords& records)
      : table_(table), records_(records), refs_(records.SortAll()) {
    value_ready_ = true;
  }

  void SeekToFirst() override { Land(0); }
  void SeekToLast() override { Land(refs_.size() - 1); }
  void Seek(Slice user_key, uint64_t tag) override;
  void SeekForPrev(Slice user_key, uint64_t tag) override;
  void Next() override { Land(index_ + 1); }
  void Prev() override { Land(index_ - 1); }
  Status status() const override { return Status::Ok(); }
  bool KeyPinned() const override { return true; }
  bool ValuePinned() const override { return true; }
  bool PinValue(Pin* pin) override;

 private:
  // Out of range, below zero included, is the end.
  void Land(size_t index);

  const MemTable* const table_;
  const OrderedRecords& records_;
  const LargeVector<RecordRef> refs_;
  size_t index_ = 0;
};

}  // namespace skarn

#endif  // SKARN_CORE_MEMTABLE_MEMTABLE_CURSOR_H_
