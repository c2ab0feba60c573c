// What every file system must do, run on POSIX files and on files in memory; then what
// is particular to POSIX files; then FileWriter.

#include "core/env/file_system.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "core/base/random.h"
#include "core/env/deterministic_pool.h"
#include "core/env/env.h"
#include "core/env/fault_file_system.h"
#include "core/env/file_writer.h"
#include "core/env/test_clock.h"

namespace skarn {
namespace {

class FileSystemTest : public testing::TestWithParam<bool> {
 protected:
  FileSystemTest() {
    if (GetParam()) {
      memory_ = NewMemoryFileSystem();
      fs_ = memory_.get();
      root_ = "/data";
      EXPECT_TRUE(fs_->CreateDir(root_).ok());
    } else {
      fs_ = PosixFileSystem();
      char name[] = "/tmp/skarn_env_XXXXXX";
      root_ = mkdtemp(name);
    }
  }
  ~FileSystemTest() override {
    if (memory_ == nullptr) (void)!system(("rm -rf " + root_).c_str());
  }

  std::string Path(const std::string& name) const { return root_ + "/" + name; }
  std::string Content(const std::string& name) {
    Result<std::string> content = ReadFileToString(fs_, Path(name));
    return content.ok() ? *content : content.status().ToString();
  }
  void Put(const std::string& name, Slice content) {
    ASSERT_TRUE(WriteStringToFile(fs_, content, Path(name), /*sync=*/true).ok());
  }

  std::unique_ptr<FileSystem> memory_;
  FileSystem* fs_ = nullptr;
  std::string root_;
};

INSTANTIATE_TEST_SUITE_P(Bodies, FileSystemTest, testing::Bool(), [](const auto& param) {
  return std::string(param.param ? "Memory" : "Posix");
});

TEST_P(FileSystemTest, ReadsBackWhatWasWritten) {
  Put("a", "granite");
  EXPECT_EQ(Content("a"), "granite");
  auto file = fs_->NewRandomAccessFile(Path("a"), FileOptions());
  ASSERT_TRUE(file.ok());
  char scratch[100];
  Slice result;
  ASSERT_TRUE((*file)->Read(2, 3, &result, scratch).ok());
  EXPECT_EQ(result, Slice("ani"));
  ASSERT_TRUE((*file)->Read(5, 50, &result, scratch).ok());
  EXPECT_EQ(result, Slice("te"));
  ASSERT_TRUE((*file)->Read(500, 50, &result, scratch).ok());
  EXPECT_TRUE(result.empty());
  EXPECT_EQ(*(*file)->Size(), 7u);
  char other[100];
  ReadRequest requests[2];
  requests[0] = {.offset = 0, .size = 2, .scratch = scratch, .result = {}, .status = {}};
  requests[1] = {.offset = 6, .size = 9, .scratch = other, .result = {}, .status = {}};
  (*file)->MultiRead(requests, 2);
  EXPECT_EQ(requests[0].result, Slice("gr"));
  EXPECT_EQ(requests[1].result, Slice("e"));

  auto sequential = fs_->NewSequentialFile(Path("a"), FileOptions());
  ASSERT_TRUE(sequential.ok());
  ASSERT_TRUE((*sequential)->Skip(4).ok());
  ASSERT_TRUE((*sequential)->Read(2, &result, scratch).ok());
  EXPECT_EQ(result, Slice("it"));
}

TEST_P(FileSystemTest, ReopensAtTheEndAndTruncates) {
  Put("a", "one");
  auto file = fs_->ReopenWritableFile(Path("a"), FileOptions());
  ASSERT_TRUE(file.ok());
  EXPECT_EQ((*file)->Size(), 3u);
  ASSERT_TRUE((*file)->Append("two").ok());
  EXPECT_EQ((*file)->Size(), 6u);
  ASSERT_TRUE((*file)->Close().ok());
  ASSERT_TRUE((*file)->Close().ok());
  EXPECT_EQ(Content("a"), "onetwo");
  ASSERT_TRUE(fs_->Truncate(Path("a"), 4).ok());
  EXPECT_EQ(Content("a"), "onet");
  // Absent: created.
  ASSERT_TRUE(fs_->ReopenWritableFile(Path("new"), FileOptions()).ok());
  EXPECT_EQ(*fs_->FileSize(Path("new")), 0u);
}

TEST_P(FileSystemTest, ShowsWhatIsStoredInMemoryAheadOfTheEnd) {
  FileOptions options;
  options.grow_ahead = true;
  auto file = fs_->NewWritableFile(Path("log"), options);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Append("one").ok());
  const Status grown = (*file)->GrowAhead(8192, 4096);
  if (grown.IsNotSupported()) GTEST_SKIP() << "not on this file system";
  ASSERT_TRUE(grown.ok());
  EXPECT_EQ((*file)->Size(), 3u);
  std::string expected = "one" + std::string(8189, '\0');
  EXPECT_EQ(Content("log"), expected);
  char* window = (*file)->MapAhead(0, 8192);
  ASSERT_NE(window, nullptr);
  memcpy(window + 3, "two", 3);
  ASSERT_TRUE((*file)->Filled(6).ok());
  EXPECT_EQ((*file)->Size(), 6u);
  expected.replace(3, 3, "two");
  EXPECT_EQ(Content("log"), expected);

