#include "tools/bench/key_values.h"

#include <algorithm>
#include <bit>

namespace bench {

Shuffle::Shuffle(uint64_t size, uint64_t seed) : size_(std::max<uint64_t>(size, 1)) {
  const int bits = std::max(static_cast<int>(std::bit_width(size_ - 1)), 2);
  mask_ = bits == 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
  shift_ = (bits + 1) / 2;
  Random random(seed);
  for (uint64_t& factor : factor_) factor = random.Next() | 1;
}

uint64_t Shuffle::At(uint64_t index) const {
  uint64_t x = index;
  // Each step is a bijection of the power of two; numbers outside [0, size) walk on until they are
  // inside, which keeps it one.
  do {
    for (const uint64_t factor : factor_) {
      x = (x * factor) & mask_;
      x ^= x >> shift_;
    }
    x = (x + factor_[0]) & mask_;
  } while (x >= size_);
  return x;
}

ValueSource::ValueSource(size_t value_size, double compression_ratio, uint64_t seed)
    : value_size_(value_size), positions_(1 << 20) {
  // Pieces of 100 bytes, of which the first part is random and is repeated to fill the piece.
  constexpr size_t kPiece = 100;
  const size_t fresh =
      static_cast<size_t>(std::clamp(compression_ratio * static_cast<double>(kPiece), 1.0, 100.0));
  Random random(seed);
  pool_.reserve(positions_ + value_size + kPiece);
  while (pool_.size() < positions_ + value_size) {
    const size_t start = pool_.size();
    for (size_t i = 0; i < fresh; ++i) pool_.push_back(static_cast<char>(' ' + random.Below(95)));
    for (size_t i = fresh; i < kPiece; ++i) pool_.push_back(pool_[start + i % fresh]);
  }
}

}  // namespace bench
