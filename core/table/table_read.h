// TableRead is what one operation on a table carries along: who reads and how, and what
// it has counted so far. Counts are plain numbers here and are added to the thread's
// perf counters and to Statistics once, when the operation ends.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_TABLE_TABLE_READ_H_
#define SKARN_CORE_TABLE_TABLE_READ_H_

#include <cstdint>

#include "core/base/thread_context.h"
#include "core/metrics/statistics.h"
#include "core/options/options.h"
#include "core/table/table_reader.h"

namespace skarn {

struct TableReadCounts {
  uint32_t data_hits = 0;
  uint32_t data_misses = 0;
  uint32_t index_hits = 0;
  uint32_t index_misses = 0;
  uint32_t filter_hits = 0;
  uint32_t filter_misses = 0;
  uint32_t data_adds = 0;
  uint32_t index_adds = 0;
  uint32_t filter_adds = 0;
  uint32_t adds_failed = 0;
  uint64_t hit_bytes = 0;
  uint64_t data_add_bytes = 0;
  uint64_t index_add_bytes = 0;
  uint64_t filter_add_bytes = 0;

  uint32_t blocks_read = 0;
  uint64_t bytes_read = 0;
  uint32_t index_blocks_read = 0;
  uint32_t filter_blocks_read = 0;
  uint32_t checksums_computed = 0;
  uint32_t checksum_mismatches = 0;
  uint32_t blocks_decompressed = 0;
  uint64_t decompressed_from_bytes = 0;
  uint64_t decompressed_to_bytes = 0;
  uint64_t index_bytes_read = 0;
  uint64_t filter_bytes_read = 0;
  // Of the file; one may bring many blocks.
  uint32_t file_reads = 0;
  uint64_t file_read_bytes = 0;
  bool last_level = false;  // Where the file was when it was opened.

  uint32_t filter_useful = 0;         // The filter said no.
  uint32_t filter_positive = 0;       // It said maybe,
  uint32_t filter_true_positive = 0;  // and the key was there.
  uint32_t prefix_checked = 0;
  uint32_t prefix_useful = 0;
};

class TableRead {
 public:
  // `statistics` may be null. All must outlive this.
  TableRead(const ReadOptions& options, TableCaller caller, Statistics* statistics)
      : options(options), caller(caller), thread(CurrentThreadContext()), statistics_(statistics) {}
  ~TableRead() { AddCounts(); }
  TableRead(const TableRead&) = delete;
  TableRead& operator=(const TableRead&) = delete;

  // Adds what was counted since the last call to where it is read.
  void Flush() {
    AddCounts();
    counts = TableReadCounts();
  }

  // Whether somebody wants to know how long reads take.
  bool timed() const { return statistics_ != nullptr && statistics_->WantsTimers(); }
  // Records how long a block took from the file on, its decompression included.
  void NoteBlockTime(uint64_t nanos);
  // Notes a read of the file. `by_level` may be null.
  void NoteFileRead(size_t bytes, bool last_level, uint64_t nanos, Histogram* by_level);

  const ReadOptions& options;
  const TableCaller caller;
  ThreadContext* thread;  // Of the thread that reads now.
  TableReadCounts counts;

 private:
  void AddCounts();
  void AddToStatistics();
  Statistics* const statistics_;
};

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_TABLE_READ_H_
