#include "core/metrics/perf_context.h"

#include <time.h>

#include <cstring>

namespace skarn {

namespace {

constexpr const char* kNames[] = {
#define SKARN_PERF_METRIC(enumerator, name) name,
#include "core/metrics/perf_metrics.def"
#undef SKARN_PERF_METRIC
};

}  // namespace

const char* PerfMetricName(PerfMetric metric) { return kNames[static_cast<size_t>(metric)]; }

void PerfReset(ThreadContext* context) {
  memset(context->perf_counters, 0, sizeof(context->perf_counters));
}

std::string PerfToString(const ThreadContext* context, bool exclude_zero) {
  std::string text;
  for (size_t i = 0; i < static_cast<size_t>(PerfMetric::kCount); i++) {
    const uint64_t value = context->perf_counters[i];
    if (kNames[i][0] == '\0' || (exclude_zero && value == 0)) continue;
    if (!text.empty()) text.append(", ");
    text.append(kNames[i]).append(" = ").append(std::to_string(value));
  }
  return text;
}

uint64_t PerfNow() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace skarn
