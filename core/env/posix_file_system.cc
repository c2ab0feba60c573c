#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <map>
#include <set>
#include <utility>

#include "core/base/mutex.h"
#include "core/env/posix_files.h"

namespace skarn {

namespace {

using posix::Descriptor;

int CloseOnExec(const FileOptions& options) { return options.close_on_exec ? O_CLOEXEC : 0; }

bool IsDirectory(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

class PosixDirectory final : public Directory {
 public:
  PosixDirectory(Descriptor fd, const std::string& path) : fd_(std::move(fd)), path_(path) {}

  Status Fsync() override {
    if (fsync(fd_.get()) != 0) return Status::IoErrorFromErrno("While fsync", path_, errno);
    return Status::Ok();
  }
  Status Close() override {
    if (fd_.Close() != 0) {
      return Status::IoErrorFromErrno("While closing directory ", path_, errno);
    }
    return Status::Ok();
  }

 private:
  Descriptor fd_;
  const std::string path_;
};

// Record locks belong to the process and vanish when any descriptor of the file is
// closed in it. So this process keeps a table of what it holds, and never opens a
// lock file that it holds already.
class LockTable {
 public:
  struct Holder {
    int64_t acquired_seconds;
    int64_t thread;
  };
  using Identity = std::pair<dev_t, ino_t>;

  // A leaf in the lock order, but held during a few system calls on lock files, so that
  // no other opener comes between a close and the table.
  Mutex mu;
  std::map<std::string, Holder> by_path SKARN_GUARDED_BY(mu);
  std::map<Identity, std::string> by_identity SKARN_GUARDED_BY(mu);  // The path it was locked by.
};

LockTable& GetLockTable() {
  static auto* const table = new LockTable;  // Never destroyed: databases may outlive it.
  return *table;
}

class PosixFileLock final : public FileLock {
 public:
  PosixFileLock(Descriptor fd, const std::string& path, LockTable::Identity identity)
      : fd_(std::move(fd)), path_(path), identity_(identity) {}
  ~PosixFileLock() override { (void)Unlock(); }

  Status Unlock() {
    if (!fd_.valid()) return Status::Ok();
    LockTable& table = GetLockTable();
    MutexLock lock(&table.mu);
    table.by_path.erase(path_);
    table.by_identity.erase(identity_);
    struct flock range {};
    range.l_type = F_UNLCK;
    range.l_whence = SEEK_SET;
    const int outcome = fcntl(fd_.get(), F_SETLK, &range);
    const int error = errno;
    (void)fd_.Close();
    if (outcome != 0) return Status::IoErrorFromErrno("unlock", path_, error);
    return Status::Ok();
  }

 private:
  Descriptor fd_;
  const std::string path_;
  const LockTable::Identity identity_;
};

class PosixFileSystemImpl final : public FileSystem {
 public:
  Result<std::unique_ptr<SequentialFile>> NewSequentialFile(const std::string& path,
                                                            const FileOptions& options) override {
    Descriptor fd = posix::Open(path, O_RDONLY | CloseOnExec(options));
    if (!fd.valid()) {
      return Status::IoErrorFromErrno("While opening a file for sequentially reading", path, errno);
    }
    return posix::MakeSequentialFile(std::move(fd), path);
  }

  Result<std::unique_ptr<RandomAccessFile>> NewRandomAccessFile(
      const std::string& path, const FileOptions& options) override {
    const int direct = options.direct_reads ? O_DIRECT : 0;
    Descriptor fd = posix::Open(path, O_RDONLY | direct | CloseOnExec(options));
    if (!fd.valid()) {
      return Status::IoErrorFromErrno("While open a file for random read", path, errno);
    }
    return posix::MakeRandomAccessFile(std::move(fd), path, options);
  }

  Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path,
                                                        const FileOptions& options) override {
    Descriptor fd = OpenForWriting(path, O_CREAT | O_TRUNC, options);
    if (!fd.valid()) {
      return Status::IoErrorFromErrno("While open a file for appending", path, errno);
    }
    return posix::MakeWritableFile(std::move(fd), path, options, /*size=*/0);
  }

  Result<std::unique_ptr<WritableFile>> ReopenWritableFile(const std::string& path,
                                                           const FileOptions& options) override {
    Descriptor fd = OpenForWriting(path, O_CREAT, options);
    if (!fd.valid()) {
      return Status::IoErrorFromErrno("While open a file for appending", path, errno);
    }
    const off_t end = lseek(fd.get(), 0, SEEK_END);
    if (end < 0) return Status::IoErrorFromErrno("While seek to end of file", path, errno);
    return posix::MakeWritableFile(std::move(fd), path, options, static_cast<uint64_t>(end));
  }

  Result<std::unique_ptr<WritableFile>> ReuseWritableFile(const std::string& path,
                                                          const std::string& old_path,
                                                          const FileOptions& options) override {
    if (rename(old_path.c_str(), path.c_str()) != 0) {
      return Status::IoErrorFromErrno(Concat("while rename file to ", path), old_path, errno);
    }
    Descriptor fd = OpenForWriting(path, 0, options);
    if (!fd.valid()) {
      return Status::IoErrorFromErrno("while reopen file for write", path, errno);
    }
    return posix::MakeWritableFile(std::move(fd), path, options, /*size=*/0);
  }

  Result<std::unique_ptr<Directory>> NewDirectory(const std::string& path) override {
    Descriptor fd = posix::Open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!fd.valid()) return Status::IoErrorFromErrno("While open directory", path, errno);
    return std::unique_ptr<Directory>(std::make_unique<PosixDirectory>(std::move(fd), path));
  }

