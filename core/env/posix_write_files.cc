#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/env/posix_files.h"

namespace skarn::posix {

namespace {

constexpr size_t kAlignment = 4096;
// Some systems refuse to write 2 GiB at once.
constexpr size_t kWriteBytesMax = size_t{1} << 30;
constexpr size_t kZeroBytesMax = size_t{256} << 10;

// Never written to, and so without memory of its own.
constinit char zeroes[kZeroBytesMax] = {};

// Whether space that was written once stays the file's, so that storing to it later cannot fail for
// want of space (which would be a signal, not an error). Where a page goes to a new place every
// time, it can.
bool OverwritesInPlace(int fd) {
  struct statfs info {};
  int outcome = 0;
  do {
    outcome = fstatfs(fd, &info);
  } while (outcome != 0 && errno == EINTR);
  if (outcome != 0) return false;
  switch (static_cast<uint64_t>(info.f_type)) {
    case EXT4_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
    case TMPFS_MAGIC:
      return true;
    default:
      return false;
  }
}

class PosixWritableFile final : public WritableFile {
 public:
  PosixWritableFile(Descriptor fd, const std::string& path, const FileOptions& options,
                    uint64_t size)
      : fd_(std::move(fd)), path_(path), options_(options), size_(size) {}

  ~PosixWritableFile() override { (void)Close(); }

  Status Append(Slice data) override {
    while (!data.empty()) {
      const size_t size = std::min(data.size(), kWriteBytesMax);
      // The descriptor's own position is not kept when the file is filled through memory.
      const ssize_t put = positioned_
                              ? pwrite(fd_.get(), data.data(), size, static_cast<off_t>(size_))
                              : write(fd_.get(), data.data(), size);
      if (put < 0) {
        if (errno == EINTR) continue;
        return Status::IoErrorFromErrno("While appending to file", path_, errno);
      }
      data.RemovePrefix(static_cast<size_t>(put));
      size_ += static_cast<uint64_t>(put);
    }
    return Status::Ok();
  }

  Status PositionedAppend(Slice data, uint64_t offset) override {
    while (!data.empty()) {
      const ssize_t put = pwrite(fd_.get(), data.data(), std::min(data.size(), kWriteBytesMax),
                                 static_cast<off_t>(offset));
      if (put < 0) {
        if (errno == EINTR) continue;
        return Status::IoErrorFromErrno(Concat("While pwrite to file at offset ", offset), path_,
                                        errno);
      }
      data.RemovePrefix(static_cast<size_t>(put));
      offset += static_cast<uint64_t>(put);
    }
    size_ = offset;
    return Status::Ok();
  }

  Status Truncate(uint64_t size) override {
    Unmap();
    int outcome = 0;
    do {
      outcome = ftruncate(fd_.get(), static_cast<off_t>(size));
    } while (outcome != 0 && errno == EINTR);
    if (outcome != 0) {
      return Status::IoErrorFromErrno(Concat("While ftruncate file to size ", size), path_, errno);
    }
    size_ = size;
    grown_end_ = size;
    return Status::Ok();
  }

  Status Close() override {
    if (!fd_.valid()) return Status::Ok();
    Unmap();
    Status result;
    if (allocated_end_ > size_) {
      // Space that was reserved and not used goes back. Cutting to the size the file has
      // already frees it on some systems only; a hole frees it on the others.
      if (ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0) {
        result =
            Status::IoErrorFromErrno("While ftruncating file to free reserved space", path_, errno);
      } else if (options_.fallocate_keep_size) {
        struct stat info {};
        const bool still_there = fstat(fd_.get(), &info) == 0 && info.st_blksize > 0 &&
                                 static_cast<uint64_t>(info.st_blocks) * 512 >
                                     (size_ / static_cast<uint64_t>(info.st_blksize) + 1) *
                                         static_cast<uint64_t>(info.st_blksize);
        if (still_there) {
          (void)fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
                          static_cast<off_t>(size_), static_cast<off_t>(allocated_end_ - size_));
        }
      }
    }
    if (fd_.Close() != 0 && result.ok()) {
      result = Status::IoErrorFromErrno("While closing file after writing", path_, errno);
    }
    return result;
  }

  Status Flush() override { return Status::Ok(); }  // Nothing is buffered here.

