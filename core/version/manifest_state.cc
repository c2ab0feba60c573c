#include "core/version/manifest_state.h"

#include "core/version/manifest_replay.h"
#include "core/version/version_set.h"

namespace skarn {
namespace {

// Opens nothing: only the sense of the edits matters.
class NobodyOpens : public ManifestReplay::Opener {
 public:
  bool Open(ManifestReplay::Family*) override { return false; }
  Status Check(const ManifestReplay::Family&, const VersionEdit&) override { return Status::Ok(); }
};

// Bytes of the record that tells the size: header, tag, length and a number of usual size.
constexpr uint64_t kSizeRecordBytes = 15;

Status Append(LogWriter* log, const VersionEdit& edit, size_t timestamp_size = 0) {
  std::string bytes;
  Status s = edit.EncodeTo(&bytes, timestamp_size);
  return s.ok() ? log->AddRecord(bytes) : s;
}

}  // namespace

void ManifestState::Take(const VersionSet& set) {
  if (set.options().write_dbid_to_manifest && !set.db_id().empty()) db_id = set.db_id();
  wals = set.tracked_wals();
  min_log_number_to_keep = set.min_log_number_to_keep();
  last_sequence = set.manifest_last_sequence_;
  for (const ColumnFamilyVersions* family : set.families()) {
    Family state;
    state.id = family->id();
    state.name = family->name();
    state.comparator = family->comparator()->Name();
    state.timestamp_size = family->order().timestamp_size();
    state.persist_timestamps = family->options()->persist_user_defined_timestamps;
    state.log_number = family->log_number();
    state.full_history_ts_low = family->full_history_ts_low();
    state.version = family->current();
    state.version->Ref();
    families.push_back(std::move(state));
  }
}

void ManifestState::Release() {
  for (Family& family : families) family.version->Unref();
  families.clear();
}

Status ManifestState::Write(LogWriter* log, uint64_t* bytes) const {
  Status s;
  if (db_id) {
    VersionEdit edit;
    edit.db_id = db_id;
    s = Append(log, edit);
    if (!s.ok()) return s;
  }
  if (!wals.empty()) {
    VersionEdit edit;
    for (const auto& [number, size] : wals) edit.wal_additions.push_back({number, size});
    s = Append(log, edit);
    if (!s.ok()) return s;
  }
  {
    VersionEdit edit;  // Empty when there is nothing to say.
    if (min_log_number_to_keep != 0) edit.wal_deletion = min_log_number_to_keep;
    s = Append(log, edit);
    if (!s.ok()) return s;
  }
  for (const Family& family : families) {
    VersionEdit name;
    name.comparator = family.comparator;
    name.persist_timestamps = family.persist_timestamps;
    name.column_family = family.id;
    if (family.id != 0) name.column_family_add = family.name;
    s = Append(log, name);
    if (!s.ok()) return s;

    VersionEdit files;
    files.column_family = family.id;
    files.log_number = family.log_number;
    const VersionStorage& storage = family.version->storage();
    for (int level = 0; level < storage.num_levels(); ++level) {
      for (const FileMetadata* file : storage.level(level)) files.AddFile(level, *file);
      const std::string& cursor = storage.compact_cursor(level);
      if (!cursor.empty()) files.compact_cursors.emplace_back(level, cursor);
    }
    for (const auto& [number, blob] : storage.blob_files()) {
      files.blob_additions.push_back(
          {number, blob->count, blob->bytes, blob->checksum_method, blob->checksum_value});
      if (blob->garbage_count > 0) {
        files.blob_garbage.push_back({number, blob->garbage_count, blob->garbage_bytes});
      }
    }
    files.last_sequence = last_sequence;
    if (family.id == 0 && min_log_number_to_keep != 0) {
      files.min_log_number_to_keep = min_log_number_to_keep;
    }
    if (!family.full_history_ts_low.empty()) files.full_history_ts_low = family.full_history_ts_low;
    s = Append(log, files, family.timestamp_size);
    if (!s.ok()) return s;
  }
  VersionEdit size;
  size.compacted_manifest_bytes = log->file()->size_bytes() + kSizeRecordBytes;
  *bytes = *size.compacted_manifest_bytes;
  return Append(log, size);
}

Status ManifestState::CheckReadable(FileSystem* fs, const std::string& path) {
  NobodyOpens opener;
  ManifestReplay replay(&opener);
  Status s = replay.Read(fs, path);
  return s.ok() ? replay.CheckComplete() : s;
}

}  // namespace skarn
