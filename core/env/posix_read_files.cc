#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "core/base/mutex.h"
#include "core/base/thread_context.h"
#include "core/env/posix_files.h"

namespace skarn::posix {

int Descriptor::Close() {
  if (fd_ < 0) return 0;
  // The descriptor is gone whatever close() says, so it must not be repeated.
  const int outcome = close(Release());
  return outcome;
}

Descriptor Open(const std::string& path, int flags, int mode) {
  int fd = -1;
  do {
    fd = open(path.c_str(), flags, mode);
  } while (fd < 0 && errno == EINTR);
  return Descriptor(fd);
}

namespace {

constexpr size_t kAlignment = 4096;

// The system limits how many mappings a process may have, and the program we live in
// needs some: beyond this many files are read without.
constexpr int kMappedFilesMax = 16384;
constinit std::atomic<int> mapped_files{0};  // Any thread.

Result<uint64_t> SizeOf(int fd, const std::string& path) {
  struct stat info {};
  if (fstat(fd, &info) != 0) {
    return Status::IoErrorFromErrno("while fstat a file for size", path, errno);
  }
  return static_cast<uint64_t>(info.st_size);
}

class PosixSequentialFile final : public SequentialFile {
 public:
  PosixSequentialFile(Descriptor fd, const std::string& path) : fd_(std::move(fd)), path_(path) {}

  Status Read(size_t size, Slice* result, char* scratch) override {
    size_t done = 0;
    while (done < size) {
      const ssize_t got = read(fd_.get(), scratch + done, size - done);
      if (got < 0) {
        if (errno == EINTR) continue;
        *result = Slice();
        return Status::IoErrorFromErrno("While reading file sequentially", path_, errno);
      }
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    *result = Slice(scratch, done);
    return Status::Ok();
  }

  Status Skip(uint64_t size) override {
    if (lseek(fd_.get(), static_cast<off_t>(size), SEEK_CUR) < 0) {
      return Status::IoErrorFromErrno(Concat("While lseek to skip ", size, " bytes"), path_, errno);
    }
    return Status::Ok();
  }

  Status Seek(uint64_t offset) override {
    if (lseek(fd_.get(), static_cast<off_t>(offset), SEEK_SET) < 0) {
      return Status::IoErrorFromErrno(Concat("While lseek to ", offset), path_, errno);
    }
    return Status::Ok();
  }

 private:
  Descriptor fd_;
  const std::string path_;
};

class PosixRandomAccessFile final : public RandomAccessFile {
 public:
  PosixRandomAccessFile(Descriptor fd, const std::string& path, const FileOptions& options)
      : fd_(std::move(fd)),
        path_(path),
        direct_(options.direct_reads),
        read_from_mapping_(options.mmap_reads && !options.direct_reads) {}

  ~PosixRandomAccessFile() override {
    const char* memory = mapping_.load(std::memory_order_acquire);
    if (memory != nullptr) {
      munmap(const_cast<char*>(memory), mapping_size_);
      mapped_files.fetch_sub(1, std::memory_order_relaxed);
    }
  }

  Status Read(uint64_t offset, size_t size, Slice* result, char* scratch) const override {
    if (read_from_mapping_) {
      const Slice all = Mapping();
      // Past what is mapped the file may have grown: then read it.
      if (offset + size <= all.size()) {
        *result = Slice(all.data() + offset, size);
        return Status::Ok();
      }
    }
    if (direct_ && !IsAligned(offset, size, scratch)) {
      return ReadThroughAligned(offset, size, result, scratch);
    }
    size_t done = 0;
    Status s = ReadAll(offset, size, scratch, &done);
    *result = Slice(scratch, s.ok() ? done : 0);
    return s;
  }

  void MultiRead(ReadRequest* requests, size_t count) const override {
    // Starts all reads that miss the page cache before waiting for the first.
    if (count > 1 && !direct_) {
      for (size_t i = 0; i < count; i++) {
        posix_fadvise(fd_.get(), static_cast<off_t>(requests[i].offset),
                      static_cast<off_t>(requests[i].size), POSIX_FADV_WILLNEED);
      }
    }
    RandomAccessFile::MultiRead(requests, count);
  }

  Status Prefetch(uint64_t offset, size_t size) const override {
    if (direct_) return Status::NotSupported("Prefetch");
    if (readahead(fd_.get(), static_cast<off_t>(offset), size) != 0) {
      return Status::IoErrorFromErrno(Concat("While prefetching offset ", offset, " len ", size),
                                      path_, errno);
    }
    return Status::Ok();
  }

  void Advise(Pattern pattern) const override {
    if (direct_) return;
    int advice = POSIX_FADV_NORMAL;
    int memory_advice = MADV_NORMAL;
    switch (pattern) {
      case Pattern::kNormal:
        break;
      case Pattern::kRandom:
        advice = POSIX_FADV_RANDOM;
        memory_advice = MADV_RANDOM;
        break;
      case Pattern::kSequential:
        advice = POSIX_FADV_SEQUENTIAL;
        memory_advice = MADV_SEQUENTIAL;
        break;
      case Pattern::kWillNeed:
        advice = POSIX_FADV_WILLNEED;
        memory_advice = MADV_WILLNEED;
        break;
      case Pattern::kDontNeed:
        advice = POSIX_FADV_DONTNEED;
        memory_advice = MADV_DONTNEED;
        break;
    }
    posix_fadvise(fd_.get(), 0, 0, advice);
    const char* memory = mapping_.load(std::memory_order_acquire);
    if (memory != nullptr) madvise(const_cast<char*>(memory), mapping_size_, memory_advice);
  }

