// FileWriter buffers appends to a WritableFile and applies what the options ask of
// large sequential output: direct I/O alignment, rate limiting, preallocation,
// periodic range syncs, and byte counting.
//
// After the first failed write or sync, every later call fails with that same
// status: a file whose sync failed is never trusted again.
//
// Thread safety: one thread at a time; Sync() may run beside Append() when the
// caller uses SyncWithoutFlush().

#ifndef SKARN_CORE_ENV_FILE_WRITER_H_
#define SKARN_CORE_ENV_FILE_WRITER_H_

#include <atomic>
#include <memory>
#include <string>

#include "core/env/file_system.h"
#include "core/env/rate_limiter.h"
#include "core/env/thread_pool.h"

namespace skarn {

class FileWriter {
 public:
  struct Options {
    size_t buffer_bytes = 1 << 20;
    // Bytes reserved ahead at a time; 0: none.
    uint64_t preallocation_bytes = 0;
    RateLimiter* rate_limiter = nullptr;
    IoPriority priority = IoPriority::kTotal;  // kTotal: not limited.
    // A full buffer may be written by a job of this pool while the next one fills, and is on its
    // way to the disk soon after; null: never. Where the pool has no time for it, Append() writes.
    // Its errors come with a later call. Not with direct I/O or a rate limit.
    ThreadPool* pool = nullptr;
    ThreadPool::Priority pool_priority = ThreadPool::Priority::kLow;
  };

  FileWriter(std::unique_ptr<WritableFile> file, std::string path, const FileOptions& file_options,
             const Options& options);
  ~FileWriter();

  Status Append(Slice data);
  // For short appends made of pieces: room for `size` bytes in the buffer, to be filled and
  // then appended with AppendFilled(size). Nullptr: use Append(). `flush`: Flush() is next.
  char* Room(size_t size);
  Status AppendFilled(size_t size, bool flush);
  // Hands the buffer to the operating system.
  Status Flush();
  // Flush(), then makes the data durable; `use_fsync` as in FileOptions.
  Status Sync();
  // Makes durable what Flush() has handed over so far. May run beside Append().
  Status SyncWithoutFlush();
  Status Close();

  const std::string& path() const { return path_; }
  // Bytes appended, buffered ones included.
  uint64_t size_bytes() const { return size_.load(std::memory_order_acquire); }
  // Bytes handed to the operating system.
  uint64_t flushed_bytes() const { return flushed_.load(std::memory_order_acquire); }
  bool failed() const { return failed_.load(std::memory_order_acquire); }

 private:
  struct Rep;
  struct Handover;
  // Keeps the first failure and returns it from then on.
  Status Remember(Status s);
  // Writes what is buffered; with direct I/O, the whole blocks of it. `may_hand_over`: or lets
  // the pool do it.
  Status WriteBuffer(bool may_hand_over);
  // Waits for, or does, the writing of what was handed over to the pool. `entirely`: also waits
  // until no job uses the file.
  Status Settle(bool entirely);

  std::unique_ptr<Rep> rep_;
  const std::string path_;
  std::atomic<uint64_t> size_{0};     // Written by the appending thread.
  std::atomic<uint64_t> flushed_{0};  // Written by the appending thread.
  std::atomic<bool> failed_{false};
};

}  // namespace skarn

#endif  // SKARN_CORE_ENV_FILE_WRITER_H_
