// IndexCursor walks the blocks of a table in file order: over one index block, or over a
// top-level one and its partitions.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_TABLE_INDEX_CURSOR_H_
#define SKARN_CORE_TABLE_INDEX_CURSOR_H_

#include <cstdint>
#include <vector>

#include "core/base/slice.h"
#include "core/base/status.h"
#include "core/table/block.h"
#include "core/table/block_loader.h"
#include "core/table/index_block.h"

namespace skarn {

// The index of a table: where it is, how it is stored, and what of it stays in memory.
struct TableIndex {
  BlockLoader* loader = nullptr;
  const KeyOrder* order = nullptr;
  IndexFlavour flavour;
  bool two_level = false;
  BlockHandle handle;
  bool cached = false;  // What is not held here goes through the block cache.
  // The whole index, or the top of two levels; empty when it is not held.
  ObjectRef<const IndexBlock> top;
  // With two levels: the partitions, or empty.
  std::vector<ObjectRef<const IndexBlock>> partitions;

  // Of partitions: only the last level has first keys.
  IndexFlavour TopFlavour() const {
    IndexFlavour top_flavour = flavour;
    if (two_level) top_flavour.first_keys = false;
    return top_flavour;
  }
  Status LoadTop(TableRead* read, ObjectRef<const IndexBlock>* block) const {
    if (top) {
      block->SetBorrowed(top.get());
      return Status::Ok();
    }
    return loader->Index(read, handle, TopFlavour(), *order, cached, nullptr, block);
  }
  Status LoadPartition(TableRead* read, uint32_t i, const BlockHandle& partition,
                       ObjectRef<const IndexBlock>* block) const {
    if (i < partitions.size()) {
      block->SetBorrowed(partitions[i].get());
      return Status::Ok();
    }
    return loader->Index(read, partition, flavour, *order, /*cached=*/true, nullptr, block);
  }
};

class IndexCursor {
 public:
  // Both must outlive the cursor.
  IndexCursor(const TableIndex* index, TableRead* read) : index_(index), read_(read) {}

  bool valid() const { return valid_; }
  const Status& status() const { return status_; }

  // Preconditions for the accessors: valid().
  BlockHandle handle() const { return leaf_->handle(i_); }
  // The handle of the block that is so many further on (or, below 0, before) in the same part of
  // the index. False when there is none.
  bool HandleAt(int32_t distance, BlockHandle* handle) const {
    const uint32_t i = i_ + static_cast<uint32_t>(distance);
    if (i >= leaf_->count()) return false;
    *handle = leaf_->handle(i);
    return true;
  }
  // Whether the table has so few blocks that they are in the processor's cache as a rule.
  bool few_blocks() const { return !index_->two_level && leaf_->count() < 128; }
  // Starts loading the block from where it was seen last.
  void PrefetchSeen() const { leaf_->Seen(i_).Prefetch(); }
  // Whether that is where it is. If not, it is noted, in an index whose memory nobody counts.
  bool WasSeen(const void* block, const void* entries) const {
    if (SKARN_LIKELY(leaf_->Seen(i_).IsOf(block, entries))) return true;
    if (leaf_ == index_->top.get()) leaf_->NoteSeen(i_, block, entries);
    return false;
  }
  // The separator after the block; see IndexBlock.
  Slice user_key() const { return leaf_->user_key(i_); }
  bool has_tags() const { return leaf_->has_tags(); }
  bool has_first_key() const { return leaf_->has_first_keys(); }
  Slice first_user_key() const { return leaf_->first_user_key(i_); }
  uint64_t first_tag() const { return index_->flavour.keys.Tag(leaf_->first_tag(i_)); }

  void SeekToFirst();
  void SeekToLast();
  // To the block where (user_key, tag) would be.
  void Seek(Slice user_key, uint64_t tag);
  // To entry `i` of an index that is held in memory and has one level.
  void GoTo(uint32_t i) {
    leaf_ = index_->top.get();
    top_.SetBorrowed(leaf_);
    i_ = i;
    valid_ = i < leaf_->count();
  }
  void Next();
  void Prev();

 private:
  bool LoadTop();
  // Makes partition `top_i_` the leaf.
  bool LoadLeaf();
  bool Fail(Status status);
  void SkipEmptyForward();
  void SkipEmptyBackward();

  const TableIndex* const index_;
  TableRead* const read_;
  ObjectRef<const IndexBlock> top_;
  ObjectRef<const IndexBlock> partition_;
  uint32_t partition_number_ = UINT32_MAX;  // Which one partition_ is.
  const IndexBlock* leaf_ = nullptr;
  uint32_t top_i_ = 0;
  uint32_t i_ = 0;
  bool valid_ = false;
  Status status_;
};

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_INDEX_CURSOR_H_
