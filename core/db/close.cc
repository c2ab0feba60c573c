// Closing: the end of background work, the last flushes, the release of everything.

#include "core/db/db_impl.h"
#include "core/db/periodic_work.h"
#include "core/db/secondary.h"
#include "core/iterate/db_iterator.h"

namespace skarn {

DbImpl::~DbImpl() {
  default_handle_.reset();
  open_handles_->DetachAll();
  (void)Shutdown(/*check_snapshots=*/false).ok();
  secondary_.reset();
  EpochDomain::Synchronize();
  {
    MutexLock lock(&mutex_);
    for (ColumnFamily* family : families_) {
      if (family->UnrefUser()) family->Unref();
    }
    families_.clear();
    ReapFamilies();
    versions_.reset();
  }
  // Open tables that went with the last versions hold files of the environment and objects of
  // the caller: both may be gone once the database is.
  EpochDomain::Synchronize();
}

// Snapshots that are left go with the object.
Status DbImpl::Close() { return Shutdown(/*check_snapshots=*/false); }

void DbImpl::CancelAllBackgroundWork(bool wait) {
  bool flush = false;
  {
    MutexLock lock(&mutex_);
    flush = open_ && !shutting_down_.load(std::memory_order_acquire) && NeedsShutdownFlush();
  }
  if (flush) {
    FlushOptions options;
    options.allow_write_stall = true;
    std::vector<ColumnFamily*> families;
    {
      MutexLock lock(&mutex_);
      for (ColumnFamily* family : families_) {
        family->Ref();
        families.push_back(family);
      }
    }
    (void)FlushFamilies(families, options, FlushReason::kShutDown).ok();
    for (ColumnFamily* family : families) family->Unref();
  }
  MutexLock lock(&mutex_);
  shutting_down_.store(true, std::memory_order_release);
  work_done_.SignalAll();
  if (!wait) return;
  while (background_jobs_ > 0 || manual_waiting_ > 0) AwaitJobs();
}

bool DbImpl::NeedsShutdownFlush() const {
  if (mode_ != Mode::kReadWrite || options_->avoid_flush_during_shutdown) return false;
  if (!unlogged_writes_.load(std::memory_order_relaxed) || errors_.stops_writes()) return false;
  for (const ColumnFamily* family : families_) {
    if (!family->active()->empty() || family->immutables().unflushed() > 0) return true;
  }
  return false;
}

Status DbImpl::Shutdown(bool check_snapshots) {
  {
    MutexLock lock(&mutex_);
    if (closed_) return Status::Ok();
    if (check_snapshots && snapshots_.count() > 0) {
      return Status::Aborted("Cannot close DB with unreleased snapshot.");
    }
    closed_ = true;
  }
  PeriodicWork::Remove(this);
  if (open_) Log(LogLevel::kInfo, info_log_.get(), "Shutdown: canceling all background work");
  CancelAllBackgroundWork(/*wait=*/true);
  SetAdmission(kClosing);

  // Nobody writes any more: what waits in the queue has seen the bit.
  Cleanup cleanup;
  {
    MutexLock lock(&mutex_);
    for (FlushRequest& request : flush_queue_) {
      for (FlushRequest::Part& part : request.parts) part.family->Unref();
    }
    flush_queue_.clear();
    for (ColumnFamily* family : compaction_queue_) family->Unref();
    compaction_queue_.clear();
    for (ColumnFamily* family : families_) {
      if (SuperVersion* const old = family->RemoveSuperVersion(); old != nullptr) {
        cleanup.super_versions.push_back(old);
      }
    }
  }
  const bool was_open = open_;
  RunCleanup(&cleanup);
  const FamilyTable* const table = family_table_.exchange(nullptr, std::memory_order_acq_rel);
  // Every version must be gone before the set of them goes.
  EpochDomain::Synchronize();
  delete table;
  {
    MutexLock lock(&mutex_);
    while (purge_requested_.load(std::memory_order_acquire) != kNoPurge) AwaitJobs();
  }
  if (was_open) PurgeObsoleteFiles(/*full=*/false);

  Status status = wals_.Close();
  if (was_open && mode_ == Mode::kReadWrite) {
    MutexLock lock(&mutex_);
    Status closed = versions_->Close(db_directory_.get());
    if (status.ok()) status = closed;
  }
  {
    MutexLock lock(&mutex_);
    open_ = false;
  }
  if (file_lock_ != nullptr) (void)fs_->UnlockFile(std::move(file_lock_)).ok();
  if (was_open) {
    Log(LogLevel::kInfo, info_log_.get(), "Shutdown complete");
    if (info_log_ != nullptr) info_log_->Flush();
  }
  return status;
}

}  // namespace skarn
