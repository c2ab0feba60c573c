// The record of one version of a key in a memtable.
//
//   offset  bytes  field
//   0       4      older      reference of the next older version, 0 none; changes
//   4       1-5    key size   varint32
//   ..             user key   with its timestamp, where the comparator has them
//   ..      8      tag        sequence << 8 | kind
//   ..      1-5    value size varint32
//   ..             value
//   ..      0-8    check      checksum of all but `older`, when the options ask for it
//   ..      0-3    padding    records begin at multiples of 4
//
// All but `older` is written before the record is published and never changes, except
// values under in-place updates, which a lock guards (memtable.cc).
//
// Thread safety: pure functions; `older` is atomic.

#ifndef SKARN_CORE_MEMTABLE_RECORD_H_
#define SKARN_CORE_MEMTABLE_RECORD_H_

#include <atomic>
#include <cstdint>
#include <cstring>

#include "core/base/coding.h"
#include "core/base/slice.h"
#include "core/key/internal_key.h"
#include "core/key/key_bytes.h"

namespace skarn {

// Where a record is: its distance in units of 4 bytes (record_store.h). 0 is none.
using RecordRef = uint32_t;
inline constexpr size_t kRecordUnit = 4;
inline constexpr size_t kRecordLinkSize = 4;

// Records are written by us alone, so their lengths are trusted.
inline const char* DecodeRecordSize(const char* from, uint32_t* size) {
  const auto byte = static_cast<uint8_t>(*from);
  if (byte < 0x80) {
    *size = byte;
    return from + 1;
  }
  return DecodeVarint32Slow(from, from + kMaxVarint32Size, size);
}

inline size_t RecordSize(size_t key_size, size_t value_size, size_t check_size) {
  size_t size = kRecordLinkSize + key_size + kTagSize + value_size + check_size;
  size += (key_size | value_size) < 0x80 ? 2 : VarintSize(key_size) + VarintSize(value_size);
  return (size + kRecordUnit - 1) & ~(kRecordUnit - 1);
}

inline void WriteRecord(char* to, Slice user_key, uint64_t tag, Slice value) {
  memset(to, 0, kRecordLinkSize);
  to = EncodeVarint32(to + kRecordLinkSize, static_cast<uint32_t>(user_key.size()));
  CopyKeyBytes(to, user_key.data(), user_key.size());
  to += user_key.size();
  EncodeFixed64(to, tag);
  to = EncodeVarint32(to + kTagSize, static_cast<uint32_t>(value.size()));
  if (!value.empty()) memcpy(to, value.data(), value.size());
}

inline std::atomic_ref<uint32_t> RecordOlder(const char* record) {
  return std::atomic_ref<uint32_t>(*reinterpret_cast<uint32_t*>(const_cast<char*>(record)));
}

// The key and what follows it: enough to order records.
struct RecordKey {
  Slice user_key;
  uint64_t tag;
  const char* rest;  // The value size.
};
inline RecordKey ReadRecordKey(const char* record) {
  uint32_t size = 0;
  const char* key = DecodeRecordSize(record + kRecordLinkSize, &size);
  return {Slice(key, size), DecodeFixed64(key + size), key + size + kTagSize};
}
inline Slice ReadRecordValue(const char* rest) {
  uint32_t size = 0;
  const char* value = DecodeRecordSize(rest, &size);
  return Slice(value, size);
}
// The byte after the record whose key was read, its padding included.
inline const char* RecordEnd(const char* record, const RecordKey& key, size_t check_size) {
  const Slice value = ReadRecordValue(key.rest);
  const auto size = static_cast<size_t>(value.end() - record) + check_size;
  return record + ((size + kRecordUnit - 1) & ~(kRecordUnit - 1));
}
inline const char* RecordEnd(const char* record, size_t check_size) {
  return RecordEnd(record, ReadRecordKey(record), check_size);
}

}  // namespace skarn

#endif  // SKARN_CORE_MEMTABLE_RECORD_H_
