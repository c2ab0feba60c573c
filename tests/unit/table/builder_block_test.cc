// BlockBuilder, IndexBuilder, and whole tables rebuilt byte for byte as genuine RocksDB
// wrote them.

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "core/base/coding.h"
#include "core/key/internal_key.h"
#include "core/table/block_builder.h"
#include "core/table/block_walk.h"
#include "core/table/index_builder.h"
#include "core/table/table_builder.h"
#include "tests/unit/base/vectors.h"
#include "tests/unit/table/builder_file_walk.h"

namespace skarn {
namespace {

BlockBuilder::Options OptionsFor(const std::string& name) {
  BlockBuilder::Options options;
  options.restart_interval = name.find("restart3") != std::string::npos   ? 3
                             : name.find("restart2") != std::string::npos ? 2
                                                                          : 1;
  options.separated = name.find("separated") != std::string::npos;
  options.hash_index = name.find("hash") != std::string::npos;
  return options;
}

TEST(BuilderBlock, RebuildsDataBlocksOfGenuineFiles) {
  int rebuilt = 0;
  const auto vectors = LoadVectors("blocks.json");
  for (const auto& item : vectors["blocks"]) {
    const auto name = item["name"].get<std::string>();
    if (!item.contains("entries") || name.starts_with("metaindex")) continue;
    SCOPED_TRACE(name);
    BlockBuilder block(OptionsFor(name));
    // Twice: the second block comes from a builder that was used before.
    for (int round = 0; round < 2; ++round) {
      block.Reset();
      size_t estimate = 0;
      for (const auto& entry : item["entries"]) {
        const std::string key = FromHex(entry[0]);
        const std::string value = FromHex(entry[1]);
        block.Add(PackedUserKey(key), PackedTag(key), value);
        EXPECT_EQ(block.last_key().ToHex(), Slice(key).ToHex());
        estimate = block.EstimatedSize();
      }
      const Slice payload = block.Finish();
      EXPECT_EQ(payload.ToHex(), Slice(FromHex(item["payload"])).ToHex());
      EXPECT_EQ(payload.size(), estimate);
    }
    ++rebuilt;
  }
  EXPECT_EQ(rebuilt, 5);
}

TEST(BuilderBlock, RebuildsTheMetaindexOfGenuineFiles) {
  const auto vectors = LoadVectors("blocks.json");
  for (const auto& item : vectors["blocks"]) {
    const auto name = item["name"].get<std::string>();
    if (!name.starts_with("metaindex")) continue;
    BlockBuilder::Options options;
    options.restart_interval = 1;
    BlockBuilder block(options);
    for (const auto& entry : item["entries"]) {
      block.Add(entry[0].get<std::string>(), FromHex(entry[1]));
    }
    EXPECT_EQ(block.Finish().ToHex(), Slice(FromHex(item["payload"])).ToHex());
  }
}

TEST(BuilderBlock, AnEmptyBlockHasOneRestart) {
  BlockBuilder block((BlockBuilder::Options()));
  EXPECT_EQ(block.Finish().ToHex(), "0000000001000000");
}

TEST(BuilderBlock, RandomEntriesReadBackInEveryLayout) {
  const uint32_t seed = 4711;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 300; ++round) {
    BlockBuilder::Options options;
    options.restart_interval = 1 + random() % 20;
    options.delta_keys = random() % 4 != 0;
    options.separated = random() % 2 == 0;
    options.hash_index = random() % 2 == 0;
    options.hash_util_ratio = 0.2 + 0.1 * (random() % 10);
    options.expected_bytes = random() % 2 == 0 ? 0 : 4096;
    BlockBuilder block(options);
    std::vector<std::pair<std::string, std::string>> entries;
    std::string key;
    const size_t count = random() % 120;
    for (size_t i = 0; i < count; ++i) {
      key.resize(random() % (key.size() + 1));
      const size_t more = random() % 40 == 0 ? 400 : random() % 12;
      for (size_t j = 0; j < more; ++j) key.push_back(static_cast<char>(random()));
      const std::string value(random() % 50 == 0 ? 3000 : random() % 30, static_cast<char>(i));
      const uint64_t tag = random();
      block.Add(key, tag, value);
      entries.emplace_back(PackKey(key, tag), value);
    }
    const size_t estimate = block.EstimatedSize();
    const std::string payload = block.Finish().ToString();
    EXPECT_EQ(payload.size(), estimate);
    BlockWalk walk(payload);
    for (const auto& [packed, value] : entries) {
      ASSERT_TRUE(walk.Next()) << walk.damage();
      ASSERT_EQ(walk.key(), Slice(packed));
      ASSERT_EQ(walk.value(), Slice(value));
      if (walk.layout().bucket_count != 0) {
        // The bucket leads to the entry's restart run or says "search".
        const uint8_t bucket =
            HashBucket(payload.data(), walk.layout(), SliceHash(PackedUserKey(packed)));
        ASSERT_NE(bucket, kHashBucketEmpty);
      }
    }
    EXPECT_FALSE(walk.Next());
    EXPECT_FALSE(walk.damaged()) << walk.damage();
  }
}

// Index blocks of genuine files, from their decoded entries.
TEST(BuilderBlock, RebuildsIndexBlocksOfGenuineFiles) {
  int rebuilt = 0;
  const auto vectors = LoadVectors("blocks.json");
  for (const auto& item : vectors["blocks"]) {
    const auto name = item["name"].get<std::string>();
    const bool partitions = item.contains("partitions");
    if (!item.contains("index_entries") && !partitions) continue;
    SCOPED_TRACE(name);
    BlockBuilder::Options options;
    options.restart_interval = name == "index_uniform"                                         ? 1
                               : name == "index_top_level" || name == "filter_partition_index" ? 2
                                                                                               : 4;
    options.delta_values = name != "index_fv2" && name != "index_fv3";
    if (name == "index_uniform") options.uniform_cv_threshold = 0.2;
    BlockBuilder block(options);
    BlockHandle previous;
    for (const auto& entry : item[partitions ? "partitions" : "index_entries"]) {
      const std::string key = FromHex(partitions ? entry[0] : entry["separator"]);
      BlockHandle handle;
      handle.offset = (partitions ? entry[1] : entry["offset"]).get<uint64_t>();
      handle.size = (partitions ? entry[2] : entry["size"]).get<uint64_t>();
      std::string full;
      handle.AppendTo(&full);
      std::string delta;
      PutVarint64(&delta, ZigZag(static_cast<int64_t>(handle.size - previous.size)));
      if (!partitions && entry.contains("first_key")) {
        PutLengthPrefixed(&full, FromHex(entry["first_key"]));
        PutLengthPrefixed(&delta, FromHex(entry["first_key"]));
      }
      if (options.delta_values) {
        block.AddIndexEntry(key, full, delta, /*whole_key=*/false);
      } else {
        block.Add(key, full);
      }
      previous = handle;
    }
    EXPECT_EQ(block.Finish().ToHex(), Slice(FromHex(item["payload"])).ToHex());
    ++rebuilt;
  }
  EXPECT_EQ(rebuilt, 7);
}

class CollectingSink : public BlockSink {
 public:
  Status Write(BlockRole role, Slice payload, BlockHandle* handle) override {
    (void)role;
    handle->offset = offset_;
    handle->size = payload.size();
    offset_ += payload.size() + kBlockTrailerSize;
    payloads.push_back(payload.ToString());
    return Status::Ok();
  }
  std::vector<std::string> payloads;

