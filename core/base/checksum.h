// The checksum kinds that table files, blob files and backups name by number
// (docs/formats/sst.md, section 4.3).
//
// Thread safety: pure functions.

#ifndef SKARN_CORE_BASE_CHECKSUM_H_
#define SKARN_CORE_BASE_CHECKSUM_H_

#include <cstddef>
#include <cstdint>

namespace skarn {

// Stored on disk: never renumber, never reuse.
enum class ChecksumType : uint8_t {
  kNone = 0,
  kCrc32c = 1,
  kXxHash = 2,
  kXxHash64 = 3,
  kXxh3 = 4,
};

inline bool IsKnownChecksum(uint8_t type) {
  return type <= static_cast<uint8_t>(ChecksumType::kXxh3);
}

// The checksum of `size` bytes followed by the byte `last`, without a context modifier.
// `data` and `last` need not be neighbours.
uint32_t ComputeChecksum(ChecksumType type, const char* data, size_t size, uint8_t last);

// The checksum of `size` bytes; the last of them plays the part of `last`.
uint32_t ComputeChecksum(ChecksumType type, const char* data, size_t size);

}  // namespace skarn

#endif  // SKARN_CORE_BASE_CHECKSUM_H_
