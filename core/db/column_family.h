// ColumnFamily is one column family of an open database: its memtables, its files (held
// by the version room), the options in force and the super version that readers use.
//
// Lifetime: counted. The database, handles, super versions and jobs hold references; one
// that reaches zero is put on a list and freed under the db mutex, so that references
// may be dropped anywhere. A dropped column family stays readable until then.
//
// Thread safety: fixed members and super_version(): any thread. active(): the commit
// leader, or under the db mutex; changed by a leader that holds the mutex. The rest:
// under the db mutex.

#ifndef SKARN_CORE_DB_COLUMN_FAMILY_H_
#define SKARN_CORE_DB_COLUMN_FAMILY_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/compaction/compaction_picker.h"
#include "core/db/db.h"
#include "core/db/immutable_list.h"
#include "core/db/super_version.h"
#include "core/db/write_stall.h"
#include "core/key/internal_key.h"
#include "core/memtable/memtable.h"
#include "core/version/version_set.h"

namespace skarn {

class BlobFetcher;
class DbImpl;
class IteratorViewSource;

class ColumnFamily {
 public:
  // Takes a reference on `versions`. `charge` may be null and outlives all memtables.
  ColumnFamily(DbImpl* db, ColumnFamilyVersions* versions, MemoryCharge* charge);
  // Under the db mutex.
  ~ColumnFamily();
  ColumnFamily(const ColumnFamily&) = delete;
  ColumnFamily& operator=(const ColumnFamily&) = delete;

  DbImpl* db() const { return db_; }
  uint32_t id() const { return id_; }
  const std::string& name() const { return name_; }
  const KeyOrder& order() const { return order_; }
  size_t timestamp_size() const { return order_.timestamp_size(); }
  // Keys have carried timestamps, wherever they are, since the family was made.
  bool always_had_timestamps() const { return always_had_timestamps_; }
  const MergeOperator* merge_operator() const { return merge_operator_.get(); }
  bool has_merge_operator() const { return merge_operator_ != nullptr; }
  bool writes_disallowed() const { return writes_disallowed_; }
  bool inplace_updates() const { return inplace_updates_; }
  bool dropped() const { return dropped_.load(std::memory_order_acquire); }

  void Ref() { references_.fetch_add(1, std::memory_order_relaxed); }
  void Unref();
  // Users can name the family: its handles, and the database until it drops it. Only while there
  // are some does the family keep a super version, which in turn references the family.
  void RefUser() { users_.fetch_add(1, std::memory_order_relaxed); }
  // True for the last one: hand the family to DbImpl::AbandonFamily().
  [[nodiscard]] bool UnrefUser() { return users_.fetch_sub(1, std::memory_order_acq_rel) == 1; }

  // Precondition: inside an epoch, for as long as the result is used without a reference.
  // Null only after Close().
  SuperVersion* super_version() const { return super_version_.load(std::memory_order_acquire); }

  MemTable* active() const { return active_; }
  // A new, empty memtable by the options in force. Any thread that may read options.
  MemTable* NewMemTable(const ColumnFamilyOptions& options, SequenceNumber earliest_sequence);
  // Replaces the active memtable without keeping the old one (recovery, secondary).
  void ReplaceActive(MemTable* table);
  // Moves the active memtable to the immutable ones.
  void SwitchActive(MemTable* table, uint64_t next_log_number);

  ColumnFamilyVersions* versions() const { return versions_; }
  const ColumnFamilyOptions& options() const { return *versions_->options(); }
  ImmutableList& immutables() { return immutables_; }
  const ImmutableList& immutables() const { return immutables_; }
  CompactionPicker* picker() const { return picker_.get(); }
  IteratorViewSource* view_source() const { return view_source_.get(); }
  // Reads values that are in value files; null when there can be none.
  const BlobFetcher* blobs() const { return nullptr; }

