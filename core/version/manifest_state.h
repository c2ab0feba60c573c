// ManifestState is what a new MANIFEST begins with: everything that the edits of the one
// before it added up to.
//
// Thread safety: Take() and Release() under the db mutex, Write() by one thread without it.

#ifndef SKARN_CORE_VERSION_MANIFEST_STATE_H_
#define SKARN_CORE_VERSION_MANIFEST_STATE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/key/internal_key.h"

namespace skarn {

class FileSystem;
class LogWriter;
class Version;
class VersionSet;

struct ManifestState {
  struct Family {
    uint32_t id = 0;
    std::string name;
    std::string comparator;
    size_t timestamp_size = 0;
    bool persist_timestamps = true;
    uint64_t log_number = 0;
    std::string full_history_ts_low;
    Version* version = nullptr;  // Held.
  };

  std::optional<std::string> db_id;
  std::map<uint64_t, std::optional<uint64_t>> wals;
  uint64_t min_log_number_to_keep = 0;
  SequenceNumber last_sequence = 0;
  std::vector<Family> families;

  // Copies the state of `set` and holds its versions.
  void Take(const VersionSet& set);
  void Release();
  // Writes the records; `*bytes` is how long the file is then.
  Status Write(LogWriter* log, uint64_t* bytes) const;

  // Whether the whole file can be read and makes sense.
  static Status CheckReadable(FileSystem* fs, const std::string& path);
};

}  // namespace skarn

#endif  // SKARN_CORE_VERSION_MANIFEST_STATE_H_
