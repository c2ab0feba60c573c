// TableBuilder under crosses of its options: every file is taken apart strictly and must
// hold what was added. SKARN_KEEP_FILES=<directory> also leaves the files there, for
// checks with other programs.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <string>

#include "core/cache/cache.h"
#include "core/env/deterministic_pool.h"
#include "core/key/internal_key.h"
#include "core/plugin/slice_transform.h"
#include "core/table/index_builder.h"
#include "core/table/table_builder.h"
#include "tests/unit/table/builder_file_walk.h"

namespace skarn {
namespace {

const KeyOrder& Bytewise() {
  static const KeyOrder order(BytewiseComparator());
  return order;
}

struct Content {
  std::vector<FileWalk::Entry> entries;     // Packed, in order.
  std::vector<FileWalk::Entry> tombstones;  // Packed start, end.
};

// Keys with shared beginnings, some with several versions of several kinds.
Content RandomContent(uint32_t seed, size_t count, bool external) {
  std::mt19937 random(seed);
  Content content;
  char text[64];
  for (size_t i = 0; i < count; ++i) {
    snprintf(text, sizeof(text), "p%02zu/key%07zu%s", i * 40 / count, i * 3,
             random() % 16 == 0 ? "/with/a/longer/tail" : "");
    const int versions = !external && random() % 10 == 0 ? 1 + static_cast<int>(random() % 12) : 1;
    for (int v = 0; v < versions; ++v) {
      static constexpr EntryKind kKinds[] = {EntryKind::kValue, EntryKind::kDeletion,
                                             EntryKind::kMerge, EntryKind::kSingleDeletion,
                                             EntryKind::kValue, EntryKind::kValue};
      // Files for ingestion have no single deletions.
      const EntryKind kind = kKinds[random() % (external ? 3 : 6)];
      std::string value;
      if (kind == EntryKind::kValue || kind == EntryKind::kMerge) {
        const size_t size = random() % 200 == 0 ? 9000 : random() % 120;
        while (value.size() < size) value += "value-" + std::to_string(random() % 50) + " ";
        value.resize(size);
      }
      const SequenceNumber sequence = external ? 0 : 1000 + (count - i) * 20 - v;
      content.entries.emplace_back(PackKey(text, PackTag(sequence, kind)), value);
    }
  }
  for (int i = 0; i < 5; ++i) {
    snprintf(text, sizeof(text), "p%02d/", i * 7);
    const std::string start = text;
    snprintf(text, sizeof(text), "p%02d/zz", i * 7 + 2);
    content.tombstones.emplace_back(
        PackKey(start, PackTag(external ? 0 : 500 + i, EntryKind::kRangeDeletion)), text);
  }
  return content;
}

TableBuilderOptions BaseOptions() {
  TableBuilderOptions options;
  options.order = &Bytewise();
  options.column_family_name = "default";
  options.db_id = "11111111-2222-3333-4444-555555555555";
  options.db_session_id = "ABCDEFGHIJ0123456789";
  options.db_host_id = "host.example";
  options.file_number = 12;
  options.creation_time = 1700000000;
  options.target_file_size = 64 << 20;
  return options;
}

std::string Write(const TableBuilderOptions& options, const Content& content,
                  TableProperties* properties = nullptr) {
  std::string bytes;
  FileWriter file(std::make_unique<StringFile>(&bytes), "file", FileOptions(),
                  FileWriter::Options());
  TableBuilder builder(options, &file);
  for (const auto& [key, value] : content.entries) {
    builder.Add(PackedUserKey(key), PackedTag(key), value);
  }
  for (const auto& [key, end] : content.tombstones) {
    builder.AddRangeDeletion(PackedUserKey(key), end, TagSequence(PackedTag(key)));
  }
  const uint64_t estimate = builder.estimated_file_size_bytes();
  const Status s = builder.Finish();
  EXPECT_TRUE(s.ok()) << s.ToString();
  EXPECT_TRUE(file.Flush().ok());
  EXPECT_EQ(builder.file_size_bytes(), bytes.size());
  EXPECT_EQ(builder.entry_count(), content.entries.size() + content.tombstones.size());
  if (bytes.size() > 20000) {
    EXPECT_GT(estimate, bytes.size() / 4);
    EXPECT_LT(estimate, bytes.size() * 8);
  }
  if (properties != nullptr) *properties = builder.properties();
  return bytes;
}

void Keep(const std::string& name, const std::string& bytes) {
  const char* directory = getenv("SKARN_KEEP_FILES");
  if (directory == nullptr) return;
  std::ofstream(std::string(directory) + "/" + name + ".sst", std::ios::binary) << bytes;
}

// Everything that must hold of any file with this content.
void Check(const TableBuilderOptions& options, const Content& content, const std::string& bytes) {
  const FileWalk walk(bytes);
  ASSERT_EQ(walk.error, "");
  ASSERT_EQ(walk.entries, content.entries);
  ASSERT_EQ(walk.tombstones, content.tombstones);
  // Separators lie between their blocks.
  for (size_t i = 0; i < walk.index.size(); ++i) {
    const auto flavour = [&](const std::string& packed) {
      return walk.properties.index_key_is_user_key != 0 ? packed.substr(0, packed.size() - 8)
                                                        : packed;
    };
    const std::string last = flavour(walk.entries[walk.block_ends[i] - 1].first);
    ASSERT_FALSE(walk.Below(walk.index[i].separator, last)) << "separator before its block's end";
    if (i + 1 < walk.index.size()) {
      const std::string next = flavour(walk.entries[walk.block_ends[i]].first);
      ASSERT_TRUE(walk.Below(walk.index[i].separator, next)) << "separator past the next block";
    }
  }
  // No filter denies a key that is there, nor a prefix where it may be sought.
  const bool have_filter = options.table.filter_policy != nullptr;
  ASSERT_EQ(!walk.filters.empty(),
            have_filter && !content.entries.empty() &&
                (options.table.whole_key_filtering || options.prefix_extractor != nullptr));
  const std::string* previous = nullptr;
  for (const auto& [key, value] : walk.entries) {
    if (walk.filters.empty()) break;
    const std::string user_key = key.substr(0, key.size() - 8);
    const auto target_of = [&](const std::string& user) {
      return walk.properties.index_key_is_user_key != 0
                 ? user
                 : PackKey(user, SeekTag(kMaxSequenceNumber));
    };
    if (options.table.whole_key_filtering) {
      ASSERT_TRUE(walk.MayMatch(user_key, target_of(user_key))) << user_key;
    }
    if (options.prefix_extractor != nullptr && options.prefix_extractor->InDomain(user_key)) {
      const std::string prefix = options.prefix_extractor->Transform(user_key).ToString();
      ASSERT_TRUE(walk.MayMatch(prefix, target_of(user_key)));
      // A seek to just after the key before comes here, too.
      if (previous != nullptr && previous->starts_with(prefix)) {
        ASSERT_TRUE(walk.MayMatch(prefix, target_of(*previous + std::string(1, '\0'))));
      }
      ASSERT_TRUE(walk.MayMatch(prefix, target_of(prefix))) << prefix;
    }
    previous = &key;
  }
  // Keys that are not there are denied, mostly.
  if (have_filter && options.table.whole_key_filtering && content.entries.size() > 300) {
    int maybe = 0;
    for (int i = 0; i < 400; ++i) {
      const std::string absent = "p" + std::to_string(10 + i % 20) + "/absent" + std::to_string(i);
      maybe += walk.MayMatch(absent, walk.properties.index_key_is_user_key != 0
                                         ? absent
                                         : PackKey(absent, kMaxTag))
                   ? 1
                   : 0;
    }
    EXPECT_LT(maybe, 40);
  }
}

struct Case {
  std::string name;
  TableBuilderOptions options;
};

// A cross of what tables can be, thinned so that each pair of settings meets.
std::vector<Case> Cases() {
  std::vector<Case> cases;
  std::mt19937 random(31);
  for (uint32_t version = 2; version <= 7; ++version) {
    for (int i = 0; i < 26; ++i) {
      Case c;
      c.options = BaseOptions();
      TableOptions& table = c.options.table;
      table.format_version = version;
      table.checksum = static_cast<ChecksumType>(random() % 5);
      table.index_type = static_cast<IndexType>(i % 4);
      static constexpr CompressionType kTypes[] = {CompressionType::kNone, CompressionType::kSnappy,
                                                   CompressionType::kZlib, CompressionType::kBZip2,
                                                   CompressionType::kLz4,  CompressionType::kLz4hc,
                                                   CompressionType::kZstd};
      c.options.compression = kTypes[i % 7];
      table.block_size = i % 3 == 0 ? 512 : 4096;
      table.block_restart_interval = i % 5 == 0 ? 1 : 16;
      table.index_block_restart_interval = i % 3 == 1 ? 4 : 1;
      table.metadata_block_size = i % 2 == 0 ? 300 : 4096;
      table.use_delta_encoding = i % 7 != 6;
      table.index_shortening = static_cast<IndexShortening>(random() % 3);
      table.data_block_index_type = static_cast<DataBlockIndexType>(random() % 2);
      table.enable_index_compression = random() % 3 != 0;
      table.separate_key_value_in_data_block = version == 7 && random() % 2 == 0;
      table.uniform_cv_threshold = version == 7 && random() % 2 == 0 ? 0.5 : -1;
      table.detect_filter_construct_corruption = true;
      table.verify_compression = true;
      table.optimize_filters_for_memory = random() % 2 == 0;
      if (i % 3 != 0) {
        auto policy = std::make_shared<FilterPolicy>();
        policy->kind = i % 3 == 1 ? FilterPolicy::Kind::kBloom : FilterPolicy::Kind::kRibbon;
        policy->bloom_before_level = -1;
        table.filter_policy = policy;
        table.partition_filters = table.index_type == IndexType::kTwoLevelIndexSearch;
        table.decouple_partitioned_filters = random() % 2 == 0;
        table.whole_key_filtering = random() % 4 != 0;
      }
      if (table.index_type == IndexType::kHashSearch || random() % 2 == 0 ||
          !table.whole_key_filtering) {
        c.options.prefix_extractor = NewFixedPrefixTransform(4);
      }
      if (i % 4 == 3) {
        c.options.compression_options.max_dict_bytes = 4096;
        c.options.compression_options.zstd_max_train_bytes = i % 8 == 3 ? 65536 : 0;
        c.options.compression_options.use_zstd_dict_trainer = random() % 2 == 0;
        c.options.compression_options.max_dict_buffer_bytes = random() % 2 == 0 ? 60000 : 0;
      }
      if (random() % 4 == 0) c.options.compression_options.parallel_threads = 3;
      if (i == 24) {
        table.block_align = true;
        c.options.compression = CompressionType::kNone;
      }
      if (i == 25) {
        table.super_block_alignment_size = 16384;
        table.super_block_alignment_space_overhead_ratio = 3;
        c.options.compression_options.parallel_threads = 2;
      }
      c.name = Concat("fv", version, "-", i, "-index", static_cast<int>(table.index_type), "-",
                      CodecName(c.options.compression));
      cases.push_back(std::move(c));
    }
  }
  return cases;
}

TEST(BuilderTable, EveryCrossOfOptionsHoldsWhatWasAdded) {
  int n = 0;
  for (const Case& c : Cases()) {
    SCOPED_TRACE(c.name);
    const uint32_t seed = 100 + n;
    const bool external = (n / 2) % 2 == 0;
    const Content content = RandomContent(seed, n % 9 == 8 ? 3 : 700, external);
    TableBuilderOptions options = c.options;
    if (external) {
      // What makes a file fit to be ingested.
      options.extra_properties[kExternalFileVersionProperty] = std::string("\2\0\0\0", 4);
      options.extra_properties[kExternalFileGlobalSequenceProperty] = std::string(8, '\0');
    }
    const std::string bytes = Write(options, content);
    Check(c.options, content, bytes);
    Keep(c.name, bytes);
    ++n;
    if (HasFatalFailure()) return;
  }
  EXPECT_EQ(n, 156);
}

TEST(BuilderTable, FeaturesShowInTheFile) {
  const Content content = RandomContent(5, 3000, /*external=*/true);
  TableBuilderOptions options = BaseOptions();
  options.compression = CompressionType::kZstd;
  options.compression_options.max_dict_bytes = 4096;
  options.compression_options.zstd_max_train_bytes = 100000;
  options.table.data_block_index_type = DataBlockIndexType::kBinaryAndHash;
  options.table.index_type = IndexType::kTwoLevelIndexSearch;
  options.table.metadata_block_size = 512;
  options.table.partition_filters = true;
  options.table.filter_policy = std::make_shared<FilterPolicy>();
  const std::string bytes = Write(options, content);
  Check(options, content, bytes);
  const FileWalk walk(bytes);
  EXPECT_FALSE(walk.dictionary.empty());
  EXPECT_LE(walk.dictionary.size(), 4096u);
  EXPECT_GT(walk.data_block_types.at(7), 10);
  EXPECT_GT(walk.hash_indexed_blocks, 10u);
  EXPECT_GT(walk.properties.index_partitions, 2u);
  EXPECT_GT(walk.filter_index.size(), 2u);
  EXPECT_EQ(walk.properties.compression_name, "BuiltinV2;07;");
  EXPECT_EQ(walk.properties.index_key_is_user_key, 1u);
}

TEST(BuilderTable, SeparatedBlocksAndHashIndexPrefixesShowInTheFile) {
  const Content content = RandomContent(6, 2000, /*external=*/true);
  TableBuilderOptions options = BaseOptions();
  options.table.separate_key_value_in_data_block = true;
  options.table.index_type = IndexType::kHashSearch;
  options.prefix_extractor = NewFixedPrefixTransform(4);
  const std::string bytes = Write(options, content);
  Check(options, content, bytes);
  const FileWalk walk(bytes);
  EXPECT_EQ(walk.separated_blocks, walk.index.size());
  EXPECT_EQ(walk.properties.separate_key_value_in_data_block, 1u);

  // Each prefix's blocks are those that hold its keys.
  Slice prefixes = walk.hash_prefixes;
  Slice metadata = walk.hash_metadata;
  std::map<std::string, std::pair<uint32_t, uint32_t>> found;
  while (!metadata.empty()) {
    uint32_t size = 0;
    uint32_t first = 0;
    uint32_t count = 0;
    ASSERT_TRUE(GetVarint32(&metadata, &size) && GetVarint32(&metadata, &first) &&
                GetVarint32(&metadata, &count));
    ASSERT_LE(size, prefixes.size());
    found[std::string(prefixes.data(), size)] = {first, count};
    prefixes.RemovePrefix(size);
  }
  EXPECT_TRUE(prefixes.empty());
  std::map<std::string, std::set<uint32_t>> blocks;
  size_t entry = 0;
  for (uint32_t block = 0; block < walk.block_ends.size(); ++block) {
    for (; entry < walk.block_ends[block]; ++entry) {
      blocks[walk.entries[entry].first.substr(0, 4)].insert(block);
    }
  }
  ASSERT_EQ(found.size(), blocks.size());
  for (const auto& [prefix, set] : blocks) {
    EXPECT_EQ(found[prefix].first, *set.begin());
    EXPECT_EQ(found[prefix].second, set.size());
  }
}

TEST(BuilderTable, ThreadsChangeNothingInTheFile) {
  const Content content = RandomContent(8, 4000, /*external=*/false);
  for (const uint32_t dictionary : {0u, 2048u}) {
    std::string bytes[2];
    for (const uint32_t threads : {1u, 4u}) {
      TableBuilderOptions options = BaseOptions();
      options.compression = CompressionType::kLz4;
      options.compression_options.parallel_threads = threads;
      options.compression_options.max_dict_bytes = dictionary;
      options.compression_options.max_dict_buffer_bytes = 100000;
      bytes[threads == 1 ? 0 : 1] = Write(options, content);
    }
    // Only the description of the options differs, by the number of threads not at all.
    EXPECT_EQ(bytes[0], bytes[1]) << dictionary;
  }
}

// Threads that happen to be free, or never are, or are taken away in the middle.
TEST(BuilderTable, HelpersChangeNothingInTheFile) {
  const Content content = RandomContent(8, 25000, /*external=*/false);
  TableBuilderOptions options = BaseOptions();
  options.compression = CompressionType::kLz4;
  options.table.filter_policy = std::make_shared<FilterPolicy>();
  const std::string alone = Write(options, content);
  ASSERT_GT(alone.size(), 8 * kBatchBytes);

  const std::unique_ptr<ThreadPool> threads = NewThreadPool();
  threads->SetThreads(ThreadPool::Priority::kHigh, 2);
  DeterministicPool never;
  for (ThreadPool* pool : {threads.get(), static_cast<ThreadPool*>(&never)}) {
    for (const uint32_t jobs : {1u, 2u, 5u}) {
      options.helpers.pool = pool;
      options.helpers.priority = ThreadPool::Priority::kHigh;
      options.helpers.jobs = jobs;
      EXPECT_EQ(Write(options, content), alone) << jobs;
      EXPECT_EQ(never.QueueLength(ThreadPool::Priority::kHigh), 0) << jobs;
    }
  }
  // One that is given up leaves nothing behind that runs.
  std::string bytes;
  FileWriter file(std::make_unique<StringFile>(&bytes), "file", FileOptions(),
                  FileWriter::Options());
  options.helpers.pool = threads.get();
  for (int i = 0; i < 3; ++i) {
    TableBuilder builder(options, &file);
    for (const auto& [key, value] : content.entries) {
      builder.Add(PackedUserKey(key), PackedTag(key), value);
    }
    builder.Abandon();
  }
}

TEST(BuilderTable, AlignmentKeepsBlocksWithinTheirBounds) {
  const Content content = RandomContent(9, 3000, /*external=*/true);
  TableBuilderOptions options = BaseOptions();
  options.table.block_align = true;
  options.table.block_size = 4096;
  {
    const std::string bytes = Write(options, content);
    Check(options, content, bytes);
    const FileWalk walk(bytes);
    EXPECT_EQ(walk.properties.index_value_is_delta_encoded, 0u);
    for (const auto& entry : walk.index) EXPECT_EQ(entry.handle.offset % 4096, 0u);
  }
  options.table.block_align = false;
  options.table.super_block_alignment_size = 32768;
  options.table.super_block_alignment_space_overhead_ratio = 4;
  options.table.index_block_restart_interval = 16;
  const std::string bytes = Write(options, content);
  Check(options, content, bytes);
  const FileWalk walk(bytes);
  size_t crossing = 0;
  size_t gaps = 0;
  uint64_t end = 0;
  for (const auto& entry : walk.index) {
    const uint64_t first = entry.handle.offset / 32768;
    const uint64_t last = (entry.handle.offset + entry.handle.size - 1) / 32768;
    if (first != last) ++crossing;
    if (entry.handle.offset != end) ++gaps;
    end = entry.handle.offset + entry.handle.size + kBlockTrailerSize;
  }
  EXPECT_GT(gaps, 0u);
  EXPECT_LT(crossing, 3u);  // Only blocks that would leave too large a gap.
}

TEST(BuilderTable, CountsAndSequencesAreExact) {
  Content content;
  const auto add = [&](const char* key, SequenceNumber sequence, EntryKind kind,
                       const char* value) {
    content.entries.emplace_back(PackKey(key, PackTag(sequence, kind)), value);
  };
  add("a", 9, EntryKind::kValue, "1");
  add("a", 7, EntryKind::kDeletion, "");
  add("b", 3, EntryKind::kMerge, "22");
  add("c", 12, EntryKind::kSingleDeletion, "");
  content.tombstones.emplace_back(PackKey("a", PackTag(20, EntryKind::kRangeDeletion)), "bb");
  TableProperties p;
  const std::string bytes = Write(BaseOptions(), content, &p);
  EXPECT_EQ(p.num_entries, 5u);
  EXPECT_EQ(p.num_deletions, 3u);
  EXPECT_EQ(p.num_range_deletions, 1u);
  EXPECT_EQ(p.num_merge_operands, 1u);
  EXPECT_EQ(p.raw_key_size, 5u * 9);
  EXPECT_EQ(p.raw_value_size, 5u);
  EXPECT_EQ(p.key_smallest_seqno, 3u);
  EXPECT_EQ(p.key_largest_seqno, 20u);
  const FileWalk walk(bytes);
  EXPECT_EQ(walk.properties.ToString(), p.ToString());
  EXPECT_EQ(walk.properties.user_collected, p.user_collected);
}

TEST(BuilderTable, FilesWithoutPointKeysAreValid) {
  for (uint32_t version = 2; version <= 7; ++version) {
    for (int type = 0; type < 4; ++type) {
      TableBuilderOptions options = BaseOptions();
      options.table.format_version = version;
      options.table.index_type = static_cast<IndexType>(type);
      options.prefix_extractor = NewFixedPrefixTransform(1);
      options.table.filter_policy = std::make_shared<FilterPolicy>();
      options.table.partition_filters = true;
      Content content;
      content.tombstones.emplace_back(PackKey("a", PackTag(5, EntryKind::kRangeDeletion)), "k");
      const std::string bytes = Write(options, content);
      Check(options, content, bytes);
      Keep(Concat("fv", version, "-tombstones-index", type), bytes);
      Check(options, Content(), Write(options, Content()));
    }
  }
}

TEST(BuilderTable, KeysOutOfOrderAreRefused) {
  std::string bytes;
  FileWriter file(std::make_unique<StringFile>(&bytes), "7.sst", FileOptions(),
                  FileWriter::Options());
  TableBuilder builder(BaseOptions(), &file);
  builder.Add("b", PackTag(5, EntryKind::kValue), "1");
  EXPECT_TRUE(builder.status().ok());
  builder.Add("b", PackTag(5, EntryKind::kValue), "same version twice");
  EXPECT_TRUE(builder.status().IsCorruption());
  EXPECT_NE(builder.status().ToString().find("7.sst"), std::string::npos);
  builder.Add("c", PackTag(5, EntryKind::kValue), "ignored");
  EXPECT_EQ(builder.entry_count(), 1u);
  EXPECT_FALSE(builder.Finish().ok());
}

// A file whose n-th write fails must report that and nothing else.
class FailingFile : public StringFile {
 public:
  FailingFile(std::string* bytes, int countdown) : StringFile(bytes), countdown_(countdown) {}
  Status Append(Slice data) override {
    if (--countdown_ < 0) return Status::IoError("disk on fire");
    return StringFile::Append(data);
  }

