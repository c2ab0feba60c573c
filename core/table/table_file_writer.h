// TableFileWriter appends blocks with their trailers to a table file and keeps account
// of where they are.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_TABLE_TABLE_FILE_WRITER_H_
#define SKARN_CORE_TABLE_TABLE_FILE_WRITER_H_

#include <cstdint>
#include <map>
#include <string>

#include "core/base/checksum.h"
#include "core/base/slice.h"
#include "core/base/status.h"
#include "core/env/file_writer.h"
#include "core/table/block_builder.h"
#include "core/table/block_compressor.h"
#include "core/table/block_handle.h"
#include "core/table/block_sink.h"
#include "core/table/footer.h"

namespace skarn {

// What became of the blocks that might have been compressed.
struct CompressionCounts {
  uint64_t compressed = 0;
  uint64_t compressed_from_bytes = 0;
  uint64_t compressed_to_bytes = 0;
  uint64_t rejected = 0;  // It gained too little.
  uint64_t rejected_bytes = 0;
  uint64_t bypassed = 0;  // It was not wanted.
  uint64_t bypassed_bytes = 0;
};

class TableFileWriter : public BlockSink {
 public:
  // `index_compressor` serves blocks of the index; null stores them as they are. It and
  // `file` outlive this object. Offsets count from where `file` stands now, which must be
  // its beginning.
  TableFileWriter(FileWriter* file, uint32_t format_version, ChecksumType checksum,
                  uint32_t base_context_checksum, const BlockCompressor* index_compressor);

  // Told of every block that was written, with its content before compression.
  class Observer {
   public:
    virtual ~Observer() = default;
    virtual void OnBlock(BlockRole role, Slice raw, const BlockHandle& handle) = 0;
  };
  void SetObserver(Observer* observer) { observer_ = observer; }
  Observer* observer() const { return observer_; }

  Status Write(BlockRole role, Slice payload, BlockHandle* handle) override;
  // Writes a payload that has room for its trailer behind it.
  Status WriteInPlace(char* payload, size_t size, CompressionType type, BlockHandle* handle);
  // Appends bytes that are blocks with trailers already.
  Status AppendBlocks(Slice blocks);
  // Appends zeroes up to a multiple of `alignment`.
  Status PadTo(uint64_t alignment);

  // Lists a block in the metaindex.
  void AddMeta(const std::string& name, const BlockHandle& handle) { metas_[name] = handle; }
  // Writes metaindex and footer. `index` is the index's or its top's handle.
  Status Finish(const BlockHandle& index);

  uint64_t offset() const { return offset_; }
  ChecksumType checksum() const { return checksum_; }
  uint32_t base_context_checksum() const { return base_context_checksum_; }
  // Notes that a block is stored with this type.
  void NoteType(CompressionType type) {
    const auto byte = static_cast<uint8_t>(type);
    types_[byte >> 6] |= uint64_t{1} << (byte & 63);
  }
  // Notes what became of a data or index block; `wanted` is the type that was tried.
  void NoteCompression(CompressionType wanted, size_t raw_size, size_t stored_size,
                       CompressionType stored) {
    if (wanted == CompressionType::kNone) {
      ++compression_counts_.bypassed;
      compression_counts_.bypassed_bytes += raw_size;
    } else if (stored == CompressionType::kNone) {
      ++compression_counts_.rejected;
      compression_counts_.rejected_bytes += raw_size;
    } else {
      ++compression_counts_.compressed;
      compression_counts_.compressed_from_bytes += raw_size;
      compression_counts_.compressed_to_bytes += stored_size;
    }
  }
  const CompressionCounts& compression_counts() const { return compression_counts_; }
  // "0407": the types other than kNone that were stored, ascending, as hex digits.
  std::string StoredTypes() const;

 private:
  FileWriter* const file_;
  const uint32_t format_version_;
  const ChecksumType checksum_;
  const uint32_t base_context_checksum_;
  const BlockCompressor* const index_compressor_;
  Observer* observer_ = nullptr;
  uint64_t offset_ = 0;
  uint64_t types_[4] = {0, 0, 0, 0};
  CompressionCounts compression_counts_;
  std::map<std::string, BlockHandle> metas_;  // Ordered as the metaindex is.
  BlockBuffer scratch_;
};

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_TABLE_FILE_WRITER_H_
