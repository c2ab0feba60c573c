// How options are read and written as text.

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "core/options/option_rows.h"
#include "core/options/option_rules.h"
#include "core/options/option_string.h"
#include "core/options/options_file.h"
#include "core/plugin/merge_operator.h"
#include "core/plugin/slice_transform.h"

namespace skarn {
namespace {

struct Both {
  DbOptions db;
  ColumnFamilyOptions cf;
};

std::string Read(const std::string& text, Both* options) {
  return OptionsFromString(OptionReading(), text, &options->db, &options->cf).ToString();
}

std::string ErrorOf(const std::string& text) {
  Both options;
  return Read(text, &options);
}

TEST(OptionString, SetsDatabaseAndColumnFamilyOptionsFromOneText) {
  Both options;
  ASSERT_EQ(Read("max_open_files=7;write_buffer_size=1M;compression=kZSTD", &options), "OK");
  EXPECT_EQ(options.db.max_open_files, 7);
  EXPECT_EQ(options.cf.write_buffer_size, size_t{1} << 20);
  EXPECT_EQ(options.cf.compression, CompressionType::kZstd);
}

TEST(OptionString, ReadsNumbersAsAPrefixWithASuffix) {
  const std::pair<const char*, uint64_t> cases[] = {{"12", 12},
                                                    {" 12x", 12},
                                                    {"1.5M", 1},
                                                    {"0x10", 0},
                                                    {"3k", 3 << 10},
                                                    {"3K", 3 << 10},
                                                    {"2g", uint64_t{2} << 30},
                                                    {"1T", uint64_t{1} << 40},
                                                    {"-1", ~uint64_t{0}}};
  for (const auto& [text, value] : cases) {
    Both options;
    ASSERT_EQ(Read(Concat("max_total_wal_size=", text), &options), "OK") << text;
    EXPECT_EQ(options.db.max_total_wal_size, value) << text;
  }
}

// Each of these is what genuine programs compare with.
TEST(OptionString, NamesWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"a=1;;", "Invalid argument: Unexpected char in key"},
      {"=1", "Invalid argument: Empty key found"},
      {"a", "Invalid argument: Mismatched key value pair, '=' expected"},
      {"write_buffer_size={55", "Invalid argument: Mismatched curly braces for nested options"},
      {"write_buffer_size={55}x", "Invalid argument: Unexpected chars after nested options"},
      {"{write_buffer_size=55};num_levels=3", "Invalid argument: Unexpected char in key"},
      {"foo=1", "Invalid argument: Extra option not recognized: foo"},
      {"foo.bar=1", "Invalid argument: Extra option not recognized: foo.bar"},
      {"db_paths=x", "Invalid argument: Extra option not recognized: db_paths"},
      {"block_based_table_factory={foo=1}",
       "Invalid argument: Extra option not recognized: block_based_table_factory"},
      {"write_buffer_size=x", "Invalid argument: Error parsing write_buffer_size:stoull"},
      {"write_buffer_size=", "Invalid argument: Error parsing write_buffer_size:stoull"},
      {"write_buffer_size=99999999999999999999",
       "Invalid argument: Error parsing write_buffer_size:stoull"},
      {"num_levels=99999999999", "Invalid argument: Error parsing num_levels:stoi"},
      {"max_subcompactions=-1", "Invalid argument: Error parsing max_subcompactions:-1"},
      {"max_bytes_for_level_multiplier=x",
       "Invalid argument: Error parsing max_bytes_for_level_multiplier:stod"},
      {"create_if_missing=x", "Invalid argument: Error parsing create_if_missing:"},
      {"compression=foo", "Invalid argument: Error parsing:: compression"},
      {"compaction_style=foo", "Invalid argument: Error parsing:: compaction_style"},
      {"wal_recovery_mode=foo", "Invalid argument: No mapping for enum : wal_recovery_mode"},
      {"compression_opts={foo=1}", "Invalid argument: Unrecognized option: compression_opts.foo"},
      {"compression_opts.foo=1", "Invalid argument: Unrecognized option: compression_opts.foo"},
      {"compression_opts={level=x}", "Invalid argument: Error parsing level:stoi"},
      {"compression_opts=4:5:6:x", "Invalid argument: Error parsing compression_opts:stoull"},
      {"compression_opts=x", "Invalid argument: Error parsing compression_opts:stoi"},
      {"comparator=", "Invalid argument: Missing configurable object: comparator"},
      {"compression_opts=4:5",
       "Invalid argument: unable to parse the specified CF option compression_opts"},
      {"compression_per_level=kNoCompression:foo",
       "Invalid argument: Error parsing:: compression_per_level"},
      {"max_bytes_for_level_multiplier_additional=1:x",
       "Invalid argument: Error parsing max_bytes_for_level_multiplier_additional:stoi"},
      {"block_based_table_factory={block_cache=foo}",
       "Invalid argument: Error parsing block_cache:stoull"},
      {"block_based_table_factory={index_type=foo}",
       "Invalid argument: No mapping for enum : index_type"},
  };
  for (const auto& [text, error] : cases) EXPECT_EQ(ErrorOf(text), error) << text;
}

