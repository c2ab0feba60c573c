// A trial opens a damaged image, asks it everything, has it compacted and written to, and judges
// the answers.
//
// Thread safety: one thread.

#ifndef SKARN_TESTS_CORRUPTION_TRIAL_H_
#define SKARN_TESTS_CORRUPTION_TRIAL_H_

#include <cstdint>
#include <string>

#include "tests/corruption/image.h"

namespace skarn {

// What the damage may do besides causing an error.
struct Expectation {
  // The answer may be that of an earlier state: the end of a log is gone.
  bool shorter = false;
  // Any part of the log's records may be missing (kSkipAnyCorruptedRecords).
  bool any_subset = false;
  // Bytes that no check covers: the damage may stay unnoticed, with the right answer.
  bool unchecked = false;
  // The database is opened a second time after all.
  bool reopen = false;
};

enum class Verdict : uint8_t {
  kDetected,   // Some call said so; all that was answered was right.
  kShorter,    // Consistent, as of an earlier moment, as the recovery mode allows.
  kHarmless,   // The whole answer, no error.
  kViolation,  // `problem` says what.
};

Verdict RunTrial(const Image& image, const std::string& file, const std::string& damaged,
                 const Expectation& expectation, std::string* problem);

}  // namespace skarn

#endif  // SKARN_TESTS_CORRUPTION_TRIAL_H_
