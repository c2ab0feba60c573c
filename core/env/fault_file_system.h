// FaultFileSystem makes calls of another file system fail on demand, for tests of what
// the engine does then: the n-th call, or the n-th call of some kind on some file, once
// or for good. It also counts calls, so that a test can fail each of them in turn.
//
// A failed call does nothing, except that an append may write a part of its bytes.
//
// Thread safety: any thread, as far as the target allows it.

#ifndef SKARN_CORE_ENV_FAULT_FILE_SYSTEM_H_
#define SKARN_CORE_ENV_FAULT_FILE_SYSTEM_H_

#include <cerrno>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/mutex.h"
#include "core/env/file_system_wrapper.h"

namespace skarn {

class FaultFileSystem final : public FileSystemWrapper {
 public:
  // Kinds of calls; they may be joined with |.
  static constexpr uint32_t kOpenForReading = 1u << 0;
  static constexpr uint32_t kOpenForWriting = 1u << 1;
  static constexpr uint32_t kRead = 1u << 2;
  static constexpr uint32_t kAppend = 1u << 3;
  static constexpr uint32_t kFlush = 1u << 4;
  static constexpr uint32_t kSync = 1u << 5;
  static constexpr uint32_t kRangeSync = 1u << 6;
  static constexpr uint32_t kAllocate = 1u << 7;
  static constexpr uint32_t kTruncate = 1u << 8;
  static constexpr uint32_t kClose = 1u << 9;
  static constexpr uint32_t kOpenDirectory = 1u << 10;
  static constexpr uint32_t kDirectorySync = 1u << 11;
  static constexpr uint32_t kRename = 1u << 12;
  static constexpr uint32_t kLink = 1u << 13;
  static constexpr uint32_t kDelete = 1u << 14;
  static constexpr uint32_t kDirectoryChange = 1u << 15;  // Create or delete a directory.
  static constexpr uint32_t kQuery = 1u << 16;            // Existence, size, children, time.
  static constexpr uint32_t kLock = 1u << 17;
  static constexpr uint32_t kAnyCall = (1u << 18) - 1;
  // Calls that change what is on the disk, or should.
  static constexpr uint32_t kAnyWrite = kOpenForWriting | kAppend | kFlush | kSync | kRangeSync |
                                        kAllocate | kTruncate | kClose | kDirectorySync | kRename |
                                        kLink | kDelete | kDirectoryChange;

  struct Plan {
    uint32_t kinds = kAnyCall;
    // Only calls on paths that contain this; empty: all.
    std::string path_contains;
    // Which matching call fails, counted from Arm(): 1 is the next one.
    uint64_t nth = 1;
    // Whether all matching calls after that fail too.
    bool forever = false;
    int error_number = EIO;
    // Bytes of a failing append that are written all the same, at most.
    size_t partial_bytes = 0;
    // What Status::retryable() of the failure says.
    bool retryable = false;
    // The call is not made and nobody is told: what a test must notice by other means.
    bool silent = false;
  };

  // `target` must outlive this object and all files it opened.
  explicit FaultFileSystem(FileSystem* target) : FileSystemWrapper(target) {}

  // Adds a plan; several may be armed at once, and the first that says so fails a call.
  void Arm(const Plan& plan) SKARN_EXCLUDES(mu_);
  // Forgets all plans: the fault has cleared.
  void Disarm() SKARN_EXCLUDES(mu_);
  // Called with the path of each file whose sync fails on demand. Set before files are opened.
  void set_on_failed_sync(std::function<void(const std::string& path)> on_failed_sync) {
    on_failed_sync_ = std::move(on_failed_sync);
  }
  // Whether logs may be filled through memory, as far as the target can: such stores are no calls
  // and do not fail. Growing the file for them is kAllocate. Set before files are opened.
  void set_offers_memory(bool offers_memory) { offers_memory_ = offers_memory; }
  bool offers_memory() const { return offers_memory_; }
  // How many calls of these kinds were made so far, failed ones included.
  uint64_t calls(uint32_t kinds = kAnyCall) const SKARN_EXCLUDES(mu_);
  // How many calls failed on demand.
  uint64_t failures() const SKARN_EXCLUDES(mu_);

  // Counts a call and decides: Ok, or the failure. `partial_bytes` receives the plan's. With
  // `*silent` set the call must not be made, and succeeds; null: such plans do not match.
  // Public for the files of this file system.
  Status Check(uint32_t kind, const char* context, const std::string& path,
               size_t* partial_bytes = nullptr, bool* silent = nullptr) SKARN_EXCLUDES(mu_);

  Result<std::unique_ptr<SequentialFile>> NewSequentialFile(const std::string& path,
                                                            const FileOptions& options) override;
  Result<std::unique_ptr<RandomAccessFile>> NewRandomAccessFile(
      const std::string& path, const FileOptions& options) override;
  Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path,
                                                        const FileOptions& options) override;
  Result<std::unique_ptr<WritableFile>> ReopenWritableFile(const std::string& path,
                                                           const FileOptions& options) override;
  Result<std::unique_ptr<WritableFile>> ReuseWritableFile(const std::string& path,
                                                          const std::string& old_path,
                                                          const FileOptions& options) override;
  Result<std::unique_ptr<Directory>> NewDirectory(const std::string& path) override;
  Status FileExists(const std::string& path) override;
  Status GetChildren(const std::string& directory, std::vector<std::string>* names) override;
  Status DeleteFile(const std::string& path) override;
  Status CreateDir(const std::string& path) override;
  Status CreateDirIfMissing(const std::string& path) override;
  Status DeleteDir(const std::string& path) override;
  Result<uint64_t> FileSize(const std::string& path) override;
  Result<uint64_t> FileModificationTime(const std::string& path) override;
  Status RenameFile(const std::string& from, const std::string& to) override;
  Status LinkFile(const std::string& from, const std::string& to) override;
  Status Truncate(const std::string& path, uint64_t size) override;
  Result<std::unique_ptr<FileLock>> LockFile(const std::string& path) override;

 private:
  struct Armed {
    Plan plan;
    uint64_t seen = 0;
  };

  std::function<void(const std::string& path)> on_failed_sync_;
  bool offers_memory_ = false;

  // A leaf in the lock order: nothing is locked under it.
  mutable Mutex mu_;
  std::vector<Armed> plans_ SKARN_GUARDED_BY(mu_);
  uint64_t calls_[32] SKARN_GUARDED_BY(mu_) = {};  // By bit of the kind.
  uint64_t failures_ SKARN_GUARDED_BY(mu_) = 0;
};

}  // namespace skarn

#endif  // SKARN_CORE_ENV_FAULT_FILE_SYSTEM_H_
