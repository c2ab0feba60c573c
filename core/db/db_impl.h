// DbImpl is the engine: it joins memtables, logs, files and background work into a Db.
//
// Its body is split by subject; every file includes this header alone for the class:
//
//   open.cc            fresh and existing databases, directories, LOCK, IDENTITY
//   recover.cc         replays logs into memtables and files
//   close.cc           end of background work, last flushes, release of everything
//   write.cc           Put .. Write, group commit
//   admission.cc       what a leader must do before it may write: errors, stalls, switches
//   switch.cc          memtable and log switches, which logs are still needed
//   read.cc            Get, MultiGet, KeyMayExist
//   iterators.cc       iterators and snapshots
//   super_versions.cc  installing and retiring super versions
//   flush.cc           manual and background flushes
//   schedule.cc        what runs in the background and how much of it
//   compact.cc         background compactions
//   manual_compaction.cc  CompactRange, SuggestCompactRange, level changes, pauses
//   errors.cc          background errors, Resume
//   purge.cc           obsolete files, archived logs
//   column_families.cc create, drop, handles
//   set_options.cc     SetOptions, SetDbOptions, OPTIONS files
//   properties.cc      properties, sizes, memory
//   ingest.cc          table files from outside
//   live_files.cc      what a copy of the database is made of
//   space.cc           what an SstFileManager is told and asked
//   metadata.cc        levels, identity, checksums, file ranges
//   read_only.cc       what a read-only open does otherwise
//   secondary.cc       what a secondary does otherwise
//   wal_iterator.cc    GetUpdatesSince
//   info_log.cc        the LOG: header, events, statistics
//   destroy.cc         Destroy, ListColumnFamilies
//   repair.cc          Repair
//   timestamps.cc      full_history_ts_low, trimming
//
// The three locks, in order (docs/concurrency.md): leadership of the commit queue, the
// db mutex, leaves. Nothing waits on a disk under the db mutex, except where
// VersionSet::LogAndApply() says that it releases it.
//
// Thread safety: as Db says.

#ifndef SKARN_CORE_DB_DB_IMPL_H_
#define SKARN_CORE_DB_DB_IMPL_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/epoch.h"
#include "core/base/mutex.h"
#include "core/compaction/compaction_job.h"
#include "core/compaction/flush_job.h"
#include "core/db/background_error.h"
#include "core/db/batch_inserter.h"
#include "core/db/column_family.h"
#include "core/db/commit_queue.h"
#include "core/db/db.h"
#include "core/db/family_handle.h"
#include "core/db/snapshot_list.h"
#include "core/db/stats_text.h"
#include "core/db/super_version.h"
#include "core/db/wal_manager.h"
#include "core/db/write_stall.h"
#include "core/options/option_rules.h"
#include "core/version/version_set.h"

namespace skarn {

struct DbIteratorSetup;
class ManualCompaction;  // manual_compaction.cc
class PointLookup;
class SecondaryReplay;  // secondary.h
class Statistics;
class WriteBufferManager;

// Why a flush happens; the names are those of log lines.
enum class FlushReason : uint8_t {
  kOthers,
  kGetLiveFiles,
  kShutDown,
  kExternalFileIngestion,
  kManualCompaction,
  kWriteBufferManager,
  kWriteBufferFull,
  kManualFlush,
  kErrorRecovery,
  kWalFull,
};
const char* FlushReasonName(FlushReason reason);

// Gives a column family that has no block cache, and does not refuse one, the cache that all
// such families of a database share; makes it when it is null.
void GiveBlockCache(ColumnFamilyOptions* family, std::shared_ptr<Cache>* shared);

class DbImpl final : public Db {
 public:
  DbImpl(OpenRequest request, std::shared_ptr<const DbOptions> options);
  ~DbImpl() override;

  // --- Db ---

  Status Close() override;
  ColumnFamilyHandle* default_family() const override { return default_handle_.get(); }
  Result<std::unique_ptr<ColumnFamilyHandle>> CreateColumnFamily(const ColumnFamilyOptions& options,
                                                                 const std::string& name) override;
  Status DropColumnFamily(ColumnFamilyHandle* family) override;

  Status Put(const WriteOptions& options, ColumnFamilyHandle* family, Slice key, Slice timestamp,
             Slice value) override;
  Status Delete(const WriteOptions& options, ColumnFamilyHandle* family, Slice key,
                Slice timestamp) override;
  Status SingleDelete(const WriteOptions& options, ColumnFamilyHandle* family, Slice key,
                      Slice timestamp) override;
  Status DeleteRange(const WriteOptions& options, ColumnFamilyHandle* family, Slice begin,
                     Slice end, Slice timestamp) override;
  Status Merge(const WriteOptions& options, ColumnFamilyHandle* family, Slice key, Slice timestamp,
               Slice operand) override;
  Status Write(const WriteOptions& options, WriteBatch* batch) override;

