#include "core/db/wal_manager.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "core/batch/batch_format.h"
#include "core/env/file_writer.h"
#include "core/version/file_names.h"

namespace skarn {

namespace {

FileOptions WalFileOptions(const DbOptions& options) {
  FileOptions file;
  file.allow_fallocate = options.allow_fallocate;
  file.close_on_exec = options.is_fd_close_on_exec;
  file.use_fsync = options.use_fsync;
  file.bytes_per_sync = options.wal_bytes_per_sync;
  file.strict_bytes_per_sync = options.strict_bytes_per_sync;
  // Zeroes behind the last record, as a crash leaves them, are no damage in these modes. In the
  // others RocksDB may take what a kill in the middle of a record leaves for damage. What is
  // written of a log's size, here or in the MANIFEST, must be its size in the file system.
  file.grow_ahead = options.allow_fallocate && !options.manual_wal_flush &&
                    options.recycle_log_file_num == 0 && options.wal_bytes_per_sync == 0 &&
                    !options.track_and_verify_wals && !options.track_and_verify_wals_in_manifest &&
                    (options.wal_recovery_mode == WalRecoveryMode::kPointInTimeRecovery ||
                     options.wal_recovery_mode == WalRecoveryMode::kSkipAnyCorruptedRecords);
  return file;
}

}  // namespace

WalManager::WalManager(const DbOptions& options, std::string directory)
    : options_(options), directory_(std::move(directory)) {}

WalManager::~WalManager() { (void)Close().ok(); }

Status WalManager::Switch(uint64_t number, uint64_t preallocation_bytes,
                          SequenceNumber next_sequence, bool after_failure) {
  FileSystem* const fs = options_.env->file_system;
  LogWriter::Predecessor predecessor;
  const bool has_predecessor = current_ != nullptr;
  if (has_predecessor) {
    MutexLock append_lock(&append_mu_);
    // The old log's bytes must not stay in the process when nothing will flush it again.
    Status flushed = current_->Flush();
    if (flushed.ok()) flushed = current_->file()->EndAhead();
    if (!flushed.ok() && !after_failure) return flushed;
    predecessor.log_number = current_->log_number();
    predecessor.size_bytes = current_->file()->size_bytes();
    predecessor.last_sequence = last_batch_;
  }
  uint64_t recycled = 0;
  {
    MutexLock lock(&mu_);
    if (!recycle_.empty()) {
      recycled = recycle_.front();
      recycle_.pop_front();
      reusing_ = recycled;  // Until it has its new name, a purge must let it be.
    }
  }
  const std::string path = WalFileName(directory_, number);
  const FileOptions file_options = WalFileOptions(options_);
  Result<std::unique_ptr<WritableFile>> file =
      recycled != 0 ? fs->ReuseWritableFile(path, WalFileName(directory_, recycled), file_options)
                    : fs->NewWritableFile(path, file_options);
  {
    MutexLock lock(&mu_);
    reusing_ = 0;
  }
  if (!file.ok()) return file.status();

  FileWriter::Options writer_options;
  writer_options.buffer_bytes = options_.writable_file_max_buffer_size;
  writer_options.preallocation_bytes = preallocation_bytes;
  writer_options.rate_limiter = options_.rate_limiter.get();
  writer_options.reused = recycled != 0;
  LogWriter::Options log_options;
  log_options.log_number = number;
  log_options.recyclable = options_.recycle_log_file_num > 0;
  log_options.manual_flush = options_.manual_wal_flush;
  log_options.compress_zstd = options_.wal_compression == CompressionType::kZstd;
  auto writer = std::make_shared<LogWriter>(
      std::make_unique<FileWriter>(std::move(*file), path, file_options, writer_options),
      log_options);
  const bool with_predecessor = options_.track_and_verify_wals && has_predecessor;
  if (Status s = writer->WriteHeader(with_predecessor ? &predecessor : nullptr); !s.ok()) {
    (void)writer->Close().ok();
    (void)fs->DeleteFile(path).ok();
    return s;
  }

  MutexLock lock(&mu_);
  marker_ = next_sequence;
  marked_ = false;
  if (after_failure) {
    // Their data is flushed to files instead; a sync of what follows must not wait for them.
    for (OpenLog& log : open_) log.fully_synced = true;
  }
  if (first_own_number_ == 0) first_own_number_ = number;
  if (has_predecessor) alive_.back().size_bytes = predecessor.size_bytes;
  open_.push_back({number, writer, /*synced_bytes=*/0, /*fully_synced=*/false});
  alive_.push_back({number, writer->file()->size_bytes()});
  directory_synced_ = false;
  current_ = writer.get();
  empty_ = true;
  last_batch_ = 0;
  counted_ = writer->file()->size_bytes();
  appended_.store(appended_.load(std::memory_order_relaxed) + counted_, std::memory_order_relaxed);
  current_number_.store(number, std::memory_order_release);
  lock.Unlock();
  Status status;
  if (log_options.recyclable) {
    append_mu_.Lock();
    status = AppendMarker();
    append_mu_.Unlock();
  }
  lock.Lock();
  return status;
}

Status WalManager::AppendMarker() {
  if (marked_) return Status::Ok();
  char marker[kBatchHeaderSize];
  EncodeFixed64(marker, marker_);
  EncodeFixed32(marker + kBatchCountOffset, 0);
  if (Status s = current_->AddRecord(Slice(marker, sizeof(marker))); !s.ok()) return s;
  marked_ = true;
  last_batch_ = marker_;
  return Status::Ok();
}

Status WalManager::Append(const Slice* parts, size_t count,
                          const std::map<uint32_t, size_t>& timestamp_sizes) {
  if (options_.manual_wal_flush) {
    MutexLock lock(&append_mu_);
    return AppendLocked(parts, count, timestamp_sizes);
  }
  return AppendLocked(parts, count, timestamp_sizes);
}

Status WalManager::AppendLocked(const Slice* parts, size_t count,
                                const std::map<uint32_t, size_t>& timestamp_sizes) {
  if (!timestamp_sizes.empty()) {
    if (Status s = current_->AddTimestampSizes(timestamp_sizes); !s.ok()) return s;
  }
  if (SKARN_UNLIKELY(!marked_)) {
    if (Status s = AppendMarker(); !s.ok()) return s;
  }
  if (Status s = current_->AddRecordParts(parts, count); !s.ok()) return s;
  CountAppended(BatchSequence(parts[0]));
  return Status::Ok();
}

void WalManager::CountAppended(SequenceNumber sequence) {
  empty_ = false;
  last_batch_ = sequence;
  const uint64_t size = current_->file()->size_bytes();
  for (std::atomic<uint64_t>* counter : {&appended_, &bytes_written_}) {
    counter->store(counter->load(std::memory_order_relaxed) + (size - counted_),
                   std::memory_order_relaxed);
  }
  counted_ = size;
}

Status WalManager::AppendFilled(size_t size, SequenceNumber sequence) {
  if (Status s = current_->AppendFilled(size); !s.ok()) return s;
  CountAppended(sequence);
  return Status::Ok();
}

Status WalManager::Sync() { return SyncLogs(/*include_current=*/true); }

Status WalManager::SyncClosed() { return SyncLogs(/*include_current=*/false); }

Status WalManager::SyncLogs(bool include_current) {
  if (options_.manual_wal_flush && include_current) {
    // What was appended before this call may still be in the process.
    if (Status s = Flush(); !s.ok()) return s;
  }
  MutexLock lock(&mu_);
  if (open_.empty()) return Status::Ok();
  // Fixed now: a switch while this call waits must not make it miss the log it is about.
  const uint64_t current = open_.back().number;
  const uint64_t last = include_current ? current : current - 1;
  uint64_t wanted = 0;
  if (include_current) wanted = open_.back().writer->file()->flushed_bytes();

  while (true) {
    bool needed = false;
    for (const OpenLog& log : open_) {
      if (log.number > last || log.fully_synced) continue;
      needed = needed || log.number != current || log.synced_bytes < wanted ||
               log.synced_bytes == 0 || !directory_synced_;
    }
    if (!needed) return Status::Ok();
    if (!syncing_) break;
    sync_done_.Wait();
  }

  // What a new syncer finds to do, it does for all who wait.
  struct Target {
    uint64_t number;
    std::shared_ptr<LogWriter> writer;  // Shared with open_, which may drop it meanwhile.
    bool closed;
    uint64_t size;
  };
  std::vector<Target> targets;
  for (const OpenLog& log : open_) {
    if (log.number > last || log.fully_synced) continue;
    targets.push_back({log.number, log.writer, log.number != open_.back().number, 0});
  }
  const bool sync_directory = !directory_synced_;
  syncing_ = true;
  lock.Unlock();

  Status status;
  for (Target& target : targets) {
    FileWriter* const file = target.writer->file();
    target.size = file->flushed_bytes();
    // Appends may go on meanwhile; what they add is not promised by this sync.
    status = file->SyncWithoutFlush();
    if (!status.ok()) break;
    syncs_.fetch_add(1, std::memory_order_relaxed);
  }
  if (status.ok() && sync_directory) {
    Result<std::unique_ptr<Directory>> directory =
        options_.env->file_system->NewDirectory(directory_);
    status = directory.ok() ? (*directory)->Fsync() : directory.status();
  }

  std::vector<std::shared_ptr<LogWriter>> to_close;
  lock.Lock();
  if (status.ok()) {
    for (const Target& target : targets) {
      for (OpenLog& log : open_) {
        if (log.number != target.number) continue;
        log.synced_bytes = std::max(log.synced_bytes, target.size);
        if (target.closed) log.fully_synced = true;
      }
    }
    // The directory has the names of all logs that existed when it was synced.
    if (sync_directory && open_.back().number == current) directory_synced_ = true;
    while (open_.size() > 1 && open_.front().fully_synced) {
      synced_closed_.push_back({open_.front().number, open_.front().writer->file()->size_bytes()});
      to_close.push_back(std::move(open_.front().writer));
      open_.pop_front();
    }
  }
  syncing_ = false;
  ++sync_rounds_;
  ++closing_;
  sync_done_.SignalAll();
  lock.Unlock();
  // All that counts of them is durable, or was given up after a failure: what closing says, which
  // may be that old failure, is no failure of this sync.
  for (const std::shared_ptr<LogWriter>& writer : to_close) (void)writer->Close().ok();
  lock.Lock();
  --closing_;
  sync_done_.SignalAll();
  return status;
}

void WalManager::AwaitSyncsOfReleased() {
  MutexLock lock(&mu_);
  // A sync that begins later does not find them any more.
  const uint64_t round = sync_rounds_;
  while ((syncing_ && sync_rounds_ == round) || closing_ > 0) sync_done_.Wait();
}

Status WalManager::Flush() {
  MutexLock append_lock(&append_mu_);
  std::shared_ptr<LogWriter> writer;
  {
    MutexLock lock(&mu_);
    if (open_.empty()) return Status::Ok();
    writer = open_.back().writer;
  }
  if (!options_.manual_wal_flush) return Status::Ok();  // Every append did it.
  return writer->Flush();
}

Status WalManager::Close() {
  MutexLock append_lock(&append_mu_);
  std::deque<OpenLog> open;
  {
    MutexLock lock(&mu_);
    while (syncing_) sync_done_.Wait();
    open.swap(open_);
    current_ = nullptr;
  }
  Status status;
  for (const OpenLog& log : open) {
    Status s = log.writer->Flush();
    if (s.ok()) s = log.writer->Close();
    if (!s.ok() && status.ok()) status = s;
  }
  return status;
}

uint64_t WalManager::oldest_number() const {
  MutexLock lock(&mu_);
  return alive_.empty() ? 0 : alive_.front().number;
}

uint64_t WalManager::current_size_bytes() const {
  MutexLock lock(&mu_);
  return open_.empty() ? 0 : open_.back().writer->file()->size_bytes();
}

void WalManager::AddRecovered(uint64_t number, uint64_t size_bytes) {
  MutexLock lock(&mu_);
  assert(open_.empty());
  alive_.push_back({number, size_bytes});
  appended_.store(appended_.load(std::memory_order_relaxed) + size_bytes,
                  std::memory_order_relaxed);
}

void WalManager::ReleaseBefore(uint64_t number, bool may_recycle,
                               std::vector<ObsoleteLog>* obsolete) {
  MutexLock lock(&mu_);
  while (alive_.size() > 1 && alive_.front().number < number) {
    const uint64_t released = alive_.front().number;
    uint64_t size = alive_.front().size_bytes;
    alive_.pop_front();
    ObsoleteLog log;
    log.number = released;
    for (auto open = open_.begin(); open != open_.end(); ++open) {
      if (open->number != released) continue;
      size = std::max(size, open->writer->file()->size_bytes());
      log.writer = std::move(open->writer);
      open_.erase(open);
      break;
    }
    const uint64_t counted = std::min(size, total_bytes());
    released_.store(released_.load(std::memory_order_relaxed) + counted, std::memory_order_release);
    if (may_recycle && released >= first_own_number_ &&
        recycle_.size() + recycle_later_.size() < options_.recycle_log_file_num) {
      recycle_later_.push_back(released);
      log.recycled = true;
    }
    obsolete->push_back(std::move(log));
  }
}

void WalManager::Recycle(uint64_t number) {
  MutexLock lock(&mu_);
  const auto found = std::find(recycle_later_.begin(), recycle_later_.end(), number);
  if (found == recycle_later_.end()) return;
  recycle_later_.erase(found);
  recycle_.push_back(number);
}

bool WalManager::IsKept(uint64_t number) const {
  MutexLock lock(&mu_);
  for (const LogFile& log : alive_) {
    if (log.number == number) return true;
  }
  if (number == reusing_) return true;
  return std::find(recycle_.begin(), recycle_.end(), number) != recycle_.end() ||
         std::find(recycle_later_.begin(), recycle_later_.end(), number) != recycle_later_.end();
}

std::vector<WalManager::LogFile> WalManager::AliveLogs() const {
  MutexLock lock(&mu_);
  std::vector<LogFile> logs(alive_.begin(), alive_.end());
  for (LogFile& log : logs) {
    for (const OpenLog& open : open_) {
      if (open.number == log.number) log.size_bytes = open.writer->file()->size_bytes();
    }
  }
  return logs;
}

std::vector<WalManager::LogFile> WalManager::TakeSyncedClosed() {
  MutexLock lock(&mu_);
  return std::exchange(synced_closed_, {});
}

}  // namespace skarn
