// What can be done with a database that is not open: remove it, list its column families.

#include <cerrno>
#include <set>
#include <string>
#include <vector>

#include "core/db/db.h"
#include "core/version/file_names.h"
#include "core/version/version_set.h"

namespace skarn {
namespace {

// Removes the files in `directory` that `wanted` says yes to; the first failure is kept.
template <typename Wanted>
void RemoveFiles(FileSystem* fs, const std::string& directory, Wanted wanted, Status* status) {
  std::vector<std::string> names;
  if (!fs->GetChildren(directory, &names).ok()) return;  // It is not there.
  for (const std::string& name : names) {
    ParsedFileName parsed;
    if (!ParseFileName(name, "LOG", &parsed) || !wanted(parsed)) continue;
    Status removed = fs->DeleteFile(directory + "/" + name);
    if (!removed.ok() && status->ok()) *status = std::move(removed);
  }
}

}  // namespace

Status Db::Destroy(const DbOptions& options, const ColumnFamilyOptions& cf_options,
                   const std::string& path) {
  FileSystem* const fs = options.env->file_system;
  std::vector<std::string> names;
  if (const Status s = fs->GetChildren(path, &names); !s.ok()) {
    // Nothing there is nothing to remove, as long as the place exists where it could be.
    if (Status made = fs->CreateDirIfMissing(path); !made.ok()) {
      return Status::IoErrorFromErrno("while open a file for lock", LockFileName(path), ENOENT);
    }
    return fs->DeleteDir(path);
  }
  auto lock = fs->LockFile(LockFileName(path));
  if (!lock.ok()) return lock.status();

  Status status;
  RemoveFiles(
      fs, path, [](const ParsedFileName& name) { return name.kind != FileKind::kLock; }, &status);
  std::set<std::string> table_directories;
  for (const DbPath& place : options.db_paths) table_directories.insert(place.path);
  for (const DbPath& place : cf_options.cf_paths) table_directories.insert(place.path);
  table_directories.erase(path);
  for (const std::string& directory : table_directories) {
    RemoveFiles(
        fs, directory,
        [](const ParsedFileName& name) {
          return name.kind == FileKind::kTable || name.kind == FileKind::kBlob;
        },
        &status);
    (void)fs->DeleteDir(directory).ok();  // Stays when something else is in it.
  }
  const std::string wal_directory = options.wal_dir.empty() ? path : options.wal_dir;
  const auto is_log = [](const ParsedFileName& name) { return name.kind == FileKind::kWal; };
  for (const std::string& directory :
       std::set<std::string>{ArchiveDirectory(path), ArchiveDirectory(wal_directory)}) {
    RemoveFiles(fs, directory, is_log, &status);
    (void)fs->DeleteDir(directory).ok();
  }
  if (wal_directory != path) {
    RemoveFiles(fs, wal_directory, is_log, &status);
    (void)fs->DeleteDir(wal_directory).ok();
  }
  (void)fs->UnlockFile(std::move(lock.value())).ok();  // The file goes next.
  (void)fs->DeleteFile(LockFileName(path)).ok();
  (void)fs->DeleteDir(path).ok();  // Stays when something else is in it.
  return status;
}

Result<std::vector<std::string>> Db::ListColumnFamilies(const DbOptions& options,
                                                        const std::string& path) {
  return VersionSet::ListColumnFamilies(options.env->file_system, path);
}

}  // namespace skarn