  // An append goes where the stores ended, also beyond what was grown.
  ASSERT_TRUE((*file)->Append(std::string(8000, 'x')).ok());
  ASSERT_TRUE((*file)->Append(std::string(4000, 'y')).ok());
  expected = "onetwo" + std::string(8000, 'x') + std::string(4000, 'y');
  EXPECT_EQ(Content("log"), expected);
  ASSERT_TRUE((*file)->GrowAhead(16384, 65536).ok());
  window = (*file)->MapAhead(8192, 16384);
  ASSERT_NE(window, nullptr);
  window[expected.size() - 8192] = 'z';
  ASSERT_TRUE((*file)->Filled(expected.size() + 1).ok());
  expected += 'z';
  ASSERT_TRUE((*file)->Sync().ok());
  EXPECT_EQ(*fs_->FileSize(Path("log")), 16384u);

  ASSERT_TRUE((*file)->Truncate(expected.size()).ok());
  EXPECT_EQ(Content("log"), expected);
  ASSERT_TRUE((*file)->Append("end").ok());
  ASSERT_TRUE((*file)->Close().ok());
  EXPECT_EQ(Content("log"), expected + "end");
}

TEST_P(FileSystemTest, ReadsOnFromWhereItIsTold) {
  Put("a", "0123456789");
  auto file = fs_->NewSequentialFile(Path("a"), FileOptions());
  ASSERT_TRUE(file.ok());
  char scratch[16];
  Slice read;
  ASSERT_TRUE((*file)->Read(16, &read, scratch).ok());
  ASSERT_TRUE((*file)->Seek(4).ok());
  ASSERT_TRUE((*file)->Read(3, &read, scratch).ok());
  EXPECT_EQ(read, "456");
}

TEST_P(FileSystemTest, ReusesAFileFromItsStart) {
  Put("old", "0123456789");
  auto file = fs_->ReuseWritableFile(Path("new"), Path("old"), FileOptions());
  ASSERT_TRUE(file.ok());
  EXPECT_EQ((*file)->Size(), 0u);
  ASSERT_TRUE((*file)->Append("abc").ok());
  ASSERT_TRUE((*file)->Close().ok());
  EXPECT_EQ(Content("new"), "abc3456789");
  EXPECT_TRUE(fs_->FileExists(Path("old")).IsNotFound());
}

TEST_P(FileSystemTest, RenamesLinksAndDeletes) {
  Put("a", "1");
  Put("b", "2");
  ASSERT_TRUE(fs_->RenameFile(Path("a"), Path("b")).ok());
  EXPECT_EQ(Content("b"), "1");
  EXPECT_TRUE(fs_->FileExists(Path("a")).IsNotFound());
  ASSERT_TRUE(fs_->LinkFile(Path("b"), Path("c")).ok());
  EXPECT_TRUE(*fs_->SameFile(Path("b"), Path("c")));
  ASSERT_TRUE(fs_->DeleteFile(Path("b")).ok());
  EXPECT_EQ(Content("c"), "1");
  EXPECT_FALSE(fs_->LinkFile(Path("c"), Path("c")).ok());
  EXPECT_TRUE(fs_->DeleteFile(Path("b")).IsPathNotFound());
}

TEST_P(FileSystemTest, KeepsADeletedFileReadableWhereItIsOpen) {
  Put("a", "still here");
  auto file = fs_->NewRandomAccessFile(Path("a"), FileOptions());
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(fs_->DeleteFile(Path("a")).ok());
  char scratch[20];
  Slice result;
  ASSERT_TRUE((*file)->Read(0, 20, &result, scratch).ok());
  EXPECT_EQ(result, Slice("still here"));
}

TEST_P(FileSystemTest, HandlesDirectories) {
  ASSERT_TRUE(fs_->CreateDir(Path("d")).ok());
  EXPECT_FALSE(fs_->CreateDir(Path("d")).ok());
  EXPECT_TRUE(fs_->CreateDirIfMissing(Path("d")).ok());
  Put("d/x", "");
  Put("d/y", "");
  ASSERT_TRUE(fs_->CreateDir(Path("d/e")).ok());
  std::vector<std::string> names;
  ASSERT_TRUE(fs_->GetChildren(Path("d"), &names).ok());
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"e", "x", "y"}));
  EXPECT_FALSE(fs_->DeleteDir(Path("d")).ok());
  EXPECT_TRUE(fs_->GetChildren(Path("nowhere"), &names).IsNotFound());
  Put("file", "");
  EXPECT_FALSE(fs_->CreateDirIfMissing(Path("file")).ok());
  ASSERT_TRUE(fs_->RenameFile(Path("d"), Path("moved")).ok());
  EXPECT_TRUE(fs_->FileExists(Path("moved/x")).ok());
  EXPECT_TRUE(fs_->DeleteDir(Path("moved/e")).ok());
  auto directory = fs_->NewDirectory(Path("moved"));
  ASSERT_TRUE(directory.ok());
  EXPECT_TRUE((*directory)->Fsync().ok());
  EXPECT_TRUE((*directory)->Close().ok());
}

