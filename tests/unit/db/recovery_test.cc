// What opening makes of logs that end early, are damaged, or are missing.

#include <functional>
#include <thread>

#include "core/base/random.h"
#include "core/batch/write_batch.h"
#include "core/version/file_names.h"
#include "core/version/version_edit.h"
#include "core/wal/log_reader.h"
#include "tests/unit/db/db_test_base.h"

namespace skarn {
namespace {

class RecoveryTest : public DbTest {
 protected:
  // Three logs of three batches of one key each: sequences 1-3, 4-6, 7-9, nothing flushed.
  void MakeThreeLogs() {
    options_.avoid_flush_during_recovery = true;
    int key = 1;
    for (int log = 0; log < 3; ++log) {
      Open();
      for (int i = 0; i < 3; ++i, ++key) ASSERT_OK(Put(std::to_string(key), "value"));
      ASSERT_EQ(db_->LatestSequence(), static_cast<SequenceNumber>(key - 1));
    }
    CloseDb();
    logs_.clear();
    for (const std::string& name : FilesEndingWith(".log")) logs_.push_back(path_ + "/" + name);
    ASSERT_EQ(logs_.size(), 3u);
  }
  std::string Contents(size_t log) {
    Result<std::string> bytes = ReadFileToString(env_->file_system, logs_[log]);
    EXPECT_TRUE(bytes.ok());
    return bytes.ok() ? *bytes : "";
  }
  void Replace(size_t log, const std::string& bytes) {
    ASSERT_OK(WriteStringToFile(env_->file_system, bytes, logs_[log], /*sync=*/false));
  }
  // All records of one log but the first, the empty batch, have one size.
  size_t RecordSize(size_t log) { return (Contents(log).size() - 19) / 3; }

  std::string Keys() {
    std::string keys;
    const std::unique_ptr<DbIterator> iterator = db_->NewIterator(ReadOptions(), cf(0));
    for (iterator->SeekToFirst(); iterator->valid(); iterator->Next()) {
      keys += iterator->key().ToString();
    }
    return keys;
  }
  // What each mode (T, A, P, S) makes of the damage: the keys, or the error.
  std::vector<std::string> Outcomes(const std::function<void()>& damage) {
    std::vector<std::string> outcomes;
    for (const WalRecoveryMode mode :
         {WalRecoveryMode::kTolerateCorruptedTailRecords, WalRecoveryMode::kAbsoluteConsistency,
          WalRecoveryMode::kPointInTimeRecovery, WalRecoveryMode::kSkipAnyCorruptedRecords}) {
      env_ = NewMemoryEnv();
      options_.env = env_.get();
      options_.wal_recovery_mode = WalRecoveryMode::kPointInTimeRecovery;
      MakeThreeLogs();
      damage();
      options_.wal_recovery_mode = mode;
      const Status status = TryOpen();
      outcomes.push_back(status.ok() ? Keys() : status.ToString());
      if (status.ok()) {
        // What was recovered once stays, whatever happens to the rest.
        const std::string kept = Keys();
        EXPECT_OK(Put("new", "value"));
        EXPECT_OK(TryOpen());
        EXPECT_EQ(Keys(), kept + "new");
      }
      CloseDb();
    }
    return outcomes;
  }
  using Expected = std::vector<std::string>;

