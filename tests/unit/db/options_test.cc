// Options of databases, column families and reads that act inside the engine: each test
// sets one and sees what changes.

#include <cstring>
#include <thread>

#include "core/batch/batch_format.h"
#include "core/cache/cache.h"
#include "core/env/file_system_wrapper.h"
#include "core/env/test_clock.h"
#include "core/metrics/statistics.h"
#include "core/plugin/builtin_merge_operators.h"
#include "core/plugin/filter_policy.h"
#include "core/plugin/slice_transform.h"
#include "core/version/table_cache.h"
#include "tests/unit/db/db_test_base.h"

namespace skarn {
namespace {

// Remembers how table files were opened for reading, and damages those that are written.
class WatchingFileSystem : public FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;

  Result<std::unique_ptr<RandomAccessFile>> NewRandomAccessFile(
      const std::string& path, const FileOptions& options) override {
    if (options.direct_reads) ++direct_opens;
    ++opens;
    return target()->NewRandomAccessFile(path, options);
  }
  Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path,
                                                        const FileOptions& options) override {
    auto file = target()->NewWritableFile(path, options);
    if (!file.ok() || !damage || !Slice(path).EndsWith(".sst")) return file;
    return std::unique_ptr<WritableFile>(new Damaging(std::move(*file)));
  }

  std::atomic<int> opens{0};
  std::atomic<int> direct_opens{0};
  bool damage = false;

 private:
  // Flips a bit of the first byte that is written.
  class Damaging : public WritableFile {
   public:
    explicit Damaging(std::unique_ptr<WritableFile> target) : target_(std::move(target)) {}
    Status Append(Slice data) override {
      if (written_ || data.empty()) return target_->Append(data);
      written_ = true;
      std::string bytes = data.ToString();
      bytes[0] = static_cast<char>(bytes[0] ^ 1);
      return target_->Append(bytes);
    }
    Status Flush() override { return target_->Flush(); }
    Status Sync() override { return target_->Sync(); }
    Status Close() override { return target_->Close(); }
    Status Truncate(uint64_t size) override { return target_->Truncate(size); }
    uint64_t Size() override { return target_->Size(); }

   private:
    const std::unique_ptr<WritableFile> target_;
    bool written_ = false;
  };
};

std::string Time(uint64_t time) {
  std::string bytes;
  PutFixed64(&bytes, time);
  return bytes;
}

}  // namespace

// Holds back what is written to tables.
class HoldingFileSystem final : public FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path,
                                                        const FileOptions& options) override {
    while (hold && Slice(path).EndsWith(".sst")) std::this_thread::yield();
    return target()->NewWritableFile(path, options);
  }
  std::atomic<bool> hold{false};
};

class OptionsTest : public DbTest {
 protected:
  Status PutAt(const std::string& key, uint64_t time, const std::string& value) {
    return db_->Put(write_, cf(0), key, Time(time), value);
  }
  Status DeleteAt(const std::string& key, uint64_t time) {
    return db_->Delete(write_, cf(0), key, Time(time));
  }
  std::string GetAt(const std::string& key, uint64_t time) {
    const std::string bytes = Time(time);
    const Slice timestamp(bytes);
    ReadOptions read;
    read.timestamp = &timestamp;
    PinnedValue value;
    const Status status = db_->Get(read, cf(0), key, &value, nullptr);
    if (status.IsNotFound()) return "NOT_FOUND";
    return status.ok() ? value.slice().ToString() : status.ToString();
  }
  // Versions in the files, whatever their time.
  uint64_t EntriesInFiles() {
    TableProperties sum;
    Version* const version = Family()->versions()->current();
    EXPECT_OK(version->AggregatedProperties(-1, &sum));
    return sum.num_entries;
  }
  ColumnFamily* Family() { return impl()->FamilyOf(cf(0)); }
  FileMetadata* AnyFile() {
    const VersionStorage& storage = Family()->versions()->current()->storage();
    for (int level = 0; level < storage.num_levels(); ++level) {
      if (storage.file_count(level) > 0) return storage.level(level)[0];
    }
    return nullptr;
  }
  void WatchFiles() {
    watching_ = std::make_unique<WatchingFileSystem>(env_->file_system);
    env_->file_system = watching_.get();
  }
  std::shared_ptr<Statistics> Count() {
    auto statistics = std::make_shared<Statistics>();
    options_.statistics = statistics;
    return statistics;
  }
  void CloseAll() {
    CloseDb();
    if (watching_ != nullptr) env_->file_system = watching_->target();
  }
  ~OptionsTest() override { CloseAll(); }

