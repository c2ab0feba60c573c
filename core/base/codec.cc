#include "core/base/codec.h"

#include <bzlib.h>
#include <lz4.h>
#include <lz4hc.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "core/base/codec_contexts.h"
#include "core/base/coding.h"
#include "core/base/thread_context.h"

// In the LZ4 library for long, but declared by its header only from 1.10 on. Weak, so
// that a library without it still links.
extern "C" int LZ4_compress_fast_extState_fastReset(void* state, const char* from, char* to,
                                                    int from_size, int to_capacity,
                                                    int acceleration) __attribute__((weak));

namespace skarn {

namespace {

// Larger payloads are stored as they are: several codecs count in int.
constexpr size_t kInputSizeMax = 0x7E000000;
static_assert(kInputSizeMax <= LZ4_MAX_INPUT_SIZE);

// What files may claim as the decompressed size of one payload.
constexpr uint64_t kOutputSizeMax = std::numeric_limits<uint32_t>::max();

constexpr int kZlibMemLevel = 8;
// Readers of the format inflate with a window of 16 KiB.
constexpr int kZlibWindowBits = -14;
constexpr int kZlibWindowBitsForReading = -15;
constexpr int kBZip2BlockSize = 1;  // In 100 KB.

int LevelOr(const CodecOptions& options, int fallback) {
  return options.level == CodecOptions::kDefaultLevel ? fallback : options.level;
}

}  // namespace

// One thread's codec contexts, each made on first use.
class CodecContexts {
 public:
  static CodecContexts* Current() {
    ThreadContext* context = CurrentThreadContext();
    if (SKARN_UNLIKELY(context->codec_contexts == nullptr)) {
      context->codec_contexts = new CodecContexts;
    }
    return context->codec_contexts;
  }

  CodecContexts() = default;
  CodecContexts(const CodecContexts&) = delete;
  CodecContexts& operator=(const CodecContexts&) = delete;
  ~CodecContexts() {
    ZSTD_freeCCtx(zstd_compressor_);
    ZSTD_freeDCtx(zstd_decompressor_);
    if (lz4_ != nullptr) LZ4_freeStream(lz4_);
    if (lz4hc_ != nullptr) LZ4_freeStreamHC(lz4hc_);
    if (deflate_ready_) deflateEnd(&deflate_);
    if (inflate_ready_) inflateEnd(&inflate_);
  }

  // The rest return nullptr when memory is exhausted.

  ZSTD_CCtx* ZstdCompressor() {
    if (zstd_compressor_ == nullptr) zstd_compressor_ = ZSTD_createCCtx();
    return zstd_compressor_;
  }
  ZSTD_DCtx* ZstdDecompressor() {
    if (zstd_decompressor_ == nullptr) zstd_decompressor_ = ZSTD_createDCtx();
    return zstd_decompressor_;
  }
  LZ4_stream_t* Lz4() {
    if (lz4_ == nullptr) lz4_ = LZ4_createStream();
    return lz4_;
  }
  LZ4_streamHC_t* Lz4hc() {
    if (lz4hc_ == nullptr) lz4hc_ = LZ4_createStreamHC();
    return lz4hc_;
  }
  // Ready for a new stream with these parameters.
  z_stream* Deflate(int level, int window_bits, int strategy) {
    if (deflate_ready_ && level == deflate_level_ && window_bits == deflate_window_bits_ &&
        strategy == deflate_strategy_) {
      return deflateReset(&deflate_) == Z_OK ? &deflate_ : nullptr;
    }
    if (deflate_ready_) deflateEnd(&deflate_);
    deflate_ = z_stream{};
    deflate_ready_ = deflateInit2(&deflate_, level, Z_DEFLATED, window_bits, kZlibMemLevel,
                                  strategy) == Z_OK;
    deflate_level_ = level;
    deflate_window_bits_ = window_bits;
    deflate_strategy_ = strategy;
    return deflate_ready_ ? &deflate_ : nullptr;
  }
  z_stream* Inflate() {
    if (inflate_ready_) return inflateReset(&inflate_) == Z_OK ? &inflate_ : nullptr;
    inflate_ = z_stream{};
    inflate_ready_ = inflateInit2(&inflate_, kZlibWindowBitsForReading) == Z_OK;
    return inflate_ready_ ? &inflate_ : nullptr;
  }

