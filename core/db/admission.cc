// What a commit leader must do before it may write, when something is not as usual.

#include <algorithm>

#include "core/cache/write_buffer_manager.h"
#include "core/db/db_impl.h"
#include "core/metrics/perf_context.h"
#include "core/metrics/statistics.h"

namespace skarn {

Status DbImpl::RejectWrite() const {
  if (SKARN_LIKELY((admission_.load(std::memory_order_relaxed) & (kNotWritable | kClosing)) == 0)) {
    return Status::Ok();
  }
  switch (mode_) {
    case Mode::kReadOnly:
      return Status::NotSupported(compacted_mode_ ? "Not supported in compacted db mode."
                                                  : "Not supported operation in read only mode.");
    case Mode::kSecondary:
      return Status::NotSupported("Not supported operation in secondary mode.");
    case Mode::kReadWrite:
      break;
  }
  return Status::ShutdownInProgress();
}

Status DbImpl::Admit(Writer* leader) {
  if (Status s = RejectWrite(); !s.ok()) return s;
  Cleanup cleanup;
  Status status;
  {
    MutexLock lock(&mutex_);
    if (errors_.stops_writes()) return errors_.error();
    const uint32_t bits = admission_.load(std::memory_order_acquire);
    if ((bits & kLogsTooLarge) != 0) {
      ClearAdmission(kLogsTooLarge);
      status = FlushForLogSize(&cleanup);
    }
    if (status.ok() && (bits & kSharedBuffer) != 0 && write_buffers_->ShouldFlush()) {
      status = FlushForSharedBuffer(&cleanup);
    }
    if ((bits & kPace) != 0) {
      ClearAdmission(kPace);
      if (status.ok()) PaceWrite(*leader);
    }
    if (status.ok() && (bits & kSwitchMemtable) != 0) {
      ClearAdmission(kSwitchMemtable);
      status = SwitchFullMemtables(&cleanup);
    }
    // The switch may have been one too many: look again.
    if (status.ok() && (write_controller_.stopped() || write_controller_.delayed())) {
      status = DelayWrite(leader);
    }
    if (status.ok() && errors_.stops_writes()) status = errors_.error();
  }
  if (!cleanup.super_versions.empty()) {
    // On another thread: giving back a memtable and deleting a log take milliseconds each.
    for (SuperVersion* super_version : cleanup.super_versions) {
      EpochDomain::Retire(super_version, &RetiredSuperVersion);
    }
    RequestPurge();
  }
  if (!status.ok()) return status;

  if (write_buffers_ != nullptr && write_buffers_->ShouldStall()) {
    if (leader->no_slowdown) return Status::Incomplete("Write stall");
    queue_.RefuseNoSlowdown(leader, Status::Incomplete("Write stall"));
    write_buffers_->WaitForRoom(
        [](void* state) {
          return !static_cast<DbImpl*>(state)->shutting_down_.load(std::memory_order_acquire);
        },
        this);
    queue_.AllowSlowdown();
    if (shutting_down_.load(std::memory_order_acquire)) {
      return Status::ShutdownInProgress("stalled writes");
    }
  }
  return Status::Ok();
}

Status DbImpl::DelayWrite(Writer* leader) {
  static constexpr uint64_t kSleepUs = 1000;
  Clock* const clock = env_->clock;
  const uint64_t start_us = clock->NowMicros();
  bool waited = false;
  Status status;

  uint64_t delay_us = write_controller_.DelayFor(last_group_bytes_, start_us);
  if (delay_us > 0) {
    if (leader->no_slowdown) return Status::Incomplete("Write stall");
    waited = true;
    queue_.RefuseNoSlowdown(leader, Status::Incomplete("Write stall"));
    // In short naps, so that the end of the delay is noticed.
    while (delay_us > 0 && write_controller_.delayed() && !write_controller_.stopped() &&
           !errors_.stops_writes() && !shutting_down_.load(std::memory_order_acquire)) {
      const uint64_t nap_us = std::min(delay_us, kSleepUs);
      mutex_.Unlock();
      clock->SleepMicros(nap_us);
      mutex_.Lock();
      delay_us -= nap_us;
    }
  }
  while (write_controller_.stopped() && !errors_.stops_writes() &&
         !shutting_down_.load(std::memory_order_acquire)) {
    if (leader->no_slowdown) {
      status = Status::Incomplete("Write stall");
      break;
    }
    waited = true;
    queue_.RefuseNoSlowdown(leader, Status::Incomplete("Write stall"));
    AwaitJobs();
  }
  if (waited) {
    queue_.AllowSlowdown();
    const uint64_t waited_us = clock->NowMicros() - start_us;
    stall_micros_ += waited_us;
    if (statistics_ != nullptr) {
      statistics_->Add(Ticker::kStallMicros, waited_us);
      statistics_->Record(HistogramKind::kDbWriteStall, waited_us);
    }
  }
  if (status.ok() && shutting_down_.load(std::memory_order_acquire) &&
      write_controller_.stopped()) {
    return Status::ShutdownInProgress("stalled writes");
  }
  return status;
}

bool DbImpl::IsAheadOfFlush() const {
  for (const ColumnFamily* family : families_) {
    const ImmutableList& list = family->immutables();
    const int most = family->options().max_write_buffer_number;
    if (!list.flush_running() || static_cast<int>(list.unflushed()) + 1 < most) continue;
    // From three quarters when the flush begins to nearly all when only its sync is left.
    const uint32_t may_be = 768 + family->flush_progress.load(std::memory_order_relaxed) * 15 / 64;
    if (family->active()->fullness() > may_be) return true;
  }
  return false;
}

void DbImpl::PaceWrite(const Writer& leader) {
  // The last quarter of a memtable whose switch would stop all writes is filled as fast as the
  // flush before it goes on: some stops of up to 80 ms instead of one of several hundred. This
  // comes by four times, since every stop is one more slow write. Writers with no_slowdown that are
  // behind this one wait: nothing has stopped writes yet.
  static constexpr uint64_t kNapUs = 500;
  static constexpr uint64_t kNapsMaxUs = 80000;
  if (leader.no_slowdown) return;
  uint64_t napped_us = 0;  // Which is longer than asked for where processors are busy.
  const uint64_t start_us = env_->clock->NowMicros();
  while (napped_us < kNapsMaxUs && !errors_.stops_writes() &&
         !shutting_down_.load(std::memory_order_acquire) && IsAheadOfFlush()) {
    mutex_.Unlock();
    env_->clock->SleepMicros(kNapUs);
    mutex_.Lock();
    napped_us = std::max(napped_us + kNapUs, env_->clock->NowMicros() - start_us);
  }
  if (napped_us == 0) return;
  stall_micros_ += napped_us;
  if (statistics_ != nullptr) statistics_->Add(Ticker::kStallMicros, napped_us);
}

Status DbImpl::SwitchFullMemtables(Cleanup* cleanup) {
  std::vector<ColumnFamily*> full;
  for (ColumnFamily* family : families_) {
    if (family->wants_switch.load(std::memory_order_relaxed)) full.push_back(family);
  }
  if (full.empty()) return Status::Ok();
  if (options_->atomic_flush) {
    full.clear();
    for (ColumnFamily* family : families_) {
      if (!family->active()->empty() || family->immutables().unflushed() > 0)
        full.push_back(family);
    }
  }
  Status status;
  for (ColumnFamily* family : full) {
    if (family->active()->empty()) {
      family->wants_switch.store(false, std::memory_order_relaxed);
      continue;
    }
    status = SwitchMemtable(family, cleanup);
    if (!status.ok()) break;
  }
  if (status.ok()) RequestFlush(full, FlushReason::kWriteBufferFull, options_->atomic_flush);
  MaybeSchedule();
  return status;
}

uint64_t DbImpl::LogSizeLimit() const {
  // With one family the log never outlives its memtables.
  if (families_.size() <= 1) return UINT64_MAX;
  if (options_->max_total_wal_size > 0) return options_->max_total_wal_size;
  uint64_t memory = 0;
  for (const ColumnFamily* family : families_) {
    const ColumnFamilyOptions& options = family->options();
    memory += options.write_buffer_size *
              static_cast<uint64_t>(std::max(options.max_write_buffer_number, 1));
  }
  return 4 * memory;
}

Status DbImpl::FlushForLogSize(Cleanup* cleanup) {
  const uint64_t oldest = wals_.oldest_number();
  if (wals_.total_bytes() <= LogSizeLimit()) return Status::Ok();
  if (options_->allow_2pc) {
    // A log that an unfinished transaction needs does not go away by flushing.
    const uint64_t prepared = OldestPrepareLog();
    if (prepared != 0 && prepared <= oldest && oldest == log_flush_tried_) return Status::Ok();
  }
  log_flush_tried_ = oldest;
  std::vector<ColumnFamily*> chosen;
  for (ColumnFamily* family : families_) {
    const bool has_data = !family->active()->empty() || family->immutables().unflushed() > 0;
    if (!has_data) continue;
    if (options_->atomic_flush || family->versions()->log_number() <= oldest) {
      chosen.push_back(family);
    }
  }
  Log(LogLevel::kInfo, info_log_.get(),
      "Flushing %zu column families that need the oldest log %llu: logs have %llu bytes",
      chosen.size(), static_cast<unsigned long long>(oldest),
      static_cast<unsigned long long>(wals_.total_bytes()));
  Status status;
  for (ColumnFamily* family : chosen) {
    if (family->active()->empty()) continue;
    status = SwitchMemtable(family, cleanup);
    if (!status.ok()) return status;
  }
  for (ColumnFamily* family : chosen) family->immutables().flush_requested = true;
  RequestFlush(chosen, FlushReason::kWalFull, options_->atomic_flush);
  MaybeSchedule();
  return status;
}

Status DbImpl::FlushForSharedBuffer(Cleanup* cleanup) {
  std::vector<ColumnFamily*> chosen;
  if (options_->atomic_flush) {
    for (ColumnFamily* family : families_) {
      if (!family->active()->empty()) chosen.push_back(family);
    }
  } else {
    // The oldest data first: that frees logs too.
    ColumnFamily* oldest = nullptr;
    for (ColumnFamily* family : families_) {
      if (family->active()->empty()) continue;
      // One whose flush is already coming gives its memory back anyway.
      if (family->immutables().flush_running()) continue;
      if (oldest == nullptr ||
          family->active()->earliest_sequence() < oldest->active()->earliest_sequence()) {
        oldest = family;
      }
    }
    if (oldest != nullptr) chosen.push_back(oldest);
  }
  Status status;
  for (ColumnFamily* family : chosen) {
    status = SwitchMemtable(family, cleanup);
    if (!status.ok()) return status;
    family->immutables().flush_requested = true;
  }
  if (!chosen.empty()) {
    RequestFlush(chosen, FlushReason::kWriteBufferManager, options_->atomic_flush);
    MaybeSchedule();
  }
  return status;
}

Status DbImpl::ThrottleLowPriority(const Writer& writer) {
  bool pressure = false;
  uint64_t rate = 0;
  {
    MutexLock lock(&mutex_);
    pressure = CompactionPressure();
    rate = std::max<uint64_t>(write_controller_.rate() / 4, 1);
  }
  if (!pressure) return Status::Ok();
  if (writer.no_slowdown) return Status::Incomplete("Low priority write stall");
  // A quarter of the delayed rate, at most a second for one write.
  const uint64_t wait_us =
      std::min<uint64_t>(writer.size_bytes * 1000000 / rate, uint64_t{1000000});
  if (wait_us > 0) env_->clock->SleepMicros(wait_us);
  return Status::Ok();
}

}  // namespace skarn
