#include "tools/bench/database.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace bench {
namespace {

constexpr size_t kNoFlushBytes = size_t{16} << 30;
constexpr size_t kDefaultWriteBuffer = size_t{64} << 20;

int CompareBytes(void*, const char* a, size_t a_size, const char* b, size_t b_size) {
  const int order = memcmp(a, b, std::min(a_size, b_size));
  if (order != 0) return order;
  return a_size < b_size ? -1 : a_size > b_size ? 1 : 0;
}

const char* ComparatorName(void*) { return "skarn.bench.CallbackComparator"; }

void Nothing(void*) {}

// Calls an option's function when the library has it and the value is not "leave it".
template <typename Function, typename Value>
void Set(Function function, rocksdb_options_t* options, Value value) {
  if (function != nullptr && value != Value{}) function(options, value);
}

}  // namespace

std::string TakeError(const Api& api, char** error) {
  if (*error == nullptr) return "";
  std::string text = *error;
  api.rocksdb_free(*error);
  *error = nullptr;
  return text.empty() ? "an error without a text" : text;
}

Database::Database(const Api& api, const Settings& settings, std::string path)
    : api_(api), settings_(settings), path_(std::move(path)) {
  MakeOptions();
}

Database::~Database() {
  Close();
  api_.rocksdb_readoptions_destroy(read_options_);
  api_.rocksdb_writeoptions_destroy(write_options_);
  api_.rocksdb_writeoptions_destroy(write_options_synced_);
  api_.rocksdb_options_destroy(options_);
  if (cache_ != nullptr) api_.rocksdb_cache_destroy(cache_);
  if (comparator_ != nullptr) api_.rocksdb_comparator_destroy(comparator_);
}

void Database::MakeOptions() {
  const Settings& s = settings_;
  options_ = api_.rocksdb_options_create();
  api_.rocksdb_options_set_create_if_missing(options_, 1);
  if (api_.rocksdb_options_set_compression != nullptr) {
    // LevelDB knows snappy and nothing else.
    const bool known = !api_.is_leveldb || s.compression_type == 1;
    api_.rocksdb_options_set_compression(options_, known ? s.compression_type : 0);
  }
  // LevelDB's own is a sixteenth of RocksDB's: the same for both.
  const size_t write_buffer =
      s.write_buffer_size == 0 && api_.is_leveldb ? kDefaultWriteBuffer : s.write_buffer_size;
  Set(api_.rocksdb_options_set_write_buffer_size, options_, write_buffer);
  Set(api_.rocksdb_options_set_max_write_buffer_number, options_, s.max_write_buffer_number);
  Set(api_.rocksdb_options_set_max_background_jobs, options_, s.max_background_jobs);
  Set(api_.rocksdb_options_set_level0_file_num_compaction_trigger, options_,
      s.level0_file_num_compaction_trigger);
  Set(api_.rocksdb_options_set_level0_slowdown_writes_trigger, options_,
      s.level0_slowdown_writes_trigger);
  Set(api_.rocksdb_options_set_level0_stop_writes_trigger, options_, s.level0_stop_writes_trigger);
  Set(api_.rocksdb_options_set_target_file_size_base, options_, s.target_file_size_base);
  Set(api_.rocksdb_options_set_max_bytes_for_level_base, options_, s.max_bytes_for_level_base);
  Set(api_.rocksdb_options_set_max_open_files, options_, s.open_files);
  Set(api_.rocksdb_options_set_disable_auto_compactions, options_,
      static_cast<int>(s.disable_auto_compactions));
  Set(api_.rocksdb_options_set_compaction_style, options_, s.compaction_style);
  Set(api_.rocksdb_options_set_enable_pipelined_write, options_,
      static_cast<unsigned char>(s.enable_pipelined_write));
  Set(api_.rocksdb_options_set_unordered_write, options_,
      static_cast<unsigned char>(s.unordered_write));
  Set(api_.rocksdb_options_set_allow_mmap_reads, options_, static_cast<unsigned char>(s.mmap_read));
  Set(api_.rocksdb_options_set_use_direct_reads, options_,
      static_cast<unsigned char>(s.use_direct_reads));
  Set(api_.rocksdb_options_set_use_direct_io_for_flush_and_compaction, options_,
      static_cast<unsigned char>(s.use_direct_io_for_flush_and_compaction));
  if (s.statistics && api_.rocksdb_options_enable_statistics != nullptr) {
    api_.rocksdb_options_enable_statistics(options_);
  }
  if (api_.rocksdb_options_set_uint64add_merge_operator != nullptr) {
    api_.rocksdb_options_set_uint64add_merge_operator(options_);
  }
  if (s.callback_comparator && api_.rocksdb_options_set_comparator != nullptr) {
    comparator_ = api_.rocksdb_comparator_create(nullptr, Nothing, CompareBytes, ComparatorName);
    api_.rocksdb_options_set_comparator(options_, comparator_);
  }
  if (s.cache_size >= 0 && api_.rocksdb_cache_create_lru != nullptr) {
    cache_ = api_.rocksdb_cache_create_lru(static_cast<size_t>(s.cache_size));
  }

  if (api_.is_leveldb) {
    if (cache_ != nullptr) api_.leveldb_options_set_cache(options_, cache_);
    if (s.bloom_bits >= 0) {
      api_.leveldb_options_set_filter_policy(
          options_, api_.leveldb_filterpolicy_create_bloom(static_cast<int>(s.bloom_bits)));
    }
    if (s.block_size != 0) api_.leveldb_options_set_block_size(options_, s.block_size);
  } else if (api_.rocksdb_block_based_options_create != nullptr) {
    rocksdb_block_based_table_options_t* table = api_.rocksdb_block_based_options_create();
    if (cache_ != nullptr) api_.rocksdb_block_based_options_set_block_cache(table, cache_);
    if (s.bloom_bits >= 0) {
      const bool ribbon = s.use_ribbon_filter && api_.rocksdb_filterpolicy_create_ribbon != nullptr;
      api_.rocksdb_block_based_options_set_filter_policy(
          table, ribbon ? api_.rocksdb_filterpolicy_create_ribbon(s.bloom_bits)
                        : api_.rocksdb_filterpolicy_create_bloom(s.bloom_bits));
    }
    if (s.block_size != 0) {
      api_.rocksdb_block_based_options_set_block_size(table, s.block_size);
    }
    if (s.cache_index_and_filter_blocks) {
      api_.rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
    }
    if (s.partition_index_and_filters &&
        api_.rocksdb_block_based_options_set_partition_filters != nullptr) {
      constexpr int kTwoLevels = 2;
      api_.rocksdb_block_based_options_set_index_type(table, kTwoLevels);
      api_.rocksdb_block_based_options_set_partition_filters(table, 1);
    }
    api_.rocksdb_options_set_block_based_table_factory(options_, table);
    api_.rocksdb_block_based_options_destroy(table);
  }

  read_options_ = api_.rocksdb_readoptions_create();
  if (api_.rocksdb_readoptions_set_verify_checksums != nullptr) {
    api_.rocksdb_readoptions_set_verify_checksums(read_options_, s.verify_checksum ? 1 : 0);
  }
  write_options_ = api_.rocksdb_writeoptions_create();
  write_options_synced_ = api_.rocksdb_writeoptions_create();
  if (api_.rocksdb_writeoptions_set_sync != nullptr) {
    if (s.sync) api_.rocksdb_writeoptions_set_sync(write_options_, 1);
    api_.rocksdb_writeoptions_set_sync(write_options_synced_, 1);
  }
  if (s.disable_wal && api_.rocksdb_writeoptions_disable_WAL != nullptr) {
    api_.rocksdb_writeoptions_disable_WAL(write_options_, 1);
  }
}

