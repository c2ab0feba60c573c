// Reads of tables with many blocks, of levels with many files and of large values, compared
// with a map: where an index has marks, where blocks are remembered, where a multi-get goes
// through many files at once.

#include <map>
#include <random>

#include "core/cache/cache.h"
#include "core/plugin/filter_policy.h"
#include "tests/unit/db/db_test_base.h"
#include "tests/unit/test_seed.h"

namespace skarn {
namespace {

class LargeTablesTest : public DbTest {
 protected:
  LargeTablesTest() : random_(TestSeed()) {
    family_options_.disable_auto_compactions = true;
    family_options_.compression = CompressionType::kLz4;
    family_options_.table_factory.block_based.block_size = 128;
  }

  void WriteThat(const std::string& key, const std::string& value) {
    ASSERT_OK(Put(key, value));
    model_[key] = value;
  }
  void DeleteThat(const std::string& key) {
    ASSERT_OK(Delete(key));
    model_.erase(key);
  }

  std::string Expected(const std::string& key) const {
    const auto found = model_.find(key);
    return found == model_.end() ? "NOT_FOUND" : found->second;
  }

  // Get, MultiGet and Seek of keys, some of which are not there.
  void CheckReads(const std::vector<std::string>& keys) {
    for (const std::string& key : keys) ASSERT_EQ(Get(key), Expected(key)) << key;
    const std::unique_ptr<DbIterator> iterator = db_->NewIterator(ReadOptions(), cf(0));
    for (const std::string& key : keys) {
      iterator->Seek(key);
      const auto found = model_.lower_bound(key);
      ASSERT_EQ(iterator->valid(), found != model_.end()) << key;
      if (found == model_.end()) continue;
      ASSERT_EQ(iterator->key().ToString(), found->first);
      ASSERT_EQ(iterator->value().ToString(), found->second);
    }
    for (size_t begin = 0; begin < keys.size();) {
      const size_t count = std::min<size_t>(keys.size() - begin, 1 + random_() % 70);
      const std::vector<Slice> slices(keys.begin() + static_cast<ptrdiff_t>(begin),
                                      keys.begin() + static_cast<ptrdiff_t>(begin + count));
      std::vector<ColumnFamilyHandle*> families(count, cf(0));
      std::vector<PinnedValue> values(count);
      std::vector<ValueSink*> sinks;
      for (PinnedValue& value : values) sinks.push_back(&value);
      std::vector<Status> statuses(count);
      db_->MultiGet(ReadOptions(), count, families.data(), slices.data(), sinks.data(), nullptr,
                    statuses.data(), /*sorted_input=*/false);
      for (size_t i = 0; i < count; ++i) {
        const std::string got = statuses[i].ok()           ? values[i].slice().ToString()
                                : statuses[i].IsNotFound() ? "NOT_FOUND"
                                                           : statuses[i].ToString();
        ASSERT_EQ(got, Expected(keys[begin + i])) << keys[begin + i];
      }
      begin += count;
    }
  }

  // Every key, a neighbour of it that is not there, and both ends, in random order.
  std::vector<std::string> Wanted() {
    std::vector<std::string> keys = {"", "\xff"};
    for (const auto& [key, value] : model_) {
      keys.push_back(key);
      keys.push_back(key + std::string(1, '\0'));
    }
    std::shuffle(keys.begin(), keys.end(), random_);
    return keys;
  }

