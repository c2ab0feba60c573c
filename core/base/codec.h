// Compression of blocks, log records and values, in the payload layouts of
// docs/formats/sst.md, section 6.
//
// Contexts of the codecs are kept per thread and reused. Reading never trusts a length:
// a wrong payload is a Corruption, never a crash, and output never passes its buffer.
//
// Thread safety: the functions and both dictionary classes: any thread. The stream
// classes: one thread at a time.

#ifndef SKARN_CORE_BASE_CODEC_H_
#define SKARN_CORE_BASE_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/slice.h"

namespace skarn {

// Stored on disk: never renumber, never reuse.
enum class CompressionType : uint8_t {
  kNone = 0,
  kSnappy = 1,
  kZlib = 2,
  kBZip2 = 3,
  kLz4 = 4,
  kLz4hc = 5,
  kXpress = 6,  // Another system's; never available.
  kZstd = 7,
  kZstdNotFinal = 0x40,  // Read like kZstd; never written.
  kDisable = 0xff,       // "Not set" in options; never on disk.
};

// Whether payloads of this type can be written and read here. kNone counts.
bool IsCodecAvailable(CompressionType type);
// The spelling of the table property: "NoCompression", "Snappy", "ZSTD"; or nullptr.
const char* CodecName(CompressionType type);
// The types that can be written, ascending, kNone first.
const std::vector<CompressionType>& AvailableCodecs();

struct CodecOptions {
  // "The codec's own default", for each codec something else.
  static constexpr int kDefaultLevel = 32767;

  int window_bits = -14;
  int level = kDefaultLevel;
  int strategy = 0;
  uint32_t max_dict_bytes = 0;
  uint32_t zstd_max_train_bytes = 0;
  uint32_t parallel_threads = 1;
  bool enabled = false;
  uint64_t max_dict_buffer_bytes = 0;
  bool use_zstd_dict_trainer = true;
  int max_compressed_bytes_per_kb = 896;
  // ZSTD frames end with a checksum of their content.
  bool checksum = false;

  friend bool operator==(const CodecOptions&, const CodecOptions&) = default;
};

// A dictionary made ready for compressing with one codec at one level.
class CompressionDictionary {
 public:
  CompressionDictionary(CompressionType type, const CodecOptions& options, std::string bytes);
  ~CompressionDictionary();
  CompressionDictionary(const CompressionDictionary&) = delete;
  CompressionDictionary& operator=(const CompressionDictionary&) = delete;

  Slice bytes() const { return bytes_; }

 private:
  friend struct CodecInternals;
  const std::string bytes_;
  void* zstd_ = nullptr;  // ZSTD_CDict, when the codec is ZSTD.
  void* lz4_ = nullptr;   // LZ4_stream_t with the dictionary loaded, when LZ4.
};

// A dictionary made ready for reading; serves payloads of every codec.
class DecompressionDictionary {
 public:
  explicit DecompressionDictionary(std::string bytes);
  ~DecompressionDictionary();
  DecompressionDictionary(const DecompressionDictionary&) = delete;
  DecompressionDictionary& operator=(const DecompressionDictionary&) = delete;

  Slice bytes() const { return bytes_; }
  // Memory held, for cache charges.
  size_t MemoryUsage() const;

 private:
  friend struct CodecInternals;
  const std::string bytes_;
  void* zstd_ = nullptr;  // ZSTD_DDict.
};

// Compresses `raw` into at most `capacity` bytes at `out`, size prefix included, and
// returns how many; 0 when the result would not fit or the codec cannot. Callers that
// want a block to shrink give the largest size worth keeping as `capacity`, and the
// codec gives up early. `dictionary` may be null. The layout is that of `format_version`
// 2 and later.
// Precondition: IsCodecAvailable(type) and type is not kNone.
size_t Compress(CompressionType type, const CodecOptions& options,
                const CompressionDictionary* dictionary, Slice raw, char* out, size_t capacity);

// The largest result worth keeping for a block of `raw_size` bytes under `options`.
inline size_t WorthwhileSize(size_t raw_size, const CodecOptions& options) {
  if (options.max_compressed_bytes_per_kb <= 0) return 0;
  return static_cast<size_t>(static_cast<unsigned __int128>(raw_size) *
                             static_cast<unsigned>(options.max_compressed_bytes_per_kb) / 1024);
}
// A capacity with which Compress() never fails for lack of room.
size_t MaxCompressedSize(CompressionType type, size_t raw_size);

struct FreeDeleter {
  void operator()(char* memory) const { free(memory); }
};
// Bytes from malloc().
struct CodecBuffer {
  std::unique_ptr<char, FreeDeleter> data;
  size_t size = 0;
  Slice slice() const { return Slice(data.get(), size); }
};

// The size `payload` decompresses to, as far as it says so: Zlib and BZip2 under
// format_version 0 and 1 do not, which is a NotSupported. A size that the codec could
// not have reached from this payload is a Corruption. The rest of the payload is not
// looked at.
Result<size_t> UncompressedSize(CompressionType type, uint32_t format_version, Slice payload);

// Decompresses into exactly `size` bytes at `out`. Precondition: `size` is what
// UncompressedSize() returned. `dictionary` may be null.
Status UncompressInto(CompressionType type, uint32_t format_version,
                      const DecompressionDictionary* dictionary, Slice payload, char* out,
                      size_t size);

// Decompresses into a new buffer, with `padding` more bytes allocated after its end.
// Works for every layout, also those that do not tell their size.
Result<CodecBuffer> Uncompress(CompressionType type, uint32_t format_version,
                               const DecompressionDictionary* dictionary, Slice payload,
                               size_t padding = 0);

// Makes a ZSTD dictionary of at most `max_bytes` from samples that lie one after the
// other in `samples`. Empty when the samples are too few.
std::string TrainZstdDictionary(Slice samples, const std::vector<size_t>& sample_sizes,
                                size_t max_bytes);
// Turns raw sample data into a ZSTD dictionary with tables for `level`.
std::string FinalizeZstdDictionary(Slice samples, const std::vector<size_t>& sample_sizes,
                                   size_t max_bytes, int level);

// Compresses log records with ZSTD, each into one frame with a checksum, a chunk at a
// time (docs/formats/wal.md, section 2.1).
class StreamCompressor {
 public:
  StreamCompressor();
  ~StreamCompressor();
  StreamCompressor(const StreamCompressor&) = delete;
  StreamCompressor& operator=(const StreamCompressor&) = delete;

  // Starts a new frame. `record` must outlive the calls of Next().
  void Begin(Slice record);
  // Writes the next chunk, at most `capacity` bytes; `*done` when it was the last.
  Status Next(char* out, size_t capacity, size_t* size, bool* done);

 private:
  struct Rep;
  std::unique_ptr<Rep> rep_;
};

// Reads what StreamCompressor wrote.
class StreamDecompressor {
 public:
  StreamDecompressor();
  ~StreamDecompressor();
  StreamDecompressor(const StreamDecompressor&) = delete;
  StreamDecompressor& operator=(const StreamDecompressor&) = delete;

  // Starts a new frame, whatever came before.
  void Begin();
  // Appends to `*out` everything that `chunk` decompresses to, which may be nothing.
  // Corruption when it is no ZSTD data, or when `*out` would grow past `size_max`.
  Status Feed(Slice chunk, std::string* out, size_t size_max);
  // Whether the frame has ended.
  bool frame_ended() const;

 private:
  struct Rep;
  std::unique_ptr<Rep> rep_;
};

}  // namespace skarn

#endif  // SKARN_CORE_BASE_CODEC_H_
