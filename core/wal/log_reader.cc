#include "core/wal/log_reader.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "core/base/codec.h"
#include "core/base/coding.h"
#include "core/base/crc32c.h"
#include "core/wal/log_format.h"

namespace skarn {
namespace {

// What reading one physical record gave.
enum class Event : uint8_t {
  kRecord,     // Of a known or unknown type.
  kEof,        // Nothing is left.
  kBadHeader,  // The file ends inside a header.
  kOldRecord,  // Of the log that used this file before.
  kZeroes,     // Nothing but zeroes up to the end of the block: space reserved ahead.
  kHole,       // Zeroes with something else behind them in the block.
  kBadLength,  // Reaches past the block, or past the file.
  kBadChecksum,
};

// No record may decompress to more: a batch holds at most this.
constexpr size_t kRecordSizeMax = size_t{1} << 36;

}  // namespace

struct LogReader::Rep {
  Rep(std::unique_ptr<SequentialFile> log, Reporter* log_reporter, uint64_t number, bool verify)
      : file(std::move(log)),
        reporter(log_reporter),
        log_number(number),
        verify_checksums(verify),
        block(new char[kLogBlockSize]) {}

  // A physical record.
  struct Physical {
    Event event = Event::kEof;
    uint8_t type = 0;
    Slice payload;
    size_t dropped = 0;  // Bytes that an event other than kRecord skipped.
  };

  void Report(size_t bytes, Slice message) {
    Report(bytes, Status::Corruption(message), log_number);
  }
  void Report(size_t bytes, const Status& status, uint64_t number) {
    if (reporter != nullptr) reporter->Corruption(bytes, status, number);
  }

  bool LoadBlock();
  // Reads the block that holds this offset of the file again, and goes on there.
  bool LoadBlockFrom(uint64_t offset);
  Physical ReadPhysical();
  // Following, in front of a header of zeroes: whether there is a record after all, here or, where
  // these zeroes only fill up the block, in the next one. If not, reading ends for now.
  bool FindRecordBehindZeroes();
  // Following, in front of damage that claims `size` bytes: whether to look again, because the
  // writer may have been at work on it. While it is, reading ends for now.
  bool LookAgain(size_t size);
  // Whether the end of the record in front, and all behind it, is zeroes: not written yet.
  bool NothingBehind(size_t size);
  // Whether length and type, which the writer sets last, are there, and of this log.
  bool AtRecord() const {
    if (buffer.size() < kLogHeaderSize || DecodeFixed32(buffer.data() + 3) >> 8 == 0) return false;
    if (!recycled) return true;
    return buffer.size() >= kRecyclableLogHeaderSize &&
           DecodeFixed32(buffer.data() + kLogHeaderSize) == static_cast<uint32_t>(log_number);
  }
  // Following: reading ends for now, and goes on at this offset.
  void EndForNow(uint64_t offset) {
    unwritten = offset;
    buffer = Slice();
    eof = true;
  }
  // Following a recycled log, in front of what is no record of it: reading ends for now, because
  // what comes next is written over it.
  bool EndsAtOldBytes() {
    if (!following || !recycled) return false;
    EndForNow(position());
    return true;
  }
  // The checksum of a record of `type` with the payload at `from`, in this log.
  uint32_t ChecksumOf(uint8_t type, const char* from, size_t length) const;
  // Whether the checksum at `header` tells that a bit of the type is wrong, or the log's number.
  bool FitsOtherwise(const char* header, uint8_t type, size_t length) const;
  // Whether it fits a payload of some length up to `length_max`.
  bool FitsShorter(const char* header, uint8_t type, size_t length_max) const;
  Physical DropBuffer(Event event) {
    Physical result;
    result.event = event;
    result.dropped = buffer.size();
    buffer = Slice();
    return result;
  }
  // Payloads of fragments as the writer's caller gave them. False: damaged.
  bool Decompress(const Physical& physical, Slice* fragment);
  void ReadCompression(Slice payload);
  void ReadTimestampSizes(Slice payload);
  void ReadPredecessor(Slice payload);
  uint64_t position() const { return block_end - buffer.size(); }

