// VersionSet is the state that the MANIFEST keeps: the column families of a database,
// the versions of each, file numbers, sequence numbers and which logs are needed.
//
// Changes go through LogAndApply(): it writes edits to the MANIFEST, syncs it, and only
// then installs new versions. Callers queue up; the first of them writes for all.
//
// Thread safety: unless a method says otherwise it is called with the db mutex held,
// which is passed in. Lock order: db mutex, then files_mutex_, then leaves.

#ifndef SKARN_CORE_VERSION_VERSION_SET_H_
#define SKARN_CORE_VERSION_VERSION_SET_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/mutex.h"
#include "core/base/result.h"
#include "core/base/status.h"
#include "core/env/env.h"
#include "core/options/options.h"
#include "core/version/file_names.h"
#include "core/version/table_cache.h"
#include "core/version/version.h"
#include "core/version/version_edit.h"
#include "core/wal/log_reader.h"
#include "core/wal/log_writer.h"

namespace skarn {

class ManifestReplay;

// A column family's part of the VersionSet. Lives as long as somebody holds it or one of
// its versions, after a drop too.
class ColumnFamilyVersions {
 public:
  uint32_t id() const { return id_; }
  const std::string& name() const { return name_; }
  const KeyOrder& order() const { return order_; }
  const Comparator* comparator() const { return order_.comparator(); }
  int num_levels() const { return num_levels_; }
  TableCache* table_cache() const { return table_cache_.get(); }
  // Directories of path ids 0, 1, ...
  const std::vector<std::string>& directories() const { return directories_; }

  // The rest: under the db mutex.
  const std::shared_ptr<const ColumnFamilyOptions>& options() const { return options_; }
  // New tables, scores and checks go by these from now on.
  void SetOptions(std::shared_ptr<const ColumnFamilyOptions> options);
  // Not counted: Ref() it to keep it past the mutex. Null before recovery.
  Version* current() const { return current_; }
  // Logs below hold nothing of this family that is not in files.
  uint64_t log_number() const { return log_number_; }
  void set_log_number(uint64_t number) { log_number_ = number; }
  // Epochs start at 1; see docs/formats/manifest.md.
  uint64_t NewEpochNumber() { return next_epoch_number_++; }
  uint64_t next_epoch_number() const { return next_epoch_number_; }
  void set_next_epoch_number(uint64_t number) { next_epoch_number_ = number; }
  const std::string& full_history_ts_low() const { return full_history_ts_low_; }
  bool dropped() const { return dropped_; }
  // Handles and jobs hold the family; the VersionSet is the first holder. Any thread.
  void Ref() { references_.fetch_add(1, std::memory_order_relaxed); }
  // The last one lets go of the current version. Takes no lock but leaves.
  void Unref();
  // How many versions exist: any thread may hold one.
  size_t version_count() const;
  uint64_t TotalTableBytesOfAllVersions() const;

 private:
  friend class VersionSet;
  friend class ManifestReplay;
  friend class Version;
  ColumnFamilyVersions(VersionSet* set, uint32_t id, std::string name,
                       std::shared_ptr<const ColumnFamilyOptions> options);
  ~ColumnFamilyVersions();
  // One less of what keeps the object alive: the holders together, and each version.
  void DropLife();

