#include "core/table/table_file.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/metrics/perf_context.h"
#include "core/table/block_trailer.h"
#include "core/table/readahead.h"

namespace skarn {
namespace {

// A buffer of this thread's own for stored bytes on their way to being decompressed. Not
// ThreadContext::scratch, which the file's body or the codec may use meanwhile.
ScratchBuffer* StoredBytesScratch(ThreadContext* thread) {
  static const size_t slot =
      RegisterThreadSlot([](void* content) { delete static_cast<ScratchBuffer*>(content); });
  void*& content = thread->room_slots[slot];
  if (content == nullptr) content = new ScratchBuffer;
  return static_cast<ScratchBuffer*>(content);
}

Status OutOfMemory() {
  return Status(Status::Code::kAborted, Status::Subcode::kMemoryLimit, "Out of memory");
}

HeapBlock* NewBlock(BlockContent content, size_t capacity) {
  return content == BlockContent::kMeta ? HeapBlock::Allocate(capacity)
                                        : HeapBlock::AllocateData(capacity);
}

}  // namespace

TableFile::TableFile(std::unique_ptr<RandomAccessFile> file, std::string path, uint64_t size_bytes,
                     Clock* clock, RateLimiter* rate_limiter)
    : file_(std::move(file)),
      path_(std::move(path)),
      size_bytes_(size_bytes),
      clock_(clock),
      rate_limiter_(rate_limiter != nullptr &&
                            rate_limiter->mode() != RateLimiter::Mode::kWritesOnly
                        ? rate_limiter
                        : nullptr),
      mapping_(file_->Mapping().size() >= size_bytes ? Slice(file_->Mapping().data(), size_bytes)
                                                     : Slice()) {
  if (mapped()) {
    const size_t words = static_cast<size_t>(size_bytes / kVerifiedGrain / 64 + 1);
    verified_.reset(new std::atomic<uint64_t>[words]());
    bitmap_bytes_ = words * sizeof(uint64_t);
    Join(mapping_);
  }
}

TableFile::~TableFile() {
  if (mapped()) Leave();
}

bool TableFile::IsVerified(const BlockHandle& handle) const {
  if (handle.size < kVerifiedGrain) return false;
  const uint64_t bit = handle.offset / kVerifiedGrain;
  return ((verified_[bit / 64].load(std::memory_order_relaxed) >> (bit % 64)) & 1) != 0;
}

void TableFile::SetVerified(const BlockHandle& handle) {
  if (handle.size < kVerifiedGrain) return;
  const uint64_t bit = handle.offset / kVerifiedGrain;
  verified_[bit / 64].fetch_or(uint64_t{1} << (bit % 64), std::memory_order_relaxed);
}

Status TableFile::CheckDeadline(const TableRead& read) const {
  if (SKARN_LIKELY(read.options.deadline_us == 0) || clock_ == nullptr) return Status::Ok();
  if (clock_->NowMicros() < read.options.deadline_us) return Status::Ok();
  return Status::TimedOut();
}

void TableFile::ThrottleSlow(IoPriority priority, uint64_t bytes) const {
  if (rate_limiter_ == nullptr) return;
  while (bytes > 0) {
    const uint64_t part = std::min(bytes, rate_limiter_->single_burst_bytes());
    rate_limiter_->Request(part, priority);
    bytes -= part;
  }
}

Status TableFile::Damaged(const BlockHandle& handle, Slice what) const {
  return Status::Corruption(
      Concat(what, " in ", path_, " offset ", handle.offset, " size ", handle.size));
}

Status TableFile::ReadRaw(TableRead* read, uint64_t offset, size_t size, Slice* result,
                          char* scratch) {
  if (Status s = CheckDeadline(*read); !s.ok()) return s;
  Throttle(*read, size);
  const uint64_t start_ns = read->timed() ? PerfNow() : 0;
  {
    PerfTimer timer(read->thread, PerfMetric::kBlockReadTime);
    if (Status s = file_->Read(offset, size, result, scratch); !s.ok()) return s;
  }
  read->NoteFileRead(result->size(), last_level, start_ns == 0 ? 0 : PerfNow() - start_ns,
                     level_read_micros);
  if (result->size() != size) {
    return Status::Corruption(Concat("truncated block read from ", path_, " offset ", offset,
                                     ", expected ", size, " bytes, got ", result->size()));
  }
  return Status::Ok();
}

Status TableFile::Verify(TableRead* read, const BlockHandle& handle, const char* raw) const {
  PerfTimer timer(read->thread, PerfMetric::kBlockChecksumTime);
  ++read->counts.checksums_computed;
  Status s = VerifyBlockTrailer(footer.checksum, raw, handle.size, footer.base_context_checksum,
                                handle.offset, path_);
  if (SKARN_UNLIKELY(!s.ok())) ++read->counts.checksum_mismatches;
  return s;
}

bool TableFile::MayBeCompressed(BlockContent content) const {
  return content != BlockContent::kMeta && !compression.none &&
         !(compression.restricted && (compression.allowed[0] | compression.allowed[1] |
                                      compression.allowed[2] | compression.allowed[3]) == 0);
}

Status TableFile::SetParsed(const BlockHandle& handle, bool parse, HeapBlock* heap,
                            BlockRef* block) const {
  if (parse && !heap->ParseLayout()) {
    heap->Unref();
    return Damaged(handle, "bad block contents");
  }
  block->SetHeap(heap);
  return Status::Ok();
}

Status TableFile::ReadBlock(TableRead* read, const BlockHandle& handle, BlockContent content,
                            bool parse, Readahead* readahead, BlockRef* block) {
  block->Reset();
  if (!handle.FitsIn(footer.offset, kBlockTrailerSize)) {
    return Damaged(handle, "block outside the file");
  }
  const size_t total = static_cast<size_t>(handle.size) + kBlockTrailerSize;
  ++read->counts.blocks_read;
  read->counts.bytes_read += total;
  if (SKARN_UNLIKELY(read->timed())) {
    const uint64_t start_ns = PerfNow();
    Status s = ReadBlockUntimed(read, handle, content, parse, readahead, total, block);
    const uint64_t nanos = PerfNow() - start_ns;
    read->NoteBlockTime(nanos);
    if (mapped()) read->NoteFileRead(total, last_level, nanos, level_read_micros);
    return s;
  }
  if (mapped()) read->NoteFileRead(total, last_level, 0, nullptr);
  return ReadBlockUntimed(read, handle, content, parse, readahead, total, block);
}

Status TableFile::ReadBlockUntimed(TableRead* read, const BlockHandle& handle, BlockContent content,
                                   bool parse, Readahead* readahead, size_t total,
                                   BlockRef* block) {
  if (mapped()) {
    if (readahead != nullptr) readahead->HintMapped(this, handle.offset, total);
    const char* raw = mapping_.data() + handle.offset;
    Touch(handle.offset, total);
    const auto type = static_cast<CompressionType>(raw[handle.size]);
    if (!(MayBeCompressed(content) && type != CompressionType::kNone)) {
      if (!IsVerified(handle)) {
        if (Status s = CheckDeadline(*read); !s.ok()) return s;
        Throttle(*read, total);
        if (read->options.verify_checksums) {
          if (Status s = Verify(read, handle, raw); !s.ok()) return s;
          SetVerified(handle);
        }
      }
      BlockLayout layout;
      const Slice payload(raw, handle.size);
      if (parse && !ParseBlockLayout(payload, &layout)) {
        return Damaged(handle, "bad block contents");
      }
      block->SetMapped(payload, layout, this);
      return Status::Ok();
    }
    Throttle(*read, total);
    return FinishBlock(read, handle, content, parse, raw, block);
  }

  Slice raw;
  if (readahead != nullptr) {
    if (Status s = readahead->Read(read, this, handle.offset, total, &raw); !s.ok()) return s;
    if (!raw.empty()) return FinishBlock(read, handle, content, parse, raw.data(), block);
  }
  if (MayBeCompressed(content)) {
    char* scratch = StoredBytesScratch(read->thread)->Get(total);
    if (scratch == nullptr) return OutOfMemory();
    if (Status s = ReadRaw(read, handle.offset, total, &raw, scratch); !s.ok()) return s;
    return FinishBlock(read, handle, content, parse, raw.data(), block);
  }
  // Nothing to decompress: read to where the block will stay.
  HeapBlock* heap = NewBlock(content, total);
  if (heap == nullptr) return OutOfMemory();
  heap->set_size(handle.size);
  Status s = ReadRaw(read, handle.offset, total, &raw, heap->data());
  if (s.ok() && raw.data() != heap->data()) memcpy(heap->data(), raw.data(), total);
  if (s.ok() && read->options.verify_checksums) s = Verify(read, handle, heap->data());
  if (!s.ok()) {
    heap->Unref();
    return s;
  }
  return SetParsed(handle, parse, heap, block);
}

Status TableFile::FinishBlock(TableRead* read, const BlockHandle& handle, BlockContent content,
                              bool parse, const char* raw, BlockRef* block) {
  if (read->options.verify_checksums) {
    if (Status s = Verify(read, handle, raw); !s.ok()) return s;
  }
  const Slice payload(raw, handle.size);
  const auto type = static_cast<uint8_t>(raw[handle.size]);
  HeapBlock* heap = nullptr;
  if (MayBeCompressed(content) && type != 0) {
    if (!compression.Allows(type)) {
      return Damaged(handle, Concat("compression type ", static_cast<uint32_t>(type),
                                    " is not among those of the properties"));
    }
    Status s =
        Decompress(read, handle, content, static_cast<CompressionType>(type), payload, &heap);
    if (!s.ok()) return s;
  } else {
    heap = NewBlock(content, payload.size());
    if (heap == nullptr) return OutOfMemory();
    memcpy(heap->data(), payload.data(), payload.size());
    heap->set_size(payload.size());
  }
  return SetParsed(handle, parse, heap, block);
}

Status TableFile::Decompress(TableRead* read, const BlockHandle& handle, BlockContent content,
                             CompressionType type, Slice payload, HeapBlock** block) const {
  PerfTimer timer(read->thread, PerfMetric::kBlockDecompressTime);
  const DecompressionDictionary* dict = content == BlockContent::kData ? dictionary.get() : nullptr;
  auto failed = [&](const Status& s) {
    if (s.IsCorruption() || s.IsNotSupported()) {
      const std::string text =
          Concat(s.message(), " in ", path_, " offset ", handle.offset, " size ", handle.size);
      return s.IsCorruption() ? Status::Corruption(text) : Status::NotSupported(text);
    }
    return s;
  };
  const Result<size_t> size = UncompressedSize(type, footer.format_version, payload);
  if (size.ok()) {
    HeapBlock* heap = NewBlock(content, *size);
    if (heap == nullptr) return OutOfMemory();
    Status s = UncompressInto(type, footer.format_version, dict, payload, heap->data(), *size);
    if (!s.ok()) {
      heap->Unref();
      return failed(s);
    }
    heap->set_size(*size);
    *block = heap;
  } else {
    if (!size.status().IsNotSupported()) return failed(size.status());
    // Layouts of format_version 0 and 1 that do not tell their size.
    Result<CodecBuffer> buffer = Uncompress(type, footer.format_version, dict, payload);
    if (!buffer.ok()) return failed(buffer.status());
    HeapBlock* heap = NewBlock(content, buffer->size);
    if (heap == nullptr) return OutOfMemory();
    memcpy(heap->data(), buffer->data.get(), buffer->size);
    heap->set_size(buffer->size);
    *block = heap;
  }
  ++read->counts.blocks_decompressed;
  read->counts.decompressed_from_bytes += payload.size();
  read->counts.decompressed_to_bytes += (*block)->size();
  return Status::Ok();
}

}  // namespace skarn
