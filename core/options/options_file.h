// OPTIONS files: what a database was opened with, as text (docs/formats/options_file.md).
//
// Nothing reads them at open; they are for people, and for callers who want to open a
// database with the options it had.
//
// Thread safety: pure functions, and functions over a FileSystem that keep no state.

#ifndef SKARN_CORE_OPTIONS_OPTIONS_FILE_H_
#define SKARN_CORE_OPTIONS_OPTIONS_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/env/file_system.h"
#include "core/options/option_string.h"
#include "core/options/options.h"

namespace skarn {

struct NamedColumnFamilyOptions {
  std::string name;
  ColumnFamilyOptions options;
};

struct OptionsFile {
  // Of the release that wrote the file.
  int version_major = 0;
  int version_minor = 0;
  int version_patch = 0;
  DbOptions db;
  // "default" first.
  std::vector<NamedColumnFamilyOptions> families;
};

// The whole text of a file. `families` begins with "default".
std::string OptionsFileText(const DbOptions& db,
                            const std::vector<NamedColumnFamilyOptions>& families);

// Errors: Corruption or InvalidArgument, with the line where there is one. Unknown names
// are left out when `reading` says so and a newer release wrote the file.
Result<OptionsFile> ParseOptionsFile(const OptionReading& reading, Slice text);

// Writes `<directory>/OPTIONS-<file_number>`: under a temporary name first, synced, read
// back and compared, then renamed and the directory synced, unless the caller does that.
// An error leaves no file. With a `previous_number` that is not 0 and an OPTIONS file of that
// number with the same text, which is durable, the new name is a link to it instead.
Status WriteOptionsFile(FileSystem* fs, const std::string& directory, uint64_t file_number,
                        const DbOptions& db, const std::vector<NamedColumnFamilyOptions>& families,
                        bool sync_directory = true, uint64_t previous_number = 0);

// The name, without directory, of the newest OPTIONS file. NotFound when there is none.
Result<std::string> LatestOptionsFileName(FileSystem* fs, const std::string& directory);
// That file's content.
Result<OptionsFile> LoadLatestOptionsFile(const OptionReading& reading, FileSystem* fs,
                                          const std::string& directory);

}  // namespace skarn

#endif  // SKARN_CORE_OPTIONS_OPTIONS_FILE_H_
