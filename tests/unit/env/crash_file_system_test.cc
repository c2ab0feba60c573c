// The two file systems for tests: one that fails on demand, one that loses power.

#include "core/env/crash_file_system.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/base/random.h"
#include "core/env/fault_file_system.h"

namespace skarn {
namespace {

using Loss = CrashFileSystem::Loss;

std::string Content(FileSystem* fs, const std::string& path) {
  const Result<std::string> content = ReadFileToString(fs, path);
  return content.ok() ? *content : "<missing>";
}

std::unique_ptr<WritableFile> Create(FileSystem* fs, const std::string& path) {
  auto file = fs->NewWritableFile(path, FileOptions());
  EXPECT_TRUE(file.ok());
  return std::move(*file);
}

void SyncDirectory(FileSystem* fs, const std::string& path) {
  auto directory = fs->NewDirectory(path);
  ASSERT_TRUE(directory.ok());
  ASSERT_TRUE((*directory)->Fsync().ok());
}

// Everything on a disk as one text, to compare disks.
std::string Dump(FileSystem* fs, const std::string& directory) {
  std::vector<std::string> names;
  if (!fs->GetChildren(directory, &names).ok()) return "<missing>";
  std::sort(names.begin(), names.end());
  std::string text;
  for (const std::string& name : names) {
    text += name + "=" + Content(fs, directory + "/" + name) + "\n";
  }
  return text;
}

TEST(CrashFileSystem, LosesWhatWasNotSynced) {
  CrashFileSystem fs;
  ASSERT_TRUE(fs.CreateDir("/db").ok());
  auto file = Create(&fs, "/db/a");
  ASSERT_TRUE(file->Append("safe").ok());
  ASSERT_TRUE(file->Sync().ok());
  SyncDirectory(&fs, "/db");
  ASSERT_TRUE(file->Append(" lost").ok());
  auto other = Create(&fs, "/db/b");
  ASSERT_TRUE(other->Append("no name").ok());
  ASSERT_TRUE(other->Sync().ok());

  const size_t end = fs.OperationCount();
  EXPECT_EQ(Dump(fs.AfterPowerCut(end, Loss::kEverything, 1).get(), "/db"), "a=safe\n");
  EXPECT_EQ(Dump(fs.AfterPowerCut(end, Loss::kNothing, 1).get(), "/db"),
            "a=safe lost\nb=no name\n");
  EXPECT_EQ(Content(&fs, "/db/a"), "safe lost");  // The program itself sees all.
  // Before the directory was synced, even the directory's name may be missing.
  EXPECT_EQ(Dump(fs.AfterPowerCut(4, Loss::kEverything, 1).get(), "/db"), "<missing>");
  EXPECT_EQ(fs.DescribeOperation(0), "create directory /db");
  EXPECT_EQ(fs.DescribeOperation(2), "write 4 bytes at 0 of file 1");
}

TEST(CrashFileSystem, KeepsARenameWholeOrNotAtAll) {
  CrashFileSystem fs;
  ASSERT_TRUE(fs.CreateDir("/db").ok());
  ASSERT_TRUE(WriteStringToFile(&fs, "old", "/db/CURRENT", /*sync=*/true).ok());
  SyncDirectory(&fs, "/db");
  ASSERT_TRUE(WriteStringToFile(&fs, "new", "/db/1.tmp", /*sync=*/true).ok());
  ASSERT_TRUE(fs.RenameFile("/db/1.tmp", "/db/CURRENT").ok());
  const size_t renamed = fs.OperationCount();
  SyncDirectory(&fs, "/db");
  const size_t synced = fs.OperationCount();
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 50; seed++) {
    for (Loss loss : {Loss::kTail, Loss::kAnything}) {
      const auto after = fs.AfterPowerCut(renamed, loss, seed);
      seen.insert(Content(after.get(), "/db/CURRENT"));
      EXPECT_EQ(Content(fs.AfterPowerCut(synced, loss, seed).get(), "/db/CURRENT"), "new");
    }
  }
  EXPECT_EQ(seen, (std::set<std::string>{"old", "new"}));
}

TEST(CrashFileSystem, TearsWritesAtSectors) {
  CrashFileSystem fs;
  auto file = Create(&fs, "/a");
  ASSERT_TRUE(file->Append(std::string(100, 'a')).ok());
  ASSERT_TRUE(file->Sync().ok());
  SyncDirectory(&fs, "/");
  ASSERT_TRUE(file->Append(std::string(5000, 'b')).ok());
  bool torn = false;
  bool holed = false;
  for (uint64_t seed = 0; seed < 100; seed++) {
    const std::string tail = Content(fs.AfterPowerCut(99, Loss::kTail, seed).get(), "/a");
    ASSERT_GE(tail.size(), 100u);
    EXPECT_EQ(tail, std::string(100, 'a') + std::string(tail.size() - 100, 'b'));
    if (tail.size() != 100 && tail.size() != 5100) {
      EXPECT_EQ(tail.size() % CrashFileSystem::kSectorBytes, 0u);
      torn = true;
    }
    const std::string any = Content(fs.AfterPowerCut(99, Loss::kAnything, seed).get(), "/a");
    EXPECT_EQ(any.substr(0, 100), std::string(100, 'a'));
    holed = holed || any.find('\0') != std::string::npos;
  }
  EXPECT_TRUE(torn);
  EXPECT_TRUE(holed);
}

TEST(CrashFileSystem, FollowsUnlinksLinksTruncationsAndReuse) {
  CrashFileSystem fs;
  ASSERT_TRUE(WriteStringToFile(&fs, "0123456789", "/a", /*sync=*/true).ok());
  ASSERT_TRUE(fs.LinkFile("/a", "/b").ok());
  SyncDirectory(&fs, "/");
  ASSERT_TRUE(fs.DeleteFile("/a").ok());
  ASSERT_TRUE(fs.Truncate("/b", 4).ok());
  auto reused = fs.ReuseWritableFile("/c", "/b", FileOptions());
  ASSERT_TRUE(reused.ok());
  ASSERT_TRUE((*reused)->Append("xy").ok());
  const size_t end = fs.OperationCount();
  EXPECT_EQ(Dump(fs.AfterPowerCut(end, Loss::kEverything, 0).get(), "/"),
            "a=0123456789\nb=0123456789\n");
  EXPECT_EQ(Dump(fs.AfterPowerCut(end, Loss::kNothing, 0).get(), "/"), "c=xy23\n");
  ASSERT_TRUE((*reused)->Sync().ok());
  // The bytes are safe under whatever names are left.
  EXPECT_EQ(Dump(fs.AfterPowerCut(end + 1, Loss::kEverything, 0).get(), "/"), "a=xy23\nb=xy23\n");
}

TEST(CrashFileSystem, CutsAgainDuringRecovery) {
  CrashFileSystem fs;
  ASSERT_TRUE(WriteStringToFile(&fs, "one", "/a", /*sync=*/true).ok());
  SyncDirectory(&fs, "/");
  auto first = fs.AfterPowerCut(fs.OperationCount(), Loss::kEverything, 0);
  EXPECT_EQ(first->OperationCount(), 0u);
  auto file = first->ReopenWritableFile("/a", FileOptions());
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->Append(" two").ok());
  EXPECT_EQ(Content(first->AfterPowerCut(9, Loss::kEverything, 0).get(), "/a"), "one");
  EXPECT_EQ(Content(first->AfterPowerCut(9, Loss::kNothing, 0).get(), "/a"), "one two");
}

