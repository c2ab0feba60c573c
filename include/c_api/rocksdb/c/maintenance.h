/* Flushing, compacting, and what the library says about itself. */

#ifndef SKARN_C_API_ROCKSDB_C_MAINTENANCE_H_
#define SKARN_C_API_ROCKSDB_C_MAINTENANCE_H_

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Writes what is in memtables to table files. */
extern ROCKSDB_LIBRARY_API void rocksdb_flush(rocksdb_t* db, const rocksdb_flushoptions_t* options,
                                              char** errptr);
extern ROCKSDB_LIBRARY_API void rocksdb_flush_cf(rocksdb_t* db,
                                                 const rocksdb_flushoptions_t* options,
                                                 rocksdb_column_family_handle_t* column_family,
                                                 char** errptr);
extern ROCKSDB_LIBRARY_API void rocksdb_flush_cfs(rocksdb_t* db,
                                                  const rocksdb_flushoptions_t* options,
                                                  rocksdb_column_family_handle_t** column_family,
                                                  int num_column_families, char** errptr);

/* Hands the log's buffer to the system, and makes it durable with `sync`. */
extern ROCKSDB_LIBRARY_API void rocksdb_flush_wal(rocksdb_t* db, unsigned char sync, char** errptr);

/* Compacts the keys from `start_key` to `limit_key`, both included; NULL is an open end.
   Returns when done. */
extern ROCKSDB_LIBRARY_API void rocksdb_compact_range(rocksdb_t* db, const char* start_key,
                                                      size_t start_key_len, const char* limit_key,
                                                      size_t limit_key_len);
extern ROCKSDB_LIBRARY_API void rocksdb_compact_range_cf(
    rocksdb_t* db, rocksdb_column_family_handle_t* column_family, const char* start_key,
    size_t start_key_len, const char* limit_key, size_t limit_key_len);
extern ROCKSDB_LIBRARY_API void rocksdb_compact_range_opt(rocksdb_t* db,
                                                          rocksdb_compactoptions_t* opt,
                                                          const char* start_key,
                                                          size_t start_key_len,
                                                          const char* limit_key,
                                                          size_t limit_key_len);
extern ROCKSDB_LIBRARY_API void rocksdb_compact_range_cf_opt(
    rocksdb_t* db, rocksdb_column_family_handle_t* column_family, rocksdb_compactoptions_t* opt,
    const char* start_key, size_t start_key_len, const char* limit_key, size_t limit_key_len);

/* Marks files with keys in the range to be compacted when there is time. */
extern ROCKSDB_LIBRARY_API void rocksdb_suggest_compact_range(
    rocksdb_t* db, const char* start_key, size_t start_key_len, const char* limit_key,
    size_t limit_key_len, char** errptr);
extern ROCKSDB_LIBRARY_API void rocksdb_suggest_compact_range_cf(
    rocksdb_t* db, rocksdb_column_family_handle_t* column_family, const char* start_key,
    size_t start_key_len, const char* limit_key, size_t limit_key_len, char** errptr);

/* Waits until no flush and no compaction is running or due. */
extern ROCKSDB_LIBRARY_API void rocksdb_wait_for_compact(
    rocksdb_t* db, rocksdb_wait_for_compact_options_t* options, char** errptr);

/* Makes compactions that callers asked for fail with Incomplete, until enabled as often as
   disabled. Enabling once too often cancels the next disabling. */
extern ROCKSDB_LIBRARY_API void rocksdb_disable_manual_compaction(rocksdb_t* db);
extern ROCKSDB_LIBRARY_API void rocksdb_enable_manual_compaction(rocksdb_t* db);

/* Deletes the table files that lie entirely in the range. Other data of the range stays. */
extern ROCKSDB_LIBRARY_API void rocksdb_delete_file_in_range(
    rocksdb_t* db, const char* start_key, size_t start_key_len, const char* limit_key,
    size_t limit_key_len, char** errptr);
extern ROCKSDB_LIBRARY_API void rocksdb_delete_file_in_range_cf(
    rocksdb_t* db, rocksdb_column_family_handle_t* column_family, const char* start_key,
    size_t start_key_len, const char* limit_key, size_t limit_key_len, char** errptr);

/* Deletes one table file, or one archived log, by name. A table file must be in the last level
   that has files. */
extern ROCKSDB_LIBRARY_API void rocksdb_delete_file(rocksdb_t* db, const char* name);

/* The value of a property ("rocksdb.stats", ...) for rocksdb_free(), or NULL when unknown. */
extern ROCKSDB_LIBRARY_API char* rocksdb_property_value(rocksdb_t* db, const char* propname);
extern ROCKSDB_LIBRARY_API char* rocksdb_property_value_cf(
    rocksdb_t* db, rocksdb_column_family_handle_t* column_family, const char* propname);

/* The same for properties that are numbers. Returns 0, or -1 when unknown. */
extern ROCKSDB_LIBRARY_API int rocksdb_property_int(rocksdb_t* db, const char* propname,
                                                    uint64_t* out_val);
extern ROCKSDB_LIBRARY_API int rocksdb_property_int_cf(
    rocksdb_t* db, rocksdb_column_family_handle_t* column_family, const char* propname,
    uint64_t* out_val);

/* Estimates the bytes that the ranges take in table files. */
extern ROCKSDB_LIBRARY_API void rocksdb_approximate_sizes(rocksdb_t* db, int num_ranges,
                                                          const char* const* range_start_key,
                                                          const size_t* range_start_key_len,
                                                          const char* const* range_limit_key,
                                                          const size_t* range_limit_key_len,
                                                          uint64_t* sizes, char** errptr);
extern ROCKSDB_LIBRARY_API void rocksdb_approximate_sizes_cf(
    rocksdb_t* db, rocksdb_column_family_handle_t* column_family, int num_ranges,
    const char* const* range_start_key, const size_t* range_start_key_len,
    const char* const* range_limit_key, const size_t* range_limit_key_len, uint64_t* sizes,
    char** errptr);

/* Timestamps below `ts_low` may be forgotten from now on; it can only grow. The getter's
   result is for rocksdb_free(). */
extern ROCKSDB_LIBRARY_API void rocksdb_increase_full_history_ts_low(
    rocksdb_t* db, rocksdb_column_family_handle_t* column_family, const char* ts_low,
    size_t ts_lowlen, char** errptr);
extern ROCKSDB_LIBRARY_API char* rocksdb_get_full_history_ts_low(
    rocksdb_t* db, rocksdb_column_family_handle_t* column_family, size_t* ts_lowlen, char** errptr);

#ifdef __cplusplus
}
#endif

#endif /* SKARN_C_API_ROCKSDB_C_MAINTENANCE_H_ */
