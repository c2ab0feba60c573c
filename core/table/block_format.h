// The container that data, index, range-deletion, properties and metaindex blocks share
// (docs/formats/sst.md, section "Blocks of keys and values").
//
//   entries
//   fixed32 restart[R]      offset of every entry whose key is stored whole
//   u8 bucket[N], fixed16 N when kHashIndexBit: the hash index of a data block
//   fixed32 values_offset   when kSeparatedBit: where the values begin
//   fixed32 packed word     R and flags
//
// An entry:
//   varint32 shared         bytes that the key has in common with the key before it
//   varint32 fresh          bytes of the key that follow
//   varint32 value_size     not in index blocks with delta values
//   varint32 value_offset   only at restarts of blocks with kSeparatedBit
//   fresh key bytes
//   value bytes             elsewhere in blocks with kSeparatedBit
//
// Thread safety: plain values and pure functions.

#ifndef SKARN_CORE_TABLE_BLOCK_FORMAT_H_
#define SKARN_CORE_TABLE_BLOCK_FORMAT_H_

#include <cstddef>
#include <cstdint>

#include "core/base/coding.h"
#include "core/base/slice.h"
#include "core/table/block_handle.h"
#include "core/table/block_trailer.h"

namespace skarn {

// The packed word. Bit 30 is reserved: a block that has it set is damaged or newer.
inline constexpr uint32_t kRestartCountMask = (uint32_t{1} << 28) - 1;
inline constexpr uint32_t kSeparatedBit = uint32_t{1} << 28;  // Values in a run of their own.
inline constexpr uint32_t kUniformBit = uint32_t{1} << 29;    // A hint, index blocks only.
inline constexpr uint32_t kReservedBit = uint32_t{1} << 30;
inline constexpr uint32_t kHashIndexBit = uint32_t{1} << 31;  // Data blocks only.

// Hash index buckets: a restart index, or one of these.
inline constexpr uint8_t kHashBucketCollision = 254;
inline constexpr uint8_t kHashBucketEmpty = 255;
inline constexpr uint32_t kHashRestartIndexMax = 253;
// Releases from 5.16 on know the hash index in blocks up to this size only.
inline constexpr size_t kHashIndexBlockSizeMax = 65536;

// Where the parts of a block are. All offsets count from the start of the block.
struct BlockLayout {
  uint32_t restart_count = 0;    // 0 or more; an empty block may have 1.
  uint32_t restarts_offset = 0;  // Of the restart array.
  // Where entries end: restarts_offset, or with `separated` the start of the values.
  uint32_t entries_end = 0;
  // With `separated`, the values are [values_offset, restarts_offset).
  uint32_t values_offset = 0;
  uint32_t bucket_count = 0;  // 0: no hash index.
  uint32_t buckets_offset = 0;
  bool separated = false;
  bool uniform = false;

  bool has_entries() const { return entries_end != 0; }
  uint32_t restart(const char* block, uint32_t index) const {
    return DecodeFixed32(block + restarts_offset + 4 * static_cast<size_t>(index));
  }
};

// Finds the parts of a block from its end. False when they do not fit in the block or a
// reserved bit is set. Restart offsets themselves are not checked: compare each with
// entries_end when it is used.
inline bool ParseBlockLayout(Slice block, BlockLayout* layout) {
  *layout = BlockLayout();
  if (block.size() < 4 || block.size() > UINT32_MAX) return false;
  size_t end = block.size() - 4;
  const uint32_t packed = DecodeFixed32(block.data() + end);
  if ((packed & kReservedBit) != 0) return false;
  layout->restart_count = packed & kRestartCountMask;
  layout->separated = (packed & kSeparatedBit) != 0;
  layout->uniform = (packed & kUniformBit) != 0;
  if (layout->separated) {
    if (end < 4) return false;
    end -= 4;
    layout->values_offset = DecodeFixed32(block.data() + end);
  }
  if ((packed & kHashIndexBit) != 0) {
    if (end < 2) return false;
    end -= 2;
    layout->bucket_count = DecodeFixed16(block.data() + end);
    if (layout->bucket_count == 0 || end < layout->bucket_count) return false;
    end -= layout->bucket_count;
    layout->buckets_offset = static_cast<uint32_t>(end);
  }
  if (end / 4 < layout->restart_count) return false;
  end -= 4 * static_cast<size_t>(layout->restart_count);
  layout->restarts_offset = static_cast<uint32_t>(end);
  if (layout->separated) {
    if (layout->values_offset > end) return false;
    layout->entries_end = layout->values_offset;
  } else {
    layout->entries_end = static_cast<uint32_t>(end);
  }
  // Without restarts there is no way to the entries; the block counts as empty.
  if (layout->restart_count == 0) layout->entries_end = 0;
  return true;
}

// The bucket of a user key, whose hash is SliceHash(user_key).
// Precondition: layout.bucket_count != 0.
inline uint8_t HashBucket(const char* block, const BlockLayout& layout, uint32_t hash) {
  return static_cast<uint8_t>(block[layout.buckets_offset + hash % layout.bucket_count]);
}

// The head of an entry, as stored.
struct EntryHead {
  uint32_t shared = 0;
  uint32_t fresh = 0;
  uint32_t value_size = 0;    // 0 in index blocks with delta values.
  uint32_t value_offset = 0;  // Only at restarts of separated blocks.
};

// Reads the head at `at` and returns where its key bytes begin; nullptr when it, its key
// bytes, or (unless `separated` or `delta_values`) its value pass `limit`. That `shared`
// does not exceed the key before it is for the caller to check.
inline const char* DecodeEntryHead(const char* at, const char* limit, bool delta_values,
                                   bool separated, bool at_restart, EntryHead* head) {
  at = DecodeVarint32(at, limit, &head->shared);
  if (at == nullptr) return nullptr;
  at = DecodeVarint32(at, limit, &head->fresh);
  if (at == nullptr) return nullptr;
  head->value_size = 0;
  head->value_offset = 0;
  if (!delta_values) {
    at = DecodeVarint32(at, limit, &head->value_size);
    if (at == nullptr) return nullptr;
  }
  if (separated && at_restart) {
    at = DecodeVarint32(at, limit, &head->value_offset);
    if (at == nullptr) return nullptr;
  }
  const uint64_t need =
      uint64_t{head->fresh} + (delta_values || separated ? 0 : uint64_t{head->value_size});
  if (need > static_cast<uint64_t>(limit - at)) return nullptr;
  return at;
}

// What an index entry says about its block.
struct IndexValue {
  BlockHandle handle;
  Slice first_internal_key;  // Only in indexes with first keys (IndexType 3).
};

// Consumes an index value from the front of `*input`. With `previous` it is a
// difference to the handle of the entry before: entries with shared > 0 of an index
// with delta values. False when it is cut short or the numbers are impossible.
[[nodiscard]] inline bool DecodeIndexValue(Slice* input, const BlockHandle* previous,
                                           bool has_first_key, IndexValue* value) {
  if (previous == nullptr) {
    if (!value->handle.DecodeFrom(input)) return false;
  } else {
    uint64_t delta = 0;
    if (!GetVarint64(input, &delta)) return false;
    value->handle.size = previous->size + static_cast<uint64_t>(UnZigZag(delta));
    value->handle.offset = previous->offset + previous->size + kBlockTrailerSize;
  }
  value->first_internal_key = Slice();
  return !has_first_key || GetLengthPrefixed(input, &value->first_internal_key);
}

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_BLOCK_FORMAT_H_
