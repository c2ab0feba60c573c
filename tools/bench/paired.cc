#include "tools/bench/paired.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace bench {

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  if (values.size() % 2 == 1) return values[middle];
  return (values[middle - 1] + values[middle]) / 2;
}

double GeometricMean(const std::vector<double>& values) {
  double sum = 0;
  size_t count = 0;
  for (const double value : values) {
    if (value <= 0) continue;
    sum += std::log(value);
    ++count;
  }
  return count == 0 ? 0 : std::exp(sum / static_cast<double>(count));
}

Ratio PairedRatio(const std::vector<double>& left, const std::vector<double>& right) {
  std::vector<double> ratios;
  for (size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
    if (left[i] > 0 && right[i] > 0) ratios.push_back(left[i] / right[i]);
  }
  Ratio result;
  if (ratios.empty()) return result;
  result.median = Median(ratios);
  result.lowest = *std::min_element(ratios.begin(), ratios.end());
  result.highest = *std::max_element(ratios.begin(), ratios.end());
  result.rounds = static_cast<int>(ratios.size());
  return result;
}

}  // namespace bench
