#include "core/env/file_system.h"

#include <algorithm>
#include <utility>

namespace skarn {

void RandomAccessFile::MultiRead(ReadRequest* requests, size_t count) const {
  for (size_t i = 0; i < count; i++) {
    ReadRequest& request = requests[i];
    request.status = Read(request.offset, request.size, &request.result, request.scratch);
  }
}

Status RandomAccessFile::Prefetch(uint64_t offset, size_t size) const {
  (void)offset, (void)size;
  return Status::NotSupported("Prefetch");
}

Status RandomAccessFile::InvalidateCache(uint64_t offset, size_t size) const {
  (void)offset, (void)size;
  return Status::Ok();
}

Status SequentialFile::Seek(uint64_t offset) {
  (void)offset;
  return Status::NotSupported("Seek");
}

Status WritableFile::PositionedAppend(Slice data, uint64_t offset) {
  (void)data, (void)offset;
  return Status::NotSupported("PositionedAppend");
}

Status WritableFile::RangeSync(uint64_t offset, uint64_t size) {
  (void)offset, (void)size;
  return Status::Ok();
}

Status WritableFile::Allocate(uint64_t offset, uint64_t size) {
  (void)offset, (void)size;
  return Status::Ok();
}

Status WritableFile::InvalidateCache(uint64_t offset, size_t size) {
  (void)offset, (void)size;
  return Status::Ok();
}

Status WritableFile::GrowAhead(uint64_t end, size_t piece_bytes) {
  (void)end, (void)piece_bytes;
  return Status::NotSupported("GrowAhead");
}

char* WritableFile::MapAhead(uint64_t offset, uint64_t end) {
  (void)offset, (void)end;
  return nullptr;
}

Status WritableFile::Filled(uint64_t end) {
  (void)end;
  return Status::NotSupported("Filled");
}

Result<bool> FileSystem::SameFile(const std::string& a, const std::string& b) {
  Result<std::string> first = AbsolutePath(a);
  if (!first.ok()) return first.status();
  Result<std::string> second = AbsolutePath(b);
  if (!second.ok()) return second.status();
  return *first == *second;
}

Result<uint64_t> FileSystem::FreeSpace(const std::string& path) {
  return Status::NotSupported("free space is not known", path);
}

namespace {

constexpr size_t kCopyBytes = 256 << 10;

Status WriteAndClose(WritableFile* file, Slice data, bool sync) {
  if (Status s = file->Append(data); !s.ok()) return s;
  if (sync) {
    if (Status s = file->Sync(); !s.ok()) return s;
  }
  return file->Close();
}

Status CopyBytes(SequentialFile* from, WritableFile* to, const std::string& from_path,
                 uint64_t size_bytes, bool to_the_end) {
  std::string scratch(kCopyBytes, '\0');
  while (to_the_end || size_bytes != 0) {
    const size_t wanted =
        to_the_end ? kCopyBytes : static_cast<size_t>(std::min<uint64_t>(size_bytes, kCopyBytes));
    Slice bytes;
    if (Status s = from->Read(wanted, &bytes, scratch.data()); !s.ok()) return s;
    if (bytes.empty()) {
      if (to_the_end) return Status::Ok();
      return Status::Corruption(
          Concat(from_path, ": file too small, ", size_bytes, " bytes are missing at its end"));
    }
    if (Status s = to->Append(bytes); !s.ok()) return s;
    size_bytes -= std::min<uint64_t>(size_bytes, bytes.size());
  }
  return Status::Ok();
}

}  // namespace

Status WriteStringToFile(FileSystem* fs, Slice data, const std::string& path, bool sync) {
  Result<std::unique_ptr<WritableFile>> file = fs->NewWritableFile(path, FileOptions());
  if (!file.ok()) return file.status();
  Status s = WriteAndClose(file->get(), data, sync);
  if (!s.ok()) {
    // What is half written is of no use; the first error is the one to tell.
    file->reset();
    (void)fs->DeleteFile(path);
  }
  return s;
}

Result<std::string> ReadFileToString(FileSystem* fs, const std::string& path) {
  Result<std::unique_ptr<SequentialFile>> file = fs->NewSequentialFile(path, FileOptions());
  if (!file.ok()) return file.status();
  std::string content;
  char small[4096];  // Most are no longer.
  std::string large;
  while (true) {
    Slice bytes;
    char* const scratch = large.empty() ? small : large.data();
    const size_t size = large.empty() ? sizeof(small) : large.size();
    if (Status s = (*file)->Read(size, &bytes, scratch); !s.ok()) return s;
    if (bytes.empty()) return content;
    content.append(bytes.data(), bytes.size());
    if (large.empty() && content.size() >= sizeof(small)) large.resize(64 << 10);
  }
}

Status CopyFile(FileSystem* fs, const std::string& from, const std::string& to, uint64_t size_bytes,
                bool sync) {
  Result<std::unique_ptr<SequentialFile>> source = fs->NewSequentialFile(from, FileOptions());
  if (!source.ok()) return source.status();
  Result<std::unique_ptr<WritableFile>> target = fs->NewWritableFile(to, FileOptions());
  if (!target.ok()) return target.status();
  Status s = CopyBytes(source->get(), target->get(), from, size_bytes,
                       /*to_the_end=*/size_bytes == 0);
  if (s.ok() && sync) s = (*target)->Sync();
  if (s.ok()) s = (*target)->Close();
  if (!s.ok()) {
    target->reset();
    (void)fs->DeleteFile(to);
  }
  return s;
}

}  // namespace skarn