  std::unique_ptr<WatchingFileSystem> watching_;
};

// --- Histories of timestamps ---

class TimestampTest : public OptionsTest {
 protected:
  TimestampTest() { family_options_.comparator = BytewiseComparatorWithU64Timestamp(); }
};

TEST_F(TimestampTest, AFlushKeepsHistoryUntilItMayGo) {
  Open();
  for (uint64_t time = 1; time <= 5; ++time) ASSERT_OK(PutAt("k", time, std::to_string(time)));
  ASSERT_OK(Flush());
  EXPECT_EQ(EntriesInFiles(), 5u);
  EXPECT_EQ(GetAt("k", 2), "2");
}

TEST_F(TimestampTest, AFlushAndACompactionDropWhatIsBelowTheLowEnd) {
  Open();
  for (uint64_t time = 1; time <= 5; ++time) ASSERT_OK(PutAt("k", time, std::to_string(time)));
  ASSERT_OK(db_->IncreaseFullHistoryTimestampLow(cf(0), Time(4)));
  ASSERT_OK(Flush());
  // 5, 4 and what a reader at 4 needs if 4 were not there: 3 is hidden by it only from 4 on.
  EXPECT_EQ(EntriesInFiles(), 3u);
  EXPECT_EQ(GetAt("k", 4), "4");
  EXPECT_EQ(GetAt("k", 5), "5");
  ASSERT_OK(db_->IncreaseFullHistoryTimestampLow(cf(0), Time(6)));
  CompactRangeOptions compact;
  compact.bottommost_level_compaction = BottommostLevelCompaction::kForce;
  ASSERT_OK(db_->CompactRange(compact, cf(0), nullptr, nullptr));
  EXPECT_EQ(EntriesInFiles(), 1u);
  EXPECT_EQ(GetAt("k", 6), "5");
}

TEST_F(TimestampTest, ACompactionTakesTheLowEndFromItsOptions) {
  Open();
  for (uint64_t time = 1; time <= 5; ++time) ASSERT_OK(PutAt("k", time, std::to_string(time)));
  ASSERT_OK(DeleteAt("gone", 3));
  ASSERT_OK(Flush());
  CompactRangeOptions compact;
  compact.full_history_ts_low = Time(10);
  compact.bottommost_level_compaction = BottommostLevelCompaction::kForce;
  ASSERT_OK(db_->CompactRange(compact, cf(0), nullptr, nullptr));
  EXPECT_EQ(EntriesInFiles(), 1u);
  EXPECT_EQ(GetAt("k", 10), "5");
  EXPECT_EQ(*db_->GetFullHistoryTimestampLow(cf(0)), Time(10));
}

// A reader at an earlier time still sees what a range deletion took away later.
TEST_F(TimestampTest, ARangeDeletionCoversOnlyHistoryThatMayGo) {
  Open();
  ASSERT_OK(PutAt("k", 1, "one"));
  ASSERT_OK(db_->DeleteRange(write_, cf(0), "a", "z", Time(5)));
  ASSERT_OK(Flush());
  EXPECT_EQ(GetAt("k", 2), "one");
  EXPECT_EQ(GetAt("k", 5), "NOT_FOUND");
  CompactRangeOptions compact;
  compact.bottommost_level_compaction = BottommostLevelCompaction::kForce;
  ASSERT_OK(db_->CompactRange(compact, cf(0), nullptr, nullptr));
  EXPECT_EQ(GetAt("k", 2), "one");
  EXPECT_EQ(GetAt("k", 5), "NOT_FOUND");

  compact.full_history_ts_low = Time(6);
  ASSERT_OK(db_->CompactRange(compact, cf(0), nullptr, nullptr));
  EXPECT_EQ(GetAt("k", 6), "NOT_FOUND");
  const FileMetadata* const file = AnyFile();
  EXPECT_TRUE(file == nullptr || EntriesInFiles() == 0u);
}