  VersionSet* const set_;
  const uint32_t id_;
  const std::string name_;
  const KeyOrder order_;
  const int num_levels_;
  std::vector<std::string> directories_;
  std::shared_ptr<const ColumnFamilyOptions> options_;  // Shared with whoever reads them.
  std::unique_ptr<TableCache> table_cache_;
  Version* current_ = nullptr;
  Version* versions_ = nullptr;  // List; guarded by the set's files_mutex_.
  uint64_t log_number_ = 0;
  uint64_t next_epoch_number_ = 1;
  std::string full_history_ts_low_;
  bool dropped_ = false;
  std::atomic<int> references_{1};
  std::atomic<int> lives_{1};
};

// A column family that the caller wants to open.
struct FamilySpec {
  std::string name;
  std::shared_ptr<const ColumnFamilyOptions> options;  // Shared with the database.
  bool optional = false;  // Opened when it exists; not missed when it does not.
};

// The edits that LogAndApply() writes for one column family. They are completed (family,
// file number, sequence) in place and must outlive the call.
struct FamilyEdits {
  ColumnFamilyVersions* family = nullptr;
  std::vector<VersionEdit*> edits;
};

struct ObsoleteTable {
  std::unique_ptr<FileMetadata> file;
  std::string path;
};
struct ObsoleteBlob {
  uint64_t number = 0;
  std::string path;
};

class VersionSet {
 public:
  struct Context {
    std::string db_path;
    std::shared_ptr<const DbOptions> options;  // Sanitized; shared with the database.
    Mutex* mutex = nullptr;                    // The db mutex; outlives the set.
    OpenTableBudget* tables = nullptr;         // Outlives the set.
    std::string db_session_id;
  };
  explicit VersionSet(Context context);
  // Precondition: nobody holds a version, and none is waiting in an epoch.
  ~VersionSet();
  VersionSet(const VersionSet&) = delete;
  VersionSet& operator=(const VersionSet&) = delete;

  // --- Opening. The db mutex need not be contended: nobody else knows the set. ---

  // Writes MANIFEST-000001 and CURRENT of an empty database. Durable on return.
  static Status CreateNew(const DbOptions& options, const std::string& db_path,
                          const std::string& db_id, Directory* directory);
  // Replays the MANIFEST that CURRENT names. Writable databases must name every column
  // family; names that do not exist are reported in `*missing` when it is not null, else an
  // error. Opens the tables when `open_tables` (all of them or 16, as max_open_files says).
  struct RecoverRequest {
    std::vector<FamilySpec> families;
    bool read_only = false;
    bool open_tables = true;
    // Keep reading the MANIFEST later: CatchUp().
    bool follow = false;
  };
  Status Recover(const RecoverRequest& request, std::vector<std::string>* missing);
  // Ignores CURRENT and finds the newest state whose files exist (best_efforts_recovery).
  // `*incomplete`: something was left out.
  Status RecoverBestEfforts(const RecoverRequest& request, std::vector<std::string>* missing,
                            bool* incomplete);
  // After Recover() with `follow`: applies what the MANIFEST has gained. Families whose
  // version changed are added to `*changed`.
  Status CatchUp(std::vector<ColumnFamilyVersions*>* changed);
  static Result<std::vector<std::string>> ListColumnFamilies(FileSystem* fs,
                                                             const std::string& db_path);

  // --- Column families. ---

  ColumnFamilyVersions* Find(uint32_t id) const;
  ColumnFamilyVersions* Find(const std::string& name) const;
  // Neither dropped ones nor ones that were not opened; in creation order.
  const std::vector<ColumnFamilyVersions*>& families() const { return families_; }
  // Writes the edit and adds the family, whose log number becomes `log_number`.
  Result<ColumnFamilyVersions*> AddColumnFamily(const FamilySpec& spec, uint64_t log_number,
                                                Directory* directory);
  Status DropColumnFamily(ColumnFamilyVersions* family, Directory* directory);

  // --- Changes. ---

  // Writes edits of one or more families and installs the results. `atomic`: recovery
  // applies all of them or none. `new_manifest` begins a new file. Releases the db mutex while
  // it writes. ColumnFamilyDropped when all families were dropped.
  //
  // An error leaves versions as they were, and the next call begins a new MANIFEST. Until
  // that has succeeded the old one may name the edits' files: AddLiveFiles() keeps them.
  //
  // `sync_names`: false leaves it to the caller to sync the directory after CURRENT has changed,
  // before anything is deleted or promised that depends on the new MANIFEST.
  Status LogAndApply(const std::vector<FamilyEdits>& changes, Directory* directory,
                     bool atomic = false, bool new_manifest = false, bool sync_names = true);
  Status LogAndApply(ColumnFamilyVersions* family, VersionEdit* edit, Directory* directory);
  // Whether the last write of the MANIFEST failed after CURRENT may have changed.
  const Status& manifest_status() const { return manifest_status_; }

  // --- Numbers. Any thread. ---