  std::mt19937_64 random_;
  std::map<std::string, std::string> model_;
};

TEST_F(LargeTablesTest, LargeIndexesLeadToEveryKey) {
  Open();
  // Runs of separators with the same first bytes, shorter and longer than what a mark covers.
  for (int run = 0; run < 40; ++run) {
    const int size = 1 + static_cast<int>(random_() % 300);
    for (int i = 0; i < size; ++i) {
      WriteThat(Concat("k", run, "-common-beginning-", random_() % 100000),
                std::string(100, static_cast<char>('a' + i % 26)));
    }
  }
  ASSERT_OK(Flush());
  for (const std::string& key : Wanted()) {
    if (random_() % 10 == 0 && model_.count(key) != 0) DeleteThat(key);
  }
  ASSERT_OK(Compact());
  // Twice, so that blocks have indexes of entries and are remembered.
  CheckReads(Wanted());
  CheckReads(Wanted());
}

TEST_F(LargeTablesTest, WhatTheCacheDroppedIsFoundNoLess) {
  LruCacheOptions cache;
  cache.capacity = 64 << 10;
  cache.num_shard_bits = 0;
  family_options_.table_factory.block_based.block_cache = NewLruCache(cache);
  Open();
  for (int i = 0; i < 4000; ++i) {
    WriteThat(Concat("key", random_() % 1000000), std::string(100, static_cast<char>(i)));
  }
  ASSERT_OK(Compact());
  std::vector<std::string> few = Wanted();
  few.resize(300);
  for (int round = 0; round < 6; ++round) {
    CheckReads(few);                           // These fit, and are remembered,
    if (round % 2 == 0) CheckReads(Wanted());  // until others take their place.
  }
}

TEST_F(LargeTablesTest, AMultiGetGoesThroughManyFilesOfALevel) {
  family_options_.target_file_size_base = 8 << 10;
  family_options_.table_factory.block_based.filter_policy = std::make_shared<const FilterPolicy>();
  Open();
  std::vector<const Snapshot*> snapshots;
  for (int i = 0; i < 6000; ++i) {
    const std::string key = Concat("key", random_() % 1500);
    if (random_() % 8 == 0) {
      DeleteThat(key);
    } else {
      WriteThat(key, Concat(i, std::string(60, static_cast<char>('a' + i % 26))));
    }
    // Old versions stay, so that those of a key may go on in the next file.
    if (random_() % 50 == 0) snapshots.push_back(db_->GetSnapshot());
    if (i == 3000) ASSERT_OK(Flush());  // A single file would only be moved.
  }
  ASSERT_OK(Compact());
  ColumnFamilyMetadata metadata;
  db_->GetColumnFamilyMetadata(cf(0), &metadata);
  ASSERT_GT(metadata.levels.back().files.size(), 20u);
  for (int round = 0; round < 3; ++round) CheckReads(Wanted());
  for (const Snapshot* snapshot : snapshots) db_->ReleaseSnapshot(snapshot);
  snapshots.clear();
}

TEST_F(LargeTablesTest, TombstonesFarBehindInALevelHide) {
  family_options_.target_file_size_base = 8 << 10;
  Open();
  for (int i = 0; i < 6000; ++i) WriteThat(Concat("key", 10000 + i), std::string(60, 'v'));
  ASSERT_OK(Flush());                                   // A single file would only be moved.
  const Snapshot* const snapshot = db_->GetSnapshot();  // Keeps the tombstone.
  ASSERT_OK(db_->DeleteRange(write_, cf(0), "key15000", "key15500", Slice()));
  model_.erase(model_.lower_bound("key15000"), model_.lower_bound("key15500"));
  ASSERT_OK(Compact());
  ColumnFamilyMetadata metadata;
  db_->GetColumnFamilyMetadata(cf(0), &metadata);
  ASSERT_GT(metadata.levels.back().files.size(), 20u);
  // Each iterator asks a few files more whether they have any.
  for (int round = 0; round < 10; ++round) {
    const std::unique_ptr<DbIterator> iterator = db_->NewIterator(ReadOptions(), cf(0));
    auto expected = model_.begin();
    for (iterator->SeekToFirst(); iterator->valid(); iterator->Next(), ++expected) {
      ASSERT_NE(expected, model_.end());
      ASSERT_EQ(iterator->key().ToString(), expected->first);
    }
    ASSERT_EQ(expected, model_.end());
  }
  CheckReads(Wanted());
  db_->ReleaseSnapshot(snapshot);
}

// Backward, a value is shown while the cursor stands before it.
TEST_F(LargeTablesTest, LargeValuesStayWhileAReverseScanShowsThem) {
  for (const CompressionType compression : {CompressionType::kLz4, CompressionType::kNone}) {
    for (const size_t cache_bytes : {size_t{0}, size_t{8} << 20}) {
      CloseDb();
      path_ += "x";
      model_.clear();
      LruCacheOptions cache;
      cache.capacity = cache_bytes;
      family_options_.table_factory.block_based.block_cache = NewLruCache(cache);
      family_options_.compression = compression;
      Open();
      std::vector<const Snapshot*> snapshots;
      for (int i = 0; i < 400; ++i) {
        static constexpr size_t kSizes[] = {0, 100, 300, 1023, 1024, 5000, 70000, 300000, 1100000};
        std::string value(kSizes[random_() % (i % 20 == 0 ? 9 : 7)], '\0');
        for (size_t at = 0; at < value.size(); at += 16) value[at] = static_cast<char>(random_());
        const std::string key = Concat("key", random_() % 60);
        random_() % 6 == 0 ? DeleteThat(key) : WriteThat(key, value);
        if (i % 30 == 0) snapshots.push_back(db_->GetSnapshot());
        if (i == 250) ASSERT_OK(Flush());
        if (i == 300) ASSERT_OK(Compact());
        if (i == 350) ASSERT_OK(Flush());
      }
      for (const bool all_in_one : {false, true}) {
        if (all_in_one) ASSERT_OK(Compact());
        const std::unique_ptr<DbIterator> iterator = db_->NewIterator(ReadOptions(), cf(0));
        auto expected = model_.rbegin();
        iterator->SeekToLast();
        for (int steps = 0; iterator->valid(); ++steps) {
          ASSERT_NE(expected, model_.rend());
          ASSERT_EQ(iterator->key().ToString(), expected->first);
          ASSERT_TRUE(iterator->value() == Slice(expected->second)) << expected->first;
          if (steps % 7 == 3 && expected != model_.rbegin()) {
            // Back and forth.
            iterator->Next();
            ASSERT_TRUE(iterator->valid());
            ASSERT_TRUE(iterator->value() == Slice(std::prev(expected)->second));
            iterator->Prev();
            ASSERT_TRUE(iterator->valid());
            ASSERT_TRUE(iterator->value() == Slice(expected->second));
          }
          iterator->Prev();
          ++expected;
        }
        ASSERT_OK(iterator->status());
        ASSERT_EQ(expected, model_.rend());
        for (const auto& [key, value] : model_) {
          iterator->SeekForPrev(key);
          ASSERT_TRUE(iterator->valid() && iterator->value() == Slice(value)) << key;
          ASSERT_EQ(Get(key), value);
        }
      }
      for (const Snapshot* snapshot : snapshots) db_->ReleaseSnapshot(snapshot);
    }
  }
}

}  // namespace
}  // namespace skarn
