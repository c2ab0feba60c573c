/* Checkpoints: copies of an open database that share its table files. */

#ifndef SKARN_C_API_ROCKSDB_C_CHECKPOINT_H_
#define SKARN_C_API_ROCKSDB_C_CHECKPOINT_H_

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* For rocksdb_checkpoint_object_destroy(), before the database is closed. */
extern ROCKSDB_LIBRARY_API rocksdb_checkpoint_t* rocksdb_checkpoint_object_create(
    rocksdb_t* db, char** errptr);
extern ROCKSDB_LIBRARY_API void rocksdb_checkpoint_object_destroy(rocksdb_checkpoint_t* checkpoint);

/* Makes a database in `checkpoint_dir`, which must not exist, with hard links where the file
   system allows. Flushes first when the logs hold at least `log_size_for_flush` bytes. */
extern ROCKSDB_LIBRARY_API void rocksdb_checkpoint_create(rocksdb_checkpoint_t* checkpoint,
                                                          const char* checkpoint_dir,
                                                          uint64_t log_size_for_flush,
                                                          char** errptr);

#ifdef __cplusplus
}
#endif

#endif /* SKARN_C_API_ROCKSDB_C_CHECKPOINT_H_ */
