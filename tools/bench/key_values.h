// The keys and values that every library is given: the same for the same seed.
//
// Thread safety: one thread at a time per object; ValueSource is immutable after construction.

#ifndef SKARN_TOOLS_BENCH_KEY_VALUES_H_
#define SKARN_TOOLS_BENCH_KEY_VALUES_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

// A small generator of uniform 64-bit numbers (splitmix64).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // Uniform in [0, limit).
  uint64_t Below(uint64_t limit) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(Next()) * limit) >> 64);
  }

 private:
  uint64_t state_;
};

// A permutation of [0, size) that needs no memory: index i of a shuffled order.
class Shuffle {
 public:
  Shuffle(uint64_t size, uint64_t seed);
  uint64_t At(uint64_t index) const;

 private:
  uint64_t size_;
  uint64_t mask_;
  int shift_;
  uint64_t factor_[3];
};

// A key of `size` bytes: the number big-endian in the first eight, then '0'. Numbers order as their
// keys do. A shorter key holds the last bytes of the number.
class KeyBuffer {
 public:
  explicit KeyBuffer(size_t size) : bytes_(size < 1 ? 1 : size, '0') {}

  std::string_view Set(uint64_t number) {
    const size_t width = bytes_.size() < 8 ? bytes_.size() : 8;
    for (size_t i = 0; i < width; ++i) {
      bytes_[width - 1 - i] = static_cast<char>(number >> (8 * i));
    }
    return bytes_;
  }

 private:
  std::string bytes_;
};

// Values that compress to about `compression_ratio` of their size.
class ValueSource {
 public:
  ValueSource(size_t value_size, double compression_ratio, uint64_t seed);

  // A value; which one depends on `number` alone.
  std::string_view At(uint64_t number) const {
    return std::string_view(pool_).substr(number * 2654435761 % positions_, value_size_);
  }

 private:
  size_t value_size_;
  std::string pool_;
  uint64_t positions_;
};

}  // namespace bench

#endif  // SKARN_TOOLS_BENCH_KEY_VALUES_H_
