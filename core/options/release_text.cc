#include "core/options/release_text.h"

#include <algorithm>
#include <string_view>

namespace skarn {
namespace {

constexpr uint32_t kFirstReleaseWithAll = 800;

// Options that came after 7.8. Sorted.
constexpr std::string_view kNewerOptions[] = {
    "async_wal_precreate",
    "background_close_inactive_wals",
    "blob_compression_opts",
    "blob_direct_write_partitions",
    "block_protection_bytes_per_key",
    "bottommost_file_compaction_delay",
    "cf_allow_ingest_behind",
    "compaction_verify_record_count",
    "compression_manager",
    "decouple_partitioned_filters",
    "default_temperature",
    "default_write_temperature",
    "disallow_memtable_writes",
    "enable_blob_direct_write",
    "enforce_write_buffer_manager_during_recovery",
    "fail_if_no_udi_on_open",
    "fast_sst_open",
    "follower_catchup_retry_count",
    "follower_catchup_retry_wait_ms",
    "follower_refresh_catchup_period_ms",
    "index_block_search_type",
    "max_compaction_trigger_wakeup_seconds",
    "max_manifest_space_amp_pct",
    "memtable_avg_op_scan_flush_trigger",
    "memtable_batch_lookup_optimization",
    "memtable_max_range_deletions",
    "memtable_op_scan_flush_trigger",
    "memtable_verify_per_key_checksum_on_seek",
    "metadata_write_temperature",
    "min_tombstones_for_range_conversion",
    "open_files_async",
    "optimize_manifest_for_recovery",
    "paranoid_memory_checks",
    "persist_user_defined_timestamps",
    "prefix_seek_opt_in_only",
    "read_io_executor_threads",
    "read_triggered_compaction_threshold",
    "reuse_manifest_on_open",
    "separate_key_value_in_data_block",
    "strict_max_successive_merges",
    "super_block_alignment_size",
    "super_block_alignment_space_overhead_ratio",
    "target_file_size_is_upper_bound",
    "track_and_verify_wals",
    "uncache_aggressiveness",
    "uniform_cv_threshold",
    "use_delta_encoding",
    "use_direct_io_for_compaction_reads",
    "use_udi_as_primary_index",
    "user_defined_index_factory",
    "verify_manifest_content_on_close",
    "verify_output_flags",
    "wal_write_temperature",
    "write_identity_file",
};

// Fields of structured options that came after 7.8. Sorted.
constexpr std::string_view kNewerFields[] = {
    "allow_trivial_copy_when_change_temperature",
    "checksum",
    "file_temperature_age_thresholds",
    "max_compressed_bytes_per_kb",
    "max_data_files_size",
    "max_read_amp",
    "reduce_file_locking",
    "trivial_copy_buffer_size",
    "use_kv_ratio_compaction",
};

template <size_t size>
bool Contains(const std::string_view (&names)[size], std::string_view name) {
  return std::binary_search(std::begin(names), std::end(names), name);
}

// "{a=1;b=2;}" without the fields that are newer.
std::string OlderFields(std::string_view value) {
  std::string kept = "{";
  size_t start = 1;
  while (start < value.size() && value[start] != '}') {
    const size_t end = std::min(value.find(';', start), value.size());
    const std::string_view field = value.substr(start, end - start);
    if (!Contains(kNewerFields, field.substr(0, field.find('=')))) {
      kept.append(field).push_back(';');
    }
    start = end + 1;
  }
  kept.push_back('}');
  return kept;
}

}  // namespace

std::string OptionsTextForRelease(std::string text, uint32_t release) {
  if (release == 0 || release >= kFirstReleaseWithAll) return text;
  std::string older;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    const std::string_view line = std::string_view(text).substr(start, end - start);
    start = end + 1;
    const size_t begin = line.find_first_not_of(' ');
    const size_t equals = line.find('=');
    if (begin == std::string_view::npos || equals == std::string_view::npos || line[begin] == '#') {
      older.append(line).push_back('\n');
      continue;
    }
    const std::string_view name = line.substr(begin, equals - begin);
    const std::string_view value = line.substr(equals + 1);
    if (Contains(kNewerOptions, name)) continue;
    older.append(line.substr(0, equals + 1));
    if (name == "rocksdb_version") {
      older.append("7.8.3");
    } else if (value.size() > 1 && value.front() == '{' && value.find("{id=") != 0) {
      older.append(OlderFields(value));
    } else {
      older.append(value);
    }
    older.push_back('\n');
  }
  return older;
}

}  // namespace skarn
