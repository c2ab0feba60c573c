// FileWriter buffers appends to a WritableFile and applies what the options ask of
// large sequential output: direct I/O alignment, rate limiting, preallocation,
// periodic range syncs, and byte counting.
//
// A log may be filled through memory instead (FileOptions::grow_ahead, where the file system can,
// and reserved space): every append is flushed then. The file gets zeroes ahead, a window of memory
// shows them, and a short append is stored there, which costs no system call and leaves the bytes
// as safe as write(2) does: they outlive the process, and Sync() makes them durable. Until
// EndAhead() or Close() the file ends with zeroes. Its size does not change with every append then,
// so that a sync has less to write.
//
//   appended ------------------------>|  zeroes ----------->|
//   |............|....................|.....................|
//                ^ the window         ^ Room()              ^ its end, and the file's for others
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

#include "core/base/cpu.h"
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
    // The file has bytes of its former life (FileSystem::ReuseWritableFile): Close() cuts them off.
    bool reused = false;
  };

  FileWriter(std::unique_ptr<WritableFile> file, std::string path, const FileOptions& file_options,
             const Options& options);
  ~FileWriter();

  Status Append(Slice data);
  // For short appends made of pieces: room for `size` bytes in the buffer or in the file, to be
  // filled and then appended with AppendFilled(size). Nullptr: use Append(). `flush`: Flush() is
  // next. Others may see the bytes as they are filled in, until then as part of the zeroes ahead.
  char* Room(size_t size) {
    if (SKARN_LIKELY(size <= window_left_ && attention_.load(std::memory_order_relaxed) == 0)) {
      const uint64_t now = TimeCount();
      if (SKARN_LIKELY(now - last_store_ < care_after_)) {
        last_store_ = now;
        return window_at_;
      }
    }
    return RoomElsewhere(size);
  }
  Status AppendFilled(size_t size, bool flush);
  // Hands the buffer to the operating system.
  Status Flush();
  // Flush(), then makes the data durable; `use_fsync` as in FileOptions.
  Status Sync();
  // Makes durable what Flush() has handed over so far. May run beside Append().
  Status SyncWithoutFlush();
  // Nothing will be appended: cuts off the zeroes ahead, if there are any.
  Status EndAhead();
  Status Close();

  const std::string& path() const { return path_; }
  // Bytes appended, buffered ones included.
  uint64_t size_bytes() const { return size_.load(std::memory_order_acquire); }
  // Bytes handed to the operating system.
  uint64_t flushed_bytes() const { return flushed_.load(std::memory_order_acquire); }
  bool failed() const { return (attention_.load(std::memory_order_acquire) & kFailed) != 0; }

 private:
  // What Room() must look at before it gives room in the window.
  static constexpr uint8_t kFailed = 1;
  static constexpr uint8_t kSynced = 2;  // A window of large pieces was synced.

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
  char* RoomElsewhere(size_t size);
  Status AppendFilledToBuffer(size_t size, bool flush);
  // Later appends do not go to the window, until RoomElsewhere() finds that they can again.
  void LeaveWindow();
  // The window with `size` bytes left; false: not for this append, or not any more.
  bool EnterWindow(size_t size);
  // Moves the window on. False: the file system cannot.
  bool MoveWindow(size_t size);

  std::unique_ptr<Rep> rep_;
  const std::string path_;
  std::atomic<uint64_t> size_{0};     // Written by the appending thread.
  std::atomic<uint64_t> flushed_{0};  // Written by the appending thread.
  std::atomic<uint8_t> attention_{0};
  // Appending thread only: where the next bytes go in the window, and how many it takes. While
  // bytes are in the buffer, it takes none.
  char* window_at_ = nullptr;
  size_t window_left_ = 0;
  // TimeCount() of the last store, and after how long without one the window needs care.
  uint64_t last_store_ = 0;
  uint64_t care_after_ = 0;
};

}  // namespace skarn

#endif  // SKARN_CORE_ENV_FILE_WRITER_H_
