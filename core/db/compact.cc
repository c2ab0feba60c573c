// Background compactions: picking, running, installing.

#include <algorithm>
#include <utility>

#include "core/db/db_impl.h"
#include "core/db/event_log.h"
#include "core/metrics/statistics.h"

namespace skarn {

void DbImpl::BackgroundCompaction() {
  Cleanup cleanup;
  {
    MutexLock lock(&mutex_);
    ++compactions_running_;
    const auto protection = ProtectNewFiles();
    Status status;
    if (!shutting_down_.load(std::memory_order_acquire) && !errors_.stops_compactions() &&
        exclusive_manual_ == 0 && !compaction_queue_.empty()) {
      ColumnFamily* const family = compaction_queue_.front();
      compaction_queue_.pop_front();
      family->queued_for_compaction = false;
      if (!family->dropped() && !family->options().disable_auto_compactions) {
        std::unique_ptr<Compaction> compaction = family->picker()->Pick(
            family->versions()->current(), family->options(), *options_, snapshots_.Sequences());
        if (compaction != nullptr) {
          // There may be work for another thread.
          QueueCompaction(family);
          MaybeSchedule();
          status = RunCompaction(family, compaction.get(), /*pause=*/nullptr, &cleanup);
          family->picker()->Release(compaction.get());
          compaction.reset();
          if (!family->dropped()) {
            Rescore(family);
          }
          QueueCompaction(family);
          if (!status.ok() && !status.IsShutdownInProgress() && !status.IsColumnFamilyDropped() &&
              errors_.ok()) {
            // Not recorded, so it is tried again; not at full speed.
            mutex_.Unlock();
            env_->clock->SleepMicros(1000000);
            mutex_.Lock();
          }
        }
      }
      family->Unref();
    }
    UnprotectNewFiles(protection);
  }
  RunCleanup(&cleanup);
  MaybeDumpStatistics();
  MutexLock lock(&mutex_);
  while (tables_left_us_ != 0) {
    tables_left_us_ = 0;
    lock.Unlock();
    PurgeObsoleteFiles(/*full=*/false, /*leave_logs=*/true);
    lock.Lock();
  }
  --compactions_running_;  // Who sees no job at work sees the directory without its leftovers.
  --compactions_scheduled_;
  MaybeSchedule();
  JobEnded();
}

Status DbImpl::RunCompaction(ColumnFamily* family, Compaction* compaction,
                             const std::atomic<bool>* pause, Cleanup* cleanup, bool allow_move) {
  const int job_id = NextJobId();
  const uint64_t start_us = env_->clock->NowMicros();
  CompactionResult result;
  VersionEdit edit;
  VersionEdit* change = &edit;
  edit.column_family = family->id();
  Status status;
  bool moved = false;
  if (statistics_ != nullptr && !compaction->manual) {
    statistics_->Record(HistogramKind::kNumfilesInSinglecompaction,
                        compaction->inputs().empty() ? 0 : compaction->inputs()[0].files.size());
  }
  if (compaction->deletion_only) {
    compaction->AddInputDeletions(&edit);
  } else if (allow_move && compaction->IsTrivialMove()) {
    moved = true;
    for (const CompactionInput& input : compaction->inputs()) {
      for (const FileMetadata* file : input.files) {
        edit.DeleteFile(input.level, file->number);
        FileRecord record = *file;
        record.marked_for_compaction = false;
        edit.AddFile(compaction->output_level(), std::move(record));
      }
    }
  } else {
    const IoPriority priority = write_controller_.delayed() || write_controller_.stopped()
                                    ? IoPriority::kUser
                                    : IoPriority::kLow;
    JobContext context = NewJobContext(family, job_id, priority);
    context.pause_manual = pause;
    context.trim_timestamp = compaction->trim_timestamp;
    // A flush that is due waits for one batch of blocks at most.
    context.helpers.priority = ThreadPool::Priority::kHigh;
    context.helpers.jobs = HelpersMax(Limits().flushes);
    mutex_.Unlock();
    LogCompactionStart(*compaction, context, start_us);
    status = RunCompactionJob(context, *compaction, &result);
    if (status.ok()) LogCompactionOutputs(*compaction, context, result);
    mutex_.Lock();
    change = &result.edit;
    change->column_family = family->id();
  }
  if (status.ok() && family->dropped()) status = Status::ColumnFamilyDropped();

  bool manifest_failed = false;
  if (status.ok()) {
    versions_->set_last_sequence(visible());
    status = versions_->LogAndApply(family->versions(), change, db_directory_.get());
    manifest_failed = !status.ok() && !status.IsColumnFamilyDropped();
    manifest_uncertain_ = manifest_failed;
  }
  if (!status.ok()) {
    if (!manifest_failed) {
      for (const TableOutput& output : result.outputs) {
        const std::string path = family->versions()->table_cache()->PathOf(output.file);
        family->versions()->table_cache()->Forget(output.file.number);
        cleanup->calls.push_back([this, path] { DeleteObsolete(path); });
      }
    }
    if (!status.IsShutdownInProgress() && !status.IsColumnFamilyDropped() &&
        !(status.IsIncomplete() && status.subcode() == Status::Subcode::kManualCompactionPaused)) {
      Log(LogLevel::kWarn, info_log_.get(), "[%s] [JOB %d] Compaction failed: %s",
          family->name().c_str(), job_id, status.ToString().c_str());
      SetBackgroundError(status,
                         manifest_failed ? ErrorCause::kManifestWrite : ErrorCause::kCompaction);
    }
    return status;
  }
  InstallSuperVersion(family, cleanup);
  for (const TableOutput& output : result.outputs) {
    CountTableFile(family->versions()->table_cache()->PathOf(output.file), output.file.size_bytes,
                   ErrorCause::kCompaction);
  }

  const uint64_t now_us = env_->clock->NowMicros();
  const auto output_level = static_cast<size_t>(compaction->output_level());
  ColumnFamily::LevelStats& stats = family->level_stats[output_level];
  ++stats.compactions;
  stats.micros += now_us - start_us;
  stats.bytes_read += result.bytes_read;
  stats.bytes_read_output_level += result.bytes_read_output_level;
  stats.bytes_written += result.bytes_written;
  stats.input_records += result.counts.input_records;
  stats.dropped_records += result.counts.dropped_hidden + result.counts.dropped_by_filter +
                           result.counts.dropped_range_deletion +
                           result.counts.dropped_obsolete_deletion;
  compacted_read_bytes_ += result.bytes_read;
  compacted_written_bytes_ += result.bytes_written;
  if (statistics_ != nullptr && !moved) CountCompaction(*compaction, result, now_us - start_us);
  if (moved) {
    LogMove(*compaction, family, edit, job_id, now_us);
  } else {
    LogCompactionEnd(*compaction, family, result, job_id, start_us, now_us);
  }
  work_done_.SignalAll();
  return Status::Ok();
}

void DbImpl::CountCompaction(const Compaction& compaction, const CompactionResult& result,
                             uint64_t micros) {
  Statistics& statistics = *statistics_;
  statistics.Add(Ticker::kCompactReadBytes, result.table_bytes_read);
  statistics.Add(Ticker::kCompactWriteBytes, result.bytes_written);
  const auto by_reason = [&](Ticker read, Ticker written) {
    statistics.Add(read, result.table_bytes_read);
    statistics.Add(written, result.bytes_written);
  };
  switch (compaction.reason()) {
    case CompactionReason::kFilesMarkedForCompaction:
      by_reason(Ticker::kCompactReadMarkedBytes, Ticker::kCompactWriteMarkedBytes);
      break;
    case CompactionReason::kPeriodicCompaction:
      by_reason(Ticker::kCompactReadPeriodicBytes, Ticker::kCompactWritePeriodicBytes);
      break;
    case CompactionReason::kTtl:
      by_reason(Ticker::kCompactReadTtlBytes, Ticker::kCompactWriteTtlBytes);
      break;
    default:
      break;
  }
  const CompactionIterator::Counts& counts = result.counts;
  statistics.Add(Ticker::kCompactionKeyDropNew, counts.dropped_hidden);
  statistics.Add(Ticker::kCompactionKeyDropObsolete,
                 counts.dropped_obsolete_deletion + result.dropped_tombstones);
  statistics.Add(Ticker::kCompactionKeyDropUser, counts.dropped_by_filter);
  statistics.Add(Ticker::kCompactionKeyDropRangeDel, counts.dropped_range_deletion);
  statistics.Add(Ticker::kCompactionRangeDelDropObsolete, result.dropped_tombstones);
  statistics.Add(Ticker::kCompactionTotalTimeCpuMicros, result.cpu_micros);
  statistics.Record(HistogramKind::kCompactionTimesMicros, micros);
  statistics.Record(HistogramKind::kCompactionTimesCpuMicros, result.cpu_micros);
  if (result.subcompactions > 1) {
    statistics.Record(HistogramKind::kNumSubcompactionsScheduled, result.subcompactions);
  }
}

}  // namespace skarn