 private:
  ZSTD_CCtx* zstd_compressor_ = nullptr;
  ZSTD_DCtx* zstd_decompressor_ = nullptr;
  LZ4_stream_t* lz4_ = nullptr;
  LZ4_streamHC_t* lz4hc_ = nullptr;
  z_stream deflate_{};
  z_stream inflate_{};
  bool deflate_ready_ = false;
  bool inflate_ready_ = false;
  int deflate_level_ = 0;
  int deflate_window_bits_ = 0;
  int deflate_strategy_ = 0;
};

void DestroyCodecContexts(CodecContexts* contexts) { delete contexts; }

bool IsCodecAvailable(CompressionType type) {
  switch (type) {
    case CompressionType::kNone:
    case CompressionType::kSnappy:
    case CompressionType::kZlib:
    case CompressionType::kBZip2:
    case CompressionType::kLz4:
    case CompressionType::kLz4hc:
    case CompressionType::kZstd:
      return true;
    case CompressionType::kXpress:
    case CompressionType::kZstdNotFinal:
    case CompressionType::kDisable:
      return false;
  }
  return false;
}

const char* CodecName(CompressionType type) {
  switch (type) {
    case CompressionType::kNone:
      return "NoCompression";
    case CompressionType::kSnappy:
      return "Snappy";
    case CompressionType::kZlib:
      return "Zlib";
    case CompressionType::kBZip2:
      return "BZip2";
    case CompressionType::kLz4:
      return "LZ4";
    case CompressionType::kLz4hc:
      return "LZ4HC";
    case CompressionType::kXpress:
      return "Xpress";
    case CompressionType::kZstd:
      return "ZSTD";
    case CompressionType::kZstdNotFinal:
      return "ZSTDNotFinal";
    case CompressionType::kDisable:
      return "DisableOption";
  }
  return nullptr;
}

const std::vector<CompressionType>& AvailableCodecs() {
  static const auto* const codecs = new std::vector<CompressionType>{
      CompressionType::kNone,  CompressionType::kSnappy, CompressionType::kZlib,
      CompressionType::kBZip2, CompressionType::kLz4,    CompressionType::kLz4hc,
      CompressionType::kZstd};
  return *codecs;
}

CompressionDictionary::CompressionDictionary(CompressionType type, const CodecOptions& options,
                                             std::string bytes)
    : bytes_(std::move(bytes)) {
  if (bytes_.empty()) return;
  if (type == CompressionType::kZstd) {
    zstd_ = ZSTD_createCDict(bytes_.data(), bytes_.size(), LevelOr(options, ZSTD_CLEVEL_DEFAULT));
  }
  if (type == CompressionType::kLz4) {
    LZ4_stream_t* stream = LZ4_createStream();
    // LZ4 uses the last 64 KiB.
    if (stream != nullptr) {
      LZ4_loadDict(stream, bytes_.data(),
                   static_cast<int>(std::min(bytes_.size(), kInputSizeMax)));
    }
    lz4_ = stream;
  }
}

CompressionDictionary::~CompressionDictionary() {
  ZSTD_freeCDict(static_cast<ZSTD_CDict*>(zstd_));
  if (lz4_ != nullptr) LZ4_freeStream(static_cast<LZ4_stream_t*>(lz4_));
}

DecompressionDictionary::DecompressionDictionary(std::string bytes) : bytes_(std::move(bytes)) {
  if (!bytes_.empty()) zstd_ = ZSTD_createDDict(bytes_.data(), bytes_.size());
}

DecompressionDictionary::~DecompressionDictionary() {
  ZSTD_freeDDict(static_cast<ZSTD_DDict*>(zstd_));
}

size_t DecompressionDictionary::MemoryUsage() const {
  return sizeof(*this) + bytes_.size() + ZSTD_sizeof_DDict(static_cast<ZSTD_DDict*>(zstd_));
}

// The bodies, one pair for each codec. A compressor writes only the stream, without
// the size prefix, and returns its size, or 0 when it does not fit.
struct CodecInternals {
  static size_t CompressSnappy(Slice raw, char* out, size_t capacity) {
    const size_t needed = snappy::MaxCompressedLength(raw.size());
    size_t size = 0;
    if (capacity >= needed) {
      snappy::RawCompress(raw.data(), raw.size(), out, &size);
      return size;
    }
    // Snappy cannot be told to stop at a limit.
    char* scratch = CurrentThreadContext()->scratch.Get(needed);
    if (scratch == nullptr) return 0;
    snappy::RawCompress(raw.data(), raw.size(), scratch, &size);
    if (size > capacity) return 0;
    memcpy(out, scratch, size);
    return size;
  }

