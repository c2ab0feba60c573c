// Fails every call that six workloads make to the file system, in turn.
//
//   failing_calls [--seeds A..B] [--step N] [--workload NAME] [--kind NAME] [--nth N]
//
// For each workload and each kind of fault below, call 1, 1 + step, ... fails, each in a run of
// its own, until a run makes fewer calls than that. What must be true is in fault_run.h. Prints
// the runs, the calls that failed and the violations; exits 1 when there is one. --kind and --nth
// replay one run: what a violation's line names.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string>
#include <vector>

#include "tests/crash/fault_run.h"

namespace skarn {
namespace {

using Fault = FaultFileSystem;

struct Kind {
  const char* name;
  uint32_t calls;
  int error_number;
  bool forever;
  size_t partial_bytes;  // Of a failing append.
};
const Kind kKinds[] = {
    {"eio", Fault::kAnyWrite, EIO, false, 0},
    {"eio-forever", Fault::kAnyWrite, EIO, true, 0},
    {"enospc", Fault::kAnyWrite, ENOSPC, false, 0},
    {"enospc-forever", Fault::kAnyWrite, ENOSPC, true, 0},
    {"short-write", Fault::kAppend, EIO, false, 13},
    {"short-write-forever", Fault::kAppend, ENOSPC, true, 700},
    {"sync", Fault::kSync | Fault::kDirectorySync, EIO, false, 0},
    {"sync-forever", Fault::kSync | Fault::kDirectorySync, EIO, true, 0},
    {"read", Fault::kRead | Fault::kOpenForReading | Fault::kQuery, EIO, false, 0},
};
const char* const kWorkloads[] = {
    "flush_and_compaction",     "column_families",   "recycled_and_compressed_logs",
    "atomic_flush_without_log", "manifest_rollover", "ingestion",
    "logs_through_memory"};

struct Counts {
  uint64_t runs = 0, failed_calls = 0, surfaced = 0, resumed = 0, reopened = 0, violations = 0;
};

void Print(const char* what, const Counts& counts) {
  printf(
      "%s: %llu runs, %llu failed calls, %llu errors told, %llu resumed, %llu reopened, "
      "%llu violations\n",
      what, static_cast<unsigned long long>(counts.runs),
      static_cast<unsigned long long>(counts.failed_calls),
      static_cast<unsigned long long>(counts.surfaced),
      static_cast<unsigned long long>(counts.resumed),
      static_cast<unsigned long long>(counts.reopened),
      static_cast<unsigned long long>(counts.violations));
  fflush(stdout);
}

void RunAll(const Workload& workload, const Kind& kind, uint64_t seed, uint64_t step,
            uint64_t only_nth, Counts* counts) {
  for (uint64_t nth = only_nth != 0 ? only_nth : 1;; nth += step) {
    Fault::Plan plan;
    plan.kinds = kind.calls;
    plan.nth = nth;
    plan.forever = kind.forever;
    plan.error_number = kind.error_number;
    plan.partial_bytes = kind.partial_bytes;
    plan.retryable = kind.error_number == ENOSPC;  // As the POSIX file system says.
    FaultRun run(workload, seed, plan);
    const bool failed = run.Go();
    for (const std::string& violation : run.violations()) {
      if (++counts->violations <= 20) {
        printf("--seeds %llu --workload %s --kind %s --nth %llu: %s\n",
               static_cast<unsigned long long>(seed), workload.name, kind.name,
               static_cast<unsigned long long>(nth), violation.c_str());
      }
    }
    ++counts->runs;
    counts->failed_calls += run.failed_calls();
    counts->surfaced += run.surfaced();
    counts->resumed += run.resumed();
    counts->reopened += run.reopened();
    if (!failed || only_nth != 0) return;
  }
}

}  // namespace
}  // namespace skarn

int main(int argc, char** argv) {
  unsigned first = 1, last = 1;
  uint64_t step = 1, nth = 0;
  const char* only_workload = nullptr;
  const char* only_kind = nullptr;
  for (int i = 1; i < argc; i += 2) {
    const char* const value = i + 1 < argc ? argv[i + 1] : nullptr;
    if (value != nullptr && strcmp(argv[i], "--seeds") == 0) {
      if (sscanf(value, "%u..%u", &first, &last) < 2) last = first;
    } else if (value != nullptr && strcmp(argv[i], "--step") == 0) {
      step = strtoull(value, nullptr, 10);
    } else if (value != nullptr && strcmp(argv[i], "--workload") == 0) {
      only_workload = value;
    } else if (value != nullptr && strcmp(argv[i], "--kind") == 0) {
      only_kind = value;
    } else if (value != nullptr && strcmp(argv[i], "--nth") == 0) {
      nth = strtoull(value, nullptr, 10);
    } else {
      step = 0;
    }
  }
  if (step == 0) {
    fprintf(stderr,
            "usage: failing_calls [--seeds A..B] [--step N] [--workload NAME] [--kind NAME] "
            "[--nth N]\n");
    return 2;
  }
  skarn::Counts all;
  for (unsigned seed = first; seed <= last; ++seed) {
    std::vector<const char*> names(std::begin(skarn::kWorkloads), std::end(skarn::kWorkloads));
    if (only_workload != nullptr) names = {only_workload};  // Any of tests/crash/workload.cc.
    for (const char* const name : names) {
      skarn::Counts counts;
      for (const skarn::Workload& workload : skarn::Workloads()) {
        if (strcmp(workload.name, name) != 0) continue;
        for (const skarn::Kind& kind : skarn::kKinds) {
          if (only_kind != nullptr && strcmp(only_kind, kind.name) != 0) continue;
          skarn::RunAll(workload, kind, seed, step, nth, &counts);
        }
      }
      skarn::Print(name, counts);
      all.runs += counts.runs;
      all.failed_calls += counts.failed_calls;
      all.surfaced += counts.surfaced;
      all.resumed += counts.resumed;
      all.reopened += counts.reopened;
      all.violations += counts.violations;
    }
  }
  skarn::Print("all", all);
  return all.violations == 0 ? 0 : 1;
}
