#include "core/base/xxhash.h"

#define XXH_INLINE_ALL
// Where one byte is hashed, gcc objects to a limit that is computed ahead of it and never used.
#pragma GCC diagnostic ignored "-Warray-bounds"
#include <xxhash.h>

#include <atomic>

#include "core/base/checksum.h"
#include "core/base/cpu.h"
#include "core/base/crc32c.h"

namespace skarn {

uint64_t internal::Xxh3Portable(const char* data, size_t size) { return XXH3_64bits(data, size); }

uint32_t Xxh32(const char* data, size_t size, uint32_t seed) { return XXH32(data, size, seed); }

uint64_t Xxh64(const char* data, size_t size, uint64_t seed) { return XXH64(data, size, seed); }

namespace {

using Body = uint64_t (*)(const char* data, size_t size);

uint64_t ChooseAndHash(const char* data, size_t size);

// Starts as the function that chooses. Any thread may write it; all write the same.
constinit std::atomic<Body> body{&ChooseAndHash};

[[gnu::cold]] uint64_t ChooseAndHash(const char* data, size_t size) {
  Body chosen = &internal::Xxh3Portable;
#if defined(__x86_64__)
  if (Cpu().avx2) chosen = &internal::Xxh3Avx2;
#endif
  body.store(chosen, std::memory_order_relaxed);
  return chosen(data, size);
}

}  // namespace

uint64_t Xxh3(const char* data, size_t size) {
  if (size <= 240) return XXH3_64bits(data, size);  // Nothing there to do side by side.
  return body.load(std::memory_order_relaxed)(data, size);
}

Hash128 Xxh3Wide(const char* data, size_t size, uint64_t seed) {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(data, size, seed);
  return {.low = hash.low64, .high = hash.high64};
}

uint32_t ComputeChecksum(ChecksumType type, const char* data, size_t size, uint8_t last) {
  switch (type) {
    case ChecksumType::kNone:
      return 0;
    case ChecksumType::kCrc32c:
      return crc32c::Mask(
          crc32c::Extend(crc32c::Value(data, size), reinterpret_cast<const char*>(&last), 1));
    case ChecksumType::kXxHash: {
      XXH32_state_t state;
      XXH32_reset(&state, 0);
      XXH32_update(&state, data, size);
      XXH32_update(&state, &last, 1);
      return XXH32_digest(&state);
    }
    case ChecksumType::kXxHash64: {
      XXH64_state_t state;
      XXH64_reset(&state, 0);
      XXH64_update(&state, data, size);
      XXH64_update(&state, &last, 1);
      return static_cast<uint32_t>(XXH64_digest(&state));
    }
    case ChecksumType::kXxh3:
      // The last byte is not hashed but mixed in.
      return static_cast<uint32_t>(Xxh3(data, size)) ^ (last * 0x6B9083D9u);
  }
  return 0;
}

uint32_t ComputeChecksum(ChecksumType type, const char* data, size_t size) {
  if (size != 0) {
    return ComputeChecksum(type, data, size - 1, static_cast<uint8_t>(data[size - 1]));
  }
  switch (type) {
    case ChecksumType::kCrc32c:
      return crc32c::Mask(0);
    case ChecksumType::kXxHash:
      return Xxh32(data, 0);
    case ChecksumType::kXxHash64:
      return static_cast<uint32_t>(Xxh64(data, 0));
    case ChecksumType::kNone:
    case ChecksumType::kXxh3:
      return 0;
  }
  return 0;
}

}  // namespace skarn
