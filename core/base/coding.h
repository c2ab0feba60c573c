// Fixed-width and variable-width integers as the files hold them.
//
//   fixed32, fixed64   little-endian
//   varint32, varint64 seven bits a byte, low bits first, high bit set on all
//                      bytes but the last (5 and 10 bytes at most)
//   length-prefixed    varint32 length, then that many bytes
//
// The Get functions consume from the front of `*input`; on false, `*input` is in
// an unspecified state and nothing was written past its end.
//
// Thread safety: pure functions.

#ifndef SKARN_CORE_BASE_CODING_H_
#define SKARN_CORE_BASE_CODING_H_

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>

#include "core/base/slice.h"

namespace skarn {

static_assert(std::endian::native == std::endian::little, "byte order is not converted");

inline constexpr size_t kMaxVarint32Size = 5;
inline constexpr size_t kMaxVarint64Size = 10;

inline void EncodeFixed16(char* to, uint16_t value) { memcpy(to, &value, sizeof(value)); }
inline void EncodeFixed32(char* to, uint32_t value) { memcpy(to, &value, sizeof(value)); }
inline void EncodeFixed64(char* to, uint64_t value) { memcpy(to, &value, sizeof(value)); }

inline uint16_t DecodeFixed16(const char* from) {
  uint16_t value;
  memcpy(&value, from, sizeof(value));
  return value;
}
inline uint32_t DecodeFixed32(const char* from) {
  uint32_t value;
  memcpy(&value, from, sizeof(value));
  return value;
}
inline uint64_t DecodeFixed64(const char* from) {
  uint64_t value;
  memcpy(&value, from, sizeof(value));
  return value;
}

inline void PutFixed16(std::string* to, uint16_t value) {
  to->append(reinterpret_cast<const char*>(&value), sizeof(value));
}
inline void PutFixed32(std::string* to, uint32_t value) {
  to->append(reinterpret_cast<const char*>(&value), sizeof(value));
}
inline void PutFixed64(std::string* to, uint64_t value) {
  to->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// Writes at most kMaxVarint64Size bytes and returns the byte after the last.
inline char* EncodeVarint64(char* to, uint64_t value) {
  auto* out = reinterpret_cast<uint8_t*>(to);
  while (value >= 0x80) {
    *out++ = static_cast<uint8_t>(value | 0x80);
    value >>= 7;
  }
  *out++ = static_cast<uint8_t>(value);
  return reinterpret_cast<char*>(out);
}
inline char* EncodeVarint32(char* to, uint32_t value) { return EncodeVarint64(to, value); }

inline void PutVarint64(std::string* to, uint64_t value) {
  char buffer[kMaxVarint64Size];
  to->append(buffer, EncodeVarint64(buffer, value) - buffer);
}
inline void PutVarint32(std::string* to, uint32_t value) { PutVarint64(to, value); }

inline size_t VarintSize(uint64_t value) {
  return (static_cast<size_t>(std::bit_width(value | 1)) + 6) / 7;
}

inline void PutLengthPrefixed(std::string* to, Slice value) {
  PutVarint32(to, static_cast<uint32_t>(value.size()));
  to->append(value.data(), value.size());
}

// Both return the byte after the number, or nullptr when it is cut short or too
// long for its type.
const char* DecodeVarint64Slow(const char* from, const char* limit, uint64_t* value);
inline const char* DecodeVarint64(const char* from, const char* limit, uint64_t* value) {
  if (from < limit) {
    const auto byte = static_cast<uint8_t>(*from);
    if (byte < 0x80) {
      *value = byte;
      return from + 1;
    }
  }
  return DecodeVarint64Slow(from, limit, value);
}
const char* DecodeVarint32Slow(const char* from, const char* limit, uint32_t* value);
inline const char* DecodeVarint32(const char* from, const char* limit, uint32_t* value) {
  if (from < limit) {
    const auto byte = static_cast<uint8_t>(*from);
    if (byte < 0x80) {
      *value = byte;
      return from + 1;
    }
  }
  return DecodeVarint32Slow(from, limit, value);
}

inline bool GetFixed16(Slice* input, uint16_t* value) {
  if (input->size() < sizeof(*value)) return false;
  *value = DecodeFixed16(input->data());
  input->RemovePrefix(sizeof(*value));
  return true;
}
inline bool GetFixed32(Slice* input, uint32_t* value) {
  if (input->size() < sizeof(*value)) return false;
  *value = DecodeFixed32(input->data());
  input->RemovePrefix(sizeof(*value));
  return true;
}
inline bool GetFixed64(Slice* input, uint64_t* value) {
  if (input->size() < sizeof(*value)) return false;
  *value = DecodeFixed64(input->data());
  input->RemovePrefix(sizeof(*value));
  return true;
}
inline bool GetVarint32(Slice* input, uint32_t* value) {
  const char* next = DecodeVarint32(input->data(), input->end(), value);
  if (next == nullptr) return false;
  *input = Slice(next, static_cast<size_t>(input->end() - next));
  return true;
}
inline bool GetVarint64(Slice* input, uint64_t* value) {
  const char* next = DecodeVarint64(input->data(), input->end(), value);
  if (next == nullptr) return false;
  *input = Slice(next, static_cast<size_t>(input->end() - next));
  return true;
}
inline bool GetLengthPrefixed(Slice* input, Slice* value) {
  uint32_t size = 0;
  if (!GetVarint32(input, &size) || input->size() < size) return false;
  *value = Slice(input->data(), size);
  input->RemovePrefix(size);
  return true;
}

}  // namespace skarn

#endif  // SKARN_CORE_BASE_CODING_H_
