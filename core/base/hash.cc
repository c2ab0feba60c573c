#include "core/base/hash.h"

#include <array>
#include <cstring>

namespace skarn {

uint32_t Hash32(const char* data, size_t size, uint32_t seed) {
  constexpr uint32_t kMultiplier = 0xC6A4A793u;
  uint32_t hash = seed ^ (static_cast<uint32_t>(size) * kMultiplier);
  for (; size >= 4; data += 4, size -= 4) {
    hash = (hash + DecodeFixed32(data)) * kMultiplier;
    hash ^= hash >> 16;
  }
  const auto signed_byte = [data](size_t i) {
    return static_cast<uint32_t>(static_cast<int32_t>(static_cast<int8_t>(data[i])));
  };
  if (size > 2) hash += signed_byte(2) << 16;
  if (size > 1) hash += signed_byte(1) << 8;
  if (size > 0) {
    hash = (hash + signed_byte(0)) * kMultiplier;
    hash ^= hash >> 24;
  }
  return hash;
}

namespace {

constexpr uint64_t kPrime32_1 = 0x9E3779B1u;
constexpr uint64_t kPrime32_2 = 0x85EBCA77u;
constexpr uint64_t kPrime32_3 = 0xC2B2AE3Du;
constexpr uint64_t kPrime64_1 = 0x9E3779B185EBCA87u;
constexpr uint64_t kPrime64_2 = 0xC2B2AE3D27D4EB4Fu;
constexpr uint64_t kPrime64_3 = 0x165667B19E3779F9u;
constexpr uint64_t kPrime64_4 = 0x85EBCA77C2B2AE63u;
constexpr uint64_t kPrime64_5 = 0x27D4EB2F165667C5u;

constexpr size_t kSecretSize = 192;
constexpr uint8_t kSecret[kSecretSize] = {
    0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c,
    0xde, 0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb, 0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f,
    0xcb, 0x79, 0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21,
    0xb8, 0x08, 0x46, 0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6, 0x81, 0x3a, 0x26, 0x4c,
    0x3c, 0x28, 0x52, 0xbb, 0x91, 0xc3, 0x00, 0xcb, 0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3,
    0x71, 0x64, 0x48, 0x97, 0xa2, 0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8,
    0xa8, 0xfa, 0x76, 0x3f, 0xe3, 0x9c, 0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d,
    0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59, 0x31, 0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64,
    0xea, 0xc5, 0xac, 0x83, 0x34, 0xd3, 0xeb, 0xc3, 0xc5, 0x81, 0xa0, 0xff, 0xfa, 0x13, 0x63, 0xeb,
    0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda, 0x49, 0xd3, 0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e,
    0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc, 0x8f, 0xf8, 0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce,
    0x45, 0xcb, 0x3a, 0x8f, 0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb, 0xca, 0xbb, 0x4b, 0x40, 0x7e,
};

uint64_t Word(const char* data) { return DecodeFixed64(data); }
uint64_t HalfWord(const char* data) { return DecodeFixed32(data); }
const char* DefaultSecret() { return reinterpret_cast<const char*>(kSecret); }

using internal::Hash64Avalanche;
using internal::Hash64Fold;

// Hashes more than 240 bytes in eight lanes.
class LongHash {
 public:
  explicit LongHash(const char* secret) : secret_(secret) {}

  uint64_t Run(const char* data, size_t size) {
    constexpr size_t kStripe = 64;
    constexpr size_t kStripesPerBlock = (kSecretSize - kStripe) / 8;
    constexpr size_t kBlock = kStripe * kStripesPerBlock;

    const char* const end = data + size;
    for (size_t blocks = size / kBlock; blocks != 0; blocks--) {
      for (size_t i = 0; i < kStripesPerBlock; i++, data += kStripe) Accumulate(data, i * 8);
      Scramble();
    }
    for (size_t i = 0; static_cast<size_t>(end - data) >= kStripe; i++, data += kStripe) {
      Accumulate(data, i * 8);
    }
    if (data != end) Accumulate(end - kStripe, kSecretSize - kStripe - 7);

    uint64_t hash = size * kPrime64_1;
    for (size_t i = 0; i < 4; i++) {
      hash += Hash64Fold(lanes_[2 * i] ^ Word(secret_ + 11 + 16 * i),
                         lanes_[2 * i + 1] ^ Word(secret_ + 19 + 16 * i));
    }
    return Hash64Avalanche(hash);
  }

