// Options of block-based tables (c/block_based_options.h).

#include <memory>
#include <utility>

#include "compat/handle_life.h"
#include "compat/handles.h"
#include "compat/option_functions.h"
#include "include/c_api/rocksdb/c.h"

#define SKARN_C_TABLE_OPTION(name)                                                            \
  SKARN_C_SETTER(rocksdb_block_based_options_set_##name, rocksdb_block_based_table_options_t, \
                 rep.name)

extern "C" {

rocksdb_block_based_table_options_t* rocksdb_block_based_options_create() {
  return new rocksdb_block_based_table_options_t;
}
void rocksdb_block_based_options_destroy(rocksdb_block_based_table_options_t* options) {
  Retire(options);
}

SKARN_C_TABLE_OPTION(format_version)
SKARN_C_TABLE_OPTION(checksum)
SKARN_C_TABLE_OPTION(block_size)
SKARN_C_TABLE_OPTION(block_size_deviation)
SKARN_C_TABLE_OPTION(block_restart_interval)
SKARN_C_TABLE_OPTION(index_block_restart_interval)
SKARN_C_TABLE_OPTION(metadata_block_size)
SKARN_C_TABLE_OPTION(use_delta_encoding)
SKARN_C_TABLE_OPTION(index_type)
SKARN_C_TABLE_OPTION(data_block_index_type)
SKARN_C_TABLE_OPTION(whole_key_filtering)
SKARN_C_TABLE_OPTION(partition_filters)
SKARN_C_TABLE_OPTION(optimize_filters_for_memory)
SKARN_C_TABLE_OPTION(no_block_cache)
SKARN_C_TABLE_OPTION(cache_index_and_filter_blocks)
SKARN_C_TABLE_OPTION(cache_index_and_filter_blocks_with_high_priority)
SKARN_C_TABLE_OPTION(pin_l0_filter_and_index_blocks_in_cache)
SKARN_C_TABLE_OPTION(pin_top_level_index_and_filter)
SKARN_C_SETTER(rocksdb_block_based_options_set_data_block_hash_ratio,
               rocksdb_block_based_table_options_t, rep.data_block_hash_table_util_ratio)
SKARN_C_SETTER(rocksdb_block_based_options_set_top_level_index_pinning_tier,
               rocksdb_block_based_table_options_t,
               rep.metadata_cache_options.top_level_index_pinning)
SKARN_C_SETTER(rocksdb_block_based_options_set_partition_pinning_tier,
               rocksdb_block_based_table_options_t, rep.metadata_cache_options.partition_pinning)
SKARN_C_SETTER(rocksdb_block_based_options_set_unpartitioned_pinning_tier,
               rocksdb_block_based_table_options_t,
               rep.metadata_cache_options.unpartitioned_pinning)

void rocksdb_block_based_options_set_block_cache(rocksdb_block_based_table_options_t* options,
                                                 rocksdb_cache_t* block_cache) {
  Usable(options)->rep.block_cache = block_cache == nullptr ? nullptr : block_cache->rep;
}

void rocksdb_block_based_options_set_filter_policy(rocksdb_block_based_table_options_t* options,
                                                   rocksdb_filterpolicy_t* filter_policy) {
  Usable(options)->rep.filter_policy =
      filter_policy == nullptr ? nullptr : SharedPlugin(*filter_policy);
  Retire(filter_policy);
}

}  // extern "C"
