// TableCache opens the table files of one column family and keeps them open.
//
// An open table hangs off its FileMetadata by an atomic pointer, so a read finds it
// with one load. OpenTableBudget, one for a database, limits how many are open at once
// (max_open_files) and closes the ones not used lately.
//
// When a database is opened, its tables are opened and checked, but index and filter of a
// mapped file are loaded by the first who wants to read it: see OpenAhead().
//
// Lifetime: a reader that was loaded under an epoch is valid until the epoch is left;
// one that was held, until it is let go.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_VERSION_TABLE_CACHE_H_
#define SKARN_CORE_VERSION_TABLE_CACHE_H_

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "core/base/cpu.h"
#include "core/base/mutex.h"
#include "core/base/result.h"
#include "core/key/pin.h"
#include "core/metrics/histogram.h"
#include "core/options/options.h"
#include "core/table/table_reader.h"
#include "core/version/row_cache.h"
#include "core/version/version_edit.h"

namespace skarn {

class OpenTableBudget;

// A reader and who uses it. Made by TableCache::Open(); retired with its last holder.
struct OpenTable {
  std::unique_ptr<TableReader> reader;
  OpenTableBudget* budget = nullptr;
  std::atomic<int> holders{1};   // The file is one until the table is closed.
  std::atomic<bool> used{true};  // Set by reads, cleared as the budget's hand passes.
  // The reader may be given out. Set under the file's opening mutex.
  std::atomic<bool> complete{false};
  // Both guarded by the budget's mutex. Null once closed.
  FileMetadata* file = nullptr;
  std::list<OpenTable*>::iterator place;
};

// How many tables of a database may be open.
class OpenTableBudget {
 public:
  // -1: no limit.
  explicit OpenTableBudget(int32_t max_open_files) : max_(Limit(max_open_files)) {}
  ~OpenTableBudget();

  void SetMax(int32_t max_open_files);
  bool unlimited() const { return max_.load(std::memory_order_relaxed) == SIZE_MAX; }
  size_t open_count() const;

 private:
  friend class TableCache;
  static size_t Limit(int32_t max_open_files);
  // Closes tables until no more are open than may be. The caller lets go of `*closed`
  // after unlocking: that may free objects of any kind.
  void CloseSome(std::vector<OpenTable*>* closed) SKARN_REQUIRES(mutex_);
  // Takes the table from its file. The caller lets go of the file's hold.
  void Unlink(OpenTable* table) SKARN_REQUIRES(mutex_);

  // A leaf in the lock order (docs/concurrency.md).
  mutable Mutex mutex_;
  std::list<OpenTable*> tables_ SKARN_GUARDED_BY(mutex_);
  std::list<OpenTable*>::iterator hand_ SKARN_GUARDED_BY(mutex_) = tables_.end();
  std::atomic<size_t> max_;  // Written under mutex_.
};

// Keeps an open table. Movable; released by the destructor.
class TableHold {
 public:
  TableHold() = default;
  TableHold(TableReader* reader, Pin pin) : reader_(reader), pin_(std::move(pin)) {}

  TableReader* get() const { return reader_; }
  TableReader* operator->() const { return reader_; }
  explicit operator bool() const { return reader_ != nullptr; }
  // The hold alone, for whoever keeps cursors of the table.
  Pin TakePin() { return std::move(pin_); }

 private:
  TableReader* reader_ = nullptr;
  Pin pin_;
};

class TableCache {
 public:
  struct Context {
    const KeyOrder* order = nullptr;                     // Outlives the cache.
    std::shared_ptr<const DbOptions> db_options;         // Shared with the database.
    std::shared_ptr<const ColumnFamilyOptions> options;  // Shared with the column family.
    std::vector<std::string> directories;                // Of path ids 0, 1, ...
    std::string db_session_id;
  };
  TableCache(Context context, OpenTableBudget* budget);
  ~TableCache();
  TableCache(const TableCache&) = delete;
  TableCache& operator=(const TableCache&) = delete;

