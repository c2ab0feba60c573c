// The hash functions that files depend on (docs/formats/sst.md, section 2). None of
// them may ever change: filters, hash indexes and checksums on disk hold their results.
//
// Hash64 is also what memory-only structures use, so a key is hashed once.
//
// Thread safety: pure functions.

#ifndef SKARN_CORE_BASE_HASH_H_
#define SKARN_CORE_BASE_HASH_H_

#include <cstddef>
#include <cstdint>

#include "core/base/coding.h"
#include "core/base/slice.h"

namespace skarn {

// The Murmur-like 32-bit hash. Bytes of the tail are signed: part of the format.
uint32_t Hash32(const char* data, size_t size, uint32_t seed);

// Legacy Bloom filters.
inline uint32_t BloomHash(Slice key) { return Hash32(key.data(), key.size(), 0xBC9F1D34u); }
// Data-block hash indexes and PlainTable.
inline uint32_t SliceHash(Slice key) { return Hash32(key.data(), key.size(), 397); }

namespace internal {
inline constexpr uint64_t kHash64Secret0 = 0xbe4ba423396cfeb8u;
inline constexpr uint64_t kHash64Secret8 = 0x1cad21f72c81017cu;

inline uint64_t Hash64Fold(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}
inline uint64_t Hash64Avalanche(uint64_t hash) {
  hash = (hash ^ (hash >> 37)) * 0x165667B19E3779F9u;
  return hash ^ (hash >> 32);
}
uint64_t Hash64Other(const char* data, size_t size);
}  // namespace internal

// The 64-bit hash of filters: the preview of XXH3, frozen when filters adopted it.
// It differs from released XXH3.
inline uint64_t Hash64(const char* data, size_t size) {
  // Sizes 9 to 16, the usual key, stay inline.
  if (size - 9 < 8) {
    const uint64_t low = DecodeFixed64(data) ^ internal::kHash64Secret0;
    const uint64_t high = DecodeFixed64(data + size - 8) ^ internal::kHash64Secret8;
    return internal::Hash64Avalanche(size + (low + high) + internal::Hash64Fold(low, high));
  }
  return internal::Hash64Other(data, size);
}
inline uint64_t Hash64(Slice data) { return Hash64(data.data(), data.size()); }
// With a seed other than 0: memory-only uses.
uint64_t Hash64Seeded(const char* data, size_t size, uint64_t seed);

// The upper word of a 64 x 64 bit product: a hash spread evenly over [0, range).
inline uint64_t FastRange64(uint64_t hash, uint64_t range) {
  return static_cast<uint64_t>((static_cast<unsigned __int128>(hash) * range) >> 64);
}
inline uint32_t FastRange32(uint32_t hash, uint32_t range) {
  return static_cast<uint32_t>((static_cast<uint64_t>(hash) * range) >> 32);
}

// Released xxHash functions.
uint32_t Xxh32(const char* data, size_t size, uint32_t seed = 0);
uint64_t Xxh64(const char* data, size_t size, uint64_t seed = 0);
uint64_t Xxh3(const char* data, size_t size);

struct Hash128 {
  uint64_t low = 0;
  uint64_t high = 0;
  friend bool operator==(const Hash128&, const Hash128&) = default;
};
Hash128 Xxh3Wide(const char* data, size_t size, uint64_t seed = 0);

// A one-to-one mapping of 128-bit values, and its inverse, used to present unique ids.
Hash128 BijectiveMix(Hash128 value);
Hash128 BijectiveUnmix(Hash128 value);

// MurmurHash64A, used by CuckooTable files.
uint64_t Murmur64A(const char* data, size_t size, uint64_t seed);

}  // namespace skarn

#endif  // SKARN_CORE_BASE_HASH_H_
