#include "core/options/option_rules.h"

#include <sys/resource.h>

#include <algorithm>
#include <limits>
#include <string_view>

#include "core/plugin/compaction_filter.h"
#include "core/plugin/slice_transform.h"

namespace skarn {
namespace {

constexpr uint64_t kThirtyDays = 30 * 24 * 60 * 60;

template <typename T>
T Clip(T value, T low, T high) {
  return std::min(std::max(value, low), high);
}

int32_t OpenFileLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > 4194304) return 4194304;
  return static_cast<int32_t>(limit.rlim_cur);
}

std::string WithoutTrailingSlash(std::string path) {
  if (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

void SanitizeWalDirectory(const std::string& path, DbOptions* options) {
  if (options->wal_dir.empty()) {
    // Paths given for table files do not move the logs.
    if (!options->db_paths.empty()) options->wal_dir = path;
  } else {
    options->wal_dir = WithoutTrailingSlash(options->wal_dir);
  }
  if (options->db_paths.empty()) {
    options->db_paths.push_back({path, std::numeric_limits<uint64_t>::max()});
  }
  if (options->wal_dir == WithoutTrailingSlash(path) &&
      WithoutTrailingSlash(options->db_paths[0].path) == options->wal_dir) {
    options->wal_dir.clear();
  }
}

void SanitizeTable(TableOptions* table) {
  // Older formats are read and no longer written.
  table->format_version = std::max(table->format_version, uint32_t{2});
  table->block_restart_interval = std::max(table->block_restart_interval, 1);
  table->index_block_restart_interval = std::max(table->index_block_restart_interval, 1);
  if (table->index_type == IndexType::kHashSearch) table->index_block_restart_interval = 1;
  if (table->block_size_deviation < 0 || table->block_size_deviation > 100) {
    table->block_size_deviation = 0;
  }
  if (table->partition_filters && table->index_type != IndexType::kTwoLevelIndexSearch) {
    table->partition_filters = false;
  }
}

void SanitizeLevelTriggers(ColumnFamilyOptions* options) {
  if (options->compaction_style == CompactionStyle::kFIFO) {
    // Old files are dropped, not merged: their number slows nobody down.
    options->level0_slowdown_writes_trigger = std::numeric_limits<int32_t>::max();
    options->level0_stop_writes_trigger = std::numeric_limits<int32_t>::max();
  }
  if (options->max_bytes_for_level_multiplier <= 0) options->max_bytes_for_level_multiplier = 1;
  if (options->level0_file_num_compaction_trigger == 0) {
    options->level0_file_num_compaction_trigger = 1;
  }
  options->level0_slowdown_writes_trigger = std::max(options->level0_slowdown_writes_trigger,
                                                     options->level0_file_num_compaction_trigger);
  options->level0_stop_writes_trigger =
      std::max(options->level0_stop_writes_trigger, options->level0_slowdown_writes_trigger);

  uint64_t& soft = options->soft_pending_compaction_bytes_limit;
  const uint64_t hard = options->hard_pending_compaction_bytes_limit;
  if (soft == 0 || (hard > 0 && soft > hard)) soft = hard;
}

void SanitizeAges(ColumnFamilyOptions* options) {
  const bool block_based = options->table_factory.format == TableFactory::Format::kBlockBased;
  const bool has_filter =
      options->compaction_filter != nullptr || options->compaction_filter_factory != nullptr;
  uint64_t& ttl = options->ttl;
  uint64_t& periodic = options->periodic_compaction_seconds;

  if (ttl == kDefaultAge) ttl = block_based ? kThirtyDays : 0;
  if (options->compaction_style == CompactionStyle::kUniversal) {
    if (periodic == kDefaultAge) periodic = block_based ? kThirtyDays : 0;
    if (ttl > 0) periodic = periodic == 0 ? ttl : std::min(periodic, ttl);
  } else if (periodic == kDefaultAge) {
    const bool filtered =
        options->compaction_style == CompactionStyle::kLevel && has_filter && block_based;
    periodic = filtered ? kThirtyDays : 0;
  }
}

}  // namespace

DbOptions Sanitize(const std::string& path, const DbOptions& options) {
  DbOptions result = options;
  if (result.env == nullptr) result.env = DefaultEnv();
  if (result.max_open_files != -1) {
    result.max_open_files = Clip(result.max_open_files, 20, std::max(OpenFileLimit(), 20));
  }
  if (result.delayed_write_rate == 0) {
    result.delayed_write_rate =
        result.rate_limiter == nullptr ? 0 : result.rate_limiter->bytes_per_second();
    if (result.delayed_write_rate == 0) result.delayed_write_rate = 16 << 20;
  }
  if (result.rate_limiter != nullptr && result.bytes_per_sync == 0) {
    result.bytes_per_sync = 1 << 20;
  }
  // A log that is archived, or whose end must be exact, cannot be written again.
  if (result.WAL_ttl_seconds > 0 || result.WAL_size_limit_MB > 0 ||
      result.wal_recovery_mode == WalRecoveryMode::kTolerateCorruptedTailRecords ||
      result.wal_recovery_mode == WalRecoveryMode::kAbsoluteConsistency) {
    result.recycle_log_file_num = 0;
  }
  if (result.allow_2pc) result.avoid_flush_during_recovery = false;
  if (result.wal_compression != CompressionType::kZstd ||
      !IsCodecAvailable(CompressionType::kZstd)) {
    result.wal_compression = CompressionType::kNone;
  }
  SanitizeWalDirectory(path, &result);
  return result;
}

ColumnFamilyOptions Sanitize(const DbOptions& db, const ColumnFamilyOptions& options) {
  ColumnFamilyOptions result = options;

  result.write_buffer_size = Clip(result.write_buffer_size, size_t{64} << 10, size_t{64} << 30);
  if (result.arena_block_size == 0) {
    const size_t share = std::min(size_t{1} << 20, result.write_buffer_size / 8);
    result.arena_block_size = (share + 4095) / 4096 * 4096;
  }
  result.max_write_buffer_number = std::max(result.max_write_buffer_number, 2);
  result.min_write_buffer_number_to_merge =
      Clip(result.min_write_buffer_number_to_merge, 1, result.max_write_buffer_number - 1);
  if (db.atomic_flush) result.min_write_buffer_number_to_merge = 1;
  if (result.max_write_buffer_size_to_maintain < 0) {
    result.max_write_buffer_size_to_maintain =
        result.max_write_buffer_number * static_cast<int64_t>(result.write_buffer_size);
  }
  result.memtable_prefix_bloom_size_ratio =
      Clip(result.memtable_prefix_bloom_size_ratio, 0.0, 0.25);
  if (result.disallow_memtable_writes) {
    result.memtable_factory = MemtableFactory{.kind = MemtableFactory::Kind::kVector};
  }
  if (result.memtable_factory.needs_prefix_extractor() && result.prefix_extractor == nullptr) {
    result.memtable_factory = MemtableFactory();
  }

  int32_t levels_min = 1;
  if (result.compaction_style == CompactionStyle::kLevel) levels_min = 2;
  if (result.compaction_style == CompactionStyle::kUniversal &&
      (db.allow_ingest_behind || result.cf_allow_ingest_behind)) {
    levels_min = 3;
  }
  result.num_levels = std::max(result.num_levels, levels_min);
  SanitizeLevelTriggers(&result);

  if (result.cf_paths.empty()) result.cf_paths = db.db_paths;
  if (result.compaction_style != CompactionStyle::kLevel || result.cf_paths.size() > 1) {
    result.level_compaction_dynamic_level_bytes = false;
  }
  const bool fifo = result.compaction_style == CompactionStyle::kFIFO;
  if (fifo) result.last_level_temperature = Temperature::kUnknown;
  if (result.max_compaction_bytes == 0 &&
      !(fifo && result.compaction_options_fifo.use_kv_ratio_compaction)) {
    result.max_compaction_bytes = result.target_file_size_base * 25;
  }
  SanitizeAges(&result);
  SanitizeTable(&result.table_factory.block_based);
  if (!result.enable_blob_files) result.enable_blob_direct_write = false;
  result.blob_direct_write_partitions = std::max(result.blob_direct_write_partitions, 1u);
  return result;
}

CompressionType CompressionOfLevel(const ColumnFamilyOptions& options, int level, int base_level,
                                   bool bottommost) {
  if (bottommost && options.bottommost_compression != CompressionType::kDisable) {
    return options.bottommost_compression;
  }
  const auto& per_level = options.compression_per_level;
  if (per_level.empty()) return options.compression;
  // Entry 0 is for level 0, entry 1 for the first level that data goes to below it.
  const int index = level == 0 ? 0 : level - base_level + 1;
  return per_level[static_cast<size_t>(Clip(index, 0, static_cast<int>(per_level.size()) - 1))];
}

const CompressionOptions& CompressionOptionsOfLevel(const ColumnFamilyOptions& options,
                                                    bool bottommost) {
  return bottommost && options.bottommost_compression_opts.enabled
             ? options.bottommost_compression_opts
             : options.compression_opts;
}

BackgroundLimits ComputeBackgroundLimits(const DbOptions& options, bool speed_up) {
  BackgroundLimits limits;
  if (options.max_background_flushes == -1 && options.max_background_compactions == -1) {
    limits.flushes = std::max(1, options.max_background_jobs / 4);
    limits.compactions = std::max(1, options.max_background_jobs - limits.flushes);
  } else {
    limits.flushes = std::max(1, options.max_background_flushes);
    limits.compactions = std::max(1, options.max_background_compactions);
  }
  if (!speed_up) limits.compactions = 1;
  return limits;
}

uint64_t SecondsOfOffpeakAhead(const DbOptions& options, uint64_t now_s) {
  const std::string& text = options.daily_offpeak_time_utc;
  if (text.size() != 11) return 0;  // Empty: there are none. Others do not pass Validate().
  constexpr uint64_t kDay = 24 * 60 * 60;
  const auto digits = [&text](size_t at) {
    return static_cast<uint64_t>(text[at] - '0') * 10 + static_cast<uint64_t>(text[at + 1] - '0');
  };
  const uint64_t begin = digits(0) * 3600 + digits(3) * 60;
  // The last minute belongs to them.
  const uint64_t length = (digits(6) * 3600 + digits(9) * 60 + 60 + kDay - begin) % kDay;
  const uint64_t since = (now_s % kDay + kDay - begin) % kDay;
  return since < length || length == 0 ? kDay - since : 0;
}

}  // namespace skarn
