// That the checks of the power-cut tests can fail: each invariant is broken on purpose, and the
// fault must be found under its number.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "core/version/file_names.h"
#include "tests/crash/fault_run.h"
#include "tests/crash/lying_file_system.h"
#include "tests/crash/recovery_check.h"

namespace skarn {
namespace {

using Loss = CrashFileSystem::Loss;

const Workload& WorkloadNamed(const std::string& name) {
  const auto found =
      std::find_if(Workloads().begin(), Workloads().end(),
                   [&name](const Workload& workload) { return workload.name == name; });
  EXPECT_NE(found, Workloads().end());
  return *found;
}
size_t OperationsOf(const void* disk) {
  return static_cast<const CrashFileSystem*>(disk)->OperationCount();
}
std::string Text(const std::vector<Fault>& faults) {
  std::string text;
  for (const Fault& fault : faults) text += Concat("I", fault.invariant, ": ", fault.what, "\n");
  return text;
}
bool Has(const std::vector<Fault>& faults, int invariant) {
  return std::any_of(faults.begin(), faults.end(),
                     [invariant](const Fault& fault) { return fault.invariant == invariant; });
}

// A workload that was played to its end, and the disk it left.
class Played {
 public:
  explicit Played(const std::string& name)
      : workload_(WorkloadNamed(name)),
        player_(workload_, /*seed=*/1, &disk_, &OperationsOf, &disk_) {
    const Status s = player_.Play();
    EXPECT_TRUE(s.ok()) << s.ToString();
  }

  const Workload& workload() const { return workload_; }
  const History& history() const { return player_.history(); }
  CrashFileSystem& disk() { return disk_; }
  Expectation All() const {
    return ExpectationAt(history(), disk_.OperationCount(), /*only_killed=*/true);
  }
  // Changes the database as it stands through the engine itself.
  void Change(const std::function<void(OpenDatabase*)>& change,
              const std::string& path = kDatabasePath) {
    OpenDatabase database;
    const Status s = database.Open(&disk_, workload_, /*create=*/false, {}, path);
    ASSERT_TRUE(s.ok()) << s.ToString();
    change(&database);
  }
  void Put(const std::string& family, const std::string& key, const std::string& value) {
    Change([&](OpenDatabase* database) {
      ASSERT_TRUE(
          database->db()
              ->Put(WriteOptions(), database->handles().at(family).get(), key, Slice(), value)
              .ok());
    });
  }
  std::vector<Fault> Faults(bool thorough = true, const Genuine* genuine = nullptr) {
    const RecoveryCheck check(workload_, history(), genuine);
    return check.Check(&disk_, All(), thorough, genuine != nullptr).faults;
  }

