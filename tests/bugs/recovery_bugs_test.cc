// Bugs of recovery, of logs and of the MANIFEST.

#include "core/version/file_names.h"
#include "tests/bugs/known_bugs.h"
#include "tests/crash/genuine.h"

namespace skarn {
namespace {

// The disk is full in the middle of a record of the MANIFEST, at each of its bytes.
TEST_F(KnownBugs, Row01AFullDiskInTheMiddleOfTheManifestLeavesADatabaseThatOpens) {
  for (size_t bytes = 0; bytes < 120; bytes += 3) {
    path_ = "/db" + std::to_string(bytes);
    Open();
    ASSERT_OK(Put("a", "1"));
    ASSERT_OK(Flush());
    ASSERT_OK(Put("b", "2"));
    FaultFileSystem::Plan plan;
    plan.kinds = FaultFileSystem::kAppend;
    plan.path_contains = "MANIFEST";
    plan.error_number = ENOSPC;
    plan.forever = true;
    plan.partial_bytes = bytes;
    faults_->Arm(plan);
    EXPECT_FALSE(Flush().ok());
    faults_->Disarm();
    Open();
    EXPECT_EQ(Scan(), "a->1 b->2") << bytes << " bytes";
  }
}

TEST_F(KnownBugs, Row02FiveCrashesInARowLeaveADatabaseThatOpens) {
  Open();
  for (int i = 0; i < 40; ++i) ASSERT_OK(PutSynced("key" + std::to_string(i), "v"));
  const std::string all = Scan();
  ASSERT_OK(Put("unsynced", "v"));
  CutPower(Loss::kTail, 7);
  for (int crash = 0; crash < 5; ++crash) {
    Open();
    const std::string found = Scan();
    ASSERT_TRUE(found == all || found == all + " unsynced->v") << found;
    // Within the recovery, and after it.
    auto within = disk_->AfterPowerCut(disk_->OperationCount() / 2, Loss::kTail, crash + 1);
    CutPower(Loss::kEverything);
  }
  Open();
  ASSERT_OK(PutSynced("after", "v"));
}

TEST_F(KnownBugs, Row06BestEffortsRecoveryTellsAReadErrorInsteadOfAnOlderState) {
  Open();
  ASSERT_OK(Put("a", "1"));
  ASSERT_OK(Flush());
  ASSERT_OK(Put("a", "2"));
  ASSERT_OK(Flush());
  CloseDb();
  options_.best_efforts_recovery = true;
  FailNext(FaultFileSystem::kRead, "MANIFEST", EIO, /*forever=*/true);
  const Status failed = TryOpen();
  EXPECT_TRUE(failed.IsIoError()) << failed.ToString();
  faults_->Disarm();
  Open();
  EXPECT_EQ(Get("a"), "2");
}

// A copy of a directory must not go on with the logs of the original.
TEST_F(KnownBugs, Row11ACopiedDirectoryDoesNotTouchTheLogsOfTheOriginal) {
  options_.wal_dir = "/logs";
  Open();
  ASSERT_OK(Put("a", "1"));
  ASSERT_OK(Flush());
  ASSERT_OK(Put("b", "unflushed"));
  CloseDb();
  ASSERT_OK(disk_->CreateDirIfMissing("/copy"));
  std::vector<std::string> names;
  ASSERT_OK(disk_->GetChildren("/db", &names));
  for (const std::string& name : names) {
    if (name == "LOCK") continue;
    ASSERT_OK(CopyFile(disk_.get(), "/db/" + name, "/copy/" + name, 0, false));
  }
  const auto logs = [this] {
    std::string text;
    std::vector<std::string> found;
    EXPECT_OK(disk_->GetChildren("/logs", &found));
    std::sort(found.begin(), found.end());
    for (const std::string& name : found)
      text += name + *ReadFileToString(disk_.get(), "/logs/" + name);
    return text;
  };
  const std::string before = logs();
  options_.wal_dir.clear();
  path_ = "/copy";
  Open();
  EXPECT_EQ(Scan(), "a->1");
  ASSERT_OK(Put("c", "1"));
  CloseDb();
  EXPECT_EQ(logs(), before);
  options_.wal_dir = "/logs";
  path_ = "/db";
  Open();
  EXPECT_EQ(Scan(), "a->1 b->unflushed");
}

TEST_F(KnownBugs, Row13FlushingTheLogByHandBetweenSyncsAndSwitchesDamagesNothing) {
  options_.manual_wal_flush = true;
  Open({"default", "second"});
  Random random(13);
  std::map<std::string, std::string> expected;
  size_t synced = 0;
  std::vector<std::map<std::string, std::string>> states = {expected};
  for (int i = 0; i < 300; ++i) {
    const std::string key = "key" + std::to_string(random.Uniform(50));
    const std::string value = std::to_string(i) + std::string(random.Uniform(2000), 'v');
    const bool sync = random.OneIn(10);
    ASSERT_OK(sync ? PutSynced(key, value) : Put(key, value));
    expected[key] = value;
    states.push_back(expected);
    if (sync) synced = states.size() - 1;
    if (random.OneIn(7)) {
      const bool durable = random.OneIn(2);
      ASSERT_OK(db_->FlushWal(durable));
      if (durable) synced = states.size() - 1;
    }
    if (random.OneIn(30)) {
      ASSERT_OK(Flush());
      synced = states.size() - 1;
    }
  }
  CutPower(Loss::kTail, 3);
  Open({"default", "second"});
  std::map<std::string, std::string> found;
  const auto iterator = db_->NewIterator(ReadOptions(), cf(0));
  for (iterator->SeekToFirst(); iterator->valid(); iterator->Next()) {
    found[iterator->key().ToString()] = iterator->value().ToString();
  }
  ASSERT_OK(iterator->status());
  bool is_prefix = false;
  for (size_t i = synced; i < states.size(); ++i) is_prefix = is_prefix || states[i] == found;
  EXPECT_TRUE(is_prefix);
}

TEST_F(KnownBugs, Row19ACrashRightAfterRecoveryIsRecoveredFrom) {
  for (const bool keeps_in_memory : {false, true}) {
    options_.avoid_flush_during_recovery = keeps_in_memory;
    path_ = keeps_in_memory ? "/db-memory" : "/db-flush";
    Open({"default", "second"});
    ASSERT_OK(Put("a", "1"));
    ASSERT_OK(Flush());
    ASSERT_OK(PutSynced("b", "2", 1));
    ASSERT_OK(Put("c", "3"));
    for (int crash = 0; crash < 4; ++crash) {
      CutPower(crash % 2 == 0 ? Loss::kTail : Loss::kEverything, crash + 1);
      Open({"default", "second"});
      ASSERT_EQ(Scan(1).substr(0, 4), "b->2");
      ASSERT_EQ(Get("a"), "1");
      ASSERT_OK(PutSynced("round" + std::to_string(crash), "x"));
    }
    CutPower(Loss::kEverything);
    Open({"default", "second"});
    for (int crash = 0; crash < 4; ++crash) {
      EXPECT_EQ(Get("round" + std::to_string(crash)), "x");
    }
  }
}

TEST_F(KnownBugs, Row20RecoveryWithoutFlushingKeepsTheLogsItNeeds) {
  options_.avoid_flush_during_recovery = true;
  std::map<std::string, std::string> expected;
  for (int round = 0; round < 6; ++round) {
    Open({"default", "second"});
    for (const auto& [key, value] : expected) ASSERT_EQ(Get(key), value) << round;
    for (int i = 0; i < 10; ++i) {
      const std::string key = "key" + std::to_string(round * 7 + i);
      ASSERT_OK(Put(key, std::to_string(round)));
      expected[key] = std::to_string(round);
    }
    if (round % 2 == 1) ASSERT_OK(Flush(1));
    if (round % 3 == 2) ASSERT_OK(Flush());
    CutPower(Loss::kNothing);
  }
  Open({"default", "second"});
  for (const auto& [key, value] : expected) EXPECT_EQ(Get(key), value);
}

TEST_F(KnownBugs, Row21TrackedLogsAreMissedWhenGoneAndRaiseNoFalseAlarm) {
  options_.track_and_verify_wals_in_manifest = true;
  Open({"default", "second"});
  for (int i = 0; i < 30; ++i) {
    ASSERT_OK(i % 5 == 0 ? PutSynced("k" + std::to_string(i), "v")
                         : Put("k" + std::to_string(i), "v"));
    if (i % 7 == 0) ASSERT_OK(db_->SyncWal());
    if (i % 11 == 0) ASSERT_OK(db_->FlushWal(/*sync=*/true));
    if (i % 13 == 0) ASSERT_OK(Flush(1));
  }
  CutPower(Loss::kEverything);
  Open({"default", "second"});
  EXPECT_EQ(Get("k29"), "NOT_FOUND");
  EXPECT_EQ(Get("k28"), "v");  // Covered by the sync after it.
  // A synced log that is not the current one, and that the other family needs.
  ASSERT_OK(PutSynced("x", "needed", 1));
  // Older ones may still wait for their purge.
  const std::string needed = FilesOnDisk(".log").back();
  ASSERT_OK(PutSynced("x", "flushed"));
  ASSERT_OK(Flush());
  ASSERT_OK(db_->SyncWal());
  CutPower(Loss::kNothing);
  ASSERT_OK(disk_->DeleteFile(path_ + "/" + needed));
  const Status missing = TryOpen({"default", "second"});
  EXPECT_TRUE(missing.IsCorruption()) << missing.ToString();
}

TEST_F(KnownBugs, Row22FilesMadeAfterADropAreDurable) {
  Open({"default", "second"});
  ASSERT_OK(db_->DropColumnFamily(cf(1)));
  ASSERT_OK(Put("a", "1"));
  ASSERT_OK(Flush());
  ASSERT_OK(PutSynced("b", "2"));
  CutPower(Loss::kEverything);
  Open();
  EXPECT_EQ(Scan(), "a->1 b->2");
}

TEST_F(KnownBugs, Row23TheSwitchOfCurrentIsDurable) {
  options_.max_manifest_file_size = 1;
  options_.max_manifest_space_amp_pct = 0;
  Open();
  for (int i = 0; i < 5; ++i) {
    // Each of these begins a new MANIFEST and deletes the old one.
    auto created = db_->CreateColumnFamily(family_options_, "family" + std::to_string(i));
    ASSERT_TRUE(created.ok()) << created.status().ToString();
    created->reset();
    const auto disk = disk_->AfterPowerCut(disk_->OperationCount(), Loss::kEverything, 1);
    Env env;
    env.file_system = disk.get();
    env.clock = SystemClock();
    env.thread_pool = SystemThreadPool();
    DbOptions options;
    options.env = &env;
    const auto names = Db::ListColumnFamilies(options, path_);
    ASSERT_TRUE(names.ok()) << names.status().ToString();
    EXPECT_EQ(names->size(), static_cast<size_t>(i) + 2);
  }
}

// Old records of a log that is written again must stay old, whatever the option says next time.
TEST_F(KnownBugs, Row33RecycledLogsShowNoOldRecordsWhenTheOptionChanges) {
  std::map<std::string, std::string> expected;
  for (int round = 0; round < 8; ++round) {
    options_.recycle_log_file_num = round % 3 == 0 ? 2 : 0;
    Open();
    for (const auto& [key, value] : expected) ASSERT_EQ(Get(key), value) << "round " << round;
    std::map<std::string, std::string> last = expected;
    for (int i = 0; i < 30; ++i) {
      const std::string key = "key" + std::to_string(i % 7),
                        value = std::to_string(round * 100 + i);
      ASSERT_OK(Put(key, value));
      last[key] = value;
      if (i % 10 == 9) ASSERT_OK(Flush());
    }
    ASSERT_OK(PutSynced("key0", "synced" + std::to_string(round)));
    last["key0"] = "synced" + std::to_string(round);
    expected = last;
    CutPower(Loss::kTail, static_cast<uint64_t>(round) + 1);
  }
  Open();
  for (const auto& [key, value] : expected) EXPECT_EQ(Get(key), value);
}

TEST_F(KnownBugs, Row36RecycledLogsMayBeCompressed) {
  options_.recycle_log_file_num = 2;
  options_.wal_compression = CompressionType::kZstd;
  Open();
  Random random(36);
  for (int i = 0; i < 200; ++i) {
    ASSERT_OK(Put("key" + std::to_string(i % 20),
                  std::to_string(i) + std::string(random.Uniform(3000), 'x')));
    if (i % 25 == 24) ASSERT_OK(Flush());
  }
  ASSERT_OK(PutSynced("last", "1"));
  CutPower(Loss::kTail, 5);
  Open();
  EXPECT_EQ(Get("last"), "1");
  for (int i = 180; i < 200; ++i) {
    EXPECT_EQ(Get("key" + std::to_string(i % 20)).substr(0, 3), std::to_string(i));
  }
}

TEST_F(KnownBugs, Row45GenuineReleasesReadTheManifest) {
  const std::unique_ptr<Genuine> genuine = Genuine::Load();
  if (genuine == nullptr) GTEST_SKIP();
  family_options_.table_factory.block_based.format_version = 5;
  Open({"default", "second"});
  for (int i = 0; i < 40; ++i) {
    ASSERT_OK(Put("key" + std::to_string(i % 9), std::to_string(i), i % 2));
    if (i % 6 == 5) ASSERT_OK(DeleteRange("key1", "key3", i % 2));
    if (i % 8 == 7) ASSERT_OK(Flush(i % 2));
    if (i == 20) ASSERT_OK(CompactAll());
  }
  const std::string expected = Scan() + "|" + Scan(1);
  CloseDb();
  Moment found;
  const Status status = genuine->ReadCopy(disk_.get(), path_, &found);
  ASSERT_TRUE(status.ok()) << status.ToString();
  std::string text;
  for (const std::string name : {"default", "second"}) {
    if (name == "second") text += "|";
    for (const auto& [key, value] : found[name]) {
      if (!text.empty() && text.back() != '|') text += ' ';
      text += key + "->" + value;
    }
  }
  EXPECT_EQ(text, expected);
}

TEST_F(KnownBugs, Row46AnArchivedLogStaysWhenTheClockGoesBack) {
  TestClock clock(SystemClock()->NowMicros());
  disk_env_.clock = &clock;
  options_.WAL_ttl_seconds = 3600;
  Open();
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK(Put("a", std::to_string(i)));
    ASSERT_OK(Flush());
  }
  const auto archived = [this] {
    std::vector<std::string> names;
    (void)disk_->GetChildren(path_ + "/archive", &names).ok();
    return names.size();
  };
  const size_t before = archived();
  ASSERT_GT(before, 0u);
  clock.SetMicros(clock.NowMicros() - uint64_t{86400} * 1000000);
  ASSERT_OK(Put("a", "3"));
  ASSERT_OK(Flush());
  ASSERT_OK(db_->DisableFileDeletions());
  ASSERT_OK(db_->EnableFileDeletions());  // Purges all.
  EXPECT_GE(archived(), before);
  // Forward they go when they are old enough.
  clock.SetMicros(SystemClock()->NowMicros() + uint64_t{86400} * 1000000);
  ASSERT_OK(db_->DisableFileDeletions());
  ASSERT_OK(db_->EnableFileDeletions());
  EXPECT_EQ(archived(), 0u);
  CloseDb();  // Before its clock goes.
}

TEST_F(KnownBugs, Row47BestEffortsRecoveryFindsTheNewestStateThatIsComplete) {
  Open();
  ASSERT_OK(Put("a", "1"));
  ASSERT_OK(DeleteRange("x", "z"));
  ASSERT_OK(Flush());
  ASSERT_OK(Put("a", "2"));
  ASSERT_OK(Flush());
  CloseDb();
  const std::vector<std::string> tables = FilesOnDisk(".sst");
  ASSERT_EQ(tables.size(), 2u);
  ASSERT_OK(disk_->DeleteFile(path_ + "/" + tables.back()));
  options_.best_efforts_recovery = true;
  Open();
  EXPECT_EQ(Scan(), "a->1");
  ASSERT_OK(Put("a", "3"));
  ASSERT_OK(Flush());
  options_.best_efforts_recovery = false;
  Open();
  EXPECT_EQ(Scan(), "a->3");
}

TEST_F(KnownBugs, Row51AColumnFamilyWithoutANameIsKeptOrRefused) {
  Open();
  auto created = db_->CreateColumnFamily(family_options_, "");
  if (!created.ok()) {
    EXPECT_FALSE(created.status().ToString().empty());
    return;
  }
  ASSERT_OK(db_->Put(write_, created->get(), "k", Slice(), "v"));
  created->reset();
  CloseDb();
  Open({"default", ""});
  EXPECT_EQ(Get("k", 1), "v");
}

TEST_F(KnownBugs, Row54ClosingAReadOnlyOpenDeletesNothingOfTheWriter) {
  Open();
  ASSERT_OK(Put("a", "1"));
  ASSERT_OK(Flush());
  std::unique_ptr<Db> reader;
  std::vector<std::unique_ptr<ColumnFamilyHandle>> handles;
  {
    Db::OpenRequest request;
    request.options = options_;
    request.path = path_;
    request.mode = Db::Mode::kReadOnly;
    request.column_families.push_back({"default", family_options_});
    auto opened = Db::Open(std::move(request), &handles);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    reader = std::move(*opened);
  }
  // Files that the reader does not know, a log that it has seen grow.
  ASSERT_OK(Put("b", "2"));
  ASSERT_OK(Flush());
  ASSERT_OK(Put("c", "3"));
  // The flush has ended when the log that it made useless is gone.
  for (uint64_t running = 1; running != 0;) {
    ASSERT_TRUE(db_->GetIntProperty(handles_[0].get(), "rocksdb.num-running-flushes", &running));
  }
  const std::vector<std::string> tables = FilesOnDisk(".sst"), logs = FilesOnDisk(".log");
  handles.clear();
  reader.reset();
  EXPECT_EQ(FilesOnDisk(".sst"), tables);
  EXPECT_EQ(FilesOnDisk(".log"), logs);
  EXPECT_EQ(Scan(), "a->1 b->2 c->3");
  Open();
  EXPECT_EQ(Scan(), "a->1 b->2 c->3");
}

// The log that another family keeps holds an older value than the file.
TEST_F(KnownBugs, Row55AnOlderLoggedValueDoesNotHideANewerUnloggedOne) {
  Open({"default", "second"});
  ASSERT_OK(PutSynced("keeps the log", "1", 1));
  ASSERT_OK(PutSynced("k", "logged"));
  ASSERT_OK(PutUnlogged("k", "unlogged"));
  ASSERT_OK(PutSynced("deleted", "logged"));
  WriteOptions unlogged;
  unlogged.disable_wal = true;
  ASSERT_OK(db_->Delete(unlogged, cf(0), "deleted", Slice()));
  ASSERT_OK(Flush());
  for (const Loss loss : {Loss::kNothing, Loss::kEverything}) {
    CutPower(loss);
    Open({"default", "second"});
    EXPECT_EQ(Scan(), "k->unlogged");
    EXPECT_EQ(Scan(1), "keeps the log->1");
  }
}

}  // namespace
}  // namespace skarn
