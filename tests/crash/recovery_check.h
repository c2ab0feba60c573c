// RecoveryCheck opens what a power cut or a killed process left and compares it with the history
// that a workload kept. Each fault it finds carries the number of the invariant that is broken
// (docs/invariants.md):
//
//   I1   a batch that was promised is not there
//   I2   what is there is not what the first n batches made, or batches that were never begun
//   I3   a batch is there in one column family and not in another
//   I4   a deleted or overwritten value is back
//   I5   without a log: a state that no atomic flush left
//   I6   sequence numbers went back
//   I7   a live file is missing or damaged, or a dead one is left behind
//   I8   a snapshot or a checkpoint shows something else than its moment
//   I9   a second recovery finds less than the first
//   I10  genuine RocksDB finds something else in the recovered directory
//
// Thread safety: one thread.

#ifndef SKARN_TESTS_CRASH_RECOVERY_CHECK_H_
#define SKARN_TESTS_CRASH_RECOVERY_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/env/crash_file_system.h"
#include "tests/crash/genuine.h"
#include "tests/crash/workload.h"

namespace skarn {

struct Fault {
  int invariant;  // 0: the database could not be opened or read at all.
  std::string what;
};

// What must be true of a disk.
struct Expectation {
  size_t operations = 0;     // Of the workload, before the cut: which families there are.
  bool only_killed = false;  // The process ended, nothing else was lost.
  size_t batch_min = 0;      // Promised.
  size_t batch_max = 0;      // Begun.
  SequenceNumber sequence_min = 0;
  bool second_recovery = false;  // A shortfall is a fault of recovery itself.
};
// What the workload had been promised when the disk had seen `operations` changes.
Expectation ExpectationAt(const History& history, size_t operations, bool only_killed);

class RecoveryCheck {
 public:
  // `genuine` may be null. Both must outlive this object.
  RecoveryCheck(const Workload& workload, const History& history, const Genuine* genuine)
      : workload_(workload), history_(history), genuine_(genuine) {}

  struct Outcome {
    std::vector<Fault> faults;
    // Refused: the last record of the MANIFEST is whole in length and wrong in content, as only a
    // disk that loses single sectors leaves it. It cannot be told from decay of a durable record,
    // and dropping that would lose data in silence; RocksDB refuses it as well.
    bool manifest_refused = false;
    size_t batch = 0;              // How far history goes.
    size_t operations_opened = 0;  // Of `disk`, when it was open.
    SequenceNumber sequence = 0;
  };
  // Recovers `disk` and checks it. With `thorough`: also checksums of all files, point reads,
  // writes after recovery and another crash right after them, checkpoints. With `ask_genuine`,
  // genuine RocksDB reads what the recovered and closed database is. The engine sees the disk
  // through `through`, if that is not null.
  Outcome Check(CrashFileSystem* disk, const Expectation& expectation, bool thorough,
                bool ask_genuine, FileSystem* through = nullptr) const;
  // Genuine RocksDB recovers the disk by itself.
  std::vector<Fault> CheckGenuineRecovery(const CrashFileSystem& disk,
                                          const Expectation& expectation) const;

 private:
  void CheckFamilies(const Moment& found, const Expectation& expectation,
                     std::vector<Fault>* faults) const;
  // Returns the number of batches that `found` holds.
  size_t CheckContent(const Moment& found, const Expectation& expectation,
                      std::vector<Fault>* faults) const;
  void CheckFiles(const OpenDatabase& database, FileSystem* fs, std::vector<Fault>* faults) const;
  void CheckReads(const OpenDatabase& database, const Moment& found,
                  std::vector<Fault>* faults) const;
  // Writes on top of what was found, and reads it in a snapshot from before.
  void CheckWrites(OpenDatabase* database, Moment* found, std::vector<Fault>* faults) const;
  void CheckCheckpoints(const CrashFileSystem& disk, const Expectation& expectation,
                        std::vector<Fault>* faults) const;
  void CheckSettings(FileSystem* fs, const Expectation& expectation,
                     std::vector<Fault>* faults) const;

  const Workload& workload_;
  const History& history_;
  const Genuine* const genuine_;
};

}  // namespace skarn

#endif  // SKARN_TESTS_CRASH_RECOVERY_CHECK_H_
