// Options of a database (c/options_db.h): a setter and a getter for each row.

#include "compat/handles.h"
#include "compat/option_functions.h"
#include "include/c_api/rocksdb/c.h"

#define SKARN_C_OPTION(name)                                             \
  SKARN_C_SETTER(rocksdb_options_set_##name, rocksdb_options_t, db.name) \
  SKARN_C_GETTER(rocksdb_options_get_##name, rocksdb_options_t, db.name)

extern "C" {

SKARN_C_OPTION(create_if_missing)
SKARN_C_OPTION(create_missing_column_families)
SKARN_C_OPTION(error_if_exists)
SKARN_C_OPTION(paranoid_checks)
SKARN_C_OPTION(skip_stats_update_on_db_open)
SKARN_C_OPTION(max_file_opening_threads)
SKARN_C_OPTION(write_dbid_to_manifest)
SKARN_C_OPTION(write_identity_file)
SKARN_C_SETTER(rocksdb_options_set_wal_dir, rocksdb_options_t, db.wal_dir)
SKARN_C_OPTION(wal_recovery_mode)
SKARN_C_OPTION(wal_compression)
SKARN_C_OPTION(max_total_wal_size)
SKARN_C_OPTION(WAL_ttl_seconds)
SKARN_C_OPTION(WAL_size_limit_MB)
SKARN_C_OPTION(recycle_log_file_num)
SKARN_C_OPTION(manual_wal_flush)
SKARN_C_OPTION(track_and_verify_wals_in_manifest)
SKARN_C_OPTION(wal_bytes_per_sync)
SKARN_C_OPTION(db_write_buffer_size)
SKARN_C_OPTION(allow_concurrent_memtable_write)
SKARN_C_OPTION(enable_pipelined_write)
SKARN_C_OPTION(unordered_write)
SKARN_C_OPTION(atomic_flush)
SKARN_C_OPTION(enable_write_thread_adaptive_yield)
SKARN_C_OPTION(max_background_jobs)
SKARN_C_OPTION(max_background_compactions)
SKARN_C_OPTION(max_background_flushes)
SKARN_C_OPTION(max_subcompactions)
SKARN_C_OPTION(delete_obsolete_files_period_micros)
SKARN_C_OPTION(avoid_unnecessary_blocking_io)
SKARN_C_OPTION(allow_ingest_behind)
SKARN_C_OPTION(max_open_files)
SKARN_C_OPTION(table_cache_numshardbits)
SKARN_C_OPTION(use_fsync)
SKARN_C_OPTION(bytes_per_sync)
SKARN_C_OPTION(writable_file_max_buffer_size)
SKARN_C_GETTER(rocksdb_options_get_compaction_readahead_size, rocksdb_options_t,
               db.compaction_readahead_size)
SKARN_C_OPTION(use_direct_reads)
SKARN_C_OPTION(use_direct_io_for_flush_and_compaction)
SKARN_C_OPTION(allow_mmap_reads)
SKARN_C_OPTION(allow_mmap_writes)
SKARN_C_OPTION(advise_random_on_open)
SKARN_C_OPTION(is_fd_close_on_exec)
SKARN_C_OPTION(max_manifest_file_size)
SKARN_C_OPTION(manifest_preallocation_size)
SKARN_C_OPTION(use_adaptive_mutex)
SKARN_C_SETTER(rocksdb_options_set_dump_malloc_stats, rocksdb_options_t, db.dump_malloc_stats)
SKARN_C_SETTER(rocksdb_options_set_db_log_dir, rocksdb_options_t, db.db_log_dir)
SKARN_C_OPTION(info_log_level)
SKARN_C_OPTION(max_log_file_size)
SKARN_C_OPTION(log_file_time_to_roll)
SKARN_C_OPTION(keep_log_file_num)
SKARN_C_OPTION(stats_dump_period_sec)
SKARN_C_OPTION(stats_persist_period_sec)
SKARN_C_SETTER(rocksdb_options_compaction_readahead_size, rocksdb_options_t,
               db.compaction_readahead_size)

}  // extern "C"
