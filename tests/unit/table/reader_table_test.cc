// The reader on tables that TableBuilder wrote, under crosses of options, and what the
// reader promises besides right answers: reads, caching, pins, bounds.

#include <gtest/gtest.h>

#include <thread>

#include "core/env/env.h"
#include "core/metrics/statistics.h"
#include "core/table/block_loader.h"
#include "core/table/unique_id.h"
#include "tests/unit/table/reader_fixture.h"

namespace skarn {
namespace {

TableBuilderOptions RandomBuilderOptions(Random* random) {
  TableBuilderOptions options = BuilderOptions();
  TableOptions& table = options.table;
  table.format_version = 2 + static_cast<uint32_t>(random->Uniform(6));
  table.checksum = static_cast<ChecksumType>(random->Uniform(5));
  table.index_type = static_cast<IndexType>(random->Uniform(4));
  table.index_shortening = static_cast<IndexShortening>(random->Uniform(3));
  table.block_size = random->OneIn(2) ? 300 : 4096;
  table.metadata_block_size = random->OneIn(2) ? 150 : 4096;
  table.block_restart_interval = 1 + static_cast<int32_t>(random->Uniform(20));
  table.index_block_restart_interval = 1 + static_cast<int32_t>(random->Uniform(5));
  table.use_delta_encoding = !random->OneIn(4);
  table.separate_key_value_in_data_block = random->OneIn(3);
  table.data_block_index_type =
      random->OneIn(2) ? DataBlockIndexType::kBinaryAndHash : DataBlockIndexType::kBinarySearch;
  table.enable_index_compression = random->OneIn(2);
  auto policy = std::make_shared<FilterPolicy>();
  policy->kind = random->OneIn(3) ? FilterPolicy::Kind::kRibbon : FilterPolicy::Kind::kBloom;
  policy->bits_per_key = 5 + random->UniformDouble() * 15;
  policy->bloom_before_level = -1;
  table.filter_policy = policy;
  table.whole_key_filtering = !random->OneIn(3);
  table.partition_filters = random->OneIn(2);
  table.decouple_partitioned_filters = random->OneIn(2);
  if (random->OneIn(2)) options.prefix_extractor = NewFixedPrefixTransform(3);
  const std::vector<CompressionType>& codecs = AvailableCodecs();
  options.compression = codecs[random->Uniform(codecs.size())];
  if (random->OneIn(4)) options.compression_options.max_dict_bytes = 2000;
  if (random->OneIn(5)) {
    table.block_align = true;
    table.block_size = 4096;
    options.compression = CompressionType::kNone;
  }
  return options;
}

TEST(TableReader, AnswersRightlyUnderCrossesOfOptions) {
  int deferred_tables = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const TableBuilderOptions build = RandomBuilderOptions(&random);
    Model model;
    model.entries = RandomEntries(seed, 1 + random.Uniform(400));
    const std::string bytes = BuildTable(build, model.entries);

    TableReaderOptions options = ReaderOptions();
    options.table = build.table;
    options.prefix_extractor = build.prefix_extractor;
    const bool mapped = random.OneIn(3);
    if (random.OneIn(2)) {
      options.table.block_cache = NewLruCache(
          {.capacity = random.OneIn(2) ? size_t{20000} : size_t{1} << 20, .num_shard_bits = 0});
      options.table.cache_index_and_filter_blocks = random.OneIn(2);
      options.table.pin_l0_filter_and_index_blocks_in_cache = random.OneIn(2);
      options.table.pin_top_level_index_and_filter = random.OneIn(2);
      options.level = static_cast<int>(random.Uniform(2));
    }
    options.tail_size_bytes = random.OneIn(3) ? 100 : 0;
    options.may_defer = random.OneIn(2);
    auto table = OpenBytes(bytes, options, mapped);
    ASSERT_TRUE(table.ok()) << table.status().ToString();
    const bool deferred = !(*table)->complete();
    EXPECT_FALSE(deferred && !(options.may_defer && mapped));
    deferred_tables += deferred;
    ASSERT_TRUE((*table)->FinishOpening().ok());
    ASSERT_TRUE((*table)->complete());
    ReadOptions read;
    read.total_order_seek = true;
    read.fill_cache = !random.OneIn(3);
    auto cursor = (*table)->NewCursor(read, TableCaller::kUserIterator, false);
    ASSERT_EQ(CompareCursor(cursor.get(), model, seed, 200), "");
    ASSERT_EQ(CompareLookups(table->get(), model, read, seed, 300), "");
    const Status verified = (*table)->VerifyChecksums(read);
    ASSERT_TRUE(verified.ok()) << verified.ToString();
    // Within a prefix the filter must not hide anything.
    ReadOptions prefixed;
    auto scan = (*table)->NewCursor(prefixed, TableCaller::kUserIterator, false);
    for (int i = 0; i < 100; ++i) {
      const Entry& entry = model.entries[random.Uniform(model.entries.size())];
      scan->Seek(PackedUserKey(entry.first), PackedTag(entry.first));
      ASSERT_EQ(Current(scan.get()), entry);
      scan->SeekForPrev(PackedUserKey(entry.first), PackedTag(entry.first));
      ASSERT_EQ(Current(scan.get()), entry);
    }
  }
  EXPECT_GT(deferred_tables, 2);
}

TEST(TableReader, KnowsOtherComparators) {
  for (const Comparator* comparator :
       {ReverseBytewiseComparator(), BytewiseComparatorWithU64Timestamp(),
        ReverseBytewiseComparatorWithU64Timestamp()}) {
    const KeyOrder order(comparator);
    for (const bool persist : {true, false}) {
      SCOPED_TRACE(std::string(comparator->Name()) + (persist ? "" : " stripped"));
      if (!persist && order.timestamp_size() == 0) continue;
      Model model;
      model.order = &order;
      model.entries = RandomEntries(/*seed=*/4, /*keys=*/300);
      Random random(8);
      for (Entry& entry : model.entries) {
        if (order.timestamp_size() == 0) continue;
        std::string key = PackedUserKey(entry.first).ToString();
        // Where timestamps are not kept, all of them are the smallest one.
        PutFixed64(&key, persist ? random.Uniform(5) : 0);
        entry.first = PackKey(key, PackedTag(entry.first));
      }
      std::sort(model.entries.begin(), model.entries.end(), [&](const Entry& a, const Entry& b) {
        return order.ComparePacked(a.first, b.first) < 0;
      });
      for (const IndexType type : {IndexType::kBinarySearch, IndexType::kTwoLevelIndexSearch,
                                   IndexType::kBinarySearchWithFirstKey}) {
        TableBuilderOptions build = BuilderOptions();
        build.order = &order;
        build.persist_user_defined_timestamps = persist;
        build.table.block_size = 300;
        build.table.metadata_block_size = 200;
        build.table.index_type = type;
        build.table.partition_filters = type == IndexType::kTwoLevelIndexSearch;
        const std::string bytes = BuildTable(build, model.entries);
        TableReaderOptions options = ReaderOptions();
        options.order = &order;
        auto table = OpenBytes(bytes, options);
        ASSERT_TRUE(table.ok()) << table.status().ToString();
        auto cursor = (*table)->NewCursor(PlainRead(), TableCaller::kUserIterator, false);
        ASSERT_EQ(CompareCursor(cursor.get(), model, 3, 300), "");
        if (order.timestamp_size() != 0) {
          // The newest version of each key at the newest time.
          for (const Entry& entry : model.entries) {
            const Slice with = PackedUserKey(entry.first);
            const std::string key = order.StripTimestamp(with).ToString();
            std::string timestamp(8, '\xff');
            PinnedValue value;
            std::vector<std::string> operands;
            PointLookup lookup(order, key, kMaxSequenceNumber, timestamp, nullptr, &value);
            lookup.extras().operands = &operands;
            (*table)->Get(ReadOptions(), &lookup, false);
            lookup.Finish();
            ASSERT_TRUE(lookup.status().ok()) << lookup.status().ToString();
            size_t first = model.LowerBound(PackKey(key + timestamp, kMaxTag));
            ASSERT_LT(first, model.entries.size());
            const EntryKind kind = TagKind(PackedTag(model.entries[first].first));
            if (kind == EntryKind::kValue) {
              ASSERT_EQ(operands, std::vector<std::string>{model.entries[first].second});
            } else if (kind == EntryKind::kDeletion) {
              ASSERT_TRUE(operands.empty());
            } else {
              ASSERT_EQ(operands.back(), model.entries[first].second);
            }
          }
        } else {
          ASSERT_EQ(CompareLookups(table->get(), model, ReadOptions(), 3, 300), "");
        }
      }
    }
  }
}

std::vector<Entry> NumberedEntries(int count, size_t value_bytes = 100) {
  std::vector<Entry> entries;
  char text[32];
  for (int i = 0; i < count; ++i) {
    snprintf(text, sizeof(text), "%03d-key%05d", i / 100, i);
    entries.emplace_back(PackKey(text, PackTag(100 + i, EntryKind::kValue)),
                         std::string(value_bytes, static_cast<char>('a' + i % 26)));
  }
  return entries;
}

TEST(TableCursor, StopsAtTheUpperBound) {
  const std::vector<Entry> entries = NumberedEntries(2000);
  const std::string bytes = BuildTable(BuilderOptions(), entries);
  auto table = OpenBytes(bytes, ReaderOptions());
  ASSERT_TRUE(table.ok());
  for (const size_t bound_at : {size_t{0}, size_t{1}, size_t{500}, size_t{777}, size_t{1999}}) {
    const std::string bound_key = PackedUserKey(entries[bound_at].first).ToString();
    const Slice bound(bound_key);
    ReadOptions read;
    read.iterate_upper_bound = &bound;
    auto cursor = (*table)->NewCursor(read, TableCaller::kUserIterator, false);
    size_t seen = 0;
    size_t known = 0;
    for (cursor->SeekToFirst(); cursor->valid(); cursor->Next(), ++seen) {
      ASSERT_EQ(Current(cursor.get()), entries[seen]);
      known += cursor->KnownBelowUpperBound() ? 1 : 0;
    }
    EXPECT_EQ(seen, bound_at);
    EXPECT_TRUE(cursor->StoppedAtUpperBound());
    EXPECT_TRUE(cursor->status().ok());
    if (bound_at > 200) {
      EXPECT_GT(known, bound_at - 100);
    }
    cursor->Seek(bound, kMaxTag);
    EXPECT_FALSE(cursor->valid());
    EXPECT_TRUE(cursor->StoppedAtUpperBound());
    // A step back and forth across the bound.
    if (bound_at > 0) {
      cursor->SeekForPrev(PackedUserKey(entries[bound_at - 1].first),
                          PackedTag(entries[bound_at - 1].first));
      ASSERT_TRUE(cursor->valid());
      cursor->Next();
      EXPECT_FALSE(cursor->valid());
    }
  }
  const Slice beyond("zzz");
  ReadOptions read;
  read.iterate_upper_bound = &beyond;
  auto cursor = (*table)->NewCursor(read, TableCaller::kUserIterator, false);
  for (cursor->SeekToFirst(); cursor->valid(); cursor->Next()) {
    ASSERT_TRUE(cursor->KnownBelowUpperBound());
  }
  EXPECT_FALSE(cursor->StoppedAtUpperBound());
}

TEST(TableCursor, ReadsFurtherAndFurtherAheadInASequentialScan) {
  const std::vector<Entry> entries = NumberedEntries(20000);
  const std::string bytes = BuildTable(BuilderOptions(), entries);
  FileEvents events;
  auto table = OpenBytes(bytes, ReaderOptions(), /*mapped=*/false, &events);
  ASSERT_TRUE(table.ok());
  events.reads = 0;
  const ReadOptions read;
  auto cursor = (*table)->NewCursor(read, TableCaller::kUserIterator, false);
  std::vector<int> reads_at;
  int before = 0;
  size_t seen = 0;
  for (cursor->SeekToFirst(); cursor->valid(); cursor->Next(), ++seen) {
    if (events.reads != before) {
      before = events.reads;
      reads_at.push_back(static_cast<int>(seen));
    }
  }
  EXPECT_EQ(seen, entries.size());
  // Two blocks alone, then 8 KiB ahead, 16, ... up to 256 KiB.
  ASSERT_GT(reads_at.size(), 8u);
  EXPECT_LT(reads_at.size(), 25u);
  EXPECT_LT(reads_at[1] - reads_at[0], 45);
  EXPECT_GT(reads_at[3] - reads_at[2], 2 * (reads_at[1] - reads_at[0]));
  EXPECT_GT(reads_at[6] - reads_at[5], 8 * (reads_at[1] - reads_at[0]));

  events.reads = 0;
  ReadOptions fixed;
  fixed.readahead_size = bytes.size();
  cursor = (*table)->NewCursor(fixed, TableCaller::kUserIterator, false);
  for (cursor->SeekToFirst(); cursor->valid(); cursor->Next()) {
  }
  EXPECT_EQ(events.reads, 1);

  events.reads = 0;
  cursor = (*table)->NewCursor(read, TableCaller::kCompaction, false, /*readahead=*/1 << 20);
  for (cursor->SeekToFirst(); cursor->valid(); cursor->Next()) {
  }
  EXPECT_LE(events.reads, static_cast<int>(bytes.size() >> 20) + 2);

  // Jumps from place to place read single blocks.
  events.reads = 0;
  events.bytes = 0;
  cursor = (*table)->NewCursor(read, TableCaller::kUserIterator, false);
  for (size_t i = 0; i < 50; ++i) {
    const Entry& entry = entries[i * 7919 % entries.size()];
    cursor->Seek(PackedUserKey(entry.first), PackedTag(entry.first));
    ASSERT_TRUE(cursor->valid());
  }
  EXPECT_LE(events.bytes, 50u * 4400);
}

TEST(TableCursor, ShowsFirstKeysWithoutReadingTheirBlocks) {
  const std::vector<Entry> entries = NumberedEntries(2000);
  TableBuilderOptions build = BuilderOptions();
  build.table.index_type = IndexType::kBinarySearchWithFirstKey;
  const std::string bytes = BuildTable(build, entries);
  FileEvents events;
  auto table = OpenBytes(bytes, ReaderOptions(), false, &events);
  ASSERT_TRUE(table.ok());
  events.reads = 0;
  const ReadOptions read;
  auto cursor = (*table)->NewCursor(read, TableCaller::kUserIterator, false);
  cursor->SeekToFirst();
  ASSERT_TRUE(cursor->valid());
  EXPECT_EQ(PackKey(cursor->user_key(), cursor->tag()), entries[0].first);
  EXPECT_EQ(events.reads, 0);
  ASSERT_TRUE(cursor->PrepareValue());
  EXPECT_EQ(cursor->value().ToString(), entries[0].second);
  EXPECT_EQ(events.reads, 1);
  // Moving on from a key whose block was not read.
  cursor->SeekToFirst();
  cursor->Next();
  EXPECT_EQ(Current(cursor.get()), entries[1]);
}

TEST(TableCursor, APrefixThatIsNotThereCostsNoRead) {
  const std::vector<Entry> entries = NumberedEntries(2000);
  TableBuilderOptions build = BuilderOptions();
  build.prefix_extractor = NewFixedPrefixTransform(3);
  const std::string bytes = BuildTable(build, entries);
  TableReaderOptions options = ReaderOptions();
  options.prefix_extractor = build.prefix_extractor;
  FileEvents events;
  auto table = OpenBytes(bytes, options, false, &events);
  ASSERT_TRUE(table.ok());
  events.reads = 0;
  ReadOptions read;
  {
    auto cursor = (*table)->NewCursor(read, TableCaller::kUserIterator, false);
    for (const char* prefix : {"00a", "01x", "0zz", "00y"}) {
      cursor->Seek(std::string(prefix) + "something", kMaxTag);
      EXPECT_FALSE(cursor->valid()) << prefix;
    }
    EXPECT_EQ(events.reads, 0);
    cursor->Seek("007", kMaxTag);
    EXPECT_TRUE(cursor->valid());
  }
  read.total_order_seek = true;
  auto cursor = (*table)->NewCursor(read, TableCaller::kUserIterator, false);
  cursor->Seek("00asomething", kMaxTag);
  EXPECT_TRUE(cursor->valid());

  // With an extractor that changed, only a bound within the prefix allows it.
  options.prefix_extractor = NewFixedPrefixTransform(5);
  cursor.reset();
  table = OpenBytes(bytes, options);
  ASSERT_TRUE(table.ok());
  const ReadOptions plain;
  cursor = (*table)->NewCursor(plain, TableCaller::kUserIterator, false);
  cursor->Seek("00asomething", kMaxTag);
  EXPECT_TRUE(cursor->valid());
  const Slice bound("00az");
  ReadOptions bounded;
  bounded.iterate_upper_bound = &bound;
  cursor = (*table)->NewCursor(bounded, TableCaller::kUserIterator, false);
  cursor->Seek("00asomething", kMaxTag);
  EXPECT_FALSE(cursor->valid());
}

TEST(TableReader, FilterAnswersAbsentKeysWithoutReading) {
  const std::vector<Entry> entries = NumberedEntries(2000);
  for (const bool partitioned : {false, true}) {
    TableBuilderOptions build = BuilderOptions();
    build.table.partition_filters = partitioned;
    if (partitioned) build.table.index_type = IndexType::kTwoLevelIndexSearch;
    const std::string bytes = BuildTable(build, entries);
    FileEvents events;
    Statistics statistics;
    TableReaderOptions options = ReaderOptions();
    options.statistics = &statistics;
    auto table = OpenBytes(bytes, options, false, &events);
    ASSERT_TRUE(table.ok());
    events.reads = 0;
    for (int i = 0; i < 1000; ++i) {
      OperandLookup lookup(BytewiseOrder(), "005-absent" + std::to_string(i), kMaxSequenceNumber);
      (*table)->Get(ReadOptions(), lookup.lookup(), false);
      EXPECT_TRUE(lookup.Take().deleted_or_absent);
    }
    EXPECT_LT(events.reads, 40);
    EXPECT_GT(statistics.Get(Ticker::kBloomFilterUseful), 960u);
    for (int i = 0; i < 100; ++i) {
      OperandLookup lookup(BytewiseOrder(), PackedUserKey(entries[i].first).ToString(),
                           kMaxSequenceNumber);
      (*table)->Get(ReadOptions(), lookup.lookup(), false);
      EXPECT_FALSE(lookup.Take().deleted_or_absent);
    }
    EXPECT_EQ(statistics.Get(Ticker::kBloomFilterFullTruePositive), 100u);
    EXPECT_TRUE((*table)->KeyMayMatch(ReadOptions(), PackedUserKey(entries[7].first)));
  }
}

TEST(TableReader, CachesBlocksAndCountsThem) {
  const std::vector<Entry> entries = NumberedEntries(2000);
  const std::string bytes = BuildTable(BuilderOptions(), entries);
  Statistics statistics;
  FileEvents events;
  TableReaderOptions options = ReaderOptions();
  options.statistics = &statistics;
  options.table.block_cache = NewLruCache({.capacity = 10 << 20});
  auto table = OpenBytes(bytes, options, false, &events);
  ASSERT_TRUE(table.ok());
  const std::string key = PackedUserKey(entries[700].first).ToString();
  const auto get = [&](const ReadOptions& read) {
    OperandLookup lookup(BytewiseOrder(), key, kMaxSequenceNumber);
    (*table)->Get(read, lookup.lookup(), false);
    return lookup.Take();
  };
  events.reads = 0;
  ReadOptions cache_only;
  cache_only.read_tier = ReadTier::kBlockCache;
  EXPECT_EQ(get(cache_only).status.ToString(), "Result incomplete: no blocking io");
  ReadOptions no_fill;
  no_fill.fill_cache = false;
  EXPECT_EQ(get(no_fill).operands.size(), 1u);
  EXPECT_EQ(get(no_fill).operands.size(), 1u);
  EXPECT_EQ(events.reads, 2);
  EXPECT_EQ(options.table.block_cache->usage(), 0u);
  EXPECT_EQ(get(ReadOptions()).operands.size(), 1u);
  EXPECT_EQ(events.reads, 3);
  EXPECT_GT(options.table.block_cache->usage(), 3900u);
  EXPECT_EQ(get(ReadOptions()).operands.size(), 1u);
  EXPECT_EQ(get(cache_only).operands.size(), 1u);
  EXPECT_EQ(events.reads, 3);
  EXPECT_EQ(statistics.Get(Ticker::kBlockCacheDataHit), 2u);
  EXPECT_EQ(statistics.Get(Ticker::kBlockCacheDataMiss), 4u);
  EXPECT_EQ(statistics.Get(Ticker::kBlockCacheDataAdd), 1u);
  EXPECT_EQ(options.table.block_cache->pinned_usage(), 0u);

  (*table)->MarkObsolete();
  EXPECT_EQ(options.table.block_cache->usage(), 0u);

  // A cursor of the cache's tier stops with the same words.
  auto cursor = (*table)->NewCursor(cache_only, TableCaller::kUserIterator, false);
  cursor->SeekToFirst();
  EXPECT_FALSE(cursor->valid());
  EXPECT_EQ(cursor->status().ToString(), "Result incomplete: no blocking io");
}

TEST(TableReader, BlocksThatABuilderPutIntoTheCacheAreFound) {
  const std::vector<Entry> entries = NumberedEntries(500);
  const std::string bytes = BuildTable(BuilderOptions(), entries);
  const FileWalk walk(bytes);
  TableReaderOptions options = ReaderOptions();
  options.table.block_cache = NewLruCache({.capacity = 10 << 20});
  for (const FileWalk::Index& block : walk.index) {
    CacheDataBlock(options.table.block_cache.get(), CacheFileKey(walk.properties), block.handle,
                   Slice(bytes.data() + block.handle.offset, block.handle.size));
  }
  FileEvents events;
  auto table = OpenBytes(bytes, options, false, &events);
  ASSERT_TRUE(table.ok());
  events.reads = 0;
  Model model;
  model.entries = entries;
  const ReadOptions read;
  auto cursor = (*table)->NewCursor(read, TableCaller::kUserIterator, false);
  EXPECT_EQ(CompareCursor(cursor.get(), model, 1, 100), "");
  EXPECT_EQ(events.reads, 0);
}

TEST(TableReader, IndexAndFilterGoThroughTheCacheWhenAsked) {
  const std::vector<Entry> entries = NumberedEntries(2000);
  for (const bool partitioned : {false, true}) {
    TableBuilderOptions build = BuilderOptions();
    build.table.metadata_block_size = 500;
    build.table.partition_filters = partitioned;
    if (partitioned) build.table.index_type = IndexType::kTwoLevelIndexSearch;
    const std::string bytes = BuildTable(build, entries);
    TableReaderOptions options = ReaderOptions();
    options.table.cache_index_and_filter_blocks = true;
    options.table.pin_top_level_index_and_filter = false;
    options.table.block_cache = NewLruCache({.capacity = 10 << 20});
    auto table = OpenBytes(bytes, options);
    ASSERT_TRUE(table.ok());
    size_t bytes_of = 0, count = 0;
    options.table.block_cache->UsageOf(Cache::Role::kIndexBlock, &bytes_of, &count);
    EXPECT_GE(count, 1u);
    EXPECT_EQ(options.table.block_cache->pinned_usage(), 0u);
    options.table.block_cache->EraseUnreferenced();
    Model model;
    model.entries = entries;
    EXPECT_EQ(CompareLookups(table->get(), model, ReadOptions(), 1, 500), "");
    options.table.block_cache->UsageOf(Cache::Role::kFilterBlock, &bytes_of, &count);
    EXPECT_GE(count, partitioned ? 2u : 1u);

    // Held for level 0 when so asked.
    options.table.pin_l0_filter_and_index_blocks_in_cache = true;
    options.table.pin_top_level_index_and_filter = true;
    options.level = 0;
    table = OpenBytes(bytes, options);
    ASSERT_TRUE(table.ok());
    EXPECT_GT(options.table.block_cache->pinned_usage(), 2500u);
    table->reset();
    EXPECT_EQ(options.table.block_cache->pinned_usage(), 0u);
  }
}

TEST(TableReader, AFullCacheWithAStrictLimitFailsTheRead) {
  const std::vector<Entry> entries = NumberedEntries(500);
  const std::string bytes = BuildTable(BuilderOptions(), entries);
  TableReaderOptions options = ReaderOptions();
  options.table.block_cache =
      NewLruCache({.capacity = 1000, .num_shard_bits = 0, .strict_capacity_limit = true});
  auto table = OpenBytes(bytes, options);
  ASSERT_TRUE(table.ok()) << table.status().ToString();
  OperandLookup lookup(BytewiseOrder(), PackedUserKey(entries[3].first).ToString(),
                       kMaxSequenceNumber);
  (*table)->Get(ReadOptions(), lookup.lookup(), false);
  EXPECT_EQ(lookup.Take().status.ToString(),
            "Operation aborted: Memory limit reached: Insert failed due to LRU cache being full.");
  const ReadOptions read;
  auto cursor = (*table)->NewCursor(read, TableCaller::kUserIterator, false);
  cursor->SeekToFirst();
  EXPECT_TRUE(cursor->status().IsAborted());
}

TEST(TableReader, MultiGetReadsNeighboursTogether) {
  const std::vector<Entry> entries = NumberedEntries(5000);
  const std::string bytes = BuildTable(BuilderOptions(), entries);
  FileEvents events;
  auto table = OpenBytes(bytes, ReaderOptions(), false, &events);
  ASSERT_TRUE(table.ok());
  events.reads = 0;
  std::vector<std::unique_ptr<OperandLookup>> lookups;
  std::vector<PointLookup*> pointers;
  for (int i = 0; i < 30; ++i) {
    // Three neighbourhoods of about ten blocks each.
    const size_t at = static_cast<size_t>(i / 10) * 1500 + static_cast<size_t>(i % 10) * 37;
    lookups.push_back(std::make_unique<OperandLookup>(
        BytewiseOrder(), PackedUserKey(entries[at].first).ToString(), kMaxSequenceNumber));
    pointers.push_back(lookups.back()->lookup());
  }
  (*table)->MultiGet(ReadOptions(), pointers.data(), pointers.size(), false);
  for (auto& lookup : lookups) EXPECT_EQ(lookup->Take().operands.size(), 1u);
  EXPECT_EQ(events.multi_reads, 1);
  EXPECT_LE(events.reads, 3);
}

TEST(TableReader, InputErrorsAreToldAndLeaveNothingBehind) {
  const std::vector<Entry> entries = NumberedEntries(2000);
  const std::string bytes = BuildTable(BuilderOptions(), entries);
  TableReaderOptions options = ReaderOptions();
  options.table.block_cache = NewLruCache({.capacity = 10 << 20});
  FileEvents events;
  auto table = OpenBytes(bytes, options, false, &events);
  ASSERT_TRUE(table.ok());
  const ReadOptions read;
  auto cursor = (*table)->NewCursor(read, TableCaller::kUserIterator, false);
  events.fail = true;
  cursor->SeekToFirst();
  EXPECT_FALSE(cursor->valid());
  EXPECT_EQ(cursor->status().ToString(), "IO error: no luck");
  OperandLookup lookup(BytewiseOrder(), PackedUserKey(entries[3].first).ToString(),
                       kMaxSequenceNumber);
  PointLookup* pointer = lookup.lookup();
  (*table)->MultiGet(read, &pointer, 1, false);
  EXPECT_EQ(lookup.Take().status.ToString(), "IO error: no luck");
  EXPECT_FALSE((*table)->VerifyChecksums(read).ok());
  EXPECT_EQ(options.table.block_cache->usage(), 0u);
  events.fail = false;
  Model model;
  model.entries = entries;
  EXPECT_EQ(CompareCursor(cursor.get(), model, 1, 50), "");

  // In the middle of a scan, in both directions.
  options.table.block_cache = nullptr;
  cursor.reset();
  table = OpenBytes(bytes, options, false, &events);
  cursor = (*table)->NewCursor(read, TableCaller::kUserIterator, false);
  for (const bool forward : {true, false}) {
    size_t seen = 0;
    for (forward ? cursor->SeekToFirst() : cursor->SeekToLast(); cursor->valid();
         forward ? cursor->Next() : cursor->Prev()) {
      if (++seen == 100) events.fail = true;
    }
    EXPECT_TRUE(cursor->status().IsIoError());
    EXPECT_GE(seen, 100u);
    EXPECT_LT(seen, entries.size());
    events.fail = false;
  }
}

TEST(TableReader, APassedDeadlineStopsReadsOfTheFile) {
  const std::string bytes = BuildTable(BuilderOptions(), NumberedEntries(500));
  TableReaderOptions options = ReaderOptions();
  options.env = DefaultEnv();
  auto table = OpenBytes(bytes, options);
  ASSERT_TRUE(table.ok());
  ReadOptions read;
  read.deadline_us = 1;
  OperandLookup lookup(BytewiseOrder(), "000-key00001", kMaxSequenceNumber);
  (*table)->Get(read, lookup.lookup(), false);
  EXPECT_EQ(lookup.Take().status.ToString(), "Operation timed out: ");
}

TEST(TableCursor, PinnedSlicesOutliveTheCursorsSteps) {
  const std::vector<Entry> entries = NumberedEntries(1000);
  for (const int way : {0, 1, 2}) {
    SCOPED_TRACE(way);
    TableBuilderOptions build = BuilderOptions();
    build.table.use_delta_encoding = false;
    const std::string bytes = BuildTable(build, entries);
    TableReaderOptions options = ReaderOptions();
    if (way == 1) options.table.block_cache = NewLruCache({.capacity = 100, .num_shard_bits = 0});
    auto table = OpenBytes(bytes, options, /*mapped=*/way == 2);
    ASSERT_TRUE(table.ok());
    PinList pins;
    std::vector<std::pair<Slice, Slice>> seen;
    {
      ReadOptions read;
      read.pin_data = true;
      auto cursor = (*table)->NewCursor(read, TableCaller::kUserIterator, false);
      cursor->SetPinList(&pins);
      for (cursor->SeekToFirst(); cursor->valid(); cursor->Next()) {
        EXPECT_TRUE(cursor->KeyPinned());
        EXPECT_TRUE(cursor->ValuePinned());
        seen.emplace_back(cursor->user_key(), cursor->value());
      }
    }
    table->reset();
    ASSERT_EQ(seen.size(), entries.size());
    for (size_t i = 0; i < seen.size(); ++i) {
      ASSERT_EQ(seen[i].first, PackedUserKey(entries[i].first));
      ASSERT_EQ(seen[i].second, Slice(entries[i].second));
    }
    pins.ReleaseAll();
    if (way == 1) {
      EXPECT_EQ(options.table.block_cache->pinned_usage(), 0u);
    }
  }
}

TEST(TableCursor, APinnedValueOutlivesCursorAndTable) {
  const std::vector<Entry> entries = NumberedEntries(1000);
  const std::string bytes = BuildTable(BuilderOptions(), entries);
  for (const int way : {0, 1, 2}) {
    TableReaderOptions options = ReaderOptions();
    if (way == 1) options.table.block_cache = NewLruCache({.capacity = 10 << 20});
    auto table = OpenBytes(bytes, options, /*mapped=*/way == 2);
    ASSERT_TRUE(table.ok());
    Pin pin;
    Slice value;
    {
      const ReadOptions read;
      auto cursor = (*table)->NewCursor(read, TableCaller::kUserIterator, false);
      cursor->Seek(PackedUserKey(entries[123].first), kMaxTag);
      ASSERT_TRUE(cursor->valid());
      value = cursor->value();
      ASSERT_TRUE(cursor->PinValue(&pin));
    }
    PinnedValue sink;
    PointLookup lookup(BytewiseOrder(), PackedUserKey(entries[400].first), kMaxSequenceNumber,
                       Slice(), nullptr, &sink);
    (*table)->Get(ReadOptions(), &lookup, false);
    lookup.Finish();
    EXPECT_TRUE(sink.pinned());
    table->reset();
    EXPECT_EQ(value, Slice(entries[123].second));
    EXPECT_EQ(sink.slice(), Slice(entries[400].second));
  }
}

TEST(TableReader, ChecksTheUniqueIdOfTheManifest) {
  const std::string bytes = BuildTable(BuilderOptions(), NumberedEntries(10));
  TableReaderOptions options = ReaderOptions();
  const auto id = ComputeUniqueId(*(*OpenBytes(bytes, options))->properties());
  ASSERT_TRUE(id.ok());
  options.unique_id[0] = id->words[0];
  options.unique_id[1] = id->words[1];
  EXPECT_TRUE(OpenBytes(bytes, options).ok());
  options.unique_id[1] ^= 1;
  const auto table = OpenBytes(bytes, options);
  ASSERT_FALSE(table.ok());
  EXPECT_EQ(table.status().ToString().find(
                "Corruption: Mismatch in unique ID on table file. Expected: {"),
            0u)
      << table.status().ToString();
}

TEST(TableReader, GivesIngestedFilesTheSequenceNumberOfTheManifest) {
  std::vector<Entry> entries;
  for (int i = 0; i < 300; ++i) {
    entries.emplace_back(PackKey("key" + std::to_string(1000 + i), PackTag(0, EntryKind::kValue)),
                         std::to_string(i));
  }
  const std::vector<Entry> tombstones = {
      {PackKey("a", PackTag(0, EntryKind::kRangeDeletion)), "b"}};
  for (const IndexType type : {IndexType::kBinarySearch, IndexType::kBinarySearchWithFirstKey}) {
    TableBuilderOptions build = BuilderOptions();
    build.table.index_type = type;
    build.table.block_size = 300;
    std::string version, sequence;
    PutFixed32(&version, 2);
    PutFixed64(&sequence, 0);
    build.extra_properties["rocksdb.external_sst_file.version"] = version;
    build.extra_properties["rocksdb.external_sst_file.global_seqno"] = sequence;
    std::string bytes = BuildTable(build, entries, tombstones);

    const auto check = [&](const TableReaderOptions& options, SequenceNumber expected) {
      auto table = OpenBytes(bytes, options);
      ASSERT_TRUE(table.ok()) << table.status().ToString();
      Model model;
      for (const Entry& entry : entries) {
        model.entries.emplace_back(
            PackKey(PackedUserKey(entry.first), PackTag(expected, EntryKind::kValue)),
            entry.second);
      }
      const ReadOptions read;
      auto cursor = (*table)->NewCursor(read, TableCaller::kUserIterator, false);
      EXPECT_EQ(CompareCursor(cursor.get(), model, 1, 200), "");
      EXPECT_EQ(CompareLookups(table->get(), model, ReadOptions(), 1, 200), "");
      ASSERT_NE((*table)->Tombstones(), nullptr);
      EXPECT_EQ((*table)->Tombstones()->unfragmented()[0].sequence, expected);
    };
    TableReaderOptions options = ReaderOptions();
    check(options, 0);
    options.largest_sequence = 77;
    check(options, 77);
    options.largest_sequence = kMaxSequenceNumber;
    options.global_sequence = 99;
    check(options, 99);

    // Overwritten in place, as ingestion once did: the checksum still is the old one.
    const FileWalk walk(bytes);
    const uint64_t at = walk.properties.external_sst_file_global_seqno_offset;
    ASSERT_NE(at, 0u);
    EncodeFixed64(bytes.data() + at, 55);
    options.global_sequence = kMaxSequenceNumber;
    check(options, 55);
    options.largest_sequence = 55;
    check(options, 55);
    options.largest_sequence = 56;
    EXPECT_TRUE(OpenBytes(bytes, options).status().IsCorruption());
  }
}

TEST(TableReader, ServesManyThreadsAtOnce) {
  Model model;
  model.entries = RandomEntries(/*seed=*/21, /*keys=*/1000);
  TableBuilderOptions build = BuilderOptions();
  build.table.index_type = IndexType::kTwoLevelIndexSearch;
  build.table.partition_filters = true;
  build.table.block_size = 500;
  build.table.metadata_block_size = 500;
  build.compression = CompressionType::kLz4;
  const std::string bytes = BuildTable(build, model.entries);
  for (const bool mapped : {false, true}) {
    TableReaderOptions options = ReaderOptions();
    options.table.cache_index_and_filter_blocks = true;
    options.table.block_cache = NewLruCache({.capacity = 30000, .num_shard_bits = 1});
    auto table = OpenBytes(bytes, options, mapped);
    ASSERT_TRUE(table.ok());
    std::vector<std::thread> threads;
    std::vector<std::string> wrong(4);
    for (size_t t = 0; t < wrong.size(); ++t) {
      threads.emplace_back([&, t] {
        ReadOptions read;
        wrong[t] = CompareLookups(table->get(), model, read, t, 600);
        auto cursor = (*table)->NewCursor(read, TableCaller::kUserIterator, false);
        if (wrong[t].empty()) wrong[t] = CompareCursor(cursor.get(), model, t, 200);
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::string& text : wrong) EXPECT_EQ(text, "");
    EXPECT_EQ(options.table.block_cache->pinned_usage(), options.table.block_cache->pinned_usage());
  }
}

TEST(TableReader, ATableWithTombstonesAloneIsEmptyOtherwise) {
  for (const IndexType type : {IndexType::kBinarySearch, IndexType::kTwoLevelIndexSearch,
                               IndexType::kBinarySearchWithFirstKey}) {
    TableBuilderOptions build = BuilderOptions();
    build.table.index_type = type;
    build.table.partition_filters = type == IndexType::kTwoLevelIndexSearch;
    const std::string bytes =
        BuildTable(build, {}, {{PackKey("a", PackTag(3, EntryKind::kRangeDeletion)), "b"}});
    auto table = OpenBytes(bytes, ReaderOptions());
    ASSERT_TRUE(table.ok()) << table.status().ToString();
    const ReadOptions read;
    auto cursor = (*table)->NewCursor(read, TableCaller::kUserIterator, false);
    cursor->SeekToFirst();
    EXPECT_FALSE(cursor->valid());
    cursor->SeekToLast();
    EXPECT_FALSE(cursor->valid());
    cursor->Seek("a", kMaxTag);
    EXPECT_FALSE(cursor->valid());
    cursor->SeekForPrev("a", kMaxTag);
    EXPECT_FALSE(cursor->valid());
    EXPECT_TRUE(cursor->status().ok());
    OperandLookup lookup(BytewiseOrder(), "a", kMaxSequenceNumber);
    (*table)->Get(read, lookup.lookup(), false);
    EXPECT_TRUE(lookup.Take().status.ok());
    EXPECT_EQ((*table)->ApproximateOffset("a", kMaxTag), 0u);
    ASSERT_NE((*table)->Tombstones(), nullptr);
    EXPECT_EQ((*table)->Tombstones()->MaxCovering("a", 10), 3u);
  }
}

}  // namespace
}  // namespace skarn
