/* Snapshots: moments of the database that reads may name. */

#ifndef SKARN_C_API_ROCKSDB_C_SNAPSHOT_H_
#define SKARN_C_API_ROCKSDB_C_SNAPSHOT_H_

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A snapshot of now, for rocksdb_release_snapshot(), before the database is closed. */
extern ROCKSDB_LIBRARY_API const rocksdb_snapshot_t* rocksdb_create_snapshot(rocksdb_t* db);
extern ROCKSDB_LIBRARY_API void rocksdb_release_snapshot(rocksdb_t* db,
                                                         const rocksdb_snapshot_t* snapshot);

/* The number of the newest write it shows. */
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_snapshot_get_sequence_number(
    const rocksdb_snapshot_t* snapshot);

#ifdef __cplusplus
}
#endif

#endif /* SKARN_C_API_ROCKSDB_C_SNAPSHOT_H_ */
