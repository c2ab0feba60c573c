#include "core/table/table_builder.h"

#include <algorithm>
#include <cassert>
#include <cstdio>
#include <random>
#include <utility>

#include "core/base/cpu.h"
#include "core/base/hash.h"
#include "core/plugin/slice_transform.h"
#include "core/table/block_batch.h"
#include "core/table/block_builder.h"
#include "core/table/block_compressor.h"
#include "core/table/block_loader.h"
#include "core/table/block_trailer.h"
#include "core/table/dictionary_sampler.h"
#include "core/table/filter_builder.h"
#include "core/table/footer.h"
#include "core/table/index_builder.h"
#include "core/table/meta_block_names.h"
#include "core/table/properties_block.h"
#include "core/table/table_file_writer.h"

namespace skarn {

namespace {

BlockBuilder::Options DataBlockOptions(const TableBuilderOptions& options) {
  const TableOptions& table = options.table;
  const Comparator* comparator = options.order->comparator();
  BlockBuilder::Options block;
  block.restart_interval = static_cast<uint32_t>(std::max(table.block_restart_interval, 1));
  block.delta_keys = table.use_delta_encoding;
  block.separated = table.separate_key_value_in_data_block;
  // Hashing keys is of no use when different bytes may be one key.
  block.hash_index = table.data_block_index_type == DataBlockIndexType::kBinaryAndHash &&
                     comparator->EqualMeansSameBytes() && comparator->timestamp_size() == 0;
  block.hash_util_ratio = table.data_block_hash_table_util_ratio;
  block.expected_bytes = std::min<size_t>(table.block_size, 1 << 20);
  return block;
}

uint32_t ChooseBaseContext(const TableBuilderOptions& options) {
  if (!HasContextChecksums(options.table.format_version)) return 0;
  if (options.base_context_checksum != 0) return options.base_context_checksum;
  uint32_t base = 0;
  if (options.db_session_id.empty()) {
    base = std::random_device()();
  } else {
    std::string identity = options.db_session_id;
    PutFixed64(&identity, options.file_number);
    base = static_cast<uint32_t>(Hash64(identity));
  }
  return base == 0 ? 1 : base;
}

IndexType EffectiveIndexType(const TableBuilderOptions& options) {
  if (options.table.index_type == IndexType::kHashSearch && options.prefix_extractor == nullptr) {
    return IndexType::kBinarySearch;
  }
  return options.table.index_type;
}

std::string DescribeCompressionOptions(const CompressionOptions& options, CompressionType type) {
  char text[400];
  snprintf(text, sizeof(text),
           "window_bits=%d; level=%d; strategy=%d; max_dict_bytes=%u; zstd_max_train_bytes=%u; "
           "enabled=%d; max_dict_buffer_bytes=%llu; use_zstd_dict_trainer=%d; "
           "max_compressed_bytes_per_kb=%d; checksum=%d; _type=%d; ",
           options.window_bits, options.level, options.strategy, options.max_dict_bytes,
           options.zstd_max_train_bytes, options.enabled ? 1 : 0,
           static_cast<unsigned long long>(options.max_dict_buffer_bytes),
           options.use_zstd_dict_trainer ? 1 : 0, options.max_compressed_bytes_per_kb,
           options.checksum ? 1 : 0, static_cast<int>(type));
  return text;
}

// Puts data blocks into the block cache as they are written.
class CacheFiller : public TableFileWriter::Observer {
 public:
  CacheFiller(std::shared_ptr<Cache> cache, uint64_t file_key)
      : cache_(std::move(cache)), file_key_(file_key) {}
  void OnBlock(BlockRole role, Slice raw, const BlockHandle& handle) override {
    if (role == BlockRole::kData) CacheDataBlock(cache_.get(), file_key_, handle, raw);
  }

 private:
  const std::shared_ptr<Cache> cache_;  // Shared with the readers of all tables.
  const uint64_t file_key_;
};

bool ShouldFillCache(const TableBuilderOptions& options) {
  if (!options.fill_cache || options.block_cache == nullptr || options.table.no_block_cache) {
    return false;
  }
  switch (options.table.prepopulate_block_cache) {
    case PrepopulateBlockCache::kDisable:
      return false;
    case PrepopulateBlockCache::kFlushOnly:
      return options.reason == TableCreationReason::kFlush;
    case PrepopulateBlockCache::kFlushAndCompaction:
      return options.reason == TableCreationReason::kFlush ||
             options.reason == TableCreationReason::kCompaction;
  }
  return false;
}

// Smaller files are done before anybody else has woken; and by then it is known how well the
// data compresses, by which the size of the file is estimated.
constexpr uint64_t kHelpedFromBytes = 4 * kBatchBytes;

CompressionType FirstAvailable(std::initializer_list<CompressionType> types) {
  for (const CompressionType type : types) {
    if (IsCodecAvailable(type)) return type;
  }
  return CompressionType::kNone;
}

}  // namespace

struct TableBuilder::Rep {
  Rep(const TableBuilderOptions& table_options, FileWriter* file_writer);

