// GetUpdatesSince: the batches in the logs, from a sequence number on.
//
// Batches are whole log records, which may be several writes that were committed as one
// group. What was written with the log disabled is not there: that is a gap.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/batch/batch_format.h"
#include "core/db/db_impl.h"
#include "core/metrics/statistics.h"
#include "core/version/file_names.h"
#include "core/wal/log_reader.h"

namespace skarn {
namespace {

struct LogFile {
  uint64_t number = 0;
  std::string path;
  SequenceNumber first_sequence = 0;
};

// Opens a log where it is, or where it was archived meanwhile.
Result<std::unique_ptr<SequentialFile>> OpenLog(FileSystem* fs, const LogFile& log) {
  auto file = fs->NewSequentialFile(log.path, FileOptions());
  if (file.ok() || !file.status().IsPathNotFound()) return file;
  const std::string directory = log.path.substr(0, log.path.rfind('/'));
  return fs->NewSequentialFile(ArchivedWalFileName(directory, log.number), FileOptions());
}

// Reads the batches of one log. It begins with an empty batch that nobody wrote, if Skarn wrote
// the log: that one is passed over.
class BatchSource {
 public:
  BatchSource(std::unique_ptr<SequentialFile> file, uint64_t log_number)
      : reader_(std::move(file), &damage_, log_number) {
    reader_.set_following();
  }

  // False at the end, and after damage.
  bool Next(Slice* record) {
    while (reader_.ReadRecord(record, &scratch_, RecoveryMode::kTolerateCorruptedTail)) {
      const bool marker = at_start_ && record->size() == kBatchHeaderSize;
      at_start_ = false;
      if (!marker && record->size() >= kBatchHeaderSize) return true;
    }
    return false;
  }
  // A later Next() sees what was appended.
  void ContinueAfterEnd() { reader_.ContinueAfterEnd(); }
  const Status& damage() const { return damage_.first; }

 private:
  class Damage : public LogReader::Reporter {
   public:
    void Corruption(size_t bytes, const Status& status, uint64_t log_number) override {
      (void)bytes, (void)log_number;
      if (first.ok()) first = status;
    }
    Status first;
  };

  Damage damage_;
  LogReader reader_;
  std::string scratch_;
  bool at_start_ = true;
};

// Stops where RocksDB's does: batches without entries are shown, but none behind the last number
// that is in use.
class LogIterator final : public WalIterator {
 public:
  LogIterator(DbImpl* db, FileSystem* fs, std::vector<LogFile> logs, SequenceNumber wanted)
      : db_(db), fs_(fs), logs_(std::move(logs)), wanted_(wanted) {
    SeekStart();
  }

  bool Valid() const override { return started_ && valid_; }

  void Next() override {
    if (!status_.ok()) return;
    valid_ = false;
    if (started_)
      ReadNext();
    else
      SeekStart();
  }

  Status status() const override { return status_; }

  WriteBatch Batch(SequenceNumber* sequence) const override {
    WriteBatch batch = WriteBatch::FromBytes(record_);
    *sequence = batch.sequence();
    return batch;
  }

 private:
  // To the batch that holds the wanted number or, when the first log does not have it, to the
  // first one of the next log.
  void SeekStart() {
    if (logs_.empty() || !Open(0)) return;
    while (Read()) {
      if (last_ < wanted_) continue;
      started_ = valid_ = true;
      return;
    }
    if (status_.ok() && logs_.size() != 1) ReadNext();
  }

  void ReadNext() {
    if (source_ == nullptr) return;
    source_->ContinueAfterEnd();
    while (!Read()) {
      if (!status_.ok()) return;
      if (position_ + 1 >= logs_.size()) {
        if (last_ != db_->LatestSequence()) {
          status_ = Status::TryAgain("Create a new iterator to fetch the new tail.");
        }
        return;
      }
      if (!Open(position_ + 1)) return;
    }
    started_ = valid_ = true;
  }

