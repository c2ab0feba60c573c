// The unique id of a table file, computed from three of its properties: the id of the
// database that made it, the session, and the number the file had then. It goes with
// the file's content wherever the file is copied.
//
// The internal id is stored in the MANIFEST (its first two words) and names the file's
// blocks in caches; the external one is what users are shown.
//
// Thread safety: pure functions.

#ifndef SKARN_CORE_TABLE_UNIQUE_ID_H_
#define SKARN_CORE_TABLE_UNIQUE_ID_H_

#include <cstdint>
#include <string>

#include "core/base/result.h"
#include "core/base/slice.h"

namespace skarn {

struct TableProperties;

struct UniqueId {
  uint64_t words[3] = {0, 0, 0};

  // Whether the part that the MANIFEST holds is "unknown".
  bool IsNull128() const { return words[0] == 0 && words[1] == 0; }
  friend bool operator==(const UniqueId&, const UniqueId&) = default;
};

// A session id as two numbers, the first below 2^62.
struct SessionWords {
  uint64_t upper = 0;
  uint64_t lower = 0;
  friend bool operator==(const SessionWords&, const SessionWords&) = default;
};
// False when `text` is not 13 to 24 digits base 36.
bool DecodeSessionId(Slice text, SessionWords* words);
// 20 digits base 36, capitals.
std::string EncodeSessionId(const SessionWords& words);

// The internal id. With `force`, missing parts count as empty and an id is always made,
// good enough for cache keys; else NotSupported when a part is missing.
Result<UniqueId> ComputeUniqueId(Slice db_id, Slice session_id, uint64_t file_number,
                                 bool force = false);
Result<UniqueId> ComputeUniqueId(const TableProperties& properties, bool force = false);

// The id that users see, and back.
UniqueId ExternalFromInternal(const UniqueId& internal);
UniqueId InternalFromExternal(const UniqueId& external);

// The bytes of an id: `words` (2 or 3) fixed64.
std::string UniqueIdBytes(const UniqueId& id, int words);
// "45731821DE2DB2D6-302682A68063191D-BA8FAEE3D208DEB9": the bytes as capital hex digits.
std::string UniqueIdText(Slice bytes);

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_UNIQUE_ID_H_
