// Genuine reads directories with genuine RocksDB, loaded at run time, to compare.
//
// Thread safety: one thread.

#ifndef SKARN_TESTS_CRASH_GENUINE_H_
#define SKARN_TESTS_CRASH_GENUINE_H_

#include <memory>
#include <string>

#include "core/base/status.h"
#include "core/env/file_system.h"
#include "tests/crash/workload.h"

namespace skarn {

class Genuine {
 public:
  // Null, with the reason on stderr, when this machine does not have it.
  static std::unique_ptr<Genuine> Load();

  // Opens `directory` of the POSIX file system for writing, with recovery, and reads all families.
  Status Read(const std::string& directory, Moment* moment) const;
  // The same of a copy of `path` in another file system.
  Status ReadCopy(FileSystem* fs, const std::string& path, Moment* moment) const;

 private:
  struct Functions;
  Genuine() = default;

  std::shared_ptr<const Functions> functions_;  // Shared with nobody; hides the type.
};

// A new directory, in memory where the machine has such and it is not to be on a disk; gone with
// the object.
class ScratchDirectory {
 public:
  explicit ScratchDirectory(bool on_disk = false);
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace skarn

#endif  // SKARN_TESTS_CRASH_GENUINE_H_
