#include "tools/bench/summary.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <thread>

namespace bench {
namespace {

template <typename Member>
double MedianOf(const std::vector<const Result*>& results, Member member) {
  std::vector<double> values;
  for (const Result* result : results) values.push_back(static_cast<double>(result->*member));
  return Median(std::move(values));
}

Cell MakeCell(const std::vector<const Result*>& rounds) {
  Cell cell;
  std::vector<const Result*> usable;
  for (const Result* result : rounds) {
    cell.ops_per_second.push_back(result->usable() ? result->ops_per_second : 0);
    const bool has_cpu = result->usable() && result->cpu_us_per_op > 0;
    cell.ops_per_cpu_second.push_back(has_cpu ? 1e6 / result->cpu_us_per_op : 0);
    if (result->usable()) {
      usable.push_back(result);
    } else if (cell.problem.empty()) {
      // Without either, a companion did not get to run before the others had ended.
      cell.problem = !result->error.empty()     ? result->error
                     : !result->skipped.empty() ? "left out: " + result->skipped
                                                : "";
    }
  }
  if (usable.empty()) return cell;
  // Curves and series are those of the round whose throughput is in the middle.
  std::vector<const Result*> sorted = usable;
  std::sort(sorted.begin(), sorted.end(),
            [](const Result* a, const Result* b) { return a->ops_per_second < b->ops_per_second; });
  Result& m = cell.middle;
  m = *sorted[sorted.size() / 2];
  m.ops_per_second = MedianOf(usable, &Result::ops_per_second);
  m.seconds = MedianOf(usable, &Result::seconds);
  m.mean_us = MedianOf(usable, &Result::mean_us);
  m.p50_us = MedianOf(usable, &Result::p50_us);
  m.p99_us = MedianOf(usable, &Result::p99_us);
  m.p999_us = MedianOf(usable, &Result::p999_us);
  m.p9999_us = MedianOf(usable, &Result::p9999_us);
  m.max_us = MedianOf(usable, &Result::max_us);
  m.cpu_us_per_op = MedianOf(usable, &Result::cpu_us_per_op);
  m.bytes_written = static_cast<uint64_t>(MedianOf(usable, &Result::bytes_written));
  m.bytes_on_disk = static_cast<uint64_t>(MedianOf(usable, &Result::bytes_on_disk));
  m.peak_memory = static_cast<uint64_t>(MedianOf(usable, &Result::peak_memory));
  m.peak_mapped = static_cast<uint64_t>(MedianOf(usable, &Result::peak_mapped));
  return cell;
}

const Row* FindRow(const Summary& summary, const std::string& scenario,
                   const std::string& workload) {
  for (const Row& row : summary.rows) {
    if (row.scenario == scenario && row.workload == workload) return &row;
  }
  return nullptr;
}

// The largest ratio of a figure of the first library to the second's, over workloads that write.
template <typename Member>
Limit LargestRatio(const Summary& summary, const char* title, Member member, double limit,
                   const std::vector<std::string>& workloads,
                   const std::string& scenario_but = "") {
  Limit result{title, 0, limit, "x", true};
  std::string where;
  for (const Row& row : summary.rows) {
    if (std::find(workloads.begin(), workloads.end(), row.workload) == workloads.end()) continue;
    if (row.scenario == scenario_but) continue;
    if (row.cells.size() < 2 || row.ratios[1].rounds == 0) continue;
    const double left = static_cast<double>(row.cells[0].middle.*member);
    const double right = static_cast<double>(row.cells[1].middle.*member);
    if (right <= 0 || left / right <= result.measured) continue;
    result.measured = left / right;
    where = row.scenario == row.workload ? row.workload : row.scenario + "/" + row.workload;
  }
  if (!where.empty()) result.title += " (most: " + where + ")";
  result.ok = result.measured <= limit;
  return result;
}

}  // namespace

void Summarize(Summary* summary) {
  const size_t libraries = summary->command_line.libraries.size();
  summary->rows.clear();
  for (const Result& result : summary->results) {
    if (FindRow(*summary, result.scenario, result.workload) == nullptr) {
      summary->rows.push_back({result.scenario, result.workload, {}, {}, {}});
    }
  }
  for (Row& row : summary->rows) {
    std::vector<std::vector<const Result*>> by_library(libraries);
    for (const Result& result : summary->results) {
      if (result.scenario == row.scenario && result.workload == row.workload) {
        by_library[static_cast<size_t>(result.library)].push_back(&result);
      }
    }
    for (const auto& rounds : by_library) row.cells.push_back(MakeCell(rounds));
    for (size_t i = 0; i < libraries; ++i) {
      row.ratios.push_back(PairedRatio(row.cells[0].ops_per_second, row.cells[i].ops_per_second));
      row.cpu_ratios.push_back(
          PairedRatio(row.cells[0].ops_per_cpu_second, row.cells[i].ops_per_cpu_second));
      if (i == 0) continue;
      for (const Result* left : by_library[0]) {
        for (const Result* right : by_library[i]) {
          if (left->round != right->round || !left->usable() || !right->usable()) continue;
          // Where both did the same operations.
          if (left->operations != right->operations) continue;
          if (left->found == right->found && left->bytes == right->bytes) continue;
          summary->disagreements.push_back(
              row.scenario + " " + row.workload + " round " + std::to_string(left->round + 1) +
              ": " + summary->command_line.names[0] + " found " + std::to_string(left->found) +
              " keys, " + std::to_string(left->bytes) + " bytes; " +
              summary->command_line.names[i] + " " + std::to_string(right->found) + " keys, " +
              std::to_string(right->bytes) + " bytes");
        }
      }
    }
  }
}

void Judge(const Suite& suite, Summary* summary) {
  std::vector<double> counted;
  for (const Goal& goal : suite.goals) {
    const Row* row = FindRow(*summary, goal.scenario, goal.workload);
    if (row == nullptr) continue;  // Left out by --only.
    GoalOutcome outcome;
    outcome.goal = goal;
    if (row->ratios.size() > 1) {
      outcome.ratio = row->ratios[1];
      outcome.cpu_ratio = row->cpu_ratios[1];
    }
    for (size_t i = 0; i < std::min<size_t>(row->cells.size(), 2); ++i) {
      if (outcome.problem.empty()) outcome.problem = row->cells[i].problem;
    }
    const bool measured = outcome.problem.empty() && outcome.ratio.rounds > 0;
    outcome.reaches_floor = measured && outcome.ratio.median >= goal.floor;
    outcome.reaches_goal = measured && outcome.ratio.median >= goal.goal;
    if (measured && goal.counts) counted.push_back(outcome.ratio.median);
    summary->goals.push_back(std::move(outcome));
  }
  summary->geometric_mean = GeometricMean(counted);

  const std::vector<std::string> single = {"fillrandom", "fillseq", "overwrite"};
  const std::string batches = "fillbatch";  // Whose fillrandom writes batches too.
  const std::vector<std::string> filling = {"fillrandom", "fillseq",   "overwrite",
                                            "fillbatch",  "fillruns",  "filluniquerandom",
                                            "compact",    "readrandom"};
  summary->limits.push_back(LargestRatio(*summary, "p99.9 of single writes against the other's",
                                         &Result::p999_us, 0.5, single, batches));
  summary->limits.push_back(
      LargestRatio(*summary, "peak memory", &Result::peak_memory, 1.0, filling));
  summary->limits.push_back(LargestRatio(
      *summary, "bytes written", &Result::bytes_written, 1.0,
      {"fillrandom", "fillseq", "overwrite", "fillruns", "filluniquerandom", "compact"}));
  summary->limits.push_back(LargestRatio(
      *summary, "bytes on disk", &Result::bytes_on_disk, 1.0,
      {"fillrandom", "fillseq", "overwrite", "fillruns", "filluniquerandom", "compact"}));
  Limit stall{"longest single write", 0, 100, "ms", true};
  for (const Row& row : summary->rows) {
    if (std::find(single.begin(), single.end(), row.workload) == single.end()) continue;
    if (row.scenario == batches || row.cells.empty()) continue;
    stall.measured = std::max(stall.measured, row.cells[0].middle.max_us / 1000);
  }
  stall.ok = stall.measured <= stall.limit;
  summary->limits.push_back(stall);
  if (const Row* open = FindRow(*summary, "open", "open"); open != nullptr) {
    Limit limit{"open", open->cells[0].middle.p50_us / 1000, 50, "ms", true};
    limit.ok = limit.measured <= limit.limit;
    summary->limits.push_back(limit);
  }
}

std::string DescribeMachine() {
  std::string processor = "unknown processor";
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) {
      processor = line.substr(colon + 2);
      break;
    }
  }
  utsname names;
  const std::string kernel =
      uname(&names) == 0 ? std::string(names.sysname) + " " + names.release : "unknown kernel";
  const double pages = static_cast<double>(sysconf(_SC_PHYS_PAGES));
  const double gigabytes = pages * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 30);
  char memory[32];
  snprintf(memory, sizeof(memory), "%.0f GiB", gigabytes);
  return processor + ", " + std::to_string(std::thread::hardware_concurrency()) + " cores, " +
         memory + ", " + kernel;
}

std::string DateNow() {
  const std::time_t now = std::time(nullptr);
  std::tm fields;
  gmtime_r(&now, &fields);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &fields);
  return text;
}

std::string Number(double value) {
  char text[64];
  if (value < 100) {
    snprintf(text, sizeof(text), value < 10 ? "%.2f" : "%.1f", value);
    return text;
  }
  snprintf(text, sizeof(text), "%.0f", value);
  std::string digits = text;
  for (int i = static_cast<int>(digits.size()) - 3; i > 0; i -= 3) {
    digits.insert(static_cast<size_t>(i), 1, ',');
  }
  return digits;
}

std::string Megabytes(uint64_t bytes) {
  char text[32];
  snprintf(text, sizeof(text), "%.1f", static_cast<double>(bytes) / 1e6);
  return text;
}

}  // namespace bench
