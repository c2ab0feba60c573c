#include "core/version/version_set.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <set>
#include <thread>

#include "core/base/coding.h"
#include "core/env/crash_file_system.h"
#include "core/env/fault_file_system.h"
#include "core/version/manifest_replay.h"
#include "tests/unit/version/version_fixture.h"

namespace skarn {
namespace {

VersionEdit AddFile(int level, uint64_t number, const std::string& key) {
  VersionEdit edit;
  edit.AddFile(level, MakeFile(number, key, key));
  return edit;
}

TEST(VersionSet, WhatWasAppliedIsThereAfterReopening) {
  auto fs = NewMemoryFileSystem();
  TestSet set(fs.get());
  ASSERT_TRUE(set.Open().ok());
  EXPECT_EQ(set->manifest_file_number(), 1u);
  EXPECT_EQ(set->db_id(), "test-id");
  VersionEdit edit = AddFile(0, 10, "a");
  edit.AddFile(3, MakeFile(11, "b", "c", 222));
  edit.log_number = 9;
  edit.compact_cursors.emplace_back(2, PackKey("m", 1));
  edit.blob_additions.push_back({12, 3, 300, "", ""});
  edit.new_files[0].second.oldest_blob_file = 12;
  ASSERT_TRUE(set.Apply(edit).ok());
  EXPECT_EQ(set.Shape(), "0:10 3:11");
  edit = VersionEdit();
  edit.blob_garbage.push_back({12, 1, 100});
  edit.DeleteFile(3, 11);
  edit.AddFile(4, MakeFile(11, "b", "c", 222));
  edit.min_log_number_to_keep = 8;
  ASSERT_TRUE(set.Apply(edit).ok());
  EXPECT_EQ(*ReadFileToString(fs.get(), "/db/CURRENT"),
            ManifestFileName("", set->manifest_file_number()).substr(1) + "\n");
  const uint64_t next = set->next_file_number();

  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(set.Open().ok());
    EXPECT_EQ(set.Shape(), "0:10 4:11");
    EXPECT_EQ(set->last_sequence(), 222u);
    EXPECT_EQ(set->Find(uint32_t{0})->log_number(), 9u);
    EXPECT_EQ(set->Find(uint32_t{0})->next_epoch_number(), 12u);
    EXPECT_EQ(set->min_log_number_to_keep(), 8u);
    EXPECT_EQ(set.current()->storage().compact_cursor(2), PackKey("m", 1));
    EXPECT_EQ(set.current()->storage().blob_files().at(12)->garbage_bytes, 100u);
    EXPECT_GT(set->next_file_number(), next);
    EXPECT_EQ(set->db_id(), "test-id");
    // A new MANIFEST with a snapshot of all that.
    ASSERT_TRUE(set.Apply(VersionEdit()).ok());
  }
}

TEST(VersionSet, OldManifestsBecomeObsoleteWhenANewOneIsInPlace) {
  auto fs = NewMemoryFileSystem();
  TestSet set(fs.get());
  ASSERT_TRUE(set.Open().ok());
  ASSERT_TRUE(set.Apply(VersionEdit()).ok());
  std::vector<ObsoleteTable> tables;
  std::vector<ObsoleteBlob> blobs;
  std::vector<std::string> manifests;
  set->TakeObsoleteFiles(&tables, &blobs, &manifests, UINT64_MAX);
  EXPECT_EQ(manifests, std::vector<std::string>{"MANIFEST-000001"});
  const uint64_t number = set->manifest_file_number();
  ASSERT_TRUE(set.Apply(VersionEdit()).ok());
  EXPECT_EQ(set->manifest_file_number(), number);
  MutexLock lock(set.mutex());
  VersionEdit edit;
  ASSERT_TRUE(set->LogAndApply({FamilyEdits{set->Find(uint32_t{0}), {&edit}}}, set.directory(),
                               /*atomic=*/false, /*new_manifest=*/true)
                  .ok());
  EXPECT_GT(set->manifest_file_number(), number);
}

TEST(VersionSet, RollsTheManifestWhenItIsMuchLargerThanItsContent) {
  auto fs = NewMemoryFileSystem();
  TestSet set(fs.get());
  set.db_options()->max_manifest_file_size = 4000;
  set.db_options()->max_manifest_space_amp_pct = 0;
  ASSERT_TRUE(set.Open().ok());
  std::set<uint64_t> manifests;
  for (uint64_t i = 0; i < 200; ++i) {
    VersionEdit edit = AddFile(1, 100 + i, std::to_string(1000 + i));
    if (i >= 5) edit.DeleteFile(1, 100 + i - 5);
    ASSERT_TRUE(set.Apply(edit).ok());
    manifests.insert(set->manifest_file_number());
  }
  EXPECT_GT(manifests.size(), 3u);
  EXPECT_LT(manifests.size(), 50u);
  EXPECT_LT(set->manifest_file_size(), 5000u);
  EXPECT_EQ(set->manifest_file_size(),
            *fs->FileSize(ManifestFileName("/db", set->manifest_file_number())));
  const std::string shape = set.Shape();
  ASSERT_TRUE(set.Open().ok());
  EXPECT_EQ(set.Shape(), shape);
}

TEST(VersionSet, ColumnFamiliesComeAndGo) {
  auto fs = NewMemoryFileSystem();
  TestSet set(fs.get());
  ASSERT_TRUE(set.Open().ok());
  {
    MutexLock lock(set.mutex());
    for (const char* name : {"users", "log"}) {
      FamilySpec spec{name, set.family_options()};
      auto family = set->AddColumnFamily(spec, /*log_number=*/7, set.directory());
      ASSERT_TRUE(family.ok());
      EXPECT_EQ((*family)->log_number(), 7u);
    }
  }
  ASSERT_TRUE(set.Apply(AddFile(0, 20, "u"), 1).ok());
  EXPECT_EQ(*VersionSet::ListColumnFamilies(fs.get(), "/db"),
            (std::vector<std::string>{"default", "users", "log"}));
  EXPECT_EQ(set.Open({"default"}).ToString(),
            "Invalid argument: Column families not opened: users, log");
  EXPECT_EQ(set.Open({"default", "users", "log", "extra"}).ToString(),
            "Invalid argument: Column family not found: extra");
  EXPECT_TRUE(set.Open({"default", "log"}, /*read_only=*/true).ok());
  EXPECT_EQ(set->families().size(), 2u);

  ASSERT_TRUE(set.Open({"default", "users", "log"}).ok());
  EXPECT_EQ(set.Shape(1), "0:20");
  ColumnFamilyVersions* users = set->Find("users");
  users->Ref();  // As a handle does.
  Version* version = users->current();
  version->Ref();  // As an iterator does.
  {
    MutexLock lock(set.mutex());
    ASSERT_TRUE(set->DropColumnFamily(users, set.directory()).ok());
    EXPECT_TRUE(users->dropped());
    EXPECT_EQ(set->Find("users"), nullptr);
    EXPECT_TRUE(set->DropColumnFamily(users, set.directory()).IsColumnFamilyDropped());
    VersionEdit edit;
    EXPECT_TRUE(set->LogAndApply(users, &edit, set.directory()).IsColumnFamilyDropped());
    // Still readable, and its files live.
    EXPECT_EQ(users->current()->storage().file_count(0), 1);
    users->Unref();
  }
  std::vector<ObsoleteTable> tables;
  std::vector<ObsoleteBlob> blobs;
  std::vector<std::string> manifests;
  set->TakeObsoleteFiles(&tables, &blobs, &manifests, UINT64_MAX);
  EXPECT_TRUE(tables.empty());
  version->Unref();
  set->TakeObsoleteFiles(&tables, &blobs, &manifests, UINT64_MAX);
  ASSERT_EQ(tables.size(), 1u);
  EXPECT_EQ(tables[0].path, "/db/000020.sst");

  // Ids are not used twice, even after reopening.
  ASSERT_TRUE(set.Open({"default", "log"}).ok());
  MutexLock lock(set.mutex());
  FamilySpec spec{"users", set.family_options()};
  auto family = set->AddColumnFamily(spec, 9, set.directory());
  ASSERT_TRUE(family.ok());
  EXPECT_EQ((*family)->id(), 3u);
}

TEST(VersionSet, FilesBecomeObsoleteWithTheLastVersionThatHoldsThem) {
  auto fs = NewMemoryFileSystem();
  TestSet set(fs.get());
  ASSERT_TRUE(set.Open().ok());
  VersionEdit edit = AddFile(1, 10, "a");
  edit.new_files[0].second.oldest_blob_file = 11;
  edit.blob_additions.push_back({11, 1, 100, "", ""});
  ASSERT_TRUE(set.Apply(edit).ok());
  Version* old = set.current();
  old->Ref();
  edit = VersionEdit();
  edit.DeleteFile(1, 10);
  ASSERT_TRUE(set.Apply(edit).ok());
  EXPECT_EQ(set->Find(uint32_t{0})->version_count(), 2u);
  EXPECT_EQ(set->Find(uint32_t{0})->TotalTableBytesOfAllVersions(), 1000u);
  std::vector<ObsoleteTable> tables;
  std::vector<ObsoleteBlob> blobs;
  std::vector<std::string> manifests;
  std::vector<uint64_t> live, live_blobs;
  set->AddLiveFiles(&live, &live_blobs);
  EXPECT_EQ(live, std::vector<uint64_t>{10});
  EXPECT_EQ(live_blobs, std::vector<uint64_t>{11});
  set->TakeObsoleteFiles(&tables, &blobs, &manifests, UINT64_MAX);
  EXPECT_TRUE(tables.empty() && blobs.empty());
  old->Unref();
  EXPECT_EQ(set->MinObsoleteTableNumber(), 10u);
  set->TakeObsoleteFiles(&tables, &blobs, &manifests, /*min_pending_output=*/10);
  EXPECT_TRUE(tables.empty());  // A job that is still writing may use the number.
  set->TakeObsoleteFiles(&tables, &blobs, &manifests, UINT64_MAX);
  ASSERT_EQ(tables.size(), 1u);
  ASSERT_EQ(blobs.size(), 1u);
  EXPECT_EQ(blobs[0].path, "/db/000011.blob");
  EXPECT_EQ(set->Find(uint32_t{0})->version_count(), 1u);
}

TEST(VersionSet, TracksLogs) {
  auto fs = NewMemoryFileSystem();
  TestSet set(fs.get());
  ASSERT_TRUE(set.Open().ok());
  VersionEdit edit;
  edit.wal_additions = {{5, 100}, {6, 10}, {7, std::nullopt}};
  ASSERT_TRUE(set.Apply(edit).ok());
  edit = VersionEdit();
  edit.min_log_number_to_keep = 6;
  edit.wal_deletion = 6;
  ASSERT_TRUE(set.Apply(edit).ok());
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(set->tracked_wals().size(), 2u);
    EXPECT_EQ(set->tracked_wals().at(6), 10u);
    ASSERT_TRUE(set.Open().ok());
    ASSERT_TRUE(set.Apply(VersionEdit()).ok());
  }
  EXPECT_EQ(set->CheckTrackedWals({}).ToString(), "Corruption: Missing WAL with log number: 6.");
  ASSERT_TRUE(WriteStringToFile(fs.get(), "short", "/db/000006.log", false).ok());
  EXPECT_EQ(
      set->CheckTrackedWals({{6, "/db/000006.log"}}).ToString(),
      "Corruption: Size mismatch: WAL (log number: 6) in MANIFEST is 10 bytes , but actually is 5 "
      "bytes on disk.");
  ASSERT_TRUE(WriteStringToFile(fs.get(), "long enough", "/db/000006.log", false).ok());
  EXPECT_TRUE(set->CheckTrackedWals({{6, "/db/000006.log"}}).ok());
}

