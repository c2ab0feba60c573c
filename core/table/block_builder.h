// BlockBuilder writes one block of keys and values (block_format.h) into a buffer that
// it reuses from block to block.
//
// Keys are added in the order the block is to have them; the builder does not compare.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_TABLE_BLOCK_BUILDER_H_
#define SKARN_CORE_TABLE_BLOCK_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "core/base/coding.h"
#include "core/base/cpu.h"
#include "core/base/large_memory.h"
#include "core/base/slice.h"
#include "core/table/block_format.h"

namespace skarn {

// How many of the first `limit` bytes at `a` and `b` are equal. Both may be read up to
// `limit`, no further.
inline size_t CommonPrefix(const char* a, const char* b, size_t limit) {
  size_t i = 0;
  for (; i + 8 <= limit; i += 8) {
    const uint64_t difference = DecodeFixed64(a + i) ^ DecodeFixed64(b + i);
    if (difference != 0) return i + static_cast<size_t>(__builtin_ctzll(difference) >> 3);
  }
  while (i < limit && a[i] == b[i]) ++i;
  return i;
}

// A buffer that grows and always has kPadding bytes to spare after `size()`.
class BlockBuffer {
 public:
  static constexpr size_t kPadding = 32;

  BlockBuffer() = default;
  BlockBuffer(BlockBuffer&&) noexcept = default;
  BlockBuffer& operator=(BlockBuffer&&) noexcept = default;

  char* data() { return data_.get(); }
  const char* data() const { return data_.get(); }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  Slice slice() const { return Slice(data_.get(), size_); }
  void Clear() { size_ = 0; }

  // Room for `more` bytes and the padding; returns where they go. Commit with Advance().
  char* Reserve(size_t more) {
    if (SKARN_UNLIKELY(size_ + more + kPadding > capacity_)) Grow(more);
    return data_.get() + size_;
  }
  void Advance(size_t count) { size_ += count; }
  void AdvanceTo(const char* end) { size_ = static_cast<size_t>(end - data_.get()); }
  void Append(const char* bytes, size_t count) {
    char* to = Reserve(count);
    if (count != 0) memcpy(to, bytes, count);
    size_ += count;
  }

 private:
  void Grow(size_t more);

  LargeBytes data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

class BlockBuilder {
 public:
  struct Options {
    uint32_t restart_interval = 16;
    bool delta_keys = true;     // False: every key is stored whole.
    bool delta_values = false;  // Index blocks: values without a size, see AddIndexEntry().
    bool separated = false;     // Values in a run of their own.
    bool hash_index = false;    // Data blocks only.
    double hash_util_ratio = 0.75;
    // Index blocks: mark the block when its keys are spread more evenly than this;
    // negative: never.
    double uniform_cv_threshold = -1;
    size_t expected_bytes = 4096;
  };

  explicit BlockBuilder(const Options& options);

  // Adds a key and its value.
  void Add(Slice key, Slice value);
  // Adds an internal key. With a hash index, `user_key` is what is hashed.
  //
  // `shared` is how many bytes it has in common with the user key of last_key(), when
  // that is less than either has; else, or when it is not known, kUnknownShared.
  static constexpr size_t kUnknownShared = SIZE_MAX;
  void Add(Slice user_key, uint64_t tag, Slice value, size_t shared = kUnknownShared);
  // For delta_values: `full` goes in where the key is stored whole, `delta` elsewhere.
  // `whole_key` forces the former.
  void AddIndexEntry(Slice key, Slice full, Slice delta, bool whole_key);

  bool empty() const { return entry_count_ == 0; }
  uint64_t entry_count() const { return entry_count_; }
  // The key added last, packed; survives Reset(). Valid until the next Add().
  Slice last_key() const { return Slice(last_key_.get(), last_key_size_); }

  // Size of the payload if it were finished now.
  size_t EstimatedSize() const { return estimate_ + (hash_valid_ ? HashIndexSize() : 0); }
  // With one more entry; an upper bound is kEntryOverheadMax more than now with its bytes.
  static constexpr size_t kEntryOverheadMax = 4 + 2 * kMaxVarint64Size + 4;
  size_t EstimatedSizeAfter(size_t key_size, size_t value_size) const {
    return EstimatedSize() + key_size + value_size + 4 + VarintSize(key_size) +
           VarintSize(value_size) + (run_count_ >= options_.restart_interval ? 4 : 0);
  }

  // Completes the block. The payload stays valid until Reset() and is followed by room
  // for a block trailer, which the caller may write.
  Slice Finish();
  char* MutablePayload() { return buffer_.data(); }
  // After Finish(): whether the block was marked as uniform.
  bool uniform() const { return uniform_; }

  // Begins the next block.
  void Reset();

 private:
  // Writes the entry's head. Its key is in last_key_; `shared` bytes of it are those of
  // the key before. Returns where the key's `*fresh` last bytes go; the caller advances
  // the buffer, for which there is room with the value.
  char* BeginEntry(size_t shared, size_t value_size, size_t* fresh);
  // The same for an entry with a key and a value.
  void AppendEntry(size_t shared, Slice value);
  // Puts a key into last_key_ and returns how much it shares with the one before.
  size_t TakeKey(Slice key);
  void NoteHash(Slice user_key);
  size_t HashIndexSize() const {
    return sizeof(uint16_t) + ((static_cast<size_t>(bucket_count_) & 0xffff) | 1);
  }
  void AppendHashIndex();
  bool MeasureUniform() const;
  void GrowKeys(size_t size);

  const Options options_;
  const size_t fixed_bytes_;
  BlockBuffer buffer_;  // Entries; after Finish() the payload.
  BlockBuffer values_;  // Only with `separated`.
  std::vector<uint32_t> restarts_;
  size_t estimate_ = 0;     // Size of the payload without a hash index.
  uint32_t run_count_ = 0;  // Entries since the last restart.
  uint64_t entry_count_ = 0;

  // The last key, followed by BlockBuffer::kPadding bytes.
  std::unique_ptr<char[]> last_key_;
  size_t key_capacity_ = 0;
  size_t last_key_size_ = 0;
  std::unique_ptr<char[]> packed_;  // Where a key is put together; as large as last_key_.

  // Hash index: one hash and restart index for each entry.
  struct HashedEntry {
    uint32_t hash;
    uint8_t restart;
  };
  std::vector<HashedEntry> hashes_;
  double bucket_count_ = 0;
  double buckets_per_entry_ = 0;
  bool hash_valid_ = false;
  bool uniform_ = false;
};

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_BLOCK_BUILDER_H_
