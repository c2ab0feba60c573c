// What opening a database leaves for later, and what it does not write again.

#include <atomic>
#include <cerrno>
#include <thread>

#include "core/env/fault_file_system.h"
#include "core/env/file_system_wrapper.h"
#include "core/plugin/filter_policy.h"
#include "core/version/file_names.h"
#include "tests/corruption/mapping_file_system.h"
#include "tests/unit/db/db_test_base.h"

namespace skarn {
namespace {

// Counts OPTIONS files that are written rather than linked.
class CountingFileSystem : public FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path,
                                                        const FileOptions& options) override {
    if (path.find("/OPTIONS-") != std::string::npos) ++options_files;
    return FileSystemWrapper::NewWritableFile(path, options);
  }
  int options_files = 0;
};

class OpenTest : public DbTest {
 protected:
  OpenTest() : faults_(env_->file_system), counting_(&faults_), mapping_(&counting_) {
    outer_.file_system = &mapping_;
    outer_.clock = env_->clock;
    outer_.thread_pool = env_->thread_pool;
    options_.env = &outer_;
    TableOptions& table = family_options_.table_factory.block_based;
    table.filter_policy = std::make_shared<FilterPolicy>();
    table.block_size = 128;
  }
  ~OpenTest() override { CloseDb(); }

