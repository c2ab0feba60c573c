// File operations that fail: the error is told, nothing acknowledged is lost, and the
// database works again when the fault has passed.

#include <atomic>
#include <chrono>
#include <set>
#include <thread>

#include "core/batch/write_batch.h"
#include "core/env/fault_file_system.h"
#include "tests/unit/db/db_test_base.h"

namespace skarn {
namespace {

class FaultTest : public DbTest {
 protected:
  FaultTest() : memory_(NewMemoryFileSystem()), faults_(memory_.get()) {
    faulty_env_.file_system = &faults_;
    faulty_env_.clock = SystemClock();
    faulty_env_.thread_pool = SystemThreadPool();
    options_.env = &faulty_env_;
    family_options_.level0_file_num_compaction_trigger = 2;
    options_.max_bgerror_resume_count = 0;  // Tests resume by hand.
  }
  ~FaultTest() override { CloseDb(); }

  // A history of writes with flushes and a compaction. Puts acknowledged keys into `*kept`.
  Status Workload(std::map<std::string, std::string>* kept) {
    for (int i = 0; i < 12; ++i) {
      const std::string key = "key" + std::to_string(i % 5), value = std::to_string(i);
      WriteOptions write;
      write.sync = i % 3 == 0;
      if (Status s = db_->Put(write, cf(0), key, Slice(), value); !s.ok()) return s;
      (*kept)[key] = value;
      if (i % 4 == 3) {
        if (Status s = Flush(); !s.ok()) return s;
      }
    }
    return Compact();
  }
  void CheckKept(const std::map<std::string, std::string>& kept) {
    for (const auto& entry : kept) {
      const std::string found = Get(entry.first);
      // A write that failed may have happened all the same, but never an older one instead.
      ASSERT_GE(atoi(found.c_str()), atoi(entry.second.c_str())) << entry.first << " " << found;
      ASSERT_NE(found, "NOT_FOUND") << entry.first;
    }
  }