TEST(OptionString, LeavesTheOptionsAsTheyWereOnAnError) {
  Both options;
  options.db.max_open_files = 5;
  EXPECT_NE(Read("max_open_files=7;foo=1", &options), "OK");
  EXPECT_EQ(options.db.max_open_files, 5);
}

TEST(OptionString, AcceptsObjectsNobodyKnowsAndKeepsTheValue) {
  for (const char* text :
       {"comparator=foo", "merge_operator=foo", "table_factory=foo", "statistics=foo", "env=foo",
        "wal_filter=foo", "sst_partitioner_factory=foo", "prefix_extractor=fixed:x", "memtable=foo",
        "block_based_table_factory={filter_policy=foo}", "soft_rate_limit=1",
        "memtable_prefix_bloom_bits=anything", "block_based_table_factory=foo"}) {
    Both options;
    EXPECT_EQ(Read(text, &options), "OK") << text;
    EXPECT_EQ(options.cf.comparator, BytewiseComparator()) << text;
  }
}

TEST(OptionString, ReadsNestedStructuresInAllTheirForms) {
  Both options;
  ASSERT_EQ(Read("compression_opts=4:5:6:7:8:true;compaction_options_universal={size_ratio=7;"
                 "stop_style=kCompactionStopStyleSimilarSize};compaction_options_fifo=9;"
                 "bottommost_compression_opts.level=3;"
                 "block_based_table_factory={block_size=8K;index_type=kTwoLevelIndexSearch;"
                 "metadata_cache_options={partition_pinning=kAll}};table_factory.checksum=kCRC32c",
                 &options),
            "OK");
  EXPECT_EQ(options.cf.compression_opts.window_bits, 4);
  EXPECT_EQ(options.cf.compression_opts.zstd_max_train_bytes, 8u);
  EXPECT_TRUE(options.cf.compression_opts.enabled);
  EXPECT_EQ(options.cf.compression_opts.parallel_threads, 1u);
  EXPECT_EQ(options.cf.compaction_options_universal.size_ratio, 7u);
  EXPECT_EQ(options.cf.compaction_options_universal.min_merge_width, 2u);
  EXPECT_EQ(options.cf.compaction_options_fifo.max_table_files_size, 9u);
  EXPECT_EQ(options.cf.bottommost_compression_opts.level, 3);
  const TableOptions& table = options.cf.table_factory.block_based;
  EXPECT_EQ(table.block_size, 8192u);
  EXPECT_EQ(table.index_type, IndexType::kTwoLevelIndexSearch);
  EXPECT_EQ(table.metadata_cache_options.partition_pinning, PinningTier::kAll);
  EXPECT_EQ(table.checksum, ChecksumType::kCrc32c);
}