  std::vector<std::string> logs_;
};

TEST_F(RecoveryTest, NothingIsLostWithoutDamage) {
  EXPECT_EQ(Outcomes([] {}), (Expected{"123456789", "123456789", "123456789", "123456789"}));
}

TEST_F(RecoveryTest, TheLastLogCutInsideTheLastRecord) {
  const std::string error = "Corruption: truncated record body";
  EXPECT_EQ(Outcomes([this] {
              const std::string bytes = Contents(2);
              Replace(2, bytes.substr(0, bytes.size() - 3));
            }),
            (Expected{"12345678", error, "12345678", "12345678"}));
}

TEST_F(RecoveryTest, TheLastLogCutInsideAHeader) {
  const std::string error = "Corruption: truncated header";
  EXPECT_EQ(Outcomes([this] {
              const std::string bytes = Contents(2);
              Replace(2, bytes.substr(0, bytes.size() - RecordSize(2) + 4));
            }),
            (Expected{"12345678", error, "12345678", "12345678"}));
}

TEST_F(RecoveryTest, TheLastLogCutAtARecordsEnd) {
  EXPECT_EQ(Outcomes([this] {
              const std::string bytes = Contents(2);
              Replace(2, bytes.substr(0, bytes.size() - RecordSize(2)));
            }),
            (Expected{"12345678", "12345678", "12345678", "12345678"}));
}

TEST_F(RecoveryTest, TheFirstLogCutInsideItsLastRecord) {
  EXPECT_EQ(Outcomes([this] {
              const std::string bytes = Contents(0);
              Replace(0, bytes.substr(0, bytes.size() - 3));
            }),
            (Expected{"12456789", "Corruption: truncated record body", "12", "12456789"}));
}

// The next log says at which number it begins, so the hole does not go unseen.
TEST_F(RecoveryTest, TheMiddleLogCutAtARecordsEnd) {
  const std::vector<std::string> outcomes = Outcomes([this] {
    const std::string bytes = Contents(1);
    Replace(1, bytes.substr(0, bytes.size() - RecordSize(1)));
  });
  EXPECT_EQ(outcomes[0], "12345789");
  EXPECT_EQ(outcomes[1], "Corruption: log begins at sequence 7, the logs before it end at 6");
  EXPECT_EQ(outcomes[2], "12345");
  EXPECT_EQ(outcomes[3], "12345789");
}

TEST_F(RecoveryTest, TheMiddleLogEmptied) {
  const std::vector<std::string> outcomes = Outcomes([this] { Replace(1, ""); });
  EXPECT_EQ(outcomes[0], "123789");
  EXPECT_EQ(outcomes[2], "123");
  EXPECT_EQ(outcomes[3], "123789");
}

TEST_F(RecoveryTest, AFlippedByteInTheLastLog) {
  EXPECT_EQ(Outcomes([this] {
              std::string bytes = Contents(2);
              bytes[bytes.size() - 2] ^= 1;
              Replace(2, bytes);
            }),
            (Expected{"Corruption: checksum mismatch", "Corruption: checksum mismatch", "12345678",
                      "12345678"}));
}

TEST_F(RecoveryTest, AFlippedByteInTheMiddleLog) {
  EXPECT_EQ(Outcomes([this] {
              std::string bytes = Contents(1);
              bytes[bytes.size() - 2] ^= 1;
              Replace(1, bytes);
            }),
            (Expected{"Corruption: checksum mismatch", "Corruption: checksum mismatch", "12345",
                      "12345789"}));
}

TEST_F(RecoveryTest, ZeroesAfterTheEnd) {
  for (size_t log = 0; log < 3; ++log) {
    EXPECT_EQ(Outcomes([this, log] { Replace(log, Contents(log) + std::string(100, '\0')); }),
              (Expected{"123456789", "123456789", "123456789", "123456789"}));
  }
}

TEST_F(RecoveryTest, GarbageAfterTheEnd) {
  EXPECT_EQ(Outcomes([this] { Replace(2, Contents(2) + std::string(100, '\x55')); }),
            (Expected{"123456789", "Corruption: truncated record body", "123456789", "123456789"}));
}

TEST_F(RecoveryTest, RecoveredDataIsFlushedUnlessToldOtherwise) {
  Open();
  ASSERT_OK(Put("a", "1"));
  Open();
  EXPECT_EQ(Levels(), "1");
  EXPECT_EQ(Get("a"), "1");
  EXPECT_EQ(FilesEndingWith(".log").size(), 1u);
  options_.avoid_flush_during_recovery = true;
  ASSERT_OK(Put("b", "1"));
  Open();
  EXPECT_EQ(Levels(), "1");
  EXPECT_EQ(Get("b"), "1");
  EXPECT_EQ(FilesEndingWith(".log").size(), 2u);
  ASSERT_OK(Flush());
  EXPECT_EQ(Levels(), "2");
  // The flush's thread deletes the log after it has told the caller.
  while (FilesEndingWith(".log").size() > 1) std::this_thread::yield();
}

TEST_F(RecoveryTest, SequenceNumbersGoOnAfterReopening) {
  Open();
  for (int i = 0; i < 5; ++i) ASSERT_OK(Put("a", std::to_string(i)));
  ASSERT_OK(Flush());
  Open();
  EXPECT_EQ(db_->LatestSequence(), 5u);
  ASSERT_OK(Put("a", "6"));
  Open();
  EXPECT_EQ(db_->LatestSequence(), 6u);
}

TEST_F(RecoveryTest, WritesWithoutALogAreFlushedAtClose) {
  Open();
  write_.disable_wal = true;
  ASSERT_OK(Put("a", "1"));
  CloseDb();
  Open();
  EXPECT_EQ(Get("a"), "1");
  options_.avoid_flush_during_shutdown = true;
  Open();
  ASSERT_OK(Put("b", "1"));
  Open();
  EXPECT_EQ(Get("b"), "NOT_FOUND");
}

// Numbers that writes without a log took are a gap that means nothing.
TEST_F(RecoveryTest, WritesWithoutALogBetweenLogsDoNotStopRecovery) {
  options_.avoid_flush_during_recovery = true;
  options_.avoid_flush_during_shutdown = true;
  for (int round = 0; round < 3; ++round) {
    Open();
    write_.disable_wal = false;
    ASSERT_OK(Put("logged" + std::to_string(round), "1"));
    write_.disable_wal = true;
    ASSERT_OK(Put("unlogged" + std::to_string(round), "1"));
  }
  Open();
  EXPECT_EQ(Scan(), "logged0->1 logged1->1 logged2->1");
}

TEST_F(RecoveryTest, ColumnFamiliesRecoverFromTheLogsTheyNeed) {
  options_.create_missing_column_families = true;
  Open({"default", "one", "two"});
  ASSERT_OK(Put("a", "1", 0));
  ASSERT_OK(Put("b", "1", 1));
  ASSERT_OK(Put("c", "1", 2));
  ASSERT_OK(Flush(1));
  ASSERT_OK(Put("b", "2", 1));
  ASSERT_OK(Put("c", "2", 2));
  ASSERT_OK(Flush(2));
  ASSERT_OK(Put("a", "2", 0));
  Open({"default", "one", "two"});
  EXPECT_EQ(Scan(0), "a->2");
  EXPECT_EQ(Scan(1), "b->2");
  EXPECT_EQ(Scan(2), "c->2");
  EXPECT_EQ(TryOpen({"default", "one"}).ToString(),
            "Invalid argument: Column families not opened: two");
  options_.create_missing_column_families = false;
  EXPECT_EQ(TryOpen({"default", "one", "two", "three"}).ToString(),
            "Invalid argument: Column family not found: three");
  EXPECT_EQ(TryOpen({"one", "two"}).ToString(),
            "Invalid argument: Default column family not specified");
}

TEST_F(RecoveryTest, RecycledLogsAreToldFromTheirOldContents) {
  options_.recycle_log_file_num = 2;
  options_.create_missing_column_families = true;
  std::string value(1000, 'x');
  Open({"default", "other"});
  for (int round = 0; round < 6; ++round) {
    for (int i = 0; i < 20; ++i) ASSERT_OK(Put("a" + std::to_string(i), value, 0));
    ASSERT_OK(Flush(0));
  }
  ASSERT_OK(Put("last", "1", 1));
  ASSERT_OK(Flush(0));
  ASSERT_OK(Put("very-last", "1", 0));
  for (int i = 0; i < 3; ++i) {
    Open({"default", "other"});
    EXPECT_EQ(Get("last", 1), "1");
    EXPECT_EQ(Get("very-last", 0), "1");
    EXPECT_EQ(Get("a7", 0), value);
  }
}

TEST_F(RecoveryTest, AReadOnlyOpenSeesTheLogsAndWritesNothing) {
  Open();
  ASSERT_OK(Put("a", "1"));
  ASSERT_OK(Flush());
  ASSERT_OK(Put("b", "1"));
  CloseDb();
  std::vector<std::string> before, after;
  ASSERT_OK(env_->file_system->GetChildren(path_, &before));
  ASSERT_OK(TryOpen({"default"}, Db::Mode::kReadOnly));
  EXPECT_EQ(Scan(), "a->1 b->1");
  EXPECT_EQ(Put("c", "1").ToString(),
            "Not implemented: Not supported operation in read only mode.");
  EXPECT_EQ(Flush().ToString(), "Not implemented: Not supported operation in read only mode.");
  CloseDb();
  ASSERT_OK(env_->file_system->GetChildren(path_, &after));
  std::sort(before.begin(), before.end());
  std::sort(after.begin(), after.end());
  EXPECT_EQ(before, after);
}

TEST_F(RecoveryTest, ASecondaryFollowsItsPrimary) {
  Open();
  ASSERT_OK(Put("a", "1"));
  std::unique_ptr<Db> primary = std::move(db_);
  std::vector<std::unique_ptr<ColumnFamilyHandle>> primary_handles = std::move(handles_);
  options_.max_open_files = -1;
  ASSERT_OK(TryOpen({"default"}, Db::Mode::kSecondary));
  EXPECT_EQ(Scan(), "a->1");
  ASSERT_OK(primary->Put(write_, nullptr, "b", Slice(), "1"));
  EXPECT_EQ(Scan(), "a->1");
  ASSERT_OK(db_->TryCatchUpWithPrimary());
  EXPECT_EQ(Scan(), "a->1 b->1");
  ASSERT_OK(primary->Flush(FlushOptions(), {primary_handles[0].get()}));
  ASSERT_OK(primary->Put(write_, nullptr, "c", Slice(), "1"));
  ASSERT_OK(primary->CompactRange(CompactRangeOptions(), nullptr, nullptr, nullptr));
  ASSERT_OK(db_->TryCatchUpWithPrimary());
  EXPECT_EQ(Scan(), "a->1 b->1 c->1");
  EXPECT_EQ(Put("d", "1").ToString(),
            "Not implemented: Not supported operation in secondary mode.");
  CloseDb();
  primary_handles.clear();
}

// Small writes go to the log through memory, behind which it has zeroes; large ones do not. All of
// them must get through, whenever the secondary looks.
TEST_F(RecoveryTest, ASecondaryFollowsALogThatIsFilledThroughMemory) {
  Open();
  std::unique_ptr<Db> primary = std::move(db_);
  std::vector<std::unique_ptr<ColumnFamilyHandle>> primary_handles = std::move(handles_);
  options_.max_open_files = -1;
  ASSERT_OK(TryOpen({"default"}, Db::Mode::kSecondary));
  Random random(/*seed=*/3);
  std::map<std::string, std::string> expected;
  for (int round = 0; round < 150; ++round) {
    for (uint64_t writes = random.Uniform(40); writes > 0; --writes) {
      const std::string key = "k" + std::to_string(random.Uniform(100));
      expected[key] =
          std::string(random.Uniform(random.OneIn(60) ? 60000 : 200), 'v') + std::to_string(round);
      ASSERT_OK(primary->Put(write_, nullptr, key, Slice(), expected[key]));
    }
    if (random.OneIn(20)) {
      ASSERT_OK(primary->SyncWal());
    }
    if (random.OneIn(40)) {
      ASSERT_OK(primary->Flush(FlushOptions(), {primary_handles[0].get()}));
    }
    ASSERT_OK(db_->TryCatchUpWithPrimary());
    for (const auto& [key, value] : expected) ASSERT_EQ(Get(key), value) << round << key;
  }
  CloseDb();
  primary_handles.clear();
}

// The first part of a record that a secondary found must still be there when the rest comes.
TEST_F(RecoveryTest, ASecondaryMayMeetARecordThatIsNotComplete) {
  Open();
  ASSERT_OK(Put("a", "1"));
  ASSERT_OK(Put("b", std::string(100000, 'b')));
  const std::string log = path_ + "/" + FilesEndingWith(".log").back();
  CloseDb();
  const std::string whole = *ReadFileToString(env_->file_system, log);
  const Slice front(whole.data(), 70000);
  ASSERT_OK(WriteStringToFile(env_->file_system, front, log, /*sync=*/false));
  options_.max_open_files = -1;
  ASSERT_OK(TryOpen({"default"}, Db::Mode::kSecondary));
  EXPECT_EQ(Scan(), "a->1");
  ASSERT_OK(WriteStringToFile(env_->file_system, whole, log, /*sync=*/false));
  ASSERT_OK(db_->TryCatchUpWithPrimary());
  EXPECT_EQ(Get("b"), std::string(100000, 'b'));
}

// A log that was kept for a column family alone goes when the family is gone, also where recovery
// leaves later logs in place.
TEST_F(RecoveryTest, ALogOfADroppedFamilyIsNotKept) {
  options_.avoid_flush_during_recovery = true;
  options_.create_missing_column_families = true;
  Open({"default", "other"});
  ASSERT_OK(Put("a", "1"));
  ASSERT_OK(Put("b", "1", 1));
  ASSERT_OK(Flush());
  ASSERT_OK(Put("c", "1"));
  const std::string first_log = FilesEndingWith(".log").front();
  ASSERT_OK(db_->DropColumnFamily(cf(1)));
  Open();
  EXPECT_EQ(Scan(), "a->1 c->1");
  const std::vector<std::string> logs = FilesEndingWith(".log");
  EXPECT_EQ(std::count(logs.begin(), logs.end(), first_log), 0);
  EXPECT_EQ(logs.size(), 2u);
}

// A torn write may leave out a record of the MANIFEST and keep one behind it. Logs must not be
// given up by a record that is read when the file they were flushed to is named by one that is
// not.
TEST_F(RecoveryTest, ARecordThatGivesUpLogsNamesTheFileTheyWereFlushedTo) {
  for (const bool atomic : {false, true}) {
    env_ = NewMemoryEnv();
    options_.env = env_.get();
    options_.create_missing_column_families = true;
    options_.atomic_flush = atomic;
    Open({"default", "other"});
    std::string manifest;
    ASSERT_TRUE(ReadFileToString(env_->file_system, path_ + "/CURRENT").ok());
    manifest = *ReadFileToString(env_->file_system, path_ + "/CURRENT");
    manifest.pop_back();
    for (const size_t family : {0u, 1u}) ASSERT_OK(Put("a", "1", family));
    for (const size_t family : {0u, 1u}) ASSERT_OK(Flush(family));
    ASSERT_OK(Put("b", "2", 1));
    ASSERT_OK(Flush(1));

    auto file = env_->file_system->NewSequentialFile(path_ + "/" + manifest, FileOptions());
    ASSERT_TRUE(file.ok());
    LogReader reader(std::move(*file), nullptr, /*log_number=*/0);
    Slice record;
    std::string scratch;
    int with_minimum = 0;
    bool any_file = false;
    while (reader.ReadRecord(&record, &scratch, RecoveryMode::kTolerateCorruptedTail)) {
      VersionEdit edit;
      ASSERT_OK(edit.DecodeFrom(record));
      any_file = any_file || !edit.new_files.empty();
      if (!any_file || !edit.min_log_number_to_keep) continue;
      ++with_minimum;
      EXPECT_FALSE(edit.new_files.empty()) << atomic;
    }
    EXPECT_GE(with_minimum, 2) << atomic;
    CloseDb();
  }
}

}  // namespace
}  // namespace skarn
