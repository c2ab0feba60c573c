#include "core/env/crash_file_system.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/random.h"

namespace skarn {

namespace {

std::string ParentOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return std::string();
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool IsInside(const std::string& path, const std::string& directory) {
  return path.size() > directory.size() && Slice(path).StartsWith(directory) &&
         (directory == "/" || path[directory.size()] == '/');
}

void WriteInto(std::string* content, uint64_t offset, Slice data) {
  if (content->size() < offset + data.size()) content->resize(offset + data.size());
  if (!data.empty()) memcpy(content->data() + offset, data.data(), data.size());
}

class CrashWritableFile final : public WritableFile {
 public:
  CrashWritableFile(CrashFileSystem* fs, std::unique_ptr<WritableFile> live, uint64_t file)
      : fs_(fs), live_(std::move(live)), file_(file) {}

  Status Append(Slice data) override {
    const uint64_t offset = live_->Size();
    if (Status s = live_->Append(data); !s.ok()) return s;
    if (!data.empty()) fs_->RecordWrite(file_, offset, data);
    return Status::Ok();
  }
  Status PositionedAppend(Slice data, uint64_t offset) override {
    if (Status s = live_->PositionedAppend(data, offset); !s.ok()) return s;
    fs_->RecordWrite(file_, offset, data);
    return Status::Ok();
  }
  Status Truncate(uint64_t size) override {
    if (Status s = live_->Truncate(size); !s.ok()) return s;
    fs_->RecordTruncate(file_, size);
    grown_end_ = size;
    return Status::Ok();
  }
  Status Close() override { return live_->Close(); }
  Status Flush() override { return live_->Flush(); }
  Status Sync() override {
    fs_->RecordSync(file_);
    return Status::Ok();
  }
  uint64_t Size() override { return live_->Size(); }

  Status GrowAhead(uint64_t end, size_t piece_bytes) override {
    const uint64_t from = std::max(grown_end_, live_->Size());
    if (Status s = live_->GrowAhead(end, piece_bytes); !s.ok()) return s;
    for (uint64_t at = from; at < end; at = grown_end_) {
      grown_end_ = std::min<uint64_t>(end, at + piece_bytes);
      fs_->RecordWrite(file_, at, Slice(std::string(grown_end_ - at, '\0')));
    }
    return Status::Ok();
  }
  char* MapAhead(uint64_t offset, uint64_t end) override {
    window_offset_ = offset;
    window_ = live_->MapAhead(offset, end);
    return window_;
  }
  Status Filled(uint64_t end) override {
    const uint64_t begin = live_->Size();
    if (Status s = live_->Filled(end); !s.ok()) return s;
    fs_->RecordWrite(file_, begin, Slice(window_ + (begin - window_offset_), end - begin));
    return Status::Ok();
  }

 private:
  CrashFileSystem* const fs_;
  const std::unique_ptr<WritableFile> live_;
  const uint64_t file_;
  uint64_t grown_end_ = 0;
  char* window_ = nullptr;  // Of live_.
  uint64_t window_offset_ = 0;
};

class CrashDirectory final : public Directory {
 public:
  CrashDirectory(CrashFileSystem* fs, std::string path) : fs_(fs), path_(std::move(path)) {}
  Status Fsync() override {
    fs_->RecordDirectorySync(path_);
    return Status::Ok();
  }

 private:
  CrashFileSystem* const fs_;
  const std::string path_;
};

}  // namespace

// Walks through the operations and keeps apart what is durable and what is pending.
class CrashFileSystem::Replay {
 public:
  Replay(const Disk& start, Loss loss) : loss_(loss), durable_(start) {}

  void Add(const Operation& operation) {
    switch (operation.kind) {
      case Kind::kWrite:
      case Kind::kTruncate:
        pending_data_[operation.file].push_back(&operation);
        break;
      case Kind::kSync:
        for (const Operation* change : pending_data_[operation.file]) Apply(*change);
        pending_data_.erase(operation.file);
        break;
      case Kind::kFailedSync:
        // What the system dropped is lost with the power, not with the process.
        if (loss_ != Loss::kNothing) pending_data_.erase(operation.file);
        break;
      case Kind::kDirectorySync:
        SyncDirectory(operation.path);
        break;
      default:
        pending_names_.push_back(&operation);
    }
  }

