#include "core/wal/log_writer.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cstring>
#include <utility>

#include "core/base/codec.h"
#include "core/base/coding.h"
#include "core/base/crc32c.h"
#include "core/wal/log_format.h"

namespace skarn {
namespace {

constexpr char kZeroes[64] = {};

// Writes the header of a record whose payload is in place. What makes a record of it, its length
// and its type, comes last and in one piece: whoever reads the file while it is filled through
// memory, or after the process was killed, finds zeroes or all of the record.
void Seal(char* header, uint8_t type, size_t size, uint32_t crc) {
  const uint32_t masked = crc32c::Mask(crc);
  EncodeFixed32(header, masked);
  std::atomic_thread_fence(std::memory_order_release);
  EncodeFixed32(header + 3, (masked >> 24) | static_cast<uint32_t>(size) << 8 |
                                static_cast<uint32_t>(type) << 24);
}

uint8_t FullType(bool recyclable) {
  return static_cast<uint8_t>(recyclable ? LogRecordType::kRecyclableFull : LogRecordType::kFull);
}

}  // namespace

struct LogWriter::Compressor {
  StreamCompressor stream;
  std::string record;  // The record's parts joined.
  std::string chunk;
};

LogWriter::LogWriter(std::unique_ptr<FileWriter> file, const Options& options)
    : file_(std::move(file)), options_(options), full_seed_(SeedOf(FullType(options.recyclable))) {}

LogWriter::~LogWriter() = default;

Status LogWriter::WriteHeader(const Predecessor* predecessor) {
  Status s;
  if (options_.compress_zstd) {
    if (!IsCodecAvailable(CompressionType::kZstd)) {
      return Status::NotSupported("WAL compression needs ZSTD");
    }
    compressor_ = std::make_unique<Compressor>();
    char type[4];
    EncodeFixed32(type, static_cast<uint32_t>(CompressionType::kZstd));
    const Slice part(type, sizeof(type));
    s = EmitPhysical(static_cast<uint8_t>(LogRecordType::kSetCompression), &part, 1, part.size());
    if (!s.ok()) return s;
  }
  if (predecessor != nullptr) {
    char body[kPredecessorSize];
    EncodeFixed64(body, predecessor->log_number);
    EncodeFixed64(body + 8, predecessor->size_bytes);
    EncodeFixed64(body + 16, predecessor->last_sequence);
    s = EmitControl(
        options_.recyclable ? LogRecordType::kRecyclablePredecessor : LogRecordType::kPredecessor,
        Slice(body, sizeof(body)));
    if (!s.ok()) return s;
  }
  return options_.manual_flush ? Status::Ok() : Flush();
}

Status LogWriter::AddRecord(Slice record) { return AddRecordParts(&record, 1); }

Status LogWriter::AddRecordParts(const Slice* parts, size_t count) {
  size_t total = 0;
  for (size_t i = 0; i < count; ++i) total += parts[i].size();

  if (char* to = Room(total); to != nullptr) {
    for (size_t i = 0; i < count; ++i) {
      if (parts[i].empty()) continue;
      memcpy(to, parts[i].data(), parts[i].size());
      to += parts[i].size();
    }
    return AppendFilled(total);
  }
  Status s = compressor_ == nullptr || total == 0
                 ? EmitFragments(parts, count, total, /*begins=*/true, /*ends=*/true)
                 : EmitCompressed(parts, count);
  if (!s.ok()) return s;
  return options_.manual_flush ? Status::Ok() : Flush();
}

Status LogWriter::AppendFilled(size_t size) {
  char* const header = room_;
  if (options_.recyclable) {
    EncodeFixed32(header + kLogHeaderSize, static_cast<uint32_t>(options_.log_number));
  }
  const size_t header_bytes = header_size();
  Seal(header, FullType(options_.recyclable), size,
       crc32c::Extend(full_seed_, header + header_bytes, size));
  block_offset_ += header_bytes + size;
  return file_->AppendFilled(header_bytes + size, /*flush=*/!options_.manual_flush);
}

Status LogWriter::EmitCompressed(const Slice* parts, size_t count) {
  Slice record = parts[0];
  if (count > 1) {
    compressor_->record.clear();
    for (size_t i = 0; i < count; ++i) compressor_->record.append(parts[i].data(), parts[i].size());
    record = compressor_->record;
  }
  // A chunk may still be split by the room in the block; only the whole record's first
  // and last fragments say so.
  compressor_->chunk.resize(kLogBlockSize - header_size());
  compressor_->stream.Begin(record);
  bool begins = true;
  for (bool done = false; !done; begins = false) {
    size_t size = 0;
    Status s = compressor_->stream.Next(compressor_->chunk.data(), compressor_->chunk.size(), &size,
                                        &done);
    if (!s.ok()) return s;
    const Slice chunk(compressor_->chunk.data(), size);
    s = EmitFragments(&chunk, 1, size, begins, done);
    if (!s.ok()) return s;
  }
  return Status::Ok();
}

Status LogWriter::EmitFragments(const Slice* parts, size_t count, size_t total, bool begins,
                                bool ends) {
  const size_t header = header_size();
  size_t part = 0;
  size_t part_offset = 0;
  size_t left = total;
  // At least once: an empty record is an empty fragment.
  do {
    Status s = PadUnlessRoomFor(header);
    if (!s.ok()) return s;
    const size_t size = std::min(left, kLogBlockSize - block_offset_ - header);
    const bool last = size == left;

    // The fragment's share of the parts.
    pieces_.clear();
    for (size_t wanted = size; wanted > 0;) {
      while (part_offset == parts[part].size()) {
        ++part;
        part_offset = 0;
      }
      assert(part < count);
      const size_t piece = std::min(wanted, parts[part].size() - part_offset);
      pieces_.emplace_back(parts[part].data() + part_offset, piece);
      part_offset += piece;
      wanted -= piece;
    }
    left -= size;

    LogRecordType type = LogRecordType::kMiddle;
    if (begins && last && ends) {
      type = LogRecordType::kFull;
    } else if (begins) {
      type = LogRecordType::kFirst;
    } else if (last && ends) {
      type = LogRecordType::kLast;
    }
    const uint8_t stored = static_cast<uint8_t>(type) + (options_.recyclable ? 4 : 0);
    s = EmitPhysical(stored, pieces_.data(), pieces_.size(), size);
    if (!s.ok()) return s;
    begins = false;
  } while (left > 0);
  (void)count;
  return Status::Ok();
}

Status LogWriter::PadUnlessRoomFor(size_t size) {
  const size_t room = kLogBlockSize - block_offset_;
  if (room >= size) return Status::Ok();
  block_offset_ = 0;
  if (room == 0) return Status::Ok();
  if (char* const to = file_->Room(room); to != nullptr) {
    memset(to, 0, room);
    return file_->AppendFilled(room, /*flush=*/false);
  }
  Status s;
  for (size_t left = room; s.ok() && left > 0;) {
    const size_t piece = std::min(left, sizeof(kZeroes));
    s = file_->Append(Slice(kZeroes, piece));
    left -= piece;
  }
  return s;
}

Status LogWriter::EmitControl(LogRecordType type, Slice body) {
  Status s = PadUnlessRoomFor(header_size() + body.size());
  if (!s.ok()) return s;
  return EmitPhysical(static_cast<uint8_t>(type), &body, 1, body.size());
}

uint32_t LogWriter::SeedOf(uint8_t type) const {
  char covered[1 + sizeof(uint32_t)];
  covered[0] = static_cast<char>(type);
  EncodeFixed32(covered + 1, static_cast<uint32_t>(options_.log_number));
  return crc32c::Value(covered, IsRecyclableLogType(type) ? sizeof(covered) : 1);
}

Status LogWriter::EmitPhysical(uint8_t type, const Slice* parts, size_t count, size_t size) {
  assert(size <= std::numeric_limits<uint16_t>::max());
  char buffered[kRecyclableLogHeaderSize];
  const size_t header_bytes = IsRecyclableLogType(type) ? kRecyclableLogHeaderSize : kLogHeaderSize;
  assert(block_offset_ + header_bytes + size <= kLogBlockSize);
  char* const room = file_->Room(header_bytes + size);
  char* const header = room != nullptr ? room : buffered;
  if (IsRecyclableLogType(type)) {
    EncodeFixed32(header + kLogHeaderSize, static_cast<uint32_t>(options_.log_number));
  }
  uint32_t crc = SeedOf(type);
  char* to = header + header_bytes;
  for (size_t i = 0; i < count; ++i) {
    crc = crc32c::Extend(crc, parts[i].data(), parts[i].size());
    if (room == nullptr || parts[i].empty()) continue;
    memcpy(to, parts[i].data(), parts[i].size());
    to += parts[i].size();
  }
  Seal(header, type, size, crc);
  block_offset_ += header_bytes + size;
  if (room != nullptr) return file_->AppendFilled(header_bytes + size, /*flush=*/false);
  Status s = file_->Append(Slice(header, header_bytes));
  for (size_t i = 0; s.ok() && i < count; ++i) s = file_->Append(parts[i]);
  return s;
}

Status LogWriter::AddTimestampSizes(const std::map<uint32_t, size_t>& sizes) {
  scratch_.clear();
  for (const auto& [family, size] : sizes) {
    if (size == 0 || recorded_timestamp_sizes_.count(family) != 0) continue;
    PutFixed32(&scratch_, family);
    PutFixed16(&scratch_, static_cast<uint16_t>(size));
    recorded_timestamp_sizes_.emplace(family, size);
  }
  if (scratch_.empty()) return Status::Ok();
  return EmitControl(options_.recyclable ? LogRecordType::kRecyclableTimestampSizes
                                         : LogRecordType::kTimestampSizes,
                     scratch_);
}

Status LogWriter::Flush() { return file_->Flush(); }

Status LogWriter::Close() { return file_->Close(); }

}  // namespace skarn