// --- What recovery refuses ---

// A MANIFEST of these edits, under CURRENT.
void WriteManifest(FileSystem* fs, const std::vector<std::string>& records) {
  ASSERT_TRUE(fs->CreateDirIfMissing("/db").ok());
  auto file = fs->NewWritableFile("/db/MANIFEST-000005", FileOptions());
  LogWriter log(std::make_unique<FileWriter>(std::move(*file), "/db/MANIFEST-000005", FileOptions(),
                                             FileWriter::Options()),
                LogWriter::Options());
  for (const std::string& record : records) ASSERT_TRUE(log.AddRecord(record).ok());
  ASSERT_TRUE(log.Close().ok());
  ASSERT_TRUE(WriteStringToFile(fs, "MANIFEST-000005\n", "/db/CURRENT", false).ok());
}
void WriteManifest(FileSystem* fs, const std::vector<VersionEdit>& edits) {
  std::vector<std::string> records;
  for (const VersionEdit& edit : edits) {
    std::string bytes;
    ASSERT_TRUE(edit.EncodeTo(&bytes).ok());
    records.push_back(bytes);
  }
  WriteManifest(fs, records);
}
VersionEdit Base() {
  VersionEdit edit;
  edit.log_number = 4;
  edit.next_file_number = 50;
  edit.last_sequence = 7;
  return edit;
}
VersionEdit InGroup(VersionEdit edit, uint32_t remaining) {
  edit.remaining_in_group = remaining;
  return edit;
}
constexpr char kSuffix[] = "  The file /db/MANIFEST-000005 may be corrupted.";

