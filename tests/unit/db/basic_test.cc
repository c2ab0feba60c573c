// Opening, writing, reading, flushing, compacting, closing: that the rooms fit together.

#include <functional>
#include <utility>

#include "core/batch/write_batch.h"
#include "core/env/file_system_wrapper.h"
#include "tests/unit/db/db_test_base.h"

namespace skarn {
namespace {

class BasicDbTest : public DbTest {};

// Calls something back while it deletes the first table.
class CallingFileSystem final : public FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  Status DeleteFile(const std::string& path) override {
    if (Slice(path).EndsWith(".sst")) {
      if (const auto call = std::exchange(on_delete, nullptr)) call();
    }
    return FileSystemWrapper::DeleteFile(path);
  }
  std::function<void()> on_delete;
};

TEST_F(BasicDbTest, AFreshDatabaseIsEmpty) {
  Open();
  EXPECT_EQ(Get("a"), "NOT_FOUND");
  EXPECT_EQ(Scan(), "");
  EXPECT_EQ(db_->LatestSequence(), 0u);
}

TEST_F(BasicDbTest, RefusesToOpenWhatDoesNotExist) {
  options_.create_if_missing = false;
  EXPECT_EQ(TryOpen().ToString(),
            "Invalid argument: /db/CURRENT: does not exist (create_if_missing is false)");
}

TEST_F(BasicDbTest, RefusesToOpenWhatExistsWhenToldTo) {
  Open();
  CloseDb();
  options_.error_if_exists = true;
  EXPECT_EQ(TryOpen().ToString(), "Invalid argument: /db: exists (error_if_exists is true)");
}

TEST_F(BasicDbTest, NumbersTheFilesOfAFreshDatabaseLikeTheOriginal) {
  Open();
  EXPECT_EQ(FilesEndingWith(".log"), (std::vector<std::string>{"000004.log"}));
  EXPECT_EQ(FilesEndingWith("MANIFEST-000005").size(), 1u);
  EXPECT_EQ(FilesEndingWith("OPTIONS-000007").size(), 1u);
  EXPECT_TRUE(FilesEndingWith("MANIFEST-000001").empty());
}

TEST_F(BasicDbTest, ReadsWhatWasWritten) {
  Open();
  ASSERT_OK(Put("a", "1"));
  ASSERT_OK(Put("b", "2"));
  ASSERT_OK(Put("a", "3"));
  ASSERT_OK(Delete("b"));
  EXPECT_EQ(Get("a"), "3");
  EXPECT_EQ(Get("b"), "NOT_FOUND");
  EXPECT_EQ(Scan(), "a->3");
  EXPECT_EQ(db_->LatestSequence(), 4u);
}

TEST_F(BasicDbTest, ReadsAcrossMemtablesAndFiles) {
  Open();
  ASSERT_OK(Put("a", "old"));
  ASSERT_OK(Put("b", "old"));
  ASSERT_OK(Flush());
  ASSERT_OK(Put("b", "new"));
  ASSERT_OK(Put("c", "new"));
  EXPECT_EQ(Levels(), "1");
  EXPECT_EQ(Scan(), "a->old b->new c->new");
  ASSERT_OK(Flush());
  EXPECT_EQ(Levels(), "2");
  EXPECT_EQ(Scan(), "a->old b->new c->new");
  EXPECT_EQ(Get("b"), "new");
  ASSERT_OK(Compact());
  EXPECT_EQ(Levels(), "0,0,0,0,0,0,1");
  EXPECT_EQ(Scan(), "a->old b->new c->new");
  EXPECT_EQ(Get("a"), "old");
}

TEST_F(BasicDbTest, FlushingNothingMakesNoFile) {
  Open();
  ASSERT_OK(Flush());
  EXPECT_EQ(Levels(), "");
}

TEST_F(BasicDbTest, ABatchGetsConsecutiveNumbersAndTellsTheFirst) {
  Open();
  ASSERT_OK(Put("x", "0"));
  WriteBatch batch;
  ASSERT_OK(batch.Put(0, "a", "1"));
  ASSERT_OK(batch.Delete(0, "x"));
  ASSERT_OK(batch.Put(0, "b", "2"));
  ASSERT_OK(db_->Write(write_, &batch));
  EXPECT_EQ(batch.sequence(), 2u);
  EXPECT_EQ(db_->LatestSequence(), 4u);
  EXPECT_EQ(Scan(), "a->1 b->2");
}

TEST_F(BasicDbTest, SnapshotsKeepTheirView) {
  Open();
  ASSERT_OK(Put("a", "1"));
  const Snapshot* const snapshot = db_->GetSnapshot();
  ASSERT_OK(Put("a", "2"));
  ASSERT_OK(Put("b", "2"));
  EXPECT_EQ(Get("a", 0, snapshot), "1");
  EXPECT_EQ(Get("b", 0, snapshot), "NOT_FOUND");
  ASSERT_OK(Flush());
  EXPECT_EQ(Get("a", 0, snapshot), "1");
  ASSERT_OK(Compact());
  EXPECT_EQ(Get("a", 0, snapshot), "1");
  EXPECT_EQ(Get("a"), "2");
  db_->ReleaseSnapshot(snapshot);
}

// A snapshot of an empty database shows nothing, whatever compactions drop.
TEST_F(BasicDbTest, ASnapshotOfTheEmptyDatabaseStaysEmpty) {
  Open();
  const Snapshot* const snapshot = db_->GetSnapshot();
  EXPECT_EQ(snapshot->sequence(), 0u);
  ASSERT_OK(Put("a", "1"));
  ASSERT_OK(Flush());
  ASSERT_OK(Compact());
  EXPECT_EQ(Get("a", 0, snapshot), "NOT_FOUND");
  EXPECT_EQ(Get("a"), "1");
  db_->ReleaseSnapshot(snapshot);
}

TEST_F(BasicDbTest, IteratorsKeepTheirViewThroughFlushAndCompaction) {
  Open();
  ASSERT_OK(Put("a", "1"));
  ASSERT_OK(Put("b", "1"));
  const std::unique_ptr<DbIterator> iterator = db_->NewIterator(ReadOptions(), cf(0));
  ASSERT_OK(Put("a", "2"));
  ASSERT_OK(Delete("b"));
  ASSERT_OK(Flush());
  ASSERT_OK(Compact());
  iterator->SeekToFirst();
  ASSERT_TRUE(iterator->valid());
  EXPECT_EQ(iterator->value().ToString(), "1");
  iterator->Next();
  ASSERT_TRUE(iterator->valid());
  EXPECT_EQ(iterator->key().ToString(), "b");
  EXPECT_OK(iterator->Refresh());
  iterator->SeekToFirst();
  ASSERT_TRUE(iterator->valid());
  EXPECT_EQ(iterator->value().ToString(), "2");
  iterator->Next();
  EXPECT_FALSE(iterator->valid());
}

// The purge that was at work did not see it, and none was to follow.
TEST_F(BasicDbTest, WhatIsLetGoDuringAPurgeIsDeletedToo) {
  FileSystem* const target = env_->file_system;
  CallingFileSystem file_system(target);
  env_->file_system = &file_system;
  family_options_.disable_auto_compactions = true;
  Open();
  ReadOptions read;
  read.background_purge_on_iterator_cleanup = true;
  std::unique_ptr<DbIterator> iterators[2];
  for (auto& iterator : iterators) {
    ASSERT_OK(Put("a", "1"));
    ASSERT_OK(Flush());
    ASSERT_OK(Compact());
    iterator = db_->NewIterator(read, cf(0));
    iterator->SeekToFirst();
  }
  ASSERT_OK(Put("a", "2"));
  ASSERT_OK(Flush());
  ASSERT_OK(Compact());
  ASSERT_EQ(FilesEndingWith(".sst").size(), 3u);
  file_system.on_delete = [&] { iterators[1].reset(); };
  iterators[0].reset();
  WaitForCompactOptions wait;
  wait.wait_for_purge = true;
  ASSERT_OK(db_->WaitForCompact(wait));
  EXPECT_EQ(FilesEndingWith(".sst").size(), 1u);
  CloseDb();
  env_->file_system = target;
}

TEST_F(BasicDbTest, DeletesRanges) {
  Open();
  for (const char* key : {"a", "b", "c", "d"}) ASSERT_OK(Put(key, "1"));
  ASSERT_OK(db_->DeleteRange(write_, cf(0), "b", "d", Slice()));
  EXPECT_EQ(Scan(), "a->1 d->1");
  EXPECT_EQ(Get("c"), "NOT_FOUND");
  ASSERT_OK(Put("c", "2"));
  ASSERT_OK(Flush());
  EXPECT_EQ(Scan(), "a->1 c->2 d->1");
  EXPECT_EQ(Get("b"), "NOT_FOUND");
  ASSERT_OK(Compact());
  EXPECT_EQ(Scan(), "a->1 c->2 d->1");
  EXPECT_EQ(db_->DeleteRange(write_, cf(0), "d", "b", Slice()).ToString(),
            "Invalid argument: end key comes before start key");
  ASSERT_OK(Put("e", "1"));  // Nothing was poisoned.
}

// Iterators and tables passed over range tombstones, memtables did not.
TEST_F(BasicDbTest, ReadsIgnoreRangeDeletionsWhereTheyAreAskedTo) {
  Open();
  ASSERT_OK(Put("a", "1"));
  const Snapshot* const snapshot = db_->GetSnapshot();  // Keeps the value in the table.
  ASSERT_OK(db_->DeleteRange(write_, cf(0), "a", "b", Slice()));
  ReadOptions read;
  read.ignore_range_deletions = true;
  for (const bool flushed : {false, true}) {
    if (flushed) ASSERT_OK(Flush());
    PinnedValue value, values[2];
    EXPECT_OK(db_->Get(read, cf(0), "a", &value, nullptr));
    ColumnFamilyHandle* const families[] = {cf(0), cf(0)};
    const Slice keys[] = {"a", "b"};
    ValueSink* const sinks[] = {&values[0], &values[1]};
    Status statuses[2];
    db_->MultiGet(read, 2, families, keys, sinks, nullptr, statuses, /*sorted_input=*/false);
    EXPECT_OK(statuses[0]);
    EXPECT_TRUE(statuses[1].IsNotFound());
    EXPECT_EQ(Scan(0, read), "a->1");
    EXPECT_EQ(Get("a"), "NOT_FOUND");
  }
  db_->ReleaseSnapshot(snapshot);
}

TEST_F(BasicDbTest, MultiGetAnswersInTheCallersOrderWithDuplicates) {
  Open({"default"});
  ASSERT_OK(Put("a", "1"));
  ASSERT_OK(Put("b", "2"));
  ASSERT_OK(Flush());
  ASSERT_OK(Put("c", "3"));
  const std::vector<std::string> keys = {"c", "x", "a", "b", "a"};
  std::vector<Slice> slices(keys.begin(), keys.end());
  std::vector<ColumnFamilyHandle*> families(keys.size(), cf(0));
  std::vector<PinnedValue> values(keys.size());
  std::vector<ValueSink*> sinks;
  for (PinnedValue& value : values) sinks.push_back(&value);
  std::vector<Status> statuses(keys.size());
  db_->MultiGet(ReadOptions(), keys.size(), families.data(), slices.data(), sinks.data(), nullptr,
                statuses.data(), /*sorted_input=*/false);
  EXPECT_EQ(values[0].slice().ToString(), "3");
  EXPECT_TRUE(statuses[1].IsNotFound());
  EXPECT_EQ(values[2].slice().ToString(), "1");
  EXPECT_EQ(values[3].slice().ToString(), "2");
  EXPECT_EQ(values[4].slice().ToString(), "1");
}

TEST_F(BasicDbTest, RefusesSyncWithoutLog) {
  Open();
  write_.sync = true;
  write_.disable_wal = true;
  EXPECT_EQ(Put("a", "1").ToString(), "Invalid argument: Sync writes has to enable WAL.");
}

TEST_F(BasicDbTest, RefusesABatchThatCannotBeAppliedWithoutHarm) {
  Open();
  WriteBatch bad;
  ASSERT_OK(bad.Put(0, "a", "1"));
  ASSERT_OK(bad.Put(7, "b", "1"));
  EXPECT_EQ(db_->Write(write_, &bad).ToString(),
            "Invalid argument: Invalid column family specified in write batch");
  EXPECT_EQ(Get("a"), "NOT_FOUND");
  ASSERT_OK(Put("a", "2"));
  WriteBatch torn = WriteBatch::FromBytes(Slice("\0\0\0\0\0\0\0\0\1\0\0\0\1\5ab", 16));
  EXPECT_EQ(db_->Write(write_, &torn).ToString(), "Corruption: bad WriteBatch Put");
  ASSERT_OK(Put("a", "3"));
  CloseDb();
  Open();
  EXPECT_EQ(Get("a"), "3");
}

TEST_F(BasicDbTest, ASecondOpenOfTheSameDatabaseFails) {
  Open();
  Db::OpenRequest request;
  request.options = options_;
  request.path = path_;
  request.column_families.push_back({"default", family_options_});
  std::vector<std::unique_ptr<ColumnFamilyHandle>> handles;
  const Result<std::unique_ptr<Db>> second = Db::Open(std::move(request), &handles);
  ASSERT_FALSE(second.ok());
  EXPECT_TRUE(second.status().IsIoError()) << second.status().ToString();
}

}  // namespace
}  // namespace skarn
