#include "core/env/mapped_log_file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "core/base/random.h"

namespace skarn {
namespace {

class MappedLogFileTest : public testing::Test {
 protected:
  MappedLogFileTest() {
    char name[] = "/tmp/skarn_log_XXXXXX";
    root_ = mkdtemp(name);
    path_ = root_ + "/log";
  }
  ~MappedLogFileTest() override { (void)!system(("rm -rf " + root_).c_str()); }

  std::string Content() {
    Result<std::string> content = ReadFileToString(fs_, path_);
    return content.ok() ? *content : content.status().ToString();
  }

  FileSystem* const fs_ = PosixFileSystem();
  std::string root_;
  std::string path_;
};

TEST_F(MappedLogFileTest, HoldsWhatWasAppendedAndNothingElseOnceClosed) {
  Random random(/*seed=*/4);
  auto file = NewMappedLogFile(fs_, path_, FileOptions());
  ASSERT_TRUE(file.ok());
  std::string expected;
  for (int i = 0; i < 3000; i++) {
    std::string piece(random.OneIn(200) ? random.Uniform(700000) : random.Uniform(300), '\0');
    for (char& byte : piece) byte = static_cast<char>(random.Next());
    ASSERT_TRUE((*file)->Append(piece).ok());
    expected += piece;
    ASSERT_EQ((*file)->Size(), expected.size());
    if (random.OneIn(500)) {
      ASSERT_TRUE((*file)->Sync().ok());
    }
  }
  // Seen by readers at once, with nothing but zeroes after it.
  const std::string open = Content();
  ASSERT_GE(open.size(), expected.size());
  EXPECT_EQ(open.substr(0, expected.size()), expected);
  EXPECT_EQ(open.find_first_not_of('\0', expected.size()), std::string::npos);
  ASSERT_TRUE((*file)->Close().ok());
  EXPECT_EQ(Content(), expected);
}

TEST_F(MappedLogFileTest, TruncatesAndGoesOn) {
  auto file = NewMappedLogFile(fs_, path_, FileOptions());
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Append("granite and slate").ok());
  ASSERT_TRUE((*file)->Truncate(7).ok());
  ASSERT_TRUE((*file)->Append(" only").ok());
  ASSERT_TRUE((*file)->Close().ok());
  EXPECT_EQ(Content(), "granite only");
}

TEST_F(MappedLogFileTest, OverwritesAReusedFile) {
  ASSERT_TRUE(WriteStringToFile(fs_, std::string(1 << 20, 'x'), root_ + "/old", false).ok());
  auto file = ReuseMappedLogFile(fs_, path_, root_ + "/old", FileOptions());
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Append("new").ok());
  ASSERT_TRUE((*file)->Sync().ok());
  EXPECT_EQ(Content().substr(0, 6), "newxxx");
  EXPECT_EQ(Content().size(), size_t{1} << 20);
}

TEST_F(MappedLogFileTest, IsAnOrdinaryFileWhereMappingIsNotPossible) {
  auto memory = NewMemoryFileSystem();
  auto file = NewMappedLogFile(memory.get(), "/log", FileOptions());
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Append("abc").ok());
  EXPECT_EQ(*memory->FileSize("/log"), 3u);
  EXPECT_TRUE(NewMappedLogFile(fs_, root_ + "/no/log", FileOptions()).status().IsPathNotFound());
}

TEST_F(MappedLogFileTest, SurvivesAKilledProcess) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    auto file = NewMappedLogFile(PosixFileSystem(), path_, FileOptions());
    for (uint64_t i = 0;; i++) {
      const std::string record = "record " + std::to_string(100000000 + i) + "\n";
      if (!file.ok() || !(*file)->Append(record).ok()) _exit(1);
      if (i % 1000 == 0) (void)!write(pipe_ends[1], &i, sizeof(i));
    }
  }
  uint64_t acknowledged = 0;
  for (int i = 0; i < 50; i++) {
    ASSERT_EQ(read(pipe_ends[0], &acknowledged, sizeof(acknowledged)),
              static_cast<ssize_t>(sizeof(acknowledged)));
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  const std::string content = Content();
  const size_t end = content.find('\0');
  const std::string records = content.substr(0, end);
  EXPECT_EQ(records.size() % 17, 0u);
  EXPECT_GE(records.size() / 17, acknowledged);
  for (size_t i = 0; i < records.size() / 17; i += 997) {
    EXPECT_EQ(records.substr(i * 17, 17), "record " + std::to_string(100000000 + i) + "\n");
  }
  if (end != std::string::npos) {
    EXPECT_EQ(content.find_first_not_of('\0', end), std::string::npos);
  }
}

}  // namespace
}  // namespace skarn