TEST(VersionSet, ReportsWhatAManifestLacksOrBreaks) {
  VersionEdit no_log = Base(), nothing, unknown_family, drop, add, comparator;
  no_log.log_number.reset();
  unknown_family.column_family = 9;
  drop.column_family = 9;
  drop.column_family_drop = true;
  add.column_family = 1;
  add.column_family_add = "default";
  comparator.comparator = "other";
  const struct {
    std::vector<VersionEdit> edits;
    std::string text;
  } cases[] = {
      {{},
       std::string(
           "Corruption: no log_file_number, next_file_number, last_sequence entry in MANIFEST") +
           kSuffix},
      {{no_log}, std::string("Corruption: no log_file_number entry in MANIFEST") + kSuffix},
      {{Base(), unknown_family},
       std::string("Corruption: MANIFEST record referencing unknown column family") + kSuffix},
      {{Base(), drop},
       std::string("Corruption: MANIFEST - dropping non-existing column family") + kSuffix},
      {{Base(), add},
       std::string("Corruption: MANIFEST adding the same column family twice: default") + kSuffix},
      {{Base(), comparator},
       "Invalid argument: leveldb.BytewiseComparator: does not match existing comparator other"},
      {{Base(), AddFile(8, 9, "a")},
       "Invalid argument: db has more levels than options.num_levels"},
      {{Base(), InGroup(AddFile(0, 9, "a"), 1), AddFile(0, 10, "a")},
       std::string("Corruption: corrupted atomic group") + kSuffix},
      {{Base(), InGroup(AddFile(0, 9, "a"), 2), InGroup(AddFile(0, 10, "a"), 0)},
       std::string("Corruption: corrupted atomic group") + kSuffix},
      {{Base(), AddFile(1, 9, "a"), AddFile(1, 10, "a")},
       std::string(
           "Corruption: force_consistency_checks: VersionBuilder: L1 has overlapping ranges: file "
           "#9 "
           "largest key: '61' seq:100, type:1 vs. file #10 smallest key: '61' seq:100, type:1") +
           kSuffix},
      {{Base(), InGroup(AddFile(0, 9, "a"), 1)}, "OK"},  // Incomplete: as if it were not there.
      {{Base(), InGroup(AddFile(0, 9, "a"), 1), InGroup(AddFile(0, 10, "a"), 0)}, "OK"},
  };
  for (const auto& c : cases) {
    auto fs = NewMemoryFileSystem();
    WriteManifest(fs.get(), c.edits);
    TestSet set(fs.get());
    EXPECT_EQ(set.Open().ToString(), c.text);
  }
  auto fs = NewMemoryFileSystem();
  WriteManifest(fs.get(), std::vector<VersionEdit>{Base(), InGroup(AddFile(0, 9, "a"), 1)});
  TestSet set(fs.get());
  ASSERT_TRUE(set.Open().ok());
  EXPECT_EQ(set.Shape(), "");
  EXPECT_EQ(set->next_file_number(), 51u);
}

