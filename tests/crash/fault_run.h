// FaultRun plays a workload while one call of the file system fails, once or for good, and checks
// what the database does about it:
//
//   - the error that comes out names the cause, and later ones are the same
//   - reads go on and show every write that was acknowledged, and none that was refused
//   - once the fault has passed, writes go on after Resume() when space was short (a soft or hard
//     error), or after opening again (a fatal one); docs/reliability.md has the table
//   - a power cut or the end of the process then loses nothing that was promised, although a sync
//     that failed has dropped what it should have written for good
//
// Thread safety: one thread.

#ifndef SKARN_TESTS_CRASH_FAULT_RUN_H_
#define SKARN_TESTS_CRASH_FAULT_RUN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/env/crash_file_system.h"
#include "core/env/fault_file_system.h"
#include "tests/crash/workload.h"

namespace skarn {

class FaultRun {
 public:
  FaultRun(const Workload& workload, uint64_t seed, const FaultFileSystem::Plan& plan);

  // False when the plan's call was never made: there are no more.
  bool Go();

  const std::vector<std::string>& violations() const { return violations_; }
  uint64_t failed_calls() const { return faults_.failures(); }
  bool surfaced() const { return surfaced_; }  // A step of the workload failed.
  bool resumed() const { return resumed_; }    // Writes went on without reopening.
  bool reopened() const { return reopened_; }  // Only opening again helped.

 private:
  // What may be found: one of some states, each a whole Moment.
  struct Acceptable {
    std::vector<const Moment*> states;
    bool Contains(const Moment& found) const;
  };

  void Violation(const std::string& what) { violations_.push_back(what); }
  bool NamesTheCause(const Status& status) const;
  // Dropping it failed, perhaps only after it was dropped.
  bool InDoubt(const std::string& family) const;
  void CheckLive();
  void ResumeAndWrite();
  void CheckCrash(CrashFileSystem::Loss loss);
  void CheckReopened();
  Acceptable AcceptableAfter(bool only_killed) const;
  void CheckDisk(FileSystem* fs, const Acceptable& acceptable, const std::string& when,
                 bool may_refuse_manifest);

  const Workload& workload_;
  const FaultFileSystem::Plan plan_;
  CrashFileSystem disk_;
  FaultFileSystem faults_;
  Player player_;
  Status status_;  // Of the step that failed.
  Moment failed_;  // What there would be with the batch that failed, if one did.
  bool batch_failed_ = false;
  Moment live_;  // What reads showed after the fault.
  bool wrote_after_ = false;
  bool surfaced_ = false, resumed_ = false, reopened_ = false;
  std::vector<std::string> violations_;
};

}  // namespace skarn

#endif  // SKARN_TESTS_CRASH_FAULT_RUN_H_
