#include "core/options/options_file.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "core/options/option_rows.h"
#include "core/options/option_text.h"
#include "core/options/release_text.h"

namespace skarn {
namespace {

// The release whose options and defaults these are.
constexpr char kWrittenVersion[] = "11.8.1";
constexpr int kRunningVersion[3] = {11, 8, 1};
constexpr char kFileVersion[] = "1.1";
constexpr char kDefaultFamily[] = "default";

void AppendLine(Slice name, Slice value, std::string* out) {
  if (value.empty()) return;
  out->append("  ").append(name.data(), name.size()).push_back('=');
  out->append(value.data(), value.size()).push_back('\n');
}

template <typename Options>
void AppendRows(std::span<const OptionRow<Options>> rows, const Options& options,
                std::string* out) {
  for (const OptionRow<Options>& row : rows) {
    if (!row.in_text) continue;
    std::string value;
    row.print(options, &value);
    AppendLine(row.name, value, out);
  }
  out->append("  \n");
}

template <typename Structure>
void AppendFields(const Structure& options, std::string* out) {
  for (const auto& [name, value] : FieldsOf(options)) AppendLine(name, value, out);
  out->append("  \n");
}

void AppendTable(const TableFactory& factory, const std::string& name, std::string* out) {
  std::string format;
  PrintValue(factory, &format);
  out->append(Concat("[TableOptions/", format, " \"", name, "\"]\n"));
  switch (factory.format) {
    case TableFactory::Format::kBlockBased:
      AppendRows(TableOptionRows(), factory.block_based, out);
      break;
    case TableFactory::Format::kPlain:
      AppendFields(factory.plain, out);
      break;
    case TableFactory::Format::kCuckoo:
      AppendFields(factory.cuckoo, out);
      break;
  }
}

// Without the comment, which begins at the first # that is not escaped.
Slice WithoutComment(Slice line) {
  for (size_t i = 0; i < line.size(); i++) {
    if (line[i] == '#' && (i == 0 || line[i - 1] != '\\')) return Slice(line.data(), i);
  }
  return line;
}

// Reads one file, line by line.
class OptionsFileParser {
 public:
  OptionsFileParser(const OptionReading& reading, OptionsFile* file)
      : reading_(reading), file_(file) {}

  Status ParseLine(Slice raw) {
    line_number_++;
    const Slice line = TrimOptionText(WithoutComment(raw));
    if (line.empty()) return Status::Ok();
    if (line[0] == '[' && line[line.size() - 1] == ']') return BeginSection(line);
    return ParseStatement(line);
  }

  Status Finish() {
    if (!has_db_) {
      return Status::Corruption("A RocksDB Option file must have a single DBOptions section");
    }
    if (file_->families.empty()) {
      return Status::Corruption(
          "A RocksDB Option file must have a single CFOptions:default section");
    }
    return Status::Ok();
  }

 private:
  enum class Section { kNone, kVersion, kDb, kFamily, kTable, kForeignTable };

  Status Error(Slice text) const {
    return Status::InvalidArgument("[RocksDBOptionsParser Error] ",
                                   Concat(text, " (at line ", line_number_, ")"));
  }

  Status BeginSection(Slice line) {
    // [title "argument"]; quotes inside of the argument are part of it.
    const Slice inner(line.data() + 1, line.size() - 2);
    const size_t open = inner.view().find('"');
    const size_t close = inner.view().rfind('"');
    Slice title = TrimOptionText(inner);
    std::string argument;
    if (open != std::string_view::npos && close > open) {
      title = TrimOptionText(Slice(inner.data(), open));
      argument = UnescapeOptionText(Slice(inner.data() + open + 1, close - open - 1));
    }

    if (title == "Version") {
      if (has_version_) {
        return Error("More than one Version section found in the option config file.");
      }
      has_version_ = true;
      section_ = Section::kVersion;
      return Status::Ok();
    }
    if (title == "DBOptions") {
      if (has_db_) return Error("More than one DBOption section found in the option config file");
      has_db_ = true;
      section_ = Section::kDb;
      return Status::Ok();
    }
    if (title == "CFOptions") return BeginFamily(argument);
    if (title.StartsWith("TableOptions/")) {
      return BeginTable(Slice(title.data() + 13, title.size() - 13), argument);
    }
    return Status::InvalidArgument(Concat("Unknown section ", line));
  }

  Status BeginFamily(const std::string& name) {
    if (file_->families.empty() && name != kDefaultFamily) {
      return Error(
          "Default column family must be the first CFOptions section in the option config file");
    }
    if (FindFamily(name) != nullptr) {
      return Error("Two identical column families found in option config file");
    }
    file_->families.push_back({name, ColumnFamilyOptions()});
    family_ = &file_->families.back().options;
    section_ = Section::kFamily;
    return Status::Ok();
  }

