#include <gtest/gtest.h>

#include "core/iterate/db_iterator.h"
#include "core/key/wide_columns.h"
#include "core/memtable/memtable.h"
#include "tests/unit/iterate/sources.h"

namespace skarn {
namespace {

const KeyOrder& Bytewise() {
  static const KeyOrder order(BytewiseComparator());
  return order;
}

TestEntry Entry(std::string key, SequenceNumber sequence, EntryKind kind = EntryKind::kValue,
                std::string value = "v") {
  return {std::move(key), PackTag(sequence, kind), std::move(value)};
}

IteratorView ViewOf(const KeyOrder& order, std::vector<TestEntry> entries, SequenceNumber sequence,
                    size_t fail_at = VectorCursor::kNever) {
  IteratorView view;
  view.cursor = std::make_unique<VectorCursor>(order, std::move(entries), fail_at);
  view.sequence = sequence;
  view.super_version = 7;
  return view;
}

std::unique_ptr<DbIterator> Iterate(std::vector<TestEntry> entries,
                                    const ReadOptions& read = ReadOptions(),
                                    SequenceNumber sequence = 100) {
  DbIteratorSetup setup;
  setup.order = &Bytewise();
  setup.read = read;
  return NewDbIterator(setup, ViewOf(Bytewise(), std::move(entries), sequence));
}

constexpr EntryKind kDelete = EntryKind::kDeletion;

// Going back it leaves out an entry below the bound, as levels do that end there.
class CursorWithBound final : public VectorCursor {
 public:
  CursorWithBound(std::vector<TestEntry> entries, std::string bound)
      : VectorCursor(Bytewise(), std::move(entries)), bound_(std::move(bound)) {}
  void Prev() override {
    VectorCursor::Prev();
    if (valid() && user_key().Compare(bound_) < 0) VectorCursor::Prev();
  }