 private:
  int countdown_;
};

TEST(BuilderTable, WriteErrorsSurfaceFromEveryPlace) {
  const Content content = RandomContent(3, 300, /*external=*/true);
  for (const uint32_t threads : {1u, 3u}) {
    bool succeeded = false;
    for (int failing = 0; failing < 200 && !succeeded; ++failing) {
      TableBuilderOptions options = BaseOptions();
      options.compression = CompressionType::kLz4;
      options.compression_options.parallel_threads = threads;
      options.table.filter_policy = std::make_shared<FilterPolicy>();
      std::string bytes;
      FileWriter::Options file_options;
      file_options.buffer_bytes = 1;
      FileWriter file(std::make_unique<FailingFile>(&bytes, failing), "file", FileOptions(),
                      file_options);
      TableBuilder builder(options, &file);
      for (const auto& [key, value] : content.entries) {
        builder.Add(PackedUserKey(key), PackedTag(key), value);
      }
      Status s = builder.Finish();
      if (s.ok()) s = file.Flush();
      succeeded = s.ok();
      if (!s.ok()) {
        EXPECT_TRUE(s.IsIoError()) << s.ToString();
      }
    }
    EXPECT_TRUE(succeeded);
  }
}

TEST(BuilderTable, AbandonedBuildersStopTheirThreads) {
  std::string bytes;
  FileWriter file(std::make_unique<StringFile>(&bytes), "file", FileOptions(),
                  FileWriter::Options());
  TableBuilderOptions options = BaseOptions();
  options.compression = CompressionType::kZstd;
  options.compression_options.parallel_threads = 3;
  const Content content = RandomContent(4, 3000, /*external=*/true);
  TableBuilder builder(options, &file);
  for (const auto& [key, value] : content.entries) {
    builder.Add(PackedUserKey(key), PackedTag(key), value);
  }
  builder.Abandon();
}

class CountingCollector : public TablePropertiesCollector {
 public:
  void Add(Slice, uint64_t, uint8_t kind, Slice, uint64_t) override {
    ++total_;
    if (kind == static_cast<uint8_t>(EntryKind::kDeletion)) ++deletions_;
  }
  void Finish(std::map<std::string, std::string>* properties) override {
    (*properties)["test.total"] = std::to_string(total_);
  }
  bool NeedCompact() const override { return deletions_ > 0; }

