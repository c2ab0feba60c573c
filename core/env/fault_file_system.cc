#include "core/env/fault_file_system.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace skarn {

namespace {

using Faults = FaultFileSystem;

class FaultSequentialFile final : public SequentialFile {
 public:
  FaultSequentialFile(Faults* faults, std::unique_ptr<SequentialFile> file, const std::string& path)
      : faults_(faults), file_(std::move(file)), path_(path) {}
  Status Read(size_t size, Slice* result, char* scratch) override {
    *result = Slice();
    if (Status s = faults_->Check(Faults::kRead, "While reading", path_); !s.ok()) return s;
    return file_->Read(size, result, scratch);
  }
  Status Skip(uint64_t size) override { return file_->Skip(size); }
  Status Seek(uint64_t offset) override { return file_->Seek(offset); }

 private:
  Faults* const faults_;
  const std::unique_ptr<SequentialFile> file_;
  const std::string path_;
};

// Does not offer the target's mapping, so that every read is a call that can fail.
class FaultRandomAccessFile final : public RandomAccessFile {
 public:
  FaultRandomAccessFile(Faults* faults, std::unique_ptr<RandomAccessFile> file,
                        const std::string& path)
      : faults_(faults), file_(std::move(file)), path_(path) {}
  Status Read(uint64_t offset, size_t size, Slice* result, char* scratch) const override {
    *result = Slice();
    if (Status s = faults_->Check(Faults::kRead, "While reading", path_); !s.ok()) return s;
    return file_->Read(offset, size, result, scratch);
  }
  Status Prefetch(uint64_t offset, size_t size) const override {
    return file_->Prefetch(offset, size);
  }
  void Advise(Pattern pattern) const override { file_->Advise(pattern); }
  Status InvalidateCache(uint64_t offset, size_t size) const override {
    return file_->InvalidateCache(offset, size);
  }
  Result<uint64_t> Size() const override {
    if (Status s = faults_->Check(Faults::kQuery, "While asking for the size", path_); !s.ok()) {
      return s;
    }
    return file_->Size();
  }
  bool direct_io() const override { return file_->direct_io(); }
  size_t alignment() const override { return file_->alignment(); }

 private:
  Faults* const faults_;
  const std::unique_ptr<RandomAccessFile> file_;
  const std::string path_;
};

class FaultWritableFile final : public WritableFile {
 public:
  FaultWritableFile(Faults* faults, std::unique_ptr<WritableFile> file, const std::string& path)
      : faults_(faults), file_(std::move(file)), path_(path) {}

  Status Append(Slice data) override {
    size_t partial_bytes = 0;
    bool silent = false;
    Status s =
        faults_->Check(Faults::kAppend, "While appending to file", path_, &partial_bytes, &silent);
    if (silent) return Status::Ok();
    if (s.ok()) return file_->Append(data);
    // The failure to report is the one that was asked for.
    (void)file_->Append(Slice(data.data(), std::min(partial_bytes, data.size())));
    return s;
  }
  Status PositionedAppend(Slice data, uint64_t offset) override {
    if (Status s = faults_->Check(Faults::kAppend, "While pwrite to file", path_); !s.ok()) {
      return s;
    }
    return file_->PositionedAppend(data, offset);
  }
  Status Truncate(uint64_t size) override {
    if (Status s = faults_->Check(Faults::kTruncate, "While ftruncate", path_); !s.ok()) return s;
    return file_->Truncate(size);
  }
  Status Close() override {
    if (closed_) return Status::Ok();
    closed_ = true;
    Status s = faults_->Check(Faults::kClose, "While closing file after writing", path_);
    Status closed = file_->Close();
    return s.ok() ? closed : s;
  }
  Status Flush() override {
    if (Status s = faults_->Check(Faults::kFlush, "While flushing", path_); !s.ok()) return s;
    return file_->Flush();
  }
  Status Sync() override {
    bool silent = false;
    if (Status s = faults_->Check(Faults::kSync, "While fdatasync", path_, nullptr, &silent);
        !s.ok()) {
      return s;
    }
    return silent ? Status::Ok() : file_->Sync();
  }
  Status Fsync() override {
    bool silent = false;
    if (Status s = faults_->Check(Faults::kSync, "While fsync", path_, nullptr, &silent); !s.ok()) {
      return s;
    }
    return silent ? Status::Ok() : file_->Fsync();
  }
  Status RangeSync(uint64_t offset, uint64_t size) override {
    if (Status s = faults_->Check(Faults::kRangeSync, "While sync_file_range", path_); !s.ok()) {
      return s;
    }
    return file_->RangeSync(offset, size);
  }
  Status Allocate(uint64_t offset, uint64_t size) override {
    if (Status s = faults_->Check(Faults::kAllocate, "While fallocate", path_); !s.ok()) return s;
    return file_->Allocate(offset, size);
  }
  Status InvalidateCache(uint64_t offset, size_t size) override {
    return file_->InvalidateCache(offset, size);
  }
  uint64_t Size() override { return file_->Size(); }
  bool direct_io() const override { return file_->direct_io(); }
  size_t alignment() const override { return file_->alignment(); }
  Status GrowAhead(uint64_t end, size_t piece_bytes) override {
    if (!faults_->offers_memory()) return Status::NotSupported("GrowAhead");
    if (Status s = faults_->Check(Faults::kAllocate, "While writing zeroes", path_); !s.ok()) {
      return s;
    }
    return file_->GrowAhead(end, piece_bytes);
  }
  char* MapAhead(uint64_t offset, uint64_t end) override { return file_->MapAhead(offset, end); }
  Status Filled(uint64_t end) override { return file_->Filled(end); }