  Status Get(const ReadOptions& options, ColumnFamilyHandle* family, Slice key, ValueSink* sink,
             std::string* found_timestamp) override;
  void MultiGet(const ReadOptions& options, size_t count, ColumnFamilyHandle* const* families,
                const Slice* keys, ValueSink* const* sinks, std::string* found_timestamps,
                Status* statuses, bool sorted_input) override;
  bool KeyMayExist(const ReadOptions& options, ColumnFamilyHandle* family, Slice key,
                   ValueSink* sink, std::string* found_timestamp, bool* value_found) override;
  std::unique_ptr<DbIterator> NewIterator(const ReadOptions& options,
                                          ColumnFamilyHandle* family) override;
  Status NewIterators(const ReadOptions& options, const std::vector<ColumnFamilyHandle*>& families,
                      std::vector<std::unique_ptr<DbIterator>>* iterators) override;
  const Snapshot* GetSnapshot() override;
  void ReleaseSnapshot(const Snapshot* snapshot) override;
  SequenceNumber LatestSequence() const override { return visible(); }

  bool GetProperty(ColumnFamilyHandle* family, Slice name, std::string* value) override;
  bool GetIntProperty(ColumnFamilyHandle* family, Slice name, uint64_t* value) override;
  bool GetAggregatedIntProperty(Slice name, uint64_t* value) override;
  Status ApproximateSizes(ColumnFamilyHandle* family, bool include_memtables, bool include_files,
                          double files_size_error_margin, const KeyRange* ranges, size_t count,
                          uint64_t* sizes) override;
  void GetColumnFamilyMetadata(ColumnFamilyHandle* family, ColumnFamilyMetadata* metadata) override;
  void GetLiveTables(std::vector<LiveTable>* tables) override;
  void GetMemoryUsage(uint64_t* memtables_total, uint64_t* memtables_unflushed,
                      uint64_t* table_readers) override;

  Status Flush(const FlushOptions& options,
               const std::vector<ColumnFamilyHandle*>& families) override;
  Status FlushWal(bool sync) override;
  Status SyncWal() override;
  Status CompactRange(const CompactRangeOptions& options, ColumnFamilyHandle* family,
                      const Slice* begin, const Slice* end) override;
  Status SuggestCompactRange(ColumnFamilyHandle* family, const Slice* begin,
                             const Slice* end) override;
  Status WaitForCompact(const WaitForCompactOptions& options) override;
  Status PauseBackgroundWork() override;
  Status ContinueBackgroundWork() override;
  void DisableManualCompaction() override;
  void EnableManualCompaction() override;
  void CancelAllBackgroundWork(bool wait) override;
  Status EnableAutoCompaction(const std::vector<ColumnFamilyHandle*>& families) override;
  Status DisableFileDeletions() override;
  Status EnableFileDeletions() override;
  Status IngestExternalFiles(ColumnFamilyHandle* family, const std::vector<std::string>& paths,
                             const IngestOptions& options) override;
  Status GetLiveFiles(uint64_t log_size_for_flush, LiveFiles* files) override;
  Status DeleteFile(const std::string& name) override;
  Status DeleteFilesInRanges(ColumnFamilyHandle* family, const Slice* const* starts,
                             const Slice* const* limits, size_t count, bool include_end) override;
  Status Resume() override;

  Status SetOptions(ColumnFamilyHandle* family,
                    const std::unordered_map<std::string, std::string>& changes) override;
  Status SetDbOptions(const std::unordered_map<std::string, std::string>& changes) override;
  DbOptions GetDbOptions() const override;
  ColumnFamilyOptions GetColumnFamilyOptions(ColumnFamilyHandle* family) const override;

  Result<std::string> GetDbIdentity() const override;
  Status GetUpdatesSince(SequenceNumber sequence, std::unique_ptr<WalIterator>* iterator) override;
  Status IncreaseFullHistoryTimestampLow(ColumnFamilyHandle* family, Slice timestamp) override;
  Result<std::string> GetFullHistoryTimestampLow(ColumnFamilyHandle* family) override;
  Status TryCatchUpWithPrimary() override;
  Status VerifyChecksums(const ReadOptions& options) override;
  const std::string& path() const override { return path_; }
  Env* env() const override { return env_; }

  // --- For higher rooms (transactions, backups, ingestion) and this room's parts ---

