#include "core/table/footer.h"

#include <cassert>
#include <cstring>

#include "core/base/coding.h"
#include "core/table/block_trailer.h"

namespace skarn {

namespace {

constexpr size_t kHandlesSize = 40;
static_assert(2 * BlockHandle::kMaxEncodedSize == kHandlesSize);
static_assert(kLegacyFooterSize == kHandlesSize + 8);
static_assert(kFooterSize == 1 + kHandlesSize + 4 + 8);

// Offsets within the footer of format_version 1 and later.
constexpr size_t kHandlesAt = 1;
constexpr size_t kVersionAt = 41;
constexpr size_t kMagicAt = 45;
// And of format_version 6 and later.
constexpr size_t kExtendedMagicAt = 1;
constexpr size_t kChecksumAt = 5;
constexpr size_t kBaseContextAt = 9;
constexpr size_t kMetaindexSizeAt = 13;
constexpr size_t kReservedAt = 33;
constexpr char kExtendedMagic[4] = {0x3E, 0x00, 0x7A, 0x00};

uint32_t FooterChecksum(const Footer& footer, const char* bytes) {
  char copy[kFooterSize];
  memcpy(copy, bytes, kFooterSize);
  memset(copy + kChecksumAt, 0, 4);
  return ComputeChecksum(footer.checksum, copy, kFooterSize) +
         ChecksumContextModifier(footer.base_context_checksum, footer.offset);
}

Status DecodeHandles(Slice bytes, const std::string& file_name, Footer* footer) {
  Slice rest = bytes;
  if (!footer->metaindex.DecodeFrom(&rest) || !footer->index.DecodeFrom(&rest)) {
    return Status::Corruption(
        Concat("bad block handle in footer at offset ", footer->offset, " of ", file_name));
  }
  // Handles have one form, and zeroes behind them, so that no byte is without meaning.
  char again[kHandlesSize] = {};
  footer->index.EncodeTo(footer->metaindex.EncodeTo(again));
  if (memcmp(again, bytes.data(), kHandlesSize) != 0) {
    return Status::Corruption(
        Concat("damaged block handles in footer at offset ", footer->offset, " of ", file_name));
  }
  // No block is empty. This also catches a version number damaged from 6 or 7 to less:
  // what those have instead of handles begins like a handle of size 0.
  if (footer->metaindex.size == 0) {
    return Status::Corruption(
        Concat("no metaindex in footer at offset ", footer->offset, " of ", file_name));
  }
  const uint64_t trailer = footer->kind == TableKind::kBlockBased ? kBlockTrailerSize : 0;
  for (const BlockHandle& handle : {footer->metaindex, footer->index}) {
    if (handle.IsNull()) continue;
    if (!handle.FitsIn(footer->offset, trailer)) {
      return Status::Corruption(Concat("footer at offset ", footer->offset, " of ", file_name,
                                       " names a block at ", handle.offset, " of ", handle.size,
                                       " bytes, which is outside the file"));
    }
  }
  return Status::Ok();
}

// The fields from format_version 6 on. `bytes` is a whole footer.
Status DecodeExtended(const char* bytes, const std::string& file_name, Footer* footer) {
  if (memcmp(bytes + kExtendedMagicAt, kExtendedMagic, sizeof(kExtendedMagic)) != 0) {
    return Status::Corruption(Concat("bad extended magic number in footer at offset ",
                                     footer->offset, " of ", file_name));
  }
  footer->base_context_checksum = DecodeFixed32(bytes + kBaseContextAt);
  if (footer->base_context_checksum == 0) {
    return Status::Corruption(Concat("footer at offset ", footer->offset, " of ", file_name,
                                     " has a base context checksum of 0"));
  }
  const uint32_t stored = DecodeFixed32(bytes + kChecksumAt);
  const uint32_t computed = FooterChecksum(*footer, bytes);
  if (stored != computed) {
    return Status::Corruption(Concat("footer at offset ", footer->offset,
                                     " checksum mismatch: stored = ", stored,
                                     ", computed = ", computed, " in ", file_name));
  }
  if (DecodeFixed64(bytes + kReservedAt) != 0) {
    return Status::NotSupported(Concat("footer at offset ", footer->offset, " of ", file_name,
                                       " uses a feature that this release does not know"));
  }
  const uint64_t size = DecodeFixed32(bytes + kMetaindexSizeAt);
  if (size + kBlockTrailerSize > footer->offset) {
    return Status::Corruption(Concat("footer at offset ", footer->offset, " of ", file_name,
                                     " names a metaindex of ", size, " bytes"));
  }
  footer->metaindex.size = size;
  footer->metaindex.offset = footer->offset - kBlockTrailerSize - size;
  footer->index = BlockHandle();
  return Status::Ok();
}

}  // namespace

Result<Footer> DecodeFooter(Slice tail, uint64_t file_size_bytes, const std::string& file_name) {
  if (tail.size() < kLegacyFooterSize || tail.size() > file_size_bytes) {
    return Status::Corruption(
        Concat("file is too short (", file_size_bytes, " bytes) to be an sstable: ", file_name));
  }
  Footer footer;
  const uint64_t magic = DecodeFixed64(tail.end() - 8);
  if (magic == kLegacyBlockBasedMagic || magic == kLegacyPlainTableMagic) {
    footer.kind = magic == kLegacyBlockBasedMagic ? TableKind::kBlockBased : TableKind::kPlain;
    footer.offset = file_size_bytes - kLegacyFooterSize;
    Status s =
        DecodeHandles(Slice(tail.end() - kLegacyFooterSize, kHandlesSize), file_name, &footer);
    if (!s.ok()) return s;
    return footer;
  }
  if (magic == kBlockBasedMagic) {
    footer.kind = TableKind::kBlockBased;
  } else if (magic == kPlainTableMagic) {
    footer.kind = TableKind::kPlain;
  } else if (magic == kCuckooTableMagic) {
    footer.kind = TableKind::kCuckoo;
  } else {
    return Status::Corruption(Concat("Bad table magic number: expected ", kBlockBasedMagic,
                                     ", found ", magic, " in ", file_name));
  }
  if (tail.size() < kFooterSize) {
    return Status::Corruption(
        Concat("file is too short (", file_size_bytes, " bytes) to be an sstable: ", file_name));
  }

  const char* bytes = tail.end() - kFooterSize;
  footer.offset = file_size_bytes - kFooterSize;
  footer.format_version = DecodeFixed32(bytes + kVersionAt);
  if (footer.format_version > kFormatVersionMax ||
      (footer.kind == TableKind::kBlockBased && footer.format_version == 0)) {
    return Status::Corruption(Concat("Corrupt or unsupported format_version ",
                                     footer.format_version, " in footer at offset ", footer.offset,
                                     " of ", file_name));
  }
  const auto checksum = static_cast<uint8_t>(bytes[0]);
  if (!IsKnownChecksum(checksum)) {
    return Status::Corruption(
        Concat("Corrupt or unsupported checksum type: ", static_cast<uint32_t>(checksum),
               " in footer at offset ", footer.offset, " of ", file_name));
  }
  footer.checksum = static_cast<ChecksumType>(checksum);
  Status s = HasContextChecksums(footer.format_version)
                 ? DecodeExtended(bytes, file_name, &footer)
                 : DecodeHandles(Slice(bytes + kHandlesAt, kHandlesSize), file_name, &footer);
  if (!s.ok()) return s;
  return footer;
}

void AppendFooter(const Footer& footer, std::string* to) {
  assert(footer.format_version <= kFormatVersionMax);
  char bytes[kFooterSize] = {};
  if (footer.format_version == 0) {
    footer.index.EncodeTo(footer.metaindex.EncodeTo(bytes));
    EncodeFixed64(bytes + kHandlesSize, kLegacyBlockBasedMagic);
    to->append(bytes, kLegacyFooterSize);
    return;
  }
  bytes[0] = static_cast<char>(footer.checksum);
  EncodeFixed32(bytes + kVersionAt, footer.format_version);
  EncodeFixed64(bytes + kMagicAt, kBlockBasedMagic);
  if (HasContextChecksums(footer.format_version)) {
    assert(footer.metaindex.offset + footer.metaindex.size + kBlockTrailerSize == footer.offset);
    assert(footer.metaindex.size <= UINT32_MAX);
    assert(footer.base_context_checksum != 0);
    memcpy(bytes + kExtendedMagicAt, kExtendedMagic, sizeof(kExtendedMagic));
    EncodeFixed32(bytes + kBaseContextAt, footer.base_context_checksum);
    EncodeFixed32(bytes + kMetaindexSizeAt, static_cast<uint32_t>(footer.metaindex.size));
    EncodeFixed32(bytes + kChecksumAt, FooterChecksum(footer, bytes));
  } else {
    footer.index.EncodeTo(footer.metaindex.EncodeTo(bytes + kHandlesAt));
  }
  to->append(bytes, kFooterSize);
}

}  // namespace skarn
