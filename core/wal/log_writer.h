// LogWriter frames logical records into the 32 KiB blocks of a log file: a WAL or a
// MANIFEST. The frame is drawn in core/wal/log_format.h.
//
// Thread safety: one thread at a time, but Sync() of the underlying FileWriter may
// run beside AddRecord() through SyncWithoutFlush().

#ifndef SKARN_CORE_WAL_LOG_WRITER_H_
#define SKARN_CORE_WAL_LOG_WRITER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/slice.h"
#include "core/base/status.h"
#include "core/env/file_writer.h"
#include "core/wal/log_format.h"

namespace skarn {

class LogWriter {
 public:
  struct Options {
    uint64_t log_number = 0;
    bool recyclable = false;     // 11-byte headers with the log number.
    bool manual_flush = false;   // Do not hand each record to the operating system.
    bool compress_zstd = false;  // WAL compression.
  };
  struct Predecessor {
    uint64_t log_number = 0;
    uint64_t size_bytes = 0;
    uint64_t last_sequence = 0;
  };

  LogWriter(std::unique_ptr<FileWriter> file, const Options& options);
  ~LogWriter();

  // Writes the control records a new log begins with.
  Status WriteHeader(const Predecessor* predecessor);
  Status AddRecord(Slice record);
  // The same for one record given in parts.
  Status AddRecordParts(const Slice* parts, size_t count);
  // Room for a record of `size` bytes in the file's buffer, to be filled and then appended with
  // AppendFilled(); null: it does not fit in one piece, use AddRecord().
  char* Room(size_t size) {
    if (compressor_ != nullptr || header_size() + size > kLogBlockSize - block_offset_) {
      return nullptr;
    }
    room_ = file_->Room(header_size() + size);
    return room_ == nullptr ? nullptr : room_ + header_size();
  }
  Status AppendFilled(size_t size);
  // Records timestamp sizes of column families not yet known to this log.
  Status AddTimestampSizes(const std::map<uint32_t, size_t>& sizes);
  Status Flush();
  Status Close();

  FileWriter* file() { return file_.get(); }
  uint64_t log_number() const { return options_.log_number; }

 private:
  struct Compressor;
  size_t header_size() const {
    return options_.recyclable ? kRecyclableLogHeaderSize : kLogHeaderSize;
  }
  // `begins` and `ends`: whether the bytes are the first and the last of the record.
  Status EmitFragments(const Slice* parts, size_t count, size_t total, bool begins, bool ends);
  Status EmitCompressed(const Slice* parts, size_t count);
  // A record of the log itself, never split.
  Status EmitControl(LogRecordType type, Slice body);
  // Starts a new block when fewer than `size` bytes are left in this one.
  Status PadUnlessRoomFor(size_t size);
  Status EmitPhysical(uint8_t type, const Slice* parts, size_t count, size_t size);
  // The checksum of what of the header it covers, for a type.
  uint32_t SeedOf(uint8_t type) const;

  std::unique_ptr<FileWriter> file_;
  const Options options_;
  const uint32_t full_seed_;  // SeedOf() what AppendFilled() writes.
  size_t block_offset_ = 0;
  char* room_ = nullptr;  // As Room() gave it, the header included.
  std::map<uint32_t, size_t> recorded_timestamp_sizes_;
  std::unique_ptr<Compressor> compressor_;
  std::string scratch_;
  std::vector<Slice> pieces_;  // Of the fragment being written.
};

}  // namespace skarn

#endif  // SKARN_CORE_WAL_LOG_WRITER_H_