TEST(VersionSet, MeetsDamageAsDocumented) {
  std::string base, file;
  ASSERT_TRUE(Base().EncodeTo(&base).ok());
  ASSERT_TRUE(AddFile(0, 9, "a").EncodeTo(&file).ok());
  const auto open = [](const std::string& bytes, std::string* shape) {
    auto fs = NewMemoryFileSystem();
    EXPECT_TRUE(fs->CreateDirIfMissing("/db").ok());
    EXPECT_TRUE(WriteStringToFile(fs.get(), bytes, "/db/MANIFEST-000005", false).ok());
    EXPECT_TRUE(WriteStringToFile(fs.get(), "MANIFEST-000005\n", "/db/CURRENT", false).ok());
    TestSet set(fs.get());
    const std::string text = set.Open().ToString();
    if (text == "OK") *shape = set.Shape();
    return text;
  };
  auto fs = NewMemoryFileSystem();
  WriteManifest(fs.get(), std::vector<std::string>{base, file});
  const std::string whole = *ReadFileToString(fs.get(), "/db/MANIFEST-000005");
  const size_t first = base.size() + 7;
  std::string shape;
  for (size_t size = first; size < whole.size(); ++size) {
    EXPECT_EQ(open(whole.substr(0, size), &shape), "OK") << size;
    EXPECT_EQ(shape, "");
  }
  EXPECT_EQ(open(whole + std::string(100, '\0'), &shape), "OK");
  EXPECT_EQ(shape, "0:9");
  EXPECT_EQ(open(whole + "xyz", &shape), "OK");
  EXPECT_EQ(shape, "0:9");
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string flipped = whole;
    flipped[i] ^= 0x10;
    const std::string text = open(flipped, &shape);
    // A length that reaches past the end is an incomplete tail.
    if (text == "OK") {
      EXPECT_TRUE(i == first + 4 || i == first + 5) << i;
    } else {
      EXPECT_NE(text.find("Corruption: "), std::string::npos) << text;
      EXPECT_NE(text.find(kSuffix), std::string::npos) << text;
    }
  }
  const auto with_tag = [&](uint32_t tag) {
    std::string record;
    PutVarint32(&record, tag);
    PutLengthPrefixed(&record, "abc");
    auto other = NewMemoryFileSystem();
    WriteManifest(other.get(), std::vector<std::string>{base, record});
    TestSet set(other.get());
    return set.Open().ToString();
  };
  EXPECT_EQ(with_tag(9000), "OK");
  EXPECT_EQ(with_tag(500), std::string("Corruption: VersionEdit: unknown tag") + kSuffix);
}

