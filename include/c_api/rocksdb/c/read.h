/* Reading single keys. */

#ifndef SKARN_C_API_ROCKSDB_C_READ_H_
#define SKARN_C_API_ROCKSDB_C_READ_H_

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Returns the value of `key`, to be released with rocksdb_free(), and its length in *vallen.
   NULL and length 0 when there is none, which is no error, and on an error, which sets
   *errptr. Any number of threads may read at once. */
extern ROCKSDB_LIBRARY_API char* rocksdb_get(rocksdb_t* db, const rocksdb_readoptions_t* options,
                                             const char* key, size_t keylen, size_t* vallen,
                                             char** errptr);
extern ROCKSDB_LIBRARY_API char* rocksdb_get_cf(rocksdb_t* db, const rocksdb_readoptions_t* options,
                                                rocksdb_column_family_handle_t* column_family,
                                                const char* key, size_t keylen, size_t* vallen,
                                                char** errptr);

/* The same with user-defined timestamps: *ts gets the timestamp of the value found, for
   rocksdb_free(). */
extern ROCKSDB_LIBRARY_API char* rocksdb_get_with_ts(rocksdb_t* db,
                                                     const rocksdb_readoptions_t* options,
                                                     const char* key, size_t keylen, size_t* vallen,
                                                     char** ts, size_t* tslen, char** errptr);
extern ROCKSDB_LIBRARY_API char* rocksdb_get_cf_with_ts(
    rocksdb_t* db, const rocksdb_readoptions_t* options,
    rocksdb_column_family_handle_t* column_family, const char* key, size_t keylen, size_t* vallen,
    char** ts, size_t* tslen, char** errptr);

/* The same without a copy: the value stays where it is until the handle is destroyed. NULL
   when there is none or on an error. */
extern ROCKSDB_LIBRARY_API rocksdb_pinnableslice_t* rocksdb_get_pinned(
    rocksdb_t* db, const rocksdb_readoptions_t* options, const char* key, size_t keylen,
    char** errptr);
extern ROCKSDB_LIBRARY_API rocksdb_pinnableslice_t* rocksdb_get_pinned_cf(
    rocksdb_t* db, const rocksdb_readoptions_t* options,
    rocksdb_column_family_handle_t* column_family, const char* key, size_t keylen, char** errptr);
extern ROCKSDB_LIBRARY_API rocksdb_pinnable_handle_t* rocksdb_get_pinned_v2(
    rocksdb_t* db, const rocksdb_readoptions_t* options, const char* key, size_t keylen,
    char** errptr);
extern ROCKSDB_LIBRARY_API rocksdb_pinnable_handle_t* rocksdb_get_pinned_cf_v2(
    rocksdb_t* db, const rocksdb_readoptions_t* options,
    rocksdb_column_family_handle_t* column_family, const char* key, size_t keylen, char** errptr);

/* The value of a handle; valid until it is destroyed. NULL for a NULL handle. */
extern ROCKSDB_LIBRARY_API const char* rocksdb_pinnableslice_value(
    const rocksdb_pinnableslice_t* t, size_t* vlen);
extern ROCKSDB_LIBRARY_API const char* rocksdb_pinnable_handle_get_value(
    const rocksdb_pinnable_handle_t* handle, size_t* vallen);

/* Releases the value. */
extern ROCKSDB_LIBRARY_API void rocksdb_pinnableslice_destroy(rocksdb_pinnableslice_t* v);
extern ROCKSDB_LIBRARY_API void rocksdb_pinnable_handle_destroy(rocksdb_pinnable_handle_t* handle);

/* Copies the value into `buffer` when it has room for it: returns 1. Else returns 0. *found
   says whether there is a value, *vallen how long it is, whatever was returned. */
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_get_into_buffer(
    rocksdb_t* db, const rocksdb_readoptions_t* options, const char* key, size_t keylen,
    char* buffer, size_t buffer_size, size_t* vallen, unsigned char* found, char** errptr);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_get_into_buffer_cf(
    rocksdb_t* db, const rocksdb_readoptions_t* options,
    rocksdb_column_family_handle_t* column_family, const char* key, size_t keylen, char* buffer,
    size_t buffer_size, size_t* vallen, unsigned char* found, char** errptr);