 private:
  Faults* const faults_;
  const std::unique_ptr<WritableFile> file_;
  const std::string path_;
  bool closed_ = false;
};

class FaultDirectory final : public Directory {
 public:
  FaultDirectory(Faults* faults, std::unique_ptr<Directory> directory, const std::string& path)
      : faults_(faults), directory_(std::move(directory)), path_(path) {}
  Status Fsync() override {
    if (Status s = faults_->Check(Faults::kDirectorySync, "While fsync", path_); !s.ok()) return s;
    return directory_->Fsync();
  }
  Status Close() override { return directory_->Close(); }

 private:
  Faults* const faults_;
  const std::unique_ptr<Directory> directory_;
  const std::string path_;
};

// Puts what the target opened into the wrapper of its kind.
template <typename Wrapper, typename Interface>
Result<std::unique_ptr<Interface>> Wrap(Faults* faults, Result<std::unique_ptr<Interface>> opened,
                                        const std::string& path) {
  if (!opened.ok()) return opened.status();
  return std::unique_ptr<Interface>(std::make_unique<Wrapper>(faults, std::move(*opened), path));
}

}  // namespace

void FaultFileSystem::Arm(const Plan& plan) {
  MutexLock lock(&mu_);
  plans_.push_back({plan});
}

void FaultFileSystem::Disarm() {
  MutexLock lock(&mu_);
  plans_.clear();
}

uint64_t FaultFileSystem::calls(uint32_t kinds) const {
  MutexLock lock(&mu_);
  uint64_t count = 0;
  for (uint32_t bit = 0; bit < 32; bit++) {
    if ((kinds & (1u << bit)) != 0) count += calls_[bit];
  }
  return count;
}

uint64_t FaultFileSystem::failures() const {
  MutexLock lock(&mu_);
  return failures_;
}

Status FaultFileSystem::Check(uint32_t kind, const char* context, const std::string& path,
                              size_t* partial_bytes, bool* silent) {
  MutexLock lock(&mu_);
  calls_[std::countr_zero(kind)]++;
  const Plan* failing = nullptr;
  for (Armed& armed : plans_) {
    const Plan& plan = armed.plan;
    if ((plan.kinds & kind) == 0) continue;
    if (path.find(plan.path_contains) == std::string::npos) continue;
    if (plan.silent && silent == nullptr) continue;
    armed.seen++;
    if (armed.seen == plan.nth || (plan.forever && armed.seen > plan.nth)) {
      if (failing == nullptr) failing = &plan;
    }
  }
  if (failing == nullptr) return Status::Ok();
  failures_++;
  if (failing->silent) {
    *silent = true;
    return Status::Ok();
  }
  if (partial_bytes != nullptr) *partial_bytes = failing->partial_bytes;
  Status s = Status::IoErrorFromErrno(context, path, failing->error_number);
  if (failing->retryable) s.set_retryable(true);
  lock.Unlock();
  if (kind == kSync && on_failed_sync_) on_failed_sync_(path);
  return s;
}

Result<std::unique_ptr<SequentialFile>> FaultFileSystem::NewSequentialFile(
    const std::string& path, const FileOptions& options) {
  if (Status s = Check(kOpenForReading, "While opening a file for sequentially reading", path);
      !s.ok()) {
    return s;
  }
  return Wrap<FaultSequentialFile>(this, target()->NewSequentialFile(path, options), path);
}

