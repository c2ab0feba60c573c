/* Every setter of options that has a getter: what is set is what is got. */

#include "check.h"
#include "rocksdb/c.h"

/* `value` differs from the default and fits every type. */
#define PAIR(prefix, object, name, value)        \
  do {                                           \
    prefix##set_##name(object, value);           \
    CHECK(prefix##get_##name(object) == (value)); \
  } while (0)
/* Flags are both set and cleared: one of the two is the default. */
#define FLAG(prefix, object, name)       \
  do {                                   \
    PAIR(prefix, object, name, 1);       \
    PAIR(prefix, object, name, 0);       \
  } while (0)

static void TestDbAndColumnFamily(void) {
  rocksdb_options_t* object = rocksdb_options_create();
  FLAG(rocksdb_options_, object, create_if_missing);
  FLAG(rocksdb_options_, object, create_missing_column_families);
  FLAG(rocksdb_options_, object, error_if_exists);
  FLAG(rocksdb_options_, object, paranoid_checks);
  FLAG(rocksdb_options_, object, skip_stats_update_on_db_open);
  PAIR(rocksdb_options_, object, max_file_opening_threads, 77);
  FLAG(rocksdb_options_, object, write_dbid_to_manifest);
  FLAG(rocksdb_options_, object, write_identity_file);
  PAIR(rocksdb_options_, object, wal_recovery_mode, rocksdb_absolute_consistency_recovery);
  PAIR(rocksdb_options_, object, wal_compression, rocksdb_zstd_compression);
  PAIR(rocksdb_options_, object, max_total_wal_size, 77);
  PAIR(rocksdb_options_, object, WAL_ttl_seconds, 77);
  PAIR(rocksdb_options_, object, WAL_size_limit_MB, 77);
  PAIR(rocksdb_options_, object, recycle_log_file_num, 77);
  FLAG(rocksdb_options_, object, manual_wal_flush);
  FLAG(rocksdb_options_, object, track_and_verify_wals_in_manifest);
  PAIR(rocksdb_options_, object, wal_bytes_per_sync, 77);
  PAIR(rocksdb_options_, object, db_write_buffer_size, 77);
  FLAG(rocksdb_options_, object, allow_concurrent_memtable_write);
  FLAG(rocksdb_options_, object, enable_pipelined_write);
  FLAG(rocksdb_options_, object, unordered_write);
  FLAG(rocksdb_options_, object, atomic_flush);
  FLAG(rocksdb_options_, object, enable_write_thread_adaptive_yield);
  PAIR(rocksdb_options_, object, max_background_jobs, 77);
  PAIR(rocksdb_options_, object, max_background_compactions, 77);
  PAIR(rocksdb_options_, object, max_background_flushes, 77);
  PAIR(rocksdb_options_, object, max_subcompactions, 77);
  PAIR(rocksdb_options_, object, delete_obsolete_files_period_micros, 77);
  FLAG(rocksdb_options_, object, avoid_unnecessary_blocking_io);
  FLAG(rocksdb_options_, object, allow_ingest_behind);
  PAIR(rocksdb_options_, object, max_open_files, 77);
  PAIR(rocksdb_options_, object, table_cache_numshardbits, 77);
  PAIR(rocksdb_options_, object, use_fsync, 1);
  PAIR(rocksdb_options_, object, bytes_per_sync, 77);
  PAIR(rocksdb_options_, object, writable_file_max_buffer_size, 77);
  FLAG(rocksdb_options_, object, use_direct_reads);
  FLAG(rocksdb_options_, object, use_direct_io_for_flush_and_compaction);
  FLAG(rocksdb_options_, object, allow_mmap_reads);
  FLAG(rocksdb_options_, object, allow_mmap_writes);
  FLAG(rocksdb_options_, object, advise_random_on_open);
  FLAG(rocksdb_options_, object, is_fd_close_on_exec);
  PAIR(rocksdb_options_, object, max_manifest_file_size, 77);
  PAIR(rocksdb_options_, object, manifest_preallocation_size, 77);
  FLAG(rocksdb_options_, object, use_adaptive_mutex);
  PAIR(rocksdb_options_, object, info_log_level, 4);
  PAIR(rocksdb_options_, object, max_log_file_size, 77);
  PAIR(rocksdb_options_, object, log_file_time_to_roll, 77);
  PAIR(rocksdb_options_, object, keep_log_file_num, 77);
  PAIR(rocksdb_options_, object, stats_dump_period_sec, 77);
  PAIR(rocksdb_options_, object, stats_persist_period_sec, 77);
  PAIR(rocksdb_options_, object, write_buffer_size, 77);
  PAIR(rocksdb_options_, object, max_write_buffer_number, 77);
  PAIR(rocksdb_options_, object, min_write_buffer_number_to_merge, 77);
  PAIR(rocksdb_options_, object, max_write_buffer_size_to_maintain, 77);
  PAIR(rocksdb_options_, object, arena_block_size, 77);
  PAIR(rocksdb_options_, object, memtable_huge_page_size, 77);
  PAIR(rocksdb_options_, object, memtable_prefix_bloom_size_ratio, 0.125);
  PAIR(rocksdb_options_, object, bloom_locality, 77);
  FLAG(rocksdb_options_, object, inplace_update_support);
  PAIR(rocksdb_options_, object, inplace_update_num_locks, 77);
  PAIR(rocksdb_options_, object, max_successive_merges, 77);
  PAIR(rocksdb_options_, object, memtable_op_scan_flush_trigger, 77);
  PAIR(rocksdb_options_, object, memtable_avg_op_scan_flush_trigger, 77);
  PAIR(rocksdb_options_, object, experimental_mempurge_threshold, 0.125);
  PAIR(rocksdb_options_, object, compaction_style, rocksdb_universal_compaction);
  PAIR(rocksdb_options_, object, compaction_pri, rocksdb_k_round_robin_compaction_pri);
  PAIR(rocksdb_options_, object, num_levels, 77);
  PAIR(rocksdb_options_, object, level0_file_num_compaction_trigger, 77);
  PAIR(rocksdb_options_, object, level0_slowdown_writes_trigger, 77);
  PAIR(rocksdb_options_, object, level0_stop_writes_trigger, 77);
  FLAG(rocksdb_options_, object, level_compaction_dynamic_level_bytes);
  PAIR(rocksdb_options_, object, max_bytes_for_level_base, 77);
  PAIR(rocksdb_options_, object, max_bytes_for_level_multiplier, 0.125);
  PAIR(rocksdb_options_, object, target_file_size_base, 77);
  PAIR(rocksdb_options_, object, target_file_size_multiplier, 77);
  PAIR(rocksdb_options_, object, max_compaction_bytes, 77);
  PAIR(rocksdb_options_, object, soft_pending_compaction_bytes_limit, 77);
  PAIR(rocksdb_options_, object, hard_pending_compaction_bytes_limit, 77);
  PAIR(rocksdb_options_, object, disable_auto_compactions, 1);
  PAIR(rocksdb_options_, object, ttl, 77);
  PAIR(rocksdb_options_, object, periodic_compaction_seconds, 77);
  PAIR(rocksdb_options_, object, report_bg_io_stats, 1);
  PAIR(rocksdb_options_, object, optimize_filters_for_hits, 1);
  PAIR(rocksdb_options_, object, max_sequential_skip_in_iterations, 77);
  PAIR(rocksdb_options_, object, access_hint_on_compaction_start, 77);
  PAIR(rocksdb_options_, object, base_background_compactions, 77);
  PAIR(rocksdb_options_, object, hard_rate_limit, 0.125);
  PAIR(rocksdb_options_, object, soft_rate_limit, 0.125);
  PAIR(rocksdb_options_, object, rate_limit_delay_max_milliseconds, 77);
  PAIR(rocksdb_options_, object, max_write_buffer_number_to_maintain, 77);
  FLAG(rocksdb_options_, object, skip_checking_sst_file_sizes_on_db_open);
  FLAG(rocksdb_options_, object, skip_log_error_on_recovery);
  PAIR(rocksdb_options_, object, compression, rocksdb_zstd_compression);
  PAIR(rocksdb_options_, object, bottommost_compression, rocksdb_zlib_compression);
  PAIR(rocksdb_options_, object, compression_options_zstd_max_train_bytes, 77);
  FLAG(rocksdb_options_, object, compression_options_use_zstd_dict_trainer);
  PAIR(rocksdb_options_, object, compression_options_max_dict_buffer_bytes, 77);
  PAIR(rocksdb_options_, object, compression_options_parallel_threads, 77);
  rocksdb_options_destroy(object);
}

static void TestRead(void) {
  rocksdb_readoptions_t* object = rocksdb_readoptions_create();
  FLAG(rocksdb_readoptions_, object, verify_checksums);
  FLAG(rocksdb_readoptions_, object, fill_cache);
  PAIR(rocksdb_readoptions_, object, read_tier, 2);
  FLAG(rocksdb_readoptions_, object, tailing);
  PAIR(rocksdb_readoptions_, object, readahead_size, 77);
  FLAG(rocksdb_readoptions_, object, prefix_same_as_start);
  FLAG(rocksdb_readoptions_, object, pin_data);
  FLAG(rocksdb_readoptions_, object, total_order_seek);
  PAIR(rocksdb_readoptions_, object, max_skippable_internal_keys, 77);
  FLAG(rocksdb_readoptions_, object, background_purge_on_iterator_cleanup);
  FLAG(rocksdb_readoptions_, object, ignore_range_deletions);
  PAIR(rocksdb_readoptions_, object, deadline, 77);
  PAIR(rocksdb_readoptions_, object, io_timeout, 77);
  FLAG(rocksdb_readoptions_, object, async_io);
  rocksdb_readoptions_destroy(object);
}

static void TestWrite(void) {
  rocksdb_writeoptions_t* object = rocksdb_writeoptions_create();
  FLAG(rocksdb_writeoptions_, object, sync);
  FLAG(rocksdb_writeoptions_, object, ignore_missing_column_families);
  FLAG(rocksdb_writeoptions_, object, no_slowdown);
  FLAG(rocksdb_writeoptions_, object, low_pri);
  FLAG(rocksdb_writeoptions_, object, memtable_insert_hint_per_batch);
  rocksdb_writeoptions_destroy(object);
}

static void TestFlush(void) {
  rocksdb_flushoptions_t* object = rocksdb_flushoptions_create();
  FLAG(rocksdb_flushoptions_, object, wait);
  rocksdb_flushoptions_destroy(object);
}

static void TestCompact(void) {
  rocksdb_compactoptions_t* object = rocksdb_compactoptions_create();
  FLAG(rocksdb_compactoptions_, object, exclusive_manual_compaction);
  FLAG(rocksdb_compactoptions_, object, bottommost_level_compaction);
  FLAG(rocksdb_compactoptions_, object, change_level);
  PAIR(rocksdb_compactoptions_, object, target_level, 77);
  PAIR(rocksdb_compactoptions_, object, target_path_id, 77);
  FLAG(rocksdb_compactoptions_, object, allow_write_stall);
  PAIR(rocksdb_compactoptions_, object, max_subcompactions, 77);
  rocksdb_compactoptions_destroy(object);
}

static void TestWait(void) {
  rocksdb_wait_for_compact_options_t* object = rocksdb_wait_for_compact_options_create();
  FLAG(rocksdb_wait_for_compact_options_, object, abort_on_pause);
  FLAG(rocksdb_wait_for_compact_options_, object, flush);
  FLAG(rocksdb_wait_for_compact_options_, object, close_db);
  PAIR(rocksdb_wait_for_compact_options_, object, timeout, 77);
  rocksdb_wait_for_compact_options_destroy(object);
}

int main(void) {
  TestDbAndColumnFamily();
  TestRead();
  TestWrite();
  TestFlush();
  TestCompact();
  TestWait();
  return 0;
}
