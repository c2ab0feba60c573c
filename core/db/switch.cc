// Memtable and log switches, and which logs are still needed.

#include <algorithm>

#include "core/cache/write_buffer_manager.h"
#include "core/db/db_impl.h"

namespace skarn {

uint64_t DbImpl::PreallocationBytes(const ColumnFamilyOptions& options) const {
  uint64_t bytes = options.write_buffer_size + options.write_buffer_size / 10;
  if (options_->max_total_wal_size > 0) bytes = std::min(bytes, options_->max_total_wal_size);
  if (options_->db_write_buffer_size > 0) {
    bytes = std::min<uint64_t>(bytes, options_->db_write_buffer_size);
  }
  if (write_buffers_ != nullptr && write_buffers_->enabled()) {
    bytes = std::min<uint64_t>(bytes, write_buffers_->buffer_size());
  }
  return bytes;
}

Status DbImpl::SwitchMemtable(ColumnFamily* family, Cleanup* cleanup) {
  const bool new_log = !wals_.empty();
  const uint64_t log_number = new_log ? versions_->NewFileNumber() : wals_.current_number();
  const std::shared_ptr<const ColumnFamilyOptions> options = family->versions()->options();
  const uint64_t preallocation = PreallocationBytes(*options);

  // The caller leads the commit queue, so nobody writes or switches meanwhile.
  mutex_.Unlock();
  Status status;
  if (new_log) status = wals_.Switch(log_number, preallocation, next_logged_);
  MemTable* const table = status.ok() ? family->NewMemTable(*options, visible()) : nullptr;
  mutex_.Lock();
  if (!status.ok()) {
    SetBackgroundError(status, ErrorCause::kWalWrite);
    return status;
  }
  if (new_log) {
    // Families without any data need nothing of the older logs.
    for (ColumnFamily* other : families_) {
      if (other != family && other->active()->empty() && other->immutables().unflushed() == 0 &&
          other->versions()->log_number() < log_number) {
        other->versions()->set_log_number(log_number);
      }
    }
  }
  Log(LogLevel::kInfo, info_log_.get(),
      "[%s] New memtable created with log file: #%llu. Immutable memtables: %zu.",
      family->name().c_str(), static_cast<unsigned long long>(log_number),
      family->immutables().unflushed());
  family->SwitchActive(table, log_number);
  InstallSuperVersion(family, cleanup);
  return Status::Ok();
}

uint64_t DbImpl::OldestPrepareLog() {
  // Prepared and not finished.
  uint64_t oldest = 0;
  const auto consider = [&oldest](uint64_t number) {
    if (number != 0 && (oldest == 0 || number < oldest)) oldest = number;
  };
  {
    MutexLock lock(&prepared_mutex_);
    if (!prepared_logs_.empty()) consider(prepared_logs_.begin()->first);
  }
  // Finished, but in memtables only.
  for (ColumnFamily* family : families_) {
    consider(family->immutables().OldestPrepareLog(/*without_running=*/true));
    consider(family->active_prepare_log.load(std::memory_order_relaxed));
  }
  return oldest;
}

uint64_t DbImpl::MinLogToKeep(const std::vector<FamilyEdits>& flushed) {
  // Read before looking at memtables: whatever went to older logs is in them by now.
  const uint64_t current = wals_.current_number();
  uint64_t oldest = current;
  for (ColumnFamily* family : families_) {
    uint64_t number = 0;
    for (const FamilyEdits& edits : flushed) {
      if (edits.family != family->versions()) continue;
      for (const VersionEdit* edit : edits.edits) {
        if (edit->log_number.has_value()) number = *edit->log_number;
      }
    }
    if (number == 0) {
      const bool empty = family->active()->empty() && family->immutables().unflushed() == 0;
      number = empty ? current : family->versions()->log_number();
    }
    oldest = std::min(oldest, number);
  }
  if (options_->allow_2pc) {
    const uint64_t prepared = OldestPrepareLog();
    if (prepared != 0) oldest = std::min(oldest, prepared);
  }
  return std::max(oldest, versions_->min_log_number_to_keep());
}

void DbImpl::TrackPrepare(uint64_t log_number) {
  MutexLock lock(&prepared_mutex_);
  ++prepared_logs_[log_number];
}

void DbImpl::ForgetPrepare(uint64_t log_number) {
  MutexLock lock(&prepared_mutex_);
  const auto found = prepared_logs_.find(log_number);
  if (found != prepared_logs_.end() && --found->second == 0) prepared_logs_.erase(found);
}

}  // namespace skarn
