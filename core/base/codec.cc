#include "core/base/codec.h"

#include <algorithm>
#include <utility>

#include "core/base/codec_contexts.h"

namespace skarn {

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
    zstd_ =
        ZSTD_createCDict(bytes_.data(), bytes_.size(), CodecLevelOr(options, ZSTD_CLEVEL_DEFAULT));
  }
  if (type == CompressionType::kLz4) {
    LZ4_stream_t* stream = LZ4_createStream();
    // LZ4 uses the last 64 KiB.
    if (stream != nullptr) {
      LZ4_loadDict(stream, bytes_.data(),
                   static_cast<int>(std::min(bytes_.size(), kCodecInputSizeMax)));
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

}  // namespace skarn
