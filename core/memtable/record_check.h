// RecordCheck is a checksum behind each record of a memtable, for those who ask for
// it: what memory changed by itself is noticed when the record is read or flushed.
//
// Thread safety: immutable; any thread.

#ifndef SKARN_CORE_MEMTABLE_RECORD_CHECK_H_
#define SKARN_CORE_MEMTABLE_RECORD_CHECK_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/base/hash.h"
#include "core/base/slice.h"
#include "core/base/status.h"

namespace skarn {

class RecordCheck {
 public:
  // `size_bytes` of a 64-bit checksum are kept: 1, 2, 4 or 8; 0: none.
  explicit RecordCheck(size_t size_bytes) : size_bytes_(size_bytes) {}

  size_t size_bytes() const { return size_bytes_; }

  // Writes the checksum of `value` behind its copy in a record.
  void Write(Slice user_key, uint64_t tag, Slice stored_value, Slice value) const {
    const uint64_t sum = Sum(user_key, tag, value);
    memcpy(const_cast<char*>(stored_value.end()), &sum, size_bytes_);
  }
  bool Matches(Slice user_key, uint64_t tag, Slice stored_value) const {
    const uint64_t sum = Sum(user_key, tag, stored_value);
    return memcmp(stored_value.end(), &sum, size_bytes_) == 0;
  }
  static Status Mismatch() {
    return Status::Corruption(
        "Corrupted memtable entry, per key-value checksum verification failed.");
  }

 private:
  static uint64_t Sum(Slice user_key, uint64_t tag, Slice value) {
    // Differently spread, so that bytes moving from one to the other are noticed.
    return Hash64(user_key) * 0x9e3779b97f4a7c15ULL +
           (Hash64(value) ^ (tag * 0xbf58476d1ce4e5b9ULL));
  }

  const size_t size_bytes_;
};

}  // namespace skarn

#endif  // SKARN_CORE_MEMTABLE_RECORD_CHECK_H_
