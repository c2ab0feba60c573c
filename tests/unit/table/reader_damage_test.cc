// The reader on damaged files: whatever bytes there are, it gives an error or the right
// answer, and it neither crashes nor runs on for ever.

#include <gtest/gtest.h>

#include "core/table/block_cursor.h"
#include "core/table/index_block.h"
#include "tests/unit/base/vectors.h"
#include "tests/unit/table/reader_fixture.h"

namespace skarn {
namespace {

struct SmallFile {
  std::string name;
  std::string bytes;
};

nlohmann::json VectorFiles() { return LoadVectors("sst-files.json")["files"]; }

// A small file of every format_version, with different parts in them.
std::vector<SmallFile> SmallFiles() {
  std::vector<SmallFile> files;
  for (const auto& item : VectorFiles()) {
    files.push_back({item["name"].get<std::string>(), FromHex(item["file"])});
  }
  const std::vector<Entry> entries = RandomEntries(/*seed=*/5, /*keys=*/25, /*value_bytes_max=*/20);
  const std::vector<Entry> tombstones = {
      {PackKey("p03", PackTag(7, EntryKind::kRangeDeletion)), "p05"}};
  for (uint32_t version = 2; version <= 7; ++version) {
    TableBuilderOptions options = BuilderOptions();
    options.table.format_version = version;
    options.table.block_size = 200;
    options.table.metadata_block_size = 100;
    options.table.checksum = version % 2 == 0 ? ChecksumType::kCrc32c : ChecksumType::kXxh3;
    options.table.index_type = version % 3 == 0   ? IndexType::kTwoLevelIndexSearch
                               : version % 3 == 1 ? IndexType::kBinarySearchWithFirstKey
                                                  : IndexType::kBinarySearch;
    options.table.partition_filters = version % 3 == 0;
    options.table.index_block_restart_interval = version % 2 == 0 ? 1 : 3;
    options.table.block_restart_interval = 3;
    if (version >= 4) options.table.data_block_index_type = DataBlockIndexType::kBinaryAndHash;
    options.table.separate_key_value_in_data_block = version == 7;
    options.compression = version % 2 == 0 ? CompressionType::kLz4 : CompressionType::kZstd;
    files.push_back({"built" + std::to_string(version), BuildTable(options, entries, tombstones)});
  }
  return files;
}

TableReaderOptions SweepOptions() {
  TableReaderOptions options = ReaderOptions();
  options.prefix_extractor = NewFixedPrefixTransform(3);
  // As a MANIFEST would say: with it, a changed sequence number in the properties, which
  // no checksum covers, is noticed.
  options.largest_sequence = 0;
  return options;
}

Model ModelOf(const std::string& bytes) {
  Model model;
  auto table = OpenBytes(bytes, SweepOptions());
  EXPECT_TRUE(table.ok()) << table.status().ToString();
  if (!table.ok()) return model;
  auto cursor = (*table)->NewCursor(PlainRead(), TableCaller::kUser, false);
  for (cursor->SeekToFirst(); cursor->valid(); cursor->Next()) {
    model.entries.push_back(Current(cursor.get()));
  }
  EXPECT_TRUE(cursor->status().ok());
  EXPECT_FALSE(model.entries.empty());
  return model;
}

struct Outcome {
  int refused = 0;   // Did not open.
  int noticed = 0;   // Opened, and an error came later.
  int unharmed = 0;  // Everything was answered rightly.
};

void Try(const std::string& bytes, const Model& model, size_t tombstones, bool mapped,
         uint64_t seed, Outcome* outcome) {
  auto table = OpenBytes(bytes, SweepOptions(), mapped);
  if (!table.ok()) {
    ++outcome->refused;
    return;
  }
  ReadOptions read;
  read.total_order_seek = true;
  auto cursor = (*table)->NewCursor(read, TableCaller::kUser, false);
  ASSERT_EQ(CompareCursor(cursor.get(), model, seed, /*seeks=*/3, /*tolerate=*/true), "");
  ASSERT_EQ(CompareLookups(table->get(), model, read, seed, /*count=*/4, /*tolerate=*/true), "");
  const auto found = (*table)->Tombstones();
  ASSERT_EQ(found == nullptr ? 0 : found->unfragmented().size(), tombstones);
  if ((*table)->VerifyChecksums(ReadOptions()).ok()) {
    ++outcome->unharmed;
  } else {
    ++outcome->noticed;
  }
}

TEST(DamagedTable, EveryChangedByteGivesAnErrorOrTheRightAnswer) {
  for (const SmallFile& file : SmallFiles()) {
    SCOPED_TRACE(file.name);
    const Model model = ModelOf(file.bytes);
    const auto tombstones = (*OpenBytes(file.bytes, SweepOptions()))->Tombstones();
    const size_t count = tombstones == nullptr ? 0 : tombstones->unfragmented().size();
    Outcome outcome;
    Random random(1);
    for (size_t at = 0; at < file.bytes.size(); ++at) {
      std::string damaged = file.bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << random.Uniform(8)));
      Try(damaged, model, count, /*mapped=*/at % 2 == 0, at, &outcome);
      if (HasFatalFailure()) {
        ADD_FAILURE() << "byte " << at;
        return;
      }
    }
    // Only padding and names that nobody asks for may change unnoticed.
    EXPECT_LT(outcome.unharmed, 60) << outcome.refused << " " << outcome.noticed;
    EXPECT_GT(outcome.refused, 100);
  }
}

