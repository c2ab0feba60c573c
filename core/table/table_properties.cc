#include "core/table/table_properties.h"

#include <cinttypes>
#include <cstdio>
#include <utility>

#include "core/base/coding.h"
#include "core/base/slice.h"
#include "core/table/unique_id.h"

namespace skarn {

namespace {

// Collects "name<value delimiter>value<property delimiter>" pieces.
class Description {
 public:
  Description(const char* property_delimiter, const char* value_delimiter)
      : property_delimiter_(property_delimiter), value_delimiter_(value_delimiter) {}

  void Add(const char* name, const std::string& value) {
    text_.append(name).append(value_delimiter_).append(value).append(property_delimiter_);
  }
  void Add(const char* name, uint64_t value) { Add(name, std::to_string(value)); }
  void AddAverage(const char* name, uint64_t sum, uint64_t count) {
    char text[64];
    const double average = count == 0 ? 0.0 : static_cast<double>(sum) / static_cast<double>(count);
    snprintf(text, sizeof(text), "%f", average);
    Add(name, text);
  }
  std::string Take() { return std::move(text_); }

 private:
  const char* property_delimiter_;
  const char* value_delimiter_;
  std::string text_;
};

// "[3->1700000000, 9->1700000060]": sequence numbers and the times they were written.
std::string DescribeTimeMapping(Slice stored) {
  uint64_t count = 0;
  if (stored.empty() || !GetVarint64(&stored, &count)) return std::string();
  std::string text = "[";
  uint64_t sequence = 0;
  uint64_t time = 0;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t sequence_delta = 0;
    uint64_t time_delta = 0;
    if (!GetVarint64(&stored, &sequence_delta) || !GetVarint64(&stored, &time_delta)) break;
    sequence += sequence_delta;
    time += time_delta;
    if (i != 0) text.append(", ");
    text.append(std::to_string(sequence)).append("->").append(std::to_string(time));
  }
  return text + "]";
}

std::string OrNotAvailable(const std::string& text) { return text.empty() ? "N/A" : text; }

}  // namespace

std::string TableProperties::ToString(const char* property_delimiter,
                                      const char* value_delimiter) const {
  Description text(property_delimiter, value_delimiter);
  text.Add("# data blocks", num_data_blocks);
  text.Add("# entries", num_entries);
  text.Add("# deletions", num_deletions);
  text.Add("# merge operands", num_merge_operands);
  text.Add("# range deletions", num_range_deletions);
  text.Add("raw key size", raw_key_size);
  text.AddAverage("raw average key size", raw_key_size, num_entries);
  text.Add("raw value size", raw_value_size);
  text.AddAverage("raw average value size", raw_value_size, num_entries);
  text.Add("data block size", data_size);
  char index_title[80];
  snprintf(index_title, sizeof(index_title),
           "index block size (user-key? %" PRIu64 ", delta-value? %" PRIu64 ")",
           index_key_is_user_key, index_value_is_delta_encoded);
  text.Add(index_title, index_size);
  if (index_partitions != 0) {
    text.Add("# index partitions", index_partitions);
    text.Add("top-level index size", top_level_index_size);
  }
  text.Add("filter block size", filter_size);
  text.Add("# entries for filter", num_filter_entries);
  text.Add("(estimated) table size", data_size + index_size + filter_size);
  text.Add("filter policy name", OrNotAvailable(filter_policy_name));
  text.Add("prefix extractor name", OrNotAvailable(prefix_extractor_name));
  text.Add("column family ID",
           column_family_id == 2147483647 ? "N/A" : std::to_string(column_family_id));
  text.Add("column family name", OrNotAvailable(column_family_name));
  text.Add("comparator name", OrNotAvailable(comparator_name));
  text.Add("user defined timestamps persisted",
           user_defined_timestamps_persisted != 0 ? "true" : "false");
  text.Add("largest sequence number in file", key_largest_seqno);
  text.Add("merge operator name", OrNotAvailable(merge_operator_name));
  text.Add("property collectors names", OrNotAvailable(property_collectors_names));
  text.Add("SST file compression algo", OrNotAvailable(compression_name));
  text.Add("SST file compression options", OrNotAvailable(compression_options));
  text.Add("creation time", creation_time);
  text.Add("time stamp of earliest key", oldest_key_time);
  text.Add("time stamp of newest key", newest_key_time);
  text.Add("file creation time", file_creation_time);
  text.Add("slow compression estimated data size", slow_compression_estimated_data_size);
  text.Add("fast compression estimated data size", fast_compression_estimated_data_size);
  text.Add("DB identity", db_id);
  text.Add("DB session identity", db_session_id);
  text.Add("DB host id", db_host_id);
  text.Add("original file number", orig_file_number);
  const Result<UniqueId> id = ComputeUniqueId(*this);
  text.Add("unique ID",
           id.ok() ? UniqueIdText(UniqueIdBytes(ExternalFromInternal(*id), 2)) : "N/A");
  text.Add("Sequence number to time mapping", DescribeTimeMapping(seqno_to_time_mapping));
  return text.Take();
}

void TableProperties::Aggregate(const TableProperties& other) {
  data_size += other.data_size;
  index_size += other.index_size;
  index_partitions += other.index_partitions;
  top_level_index_size += other.top_level_index_size;
  index_key_is_user_key += other.index_key_is_user_key;
  index_value_is_delta_encoded += other.index_value_is_delta_encoded;
  filter_size += other.filter_size;
  raw_key_size += other.raw_key_size;
  raw_value_size += other.raw_value_size;
  num_data_blocks += other.num_data_blocks;
  num_uniform_blocks += other.num_uniform_blocks;
  num_entries += other.num_entries;
  num_filter_entries += other.num_filter_entries;
  num_deletions += other.num_deletions;
  num_merge_operands += other.num_merge_operands;
  num_range_deletions += other.num_range_deletions;
  slow_compression_estimated_data_size += other.slow_compression_estimated_data_size;
  fast_compression_estimated_data_size += other.fast_compression_estimated_data_size;
  num_data_blocks_compression_rejected += other.num_data_blocks_compression_rejected;
  num_data_blocks_compression_bypassed += other.num_data_blocks_compression_bypassed;
}

}  // namespace skarn
