// Bugs of taking in table files from outside beside writes, flushes and compactions.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "core/env/file_system_wrapper.h"
#include "core/manage/sst_file_writer.h"
#include "tests/bugs/known_bugs.h"

namespace skarn {
namespace {

using Model = std::map<std::string, std::string>;

// Holds up the first who makes a file whose path contains a text, until the gate is opened.
class GateFileSystem final : public FileSystemWrapper {
 public:
  explicit GateFileSystem(FileSystem* target) : FileSystemWrapper(target) {}

  Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path,
                                                        const FileOptions& options) override {
    {
      std::unique_lock<std::mutex> lock(mu_);
      if (!closed_for_.empty() && path.find(closed_for_) != std::string::npos) {
        closed_for_.clear();
        held_ = true;
        changed_.notify_all();
        changed_.wait(lock, [this] { return !held_; });
      }
    }
    return FileSystemWrapper::NewWritableFile(path, options);
  }

  void Close(const std::string& text) {
    const std::lock_guard<std::mutex> lock(mu_);
    closed_for_ = text;
  }
  void WaitUntilSomebodyIsHeld() {
    std::unique_lock<std::mutex> lock(mu_);
    changed_.wait(lock, [this] { return held_; });
  }
  void Open() {
    const std::lock_guard<std::mutex> lock(mu_);
    held_ = false;
    changed_.notify_all();
  }

 private:
  std::mutex mu_;
  std::condition_variable changed_;
  std::string closed_for_;
  bool held_ = false;
};

struct Table {
  struct Point {
    EntryKind kind = EntryKind::kValue;
    std::string value = "";
  };
  std::map<std::string, Point> points;
  std::vector<std::pair<std::string, std::string>> ranges;

  // All entries of a file have one sequence number, so its ranges leave its points alone.
  void ApplyTo(Model* model) const {
    for (const auto& [begin, end] : ranges) {
      model->erase(model->lower_bound(begin), model->lower_bound(end));
    }
    for (const auto& [key, point] : points) {
      if (point.kind == EntryKind::kDeletion) {
        model->erase(key);
      } else {
        (*model)[key] = point.value;
      }
    }
  }
};

class IngestBugs : public KnownBugs {
 protected:
  IngestBugs() {
    disk_env_.file_system = &gate_;
    write_options_.env = &disk_env_;
    EXPECT_OK(gate_.CreateDirIfMissing("/outside"));
    family_options_.level_compaction_dynamic_level_bytes = false;
  }
  ~IngestBugs() override { CloseDb(); }

