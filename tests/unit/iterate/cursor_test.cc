#include <gtest/gtest.h>

#include "tests/unit/iterate/sources.h"

namespace skarn {
namespace {

const KeyOrder& Bytewise() {
  static const KeyOrder order(BytewiseComparator());
  return order;
}

TestEntry Put(std::string key, SequenceNumber sequence) {
  return {key, PackTag(sequence, EntryKind::kValue), key + "@" + std::to_string(sequence)};
}

std::vector<TestEntry> Sorted(const KeyOrder& order, std::vector<TestEntry> entries) {
  std::stable_sort(entries.begin(), entries.end(), [&](const TestEntry& a, const TestEntry& b) {
    return order.Compare(a.key, a.tag, b.key, b.tag) < 0;
  });
  return entries;
}

void WalkAtRandom(InternalCursor* cursor, const KeyOrder& order, const std::vector<TestEntry>& all,
                  Random* random, int steps) {
  size_t at = all.size();  // SIZE_MAX and size() are the ends.
  const auto check = [&] {
    if (at >= all.size()) {
      ASSERT_FALSE(cursor->valid());
      return;
    }
    ASSERT_TRUE(cursor->valid());
    ASSERT_EQ(cursor->user_key(), Slice(all[at].key));
    ASSERT_EQ(cursor->tag(), all[at].tag);
    ASSERT_EQ(cursor->value(), Slice(all[at].value));
  };
  for (int step = 0; step < steps; ++step) {
    const uint64_t action = random->Uniform(10);
    if (at >= all.size() || action == 0) {
      switch (random->Uniform(4)) {
        case 0:
          cursor->SeekToFirst();
          at = 0;
          break;
        case 1:
          cursor->SeekToLast();
          at = all.size() - 1;
          break;
        default: {
          const std::string key = std::to_string(random->Uniform(120));
          const uint64_t tag = SeekTag(random->Uniform(200));
          size_t i = 0;
          if (action % 2 == 0) {
            cursor->Seek(key, tag);
            while (i < all.size() && order.Compare(all[i].key, all[i].tag, key, tag) < 0) ++i;
            at = i;
          } else {
            cursor->SeekForPrev(key, tag);
            while (i < all.size() && order.Compare(all[i].key, all[i].tag, key, tag) <= 0) ++i;
            at = i - 1;
          }
        }
      }
    } else if (action < 6) {
      cursor->Next();
      ++at;
    } else {
      cursor->Prev();
      --at;
    }
    check();
    if (testing::Test::HasFatalFailure()) return;
    ASSERT_TRUE(cursor->status().ok());
  }
}

TEST(MergingCursor, ShowsAllSourcesInOrderInBothDirections) {
  for (const Comparator* comparator : {BytewiseComparator(), ReverseBytewiseComparator()}) {
    const KeyOrder order(comparator);
    for (uint64_t seed = 1; seed <= 60; ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed));
      Random random(seed);
      const size_t sources = 1 + random.Uniform(9);
      std::vector<std::vector<TestEntry>> parts(sources);
      std::vector<TestEntry> all;
      for (SequenceNumber s = 1; s <= 100; ++s) {
        const TestEntry entry = Put(std::to_string(random.Uniform(100)), s);
        parts[random.Uniform(sources)].push_back(entry);
        all.push_back(entry);
      }
      MergingCursorBuilder builder(order);
      for (auto& part : parts) builder.Add(std::make_unique<VectorCursor>(order, part));
      const auto cursor = builder.Finish();
      WalkAtRandom(cursor.get(), order, Sorted(order, all), &random, 300);
      if (HasFatalFailure()) return;
    }
  }
}

// A repaired database has entries twice.
TEST(MergingCursor, ShowsEqualEntriesOfTwoSourcesOnceForEach) {
  MergingCursorBuilder builder(Bytewise());
  std::vector<TestEntry> newer = {Put("a", 5), Put("b", 5)}, older = {Put("a", 5), Put("b", 5)};
  newer[0].value = newer[1].value = "newer";
  older[0].value = older[1].value = "older";
  builder.Add(std::make_unique<VectorCursor>(Bytewise(), newer));
  builder.Add(std::make_unique<VectorCursor>(Bytewise(), older));
  const auto cursor = builder.Finish();
  Random random(1);
  WalkAtRandom(cursor.get(), Bytewise(), {newer[0], older[0], newer[1], older[1]}, &random, 300);
}

