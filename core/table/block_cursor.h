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
#include "core/key/key_bytes.h"
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
  // Steps that come all the same lead nowhere.
  void Clear() {
    data_ = limit_ = quick_limit_ = entry_ = next_ = nullptr;
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

  // Next() for the usual case: the next entry has the usual form, no timestamp, and another
  // user key than this one. False: nothing has changed, and Next() tells what comes.
  bool NextOtherKey() {
    const char* const at = next_;
    if (SKARN_UNLIKELY(at >= quick_limit_ || back_ >= 0)) return false;
    __builtin_prefetch(at + kAheadBytes);
    __builtin_prefetch(at + kAheadBytes + 64);
    uint32_t shared, fresh, value_size;
    const char* key;
    if (!DecodeUsualHead(at, &shared, &fresh, &value_size, &key)) return false;
    const char* const value = key + fresh;
    char* const buffer = key_;
    const uint32_t user_size = key_size_ - static_cast<uint32_t>(kTagSize);
    if (SKARN_UNLIKELY(fresh < kTagSize || value + value_size > quick_limit_)) return false;
    // Bytes that differ behind what the keys share: two keys. So it is but for restarts.
    if (SKARN_UNLIKELY(shared >= user_size || buffer[shared] == *key) &&
        (shared > user_size || IsSameKey(shared, key, fresh))) {
      return false;
    }
    uint64_t stored;
    memcpy(&stored, value - kTagSize, kTagSize);
    entry_ = at;
    next_ = value + value_size;
    value_ = value;
    value_size_ = value_size;
    key_size_ = shared + fresh;
    key_in_block_ = shared == 0 ? key : nullptr;
    tag_ = flavour_.Tag(stored);
    user_key_ = Slice(buffer, shared + fresh - kTagSize);
    memcpy(buffer + shared, key, 16);
    if (SKARN_UNLIKELY(fresh > 16 + kTagSize)) memcpy(buffer + shared + 16, key + 16, fresh - 16);
    memcpy(buffer + shared + fresh - kTagSize, &stored, kTagSize);
    return true;
  }
  // Asks for what the steps after a search read.
  void PrefetchAhead() const {
    for (size_t at = 64; at <= kAheadBytes; at += 64) __builtin_prefetch(entry_ + at);
  }
  // The same backward: the entry before has another user key than both its neighbours.
  bool PrevOtherKey() {
    if (SKARN_UNLIKELY(back_ < 2) && !LookBack(2)) return false;
    if (SKARN_UNLIKELY(IsSameKeyBefore(back_ - 1))) return false;
    --back_;
    PublishRemembered();
    return true;
  }
  // Whether the entry before is in this block and known to have another user key. The slices of
  // the current entry may move.
  bool HasOtherKeyBefore() { return (back_ >= 1 || LookBack(1)) && !IsSameKeyBefore(back_); }

 private:
  static constexpr size_t kInlineKeyBytes = 320;
  static constexpr size_t kAheadBytes = 512;  // What is read soon is asked for early.
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
  // The head of an entry of the usual form in the plain layout; `*key` is what follows it. False
  // for other forms. Nothing is compared with the block's end but that four bytes are there.
  [[gnu::always_inline]] static bool DecodeUsualHead(const char* at, uint32_t* shared,
                                                     uint32_t* fresh, uint32_t* value_size,
                                                     const char** key) {
    uint32_t head;
    memcpy(&head, at, sizeof(head));  // See Step().
    *shared = head & 0xff;
    *fresh = (head >> 8) & 0xff;
    *value_size = (head >> 16) & 0xff;
    *key = at + 3;
    if (SKARN_UNLIKELY((head & 0x808080) != 0)) {
      // Only a value size of two bytes is usual, too.
      if ((head & 0x80008080) != 0) return false;
      *value_size = (*value_size & 0x7f) | ((head >> 24) << 7);
      ++*key;
    }
    return true;
  }

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
  void PublishRemembered() {
    const Remembered& item = remembered_[static_cast<size_t>(back_)];
    const char* key = remembered_keys_.get() + item.key_offset;
    const size_t size = item.key_size - kTagSize;
    valid_ = true;
    tag_ = flavour_.Tag(DecodeFixed64(key + size));
    user_key_ = Slice(key, size);
    value_ = item.value;
    value_size_ = item.value_size;
    key_in_block_ = item.key_in_block;
    entry_ = item.entry;
    if (SKARN_UNLIKELY(flavour_.stripped_timestamp != 0)) PadKey();
  }
  // Remembers the entries from a restart up to `end`; the last becomes the current one. False
  // when the block is damaged.
  bool Remember(uint32_t restart, const char* end);
  // The part of it that is for entries of the usual form, as far as they are.
  void RememberQuickly(const char* end);
  char* RoomForKey(size_t size);
  // The last restart before an entry; false when it is the block's first.
  bool FindRestartBefore(const char* entry, uint32_t* restart);
  // Remembers at least `count` entries before the current one as well. False: there are not so
  // many in the block, or it is not of the usual form, or damaged, and the cursor not valid.
  [[gnu::noinline]] bool LookBack(int32_t count);
  // Whether the entry at next_, which takes `shared` bytes of the current key and has `fresh`
  // bytes at `key`, is of the same user key.
  bool IsSameKey(uint32_t shared, const char* key, uint32_t fresh) const {
    return shared + fresh == key_size_ && SameBytes(key_ + shared, key, fresh - kTagSize);
  }
  // Whether the remembered entry `i` has the same user key as the one before it.
  bool IsSameKeyBefore(int32_t i) const {
    const Remembered& item = remembered_[static_cast<size_t>(i)];
    const Remembered& before = remembered_[static_cast<size_t>(i) - 1];
    const char* const keys = remembered_keys_.get();
    return item.key_size == before.key_size &&
           SameBytes(keys + item.key_offset, keys + before.key_offset, item.key_size - kTagSize);
  }

  // The block.
  const char* data_ = nullptr;
  const char* limit_ = nullptr;  // Where entries end.
  // The same when entries may be of the usual form and keys are without timestamps; else null.
  const char* quick_limit_ = nullptr;
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
  std::unique_ptr<char[]> remembered_keys_;
  size_t remembered_size_ = 0;
  size_t remembered_capacity_ = 0;

  std::unique_ptr<char[]> key_heap_;
  std::unique_ptr<char[]> padded_key_;
  size_t padded_capacity_ = 0;
  char key_inline_[kInlineKeyBytes];
};

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_BLOCK_CURSOR_H_
