// CrashFileSystem is a file system in memory that remembers every change, so that a
// test can have the disk as a power cut after any of them could have left it.
//
// What it takes for durable:
//   - the bytes and the size of a file: what Sync() or Fsync() of it has covered;
//   - a name (created, renamed, linked, removed): what Fsync() of its directory has
//     covered, together with the earlier changes of the same names and files, and the
//     existence of that directory and those above it.
// All else may be there after the cut or not, as the chosen Loss says.
//
// The same operations, the same Loss and the same seed always give the same disk.
//
// Thread safety: any thread. The order in which threads get here is part of the
// history; a repeatable test runs its work on one thread or on DeterministicPool.

#ifndef SKARN_CORE_ENV_CRASH_FILE_SYSTEM_H_
#define SKARN_CORE_ENV_CRASH_FILE_SYSTEM_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/base/mutex.h"
#include "core/env/file_system_wrapper.h"

namespace skarn {

class CrashFileSystem final : public FileSystemWrapper {
 public:
  // What happens to changes that were not made durable.
  enum class Loss : uint8_t {
    // All are there: a killed process, not a power cut.
    kNothing,
    // None is there.
    kEverything,
    // Of each file's changes a first part is there, torn at a multiple of 512 bytes; of
    // the changes of names, a first part, as a journal would have it.
    kTail,
    // Any 512 bytes and any change of a name may be missing by themselves, except that
    // names follow the order of changes of the same name or file. A file may have grown
    // without its new bytes, which are zeroes then.
    kAnything,
  };
  static constexpr uint32_t kSectorBytes = 512;

  CrashFileSystem();
  ~CrashFileSystem() override;

  // How many changes were made so far. A test notes it when a write is acknowledged: a
  // cut after this many operations must keep that write.
  size_t OperationCount() const SKARN_EXCLUDES(mu_);
  // What operation `index` (from 0) was, for messages.
  std::string DescribeOperation(size_t index) const SKARN_EXCLUDES(mu_);

  // The disk after a power cut behind the first `operations` operations. It is a file
  // system of the same kind, with an empty history, so recovery can be cut as well.
  std::unique_ptr<CrashFileSystem> AfterPowerCut(size_t operations, Loss loss, uint64_t seed) const
      SKARN_EXCLUDES(mu_);

  Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path,
                                                        const FileOptions& options) override;
  Result<std::unique_ptr<WritableFile>> ReopenWritableFile(const std::string& path,
                                                           const FileOptions& options) override;
  Result<std::unique_ptr<WritableFile>> ReuseWritableFile(const std::string& path,
                                                          const std::string& old_path,
                                                          const FileOptions& options) override;
  Result<std::unique_ptr<Directory>> NewDirectory(const std::string& path) override;
  Status DeleteFile(const std::string& path) override;
  Status CreateDir(const std::string& path) override;
  Status CreateDirIfMissing(const std::string& path) override;
  Status DeleteDir(const std::string& path) override;
  Status RenameFile(const std::string& from, const std::string& to) override;
  Status LinkFile(const std::string& from, const std::string& to) override;
  Status Truncate(const std::string& path, uint64_t size) override;
  Result<std::unique_ptr<FileLock>> LockFile(const std::string& path) override;

  // A sync of the file that `path` names failed: what it should have made durable is lost for
  // good, as it is where the system drops pages that it could not write. It stays readable, and a
  // later sync that succeeds covers only what is written after this.
  void FailSync(const std::string& path) SKARN_EXCLUDES(mu_);

  // For the open files of this file system.
  void RecordWrite(uint64_t file, uint64_t offset, Slice data) SKARN_EXCLUDES(mu_);
  void RecordTruncate(uint64_t file, uint64_t size) SKARN_EXCLUDES(mu_);
  void RecordSync(uint64_t file) SKARN_EXCLUDES(mu_);
  void RecordDirectorySync(const std::string& path) SKARN_EXCLUDES(mu_);

 private:
  enum class Kind : uint8_t {
    kCreate,           // path names `file` from now on
    kWrite,            // data at offset
    kTruncate,         // to offset
    kSync,             // of file
    kFailedSync,       // of file: its pending changes are gone
    kRename,           // path to second_path
    kLink,             // second_path names what path names
    kUnlink,           // path
    kCreateDirectory,  // path
    kDeleteDirectory,  // path
    kDirectorySync,    // of path
  };
  struct Operation {
    Kind kind;
    uint64_t file = 0;
    uint64_t offset = 0;
    std::string path{};
    std::string second_path{};
    std::string data{};
  };
  // Names and contents at one moment.
  struct Disk {
    std::map<std::string, uint64_t> names;  // Path to file.
    std::set<std::string> directories;
    std::map<uint64_t, std::string> contents;  // By file.
  };
  class Replay;

  static std::string Normal(const std::string& path);
  static void ApplyName(const Operation& operation, Disk* disk);

  // The file that `path` names; a new one, created as an operation, when it names none.
  uint64_t FileOf(const std::string& path) SKARN_REQUIRES(mu_);
  void AddNameOperation(Operation operation) SKARN_REQUIRES(mu_);

  // Where everything is read from, and what the running program sees.
  std::unique_ptr<FileSystem> live_;

  // Held while the live file system is changed, so that the history has the same order.
  mutable Mutex mu_;
  Disk start_ SKARN_GUARDED_BY(mu_);  // All durable.
  std::vector<Operation> operations_ SKARN_GUARDED_BY(mu_);
  Disk now_ SKARN_GUARDED_BY(mu_);  // Names only; without contents.
  uint64_t next_file_ SKARN_GUARDED_BY(mu_) = 1;
};

}  // namespace skarn

#endif  // SKARN_CORE_ENV_CRASH_FILE_SYSTEM_H_
