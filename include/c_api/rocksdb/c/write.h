/* Writing: single operations and batches as one step. */

#ifndef SKARN_C_API_ROCKSDB_C_WRITE_H_
#define SKARN_C_API_ROCKSDB_C_WRITE_H_

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Sets the value of `key`. On return it is visible to all readers, and durable when the
   options ask for `sync`. */
extern ROCKSDB_LIBRARY_API void rocksdb_put(rocksdb_t* db, const rocksdb_writeoptions_t* options,
                                            const char* key, size_t keylen, const char* val,
                                            size_t vallen, char** errptr);
extern ROCKSDB_LIBRARY_API void rocksdb_put_cf(rocksdb_t* db, const rocksdb_writeoptions_t* options,
                                               rocksdb_column_family_handle_t* column_family,
                                               const char* key, size_t keylen, const char* val,
                                               size_t vallen, char** errptr);
extern ROCKSDB_LIBRARY_API void rocksdb_put_with_ts(rocksdb_t* db,
                                                    const rocksdb_writeoptions_t* options,
                                                    const char* key, size_t keylen, const char* ts,
                                                    size_t tslen, const char* val, size_t vallen,
                                                    char** errptr);
extern ROCKSDB_LIBRARY_API void rocksdb_put_cf_with_ts(
    rocksdb_t* db, const rocksdb_writeoptions_t* options,
    rocksdb_column_family_handle_t* column_family, const char* key, size_t keylen, const char* ts,
    size_t tslen, const char* val, size_t vallen, char** errptr);

/* Removes `key`; no error when it does not exist. */
extern ROCKSDB_LIBRARY_API void rocksdb_delete(rocksdb_t* db, const rocksdb_writeoptions_t* options,
                                               const char* key, size_t keylen, char** errptr);
extern ROCKSDB_LIBRARY_API void rocksdb_delete_cf(rocksdb_t* db,
                                                  const rocksdb_writeoptions_t* options,
                                                  rocksdb_column_family_handle_t* column_family,
                                                  const char* key, size_t keylen, char** errptr);
extern ROCKSDB_LIBRARY_API void rocksdb_delete_with_ts(rocksdb_t* db,
                                                       const rocksdb_writeoptions_t* options,
                                                       const char* key, size_t keylen,
                                                       const char* ts, size_t tslen, char** errptr);
extern ROCKSDB_LIBRARY_API void rocksdb_delete_cf_with_ts(
    rocksdb_t* db, const rocksdb_writeoptions_t* options,
    rocksdb_column_family_handle_t* column_family, const char* key, size_t keylen, const char* ts,
    size_t tslen, char** errptr);

/* Removes a key that was written exactly once since it was last removed. Cheaper than
   rocksdb_delete(); the outcome is undefined when the rule is broken. */
extern ROCKSDB_LIBRARY_API void rocksdb_singledelete(rocksdb_t* db,
                                                     const rocksdb_writeoptions_t* options,
                                                     const char* key, size_t keylen, char** errptr);
extern ROCKSDB_LIBRARY_API void rocksdb_singledelete_cf(
    rocksdb_t* db, const rocksdb_writeoptions_t* options,
    rocksdb_column_family_handle_t* column_family, const char* key, size_t keylen, char** errptr);
extern ROCKSDB_LIBRARY_API void rocksdb_singledelete_with_ts(
    rocksdb_t* db, const rocksdb_writeoptions_t* options, const char* key, size_t keylen,
    const char* ts, size_t tslen, char** errptr);
extern ROCKSDB_LIBRARY_API void rocksdb_singledelete_cf_with_ts(
    rocksdb_t* db, const rocksdb_writeoptions_t* options,
    rocksdb_column_family_handle_t* column_family, const char* key, size_t keylen, const char* ts,
    size_t tslen, char** errptr);

/* Removes all keys from `start_key` on, up to but not including `end_key`. */
extern ROCKSDB_LIBRARY_API void rocksdb_delete_range_cf(
    rocksdb_t* db, const rocksdb_writeoptions_t* options,
    rocksdb_column_family_handle_t* column_family, const char* start_key, size_t start_key_len,
    const char* end_key, size_t end_key_len, char** errptr);

/* Adds an operand to `key` for the merge operator. */
extern ROCKSDB_LIBRARY_API void rocksdb_merge(rocksdb_t* db, const rocksdb_writeoptions_t* options,
                                              const char* key, size_t keylen, const char* val,
                                              size_t vallen, char** errptr);
extern ROCKSDB_LIBRARY_API void rocksdb_merge_cf(rocksdb_t* db,
                                                 const rocksdb_writeoptions_t* options,
                                                 rocksdb_column_family_handle_t* column_family,
                                                 const char* key, size_t keylen, const char* val,
                                                 size_t vallen, char** errptr);

/* Applies a batch as one step: all of it is visible at once, and after a crash all of it is
   there or nothing. */
extern ROCKSDB_LIBRARY_API void rocksdb_write(rocksdb_t* db, const rocksdb_writeoptions_t* options,
                                              rocksdb_writebatch_t* batch, char** errptr);

#ifdef __cplusplus
}
#endif

#endif /* SKARN_C_API_ROCKSDB_C_WRITE_H_ */
