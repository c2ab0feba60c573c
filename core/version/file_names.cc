#include "core/version/file_names.h"

#include <cinttypes>
#include <cstdio>

namespace skarn {
namespace {

std::string Numbered(const std::string& directory, const char* prefix, uint64_t number,
                     const char* suffix) {
  char text[64];
  snprintf(text, sizeof(text), "/%s%06" PRIu64 "%s", prefix, number, suffix);
  return directory + text;
}

// Takes digits from the front: at least one, and a number that fits.
bool ConsumeDecimal(Slice* input, uint64_t* number) {
  uint64_t value = 0;
  size_t digits = 0;
  while (digits < input->size() && (*input)[digits] >= '0' && (*input)[digits] <= '9') {
    const auto digit = static_cast<uint64_t>((*input)[digits] - '0');
    if (value > (UINT64_MAX - digit) / 10) return false;
    value = value * 10 + digit;
    ++digits;
  }
  input->RemovePrefix(digits);
  *number = value;
  return digits > 0;
}

bool ConsumePrefix(Slice* input, Slice prefix) {
  if (!input->StartsWith(prefix)) return false;
  input->RemovePrefix(prefix.size());
  return true;
}

constexpr const char* kArchive = "archive";
constexpr size_t kInfoLogNameMax = 260;

}  // namespace

bool ParseFileName(Slice name, ParsedFileName* parsed) {
  return ParseFileName(name, Slice(), parsed);
}

bool ParseFileName(Slice name, Slice info_log_name, ParsedFileName* parsed) {
  Slice rest = name;
  *parsed = ParsedFileName();
  ConsumePrefix(&rest, "/");
  if (rest == Slice("IDENTITY")) {
    parsed->kind = FileKind::kIdentity;
    return true;
  }
  if (rest == Slice("CURRENT")) {
    parsed->kind = FileKind::kCurrent;
    return true;
  }
  if (rest == Slice("LOCK")) {
    parsed->kind = FileKind::kLock;
    return true;
  }
  if (!info_log_name.empty() && ConsumePrefix(&rest, info_log_name)) {
    parsed->kind = FileKind::kInfoLog;
    if (rest.empty() || rest == Slice(".old")) return true;
    return ConsumePrefix(&rest, ".old.") && ConsumeDecimal(&rest, &parsed->number);
  }
  if (ConsumePrefix(&rest, "MANIFEST-")) {
    parsed->kind = FileKind::kManifest;
    return ConsumeDecimal(&rest, &parsed->number) && rest.empty();
  }
  if (ConsumePrefix(&rest, "METADB-")) {
    parsed->kind = FileKind::kMetaDb;
    return ConsumeDecimal(&rest, &parsed->number) && rest.empty();
  }
  if (ConsumePrefix(&rest, "OPTIONS-")) {
    parsed->is_options = rest.EndsWith(".dbtmp");
    parsed->kind = parsed->is_options ? FileKind::kTemp : FileKind::kOptions;
    return ConsumeDecimal(&rest, &parsed->number);
  }
  if (ConsumePrefix(&rest, "COMPACTION_PROGRESS-")) {
    parsed->kind = rest.EndsWith(".dbtmp") ? FileKind::kTemp : FileKind::kProgress;
    return ConsumeDecimal(&rest, &parsed->number);
  }
  if (ConsumePrefix(&rest, kArchive)) {
    if (!ConsumePrefix(&rest, "/")) return false;
    parsed->archived = true;
  }
  if (!ConsumeDecimal(&rest, &parsed->number) || !ConsumePrefix(&rest, ".")) return false;
  if (rest == Slice("log")) {
    parsed->kind = FileKind::kWal;
    return true;
  }
  if (parsed->archived) return false;
  if (rest == Slice("sst") || rest == Slice("ldb")) {
    parsed->kind = FileKind::kTable;
  } else if (rest == Slice("blob")) {
    parsed->kind = FileKind::kBlob;
  } else if (rest == Slice("dbtmp")) {
    parsed->kind = FileKind::kTemp;
  } else {
    return false;
  }
  return true;
}

std::string WalFileName(const std::string& directory, uint64_t number) {
  return Numbered(directory, "", number, ".log");
}
std::string ArchiveDirectory(const std::string& directory) { return directory + "/" + kArchive; }
std::string ArchivedWalFileName(const std::string& directory, uint64_t number) {
  return WalFileName(ArchiveDirectory(directory), number);
}
std::string TableFileName(const std::string& directory, uint64_t number) {
  return Numbered(directory, "", number, ".sst");
}
std::string OldTableFileName(const std::string& directory, uint64_t number) {
  return Numbered(directory, "", number, ".ldb");
}
std::string BlobFileName(const std::string& directory, uint64_t number) {
  return Numbered(directory, "", number, ".blob");
}
std::string ManifestFileName(const std::string& directory, uint64_t number) {
  return Numbered(directory, "MANIFEST-", number, "");
}
std::string CurrentFileName(const std::string& directory) { return directory + "/CURRENT"; }
std::string LockFileName(const std::string& directory) { return directory + "/LOCK"; }
std::string IdentityFileName(const std::string& directory) { return directory + "/IDENTITY"; }
std::string OptionsFileName(const std::string& directory, uint64_t number) {
  return Numbered(directory, "OPTIONS-", number, "");
}
std::string TempOptionsFileName(const std::string& directory, uint64_t number) {
  return Numbered(directory, "OPTIONS-", number, ".dbtmp");
}
std::string TempFileName(const std::string& directory, uint64_t number) {
  return Numbered(directory, "", number, ".dbtmp");
}

std::string InfoLogName(const std::string& absolute_db_path, bool has_log_directory) {
  if (!has_log_directory) return "LOG";
  constexpr const char* kSuffix = "_LOG";
  std::string name;
  for (size_t i = 0; i < absolute_db_path.size() && name.size() < kInfoLogNameMax - 5; ++i) {
    const char c = absolute_db_path[i];
    const bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '.' || c == '_';
    if (kept) {
      name.push_back(c);
    } else if (i > 0) {
      name.push_back('_');
    }
  }
  return name + kSuffix;
}

std::string OldInfoLogName(const std::string& info_log_name, uint64_t time_us) {
  return Concat(info_log_name, ".old.", time_us);
}

const std::string& DirectoryOfPath(const std::vector<std::string>& directories, uint32_t path_id) {
  assert(!directories.empty());
  return path_id < directories.size() ? directories[path_id] : directories.back();
}

Result<std::unique_ptr<WritableFile>> BeginCurrentFile(FileSystem* fs, const std::string& db_path,
                                                       uint64_t manifest_number) {
  std::string content = ManifestFileName("", manifest_number).substr(1);
  content.push_back('\n');
  auto file = fs->NewWritableFile(TempFileName(db_path, manifest_number), FileOptions());
  if (!file.ok()) return file;
  Status s = (*file)->Append(content);
  if (s.ok()) s = (*file)->RangeSync(0, content.size());
  if (s.ok()) return file;
  DropCurrentFile(fs, db_path, manifest_number, std::move(*file));
  return s;
}

void DropCurrentFile(FileSystem* fs, const std::string& db_path, uint64_t manifest_number,
                     std::unique_ptr<WritableFile> begun) {
  begun.reset();
  (void)fs->DeleteFile(TempFileName(db_path, manifest_number)).ok();
}

Status SetCurrentFile(FileSystem* fs, const std::string& db_path, uint64_t manifest_number,
                      Directory* directory, bool* renamed, bool sync_last) {
  auto begun = BeginCurrentFile(fs, db_path, manifest_number);
  if (!begun.ok()) return begun.status();
  return SetCurrentFile(fs, db_path, manifest_number, std::move(*begun), directory, renamed,
                        sync_last);
}

Status SetCurrentFile(FileSystem* fs, const std::string& db_path, uint64_t manifest_number,
                      std::unique_ptr<WritableFile> begun, Directory* directory, bool* renamed,
                      bool sync_last) {
  if (renamed != nullptr) *renamed = false;
  const std::string temporary = TempFileName(db_path, manifest_number);
  Status s = begun->Sync();
  if (s.ok()) s = begun->Close();
  begun.reset();
  // The MANIFEST's own name must not be lost when CURRENT's change is not.
  if (s.ok() && directory != nullptr) s = directory->Fsync();
  if (s.ok()) {
    // From here on CURRENT may be the new one whatever the outcome says.
    if (renamed != nullptr) *renamed = true;
    s = fs->RenameFile(temporary, CurrentFileName(db_path));
  }
  if (!s.ok()) {
    (void)fs->DeleteFile(temporary);
    return s;
  }
  return directory == nullptr || !sync_last ? Status::Ok() : directory->Fsync();
}

Status ReadCurrentFile(FileSystem* fs, const std::string& db_path, std::string* manifest_path,
                       uint64_t* manifest_number) {
  Result<std::string> content = ReadFileToString(fs, CurrentFileName(db_path));
  if (!content.ok()) return content.status();
  std::string& name = *content;
  if (name.empty() || name.back() != '\n') {
    return Status::Corruption("CURRENT file does not end with newline");
  }
  name.pop_back();
  ParsedFileName parsed;
  if (!ParseFileName(name, &parsed) || parsed.kind != FileKind::kManifest) {
    return Status::Corruption("CURRENT file corrupted");
  }
  *manifest_number = parsed.number;
  *manifest_path = db_path;
  if (manifest_path->empty() || manifest_path->back() != '/') manifest_path->push_back('/');
  manifest_path->append(name);
  return Status::Ok();
}

Status WriteIdentityFile(FileSystem* fs, const std::string& db_path, Slice db_id,
                         Directory* directory) {
  const std::string temporary = TempFileName(db_path, 0);
  Status s = WriteStringToFile(fs, db_id, temporary, /*sync=*/true);
  if (s.ok()) s = fs->RenameFile(temporary, IdentityFileName(db_path));
  if (!s.ok()) {
    (void)fs->DeleteFile(temporary);
    return s;
  }
  return directory == nullptr ? Status::Ok() : directory->Fsync();
}

Result<std::string> ReadIdentityFile(FileSystem* fs, const std::string& db_path) {
  Result<std::string> text = ReadFileToString(fs, IdentityFileName(db_path));
  if (text.ok() && !text->empty() && text->back() == '\n') text->pop_back();
  return text;
}

}  // namespace skarn
