#include <algorithm>
#include <charconv>
#include <cstring>
#include <new>
#include <utility>

#include "core/table/block_table.h"
#include "core/table/block_walk.h"
#include "core/table/meta_block_names.h"
#include "core/table/readahead.h"
#include "core/table/unique_id.h"

namespace skarn {
namespace {

// How much of the end of a file is read to find footer, metadata and usually the index.
// A part of the file that holds the index of small entries, within reason.
size_t GuessTail(uint64_t file_size) {
  const uint64_t guess = std::clamp<uint64_t>(file_size / 32, 16 << 10, 512 << 10);
  return static_cast<size_t>(std::min(guess, file_size));
}

const ReadOptions& OpenReadOptions() {
  static const ReadOptions* const options = new ReadOptions;
  return *options;
}

// The tail of the file in memory, and the footer at its end.
Status ReadTail(TableRead* read, TableFile* file, uint64_t tail_size_bytes,
                std::unique_ptr<char[]>* buffer, Readahead* tail) {
  const uint64_t file_size = file->size_bytes();
  size_t size = GuessTail(file_size);
  if (tail_size_bytes >= kFooterSizeMax && tail_size_bytes <= file_size) {
    size = static_cast<size_t>(tail_size_bytes);
  }
  if (file_size < kLegacyFooterSize) size = static_cast<size_t>(file_size);
  // The rest is as near as the footer then.
  if (file->mapped()) size = std::min(size, kFooterSizeMax);
  buffer->reset(new (std::nothrow) char[size + kBlockPadding]);
  if (*buffer == nullptr) {
    return Status(Status::Code::kAborted, Status::Subcode::kMemoryLimit, "Out of memory");
  }
  Slice bytes;
  if (size != 0) {
    if (Status s = file->ReadRaw(read, file_size - size, size, &bytes, buffer->get()); !s.ok()) {
      return s;
    }
  }
  tail->Seed(file_size - size, bytes);
  const size_t footer_size = std::min(size, kFooterSizeMax);
  Result<Footer> footer =
      DecodeFooter(Slice(bytes.end() - footer_size, footer_size), file_size, file->path());
  if (!footer.ok()) return footer.status();
  file->footer = *footer;
  if (footer->kind != TableKind::kBlockBased) {
    return Status::NotSupported(Concat(footer->kind == TableKind::kPlain ? "plain" : "cuckoo",
                                       " table files are not supported yet: ", file->path()));
  }
  return Status::Ok();
}

Status ReadMetaindex(TableRead* read, TableFile* file, Readahead* tail,
                     std::map<std::string, BlockHandle>* blocks) {
  const BlockHandle handle = file->footer.metaindex;
  BlockRef block;
  Status s = file->ReadBlock(read, handle, BlockContent::kMeta, /*parse=*/false, tail, &block);
  if (!s.ok()) return s;
  BlockWalk walk(block.bytes());
  while (walk.Next()) {
    BlockHandle to;
    Slice value = walk.value();
    if (!to.DecodeFrom(&value) || !to.FitsIn(file->footer.offset, kBlockTrailerSize)) {
      return file->Damaged(handle,
                           Concat("bad handle of ", walk.key().ToString(), " in metaindex"));
    }
    (*blocks)[walk.key().ToString()] = to;
  }
  return walk.status("metaindex block", handle.offset, file->path());
}

// Reads and checks the properties. A sequence number that was assigned by overwriting its
// eight bytes did not change the checksum, so a mismatch is looked at again without it.
Status ReadProperties(TableRead* read, TableFile* file, const BlockHandle& handle, Readahead* tail,
                      TableProperties* properties) {
  const size_t total = static_cast<size_t>(handle.size) + kBlockTrailerSize;
  std::string bytes(total, '\0');
  Slice raw;
  if (Status s = tail->Read(read, file, handle.offset, total, &raw); !s.ok()) return s;
  if (raw.empty()) {
    if (Status s = file->ReadRaw(read, handle.offset, total, &raw, bytes.data()); !s.ok()) {
      return s;
    }
  }
  if (raw.data() != bytes.data()) bytes.assign(raw.data(), raw.size());

  const Footer& footer = file->footer;
  Status s = VerifyBlockTrailer(footer.checksum, bytes.data(), handle.size,
                                footer.base_context_checksum, handle.offset, file->path());
  TableProperties parsed;
  const Status parse =
      ParseProperties(Slice(bytes.data(), handle.size), handle.offset, file->path(), &parsed);
  if (!s.ok()) {
    const uint64_t at = parsed.external_sst_file_global_seqno_offset;
    if (!parse.ok() || at < handle.offset || at - handle.offset + 8 > handle.size) return s;
    memset(bytes.data() + (at - handle.offset), 0, 8);
    if (!BlockTrailerMatches(footer.checksum, bytes.data(), handle.size,
                             footer.base_context_checksum, handle.offset)) {
      return s;
    }
  }
  if (!parse.ok()) return parse;
  *properties = std::move(parsed);
  return Status::Ok();
}

const BlockHandle* FindBlock(const std::map<std::string, BlockHandle>& blocks, const char* name) {
  const auto found = blocks.find(name);
  return found == blocks.end() ? nullptr : &found->second;
}

const BlockHandle* FindProperties(const std::map<std::string, BlockHandle>& blocks) {
  const BlockHandle* handle = FindBlock(blocks, kPropertiesBlockName);
  return handle != nullptr ? handle : FindBlock(blocks, kOldPropertiesBlockName);
}

// The sequence number that replaces those of all entries; kMaxSequenceNumber: none.
Result<SequenceNumber> GlobalSequence(const TableReaderOptions& options,
                                      const TableProperties& properties) {
  if (options.global_sequence != kMaxSequenceNumber) return options.global_sequence;
  const auto& collected = properties.user_collected;
  const auto version_at = collected.find(kExternalFileVersionProperty);
  const auto sequence_at = collected.find(kExternalFileGlobalSequenceProperty);
  const bool has_sequence = sequence_at != collected.end() && sequence_at->second.size() == 8;
  const SequenceNumber stored = has_sequence ? DecodeFixed64(sequence_at->second.data()) : 0;
  if (version_at == collected.end()) {
    if (sequence_at != collected.end()) {
      return Status::Corruption(
          Concat("A non-external sst file have global seqno property with value ", stored, ": ",
                 options.path));
    }
    return kMaxSequenceNumber;
  }
  const uint32_t version =
      version_at->second.size() == 4 ? DecodeFixed32(version_at->second.data()) : 0;
  if (version < 2) {
    if (sequence_at != collected.end() || version != 1) {
      return Status::Corruption(Concat("An external sst file with version ", version,
                                       " has global seqno property with value ", stored, ": ",
                                       options.path));
    }
    return kMaxSequenceNumber;
  }
  if (version > 2) {
    return Status::Corruption(
        Concat("An external sst file has unknown version ", version, ": ", options.path));
  }
  SequenceNumber sequence = stored;
  if (options.largest_sequence < kMaxSequenceNumber) {
    if (sequence == 0) {
      sequence = options.largest_sequence;
    } else if (sequence != options.largest_sequence) {
      return Status::Corruption(Concat("An external sst file with version ", version,
                                       " have global seqno property with value ", stored,
                                       ", while largest seqno in the file is ",
                                       options.largest_sequence, ": ", options.path));
    }
  }
  if (sequence > kMaxSequenceNumber) {
    return Status::Corruption(Concat("An external sst file with version ", version,
                                     " have global seqno property with value ", sequence,
                                     ", which is greater than kMaxSequenceNumber: ", options.path));
  }
  return sequence;
}

std::shared_ptr<const SliceTransform> TransformOfName(const std::string& name) {
  const auto length_after = [&](const char* prefix, size_t* length) {
    if (!Slice(name).StartsWith(prefix)) return false;
    const char* digits = name.data() + strlen(prefix);
    const auto [end, error] = std::from_chars(digits, name.data() + name.size(), *length);
    return error == std::errc() && end == name.data() + name.size();
  };
  size_t length = 0;
  if (length_after("rocksdb.FixedPrefix.", &length)) return NewFixedPrefixTransform(length);
  if (length_after("rocksdb.CappedPrefix.", &length)) return NewCappedPrefixTransform(length);
  if (name == "rocksdb.Noop") return NewNoopTransform();
  return nullptr;
}

bool CollectedFlag(const TableProperties& properties, const char* name) {
  const auto found = properties.user_collected.find(name);
  return found == properties.user_collected.end() || found->second != "0";
}

}  // namespace

// The steps of opening, over a table under construction.
class BlockTableOpener {
 public:
  explicit BlockTableOpener(const TableReaderOptions& options)
      : table_(new BlockTable(options)),
        options_(table_->options_),
        read_(OpenReadOptions(), TableCaller::kUser, options.statistics) {}

