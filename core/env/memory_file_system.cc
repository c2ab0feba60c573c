#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "core/base/mutex.h"
#include "core/env/file_system.h"

namespace skarn {

namespace {

uint64_t NowSeconds() { return static_cast<uint64_t>(time(nullptr)); }

// The bytes of one file. Shared by the names and open objects that refer to it.
class MemoryFile {
 public:
  uint64_t Size() const SKARN_EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    return bytes_.size();
  }
  uint64_t modified_seconds() const SKARN_EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    return modified_seconds_;
  }
  size_t Read(uint64_t offset, size_t size, char* to) const SKARN_EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    if (offset >= bytes_.size()) return 0;
    const size_t count = std::min<uint64_t>(size, bytes_.size() - offset);
    memcpy(to, bytes_.data() + offset, count);
    return count;
  }
  void Write(uint64_t offset, Slice data) SKARN_EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    if (bytes_.size() < offset + data.size()) bytes_.resize(offset + data.size());
    if (!data.empty()) memcpy(bytes_.data() + offset, data.data(), data.size());
    modified_seconds_ = NowSeconds();
  }
  void Resize(uint64_t size) SKARN_EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    bytes_.resize(size);
    modified_seconds_ = NowSeconds();
  }

 private:
  // A leaf in the lock order: nothing is locked under it.
  mutable Mutex mu_;
  std::string bytes_ SKARN_GUARDED_BY(mu_);
  uint64_t modified_seconds_ SKARN_GUARDED_BY(mu_) = NowSeconds();
};

// Shared by every name of the file and every open object, so that a deleted file stays
// readable where it is open.
using FilePointer = std::shared_ptr<MemoryFile>;

class MemorySequentialFile final : public SequentialFile {
 public:
  explicit MemorySequentialFile(FilePointer file) : file_(std::move(file)) {}
  Status Read(size_t size, Slice* result, char* scratch) override {
    const size_t count = file_->Read(position_, size, scratch);
    position_ += count;
    *result = Slice(scratch, count);
    return Status::Ok();
  }
  Status Skip(uint64_t size) override {
    position_ += size;
    return Status::Ok();
  }
  Status Seek(uint64_t offset) override {
    position_ = offset;
    return Status::Ok();
  }

 private:
  const FilePointer file_;
  uint64_t position_ = 0;
};

class MemoryRandomAccessFile final : public RandomAccessFile {
 public:
  explicit MemoryRandomAccessFile(FilePointer file) : file_(std::move(file)) {}
  Status Read(uint64_t offset, size_t size, Slice* result, char* scratch) const override {
    *result = Slice(scratch, file_->Read(offset, size, scratch));
    return Status::Ok();
  }
  Status Prefetch(uint64_t, size_t) const override { return Status::Ok(); }
  Result<uint64_t> Size() const override { return file_->Size(); }

 private:
  const FilePointer file_;
};

class MemoryWritableFile final : public WritableFile {
 public:
  MemoryWritableFile(FilePointer file, uint64_t size) : file_(std::move(file)), size_(size) {}
  Status Append(Slice data) override {
    file_->Write(size_, data);
    size_ += data.size();
    return Status::Ok();
  }
  Status PositionedAppend(Slice data, uint64_t offset) override {
    file_->Write(offset, data);
    size_ = offset + data.size();
    return Status::Ok();
  }
  Status Truncate(uint64_t size) override {
    file_->Resize(size);
    size_ = size;
    return Status::Ok();
  }
  Status Close() override { return Status::Ok(); }
  Status Flush() override { return Status::Ok(); }
  Status Sync() override { return Status::Ok(); }
  uint64_t Size() override { return size_; }

  Status GrowAhead(uint64_t end, size_t) override {
    if (file_->Size() < end) file_->Resize(end);
    return Status::Ok();
  }
  char* MapAhead(uint64_t offset, uint64_t end) override {
    window_.resize(end - offset);
    window_offset_ = offset;
    (void)file_->Read(offset, window_.size(), window_.data());
    return window_.data();
  }
  Status Filled(uint64_t end) override {
    return Append(Slice(window_.data() + (size_ - window_offset_), end - size_));
  }

 private:
  const FilePointer file_;
  uint64_t size_;
  // Stands for memory that shows the file: what is stored gets there with Filled().
  std::string window_;
  uint64_t window_offset_ = 0;
};

class MemoryDirectory final : public Directory {
 public:
  Status Fsync() override { return Status::Ok(); }
};

class MemoryFileLock final : public FileLock {
 public:
  explicit MemoryFileLock(std::string path) : path_(std::move(path)) {}
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

class MemoryFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<SequentialFile>> NewSequentialFile(const std::string& path,
                                                            const FileOptions&) override {
    FilePointer file = Find(path);
    if (file == nullptr) return Missing("While opening a file for sequentially reading", path);
    return std::unique_ptr<SequentialFile>(std::make_unique<MemorySequentialFile>(file));
  }