// The options have no filter policy, so no read looks at the filter's partitions.
TEST(DamagedTable, EveryByteIsVerifiedThoughTheFilterIsNotUsed) {
  TableBuilderOptions build = BuilderOptions();
  build.table.format_version = 6;
  build.table.index_type = IndexType::kTwoLevelIndexSearch;
  build.table.filter_policy = std::make_shared<FilterPolicy>();
  build.table.partition_filters = true;
  build.table.metadata_block_size = 100;
  std::vector<Entry> entries;
  for (int i = 0; i < 300; ++i) {
    entries.emplace_back(PackKey(std::to_string(1000 + i), PackTag(i, EntryKind::kValue)), "value");
  }
  const std::string bytes = BuildTable(build, entries);
  TableReaderOptions options = SweepOptions();
  options.table.filter_policy = nullptr;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    auto table = OpenBytes(damaged, options);
    EXPECT_FALSE(table.ok() && (*table)->VerifyChecksums(ReadOptions()).ok()) << at;
  }
}

TEST(DamagedTable, EveryTruncationIsAnError) {
  for (const SmallFile& file : SmallFiles()) {
    SCOPED_TRACE(file.name);
    for (size_t size = 0; size < file.bytes.size(); ++size) {
      const std::string bytes = file.bytes.substr(0, size);
      // Known to be short, and believed to be whole.
      TableReaderOptions options = SweepOptions();
      options.file_size_bytes = size;
      auto table = size == 0 ? Result<std::unique_ptr<TableReader>>(Status::Corruption("empty"))
                             : OpenBytes(bytes, options, /*mapped=*/size % 2 == 0);
      EXPECT_FALSE(table.ok()) << size;
      options.file_size_bytes = file.bytes.size();
      table = OpenBytes(bytes, options, /*mapped=*/size % 2 == 0);
      EXPECT_FALSE(table.ok()) << size;
    }
  }
}

TEST(DamagedTable, AnEmptyFileIsAnError) {
  TableReaderOptions options = SweepOptions();
  auto table = TableReader::Open(options, std::make_unique<TestFile>("", false, nullptr));
  ASSERT_FALSE(table.ok());
  EXPECT_EQ(table.status().ToString(),
            "Corruption: file is too short (0 bytes) to be an sstable: /t/000012.sst");
}

// Without checksums answers may be wrong, but nothing else may happen. Many bytes are
// changed, so that lengths and offsets inside blocks go wild.
TEST(DamagedTable, ReadingWithoutChecksumsSurvivesAnyBytes) {
  const uint64_t seed = 20260101;
  SCOPED_TRACE(seed);
  Random random(seed);
  for (const SmallFile& file : SmallFiles()) {
    SCOPED_TRACE(file.name);
    const Model model = ModelOf(file.bytes);
    const auto footer = DecodeFooter(
        Slice(file.bytes).size() > kFooterSizeMax
            ? Slice(file.bytes.data() + file.bytes.size() - kFooterSizeMax, kFooterSizeMax)
            : Slice(file.bytes),
        file.bytes.size(), "f");
    ASSERT_TRUE(footer.ok());
    for (int round = 0; round < 400; ++round) {
      std::string damaged = file.bytes;
      // Data, and often the index, lie in the first half; metadata must be right to get there.
      const uint64_t changes = 1 + random.Uniform(6);
      for (uint64_t i = 0; i < changes; ++i) {
        damaged[random.Uniform(damaged.size() / 3)] = static_cast<char>(random.Next());
      }
      auto table = OpenBytes(damaged, SweepOptions(), /*mapped=*/round % 2 == 0);
      if (!table.ok()) continue;
      ReadOptions read;
      read.verify_checksums = false;
      auto cursor = (*table)->NewCursor(read, TableCaller::kUser, false);
      int steps = 0;
      for (cursor->SeekToFirst(); cursor->valid() && steps < 10000; cursor->Next()) ++steps;
      for (cursor->SeekToLast(); cursor->valid() && steps < 20000; cursor->Prev()) ++steps;
      EXPECT_LT(steps, 10000);
      for (int i = 0; i < 10; ++i) {
        const Entry& entry = model.entries[random.Uniform(model.entries.size())];
        cursor->Seek(PackedUserKey(entry.first), PackedTag(entry.first));
        if (cursor->valid()) cursor->Prev();
        if (cursor->valid()) cursor->Next();
        OperandLookup lookup(BytewiseOrder(), PackedUserKey(entry.first).ToString(),
                             kMaxSequenceNumber);
        (*table)->Get(read, lookup.lookup(), false);
        (void)lookup.Take();
      }
    }
  }
}

