/* Setters without a getter, and settings of many options: their effect is what the
   OPTIONS file of a database opened with them shows. */

#define _POSIX_C_SOURCE 200809L

#include "check.h"
#include "directory.h"
#include "rocksdb/c.h"

static const char* directory;
static int databases;

/* Opens a new database and returns its OPTIONS file. */
static const char* OptionsFileWith(rocksdb_options_t* options) {
  char name[32];
  char* error = NULL;
  const char* path;
  rocksdb_t* db;
  snprintf(name, sizeof(name), "db%d", databases++);
  path = PathIn(directory, name, 0);
  rocksdb_options_set_create_if_missing(options, 1);
  db = rocksdb_open(options, path, &error);
  CHECK_OK(error);
  rocksdb_close(db);
  return OptionsFileOf(path);
}

#define CHECK_SHOWS(text, line)                                                   \
  do {                                                                            \
    if (strstr(text, "  " line "\n") == NULL) {                                   \
      fprintf(stderr, "%s:%d: no line %s in\n%s\n", __FILE__, __LINE__, line, text); \
      exit(1);                                                                    \
    }                                                                             \
  } while (0)

static void TestPlainSetters(void) {
  rocksdb_options_t* options = rocksdb_options_create();
  rocksdb_dbpath_t* path;
  const rocksdb_dbpath_t* paths[1];
  int multipliers[3] = {3, 2, 1};
  const int levels[2] = {rocksdb_no_compression, rocksdb_zstd_compression};
  const char* text;
  rocksdb_options_compaction_readahead_size(options, 12345);
  CHECK(rocksdb_options_get_compaction_readahead_size(options) == 12345);
  rocksdb_options_set_wal_dir(options, PathIn(directory, "logs", 1));
  rocksdb_options_set_db_log_dir(options, PathIn(directory, "info", 1));
  rocksdb_options_set_dump_malloc_stats(options, 1);
  rocksdb_options_set_memtable_whole_key_filtering(options, 1);
  rocksdb_options_set_max_bytes_for_level_multiplier_additional(options, multipliers, 3);
  rocksdb_options_set_compression_per_level(options, levels, 2);
  rocksdb_options_set_compression_options(options, 4, 5, 6, 7);
  rocksdb_options_set_bottommost_compression_options(options, 8, 9, 10, 11, 1);
  rocksdb_options_set_bottommost_compression_options_zstd_max_train_bytes(options, 12, 1);
  rocksdb_options_set_bottommost_compression_options_max_dict_buffer_bytes(options, 13, 1);
  rocksdb_options_set_bottommost_compression_options_use_zstd_dict_trainer(options, 0, 1);
  CHECK(rocksdb_options_get_bottommost_compression_options_use_zstd_dict_trainer(options) == 0);
  path = rocksdb_dbpath_create(PathIn(directory, "tables", 1), 1 << 30);
  paths[0] = path;
  rocksdb_options_set_db_paths(options, paths, 1);
  rocksdb_options_set_cf_paths(options, paths, 1);
  rocksdb_dbpath_destroy(path);

  text = OptionsFileWith(options);
  CHECK(strstr(text, "/logs\n") != NULL);
  CHECK(strstr(text, "/info\n") != NULL);
  CHECK_SHOWS(text, "dump_malloc_stats=true");
  CHECK_SHOWS(text, "memtable_whole_key_filtering=true");
  CHECK_SHOWS(text, "max_bytes_for_level_multiplier_additional=3:2:1");
  CHECK_SHOWS(text, "compression_per_level=kNoCompression:kZSTD");
  CHECK(strstr(text, "  compression_opts={window_bits=4;level=5;strategy=6;max_dict_bytes=7;"));
  CHECK(strstr(text,
               "bottommost_compression_opts={window_bits=8;level=9;strategy=10;max_dict_bytes=11;"
               "zstd_max_train_bytes=12;parallel_threads=1;enabled=true;"
               "max_dict_buffer_bytes=13;use_zstd_dict_trainer=false;"));
  rocksdb_options_destroy(options);

  options = rocksdb_options_create();
  rocksdb_options_set_num_levels(options, 4);
  rocksdb_options_set_min_level_to_compress(options, 2);
  CHECK_SHOWS(OptionsFileWith(options),
              "compression_per_level=kNoCompression:kNoCompression:kLZ4Compression:"
              "kLZ4Compression");
  rocksdb_options_destroy(options);
}

