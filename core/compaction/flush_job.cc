#include "core/compaction/flush_job.h"

#include <algorithm>
#include <utility>

#include "core/base/epoch.h"
#include "core/compaction/compaction.h"
#include "core/compaction/output_writer.h"
#include "core/compaction/range_deletions.h"
#include "core/iterate/merging_cursor.h"

namespace skarn {

Status RunFlushJob(const JobContext& context, const ColumnFamilyOptions& options,
                   const std::vector<MemTable*>& memtables, CompressionType compression,
                   uint64_t epoch_number, TableCreationReason reason, FlushResult* result) {
  const uint64_t start_us = context.env->clock->NowMicros();
  const uint64_t start_cpu_us = context.env->clock->CpuMicros();
  *result = FlushResult();

  MergingCursorBuilder sources(*context.order);
  CompactionRangeDeletions range_deletions(*context.order, context.snapshots);
  uint64_t oldest_write_s = context.env->clock->NowSeconds();
  const uint64_t now_s = oldest_write_s;
  for (auto it = memtables.rbegin(); it != memtables.rend(); ++it) {  // Newest first.
    sources.Add((*it)->NewFlushCursor());
    range_deletions.Add((*it)->Tombstones(kMaxSequenceNumber));
    oldest_write_s = std::min(oldest_write_s, (*it)->oldest_write_s());
  }
  range_deletions.Freeze();
  const std::unique_ptr<InternalCursor> input = sources.Finish();
  input->SeekToFirst();

  CompactionIteratorOptions loop;
  loop.order = context.order;
  loop.snapshots = context.snapshots;
  loop.earliest_write_conflict_snapshot = context.earliest_write_conflict_snapshot;
  loop.is_flush = true;
  loop.merge_operator = options.merge_operator.get();
  loop.range_deletions = range_deletions.empty() ? nullptr : &range_deletions;
  loop.enforce_single_delete_contracts = context.db_options->enforce_single_del_contracts;
  loop.full_history_ts_low = context.full_history_ts_low;
  loop.statistics = context.db_options->statistics.get();
  // A flush is not cut short by shutdown: closing waits for the ones it wants.

  OutputWriterOptions output;
  output.context = &context;
  output.options = &options;
  output.compression = compression;
  output.compression_options = options.compression_opts;
  output.reason = reason;
  output.epoch_number = epoch_number;
  output.oldest_ancestor_time = oldest_write_s;
  output.newest_key_time = now_s;
  output.tombstones = range_deletions.merged().get();
  OutputWriter writer(output);

  uint64_t count = 1;
  for (const MemTable* table : memtables) count += table->entry_count();
  uint64_t done = 0;
  CompactionIterator entries(std::move(loop), input.get());
  for (entries.SeekToFirst(); entries.valid(); entries.Next()) {
    if (Status s = writer.Add(entries.user_key(), entries.tag(), entries.value()); !s.ok()) {
      return s;
    }
    // Entries that were dropped are not seen here: then the flush is quicker than it says.
    if (++done % 1024 == 0 && context.progress != nullptr) {
      context.progress->store(static_cast<uint32_t>(done * 1024 / count),
                              std::memory_order_relaxed);
    }
  }
  if (!entries.status().ok()) return entries.status();
  if (context.db_options->flush_verify_memtable_count) {
    uint64_t expected = 0;
    for (const MemTable* table : memtables) {
      expected += table->entry_count() - table->range_deletion_count();
    }
    if (entries.counts().input_records != expected) {
      return Status::Corruption(Concat("Expected ", expected, " entries in memtables, but read ",
                                       entries.counts().input_records));
    }
  }
  if (Status s = writer.Finish(); !s.ok()) return s;

  std::vector<TableOutput> outputs = writer.TakeOutputs();
  if (!outputs.empty()) {
    if (Status s = SyncDirectories(context.env->file_system, {context.table_directory(0)});
        !s.ok()) {
      return s;
    }
    result->has_file = true;
    result->output = std::move(outputs.front());
  }
  result->counts = entries.counts();
  result->cpu_micros = context.env->clock->CpuMicros() - start_cpu_us;
  result->micros = context.env->clock->NowMicros() - start_us;
  return Status::Ok();
}

}  // namespace skarn
