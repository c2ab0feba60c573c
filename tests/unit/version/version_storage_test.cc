#include "core/version/version_storage.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "core/plugin/comparator.h"
#include "core/version/version_builder.h"
#include "tests/unit/test_seed.h"

namespace skarn {
namespace {

std::string Packed(const std::string& user_key, SequenceNumber sequence,
                   EntryKind kind = EntryKind::kValue) {
  return PackKey(user_key, PackTag(sequence, kind));
}

// Files made for a test and freed with it.
class Tree {
 public:
  explicit Tree(int levels = 7, CompactionStyle style = CompactionStyle::kLevel,
                const Comparator* comparator = BytewiseComparator())
      : order_(comparator), storage_(&order_, levels, style), files_(static_cast<size_t>(levels)) {}

  FileMetadata* Add(int level, uint64_t number, const std::string& smallest,
                    const std::string& largest, uint64_t size = 100,
                    SequenceNumber smallest_sequence = 100, SequenceNumber largest_sequence = 100) {
    auto file = std::make_unique<FileMetadata>();
    file->number = number;
    file->size_bytes = size;
    file->smallest = Packed(smallest, smallest_sequence);
    file->largest = Packed(largest, largest_sequence);
    file->smallest_sequence = std::min(smallest_sequence, largest_sequence);
    file->largest_sequence = std::max(smallest_sequence, largest_sequence);
    file->epoch_number = number;
    files_[static_cast<size_t>(level)].push_back(file.get());
    owned_.push_back(std::move(file));
    return owned_.back().get();
  }
  VersionStorage& Build(const ColumnFamilyOptions& options = ColumnFamilyOptions(),
                        uint64_t now_s = 1000000, SequenceNumber oldest_snapshot = 0) {
    for (size_t level = 0; level < files_.size(); ++level) {
      storage_.SetLevel(static_cast<int>(level), files_[level]);
    }
    storage_.Finish(options, now_s, oldest_snapshot, /*allow_ingest_behind=*/false);
    return storage_;
  }
  const KeyOrder& order() const { return order_; }

