// What is behind the opaque pointers of the C API.
//
// A handle owns its `rep`, or a share of it, unless its comment says otherwise.
// Handles have no virtual functions and no behaviour, except those that are an object
// of the engine themselves (a comparator, say): there a conversion costs nothing.
//
// Destroying a handle, and what misused ones stand for: handle_life.h.
//
// Thread safety: a handle may be read by many threads at once and changed by one
// alone; what `rep` promises beyond that is in its own header.

#ifndef SKARN_COMPAT_HANDLES_H_
#define SKARN_COMPAT_HANDLES_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/pooled.h"
#include "core/base/slice.h"
#include "core/base/status.h"
#include "core/batch/write_batch.h"
#include "core/cache/cache.h"
#include "core/cache/write_buffer_manager.h"
#include "core/db/db.h"
#include "core/key/pin.h"
#include "core/key/snapshot.h"
#include "core/options/options.h"
#include "core/plugin/compaction_filter.h"
#include "core/plugin/comparator.h"
#include "core/plugin/merge_operator.h"
#include "core/plugin/slice_transform.h"
#include "include/c_api/rocksdb/c/types.h"

namespace skarn {

// Whether a handle is still to be destroyed (handle_life.h).
class HandleTag {
 public:
  HandleTag() = default;
  // The copy of a handle is another one, whose end is its own.
  HandleTag(const HandleTag&) {}
  HandleTag& operator=(const HandleTag&) { return *this; }

  bool live() const { return live_; }
  void Retire() { live_ = false; }

 private:
  bool live_ = true;
};

}  // namespace skarn

// ---- A database and what comes out of it ----

// Column families and iterators that outlive the database share the closed engine with it: they
// are harmless, and destroying the last of them frees it.
struct rocksdb_t {
  std::shared_ptr<skarn::Db> rep;  // Shared as said above.
  skarn::HandleTag tag{};
};

struct rocksdb_column_family_handle_t {
  std::shared_ptr<skarn::Db> db;  // Whose it is; shared with the database. Goes after `owned`.
  // Points at `owned`, or at the database's own handle of the default column family.
  skarn::ColumnFamilyHandle* rep = nullptr;
  std::unique_ptr<skarn::ColumnFamilyHandle> owned{};
  skarn::HandleTag tag{};
};

struct rocksdb_iterator_t {
  std::shared_ptr<skarn::Db> db;  // Shared with the database. Goes after `rep`.
  std::unique_ptr<skarn::DbIterator> rep;
  skarn::HandleTag tag{};
};

struct rocksdb_snapshot_t {
  const skarn::Snapshot* rep = nullptr;  // The database's, until it is released.
  skarn::SequenceNumber sequence = 0;
  uint64_t db_serial = 0;  // Whose it is.
  skarn::HandleTag tag{};
};

struct rocksdb_writebatch_t {
  skarn::WriteBatch rep;
  skarn::HandleTag tag{};
};

struct rocksdb_wal_iterator_t {
  std::unique_ptr<skarn::WalIterator> rep;
  skarn::HandleTag tag{};
};

struct rocksdb_wal_readoptions_t {
  bool verify_checksums = true;
};

struct rocksdb_pinnableslice_t : public skarn::Pooled {
  skarn::PinnedValue rep;
  skarn::HandleTag tag{};
};

struct rocksdb_pinnable_handle_t : public skarn::Pooled {
  skarn::PinnedValue rep;
  skarn::HandleTag tag{};
};

struct rocksdb_column_family_metadata_t {
  skarn::ColumnFamilyMetadata rep;
  skarn::HandleTag tag{};
};
struct rocksdb_level_metadata_t {
  const skarn::LevelMetadata* rep = nullptr;  // Inside a rocksdb_column_family_metadata_t.
  skarn::HandleTag tag{};
};
struct rocksdb_sst_file_metadata_t {
  const skarn::LevelFile* rep = nullptr;  // Inside a rocksdb_column_family_metadata_t.
  skarn::HandleTag tag{};
};

struct rocksdb_livefile_t {
  skarn::LiveTable rep;
  skarn::HandleTag tag{};
};
struct rocksdb_livefiles_t {
  std::vector<skarn::LiveTable> rep;
  skarn::HandleTag tag{};
};

// ---- Options ----

// Values that newer releases of RocksDB no longer have. Setters and getters of old
// programs agree about them; nothing else looks.
struct RetiredOptions {
  int access_hint_on_compaction_start = 1;
  int base_background_compactions = -1;
  double hard_rate_limit = 0;
  double soft_rate_limit = 0;
  unsigned int rate_limit_delay_max_milliseconds = 100;
  int max_write_buffer_number_to_maintain = 0;
  bool skip_checking_sst_file_sizes_on_db_open = false;
  bool skip_log_error_on_recovery = false;
};

