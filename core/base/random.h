// Random is a small, fast generator of numbers that are not secret.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_BASE_RANDOM_H_
#define SKARN_CORE_BASE_RANDOM_H_

#include <cstdint>

namespace skarn {

class Random {
 public:
  // The same seed gives the same numbers everywhere.
  explicit Random(uint64_t seed) : state_(seed) {}

  // All 64 bits are equally likely (SplitMix64).
  uint64_t Next() {
    state_ += 0x9E3779B97F4A7C15u;
    uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
    return mixed ^ (mixed >> 31);
  }
  // In [0, limit). Precondition: limit > 0.
  uint64_t Uniform(uint64_t limit) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(Next()) * limit) >> 64);
  }
  bool OneIn(uint64_t count) { return Uniform(count) == 0; }
  // In [0, 2^bits) with a bias to small numbers: each magnitude is equally likely.
  uint64_t Skewed(unsigned bits_max) { return Uniform(uint64_t{1} << Uniform(bits_max + 1)); }
  // In [0, 1).
  double UniformDouble() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

 private:
  uint64_t state_;
};

}  // namespace skarn

#endif  // SKARN_CORE_BASE_RANDOM_H_
