/* Iterators: keys in order.
   An iterator shows the moment it was made at. One thread at a time may use it. Options given
   to it, with the bounds in them, must stay until it is destroyed. */

#ifndef SKARN_C_API_ROCKSDB_C_ITERATOR_H_
#define SKARN_C_API_ROCKSDB_C_ITERATOR_H_

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Makes an iterator, positioned nowhere. Never NULL: errors are in rocksdb_iter_get_error(). */
extern ROCKSDB_LIBRARY_API rocksdb_iterator_t* rocksdb_create_iterator(
    rocksdb_t* db, const rocksdb_readoptions_t* options);
extern ROCKSDB_LIBRARY_API rocksdb_iterator_t* rocksdb_create_iterator_cf(
    rocksdb_t* db, const rocksdb_readoptions_t* options,
    rocksdb_column_family_handle_t* column_family);

/* Makes one iterator for each column family, all of the same moment. On an error all
   iterators[i] are NULL. */
extern ROCKSDB_LIBRARY_API void rocksdb_create_iterators(
    rocksdb_t* db, rocksdb_readoptions_t* opts, rocksdb_column_family_handle_t** column_families,
    rocksdb_iterator_t** iterators, size_t size, char** errptr);

extern ROCKSDB_LIBRARY_API void rocksdb_iter_destroy(rocksdb_iterator_t* iterator);

/* Returns 1 when positioned at an entry. */
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_iter_valid(const rocksdb_iterator_t* iterator);

/* Position: the first key, the last key, the first key at or after `k`, the last key at or
   before `k`. */
extern ROCKSDB_LIBRARY_API void rocksdb_iter_seek_to_first(rocksdb_iterator_t* iterator);
extern ROCKSDB_LIBRARY_API void rocksdb_iter_seek_to_last(rocksdb_iterator_t* iterator);
extern ROCKSDB_LIBRARY_API void rocksdb_iter_seek(rocksdb_iterator_t* iterator, const char* k,
                                                  size_t klen);
extern ROCKSDB_LIBRARY_API void rocksdb_iter_seek_for_prev(rocksdb_iterator_t* iterator,
                                                           const char* k, size_t klen);

/* Moves; the iterator must be valid. */
extern ROCKSDB_LIBRARY_API void rocksdb_iter_next(rocksdb_iterator_t* iterator);
extern ROCKSDB_LIBRARY_API void rocksdb_iter_prev(rocksdb_iterator_t* iterator);

/* Key, value and timestamp of the entry; valid until the iterator moves, or with the option
   pin_data until it is destroyed. The iterator must be valid. */
extern ROCKSDB_LIBRARY_API const char* rocksdb_iter_key(const rocksdb_iterator_t* iterator,
                                                        size_t* klen);
extern ROCKSDB_LIBRARY_API const char* rocksdb_iter_value(const rocksdb_iterator_t* iterator,
                                                          size_t* vlen);
extern ROCKSDB_LIBRARY_API const char* rocksdb_iter_timestamp(
    const rocksdb_iterator_t* iterator, size_t* tslen);
extern ROCKSDB_LIBRARY_API rocksdb_slice_t rocksdb_iter_key_slice(const rocksdb_iterator_t* iter);
extern ROCKSDB_LIBRARY_API rocksdb_slice_t rocksdb_iter_value_slice(const rocksdb_iterator_t* iter);
extern ROCKSDB_LIBRARY_API rocksdb_slice_t rocksdb_iter_timestamp_slice(
    const rocksdb_iterator_t* iter);

/* Sets *errptr when the iterator stopped because of an error; else leaves it as it is. */
extern ROCKSDB_LIBRARY_API void rocksdb_iter_get_error(const rocksdb_iterator_t* iterator,
                                                       char** errptr);

/* Moves the iterator to the present. It is positioned nowhere then. */
extern ROCKSDB_LIBRARY_API void rocksdb_iter_refresh(const rocksdb_iterator_t* iter, char** errptr);

#ifdef __cplusplus
}
#endif

#endif /* SKARN_C_API_ROCKSDB_C_ITERATOR_H_ */
