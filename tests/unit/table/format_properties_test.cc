// The properties block: every property there and back, damage, and the text that users
// are shown.

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "core/base/coding.h"
#include "core/table/block_builder.h"
#include "core/table/block_walk.h"
#include "core/table/properties_block.h"
#include "core/table/table_properties.h"
#include "tests/unit/base/vectors.h"
#include "tests/unit/table/builder_file_walk.h"

namespace skarn {
namespace {

TableProperties EverythingSet() {
  TableProperties p;
  uint64_t next = 1000;
  for (uint64_t TableProperties::*member : {&TableProperties::orig_file_number,
                                            &TableProperties::data_size,
                                            &TableProperties::index_size,
                                            &TableProperties::index_partitions,
                                            &TableProperties::top_level_index_size,
                                            &TableProperties::index_key_is_user_key,
                                            &TableProperties::index_value_is_delta_encoded,
                                            &TableProperties::filter_size,
                                            &TableProperties::raw_key_size,
                                            &TableProperties::raw_value_size,
                                            &TableProperties::num_data_blocks,
                                            &TableProperties::num_uniform_blocks,
                                            &TableProperties::num_entries,
                                            &TableProperties::num_filter_entries,
                                            &TableProperties::num_deletions,
                                            &TableProperties::num_merge_operands,
                                            &TableProperties::num_range_deletions,
                                            &TableProperties::format_version,
                                            &TableProperties::fixed_key_len,
                                            &TableProperties::column_family_id,
                                            &TableProperties::creation_time,
                                            &TableProperties::oldest_key_time,
                                            &TableProperties::newest_key_time,
                                            &TableProperties::file_creation_time,
                                            &TableProperties::slow_compression_estimated_data_size,
                                            &TableProperties::fast_compression_estimated_data_size,
                                            &TableProperties::tail_start_offset,
                                            &TableProperties::key_largest_seqno,
                                            &TableProperties::key_smallest_seqno,
                                            &TableProperties::data_block_restart_interval,
                                            &TableProperties::index_block_restart_interval,
                                            &TableProperties::separate_key_value_in_data_block,
                                            &TableProperties::num_data_blocks_compression_rejected,
                                            &TableProperties::num_data_blocks_compression_bypassed,
                                            &TableProperties::udi_is_primary_index}) {
    p.*member = next++;
  }
  p.user_defined_timestamps_persisted = 0;
  int n = 0;
  for (std::string TableProperties::*member :
       {&TableProperties::db_id, &TableProperties::db_session_id, &TableProperties::db_host_id,
        &TableProperties::column_family_name, &TableProperties::filter_policy_name,
        &TableProperties::comparator_name, &TableProperties::merge_operator_name,
        &TableProperties::prefix_extractor_name, &TableProperties::property_collectors_names,
        &TableProperties::compression_name, &TableProperties::compression_options,
        &TableProperties::seqno_to_time_mapping}) {
    p.*member = "text" + std::to_string(n++) + std::string(1, '\0') + "\xff";
  }
  p.user_collected["a.first"] = "1";
  p.user_collected["rocksdb.external_sst_file.global_seqno"] = std::string(8, '\7');
  p.user_collected["zz"] = std::string(300, 'x');
  return p;
}

TEST(FormatProperties, EveryPropertyComesBack) {
  const TableProperties p = EverythingSet();
  const std::string block = EncodeProperties(p);
  TableProperties read;
  ASSERT_TRUE(ParseProperties(block, 5000, "x.sst", &read).ok());
  EXPECT_EQ(EncodeProperties(read), block);
  EXPECT_EQ(read.ToString(), p.ToString());
  EXPECT_EQ(read.user_collected, p.user_collected);
  EXPECT_EQ(read.tail_start_offset, p.tail_start_offset);
  EXPECT_EQ(read.num_data_blocks_compression_rejected, p.num_data_blocks_compression_rejected);
  EXPECT_EQ(read.user_defined_timestamps_persisted, 0u);
  EXPECT_EQ(read.key_smallest_seqno, p.key_smallest_seqno);
  // The place of the sequence number that ingestion may overwrite.
  const uint64_t at = read.external_sst_file_global_seqno_offset;
  ASSERT_GT(at, 5000u);
  EXPECT_EQ(block.substr(at - 5000, 8), std::string(8, '\7'));
}

TEST(FormatProperties, DefaultsAreThoseOfFilesWithoutTheProperty) {
  TableProperties read;
  read.num_entries = 77;
  const std::string empty = BlockBuilder(BlockBuilder::Options()).Finish().ToString();
  ASSERT_TRUE(ParseProperties(empty, 0, "x.sst", &read).ok());
  EXPECT_EQ(read.num_entries, 0u);
  EXPECT_EQ(read.column_family_id, 2147483647u);
  EXPECT_EQ(read.user_defined_timestamps_persisted, 1u);
  EXPECT_EQ(read.key_largest_seqno, UINT64_MAX);
}

TEST(FormatProperties, ReadsThoseOfGenuineFiles) {
  const auto vectors = LoadVectors("sst-files.json");
  for (const auto& item : vectors["files"]) {
    const std::string file = FromHex(item["file"]);
    for (const auto& meta : item["meta_blocks"]) {
      if (meta[0] != "rocksdb.properties") continue;
      const std::string block = file.substr(meta[1].get<size_t>(), meta[2].get<size_t>());
      TableProperties read;
      ASSERT_TRUE(ParseProperties(block, 0, "x.sst", &read).ok());
      // Written again, names and values are the same (the newest writes one more always).
      std::map<std::string, std::string> expected;
      for (const auto& [name, value] : item["properties"].items()) {
        const auto text = value.get<std::string>();
        expected[name] = text.starts_with("hex:") ? FromHex(text.substr(4)) : text;
      }
      std::map<std::string, std::string> found;
      const std::string again = EncodeProperties(read);
      BlockWalk walk(again);
      while (walk.Next()) found[walk.key().ToString()] = walk.value().ToString();
      for (const auto& [name, value] : expected) {
        EXPECT_EQ(found[name], value) << name;
        found.erase(name);
      }
      for (const auto& [name, value] : found) {
        EXPECT_TRUE(value == std::string(1, '\0') || value.empty()) << name << " in addition";
      }
    }
  }
}

TEST(FormatProperties, NamesOutOfOrderAreCorruption) {
  for (const char* second : {"b", "a"}) {
    BlockBuilder block((BlockBuilder::Options()));
    block.Add("b", "1");
    block.Add(second, "2");
    TableProperties read;
    const Status s = ParseProperties(block.Finish(), 100, "x.sst", &read);
    EXPECT_TRUE(s.IsCorruption());
    EXPECT_NE(s.ToString().find("x.sst"), std::string::npos);
  }
}

TEST(FormatProperties, ANumberThatDoesNotParseKeepsItsDefault) {
  BlockBuilder block((BlockBuilder::Options()));
  block.Add("rocksdb.column.family.id", "\xff\xff");
  block.Add("rocksdb.num.entries", "\x05");
  TableProperties read;
  ASSERT_TRUE(ParseProperties(block.Finish(), 0, "x.sst", &read).ok());
  EXPECT_EQ(read.column_family_id, 2147483647u);
  EXPECT_EQ(read.num_entries, 5u);
}

TEST(FormatProperties, DamagedBlocksAreSurvived) {
  const std::string block = EncodeProperties(EverythingSet());
  TableProperties read;
  for (size_t size = 0; size < block.size(); ++size) {
    (void)ParseProperties(Slice(block.data(), size), 0, "x.sst", &read);
  }
  const uint32_t seed = 3;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 5000; ++i) {
    std::string damaged = block;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    damaged[random() % damaged.size()] = static_cast<char>(random());
    (void)ParseProperties(damaged, 0, "x.sst", &read);
    (void)read.ToString();
  }
}

TEST(FormatProperties, CompressionPropertyOfEveryVersion) {
  CompressionProperty property;
  const auto parse = [&](Slice value, uint32_t version) {
    return ParseCompressionProperty(value, version, "x.sst", &property);
  };
  ASSERT_TRUE(parse("NoCompression", 5).ok());
  EXPECT_TRUE(property.none);
  ASSERT_TRUE(parse("", 5).ok());
  EXPECT_FALSE(property.none);
  EXPECT_TRUE(property.Allows(7));
  for (const char* name : {"Snappy", "Zlib", "BZip2", "LZ4", "LZ4HC", "ZSTD", "ZSTDNotFinal"}) {
    ASSERT_TRUE(parse(name, 6).ok()) << name;
    EXPECT_TRUE(property.Allows(4));
  }
  EXPECT_TRUE(parse("Brotli", 6).IsNotSupported());

  ASSERT_TRUE(parse("BuiltinV2;0407;", 7).ok());
  EXPECT_TRUE(property.Allows(0));
  EXPECT_TRUE(property.Allows(4));
  EXPECT_TRUE(property.Allows(7));
  EXPECT_FALSE(property.Allows(1));
  ASSERT_TRUE(parse(";;", 7).ok());
  EXPECT_TRUE(property.Allows(0));
  EXPECT_FALSE(property.Allows(4));
  ASSERT_TRUE(parse("BuiltinV2;01;future;", 7).ok());
  ASSERT_TRUE(parse("", 7).ok());
  EXPECT_TRUE(property.Allows(4));
  EXPECT_TRUE(parse("ZSTD", 7).IsCorruption());
  EXPECT_TRUE(parse("BuiltinV2;0", 7).IsCorruption());
  EXPECT_TRUE(parse("BuiltinV2;0;", 7).IsCorruption());
  EXPECT_TRUE(parse("BuiltinV2;00;", 7).IsCorruption());
  EXPECT_TRUE(parse("BuiltinV2;FF;", 7).IsCorruption());
  EXPECT_TRUE(parse("BuiltinV2;0g;", 7).IsCorruption());
  EXPECT_TRUE(parse("Mine;80;", 7).IsNotSupported());
}

TEST(FormatProperties, AggregationAddsCountsAndSizes) {
  TableProperties a = EverythingSet();
  const TableProperties b = EverythingSet();
  a.Aggregate(b);
  EXPECT_EQ(a.num_entries, 2 * b.num_entries);
  EXPECT_EQ(a.data_size, 2 * b.data_size);
  EXPECT_EQ(a.num_range_deletions, 2 * b.num_range_deletions);
  EXPECT_TRUE(TableProperties().ToString().starts_with(
      "# data blocks=0; # entries=0; # deletions=0; # merge operands=0; # range deletions=0; "
      "raw key size=0; raw average key size=0.000000; "));
}

TEST(FormatProperties, TimeMappingIsShownAsPairs) {
  TableProperties p;
  p.seqno_to_time_mapping = std::string("\x02\x05\x0a\x03\x01", 5);
  EXPECT_NE(p.ToString().find("Sequence number to time mapping=[5->10, 8->11]"), std::string::npos);
}

}  // namespace
}  // namespace skarn
