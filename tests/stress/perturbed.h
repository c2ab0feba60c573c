// What makes threads meet in orders that they would seldom meet in by themselves.
//
// Marked points are: taking and giving up a mutex, waiting for and waking a condition or a futex
// (perturbed.cc, through the linker's --wrap), every call of the file system, and every call of the
// user's comparator and merge operator. At each, with a small chance, the thread yields or sleeps
// for up to a fifth of a millisecond.
//
// Thread safety: any thread.

#ifndef SKARN_TESTS_STRESS_PERTURBED_H_
#define SKARN_TESTS_STRESS_PERTURBED_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/env/file_system_wrapper.h"
#include "core/plugin/comparator.h"

namespace skarn {

// Each thread draws from a sequence of its own that begins at `seed`. `one_in` 0: never.
void SetPerturbation(uint64_t seed, uint32_t one_in);
void PerturbationPoint();
// Points passed, and where something was done.
uint64_t PerturbationPoints();
uint64_t Perturbations();

// Passes every call on, between two points.
class PerturbedFileSystem final : public FileSystemWrapper {
 public:
  explicit PerturbedFileSystem(FileSystem* target) : FileSystemWrapper(target) {}

  Result<std::unique_ptr<WritableFile>> NewWritableFile(const std::string& path,
                                                        const FileOptions& options) override {
    PerturbationPoint();
    auto file = target()->NewWritableFile(path, options);
    if (!file.ok()) return file;
    return std::unique_ptr<WritableFile>(std::make_unique<File>(std::move(*file)));
  }
  Status DeleteFile(const std::string& path) override {
    PerturbationPoint();
    return target()->DeleteFile(path);
  }
  Status RenameFile(const std::string& from, const std::string& to) override {
    PerturbationPoint();
    return target()->RenameFile(from, to);
  }
  Result<std::unique_ptr<RandomAccessFile>> NewRandomAccessFile(
      const std::string& path, const FileOptions& options) override {
    PerturbationPoint();
    return target()->NewRandomAccessFile(path, options);
  }
  Status GetChildren(const std::string& directory, std::vector<std::string>* names) override {
    PerturbationPoint();
    return target()->GetChildren(directory, names);
  }

 private:
  class File final : public WritableFile {
   public:
    explicit File(std::unique_ptr<WritableFile> file) : file_(std::move(file)) {}
    Status Append(Slice data) override {
      PerturbationPoint();
      Status s = file_->Append(data);
      PerturbationPoint();
      return s;
    }
    Status Truncate(uint64_t size) override { return file_->Truncate(size); }
    Status Close() override {
      PerturbationPoint();
      return file_->Close();
    }
    Status Flush() override { return file_->Flush(); }
    Status Sync() override {
      PerturbationPoint();
      Status s = file_->Sync();
      PerturbationPoint();
      return s;
    }
    uint64_t Size() override { return file_->Size(); }

   private:
    const std::unique_ptr<WritableFile> file_;
  };
};

}  // namespace skarn

#endif  // SKARN_TESTS_STRESS_PERTURBED_H_
