// The open files of the POSIX file system; other rooms use FileSystem.

#ifndef SKARN_CORE_ENV_POSIX_FILES_H_
#define SKARN_CORE_ENV_POSIX_FILES_H_

#include <memory>
#include <string>

#include "core/env/file_system.h"

namespace skarn::posix {

// A file descriptor that is closed when its owner goes.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { (void)Close(); }
  Descriptor(Descriptor&& other) noexcept : fd_(other.Release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      (void)Close();
      fd_ = other.Release();
    }
    return *this;
  }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  // What close(2) returned; 0 when there was nothing to close.
  int Close();

 private:
  int fd_ = -1;
};

// Calls open(2) until no signal interrupts it; invalid with errno set on failure.
Descriptor Open(const std::string& path, int flags, int mode = 0644);

std::unique_ptr<SequentialFile> MakeSequentialFile(Descriptor fd, const std::string& path);
std::unique_ptr<RandomAccessFile> MakeRandomAccessFile(Descriptor fd, const std::string& path,
                                                       const FileOptions& options);
// `size` is where appending begins.
std::unique_ptr<WritableFile> MakeWritableFile(Descriptor fd, const std::string& path,
                                               const FileOptions& options, uint64_t size);

}  // namespace skarn::posix

#endif  // SKARN_CORE_ENV_POSIX_FILES_H_
