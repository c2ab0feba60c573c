// BlockCompressor turns the bytes of a block into what is stored of it.
//
// Thread safety: any thread; immutable.

#ifndef SKARN_CORE_TABLE_BLOCK_COMPRESSOR_H_
#define SKARN_CORE_TABLE_BLOCK_COMPRESSOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/codec.h"
#include "core/base/slice.h"
#include "core/base/status.h"

namespace skarn {

class BlockCompressor {
 public:
  // `type` falls back to kNone when its codec is not available. `dictionary` may be
  // empty. With `verify`, every payload is decompressed again and compared.
  BlockCompressor(CompressionType type, const CodecOptions& options, std::string dictionary,
                  bool verify);

  CompressionType type() const { return type_; }

  // Room that Compress() wants at `out` for `raw_size` bytes.
  size_t OutputCapacity(size_t raw_size) const { return WorthwhileSize(raw_size, options_); }
  // Writes the compressed payload to `out` and its size to `*size`; 0 when the block is
  // better stored as it is.
  // Errors: Corruption when `verify` finds a difference.
  Status Compress(Slice raw, char* out, size_t* size) const;

 private:
  const CompressionType type_;
  const CodecOptions options_;
  const bool verify_;
  std::unique_ptr<CompressionDictionary> dictionary_;      // Null: none.
  std::unique_ptr<DecompressionDictionary> verification_;  // Null: none, or not verifying.
};

// Whether blocks of the type can have a dictionary.
bool SupportsDictionary(CompressionType type);

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_BLOCK_COMPRESSOR_H_