  Status BeginTable(Slice format, const std::string& name) {
    family_ = FindFamily(name);
    if (family_ == nullptr) {
      return Error(
          Concat("Does not find a matched column family name in TableOptions section.  "
                 "Column Family Name:",
                 name));
    }
    section_ = Section::kTable;
    TableFactory& factory = family_->table_factory;
    if (format == "BlockBasedTable") {
      factory.format = TableFactory::Format::kBlockBased;
    } else if (format == "PlainTable") {
      factory.format = TableFactory::Format::kPlain;
    } else if (format == "CuckooTable") {
      factory.format = TableFactory::Format::kCuckoo;
    } else {
      section_ = Section::kForeignTable;
    }
    return Status::Ok();
  }

  ColumnFamilyOptions* FindFamily(const std::string& name) {
    for (NamedColumnFamilyOptions& family : file_->families) {
      if (family.name == name) return &family.options;
    }
    return nullptr;
  }

  Status ParseStatement(Slice line) {
    const size_t equals = line.view().find('=');
    if (equals == std::string_view::npos) return Error("A valid statement must have a '='.");
    const Slice name = TrimOptionText(Slice(line.data(), equals));
    if (name.empty()) return Error("A valid statement must have a variable name.");
    const Slice raw = TrimOptionText(Slice(line.data() + equals + 1, line.size() - equals - 1));
    const std::string value = UnescapeOptionText(raw);

    Status s;
    bool known = true;
    switch (section_) {
      case Section::kNone:
        return Error("A valid statement must be inside of a section.");
      case Section::kVersion:
        return ParseVersion(name, value);
      case Section::kDb:
        // Releases before 7.0 had this one for the whole database.
        if (name == "experimental_mempurge_threshold") return Status::Ok();
        known = SetDbOption(reading_, name, value, &file_->db, &s);
        break;
      case Section::kFamily:
        known = SetColumnFamilyOption(reading_, name, value, family_, &s);
        break;
      case Section::kTable:
        known = SetTable(name, value, &s);
        break;
      case Section::kForeignTable:
        return Status::Ok();
    }
    if (!known && !IgnoresUnknown()) {
      return Status::InvalidArgument("Extra option not recognized", name);
    }
    return s;
  }

  bool SetTable(Slice name, const std::string& value, Status* s) {
    TableFactory& factory = family_->table_factory;
    if (factory.format == TableFactory::Format::kBlockBased) {
      return SetTableOption(reading_, name, value, &factory.block_based, s);
    }
    OptionReading lenient = reading_;
    lenient.ignore_unknown = IgnoresUnknown();
    const std::string text = Concat(name, "={", value, "}");
    *s = factory.format == TableFactory::Format::kPlain
             ? ParseValue(lenient, "PlainTable", text, &factory.plain)
             : ParseValue(lenient, "CuckooTable", text, &factory.cuckoo);
    return true;
  }

  // A file of this or an older release should not name what nobody knows.
  bool IgnoresUnknown() const {
    if (!reading_.ignore_unknown) return false;
    const int written[3] = {file_->version_major, file_->version_minor, file_->version_patch};
    for (int i = 0; i < 3; i++) {
      if (written[i] != kRunningVersion[i]) return written[i] > kRunningVersion[i];
    }
    return false;
  }

  Status ParseVersion(Slice name, const std::string& value) {
    int numbers[3] = {0, 0, 0};
    if (name == "rocksdb_version") {
      if (!SplitVersion(value, /*dots_max=*/2, numbers)) {
        return Error(Concat("A valid rocksdb_version can only contains at most two dots: ", value));
      }
      file_->version_major = numbers[0];
      file_->version_minor = numbers[1];
      file_->version_patch = numbers[2];
    } else if (name == "options_file_version") {
      if (!SplitVersion(value, /*dots_max=*/1, numbers)) {
        return Error(
            Concat("A valid options_file_version can only contains at most one dot: ", value));
      }
      if (numbers[0] < 1) return Error("A valid options_file_version must be at least 1.");
    }
    return Status::Ok();
  }

  static bool SplitVersion(const std::string& text, int dots_max, int* numbers) {
    const char* at = text.data();
    const char* const end = at + text.size();
    for (int i = 0;; i++) {
      const auto parsed = std::from_chars(at, end, numbers[i]);
      if (parsed.ec != std::errc() || numbers[i] < 0) return false;
      if (parsed.ptr == end) return true;
      if (*parsed.ptr != '.' || i == dots_max) return false;
      at = parsed.ptr + 1;
    }
  }

