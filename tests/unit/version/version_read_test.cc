// Reading through versions: real tables, laid out as flushes and compactions leave them.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "core/key/clipped_tombstones.h"
#include "core/table/table_builder.h"
#include "tests/unit/test_seed.h"
#include "tests/unit/version/version_fixture.h"

namespace skarn {
namespace {

struct Entry {
  std::string key;
  uint64_t tag;
  std::string value;
};

// Writes the table and completes `file`: size, and boundaries when they are not set.
void WriteTable(FileSystem* fs, const KeyOrder& order, std::vector<Entry> entries,
                std::vector<RangeTombstone> tombstones, FileRecord* file) {
  const std::string path = TableFileName(kDbPath, file->number);
  auto writable = fs->NewWritableFile(path, FileOptions());
  ASSERT_TRUE(writable.ok());
  FileWriter writer(std::move(*writable), path, FileOptions(), FileWriter::Options());
  TableBuilderOptions options;
  options.order = &order;
  options.table.block_size = 256;
  options.file_number = file->number;
  TableBuilder builder(options, &writer);
  const bool bounded = !file->smallest.empty();
  for (const Entry& entry : entries) {
    builder.Add(entry.key, entry.tag, entry.value);
    if (!bounded) file->ExtendTo(order, entry.key, entry.tag);
    file->smallest_sequence = std::min(file->smallest_sequence, TagSequence(entry.tag));
    file->largest_sequence = std::max(file->largest_sequence, TagSequence(entry.tag));
  }
  std::sort(tombstones.begin(), tombstones.end(),
            [](const RangeTombstone& a, const RangeTombstone& b) {
              return a.start != b.start ? a.start < b.start : a.sequence > b.sequence;
            });
  for (const RangeTombstone& tombstone : tombstones) {
    builder.AddRangeDeletion(tombstone.start, tombstone.end, tombstone.sequence);
    if (!bounded) {
      file->ExtendToRange(
          order, PackKey(tombstone.start, PackTag(tombstone.sequence, EntryKind::kRangeDeletion)),
          PackKey(tombstone.end, FileRecord::kRangeEndTag), tombstone.sequence);
    }
    file->largest_sequence = std::max(file->largest_sequence, tombstone.sequence);
    file->smallest_sequence = std::min(file->smallest_sequence, tombstone.sequence);
  }
  ASSERT_TRUE(builder.Finish().ok()) << builder.status().ToString();
  ASSERT_TRUE(writer.Close().ok());
  file->size_bytes = builder.file_size_bytes();
}

// What a lookup found: the value, "(deleted)" or "(nothing)" or the error.
std::string Look(Version* version, const std::string& key, SequenceNumber snapshot,
                 const ReadOptions& read = ReadOptions()) {
  PinnedValue value;
  PointLookup lookup(version->order(), key, snapshot, Slice(), nullptr, &value);
  EpochGuard guard;
  version->Get(read, &lookup);
  if (!lookup.done()) lookup.Finish();
  if (lookup.state() == PointLookup::State::kFound) return value.slice().ToString();
  if (lookup.state() == PointLookup::State::kFailed) return lookup.status().ToString();
  return "(none)";
}

class HistoryTest : public testing::Test {
 protected:
  struct Op {
    enum Kind { kPut, kDelete, kDeleteRange } kind;
    std::string key;
    std::string end;
    SequenceNumber sequence;
  };

  static std::string KeyOf(uint32_t i) { return "key" + std::to_string(100 + i); }

  // The answer that the plain history gives.
  std::string Truth(const std::string& key, SequenceNumber snapshot) const {
    for (auto op = history_.rbegin(); op != history_.rend(); ++op) {
      if (op->sequence > snapshot) continue;
      if (op->kind == Op::kDeleteRange) {
        if (op->key <= key && key < op->end) return "(none)";
      } else if (op->key == key) {
        return op->kind == Op::kPut ? "v" + std::to_string(op->sequence) : "(none)";
      }
    }
    return "(none)";
  }

  void Grow(std::mt19937* random, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      Op op;
      op.sequence = history_.size() + 1;
      const uint32_t roll = (*random)() % 20;
      op.kind = roll == 0 ? Op::kDeleteRange : roll < 5 ? Op::kDelete : Op::kPut;
      const uint32_t key = (*random)() % kKeys;
      op.key = KeyOf(key);
      if (op.kind == Op::kDeleteRange) op.end = KeyOf(key + 1 + (*random)() % 12);
      history_.push_back(op);
    }
  }

