// The seed of a random test: fixed, so that every run does the same, unless the environment gives
// one to look further.

#ifndef SKARN_TESTS_UNIT_TEST_SEED_H_
#define SKARN_TESTS_UNIT_TEST_SEED_H_

#include <cstdint>
#include <cstdlib>

namespace skarn {

inline uint64_t TestSeed(uint64_t fixed = 20240229) {
  const char* const given = getenv("SKARN_TEST_SEED");
  return given != nullptr ? strtoull(given, nullptr, 10) : fixed;
}

}  // namespace skarn

#endif  // SKARN_TESTS_UNIT_TEST_SEED_H_
