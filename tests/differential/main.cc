// Runs random operations in lockstep on two libraries that export RocksDB's C API and compares
// every answer (README.md in this folder).
//
// Each seed runs in a child process of its own, so a crash or a hang is a finding like any other
// and does not end the test.

#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>

#include "lockstep.h"

namespace differential {
namespace {

struct Arguments {
  std::string left = SKARN_ORACLE_LIBRARY;
  std::string right;
  uint64_t first_seed = 1;
  uint64_t last_seed = 20;
  uint64_t operations = 5000;
  unsigned jobs = 2;
  unsigned timeout_seconds = 120;
  bool trace = false;
  bool is_wide = false;
  bool minimize = false;
  bool keep = false;
  std::set<uint64_t> skipped;
  std::set<uint64_t> only;
  std::set<std::string> left_out;
  std::string scratch;
};

constexpr char kUsage[] =
    "usage: differential --right LIBRARY [options]\n"
    "  --left LIBRARY    the genuine one (default " SKARN_ORACLE_LIBRARY
    ")\n"
    "  --right LIBRARY   the one under test\n"
    "  --seeds A..B      (default 1..20)   --seed N: one seed only\n"
    "  --ops N           operations per seed (default 5000)\n"
    "  --jobs N          seeds at once (default 2)\n"
    "  --timeout S       seconds until a seed counts as hanging (default 120)\n"
    "  --wide            also checkpoints, secondaries and OPTIONS files of the other side\n"
    "  --trace           print every operation and its answer\n"
    "  --minimize        leave out what a failing seed does not need, and print what is left\n"
    "  --only A,B,..     do only these operations of a seed\n"
    "  --without A,B,..  leave out operations of these names\n"
    "  --scratch DIR     where databases are made (default /dev/shm or /tmp)\n"
    "  --keep            do not remove the databases of failing seeds\n";

// What a child tells its parent, in memory they share.
struct Shared {
  uint64_t running;        // The operation it is in.
  uint64_t operations;     // How many it has finished with.
  uint64_t oracle_errors;  // Lockstep::oracle_errors().
  int outcome;             // 0 none yet, 1 equal, 2 differs, 3 equal but ended early.
  int side;                // The side at work: 0 left, 1 right.
  int crashed;             // Where a crash began: 0 unknown, 1 in the genuine library, 2 elsewhere.
  char report[8192];
};

Shared* NewShared() {
  void* memory =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) abort();
  return static_cast<Shared*>(memory);
}

// For the signal handler, which gets nothing else.
Shared* crash_shared = nullptr;
std::string* crash_oracle = nullptr;

// Whether the thread went on at an address where there is no code: a call through freed memory,
// which may hold the other library's objects by now.
bool IsLost(const siginfo_t* info, const void* context) {
#ifdef __x86_64__
  const auto* const state = static_cast<const ucontext_t*>(context);
  return reinterpret_cast<uintptr_t>(info->si_addr) ==
         static_cast<uintptr_t>(state->uc_mcontext.gregs[REG_RIP]);
#else
  (void)context;
  return info->si_addr == nullptr;
#endif
}

// Genuine RocksDB crashes now and then, which says nothing about the other side. The innermost
// frame that lies in one of the two libraries tells whose crash it is.
void OnCrash(int signal_number, siginfo_t* info, void* context) {
  // A jump to nowhere leaves no frames, and looking for them may crash again: then the side that
  // was called must do.
  crash_shared->crashed = crash_shared->side == 0 ? 1 : 2;
  void* frames[64];
  const int count = backtrace(frames, 64);
  const bool is_lost = signal_number == SIGSEGV && IsLost(info, context);
  for (int i = 1; i < count && !is_lost; i++) {
    Dl_info library;
    if (dladdr(frames[i], &library) == 0 || library.dli_fname == nullptr) continue;
    if (strstr(library.dli_fname, "librocksdb") == nullptr &&
        strstr(library.dli_fname, "libskarn") == nullptr)
      continue;
    crash_shared->crashed = *crash_oracle == library.dli_fname ? 1 : 2;
    break;
  }
  backtrace_symbols_fd(frames, count, STDERR_FILENO);
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

bool DirectIoWorks(const std::string& directory) {
  const std::string probe = directory + "/probe";
  const int fd = open(probe.c_str(), O_CREAT | O_RDWR | O_DIRECT, 0600);
  if (fd >= 0) close(fd);
  unlink(probe.c_str());
  return fd >= 0;
}

struct Task {
  uint64_t seed = 0;
  std::set<uint64_t> skipped;
  pid_t child = -1;
  Shared* shared = nullptr;
  std::string scratch;
  std::chrono::steady_clock::time_point deadline;
};

[[noreturn]] void Work(const Arguments& arguments, const Task& task, bool trace) {
  setvbuf(stdout, nullptr, _IOLBF, 1 << 16);  // A trace must outlive a crash.
  Api left, right;
  std::string error;
  if (!left.Load(arguments.left, &error) || !right.Load(arguments.right, &error)) {
    snprintf(task.shared->report, sizeof(task.shared->report), "  cannot load: %s", error.c_str());
    task.shared->outcome = 2;
    _exit(1);
  }
  left.is_oracle = true;
  right.is_oracle = arguments.left == arguments.right;
  crash_shared = task.shared;
  crash_oracle = new std::string(arguments.left);
  struct sigaction action = {};
  action.sa_sigaction = OnCrash;
  action.sa_flags = SA_SIGINFO;
  for (int signal_number : {SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGFPE})
    sigaction(signal_number, &action, nullptr);
  void* unused[1];
  backtrace(unused, 1);  // Loads what it needs, which a handler must not.
  std::filesystem::create_directories(task.scratch);
  const Config config = Config::For(task.seed, DirectIoWorks(task.scratch));
  if (trace)
    printf("seed %llu%s\n", static_cast<unsigned long long>(task.seed), config.Describe().c_str());
  Lockstep run(left, right, config, task.scratch);
  run.left_out = arguments.left_out;
  run.is_wide = arguments.is_wide;
  run.on_side = [&task](int side) { task.shared->side = side; };
  const Verdict verdict =
      run.Run(arguments.operations, task.skipped, trace, [&task](uint64_t index) {
        task.shared->running = index;
        task.shared->operations++;
      });
  snprintf(task.shared->report, sizeof(task.shared->report), "%s", verdict.report.c_str());
  task.shared->oracle_errors = run.oracle_errors();
  task.shared->outcome = verdict.differs ? 2 : verdict.ended_early ? 3 : 1;
  fflush(nullptr);
  _exit(0);  // Without destructors: a failed run may hold anything.
}

void Start(const Arguments& arguments, Task& task, bool trace, bool quiet = false) {
  fflush(nullptr);
  task.shared = NewShared();
  task.deadline =
      std::chrono::steady_clock::now() + std::chrono::seconds(arguments.timeout_seconds);
  task.scratch = arguments.scratch + "/seed-" + std::to_string(task.seed);
  std::error_code ignored;
  std::filesystem::remove_all(task.scratch, ignored);
  task.child = fork();
  if (task.child == 0) {
    if (quiet && freopen("/dev/null", "w", stderr) == nullptr) _exit(1);
    Work(arguments, task, trace);
  }
}

// The finding of a finished child, or nothing when its run was equal.
std::optional<std::string> Finish(const Arguments& arguments, Task& task, int status, bool hung) {
  const Shared& shared = *task.shared;
  std::optional<std::string> finding;
  const bool is_oracle_crash =
      (hung && shared.side == 0) || (WIFSIGNALED(status) && shared.crashed == 1);
  if (is_oracle_crash) {
    printf("seed %llu: genuine RocksDB %s in operation %llu\n",
           static_cast<unsigned long long>(task.seed), hung ? "hangs" : "crashes",
           static_cast<unsigned long long>(shared.running));
  } else if (hung) {
    finding = "  operation " + std::to_string(shared.running) + ": hangs";
  } else if (WIFSIGNALED(status)) {
    finding = "  operation " + std::to_string(shared.running) + ": crashes with " +
              strsignal(WTERMSIG(status));
  } else if (shared.outcome == 2) {
    finding = shared.report;
  } else if (shared.outcome == 0) {
    finding = "  operation " + std::to_string(shared.running) + ": ends the process with " +
              std::to_string(WEXITSTATUS(status));
  }
  if (!finding.has_value() || !arguments.keep) {
    std::error_code ignored;
    std::filesystem::remove_all(task.scratch, ignored);
  }
  return finding;
}

// Runs one task to its end.
std::optional<std::string> RunAlone(const Arguments& arguments, Task& task) {
  Start(arguments, task, /*trace=*/false, /*quiet=*/true);
  int status = 0;
  bool hung = false;
  while (waitpid(task.child, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > task.deadline && !hung) {
      kill(task.child, SIGKILL);
      hung = true;
    }
    usleep(2000);
  }
  std::optional<std::string> finding = Finish(arguments, task, status, hung);
  munmap(task.shared, sizeof(Shared));
  task.shared = nullptr;
  return finding;
}

// Leaves out ever smaller stretches of operations as long as the seed still fails.
void Minimize(const Arguments& arguments, uint64_t seed, uint64_t failing_operation) {
  std::vector<uint64_t> needed;
  for (uint64_t i = 0; i <= failing_operation && i < arguments.operations; i++)
    if (!arguments.skipped.contains(i) && (arguments.only.empty() || arguments.only.contains(i)))
      needed.push_back(i);
  const auto fails = [&](const std::vector<uint64_t>& kept) {
    Arguments shorter = arguments;
    shorter.operations = failing_operation + 1;
    shorter.keep = false;
    Task task;
    task.seed = seed;
    for (uint64_t i = 0; i <= failing_operation; i++) task.skipped.insert(i);
    for (uint64_t i : kept) task.skipped.erase(i);
    return RunAlone(shorter, task).has_value();
  };
  for (size_t size = std::max<size_t>(1, needed.size() / 2); size >= 1; size /= 2) {
    for (size_t at = 0; at < needed.size();) {
      std::vector<uint64_t> without(needed.begin(), needed.begin() + static_cast<ptrdiff_t>(at));
      const size_t end = std::min(needed.size(), at + size);
      without.insert(without.end(), needed.begin() + static_cast<ptrdiff_t>(end), needed.end());
      if (fails(without))
        needed = std::move(without);
      else
        at = end;
    }
  }
  std::string only;
  for (uint64_t i : needed) only += (only.empty() ? "" : ",") + std::to_string(i);
  printf("  minimal: --seed %llu --ops %llu --only %s --trace\n",
         static_cast<unsigned long long>(seed),
         static_cast<unsigned long long>(failing_operation + 1), only.c_str());
}

std::set<uint64_t> ParseList(const char* text) {
  std::set<uint64_t> numbers;
  while (*text != '\0') {
    char* end = nullptr;
    numbers.insert(strtoull(text, &end, 10));
    text = *end == ',' ? end + 1 : end;
    if (end == text && *text != '\0') break;
  }
  return numbers;
}

std::set<std::string> ParseNames(const char* text) {
  std::set<std::string> names;
  for (std::string rest = std::string(text) + ","; !rest.empty();) {
    const size_t comma = rest.find(',');
    names.insert(rest.substr(0, comma));
    rest.erase(0, comma + 1);
  }
  return names;
}

bool Parse(int argc, char** argv, Arguments* arguments) {
  for (int i = 1; i < argc; i++) {
    const std::string name = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : nullptr;
    if (name == "--trace")
      arguments->trace = true;
    else if (name == "--wide")
      arguments->is_wide = true;
    else if (name == "--minimize")
      arguments->minimize = true;
    else if (name == "--keep")
      arguments->keep = true;
    else if (value == nullptr)
      return false;
    else {
      i++;
      if (name == "--left")
        arguments->left = value;
      else if (name == "--right")
        arguments->right = value;
      else if (name == "--seed")
        arguments->first_seed = arguments->last_seed = strtoull(value, nullptr, 10);
      else if (name == "--ops")
        arguments->operations = strtoull(value, nullptr, 10);
      else if (name == "--jobs")
        arguments->jobs = static_cast<unsigned>(atoi(value));
      else if (name == "--timeout")
        arguments->timeout_seconds = static_cast<unsigned>(atoi(value));
      else if (name == "--only")
        arguments->only = ParseList(value);
      else if (name == "--without")
        arguments->left_out = ParseNames(value);
      else if (name == "--scratch")
        arguments->scratch = value;
      else if (name == "--seeds") {
        char* end = nullptr;
        arguments->first_seed = strtoull(value, &end, 10);
        if (strncmp(end, "..", 2) != 0) return false;
        arguments->last_seed = strtoull(end + 2, nullptr, 10);
      } else
        return false;
    }
  }
  return !arguments->right.empty() && arguments->jobs > 0;
}

int Main(int argc, char** argv) {
  Arguments arguments;
  if (!Parse(argc, argv, &arguments)) {
    fputs(kUsage, stderr);
    return 2;
  }
  if (arguments.scratch.empty())
    arguments.scratch = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
  arguments.scratch += "/differential-" + std::to_string(getpid());
  if (!arguments.only.empty())
    for (uint64_t i = 0; i < arguments.operations; i++)
      if (!arguments.only.contains(i)) arguments.skipped.insert(i);

  uint64_t next = arguments.first_seed, operations = 0, seeds = 0, ended_early = 0,
           oracle_errors = 0;
  std::map<uint64_t, std::string> findings;
  std::vector<Task> running;
  while (next <= arguments.last_seed || !running.empty()) {
    while (next <= arguments.last_seed && running.size() < arguments.jobs) {
      Task task;
      task.seed = next++;
      task.skipped = arguments.skipped;
      Start(arguments, task, arguments.trace);
      running.push_back(task);
    }
    for (size_t i = 0; i < running.size();) {
      Task& task = running[i];
      int status = 0;
      bool hung = false;
      if (waitpid(task.child, &status, WNOHANG) == 0) {
        if (std::chrono::steady_clock::now() < task.deadline) {
          i++;
          continue;
        }
        kill(task.child, SIGKILL);
        waitpid(task.child, &status, 0);
        hung = true;
      }
      const std::optional<std::string> finding = Finish(arguments, task, status, hung);
      seeds++;
      operations += task.shared->operations;
      ended_early += task.shared->outcome == 3;
      oracle_errors += task.shared->oracle_errors;
      if (finding.has_value()) {
        findings[task.seed] = *finding;
        printf("seed %llu differs\n%s\n  replay: --seed %llu --ops %llu --trace\n",
               static_cast<unsigned long long>(task.seed), finding->c_str(),
               static_cast<unsigned long long>(task.seed),
               static_cast<unsigned long long>(task.shared->running + 1));
        if (arguments.minimize) Minimize(arguments, task.seed, task.shared->running);
        fflush(stdout);
      }
      munmap(task.shared, sizeof(Shared));
      running.erase(running.begin() + static_cast<ptrdiff_t>(i));
    }
    usleep(1000);
  }
  std::error_code ignored;
  if (!arguments.keep) std::filesystem::remove_all(arguments.scratch, ignored);
  printf(
      "%llu operations over %llu seeds: %zu seeds differ (%llu ended early, in agreement; genuine "
      "iterators contradicted genuine scans %llu times)\n",
      static_cast<unsigned long long>(operations), static_cast<unsigned long long>(seeds),
      findings.size(), static_cast<unsigned long long>(ended_early),
      static_cast<unsigned long long>(oracle_errors));
  return findings.empty() ? 0 : 1;
}

}  // namespace
}  // namespace differential

int main(int argc, char** argv) { return differential::Main(argc, argv); }
