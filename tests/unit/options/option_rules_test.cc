// What open corrects and refuses, and what may change in an open database.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <limits>

#include "core/options/option_presets.h"
#include "core/options/option_rows.h"
#include "core/options/option_rules.h"
#include "core/options/option_string.h"
#include "core/plugin/slice_transform.h"

namespace skarn {
namespace {

using ChangeMap = std::unordered_map<std::string, std::string>;

DbOptions SanitizedDb(const DbOptions& options = DbOptions()) { return Sanitize("/db", options); }
ColumnFamilyOptions SanitizedFamily(const ColumnFamilyOptions& options = ColumnFamilyOptions(),
                                    const DbOptions& db = SanitizedDb()) {
  return Sanitize(db, options);
}

TEST(SanitizeDb, ReplacesWhatAsksToBeChosen) {
  const DbOptions options = SanitizedDb();
  EXPECT_EQ(options.delayed_write_rate, 16u << 20);
  EXPECT_EQ(options.max_open_files, -1);
  EXPECT_EQ(options.bytes_per_sync, 0u);
  ASSERT_EQ(options.db_paths.size(), 1u);
  EXPECT_EQ(options.db_paths[0].path, "/db");
  EXPECT_EQ(options.wal_dir, "");
}

TEST(SanitizeDb, TakesRatesFromTheRateLimiter) {
  DbOptions options;
  options.rate_limiter = NewRateLimiter(DefaultEnv()->clock, 1000, 100000, 10,
                                        RateLimiter::Mode::kWritesOnly, /*auto_tuned=*/false);
  options = SanitizedDb(options);
  EXPECT_EQ(options.delayed_write_rate, 1000u);
  EXPECT_EQ(options.bytes_per_sync, 1u << 20);
}

TEST(OptionRules, CountsTheSecondsToTheNextQuietHours) {
  DbOptions options;
  constexpr uint64_t kHour = 3600;
  EXPECT_EQ(SecondsOfOffpeakAhead(options, kHour), 0u);
  options.daily_offpeak_time_utc = "01:00-02:29";
  EXPECT_EQ(SecondsOfOffpeakAhead(options, kHour - 1), 0u);
  EXPECT_EQ(SecondsOfOffpeakAhead(options, kHour), 24 * kHour);
  EXPECT_EQ(SecondsOfOffpeakAhead(options, 2 * kHour + 1799), 24 * kHour - kHour - 1799);
  EXPECT_EQ(SecondsOfOffpeakAhead(options, 2 * kHour + 1800), 0u);
  options.daily_offpeak_time_utc = "23:00-00:29";  // Over midnight.
  EXPECT_EQ(SecondsOfOffpeakAhead(options, 23 * kHour), 24 * kHour);
  EXPECT_EQ(SecondsOfOffpeakAhead(options, 24 * kHour + 60), 23 * kHour - 60);
  EXPECT_EQ(SecondsOfOffpeakAhead(options, 12 * kHour), 0u);
}

TEST(SanitizeDb, KeepsTheNumberOfOpenFilesInBounds) {
  DbOptions options;
  options.max_open_files = 1;
  EXPECT_EQ(SanitizedDb(options).max_open_files, 20);
  options.max_open_files = std::numeric_limits<int32_t>::max();
  EXPECT_LE(SanitizedDb(options).max_open_files, 4194304);
}

TEST(SanitizeDb, ForgetsAWalDirectoryThatIsTheDatabases) {
  DbOptions options;
  options.wal_dir = "/db/";
  EXPECT_EQ(SanitizedDb(options).wal_dir, "");
  options.wal_dir = "/logs/";
  EXPECT_EQ(SanitizedDb(options).wal_dir, "/logs");
  options.wal_dir = "";
  options.db_paths = {{"/fast", 100}, {"/slow", 1000}};
  EXPECT_EQ(SanitizedDb(options).wal_dir, "/db");
}

// A recycled log's old records must never be taken for damage, nor archived.
TEST(SanitizeDb, RecyclesLogsOnlyWhereRecoveryCanTellOldRecords) {
  DbOptions options;
  options.recycle_log_file_num = 3;
  EXPECT_EQ(SanitizedDb(options).recycle_log_file_num, 3u);
  options.wal_recovery_mode = WalRecoveryMode::kAbsoluteConsistency;
  EXPECT_EQ(SanitizedDb(options).recycle_log_file_num, 0u);
  options.wal_recovery_mode = WalRecoveryMode::kTolerateCorruptedTailRecords;
  EXPECT_EQ(SanitizedDb(options).recycle_log_file_num, 0u);
  options.wal_recovery_mode = WalRecoveryMode::kSkipAnyCorruptedRecords;
  EXPECT_EQ(SanitizedDb(options).recycle_log_file_num, 3u);
  options.WAL_ttl_seconds = 1;
  EXPECT_EQ(SanitizedDb(options).recycle_log_file_num, 0u);
}

TEST(SanitizeFamily, ReplacesWhatAsksToBeChosen) {
  const ColumnFamilyOptions options = SanitizedFamily();
  EXPECT_EQ(options.arena_block_size, 1048576u);
  EXPECT_EQ(options.max_compaction_bytes, 1677721600u);
  EXPECT_EQ(options.ttl, 2592000u);
  EXPECT_EQ(options.periodic_compaction_seconds, 0u);
  EXPECT_TRUE(options.level_compaction_dynamic_level_bytes);
}

TEST(SanitizeFamily, CorrectsMemtableSizesAndNumbers) {
  ColumnFamilyOptions options;
  options.write_buffer_size = 1;
  options.max_write_buffer_number = 0;
  options.min_write_buffer_number_to_merge = 9;
  options.max_write_buffer_size_to_maintain = -1;
  options.memtable_prefix_bloom_size_ratio = 3;
  options.memtable_factory.kind = MemtableFactory::Kind::kHashSkipList;
  options = SanitizedFamily(options);
  EXPECT_EQ(options.write_buffer_size, 65536u);
  EXPECT_EQ(options.arena_block_size, 8192u);
  EXPECT_EQ(options.max_write_buffer_number, 2);
  EXPECT_EQ(options.min_write_buffer_number_to_merge, 1);
  EXPECT_EQ(options.max_write_buffer_size_to_maintain, 131072);
  EXPECT_EQ(options.memtable_prefix_bloom_size_ratio, 0.25);
  EXPECT_EQ(options.memtable_factory.kind, MemtableFactory::Kind::kSkipList);
}

TEST(SanitizeFamily, CorrectsTheShapeOfTheTree) {
  ColumnFamilyOptions options;
  options.num_levels = 0;
  options.level0_file_num_compaction_trigger = 40;
  options.soft_pending_compaction_bytes_limit = 0;
  options.max_bytes_for_level_multiplier = -2;
  ColumnFamilyOptions level = SanitizedFamily(options);
  EXPECT_EQ(level.num_levels, 2);
  EXPECT_EQ(level.level0_slowdown_writes_trigger, 40);
  EXPECT_EQ(level.level0_stop_writes_trigger, 40);
  EXPECT_EQ(level.soft_pending_compaction_bytes_limit, level.hard_pending_compaction_bytes_limit);
  EXPECT_EQ(level.max_bytes_for_level_multiplier, 1);

  options.compaction_style = CompactionStyle::kFIFO;
  ColumnFamilyOptions fifo = SanitizedFamily(options);
  EXPECT_EQ(fifo.num_levels, 1);
  EXPECT_EQ(fifo.level0_stop_writes_trigger, std::numeric_limits<int32_t>::max());
  EXPECT_FALSE(fifo.level_compaction_dynamic_level_bytes);

  options.compaction_style = CompactionStyle::kUniversal;
  options.cf_allow_ingest_behind = true;
  ColumnFamilyOptions universal = SanitizedFamily(options);
  EXPECT_EQ(universal.num_levels, 3);
  EXPECT_EQ(universal.periodic_compaction_seconds, 2592000u);
}

TEST(Validate, RefusesCombinationsWithTheTextsProgramsKnow) {
  struct Case {
    const char* options;
    const char* error;
  };
  const Case cases[] = {
      {"keep_log_file_num=0", "Invalid argument: keep_log_file_num must be greater than 0"},
      {"allow_mmap_reads=1;use_direct_reads=1",
       "Not implemented: If memory mapped reads (allow_mmap_reads) are enabled then direct I/O "
       "reads (use_direct_reads) must be disabled. "},
      {"allow_mmap_writes=1;use_direct_io_for_flush_and_compaction=1",
       "Not implemented: If memory mapped writes (allow_mmap_writes) are enabled then direct I/O "
       "writes (use_direct_io_for_flush_and_compaction) must be disabled. "},
      {"atomic_flush=1;enable_pipelined_write=1",
       "Invalid argument: atomic_flush is incompatible with enable_pipelined_write"},
      {"unordered_write=1;enable_pipelined_write=1",
       "Invalid argument: unordered_write is incompatible with enable_pipelined_write"},
      {"unordered_write=1;allow_concurrent_memtable_write=0",
       "Invalid argument: unordered_write is incompatible with !allow_concurrent_memtable_write"},
      {"unordered_write=1;max_successive_merges=1",
       "Invalid argument: max_successive_merges larger than 0 is currently inconsistent with "
       "unordered_write"},
      {"inplace_update_support=1",
       "Invalid argument: In-place memtable updates (inplace_update_support) is not compatible "
       "with concurrent writes (allow_concurrent_memtable_write)"},
      {"memtable=prefix_hash:4;prefix_extractor=fixed:1",
       "Invalid argument: Memtable doesn't allow concurrent writes "
       "(allow_concurrent_memtable_write)"},
      {"memtable=vector", "OK"},
      {"compression=kXpressCompression",
       "Invalid argument: Compression type Xpress is not linked with the binary."},
      {"compression_per_level=kNoCompression:kXpressCompression",
       "Invalid argument: Compression type Xpress is not linked with the binary."},
      {"compaction_style=kCompactionStyleFIFO;ttl=5;max_open_files=100",
       "Not implemented: FIFO compaction only supported with max_open_files = -1."},
      {"table_factory=PlainTable;ttl=5",
       "Not implemented: TTL is only supported in Block-Based Table format. "},
      {"table_factory=PlainTable;ttl=0;periodic_compaction_seconds=5",
       "Not implemented: Periodic Compaction is only supported in Block-Based Table format. "},
      {"table_factory=PlainTable", "OK"},
      {"memtable_protection_bytes_per_key=3",
       "Not implemented: Memtable per key-value checksum protection only supports 0, 1, 2, 4 or 8 "
       "bytes per key."},
      {"enable_blob_garbage_collection=1;blob_garbage_collection_age_cutoff=2",
       "Invalid argument: The age cutoff for blob garbage collection should be in the range [0.0, "
       "1.0]."},
      {"enable_blob_garbage_collection=1;blob_garbage_collection_force_threshold=-1",
       "Invalid argument: The garbage ratio threshold for forcing blob garbage collection should "
       "be in the range [0.0, 1.0]."},
      {"block_based_table_factory={block_size=5G}",
       "Invalid argument: block size exceeds maximum number (4GiB) allowed"},
      {"block_based_table_factory={format_version=8}",
       "Invalid argument: Unsupported BlockBasedTable format_version. Please check "
       "include/rocksdb/table.h for more info"},
      {"block_based_table_factory={index_type=kHashSearch}",
       "Invalid argument: Hash index is specified for block-based table, but prefix_extractor is "
       "not given"},
      {"block_based_table_factory={no_block_cache=1;cache_index_and_filter_blocks=1}",
       "Invalid argument: Enable cache_index_and_filter_blocks, , but block cache is disabled"},
      {"block_based_table_factory={block_align=1}",
       "Invalid argument: Enable block_align, but compression enabled"},
      {"compression_opts={zstd_max_train_bytes=100}",
       "Invalid argument: The dictionary size limit (`CompressionOptions::max_dict_bytes`) should "
       "be nonzero if we're using zstd's dictionary generator."},
      {"write_dbid_to_manifest=0;write_identity_file=0",
       "Invalid argument: write_dbid_to_manifest and write_identity_file cannot both be false"},
      {"num_levels=0;max_write_buffer_number=0", "OK"},
  };
  for (const Case& c : cases) {
    DbOptions db;
    ColumnFamilyOptions family;
    ASSERT_TRUE(OptionsFromString(OptionReading(), c.options, &db, &family).ok()) << c.options;
    db = SanitizedDb(db);
    Status s = Validate(db);
    if (s.ok()) s = Validate(db, Sanitize(db, family));
    EXPECT_EQ(s.ToString(), c.error) << c.options;
  }
}

TEST(Validate, AllowsFourPathsAndOneForFifo) {
  DbOptions db;
  for (int i = 0; i < 5; i++) db.db_paths.push_back({Concat("/p", i), 10});
  EXPECT_EQ(Validate(SanitizedDb(db)).ToString(),
            "Not implemented: More than four DB paths are not supported yet. ");
  db.db_paths.resize(2);
  db = SanitizedDb(db);
  EXPECT_TRUE(Validate(db).ok());
  ColumnFamilyOptions fifo;
  fifo.compaction_style = CompactionStyle::kFIFO;
  EXPECT_EQ(Validate(db, Sanitize(db, fifo)).ToString(),
            "Not implemented: More than one DB paths are only supported in universal and level "
            "compaction styles. ");
}

TEST(ApplyColumnFamilyOptions, ChangesWhatMayChange) {
  Result<ColumnFamilyOptions> changed = ApplyColumnFamilyOptions(
      SanitizedDb(), SanitizedFamily(),
      {{"write_buffer_size", "1048576"},
       {"ttl", "100"},
       {"compression", "kNoCompression"},
       {"disable_auto_compactions", "true"},
       {"prefix_extractor", "fixed:3"},
       {"compaction_options_universal", "{size_ratio=7}"},
       {"compression_opts.level", "5"},
       {"bottommost_compression_opts", "4:5:6:7"},
       {"level0_file_num_compaction_trigger", "-5"},
       {"max_write_buffer_number", "1"},
       {"soft_rate_limit", "x"},
       {"table_factory.block_size", "8192"},
       {"block_based_table_factory", "{cache_index_and_filter_blocks=true}"}});
  ASSERT_TRUE(changed.ok()) << changed.status().ToString();
  EXPECT_EQ(changed->write_buffer_size, 1048576u);
  EXPECT_EQ(changed->compression_opts.level, 5);
  EXPECT_EQ(changed->bottommost_compression_opts.max_dict_bytes, 7u);
  EXPECT_EQ(changed->level0_file_num_compaction_trigger, -5);  // Ranges are not corrected again.
  EXPECT_EQ(changed->max_write_buffer_number, 1);
  EXPECT_EQ(changed->table_factory.block_based.block_size, 8192u);
  EXPECT_TRUE(changed->table_factory.block_based.cache_index_and_filter_blocks);
  EXPECT_EQ(changed->prefix_extractor->Name(), "rocksdb.FixedPrefix.3");
}

TEST(ApplyColumnFamilyOptions, RefusesTheRestAndNamesIt) {
  const auto error = [](const ChangeMap& changes) {
    return ApplyColumnFamilyOptions(SanitizedDb(), SanitizedFamily(), changes).status().ToString();
  };
  EXPECT_EQ(error({}), "Invalid argument: empty input");
  for (const char* name :
       {"num_levels", "comparator", "merge_operator", "compaction_style", "compaction_pri",
        "level_compaction_dynamic_level_bytes", "memtable_factory", "inplace_update_support",
        "compaction_measure_io_stats"}) {
    EXPECT_EQ(error({{name, "1"}}), Concat("Invalid argument: Option not changeable: ", name));
  }
  for (const char* name : {"foo", "max_open_files"}) {
    EXPECT_EQ(error({{name, "1"}}),
              Concat("Invalid argument: Extra option not recognized: ", name));
  }
  EXPECT_EQ(error({{"block_based_table_factory", "{foo=8}"}}),
            "Invalid argument: Extra option not recognized: block_based_table_factory");
  EXPECT_EQ(error({{"write_buffer_size", "x"}}),
            "Invalid argument: Error parsing write_buffer_size:stoull");
  EXPECT_EQ(error({{"compaction_options_fifo",
                    "{file_temperature_age_thresholds={{temperature=kWarm;age=10}}}"}}),
            "Not implemented: Option file_temperature_age_thresholds only supports FIFO "
            "compaction.");
}

TEST(ApplyDbOptions, ChangesWhatMayChangeAndRefusesTheRest) {
  Result<DbOptions> changed =
      ApplyDbOptions(SanitizedDb(), {{"max_background_jobs", "5"}, {"bytes_per_sync", "0"}});
  ASSERT_TRUE(changed.ok());
  EXPECT_EQ(changed->max_background_jobs, 5);
  EXPECT_EQ(changed->bytes_per_sync, 1u << 20);

  const auto error = [](const ChangeMap& changes) {
    return ApplyDbOptions(SanitizedDb(), changes).status().ToString();
  };
  EXPECT_EQ(error({}), "Invalid argument: empty input");
  for (const char* name : {"create_if_missing", "wal_dir", "foo"}) {
    EXPECT_EQ(error({{name, "1"}}), Concat("NotFound: Unrecognized option: ", name));
  }
  EXPECT_EQ(error({{"max_background_jobs", "x"}}),
            "Invalid argument: Error parsing max_background_jobs:stoi");
}

TEST(BackgroundLimits, ShareTheJobsBetweenFlushesAndCompactions) {
  DbOptions options;
  options.max_background_jobs = 8;
  EXPECT_EQ(ComputeBackgroundLimits(options, /*speed_up=*/true).flushes, 2);
  EXPECT_EQ(ComputeBackgroundLimits(options, /*speed_up=*/true).compactions, 6);
  EXPECT_EQ(ComputeBackgroundLimits(options, /*speed_up=*/false).compactions, 1);
  options.max_background_compactions = 3;
  EXPECT_EQ(ComputeBackgroundLimits(options, /*speed_up=*/true).compactions, 3);
  EXPECT_EQ(ComputeBackgroundLimits(options, /*speed_up=*/true).flushes, 1);
}

TEST(CompressionOfLevel, FollowsLevelsFromTheBaseOn) {
  ColumnFamilyOptions options;
  options.compression_per_level = {CompressionType::kNone, CompressionType::kSnappy,
                                   CompressionType::kZstd};
  options.bottommost_compression = CompressionType::kZlib;
  EXPECT_EQ(CompressionOfLevel(options, 0, 4, false), CompressionType::kNone);
  EXPECT_EQ(CompressionOfLevel(options, 4, 4, false), CompressionType::kSnappy);
  EXPECT_EQ(CompressionOfLevel(options, 6, 4, false), CompressionType::kZstd);
  EXPECT_EQ(CompressionOfLevel(options, 6, 4, true), CompressionType::kZlib);
}

TEST(Presets, SetWhatTheirNamesSay) {
  DbOptions db;
  ColumnFamilyOptions family;
  PrepareForBulkLoad(&db, &family);
  EXPECT_TRUE(family.disable_auto_compactions);
  EXPECT_EQ(family.num_levels, 2);
  ColumnFamilyOptions level;
  OptimizeLevelStyleCompaction(512 << 20, &level);
  EXPECT_EQ(level.write_buffer_size, size_t{128} << 20);
  ASSERT_EQ(level.compression_per_level.size(), 7u);
  EXPECT_EQ(level.compression_per_level[1], CompressionType::kNone);
  EXPECT_EQ(level.compression_per_level[2], CompressionType::kLz4);
}

// docs/options.md, as the rows have it.
std::string OptionsDocument() {
  std::string text =
      "# Options\n\n"
      "Every option of a database, a column family and a block-based table: its default, whether "
      "an open\ndatabase can change it (`SetOptions`, `SetDBOptions`), and what it does. Made from "
      "the rows in\n`core/options/*.def`; `SKARN_REWRITE=1 unit_options` writes this file anew. "
      "Lines that begin with\n\"No effect\" are options that are accepted, stored and shown, and "
      "the reason why nothing depends on\nthem.\n";
  const auto table = [&text](const char* title, const auto& rows) {
    text += Concat("\n## ", title, "\n\n| option | type | default | changes | what it does |\n",
                   "|---|---|---|---|---|\n");
    for (const auto& row : rows) {
      text += Concat("| `", row.name, "` | `", row.type, "` | `", row.default_value, "` | ",
                     row.changes == Changes::kWhileOpen ? "while open" : "at open", " | ",
                     row.summary, " |\n");
    }
  };
  table("Database", DbOptionRows());
  table("Column family", ColumnFamilyOptionRows());
  table("Block-based table", TableOptionRows());
  text += "\n## Structures\n\n| field | type | default | what it does |\n|---|---|---|---|\n";
#define SKARN_FIELD(structure, name, type, default_value, summary)                                \
  text += Concat("| `" #structure "." #name "` | `" #type "` | `" #default_value "` | ", summary, \
                 " |\n");
#define SKARN_FOREIGN_FIELD SKARN_FIELD
#include "core/options/nested_options.def"
  text +=
      "\n## One read, write, flush or compaction\n\n"
      "Most members of these objects do what the C header says beside their setters. Without "
      "effect are:\n\n| object | member | why |\n|---|---|---|\n"
      "| read | `async_io`, `optimize_multiget_for_io`, `adaptive_readahead`, "
      "`auto_readahead_size` | hints how to overlap reads: the results are the same, and how far "
      "ahead is read follows from what was read |\n"
      "| read | `io_timeout` | files of the operating system offer no reads that give up; as in "
      "RocksDB, only a file system of the caller's could obey it |\n"
      "| read | `allow_unprepared_value` | values are always prepared |\n"
      "| write | `memtable_insert_hint_per_batch` | an insert searches no order that a hint could "
      "shorten |\n"
      "| write | `protection_bytes_per_key` | checked to be 0 or 8; a batch goes from the caller's "
      "memory into the log under the log's checksum, and into the memtable under that of "
      "`memtable_protection_bytes_per_key` |\n"
      "| flush | `listener_wait` | there are no listeners yet |\n";
  return text;
}

TEST(OptionsDocumentTest, MatchesTheRows) {
  const std::string path = SKARN_TEST_DATA "/../../docs/options.md";
  if (getenv("SKARN_REWRITE") != nullptr) std::ofstream(path) << OptionsDocument();
  std::ifstream in(path);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  EXPECT_EQ(text, OptionsDocument()) << "run SKARN_REWRITE=1 unit_options";
}

}  // namespace
}  // namespace skarn
