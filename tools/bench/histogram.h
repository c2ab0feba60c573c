// Histogram: counts of durations in buckets that grow with the duration, so that any percentile is
// known within 1.6 percent at the cost of one addition per sample.
//
// Each power of two is divided into 32 equal buckets; durations below 64 have one each. The unit is
// the caller's (the bench counts clock ticks). The cost of Add() does not depend on the value.
//
// Thread safety: one thread at a time. Each worker fills its own; Merge() adds them up.

#ifndef SKARN_TOOLS_BENCH_HISTOGRAM_H_
#define SKARN_TOOLS_BENCH_HISTOGRAM_H_

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace bench {

class Histogram {
 public:
  void Add(uint64_t value) {
    ++counts_[BucketOf(value)];
    sum_ += value;
    if (value > max_) max_ = value;
  }

  void Merge(const Histogram& other);

  uint64_t count() const;
  uint64_t max() const { return max_; }
  double Mean() const;

  // The value below or at which `fraction` (0 to 1) of the samples lie: the middle of its bucket,
  // never more than max(). 0 when there are no samples.
  double Percentile(double fraction) const;

  // Points {fraction, value} for a percentile curve, from the middle towards the tail, ending with
  // {1, max}.
  std::vector<std::pair<double, double>> Curve() const;

  static size_t BucketOf(uint64_t value) {
    if (value < 2 * kSteps) return static_cast<size_t>(value);
    const int shift = static_cast<int>(std::bit_width(value)) - 1 - kStepBits;
    return static_cast<size_t>(shift) * kSteps + static_cast<size_t>(value >> shift);
  }
  // The smallest value of a bucket.
  static uint64_t LowerBound(size_t bucket);

 private:
  static constexpr int kStepBits = 5;
  static constexpr uint64_t kSteps = uint64_t{1} << kStepBits;
  static constexpr size_t kBuckets = (64 - kStepBits + 1) * kSteps;

  std::array<uint64_t, kBuckets> counts_ = {};
  uint64_t sum_ = 0;
  uint64_t max_ = 0;
};

}  // namespace bench

#endif  // SKARN_TOOLS_BENCH_HISTOGRAM_H_
