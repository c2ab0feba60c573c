// Uncompress() and what belongs to it.

#include <bzlib.h>
#include <snappy.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/base/codec.h"
#include "core/base/codec_contexts.h"
#include "core/base/coding.h"

namespace skarn {

// The bodies. Each fills exactly `size` bytes, or returns false.
struct CodecReaders {
  static bool InflateInto(const DecompressionDictionary* dictionary, Slice stream_bytes, char* out,
                          size_t size) {
    z_stream* stream = StartInflate(dictionary, stream_bytes);
    if (stream == nullptr) return false;
    stream->next_out = reinterpret_cast<Bytef*>(out);
    stream->avail_out = static_cast<uInt>(size);
    // An empty output needs a place to point at all the same.
    char unused = 0;
    if (size == 0) {
      stream->next_out = reinterpret_cast<Bytef*>(&unused);
      stream->avail_out = 1;
    }
    const int outcome = inflate(stream, Z_FINISH);
    return outcome == Z_STREAM_END && stream->total_out == size;
  }

  static z_stream* StartInflate(const DecompressionDictionary* dictionary, Slice stream_bytes) {
    z_stream* stream = CodecContexts::Current()->Inflate();
    if (stream == nullptr || stream_bytes.size() > UINT32_MAX) return nullptr;
    if (dictionary != nullptr && !dictionary->bytes().empty() &&
        inflateSetDictionary(stream, reinterpret_cast<const Bytef*>(dictionary->bytes().data()),
                             static_cast<uInt>(dictionary->bytes().size())) != Z_OK) {
      return nullptr;
    }
    stream->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(stream_bytes.data()));
    stream->avail_in = static_cast<uInt>(stream_bytes.size());
    return stream;
  }

  static bool UnBZip2Into(Slice stream_bytes, char* out, size_t size) {
    char unused = 0;
    auto produced = static_cast<unsigned>(size);
    char* to = out;
    if (size == 0) {
      to = &unused;
      produced = 1;
    }
    return BZ2_bzBuffToBuffDecompress(to, &produced, const_cast<char*>(stream_bytes.data()),
                                      static_cast<unsigned>(stream_bytes.size()), /*small=*/0,
                                      /*verbosity=*/0) == BZ_OK &&
           produced == size;
  }

  static bool UnLz4Into(const DecompressionDictionary* dictionary, Slice stream_bytes, char* out,
                        size_t size) {
    if (stream_bytes.size() > kCodecInputSizeMax || size > kCodecInputSizeMax) return false;
    const Slice bytes = dictionary != nullptr ? dictionary->bytes() : Slice();
    const int from_size = static_cast<int>(stream_bytes.size());
    const int to_size = static_cast<int>(size);
    const int produced = bytes.empty()
                             ? LZ4_decompress_safe(stream_bytes.data(), out, from_size, to_size)
                             : LZ4_decompress_safe_usingDict(
                                   stream_bytes.data(), out, from_size, to_size, bytes.data(),
                                   static_cast<int>(std::min(bytes.size(), kCodecInputSizeMax)));
    return produced == to_size;
  }

  static bool UnZstdInto(const DecompressionDictionary* dictionary, Slice stream_bytes, char* out,
                         size_t size) {
    ZSTD_DCtx* context = CodecContexts::Current()->ZstdDecompressor();
    if (context == nullptr) return false;
    const size_t produced =
        dictionary != nullptr && CodecInternals::Zstd(*dictionary) != nullptr
            ? ZSTD_decompress_usingDDict(context, out, size, stream_bytes.data(),
                                         stream_bytes.size(), CodecInternals::Zstd(*dictionary))
            : ZSTD_decompressDCtx(context, out, size, stream_bytes.data(), stream_bytes.size());
    return !ZSTD_isError(produced) && produced == size;
  }
};

