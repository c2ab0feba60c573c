// Run: one workload on one database while it is measured. A workload's function prepares what it
// needs untimed, then calls Parallel() or times a piece with Timed().
//
// Thread safety: the thread that runs the workload.

#ifndef SKARN_TOOLS_BENCH_RUN_H_
#define SKARN_TOOLS_BENCH_RUN_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tools/bench/api.h"
#include "tools/bench/database.h"
#include "tools/bench/histogram.h"
#include "tools/bench/result.h"
#include "tools/bench/settings.h"
#include "tools/bench/worker.h"

namespace bench {

// Threads that do the same.
struct Crew {
  std::string label;  // Behind the workload's name in results; empty for the first crew.
  int threads = 1;
  uint64_t count = 0;  // Operations of each thread, which progress is told by; 0: unknown.
  // Ends when the first crew has ended, instead of by count.
  bool accompanies = false;
  uint64_t latency_every = 1;
  std::function<void(Worker&)> work;
};

class Run {
 public:
  // `title` is told with progress. All references must outlive the run.
  Run(const Api& api, const Settings& settings, Database& database, std::string title);
  ~Run();

  const Api& api;
  const Settings& settings;
  Database& database;

  // Runs the crews at once and measures until the last thread of the first has ended (and what
  // `finish` does after that, for sustained writing).
  void Parallel(std::vector<Crew> crews, const std::function<void()>& finish = nullptr);

  // Runs `work` as one operation that stands for `entries`. Any number of times.
  void Timed(uint64_t entries, const std::function<void()>& work);

  // Ends the workload with an error; the first one stays.
  void Fail(const std::string& text);
  // Ends it without figures, because the library lacks something.
  void LeaveOut(const std::string& lacks);
  void Read(uint64_t found, uint64_t bytes);

  // The results, one per crew: counts, times and latencies, without names. Call once.
  std::vector<Result> Finish();

 private:
  struct Measured;
  struct CrewState;
  void Sample(CrewState& first, const std::atomic<bool>& ended);

  const std::string title_;
  std::string error_;
  std::string left_out_;
  std::vector<std::unique_ptr<Measured>> measured_;
};

}  // namespace bench

#endif  // SKARN_TOOLS_BENCH_RUN_H_