  // Commits `batch` with the extras of transactions. Any of them may be null or zero.
  struct WriteExtras {
    WriteCallback* callback = nullptr;
    bool log_only = false;       // A prepare record.
    uint64_t log_reference = 0;  // Of the prepare record that this commits.
    uint64_t* log_used = nullptr;
    SequenceNumber* sequence = nullptr;
  };
  Status WriteWithExtras(const WriteOptions& options, WriteBatch* batch, const WriteExtras& extras);

  SequenceNumber visible() const { return visible_.load(std::memory_order_acquire); }
  VersionSet* versions() const { return versions_.get(); }
  Mutex* mutex() SKARN_RETURN_CAPABILITY(mutex_) { return &mutex_; }
  // A copy of the options in force; shared, never changed.
  std::shared_ptr<const DbOptions> db_options() const SKARN_EXCLUDES(mutex_);
  ColumnFamily* FamilyOf(ColumnFamilyHandle* handle) const {
    return handle != nullptr ? handle->family() : default_family_;
  }
  Mode mode() const { return mode_; }
  SnapshotList* snapshots() { return &snapshots_; }
  const Snapshot* GetSnapshotForWriteConflicts();
  const std::map<std::string, RecoveredTransaction>& recovered_transactions() const {
    return recovered_transactions_;
  }
  // A prepare record is in log `log_number`: keep it until it is forgotten (committed, or
  // rolled back). A write with `log_only` is tracked by itself. Any thread.
  void TrackPrepare(uint64_t log_number) SKARN_EXCLUDES(prepared_mutex_);
  void ForgetPrepare(uint64_t log_number) SKARN_EXCLUDES(prepared_mutex_);
  // Gives a super version back whose last reference is gone. Any thread, no lock held.
  void DropSuperVersion(SuperVersion* super_version, bool purge_in_background = false);
  // Called by ColumnFamily when its last reference is gone.
  void BuryFamily(ColumnFamily* family);
  // Once a second while the database is open (periodic_work.h).
  void Tick() SKARN_EXCLUDES(mutex_);
  // An iterator over the super version of that number has met too many hidden entries of the
  // active memtable: the next write switches it.
  void RequestSwitch(ColumnFamily* family, uint64_t super_version) SKARN_EXCLUDES(mutex_);
  // Called by handles, which the second knows.
  void ReleaseHandle(ColumnFamily* family);
  const std::shared_ptr<OpenHandles>& open_handles() const { return open_handles_; }
  // A reference on the newest super version, for longer than an epoch.
  SuperVersion* AcquireSuperVersion(ColumnFamily* family);
  void ReleaseSuperVersion(SuperVersion* super_version) {
    if (super_version->Unref()) DropSuperVersion(super_version);
  }
  // For the inserter: when the key has max_successive_merges operands in the memtable, merges
  // them and `operand` into `*merged`. False: insert the operand as it is.
  bool MergeHead(ColumnFamily* family, Slice key, Slice operand, SequenceNumber sequence,
                 std::string* merged) {
    if (SKARN_LIKELY(!family->limits_merges.load(std::memory_order_relaxed))) return false;
    return MergeHeadSlow(family, key, operand, sequence, merged);
  }
  // Flushes `families` and waits; `reason` is for the LOG.
  Status FlushFamilies(const std::vector<ColumnFamily*>& families, const FlushOptions& options,
                       FlushReason reason, bool entered_queue = false) SKARN_EXCLUDES(mutex_);

 private:
  friend class Db;
  friend class DbOpener;         // open.cc, recover.cc
  friend class DbTest;           // Unit tests look inside.
  friend class SecondaryReplay;  // secondary.cc
  friend class ManualCompaction;
  friend class PropertyTable;  // properties.cc

  // Why the next commit leader must take the slow path; bits of admission_.
  enum Admission : uint32_t {
    kStopped = 1 << 0,         // Writes are stopped.
    kDelayed = 1 << 1,         // Writes are delayed.
    kSwitchMemtable = 1 << 2,  // A memtable is full.
    kFailed = 1 << 3,          // A background error stops writes.
    kClosing = 1 << 4,
    kNotWritable = 1 << 5,  // Read-only or secondary.
    kLogsTooLarge = 1 << 6,
    kPace = 1 << 8,          // A memtable is nearly full.
    kSharedBuffer = 1 << 7,  // A write buffer manager must be asked each time.
  };

