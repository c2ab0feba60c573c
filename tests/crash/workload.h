// Workloads for tests that break things under a database, and the history they leave: what the
// database held after each batch, and what was promised when.
//
// A workload writes numbered batches. Batch i puts i under kCounterKey in every column family, so
// what is recovered says itself how far history goes. Between batches it does what its row says:
// syncs, flushes, compactions, column families, options, checkpoints, reopens. Background jobs run
// on the caller's thread, between the steps, so one seed always gives the same calls.
//
// Thread safety: one thread.

#ifndef SKARN_TESTS_CRASH_WORKLOAD_H_
#define SKARN_TESTS_CRASH_WORKLOAD_H_

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "core/base/status.h"
#include "core/db/db.h"
#include "core/env/deterministic_pool.h"
#include "core/env/env.h"
#include "core/env/test_clock.h"

namespace skarn {

inline constexpr char kDatabasePath[] = "/db";
inline constexpr char kCounterKey[] = "~counter";
inline constexpr size_t kNever = std::numeric_limits<size_t>::max();

using Content = std::map<std::string, std::string>;
using Moment = std::map<std::string, Content>;  // By name of the column family.

struct Workload {
  const char* name = "";
  int batches = 0;
  // After every so many batches; 0: never.
  int sync_every = 0;           // The batch itself is written with sync.
  int sync_wal_every = 0;       // SyncWal(), or FlushWal() in turn when logs are flushed by hand.
  int flush_every = 0;          // One family after the other; all with atomic flush.
  int compact_every = 0;        // As flushes.
  int family_every = 0;         // A column family is created, and dropped two turns later.
  int options_every = 0;        // SetOptions() and SetDbOptions() in turn.
  int checkpoint_every = 0;     // A checkpoint with a name of its own.
  int reopen_every = 0;         // Closed and opened again.
  int ingest_every = 0;         // That batch comes as a table file, into the default family alone.
  bool unlogged = false;        // Batches are not logged; only flushes promise anything.
  bool through_memory = false;  // Logs are filled through memory also where calls may fail.
  bool for_genuine = true;      // Genuine releases from 7 on can read the files.
  void (*change)(DbOptions* db, ColumnFamilyOptions* family) = nullptr;
};
const std::vector<Workload>& Workloads();

// What a workload did and was told. "Operations" are numbers of changes the disk had seen.
struct History {
  struct Promise {
    size_t operations;
    size_t batch;         // It and all before it are there,
    bool survives_power;  // after a power cut; else after the end of the process.
  };
  struct Family {
    std::string name;
    size_t create_begun = kNever, created = kNever, drop_begun = kNever, dropped = kNever;
  };
  struct Setting {
    size_t begun;
    size_t done;
    uint64_t write_buffer_size;  // Grows from one setting to the next; 0: reopened.
  };
  struct Checkpoint {
    std::string path;
    size_t begun;
    size_t done;
    size_t batch;
    std::vector<std::string> families;
  };

  std::vector<Moment> moments = {Moment()};     // After so many batches.
  std::vector<SequenceNumber> sequences = {0};  // Likewise: the last one in use.
  std::vector<size_t> begun = {0};              // Operations when a batch was about to be written.
  std::vector<Promise> promises;                // In order of operations.
  std::vector<Family> families;                 // All that ever were.
  std::vector<Setting> settings;                // Of the default family.
  std::vector<Checkpoint> checkpoints;
  std::vector<size_t> flush_points = {0};  // Unlogged: what all flushes together left.
  size_t opened = 0;                       // Operations when the database was first open.
};

// An open database with all its column families, its pool and its clock.
class OpenDatabase {
 public:
  // `names` empty: those that the directory has. `create`: as in options.
  Status Open(FileSystem* fs, const Workload& workload, bool create,
              std::vector<std::string> names = {}, const std::string& path = kDatabasePath);
  // Runs background jobs until there are none.
  void Settle() { pool_->RunAll(); }
  // What Db::Close() said; it is closed in any case.
  Status Close();
  ~OpenDatabase() { (void)Close().ok(); }

  Db* db() const { return db_.get(); }
  const std::map<std::string, std::unique_ptr<ColumnFamilyHandle>>& handles() const {
    return handles_;
  }
  std::vector<std::string> names() const;
  Status Create(const std::string& name);
  Status Drop(const std::string& name);
  struct Entry {
    EntryKind kind;
    std::string value;
  };
  // A table file to be ingested, with a range deletion unless the range is empty.
  Status WriteTable(const std::string& path, const std::map<std::string, Entry>& entries,
                    const std::string& range_begin, const std::string& range_end);
  // All families, forwards; with `snapshot`, as of it.
  Status Read(Moment* moment, const Snapshot* snapshot = nullptr) const;

 private:
  Env env_;
  std::unique_ptr<DeterministicPool> pool_;
  std::unique_ptr<TestClock> clock_;
  ColumnFamilyOptions family_options_;
  std::unique_ptr<Db> db_;
  std::map<std::string, std::unique_ptr<ColumnFamilyHandle>> handles_;
};

// Fills `batch` for the given families and applies the same to `moment`. Depends on the seed and
// the number alone, and on the families.
void FillBatch(uint64_t seed, size_t number, const OpenDatabase& database, WriteBatch* batch,
               Moment* moment);

// Plays a workload step by step and keeps the history. A step that fails ends it.
class Player {
 public:
  // `operations` tells how many changes the disk has seen; may be null.
  Player(const Workload& workload, uint64_t seed, FileSystem* fs, size_t (*operations)(const void*),
         const void* disk)
      : workload_(workload), seed_(seed), fs_(fs), operations_(operations), disk_(disk) {}
  ~Player() { CloseDatabase(); }

  // Opens, plays all batches and closes.
  Status Play();
  // The parts of Play(), for callers who do something between them.
  Status Begin();
  Status Step();  // The next batch and what follows it.
  void CloseDatabase();
  bool done() const { return next_ > static_cast<size_t>(workload_.batches); }

  const History& history() const { return history_; }
  OpenDatabase& database() { return *database_; }
  // The number of a batch whose write was tried and failed; 0: none. `moment` receives what there
  // would be with it.
  size_t failed_batch(Moment* moment) const {
    *moment = failed_moment_;
    return failed_batch_;
  }

 private:
  size_t Now() const { return operations_ == nullptr ? 0 : operations_(disk_); }
  bool Due(int every) const { return every > 0 && next_ % static_cast<size_t>(every) == 0; }
  void Promise(bool survives_power);
  Status WriteNext();
  Status IngestNext();
  Status Maintain();
  Status ChangeFamilies();
  Status ChangeOptions();
  Status FlushSome();
  // Whether what was asked for came to pass; the cause if not.
  Status FlushHappened(const std::vector<ColumnFamilyHandle*>& families);
  Status MakeCheckpoint();
  Status Reopen();
  Status CheckSnapshots();

  const Workload& workload_;
  const uint64_t seed_;
  FileSystem* const fs_;
  size_t (*const operations_)(const void*);
  const void* const disk_;
  History history_;
  std::unique_ptr<OpenDatabase> database_;
  size_t next_ = 1;
  size_t turn_ = 0;  // Of flushes, option changes and the like.
  const Snapshot* snapshot_ = nullptr;
  size_t snapshot_batch_ = 0;
  size_t failed_batch_ = 0;
  Moment failed_moment_;
};

}  // namespace skarn

#endif  // SKARN_TESTS_CRASH_WORKLOAD_H_