static void TestMemtables(void) {
  rocksdb_options_t* options = rocksdb_options_create();
  rocksdb_options_set_memtable_vector_rep(options);
  CHECK_SHOWS(OptionsFileWith(options), "memtable_factory={id=VectorRepFactory;count=0;}");
  rocksdb_options_set_allow_concurrent_memtable_write(options, 0);
  rocksdb_options_set_prefix_extractor(options, rocksdb_slicetransform_create_fixed_prefix(3));
  rocksdb_options_set_hash_skip_list_rep(options, 1000, 4, 5);
  CHECK_SHOWS(OptionsFileWith(options),
              "memtable_factory={id=HashSkipListRepFactory;branching_factor=5;skiplist_height=4;"
              "bucket_count=1000;}");
  rocksdb_options_set_hash_link_list_rep(options, 2000);
  CHECK(strstr(OptionsFileWith(options), "bucket_count=2000;}") != NULL);
  rocksdb_options_destroy(options);
}

static void TestBlockBasedTable(void) {
  rocksdb_options_t* options = rocksdb_options_create();
  rocksdb_block_based_table_options_t* table = rocksdb_block_based_options_create();
  rocksdb_cache_t* cache = rocksdb_cache_create_lru(1 << 20);
  const char* text;
  rocksdb_block_based_options_set_block_cache(table, cache);
  rocksdb_block_based_options_set_filter_policy(table, rocksdb_filterpolicy_create_bloom(9.5));
  rocksdb_block_based_options_set_format_version(table, 6);
  rocksdb_block_based_options_set_checksum(table, 1);
  rocksdb_block_based_options_set_block_size(table, 8192);
  rocksdb_block_based_options_set_block_size_deviation(table, 11);
  rocksdb_block_based_options_set_block_restart_interval(table, 12);
  rocksdb_block_based_options_set_index_block_restart_interval(table, 13);
  rocksdb_block_based_options_set_metadata_block_size(table, 14000);
  rocksdb_block_based_options_set_use_delta_encoding(table, 0);
  rocksdb_block_based_options_set_index_type(
      table, rocksdb_block_based_table_index_type_two_level_index_search);
  rocksdb_block_based_options_set_data_block_index_type(
      table, rocksdb_block_based_table_data_block_index_type_binary_search_and_hash);
  rocksdb_block_based_options_set_data_block_hash_ratio(table, 0.5);
  rocksdb_block_based_options_set_whole_key_filtering(table, 0);
  rocksdb_block_based_options_set_partition_filters(table, 1);
  rocksdb_block_based_options_set_optimize_filters_for_memory(table, 0);
  rocksdb_block_based_options_set_no_block_cache(table, 0);
  rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
  rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(table, 0);
  rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table, 1);
  rocksdb_block_based_options_set_pin_top_level_index_and_filter(table, 0);
  rocksdb_block_based_options_set_top_level_index_pinning_tier(
      table, rocksdb_block_based_k_none_pinning_tier);
  rocksdb_block_based_options_set_partition_pinning_tier(
      table, rocksdb_block_based_k_all_pinning_tier);
  rocksdb_block_based_options_set_unpartitioned_pinning_tier(
      table, rocksdb_block_based_k_flush_and_similar_pinning_tier);
  rocksdb_block_based_options_set_block_cache_compressed(table, NULL);
  rocksdb_block_based_options_set_hash_index_allow_collision(table, 1);
  rocksdb_block_based_options_set_skip_table_builder_flush(table, 1);
  rocksdb_options_set_block_based_table_factory(options, table);
  /* What was given stays shared: the caller's own references can go first. */
  rocksdb_block_based_options_destroy(table);
  rocksdb_cache_destroy(cache);

  text = OptionsFileWith(options);
  CHECK_SHOWS(text, "filter_policy=bloomfilter:9.5:false");
  CHECK_SHOWS(text, "format_version=6");
  CHECK_SHOWS(text, "checksum=kCRC32c");
  CHECK_SHOWS(text, "block_size=8192");
  CHECK_SHOWS(text, "block_size_deviation=11");
  CHECK_SHOWS(text, "block_restart_interval=12");
  CHECK_SHOWS(text, "index_block_restart_interval=13");
  CHECK_SHOWS(text, "metadata_block_size=14000");
  CHECK_SHOWS(text, "use_delta_encoding=false");
  CHECK_SHOWS(text, "index_type=kTwoLevelIndexSearch");
  CHECK_SHOWS(text, "data_block_index_type=kDataBlockBinaryAndHash");
  CHECK_SHOWS(text, "data_block_hash_table_util_ratio=0.500000");
  CHECK_SHOWS(text, "whole_key_filtering=false");
  CHECK_SHOWS(text, "partition_filters=true");
  CHECK_SHOWS(text, "optimize_filters_for_memory=false");
  CHECK_SHOWS(text, "cache_index_and_filter_blocks=true");
  CHECK_SHOWS(text, "cache_index_and_filter_blocks_with_high_priority=false");
  CHECK_SHOWS(text, "pin_l0_filter_and_index_blocks_in_cache=true");
  CHECK_SHOWS(text, "pin_top_level_index_and_filter=false");
  CHECK_SHOWS(text,
              "metadata_cache_options={top_level_index_pinning=kNone;partition_pinning=kAll;"
              "unpartitioned_pinning=kFlushedAndSimilar;}");
  rocksdb_options_destroy(options);
}

