/* Options that newer releases of RocksDB dropped.
   Programs built for older releases still call these. The setters have no effect on the
   database; each getter returns what its setter was given, or the old default. */

#ifndef SKARN_C_API_ROCKSDB_C_OPTIONS_RETIRED_H_
#define SKARN_C_API_ROCKSDB_C_OPTIONS_RETIRED_H_

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

extern ROCKSDB_LIBRARY_API void rocksdb_options_set_access_hint_on_compaction_start(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API int rocksdb_options_get_access_hint_on_compaction_start(
    rocksdb_options_t* options);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_allow_os_buffer(
    rocksdb_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_base_background_compactions(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API int rocksdb_options_get_base_background_compactions(
    rocksdb_options_t* options);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_disable_data_sync(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_hard_rate_limit(
    rocksdb_options_t* options, double value);
extern ROCKSDB_LIBRARY_API double rocksdb_options_get_hard_rate_limit(rocksdb_options_t* options);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_soft_rate_limit(
    rocksdb_options_t* options, double value);
extern ROCKSDB_LIBRARY_API double rocksdb_options_get_soft_rate_limit(rocksdb_options_t* options);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_rate_limit_delay_max_milliseconds(
    rocksdb_options_t* options, unsigned int value);
extern ROCKSDB_LIBRARY_API unsigned int rocksdb_options_get_rate_limit_delay_max_milliseconds(
    rocksdb_options_t* options);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_max_mem_compaction_level(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_max_write_buffer_number_to_maintain(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API int rocksdb_options_get_max_write_buffer_number_to_maintain(
    rocksdb_options_t* options);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_min_partial_merge_operands(
    rocksdb_options_t* options, uint32_t value);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_purge_redundant_kvs_while_flush(
    rocksdb_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_skip_checking_sst_file_sizes_on_db_open(
    rocksdb_options_t* opt, unsigned char val);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_skip_checking_sst_file_sizes_on_db_open(
    rocksdb_options_t* opt);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_skip_log_error_on_recovery(
    rocksdb_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_skip_log_error_on_recovery(
    rocksdb_options_t* options);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_snap_refresh_nanos(
    rocksdb_options_t* options, uint64_t value);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_table_cache_remove_scan_count_limit(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_use_direct_writes(
    rocksdb_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_verify_checksums_in_compaction(
    rocksdb_options_t* options, unsigned char value);

extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_set_block_cache_compressed(
    rocksdb_block_based_table_options_t* options, rocksdb_cache_t* block_cache_compressed);
extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_set_hash_index_allow_collision(
    rocksdb_block_based_table_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_set_skip_table_builder_flush(
    rocksdb_block_based_table_options_t* options, unsigned char value);

extern ROCKSDB_LIBRARY_API void rocksdb_readoptions_set_managed(
    rocksdb_readoptions_t* options, unsigned char value);

/* A filter policy of the caller's own. It is accepted and destroyed like the others, and new
   files get no filter. */
extern ROCKSDB_LIBRARY_API rocksdb_filterpolicy_t* rocksdb_filterpolicy_create(
    void* state, void (*destructor)(void*),
    char* (*create_filter)(void*, const char* const* key_array, const size_t* key_length_array,
        int num_keys, size_t* filter_length),
    unsigned char (*key_may_match)(void*, const char* key, size_t length, const char* filter,
        size_t filter_length),
    void (*delete_filter)(void*, const char* filter, size_t filter_length),
    const char* (*name)(void*));

#ifdef __cplusplus
}
#endif

#endif /* SKARN_C_API_ROCKSDB_C_OPTIONS_RETIRED_H_ */