TEST(VersionSet, NamesTheProblemOfCurrent) {
  auto fs = NewMemoryFileSystem();
  WriteManifest(fs.get(), std::vector<VersionEdit>{Base()});
  ASSERT_TRUE(fs->DeleteFile("/db/MANIFEST-000005").ok());
  TestSet set(fs.get());
  EXPECT_EQ(set.Open().ToString(),
            "IO error: No such file or directory: While opening a file for sequentially reading: "
            "/db/MANIFEST-000005: No such file or directory");
}

TEST(VersionSet, AMissingOrShortTableFailsTheOpening) {
  auto fs = NewMemoryFileSystem();
  WriteManifest(fs.get(), std::vector<VersionEdit>{Base(), AddFile(0, 9, "a")});
  TestSet set(fs.get());
  EXPECT_EQ(
      set.Open({"default"}, false, /*open_tables=*/true).ToString(),
      std::string(
          "Corruption: Corruption: IO error: No such file or directory: While open a file for "
          "random read: /db/000009.sst: No such file or directory") +
          kSuffix);
  ASSERT_TRUE(WriteStringToFile(fs.get(), "short", "/db/000009.sst", false).ok());
  EXPECT_EQ(
      set.Open({"default"}, false, /*open_tables=*/true).ToString(),
      std::string(
          "Corruption: Sst file size mismatch between expected 1000 and file system 5 sstable: "
          "/db/000009.sst") +
          kSuffix);
}

