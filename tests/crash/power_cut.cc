// Power cuts at every change that a workload makes to the disk.
//
//   power_cut [--seeds A..B] [--every N] [--workload NAME] [--cut OPERATIONS LOSS]
//
// Plays each workload (tests/crash/workload.h) on a file system that remembers every change.
// Then, for every number of changes (or every Nth) and four ways to lose what was not durable, the
// disk is rebuilt as a power cut would have left it, and checked (tests/crash/recovery_check.h).
// Some of the recoveries are cut themselves, to depth 3. What makes the runs long is done for a
// share of them: writing after recovery and cutting again, checksums, genuine RocksDB on the same
// files.
//
// Prints the points tried, those refused (see RecoveryCheck::Outcome) and the violations; exits 1
// when there is one. --cut replays one point: what a violation's line names.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "tests/crash/recovery_check.h"

namespace skarn {
namespace {

using Loss = CrashFileSystem::Loss;
constexpr int kDepth = 3;

struct Counts {
  uint64_t points = 0;
  uint64_t in_recovery = 0;  // Of them, cuts inside a recovery.
  uint64_t genuine = 0;      // Directories that genuine RocksDB read as well.
  uint64_t refused = 0;
  uint64_t violations = 0;

  void Add(const Counts& other) {
    points += other.points;
    in_recovery += other.in_recovery;
    genuine += other.genuine;
    refused += other.refused;
    violations += other.violations;
  }
};

class Run {
 public:
  Run(const Workload& workload, uint64_t seed, const Genuine* genuine)
      : workload_(workload),
        seed_(seed),
        genuine_(workload.for_genuine ? genuine : nullptr),
        player_(workload, seed, &disk_, &OperationsOf, &disk_),
        check_(workload, player_.history(), genuine) {}

  Counts Go(size_t every, size_t only_cut, int only_loss) {
    if (Status s = player_.Play(); !s.ok()) {
      Report("the workload failed: " + s.ToString());
      return counts_;
    }
    const size_t total = disk_.OperationCount();
    for (size_t cut = player_.history().opened; cut <= total; ++cut) {
      if (only_cut != kNever ? cut != only_cut : (cut + seed_) % every != 0) continue;
      for (const Loss loss : {Loss::kNothing, Loss::kEverything, Loss::kTail, Loss::kAnything}) {
        if (only_loss >= 0 && only_loss != static_cast<int>(loss)) continue;
        Cut(cut, loss);
      }
    }
    return counts_;
  }

 private:
  static size_t OperationsOf(const void* disk) {
    return static_cast<const CrashFileSystem*>(disk)->OperationCount();
  }

  void Cut(size_t cut, Loss loss) {
    const auto disk = disk_.AfterPowerCut(cut, loss, seed_ + cut);
    const Expectation expectation =
        ExpectationAt(player_.history(), cut, /*only_killed=*/loss == Loss::kNothing);
    const std::string where = Concat("--cut ", cut, " ", static_cast<int>(loss), " (",
                                     disk_.DescribeOperation(cut - 1), ")");
    // The shares depend on the point alone, so that one of them can be replayed.
    Random random(seed_ * 1000003 + cut * 4 + static_cast<uint64_t>(loss));
    if (genuine_ != nullptr && loss == Loss::kNothing && random.OneIn(40)) {
      ++counts_.genuine;
      for (const Fault& fault : check_.CheckGenuineRecovery(*disk, expectation)) {
        Report(Concat(where, ": I", fault.invariant, ": ", fault.what));
      }
    }
    Recover(disk.get(), loss, expectation, where, /*depth=*/0, &random);
  }

