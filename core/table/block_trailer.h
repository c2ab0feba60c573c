// The five bytes after every block of a block-based table.
//
//   offset  bytes  field
//   0       1      how the payload is compressed (CompressionType)
//   1       4      checksum, little-endian: of payload and type byte, by the file's
//                  ChecksumType, plus the context modifier
//
// The context modifier (format_version 6 and later) makes the checksum depend on where
// the block lies, so a block read from the wrong place or the wrong file is noticed.
//
// Thread safety: pure functions.

#ifndef SKARN_CORE_TABLE_BLOCK_TRAILER_H_
#define SKARN_CORE_TABLE_BLOCK_TRAILER_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/checksum.h"
#include "core/base/slice.h"
#include "core/base/status.h"

namespace skarn {

inline constexpr size_t kBlockTrailerSize = 5;

// What is added to the checksum of a block at `offset`. `base` is the footer's
// base_context_checksum, 0 before format_version 6.
inline uint32_t ChecksumContextModifier(uint32_t base, uint64_t offset) {
  if (base == 0) return 0;
  return base ^ (static_cast<uint32_t>(offset) + static_cast<uint32_t>(offset >> 32));
}

// The stored checksum of a block.
uint32_t BlockChecksum(ChecksumType type, Slice payload, uint8_t compression_type,
                       uint32_t base_context_checksum, uint64_t offset);

// Writes the trailer, kBlockTrailerSize bytes. `to` may directly follow the payload.
void EncodeBlockTrailer(ChecksumType type, Slice payload, uint8_t compression_type,
                        uint32_t base_context_checksum, uint64_t offset, char* to);

// Whether the trailer at `block + payload_size` belongs to the payload at `block`.
bool BlockTrailerMatches(ChecksumType type, const char* block, size_t payload_size,
                         uint32_t base_context_checksum, uint64_t offset);

// The same as a Status: Corruption naming `file_name`, offset, and both checksums.
Status VerifyBlockTrailer(ChecksumType type, const char* block, size_t payload_size,
                          uint32_t base_context_checksum, uint64_t offset,
                          const std::string& file_name);

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_BLOCK_TRAILER_H_
