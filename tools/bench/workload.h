// The workloads, under the names that db_bench gives them.
//
// Thread safety: the tables are constant.

#ifndef SKARN_TOOLS_BENCH_WORKLOAD_H_
#define SKARN_TOOLS_BENCH_WORKLOAD_H_

#include <string>
#include <string_view>
#include <vector>

#include "tools/bench/run.h"

namespace bench {

struct Workload {
  enum class Start {
    kOpen,   // Works on the database that is there, open.
    kFresh,  // Begins with an empty database, unless --use_existing_db.
    kOwn,    // Opens and closes by itself.
  };

  const char* name;
  const char* summary;
  Start start;
  std::vector<const char*> needs;  // Functions (without prefix) that it cannot do without.
  void (*run)(Run& run);
};

// Null for an unknown name.
const Workload* FindWorkload(std::string_view name);

// Everything there is: name and summary, a line each.
std::string ListWorkloads();

// The parts of the table, each beside its functions.
std::vector<Workload> WriteWorkloads();
std::vector<Workload> ReadWorkloads();
std::vector<Workload> ScanWorkloads();
std::vector<Workload> MixedWorkloads();
std::vector<Workload> MaintenanceWorkloads();

}  // namespace bench

#endif  // SKARN_TOOLS_BENCH_WORKLOAD_H_
