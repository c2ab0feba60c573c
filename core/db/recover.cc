// Recovery: replays the logs that the MANIFEST says are needed.

#include <algorithm>
#include <utility>

#include "core/batch/batch_format.h"
#include "core/cache/write_buffer_manager.h"
#include "core/db/db_opener.h"
#include "core/db/event_log.h"
#include "core/version/file_names.h"

namespace skarn {

namespace {

RecoveryMode ModeOf(const DbOptions& options) {
  return static_cast<RecoveryMode>(options.wal_recovery_mode);
}

// Remembers the first damage, unless the mode says that damage does not stop anything.
class DamageReporter : public LogReader::Reporter {
 public:
  DamageReporter(Logger* log, std::string path, bool keeps_status)
      : log_(log), path_(std::move(path)), keeps_status_(keeps_status) {}

  void Corruption(size_t bytes, const Status& status, uint64_t log_number) override {
    Log(LogLevel::kWarn, log_, "%s%s: dropping %zu bytes; %s",
        keeps_status_ ? "" : "(ignoring error) ", path_.c_str(), bytes, status.ToString().c_str());
    if (keeps_status_ && status_.ok()) {
      status_ = status;
      damaged_log_ = log_number;
    }
  }
  void OldRecord(size_t bytes) override {
    Log(LogLevel::kWarn, log_, "%s: dropping %zu bytes; possibly recycled", path_.c_str(), bytes);
    old_record_ = true;
  }

  const Status& status() const { return status_; }
  uint64_t damaged_log() const { return damaged_log_; }
  bool old_record() const { return old_record_; }

