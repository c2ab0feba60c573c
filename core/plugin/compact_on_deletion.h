// CompactOnDeletion marks new table files for compaction when they hold too many
// deletions, close together or overall.
//
// Thread safety: as TablePropertiesCollectorFactory asks.

#ifndef SKARN_CORE_PLUGIN_COMPACT_ON_DELETION_H_
#define SKARN_CORE_PLUGIN_COMPACT_ON_DELETION_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/plugin/table_properties_collector.h"

namespace skarn {

struct CompactOnDeletionOptions {
  // Entries in a row that are looked at together; 0: none are.
  size_t window_size = 0;
  // Deletions among them that are too many; 0: never.
  size_t deletion_trigger = 0;
  // Part of all entries that is too many; outside of (0, 1]: never.
  double deletion_ratio = 0;
  // Smaller files are never marked.
  uint64_t min_file_size_bytes = 0;
};

std::shared_ptr<TablePropertiesCollectorFactory> NewCompactOnDeletionFactory(
    const CompactOnDeletionOptions& options);

}  // namespace skarn

#endif  // SKARN_CORE_PLUGIN_COMPACT_ON_DELETION_H_
