// BlobFetcher reads the value that a blob index points at. The blob room is behind it;
// lookups and iterators use it without knowing that room.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_KEY_BLOB_FETCHER_H_
#define SKARN_CORE_KEY_BLOB_FETCHER_H_

#include <string>

#include "core/base/slice.h"
#include "core/base/status.h"

namespace skarn {

class BlobFetcher {
 public:
  virtual ~BlobFetcher() = default;
  // `user_key` is with its timestamp, as the blob record holds it.
  virtual Status Fetch(Slice user_key, Slice blob_index, std::string* value) const = 0;
};

}  // namespace skarn

#endif  // SKARN_CORE_KEY_BLOB_FETCHER_H_