// The innermost loops on blocks of any content, in memory that ends where the block and
// its padding do.
TEST(DamagedTable, BlockCursorsSurviveAnyBytes) {
  const uint64_t seed = 20260102;
  SCOPED_TRACE(seed);
  Random random(seed);
  const std::vector<Entry> entries = RandomEntries(/*seed=*/9, /*keys=*/30, /*value_bytes_max=*/20);
  for (const bool separated : {false, true}) {
    TableBuilderOptions options = BuilderOptions();
    options.table.block_restart_interval = 4;
    options.table.data_block_index_type = DataBlockIndexType::kBinaryAndHash;
    options.table.separate_key_value_in_data_block = separated;
    const std::string bytes = BuildTable(options, entries);
    const FileWalk walk(bytes);
    ASSERT_EQ(walk.error, "");
    const BlockHandle handle = walk.index[0].handle;
    const std::string block = bytes.substr(handle.offset, handle.size);
    for (int round = 0; round < 6000; ++round) {
      std::string damaged = block;
      for (uint64_t i = random.Uniform(5); i > 0; --i) {
        damaged[random.OneIn(2) ? random.Uniform(damaged.size())
                                : damaged.size() - 1 - random.Uniform(40)] =
            static_cast<char>(random.OneIn(2) ? random.Next() : random.Uniform(4));
      }
      HeapBlock* heap = HeapBlock::Allocate(damaged.size());
      memcpy(heap->data(), damaged.data(), damaged.size());
      heap->set_size(damaged.size());
      if (heap->ParseLayout()) {
        DataBlockCursor cursor;
        cursor.Reset(heap->data(), heap->layout(), KeyFlavour());
        uint64_t sum = 0;
        for (int op = 0; op < 30; ++op) {
          const Entry& entry = entries[random.Uniform(entries.size())];
          const Slice user_key = PackedUserKey(entry.first);
          switch (random.Uniform(6)) {
            case 0:
              cursor.SeekToFirst();
              break;
            case 1:
              cursor.SeekToLast();
              break;
            case 2:
              cursor.SeekForLookup(BytewiseOrder(), user_key, kMaxTag);
              break;
            case 3:
              cursor.Seek(BytewiseOrder(), user_key, PackedTag(entry.first));
              break;
            case 4:
              if (cursor.valid()) cursor.Next();
              break;
            default:
              if (cursor.valid()) cursor.Prev();
          }
          if (cursor.valid()) {
            for (const Slice bytes_shown : {cursor.user_key(), cursor.value()}) {
              for (const char c : bytes_shown.view()) sum += static_cast<uint8_t>(c);
            }
          }
        }
        EXPECT_NE(sum, uint64_t{1} << 60);
      }
      heap->Unref();
    }
  }
}

TEST(DamagedTable, IndexBlocksSurviveAnyBytes) {
  const uint64_t seed = 20260103;
  SCOPED_TRACE(seed);
  Random random(seed);
  const std::vector<Entry> entries = RandomEntries(/*seed=*/11, /*keys=*/100, 20);
  for (const IndexType type : {IndexType::kBinarySearch, IndexType::kBinarySearchWithFirstKey}) {
    TableBuilderOptions options = BuilderOptions();
    options.table.index_type = type;
    options.table.block_size = 100;
    options.table.index_block_restart_interval = 3;
    const std::string bytes = BuildTable(options, entries);
    const FileWalk walk(bytes);
    const BlockHandle handle = walk.metas.at(kIndexBlockName);
    const std::string block = bytes.substr(handle.offset, handle.size);
    IndexFlavour flavour;
    flavour.user_keys_only = walk.properties.index_key_is_user_key != 0;
    flavour.delta_values = walk.properties.index_value_is_delta_encoded != 0;
    flavour.first_keys = type == IndexType::kBinarySearchWithFirstKey;
    int parsed = 0;
    for (int round = 0; round < 6000; ++round) {
      // In memory of exactly this size.
      std::unique_ptr<char[]> damaged(new char[block.size()]);
      memcpy(damaged.get(), block.data(), block.size());
      for (uint64_t i = random.Uniform(4); i > 0; --i) {
        damaged[random.Uniform(block.size())] = static_cast<char>(random.Next());
      }
      const auto index = IndexBlock::Parse(Slice(damaged.get(), block.size()), flavour,
                                           BytewiseOrder(), bytes.size());
      if (!index.ok()) continue;
      ++parsed;
      for (int i = 0; i < 10; ++i) {
        const Entry& entry = entries[random.Uniform(entries.size())];
        EXPECT_LE(
            (*index)->Find(BytewiseOrder(), PackedUserKey(entry.first), PackedTag(entry.first)),
            (*index)->count());
      }
    }
    EXPECT_GT(parsed, 1000);
  }
}

