/* Reading the write-ahead logs of an open database. */

#ifndef SKARN_C_API_ROCKSDB_C_WAL_ITERATOR_H_
#define SKARN_C_API_ROCKSDB_C_WAL_ITERATOR_H_

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An iterator at the batch that holds write number `seq_number`, or the first after it. NULL
   on an error. `options` may be NULL. */
extern ROCKSDB_LIBRARY_API rocksdb_wal_iterator_t* rocksdb_get_updates_since(
    rocksdb_t* db, uint64_t seq_number, const rocksdb_wal_readoptions_t* options, char** errptr);

extern ROCKSDB_LIBRARY_API void rocksdb_wal_iter_destroy(const rocksdb_wal_iterator_t* iter);

extern ROCKSDB_LIBRARY_API unsigned char rocksdb_wal_iter_valid(
    const rocksdb_wal_iterator_t* iterator);
extern ROCKSDB_LIBRARY_API void rocksdb_wal_iter_next(rocksdb_wal_iterator_t* iter);

/* Sets *errptr when the iterator stopped because of an error. */
extern ROCKSDB_LIBRARY_API void rocksdb_wal_iter_status(const rocksdb_wal_iterator_t* iter,
                                                        char** errptr);

/* The batch, for rocksdb_writebatch_destroy(), and in *seq its number. */
extern ROCKSDB_LIBRARY_API rocksdb_writebatch_t* rocksdb_wal_iter_get_batch(
    const rocksdb_wal_iterator_t* iter, uint64_t* seq);

#ifdef __cplusplus
}
#endif

#endif /* SKARN_C_API_ROCKSDB_C_WAL_ITERATOR_H_ */
