#include "core/table/dictionary_sampler.h"

#include <algorithm>

#include "core/base/slice.h"

namespace skarn {

std::string MakeDictionary(CompressionType type, const CodecOptions& options,
                           const std::vector<std::unique_ptr<BlockBatch>>& batches) {
  std::vector<Slice> blocks;
  uint64_t total = 0;
  for (const auto& batch : batches) {
    const char* at = batch->raw.data();
    for (const BlockBatch::Item& item : batch->items) {
      blocks.emplace_back(at, item.raw_size);
      at += item.raw_size;
      total += item.raw_size;
    }
  }
  if (blocks.empty()) return std::string();

  const bool train = type == CompressionType::kZstd && options.zstd_max_train_bytes > 0;
  const uint64_t sample_bytes = train ? options.zstd_max_train_bytes : options.max_dict_bytes;
  // As many blocks as the samples have room for, at equal distances.
  const uint64_t average = std::max<uint64_t>(total / blocks.size(), 1);
  const uint64_t wanted =
      std::clamp<uint64_t>((sample_bytes + average - 1) / average, 1, blocks.size());
  std::string samples;
  std::vector<size_t> sizes;
  for (uint64_t i = 0; i < wanted && samples.size() < sample_bytes; ++i) {
    const Slice block = blocks[static_cast<size_t>(i * blocks.size() / wanted)];
    const size_t size = std::min<size_t>(block.size(), sample_bytes - samples.size());
    samples.append(block.data(), size);
    sizes.push_back(size);
  }
  if (!train) return samples;
  if (options.use_zstd_dict_trainer) {
    return TrainZstdDictionary(samples, sizes, options.max_dict_bytes);
  }
  return FinalizeZstdDictionary(samples, sizes, options.max_dict_bytes, options.level);
}

}  // namespace skarn
