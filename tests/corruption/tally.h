// Tally counts what a sweep tried and what came of it. It lies in memory that processes share, so
// that one which dies, or is ended because it hangs, has still said what it was at.
//
// Thread safety: each tally belongs to one process, until that has ended.

#ifndef SKARN_TESTS_CORRUPTION_TALLY_H_
#define SKARN_TESTS_CORRUPTION_TALLY_H_

#include <cstdint>
#include <functional>
#include <string>

#include "core/version/file_names.h"
#include "tests/corruption/trial.h"

namespace skarn {

struct Counts {
  uint64_t tried = 0;
  uint64_t detected = 0;
  uint64_t shorter = 0;
  uint64_t harmless = 0;
  uint64_t violations = 0;

  void Add(Verdict verdict);
  void Add(const Counts& other);
};

class Tally {
 public:
  // What is tried now.
  void Begin(const std::string& what);
  // A violation is printed with `problem`, unless there were many of its kind of file.
  void End(FileKind kind, Verdict verdict, const std::string& problem);
  void Add(const Tally& other);

  Counts Total() const;
  // A table with a row for each kind of file, and a line that sums up.
  void Print() const;

 private:
  static constexpr int kKinds = 6;
  static int RowOf(FileKind kind);

  Counts by_kind_[kKinds];
  char doing_[240] = "start";

  friend Tally RunSideBySide(unsigned count,
                             const std::function<void(unsigned index, Tally*)>& work);
};

// Calls `work` in `count` processes and adds up what they counted. One that does not end as it
// should is a violation, told with what it was at. The caller must have started no threads.
Tally RunSideBySide(unsigned count, const std::function<void(unsigned index, Tally*)>& work);

}  // namespace skarn

#endif  // SKARN_TESTS_CORRUPTION_TALLY_H_
