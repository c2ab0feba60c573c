#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "core/metrics/perf_context.h"
#include "core/metrics/statistics.h"

namespace skarn {
namespace {

// Both texts are what RocksDB 7.8.3 prints for the same values.
TEST(Histogram, PrintsWhatPeopleKnow) {
  HistogramSnapshot histogram;
  EXPECT_EQ(histogram.ToString(),
            "Count: 0 Average: 0.0000  StdDev: 0.00\n"
            "Min: 0  Median: 0.0000  Max: 0\n"
            "Percentiles: P50: 0.00 P75: 0.00 P99: 0.00 P99.9: 0.00 P99.99: 0.00\n"
            "------------------------------------------------------\n");
  for (uint64_t i = 1; i <= 1000; i++) histogram.Add(i * i % 7919);
  EXPECT_EQ(histogram.ToString(),
            "Count: 1000 Average: 3682.4710  StdDev: 2312.65\n"
            "Min: 1  Median: 3625.0000  Max: 7885\n"
            "Percentiles: P50: 3625.00 P75: 5684.01 P99: 7885.00 P99.9: 7885.00 P99.99: 7885.00\n"
            "------------------------------------------------------\n"
            "[       0,       1 ]        1   0.100%   0.100% \n"
            "(       1,       2 ]        1   0.100%   0.200% \n"
            "(       3,       4 ]        1   0.100%   0.300% \n"
            "(       4,       6 ]        1   0.100%   0.400% \n"
            "(       6,      10 ]        3   0.300%   0.700% \n"
            "(      15,      22 ]        2   0.200%   0.900% \n"
            "(      22,      34 ]        4   0.400%   1.300% \n"
            "(      34,      51 ]        5   0.500%   1.800% \n"
            "(      51,      76 ]        7   0.700%   2.500% \n"
            "(      76,     110 ]       11   1.100%   3.600% \n"
            "(     110,     170 ]       13   1.300%   4.900% \n"
            "(     170,     250 ]       17   1.700%   6.600% \n"
            "(     250,     380 ]       21   2.100%   8.700% \n"
            "(     380,     580 ]       30   3.000%  11.700% #\n"
            "(     580,     870 ]       34   3.400%  15.100% #\n"
            "(     870,    1300 ]       49   4.900%  20.000% #\n"
            "(    1300,    1900 ]       87   8.700%  28.700% ##\n"
            "(    1900,    2900 ]      126  12.600%  41.300% ###\n"
            "(    2900,    4400 ]      180  18.000%  59.300% ####\n"
            "(    4400,    6600 ]      269  26.900%  86.200% #####\n"
            "(    6600,    9900 ]      138  13.800% 100.000% ###\n");
  const HistogramSummary summary = histogram.Summary();
  EXPECT_DOUBLE_EQ(summary.median, 3625);
  EXPECT_DOUBLE_EQ(summary.percentile95, 7885);
  EXPECT_NEAR(summary.standard_deviation, 2312.653731, 1e-5);
  EXPECT_EQ(summary.sum, 3682471u);
}

TEST(Histogram, PutsEveryValueIntoTheFirstBucketThatHoldsIt) {
  const auto& limits = HistogramBucketLimits();
  EXPECT_EQ(limits.back(), 13000000000000000000u);
  for (size_t i = 0; i < kHistogramBuckets; i++) {
    EXPECT_EQ(HistogramBucketOf(limits[i]), i);
    EXPECT_EQ(HistogramBucketOf(limits[i] + 1), std::min(i + 1, kHistogramBuckets - 1));
  }
  EXPECT_EQ(HistogramBucketOf(0), 0u);
  EXPECT_EQ(HistogramBucketOf(UINT64_MAX), kHistogramBuckets - 1);
}

TEST(Histogram, MergesIntoTheSameAsOne) {
  HistogramSnapshot all, even, odd;
  for (uint64_t i = 0; i < 1000; i++) {
    all.Add(i);
    (i % 2 == 0 ? even : odd).Add(i);
  }
  even.Merge(odd);
  EXPECT_EQ(even.ToString(), all.ToString());
}

TEST(Statistics, NumbersTickersAndHistogramsAsTheInterfaceDoes) {
  EXPECT_EQ(static_cast<int>(Ticker::kBlockCacheMiss), 0);
  EXPECT_STREQ(TickerName(static_cast<Ticker>(58)), "rocksdb.number.keys.written");
  EXPECT_STREQ(TickerName(static_cast<Ticker>(241)), "rocksdb.multiscan.prefetch.blocks.wasted");
  EXPECT_EQ(kTickers, 263u);
  EXPECT_EQ(kHistograms, 80u);
  EXPECT_STREQ(TickerName(static_cast<Ticker>(262)), "rocksdb.file.submit.async.read.fallback");
  EXPECT_STREQ(HistogramName(static_cast<HistogramKind>(79)),
               "rocksdb.open.and.compact.db.open.micros");
  EXPECT_STREQ(HistogramName(static_cast<HistogramKind>(15)), "rocksdb.db.seek.micros");
  std::set<std::string> names;
  for (size_t i = 0; i < kTickers; i++) names.insert(TickerName(static_cast<Ticker>(i)));
  for (size_t i = 0; i < kHistograms; i++) {
    names.insert(HistogramName(static_cast<HistogramKind>(i)));
  }
  EXPECT_EQ(names.size(), kTickers + kHistograms);
}

TEST(Statistics, TranslatesTheOldNumbers) {
  ASSERT_EQ(TickersOf78().size(), 193u);
  EXPECT_EQ(TickersOf78()[0].ticker, Ticker::kBlockCacheMiss);
  EXPECT_STREQ(TickersOf78()[8].name, "rocksdb.block.cache.index.bytes.evict");
  EXPECT_EQ(TickersOf78()[8].ticker, Ticker::kNone);
  ASSERT_EQ(HistogramsOf78().size(), 58u);
  for (const OldTicker& old : TickersOf78()) {
    if (old.ticker == Ticker::kNone) continue;
    // Three names were misspelled then.
    std::string name = old.name;
    if (const size_t at = name.find("errro"); at != std::string::npos) name.replace(at, 5, "error");
    EXPECT_EQ(name, TickerName(old.ticker));
  }
  for (const OldHistogram& old : HistogramsOf78()) {
    if (old.kind != HistogramKind::kNone) {
      EXPECT_STREQ(old.name, HistogramName(old.kind));
    }
  }
}

TEST(Statistics, SumsWhatManyThreadsCount) {
  Statistics statistics;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; i++) {
    threads.emplace_back([&statistics] {
      for (uint64_t n = 0; n < 10000; n++) {
        statistics.Add(Ticker::kNumberKeysRead);
        statistics.Record(HistogramKind::kDbGetMicros, n % 100);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(statistics.Get(Ticker::kNumberKeysRead), 80000u);
  EXPECT_EQ(statistics.Summary(HistogramKind::kDbGetMicros).count, 80000u);
  EXPECT_EQ(statistics.Summary(HistogramKind::kDbGetMicros).max, 99);
  EXPECT_EQ(statistics.GetAndReset(Ticker::kNumberKeysRead), 80000u);
  EXPECT_EQ(statistics.Get(Ticker::kNumberKeysRead), 0u);
  statistics.Set(Ticker::kNumberKeysRead, 5);
  EXPECT_EQ(statistics.Get(Ticker::kNumberKeysRead), 5u);
  statistics.Reset();
  EXPECT_EQ(statistics.Get(Ticker::kNumberKeysRead), 0u);
  EXPECT_TRUE(statistics.Get(HistogramKind::kDbGetMicros).empty());
}

TEST(Statistics, CountsWhatItsLevelAsksFor) {
  Statistics statistics;
  EXPECT_EQ(statistics.level(), StatsLevel::kExceptDetailedTimers);
  EXPECT_TRUE(statistics.WantsTimers());
  EXPECT_FALSE(statistics.WantsDetailedTimers());
  statistics.set_level(StatsLevel::kExceptHistogramsOrTimers);
  statistics.Add(Ticker::kBytesRead, 7);
  statistics.Record(HistogramKind::kBytesPerRead, 7);
  EXPECT_EQ(statistics.Get(Ticker::kBytesRead), 7u);
  EXPECT_TRUE(statistics.Get(HistogramKind::kBytesPerRead).empty());
  statistics.set_level(StatsLevel::kDisableAll);
  statistics.Add(Ticker::kBytesRead, 7);
  EXPECT_EQ(statistics.Get(Ticker::kBytesRead), 7u);
  CountTicker(nullptr, Ticker::kBytesRead);  // No statistics: nothing happens.
}

TEST(Statistics, PrintsOneLineForEach) {
  Statistics statistics;
  statistics.Add(Ticker::kBlockCacheHit, 12);
  statistics.Record(HistogramKind::kBytesPerWrite, 1056);
  const std::string text = statistics.ToString();
  EXPECT_EQ(text.substr(0, 62), "rocksdb.block.cache.miss COUNT : 0\nrocksdb.block.cache.hit COU");
  EXPECT_NE(text.find("rocksdb.block.cache.hit COUNT : 12\n"), std::string::npos);
  EXPECT_NE(text.find("rocksdb.bytes.per.write P50 : 1056.000000 P95 : 1056.000000 P99 : "
                      "1056.000000 P100 : 1056.000000 COUNT : 1 SUM : 1056\n"),
            std::string::npos);
  EXPECT_EQ(static_cast<size_t>(std::count(text.begin(), text.end(), '\n')),
            kTickers + kHistograms);
}

TEST(PerfContext, CountsByLevel) {
  ThreadContext* context = CurrentThreadContext();
  PerfReset(context);
  SetPerfLevel(PerfLevel::kDisable);
  PerfAdd(context, PerfMetric::kUserKeyComparisonCount, 3);
  EXPECT_EQ(PerfGet(context, PerfMetric::kUserKeyComparisonCount), 0u);
  SetPerfLevel(PerfLevel::kEnableCount);
  PerfAdd(context, PerfMetric::kUserKeyComparisonCount, 3);
  { PerfTimer timer(context, PerfMetric::kWriteWalTime); }
  EXPECT_EQ(PerfToString(context, /*exclude_zero=*/true), "user_key_comparison_count = 3");
  SetPerfLevel(PerfLevel::kEnableTimeExceptForMutex);
  {
    PerfTimer timer(context, PerfMetric::kWriteWalTime);
    PerfTimer mutex(context, PerfMetric::kDbMutexLockNanos, PerfLevel::kEnableTime);
    std::this_thread::sleep_for(std::chrono::microseconds(10));
  }
  EXPECT_GE(PerfGet(context, PerfMetric::kWriteWalTime), 10000u);
  EXPECT_EQ(PerfGet(context, PerfMetric::kDbMutexLockNanos), 0u);
  PerfReset(context);
  EXPECT_EQ(PerfToString(context, /*exclude_zero=*/true), "");
  EXPECT_EQ(PerfToString(context, /*exclude_zero=*/false).substr(0, 56),
            "user_key_comparison_count = 0, block_cache_hit_count = 0");
  SetPerfLevel(PerfLevel::kEnableCount);
}

TEST(PerfContext, NumbersMetricsAsTheInterfaceDoes) {
  EXPECT_STREQ(PerfMetricName(static_cast<PerfMetric>(0)), "user_key_comparison_count");
  EXPECT_STREQ(PerfMetricName(static_cast<PerfMetric>(29)), "write_wal_time");
  EXPECT_STREQ(PerfMetricName(static_cast<PerfMetric>(83)), "blob_cache_read_byte");
}

}  // namespace
}  // namespace skarn