  Result<std::unique_ptr<TableReader>> Run(std::unique_ptr<RandomAccessFile> file) {
    if (Status s = Open(std::move(file)); !s.ok()) return s;
    return std::unique_ptr<TableReader>(std::move(table_));
  }

 private:
  Status Open(std::unique_ptr<RandomAccessFile> file);
  Status CheckIdentity() const;
  Status DecideLayout();
  Status LoadDictionary();
  Status LoadTombstones();
  Status SetUpIndex();
  void SetUpFilter();
  bool Defers() const;

  std::unique_ptr<BlockTable> table_;
  const TableReaderOptions& options_;
  TableRead read_;
  std::unique_ptr<char[]> tail_bytes_;
  Readahead tail_{Readahead::Settings{0, 0, 0, 0}};
  BlockHandle index_handle_;
};

Result<std::unique_ptr<TableReader>> BlockTable::Open(const TableReaderOptions& options,
                                                      std::unique_ptr<RandomAccessFile> file) {
  return BlockTableOpener(options).Run(std::move(file));
}

Result<std::unique_ptr<TableReader>> TableReader::Open(const TableReaderOptions& options,
                                                       std::unique_ptr<RandomAccessFile> file) {
  return BlockTable::Open(options, std::move(file));
}

Status BlockTableOpener::Open(std::unique_ptr<RandomAccessFile> random_access) {
  uint64_t size = options_.file_size_bytes;
  if (size == 0) {
    const Result<uint64_t> actual = random_access->Size();
    if (!actual.ok()) return actual.status();
    size = *actual;
  }
  table_->file_ =
      new TableFile(std::move(random_access), options_.path, size,
                    options_.env != nullptr ? options_.env->clock : nullptr, options_.rate_limiter);
  TableFile* file = table_->file_;
  file->last_level = options_.last_level;
  file->level_read_micros = options_.level_read_micros;
  if (Status s = ReadTail(&read_, file, options_.tail_size_bytes, &tail_bytes_, &tail_); !s.ok()) {
    return s;
  }
  if (Status s = ReadMetaindex(&read_, file, &tail_, &table_->meta_blocks_); !s.ok()) return s;

  auto properties = std::make_shared<TableProperties>();
  if (const BlockHandle* handle = FindProperties(table_->meta_blocks_)) {
    if (Status s = ReadProperties(&read_, file, *handle, &tail_, properties.get()); !s.ok()) {
      return s;
    }
    Status s = ParseCompressionProperty(properties->compression_name, file->footer.format_version,
                                        file->path(), &file->compression);
    if (!s.ok()) return s;
  }
  table_->properties_ = std::move(properties);
  if (Status s = CheckIdentity(); !s.ok()) return s;
  if (Status s = DecideLayout(); !s.ok()) return s;

  const TableOptions& table_options = options_.table;
  table_->loader_ = std::make_unique<BlockLoader>(
      file, table_options.no_block_cache ? nullptr : table_options.block_cache.get(),
      CacheFileKey(*table_->properties_),
      table_options.cache_index_and_filter_blocks_with_high_priority ? Cache::Priority::kHigh
                                                                     : Cache::Priority::kLow,
      table_->keys(), options_.order->bytewise(), options_.protect_cached_blocks);
  if (Status s = LoadDictionary(); !s.ok()) return s;
  if (Status s = LoadTombstones(); !s.ok()) return s;
  if (Status s = SetUpIndex(); !s.ok()) return s;
  SetUpFilter();
  if (!Defers()) return table_->LoadIndexAndFilter(&read_, &tail_);
  table_->complete_ = false;
  BlockRef stored;
  return file->ReadBlock(&read_, table_->index_.handle, BlockContent::kMeta, /*parse=*/false,
                         &tail_, &stored);
}

Status BlockTableOpener::CheckIdentity() const {
  if (options_.unique_id[0] == 0 && options_.unique_id[1] == 0) return Status::Ok();
  const Result<UniqueId> id = ComputeUniqueId(*table_->properties_);
  if (!id.ok()) return id.status();
  if (id->words[0] == options_.unique_id[0] && id->words[1] == options_.unique_id[1]) {
    return Status::Ok();
  }
  return Status::Corruption(Concat("Mismatch in unique ID on table file. Expected: {",
                                   options_.unique_id[0], ",", options_.unique_id[1], "} Actual: {",
                                   id->words[0], ",", id->words[1], "}: ", options_.path));
}

Status BlockTableOpener::DecideLayout() {
  const TableProperties& properties = *table_->properties_;
  IndexFlavour& flavour = table_->index_.flavour;
  flavour.user_keys_only = properties.index_key_is_user_key != 0;
  flavour.delta_values = properties.index_value_is_delta_encoded != 0;
  if (properties.user_defined_timestamps_persisted == 0) {
    flavour.keys.stripped_timestamp = options_.order->timestamp_size();
  }
  flavour.keys.packed_size_min =
      kTagSize + options_.order->timestamp_size() - flavour.keys.stripped_timestamp;
  const Result<SequenceNumber> global = GlobalSequence(options_, properties);
  if (!global.ok()) return global.status();
  if (*global != kMaxSequenceNumber) {
    flavour.keys.tag_and = 0xff;
    flavour.keys.tag_or = *global << 8;
  }
  table_->has_embedded_values_ = properties.user_collected.count(kEmbeddedBlobStatsProperty) != 0;

  const std::string& name = properties.prefix_extractor_name;
  if (options_.prefix_extractor != nullptr && options_.prefix_extractor->Name() == name) {
    table_->extractor_ = options_.prefix_extractor;
    table_->same_extractor_ = true;
  } else {
    table_->extractor_ = TransformOfName(name);
  }
  return Status::Ok();
}

Status BlockTableOpener::LoadDictionary() {
  TableFile* file = table_->file_;
  const BlockHandle* handle = FindBlock(table_->meta_blocks_, kCompressionDictBlockName);
  if (handle == nullptr || handle->size == 0 || file->compression.none) return Status::Ok();
  BlockRef block;
  Status s = file->ReadBlock(&read_, *handle, BlockContent::kMeta, /*parse=*/false, &tail_, &block);
  if (!s.ok()) return s;
  file->dictionary = std::make_unique<DecompressionDictionary>(block.bytes().ToString());
  return Status::Ok();
}

Status BlockTableOpener::LoadTombstones() {
  TableFile* file = table_->file_;
  const BlockHandle* handle = FindBlock(table_->meta_blocks_, kRangeDelBlockName);
  if (handle == nullptr) return Status::Ok();
  BlockRef block;
  Status s = file->ReadBlock(&read_, *handle, BlockContent::kMeta, /*parse=*/false, &tail_, &block);
  if (!s.ok()) return s;
  const KeyFlavour& keys = table_->index_.flavour.keys;
  // A timestamp that was left out comes back as the smallest one; what is stored must
  // have one otherwise.
  const size_t needed = options_.order->timestamp_size() - keys.stripped_timestamp;
  std::vector<RangeTombstone> tombstones;
  BlockWalk walk(block.bytes());
  while (walk.Next()) {
    InternalKey start;
    if (!ParsePackedKey(walk.key(), &start) || start.user_key.size() < needed ||
        walk.value().size() < needed) {
      return file->Damaged(*handle, "bad entry in range deletion block");
    }
    const uint64_t tag = keys.Tag(start.tag);
    if (TagKind(tag) != EntryKind::kRangeDeletion) {
      return file->Damaged(*handle, "bad key in range deletion block");
    }
    RangeTombstone tombstone;
    tombstone.start = start.user_key.ToString() + std::string(keys.stripped_timestamp, '\0');
    tombstone.end = walk.value().ToString() + std::string(keys.stripped_timestamp, '\0');
    tombstone.sequence = TagSequence(tag);
    tombstones.push_back(std::move(tombstone));
  }
  if (s = walk.status("range deletion block", handle->offset, file->path()); !s.ok()) return s;
  if (tombstones.empty()) return Status::Ok();
  table_->tombstones_ =
      std::make_shared<FragmentedTombstones>(*options_.order, std::move(tombstones));
  return Status::Ok();
}

Status BlockTableOpener::SetUpIndex() {
  TableFile* file = table_->file_;
  TableIndex& index = table_->index_;
  index.loader = table_->loader_.get();
  index.order = options_.order;
  index.cached = options_.table.cache_index_and_filter_blocks && index.loader->cache() != nullptr;
  if (HasIndexHandleInFooter(file->footer.format_version)) {
    index.handle = file->footer.index;
  } else {
    const BlockHandle* handle = FindBlock(table_->meta_blocks_, kIndexBlockName);
    if (handle == nullptr) {
      return Status::Corruption(Concat("no index block in the metaindex at offset ",
                                       file->footer.metaindex.offset, " of ", file->path()));
    }
    index.handle = *handle;
  }
  auto type = IndexType::kBinarySearch;
  const auto& collected = table_->properties_->user_collected;
  if (const auto found = collected.find(kIndexTypeProperty);
      found != collected.end() && found->second.size() >= 4) {
    const uint32_t number = DecodeFixed32(found->second.data());
    if (number > static_cast<uint32_t>(IndexType::kBinarySearchWithFirstKey)) {
      return Status::InvalidArgument(
          Concat("Unrecognized index type: ", number, " in ", file->path()));
    }
    type = static_cast<IndexType>(number);
  }
  // A hash index is an ordinary one with more blocks, which a binary search can do without.
  index.two_level = type == IndexType::kTwoLevelIndexSearch;
  index.flavour.first_keys = type == IndexType::kBinarySearchWithFirstKey;
  return Status::Ok();
}

void BlockTableOpener::SetUpFilter() {
  const TableOptions& table_options = options_.table;
  if (table_options.filter_policy == nullptr || options_.skip_filters) return;
  FilterReader::Setup setup;
  setup.loader = table_->loader_.get();
  setup.order = options_.order;
  setup.cached = table_->index_.cached;
  setup.flavour = table_->index_.flavour;
  setup.flavour.first_keys = false;
  if (const BlockHandle* full = FindBlock(table_->meta_blocks_, kFullFilterBlockName)) {
    setup.kind = FilterReader::Kind::kFull;
    setup.handle = *full;
  } else if (const BlockHandle* parts =
                 FindBlock(table_->meta_blocks_, kPartitionedFilterBlockName)) {
    setup.kind = FilterReader::Kind::kPartitioned;
    setup.handle = *parts;
  } else {
    return;
  }
  const TableProperties& properties = *table_->properties_;
  table_->filter_.Init(setup);
  table_->filter_whole_keys_ =
      table_options.whole_key_filtering && CollectedFlag(properties, kWholeKeyFilteringProperty);
  table_->filter_prefixes_ =
      table_->extractor_ != nullptr && CollectedFlag(properties, kPrefixFilteringProperty);
}

// Small parts of a mapped file need not be loaded before somebody reads the table.
bool BlockTableOpener::Defers() const {
  return options_.may_defer && table_->file_->mapped() && !table_->index_.cached &&
         !table_->index_.two_level && !table_->filter_.partitioned();
}

bool BlockTable::Holds(PinningTier tier, PinningTier fallback) const {
  if (tier == PinningTier::kFallback) tier = fallback;
  return tier == PinningTier::kAll || (tier == PinningTier::kFlushedAndSimilar &&
                                       (options_.flushed_recently || options_.level == 0));
}

Status BlockTable::FinishOpening() {
  if (complete_) return Status::Ok();
  TableRead read(OpenReadOptions(), TableCaller::kUser, options_.statistics);
  Status s = LoadIndexAndFilter(&read, /*tail=*/nullptr);
  // It is not the read that comes here that costs this; opening the table does.
  read.counts = TableReadCounts();
  complete_ = s.ok();
  return s;
}

Status BlockTable::LoadIndexAndFilter(TableRead* read, Readahead* tail) {
  const MetadataCacheOptions& pinning = options_.table.metadata_cache_options;
  const PinningTier of_flushed = options_.table.pin_l0_filter_and_index_blocks_in_cache
                                     ? PinningTier::kFlushedAndSimilar
                                     : PinningTier::kNone;
  const PinningTier of_tops =
      options_.table.pin_top_level_index_and_filter ? PinningTier::kAll : PinningTier::kNone;
  const bool hold_tops = Holds(pinning.top_level_index_pinning, of_tops);
  // Without a cache there is nothing to fetch partitions from at a bearable cost.
  const bool hold_partitions =
      loader_->cache() == nullptr || Holds(pinning.partition_pinning, of_flushed);
  const bool hold_whole = Holds(pinning.unpartitioned_pinning, of_flushed);
  const bool hold_index = !index_.cached || (index_.two_level ? hold_tops : hold_whole);
  const bool hold_filter = !index_.cached || (filter_.partitioned() ? hold_tops : hold_whole);

  ObjectRef<const IndexBlock> top;
  {
    // The index usually lies in the tail that was read.
    Status s = loader_->Index(read, index_.handle, index_.TopFlavour(), *index_.order,
                              index_.cached, tail, &top);
    if (!s.ok()) return s;
  }
  if (index_.two_level && hold_partitions) {
    std::vector<ObjectRef<const IndexBlock>> partitions(top->count());
    for (uint32_t i = 0; i < top->count(); ++i) {
      Status s = loader_->Index(read, top->handle(i), index_.flavour, *index_.order,
                                /*cached=*/true, tail, &partitions[i]);
      if (!s.ok()) return s;
    }
    index_.partitions = std::move(partitions);
  }
  if (hold_index) index_.top = std::move(top);
  if (Status s = filter_.Load(read, hold_filter, hold_partitions, tail); !s.ok()) return s;
  quick_ = loader_->cache() != nullptr && options_.order->bytewise() &&
           !options_.protect_cached_blocks && index_.top && !index_.two_level &&
           !has_embedded_values_ &&
           !(file_->mapped() && file_->compression.none);  // Then nothing is cached.
  lean_ = quick_ && options_.statistics == nullptr &&
          (!filter_.exists() || (filter_whole_keys_ && filter_.held_by_hash64()));
  return Status::Ok();
}

Result<std::shared_ptr<const TableProperties>> ReadTableProperties(const RandomAccessFile& file,
                                                                   const std::string& path,
                                                                   uint64_t file_size_bytes) {
  // A view of the caller's file; reading needs no more than Read().
  class Borrowed final : public RandomAccessFile {
   public:
    explicit Borrowed(const RandomAccessFile& target) : target_(target) {}
    Status Read(uint64_t offset, size_t size, Slice* result, char* scratch) const override {
      return target_.Read(offset, size, result, scratch);
    }
    Result<uint64_t> Size() const override { return target_.Size(); }

   private:
    const RandomAccessFile& target_;
  };
  auto* table_file =
      new TableFile(std::make_unique<Borrowed>(file), path, file_size_bytes, /*clock=*/nullptr,
                    /*rate_limiter=*/nullptr);
  TableRead read(OpenReadOptions(), TableCaller::kUser, /*statistics=*/nullptr);
  std::unique_ptr<char[]> buffer;
  Readahead tail(Readahead::Settings{0, 0, 0, 0});
  std::map<std::string, BlockHandle> blocks;
  auto properties = std::make_shared<TableProperties>();
  Status s = ReadTail(&read, table_file, /*tail_size_bytes=*/0, &buffer, &tail);
  if (s.ok()) s = ReadMetaindex(&read, table_file, &tail, &blocks);
  if (s.ok()) {
    const BlockHandle* handle = FindProperties(blocks);
    s = handle == nullptr ? Status::Corruption(Concat("no properties block in ", path))
                          : ReadProperties(&read, table_file, *handle, &tail, properties.get());
  }
  table_file->Unref();
  if (!s.ok()) return s;
  return std::shared_ptr<const TableProperties>(std::move(properties));
}

}  // namespace skarn