TEST_P(FileSystemTest, TellsWhatIsMissing) {
  EXPECT_EQ(fs_->NewSequentialFile(Path("x"), FileOptions()).status().ToString(),
            "IO error: No such file or directory: While opening a file for sequentially reading: " +
                Path("x") + ": No such file or directory");
  EXPECT_EQ(fs_->NewRandomAccessFile(Path("x"), FileOptions()).status().ToString(),
            "IO error: No such file or directory: While open a file for random read: " + Path("x") +
                ": No such file or directory");
  EXPECT_TRUE(fs_->FileSize(Path("x")).status().IsPathNotFound());
  EXPECT_TRUE(fs_->RenameFile(Path("x"), Path("y")).IsPathNotFound());
}

TEST_P(FileSystemTest, CopiesFilesAndPartsOfThem) {
  std::string content(700000, 'x');
  content[600000] = 'y';
  Put("a", content);
  ASSERT_TRUE(CopyFile(fs_, Path("a"), Path("b"), 0, /*sync=*/true).ok());
  EXPECT_EQ(Content("b"), content);
  ASSERT_TRUE(CopyFile(fs_, Path("a"), Path("b"), 5, /*sync=*/false).ok());
  EXPECT_EQ(Content("b"), "xxxxx");
  EXPECT_TRUE(CopyFile(fs_, Path("a"), Path("c"), 700001, /*sync=*/false).IsCorruption());
  EXPECT_TRUE(fs_->FileExists(Path("c")).IsNotFound());
}

TEST_P(FileSystemTest, LocksOnceInAProcess) {
  auto lock = fs_->LockFile(Path("LOCK"));
  ASSERT_TRUE(lock.ok());
  auto second = fs_->LockFile(Path("LOCK"));
  ASSERT_FALSE(second.ok());
  const std::string text = second.status().ToString();
  EXPECT_EQ(text.find("IO error: lock hold by current process"), 0u) << text;
  EXPECT_EQ(text.substr(text.size() - 24), "LOCK: No locks available");
  ASSERT_TRUE(fs_->UnlockFile(std::move(*lock)).ok());
  EXPECT_TRUE(fs_->FileExists(Path("LOCK")).ok());
  auto third = fs_->LockFile(Path("LOCK"));
  EXPECT_TRUE(third.ok());
  EXPECT_TRUE(fs_->UnlockFile(std::move(*third)).ok());
}