 private:
  int total_ = 0;
  int deletions_ = 0;
};
class CountingFactory : public TablePropertiesCollectorFactory {
 public:
  const char* Name() const override { return "test.Counting"; }
  std::unique_ptr<TablePropertiesCollector> Create(uint32_t, int) override {
    return std::make_unique<CountingCollector>();
  }
};

TEST(BuilderTable, CollectorsSeeEveryEntryAndMayAskForCompaction) {
  for (const bool deletion : {false, true}) {
    TableBuilderOptions options = BaseOptions();
    options.collectors.push_back(std::make_shared<CountingFactory>());
    std::string bytes;
    FileWriter file(std::make_unique<StringFile>(&bytes), "file", FileOptions(),
                    FileWriter::Options());
    TableBuilder builder(options, &file);
    builder.Add("a", PackTag(2, deletion ? EntryKind::kDeletion : EntryKind::kValue), "");
    builder.AddRangeDeletion("b", "c", 3);
    ASSERT_TRUE(builder.Finish().ok());
    ASSERT_TRUE(file.Flush().ok());
    EXPECT_EQ(builder.need_compaction(), deletion);
    const FileWalk walk(bytes);
    EXPECT_EQ(walk.properties.user_collected.at("test.total"), "2");
    EXPECT_EQ(walk.properties.property_collectors_names, "[test.Counting]");
  }
}

TEST(BuilderTable, TimestampsAreKeptOrStripped) {
  const KeyOrder order(BytewiseComparatorWithU64Timestamp());
  for (const bool persist : {true, false}) {
    TableBuilderOptions options = BaseOptions();
    options.order = &order;
    options.persist_user_defined_timestamps = persist;
    options.table.block_size = 1;  // Every entry gets a block of its own.
    options.table.filter_policy = std::make_shared<FilterPolicy>();
    std::string bytes;
    FileWriter file(std::make_unique<StringFile>(&bytes), "file", FileOptions(),
                    FileWriter::Options());
    TableBuilder builder(options, &file);
    for (int i = 0; i < 30; ++i) {
      for (const uint64_t time : {uint64_t{9}, uint64_t{4}}) {
        std::string key = Concat("key", i / 10, i % 10);
        PutFixed64(&key, time);
        builder.Add(key, PackTag(time * 10, EntryKind::kValue), "v");
      }
    }
    std::string start = "a";
    std::string end = "b";
    PutFixed64(&start, 5);
    PutFixed64(&end, 5);
    builder.AddRangeDeletion(start, end, 5);
    ASSERT_TRUE(builder.Finish().ok()) << builder.status().ToString();
    ASSERT_TRUE(file.Flush().ok());
    const FileWalk walk(bytes);
    ASSERT_EQ(walk.error, "");
    EXPECT_EQ(walk.entries.size(), 60u);
    EXPECT_EQ(walk.entries[0].first.size(), persist ? 21u : 13u);
    EXPECT_EQ(walk.tombstones[0].second.size(), persist ? 9u : 1u);
    EXPECT_EQ(walk.properties.user_defined_timestamps_persisted, persist ? 1u : 0u);
    EXPECT_EQ(walk.properties.user_collected.count(kTimestampMinProperty), persist ? 1u : 0u);
    // Filters know keys without timestamps.
    const FilterProbe probe = FilterProbe::Parse(walk.filters.begin()->second);
    EXPECT_TRUE(probe.MayMatch(probe.Hash("key17")));
    if (persist) {
      EXPECT_EQ(DecodeFixed64(walk.properties.user_collected.at(kTimestampMaxProperty).data()), 9u);
      EXPECT_EQ(DecodeFixed64(walk.properties.user_collected.at(kTimestampMinProperty).data()), 4u);
    } else {
      // Two versions of a key that differ in their timestamps only became one user key.
      EXPECT_EQ(walk.properties.index_key_is_user_key, 0u);
    }
  }
}

TEST(BuilderTable, DataBlocksGoIntoTheCacheWhenAsked) {
  const Content content = RandomContent(12, 500, true);
  for (const auto setting : {PrepopulateBlockCache::kDisable, PrepopulateBlockCache::kFlushOnly,
                             PrepopulateBlockCache::kFlushAndCompaction}) {
    for (const auto reason : {TableCreationReason::kFlush, TableCreationReason::kCompaction}) {
      LruCacheOptions cache_options;
      cache_options.capacity = 64 << 20;
      TableBuilderOptions options = BaseOptions();
      options.compression = CompressionType::kLz4;
      options.fill_cache = true;
      options.block_cache = NewLruCache(cache_options);
      options.table.prepopulate_block_cache = setting;
      options.reason = reason;
      const bool expected =
          setting == PrepopulateBlockCache::kFlushAndCompaction ||
          (setting == PrepopulateBlockCache::kFlushOnly && reason == TableCreationReason::kFlush);
      TableProperties p;
      Write(options, content, &p);
      EXPECT_EQ(options.block_cache->occupancy_count(), expected ? p.num_data_blocks : 0);
    }
  }
}

TEST(BuilderTable, SamplingEstimatesWhatCodecsWouldGain) {
  TableBuilderOptions options = BaseOptions();
  options.sample_for_compression = 3;
  TableProperties p;
  Write(options, RandomContent(11, 2000, true), &p);
  EXPECT_GT(p.fast_compression_estimated_data_size, 0u);
  EXPECT_LT(p.slow_compression_estimated_data_size, p.data_size);
  EXPECT_LT(p.slow_compression_estimated_data_size, p.fast_compression_estimated_data_size);
}

}  // namespace
}  // namespace skarn