TEST_F(TimestampTest, OpenAndTrimHistoryForgetsWhatIsNewer) {
  Open();
  ASSERT_OK(PutAt("a", 1, "old"));
  ASSERT_OK(PutAt("a", 7, "new"));
  ASSERT_OK(Flush());
  ASSERT_OK(PutAt("b", 2, "old"));
  ASSERT_OK(DeleteAt("b", 8));
  ASSERT_OK(PutAt("c", 9, "new"));
  ASSERT_OK(PutAt("d", 3, "old"));
  ASSERT_OK(db_->DeleteRange(write_, cf(0), "d", "e", Time(9)));
  ASSERT_OK(Flush());
  ASSERT_OK(PutAt("a", 10, "newest"));  // In the log only.
  CloseDb();

  Db::OpenRequest request;
  request.options = options_;
  request.path = path_;
  request.column_families.push_back({"default", family_options_});
  request.trim_history_timestamp = Time(5);
  Result<std::unique_ptr<Db>> db = Db::Open(request, &handles_);
  ASSERT_OK(db.status());
  db_ = std::move(*db);
  EXPECT_EQ(GetAt("a", 100), "old");
  EXPECT_EQ(GetAt("b", 100), "old");
  EXPECT_EQ(GetAt("c", 100), "NOT_FOUND");
  EXPECT_EQ(GetAt("d", 100), "old");
  CloseDb();
  Open();
  EXPECT_EQ(GetAt("a", 100), "old");
  EXPECT_EQ(GetAt("d", 100), "old");
  CloseDb();

  request.options.avoid_flush_during_recovery = true;
  EXPECT_EQ(Db::Open(request, &handles_).status().ToString(),
            "Invalid argument: avoid_flush_during_recovery incompatible with OpenAndTrimHistory");
  request.options.avoid_flush_during_recovery = false;
  request.trim_history_timestamp = "short";
  EXPECT_TRUE(Db::Open(request, &handles_).status().IsInvalidArgument());
}

// --- Handles, families, what cannot be opened ---

TEST_F(OptionsTest, HandlesMayOutliveTheDatabase) {
  Open();
  auto created = db_->CreateColumnFamily(family_options_, "kept");
  auto dropped = db_->CreateColumnFamily(family_options_, "dropped");
  ASSERT_OK(created.status());
  ASSERT_OK(dropped.status());
  ASSERT_OK(db_->Put(write_, created->get(), "k", Slice(), "v"));
  ASSERT_OK(db_->Put(write_, dropped->get(), "k", Slice(), "v"));
  ASSERT_OK(db_->DropColumnFamily(dropped->get()));
  db_.reset();
  EXPECT_EQ((*created)->name(), "kept");
  EXPECT_EQ((*dropped)->name(), "dropped");
  EXPECT_EQ(handles_[0]->id(), 0u);
  EXPECT_NE((*created)->comparator(), nullptr);
  created->reset();
  dropped->reset();
  handles_.clear();
  Open({"default", "kept"});
  EXPECT_EQ(Get("k", 1), "v");
}

TEST_F(OptionsTest, HandlesMayGoWhileTheDatabaseCloses) {
  for (int round = 0; round < 50; ++round) {
    Open();
    std::vector<std::unique_ptr<ColumnFamilyHandle>> handles;
    auto created = db_->CreateColumnFamily(family_options_, "f" + std::to_string(round));
    ASSERT_OK(created.status());
    ASSERT_OK(db_->DropColumnFamily(created->get()));
    std::thread other([&created] { created->reset(); });
    db_.reset();
    other.join();
    handles_.clear();
  }
}

// persist_stats_to_disk of genuine releases leaves a column family that nobody names.
TEST_F(OptionsTest, TheHiddenFamilyOfStatisticsIsOpenedUnasked) {
  Open();
  auto hidden = db_->CreateColumnFamily(family_options_, "___rocksdb_stats_history___");
  ASSERT_OK(hidden.status());
  ASSERT_OK(db_->Put(write_, hidden->get(), "k", Slice(), "v"));
  hidden->reset();
  auto other = db_->CreateColumnFamily(family_options_, "other");
  ASSERT_OK(other.status());
  other->reset();
  EXPECT_EQ(TryOpen().ToString(), "Invalid argument: Column families not opened: other");
  Open({"default", "other"});
  ASSERT_OK(Put("a", "1"));
  Open({"default", "other", "___rocksdb_stats_history___"});
  EXPECT_EQ(Get("k", 2), "v");
}

