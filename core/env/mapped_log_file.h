// A log file that is appended to without system calls: the file is extended ahead and
// mapped, and an append is a memory copy.
//
// Appended bytes survive a killed process exactly like bytes passed to write(2). While
// the file is open, and after a kill or a power cut, zeroes follow its logical end;
// closing cuts them off. Readers of logs must take zeroes for space that was reserved,
// and recovery after a power cut must stop at the first gap: unlike with write(2), a
// page in the middle may be missing while a later one is there.
//
// The engine's logs do not use it. It would save 0.2 to 0.3 us a put, but a secondary
// instance of RocksDB that follows a live log takes the zeroes for read and never sees what
// is written over them, and a failing disk ends the process with SIGBUS where write(2)
// returns an error.
//
// An append becomes visible to a reader, and to recovery after a kill, all at once: its
// first eight bytes are stored last, with one instruction.
//
// Thread safety: as WritableFile: one thread at a time, but Sync() may run beside Append().

#ifndef SKARN_CORE_ENV_MAPPED_LOG_FILE_H_
#define SKARN_CORE_ENV_MAPPED_LOG_FILE_H_

#include <memory>
#include <string>

#include "core/env/file_system.h"

namespace skarn {

// Creates or truncates `path`. Where mapping is not safe or not possible (another file
// system than PosixFileSystem(), direct writes, a disk format on which reserved space can
// still run out), this is fs->NewWritableFile().
Result<std::unique_ptr<WritableFile>> NewMappedLogFile(FileSystem* fs, const std::string& path,
                                                       const FileOptions& options);
// The same for fs->ReuseWritableFile(): renames `old_path` and overwrites it.
Result<std::unique_ptr<WritableFile>> ReuseMappedLogFile(FileSystem* fs, const std::string& path,
                                                         const std::string& old_path,
                                                         const FileOptions& options);

}  // namespace skarn

#endif  // SKARN_CORE_ENV_MAPPED_LOG_FILE_H_
