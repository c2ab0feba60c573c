#include "tools/bench/settings.h"

#include <gflags/gflags.h>
#include <unistd.h>

#include <array>
#include <iterator>
#include <string_view>

DEFINE_string(lib, "", "path of the library under test");
DEFINE_string(vs, "", "paths of libraries to compare with, separated by commas");
DEFINE_string(names, "", "names of the libraries in reports, in the order of --lib and --vs");
DEFINE_int32(rounds, 1, "how often everything is repeated; libraries alternate within a round");
DEFINE_string(suite, "", "a prepared list of scenarios instead of --benchmarks: goals");
DEFINE_string(only, "", "of the suite, the scenarios whose names contain one of these words");
DEFINE_string(json, "", "file for all results as JSON");
DEFINE_string(html, "", "file for a report with plots");
DEFINE_bool(progress, true, "tell on stderr how far a long run is");
DEFINE_uint64(sample_ms, 100, "milliseconds between points of throughput over time");

DEFINE_string(benchmarks, "fillseq,fillrandom,overwrite,readrandom,readseq",
              "workloads, in order; --benchmarks=help lists them");
DEFINE_string(db, "", "directory for the databases; a new one below /tmp when empty");
DEFINE_bool(use_existing_db, false, "keep the database that is there");
DEFINE_uint64(seed, 301, "seed of keys and values");
DEFINE_uint64(num, 1000000, "keys in the database, and operations per thread");
DEFINE_int64(reads, -1, "reads per thread; negative: num");
DEFINE_int64(writes, -1, "writes per thread; negative: what the workload makes of num");
DEFINE_int64(deletes, -1, "deletions per thread; negative: num");
DEFINE_int32(threads, 1, "threads that work at once");
DEFINE_double(duration, 0, "seconds each workload runs; 0: by count");
DEFINE_uint64(key_size, 16, "bytes of a key");
DEFINE_uint64(value_size, 100, "bytes of a value");
DEFINE_double(compression_ratio, 0.5, "to what part of their size values compress");
DEFINE_uint64(batch_size, 1, "entries per write, and keys per multi-get");
DEFINE_uint64(hot_keys, 0, "keys that readhot reads; 0: a hundredth of num");
DEFINE_uint64(runs, 8, "sorted runs that fillruns leaves");
DEFINE_uint64(opens, 10, "how often open, close and openclose do it");
DEFINE_int32(seek_nexts, 0, "steps after each seek of seekrandom");
DEFINE_uint64(range_tombstone_width, 100, "keys that one deletion of deleterange covers");
DEFINE_bool(multiread_batched, false, "multireadrandom calls the batched function");
DEFINE_bool(verify_checksum, true, "check block checksums when reading");
DEFINE_bool(sync, false, "writes wait until they are durable");
DEFINE_bool(disable_wal, false, "writes leave out the log");
DEFINE_bool(sustained, false,
            "the time of writing workloads includes a flush and all compaction that follows");
