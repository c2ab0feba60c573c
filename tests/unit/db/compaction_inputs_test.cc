#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "core/env/file_system_wrapper.h"
#include "tests/unit/db/db_test_base.h"

namespace skarn {
namespace {

class CompactionInputsTest : public DbTest {
 protected:
  void AddFile(const std::string& first, const std::string& last) {
    ASSERT_OK(Put(first, first));
    ASSERT_OK(Put(last, last));
    ASSERT_OK(Flush());
    ASSERT_OK(db_->WaitForCompact(WaitForCompactOptions()));
  }
  void SetLevelBase(const std::string& bytes) {
    ASSERT_OK(db_->SetOptions(cf(0), {{"max_bytes_for_level_base", bytes}}));
  }
};

// The two files of level 1 have nothing below them, but what lies below is between them: merged
// into one file they would overlap it.
TEST_F(CompactionInputsTest, FilesAreNotTakenAlongAcrossAFileBelow) {
  family_options_.num_levels = 3;
  family_options_.level0_file_num_compaction_trigger = 1;
  family_options_.level_compaction_dynamic_level_bytes = false;
  family_options_.max_bytes_for_level_base = 1;
  // No moves: level 2 is compressed otherwise than level 1.
  family_options_.compression_per_level = {CompressionType::kNone, CompressionType::kNone,
                                           CompressionType::kSnappy};
  Open();
  AddFile("c", "d");
  SetLevelBase("1000000");
  AddFile("a", "b");
  AddFile("e", "f");
  ASSERT_EQ(Levels(), "0,2,1");
  SetLevelBase("1");
  ASSERT_OK(db_->WaitForCompact(WaitForCompactOptions()));
  EXPECT_EQ(Scan(), "a->a b->b c->c d->d e->e f->f");
  EXPECT_OK(Put("g", "g"));
  EXPECT_OK(Flush());
}

// Nothing of level 1 overlaps one of the files of level 0, but it lies between them. They are not
// compressed as level 1 now is, and so are merged instead of moved.
TEST_F(CompactionInputsTest, FilesOfLevel0AreNotTakenTogetherAcrossAFileBelow) {
  family_options_.num_levels = 2;
  family_options_.level0_file_num_compaction_trigger = 1;
  family_options_.level_compaction_dynamic_level_bytes = false;
  Open();
  AddFile("m", "n");
  ASSERT_EQ(Levels(), "0,1");
  ASSERT_OK(db_->SetOptions(cf(0), {{"disable_auto_compactions", "true"}}));
  AddFile("a", "b");
  AddFile("y", "z");
  ASSERT_EQ(Levels(), "2,1");
  family_options_.compression = CompressionType::kSnappy;
  Open();
  EXPECT_OK(db_->WaitForCompact(WaitForCompactOptions()));
  EXPECT_EQ(Scan(), "a->a b->b m->m n->n y->y z->z");
  EXPECT_OK(Put("g", "g"));
  EXPECT_OK(Flush());
  EXPECT_OK(db_->WaitForCompact(WaitForCompactOptions()));
  EXPECT_EQ(Levels().substr(0, 1), "0");
}

// Counts the tables that are open for reading.
class OpenTablesFileSystem final : public FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  Result<std::unique_ptr<RandomAccessFile>> NewRandomAccessFile(
      const std::string& path, const FileOptions& options) override {
    auto file = target()->NewRandomAccessFile(path, options);
    if (!file.ok()) return file;
    return std::unique_ptr<RandomAccessFile>(new Counted(std::move(*file), &open));
  }
  std::atomic<int> open{0};

 private:
  class Counted final : public RandomAccessFile {
   public:
    Counted(std::unique_ptr<RandomAccessFile> target, std::atomic<int>* open)
        : target_(std::move(target)), open_(open) {
      ++*open_;
    }
    ~Counted() override { --*open_; }
    Status Read(uint64_t offset, size_t size, Slice* result, char* scratch) const override {
      return target_->Read(offset, size, result, scratch);
    }
    Slice Mapping() const override { return target_->Mapping(); }
    Result<uint64_t> Size() const override { return target_->Size(); }

   private:
    const std::unique_ptr<RandomAccessFile> target_;
    std::atomic<int>* const open_;
  };
};

// A job leaves the tables it made open for their first reader. Where only so many may be open,
// nobody need come before they are moved to another level, or gone: their space must be free then.
TEST_F(CompactionInputsTest, TablesThatAreGoneAreNotOpen) {
  FileSystem* const target = env_->file_system;
  OpenTablesFileSystem files(target);
  env_->file_system = &files;
  options_.max_open_files = 100;
  family_options_.disable_auto_compactions = true;
  Open();
  for (int round = 0; round < 4; ++round) {
    const std::string key = "k" + std::to_string(round);
    ASSERT_OK(Put(key, "v"));
    ASSERT_OK(Flush());
    ASSERT_OK(Compact());
    ASSERT_OK(Delete(key));
    ASSERT_OK(Flush());
    ASSERT_OK(Compact());
    ASSERT_OK(Put(key, "v"));
    ASSERT_OK(Flush());
    const Slice begin = key, end = key;
    const Slice* const from = &begin;
    const Slice* const to = &end;
    ASSERT_OK(db_->DeleteFilesInRanges(cf(0), &from, &to, 1, /*include_end=*/true));
    ASSERT_OK(Delete(key));
    ASSERT_OK(Flush());
    ASSERT_OK(Compact());
    EXPECT_EQ(Levels(), "");
    // The thread that flushed may still be giving back what it held.
    for (int i = 0; i < 1000 && files.open != 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_EQ(files.open, 0) << round;
  }
  CloseDb();
  env_->file_system = target;
}

}  // namespace
}  // namespace skarn
