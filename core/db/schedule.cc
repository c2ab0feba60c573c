// What runs in the background, and how much of it at a time.

#include <algorithm>

#include "core/db/db_impl.h"

namespace skarn {

BackgroundLimits DbImpl::Limits() const {
  return ComputeBackgroundLimits(*options_, CompactionPressure());
}

bool DbImpl::CompactionPressure() const {
  if (write_controller_.stopped() || write_controller_.delayed()) return true;
  for (const ColumnFamily* family : families_) {
    const ColumnFamilyOptions& options = family->options();
    const VersionStorage& storage = family->versions()->current()->storage();
    const int trigger = options.level0_file_num_compaction_trigger;
    const int slowdown = options.level0_slowdown_writes_trigger;
    if (trigger > 0) {
      const int64_t soon = int64_t{trigger} + (int64_t{slowdown} - trigger) / 4;
      const int64_t level0_limit = std::min<int64_t>(int64_t{2} * trigger, soon);
      if (storage.level0_delay_count() >= level0_limit) return true;
    }
    const uint64_t soft = options.soft_pending_compaction_bytes_limit;
    if (soft == 0) return true;
    uint64_t bytes_limit = soft / 4;
    const uint64_t bottom = storage.level_bytes(storage.num_levels() - 1);
    if (bottom > 0) bytes_limit = std::min(bytes_limit, bottom / 8);
    if (storage.pending_compaction_bytes() >= bytes_limit) return true;
    if (storage.marked_for_compaction().size() >= 2) return true;
  }
  return false;
}

std::list<uint64_t>::iterator DbImpl::ProtectNewFiles() {
  return protected_from_.insert(protected_from_.end(), versions_->next_file_number());
}

void DbImpl::UnprotectNewFiles(std::list<uint64_t>::iterator place) {
  protected_from_.erase(place);
}

void DbImpl::Schedule(ThreadPool::Priority priority, void (DbImpl::*job)()) {
  ++background_jobs_;
  env_->thread_pool->Schedule(priority, this, [this, job] { (this->*job)(); });
}

void DbImpl::JobEnded() {
  --background_jobs_;
  work_done_.SignalAll();
}

void DbImpl::AwaitJobs() {
  constexpr uint64_t kAskAgainMicros = 1000000;
  if (work_done_.WaitFor(kAskAgainMicros)) return;
  // Where the system had no thread for a job, nothing else would begin it.
  for (const ThreadPool::Priority priority :
       {ThreadPool::Priority::kHigh, ThreadPool::Priority::kLow, ThreadPool::Priority::kBottom}) {
    if (env_->thread_pool->QueueLength(priority) == 0) continue;
    env_->thread_pool->RaiseThreads(priority, 1);
  }
}

void DbImpl::QueueCompaction(ColumnFamily* family) {
  if (mode_ != Mode::kReadWrite || family->queued_for_compaction || family->dropped()) return;
  if (family->options().disable_auto_compactions) return;
  if (!family->picker()->NeedsCompaction(*family->versions()->current())) return;
  family->queued_for_compaction = true;
  family->Ref();
  compaction_queue_.push_back(family);
}

void DbImpl::Rescore(ColumnFamily* family) {
  const uint64_t now_s = env_->clock->NowSeconds();
  VersionStorage* const storage = family->versions()->current()->mutable_storage();
  storage->set_offpeak_ahead_s(SecondsOfOffpeakAhead(*options_, now_s));
  storage->ComputeScores(family->options(), now_s);
}

void DbImpl::Tick() {
  MaybeDumpStatistics();
  MutexLock lock(&mutex_);
  if (!open_ || mode_ != Mode::kReadWrite || shutting_down_.load(std::memory_order_acquire)) return;
  const uint64_t period_us = options_->max_compaction_trigger_wakeup_seconds * 1000000;
  const uint64_t now_us = env_->clock->NowMicros();
  if (period_us == 0 || now_us < std::max(last_wakeup_us_, opened_us_) + period_us) return;
  last_wakeup_us_ = now_us;
  for (ColumnFamily* family : families_) {
    Rescore(family);
    QueueCompaction(family);
  }
  MaybeSchedule();
}

void DbImpl::MaybeSchedule() {
  if (!open_ || mode_ != Mode::kReadWrite) return;
  if (shutting_down_.load(std::memory_order_acquire) || pause_count_ > 0) return;
  if (errors_.stops_writes() && !errors_.recovering()) return;
  const BackgroundLimits limits = Limits();
  ThreadPool* const pool = env_->thread_pool;

  int runnable = 0;
  for (const FlushRequest& request : flush_queue_) {
    bool busy = false;
    for (const FlushRequest::Part& part : request.parts) {
      busy = busy || part.family->immutables().flush_running();
    }
    if (!busy) ++runnable;
  }
  while (flushes_scheduled_ - flushes_running_ < runnable && flushes_scheduled_ < limits.flushes) {
    pool->RaiseThreads(ThreadPool::Priority::kHigh, std::max(limits.flushes, 1));
    ++flushes_scheduled_;
    Schedule(ThreadPool::Priority::kHigh, &DbImpl::BackgroundFlush);
  }
  if (errors_.stops_compactions() || exclusive_manual_ > 0) return;
  const int waiting = static_cast<int>(compaction_queue_.size());
  while (compactions_scheduled_ - compactions_running_ < waiting &&
         compactions_scheduled_ < limits.compactions) {
    pool->RaiseThreads(ThreadPool::Priority::kLow, std::max(limits.compactions, 1));
    ++compactions_scheduled_;
    Schedule(ThreadPool::Priority::kLow, &DbImpl::BackgroundCompaction);
  }
}

Status DbImpl::EnableAutoCompaction(const std::vector<ColumnFamilyHandle*>& handles) {
  Status status;
  for (ColumnFamilyHandle* handle : handles) {
    Status one = SetOptions(handle, {{"disable_auto_compactions", "false"}});
    if (!one.ok()) status = std::move(one);
  }
  return status;
}

Status DbImpl::PauseBackgroundWork() {
  MutexLock lock(&mutex_);
  ++pause_count_;
  while (flushes_scheduled_ > 0 || compactions_scheduled_ > 0 || manual_running_ > 0) {
    work_done_.Wait();
  }
  return Status::Ok();
}

Status DbImpl::ContinueBackgroundWork() {
  MutexLock lock(&mutex_);
  if (pause_count_ == 0) return Status::InvalidArgument("");
  if (--pause_count_ == 0) {
    MaybeSchedule();
    work_done_.SignalAll();
  }
  return Status::Ok();
}

Status DbImpl::WaitForCompact(const WaitForCompactOptions& options) {
  if (options.flush) {
    std::vector<ColumnFamily*> families;
    {
      MutexLock lock(&mutex_);
      for (ColumnFamily* family : families_) {
        if (family->active()->empty() && family->immutables().unflushed() == 0) continue;
        family->Ref();
        families.push_back(family);
      }
    }
    FlushOptions flush;
    flush.allow_write_stall = true;
    Status status;
    if (!families.empty()) {
      status = FlushFamilies(families, flush, FlushReason::kOthers);
      for (ColumnFamily* family : families) family->Unref();
      if (!status.ok()) return status;
    }
  }
  const uint64_t deadline_us =
      options.timeout_us == 0 ? UINT64_MAX : env_->clock->NowMicros() + options.timeout_us;
  Status status;
  {
    MutexLock lock(&mutex_);
    while (true) {
      if (shutting_down_.load(std::memory_order_acquire)) {
        return Status::ShutdownInProgress();
      }
      if (pause_count_ > 0 && options.abort_on_pause) return Status::Aborted();
      if (!errors_.ok()) {
        status = errors_.error();
        break;
      }
      const bool busy =
          flushes_scheduled_ > 0 || compactions_scheduled_ > 0 || manual_running_ > 0 ||
          !flush_queue_.empty() || !compaction_queue_.empty() ||
          (options.wait_for_purge && purge_requested_.load(std::memory_order_acquire) != kNoPurge);
      if (!busy) break;
      const uint64_t now_us = env_->clock->NowMicros();
      if (now_us >= deadline_us) return Status::TimedOut();
      if (deadline_us == UINT64_MAX) {
        AwaitJobs();
      } else {
        (void)work_done_.WaitFor(std::min<uint64_t>(deadline_us - now_us, 1000000));
      }
    }
  }
  if (status.ok() && options.close_db) return Shutdown(/*check_snapshots=*/true);
  return status;
}

}  // namespace skarn