  static size_t CompressZlib(const CodecOptions& options, const CompressionDictionary* dictionary,
                             Slice raw, char* out, size_t capacity) {
    const int window_bits = options.window_bits >= kZlibWindowBits && options.window_bits <= -9
                                ? options.window_bits
                                : kZlibWindowBits;
    z_stream* stream = CodecContexts::Current()->Deflate(LevelOr(options, Z_DEFAULT_COMPRESSION),
                                                         window_bits, options.strategy);
    if (stream == nullptr) return 0;
    if (dictionary != nullptr && !dictionary->bytes_.empty() &&
        deflateSetDictionary(stream, reinterpret_cast<const Bytef*>(dictionary->bytes_.data()),
                             static_cast<uInt>(dictionary->bytes_.size())) != Z_OK) {
      return 0;
    }
    stream->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(raw.data()));
    stream->avail_in = static_cast<uInt>(raw.size());
    stream->next_out = reinterpret_cast<Bytef*>(out);
    stream->avail_out = static_cast<uInt>(std::min<size_t>(capacity, UINT32_MAX));
    if (deflate(stream, Z_FINISH) != Z_STREAM_END) return 0;
    return static_cast<size_t>(reinterpret_cast<char*>(stream->next_out) - out);
  }

  static size_t CompressBZip2(Slice raw, char* out, size_t capacity) {
    auto size = static_cast<unsigned>(std::min<size_t>(capacity, UINT32_MAX));
    if (BZ2_bzBuffToBuffCompress(out, &size, const_cast<char*>(raw.data()),
                                 static_cast<unsigned>(raw.size()), kBZip2BlockSize,
                                 /*verbosity=*/0, /*workFactor=*/0) != BZ_OK) {
      return 0;
    }
    return size;
  }

  static size_t CompressLz4(const CodecOptions& options, const CompressionDictionary* dictionary,
                            Slice raw, char* out, size_t capacity) {
    LZ4_stream_t* stream = CodecContexts::Current()->Lz4();
    if (stream == nullptr) return 0;
    const int level = LevelOr(options, 0);
    const int acceleration = level < 0 ? -level : 1;
    const int raw_size = static_cast<int>(raw.size());
    const int limit = static_cast<int>(std::min(capacity, kInputSizeMax));
    int size = 0;
    if (dictionary != nullptr && dictionary->lz4_ != nullptr) {
      // A copy of the prepared state is cheaper than loading the dictionary again.
      memcpy(stream, dictionary->lz4_, sizeof(*stream));
      size = LZ4_compress_fast_continue(stream, raw.data(), out, raw_size, limit, acceleration);
      LZ4_initStream(stream, sizeof(*stream));
    } else if (&LZ4_compress_fast_extState_fastReset != nullptr) {
      size = LZ4_compress_fast_extState_fastReset(stream, raw.data(), out, raw_size, limit,
                                                  acceleration);
      // A failure leaves the state unfit for another fast reset.
      if (size <= 0) LZ4_initStream(stream, sizeof(*stream));
    } else {
      size = LZ4_compress_fast_extState(stream, raw.data(), out, raw_size, limit, acceleration);
    }
    return size > 0 ? static_cast<size_t>(size) : 0;
  }

