// The lower end of timestamp history: versions with older timestamps may be dropped by
// compactions, and reads below it are refused.

#include <string>

#include "core/db/db_impl.h"

namespace skarn {

Status DbImpl::IncreaseFullHistoryTimestampLow(ColumnFamilyHandle* handle, Slice timestamp) {
  ColumnFamily* const family = FamilyOf(handle);
  const Comparator& comparator = *family->order().comparator();
  if (comparator.timestamp_size() == 0) {
    return Status::InvalidArgument("Timestamp is not enabled in this column family");
  }
  if (timestamp.size() != comparator.timestamp_size()) {
    return Status::InvalidArgument("ts_low size mismatch");
  }
  if (Status s = RejectWrite(); !s.ok()) return s;

  Cleanup cleanup;
  Status status;
  {
    MutexLock lock(&mutex_);
    const std::string& current = family->versions()->full_history_ts_low();
    if (!current.empty() && comparator.CompareTimestamp(timestamp, current) < 0) {
      return Status::InvalidArgument("Cannot decrease full_history_ts_low");
    }
    VersionEdit edit;
    edit.column_family = family->id();
    edit.full_history_ts_low = timestamp.ToString();
    status = versions_->LogAndApply(family->versions(), &edit, db_directory_.get());
    if (status.ok()) {
      // Two callers at once: the larger one holds, and the smaller did not happen.
      const std::string& now = family->versions()->full_history_ts_low();
      if (comparator.CompareTimestamp(timestamp, now) < 0) {
        status = Status::TryAgain(Concat("full_history_ts_low: ", Slice(now).ToHex(),
                                         " is set to be higher than the requested "
                                         "timestamp: ",
                                         timestamp.ToHex()));
      }
      InstallSuperVersion(family, &cleanup);
    }
  }
  RunCleanup(&cleanup);
  return status;
}

Result<std::string> DbImpl::GetFullHistoryTimestampLow(ColumnFamilyHandle* handle) {
  ColumnFamily* const family = FamilyOf(handle);
  if (family->timestamp_size() == 0) {
    return Status::InvalidArgument("Timestamp is not enabled in this column family");
  }
  MutexLock lock(&mutex_);
  return family->versions()->full_history_ts_low();
}

}  // namespace skarn