  // What a background job leaves to do after the mutex is released.
  struct Cleanup {
    std::vector<SuperVersion*> super_versions;  // Uninstalled; to be retired.
    std::vector<MemTable*> memtables;           // References to give up.
    std::vector<std::function<void()>> calls;   // Notifications, log lines.
    bool full_purge = false;
    bool leave_logs = false;    // To flushes that are running, if any: they purge when they end.
    bool leave_tables = false;  // To compactions, likewise, while the next flush is near; a second.
  };
  // Releases what a job left, deletes files that became obsolete. No lock held.
  void RunCleanup(Cleanup* cleanup) SKARN_EXCLUDES(mutex_);

  // --- open.cc, recover.cc (DbOpener drives them) ---

  Status RejectWrite() const;  // The text for this mode, or Ok.

  // --- write.cc ---

  Status CommitOne(const WriteOptions& options, ColumnFamily* family, EntryKind kind, Slice key,
                   Slice timestamp, Slice value) SKARN_EXCLUDES(mutex_);
  Status CommitBatch(const WriteOptions& options, WriteBatch* batch, const WriteExtras& extras);
  Status CheckWriteOptions(const WriteOptions& options) const;
  Status Commit(Writer* writer);
  void LeadGroup(Writer* leader);
  [[gnu::cold]] Status SyncGroup(size_t writers);
  Status AppendGroup(Writer* leader, Writer* last, SequenceNumber first);
  Status InsertGroup(Writer* leader, Writer* last, bool parallel);
  Status AppendInParts(Writer* leader, Writer* last, SequenceNumber first, uint32_t entries);
  Status InsertInParallel(Writer* leader, Writer* last, InsertContext* insert);
  static Status InsertWriter(Writer* writer, InsertContext* context);
  bool MergeHeadSlow(ColumnFamily* family, Slice key, Slice operand, SequenceNumber sequence,
                     std::string* merged);
  void Publish(SequenceNumber sequence) { visible_.store(sequence, std::memory_order_release); }

  // --- ingest.cc ---

  Status SyncFile(const std::string& path);
  // Flushes the family when a memtable has what `overlaps` looks for. Leader only.
  Status FlushOverlapped(
      ColumnFamily* family, const IngestOptions& ingest,
      const std::function<bool(InternalCursor*, const FragmentedTombstones*)>& overlaps)
      SKARN_EXCLUDES(mutex_);

  // --- admission.cc ---

  // Does what the bits of admission_ ask for. Leader only.
  [[gnu::cold]] Status Admit(Writer* leader) SKARN_EXCLUDES(mutex_);
  Status DelayWrite(Writer* leader) SKARN_REQUIRES(mutex_);
  void PaceWrite(const Writer& leader) SKARN_REQUIRES(mutex_);
  // Whether a memtable whose switch would stop all writes fills faster than the one before it is
  // flushed.
  bool IsAheadOfFlush() const SKARN_REQUIRES(mutex_);
  Status SwitchFullMemtables(Cleanup* cleanup) SKARN_REQUIRES(mutex_);
  Status FlushForLogSize(Cleanup* cleanup) SKARN_REQUIRES(mutex_);
  Status FlushForSharedBuffer(Cleanup* cleanup) SKARN_REQUIRES(mutex_);
  Status ThrottleLowPriority(const Writer& writer);
  void SetAdmission(uint32_t bits) { admission_.fetch_or(bits, std::memory_order_release); }
  void ClearAdmission(uint32_t bits) { admission_.fetch_and(~bits, std::memory_order_release); }
  void UpdateStallAdmission() SKARN_REQUIRES(mutex_);
  uint64_t LogSizeLimit() const SKARN_REQUIRES(mutex_);

  // --- switch.cc ---

  // Makes the active memtable immutable, with a new log when the current one has records.
  // Precondition: the caller leads the commit queue. Releases the mutex while it makes files.
  Status SwitchMemtable(ColumnFamily* family, Cleanup* cleanup) SKARN_REQUIRES(mutex_);
  // Logs that nobody needs any more leave the manager; purge deletes them.
  uint64_t MinLogToKeep(const std::vector<FamilyEdits>& flushed) SKARN_REQUIRES(mutex_);
  uint64_t PreallocationBytes(const ColumnFamilyOptions& options) const SKARN_REQUIRES(mutex_);
  uint64_t OldestPrepareLog() SKARN_REQUIRES(mutex_);

  // --- super_versions.cc ---

  // Publishes the family's present state; scores and stalls follow.
  void InstallSuperVersion(ColumnFamily* family, Cleanup* cleanup) SKARN_REQUIRES(mutex_);
  void EvaluateStalls(ColumnFamily* family) SKARN_REQUIRES(mutex_);
  void ReapFamilies() SKARN_REQUIRES(mutex_);
  static void RetiredSuperVersion(void* super_version);
  void PublishFamilyTable() SKARN_REQUIRES(mutex_);
  void AbandonFamily(ColumnFamily* family) SKARN_EXCLUDES(mutex_);

