#include "core/metrics/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>

namespace skarn {

namespace {

// Limits grow by half and are rounded down to two significant digits, so that people
// can read them: 1, 2, 3, 4, 6, 10, 15, 22, 34, ... The growth itself is not rounded.
std::array<uint64_t, kHistogramBuckets> MakeLimits() {
  std::array<uint64_t, kHistogramBuckets> limits{};
  limits[0] = 1;
  limits[1] = 2;
  double exact = 2;
  for (size_t i = 2; i < kHistogramBuckets; i++) {
    exact *= 1.5;
    auto digits = static_cast<uint64_t>(exact);
    uint64_t power = 1;
    while (digits / 10 > 10) {
      digits /= 10;
      power *= 10;
    }
    limits[i] = digits * power;
  }
  return limits;
}

// The first bucket that a value of each bit width may belong to.
std::array<uint8_t, 65> MakeFirstOfWidth() {
  const auto& limits = HistogramBucketLimits();
  std::array<uint8_t, 65> first{};
  for (int width = 1; width <= 64; width++) {
    const uint64_t smallest = uint64_t{1} << (width - 1);
    const auto bucket = std::lower_bound(limits.begin(), limits.end(), smallest) - limits.begin();
    first[static_cast<size_t>(width)] =
        static_cast<uint8_t>(std::min<ptrdiff_t>(bucket, kHistogramBuckets - 1));
  }
  return first;
}

void Append(std::string* text, const char* format, auto... values) {
  char line[200];
  const int size = snprintf(line, sizeof(line), format, values...);
  if (size > 0) text->append(line, std::min<size_t>(static_cast<size_t>(size), sizeof(line) - 1));
}

using Printable = unsigned long long;  // NOLINT: what %llu takes.

}  // namespace

const std::array<uint64_t, kHistogramBuckets>& HistogramBucketLimits() {
  static const std::array<uint64_t, kHistogramBuckets> limits = MakeLimits();
  return limits;
}

size_t HistogramBucketOf(uint64_t value) {
  static const std::array<uint8_t, 65> first = MakeFirstOfWidth();
  const auto& limits = HistogramBucketLimits();
  // At most two limits lie between two powers of two.
  size_t bucket = first[static_cast<size_t>(std::bit_width(value))];
  while (bucket + 1 < kHistogramBuckets && limits[bucket] < value) bucket++;
  return bucket;
}

void HistogramSnapshot::Add(uint64_t value) {
  buckets[HistogramBucketOf(value)]++;
  min = std::min(min, value);
  max = std::max(max, value);
  count++;
  sum += value;
  sum_squares += value * value;
}

void HistogramSnapshot::Merge(const HistogramSnapshot& other) {
  for (size_t i = 0; i < kHistogramBuckets; i++) buckets[i] += other.buckets[i];
  min = std::min(min, other.min);
  max = std::max(max, other.max);
  count += other.count;
  sum += other.sum;
  sum_squares += other.sum_squares;
}

double HistogramSnapshot::Average() const {
  return count == 0 ? 0 : static_cast<double>(sum) / static_cast<double>(count);
}

double HistogramSnapshot::StandardDeviation() const {
  if (count == 0) return 0;
  const auto n = static_cast<double>(count);
  const auto total = static_cast<double>(sum);
  const double variance = (static_cast<double>(sum_squares) * n - total * total) / (n * n);
  return std::sqrt(std::max(variance, 0.0));  // Sums that overflowed could make it negative.
}

double HistogramSnapshot::Percentile(double percent) const {
  const double threshold = static_cast<double>(count) * (percent / 100.0);
  const auto& limits = HistogramBucketLimits();
  uint64_t below = 0;
  for (size_t i = 0; i < kHistogramBuckets; i++) {
    const uint64_t through = below + buckets[i];
    if (static_cast<double>(through) >= threshold) {
      const double low = i == 0 ? 0 : static_cast<double>(limits[i - 1]);
      const auto high = static_cast<double>(limits[i]);
      const double share = buckets[i] == 0 ? 0
                                           : (threshold - static_cast<double>(below)) /
                                                 static_cast<double>(buckets[i]);
      const double value = low + (high - low) * share;
      return std::min(std::max(value, static_cast<double>(min)), static_cast<double>(max));
    }
    below = through;
  }
  return static_cast<double>(max);
}

HistogramSummary HistogramSnapshot::Summary() const {
  HistogramSummary summary;
  summary.median = Percentile(50);
  summary.percentile95 = Percentile(95);
  summary.percentile99 = Percentile(99);
  summary.average = Average();
  summary.standard_deviation = StandardDeviation();
  summary.max = static_cast<double>(max);
  summary.count = count;
  summary.sum = sum;
  summary.min = static_cast<double>(min);
  return summary;
}

std::string HistogramSnapshot::ToString() const {
  std::string text;
  Append(&text, "Count: %llu Average: %.4f  StdDev: %.2f\n", static_cast<Printable>(count),
         Average(), StandardDeviation());
  Append(&text, "Min: %llu  Median: %.4f  Max: %llu\n",
         static_cast<Printable>(count == 0 ? 0 : min), Percentile(50), static_cast<Printable>(max));
  Append(&text, "Percentiles: P50: %.2f P75: %.2f P99: %.2f P99.9: %.2f P99.99: %.2f\n",
         Percentile(50), Percentile(75), Percentile(99), Percentile(99.9), Percentile(99.99));
  text.append(54, '-').push_back('\n');
  if (count == 0) return text;
  const auto& limits = HistogramBucketLimits();
  uint64_t through = 0;
  for (size_t i = 0; i < kHistogramBuckets; i++) {
    if (buckets[i] == 0) continue;
    through += buckets[i];
    const double percent = 100.0 * static_cast<double>(buckets[i]) / static_cast<double>(count);
    Append(&text, "%c %7llu, %7llu ] %8llu %7.3f%% %7.3f%% ", i == 0 ? '[' : '(',
           static_cast<Printable>(i == 0 ? 0 : limits[i - 1]), static_cast<Printable>(limits[i]),
           static_cast<Printable>(buckets[i]), percent,
           100.0 * static_cast<double>(through) / static_cast<double>(count));
    text.append(static_cast<size_t>(percent / 5 + 0.5), '#').push_back('\n');
  }
  return text;
}

void Histogram::Add(uint64_t value) {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  buckets_[HistogramBucketOf(value)].fetch_add(1, kRelaxed);
  for (uint64_t seen = min_.load(kRelaxed);
       value < seen && !min_.compare_exchange_weak(seen, value, kRelaxed);) {
  }
  for (uint64_t seen = max_.load(kRelaxed);
       value > seen && !max_.compare_exchange_weak(seen, value, kRelaxed);) {
  }
  sum_.fetch_add(value, kRelaxed);
  sum_squares_.fetch_add(value * value, kRelaxed);
}

void Histogram::AddTo(HistogramSnapshot* total) const {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  total->sum += sum_.load(kRelaxed);
  total->sum_squares += sum_squares_.load(kRelaxed);
  total->min = std::min(total->min, min_.load(kRelaxed));
  total->max = std::max(total->max, max_.load(kRelaxed));
  for (size_t i = 0; i < kHistogramBuckets; i++) {
    const uint64_t count = buckets_[i].load(kRelaxed);
    total->buckets[i] += count;
    total->count += count;
  }
}

void Histogram::Clear() {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  sum_.store(0, kRelaxed);
  sum_squares_.store(0, kRelaxed);
  min_.store(HistogramBucketLimits().back(), kRelaxed);
  max_.store(0, kRelaxed);
  for (auto& bucket : buckets_) bucket.store(0, kRelaxed);
}

}  // namespace skarn
