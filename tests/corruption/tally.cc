#include "tests/corruption/tally.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

namespace skarn {
namespace {

constexpr uint64_t kShownMax = 15;
constexpr const char* kRows[] = {"log", "table", "MANIFEST", "OPTIONS", "CURRENT", "other"};

unsigned long long Wide(uint64_t number) { return number; }

void PrintRow(const char* name, const Counts& c) {
  printf("%-10s %9llu %9llu %9llu %9llu %10llu\n", name, Wide(c.tried), Wide(c.detected),
         Wide(c.shorter), Wide(c.harmless), Wide(c.violations));
}

}  // namespace

void Counts::Add(Verdict verdict) {
  ++tried;
  detected += verdict == Verdict::kDetected;
  shorter += verdict == Verdict::kShorter;
  harmless += verdict == Verdict::kHarmless;
  violations += verdict == Verdict::kViolation;
}

void Counts::Add(const Counts& other) {
  tried += other.tried;
  detected += other.detected;
  shorter += other.shorter;
  harmless += other.harmless;
  violations += other.violations;
}

int Tally::RowOf(FileKind kind) {
  switch (kind) {
    case FileKind::kWal:
      return 0;
    case FileKind::kTable:
      return 1;
    case FileKind::kManifest:
      return 2;
    case FileKind::kOptions:
      return 3;
    case FileKind::kCurrent:
      return 4;
    default:
      return 5;
  }
}

void Tally::Begin(const std::string& what) { snprintf(doing_, sizeof(doing_), "%s", what.c_str()); }

void Tally::End(FileKind kind, Verdict verdict, const std::string& problem) {
  Counts* const counts = &by_kind_[RowOf(kind)];
  counts->Add(verdict);
  if (verdict != Verdict::kViolation || counts->violations > kShownMax) return;
  printf("%s: %s\n", doing_, problem.c_str());
}

void Tally::Add(const Tally& other) {
  for (int row = 0; row < kKinds; ++row) by_kind_[row].Add(other.by_kind_[row]);
}

Counts Tally::Total() const {
  Counts total;
  for (const Counts& counts : by_kind_) total.Add(counts);
  return total;
}

void Tally::Print() const {
  printf("%-10s %9s %9s %9s %9s %10s\n", "file", "tried", "detected", "shorter", "harmless",
         "violations");
  for (int row = 0; row < kKinds; ++row) {
    if (by_kind_[row].tried > 0) PrintRow(kRows[row], by_kind_[row]);
  }
  const Counts c = Total();
  PrintRow("all", c);
  printf("%llu corruptions tried, %llu detected, %llu shorter, %llu harmless, %llu violations\n",
         Wide(c.tried), Wide(c.detected), Wide(c.shorter), Wide(c.harmless), Wide(c.violations));
}

Tally RunSideBySide(unsigned count, const std::function<void(unsigned index, Tally*)>& work) {
  void* const memory = mmap(nullptr, count * sizeof(Tally), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    perror("mmap");
    exit(2);
  }
  auto* const tallies = static_cast<Tally*>(memory);
  std::vector<pid_t> processes;
  fflush(stdout);
  for (unsigned i = 0; i < count; ++i) {
    new (&tallies[i]) Tally;
    const pid_t process = fork();
    if (process < 0) {
      perror("fork");
      exit(2);
    }
    if (process == 0) {
      work(i, &tallies[i]);
      fflush(stdout);
      _exit(0);
    }
    processes.push_back(process);
  }
  Tally sum;
  for (unsigned i = 0; i < count; ++i) {
    int status = 0;
    while (waitpid(processes[i], &status, 0) < 0 && errno == EINTR) {
    }
    if (status != 0) {
      const std::string how = WIFSIGNALED(status) ? "ended by signal " : "ended with status ";
      tallies[i].End(
          FileKind::kTemp, Verdict::kViolation,
          how + std::to_string(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)));
    }
    sum.Add(tallies[i]);
  }
  munmap(memory, count * sizeof(Tally));
  return sum;
}

}  // namespace skarn
