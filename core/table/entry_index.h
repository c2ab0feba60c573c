// EntryIndex lists the entries of one data block: where each begins, and 8 bytes of its
// user key after those that all keys of the block begin with. A search compares integers
// and reads one entry, where the block alone has it decode half a restart interval.
//
// When all user keys of the block have one size and are equal after those 8 bytes too, which
// is the rule, the index tells the whole keys ("whole keys" below). Else the entry itself tells
// what is beyond them: an entry whose 8 bytes are not those of the one before has stored at
// least what follows them.
//
// Made for blocks that are read again and again, in bytewise order only. Making it decodes
// every entry and compares every length with what is there, so users need not.
//
// Thread safety: immutable once built; any thread.

#ifndef SKARN_CORE_TABLE_ENTRY_INDEX_H_
#define SKARN_CORE_TABLE_ENTRY_INDEX_H_

#include <cstdint>

#include "core/base/cpu.h"
#include "core/base/slice.h"
#include "core/key/internal_key.h"
#include "core/table/block_format.h"
#include "core/table/key_compare.h"
#include "core/table/key_flavour.h"

namespace skarn {

class alignas(uint64_t) EntryIndex {
 public:
  // Null when the block is damaged or of a kind that this does not serve, or memory is
  // exhausted. Release with Free().
  static EntryIndex* Build(Slice block, const BlockLayout& layout, const KeyFlavour& flavour);
  static void Free(EntryIndex* index);

  uint32_t count() const { return count_; }
  // Starts loading what Find() reads: all of the usual block's index.
  void Prefetch() const {
    const char* const start = reinterpret_cast<const char*>(this);
    for (size_t at = 0; at < 448; at += 64) __builtin_prefetch(start + at);
  }
  size_t memory_bytes() const { return BytesFor(count_); }

  enum class Found : uint8_t {
    kVersion,  // The entry is a version of the key.
    kAfter,    // It is the first of a later key, or there is none: count().
    kUnsure,   // Only the entries themselves can tell.
  };
  // The first entry at or after (user_key, tag). `block` is what the index was made of.
  Found Find(const char* block, Slice user_key, uint64_t tag, const KeyFlavour& flavour,
             uint32_t* entry) const {
    if (FindPrefix(block, user_key, entry) == Found::kAfter) return Found::kAfter;
    return Resolve(block, user_key, tag, flavour, entry);
  }
  // Its two steps. The first reads no entry; after kUnsure the second tells, from `*entry` on.
  Found FindPrefix(const char* block, Slice user_key, uint32_t* entry) const {
    const size_t shared = common_ < user_key.size() ? common_ : user_key.size();
    const int side = CompareCommon(block, user_key, shared);
    if (SKARN_UNLIKELY(side != 0)) {
      *entry = side < 0 ? 0 : count_;
      return Found::kAfter;
    }
    const uint64_t prefix = KeyPrefix(user_key, common_);
    const auto i = static_cast<uint32_t>(FirstAtLeast(prefixes(), count_, prefix));
    *entry = i;
    return i == count_ || prefixes()[i] != prefix ? Found::kAfter : Found::kUnsure;
  }
  Found Resolve(const char* block, Slice user_key, uint64_t tag, const KeyFlavour& flavour,
                uint32_t* entry) const {
    // A key that is the beginning of ours, or the other way around, is not told apart here.
    if (SKARN_UNLIKELY(key_size_ != user_key.size() || !whole_)) {
      return FindInEntries(block, user_key, tag, flavour, entry);
    }
    const uint64_t* const prefixes = this->prefixes();
    uint32_t i = *entry;
    const uint64_t prefix = prefixes[i];
    // The usual entry fills two lines or three, and the first tells where the value is.
    __builtin_prefetch(block + offset(i) + 64);
    __builtin_prefetch(block + offset(i) + 128);
    if (tail_ != 0) {
      const int tail_side = CompareBytes(user_key.end() - tail_, tail_,
                                         block + first_key_ + (key_size_ - tail_), tail_);
      if (SKARN_UNLIKELY(tail_side != 0)) {
        while (tail_side > 0 && i < count_ && prefixes[i] == prefix) ++i;
        *entry = i;
        return Found::kAfter;
      }
    }
    while (flavour.Tag(StoredTag(block, i)) > tag) {
      *entry = ++i;
      if (i == count_ || prefixes[i] != prefix) return Found::kAfter;
    }
    return Found::kVersion;
  }