namespace {

// What files may claim as the decompressed size of one payload.
constexpr uint64_t kOutputSizeMax = std::numeric_limits<uint32_t>::max();

Status BadPayload(CompressionType type, const char* what) {
  const char* name = CodecName(type);
  return Status::Corruption(Concat(name != nullptr ? name : "unknown codec", " payload: ", what));
}

Status BadType(CompressionType type) {
  const char* name = CodecName(type);
  return Status::NotSupported(name != nullptr
                                  ? Concat("compression type not available: ", name)
                                  : Concat("unknown compression type ", static_cast<int>(type)));
}

bool HasNoSize(CompressionType type, uint32_t format_version) {
  return format_version < 2 && (type == CompressionType::kZlib || type == CompressionType::kBZip2);
}

// What `bytes` bytes of a stream can decompress to at most.
uint64_t LargestOutput(CompressionType type, uint64_t bytes) {
  switch (type) {
    case CompressionType::kSnappy:
      return bytes * 22;  // Three bytes copy 64 at most.
    case CompressionType::kZlib:
      return bytes * 1032 + 1032;
    case CompressionType::kLz4:
    case CompressionType::kLz4hc:
      return bytes * 255 + 32;
    case CompressionType::kZstd:
    case CompressionType::kZstdNotFinal:
      return (bytes / 4 + 1) * (128 << 10);  // A block of one repeated byte takes four.
    default:
      return kOutputSizeMax;
  }
}

// Splits `payload` into the decompressed size it claims and the stream.
// Precondition: !HasNoSize().
Status SplitPayload(CompressionType type, uint32_t format_version, Slice payload, uint64_t* size,
                    Slice* stream) {
  *stream = payload;
  switch (type) {
    case CompressionType::kNone:
      *size = payload.size();
      return Status::Ok();
    case CompressionType::kSnappy: {
      size_t claimed = 0;
      if (!snappy::GetUncompressedLength(payload.data(), payload.size(), &claimed)) {
        return BadPayload(type, "no valid size");
      }
      *size = claimed;
      break;
    }
    case CompressionType::kLz4:
    case CompressionType::kLz4hc:
      if (format_version < 2) {
        if (!GetFixed64(stream, size)) return BadPayload(type, "shorter than its size field");
        break;
      }
      if (!GetVarint64(stream, size)) return BadPayload(type, "no valid size");
      break;
    case CompressionType::kZlib:
    case CompressionType::kBZip2:
    case CompressionType::kZstd:
    case CompressionType::kZstdNotFinal:
      if (!GetVarint64(stream, size)) return BadPayload(type, "no valid size");
      break;
    case CompressionType::kXpress:
    case CompressionType::kDisable:
      return BadType(type);
    default:
      return BadType(type);
  }
  if (*size > kOutputSizeMax || *size > LargestOutput(type, stream->size())) {
    return BadPayload(type, "claims a size it cannot have");
  }
  return Status::Ok();
}

char* AllocateWithPadding(size_t size, size_t padding) {
  return static_cast<char*>(malloc(size + padding + (size + padding == 0 ? 1 : 0)));
}

Status OutOfMemory(size_t size) {
  return Status(Status::Code::kAborted, Status::Subcode::kMemoryLimit,
                Concat("no memory for ", size, " bytes to decompress into"));
}

// Calls `step` with ever more room until the stream ends. `step` gets where to write and
// how much fits, sets how much was written, and returns 1 at the end, 0 for more, -1 for
// damage.
template <typename Step>
Result<CodecBuffer> DecompressGrowing(CompressionType type, size_t first_guess, size_t padding,
                                      Step step) {
  CodecBuffer buffer;
  size_t capacity = std::max<size_t>(first_guess, 256);
  buffer.data.reset(AllocateWithPadding(capacity, padding));
  while (true) {
    if (buffer.data == nullptr) return OutOfMemory(capacity);
    size_t written = 0;
    const int outcome = step(buffer.data.get() + buffer.size, capacity - buffer.size, &written);
    buffer.size += written;
    if (outcome < 0) return BadPayload(type, "damaged");
    if (outcome > 0) return buffer;
    if (buffer.size < capacity) return BadPayload(type, "cut short");
    if (capacity > kOutputSizeMax / 2) return BadPayload(type, "too large");
    capacity *= 2;
    char* moved = AllocateWithPadding(capacity, padding);
    if (moved != nullptr) memcpy(moved, buffer.data.get(), buffer.size);
    buffer.data.reset(moved);
  }
}

}  // namespace

