// Deleting what nobody needs any more: tables, value files, MANIFESTs, logs.

#include <algorithm>
#include <utility>

#include "core/db/db_impl.h"
#include "core/db/event_log.h"
#include "core/metrics/statistics.h"
#include "core/version/file_names.h"

namespace skarn {

namespace {

struct Candidate {
  std::string directory;
  std::string name;
};

}  // namespace

void DbImpl::DeleteObsolete(const std::string& path) {
  const bool counted =
      statistics_ != nullptr && (Slice(path).EndsWith(".sst") || Slice(path).EndsWith(".log"));
  bool slowly = false;
  Status status =
      Slice(path).EndsWith(".sst") ? DeleteTableFile(path, &slowly) : fs_->DeleteFile(path);
  if (counted && status.ok()) {
    statistics_->Add(slowly ? Ticker::kFilesMarkedTrash : Ticker::kFilesDeletedImmediately);
  }
  if (status.ok() || status.IsPathNotFound() || status.IsNotFound()) return;
  Log(LogLevel::kWarn, info_log_.get(), "Could not delete %s: %s", path.c_str(),
      status.ToString().c_str());
}

bool DbImpl::FlushIsNear() const {
  if (!flush_queue_.empty() || write_controller_.stopped()) return true;
  constexpr uint32_t kQuarter = 256;
  return std::any_of(families_.begin(), families_.end(), [](const ColumnFamily* family) {
    return family->active()->fullness() > kQuarter;
  });
}

void DbImpl::PurgeObsoleteFiles(bool full, bool leave_logs, bool leave_tables) {
  if (mode_ != Mode::kReadWrite) {
    // The files belong to somebody else; only what is in memory is let go.
    MutexLock lock(&mutex_);
    ReapFamilies();
    if (versions_ != nullptr) {
      std::vector<ObsoleteTable> tables;
      std::vector<ObsoleteBlob> blobs;
      std::vector<std::string> manifests;
      versions_->TakeObsoleteFiles(&tables, &blobs, &manifests, UINT64_MAX);
    }
    return;
  }
  std::vector<ObsoleteTable> tables;
  std::vector<ObsoleteBlob> blobs;
  std::vector<std::string> manifests;
  std::vector<WalManager::ObsoleteLog> logs;
  std::vector<uint64_t> live_tables, live_blobs;
  std::vector<std::string> directories;
  uint64_t first_new = 0, min_log = 0, manifest_number = 0, previous_log = 0;
  {
    MutexLock lock(&mutex_);
    ReapFamilies();
    if (versions_ == nullptr || !open_) return;
    if (full_purge_due_) full = true;
    const uint64_t period_us = options_->delete_obsolete_files_period_micros;
    const uint64_t now_us = env_->clock->NowMicros();
    if (period_us == 0 || (last_full_purge_us_ != 0 && last_full_purge_us_ + period_us < now_us)) {
      full = true;
    }
    if (file_deletions_disabled_ > 0 || manifest_uncertain_) {
      full_purge_due_ = full_purge_due_ || full;
      return;
    }
    full_purge_due_ = false;
    first_new = versions_->next_file_number();
    for (const uint64_t number : protected_from_) first_new = std::min(first_new, number);
    constexpr uint64_t kLeftMaxUs = 1'000'000;
    if (!full && leave_tables && compactions_running_ > 0 && FlushIsNear() &&
        (tables_left_us_ == 0 || now_us < tables_left_us_ + kLeftMaxUs)) {
      if (tables_left_us_ == 0) tables_left_us_ = now_us;
    } else {
      tables_left_us_ = 0;
      versions_->TakeObsoleteFiles(&tables, &blobs, &manifests, first_new);
    }
    min_log = versions_->min_log_number_to_keep();
    if (full || !leave_logs || flushes_running_ == 0) {
      wals_.ReleaseBefore(min_log, /*may_recycle=*/true, &logs);
    }
    previous_log = versions_->previous_log_number();
    manifest_number = versions_->manifest_file_number();
    if (full) {
      last_full_purge_us_ = now_us;
      versions_->AddLiveFiles(&live_tables, &live_blobs);
      directories.push_back(path_);
      const auto add = [&directories](const std::string& directory) {
        if (std::find(directories.begin(), directories.end(), directory) == directories.end()) {
          directories.push_back(directory);
        }
      };
      add(wal_directory_);
      for (const DbPath& place : options_->db_paths) add(place.path);
      for (const ColumnFamily* family : families_) {
        for (const std::string& directory : family->versions()->directories()) add(directory);
      }
    }
    ++purges_running_;
  }
  struct Running {
    ~Running() {
      MutexLock lock(&db->mutex_);
      --db->purges_running_;
      db->work_done_.SignalAll();
    }
    DbImpl* const db;
  } const running{this};

  // Nothing below needs the mutex: what is deleted has no name in any state that can come back.
  if (!logs.empty()) wals_.AwaitSyncsOfReleased();
  for (WalManager::ObsoleteLog& log : logs) {
    if (log.writer != nullptr) (void)log.writer->Close().ok();
    if (log.recycled) {
      wals_.Recycle(log.number);
    } else {
      RemoveLog(log.number);
    }
  }
  for (ObsoleteTable& table : tables) {
    LogEvent(EventLine(env_->clock->NowMicros())
                 .Add("job", next_job_id_.load(std::memory_order_relaxed))
                 .Add("event", "table_file_deletion")
                 .Add("file_number", table.file->number)
                 .Take());
    DeleteObsolete(table.path);
  }
  for (const ObsoleteBlob& blob : blobs) DeleteObsolete(blob.path);
  for (const std::string& manifest : manifests) DeleteObsolete(Concat(path_, "/", manifest));
  // Closes the tables: until then neither their memory nor their space on the disk is free.
  if (!tables.empty()) EpochDomain::Drain();
  if (!full) return;

  std::sort(live_tables.begin(), live_tables.end());
  std::sort(live_blobs.begin(), live_blobs.end());
  std::vector<uint64_t> option_files;
  std::vector<Candidate> candidates;
  for (const std::string& directory : directories) {
    std::vector<std::string> names;
    if (!fs_->GetChildren(directory, &names).ok()) continue;
    for (std::string& name : names) {
      // What a process before this one was still deleting slowly.
      if (Slice(name).EndsWith(".trash") && open_trash_due_) {
        DeleteObsolete(Concat(directory, "/", name));
        continue;
      }
      ParsedFileName parsed;
      if (!ParseFileName(name, &parsed)) continue;
      if (parsed.kind == FileKind::kOptions && directory == path_) {
        option_files.push_back(parsed.number);
      }
      candidates.push_back({directory, std::move(name)});
    }
  }
  open_trash_due_ = false;
  std::sort(option_files.rbegin(), option_files.rend());
  const uint64_t oldest_options = option_files.size() < 2 ? 0 : option_files[1];
  for (const Candidate& candidate : candidates) {
    ParsedFileName parsed;
    if (!ParseFileName(candidate.name, &parsed)) continue;
    bool keep = true;
    bool is_log = false;
    switch (parsed.kind) {
      case FileKind::kWal:
        keep = parsed.number >= min_log || parsed.number == previous_log ||
               candidate.directory != wal_directory_ || wals_.IsKept(parsed.number);
        is_log = true;
        break;
      case FileKind::kManifest:
        keep = parsed.number >= manifest_number;
        break;
      case FileKind::kTable:
        keep = parsed.number >= first_new ||
               std::binary_search(live_tables.begin(), live_tables.end(), parsed.number);
        break;
      case FileKind::kBlob:
        keep = parsed.number >= first_new ||
               std::binary_search(live_blobs.begin(), live_blobs.end(), parsed.number);
        break;
      case FileKind::kTemp:
        keep = parsed.is_options || parsed.number >= first_new;
        break;
      case FileKind::kOptions:
        keep = parsed.number >= oldest_options;
        break;
      default:
        break;
    }
    if (keep) continue;
    if (is_log) {
      RemoveLog(parsed.number);
    } else {
      DeleteObsolete(Concat(candidate.directory, "/", candidate.name));
    }
  }
  PurgeArchive();
}

void DbImpl::RemoveLog(uint64_t number) {
  const std::string path = WalFileName(wal_directory_, number);
  if (opened_options_->WAL_ttl_seconds == 0 && opened_options_->WAL_size_limit_MB == 0) {
    DeleteObsolete(path);
    return;
  }
  const std::string archived = ArchivedWalFileName(wal_directory_, number);
  Status status = fs_->CreateDirIfMissing(ArchiveDirectory(wal_directory_));
  if (status.ok()) status = fs_->RenameFile(path, archived);
  if (!status.ok() && !status.IsPathNotFound()) {
    Log(LogLevel::kWarn, info_log_.get(), "Could not archive %s: %s", path.c_str(),
        status.ToString().c_str());
  }
}

void DbImpl::PurgeArchive() {
  const uint64_t ttl_s = opened_options_->WAL_ttl_seconds;
  const uint64_t limit_mb = opened_options_->WAL_size_limit_MB;
  if (ttl_s == 0 && limit_mb == 0) return;
  const uint64_t now_s = env_->clock->NowSeconds();
  {
    MutexLock lock(&mutex_);
    const uint64_t interval_s =
        ttl_s > 0 ? std::min<uint64_t>(600, std::max<uint64_t>(1, ttl_s / 2)) : 600;
    if (last_archive_purge_s_ != 0 && now_s >= last_archive_purge_s_ &&
        now_s - last_archive_purge_s_ < interval_s) {
      return;
    }
    last_archive_purge_s_ = now_s;
  }
  struct Archived {
    uint64_t number;
    std::string path;
    uint64_t size;
  };
  const std::string directory = ArchiveDirectory(wal_directory_);
  std::vector<std::string> names;
  if (!fs_->GetChildren(directory, &names).ok()) return;
  std::vector<Archived> kept;
  for (const std::string& name : names) {
    ParsedFileName parsed;
    if (!ParseFileName(name, &parsed) || parsed.kind != FileKind::kWal) continue;
    const std::string path = ArchivedWalFileName(wal_directory_, parsed.number);
    if (ttl_s > 0) {
      // A file from the future means that the clock went back: it is not old.
      const Result<uint64_t> modified_s = fs_->FileModificationTime(path);
      if (modified_s.ok() && now_s > *modified_s && now_s - *modified_s > ttl_s) {
        DeleteObsolete(path);
        continue;
      }
    }
    const Result<uint64_t> size = fs_->FileSize(path);
    if (!size.ok()) continue;
    if (*size == 0 && limit_mb > 0) {
      DeleteObsolete(path);
      continue;
    }
    kept.push_back({parsed.number, path, *size});
  }
  if (limit_mb == 0 || kept.empty()) return;
  uint64_t largest = 1;
  for (const Archived& log : kept) largest = std::max(largest, log.size);
  const uint64_t count_max = (limit_mb << 20) / largest;
  std::sort(kept.begin(), kept.end(),
            [](const Archived& a, const Archived& b) { return a.number < b.number; });
  for (size_t i = 0; kept.size() - i > count_max && i < kept.size(); ++i) {
    DeleteObsolete(kept[i].path);
  }
}

void DbImpl::RequestPurge() {
  // Closing purges by itself; what an iterator lets go after that is for the next open.
  if (shutting_down_.load(std::memory_order_acquire)) return;
  if (purge_requested_.exchange(kPurgeDue, std::memory_order_acq_rel) != kNoPurge) return;
  env_->thread_pool->RaiseThreads(ThreadPool::Priority::kHigh, 1);
  env_->thread_pool->Schedule(ThreadPool::Priority::kHigh, this, [this] { BackgroundPurge(); });
}

void DbImpl::BackgroundPurge() {
  // What is let go while files are being deleted is looked for as well.
  for (uint8_t state = kPurgeDue; state == kPurgeDue;) {
    purge_requested_.store(kPurging, std::memory_order_release);
    EpochDomain::Drain();
    PurgeObsoleteFiles(/*full=*/false);
    MutexLock lock(&mutex_);
    state = kPurging;
    purge_requested_.compare_exchange_strong(state, kNoPurge, std::memory_order_acq_rel);
    work_done_.SignalAll();
  }
}

Status DbImpl::DisableFileDeletions() {
  if (Status s = RejectWrite(); !s.ok()) return s;
  MutexLock lock(&mutex_);
  ++file_deletions_disabled_;
  return Status::Ok();
}

Status DbImpl::EnableFileDeletions() {
  if (Status s = RejectWrite(); !s.ok()) return s;
  bool purge = false;
  {
    MutexLock lock(&mutex_);
    if (file_deletions_disabled_ > 0) --file_deletions_disabled_;
    purge = file_deletions_disabled_ == 0;
    if (purge) full_purge_due_ = true;
  }
  if (purge) PurgeObsoleteFiles(/*full=*/true);
  return Status::Ok();
}

}  // namespace skarn