/* Reads many keys at one moment. For each, the value is for rocksdb_free(), NULL when there
   is none; errs[i] is NULL or an error's text, for rocksdb_free(). */
extern ROCKSDB_LIBRARY_API void rocksdb_multi_get(rocksdb_t* db,
                                                  const rocksdb_readoptions_t* options,
                                                  size_t num_keys, const char* const* keys_list,
                                                  const size_t* keys_list_sizes, char** values_list,
                                                  size_t* values_list_sizes, char** errs);
extern ROCKSDB_LIBRARY_API void rocksdb_multi_get_cf(
    rocksdb_t* db, const rocksdb_readoptions_t* options,
    const rocksdb_column_family_handle_t* const* column_families, size_t num_keys,
    const char* const* keys_list, const size_t* keys_list_sizes, char** values_list,
    size_t* values_list_sizes, char** errs);
extern ROCKSDB_LIBRARY_API void rocksdb_multi_get_with_ts(rocksdb_t* db,
                                                          const rocksdb_readoptions_t* options,
                                                          size_t num_keys,
                                                          const char* const* keys_list,
                                                          const size_t* keys_list_sizes,
                                                          char** values_list,
                                                          size_t* values_list_sizes,
                                                          char** timestamp_list,
                                                          size_t* timestamp_list_sizes,
                                                          char** errs);
extern ROCKSDB_LIBRARY_API void rocksdb_multi_get_cf_with_ts(
    rocksdb_t* db, const rocksdb_readoptions_t* options,
    const rocksdb_column_family_handle_t* const* column_families, size_t num_keys,
    const char* const* keys_list, const size_t* keys_list_sizes, char** values_list,
    size_t* values_list_sizes, char** timestamps_list, size_t* timestamps_list_sizes, char** errs);

/* Reads many keys of one column family without copies. values[i] is for
   rocksdb_pinnableslice_destroy(), NULL when there is none. `sorted_input` says that the keys
   are in the order of the comparator. */
extern ROCKSDB_LIBRARY_API void rocksdb_batched_multi_get_cf(
    rocksdb_t* db, const rocksdb_readoptions_t* options,
    rocksdb_column_family_handle_t* column_family, size_t num_keys, const char* const* keys_list,
    const size_t* keys_list_sizes, rocksdb_pinnableslice_t** values, char** errs,
    const bool sorted_input);
extern ROCKSDB_LIBRARY_API void rocksdb_batched_multi_get_cf_slice(
    rocksdb_t* db, const rocksdb_readoptions_t* options,
    rocksdb_column_family_handle_t* column_family, size_t num_keys,
    const rocksdb_slice_t* keys_list, rocksdb_pinnableslice_t** values, char** errs,
    const bool sorted_input);

/* Returns 0 only when `key` is surely absent; looks at memory alone. When *value_found is
   set to 1, *value is the value, for rocksdb_free(); an empty one when 0 is returned. `value` and
   `value_found` may be NULL. */
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_key_may_exist(
    rocksdb_t* db, const rocksdb_readoptions_t* options, const char* key, size_t key_len,
    char** value, size_t* val_len, const char* timestamp, size_t timestamp_len,
    unsigned char* value_found);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_key_may_exist_cf(
    rocksdb_t* db, const rocksdb_readoptions_t* options,
    rocksdb_column_family_handle_t* column_family, const char* key, size_t key_len, char** value,
    size_t* val_len, const char* timestamp, size_t timestamp_len, unsigned char* value_found);

#ifdef __cplusplus
}
#endif

#endif /* SKARN_C_API_ROCKSDB_C_READ_H_ */