  static std::string Key(int i) { return "key" + std::to_string(1000 + i); }
  // Tables of a hundred keys each, every key in one of them.
  void FillTables(int tables) {
    family_options_.disable_auto_compactions = true;
    Open();
    for (int table = 0; table < tables; ++table) {
      for (int i = table; i < tables * 100; i += tables) ASSERT_OK(Put(Key(i), Key(i)));
      ASSERT_OK(Flush());
    }
  }
  std::string OptionsText(size_t i) {
    const std::vector<std::string> names = OptionsFiles();
    const Result<std::string> text = ReadFileToString(env_->file_system, path_ + "/" + names.at(i));
    return text.ok() ? *text : text.status().ToString();
  }
  std::vector<std::string> OptionsFiles() {
    std::vector<std::string> names, found;
    EXPECT_OK(env_->file_system->GetChildren(path_, &names));
    for (const std::string& name : names) {
      if (Slice(name).StartsWith("OPTIONS-")) found.push_back(name);
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  FaultFileSystem faults_;
  CountingFileSystem counting_;
  MappingFileSystem mapping_;
  Env outer_;
};

TEST_F(OpenTest, ManyThreadsMayBeTheFirstToReadATable) {
  for (const int max_open_files : {-1, 13}) {
    options_.max_open_files = max_open_files;
    ASSERT_NO_FATAL_FAILURE(FillTables(8));
    for (int round = 0; round < 3; ++round) {
      Open();
      std::atomic<int> wrong{0};
      std::vector<std::thread> threads;
      for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([this, thread, round, &wrong] {
          for (int i = 0; i < 200; ++i) {
            const int k = (i * (7 + 2 * thread) + round) % 800;
            wrong += Get(Key(k)) != Key(k);
            wrong += Get(Key(k) + "absent") != "NOT_FOUND";
          }
        });
      }
      for (std::thread& thread : threads) thread.join();
      EXPECT_EQ(wrong, 0);
      EXPECT_NE(Scan().find(Key(799) + "->" + Key(799)), std::string::npos);
    }
    ASSERT_OK(Compact());
    EXPECT_EQ(Get(Key(5)), Key(5));
    CloseDb();
    path_ += "-next";
  }
}

// Opening says what reading everything at once would have said.
TEST_F(OpenTest, ATableThatCannotBeReadIsAnErrorOfOpening) {
  ASSERT_NO_FATAL_FAILURE(FillTables(2));
  CloseDb();
  const std::string table = path_ + "/" + FilesEndingWith(".sst").front();
  const std::string bytes = *ReadFileToString(env_->file_system, table);
  ASSERT_OK(WriteStringToFile(env_->file_system, bytes + "x", table, /*sync=*/true));
  EXPECT_NE(TryOpen().ToString().find("size mismatch"), std::string::npos);
  std::string damaged = bytes;
  damaged[damaged.size() - 1] ^= 1;
  ASSERT_OK(WriteStringToFile(env_->file_system, damaged, table, /*sync=*/true));
  EXPECT_NE(TryOpen().ToString().find("Bad table magic number"), std::string::npos);
  ASSERT_OK(WriteStringToFile(env_->file_system, bytes, table, /*sync=*/true));
  Open();
  EXPECT_EQ(Get(Key(7)), Key(7));
  CloseDb();
  ASSERT_OK(env_->file_system->DeleteFile(table));
  EXPECT_TRUE(TryOpen().IsCorruption());
}

TEST_F(OpenTest, AnOptionsFileWithTheSameTextIsNotWrittenAgain) {
  Open();
  EXPECT_EQ(counting_.options_files, 1);
  const std::string text = OptionsText(0);
  for (int i = 0; i < 3; ++i) {
    const std::vector<std::string> before = OptionsFiles();
    Open();
    EXPECT_EQ(counting_.options_files, 1);
    const std::vector<std::string> after = OptionsFiles();
    ASSERT_EQ(after.size(), 2u);  // The two newest, each with a number of its own.
    EXPECT_EQ(after[0], before.back());
    EXPECT_GT(after[1], after[0]);
    EXPECT_EQ(OptionsText(0), text);
    EXPECT_EQ(OptionsText(1), text);
  }
  // Where there are no links, it is.
  FaultFileSystem::Plan plan;
  plan.kinds = FaultFileSystem::kLink;
  plan.error_number = EOPNOTSUPP;
  faults_.Arm(plan);
  Open();
  faults_.Disarm();
  EXPECT_EQ(counting_.options_files, 2);
  EXPECT_EQ(OptionsText(1), text);
  counting_.options_files = 1;

  family_options_.max_write_buffer_number = 7;
  Open();
  EXPECT_EQ(counting_.options_files, 2);
  EXPECT_EQ(OptionsText(0), text);
  EXPECT_NE(OptionsText(1), text);
  ASSERT_OK(db_->SetOptions(cf(0), {{"max_write_buffer_number", "8"}}));
  EXPECT_EQ(counting_.options_files, 3);
  EXPECT_NE(OptionsText(1).find("max_write_buffer_number=8"), std::string::npos);
  EXPECT_NE(OptionsText(0).find("max_write_buffer_number=7"), std::string::npos);
}

TEST_F(OpenTest, LargeLogsThatWereReplayedAreGoneAtTheLatestWhenTheDatabaseIsClosed) {
  Open();
  const std::string value(1 << 20, 'v');
  for (int i = 0; i < 6; ++i) ASSERT_OK(Put(Key(i), value));
  CloseDb();
  const std::vector<std::string> before = FilesEndingWith(".log");
  ASSERT_EQ(before.size(), 1u);
  Open();
  EXPECT_EQ(Get(Key(5)), value);
  CloseDb();
  const std::vector<std::string> after = FilesEndingWith(".log");
  ASSERT_EQ(after.size(), 1u);
  EXPECT_NE(after, before);
}

TEST_F(OpenTest, AFailedSwitchOfCurrentLeavesNoTemporaryFile) {
  Open();
  ASSERT_OK(Put("a", "1"));
  for (const char* path : {"/MANIFEST-", ".dbtmp"}) {
    CloseDb();
    FaultFileSystem::Plan plan;
    plan.kinds = FaultFileSystem::kSync;
    plan.path_contains = path;
    faults_.Arm(plan);
    EXPECT_TRUE(TryOpen().IsIoError()) << path;
    faults_.Disarm();
    EXPECT_TRUE(FilesEndingWith(".dbtmp").empty()) << path;
    Open();
    EXPECT_EQ(Get("a"), "1");
  }
}

}  // namespace
}  // namespace skarn