Result<std::unique_ptr<RandomAccessFile>> FaultFileSystem::NewRandomAccessFile(
    const std::string& path, const FileOptions& options) {
  if (Status s = Check(kOpenForReading, "While open a file for random read", path); !s.ok()) {
    return s;
  }
  return Wrap<FaultRandomAccessFile>(this, target()->NewRandomAccessFile(path, options), path);
}

Result<std::unique_ptr<WritableFile>> FaultFileSystem::NewWritableFile(const std::string& path,
                                                                       const FileOptions& options) {
  if (Status s = Check(kOpenForWriting, "While open a file for appending", path); !s.ok()) return s;
  return Wrap<FaultWritableFile>(this, target()->NewWritableFile(path, options), path);
}

Result<std::unique_ptr<WritableFile>> FaultFileSystem::ReopenWritableFile(
    const std::string& path, const FileOptions& options) {
  if (Status s = Check(kOpenForWriting, "While open a file for appending", path); !s.ok()) return s;
  return Wrap<FaultWritableFile>(this, target()->ReopenWritableFile(path, options), path);
}

Result<std::unique_ptr<WritableFile>> FaultFileSystem::ReuseWritableFile(
    const std::string& path, const std::string& old_path, const FileOptions& options) {
  if (Status s = Check(kRename, "while rename file", old_path); !s.ok()) return s;
  if (Status s = Check(kOpenForWriting, "while reopen file for write", path); !s.ok()) return s;
  return Wrap<FaultWritableFile>(this, target()->ReuseWritableFile(path, old_path, options), path);
}

Result<std::unique_ptr<Directory>> FaultFileSystem::NewDirectory(const std::string& path) {
  if (Status s = Check(kOpenDirectory, "While open directory", path); !s.ok()) return s;
  return Wrap<FaultDirectory>(this, target()->NewDirectory(path), path);
}

Status FaultFileSystem::FileExists(const std::string& path) {
  if (Status s = Check(kQuery, "While looking for a file", path); !s.ok()) return s;
  return target()->FileExists(path);
}

Status FaultFileSystem::GetChildren(const std::string& directory, std::vector<std::string>* names) {
  if (Status s = Check(kQuery, "While opendir", directory); !s.ok()) return s;
  return target()->GetChildren(directory, names);
}

Status FaultFileSystem::DeleteFile(const std::string& path) {
  if (Status s = Check(kDelete, "while unlink() file", path); !s.ok()) return s;
  return target()->DeleteFile(path);
}

Status FaultFileSystem::CreateDir(const std::string& path) {
  if (Status s = Check(kDirectoryChange, "While mkdir", path); !s.ok()) return s;
  return target()->CreateDir(path);
}

Status FaultFileSystem::CreateDirIfMissing(const std::string& path) {
  if (Status s = Check(kDirectoryChange, "While mkdir if missing", path); !s.ok()) return s;
  return target()->CreateDirIfMissing(path);
}

Status FaultFileSystem::DeleteDir(const std::string& path) {
  if (Status s = Check(kDirectoryChange, "file rmdir", path); !s.ok()) return s;
  return target()->DeleteDir(path);
}

Result<uint64_t> FaultFileSystem::FileSize(const std::string& path) {
  if (Status s = Check(kQuery, "while stat a file for size", path); !s.ok()) return s;
  return target()->FileSize(path);
}

Result<uint64_t> FaultFileSystem::FileModificationTime(const std::string& path) {
  if (Status s = Check(kQuery, "while stat a file for modification time", path); !s.ok()) return s;
  return target()->FileModificationTime(path);
}

Status FaultFileSystem::RenameFile(const std::string& from, const std::string& to) {
  if (Status s = Check(kRename, "While renaming a file", from + " to " + to); !s.ok()) return s;
  return target()->RenameFile(from, to);
}

Status FaultFileSystem::LinkFile(const std::string& from, const std::string& to) {
  if (Status s = Check(kLink, "while link file", from + " to " + to); !s.ok()) return s;
  return target()->LinkFile(from, to);
}

Status FaultFileSystem::Truncate(const std::string& path, uint64_t size) {
  if (Status s = Check(kTruncate, "While truncate file", path); !s.ok()) return s;
  return target()->Truncate(path, size);
}

Result<std::unique_ptr<FileLock>> FaultFileSystem::LockFile(const std::string& path) {
  if (Status s = Check(kLock, "While lock file", path); !s.ok()) return s;
  return target()->LockFile(path);
}

}  // namespace skarn
