// CompactionJob carries a Compaction out: it merges the inputs, drops what may go and
// writes the output files, in one or more parallel parts (subcompactions).
//
// Thread safety: Run() on one background thread, without the db mutex; it may run
// parts on threads of its own.

#ifndef SKARN_CORE_COMPACTION_COMPACTION_JOB_H_
#define SKARN_CORE_COMPACTION_COMPACTION_JOB_H_

#include <cstdint>
#include <vector>

#include "core/base/status.h"
#include "core/compaction/compaction.h"
#include "core/compaction/compaction_iterator.h"
#include "core/compaction/table_output.h"

namespace skarn {

struct CompactionResult {
  std::vector<TableOutput> outputs;  // In key order.
  CompactionIterator::Counts counts;
  uint64_t bytes_read = 0;
  uint64_t bytes_read_output_level = 0;
  uint64_t bytes_written = 0;
  uint64_t table_bytes_read = 0;    // From the files, not from caches.
  uint64_t dropped_tombstones = 0;  // Range tombstones that had nothing left to delete.
  uint64_t micros = 0;
  uint64_t cpu_micros = 0;
  size_t subcompactions = 1;
  // Removals of the inputs and additions of the outputs.
  VersionEdit edit;
};

// Output files are synced, and so is their directory, before it returns Ok. On an
// error all output files are removed and `result` is of no use. The inputs'
// Compaction must stay alive.
Status RunCompactionJob(const JobContext& context, const Compaction& compaction,
                        CompactionResult* result);

}  // namespace skarn

#endif  // SKARN_CORE_COMPACTION_COMPACTION_JOB_H_
