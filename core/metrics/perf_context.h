// PerfContext counts what the operations of one thread cost, for a caller who resets
// it, runs an operation and reads it. The counters live in the ThreadContext.
//
// Counting is on by default, so it must be cheap: hot paths count in locals and add
// once per operation. Clocks are read only at the levels that ask for time.
//
// Thread safety: each thread has its own; nobody else reads it.

#ifndef SKARN_CORE_METRICS_PERF_CONTEXT_H_
#define SKARN_CORE_METRICS_PERF_CONTEXT_H_

#include <cstdint>
#include <string>

#include "core/base/thread_context.h"

namespace skarn {

// The numbers up to kPerfMetricsOfAbi are part of the ABI.
enum class PerfMetric : uint32_t {
#define SKARN_PERF_METRIC(enumerator, name) enumerator,
#include "core/metrics/perf_metrics.def"
#undef SKARN_PERF_METRIC
  kCount,
};
inline constexpr uint32_t kPerfMetricsOfAbi = 86;
static_assert(static_cast<size_t>(PerfMetric::kCount) <= ThreadContext::kPerfCounters);
static_assert(static_cast<uint32_t>(PerfMetric::kUnnamed85) + 1 == kPerfMetricsOfAbi);

const char* PerfMetricName(PerfMetric metric);

// What is counted. The numbers are part of the ABI.
enum class PerfLevel : uint8_t {
  kUninitialized = 0,
  kDisable = 1,
  kEnableCount = 2,
  kEnableTimeExceptForMutex = 3,
  kEnableTime = 4,
};

inline PerfLevel CurrentPerfLevel() {
  return static_cast<PerfLevel>(CurrentThreadContext()->perf_level);
}
inline void SetPerfLevel(PerfLevel level) {
  CurrentThreadContext()->perf_level = static_cast<uint8_t>(level);
}

inline bool PerfCounts(const ThreadContext* context) {
  return context->perf_level >= static_cast<uint8_t>(PerfLevel::kEnableCount);
}
inline bool PerfTimes(const ThreadContext* context) {
  return context->perf_level >= static_cast<uint8_t>(PerfLevel::kEnableTimeExceptForMutex);
}
inline bool PerfTimesMutexes(const ThreadContext* context) {
  return context->perf_level >= static_cast<uint8_t>(PerfLevel::kEnableTime);
}

inline void PerfAdd(ThreadContext* context, PerfMetric metric, uint64_t count = 1) {
  if (PerfCounts(context)) context->perf_counters[static_cast<size_t>(metric)] += count;
}
inline uint64_t PerfGet(const ThreadContext* context, PerfMetric metric) {
  return context->perf_counters[static_cast<size_t>(metric)];
}
void PerfReset(ThreadContext* context);
// "name = value" for every metric, separated by commas.
std::string PerfToString(const ThreadContext* context, bool exclude_zero);

// Monotonic nanoseconds.
uint64_t PerfNow();

// Adds the time it lives, or until Stop(), to a metric; does nothing below `level`.
class PerfTimer {
 public:
  PerfTimer(ThreadContext* context, PerfMetric metric,
            PerfLevel level = PerfLevel::kEnableTimeExceptForMutex)
      : context_(context), metric_(metric) {
    if (SKARN_UNLIKELY(context->perf_level >= static_cast<uint8_t>(level))) start_ = PerfNow();
  }
  ~PerfTimer() { Stop(); }
  PerfTimer(const PerfTimer&) = delete;
  PerfTimer& operator=(const PerfTimer&) = delete;

  void Stop() {
    if (SKARN_LIKELY(start_ == 0)) return;
    context_->perf_counters[static_cast<size_t>(metric_)] += PerfNow() - start_;
    start_ = 0;
  }

 private:
  ThreadContext* const context_;
  const PerfMetric metric_;
  uint64_t start_ = 0;  // 0: not running.
};

}  // namespace skarn

#endif  // SKARN_CORE_METRICS_PERF_CONTEXT_H_