TEST_F(OptionsTest, WhatCannotBeWrittenYetIsRefused) {
  const auto text = [this] {
    const std::string found = TryOpen().ToString();
    family_options_ = ColumnFamilyOptions();
    return found;
  };
  family_options_.compaction_style = CompactionStyle::kFIFO;
  family_options_.ttl = 0;
  EXPECT_EQ(text(), "Not implemented: FIFO compaction is not supported yet.");
  family_options_.enable_blob_files = true;
  EXPECT_EQ(text(), "Not implemented: Blob files (enable_blob_files) are not supported yet.");
  family_options_.table_factory.format = TableFactory::Format::kPlain;
  family_options_.ttl = family_options_.periodic_compaction_seconds = 0;
  EXPECT_EQ(text(), "Not implemented: Only block-based tables can be written yet.");
  Open();
  EXPECT_EQ(db_->SetOptions(cf(0), {{"enable_blob_files", "true"}}).ToString(),
            "Not implemented: Blob files (enable_blob_files) are not supported yet.");
  family_options_.compaction_style = CompactionStyle::kFIFO;
  family_options_.ttl = 0;
  EXPECT_TRUE(db_->CreateColumnFamily(family_options_, "x").status().IsNotSupported());
}

// --- Caches ---

TEST_F(OptionsTest, WithoutABlockCacheTheDatabaseMakesOne) {
  Open();
  ASSERT_OK(db_->CreateColumnFamily(family_options_, "other").status());
  uint64_t bytes = 0;
  EXPECT_TRUE(db_->GetIntProperty(cf(0), "rocksdb.block-cache-capacity", &bytes));
  EXPECT_EQ(bytes, 32u << 20);
  Open({"default", "other"});
  EXPECT_EQ(db_->GetColumnFamilyOptions(cf(0)).table_factory.block_based.block_cache,
            db_->GetColumnFamilyOptions(cf(1)).table_factory.block_based.block_cache);
  family_options_.table_factory.block_based.no_block_cache = true;
  Open({"default", "other"});
  EXPECT_EQ(db_->GetColumnFamilyOptions(cf(0)).table_factory.block_based.block_cache, nullptr);
}

TEST_F(OptionsTest, TheRowCacheAnswersForFiles) {
  LruCacheOptions cache;
  cache.capacity = 1 << 20;
  options_.row_cache = NewLruCache(cache);
  const auto statistics = Count();
  Open();
  ASSERT_OK(Put("deleted", "x"));
  ASSERT_OK(Put("k", "old"));
  ASSERT_OK(Flush());
  const Snapshot* const snapshot = db_->GetSnapshot();
  ASSERT_OK(Delete("deleted"));
  ASSERT_OK(Put("k", "new"));
  ASSERT_OK(Flush());
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(Get("k"), "new");
    EXPECT_EQ(Get("deleted"), "NOT_FOUND");
    EXPECT_EQ(Get("absent"), "NOT_FOUND");
    EXPECT_EQ(Get("k", 0, snapshot), "old");
    EXPECT_EQ(Get("deleted", 0, snapshot), "x");
  }
  EXPECT_GT(statistics->Get(Ticker::kRowCacheHit), 0u);
  EXPECT_GT(statistics->Get(Ticker::kRowCacheMiss), 0u);
  const uint64_t misses = statistics->Get(Ticker::kRowCacheMiss);
  EXPECT_EQ(Get("k"), "new");
  EXPECT_EQ(statistics->Get(Ticker::kRowCacheMiss), misses);
  // Newer data hides it.
  ASSERT_OK(Put("k", "newest"));
  EXPECT_EQ(Get("k"), "newest");
  EXPECT_EQ(Get("k", 0, snapshot), "old");
  EXPECT_EQ(db_->DeleteRange(write_, cf(0), "a", "z", Slice()).ToString(),
            "Not implemented: DeleteRange is not compatible with row cache.");
  db_->ReleaseSnapshot(snapshot);
  ASSERT_OK(Compact());
  EXPECT_EQ(Get("k"), "newest");
  EXPECT_EQ(Get("deleted"), "NOT_FOUND");
}

// Range deletions may be there from times without a row cache, and newer files may have merge
// operands: what is cached of an older file must suit every lookup.
TEST_F(OptionsTest, RowsServeLookupsThatComeFromNewerFiles) {
  family_options_.merge_operator = NewMergeOperator("stringappend", {{"delimiter", ","}});
  family_options_.disable_auto_compactions = true;
  Open();
  ASSERT_OK(Put("k", "a"));
  ASSERT_OK(Put("m", "a"));
  ASSERT_OK(Flush());
  ASSERT_OK(db_->DeleteRange(write_, cf(0), "k", "l", Slice()));
  ASSERT_OK(db_->Merge(write_, cf(0), "m", Slice(), "b"));
  ASSERT_OK(Flush());
  LruCacheOptions cache;
  cache.capacity = 1 << 20;
  options_.row_cache = NewLruCache(cache);
  const auto statistics = Count();
  Open();
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(Get("k"), "NOT_FOUND");
    EXPECT_EQ(Get("m"), "a,b");
  }
  EXPECT_GT(statistics->Get(Ticker::kRowCacheHit), 0u);
}

