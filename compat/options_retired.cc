// Options that newer releases dropped (c/options_retired.h).

#include <memory>

#include "compat/handles.h"
#include "compat/option_functions.h"
#include "include/c_api/rocksdb/c.h"

#define SKARN_C_RETIRED(name)                                                 \
  SKARN_C_SETTER(rocksdb_options_set_##name, rocksdb_options_t, retired.name) \
  SKARN_C_GETTER(rocksdb_options_get_##name, rocksdb_options_t, retired.name)
// Nobody can ask for what these were given.
#define SKARN_C_FORGOTTEN(function, Handle) \
  void function(Handle*, skarn::SignatureOf<decltype(function)>::Argument) {}

extern "C" {

SKARN_C_RETIRED(access_hint_on_compaction_start)
SKARN_C_RETIRED(base_background_compactions)
SKARN_C_RETIRED(hard_rate_limit)
SKARN_C_RETIRED(soft_rate_limit)
SKARN_C_RETIRED(rate_limit_delay_max_milliseconds)
SKARN_C_RETIRED(max_write_buffer_number_to_maintain)
SKARN_C_RETIRED(skip_checking_sst_file_sizes_on_db_open)
SKARN_C_RETIRED(skip_log_error_on_recovery)
SKARN_C_FORGOTTEN(rocksdb_options_set_allow_os_buffer, rocksdb_options_t)
SKARN_C_FORGOTTEN(rocksdb_options_set_disable_data_sync, rocksdb_options_t)
SKARN_C_FORGOTTEN(rocksdb_options_set_max_mem_compaction_level, rocksdb_options_t)
SKARN_C_FORGOTTEN(rocksdb_options_set_min_partial_merge_operands, rocksdb_options_t)
SKARN_C_FORGOTTEN(rocksdb_options_set_purge_redundant_kvs_while_flush, rocksdb_options_t)
SKARN_C_FORGOTTEN(rocksdb_options_set_snap_refresh_nanos, rocksdb_options_t)
SKARN_C_FORGOTTEN(rocksdb_options_set_table_cache_remove_scan_count_limit, rocksdb_options_t)
SKARN_C_FORGOTTEN(rocksdb_options_set_use_direct_writes, rocksdb_options_t)
SKARN_C_FORGOTTEN(rocksdb_options_set_verify_checksums_in_compaction, rocksdb_options_t)
SKARN_C_FORGOTTEN(rocksdb_block_based_options_set_block_cache_compressed,
                  rocksdb_block_based_table_options_t)
SKARN_C_FORGOTTEN(rocksdb_block_based_options_set_hash_index_allow_collision,
                  rocksdb_block_based_table_options_t)
SKARN_C_FORGOTTEN(rocksdb_block_based_options_set_skip_table_builder_flush,
                  rocksdb_block_based_table_options_t)
SKARN_C_FORGOTTEN(rocksdb_readoptions_set_managed, rocksdb_readoptions_t)

rocksdb_filterpolicy_t* rocksdb_filterpolicy_create(
    void* state, void (*destructor)(void*),
    char* (*)(void*, const char* const* key_array, const size_t* key_length_array, int num_keys,
              size_t* filter_length),
    unsigned char (*)(void*, const char* key, size_t length, const char* filter,
                      size_t filter_length),
    void (*)(void*, const char* filter, size_t filter_length), const char* (*)(void*)) {
  // No bits, no filters. The state lives as long as the policy does.
  const auto free_both = [state, destructor](const skarn::FilterPolicy* policy) {
    if (destructor != nullptr) destructor(state);
    delete policy;
  };
  auto* policy = new skarn::FilterPolicy;
  policy->bits_per_key = 0;
  return new rocksdb_filterpolicy_t{std::shared_ptr<const skarn::FilterPolicy>(policy, free_both)};
}

}  // extern "C"