  std::unique_ptr<FileSystem> memory_;
  FaultFileSystem faults_;
  Env faulty_env_;
};

// Fails each call of the workload in turn, once and for good.
TEST_F(FaultTest, NoCallThatFailsLosesWhatWasAcknowledged) {
  uint64_t total = 0;
  {
    Open();
    const uint64_t before = faults_.calls(FaultFileSystem::kAnyWrite);
    std::map<std::string, std::string> kept;
    ASSERT_OK(Workload(&kept));
    total = faults_.calls(FaultFileSystem::kAnyWrite) - before;
    CloseDb();
  }
  ASSERT_GT(total, 30u);
  int soft = 0, reopened = 0;
  for (const bool forever : {false, true}) {
    for (const int error_number : {EIO, ENOSPC}) {
      for (uint64_t nth = 1; nth <= total; ++nth) {
        SCOPED_TRACE("call " + std::to_string(nth) + (forever ? " and all later ones" : "") +
                     " error " + std::to_string(error_number));
        path_ = "/db" + std::to_string(nth) + (forever ? "f" : "o") + std::to_string(error_number);
        Open();
        FaultFileSystem::Plan plan;
        plan.kinds = FaultFileSystem::kAnyWrite;
        plan.path_contains = path_;
        plan.nth = nth;
        plan.forever = forever;
        plan.error_number = error_number;
        plan.partial_bytes = nth % 7;
        plan.retryable = error_number == ENOSPC;
        faults_.Arm(plan);
        std::map<std::string, std::string> kept;
        const Status status = Workload(&kept);
        faults_.Disarm();
        if (!status.ok()) {
          EXPECT_TRUE(status.IsIoError()) << status.ToString();
        }
        // Reads go on, whatever happened.
        CheckKept(kept);
        if (HasFatalFailure()) return;
        if (!status.ok() && db_->Resume().ok()) {
          ++soft;
          ASSERT_OK(Put("after", "1"));
          ASSERT_OK(Flush());
          CheckKept(kept);
          if (HasFatalFailure()) return;
        }
        ++reopened;
        Open();
        CheckKept(kept);
        if (HasFatalFailure()) return;
        ASSERT_OK(Put("after", "2"));
      }
    }
  }
  printf("%d runs, %d resumed without reopening\n", reopened, soft);
  EXPECT_GT(soft, 0);
}

// The family is gone for good; the error says that only the file of options is behind.
TEST_F(FaultTest, DroppingAFamilyTellsWhenOnlyTheOptionsFileFails) {
  Open();
  auto created = db_->CreateColumnFamily(family_options_, "temporary");
  ASSERT_TRUE(created.ok());
  FaultFileSystem::Plan plan;
  plan.kinds = FaultFileSystem::kAppend;
  plan.path_contains = "OPTIONS";
  faults_.Arm(plan);
  const std::string text = db_->DropColumnFamily(created->get()).ToString();
  faults_.Disarm();
  EXPECT_EQ(text.rfind("IO error: Unable to persist options.: IO error: ", 0), 0u) << text;
  created->reset();
  const auto names = Db::ListColumnFamilies(options_, path_);
  ASSERT_TRUE(names.ok());
  EXPECT_EQ(*names, std::vector<std::string>{"default"});
  EXPECT_OK(Put("after", "1"));
}

TEST_F(FaultTest, OpeningFailsCleanlyAtEveryCall) {
  Open();
  ASSERT_OK(Put("a", "1"));
  ASSERT_OK(Flush());
  ASSERT_OK(Put("b", "1"));
  CloseDb();
  uint64_t nth = 1;
  for (bool failed = true; failed; ++nth) {
    SCOPED_TRACE("call " + std::to_string(nth));
    const uint64_t before = faults_.failures();
    FaultFileSystem::Plan plan;
    plan.nth = nth;
    faults_.Arm(plan);
    const Status status = TryOpen();
    failed = faults_.failures() > before;
    CloseDb();
    faults_.Disarm();
    ASSERT_OK(TryOpen());
    ASSERT_EQ(Scan(), "a->1 b->1");
    ASSERT_LT(nth, 2000u);
  }
  printf("%llu calls failed\n", static_cast<unsigned long long>(nth));
}

TEST_F(FaultTest, AFailedLogWriteStopsWritesUntilReopened) {
  Open();
  ASSERT_OK(Put("a", "1"));
  FaultFileSystem::Plan plan;
  plan.kinds = FaultFileSystem::kAppend;
  plan.path_contains = ".log";
  faults_.Arm(plan);
  const Status first = Put("b", "1");
  EXPECT_TRUE(first.IsIoError()) << first.ToString();
  faults_.Disarm();
  EXPECT_EQ(Put("c", "1").ToString(), first.ToString());
  EXPECT_EQ(Flush().ToString(), first.ToString());
  EXPECT_EQ(db_->Resume().ToString(), first.ToString());  // A plain EIO is fatal.
  EXPECT_EQ(Get("a"), "1");
  Open();
  EXPECT_EQ(Get("a"), "1");
  ASSERT_OK(Put("c", "1"));
}

// With nothing to flush, the log in doubt stayed needed: the next recovery stopped where it breaks
// off, before what was written after resuming.
TEST_F(FaultTest, ResumingForgetsALogThatBreaksOff) {
  for (const size_t partial_bytes : {0, 5, 30}) {
    path_ = "/db" + std::to_string(partial_bytes);
    Open();
    FaultFileSystem::Plan plan;
    plan.kinds = FaultFileSystem::kAppend;
    plan.path_contains = ".log";
    plan.error_number = ENOSPC;
    plan.partial_bytes = partial_bytes;
    plan.retryable = true;
    faults_.Arm(plan);
    EXPECT_FALSE(Put("a", "1").ok());
    faults_.Disarm();
    ASSERT_OK(db_->Resume());
    ASSERT_OK(Put("b", "2"));
    Open();
    EXPECT_EQ(Get("b"), "2");
  }
}

// Closing the log that had failed told its old error to the first sync after resuming.
TEST_F(FaultTest, ASyncAfterResumingSucceeds) {
  Open();
  ASSERT_OK(Put("a", "1"));
  FaultFileSystem::Plan plan;
  plan.kinds = FaultFileSystem::kAppend;
  plan.path_contains = ".log";
  plan.error_number = ENOSPC;
  plan.retryable = true;
  faults_.Arm(plan);
  EXPECT_FALSE(Put("a", "2").ok());
  faults_.Disarm();
  ASSERT_OK(db_->Resume());
  WriteOptions synced;
  synced.sync = true;
  ASSERT_OK(db_->Put(synced, cf(0), "a", Slice(), "3"));
  ASSERT_OK(db_->SyncWal());
  EXPECT_EQ(Get("a"), "3");
}

TEST_F(FaultTest, WritesGoOnByThemselvesWhenSpaceIsBack) {
  options_.max_bgerror_resume_count = 1000;
  options_.bgerror_resume_retry_interval = 10000;
  Open();
  ASSERT_OK(Put("a", "1"));
  FaultFileSystem::Plan plan;
  plan.kinds = FaultFileSystem::kAppend;
  plan.error_number = ENOSPC;
  plan.forever = true;
  faults_.Arm(plan);
  EXPECT_FALSE(Flush().ok());
  EXPECT_FALSE(Put("b", "1").ok());
  faults_.Disarm();
  Status status = Put("c", "1");
  for (int i = 0; i < 500 && !status.ok(); ++i) {
    SystemClock()->SleepMicros(10000);
    status = Put("c", "1");
  }
  EXPECT_OK(status);
  EXPECT_EQ(Get("a"), "1");
  Open();
  EXPECT_EQ(Get("a"), "1");
  EXPECT_EQ(Get("c"), "1");
}

// A disk whose tables can be held up while they are written.
class HeldUpFileSystem final : public FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path,
                                                        const FileOptions& options) override {
    if (Slice(path).EndsWith(".sst") && hold) {
      held = true;
      while (hold) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return Status::IoErrorFromErrno("While open a file for appending", path, ENOSPC);
    }
    return FileSystemWrapper::NewWritableFile(path, options);
  }
  std::atomic<bool> hold{false}, held{false};
};