static void TestPresets(void) {
  rocksdb_options_t* options = rocksdb_options_create();
  const char* text;
  rocksdb_options_increase_parallelism(options, 3);
  CHECK(rocksdb_options_get_max_background_jobs(options) == 3);
  rocksdb_options_optimize_for_point_lookup(options, 2);
  rocksdb_options_optimize_level_style_compaction(options, 512 << 20);
  CHECK(rocksdb_options_get_write_buffer_size(options) == (128 << 20));
  rocksdb_options_add_compact_on_deletion_collector_factory(options, 10, 5);
  rocksdb_options_add_compact_on_deletion_collector_factory_del_ratio(options, 10, 5, 0.5);
  rocksdb_options_add_compact_on_deletion_collector_factory_min_file_size(options, 10, 5, 0.5, 9);
  text = OptionsFileWith(options);
  CHECK_SHOWS(text, "data_block_index_type=kDataBlockBinaryAndHash");
  CHECK_SHOWS(text, "memtable_prefix_bloom_size_ratio=0.020000");
  rocksdb_options_prepare_for_bulk_load(options);
  CHECK(rocksdb_options_get_disable_auto_compactions(options) == 1);
  CHECK(rocksdb_options_get_num_levels(options) == 2);
  rocksdb_options_destroy(options);
}

static void TestRetiredSetters(void) {
  rocksdb_options_t* options = rocksdb_options_create();
  rocksdb_readoptions_t* read = rocksdb_readoptions_create();
  rocksdb_options_set_allow_os_buffer(options, 1);
  rocksdb_options_set_disable_data_sync(options, 1);
  rocksdb_options_set_max_mem_compaction_level(options, 1);
  rocksdb_options_set_min_partial_merge_operands(options, 1);
  rocksdb_options_set_purge_redundant_kvs_while_flush(options, 1);
  rocksdb_options_set_snap_refresh_nanos(options, 1);
  rocksdb_options_set_table_cache_remove_scan_count_limit(options, 1);
  rocksdb_options_set_use_direct_writes(options, 1);
  rocksdb_options_set_verify_checksums_in_compaction(options, 1);
  rocksdb_readoptions_set_managed(read, 1);
  OptionsFileWith(options);
  rocksdb_readoptions_destroy(read);
  rocksdb_options_destroy(options);
}

static void TestOptionsFromString(void) {
  rocksdb_options_t* base = rocksdb_options_create();
  rocksdb_options_t* result = rocksdb_options_create();
  char* error = NULL;
  rocksdb_options_set_max_open_files(base, 55);
  rocksdb_get_options_from_string(base, "num_levels=5;write_buffer_size=1M", result, &error);
  CHECK_OK(error);
  CHECK(rocksdb_options_get_max_open_files(result) == 55);
  CHECK(rocksdb_options_get_num_levels(result) == 5);
  CHECK(rocksdb_options_get_write_buffer_size(result) == (1 << 20));
  rocksdb_get_options_from_string(base, "foo=1", result, &error);
  CHECK_ERROR(error, "Invalid argument: Extra option not recognized: foo");
  CHECK(rocksdb_options_get_num_levels(result) == 7);
  rocksdb_options_destroy(base);
  base = rocksdb_options_create_copy(result);
  CHECK(rocksdb_options_get_max_open_files(base) == 55);
  rocksdb_options_destroy(base);
  rocksdb_options_destroy(result);
}

