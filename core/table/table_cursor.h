// TableCursor walks one table in internal-key order.
//
// Inside a block a step is the block cursor's; index, bounds and reading ahead matter
// only where a block ends. When the index holds first keys, a seek that lands between
// blocks shows the next block's first key before that block is read: PrepareValue().
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_TABLE_TABLE_CURSOR_H_
#define SKARN_CORE_TABLE_TABLE_CURSOR_H_

#include <typeinfo>

#include "core/base/cpu.h"
#include "core/base/pooled.h"
#include "core/key/internal_cursor.h"
#include "core/table/block_cursor.h"
#include "core/table/block_table.h"
#include "core/table/index_cursor.h"
#include "core/table/readahead.h"

namespace skarn {

class TableCursor final : public InternalCursor, public Pooled {
 public:
  // Table and `options` must outlive the cursor.
  TableCursor(BlockTable* table, const ReadOptions& options, TableCaller caller, bool skip_filters,
              size_t compaction_readahead_bytes);
  ~TableCursor() override;

  bool PrepareValue() override;
  void SeekToFirst() override;
  void SeekToLast() override;
  void Seek(Slice user_key, uint64_t tag) override;
  void SeekPart(int part, Slice user_key, uint64_t tag) override;
  void SeekForPrev(Slice user_key, uint64_t tag) override;
  void Next() override {
    if (SKARN_UNLIKELY(at_first_key_) && !EnterBlock()) return;
    if (SKARN_LIKELY(block_.NextOtherKey())) {
      Show();
    } else {
      NextSlow();
    }
  }
  void Prev() override;
  Status status() const override { return status_; }

  bool KeyPinned() const override {
    return pins_ != nullptr && !at_first_key_ && block_.key_in_block() != nullptr;
  }
  bool ValuePinned() const override { return pins_ != nullptr && !at_first_key_; }
  void SetPinList(PinList* pins) override;
  bool PinValue(Pin* pin) override;
  bool KnownBelowUpperBound() const override { return below_bound_; }
  bool StoppedAtUpperBound() const override { return stopped_at_bound_; }

  // The cursor of the current block, for a caller who steps it as long as its NextOtherKey() or
  // PrevOtherKey() goes; null when entries need more than that. Resume() must follow before
  // anything but a seek is asked of this cursor.
  DataBlockCursor* LendBlock() {
    return valid_ && !at_first_key_ && !check_entries_ && pins_ == nullptr ? &block_ : nullptr;
  }
  void Resume() {
    if (SKARN_LIKELY(block_.valid())) {
      ShowUnchecked();
    } else {
      (void)FailBlock();
    }
  }

 private:
  // Makes the block cursor's entry the current one; going forward, unless it is past the
  // upper bound.
  void Show() {
    ShowUnchecked();
    if (SKARN_UNLIKELY(check_entries_)) CheckEntry();
  }
  void ShowBackward() {
    ShowUnchecked();
    if (SKARN_UNLIKELY(embedded_)) ResolveEmbedded();
  }
  void ShowUnchecked() {
    user_key_ = block_.user_key();
    if (SKARN_UNLIKELY(pins_ != nullptr) && block_.key_in_block() != nullptr) {
      user_key_ = Slice(block_.key_in_block(), user_key_.size());
    }
    tag_ = block_.tag();
    value_ = block_.value();
    valid_ = value_ready_ = true;
  }
  void CheckEntry();
  void ResolveEmbedded();
  // After a seek: nothing is current, nothing went wrong.
  void Restart();
  bool Fail(Status status);
  bool FailBlock();
  // Loads the block that the index is at, unless it is loaded already.
  bool LoadBlock();
  void SeekInBlock(Slice user_key, uint64_t tag);
  void LetGoOfBlock();
  void LetGoOfEmbedded();
  void NextSlow();
  // Seek() up to the index. False when it is over: nothing is there, or it can be shown as it is.
  bool SeekIndex(Slice user_key, uint64_t tag);
  void SeekInLoadedBlock(Slice user_key, uint64_t tag);
  // Asks for the blocks that a scan in this direction comes to next.
  void ApproachBlocks(int32_t direction);
  // To the first entry of the next block that has one.
  void Forward();
  // The same backward.
  void Backward();
  // Shows the first key of the index's block without reading the block, when that is
  // allowed. False: read it.
  bool ShowFirstKey();
  // Leaves the state of ShowFirstKey(): positions the block cursor on that key.
  bool EnterBlock();
  bool PastUpperBound(Slice user_key) const;
  void NoteBound();
  bool PrefixExcluded(Slice user_key, uint64_t tag);
  void EndOperation() {
    if (SKARN_UNLIKELY(counted_)) FlushCounts();
  }
  void FlushCounts();

  BlockTable* const table_;
  const KeyOrder& order_;
  TableRead read_;
  IndexCursor index_;
  Readahead readahead_;
  const bool check_prefix_;
  const bool embedded_;
  DataBlockCursor block_;
  BlockRef block_ref_;
  uint64_t block_offset_ = 0;  // Of the block in block_ref_.
  BlockRef embedded_value_;    // What value_ points into, for a value between blocks.
  PinList* pins_ = nullptr;
  Status status_;
  bool seek_goes_on_ = false;  // Between parts of a seek.
  bool counted_ = false;       // read_ has counts to flush.
  bool at_first_key_ = false;
  bool below_bound_ = false;
  bool stopped_at_bound_ = false;
  bool check_entries_ = false;  // CheckEntry() is needed in this block.
};

// `cursor` itself, when it is one; else null.
inline TableCursor* AsTableCursor(InternalCursor* cursor) {
  const InternalCursor& object = *cursor;
  return typeid(object) == typeid(TableCursor) ? static_cast<TableCursor*>(cursor) : nullptr;
}

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_TABLE_CURSOR_H_
