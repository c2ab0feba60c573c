// The report with plots: one file that needs nothing else.

#include <cstdio>

#include "tools/bench/summary.h"
#include "tools/bench/svg_plot.h"

namespace bench {
namespace {

constexpr const char* kStyle = R"(
body { font: 14px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 1180px; color: #222; }
h1 { font-size: 22px; } h2 { font-size: 18px; margin-top: 2em; } h3 { font-size: 15px; }
table { border-collapse: collapse; } td, th { padding: 2px 9px; text-align: right; }
td.name, th.name { text-align: left; } tr:nth-child(even) { background: #f4f6f8; }
th { border-bottom: 1px solid #999; } .bad { color: #b00020; font-weight: 600; }
.good { color: #1d7a3a; font-weight: 600; } code { background: #f0f0f0; padding: 1px 4px; }
svg { font: 11px system-ui, sans-serif; } svg.plot { width: 560px; } svg.bars { width: 960px; }
.grid { stroke: #ddd; } .mark { stroke: #222; stroke-width: 1.5; } .pair { display: flex; gap: 20px; flex-wrap: wrap; }
)";

std::string RatioText(const Ratio& ratio) {
  if (ratio.rounds == 0) return "";
  char text[64];
  snprintf(text, sizeof(text), "%.2f [%.2f-%.2f]", ratio.median, ratio.lowest, ratio.highest);
  return text;
}

std::string NameOf(const Row& row) {
  return row.scenario == row.workload ? row.workload : row.scenario + ": " + row.workload;
}

std::string Cells(const std::vector<std::string>& texts, size_t names) {
  std::string html = "<tr>";
  for (size_t i = 0; i < texts.size(); ++i) {
    html += i < names ? "<td class=\"name\">" : "<td>";
    html += EscapeHtml(texts[i]) + "</td>";
  }
  return html + "</tr>\n";
}

std::string Goals(const Summary& summary) {
  std::string html = "<h2>Goals</h2>\n<p>Throughput of " +
                     EscapeHtml(summary.command_line.names[0]) + " against " +
                     EscapeHtml(summary.command_line.names[1]) +
                     ": median of the paired ratios, lowest and highest. Marks in the plot are "
                     "floor and goal; rows with a star are not in the mean.</p>\n<table><tr>"
                     "<th class=\"name\">workload</th><th>goal</th><th>floor</th><th>measured</th>"
                     "<th>per CPU second</th>"
                     "<th class=\"name\">verdict</th></tr>\n";
  Bars bars;
  bars.title = "ratio of throughput";
  bars.series = {summary.command_line.names[0]};
  bars.colours = {ColourOf(0)};
  for (const GoalOutcome& outcome : summary.goals) {
    const bool measured = outcome.problem.empty() && outcome.ratio.rounds > 0;
    const std::string verdict = !measured               ? "not measured: " + outcome.problem
                                : outcome.reaches_goal  ? "goal"
                                : outcome.reaches_floor ? "ok"
                                                        : "below floor";
    html += "<tr><td class=\"name\">" + EscapeHtml(outcome.goal.title) +
            (outcome.goal.counts ? "" : " *") + "</td><td>" + Number(outcome.goal.goal) +
            "</td><td>" + Number(outcome.goal.floor) + "</td><td>" + RatioText(outcome.ratio) +
            "</td><td>" + RatioText(outcome.cpu_ratio) + "</td><td class=\"name " +
            (outcome.reaches_floor ? "good" : "bad") + "\">" + EscapeHtml(verdict) + "</td></tr>\n";
    if (measured) {
      bars.groups.push_back({outcome.goal.title,
                             {outcome.ratio.median},
                             {RatioText(outcome.ratio)},
                             outcome.goal.floor,
                             outcome.goal.goal});
    }
  }
  html += "<tr><td class=\"name\">geometric mean</td><td>5</td><td>2.5</td><td>" +
          Number(summary.geometric_mean) + "</td><td></td><td class=\"name " +
          (summary.geometric_mean >= 2.5 ? "good\">ok" : "bad\">below floor") +
          "</td></tr>\n</table>\n" + DrawBars(bars);
  html += "<h3>Also</h3>\n<table>\n";
  for (const Limit& limit : summary.limits) {
    html += "<tr><td class=\"name\">" + EscapeHtml(limit.title) + "</td><td>" +
            Number(limit.measured) + " " + limit.unit + "</td><td>at most " + Number(limit.limit) +
            " " + limit.unit + "</td><td class=\"" + (limit.ok ? "good\">ok" : "bad\">above") +
            "</td></tr>\n";
  }
  return html + "</table>\n";
}

std::string Throughput(const Summary& summary) {
  Bars bars;
  bars.title = "operations per second";
  bars.series = summary.command_line.names;
  bars.each_by_its_own = true;
  for (size_t i = 0; i < summary.command_line.names.size(); ++i) {
    bars.colours.push_back(ColourOf(i));
  }
  for (const Row& row : summary.rows) {
    BarGroup group;
    group.name = NameOf(row);
    for (size_t i = 0; i < row.cells.size(); ++i) {
      const Cell& cell = row.cells[i];
      group.values.push_back(cell.middle.ops_per_second);
      std::string caption =
          cell.middle.operations != 0 ? Number(cell.middle.ops_per_second) : cell.problem;
      if (i != 0 && row.ratios[i].rounds != 0) caption += "  (" + RatioText(row.ratios[i]) + ")";
      group.captions.push_back(caption);
    }
    bars.groups.push_back(std::move(group));
  }
  return "<h2>Throughput</h2>\n<p>Each workload by its fastest library; in brackets the first "
         "library's ratio to this one.</p>\n" +
         DrawBars(bars);
}

std::string Figures(const Summary& summary) {
  std::string html =
      "<h2>Figures</h2>\n<table><tr><th class=\"name\">workload</th><th class=\"name\">library</th>"
      "<th>ops/s</th><th>p50 us</th><th>p99 us</th><th>p99.9 us</th><th>max us</th>"
      "<th>CPU us/op</th><th>MB written</th><th>MB on disk</th><th>MB peak</th><th>MB "
      "mapped</th></tr>\n";
  for (const Row& row : summary.rows) {
    for (size_t i = 0; i < row.cells.size(); ++i) {
      const Result& r = row.cells[i].middle;
      if (r.operations == 0) {
        html += Cells(
            {i == 0 ? NameOf(row) : "", summary.command_line.names[i], row.cells[i].problem}, 3);
        continue;
      }
      html +=
          Cells({i == 0 ? NameOf(row) : "", summary.command_line.names[i], Number(r.ops_per_second),
                 Number(r.p50_us), Number(r.p99_us), Number(r.p999_us), Number(r.max_us),
                 Number(r.cpu_us_per_op), Megabytes(r.bytes_written), Megabytes(r.bytes_on_disk),
                 Megabytes(r.peak_memory), Megabytes(r.peak_mapped)},
                2);
    }
  }
  return html + "</table>\n";
}

std::string Curves(const Summary& summary) {
  std::string html = "<h2>Latency and throughput over time</h2>\n";
  for (const Row& row : summary.rows) {
    Plot latency;
    latency.title = "latency";
    latency.x_label = "of operations at most this long";
    latency.y_label = "us";
    latency.y_logarithmic = true;
    latency.x_percentiles = true;
    Plot time;
    time.title = "throughput";
    time.x_label = "seconds";
    time.y_label = "ops/s";
    for (size_t i = 0; i < row.cells.size(); ++i) {
      const Result& r = row.cells[i].middle;
      latency.lines.push_back({summary.command_line.names[i], ColourOf(i), r.curve});
      time.lines.push_back({summary.command_line.names[i], ColourOf(i), r.series});
    }
    const std::string plots = DrawPlot(latency) + DrawPlot(time);
    if (plots.empty()) continue;
    html += "<h3>" + EscapeHtml(NameOf(row)) + "</h3>\n<div class=\"pair\">" + plots + "</div>\n";
  }
  return html;
}

}  // namespace

std::string HtmlReport(const Summary& summary) {
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<title>Skarn bench</title><style>";
  html += kStyle;
  html += "</style></head><body>\n<h1>Skarn bench</h1>\n<p>" + EscapeHtml(summary.date) + ", " +
          EscapeHtml(summary.machine) + ", rounds: " + std::to_string(summary.command_line.rounds) +
          ". Libraries:";
  for (size_t i = 0; i < summary.command_line.names.size(); ++i) {
    html += (i == 0 ? " " : ", ") + EscapeHtml(summary.command_line.names[i]) + " (<code>" +
            EscapeHtml(summary.command_line.libraries[i]) + "</code>)";
  }
  html += ".</p>\n<p><code>" + EscapeHtml(summary.command) + "</code></p>\n";
  if (summary.interrupted) html += "<p class=\"bad\">Interrupted before the end.</p>\n";
  for (const std::string& disagreement : summary.disagreements) {
    html += "<p class=\"bad\">Different answers: " + EscapeHtml(disagreement) + "</p>\n";
  }
  if (!summary.goals.empty() && summary.command_line.libraries.size() > 1) html += Goals(summary);
  html += Throughput(summary) + Figures(summary) + Curves(summary);
  return html + "</body></html>\n";
}

}  // namespace bench