  static size_t CompressLz4hc(const CodecOptions& options, const CompressionDictionary* dictionary,
                              Slice raw, char* out, size_t capacity) {
    LZ4_streamHC_t* stream = CodecContexts::Current()->Lz4hc();
    if (stream == nullptr) return 0;
    LZ4_resetStreamHC_fast(stream, LevelOr(options, 0));
    if (dictionary != nullptr && !dictionary->bytes_.empty()) {
      LZ4_loadDictHC(stream, dictionary->bytes_.data(),
                     static_cast<int>(std::min(dictionary->bytes_.size(), kInputSizeMax)));
    }
    const int size = LZ4_compress_HC_continue(stream, raw.data(), out,
                                              static_cast<int>(raw.size()),
                                              static_cast<int>(std::min(capacity, kInputSizeMax)));
    return size > 0 ? static_cast<size_t>(size) : 0;
  }

  static size_t CompressZstd(const CodecOptions& options, const CompressionDictionary* dictionary,
                             Slice raw, char* out, size_t capacity) {
    ZSTD_CCtx* context = CodecContexts::Current()->ZstdCompressor();
    if (context == nullptr) return 0;
    ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters);
    if (ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel,
                                            LevelOr(options, ZSTD_CLEVEL_DEFAULT)))) {
      return 0;
    }
    if (options.checksum) ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    if (dictionary != nullptr && dictionary->zstd_ != nullptr) {
      ZSTD_CCtx_refCDict(context, static_cast<ZSTD_CDict*>(dictionary->zstd_));
    }
    const size_t size = ZSTD_compress2(context, out, capacity, raw.data(), raw.size());
    return ZSTD_isError(size) ? 0 : size;
  }

  // The readers fill exactly `size` bytes, or return false.

  static bool InflateInto(const DecompressionDictionary* dictionary, Slice stream_bytes, char* out,
                          size_t size) {
    z_stream* stream = StartInflate(dictionary, stream_bytes);
    if (stream == nullptr) return false;
    stream->next_out = reinterpret_cast<Bytef*>(out);
    stream->avail_out = static_cast<uInt>(size);
    // An empty output needs a place to point at all the same.
    char unused = 0;
    if (size == 0) {
      stream->next_out = reinterpret_cast<Bytef*>(&unused);
      stream->avail_out = 1;
    }
    const int outcome = inflate(stream, Z_FINISH);
    return outcome == Z_STREAM_END && stream->total_out == size;
  }

  static z_stream* StartInflate(const DecompressionDictionary* dictionary, Slice stream_bytes) {
    z_stream* stream = CodecContexts::Current()->Inflate();
    if (stream == nullptr || stream_bytes.size() > UINT32_MAX) return nullptr;
    if (dictionary != nullptr && !dictionary->bytes_.empty() &&
        inflateSetDictionary(stream, reinterpret_cast<const Bytef*>(dictionary->bytes_.data()),
                             static_cast<uInt>(dictionary->bytes_.size())) != Z_OK) {
      return nullptr;
    }
    stream->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(stream_bytes.data()));
    stream->avail_in = static_cast<uInt>(stream_bytes.size());
    return stream;
  }

  static bool UnBZip2Into(Slice stream_bytes, char* out, size_t size) {
    char unused = 0;
    auto produced = static_cast<unsigned>(size);
    char* to = out;
    if (size == 0) {
      to = &unused;
      produced = 1;
    }
    return BZ2_bzBuffToBuffDecompress(to, &produced, const_cast<char*>(stream_bytes.data()),
                                      static_cast<unsigned>(stream_bytes.size()), /*small=*/0,
                                      /*verbosity=*/0) == BZ_OK &&
           produced == size;
  }

  static bool UnLz4Into(const DecompressionDictionary* dictionary, Slice stream_bytes, char* out,
                        size_t size) {
    if (stream_bytes.size() > kInputSizeMax || size > kInputSizeMax) return false;
    const Slice bytes = dictionary != nullptr ? dictionary->bytes() : Slice();
    const int from_size = static_cast<int>(stream_bytes.size());
    const int to_size = static_cast<int>(size);
    const int produced =
        bytes.empty()
            ? LZ4_decompress_safe(stream_bytes.data(), out, from_size, to_size)
            : LZ4_decompress_safe_usingDict(stream_bytes.data(), out, from_size, to_size,
                                            bytes.data(),
                                            static_cast<int>(std::min(bytes.size(), kInputSizeMax)));
    return produced == to_size;
  }

  static bool UnZstdInto(const DecompressionDictionary* dictionary, Slice stream_bytes, char* out,
                         size_t size) {
    ZSTD_DCtx* context = CodecContexts::Current()->ZstdDecompressor();
    if (context == nullptr) return false;
    const size_t produced =
        dictionary != nullptr && dictionary->zstd_ != nullptr
            ? ZSTD_decompress_usingDDict(context, out, size, stream_bytes.data(),
                                         stream_bytes.size(),
                                         static_cast<ZSTD_DDict*>(dictionary->zstd_))
            : ZSTD_decompressDCtx(context, out, size, stream_bytes.data(), stream_bytes.size());
    return !ZSTD_isError(produced) && produced == size;
  }
};

