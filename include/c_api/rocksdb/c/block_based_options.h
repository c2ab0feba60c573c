/* Options of block-based tables. Each is described in docs/options.md. */

#ifndef SKARN_C_API_ROCKSDB_C_BLOCK_BASED_OPTIONS_H_
#define SKARN_C_API_ROCKSDB_C_BLOCK_BASED_OPTIONS_H_

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* For rocksdb_block_based_options_destroy(). */
extern ROCKSDB_LIBRARY_API rocksdb_block_based_table_options_t* rocksdb_block_based_options_create(
    void);
extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_destroy(
    rocksdb_block_based_table_options_t* options);

/* The options share the cache. NULL: none, or 32 MiB of their own unless no_block_cache is set. */
extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_set_block_cache(
    rocksdb_block_based_table_options_t* options, rocksdb_cache_t* block_cache);

/* The options take the policy over. NULL: no filters. */
extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_set_filter_policy(
    rocksdb_block_based_table_options_t* options, rocksdb_filterpolicy_t* filter_policy);

/* Version of the table format that new files get. Default: 7. */
extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_set_format_version(
    rocksdb_block_based_table_options_t* opt, int v);

/* Checksum of blocks. Default: 4 (XXH3). */
extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_set_checksum(
    rocksdb_block_based_table_options_t* opt, char v);

/* Bytes of a data block before compression. Default: 4096. */
extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_set_block_size(
    rocksdb_block_based_table_options_t* opt, size_t v);

/* Percent of free space at which a block that would overflow is ended. Default: 10. */
extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_set_block_size_deviation(
    rocksdb_block_based_table_options_t* opt, int v);

/* Keys of a data block between two that are stored whole. Default: 16. */
extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_set_block_restart_interval(
    rocksdb_block_based_table_options_t* opt, int v);

/* The same of an index block. Default: 1. */
extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_set_index_block_restart_interval(
    rocksdb_block_based_table_options_t* opt, int v);

/* Bytes of a partition of the index or the filter. Default: 4096. */
extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_set_metadata_block_size(
    rocksdb_block_based_table_options_t* opt, uint64_t v);

/* Store keys as differences from the one before. Default: 1. */
extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_set_use_delta_encoding(
    rocksdb_block_based_table_options_t* opt, unsigned char v);

/* Form of the index. Default: the binary search. */
extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_set_index_type(
    rocksdb_block_based_table_options_t* opt, int v);

/* Whether data blocks hold a hash of their keys. Default: the binary search. */
extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_set_data_block_index_type(
    rocksdb_block_based_table_options_t* opt, int v);

/* Keys for each bucket of that hash. Default: 0.75. */
extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_set_data_block_hash_ratio(
    rocksdb_block_based_table_options_t* options, double v);

/* Put whole keys into the filter, not only prefixes. Default: 1. */
extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_set_whole_key_filtering(
    rocksdb_block_based_table_options_t* opt, unsigned char v);

/* Split the filter like a two-level index. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_set_partition_filters(
    rocksdb_block_based_table_options_t* opt, unsigned char v);

/* Choose filter sizes that fit the allocator's. Default: 1. */
extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_set_optimize_filters_for_memory(
    rocksdb_block_based_table_options_t* opt, unsigned char v);

/* Use no block cache. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_set_no_block_cache(
    rocksdb_block_based_table_options_t* opt, unsigned char v);

/* Keep indexes and filters in the block cache, not with the open file. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_set_cache_index_and_filter_blocks(
    rocksdb_block_based_table_options_t* opt, unsigned char v);

/* Keep them there with high priority. Default: 1. */
extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(
    rocksdb_block_based_table_options_t* opt, unsigned char v);

/* Hold those of files that flushes made. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(
    rocksdb_block_based_table_options_t* opt, unsigned char v);

/* Hold the top of split indexes and filters. Default: 1. */
extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_set_pin_top_level_index_and_filter(
    rocksdb_block_based_table_options_t* opt, unsigned char v);

/* Which partitions of split indexes and filters are held (rocksdb_block_based_k_*_tier). */
extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_set_partition_pinning_tier(
    rocksdb_block_based_table_options_t* options, int v);

/* Which tops of split indexes and filters are held (rocksdb_block_based_k_*_tier). */
extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_set_top_level_index_pinning_tier(
    rocksdb_block_based_table_options_t* options, int v);

/* Which whole indexes and filters are held (rocksdb_block_based_k_*_tier). */
extern ROCKSDB_LIBRARY_API void rocksdb_block_based_options_set_unpartitioned_pinning_tier(
    rocksdb_block_based_table_options_t* options, int v);

#ifdef __cplusplus
}
#endif

#endif /* SKARN_C_API_ROCKSDB_C_BLOCK_BASED_OPTIONS_H_ */
