// Background errors: what is recorded, and how writes get going again.

#include <algorithm>

#include "core/base/helper_thread.h"
#include "core/db/db_impl.h"

namespace skarn {

void DbImpl::SetBackgroundError(const Status& error, ErrorCause cause) {
  if (error.ok() || error.IsShutdownInProgress()) return;
  const Status::Severity severity = errors_.Set(error, cause);
  if (errors_.recovering()) flush_failed_while_resuming_ = true;
  Log(LogLevel::kError, info_log_.get(), "Background error (%s, severity %d): %s",
      ErrorCauseName(cause), static_cast<int>(severity), error.ToString().c_str());
  if (errors_.stops_writes()) SetAdmission(kFailed);
  if (!errors_.ok() && (errors_.waits_for_space() || errors_.waits_for_retry())) {
    ScheduleAutoResume();
  }
  work_done_.SignalAll();
}

void DbImpl::ScheduleAutoResume() {
  if (auto_resume_scheduled_ || options_->max_bgerror_resume_count <= 0 ||
      shutting_down_.load(std::memory_order_acquire)) {
    return;
  }
  // A thread of its own: it may wait for long, and for flushes, which need the pool's. Counted
  // like a job, so that Close() waits for it.
  HelperThread thread;
  if (!thread.Start([this] { AutoResume(); })) return;  // Then somebody must call Resume().
  thread.Detach();                                      // It waits for the mutex that is held here.
  auto_resume_scheduled_ = true;
  ++background_jobs_;
}

void DbImpl::AutoResume() {
  MutexLock lock(&mutex_);
  const int64_t tries = options_->max_bgerror_resume_count;
  const uint64_t interval_us = std::max<uint64_t>(options_->bgerror_resume_retry_interval, 1000);
  for (int64_t i = 0; i < tries; ++i) {
    const uint64_t until_us = env_->clock->NowMicros() + interval_us;
    while (!shutting_down_.load(std::memory_order_acquire)) {
      const uint64_t now_us = env_->clock->NowMicros();
      if (now_us >= until_us) break;
      (void)work_done_.WaitFor(std::min<uint64_t>(until_us - now_us, 100000));
    }
    if (shutting_down_.load(std::memory_order_acquire)) break;
    if (!errors_.waits_for_space() && !errors_.waits_for_retry()) break;
    if (errors_.waits_for_space()) {
      // Room for at least what is waiting in memory.
      uint64_t needed = 0;
      for (const ColumnFamily* family : families_) {
        needed += family->active()->memory_bytes() + family->immutables().unflushed_bytes();
      }
      mutex_.Unlock();
      const Result<uint64_t> free_bytes = fs_->FreeSpace(path_);
      mutex_.Lock();
      if (free_bytes.ok() && *free_bytes < needed) continue;
    }
    if (errors_.recovering()) continue;
    if (ResumeLocked().ok()) break;
  }
  auto_resume_scheduled_ = false;
  JobEnded();
}

Status DbImpl::Resume() {
  if (Status s = RejectWrite(); !s.ok()) return s;
  MutexLock lock(&mutex_);
  return ResumeLocked();
}

Status DbImpl::ResumeLocked() {
  // A flush that began before may still fail of what has passed since, and is none of this attempt.
  const auto is_flushing = [](const ColumnFamily* family) {
    return family->immutables().flush_running();
  };
  while (!errors_.ok() && !errors_.recovering() &&
         !shutting_down_.load(std::memory_order_acquire) &&
         std::any_of(families_.begin(), families_.end(), is_flushing)) {
    work_done_.Wait();
  }
  if (errors_.ok()) return Status::Ok();
  if (errors_.recovering()) return Status::Busy("Recovery in progress");
  if (errors_.severity() >= Status::Severity::kFatal) return errors_.error();
  if (errors_.severity() == Status::Severity::kHard) {
    errors_.set_recovering(true);
    flush_failed_while_resuming_ = false;
    Log(LogLevel::kInfo, info_log_.get(), "Resuming: flushing all column families");
    std::vector<ColumnFamily*> families = families_;
    for (ColumnFamily* family : families) {
      family->Ref();
      // Flushes that failed wait again.
      if (family->immutables().unflushed() > 0) family->immutables().flush_requested = true;
    }
    // The bytes of a log whose write failed are never trusted again: what is in memtables
    // goes to files, and writes go on in a new log.
    mutex_.Unlock();
    Status status = SwitchLog();
    if (status.ok()) {
      FlushOptions flush;
      flush.allow_write_stall = true;
      // All or nothing: a log in doubt cannot bring the rest back after a crash in between.
      flush.force_atomic_flush = true;
      status = FlushFamilies(families, flush, FlushReason::kErrorRecovery);
    }
    mutex_.Lock();
    if (status.ok()) {
      // The log in doubt is not needed any more, and must not be read again: where it breaks off,
      // recovery would stop, before what is written from now on. When a flush said so already, this
      // says it once more; after a failure of the MANIFEST, a new one tells which state is true.
      VersionEdit edit;
      edit.min_log_number_to_keep = MinLogToKeep({});
      if (options_->track_and_verify_wals_in_manifest) {
        edit.wal_deletion = *edit.min_log_number_to_keep;
      }
      status = versions_->LogAndApply(default_family_->versions(), &edit, db_directory_.get());
      manifest_uncertain_ = !status.ok();
      if (!status.ok()) SetBackgroundError(status, ErrorCause::kManifestWrite);
    }
    for (ColumnFamily* family : families) family->Unref();
    errors_.set_recovering(false);
    if (!status.ok()) {
      work_done_.SignalAll();
      return errors_.severity() >= Status::Severity::kFatal ? errors_.error() : status;
    }
    if (errors_.severity() >= Status::Severity::kFatal) return errors_.error();
  }
  errors_.Clear();
  ClearAdmission(kFailed);
  Log(LogLevel::kInfo, info_log_.get(), "Resumed: background error cleared");
  for (ColumnFamily* family : families_) QueueCompaction(family);
  MaybeSchedule();
  work_done_.SignalAll();
  return Status::Ok();
}

// Leaves the current log for a new one even when it is empty or no memtable is switched.
Status DbImpl::SwitchLog() {
  Writer writer;
  queue_.EnterExclusive(&writer);
  Status status;
  uint64_t preallocation = 0;
  {
    MutexLock lock(&mutex_);
    preallocation = PreallocationBytes(default_family_->options());
  }
  const uint64_t number = versions_->NewFileNumber();
  status = wals_.Switch(number, preallocation, next_logged_, /*after_failure=*/true);
  queue_.LeaveExclusive(&writer);
  if (!status.ok()) {
    MutexLock lock(&mutex_);
    SetBackgroundError(status, ErrorCause::kWalWrite);
  }
  return status;
}

}  // namespace skarn
