// BlockHandle says where a block lies in its file.
//
//   varint64 offset | varint64 size
//
// `size` counts the stored payload, not the trailer after it (block_trailer.h). The
// handle (0, 0) is "no block".
//
// Thread safety: a plain value.

#ifndef SKARN_CORE_TABLE_BLOCK_HANDLE_H_
#define SKARN_CORE_TABLE_BLOCK_HANDLE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/coding.h"
#include "core/base/slice.h"

namespace skarn {

struct BlockHandle {
  static constexpr size_t kMaxEncodedSize = 2 * kMaxVarint64Size;

  uint64_t offset = 0;
  uint64_t size = 0;

  bool IsNull() const { return offset == 0 && size == 0; }

  // Writes at most kMaxEncodedSize bytes and returns the byte after the last.
  char* EncodeTo(char* to) const { return EncodeVarint64(EncodeVarint64(to, offset), size); }
  void AppendTo(std::string* to) const {
    char buffer[kMaxEncodedSize];
    to->append(buffer, static_cast<size_t>(EncodeTo(buffer) - buffer));
  }
  // Consumes a handle from the front of `*input`. False when it is cut short; whether
  // it lies inside the file is for the caller to check (FitsIn).
  [[nodiscard]] bool DecodeFrom(Slice* input) {
    return GetVarint64(input, &offset) && GetVarint64(input, &size);
  }
  // Whether payload and `trailer_size` bytes after it end at or before `limit`.
  bool FitsIn(uint64_t limit, uint64_t trailer_size) const {
    return offset <= limit && size <= limit - offset && trailer_size <= limit - offset - size;
  }

  friend bool operator==(const BlockHandle&, const BlockHandle&) = default;
};

// Signed numbers as varint64, small magnitudes short: 0, -1, 1, -2, ...
inline uint64_t ZigZag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
inline int64_t UnZigZag(uint64_t code) {
  return static_cast<int64_t>((code >> 1) ^ (~(code & 1) + 1));
}

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_BLOCK_HANDLE_H_
