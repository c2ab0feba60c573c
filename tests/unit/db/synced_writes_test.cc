// Threads that write with sync, beside others, on a disk whose syncs take their time.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/base/random.h"
#include "core/batch/write_batch.h"
#include "core/env/crash_file_system.h"
#include "core/env/file_system_wrapper.h"
#include "core/env/thread_pool.h"
#include "tests/unit/db/db_test_base.h"
#include "tests/unit/test_seed.h"

namespace skarn {
namespace {

class SlowSyncFileSystem final : public FileSystemWrapper {
 public:
  SlowSyncFileSystem() : FileSystemWrapper(nullptr) { set_target(&disk); }

  CrashFileSystem disk;

  Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path,
                                                        const FileOptions& options) override {
    auto file = target()->NewWritableFile(path, options);
    if (!file.ok() || !Slice(path).EndsWith(".log")) return file;
    return std::unique_ptr<WritableFile>(std::make_unique<File>(std::move(*file)));
  }

 private:
  class File final : public WritableFile {
   public:
    explicit File(std::unique_ptr<WritableFile> file) : file_(std::move(file)) {}
    Status Append(Slice data) override { return file_->Append(data); }
    Status Truncate(uint64_t size) override { return file_->Truncate(size); }
    Status Close() override { return file_->Close(); }
    Status Flush() override { return file_->Flush(); }
    Status Sync() override {
      Status s = file_->Sync();
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      return s;
    }
    uint64_t Size() override { return file_->Size(); }
    Status GrowAhead(uint64_t end, size_t piece_bytes) override {
      return file_->GrowAhead(end, piece_bytes);
    }
    char* MapAhead(uint64_t offset, uint64_t end) override { return file_->MapAhead(offset, end); }
    Status Filled(uint64_t end) override { return file_->Filled(end); }

   private:
    const std::unique_ptr<WritableFile> file_;
  };
};

class SyncedWritesTest : public DbTest {
 protected:
  SyncedWritesTest() {
    slow_env_.file_system = &fs_;
    slow_env_.clock = SystemClock();
    slow_env_.thread_pool = SystemThreadPool();
    options_.env = &slow_env_;
  }
  ~SyncedWritesTest() override { CloseDb(); }

  SlowSyncFileSystem fs_;
  Env slow_env_;
};

// Threads write batches of all kinds; then the power goes at many moments.
TEST_F(SyncedWritesTest, APowerCutAtAnyMomentLeavesAPrefixWithAllThatWasAcknowledged) {
  const uint64_t seed = TestSeed();
  printf("seed %llu\n", static_cast<unsigned long long>(seed));
  family_options_.write_buffer_size = 64 << 10;
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
TEST_F(SyncedWritesTest, SnapshotsStayAsTheyAreWhileWritesOfAllKindsGoOn) {
  family_options_.write_buffer_size = 64 << 10;
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
}

}  // namespace
}  // namespace skarn