  // The operations [from, to) as sorted entries and tombstones.
  void Collect(size_t from, size_t to, std::vector<Entry>* entries,
               std::vector<RangeTombstone>* tombstones) const {
    for (size_t i = from; i < to; ++i) {
      const Op& op = history_[i];
      if (op.kind == Op::kDeleteRange) {
        tombstones->push_back({op.key, op.end, op.sequence});
      } else if (op.kind == Op::kPut) {
        entries->push_back(
            {op.key, PackTag(op.sequence, EntryKind::kValue), "v" + std::to_string(op.sequence)});
      } else {
        entries->push_back({op.key, PackTag(op.sequence, EntryKind::kDeletion), ""});
      }
    }
    std::sort(entries->begin(), entries->end(), [](const Entry& a, const Entry& b) {
      return a.key != b.key ? a.key < b.key : a.tag > b.tag;
    });
  }

  // Operations as a level: cut anywhere, also between versions of a key, with every
  // tombstone in full in each file it touches.
  void AddLevel(std::mt19937* random, int level, size_t from, size_t to, VersionEdit* edit) {
    std::vector<Entry> entries;
    std::vector<RangeTombstone> tombstones;
    Collect(from, to, &entries, &tombstones);
    std::vector<std::pair<size_t, size_t>> parts;
    if (entries.empty() && !tombstones.empty()) parts.emplace_back(0, 0);
    for (size_t begin = 0; begin < entries.size();) {
      const size_t end = std::min(entries.size(), begin + 1 + (*random)() % 12);
      parts.emplace_back(begin, end);
      begin = end;
    }
    for (size_t i = 0; i < parts.size(); ++i) {
      const auto [begin, end] = parts[i];
      FileRecord file;
      file.number = next_file_++;
      file.epoch_number = 1;
      for (size_t j = begin; j < end; ++j) file.ExtendTo(order_, entries[j].key, entries[j].tag);
      const std::string low = i == 0 ? "" : file.smallest;
      std::string up;
      if (i + 1 < parts.size()) {
        const Entry& next = entries[parts[i + 1].first];  // Only with entries.
        up = next.key == entries[end - 1].key ? file.largest
                                              : PackKey(next.key, FileRecord::kRangeEndTag);
      }
      std::vector<RangeTombstone> own;
      for (const RangeTombstone& tombstone : tombstones) {
        std::string start =
            PackKey(tombstone.start, PackTag(tombstone.sequence, EntryKind::kRangeDeletion));
        std::string stop = PackKey(tombstone.end, FileRecord::kRangeEndTag);
        if (!up.empty() && order_.ComparePacked(start, up) >= 0) continue;
        if (!low.empty() && order_.ComparePacked(stop, low) <= 0) continue;
        if (!low.empty() && order_.ComparePacked(start, low) < 0) start = low;
        if (!up.empty() && order_.ComparePacked(stop, up) > 0) stop = up;
        file.ExtendToRange(order_, start, stop, tombstone.sequence);
        own.push_back(tombstone);
      }
      WriteTable(fs_.get(), order_,
                 {entries.begin() + static_cast<ptrdiff_t>(begin),
                  entries.begin() + static_cast<ptrdiff_t>(end)},
                 own, &file);
      edit->AddFile(level, file);
    }
  }

  // The history as a tree: the newest operations in level 0, older ones below.
  void BuildTree(std::mt19937* random, TestSet* set) {
    VersionEdit edit;
    const size_t total = history_.size();
    const size_t deep = (*random)() % (total / 2), middle = deep + (*random)() % (total / 3);
    AddLevel(random, 6, 0, deep, &edit);
    AddLevel(random, 3, deep, middle, &edit);
    for (size_t from = middle; from < total;) {
      const size_t to = std::min(total, from + 1 + (*random)() % 25);
      std::vector<Entry> entries;
      std::vector<RangeTombstone> tombstones;
      Collect(from, to, &entries, &tombstones);
      FileRecord file;
      file.number = next_file_++;
      file.epoch_number = 100 + file.number;
      WriteTable(fs_.get(), order_, entries, tombstones, &file);
      edit.AddFile(0, file);
      from = to;
    }
    const Status s = set->Apply(edit);
    ASSERT_TRUE(s.ok()) << s.ToString();
  }

