// Bugs of what happens after the file system failed.

#include "tests/bugs/known_bugs.h"

namespace skarn {
namespace {

using Fault = FaultFileSystem;

TEST_F(KnownBugs, Row24AFlushThatFailedIsRepeatedInOrder) {
  family_options_.max_write_buffer_number = 6;
  Open();
  for (const int error_number : {ENOSPC, EIO}) {
    ASSERT_OK(Put("k", "oldest"));
    FailNext(Fault::kAppend, ".sst", error_number, /*forever=*/false, /*retryable=*/true);
    FlushOptions no_wait;
    no_wait.wait = false;
    ASSERT_OK(db_->Flush(no_wait, {cf(0)}));
    // Newer memtables join while the first one fails.
    Status put = Put("k", "newer");
    const Status flush = put.ok() ? db_->Flush(no_wait, {cf(0)}) : put;
    const bool newer = put.ok();
    const Status failed = Flush();
    faults_->Disarm();
    if (!failed.ok()) ASSERT_OK(db_->Resume());
    ASSERT_OK(Flush());
    EXPECT_EQ(Get("k"), newer ? "newer" : "oldest");
    ASSERT_OK(CompactAll());
    EXPECT_EQ(Get("k"), newer ? "newer" : "oldest");
    Open();
    EXPECT_EQ(Get("k"), newer ? "newer" : "oldest");
  }
}

// The read at offset 0 of a file below level 0 fails: nothing may be left out in silence.
TEST_F(KnownBugs, Row28AReadErrorAtTheStartOfAFileIsTold) {
  family_options_.disable_auto_compactions = true;
  family_options_.target_file_size_base = 2 << 10;
  // Not read when they are opened, and not kept.
  options_.max_open_files = 12;
  TableOptions& table = family_options_.table_factory.block_based;
  table.no_block_cache = true;
  Open();
  for (int i = 0; i < 200; ++i) {
    ASSERT_OK(Put("key" + std::to_string(1000 + i), std::string(100, 'v')));
  }
  ASSERT_OK(Flush());
  ASSERT_OK(CompactAll());
  const std::string all = Scan();
  ASSERT_GT(FilesOnDisk(".sst").size(), 3u);
  for (const std::string& name : FilesOnDisk(".sst")) {
    for (const uint32_t kinds : {Fault::kRead, Fault::kOpenForReading}) {
      Open();
      FailNext(kinds, name, EIO, /*forever=*/true);
      auto iterator = db_->NewIterator(ReadOptions(), cf(0));
      int forward = 0;
      for (iterator->SeekToFirst(); iterator->valid(); iterator->Next()) ++forward;
      EXPECT_TRUE(iterator->status().IsIoError() || forward == 200)
          << name << ": " << forward << " keys, " << iterator->status().ToString();
      int backward = 0;
      for (iterator->SeekToLast(); iterator->valid(); iterator->Prev()) ++backward;
      EXPECT_TRUE(iterator->status().IsIoError() || backward == 200);
      iterator.reset();
      const Status compacted = CompactAll();
      faults_->Disarm();
      Open();
      EXPECT_TRUE(Scan() == all) << name << " after " << compacted.ToString();
    }
  }
}

TEST_F(KnownBugs, Row29AReadErrorBesideRangeDeletionsBringsNothingBack) {
  family_options_.disable_auto_compactions = true;
  options_.max_open_files = 12;
  family_options_.table_factory.block_based.no_block_cache = true;
  Open();
  for (int i = 0; i < 100; ++i) ASSERT_OK(Put("key" + std::to_string(100 + i), "v"));
  ASSERT_OK(Flush());
  ASSERT_OK(DeleteRange("key120", "key180"));
  ASSERT_OK(Put("key200", "v"));
  ASSERT_OK(Flush());
  ASSERT_EQ(Get("key150"), "NOT_FOUND");
  const std::string newest = FilesOnDisk(".sst").back();
  for (uint64_t nth = 1; nth < 12; ++nth) {
    Open();
    Fault::Plan plan;
    plan.kinds = Fault::kRead | Fault::kOpenForReading;
    plan.path_contains = newest;
    plan.nth = nth;
    plan.forever = true;
    faults_->Arm(plan);
    const std::string found = Get("key150");
    EXPECT_TRUE(found == "NOT_FOUND" || found.find("IO error") == 0) << found;
    const auto iterator = db_->NewIterator(ReadOptions(), cf(0));
    for (iterator->SeekToFirst(); iterator->valid(); iterator->Next()) {
      const std::string key = iterator->key().ToString();
      EXPECT_TRUE(key < "key120" || key >= "key180") << key << " is back, call " << nth;
    }
    for (iterator->Seek("key110"); iterator->valid(); iterator->Next()) {
      const std::string key = iterator->key().ToString();
      EXPECT_TRUE(key < "key120" || key >= "key180") << key << " is back, call " << nth;
    }
    faults_->Disarm();
  }
}

TEST_F(KnownBugs, Row39AFailedLogFlushByHandLeavesFamiliesConsistent) {
  options_.manual_wal_flush = true;
  for (const int error_number : {EIO, ENOSPC}) {
    for (const bool sync : {false, true}) {
      path_ = "/db" + std::to_string(error_number) + (sync ? "s" : "f");
      Open({"default", "second"});
      const auto both = [this](int i) {
        WriteBatch batch;
        EXPECT_OK(batch.Put(cf(0)->id(), "count", std::to_string(i)));
        EXPECT_OK(batch.Put(cf(1)->id(), "count", std::to_string(i)));
        return db_->Write(write_, &batch);
      };
      ASSERT_OK(both(1));
      ASSERT_OK(db_->FlushWal(/*sync=*/true));
      ASSERT_OK(both(2));
      FailNext(sync ? Fault::kSync : Fault::kAppend, ".log", error_number, false,
               error_number == ENOSPC);
      EXPECT_FALSE(db_->FlushWal(/*sync=*/true).ok());
      faults_->Disarm();
      const Status resumed = db_->Resume();
      if (resumed.ok()) {
        ASSERT_OK(both(3));
        ASSERT_OK(db_->FlushWal(/*sync=*/true));
      } else {
        EXPECT_EQ(both(3).ToString(), resumed.ToString());
      }
      CutPower(Loss::kEverything);
      Open({"default", "second"});
      const std::string count = Get("count", 0);
      EXPECT_EQ(count, Get("count", 1));
      EXPECT_GE(count, resumed.ok() ? "3" : "1");
    }
  }
}

TEST_F(KnownBugs, Row49SequenceNumbersGoOnAfterABackgroundErrorWithTwoQueues) {
  options_.two_write_queues = true;
  Open();
  ASSERT_OK(Put("k", "1"));
  FailNext(Fault::kSync, ".log", ENOSPC, false, /*retryable=*/true);
  EXPECT_FALSE(PutSynced("k", "2").ok());
  faults_->Disarm();
  const SequenceNumber before = db_->LatestSequence();
  ASSERT_OK(db_->Resume());
  EXPECT_GE(db_->LatestSequence(), before);
  ASSERT_OK(Put("k", "3"));
  const SequenceNumber after = db_->LatestSequence();
  EXPECT_GT(after, before);
  ASSERT_OK(db_->SyncWal());
  CutPower(Loss::kEverything);
  Open();
  EXPECT_GE(db_->LatestSequence(), after);
  EXPECT_EQ(Get("k"), "3");
  ASSERT_OK(Put("k", "4"));
  EXPECT_EQ(Get("k"), "4");
}

TEST_F(KnownBugs, Row56WritesGoOnWhenADiskThatWasFullHasSpaceAgain) {
  Open({"default", "second"});
  for (const uint32_t kinds : {Fault::kAppend, Fault::kSync, Fault::kOpenForWriting}) {
    ASSERT_OK(Put("a", "before"));
    ASSERT_OK(Put("b", "before", 1));
    FailNext(kinds, "", ENOSPC, /*forever=*/true, /*retryable=*/true);
    EXPECT_FALSE(Flush().ok());
    const Status refused = PutSynced("a", "refused");
    EXPECT_TRUE(refused.IsNoSpace()) << refused.ToString();
    EXPECT_FALSE(db_->Resume().ok());
    EXPECT_EQ(Get("a"), "before");
    faults_->Disarm();
    ASSERT_OK(db_->Resume());
    // It "succeeds" and writes do go on.
    ASSERT_OK(PutSynced("a", "after"));
    ASSERT_OK(Flush());
    ASSERT_OK(Flush(1));
    EXPECT_EQ(Get("a"), "after");
    EXPECT_EQ(Get("b", 1), "before");
    CutPower(Loss::kEverything);
    Open({"default", "second"});
    EXPECT_EQ(Get("a"), "after");
    EXPECT_EQ(Get("b", 1), "before");
  }
}

}  // namespace
}  // namespace skarn