DEFINE_int64(cache_size, 32 << 20, "bytes of the block cache; negative: the library's default");
DEFINE_double(bloom_bits, -1, "bits per key of the bloom filter; negative: none");
DEFINE_string(compression_type, "snappy", "none, snappy, zlib, bzip2, lz4, lz4hc or zstd");
DEFINE_uint64(write_buffer_size, 0, "bytes of a memtable; 0: the library's default, as below");
DEFINE_int32(max_write_buffer_number, 0, "memtables at once");
DEFINE_uint64(block_size, 0, "bytes of a data block");
DEFINE_int32(max_background_jobs, 0, "flushes and compactions at once");
DEFINE_int32(level0_file_num_compaction_trigger, 0, "files in level 0 that start a compaction");
DEFINE_int32(level0_slowdown_writes_trigger, 0, "files in level 0 that slow writes");
DEFINE_int32(level0_stop_writes_trigger, 0, "files in level 0 that stop writes");
DEFINE_uint64(target_file_size_base, 0, "bytes of a table");
DEFINE_uint64(max_bytes_for_level_base, 0, "bytes of level 1");
DEFINE_int32(open_files, 0, "files kept open");
DEFINE_bool(disable_auto_compactions, false, "compact only when asked to");
DEFINE_bool(cache_index_and_filter_blocks, false, "keep indexes and filters in the block cache");
DEFINE_bool(partition_index_and_filters, false, "split indexes and filters into blocks");
DEFINE_bool(use_ribbon_filter, false, "a ribbon filter instead of a bloom filter");
DEFINE_int32(compaction_style, 0, "0 leveled, 1 universal, 2 FIFO");
DEFINE_bool(enable_pipelined_write, false, "a group goes into memtables beside the next one's log");
DEFINE_bool(unordered_write, false, "writes become visible in any order");
DEFINE_bool(mmap_read, false, "read tables through mappings");
DEFINE_bool(use_direct_reads, false, "read past the page cache");
DEFINE_bool(use_direct_io_for_flush_and_compaction, false, "write tables past the page cache");
DEFINE_bool(callback_comparator, false, "order keys by a comparator of the caller");
DEFINE_bool(statistics, false, "count in a statistics object, and print it");
DEFINE_bool(histogram, false, "print more of the latencies");