  std::string Write(const Table& table) {
    const std::string path = "/outside/" + std::to_string(++tables_) + ".sst";
    SstFileWriter writer(write_options_, family_options_);
    EXPECT_OK(writer.Open(path));
    for (const auto& [key, point] : table.points) {
      EXPECT_OK(writer.Add(point.kind, key, Slice(), point.value));
    }
    for (const auto& [begin, end] : table.ranges) EXPECT_OK(writer.DeleteRange(begin, end));
    EXPECT_OK(writer.Finish());
    return path;
  }
  Status Ingest(const std::vector<Table>& tables) {
    std::vector<std::string> paths;
    for (const Table& table : tables) paths.push_back(Write(table));
    return db_->IngestExternalFiles(cf(0), paths, IngestOptions());
  }
  Status Ingest(const std::string& key, const std::string& value) {
    Table table;
    table.points[key].value = value;
    return Ingest({table});
  }
  Status CompactTo(int level) {
    CompactRangeOptions options;
    options.change_level = true;
    options.target_level = level;
    return db_->CompactRange(options, cf(0), nullptr, nullptr);
  }
  void EveryEditMakesAManifest() {
    options_.max_manifest_file_size = 1;
    options_.max_manifest_space_amp_pct = 0;
  }
  // So that others come as far as they can; what they wait for cannot be waited for.
  static void LetOthersRun() { std::this_thread::sleep_for(std::chrono::milliseconds(100)); }
  size_t Count() {
    const auto iterator = db_->NewIterator(ReadOptions(), cf(0));
    size_t count = 0;
    for (iterator->SeekToFirst(); iterator->valid(); iterator->Next()) ++count;
    EXPECT_OK(iterator->status());
    return count;
  }
  // Everything that can be asked says the same: scans both ways, gets of all keys and neighbours.
  void ExpectShows(const Model& model, const std::string& when) {
    std::string all;
    for (const auto& [key, value] : model) {
      all += (all.empty() ? "" : " ") + key + "->" + value;
    }
    ASSERT_EQ(Scan(), all) << when;
    for (const std::string& key : keys_) {
      const auto at = model.find(key);
      ASSERT_EQ(Get(key), at == model.end() ? "NOT_FOUND" : at->second) << when << ": " << key;
    }
  }
  // A step of a random history: a write, a flush, a compaction, one or more files from outside.
  void RandomStep(Random* random, Model* model, std::string* what) {
    const auto key = [&] { return keys_[random->Uniform(keys_.size())]; };
    const std::string value = std::to_string(++values_);
    switch (random->Uniform(10)) {
      case 0:
      case 1: {
        const std::string put = key();
        *what = "put " + put;
        ASSERT_OK(Put(put, value));
        (*model)[put] = value;
        return;
      }
      case 2: {
        const std::string deleted = key();
        *what = "delete " + deleted;
        ASSERT_OK(Delete(deleted));
        model->erase(deleted);
        return;
      }
      case 3: {
        const std::string begin = key(), end = key();
        if (!(begin < end)) return;
        *what = "delete from " + begin + " to " + end;
        ASSERT_OK(DeleteRange(begin, end));
        model->erase(model->lower_bound(begin), model->lower_bound(end));
        return;
      }
      case 4:
        *what = "flush";
        ASSERT_OK(Flush());
        return;
      case 5: {
        const std::string begin = key(), end = key();
        const Slice from = begin, to = end;
        *what = "compact from " + begin + " to " + end;
        if (begin < end) ASSERT_OK(db_->CompactRange(CompactRangeOptions(), cf(0), &from, &to));
        return;
      }
      default:
        break;
    }
    std::vector<Table> tables(1 + random->Uniform(2));
    for (Table& table : tables) {
      for (uint64_t i = random->Uniform(4); i > 0; --i) {
        const bool deletion = random->OneIn(4);
        table.points[key()] = {deletion ? EntryKind::kDeletion : EntryKind::kValue,
                               deletion ? "" : value};
      }
      for (uint64_t i = random->Uniform(3); i > 0 || table.points.empty(); i -= i > 0) {
        const std::string begin = key(), end = key();
        if (begin < end) table.ranges.push_back({begin, end});
        if (!table.ranges.empty() && i == 0) break;
      }
      table.ApplyTo(model);
      *what += "ingest";
      for (const auto& [begin, end] : table.ranges) *what += " [" + begin + ", " + end + ")";
      for (const auto& [point, entry] : table.points) {
        *what += (entry.kind == EntryKind::kDeletion ? " -" : " ") + point;
      }
      *what += "; ";
    }
    ASSERT_OK(Ingest(tables));
  }

  GateFileSystem gate_{faults_.get()};
  DbOptions write_options_;
  // Many are a prefix of the next.
  const std::vector<std::string> keys_ = {"a",   "aa", "aab", "ab", "b", "ba", "bb", "bba",
                                          "bbb", "c",  "ca",  "cc", "d", "e",  "ee", "f"};
  int tables_ = 0;
  int values_ = 0;
};

TEST_F(IngestBugs, Row10TheBoundsOfAnIngestedFileAreThoseOfItsKeysAndRanges) {
  family_options_.disable_auto_compactions = true;
  Open();
  Model model;
  for (const std::string& key : keys_) {
    ASSERT_OK(Put(key, "old"));
    model[key] = "old";
  }
  ASSERT_OK(Flush());
  ASSERT_OK(CompactTo(5));
  // The first file's range reaches beyond its keys on both sides and ends where the second begins.
  Table first, second, ranges_only;
  first.points["ba"].value = "first";
  first.ranges = {{"aa", "bb"}};
  second.points["bb"].value = "second";
  second.points["c"].kind = EntryKind::kDeletion;
  ranges_only.ranges = {{"ca", "d"}, {"d", "e"}};
  for (const Table* table : {&first, &second, &ranges_only}) table->ApplyTo(&model);
  ASSERT_OK(Ingest({second, ranges_only, first}));
  ExpectShows(model, "after taking in");
  EXPECT_EQ(Levels(), "0,0,0,0,3,1");  // None overlaps another.
  ColumnFamilyMetadata metadata;
  db_->GetColumnFamilyMetadata(cf(0), &metadata);
  std::string bounds;
  for (const LevelFile& file : metadata.levels[4].files) {
    bounds += file.smallest_user_key + "-" + file.largest_user_key + " ";
  }
  EXPECT_EQ(bounds, "aa-bb bb-c ca-e ");
  // A file whose first key is where a range of the level ends, and one that is inside.
  ASSERT_OK(Ingest("e", "third"));
  ASSERT_OK(Ingest("cc", "fourth"));
  model["e"] = "third";
  model["cc"] = "fourth";
  ExpectShows(model, "after more");
  Open();
  ExpectShows(model, "after opening again");
  ASSERT_OK(CompactAll());
  ExpectShows(model, "after a compaction");
}

TEST_F(IngestBugs, Row10RandomFilesWithRangesNeverMisorderALevel) {
  family_options_.table_factory.block_based.block_size = 1;  // Each entry in a block of its own.
  family_options_.num_levels = 4;
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    path_ = "/random" + std::to_string(seed);
    family_options_.disable_auto_compactions = seed % 3 != 0;
    family_options_.level0_file_num_compaction_trigger = 2 + static_cast<int>(seed % 4);
    Open();
    Random random(seed);
    Model model;
    for (int step = 0; step < 60; ++step) {
      std::string what;
      ASSERT_NO_FATAL_FAILURE(RandomStep(&random, &model, &what));
      if (step % 20 == 19) Open();
      ASSERT_NO_FATAL_FAILURE(ExpectShows(
          model, "seed " + std::to_string(seed) + " step " + std::to_string(step) + ": " + what));
    }
  }
}