TEST_F(OptionsTest, MultiGetUsesTheRowCacheToo) {
  LruCacheOptions cache;
  cache.capacity = 1 << 20;
  options_.row_cache = NewLruCache(cache);
  const auto statistics = Count();
  Open();
  for (int i = 0; i < 10; ++i) ASSERT_OK(Put(std::to_string(i), std::to_string(i * i)));
  ASSERT_OK(Flush());
  for (int round = 0; round < 2; ++round) {
    std::vector<std::string> names;
    std::vector<Slice> keys;
    for (int i = 0; i < 10; ++i) names.push_back(std::to_string(i));
    keys.assign(names.begin(), names.end());
    std::vector<PinnedValue> values(10);
    std::vector<ValueSink*> sinks;
    for (PinnedValue& value : values) sinks.push_back(&value);
    std::vector<ColumnFamilyHandle*> families(10, cf(0));
    std::vector<Status> statuses(10);
    db_->MultiGet(ReadOptions(), 10, families.data(), keys.data(), sinks.data(), nullptr,
                  statuses.data(), true);
    for (int i = 0; i < 10; ++i) {
      ASSERT_OK(statuses[static_cast<size_t>(i)]);
      EXPECT_EQ(values[static_cast<size_t>(i)].slice(), Slice(std::to_string(i * i)));
    }
  }
  EXPECT_EQ(statistics->Get(Ticker::kRowCacheHit), 10u);
  EXPECT_EQ(statistics->Get(Ticker::kRowCacheMiss), 10u);
}

TEST_F(OptionsTest, CachedBlocksAreVerifiedWhenAskedFor) {
  family_options_.compression = CompressionType::kSnappy;
  family_options_.block_protection_bytes_per_key = 8;
  Open();
  ASSERT_OK(Put("k", std::string(1000, 'v')));
  ASSERT_OK(Flush());
  {
    PinnedValue value;
    ASSERT_OK(db_->Get(ReadOptions(), cf(0), "k", &value, nullptr));
    const_cast<char*>(value.slice().data())[500] = 'w';
    const std::string text = Get("k");
    EXPECT_NE(text.find("Corruption: Corrupted block entry"), std::string::npos) << text;
  }
  EXPECT_EQ(Get("k"), std::string(1000, 'v'));  // It has left the cache.
}

// --- Checks of memory and files ---

TEST_F(OptionsTest, MemtableEntriesAreVerifiedWhenAskedFor) {
  for (const uint32_t bytes : {0, 1, 2, 4, 8}) {
    SCOPED_TRACE(bytes);
    CloseDb();
    ASSERT_OK(Db::Destroy(options_, family_options_, path_));
    family_options_.memtable_protection_bytes_per_key = bytes;
    Open();
    for (int i = 0; i < 100; ++i) ASSERT_OK(Put("k" + std::to_string(i), "value"));
    {
      PinnedValue value;
      ASSERT_OK(db_->Get(ReadOptions(), cf(0), "k50", &value, nullptr));
      const_cast<char*>(value.slice().data())[0] = 'V';
    }
    EXPECT_EQ(Get("k51"), "value");
    const std::string damaged =
        "Corruption: Corrupted memtable entry, per key-value checksum verification failed.";
    EXPECT_EQ(Get("k50"), bytes == 0 ? "Value" : damaged);
    const std::unique_ptr<DbIterator> iterator = db_->NewIterator(ReadOptions(), cf(0));
    int entries = 0;
    for (iterator->SeekToFirst(); iterator->valid(); iterator->Next()) ++entries;
    EXPECT_EQ(iterator->status().ok(), bytes == 0);
    EXPECT_EQ(entries == 100, bytes == 0);
    EXPECT_EQ(Flush().ok(), bytes == 0);
  }
}

