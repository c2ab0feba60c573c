// A trial opens a damaged image, asks it everything in some order, has it compacted, copied and
// written to, and judges the answers: together they must be those of one moment that may be shown.
//
// Thread safety: one thread.

#ifndef SKARN_TESTS_CORRUPTION_TRIAL_H_
#define SKARN_TESTS_CORRUPTION_TRIAL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tests/corruption/image.h"

namespace skarn {

// What the damage may do besides causing an error.
struct Expectation {
  // Other contents that may be shown, without an error, instead of the whole.
  std::vector<const Contents*> also;
  // Bytes that no check covers: the damage may stay unnoticed, with the right answer.
  bool unchecked = false;
};

enum class Verdict : uint8_t {
  kDetected,   // Some call said so; all that was answered was right.
  kShorter,    // Consistent, as of a moment that may be shown.
  kHarmless,   // The whole answer, no error.
  kViolation,  // `problem` says what.
};

// `seed` decides how the database is opened and in which order it is asked.
Verdict RunTrial(const Image& image, const std::string& file, const std::string& damaged,
                 const Expectation& expectation, uint64_t seed, std::string* problem);

}  // namespace skarn

#endif  // SKARN_TESTS_CORRUPTION_TRIAL_H_