static void TestLoadLatestOptions(void) {
  rocksdb_options_t* options = rocksdb_options_create();
  rocksdb_options_t* loaded = NULL;
  rocksdb_options_t** families = NULL;
  rocksdb_env_t* env = rocksdb_create_default_env();
  rocksdb_cache_t* cache = rocksdb_cache_create_lru(1 << 20);
  const char* path = PathIn(directory, "loaded", 2);
  char** names = NULL;
  size_t count = 7;
  char* error = NULL;
  rocksdb_t* db;
  rocksdb_column_family_handle_t* handle;

  rocksdb_load_latest_options(path, env, false, cache, &loaded, &count, &names, &families, &error);
  CHECK(strstr(error, "NotFound: No such file or directory: No options files found in the DB "
                      "directory.") == error);
  rocksdb_free(error);
  error = NULL;
  CHECK(loaded == NULL && count == 0 && names == NULL && families == NULL);

  rocksdb_options_set_create_if_missing(options, 1);
  rocksdb_options_set_stats_dump_period_sec(options, 123);
  db = rocksdb_open(options, path, &error);
  CHECK_OK(error);
  rocksdb_options_set_num_levels(options, 3);
  handle = rocksdb_create_column_family(db, options, "odd #name", &error);
  CHECK_OK(error);
  rocksdb_column_family_handle_destroy(handle);
  rocksdb_close(db);

  rocksdb_load_latest_options(path, env, false, cache, &loaded, &count, &names, &families, &error);
  CHECK_OK(error);
  CHECK(count == 2);
  CHECK_TEXT(names[0], "default");
  CHECK_TEXT(names[1], "odd #name");
  CHECK(rocksdb_options_get_stats_dump_period_sec(loaded) == 123);
  CHECK(rocksdb_options_get_num_levels(families[0]) == 7);
  CHECK(rocksdb_options_get_num_levels(families[1]) == 3);
  rocksdb_load_latest_options_destroy(loaded, names, families, count);
  rocksdb_cache_destroy(cache);
  rocksdb_env_destroy(env);
  rocksdb_options_destroy(options);
}

static void TestOtherOptionObjects(void) {
  rocksdb_readoptions_t* read = rocksdb_readoptions_create();
  rocksdb_writeoptions_t* write = rocksdb_writeoptions_create();
  rocksdb_compactoptions_t* compact = rocksdb_compactoptions_create();
  rocksdb_envoptions_t* env = rocksdb_envoptions_create();
  char timestamp[8] = {0};
  rocksdb_readoptions_set_snapshot(read, NULL);
  rocksdb_readoptions_set_iterate_lower_bound(read, "a", 1);
  rocksdb_readoptions_set_iterate_upper_bound(read, "b", 1);
  rocksdb_readoptions_set_iterate_upper_bound(read, NULL, 0);
  rocksdb_readoptions_set_timestamp(read, timestamp, 8);
  rocksdb_readoptions_set_iter_start_ts(read, timestamp, 8);
  rocksdb_readoptions_set_auto_readahead_size(read, 0);
  rocksdb_writeoptions_disable_WAL(write, 1);
  CHECK(rocksdb_writeoptions_get_disable_WAL(write) == 1);
  rocksdb_compactoptions_set_full_history_ts_low(compact, timestamp, 8);
  rocksdb_compactoptions_set_full_history_ts_low(compact, NULL, 0);
  rocksdb_readoptions_destroy(read);
  rocksdb_writeoptions_destroy(write);
  rocksdb_compactoptions_destroy(compact);
  rocksdb_envoptions_destroy(env);
}

int main(void) {
  directory = NewDirectory();
  TestPlainSetters();
  TestMemtables();
  TestBlockBasedTable();
  TestPresets();
  TestRetiredSetters();
  TestOptionsFromString();
  TestLoadLatestOptions();
  TestOtherOptionObjects();
  return 0;
}
