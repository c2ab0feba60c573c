// The parts of the bench that compute: latencies, ratios, keys, flags, and the JSON between
// processes.

#include <gflags/gflags.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "tools/bench/histogram.h"
#include "tools/bench/key_values.h"
#include "tools/bench/paired.h"
#include "tools/bench/result.h"
#include "tools/bench/settings.h"
#include "tools/bench/suite.h"
#include "tools/bench/summary.h"
#include "tools/bench/svg_plot.h"
#include "tools/bench/workload.h"

namespace bench {
namespace {

TEST(Histogram, KnowsEveryPercentileWithinTwoPercent) {
  Histogram histogram;
  std::vector<uint64_t> values;
  Random random(17);
  for (int i = 0; i < 20000; ++i) {
    const uint64_t value = random.Next() >> (random.Below(50) + 10);
    values.push_back(value);
    histogram.Add(value);
  }
  std::sort(values.begin(), values.end());
  for (const double fraction : {0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const size_t rank = static_cast<size_t>(std::ceil(fraction * 20000)) - 1;
    const double exact = static_cast<double>(values[rank]);
    EXPECT_NEAR(histogram.Percentile(fraction), exact, exact * 0.02 + 0.5) << fraction;
  }
  EXPECT_EQ(histogram.count(), 20000u);
  EXPECT_EQ(histogram.max(), values.back());
}

TEST(Histogram, PutsEveryValueIntoTheBucketThatBeginsAtOrBelowIt) {
  for (int bit = 0; bit < 64; ++bit) {
    for (const uint64_t value : {(uint64_t{1} << bit) - 1, uint64_t{1} << bit,
                                 (uint64_t{1} << bit) + (uint64_t{1} << bit) / 3}) {
      const size_t bucket = Histogram::BucketOf(value);
      EXPECT_LE(Histogram::LowerBound(bucket), value);
      if (value != ~uint64_t{0} && bucket + 1 < 1920) {
        EXPECT_GT(Histogram::LowerBound(bucket + 1), value);
      }
    }
  }
}

TEST(Histogram, MergesToWhatOneWouldHaveCounted) {
  Histogram left;
  Histogram right;
  Histogram both;
  for (uint64_t i = 0; i < 1000; ++i) {
    (i % 3 == 0 ? left : right).Add(i * i);
    both.Add(i * i);
  }
  left.Merge(right);
  EXPECT_EQ(left.count(), both.count());
  EXPECT_EQ(left.Mean(), both.Mean());
  EXPECT_EQ(left.Percentile(0.99), both.Percentile(0.99));
  EXPECT_EQ(left.Curve(), both.Curve());
}

TEST(Histogram, HasNothingToTellWithoutSamples) {
  const Histogram empty;
  EXPECT_EQ(empty.Percentile(0.5), 0);
  EXPECT_EQ(empty.Mean(), 0);
  EXPECT_TRUE(empty.Curve().empty());
}

TEST(Paired, TakesTheMedianOfTheRatiosOfRoundsThatBothHave) {
  // Round 2 disturbed both, round 4 has no figure of the right one.
  const Ratio ratio = PairedRatio({10, 12, 3, 9, 30}, {5, 6, 1, 0, 10});
  EXPECT_EQ(ratio.rounds, 4);
  EXPECT_DOUBLE_EQ(ratio.median, 2.5);
  EXPECT_DOUBLE_EQ(ratio.lowest, 2);
  EXPECT_DOUBLE_EQ(ratio.highest, 3);
  EXPECT_EQ(PairedRatio({1}, {0}).rounds, 0);
}

TEST(Paired, TakesTheGeometricMeanOfWhatIsPositive) {
  EXPECT_DOUBLE_EQ(GeometricMean({2, 8}), 4);
  EXPECT_DOUBLE_EQ(GeometricMean({0, 3}), 3);
  EXPECT_EQ(GeometricMean({}), 0);
  EXPECT_EQ(Median({}), 0);
  EXPECT_EQ(Median({4, 1, 3}), 3);
}

TEST(KeyValues, ShufflesEveryNumberExactlyOnce) {
  for (const uint64_t size : {1, 2, 3, 64, 65, 1000, 4097}) {
    const Shuffle shuffle(size, 5);
    std::set<uint64_t> seen;
    uint64_t in_place = 0;
    for (uint64_t i = 0; i < size; ++i) {
      const uint64_t number = shuffle.At(i);
      EXPECT_LT(number, size);
      in_place += number == i ? 1 : 0;
      seen.insert(number);
    }
    EXPECT_EQ(seen.size(), size);
    if (size >= 64) {
      EXPECT_LT(in_place, size / 4);
    }
  }
}

TEST(KeyValues, OrdersKeysAsTheirNumbers) {
  KeyBuffer buffer(16);
  std::string last;
  for (const uint64_t number : {0ull, 1ull, 255ull, 256ull, 65536ull, 1ull << 40}) {
    const std::string key(buffer.Set(number));
    EXPECT_EQ(key.size(), 16u);
    EXPECT_LT(last, key);
    last = key;
  }
}

TEST(KeyValues, MakesTheSameValuesOfTheWantedSizeForTheSameSeed) {
  const ValueSource a(100, 0.5, 9);
  const ValueSource b(100, 0.5, 9);
  const ValueSource large(8192, 0.5, 9);
  for (uint64_t i = 0; i < 5000; i += 7) {
    EXPECT_EQ(a.At(i).size(), 100u);
    EXPECT_EQ(a.At(i), b.At(i));
    EXPECT_EQ(large.At(i).size(), 8192u);
  }
  EXPECT_NE(a.At(1), a.At(2));
}

TEST(Settings, LaysTheFlagsOfAScenarioOverThoseOfTheCommandLine) {
  Settings settings;
  std::string error;
  ASSERT_TRUE(SettingsWith("--num=77 --sync --compression_type=zstd --benchmarks=fillseq,open",
                           &settings, &error))
      << error;
  EXPECT_EQ(settings.num, 77u);
  EXPECT_EQ(settings.reads, 77u);
  EXPECT_TRUE(settings.sync);
  EXPECT_EQ(settings.compression_type, 7);
  EXPECT_EQ(settings.benchmarks, (std::vector<std::string>{"fillseq", "open"}));
  // The next scenario starts from the command line again.
  ASSERT_TRUE(SettingsWith("--reads=5", &settings, &error)) << error;
  EXPECT_EQ(settings.num, 1000000u);
  EXPECT_EQ(settings.reads, 5u);
  EXPECT_FALSE(settings.sync);
}

TEST(Settings, RefusesFlagsThatMakeNoSense) {
  for (const char* flags : {"--no_such_flag=1", "--num=many", "num=5", "--compression_type=rar",
                            "--num=0", "--threads=0", "--key_size=4"}) {
    Settings settings;
    std::string error;
    EXPECT_FALSE(SettingsWith(flags, &settings, &error)) << flags;
    EXPECT_NE(error, "") << flags;
  }
}

TEST(Settings, ReadsTheCommandLine) {
  const gflags::FlagSaver saver;
  std::vector<std::string> words = {"bench",       "--lib=/a/one.so", "--vs=/b/two.so,three.so",
                                    "--names=One", "--rounds=3",      "--num=10"};
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  int argc = static_cast<int>(pointers.size());
  char** argv = pointers.data();
  CommandLine line;
  std::string error;
  ASSERT_TRUE(ParseCommandLine(&argc, &argv, &line, &error)) << error;
  EXPECT_EQ(line.libraries, (std::vector<std::string>{"/a/one.so", "/b/two.so", "three.so"}));
  EXPECT_EQ(line.names, (std::vector<std::string>{"One", "two.so", "three.so"}));
  EXPECT_EQ(line.rounds, 3);
}

TEST(Suite, NamesOnlyFlagsAndWorkloadsThatExist) {
  for (const uint64_t num : {1000, 1000000}) {
    const Suite suite = GoalsSuite(num, 0);
    for (const Scenario& scenario : suite.scenarios) {
      Settings settings;
      std::string error;
      ASSERT_TRUE(SettingsWith(scenario.flags, &settings, &error)) << error;
      for (const std::string& name : settings.benchmarks) {
        EXPECT_NE(FindWorkload(name), nullptr) << name;
      }
    }
    for (const Goal& goal : suite.goals) {
      const auto scenario =
          std::find_if(suite.scenarios.begin(), suite.scenarios.end(),
                       [&](const Scenario& candidate) { return candidate.name == goal.scenario; });
      ASSERT_NE(scenario, suite.scenarios.end()) << goal.title;
      const std::string workload = goal.workload.substr(0, goal.workload.find('.'));
      EXPECT_NE(scenario->flags.find(workload), std::string::npos) << goal.title;
      EXPECT_LE(goal.floor, goal.goal);
    }
  }
}

Result MakeResult(int library, int round, double ops_per_second) {
  Result result;
  result.scenario = "fillseq";
  result.workload = "fillseq";
  result.library = library;
  result.round = round;
  result.operations = 100;
  result.seconds = 100 / ops_per_second;
  result.ops_per_second = ops_per_second;
  result.max_us = 9;
  result.curve = {{0.5, 1.25}, {1, 9}};
  result.series = {{0.1, 5}, {0.2, 7}};
  return result;
}

TEST(Result, ComesBackFromJsonAsItWas) {
  Result skipped;
  skipped.workload = "merge";
  skipped.skipped = "the library lacks merge";
  skipped.error = "\xff not text";
  std::vector<Result> results;
  const std::string line = EncodeResults({MakeResult(1, 2, 50), skipped});
  ASSERT_TRUE(DecodeResults(line, &results));
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].round, 2);
  EXPECT_EQ(results[0].ops_per_second, 50);
  EXPECT_EQ(results[0].curve, MakeResult(1, 2, 50).curve);
  EXPECT_EQ(results[1].skipped, skipped.skipped);
  EXPECT_TRUE(results[0].usable());
  EXPECT_FALSE(results[1].usable());
  EXPECT_FALSE(DecodeResults("{\"a\":1}", &results));
  EXPECT_FALSE(DecodeResults("[{\"a\":1}]", &results));
  EXPECT_FALSE(DecodeResults("nonsense", &results));
}

Summary TwoLibraries(double left, double right) {
  Summary summary;
  summary.command_line.libraries = {"a.so", "b.so"};
  summary.command_line.names = {"A", "B"};
  summary.command_line.rounds = 3;
  for (int round = 0; round < 3; ++round) {
    summary.results.push_back(MakeResult(0, round, left * (1 + round)));
    summary.results.push_back(MakeResult(1, round, right * (1 + round)));
  }
  return summary;
}

TEST(Summary, JudgesTheRatioByFloorAndGoal) {
  Suite suite;
  suite.goals = {{"fillseq", "fillseq", "fillseq", 2, 4, true}};
  const auto judge = [&suite](double left) {
    Summary summary = TwoLibraries(left, 10);
    Summarize(&summary);
    Judge(suite, &summary);
    EXPECT_EQ(summary.goals.size(), 1u);
    EXPECT_DOUBLE_EQ(summary.geometric_mean, left / 10);
    return summary;
  };
  EXPECT_FALSE(judge(19).goals[0].reaches_floor);
  EXPECT_TRUE(judge(20).goals[0].reaches_floor);
  EXPECT_FALSE(judge(39).goals[0].reaches_goal);
  const Summary summary = judge(40);
  EXPECT_TRUE(summary.goals[0].reaches_goal);
  EXPECT_NE(TextReport(summary, true).find("4.00 [4.00-4.00]"), std::string::npos);
  EXPECT_NE(HtmlReport(summary).find("<polyline"), std::string::npos);
}

TEST(Summary, DoesNotJudgeWhatFailedInOneRound) {
  Summary summary = TwoLibraries(100, 10);
  summary.results[0].error = "died";
  Suite suite;
  suite.goals = {{"fillseq", "fillseq", "fillseq", 2, 4, true}};
  Summarize(&summary);
  Judge(suite, &summary);
  EXPECT_EQ(summary.goals[0].problem, "died");
  EXPECT_FALSE(summary.goals[0].reaches_floor);
  EXPECT_EQ(summary.geometric_mean, 0);
}

TEST(Summary, TellsWhenLibrariesReadDifferentThings) {
  Summary summary = TwoLibraries(10, 10);
  Summarize(&summary);
  EXPECT_TRUE(summary.disagreements.empty());
  summary.results[3].found = 1;
  Summarize(&summary);
  ASSERT_EQ(summary.disagreements.size(), 1u);
  EXPECT_NE(summary.disagreements[0].find("round 2"), std::string::npos);
}

TEST(Summary, WritesNumbersForPeople) {
  EXPECT_EQ(Number(1234567), "1,234,567");
  EXPECT_EQ(Number(123), "123");
  EXPECT_EQ(Number(0.5), "0.50");
  EXPECT_EQ(Number(12.34), "12.3");
  EXPECT_EQ(Megabytes(2500000), "2.5");
}

TEST(SvgPlot, DrawsNothingWithoutTwoPoints) {
  Plot plot;
  plot.lines = {{"a", "#000", {{0, 1}}}};
  EXPECT_EQ(DrawPlot(plot), "");
  plot.lines[0].points.emplace_back(1, 2);
  EXPECT_NE(DrawPlot(plot), "");
  EXPECT_EQ(EscapeHtml("<a & \"b\">"), "&lt;a &amp; &quot;b&quot;&gt;");
}

}  // namespace
}  // namespace bench