 private:
  KeyOrder order_;
  VersionStorage storage_;
  std::vector<std::vector<FileMetadata*>> files_;
  std::vector<std::unique_ptr<FileMetadata>> owned_;
};

std::vector<uint64_t> Numbers(const std::vector<FileMetadata*>& files) {
  std::vector<uint64_t> numbers;
  for (const FileMetadata* file : files) numbers.push_back(file->number);
  return numbers;
}
using Ids = std::vector<uint64_t>;

Ids Overlapping(const VersionStorage& storage, int level, const char* begin, const char* end) {
  std::vector<FileMetadata*> files;
  const Slice first(begin == nullptr ? "" : begin), last(end == nullptr ? "" : end);
  storage.OverlappingFiles(level, begin == nullptr ? nullptr : &first,
                           end == nullptr ? nullptr : &last, &files);
  return Numbers(files);
}

TEST(LevelFiles, FindsTheFirstFileThatEndsAtOrAfterAKey) {
  Tree tree;
  tree.Add(1, 1, "150", "200");
  tree.Add(1, 2, "200", "250", 100, 50, 100);  // Shares a user key with the one before.
  tree.Add(1, 3, "300", "350");
  const LevelFiles& files = tree.Build().level(1);
  const auto find = [&files](const char* key, SequenceNumber sequence) {
    return files.Find(key, PackTag(sequence, EntryKind::kValue));
  };
  EXPECT_EQ(find("100", 100), 0u);
  EXPECT_EQ(find("150", 100), 0u);
  EXPECT_EQ(find("200", 101), 0u);
  EXPECT_EQ(find("200", 100), 0u);
  EXPECT_EQ(find("200", 99), 1u);
  EXPECT_EQ(find("201", 100), 1u);
  EXPECT_EQ(find("251", 100), 2u);
  EXPECT_EQ(find("350", 99), 3u);
  EXPECT_EQ(find("x", 100), 3u);
  EXPECT_EQ(files.FindUserKey("200"), 0u);
  EXPECT_EQ(files.FindUserKey("2000"), 1u);
  EXPECT_EQ(LevelFiles().size(), 0u);
  EXPECT_EQ(LevelFiles(tree.order(), {}).Find("a", 1), 0u);
}

// Prefixes must never change an answer: compare with plain search under all orders,
// long common prefixes, zero bytes and keys shorter than what is shared.
TEST(LevelFiles, SearchAgreesWithPlainComparison) {
  const auto seed = static_cast<uint32_t>(TestSeed());
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 300; ++round) {
    const bool reverse = round % 4 == 3;
    const std::string common(random() % 20, "ab\0z"[random() % 4]);
    std::set<std::string> unique;
    const size_t wanted = 2 * (1 + random() % 40);
    const uint32_t alphabet = 2 + random() % 3;
    while (unique.size() < wanted) {
      std::string key = common;
      for (uint32_t n = random() % 14; n > 0; --n)
        key.push_back(static_cast<char>(random() % alphabet));
      unique.insert(key);
    }
    std::vector<std::string> keys(unique.begin(), unique.end());
    if (reverse) std::reverse(keys.begin(), keys.end());
    Tree tree(3, CompactionStyle::kLevel,
              reverse ? ReverseBytewiseComparator() : BytewiseComparator());
    for (size_t i = 0; i + 1 < keys.size(); i += 2) tree.Add(1, i + 1, keys[i], keys[i + 1]);
    const LevelFiles& files = tree.Build().level(1);
    for (int probe = 0; probe < 200; ++probe) {
      std::string key = keys[random() % keys.size()];
      if (random() % 2 == 0) key.push_back(static_cast<char>(random() % 3));
      if (random() % 4 == 0) key.resize(random() % (key.size() + 1));
      const uint64_t tag = PackTag(99 + random() % 3, EntryKind::kValue);
      size_t expected = 0;
      while (expected < files.size() &&
             tree.order().Compare(PackedUserKey(files[expected]->largest),
                                  PackedTag(files[expected]->largest), key, tag) < 0) {
        ++expected;
      }
      ASSERT_EQ(files.Find(key, tag), expected);
      const bool held =
          expected < files.size() &&
          tree.order().CompareUser(PackedUserKey(files[expected]->smallest), key) <= 0;
      ASSERT_EQ(files.FindHolder(key, tag), held ? expected : files.size());
      std::vector<uint32_t> covering(files.size()), plain;
      covering.resize(files.CollectCovering(key, covering.data()));
      for (uint32_t i = 0; i < files.size(); ++i) {
        if (files.Covers(i, key)) plain.push_back(i);
      }
      ASSERT_EQ(covering, plain);
    }
  }
}

TEST(VersionStorage, FindsFilesThatOverlapARange) {
  Tree tree;
  tree.Add(0, 1, "a", "c");
  tree.Add(0, 2, "e", "g");
  tree.Add(0, 3, "c", "e");
  tree.Add(0, 4, "x", "z");
  tree.Add(1, 11, "a", "c");
  tree.Add(1, 12, "d", "f");
  tree.Add(1, 13, "f", "h", 100, 90, 90);
  VersionStorage& storage = tree.Build();
  // Level 0 grows until nothing more overlaps.
  EXPECT_EQ(Overlapping(storage, 0, "b", "b"), (Ids{1, 2, 3}));
  EXPECT_EQ(Overlapping(storage, 0, "h", "w"), Ids{});
  EXPECT_EQ(Overlapping(storage, 0, "z", nullptr), Ids{4});
  EXPECT_EQ(Overlapping(storage, 0, nullptr, nullptr), (Ids{1, 2, 3, 4}));
  EXPECT_EQ(Overlapping(storage, 1, "c", "d"), (Ids{11, 12}));
  EXPECT_EQ(Overlapping(storage, 1, "f", "f"), (Ids{12, 13}));
  EXPECT_EQ(Overlapping(storage, 1, "i", nullptr), Ids{});
  EXPECT_EQ(Overlapping(storage, 1, nullptr, "a"), Ids{11});
  EXPECT_EQ(Overlapping(storage, 2, nullptr, nullptr), Ids{});
  const Slice cc("cc"), d("d");
  EXPECT_FALSE(storage.RangeOverlaps(1, &cc, &cc));
  EXPECT_TRUE(storage.RangeOverlaps(1, &cc, &d));
  EXPECT_TRUE(storage.RangeOverlaps(0, &cc, &d));
  EXPECT_EQ(storage.OverlappingBytes(1, "b", "e"), 200u);
  int level = 0;
  FileMetadata* file = nullptr;
  EXPECT_TRUE(storage.Find(12, &level, &file));
  EXPECT_EQ(level, 1);
  EXPECT_FALSE(storage.Find(99, &level, &file));
}

TEST(VersionStorage, ExpandsToFilesThatShareABoundaryKey) {
  Tree tree;
  FileMetadata* b = nullptr;
  tree.Add(1, 1, "a", "b");
  b = tree.Add(1, 2, "b", "c", 100, 90, 100);
  tree.Add(1, 3, "c", "d", 100, 90, 100);
  tree.Add(1, 4, "e", "f");
  VersionStorage& storage = tree.Build();
  std::vector<FileMetadata*> files{b};
  storage.ExpandToCleanCut(1, &files);
  EXPECT_EQ(Numbers(files), (Ids{1, 2, 3}));
}

TEST(VersionStorage, KnowsWhatMayLieBelow) {
  Tree tree;
  tree.Add(0, 1, "a", "c");
  tree.Add(0, 2, "a", "c");
  tree.Add(2, 3, "d", "e");
  tree.Add(3, 4, "m", "n");
  VersionStorage& storage = tree.Build();
  EXPECT_TRUE(storage.RangeMayExistBelow("a", "z", 2, -1));
  EXPECT_FALSE(storage.RangeMayExistBelow("d", "e", 2, -1));
  EXPECT_FALSE(storage.RangeMayExistBelow("m", "n", 3, -1));
  EXPECT_TRUE(storage.RangeMayExistBelow("x", "y", 0, 0));  // An older file of level 0.
  EXPECT_EQ(storage.bottommost_files().size(), 2u);
}

TEST(VersionStorage, StaticTargetsGrowFromTheBase) {
  ColumnFamilyOptions options;
  options.level_compaction_dynamic_level_bytes = false;
  options.max_bytes_for_level_base = 10;
  options.max_bytes_for_level_multiplier = 5;
  Tree tree;
  VersionStorage& storage = tree.Build(options);
  EXPECT_EQ(storage.base_level(), 1);
  EXPECT_EQ(storage.target_bytes(1), 10u);
  EXPECT_EQ(storage.target_bytes(2), 50u);
  EXPECT_EQ(storage.target_bytes(3), 250u);
}

TEST(VersionStorage, DynamicTargetsShrinkFromTheLastLevelUp) {
  ColumnFamilyOptions options;
  options.max_bytes_for_level_base = 1000;
  options.max_bytes_for_level_multiplier = 5;
  {
    Tree tree;
    EXPECT_EQ(tree.Build(options).base_level(), 6);  // Nothing yet.
  }
  {
    Tree tree;
    tree.Add(6, 1, "1", "2", 500);
    VersionStorage& storage = tree.Build(options);
    EXPECT_EQ(storage.base_level(), 6);
    EXPECT_EQ(storage.target_bytes(6), 1000u);
  }
  {
    Tree tree;
    tree.Add(6, 1, "1", "2", 500);
    tree.Add(6, 2, "3", "4", 550);
    VersionStorage& storage = tree.Build(options);
    EXPECT_EQ(storage.base_level(), 5);
    EXPECT_EQ(storage.target_bytes(5), 1000u);
    EXPECT_EQ(storage.target_bytes(6), 1050u);
  }
  {
    Tree tree;
    tree.Add(4, 3, "1", "2", 200);
    tree.Add(5, 4, "1", "2", 1000);
    tree.Add(6, 1, "1", "2", 30000);
    VersionStorage& storage = tree.Build(options);
    // 30,000 / 5 / 5 is more than the base may have: there is room for one more level.
    EXPECT_EQ(storage.base_level(), 3);
    EXPECT_EQ(storage.target_bytes(3), 1000u);
    EXPECT_EQ(storage.target_bytes(4), 1200u);
    EXPECT_EQ(storage.target_bytes(5), 6000u);
    EXPECT_EQ(storage.target_bytes(6), 30000u);
  }
}

TEST(VersionStorage, ScoresTheFullestLevelHighest) {
  ColumnFamilyOptions options;
  options.level_compaction_dynamic_level_bytes = false;
  options.max_bytes_for_level_base = 1000;
  options.level0_file_num_compaction_trigger = 4;
  Tree tree;
  tree.Add(0, 1, "a", "b", 10);
  tree.Add(0, 2, "a", "b", 10);
  FileMetadata* big = tree.Add(1, 3, "a", "b", 2500);
  tree.Add(2, 4, "a", "b", 5000);
  VersionStorage& storage = tree.Build(options);
  EXPECT_EQ(storage.score_level(0), 1);
  EXPECT_DOUBLE_EQ(storage.score(0), 2.5);
  EXPECT_DOUBLE_EQ(storage.score(1), 0.5);
  // Level 0 is not due; 1,500 bytes of level 1 meet twice as much in level 2.
  EXPECT_EQ(storage.pending_compaction_bytes(), 4500u);
  big->being_compacted = true;
  storage.ComputeScores(options, 0);
  EXPECT_EQ(storage.score_level(0), 0);
  EXPECT_DOUBLE_EQ(storage.max_score(), 0.5);
}

TEST(VersionStorage, UniversalStyleCountsRunsInOneScore) {
  ColumnFamilyOptions options;
  options.compaction_style = CompactionStyle::kUniversal;
  options.level0_file_num_compaction_trigger = 2;
  Tree tree(7, CompactionStyle::kUniversal);
  tree.Add(0, 1, "a", "b");
  tree.Add(5, 2, "a", "b");
  tree.Add(6, 3, "a", "b");
  VersionStorage& storage = tree.Build(options);
  EXPECT_DOUBLE_EQ(storage.max_score(), 1.5);
  EXPECT_EQ(storage.score_count(), 1);
  EXPECT_EQ(storage.level0_delay_count(), 3);
  EXPECT_EQ(storage.base_level(), -1);
}

TEST(VersionStorage, OrdersFilesByWhatThePriorityAsksFor) {
  ColumnFamilyOptions options;
  Tree tree;
  tree.Add(1, 1, "a", "b", 100, 50, 60);
  tree.Add(1, 2, "c", "d", 300, 10, 90);
  tree.Add(1, 3, "e", "f", 200, 30, 40);
  tree.Add(2, 4, "a", "b", 900);
  tree.Add(2, 5, "e", "f", 100);
  VersionStorage& storage = tree.Build(options);
  const auto order = [&](CompactionPri pri) {
    options.compaction_pri = pri;
    storage.Finish(options, 1000000, 0, false);
    return storage.by_priority(1);
  };
  EXPECT_EQ(order(CompactionPri::kMinOverlappingRatio), (std::vector<int>{1, 2, 0}));
  EXPECT_EQ(order(CompactionPri::kByCompensatedSize), (std::vector<int>{1, 2, 0}));
  EXPECT_EQ(order(CompactionPri::kOldestLargestSeqFirst), (std::vector<int>{2, 0, 1}));
  EXPECT_EQ(order(CompactionPri::kOldestSmallestSeqFirst), (std::vector<int>{1, 2, 0}));
  storage.SetCursor(1, Packed("c", 100));
  EXPECT_EQ(order(CompactionPri::kRoundRobin), (std::vector<int>{1, 2, 0}));
  storage.SetCursor(1, Packed("d", 100));
  EXPECT_EQ(order(CompactionPri::kRoundRobin), (std::vector<int>{2, 0, 1}));
  storage.SetCursor(1, Packed("x", 100));
  EXPECT_EQ(order(CompactionPri::kRoundRobin), (std::vector<int>{0, 1, 2}));
}

TEST(VersionStorage, MarksFilesThatShouldBeCompactedForOtherReasons) {
  ColumnFamilyOptions options;
  options.ttl = 1000;
  options.periodic_compaction_seconds = 2000;
  Tree tree;
  FileMetadata* asked = tree.Add(0, 1, "a", "b");
  asked->marked_for_compaction = true;
  FileMetadata* old = tree.Add(1, 2, "a", "b");
  old->oldest_ancestor_time = 900000;
  FileMetadata* last = tree.Add(6, 3, "a", "b", 100, 7, 7);
  last->oldest_ancestor_time = 900000;
  last->file_creation_time = 900000;
  last->marked_for_compaction = true;
  VersionStorage& storage = tree.Build(options, /*now_s=*/1000000, /*oldest_snapshot=*/7);
  ASSERT_EQ(storage.marked_for_compaction().size(), 1u);
  EXPECT_EQ(storage.marked_for_compaction()[0].file, asked);
  ASSERT_EQ(storage.expired_by_ttl().size(), 1u);
  EXPECT_EQ(storage.expired_by_ttl()[0].file, old);
  EXPECT_EQ(storage.marked_periodic().size(), 2u);
  EXPECT_TRUE(storage.marked_bottommost().empty());
  storage.UpdateOldestSnapshot(8, /*allow_ingest_behind=*/false);
  ASSERT_EQ(storage.marked_bottommost().size(), 1u);
  EXPECT_EQ(storage.marked_bottommost()[0].file, last);
}

TEST(VersionStorage, DeletionsMakeAFileCountForMore) {
  Tree tree;
  FileMetadata* file = tree.Add(1, 1, "a", "b", 1000);
  FileMetadata* full = tree.Add(1, 2, "c", "d", 1000);
  file->sampled = full->sampled = true;
  file->entries = 100;
  file->deletions = 90;
  full->entries = 100;
  file->raw_key_bytes = full->raw_key_bytes = 1000;
  file->raw_value_bytes = 100;
  full->raw_value_bytes = 1000;
  VersionStorage storage(&tree.order(), 7, CompactionStyle::kLevel);
  storage.SetLevel(1, {file, full});
  storage.AddSample(*file);
  storage.AddSample(*full);
  storage.Finish(ColumnFamilyOptions(), 1, 0, false);
  // 1,100 value bytes in 110 values; files hold 2,000 bytes of 3,100 raw ones.
  EXPECT_EQ(storage.AverageValueBytes(), 6u);
  EXPECT_EQ(file->comp_bytes(), 1000u + (2 * 90 - 100) * 6 * 2);
  EXPECT_EQ(full->comp_bytes(), 1000u);
  EXPECT_EQ(storage.EstimatedLiveKeys(), 110u - 90u);
}

TEST(VersionStorage, EstimatesLiveBytesWithoutOverwrittenRanges) {
  Tree tree;
  tree.Add(0, 1, "4", "9", 1);
  tree.Add(0, 2, "5", "6", 1);
  tree.Add(1, 3, "1", "2", 10);
  tree.Add(1, 4, "3", "4", 10);
  tree.Add(6, 5, "1", "2", 1000);
  tree.Add(6, 6, "7", "8", 1000);
  // The last level whole, 4 of level 1, and file 2 of level 0: it touches nothing.
  EXPECT_EQ(tree.Build().EstimatedLiveBytes(), 2011u);
}

TEST(VersionStorage, DescribesItsFiles) {
  Tree tree(2);
  tree.Add(0, 7, "a", "b", 123, 4, 5);
  EXPECT_EQ(tree.Build().DebugString(3),
            "--- level 0 --- version# 3 ---\n 7:123[4 .. 5]['61' seq:4, type:1 .. '62' seq:5, "
            "type:1](0)\n--- level 1 --- version# 3 ---\n");
  EXPECT_EQ(tree.Build().Summary(), "files[1 0] max score 0.25");
}

// --- VersionBuilder ---

FileRecord Record(uint64_t number, const std::string& smallest, const std::string& largest,
                  SequenceNumber sequence = 100, uint64_t epoch = 0) {
  FileRecord file;
  file.number = number;
  file.size_bytes = 100;
  file.smallest = Packed(smallest, sequence);
  file.largest = Packed(largest, sequence);
  file.smallest_sequence = file.largest_sequence = sequence;
  file.epoch_number = epoch == 0 ? number : epoch;
  return file;
}

class BuilderTest : public testing::Test {
 protected:
  // Applies edits to what was built last.
  Status Apply(const std::vector<VersionEdit>& edits) {
    auto builder = std::make_unique<VersionBuilder>(&order_, 7, storage_.get());
    for (const VersionEdit& edit : edits) {
      Status s = builder->Apply(edit);
      if (!s.ok()) return s;
    }
    next_epoch_ = builder->ResolveEpochs(false);
    auto next = std::make_unique<VersionStorage>(&order_, 7, CompactionStyle::kLevel);
    Status s = builder->SaveTo(next.get(), /*check=*/true);
    if (!s.ok()) return s;
    for (int level = 0; level < 7; ++level) {
      for (FileMetadata* file : next->level(level)) alive_.insert(file);
    }
    storage_ = std::move(next);
    return s;
  }
  Ids Level(int level) const { return Numbers(storage_->level(level).files()); }
  ~BuilderTest() override {
    for (FileMetadata* file : alive_) delete file;
  }

