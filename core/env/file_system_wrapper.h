// FileSystemWrapper passes every call on to another file system. Bodies that change a
// few calls, such as the failing and the recording one for tests, start from it.
//
// Thread safety: that of the target.

#ifndef SKARN_CORE_ENV_FILE_SYSTEM_WRAPPER_H_
#define SKARN_CORE_ENV_FILE_SYSTEM_WRAPPER_H_

#include <memory>
#include <string>
#include <vector>

#include "core/env/file_system.h"

namespace skarn {

class FileSystemWrapper : public FileSystem {
 public:
  // `target` must outlive this object.
  explicit FileSystemWrapper(FileSystem* target) : target_(target) {}

  Result<std::unique_ptr<SequentialFile>> NewSequentialFile(const std::string& path,
                                                            const FileOptions& options) override {
    return target_->NewSequentialFile(path, options);
  }
  Result<std::unique_ptr<RandomAccessFile>> NewRandomAccessFile(
      const std::string& path, const FileOptions& options) override {
    return target_->NewRandomAccessFile(path, options);
  }
  Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path,
                                                        const FileOptions& options) override {
    return target_->NewWritableFile(path, options);
  }
  Result<std::unique_ptr<WritableFile>> ReopenWritableFile(const std::string& path,
                                                           const FileOptions& options) override {
    return target_->ReopenWritableFile(path, options);
  }
  Result<std::unique_ptr<WritableFile>> ReuseWritableFile(const std::string& path,
                                                          const std::string& old_path,
                                                          const FileOptions& options) override {
    return target_->ReuseWritableFile(path, old_path, options);
  }
  Result<std::unique_ptr<Directory>> NewDirectory(const std::string& path) override {
    return target_->NewDirectory(path);
  }
  Status FileExists(const std::string& path) override { return target_->FileExists(path); }
  Status GetChildren(const std::string& directory, std::vector<std::string>* names) override {
    return target_->GetChildren(directory, names);
  }
  Status DeleteFile(const std::string& path) override { return target_->DeleteFile(path); }
  Status CreateDir(const std::string& path) override { return target_->CreateDir(path); }
  Status CreateDirIfMissing(const std::string& path) override {
    return target_->CreateDirIfMissing(path);
  }
  Status DeleteDir(const std::string& path) override { return target_->DeleteDir(path); }
  Result<uint64_t> FileSize(const std::string& path) override { return target_->FileSize(path); }
  Result<uint64_t> FileModificationTime(const std::string& path) override {
    return target_->FileModificationTime(path);
  }
  Status RenameFile(const std::string& from, const std::string& to) override {
    return target_->RenameFile(from, to);
  }
  Status LinkFile(const std::string& from, const std::string& to) override {
    return target_->LinkFile(from, to);
  }
  Status Truncate(const std::string& path, uint64_t size) override {
    return target_->Truncate(path, size);
  }
  Result<bool> SameFile(const std::string& a, const std::string& b) override {
    return target_->SameFile(a, b);
  }
  Result<std::unique_ptr<FileLock>> LockFile(const std::string& path) override {
    return target_->LockFile(path);
  }
  Status UnlockFile(std::unique_ptr<FileLock> lock) override {
    return target_->UnlockFile(std::move(lock));
  }
  Result<std::string> AbsolutePath(const std::string& path) override {
    return target_->AbsolutePath(path);
  }
  Result<uint64_t> FreeSpace(const std::string& path) override { return target_->FreeSpace(path); }

  FileSystem* target() const { return target_; }

 protected:
  // For bodies that make their target themselves.
  void set_target(FileSystem* target) { target_ = target; }

 private:
  FileSystem* target_;
};

}  // namespace skarn

#endif  // SKARN_CORE_ENV_FILE_SYSTEM_WRAPPER_H_
