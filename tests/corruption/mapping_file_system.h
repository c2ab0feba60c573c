// MappingFileSystem gives out the files of another file system as memory, as the POSIX one does
// with table files; so tables in memory are read through mappings too.
//
// Thread safety: that of the target.

#ifndef SKARN_TESTS_CORRUPTION_MAPPING_FILE_SYSTEM_H_
#define SKARN_TESTS_CORRUPTION_MAPPING_FILE_SYSTEM_H_

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "core/env/file_system_wrapper.h"

namespace skarn {

class MappingFileSystem : public FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;

  Result<std::unique_ptr<RandomAccessFile>> NewRandomAccessFile(const std::string& path,
                                                                const FileOptions&) override {
    Result<std::string> bytes = ReadFileToString(target(), path);
    if (!bytes.ok()) return bytes.status();
    return std::unique_ptr<RandomAccessFile>(std::make_unique<File>(std::move(*bytes)));
  }

 private:
  class File : public RandomAccessFile {
   public:
    explicit File(std::string bytes) : bytes_(std::move(bytes)) {}
    Status Read(uint64_t offset, size_t size, Slice* result, char*) const override {
      const size_t begin = std::min<uint64_t>(offset, bytes_.size());
      *result = Slice(bytes_.data() + begin, std::min(size, bytes_.size() - begin));
      return Status::Ok();
    }
    Slice Mapping() const override { return bytes_; }
    Result<uint64_t> Size() const override { return uint64_t{bytes_.size()}; }

   private:
    const std::string bytes_;
  };
};

}  // namespace skarn

#endif  // SKARN_TESTS_CORRUPTION_MAPPING_FILE_SYSTEM_H_
