#include "core/db/event_log.h"

namespace skarn {

void EventLine::Name(const char* name) {
  if (text_.empty()) {
    text_ = "{";
  } else if (text_.back() != '{') {
    text_ += ", ";
  }
  text_ += '"';
  text_ += name;
  text_ += "\": ";
}

EventLine& EventLine::AddNumber(const char* name, bool negative, uint64_t magnitude) {
  Name(name);
  if (negative) text_ += '-';
  text_ += std::to_string(magnitude);
  return *this;
}

EventLine& EventLine::Add(const char* name, Slice text) {
  Name(name);
  text_ += '"';
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' || c == '\\') text_ += '\\';
    text_ += static_cast<unsigned char>(c) < ' ' ? ' ' : c;  // One line, whatever a name holds.
  }
  text_ += '"';
  return *this;
}

EventLine& EventLine::AddList(const char* name, const std::vector<uint64_t>& values) {
  Name(name);
  text_ += '[';
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) text_ += ", ";
    text_ += std::to_string(values[i]);
  }
  text_ += ']';
  return *this;
}

EventLine& EventLine::AddProperties(const TableProperties& p) {
  Name("table_properties");
  text_ += '{';
  const auto average = [&p](uint64_t bytes) {
    return p.num_entries == 0 ? 0 : bytes / p.num_entries;
  };
  const auto name_or_none = [](const std::string& name) { return name.empty() ? "N/A" : name; };
  Add("data_size", p.data_size);
  Add("index_size", p.index_size);
  Add("index_partitions", p.index_partitions);
  Add("top_level_index_size", p.top_level_index_size);
  Add("index_key_is_user_key", p.index_key_is_user_key);
  Add("index_value_is_delta_encoded", p.index_value_is_delta_encoded);
  Add("filter_size", p.filter_size);
  Add("raw_key_size", p.raw_key_size);
  Add("raw_average_key_size", average(p.raw_key_size));
  Add("raw_value_size", p.raw_value_size);
  Add("raw_average_value_size", average(p.raw_value_size));
  Add("num_data_blocks", p.num_data_blocks);
  Add("num_entries", p.num_entries);
  Add("num_filter_entries", p.num_filter_entries);
  Add("num_deletions", p.num_deletions);
  Add("num_merge_operands", p.num_merge_operands);
  Add("num_range_deletions", p.num_range_deletions);
  Add("format_version", p.format_version);
  Add("fixed_key_len", p.fixed_key_len);
  Add("filter_policy", p.filter_policy_name);
  Add("column_family_name", p.column_family_name);
  Add("column_family_id", p.column_family_id);
  Add("comparator", p.comparator_name);
  Add("user_defined_timestamps_persisted", p.user_defined_timestamps_persisted);
  Add("key_largest_seqno", p.key_largest_seqno);
  Add("key_smallest_seqno", p.key_smallest_seqno);
  Add("merge_operator", p.merge_operator_name);
  Add("prefix_extractor_name", p.prefix_extractor_name);
  Add("property_collectors", p.property_collectors_names);
  Add("compression", p.compression_name);
  Add("compression_options", p.compression_options);
  Add("creation_time", p.creation_time);
  Add("oldest_key_time", p.oldest_key_time);
  Add("newest_key_time", p.newest_key_time);
  Add("file_creation_time", p.file_creation_time);
  Add("slow_compression_estimated_data_size", p.slow_compression_estimated_data_size);
  Add("fast_compression_estimated_data_size", p.fast_compression_estimated_data_size);
  Add("db_id", p.db_id);
  Add("db_session_id", p.db_session_id);
  Add("orig_file_number", p.orig_file_number);
  Add("seqno_to_time_mapping", name_or_none(p.seqno_to_time_mapping));
  text_ += '}';
  return *this;
}

std::string TableCreatedEvent(uint64_t time_micros, const std::string& family, int job_id,
                              const TableOutput& output) {
  const FileMetadata& file = output.file;
  EventLine line(time_micros);
  line.Add("cf_name", family).Add("job", job_id).Add("event", "table_file_creation");
  line.Add("file_number", file.number).Add("file_size", file.size_bytes);
  line.Add("file_checksum", "").Add("file_checksum_func_name", "Unknown");
  line.Add("smallest_seqno", file.smallest_sequence).Add("largest_seqno", file.largest_sequence);
  line.AddProperties(output.properties);
  if (file.oldest_blob_file != 0) line.Add("oldest_blob_file_number", file.oldest_blob_file);
  return line.Add("status", "OK").Take();
}

}  // namespace skarn
