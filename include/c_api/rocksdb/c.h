/* The C API of RocksDB, as Skarn offers it. One header for each subject; this one
   includes them all.

   What holds for every function:

   Errors. A function with an `errptr` sets *errptr to a text for rocksdb_free() when it
   fails, after freeing a text that is there already, and leaves it as it is otherwise.
   *errptr must be NULL or such a text before the call. On a failure results are NULL or 0.

   Bytes. Keys and values are pointers with a length, may hold any byte and may be empty.
   What is passed in is copied unless its function says otherwise.

   Ownership. What a function returns belongs to the caller and is given back to the
   function its comment or its name tells. Objects that options take over or share may be
   used by many options.

   Threads. Different objects may be used by different threads. One object that is not a
   database, a cache or made to be shared is used by one thread at a time while it changes.

   Flags of type unsigned char are 0 or 1. */

#ifndef SKARN_C_API_ROCKSDB_C_H_
#define SKARN_C_API_ROCKSDB_C_H_

#include "c/block_based_options.h"
#include "c/cache.h"
#include "c/checkpoint.h"
#include "c/column_family.h"
#include "c/column_family_metadata.h"
#include "c/compression.h"
#include "c/db.h"
#include "c/enums.h"
#include "c/env.h"
#include "c/ingest.h"
#include "c/iterator.h"
#include "c/live_files.h"
#include "c/maintenance.h"
#include "c/options_cf.h"
#include "c/options_db.h"
#include "c/options_objects.h"
#include "c/options_retired.h"
#include "c/plugins.h"
#include "c/read.h"
#include "c/read_options.h"
#include "c/snapshot.h"
#include "c/statistics.h"
#include "c/types.h"
#include "c/wal_iterator.h"
#include "c/write.h"
#include "c/write_batch.h"
#include "c/write_options.h"

/* Subjects that this release declares and does not define yet. Programs that are only
   compiled against them, and bindings that link with unresolved symbols, ask for them. */
#ifdef SKARN_DECLARE_PLANNED
#include "c/backup.h"
#include "c/blob_options.h"
#include "c/compaction_styles.h"
#include "c/import.h"
#include "c/table_formats.h"
#include "c/transactions.h"
#include "c/write_batch_with_index.h"
#endif

#endif /* SKARN_C_API_ROCKSDB_C_H_ */
