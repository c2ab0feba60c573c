// What a run is made of: the options of its database and of every column family it may have, all
// drawn from the seed, and the same for both sides.
//
// Thread safety: immutable once made.

#ifndef SKARN_TESTS_DIFFERENTIAL_CONFIG_H_
#define SKARN_TESTS_DIFFERENTIAL_CONFIG_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api.h"
#include "callbacks.h"
#include "random.h"

namespace differential {

// One column family's options. A family's configuration depends on the seed and its name only,
// so one that is dropped and made again, or reopened, gets the same.
struct FamilyConfig {
  KeyOrder order = KeyOrder::kBytewise;
  MergeKind merge = MergeKind::kNone;
  FilterKind filter = FilterKind::kNone;
  PrefixKind prefix = PrefixKind::kNone;
  // Every key has a prefix. Genuine RocksDB stops the process at one without where it hashes
  // prefixes, in tailing iterators, and where an iterator that ends with its prefix meets it.
  bool has_only_prefixed_keys = false;

  // For tailing iterators, which cannot meet range tombstones in tables, and for row caches.
  bool forbids_range_deletes = false;

  // Tables.
  int format_version = 5;
  int checksum = 4;
  int index_type = 0;
  bool partition_filters = false;
  bool hash_in_data_blocks = false;
  int filter_policy = 0;  // 0 none, 1 bloom, 2 ribbon, 3 hybrid
  double filter_bits = 10;
  bool whole_key_filtering = true;
  size_t block_size = 4096;
  int restart_interval = 16;
  int index_restart_interval = 1;
  uint64_t metadata_block_size = 4096;
  bool cache_index_and_filter = false;
  bool pin_level0 = false;
  bool pin_top_level = true;
  int cache_kind = 0;  // 0 default, 1 none, 2 tiny, 3 eight megabytes
  bool delta_encoding = true;
  int compression = 0;
  int bottommost_compression = -1;
  bool per_level_compression = false;
  int dictionary_bytes = 0;
  bool train_dictionary = false;

  // Memtables.
  size_t write_buffer_size = 64 << 20;
  int write_buffers_max = 2;
  int memtable = 0;  // 0 skip list, 1 vector, 2 hash of skip lists, 3 hash of linked lists
  double memtable_bloom_ratio = 0;
  size_t successive_merges_max = 0;
  bool inplace_update = false;

  // The shape of the tree.
  bool dynamic_level_bytes = false;
  bool auto_compactions = true;
  int levels = 7;
  int level0_trigger = 4;
  uint64_t target_file_size = 64 << 20;
  uint64_t level_base_bytes = 256 << 20;
  bool optimize_filters_for_hits = false;
  uint64_t sequential_skip_max = 8;

  // What an iterator that is kept sees of later writes may depend on when memtables are flushed.
  bool has_unstable_iterators() const { return inplace_update || memtable == 1; }
};

struct Config {
  uint64_t seed = 0;

  bool atomic_flush = false;
  bool pipelined_write = false;
  // Genuine RocksDB 7.8 locks itself out when such a write is synced, so it is left without.
  bool unordered_write = false;
  bool concurrent_memtable_write = true;
  // All families or none: there are no snapshots as soon as one has it.
  bool inplace_update = false;
  bool manual_wal_flush = false;
  int recycled_wals = 0;
  bool wal_compression = false;
  int recovery_mode = 2;
  // Genuine RocksDB 7.8 crashes in iterators when their tables fall out of the table cache, so it
  // is given more.
  bool few_open_files = false;
  // Genuine RocksDB 7.8 may give rows that are deleted by now, so it is left without.
  bool row_cache = false;
  uint64_t total_wal_size_max = 0;
  size_t db_write_buffer_size = 0;
  bool mmap_reads = false;
  bool direct_reads = false;
  bool keep_wals = false;
  bool wal_dir = false;
  bool second_path = false;
  bool statistics = false;
  int background_jobs = 2;
  uint32_t subcompactions_max = 1;
  size_t manifest_size_max = 1 << 30;
  bool paranoid_checks = true;

  // How the run uses them.
  unsigned key_count = 200;       // Different ordinary keys.
  unsigned value_size_max = 100;  // Of ordinary values; some are larger.
  bool uses_timestamps = false;
  // May leave the database in an error state that only a reopen ends.
  bool poisons = false;

  static Config For(uint64_t seed, bool direct_io_works);
  FamilyConfig Family(const std::string& name) const;
  // The names column families may have; the first is "default".
  std::vector<std::string> FamilyNames() const;

  // One line that names what is not the default, for a failure report.
  std::string Describe() const;
};

// A rocksdb_options_t with everything it refers to, alive as long as this object.
class Options {
 public:
  Options(const Api& api, const Config& config, const FamilyConfig& family,
          const std::string& directory);
  ~Options();
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  rocksdb_options_t* get() const { return options_; }

 private:
  void SetDatabase(const Config& config, const std::string& directory);
  void SetFamily(const FamilyConfig& family);
  void SetTable(const FamilyConfig& family);

  const Api& api_;
  rocksdb_options_t* options_;
  rocksdb_block_based_table_options_t* table_ = nullptr;
  rocksdb_comparator_t* comparator_ = nullptr;
  rocksdb_compactionfilter_t* filter_ = nullptr;
  rocksdb_cache_t* block_cache_ = nullptr;
  rocksdb_cache_t* row_cache_ = nullptr;
};

}  // namespace differential

#endif  // SKARN_TESTS_DIFFERENTIAL_CONFIG_H_
