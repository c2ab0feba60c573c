// Comparing keys byte by byte, inline: the inner loops of searches in blocks.
//
// Thread safety: pure functions.

#ifndef SKARN_CORE_TABLE_KEY_COMPARE_H_
#define SKARN_CORE_TABLE_KEY_COMPARE_H_

#include <bit>
#include <cstdint>
#include <cstring>

namespace skarn {

inline uint64_t LoadBigEndian64(const char* from) {
  uint64_t value;
  memcpy(&value, from, sizeof(value));
  return __builtin_bswap64(value);
}

// The first of `count` ascending numbers that is not below `wanted`; `count` if there is none.
// No branch depends on the numbers.
inline size_t FirstAtLeast(const uint64_t* numbers, size_t count, uint64_t wanted) {
  if (count == 0) return 0;
  const uint64_t* base = numbers;
  while (count > 1) {
    const size_t half = count / 2;
    base += half & (size_t{0} - static_cast<size_t>(base[half - 1] < wanted));
    count -= half;
  }
  return static_cast<size_t>(base - numbers) + static_cast<size_t>(*base < wanted);
}

// The first position from `from` on at which `a` and `b` differ, at most `size`.
inline size_t FirstDifference(const char* a, const char* b, size_t from, size_t size) {
  size_t i = from;
  for (; i + 8 <= size; i += 8) {
    uint64_t x, y;
    memcpy(&x, a + i, 8);
    memcpy(&y, b + i, 8);
    if (x != y) return i + static_cast<size_t>(std::countr_zero(x ^ y)) / 8;
  }
  if (i < size && size - from >= 8) {
    // The last 8 bytes, of which the first are known to be equal.
    uint64_t x, y;
    memcpy(&x, a + size - 8, 8);
    memcpy(&y, b + size - 8, 8);
    return x == y ? size : size - 8 + static_cast<size_t>(std::countr_zero(x ^ y)) / 8;
  }
  while (i < size && a[i] == b[i]) ++i;
  return i;
}

// As Slice::Compare: bytes are unsigned, a proper prefix sorts first.
inline int CompareBytes(const char* a, size_t a_size, const char* b, size_t b_size) {
  const size_t size = a_size < b_size ? a_size : b_size;
  const size_t i = FirstDifference(a, b, 0, size);
  if (i < size) return static_cast<uint8_t>(a[i]) < static_cast<uint8_t>(b[i]) ? -1 : 1;
  return a_size < b_size ? -1 : (a_size > b_size ? 1 : 0);
}

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_KEY_COMPARE_H_
