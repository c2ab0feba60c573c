#include <limits>

#include "core/options/option_rules.h"

namespace skarn {
namespace {

// "HH:MM-HH:MM", or nothing.
bool IsTimeRange(const std::string& text) {
  if (text.empty()) return true;
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
  return text.compare(0, 5, text, 6, 5) != 0;
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
  const uint32_t protection = options.memtable_protection_bytes_per_key;
  if (protection != 0 && protection != 1 && protection != 2 && protection != 4 && protection != 8) {
    return Status::NotSupported(
        "Memtable per key-value checksum protection only supports 0, 1, 2, 4 or 8 bytes per key.");
  }
  return Status::Ok();
}

Status CheckAges(const DbOptions& db, const ColumnFamilyOptions& options) {
  const bool block_based = options.table_factory.format == TableFactory::Format::kBlockBased;
  const auto is_set = [](uint64_t age) { return age > 0 && age != kDefaultAge; };
  if (is_set(options.ttl) && !block_based) {
    return Status::NotSupported("TTL is only supported in Block-Based Table format. ");
  }
  if (is_set(options.periodic_compaction_seconds) && !block_based) {
    return Status::NotSupported(
        "Periodic Compaction is only supported in Block-Based Table format. ");
  }
  if (options.compaction_style == CompactionStyle::kFIFO) {
    if (options.ttl > 0 && db.max_open_files != -1) {
      return Status::NotSupported("FIFO compaction only supported with max_open_files = -1.");
    }
  } else if (!options.compaction_options_fifo.file_temperature_age_thresholds.empty()) {
    return Status::NotSupported(
        "Option file_temperature_age_thresholds only supports FIFO compaction.");
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

Status CheckBlockBasedTable(const ColumnFamilyOptions& options) {
  const TableOptions& table = options.table_factory.block_based;
  if (table.index_type == IndexType::kHashSearch && options.prefix_extractor == nullptr) {
    return Status::InvalidArgument(
        "Hash index is specified for block-based table, but prefix_extractor is not given");
  }
  if (table.no_block_cache) {
    if (table.cache_index_and_filter_blocks) {
      return Status::InvalidArgument(
          "Enable cache_index_and_filter_blocks, , but block cache is disabled");
    }
    if (table.pin_l0_filter_and_index_blocks_in_cache) {
      return Status::InvalidArgument(
          "Enable pin_l0_filter_and_index_blocks_in_cache, , but block cache is disabled");
    }
  }
  if (table.format_version < 2 || table.format_version > 7) {
    return Status::InvalidArgument(
        "Unsupported BlockBasedTable format_version. Please check include/rocksdb/table.h for "
        "more info");
  }
  if (table.block_align && options.compression != CompressionType::kNone) {
    return Status::InvalidArgument("Enable block_align, but compression enabled");
  }
  if (table.block_align && (table.block_size & (table.block_size - 1)) != 0) {
    return Status::InvalidArgument("Block alignment requested but block size is not a power of 2");
  }
  if (table.block_size > std::numeric_limits<uint32_t>::max()) {
    return Status::InvalidArgument("block size exceeds maximum number (4GiB) allowed");
  }
  if (table.data_block_index_type == DataBlockIndexType::kBinaryAndHash &&
      table.data_block_hash_table_util_ratio <= 0) {
    return Status::InvalidArgument(
        "data_block_hash_table_util_ratio should be greater than 0 when data_block_index_type is "
        "set to kDataBlockBinaryAndHash");
  }
  return Status::Ok();
}

}  // namespace

Status Validate(const DbOptions& options) {
  if (options.db_paths.size() > 4) {
    return Status::NotSupported("More than four DB paths are not supported yet. ");
  }
  if (options.allow_mmap_reads && options.use_direct_reads) {
    return Status::NotSupported(
        "If memory mapped reads (allow_mmap_reads) are enabled then direct I/O reads "
        "(use_direct_reads) must be disabled. ");
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
  if (!IsTimeRange(options.daily_offpeak_time_utc)) {
    return Status::InvalidArgument(
        "daily_offpeak_time_utc should be set in the format HH:mm-HH:mm (e.g. 04:30-07:30)");
  }
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
  if (Status s = CheckAges(db, options); !s.ok()) return s;
  if (Status s = CheckBlobs(options); !s.ok()) return s;
  if (options.table_factory.format == TableFactory::Format::kBlockBased) {
    return CheckBlockBasedTable(options);
  }
  return Status::Ok();
}

}  // namespace skarn