  Status Sync() override {
    if (options_.use_fsync) return Fsync();
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
    // With strict_bytes_per_sync the writer waits for the range before this one, so that
    // no more than two ranges are ever under way.
    const unsigned flags = options_.strict_bytes_per_sync
                               ? SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE
                               : SYNC_FILE_RANGE_WRITE;
    const uint64_t start = options_.strict_bytes_per_sync ? 0 : offset;
    const uint64_t length = options_.strict_bytes_per_sync ? offset + size : size;
    if (sync_file_range(fd_.get(), static_cast<off_t>(start), static_cast<off_t>(length), flags) ==
        0) {
      return Status::Ok();
    }
    // Some systems cannot do it. It makes nothing durable, so nothing is lost with it.
    if (errno == ENOSYS || errno == EINVAL || errno == EOPNOTSUPP || errno == ESPIPE) {
      return Status::Ok();
    }
    return Status::IoErrorFromErrno("While sync_file_range", path_, errno);
  }

  Status Allocate(uint64_t offset, uint64_t size) override {
    if (!options_.allow_fallocate || size == 0) return Status::Ok();
    const int mode = options_.fallocate_keep_size ? FALLOC_FL_KEEP_SIZE : 0;
    int outcome = 0;
    do {
      outcome = fallocate(fd_.get(), mode, static_cast<off_t>(offset), static_cast<off_t>(size));
    } while (outcome != 0 && errno == EINTR);
    if (outcome != 0) {
      if (errno == EOPNOTSUPP || errno == ENOSYS) return Status::Ok();  // Only an optimisation.
      return Status::IoErrorFromErrno(Concat("While fallocate offset ", offset, " len ", size),
                                      path_, errno);
    }
    allocated_end_ = std::max(allocated_end_, offset + size);
    return Status::Ok();
  }

  Status InvalidateCache(uint64_t offset, size_t size) override {
    if (options_.direct_writes) return Status::Ok();
    const int error = posix_fadvise(fd_.get(), static_cast<off_t>(offset), static_cast<off_t>(size),
                                    POSIX_FADV_DONTNEED);
    if (error == 0) return Status::Ok();
    return Status::IoErrorFromErrno("While fadvise NotNeeded", path_, error);
  }

  uint64_t Size() override { return size_; }

  Status GrowAhead(uint64_t end, size_t piece_bytes) override {
    if (!positioned_) {
      if (!options_.grow_ahead || options_.direct_writes || !OverwritesInPlace(fd_.get())) {
        return Status::NotSupported("GrowAhead");
      }
      positioned_ = true;
      grown_end_ = size_;
    }
    // What was appended since may reach further.
    for (uint64_t at = std::max(grown_end_, size_); at < end;) {
      const size_t size = std::min<uint64_t>({end - at, piece_bytes, kZeroBytesMax});
      const ssize_t put = pwrite(fd_.get(), zeroes, size, static_cast<off_t>(at));
      if (put < 0) {
        if (errno == EINTR) continue;
        return Status::IoErrorFromErrno(Concat("While writing zeroes at offset ", at), path_,
                                        errno);
      }
      at += static_cast<uint64_t>(put);
      grown_end_ = at;
    }
    return Status::Ok();
  }

  char* MapAhead(uint64_t offset, uint64_t end) override {
    Unmap();
    void* const memory = mmap(nullptr, end - offset, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(),
                              static_cast<off_t>(offset));
    if (memory == MAP_FAILED) return nullptr;
    mapped_ = static_cast<char*>(memory);
    mapped_bytes_ = end - offset;
    if (!PrepareAhead()) Unmap();
    return mapped_;
  }

  bool ahead_needs_care() const override { return true; }

  bool PrepareAhead() override {
    // Pages that cannot be had are an error here.
    return mapped_ != nullptr && madvise(mapped_, mapped_bytes_, MADV_POPULATE_WRITE) == 0;
  }

  Status Filled(uint64_t end) override {
    size_ = end;
    return Status::Ok();
  }

  bool direct_io() const override { return options_.direct_writes; }
  size_t alignment() const override { return kAlignment; }

 private:
  void Unmap() {
    if (mapped_ != nullptr) munmap(mapped_, mapped_bytes_);
    mapped_ = nullptr;
  }

  Descriptor fd_;
  const std::string path_;
  const FileOptions options_;
  uint64_t size_;
  bool positioned_ = false;  // The file was grown: writes say where they go.
  uint64_t grown_end_ = 0;   // Where zeroes end.
  char* mapped_ = nullptr;
  size_t mapped_bytes_ = 0;
  uint64_t allocated_end_ = 0;  // Where reserved space ends; 0 when none was reserved.
};

}  // namespace

std::unique_ptr<WritableFile> MakeWritableFile(Descriptor fd, const std::string& path,
                                               const FileOptions& options, uint64_t size) {
  return std::make_unique<PosixWritableFile>(std::move(fd), path, options, size);
}

}  // namespace skarn::posix