  // --- read.cc, iterators.cc ---

  // Asks active memtable, immutable ones and files, then finishes the lookup. Inside an epoch.
  static void LookUp(const ReadOptions& options, SuperVersion* super_version, MemTable* active,
                     PointLookup* lookup);
  Status CheckTimestamp(const ColumnFamily* family, const Slice* timestamp) const;
  // InvalidArgument when history at `timestamp` may be collapsed already.
  Status CheckHistory(const ColumnFamily* family, Slice timestamp) const;
  // Super versions of several families (null after Close) and a number that all of them
  // agree on. Inside an epoch.
  SequenceNumber LoadTogether(const std::vector<ColumnFamily*>& families, const Snapshot* snapshot,
                              std::vector<SuperVersion*>* super_versions) SKARN_EXCLUDES(mutex_);
  DbIteratorSetup NewIteratorSetup(const ReadOptions& options, ColumnFamily* family,
                                   const ColumnFamilyOptions& now);

  // --- flush.cc ---

  struct FlushRequest {
    struct Part {
      ColumnFamily* family;  // Referenced.
      uint64_t memtable_id_max;
    };
    std::vector<Part> parts;
    FlushReason reason = FlushReason::kOthers;
    bool atomic = false;
  };
  void RequestFlush(std::vector<ColumnFamily*> families, FlushReason reason, bool atomic = false)
      SKARN_REQUIRES(mutex_);
  void BackgroundFlush() SKARN_EXCLUDES(mutex_);
  Status RunFlush(FlushRequest* request, Cleanup* cleanup) SKARN_REQUIRES(mutex_);
  // Records logs that were synced since the last call in the MANIFEST, when options ask for it.
  void TrackSyncedLogs() SKARN_REQUIRES(mutex_);
  Status WaitForFlush(const std::vector<FlushRequest::Part>& parts, bool resuming)
      SKARN_REQUIRES(mutex_);
  Status WaitUntilFlushWouldNotStall(ColumnFamily* family) SKARN_REQUIRES(mutex_);
  JobContext NewJobContext(ColumnFamily* family, int job_id, IoPriority priority)
      SKARN_REQUIRES(mutex_);
  // How many jobs in a pool of that many threads may help another job.
  static uint32_t HelpersMax(int threads);

  // --- schedule.cc ---

  void MaybeSchedule() SKARN_REQUIRES(mutex_);
  void QueueCompaction(ColumnFamily* family) SKARN_REQUIRES(mutex_);
  BackgroundLimits Limits() const SKARN_REQUIRES(mutex_);
  bool CompactionPressure() const SKARN_REQUIRES(mutex_);
  // Computes the family's scores anew, as of now.
  void Rescore(ColumnFamily* family) SKARN_REQUIRES(mutex_);
  // Protects the files with numbers from now on until the job ends.
  std::list<uint64_t>::iterator ProtectNewFiles() SKARN_REQUIRES(mutex_);
  void UnprotectNewFiles(std::list<uint64_t>::iterator place) SKARN_REQUIRES(mutex_);
  int NextJobId() { return next_job_id_.fetch_add(1, std::memory_order_relaxed) + 1; }
  // Runs `job` on the pool, counted in background_jobs_; it ends with JobEnded(), after which
  // it only unlocks the mutex.
  void Schedule(ThreadPool::Priority priority, void (DbImpl::*job)()) SKARN_REQUIRES(mutex_);
  void JobEnded() SKARN_REQUIRES(mutex_);
  // Waits for a job to end, or for a second.
  void AwaitJobs() SKARN_REQUIRES(mutex_);

  // --- compact.cc ---

  void BackgroundCompaction() SKARN_EXCLUDES(mutex_);
  // Carries out one compaction and installs it. The compaction is released by the caller.
  // `allow_move` false: the files are rewritten even if they could change level as they are.
  Status RunCompaction(ColumnFamily* family, Compaction* compaction, const std::atomic<bool>* pause,
                       Cleanup* cleanup, bool allow_move = true) SKARN_REQUIRES(mutex_);
  void CountCompaction(const Compaction& compaction, const CompactionResult& result,
                       uint64_t micros);

  // --- manual_compaction.cc ---

  // An output level: the one that level 0 is compacted to when the piece is picked.
  static constexpr int kToBaseLevel = -1;
  Status CompactLevels(const CompactRangeOptions& options, ColumnFamily* family, const Slice* begin,
                       const Slice* end);
  // One piece after the other, from `input_level` to *output_level, or from level 0 to the base
  // level (kToBaseLevel), which is then set. Files from `max_file_number` on are left alone.
  Status RunManualCompaction(const CompactRangeOptions& options, ColumnFamily* family,
                             int input_level, int* output_level, const Slice* begin,
                             const Slice* end, uint64_t max_file_number, bool allow_move);
  Status ChangeLevel(ColumnFamily* family, int level, int target_level);

