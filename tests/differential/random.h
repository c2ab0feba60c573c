// Rng: the one source of chance in the differential test.
//
// Small, fast and defined bit for bit, so that a seed means the same run on every machine. Each
// operation of a run draws from an Rng of its own, made of (seed, index): an operation can be
// left out of a replay without changing what the others do.
//
// Thread safety: one thread at a time.

#ifndef SKARN_TESTS_DIFFERENTIAL_RANDOM_H_
#define SKARN_TESTS_DIFFERENTIAL_RANDOM_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace differential {

class Rng {
 public:
  explicit Rng(uint64_t seed) : state_(seed) { Next(); }

  // The Rng of operation `index` in run `seed`.
  static Rng For(uint64_t seed, uint64_t index) {
    return Rng(Mix(seed * 0x9e3779b97f4a7c15ull + index));
  }

  static uint64_t Hash(std::string_view bytes, uint64_t seed) {
    uint64_t hash = 0xcbf29ce484222325ull ^ Mix(seed);
    for (unsigned char byte : bytes) hash = (hash ^ byte) * 0x100000001b3ull;
    return Mix(hash);
  }

  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15ull;
    return Mix(state_);
  }

  // Uniform in [0, limit); 0 for an empty range.
  uint64_t Below(uint64_t limit) { return limit == 0 ? 0 : Next() % limit; }
  // Uniform in [low, high].
  uint64_t Between(uint64_t low, uint64_t high) { return low + Below(high - low + 1); }
  bool Percent(unsigned percent) { return Below(100) < percent; }
  // True once in `count` times.
  bool OneIn(unsigned count) { return Below(count) == 0; }

  template <typename T, size_t n>
  const T& Pick(const T (&choices)[n]) {
    return choices[Below(n)];
  }

 private:
  static uint64_t Mix(uint64_t value) {
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
    return value ^ (value >> 31);
  }

  uint64_t state_;
};

}  // namespace differential

#endif  // SKARN_TESTS_DIFFERENTIAL_RANDOM_H_
