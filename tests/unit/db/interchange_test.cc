// What logs hold for other releases, and what recovery and log iterators make of theirs.

#include "core/batch/write_batch.h"
#include "core/plugin/compaction_filter.h"
#include "core/plugin/comparator.h"
#include "core/version/file_names.h"
#include "core/wal/log_reader.h"
#include "tests/unit/db/db_test_base.h"

namespace skarn {
namespace {

class InterchangeTest : public DbTest {
 protected:
  static std::string Timestamp(uint64_t number) {
    std::string bytes;
    PutFixed64(&bytes, number);
    return bytes;
  }
  Status PutAt(const std::string& key, uint64_t timestamp, const std::string& value) {
    return db_->Put(write_, cf(0), key, Timestamp(timestamp), value);
  }
  // The value that the largest timestamp sees.
  std::string GetNewest(const std::string& key) {
    const std::string newest = Timestamp(UINT64_MAX);
    const Slice timestamp = newest;
    ReadOptions read;
    read.timestamp = &timestamp;
    PinnedValue value;
    std::string found;
    const Status status = db_->Get(read, cf(0), key, &value, &found);
    if (!status.ok()) return status.ToString();
    return value.slice().ToString() + "@" + std::to_string(DecodeFixed64(found.data()));
  }
  // Of all logs: how many column families they give a timestamp size for.
  size_t TimestampSizesInLogs() {
    size_t sizes = 0;
    for (const std::string& name : FilesEndingWith(".log")) {
      auto file = env_->file_system->NewSequentialFile(path_ + "/" + name, FileOptions());
      EXPECT_TRUE(file.ok());
      LogReader reader(std::move(*file), nullptr, /*log_number=*/0);
      Slice record;
      std::string scratch;
      while (reader.ReadRecord(&record, &scratch, RecoveryMode::kTolerateCorruptedTail)) {
      }
      sizes += reader.timestamp_sizes().size();
    }
    return sizes;
  }
  // "2:1 3:0": first number and entries of each batch, then the status unless it is OK.
  std::string Updates(SequenceNumber since) {
    std::unique_ptr<WalIterator> iterator;
    const Status status = db_->GetUpdatesSince(since, &iterator);
    if (!status.ok()) return status.ToString();
    std::string text;
    for (; iterator->Valid(); iterator->Next()) {
      SequenceNumber sequence = 0;
      const WriteBatch batch = iterator->Batch(&sequence);
      if (!text.empty()) text += ' ';
      text += std::to_string(sequence) + ":" + std::to_string(batch.count());
    }
    if (!iterator->status().ok()) text += " " + iterator->status().ToString();
    return text;
  }
  Status WriteEmptyBatch() {
    WriteBatch batch;
    return db_->Write(write_, &batch);
  }
};

// Releases before 8.2 stop reading a log at a record of timestamp sizes.
TEST_F(InterchangeTest, LogsForOldReleasesTellNoTimestampSizes) {
  family_options_.comparator = BytewiseComparatorWithU64Timestamp();
  for (const uint32_t release : {708u, 801u, 802u, 0u}) {
    env_ = NewMemoryEnv();
    options_.env = env_.get();
    options_.options_file_release = release;
    Open();
    ASSERT_OK(PutAt("key", 7, "value"));
    WriteBatch batch;
    const std::string key = "other" + Timestamp(9);
    ASSERT_OK(batch.Put(0, key, "second"));
    ASSERT_OK(db_->Write(write_, &batch));
    CloseDb();
    EXPECT_EQ(TimestampSizesInLogs(), release == 0 || release >= 802 ? 1u : 0u) << release;
    // Every front reads both kinds.
    options_.options_file_release = release == 0 ? 708 : 0;
    Open();
    EXPECT_EQ(GetNewest("key"), "value@7") << release;
    EXPECT_EQ(GetNewest("other"), "second@9") << release;
    CloseDb();
  }
}

// Without timestamps in tables a family may have got them later: then logs must tell.
TEST_F(InterchangeTest, LogsTellSizesOfTimestampsThatTablesLeaveOut) {
  family_options_.comparator = BytewiseComparatorWithU64Timestamp();
  family_options_.persist_user_defined_timestamps = false;
  options_.allow_concurrent_memtable_write = false;
  options_.options_file_release = 708;
  Open();
  ASSERT_OK(PutAt("key", 7, "value"));
  CloseDb();
  EXPECT_EQ(TimestampSizesInLogs(), 1u);
}

// Recovery gives an empty range no number, except where it passes the family over. The log after
// it must begin so that both are right.
TEST_F(InterchangeTest, ALogMayEndWithAnEmptyRange) {
  options_.create_missing_column_families = true;
  options_.avoid_flush_during_recovery = true;
  for (const bool flush : {false, true}) {
    env_ = NewMemoryEnv();
    options_.env = env_.get();
    Open({"default", "other"});
    ASSERT_OK(Put("kept", "1", 0));
    ASSERT_OK(Put("a", "1", 1));
    ASSERT_OK(db_->DeleteRange(write_, cf(1), "k", "k", Slice()));
    // Only `other` is flushed, so the log stays, for `default`.
    if (flush) ASSERT_OK(Flush(1));
    ASSERT_OK(Put("b", "1", 1));
    for (int round = 0; round < 3; ++round) {
      ASSERT_OK(TryOpen({"default", "other"}));
      EXPECT_EQ(Scan(0), "kept->1");
      EXPECT_EQ(Scan(1), "a->1 b->1");
    }
    CloseDb();
  }
}

TEST_F(InterchangeTest, UpdatesHaveEmptyBatchesUpToTheLastNumber) {
  options_.WAL_ttl_seconds = 3600;
  Open();
  ASSERT_OK(Put("a", "1"));
  ASSERT_OK(WriteEmptyBatch());
  EXPECT_EQ(Updates(1), "1:1");
  ASSERT_OK(Put("b", "1"));
  EXPECT_EQ(Updates(1), "1:1 2:0 2:1");
  EXPECT_EQ(Updates(2), "2:1");
  ASSERT_OK(Flush());
  ASSERT_OK(Put("c", "1"));
  EXPECT_EQ(Updates(2), "2:1 3:1");
  EXPECT_EQ(Updates(4), "NotFound: Requested sequence not yet written in the db");
}

TEST_F(InterchangeTest, UpdatesStopAtAGap) {
  options_.WAL_ttl_seconds = 3600;
  Open();
  ASSERT_OK(Put("a", "1"));
  write_.disable_wal = true;
  ASSERT_OK(Put("b", "1"));
  write_.disable_wal = false;
  ASSERT_OK(Put("c", "1"));
  EXPECT_EQ(Updates(1), "1:1 NotFound: Gap in sequence numbers");
  EXPECT_EQ(Updates(2), "3:1");
}

// A file may span a range without having anything in it.
TEST_F(InterchangeTest, AManualCompactionLooksForKeysInItsRange) {
  family_options_.disable_auto_compactions = true;
  Open();
  ASSERT_OK(Put("a", "1"));
  ASSERT_OK(Put("z", "1"));
  ASSERT_OK(Flush());
  const auto compact = [this](const std::string& from, const std::string& to) {
    const Slice begin = from, end = to;
    return db_->CompactRange(CompactRangeOptions(), cf(0), &begin, &end);
  };
  ASSERT_OK(compact("m", "n"));
  EXPECT_EQ(Levels(), "1");
  ASSERT_OK(db_->DeleteRange(write_, cf(0), "c", "d", Slice()));
  ASSERT_OK(Flush());
  ASSERT_OK(compact("m", "n"));
  EXPECT_EQ(Levels(), "2");
  // Of a range tombstone as of a key.
  ASSERT_OK(compact("c2", "c3"));
  EXPECT_NE(Levels(), "2");
}

class CountingFilter : public CompactionFilter {
 public:
  const char* Name() const override { return "counting"; }
  Decision Filter(int, Slice, Slice, std::string*) const override {
    ++calls;
    return Decision::kKeep;
  }
  mutable int calls = 0;
};

// The last level is rewritten for the filter's sake, but not what this call has just written.
TEST_F(InterchangeTest, AManualCompactionFiltersOnce) {
  CountingFilter filter;
  family_options_.compaction_filter = &filter;
  family_options_.disable_auto_compactions = true;
  Open();
  ASSERT_OK(Put("a", "1"));
  ASSERT_OK(Flush());
  ASSERT_OK(Put("a", "2"));
  ASSERT_OK(Put("b", "2"));
  ASSERT_OK(Flush());
  ASSERT_OK(Compact());
  EXPECT_EQ(filter.calls, 2);
  ASSERT_OK(Compact());
  EXPECT_EQ(filter.calls, 4);
  CloseDb();
}

// A range goes down to the last level even if it has nothing below.
TEST_F(InterchangeTest, AManualCompactionGoesToTheLastLevelThatHasFiles) {
  family_options_.disable_auto_compactions = true;
  family_options_.level_compaction_dynamic_level_bytes = false;
  family_options_.num_levels = 4;
  Open();
  ASSERT_OK(Put("z", "1"));
  ASSERT_OK(Flush());
  ASSERT_OK(Compact());
  EXPECT_EQ(Levels(), "0,1");
  CompactRangeOptions change;
  change.change_level = true;
  change.target_level = 3;
  ASSERT_OK(db_->CompactRange(change, cf(0), nullptr, nullptr));
  EXPECT_EQ(Levels(), "0,0,0,1");
  ASSERT_OK(Put("a", "1"));
  ASSERT_OK(Flush());
  const Slice begin = "a", end = "b";
  ASSERT_OK(db_->CompactRange(CompactRangeOptions(), cf(0), &begin, &end));
  EXPECT_EQ(Levels(), "0,0,0,2");
}

TEST_F(InterchangeTest, RangeDeletesAreCheckedForTimestampsBeforeTheRowCache) {
  LruCacheOptions cache;
  cache.capacity = 1 << 20;
  options_.row_cache = NewLruCache(cache);
  family_options_.comparator = BytewiseComparatorWithU64Timestamp();
  Open();
  EXPECT_TRUE(db_->DeleteRange(write_, cf(0), "a", "b", Slice()).IsInvalidArgument());
}

}  // namespace
}  // namespace skarn
