// Db is the engine's public face: what compat/ calls and nothing below does.
//
// One object is one open database. Column family handles stay valid until they are
// destroyed, after a drop too. All methods take absolute meaning from RocksDB's C API;
// what differs is in docs/abi/differences.md.
//
// Ownership: Open() gives the database and one handle per column family asked for.
// Handles may outlive the Db and are of no use then; iterators and snapshots must be gone
// before it.
//
// Thread safety: any thread, but Close() and the destructor need all other calls to
// have returned.

#ifndef SKARN_CORE_DB_DB_H_
#define SKARN_CORE_DB_DB_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/result.h"
#include "core/base/slice.h"
#include "core/base/status.h"
#include "core/batch/write_batch.h"
#include "core/key/pin.h"
#include "core/key/snapshot.h"
#include "core/options/options.h"

namespace skarn {

class ColumnFamily;  // core/db/column_family.h
class DbIterator;    // core/iterate/db_iterator.h
class WalIterator;   // Below.

// A caller's reference to a column family.
class ColumnFamilyHandle {
 public:
  virtual ~ColumnFamilyHandle() = default;
  virtual uint32_t id() const = 0;
  virtual const std::string& name() const = 0;
  virtual const Comparator* comparator() const = 0;
  ColumnFamily* family() const { return family_; }

 protected:
  ColumnFamily* family_ = nullptr;
};

struct ColumnFamilyDescriptor {
  std::string name;
  ColumnFamilyOptions options;
};

struct LevelFile {
  std::string directory;
  std::string relative_filename;
  uint64_t size_bytes = 0;
  std::string smallest_user_key;
  std::string largest_user_key;
};
// One table file of an open database.
struct LiveTable {
  std::string column_family;
  std::string name;  // "/000012.sst", as RocksDB shows it.
  int level = 0;
  LevelFile file;
  uint64_t smallest_sequence = 0;
  uint64_t largest_sequence = 0;
  uint64_t entries = 0;  // 0 where the file's properties were not read.
  uint64_t deletions = 0;
};
struct LevelMetadata {
  int level = 0;
  uint64_t size_bytes = 0;
  std::vector<LevelFile> files;
};
struct ColumnFamilyMetadata {
  std::string name;
  uint64_t size_bytes = 0;
  size_t file_count = 0;
  std::vector<LevelMetadata> levels;
};

// The files that make up a database at one moment.
struct LiveFiles {
  struct Table {
    std::string directory;
    uint64_t number = 0;
  };
  // Only the first bytes belong to that moment.
  struct Wal {
    uint64_t number = 0;
    uint64_t size_bytes = 0;
  };
  std::vector<Table> tables;
  std::string wal_directory;
  std::vector<Wal> wals;  // Oldest first.
  uint64_t manifest_number = 0;
  uint64_t manifest_size_bytes = 0;  // Likewise.
  uint64_t options_number = 0;       // 0: there is no OPTIONS file.
};

struct IngestOptions {
  bool move_files = false;            // Link instead of copying, then remove the given names.
  bool snapshot_consistency = true;   // Snapshots do not see what comes.
  bool allow_global_sequence = true;  // Files may get a sequence number.
  bool allow_blocking_flush = true;   // Memtables that overlap are flushed.
  bool ingest_behind = false;         // Below all data, which wins over the files.
  bool fail_if_not_bottommost_level = false;
  bool verify_checksums = false;
};

struct KeyRange {
  Slice start;
  Slice limit;
};

class Db {
 public:
  enum class Mode { kReadWrite, kReadOnly, kSecondary };

  struct OpenRequest {
    DbOptions options;
    std::string path;
    std::vector<ColumnFamilyDescriptor> column_families;
    Mode mode = Mode::kReadWrite;
    bool error_if_wal_exists = false;  // Read-only only.
    bool single_column_family =
        false;  // The caller gave options, not a list: only "default" need be known.
    std::string secondary_path;          // Secondary only.
    std::string trim_history_timestamp;  // Open and trim history.
  };
  // On success `handles` has one per column family asked for, in order.
  static Result<std::unique_ptr<Db>> Open(
      OpenRequest request, std::vector<std::unique_ptr<ColumnFamilyHandle>>* handles);
  static Status Destroy(const DbOptions& options, const ColumnFamilyOptions& cf_options,
                        const std::string& path);
  static Status Repair(const DbOptions& options, const ColumnFamilyOptions& cf_options,
                       const std::string& path);
  static Result<std::vector<std::string>> ListColumnFamilies(const DbOptions& options,
                                                             const std::string& path);
  Db() = default;
  Db(const Db&) = delete;
  Db& operator=(const Db&) = delete;
  virtual ~Db() = default;