// The memtable begins before the file from outside and ends after it, so the numbers of its table
// lie on both sides of the file's.
TEST_F(IngestBugs, Row25FilesWhoseNumbersOverlapKeepTheirOrderInLevel0) {
  family_options_.disable_auto_compactions = true;
  Open();
  ASSERT_OK(Put("k", "0"));
  ASSERT_OK(Flush());
  for (int round = 1; round <= 12; round += 3) {
    ASSERT_OK(Put("x" + std::to_string(round), "before"));
    ASSERT_OK(Ingest("k", std::to_string(round)));
    EXPECT_EQ(Get("k"), std::to_string(round));
    ASSERT_OK(Put("k", std::to_string(round + 1)));
    ASSERT_OK(Flush());
    EXPECT_EQ(Get("k"), std::to_string(round + 1));
    ASSERT_OK(Ingest("k", std::to_string(round + 2)));
    EXPECT_EQ(Get("k"), std::to_string(round + 2));
  }
  EXPECT_EQ(Levels(), "13");
  std::vector<LiveTable> tables;
  db_->GetLiveTables(&tables);
  uint64_t spanned = 0;
  for (const LiveTable& outer : tables) {
    for (const LiveTable& inner : tables) {
      spanned += outer.smallest_sequence < inner.smallest_sequence &&
                 inner.largest_sequence < outer.largest_sequence;
    }
  }
  EXPECT_GE(spanned, 4u) << "the numbers of no file lie among another's";
  Open();
  EXPECT_EQ(Get("k"), "12");
  ASSERT_OK(CompactAll());
  EXPECT_EQ(Get("k"), "12");
}

// The lowest level is so large that level 0 is merged among itself.
TEST_F(IngestBugs, Row25MergesWithinLevel0KeepIngestedFilesInOrder) {
  family_options_.level0_file_num_compaction_trigger = 3;
  family_options_.disable_auto_compactions = true;
  for (uint64_t seed = 1; seed <= 2; ++seed) {
    path_ = "/merges" + std::to_string(seed);
    Open();
    Random random(seed * 25);
    std::string big;
    for (int i = 0; i < 1000000; ++i) big += static_cast<char>(random.Next());
    Model model;
    for (const std::string& key : keys_) {
      ASSERT_OK(Put(key, key == "f" ? big : "old"));
      model[key] = key == "f" ? big : "old";
    }
    ASSERT_OK(Flush());
    ASSERT_OK(CompactTo(1));
    ASSERT_OK(db_->SetOptions(cf(0), {{"disable_auto_compactions", "false"}}));
    const std::string below = FilesOnDisk(".sst").at(0);
    for (int step = 0; step < 80; ++step) {
      const std::string key = keys_[random.Uniform(keys_.size() - 1)];
      const std::string value = std::to_string(step);
      if (random.OneIn(3)) {
        ASSERT_OK(Flush());
      } else if (random.OneIn(2)) {
        ASSERT_OK(Put(key, value));
        model[key] = value;
      } else {
        ASSERT_OK(Ingest(key, value));
        model[key] = value;
      }
      if (step % 20 == 19) ASSERT_OK(db_->WaitForCompact(WaitForCompactOptions()));
      if (step == 19) {
        EXPECT_EQ(FilesOnDisk(".sst").at(0), below) << "level 0 was not merged among itself";
        EXPECT_LT(FilesOnDisk(".sst").size(), 5u) << "nor left alone";
      }
      ASSERT_EQ(Get(key), model[key]) << "seed " << seed << " step " << step;
      if (step % 10 != 9) continue;
      ASSERT_NO_FATAL_FAILURE(
          ExpectShows(model, "seed " + std::to_string(seed) + " step " + std::to_string(step)));
    }
    Open();
    ASSERT_NO_FATAL_FAILURE(ExpectShows(model, "after opening again"));
  }
}

