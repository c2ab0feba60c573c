// Synced writes whose syncs overlap: nothing becomes visible or is acknowledged before it is
// durable, in the order of the log; one failure fails all that is under way; a power cut at any
// moment loses nothing that was acknowledged.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>

#include "core/base/random.h"
#include "core/batch/write_batch.h"
#include "core/db/logged_groups.h"
#include "core/env/crash_file_system.h"
#include "core/env/file_system_wrapper.h"
#include "tests/unit/db/db_test_base.h"
#include "tests/unit/test_seed.h"

namespace skarn {
namespace {

// A disk in memory, whose logs are synced as a test wants.
class SlowSyncFileSystem final : public FileSystemWrapper {
 public:
  SlowSyncFileSystem() : FileSystemWrapper(nullptr) { set_target(&disk); }

  // Called by each sync of a log through a handle: before, false: it fails; and when it has covered
  // what it will have made durable when it returns.
  std::function<bool()> on_sync = [] { return true; };
  std::function<void()> on_covered = [] {};
  // By other syncs of logs.
  std::function<void()> on_other_sync = [] {};
  std::atomic<int> overlapping_syncs{0};  // So many were begun through a handle.
  std::atomic<int> at_once{0}, at_once_max{0};
  CrashFileSystem disk;

  Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path,
                                                        const FileOptions& options) override {
    auto file = target()->NewWritableFile(path, options);
    if (!file.ok() || !Slice(path).EndsWith(".log")) return file;
    return std::unique_ptr<WritableFile>(std::make_unique<File>(this, std::move(*file), path));
  }

 private:
  class Handle final : public SyncHandle {
   public:
    Handle(SlowSyncFileSystem* fs, std::unique_ptr<SyncHandle> handle, const std::string& path)
        : fs_(fs), handle_(std::move(handle)), path_(path) {}
    Status Sync() override {
      ++fs_->overlapping_syncs;
      const int now = ++fs_->at_once;
      int most = fs_->at_once_max.load();
      while (most < now && !fs_->at_once_max.compare_exchange_weak(most, now)) {
      }
      Status s;
      if (fs_->on_sync()) {
        s = handle_->Sync();
        fs_->on_covered();
      } else {
        fs_->disk.FailSync(path_);
        s = Status::IoError("the disk said no");
        s.set_retryable(true);
      }
      --fs_->at_once;
      return s;
    }

   private:
    SlowSyncFileSystem* const fs_;
    const std::unique_ptr<SyncHandle> handle_;
    const std::string path_;
  };
  class File final : public WritableFile {
   public:
    File(SlowSyncFileSystem* fs, std::unique_ptr<WritableFile> file, std::string path)
        : fs_(fs), file_(std::move(file)), path_(std::move(path)) {}
    Status Append(Slice data) override { return file_->Append(data); }
    Status Truncate(uint64_t size) override { return file_->Truncate(size); }
    Status Close() override { return file_->Close(); }
    Status Flush() override { return file_->Flush(); }
    Status Sync() override {
      Status s = file_->Sync();
      fs_->on_other_sync();
      return s;
    }
    Result<std::unique_ptr<SyncHandle>> NewSyncHandle() override {
      auto handle = file_->NewSyncHandle();
      if (!handle.ok()) return handle;
      return std::unique_ptr<SyncHandle>(std::make_unique<Handle>(fs_, std::move(*handle), path_));
    }
    uint64_t Size() override { return file_->Size(); }
    Status GrowAhead(uint64_t end, size_t piece_bytes) override {
      return file_->GrowAhead(end, piece_bytes);
    }
    char* MapAhead(uint64_t offset, uint64_t end) override { return file_->MapAhead(offset, end); }
    Status Filled(uint64_t end) override { return file_->Filled(end); }