std::string Database::OpenWith(rocksdb_options_t* options) {
  if (db_ != nullptr) return "";
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), ignored);
  char* error = nullptr;
  db_ = api_.rocksdb_open(options, path_.c_str(), &error);
  std::string text = TakeError(api_, &error);
  if (text.empty() && db_ == nullptr) text = "open returned nothing and no error";
  return text;
}

std::string Database::Open() { return OpenWith(options_); }

std::string Database::OpenWithoutFlushes() {
  if (api_.rocksdb_options_set_write_buffer_size == nullptr) return "cannot keep it from flushing";
  api_.rocksdb_options_set_write_buffer_size(options_, kNoFlushBytes);
  std::string text = OpenWith(options_);
  // The library has copied them.
  api_.rocksdb_options_set_write_buffer_size(options_, settings_.write_buffer_size != 0
                                                           ? settings_.write_buffer_size
                                                           : kDefaultWriteBuffer);
  return text;
}

void Database::Close() {
  if (db_ == nullptr) return;
  api_.rocksdb_close(db_);
  db_ = nullptr;
}

std::string Database::Destroy() {
  Close();
  if (std::error_code ignored; !std::filesystem::exists(path_, ignored)) return "";
  char* error = nullptr;
  api_.rocksdb_destroy_db(options_, path_.c_str(), &error);
  std::string text = TakeError(api_, &error);
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
  return text;
}

std::string Database::Flush() {
  if (api_.rocksdb_flush == nullptr) return "";
  rocksdb_flushoptions_t* options = api_.rocksdb_flushoptions_create();  // It waits by default.
  char* error = nullptr;
  api_.rocksdb_flush(db_, options, &error);
  api_.rocksdb_flushoptions_destroy(options);
  return TakeError(api_, &error);
}

void Database::Settle() {
  static constexpr const char* kBusy[] = {
      "rocksdb.num-running-flushes", "rocksdb.mem-table-flush-pending",
      "rocksdb.num-running-compactions", "rocksdb.compaction-pending"};
  if (db_ == nullptr) return;
  if (api_.rocksdb_property_int == nullptr) {
    usleep(500000);
    return;
  }
  // Between a job's end and the next one's start all four may be zero for a moment. A compaction
  // may be due that never runs: with automatic ones off, or to RocksDB's mind in universal style.
  constexpr int kPendingMax = 100;
  for (int quiet = 0, pending_only = 0; quiet < 3 && pending_only < kPendingMax;) {
    bool busy = false, pending = false;
    for (const char* property : kBusy) {
      uint64_t value = 0;
      if (api_.rocksdb_property_int(db_, property, &value) != 0 || value == 0) continue;
      (strstr(property, "compaction-pending") != nullptr ? pending : busy) = true;
    }
    if (settings_.disable_auto_compactions) pending = false;
    quiet = busy || pending ? 0 : quiet + 1;
    pending_only = pending && !busy ? pending_only + 1 : 0;
    usleep(500);
  }
}

std::string Database::Statistics() const {
  if (!settings_.statistics || api_.rocksdb_options_statistics_get_string == nullptr) return "";
  char* text = api_.rocksdb_options_statistics_get_string(options_);
  if (text == nullptr) return "";
  std::string copy = text;
  api_.rocksdb_free(text);
  return copy;
}

}  // namespace bench
