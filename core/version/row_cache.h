// RowCache keeps what point lookups found in table files: by file and user key the newest
// version there, so that the file need not be asked again.
//
// An entry needs no invalidation: a file never changes, and its number is never given
// again while the cache is in use. Lookups that a snapshot limits to a part of the file
// have entries of their own. Kept are values and deletions; what begins with a merge
// operand, and families with timestamps, are read from the file every time.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_VERSION_ROW_CACHE_H_
#define SKARN_CORE_VERSION_ROW_CACHE_H_

#include <cstdint>

#include "core/cache/cache.h"
#include "core/key/point_lookup.h"
#include "core/table/table_reader.h"
#include "core/version/version_edit.h"

namespace skarn {

class Statistics;

class RowCache {
 public:
  // `cache` may be null: then enabled() is false and Get() must not be called. Both outlive this.
  RowCache(Cache* cache, Statistics* statistics)
      : cache_(cache), statistics_(statistics), id_(cache != nullptr ? Cache::NewId() : 0) {}

  bool enabled() const { return cache_ != nullptr; }
  // As reader->Get(), which it spares when the cache has the row.
  void Get(const ReadOptions& read, const FileRecord& file, TableReader* reader,
           PointLookup* lookup, bool skip_filters) const;

 private:
  Cache* const cache_;
  Statistics* const statistics_;
  const uint64_t id_;  // Of this user of the cache, which may have others.
};

}  // namespace skarn

#endif  // SKARN_CORE_VERSION_ROW_CACHE_H_