  // Makes a super version of the present state and publishes it. Returns the old one, which
  // the caller retires (DbImpl::RetireSuperVersions) after it let go of the mutex.
  [[nodiscard]] SuperVersion* InstallSuperVersion();
  // Takes the super version away (close). Null when there is none.
  [[nodiscard]] SuperVersion* RemoveSuperVersion();
  uint64_t super_version_number() const { return super_version_number_; }

  void MarkDropped() { dropped_.store(true, std::memory_order_release); }

  // Bytes of flushed memtables that stay as history.
  size_t HistoryBytesMax() const;

  // Scheduling and stalls; owned by DbImpl.
  bool queued_for_flush = false;
  bool queued_for_compaction = false;
  StallVerdict stall;
  uint64_t stall_pending_bytes = 0;  // When stalls were evaluated last.
  uint64_t stall_delays[5] = {};     // By StallCause.
  uint64_t stall_stops[5] = {};
  // The full memtable is to be switched by the next commit leader. Written by inserters.
  std::atomic<bool> wants_switch{false};
  // max_successive_merges is set.
  std::atomic<bool> limits_merges{false};
  // Oldest log with a prepared transaction committed into the active memtable; 0 none.
  std::atomic<uint64_t> active_prepare_log{0};
  // How far the running flush is, in 1/1024. Written by its thread.
  std::atomic<uint32_t> flush_progress{0};
  // Since open, for statistics dumps; indexed by level, then one for the flush.
  struct LevelStats {
    uint64_t micros = 0;
    uint64_t bytes_read = 0;
    uint64_t bytes_read_output_level = 0;
    uint64_t bytes_written = 0;
    uint64_t compactions = 0;
    uint64_t input_records = 0;
    uint64_t dropped_records = 0;
  };
  std::vector<LevelStats> level_stats;
  // Where the interval of the next `rocksdb.cfstats` begins.
  LevelStats interval_stats;
  uint64_t interval_began_us = 0;
  // List of those without references.
  ColumnFamily* next_dead = nullptr;

 private:
  DbImpl* const db_;
  ColumnFamilyVersions* const versions_;
  const uint32_t id_;
  const std::string name_;
  const KeyOrder& order_;
  const std::shared_ptr<MergeOperator> merge_operator_;  // Shared with the options.
  const bool writes_disallowed_;
  const bool inplace_updates_;
  const bool always_had_timestamps_;
  MemoryCharge* const charge_;
  MemTable* active_ = nullptr;  // Referenced.
  ImmutableList immutables_;
  std::unique_ptr<CompactionPicker> picker_;
  std::unique_ptr<IteratorViewSource> view_source_;
  std::atomic<uint64_t> next_memtable_id_{1};
  std::atomic<uint64_t> last_memtable_entries_{0};
  uint64_t super_version_number_ = 0;
  std::atomic<SuperVersion*> super_version_{nullptr};
  std::atomic<bool> dropped_{false};
  std::atomic<int> references_{1};  // One is that of all users together.
  std::atomic<int> users_{1};       // One is the database.
};

// Whether a call that gives `timestamp` (null: none) fits the column family's comparator.
[[nodiscard]] Status CheckTimestampFits(const ColumnFamily& family, const Slice* timestamp);

// The open column families by id: how writers find them. Immutable; replaced as a whole
// when one is created or dropped, and read inside an epoch or by the commit leader.
class FamilyTable {
 public:
  explicit FamilyTable(std::vector<ColumnFamily*> families);

  ColumnFamily* Find(uint32_t id) const {
    if (id < dense_.size()) return dense_[id];
    return FindSparse(id);
  }
  const std::vector<ColumnFamily*>& families() const { return families_; }  // By id.
  // Whether some family's keys carry timestamps.
  bool has_timestamps() const { return has_timestamps_; }

 private:
  static constexpr uint32_t kDenseMax = 1024;
  ColumnFamily* FindSparse(uint32_t id) const;

  std::vector<ColumnFamily*> families_;
  std::vector<ColumnFamily*> dense_;
  bool has_timestamps_ = false;
};

}  // namespace skarn

#endif  // SKARN_CORE_DB_COLUMN_FAMILY_H_
