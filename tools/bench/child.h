// Child: a process of its own that measures one library in one round of one scenario. Several
// children live at once and are asked in turn, so that libraries alternate workload by workload
// while their memory and their crashes stay apart.
//
// Thread safety: one thread at a time, of a process without others (it forks).

#ifndef SKARN_TOOLS_BENCH_CHILD_H_
#define SKARN_TOOLS_BENCH_CHILD_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "tools/bench/result.h"
#include "tools/bench/settings.h"

namespace bench {

struct ChildTask {
  std::string library_path;
  std::string library_name;
  int library = 0;
  int round = 0;
  std::string scenario;
  Settings settings;
  std::string directory;  // The database's; emptied before and, without use_existing_db, after.
};

class Child {
 public:
  explicit Child(ChildTask task);
  // Ends the process in an orderly way if it still lives.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Runs the workload in the child and returns its results: at least one, an error if the child
  // died.
  std::vector<Result> Measure(const std::string& workload);

 private:
  [[noreturn]] void Serve(int commands, int answers);
  Result Failure(const std::string& workload, const std::string& error) const;

  const ChildTask task_;
  pid_t pid_ = -1;
  int commands_ = -1;
  int answers_ = -1;
  std::string death_;  // How it ended, once it has.
};

}  // namespace bench

#endif  // SKARN_TOOLS_BENCH_CHILD_H_