TEST(VersionSet, BestEffortsFindTheNewestStateWhoseFilesExist) {
  auto fs = NewMemoryFileSystem();
  VersionEdit move;
  move.DeleteFile(0, 9);
  move.AddFile(1, MakeFile(11, "a", "b"));
  WriteManifest(fs.get(),
                std::vector<VersionEdit>{Base(), AddFile(0, 9, "a"), AddFile(0, 10, "a"), move});
  const std::string content(1000, 'x');
  ASSERT_TRUE(WriteStringToFile(fs.get(), content, "/db/000009.sst", false).ok());
  ASSERT_TRUE(WriteStringToFile(fs.get(), content, "/db/000010.sst", false).ok());
  ASSERT_TRUE(fs->DeleteFile("/db/CURRENT").ok());
  TestSet set(fs.get());
  const auto recover = [&](bool* incomplete) {
    set.CloseSet();
    set.NewSet();
    VersionSet::RecoverRequest request;
    request.families.push_back({"default", set.family_options()});
    request.open_tables = false;
    MutexLock lock(set.mutex());
    return set->RecoverBestEfforts(request, nullptr, incomplete);
  };
  bool incomplete = false;
  ASSERT_TRUE(recover(&incomplete).ok());
  EXPECT_TRUE(incomplete);
  EXPECT_EQ(set.Shape(), "0:10,9");
  ASSERT_TRUE(WriteStringToFile(fs.get(), content, "/db/000011.sst", false).ok());
  ASSERT_TRUE(recover(&incomplete).ok());
  EXPECT_FALSE(incomplete);
  EXPECT_EQ(set.Shape(), "0:10 1:11");
  ASSERT_TRUE(fs->DeleteFile("/db/MANIFEST-000005").ok());
  EXPECT_EQ(recover(&incomplete).ToString(), "Corruption: Cannot locate MANIFEST file in /db");
}

// --- Failures and crashes ---

// Each call that changes the disk fails once. Whatever happens, the state in memory is that
// of the edits that succeeded, later edits work, and so does reopening.
TEST(VersionSet, AFailedWriteLeavesTheStateAsItWasAndTheNextOneSucceeds) {
  for (uint64_t nth = 1; nth < 60; ++nth) {
    auto memory = NewMemoryFileSystem();
    FaultFileSystem fs(memory.get());
    TestSet set(&fs);
    set.db_options()->max_manifest_file_size = 600;
    set.db_options()->max_manifest_space_amp_pct = 0;
    ASSERT_TRUE(set.Open().ok());
    FaultFileSystem::Plan plan;
    plan.kinds = FaultFileSystem::kAnyWrite;
    plan.nth = nth;
    plan.partial_bytes = nth * 7 % 50;
    fs.Arm(plan);
    std::vector<uint64_t> expected;
    uint64_t failed_last = 0;  // Nothing after it replaced the MANIFEST that may hold it.
    bool failed = false;
    for (uint64_t i = 0; i < 12; ++i) {
      const Status s = set.Apply(AddFile(1, 100 + i, std::to_string(1000 + i)));
      if (s.ok()) {
        expected.push_back(100 + i);
        failed_last = 0;
      } else {
        failed = true;
        failed_last = 100 + i;
        EXPECT_TRUE(s.IsIoError()) << s.ToString();
        std::vector<uint64_t> live, blobs;
        set->AddLiveFiles(&live, &blobs);
        // The MANIFEST that failed may name it.
        EXPECT_NE(std::find(live.begin(), live.end(), 100 + i), live.end());
      }
    }
    const auto numbers = [&set] {
      std::vector<uint64_t> found;
      for (const FileMetadata* file : set.current()->storage().level(1))
        found.push_back(file->number);
      return found;
    };
    SCOPED_TRACE(nth);
    EXPECT_EQ(numbers(), expected);
    fs.Disarm();
    ASSERT_TRUE(set.Open().ok());
    if (failed_last != 0 && numbers() != expected) expected.push_back(failed_last);
    EXPECT_EQ(numbers(), expected);
    if (fs.failures() == 0) {
      EXPECT_FALSE(failed);
      EXPECT_GT(nth, 20u);
      return;
    }
  }
}