  // The table, opened when it is not; valid until the caller leaves its epoch.
  // Precondition: the calling thread is inside an epoch.
  Result<TableReader*> Find(FileMetadata* file, int level) {
    TableReader* reader = file->reader.load(std::memory_order_acquire);
    if (SKARN_LIKELY(reader != nullptr && budget_->unlimited())) return reader;
    return FindSlow(file, level);
  }
  // The same when it is open; null means that Find() may have to open it.
  TableReader* FindOpen(const FileMetadata* file) const {
    TableReader* reader = file->reader.load(std::memory_order_acquire);
    return SKARN_LIKELY(budget_->unlimited()) ? reader : nullptr;
  }
  // Whether the file is open, its index and filter loaded or not.
  static bool IsOpen(const FileMetadata* file) {
    return file->open_table.load(std::memory_order_acquire) != nullptr;
  }
  // The open table, of which only what TableReader::complete() allows may be used; or null.
  // Precondition: the calling thread is inside an epoch.
  static const TableReader* Peek(const FileMetadata* file) {
    const OpenTable* table = file->open_table.load(std::memory_order_acquire);
    return table == nullptr ? nullptr : table->reader.get();
  }
  // Opens the table when it is not, but leaves the loading of index and filter to the first
  // Find() or Hold() where that can wait.
  Status OpenAhead(FileMetadata* file, int level);
  const RowCache& row_cache() const { return row_cache_; }
  // The same, not bound to an epoch. With `cached_only`, Incomplete when it is not open.
  Result<TableHold> Hold(FileMetadata* file, int level, bool cached_only = false);
  // Opens a table that belongs to nobody yet (a job's output, a file to ingest).
  Result<std::unique_ptr<TableReader>> OpenUnshared(const FileRecord& file, int level);
  // Keeps such a table for the first Find() or Hold() of the file, which then need not open it
  // again. Some are kept only; the caller forgets those that will not be in a version.
  void Park(const FileRecord& file, int level, std::unique_ptr<TableReader> reader);
  void Forget(uint64_t file_number);

  // A cursor over one file; `*pin` keeps the table and must outlive the cursor.
  // `read` must outlive both.
  Result<std::unique_ptr<InternalCursor>> NewCursor(const ReadOptions& read, FileMetadata* file,
                                                    int level, TableCaller caller,
                                                    size_t compaction_readahead_bytes, Pin* pin);
  // Properties, from the open table or read from the file without keeping it open.
  Result<std::shared_ptr<const TableProperties>> Properties(const FileMetadata& file);

  // Closes the file's table. `obsolete`: its cached blocks will not be asked for again.
  static void Close(FileMetadata* file, bool obsolete);

  // Readers opened from now on use these.
  void SetOptions(std::shared_ptr<const ColumnFamilyOptions> options) SKARN_EXCLUDES(mutex_);
  std::string PathOf(const FileRecord& file) const;
  // How long reads of the files of each level took, counted when statistics are kept.
  int level_count() const { return level_count_; }
  const Histogram& level_read_micros(int level) const { return level_read_micros_[level]; }
  // Sum of memory_bytes() of open tables among `files`.
  static uint64_t MemoryBytes(const std::vector<FileMetadata*>& files);

 private:
  Result<TableReader*> FindSlow(FileMetadata* file, int level);
  // Completes a table that OpenAhead() left. Precondition: inside an epoch; the file's opening
  // mutex is held.
  Result<TableReader*> Complete(FileMetadata* file, OpenTable* table);
  // Gives the file an open table. What that closes is let go by the caller.
  void Publish(FileMetadata* file, std::unique_ptr<TableReader> reader,
               std::vector<OpenTable*>* closed);
  // A hold on the file's open table; an empty one when it is not open.
  static TableHold TryHold(FileMetadata* file);
  Result<std::unique_ptr<TableReader>> OpenReader(const FileRecord& file, int level,
                                                  bool direct = false, bool may_defer = false);
  // Null when there is none; one that is for another level is let go.
  std::unique_ptr<TableReader> TakeParked(uint64_t file_number, int level);
  // `direct`: past the page cache, whatever the options say.
  Result<std::unique_ptr<RandomAccessFile>> OpenFile(const FileRecord& file, std::string* path,
                                                     uint64_t* size_bytes, bool direct = false);

  struct Parked {
    uint64_t file_number;
    int level;
    std::unique_ptr<TableReader> reader;
  };
  // More would be open beside what the budget counts.
  static constexpr size_t kParkedMax = 16;

  Context context_;  // All but `options` fixed.
  OpenTableBudget* const budget_;
  const int level_count_;
  const std::unique_ptr<Histogram[]> level_read_micros_;
  const RowCache row_cache_;
  // Guards context_.options and what is parked; a leaf in the lock order.
  mutable Mutex mutex_;
  std::vector<Parked> parked_ SKARN_GUARDED_BY(mutex_);
  // By file number: two threads that want one table open it once. Held while the file is
  // read, which only others that want it wait for. Above the budget's mutex.
  static constexpr size_t kOpeningMutexes = 16;
  Mutex opening_mutexes_[kOpeningMutexes];
};

}  // namespace skarn

#endif  // SKARN_CORE_VERSION_TABLE_CACHE_H_
