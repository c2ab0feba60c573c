#include "config.h"

#include <cstdio>

namespace differential {

Config Config::For(uint64_t seed, bool direct_io_works) {
  Rng rng(Rng::Hash("database", seed));
  Config config;
  config.seed = seed;
  config.atomic_flush = rng.Percent(15);
  config.pipelined_write = !config.atomic_flush && rng.Percent(20);
  config.unordered_write = !config.pipelined_write && rng.Percent(10);
  config.concurrent_memtable_write = config.unordered_write || rng.Percent(80);
  config.uses_timestamps = rng.Percent(15);
  config.inplace_update = !config.concurrent_memtable_write && !config.atomic_flush &&
                          !config.uses_timestamps && rng.Percent(20);
  config.manual_wal_flush = rng.Percent(12);
  config.recycled_wals = rng.Percent(20) ? 2 : 0;
  config.wal_compression = rng.Percent(20);
  config.recovery_mode = rng.Percent(60) ? 2 : static_cast<int>(rng.Below(4));
  // Genuine RocksDB 7.8 stops the process when it reads recycled logs in this mode.
  if (config.recovery_mode == 3) config.recycled_wals = 0;
  config.few_open_files = rng.Percent(25);
  config.row_cache = rng.Percent(10);
  config.total_wal_size_max = rng.Percent(10) ? 64 << 10 : 0;
  config.db_write_buffer_size = rng.Percent(8) ? 256 << 10 : 0;
  config.mmap_reads = rng.Percent(8);
  config.direct_reads = direct_io_works && !config.mmap_reads && rng.Percent(8);
  config.keep_wals = rng.Percent(25);
  config.wal_dir = rng.Percent(15);
  config.second_path = rng.Percent(8);
  config.statistics = rng.Percent(20);
  config.background_jobs = static_cast<int>(rng.Between(2, 4));
  config.subcompactions_max = rng.Percent(25) ? 3 : 1;
  config.manifest_size_max = rng.Percent(15) ? 4 << 10 : 1 << 30;
  config.paranoid_checks = rng.Percent(90);
  constexpr unsigned kKeyCounts[] = {20, 100, 400, 2000};
  config.key_count = rng.Pick(kKeyCounts);
  constexpr unsigned kValueSizes[] = {8, 60, 200, 800};
  config.value_size_max = rng.Pick(kValueSizes);
  config.poisons = rng.Percent(15);
  return config;
}

std::vector<std::string> Config::FamilyNames() const {
  std::vector<std::string> names = {"default", "users", "log\xc3\xa9", "a name/with: spaces", "x"};
  if (uses_timestamps) names.push_back("timed");
  return names;
}

FamilyConfig Config::Family(const std::string& name) const {
  Rng rng(Rng::Hash(name, seed));
  FamilyConfig family;
  const unsigned order = static_cast<unsigned>(rng.Below(100));
  if (order >= 85)
    family.order = KeyOrder::kLengthFirst;
  else if (order >= 70)
    family.order = KeyOrder::kReverse;
  if (uses_timestamps && name == "timed") family.order = KeyOrder::kTimestamped;
  const bool is_timed = family.order == KeyOrder::kTimestamped;
  const bool is_bytewise = family.order == KeyOrder::kBytewise;

  if (!is_timed) {
    const unsigned merge = static_cast<unsigned>(rng.Below(100));
    family.merge = merge < 50   ? MergeKind::kAppend
                   : merge < 75 ? MergeKind::kAdd
                                : MergeKind::kNone;
  }
  if (is_bytewise && rng.Percent(45))
    family.prefix = rng.Percent(60) ? PrefixKind::kFixed : PrefixKind::kCustom;
  if (!is_timed && rng.Percent(12)) family.filter = static_cast<FilterKind>(rng.Between(1, 3));
  // Whether a filter sees what a compaction merged depends on the release.
  if (family.filter != FilterKind::kNone) family.merge = MergeKind::kNone;
  const bool has_prefix = family.prefix != PrefixKind::kNone;
  // Range deletes do not go together with a row cache. An update in place keeps the number of the
  // value it replaces, so that a range delete between them covers it, or not after a flush.
  family.forbids_range_deletes = rng.Percent(30) || row_cache || inplace_update;

  family.format_version = static_cast<int>(rng.Between(2, 5));
  family.checksum = static_cast<int>(rng.Between(0, family.format_version >= 5 ? 4 : 3));
  const unsigned index = static_cast<unsigned>(rng.Below(100));
  if (index < 20)
    family.index_type = 2;
  else if (index < 35 && has_prefix)
    family.index_type = 1;
  else if (index < 50)
    family.index_type = 3;
  family.hash_in_data_blocks = is_bytewise && rng.Percent(25);
  family.filter_policy = static_cast<int>(rng.Below(4));
  if (family.filter_policy != 0 && family.index_type == 2)
    family.partition_filters = rng.Percent(60);
  constexpr double kBits[] = {1, 4.5, 10, 10, 20};
  family.filter_bits = rng.Pick(kBits);
  family.whole_key_filtering = rng.Percent(70);
  constexpr size_t kBlockSizes[] = {128, 512, 4096, 4096, 16384};
  family.block_size = rng.Pick(kBlockSizes);
  constexpr int kRestarts[] = {1, 2, 16, 16, 64};
  family.restart_interval = rng.Pick(kRestarts);
  family.index_restart_interval = rng.Percent(70) ? 1 : static_cast<int>(rng.Between(2, 8));
  family.metadata_block_size = rng.Percent(50) ? 256 : 4096;
  family.cache_index_and_filter = rng.Percent(40);
  family.pin_level0 = rng.Percent(30);
  family.pin_top_level = rng.Percent(70);
  family.cache_kind = static_cast<int>(rng.Below(4));
  family.delta_encoding = rng.Percent(85);
  constexpr int kCodecs[] = {0, 1, 2, 3, 4, 5, 7};
  family.compression = rng.Pick(kCodecs);
  if (rng.Percent(25)) family.bottommost_compression = rng.Pick(kCodecs);
  family.per_level_compression = rng.Percent(15);
  if (rng.Percent(20)) family.dictionary_bytes = 2048;
  family.train_dictionary = rng.Percent(50);

  family.write_buffer_size = rng.Percent(50) ? 64 << 10 : 16 << 20;
  family.write_buffers_max = static_cast<int>(rng.Between(2, 4));
  if (!concurrent_memtable_write && !is_timed) {
    family.memtable = static_cast<int>(rng.Below(has_prefix ? 4 : 2));
    family.inplace_update = inplace_update;
    if (inplace_update) family.memtable = 0;
  }
  family.has_only_prefixed_keys = has_prefix && (family.memtable >= 2 || family.index_type == 1 ||
                                                 family.forbids_range_deletes || rng.Percent(50));
  if (rng.Percent(30)) family.memtable_bloom_ratio = 0.1;
  // The two exclude each other.
  if (rng.Percent(20) && !unordered_write) family.successive_merges_max = 3;

  family.dynamic_level_bytes = !second_path && rng.Percent(60);
  // What a filter has seen depends on when compactions run, so they run on demand only.
  family.auto_compactions = family.filter == FilterKind::kNone && rng.Percent(70);
  constexpr int kLevels[] = {2, 4, 7, 7};
  family.levels = rng.Pick(kLevels);
  family.level0_trigger = static_cast<int>(rng.Between(2, 6));
  constexpr uint64_t kFileSizes[] = {4 << 10, 32 << 10, 2 << 20, 64 << 20};
  family.target_file_size = rng.Pick(kFileSizes);
  constexpr uint64_t kBaseSizes[] = {16 << 10, 64 << 10, 1 << 20, 256 << 20};
  family.level_base_bytes = rng.Pick(kBaseSizes);
  family.optimize_filters_for_hits = rng.Percent(20);
  // Genuine RocksDB 7.8 may never come back with 0.
  family.sequential_skip_max = rng.Percent(30) ? rng.Between(1, 3) : 8;
  return family;
}

std::string Config::Describe() const {
  std::string text;
  const auto add = [&text](bool condition, const char* word) {
    if (condition) text += std::string(" ") + word;
  };
  add(atomic_flush, "atomic_flush");
  add(pipelined_write, "pipelined_write");
  add(unordered_write, "unordered_write");
  add(!concurrent_memtable_write, "serial_memtable");
  add(manual_wal_flush, "manual_wal_flush");
  add(recycled_wals != 0, "recycled_wals");
  add(wal_compression, "wal_compression");
  add(few_open_files, "few_open_files");
  add(row_cache, "row_cache");
  add(total_wal_size_max != 0, "small_wals");
  add(db_write_buffer_size != 0, "db_write_buffer");
  add(mmap_reads, "mmap_reads");
  add(direct_reads, "direct_reads");
  add(keep_wals, "keep_wals");
  add(wal_dir, "wal_dir");
  add(second_path, "second_path");
  add(manifest_size_max < (1 << 20), "small_manifests");
  add(uses_timestamps, "timestamps");
  add(poisons, "poisons");
  text += " recovery_mode=" + std::to_string(recovery_mode);
  for (const std::string& name : FamilyNames()) {
    const FamilyConfig f = Family(name);
    char line[320];
    snprintf(
        line, sizeof(line),
        "\n    %-8.8s order %d merge %d prefix %d filter %d | version %d checksum %d index %d%s%s "
        "bloom %d%s codec %d/%d dict %d block %zu/%d | memtable %d%s buffer %zuk | levels %d%s%s%s "
        "trigger %d file %lluk base %lluk",
        name.c_str(), static_cast<int>(f.order), static_cast<int>(f.merge),
        static_cast<int>(f.prefix), static_cast<int>(f.filter), f.format_version, f.checksum,
        f.index_type, f.partition_filters ? " partitioned" : "",
        f.hash_in_data_blocks ? " hashed" : "", f.filter_policy,
        f.whole_key_filtering ? "" : " prefixes only", f.compression, f.bottommost_compression,
        f.dictionary_bytes, f.block_size, f.restart_interval, f.memtable,
        f.inplace_update ? " inplace" : "", f.write_buffer_size >> 10, f.levels,
        f.dynamic_level_bytes ? " dynamic" : "", f.auto_compactions ? "" : " manual",
        f.forbids_range_deletes ? " tailing" : "", f.level0_trigger,
        static_cast<unsigned long long>(f.target_file_size >> 10),
        static_cast<unsigned long long>(f.level_base_bytes >> 10));
    text += line;
  }
  return text;
}

Options::Options(const Api& api, const Config& config, const FamilyConfig& family,
                 const std::string& directory)
    : api_(api), options_(api.rocksdb_options_create()) {
  SetDatabase(config, directory);
  SetFamily(family);
  SetTable(family);
}

Options::~Options() {
  api_.rocksdb_options_destroy(options_);
  if (table_ != nullptr) api_.rocksdb_block_based_options_destroy(table_);
  if (comparator_ != nullptr) api_.rocksdb_comparator_destroy(comparator_);
  if (filter_ != nullptr) api_.rocksdb_compactionfilter_destroy(filter_);
  if (block_cache_ != nullptr) api_.rocksdb_cache_destroy(block_cache_);
  if (row_cache_ != nullptr) api_.rocksdb_cache_destroy(row_cache_);
}

void Options::SetDatabase(const Config& config, const std::string& directory) {
  const Api& a = api_;
  rocksdb_options_t* o = options_;
  a.rocksdb_options_set_create_if_missing(o, 1);
  a.rocksdb_options_set_atomic_flush(o, config.atomic_flush);
  a.rocksdb_options_set_enable_pipelined_write(o, config.pipelined_write);
  a.rocksdb_options_set_unordered_write(o, config.unordered_write && !a.is_oracle);
  a.rocksdb_options_set_allow_concurrent_memtable_write(o, config.concurrent_memtable_write);
  a.rocksdb_options_set_manual_wal_flush(o, config.manual_wal_flush);
  a.rocksdb_options_set_recycle_log_file_num(o, static_cast<size_t>(config.recycled_wals));
  a.rocksdb_options_set_wal_compression(o, config.wal_compression ? 7 : 0);
  a.rocksdb_options_set_wal_recovery_mode(o, config.recovery_mode);
  if (config.few_open_files) a.rocksdb_options_set_max_open_files(o, a.is_oracle ? 1000 : 20);
  if (config.row_cache && !a.is_oracle) {
    row_cache_ = a.rocksdb_cache_create_lru(1 << 20);
    a.rocksdb_options_set_row_cache(o, row_cache_);
  }
  a.rocksdb_options_set_max_total_wal_size(o, config.total_wal_size_max);
  a.rocksdb_options_set_db_write_buffer_size(o, config.db_write_buffer_size);
  a.rocksdb_options_set_allow_mmap_reads(o, config.mmap_reads);
  a.rocksdb_options_set_use_direct_reads(o, config.direct_reads);
  a.rocksdb_options_set_WAL_ttl_seconds(o, config.keep_wals ? 3600 : 0);
  if (config.wal_dir) a.rocksdb_options_set_wal_dir(o, (directory + "/wals").c_str());
  if (config.second_path) {
    rocksdb_dbpath_t* first = a.rocksdb_dbpath_create(directory.c_str(), 100 << 10);
    rocksdb_dbpath_t* second = a.rocksdb_dbpath_create((directory + "/more").c_str(), 1 << 30);
    const rocksdb_dbpath_t* paths[] = {first, second};
    a.rocksdb_options_set_db_paths(o, paths, 2);
    a.rocksdb_dbpath_destroy(first);
    a.rocksdb_dbpath_destroy(second);
  }
  if (config.statistics) a.rocksdb_options_enable_statistics(o);
  a.rocksdb_options_set_max_background_jobs(o, config.background_jobs);
  a.rocksdb_options_set_max_subcompactions(o, config.subcompactions_max);
  a.rocksdb_options_set_max_manifest_file_size(o, config.manifest_size_max);
  a.rocksdb_options_set_paranoid_checks(o, config.paranoid_checks);
  a.rocksdb_options_set_keep_log_file_num(o, 2);
}

void Options::SetFamily(const FamilyConfig& family) {
  const Api& a = api_;
  rocksdb_options_t* o = options_;
  comparator_ = NewComparator(a, family.order);
  if (comparator_ != nullptr) a.rocksdb_options_set_comparator(o, comparator_);
  if (family.merge == MergeKind::kAppend)
    a.rocksdb_options_set_merge_operator(o, NewMergeOperator(a, family.merge));
  if (family.merge == MergeKind::kAdd) a.rocksdb_options_set_uint64add_merge_operator(o);
  filter_ = NewFilter(a, family.filter);
  if (filter_ != nullptr) a.rocksdb_options_set_compaction_filter(o, filter_);
  if (family.filter == FilterKind::kFactory)
    a.rocksdb_options_set_compaction_filter_factory(o, NewFilterFactory(a, family.filter));
  if (family.prefix != PrefixKind::kNone)
    a.rocksdb_options_set_prefix_extractor(o, NewPrefix(a, family.prefix));

  a.rocksdb_options_set_compression(o, family.compression);
  if (family.bottommost_compression >= 0)
    a.rocksdb_options_set_bottommost_compression(o, family.bottommost_compression);
  if (family.per_level_compression) {
    const int levels[] = {0, 4, 1, 7};
    a.rocksdb_options_set_compression_per_level(o, levels, 4);
  }
  if (family.dictionary_bytes != 0) {
    a.rocksdb_options_set_compression_options(o, -14, 32767, 0, family.dictionary_bytes);
    if (family.train_dictionary)
      a.rocksdb_options_set_compression_options_zstd_max_train_bytes(o,
                                                                     family.dictionary_bytes * 10);
  }

  a.rocksdb_options_set_write_buffer_size(o, family.write_buffer_size);
  a.rocksdb_options_set_max_write_buffer_number(o, family.write_buffers_max);
  if (family.memtable == 1) a.rocksdb_options_set_memtable_vector_rep(o);
  if (family.memtable == 2) a.rocksdb_options_set_hash_skip_list_rep(o, 1000, 4, 4);
  if (family.memtable == 3) a.rocksdb_options_set_hash_link_list_rep(o, 1000);
  a.rocksdb_options_set_memtable_prefix_bloom_size_ratio(o, family.memtable_bloom_ratio);
  a.rocksdb_options_set_max_successive_merges(o, family.successive_merges_max);
  a.rocksdb_options_set_inplace_update_support(o, family.inplace_update);

  a.rocksdb_options_set_level_compaction_dynamic_level_bytes(o, family.dynamic_level_bytes);
  a.rocksdb_options_set_disable_auto_compactions(o, !family.auto_compactions);
  a.rocksdb_options_set_num_levels(o, family.levels);
  a.rocksdb_options_set_level0_file_num_compaction_trigger(o, family.level0_trigger);
  a.rocksdb_options_set_target_file_size_base(o, family.target_file_size);
  a.rocksdb_options_set_max_bytes_for_level_base(o, family.level_base_bytes);
  a.rocksdb_options_set_optimize_filters_for_hits(o, family.optimize_filters_for_hits);
  a.rocksdb_options_set_max_sequential_skip_in_iterations(o, family.sequential_skip_max);
}

void Options::SetTable(const FamilyConfig& family) {
  const Api& a = api_;
  table_ = a.rocksdb_block_based_options_create();
  a.rocksdb_block_based_options_set_format_version(table_, family.format_version);
  a.rocksdb_block_based_options_set_checksum(table_, static_cast<char>(family.checksum));
  a.rocksdb_block_based_options_set_index_type(table_, family.index_type);
  a.rocksdb_block_based_options_set_partition_filters(table_, family.partition_filters);
  a.rocksdb_block_based_options_set_data_block_index_type(table_, family.hash_in_data_blocks);
  const double bits = family.filter_bits;
  if (family.filter_policy == 1)
    a.rocksdb_block_based_options_set_filter_policy(table_,
                                                    a.rocksdb_filterpolicy_create_bloom(bits));
  if (family.filter_policy == 2)
    a.rocksdb_block_based_options_set_filter_policy(table_,
                                                    a.rocksdb_filterpolicy_create_ribbon(bits));
  if (family.filter_policy == 3)
    a.rocksdb_block_based_options_set_filter_policy(
        table_, a.rocksdb_filterpolicy_create_ribbon_hybrid(bits, 1));
  a.rocksdb_block_based_options_set_whole_key_filtering(table_, family.whole_key_filtering);
  a.rocksdb_block_based_options_set_block_size(table_, family.block_size);
  a.rocksdb_block_based_options_set_block_restart_interval(table_, family.restart_interval);
  a.rocksdb_block_based_options_set_index_block_restart_interval(table_,
                                                                 family.index_restart_interval);
  a.rocksdb_block_based_options_set_metadata_block_size(table_, family.metadata_block_size);
  a.rocksdb_block_based_options_set_cache_index_and_filter_blocks(table_,
                                                                  family.cache_index_and_filter);
  a.rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(
      table_, family.cache_index_and_filter && family.pin_level0);
  a.rocksdb_block_based_options_set_pin_top_level_index_and_filter(table_, family.pin_top_level);
  a.rocksdb_block_based_options_set_use_delta_encoding(table_, family.delta_encoding);
  if (family.cache_kind == 1) {
    a.rocksdb_block_based_options_set_cache_index_and_filter_blocks(table_, 0);
    a.rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table_, 0);
    a.rocksdb_block_based_options_set_no_block_cache(table_, 1);
  } else if (family.cache_kind != 0) {
    block_cache_ = a.rocksdb_cache_create_lru(family.cache_kind == 2 ? 4096 : 8 << 20);
    a.rocksdb_block_based_options_set_block_cache(table_, block_cache_);
  }
  a.rocksdb_options_set_block_based_table_factory(options_, table_);
}

}  // namespace differential