  Status InvalidateCache(uint64_t offset, size_t size) const override {
    if (direct_) return Status::Ok();
    const int error = posix_fadvise(fd_.get(), static_cast<off_t>(offset), static_cast<off_t>(size),
                                    POSIX_FADV_DONTNEED);
    if (error == 0) return Status::Ok();
    return Status::IoErrorFromErrno(
        Concat("While fadvise NotNeeded offset ", offset, " len ", size), path_, error);
  }

  Slice Mapping() const override {
    if (direct_) return Slice();
    const char* memory = mapping_.load(std::memory_order_acquire);
    if (memory == nullptr) memory = MapOnce();
    return memory == nullptr ? Slice() : Slice(memory, mapping_size_);
  }

  Result<uint64_t> Size() const override { return SizeOf(fd_.get(), path_); }
  bool direct_io() const override { return direct_; }
  size_t alignment() const override { return kAlignment; }

 private:
  static bool IsAligned(uint64_t offset, size_t size, const char* memory) {
    return ((offset | size | reinterpret_cast<uintptr_t>(memory)) & (kAlignment - 1)) == 0;
  }

  Status ReadAll(uint64_t offset, size_t size, char* to, size_t* done) const {
    *done = 0;
    while (*done < size) {
      const ssize_t got =
          pread(fd_.get(), to + *done, size - *done, static_cast<off_t>(offset + *done));
      if (got < 0) {
        if (errno == EINTR) continue;
        return Status::IoErrorFromErrno(Concat("While pread offset ", offset, " len ", size), path_,
                                        errno);
      }
      if (got == 0) break;
      *done += static_cast<size_t>(got);
      // Direct reads end in the middle of a sector only at the end of the file.
      if (direct_ && (*done & (kAlignment - 1)) != 0) break;
    }
    return Status::Ok();
  }

  Status ReadThroughAligned(uint64_t offset, size_t size, Slice* result, char* scratch) const {
    const uint64_t start = offset & ~uint64_t{kAlignment - 1};
    const size_t skip = static_cast<size_t>(offset - start);
    const size_t wanted = (skip + size + kAlignment - 1) & ~(kAlignment - 1);
    char* memory = CurrentThreadContext()->second_scratch.Get(wanted + kAlignment);
    if (memory == nullptr) {
      return Status(Status::Code::kAborted, Status::Subcode::kMemoryLimit,
                    Concat("no memory to read ", wanted, " bytes"), path_);
    }
    char* aligned = memory + (-reinterpret_cast<uintptr_t>(memory) & (kAlignment - 1));
    size_t done = 0;
    Status s = ReadAll(start, wanted, aligned, &done);
    const size_t useful = s.ok() && done > skip ? std::min(size, done - skip) : 0;
    memcpy(scratch, aligned + skip, useful);
    *result = Slice(scratch, useful);
    return s;
  }

  [[gnu::noinline]] const char* MapOnce() const SKARN_EXCLUDES(mapping_mu_) {
    MutexLock lock(&mapping_mu_);
    const char* memory = mapping_.load(std::memory_order_relaxed);
    if (memory != nullptr || mapping_refused_) return memory;
    mapping_refused_ = true;  // Unless it works below; it is tried once only.
    if (mapped_files.load(std::memory_order_relaxed) >= kMappedFilesMax) return nullptr;
    const Result<uint64_t> size = Size();
    if (!size.ok() || *size == 0) return nullptr;
    void* mapped = mmap(nullptr, *size, PROT_READ, MAP_SHARED, fd_.get(), 0);
    if (mapped == MAP_FAILED) return nullptr;
    mapped_files.fetch_add(1, std::memory_order_relaxed);
    mapping_size_ = *size;
    memory = static_cast<const char*>(mapped);
    mapping_.store(memory, std::memory_order_release);
    return memory;
  }

  Descriptor fd_;
  const std::string path_;
  const bool direct_;
  const bool read_from_mapping_;

  // A leaf in the lock order: nothing is locked under it.
  mutable Mutex mapping_mu_;
  mutable bool mapping_refused_ SKARN_GUARDED_BY(mapping_mu_) = false;
  mutable size_t mapping_size_ = 0;  // Written once, before mapping_ is published.
  mutable std::atomic<const char*> mapping_{nullptr};  // Written under mapping_mu_.
};

}  // namespace

std::unique_ptr<SequentialFile> MakeSequentialFile(Descriptor fd, const std::string& path) {
  return std::make_unique<PosixSequentialFile>(std::move(fd), path);
}

std::unique_ptr<RandomAccessFile> MakeRandomAccessFile(Descriptor fd, const std::string& path,
                                                       const FileOptions& options) {
  return std::make_unique<PosixRandomAccessFile>(std::move(fd), path, options);
}

}  // namespace skarn::posix
