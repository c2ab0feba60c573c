#include "core/memtable/memtable.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "core/base/epoch.h"
#include "core/base/random.h"

namespace skarn {
namespace {

const KeyOrder& Bytewise() {
  static const KeyOrder order(BytewiseComparator());
  return order;
}

class Table {
 public:
  explicit Table(const MemTableOptions& options = MemTableOptions(), MemoryCharge* charge = nullptr)
      : table_(new MemTable(Bytewise(), options, charge, 1, 1)) {}
  ~Table() { table_->Unref(); }
  MemTable* operator->() { return table_; }

  void Put(SequenceNumber sequence, Slice key, Slice value) {
    const Status s = table_->Add(sequence, EntryKind::kValue, key, value, false);
    ASSERT_TRUE(s.ok()) << s.ToString();
  }
  std::string Get(Slice key, SequenceNumber snapshot = kMaxSequenceNumber) {
    const EpochGuard guard;
    PinnedValue value;
    PointLookup lookup(Bytewise(), key, snapshot, Slice(), nullptr, &value);
    table_->Get(&lookup);
    lookup.Finish();
    return lookup.state() == PointLookup::State::kFound ? value.slice().ToString() : "(none)";
  }

 private:
  MemTable* const table_;
};

TEST(MemTable, RefusesAVersionThatIsThere) {
  Table table;
  table->ExpectRepeats();
  table.Put(5, "k", "a");
  table.Put(7, "k", "c");
  table.Put(3, "k", "z");
  for (const SequenceNumber sequence : {3, 5, 7}) {
    EXPECT_TRUE(table->Add(sequence, EntryKind::kValue, "k", "b", false).IsTryAgain());
  }
  EXPECT_EQ(table->entry_count(), 3u);
  EXPECT_EQ(table.Get("k", 5), "a");
  auto cursor = table->NewCursor();
  cursor->SeekToFirst();
  for (const char* expected : {"c", "a", "z"}) {
    ASSERT_TRUE(cursor->valid());
    EXPECT_EQ(cursor->value(), Slice(expected));
    cursor->Next();
  }
  EXPECT_FALSE(cursor->valid());
}

TEST(MemTable, CursorsNoticeKeysOutOfOrderWhenAskedTo) {
  for (const bool paranoid : {false, true}) {
    MemTableOptions options;
    options.paranoid_memory_checks = paranoid;
    Table table(options);
    for (int i = 0; i < 10; ++i) {
      table.Put(static_cast<SequenceNumber>(i + 1), "key" + std::to_string(i), "v");
    }
    auto cursor = table->NewCursor();
    cursor->Seek("key5", kMaxTag);
    ASSERT_TRUE(cursor->valid());
    const_cast<char*>(cursor->user_key().data())[3] = '0';
    int entries = 0;
    for (cursor->SeekToFirst(); cursor->valid(); cursor->Next()) ++entries;
    EXPECT_EQ(entries, paranoid ? 5 : 10);
    EXPECT_EQ(cursor->status().IsCorruption(), paranoid);
    for (cursor->SeekToLast(); cursor->valid(); cursor->Prev()) --entries;
    EXPECT_EQ(cursor->status().IsCorruption(), paranoid);
  }
}

TEST(MemTable, HoldsEmptyKeysAndValues) {
  Table table;
  table.Put(1, "", "");
  table.Put(2, std::string("\0", 1), "zero");
  EXPECT_EQ(table.Get(""), "");
  EXPECT_EQ(table.Get(std::string("\0", 1)), "zero");
  EXPECT_EQ(table.Get(std::string("\0\0", 2)), "(none)");
  auto cursor = table->NewCursor();
  cursor->Seek(std::string("\0", 1), kMaxTag);
  ASSERT_TRUE(cursor->valid());
  EXPECT_EQ(cursor->value(), Slice("zero"));
  cursor->Prev();
  ASSERT_TRUE(cursor->valid());
  EXPECT_EQ(cursor->user_key().size(), 0u);
}

// From 256 slots to more than 200,000 keys: the table grows many times.
TEST(MemTable, FindsEveryKeyWhileItsHashTableGrows) {
  Table table;
  constexpr uint64_t kKeys = 200000;
  for (uint64_t i = 1; i <= kKeys; ++i) table.Put(i, std::to_string(i * 7919), std::to_string(i));
  for (uint64_t i = 1; i <= kKeys; ++i) {
    ASSERT_EQ(table.Get(std::to_string(i * 7919)), std::to_string(i));
  }
  for (uint64_t i = 1; i <= kKeys; i += 10) {
    ASSERT_EQ(table.Get(std::to_string(i * 7919 + 1)), "(none)");
  }
}

TEST(MemTable, HoldsValuesLargerThanAChunk) {
  Table table;
  const std::string large(5 << 20, 'x');
  table.Put(1, "a", "small");
  table.Put(2, "b", large);
  table.Put(3, "c", "small too");
  for (SequenceNumber i = 4; i < 20; ++i) {
    table.Put(i, std::to_string(i), i % 2 == 0 ? Slice(large) : Slice("little"));
  }
  EXPECT_EQ(table.Get("b"), large);
  EXPECT_EQ(table.Get("c"), "small too");
  EXPECT_EQ(table.Get("18"), large);
  EXPECT_EQ(table.Get("19"), "little");
  auto cursor = table->NewFlushCursor();
  size_t entries = 0;
  for (cursor->SeekToFirst(); cursor->valid(); cursor->Next()) ++entries;
  EXPECT_EQ(entries, 19u);
}

// The walk along the versions is given up; the order finds the one.
TEST(MemTable, ReadsAnOldSnapshotOfAKeyWithManyVersions) {
  Table table;
  for (SequenceNumber i = 1; i <= 5000; ++i) table.Put(i, "counter", std::to_string(i));
  for (const SequenceNumber snapshot : {1, 2, 17, 2500, 4990, 5000}) {
    EXPECT_EQ(table.Get("counter", snapshot), std::to_string(snapshot));
  }
  EXPECT_EQ(table.Get("counter", 0), "(none)");
}

TEST(MemTable, CoversKeysWithRangeTombstones) {
  Table table;
  table.Put(1, "b", "old");
  ASSERT_TRUE(table->Add(2, EntryKind::kRangeDeletion, "a", "d", false).ok());
  EXPECT_EQ(table.Get("b", 1), "old");
  EXPECT_EQ(table.Get("b", 2), "(none)");
  table.Put(3, "b", "new");
  EXPECT_EQ(table.Get("b", 3), "new");
  EXPECT_EQ(table->Tombstones(1), nullptr);
  ASSERT_NE(table->Tombstones(2), nullptr);
  ASSERT_TRUE(table->Add(4, EntryKind::kRangeDeletion, "a", "c", false).ok());
  EXPECT_EQ(table.Get("b", 4), "(none)");
  EXPECT_EQ(table->entry_count(), 4u);
  EXPECT_EQ(table->range_deletion_count(), 2u);
  EXPECT_EQ(table->Tombstones(9)->unfragmented().size(), 2u);
  SequenceNumber newest = 0;
  EXPECT_TRUE(table->NewestSequence("b", &newest));
  EXPECT_EQ(newest, 4u);
}

TEST(MemTable, IsEmptyUntilAnythingIsAdded) {
  Table points, ranges;
  EXPECT_TRUE(points->empty());
  EXPECT_EQ(points->first_sequence(), 0u);
  EXPECT_EQ(points->oldest_write_s(), UINT64_MAX);
  points.Put(9, "k", "v");
  EXPECT_FALSE(points->empty());
  EXPECT_EQ(points->first_sequence(), 9u);
  EXPECT_LT(points->oldest_write_s(), UINT64_MAX);
  ASSERT_TRUE(ranges->Add(4, EntryKind::kRangeDeletion, "a", "d", false).ok());
  EXPECT_FALSE(ranges->empty());
  EXPECT_EQ(ranges->first_sequence(), 4u);
}

TEST(MemTable, CountsMergesAtTheHeadOfAKey) {
  Table table;
  table.Put(1, "k", "v");
  for (SequenceNumber i = 2; i <= 4; ++i) {
    ASSERT_TRUE(table->Add(i, EntryKind::kMerge, "k", "m", false).ok());
  }
  EXPECT_EQ(table->CountSuccessiveMerges("k", 100), 3u);
  EXPECT_EQ(table->CountSuccessiveMerges("k", 3), 2u);
  EXPECT_EQ(table->CountSuccessiveMerges("other", 100), 0u);
  table.Put(5, "k", "v");
  EXPECT_EQ(table->CountSuccessiveMerges("k", 100), 0u);
}

TEST(MemTable, OverwritesValuesInPlaceWhenTheyFit) {
  MemTableOptions options;
  options.inplace_update_support = true;
  Table table(options);
  table.Put(1, "k", std::string(200, 'a'));
  table.Put(2, "l", "other");
  EXPECT_TRUE(table->UpdateInPlace("k", "short"));
  EXPECT_EQ(table.Get("k"), "short");
  EXPECT_FALSE(table->UpdateInPlace("k", "longer than it"));
  EXPECT_FALSE(table->UpdateInPlace("absent", "x"));
  ASSERT_TRUE(table->Add(3, EntryKind::kDeletion, "l", "", false).ok());
  EXPECT_FALSE(table->UpdateInPlace("l", "x"));
  auto cursor = table->NewFlushCursor();
  cursor->SeekToFirst();
  ASSERT_TRUE(cursor->valid());
  EXPECT_EQ(cursor->value(), Slice("short"));
  cursor->Next();
  ASSERT_TRUE(cursor->valid());
  EXPECT_EQ(cursor->kind(), EntryKind::kDeletion);
}

// A memtable of 1 MiB has arena blocks of 128 KiB: it is full when the eighth block has
// less than a quarter free.
TEST(MemTable, WantsToBeFlushedWhenItsBlocksAreUsedUp) {
  MemTableOptions options;
  options.write_buffer_size = 1 << 20;
  Table table(options);
  SequenceNumber sequence = 1;
  uint64_t bytes = 0;
  uint32_t warnings = 0;
  while (!table->ShouldFlush()) {
    if ((table->notices() & MemTable::kNearlyFull) != 0) {
      EXPECT_GE(table->fullness(), 768u);
      table->ForgetNearlyFull();
      ++warnings;
    }
    table.Put(sequence, "key" + std::to_string(sequence), std::string(100, 'v'));
    bytes = table->data_bytes();
    ++sequence;
    ASSERT_LT(sequence, 20000u);
  }
  EXPECT_GT(bytes, (1u << 20) * 3 / 4);
  EXPECT_LT(bytes, 1u << 20);
  // At three quarters, and after each block from there.
  EXPECT_GE(warnings, 2u);
  EXPECT_LE(warnings, 3u);
  EXPECT_GE(table->fullness(), 1024u);
}

TEST(MemTable, WantsToBeFlushedAfterTooManyRangeDeletions) {
  MemTableOptions options;
  options.max_range_deletions = 2;
  Table table(options);
  ASSERT_TRUE(table->Add(1, EntryKind::kRangeDeletion, "a", "b", false).ok());
  EXPECT_FALSE(table->ShouldFlush());
  ASSERT_TRUE(table->Add(2, EntryKind::kRangeDeletion, "a", "b", false).ok());
  EXPECT_TRUE(table->ShouldFlush());
}

class Charges : public MemoryCharge {
 public:
  void Reserve(size_t bytes) override { reserved += bytes; }
  void BecameImmutable(size_t bytes) override { immutable += bytes; }
  void Free(size_t bytes) override { freed += bytes; }
  size_t reserved = 0, immutable = 0, freed = 0;
};

TEST(MemTable, ReturnsAllTheMemoryItCharged) {
  Charges charges;
  {
    Table table(MemTableOptions(), &charges);
    for (SequenceNumber i = 1; i < 30000; ++i) table.Put(i, std::to_string(i), "value");
    EXPECT_GT(charges.reserved, 30000u * 20);
    EXPECT_EQ(charges.immutable, 0u);
    table->MarkImmutable();
    EXPECT_EQ(charges.immutable, charges.reserved);
  }
  EXPECT_EQ(charges.freed, charges.reserved);
}

TEST(MemTable, KeepsPinnedValuesAfterItsOwnerLetGo) {
  PinnedValue value;
  {
    auto* table = new MemTable(Bytewise(), MemTableOptions(), nullptr, 1, 1);
    ASSERT_TRUE(table->Add(1, EntryKind::kValue, "k", "value", false).ok());
    PointLookup lookup(Bytewise(), "k", 9, Slice(), nullptr, &value);
    table->Get(&lookup);
    table->Unref();
  }
  EXPECT_TRUE(value.pinned());
  EXPECT_EQ(value.slice(), Slice("value"));
}

TEST(MemTable, EstimatesARange) {
  Table table;
  for (uint64_t i = 0; i < 1000; ++i) {
    table.Put(i + 1, "key" + std::to_string(1000 + i), std::string(93, 'v'));
  }
  uint64_t entries = 0, bytes = 0;
  table->ApproximateRange("key1100", "key1300", &entries, &bytes);
  EXPECT_EQ(entries, 200u);
  EXPECT_EQ(bytes, 20000u);
  table->ApproximateRange("x", "z", &entries, &bytes);
  EXPECT_EQ(entries, 0u);
}

TEST(MemTable, AnswersManyKeysAtOnce) {
  Table table;
  for (uint64_t i = 0; i < 1000; ++i) table.Put(i + 1, std::to_string(i), std::to_string(i * i));
  std::vector<std::string> keys;
  for (uint64_t i = 0; i < 100; ++i) keys.push_back(std::to_string(i * 13));
  std::vector<PinnedValue> values(keys.size());
  std::vector<std::unique_ptr<PointLookup>> lookups;
  std::vector<PointLookup*> pointers;
  for (size_t i = 0; i < keys.size(); ++i) {
    lookups.push_back(
        std::make_unique<PointLookup>(Bytewise(), keys[i], 5000, Slice(), nullptr, &values[i]));
    pointers.push_back(lookups.back().get());
  }
  table->MultiGet(pointers.data(), pointers.size());
  for (uint64_t i = 0; i < keys.size(); ++i) {
    ASSERT_EQ(lookups[i]->done(), i * 13 < 1000);
    if (lookups[i]->done()) {
      EXPECT_EQ(values[i].slice(), Slice(std::to_string(i * 13 * i * 13)));
    }
  }
}

// Writers take sequence numbers in turn and add them at once; a number is visible when
// all smaller ones are in. Readers must find exactly what they may see.
TEST(MemTableThreads, ReadersSeeAllThatIsPublishedBesideManyWriters) {
  constexpr int kWriters = 3;
  constexpr SequenceNumber kLast = 30000;
  constexpr uint64_t kKeys = 500;
  MemTableOptions options;
  Table table(options);
  // The key of a sequence number, so that readers can tell what must be there.
  const auto key_of = [](SequenceNumber sequence) {
    return "key" + std::to_string(sequence * 2654435761u % kKeys);
  };
  std::atomic<SequenceNumber> next{1};
  std::vector<std::atomic<bool>> added(kLast + 2);
  std::atomic<SequenceNumber> visible{0};

  const auto publish = [&] {
    SequenceNumber now = visible.load();
    while (now < kLast && added[now + 1].load(std::memory_order_acquire)) {
      if (visible.compare_exchange_weak(now, now + 1)) ++now;
    }
  };
  std::vector<std::thread> threads;
  for (int w = 0; w < kWriters; ++w) {
    threads.emplace_back([&] {
      for (;;) {
        const SequenceNumber sequence = next.fetch_add(1);
        if (sequence > kLast) return;
        const Status s = table->Add(sequence, EntryKind::kValue, key_of(sequence),
                                    std::to_string(sequence), true);
        if (!s.ok()) ADD_FAILURE() << s.ToString();
        added[sequence].store(true, std::memory_order_release);
        publish();
      }
    });
  }
  std::atomic<int> checks{0};
  for (int r = 0; r < 2; ++r) {
    threads.emplace_back([&, r] {
      Random random(static_cast<uint64_t>(100 + r));
      // At least once, though the writers may be done before this thread first runs.
      for (bool checked = false; !checked || visible.load() < kLast;) {
        const SequenceNumber snapshot = visible.load();
        if (snapshot == 0) continue;
        // The newest version of the snapshot's own key is the snapshot's.
        const SequenceNumber wanted = snapshot - random.Uniform(std::min<uint64_t>(snapshot, 50));
        ASSERT_EQ(table.Get(key_of(wanted), wanted), std::to_string(wanted));
        if (random.OneIn(40)) {
          auto cursor = table->NewCursor();
          uint64_t count = 0;
          std::string last_key;
          uint64_t last_tag = 0;
          for (cursor->SeekToFirst(); cursor->valid(); cursor->Next()) {
            const std::string key = cursor->user_key().ToString();
            ASSERT_TRUE(count == 0 ||
                        Bytewise().Compare(last_key, last_tag, key, cursor->tag()) < 0);
            last_key = key;
            last_tag = cursor->tag();
            if (cursor->sequence() <= snapshot) ++count;
            ASSERT_EQ(cursor->value(), Slice(std::to_string(cursor->sequence())));
          }
          ASSERT_EQ(count, snapshot);
          count = 0;
          for (cursor->SeekToLast(); cursor->valid(); cursor->Prev()) {
            if (cursor->sequence() <= snapshot) ++count;
          }
          ASSERT_EQ(count, snapshot);
          cursor->Seek(key_of(wanted), SeekTag(wanted));
          ASSERT_TRUE(cursor->valid());
          ASSERT_EQ(cursor->sequence(), wanted);
        }
        checks.fetch_add(1);
        checked = true;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(checks.load(), 0);
  EXPECT_EQ(table->entry_count(), kLast);
  EXPECT_EQ(table->first_sequence(), 1u);
  EXPECT_EQ(table->largest_sequence(), kLast);
}

// The first lookup makes the hash table, at any moment of what writers do.
TEST(MemTableThreads, TheFirstLookupMissesNothingThatIsBeingWritten) {
  constexpr int kRounds = 40;
  constexpr int kWriters = 2;
  constexpr SequenceNumber kEach = 300;
  constexpr uint64_t kKeys = 40;
  const auto key_of = [](SequenceNumber sequence) {
    return "key" + std::to_string(sequence % kKeys);
  };
  Random random(301);
  for (int round = 0; round < kRounds; ++round) {
    Table table;
    std::atomic<SequenceNumber> done[kWriters] = {};
    const bool concurrent = round % 3 != 0;
    const int writers = concurrent ? kWriters : 1;
    std::vector<std::thread> threads;
    for (int w = 0; w < writers; ++w) {
      threads.emplace_back([&, w] {
        for (SequenceNumber i = 0; i < kEach; ++i) {
          const SequenceNumber sequence = 1 + i * kWriters + static_cast<SequenceNumber>(w);
          const Status s = table->Add(sequence, EntryKind::kValue, key_of(sequence),
                                      std::to_string(sequence), concurrent);
          if (!s.ok()) ADD_FAILURE() << s.ToString();
          done[w].store(sequence, std::memory_order_release);
        }
      });
    }
    const SequenceNumber wait_for = random.Uniform(kEach * kWriters);
    while (done[0].load() < wait_for && done[0].load() + kWriters <= kEach * kWriters) {
      std::this_thread::yield();
    }
    for (int w = 0; w < writers; ++w) {
      const SequenceNumber last = done[w].load(std::memory_order_acquire);
      for (SequenceNumber i = last; i > 0 && i + 80 > last; i -= std::min<uint64_t>(i, kWriters)) {
        ASSERT_EQ(table.Get(key_of(i), i), std::to_string(i)) << round;
      }
    }
    for (std::thread& thread : threads) thread.join();
    for (SequenceNumber i = 1; i <= kEach * kWriters; ++i) {
      if ((i - 1) % kWriters >= static_cast<SequenceNumber>(writers)) continue;
      ASSERT_EQ(table.Get(key_of(i), i), std::to_string(i)) << round;
    }
  }
}

TEST(MemTable, IsHashedInTheBackgroundWhenVeryMuchGathersUnread) {
  constexpr SequenceNumber kCount = (1 << 20) + 1000;
  MemTableOptions options;
  options.write_buffer_size = size_t{1} << 30;
  Table table(options);
  for (SequenceNumber i = 1; i <= kCount; ++i) {
    ASSERT_TRUE(
        table->Add(i, EntryKind::kValue, "k" + std::to_string(i % 1000003), "", false).ok());
  }
  for (SequenceNumber i = 1; i <= kCount; i += 1009) {
    ASSERT_EQ(table.Get("k" + std::to_string(i % 1000003), i), "") << i;
  }
}

TEST(MemTableThreads, RangeTombstonesComeAndGoBesideReaders) {
  Table table;
  for (SequenceNumber i = 1; i <= 100; ++i) table.Put(i, "key" + std::to_string(i), "v");
  std::atomic<SequenceNumber> visible{100};
  std::thread writer([&] {
    for (SequenceNumber i = 101; i <= 400; ++i) {
      const std::string start = "key" + std::to_string(i % 100);
      ASSERT_TRUE(table->Add(i, EntryKind::kRangeDeletion, start, start + "x", false).ok());
      visible.store(i);
    }
  });
  while (visible.load() < 400) {
    const SequenceNumber snapshot = visible.load();
    EXPECT_EQ(table.Get("key5", 100), "v");
    const auto list = table->Tombstones(snapshot);
    if (snapshot > 100) {
      ASSERT_NE(list, nullptr);
      const std::string start = "key" + std::to_string(snapshot % 100);
      EXPECT_EQ(list->MaxCovering(start, snapshot), snapshot);
    }
  }
  writer.join();
}

}  // namespace
}  // namespace skarn