  const std::unique_ptr<SequentialFile> file;
  Reporter* const reporter;
  const uint64_t log_number;
  const bool verify_checksums;

  const std::unique_ptr<char[]> block;
  bool exact = false;
  bool following = false;
  std::optional<uint64_t> unwritten;  // Following, at the end: from where on.
  std::optional<uint64_t> looked_at;  // Following, in front of damage: where,
  int looks = 0;                      // and how often it was looked at again.
  Slice buffer;                       // What is left of the block.
  size_t block_bytes = 0;             // Bytes of the block that were read.
  uint64_t block_end = 0;             // File offset just after them.
  bool eof = false;
  bool resume = false;  // ContinueAfterEnd() was called: keep the fragments below.

  bool in_fragment = false;
  uint64_t fragment_start = 0;

  bool recycled = false;
  bool data_read = false;  // A data record was returned.
  uint64_t record_offset = 0;
  uint64_t record_end = 0;
  std::map<uint32_t, size_t> timestamp_sizes;
  std::optional<Predecessor> predecessor;

  bool compression_read = false;
  bool unreadable = false;  // The compression is one that is not known.
  std::unique_ptr<StreamDecompressor> decompressor;
  std::string uncompressed;

  // Zeroes that were skipped since the last record. Writers leave some before the end of
  // a block; a page that was lost in a power cut looks the same but is longer.
  uint64_t zeroes_skipped = 0;
};

LogReader::LogReader(std::unique_ptr<SequentialFile> file, Reporter* reporter, uint64_t log_number,
                     bool verify_checksums)
    : rep_(std::make_unique<Rep>(std::move(file), reporter, log_number, verify_checksums)) {}
LogReader::~LogReader() = default;

void LogReader::CheckPredecessor(Predecessor expected) { rep_->predecessor = std::move(expected); }
void LogReader::set_exact() { rep_->exact = true; }
void LogReader::set_following() { rep_->following = true; }
uint64_t LogReader::last_record_end() const { return rep_->record_end; }
uint64_t LogReader::last_record_offset() const { return rep_->record_offset; }
bool LogReader::at_end() const { return rep_->eof; }
bool LogReader::recycled() const { return rep_->recycled; }
const std::map<uint32_t, size_t>& LogReader::timestamp_sizes() const {
  return rep_->timestamp_sizes;
}

// Fills up the block from where the file ended before.
void LogReader::ContinueAfterEnd() {
  Rep& rep = *rep_;
  if (!rep.eof) return;
  rep.eof = false;
  rep.resume = true;
  rep.looked_at.reset();
  if (rep.unwritten) {
    (void)rep.LoadBlockFrom(*std::exchange(rep.unwritten, std::nullopt));
    return;
  }
  if (rep.block_bytes == 0 || rep.block_bytes == kLogBlockSize) return;

  const size_t consumed = rep.block_bytes - rep.buffer.size();
  const size_t room = kLogBlockSize - rep.block_bytes;
  char* const to = rep.block.get() + rep.block_bytes;
  Slice more;
  const Status s = rep.file->Read(room, &more, to);
  if (!s.ok()) {
    rep.Report(room, s, rep.log_number);
    more = Slice();
  }
  if (!more.empty() && more.data() != to) memmove(to, more.data(), more.size());
  rep.block_bytes += more.size();
  rep.block_end += more.size();
  rep.buffer = Slice(rep.block.get() + consumed, rep.block_bytes - consumed);
  if (more.size() < room) rep.eof = true;
}

// Replaces the buffer by the next block. False when nothing more can be read.
bool LogReader::Rep::LoadBlock() {
  if (eof) return false;
  Slice bytes;
  const Status s = file->Read(kLogBlockSize, &bytes, block.get());
  if (!s.ok()) {
    Report(kLogBlockSize, s, log_number);
    buffer = Slice();
    block_bytes = 0;
    eof = true;
    return false;
  }
  // A mapped file gives memory of its own; the block must be ours for ContinueAfterEnd().
  if (!bytes.empty() && bytes.data() != block.get()) {
    memmove(block.get(), bytes.data(), bytes.size());
  }
  block_bytes = bytes.size();
  block_end += block_bytes;
  buffer = Slice(block.get(), block_bytes);
  if (block_bytes < kLogBlockSize) eof = true;
  return true;
}

bool LogReader::Rep::LoadBlockFrom(uint64_t offset) {
  const uint64_t begin = offset / kLogBlockSize * kLogBlockSize;
  eof = false;
  block_end = begin;
  if (Status s = file->Seek(begin); !s.ok()) {
    Report(kLogBlockSize, s, log_number);
    buffer = Slice();
    block_bytes = 0;
    eof = true;
    return false;
  }
  if (!LoadBlock()) return false;
  // The file may have been cut to what was written.
  buffer.RemovePrefix(std::min<size_t>(offset - begin, buffer.size()));
  return true;
}

bool LogReader::Rep::FindRecordBehindZeroes() {
  const uint64_t zeroes = position();
  // They may have been read long ago.
  if (LoadBlockFrom(zeroes) && AtRecord()) return true;
  const uint64_t next_block = block_end;
  // A writer that has gone on to the next block is done with this one, so what is there now stays.
  if (!eof && LoadBlock() && AtRecord() && LoadBlockFrom(zeroes)) {
    if (AtRecord() || LoadBlockFrom(next_block)) return true;
  }
  EndForNow(zeroes);
  return false;
}

bool LogReader::Rep::LookAgain(size_t size) {
  if (!following) return false;
  const uint64_t offset = position();
  if (looked_at != offset) looks = 0;
  looked_at = offset;
  // First, it may have been read long ago. Then, a long record is written front to back into
  // zeroes, which may take a while. At last, whatever is behind it says that it is done.
  if (looks == 2) return false;
  if (looks++ == 1 && NothingBehind(size)) {
    EndForNow(offset);
    return true;
  }
  return LoadBlockFrom(offset);
}

bool LogReader::Rep::NothingBehind(size_t size) {
  const size_t end = std::min(size, buffer.size());
  const std::string_view rest = buffer.view().substr(end - 1);
  if (rest.find_first_not_of('\0') != rest.npos) return false;
  return eof || !LoadBlock() || !AtRecord();
}

LogReader::Rep::Physical LogReader::Rep::ReadPhysical() {
  Physical result;
  while (true) {
    if (buffer.size() < kLogHeaderSize) {
      // What is left of a block is too short for a header.
      if (!eof) {
        if (!LoadBlock()) return result;
        continue;
      }
      result.event = buffer.empty() ? Event::kEof : Event::kBadHeader;
      result.dropped = buffer.size();
      return result;
    }
    const char* header = buffer.data();
    const size_t length = DecodeFixed16(header + 4);
    const auto type = static_cast<uint8_t>(header[6]);
    const bool zero = type == static_cast<uint8_t>(LogRecordType::kZero) && length == 0;
    if (zero && following) {
      if (!FindRecordBehindZeroes()) return result;
      continue;
    }
    size_t header_size = kLogHeaderSize;
    const bool recycled_before = recycled;
    if (IsRecyclableLogType(type)) {
      header_size = kRecyclableLogHeaderSize;
      // A log that began otherwise was never recycled: the type is damaged.
      if (data_read && !recycled) return DropBuffer(Event::kBadChecksum);
      recycled = true;
      if (buffer.size() < kRecyclableLogHeaderSize) {
        if (!eof) {
          if (!LoadBlock()) return result;
          continue;
        }
        result.event = Event::kBadHeader;
        result.dropped = buffer.size();
        return result;
      }
    }
    if (header_size + length > buffer.size()) {
      // At the end of the file the rest may still come; the bytes stay.
      if (LookAgain(header_size + length)) continue;
      if (EndsAtOldBytes()) return result;
      if (!eof) return DropBuffer(Event::kBadLength);
      // A record that is whole and has a wrong length is no end that was cut.
      if (exact && FitsShorter(header, type, buffer.size() - header_size)) {
        return DropBuffer(Event::kBadChecksum);
      }
      result.event = Event::kBadLength;
      result.dropped = buffer.size();
      return result;
    }
    if (header_size == kRecyclableLogHeaderSize &&
        DecodeFixed32(header + kLogHeaderSize) != static_cast<uint32_t>(log_number)) {
      if (FitsOtherwise(header, type, length)) {
        recycled = recycled_before;
        return DropBuffer(Event::kBadChecksum);
      }
      if (LookAgain(header_size + length)) continue;
      if (EndsAtOldBytes()) return result;
      buffer.RemovePrefix(header_size + length);
      result.event = Event::kOldRecord;
      result.dropped = header_size + length;
      return result;
    }
    if (zero) {
      zeroes_skipped += buffer.size();
      const std::string_view rest = buffer.view();
      return DropBuffer(rest.find_first_not_of('\0') == rest.npos ? Event::kZeroes : Event::kHole);
    }
    if (verify_checksums) {
      const uint32_t stored = crc32c::Unmask(DecodeFixed32(header));
      if (crc32c::Value(header + 6, header_size - 6 + length) != stored) {
        if (LookAgain(header_size + length)) continue;
        if (EndsAtOldBytes()) return result;
        // The length itself may be wrong: nothing of the block can be trusted.
        return DropBuffer(Event::kBadChecksum);
      }
    }
    result.event = Event::kRecord;
    result.type = type;
    result.payload = Slice(header + header_size, length);
    result.dropped = header_size + length;
    buffer.RemovePrefix(header_size + length);
    return result;
  }
}

uint32_t LogReader::Rep::ChecksumOf(uint8_t type, const char* from, size_t length) const {
  char start[kRecyclableLogHeaderSize - 6];
  start[0] = static_cast<char>(type);
  EncodeFixed32(start + 1, static_cast<uint32_t>(log_number));
  return crc32c::Extend(crc32c::Value(start, IsRecyclableLogType(type) ? sizeof(start) : 1), from,
                        length);
}

bool LogReader::Rep::FitsOtherwise(const char* header, uint8_t type, size_t length) const {
  const uint32_t stored = crc32c::Unmask(DecodeFixed32(header));
  for (int bit = 0; bit <= 8; ++bit) {
    const auto other = static_cast<uint8_t>(type ^ (1 << bit));  // At last the type itself.
    const char* const payload =
        header + (IsRecyclableLogType(other) ? kRecyclableLogHeaderSize : kLogHeaderSize);
    if (ChecksumOf(other, payload, length) == stored) return true;
  }
  return false;
}

bool LogReader::Rep::FitsShorter(const char* header, uint8_t type, size_t length_max) const {
  const uint32_t stored = crc32c::Unmask(DecodeFixed32(header));
  uint32_t crc = ChecksumOf(type, header, 0);
  const char* at = header + (IsRecyclableLogType(type) ? kRecyclableLogHeaderSize : kLogHeaderSize);
  for (const char* const end = at + length_max;; ++at) {
    if (crc == stored) return true;
    if (at == end) return false;
    crc = crc32c::Extend(crc, at, 1);
  }
}

bool LogReader::Rep::Decompress(const Physical& physical, Slice* fragment) {
  *fragment = physical.payload;
  if (decompressor == nullptr || physical.payload.empty()) return true;
  uncompressed.clear();
  if (!decompressor->Feed(physical.payload, &uncompressed, kRecordSizeMax).ok()) return false;
  *fragment = uncompressed;
  return true;
}

void LogReader::Rep::ReadCompression(Slice payload) {
  if (compression_read) {
    Report(payload.size(), "read multiple SetCompressionType records");
    return;
  }
  if (data_read || in_fragment) {
    Report(payload.size(), "SetCompressionType not the first record");
    return;
  }
  compression_read = true;
  Slice input = payload;
  uint32_t type = 0;
  if (!GetFixed32(&input, &type)) {
    Report(payload.size(), "CompressionTypeRecord: Error decoding record type");
    unreadable = true;
  } else if (type == static_cast<uint32_t>(CompressionType::kZstd) &&
             IsCodecAvailable(CompressionType::kZstd)) {
    decompressor = std::make_unique<StreamDecompressor>();
  } else if (type != static_cast<uint32_t>(CompressionType::kNone)) {
    Report(payload.size(), "CompressionTypeRecord: WAL compression type not supported");
    unreadable = true;
  }
}

void LogReader::Rep::ReadTimestampSizes(Slice payload) {
  if (in_fragment) {
    Report(payload.size(), "user-defined timestamp size record interspersed partial record");
    return;
  }
  if (payload.size() % kTimestampSizeEntry != 0) {
    Report(payload.size(), "could not decode user-defined timestamp size record");
    return;
  }
  for (Slice input = payload; !input.empty();) {
    uint32_t family = 0;
    uint16_t size = 0;
    GetFixed32(&input, &family);
    GetFixed16(&input, &size);
    if (size == 0) {
      Report(payload.size(), "User-defined timestamp size record contains zero timestamp size.");
      return;
    }
    if (!timestamp_sizes.emplace(family, size).second) {
      Report(payload.size(),
             "User-defined timestamp size record contains update to recorded column family.");
      return;
    }
  }
}

void LogReader::Rep::ReadPredecessor(Slice payload) {
  if (!predecessor) return;
  Slice input = payload;
  uint64_t number = 0, size = 0, sequence = 0;
  if (!GetFixed64(&input, &number) || !GetFixed64(&input, &size) ||
      !GetFixed64(&input, &sequence)) {
    Report(payload.size(), "could not decode PredecessorWALInfo record");
    return;
  }
  std::string problem;
  if (!predecessor->seen) {
    if (number >= predecessor->min_log_number) {
      problem = Concat("Missing WAL of log number ", number);
    }
  } else if (number != predecessor->log_number) {
    problem = Concat("Mismatched predecessor log number of WAL file ", predecessor->path,
                     " Recorded ", number, ". Observed ", predecessor->log_number);
  } else if (sequence != predecessor->last_sequence) {
    problem = Concat("Mismatched last sequence number recorded in the WAL of log number ", number,
                     ". Recorded ", sequence, ". Observed ", predecessor->last_sequence,
                     ". (Last sequence number equal to 0 indicates no WAL records)");
  } else if (size != predecessor->size_bytes) {
    problem = Concat("Mismatched size of the WAL of log number ", number, ". Recorded ", size,
                     " bytes. Observed ", predecessor->size_bytes, " bytes.");
  }
  if (!problem.empty()) Report(payload.size(), Status::Corruption(problem), number);
}

bool LogReader::ReadRecord(Slice* record, std::string* scratch, RecoveryMode mode) {
  Rep& rep = *rep_;
  const bool tolerant = mode == RecoveryMode::kTolerateCorruptedTail;
  const bool strict =
      mode == RecoveryMode::kAbsoluteConsistency || mode == RecoveryMode::kPointInTime;
  if (!rep.resume) {
    scratch->clear();
    rep.in_fragment = false;
  }
  rep.resume = false;
  *record = Slice();

  auto drop_fragments = [&rep, scratch] {
    rep.in_fragment = false;
    scratch->clear();
  };
  auto report_middle = [&rep, scratch, &drop_fragments] {
    if (!rep.in_fragment) return;
    rep.Report(scratch->size(), "error in middle of record");
    drop_fragments();
  };

  while (!rep.unreadable) {
    const uint64_t offset = rep.position();
    const Rep::Physical physical = rep.ReadPhysical();
    // The buffer may have moved to another block before the record.
    const uint64_t start =
        physical.event == Event::kRecord ? rep.position() - physical.dropped : offset;

    switch (physical.event) {
      case Event::kBadHeader:
        if (strict) rep.Report(physical.dropped, "truncated header");
        [[fallthrough]];
      case Event::kEof:
        if (rep.in_fragment && strict) {
          rep.Report(scratch->size(), "error reading trailing data due to encountering EOF");
        }
        return false;
      case Event::kOldRecord:
        if (mode == RecoveryMode::kSkipAnyCorrupted) {
          report_middle();
          continue;
        }
        if (rep.in_fragment) {
          if (strict) {
            rep.Report(scratch->size(),
                       "error reading trailing data due to encountering old record");
          }
          drop_fragments();
        } else if (mode == RecoveryMode::kPointInTime && rep.reporter != nullptr) {
          rep.reporter->OldRecord(physical.dropped);
        }
        return false;
      case Event::kHole:
        if (strict && !rep.recycled) rep.Report(physical.dropped, "zeroes amid records");
        [[fallthrough]];
      case Event::kZeroes:
        report_middle();
        continue;
      case Event::kBadLength:
        if (rep.eof) {
          if (strict) rep.Report(physical.dropped, "truncated record body");
          return false;
        }
        [[fallthrough]];
      case Event::kBadChecksum:
        if (rep.recycled && tolerant) return false;
        rep.Report(physical.dropped,
                   physical.event == Event::kBadLength ? "bad record length" : "checksum mismatch");
        report_middle();
        continue;
      case Event::kRecord:
        break;
    }

    LogRecordType type = static_cast<LogRecordType>(physical.type);
    switch (type) {
      case LogRecordType::kSetCompression:
        rep.ReadCompression(physical.payload);
        continue;
      case LogRecordType::kTimestampSizes:
      case LogRecordType::kRecyclableTimestampSizes:
        rep.zeroes_skipped = 0;
        rep.ReadTimestampSizes(physical.payload);
        continue;
      case LogRecordType::kPredecessor:
      case LogRecordType::kRecyclablePredecessor:
        rep.zeroes_skipped = 0;
        if (mode != RecoveryMode::kSkipAnyCorrupted) rep.ReadPredecessor(physical.payload);
        continue;
      case LogRecordType::kRecyclableFull:
      case LogRecordType::kRecyclableFirst:
      case LogRecordType::kRecyclableMiddle:
      case LogRecordType::kRecyclableLast:
        type = static_cast<LogRecordType>(physical.type - 4);
        break;
      default:
        break;
    }
    if (type < LogRecordType::kFull || type > LogRecordType::kLast) {
      if ((physical.type & kLogTypeSkippable) != 0) {
        drop_fragments();
      } else {
        rep.Report(physical.payload.size() + (rep.in_fragment ? scratch->size() : 0),
                   Concat("unknown record type ", static_cast<int>(physical.type)));
        report_middle();
      }
      continue;
    }

    // Data. A writer leaves at most a header's length of zeroes before it, or was
    // going to write one of the records above.
    if (strict && rep.zeroes_skipped >= kRecyclableLogHeaderSize) {
      rep.Report(rep.zeroes_skipped, "record after a run of zeroes");
    }
    rep.zeroes_skipped = 0;

    const bool begins = type == LogRecordType::kFull || type == LogRecordType::kFirst;
    const bool ends = type == LogRecordType::kFull || type == LogRecordType::kLast;
    if (begins) {
      if (rep.in_fragment && !scratch->empty()) {
        rep.Report(scratch->size(),
                   ends ? "partial record without end(1)" : "partial record without end(2)");
      }
      drop_fragments();
      rep.fragment_start = start;
      if (rep.decompressor != nullptr) rep.decompressor->Begin();
    } else if (!rep.in_fragment) {
      rep.Report(physical.payload.size(), ends ? "missing start of fragmented record(2)"
                                               : "missing start of fragmented record(1)");
      continue;
    }

    Slice fragment;
    if (!rep.Decompress(physical, &fragment)) {
      rep.DropBuffer(Event::kBadChecksum);
      report_middle();
      continue;
    }
    if (type == LogRecordType::kFull) {
      *record = fragment;
    } else {
      scratch->append(fragment.data(), fragment.size());
      rep.in_fragment = !ends;
      if (!ends) continue;
      *record = Slice(*scratch);
    }
    rep.data_read = true;
    rep.record_offset = rep.fragment_start;
    rep.record_end = rep.position();
    return true;
  }
  return false;
}

}  // namespace skarn