  static constexpr uint32_t kKeys = 60;
  KeyOrder order_{BytewiseComparator()};
  std::unique_ptr<FileSystem> fs_ = NewMemoryFileSystem();
  std::vector<Op> history_;
  uint64_t next_file_ = 100;
};

TEST_F(HistoryTest, EveryReadAtEverySnapshotAgreesWithTheHistory) {
  const auto seed = static_cast<uint32_t>(TestSeed());
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 12; ++round) {
    history_.clear();
    fs_ = NewMemoryFileSystem();
    TestSet set(fs_.get(), round % 3 == 0 ? 12 : -1);
    ASSERT_TRUE(set.Open().ok());
    Grow(&random, 60 + random() % 300);
    BuildTree(&random, &set);
    Version* version = set.current();
    for (int probe = 0; probe < 1500; ++probe) {
      const std::string key = KeyOf(random() % (kKeys + 15));
      const SequenceNumber snapshot = random() % (history_.size() + 2);
      ASSERT_EQ(Look(version, key, snapshot), Truth(key, snapshot)) << key << "@" << snapshot;
    }
    for (int probe = 0; probe < 60; ++probe) {
      const SequenceNumber snapshot = random() % (history_.size() + 2);
      std::vector<std::string> keys(1 + random() % 40);
      for (std::string& key : keys) key = KeyOf(random() % (kKeys + 15));  // With duplicates.
      std::sort(keys.begin(), keys.end());
      std::vector<std::unique_ptr<PinnedValue>> values;
      std::vector<std::unique_ptr<PointLookup>> lookups;
      std::vector<PointLookup*> pointers;
      for (const std::string& key : keys) {
        values.push_back(std::make_unique<PinnedValue>());
        lookups.push_back(std::make_unique<PointLookup>(version->order(), key, snapshot, Slice(),
                                                        nullptr, values.back().get()));
        pointers.push_back(lookups.back().get());
      }
      EpochGuard guard;
      version->MultiGet(ReadOptions(), pointers.data(), pointers.size());
      for (size_t i = 0; i < keys.size(); ++i) {
        if (!lookups[i]->done()) lookups[i]->Finish();
        const std::string found = lookups[i]->state() == PointLookup::State::kFound
                                      ? values[i]->slice().ToString()
                                      : "(none)";
        ASSERT_NE(lookups[i]->state(), PointLookup::State::kFailed)
            << lookups[i]->status().ToString();
        ASSERT_EQ(found, Truth(keys[i], snapshot)) << keys[i] << "@" << snapshot;
      }
    }
    if (round % 3 == 0) {
      EXPECT_LE(set.tables()->open_count(), 2u);
    }
  }
}

TEST_F(HistoryTest, CursorsAndTombstonesOfAFileComeTogether) {
  TestSet set(fs_.get());
  ASSERT_TRUE(set.Open().ok());
  FileRecord file;
  file.number = 20;
  file.epoch_number = 1;
  file.smallest = PackKey("c", PackTag(5, EntryKind::kValue));
  file.largest = PackKey("m", FileRecord::kRangeEndTag);
  WriteTable(fs_.get(), order_,
             {{"c", PackTag(5, EntryKind::kValue), "1"}, {"k", PackTag(6, EntryKind::kValue), "2"}},
             {{"a", "z", 9}}, &file);
  VersionEdit edit;
  edit.AddFile(2, file);
  ASSERT_TRUE(set.Apply(edit).ok());
  Version* version = set.current();
  ReadOptions read;
  TableSource source;
  ASSERT_TRUE(version
                  ->OpenTable(read, 2, version->storage().level(2)[0], TableCaller::kUserIterator,
                              0, &source)
                  .ok());
  source.cursor->SeekToFirst();
  ASSERT_TRUE(source.cursor->valid());
  EXPECT_EQ(source.cursor->user_key(), Slice("c"));
  ASSERT_NE(source.tombstones, nullptr);
  const ClippedTombstones clipped(order_, source.tombstones, source.file->smallest,
                                  source.file->largest);
  EXPECT_EQ(clipped.MaxCovering("k", 100), 9u);
  EXPECT_EQ(clipped.MaxCovering("m", 100), 0u);
  EXPECT_EQ(clipped.MaxCovering("a", 100), 0u);
  // The table's own pin keeps it open although the file is closed now.
  TableCache::Close(source.file, /*obsolete=*/false);
  EXPECT_EQ(set.tables()->open_count(), 0u);
  source.cursor->Next();
  EXPECT_EQ(source.cursor->user_key(), Slice("k"));
  source.cursor.reset();
  source.pin.Reset();

  // Clipped on reads too: "p" lies in the tombstone, but not in the file.
  EXPECT_EQ(Look(version, "k", 100), "(none)");
  EXPECT_EQ(Look(version, "k", 8), "2");
  read.table_filter = [](void*, const TableProperties&) { return false; };
  TableSource left_out;
  ASSERT_TRUE(version
                  ->OpenTable(read, 2, version->storage().level(2)[0], TableCaller::kUserIterator,
                              0, &left_out)
                  .ok());
  EXPECT_EQ(left_out.cursor, nullptr);
  EXPECT_NE(left_out.tombstones, nullptr);
  ReadOptions ignoring;
  ignoring.ignore_range_deletions = true;
  EXPECT_EQ(Look(version, "k", 100, ignoring), "2");
}

