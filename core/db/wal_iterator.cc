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
#include "core/version/file_names.h"
#include "core/wal/log_reader.h"

namespace skarn {
namespace {

struct LogFile {
  uint64_t number = 0;
  std::string path;
  SequenceNumber first_sequence = 0;
};

class LogIterator final : public WalIterator {
 public:
  // `visible` tells how far the logs may be shown.
  LogIterator(DbImpl* db, FileSystem* fs, std::vector<LogFile> logs, SequenceNumber wanted)
      : db_(db), fs_(fs), logs_(std::move(logs)), expected_(std::max<SequenceNumber>(wanted, 1)) {
    Advance();
  }

  bool Valid() const override { return valid_; }

  void Next() override {
    if (valid_ || status_.IsTryAgain() || status_.ok()) {
      valid_ = false;
      status_ = Status::Ok();
      Advance();
    }
  }

  Status status() const override { return status_; }

  WriteBatch Batch(SequenceNumber* sequence) const override {
    WriteBatch batch = WriteBatch::FromBytes(record_);
    *sequence = batch.sequence();
    return batch;
  }

 private:
  class Damage : public LogReader::Reporter {
   public:
    void Corruption(size_t bytes, const Status& status, uint64_t log_number) override {
      (void)bytes, (void)log_number;
      if (first.ok()) first = status;
    }
    Status first;
  };

  // To the next batch that is not before expected_.
  void Advance() {
    while (ReadRecord()) {
      if (record_.size() < kBatchHeaderSize) {
        status_ = Status::Corruption("very small log record");
        return;
      }
      const WriteBatch batch = WriteBatch::FromBytes(record_);
      const SequenceNumber first = batch.sequence();
      // A batch without counted entries stands before the next number and takes none.
      const SequenceNumber end = first + batch.count();
      if (!started_ && std::max(end, first + 1) <= expected_) continue;  // Before what is wanted.
      if (started_ && first != expected_) {
        if (first < expected_) continue;  // The same data again, after a recovery.
        status_ = Status::NotFound("Gap in sequence numbers");
        return;
      }
      started_ = true;
      expected_ = end;
      valid_ = true;
      return;
    }
    if (status_.ok() && expected_ <= db_->LatestSequence() && started_) {
      status_ = Status::TryAgain("Create a new iterator to fetch the new tail.");
    }
  }

  bool ReadRecord() {
    for (;;) {
      if (reader_ == nullptr) {
        if (position_ >= logs_.size()) return false;
        auto file = fs_->NewSequentialFile(logs_[position_].path, FileOptions());
        if (!file.ok() && file.status().IsPathNotFound()) {  // Archived meanwhile.
          file = fs_->NewSequentialFile(
              ArchivedWalFileName(logs_[position_].path.substr(0, logs_[position_].path.rfind('/')),
                                  logs_[position_].number),
              FileOptions());
        }
        if (!file.ok()) {
          status_ = file.status();
          return false;
        }
        damage_.first = Status::Ok();
        at_start_ = true;
        reader_ =
            std::make_unique<LogReader>(std::move(file.value()), &damage_, logs_[position_].number);
      }
      Slice record;
      if (reader_->ReadRecord(&record, &scratch_, RecoveryMode::kTolerateCorruptedTail)) {
        const bool marker = at_start_ && record.size() == kBatchHeaderSize;
        at_start_ = false;
        if (marker) continue;  // Every log begins with one; nobody wrote it.
        record_ = record.ToString();
        return true;
      }
      if (!damage_.first.ok()) {
        status_ = damage_.first;
        return false;
      }
      if (position_ + 1 >= logs_.size()) {
        reader_->ContinueAfterEnd();  // A later Next() sees what was appended.
        return false;
      }
      reader_.reset();
      ++position_;
    }
  }

  DbImpl* const db_;
  FileSystem* const fs_;
  const std::vector<LogFile> logs_;
  SequenceNumber expected_;
  size_t position_ = 0;
  std::unique_ptr<LogReader> reader_;
  bool at_start_ = true;  // No record of this log was read yet.
  Damage damage_;
  std::string scratch_;
  std::string record_;
  bool started_ = false;
  bool valid_ = false;
  Status status_;
};

}  // namespace

Status DbImpl::GetUpdatesSince(SequenceNumber sequence, std::unique_ptr<WalIterator>* iterator) {
  iterator->reset();
  if (sequence > LatestSequence()) {
    return Status::NotFound("Requested sequence not yet written in the db");
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
  // The archive first: a log that moves there in between is seen twice, not missed.
  if (Status s = collect(ArchiveDirectory(wal_directory_), true); !s.ok()) return s;
  if (Status s = collect(wal_directory_, false); !s.ok()) return s;
  std::sort(logs.begin(), logs.end(),
            [](const LogFile& a, const LogFile& b) { return a.number < b.number; });
  logs.erase(std::unique(logs.begin(), logs.end(),
                         [](const LogFile& a, const LogFile& b) { return a.number == b.number; }),
             logs.end());

  // Begin with the last log that starts at or before the number.
  size_t start = 0;
  for (size_t i = 0; i < logs.size(); ++i) {
    auto file = fs_->NewSequentialFile(logs[i].path, FileOptions());
    if (!file.ok()) continue;
    LogReader reader(std::move(file.value()), nullptr, logs[i].number);
    Slice record;
    std::string scratch;
    while (reader.ReadRecord(&record, &scratch, RecoveryMode::kTolerateCorruptedTail)) {
      const WriteBatch batch = WriteBatch::FromBytes(record);
      if (batch.count() == 0) continue;
      logs[i].first_sequence = batch.sequence();
      break;
    }
    if (logs[i].first_sequence != 0 && logs[i].first_sequence <= sequence) start = i;
  }
  logs.erase(logs.begin(), logs.begin() + static_cast<std::ptrdiff_t>(start));
  *iterator = std::make_unique<LogIterator>(this, fs_, std::move(logs), sequence);
  return Status::Ok();
}

}  // namespace skarn