  // --- errors.cc ---

  // Stores the error by its severity; may start an automatic resume.
  void SetBackgroundError(const Status& error, ErrorCause cause) SKARN_REQUIRES(mutex_);
  // Releases the mutex while it flushes.
  Status ResumeLocked() SKARN_REQUIRES(mutex_);
  Status SwitchLog() SKARN_EXCLUDES(mutex_);
  void AutoResume() SKARN_EXCLUDES(mutex_);
  void ScheduleAutoResume() SKARN_REQUIRES(mutex_);

  // --- purge.cc ---

  // Deletes files that versions gave up and logs that nobody needs; with `full`, everything in the
  // directories that belongs to nobody. The others as in Cleanup.
  void PurgeObsoleteFiles(bool full, bool leave_logs = false, bool leave_tables = false)
      SKARN_EXCLUDES(mutex_);
  // Whether one is due, or a memtable more than a quarter full.
  bool FlushIsNear() const SKARN_REQUIRES(mutex_);
  void RequestPurge();  // From any thread, no lock needed.
  void BackgroundPurge() SKARN_EXCLUDES(mutex_);
  void PurgeArchive() SKARN_EXCLUDES(mutex_);
  // A new table counts towards the space that the caller allows; past it, writes stop.
  void CountTableFile(const std::string& path, uint64_t size_bytes, ErrorCause cause)
      SKARN_REQUIRES(mutex_);
  void CountLiveTableFiles() SKARN_REQUIRES(mutex_);
  // Now, or slowly when the caller asked for that.
  // *slowly: it became trash, which is deleted later.
  Status DeleteTableFile(const std::string& path, bool* slowly);
  void DeleteObsolete(const std::string& path);
  void RemoveLog(uint64_t number);  // Deletes or archives it.

  // --- close.cc ---

  Status Shutdown(bool check_snapshots) SKARN_EXCLUDES(mutex_);
  bool NeedsShutdownFlush() const SKARN_REQUIRES(mutex_);

  // --- set_options.cc ---

  // Releases the mutex while it writes. `opening`: syncing the directory and deleting older
  // files are left to the caller.
  Status WriteOptionsFile(bool opening = false, uint64_t previous_number = 0)
      SKARN_REQUIRES(mutex_);

  // --- column_families.cc ---

  ColumnFamily* AddFamily(ColumnFamilyVersions* versions) SKARN_REQUIRES(mutex_);
  Result<ColumnFamily*> CreateFamily(const ColumnFamilyOptions& options, const std::string& name)
      SKARN_EXCLUDES(mutex_);

  // --- info_log.cc ---

  void LogHeader();
  DbStats CurrentDbStats() const SKARN_REQUIRES(mutex_);
  std::string DbStatsText(bool new_interval) SKARN_REQUIRES(mutex_);
  std::string FamilyStatsText(ColumnFamily* family, bool new_interval) SKARN_REQUIRES(mutex_);
  void LogEvent(const std::string& json) const;
  void LogFamilyOptions(const std::string& family, const ColumnFamilyOptions& options) const;
  void LogChanges(const std::string& family, const ColumnFamilyOptions& options,
                  const std::unordered_map<std::string, std::string>& changes,
                  const Status& status) const;
  void LogRecoveredManifest() const SKARN_REQUIRES(mutex_);
  void LogFlushedTable(const std::string& family, int job_id, uint64_t start_us,
                       const FlushResult& result) const;
  void LogCompactionStart(const Compaction& compaction, const JobContext& context,
                          uint64_t start_us) const;
  void LogCompactionOutputs(const Compaction& compaction, const JobContext& context,
                            const CompactionResult& result) const;
  void LogCompactionEnd(const Compaction& compaction, const ColumnFamily* family,
                        const CompactionResult& result, int job_id, uint64_t start_us,
                        uint64_t now_us) const SKARN_REQUIRES(mutex_);
  void LogMove(const Compaction& compaction, const ColumnFamily* family, const VersionEdit& edit,
               int job_id, uint64_t now_us) const SKARN_REQUIRES(mutex_);
  void LogLevelSummary(const ColumnFamily* family) const SKARN_REQUIRES(mutex_);
  // "[2, 0, 1]": files of each level.
  // How long reads of each level's files took, for statistics texts.
  static std::string FileReadHistograms(const ColumnFamily* family);
  static std::vector<uint64_t> LevelCounts(const ColumnFamily* family);
  void MaybeDumpStatistics();

