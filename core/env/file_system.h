// FileSystem is the only way the engine touches files.
//
// Everything above this room reads and writes through these interfaces, so a test
// can put the data in memory, fail the n-th call, or cut the power between two
// calls. Bodies: posix_file_system.cc, memory_file_system.cc, and the fault and
// power-cut ones for tests.
//
// Errors carry the context, the path and the reason (Status::IoErrorFromErrno).
//
// Thread safety: FileSystem and RandomAccessFile: any thread. SequentialFile,
// WritableFile and Directory: one thread at a time.

#ifndef SKARN_CORE_ENV_FILE_SYSTEM_H_
#define SKARN_CORE_ENV_FILE_SYSTEM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/slice.h"
#include "core/base/status.h"

namespace skarn {

// How a file is going to be used. Fields that a body cannot honour are hints.
struct FileOptions {
  bool direct_reads = false;
  bool direct_writes = false;
  bool mmap_reads = false;
  bool mmap_writes = false;
  // WritableFile::GrowAhead() and MapAhead() will be called.
  bool grow_ahead = false;
  bool allow_fallocate = true;
  bool fallocate_keep_size = true;
  bool close_on_exec = true;
  bool strict_bytes_per_sync = false;
  // Use fsync where fdatasync would do.
  bool use_fsync = false;
  uint64_t bytes_per_sync = 0;
};

class SequentialFile {
 public:
  virtual ~SequentialFile() = default;
  // Reads up to `size` bytes into `scratch`. A shorter result, not an error, is the end.
  virtual Status Read(size_t size, Slice* result, char* scratch) = 0;
  virtual Status Skip(uint64_t size) = 0;
  // The next Read() begins at this offset of the file.
  virtual Status Seek(uint64_t offset);
};

struct ReadRequest {
  uint64_t offset = 0;
  size_t size = 0;
  char* scratch = nullptr;  // Holds `size` bytes.
  Slice result;             // Out: points into scratch or into a mapping.
  Status status;            // Out.
};

class RandomAccessFile {
 public:
  enum class Pattern { kNormal, kRandom, kSequential, kWillNeed, kDontNeed };

  virtual ~RandomAccessFile() = default;
  // Reads `size` bytes at `offset`; fewer only at the end of the file. `*result`
  // points into `scratch`, or into memory that lives as long as the file.
  virtual Status Read(uint64_t offset, size_t size, Slice* result, char* scratch) const = 0;
  // Reads many ranges; each request carries its own outcome.
  virtual void MultiRead(ReadRequest* requests, size_t count) const;
  // Starts to bring a range into the page cache. NotSupported where it cannot.
  virtual Status Prefetch(uint64_t offset, size_t size) const;
  virtual void Advise(Pattern pattern) const { (void)pattern; }
  // Drops a range from the page cache (a hint). Size 0 means to the end.
  virtual Status InvalidateCache(uint64_t offset, size_t size) const;
  // The whole file as memory that lives as long as this object; empty when the
  // body does not map (direct I/O, memory limits). The range may be extended by nobody.
  virtual Slice Mapping() const { return Slice(); }
  virtual Result<uint64_t> Size() const = 0;
  virtual bool direct_io() const { return false; }
  virtual size_t alignment() const { return 4096; }
};

class WritableFile {
 public:
  virtual ~WritableFile() = default;
  virtual Status Append(Slice data) = 0;
  // Only for files opened with direct_writes; offset and size are aligned.
  virtual Status PositionedAppend(Slice data, uint64_t offset);
  virtual Status Truncate(uint64_t size) = 0;
  // Closing twice is harmless. The destructor closes and ignores the outcome.
  virtual Status Close() = 0;
  // Hands bytes buffered in the process to the operating system.
  virtual Status Flush() = 0;
  // Makes data (and what is needed to read it back) survive a power cut.
  virtual Status Sync() = 0;
  // Sync() plus all metadata.
  virtual Status Fsync() { return Sync(); }
  virtual Status RangeSync(uint64_t offset, uint64_t size);
  // Reserves space ahead of writing.
  virtual Status Allocate(uint64_t offset, uint64_t size);
  virtual Status InvalidateCache(uint64_t offset, size_t size);
  // The logical size: bytes appended so far.
  virtual uint64_t Size() = 0;