TEST(MergingCursor, StopsAtTheFailureOfASource) {
  MergingCursorBuilder builder(Bytewise());
  builder.Add(std::make_unique<VectorCursor>(Bytewise(), std::vector{Put("a", 1), Put("d", 1)}));
  builder.Add(std::make_unique<VectorCursor>(Bytewise(), std::vector{Put("b", 1), Put("c", 1)},
                                             /*fail_at=*/1));
  const auto cursor = builder.Finish();
  cursor->SeekToFirst();
  ASSERT_TRUE(cursor->valid());
  cursor->Next();
  ASSERT_TRUE(cursor->valid());
  EXPECT_EQ(cursor->user_key(), Slice("b"));
  cursor->Next();
  EXPECT_FALSE(cursor->valid());
  EXPECT_EQ(cursor->status().ToString(), "IO error: broken");
  cursor->Seek("d", kMaxTag);
  EXPECT_TRUE(cursor->valid());
  EXPECT_TRUE(cursor->status().ok());
}

TEST(MergingCursor, LeapsOverWhatANewerSourceDeleted) {
  std::vector<TestEntry> many;
  for (int i = 1000; i < 2000; ++i) many.push_back(Put(std::to_string(i), 1));
  auto old_cursor = std::make_unique<VectorCursor>(Bytewise(), many);
  const VectorCursor* old = old_cursor.get();
  MergingCursorBuilder builder(Bytewise(), /*snapshot=*/50);
  builder.Add(std::make_unique<VectorCursor>(Bytewise(), std::vector<TestEntry>{}),
              ClippedTombstones(Bytewise(),
                                std::make_shared<FragmentedTombstones>(
                                    Bytewise(), std::vector<RangeTombstone>{{"1001", "1999", 9}})));
  builder.Add(std::move(old_cursor));
  const auto cursor = builder.Finish();
  cursor->SeekToFirst();
  EXPECT_EQ(cursor->user_key(), Slice("1000"));
  cursor->Next();
  EXPECT_EQ(cursor->user_key(), Slice("1999"));
  EXPECT_LT(old->moves(), 10u);
  cursor->Prev();
  EXPECT_EQ(cursor->user_key(), Slice("1000"));
  EXPECT_LT(old->moves(), 15u);
}

// A damaged table: behind the block where "c" belongs stands one that begins with "b".
class DisorderedCursor final : public VectorCursor {
 public:
  using VectorCursor::VectorCursor;
  void Seek(Slice key, uint64_t tag) override {
    VectorCursor::Seek(key == Slice("c") ? Slice("b") : key, tag);
  }
};

// The way out of the tombstone leads back into it.
TEST(MergingCursor, EndsWithAnErrorWhenKeysOutOfOrderWouldKeepItLeaping) {
  MergingCursorBuilder builder(Bytewise(), /*snapshot=*/50);
  builder.Add(
      std::make_unique<VectorCursor>(Bytewise(), std::vector<TestEntry>{}),
      ClippedTombstones(Bytewise(), std::make_shared<FragmentedTombstones>(
                                        Bytewise(), std::vector<RangeTombstone>{{"b", "c", 9}})));
  builder.Add(std::make_unique<DisorderedCursor>(
      Bytewise(), std::vector<TestEntry>{Put("a", 1), Put("b", 2), Put("d", 3)}));
  const auto cursor = builder.Finish();
  int steps = 0;
  for (cursor->SeekToFirst(); cursor->valid() && steps < 100; cursor->Next()) ++steps;
  EXPECT_EQ(steps, 1);
  EXPECT_EQ(cursor->status().ToString(), "Corruption: keys out of order: 62 after a leap to 63");
}

