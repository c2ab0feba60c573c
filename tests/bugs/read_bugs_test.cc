// Bugs that gave wrong answers to reads.

#include <atomic>
#include <thread>

#include "core/cache/cache.h"
#include "tests/bugs/known_bugs.h"

namespace skarn {
namespace {

// Keys that are prefixes of each other, in tables with every kind of index.
TEST_F(KnownBugs, Row03PrefixChainsAreFoundBackwardsWithEveryIndex) {
  std::map<std::string, std::string> model;
  std::vector<std::string> keys;
  for (char first = 'a'; first < 'e'; ++first) {
    std::string key(1, first);
    for (int i = 0; i < 12; ++i) {
      key += static_cast<char>('a' + (i * 7 + first) % 3);
      keys.push_back(key);
    }
  }
  int number = 0;
  for (const IndexType index :
       {IndexType::kBinarySearch, IndexType::kHashSearch, IndexType::kTwoLevelIndexSearch,
        IndexType::kBinarySearchWithFirstKey}) {
    path_ = "/db" + std::to_string(number++);
    family_options_.prefix_extractor = NewFixedPrefixTransform(1);
    TableOptions& table = family_options_.table_factory.block_based;
    table.index_type = index;
    table.block_size = 64;
    table.data_block_index_type = DataBlockIndexType::kBinaryAndHash;
    Open();
    model.clear();
    for (size_t i = 0; i < keys.size(); i += 2) {
      ASSERT_OK(Put(keys[i], std::to_string(i)));
      model[keys[i]] = std::to_string(i);
    }
    ASSERT_OK(Flush());
    ReadOptions read;
    read.total_order_seek = true;
    const auto iterator = db_->NewIterator(read, cf(0));
    for (const std::string& target : keys) {
      iterator->SeekForPrev(target);
      auto expected = model.upper_bound(target);
      ASSERT_EQ(iterator->valid(), expected != model.begin()) << target;
      if (!iterator->valid()) continue;
      --expected;
      EXPECT_EQ(iterator->key().ToString(), expected->first) << target;
      iterator->Prev();
      EXPECT_EQ(iterator->valid(), expected != model.begin());
      if (!iterator->valid()) continue;
      EXPECT_EQ(iterator->key().ToString(), (--expected)->first);
    }
  }
}

TEST_F(KnownBugs, Row05OneKeyTwiceInAMultiGetIsAnsweredTwice) {
  family_options_.merge_operator = NewMergeOperator("stringappend", {});
  Open();
  ASSERT_OK(Put("a", "1"));
  ASSERT_OK(Put("m", "x"));
  ASSERT_OK(Flush());
  ASSERT_OK(Merge("m", "y"));
  ASSERT_OK(Put("z", "9"));
  ASSERT_OK(Delete("z"));
  for (const bool flushed : {false, true}) {
    if (flushed) ASSERT_OK(Flush());
    EXPECT_EQ(MultiGet({"m", "a", "m", "z", "a", "z", "a"}),
              (std::vector<std::string>{"x,y", "1", "x,y", "NOT_FOUND", "1", "NOT_FOUND", "1"}));
  }
}

TEST_F(KnownBugs, Row08AMergeOperandCountsOnceWhileItsMemtableIsFlushed) {
  family_options_.merge_operator = NewUInt64AddOperator();
  Open();
  const std::string one("\1\0\0\0\0\0\0\0", 8);
  std::atomic<uint64_t> added{0};
  std::atomic<bool> stop{false}, wrong{false};
  std::thread reader([&] {
    while (!stop.load()) {
      const uint64_t least = added.load();
      const std::string found = Get("n");
      const uint64_t most = added.load() + 1;
      if (found.size() != 8) continue;
      uint64_t value = 0;
      memcpy(&value, found.data(), 8);
      if (value < least || value > most) wrong.store(true);
    }
  });
  std::thread flusher([&] {
    while (!stop.load()) (void)Flush().ok();
  });
  ASSERT_OK(Merge("n", one));
  added.store(1);
  for (int i = 0; i < 1500; ++i) {
    ASSERT_OK(Merge("n", one));
    added.fetch_add(1);
  }
  stop.store(true);
  reader.join();
  flusher.join();
  EXPECT_FALSE(wrong.load());
  const std::string found = Get("n");
  uint64_t value = 0;
  memcpy(&value, found.data(), 8);
  EXPECT_EQ(value, 1501u);
}

TEST_F(KnownBugs, Row14IteratorsAgreeWithPointReads) {
  Open();
  Random random(14);
  std::map<std::string, std::string> model;
  for (int i = 0; i < 2000; ++i) {
    const std::string key = "key" + std::to_string(random.Uniform(150));
    if (random.OneIn(4)) {
      ASSERT_OK(Delete(key));
      model.erase(key);
    } else {
      ASSERT_OK(Put(key, std::to_string(i)));
      model[key] = std::to_string(i);
    }
    if (random.OneIn(250)) ASSERT_OK(Flush());
    if (random.OneIn(50)) {
      const auto iterator = db_->NewIterator(ReadOptions(), cf(0));
      auto expected = model.begin();
      for (iterator->SeekToFirst(); iterator->valid(); iterator->Next(), ++expected) {
        ASSERT_NE(expected, model.end());
        ASSERT_EQ(iterator->key().ToString(), expected->first);
        ASSERT_EQ(iterator->value().ToString(), expected->second);
        ASSERT_EQ(Get(expected->first), expected->second);
      }
      ASSERT_EQ(expected, model.end());
    }
  }
}

TEST_F(KnownBugs, Row15MultiGetHonoursRangeDeletionsWithEveryMemtableBloom) {
  int number = 0;
  for (const double ratio : {0.0, 0.1}) {
    for (const bool whole_key : {false, true}) {
      for (const bool prefix : {false, true}) {
        path_ = "/db" + std::to_string(number++);
        family_options_.memtable_prefix_bloom_size_ratio = ratio;
        family_options_.memtable_whole_key_filtering = whole_key;
        family_options_.prefix_extractor = prefix ? NewFixedPrefixTransform(3) : nullptr;
        Open();
        ASSERT_OK(Put("key1", "1"));
        ASSERT_OK(Put("key2", "2"));
        ASSERT_OK(Put("key3", "3"));
        if (number % 2 == 0) ASSERT_OK(Flush());
        ASSERT_OK(DeleteRange("key2", "key3"));
        EXPECT_EQ(MultiGet({"key1", "key2", "key3"}),
                  (std::vector<std::string>{"1", "NOT_FOUND", "3"}));
        ASSERT_OK(DeleteRange("a", "z"));
        EXPECT_EQ(MultiGet({"key1", "key2", "key3"}),
                  (std::vector<std::string>{"NOT_FOUND", "NOT_FOUND", "NOT_FOUND"}));
      }
    }
  }
}

TEST_F(KnownBugs, Row18ARefreshedIteratorShowsNothingThatIsDeleted) {
  family_options_.merge_operator = NewMergeOperator("stringappend", {});
  Open();
  ASSERT_OK(Put("a", "1"));
  ASSERT_OK(Put("b", "1"));
  ASSERT_OK(Put("c", "1"));
  const auto iterator = db_->NewIterator(ReadOptions(), cf(0));
  const auto scan = [&] {
    EXPECT_OK(iterator->Refresh());
    std::string text;
    for (iterator->SeekToFirst(); iterator->valid(); iterator->Next()) {
      text += iterator->key().ToString() + iterator->value().ToString() + " ";
    }
    EXPECT_OK(iterator->status());
    return text;
  };
  EXPECT_EQ(scan(), "a1 b1 c1 ");
  ASSERT_OK(DeleteRange("b", "c"));
  EXPECT_EQ(scan(), "a1 c1 ");
  ASSERT_OK(Delete("a"));
  EXPECT_EQ(scan(), "c1 ");
  ASSERT_OK(Merge("c", "2"));
  EXPECT_EQ(scan(), "c1,2 ");
  ASSERT_OK(Flush());
  ASSERT_OK(DeleteRange("a", "z"));
  EXPECT_EQ(scan(), "");
  ASSERT_OK(Put("b", "2"));
  EXPECT_EQ(scan(), "b2 ");
  ASSERT_OK(CompactAll());
  EXPECT_EQ(scan(), "b2 ");
}

TEST_F(KnownBugs, Row32ReadingFromTheCacheAloneGivesTheValueOrSaysIncomplete) {
  family_options_.table_factory.block_based.block_cache = NewLruCache({.capacity = 8 << 20});
  for (const CompressionType compression : {CompressionType::kNone, CompressionType::kLz4}) {
    path_ = compression == CompressionType::kNone ? "/db-plain" : "/db-lz4";
    family_options_.compression = compression;
    Open();
    ASSERT_OK(Put("key", std::string(1000, 'v')));
    ASSERT_OK(Flush());
    Open();
    ReadOptions read;
    read.read_tier = ReadTier::kBlockCache;
    for (int pass = 0; pass < 3; ++pass) {
      PinnedValue value;
      const Status status = db_->Get(read, cf(0), "key", &value, nullptr);
      if (status.ok()) {
        EXPECT_EQ(value.slice().size(), 1000u);
      } else {
        EXPECT_TRUE(status.IsIncomplete()) << status.ToString();
        EXPECT_NE(pass, 2) << "it was read before";
      }
      const std::string many = MultiGet({"key"}, read).front();
      EXPECT_TRUE(many.size() == 1000 || many.find("Result incomplete") == 0) << many;
      if (pass != 1) continue;
      EXPECT_EQ(Get("key").size(), 1000u);  // Now it is in the cache.
    }
  }
}

TEST_F(KnownBugs, Row34RangeDeletionsAndInsertHintsGoTogether) {
  int number = 0;
  for (const bool hint_per_batch : {false, true}) {
    for (const bool hint_by_prefix : {false, true}) {
      path_ = "/db" + std::to_string(number++);
      family_options_.memtable_insert_with_hint_prefix_extractor =
          hint_by_prefix ? NewFixedPrefixTransform(3) : nullptr;
      Open();
      std::map<std::string, std::string> model;
      Random random(34);
      WriteOptions write;
      write.memtable_insert_hint_per_batch = hint_per_batch;
      for (int i = 0; i < 300; ++i) {
        WriteBatch batch;
        for (int j = 0; j < 4; ++j) {
          const std::string key = "k" + std::to_string(100 + random.Uniform(100));
          if (random.OneIn(4)) {
            const std::string end = "k" + std::to_string(100 + random.Uniform(100));
            if (key >= end) continue;
            ASSERT_OK(batch.DeleteRange(0, key, end));
            model.erase(model.lower_bound(key), model.lower_bound(end));
          } else {
            ASSERT_OK(batch.Put(0, key, std::to_string(i)));
            model[key] = std::to_string(i);
          }
        }
        ASSERT_OK(db_->Write(write, &batch));
      }
      std::string expected;
      for (const auto& [key, value] : model) {
        expected += (expected.empty() ? "" : " ") + key + "->" + value;
      }
      EXPECT_EQ(Scan(), expected);
      ASSERT_OK(Flush());
      EXPECT_EQ(Scan(), expected);
    }
  }
}

TEST_F(KnownBugs, Row37NoFilterHidesAKeyFromASeekBackwards) {
  int number = 0;
  for (const bool partitioned : {false, true}) {
    for (const bool whole_key : {false, true}) {
      for (const bool ribbon : {false, true}) {
        path_ = "/db" + std::to_string(number++);
        auto policy = std::make_shared<FilterPolicy>();
        policy->kind = ribbon ? FilterPolicy::Kind::kRibbon : FilterPolicy::Kind::kBloom;
        TableOptions& table = family_options_.table_factory.block_based;
        table.filter_policy = policy;
        table.partition_filters = partitioned;
        table.index_type = partitioned ? IndexType::kTwoLevelIndexSearch : IndexType::kBinarySearch;
        table.whole_key_filtering = whole_key;
        table.block_size = 128;
        table.metadata_block_size = 128;
        family_options_.prefix_extractor = NewFixedPrefixTransform(4);
        Open();
        std::map<std::string, std::string> model;
        for (int i = 0; i < 400; i += 3) {
          const std::string key = "key" + std::to_string(1000 + i);
          ASSERT_OK(Put(key, "v"));
          model[key] = "v";
        }
        ASSERT_OK(Flush());
        const auto iterator = db_->NewIterator(ReadOptions(), cf(0));
        for (int i = 0; i < 400; ++i) {
          const std::string target = "key" + std::to_string(1000 + i);
          iterator->SeekForPrev(target);
          auto expected = model.upper_bound(target);
          // Within the prefix nothing may be missed; beyond it anything goes.
          if (expected == model.begin()) continue;
          --expected;
          if (expected->first.substr(0, 4) != target.substr(0, 4)) continue;
          ASSERT_TRUE(iterator->valid()) << target;
          EXPECT_EQ(iterator->key().ToString(), expected->first);
        }
      }
    }
  }
}

TEST_F(KnownBugs, Row40ASnapshotOfTheEmptyDatabaseDropsNoKey) {
  Open();
  const Snapshot* const snapshot = db_->GetSnapshot();
  ASSERT_OK(Put("k", "1"));
  ASSERT_OK(Flush());
  ASSERT_OK(Put("other", "1"));
  ASSERT_OK(Delete("other"));
  ASSERT_OK(Flush());
  ASSERT_OK(CompactAll());
  EXPECT_EQ(Scan(), "k->1");
  EXPECT_EQ(Get("k", 0, snapshot), "NOT_FOUND");
  ASSERT_OK(Delete("k"));
  ASSERT_OK(Flush());
  ASSERT_OK(CompactAll());
  EXPECT_EQ(Scan(), "");
  EXPECT_EQ(Get("k", 0, snapshot), "NOT_FOUND");
  db_->ReleaseSnapshot(snapshot);
}

}  // namespace
}  // namespace skarn