  // For logs that are filled through memory, with FileOptions::grow_ahead. The calls below leave
  // Size(), and where Append() goes, as they are; Truncate(Size()) undoes them, and must before the
  // file is closed for good. NotSupported, or null: not with this file, or not there.
  //
  // The file gets zeroes up to `end`, written `piece_bytes` at a time, so that space is there for
  // them. What is appended later overwrites them.
  virtual Status GrowAhead(uint64_t end, size_t piece_bytes);
  // Memory that shows the bytes [offset, end), which the file must have; both are multiples of
  // alignment(). What is stored there is in the file at once, as if written, and shows to all who
  // read it. It is gone with the next MapAhead(), Truncate() or Close().
  virtual char* MapAhead(uint64_t offset, uint64_t end);
  // The bytes from Size() to `end` were stored in that memory: they count as appended.
  virtual Status Filled(uint64_t end);
  // A store to memory that the system has meanwhile written back needs the file system once more.
  // If that has stopped (its journal cannot be written, say), there is no error to return: the
  // store raises SIGBUS. True: that can happen, and after a while without stores PrepareAhead() is
  // due.
  virtual bool ahead_needs_care() const { return false; }
  // Has the system do now what the next stores would need; false: stores may fail.
  virtual bool PrepareAhead() { return true; }
  virtual bool direct_io() const { return false; }
  virtual size_t alignment() const { return 4096; }
};

class Directory {
 public:
  virtual ~Directory() = default;
  // Makes names created, renamed or removed in the directory survive a power cut.
  virtual Status Fsync() = 0;
  virtual Status Close() { return Status::Ok(); }
};

// Held until Unlock(); see FileSystem::LockFile().
class FileLock {
 public:
  virtual ~FileLock() = default;
};

struct FileAttributes {
  std::string name;  // Without directory.
  uint64_t size_bytes = 0;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual Result<std::unique_ptr<SequentialFile>> NewSequentialFile(const std::string& path,
                                                                    const FileOptions& options) = 0;
  virtual Result<std::unique_ptr<RandomAccessFile>> NewRandomAccessFile(
      const std::string& path, const FileOptions& options) = 0;
  // Creates or truncates.
  virtual Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path,
                                                                const FileOptions& options) = 0;
  // Opens for appending at the end; creates when absent.
  virtual Result<std::unique_ptr<WritableFile>> ReopenWritableFile(const std::string& path,
                                                                   const FileOptions& options) = 0;
  // Renames `old_path` to `path` and opens it for overwriting from the start, old bytes kept.
  virtual Result<std::unique_ptr<WritableFile>> ReuseWritableFile(const std::string& path,
                                                                  const std::string& old_path,
                                                                  const FileOptions& options) = 0;
  virtual Result<std::unique_ptr<Directory>> NewDirectory(const std::string& path) = 0;

  // Ok, NotFound (with no message), or an error.
  virtual Status FileExists(const std::string& path) = 0;
  // Names without "." and "..", in no order.
  virtual Status GetChildren(const std::string& directory, std::vector<std::string>* names) = 0;
  virtual Status DeleteFile(const std::string& path) = 0;
  virtual Status CreateDir(const std::string& path) = 0;
  virtual Status CreateDirIfMissing(const std::string& path) = 0;
  virtual Status DeleteDir(const std::string& path) = 0;
  virtual Result<uint64_t> FileSize(const std::string& path) = 0;
  // Seconds since 1970.
  virtual Result<uint64_t> FileModificationTime(const std::string& path) = 0;
  virtual Status RenameFile(const std::string& from, const std::string& to) = 0;
  virtual Status LinkFile(const std::string& from, const std::string& to) = 0;
  virtual Status Truncate(const std::string& path, uint64_t size) = 0;
  virtual Result<bool> SameFile(const std::string& a, const std::string& b);
  // Excludes other processes (fcntl record lock, as RocksDB does) and other
  // openers in this process.
  virtual Result<std::unique_ptr<FileLock>> LockFile(const std::string& path) = 0;
  virtual Status UnlockFile(std::unique_ptr<FileLock> lock) = 0;
  virtual Result<std::string> AbsolutePath(const std::string& path) = 0;
  virtual Result<uint64_t> FreeSpace(const std::string& path);
};

// The process-wide POSIX file system; lives until the process ends.
FileSystem* PosixFileSystem();
// A new, empty file system in memory. Paths are plain strings; missing parents are
// not an error. Files stay readable through open objects after deletion.
std::unique_ptr<FileSystem> NewMemoryFileSystem();

// Helpers over any FileSystem.

// Writes `data` to a new file; syncs it when `sync` is set. Removes the file on failure.
Status WriteStringToFile(FileSystem* fs, Slice data, const std::string& path, bool sync);
Result<std::string> ReadFileToString(FileSystem* fs, const std::string& path);
// Copies the first `size_bytes` bytes (0: all), then syncs when asked.
Status CopyFile(FileSystem* fs, const std::string& from, const std::string& to, uint64_t size_bytes,
                bool sync);

}  // namespace skarn

#endif  // SKARN_CORE_ENV_FILE_SYSTEM_H_