TEST_F(HistoryTest, ReadsThatMayNotTouchTheDiskSaySo) {
  std::mt19937 random(7);
  TestSet set(fs_.get());
  ASSERT_TRUE(set.Open().ok());
  Grow(&random, 100);
  BuildTree(&random, &set);
  ReadOptions cached;
  cached.read_tier = ReadTier::kBlockCache;
  for (FileMetadata* file : set.current()->storage().level(0)) TableCache::Close(file, false);
  EXPECT_EQ(Look(set.current(), history_.back().key, 1000, cached),
            "Result incomplete: no blocking io");
}

TEST_F(HistoryTest, OldTableNamesAreFound) {
  std::mt19937 random(7);
  TestSet set(fs_.get());
  ASSERT_TRUE(set.Open().ok());
  Grow(&random, 50);
  BuildTree(&random, &set);
  std::vector<std::string> names;
  ASSERT_TRUE(fs_->GetChildren(kDbPath, &names).ok());
  for (const std::string& name : names) {
    ParsedFileName parsed;
    if (!ParseFileName(name, &parsed) || parsed.kind != FileKind::kTable) continue;
    ASSERT_TRUE(fs_->RenameFile(TableFileName(kDbPath, parsed.number),
                                OldTableFileName(kDbPath, parsed.number))
                    .ok());
  }
  ASSERT_TRUE(set.Open({"default"}, false, /*open_tables=*/true).ok());
  for (uint32_t i = 0; i < kKeys; ++i)
    EXPECT_EQ(Look(set.current(), KeyOf(i), 1000), Truth(KeyOf(i), 1000));
}

// --- Databases of genuine releases ---

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

// Every key that genuine RocksDB found is found here, where all data is in tables.
TEST(GoldenVersions, TablesOfEveryReleaseAreReadThroughTheirManifest) {
  const std::filesystem::path golden = SKARN_SHARED_DATA "/golden";
  if (!std::filesystem::exists(golden)) GTEST_SKIP() << "no golden databases here";
  size_t databases = 0, keys = 0;
  for (const auto& release : std::filesystem::directory_iterator(golden)) {
    if (!release.is_directory()) continue;
    for (const auto& test : std::filesystem::directory_iterator(release.path())) {
      const std::string name = test.path().filename().string();
      if (name == "plain-table" || name == "cuckoo-table" || name == "blob") continue;
      SCOPED_TRACE(test.path().string());
      bool logs = false;
      for (const auto& file : std::filesystem::directory_iterator(test.path() / "db")) {
        logs |= file.path().extension() == ".log" && file.file_size() > 0;
      }
      if (logs) continue;
      TestSet set(PosixFileSystem(), -1, (test.path() / "db").string());
      auto names = VersionSet::ListColumnFamilies(PosixFileSystem(), (test.path() / "db").string());
      ASSERT_TRUE(names.ok()) << names.status().ToString();
      const Status s = set.Open(*names, /*read_only=*/true, /*open_tables=*/true);
      ASSERT_TRUE(s.ok()) << s.ToString();
      ++databases;
      std::ifstream expected(test.path() / "expected.tsv");
      std::string line;
      while (std::getline(expected, line)) {
        std::istringstream fields(line);
        std::string family, key, value;
        std::getline(fields, family, '\t');
        std::getline(fields, key, '\t');
        std::getline(fields, value, '\t');
        if (family.find("\\x") != std::string::npos) family = names->back();
        if (key.rfind('#', 0) == 0) continue;
        ColumnFamilyVersions* versions = set->Find(family);
        ASSERT_NE(versions, nullptr) << family;
        const std::string found = Look(versions->current(), FromHex(key), kMaxSequenceNumber);
        ++keys;
        // Operands without an operator to join them.
        if (found.find("merge") != std::string::npos) continue;
        if (value.rfind('#', 0) == 0) {
          ASSERT_EQ(found.size(), std::stoul(value.substr(1))) << key;
        } else {
          ASSERT_EQ(found, FromHex(value)) << key;
        }
      }
    }
  }
  EXPECT_GT(databases, 50u);
  EXPECT_GT(keys, 10000u);
}

}  // namespace
}  // namespace skarn