 private:
  void Accumulate(const char* data, size_t secret_offset) {
    for (size_t i = 0; i < 8; i++) {
      const uint64_t word = Word(data + 8 * i);
      const uint64_t keyed = word ^ Word(secret_ + secret_offset + 8 * i);
      lanes_[i] += word + (keyed & 0xffffffffu) * (keyed >> 32);
    }
  }
  void Scramble() {
    for (size_t i = 0; i < 8; i++) {
      const uint64_t lane = lanes_[i];
      lanes_[i] = ((lane ^ (lane >> 47)) ^ Word(secret_ + 128 + 8 * i)) * kPrime32_1;
    }
  }

  const char* const secret_;
  uint64_t lanes_[8] = {kPrime32_3, kPrime64_1, kPrime64_2, kPrime64_3,
                        kPrime64_4, kPrime32_2, kPrime64_5, kPrime32_1};
};

inline uint64_t Mix16(const char* data, size_t secret_offset, uint64_t seed) {
  const char* const secret = DefaultSecret() + secret_offset;
  return Hash64Fold(Word(data) ^ (Word(secret) + seed), Word(data + 8) ^ (Word(secret + 8) - seed));
}

inline uint64_t HashAnySize(const char* data, size_t size, uint64_t seed) {
  const char* const secret = DefaultSecret();
  if (size <= 16) {
    if (size > 8) {
      const uint64_t low = Word(data) ^ (Word(secret) + seed);
      const uint64_t high = Word(data + size - 8) ^ (Word(secret + 8) - seed);
      return Hash64Avalanche(size + (low + high) + Hash64Fold(low, high));
    }
    if (size >= 4) {
      const uint64_t joined = HalfWord(data) | (HalfWord(data + size - 4) << 32);
      const uint64_t keyed = joined ^ (Word(secret) + seed);
      const uint64_t mixed = size + (keyed ^ (keyed >> 51)) * kPrime32_1;
      return Hash64Avalanche((mixed ^ (mixed >> 47)) * kPrime64_2);
    }
    if (size > 0) {
      const auto byte = [data](size_t i) { return uint64_t{static_cast<uint8_t>(data[i])}; };
      const uint64_t joined =
          byte(0) | (byte(size >> 1) << 8) | (byte(size - 1) << 16) | (uint64_t{size} << 24);
      return Hash64Avalanche((joined ^ (HalfWord(secret) + seed)) * kPrime64_1);
    }
    return Hash64Fold(seed + Word(secret), kPrime64_2);
  }
  if (size <= 128) {
    uint64_t hash = size * kPrime64_1;
    for (size_t i = (size - 1) / 32; i > 0; i--) {
      hash += Mix16(data + 16 * i, 32 * i, seed);
      hash += Mix16(data + size - 16 * (i + 1), 32 * i + 16, seed);
    }
    hash += Mix16(data, 0, seed);
    hash += Mix16(data + size - 16, 16, seed);
    return Hash64Avalanche(hash);
  }
  if (size <= 240) {
    uint64_t hash = size * kPrime64_1;
    for (size_t i = 0; i < 8; i++) hash += Mix16(data + 16 * i, 16 * i, seed);
    hash = Hash64Avalanche(hash);
    for (size_t i = 8; i < size / 16; i++) hash += Mix16(data + 16 * i, 16 * (i - 8) + 3, seed);
    hash += Mix16(data + size - 16, 136 - 17, seed);
    return Hash64Avalanche(hash);
  }
  if (seed == 0) return LongHash(secret).Run(data, size);
  char derived[kSecretSize];
  for (size_t i = 0; i < kSecretSize; i += 16) {
    EncodeFixed64(derived + i, Word(secret + i) + seed);
    EncodeFixed64(derived + i + 8, Word(secret + i + 8) - seed);
  }
  return LongHash(derived).Run(data, size);
}

}  // namespace

uint64_t internal::Hash64Other(const char* data, size_t size) {
  return HashAnySize(data, size, /*seed=*/0);
}

uint64_t Hash64Seeded(const char* data, size_t size, uint64_t seed) {
  return HashAnySize(data, size, seed);
}

namespace {

constexpr uint64_t kMixFlipLow = 0x59973F0033362349u;
constexpr uint64_t kMixFlipHigh = 0xC202797692D63D58u;
constexpr uint64_t kMixAdd = 0x03C0000000000000u;
constexpr uint64_t kMixAvalanche = 0x165667919E3779F9u;
constexpr uint64_t kMixNarrow = 0x85EBCA76u;

// The x with odd * x = 1 modulo 2^64. Each step doubles the number of right bits.
constexpr uint64_t InverseOf(uint64_t odd) {
  uint64_t inverse = odd;
  for (int i = 0; i < 6; i++) inverse *= 2 - odd * inverse;
  return inverse;
}

uint64_t MixAvalanche(uint64_t value) {
  value = (value ^ (value >> 37)) * kMixAvalanche;
  return value ^ (value >> 32);
}
uint64_t MixUnavalanche(uint64_t value) {
  value = (value ^ (value >> 32)) * InverseOf(kMixAvalanche);
  return value ^ (value >> 37);
}

uint64_t HighProduct(uint64_t a, uint64_t b) {
  return static_cast<uint64_t>((static_cast<unsigned __int128>(a) * b) >> 64);
}

}  // namespace

Hash128 BijectiveMix(Hash128 value) {
  const uint64_t input = value.low ^ value.high ^ kMixFlipLow;
  uint64_t low = input * kPrime64_1 + kMixAdd;
  const uint64_t flipped = value.high ^ kMixFlipHigh;
  const uint64_t high =
      HighProduct(input, kPrime64_1) + flipped + (flipped & 0xffffffffu) * kMixNarrow;
  low ^= __builtin_bswap64(high);
  return {.low = MixAvalanche(low * kPrime64_2),
          .high = MixAvalanche(HighProduct(low, kPrime64_2) + high * kPrime64_2)};
}

Hash128 BijectiveUnmix(Hash128 value) {
  uint64_t low = MixUnavalanche(value.low) * InverseOf(kPrime64_2);
  const uint64_t high =
      (MixUnavalanche(value.high) - HighProduct(low, kPrime64_2)) * InverseOf(kPrime64_2);
  low ^= __builtin_bswap64(high);
  const uint64_t input = (low - kMixAdd) * InverseOf(kPrime64_1);
  const uint64_t sum = high - HighProduct(input, kPrime64_1);
  // sum = flipped + low half of flipped * kMixNarrow; its low half is invertible alone.
  const auto half = static_cast<uint32_t>(sum * InverseOf(kMixNarrow + 1));
  const uint64_t flipped = sum - half * kMixNarrow;
  const uint64_t original_high = flipped ^ kMixFlipHigh;
  return {.low = input ^ original_high ^ kMixFlipLow, .high = original_high};
}

uint64_t Murmur64A(const char* data, size_t size, uint64_t seed) {
  constexpr uint64_t kMultiplier = 0xC6A4A7935BD1E995u;
  uint64_t hash = seed ^ (size * kMultiplier);
  for (; size >= 8; data += 8, size -= 8) {
    uint64_t word = DecodeFixed64(data) * kMultiplier;
    word = (word ^ (word >> 47)) * kMultiplier;
    hash = (hash ^ word) * kMultiplier;
  }
  if (size != 0) {
    for (size_t i = 0; i < size; i++) {
      hash ^= uint64_t{static_cast<uint8_t>(data[i])} << (8 * i);
    }
    hash *= kMultiplier;
  }
  hash = (hash ^ (hash >> 47)) * kMultiplier;
  return hash ^ (hash >> 47);
}

}  // namespace skarn
