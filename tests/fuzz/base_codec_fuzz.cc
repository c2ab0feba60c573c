// Compressed payloads of any bytes under every codec, with and without a dictionary, and log
// streams. The first byte chooses.

#include "core/base/codec.h"
#include "tests/fuzz/fuzz.h"

using namespace skarn;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  FuzzInput input(data, size);
  const uint8_t choice = input.Byte();
  if (choice == 0xff) {
    StreamDecompressor stream;
    stream.Begin();
    std::string out;
    for (const Slice piece : input.Pieces()) {
      if (!stream.Feed(piece, &out, /*size_max=*/1 << 20).ok()) stream.Begin();
      Require(out.size() <= 1 << 20);
    }
    return 0;
  }
  const std::vector<CompressionType>& codecs = AvailableCodecs();
  const CompressionType type = codecs[choice % codecs.size()];
  const uint32_t version = (choice & 0x40) != 0 ? 2 : 1;
  std::unique_ptr<DecompressionDictionary> dictionary;
  if ((choice & 0x80) != 0) {
    dictionary = std::make_unique<DecompressionDictionary>(input.Bytes(255).ToString());
  }
  const Slice payload = input.rest();
  const Result<size_t> told = UncompressedSize(type, version, payload);
  // A small payload may say that it grows to a gigabyte, and does: not worth the time here.
  if (told.ok() && *told > (size_t{16} << 20)) return 0;
  const Result<CodecBuffer> buffer = Uncompress(type, version, dictionary.get(), payload);
  if (!buffer.ok()) return 0;
  if (told.ok()) Require(*told == buffer->size);
  if (type == CompressionType::kNone) return 0;
  const size_t capacity = MaxCompressedSize(type, buffer->size);
  std::string packed(capacity, '\0');
  const size_t packed_size =
      Compress(type, CodecOptions(), nullptr, buffer->slice(), packed.data(), capacity);
  if (packed_size == 0) return 0;
  const Result<CodecBuffer> again = Uncompress(type, 2, nullptr, Slice(packed.data(), packed_size));
  Require(again.ok() && again->slice() == buffer->slice());
  return 0;
}
