#include "core/key/range_tombstone.h"

#include <gtest/gtest.h>

#include "core/base/random.h"
#include "core/key/clipped_tombstones.h"

namespace skarn {
namespace {

const KeyOrder& Bytewise() {
  static const KeyOrder order(BytewiseComparator());
  return order;
}

std::string Key(uint64_t number) { return std::string(1, static_cast<char>('a' + number)); }

std::vector<RangeTombstone> RandomTombstones(Random* random, size_t count_max) {
  std::vector<RangeTombstone> tombstones;
  const size_t count = random->Uniform(count_max + 1);
  for (size_t i = 0; i < count; ++i) {
    tombstones.push_back(
        {Key(random->Uniform(20)), Key(random->Uniform(20)), 1 + random->Uniform(30)});
  }
  return tombstones;
}

SequenceNumber Brute(const std::vector<RangeTombstone>& tombstones, const std::string& key,
                     SequenceNumber snapshot) {
  SequenceNumber newest = 0;
  for (const RangeTombstone& t : tombstones) {
    if (t.start <= key && key < t.end && t.sequence <= snapshot && t.sequence > newest) {
      newest = t.sequence;
    }
  }
  return newest;
}

TEST(FragmentedTombstones, CutsAtEveryEnd) {
  const FragmentedTombstones list(Bytewise(), {{"a", "m", 5}, {"g", "z", 9}, {"q", "q", 7}});
  ASSERT_EQ(list.fragments().size(), 3u);
  EXPECT_EQ(list.fragments()[0].start, Slice("a"));
  EXPECT_EQ(list.fragments()[0].end, Slice("g"));
  EXPECT_EQ(list.fragments()[1].end, Slice("m"));
  EXPECT_EQ(list.fragments()[1].count, 2u);
  EXPECT_EQ(list.sequence(list.fragments()[1], 0), 9u);
  EXPECT_EQ(list.sequence(list.fragments()[1], 1), 5u);
  EXPECT_EQ(list.fragments()[2].end, Slice("z"));
}

TEST(FragmentedTombstones, AgreesWithAScanOfAllTombstones) {
  const uint64_t seed = 7001;
  Random random(seed);
  for (int round = 0; round < 500; ++round) {
    const std::vector<RangeTombstone> tombstones = RandomTombstones(&random, 12);
    const FragmentedTombstones list(Bytewise(), tombstones);
    for (size_t i = 1; i < list.fragments().size(); ++i) {
      ASSERT_LE(list.fragments()[i - 1].end.Compare(list.fragments()[i].start), 0);
    }
    for (uint64_t k = 0; k < 22; ++k) {
      for (SequenceNumber snapshot = 0; snapshot < 32; snapshot += 3) {
        ASSERT_EQ(list.MaxCovering(Key(k), snapshot), Brute(tombstones, Key(k), snapshot))
            << "seed " << seed << " round " << round << " key " << Key(k);
      }
    }
  }
}

TEST(FragmentedTombstones, CountsOnlyTimestampsThatTheReaderSees) {
  const KeyOrder order(BytewiseComparatorWithU64Timestamp());
  const auto stamp = [](uint64_t t) {
    std::string bytes;
    PutFixed64(&bytes, t);
    return bytes;
  };
  const FragmentedTombstones list(
      order, {{"a" + stamp(10), "z" + stamp(10), 5}, {"c" + stamp(20), "k" + stamp(20), 9}});
  const std::string at_15 = stamp(15), at_25 = stamp(25), at_5 = stamp(5);
  Slice found;
  EXPECT_EQ(list.MaxCovering("d", 100, at_25, &found), 9u);
  EXPECT_EQ(found, Slice(stamp(20)));
  EXPECT_EQ(list.MaxCovering("d", 100, at_15, &found), 5u);
  EXPECT_EQ(found, Slice(stamp(10)));
  EXPECT_EQ(list.MaxCovering("d", 100, at_5), 0u);
  EXPECT_EQ(list.MaxCovering("d", 8, at_25), 5u);
}

TEST(ClippedTombstones, CoversNothingOutsideTheFile) {
  const auto list = std::make_shared<FragmentedTombstones>(
      Bytewise(), std::vector<RangeTombstone>{{"a", "z", 9}});
  const ClippedTombstones included(Bytewise(), list, PackKey("g", PackTag(3, EntryKind::kValue)),
                                   PackKey("m", PackTag(4, EntryKind::kValue)));
  EXPECT_EQ(included.MaxCovering("f", 100), 0u);
  EXPECT_EQ(included.MaxCovering("g", 100), 9u);
  EXPECT_EQ(included.MaxCovering("m", 100), 9u);
  EXPECT_EQ(included.MaxCovering("n", 100), 0u);
  const ClippedTombstones sentinel(
      Bytewise(), list, PackKey("g", PackTag(3, EntryKind::kValue)),
      PackKey("m", PackTag(kMaxSequenceNumber, EntryKind::kRangeDeletion)));
  EXPECT_EQ(sentinel.MaxCovering("l", 100), 9u);
  EXPECT_EQ(sentinel.MaxCovering("m", 100), 0u);
  const ClippedTombstones zero(Bytewise(), list, PackKey("g", PackTag(3, EntryKind::kValue)),
                               PackKey("m", PackTag(0, EntryKind::kValue)));
  EXPECT_EQ(zero.MaxCovering("m", 100), 0u);
}

TEST(ClippedTombstones, FindsRunsThatAgreeWithSingleKeys) {
  const uint64_t seed = 7002;
  Random random(seed);
  for (int round = 0; round < 500; ++round) {
    const std::vector<RangeTombstone> tombstones = RandomTombstones(&random, 6);
    const auto list = std::make_shared<FragmentedTombstones>(Bytewise(), tombstones);
    const uint64_t low = random.Uniform(20);
    const uint64_t high = low + random.Uniform(20 - low);
    const uint64_t tag = random.OneIn(2) ? PackTag(4, EntryKind::kValue)
                                         : PackTag(kMaxSequenceNumber, EntryKind::kRangeDeletion);
    const ClippedTombstones clipped(Bytewise(), list,
                                    PackKey(Key(low), PackTag(3, EntryKind::kValue)),
                                    PackKey(Key(high), tag));
    for (uint64_t k = 0; k < 22; ++k) {
      const std::string key = Key(k);
      TombstoneSpan span;
      clipped.Find(key, &span);
      ASSERT_TRUE(span.Contains(Bytewise(), key)) << "seed " << seed << " round " << round;
      for (uint64_t other = 0; other < 22; ++other) {
        if (!span.Contains(Bytewise(), Key(other))) continue;
        ASSERT_EQ(span.NewestVisible(100), clipped.MaxCovering(Key(other), 100))
            << "seed " << seed << " round " << round << " key " << key << " other " << Key(other);
      }
    }
  }
}

TEST(ClippedTombstones, AppendsWhatLiesInside) {
  const auto list = std::make_shared<FragmentedTombstones>(
      Bytewise(), std::vector<RangeTombstone>{{"a", "h", 9}, {"k", "z", 8}, {"b", "c", 7}});
  const ClippedTombstones clipped(
      Bytewise(), list, PackKey("g", PackTag(3, EntryKind::kValue)),
      PackKey("m", PackTag(kMaxSequenceNumber, EntryKind::kRangeDeletion)));
  std::vector<RangeTombstone> out;
  clipped.AppendTo(&out);
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0].start + out[0].end, "gh");
  EXPECT_EQ(out[1].start + out[1].end, "km");
}

}  // namespace
}  // namespace skarn