size_t Compress(CompressionType type, const CodecOptions& options,
                const CompressionDictionary* dictionary, Slice raw, char* out, size_t capacity) {
  if (raw.size() > kInputSizeMax) return 0;
  if (type == CompressionType::kSnappy) {
    return CodecInternals::CompressSnappy(raw, out, capacity);
  }
  // All others start with the size.
  char prefix[kMaxVarint32Size];
  const auto prefix_size =
      static_cast<size_t>(EncodeVarint32(prefix, static_cast<uint32_t>(raw.size())) - prefix);
  if (capacity <= prefix_size) return 0;
  char* const body = out + prefix_size;
  const size_t room = capacity - prefix_size;
  size_t size = 0;
  switch (type) {
    case CompressionType::kZlib:
      size = CodecInternals::CompressZlib(options, dictionary, raw, body, room);
      break;
    case CompressionType::kBZip2:
      size = CodecInternals::CompressBZip2(raw, body, room);
      break;
    case CompressionType::kLz4:
      size = CodecInternals::CompressLz4(options, dictionary, raw, body, room);
      break;
    case CompressionType::kLz4hc:
      size = CodecInternals::CompressLz4hc(options, dictionary, raw, body, room);
      break;
    case CompressionType::kZstd:
      size = CodecInternals::CompressZstd(options, dictionary, raw, body, room);
      break;
    default:
      return 0;
  }
  if (size == 0) return 0;
  memcpy(out, prefix, prefix_size);
  return prefix_size + size;
}

size_t MaxCompressedSize(CompressionType type, size_t raw_size) {
  size_t body = raw_size;
  switch (type) {
    case CompressionType::kSnappy:
      body = snappy::MaxCompressedLength(raw_size);
      break;
    case CompressionType::kZlib:
      // What deflateBound() says for windows other than the default, and some slack.
      body = raw_size + (raw_size >> 3) + (raw_size >> 6) + 64;
      break;
    case CompressionType::kBZip2:
      body = raw_size + raw_size / 100 + 600;
      break;
    case CompressionType::kLz4:
    case CompressionType::kLz4hc:
      body = raw_size + raw_size / 255 + 16;
      break;
    case CompressionType::kZstd:
    case CompressionType::kZstdNotFinal:
      body = ZSTD_compressBound(raw_size) + 4;  // The checksum.
      break;
    default:
      break;
  }
  return kMaxVarint32Size + body;
}

