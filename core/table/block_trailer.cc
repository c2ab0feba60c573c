#include "core/table/block_trailer.h"

#include "core/base/coding.h"

namespace skarn {

uint32_t BlockChecksum(ChecksumType type, Slice payload, uint8_t compression_type,
                       uint32_t base_context_checksum, uint64_t offset) {
  return ComputeChecksum(type, payload.data(), payload.size(), compression_type) +
         ChecksumContextModifier(base_context_checksum, offset);
}

void EncodeBlockTrailer(ChecksumType type, Slice payload, uint8_t compression_type,
                        uint32_t base_context_checksum, uint64_t offset, char* to) {
  const uint32_t checksum =
      BlockChecksum(type, payload, compression_type, base_context_checksum, offset);
  to[0] = static_cast<char>(compression_type);
  EncodeFixed32(to + 1, checksum);
}

bool BlockTrailerMatches(ChecksumType type, const char* block, size_t payload_size,
                         uint32_t base_context_checksum, uint64_t offset) {
  const char* trailer = block + payload_size;
  return DecodeFixed32(trailer + 1) == BlockChecksum(type, Slice(block, payload_size),
                                                     static_cast<uint8_t>(trailer[0]),
                                                     base_context_checksum, offset);
}

Status VerifyBlockTrailer(ChecksumType type, const char* block, size_t payload_size,
                          uint32_t base_context_checksum, uint64_t offset,
                          const std::string& file_name) {
  if (BlockTrailerMatches(type, block, payload_size, base_context_checksum, offset)) {
    return Status::Ok();
  }
  const char* trailer = block + payload_size;
  const uint32_t modifier = ChecksumContextModifier(base_context_checksum, offset);
  const uint32_t stored = DecodeFixed32(trailer + 1) - modifier;
  const uint32_t computed =
      BlockChecksum(type, Slice(block, payload_size), static_cast<uint8_t>(trailer[0]), 0, offset);
  return Status::Corruption(
      Concat("block checksum mismatch: stored", modifier == 0 ? "" : "(context removed)", " = ",
             stored, ", computed = ", computed, ", type = ", static_cast<uint32_t>(type), "  in ",
             file_name, " offset ", offset, " size ", payload_size));
}

}  // namespace skarn
