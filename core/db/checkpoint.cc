#include "core/db/checkpoint.h"

#include <utility>
#include <vector>

#include "core/version/file_names.h"

namespace skarn {
namespace {

// Removes a directory with the files in it. Neither is missed when it is not there.
Status RemoveDirectory(FileSystem* fs, const std::string& path) {
  std::vector<std::string> names;
  if (Status s = fs->GetChildren(path, &names); !s.ok()) {
    return s.IsNotFound() || s.IsPathNotFound() ? Status::Ok() : s;
  }
  for (const std::string& name : names) {
    if (Status s = fs->DeleteFile(Concat(path, "/", name)); !s.ok()) return s;
  }
  return fs->DeleteDir(path);
}

// Shares the file, or copies it where files cannot be shared.
Status LinkOrCopy(FileSystem* fs, const std::string& from, const std::string& to) {
  if (fs->LinkFile(from, to).ok()) return Status::Ok();
  return CopyFile(fs, from, to, /*size_bytes=*/0, /*sync=*/true);
}

// A size of 0 would mean the whole file to CopyFile().
Status CopyBegin(FileSystem* fs, const std::string& from, const std::string& to,
                 uint64_t size_bytes) {
  if (size_bytes == 0) return WriteStringToFile(fs, "", to, /*sync=*/true);
  return CopyFile(fs, from, to, size_bytes, /*sync=*/true);
}

Status CopyLiveFiles(FileSystem* fs, const LiveFiles& files, const std::string& from,
                     const std::string& to) {
  for (const LiveFiles::Table& table : files.tables) {
    if (table.directory != from) {
      return Status::NotSupported(
          "db_paths / cf_paths not supported for Checkpoint nor BackupEngine");
    }
    Status s = LinkOrCopy(fs, TableFileName(from, table.number), TableFileName(to, table.number));
    if (!s.ok()) return s;
  }
  if (files.options_number > 0) {
    // Another one may have replaced it meanwhile: then the copy has none, as none is needed.
    (void)LinkOrCopy(fs, OptionsFileName(from, files.options_number),
                     OptionsFileName(to, files.options_number));
  }
  Status s = CopyBegin(fs, ManifestFileName(from, files.manifest_number),
                       ManifestFileName(to, files.manifest_number), files.manifest_size_bytes);
  if (!s.ok()) return s;
  for (const LiveFiles::Wal& wal : files.wals) {
    s = CopyBegin(fs, WalFileName(files.wal_directory, wal.number), WalFileName(to, wal.number),
                  wal.size_bytes);
    if (!s.ok()) return s;
  }
  const std::string manifest = ManifestFileName("", files.manifest_number).substr(1);
  return WriteStringToFile(fs, manifest + "\n", CurrentFileName(to), /*sync=*/true);
}

Status SyncDirectory(FileSystem* fs, const std::string& path) {
  Result<std::unique_ptr<Directory>> directory = fs->NewDirectory(path);
  return directory.ok() ? (*directory)->Fsync() : directory.status();
}

}  // namespace

Status CreateCheckpoint(Db* db, const std::string& directory, uint64_t log_size_for_flush) {
  FileSystem* const fs = db->env()->file_system;
  if (Status s = fs->FileExists(directory); s.ok()) {
    return Status::InvalidArgument("Directory exists");
  } else if (!s.IsNotFound()) {
    return s;
  }
  const size_t last = directory.find_last_not_of('/');
  if (last == std::string::npos) {
    return Status::InvalidArgument("invalid checkpoint directory name");
  }
  const std::string target = directory.substr(0, last + 1);
  const std::string staging = target + ".tmp";
  if (Status s = RemoveDirectory(fs, staging); !s.ok()) {
    return Status::Aborted(Concat("Failed to clean the temporary directory ", staging,
                                  " needed before checkpoint creation : ", s.ToString()));
  }
  if (Status s = fs->CreateDir(staging); !s.ok()) return s;

  // A database that is only read deletes no files and refuses to be told so.
  const Status disabled = db->DisableFileDeletions();
  Status s = disabled.IsNotSupported() ? Status::Ok() : disabled;
  LiveFiles files;
  if (s.ok()) s = db->GetLiveFiles(log_size_for_flush, &files);
  if (s.ok()) s = CopyLiveFiles(fs, files, db->path(), staging);
  if (disabled.ok()) {
    Status enabled = db->EnableFileDeletions();
    if (s.ok()) s = enabled;
  }
  if (s.ok()) s = SyncDirectory(fs, staging);
  if (s.ok()) s = fs->RenameFile(staging, target);
  if (!s.ok()) {
    (void)RemoveDirectory(fs, staging);
    return s;
  }
  const size_t slash = target.rfind('/');
  return SyncDirectory(fs, slash == std::string::npos ? "." : target.substr(0, slash + 1));
}

}  // namespace skarn