  void Add(Slice user_key, uint64_t tag, Slice value);
  void AddRangeDeletion(Slice start, Slice end, SequenceNumber sequence);
  Status Finish();

  bool FollowsLast(Slice user_key, uint64_t tag, size_t* shared) const;
  bool BlockIsFull(size_t key_size, size_t value_size) const;
  void CutBlock(const Slice* next_user_key);
  Status WriteDirect(Slice payload, BlockHandle* handle, bool* after_gap);
  Status PadBefore(size_t payload_size, bool* after_gap);
  void Queue(Slice payload, size_t entry);
  void GetHelp();
  void SubmitOpenBatch();
  Status WriteBatch(BlockBatch* batch);
  Status StopSampling();
  Status DrainBatches();
  void SampleCompression(Slice payload);
  void CutFilterPartition(Slice separator, uint64_t tag, Slice next_user_key);
  void NoteSequence(SequenceNumber sequence);
  void FailOutOfOrder(Slice key, uint64_t tag);
  void NoteTimestamp(Slice timestamp);
  Status WriteFilter();
  Status WriteIndex(BlockHandle* index);
  Status WriteMetaBlocks();
  void FillProperties();

  void Fail(const Status& s) {
    if (status.ok()) status = s;
  }
  // A user key as it is stored.
  Slice Stored(Slice user_key) const {
    return Slice(user_key.data(), user_key.size() - stripped_bytes);
  }
  // A stored key as filters want it.
  Slice WithoutTimestamp(Slice stored) const {
    return Slice(stored.data(), stored.size() - kept_timestamp_bytes);
  }
  // The threads that the options ask for.
  BatchWorkers Workers() const {
    BatchWorkers workers;
    workers.threads = options.compression_options.parallel_threads;
    return workers;
  }

  const TableBuilderOptions options;
  const KeyOrder& order;
  FileWriter* const file;
  const size_t stripped_bytes;        // Timestamp bytes that are not stored.
  const size_t kept_timestamp_bytes;  // Timestamp bytes that are.
  const IndexType index_type;
  const size_t block_size;
  size_t nearly_full;  // A block of more bytes is ended rather than passing block_size.
  const bool block_align;

  Status status;
  // Index blocks never have a dictionary; data blocks may.
  BlockCompressor plain_compressor;
  std::unique_ptr<BlockCompressor> dictionary_compressor;
  std::string dictionary;
  TableFileWriter out;
  std::unique_ptr<CacheFiller> cache_filler;  // Null: the cache is not filled.
  BlockBuilder data_block;
  BlockBuffer compressed;
  IndexBuilder index;
  std::unique_ptr<FilterBuilder> filter;  // Null: the table has none.
  bool coupled_filter = false;
  bool decoupled_filter = false;
  BlockBuilder range_deletions;
  std::vector<std::unique_ptr<TablePropertiesCollector>> collectors;
  TableProperties properties;
  std::string first_key;  // Of the current block, packed; first-key indexes only.
  std::string timestamp_min;
  std::string timestamp_max;
  bool any_timestamp = false;
  bool any_key = false;  // A point key was added; it is data_block.last_key().
  SequenceNumber sequence_min = UINT64_MAX;
  SequenceNumber sequence_max = 0;

  // While sampling for a dictionary, blocks wait here.
  bool sampling = false;
  uint64_t sampling_limit = 0;
  std::vector<std::unique_ptr<BlockBatch>> sampled;
  // With several threads, blocks gather in open_batch and go through the pipeline.
  std::unique_ptr<BatchPipeline> pipeline;
  std::unique_ptr<BlockBatch> open_batch;
  uint64_t queued_raw_bytes = 0;  // Of blocks that are cut but not written.