  Disk Cut(uint64_t seed) {
    Random random(seed);
    CutNames(loss_, &random);
    for (const auto& [file, changes] : pending_data_) CutData(file, changes, loss_, &random);
    return std::move(durable_);
  }

 private:
  static bool Touches(const Operation& operation, const std::string& path) {
    return operation.path == path || operation.second_path == path;
  }
  // Whether `later` cannot be on the disk without `earlier`.
  static bool Needs(const Operation& later, const Operation& earlier) {
    if (later.file != 0 && later.file == earlier.file) return true;
    for (const std::string* path : {&later.path, &later.second_path}) {
      if (path->empty()) continue;
      if (Touches(earlier, *path)) return true;
      // A name lives in its directory, and a directory goes after its names.
      if (IsInside(*path, earlier.path) || IsInside(earlier.path, *path)) return true;
      if (!earlier.second_path.empty() &&
          (IsInside(*path, earlier.second_path) || IsInside(earlier.second_path, *path))) {
        return true;
      }
    }
    return false;
  }

  void Apply(const Operation& change) {
    std::string& content = durable_.contents[change.file];
    if (change.kind == Kind::kTruncate) {
      content.resize(change.offset);
    } else {
      WriteInto(&content, change.offset, change.data);
    }
  }

  void SyncDirectory(const std::string& path) {
    std::vector<bool> needed(pending_names_.size(), false);
    for (size_t i = pending_names_.size(); i > 0; i--) {
      const Operation& operation = *pending_names_[i - 1];
      bool take = ParentOf(operation.path) == path ||
                  (!operation.second_path.empty() && ParentOf(operation.second_path) == path) ||
                  (operation.kind == Kind::kCreateDirectory &&
                   (operation.path == path || IsInside(path, operation.path)));
      for (size_t later = i; later < needed.size() && !take; later++) {
        take = needed[later] && Needs(*pending_names_[later], operation);
      }
      needed[i - 1] = take;
    }
    std::vector<const Operation*> left;
    for (size_t i = 0; i < needed.size(); i++) {
      if (needed[i]) {
        ApplyName(*pending_names_[i], &durable_);
      } else {
        left.push_back(pending_names_[i]);
      }
    }
    pending_names_.swap(left);
  }

  void CutNames(Loss loss, Random* random) {
    if (loss == Loss::kEverything) return;
    const size_t kept =
        loss == Loss::kTail ? random->Uniform(pending_names_.size() + 1) : pending_names_.size();
    std::vector<const Operation*> lost;
    for (size_t i = 0; i < kept; i++) {
      const Operation& operation = *pending_names_[i];
      bool lose = loss == Loss::kAnything && random->OneIn(2);
      for (const Operation* earlier : lost) lose = lose || Needs(operation, *earlier);
      if (lose) {
        lost.push_back(&operation);
      } else {
        ApplyName(operation, &durable_);
      }
    }
  }

