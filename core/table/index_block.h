// IndexBlock is an index block, or a partition of one, decoded for searching: the first
// bytes of all separators in one array, where a binary search touches few lines, then
// what is needed of the entry that was found.
//
// Entry i names block i of the file (or of the partition): its handle, and a separator
// S_i that is at or after the block's last key and before the first key of the next.
//
// Thread safety: immutable once parsed; any thread.

#ifndef SKARN_CORE_TABLE_INDEX_BLOCK_H_
#define SKARN_CORE_TABLE_INDEX_BLOCK_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/block_heap.h"
#include "core/base/result.h"
#include "core/base/slice.h"
#include "core/key/internal_key.h"
#include "core/table/block_cursor.h"
#include "core/table/block_format.h"
#include "core/table/block_sightings.h"

namespace skarn {

// How the index of a table is stored; from its properties.
struct IndexFlavour {
  bool user_keys_only = false;  // Separators have no tag.
  bool delta_values = false;
  bool first_keys = false;
  KeyFlavour keys;
};

class IndexBlock {
 public:
  // Decodes the payload. `limit` is where blocks of the file must end.
  // Errors: Corruption without the file's name, which the caller adds.
  static Result<std::unique_ptr<IndexBlock>> Parse(Slice payload, const IndexFlavour& flavour,
                                                   const KeyOrder& order, uint64_t limit);

  uint32_t count() const { return count_; }
  BlockHandle handle(uint32_t i) const { return BlockHandle{offsets_[i], sizes_[i]}; }
  // The separator. Without tags it stands for the end of all versions of its user key.
  Slice user_key(uint32_t i) const {
    return Slice(bytes_.data() + keys_[i], keys_[i + 1] - keys_[i]);
  }
  bool has_tags() const { return !tags_.empty(); }
  uint64_t tag(uint32_t i) const { return tags_.empty() ? 0 : tags_[i]; }
  bool has_first_keys() const { return !first_tags_.empty(); }
  Slice first_user_key(uint32_t i) const {
    return Slice(bytes_.data() + first_keys_[i], first_keys_[i + 1] - first_keys_[i]);
  }
  // As stored: copies of a table share a block in the cache, each with its own sequence number.
  uint64_t first_tag(uint32_t i) const { return first_tags_[i]; }

  // The first entry whose separator is at or after the key: the block where it would be.
  // count() when there is none.
  uint32_t Find(const KeyOrder& order, Slice user_key, uint64_t tag) const;
  // Starts loading what Find() reads first.
  void Prefetch() const {
    const Array<uint64_t>& searched = marks_.empty() ? prefixes_ : marks_;
    if (!searched.empty()) __builtin_prefetch(&searched[searched.size() / 2]);
  }

  // Where block i was seen in memory last, when the table has so many that it matters.
  BlockSightings::Sighting Seen(uint32_t i) const { return sightings_.Of(i); }
  void NoteSeen(uint32_t i, const void* block, const void* entries) const {
    if (!marks_.empty()) sightings_.Note(i, count_, block, entries);
  }

  size_t memory_bytes() const;

 private:
  IndexBlock() = default;
  bool Before(const KeyOrder& order, uint32_t i, Slice user_key, uint64_t tag) const;
  void BuildPrefixes();

  uint32_t count_ = 0;
  template <typename T>
  using Array = std::vector<T, BlockAllocator<T>>;
  Array<uint64_t> offsets_;
  Array<uint32_t> sizes_;
  // Where separators begin in bytes_; one more for the end of the last.
  Array<uint64_t> keys_;
  std::vector<uint64_t> tags_;  // Empty when there are none.
  std::vector<uint64_t> first_keys_;
  std::vector<uint64_t> first_tags_;
  std::string bytes_;  // All separators, then all first keys.
  // With bytewise order: 8 bytes of every separator after the first common_ bytes, which
  // all have in common.
  Array<uint64_t> prefixes_;
  // Of a large index, the last prefix of every full group of 16: few enough to stay in the
  // processor's cache, so that a search waits once for its group and not for every step.
  Array<uint64_t> marks_;
  mutable BlockSightings sightings_;  // Hints for searches, which change nothing else.
  size_t common_ = 0;
};

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_INDEX_BLOCK_H_