  KeyOrder order_{BytewiseComparator()};
  std::unique_ptr<VersionStorage> storage_;
  std::set<FileMetadata*> alive_;
  uint64_t next_epoch_ = 0;
};

TEST_F(BuilderTest, AppliesEditsToABase) {
  VersionEdit first, second;
  first.AddFile(0, Record(1, "a", "z"));
  first.AddFile(0, Record(3, "a", "z"));
  first.AddFile(0, Record(2, "a", "z"));
  first.AddFile(1, Record(11, "m", "n"));
  first.AddFile(1, Record(10, "a", "b"));
  ASSERT_TRUE(Apply({first}).ok());
  EXPECT_EQ(Level(0), (Ids{3, 2, 1}));
  EXPECT_EQ(Level(1), (Ids{10, 11}));
  EXPECT_EQ(next_epoch_, 12u);
  second.DeleteFile(0, 2);
  second.DeleteFile(1, 11);
  second.AddFile(1, Record(12, "c", "d"));
  second.AddFile(2, Record(11, "m", "n"));  // Moved.
  second.compact_cursors.emplace_back(1, Packed("c", 1));
  FileMetadata* moved = storage_->level(1)[1];
  ASSERT_TRUE(Apply({second}).ok());
  EXPECT_EQ(Level(0), (Ids{3, 1}));
  EXPECT_EQ(Level(1), (Ids{10, 12}));
  EXPECT_EQ(Level(2), Ids{11});
  EXPECT_EQ(storage_->level(2)[0], moved);  // The object, with its open table.
  EXPECT_EQ(storage_->compact_cursor(1), Packed("c", 1));
  ASSERT_TRUE(Apply({VersionEdit()}).ok());
  EXPECT_EQ(storage_->compact_cursor(1), Packed("c", 1));
}

TEST_F(BuilderTest, RefusesEditsThatDoNotFit) {
  VersionEdit base, bad;
  base.AddFile(1, Record(5, "a", "b"));
  ASSERT_TRUE(Apply({base}).ok());
  bad.DeleteFile(2, 9);
  EXPECT_EQ(
      Apply({bad}).ToString(),
      "Corruption: VersionBuilder: Cannot delete table file #9 from level 2 since it is not in "
      "the LSM tree");
  bad = VersionEdit();
  bad.DeleteFile(2, 5);
  EXPECT_EQ(Apply({bad}).ToString(),
            "Corruption: VersionBuilder: Cannot delete table file #5 from level 2 since it is on "
            "level 1");
  bad = VersionEdit();
  bad.AddFile(3, Record(5, "x", "y"));
  EXPECT_EQ(
      Apply({bad}).ToString(),
      "Corruption: VersionBuilder: Cannot add table file #5 to level 3 since it is already in "
      "the LSM tree on level 1");
  bad = VersionEdit();
  bad.AddFile(1, Record(6, "b", "c", 100));
  EXPECT_EQ(
      Apply({bad}).ToString().rfind("Corruption: force_consistency_checks: VersionBuilder: L1 "
                                    "has overlapping ranges: file #",
                                    0),
      0u);
  bad = VersionEdit();
  bad.AddFile(9, Record(6, "x", "y"));
  EXPECT_EQ(Apply({bad}).ToString(),
            "Invalid argument: db has more levels than options.num_levels");
  bad = VersionEdit();
  bad.AddFile(0, Record(6, "a", "c", 100, 4));
  bad.AddFile(0, Record(7, "b", "d", 200, 4));
  EXPECT_TRUE(Apply({bad}).IsCorruption());
  // Neighbours may share a user key when sequences fall.
  VersionEdit good;
  good.AddFile(1, Record(6, "b", "c", 99));
  EXPECT_TRUE(Apply({good}).ok());
}

TEST_F(BuilderTest, InfersEpochsWhenSomeAreMissing) {
  VersionEdit edit;
  for (auto [number, sequence] : {std::pair<uint64_t, SequenceNumber>{20, 7}, {21, 9}, {22, 8}}) {
    FileRecord file = Record(number, "a", "b", sequence);
    file.epoch_number = number == 21 ? 1 : kUnknownEpoch;
    edit.AddFile(0, file);
  }
  FileRecord deep = Record(5, "a", "b", 1);
  deep.epoch_number = kUnknownEpoch;
  edit.AddFile(6, deep);
  ASSERT_TRUE(Apply({edit}).ok());
  EXPECT_EQ(Level(0), (Ids{21, 22, 20}));
  EXPECT_EQ(storage_->level(6)[0]->epoch_number, 1u);
  EXPECT_EQ(storage_->level(0)[2]->epoch_number, 2u);
  EXPECT_EQ(storage_->level(0)[0]->epoch_number, 4u);
  EXPECT_EQ(next_epoch_, 5u);
}

TEST_F(BuilderTest, KeepsValueFilesAsLongAsSomethingMayNeedThem) {
  VersionEdit edit;
  edit.blob_additions.push_back({10, 5, 500, "", ""});
  edit.blob_additions.push_back({11, 5, 500, "", ""});
  FileRecord table = Record(1, "a", "b");
  table.oldest_blob_file = 10;
  edit.AddFile(1, table);
  ASSERT_TRUE(Apply({edit}).ok());
  EXPECT_EQ(storage_->blob_files().size(), 2u);
  EXPECT_EQ(storage_->blob_files().at(10)->linked_tables, Ids{1});

  VersionEdit bad;
  bad.blob_additions.push_back({10, 1, 1, "", ""});
  EXPECT_EQ(Apply({bad}).ToString(), "Corruption: VersionBuilder: Blob file #10 already added");
  bad = VersionEdit();
  bad.blob_garbage.push_back({12, 1, 1});
  EXPECT_EQ(Apply({bad}).ToString(), "Corruption: VersionBuilder: Blob file #12 not found");
  bad = VersionEdit();
  bad.blob_garbage.push_back({10, 6, 1});
  EXPECT_EQ(Apply({bad}).ToString(),
            "Corruption: VersionBuilder: Garbage overflow for blob file #10");

  // All garbage, but still linked; then the link goes on to the younger file.
  VersionEdit garbage, relink;
  garbage.blob_garbage.push_back({10, 3, 300});
  garbage.blob_garbage.push_back({10, 2, 200});
  ASSERT_TRUE(Apply({garbage}).ok());
  EXPECT_EQ(storage_->blob_files().at(10)->garbage_bytes, 500u);
  relink.DeleteFile(1, 1);
  FileRecord other = Record(2, "a", "b");
  other.oldest_blob_file = 11;
  relink.AddFile(1, other);
  ASSERT_TRUE(Apply({relink}).ok());
  EXPECT_EQ(storage_->blob_files().count(10), 0u);
  EXPECT_EQ(storage_->blob_files().at(11)->linked_tables, Ids{2});
}

// Any sequence of additions, removals and moves ends in what a plain map says.
TEST_F(BuilderTest, AgreesWithAPlainModel) {
  const auto seed = static_cast<uint32_t>(TestSeed());
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  std::map<uint64_t, std::pair<int, uint64_t>> model;  // Number -> level, key slot.
  std::set<std::pair<int, uint64_t>> taken;
  uint64_t next = 1;
  for (int round = 0; round < 200; ++round) {
    std::vector<VersionEdit> edits(1 + random() % 3);
    for (VersionEdit& edit : edits) {
      std::set<uint64_t> touched;
      for (int i = static_cast<int>(random() % 6); i > 0; --i) {
        if (!model.empty() && random() % 3 == 0) {
          auto victim = std::next(model.begin(), static_cast<int>(random() % model.size()));
          if (!touched.insert(victim->first).second) continue;
          edit.DeleteFile(victim->second.first, victim->first);
          taken.erase(victim->second);
          if (random() % 2 == 0) {
            const int level = static_cast<int>(1 + random() % 6);
            const std::pair<int, uint64_t> place{level, victim->second.second};
            if (taken.insert(place).second) {
              const std::string key = std::to_string(10000 + place.second);
              edit.AddFile(level, Record(victim->first, key, key));
              victim->second = place;
              continue;
            }
          }
          model.erase(victim);
        } else {
          const std::pair<int, uint64_t> place{static_cast<int>(random() % 7), random() % 500};
          if (!taken.insert(place).second) continue;
          const std::string key = std::to_string(10000 + place.second);
          edit.AddFile(place.first, Record(next, key, key));
          touched.insert(next);
          model[next++] = place;
        }
      }
    }
    ASSERT_TRUE(Apply(edits).ok());
    size_t count = 0;
    for (int level = 0; level < 7; ++level) {
      for (const FileMetadata* file : storage_->level(level)) {
        ASSERT_EQ(model.at(file->number).first, level);
        ++count;
      }
    }
    ASSERT_EQ(count, model.size());
  }
}

}  // namespace
}  // namespace skarn
