// How outcomes and bytes cross the C boundary.
//
// Memory that a C caller frees comes from malloc(). Nothing here throws; a failed
// malloc() ends as a null pointer.
//
// Thread safety: pure functions.

#ifndef SKARN_COMPAT_C_STATUS_H_
#define SKARN_COMPAT_C_STATUS_H_

#include <cstdlib>
#include <cstring>
#include <string>

#include "core/base/slice.h"
#include "core/base/status.h"

namespace skarn {

// A copy with a 0 after it, for callers who take it for a string.
inline char* CopyToMalloc(Slice bytes) {
  char* copy = static_cast<char*>(malloc(bytes.size() + 1));
  if (copy == nullptr) return nullptr;
  if (!bytes.empty()) memcpy(copy, bytes.data(), bytes.size());
  copy[bytes.size()] = '\0';
  return copy;
}

// Puts the text of a failure into *errptr, after freeing what is there. Does nothing
// for success. Returns whether there was a failure.
inline bool SaveError(char** errptr, const Status& status) {
  if (status.ok()) return false;
  if (errptr != nullptr) {
    free(*errptr);
    *errptr = CopyToMalloc(status.ToString());
  }
  return true;
}

}  // namespace skarn

#endif  // SKARN_COMPAT_C_STATUS_H_