  Result<std::unique_ptr<RandomAccessFile>> NewRandomAccessFile(const std::string& path,
                                                                const FileOptions&) override {
    FilePointer file = Find(path);
    if (file == nullptr) return Missing("While open a file for random read", path);
    return std::unique_ptr<RandomAccessFile>(std::make_unique<MemoryRandomAccessFile>(file));
  }

  Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path,
                                                        const FileOptions&) override {
    const std::string name = Normal(path);
    MutexLock lock(&mu_);
    if (directories_.count(name) != 0) return IsADirectory(path);
    FilePointer& file = files_[name];
    if (file == nullptr) {
      file = std::make_shared<MemoryFile>();
    } else {
      file->Resize(0);
    }
    return std::unique_ptr<WritableFile>(std::make_unique<MemoryWritableFile>(file, 0));
  }

  Result<std::unique_ptr<WritableFile>> ReopenWritableFile(const std::string& path,
                                                           const FileOptions&) override {
    const std::string name = Normal(path);
    MutexLock lock(&mu_);
    if (directories_.count(name) != 0) return IsADirectory(path);
    FilePointer& file = files_[name];
    if (file == nullptr) file = std::make_shared<MemoryFile>();
    return std::unique_ptr<WritableFile>(std::make_unique<MemoryWritableFile>(file, file->Size()));
  }

  Result<std::unique_ptr<WritableFile>> ReuseWritableFile(const std::string& path,
                                                          const std::string& old_path,
                                                          const FileOptions&) override {
    if (Status s = RenameFile(old_path, path); !s.ok()) return s;
    return std::unique_ptr<WritableFile>(std::make_unique<MemoryWritableFile>(Find(path), 0));
  }

  Result<std::unique_ptr<Directory>> NewDirectory(const std::string&) override {
    return std::unique_ptr<Directory>(std::make_unique<MemoryDirectory>());
  }

  Status FileExists(const std::string& path) override {
    const std::string name = Normal(path);
    MutexLock lock(&mu_);
    return files_.count(name) != 0 || IsDirectory(name) ? Status::Ok() : Status::NotFound();
  }

  Status GetChildren(const std::string& directory, std::vector<std::string>* names) override {
    names->clear();
    const std::string name = Normal(directory);
    MutexLock lock(&mu_);
    if (!IsDirectory(name)) return Status::NotFound();
    const std::string prefix = name == "/" ? name : name + "/";
    std::set<std::string> children;
    const auto add_below = [&](const std::string& path) {
      if (path.size() <= prefix.size() || !Slice(path).StartsWith(prefix)) return;
      const size_t end = path.find('/', prefix.size());
      children.insert(path.substr(prefix.size(), end - prefix.size()));
    };
    for (const auto& [path, file] : files_) add_below(path);
    for (const std::string& path : directories_) add_below(path);
    names->assign(children.begin(), children.end());
    return Status::Ok();
  }

  Status DeleteFile(const std::string& path) override {
    MutexLock lock(&mu_);
    if (files_.erase(Normal(path)) == 0) return Missing("while unlink() file", path);
    return Status::Ok();
  }

  Status CreateDir(const std::string& path) override {
    const std::string name = Normal(path);
    MutexLock lock(&mu_);
    if (files_.count(name) != 0 || !directories_.insert(name).second) {
      return Status::IoErrorFromErrno("While mkdir", path, EEXIST);
    }
    return Status::Ok();
  }

  Status CreateDirIfMissing(const std::string& path) override {
    const std::string name = Normal(path);
    MutexLock lock(&mu_);
    if (files_.count(name) != 0) {
      return Status::IoError(Concat("`", path, "' exists but is not a directory"));
    }
    directories_.insert(name);
    return Status::Ok();
  }

  Status DeleteDir(const std::string& path) override {
    const std::string name = Normal(path);
    MutexLock lock(&mu_);
    if (!IsDirectory(name)) return Missing("file rmdir", path);
    if (HasChildren(name)) return Status::IoErrorFromErrno("file rmdir", path, ENOTEMPTY);
    directories_.erase(name);
    return Status::Ok();
  }

  Result<uint64_t> FileSize(const std::string& path) override {
    FilePointer file = Find(path);
    if (file == nullptr) return Missing("while stat a file for size", path);
    return file->Size();
  }

  Result<uint64_t> FileModificationTime(const std::string& path) override {
    FilePointer file = Find(path);
    if (file == nullptr) return Missing("while stat a file for modification time", path);
    return file->modified_seconds();
  }

  Status RenameFile(const std::string& from, const std::string& to) override {
    const std::string old_name = Normal(from);
    const std::string new_name = Normal(to);
    MutexLock lock(&mu_);
    if (const auto file = files_.find(old_name); file != files_.end()) {
      if (old_name == new_name) return Status::Ok();
      files_[new_name] = file->second;
      files_.erase(old_name);
      return Status::Ok();
    }
    if (!IsDirectory(old_name)) return Missing(Concat("While renaming a file to ", to), from);
    if (IsDirectory(new_name) && HasChildren(new_name)) {
      return Status::IoErrorFromErrno(Concat("While renaming a file to ", to), from, ENOTEMPTY);
    }
    MoveDirectory(old_name, new_name);
    return Status::Ok();
  }

  Status LinkFile(const std::string& from, const std::string& to) override {
    MutexLock lock(&mu_);
    const auto file = files_.find(Normal(from));
    if (file == files_.end()) return Missing(Concat("while link file to ", to), from);
    if (!files_.emplace(Normal(to), file->second).second) {
      return Status::IoErrorFromErrno(Concat("while link file to ", to), from, EEXIST);
    }
    return Status::Ok();
  }

  Status Truncate(const std::string& path, uint64_t size) override {
    FilePointer file = Find(path);
    if (file == nullptr) return Missing(Concat("While truncate file to size ", size), path);
    file->Resize(size);
    return Status::Ok();
  }

  Result<bool> SameFile(const std::string& a, const std::string& b) override {
    if (Normal(a) == Normal(b)) return true;
    const FilePointer first = Find(a);
    return first != nullptr && first == Find(b);
  }

  Result<std::unique_ptr<FileLock>> LockFile(const std::string& path) override {
    const std::string name = Normal(path);
    MutexLock lock(&mu_);
    if (!locks_.emplace(name).second) {
      return Status::IoErrorFromErrno("lock hold by current process", path, ENOLCK);
    }
    FilePointer& file = files_[name];
    if (file == nullptr) file = std::make_shared<MemoryFile>();
    return std::unique_ptr<FileLock>(std::make_unique<MemoryFileLock>(name));
  }

  Status UnlockFile(std::unique_ptr<FileLock> file_lock) override {
    if (file_lock == nullptr) return Status::Ok();
    MutexLock lock(&mu_);
    locks_.erase(static_cast<MemoryFileLock*>(file_lock.get())->path());
    return Status::Ok();
  }

  Result<std::string> AbsolutePath(const std::string& path) override {
    return path.empty() || path[0] != '/' ? "/" + Normal(path) : Normal(path);
  }

  Result<uint64_t> FreeSpace(const std::string&) override { return uint64_t{1} << 40; }

 private:
  static Status Missing(Slice context, const std::string& path) {
    return Status::IoErrorFromErrno(context, path, ENOENT);
  }
  static Status IsADirectory(const std::string& path) {
    return Status::IoErrorFromErrno("While open a file for appending", path, EISDIR);
  }

  // Without repeated and trailing slashes.
  static std::string Normal(const std::string& path) {
    std::string normal;
    for (const char byte : path) {
      if (byte != '/' || normal.empty() || normal.back() != '/') normal.push_back(byte);
    }
    if (normal.size() > 1 && normal.back() == '/') normal.pop_back();
    return normal;
  }

  FilePointer Find(const std::string& path) SKARN_EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    const auto file = files_.find(Normal(path));
    return file == files_.end() ? nullptr : file->second;
  }

  // A directory was created, or something lies below it.
  bool IsDirectory(const std::string& name) const SKARN_REQUIRES(mu_) {
    return name == "/" || directories_.count(name) != 0 || HasChildren(name);
  }
  bool HasChildren(const std::string& name) const SKARN_REQUIRES(mu_) {
    const std::string prefix = name + "/";
    const auto file = files_.lower_bound(prefix);
    if (file != files_.end() && Slice(file->first).StartsWith(prefix)) return true;
    const auto directory = directories_.lower_bound(prefix);
    return directory != directories_.end() && Slice(*directory).StartsWith(prefix);
  }

  void MoveDirectory(const std::string& old_name, const std::string& new_name) SKARN_REQUIRES(mu_) {
    const std::string prefix = old_name + "/";
    std::map<std::string, FilePointer> files;
    for (auto& [path, file] : files_) {
      const bool inside = Slice(path).StartsWith(prefix);
      files[inside ? Concat(new_name, path.substr(old_name.size())) : path] = file;
    }
    files_.swap(files);
    std::set<std::string> directories{new_name};
    for (const std::string& path : directories_) {
      if (path == old_name) continue;
      const bool inside = Slice(path).StartsWith(prefix);
      directories.insert(inside ? Concat(new_name, path.substr(old_name.size())) : path);
    }
    directories_.swap(directories);
  }

  // Before the mutexes of files in the lock order.
  Mutex mu_;
  std::map<std::string, FilePointer> files_ SKARN_GUARDED_BY(mu_);
  std::set<std::string> directories_ SKARN_GUARDED_BY(mu_);  // Those created as such.
  std::set<std::string> locks_ SKARN_GUARDED_BY(mu_);
};

}  // namespace

std::unique_ptr<FileSystem> NewMemoryFileSystem() { return std::make_unique<MemoryFileSystem>(); }

}  // namespace skarn
