// CRC-32C (Castagnoli), the checksum of log records and of many blocks
// (docs/formats/sst.md, section 2.1).
//
// Stored values are masked: a CRC computed over bytes that contain CRCs is weak.
//
// Thread safety: pure functions. Cost: about 0.1 ns a byte where the processor
// helps, ten times that where it does not.

#ifndef SKARN_CORE_BASE_CRC32C_H_
#define SKARN_CORE_BASE_CRC32C_H_

#include <cstddef>
#include <cstdint>

#include "core/base/slice.h"

namespace skarn::crc32c {

// The CRC of some bytes followed by `data`, given the CRC of those first bytes.
uint32_t Extend(uint32_t crc, const char* data, size_t size);

inline uint32_t Value(const char* data, size_t size) { return Extend(0, data, size); }
inline uint32_t Value(Slice data) { return Extend(0, data.data(), data.size()); }

// The CRC of two runs of bytes one after the other, from the CRC of each.
uint32_t Combine(uint32_t first, uint32_t second, uint64_t second_size);

inline constexpr uint32_t kMaskDelta = 0xA282EAD8u;

// What is stored in files for `crc`.
constexpr uint32_t Mask(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + kMaskDelta; }
constexpr uint32_t Unmask(uint32_t masked) {
  const uint32_t rotated = masked - kMaskDelta;
  return (rotated >> 17) | (rotated << 15);
}

// The body without special instructions, for tests and for other processors.
uint32_t ExtendPortable(uint32_t crc, const char* data, size_t size);

}  // namespace skarn::crc32c

#endif  // SKARN_CORE_BASE_CRC32C_H_
