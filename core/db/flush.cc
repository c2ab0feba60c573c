// Flushes: who asks for them, how they run, and how callers wait for them.

#include <algorithm>
#include <cinttypes>

#include "core/base/cpu.h"
#include "core/db/db_impl.h"
#include "core/db/event_log.h"
#include "core/metrics/statistics.h"

namespace skarn {

const char* FlushReasonName(FlushReason reason) {
  switch (reason) {
    case FlushReason::kOthers:
      return "Other Reasons";
    case FlushReason::kGetLiveFiles:
      return "Get Live Files";
    case FlushReason::kShutDown:
      return "Shut down";
    case FlushReason::kExternalFileIngestion:
      return "External File Ingestion";
    case FlushReason::kManualCompaction:
      return "Manual Compaction";
    case FlushReason::kWriteBufferManager:
      return "Write Buffer Manager";
    case FlushReason::kWriteBufferFull:
      return "Write Buffer Full";
    case FlushReason::kManualFlush:
      return "Manual Flush";
    case FlushReason::kErrorRecovery:
      return "Error Recovery";
    case FlushReason::kWalFull:
      return "WAL Full";
  }
  return "Unknown";
}

std::vector<uint64_t> DbImpl::LevelCounts(const ColumnFamily* family) {
  std::vector<uint64_t> counts;
  const VersionStorage& storage = family->versions()->current()->storage();
  for (int level = 0; level < storage.num_levels(); ++level) {
    counts.push_back(static_cast<uint64_t>(storage.file_count(level)));
  }
  return counts;
}

void DbImpl::RequestFlush(std::vector<ColumnFamily*> families, FlushReason reason, bool atomic) {
  if (atomic) {
    FlushRequest request;
    request.reason = reason;
    request.atomic = true;
    for (ColumnFamily* family : families) {
      if (family->dropped() || family->immutables().waiting() == 0) continue;
      family->Ref();
      request.parts.push_back({family, family->immutables().newest_id()});
    }
    if (request.parts.empty()) return;
    // What was to be flushed of one of them alone is part of this now.
    for (auto at = flush_queue_.begin(); at != flush_queue_.end();) {
      ColumnFamily* const alone = at->atomic ? nullptr : at->parts.front().family;
      if (std::none_of(request.parts.begin(), request.parts.end(),
                       [alone](const FlushRequest::Part& part) { return part.family == alone; })) {
        ++at;
        continue;
      }
      alone->queued_for_flush = false;
      alone->Unref();
      at = flush_queue_.erase(at);
    }
    flush_queue_.push_back(std::move(request));
    return;
  }
  for (ColumnFamily* family : families) {
    if (family->dropped() || family->queued_for_flush) continue;
    const size_t waiting = family->immutables().waiting();
    if (waiting == 0) continue;
    const auto wanted =
        static_cast<size_t>(std::max(family->options().min_write_buffer_number_to_merge, 1));
    if (waiting < wanted && !family->immutables().flush_requested) continue;
    family->queued_for_flush = true;
    family->Ref();
    FlushRequest request;
    request.reason = reason;
    request.parts.push_back({family, UINT64_MAX});
    flush_queue_.push_back(std::move(request));
  }
}

uint32_t DbImpl::HelpersMax(int threads) {
  return std::min(static_cast<uint32_t>(std::max(threads, 1)), CpuCount() - 1);
}

JobContext DbImpl::NewJobContext(ColumnFamily* family, int job_id, IoPriority priority) {
  JobContext context;
  // The copy that is in force now stays alive with the job.
  const std::shared_ptr<const DbOptions> options = options_;
  context.db_options = options.get();
  context.env = env_;
  context.db_path = path_;
  context.db_id = versions_->db_id();
  context.db_session_id = session_id_;
  context.db_host_id = host_id_;
  context.column_family_id = family->id();
  context.column_family_name = family->name();
  context.order = &family->order();
  context.table_cache = family->versions()->table_cache();
  context.job_id = job_id;
  context.new_file_number = [this, options] { return versions_->NewFileNumber(); };
  context.table_directory = [family](uint32_t path_id) {
    return DirectoryOfPath(family->versions()->directories(), path_id);
  };
  context.snapshots = snapshots_.Sequences(&context.earliest_write_conflict_snapshot);
  context.full_history_ts_low = family->versions()->full_history_ts_low();
  context.shutting_down = &shutting_down_;
  context.priority = priority;
  // Threads of compactions that have nothing to do. They are part of what background work may
  // use, so no more threads run than for a flush beside compactions.
  context.helpers.pool = env_->thread_pool;
  context.helpers.priority = ThreadPool::Priority::kLow;
  context.helpers.jobs = HelpersMax(Limits().compactions);
  return context;
}

void DbImpl::BackgroundFlush() {
  Cleanup cleanup;
  {
    MutexLock lock(&mutex_);
    ++flushes_running_;
    const auto protection = ProtectNewFiles();
    Status status;
    FlushRequest request;
    if (shutting_down_.load(std::memory_order_acquire)) {
      status = Status::ShutdownInProgress();
    } else if (errors_.stops_writes() && !errors_.recovering()) {
      status = errors_.error();
    } else {
      // The first request none of whose families is being flushed.
      for (auto at = flush_queue_.begin(); at != flush_queue_.end(); ++at) {
        bool busy = false;
        for (const FlushRequest::Part& part : at->parts) {
          busy = busy || part.family->immutables().flush_running();
        }
        if (busy) continue;
        request = std::move(*at);
        flush_queue_.erase(at);
        break;
      }
    }
    if (!request.parts.empty()) {
      for (const FlushRequest::Part& part : request.parts) {
        if (!request.atomic) part.family->queued_for_flush = false;
      }
      status = RunFlush(&request, &cleanup);
      if (!status.ok() && !status.IsShutdownInProgress() && !status.IsColumnFamilyDropped() &&
          !errors_.stops_writes() && !shutting_down_.load(std::memory_order_acquire)) {
        // Nothing was recorded, so it is tried again; not at full speed.
        mutex_.Unlock();
        env_->clock->SleepMicros(100000);
        mutex_.Lock();
        std::vector<ColumnFamily*> again;
        for (const FlushRequest::Part& part : request.parts) again.push_back(part.family);
        RequestFlush(std::move(again), request.reason, request.atomic);
      }
      for (const FlushRequest::Part& part : request.parts) {
        // What was left because writes waited.
        if (status.ok() && !request.atomic) RequestFlush({part.family}, request.reason, false);
        part.family->Unref();
      }
      MaybeSchedule();
    }
    cleanup.leave_tables = true;
    UnprotectNewFiles(protection);
  }
  RunCleanup(&cleanup);
  MaybeDumpStatistics();
  MutexLock lock(&mutex_);
  --flushes_running_;  // Who sees no job at work sees the directory without its leftovers.
  --flushes_scheduled_;
  MaybeSchedule();
  JobEnded();
}

Status DbImpl::RunFlush(FlushRequest* request, Cleanup* cleanup) {
  struct Job {
    ColumnFamily* family = nullptr;
    std::vector<MemTable*> tables;
    uint64_t epoch = 0;
    CompressionType compression = CompressionType::kNone;
    JobContext context;
    std::shared_ptr<const ColumnFamilyOptions> options;  // As of now, whatever is set later.
    FlushResult result;
    VersionEdit edit;
  };
  const int job_id = NextJobId();
  std::vector<Job> jobs;
  for (const FlushRequest::Part& part : request->parts) {
    if (part.family->dropped()) {
      std::vector<MemTable*>* const dropped = &cleanup->memtables;
      part.family->immutables().DropAll(dropped);
      continue;
    }
    Job job;
    job.family = part.family;
    // While writes wait for memory, as few memtables as may be are flushed together: they go on
    // when these are done, instead of all.
    ImmutableList& list = part.family->immutables();
    const ColumnFamilyOptions& set = part.family->options();
    const int too_many = static_cast<int>(list.unflushed()) + 1 - set.max_write_buffer_number;
    const auto fewest =
        static_cast<size_t>(std::max({set.min_write_buffer_number_to_merge, too_many, 1}));
    const bool writes_wait = !request->atomic && too_many > 0;
    job.tables = list.PickForFlush(part.memtable_id_max, writes_wait ? fewest : SIZE_MAX);
    if (job.tables.empty()) continue;
    job.epoch = part.family->versions()->NewEpochNumber();
    job.options = part.family->versions()->options();
    // Never that of the bottommost level: what was just written seldom stays.
    job.compression = CompressionOfLevel(*job.options, /*level=*/0, /*base_level=*/1,
                                         /*bottommost=*/false);
    jobs.push_back(std::move(job));
  }
  if (jobs.empty()) return Status::Ok();
  const std::shared_ptr<const DbOptions> options = options_;
  const bool several_families = families_.size() > 1 || options->allow_2pc;
  const IoPriority priority = write_controller_.delayed() || write_controller_.stopped()
                                  ? IoPriority::kUser
                                  : IoPriority::kHigh;
  for (Job& job : jobs) {
    job.context = NewJobContext(job.family, job_id, priority);
    job.family->Ref();
  }

  mutex_.Unlock();
  Status status;
  ErrorCause cause = unlogged_writes_.load(std::memory_order_relaxed) ? ErrorCause::kFlushWithoutWal
                                                                      : ErrorCause::kFlush;
  const uint64_t start_us = env_->clock->NowMicros();
  if (several_families) {
    // No family's files may be ahead of what another family can recover from the logs. The
    // memtables were picked before, so everything in them is in logs that are closed now.
    status = wals_.SyncClosed();
    if (!status.ok()) cause = ErrorCause::kWalWrite;
  }
  for (Job& job : jobs) {
    if (!status.ok()) break;
    Log(LogLevel::kInfo, info_log_.get(),
        "[%s] [JOB %d] Flushing memtable with next log file: %llu", job.family->name().c_str(),
        job_id, static_cast<unsigned long long>(wals_.current_number()));
    uint64_t entries = 0, deletions = 0, ranges = 0, data_bytes = 0, bytes = 0;
    for (const MemTable* table : job.tables) {
      entries += table->entry_count();
      deletions += table->deletion_count();
      ranges += table->range_deletion_count();
      data_bytes += table->data_bytes();
      bytes += table->memory_bytes();
    }
    RecordHistogram(statistics_, HistogramKind::kFlushMemtableMemoryBytes, bytes);
    RecordHistogram(statistics_, HistogramKind::kFlushMemtableTotalDataSizeBytes, data_bytes);
    LogEvent(EventLine(start_us)
                 .Add("job", job_id)
                 .Add("event", "flush_started")
                 .Add("num_memtables", job.tables.size())
                 .Add("num_entries", entries)
                 .Add("total_num_input_entries", entries)  // Its name since 10.x.
                 .Add("num_deletes", deletions)
                 .Add("total_data_size", data_bytes)
                 .Add("memory_usage", bytes)
                 .Add("num_range_deletes", ranges)
                 .Add("flush_reason", FlushReasonName(request->reason))
                 .Take());
    job.family->flush_progress.store(0, std::memory_order_relaxed);
    job.context.progress = &job.family->flush_progress;
    status = RunFlushJob(job.context, *job.options, job.tables, job.compression, job.epoch,
                         TableCreationReason::kFlush, &job.result);
    if (status.ok()) LogFlushedTable(job.family->name(), job_id, start_us, job.result);
  }
  mutex_.Lock();

  if (status.ok() && request->atomic) {
    for (const Job& job : jobs) {
      if (job.family->dropped()) continue;
    }
  } else if (status.ok() && jobs.front().family->dropped()) {
    status = Status::ColumnFamilyDropped();
  }
  std::vector<FamilyEdits> changes;
  VersionEdit log_edit;
  bool manifest_failed = false;
  if (status.ok()) {
    for (Job& job : jobs) {
      if (job.family->dropped()) continue;
      job.edit.column_family = job.family->id();
      job.edit.previous_log_number = 0;
      job.edit.log_number = job.family->immutables().FlushLogNumber();
      if (job.result.has_file) job.edit.AddFile(0, job.result.output.file);
      changes.push_back({job.family->versions(), {&job.edit}});
    }
    const uint64_t min_log = MinLogToKeep(changes);
    if (!changes.empty()) {
      // In the record of the first flushed file, not in one of its own: whatever a torn write
      // leaves out, logs are never given up for files that are not there. Of an atomic group
      // that has lost its first records, the rest may still be read.
      changes.front().edits.front()->min_log_number_to_keep = min_log;
      if (options->track_and_verify_wals_in_manifest) {
        log_edit.wal_deletion = min_log;
        changes.push_back({default_family_->versions(), {&log_edit}});
      }
    }
    versions_->set_last_sequence(visible());
    if (!changes.empty()) {
      status = versions_->LogAndApply(changes, db_directory_.get(),
                                      /*atomic=*/request->atomic && jobs.size() > 1);
      manifest_failed = !status.ok() && !status.IsColumnFamilyDropped();
      if (manifest_failed) cause = ErrorCause::kManifestWrite;
      manifest_uncertain_ = manifest_failed;
    }
  }

  const uint64_t now_us = env_->clock->NowMicros();
  for (Job& job : jobs) {
    ColumnFamily* const family = job.family;
    if (status.ok() || family->dropped()) {
      family->immutables().CommitFlush(family->HistoryBytesMax(), &cleanup->memtables);
      if (!family->dropped()) InstallSuperVersion(family, cleanup);
      const FlushResult& result = job.result;
      const uint64_t size = result.has_file ? result.output.file.size_bytes : 0;
      if (statistics_ != nullptr) {
        statistics_->Add(Ticker::kFlushWriteBytes, size);
        statistics_->Record(HistogramKind::kDbFlushMicros, now_us - start_us);
        const uint64_t put =
            result.counts.input_raw_key_bytes + result.counts.input_raw_value_bytes;
        const TableProperties& written = result.output.properties;
        const uint64_t kept = written.raw_key_size + written.raw_value_size;
        statistics_->Add(Ticker::kMemtablePayloadBytesAtFlush, put);
        statistics_->Add(Ticker::kMemtableGarbageBytesAtFlush, put > kept ? put - kept : 0);
      }
      flushed_bytes_ += size;
      family->level_stats[0].bytes_written += size;
      family->level_stats[0].micros += now_us - start_us;
      ++family->level_stats[0].compactions;
      if (result.has_file) {
        CountTableFile(family->versions()->table_cache()->PathOf(result.output.file), size,
                       ErrorCause::kFlush);
      }
      LogEvent(EventLine(now_us)
                   .Add("job", job_id)
                   .Add("event", "flush_finished")
                   .Add("output_compression", CodecName(job.compression))
                   .AddList("lsm_state", LevelCounts(family))
                   .Add("immutable_memtables", family->immutables().unflushed())
                   .Take());
      LogLevelSummary(family);
    } else {
      family->immutables().RollbackFlush();
      Log(LogLevel::kWarn, info_log_.get(), "[%s] [JOB %d] Flush failed: %s",
          family->name().c_str(), job_id, status.ToString().c_str());
      if (!manifest_failed && job.result.has_file) {
        // Written, but nobody will ever name it.
        const std::string path = family->versions()->table_cache()->PathOf(job.result.output.file);
        family->versions()->table_cache()->Forget(job.result.output.file.number);
        cleanup->calls.push_back([this, path] { DeleteObsolete(path); });
      }
    }
  }
  if (!status.ok() && !status.IsShutdownInProgress() && !status.IsColumnFamilyDropped()) {
    SetBackgroundError(status, cause);
  }
  TrackSyncedLogs();
  for (Job& job : jobs) job.family->Unref();
  work_done_.SignalAll();
  return status;
}

void DbImpl::TrackSyncedLogs() {
  // What another thread has taken must be in the MANIFEST too before this one's caller is told.
  while (tracking_logs_) work_done_.Wait();
  const std::vector<WalManager::LogFile> synced = wals_.TakeSyncedClosed();
  if (!options_->track_and_verify_wals_in_manifest || synced.empty()) return;
  VersionEdit edit;
  for (const WalManager::LogFile& log : synced) {
    if (log.number >= versions_->min_log_number_to_keep()) {
      edit.wal_additions.push_back({log.number, log.size_bytes});
    }
  }
  if (edit.wal_additions.empty()) return;
  tracking_logs_ = true;
  Status status = versions_->LogAndApply(default_family_->versions(), &edit, db_directory_.get());
  tracking_logs_ = false;
  work_done_.SignalAll();
  if (!status.ok()) {
    manifest_uncertain_ = true;
    SetBackgroundError(status, ErrorCause::kManifestWrite);
  }
}

Status DbImpl::WaitUntilFlushWouldNotStall(ColumnFamily* family) {
  const uint64_t first_id = family->active()->id();
  while (true) {
    if (family->dropped()) return Status::ColumnFamilyDropped();
    if (shutting_down_.load(std::memory_order_acquire)) return Status::ShutdownInProgress();
    if (errors_.stops_writes()) return errors_.error();
    // Somebody else has switched the memtable that was to be flushed.
    if (family->active()->id() > first_id) return Status::Ok();
    const VersionStorage& storage = family->versions()->current()->storage();
    StallInputs inputs;
    inputs.unflushed_memtables = family->immutables().unflushed() + 1;
    inputs.level0_count = storage.level0_delay_count() + 1;
    inputs.pending_compaction_bytes = storage.pending_compaction_bytes();
    if (EvaluateStall(inputs, family->options()).condition == StallCondition::kNormal) {
      return Status::Ok();
    }
    // With nothing in the background that could help, waiting would not end.
    if (family->immutables().unflushed() == 0 &&
        (family->options().disable_auto_compactions || !family->queued_for_compaction) &&
        compactions_scheduled_ == 0) {
      return Status::Ok();
    }
    work_done_.Wait();
  }
}

Status DbImpl::FlushFamilies(const std::vector<ColumnFamily*>& given, const FlushOptions& options,
                             FlushReason reason, bool entered_queue) {
  std::vector<ColumnFamily*> families;
  for (ColumnFamily* family : given) {
    if (std::find(families.begin(), families.end(), family) == families.end()) {
      families.push_back(family);
    }
  }
  if (!options.allow_write_stall && !entered_queue) {
    MutexLock lock(&mutex_);
    for (ColumnFamily* family : families) {
      if (Status s = WaitUntilFlushWouldNotStall(family); !s.ok()) return s;
    }
  }
  // Where all families are flushed, one that is dropped meanwhile has nothing left to flush.
  const bool of_named =
      reason == FlushReason::kManualFlush || reason == FlushReason::kManualCompaction;
  Cleanup cleanup;
  Status status;
  std::vector<FlushRequest::Part> parts;
  Writer writer;
  if (!entered_queue) queue_.EnterExclusive(&writer);
  {
    MutexLock lock(&mutex_);
    const bool atomic = options_->atomic_flush || options.force_atomic_flush;
    if (atomic) {
      // A group of which one member were left out would not be atomic.
      families.clear();
      for (ColumnFamily* family : families_) {
        if (!family->active()->empty() || family->immutables().unflushed() > 0) {
          families.push_back(family);
        }
      }
    }
    if (errors_.stops_writes() && !errors_.recovering()) status = errors_.error();
    for (ColumnFamily* family : families) {
      if (!status.ok()) break;
      if (family->dropped()) {
        if (!of_named) continue;
        status = Status::ColumnFamilyDropped();
        break;
      }
      if (!family->active()->empty()) {
        status = SwitchMemtable(family, &cleanup);
        if (!status.ok()) break;
      }
      if (family->immutables().unflushed() > 0) {
        family->immutables().flush_requested = true;
        family->Ref();
        parts.push_back({family, family->immutables().newest_id()});
      }
    }
    if (status.ok() && !parts.empty()) {
      std::vector<ColumnFamily*> flushed;
      for (const FlushRequest::Part& part : parts) flushed.push_back(part.family);
      RequestFlush(flushed, reason, atomic);
      MaybeSchedule();
    }
  }
  if (!entered_queue) queue_.LeaveExclusive(&writer);
  RunCleanup(&cleanup);
  if (status.ok() && options.wait) {
    MutexLock lock(&mutex_);
    status = WaitForFlush(parts, reason == FlushReason::kErrorRecovery);
    if (status.IsColumnFamilyDropped() && !of_named) status = Status::Ok();
  }
  for (const FlushRequest::Part& part : parts) part.family->Unref();
  return status;
}

Status DbImpl::WaitForFlush(const std::vector<FlushRequest::Part>& parts, bool resuming) {
  while (true) {
    bool all_done = true;
    size_t dropped = 0;
    for (const FlushRequest::Part& part : parts) {
      if (part.family->dropped()) {
        ++dropped;
        continue;
      }
      const std::deque<ImmutableList::Entry>& entries = part.family->immutables().entries();
      all_done =
          all_done && (entries.empty() || entries.front().table->id() > part.memtable_id_max);
    }
    if (dropped > 0 && dropped == parts.size()) return Status::ColumnFamilyDropped();
    if (all_done) return Status::Ok();
    if (shutting_down_.load(std::memory_order_acquire)) return Status::ShutdownInProgress();
    if (!resuming && errors_.stops_writes()) return errors_.error();
    if (resuming && flush_failed_while_resuming_) return errors_.error();
    AwaitJobs();
  }
}

Status DbImpl::Flush(const FlushOptions& options, const std::vector<ColumnFamilyHandle*>& handles) {
  if (Status s = RejectWrite(); !s.ok()) return s;
  std::vector<ColumnFamily*> families;
  for (ColumnFamilyHandle* handle : handles) families.push_back(FamilyOf(handle));
  if (families.empty()) families.push_back(default_family_);
  for (ColumnFamily* family : families) {
    if (family->dropped()) return Status::ColumnFamilyDropped();
  }
  for (const ColumnFamily* family : families) {
    Log(LogLevel::kInfo, info_log_.get(), "[%s] Manual flush start.", family->name().c_str());
  }
  Status status = FlushFamilies(families, options, FlushReason::kManualFlush);
  for (const ColumnFamily* family : families) {
    Log(LogLevel::kInfo, info_log_.get(), "[%s] Manual flush finished, status: %s",
        family->name().c_str(), status.ToString().c_str());
  }
  return status;
}

Status DbImpl::FlushWal(bool sync) {
  if (Status s = RejectWrite(); !s.ok()) return s;
  Status status = wals_.Flush();
  if (status.ok() && sync) status = wals_.Sync();
  if (!status.ok()) {
    MutexLock lock(&mutex_);
    SetBackgroundError(status, ErrorCause::kWalWrite);
    return status;
  }
  if (sync && tracks_logs_) {
    MutexLock lock(&mutex_);
    TrackSyncedLogs();
  }
  return status;
}

Status DbImpl::SyncWal() {
  if (Status s = RejectWrite(); !s.ok()) return s;
  return FlushWal(/*sync=*/true);
}

}  // namespace skarn
