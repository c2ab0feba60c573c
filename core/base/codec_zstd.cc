// What codec.h offers for ZSTD alone: training of dictionaries, and streams.

#include <zdict.h>
#include <zstd.h>

#include <algorithm>

#include "core/base/codec.h"

namespace skarn {

std::string TrainZstdDictionary(Slice samples, const std::vector<size_t>& sample_sizes,
                                size_t max_bytes) {
  if (samples.empty() || max_bytes == 0) return std::string();
  std::string dictionary(max_bytes, '\0');
  const size_t size =
      ZDICT_trainFromBuffer(dictionary.data(), dictionary.size(), samples.data(),
                            sample_sizes.data(), static_cast<unsigned>(sample_sizes.size()));
  if (ZDICT_isError(size)) return std::string();
  dictionary.resize(size);
  return dictionary;
}

// The smallest that ZDICT_finalizeDictionary() works with.
static constexpr size_t kDictionarySizeMin = 256;

std::string FinalizeZstdDictionary(Slice samples, const std::vector<size_t>& sample_sizes,
                                   size_t max_bytes, int level) {
  if (samples.empty() || max_bytes == 0) return std::string();
  ZDICT_params_t parameters{};
  parameters.compressionLevel = level == CodecOptions::kDefaultLevel ? ZSTD_CLEVEL_DEFAULT : level;
  std::string dictionary(std::max(max_bytes, kDictionarySizeMin), '\0');
  const size_t size = ZDICT_finalizeDictionary(
      dictionary.data(), dictionary.size(), samples.data(), std::min(samples.size(), max_bytes),
      samples.data(), sample_sizes.data(), static_cast<unsigned>(sample_sizes.size()), parameters);
  if (ZDICT_isError(size) || size > max_bytes) return std::string();
  dictionary.resize(size);
  return dictionary;
}

struct StreamCompressor::Rep {
  ZSTD_CCtx* context = nullptr;
  ZSTD_inBuffer input{};
};

StreamCompressor::StreamCompressor() : rep_(std::make_unique<Rep>()) {
  rep_->context = ZSTD_createCCtx();
  if (rep_->context != nullptr) {
    ZSTD_CCtx_setParameter(rep_->context, ZSTD_c_checksumFlag, 1);
  }
}

StreamCompressor::~StreamCompressor() { ZSTD_freeCCtx(rep_->context); }

void StreamCompressor::Begin(Slice record) {
  if (rep_->context != nullptr) ZSTD_CCtx_reset(rep_->context, ZSTD_reset_session_only);
  rep_->input = {record.data(), record.size(), 0};
}

Status StreamCompressor::Next(char* out, size_t capacity, size_t* size, bool* done) {
  *size = 0;
  *done = false;
  if (rep_->context == nullptr) {
    return Status(Status::Code::kAborted, Status::Subcode::kMemoryLimit,
                  "no memory for a compression context");
  }
  ZSTD_outBuffer output{out, capacity, 0};
  const size_t remaining = ZSTD_compressStream2(rep_->context, &output, &rep_->input, ZSTD_e_end);
  if (ZSTD_isError(remaining)) {
    return Status::Corruption("compression failed", ZSTD_getErrorName(remaining));
  }
  *size = output.pos;
  *done = remaining == 0;
  return Status::Ok();
}

struct StreamDecompressor::Rep {
  ZSTD_DCtx* context = nullptr;
  bool frame_ended = false;
};

StreamDecompressor::StreamDecompressor() : rep_(std::make_unique<Rep>()) {
  rep_->context = ZSTD_createDCtx();
}

StreamDecompressor::~StreamDecompressor() { ZSTD_freeDCtx(rep_->context); }

void StreamDecompressor::Begin() {
  if (rep_->context != nullptr) ZSTD_DCtx_reset(rep_->context, ZSTD_reset_session_only);
  rep_->frame_ended = false;
}

bool StreamDecompressor::frame_ended() const { return rep_->frame_ended; }

Status StreamDecompressor::Feed(Slice chunk, std::string* out, size_t size_max) {
  if (rep_->context == nullptr) {
    return Status(Status::Code::kAborted, Status::Subcode::kMemoryLimit,
                  "no memory for a decompression context");
  }
  constexpr size_t kStep = 32 << 10;
  ZSTD_inBuffer input{chunk.data(), chunk.size(), 0};
  while (true) {
    const size_t before = out->size();
    out->resize(before + kStep);
    ZSTD_outBuffer output{out->data() + before, kStep, 0};
    const size_t hint = ZSTD_decompressStream(rep_->context, &output, &input);
    out->resize(before + output.pos);
    if (ZSTD_isError(hint)) {
      return Status::Corruption("compressed record is damaged", ZSTD_getErrorName(hint));
    }
    if (out->size() > size_max) return Status::Corruption("compressed record is too large");
    rep_->frame_ended = hint == 0;
    // A full output may mean that more waits inside; an unfinished input always does.
    const bool more = input.pos < input.size || output.pos == kStep;
    if (!more || (rep_->frame_ended && input.pos == input.size)) return Status::Ok();
  }
}

}  // namespace skarn
