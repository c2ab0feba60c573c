// FlushJob writes the versions of some memtables into one table of level 0.
//
// Thread safety: Run() on one background thread, without the db mutex.

#ifndef SKARN_CORE_COMPACTION_FLUSH_JOB_H_
#define SKARN_CORE_COMPACTION_FLUSH_JOB_H_

#include <cstdint>
#include <vector>

#include "core/base/status.h"
#include "core/compaction/compaction_iterator.h"
#include "core/compaction/table_output.h"
#include "core/memtable/memtable.h"
#include "core/table/table_builder.h"

namespace skarn {

struct FlushResult {
  // False when nothing was left to write: then there is no file.
  bool has_file = false;
  TableOutput output;
  CompactionIterator::Counts counts;
  uint64_t micros = 0;
  uint64_t cpu_micros = 0;
};

// Writes, syncs file and directory, and opens the table to see that it can be read.
// `memtables` are oldest first and immutable. On an error the file is removed. The
// output's epoch_number, path id 0 and file number are set; level is 0. `compression` is what
// CompressionOfLevel() says for level 0.
Status RunFlushJob(const JobContext& context, const ColumnFamilyOptions& options,
                   const std::vector<MemTable*>& memtables, CompressionType compression,
                   uint64_t epoch_number, TableCreationReason reason, FlushResult* result);

}  // namespace skarn

#endif  // SKARN_CORE_COMPACTION_FLUSH_JOB_H_
