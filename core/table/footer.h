// The last bytes of every table file: what kind of table it is, and where its
// metaindex is.
//
// format_version 0, 48 bytes:
//   offset  bytes  field
//   0       40     metaindex handle, index handle, zeroes
//   40      8      legacy magic number of the table kind
// format_version 1 to 5, 53 bytes:
//   0       1      ChecksumType
//   1       40     metaindex handle, index handle, zeroes
//   41      4      format_version
//   45      8      magic number
// format_version 6 and 7, 53 bytes:
//   0       1      ChecksumType
//   1       4      3E 00 7A 00
//   5       4      checksum of the footer with this field zero, plus the context modifier
//   9       4      base_context_checksum, never 0
//   13      4      size of the metaindex, which ends where its trailer meets the footer
//   17      16     zeroes, ignored
//   33      8      zeroes; anything else is a feature we do not know
//   41      4      format_version
//   45      8      magic number
//
// Thread safety: plain values and pure functions.

#ifndef SKARN_CORE_TABLE_FOOTER_H_
#define SKARN_CORE_TABLE_FOOTER_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/checksum.h"
#include "core/base/result.h"
#include "core/base/slice.h"
#include "core/table/block_handle.h"

namespace skarn {

inline constexpr uint64_t kBlockBasedMagic = 0x88E241B785F4CFF7u;
inline constexpr uint64_t kLegacyBlockBasedMagic = 0xDB4775248B80FB57u;
inline constexpr uint64_t kPlainTableMagic = 0x8242229663BF9564u;
inline constexpr uint64_t kLegacyPlainTableMagic = 0x4F3418EB7A8F13B8u;
inline constexpr uint64_t kCuckooTableMagic = 0x926789D0C5F17873u;

inline constexpr size_t kLegacyFooterSize = 48;
inline constexpr size_t kFooterSize = 53;
// Read this many bytes from the end of a file, or all of a shorter file.
inline constexpr size_t kFooterSizeMax = kFooterSize;

inline constexpr uint32_t kFormatVersionMax = 7;
// The oldest that is written.
inline constexpr uint32_t kFormatVersionMinWritten = 2;

// Whether payloads have the old size conventions of compressed blocks.
inline bool HasOldCompressionLayout(uint32_t format_version) { return format_version < 2; }
inline bool HasContextChecksums(uint32_t format_version) { return format_version >= 6; }
inline bool HasIndexHandleInFooter(uint32_t format_version) { return format_version < 6; }

enum class TableKind : uint8_t { kBlockBased, kPlain, kCuckoo };

struct Footer {
  TableKind kind = TableKind::kBlockBased;
  uint32_t format_version = 0;
  ChecksumType checksum = ChecksumType::kCrc32c;
  uint32_t base_context_checksum = 0;  // 0 before format_version 6, never after.
  BlockHandle metaindex;
  BlockHandle index;    // Null from format_version 6 on: the metaindex lists it.
  uint64_t offset = 0;  // Of the footer in the file.

  friend bool operator==(const Footer&, const Footer&) = default;
};

// Reads the footer at the end of `tail`, which must be the last bytes of a file of
// `file_size_bytes` bytes: kFooterSizeMax of them, or the whole of a shorter file.
// The handles are checked to lie inside the file.
//
// Errors: Corruption for damage and files that are no tables, NotSupported for a
// format_version or feature that is unknown. Both name the file.
Result<Footer> DecodeFooter(Slice tail, uint64_t file_size_bytes, const std::string& file_name);

// Appends the footer of a block-based table that begins at `footer.offset`.
// Precondition: format_version is at most kFormatVersionMax; from 6 on, the metaindex
// ends kBlockTrailerSize bytes before the footer, its size fits 32 bits, and
// base_context_checksum is not 0.
void AppendFooter(const Footer& footer, std::string* to);

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_FOOTER_H_
