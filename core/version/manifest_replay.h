// ManifestReplay applies the edits of a MANIFEST in order and ends with the state they
// describe. VersionSet uses it to recover, to follow another process's MANIFEST, and to
// list column families.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_VERSION_MANIFEST_REPLAY_H_
#define SKARN_CORE_VERSION_MANIFEST_REPLAY_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/version/version_builder.h"
#include "core/version/version_edit.h"

namespace skarn {

class FileSystem;

class ManifestReplay {
 public:
  // What is known of a column family that the caller asked for.
  struct Family {
    uint32_t id = 0;
    std::string name;
    // Set by the opener.
    const KeyOrder* order = nullptr;
    std::unique_ptr<VersionBuilder> builder;
    uint64_t log_number = 0;
    std::string full_history_ts_low;
    void* owner = nullptr;
  };

  // Told of families as they appear: fills in what it knows, or returns false to have the family
  // left closed. May be called again for a name after a drop.
  class Opener {
   public:
    virtual ~Opener() = default;
    virtual bool Open(Family* family) = 0;
    // Before the edits of an open family are applied.
    virtual Status Check(const Family& family, const VersionEdit& edit) = 0;
    // After edits were applied: the group or edit is complete.
    virtual void Applied() {}
  };

  explicit ManifestReplay(Opener* opener);
  ~ManifestReplay();
  ManifestReplay(const ManifestReplay&) = delete;
  ManifestReplay& operator=(const ManifestReplay&) = delete;

  // Reads the file to its end. Corruption texts end with its path.
  Status Read(FileSystem* fs, const std::string& path);
  // Applies one edit, or keeps it until its group is complete.
  Status Add(VersionEdit edit);
  // Corruption when something that must be there was missing.
  Status CheckComplete() const;

  const std::map<uint32_t, Family>& families() const { return families_; }
  std::map<uint32_t, Family>* mutable_families() { return &families_; }
  // Ids in the order in which they were added.
  const std::vector<uint32_t>& creation_order() const { return creation_order_; }
  // Families that nobody opened: id -> name.
  const std::map<uint32_t, std::string>& closed_families() const { return closed_; }

  std::optional<std::string> db_id;
  std::optional<uint64_t> log_number;
  std::optional<uint64_t> previous_log_number;
  std::optional<uint64_t> next_file_number;
  std::optional<SequenceNumber> last_sequence;
  uint32_t max_column_family = 0;
  uint64_t min_log_number_to_keep = 0;
  uint64_t compacted_manifest_bytes = 0;
  std::map<uint64_t, std::optional<uint64_t>> wals;
  // Bytes of the file up to the end of its last good record.
  uint64_t valid_bytes = 0;

 private:
  Status AddFamily(uint32_t id, const std::string& name);
  Status Apply(VersionEdit* edit);
  Status ApplyToFamily(VersionEdit* edit);

  Opener* const opener_;
  std::map<uint32_t, Family> families_;
  std::vector<uint32_t> creation_order_;
  std::map<uint32_t, std::string> closed_;
  std::vector<VersionEdit> group_;  // Of an atomic group that is not complete.
};

// `status` with the MANIFEST's path when it is a Corruption.
Status NameManifest(const Status& status, const std::string& path);

}  // namespace skarn

#endif  // SKARN_CORE_VERSION_MANIFEST_REPLAY_H_