 private:
  Logger* const log_;
  const std::string path_;
  const bool keeps_status_;
  Status status_;
  uint64_t damaged_log_ = 0;
  bool old_record_ = false;
};

// What CheckBatch() checks, and whether there are markers of prepared transactions.
Status ScanBatch(Slice bytes, bool* has_markers) {
  *has_markers = false;
  BatchReader reader(bytes);
  BatchEntry entry;
  uint32_t found = 0;
  bool plain = true;
  while (reader.Next(&entry)) {
    found += entry.counted;
    if (SKARN_UNLIKELY(!entry.counted)) {
      *has_markers =
          *has_markers || (entry.kind != BatchTag::kLogData && entry.kind != BatchTag::kNoop);
    } else if (SKARN_UNLIKELY(entry.kind == BatchTag::kTimedPut)) {
      plain = false;
    }
  }
  plain = plain && reader.status().ok() && found == BatchCount(bytes);
  return SKARN_LIKELY(plain) ? Status::Ok() : CheckBatch(bytes);
}

std::string BatchOf(SequenceNumber sequence, uint32_t count, Slice body) {
  std::string bytes;
  PutFixed64(&bytes, sequence);
  PutFixed32(&bytes, count);
  bytes.append(body.data(), body.size());
  return bytes;
}

}  // namespace

Status DbOpener::ListWals(std::vector<WalFile>* wals) const {
  std::vector<std::string> names = listed_;
  const std::string& directory = db_->wal_directory_;
  Status status = names.empty() ? db_->fs_->GetChildren(directory, &names) : Status::Ok();
  if (status.IsPathNotFound() || status.IsNotFound()) return Status::Ok();
  if (!status.ok()) return status;
  for (const std::string& name : names) {
    ParsedFileName parsed;
    if (!ParseFileName(name, &parsed) || parsed.kind != FileKind::kWal || parsed.archived) continue;
    wals->push_back({parsed.number, WalFileName(directory, parsed.number)});
  }
  std::sort(wals->begin(), wals->end(),
            [](const WalFile& a, const WalFile& b) { return a.number < b.number; });
  return Status::Ok();
}

Status DbOpener::ReplayWals() {
  VersionSet* const versions = db_->versions_.get();
  const bool writable = request_.mode == Db::Mode::kReadWrite;
  std::vector<WalFile> found;
  if (Status s = ListWals(&found); !s.ok()) return s;
  if (!found.empty()) newest_wal_ = found.back().number;

  if (options_->track_and_verify_wals && !created_ && found.empty() && writable) {
    return Status::Corruption("Opening an existing DB with no WAL files");
  }
  if (writable && options_->track_and_verify_wals_in_manifest) {
    std::map<uint64_t, std::string> on_disk;
    for (const WalFile& wal : found) on_disk[wal.number] = wal.path;
    if (Status s = versions->CheckTrackedWals(on_disk); !s.ok()) return s;
  } else if (writable && !versions->tracked_wals().empty()) {
    log_edit_.wal_deletion = versions->tracked_wals().rbegin()->first + 1;
  }

  uint64_t min_wal = versions->min_log_number_to_keep();
  if (!options_->allow_2pc) {
    min_wal = std::max(min_wal, versions->MinLogNumberWithUnflushedData());
  }
  for (WalFile& wal : found) {
    if (wal.number >= min_wal) wals_.push_back(std::move(wal));
  }
  if (request_.mode == Db::Mode::kReadOnly && request_.error_if_wal_exists &&
      !request_.single_column_family) {
    for (const WalFile& wal : wals_) {
      const Result<uint64_t> size = db_->fs_->FileSize(wal.path);
      if (size.ok() && *size == 0) continue;
      return Status::Corruption(
          "The db was opened in readonly mode with error_if_wal_file_exists flag but a non-empty "
          "WAL file already exists");
    }
  }
  predecessor_.min_log_number = min_wal;
  if (skip_wals_) wals_.clear();
  if (!wals_.empty()) {
    std::vector<uint64_t> numbers;
    for (const WalFile& wal : wals_) numbers.push_back(wal.number);
    db_->LogEvent(EventLine(db_->env_->clock->NowMicros())
                      .Add("job", RecoveryJob())
                      .Add("event", "recovery_started")
                      .AddList("wal_files", numbers)
                      .Take());
  }
  for (const WalFile& wal : wals_) {
    if (Status s = ReplayWal(wal); !s.ok()) return s;
  }
  if (next_sequence_ != kUnset && next_sequence_ > 0) {
    const SequenceNumber last = next_sequence_ - 1;
    if (last > versions->last_sequence()) versions->set_last_sequence(last);
  }
  if (Status s = CheckStoppedReplay(); !s.ok()) return s;
  if (writable) {
    if (Status s = SettleFamilies(); !s.ok()) return s;
  }
  if (!wals_.empty()) {
    db_->LogEvent(EventLine(db_->env_->clock->NowMicros())
                      .Add("job", RecoveryJob())
                      .Add("event", "recovery_finished")
                      .Add("status", "OK")
                      .Take());
  }
  return Status::Ok();
}

int DbOpener::RecoveryJob() {
  if (recovery_job_ == 0) recovery_job_ = db_->NextJobId();
  return recovery_job_;
}

Status DbOpener::ReplayWal(const WalFile& wal) {
  VersionSet* const versions = db_->versions_.get();
  versions->MarkFileNumberUsed(wal.number);
  const RecoveryMode mode = ModeOf(*options_);
  FileSystem* const fs = db_->fs_;
  Logger* const log = db_->info_log_.get();
  Log(LogLevel::kInfo, log, "Recovering log #%llu mode %d",
      static_cast<unsigned long long>(wal.number), static_cast<int>(mode));

  const bool keeps_status = options_->paranoid_checks && mode != RecoveryMode::kSkipAnyCorrupted;
  DamageReporter reporter(log, wal.path, keeps_status);
  Status status;
  Result<std::unique_ptr<SequentialFile>> file = fs->NewSequentialFile(wal.path, FileOptions());
  if (!file.ok()) {
    status = file.status();
    if (!options_->paranoid_checks) return Status::Ok();
    return status;
  }
  LogReader reader(std::move(*file), &reporter, wal.number);
  if (options_->track_and_verify_wals && mode != RecoveryMode::kSkipAnyCorrupted && !stop_replay_) {
    LogReader::Predecessor expected = predecessor_;
    expected.path = wal.path;
    reader.CheckPredecessor(std::move(expected));
  }
  SequenceNumber last_batch = 0;
  bool first_record = true;
  uint64_t end_before = 0;
  size_t stamped_before = 0;
  Slice record;
  std::string scratch;
  while (reader.ReadRecord(&record, &scratch, mode)) {
    if (!reporter.status().ok()) break;
    // A run of zeroes is skipped without a report. When numbers are missing as well, it was not
    // space reserved ahead: after a power cut the end of a log may have holes.
    static constexpr uint64_t kTrailerMax = 16;
    const bool skipped = !first_record && reader.last_record_offset() > end_before + kTrailerMax &&
                         reader.timestamp_sizes().size() == stamped_before;
    end_before = reader.last_record_end();
    stamped_before = reader.timestamp_sizes().size();
    if (record.size() < kBatchHeaderSize) {
      reporter.Corruption(record.size(), Status::Corruption("log record too small"), wal.number);
      if (!reporter.status().ok()) break;
      continue;
    }
    const SequenceNumber sequence = BatchSequence(record);
    if (sequence > kMaxSequenceNumber) {
      reporter.Corruption(record.size(),
                          Status::Corruption(Concat("sequence ", sequence, " is too large")),
                          wal.number);
      if (!reporter.status().ok()) break;
      continue;
    }
    if (mode == RecoveryMode::kPointInTime) {
      if (sequence == next_sequence_ || sequence == logged_end_) {
        stop_replay_ = false;
        recycled_end_ = 0;
      }
      if (stop_replay_) {
        // Not the end of a recycled log after all: something is missing there.
        if (recycled_end_ != 0) damaged_wal_ = std::exchange(recycled_end_, 0);
        break;
      }
    }
    if (first_record && record.size() == kBatchHeaderSize && next_sequence_ != kUnset &&
        sequence > std::max(next_sequence_, logged_end_) &&
        (mode == RecoveryMode::kPointInTime || mode == RecoveryMode::kAbsoluteConsistency)) {
      // The log says where it begins, and what was read so far ends before that.
      reporter.Corruption(
          record.size(),
          Status::Corruption(Concat("log begins at sequence ", sequence,
                                    ", the logs before it end at ", next_sequence_)),
          predecessor_.log_number);
      if (!reporter.status().ok()) break;
    }
    first_record = false;
    if (skipped && mode == RecoveryMode::kPointInTime && next_sequence_ != kUnset &&
        sequence > std::max(next_sequence_, logged_end_)) {
      reporter.Corruption(
          record.size(),
          Status::Corruption(Concat("records are missing before sequence ", sequence)), wal.number);
      if (!reporter.status().ok()) break;
    }
    last_batch = sequence;
    status = ApplyRecord(record, wal.number, &reader);
    if (!status.ok()) {
      // Bytes that a checksum vouched for and that are no batch are an error in every mode.
      if (status.IsCorruption() || status.IsNotSupported()) return status;
      // What genuine releases log although it cannot be applied (swapped range ends, merges
      // without operator) is damage that the mode decides about.
      reporter.Corruption(record.size(), status, wal.number);
      if (!reporter.status().ok()) break;
    }
  }
  predecessor_.seen = true;
  predecessor_.log_number = wal.number;
  predecessor_.last_sequence = last_batch;
  const Result<uint64_t> size = fs->FileSize(wal.path);
  predecessor_.size_bytes = size.ok() ? *size : 0;
  replayed_bytes_ += predecessor_.size_bytes;

  status = reporter.status();
  if (status.ok() && !(mode == RecoveryMode::kPointInTime && reporter.old_record())) {
    return Status::Ok();
  }
  if (status.IsNotSupported()) return status;
  if (mode == RecoveryMode::kSkipAnyCorrupted) return Status::Ok();
  if (mode != RecoveryMode::kPointInTime || status.IsIoError()) return status;
  stop_replay_ = true;
  met_damage_ = met_damage_ || !status.ok();
  if (reader.recycled() && damaged_wal_ == 0) {
    // Where the valid records of such a log end, older ones follow, perhaps cut in the middle.
    recycled_end_ = wal.number;
  } else {
    recycled_end_ = 0;
    damaged_wal_ = reporter.damaged_log() != 0 ? reporter.damaged_log() : wal.number;
  }
  Log(LogLevel::kInfo, log, "Point in time recovered to log #%llu seq #%llu: %s",
      static_cast<unsigned long long>(wal.number), static_cast<unsigned long long>(next_sequence_),
      status.ToString().c_str());
  return Status::Ok();
}

Status DbOpener::AdaptTimestamps(Slice bytes, const std::map<uint32_t, size_t>& recorded,
                                 std::string* rebuilt) const {
  const FamilyTable& table = *db_->family_table_.load(std::memory_order_relaxed);
  if (recorded.empty() && !table.has_timestamps()) return Status::Ok();
  BatchReader reader(bytes);
  BatchEntry entry;
  bool changed = false;
  std::string result(bytes.data(), kBatchHeaderSize);
  size_t begin = reader.offset();
  while (reader.Next(&entry)) {
    const size_t end = reader.offset();
    const ColumnFamily* const family = entry.counted ? table.Find(entry.family) : nullptr;
    size_t now = 0, then = 0;
    if (family != nullptr) {
      now = family->timestamp_size();
      const auto found = recorded.find(entry.family);
      if (found != recorded.end())
        then = found->second;
      else if (family->always_had_timestamps())
        then = now;  // A release wrote the log that tells no sizes.
    }
    if (now == then) {
      result.append(bytes.data() + begin, end - begin);
    } else if (now != 0 && then != 0) {
      return Status::InvalidArgument(
          "User-defined timestamp size recorded in the log differs from that of column family",
          family->name());
    } else {
      changed = true;
      const auto adapt = [&](Slice key) {
        std::string adapted = key.ToString();
        if (then > 0) {
          adapted.resize(adapted.size() - std::min(adapted.size(), then));
        } else {
          adapted.append(now, '\0');
        }
        return adapted;
      };
      // Tag and family stay; the key follows them.
      const char* const key_length = entry.key.data() - VarintSize(entry.key.size());
      result.append(bytes.data() + begin, static_cast<size_t>(key_length - (bytes.data() + begin)));
      PutLengthPrefixed(&result, adapt(entry.key));
      if (entry.kind == BatchTag::kDeleteRange) {
        PutLengthPrefixed(&result, adapt(entry.value));
      } else if (entry.kind != BatchTag::kDelete && entry.kind != BatchTag::kSingleDelete) {
        PutLengthPrefixed(&result, entry.value);
      }
    }
    begin = end;
  }
  if (changed) *rebuilt = std::move(result);
  return reader.status();
}

Status DbOpener::ApplyRecord(Slice record, uint64_t log_number, LogReader* reader) {
  std::string rebuilt;
  bool has_markers = false;
  if (Status s = ScanBatch(record, &has_markers); !s.ok()) return s;
  if (Status s = AdaptTimestamps(record, reader->timestamp_sizes(), &rebuilt); !s.ok()) return s;
  if (!rebuilt.empty()) record = rebuilt;

  const SequenceNumber first = BatchSequence(record);
  InsertContext context;
  context.families = db_->family_table_.load(std::memory_order_relaxed);
  context.sequence = first;
  context.recovering = true;
  context.recovery_log_number = log_number;
  // A record that is there twice begins below the number that comes next.
  context.only_new = first >= inserted_end_;
  Status status;
  if (SKARN_UNLIKELY(has_markers)) {
    status = ApplyTwoPhase(record, &context);
  } else {
    status = InsertBatch(record, &context);
  }
  inserted_end_ = std::max(inserted_end_, context.sequence);
  if (!status.ok()) return status;
  replayed_any_ = true;
  logged_end_ = first + BatchCount(record);
  if (next_sequence_ != kUnset && context.sequence < next_sequence_) {
    // A batch without entries, which begins a log, may name the number before empty ranges.
    if (BatchCount(record) == 0) return Status::Ok();
    return Status::Corruption(
        Concat("Sequence number is being set backwards during recovery, this is likely a software "
               "bug or a data corruption. Prev next seqno: ",
               next_sequence_, " , current next seqno: ", context.sequence));
  }
  next_sequence_ = context.sequence;
  if ((context.notices & MemTable::kFull) != 0 && request_.mode == Db::Mode::kReadWrite)
    return FlushFullMemtables();
  if (db_->write_buffers_ != nullptr && options_->enforce_write_buffer_manager_during_recovery &&
      request_.mode == Db::Mode::kReadWrite && db_->write_buffers_->ShouldFlush()) {
    for (ColumnFamily* family : context.families->families()) {
      if (family->active()->empty()) continue;
      if (Status s = FlushFamily(family); !s.ok()) return s;
    }
  }
  return Status::Ok();
}

Status DbOpener::ApplyTwoPhase(Slice bytes, InsertContext* context) {
  if (!options_->allow_2pc) {
    BatchReader scan(bytes);
    BatchEntry entry;
    while (scan.Next(&entry)) {
      if (entry.kind == BatchTag::kBeginPrepare || entry.kind == BatchTag::kBeginPersistedPrepare ||
          entry.kind == BatchTag::kBeginUnprepare) {
        return Status::NotSupported(
            "WAL contains prepared transactions. Open with TransactionDB::Open().");
      }
    }
    // Commits and rollbacks of what was prepared in logs that are gone mean nothing.
    return InsertBatch(bytes, context);
  }
  BatchReader reader(bytes);
  BatchEntry entry;
  size_t plain_begin = reader.offset(), prepare_begin = 0;
  uint32_t plain_count = 0, prepare_count = 0;
  bool preparing = false;
  const auto apply_plain = [&](size_t end) -> Status {
    if (plain_count == 0) return Status::Ok();
    const std::string part = BatchOf(context->sequence, plain_count,
                                     Slice(bytes.data() + plain_begin, end - plain_begin));
    return InsertBatch(part, context);
  };
  size_t before = reader.offset();
  while (reader.Next(&entry)) {
    const size_t after = reader.offset();
    switch (entry.kind) {
      case BatchTag::kBeginPrepare:
        if (Status s = apply_plain(before); !s.ok()) return s;
        preparing = true;
        prepare_begin = after;
        prepare_count = 0;
        break;
      case BatchTag::kBeginPersistedPrepare:
      case BatchTag::kBeginUnprepare:
        return Status::NotSupported(
            "WritePrepared/WriteUnprepared txn tag when write_after_commit_ is enabled (in default "
            "WriteCommitted mode). If it is not due to corruption, the WAL must be emptied before "
            "changing the WritePolicy.");
      case BatchTag::kEndPrepare: {
        if (!preparing) return Status::Corruption("bad EndPrepare XID");
        RecoveredTransaction transaction;
        transaction.xid = entry.key.ToString();
        transaction.body.assign(bytes.data() + prepare_begin, before - prepare_begin);
        transaction.entry_count = prepare_count;
        transaction.log_number = context->recovery_log_number;
        transaction.sequence = BatchSequence(bytes);
        ForgetTransaction(transaction.xid);
        db_->TrackPrepare(transaction.log_number);
        db_->recovered_transactions_[transaction.xid] = std::move(transaction);
        preparing = false;
        plain_begin = after;
        plain_count = 0;
        break;
      }
      case BatchTag::kCommit:
      case BatchTag::kCommitWithTimestamp: {
        if (Status s = apply_plain(before); !s.ok()) return s;
        plain_begin = after;
        plain_count = 0;
        const Slice xid = entry.kind == BatchTag::kCommit ? entry.key : entry.value;
        const auto found = db_->recovered_transactions_.find(xid.ToString());
        if (found == db_->recovered_transactions_.end()) break;
        const RecoveredTransaction& transaction = found->second;
        std::string part = BatchOf(context->sequence, transaction.entry_count, transaction.body);
        if (entry.kind == BatchTag::kCommitWithTimestamp) StampKeys(&part, entry.key);
        context->log_reference = transaction.log_number;
        Status status = InsertBatch(part, context);
        context->log_reference = 0;
        if (!status.ok()) return status;
        ForgetTransaction(xid.ToString());
        break;
      }
      case BatchTag::kRollback:
        if (Status s = apply_plain(before); !s.ok()) return s;
        plain_begin = after;
        plain_count = 0;
        ForgetTransaction(entry.key.ToString());
        break;
      default:
        if (entry.counted) ++(preparing ? prepare_count : plain_count);
        break;
    }
    before = after;
  }
  if (!reader.status().ok()) return reader.status();
  return apply_plain(bytes.size());
}

void DbOpener::ForgetTransaction(const std::string& xid) {
  const auto found = db_->recovered_transactions_.find(xid);
  if (found == db_->recovered_transactions_.end()) return;
  db_->ForgetPrepare(found->second.log_number);
  db_->recovered_transactions_.erase(found);
}

void DbOpener::StampKeys(std::string* bytes, Slice timestamp) const {
  const FamilyTable& table = *db_->family_table_.load(std::memory_order_relaxed);
  BatchReader reader(*bytes);
  BatchEntry entry;
  while (reader.Next(&entry)) {
    if (!entry.counted) continue;
    const ColumnFamily* const family = table.Find(entry.family);
    if (family == nullptr || family->timestamp_size() != timestamp.size()) continue;
    const auto stamp = [&](Slice key) {
      if (key.size() < timestamp.size()) return;
      const size_t at = static_cast<size_t>(key.end() - bytes->data()) - timestamp.size();
      bytes->replace(at, timestamp.size(), timestamp.data(), timestamp.size());
    };
    stamp(entry.key);
    if (entry.kind == BatchTag::kDeleteRange) stamp(entry.value);
  }
}

Status DbOpener::FlushFamily(ColumnFamily* family) {
  MutexLock lock(&db_->mutex_);
  MemTable* const table = family->active();
  const std::shared_ptr<const ColumnFamilyOptions> options = family->versions()->options();
  JobContext context = db_->NewJobContext(family, RecoveryJob(), IoPriority::kUser);
  context.snapshots.clear();
  const uint64_t epoch = family->versions()->NewEpochNumber();
  const CompressionType compression =
      CompressionOfLevel(*options, /*level=*/0, /*base_level=*/1, /*bottommost=*/false);
  table->MarkImmutable();
  lock.Unlock();
  const uint64_t start_us = db_->env_->clock->NowMicros();
  FlushResult result;
  Status status = RunFlushJob(context, *options, {table}, compression, epoch,
                              TableCreationReason::kRecovery, &result);
  if (status.ok()) db_->LogFlushedTable(family->name(), RecoveryJob(), start_us, result);
  lock.Lock();
  if (!status.ok()) return status;
  if (result.has_file) edits_[family->id()].AddFile(0, result.output.file);
  flushed_[family->id()] = true;
  family->ReplaceActive(
      family->NewMemTable(*options, next_sequence_ == kUnset ? 0 : next_sequence_));
  family->wants_switch.store(false, std::memory_order_relaxed);
  return Status::Ok();
}

Status DbOpener::FlushFullMemtables() {
  for (ColumnFamily* family : db_->family_table_.load(std::memory_order_relaxed)->families()) {
    if (!family->wants_switch.load(std::memory_order_relaxed)) continue;
    if (Status s = FlushFamily(family); !s.ok()) return s;
  }
  return Status::Ok();
}

Status DbOpener::CheckStoppedReplay() const {
  const RecoveryMode mode = ModeOf(*options_);
  if (!stop_replay_ || damaged_wal_ == 0 ||
      (mode != RecoveryMode::kPointInTime && mode != RecoveryMode::kTolerateCorruptedTail)) {
    return Status::Ok();
  }
  for (const ColumnFamilyVersions* family : db_->versions_->families()) {
    if (family->log_number() > damaged_wal_ &&
        family->current()->storage().EstimatedLiveBytes() > 0) {
      return Status::Corruption(
          Concat("Column family inconsistency: SST file contains data beyond the point of "
                 "corruption in CF ",
                 family->name(),
                 ". WAL recovery stopped at corruption point, but SST files contain newer data."));
    }
  }
  return Status::Ok();
}

Status DbOpener::SettleFamilies() {
  VersionSet* const versions = db_->versions_.get();
  if (newest_wal_ == 0 && !replayed_any_) return Status::Ok();
  const uint64_t next_log = newest_wal_ + 1;
  versions->MarkFileNumberUsed(next_log);
  bool all_settled = true;
  for (ColumnFamily* family : db_->family_table_.load(std::memory_order_relaxed)->families()) {
    if (family->versions()->log_number() > newest_wal_) continue;
    const bool empty = family->active()->empty();
    if (!empty && (flushed_[family->id()] || !options_->avoid_flush_during_recovery)) {
      if (Status s = FlushFamily(family); !s.ok()) return s;
    }
    if (family->active()->empty()) {
      edits_[family->id()].log_number = next_log;
    } else {
      all_settled = false;
    }
  }
  kept_in_memory_ = !all_settled;
  if (!options_->allow_2pc && (all_settled || !wals_.empty())) {
    // Logs before the first that was needed may still be there, if the families they were kept for
    // have been dropped since.
    const uint64_t first_log = all_settled ? next_log : wals_.front().number;
    log_edit_.min_log_number_to_keep = first_log;
    if (options_->track_and_verify_wals_in_manifest) log_edit_.wal_deletion = first_log;
  }
  return Status::Ok();
}

}  // namespace skarn
