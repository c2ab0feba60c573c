#include "core/metrics/statistics.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <thread>

namespace skarn {

namespace {

constexpr const char* kTickerNames[] = {
#define SKARN_TICKER(enumerator, name) name,
#include "core/metrics/tickers.def"
#undef SKARN_TICKER
};

constexpr const char* kHistogramNames[] = {
#define SKARN_HISTOGRAM(enumerator, name) name,
#include "core/metrics/histograms.def"
#undef SKARN_HISTOGRAM
};

// A slot is some 70 KB; more than this many bring nothing.
constexpr uint32_t kSlotsMax = 32;

}  // namespace

const char* TickerName(Ticker ticker) { return kTickerNames[static_cast<size_t>(ticker)]; }
const char* HistogramName(HistogramKind kind) { return kHistogramNames[static_cast<size_t>(kind)]; }

Statistics::Statistics() {
  const uint32_t cores = std::max(1u, std::thread::hardware_concurrency());
  const uint32_t slots = std::bit_ceil(std::min(cores, kSlotsMax));
  slot_mask_ = slots - 1;
  slots_ = std::make_unique<Slot[]>(slots);
}

Statistics::~Statistics() = default;

uint64_t Statistics::Get(Ticker ticker) const {
  uint64_t total = 0;
  for (uint32_t i = 0; i <= slot_mask_; i++) {
    total += slots_[i].tickers[static_cast<size_t>(ticker)].load(std::memory_order_relaxed);
  }
  return total;
}

uint64_t Statistics::GetAndReset(Ticker ticker) {
  uint64_t total = 0;
  for (uint32_t i = 0; i <= slot_mask_; i++) {
    total += slots_[i].tickers[static_cast<size_t>(ticker)].exchange(0, std::memory_order_relaxed);
  }
  return total;
}

void Statistics::Set(Ticker ticker, uint64_t count) {
  for (uint32_t i = 0; i <= slot_mask_; i++) {
    slots_[i].tickers[static_cast<size_t>(ticker)].store(i == 0 ? count : 0,
                                                         std::memory_order_relaxed);
  }
}

HistogramSnapshot Statistics::Get(HistogramKind kind) const {
  HistogramSnapshot total;
  for (uint32_t i = 0; i <= slot_mask_; i++) {
    slots_[i].histograms[static_cast<size_t>(kind)].AddTo(&total);
  }
  return total;
}

void Statistics::Reset() {
  for (uint32_t i = 0; i <= slot_mask_; i++) {
    for (auto& ticker : slots_[i].tickers) ticker.store(0, std::memory_order_relaxed);
    for (auto& histogram : slots_[i].histograms) histogram.Clear();
  }
}

std::string Statistics::ToString() const {
  std::string text;
  text.reserve(20000);
  for (size_t i = 0; i < kTickers; i++) {
    text.append(kTickerNames[i]).append(" COUNT : ");
    text.append(std::to_string(Get(static_cast<Ticker>(i)))).push_back('\n');
  }
  for (size_t i = 0; i < kHistograms; i++) {
    const HistogramSummary summary = Summary(static_cast<HistogramKind>(i));
    char numbers[300];
    snprintf(numbers, sizeof(numbers),
             " P50 : %f P95 : %f P99 : %f P100 : %f COUNT : %llu SUM : %llu\n", summary.median,
             summary.percentile95, summary.percentile99, summary.max,
             static_cast<unsigned long long>(summary.count),  // NOLINT: what %llu takes.
             static_cast<unsigned long long>(summary.sum));   // NOLINT
    text.append(kHistogramNames[i]).append(numbers);
  }
  return text;
}

std::vector<std::pair<std::string, uint64_t>> Statistics::TickerValues() const {
  std::vector<std::pair<std::string, uint64_t>> values;
  values.reserve(kTickers);
  for (size_t i = 0; i < kTickers; i++) {
    values.emplace_back(kTickerNames[i], Get(static_cast<Ticker>(i)));
  }
  return values;
}

const std::vector<OldTicker>& TickersOf78() {
  static const auto* const table = new std::vector<OldTicker>{
#define SKARN_TICKER(enumerator, name) {Ticker::enumerator, name},
#include "core/metrics/tickers_7_8.def"
#undef SKARN_TICKER
  };
  return *table;
}

const std::vector<OldHistogram>& HistogramsOf78() {
  static const auto* const table = new std::vector<OldHistogram>{
#define SKARN_HISTOGRAM(enumerator, name) {HistogramKind::enumerator, name},
#include "core/metrics/histograms_7_8.def"
#undef SKARN_HISTOGRAM
  };
  return *table;
}

}  // namespace skarn
