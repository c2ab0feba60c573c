/* How reads behave. */

#ifndef SKARN_C_API_ROCKSDB_C_READ_OPTIONS_H_
#define SKARN_C_API_ROCKSDB_C_READ_OPTIONS_H_

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* For rocksdb_readoptions_destroy(). Must outlive the iterators made with it. */
extern ROCKSDB_LIBRARY_API rocksdb_readoptions_t* rocksdb_readoptions_create(void);
extern ROCKSDB_LIBRARY_API void rocksdb_readoptions_destroy(rocksdb_readoptions_t* options);

/* Read as of a snapshot, which must stay until the read is done; NULL: the present. */
extern ROCKSDB_LIBRARY_API void rocksdb_readoptions_set_snapshot(
    rocksdb_readoptions_t* options, const rocksdb_snapshot_t* snapshot);

/* The first key that iterators show, and the first they do not show any more. The bytes stay
   the caller's, and must live as long as iterators use them. NULL: no bound. */
extern ROCKSDB_LIBRARY_API void rocksdb_readoptions_set_iterate_lower_bound(
    rocksdb_readoptions_t* options, const char* key, size_t keylen);
extern ROCKSDB_LIBRARY_API void rocksdb_readoptions_set_iterate_upper_bound(
    rocksdb_readoptions_t* options, const char* key, size_t keylen);

/* User-defined timestamps: the newest to see, and for iterators that show all versions the
   oldest. The bytes stay the caller's. */
extern ROCKSDB_LIBRARY_API void rocksdb_readoptions_set_timestamp(
    rocksdb_readoptions_t* options, const char* ts, size_t tslen);
extern ROCKSDB_LIBRARY_API void rocksdb_readoptions_set_iter_start_ts(
    rocksdb_readoptions_t* options, const char* ts, size_t tslen);

/* Check the checksums of blocks that are read. Default: 1. */
extern ROCKSDB_LIBRARY_API void rocksdb_readoptions_set_verify_checksums(
    rocksdb_readoptions_t* opt, unsigned char v);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_readoptions_get_verify_checksums(
    rocksdb_readoptions_t* opt);

/* Put blocks that were read into the cache. Default: 1. */
extern ROCKSDB_LIBRARY_API void rocksdb_readoptions_set_fill_cache(
    rocksdb_readoptions_t* opt, unsigned char v);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_readoptions_get_fill_cache(
    rocksdb_readoptions_t* opt);

/* What may be touched: 0 everything, 1 memory only, 2 not what is in no log, 3 memtables only.
   Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_readoptions_set_read_tier(
    rocksdb_readoptions_t* opt, int v);
extern ROCKSDB_LIBRARY_API int rocksdb_readoptions_get_read_tier(rocksdb_readoptions_t* opt);

/* An iterator that follows new writes instead of one moment. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_readoptions_set_tailing(
    rocksdb_readoptions_t* opt, unsigned char v);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_readoptions_get_tailing(
    rocksdb_readoptions_t* opt);

/* Bytes an iterator reads ahead; 0: adapts to what is read. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_readoptions_set_readahead_size(
    rocksdb_readoptions_t* opt, size_t v);
extern ROCKSDB_LIBRARY_API size_t rocksdb_readoptions_get_readahead_size(
    rocksdb_readoptions_t* opt);

/* End an iterator where the prefix it was positioned with ends. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_readoptions_set_prefix_same_as_start(
    rocksdb_readoptions_t* opt, unsigned char v);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_readoptions_get_prefix_same_as_start(
    rocksdb_readoptions_t* opt);

/* Keep keys and values of an iterator where they are until it is destroyed. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_readoptions_set_pin_data(
    rocksdb_readoptions_t* opt, unsigned char v);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_readoptions_get_pin_data(
    rocksdb_readoptions_t* opt);

/* Iterate over all keys, whatever the prefix extractor is. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_readoptions_set_total_order_seek(
    rocksdb_readoptions_t* opt, unsigned char v);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_readoptions_get_total_order_seek(
    rocksdb_readoptions_t* opt);

/* Hidden entries an iterator passes before it gives up with Incomplete; 0: no limit. Default:
   0. */
extern ROCKSDB_LIBRARY_API void rocksdb_readoptions_set_max_skippable_internal_keys(
    rocksdb_readoptions_t* opt, uint64_t v);
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_readoptions_get_max_skippable_internal_keys(
    rocksdb_readoptions_t* opt);

/* Let files that an iterator kept be deleted in the background. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_readoptions_set_background_purge_on_iterator_cleanup(
    rocksdb_readoptions_t* opt, unsigned char v);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_readoptions_get_background_purge_on_iterator_cleanup(
    rocksdb_readoptions_t* opt);

/* Do not look at range deletions: faster, and right only when there are none. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_readoptions_set_ignore_range_deletions(
    rocksdb_readoptions_t* opt, unsigned char v);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_readoptions_get_ignore_range_deletions(
    rocksdb_readoptions_t* opt);

/* Time at which the read gives up with TimedOut, in microseconds since 1970; 0: never.
   Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_readoptions_set_deadline(
    rocksdb_readoptions_t* opt, uint64_t microseconds);
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_readoptions_get_deadline(rocksdb_readoptions_t* opt);

/* Longest wait for one file operation in microseconds; 0: no limit. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_readoptions_set_io_timeout(
    rocksdb_readoptions_t* opt, uint64_t microseconds);
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_readoptions_get_io_timeout(rocksdb_readoptions_t* opt);

/* Let an iterator read ahead while it works. Default: 0. */
extern ROCKSDB_LIBRARY_API void rocksdb_readoptions_set_async_io(
    rocksdb_readoptions_t* opt, unsigned char v);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_readoptions_get_async_io(
    rocksdb_readoptions_t* opt);

/* Shorten read-ahead at the upper bound. Default: 1. */
extern ROCKSDB_LIBRARY_API void rocksdb_readoptions_set_auto_readahead_size(
    rocksdb_readoptions_t* opt, unsigned char v);

#ifdef __cplusplus
}
#endif

#endif /* SKARN_C_API_ROCKSDB_C_READ_OPTIONS_H_ */