  const OptionReading reading_;
  OptionsFile* const file_;
  Section section_ = Section::kNone;
  ColumnFamilyOptions* family_ = nullptr;  // Of the section, in file_->families.
  bool has_version_ = false;
  bool has_db_ = false;
  int line_number_ = 0;
};

}  // namespace

std::string OptionsFileText(const DbOptions& db,
                            const std::vector<NamedColumnFamilyOptions>& families) {
  std::string out =
      "# The options of a database, written by Skarn in the format of RocksDB.\n"
      "#\n"
      "# Opening the database does not read this file. Programs may load it to open the\n"
      "# database with the options it had.\n"
      "#\n"
      "\n"
      "[Version]\n";
  AppendLine("rocksdb_version", kWrittenVersion, &out);
  AppendLine("options_file_version", kFileVersion, &out);
  out.append("\n[DBOptions]\n");
  AppendRows(DbOptionRows(), db, &out);
  for (const NamedColumnFamilyOptions& family : families) {
    const std::string name = EscapeOptionText(family.name);
    out.append(Concat("\n[CFOptions \"", name, "\"]\n"));
    AppendRows(ColumnFamilyOptionRows(), family.options, &out);
    AppendTable(family.options.table_factory, name, &out);
  }
  return out;
}

Result<OptionsFile> ParseOptionsFile(const OptionReading& reading, Slice text) {
  OptionsFile file;
  OptionsFileParser parser(reading, &file);
  while (!text.empty()) {
    const size_t end = std::min(text.view().find('\n'), text.size());
    if (Status s = parser.ParseLine(Slice(text.data(), end)); !s.ok()) return s;
    text.RemovePrefix(std::min(end + 1, text.size()));
  }
  if (Status s = parser.Finish(); !s.ok()) return s;
  return file;
}

namespace {

std::string PathOfNumber(const std::string& directory, uint64_t file_number) {
  char name[32];
  snprintf(name, sizeof(name), "OPTIONS-%06llu", static_cast<unsigned long long>(file_number));
  return Concat(directory, "/", name);
}

// False: `path` is still to be written.
bool LinkSameText(FileSystem* fs, const std::string& existing, const std::string& path,
                  const std::string& text) {
  const Result<std::string> there = ReadFileToString(fs, existing);
  return there.ok() && *there == text && fs->LinkFile(existing, path).ok();
}

}  // namespace

Status WriteOptionsFile(FileSystem* fs, const std::string& directory, uint64_t file_number,
                        const DbOptions& db, const std::vector<NamedColumnFamilyOptions>& families,
                        bool sync_directory, uint64_t previous_number) {
  const std::string path = PathOfNumber(directory, file_number);
  const std::string text =
      OptionsTextForRelease(OptionsFileText(db, families), db.options_file_release);
  if (previous_number == 0 ||
      !LinkSameText(fs, PathOfNumber(directory, previous_number), path, text)) {
    const std::string temporary = path + ".dbtmp";
    Status s = WriteStringToFile(fs, text, temporary, /*sync=*/true);
    if (s.ok()) {
      Result<std::string> back = ReadFileToString(fs, temporary);
      if (!back.ok()) {
        s = back.status();
      } else if (*back != text) {
        s = Status::Corruption(Concat(temporary, ": ", back->size(),
                                      " bytes read back differ from ", text.size(),
                                      " bytes written"));
      }
    }
    if (s.ok()) s = fs->RenameFile(temporary, path);
    if (!s.ok()) {
      // The first failure is what the caller hears of.
      (void)fs->DeleteFile(temporary);
      return s;
    }
  }
  if (!sync_directory) return Status::Ok();
  Result<std::unique_ptr<Directory>> entries = fs->NewDirectory(directory);
  if (!entries.ok()) return entries.status();
  return (*entries)->Fsync();
}

Result<std::string> LatestOptionsFileName(FileSystem* fs, const std::string& directory) {
  std::vector<std::string> names;
  if (Status s = fs->GetChildren(directory, &names); !s.ok()) {
    if (!s.IsNotFound() && !s.IsPathNotFound()) return s;
  }

  constexpr std::string_view kPrefix = "OPTIONS-";
  std::string latest;
  uint64_t latest_number = 0;
  for (const std::string& name : names) {
    if (name.compare(0, kPrefix.size(), kPrefix) != 0) continue;
    uint64_t number = 0;
    const char* end = name.data() + name.size();
    const auto parsed = std::from_chars(name.data() + kPrefix.size(), end, number);
    if (parsed.ec != std::errc() || parsed.ptr != end) continue;  // A temporary file.
    if (!latest.empty() && number <= latest_number) continue;
    latest = name;
    latest_number = number;
  }
  if (latest.empty()) {
    return Status(Status::Code::kNotFound, Status::Subcode::kPathNotFound,
                  "No options files found in the DB directory.", directory);
  }
  return latest;
}

Result<OptionsFile> LoadLatestOptionsFile(const OptionReading& reading, FileSystem* fs,
                                          const std::string& directory) {
  Result<std::string> name = LatestOptionsFileName(fs, directory);
  if (!name.ok()) return name.status();
  Result<std::string> text = ReadFileToString(fs, Concat(directory, "/", *name));
  if (!text.ok()) return text.status();
  return ParseOptionsFile(reading, *text);
}

}  // namespace skarn
