// What a caller chooses about a database, its column families and its tables.
//
// Every member of DbOptions, ColumnFamilyOptions and TableOptions is one row of a
// .def file (option_row.h): the row makes the member, its text form, SetOptions and
// the line in docs/options.md. Members are named as in RocksDB's OPTIONS files.
//
// The text forms are in option_text.h and options_file.h, the rules about values in
// option_rules.h.
//
// Thread safety: plain values. An open database never changes one that it shows:
// it installs a changed copy (Result of ApplyDbOptions, ApplyColumnFamilyOptions).

#ifndef SKARN_CORE_OPTIONS_OPTIONS_H_
#define SKARN_CORE_OPTIONS_OPTIONS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "core/env/env.h"
#include "core/env/logger.h"
#include "core/env/rate_limiter.h"
#include "core/options/nested_options.h"
#include "core/options/option_enums.h"
#include "core/plugin/comparator.h"
#include "core/plugin/filter_policy.h"

namespace skarn {

class Cache;
class CompactionFilter;
class CompactionFilterFactory;
class EventListener;
class FileChecksumGenFactory;
class MergeOperator;
class SliceTransform;
class Snapshot;
class SstFileManager;
class Statistics;
class TablePropertiesCollectorFactory;
class WalFilter;
class WriteBufferManager;
struct TableProperties;

// `ttl` and `periodic_compaction_seconds` before Sanitize() chose a value for them.
inline constexpr uint64_t kDefaultAge = 0xfffffffffffffffe;

#define SKARN_OPTION(name, type, default_value, changes, summary) type name = default_value;
#define SKARN_OPTION_IN_MEMORY(name, type, default_value, summary) type name = default_value;

// Options of block-based tables.
struct TableOptions {
#include "core/options/table_options.def"
};

// Which format new table files get, with the options of each format.
struct TableFactory {
  enum class Format : uint8_t { kBlockBased, kPlain, kCuckoo };

  Format format = Format::kBlockBased;
  TableOptions block_based;
  PlainTableOptions plain;
  CuckooTableOptions cuckoo;
};

#define SKARN_OPTION(name, type, default_value, changes, summary) type name = default_value;
#define SKARN_OPTION_IN_MEMORY(name, type, default_value, summary) type name = default_value;

struct ColumnFamilyOptions {
#include "core/options/column_family_options.def"
};

#define SKARN_OPTION(name, type, default_value, changes, summary) type name = default_value;
#define SKARN_OPTION_IN_MEMORY(name, type, default_value, summary) type name = default_value;

struct DbOptions {
#include "core/options/db_options.def"
};

// How one read behaves. Pointers are borrowed for the duration of the read; for
// iterators, until the iterator is gone.
struct ReadOptions {
  const Snapshot* snapshot = nullptr;    // Null: what is visible when the read starts.
  const Slice* timestamp = nullptr;      // For comparators with timestamps: the newest to see.
  const Slice* iter_start_ts = nullptr;  // Iterators show all versions from here to `timestamp`.
  const Slice* iterate_lower_bound = nullptr;  // First key to show.
  const Slice* iterate_upper_bound = nullptr;  // First key not to show.

  uint64_t deadline_us = 0;    // Wall clock at which to give up with TimedOut; 0: never.
  uint64_t io_timeout_us = 0;  // Longest wait for one file operation; 0: no limit.
  ReadTier read_tier = ReadTier::kReadAll;
  // Not kTotal: reads of files wait for the rate limiter.
  IoPriority rate_limiter_priority = IoPriority::kTotal;

  uint64_t value_size_soft_limit = std::numeric_limits<uint64_t>::max();  // Of one multi-get.
  uint64_t max_skippable_internal_keys = 0;  // Then an iterator is Incomplete; 0: no limit.
  uint64_t readahead_size = 0;               // Bytes; 0: adapts.

  bool verify_checksums = true;
  bool fill_cache = true;
  bool ignore_range_deletions = false;
  bool async_io = false;  // A hint: the same results, reads may overlap.
  bool optimize_multiget_for_io = true;
  bool tailing = false;
  bool total_order_seek = false;
  bool auto_prefix_mode = false;
  bool prefix_same_as_start = false;
  bool pin_data = false;
  bool adaptive_readahead = false;
  bool auto_readahead_size = true;
  bool background_purge_on_iterator_cleanup = false;
  bool allow_unprepared_value = false;
  bool auto_refresh_iterator_with_snapshot = false;

  // Asked for each table an iterator might read; false skips it. Called under no lock.
  bool (*table_filter)(void* state, const TableProperties& properties) = nullptr;
  std::shared_ptr<void> table_filter_state;  // Shared by copies of these options.
};

struct WriteOptions {
  bool sync = false;         // Durable before the write returns.
  bool disable_wal = false;  // Lost in a crash unless flushed.
  bool ignore_missing_column_families = false;
  bool no_slowdown = false;  // Incomplete instead of waiting.
  bool low_pri = false;      // Yields to other writes while compactions are behind.
  bool memtable_insert_hint_per_batch = false;
  IoPriority rate_limiter_priority = IoPriority::kTotal;  // kUser: log writes are limited.
  size_t protection_bytes_per_key = 0;                    // 0 or 8, checked up to the memtable.
};

struct FlushOptions {
  bool wait = true;
  bool allow_write_stall = false;
  bool force_atomic_flush = false;
  bool listener_wait = true;
};

struct CompactRangeOptions {
  bool exclusive_manual_compaction = false;
  bool change_level = false;
  int32_t target_level = -1;  // For change_level; -1: the lowest that has room.
  uint32_t target_path_id = 0;
  BottommostLevelCompaction bottommost_level_compaction =
      BottommostLevelCompaction::kIfHaveCompactionFilter;
  bool allow_write_stall = false;
  uint32_t max_subcompactions = 0;  // 0: as in DbOptions.
  std::string full_history_ts_low;  // Timestamps below may be dropped; empty: none.
  std::string trim_timestamp;       // Versions with newer timestamps are dropped; empty: none.
  // Set from another thread to stop the compaction.
  const std::atomic<bool>* canceled = nullptr;
};

struct WaitForCompactOptions {
  bool abort_on_pause = false;
  bool flush = false;
  bool wait_for_purge = false;
  bool close_db = false;
  uint64_t timeout_us = 0;  // 0: no limit.
};

}  // namespace skarn

#endif  // SKARN_CORE_OPTIONS_OPTIONS_H_
