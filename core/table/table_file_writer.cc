#include "core/table/table_file_writer.h"

#include "core/table/block_trailer.h"
#include "core/table/meta_block_names.h"

namespace skarn {

namespace {

bool MayCompress(BlockRole role) {
  return role == BlockRole::kIndex || role == BlockRole::kIndexPartition ||
         role == BlockRole::kHashIndex;
}

}  // namespace

TableFileWriter::TableFileWriter(FileWriter* file, uint32_t format_version, ChecksumType checksum,
                                 uint32_t base_context_checksum,
                                 const BlockCompressor* index_compressor)
    : file_(file),
      format_version_(format_version),
      checksum_(checksum),
      base_context_checksum_(base_context_checksum),
      index_compressor_(index_compressor) {}

Status TableFileWriter::Write(BlockRole role, Slice payload, BlockHandle* handle) {
  CompressionType type = CompressionType::kNone;
  size_t size = 0;
  scratch_.Clear();
  if (MayCompress(role) && index_compressor_ != nullptr) {
    char* out =
        scratch_.Reserve(index_compressor_->OutputCapacity(payload.size()) + kBlockTrailerSize);
    Status s = index_compressor_->Compress(payload, out, &size);
    if (!s.ok()) return s;
    if (size != 0) type = index_compressor_->type();
    NoteCompression(index_compressor_->type(), payload.size(), size, type);
  }
  if (size == 0) {
    size = payload.size();
    char* out = scratch_.Reserve(size + kBlockTrailerSize);
    if (size != 0) memcpy(out, payload.data(), size);
  }
  Status s = WriteInPlace(scratch_.data(), size, type, handle);
  if (s.ok() && observer_ != nullptr) observer_->OnBlock(role, payload, *handle);
  return s;
}

Status TableFileWriter::WriteInPlace(char* payload, size_t size, CompressionType type,
                                     BlockHandle* handle) {
  EncodeBlockTrailer(checksum_, Slice(payload, size), static_cast<uint8_t>(type),
                     base_context_checksum_, offset_, payload + size);
  handle->offset = offset_;
  handle->size = size;
  NoteType(type);
  return AppendBlocks(Slice(payload, size + kBlockTrailerSize));
}

Status TableFileWriter::AppendBlocks(Slice blocks) {
  Status s = file_->Append(blocks);
  if (s.ok()) offset_ += blocks.size();
  return s;
}

Status TableFileWriter::PadTo(uint64_t alignment) {
  static constexpr char kZeroes[4096] = {};
  uint64_t pad = (alignment - offset_ % alignment) % alignment;
  while (pad != 0) {
    const size_t part = pad < sizeof(kZeroes) ? static_cast<size_t>(pad) : sizeof(kZeroes);
    Status s = AppendBlocks(Slice(kZeroes, part));
    if (!s.ok()) return s;
    pad -= part;
  }
  return Status::Ok();
}

std::string TableFileWriter::StoredTypes() const {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  for (int type = 1; type < 256; ++type) {
    if (((types_[type >> 6] >> (type & 63)) & 1) == 0) continue;
    text.push_back(kDigits[type >> 4]);
    text.push_back(kDigits[type & 15]);
  }
  return text;
}

Status TableFileWriter::Finish(const BlockHandle& index) {
  Footer footer;
  footer.format_version = format_version_;
  footer.checksum = checksum_;
  footer.base_context_checksum = base_context_checksum_;
  if (HasIndexHandleInFooter(format_version_)) {
    footer.index = index;
  } else {
    AddMeta(kIndexBlockName, index);
  }

  BlockBuilder::Options options;
  options.restart_interval = 1;
  BlockBuilder block(options);
  for (const auto& [name, handle] : metas_) {
    std::string value;
    handle.AppendTo(&value);
    block.Add(name, value);
  }
  Status s = Write(BlockRole::kOther, block.Finish(), &footer.metaindex);
  if (!s.ok()) return s;
  footer.offset = offset_;
  std::string bytes;
  AppendFooter(footer, &bytes);
  return AppendBlocks(bytes);
}

}  // namespace skarn
