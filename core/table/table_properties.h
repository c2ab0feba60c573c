// TableProperties describe a table file as a whole. Stored in its properties block
// (core/table/properties_block.h) under the names RocksDB gave them.
//
// Thread safety: a plain value.

#ifndef SKARN_CORE_TABLE_TABLE_PROPERTIES_H_
#define SKARN_CORE_TABLE_TABLE_PROPERTIES_H_

#include <cstdint>
#include <map>
#include <string>

namespace skarn {

struct TableProperties {
  uint64_t orig_file_number = 0;
  uint64_t data_size = 0;
  uint64_t index_size = 0;
  uint64_t index_partitions = 0;
  uint64_t top_level_index_size = 0;
  uint64_t index_key_is_user_key = 0;
  uint64_t index_value_is_delta_encoded = 0;
  uint64_t filter_size = 0;
  uint64_t raw_key_size = 0;
  uint64_t raw_value_size = 0;
  uint64_t num_data_blocks = 0;
  uint64_t num_uniform_blocks = 0;
  uint64_t num_entries = 0;
  uint64_t num_filter_entries = 0;
  uint64_t num_deletions = 0;  // All kinds, range deletions included.
  uint64_t num_merge_operands = 0;
  uint64_t num_range_deletions = 0;
  uint64_t format_version = 0;
  uint64_t fixed_key_len = 0;
  uint64_t column_family_id = 2147483647;  // Unknown.
  uint64_t creation_time = 0;
  uint64_t oldest_key_time = 0;
  uint64_t newest_key_time = 0;
  uint64_t file_creation_time = 0;
  uint64_t slow_compression_estimated_data_size = 0;
  uint64_t fast_compression_estimated_data_size = 0;
  uint64_t external_sst_file_global_seqno_offset = 0;
  uint64_t tail_start_offset = 0;
  uint64_t user_defined_timestamps_persisted = 1;
  uint64_t key_largest_seqno = UINT64_MAX;
  uint64_t key_smallest_seqno = UINT64_MAX;
  uint64_t data_block_restart_interval = 0;
  uint64_t index_block_restart_interval = 0;
  uint64_t separate_key_value_in_data_block = 0;
  uint64_t num_data_blocks_compression_rejected = 0;
  uint64_t num_data_blocks_compression_bypassed = 0;
  uint64_t udi_is_primary_index = 0;
  std::string db_id;
  std::string db_session_id;
  std::string db_host_id;
  std::string column_family_name;
  std::string filter_policy_name;
  std::string comparator_name;
  std::string merge_operator_name;
  std::string prefix_extractor_name;
  std::string property_collectors_names;
  std::string compression_name;
  std::string compression_options;
  std::string seqno_to_time_mapping;
  // Everything else, by stored name.
  std::map<std::string, std::string> user_collected;
  std::map<std::string, std::string> readable;

  // "# data blocks=1; # entries=2; ..." as `rocksdb.aggregated-table-properties` shows.
  std::string ToString(const char* property_delimiter = "; ",
                       const char* value_delimiter = "=") const;
  void Aggregate(const TableProperties& other);
};

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_TABLE_PROPERTIES_H_
