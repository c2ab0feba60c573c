#include <algorithm>
#include <chrono>
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

class WalRecyclingTest : public DbTest {};

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

}  // namespace
}  // namespace skarn
