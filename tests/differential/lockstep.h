// Lockstep: one run. Two sides in the same state take the same operations, one after the other,
// and every answer of one is compared with that of the other.
//
// Thread safety: one thread at a time.

#ifndef SKARN_TESTS_DIFFERENTIAL_LOCKSTEP_H_
#define SKARN_TESTS_DIFFERENTIAL_LOCKSTEP_H_

#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "config.h"
#include "operations.h"
#include "side.h"

namespace differential {

struct Verdict {
  bool differs = false;
  // Both sides agreed that the database cannot be opened any more (after a poisoned write).
  bool ended_early = false;
  uint64_t operations = 0;  // How many were done.
  std::string report;       // What differs, for a person.
};

class Lockstep {
 public:
  // Works in directories below `scratch`, which must exist; they are left to the caller.
  Lockstep(const Api& left, const Api& right, const Config& config, const std::string& scratch);

  // Names of operations to leave out.
  std::set<std::string> left_out;
  // Also does what looks at an open database of the other side: checkpoints, secondaries, OPTIONS
  // files.
  bool is_wide = false;
  // Told which side is about to work: 0 left, 1 right.
  std::function<void(int)> on_side = [](int) {};

  // Does operations 0 .. count-1 except those in `skipped`, then a last check of everything with
  // the directories swapped once more. `on_operation` is told each index before it runs.
  Verdict Run(uint64_t count, const std::set<uint64_t>& skipped, bool trace,
              const std::function<void(uint64_t)>& on_operation);

  // How often an iterator of the genuine library contradicted a scan made with it.
  uint64_t oracle_errors() const { return left_.iterator_errors; }

 private:
  // Runs `work` on both sides and compares. False when they differ.
  bool Both(const std::function<void(Side&)>& work);
  bool Step(uint64_t index, bool trace);
  // Closes both; each then opens the directory the other has left.
  bool Swap();
  // Copies both directories as they are on disk, then opens each copy with the other library.
  bool CrossCopies();
  // The same with checkpoints.
  bool CrossCheckpoints(Rng& rng);
  // Each follows the other's open database as a secondary.
  bool CrossSecondaries();
  bool CrossOptions();
  // One of the three.
  bool LookAcross(Rng& rng);
  bool Differ(const std::string& what);

  Config config_;
  Side left_;
  Side right_;
  uint64_t step_ = 0;
  bool trace_ = false;
  Verdict verdict_;
};

}  // namespace differential

#endif  // SKARN_TESTS_DIFFERENTIAL_LOCKSTEP_H_