  uint64_t blocks_cut = 0;
  uint64_t raw_data_bytes = 0;  // Of all data blocks before compression.
  uint64_t sample_raw_bytes = 0;
  uint64_t sample_fast_bytes = 0;
  uint64_t sample_slow_bytes = 0;
  BlockHandle last_guess;  // Where the last queued block would be if stored as it is.
  bool finished = false;
  bool need_compaction = false;
};

TableBuilder::Rep::Rep(const TableBuilderOptions& table_options, FileWriter* file_writer)
    : options(table_options),
      order(*table_options.order),
      file(file_writer),
      stripped_bytes(table_options.persist_user_defined_timestamps
                         ? 0
                         : table_options.order->timestamp_size()),
      kept_timestamp_bytes(table_options.order->timestamp_size() - stripped_bytes),
      index_type(EffectiveIndexType(table_options)),
      block_size(std::max<size_t>(table_options.table.block_size, 1)),
      block_align(table_options.table.block_align),
      plain_compressor(block_align ? CompressionType::kNone : table_options.compression,
                       table_options.compression_options, std::string(),
                       table_options.table.verify_compression),
      out(file_writer, table_options.table.format_version, table_options.table.checksum,
          ChooseBaseContext(table_options),
          table_options.table.enable_index_compression ? &plain_compressor : nullptr),
      data_block(DataBlockOptions(table_options)),
      index([&] {
        const TableOptions& table = table_options.table;
        IndexBuilder::Options index_options;
        index_options.order = table_options.order;
        index_options.type = index_type;
        index_options.shortening = table.index_shortening;
        index_options.restart_interval =
            static_cast<uint32_t>(std::max(table.index_block_restart_interval, 1));
        index_options.keep_tags = table.format_version < 3;
        index_options.delta_values = table.format_version >= 4 && !table.block_align;
        index_options.stripped_timestamps = stripped_bytes != 0;
        index_options.partition_size = table.metadata_block_size;
        index_options.partition_deviation = table.block_size_deviation;
        index_options.uniform_cv_threshold = table.uniform_cv_threshold;
        index_options.prefix_extractor = table_options.prefix_extractor.get();
        return index_options;
      }()),
      range_deletions([] {
        BlockBuilder::Options block;
        block.restart_interval = 1;
        block.expected_bytes = 0;
        return block;
      }()) {
  const TableOptions& table = options.table;
  if (table.format_version < kFormatVersionMinWritten || table.format_version > kFormatVersionMax) {
    Fail(Status::InvalidArgument(
        Concat("Unsupported format_version ", table.format_version, " for ", file->path())));
  }
  const int32_t deviation = std::clamp(table.block_size_deviation, 0, 100);
  nearly_full =
      deviation == 0 ? SIZE_MAX : (block_size * static_cast<size_t>(100 - deviation) + 99) / 100;

  if (table.filter_policy != nullptr && !options.skip_filters) {
    const bool flush = options.reason == TableCreationReason::kFlush ||
                       options.reason == TableCreationReason::kRecovery;
    const int32_t levelish = flush ? -1 : (options.level < 0 ? INT32_MAX - 1 : options.level);
    FilterBuilder::Options filter_options;
    filter_options.recipe = MakeFilterRecipe(*table.filter_policy, table.format_version, levelish,
                                             /*probes_by_size=*/table.optimize_filters_for_memory);
    filter_options.whole_keys = table.whole_key_filtering;
    filter_options.prefix_extractor = options.prefix_extractor.get();
    filter_options.partitioned =
        table.partition_filters && index_type == IndexType::kTwoLevelIndexSearch;
    filter_options.decoupled = table.decouple_partitioned_filters;
    filter_options.partition_size = table.metadata_block_size;
    filter_options.partition_deviation = table.block_size_deviation;
    filter_options.verify = table.detect_filter_construct_corruption;
    if (filter_options.recipe.kind != FilterRecipe::Kind::kNone) {
      filter = std::make_unique<FilterBuilder>(filter_options);
      decoupled_filter = filter_options.partitioned && filter_options.decoupled;
      coupled_filter = filter_options.partitioned && !filter_options.decoupled;
    }
  }

  // A file without an identity is known to its readers only.
  if (ShouldFillCache(options) && !options.db_session_id.empty() && options.file_number != 0) {
    cache_filler = std::make_unique<CacheFiller>(
        options.block_cache,
        CacheFileKey(options.db_id, options.db_session_id, options.file_number));
    out.SetObserver(cache_filler.get());
  }
  for (const auto& factory : options.collectors) {
    auto collector = factory->Create(options.column_family_id, options.level);
    if (collector != nullptr) collectors.push_back(std::move(collector));
  }

  const CompressionOptions& compression = options.compression_options;
  if (compression.max_dict_bytes > 0 && SupportsDictionary(plain_compressor.type())) {
    sampling = true;
    sampling_limit = options.target_file_size;
    if (compression.max_dict_buffer_bytes != 0) {
      sampling_limit = sampling_limit == 0
                           ? compression.max_dict_buffer_bytes
                           : std::min(sampling_limit, compression.max_dict_buffer_bytes);
    }
    if (sampling_limit == 0) sampling_limit = UINT64_MAX;
  }
  if (compression.parallel_threads > 1 && plain_compressor.type() != CompressionType::kNone &&
      !sampling) {
    pipeline = std::make_unique<BatchPipeline>(&plain_compressor, out.checksum(), Workers());
  }
}

// --- Entries ---

// Compares a key with the last one and finds the bytes that they share, as
// BlockBuilder::Add() wants it. False when the key does not come after.
inline bool TableBuilder::Rep::FollowsLast(Slice user_key, uint64_t tag, size_t* shared) const {
  const Slice last = PackedUserKey(data_block.last_key());
  const size_t common = std::min(last.size(), user_key.size());
  const size_t equal = CommonPrefix(last.data(), user_key.data(), common);
  *shared = equal < common ? equal : BlockBuilder::kUnknownShared;
  if (SKARN_LIKELY(order.bytewise())) {
    if (SKARN_LIKELY(equal < common)) {
      return static_cast<uint8_t>(last.data()[equal]) <
             static_cast<uint8_t>(user_key.data()[equal]);
    }
    if (last.size() != user_key.size()) return last.size() < user_key.size();
    return PackedTag(data_block.last_key()) > tag;
  }
  const int compared = stripped_bytes == 0 ? order.CompareUser(last, user_key)
                                           : order.comparator()->CompareWithoutTimestamp(
                                                 last, false, user_key, false);
  return compared < 0 || (compared == 0 && PackedTag(data_block.last_key()) > tag);
}

inline bool TableBuilder::Rep::BlockIsFull(size_t key_size, size_t value_size) const {
  const size_t size = data_block.EstimatedSize();
  // Most often there is clearly room.
  if (SKARN_LIKELY(size + key_size + value_size + BlockBuilder::kEntryOverheadMax +
                       kBlockTrailerSize <=
                   block_size)) {
    return false;
  }
  if (data_block.empty()) return false;
  if (size >= block_size) return true;
  const size_t after = data_block.EstimatedSizeAfter(key_size, value_size);
  if (block_align) return after + kBlockTrailerSize > block_size;
  return after > block_size && size > nearly_full;
}

inline void TableBuilder::Rep::NoteSequence(SequenceNumber sequence) {
  sequence_max = std::max(sequence_max, sequence);
  sequence_min = std::min(sequence_min, sequence);
}

[[gnu::cold]] void TableBuilder::Rep::FailOutOfOrder(Slice key, uint64_t tag) {
  Fail(Status::Corruption(Concat("Out-of-order key in ", file->path(), ": ",
                                 DescribePackedKey(PackKey(key, tag)), " after ",
                                 DescribePackedKey(data_block.last_key()))));
}

void TableBuilder::Rep::NoteTimestamp(Slice timestamp) {
  const Comparator* comparator = order.comparator();
  if (!any_timestamp || comparator->CompareTimestamp(timestamp, timestamp_min) < 0) {
    timestamp_min.assign(timestamp.data(), timestamp.size());
  }
  if (!any_timestamp || comparator->CompareTimestamp(timestamp, timestamp_max) > 0) {
    timestamp_max.assign(timestamp.data(), timestamp.size());
  }
  any_timestamp = true;
}

void TableBuilder::Rep::Add(Slice user_key, uint64_t tag, Slice value) {
  if (SKARN_UNLIKELY(!status.ok() || finished)) return;
  const EntryKind kind = TagKind(tag);
  if (SKARN_UNLIKELY(kind == EntryKind::kRangeDeletion)) {
    return AddRangeDeletion(user_key, value, TagSequence(tag));
  }
  const Slice key = Stored(user_key);
  size_t shared = BlockBuilder::kUnknownShared;
  if (SKARN_LIKELY(any_key)) {
    if (SKARN_UNLIKELY(!FollowsLast(key, tag, &shared))) return FailOutOfOrder(key, tag);
  }
  any_key = true;
  if (SKARN_UNLIKELY(BlockIsFull(key.size() + kTagSize, value.size()))) {
    CutBlock(&key);
    if (!status.ok()) return;
  }

  if (filter != nullptr) {
    const Slice filtered = WithoutTimestamp(key);
    if (SKARN_UNLIKELY(decoupled_filter && filter->partition_is_full())) {
      const Slice last = PackedUserKey(data_block.last_key());
      if (WithoutTimestamp(last) != filtered) {
        std::string separator = WithoutTimestamp(last).ToString();
        separator.append(kept_timestamp_bytes, '\0');
        filter->CutPartition(separator, 0, filtered);
      }
    }
    filter->Add(filtered);
  }
  if (index_type == IndexType::kHashSearch) index.NoteKey(key);
  if (index_type == IndexType::kBinarySearchWithFirstKey && data_block.empty()) {
    first_key.clear();
    AppendPackedKey(&first_key, key, tag);
  }
  data_block.Add(key, tag, value, shared);

  ++properties.num_entries;
  properties.raw_key_size += key.size() + kTagSize;
  properties.raw_value_size += value.size();
  switch (kind) {
    case EntryKind::kValue:
      break;
    case EntryKind::kDeletion:
    case EntryKind::kSingleDeletion:
    case EntryKind::kDeletionWithTimestamp:
      ++properties.num_deletions;
      break;
    case EntryKind::kMerge:
      ++properties.num_merge_operands;
      break;
    default:
      if (SKARN_UNLIKELY(!IsStoredKind(static_cast<uint8_t>(kind)) && !options.ignore_key_type)) {
        Fail(Status::Corruption(
            Concat("Entry of unknown type ", static_cast<uint32_t>(kind), " for ", file->path())));
      }
      break;
  }
  NoteSequence(TagSequence(tag));
  if (SKARN_UNLIKELY(kept_timestamp_bytes != 0)) {
    NoteTimestamp(Slice(key.end() - kept_timestamp_bytes, kept_timestamp_bytes));
  }
  for (const auto& collector : collectors) {
    collector->Add(user_key, TagSequence(tag), static_cast<uint8_t>(kind), value, out.offset());
  }
}

void TableBuilder::Rep::AddRangeDeletion(Slice start, Slice end, SequenceNumber sequence) {
  if (!status.ok() || finished) return;
  const Slice stored_start = Stored(start);
  const Slice stored_end = Stored(end);
  const uint64_t tag = PackTag(sequence, EntryKind::kRangeDeletion);
  range_deletions.Add(stored_start, tag, stored_end);
  ++properties.num_entries;
  ++properties.num_range_deletions;
  ++properties.num_deletions;
  properties.raw_key_size += stored_start.size() + kTagSize;
  properties.raw_value_size += stored_end.size();
  NoteSequence(sequence);
  if (kept_timestamp_bytes != 0) {
    NoteTimestamp(Slice(start.end() - kept_timestamp_bytes, kept_timestamp_bytes));
  }
  for (const auto& collector : collectors) {
    collector->Add(start, sequence, static_cast<uint8_t>(EntryKind::kRangeDeletion), end,
                   out.offset());
  }
}

// --- Data blocks ---

// Ends the current data block, which is not empty. `next_user_key` is null at the end of
// the table.
void TableBuilder::Rep::CutBlock(const Slice* next_user_key) {
  const Slice payload = data_block.Finish();
  ++blocks_cut;
  ++properties.num_data_blocks;
  raw_data_bytes += payload.size();
  if (options.sample_for_compression != 0 && blocks_cut % options.sample_for_compression == 0) {
    SampleCompression(payload);
  }

  if (pipeline == nullptr && raw_data_bytes > kHelpedFromBytes) GetHelp();

  BlockHandle handle;
  bool after_gap = false;
  const bool direct = !sampling && pipeline == nullptr;
  if (direct) {
    Status s = WriteDirect(payload, &handle, &after_gap);
    if (!s.ok()) return Fail(s);
    last_guess = handle;
  } else {
    handle.offset = blocks_cut == 1 ? 0 : last_guess.offset + last_guess.size + kBlockTrailerSize;
    handle.size = payload.size();
    last_guess = handle;
  }

  if (coupled_filter && filter->partition_is_full()) index.RequestPartitionCut();
  const size_t entry = index.AddBlock(first_key, data_block.last_key(), next_user_key, handle);
  if (direct) {
    if (after_gap) index.SetHandle(entry, handle, after_gap);
  } else {
    Queue(payload, entry);
  }
  // The filter's partition ends with the block that began a new partition of the index,
  // so that its keys are at or below that block's separator.
  if (coupled_filter && next_user_key != nullptr && index.TakePartitionCut()) {
    filter->CutPartition(index.last_separator(), index.last_separator_tag(),
                         WithoutTimestamp(*next_user_key));
  }
  data_block.Reset();
}

Status TableBuilder::Rep::PadBefore(size_t payload_size, bool* after_gap) {
  const uint64_t alignment = options.table.super_block_alignment_size;
  const uint64_t ratio = options.table.super_block_alignment_space_overhead_ratio;
  *after_gap = false;
  if (alignment == 0 || ratio == 0) return Status::Ok();
  const uint64_t into = out.offset() % alignment;
  const uint64_t pad = alignment - into;
  if (into + payload_size <= alignment || into == 0 || pad >= alignment / ratio) {
    return Status::Ok();
  }
  *after_gap = true;
  return out.PadTo(alignment);
}

// Compresses and writes the block whose payload is in data_block.
Status TableBuilder::Rep::WriteDirect(Slice payload, BlockHandle* handle, bool* after_gap) {
  const BlockCompressor& compressor =
      dictionary_compressor != nullptr ? *dictionary_compressor : plain_compressor;
  char* stored = const_cast<char*>(payload.data());  // data_block's own buffer.
  size_t size = 0;
  CompressionType type = CompressionType::kNone;
  if (compressor.type() == CompressionType::kNone) {
    ++properties.num_data_blocks_compression_bypassed;
  } else {
    compressed.Clear();
    char* room = compressed.Reserve(compressor.OutputCapacity(payload.size()) + kBlockTrailerSize);
    Status s = compressor.Compress(payload, room, &size);
    if (!s.ok()) return s;
    if (size != 0) {
      stored = room;
      type = compressor.type();
    } else {
      ++properties.num_data_blocks_compression_rejected;
    }
  }
  if (size == 0) size = payload.size();
  out.NoteCompression(compressor.type(), payload.size(), size, type);

  Status s = PadBefore(size, after_gap);
  if (!s.ok()) return s;
  s = out.WriteInPlace(stored, size, type, handle);
  if (!s.ok()) return s;
  if (out.observer() != nullptr) out.observer()->OnBlock(BlockRole::kData, payload, *handle);
  return block_align ? out.PadTo(std::min<uint64_t>(4096, block_size)) : Status::Ok();
}

void TableBuilder::Rep::Queue(Slice payload, size_t entry) {
  if (open_batch == nullptr) {
    open_batch = pipeline != nullptr ? pipeline->NewBatch() : std::make_unique<BlockBatch>();
  }
  open_batch->raw.Append(payload.data(), payload.size());
  BlockBatch::Item item;
  item.raw_size = payload.size();
  item.entry = entry;
  open_batch->items.push_back(item);
  queued_raw_bytes += payload.size();
  if (open_batch->raw.size() >= kBatchBytes) SubmitOpenBatch();
  if (sampling && queued_raw_bytes > sampling_limit) Fail(StopSampling());
}

void TableBuilder::Rep::SubmitOpenBatch() {
  if (open_batch == nullptr) return;
  if (sampling) {
    sampled.push_back(std::move(open_batch));
    return;
  }
  if (pipeline->full()) {
    std::unique_ptr<BlockBatch> batch = pipeline->TakeOldest();
    Status s = WriteBatch(batch.get());
    if (!s.ok()) return Fail(s);
    pipeline->GiveBack(std::move(batch));
  }
  pipeline->Submit(std::move(open_batch));
}

// From here on blocks are compressed by those who have time.
void TableBuilder::Rep::GetHelp() {
  const BlockCompressor& compressor =
      dictionary_compressor != nullptr ? *dictionary_compressor : plain_compressor;
  if (sampling || options.helpers.jobs == 0 || compressor.type() == CompressionType::kNone) return;
  pipeline = std::make_unique<BatchPipeline>(&compressor, out.checksum(), options.helpers);
}

// Writes blocks that CompressBatch() has prepared.
Status TableBuilder::Rep::WriteBatch(BlockBatch* batch) {
  if (!batch->status.ok()) return batch->status;
  const bool gaps = options.table.super_block_alignment_size != 0;
  const CompressionType wanted = plain_compressor.type();
  char* stored = batch->stored.data();
  const char* raw = batch->raw.data();
  const uint64_t begin = out.offset();
  uint64_t at = 0;  // Of the item in `stored`.
  for (const BlockBatch::Item& item : batch->items) {
    const size_t whole = item.stored_size + kBlockTrailerSize;
    bool after_gap = false;
    if (gaps) {
      Status s = PadBefore(item.stored_size, &after_gap);
      if (!s.ok()) return s;
    }
    BlockHandle handle;
    handle.offset = gaps ? out.offset() : begin + at;
    handle.size = item.stored_size;
    char* checksum = stored + at + item.stored_size + 1;
    EncodeFixed32(checksum,
                  DecodeFixed32(checksum) +
                      ChecksumContextModifier(out.base_context_checksum(), handle.offset));
    out.NoteType(item.type);
    out.NoteCompression(wanted, item.raw_size, item.stored_size, item.type);
    index.SetHandle(item.entry, handle, after_gap);
    if (wanted == CompressionType::kNone) {
      ++properties.num_data_blocks_compression_bypassed;
    } else if (item.type == CompressionType::kNone) {
      ++properties.num_data_blocks_compression_rejected;
    }
    if (gaps) {
      Status s = out.AppendBlocks(Slice(stored + at, whole));
      if (!s.ok()) return s;
    }
    if (out.observer() != nullptr) {
      out.observer()->OnBlock(BlockRole::kData, Slice(raw, item.raw_size), handle);
    }
    raw += item.raw_size;
    at += whole;
    queued_raw_bytes -= item.raw_size;
  }
  return gaps ? Status::Ok() : out.AppendBlocks(Slice(stored, at));
}

// Makes the dictionary from the blocks that wait and lets them go on.
Status TableBuilder::Rep::StopSampling() {
  SubmitOpenBatch();
  sampling = false;
  const CompressionOptions& compression = options.compression_options;
  dictionary = MakeDictionary(plain_compressor.type(), compression, sampled);
  dictionary_compressor = std::make_unique<BlockCompressor>(
      plain_compressor.type(), compression, dictionary, options.table.verify_compression);
  if (compression.parallel_threads > 1) {
    pipeline =
        std::make_unique<BatchPipeline>(dictionary_compressor.get(), out.checksum(), Workers());
  }
  for (std::unique_ptr<BlockBatch>& batch : sampled) {
    Status s;
    if (pipeline != nullptr) {
      open_batch = std::move(batch);
      SubmitOpenBatch();
      s = status;
    } else {
      CompressBatch(*dictionary_compressor, out.checksum(), batch.get());
      s = WriteBatch(batch.get());
      batch.reset();
    }
    if (!s.ok()) return s;
  }
  sampled.clear();
  return Status::Ok();
}

// Everything that was cut gets written.
Status TableBuilder::Rep::DrainBatches() {
  if (sampling) {
    Status s = StopSampling();
    if (!s.ok()) return s;
  }
  if (pipeline == nullptr) return Status::Ok();
  SubmitOpenBatch();
  while (pipeline->in_flight() > 0) {
    std::unique_ptr<BlockBatch> batch = pipeline->TakeOldest();
    Status s = WriteBatch(batch.get());
    if (!s.ok()) return s;
  }
  return status;
}

void TableBuilder::Rep::SampleCompression(Slice payload) {
  const CompressionType fast = FirstAvailable({CompressionType::kLz4, CompressionType::kSnappy});
  const CompressionType slow = FirstAvailable({CompressionType::kZstd, CompressionType::kZlib});
  const auto size_with = [&](CompressionType type) {
    if (type == CompressionType::kNone) return payload.size();
    compressed.Clear();
    const size_t capacity = MaxCompressedSize(type, payload.size());
    const size_t size =
        Compress(type, CodecOptions(), nullptr, payload, compressed.Reserve(capacity), capacity);
    return size == 0 ? payload.size() : size;
  };
  sample_raw_bytes += payload.size();
  sample_fast_bytes += size_with(fast);
  sample_slow_bytes += size_with(slow);
}

// --- The end of the file ---

Status TableBuilder::Rep::WriteFilter() {
  if (filter == nullptr || filter->empty()) return Status::Ok();
  std::string separator;
  uint64_t tag = 0;
  if (coupled_filter) {
    separator = index.last_separator().ToString();
    tag = index.last_separator_tag();
  } else {
    separator = WithoutTimestamp(PackedUserKey(data_block.last_key())).ToString();
    separator.append(kept_timestamp_bytes, '\0');
  }
  FilterBuilder::IndexFlavour flavour;
  flavour.keys_have_tags = index.keys_have_tags();
  flavour.delta_values = options.table.format_version >= 4 && !block_align;
  flavour.restart_interval =
      static_cast<uint32_t>(std::max(options.table.index_block_restart_interval, 1));
  FilterBuilder::Finished result;
  Status s = filter->Finish(separator, tag, flavour, &out, &result);
  if (!s.ok()) return s;
  properties.filter_size = result.size;
  properties.num_filter_entries = filter->hash_count();
  out.AddMeta(
      coupled_filter || decoupled_filter ? kPartitionedFilterBlockName : kFullFilterBlockName,
      result.handle);
  return Status::Ok();
}

Status TableBuilder::Rep::WriteIndex(BlockHandle* handle) {
  IndexBuilder::Finished result;
  if (index_type == IndexType::kHashSearch) {
    index.FinishPrefixes(&result);
    BlockHandle prefixes;
    BlockHandle metadata;
    Status s = out.Write(BlockRole::kHashIndex, result.prefix_metadata, &metadata);
    if (s.ok()) s = out.Write(BlockRole::kHashIndex, result.prefixes, &prefixes);
    if (!s.ok()) return s;
    out.AddMeta(kHashIndexPrefixesBlockName, prefixes);
    out.AddMeta(kHashIndexMetadataBlockName, metadata);
  }
  Status s = index.Finish(&out, &result);
  if (!s.ok()) return s;
  *handle = result.handle;
  properties.index_size = result.size + kBlockTrailerSize;
  properties.index_partitions = result.partitions;
  properties.top_level_index_size = result.partitions == 0 ? 0 : result.top_level_size;
  properties.index_key_is_user_key = result.keys_have_tags ? 0 : 1;
  properties.index_value_is_delta_encoded =
      options.table.format_version >= 4 && !block_align ? 1 : 0;
  properties.num_uniform_blocks = result.uniform_blocks;
  return Status::Ok();
}

void TableBuilder::Rep::FillProperties() {
  const TableOptions& table = options.table;
  TableProperties& p = properties;
  p.format_version = table.format_version;
  if (p.num_entries != 0) {
    p.key_smallest_seqno = sequence_min;
    p.key_largest_seqno = sequence_max;
  }
  p.column_family_id = options.column_family_id;
  p.column_family_name = options.column_family_name;
  p.filter_policy_name = table.filter_policy == nullptr                             ? ""
                         : table.filter_policy->kind == FilterPolicy::Kind::kRibbon ? "ribbonfilter"
                                                                                    : "bloomfilter";
  p.comparator_name = order.comparator()->Name();
  p.merge_operator_name = options.merge_operator_name;
  p.prefix_extractor_name =
      options.prefix_extractor == nullptr ? "nullptr" : options.prefix_extractor->Name();
  p.property_collectors_names = "[";
  for (size_t i = 0; i < options.collectors.size(); ++i) {
    if (i != 0) p.property_collectors_names += ",";
    p.property_collectors_names += options.collectors[i]->Name();
  }
  p.property_collectors_names += "]";
  const CompressionType type = plain_compressor.type();
  if (table.format_version < 7) {
    p.compression_name = CodecName(type);
  } else {
    p.compression_name = type == CompressionType::kNone ? "" : "BuiltinV2";
    p.compression_name += ";" + out.StoredTypes() + ";";
  }
  p.compression_options = DescribeCompressionOptions(options.compression_options, type);
  p.creation_time = options.creation_time;
  p.oldest_key_time = options.oldest_key_time;
  p.newest_key_time = options.newest_key_time;
  p.file_creation_time = options.file_creation_time;
  p.db_id = options.db_id;
  p.db_session_id = options.db_session_id;
  p.db_host_id = options.db_host_id;
  p.orig_file_number = options.file_number;
  p.seqno_to_time_mapping = options.seqno_to_time_mapping;
  p.user_defined_timestamps_persisted = stripped_bytes == 0 ? 1 : 0;
  p.data_block_restart_interval = static_cast<uint64_t>(std::max(table.block_restart_interval, 1));
  p.index_block_restart_interval =
      index_type == IndexType::kHashSearch
          ? 1
          : static_cast<uint64_t>(std::max(table.index_block_restart_interval, 1));
  p.separate_key_value_in_data_block = table.separate_key_value_in_data_block ? 1 : 0;
  if (sample_raw_bytes != 0) {
    const double factor =
        static_cast<double>(raw_data_bytes) / static_cast<double>(sample_raw_bytes);
    p.fast_compression_estimated_data_size =
        static_cast<uint64_t>(static_cast<double>(sample_fast_bytes) * factor + 0.5);
    p.slow_compression_estimated_data_size =
        static_cast<uint64_t>(static_cast<double>(sample_slow_bytes) * factor + 0.5);
  }

  auto& user = p.user_collected;
  for (const auto& [name, value] : options.extra_properties) user[name] = value;
  std::string index_type_value;
  PutFixed32(&index_type_value, static_cast<uint32_t>(index_type));
  user[kIndexTypeProperty] = index_type_value;
  user[kWholeKeyFilteringProperty] = table.whole_key_filtering ? "1" : "0";
  user[kPrefixFilteringProperty] = options.prefix_extractor != nullptr ? "1" : "0";
  if (table.decouple_partitioned_filters) user[kDecoupledFiltersProperty] = "1";
  if (kept_timestamp_bytes != 0) {
    user[kTimestampMinProperty] = timestamp_min;
    user[kTimestampMaxProperty] = timestamp_max;
  }
  for (const auto& collector : collectors) {
    collector->Finish(&user);
    need_compaction = need_compaction || collector->NeedCompact();
  }
}

// Dictionary, range deletions, properties.
Status TableBuilder::Rep::WriteMetaBlocks() {
  BlockHandle handle;
  if (!dictionary.empty()) {
    Status s = out.Write(BlockRole::kOther, dictionary, &handle);
    if (!s.ok()) return s;
    out.AddMeta(kCompressionDictBlockName, handle);
  }
  if (!range_deletions.empty()) {
    Status s = out.Write(BlockRole::kOther, range_deletions.Finish(), &handle);
    if (!s.ok()) return s;
    out.AddMeta(kRangeDelBlockName, handle);
  }
  FillProperties();
  Status s = out.Write(BlockRole::kOther, EncodeProperties(properties), &handle);
  if (!s.ok()) return s;
  out.AddMeta(kPropertiesBlockName, handle);
  return Status::Ok();
}

Status TableBuilder::Rep::Finish() {
  if (finished) return status;
  finished = true;
  if (!status.ok()) return status;
  if (!data_block.empty()) CutBlock(/*next_user_key=*/nullptr);
  if (status.ok()) Fail(DrainBatches());
  if (!status.ok()) return status;
  properties.data_size = out.offset();
  properties.tail_start_offset = out.offset();

  BlockHandle index_handle;
  Status s = WriteFilter();
  if (s.ok()) s = WriteIndex(&index_handle);
  if (s.ok()) s = WriteMetaBlocks();
  if (s.ok()) s = out.Finish(index_handle);
  Fail(s);
  pipeline.reset();
  return status;
}

// --- The public face ---

TableBuilder::TableBuilder(const TableBuilderOptions& options, FileWriter* file)
    : rep_(std::make_unique<Rep>(options, file)) {}

TableBuilder::~TableBuilder() = default;

void TableBuilder::Add(Slice user_key, uint64_t tag, Slice value) {
  rep_->Add(user_key, tag, value);
}

void TableBuilder::AddRangeDeletion(Slice start, Slice end, SequenceNumber sequence) {
  rep_->AddRangeDeletion(start, end, sequence);
}

Status TableBuilder::Finish() { return rep_->Finish(); }

void TableBuilder::Abandon() {
  rep_->finished = true;
  rep_->pipeline.reset();
  rep_->sampled.clear();
}

const Status& TableBuilder::status() const { return rep_->status; }
uint64_t TableBuilder::entry_count() const { return rep_->properties.num_entries; }
uint64_t TableBuilder::file_size_bytes() const { return rep_->out.offset(); }

uint64_t TableBuilder::estimated_file_size_bytes() const {
  const Rep& rep = *rep_;
  if (rep.finished) return rep.out.offset();
  // What waits will shrink about as much as what was written.
  const uint64_t written_raw = rep.raw_data_bytes - rep.queued_raw_bytes;
  uint64_t queued = rep.queued_raw_bytes;
  if (written_raw != 0 && queued != 0) {
    queued =
        static_cast<uint64_t>(static_cast<double>(queued) * static_cast<double>(rep.out.offset()) /
                              static_cast<double>(written_raw));
  }
  uint64_t size = rep.out.offset() + queued + rep.index.EstimatedSize();
  if (!rep.data_block.empty()) size += rep.data_block.EstimatedSize();
  if (!rep.range_deletions.empty()) size += rep.range_deletions.EstimatedSize();
  if (rep.filter != nullptr) size += rep.filter->EstimatedSize();
  return size;
}

uint64_t TableBuilder::queued_bytes() const { return rep_->queued_raw_bytes; }

uint64_t TableBuilder::tail_size_bytes() const {
  return rep_->out.offset() - rep_->properties.tail_start_offset;
}

bool TableBuilder::need_compaction() const { return rep_->need_compaction; }
const CompressionCounts& TableBuilder::compression_counts() const {
  return rep_->out.compression_counts();
}

const TableProperties& TableBuilder::properties() const { return rep_->properties; }

}  // namespace skarn
