// TableFile reads the blocks of one table file: from a mapping, from a buffer that was
// read ahead, or with a read of their own; verified and decompressed. It knows nothing of
// caches.
//
// Thread safety: the setup members are written before the file is shared; everything else
// any thread.

#ifndef SKARN_CORE_TABLE_TABLE_FILE_H_
#define SKARN_CORE_TABLE_TABLE_FILE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/codec.h"
#include "core/env/clock.h"
#include "core/env/file_system.h"
#include "core/table/block.h"
#include "core/table/footer.h"
#include "core/table/mapped_budget.h"
#include "core/table/properties_block.h"
#include "core/table/table_read.h"

namespace skarn {

// What is known of a block before it is read.
enum class BlockContent : uint8_t {
  kData,   // May be compressed, with the file's dictionary.
  kIndex,  // May be compressed, without it.
  kMeta,   // Never compressed.
};

class Readahead;

class TableFile final : public MappingOwner, private MappedBudget::Member {
 public:
  TableFile(std::unique_ptr<RandomAccessFile> file, std::string path, uint64_t size_bytes,
            Clock* clock, RateLimiter* rate_limiter);

  const std::string& path() const { return path_; }
  uint64_t size_bytes() const { return size_bytes_; }
  const RandomAccessFile& file() const { return *file_; }
  bool mapped() const { return !mapping_.empty(); }

  // Set before the first read.
  bool last_level = false;                 // Files of the last level are counted apart.
  Histogram* level_read_micros = nullptr;  // Outlives the reads; may be null.

  // Known once the footer and the properties are read.
  Footer footer;
  CompressionProperty compression;
  std::unique_ptr<const DecompressionDictionary> dictionary;

  // Reads the payload of a block. With `parse`, its layout as a block of keys and values
  // is found, too. `readahead` may be null.
  //
  // Errors: Corruption naming file and offset; IoError; TimedOut when the deadline has
  // passed; MemoryLimit.
  Status ReadBlock(TableRead* read, const BlockHandle& handle, BlockContent content, bool parse,
                   Readahead* readahead, BlockRef* block);
  // The rest of ReadBlock() for bytes that were read already: payload and trailer.
  Status FinishBlock(TableRead* read, const BlockHandle& handle, BlockContent content, bool parse,
                     const char* raw, BlockRef* block);
  // Whether the block can be had without input: it lies in the mapping and was read before.
  bool IsResident(const BlockHandle& handle) const { return mapped() && IsVerified(handle); }
  // Bytes as they are in the file. Short reads are Corruption.
  Status ReadRaw(TableRead* read, uint64_t offset, size_t size, Slice* result, char* scratch);
  // TimedOut when the operation's deadline has passed.
  Status CheckDeadline(const TableRead& read) const;
  // Waits for the rate limiter when the operation's options want that.
  void Throttle(const TableRead& read, uint64_t bytes) const {
    if (SKARN_UNLIKELY(read.options.rate_limiter_priority != IoPriority::kTotal)) {
      ThrottleSlow(read.options.rate_limiter_priority, bytes);
    }
  }
  // Corruption with the place appended.
  Status Damaged(const BlockHandle& handle, Slice what) const;

  // Brings a range into memory soon, where the system can.
  void Prefetch(uint64_t offset, size_t size) const { (void)file_->Prefetch(offset, size); }

  // With a mapping: the range may leave this process's memory. It comes back when it is read.
  void ReleaseMapped(uint64_t offset, uint64_t size) { ReleaseRange(offset, size); }

  size_t memory_bytes() const { return sizeof(TableFile) + path_.capacity() + bitmap_bytes_; }

 private:
  // Blocks at least this large have a bit of their own in the bitmap of verified blocks:
  // no two of them begin in the same stretch of this size.
  static constexpr uint64_t kVerifiedGrain = 512;

  ~TableFile() override;
  [[gnu::cold]] void ThrottleSlow(IoPriority priority, uint64_t bytes) const;
  Status ReadBlockUntimed(TableRead* read, const BlockHandle& handle, BlockContent content,
                          bool parse, Readahead* readahead, size_t total, BlockRef* block);
  bool IsVerified(const BlockHandle& handle) const;
  void SetVerified(const BlockHandle& handle);
  Status Verify(TableRead* read, const BlockHandle& handle, const char* raw) const;
  Status Decompress(TableRead* read, const BlockHandle& handle, BlockContent content,
                    CompressionType type, Slice payload, HeapBlock** block) const;
  Status SetParsed(const BlockHandle& handle, bool parse, HeapBlock* heap, BlockRef* block) const;
  bool MayBeCompressed(BlockContent content) const;

  const std::unique_ptr<RandomAccessFile> file_;
  const std::string path_;
  const uint64_t size_bytes_;
  Clock* const clock_;
  RateLimiter* const rate_limiter_;  // Null: reads are not limited.
  const Slice mapping_;              // The first size_bytes_ bytes of the file, or empty.
  // With a mapping: whose checksum was found right since the file was opened. Set by any
  // reader; relaxed, since verifying twice does no harm.
  std::unique_ptr<std::atomic<uint64_t>[]> verified_;
  size_t bitmap_bytes_ = 0;
};

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_TABLE_FILE_H_
