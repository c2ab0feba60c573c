// BlockWalk reads a block of keys and values from front to back, checking everything:
// for small blocks that are read once (metaindex, properties, range deletions), for
// checks and for tools. Searching blocks of data and index is block_cursor.h's.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_TABLE_BLOCK_WALK_H_
#define SKARN_CORE_TABLE_BLOCK_WALK_H_

#include <cstdint>
#include <string>

#include "core/base/slice.h"
#include "core/base/status.h"
#include "core/table/block_format.h"

namespace skarn {

class BlockWalk {
 public:
  struct Options {
    // Index blocks: values are handles, as differences when `delta_values`, and followed
    // by a first key when `has_first_key`. Read them with index_value().
    bool is_index = false;
    bool delta_values = false;
    bool has_first_key = false;
  };

  // `block` must outlive the walk.
  explicit BlockWalk(Slice block) : BlockWalk(block, Options()) {}
  BlockWalk(Slice block, const Options& options);

  // Moves to the next entry, at first to the first. False at the end or at damage.
  bool Next();

  // Valid until the next call of Next().
  Slice key() const { return key_; }
  // Points into the block; for index blocks with delta values, empty.
  Slice value() const { return value_; }
  const IndexValue& index_value() const { return index_value_; }
  // Bytes that the key has in common with the one before, as stored.
  uint32_t shared() const { return head_.shared; }

  const BlockLayout& layout() const { return layout_; }
  // Whether the walk has stopped because of damage; `damage()` says which.
  bool damaged() const { return damage_ != nullptr; }
  const char* damage() const { return damage_; }
  // Where in the block the current or the damaged entry begins.
  size_t entry_offset() const { return entry_offset_; }
  // Ok, or Corruption naming the place. `block_offset` is the block's in the file.
  Status status(const char* what, uint64_t block_offset, const std::string& file_name) const;

 private:
  bool Fail(const char* damage) {
    damage_ = damage;
    return false;
  }

  const Slice block_;
  const Options options_;
  BlockLayout layout_;
  const char* damage_ = nullptr;
  size_t next_ = 0;          // Offset of the next entry.
  size_t entry_offset_ = 0;  // Of the current one.
  uint32_t next_restart_ = 0;
  size_t value_end_ = 0;  // Separated blocks: where the last value ended.
  EntryHead head_;
  std::string key_;
  Slice value_;
  IndexValue index_value_;
};

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_BLOCK_WALK_H_
