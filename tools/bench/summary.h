// Summary: all results of an invocation, put together over the rounds.
//
// Thread safety: values and plain functions.

#ifndef SKARN_TOOLS_BENCH_SUMMARY_H_
#define SKARN_TOOLS_BENCH_SUMMARY_H_

#include <string>
#include <vector>

#include "tools/bench/paired.h"
#include "tools/bench/result.h"
#include "tools/bench/settings.h"
#include "tools/bench/suite.h"

namespace bench {

// One workload of one library: the median of each figure over the rounds.
struct Cell {
  Result middle;
  std::string problem;  // Why there are no figures, or what went wrong in one of the rounds.
  // By round; 0 for one without a figure.
  std::vector<double> ops_per_second;
  std::vector<double> ops_per_cpu_second;
};

struct Row {
  std::string scenario;
  std::string workload;
  std::vector<Cell> cells;  // By library.
  // By library: throughput of the first against this one's; and the same per second of processor
  // time, which a busy machine disturbs less.
  std::vector<Ratio> ratios;
  std::vector<Ratio> cpu_ratios;
};

struct GoalOutcome {
  Goal goal;
  Ratio ratio;
  Ratio cpu_ratio;
  std::string problem;
  bool reaches_floor = false;
  bool reaches_goal = false;
};

// What is asked of figures other than throughput, over all scenarios.
struct Limit {
  std::string title;
  double measured = 0;
  double limit = 0;
  std::string unit;
  bool ok = false;
};

struct Summary {
  CommandLine command_line;
  std::string command;  // As it was typed.
  std::string date;     // UTC.
  std::string machine;
  bool interrupted = false;  // Not everything was run.
  std::vector<Result> results;
  std::vector<Row> rows;
  // Workloads in which two libraries read different things for the same keys.
  std::vector<std::string> disagreements;
  // Of a suite, against the second library.
  std::vector<GoalOutcome> goals;
  double geometric_mean = 0;
  std::vector<Limit> limits;
};

// Fills rows and disagreements from results.
void Summarize(Summary* summary);

// Fills goals, geometric_mean and limits from rows.
void Judge(const Suite& suite, Summary* summary);

// Processor, cores, memory and kernel, in a line.
std::string DescribeMachine();
std::string DateNow();

// 1234567 as "1,234,567"; 0.5 as "0.500".
std::string Number(double value);
std::string Megabytes(uint64_t bytes);

std::string TextReport(const Summary& summary, bool histogram);
std::string JsonReport(const Summary& summary);
std::string HtmlReport(const Summary& summary);

}  // namespace bench

#endif  // SKARN_TOOLS_BENCH_SUMMARY_H_
