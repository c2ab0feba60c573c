// Makes the compression dictionary of a table from its first data blocks.
//
// Thread safety: a pure function.

#ifndef SKARN_CORE_TABLE_DICTIONARY_SAMPLER_H_
#define SKARN_CORE_TABLE_DICTIONARY_SAMPLER_H_

#include <memory>
#include <string>
#include <vector>

#include "core/base/codec.h"
#include "core/table/block_batch.h"

namespace skarn {

// Takes samples spread evenly over the blocks, and of them makes what the options ask
// for: the samples themselves, or a dictionary that ZSTD trains or lays out. Empty when
// there is too little to make one of.
std::string MakeDictionary(CompressionType type, const CodecOptions& options,
                           const std::vector<std::unique_ptr<BlockBatch>>& batches);

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_DICTIONARY_SAMPLER_H_
