#include "core/table/block_compressor.h"

#include <utility>

#include "core/table/footer.h"

namespace skarn {

namespace {

// Larger payloads do not fit the codecs' lengths.
constexpr size_t kCompressibleSizeMax = (size_t{1} << 31) - 1;

CompressionType Usable(CompressionType type) {
  return IsCodecAvailable(type) && type != CompressionType::kZstdNotFinal ? type
                                                                          : CompressionType::kNone;
}

}  // namespace

bool SupportsDictionary(CompressionType type) {
  return type == CompressionType::kZlib || type == CompressionType::kLz4 ||
         type == CompressionType::kLz4hc || type == CompressionType::kZstd;
}

BlockCompressor::BlockCompressor(CompressionType type, const CodecOptions& options,
                                 std::string dictionary, bool verify)
    : type_(Usable(type)), options_(options), verify_(verify) {
  if (!dictionary.empty() && SupportsDictionary(type_)) {
    if (verify_) verification_ = std::make_unique<DecompressionDictionary>(dictionary);
    dictionary_ = std::make_unique<CompressionDictionary>(type_, options_, std::move(dictionary));
  }
}

Status BlockCompressor::Compress(Slice raw, char* out, size_t* size) const {
  *size = 0;
  if (type_ == CompressionType::kNone || raw.size() > kCompressibleSizeMax) return Status::Ok();
  const size_t capacity = OutputCapacity(raw.size());
  if (capacity == 0) return Status::Ok();
  *size = skarn::Compress(type_, options_, dictionary_.get(), raw, out, capacity);
  if (*size == 0 || !verify_) return Status::Ok();

  Result<CodecBuffer> again =
      Uncompress(type_, kFormatVersionMax, verification_.get(), Slice(out, *size));
  if (!again.ok()) {
    return Status::Corruption("Could not decompress a block that was just compressed",
                              again.status().message());
  }
  if (again->slice() != raw) {
    return Status::Corruption("Decompressed block did not match raw block");
  }
  return Status::Ok();
}

}  // namespace skarn
