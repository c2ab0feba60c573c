// Compress() and what belongs to it.

#include <bzlib.h>
#include <snappy.h>

#include <algorithm>
#include <cstring>

#include "core/base/codec.h"
#include "core/base/codec_contexts.h"
#include "core/base/coding.h"

// In the LZ4 library for long, but declared by its header only from 1.10 on. Weak, so
// that a library without it still links.
extern "C" int LZ4_compress_fast_extState_fastReset(void* state, const char* from, char* to,
                                                    int from_size, int to_capacity,
                                                    int acceleration) __attribute__((weak));

namespace skarn {

namespace {

// Readers of the format inflate with a window of 16 KiB.
constexpr int kZlibWindowBits = -14;
constexpr int kBZip2BlockSize = 1;  // In 100 KB.

}  // namespace

// The bodies. Each writes only the stream, without the size prefix, and returns its
// size, or 0 when it does not fit.
struct CodecWriters {
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
    z_stream* stream = CodecContexts::Current()->Deflate(
        CodecLevelOr(options, Z_DEFAULT_COMPRESSION), window_bits, options.strategy);
    if (stream == nullptr) return 0;
    if (dictionary != nullptr && !dictionary->bytes().empty() &&
        deflateSetDictionary(stream, reinterpret_cast<const Bytef*>(dictionary->bytes().data()),
                             static_cast<uInt>(dictionary->bytes().size())) != Z_OK) {
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
    const int level = CodecLevelOr(options, 0);
    const int acceleration = level < 0 ? -level : 1;
    const int raw_size = static_cast<int>(raw.size());
    const int limit = static_cast<int>(std::min(capacity, kCodecInputSizeMax));
    int size = 0;
    if (dictionary != nullptr && CodecInternals::Lz4(*dictionary) != nullptr) {
      // A copy of the prepared state is cheaper than loading the dictionary again.
      memcpy(stream, CodecInternals::Lz4(*dictionary), sizeof(*stream));
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
    LZ4_resetStreamHC_fast(stream, CodecLevelOr(options, 0));
    if (dictionary != nullptr && !dictionary->bytes().empty()) {
      LZ4_loadDictHC(stream, dictionary->bytes().data(),
                     static_cast<int>(std::min(dictionary->bytes().size(), kCodecInputSizeMax)));
    }
    const int size =
        LZ4_compress_HC_continue(stream, raw.data(), out, static_cast<int>(raw.size()),
                                 static_cast<int>(std::min(capacity, kCodecInputSizeMax)));
    return size > 0 ? static_cast<size_t>(size) : 0;
  }

  static size_t CompressZstd(const CodecOptions& options, const CompressionDictionary* dictionary,
                             Slice raw, char* out, size_t capacity) {
    ZSTD_CCtx* context = CodecContexts::Current()->ZstdCompressor();
    if (context == nullptr) return 0;
    ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters);
    if (ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel,
                                            CodecLevelOr(options, ZSTD_CLEVEL_DEFAULT)))) {
      return 0;
    }
    if (options.checksum) ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    if (dictionary != nullptr && CodecInternals::Zstd(*dictionary) != nullptr) {
      ZSTD_CCtx_refCDict(context, CodecInternals::Zstd(*dictionary));
    }
    const size_t size = ZSTD_compress2(context, out, capacity, raw.data(), raw.size());
    return ZSTD_isError(size) ? 0 : size;
  }
};

size_t Compress(CompressionType type, const CodecOptions& options,
                const CompressionDictionary* dictionary, Slice raw, char* out, size_t capacity) {
  if (raw.size() > kCodecInputSizeMax) return 0;
  if (type == CompressionType::kSnappy) {
    return CodecWriters::CompressSnappy(raw, out, capacity);
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
      size = CodecWriters::CompressZlib(options, dictionary, raw, body, room);
      break;
    case CompressionType::kBZip2:
      size = CodecWriters::CompressBZip2(raw, body, room);
      break;
    case CompressionType::kLz4:
      size = CodecWriters::CompressLz4(options, dictionary, raw, body, room);
      break;
    case CompressionType::kLz4hc:
      size = CodecWriters::CompressLz4hc(options, dictionary, raw, body, room);
      break;
    case CompressionType::kZstd:
      size = CodecWriters::CompressZstd(options, dictionary, raw, body, room);
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

}  // namespace skarn