  bool whole_keys() const { return whole_; }
  // With whole keys: the size of all user keys.
  size_t key_size() const { return key_size_; }
  uint32_t offset(uint32_t i) const { return offsets()[i]; }
  // The last restart at or before entry `i`.
  uint32_t RestartOf(const char* block, const BlockLayout& layout, uint32_t i) const;

  // The parts of an entry in place.
  struct Entry {
    const char* key = nullptr;  // `fresh` bytes that follow the shared ones.
    uint32_t shared = 0;
    uint32_t fresh = 0;
    const char* value = nullptr;
    uint32_t value_size = 0;
  };
  Entry At(const char* block, uint32_t i) const {
    const auto* p = reinterpret_cast<const uint8_t*>(block) + offsets()[i];
    Entry entry;
    entry.shared = p[0];
    entry.fresh = p[1];
    uint32_t size = p[2];
    const uint8_t* key = p + 3;
    if (SKARN_UNLIKELY(((entry.shared | entry.fresh) & 0x80) != 0)) return AtSlow(block, i);
    if ((size & 0x80) != 0) {
      if (SKARN_UNLIKELY((p[3] & 0x80) != 0)) return AtSlow(block, i);
      size = (size & 0x7f) | (uint32_t{p[3]} << 7);
      ++key;
    }
    entry.key = reinterpret_cast<const char*>(key);
    entry.value = entry.key + entry.fresh;
    entry.value_size = size;
    return entry;
  }
  // With whole keys: as stored.
  uint64_t StoredTag(const char* block, uint32_t i) const {
    const Entry entry = At(block, i);
    return DecodeFixed64(entry.value - kTagSize);
  }
  // With whole keys: writes the user key of entry `i` and returns its size. Up to 8 bytes
  // beyond it may be written, too.
  size_t CopyKey(const char* block, uint32_t i, char* to) const {
    CopyCommon(block, to);
    const uint64_t bytes = __builtin_bswap64(prefixes()[i]);
    memcpy(to + common_, &bytes, sizeof(bytes));
    if (tail_ != 0) {
      memcpy(to + (key_size_ - tail_), block + first_key_ + (key_size_ - tail_), tail_);
    }
    return key_size_;
  }

 private:
  EntryIndex() = default;
  static size_t BytesFor(uint32_t count) {
    return sizeof(EntryIndex) + count * (sizeof(uint64_t) + sizeof(uint16_t));
  }
  const uint64_t* prefixes() const { return reinterpret_cast<const uint64_t*>(this + 1); }
  const uint16_t* offsets() const { return reinterpret_cast<const uint16_t*>(prefixes() + count_); }
  [[gnu::noinline]] Entry AtSlow(const char* block, uint32_t i) const;
  // The rest of Find() from `*entry` on, the first one with the prefix of the key.
  [[gnu::noinline]] Found FindInEntries(const char* block, Slice user_key, uint64_t tag,
                                        const KeyFlavour& flavour, uint32_t* entry) const;
  // How `user_key` stands to keys with the common beginning: before, among or after.
  int CompareCommon(const char* block, Slice user_key, size_t shared) const {
    const char* common = block + first_key_;
    const size_t at = FirstDifference(common, user_key.data(), 0, shared);
    if (SKARN_UNLIKELY(at < shared)) {
      return static_cast<uint8_t>(user_key.data()[at]) < static_cast<uint8_t>(common[at]) ? -1 : 1;
    }
    return user_key.size() < common_ ? -1 : 0;
  }
  void CopyCommon(const char* block, char* to) const {
    const char* common = block + first_key_;
    size_t at = 0;
    for (; at + 8 <= common_; at += 8) memcpy(to + at, common + at, 8);
    for (; at < common_; ++at) to[at] = common[at];
  }
  uint32_t count_ = 0;      // At least 1.
  uint32_t first_key_ = 0;  // Where the first key's bytes are in the block.
  uint32_t common_ = 0;     // Bytes of it that all user keys begin with.
  uint32_t key_size_ = 0;   // Of the first user key.
  uint32_t tail_ = 0;       // With whole keys: bytes of it after the 8 that are in prefixes().
  bool whole_ = false;
};

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_ENTRY_INDEX_H_