TEST(ConcatenatingCursor, WalksItsFilesAsOne) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    std::vector<Change> changes;
    std::vector<TestEntry> all;
    for (SequenceNumber s = 1; s <= 100; ++s) {
      const TestEntry entry = Put(std::to_string(random.Uniform(60)), s);
      all.push_back(entry);
      changes.push_back({s, EntryKind::kValue, entry.key, entry.value});
    }
    ConcatenatingCursor cursor(Bytewise(), MakeLevel(Bytewise(), changes, &random, 4));
    WalkAtRandom(&cursor, Bytewise(), Sorted(Bytewise(), all), &random, 300);
    if (HasFatalFailure()) return;
  }
}

TEST(ConcatenatingCursor, OpensNoFileBeyondTheBounds) {
  std::vector<VectorFiles::File> files;
  for (const char* key : {"a", "c", "e", "g"}) {
    VectorFiles::File file;
    file.entries = {Put(key, 1)};
    file.smallest = file.largest = PackKey(key, file.entries[0].tag);
    files.push_back(file);
  }
  auto sequence = std::make_unique<VectorFiles>(Bytewise(), files);
  const VectorFiles* opened = sequence.get();
  const Slice lower("b"), upper("e");
  ConcatenatingCursor cursor(Bytewise(), std::move(sequence), &lower, &upper);
  cursor.Seek("b", kMaxTag);
  ASSERT_TRUE(cursor.valid());
  EXPECT_FALSE(cursor.StoppedAtUpperBound());
  cursor.Next();
  EXPECT_FALSE(cursor.valid());
  EXPECT_TRUE(cursor.StoppedAtUpperBound());
  cursor.SeekForPrev("d", kMaxTag);
  // The search lands in the file of "e", which has nothing before "d".
  ASSERT_TRUE(cursor.valid());
  cursor.Prev();
  EXPECT_FALSE(cursor.valid());
  for (const size_t index : opened->opened) {
    EXPECT_NE(index, 0u);
    EXPECT_NE(index, 3u);
  }
}

TEST(ConcatenatingCursor, TellsTheFailureOfAFile) {
  VectorFiles::File good, bad;
  good.entries = {Put("a", 1)};
  bad.entries = {Put("b", 1)};
  bad.fail_at = 0;
  for (VectorFiles::File* file : {&good, &bad}) {
    file->smallest = file->largest = PackKey(file->entries[0].key, file->entries[0].tag);
  }
  ConcatenatingCursor cursor(
      Bytewise(),
      std::make_unique<VectorFiles>(Bytewise(), std::vector<VectorFiles::File>{good, bad}));
  cursor.SeekToFirst();
  ASSERT_TRUE(cursor.valid());
  cursor.Next();
  EXPECT_FALSE(cursor.valid());
  EXPECT_TRUE(cursor.status().IsIoError());
}

TEST(ConcatenatingCursor, FindsRunsThatEveryFileAgreesWith) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Random random(seed);
    std::vector<Change> changes;
    for (SequenceNumber s = 1; s <= 40; ++s) {
      const auto key = [&] { return std::string(1, static_cast<char>('a' + random.Uniform(20))); };
      if (random.OneIn(5)) {
        changes.push_back({s, EntryKind::kRangeDeletion, key(), key()});
      } else {
        changes.push_back({s, EntryKind::kValue, key(), "v"});
      }
    }
    ConcatenatingCursor cursor(Bytewise(), MakeLevel(Bytewise(), changes, &random, 5));
    for (int i = 0; i < 60; ++i) {
      const std::string key(1, static_cast<char>('a' + random.Uniform(22)));
      TombstoneSpan span;
      ASSERT_TRUE(cursor.Find(key, &span).ok());
      SequenceNumber expected = 0;
      for (const Change& c : changes) {
        if (c.kind == EntryKind::kRangeDeletion && c.key <= key && key < c.value) {
          expected = std::max(expected, c.sequence);
        }
      }
      ASSERT_EQ(span.NewestVisible(1000), expected) << "seed " << seed << " key " << key;
      ASSERT_TRUE(span.Contains(Bytewise(), key)) << "seed " << seed << " key " << key;
    }
  }
}

}  // namespace
}  // namespace skarn