namespace {

Status BadPayload(CompressionType type, const char* what) {
  const char* name = CodecName(type);
  return Status::Corruption(Concat(name != nullptr ? name : "unknown codec", " payload: ", what));
}

Status BadType(CompressionType type) {
  const char* name = CodecName(type);
  return Status::NotSupported(name != nullptr
                                  ? Concat("compression type not available: ", name)
                                  : Concat("unknown compression type ", static_cast<int>(type)));
}

bool HasNoSize(CompressionType type, uint32_t format_version) {
  return format_version < 2 &&
         (type == CompressionType::kZlib || type == CompressionType::kBZip2);
}

// What `bytes` bytes of a stream can decompress to at most.
uint64_t LargestOutput(CompressionType type, uint64_t bytes) {
  switch (type) {
    case CompressionType::kSnappy:
      return bytes * 22;  // Three bytes copy 64 at most.
    case CompressionType::kZlib:
      return bytes * 1032 + 1032;
    case CompressionType::kLz4:
    case CompressionType::kLz4hc:
      return bytes * 255 + 32;
    case CompressionType::kZstd:
    case CompressionType::kZstdNotFinal:
      return (bytes / 4 + 1) * (128 << 10);  // A block of one repeated byte takes four.
    default:
      return kOutputSizeMax;
  }
}

// Splits `payload` into the decompressed size it claims and the stream.
// Precondition: !HasNoSize().
Status SplitPayload(CompressionType type, uint32_t format_version, Slice payload, uint64_t* size,
                    Slice* stream) {
  *stream = payload;
  switch (type) {
    case CompressionType::kNone:
      *size = payload.size();
      return Status::Ok();
    case CompressionType::kSnappy: {
      size_t claimed = 0;
      if (!snappy::GetUncompressedLength(payload.data(), payload.size(), &claimed)) {
        return BadPayload(type, "no valid size");
      }
      *size = claimed;
      break;
    }
    case CompressionType::kLz4:
    case CompressionType::kLz4hc:
      if (format_version < 2) {
        if (!GetFixed64(stream, size)) return BadPayload(type, "shorter than its size field");
        break;
      }
      if (!GetVarint64(stream, size)) return BadPayload(type, "no valid size");
      break;
    case CompressionType::kZlib:
    case CompressionType::kBZip2:
    case CompressionType::kZstd:
    case CompressionType::kZstdNotFinal:
      if (!GetVarint64(stream, size)) return BadPayload(type, "no valid size");
      break;
    case CompressionType::kXpress:
    case CompressionType::kDisable:
      return BadType(type);
    default:
      return BadType(type);
  }
  if (*size > kOutputSizeMax || *size > LargestOutput(type, stream->size())) {
    return BadPayload(type, "claims a size it cannot have");
  }
  return Status::Ok();
}

char* AllocateWithPadding(size_t size, size_t padding) {
  return static_cast<char*>(malloc(size + padding + (size + padding == 0 ? 1 : 0)));
}

Status OutOfMemory(size_t size) {
  return Status(Status::Code::kAborted, Status::Subcode::kMemoryLimit,
                Concat("no memory for ", size, " bytes to decompress into"));
}

// Calls `step` with ever more room until the stream ends. `step` gets where to write and
// how much fits, sets how much was written, and returns 1 at the end, 0 for more, -1 for
// damage.
template <typename Step>
Result<CodecBuffer> DecompressGrowing(CompressionType type, size_t first_guess, size_t padding,
                                      Step step) {
  CodecBuffer buffer;
  size_t capacity = std::max<size_t>(first_guess, 256);
  buffer.data.reset(AllocateWithPadding(capacity, padding));
  while (true) {
    if (buffer.data == nullptr) return OutOfMemory(capacity);
    size_t written = 0;
    const int outcome = step(buffer.data.get() + buffer.size, capacity - buffer.size, &written);
    buffer.size += written;
    if (outcome < 0) return BadPayload(type, "damaged");
    if (outcome > 0) return buffer;
    if (buffer.size < capacity) return BadPayload(type, "cut short");
    if (capacity > kOutputSizeMax / 2) return BadPayload(type, "too large");
    capacity *= 2;
    char* moved = AllocateWithPadding(capacity, padding);
    if (moved != nullptr) memcpy(moved, buffer.data.get(), buffer.size);
    buffer.data.reset(moved);
  }
}

}  // namespace

