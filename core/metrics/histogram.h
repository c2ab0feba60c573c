// Histogram keeps the distribution of many values in 109 buckets that widen by half
// a power at a time, and answers for percentiles by interpolating inside a bucket.
//
// Thread safety: Histogram: Add() from any thread beside anything; the readers see
// some recent state. HistogramSnapshot is a plain value.

#ifndef SKARN_CORE_METRICS_HISTOGRAM_H_
#define SKARN_CORE_METRICS_HISTOGRAM_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

namespace skarn {

inline constexpr size_t kHistogramBuckets = 109;

// The largest value that belongs into each bucket, ascending; the last takes all the rest.
const std::array<uint64_t, kHistogramBuckets>& HistogramBucketLimits();
// The bucket of `value`.
size_t HistogramBucketOf(uint64_t value);

// What users read of a histogram.
struct HistogramSummary {
  double median = 0;
  double percentile95 = 0;
  double percentile99 = 0;
  double average = 0;
  double standard_deviation = 0;
  double max = 0;
  uint64_t count = 0;
  uint64_t sum = 0;
  double min = 0;
};

// A histogram at rest: to merge, compare and print.
struct HistogramSnapshot {
  uint64_t count = 0;
  uint64_t sum = 0;
  uint64_t sum_squares = 0;
  uint64_t min = HistogramBucketLimits().back();
  uint64_t max = 0;
  std::array<uint64_t, kHistogramBuckets> buckets{};

  void Add(uint64_t value);
  void Merge(const HistogramSnapshot& other);

  bool empty() const { return count == 0; }
  double Average() const;
  double StandardDeviation() const;
  // `percent` in [0, 100].
  double Percentile(double percent) const;
  HistogramSummary Summary() const;
  // Count, average, percentiles and a bar for each bucket in use.
  std::string ToString() const;
};

class Histogram {
 public:
  Histogram() { Clear(); }

  void Add(uint64_t value);
  void AddTo(HistogramSnapshot* total) const;
  void Clear();

 private:
  // All relaxed: readers want totals, not an instant. The count is the sum of the buckets.
  std::atomic<uint64_t> sum_;
  std::atomic<uint64_t> sum_squares_;
  std::atomic<uint64_t> min_;
  std::atomic<uint64_t> max_;
  std::array<std::atomic<uint64_t>, kHistogramBuckets> buckets_;
};

}  // namespace skarn

#endif  // SKARN_CORE_METRICS_HISTOGRAM_H_
