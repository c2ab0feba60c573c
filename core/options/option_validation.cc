#include <limits>

#include "core/options/option_rules.h"

namespace skarn {
namespace {

// "HH:MM-HH:MM".
bool IsTimeRange(const std::string& text) {
  if (text.size() != 11 || text[5] != '-') return false;
  for (const size_t at : {size_t{0}, size_t{6}}) {
    for (const size_t digit : {at, at + 1, at + 3, at + 4}) {
      if (text[digit] < '0' || text[digit] > '9') return false;
    }
    if (text[at + 2] != ':') return false;
    const int hours = (text[at] - '0') * 10 + text[at + 1] - '0';
    const int minutes = (text[at + 3] - '0') * 10 + text[at + 4] - '0';
    if (hours > 23 || minutes > 59) return false;
  }
  return true;
}

Status CheckOffpeakTime(const std::string& text) {
  if (text.empty()) return Status::Ok();
  if (!IsTimeRange(text)) {
    return Status::InvalidArgument(
        "daily_offpeak_time_utc should be set in the format HH:mm-HH:mm (e.g. 04:30-07:30)");
  }
  if (text.compare(0, 5, text, 6, 5) == 0) {
    return Status::InvalidArgument("start_time and end_time cannot be the same");
  }
  return Status::Ok();
}

bool IsProtectionSize(uint32_t bytes) {
  return bytes == 0 || bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
}

Status CheckCodec(CompressionType type) {
  if (type == CompressionType::kDisable || IsCodecAvailable(type)) return Status::Ok();
  const char* name = CodecName(type);
  return Status::InvalidArgument(Concat("Compression type ",
                                        name != nullptr ? Slice(name) : Slice("Unknown"),
                                        " is not linked with the binary."));
}

Status CheckCompression(const ColumnFamilyOptions& options) {
  if (options.compression_per_level.empty()) {
    if (Status s = CheckCodec(options.compression); !s.ok()) return s;
  }
  for (const CompressionType type : options.compression_per_level) {
    if (Status s = CheckCodec(type); !s.ok()) return s;
  }
  // A codec that is missing for the last level alone is no error: blocks stay plain there.

  const CompressionOptions& opts = options.compression_opts;
  if (opts.zstd_max_train_bytes > 0 && opts.use_zstd_dict_trainer && opts.max_dict_bytes == 0) {
    return Status::InvalidArgument(
        "The dictionary size limit (`CompressionOptions::max_dict_bytes`) should be nonzero if "
        "we're using zstd's dictionary generator.");
  }
  return Status::Ok();
}

Status CheckMemtable(const DbOptions& db, const ColumnFamilyOptions& options) {
  if (db.allow_concurrent_memtable_write) {
    if (options.inplace_update_support) {
      return Status::InvalidArgument(
          "In-place memtable updates (inplace_update_support) is not compatible with concurrent "
          "writes (allow_concurrent_memtable_write)");
    }
    if (!options.memtable_factory.supports_concurrent_insert()) {
      return Status::InvalidArgument(
          "Memtable doesn't allow concurrent writes (allow_concurrent_memtable_write)");
    }
  }
  if (db.unordered_write && options.max_successive_merges != 0) {
    return Status::InvalidArgument(
        "max_successive_merges larger than 0 is currently inconsistent with unordered_write");
  }
  if (!IsProtectionSize(options.memtable_protection_bytes_per_key)) {
    return Status::NotSupported(
        "Memtable per key-value checksum protection only supports 0, 1, 2, 4 or 8 bytes per key.");
  }
  if (!IsProtectionSize(options.block_protection_bytes_per_key)) {
    return Status::NotSupported(
        "Block per key-value checksum protection only supports 0, 1, 2, 4 or 8 bytes per key.");
  }
  return Status::Ok();
}

Status CheckAges(const ColumnFamilyOptions& options) {
  const bool block_based = options.table_factory.format == TableFactory::Format::kBlockBased;
  const auto is_set = [](uint64_t age) { return age > 0 && age != kDefaultAge; };
  if (is_set(options.ttl) && !block_based) {
    return Status::NotSupported("TTL is only supported in Block-Based Table format. ");
  }
  if (is_set(options.periodic_compaction_seconds) && !block_based) {
    return Status::NotSupported(
        "Periodic Compaction is only supported in Block-Based Table format. ");
  }
  const double threshold = options.read_triggered_compaction_threshold;
  if (!(threshold >= 0 && threshold <= std::numeric_limits<double>::max())) {
    return Status::InvalidArgument(
        "read_triggered_compaction_threshold must be >= 0.0 and finite. Use 0.0 to disable.");
  }
  return Status::Ok();
}

Status CheckFifo(const DbOptions& db, const ColumnFamilyOptions& options) {
  const bool fifo = options.compaction_style == CompactionStyle::kFIFO;
  if (fifo && options.ttl > 0 && db.max_open_files != -1) {
    return Status::NotSupported("FIFO compaction only supported with max_open_files = -1.");
  }
  const auto& ages = options.compaction_options_fifo.file_temperature_age_thresholds;
  if (ages.empty()) return Status::Ok();
  if (!fifo) {
    return Status::NotSupported(
        "Option file_temperature_age_thresholds only supports FIFO compaction.");
  }
  if (options.num_levels > 1) {
    return Status::NotSupported(
        "Option file_temperature_age_thresholds is only supported when num_levels = 1.");
  }
  for (size_t i = 1; i < ages.size(); i++) {
    if (ages[i - 1].age < ages[i].age) continue;
    return Status::NotSupported(
        "Option file_temperature_age_thresholds requires elements to be sorted in increasing "
        "order with respect to `age` field.");
  }
  return Status::Ok();
}

Status CheckUniversal(const ColumnFamilyOptions& options) {
  if (options.compaction_style != CompactionStyle::kUniversal) return Status::Ok();
  const int32_t runs_max = options.compaction_options_universal.max_read_amp;
  if (runs_max < -1) {
    return Status::NotSupported("CompactionOptionsUniversal::max_read_amp should be at least -1.");
  }
  if (runs_max > 0 && runs_max < options.level0_file_num_compaction_trigger) {
    return Status::NotSupported(
        "CompactionOptionsUniversal::max_read_amp limits the number of sorted runs but is smaller "
        "than the compaction trigger level0_file_num_compaction_trigger.");
  }
  return Status::Ok();
}

// Timestamps that are kept in memory only need flushes one column family at a time.
Status CheckTimestamps(const DbOptions& db, const ColumnFamilyOptions& options) {
  if (options.persist_user_defined_timestamps || options.comparator->timestamp_size() == 0) {
    return Status::Ok();
  }
  if (db.atomic_flush) {
    return Status::NotSupported(
        "Not persisting user-defined timestamps feature is not supportedin combination with "
        "atomic flush.");
  }
  if (db.allow_concurrent_memtable_write) {
    return Status::NotSupported(
        "Not persisting user-defined timestamps feature is not supported in combination with "
        "concurrent memtable write.");
  }
  const Slice name(options.comparator->Name());
  if (!name.EndsWith(".u64ts") || name == ".u64ts") {
    return Status::NotSupported(
        "Not persisting user-defined timestampsfeature only support user-defined timestamps "
        "formatted as uint64_t.");
  }
  return Status::Ok();
}

Status CheckBlobs(const ColumnFamilyOptions& options) {
  const double cutoff = options.blob_garbage_collection_age_cutoff;
  const double threshold = options.blob_garbage_collection_force_threshold;
  if (!options.enable_blob_garbage_collection) return Status::Ok();
  if (!(cutoff >= 0 && cutoff <= 1)) {
    return Status::InvalidArgument(
        "The age cutoff for blob garbage collection should be in the range [0.0, 1.0].");
  }
  if (!(threshold >= 0 && threshold <= 1)) {
    return Status::InvalidArgument(
        "The garbage ratio threshold for forcing blob garbage collection should be in the range "
        "[0.0, 1.0].");
  }
  return Status::Ok();
}

// What one setting of a codec must not be, given the table's options.
Status CheckTableCodec(const TableOptions& table, CompressionType type, Slice option) {
  if (type == CompressionType::kNone) return Status::Ok();
  if (type == CompressionType::kDisable) {
    if (option != "compression") return Status::Ok();
    return Status::InvalidArgument(
        "kDisableCompressionOption not permitted for option: compression");
  }
  if (!table.block_align) return Status::Ok();
  return Status::InvalidArgument(Concat("Enable block_align, but ", option, " enabled"));
}

Status CheckTableCodecs(const ColumnFamilyOptions& options) {
  const TableOptions& table = options.table_factory.block_based;
  Status s = CheckTableCodec(table, options.compression, "compression");
  if (s.ok()) s = CheckTableCodec(table, options.bottommost_compression, "bottommost_compression");
  for (const CompressionType type : options.compression_per_level) {
    if (s.ok()) s = CheckTableCodec(table, type, "compression_per_level");
  }
  return s;
}

bool IsPowerOfTwoOrZero(size_t number) { return (number & (number - 1)) == 0; }

Status CheckBlockSizes(const TableOptions& table) {
  constexpr size_t kSizeMax = std::numeric_limits<uint32_t>::max();
  if (table.block_align && !IsPowerOfTwoOrZero(table.block_size)) {
    return Status::InvalidArgument("Block alignment requested but block size is not a power of 2");
  }
  if (table.block_size > kSizeMax) {
    return Status::InvalidArgument("block size exceeds maximum number (4GiB) allowed");
  }
  if (!IsPowerOfTwoOrZero(table.super_block_alignment_size)) {
    return Status::InvalidArgument(
        "Super Block alignment requested but super block alignment size is not a power of 2");
  }
  if (table.super_block_alignment_size > kSizeMax) {
    return Status::InvalidArgument(
        "Super block alignment size exceeds maximum number (4GiB) allowed");
  }
  const size_t ratio = table.super_block_alignment_space_overhead_ratio;
  if (ratio > 0 && ratio < 4) {
    return Status::InvalidArgument("Super block alignment space overhead is too high");
  }
  return Status::Ok();
}

Status CheckBlockBasedTable(const ColumnFamilyOptions& options) {
  const TableOptions& table = options.table_factory.block_based;
  if (table.index_type == IndexType::kHashSearch && options.prefix_extractor == nullptr) {
    return Status::InvalidArgument(
        "Hash index is specified for block-based table, but prefix_extractor is not given");
  }
  if (table.index_block_search_type == IndexBlockSearchType::kInterpolation &&
      options.comparator != BytewiseComparator()) {
    return Status::InvalidArgument("Interpolation search requires BytewiseComparator");
  }
  if (table.no_block_cache && table.cache_index_and_filter_blocks) {
    return Status::InvalidArgument(
        "Enable cache_index_and_filter_blocks, , but block cache is disabled");
  }
  if (table.no_block_cache && table.pin_l0_filter_and_index_blocks_in_cache) {
    return Status::InvalidArgument(
        "Enable pin_l0_filter_and_index_blocks_in_cache, , but block cache is disabled");
  }
  if (table.format_version < 2 || table.format_version > 7) {
    return Status::InvalidArgument(
        "Unsupported BlockBasedTable format_version. Please check include/rocksdb/table.h for "
        "more info");
  }
  if (Status s = CheckTableCodecs(options); !s.ok()) return s;
  if (Status s = CheckBlockSizes(table); !s.ok()) return s;
  if (table.data_block_index_type == DataBlockIndexType::kBinaryAndHash &&
      table.data_block_hash_table_util_ratio <= 0) {
    return Status::InvalidArgument(
        "data_block_hash_table_util_ratio should be greater than 0 when data_block_index_type is "
        "set to kDataBlockBinaryAndHash");
  }
  if (table.use_udi_as_primary_index) {
    return Status::InvalidArgument("use_udi_as_primary_index requires user_defined_index_factory");
  }
  if (!IsKnownChecksum(static_cast<uint8_t>(table.checksum))) {
    return Status::InvalidArgument(
        Concat("Unrecognized ChecksumType for checksum: ", table.checksum));
  }
  return Status::Ok();
}

}  // namespace

Status Validate(const DbOptions& options) {
  if (options.read_io_executor_threads <= 0) {
    return Status::InvalidArgument("read_io_executor_threads must be greater than zero");
  }
  if (options.db_paths.size() > 4) {
    return Status::NotSupported("More than four DB paths are not supported yet. ");
  }
  if (options.allow_mmap_reads && options.use_direct_reads) {
    return Status::NotSupported(
        "If memory mapped reads (allow_mmap_reads) are enabled then direct I/O reads "
        "(use_direct_reads) must be disabled. ");
  }
  if (options.allow_mmap_reads && options.use_direct_io_for_compaction_reads) {
    return Status::NotSupported(
        "If memory mapped reads (allow_mmap_reads) are enabled then compaction-only direct I/O "
        "reads (use_direct_io_for_compaction_reads) must be disabled. ");
  }
  if (options.allow_mmap_writes && options.use_direct_io_for_flush_and_compaction) {
    return Status::NotSupported(
        "If memory mapped writes (allow_mmap_writes) are enabled then direct I/O writes "
        "(use_direct_io_for_flush_and_compaction) must be disabled. ");
  }
  if (options.keep_log_file_num == 0) {
    return Status::InvalidArgument("keep_log_file_num must be greater than 0");
  }
  if (options.unordered_write && !options.allow_concurrent_memtable_write) {
    return Status::InvalidArgument(
        "unordered_write is incompatible with !allow_concurrent_memtable_write");
  }
  if (options.unordered_write && options.enable_pipelined_write) {
    return Status::InvalidArgument("unordered_write is incompatible with enable_pipelined_write");
  }
  if (options.atomic_flush && options.enable_pipelined_write) {
    return Status::InvalidArgument("atomic_flush is incompatible with enable_pipelined_write");
  }
  if (options.use_direct_io_for_flush_and_compaction &&
      options.writable_file_max_buffer_size == 0) {
    return Status::InvalidArgument("writes in direct IO require writable_file_max_buffer_size > 0");
  }
  if (Status s = CheckOffpeakTime(options.daily_offpeak_time_utc); !s.ok()) return s;
  if (!options.write_dbid_to_manifest && !options.write_identity_file) {
    return Status::InvalidArgument(
        "write_dbid_to_manifest and write_identity_file cannot both be false");
  }
  return Status::Ok();
}

Status Validate(const DbOptions& db, const ColumnFamilyOptions& options) {
  if (Status s = CheckCompression(options); !s.ok()) return s;
  if (Status s = CheckMemtable(db, options); !s.ok()) return s;
  if (options.cf_paths.size() > 4) {
    return Status::NotSupported("More than four CF paths are not supported yet. ");
  }
  if (options.cf_paths.size() > 1 && options.compaction_style != CompactionStyle::kLevel &&
      options.compaction_style != CompactionStyle::kUniversal) {
    return Status::NotSupported(
        "More than one DB paths are only supported in universal and level compaction styles. ");
  }
  if (Status s = CheckAges(options); !s.ok()) return s;
  if (Status s = CheckTimestamps(db, options); !s.ok()) return s;
  if (Status s = CheckBlobs(options); !s.ok()) return s;
  if (Status s = CheckFifo(db, options); !s.ok()) return s;
  if (db.open_files_async && !db.skip_stats_update_on_db_open) {
    return Status::InvalidArgument(
        "open_files_async requires skip_stats_update_on_db_open = true.");
  }
  if (Status s = CheckUniversal(options); !s.ok()) return s;
  if (options.table_factory.format == TableFactory::Format::kBlockBased) {
    return CheckBlockBasedTable(options);
  }
  return Status::Ok();
}

Status CheckWritable(const ColumnFamilyOptions& options) {
  if (options.compaction_style == CompactionStyle::kFIFO) {
    return Status::NotSupported("FIFO compaction is not supported yet.");
  }
  if (options.table_factory.format != TableFactory::Format::kBlockBased) {
    return Status::NotSupported("Only block-based tables can be written yet.");
  }
  if (options.enable_blob_files) {
    return Status::NotSupported("Blob files (enable_blob_files) are not supported yet.");
  }
  return Status::Ok();
}

}  // namespace skarn