   private:
    SlowSyncFileSystem* const fs_;
    const std::unique_ptr<WritableFile> file_;
    const std::string path_;
  };
};

// Holds syncs until the test lets them go on.
class Gate {
 public:
  bool Pass() {
    std::unique_lock<std::mutex> lock(mu_);
    const int number = ++begun_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return all_ || outcomes_.count(number) != 0; });
    return all_ || outcomes_[number];
  }
  void AwaitBegun(int number) {
    std::unique_lock<std::mutex> lock(mu_);
    changed_.wait(lock, [&] { return begun_ >= number; });
  }
  void End(int number, bool succeeds) {
    const std::lock_guard<std::mutex> lock(mu_);
    outcomes_[number] = succeeds;
    changed_.notify_all();
  }
  void OpenForAll() {
    const std::lock_guard<std::mutex> lock(mu_);
    all_ = true;
    changed_.notify_all();
  }
  int begun() {
    const std::lock_guard<std::mutex> lock(mu_);
    return begun_;
  }

 private:
  std::mutex mu_;
  std::condition_variable changed_;
  int begun_ = 0;
  std::map<int, bool> outcomes_;
  bool all_ = false;
};

class OverlappedSyncTest : public DbTest {
 protected:
  OverlappedSyncTest() {
    slow_env_.file_system = &fs_;
    slow_env_.clock = SystemClock();
    slow_env_.thread_pool = SystemThreadPool();
    options_.env = &slow_env_;
    options_.max_bgerror_resume_count = 0;
  }
  ~OverlappedSyncTest() override {
    gate_.OpenForAll();
    writers_.clear();
    CloseDb();
  }

  struct BackgroundPut {
    std::thread thread;
    std::atomic<bool> returned{false};
    Status status;
    ~BackgroundPut() {
      if (thread.joinable()) thread.join();
    }
    const Status& Await() {
      thread.join();
      return status;
    }
  };
  // Returns when the write is in the log.
  BackgroundPut* StartPut(const std::string& key, bool sync) {
    const uint64_t before = LoggedBytes();
    writers_.push_back(std::make_unique<BackgroundPut>());
    BackgroundPut* const put = writers_.back().get();
    put->thread = std::thread([this, put, key, sync] {
      WriteOptions write;
      write.sync = sync;
      put->status = db_->Put(write, cf(0), key, Slice(), "value");
      put->returned.store(true);
    });
    while (LoggedBytes() == before) std::this_thread::yield();
    return put;
  }
  Status SyncedPut(const std::string& key, const std::string& value = "value") {
    WriteOptions write;
    write.sync = true;
    return db_->Put(write, cf(0), key, Slice(), value);
  }
  // Opens, and writes until syncs may overlap.
  void OpenWarm() {
    Open();
    for (int i = 0; i < 10 && fs_.overlapping_syncs == 0; ++i) {
      ASSERT_OK(SyncedPut("warm"));
    }
    ASSERT_GT(fs_.overlapping_syncs, 0);
    fs_.on_sync = [this] { return gate_.Pass(); };
  }
  // With three syncs under way, a synced and an unsynced write that wait for the next.
  void StartFive() {
    for (int i = 0; i < 3; ++i) {
      five_[i] = StartPut(std::string(1, static_cast<char>('a' + i)), /*sync=*/true);
      gate_.AwaitBegun(i + 1);
    }
    five_[3] = StartPut("d", /*sync=*/true);
    five_[4] = StartPut("e", /*sync=*/false);
  }
  std::string BackgroundErrors() {
    std::string count;
    EXPECT_TRUE(db_->GetProperty(cf(0), "rocksdb.background-errors", &count));
    return count;
  }
  std::string Visible() {
    std::string keys;
    for (const char* key : {"a", "b", "c", "d", "e"}) {
      if (Get(key) == "value") keys += key;
    }
    return keys;
  }

  SlowSyncFileSystem fs_;
  Env slow_env_;
  Gate gate_;
  std::vector<std::unique_ptr<BackgroundPut>> writers_;
  BackgroundPut* five_[5] = {};
};

