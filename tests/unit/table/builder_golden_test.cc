// Files that the newest genuine release wrote, taken apart and built again with the
// settings of their OPTIONS file: the same bytes must come out. Needs the golden
// databases beside the repository; skipped without them.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "core/plugin/slice_transform.h"
#include "core/table/table_builder.h"
#include "tests/unit/table/builder_file_walk.h"

namespace skarn {
namespace {

namespace fs = std::filesystem;

// The settings of one column family in the directory's newest OPTIONS file.
class Settings {
 public:
  Settings(const fs::path& directory, const std::string& column_family) {
    fs::path newest;
    for (const auto& entry : fs::directory_iterator(directory)) {
      if (entry.path().filename().string().starts_with("OPTIONS-")) {
        newest = std::max(newest, entry.path());
      }
    }
    std::ifstream file(newest);
    std::string line;
    bool wanted = false;
    while (std::getline(file, line)) {
      const size_t begin = line.find_first_not_of(' ');
      if (begin == std::string::npos) continue;
      if (line[begin] == '[') {
        wanted = line.find("\"" + column_family + "\"") != std::string::npos;
      } else if (const size_t equals = line.find('='); wanted && equals != std::string::npos) {
        values_[line.substr(begin, equals - begin)] = line.substr(equals + 1);
      }
    }
  }

  std::string Text(const std::string& name) const {
    const auto it = values_.find(name);
    return it == values_.end() ? "" : it->second;
  }
  int64_t Number(const std::string& name) const {
    EXPECT_EQ(values_.count(name), 1u) << name;
    return std::atoll(Text(name).c_str());
  }
  bool Bool(const std::string& name) const { return Text(name) == "true"; }

 private:
  std::map<std::string, std::string> values_;
};

int NumberIn(const std::string& text, const std::string& name) {
  const size_t at = text.find(name + "=");
  return at == std::string::npos ? 0 : std::atoi(text.c_str() + at + name.size() + 1);
}

TableBuilderOptions OptionsOf(const FileWalk& walk, const Settings& settings) {
  static const KeyOrder order(BytewiseComparator());
  const TableProperties& p = walk.properties;
  TableBuilderOptions options;
  options.order = &order;
  TableOptions& table = options.table;
  table.format_version = walk.footer.format_version;
  table.checksum = walk.footer.checksum;
  options.base_context_checksum = walk.footer.base_context_checksum;
  table.block_size = static_cast<size_t>(settings.Number("block_size"));
  table.block_size_deviation = static_cast<int32_t>(settings.Number("block_size_deviation"));
  table.block_restart_interval = static_cast<int32_t>(settings.Number("block_restart_interval"));
  table.index_block_restart_interval =
      static_cast<int32_t>(settings.Number("index_block_restart_interval"));
  table.metadata_block_size = static_cast<uint64_t>(settings.Number("metadata_block_size"));
  table.index_type =
      static_cast<IndexType>(DecodeFixed32(p.user_collected.at(kIndexTypeProperty).data()));
  table.partition_filters = settings.Bool("partition_filters");
  table.decouple_partitioned_filters = settings.Bool("decouple_partitioned_filters");
  table.optimize_filters_for_memory = settings.Bool("optimize_filters_for_memory");
  table.whole_key_filtering = settings.Bool("whole_key_filtering");
  table.enable_index_compression = settings.Bool("enable_index_compression");
  table.separate_key_value_in_data_block = settings.Bool("separate_key_value_in_data_block");
  if (settings.Text("data_block_index_type") == "kDataBlockBinaryAndHash") {
    table.data_block_index_type = DataBlockIndexType::kBinaryAndHash;
  }
  if (!walk.filters.empty()) {
    auto policy = std::make_shared<FilterPolicy>();
    const std::string text = settings.Text("filter_policy");  // "bloomfilter", "ribbonfilter:8:-1"
    const size_t colon = text.find(':');
    if (colon != std::string::npos) policy->bits_per_key = std::atof(text.c_str() + colon + 1);
    if (text.starts_with("ribbon")) {
      policy->kind = FilterPolicy::Kind::kRibbon;
      // Flushes and compactions cannot be told apart from the file; its filter can.
      const std::string& payload = walk.filters.begin()->second;
      policy->bloom_before_level =
          static_cast<uint8_t>(payload[payload.size() - 5]) == kFilterMarkerRibbon ? -1 : 100;
    }
    table.filter_policy = policy;
  }
  if (const size_t dot = p.prefix_extractor_name.rfind('.'); dot != std::string::npos) {
    options.prefix_extractor = NewFixedPrefixTransform(
        static_cast<size_t>(std::atoi(p.prefix_extractor_name.c_str() + dot + 1)));
  }
  options.compression = static_cast<CompressionType>(NumberIn(p.compression_options, "_type"));
  options.compression_options.level = NumberIn(p.compression_options, "level");
  options.merge_operator_name = p.merge_operator_name;
  options.column_family_id = static_cast<uint32_t>(p.column_family_id);
  options.column_family_name = p.column_family_name;
  options.db_id = p.db_id;
  options.db_session_id = p.db_session_id;
  options.db_host_id = p.db_host_id;
  options.file_number = p.orig_file_number;
  options.creation_time = p.creation_time;
  options.oldest_key_time = p.oldest_key_time;
  options.newest_key_time = p.newest_key_time;
  options.file_creation_time = p.file_creation_time;
  options.seqno_to_time_mapping = p.seqno_to_time_mapping;
  options.extra_properties = p.user_collected;
  return options;
}

TEST(BuilderGolden, BuildsTheBytesOfTheNewestRelease) {
  const fs::path root = fs::path(SKARN_SHARED_DATA) / "golden" / "rocksdb-11.8.1";
  if (!fs::exists(root)) GTEST_SKIP() << "no golden databases";
  int identical = 0;
  for (const auto& item : fs::recursive_directory_iterator(root)) {
    if (item.path().extension() != ".sst") continue;
    SCOPED_TRACE(item.path().string());
    std::ifstream file(item.path(), std::ios::binary);
    const std::string genuine((std::istreambuf_iterator<char>(file)),
                              std::istreambuf_iterator<char>());
    const std::string name = item.path().parent_path().parent_path().filename().string();
    // Other formats; dictionaries, whose samples are chosen otherwise; Ribbon filters whose
    // size is fitted to the allocator.
    if (name == "plain-table" || name == "cuckoo-table" || name.ends_with("dict") ||
        name == "fv5-lz4hc-nochecksum") {
      continue;
    }
    const FileWalk walk(genuine);
    ASSERT_EQ(walk.error, "");
    const Settings settings(item.path().parent_path(), walk.properties.column_family_name);
    std::string bytes;
    FileWriter writer(std::make_unique<StringFile>(&bytes), "file", FileOptions(),
                      FileWriter::Options());
    TableBuilder builder(OptionsOf(walk, settings), &writer);
    for (const auto& [key, value] : walk.entries) {
      builder.Add(PackedUserKey(key), PackedTag(key), value);
    }
    for (const auto& [key, end] : walk.tombstones) {
      builder.AddRangeDeletion(PackedUserKey(key), end, TagSequence(PackedTag(key)));
    }
    ASSERT_TRUE(builder.Finish().ok());
    ASSERT_TRUE(writer.Flush().ok());
    EXPECT_TRUE(bytes == genuine) << "sizes " << bytes.size() << " and " << genuine.size();
    ++identical;
  }
  EXPECT_GT(identical, 70);
}

}  // namespace
}  // namespace skarn
