#include "tools/bench/svg_plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <limits>

#include "tools/bench/summary.h"

namespace bench {
namespace {

constexpr double kWidth = 560;
constexpr double kHeight = 260;
constexpr double kLeft = 70;
constexpr double kRight = 12;
constexpr double kTop = 30;
constexpr double kBottom = 42;

__attribute__((format(printf, 2, 3))) void Append(std::string* text, const char* format, ...) {
  char buffer[512];
  va_list arguments;
  va_start(arguments, format);
  const int size = vsnprintf(buffer, sizeof(buffer), format, arguments);
  va_end(arguments);
  text->append(buffer, static_cast<size_t>(std::clamp(size, 0, 511)));
}

void AppendText(std::string* text, double x, double y, const char* anchor,
                const std::string& words) {
  Append(text, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
  *text += EscapeHtml(words) + "</text>";
}

// Where x stands on an axis of percentiles: the number of nines.
double Nines(double fraction) { return -std::log10(std::max(1 - fraction, 1e-6)); }

// 1, 2 or 5 times a power of ten that divides `range` into at most `steps` parts.
double NiceStep(double range, int steps) {
  const double raw = range / steps;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= raw) return factor * power;
  }
  return 10 * power;
}

std::string Short(double value) {
  char text[32];
  if (value >= 1e6) {
    snprintf(text, sizeof(text), "%gM", value / 1e6);
  } else if (value >= 1e3) {
    snprintf(text, sizeof(text), "%gk", value / 1e3);
  } else {
    snprintf(text, sizeof(text), "%g", value);
  }
  return text;
}

struct Range {
  double low = std::numeric_limits<double>::max();
  double high = std::numeric_limits<double>::lowest();
  void Add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

}  // namespace

std::string ColourOf(size_t library) {
  static constexpr std::array<const char*, 6> kColours = {"#1f6fd6", "#d9722b", "#2e9a57",
                                                          "#8a4fbf", "#b8a11e", "#777777"};
  return kColours[library % kColours.size()];
}

std::string EscapeHtml(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string DrawPlot(const Plot& plot) {
  Range xs;
  Range ys;
  bool drawable = false;
  const auto place_x = [&plot](double x) { return plot.x_percentiles ? Nines(x) : x; };
  const auto place_y = [&plot](double y) {
    return plot.y_logarithmic ? std::log10(std::max(y, 1e-3)) : y;
  };
  for (const PlotLine& line : plot.lines) {
    drawable |= line.points.size() > 1;
    for (const auto& [x, y] : line.points) {
      xs.Add(place_x(x));
      ys.Add(place_y(y));
    }
  }
  if (!drawable) return "";
  if (plot.y_logarithmic) {
    ys.low = std::floor(ys.low);
    ys.high = std::max(std::ceil(ys.high), ys.low + 1);
  } else {
    ys.low = 0;
    ys.high = ys.high > 0 ? ys.high * 1.05 : 1;
    xs.low = plot.x_percentiles ? xs.low : 0;
  }
  if (xs.high <= xs.low) xs.high = xs.low + 1;
  const auto x_at = [&](double x) {
    return kLeft + (x - xs.low) / (xs.high - xs.low) * (kWidth - kLeft - kRight);
  };
  const auto y_at = [&](double y) {
    return kHeight - kBottom - (y - ys.low) / (ys.high - ys.low) * (kHeight - kTop - kBottom);
  };

  std::string svg;
  Append(&svg, "<svg viewBox=\"0 0 %.0f %.0f\" class=\"plot\" role=\"img\">", kWidth, kHeight);
  AppendText(&svg, kLeft, 18, "start", plot.title);
  const auto horizontal = [&](double y, const std::string& label) {
    Append(&svg, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>", kLeft,
           kWidth - kRight, y_at(y), y_at(y));
    AppendText(&svg, kLeft - 6, y_at(y) + 4, "end", label);
  };
  const auto vertical = [&](double x, const std::string& label) {
    Append(&svg, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>", x_at(x),
           x_at(x), kTop, kHeight - kBottom);
    AppendText(&svg, x_at(x), kHeight - kBottom + 15, "middle", label);
  };
  if (plot.y_logarithmic) {
    for (double y = ys.low; y <= ys.high; ++y) horizontal(y, Short(std::pow(10, y)));
  } else {
    const double step = NiceStep(ys.high - ys.low, 5);
    for (double y = ys.low; y <= ys.high; y += step) horizontal(y, Short(y));
  }
  if (plot.x_percentiles) {
    static constexpr std::array<std::pair<double, const char*>, 6> kTicks = {{{0.5, "50 %"},
                                                                              {0.9, "90 %"},
                                                                              {0.99, "99 %"},
                                                                              {0.999, "99.9 %"},
                                                                              {0.9999, "99.99 %"},
                                                                              {1, "max"}}};
    for (const auto& [fraction, label] : kTicks) {
      if (Nines(fraction) >= xs.low && Nines(fraction) <= xs.high) vertical(Nines(fraction), label);
    }
  } else {
    const double step = NiceStep(xs.high - xs.low, 6);
    for (double x = xs.low; x <= xs.high; x += step) vertical(x, Short(x));
  }
  AppendText(&svg, kWidth - kRight, kHeight - 8, "end", plot.x_label);
  AppendText(&svg, 4, 18, "start", plot.y_label);

  double legend = kWidth - kRight;
  for (size_t i = plot.lines.size(); i-- > 0;) {
    const PlotLine& line = plot.lines[i];
    AppendText(&svg, legend, 18, "end", line.name);
    legend -= 7.0 * static_cast<double>(line.name.size()) + 16;
    Append(&svg, "<rect x=\"%.1f\" y=\"10\" width=\"9\" height=\"9\" fill=\"%s\"/>", legend + 3,
           line.colour.c_str());
    if (line.points.empty()) continue;
    Append(&svg, "<polyline fill=\"none\" stroke-width=\"1.8\" stroke=\"%s\" points=\"",
           line.colour.c_str());
    for (const auto& [x, y] : line.points) {
      Append(&svg, "%.1f,%.1f ", x_at(place_x(x)), y_at(place_y(y)));
    }
    svg += "\"/>";
  }
  return svg + "</svg>\n";
}

std::string DrawBars(const Bars& bars) {
  constexpr double kBarHeight = 13;
  constexpr double kNames = 230;
  constexpr double kBarWidth = 560;
  constexpr double kCaptions = 170;
  const double group_height =
      static_cast<double>(std::max<size_t>(bars.series.size(), 1)) * kBarHeight + 9;
  const double height = 34 + group_height * static_cast<double>(bars.groups.size());
  double largest_of_all = 0;
  for (const BarGroup& group : bars.groups) {
    for (const double value : group.values) largest_of_all = std::max(largest_of_all, value);
    largest_of_all = std::max(largest_of_all, group.mark_high);
  }

  std::string svg;
  Append(&svg, "<svg viewBox=\"0 0 %.0f %.0f\" class=\"bars\" role=\"img\">",
         kNames + kBarWidth + kCaptions, height);
  AppendText(&svg, 0, 16, "start", bars.title);
  double legend = kNames + 100;
  for (size_t i = 0; i < bars.series.size(); ++i) {
    Append(&svg, "<rect x=\"%.1f\" y=\"8\" width=\"9\" height=\"9\" fill=\"%s\"/>", legend,
           bars.colours[i].c_str());
    AppendText(&svg, legend + 13, 16, "start", bars.series[i]);
    legend += 7.0 * static_cast<double>(bars.series[i].size()) + 34;
  }
  double y = 28;
  for (const BarGroup& group : bars.groups) {
    double largest = largest_of_all;
    if (bars.each_by_its_own && !group.values.empty()) {
      largest = *std::max_element(group.values.begin(), group.values.end());
    }
    if (largest <= 0) largest = 1;
    AppendText(&svg, kNames - 8, y + group_height / 2 - 1, "end", group.name);
    for (size_t i = 0; i < group.values.size(); ++i) {
      const double top = y + static_cast<double>(i) * kBarHeight;
      const double width = group.values[i] / largest * kBarWidth;
      Append(&svg, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>",
             kNames, top, width, kBarHeight - 2, bars.colours[i].c_str());
      AppendText(&svg, kNames + width + 5, top + kBarHeight - 4, "start", group.captions[i]);
    }
    for (const double mark : {group.mark_low, group.mark_high}) {
      if (mark <= 0) continue;
      const double x = kNames + mark / largest * kBarWidth;
      Append(&svg, "<line class=\"mark\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>", x, x,
             y - 2, y + group_height - 9);
    }
    y += group_height;
  }
  return svg + "</svg>\n";
}

}  // namespace bench
