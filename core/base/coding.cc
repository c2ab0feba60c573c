#include "core/base/coding.h"

namespace skarn {

const char* DecodeVarint64Slow(const char* from, const char* limit, uint64_t* value) {
  uint64_t result = 0;
  for (unsigned shift = 0; shift <= 63 && from < limit; shift += 7) {
    const uint64_t byte = static_cast<uint8_t>(*from++);
    result |= (byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) {
      *value = result;
      return from;
    }
  }
  return nullptr;
}

const char* DecodeVarint32Slow(const char* from, const char* limit, uint32_t* value) {
  uint32_t result = 0;
  for (unsigned shift = 0; shift <= 28 && from < limit; shift += 7) {
    const uint32_t byte = static_cast<uint8_t>(*from++);
    result |= (byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) {
      *value = result;
      return from;
    }
  }
  return nullptr;
}

}  // namespace skarn
