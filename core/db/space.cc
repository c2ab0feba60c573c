// The space that table files take, where the caller set an SstFileManager.

#include <string>

#include "core/db/db_impl.h"
#include "core/env/sst_file_manager.h"

namespace skarn {

void DbImpl::CountTableFile(const std::string& path, uint64_t size_bytes, ErrorCause cause) {
  SstFileManager* const manager = opened_options_->sst_file_manager.get();
  if (manager == nullptr) return;
  manager->OnAddFile(path, size_bytes);
  if (!manager->IsMaxAllowedSpaceReached()) return;
  SetBackgroundError(
      Status(Status::Code::kIoError, Status::Subcode::kSpaceLimit, "Max allowed space was reached"),
      cause);
}

void DbImpl::CountLiveTableFiles() {
  SstFileManager* const manager = opened_options_->sst_file_manager.get();
  if (manager == nullptr) return;
  for (const ColumnFamily* family : families_) {
    const Version* const version = family->versions()->current();
    for (int level = 0; level < version->storage().num_levels(); ++level) {
      for (const FileMetadata* file : version->storage().level(level)) {
        manager->OnAddFile(version->table_cache()->PathOf(*file), file->size_bytes);
      }
    }
  }
}

Status DbImpl::DeleteTableFile(const std::string& path, bool* slowly) {
  SstFileManager* const manager = opened_options_->sst_file_manager.get();
  if (manager == nullptr) return fs_->DeleteFile(path);
  const uint64_t trash_before = manager->trash_size();
  Status status = manager->DeleteFile(fs_, path);
  *slowly = manager->trash_size() > trash_before;
  return status;
}

}  // namespace skarn