  uint64_t NewFileNumber() { return next_file_number_.fetch_add(1, std::memory_order_relaxed); }
  uint64_t next_file_number() const { return next_file_number_.load(std::memory_order_relaxed); }
  // Numbers up to this one are taken.
  void MarkFileNumberUsed(uint64_t number);
  uint64_t NewVersionNumber() {
    return next_version_number_.fetch_add(1, std::memory_order_relaxed);
  }
  // Acquire and release pair with each other: who reads n sees what was written before it was set.
  SequenceNumber last_sequence() const { return last_sequence_.load(std::memory_order_acquire); }
  void set_last_sequence(SequenceNumber sequence) {
    last_sequence_.store(sequence, std::memory_order_release);
  }
  uint64_t min_log_number_to_keep() const {
    return min_log_number_to_keep_.load(std::memory_order_relaxed);
  }

  // --- State under the db mutex. ---

  void SetDbOptions(std::shared_ptr<const DbOptions> options) { options_ = std::move(options); }
  const std::string& db_id() const { return db_id_; }
  void set_db_id(std::string id) { db_id_ = std::move(id); }
  uint64_t manifest_file_number() const { return manifest_file_number_; }
  // What a copy of the MANIFEST should hold now.
  uint64_t manifest_file_size() const { return manifest_file_size_; }
  uint64_t previous_log_number() const { return previous_log_number_; }
  uint32_t max_column_family() const { return max_column_family_; }
  // Smallest log number that some family still needs; with `except` left out.
  uint64_t MinLogNumberWithUnflushedData(const ColumnFamilyVersions* except = nullptr) const;
  // Logs that the MANIFEST tracks (track_and_verify_wals_in_manifest): number -> synced size.
  const std::map<uint64_t, std::optional<uint64_t>>& tracked_wals() const { return tracked_wals_; }
  // Compares them with what lies in the directory: number -> path.
  Status CheckTrackedWals(const std::map<uint64_t, std::string>& logs_on_disk) const;
  // Checks that every file of level 0 to the last exists with its size (paranoid open).
  Status CheckFilesExist();

  // --- Files. ---

  // Numbers held by any version of any family.
  void AddLiveFiles(std::vector<uint64_t>* tables, std::vector<uint64_t>* blobs) const;
  // Files that no version holds any more and whose number is below `min_pending_output`. Their
  // tables are closed. The caller deletes them. MANIFEST names are without directory.
  void TakeObsoleteFiles(std::vector<ObsoleteTable>* tables, std::vector<ObsoleteBlob>* blobs,
                         std::vector<std::string>* manifests, uint64_t min_pending_output);
  // Smallest number among them, waiting or not; UINT64_MAX when there is none.
  uint64_t MinObsoleteTableNumber() const;
  // Files of the current versions with family and level, for live file metadata.
  struct LiveTable {
    ColumnFamilyVersions* family = nullptr;
    int level = 0;
    FileMetadata* file = nullptr;  // Valid while the mutex is held.
    std::string directory;
  };
  std::vector<LiveTable> LiveTables() const;
  bool FindTable(uint64_t file_number, LiveTable* table) const;

  // Closes the MANIFEST. With verify_manifest_content_on_close or a wrong size it is written anew.
  Status Close(Directory* directory);

  const std::string& db_path() const { return db_path_; }
  const DbOptions& options() const { return *options_; }
  FileSystem* file_system() const { return file_system_; }
  Mutex* mutex() const SKARN_RETURN_CAPABILITY(mutex_) { return mutex_; }
  static FileOptions MetadataFileOptions(const DbOptions& options);

 private:
  friend class ColumnFamilyVersions;
  friend class ManifestReplay;
  friend class Version;
  friend struct ManifestState;
  struct Writer;
  struct Batch;

