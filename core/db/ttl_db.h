// A database whose entries carry their write time, and lose what is too old when it is
// compacted.
//
//   stored value or merge operand:  value bytes | fixed32 write time, seconds since 1970
//
// Reads take the time off. They still give an entry that has expired, until a
// compaction has met it. A time to live of 0 or less is for ever.
//
// Thread safety: as Db.

#ifndef SKARN_CORE_DB_TTL_DB_H_
#define SKARN_CORE_DB_TTL_DB_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/db/db.h"

namespace skarn {

// `ttls`, in seconds, one for each column family of the request.
Result<std::unique_ptr<Db>> OpenTtlDb(Db::OpenRequest request, std::vector<int32_t> ttls,
                                      std::vector<std::unique_ptr<ColumnFamilyHandle>>* handles);

// `db` must come from OpenTtlDb().
Result<std::unique_ptr<ColumnFamilyHandle>> CreateTtlColumnFamily(
    Db* db, const ColumnFamilyOptions& options, const std::string& name, int32_t ttl);

}  // namespace skarn

#endif  // SKARN_CORE_DB_TTL_DB_H_