TEST(OptionString, MakesObjectsFromTheirNames) {
  Both options;
  ASSERT_EQ(Read("prefix_extractor=capped:5;comparator=rocksdb.ReverseBytewiseComparator;"
                 "merge_operator={id=StringAppendOperator;delimiter=xy};"
                 "sst_partitioner_factory={id=SstPartitionerFixedPrefixFactory;length=3};"
                 "memtable=prefix_hash:44;"
                 "block_based_table_factory={filter_policy=ribbonfilter:8:3};"
                 "compaction_options_fifo={file_temperature_age_thresholds="
                 "{{temperature=kWarm;age=10}:{temperature=kCold;age=100}}}",
                 &options),
            "OK");
  EXPECT_EQ(options.cf.prefix_extractor->Name(), "rocksdb.CappedPrefix.5");
  EXPECT_EQ(options.cf.comparator, ReverseBytewiseComparator());
  std::string merged;
  ASSERT_TRUE(options.cf.merge_operator->FullMerge("k", nullptr, {"a", "b"}, &merged));
  EXPECT_EQ(merged, "axyb");
  EXPECT_EQ(options.cf.sst_partitioner_factory->fixed_prefix_length, 3u);
  EXPECT_EQ(options.cf.memtable_factory.kind, MemtableFactory::Kind::kHashSkipList);
  EXPECT_EQ(options.cf.memtable_factory.bucket_count, 44u);
  const FilterPolicy& policy = *options.cf.table_factory.block_based.filter_policy;
  EXPECT_EQ(policy.kind, FilterPolicy::Kind::kRibbon);
  EXPECT_EQ(policy.bits_per_key, 8);
  EXPECT_EQ(policy.bloom_before_level, 3);
  const auto& ages = options.cf.compaction_options_fifo.file_temperature_age_thresholds;
  ASSERT_EQ(ages.size(), 2u);
  EXPECT_EQ(ages[1].temperature, Temperature::kCold);
  EXPECT_EQ(ages[1].age, 100u);
}

// A row whose text form cannot be read back would lose what a database was opened with.
TEST(OptionRows, EveryRowReadsWhatItWrites) {
  Both options;
  ASSERT_EQ(Read("prefix_extractor=fixed:3;merge_operator=uint64add;memtable=vector:4;"
                 "block_based_table_factory={filter_policy=bloomfilter:9.5:false};"
                 "compression_per_level=kNoCompression:kZSTD;wal_dir=/a#b:c",
                 &options),
            "OK");
  for (const auto& row : DbOptionRows()) {
    if (!row.in_text) continue;
    std::string text, again;
    row.print(options.db, &text);
    DbOptions changed;
    ASSERT_TRUE(row.parse(OptionReading(), row.name, text, &changed).ok()) << row.name;
    if (std::string(row.type) == "std::string") continue;  // Escaped in print, raw in parse.
    row.print(changed, &again);
    EXPECT_EQ(text, again) << row.name;
  }
  for (const auto& row : ColumnFamilyOptionRows()) {
    if (!row.in_text) continue;
    std::string text, again;
    row.print(options.cf, &text);
    ColumnFamilyOptions changed;
    ASSERT_TRUE(row.parse(OptionReading(), row.name, text, &changed).ok()) << row.name << text;
    row.print(changed, &again);
    EXPECT_EQ(text, again) << row.name;
  }
  for (const auto& row : TableOptionRows()) {
    if (!row.in_text) continue;
    std::string text, again;
    row.print(options.cf.table_factory.block_based, &text);
    TableOptions changed;
    ASSERT_TRUE(row.parse(OptionReading(), row.name, text, &changed).ok()) << row.name;
    row.print(changed, &again);
    EXPECT_EQ(text, again) << row.name;
  }
}