  ColumnFamilyVersions* NewFamily(uint32_t id, const FamilySpec& spec);
  Version* NewVersion(ColumnFamilyVersions* family, const ColumnFamilyOptions& options);
  // Makes it the family's current one.
  void Install(ColumnFamilyVersions* family, Version* version);
  // Frees a version that was never installed, with the files that only it has.
  void Discard(Version* version);
  // Called by Version when its last holder has gone. Any thread.
  void ReleaseVersion(Version* version);
  // Opens tables and looks at their properties. Without the db mutex.
  Status Prepare(ColumnFamilyVersions* family, Version* version, const DbOptions& db_options,
                 const ColumnFamilyOptions& options, bool open_tables);
  // Computes what compaction wants to know. With the db mutex, before Install().
  void Finish(ColumnFamilyVersions* family, Version* version);
  // Makes what was replayed from the MANIFEST at `path` the state of this set.
  Status Adopt(const RecoverRequest& request, const std::string& path, uint64_t number,
               ManifestReplay* replay, std::vector<std::string>* missing);
  // `ahead`: as TableCache::OpenAhead().
  Status OpenTables(const std::vector<std::pair<ColumnFamilyVersions*, Version*>>& versions,
                    const DbOptions& db_options, bool ahead);

  Status Submit(Writer* writer) SKARN_REQUIRES(mutex_);
  void WriteAsLeader(Writer* leader) SKARN_REQUIRES(mutex_);
  Status CloseManifest(Directory* directory) SKARN_REQUIRES(mutex_);
  void Collect(Writer* leader, Batch* batch);
  void Complete(const Batch& batch);
  Status BuildVersions(Batch* batch);
  Status WriteManifest(Batch* batch, bool* current_may_have_changed);
  void InstallBatch(Batch* batch);
  uint64_t ManifestLimit() const;
  Status OpenManifest(const DbOptions& options, const std::string& path, uint64_t number,
                      std::unique_ptr<LogWriter>* log) const;

  const std::string db_path_;
  std::shared_ptr<const DbOptions> options_;  // Replaced under the db mutex.
  FileSystem* const file_system_;
  Mutex* const mutex_;
  OpenTableBudget* const tables_;
  const std::string db_session_id_;

  std::string db_id_;
  std::vector<ColumnFamilyVersions*> families_;
  uint32_t max_column_family_ = 0;

  std::atomic<uint64_t> next_file_number_{2};        // Any thread.
  std::atomic<uint64_t> next_version_number_{1};     // Any thread.
  std::atomic<SequenceNumber> last_sequence_{0};     // Writers of the db room.
  std::atomic<uint64_t> min_log_number_to_keep_{0};  // Written under the db mutex.
  uint64_t previous_log_number_ = 0;
  uint64_t manifest_file_number_ = 0;
  uint64_t manifest_file_size_ = 0;
  uint64_t compacted_manifest_bytes_ = 0;
  // The largest sequence number that the MANIFEST has.
  SequenceNumber manifest_last_sequence_ = 0;
  std::map<uint64_t, std::optional<uint64_t>> tracked_wals_;

  // The writer of the MANIFEST; used by the leader of the queue without the mutex.
  std::unique_ptr<LogWriter> manifest_;
  std::deque<Writer*> writers_;
  Status manifest_status_;
  // Files of edits that failed to be written but may stand in the old MANIFEST.
  std::vector<uint64_t> uncertain_tables_;
  std::vector<uint64_t> uncertain_blobs_;
  // For CatchUp(): what was asked for at open.
  RecoverRequest recover_request_;

  // Guards lists and counts of versions and files, so that the last reader of a version
  // may let it go without the db mutex. Below the db mutex in the lock order.
  mutable Mutex files_mutex_;
  // Dropped ones included, until freed.
  std::vector<ColumnFamilyVersions*> all_families_ SKARN_GUARDED_BY(files_mutex_);
  std::vector<ObsoleteTable> obsolete_tables_ SKARN_GUARDED_BY(files_mutex_);
  std::vector<ObsoleteBlob> obsolete_blobs_ SKARN_GUARDED_BY(files_mutex_);
  // How many versions hold a value file, and how many objects stand for a table file.
  std::map<uint64_t, int> blob_references_ SKARN_GUARDED_BY(files_mutex_);
  std::map<uint64_t, int> table_objects_ SKARN_GUARDED_BY(files_mutex_);
  std::vector<std::string> obsolete_manifests_ SKARN_GUARDED_BY(files_mutex_);
};

}  // namespace skarn

#endif  // SKARN_CORE_VERSION_VERSION_SET_H_
