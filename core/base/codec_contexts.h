// What the codec files share: the contexts a thread keeps, and a few limits; nothing
// for other rooms.
//
// Thread safety: each thread has its own.

#ifndef SKARN_CORE_BASE_CODEC_CONTEXTS_H_
#define SKARN_CORE_BASE_CODEC_CONTEXTS_H_

#include <lz4.h>
#include <lz4hc.h>
#include <zlib.h>
#include <zstd.h>

#include <cstddef>

#include "core/base/codec.h"
#include "core/base/cpu.h"
#include "core/base/thread_context.h"

namespace skarn {

// Larger payloads are stored as they are: several codecs count in int.
inline constexpr size_t kCodecInputSizeMax = 0x7E000000;
static_assert(kCodecInputSizeMax <= LZ4_MAX_INPUT_SIZE);

// Opens the dictionaries to the codec files.
struct CodecInternals {
  static const ZSTD_CDict* Zstd(const CompressionDictionary& dictionary) {
    return static_cast<const ZSTD_CDict*>(dictionary.zstd_);
  }
  static const LZ4_stream_t* Lz4(const CompressionDictionary& dictionary) {
    return static_cast<const LZ4_stream_t*>(dictionary.lz4_);
  }
  static const ZSTD_DDict* Zstd(const DecompressionDictionary& dictionary) {
    return static_cast<const ZSTD_DDict*>(dictionary.zstd_);
  }
};

inline int CodecLevelOr(const CodecOptions& options, int fallback) {
  return options.level == CodecOptions::kDefaultLevel ? fallback : options.level;
}

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
    deflate_ready_ =
        deflateInit2(&deflate_, level, Z_DEFLATED, window_bits, kZlibMemLevel, strategy) == Z_OK;
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
  static constexpr int kZlibMemLevel = 8;
  // The largest window; writers of the format use half of it.
  static constexpr int kZlibWindowBitsForReading = -15;

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

// Frees what a thread's contexts hold; nullptr is fine.
void DestroyCodecContexts(CodecContexts* contexts);

}  // namespace skarn

#endif  // SKARN_CORE_BASE_CODEC_CONTEXTS_H_