struct rocksdb_options_t {
  skarn::DbOptions db;
  skarn::ColumnFamilyOptions cf;
  RetiredOptions retired;
  skarn::HandleTag tag{};
};

struct rocksdb_block_based_table_options_t {
  skarn::TableOptions rep;
  skarn::HandleTag tag{};
};

// The slices are where `rep` points to, so these must outlive what reads through them.
struct rocksdb_readoptions_t {
  skarn::ReadOptions rep;
  skarn::Slice lower_bound;
  skarn::Slice upper_bound;
  skarn::Slice timestamp;
  skarn::Slice iter_start_ts;
  skarn::HandleTag tag{};
};

struct rocksdb_writeoptions_t {
  skarn::WriteOptions rep;
  skarn::HandleTag tag{};
};
struct rocksdb_flushoptions_t {
  skarn::FlushOptions rep;
  skarn::HandleTag tag{};
};
struct rocksdb_compactoptions_t {
  skarn::CompactRangeOptions rep;
  skarn::HandleTag tag{};
};
struct rocksdb_wait_for_compact_options_t {
  skarn::WaitForCompactOptions rep;
  skarn::HandleTag tag{};
};
struct rocksdb_envoptions_t {
  skarn::FileOptions rep;
  skarn::HandleTag tag{};
};
struct rocksdb_dbpath_t {
  skarn::DbPath rep;
  skarn::HandleTag tag{};
};

// ---- What callers supply ----

// These are objects of the engine. A comparator and a compaction filter stay the
// caller's; the others pass to the options they are given to.
struct rocksdb_comparator_t : public skarn::Comparator {
  using Comparator::Comparator;
};
struct rocksdb_mergeoperator_t : public skarn::MergeOperator,
                                 public std::enable_shared_from_this<rocksdb_mergeoperator_t> {};
struct rocksdb_compactionfilter_t : public skarn::CompactionFilter {};
struct rocksdb_compactionfilterfactory_t
    : public skarn::CompactionFilterFactory,
      public std::enable_shared_from_this<rocksdb_compactionfilterfactory_t> {};
struct rocksdb_compactionfiltercontext_t {
  skarn::CompactionFilter::Context rep;
};
struct rocksdb_slicetransform_t {
  std::shared_ptr<const skarn::SliceTransform> rep;  // Shared with the options it is given to.
  skarn::HandleTag tag{};
  std::weak_ptr<const skarn::SliceTransform>
      given{};  // What rep was, once it has passed to options.
};
struct rocksdb_filterpolicy_t {
  std::shared_ptr<const skarn::FilterPolicy> rep;  // Shared with the options it is given to.
  skarn::HandleTag tag{};
  std::weak_ptr<const skarn::FilterPolicy> given{};  // What rep was, once it has passed to options.
};

// ---- Shared parts ----

// Each shares its `rep` with the options that were given it.
struct rocksdb_cache_t {
  std::shared_ptr<skarn::Cache> rep;
  skarn::HandleTag tag{};
};
struct rocksdb_write_buffer_manager_t {
  std::shared_ptr<skarn::WriteBufferManager> rep;
  skarn::HandleTag tag{};
};
struct rocksdb_ratelimiter_t {
  std::shared_ptr<skarn::RateLimiter> rep;
  skarn::HandleTag tag{};
};
struct rocksdb_logger_t {
  std::shared_ptr<skarn::Logger> rep;
  skarn::HandleTag tag{};
};
struct rocksdb_sst_file_manager_t {
  std::shared_ptr<skarn::SstFileManager> rep;
  skarn::HandleTag tag{};
};
struct rocksdb_lru_cache_options_t {
  skarn::LruCacheOptions rep;
  skarn::HandleTag tag{};
};
struct rocksdb_hyper_clock_cache_options_t {
  skarn::HyperClockCacheOptions rep;
  skarn::HandleTag tag{};
};

struct rocksdb_env_t {
  skarn::Env* rep = skarn::DefaultEnv();  // `owned`, or the default environment.
  std::unique_ptr<skarn::Env> owned;
  skarn::HandleTag tag{};
};

// ---- Measurements ----

struct rocksdb_memory_consumers_t {
  std::vector<rocksdb_t*> databases;
  std::vector<rocksdb_cache_t*> caches;
  skarn::HandleTag tag{};
};
struct rocksdb_memory_usage_t {
  uint64_t memtables_total = 0;
  uint64_t memtables_unflushed = 0;
  uint64_t table_readers_total = 0;
  uint64_t caches_total = 0;
  skarn::HandleTag tag{};
};

#endif  // SKARN_COMPAT_HANDLES_H_