  Status FileExists(const std::string& path) override {
    if (access(path.c_str(), F_OK) == 0) return Status::Ok();
    const int error = errno;
    if (error == EACCES || error == ELOOP || error == ENAMETOOLONG || error == ENOENT ||
        error == ENOTDIR) {
      return Status::NotFound();
    }
    return Status::IoErrorFromErrno("Unexpected error accessing file", path, error);
  }

  Status GetChildren(const std::string& directory, std::vector<std::string>* names) override {
    names->clear();
    DIR* stream = opendir(directory.c_str());
    if (stream == nullptr) {
      if (errno == EACCES || errno == ENOENT || errno == ENOTDIR) return Status::NotFound();
      return Status::IoErrorFromErrno("While opendir", directory, errno);
    }
    errno = 0;
    while (const dirent* entry = readdir(stream)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names->emplace_back(name);
      errno = 0;
    }
    const int error = errno;
    closedir(stream);
    if (error != 0) return Status::IoErrorFromErrno("While readdir", directory, error);
    return Status::Ok();
  }

  Status DeleteFile(const std::string& path) override {
    if (unlink(path.c_str()) == 0) return Status::Ok();
    return Status::IoErrorFromErrno("while unlink() file", path, errno);
  }

  Status CreateDir(const std::string& path) override {
    if (mkdir(path.c_str(), 0755) == 0) return Status::Ok();
    return Status::IoErrorFromErrno("While mkdir", path, errno);
  }

  Status CreateDirIfMissing(const std::string& path) override {
    if (mkdir(path.c_str(), 0755) == 0) return Status::Ok();
    const int error = errno;
    if (error != EEXIST) return Status::IoErrorFromErrno("While mkdir if missing", path, error);
    if (IsDirectory(path)) return Status::Ok();
    return Status::IoError(Concat("`", path, "' exists but is not a directory"));
  }

  Status DeleteDir(const std::string& path) override {
    if (rmdir(path.c_str()) == 0) return Status::Ok();
    return Status::IoErrorFromErrno("file rmdir", path, errno);
  }

  Result<uint64_t> FileSize(const std::string& path) override {
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) {
      return Status::IoErrorFromErrno("while stat a file for size", path, errno);
    }
    return static_cast<uint64_t>(info.st_size);
  }