class PosixTest : public testing::Test {
 protected:
  PosixTest() {
    char name[] = "/tmp/skarn_env_XXXXXX";
    root_ = mkdtemp(name);
  }
  ~PosixTest() override { (void)!system(("rm -rf " + root_).c_str()); }
  std::string Path(const std::string& name) const { return root_ + "/" + name; }

  FileSystem* const fs_ = PosixFileSystem();
  std::string root_;
};

TEST_F(PosixTest, ExcludesOtherProcesses) {
  auto lock = fs_->LockFile(Path("LOCK"));
  ASSERT_TRUE(lock.ok());
  const pid_t child = fork();
  if (child == 0) {
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    const int fd = open(Path("LOCK").c_str(), O_RDWR);
    _exit(fcntl(fd, F_SETLK, &range) == 0 ? 1 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << "another process got the lock";
  EXPECT_TRUE(fs_->UnlockFile(std::move(*lock)).ok());
}

TEST_F(PosixTest, TellsThatAnotherProcessHoldsTheLock) {
  int ready[2], done[2];
  ASSERT_EQ(pipe(ready), 0);
  ASSERT_EQ(pipe(done), 0);
  const pid_t child = fork();
  if (child == 0) {
    auto lock = PosixFileSystem()->LockFile(Path("LOCK"));
    char byte = lock.ok() ? 'y' : 'n';
    (void)!write(ready[1], &byte, 1);
    (void)!read(done[0], &byte, 1);
    _exit(0);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  EXPECT_EQ(fs_->LockFile(Path("LOCK")).status().ToString(),
            "IO error: While lock file: " + Path("LOCK") + ": Resource temporarily unavailable");
  (void)!write(done[1], &byte, 1);
  waitpid(child, nullptr, 0);
  // The holder has gone, and with it the lock.
  EXPECT_TRUE(fs_->LockFile(Path("LOCK")).ok());
  EXPECT_EQ(fs_->LockFile(Path("no/LOCK")).status().ToString(),
            "IO error: No such file or directory: while open a file for lock: " + Path("no/LOCK") +
                ": No such file or directory");
}

// A second name of the same file must not get, and by closing drop, the lock.
TEST_F(PosixTest, RecognisesALockFileByAnotherName) {
  auto lock = fs_->LockFile(Path("LOCK"));
  ASSERT_TRUE(lock.ok());
  EXPECT_FALSE(fs_->LockFile(root_ + "/./LOCK").ok());
  EXPECT_TRUE(fs_->UnlockFile(std::move(*lock)).ok());
  EXPECT_TRUE(fs_->LockFile(root_ + "/./LOCK").ok());
}

TEST_F(PosixTest, MapsFiles) {
  ASSERT_TRUE(WriteStringToFile(fs_, "granite", Path("a"), /*sync=*/false).ok());
  FileOptions options;
  options.mmap_reads = true;
  auto file = fs_->NewRandomAccessFile(Path("a"), options);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ((*file)->Mapping(), Slice("granite"));
  Slice result;
  ASSERT_TRUE((*file)->Read(1, 3, &result, nullptr).ok());
  EXPECT_EQ(result, Slice("ran"));
  EXPECT_EQ(result.data(), (*file)->Mapping().data() + 1);
  (*file)->Advise(RandomAccessFile::Pattern::kRandom);
  EXPECT_TRUE((*file)->InvalidateCache(0, 0).ok());
  EXPECT_TRUE((*file)->Prefetch(0, 7).ok());

  ASSERT_TRUE(WriteStringToFile(fs_, "", Path("empty"), /*sync=*/false).ok());
  auto empty = fs_->NewRandomAccessFile(Path("empty"), options);
  ASSERT_TRUE(empty.ok());
  EXPECT_TRUE((*empty)->Mapping().empty());
  char scratch[4];
  EXPECT_TRUE((*empty)->Read(0, 4, &result, scratch).ok());
  EXPECT_TRUE(result.empty());
}

TEST_F(PosixTest, ReadsAnyRangeWithDirectIo) {
  Random random(/*seed=*/3);
  std::string content(100001, '\0');
  for (char& byte : content) byte = static_cast<char>(random.Next());
  ASSERT_TRUE(WriteStringToFile(fs_, content, Path("a"), /*sync=*/true).ok());
  FileOptions options;
  options.direct_reads = true;
  auto file = fs_->NewRandomAccessFile(Path("a"), options);
  if (!file.ok()) GTEST_SKIP() << "no direct I/O here: " << file.status().ToString();
  EXPECT_TRUE((*file)->direct_io());
  EXPECT_TRUE((*file)->Mapping().empty());
  std::string scratch(200000, '\0');
  for (int i = 0; i < 200; i++) {
    const size_t offset = random.Uniform(content.size() + 10);
    const size_t size = random.Uniform(30000);
    Slice result;
    ASSERT_TRUE((*file)->Read(offset, size, &result, scratch.data()).ok());
    const std::string expected = offset > content.size() ? "" : content.substr(offset, size);
    ASSERT_EQ(result, Slice(expected)) << offset << " " << size;
  }
}

TEST_F(PosixTest, GivesReservedSpaceBackOnClose) {
  auto file = fs_->NewWritableFile(Path("a"), FileOptions());
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Allocate(0, 4 << 20).ok());
  ASSERT_TRUE((*file)->Append("abc").ok());
  ASSERT_TRUE((*file)->Sync().ok());
  ASSERT_TRUE((*file)->RangeSync(0, 3).ok());
  EXPECT_EQ(*fs_->FileSize(Path("a")), 3u);
  ASSERT_TRUE((*file)->Close().ok());
  struct stat info {};
  ASSERT_EQ(stat(Path("a").c_str(), &info), 0);
  EXPECT_EQ(info.st_size, 3);
  EXPECT_LT(info.st_blocks * 512, 1 << 20);
}

TEST_F(PosixTest, KnowsPathsAndSpace) {
  EXPECT_EQ(*fs_->AbsolutePath("/a/b"), "/a/b");
  EXPECT_EQ(fs_->AbsolutePath("b")->front(), '/');
  EXPECT_GT(*fs_->FreeSpace(root_), 0u);
  EXPECT_FALSE(fs_->FreeSpace(Path("nowhere")).ok());
  EXPECT_GT(*fs_->FileModificationTime(root_), 1500000000u);
}

TEST(Env, OwnsItsMemoryFiles) {
  auto env = NewMemoryEnv();
  EXPECT_TRUE(WriteStringToFile(env->file_system, "x", "/a", false).ok());
  EXPECT_EQ(env->clock, DefaultEnv()->clock);
  EXPECT_GT(env->clock->NowSeconds(), 1500000000u);
  const uint64_t before = env->clock->NowNanos();
  env->clock->SleepMicros(1000);
  EXPECT_GE(env->clock->NowNanos() - before, 1000000u);
}

// FileWriter.

struct WriterCase {
  size_t buffer_bytes;
  bool direct;
  bool limited;
  ThreadPool* pool = nullptr;  // Writes full buffers.
};

TEST_F(PosixTest, WriterDeliversEveryByteInOrder) {
  Random random(/*seed=*/8);
  TestClock clock;
  auto limiter = NewRateLimiter(&clock, 10 << 20, 100000, 10, RateLimiter::Mode::kAllIo, false);
  const std::unique_ptr<ThreadPool> pool = NewThreadPool();
  pool->SetThreads(ThreadPool::Priority::kLow, 2);
  DeterministicPool busy;  // Its jobs never begin.
  for (const WriterCase& which :
       {WriterCase{1, false, false}, WriterCase{4096, false, false},
        WriterCase{1 << 20, false, true}, WriterCase{8192, true, false},
        WriterCase{65536, true, true}, WriterCase{4096, false, false, pool.get()},
        WriterCase{1 << 20, false, false, pool.get()}, WriterCase{65536, false, false, &busy},
        WriterCase{8192, true, false, pool.get()}}) {
    SCOPED_TRACE(which.buffer_bytes);
    FileOptions file_options;
    file_options.direct_writes = which.direct;
    file_options.bytes_per_sync = 64 << 10;
    auto file = fs_->NewWritableFile(Path("w"), file_options);
    if (!file.ok() && which.direct) continue;  // No direct I/O here.
    ASSERT_TRUE(file.ok());
    FileWriter::Options options;
    options.buffer_bytes = which.buffer_bytes;
    options.preallocation_bytes = 1 << 20;
    if (which.limited) {
      options.rate_limiter = limiter.get();
      options.priority = IoPriority::kHigh;
    }
    options.pool = which.pool;
    FileWriter writer(std::move(*file), Path("w"), file_options, options);
    std::string expected;
    for (int i = 0; i < 300; i++) {
      std::string piece(random.Uniform(random.OneIn(20) ? 300000 : 3000), '\0');
      for (char& byte : piece) byte = static_cast<char>(random.Next());
      ASSERT_TRUE(writer.Append(piece).ok());
      expected += piece;
      EXPECT_EQ(writer.size_bytes(), expected.size());
      EXPECT_LE(writer.flushed_bytes(), expected.size());
      if (random.OneIn(10)) {
        ASSERT_TRUE(writer.Flush().ok());
        EXPECT_EQ(writer.flushed_bytes(), expected.size());
      }
      if (random.OneIn(30)) {
        ASSERT_TRUE(writer.Sync().ok());
      }
    }
    ASSERT_TRUE(writer.Close().ok());
    EXPECT_EQ(*ReadFileToString(fs_, Path("w")), expected);
  }
  EXPECT_GT(limiter->total_bytes(IoPriority::kHigh), 0u);
}

// What a log does with a record.
Status AppendFlushed(FileWriter* writer, const std::string& piece, bool as_room = true) {
  if (char* const room = as_room ? writer->Room(piece.size()) : nullptr; room != nullptr) {
    memcpy(room, piece.data(), piece.size());
    return writer->AppendFilled(piece.size(), /*flush=*/true);
  }
  Status s = writer->Append(piece);
  return s.ok() ? writer->Flush() : s;
}

// Appends of all sizes, in pieces and as rooms, with syncs now and then: after each the file holds
// what was appended, and behind it nothing but zeroes.
TEST_P(FileSystemTest, WriterGrowsAheadAndKeepsEveryByteInOrder) {
  Random random(/*seed=*/11);
  for (const bool often_synced : {false, true}) {
    FileOptions file_options;
    file_options.grow_ahead = true;
    auto file = fs_->NewWritableFile(Path("log"), file_options);
    ASSERT_TRUE(file.ok());
    FileWriter::Options options;
    options.preallocation_bytes = 1 << 20;
    FileWriter writer(std::move(*file), Path("log"), file_options, options);
    std::string expected;
    uint64_t largest_tail = 0;
    const auto check = [&] {
      const std::string content = Content("log");
      ASSERT_GE(content.size(), expected.size());
      ASSERT_TRUE(Slice(content).StartsWith(expected)) << expected.size();
      ASSERT_EQ(content.find_first_not_of('\0', expected.size()), std::string::npos);
      largest_tail = std::max<uint64_t>(largest_tail, content.size() - expected.size());
    };
    for (int i = 0; i < 6000; i++) {
      const bool large = random.OneIn(200);
      std::string piece(random.Uniform(large ? 40000 : 300) + 1, '\0');
      for (char& byte : piece) byte = static_cast<char>(random.Next());
      ASSERT_TRUE(AppendFlushed(&writer, piece, /*as_room=*/!random.OneIn(30)).ok());
      expected += piece;
      ASSERT_EQ(writer.size_bytes(), expected.size());
      ASSERT_EQ(writer.flushed_bytes(), expected.size());
      if (random.OneIn(often_synced ? 4 : 1500)) {
        ASSERT_TRUE(writer.SyncWithoutFlush().ok());
      }
      if (random.OneIn(100)) check();
    }
    check();
    if (random.OneIn(2) || often_synced) {
      ASSERT_TRUE(writer.EndAhead().ok());
      EXPECT_EQ(Content("log"), expected);
    }
    ASSERT_TRUE(writer.Close().ok());
    EXPECT_EQ(Content("log"), expected);
    if (memory_ != nullptr) {
      EXPECT_GT(largest_tail, 0u) << "never grew";
    }
    EXPECT_LE(largest_tail, 1100u << 10);
  }
}

// Syncs run beside appends that are stored.
TEST_P(FileSystemTest, WriterIsSyncedBesideStores) {
  FileOptions file_options;
  file_options.grow_ahead = true;
  auto file = fs_->NewWritableFile(Path("log"), file_options);
  ASSERT_TRUE(file.ok());
  FileWriter::Options options;
  options.preallocation_bytes = 1 << 20;
  FileWriter writer(std::move(*file), Path("log"), file_options, options);
  std::atomic<bool> done{false};
  std::thread syncing([&] {
    while (!done.load()) {
      EXPECT_TRUE(writer.SyncWithoutFlush().ok());
      std::this_thread::yield();
    }
  });
  std::string expected;
  for (int i = 0; i < 20000; i++) {
    const std::string piece = "piece " + std::to_string(i);
    ASSERT_TRUE(AppendFlushed(&writer, piece).ok());
    expected += piece;
  }
  done = true;
  syncing.join();
  ASSERT_TRUE(writer.Close().ok());
  EXPECT_EQ(Content("log"), expected);
}

// Where there is no space ahead, or no memory to show it, the file is written to as ever.
TEST(FileWriter, WritesWhereItCannotGrow) {
  for (const uint64_t failing : {1, 2, 4}) {
    auto memory = NewMemoryFileSystem();
    FaultFileSystem faults(memory.get());
    faults.set_offers_memory(true);
    FileOptions file_options;
    file_options.grow_ahead = true;
    auto file = faults.NewWritableFile("/log", file_options);
    ASSERT_TRUE(file.ok());
    FileWriter::Options options;
    options.preallocation_bytes = 1 << 20;
    FileWriter writer(std::move(*file), "/log", file_options, options);
    FaultFileSystem::Plan plan;
    plan.kinds = FaultFileSystem::kAllocate;
    plan.nth = failing;
    plan.forever = true;
    plan.error_number = ENOSPC;
    faults.Arm(plan);
    std::string expected;
    for (int i = 0; i < 20000; i++) {
      const std::string piece = "piece " + std::to_string(i);
      ASSERT_TRUE(AppendFlushed(&writer, piece).ok());
      expected += piece;
    }
    EXPECT_GT(faults.failures(), 0u);
    EXPECT_EQ(*ReadFileToString(memory.get(), "/log"), expected);
    ASSERT_TRUE(writer.Close().ok());
    EXPECT_EQ(*ReadFileToString(memory.get(), "/log"), expected);
  }
}

// A file whose memory may go bad while nobody stores to it.
class BrittleFile final : public WritableFile {
 public:
  explicit BrittleFile(std::unique_ptr<WritableFile> target) : target_(std::move(target)) {}
  Status Append(Slice data) override {
    ++appends;
    return target_->Append(data);
  }
  Status Truncate(uint64_t size) override { return target_->Truncate(size); }
  Status Close() override { return target_->Close(); }
  Status Flush() override { return target_->Flush(); }
  Status Sync() override { return target_->Sync(); }
  uint64_t Size() override { return target_->Size(); }
  Status GrowAhead(uint64_t end, size_t piece_bytes) override {
    return target_->GrowAhead(end, piece_bytes);
  }
  char* MapAhead(uint64_t offset, uint64_t end) override { return target_->MapAhead(offset, end); }
  Status Filled(uint64_t end) override {
    EXPECT_TRUE(good) << "stored to memory that has gone bad";
    return target_->Filled(end);
  }
  bool ahead_needs_care() const override { return true; }
  bool PrepareAhead() override {
    ++prepared;
    return good;
  }

  bool good = true;
  int appends = 0, prepared = 0;

 private:
  const std::unique_ptr<WritableFile> target_;
};

// After a pause the window is not stored to before it was seen to.
TEST(FileWriter, DoesNotStoreToAWindowThatWentBadInAPause) {
  auto memory = NewMemoryFileSystem();
  auto made = memory->NewWritableFile("/log", FileOptions());
  ASSERT_TRUE(made.ok());
  auto owned = std::make_unique<BrittleFile>(std::move(*made));
  BrittleFile& file = *owned;
  FileWriter::Options options;
  options.preallocation_bytes = 1 << 20;
  FileOptions file_options;
  file_options.grow_ahead = true;
  FileWriter writer(std::move(owned), "/log", file_options, options);
  std::string expected;
  const auto append = [&] {
    const std::string piece = "piece " + std::to_string(expected.size());
    ASSERT_TRUE(AppendFlushed(&writer, piece).ok());
    expected += piece;
    ASSERT_TRUE(Slice(*ReadFileToString(memory.get(), "/log")).StartsWith(expected));
  };
  const auto pause = [] { std::this_thread::sleep_for(std::chrono::milliseconds(200)); };
  for (int i = 0; i < 50; i++) append();
  const int written = file.appends;
  EXPECT_LT(written, 50);  // Some were stored.

  pause();
  append();
  EXPECT_GT(file.appends, written);
  EXPECT_EQ(file.prepared, 0);
  for (int i = 0; i < 50; i++) append();
  const int prepared = file.prepared;
  EXPECT_GT(prepared, 0);

  pause();
  file.good = false;
  for (int i = 0; i < 50; i++) append();
  EXPECT_EQ(file.prepared, prepared + 1);
  EXPECT_EQ(*ReadFileToString(memory.get(), "/log"), expected);
  ASSERT_TRUE(writer.Close().ok());
}

TEST(FileWriter, FailsForGoodAfterTheFirstFailure) {
  auto memory = NewMemoryFileSystem();
  FaultFileSystem faults(memory.get());
  auto file = faults.NewWritableFile("/a", FileOptions());
  ASSERT_TRUE(file.ok());
  FileWriter writer(std::move(*file), "/a", FileOptions(), FileWriter::Options());
  ASSERT_TRUE(writer.Append("one").ok());
  ASSERT_TRUE(writer.Sync().ok());
  FaultFileSystem::Plan plan;
  plan.kinds = FaultFileSystem::kSync;
  faults.Arm(plan);
  ASSERT_TRUE(writer.Append("two").ok());
  const std::string failure = writer.Sync().ToString();
  EXPECT_EQ(failure, "IO error: While fdatasync: /a: Input/output error");
  EXPECT_TRUE(writer.failed());
  faults.Disarm();
  EXPECT_EQ(writer.Sync().ToString(), failure);
  EXPECT_EQ(writer.Append("three").ToString(), failure);
  EXPECT_EQ(writer.Close().ToString(), failure);
}

// A buffer that a job wrote may fail when nobody looks.
TEST(FileWriter, TellsOfWhatFailedInAJobBeforeItPromisesAnything) {
  const std::unique_ptr<ThreadPool> pool = NewThreadPool();
  for (const bool sync : {false, true}) {
    auto memory = NewMemoryFileSystem();
    FaultFileSystem faults(memory.get());
    auto file = faults.NewWritableFile("/a", FileOptions());
    ASSERT_TRUE(file.ok());
    FileWriter::Options options;
    options.buffer_bytes = 4096;
    options.pool = pool.get();
    FileWriter writer(std::move(*file), "/a", FileOptions(), options);
    FaultFileSystem::Plan plan;
    plan.kinds = FaultFileSystem::kAppend;
    faults.Arm(plan);
    const bool accepted = writer.Append(std::string(4096, 'x')).ok();
    if (!sync) {
      pool->JoinAll();
      (void)writer.Append("y");
    }
    const Status told = sync ? writer.Sync() : writer.Flush();
    EXPECT_EQ(told.ToString(), "IO error: While appending to file: /a: Input/output error");
    EXPECT_TRUE(writer.failed());
    EXPECT_TRUE(accepted) << "the buffer was not handed over";
    faults.Disarm();
    EXPECT_EQ(writer.Close().ToString(), told.ToString());
  }
}

TEST(FileWriter, ContinuesWhereAReopenedFileEnds) {
  auto memory = NewMemoryFileSystem();
  ASSERT_TRUE(WriteStringToFile(memory.get(), "one", "/a", false).ok());
  auto file = memory->ReopenWritableFile("/a", FileOptions());
  ASSERT_TRUE(file.ok());
  FileWriter writer(std::move(*file), "/a", FileOptions(), FileWriter::Options());
  EXPECT_EQ(writer.size_bytes(), 3u);
  ASSERT_TRUE(writer.Append("two").ok());
  ASSERT_TRUE(writer.Close().ok());
  EXPECT_EQ(*ReadFileToString(memory.get(), "/a"), "onetwo");
}

}  // namespace
}  // namespace skarn