  // The next batch of this log, unless it could only be one that is not committed yet.
  bool Read() {
    Slice record;
    if (last_ >= db_->LatestSequence()) return false;
    if (!source_->Next(&record)) {
      status_ = source_->damage();
      return false;
    }
    if (started_ && BatchSequence(record) != last_ + 1) {
      started_ = false;
      status_ = Status::NotFound("Gap in sequence numbers");
      return false;
    }
    record_ = record.ToString();
    last_ = BatchSequence(record) + BatchCount(record) - 1;
    return true;
  }

  bool Open(size_t position) {
    position_ = position;
    const LogFile& log = logs_[position];
    auto file = OpenLog(fs_, log);
    status_ = file.status();
    if (!file.ok()) return false;
    source_ = std::make_unique<BatchSource>(std::move(file.value()), log.number);
    return true;
  }

  DbImpl* const db_;
  FileSystem* const fs_;
  const std::vector<LogFile> logs_;
  const SequenceNumber wanted_;
  SequenceNumber last_ = 0;  // Of record_; of an empty batch, the number before it.
  size_t position_ = 0;
  std::unique_ptr<BatchSource> source_;
  std::string record_;
  bool started_ = false;
  bool valid_ = false;
  Status status_;
};

}  // namespace

Status DbImpl::GetUpdatesSince(SequenceNumber sequence, std::unique_ptr<WalIterator>* iterator) {
  iterator->reset();
  CountTicker(statistics_, Ticker::kGetupdatessinceCalls);
  if (sequence > LatestSequence()) {
    return Status::NotFound("Requested sequence not yet written in the db");
  }
  {
    // Not what is being deleted, as by opening: it would go while it is read.
    MutexLock lock(&mutex_);
    while (purge_requested_.load(std::memory_order_acquire) != kNoPurge || purges_running_ > 0) {
      AwaitJobs();
    }
  }
  std::vector<LogFile> logs;
  const auto collect = [&](const std::string& directory, bool archived) -> Status {
    std::vector<std::string> names;
    Status s = fs_->GetChildren(directory, &names);
    if (!s.ok()) return archived && (s.IsPathNotFound() || s.IsNotFound()) ? Status::Ok() : s;
    for (const std::string& name : names) {
      ParsedFileName parsed;
      if (!ParseFileName(name, &parsed) || parsed.kind != FileKind::kWal) continue;
      logs.push_back({parsed.number, directory + "/" + name, 0});
    }
    return Status::Ok();
  };
  // The archive last: a log that moves there in between is seen twice, not missed.
  if (Status s = collect(wal_directory_, false); !s.ok()) return s;
  if (Status s = collect(ArchiveDirectory(wal_directory_), true); !s.ok()) return s;
  std::sort(logs.begin(), logs.end(),
            [](const LogFile& a, const LogFile& b) { return a.number < b.number; });
  logs.erase(std::unique(logs.begin(), logs.end(),
                         [](const LogFile& a, const LogFile& b) { return a.number == b.number; }),
             logs.end());

  // Empty logs do not count. Begin with the last one that starts at or before the number.
  size_t start = 0;
  std::vector<LogFile> filled;
  for (LogFile& log : logs) {
    auto file = OpenLog(fs_, log);
    if (!file.ok()) continue;
    BatchSource source(std::move(file.value()), log.number);
    Slice record;
    if (!source.Next(&record)) continue;
    log.first_sequence = BatchSequence(record);
    if (log.first_sequence <= sequence) start = filled.size();
    filled.push_back(std::move(log));
  }
  filled.erase(filled.begin(), filled.begin() + static_cast<std::ptrdiff_t>(start));
  auto made = std::make_unique<LogIterator>(this, fs_, std::move(filled), sequence);
  if (Status s = made->status(); !s.ok()) return s;
  *iterator = std::move(made);
  return Status::Ok();
}

}  // namespace skarn