// A random program of file operations: whatever the cut, what was synced is there, and
// the same seed gives the same disk.
TEST(CrashFileSystem, KeepsItsPromisesForRandomPrograms) {
  for (uint64_t seed = 1; seed <= 20; seed++) {
    Random random(seed);
    CrashFileSystem fs;
    // What the disk must hold from some operation on: contents that begin with this.
    std::map<std::string, std::string> durable;
    std::map<std::string, std::unique_ptr<WritableFile>> files;
    std::map<std::string, std::string> live;
    std::set<std::string> named;
    for (int step = 0; step < 60; step++) {
      const std::string path = "/" + std::string(1, static_cast<char>('a' + random.Uniform(5)));
      switch (random.Uniform(3)) {
        case 0:
          if (files.count(path) == 0) files[path] = Create(&fs, path);
          for (int i = 0; i < 3; i++) {
            const std::string piece(random.Uniform(1000), static_cast<char>('A' + step % 26));
            ASSERT_TRUE(files[path]->Append(piece).ok());
            live[path] += piece;
          }
          break;
        case 1:
          if (files.count(path) == 0) break;
          ASSERT_TRUE(files[path]->Sync().ok());
          if (named.count(path) != 0) durable[path] = live[path];
          break;
        default:
          SyncDirectory(&fs, "/");
          for (const auto& [name, file] : files) {
            ASSERT_TRUE(file->Sync().ok());
            named.insert(name);
            durable[name] = live[name];
          }
      }
      for (Loss loss : {Loss::kEverything, Loss::kTail, Loss::kAnything, Loss::kNothing}) {
        const auto after = fs.AfterPowerCut(fs.OperationCount(), loss, seed + 7 * step);
        for (const auto& [name, content] : durable) {
          EXPECT_TRUE(Slice(Content(after.get(), name)).StartsWith(content))
              << name << " seed " << seed << " step " << step;
        }
        const auto again = fs.AfterPowerCut(fs.OperationCount(), loss, seed + 7 * step);
        ASSERT_EQ(Dump(after.get(), "/"), Dump(again.get(), "/")) << "seed " << seed;
      }
    }
  }
}