// A power cut after any change to the disk, with any loss: what was acknowledged is there.
TEST(VersionSet, WhatWasAcknowledgedSurvivesAnyPowerCut) {
  CrashFileSystem fs;
  std::vector<std::pair<size_t, uint64_t>> acknowledged;  // Operations so far, file number.
  size_t created = 0;
  {
    TestSet set(&fs);
    set.db_options()->max_manifest_file_size = 700;
    set.db_options()->max_manifest_space_amp_pct = 0;
    ASSERT_TRUE(set.Open().ok());
    created = fs.OperationCount();
    for (uint64_t i = 0; i < 15; ++i) {
      ASSERT_TRUE(set.Apply(AddFile(1, 100 + i, std::to_string(1000 + i))).ok());
      acknowledged.emplace_back(fs.OperationCount(), 100 + i);
      std::vector<ObsoleteTable> tables;
      std::vector<ObsoleteBlob> blobs;
      std::vector<std::string> manifests;
      set->TakeObsoleteFiles(&tables, &blobs, &manifests, UINT64_MAX);
      for (const std::string& name : manifests) ASSERT_TRUE(fs.DeleteFile("/db/" + name).ok());
    }
  }
  size_t recoveries = 0;
  for (size_t cut = created; cut <= fs.OperationCount(); ++cut) {
    for (const auto loss : {CrashFileSystem::Loss::kNothing, CrashFileSystem::Loss::kEverything,
                            CrashFileSystem::Loss::kTail, CrashFileSystem::Loss::kAnything}) {
      for (uint64_t seed = 1; seed <= 3; ++seed) {
        auto disk = fs.AfterPowerCut(cut, loss, seed);
        TestSet set(disk.get());
        const Status s = set.Open();
        ASSERT_TRUE(s.ok()) << s.ToString() << " after " << cut << " "
                            << (cut > 0 ? fs.DescribeOperation(cut - 1) : "");
        std::set<uint64_t> found;
        for (const FileMetadata* file : set.current()->storage().level(1))
          found.insert(file->number);
        uint64_t expected = 100;
        for (const auto& [operations, number] : acknowledged) {
          if (operations <= cut) {
            ASSERT_EQ(found.count(number), 1u) << "cut " << cut;
            expected = number;
          }
        }
        // At most the edit under way is there too.
        for (uint64_t number : found) ASSERT_LE(number, expected + 1);
        ASSERT_TRUE(set.Apply(AddFile(2, 900, "z")).ok());
        ++recoveries;
      }
    }
  }
  EXPECT_GT(recoveries, 500u);
}

TEST(VersionSet, ManyThreadsApplyEditsAtOnce) {
  auto fs = NewMemoryFileSystem();
  TestSet set(fs.get());
  set.db_options()->max_manifest_file_size = 20000;
  ASSERT_TRUE(set.Open().ok());
  {
    MutexLock lock(set.mutex());
    ASSERT_TRUE(set->AddColumnFamily({"two", set.family_options()}, 0, set.directory()).ok());
  }
  constexpr uint64_t kThreads = 4, kEdits = 60;
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&set, t] {
      for (uint64_t i = 0; i < kEdits; ++i) {
        const uint64_t number = 1000 * (t + 1) + i;
        VersionEdit a = AddFile(1, number, std::to_string(number)),
                    b = AddFile(2, number + 500, std::to_string(number));
        MutexLock lock(set.mutex());
        if (i % 2 == 0) {
          ASSERT_TRUE(set->LogAndApply(set->Find(uint32_t{0}), &a, set.directory()).ok());
        } else {
          ASSERT_TRUE(set->LogAndApply({FamilyEdits{set->Find(uint32_t{0}), {&a}},
                                        FamilyEdits{set->Find(uint32_t{1}), {&b}}},
                                       set.directory(), /*atomic=*/true)
                          .ok());
        }
        Version* version = set->Find(uint32_t{1})->current();
        version->Ref();
        lock.Unlock();
        ASSERT_LE(version->storage().file_count(2), static_cast<int>(kThreads * kEdits));
        version->Unref();
        lock.Lock();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(set.current(0)->storage().file_count(1), static_cast<int>(kThreads * kEdits));
    EXPECT_EQ(set.current(1)->storage().file_count(2), static_cast<int>(kThreads * kEdits / 2));
    ASSERT_TRUE(set.Open({"default", "two"}).ok());
  }
}

