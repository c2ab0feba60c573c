// Super versions: how the state that readers use is published, and how it is let go.

#include <algorithm>

#include "core/db/db_impl.h"

namespace skarn {

namespace {

void FreeSuperVersion(SuperVersion* super_version) {
  super_version->active->Unref();
  for (MemTable* table : super_version->immutables) table->Unref();
  super_version->current->Unref();
  super_version->family->Unref();
  delete super_version;
}

}  // namespace

SuperVersion* DbImpl::AcquireSuperVersion(ColumnFamily* family) {
  EpochGuard guard;
  SuperVersion* const super_version = family->super_version();
  if (super_version != nullptr) super_version->Ref();
  return super_version;
}

// Runs inside an epoch drain of any thread, perhaps under the db mutex: takes no lock but leaves.
void DbImpl::RetiredSuperVersion(void* object) {
  auto* const super_version = static_cast<SuperVersion*>(object);
  if (!super_version->Unref()) return;
  DbImpl* const db = super_version->family->db();
  FreeSuperVersion(super_version);
  db->purge_wanted_.store(true, std::memory_order_release);
  if (db->purge_expected_.load(std::memory_order_acquire) == 0) db->RequestPurge();
}

void DbImpl::DropSuperVersion(SuperVersion* super_version, bool purge_in_background) {
  FreeSuperVersion(super_version);
  if (purge_in_background || purges_in_background_) {
    RequestPurge();
  } else {
    PurgeObsoleteFiles(/*full=*/false);
  }
}

void DbImpl::RunCleanup(Cleanup* cleanup) {
  purge_expected_.fetch_add(1, std::memory_order_acq_rel);
  if (!cleanup->super_versions.empty()) {
    for (SuperVersion* super_version : cleanup->super_versions) {
      EpochDomain::Retire(super_version, &RetiredSuperVersion);
    }
    EpochDomain::Drain();
    cleanup->super_versions.clear();
  }
  for (MemTable* table : cleanup->memtables) table->Unref();
  cleanup->memtables.clear();
  for (const std::function<void()>& call : cleanup->calls) call();
  cleanup->calls.clear();
  purge_wanted_.store(false, std::memory_order_release);
  PurgeObsoleteFiles(cleanup->full_purge, cleanup->leave_logs, cleanup->leave_tables);
  cleanup->full_purge = false;
  if (purge_expected_.fetch_sub(1, std::memory_order_acq_rel) == 1 &&
      purge_wanted_.load(std::memory_order_acquire)) {
    RequestPurge();  // A reader let go of a version after the purge above had looked.
  }
}

void DbImpl::InstallSuperVersion(ColumnFamily* family, Cleanup* cleanup) {
  SuperVersion* const old = family->InstallSuperVersion();
  if (old != nullptr) cleanup->super_versions.push_back(old);
  EvaluateStalls(family);
  QueueCompaction(family);
  // The mutable memory and thus the limit on logs may have changed.
  log_size_limit_.store(LogSizeLimit(), std::memory_order_relaxed);
}

void DbImpl::EvaluateStalls(ColumnFamily* family) {
  if (mode_ != Mode::kReadWrite) return;
  const StallVerdict before = family->stall;
  StallVerdict after;
  if (!family->dropped()) {
    const VersionStorage& storage = family->versions()->current()->storage();
    StallInputs inputs;
    inputs.unflushed_memtables = family->immutables().unflushed();
    inputs.level0_count = storage.level0_delay_count();
    inputs.pending_compaction_bytes = storage.pending_compaction_bytes();
    const ColumnFamilyOptions& options = family->options();
    after = EvaluateStall(inputs, options);

    const bool was_delayed = write_controller_.delayed() || write_controller_.stopped();
    if (after.condition == StallCondition::kDelayed) {
      WriteController::Adaptation adaptation;
      adaptation.was_delayed = was_delayed;
      adaptation.was_stopped = write_controller_.stopped();
      adaptation.auto_compactions_disabled = options.disable_auto_compactions;
      adaptation.pending_bytes = inputs.pending_compaction_bytes;
      adaptation.pending_bytes_before = family->stall_pending_bytes;
      if (after.cause == StallCause::kLevel0FileCount) {
        adaptation.near_stop = inputs.level0_count >= options.level0_stop_writes_trigger - 2;
      } else if (after.cause == StallCause::kPendingCompactionBytes) {
        const uint64_t soft = options.soft_pending_compaction_bytes_limit;
        const uint64_t hard = options.hard_pending_compaction_bytes_limit;
        adaptation.near_stop =
            hard > soft && inputs.pending_compaction_bytes - soft > (hard - soft) / 4 * 3;
      }
      write_controller_.AdaptRate(adaptation);
    } else if (after.condition == StallCondition::kNormal &&
               before.condition != StallCondition::kNormal) {
      write_controller_.RecoverRate();
    }
    family->stall_pending_bytes = inputs.pending_compaction_bytes;
  }
  if (after.condition != before.condition || after.cause != before.cause) {
    const auto cause = static_cast<size_t>(after.cause);
    if (after.condition == StallCondition::kStopped) {
      ++family->stall_stops[cause];
      Log(LogLevel::kWarn, info_log_.get(), "[%s] Stopping writes because of %s",
          family->name().c_str(), StallCauseName(after.cause));
    } else if (after.condition == StallCondition::kDelayed) {
      ++family->stall_delays[cause];
      Log(LogLevel::kWarn, info_log_.get(), "[%s] Stalling writes because of %s rate %llu",
          family->name().c_str(), StallCauseName(after.cause),
          static_cast<unsigned long long>(write_controller_.rate()));
    }
  }
  family->stall = after;
  write_controller_.Change(before.condition, after.condition);
  UpdateStallAdmission();
}

void DbImpl::UpdateStallAdmission() {
  uint32_t set = 0;
  if (write_controller_.stopped()) set |= kStopped;
  if (write_controller_.delayed()) set |= kDelayed;
  SetAdmission(set);
  ClearAdmission((kStopped | kDelayed) & ~set);
  work_done_.SignalAll();
}

void DbImpl::BuryFamily(ColumnFamily* family) {
  ColumnFamily* head = dead_families_.load(std::memory_order_relaxed);
  do {
    family->next_dead = head;
  } while (!dead_families_.compare_exchange_weak(head, family, std::memory_order_release,
                                                 std::memory_order_relaxed));
}

void DbImpl::ReapFamilies() {
  ColumnFamily* family = dead_families_.exchange(nullptr, std::memory_order_acquire);
  while (family != nullptr) {
    ColumnFamily* const next = family->next_dead;
    delete family;
    family = next;
  }
}

void DbImpl::PublishFamilyTable() {
  auto* const fresh = new FamilyTable(families_);
  const FamilyTable* const old = family_table_.exchange(fresh, std::memory_order_acq_rel);
  // The deleter takes no lock, so it may run here.
  if (old != nullptr) EpochDomain::Retire(old);
  log_size_limit_.store(LogSizeLimit(), std::memory_order_relaxed);
}

}  // namespace skarn
