// Internal keys: what the engine stores for each version of a user key.
//
// In memory a version is three fields: user key, sequence number, kind. The packed
// form exists in files and batches only:
//
//   user key bytes | fixed64 tag      tag = sequence << 8 | kind
//
// Order: user key ascending (by the column family's comparator), then tag
// descending, so the newest version of a key comes first.
//
// Thread safety: plain values and pure functions.

#ifndef SKARN_CORE_KEY_INTERNAL_KEY_H_
#define SKARN_CORE_KEY_INTERNAL_KEY_H_

#include <cassert>
#include <cstdint>
#include <cstring>
#include <string>

#include "core/base/coding.h"
#include "core/base/slice.h"
#include "core/plugin/comparator.h"

namespace skarn {

using SequenceNumber = uint64_t;

// Sequence numbers have 56 bits.
inline constexpr SequenceNumber kMaxSequenceNumber = (uint64_t{1} << 56) - 1;
inline constexpr size_t kTagSize = 8;

// Stored on disk: never renumber, never reuse. Kinds that only batches hold are in
// core/batch/batch_format.h.
enum class EntryKind : uint8_t {
  kDeletion = 0x00,
  kValue = 0x01,
  kMerge = 0x02,
  kSingleDeletion = 0x07,
  kRangeDeletion = 0x0F,
  kBlobIndex = 0x11,
  kDeletionWithTimestamp = 0x14,
  kWideColumnEntity = 0x16,
  kValuePreferredSequence = 0x18,  // Value with a write time: see core/batch.
  kMax = 0x7F,
};

// The kind that sorts first among versions with one sequence number; seeks use it.
inline constexpr EntryKind kKindForSeek = EntryKind::kValuePreferredSequence;
inline constexpr EntryKind kKindForSeekForPrev = EntryKind::kDeletion;

// Whether `kind` may stand in a table's data blocks or range-deletion block.
bool IsStoredKind(uint8_t kind);

inline constexpr uint64_t PackTag(SequenceNumber sequence, EntryKind kind) {
  return (sequence << 8) | static_cast<uint8_t>(kind);
}
inline constexpr SequenceNumber TagSequence(uint64_t tag) { return tag >> 8; }
inline constexpr EntryKind TagKind(uint64_t tag) { return static_cast<EntryKind>(tag & 0xff); }
inline constexpr uint64_t kMaxTag = PackTag(kMaxSequenceNumber, EntryKind::kMax);
// The newest tag that a reader at `sequence` may see, for seeking.
inline constexpr uint64_t SeekTag(SequenceNumber sequence) {
  return PackTag(sequence, kKindForSeek);
}

struct InternalKey {
  Slice user_key;  // With its timestamp, where the comparator has them.
  uint64_t tag = 0;