// The level that a compaction writes to cannot be looked into, so the file must come before it.
TEST_F(IngestBugs, Row26AFileBesideACompactionIsNewerThanWhatThatWrites) {
  family_options_.disable_auto_compactions = true;
  Open();
  Model model = {{"a", "1"}, {"b", "old"}, {"d", "1"}};
  for (const auto& [key, value] : model) ASSERT_OK(Put(key, value));
  ASSERT_OK(Flush());
  ASSERT_OK(CompactTo(1));
  for (const char* key : {"a", "d"}) {
    ASSERT_OK(Put(key, "2"));
    model[key] = "2";
  }
  ASSERT_OK(Flush());
  EXPECT_EQ(Levels(), "1,1");
  gate_.Close(".sst");
  std::thread compactor([&] { EXPECT_OK(CompactAll()); });
  gate_.WaitUntilSomebodyIsHeld();
  EXPECT_OK(Ingest("b", "new"));
  model["b"] = "new";
  ExpectShows(model, "beside the compaction");
  gate_.Open();
  compactor.join();
  ExpectShows(model, "after it");
  ASSERT_OK(CompactAll());
  ExpectShows(model, "after another");
  Open();
  ExpectShows(model, "after opening again");
}

// While the MANIFEST is written, the level where the file will be looks empty to a compaction.
TEST_F(IngestBugs, Row26NoCompactionWritesWhereAFileIsOnItsWay) {
  family_options_.disable_auto_compactions = true;
  family_options_.level_compaction_dynamic_level_bytes = true;  // From level 0 to the last.
  EveryEditMakesAManifest();
  Open();
  ASSERT_OK(Put("a", "1"));
  ASSERT_OK(Put("d", "1"));
  ASSERT_OK(Flush());
  gate_.Close("MANIFEST");
  std::thread ingester([&] { EXPECT_OK(Ingest("b", "new")); });
  gate_.WaitUntilSomebodyIsHeld();
  std::thread compactor([&] { EXPECT_OK(CompactAll()); });
  LetOthersRun();
  gate_.Open();
  ingester.join();
  compactor.join();
  const Model model = {{"a", "1"}, {"b", "new"}, {"d", "1"}};
  ExpectShows(model, "after both");
  Open();
  ExpectShows(model, "after opening again");
}

// A file that covers nothing needs no number as long as there is no snapshot that would see it.
TEST_F(IngestBugs, ASnapshotTakenWhileAFileIsOnItsWayIsOfOneMoment) {
  EveryEditMakesAManifest();
  Open();
  ASSERT_OK(Put("a", "1"));
  gate_.Close("MANIFEST");
  std::thread ingester([&] { EXPECT_OK(Ingest("b", "new")); });
  gate_.WaitUntilSomebodyIsHeld();
  const Snapshot* snapshot = nullptr;
  std::string then;
  std::thread reader([&] {
    snapshot = db_->GetSnapshot();
    then = Get("b", 0, snapshot);
  });
  LetOthersRun();
  gate_.Open();
  ingester.join();
  reader.join();
  EXPECT_EQ(Get("b", 0, snapshot), then);
  db_->ReleaseSnapshot(snapshot);
  EXPECT_EQ(Get("b"), "new");
}