TEST_F(OptionsTest, NewFilesAreReadBackWhenAskedFor) {
  WatchFiles();
  options_.max_bgerror_resume_count = 0;
  for (const bool paranoid : {false, true}) {
    SCOPED_TRACE(paranoid);
    watching_->damage = false;
    CloseDb();
    ASSERT_OK(Db::Destroy(options_, family_options_, path_));
    family_options_.paranoid_file_checks = paranoid;
    Open();
    ASSERT_OK(Put("k", std::string(20000, 'v')));
    watching_->damage = true;
    const Status status = Flush();
    EXPECT_EQ(status.IsCorruption(), paranoid) << status.ToString();
  }
}

TEST_F(OptionsTest, CompactionsVerifyTheirFilesByFlags) {
  WatchFiles();
  options_.max_bgerror_resume_count = 0;
  for (const uint32_t flags : {0u, 1u | 1024u, 2u | 1024u, 3u}) {
    SCOPED_TRACE(flags);
    watching_->damage = false;
    CloseDb();
    ASSERT_OK(Db::Destroy(options_, family_options_, path_));
    family_options_.verify_output_flags = flags;
    Open();
    for (int i = 0; i < 2; ++i) {
      ASSERT_OK(Put("k", std::string(20000, 'v')));
      ASSERT_OK(Flush());
    }
    watching_->damage = true;
    const Status status = Compact();
    EXPECT_EQ(status.IsCorruption(), (flags & 1024) != 0) << status.ToString();
  }
}

TEST_F(OptionsTest, ACompactionCountsWhatItReads) {
  options_.max_bgerror_resume_count = 0;
  for (const bool verify : {true, false}) {
    SCOPED_TRACE(verify);
    CloseDb();
    ASSERT_OK(Db::Destroy(options_, family_options_, path_));
    options_.compaction_verify_record_count = verify;
    Open();
    for (int i = 0; i < 2; ++i) {
      ASSERT_OK(Put("a", "1"));
      ASSERT_OK(Put("b", "1"));
      ASSERT_OK(Flush());
    }
    {
      EpochGuard guard;
      const TableReader* const reader = AnyFile()->reader.load();
      ASSERT_NE(reader, nullptr);
      ++const_cast<TableProperties*>(reader->properties().get())->num_entries;
    }
    const Status status = Compact();
    EXPECT_EQ(status.IsCorruption(), verify) << status.ToString();
  }
}

// --- Reads of files ---

TEST_F(OptionsTest, CompactionsReadPastThePageCacheWhenAskedFor) {
  WatchFiles();
  options_.use_direct_io_for_compaction_reads = true;
  Open();
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK(Put("k", "v"));
    ASSERT_OK(Flush());
  }
  EXPECT_EQ(Get("k"), "v");
  EXPECT_EQ(watching_->direct_opens, 0);
  ASSERT_OK(Compact());
  EXPECT_EQ(watching_->direct_opens, 2);
  EXPECT_EQ(Get("k"), "v");
  EXPECT_EQ(watching_->direct_opens, 2);
}

TEST_F(OptionsTest, ReadsWaitForTheRateLimiterWhenTheyAskForIt) {
  options_.rate_limiter = NewRateLimiter(SystemClock(), 100 << 20, 100000, 10,
                                         RateLimiter::Mode::kReadsOnly, /*auto_tuned=*/false);
  family_options_.table_factory.block_based.no_block_cache = true;
  Open();
  ASSERT_OK(Put("k", std::string(10000, 'v')));
  ASSERT_OK(Flush());
  ReadOptions read;
  PinnedValue value;
  ASSERT_OK(db_->Get(read, cf(0), "k", &value, nullptr));
  EXPECT_EQ(options_.rate_limiter->total_bytes(IoPriority::kUser), 0u);
  read.rate_limiter_priority = IoPriority::kUser;
  ASSERT_OK(db_->Get(read, cf(0), "k", &value, nullptr));
  EXPECT_GE(options_.rate_limiter->total_bytes(IoPriority::kUser), 10000u);
}

TEST_F(OptionsTest, OpeningDoesNotOpenTablesForTheirStatisticsWhenToldSo) {
  WatchFiles();
  options_.max_open_files = 20;
  options_.max_file_opening_threads = 1;
  Open();
  for (int i = 0; i < 30; ++i) {
    ASSERT_OK(Put("k" + std::to_string(i), "v"));
    ASSERT_OK(Flush());
  }
  int opens[2];
  for (const bool skip : {false, true}) {
    CloseDb();
    options_.skip_stats_update_on_db_open = skip;
    watching_->opens = 0;
    family_options_.disable_auto_compactions = true;
    Open();
    opens[skip ? 1 : 0] = watching_->opens;
  }
  EXPECT_LT(opens[1], opens[0]);
}

