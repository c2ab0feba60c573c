// DataBlockCursor walks the entries of one data block: the innermost loop of every read
// of a table. The block's bytes are not trusted: no length is used before it was compared
// with what is there.
//
// The current entry is in fields; moving is inline for the usual entry, whose key parts
// are shorter than 128 bytes and its value shorter than 16384. Going backward decodes a run of
// entries between two restarts once and then walks what it remembered.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_TABLE_BLOCK_CURSOR_H_
#define SKARN_CORE_TABLE_BLOCK_CURSOR_H_

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "core/base/cpu.h"
#include "core/base/slice.h"
#include "core/key/internal_key.h"
#include "core/table/block.h"
#include "core/table/block_format.h"
#include "core/table/entry_index.h"
#include "core/table/key_flavour.h"

namespace skarn {

class DataBlockCursor {
 public:
  DataBlockCursor() = default;
  DataBlockCursor(const DataBlockCursor&) = delete;
  DataBlockCursor& operator=(const DataBlockCursor&) = delete;

  // Not valid until the first seek. The bytes must outlive the use and be readable for
  // kBlockPadding bytes beyond their end.
  void Reset(const char* data, const BlockLayout& layout, const KeyFlavour& flavour);
  void Clear() {
    data_ = nullptr;
    Invalidate();
  }
  bool has_block() const { return data_ != nullptr; }

  bool valid() const { return valid_; }
  // Set when the block does not make sense; the cursor is then not valid.
  bool corrupt() const { return corrupt_; }

  // Preconditions for all below: valid().
  Slice user_key() const { return user_key_; }
  uint64_t tag() const { return tag_; }
  Slice value() const { return Slice(value_, value_size_); }
  // The user key inside the block, or null when it exists only in the cursor.
  const char* key_in_block() const { return key_in_block_; }

  void SeekToFirst();
  void SeekToLast();
  // To the first entry at or after (user_key, tag).
  void Seek(const KeyOrder& order, Slice user_key, uint64_t tag);
  // The same with an index of the block's entries, which is for bytewise order only.
  void SeekIndexed(const EntryIndex& entries, const KeyOrder& order, Slice user_key, uint64_t tag);
  // The same for a lookup of one user key, through the block's hash index when it has
  // one: entries of other user keys may be skipped, and the end of the block is reached
  // only when the search should go on in the next block.
  void SeekForLookup(const KeyOrder& order, Slice user_key, uint64_t tag);

  // Forward without a search: for targets known to be at or after the current entry.
  void Next() {
    if (SKARN_UNLIKELY(back_ >= 0)) return NextAfterPrev();
    if (SKARN_LIKELY(Step())) {
      Publish();
    } else {
      valid_ = false;
    }
  }
  void Prev();

 private:
  static constexpr size_t kInlineKeyBytes = 320;
  class BytewiseTarget;
  struct Remembered {
    uint32_t key_offset;  // In remembered_keys_.
    uint32_t key_size;
    const char* value;
    uint32_t value_size;
    const char* entry;
    const char* next;
    const char* key_in_block;
  };

  void Invalidate() {
    valid_ = false;
    back_ = -1;
  }
  bool Damaged() {
    corrupt_ = true;
    valid_ = false;
    return false;
  }
  bool plain() const { return !layout_.separated; }