namespace bench {
namespace {

uint64_t CountOr(int64_t flag, uint64_t otherwise) {
  return flag < 0 ? otherwise : static_cast<uint64_t>(flag);
}

bool FromFlags(Settings* s, std::string* error) {
  s->benchmarks = SplitList(FLAGS_benchmarks);
  s->directory = FLAGS_db.empty() ? "/tmp/skarn_bench." + std::to_string(getpid()) : FLAGS_db;
  s->use_existing_db = FLAGS_use_existing_db;
  s->seed = FLAGS_seed;
  s->num = FLAGS_num;
  s->reads = CountOr(FLAGS_reads, FLAGS_num);
  s->writes = CountOr(FLAGS_writes, 0);
  s->deletes = CountOr(FLAGS_deletes, FLAGS_num);
  s->threads = FLAGS_threads;
  s->duration_seconds = FLAGS_duration;
  s->key_size = FLAGS_key_size;
  s->value_size = FLAGS_value_size;
  s->compression_ratio = FLAGS_compression_ratio;
  s->batch_size = FLAGS_batch_size;
  s->hot_keys = FLAGS_hot_keys != 0 ? FLAGS_hot_keys : (FLAGS_num + 99) / 100;
  s->runs = FLAGS_runs;
  s->opens = FLAGS_opens;
  s->seek_nexts = FLAGS_seek_nexts;
  s->range_tombstone_width = FLAGS_range_tombstone_width;
  s->multiread_batched = FLAGS_multiread_batched;
  s->verify_checksum = FLAGS_verify_checksum;
  s->sync = FLAGS_sync;
  s->disable_wal = FLAGS_disable_wal;
  s->sustained = FLAGS_sustained;
  s->cache_size = FLAGS_cache_size;
  s->bloom_bits = FLAGS_bloom_bits;
  s->compression_type = CompressionNumber(FLAGS_compression_type);
  s->write_buffer_size = FLAGS_write_buffer_size;
  s->max_write_buffer_number = FLAGS_max_write_buffer_number;
  s->block_size = FLAGS_block_size;
  s->max_background_jobs = FLAGS_max_background_jobs;
  s->level0_file_num_compaction_trigger = FLAGS_level0_file_num_compaction_trigger;
  s->level0_slowdown_writes_trigger = FLAGS_level0_slowdown_writes_trigger;
  s->level0_stop_writes_trigger = FLAGS_level0_stop_writes_trigger;
  s->target_file_size_base = FLAGS_target_file_size_base;
  s->max_bytes_for_level_base = FLAGS_max_bytes_for_level_base;
  s->open_files = FLAGS_open_files;
  s->disable_auto_compactions = FLAGS_disable_auto_compactions;
  s->cache_index_and_filter_blocks = FLAGS_cache_index_and_filter_blocks;
  s->partition_index_and_filters = FLAGS_partition_index_and_filters;
  s->use_ribbon_filter = FLAGS_use_ribbon_filter;
  s->compaction_style = FLAGS_compaction_style;
  s->enable_pipelined_write = FLAGS_enable_pipelined_write;
  s->unordered_write = FLAGS_unordered_write;
  s->mmap_read = FLAGS_mmap_read;
  s->use_direct_reads = FLAGS_use_direct_reads;
  s->use_direct_io_for_flush_and_compaction = FLAGS_use_direct_io_for_flush_and_compaction;
  s->callback_comparator = FLAGS_callback_comparator;
  s->statistics = FLAGS_statistics;
  s->histogram = FLAGS_histogram;
  s->sample_ms = FLAGS_sample_ms;
  s->progress = FLAGS_progress;

  if (s->num == 0) *error = "--num must be positive";
  if (s->threads < 1) *error = "--threads must be positive";
  if (s->batch_size < 1) *error = "--batch_size must be positive";
  if (s->runs < 1) *error = "--runs must be positive";
  if (s->key_size < 8) *error = "--key_size must be at least 8";
  if (s->sample_ms < 1) *error = "--sample_ms must be positive";
  if (s->compression_type < 0) {
    *error = "--compression_type: no such compression: " + FLAGS_compression_type;
  }
  return error->empty();
}

std::string BaseName(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

}  // namespace

std::vector<std::string> SplitList(const std::string& list, char separator) {
  std::vector<std::string> parts;
  std::string part;
  for (const char c : list) {
    if (c != separator) {
      part.push_back(c);
    } else if (!part.empty()) {
      parts.push_back(std::move(part));
      part.clear();
    }
  }
  if (!part.empty()) parts.push_back(std::move(part));
  return parts;
}

int CompressionNumber(const std::string& name) {
  static constexpr std::array<std::string_view, 8> kNames = {"none", "snappy", "zlib",   "bzip2",
                                                             "lz4",  "lz4hc",  "xpress", "zstd"};
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (name == kNames[i]) return static_cast<int>(i);
  }
  return -1;
}

bool ParseCommandLine(int* argc, char*** argv, CommandLine* result, std::string* error) {
  gflags::ParseCommandLineFlags(argc, argv, /*remove_flags=*/true);
  if (*argc > 1) {
    *error = std::string("not a flag: ") + (*argv)[1];
    return false;
  }
  if (!FromFlags(&result->settings, error)) return false;
  result->libraries = SplitList(FLAGS_lib);
  for (const std::string& path : SplitList(FLAGS_vs)) result->libraries.push_back(path);
  result->names = SplitList(FLAGS_names);
  for (size_t i = result->names.size(); i < result->libraries.size(); ++i) {
    result->names.push_back(BaseName(result->libraries[i]));
  }
  result->names.resize(result->libraries.size());
  result->rounds = FLAGS_rounds;
  result->suite = FLAGS_suite;
  result->suite_reads = CountOr(FLAGS_reads, 0);
  result->only = FLAGS_only;
  result->json = FLAGS_json;
  result->html = FLAGS_html;
  if (result->rounds < 1) *error = "--rounds must be positive";
  return error->empty();
}

bool SettingsWith(const std::string& flags, Settings* result, std::string* error) {
  const gflags::FlagSaver saver;
  for (const std::string& flag : SplitList(flags, ' ')) {
    const size_t equals = flag.find('=');
    const std::string name = flag.substr(0, equals);
    const std::string value = equals == std::string::npos ? "true" : flag.substr(equals + 1);
    if (name.size() < 3 || name.substr(0, 2) != "--" ||
        gflags::SetCommandLineOption(name.c_str() + 2, value.c_str()).empty()) {
      *error = "cannot set " + flag;
      return false;
    }
  }
  return FromFlags(result, error);
}

}  // namespace bench
