// What several rounds say together: medians, and ratios of two libraries that were measured beside
// each other.
//
// Thread safety: plain functions on values.

#ifndef SKARN_TOOLS_BENCH_PAIRED_H_
#define SKARN_TOOLS_BENCH_PAIRED_H_

#include <vector>

namespace bench {

// The middle value, the mean of the two middle ones for an even count; 0 for none.
double Median(std::vector<double> values);

// exp of the mean of logarithms, of the positive values; 0 for none.
double GeometricMean(const std::vector<double>& values);

struct Ratio {
  double median = 0;
  double lowest = 0;
  double highest = 0;
  int rounds = 0;  // 0: there was nothing to pair.
};

// The ratios left[i] / right[i] of rounds in which both are positive. The median of ratios, not the
// ratio of medians: what disturbed a round disturbed both sides of it.
Ratio PairedRatio(const std::vector<double>& left, const std::vector<double>& right);

}  // namespace bench

#endif  // SKARN_TOOLS_BENCH_PAIRED_H_