  // Decodes the entry at next_ into key_, value_ and entry_. False at the end of the
  // entries and, with corrupt_ set, when it is damaged.
  bool Step() {
    const auto* p = reinterpret_cast<const uint8_t*>(next_);
    if (SKARN_UNLIKELY(next_ >= limit_)) return false;
    // The restart array and the packed word follow the entries, so four bytes are there.
    const uint32_t shared = p[0], fresh = p[1];
    uint32_t value_size = p[2];
    const char* key = next_ + 3;
    if (SKARN_UNLIKELY(((shared | fresh) & 0x80) != 0 || !fast_)) return StepSlow();
    if ((value_size & 0x80) != 0) {
      if ((p[3] & 0x80) != 0) return StepSlow();
      value_size = (value_size & 0x7f) | (uint32_t{p[3]} << 7);
      ++key;
    }
    if (SKARN_UNLIKELY(key + fresh + value_size > limit_ || shared > key_size_ ||
                       shared + fresh < size_min_)) {
      return Damaged();
    }
    entry_ = next_;
    // Short keys are the rule: 16 bytes are copied whatever the length is.
    memcpy(key_ + shared, key, 16);
    if (SKARN_UNLIKELY(fresh > 16)) memcpy(key_ + shared + 16, key + 16, fresh - 16);
    shared_ = shared;
    key_size_ = shared + fresh;
    key_in_block_ = shared == 0 ? key : nullptr;
    value_ = key + fresh;
    value_size_ = value_size;
    next_ = value_ + value_size;
    return true;
  }
  [[gnu::noinline]] bool StepSlow();

  // Makes the entry in key_ and value_ the current one.
  void Publish() {
    valid_ = true;
    uint64_t stored;
    memcpy(&stored, key_ + key_size_ - kTagSize, kTagSize);
    tag_ = flavour_.Tag(stored);
    user_key_ = Slice(key_, key_size_ - kTagSize);
    if (SKARN_UNLIKELY(flavour_.stripped_timestamp != 0)) PadKey();
  }
  void PadKey();
  void GrowKey(size_t size);

  // The user key and tag of the entry at restart `index`, in place. False when damaged.
  bool RestartKey(uint32_t index, Slice* user_key, uint64_t* tag);
  // Makes entry `i` the current one.
  void GoToEntry(const EntryIndex& entries, uint32_t i);
  // Positions before the entry at restart `index`.
  bool GoToRestart(uint32_t index);
  // The last restart whose key is at or before the target, or 0.
  template <bool kBytewise>
  bool FindRestart(const KeyOrder& order, Slice user_key, uint64_t tag, uint32_t* index);
  // Steps from the current position to the first entry at or after the target.
  template <bool kBytewise>
  void ScanTo(const KeyOrder& order, Slice user_key, uint64_t tag);
  // Compares a stored user key, which may lack its timestamp.
  int Compare(const KeyOrder& order, Slice stored_user_key, uint64_t tag, Slice user_key,
              uint64_t target_tag);
  void NextAfterPrev();
  void PublishRemembered();

  // The block.
  const char* data_ = nullptr;
  const char* limit_ = nullptr;  // Where entries end.
  BlockLayout layout_;
  KeyFlavour flavour_;
  uint32_t size_min_ = kTagSize;  // Of a packed key.
  bool fast_ = false;             // Entries are those of the plain layout.

  // The current entry.
  bool valid_ = false;
  bool corrupt_ = false;
  Slice user_key_;
  uint64_t tag_ = 0;
  const char* value_ = nullptr;
  uint32_t value_size_ = 0;
  const char* key_in_block_ = nullptr;

  // The packed key of the entry decoded last, without a stripped timestamp.
  char* key_ = key_inline_;
  uint32_t key_size_ = 0;
  uint32_t shared_ = 0;
  size_t key_capacity_ = kInlineKeyBytes;
  const char* entry_ = nullptr;  // Where it begins,
  const char* next_ = nullptr;   // and where the next one does.
  // Separated layout: the restart that the next entry with an offset of its own is at.
  uint32_t next_restart_ = 0;

  // Going backward: entries since the last restart, and which of them is current.
  int32_t back_ = -1;  // -1: the current entry is in key_.
  std::vector<Remembered> remembered_;
  std::vector<char> remembered_keys_;

  std::unique_ptr<char[]> key_heap_;
  std::unique_ptr<char[]> padded_key_;
  size_t padded_capacity_ = 0;
  char key_inline_[kInlineKeyBytes];
};

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_BLOCK_CURSOR_H_