Result<size_t> UncompressedSize(CompressionType type, uint32_t format_version, Slice payload) {
  if (HasNoSize(type, format_version)) {
    return Status::NotSupported("the payload does not tell its decompressed size");
  }
  uint64_t size = 0;
  Slice stream;
  if (Status s = SplitPayload(type, format_version, payload, &size, &stream); !s.ok()) return s;
  return static_cast<size_t>(size);
}

Status UncompressInto(CompressionType type, uint32_t format_version,
                      const DecompressionDictionary* dictionary, Slice payload, char* out,
                      size_t size) {
  uint64_t claimed = size;
  Slice stream = payload;
  if (!HasNoSize(type, format_version)) {
    if (Status s = SplitPayload(type, format_version, payload, &claimed, &stream); !s.ok()) {
      return s;
    }
    if (claimed != size) return BadPayload(type, "another size than the caller expects");
  }
  bool good = false;
  switch (type) {
    case CompressionType::kNone:
      if (size != 0) memcpy(out, stream.data(), size);
      good = true;
      break;
    case CompressionType::kSnappy:
      good = snappy::RawUncompress(stream.data(), stream.size(), out);
      break;
    case CompressionType::kZlib:
      good = CodecInternals::InflateInto(dictionary, stream, out, size);
      break;
    case CompressionType::kBZip2:
      good = CodecInternals::UnBZip2Into(stream, out, size);
      break;
    case CompressionType::kLz4:
    case CompressionType::kLz4hc:
      good = CodecInternals::UnLz4Into(dictionary, stream, out, size);
      break;
    case CompressionType::kZstd:
    case CompressionType::kZstdNotFinal:
      good = CodecInternals::UnZstdInto(dictionary, stream, out, size);
      break;
    default:
      return BadType(type);
  }
  return good ? Status::Ok() : BadPayload(type, "does not decompress to the size it claims");
}

Result<CodecBuffer> Uncompress(CompressionType type, uint32_t format_version,
                               const DecompressionDictionary* dictionary, Slice payload,
                               size_t padding) {
  if (HasNoSize(type, format_version)) {
    if (type == CompressionType::kZlib) {
      z_stream* stream = CodecInternals::StartInflate(dictionary, payload);
      if (stream == nullptr) return BadPayload(type, "cannot be read");
      return DecompressGrowing(
          type, payload.size() * 4, padding, [stream](char* out, size_t room, size_t* written) {
            stream->next_out = reinterpret_cast<Bytef*>(out);
            stream->avail_out = static_cast<uInt>(room);
            const int outcome = inflate(stream, Z_SYNC_FLUSH);
            *written = room - stream->avail_out;
            if (outcome == Z_STREAM_END) return 1;
            return outcome == Z_OK || outcome == Z_BUF_ERROR ? 0 : -1;
          });
    }
    bz_stream stream{};
    if (BZ2_bzDecompressInit(&stream, /*verbosity=*/0, /*small=*/0) != BZ_OK) {
      return OutOfMemory(payload.size());
    }
    stream.next_in = const_cast<char*>(payload.data());
    stream.avail_in = static_cast<unsigned>(payload.size());
    Result<CodecBuffer> result = DecompressGrowing(
        type, payload.size() * 4, padding, [&stream](char* out, size_t room, size_t* written) {
          stream.next_out = out;
          stream.avail_out = static_cast<unsigned>(room);
          const int outcome = BZ2_bzDecompress(&stream);
          *written = room - stream.avail_out;
          if (outcome == BZ_STREAM_END) return 1;
          return outcome == BZ_OK ? 0 : -1;
        });
    BZ2_bzDecompressEnd(&stream);
    return result;
  }

  Result<size_t> size = UncompressedSize(type, format_version, payload);
  if (!size.ok()) return size.status();
  CodecBuffer buffer;
  buffer.size = *size;
  buffer.data.reset(AllocateWithPadding(*size, padding));
  if (buffer.data == nullptr) return OutOfMemory(*size);
  Status s = UncompressInto(type, format_version, dictionary, payload, buffer.data.get(), *size);
  if (!s.ok()) return s;
  return buffer;
}

}  // namespace skarn
