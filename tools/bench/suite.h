// Suites: prepared lists of scenarios, each a row of flags, with what is expected of them.
//
// Thread safety: the tables are constant.

#ifndef SKARN_TOOLS_BENCH_SUITE_H_
#define SKARN_TOOLS_BENCH_SUITE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tools/bench/settings.h"

namespace bench {

// Workloads that are run one after another on one database.
struct Scenario {
  std::string name;
  std::string flags;  // On top of the command line's, --benchmarks among them.
};

// What is expected of the ratio of one workload's throughput.
struct Goal {
  std::string title;
  std::string scenario;
  std::string workload;
  double floor = 1;
  double goal = 1;
  bool counts = true;  // In the geometric mean.
};

struct Suite {
  std::vector<Scenario> scenarios;
  std::vector<Goal> goals;
};

// The table of goals against RocksDB, for a database of `num` keys: 16-byte keys and 100-byte
// values unless the flags say otherwise, a bloom filter of 10 bits, LZ4. `reads` is how often most
// reading workloads read; 0: a number that suits `num`.
Suite GoalsSuite(uint64_t num, uint64_t reads);

}  // namespace bench

#endif  // SKARN_TOOLS_BENCH_SUITE_H_
