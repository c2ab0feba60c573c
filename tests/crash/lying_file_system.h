// LyingFileSystem claims to have done what it did not do, to show that the tests notice.
//
// Thread safety: that of the target.

#ifndef SKARN_TESTS_CRASH_LYING_FILE_SYSTEM_H_
#define SKARN_TESTS_CRASH_LYING_FILE_SYSTEM_H_

#include <memory>
#include <string>
#include <utility>

#include "core/env/file_system_wrapper.h"

namespace skarn {

class LyingFileSystem final : public FileSystemWrapper {
 public:
  enum class Lie { kFileSyncs, kDirectorySyncs, kLogWrites, kDeletions };

  // `kLogWrites`: the 5th append to each log is lost, and nobody is told.
  LyingFileSystem(FileSystem* target, Lie lie) : FileSystemWrapper(target), lie_(lie) {}

  Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path,
                                                        const FileOptions& options) override {
    auto file = target()->NewWritableFile(path, options);
    if (!file.ok()) return file;
    const bool is_log = path.size() > 4 && path.substr(path.size() - 4) == ".log";
    return std::unique_ptr<WritableFile>(std::make_unique<File>(
        std::move(*file), lie_ == Lie::kFileSyncs, lie_ == Lie::kLogWrites && is_log));
  }
  Result<std::unique_ptr<Directory>> NewDirectory(const std::string& path) override {
    if (lie_ != Lie::kDirectorySyncs) return target()->NewDirectory(path);
    return std::unique_ptr<Directory>(std::make_unique<NoDirectory>());
  }

  Status DeleteFile(const std::string& path) override {
    return lie_ == Lie::kDeletions ? Status::Ok() : target()->DeleteFile(path);
  }

 private:
  class File final : public WritableFile {
   public:
    File(std::unique_ptr<WritableFile> file, bool no_sync, bool loses_write)
        : file_(std::move(file)), no_sync_(no_sync), loses_write_(loses_write) {}
    Status Append(Slice data) override {
      if (loses_write_ && ++appends_ == 5) {
        lost_ += data.size();
        return Status::Ok();
      }
      return file_->Append(data);
    }
    Status Truncate(uint64_t size) override { return file_->Truncate(size); }
    Status Close() override { return file_->Close(); }
    Status Flush() override { return file_->Flush(); }
    Status Sync() override { return no_sync_ ? Status::Ok() : file_->Sync(); }
    uint64_t Size() override { return file_->Size() + lost_; }

   private:
    const std::unique_ptr<WritableFile> file_;
    const bool no_sync_;
    const bool loses_write_;
    int appends_ = 0;
    uint64_t lost_ = 0;
  };
  class NoDirectory final : public Directory {
   public:
    Status Fsync() override { return Status::Ok(); }
  };

  const Lie lie_;
};

}  // namespace skarn

#endif  // SKARN_TESTS_CRASH_LYING_FILE_SYSTEM_H_
