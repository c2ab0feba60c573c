// Checkpoints: a copy of an open database in another directory, as of one moment.
//
// Table files are shared through hard links where the file system allows it.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_DB_CHECKPOINT_H_
#define SKARN_CORE_DB_CHECKPOINT_H_

#include <cstdint>
#include <string>

#include "core/base/status.h"
#include "core/db/db.h"

namespace skarn {

// Makes a database in `directory`, which must not exist and whose parent must. Flushes
// first when the logs hold at least `log_size_for_flush` bytes; 0: always.
//
// Until it is complete everything is in `<directory>.tmp`, which a failure leaves empty
// or removes.
Status CreateCheckpoint(Db* db, const std::string& directory, uint64_t log_size_for_flush);

}  // namespace skarn

#endif  // SKARN_CORE_DB_CHECKPOINT_H_
