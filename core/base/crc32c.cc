#include "core/base/crc32c.h"

#include <array>
#include <atomic>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "core/base/coding.h"
#include "core/base/cpu.h"

namespace skarn::crc32c {

namespace {

// Polynomials over GF(2) are held reflected: the highest bit is the coefficient of x^0.
constexpr uint32_t kPolynomial = 0x82F63B78u;
constexpr uint32_t kOne = 0x80000000u;

constexpr uint32_t TimesX(uint32_t a) { return (a >> 1) ^ ((a & 1) != 0 ? kPolynomial : 0); }

// a * b modulo the polynomial.
constexpr uint32_t Multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t bit = kOne; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) product ^= b;
    b = TimesX(b);
  }
  return product;
}

// x^n modulo the polynomial.
constexpr uint32_t PowerOfX(uint64_t n) {
  uint32_t result = kOne;
  uint32_t square = TimesX(kOne);
  for (; n != 0; n >>= 1) {
    if ((n & 1) != 0) result = Multiply(result, square);
    square = Multiply(square, square);
  }
  return result;
}

// Row k gives the CRC of a byte followed by k zero bytes: eight bytes are looked up at once.
constexpr std::array<std::array<uint32_t, 256>, 8> MakeByteTables() {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t byte = 0; byte < 256; byte++) {
    uint32_t crc = byte;
    for (int i = 0; i < 8; i++) crc = TimesX(crc);
    tables[0][byte] = crc;
  }
  for (size_t row = 1; row < 8; row++) {
    for (size_t byte = 0; byte < 256; byte++) {
      const uint32_t before = tables[row - 1][byte];
      tables[row][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}
constexpr auto kByteTables = MakeByteTables();

#if defined(__x86_64__)

// A long run is read as three streams side by side, which hides the latency of the CRC
// instruction, and their CRCs are joined with two carry-less multiplications.
constexpr size_t kStreamWordsMax = 128;

// The factor that moves a CRC past n words. Multiplying with it leaves a product that
// the CRC instruction reduces, which multiplies by x^33 more; hence the subtraction.
constexpr std::array<uint32_t, 2 * kStreamWordsMax + 1> MakeShiftFactors() {
  std::array<uint32_t, 2 * kStreamWordsMax + 1> factors{};
  uint32_t factor = PowerOfX(64 - 33);
  const uint32_t word = PowerOfX(64);
  for (size_t words = 1; words < factors.size(); words++) {
    factors[words] = factor;
    factor = Multiply(factor, word);
  }
  return factors;
}
constexpr auto kShiftFactors = MakeShiftFactors();

SKARN_TARGET("sse4.2,pclmul")
inline uint64_t ShiftedProduct(uint64_t crc, size_t words) {
  const __m128i product =
      _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<int64_t>(crc)),
                           _mm_cvtsi64_si128(static_cast<int64_t>(kShiftFactors[words])), 0);
  return static_cast<uint64_t>(_mm_cvtsi128_si64(product));
}

SKARN_TARGET("sse4.2,pclmul")
uint32_t ExtendSse42(uint32_t crc, const char* data, size_t size) {
  uint64_t state = crc ^ 0xffffffffu;
  while (size >= 96) {
    size_t words = size / 24;
    if (words > kStreamWordsMax) words = kStreamWordsMax;
    const char* first = data;
    const char* second = data + words * 8;
    const char* third = second + words * 8;
    uint64_t a = state, b = 0, c = 0;
    for (size_t i = 0; i < words; i++) {
      a = _mm_crc32_u64(a, DecodeFixed64(first + i * 8));
      b = _mm_crc32_u64(b, DecodeFixed64(second + i * 8));
      c = _mm_crc32_u64(c, DecodeFixed64(third + i * 8));
    }
    // Both products are reduced by one CRC instruction: the CRC is linear.
    state = _mm_crc32_u64(0, ShiftedProduct(a, 2 * words) ^ ShiftedProduct(b, words)) ^ c;
    data += words * 24;
    size -= words * 24;
  }
  for (; size >= 8; data += 8, size -= 8) state = _mm_crc32_u64(state, DecodeFixed64(data));
  auto narrow = static_cast<uint32_t>(state);
  if ((size & 4) != 0) {
    narrow = _mm_crc32_u32(narrow, DecodeFixed32(data));
    data += 4;
  }
  for (size &= 3; size != 0; data++, size--) {
    narrow = _mm_crc32_u8(narrow, static_cast<uint8_t>(*data));
  }
  return narrow ^ 0xffffffffu;
}

#endif

using Body = uint32_t (*)(uint32_t crc, const char* data, size_t size);

uint32_t ChooseAndExtend(uint32_t crc, const char* data, size_t size);

// Starts as the function that chooses. Any thread may write it; all write the same.
constinit std::atomic<Body> body{&ChooseAndExtend};

[[gnu::cold]] uint32_t ChooseAndExtend(uint32_t crc, const char* data, size_t size) {
  Body chosen = &ExtendPortable;
#if defined(__x86_64__)
  if (Cpu().sse42 && Cpu().pclmul) chosen = &ExtendSse42;
#endif
  body.store(chosen, std::memory_order_relaxed);
  return chosen(crc, data, size);
}

}  // namespace

uint32_t Extend(uint32_t crc, const char* data, size_t size) {
  return body.load(std::memory_order_relaxed)(crc, data, size);
}

uint32_t ExtendPortable(uint32_t crc, const char* data, size_t size) {
  uint32_t state = crc ^ 0xffffffffu;
  for (; size >= 8; data += 8, size -= 8) {
    const uint64_t word = DecodeFixed64(data) ^ state;
    state = 0;
    for (size_t i = 0; i < 8; i++) state ^= kByteTables[7 - i][(word >> (8 * i)) & 0xff];
  }
  for (; size != 0; data++, size--) {
    state = (state >> 8) ^ kByteTables[0][(state ^ static_cast<uint8_t>(*data)) & 0xff];
  }
  return state ^ 0xffffffffu;
}

uint32_t Combine(uint32_t first, uint32_t second, uint64_t second_size) {
  return Multiply(first, Multiply(PowerOfX(second_size * 4), PowerOfX(second_size * 4))) ^ second;
}

}  // namespace skarn::crc32c
