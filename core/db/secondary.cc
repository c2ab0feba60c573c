#include "core/db/secondary.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/batch/batch_format.h"
#include "core/db/db_impl.h"
#include "core/version/file_names.h"
#include "core/wal/log_reader.h"

namespace skarn {

namespace {

// A log that is still being written may end anywhere; real damage stops its reading.
class TailReporter : public LogReader::Reporter {
 public:
  void Corruption(size_t bytes, const Status& status, uint64_t log_number) override {
    (void)bytes, (void)log_number;
    if (status_.ok()) status_ = status;
  }
  Status Take() { return std::exchange(status_, Status::Ok()); }

 private:
  Status status_;
};

}  // namespace

struct SecondaryReplay::OpenLogs {
  struct Log {
    std::unique_ptr<TailReporter> reporter;
    std::unique_ptr<LogReader> reader;
    std::string scratch;  // May hold the first part of a record whose rest is still to come.
  };
  std::map<uint64_t, Log> logs;
};

SecondaryReplay::SecondaryReplay(DbImpl* db) : db_(db), logs_(std::make_unique<OpenLogs>()) {}

SecondaryReplay::~SecondaryReplay() = default;

Status SecondaryReplay::Start() {
  MutexLock catching_up(&mutex_);
  newest_ = db_->versions_->last_sequence();
  Status status = ReplayLogs();
  db_->versions_->set_last_sequence(newest_);
  return status;
}

Status SecondaryReplay::CatchUp() {
  MutexLock catching_up(&mutex_);
  DbImpl::Cleanup cleanup;
  Status status;
  {
    MutexLock lock(&db_->mutex_);
    std::vector<ColumnFamilyVersions*> changed;
    status = db_->versions_->CatchUp(&changed);
    newest_ = std::max(newest_, db_->versions_->last_sequence());
  }
  if (status.ok()) status = ReplayLogs();
  {
    MutexLock lock(&db_->mutex_);
    for (ColumnFamily* family : db_->families_) {
      DropFlushed(family, &cleanup.memtables);
      db_->InstallSuperVersion(family, &cleanup);
    }
    db_->versions_->set_last_sequence(newest_);
  }
  // After the super versions: what the number shows must be in them.
  db_->Publish(std::max(newest_, db_->visible()));
  db_->RunCleanup(&cleanup);
  return status;
}

void SecondaryReplay::DropFlushed(ColumnFamily* family, std::vector<MemTable*>* dropped) {
  const uint64_t log_number = family->versions()->log_number();
  ImmutableList& immutables = family->immutables();
  uint64_t flushed_id = 0;
  for (const ImmutableList::Entry& entry : immutables.entries()) {
    if (entry.next_log_number > log_number) break;
    flushed_id = entry.table->id();
  }
  if (flushed_id > 0) {
    (void)immutables.PickForFlush(flushed_id);
    immutables.CommitFlush(/*history_bytes_max=*/0, dropped);
  }
  const auto log = active_log_.find(family->id());
  if (log != active_log_.end() && log->second < log_number && !family->active()->empty()) {
    family->ReplaceActive(family->NewMemTable(family->options(), newest_));
    active_log_.erase(log);
  }
}

Status SecondaryReplay::ReplayLogs() {
  uint64_t first_needed = 0;
  {
    MutexLock lock(&db_->mutex_);
    first_needed = db_->versions_->MinLogNumberWithUnflushedData();
  }
  std::vector<std::string> names;
  Status status = db_->fs_->GetChildren(db_->wal_directory_, &names);
  if (!status.ok()) return status;
  std::vector<uint64_t> numbers;
  for (const std::string& name : names) {
    ParsedFileName parsed;
    if (!ParseFileName(name, &parsed) || parsed.kind != FileKind::kWal || parsed.archived) continue;
    if (parsed.number >= first_needed) numbers.push_back(parsed.number);
  }
  std::sort(numbers.begin(), numbers.end());
  // Logs before the first needed one are done with.
  logs_->logs.erase(logs_->logs.begin(), logs_->logs.lower_bound(first_needed));

  for (const uint64_t number : numbers) {
    OpenLogs::Log& log = logs_->logs[number];
    if (log.reader == nullptr) {
      Result<std::unique_ptr<SequentialFile>> file =
          db_->fs_->NewSequentialFile(WalFileName(db_->wal_directory_, number), FileOptions());
      if (!file.ok()) {
        logs_->logs.erase(number);
        if (file.status().IsPathNotFound()) continue;  // The primary is done with it.
        return file.status();
      }
      log.reporter = std::make_unique<TailReporter>();
      log.reader = std::make_unique<LogReader>(std::move(*file), log.reporter.get(), number);
      log.reader->set_following();
    } else {
      log.reader->ContinueAfterEnd();
    }
    Slice record;
    while (log.reader->ReadRecord(&record, &log.scratch, RecoveryMode::kTolerateCorruptedTail)) {
      if (Status s = log.reporter->Take(); !s.ok()) return s;
      if (record.size() < kBatchHeaderSize) continue;
      if (Status s = Apply(record, number); !s.ok()) return s;
    }
    if (Status s = log.reporter->Take(); !s.ok()) return s;
  }
  return Status::Ok();
}

Status SecondaryReplay::Apply(Slice record, uint64_t log_number) {
  if (Status s = CheckBatch(record); !s.ok()) return s;
  const FamilyTable& table = *db_->family_table_.load(std::memory_order_acquire);
  {
    // A memtable holds data of one log, so that it can go when that log is flushed.
    MutexLock lock(&db_->mutex_);
    BatchReader reader(record);
    BatchEntry entry;
    uint32_t last = UINT32_MAX;
    while (reader.Next(&entry)) {
      if (!entry.counted || entry.family == last) continue;
      last = entry.family;
      ColumnFamily* const family = table.Find(entry.family);
      if (family == nullptr) continue;
      const auto begun = active_log_.find(entry.family);
      if (begun != active_log_.end() && begun->second != log_number && !family->active()->empty()) {
        MemTable* const fresh = family->NewMemTable(family->options(), newest_);
        family->SwitchActive(fresh, /*next_log_number=*/begun->second + 1);
      }
      active_log_[entry.family] = log_number;
    }
  }
  InsertContext context;
  context.families = &table;
  context.sequence = BatchSequence(record);
  context.recovering = true;
  context.recovery_log_number = log_number;
  Status status = InsertBatch(record, &context);
  if (!status.ok()) return status;
  if (context.sequence > 0) newest_ = std::max(newest_, context.sequence - 1);
  return Status::Ok();
}

Status DbImpl::TryCatchUpWithPrimary() {
  if (mode_ != Mode::kSecondary || secondary_ == nullptr) {
    return Status::NotSupported("Supported only by secondary instance");
  }
  return secondary_->CatchUp();
}

}  // namespace skarn
