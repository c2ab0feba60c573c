// Names of the files of a database directory, made and parsed. The list of kinds is in
// docs/formats/directory.md.
//
// Thread safety: pure functions.

#ifndef SKARN_CORE_VERSION_FILE_NAMES_H_
#define SKARN_CORE_VERSION_FILE_NAMES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/slice.h"
#include "core/base/status.h"
#include "core/env/file_system.h"

namespace skarn {

enum class FileKind : uint8_t {
  kWal,       // 000004.log, archive/000004.log
  kTable,     // 000007.sst, 000007.ldb
  kBlob,      // 000007.blob
  kTemp,      // 000007.dbtmp, OPTIONS-000007.dbtmp
  kManifest,  // MANIFEST-000005
  kOptions,   // OPTIONS-000007
  kCurrent,   // CURRENT
  kLock,      // LOCK
  kIdentity,  // IDENTITY
  kInfoLog,   // LOG, LOG.old.<micros>; number is the micros
  kMetaDb,    // METADB-1; nobody writes it
  kProgress,  // COMPACTION_PROGRESS-<time>
};

struct ParsedFileName {
  FileKind kind = FileKind::kTemp;
  uint64_t number = 0;
  bool archived = false;    // A log below archive/.
  bool is_options = false;  // A temporary that becomes an OPTIONS file.
};

// False when the name is none of ours. `info_log_name` is "LOG", or the prefix that a
// database gives its logs in db_log_dir; empty: info logs are not recognised.
bool ParseFileName(Slice name, Slice info_log_name, ParsedFileName* parsed);
bool ParseFileName(Slice name, ParsedFileName* parsed);

// Each is `directory`, a slash and the name.
std::string WalFileName(const std::string& directory, uint64_t number);
std::string ArchiveDirectory(const std::string& directory);
std::string ArchivedWalFileName(const std::string& directory, uint64_t number);
std::string TableFileName(const std::string& directory, uint64_t number);
// The name LevelDB gave: looked for when TableFileName() does not exist.
std::string OldTableFileName(const std::string& directory, uint64_t number);
std::string BlobFileName(const std::string& directory, uint64_t number);
std::string ManifestFileName(const std::string& directory, uint64_t number);
std::string CurrentFileName(const std::string& directory);
std::string LockFileName(const std::string& directory);
std::string IdentityFileName(const std::string& directory);
std::string OptionsFileName(const std::string& directory, uint64_t number);
std::string TempOptionsFileName(const std::string& directory, uint64_t number);
std::string TempFileName(const std::string& directory, uint64_t number);
// "LOG", or in a directory shared by databases the flattened path of this one and "_LOG".
std::string InfoLogName(const std::string& absolute_db_path, bool has_log_directory);
std::string OldInfoLogName(const std::string& info_log_name, uint64_t time_us);

// The directory of a path id: the last one when there are fewer.
const std::string& DirectoryOfPath(const std::vector<std::string>& directories, uint32_t path_id);

// A switch of CURRENT to MANIFEST-<number> that was begun: the file that will be CURRENT, under a
// temporary name, on its way to the disk. The sync of the MANIFEST that comes between then finds
// much of this work done. Whoever does not go on with SetCurrentFile() drops it.
Result<std::unique_ptr<WritableFile>> BeginCurrentFile(FileSystem* fs, const std::string& db_path,
                                                       uint64_t manifest_number);
void DropCurrentFile(FileSystem* fs, const std::string& db_path, uint64_t manifest_number,
                     std::unique_ptr<WritableFile> begun);
// Durable switch of CURRENT to MANIFEST-<number>, a file that has been synced: temporary,
// sync, sync of the directory, rename, sync of the directory. With `*renamed` set CURRENT may name
// the new MANIFEST even on an error. `sync_last`: false leaves the last sync to the caller.
Status SetCurrentFile(FileSystem* fs, const std::string& db_path, uint64_t manifest_number,
                      Directory* directory, bool* renamed = nullptr, bool sync_last = true);
Status SetCurrentFile(FileSystem* fs, const std::string& db_path, uint64_t manifest_number,
                      std::unique_ptr<WritableFile> begun, Directory* directory, bool* renamed,
                      bool sync_last);
// The path of the MANIFEST that CURRENT names, and its number.
Status ReadCurrentFile(FileSystem* fs, const std::string& db_path, std::string* manifest_path,
                       uint64_t* manifest_number);
// Durable write of IDENTITY.
Status WriteIdentityFile(FileSystem* fs, const std::string& db_path, Slice db_id,
                         Directory* directory);
// Its text without a trailing line end.
Result<std::string> ReadIdentityFile(FileSystem* fs, const std::string& db_path);

}  // namespace skarn

#endif  // SKARN_CORE_VERSION_FILE_NAMES_H_