Result<size_t> UncompressedSize(CompressionType type, uint32_t format_version, Slice payload) {
  if (HasNoSize(type, format_version)) {
    return Status::NotSupported("the payload does not tell its decompressed size");
  }
  uint64_t size = 0;
  Slice stream;
  if (Status s = SplitPayload(type, format_version, payload, &size, &stream); !s.ok()) return s;
  return static_cast<size_t>(size);
}

Status UncompressInto(CompressionType type, uint32_t format_version,
                      const DecompressionDictionary* dictionary, Slice payload, char* out,
                      size_t size) {
  uint64_t claimed = size;
  Slice stream = payload;
  if (!HasNoSize(type, format_version)) {
    if (Status s = SplitPayload(type, format_version, payload, &claimed, &stream); !s.ok()) {
      return s;
    }
    if (claimed != size) return BadPayload(type, "another size than the caller expects");
  }
  bool good = false;
  switch (type) {
    case CompressionType::kNone:
      if (size != 0) memcpy(out, stream.data(), size);
      good = true;
      break;
    case CompressionType::kSnappy:
      good = snappy::RawUncompress(stream.data(), stream.size(), out);
      break;
    case CompressionType::kZlib:
      good = CodecReaders::InflateInto(dictionary, stream, out, size);
      break;
    case CompressionType::kBZip2:
      good = CodecReaders::UnBZip2Into(stream, out, size);
      break;
    case CompressionType::kLz4:
    case CompressionType::kLz4hc:
      good = CodecReaders::UnLz4Into(dictionary, stream, out, size);
      break;
    case CompressionType::kZstd:
    case CompressionType::kZstdNotFinal:
      good = CodecReaders::UnZstdInto(dictionary, stream, out, size);
      break;
    default:
      return BadType(type);
  }
  return good ? Status::Ok() : BadPayload(type, "does not decompress to the size it claims");
}

Result<CodecBuffer> Uncompress(CompressionType type, uint32_t format_version,
                               const DecompressionDictionary* dictionary, Slice payload,
                               size_t padding) {
  if (HasNoSize(type, format_version)) {
    if (type == CompressionType::kZlib) {
      z_stream* stream = CodecReaders::StartInflate(dictionary, payload);
      if (stream == nullptr) return BadPayload(type, "cannot be read");
      return DecompressGrowing(type, payload.size() * 4, padding,
                               [stream](char* out, size_t room, size_t* written) {
                                 stream->next_out = reinterpret_cast<Bytef*>(out);
                                 stream->avail_out = static_cast<uInt>(room);
                                 const int outcome = inflate(stream, Z_SYNC_FLUSH);
                                 *written = room - stream->avail_out;
                                 if (outcome == Z_STREAM_END) return 1;
                                 return outcome == Z_OK || outcome == Z_BUF_ERROR ? 0 : -1;
                               });
    }
    bz_stream stream{};
    if (BZ2_bzDecompressInit(&stream, /*verbosity=*/0, /*small=*/0) != BZ_OK) {
      return OutOfMemory(payload.size());
    }
    stream.next_in = const_cast<char*>(payload.data());
    stream.avail_in = static_cast<unsigned>(payload.size());
    Result<CodecBuffer> result = DecompressGrowing(
        type, payload.size() * 4, padding, [&stream](char* out, size_t room, size_t* written) {
          stream.next_out = out;
          stream.avail_out = static_cast<unsigned>(room);
          const int outcome = BZ2_bzDecompress(&stream);
          *written = room - stream.avail_out;
          if (outcome == BZ_STREAM_END) return 1;
          return outcome == BZ_OK ? 0 : -1;
        });
    BZ2_bzDecompressEnd(&stream);
    return result;
  }

  Result<size_t> size = UncompressedSize(type, format_version, payload);
  if (!size.ok()) return size.status();
  CodecBuffer buffer;
  buffer.size = *size;
  buffer.data.reset(AllocateWithPadding(*size, padding));
  if (buffer.data == nullptr) return OutOfMemory(*size);
  Status s = UncompressInto(type, format_version, dictionary, payload, buffer.data.get(), *size);
  if (!s.ok()) return s;
  return buffer;
}

}  // namespace skarn
