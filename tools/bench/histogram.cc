#include "tools/bench/histogram.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace bench {

void Histogram::Merge(const Histogram& other) {
  for (size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
}

uint64_t Histogram::count() const {
  return std::accumulate(counts_.begin(), counts_.end(), uint64_t{0});
}

double Histogram::Mean() const {
  const uint64_t samples = count();
  return samples == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(samples);
}

uint64_t Histogram::LowerBound(size_t bucket) {
  if (bucket < 2 * kSteps) return bucket;
  const size_t shift = bucket / kSteps - 1;
  return (kSteps + bucket % kSteps) << shift;
}

double Histogram::Percentile(double fraction) const {
  const uint64_t samples = count();
  if (samples == 0) return 0;
  const double wanted = std::ceil(fraction * static_cast<double>(samples));
  const uint64_t rank = std::clamp<uint64_t>(static_cast<uint64_t>(wanted), 1, samples);
  uint64_t seen = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    seen += counts_[i];
    if (seen < rank) continue;
    const double low = static_cast<double>(LowerBound(i));
    const double width =
        i < 2 * kSteps ? 0 : static_cast<double>(uint64_t{1} << (i / kSteps - 1)) - 1;
    return std::min(low + width / 2, static_cast<double>(max_));
  }
  return static_cast<double>(max_);
}

std::vector<std::pair<double, double>> Histogram::Curve() const {
  static constexpr double kFractions[] = {0.01,  0.05,   0.1,    0.25,    0.5,
                                          0.75,  0.9,    0.95,   0.99,    0.995,
                                          0.999, 0.9995, 0.9999, 0.99995, 1 - 1e-5};
  std::vector<std::pair<double, double>> points;
  const double samples = static_cast<double>(count());
  if (samples == 0) return points;
  for (const double fraction : kFractions) {
    // Beyond one sample in the tail there is nothing to tell.
    if ((1 - fraction) * samples < 1) break;
    points.emplace_back(fraction, Percentile(fraction));
  }
  points.emplace_back(1, static_cast<double>(max_));
  return points;
}

}  // namespace bench