  void CutData(uint64_t file, const std::vector<const Operation*>& changes, Loss loss,
               Random* random) {
    switch (loss) {
      case Loss::kEverything:
        return;
      case Loss::kNothing:
        for (const Operation* change : changes) Apply(*change);
        return;
      case Loss::kTail: {
        size_t kept = random->Uniform(changes.size() + 1);
        for (size_t i = 0; i < kept; i++) Apply(*changes[i]);
        if (kept < changes.size() && changes[kept]->kind == Kind::kWrite) {
          // The next write is torn: its bytes up to the start of some sector are there.
          const Operation& torn = *changes[kept];
          const uint64_t end = torn.offset + random->Uniform(torn.data.size() + 1);
          const uint64_t cut = end / kSectorBytes * kSectorBytes;
          if (cut > torn.offset) {
            WriteInto(&durable_.contents[file], torn.offset,
                      Slice(torn.data.data(), cut - torn.offset));
          }
        }
        return;
      }
      case Loss::kAnything:
        for (const Operation* change : changes) {
          if (change->kind == Kind::kTruncate) {
            if (random->OneIn(2)) Apply(*change);
            continue;
          }
          std::string& content = durable_.contents[file];
          const uint64_t end = change->offset + change->data.size();
          // The size may be there without the bytes.
          if (content.size() < end && random->OneIn(2)) content.resize(end);
          for (uint64_t at = change->offset; at < end;) {
            const uint64_t next = std::min(end, (at / kSectorBytes + 1) * kSectorBytes);
            if (random->OneIn(2)) {
              WriteInto(&content, at,
                        Slice(change->data.data() + (at - change->offset), next - at));
            }
            at = next;
          }
        }
        return;
    }
  }