  // Another one for each object that ever was, so that what outlives it knows it from the next.
  uint64_t serial() const { return serial_; }

  // Stops background work, flushes what the options ask for, closes files. The
  // destructor does it too and ignores the outcome.
  virtual Status Close() = 0;

  // Column families. `nullptr` handles below mean the default one.
  virtual ColumnFamilyHandle* default_family() const = 0;
  virtual Result<std::unique_ptr<ColumnFamilyHandle>> CreateColumnFamily(
      const ColumnFamilyOptions& options, const std::string& name) = 0;
  virtual Status DropColumnFamily(ColumnFamilyHandle* family) = 0;

  // Writes. With user-defined timestamps, `timestamp` must have the comparator's size;
  // else it must be empty.
  virtual Status Put(const WriteOptions& options, ColumnFamilyHandle* family, Slice key,
                     Slice timestamp, Slice value) = 0;
  virtual Status Delete(const WriteOptions& options, ColumnFamilyHandle* family, Slice key,
                        Slice timestamp) = 0;
  virtual Status SingleDelete(const WriteOptions& options, ColumnFamilyHandle* family, Slice key,
                              Slice timestamp) = 0;
  virtual Status DeleteRange(const WriteOptions& options, ColumnFamilyHandle* family, Slice begin,
                             Slice end, Slice timestamp) = 0;
  virtual Status Merge(const WriteOptions& options, ColumnFamilyHandle* family, Slice key,
                       Slice timestamp, Slice operand) = 0;
  // The batch's sequence number is set to the one it was written with.
  virtual Status Write(const WriteOptions& options, WriteBatch* batch) = 0;

  // Reads. NotFound (without message) is an answer, not a failure.
  // `found_timestamp` may be null.
  virtual Status Get(const ReadOptions& options, ColumnFamilyHandle* family, Slice key,
                     ValueSink* sink, std::string* found_timestamp) = 0;
  // All keys at one moment. `families` has one per key; statuses and sinks too.
  // `found_timestamps` may be null.
  virtual void MultiGet(const ReadOptions& options, size_t count,
                        ColumnFamilyHandle* const* families, const Slice* keys,
                        ValueSink* const* sinks, std::string* found_timestamps, Status* statuses,
                        bool sorted_input) = 0;
  // False only when the key is surely absent. `value_found` may be null; when set to true
  // the sink has the value.
  virtual bool KeyMayExist(const ReadOptions& options, ColumnFamilyHandle* family, Slice key,
                           ValueSink* sink, std::string* found_timestamp, bool* value_found) = 0;
  // Never null; errors are in the iterator's status. `options` is copied; what it points at
  // (bounds, snapshot, timestamps) must outlive the iterator.
  virtual std::unique_ptr<DbIterator> NewIterator(const ReadOptions& options,
                                                  ColumnFamilyHandle* family) = 0;
  virtual Status NewIterators(const ReadOptions& options,
                              const std::vector<ColumnFamilyHandle*>& families,
                              std::vector<std::unique_ptr<DbIterator>>* iterators) = 0;
  // Null when a memtable does not support it (in-place updates).
  virtual const Snapshot* GetSnapshot() = 0;
  virtual void ReleaseSnapshot(const Snapshot* snapshot) = 0;
  virtual SequenceNumber LatestSequence() const = 0;

  // Properties; false when unknown.
  virtual bool GetProperty(ColumnFamilyHandle* family, Slice name, std::string* value) = 0;
  virtual bool GetIntProperty(ColumnFamilyHandle* family, Slice name, uint64_t* value) = 0;
  virtual bool GetAggregatedIntProperty(Slice name, uint64_t* value) = 0;
  virtual Status ApproximateSizes(ColumnFamilyHandle* family, bool include_memtables,
                                  bool include_files, double files_size_error_margin,
                                  const KeyRange* ranges, size_t count, uint64_t* sizes) = 0;
  virtual void GetColumnFamilyMetadata(ColumnFamilyHandle* family,
                                       ColumnFamilyMetadata* metadata) = 0;
  // Of all column families, in the order of their creation, level by level.
  virtual void GetLiveTables(std::vector<LiveTable>* tables) = 0;
  virtual void GetMemoryUsage(uint64_t* memtables_total, uint64_t* memtables_unflushed,
                              uint64_t* table_readers) = 0;

