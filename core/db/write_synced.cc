// Writes that are synced beside others.

#include "core/db/db_impl.h"
#include "core/db/write_group.h"
#include "core/metrics/statistics.h"

namespace skarn {

void DbImpl::CountSync(uint64_t micros) {
  if (statistics_ == nullptr) return;
  if (statistics_->WantsTimers()) {
    statistics_->Record(HistogramKind::kWalFileSyncMicros, micros);
  }
  statistics_->Add(Ticker::kWalSynced, 1);
}

void DbImpl::CompleteGroup(LoggedGroup* group) {
  for (;;) {
    const LoggedGroups::Work work = logged_groups_.Next(group);
    switch (work.kind) {
      case LoggedGroups::Work::Kind::kNothing:
        return;
      case LoggedGroups::Work::Kind::kSync: {
        const uint64_t start_ns = env_->clock->NowNanos();
        Status s = wals_.SyncBeside(work.handle);
        const uint64_t micros = (env_->clock->NowNanos() - start_ns) / 1000;
        if (s.ok()) {
          CountSync(micros);
        } else {
          // Before anybody is told of it.
          MutexLock lock(&mutex_);
          SetBackgroundError(s, ErrorCause::kWalWrite);
        }
        logged_groups_.EndSync(work, s, micros);
        break;
      }
      case LoggedGroups::Work::Kind::kCommit:
        CommitLogged(work);
        break;
    }
  }
}

void DbImpl::CommitLogged(const LoggedGroups::Work& work) {
  Status status = work.failure;
  for (LoggedGroup* group = work.first;; group = group->newer) {
    if (status.ok()) {
      status = InsertGroup(group->leader, group->last, /*parallel=*/false);
      if (status.ok()) {
        Publish(group->last_sequence);
      } else {
        MutexLock lock(&mutex_);
        SetBackgroundError(status, ErrorCause::kMemtableInsert);
      }
    }
    TellGroup(group->leader, group->last, status);
    if (group == work.last) break;
  }
  logged_groups_.EndCommit(work, status, &queue_);
}

void DbImpl::AwaitLoggedGroups() {
  logged_groups_.AwaitNone();
  ClearAdmission(kLoggedGroups);
}

void DbImpl::EnterExclusive(Writer* writer) {
  queue_.EnterExclusive(writer);
  if ((admission_.load(std::memory_order_acquire) & kLoggedGroups) != 0) AwaitLoggedGroups();
}

}  // namespace skarn
