// Plots as SVG text, to stand inside an HTML page.
//
// Thread safety: plain functions.

#ifndef SKARN_TOOLS_BENCH_SVG_PLOT_H_
#define SKARN_TOOLS_BENCH_SVG_PLOT_H_

#include <string>
#include <utility>
#include <vector>

namespace bench {

struct PlotLine {
  std::string name;
  std::string colour;
  std::vector<std::pair<double, double>> points;
};

struct Plot {
  std::string title;
  std::string x_label;
  std::string y_label;
  bool y_logarithmic = false;
  // The x values are fractions of operations and the axis is that of percentiles: 0.9, 0.99, 0.999
  // are equally far apart.
  bool x_percentiles = false;
  std::vector<PlotLine> lines;
};

// An empty text when no line has two points.
std::string DrawPlot(const Plot& plot);

struct BarGroup {
  std::string name;
  std::vector<double> values;         // One per series; 0: none.
  std::vector<std::string> captions;  // What is written at each bar.
  // Marks across the group's bars, in the units of the values; 0: none.
  double mark_low = 0;
  double mark_high = 0;
};

struct Bars {
  std::string title;
  std::vector<std::string> series;
  std::vector<std::string> colours;
  std::vector<BarGroup> groups;
  // Each group by its own largest value, rather than all by the largest of all.
  bool each_by_its_own = false;
};

std::string DrawBars(const Bars& bars);

// The colour of the library with this number.
std::string ColourOf(size_t library);

std::string EscapeHtml(const std::string& text);

}  // namespace bench

#endif  // SKARN_TOOLS_BENCH_SVG_PLOT_H_