 private:
  const std::string bound_;
};

// Turning round at the lower bound, the cursor shows again what it had left out below.
TEST(UserIterator, TurningRoundAtTheLowerBoundShowsNothingBelowIt) {
  const std::string bound = "c";
  const Slice lower_bound = bound;
  DbIteratorSetup setup;
  setup.order = &Bytewise();
  setup.read.iterate_lower_bound = &lower_bound;
  IteratorView view;
  view.cursor = std::make_unique<CursorWithBound>(
      std::vector<TestEntry>{Entry("a", 1), Entry("b", 2), Entry("c", 3), Entry("d", 4)}, bound);
  view.sequence = 100;
  auto it = NewDbIterator(setup, std::move(view));
  it->Seek("d");
  it->Prev();
  ASSERT_TRUE(it->valid());
  EXPECT_EQ(it->key().ToString(), "c");
  it->Next();
  ASSERT_TRUE(it->valid());
  EXPECT_EQ(it->key().ToString(), "d");
}

// The smallest limits with which RocksDB 7.8.3 gets through, for keys "a" and "d" with
// `versions` each and `deletions` between them. F, L: to the ends; S, R: seeks between.
// A damaged table: whatever is sought from behind, the last entry is found.
class DisorderedCursor final : public VectorCursor {
 public:
  using VectorCursor::VectorCursor;
  void SeekForPrev(Slice, uint64_t) override { SeekToLast(); }
};

std::unique_ptr<DbIterator> IterateDisordered(std::vector<TestEntry> entries,
                                              SequenceNumber sequence) {
  DbIteratorSetup setup;
  setup.order = &Bytewise();
  IteratorView view;
  view.cursor = std::make_unique<DisorderedCursor>(Bytewise(), std::move(entries));
  view.sequence = sequence;
  return NewDbIterator(setup, std::move(view));
}

TEST(UserIterator, DoesNotGoRoundInADamagedTable) {
  auto it = IterateDisordered({Entry("a", 1, kDelete), Entry("b", 2), Entry("c", 3)}, 100);
  int steps = 0;
  for (it->SeekToLast(); it->valid() && steps < 10; it->Prev()) ++steps;
  EXPECT_EQ(steps, 2);

  // Many versions that this reader may not see, past which it seeks.
  std::vector<TestEntry> entries = {Entry("a", 1)};
  for (SequenceNumber i = 0; i < 20; ++i) entries.push_back(Entry("b", 50 + i));
  it = IterateDisordered(std::move(entries), 40);
  it->SeekToLast();
  EXPECT_FALSE(it->valid());
  EXPECT_EQ(it->status().ToString(), "Corruption: keys out of order around 62");
}

TEST(UserIterator, FailsWhenItHasSkippedTooMuch) {
  const struct {
    int deletions, versions;
    std::vector<std::pair<const char*, uint64_t>> limits;
  } cases[] = {
      {2, 1, {{"Fn", 2}, {"Lp", 2}, {"Fnp", 3}, {"Lpn", 3}, {"S", 2}, {"R", 2}}},
      {2, 2, {{"Fn", 3}, {"Lp", 3}, {"Fnp", 4}, {"Lpn", 4}, {"S", 2}, {"R", 3}}},
      {3, 12, {{"Fn", 12}, {"Lp", 12}, {"Fnp", 13}, {"Lpn", 12}, {"S", 3}, {"R", 12}}},
      {9, 3, {{"Fn", 11}, {"Lp", 11}, {"Fnp", 12}, {"Lpn", 12}, {"S", 9}, {"R", 11}}},
      {0, 20, {{"Fn", 9}, {"Lp", 9}, {"Fnp", 10}, {"Lpn", 9}, {"S", 1}, {"R", 9}}},
  };
  for (const auto& one : cases) {
    std::vector<TestEntry> entries;
    SequenceNumber sequence = 1;
    for (int i = 0; i < one.versions; ++i) entries.push_back(Entry("a", sequence++));
    for (int i = 0; i < one.deletions; ++i) {
      entries.push_back(Entry("b" + std::to_string(i), sequence++, kDelete));
    }
    for (int i = 0; i < one.versions; ++i) entries.push_back(Entry("d", sequence++));
    for (const auto& [moves, least] : one.limits) {
      for (uint64_t limit = 1; limit < 20; ++limit) {
        ReadOptions read;
        read.max_skippable_internal_keys = limit;
        auto it = Iterate(entries, read);
        bool through = true;
        for (const char* move = moves; *move != 0 && through; ++move) {
          switch (*move) {
            case 'F':
              it->SeekToFirst();
              break;
            case 'L':
              it->SeekToLast();
              break;
            case 'n':
              it->Next();
              break;
            case 'p':
              it->Prev();
              break;
            case 'S':
              it->Seek("b");
              break;
            case 'R':
              it->SeekForPrev("c~");
              break;
          }
          through = it->valid();
        }
        EXPECT_EQ(through, limit >= least) << one.deletions << " deletions, " << one.versions
                                           << " versions, " << moves << ", limit " << limit;
        if (!through) {
          EXPECT_EQ(it->status().ToString(), "Result incomplete: Too many internal keys skipped.");
          it->SeekToFirst();
          EXPECT_TRUE(it->valid());
          EXPECT_TRUE(it->status().ok());
        }
      }
    }
  }
}

TEST(UserIterator, EndsAtTheEndOfThePrefix) {
  DbIteratorSetup setup;
  setup.order = &Bytewise();
  setup.read.prefix_same_as_start = true;
  setup.prefix_extractor = NewFixedPrefixTransform(1);
  auto it = NewDbIterator(
      setup,
      ViewOf(Bytewise(), {Entry("a1", 1), Entry("b1", 2), Entry("b2", 3), Entry("c1", 4)}, 9));
  it->Seek("b");
  EXPECT_EQ(it->key(), Slice("b1"));
  it->Next();
  EXPECT_EQ(it->key(), Slice("b2"));
  it->Next();
  EXPECT_FALSE(it->valid());
  EXPECT_TRUE(it->status().ok());
  it->SeekForPrev("b9");
  EXPECT_EQ(it->key(), Slice("b2"));
  it->Prev();
  it->Prev();
  EXPECT_FALSE(it->valid());
  it->SeekToFirst();
  EXPECT_EQ(it->key(), Slice("a1"));
  it->Next();
  EXPECT_FALSE(it->valid());
  it->SeekToLast();
  EXPECT_EQ(it->key(), Slice("c1"));
  it->Prev();
  EXPECT_FALSE(it->valid());
}

// The empty key is a key like any other, though its bytes look like no key at all.
TEST(UserIterator, LeavesTheEmptyKeyThoughANewerVersionOfItIsHidden) {
  auto it = Iterate({Entry("", 15), Entry("", 3), Entry("b", 4)}, ReadOptions(), /*sequence=*/14);
  it->SeekForPrev("");
  ASSERT_TRUE(it->valid());
  EXPECT_EQ(it->key(), Slice(""));
  it->Next();
  ASSERT_TRUE(it->valid());
  EXPECT_EQ(it->key(), Slice("b"));
}

TEST(UserIterator, IsEmptyWhenTheBoundsCross) {
  const Slice lower("c"), upper("b");
  ReadOptions read;
  read.iterate_lower_bound = &lower;
  read.iterate_upper_bound = &upper;
  auto it = Iterate({Entry("a", 1), Entry("b", 2), Entry("c", 3)}, read);
  for (const bool forward : {true, false}) {
    forward ? it->SeekToFirst() : it->SeekToLast();
    EXPECT_FALSE(it->valid());
    EXPECT_TRUE(it->status().ok());
  }
}

TEST(UserIterator, GivesTheDefaultColumnOfEntities) {
  std::string entity;
  ASSERT_TRUE(EncodeWideColumns({{"", "plain"}, {"x", "1"}}, &entity).ok());
  auto it = Iterate({Entry("a", 1, EntryKind::kWideColumnEntity, entity), Entry("b", 2)});
  it->SeekToFirst();
  EXPECT_EQ(it->value(), Slice("plain"));
  it->SeekToLast();
  it->Prev();
  EXPECT_EQ(it->value(), Slice("plain"));
}

TEST(UserIterator, TellsTheFailureOfItsCursorAndRecoversBySeeking) {
  DbIteratorSetup setup;
  setup.order = &Bytewise();
  auto it = NewDbIterator(
      setup, ViewOf(Bytewise(), {Entry("a", 1), Entry("b", 2), Entry("c", 3)}, 9, /*fail_at=*/1));
  it->SeekToFirst();
  ASSERT_TRUE(it->valid());
  it->Next();
  EXPECT_FALSE(it->valid());
  EXPECT_EQ(it->status().ToString(), "IO error: broken");
  it->Seek("c");
  EXPECT_TRUE(it->valid());
  EXPECT_TRUE(it->status().ok());
  it->Prev();
  EXPECT_FALSE(it->valid());
  EXPECT_EQ(it->status().ToString(), "IO error: broken");
}

class Failing : public MergeOperator {
 public:
  const char* Name() const override { return "failing"; }
  bool FullMerge(Slice, const Slice*, const std::vector<Slice>&, std::string*) const override {
    return false;
  }
  bool PartialMerge(Slice, const std::vector<Slice>&, std::string*) const override { return false; }
};

TEST(UserIterator, StopsWhereMergingFails) {
  const Failing failing;
  DbIteratorSetup setup;
  setup.order = &Bytewise();
  setup.merge_operator = &failing;
  const std::vector<TestEntry> entries = {Entry("a", 1), Entry("b", 2, EntryKind::kMerge),
                                          Entry("c", 3)};
  auto it = NewDbIterator(setup, ViewOf(Bytewise(), entries, 9));
  it->SeekToFirst();
  it->Next();
  EXPECT_FALSE(it->valid());
  EXPECT_EQ(it->status().ToString(), "Corruption: Merge operator failed");
  it->SeekToLast();
  it->Prev();
  EXPECT_FALSE(it->valid());
  EXPECT_EQ(it->status().ToString(), "Corruption: Merge operator failed");
  setup.merge_operator = nullptr;
  it = NewDbIterator(setup, ViewOf(Bytewise(), entries, 9));
  it->Seek("b");
  EXPECT_FALSE(it->valid());
  EXPECT_EQ(it->status().ToString(), "Invalid argument: merge_operator_ must be set.");
}

TEST(UserIterator, TellsItsProperties) {
  auto it = Iterate({Entry("a", 1)});
  std::string value;
  ASSERT_TRUE(it->GetProperty("rocksdb.iterator.super-version-number", &value).ok());
  EXPECT_EQ(value, "7");
  ASSERT_TRUE(it->GetProperty("rocksdb.iterator.is-key-pinned", &value).ok());
  EXPECT_EQ(value, "Iterator is not valid.");
  it->SeekToFirst();
  ASSERT_TRUE(it->GetProperty("rocksdb.iterator.is-key-pinned", &value).ok());
  EXPECT_EQ(value, "0");
  ASSERT_TRUE(it->GetProperty("rocksdb.iterator.internal-key", &value).ok());
  EXPECT_EQ(value, "a");
  EXPECT_EQ(it->GetProperty("rocksdb.iterator.other", &value).ToString(),
            "Invalid argument: Unidentified property.");
}

TEST(UserIterator, KeepsPinnedKeysAndValuesOfAMemtable) {
  auto* table = new MemTable(Bytewise(), MemTableOptions(), nullptr, 1, 1);
  for (SequenceNumber i = 1; i <= 200; ++i) {
    ASSERT_TRUE(table
                    ->Add(i, EntryKind::kValue, "key" + std::to_string(1000 + i),
                          "value" + std::to_string(i), false)
                    .ok());
  }
  for (const bool forward : {true, false}) {
    DbIteratorSetup setup;
    setup.order = &Bytewise();
    setup.read.pin_data = true;
    IteratorView view;
    view.cursor = table->NewCursor();
    view.sequence = 1000;
    auto it = NewDbIterator(setup, std::move(view));
    std::vector<std::pair<Slice, Slice>> seen;
    std::string pinned;
    for (forward ? it->SeekToFirst() : it->SeekToLast(); it->valid();
         forward ? it->Next() : it->Prev()) {
      ASSERT_TRUE(it->GetProperty("rocksdb.iterator.is-key-pinned", &pinned).ok());
      ASSERT_EQ(pinned, "1");
      ASSERT_TRUE(it->GetProperty("rocksdb.iterator.is-value-pinned", &pinned).ok());
      ASSERT_EQ(pinned, "1");
      seen.emplace_back(it->key(), it->value());
    }
    ASSERT_EQ(seen.size(), 200u);
    for (size_t i = 0; i < seen.size(); ++i) {
      const size_t n = forward ? i + 1 : 200 - i;
      EXPECT_EQ(seen[i].first, Slice("key" + std::to_string(1000 + n)));
      EXPECT_EQ(seen[i].second, Slice("value" + std::to_string(n)));
    }
  }
  table->Unref();
}

// A column family of one memtable that grows.
class GrowingSource : public IteratorViewSource {
 public:
  GrowingSource() : table_(new MemTable(Bytewise(), MemTableOptions(), nullptr, 1, 1)) {}
  ~GrowingSource() override { table_->Unref(); }
  void Put(const std::string& key, const std::string& value) {
    ASSERT_TRUE(table_->Add(++sequence_, EntryKind::kValue, key, value, false).ok());
  }
  void DeleteRange(const std::string& start, const std::string& end) {
    ASSERT_TRUE(table_->Add(++sequence_, EntryKind::kRangeDeletion, start, end, false).ok());
  }
  Status Open(const ReadOptions&, const Snapshot* snapshot, IteratorView* view) override {
    if (fail) return Status::Aborted("no view");
    view->sequence = snapshot != nullptr ? snapshot->sequence() : sequence_;
    view->super_version = 1;
    MergingCursorBuilder builder(Bytewise(), view->sequence);
    builder.Add(table_->NewCursor(),
                ClippedTombstones(Bytewise(), table_->Tombstones(view->sequence)));
    view->cursor = builder.Finish();
    table_->Ref();
    view->pin = Pin(table_, nullptr, [](void* t, void*) { static_cast<MemTable*>(t)->Unref(); });
    return Status::Ok();
  }
  uint64_t CurrentSuperVersion() const override { return 1; }
  SequenceNumber VisibleSequence() const override { return sequence_; }
  bool fail = false;