 private:
  const Workload& workload_;
  CrashFileSystem disk_;
  Player player_;
};

TEST(RecoveryChecks, FindNothingWhereNothingIsWrong) {
  for (const Workload& workload : Workloads()) {
    Played played(workload.name);
    const std::vector<Fault> faults = played.Faults();
    EXPECT_TRUE(faults.empty()) << workload.name << "\n" << Text(faults);
  }
}

TEST(RecoveryChecks, FindAPromisedBatchThatIsGone) {
  Played played("synced_and_unsynced");
  // An early state, held against what was promised at the end.
  const auto early =
      played.disk().AfterPowerCut(played.history().begun[20], Loss::kEverything, /*seed=*/1);
  const RecoveryCheck check(played.workload(), played.history(), nullptr);
  EXPECT_TRUE(Has(check.Check(early.get(), played.All(), false, false).faults, 1));
}

TEST(RecoveryChecks, FindWhatNoPrefixOfHistoryMade) {
  Played played("synced_and_unsynced");
  played.Put("default", "k99", "nobody wrote this");
  const std::vector<Fault> faults = played.Faults();
  EXPECT_TRUE(Has(faults, 2)) << Text(faults);
}

TEST(RecoveryChecks, FindHalfABatch) {
  Played played("synced_and_unsynced");
  played.Put("second", kCounterKey, "7");
  const std::vector<Fault> faults = played.Faults();
  EXPECT_TRUE(Has(faults, 3)) << Text(faults);
}

TEST(RecoveryChecks, FindAnOldValueThatIsBack) {
  Played played("synced_and_unsynced");
  // Some key that had another value once.
  const Content& now = played.history().moments.back().at("default");
  std::string key, old;
  for (const Moment& moment : played.history().moments) {
    if (moment.count("default") == 0) continue;
    for (const auto& [candidate, value] : moment.at("default")) {
      if (candidate == kCounterKey) continue;
      const auto current = now.find(candidate);
      if (current == now.end() || current->second != value) key = candidate, old = value;
    }
  }
  ASSERT_FALSE(key.empty());
  played.Put("default", key, old);
  const std::vector<Fault> faults = played.Faults();
  EXPECT_TRUE(Has(faults, 4)) << Text(faults);
}

TEST(RecoveryChecks, FindADroppedColumnFamilyThatIsBack) {
  Played played("column_families");
  std::string dropped;
  for (const History::Family& family : played.history().families) {
    if (family.dropped != kNever) dropped = family.name;
  }
  ASSERT_FALSE(dropped.empty());
  played.Change([&](OpenDatabase* database) { ASSERT_TRUE(database->Create(dropped).ok()); });
  const std::vector<Fault> faults = played.Faults();
  EXPECT_TRUE(Has(faults, 4)) << Text(faults);
}

TEST(RecoveryChecks, FindHalfAnAtomicFlush) {
  Played played("atomic_flush_without_log");
  // Without a log, and flushed alone: the other family stays behind.
  Workload apart = played.workload();
  apart.change = [](DbOptions*, ColumnFamilyOptions*) {};
  OpenDatabase database;
  ASSERT_TRUE(database.Open(&played.disk(), apart, /*create=*/false).ok());
  WriteOptions unlogged;
  unlogged.disable_wal = true;
  ASSERT_TRUE(database.db()
                  ->Put(unlogged, database.handles().at("second").get(), kCounterKey, Slice(), "3")
                  .ok());
  FlushOptions flush;
  flush.wait = false;
  ASSERT_TRUE(database.db()->Flush(flush, {database.handles().at("second").get()}).ok());
  (void)database.Close().ok();
  const std::vector<Fault> faults = played.Faults();
  EXPECT_TRUE(Has(faults, 5)) << Text(faults);
}

TEST(RecoveryChecks, FindSequenceNumbersThatWentBack) {
  Played played("synced_and_unsynced");
  // The same content, but written at once into a new database: with fewer numbers.
  CrashFileSystem disk;
  OpenDatabase database;
  ASSERT_TRUE(database.Open(&disk, played.workload(), /*create=*/true, {"default", "second"}).ok());
  WriteBatch batch;
  for (const auto& [name, content] : played.history().moments.back()) {
    for (const auto& [key, value] : content) {
      ASSERT_TRUE(batch.Put(database.handles().at(name)->id(), key, value).ok());
    }
  }
  ASSERT_TRUE(database.db()->Write(WriteOptions(), &batch).ok());
  (void)database.Close().ok();
  const RecoveryCheck check(played.workload(), played.history(), nullptr);
  const std::vector<Fault> faults = check.Check(&disk, played.All(), true, false).faults;
  EXPECT_TRUE(Has(faults, 6)) << Text(faults);
  EXPECT_EQ(faults.size(), 1u) << Text(faults);
}

TEST(RecoveryChecks, FindADeadFile) {
  Played played("flush_and_compaction");
  ASSERT_TRUE(
      WriteStringToFile(&played.disk(), "dead", TableFileName(kDatabasePath, 900), false).ok());
  const RecoveryCheck check(played.workload(), played.history(), nullptr);
  LyingFileSystem liar(&played.disk(), LyingFileSystem::Lie::kDeletions);
  std::vector<Fault> faults = check.Check(&played.disk(), played.All(), false, false, &liar).faults;
  EXPECT_TRUE(Has(faults, 7)) << Text(faults);
  // Opening deletes it where deletions happen.
  faults = check.Check(&played.disk(), played.All(), false, false).faults;
  EXPECT_TRUE(faults.empty()) << Text(faults);
}

TEST(RecoveryChecks, FindADamagedTable) {
  Played played("flush_and_compaction");
  std::vector<std::string> names;
  ASSERT_TRUE(played.disk().GetChildren(kDatabasePath, &names).ok());
  std::string table;
  for (const std::string& name : names) {
    if (Slice(name).EndsWith(".sst")) table = std::string(kDatabasePath) + "/" + name;
  }
  ASSERT_FALSE(table.empty());
  std::string content = *ReadFileToString(&played.disk(), table);
  content[content.size() / 4] = static_cast<char>(content[content.size() / 4] ^ 1);
  ASSERT_TRUE(WriteStringToFile(&played.disk(), content, table, false).ok());
  EXPECT_TRUE(Has(played.Faults(), 7));
}

TEST(RecoveryChecks, FindACheckpointOfAnotherMoment) {
  Played played("checkpoints");
  ASSERT_FALSE(played.history().checkpoints.empty());
  played.Change(
      [](OpenDatabase* database) {
        ASSERT_TRUE(database->db()
                        ->Put(WriteOptions(), database->handles().at("second").get(), "k11",
                              Slice(), "later")
                        .ok());
      },
      played.history().checkpoints.front().path);
  const std::vector<Fault> faults = played.Faults();
  EXPECT_TRUE(Has(faults, 8)) << Text(faults);
}

// What recovery claims to have made durable is not; a second cut must show it.
TEST(RecoveryChecks, FindARecoveryThatDoesNotSync) {
  Played played("reopens");
  const auto cut = played.disk().AfterPowerCut(played.history().begun[20], Loss::kNothing, 1);
  LyingFileSystem liar(cut.get(), LyingFileSystem::Lie::kFileSyncs);
  {
    OpenDatabase database;
    Workload flushing = played.workload();
    flushing.change = [](DbOptions*, ColumnFamilyOptions*) {};
    ASSERT_TRUE(database.Open(&liar, flushing, /*create=*/false).ok());
  }
  Expectation expectation = ExpectationAt(played.history(), played.history().begun[20], true);
  expectation.second_recovery = true;
  const RecoveryCheck check(played.workload(), played.history(), nullptr);
  bool found = false;
  for (uint64_t seed = 1; seed < 30; ++seed) {
    const auto again = cut->AfterPowerCut(cut->OperationCount(), Loss::kAnything, seed);
    const RecoveryCheck::Outcome outcome = check.Check(again.get(), expectation, false, false);
    found = found || !outcome.faults.empty() || outcome.manifest_refused;
  }
  EXPECT_TRUE(found);
}

TEST(RecoveryChecks, FindWhatGenuineCannotRead) {
  const std::unique_ptr<Genuine> genuine = Genuine::Load();
  if (genuine == nullptr) GTEST_SKIP();
  Played played("flush_and_compaction");
  EXPECT_EQ(Text(played.Faults(/*thorough=*/false, genuine.get())), "");
  // Tables of a version that genuine 7.8 does not know.
  OpenDatabase database;
  Workload newer = played.workload();
  newer.change = [](DbOptions*, ColumnFamilyOptions* family) {
    family->table_factory.block_based.format_version = 7;
  };
  ASSERT_TRUE(database.Open(&played.disk(), newer, /*create=*/false).ok());
  CompactRangeOptions compact;
  compact.bottommost_level_compaction = BottommostLevelCompaction::kForce;
  for (const auto& [name, handle] : database.handles()) {
    ASSERT_TRUE(database.db()->CompactRange(compact, handle.get(), nullptr, nullptr).ok());
  }
  (void)database.Close().ok();
  const std::vector<Fault> faults = played.Faults(/*thorough=*/false, genuine.get());
  EXPECT_TRUE(Has(faults, 10)) << Text(faults);
}

// The whole test, with a file system that lies: some cut must show it.
class LyingDisk : public ::testing::TestWithParam<LyingFileSystem::Lie> {};

TEST_P(LyingDisk, IsFoundOut) {
  const Workload& workload = WorkloadNamed("flush_and_compaction");
  CrashFileSystem disk;
  LyingFileSystem liar(&disk, GetParam());
  Player player(workload, /*seed=*/1, &liar, &OperationsOf, &disk);
  ASSERT_TRUE(player.Play().ok());
  const RecoveryCheck check(workload, player.history(), nullptr);
  size_t faults = 0, refused = 0;
  for (size_t cut = player.history().opened; cut <= disk.OperationCount(); cut += 3) {
    for (const Loss loss : {Loss::kNothing, Loss::kEverything, Loss::kTail}) {
      const auto after = disk.AfterPowerCut(cut, loss, cut);
      const Expectation expectation = ExpectationAt(player.history(), cut, loss == Loss::kNothing);
      const RecoveryCheck::Outcome outcome = check.Check(after.get(), expectation, false, false);
      faults += outcome.faults.size();
      refused += outcome.manifest_refused;
    }
  }
  printf("%zu faults, %zu refused\n", faults, refused);
  EXPECT_GT(faults, 0u);
}

INSTANTIATE_TEST_SUITE_P(EachLie, LyingDisk,
                         ::testing::Values(LyingFileSystem::Lie::kFileSyncs,
                                           LyingFileSystem::Lie::kDirectorySyncs,
                                           LyingFileSystem::Lie::kLogWrites));

// A call that is not made although it succeeds: nobody tells, but what follows must show it.
TEST(FaultRuns, FindWhatFailedInSilence) {
  for (const uint32_t kinds : {FaultFileSystem::kAppend, FaultFileSystem::kSync}) {
    size_t violations = 0;
    for (uint64_t nth = 1; nth < 60; nth += 2) {
      FaultFileSystem::Plan plan;
      plan.kinds = kinds;
      plan.nth = nth;
      plan.silent = true;
      plan.path_contains = kinds == FaultFileSystem::kAppend ? "" : ".log";
      plan.forever = kinds == FaultFileSystem::kSync;
      FaultRun run(WorkloadNamed("synced_and_unsynced"), /*seed=*/1, plan);
      (void)run.Go();
      violations += run.violations().size();
    }
    EXPECT_GT(violations, 0u);
  }
}

// One seed gives one history, byte for byte, and one disk after each cut.
TEST(Replay, IsTheSameEveryTime) {
  for (const Workload& workload : Workloads()) {
    CrashFileSystem disks[2];
    std::string texts[2];
    for (int i = 0; i < 2; ++i) {
      Player player(workload, /*seed=*/5, &disks[i], &OperationsOf, &disks[i]);
      ASSERT_TRUE(player.Play().ok());
      for (size_t at = 0; at < disks[i].OperationCount(); ++at) {
        texts[i] += disks[i].DescribeOperation(at) + "\n";
      }
    }
    EXPECT_EQ(texts[0], texts[1]) << workload.name;
  }
}

}  // namespace
}  // namespace skarn