  Result<uint64_t> FileModificationTime(const std::string& path) override {
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) {
      return Status::IoErrorFromErrno("while stat a file for modification time", path, errno);
    }
    return static_cast<uint64_t>(info.st_mtime);
  }

  Status RenameFile(const std::string& from, const std::string& to) override {
    if (rename(from.c_str(), to.c_str()) == 0) return Status::Ok();
    return Status::IoErrorFromErrno(Concat("While renaming a file to ", to), from, errno);
  }

  Status LinkFile(const std::string& from, const std::string& to) override {
    if (link(from.c_str(), to.c_str()) == 0) return Status::Ok();
    if (errno == EXDEV || errno == EOPNOTSUPP) {
      return Status::NotSupported(errno == EXDEV ? "No cross FS links allowed"
                                                 : "Links not supported by FS");
    }
    return Status::IoErrorFromErrno(Concat("while link file to ", to), from, errno);
  }

  Status Truncate(const std::string& path, uint64_t size) override {
    if (truncate(path.c_str(), static_cast<off_t>(size)) == 0) return Status::Ok();
    return Status::IoErrorFromErrno(Concat("While truncate file to size ", size), path, errno);
  }

  Result<bool> SameFile(const std::string& a, const std::string& b) override {
    struct stat first {};
    struct stat second {};
    if (stat(a.c_str(), &first) != 0) return Status::IoErrorFromErrno("stat file", a, errno);
    if (stat(b.c_str(), &second) != 0) return Status::IoErrorFromErrno("stat file", b, errno);
    return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
  }

  Result<std::unique_ptr<FileLock>> LockFile(const std::string& path) override {
    LockTable& table = GetLockTable();
    MutexLock lock(&table.mu);
    std::string held_as = path;
    struct stat info {};
    if (stat(path.c_str(), &info) == 0) {
      const auto same = table.by_identity.find({info.st_dev, info.st_ino});
      if (same != table.by_identity.end()) held_as = same->second;
    }
    if (const auto held = table.by_path.find(held_as); held != table.by_path.end()) {
      return Status::IoErrorFromErrno(
          Concat("lock hold by current process, acquire time ", held->second.acquired_seconds,
                 " acquiring thread ", held->second.thread),
          path, ENOLCK);
    }
    Descriptor fd = posix::Open(path, O_RDWR | O_CREAT | O_CLOEXEC);
    if (!fd.valid()) {
      return Status::IoErrorFromErrno("while open a file for lock", path, errno);
    }
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;  // From the start to whatever end.
    if (fcntl(fd.get(), F_SETLK, &range) != 0) {
      return Status::IoErrorFromErrno("While lock file", path, errno);
    }
    if (fstat(fd.get(), &info) != 0)
      return Status::IoErrorFromErrno("While lock file", path, errno);
    const LockTable::Identity identity{info.st_dev, info.st_ino};
    table.by_path[path] = {time(nullptr), syscall(SYS_gettid)};
    table.by_identity[identity] = path;
    return std::unique_ptr<FileLock>(
        std::make_unique<PosixFileLock>(std::move(fd), path, identity));
  }

  Status UnlockFile(std::unique_ptr<FileLock> lock) override {
    if (lock == nullptr) return Status::Ok();
    return static_cast<PosixFileLock*>(lock.get())->Unlock();
  }

  Result<std::string> AbsolutePath(const std::string& path) override {
    if (!path.empty() && path[0] == '/') return path;
    char directory[PATH_MAX];
    if (getcwd(directory, sizeof(directory)) == nullptr) {
      return Status::IoErrorFromErrno("While getting the current directory", path, errno);
    }
    return Concat(directory, '/', path);
  }

  Result<uint64_t> FreeSpace(const std::string& path) override {
    struct statvfs info {};
    if (statvfs(path.c_str(), &info) != 0) {
      return Status::IoErrorFromErrno("While doing statvfs", path, errno);
    }
    const uint64_t blocks = geteuid() == 0 ? info.f_bfree : info.f_bavail;
    return blocks * info.f_bsize;
  }

 private:
  static Descriptor OpenForWriting(const std::string& path, int flags, const FileOptions& options) {
    // What is to be mapped must be readable as well.
    flags |= options.grow_ahead ? O_RDWR : O_WRONLY;
    if (options.direct_writes) flags |= O_DIRECT;
    return posix::Open(path, flags | CloseOnExec(options));
  }
};

}  // namespace

FileSystem* PosixFileSystem() {
  static auto* const fs = new PosixFileSystemImpl;  // Never destroyed, as the header says.
  return fs;
}

}  // namespace skarn
