/* Options of a database. Each pair is described in docs/options.md. */

#ifndef SKARN_C_API_ROCKSDB_C_OPTIONS_DB_H_
#define SKARN_C_API_ROCKSDB_C_OPTIONS_DB_H_

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Create the database if it is absent. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_create_if_missing(
    rocksdb_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_create_if_missing(
    rocksdb_options_t* options);

/* Create the column families that open names and that are absent. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_create_missing_column_families(
    rocksdb_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_create_missing_column_families(
    rocksdb_options_t* options);

/* Fail when the database exists. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_error_if_exists(
    rocksdb_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_error_if_exists(
    rocksdb_options_t* options);

/* Treat damage found at open as an error, and stop writes after a failed one. Default: 1. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_paranoid_checks(
    rocksdb_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_paranoid_checks(
    rocksdb_options_t* options);

/* Do not read table properties at open to estimate deletions. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_skip_stats_update_on_db_open(
    rocksdb_options_t* opt, unsigned char val);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_skip_stats_update_on_db_open(
    rocksdb_options_t* opt);

/* Threads that open table files when max_open_files is -1. Default: 16. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_max_file_opening_threads(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API int rocksdb_options_get_max_file_opening_threads(
    rocksdb_options_t* options);

/* Store the database's id in the manifest. Default: 1. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_write_dbid_to_manifest(
    rocksdb_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_write_dbid_to_manifest(
    rocksdb_options_t* options);

/* Store the database's id in the IDENTITY file. Default: 1. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_write_identity_file(
    rocksdb_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_write_identity_file(
    rocksdb_options_t* options);

/* Directory of the write-ahead logs; empty: that of the database. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_wal_dir(
    rocksdb_options_t* options, const char* value);

/* What open does with damaged write-ahead logs. Default: rocksdb_point_in_time_recovery. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_wal_recovery_mode(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API int rocksdb_options_get_wal_recovery_mode(rocksdb_options_t* options);

/* Codec of write-ahead log records; only kZSTD is possible. Default: rocksdb_no_compression. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_wal_compression(
    rocksdb_options_t* opt, int value);
extern ROCKSDB_LIBRARY_API int rocksdb_options_get_wal_compression(rocksdb_options_t* opt);

/* Bytes of live logs that make column families flush; 0: four times all write buffers.
   Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_max_total_wal_size(
    rocksdb_options_t* opt, uint64_t n);
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_options_get_max_total_wal_size(rocksdb_options_t* opt);

/* Seconds for which obsolete logs are archived. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_WAL_ttl_seconds(
    rocksdb_options_t* options, uint64_t value);
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_options_get_WAL_ttl_seconds(rocksdb_options_t* options);

/* Megabytes of obsolete logs that are archived. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_WAL_size_limit_MB(
    rocksdb_options_t* options, uint64_t value);
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_options_get_WAL_size_limit_MB(
    rocksdb_options_t* options);

/* Obsolete logs kept to be written again. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_recycle_log_file_num(
    rocksdb_options_t* options, size_t value);
extern ROCKSDB_LIBRARY_API size_t rocksdb_options_get_recycle_log_file_num(
    rocksdb_options_t* options);

/* Hand log records to the system only on FlushWal. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_manual_wal_flush(
    rocksdb_options_t* opt, unsigned char value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_manual_wal_flush(
    rocksdb_options_t* opt);

/* Record synced logs in the manifest and check them at open. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_track_and_verify_wals_in_manifest(
    rocksdb_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_track_and_verify_wals_in_manifest(
    rocksdb_options_t* options);

/* Bytes of log between two background syncs; 0: none. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_wal_bytes_per_sync(
    rocksdb_options_t* options, uint64_t value);
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_options_get_wal_bytes_per_sync(
    rocksdb_options_t* options);

/* Bytes that the memtables of all column families may use; 0: no limit. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_db_write_buffer_size(
    rocksdb_options_t* options, size_t value);
extern ROCKSDB_LIBRARY_API size_t rocksdb_options_get_db_write_buffer_size(
    rocksdb_options_t* options);

/* Let the writers of a group insert into the memtable in parallel. Default: 1. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_allow_concurrent_memtable_write(
    rocksdb_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_allow_concurrent_memtable_write(
    rocksdb_options_t* options);

/* Let a group's log write overlap the memtable inserts of the one before. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_enable_pipelined_write(
    rocksdb_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_enable_pipelined_write(
    rocksdb_options_t* options);

/* Give up that snapshots never change for faster writes; Skarn keeps the order all the same.
   Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_unordered_write(
    rocksdb_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_unordered_write(
    rocksdb_options_t* options);

/* Flush all column families as one step. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_atomic_flush(
    rocksdb_options_t* opt, unsigned char value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_atomic_flush(rocksdb_options_t* opt);

/* Let a waiting writer spin before it blocks. Default: 1. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_enable_write_thread_adaptive_yield(
    rocksdb_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_enable_write_thread_adaptive_yield(
    rocksdb_options_t* options);

/* Flushes and compactions at a time; a quarter of them flushes. Default: 2. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_max_background_jobs(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API int rocksdb_options_get_max_background_jobs(rocksdb_options_t* options);

/* Compactions at a time; -1: as max_background_jobs says. Default: -1. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_max_background_compactions(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API int rocksdb_options_get_max_background_compactions(
    rocksdb_options_t* options);

/* Flushes at a time; -1: as max_background_jobs says. Default: -1. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_max_background_flushes(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API int rocksdb_options_get_max_background_flushes(
    rocksdb_options_t* options);

/* Threads that share one compaction. Default: 1. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_max_subcompactions(
    rocksdb_options_t* options, uint32_t value);
extern ROCKSDB_LIBRARY_API uint32_t rocksdb_options_get_max_subcompactions(
    rocksdb_options_t* options);

/* Microseconds between two full scans for obsolete files. Default: 21600000000. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_delete_obsolete_files_period_micros(
    rocksdb_options_t* options, uint64_t value);
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_options_get_delete_obsolete_files_period_micros(
    rocksdb_options_t* options);

/* Leave deleting files that readers released to background threads. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_avoid_unnecessary_blocking_io(
    rocksdb_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_avoid_unnecessary_blocking_io(
    rocksdb_options_t* options);

/* Keep the last level free for files ingested behind all data. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_allow_ingest_behind(
    rocksdb_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_allow_ingest_behind(
    rocksdb_options_t* options);

/* Files kept open at once; -1: no limit. Default: -1. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_max_open_files(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API int rocksdb_options_get_max_open_files(rocksdb_options_t* options);

/* No effect: open tables are reached without a sharded cache. Default: 6. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_table_cache_numshardbits(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API int rocksdb_options_get_table_cache_numshardbits(
    rocksdb_options_t* options);

/* Fsync where fdatasync would do. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_use_fsync(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API int rocksdb_options_get_use_fsync(rocksdb_options_t* options);

/* Bytes of table file between two background syncs; 0: about 1 MiB where a thread is idle, else
 * none. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_bytes_per_sync(
    rocksdb_options_t* options, uint64_t value);
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_options_get_bytes_per_sync(rocksdb_options_t* options);

/* Bytes buffered in the process for each file written. Default: 1048576. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_writable_file_max_buffer_size(
    rocksdb_options_t* options, uint64_t value);
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_options_get_writable_file_max_buffer_size(
    rocksdb_options_t* options);

/* Bytes a compaction reads ahead. Default: 2097152. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_compaction_readahead_size(
    rocksdb_options_t* options, size_t value);
extern ROCKSDB_LIBRARY_API size_t rocksdb_options_get_compaction_readahead_size(
    rocksdb_options_t* options);

/* Read past the page cache. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_use_direct_reads(
    rocksdb_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_use_direct_reads(
    rocksdb_options_t* options);

/* Write, and in compactions read, past the page cache. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_use_direct_io_for_flush_and_compaction(
    rocksdb_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_use_direct_io_for_flush_and_compaction(
    rocksdb_options_t* options);

/* Map table files instead of reading them. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_allow_mmap_reads(
    rocksdb_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_allow_mmap_reads(
    rocksdb_options_t* options);

/* No effect: writes through a mapping are never faster than appends; what is stored is the
   same. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_allow_mmap_writes(
    rocksdb_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_allow_mmap_writes(
    rocksdb_options_t* options);

/* Tell the system that table files are read at random. Default: 1. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_advise_random_on_open(
    rocksdb_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_advise_random_on_open(
    rocksdb_options_t* options);

/* Do not hand open files to child processes. Default: 1. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_is_fd_close_on_exec(
    rocksdb_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_is_fd_close_on_exec(
    rocksdb_options_t* options);

/* Bytes after which a new manifest is begun. Default: 1073741824. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_max_manifest_file_size(
    rocksdb_options_t* options, size_t value);
extern ROCKSDB_LIBRARY_API size_t rocksdb_options_get_max_manifest_file_size(
    rocksdb_options_t* options);

/* Bytes reserved ahead for a manifest. Default: 4194304. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_manifest_preallocation_size(
    rocksdb_options_t* options, size_t value);
extern ROCKSDB_LIBRARY_API size_t rocksdb_options_get_manifest_preallocation_size(
    rocksdb_options_t* options);

/* No effect: mutexes spin briefly in any case. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_use_adaptive_mutex(
    rocksdb_options_t* options, unsigned char value);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_options_get_use_adaptive_mutex(
    rocksdb_options_t* options);

/* No effect: asks for the numbers of one particular allocator, which Skarn does not use.
   Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_dump_malloc_stats(
    rocksdb_options_t* options, unsigned char value);

/* Directory of the LOG files; empty: that of the database. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_db_log_dir(
    rocksdb_options_t* options, const char* value);

/* Least important messages that the LOG shows. Default: 1 (informational). */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_info_log_level(
    rocksdb_options_t* options, int value);
extern ROCKSDB_LIBRARY_API int rocksdb_options_get_info_log_level(rocksdb_options_t* options);

/* Bytes after which a new LOG is begun; 0: never. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_max_log_file_size(
    rocksdb_options_t* options, size_t value);
extern ROCKSDB_LIBRARY_API size_t rocksdb_options_get_max_log_file_size(rocksdb_options_t* options);

/* Seconds after which a new LOG is begun; 0: never. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_log_file_time_to_roll(
    rocksdb_options_t* options, size_t value);
extern ROCKSDB_LIBRARY_API size_t rocksdb_options_get_log_file_time_to_roll(
    rocksdb_options_t* options);

/* LOG files that are kept. Default: 1000. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_keep_log_file_num(
    rocksdb_options_t* options, size_t value);
extern ROCKSDB_LIBRARY_API size_t rocksdb_options_get_keep_log_file_num(rocksdb_options_t* options);

/* Seconds between two dumps of statistics to the LOG; 0: none. Default: 600. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_stats_dump_period_sec(
    rocksdb_options_t* options, unsigned int value);
extern ROCKSDB_LIBRARY_API unsigned int rocksdb_options_get_stats_dump_period_sec(
    rocksdb_options_t* options);

/* Seconds between two samples of statistics; 0: none. Default: 600. */
extern ROCKSDB_LIBRARY_API void rocksdb_options_set_stats_persist_period_sec(
    rocksdb_options_t* options, unsigned int value);
extern ROCKSDB_LIBRARY_API unsigned int rocksdb_options_get_stats_persist_period_sec(
    rocksdb_options_t* options);

#ifdef __cplusplus
}
#endif

#endif /* SKARN_C_API_ROCKSDB_C_OPTIONS_DB_H_ */