// What a flush that began earlier says of a full disk is no answer to Resume().
TEST_F(FaultTest, ResumingIsNotAnsweredByAFlushThatBeganBefore) {
  HeldUpFileSystem disk(&faults_);
  faulty_env_.file_system = &disk;
  Open();
  ASSERT_OK(Put("a", "1"));
  disk.hold = true;
  std::thread flushing([this] { EXPECT_FALSE(Flush().ok()); });
  while (!disk.held) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  FaultFileSystem::Plan plan;
  plan.kinds = FaultFileSystem::kSync;
  plan.path_contains = ".log";
  plan.error_number = ENOSPC;
  plan.retryable = true;
  faults_.Arm(plan);
  WriteOptions synced;
  synced.sync = true;
  EXPECT_TRUE(db_->Put(synced, cf(0), "b", Slice(), "2").IsNoSpace());
  faults_.Disarm();
  std::thread resuming([this] { EXPECT_OK(db_->Resume()); });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  disk.hold = false;
  resuming.join();
  flushing.join();
  ASSERT_OK(Put("c", "3"));
  EXPECT_EQ(Get("a"), "1");
  CloseDb();
  faulty_env_.file_system = &faults_;
}

// A group of families whose flush fails and is tried again is a group still.
TEST_F(FaultTest, AnAtomicFlushIsAtomicTheSecondTimeToo) {
  options_.atomic_flush = true;
  options_.create_missing_column_families = true;
  Open({"default", "second"});
  WriteOptions unlogged;
  unlogged.disable_wal = true;
  for (size_t family : {0, 1}) {
    ASSERT_OK(db_->Put(unlogged, cf(family), "key", Slice(), "value"));
  }
  FaultFileSystem::Plan first;
  first.kinds = FaultFileSystem::kOpenForWriting;
  first.path_contains = ".sst";
  first.retryable = true;
  faults_.Arm(first);
  FaultFileSystem::Plan second_record;
  second_record.kinds = FaultFileSystem::kSync;
  second_record.path_contains = "MANIFEST";
  second_record.nth = 2;
  second_record.forever = true;
  faults_.Arm(second_record);
  const uint64_t failures = faults_.failures();
  (void)Flush();
  std::string unflushed = "1";
  for (int i = 0; i < 500 && unflushed != "0"; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ASSERT_TRUE(db_->GetProperty(cf(0), "rocksdb.num-immutable-mem-table", &unflushed));
  }
  EXPECT_EQ(unflushed, "0");
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(faults_.failures(), failures + 1);
  CloseDb();
  faults_.Disarm();
  Open({"default", "second"});
  EXPECT_EQ(Get("key", 0), "value");
  EXPECT_EQ(Get("key", 1), "value");
}

// A log that cannot be written while its files are listed is no less broken for that.
TEST_F(FaultTest, ALogThatFailsForACheckpointStopsWrites) {
  options_.manual_wal_flush = true;
  Open();
  ASSERT_OK(Put("a", "1"));
  FaultFileSystem::Plan plan;
  plan.kinds = FaultFileSystem::kAppend;
  plan.path_contains = ".log";
  faults_.Arm(plan);
  LiveFiles live;
  const Status failed = db_->GetLiveFiles(UINT64_MAX, &live);
  EXPECT_TRUE(failed.IsIoError()) << failed.ToString();
  faults_.Disarm();
  EXPECT_EQ(db_->Resume().ToString(), failed.ToString());
  EXPECT_EQ(Put("b", "2").ToString(), failed.ToString());
}

}  // namespace
}  // namespace skarn
