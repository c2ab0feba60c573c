/* Options of a column family. Each pair is described in docs/options.md. */

#ifndef SKARN_C_API_ROCKSDB_C_OPTIONS_CF_H_
#define SKARN_C_API_ROCKSDB_C_OPTIONS_CF_H_

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of a memtable before it is flushed. Default: 67108864. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_write_buffer_size(
    rocksdb_options_t* options, size_t value);
extern ROCKSDB_LIBRARY_API size_t rocksdb_options_get_write_buffer_size(rocksdb_options_t* options);

/* Memtables at a time, the one written to included. Default: 2. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_max_write_buffer_number(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API int rocksdb_options_get_max_write_buffer_number(
    rocksdb_options_t* options);

/* Memtables that one flush waits for. Default: 1. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_min_write_buffer_number_to_merge(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API int rocksdb_options_get_min_write_buffer_number_to_merge(
    rocksdb_options_t* options);

/* Bytes of flushed memtables kept for conflict checks; -1: as many as the write buffers.
   Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_max_write_buffer_size_to_maintain(
    rocksdb_options_t* options, int64_t value);
extern ROCKSDB_LIBRARY_API int64_t rocksdb_options_get_max_write_buffer_size_to_maintain(
    rocksdb_options_t* options);

/* Bytes a memtable allocates at a time; 0: an eighth of write_buffer_size, at most 1 MiB.
   Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_arena_block_size(
    rocksdb_options_t* options, size_t value);
extern ROCKSDB_LIBRARY_API size_t rocksdb_options_get_arena_block_size(rocksdb_options_t* options);

/* Size of huge pages for memtables; 0: none. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_memtable_huge_page_size(
    rocksdb_options_t* options, size_t value);
extern ROCKSDB_LIBRARY_API size_t rocksdb_options_get_memtable_huge_page_size(
    rocksdb_options_t* options);

/* Part of write_buffer_size for a filter of prefixes, or of whole keys. Default: 0.0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_memtable_prefix_bloom_size_ratio(
    rocksdb_options_t* options, double value);
extern ROCKSDB_LIBRARY_API double rocksdb_options_get_memtable_prefix_bloom_size_ratio(
    rocksdb_options_t* options);

/* Put whole keys into the memtable's filter. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_memtable_whole_key_filtering(
    rocksdb_options_t* options, unsigned char value);

/* No effect: the memtable's filter keeps each key in one cache line in any case. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_bloom_locality(
    rocksdb_options_t* options, uint32_t value);
extern ROCKSDB_LIBRARY_API uint32_t rocksdb_options_get_bloom_locality(rocksdb_options_t* options);

/* Overwrite values in the memtable where they fit. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_inplace_update_support(
    rocksdb_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_inplace_update_support(
    rocksdb_options_t* options);

/* Locks shared by the keys that are overwritten. Default: 10000. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_inplace_update_num_locks(
    rocksdb_options_t* options, size_t value);
extern ROCKSDB_LIBRARY_API size_t rocksdb_options_get_inplace_update_num_locks(
    rocksdb_options_t* options);

/* Operands of a key in the memtable after which a write merges them; 0: never. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_max_successive_merges(
    rocksdb_options_t* options, size_t value);
extern ROCKSDB_LIBRARY_API size_t rocksdb_options_get_max_successive_merges(
    rocksdb_options_t* options);

/* Hidden entries one iterator step may pass before it asks for a flush; 0: no limit. Default:
   0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_memtable_op_scan_flush_trigger(
    rocksdb_options_t* options, uint32_t value);
extern ROCKSDB_LIBRARY_API uint32_t rocksdb_options_get_memtable_op_scan_flush_trigger(
    rocksdb_options_t* options);

/* The same on average between a seek and the iterator's end; 0: no limit. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_memtable_avg_op_scan_flush_trigger(
    rocksdb_options_t* options, uint32_t value);
extern ROCKSDB_LIBRARY_API uint32_t rocksdb_options_get_memtable_avg_op_scan_flush_trigger(
    rocksdb_options_t* options);

/* No effect: a flush always writes a table file, which is the safe outcome of the experiment.
   Default: 0.0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_experimental_mempurge_threshold(
    rocksdb_options_t* options, double value);
extern ROCKSDB_LIBRARY_API double rocksdb_options_get_experimental_mempurge_threshold(
    rocksdb_options_t* options);

/* How files are arranged. Default: rocksdb_level_compaction. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_compaction_style(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API int rocksdb_options_get_compaction_style(rocksdb_options_t* options);

/* Which file of a level is compacted first. Default:
   rocksdb_k_min_overlapping_ratio_compaction_pri. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_compaction_pri(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API int rocksdb_options_get_compaction_pri(rocksdb_options_t* options);

/* Levels. Default: 7. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_num_levels(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API int rocksdb_options_get_num_levels(rocksdb_options_t* options);

/* Files in level 0 that start a compaction. Default: 4. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_level0_file_num_compaction_trigger(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API int rocksdb_options_get_level0_file_num_compaction_trigger(
    rocksdb_options_t* options);

/* Files in level 0 that slow writes down. Default: 20. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_level0_slowdown_writes_trigger(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API int rocksdb_options_get_level0_slowdown_writes_trigger(
    rocksdb_options_t* options);

/* Files in level 0 that stop writes. Default: 36. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_level0_stop_writes_trigger(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API int rocksdb_options_get_level0_stop_writes_trigger(
    rocksdb_options_t* options);

/* Size the levels from the last one upwards. Default: 1. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_level_compaction_dynamic_level_bytes(
    rocksdb_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_level_compaction_dynamic_level_bytes(
    rocksdb_options_t* options);

/* Bytes of the first level below level 0. Default: 268435456. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_max_bytes_for_level_base(
    rocksdb_options_t* options, uint64_t value);
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_options_get_max_bytes_for_level_base(
    rocksdb_options_t* options);

/* How much larger the next level is. Default: 10.0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_max_bytes_for_level_multiplier(
    rocksdb_options_t* options, double value);
extern ROCKSDB_LIBRARY_API double rocksdb_options_get_max_bytes_for_level_multiplier(
    rocksdb_options_t* options);

/* Further factor of each level. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_max_bytes_for_level_multiplier_additional(
    rocksdb_options_t* options, int* level_values, size_t num_levels);

/* Bytes of a table file of level 1. Default: 67108864. */
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_options_get_target_file_size_base(
    rocksdb_options_t* options);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_target_file_size_base(
    rocksdb_options_t* options, uint64_t value);