std::string FileContent(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// The statements of a file, in any order within their section.
std::set<std::string> Statements(const std::string& text) {
  std::set<std::string> statements;
  std::string section, line;
  std::istringstream in(text);
  while (std::getline(in, line)) {
    if (line.empty() || line[0] == '#') continue;
    if (line[0] == '[') section = line;
    statements.insert(section + line);
  }
  return statements;
}

class GenuineOptionsFile : public testing::TestWithParam<const char*> {};

TEST_P(GenuineOptionsFile, IsReadWithEveryNameKnownAndWrittenAgain) {
  const std::string path = Concat(SKARN_TEST_DATA "/options/", GetParam(), ".ini");
  const std::string text = FileContent(path);
  ASSERT_FALSE(text.empty()) << path;
  Result<OptionsFile> file = ParseOptionsFile(OptionReading(), text);
  ASSERT_TRUE(file.ok()) << file.status().ToString();

  const std::string written = OptionsFileText(file->db, file->families);
  Result<OptionsFile> again = ParseOptionsFile(OptionReading(), written);
  ASSERT_TRUE(again.ok()) << again.status().ToString();
  EXPECT_EQ(OptionsFileText(again->db, again->families), written);

  // What the newest release wrote, Skarn writes too: all names, and all values that do
  // not name an object of the caller or differ only in the order of their fields.
  if (file->version_major < 11) return;
  const std::set<std::string> ours = Statements(written);
  for (const std::string& statement : Statements(text)) {
    if (statement.find('{') != std::string::npos ||
        statement.find("golden.cat") != std::string::npos ||
        statement.find("filter_policy=") != std::string::npos) {
      continue;
    }
    EXPECT_EQ(ours.count(statement), 1u) << statement;
  }
}

INSTANTIATE_TEST_SUITE_P(OfAllReleases, GenuineOptionsFile,
                         testing::Values("6.29.5-per-level-compression", "6.29.5-plain-table",
                                         "6.29.5-cuckoo-table", "7.8.3-per-level-compression",
                                         "7.8.3-fv5-zstd-ribbon", "7.8.3-cuckoo-table",
                                         "10.10.1-per-level-compression", "10.10.1-plain-table",
                                         "11.8.1-per-level-compression", "11.8.1-fv5-zstd-ribbon",
                                         "11.8.1-plain-table", "11.8.1-cuckoo-table"),
                         [](const auto& which) {
                           std::string name = which.param;
                           for (char& c : name) {
                             if (!isalnum(static_cast<unsigned char>(c))) c = '_';
                           }
                           return name;
                         });

TEST(OptionsFile, KeepsColumnFamilyNamesWithQuotesAndComments) {
  DbOptions db;
  db.wal_dir = "/logs/a#b:c\\d";
  const std::string odd = "we:ird #1\"x\" y";
  const std::string text = OptionsFileText(db, {{"default", {}}, {odd, {}}});
  EXPECT_NE(text.find("[CFOptions \"we\\:ird \\#1\"x\" y\"]"), std::string::npos);
  Result<OptionsFile> file = ParseOptionsFile(OptionReading(), text);
  ASSERT_TRUE(file.ok()) << file.status().ToString();
  ASSERT_EQ(file->families.size(), 2u);
  EXPECT_EQ(file->families[1].name, odd);
  EXPECT_EQ(file->db.wal_dir, db.wal_dir);
}

TEST(OptionsFile, RefusesDamagedFilesWithTheLine) {
  const std::string parser = "Invalid argument: [RocksDBOptionsParser Error] : ";
  const std::string head = "[Version]\nrocksdb_version=11.8.1\noptions_file_version=1.1\n";
  const std::pair<std::string, std::string> cases[] = {
      {"", "Corruption: A RocksDB Option file must have a single DBOptions section"},
      {head + "[DBOptions]\n",
       "Corruption: A RocksDB Option file must have a single CFOptions:default section"},
      {head + "[DBOptions]\nabc\n", parser + "A valid statement must have a '='. (at line 5)"},
      {head + "[DBOptions]\n=1\n",
       parser + "A valid statement must have a variable name. (at line 5)"},
      {head + "[DBOptions]\n\n[DBOptions]\n",
       parser + "More than one DBOption section found in the option config file (at line 6)"},
      {head + "[DBOptions]\n[CFOptions \"x\"]\n",
       parser +
           "Default column family must be the first CFOptions section in the option config file "
           "(at line 5)"},
      {head + "[DBOptions]\n[CFOptions \"default\"]\n[CFOptions \"default\"]\n",
       parser + "Two identical column families found in option config file (at line 6)"},
      {head + "[DBOptions]\n[CFOptions \"default\"]\n[TableOptions/BlockBasedTable \"y\"]\n",
       parser +
           "Does not find a matched column family name in TableOptions section.  Column Family "
           "Name:y (at line 6)"},
      {head + head, parser +
                        "More than one Version section found in the option config file. (at line "
                        "4)"},
      {head + "[Foo]\n", "Invalid argument: Unknown section [Foo]"},
      {head + "[DBOptions]\nnot_an_option=1\n",
       "Invalid argument: Extra option not recognized: not_an_option"},
  };
  for (const auto& [text, error] : cases) {
    Result<OptionsFile> file = ParseOptionsFile(OptionReading(), text);
    ASSERT_FALSE(file.ok()) << text;
    EXPECT_EQ(file.status().ToString(), error) << text;
  }
}

TEST(OptionsFile, IgnoresUnknownNamesOnlyOfNewerReleases) {
  const auto text = [](const char* version) {
    return Concat("[Version]\nrocksdb_version=", version,
                  "\noptions_file_version=1.1\n[DBOptions]\nfuture=1\n[CFOptions \"default\"]\n");
  };
  OptionReading lenient;
  lenient.ignore_unknown = true;
  EXPECT_TRUE(ParseOptionsFile(lenient, text("12.0.0")).ok());
  EXPECT_FALSE(ParseOptionsFile(lenient, text("11.8.1")).ok());
  EXPECT_FALSE(ParseOptionsFile(lenient, text("7.8.3")).ok());
  EXPECT_FALSE(ParseOptionsFile(OptionReading(), text("12.0.0")).ok());
}

TEST(OptionsFile, SurvivesAnyTruncationAndBitFlip) {
  const std::string text = OptionsFileText(DbOptions(), {{"default", {}}, {"other", {}}});
  for (size_t size = 0; size < text.size(); size += 7) {
    (void)ParseOptionsFile(OptionReading(), Slice(text.data(), size)).ok();
  }
  for (size_t at = 0; at < text.size(); at += 5) {
    for (const int bit : {0, 3, 7}) {
      std::string flipped = text;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      (void)ParseOptionsFile(OptionReading(), flipped).ok();
    }
  }
}

TEST(OptionsFile, IsWrittenUnderItsNameAndFoundAsTheNewest) {
  std::unique_ptr<FileSystem> fs = NewMemoryFileSystem();
  ASSERT_TRUE(fs->CreateDir("/db").ok());
  EXPECT_EQ(LatestOptionsFileName(fs.get(), "/db").status().ToString(),
            "NotFound: No such file or directory: No options files found in the DB directory.: "
            "/db");
  DbOptions db;
  db.max_open_files = 321;
  ASSERT_TRUE(WriteOptionsFile(fs.get(), "/db", 9, DbOptions(), {{"default", {}}}).ok());
  ASSERT_TRUE(WriteOptionsFile(fs.get(), "/db", 12, db, {{"default", {}}}).ok());
  EXPECT_TRUE(fs->FileExists("/db/OPTIONS-000009").ok());
  ASSERT_TRUE(LatestOptionsFileName(fs.get(), "/db").ok());
  EXPECT_EQ(*LatestOptionsFileName(fs.get(), "/db"), "OPTIONS-000012");
  Result<OptionsFile> loaded = LoadLatestOptionsFile(OptionReading(), fs.get(), "/db");
  ASSERT_TRUE(loaded.ok()) << loaded.status().ToString();
  EXPECT_EQ(loaded->db.max_open_files, 321);
  std::vector<std::string> names;
  ASSERT_TRUE(fs->GetChildren("/db", &names).ok());
  EXPECT_EQ(names.size(), 2u);  // No temporary file is left.
}

}  // namespace
}  // namespace skarn