  SequenceNumber sequence() const { return TagSequence(tag); }
  EntryKind kind() const { return TagKind(tag); }
};

// Splits a packed key. False when it is shorter than a tag; the kind is not checked.
inline bool ParsePackedKey(Slice packed, InternalKey* key) {
  if (packed.size() < kTagSize) return false;
  key->user_key = Slice(packed.data(), packed.size() - kTagSize);
  key->tag = DecodeFixed64(packed.data() + key->user_key.size());
  return true;
}
inline void AppendPackedKey(std::string* to, Slice user_key, uint64_t tag) {
  to->append(user_key.data(), user_key.size());
  PutFixed64(to, tag);
}
inline std::string PackKey(Slice user_key, uint64_t tag) {
  std::string packed;
  packed.reserve(user_key.size() + kTagSize);
  AppendPackedKey(&packed, user_key, tag);
  return packed;
}
// Precondition: packed.size() >= kTagSize.
inline Slice PackedUserKey(Slice packed) {
  assert(packed.size() >= kTagSize);
  return Slice(packed.data(), packed.size() - kTagSize);
}
inline uint64_t PackedTag(Slice packed) {
  assert(packed.size() >= kTagSize);
  return DecodeFixed64(packed.end() - kTagSize);
}
// "'<hex user key>' seq:<n>, type:<n>", the shape that logs and properties show.
std::string DescribePackedKey(Slice packed);

// The first 8 bytes of `key` from `skip` on, big-endian, zero-padded: integers that
// order like the bytes. Equal prefixes never prove equal keys.
inline uint64_t KeyPrefix(Slice key, size_t skip) {
  uint64_t prefix = 0;
  if (key.size() >= skip + sizeof(prefix)) {
    memcpy(&prefix, key.data() + skip, sizeof(prefix));
    return __builtin_bswap64(prefix);
  }
  if (key.size() <= skip) return 0;
  const size_t rest = key.size() - skip;
  if (key.size() >= sizeof(prefix)) {
    // The key's last bytes, moved up.
    memcpy(&prefix, key.data() + key.size() - sizeof(prefix), sizeof(prefix));
    return __builtin_bswap64(prefix) << (8 * (sizeof(prefix) - rest));
  }
  for (size_t i = 0; i < rest; ++i) {
    prefix |= uint64_t{static_cast<uint8_t>(key.data()[skip + i])} << (56 - 8 * i);
  }
  return prefix;
}

// KeyOrder compares user keys and internal keys of one column family. The built-in
// bytewise order is inline; others cost one virtual call.
//
// Thread safety: any thread.
class KeyOrder {
 public:
  explicit KeyOrder(const Comparator* comparator)
      : comparator_(comparator),
        timestamp_size_(comparator->timestamp_size()),
        bytewise_(comparator->kind() == Comparator::Kind::kBytewise &&
                  comparator->timestamp_size() == 0) {}

  const Comparator* comparator() const { return comparator_; }
  bool bytewise() const { return bytewise_; }
  size_t timestamp_size() const { return timestamp_size_; }

  // User keys, with their timestamps.
  int CompareUser(Slice a, Slice b) const {
    return bytewise_ ? a.Compare(b) : comparator_->Compare(a, b);
  }
  // User keys, timestamps present in both but not looked at.
  int CompareUserWithoutTimestamp(Slice a, Slice b) const {
    return bytewise_ ? a.Compare(b) : comparator_->CompareWithoutTimestamp(a, true, b, true);
  }
  // User keys that have no timestamp on them, whatever the comparator's size is.
  int CompareStripped(Slice a, Slice b) const {
    if (bytewise_) return a.Compare(b);
    return timestamp_size() == 0 ? comparator_->Compare(a, b)
                                 : comparator_->CompareWithoutTimestamp(a, false, b, false);
  }
  int Compare(Slice a_user, uint64_t a_tag, Slice b_user, uint64_t b_tag) const {
    const int order = CompareUser(a_user, b_user);
    if (order != 0) return order;
    return a_tag > b_tag ? -1 : (a_tag < b_tag ? 1 : 0);
  }
  int Compare(const InternalKey& a, const InternalKey& b) const {
    return Compare(a.user_key, a.tag, b.user_key, b.tag);
  }
  // Packed keys of at least kTagSize bytes each.
  int ComparePacked(Slice a, Slice b) const {
    return Compare(PackedUserKey(a), PackedTag(a), PackedUserKey(b), PackedTag(b));
  }
  Slice StripTimestamp(Slice user_key) const {
    return Slice(user_key.data(), user_key.size() - timestamp_size());
  }
  // The last timestamp_size() bytes; empty without timestamps.
  Slice TimestampOf(Slice user_key) const {
    return Slice(user_key.end() - timestamp_size(), timestamp_size());
  }

 private:
  const Comparator* comparator_;
  size_t timestamp_size_;
  bool bytewise_;
};

}  // namespace skarn

#endif  // SKARN_CORE_KEY_INTERNAL_KEY_H_
