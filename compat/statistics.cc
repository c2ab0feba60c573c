// Statistics and perf context (c/statistics.h). Memory usage is in db_maintenance.cc.

#include <algorithm>

#include "compat/c_status.h"
#include "compat/handle_life.h"
#include "compat/handles.h"
#include "core/metrics/perf_context.h"
#include "core/metrics/statistics.h"
#include "include/c_api/rocksdb/c.h"

using skarn::CurrentThreadContext;
using skarn::HistogramKind;
using skarn::Statistics;
using skarn::StatsLevel;
using skarn::Ticker;

struct rocksdb_statistics_histogram_data_t {
  skarn::HistogramSummary rep;
  skarn::HandleTag tag{};
};

// The numbers are in the thread; there is nothing to hold.
struct rocksdb_perfcontext_t {};

extern "C" {

void rocksdb_options_enable_statistics(rocksdb_options_t* options) {
  Usable(options)->db.statistics = std::make_shared<Statistics>();
}
void rocksdb_options_set_statistics_level(rocksdb_options_t* options, int level) {
  if (Usable(options)->db.statistics == nullptr) return;
  Usable(options)->db.statistics->set_level(static_cast<StatsLevel>(std::clamp(
      level, static_cast<int>(StatsLevel::kDisableAll), static_cast<int>(StatsLevel::kAll))));
}
int rocksdb_options_get_statistics_level(rocksdb_options_t* options) {
  if (Usable(options)->db.statistics == nullptr) return static_cast<int>(StatsLevel::kDisableAll);
  return static_cast<int>(Usable(options)->db.statistics->level());
}
char* rocksdb_options_statistics_get_string(rocksdb_options_t* options) {
  if (Usable(options)->db.statistics == nullptr) return nullptr;
  return skarn::CopyToMalloc(Usable(options)->db.statistics->ToString());
}
uint64_t rocksdb_options_statistics_get_ticker_count(rocksdb_options_t* options,
                                                     uint32_t ticker_type) {
  if (Usable(options)->db.statistics == nullptr || ticker_type >= skarn::kTickers) return 0;
  return Usable(options)->db.statistics->Get(static_cast<Ticker>(ticker_type));
}
void rocksdb_options_statistics_get_histogram_data(
    rocksdb_options_t* options, uint32_t histogram_type,
    rocksdb_statistics_histogram_data_t* const data) {
  if (data == nullptr) return;
  data->rep = skarn::HistogramSummary();
  if (Usable(options)->db.statistics == nullptr || histogram_type >= skarn::kHistograms) return;
  data->rep = Usable(options)->db.statistics->Summary(static_cast<HistogramKind>(histogram_type));
}

rocksdb_statistics_histogram_data_t* rocksdb_statistics_histogram_data_create() {
  return new rocksdb_statistics_histogram_data_t;
}
void rocksdb_statistics_histogram_data_destroy(rocksdb_statistics_histogram_data_t* data) {
  Retire(data);
}
double rocksdb_statistics_histogram_data_get_median(rocksdb_statistics_histogram_data_t* data) {
  return Usable(data)->rep.median;
}
double rocksdb_statistics_histogram_data_get_p95(rocksdb_statistics_histogram_data_t* data) {
  return Usable(data)->rep.percentile95;
}
double rocksdb_statistics_histogram_data_get_p99(rocksdb_statistics_histogram_data_t* data) {
  return Usable(data)->rep.percentile99;
}
double rocksdb_statistics_histogram_data_get_average(rocksdb_statistics_histogram_data_t* data) {
  return Usable(data)->rep.average;
}
double rocksdb_statistics_histogram_data_get_std_dev(rocksdb_statistics_histogram_data_t* data) {
  return Usable(data)->rep.standard_deviation;
}
double rocksdb_statistics_histogram_data_get_max(rocksdb_statistics_histogram_data_t* data) {
  return Usable(data)->rep.max;
}
double rocksdb_statistics_histogram_data_get_min(rocksdb_statistics_histogram_data_t* data) {
  return Usable(data)->rep.min;
}
uint64_t rocksdb_statistics_histogram_data_get_count(rocksdb_statistics_histogram_data_t* data) {
  return Usable(data)->rep.count;
}
uint64_t rocksdb_statistics_histogram_data_get_sum(rocksdb_statistics_histogram_data_t* data) {
  return Usable(data)->rep.sum;
}

void rocksdb_set_perf_level(int level) {
  const int level_max = static_cast<int>(skarn::PerfLevel::kEnableTime);
  if (level <= 0 || level > level_max) return;
  skarn::SetPerfLevel(static_cast<skarn::PerfLevel>(level));
}
rocksdb_perfcontext_t* rocksdb_perfcontext_create() { return new rocksdb_perfcontext_t; }
void rocksdb_perfcontext_destroy(rocksdb_perfcontext_t* context) { RetireObject(context); }
void rocksdb_perfcontext_reset(rocksdb_perfcontext_t*) { skarn::PerfReset(CurrentThreadContext()); }
uint64_t rocksdb_perfcontext_metric(rocksdb_perfcontext_t*, int metric) {
  if (metric < 0 || metric >= static_cast<int>(skarn::kPerfMetricsOfAbi)) return 0;
  return skarn::PerfGet(CurrentThreadContext(), static_cast<skarn::PerfMetric>(metric));
}
char* rocksdb_perfcontext_report(rocksdb_perfcontext_t*, unsigned char exclude_zero_counters) {
  return skarn::CopyToMalloc(
      skarn::PerfToString(CurrentThreadContext(), exclude_zero_counters != 0));
}

}  // extern "C"
