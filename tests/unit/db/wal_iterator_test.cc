#include <chrono>
#include <string>
#include <thread>

#include "core/env/file_system_wrapper.h"
#include "core/version/file_names.h"
#include "tests/unit/db/db_test_base.h"

namespace skarn {
namespace {

// Moves a log to the archive after the first of two directories has been listed.
class ArchivingFileSystem final : public FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  Status GetChildren(const std::string& directory, std::vector<std::string>* names) override {
    Status status = FileSystemWrapper::GetChildren(directory, names);
    if (armed) {
      armed = false;
      EXPECT_OK(RenameFile(from, to));
    }
    return status;
  }
  bool armed = false;
  std::string from, to;
};

class WalIteratorTest : public DbTest {};

// Takes its time over deleting a log.
class SlowlyDeletingFileSystem final : public FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  Status DeleteFile(const std::string& path) override {
    if (Slice(path).EndsWith(".log")) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    return FileSystemWrapper::DeleteFile(path);
  }
};

// Large logs that opening has replayed are deleted soon after: an iterator that began with one of
// them found the next one gone.
TEST_F(WalIteratorTest, LogsThatOpeningHasLeftToBeDeletedAreNotShown) {
  FileSystem* const target = env_->file_system;
  SlowlyDeletingFileSystem file_system(target);
  env_->file_system = &file_system;
  family_options_.write_buffer_size = 2 << 20;
  family_options_.max_write_buffer_number = 10;
  options_.avoid_flush_during_shutdown = true;
  Open();
  ASSERT_OK(db_->PauseBackgroundWork());
  for (int i = 0; i < 8; ++i) ASSERT_OK(Put("k" + std::to_string(i), std::string(1 << 20, 'v')));
  ASSERT_GT(FilesEndingWith(".log").size(), 2u);
  Open();
  std::unique_ptr<WalIterator> iterator;
  ASSERT_OK(db_->GetUpdatesSince(1, &iterator));
  EXPECT_FALSE(iterator->Valid());
  EXPECT_OK(iterator->status());
  iterator.reset();
  CloseDb();
  env_->file_system = target;
}

// A log that is archived between the two listings must be found in one of them.
TEST_F(WalIteratorTest, ALogThatIsArchivedMeanwhileIsNotMissed) {
  FileSystem* const target = env_->file_system;
  ArchivingFileSystem file_system(target);
  env_->file_system = &file_system;
  Open();
  ASSERT_OK(db_->DisableFileDeletions());  // Obsolete logs stay until the test moves one.
  ASSERT_OK(Put("a", "1"));
  ASSERT_OK(Flush());
  ASSERT_OK(Put("b", "2"));
  const std::vector<std::string> logs = FilesEndingWith(".log");
  ASSERT_EQ(logs.size(), 2u);
  ASSERT_OK(target->CreateDirIfMissing(ArchiveDirectory(path_)));
  file_system.from = path_ + "/" + logs[0];
  file_system.to = ArchiveDirectory(path_) + "/" + logs[0];
  file_system.armed = true;
  std::unique_ptr<WalIterator> iterator;
  ASSERT_OK(db_->GetUpdatesSince(1, &iterator));
  int batches = 0;
  for (; iterator->Valid(); iterator->Next()) ++batches;
  EXPECT_EQ(batches, 2) << iterator->status().ToString();
  iterator.reset();
  CloseDb();
  env_->file_system = target;
}

// The log ends with zeroes that later writes replace.
TEST_F(WalIteratorTest, GoesOnInALogThatIsFilledThroughMemory) {
  Open();
  for (int i = 0; i < 20; ++i) ASSERT_OK(Put("key", "1"));
  std::unique_ptr<WalIterator> iterator;
  ASSERT_OK(db_->GetUpdatesSince(1, &iterator));
  SequenceNumber expected = 1;
  for (int i = 0; i < 2000; ++i) {
    while (iterator->Valid()) {
      SequenceNumber sequence = 0;
      (void)iterator->Batch(&sequence);
      ASSERT_EQ(sequence, expected);
      ++expected;
      iterator->Next();
    }
    ASSERT_OK(iterator->status());
    ASSERT_EQ(expected, db_->LatestSequence() + 1);
    ASSERT_OK(Put("key", std::string(static_cast<size_t>(i % 300), 'x')));
    if (i % 500 == 499) {
      ASSERT_OK(db_->SyncWal());
    }
    iterator->Next();
  }
}

}  // namespace
}  // namespace skarn