  // --- Fixed after open ---

  const Mode mode_;
  const std::string path_;
  const std::string secondary_path_;
  Env* const env_;
  FileSystem* const fs_;
  std::shared_ptr<Logger> info_log_;  // Shared with the caller's options.
  // As at open; the log manager refers to them.
  const std::shared_ptr<const DbOptions> opened_options_;
  Statistics* statistics_ = nullptr;
  std::string wal_directory_;
  std::string session_id_;
  std::string host_id_;
  std::unique_ptr<FileLock> file_lock_;
  std::unique_ptr<Directory> db_directory_;  // Synced after renames in it.
  ColumnFamily* default_family_ = nullptr;
  const std::shared_ptr<OpenHandles> open_handles_ =
      std::make_shared<OpenHandles>();  // By handles.
  std::unique_ptr<FamilyHandle> default_handle_;
  RateLimiter* rate_limiter_ = nullptr;
  bool compacted_mode_ = false;  // Read-only, with all files on one level.
  bool has_row_cache_ = false;
  bool recycles_logs_ = false;
  bool manual_wal_flush_ = false;
  bool concurrent_inserts_ = false;
  bool tracks_logs_ = false;
  bool purges_in_background_ = false;
  std::atomic<bool> open_trash_due_{true};  // Until the first full purge; whoever runs it.
  bool open_ = false;                       // Open() succeeded.
  bool closed_ = false;

  // --- The write path. The leader's, unless said otherwise ---

  CommitQueue queue_;
  alignas(128) std::atomic<uint32_t> admission_{0};  // Any thread.
  SequenceNumber last_allocated_ = 0;
  // The number that recovery of the logs so far ends at: writes without a log do not count.
  SequenceNumber next_logged_ = 1;
  uint64_t last_group_bytes_ = 0;
  std::vector<Slice> group_parts_;
  // Since open; written by leaders, read by properties.
  std::atomic<uint64_t> writes_{0}, groups_{0}, keys_written_{0}, bytes_written_{0},
      logged_writes_{0};
  // Written by leaders, read by every reader.
  alignas(128) std::atomic<SequenceNumber> visible_{0};
  // Read by writers inside an epoch; replaced under the db mutex by a leader.
  alignas(128) std::atomic<const FamilyTable*> family_table_{nullptr};
  std::atomic<bool> unlogged_writes_{false};  // Something was written with the log disabled.

  WalManager wals_;
  SnapshotList snapshots_;
  OpenTableBudget open_tables_;

  // --- Under the db mutex ---

  mutable Mutex mutex_;
  CondVar work_done_{&mutex_};  // Any background job ended, a stall or an error changed.
  std::shared_ptr<const DbOptions> options_ SKARN_GUARDED_BY(mutex_);  // Shared with readers.
  std::unique_ptr<VersionSet> versions_;
  std::map<std::string, RecoveredTransaction> recovered_transactions_;
  std::unique_ptr<MemoryCharge> memory_charge_;
  std::shared_ptr<WriteBufferManager> write_buffers_;  // Shared with other databases; may be null.
  std::vector<ColumnFamily*> families_ SKARN_GUARDED_BY(mutex_);  // Not dropped; creation order.
  std::shared_ptr<Cache> default_cache_;  // Of families without one; null until one needs it.
  BackgroundErrors errors_ SKARN_GUARDED_BY(mutex_);
  WriteController write_controller_ SKARN_GUARDED_BY(mutex_);

