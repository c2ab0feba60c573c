// Options of an open database: showing them, changing them, and the OPTIONS file that
// every change leaves behind.
//
// An options object that anyone can see is never changed: a change makes a new one.

#include <algorithm>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/db/db_impl.h"
#include "core/options/option_rules.h"
#include "core/options/option_string.h"
#include "core/options/options_file.h"
#include "core/version/file_names.h"

namespace skarn {
namespace {

// OPTIONS files that stay when a new one is written.
constexpr size_t kOptionsFilesKept = 2;

std::string Describe(const std::unordered_map<std::string, std::string>& changes) {
  std::string text;
  for (const auto& [name, value] : changes) text.append(Concat(name, ": ", value, "\n"));
  return text;
}

}  // namespace

std::shared_ptr<const DbOptions> DbImpl::db_options() const {
  MutexLock lock(&mutex_);
  return options_;
}

DbOptions DbImpl::GetDbOptions() const { return *db_options(); }

ColumnFamilyOptions DbImpl::GetColumnFamilyOptions(ColumnFamilyHandle* family) const {
  MutexLock lock(&mutex_);
  return FamilyOf(family)->options();
}

Status DbImpl::SetOptions(ColumnFamilyHandle* handle,
                          const std::unordered_map<std::string, std::string>& changes) {
  if (changes.empty()) return Status::InvalidArgument("empty input");
  if (Status s = RejectWrite(); !s.ok()) return s;
  ColumnFamily* const family = FamilyOf(handle);
  Cleanup cleanup;
  Status status;
  {
    MutexLock lock(&mutex_);
    Result<ColumnFamilyOptions> changed =
        ApplyColumnFamilyOptions(*options_, family->options(), changes);
    status = changed.ok() ? Validate(*options_, *changed) : changed.status();
    if (status.ok()) status = CheckWritable(*changed);
    if (status.ok()) {
      GiveBlockCache(&*changed, &default_cache_);
      auto options = std::make_shared<const ColumnFamilyOptions>(std::move(*changed));
      family->limits_merges.store(options->max_successive_merges > 0, std::memory_order_relaxed);
      family->versions()->SetOptions(std::move(options));  // Rescores the levels too.
      InstallSuperVersion(family, &cleanup);
      QueueCompaction(family);
      MaybeSchedule();
      status = WriteOptionsFile();
    }
  }
  RunCleanup(&cleanup);
  LogChanges(family->name(), GetColumnFamilyOptions(handle), changes, status);
  return status;
}

Status DbImpl::SetDbOptions(const std::unordered_map<std::string, std::string>& changes) {
  if (changes.empty()) return Status::InvalidArgument("empty input");
  if (Status s = RejectWrite(); !s.ok()) return s;
  Status status;
  {
    MutexLock lock(&mutex_);
    Result<DbOptions> changed = ApplyDbOptions(*options_, changes);
    status = changed.ok() ? Validate(*changed) : changed.status();
    if (status.ok()) {
      auto options = std::make_shared<const DbOptions>(std::move(*changed));
      options_ = options;
      versions_->SetDbOptions(options);
      open_tables_.SetMax(options->max_open_files);
      write_controller_.set_rate_max(options->delayed_write_rate);
      log_size_limit_.store(LogSizeLimit(), std::memory_order_relaxed);
      const BackgroundLimits limits = Limits();
      env_->thread_pool->RaiseThreads(ThreadPool::Priority::kHigh, limits.flushes);
      env_->thread_pool->RaiseThreads(ThreadPool::Priority::kLow, limits.compactions);
      MaybeSchedule();
      status = WriteOptionsFile();
    }
  }
  Log(LogLevel::kInfo, info_log_.get(), "SetDBOptions(), inputs: %s [%s]",
      Describe(changes).c_str(), status.ToString().c_str());
  return status;
}

Status DbImpl::WriteOptionsFile(bool opening, uint64_t previous_number) {
  // One at a time, and the newest state last.
  while (writing_options_) work_done_.Wait();
  writing_options_ = true;
  const std::shared_ptr<const DbOptions> db = options_;
  std::vector<NamedColumnFamilyOptions> families;
  for (const ColumnFamily* family : families_) {
    families.push_back({family->name(), family->options()});
  }
  // The numbers that genuine files have: the temporary file takes one, the final the next.
  (void)versions_->NewFileNumber();
  const uint64_t number = versions_->NewFileNumber();
  mutex_.Unlock();
  Status status = skarn::WriteOptionsFile(fs_, path_, number, *db, families,
                                          /*sync_directory=*/!opening, previous_number);
  if (status.ok() && !opening) {
    std::vector<std::string> names;
    std::vector<uint64_t> numbers;
    if (fs_->GetChildren(path_, &names).ok()) {
      for (const std::string& name : names) {
        ParsedFileName parsed;
        if (ParseFileName(name, &parsed) && parsed.kind == FileKind::kOptions) {
          numbers.push_back(parsed.number);
        }
      }
    }
    std::sort(numbers.begin(), numbers.end());
    for (size_t i = 0; i + kOptionsFilesKept < numbers.size(); ++i) {
      (void)fs_->DeleteFile(OptionsFileName(path_, numbers[i])).ok();  // The purge tries again.
    }
  }
  mutex_.Lock();
  if (status.ok()) options_file_number_ = number;
  writing_options_ = false;
  work_done_.SignalAll();
  if (status.ok()) return status;
  return Status::IoError(Concat("Unable to persist options.: ", status.ToString()));
}

}  // namespace skarn
