/* Options as an older release of RocksDB would create them.

   RocksDB changed some defaults over time. Programs that were built for an older release
   get its defaults through the front library under that release's name; a program built
   today may ask for them here, to write data that the older release can open.

   Threads: any. */

#ifndef SKARN_RELEASE_H_
#define SKARN_RELEASE_H_

#include "../rocksdb/c.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Options with the defaults of release `major`.`minor` (7.8, say), for
   rocksdb_options_destroy(). Releases from 11.5 on: as rocksdb_options_create(). */
extern ROCKSDB_LIBRARY_API rocksdb_options_t* skarn_options_create_for_release(int major,
                                                                               int minor);

/* The same for the options of block-based tables; tables then have a format version that
   the release reads. */
extern ROCKSDB_LIBRARY_API rocksdb_block_based_table_options_t*
skarn_block_based_options_create_for_release(int major, int minor);

/* Skarn's own version, "0.1.0". Not to be freed. */
extern ROCKSDB_LIBRARY_API const char* skarn_version(void);

#ifdef __cplusplus
}
#endif

#endif /* SKARN_RELEASE_H_ */