  void Recover(CrashFileSystem* disk, Loss loss, const Expectation& expectation,
               const std::string& where, int depth, Random* random) {
    ++counts_.points;
    if (depth > 0) ++counts_.in_recovery;
    const bool thorough = random->OneIn(8);
    const bool ask_genuine = genuine_ != nullptr && random->OneIn(60);
    if (ask_genuine) ++counts_.genuine;
    const RecoveryCheck::Outcome outcome = check_.Check(disk, expectation, thorough, ask_genuine);
    if (outcome.manifest_refused) {
      if (loss == Loss::kAnything) {
        ++counts_.refused;
      } else {
        Report(where + ": the MANIFEST was refused");
      }
      return;
    }
    for (const Fault& fault : outcome.faults) {
      Report(Concat(where, ", depth ", depth, ": I", fault.invariant, ": ", fault.what));
    }
    if (!outcome.faults.empty() || depth == kDepth || !random->OneIn(depth == 0 ? 6 : 2)) return;
    // Cut the recovery itself. Once it was open, all that it had found is durable.
    const size_t at = random->Uniform(outcome.operations_opened + 1);
    Expectation again = expectation;
    again.second_recovery = true;
    again.batch_max = outcome.batch;
    if (loss == Loss::kNothing || at == outcome.operations_opened) again.batch_min = outcome.batch;
    const auto rest = disk->AfterPowerCut(at, loss, seed_ + at);
    Recover(rest.get(), loss, again, Concat(where, " then ", at), depth + 1, random);
  }

  void Report(const std::string& what) {
    ++counts_.violations;
    if (counts_.violations > 10) return;
    printf("%s --seeds %llu: %s\n", workload_.name, static_cast<unsigned long long>(seed_),
           what.c_str());
  }

  const Workload& workload_;
  const uint64_t seed_;
  const Genuine* const genuine_;
  CrashFileSystem disk_;
  Player player_;
  RecoveryCheck check_;
  Counts counts_;
};

void Print(const Counts& counts) {
  printf(
      "%llu points tried (%llu inside a recovery, %llu also by genuine RocksDB), %llu refused, "
      "%llu violations\n",
      static_cast<unsigned long long>(counts.points),
      static_cast<unsigned long long>(counts.in_recovery),
      static_cast<unsigned long long>(counts.genuine),
      static_cast<unsigned long long>(counts.refused),
      static_cast<unsigned long long>(counts.violations));
  fflush(stdout);
}

}  // namespace
}  // namespace skarn

int main(int argc, char** argv) {
  unsigned first = 1, last = 1;
  const char* only = nullptr;
  size_t every = 1;
  size_t only_cut = skarn::kNever;
  int only_loss = -1;
  for (int i = 1; i < argc; ++i) {
    if (i + 1 < argc && strcmp(argv[i], "--seeds") == 0) {
      ++i;
      if (sscanf(argv[i], "%u..%u", &first, &last) < 2) last = first;
    } else if (i + 1 < argc && strcmp(argv[i], "--every") == 0) {
      every = std::max<size_t>(1, strtoull(argv[++i], nullptr, 10));
    } else if (i + 1 < argc && strcmp(argv[i], "--workload") == 0) {
      only = argv[++i];
    } else if (i + 2 < argc && strcmp(argv[i], "--cut") == 0) {
      only_cut = strtoull(argv[i + 1], nullptr, 10);
      only_loss = atoi(argv[i + 2]);
      i += 2;
    } else {
      fprintf(stderr,
              "usage: power_cut [--seeds A..B] [--every N] [--workload NAME] [--cut OPERATIONS "
              "LOSS]\n");
      return 2;
    }
  }
  const std::unique_ptr<skarn::Genuine> genuine = skarn::Genuine::Load();
  skarn::Counts all;
  for (unsigned seed = first; seed <= last; ++seed) {
    for (const skarn::Workload& workload : skarn::Workloads()) {
      if (only != nullptr && strcmp(only, workload.name) != 0) continue;
      skarn::Run run(workload, seed, genuine.get());
      const skarn::Counts counts = run.Go(every, only_cut, only_loss);
      printf("%s, seed %u: ", workload.name, seed);
      skarn::Print(counts);
      all.Add(counts);
    }
  }
  skarn::Print(all);
  return all.violations == 0 ? 0 : 1;
}