/* How much larger the files of the next level are. Default: 1. */
extern ROCKSDB_LIBRARY_API int rocksdb_options_get_target_file_size_multiplier(
    rocksdb_options_t* options);
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_target_file_size_multiplier(
    rocksdb_options_t* options, int value);

/* Most bytes one compaction takes; 0: 25 times target_file_size_base. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_max_compaction_bytes(
    rocksdb_options_t* options, uint64_t value);
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_options_get_max_compaction_bytes(
    rocksdb_options_t* options);

/* Bytes waiting for compaction that slow writes down; 0: no limit. Default: 68719476736. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_soft_pending_compaction_bytes_limit(
    rocksdb_options_t* opt, size_t v);
extern ROCKSDB_LIBRARY_API size_t rocksdb_options_get_soft_pending_compaction_bytes_limit(
    rocksdb_options_t* opt);

/* Bytes waiting for compaction that stop writes; 0: no limit. Default: 274877906944. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_hard_pending_compaction_bytes_limit(
    rocksdb_options_t* opt, size_t v);
extern ROCKSDB_LIBRARY_API size_t rocksdb_options_get_hard_pending_compaction_bytes_limit(
    rocksdb_options_t* opt);

/* Compact only when asked to. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_disable_auto_compactions(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_disable_auto_compactions(
    rocksdb_options_t* options);

/* Seconds after which data is compacted down; 0: never. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_ttl(rocksdb_options_t* options, uint64_t value);
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_options_get_ttl(rocksdb_options_t* options);

/* Seconds after which a file is compacted; 0: never. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_periodic_compaction_seconds(
    rocksdb_options_t* options, uint64_t value);
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_options_get_periodic_compaction_seconds(
    rocksdb_options_t* options);

/* Measure the file operations of flushes and compactions. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_report_bg_io_stats(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_report_bg_io_stats(
    rocksdb_options_t* options);

/* Make no filters for the last level. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_optimize_filters_for_hits(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_optimize_filters_for_hits(
    rocksdb_options_t* options);

/* Hidden versions of a key an iterator steps over before it seeks. Default: 8. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_max_sequential_skip_in_iterations(
    rocksdb_options_t* options, uint64_t value);
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_options_get_max_sequential_skip_in_iterations(
    rocksdb_options_t* options);

#ifdef __cplusplus
}
#endif

#endif /* SKARN_C_API_ROCKSDB_C_OPTIONS_CF_H_ */
