// What a database says about itself and its files: identity, levels, checksums; and
// the removal of whole files.

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/db/db_impl.h"
#include "core/version/file_names.h"

namespace skarn {

Result<std::string> DbImpl::GetDbIdentity() const {
  MutexLock lock(&mutex_);
  return versions_->db_id();
}

namespace {

LevelFile Describe(const ColumnFamily& family, const FileMetadata& file) {
  LevelFile described;
  described.directory = DirectoryOfPath(family.versions()->directories(), file.path_id);
  described.relative_filename = TableFileName(std::string(), file.number).substr(1);
  described.size_bytes = file.size_bytes;
  described.smallest_user_key = family.order().StripTimestamp(file.smallest_user_key()).ToString();
  described.largest_user_key = family.order().StripTimestamp(file.largest_user_key()).ToString();
  return described;
}

}  // namespace

void DbImpl::GetLiveTables(std::vector<LiveTable>* tables) {
  tables->clear();
  MutexLock lock(&mutex_);
  for (const ColumnFamily* family : families_) {
    const VersionStorage& storage = family->versions()->current()->storage();
    for (int level = 0; level < storage.num_levels(); ++level) {
      for (const FileMetadata* file : storage.level(level)) {
        LiveTable& table = tables->emplace_back();
        table.column_family = family->name();
        table.level = level;
        table.file = Describe(*family, *file);
        table.name = "/" + table.file.relative_filename;
        table.smallest_sequence = file->smallest_sequence;
        table.largest_sequence = file->largest_sequence;
        table.entries = file->entries;
        table.deletions = file->deletions;
      }
    }
  }
}

void DbImpl::GetColumnFamilyMetadata(ColumnFamilyHandle* handle, ColumnFamilyMetadata* metadata) {
  *metadata = ColumnFamilyMetadata();
  ColumnFamily* const family = FamilyOf(handle);
  MutexLock lock(&mutex_);
  const VersionStorage& storage = family->versions()->current()->storage();
  metadata->name = family->name();
  for (int level = 0; level < storage.num_levels(); ++level) {
    LevelMetadata& entry = metadata->levels.emplace_back();
    entry.level = level;
    for (const FileMetadata* file : storage.level(level)) {
      entry.files.push_back(Describe(*family, *file));
      entry.size_bytes += file->size_bytes;
    }
    metadata->size_bytes += entry.size_bytes;
    metadata->file_count += entry.files.size();
  }
}

Status DbImpl::VerifyChecksums(const ReadOptions& options) {
  std::vector<ColumnFamily*> families;
  {
    MutexLock lock(&mutex_);
    families = families_;
    for (ColumnFamily* family : families) family->Ref();
  }
  Status status;
  for (ColumnFamily* family : families) {
    if (status.ok()) {
      SuperVersion* const super_version = AcquireSuperVersion(family);
      Version* const version = super_version->current;
      for (int level = 0; status.ok() && level < version->storage().num_levels(); ++level) {
        for (FileMetadata* file : version->storage().level(level)) {
          Result<TableHold> table = version->table_cache()->Hold(file, level);
          status = table.ok() ? (*table)->VerifyChecksums(options) : table.status();
          if (!status.ok()) break;
        }
      }
      ReleaseSuperVersion(super_version);
    }
    family->Unref();
  }
  return status;
}

Status DbImpl::DeleteFile(const std::string& name) {
  if (Status s = RejectWrite(); !s.ok()) return s;
  ParsedFileName parsed;
  if (!ParseFileName(name, &parsed) ||
      (parsed.kind != FileKind::kTable && parsed.kind != FileKind::kWal)) {
    Log(LogLevel::kError, info_log_.get(), "DeleteFile %s failed.\n", name.c_str());
    return Status::InvalidArgument("Invalid file name");
  }
  if (parsed.kind == FileKind::kWal) {
    if (!parsed.archived) {
      Log(LogLevel::kError, info_log_.get(), "DeleteFile %s failed - not archived log.\n",
          name.c_str());
      return Status::NotSupported("Delete only supported for archived logs");
    }
    return fs_->DeleteFile(wal_directory_ + "/" + name);
  }

  Cleanup cleanup;
  Status status;
  {
    MutexLock lock(&mutex_);
    VersionSet::LiveTable table;
    if (!versions_->FindTable(parsed.number, &table)) {
      return Status::InvalidArgument("File not found");
    }
    if (table.file->being_compacted) return Status::Ok();
    const VersionStorage& storage = table.family->current()->storage();
    // Only what hides nothing: the last level, or the oldest file of level 0.
    for (int below = table.level + 1; below < storage.num_levels(); ++below) {
      if (storage.file_count(below) > 0) {
        return Status::InvalidArgument("File not in last level");
      }
    }
    if (table.level == 0 && storage.level(0).files().back() != table.file) {
      return Status::InvalidArgument("File in level 0, but not oldest");
    }
    VersionEdit edit;
    edit.column_family = table.family->id();
    edit.DeleteFile(table.level, parsed.number);
    ColumnFamily* family = nullptr;
    for (ColumnFamily* candidate : families_) {
      if (candidate->versions() == table.family) family = candidate;
    }
    status = versions_->LogAndApply(table.family, &edit, db_directory_.get());
    if (status.ok() && family != nullptr) InstallSuperVersion(family, &cleanup);
  }
  RunCleanup(&cleanup);
  return status;
}

Status DbImpl::DeleteFilesInRanges(ColumnFamilyHandle* handle, const Slice* const* starts,
                                   const Slice* const* limits, size_t count, bool include_end) {
  if (mode_ != Mode::kReadWrite) return Status::Ok();
  ColumnFamily* const family = FamilyOf(handle);
  const KeyOrder& order = family->order();
  Cleanup cleanup;
  Status status;
  {
    MutexLock lock(&mutex_);
    Version* const version = family->versions()->current();
    const VersionStorage& storage = version->storage();
    VersionEdit edit;
    edit.column_family = family->id();
    std::set<FileMetadata*> chosen;
    for (size_t i = 0; i < count; ++i) {
      for (int level = 1; level < storage.num_levels(); ++level) {
        std::vector<FileMetadata*> files;
        storage.OverlappingFiles(level, starts[i], limits[i], &files);
        for (FileMetadata* file : files) {
          if (file->being_compacted || chosen.contains(file)) continue;
          const Slice smallest = order.StripTimestamp(file->smallest_user_key());
          const Slice largest = order.StripTimestamp(file->largest_user_key());
          if (starts[i] != nullptr && order.CompareStripped(smallest, *starts[i]) < 0) continue;
          if (limits[i] != nullptr) {
            const int end = order.CompareStripped(largest, *limits[i]);
            if (end > 0 || (end == 0 && !include_end)) continue;
          }
          chosen.insert(file);
          edit.DeleteFile(level, file->number);
        }
      }
    }
    if (chosen.empty()) return Status::Ok();
    version->Ref();  // Keeps the files' metadata until the marks are off.
    for (FileMetadata* file : chosen) file->being_compacted = true;
    status = versions_->LogAndApply(family->versions(), &edit, db_directory_.get());
    for (FileMetadata* file : chosen) file->being_compacted = false;
    version->Unref();
    if (status.ok()) InstallSuperVersion(family, &cleanup);
  }
  RunCleanup(&cleanup);
  return status;
}

}  // namespace skarn
