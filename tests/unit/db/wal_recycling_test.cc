#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/env/file_system_wrapper.h"
#include "tests/unit/db/db_test_base.h"

namespace skarn {
namespace {

// Has all obsolete files looked for, on another thread, just before a log is recycled.
class PurgingFileSystem final : public FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  Result<std::unique_ptr<WritableFile>> ReuseWritableFile(const std::string& path,
                                                          const std::string& old_path,
                                                          const FileOptions& options) override {
    ++reused;
    std::thread([this] {
      EXPECT_OK(database->DisableFileDeletions());
      EXPECT_OK(database->EnableFileDeletions());
    }).join();
    return FileSystemWrapper::ReuseWritableFile(path, old_path, options);
  }
  Db* database = nullptr;
  int reused = 0;
};

// Takes its time over deleting a log.
class SlowlyDeletingFileSystem final : public FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  Status DeleteFile(const std::string& path) override {
    if (Slice(path).EndsWith(".log")) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return FileSystemWrapper::DeleteFile(path);
  }
};

// Once asked to, holds the sync of a log until it is let go, and meanwhile notices who closes it.
class SyncHoldingFileSystem final : public FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path,
                                                        const FileOptions& options) override {
    auto file = FileSystemWrapper::NewWritableFile(path, options);
    if (!file.ok()) return file;
    if (Slice(path).EndsWith(".sst")) {
      while (hold && !inside) std::this_thread::yield();
    } else if (Slice(path).EndsWith(".log")) {
      *file = std::make_unique<Log>(this, std::move(*file));
    }
    return file;
  }
  std::atomic<bool> hold{false};
  std::atomic<bool> inside{false};
  std::atomic<bool> closed_inside{false};

 private:
  class Log final : public WritableFile {
   public:
    Log(SyncHoldingFileSystem* owner, std::unique_ptr<WritableFile> target)
        : owner_(owner), target_(std::move(target)) {}
    Status Append(Slice data) override { return target_->Append(data); }
    Status Flush() override { return target_->Flush(); }
    Status Sync() override {
      bool first = false;
      if (owner_->hold && owner_->inside.compare_exchange_strong(first, true)) {
        syncing_ = true;
        while (owner_->hold) std::this_thread::yield();
        syncing_ = false;
      }
      return target_->Sync();
    }
    Status Close() override {
      if (syncing_) {
        owner_->closed_inside = true;
        while (syncing_) std::this_thread::yield();
      }
      return target_->Close();
    }
    Status Truncate(uint64_t size) override { return target_->Truncate(size); }
    uint64_t Size() override { return target_->Size(); }

   private:
    SyncHoldingFileSystem* const owner_;
    const std::unique_ptr<WritableFile> target_;
    std::atomic<bool> syncing_{false};
  };
};

class WalRecyclingTest : public DbTest {};

// A synced write syncs the logs before the current one, too. When their memtables are in tables by
// then, they are purged: not while the sync is at work on them.
TEST_F(WalRecyclingTest, APurgeWaitsForASyncOfItsLogs) {
  FileSystem* const target = env_->file_system;
  SyncHoldingFileSystem file_system(target);
  env_->file_system = &file_system;
  Open();
  ASSERT_OK(Put("key", "old"));
  file_system.hold = true;
  FlushOptions flush;
  flush.wait = false;
  ASSERT_OK(db_->Flush(flush, {cf(0)}));
  std::thread writer([this] {
    WriteOptions synced;
    synced.sync = true;
    EXPECT_OK(db_->Put(synced, cf(0), "key", Slice(), "new"));
  });
  // The flush goes on when the sync has begun, and the purge comes behind it.
  while (Levels() != "1") std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_FALSE(file_system.closed_inside);
  file_system.hold = false;
  writer.join();
  EXPECT_EQ(Get("key"), "new");
  CloseDb();
  env_->file_system = target;
}

// Who waits until no flush runs, and then looks at the directory, finds no log that was flushed.
TEST_F(WalRecyclingTest, AFlushRunsUntilItsLogIsGone) {
  FileSystem* const target = env_->file_system;
  SlowlyDeletingFileSystem file_system(target);
  env_->file_system = &file_system;
  Open();
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK(Put("key", std::to_string(i)));
    ASSERT_OK(Flush());
    for (uint64_t running = 1; running != 0;) {
      ASSERT_TRUE(db_->GetIntProperty(cf(0), "rocksdb.num-running-flushes", &running));
    }
    std::vector<std::string> names;
    ASSERT_OK(target->GetChildren(path_, &names));
    EXPECT_EQ(std::count_if(names.begin(), names.end(),
                            [](const std::string& name) { return Slice(name).EndsWith(".log"); }),
              1);
  }
  CloseDb();
  env_->file_system = target;
}

// The log to recycle is neither alive nor in the list of spare ones while it is renamed.
TEST_F(WalRecyclingTest, APurgeLeavesTheLogThatIsBeingRecycled) {
  FileSystem* const target = env_->file_system;
  PurgingFileSystem file_system(target);
  env_->file_system = &file_system;
  options_.recycle_log_file_num = 2;
  options_.delete_obsolete_files_period_micros = 0;
  Open();
  file_system.database = db_.get();
  for (int i = 0; i < 8; ++i) {
    ASSERT_OK(Put("key", std::to_string(i)));
    ASSERT_OK(Flush());
  }
  EXPECT_GT(file_system.reused, 0);
  EXPECT_EQ(Get("key"), "7");
  CloseDb();
  env_->file_system = target;
}

// A clean close leaves nothing of a log's former life that the strictest recovery could stumble
// over.
TEST_F(WalRecyclingTest, ACloseCutsOffWhatIsLeftOfTheFormerLog) {
  options_.recycle_log_file_num = 2;
  Open();
  for (int i = 0; i < 6; ++i) {
    ASSERT_OK(Put("key", std::string(100, 'x')));
    ASSERT_OK(Flush());
  }
  ASSERT_OK(Put("key", std::string(50, 'y')));
  CloseDb();
  options_.wal_recovery_mode = WalRecoveryMode::kAbsoluteConsistency;
  options_.recycle_log_file_num = 0;
  Open();
  EXPECT_EQ(Get("key"), std::string(50, 'y'));
}

}  // namespace
}  // namespace skarn