TEST_F(OverlappedSyncTest, GroupsBecomeVisibleInTheOrderOfTheLogWhenTheyAreDurable) {
  OpenWarm();
  StartFive();
  EXPECT_EQ(fs_.at_once, 3);
  EXPECT_EQ(gate_.begun(), 3);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(Visible(), "");

  // The second ends first: what it covered is durable, the first group as well.
  gate_.End(2, true);
  EXPECT_OK(five_[1]->Await());
  EXPECT_EQ(Visible(), "ab");
  gate_.End(1, true);
  EXPECT_OK(five_[0]->Await());
  // One of those who wait begins a sync, which is about the others too.
  gate_.AwaitBegun(4);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(Visible(), "ab");
  // The unsynced write is not shown before what is before it in the log.
  EXPECT_FALSE(five_[4]->returned);

  gate_.End(4, true);
  EXPECT_OK(five_[3]->Await());
  EXPECT_OK(five_[4]->Await());
  EXPECT_EQ(Visible(), "abcde");
  EXPECT_EQ(gate_.begun(), 4);
  gate_.End(3, true);
  EXPECT_OK(five_[2]->Await());
}

TEST_F(OverlappedSyncTest, AFailureFailsAllThatIsUnderWay) {
  OpenWarm();
  StartFive();
  gate_.End(2, false);
  for (const int i : {1, 3, 4}) {
    const Status& status = five_[i]->Await();
    EXPECT_TRUE(status.IsIoError()) << i << status.ToString();
    // The database knew before.
    EXPECT_EQ(BackgroundErrors(), "1");
  }
  // Others had begun and succeed, but too late.
  gate_.End(1, true);
  gate_.End(3, true);
  EXPECT_TRUE(five_[0]->Await().IsIoError());
  EXPECT_TRUE(five_[2]->Await().IsIoError());
  EXPECT_EQ(Visible(), "");
  EXPECT_EQ(gate_.begun(), 3);
  EXPECT_FALSE(SyncedPut("late").ok());
  EXPECT_EQ(Get("late"), "NOT_FOUND");

  gate_.OpenForAll();
  ASSERT_OK(db_->Resume());
  EXPECT_OK(SyncedPut("after", "resume"));
  // What was acknowledged is there when the power goes, although the old log lost its end.
  const std::unique_ptr<CrashFileSystem> after = fs_.disk.AfterPowerCut(
      fs_.disk.OperationCount(), CrashFileSystem::Loss::kEverything, /*seed=*/1);
  CloseDb();
  slow_env_.file_system = after.get();
  Open();
  EXPECT_EQ(Get("warm"), "value");
  EXPECT_EQ(Get("after"), "resume");
  CloseDb();
}

TEST_F(OverlappedSyncTest, AFailureTakesNothingBackThatALaterSyncMadeDurable) {
  OpenWarm();
  StartFive();
  gate_.End(3, true);
  EXPECT_OK(five_[2]->Await());
  EXPECT_EQ(Visible(), "abc");
  gate_.End(2, false);
  EXPECT_OK(five_[1]->Await());
  EXPECT_EQ(BackgroundErrors(), "1");
  EXPECT_TRUE(five_[4]->Await().IsIoError());
  gate_.OpenForAll();
  EXPECT_OK(five_[0]->Await());
  EXPECT_TRUE(five_[3]->Await().IsIoError());
  EXPECT_FALSE(SyncedPut("late").ok());
  EXPECT_EQ(Visible(), "abc");
}