TEST(VersionSet, FollowsTheManifestOfAnotherProcess) {
  auto fs = NewMemoryFileSystem();
  TestSet primary(fs.get());
  ASSERT_TRUE(primary.Open().ok());
  ASSERT_TRUE(primary.Apply(AddFile(1, 10, "a")).ok());
  TestSet secondary(fs.get());
  ASSERT_TRUE(secondary.Open({"default"}, /*read_only=*/true).ok());
  EXPECT_EQ(secondary.Shape(), "1:10");
  const FileMetadata* known = secondary.current()->storage().level(1)[0];
  std::vector<ColumnFamilyVersions*> changed;
  const auto catch_up = [&] {
    changed.clear();
    MutexLock lock(secondary.mutex());
    return secondary->CatchUp(&changed);
  };
  ASSERT_TRUE(catch_up().ok());
  EXPECT_TRUE(changed.empty());
  // The file does not exist: the edit cannot be followed yet.
  ASSERT_TRUE(primary.Apply(AddFile(1, 11, "b")).ok());
  ASSERT_TRUE(catch_up().ok());
  EXPECT_TRUE(changed.empty());
  EXPECT_EQ(secondary.Shape(), "1:10");
  VersionEdit edit;
  edit.DeleteFile(1, 11);
  ASSERT_TRUE(primary.Apply(edit).ok());
  (void)known;
}

TEST(VersionSet, ClosingRewritesAManifestThatWasDamagedMeanwhile) {
  auto fs = NewMemoryFileSystem();
  TestSet set(fs.get());
  ASSERT_TRUE(set.Open().ok());
  ASSERT_TRUE(set.Apply(AddFile(1, 10, "a")).ok());
  const std::string path = ManifestFileName("/db", set->manifest_file_number());
  {
    MutexLock lock(set.mutex());
    ASSERT_TRUE(set->Close(set.directory()).ok());
  }
  EXPECT_EQ(*fs->FileSize(path), set->manifest_file_size());
  ASSERT_TRUE(set.Open().ok());
  ASSERT_TRUE(set.Apply(AddFile(1, 11, "b")).ok());
  const uint64_t number = set->manifest_file_number();
  ASSERT_TRUE(fs->Truncate(ManifestFileName("/db", number), 20).ok());
  {
    MutexLock lock(set.mutex());
    ASSERT_TRUE(set->Close(set.directory()).ok());
  }
  EXPECT_GT(set->manifest_file_number(), number);
  ASSERT_TRUE(set.Open().ok());
  EXPECT_EQ(set.Shape(), "1:10,11");
}

// The reference tool reads what is written here.
TEST(VersionSet, TheReferenceToolReadsItsManifests) {
  if (std::system("command -v ldb >/dev/null 2>&1") != 0) GTEST_SKIP() << "ldb is not installed";
  std::string directory = testing::TempDir() + "skarn-manifest-XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  TestSet set(PosixFileSystem(), 1000, directory);
  ASSERT_TRUE(set.Open().ok());
  {
    MutexLock lock(set.mutex());
    ASSERT_TRUE(set->AddColumnFamily({"users", set.family_options()}, 3, set.directory()).ok());
  }
  VersionEdit edit = AddFile(0, 20, "k1");
  FileRecord rich = MakeFile(21, "m", "n");
  rich.checksum = "1234";
  rich.checksum_function = "FileChecksumCrc32c";
  rich.temperature = Temperature::kWarm;
  rich.unique_id[0] = 77;
  rich.tail_size_bytes = 50;
  rich.oldest_blob_file = 30;
  edit.AddFile(5, rich);
  edit.blob_additions.push_back({30, 5, 420, "", ""});
  ASSERT_TRUE(set.Apply(edit).ok());
  ASSERT_TRUE(set.Apply(AddFile(0, 22, "u"), 1).ok());
  ASSERT_TRUE(set.Open({"default", "users"}).ok());
  ASSERT_TRUE(set.Apply(VersionEdit()).ok());  // A snapshot.
  const std::string command =
      Concat("ldb manifest_dump --verbose --path=",
             ManifestFileName(directory, set->manifest_file_number()), " 2>&1");
  FILE* pipe = popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string output;
  char buffer[4096];
  for (size_t n = 0; (n = fread(buffer, 1, sizeof(buffer), pipe)) > 0;) output.append(buffer, n);
  EXPECT_EQ(pclose(pipe), 0) << output;
  for (const char* part : {"20:1000", "21:1000", "22:1000", "users", "blob_file:30"}) {
    EXPECT_NE(output.find(part), std::string::npos) << part << " is not in\n" << output;
  }
  EXPECT_EQ(output.find("orruption"), std::string::npos) << output;
}

}  // namespace
}  // namespace skarn
