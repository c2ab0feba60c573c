// The report for a terminal.

#include <algorithm>
#include <cstdio>

#include "tools/bench/summary.h"

namespace bench {
namespace {

using Line = std::vector<std::string>;

// Columns as wide as their widest text; the first `left` ones start at the left edge. The last text
// of a line that is shorter than the first line may be of any length.
std::string Aligned(const std::vector<Line>& lines, size_t left) {
  std::vector<size_t> widths;
  for (const Line& line : lines) {
    for (size_t i = 0; i < line.size(); ++i) {
      if (widths.size() <= i) widths.push_back(0);
      if (i + 1 == line.size() && line.size() < lines.front().size()) continue;
      widths[i] = std::max(widths[i], line[i].size());
    }
  }
  std::string text;
  for (const Line& line : lines) {
    std::string row;
    for (size_t i = 0; i < line.size(); ++i) {
      const std::string space(widths[i] - std::min(widths[i], line[i].size()), ' ');
      if (i != 0) row += "  ";
      row += i < left ? line[i] + space : space + line[i];
    }
    row.erase(row.find_last_not_of(' ') + 1);
    text += row + "\n";
  }
  return text;
}

std::string RatioText(const Ratio& ratio) {
  if (ratio.rounds == 0) return "-";
  char text[64];
  if (ratio.rounds == 1) {
    snprintf(text, sizeof(text), "%.2f", ratio.median);
  } else {
    snprintf(text, sizeof(text), "%.2f [%.2f-%.2f]", ratio.median, ratio.lowest, ratio.highest);
  }
  return text;
}

void AddCells(const Summary& summary, const Row& row, bool histogram, std::vector<Line>* lines) {
  for (size_t i = 0; i < row.cells.size(); ++i) {
    const Cell& cell = row.cells[i];
    const Result& r = cell.middle;
    Line line;
    line.push_back(i == 0 && row.scenario != row.workload ? row.scenario : "");
    line.push_back(i == 0 ? row.workload : "");
    line.push_back(summary.command_line.names[i]);
    if (r.operations == 0) {
      line.push_back(cell.problem.empty() ? "no figures" : cell.problem);
      lines->push_back(line);
      continue;
    }
    line.push_back(Number(r.ops_per_second));
    line.push_back(Number(r.p50_us));
    line.push_back(Number(r.p99_us));
    line.push_back(Number(r.p999_us));
    if (histogram) {
      line.push_back(Number(r.p9999_us));
      line.push_back(Number(r.max_us));
    }
    line.push_back(Number(r.cpu_us_per_op));
    line.push_back(Megabytes(r.bytes_written));
    line.push_back(Megabytes(r.bytes_on_disk));
    line.push_back(Megabytes(r.peak_memory));
    line.push_back(Megabytes(r.peak_mapped));
    line.push_back(i == 0 ? "" : RatioText(row.ratios[i]));
    if (!cell.problem.empty()) line.push_back(cell.problem);
    lines->push_back(line);
  }
}

std::string GoalsText(const Summary& summary) {
  std::vector<Line> lines = {
      {"workload", "verdict", "goal", "floor", "measured", "per cpu second"}};
  for (const GoalOutcome& outcome : summary.goals) {
    const char* verdict = !outcome.problem.empty() || outcome.ratio.rounds == 0 ? "not measured"
                          : outcome.reaches_goal                                ? "goal"
                          : outcome.reaches_floor                               ? "ok"
                                                                                : "BELOW FLOOR";
    lines.push_back({outcome.goal.title + (outcome.goal.counts ? "" : " *"), verdict,
                     Number(outcome.goal.goal), Number(outcome.goal.floor),
                     RatioText(outcome.ratio), RatioText(outcome.cpu_ratio)});
    if (!outcome.problem.empty()) lines.back().push_back(outcome.problem);
  }
  const bool floor = summary.geometric_mean >= 2.5;
  lines.push_back({"geometric mean",
                   summary.geometric_mean >= 5 ? "goal"
                   : floor                     ? "ok"
                                               : "BELOW FLOOR",
                   "5.00", "2.50", Number(summary.geometric_mean)});
  std::string text = "\nGoals: throughput of " + summary.command_line.names[0] + " against " +
                     summary.command_line.names[1] + " (*: not in the mean)\n\n" +
                     Aligned(lines, 2);
  lines = {{"also", "verdict", "limit", "measured"}};
  for (const Limit& limit : summary.limits) {
    lines.push_back({limit.title, limit.ok ? "ok" : "ABOVE LIMIT",
                     Number(limit.limit) + " " + limit.unit,
                     Number(limit.measured) + " " + limit.unit});
  }
  return text + "\n" + Aligned(lines, 2);
}

}  // namespace

std::string TextReport(const Summary& summary, bool histogram) {
  std::vector<Line> lines = {{"scenario", "workload", "library", "ops/s", "p50 us", "p99 us",
                              "p99.9 us", "cpu us/op", "MB written", "MB on disk", "MB peak",
                              "MB mapped"}};
  if (histogram) lines[0].insert(lines[0].begin() + 7, {"p99.99 us", "max us"});
  if (summary.command_line.libraries.size() > 1) lines[0].push_back("ratio");
  for (const Row& row : summary.rows) AddCells(summary, row, histogram, &lines);
  std::string text = summary.machine + ", " + summary.date +
                     ", rounds: " + std::to_string(summary.command_line.rounds) + "\n\n" +
                     Aligned(lines, 3);
  if (!summary.goals.empty() && summary.command_line.libraries.size() > 1) {
    text += GoalsText(summary);
  }
  if (summary.interrupted) text += "\nINTERRUPTED: these are the scenarios that were finished\n";
  for (const std::string& disagreement : summary.disagreements) {
    text += "\nDIFFERENT ANSWERS: " + disagreement + "\n";
  }
  return text;
}

}  // namespace bench
