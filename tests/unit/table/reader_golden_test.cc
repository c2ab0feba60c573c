// The reader on files that genuine RocksDB wrote, compared with a strict walk over the
// same bytes.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "tests/unit/table/reader_fixture.h"

namespace skarn {
namespace {

std::vector<std::string> FilesUnder(const std::string& directory) {
  std::vector<std::string> files;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator it(directory, error), end; it != end;
       it.increment(error)) {
    if (it->path().extension() == ".sst") files.push_back(it->path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Everything that can be asked of one file, in several ways of having it open.
void CheckFile(const std::string& path, int seeks) {
  SCOPED_TRACE(path);
  const std::string bytes = ReadWholeFile(path);
  ASSERT_GE(bytes.size(), 100u);
  const uint64_t magic = DecodeFixed64(bytes.data() + bytes.size() - 8);
  if (magic != kBlockBasedMagic && magic != kLegacyBlockBasedMagic) {
    const auto table = OpenBytes(bytes, ReaderOptions());
    ASSERT_FALSE(table.ok());
    EXPECT_TRUE(table.status().IsNotSupported()) << table.status().ToString();
    return;
  }
  const FileWalk walk(bytes);
  Model model;
  model.entries = walk.entries;
  const bool blobs = std::any_of(model.entries.begin(), model.entries.end(), [](const Entry& e) {
    return TagKind(PackedTag(e.first)) == EntryKind::kBlobIndex;
  });

  for (const int way : {0, 1, 2, 3}) {
    SCOPED_TRACE(way);
    TableReaderOptions options = ReaderOptions();
    options.prefix_extractor = NewFixedPrefixTransform(4);
    if (way == 1) {
      options.table.block_cache = NewLruCache({.capacity = 1 << 20});
      options.table.cache_index_and_filter_blocks = true;
    } else if (way == 2) {
      options.table.block_cache = NewLruCache({.capacity = 10000, .num_shard_bits = 0});
    }
    auto opened = OpenBytes(bytes, options, /*mapped=*/way == 3);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    TableReader* table = opened->get();
    EXPECT_EQ(table->properties()->num_entries, walk.properties.num_entries);

    ReadOptions read;
    read.total_order_seek = true;
    auto cursor = table->NewCursor(read, TableCaller::kUserIterator, /*skip_filters=*/false);
    EXPECT_EQ(CompareCursor(cursor.get(), model, /*seed=*/way + 7, seeks), "");
    if (!blobs) {
      EXPECT_EQ(CompareLookups(table, model, read, /*seed=*/way + 70,
                               static_cast<int>(model.entries.size())),
                "");
    }
    if (walk.tombstones.empty()) {
      EXPECT_EQ(table->Tombstones(), nullptr);
    } else {
      ASSERT_NE(table->Tombstones(), nullptr);
      EXPECT_EQ(table->Tombstones()->unfragmented().size(), walk.tombstones.size());
    }
    const Status verified = table->VerifyChecksums(ReadOptions());
    EXPECT_TRUE(verified.ok()) << verified.ToString();
    if (!walk.filters.empty()) {
      EXPECT_TRUE(table->has_filter());
    }

    uint64_t last = 0;
    for (const Entry& entry : model.entries) {
      const uint64_t offset =
          table->ApproximateOffset(PackedUserKey(entry.first), PackedTag(entry.first));
      EXPECT_GE(offset, last);
      EXPECT_LE(offset, bytes.size());
      last = offset;
    }
    std::vector<TableReader::Anchor> anchors;
    ASSERT_TRUE(table->Anchors(10, &anchors).ok());
    EXPECT_EQ(anchors.empty(), model.entries.empty());
    if (!anchors.empty()) {
      EXPECT_GE(Slice(anchors.back().user_key).Compare(PackedUserKey(model.entries.back().first)),
                0);
      for (size_t i = 1; i < anchors.size(); ++i) {
        EXPECT_GT(anchors[i].bytes, anchors[i - 1].bytes);
      }
    }
    table->MarkObsolete();
  }
  TestFile file(bytes, /*mapped=*/false, nullptr);
  const auto properties = ReadTableProperties(file, path, bytes.size());
  ASSERT_TRUE(properties.ok()) << properties.status().ToString();
  EXPECT_EQ((*properties)->num_entries, walk.properties.num_entries);
}

TEST(TableReader, ReadsFilesOfGenuineReleases) {
  const std::vector<std::string> files = FilesUnder(std::string(SKARN_TEST_DATA) + "/sst");
  ASSERT_GE(files.size(), 25u);
  for (const std::string& file : files) CheckFile(file, /*seeks=*/300);
}

// All of them, where they are at hand.
TEST(TableReader, ReadsAllGoldenFiles) {
  const std::vector<std::string> files = FilesUnder(std::string(SKARN_SHARED_DATA) + "/golden");
  if (files.empty()) GTEST_SKIP() << "no golden databases here";
  for (const std::string& file : files) CheckFile(file, /*seeks=*/30);
}

}  // namespace
}  // namespace skarn
