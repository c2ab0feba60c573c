// Settings of many options for one purpose.
//
// Thread safety: pure functions, but IncreaseParallelism() changes the environment's pool.

#ifndef SKARN_CORE_OPTIONS_OPTION_PRESETS_H_
#define SKARN_CORE_OPTIONS_OPTION_PRESETS_H_

#include <cstdint>
#include <memory>

#include "core/options/options.h"

namespace skarn {

// `threads` for flushes and compactions together.
void IncreaseParallelism(int threads, DbOptions* options);
// Reads of single keys only: filters, hashed data blocks, and the cache given.
void OptimizeForPointLookup(std::shared_ptr<Cache> block_cache, ColumnFamilyOptions* options);
// Memtables and levels that fit a budget of memory for memtables.
void OptimizeLevelStyleCompaction(uint64_t memtable_bytes, ColumnFamilyOptions* options);
// Much data is written before any is read, and compacted by hand afterwards.
void PrepareForBulkLoad(DbOptions* db, ColumnFamilyOptions* family);

}  // namespace skarn

#endif  // SKARN_CORE_OPTIONS_OPTION_PRESETS_H_