 private:
  MemTable* const table_;
  SequenceNumber sequence_ = 0;
};

TEST(UserIterator, SeesNewDataOnlyAfterRefresh) {
  GrowingSource source;
  source.Put("a", "1");
  DbIteratorSetup setup;
  setup.order = &Bytewise();
  setup.source = &source;
  auto it = NewDbIterator(setup);
  source.Put("b", "2");
  it->SeekToFirst();
  it->Next();
  EXPECT_FALSE(it->valid());
  ASSERT_TRUE(it->Refresh().ok());
  EXPECT_FALSE(it->valid());
  it->SeekToFirst();
  it->Next();
  ASSERT_TRUE(it->valid());
  EXPECT_EQ(it->key(), Slice("b"));
  const Snapshot first(1, 0);
  ASSERT_TRUE(it->Refresh(&first).ok());
  it->SeekToLast();
  EXPECT_EQ(it->key(), Slice("a"));
  source.fail = true;
  EXPECT_TRUE(it->Refresh().IsAborted());
  it->SeekToFirst();
  EXPECT_FALSE(it->valid());
  EXPECT_TRUE(it->status().IsAborted());
}

TEST(UserIterator, RefusesToRefreshWithoutASource) {
  auto it = Iterate({Entry("a", 1)});
  EXPECT_EQ(it->Refresh().ToString(), "Not implemented: Creating renew iterator is not allowed.");
}

TEST(UserIterator, TailsForwardOnly) {
  GrowingSource source;
  DbIteratorSetup setup;
  setup.order = &Bytewise();
  setup.source = &source;
  setup.read.tailing = true;
  auto it = NewDbIterator(setup);
  it->SeekToFirst();
  EXPECT_FALSE(it->valid());
  source.Put("a", "1");
  source.Put("b", "2");
  it->Seek("a");
  ASSERT_TRUE(it->valid());
  source.DeleteRange("a", "b");
  it->Seek("a");
  ASSERT_TRUE(it->valid());
  EXPECT_EQ(it->key(), Slice("b"));
  it->Prev();
  EXPECT_EQ(it->status().ToString(), "Not implemented: ForwardIterator::Prev");
  it->SeekToLast();
  EXPECT_FALSE(it->valid());
  EXPECT_EQ(it->status().ToString(), "Not implemented: ForwardIterator::SeekToLast()");
  it->SeekForPrev("a");
  EXPECT_EQ(it->status().ToString(), "Not implemented: ForwardIterator::SeekForPrev()");
  it->SeekToFirst();
  EXPECT_TRUE(it->valid());
}

std::string Stamp(uint64_t time) {
  std::string bytes;
  PutFixed64(&bytes, time);
  return bytes;
}

class Timestamps : public testing::Test {
 protected:
  Timestamps() : order_(BytewiseComparatorWithU64Timestamp()) {
    for (uint64_t t = 1; t <= 30; ++t) {
      // "a" is written at odd times, "b" at times divisible by 3 and deleted at 20, "c" at 25.
      if (t % 2 == 1)
        entries_.push_back(Entry("a" + Stamp(t), t, EntryKind::kValue, "a" + std::to_string(t)));
      if (t % 3 == 0)
        entries_.push_back(
            Entry("b" + Stamp(t), 100 + t, EntryKind::kValue, "b" + std::to_string(t)));
    }
    entries_.push_back(Entry("b" + Stamp(20), 120, EntryKind::kDeletionWithTimestamp, ""));
    entries_.push_back(Entry("c" + Stamp(25), 200, EntryKind::kValue, "c25"));
  }
  std::unique_ptr<DbIterator> Iterate(const std::string* at, const std::string* from = nullptr) {
    DbIteratorSetup setup;
    setup.order = &order_;
    setup.max_sequential_skip = 2;
    at_ = Slice(*at);
    setup.read.timestamp = &at_;
    if (from != nullptr) {
      from_ = Slice(*from);
      setup.read.iter_start_ts = &from_;
    }
    return NewDbIterator(setup, ViewOf(order_, entries_, 1000));
  }
  static std::string All(DbIterator* it, bool forward) {
    std::string all;
    for (forward ? it->SeekToFirst() : it->SeekToLast(); it->valid();
         forward ? it->Next() : it->Prev()) {
      all += it->value().ToString() + "/" + std::to_string(DecodeFixed64(it->timestamp().data())) +
             " ";
    }
    return all;
  }
  const KeyOrder order_;
  std::vector<TestEntry> entries_;
  Slice at_, from_;
};

TEST_F(Timestamps, ShowTheNewestVersionNotAfterTheReadTimestamp) {
  const std::string at_18 = Stamp(18), at_22 = Stamp(22), at_30 = Stamp(30);
  EXPECT_EQ(All(Iterate(&at_18).get(), true), "a17/17 b18/18 ");
  EXPECT_EQ(All(Iterate(&at_18).get(), false), "b18/18 a17/17 ");
  EXPECT_EQ(All(Iterate(&at_22).get(), true), "a21/21 b21/21 ");
  EXPECT_EQ(All(Iterate(&at_30).get(), true), "a29/29 b30/30 c25/25 ");
  EXPECT_EQ(All(Iterate(&at_30).get(), false), "c25/25 b30/30 a29/29 ");
  const std::string at_20 = Stamp(20);
  auto it = Iterate(&at_20);
  EXPECT_EQ(All(it.get(), true), "a19/19 ");
  EXPECT_EQ(All(it.get(), false), "a19/19 ");
  auto both = Iterate(&at_30);
  both->Seek("b");
  EXPECT_EQ(both->key(), Slice("b"));
  both->Prev();
  EXPECT_EQ(both->value(), Slice("a29"));
  both->Next();
  EXPECT_EQ(both->value(), Slice("b30"));
  both->SeekForPrev("b");
  EXPECT_EQ(both->value(), Slice("b30"));
}

TEST_F(Timestamps, ShowEveryVersionFromTheStartTimestampOn) {
  const std::string from = Stamp(18), to = Stamp(24);
  auto it = Iterate(&to, &from);
  EXPECT_EQ(All(it.get(), true), "a23/23 a21/21 a19/19 b24/24 b21/21 /20 b18/18 ");
  EXPECT_EQ(All(it.get(), false), "b18/18 /20 b21/21 b24/24 a19/19 a21/21 a23/23 ");
  it->SeekToFirst();
  EXPECT_EQ(it->key(), Slice(PackKey("a" + Stamp(23), PackTag(23, EntryKind::kValue))));
  it->Seek("b");
  it->Next();
  it->Next();
  EXPECT_EQ(PackedTag(it->key()), PackTag(120, EntryKind::kDeletionWithTimestamp));
  it->Prev();
  EXPECT_EQ(it->value(), Slice("b21"));
  it->Next();
  it->Next();
  EXPECT_EQ(it->value(), Slice("b18"));
}

TEST(ErrorIterator, IsNeverValidAndKeepsItsStatus) {
  auto it = NewErrorIterator(Status::Corruption("bad"));
  it->SeekToFirst();
  EXPECT_FALSE(it->valid());
  EXPECT_EQ(it->status().ToString(), "Corruption: bad");
}

}  // namespace
}  // namespace skarn