TEST(DamagedTable, ErrorsNameTheFileAndThePlace) {
  TableBuilderOptions options = BuilderOptions();
  options.table.checksum = ChecksumType::kXxh3;
  std::string bytes = BuildTable(options, RandomEntries(/*seed=*/3, /*keys=*/200));

  std::string damaged = bytes;
  damaged[10] ^= 1;
  auto table = OpenBytes(damaged, ReaderOptions());
  ASSERT_TRUE(table.ok());
  auto cursor = (*table)->NewCursor(PlainRead(), TableCaller::kUser, false);
  cursor->SeekToFirst();
  EXPECT_FALSE(cursor->valid());
  const std::string text = cursor->status().ToString();
  EXPECT_EQ(text.find("Corruption: block checksum mismatch: stored"), 0u) << text;
  EXPECT_NE(text.find(", type = 4  in /t/000012.sst offset 0 size "), std::string::npos) << text;

  damaged = bytes;
  damaged[damaged.size() - 1] ^= 1;
  table = OpenBytes(damaged, ReaderOptions());
  ASSERT_FALSE(table.ok());
  EXPECT_EQ(table.status().ToString(),
            "Corruption: Bad table magic number: expected 9863518390377041911, found " +
                std::to_string(DecodeFixed64(damaged.data() + damaged.size() - 8)) +
                " in /t/000012.sst");
}

// A damaged index is an error of opening although nobody needs the index yet; a damaged filter
// one of the first read.
TEST(DamagedTable, WhatIsLoadedLaterIsCheckedAllTheSame) {
  const std::string bytes = BuildTable(BuilderOptions(), RandomEntries(/*seed=*/3, /*keys=*/2000));
  TableReaderOptions options = ReaderOptions();
  options.may_defer = true;
  const FileWalk walk(bytes);
  const BlockHandle index = walk.metas.at(kIndexBlockName);
  const BlockHandle filter = walk.metas.at(kFullFilterBlockName);
  for (const uint64_t at : {index.offset, index.offset + index.size - 1, index.offset + index.size,
                            index.offset + index.size + 1}) {
    std::string damaged = bytes;
    damaged[at] ^= 4;
    EXPECT_TRUE(OpenBytes(damaged, options, /*mapped=*/true).status().IsCorruption()) << at;
  }
  for (const uint64_t at : {filter.offset, filter.offset + filter.size + 1}) {
    std::string damaged = bytes;
    damaged[at] ^= 4;
    auto table = OpenBytes(damaged, options, /*mapped=*/true);
    ASSERT_TRUE(table.ok()) << table.status().ToString();
    EXPECT_FALSE((*table)->complete());
    EXPECT_TRUE((*table)->FinishOpening().IsCorruption()) << at;
    EXPECT_FALSE((*table)->complete());
  }
}

TEST(DamagedTable, ValuesInsideTheFileAreShownAsPlainValues) {
  for (const auto& item : VectorFiles()) {
    if (item["name"] != "fv7_embedded") continue;
    for (const bool mapped : {false, true}) {
      auto table = OpenBytes(FromHex(item["file"]), SweepOptions(), mapped);
      ASSERT_TRUE(table.ok()) << table.status().ToString();
      auto cursor = (*table)->NewCursor(PlainRead(), TableCaller::kUser, false);
      Model model;
      for (cursor->SeekToFirst(); cursor->valid(); cursor->Next()) {
        EXPECT_EQ(cursor->kind(), EntryKind::kValue);
        model.entries.push_back(Current(cursor.get()));
      }
      ASSERT_EQ(model.entries.size(), 3u);
      EXPECT_EQ(model.entries[1].second, "brownbrownbrownbrown");
      // No seeks to exact tags: the kind that is shown is not the one it is sorted by.
      EXPECT_EQ(CompareCursor(cursor.get(), model, 1, /*seeks=*/0), "");
      EXPECT_EQ(CompareLookups(table->get(), model, ReadOptions(), 1, 20), "");
    }
    return;
  }
  FAIL() << "no such vector";
}

}  // namespace
}  // namespace skarn
