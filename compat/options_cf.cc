// Options of a column family (c/options_cf.h): a setter and a getter for each row.

#include "compat/handle_life.h"
#include "compat/handles.h"
#include "compat/option_functions.h"
#include "include/c_api/rocksdb/c.h"

#define SKARN_C_OPTION(name)                                             \
  SKARN_C_SETTER(rocksdb_options_set_##name, rocksdb_options_t, cf.name) \
  SKARN_C_GETTER(rocksdb_options_get_##name, rocksdb_options_t, cf.name)

extern "C" {

SKARN_C_OPTION(write_buffer_size)
SKARN_C_OPTION(max_write_buffer_number)
SKARN_C_OPTION(min_write_buffer_number_to_merge)
SKARN_C_OPTION(max_write_buffer_size_to_maintain)
SKARN_C_OPTION(arena_block_size)
SKARN_C_OPTION(memtable_huge_page_size)
SKARN_C_OPTION(memtable_prefix_bloom_size_ratio)
SKARN_C_SETTER(rocksdb_options_set_memtable_whole_key_filtering, rocksdb_options_t,
               cf.memtable_whole_key_filtering)
SKARN_C_OPTION(bloom_locality)
SKARN_C_OPTION(inplace_update_support)
SKARN_C_OPTION(inplace_update_num_locks)
SKARN_C_OPTION(max_successive_merges)
SKARN_C_OPTION(memtable_op_scan_flush_trigger)
SKARN_C_OPTION(memtable_avg_op_scan_flush_trigger)
SKARN_C_OPTION(experimental_mempurge_threshold)
SKARN_C_OPTION(compaction_style)
SKARN_C_OPTION(compaction_pri)
SKARN_C_OPTION(num_levels)
SKARN_C_OPTION(level0_file_num_compaction_trigger)
SKARN_C_OPTION(level0_slowdown_writes_trigger)
SKARN_C_OPTION(level0_stop_writes_trigger)
SKARN_C_OPTION(level_compaction_dynamic_level_bytes)
SKARN_C_OPTION(max_bytes_for_level_base)
SKARN_C_OPTION(max_bytes_for_level_multiplier)
SKARN_C_OPTION(target_file_size_base)
SKARN_C_OPTION(target_file_size_multiplier)
SKARN_C_OPTION(max_compaction_bytes)
SKARN_C_OPTION(soft_pending_compaction_bytes_limit)
SKARN_C_OPTION(hard_pending_compaction_bytes_limit)
SKARN_C_OPTION(disable_auto_compactions)
SKARN_C_OPTION(ttl)
SKARN_C_OPTION(periodic_compaction_seconds)
SKARN_C_OPTION(report_bg_io_stats)
SKARN_C_OPTION(optimize_filters_for_hits)
SKARN_C_OPTION(max_sequential_skip_in_iterations)

void rocksdb_options_set_max_bytes_for_level_multiplier_additional(rocksdb_options_t* options,
                                                                   int* level_values,
                                                                   size_t num_levels) {
  Usable(options)->cf.max_bytes_for_level_multiplier_additional.assign(level_values,
                                                                       level_values + num_levels);
}

}  // extern "C"