TEST_F(OverlappedSyncTest, SwitchingAMemtableWaitsForThem) {
  OpenWarm();
  StartFive();
  std::atomic<bool> flushed{false};
  std::thread flush([&] {
    EXPECT_OK(Flush());
    flushed = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(flushed);
  EXPECT_EQ(Levels(), "");
  gate_.OpenForAll();
  flush.join();
  for (BackgroundPut* put : five_) {
    EXPECT_OK(put->Await());
  }
  EXPECT_EQ(Visible(), "abcde");
  // All were before the switch in the log, so they are in the table, and the new log is empty.
  EXPECT_EQ(Levels(), "1");
  std::string entries;
  EXPECT_TRUE(db_->GetProperty(cf(0), "rocksdb.num-entries-active-mem-table", &entries));
  EXPECT_EQ(entries, "0");
}

TEST_F(OverlappedSyncTest, WritesWithoutALogComeBehindThem) {
  OpenWarm();
  StartFive();
  std::thread unlogged([&] {
    WriteOptions write;
    write.disable_wal = true;
    EXPECT_OK(db_->Put(write, cf(0), "a", Slice(), "newer"));
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(Get("a"), "NOT_FOUND");
  gate_.OpenForAll();
  unlogged.join();
  EXPECT_EQ(Get("a"), "newer");
}

// Threads write batches of all kinds; then the power goes at many moments.
TEST_F(OverlappedSyncTest, APowerCutAtAnyMomentLeavesAPrefixWithAllThatWasAcknowledged) {
  const uint64_t seed = TestSeed();
  printf("seed %llu\n", static_cast<unsigned long long>(seed));
  family_options_.write_buffer_size = 64 << 10;
  fs_.on_covered = [] { std::this_thread::sleep_for(std::chrono::microseconds(300)); };
  fs_.on_other_sync = [] { std::this_thread::sleep_for(std::chrono::microseconds(300)); };
  struct Written {
    std::string key, value;
    bool synced = false;
    size_t operations = 0;  // Of the disk when it was acknowledged.
  };
  std::map<SequenceNumber, Written> history;
  std::mutex history_mutex;
  Open();
  std::vector<std::thread> threads;
  for (int t = 0; t < 5; ++t) {
    threads.emplace_back([&, t] {
      Random random(seed + static_cast<uint64_t>(t));
      for (int i = 0; i < 120; ++i) {
        WriteOptions write;
        write.sync = !random.OneIn(4);
        Written written;
        written.key = "key" + std::to_string(t) + std::to_string(random.Uniform(3));
        written.value = std::to_string(i) + std::string(random.Uniform(900), 'v');
        written.synced = write.sync;
        WriteBatch batch;
        EXPECT_OK(batch.Put(0, written.key, written.value));
        EXPECT_OK(db_->Write(write, &batch));
        written.operations = fs_.disk.OperationCount();
        const std::lock_guard<std::mutex> lock(history_mutex);
        history[batch.sequence()] = written;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(fs_.at_once_max, 1);
  const size_t operations = fs_.disk.OperationCount();
  CloseDb();

  Random random(seed + 77);
  for (int cut = 0; cut < 60; ++cut) {
    const size_t kept = 1 + random.Uniform(operations);
    const auto loss = static_cast<CrashFileSystem::Loss>(random.Uniform(4));
    const std::unique_ptr<CrashFileSystem> after =
        fs_.disk.AfterPowerCut(kept, loss, random.Uniform(1000000));
    SequenceNumber promised = 0;
    for (const auto& [sequence, written] : history) {
      if (written.synced && written.operations <= kept) promised = sequence;
    }
    slow_env_.file_system = after.get();
    ASSERT_OK(TryOpen());
    std::map<std::string, std::string> found;
    std::unique_ptr<DbIterator> iterator = db_->NewIterator(ReadOptions(), cf(0));
    for (iterator->SeekToFirst(); iterator->valid(); iterator->Next()) {
      found[iterator->key().ToString()] = iterator->value().ToString();
    }
    iterator.reset();
    std::map<std::string, std::string> expected;
    bool is_prefix = promised == 0 && found.empty();
    for (const auto& [sequence, written] : history) {
      expected[written.key] = written.value;
      if (sequence >= promised && found == expected) is_prefix = true;
    }
    EXPECT_TRUE(is_prefix) << "cut " << cut << " behind operation " << kept << ", promised "
                           << promised << ", loss " << static_cast<int>(loss);
    CloseDb();
  }
}

// What a snapshot has not shown at first must not show later.
TEST_F(OverlappedSyncTest, SnapshotsStayAsTheyAreWhileWritesOfAllKindsGoOn) {
  family_options_.write_buffer_size = 64 << 10;
  fs_.on_covered = [] { std::this_thread::sleep_for(std::chrono::microseconds(200)); };
  Open();
  std::atomic<int> writing{6};
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      Random random(static_cast<uint64_t>(t) + 1);
      const std::string key = "key" + std::to_string(t);
      for (int i = 0; i < 250; ++i) {
        WriteOptions write;
        write.sync = random.Uniform(5) < 3;
        write.disable_wal = !write.sync && random.OneIn(4);
        const std::string value = std::to_string(i) + std::string(random.Uniform(600), 'v');
        EXPECT_OK(db_->Put(write, cf(0), key, Slice(), value));
        EXPECT_EQ(Get(key), value);
        if (t == 0 && i % 60 == 59) {
          EXPECT_OK(Flush());
        }
      }
      --writing;
    });
  }
  while (writing > 0) {
    const Snapshot* const snapshot = db_->GetSnapshot();
    std::string first, second;
    for (int t = 0; t < 6; ++t) first += Get("key" + std::to_string(t), 0, snapshot) + " ";
    std::this_thread::sleep_for(std::chrono::microseconds(300));
    for (int t = 0; t < 6; ++t) second += Get("key" + std::to_string(t), 0, snapshot) + " ";
    EXPECT_EQ(first, second);
    db_->ReleaseSnapshot(snapshot);
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(fs_.overlapping_syncs, 0);
}

// Two syncs at once that take `beside_us` where one takes `alone_us`, for each of `rounds` groups
// that may overlap; returns how many may.
int RoundsThatOverlap(uint64_t alone_us, uint64_t beside_us, int rounds) {
  CommitQueue queue{CommitQueue::Limits()};
  LoggedGroups groups;
  int overlapped = 0;
  for (int i = 0; i < rounds; ++i) {
    if (!groups.MayOverlap()) {
      groups.NoteAlone(alone_us);
      continue;
    }
    ++overlapped;
    Writer writers[2];
    LoggedGroup added[2];
    LoggedGroups::Work syncs[2];
    for (int k = 0; k < 2; ++k) {
      writers[k].sync = true;
      added[k].leader = added[k].last = &writers[k];
      added[k].sync = true;
      groups.Add(&added[k]);
      syncs[k] = groups.Next(&added[k]);
      EXPECT_EQ(syncs[k].kind, LoggedGroups::Work::Kind::kSync);
    }
    EXPECT_NE(syncs[0].handle, syncs[1].handle);
    for (int k = 0; k < 2; ++k) {
      groups.EndSync(syncs[k], Status::Ok(), beside_us);
      const LoggedGroups::Work commit = groups.Next(&added[k]);
      EXPECT_EQ(commit.kind, LoggedGroups::Work::Kind::kCommit);
      groups.EndCommit(commit, Status::Ok(), &queue);
      EXPECT_EQ(groups.Next(&added[k]).kind, LoggedGroups::Work::Kind::kNothing);
    }
  }
  EXPECT_TRUE(groups.none());
  return overlapped;
}

TEST(LoggedGroupsTest, SyncsOverlapWhereThatPays) {
  EXPECT_GT(RoundsThatOverlap(100, 120, 2000), 1900);
  // Sometimes it is tried, in case the disk has changed.
  const int tried = RoundsThatOverlap(100, 200, 2000);
  EXPECT_GT(tried, 0);
  EXPECT_LT(tried, 100);
}

// A disk that does one sync after the other, whatever is asked of it.
TEST_F(OverlappedSyncTest, ADiskThatCannotOverlapIsAskedForOneSyncForAll) {
  std::mutex one_at_a_time;
  const auto sync = [&one_at_a_time] {
    const std::lock_guard<std::mutex> lock(one_at_a_time);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  };
  fs_.on_covered = sync;
  std::atomic<int> other_syncs{0};
  fs_.on_other_sync = [&] {
    ++other_syncs;
    sync();
  };
  Open();
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        EXPECT_OK(SyncedPut("key" + std::to_string(t)));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(fs_.overlapping_syncs, 1);
  EXPECT_LT(fs_.overlapping_syncs, other_syncs);
}

}  // namespace
}  // namespace skarn
