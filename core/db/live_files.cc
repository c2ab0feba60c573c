// What a copy of the database is made of, as of one moment.

#include <algorithm>
#include <string>
#include <vector>

#include "core/db/db_impl.h"
#include "core/version/file_names.h"

namespace skarn {

Status DbImpl::GetLiveFiles(uint64_t log_size_for_flush, LiveFiles* files) {
  *files = LiveFiles();
  if (mode_ == Mode::kReadWrite) {
    if (wals_.total_bytes() >= log_size_for_flush) {
      std::vector<ColumnFamily*> families;
      {
        MutexLock lock(&mutex_);
        for (ColumnFamily* family : families_) {
          family->Ref();
          families.push_back(family);
        }
      }
      FlushOptions options;
      options.allow_write_stall = true;
      Status flushed = FlushFamilies(families, options, FlushReason::kGetLiveFiles);
      for (ColumnFamily* family : families) family->Unref();
      if (!flushed.ok()) return flushed;
    }
    if (Status s = wals_.Flush(); !s.ok()) {
      // The log cannot go on either.
      MutexLock lock(&mutex_);
      SetBackgroundError(s, ErrorCause::kWalWrite);
      return s;
    }
  }

  // One moment of everything: tables, MANIFEST and logs change under the mutex only, but
  // for what is appended to the current log, which only adds.
  uint64_t oldest_log = 0;
  {
    MutexLock lock(&mutex_);
    for (const ColumnFamily* family : families_) {
      const VersionStorage& storage = family->versions()->current()->storage();
      const std::vector<std::string>& directories = family->versions()->directories();
      for (int level = 0; level < storage.num_levels(); ++level) {
        for (const FileMetadata* file : storage.level(level)) {
          files->tables.push_back({DirectoryOfPath(directories, file->path_id), file->number});
        }
      }
    }
    files->manifest_number = versions_->manifest_file_number();
    files->manifest_size_bytes = versions_->manifest_file_size();
    files->options_number = options_file_number_;
    files->wal_directory = wal_directory_;
    oldest_log = versions_->min_log_number_to_keep();

    const uint64_t current = wals_.current_number();
    for (const WalManager::LogFile& log : wals_.AliveLogs()) {
      if (log.number < oldest_log) continue;  // Flushed; only deletions are disabled.
      files->wals.push_back(
          {log.number, log.number == current ? wals_.current_size_bytes() : log.size_bytes});
    }
  }

  if (mode_ != Mode::kReadWrite) {
    // Nothing is known of logs that somebody else writes but what is in the directory.
    files->wals.clear();
    std::vector<std::string> names;
    if (Status s = fs_->GetChildren(wal_directory_, &names); !s.ok()) return s;
    for (const std::string& name : names) {
      ParsedFileName parsed;
      if (ParseFileName(name, &parsed) && parsed.kind == FileKind::kWal && !parsed.archived &&
          parsed.number >= oldest_log) {
        files->wals.push_back({parsed.number, UINT64_MAX});
      }
    }
    std::sort(files->wals.begin(), files->wals.end(),
              [](const LiveFiles::Wal& a, const LiveFiles::Wal& b) { return a.number < b.number; });
  }

  // Recycled logs are longer than what was written to them, buffered ones are shorter.
  for (LiveFiles::Wal& wal : files->wals) {
    Result<uint64_t> size = fs_->FileSize(WalFileName(wal_directory_, wal.number));
    if (!size.ok()) return size.status();
    wal.size_bytes = std::min(wal.size_bytes, *size);
  }
  return Status::Ok();
}

}  // namespace skarn