  const Loss loss_;
  Disk durable_;
  std::vector<const Operation*> pending_names_;
  std::map<uint64_t, std::vector<const Operation*>> pending_data_;
};

CrashFileSystem::CrashFileSystem() : FileSystemWrapper(nullptr), live_(NewMemoryFileSystem()) {
  set_target(live_.get());
}

CrashFileSystem::~CrashFileSystem() = default;

std::string CrashFileSystem::Normal(const std::string& path) {
  std::string normal;
  for (const char byte : path) {
    if (byte != '/' || normal.empty() || normal.back() != '/') normal.push_back(byte);
  }
  if (normal.size() > 1 && normal.back() == '/') normal.pop_back();
  return normal;
}

void CrashFileSystem::ApplyName(const Operation& operation, Disk* disk) {
  switch (operation.kind) {
    case Kind::kCreate:
      disk->names[operation.path] = operation.file;
      break;
    case Kind::kLink:
      disk->names[operation.second_path] = operation.file;
      break;
    case Kind::kUnlink:
      disk->names.erase(operation.path);
      break;
    case Kind::kCreateDirectory:
      disk->directories.insert(operation.path);
      break;
    case Kind::kDeleteDirectory:
      disk->directories.erase(operation.path);
      break;
    case Kind::kRename: {
      const auto name = disk->names.find(operation.path);
      if (name != disk->names.end()) {
        disk->names[operation.second_path] = name->second;
        disk->names.erase(operation.path);
        break;
      }
      // A directory, with all that is inside.
      Disk moved;
      const auto renamed = [&operation](const std::string& path) {
        return path == operation.path || IsInside(path, operation.path)
                   ? operation.second_path + path.substr(operation.path.size())
                   : path;
      };
      for (const auto& [path, file] : disk->names) moved.names[renamed(path)] = file;
      for (const std::string& path : disk->directories) moved.directories.insert(renamed(path));
      disk->names.swap(moved.names);
      disk->directories.swap(moved.directories);
      break;
    }
    default:
      break;
  }
}

size_t CrashFileSystem::OperationCount() const {
  MutexLock lock(&mu_);
  return operations_.size();
}

std::string CrashFileSystem::DescribeOperation(size_t index) const {
  MutexLock lock(&mu_);
  const Operation& operation = operations_.at(index);
  switch (operation.kind) {
    case Kind::kCreate:
      return Concat("create ", operation.path, " as file ", operation.file);
    case Kind::kWrite:
      return Concat("write ", operation.data.size(), " bytes at ", operation.offset, " of file ",
                    operation.file);
    case Kind::kTruncate:
      return Concat("truncate file ", operation.file, " to ", operation.offset);
    case Kind::kSync:
      return Concat("sync file ", operation.file);
    case Kind::kFailedSync:
      return Concat("failing sync of file ", operation.file);
    case Kind::kRename:
      return Concat("rename ", operation.path, " to ", operation.second_path);
    case Kind::kLink:
      return Concat("link ", operation.path, " as ", operation.second_path);
    case Kind::kUnlink:
      return Concat("unlink ", operation.path);
    case Kind::kCreateDirectory:
      return Concat("create directory ", operation.path);
    case Kind::kDeleteDirectory:
      return Concat("delete directory ", operation.path);
    case Kind::kDirectorySync:
      return Concat("sync directory ", operation.path);
  }
  return std::string();
}

std::unique_ptr<CrashFileSystem> CrashFileSystem::AfterPowerCut(size_t operations, Loss loss,
                                                                uint64_t seed) const {
  Disk disk;
  uint64_t next_file = 0;
  {
    MutexLock lock(&mu_);
    Replay replay(start_, loss);
    for (size_t i = 0; i < std::min(operations, operations_.size()); i++) {
      replay.Add(operations_[i]);
    }
    disk = replay.Cut(seed);
    next_file = next_file_;
  }
  auto after = std::make_unique<CrashFileSystem>();
  FileSystem* live = after->live_.get();
  for (const std::string& directory : disk.directories) (void)live->CreateDirIfMissing(directory);
  Disk kept;
  kept.directories = disk.directories;
  std::map<uint64_t, std::string> first_name;
  for (const auto& [path, file] : disk.names) {
    kept.names[path] = file;
    const auto [known, is_new] = first_name.emplace(file, path);
    if (is_new) {
      kept.contents[file] = disk.contents[file];
      (void)WriteStringToFile(live, kept.contents[file], path, /*sync=*/false);
    } else {
      (void)live->LinkFile(known->second, path);
    }
  }
  MutexLock lock(&after->mu_);
  after->now_.names = kept.names;
  after->now_.directories = kept.directories;
  after->start_ = std::move(kept);
  after->next_file_ = next_file;
  return after;
}

void CrashFileSystem::AddNameOperation(Operation operation) {
  ApplyName(operation, &now_);
  operations_.push_back(std::move(operation));
}

uint64_t CrashFileSystem::FileOf(const std::string& path) {
  const std::string name = Normal(path);
  const auto known = now_.names.find(name);
  if (known != now_.names.end()) return known->second;
  const uint64_t file = next_file_++;
  AddNameOperation({.kind = Kind::kCreate, .file = file, .path = name});
  return file;
}

void CrashFileSystem::FailSync(const std::string& path) {
  MutexLock lock(&mu_);
  const auto named = now_.names.find(Normal(path));
  if (named == now_.names.end()) return;
  operations_.push_back({.kind = Kind::kFailedSync, .file = named->second});
}

void CrashFileSystem::RecordWrite(uint64_t file, uint64_t offset, Slice data) {
  MutexLock lock(&mu_);
  operations_.push_back(
      {.kind = Kind::kWrite, .file = file, .offset = offset, .data = data.ToString()});
}

void CrashFileSystem::RecordTruncate(uint64_t file, uint64_t size) {
  MutexLock lock(&mu_);
  operations_.push_back({.kind = Kind::kTruncate, .file = file, .offset = size});
}

void CrashFileSystem::RecordSync(uint64_t file) {
  MutexLock lock(&mu_);
  operations_.push_back({.kind = Kind::kSync, .file = file});
}

void CrashFileSystem::RecordDirectorySync(const std::string& path) {
  MutexLock lock(&mu_);
  operations_.push_back({.kind = Kind::kDirectorySync, .path = path});
}

Result<std::unique_ptr<WritableFile>> CrashFileSystem::NewWritableFile(const std::string& path,
                                                                       const FileOptions& options) {
  MutexLock lock(&mu_);
  auto file = live_->NewWritableFile(path, options);
  if (!file.ok()) return file.status();
  const bool existed = now_.names.count(Normal(path)) != 0;
  const uint64_t number = FileOf(path);
  if (existed) operations_.push_back({.kind = Kind::kTruncate, .file = number});
  return std::unique_ptr<WritableFile>(
      std::make_unique<CrashWritableFile>(this, std::move(*file), number));
}

Result<std::unique_ptr<WritableFile>> CrashFileSystem::ReopenWritableFile(
    const std::string& path, const FileOptions& options) {
  MutexLock lock(&mu_);
  auto file = live_->ReopenWritableFile(path, options);
  if (!file.ok()) return file.status();
  return std::unique_ptr<WritableFile>(
      std::make_unique<CrashWritableFile>(this, std::move(*file), FileOf(path)));
}

Result<std::unique_ptr<WritableFile>> CrashFileSystem::ReuseWritableFile(
    const std::string& path, const std::string& old_path, const FileOptions& options) {
  MutexLock lock(&mu_);
  auto file = live_->ReuseWritableFile(path, old_path, options);
  if (!file.ok()) return file.status();
  const uint64_t number = FileOf(old_path);
  AddNameOperation({.kind = Kind::kRename,
                    .file = number,
                    .path = Normal(old_path),
                    .second_path = Normal(path)});
  return std::unique_ptr<WritableFile>(
      std::make_unique<CrashWritableFile>(this, std::move(*file), number));
}

Result<std::unique_ptr<Directory>> CrashFileSystem::NewDirectory(const std::string& path) {
  return std::unique_ptr<Directory>(std::make_unique<CrashDirectory>(this, Normal(path)));
}

Status CrashFileSystem::DeleteFile(const std::string& path) {
  MutexLock lock(&mu_);
  if (Status s = live_->DeleteFile(path); !s.ok()) return s;
  AddNameOperation({.kind = Kind::kUnlink, .file = FileOf(path), .path = Normal(path)});
  return Status::Ok();
}

Status CrashFileSystem::CreateDir(const std::string& path) {
  MutexLock lock(&mu_);
  if (Status s = live_->CreateDir(path); !s.ok()) return s;
  AddNameOperation({.kind = Kind::kCreateDirectory, .path = Normal(path)});
  return Status::Ok();
}

Status CrashFileSystem::CreateDirIfMissing(const std::string& path) {
  MutexLock lock(&mu_);
  if (Status s = live_->CreateDirIfMissing(path); !s.ok()) return s;
  if (now_.directories.count(Normal(path)) == 0) {
    AddNameOperation({.kind = Kind::kCreateDirectory, .path = Normal(path)});
  }
  return Status::Ok();
}

Status CrashFileSystem::DeleteDir(const std::string& path) {
  MutexLock lock(&mu_);
  if (Status s = live_->DeleteDir(path); !s.ok()) return s;
  AddNameOperation({.kind = Kind::kDeleteDirectory, .path = Normal(path)});
  return Status::Ok();
}

Status CrashFileSystem::RenameFile(const std::string& from, const std::string& to) {
  MutexLock lock(&mu_);
  if (Status s = live_->RenameFile(from, to); !s.ok()) return s;
  const auto named = now_.names.find(Normal(from));
  const uint64_t file = named == now_.names.end() ? 0 : named->second;  // 0: a directory.
  AddNameOperation(
      {.kind = Kind::kRename, .file = file, .path = Normal(from), .second_path = Normal(to)});
  return Status::Ok();
}

Status CrashFileSystem::LinkFile(const std::string& from, const std::string& to) {
  MutexLock lock(&mu_);
  if (Status s = live_->LinkFile(from, to); !s.ok()) return s;
  AddNameOperation(
      {.kind = Kind::kLink, .file = FileOf(from), .path = Normal(from), .second_path = Normal(to)});
  return Status::Ok();
}

Status CrashFileSystem::Truncate(const std::string& path, uint64_t size) {
  MutexLock lock(&mu_);
  if (Status s = live_->Truncate(path, size); !s.ok()) return s;
  operations_.push_back({.kind = Kind::kTruncate, .file = FileOf(path), .offset = size});
  return Status::Ok();
}

Result<std::unique_ptr<FileLock>> CrashFileSystem::LockFile(const std::string& path) {
  MutexLock lock(&mu_);
  auto held = live_->LockFile(path);
  if (held.ok()) (void)FileOf(path);
  return held;
}

}  // namespace skarn
