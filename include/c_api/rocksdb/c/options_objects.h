/* Options: creating them, what they refer to, and settings of many at once.
   One options object describes a database and a column family together. */

#ifndef SKARN_C_API_ROCKSDB_C_OPTIONS_OBJECTS_H_
#define SKARN_C_API_ROCKSDB_C_OPTIONS_OBJECTS_H_

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* New options with the defaults, for rocksdb_options_destroy(). */
extern ROCKSDB_LIBRARY_API rocksdb_options_t* rocksdb_options_create(void);

/* A copy that refers to the same comparator, caches and so on. */
extern ROCKSDB_LIBRARY_API rocksdb_options_t* rocksdb_options_create_copy(
    rocksdb_options_t* options);

/* Objects that the options shared with open databases stay until those are closed. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_destroy(rocksdb_options_t* options);

/* Orders the keys. The comparator stays the caller's, and must live until all databases
   opened with it are closed. Only the default orders keys bytewise. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_comparator(
    rocksdb_options_t* options, rocksdb_comparator_t* comparator);

/* The options take the operator over: it is not to be destroyed by the caller. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_merge_operator(
    rocksdb_options_t* options, rocksdb_mergeoperator_t* merge_operator);

/* A merge operator that adds 8-byte little-endian numbers. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_uint64add_merge_operator(
    rocksdb_options_t* options);

/* The filter stays the caller's, and must live until all databases opened with it are
   closed. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_compaction_filter(
    rocksdb_options_t* options, rocksdb_compactionfilter_t* filter);

/* The options take the factory over. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_compaction_filter_factory(
    rocksdb_options_t* options, rocksdb_compactionfilterfactory_t* factory);

/* The options take the transform over. NULL: no prefixes. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_prefix_extractor(
    rocksdb_options_t* options, rocksdb_slicetransform_t* transform);

/* Where files are and how work is done. The environment stays the caller's, and must live
   until all databases opened with it are closed. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_env(rocksdb_options_t* options,
                                                        rocksdb_env_t* env);

/* The options share the object; the caller still destroys its own reference. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_info_log(
    rocksdb_options_t* options, rocksdb_logger_t* logger);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_ratelimiter(
    rocksdb_options_t* opt, rocksdb_ratelimiter_t* limiter);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_row_cache(
    rocksdb_options_t* opt, rocksdb_cache_t* cache);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_write_buffer_manager(
    rocksdb_options_t* opt, rocksdb_write_buffer_manager_t* wbm);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_sst_file_manager(
    rocksdb_options_t* opt, rocksdb_sst_file_manager_t* sfm);

/* The logger of the options, for rocksdb_logger_destroy(), or NULL. */
extern ROCKSDB_LIBRARY_API rocksdb_logger_t* rocksdb_options_get_info_log(rocksdb_options_t* opt);

/* Directories for table files. The paths are copied. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_db_paths(
    rocksdb_options_t* options, const rocksdb_dbpath_t** path_values, size_t num_paths);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_cf_paths(
    rocksdb_options_t* options, const rocksdb_dbpath_t** path_values, size_t num_paths);

/* Copies the options of block-based tables; these become the format of new files. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_block_based_table_factory(
    rocksdb_options_t* opt, rocksdb_block_based_table_options_t* table_options);

/* The data structure of memtables; without one of these, a skip list. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_memtable_vector_rep(rocksdb_options_t* options);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_hash_skip_list_rep(
    rocksdb_options_t* options, size_t bucket_count, int32_t skiplist_height,
    int32_t skiplist_branching_factor);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_hash_link_list_rep(
    rocksdb_options_t* options, size_t bucket_count);

/* Marks a new table file for compaction when, among `window_size` entries in a row,
   `num_dels_trigger` are deletions, or a part of `deletion_ratio` of all its entries; files
   below `min_file_size` bytes are left alone. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_add_compact_on_deletion_collector_factory(
    rocksdb_options_t* options, size_t window_size, size_t num_dels_trigger);
extern ROCKSDB_LIBRARY_API void rocksdb_options_add_compact_on_deletion_collector_factory_del_ratio(
    rocksdb_options_t* options, size_t window_size, size_t num_dels_trigger, double deletion_ratio);
extern ROCKSDB_LIBRARY_API void rocksdb_options_add_compact_on_deletion_collector_factory_min_file_size(
    rocksdb_options_t* options, size_t window_size, size_t num_dels_trigger, double deletion_ratio,
    uint64_t min_file_size);

/* Settings for a purpose: threads for flushes and compactions; a bloom filter, hashed data
   blocks and a cache of the given size for reads of single keys; memtables and levels for a
   budget of memory; loading much data before anything is read. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_increase_parallelism(
    rocksdb_options_t* opt, int total_threads);
extern ROCKSDB_LIBRARY_API void rocksdb_options_optimize_for_point_lookup(
    rocksdb_options_t* opt, uint64_t block_cache_size_mb);
extern ROCKSDB_LIBRARY_API void rocksdb_options_optimize_level_style_compaction(
    rocksdb_options_t* opt, uint64_t memtable_memory_budget);
extern ROCKSDB_LIBRARY_API void rocksdb_options_prepare_for_bulk_load(rocksdb_options_t* options);

/* Sets *new_options to `base_options` changed by a string such as
   "write_buffer_size=1M;block_based_table_factory={block_size=8K}". On an error *new_options is
   as `base_options`. */
extern ROCKSDB_LIBRARY_API void rocksdb_get_options_from_string(
    const rocksdb_options_t* base_options, const char* opts_str, rocksdb_options_t* new_options,
    char** errptr);

/* Reads the newest OPTIONS file of the database in `db_path`. All results are for
   rocksdb_load_latest_options_destroy(). `cache` becomes the block cache; it may be NULL. */
extern ROCKSDB_LIBRARY_API void rocksdb_load_latest_options(
    const char* db_path, rocksdb_env_t* env, bool ignore_unknown_options, rocksdb_cache_t* cache,
    rocksdb_options_t** db_options, size_t* num_column_families, char*** column_family_names,
    rocksdb_options_t*** column_family_options, char** errptr);
extern ROCKSDB_LIBRARY_API void rocksdb_load_latest_options_destroy(
    rocksdb_options_t* db_options, char** list_column_family_names,
    rocksdb_options_t** list_column_family_options, size_t len);

/* A directory for table files and the bytes it takes before the next one is used. */
extern ROCKSDB_LIBRARY_API rocksdb_dbpath_t* rocksdb_dbpath_create(
    const char* path, uint64_t target_size);
extern ROCKSDB_LIBRARY_API void rocksdb_dbpath_destroy(rocksdb_dbpath_t* path);

#ifdef __cplusplus
}
#endif

#endif /* SKARN_C_API_ROCKSDB_C_OPTIONS_OBJECTS_H_ */