TEST_F(OptionsTest, IteratorsIgnorePrefixesUnlessAskedWithPrefixSeekOptInOnly) {
  family_options_.prefix_extractor = NewFixedPrefixTransform(1);
  family_options_.table_factory.block_based.filter_policy = std::make_shared<const FilterPolicy>();
  family_options_.table_factory.block_based.whole_key_filtering = false;
  const auto seek = [this](bool same_prefix) {
    ReadOptions read;
    read.prefix_same_as_start = same_prefix;
    const std::unique_ptr<DbIterator> iterator = db_->NewIterator(read, cf(0));
    iterator->Seek("b");
    return iterator->valid() ? iterator->key().ToString() : "END";
  };
  for (const bool opt_in : {false, true}) {
    options_.prefix_seek_opt_in_only = opt_in;
    Open();
    ASSERT_OK(Put("a1", "v"));
    ASSERT_OK(Put("c1", "v"));
    ASSERT_OK(Flush());
    if (opt_in) {
      EXPECT_EQ(seek(false), "c1");
    }
    EXPECT_EQ(seek(true), "END");
  }
}

// --- Memtables and compactions by what is read and by time ---

TEST_F(OptionsTest, AScanOverManyHiddenEntriesFlushesTheMemtable) {
  for (const uint32_t trigger : {0, 50}) {
    SCOPED_TRACE(trigger);
    CloseDb();
    ASSERT_OK(Db::Destroy(options_, family_options_, path_));
    family_options_.memtable_op_scan_flush_trigger = trigger;
    Open();
    for (int i = 0; i < 100; ++i) ASSERT_OK(Delete("k" + std::to_string(i)));
    ASSERT_OK(Put("z", "v"));
    EXPECT_EQ(Scan(), "z->v");
    ASSERT_OK(Put("z", "v"));
    ASSERT_OK(db_->WaitForCompact(WaitForCompactOptions()));
    EXPECT_EQ(Levels(), trigger == 0 ? "" : "1");
  }
}

TEST_F(OptionsTest, ManyHiddenEntriesOnAverageFlushTheMemtable) {
  family_options_.memtable_op_scan_flush_trigger = 50;
  for (const uint32_t average : {0, 4}) {
    SCOPED_TRACE(average);
    CloseDb();
    ASSERT_OK(Db::Destroy(options_, family_options_, path_));
    family_options_.memtable_avg_op_scan_flush_trigger = average;
    Open();
    for (int i = 0; i < 200; ++i) {
      const std::string key = "k" + std::to_string(1000 + i);
      ASSERT_OK(i % 10 == 9 ? Put(key, "v") : Delete(key));
    }
    (void)Scan();
    ASSERT_OK(Put("z", "v"));
    ASSERT_OK(db_->WaitForCompact(WaitForCompactOptions()));
    EXPECT_EQ(Levels(), average == 0 ? "" : "1");
  }
}

TEST_F(OptionsTest, FilesThatAreReadForNothingAreCompacted) {
  family_options_.read_triggered_compaction_threshold = 0.5;
  options_.max_compaction_trigger_wakeup_seconds = 10;
  TestClock clock;
  env_->clock = &clock;
  Open();
  ASSERT_OK(Put("a", "1"));
  ASSERT_OK(Put("z", "1"));
  ASSERT_OK(Flush());
  ASSERT_OK(Compact());
  ASSERT_OK(Delete("a"));
  ASSERT_OK(Flush());
  EXPECT_EQ(Levels(), "1,0,0,0,0,0,1");
  const VersionStorage& storage = Family()->versions()->current()->storage();
  storage.level(0)[0]->sampled_collapsible_reads = 1 << 20;
  impl()->Tick();  // Not yet.
  ASSERT_OK(db_->WaitForCompact(WaitForCompactOptions()));
  EXPECT_EQ(Levels(), "1,0,0,0,0,0,1");
  clock.Advance(11 * 1000000);
  impl()->Tick();
  ASSERT_OK(db_->WaitForCompact(WaitForCompactOptions()));
  EXPECT_EQ(Levels(), "0,0,0,0,0,0,1");
  CloseDb();
  env_->clock = SystemClock();
}