  // Maintenance.
  virtual Status Flush(const FlushOptions& options,
                       const std::vector<ColumnFamilyHandle*>& families) = 0;
  virtual Status FlushWal(bool sync) = 0;
  virtual Status SyncWal() = 0;
  // Null bounds are open ends; both are inclusive.
  virtual Status CompactRange(const CompactRangeOptions& options, ColumnFamilyHandle* family,
                              const Slice* begin, const Slice* end) = 0;
  virtual Status SuggestCompactRange(ColumnFamilyHandle* family, const Slice* begin,
                                     const Slice* end) = 0;
  virtual Status WaitForCompact(const WaitForCompactOptions& options) = 0;
  virtual Status PauseBackgroundWork() = 0;
  virtual Status ContinueBackgroundWork() = 0;
  virtual void DisableManualCompaction() = 0;
  virtual void EnableManualCompaction() = 0;
  virtual void CancelAllBackgroundWork(bool wait) = 0;
  virtual Status EnableAutoCompaction(const std::vector<ColumnFamilyHandle*>& families) = 0;
  virtual Status DisableFileDeletions() = 0;
  virtual Status EnableFileDeletions() = 0;
  // Takes table files in that SstFileWriter made; all of them or none.
  virtual Status IngestExternalFiles(ColumnFamilyHandle* family,
                                     const std::vector<std::string>& paths,
                                     const IngestOptions& options) = 0;
  // What to copy for a copy of the database. File deletions are disabled before the call and
  // until the copy is made. Flushes first when the logs hold at least `log_size_for_flush`
  // bytes; 0: always.
  virtual Status GetLiveFiles(uint64_t log_size_for_flush, LiveFiles* files) = 0;
  virtual Status DeleteFile(const std::string& name) = 0;
  virtual Status DeleteFilesInRanges(ColumnFamilyHandle* family, const Slice* const* starts,
                                     const Slice* const* limits, size_t count,
                                     bool include_end) = 0;
  virtual Status Resume() = 0;

  // Options in force.
  virtual Status SetOptions(ColumnFamilyHandle* family,
                            const std::unordered_map<std::string, std::string>& changes) = 0;
  virtual Status SetDbOptions(const std::unordered_map<std::string, std::string>& changes) = 0;
  virtual DbOptions GetDbOptions() const = 0;
  virtual ColumnFamilyOptions GetColumnFamilyOptions(ColumnFamilyHandle* family) const = 0;

  virtual Result<std::string> GetDbIdentity() const = 0;
  virtual Status GetUpdatesSince(SequenceNumber sequence,
                                 std::unique_ptr<WalIterator>* iterator) = 0;
  virtual Status IncreaseFullHistoryTimestampLow(ColumnFamilyHandle* family, Slice timestamp) = 0;
  virtual Result<std::string> GetFullHistoryTimestampLow(ColumnFamilyHandle* family) = 0;
  virtual Status TryCatchUpWithPrimary() = 0;
  virtual Status VerifyChecksums(const ReadOptions& options) = 0;
  virtual const std::string& path() const = 0;
  virtual Env* env() const = 0;

 private:
  static uint64_t NextSerial() {
    static std::atomic<uint64_t> last{0};  // Any thread.
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
  }
  const uint64_t serial_ = NextSerial();
};

// Walks the write-ahead logs from a sequence number on (rocksdb_get_updates_since).
class WalIterator {
 public:
  virtual ~WalIterator() = default;
  virtual bool Valid() const = 0;
  virtual void Next() = 0;
  virtual Status status() const = 0;
  // The current batch, as written, and its first sequence number. Precondition: Valid().
  virtual WriteBatch Batch(SequenceNumber* sequence) const = 0;
};

}  // namespace skarn

#endif  // SKARN_CORE_DB_DB_H_
