// Settings: what one command line, or one scenario of a suite, asks for. The flags have the names
// that db_bench gives them; `bench --help` lists them.
//
// Thread safety: a value. The functions that parse use the process's flags, from one thread.

#ifndef SKARN_TOOLS_BENCH_SETTINGS_H_
#define SKARN_TOOLS_BENCH_SETTINGS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

struct Settings {
  std::vector<std::string> benchmarks;
  std::string directory;  // Databases are made below it.
  bool use_existing_db = false;
  uint64_t seed = 0;

  uint64_t num = 0;
  uint64_t reads = 0;    // Operations per thread of reading workloads.
  uint64_t writes = 0;   // Of writing ones; 0: the workload's own count, made from num.
  uint64_t deletes = 0;  // Of deleting ones.
  int threads = 1;
  double duration_seconds = 0;  // When positive it replaces the counts.
  size_t key_size = 16;
  size_t value_size = 100;
  double compression_ratio = 0.5;
  uint64_t batch_size = 1;
  uint64_t hot_keys = 0;
  uint64_t runs = 8;
  uint64_t opens = 10;
  int seek_nexts = 0;
  uint64_t range_tombstone_width = 100;
  bool multiread_batched = false;
  bool verify_checksum = true;

  bool sync = false;
  bool disable_wal = false;
  bool sustained = false;

  int64_t cache_size = 0;  // Negative: the library's own cache.
  double bloom_bits = -1;  // Negative: no filter.
  int compression_type = 1;
  uint64_t write_buffer_size = 0;
  int max_write_buffer_number = 0;
  uint64_t block_size = 0;
  int max_background_jobs = 0;
  int level0_file_num_compaction_trigger = 0;
  int level0_slowdown_writes_trigger = 0;
  int level0_stop_writes_trigger = 0;
  uint64_t target_file_size_base = 0;
  uint64_t max_bytes_for_level_base = 0;
  int open_files = 0;  // 0: not set.
  bool disable_auto_compactions = false;
  bool cache_index_and_filter_blocks = false;
  bool partition_index_and_filters = false;
  bool use_ribbon_filter = false;
  int compaction_style = 0;
  bool enable_pipelined_write = false;
  bool unordered_write = false;
  bool mmap_read = false;
  bool use_direct_reads = false;
  bool use_direct_io_for_flush_and_compaction = false;
  bool callback_comparator = false;
  bool statistics = false;
  bool histogram = false;

  uint64_t sample_ms = 100;  // Between points of throughput over time.
  bool progress = true;
};

// What the command line says beside the settings of workloads.
struct CommandLine {
  Settings settings;
  std::vector<std::string> libraries;  // --lib, then each of --vs.
  std::vector<std::string> names;      // As many as libraries.
  int rounds = 1;
  std::string suite;
  uint64_t suite_reads = 0;  // --reads, for the suite; 0 when it was not given.
  std::string only;          // Scenarios of the suite whose name contains it.
  std::string json;
  std::string html;
};

// Parses the command line. Returns false, with what is wrong in *error, for values that make no
// sense; an unknown flag ends the process, as gflags does.
bool ParseCommandLine(int* argc, char*** argv, CommandLine* result, std::string* error);

// The settings of the command line with `flags` ("--num=5 --sync") on top of them, as a suite's
// scenario gives them. Returns false when a flag is unknown or has a value of the wrong type.
bool SettingsWith(const std::string& flags, Settings* result, std::string* error);

// "a,b,,c" as {"a", "b", "c"}.
std::vector<std::string> SplitList(const std::string& list, char separator = ',');

// "none", "snappy", "zlib", "bzip2", "lz4", "lz4hc", "zstd" as the number the C API has; -1 for
// anything else.
int CompressionNumber(const std::string& name);

}  // namespace bench

#endif  // SKARN_TOOLS_BENCH_SETTINGS_H_