TEST_F(OptionsTest, AnIdleDatabaseCompactsWhatIsOld) {
  constexpr uint64_t kDay = 24 * 60 * 60;
  family_options_.periodic_compaction_seconds = 10 * kDay;
  family_options_.ttl = 0;
  TestClock clock;
  constexpr uint64_t kMidnight = 1577836800;
  env_->clock = &clock;
  for (const bool offpeak : {false, true}) {
    SCOPED_TRACE(offpeak);
    CloseDb();
    ASSERT_OK(Db::Destroy(options_, family_options_, path_));
    clock.SetMicros((kMidnight - 60) * 1000000);
    // With hours in which periodic work is preferred, what is due within a day goes then.
    options_.daily_offpeak_time_utc = offpeak ? "00:00-01:00" : "";
    Open();
    ASSERT_OK(Put("a", "1"));
    ASSERT_OK(Flush());
    ASSERT_OK(Compact());
    const uint64_t before = AnyFile()->number;
    clock.Advance((9 * kDay + 1800) * 1000000);
    impl()->Tick();
    ASSERT_OK(db_->WaitForCompact(WaitForCompactOptions()));
    EXPECT_EQ(AnyFile()->number != before, offpeak);
    clock.Advance(kDay * 1000000);
    impl()->Tick();
    ASSERT_OK(db_->WaitForCompact(WaitForCompactOptions()));
    EXPECT_NE(AnyFile()->number, before);
  }
  CloseDb();
  env_->clock = SystemClock();
}

TEST_F(OptionsTest, TheBottommostCodecIsThatOfCompactionsOnly) {
  family_options_.compression = CompressionType::kNone;
  family_options_.bottommost_compression = CompressionType::kSnappy;
  family_options_.table_factory.block_based.format_version = 5;  // Its properties name one codec.
  Open();
  const auto codec = [this] {
    std::map<std::string, std::shared_ptr<const TableProperties>> all;
    EXPECT_OK(Family()->versions()->current()->PropertiesOfTables(-1, &all));
    return all.begin()->second->compression_name;
  };
  ASSERT_OK(Put("a", std::string(1000, 'x')));
  ASSERT_OK(Flush());
  EXPECT_EQ(codec(), "NoCompression");
  ASSERT_OK(Put("a", std::string(1000, 'y')));
  ASSERT_OK(Flush());
  ASSERT_OK(Compact());
  EXPECT_EQ(codec(), "Snappy");
}

TEST_F(OptionsTest, FilesGetTheTemperatureOfTheirLevel) {
  family_options_.default_write_temperature = Temperature::kWarm;
  family_options_.last_level_temperature = Temperature::kCold;
  Open();
  ASSERT_OK(Put("a", "1"));
  ASSERT_OK(Flush());
  EXPECT_EQ(AnyFile()->temperature, Temperature::kWarm);
  ASSERT_OK(Put("a", "2"));
  ASSERT_OK(Flush());
  ASSERT_OK(Compact());
  EXPECT_EQ(AnyFile()->temperature, Temperature::kCold);
  Open();
  EXPECT_EQ(AnyFile()->temperature, Temperature::kCold);
}

// Writers that fill a memtable faster than the one before it is flushed take naps at its end
// instead of one long stop; those that must not be slowed down do not.
TEST_F(OptionsTest, WritersAreSlowedDownBeforeTheyMustStop) {
  HoldingFileSystem file_system(env_->file_system);
  FileSystem* const target = std::exchange(env_->file_system, &file_system);
  const auto statistics = Count();
  family_options_.write_buffer_size = 1 << 20;
  Open();
  file_system.hold = true;
  int i = 0;
  const auto fill = [&](int count) {
    for (const int end = i + count; i < end; ++i) {
      ASSERT_OK(Put("key" + std::to_string(i), std::string(1000, 'v')));
    }
  };
  fill(1100);  // More than one memtable, which is being flushed now.
  EXPECT_EQ(statistics->Get(Ticker::kStallMicros), 0u);
  uint64_t running = 0;
  while (running == 0) {
    ASSERT_TRUE(db_->GetIntProperty(cf(0), "rocksdb.num-running-flushes", &running));
  }
  fill(500);
  EXPECT_EQ(statistics->Get(Ticker::kStallMicros), 0u);
  write_.no_slowdown = true;
  fill(180);
  EXPECT_EQ(statistics->Get(Ticker::kStallMicros), 0u);
  write_.no_slowdown = false;
  fill(100);
  EXPECT_GT(statistics->Get(Ticker::kStallMicros), 0u);
  file_system.hold = false;
  fill(1000);
  CloseDb();
  env_->file_system = target;
}

}  // namespace skarn