TEST(FaultFileSystem, FailsTheCallThatWasAskedFor) {
  auto memory = NewMemoryFileSystem();
  FaultFileSystem fs(memory.get());
  auto file = Create(&fs, "/a.log");
  FaultFileSystem::Plan plan;
  plan.kinds = FaultFileSystem::kAppend;
  plan.path_contains = ".log";
  plan.nth = 2;
  plan.error_number = ENOSPC;
  plan.partial_bytes = 3;
  fs.Arm(plan);
  EXPECT_TRUE(Create(&fs, "/b.sst")->Append("not a log").ok());
  EXPECT_TRUE(file->Append("one").ok());
  const Status failure = file->Append("two two");
  EXPECT_TRUE(failure.IsNoSpace());
  EXPECT_TRUE(file->Append("three").ok());
  EXPECT_EQ(Content(memory.get(), "/a.log"), "onetwothree");
  EXPECT_EQ(fs.failures(), 1u);
  EXPECT_EQ(fs.calls(FaultFileSystem::kAppend), 4u);
}

TEST(FaultFileSystem, FailsForGoodUntilItIsDisarmed) {
  auto memory = NewMemoryFileSystem();
  FaultFileSystem fs(memory.get());
  FaultFileSystem::Plan plan;
  plan.kinds = FaultFileSystem::kAnyWrite;
  plan.forever = true;
  fs.Arm(plan);
  EXPECT_FALSE(fs.NewWritableFile("/a", FileOptions()).ok());
  EXPECT_FALSE(fs.CreateDir("/d").ok());
  EXPECT_FALSE(fs.RenameFile("/a", "/b").ok());
  EXPECT_TRUE(fs.FileExists("/a").IsNotFound());  // Reading works.
  fs.Disarm();
  auto file = fs.NewWritableFile("/a", FileOptions());
  ASSERT_TRUE(file.ok());
  for (uint32_t kind : {FaultFileSystem::kSync, FaultFileSystem::kTruncate, FaultFileSystem::kClose,
                        FaultFileSystem::kRangeSync, FaultFileSystem::kAllocate}) {
    plan.kinds = kind;
    plan.forever = false;
    fs.Arm(plan);
    const bool ok = (*file)->Sync().ok() && (*file)->Truncate(0).ok() &&
                    (*file)->RangeSync(0, 1).ok() && (*file)->Allocate(0, 1).ok() &&
                    (kind != FaultFileSystem::kClose || (*file)->Close().ok());
    EXPECT_FALSE(ok) << kind;
    fs.Disarm();
  }
}

}  // namespace
}  // namespace skarn