  std::deque<FlushRequest> flush_queue_ SKARN_GUARDED_BY(mutex_);
  std::deque<ColumnFamily*> compaction_queue_ SKARN_GUARDED_BY(mutex_);  // Referenced.
  int flushes_scheduled_ SKARN_GUARDED_BY(mutex_) = 0;
  int flushes_running_ SKARN_GUARDED_BY(mutex_) = 0;
  int compactions_scheduled_ SKARN_GUARDED_BY(mutex_) = 0;
  int compactions_running_ SKARN_GUARDED_BY(mutex_) = 0;
  // Since when there are tables for the compactions that run to delete; 0: there are none.
  uint64_t tables_left_us_ SKARN_GUARDED_BY(mutex_) = 0;
  int background_jobs_ SKARN_GUARDED_BY(mutex_) = 0;  // All kinds, purge and resume too.
  int pause_count_ SKARN_GUARDED_BY(mutex_) = 0;
  std::list<uint64_t> protected_from_ SKARN_GUARDED_BY(mutex_);
  int file_deletions_disabled_ SKARN_GUARDED_BY(mutex_) = 0;
  bool full_purge_due_ SKARN_GUARDED_BY(mutex_) = false;
  uint64_t last_full_purge_us_ SKARN_GUARDED_BY(mutex_) = 0;
  uint64_t last_archive_purge_s_ SKARN_GUARDED_BY(mutex_) = 0;
  std::vector<std::shared_ptr<LogWriter>> logs_to_close_
      SKARN_GUARDED_BY(mutex_);  // Shared with syncs.
  std::set<uint64_t> logs_to_delete_ SKARN_GUARDED_BY(mutex_);
  bool purging_ SKARN_GUARDED_BY(mutex_) = false;
  bool tracking_logs_ SKARN_GUARDED_BY(mutex_) = false;  // Synced logs are going to the MANIFEST.
  // The last write of the MANIFEST failed: files that it may name must not be deleted.
  bool manifest_uncertain_ SKARN_GUARDED_BY(mutex_) = false;
  bool auto_resume_scheduled_ SKARN_GUARDED_BY(mutex_) = false;
  bool flush_failed_while_resuming_ SKARN_GUARDED_BY(mutex_) = false;
  // Since open, for properties and statistics dumps.
  uint64_t flushed_bytes_ SKARN_GUARDED_BY(mutex_) = 0;
  uint64_t compacted_read_bytes_ SKARN_GUARDED_BY(mutex_) = 0;
  uint64_t compacted_written_bytes_ SKARN_GUARDED_BY(mutex_) = 0;
  int manual_running_ SKARN_GUARDED_BY(mutex_) = 0;  // Manual compactions at work, ingestions.
  int manual_waiting_ SKARN_GUARDED_BY(mutex_) = 0;  // All that have begun and not ended.
  int exclusive_manual_ SKARN_GUARDED_BY(mutex_) = 0;
  bool refitting_ SKARN_GUARDED_BY(mutex_) = false;
  bool closing_started_ SKARN_GUARDED_BY(mutex_) = false;
  uint64_t options_file_number_ SKARN_GUARDED_BY(mutex_) = 0;
  bool writing_options_ SKARN_GUARDED_BY(mutex_) = false;
  uint64_t opened_us_ = 0;
  uint64_t stall_micros_ SKARN_GUARDED_BY(mutex_) = 0;
  uint64_t log_flush_tried_ SKARN_GUARDED_BY(mutex_) = 0;  // Oldest log when last flushed for size.

  Mutex prepared_mutex_;  // A leaf in the lock order.
  // Logs with prepare records of unfinished transactions, and how many.
  std::map<uint64_t, int> prepared_logs_ SKARN_GUARDED_BY(prepared_mutex_);

  uint64_t last_stats_dump_us_ SKARN_GUARDED_BY(mutex_) = 0;
  uint64_t last_wakeup_us_ SKARN_GUARDED_BY(mutex_) = 0;  // When ages were looked at last.
  int purges_running_ SKARN_GUARDED_BY(mutex_) = 0;  // That know what they are going to delete.
  // Where the interval of the next `rocksdb.dbstats` begins.
  DbStats interval_stats_ SKARN_GUARDED_BY(mutex_);
  uint64_t interval_began_us_ SKARN_GUARDED_BY(mutex_) = 0;

  // --- Any thread ---

  std::atomic<bool> shutting_down_{false};
  std::atomic<bool> manual_compactions_stopped_{false};  // Told to stop; see the next.
  std::atomic<int> manual_compactions_disabled_{0};
  std::atomic<int> next_job_id_{0};
  std::atomic<ColumnFamily*> dead_families_{nullptr};
  // Of a purge in the background: it is at work, or is to begin, perhaps once more.
  static constexpr uint8_t kNoPurge = 0, kPurging = 1, kPurgeDue = 2;
  std::atomic<uint8_t> purge_requested_{kNoPurge};
  // Threads that will purge by themselves: the last reader of a version need not ask for it.
  std::atomic<int> purge_expected_{0};
  std::atomic<bool> purge_wanted_{false};       // A version went after the last purge had begun.
  std::atomic<bool> supports_snapshots_{true};  // No family updates in place.
  // Snapshots up to this number keep no entries in bottommost files that are worth a rewrite.
  std::atomic<SequenceNumber> bottommost_threshold_{0};
  // Bytes of live logs above which families are flushed; UINT64_MAX: no limit.
  std::atomic<uint64_t> log_size_limit_{UINT64_MAX};

  std::unique_ptr<SecondaryReplay> secondary_;  // Secondary mode only.
};

}  // namespace skarn

#endif  // SKARN_CORE_DB_DB_IMPL_H_
