#include "core/env/mapped_log_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/env/posix_files.h"

namespace skarn {

namespace {

using posix::Descriptor;

constexpr size_t kPage = 4096;
// How far the file is extended and mapped at a time: short, so that few zeroes follow the
// end after a crash; long enough for two thousand small records between system calls.
constexpr size_t kWindowBytes = 256 << 10;

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23  // Since Linux 5.14; older ones refuse it, which is harmless.
#endif

// On these, space that fallocate() reserved cannot run out when a page is written back.
// Where blocks are copied on every write it can, and a store would end the process.
bool ReservedSpaceIsSafe(int fd) {
  constexpr unsigned long kXfsMagic = 0x58465342;  // NOLINT: the type of f_type.
  struct statfs info {};
  if (fstatfs(fd, &info) != 0) return false;
  const auto type = static_cast<unsigned long>(info.f_type);  // NOLINT
  return type == EXT4_SUPER_MAGIC || type == kXfsMagic || type == TMPFS_MAGIC;
}

class MappedLogFile final : public WritableFile {
 public:
  MappedLogFile(Descriptor fd, const std::string& path, const FileOptions& options)
      : fd_(std::move(fd)), path_(path), use_fsync_(options.use_fsync) {}
  ~MappedLogFile() override { (void)Close(); }

  // Maps the first window. Fails where the disk format cannot reserve space.
  Status Prepare() { return MoveWindow(/*more=*/0); }

  Status Append(Slice data) override {
    if (data.empty()) return Status::Ok();
    if (size_ + data.size() > window_start_ + window_bytes_) {
      if (Status s = MoveWindow(data.size()); !s.ok()) return s;
    }
    CopyFirstBytesLast(window_ + (size_ - window_start_), data);
    size_ += data.size();
    return Status::Ok();
  }

  Status Truncate(uint64_t size) override {
    Unmap();
    if (ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) {
      return Status::IoErrorFromErrno(Concat("While ftruncate file to size ", size), path_, errno);
    }
    size_ = size;
    return Status::Ok();
  }

  Status Close() override {
    if (!fd_.valid()) return Status::Ok();
    Unmap();
    Status result;
    if (ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0) {
      result = Status::IoErrorFromErrno("While ftruncating file to its end", path_, errno);
    }
    if (fd_.Close() != 0 && result.ok()) {
      result = Status::IoErrorFromErrno("While closing file after writing", path_, errno);
    }
    return result;
  }

  Status Flush() override { return Status::Ok(); }  // The bytes are the kernel's already.

  Status Sync() override {
    if (use_fsync_) return Fsync();
    if (fdatasync(fd_.get()) != 0) {
      return Status::IoErrorFromErrno("While fdatasync", path_, errno);
    }
    return Status::Ok();
  }

  Status Fsync() override {
    if (fsync(fd_.get()) != 0) return Status::IoErrorFromErrno("While fsync", path_, errno);
    return Status::Ok();
  }

  Status RangeSync(uint64_t offset, uint64_t size) override {
    (void)sync_file_range(fd_.get(), static_cast<off_t>(offset), static_cast<off_t>(size),
                          SYNC_FILE_RANGE_WRITE);
    return Status::Ok();
  }

  uint64_t Size() override { return size_; }

 private:
  // After a kill between any two instructions, either no byte of the start is there, so
  // that a reader sees zeroes, or all of `data` is.
  static void CopyFirstBytesLast(char* to, Slice data) {
    if (data.size() < sizeof(uint64_t)) {
      memcpy(to, data.data(), data.size());
      return;
    }
    memcpy(to + sizeof(uint64_t), data.data() + sizeof(uint64_t), data.size() - sizeof(uint64_t));
    uint64_t first = 0;
    memcpy(&first, data.data(), sizeof(first));
    std::atomic_signal_fence(std::memory_order_seq_cst);  // Stores of x86 keep this order.
    __builtin_memcpy(to, &first, sizeof(first));
  }

  void Unmap() {
    if (window_ != nullptr) munmap(window_, window_bytes_);
    window_ = nullptr;
    window_bytes_ = 0;
    window_start_ = 0;
  }

  // Maps a window that begins with the page of the end and holds `more` bytes after it.
  Status MoveWindow(size_t more) {
    const uint64_t start = size_ / kPage * kPage;
    const size_t needed = static_cast<size_t>(size_ - start) + more;
    const size_t bytes = (std::max(needed, kWindowBytes) + kPage - 1) / kPage * kPage;
    int outcome = 0;
    do {
      outcome = fallocate(fd_.get(), 0, static_cast<off_t>(start), static_cast<off_t>(bytes));
    } while (outcome != 0 && errno == EINTR);
    if (outcome != 0) return Status::IoErrorFromErrno("While appending to file", path_, errno);
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(),
                        static_cast<off_t>(start));
    if (memory == MAP_FAILED) {
      return Status::IoErrorFromErrno("While mmap file for appending", path_, errno);
    }
    madvise(memory, bytes, MADV_POPULATE_WRITE);  // All page faults at once.
    Unmap();
    window_ = static_cast<char*>(memory);
    window_start_ = start;
    window_bytes_ = bytes;
    return Status::Ok();
  }

  Descriptor fd_;
  const std::string path_;
  const bool use_fsync_;
  uint64_t size_ = 0;  // The logical end.
  char* window_ = nullptr;
  uint64_t window_start_ = 0;
  size_t window_bytes_ = 0;
};

// Nullptr when this file cannot be mapped.
std::unique_ptr<WritableFile> OpenMapped(const std::string& path, int flags,
                                         const FileOptions& options) {
  Descriptor fd = posix::Open(path, O_RDWR | flags | (options.close_on_exec ? O_CLOEXEC : 0));
  if (!fd.valid() || !ReservedSpaceIsSafe(fd.get())) return nullptr;
  auto file = std::make_unique<MappedLogFile>(std::move(fd), path, options);
  if (!file->Prepare().ok()) return nullptr;
  return file;
}

bool MayMap(FileSystem* fs, const FileOptions& options) {
  return fs == PosixFileSystem() && !options.direct_writes && options.allow_fallocate;
}

}  // namespace

Result<std::unique_ptr<WritableFile>> NewMappedLogFile(FileSystem* fs, const std::string& path,
                                                       const FileOptions& options) {
  if (MayMap(fs, options)) {
    std::unique_ptr<WritableFile> file = OpenMapped(path, O_CREAT | O_TRUNC, options);
    if (file != nullptr) return file;
  }
  return fs->NewWritableFile(path, options);
}

Result<std::unique_ptr<WritableFile>> ReuseMappedLogFile(FileSystem* fs, const std::string& path,
                                                         const std::string& old_path,
                                                         const FileOptions& options) {
  if (!MayMap(fs, options)) return fs->ReuseWritableFile(path, old_path, options);
  if (Status s = fs->RenameFile(old_path, path); !s.ok()) return s;
  std::unique_ptr<WritableFile> file = OpenMapped(path, 0, options);
  if (file != nullptr) return file;
  // Renaming a file to its own name changes nothing.
  return fs->ReuseWritableFile(path, path, options);
}

}  // namespace skarn
