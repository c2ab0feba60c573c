// bench: measures any library that has RocksDB's C functions, with db_bench's flags and workloads,
// several libraries side by side. docs/bench/README.md tells how to use it and what it counts.

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <system_error>

#include "tools/bench/child.h"
#include "tools/bench/summary.h"
#include "tools/bench/workload.h"

namespace bench {
namespace {

// Set by a signal that asks to end: the report is then of what was finished.
volatile std::sig_atomic_t interrupted = 0;
void Interrupt(int) { interrupted = 1; }

bool Wanted(const std::string& only, const std::string& name) {
  if (only.empty()) return true;
  for (const std::string& word : SplitList(only)) {
    if (name.find(word) != std::string::npos) return true;
  }
  return false;
}

// One round of one scenario: the libraries take turns at each workload, and at going first.
void MeasureScenario(const CommandLine& line, const Scenario& scenario, const Settings& settings,
                     int round, std::vector<Result>* results) {
  std::vector<std::unique_ptr<Child>> children;
  for (size_t i = 0; i < line.libraries.size(); ++i) {
    ChildTask task;
    task.library_path = line.libraries[i];
    task.library_name = line.names[i];
    task.library = static_cast<int>(i);
    task.round = round;
    task.scenario = scenario.name;
    task.settings = settings;
    task.directory = settings.directory + "/" + std::to_string(i);
    children.push_back(std::make_unique<Child>(std::move(task)));
  }
  for (size_t step = 0; step < settings.benchmarks.size() && interrupted == 0; ++step) {
    for (size_t i = 0; i < children.size(); ++i) {
      const size_t turn = (i + step + static_cast<size_t>(round)) % children.size();
      for (Result& result : children[turn]->Measure(settings.benchmarks[step])) {
        // What is done again in one scenario has a row of its own.
        const auto begin = settings.benchmarks.begin();
        const auto before =
            std::count(begin, begin + static_cast<std::ptrdiff_t>(step), settings.benchmarks[step]);
        if (before != 0) result.workload.append("#").append(std::to_string(before + 1));
        results->push_back(std::move(result));
      }
    }
  }
}

bool WriteFile(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) fprintf(stderr, "bench: cannot write %s\n", path.c_str());
  return static_cast<bool>(file);
}

int Main(int argc, char** argv) {
  Summary summary;
  for (int i = 0; i < argc; ++i) {
    if (i != 0) summary.command += ' ';
    summary.command += argv[i];
  }
  CommandLine& line = summary.command_line;
  std::string error;
  if (!ParseCommandLine(&argc, &argv, &line, &error)) {
    fprintf(stderr, "bench: %s\n", error.c_str());
    return 2;
  }
  if (line.settings.benchmarks == std::vector<std::string>{"help"}) {
    printf("%s", ListWorkloads().c_str());
    return 0;
  }
  if (line.libraries.empty()) {
    fprintf(stderr, "bench: name a library with --lib (and others with --vs)\n");
    return 2;
  }

  Suite suite;
  if (line.suite == "goals") {
    suite = GoalsSuite(line.settings.num, line.suite_reads);
  } else if (line.suite.empty()) {
    suite.scenarios.push_back(
        {line.settings.benchmarks.size() == 1 ? line.settings.benchmarks[0] : std::string("all"),
         ""});
  } else {
    fprintf(stderr, "bench: no such suite: %s\n", line.suite.c_str());
    return 2;
  }
  std::vector<Settings> settings(suite.scenarios.size());
  for (size_t i = 0; i < suite.scenarios.size(); ++i) {
    if (!SettingsWith(suite.scenarios[i].flags, &settings[i], &error)) {
      fprintf(stderr, "bench: scenario %s: %s\n", suite.scenarios[i].name.c_str(), error.c_str());
      return 2;
    }
    for (const std::string& name : settings[i].benchmarks) {
      if (FindWorkload(name) != nullptr) continue;
      fprintf(stderr, "bench: no such workload: %s; --benchmarks=help lists them\n", name.c_str());
      return 2;
    }
  }

  signal(SIGPIPE, SIG_IGN);  // A child that died is a result.
  signal(SIGINT, Interrupt);
  signal(SIGTERM, Interrupt);
  summary.date = DateNow();
  summary.machine = DescribeMachine();
  for (int round = 0; round < line.rounds; ++round) {
    for (size_t i = 0; i < suite.scenarios.size(); ++i) {
      const Scenario& scenario = suite.scenarios[i];
      if (!Wanted(line.only, scenario.name)) continue;
      if (line.settings.progress && suite.scenarios.size() * line.rounds > 1) {
        fprintf(stderr, "round %d of %d, scenario %zu of %zu: %s\n", round + 1, line.rounds, i + 1,
                suite.scenarios.size(), scenario.name.c_str());
      }
      std::vector<Result> results;
      MeasureScenario(line, scenario, settings[i], round, &results);
      // What was under way may have been hurt by the same signal.
      if (interrupted != 0) break;
      for (Result& result : results) summary.results.push_back(std::move(result));
    }
    if (interrupted != 0) break;
  }
  summary.interrupted = interrupted != 0;
  if (!line.settings.use_existing_db) {
    std::error_code ignored;
    std::filesystem::remove(line.settings.directory, ignored);  // Only if it is empty by now.
  }

  Summarize(&summary);
  if (!suite.goals.empty()) Judge(suite, &summary);
  printf("%s", TextReport(summary, line.settings.histogram).c_str());
  bool written = true;
  if (!line.json.empty()) written &= WriteFile(line.json, JsonReport(summary));
  if (!line.html.empty()) written &= WriteFile(line.html, HtmlReport(summary));
  bool failed = !written || summary.interrupted || !summary.disagreements.empty();
  for (const Result& result : summary.results) failed |= !result.error.empty();
  return failed ? 1 : 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) { return bench::Main(argc, argv); }