// The same with a level that is moved as a whole: the file would fit below it, and where it goes.
TEST_F(IngestBugs, Row26NoLevelMovesToWhereAFileIsOnItsWay) {
  family_options_.disable_auto_compactions = true;
  EveryEditMakesAManifest();
  for (const bool file_first : {false, true}) {
    path_ = file_first ? "/file-first" : "/move-first";
    Open();
    ASSERT_OK(Put("a", "1"));
    ASSERT_OK(Put("d", "1"));
    ASSERT_OK(Flush());
    ASSERT_OK(CompactTo(3));
    ASSERT_EQ(Levels(), "0,0,0,1");
    const auto ingest = [&] { EXPECT_OK(Ingest("b", "new")); };
    // It may be refused, when the file has come first.
    const auto move = [&] {
      const Status moved = CompactTo(6);
      EXPECT_TRUE(moved.ok() || moved.IsNotSupported()) << moved.ToString();
    };
    gate_.Close("MANIFEST");
    std::thread one(file_first ? std::function<void()>(ingest) : move);
    gate_.WaitUntilSomebodyIsHeld();
    std::thread other(file_first ? std::function<void()>(move) : ingest);
    LetOthersRun();
    gate_.Open();
    one.join();
    other.join();
    const Model model = {{"a", "1"}, {"b", "new"}, {"d", "1"}};
    ExpectShows(model, "after both");
    Open();
    ExpectShows(model, "after opening again");
  }
}

TEST_F(IngestBugs, Row26ManualCompactionsThatChangeLevelsBesideIngestionLoseNothing) {
  Open();
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int which = 0; which < 2; ++which) {
    threads.emplace_back([&, which] {
      Random random(static_cast<uint64_t>(which) + 26);
      while (!stop.load()) {
        const std::string a = keys_[random.Uniform(keys_.size())];
        const Slice begin = a, end = "z";
        CompactRangeOptions options;
        options.change_level = random.OneIn(2);
        options.target_level = static_cast<int>(random.Uniform(7));
        options.exclusive_manual_compaction = random.OneIn(3);
        const Status s = db_->CompactRange(options, cf(0), &begin, &end);
        // Levels that are not empty are refused; damage is not.
        EXPECT_FALSE(s.IsCorruption() || s.IsIoError()) << s.ToString();
      }
    });
  }
  Random random(26);
  Model model;
  for (int step = 0; step < 300; ++step) {
    std::string what;
    ASSERT_NO_FATAL_FAILURE(RandomStep(&random, &model, &what));
    if (step % 5 != 0) continue;
    ASSERT_NO_FATAL_FAILURE(ExpectShows(model, "step " + std::to_string(step) + ": " + what));
  }
  stop.store(true);
  for (std::thread& thread : threads) thread.join();
  ExpectShows(model, "at the end");
  Open();  // force_consistency_checks looks at the levels again.
  ExpectShows(model, "after opening again");
}

// Deletions side by side may be read as a range, but never one of what comes between them later.
TEST_F(IngestBugs, Row52NoRangeMadeOfDeletionsCoversWhatIsTakenIn) {
  family_options_.min_tombstones_for_range_conversion = 2;
  Open();
  Model model;
  const auto key_of = [](int i) { return "k" + std::to_string(1000 + i); };
  for (int i = 0; i < 400; i += 2) ASSERT_OK(Put(key_of(i), "old"));
  ASSERT_OK(Flush());
  for (int i = 0; i < 400; i += 2) ASSERT_OK(Delete(key_of(i)));
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    while (!stop.load()) (void)Count();
  });
  auto before = db_->NewIterator(ReadOptions(), cf(0));
  EXPECT_EQ(Scan(), "");
  for (int round = 0; round < 20; ++round) {
    // Keys that were deleted and keys that never were, all among the deletions.
    Table table;
    for (int i = round; i < 400; i += 37) table.points[key_of(i)].value = std::to_string(round);
    table.ApplyTo(&model);
    ASSERT_OK(Ingest({table}));
    for (const auto& [key, point] : table.points) ASSERT_EQ(Get(key), point.value);
    ASSERT_EQ(Count(), model.size()) << round;
    if (round % 5 == 4) {
      for (int i = 0; i < 400; i += 2) {
        if (model.count(key_of(i)) == 0) ASSERT_OK(Delete(key_of(i)));
      }
    }
  }
  stop.store(true);
  reader.join();
  before->SeekToFirst();
  EXPECT_FALSE(before->valid());
  before.reset();
  for (int round = 0; round < 3; ++round) {
    for (const auto& [key, value] : model) ASSERT_EQ(Get(key), value) << round;
    ASSERT_EQ(Count(), model.size());
    if (round == 0) ASSERT_OK(Flush());
    if (round == 0) ASSERT_OK(CompactAll());
    if (round == 1) Open();
  }
}

}  // namespace
}  // namespace skarn