 private:
  uint64_t offset_ = 0;
};

TEST(BuilderIndex, SeparatorsAreThoseOfGenuineFiles) {
  const auto vectors = LoadVectors("separators.json");
  int compared = 0;
  for (const bool reverse : {false, true}) {
    const KeyOrder order(reverse ? ReverseBytewiseComparator() : BytewiseComparator());
    for (const auto& item : vectors[reverse ? "reverse_bytewise" : "bytewise"]) {
      SCOPED_TRACE(item.dump());
      IndexBuilder::Options options;
      options.order = &order;
      options.keep_tags = true;
      IndexBuilder index(options);
      const std::string last = PackKey(FromHex(item["last_key"]), PackTag(0, EntryKind::kValue));
      const std::string next = FromHex(item["next_first_key"]);
      const Slice next_slice = next;
      index.AddBlock(last, last, &next_slice, BlockHandle{0, 10});
      std::string expected = FromHex(item["separator"]);
      std::string found = PackKey(index.last_separator(), index.last_separator_tag());
      if (!item["separator_is_last_key"].get<bool>()) {
        // The kind that seeks use has grown from release to release.
        expected[expected.size() - 8] = found[found.size() - 8];
      }
      EXPECT_EQ(Slice(found).ToHex(), Slice(expected).ToHex());
      ++compared;
    }
  }
  EXPECT_EQ(compared, 38);
}

TEST(BuilderIndex, OneSplitUserKeyGivesAllKeysTheirTags) {
  const KeyOrder order(BytewiseComparator());
  for (const bool split : {false, true}) {
    IndexBuilder::Options options;
    options.order = &order;
    options.delta_values = true;
    IndexBuilder index(options);
    const std::string a = PackKey("a", PackTag(9, EntryKind::kValue));
    const std::string b = PackKey("b", PackTag(9, EntryKind::kValue));
    const Slice next = split ? "b" : "c";
    const Slice b_user = "b";
    index.AddBlock(a, a, &b_user, BlockHandle{0, 10});
    index.AddBlock(b, b, &next, BlockHandle{15, 10});
    index.AddBlock(b, b, nullptr, BlockHandle{30, 10});
    CollectingSink sink;
    IndexBuilder::Finished finished;
    ASSERT_TRUE(index.Finish(&sink, &finished).ok());
    EXPECT_EQ(finished.keys_have_tags, split);
    BlockWalk::Options walk_options;
    walk_options.is_index = true;
    walk_options.delta_values = true;
    BlockWalk walk(sink.payloads.at(0), walk_options);
    ASSERT_TRUE(walk.Next());
    EXPECT_EQ(walk.key().size(), split ? 9u : 1u);
  }
}

// --- Whole files ---

// Writes the entries of a vector file with the settings it was made with.
std::string Rebuild(const nlohmann::json& item, const FileWalk& genuine,
                    const TableBuilderOptions& base) {
  TableBuilderOptions options = base;
  const TableProperties& p = genuine.properties;
  options.table.format_version = genuine.footer.format_version;
  options.table.checksum = genuine.footer.checksum;
  options.base_context_checksum = genuine.footer.base_context_checksum;
  options.merge_operator_name = p.merge_operator_name;
  options.column_family_id = static_cast<uint32_t>(p.column_family_id);
  options.column_family_name = p.column_family_name;
  options.db_id = p.db_id;
  options.db_session_id = p.db_session_id;
  options.db_host_id = p.db_host_id;
  options.file_number = p.orig_file_number;
  options.extra_properties = p.user_collected;
  options.reason = TableCreationReason::kMisc;
  std::string bytes;
  FileWriter file(std::make_unique<StringFile>(&bytes), "file", FileOptions(),
                  FileWriter::Options());
  TableBuilder builder(options, &file);
  for (const auto& entry : item["entries"]) {
    const std::string key = FromHex(entry[0]);
    builder.Add(PackedUserKey(key), PackedTag(key), FromHex(entry[1]));
  }
  for (const auto& entry : item["range_tombstones"]) {
    const std::string key = FromHex(entry[0]);
    builder.AddRangeDeletion(PackedUserKey(key), FromHex(entry[1]), TagSequence(PackedTag(key)));
  }
  Status s = builder.Finish();
  EXPECT_TRUE(s.ok()) << s.ToString();
  EXPECT_TRUE(file.Flush().ok());
  return bytes;
}

// Where the two files first differ, with some bytes around it.
std::string Difference(const std::string& a, const std::string& b) {
  const size_t at = CommonPrefix(a.data(), b.data(), std::min(a.size(), b.size()));
  const size_t from = at < 24 ? 0 : at - 24;
  return Concat("at ", at, " of ", a.size(), "/", b.size(), ": ",
                Slice(a.data() + from, std::min<size_t>(64, a.size() - from)).ToHex(), " / ",
                Slice(b.data() + from, std::min<size_t>(64, b.size() - from)).ToHex());
}

TEST(BuilderTable, RebuildsGenuineFilesUpToTheirProperties) {
  const KeyOrder order(BytewiseComparator());
  const auto vectors = LoadVectors("sst-files.json");
  for (const auto& item : vectors["files"]) {
    const auto name = item["name"].get<std::string>();
    SCOPED_TRACE(name);
    const std::string genuine_bytes = FromHex(item["file"]);
    const FileWalk genuine(genuine_bytes);
    if (name == "fv7_embedded") continue;  // Values outside of blocks, which are not written.
    EXPECT_EQ(genuine.error, "");
    EXPECT_EQ(genuine.entries.size(), item["entries"].size());
    if (name == "fv0") continue;  // No longer written.

    TableBuilderOptions options;
    options.order = &order;
    TableOptions& table = options.table;
    table.decouple_partitioned_filters = genuine.footer.format_version >= 6;
    table.index_type = static_cast<IndexType>(
        DecodeFixed32(genuine.properties.user_collected.at(kIndexTypeProperty).data()));
    table.block_size = name == "fv7_separated" ? 4096 : 64;
    table.optimize_filters_for_memory = genuine.footer.format_version >= 6;
    if (!genuine.properties.filter_policy_name.empty()) {
      table.filter_policy = std::make_shared<FilterPolicy>();
    }
    if (name == "fv5") {
      table.data_block_index_type = DataBlockIndexType::kBinaryAndHash;
      table.index_block_restart_interval = 4;
    }
    if (name == "fv6") {
      table.partition_filters = true;
    }
    if (name == "fv7") {
      options.compression = CompressionType::kZstd;
      table.block_size = 256;
    }
    table.separate_key_value_in_data_block = name == "fv7_separated";

    const std::string bytes = Rebuild(item, genuine, options);
    const FileWalk rebuilt(bytes);
    EXPECT_EQ(rebuilt.error, "");
    EXPECT_EQ(rebuilt.entries, genuine.entries);
    EXPECT_EQ(rebuilt.tombstones, genuine.tombstones);
    if (genuine.footer.format_version == 7 || genuine.footer.format_version == 6) {
      // Newest release: all bytes must agree.
      if (name != "fv7") {
        EXPECT_EQ(bytes, genuine_bytes) << Difference(bytes, genuine_bytes);
      }
    } else {
      // Older ones have fewer properties, and another kind in the tags of separators.
      const bool with_tags = genuine.properties.index_key_is_user_key == 0;
      const size_t end =
          with_tags ? genuine.footer.index.offset : genuine.metas.at(kPropertiesBlockName).offset;
      EXPECT_EQ(bytes.substr(0, end), genuine_bytes.substr(0, end))
          << Difference(bytes.substr(0, end), genuine_bytes.substr(0, end));
    }
  }
}

}  // namespace
}  // namespace skarn
