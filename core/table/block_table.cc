#include "core/table/block_table.h"

#include <algorithm>
#include <utility>

#include "core/base/hash.h"
#include "core/table/meta_block_names.h"
#include "core/table/readahead.h"
#include "core/table/table_cursor.h"

namespace skarn {
namespace {

constexpr uint64_t kPropertiesBytesEstimate = 2048;

}  // namespace

BlockTable::~BlockTable() {
  // Cursors are gone; what users still hold of the mapping has counts of its own.
  if (file_ != nullptr) file_->Unref();
}

std::unique_ptr<InternalCursor> BlockTable::NewCursor(const ReadOptions& read, TableCaller caller,
                                                      bool skip_filters,
                                                      size_t compaction_readahead_bytes) {
  return std::make_unique<TableCursor>(this, read, caller, skip_filters,
                                       compaction_readahead_bytes);
}

bool BlockTable::PrefixMayMatch(TableRead* read, Slice user_key, Slice seek_key,
                                uint64_t seek_tag) const {
  if (!filters_prefixes() || !extractor_->InDomain(user_key)) return true;
  const Slice prefix = extractor_->Transform(user_key);
  if (!same_extractor_ || read->options.auto_prefix_mode) {
    // The scan is not limited to the prefix by agreement: then its bound must do that.
    const Slice* bound = read->options.iterate_upper_bound;
    if (bound == nullptr || !extractor_->InDomain(*bound) ||
        extractor_->Transform(*bound) != prefix) {
      return true;
    }
  }
  ++read->counts.prefix_checked;
  if (filter_.MayMatch(read, prefix, Hash64(prefix), seek_key, seek_tag)) return true;
  ++read->counts.prefix_useful;
  return false;
}

Status BlockTable::ReadEmbeddedValue(TableRead* read, Slice reference, BlockRef* value,
                                     bool* inside) const {
  *inside = false;
  // u8 1 | varint64 file number | varint64 offset | varint64 size | u8 compression
  Slice input = reference;
  uint64_t file_number = 0;
  BlockHandle handle;
  if (input.empty() || input[0] != 1) return Status::Ok();
  input.RemovePrefix(1);
  if (!GetVarint64(&input, &file_number) || file_number != 0) return Status::Ok();
  if (!handle.DecodeFrom(&input) || input.size() != 1 || input[0] != 0) {
    return Status::Corruption(Concat("bad reference to a value inside ", file_->path()));
  }
  *inside = true;
  if (read->options.read_tier == ReadTier::kBlockCache) {
    return Status::Incomplete("no blocking io");
  }
  return file_->ReadBlock(read, handle, BlockContent::kMeta, /*parse=*/false, nullptr, value);
}

uint64_t BlockTable::DataEnd(IndexCursor* index) const {
  if (properties_->data_size != 0) return properties_->data_size;
  index->SeekToLast();
  if (!index->valid()) return 0;
  return index->handle().offset + index->handle().size + kBlockTrailerSize;
}

uint64_t BlockTable::ApproximateOffset(Slice user_key, uint64_t tag) {
  static const ReadOptions* const options = new ReadOptions;
  TableRead read(*options, TableCaller::kApproximate, options_.statistics);
  IndexCursor index(&index_, &read);
  const uint64_t data_end = DataEnd(&index);
  if (data_end == 0) return 0;
  index.Seek(user_key, tag);
  uint64_t offset = data_end;
  if (index.valid()) {
    offset = index.handle().offset;
  } else if (!index.status().ok()) {
    offset = data_end / 2;  // Nothing better is known.
  }
  // Filters, index and the rest are spread over the data in proportion.
  const double share = static_cast<double>(offset) / static_cast<double>(data_end);
  return static_cast<uint64_t>(share * static_cast<double>(file_->size_bytes()));
}

Status BlockTable::Anchors(size_t count, std::vector<Anchor>* anchors) {
  static const ReadOptions* const options = new ReadOptions;
  TableRead read(*options, TableCaller::kApproximate, options_.statistics);
  anchors->clear();
  if (count == 0) return Status::Ok();
  IndexCursor index(&index_, &read);
  const uint64_t step = std::max<uint64_t>(1, DataEnd(&index) / count);
  uint64_t bytes = 0;
  uint64_t next = step;
  BlockHandle last;
  std::string last_key;
  for (index.SeekToFirst(); index.valid(); index.Next()) {
    last = index.handle();
    bytes += last.size + kBlockTrailerSize;
    last_key.assign(index.user_key().data(), index.user_key().size());
    if (bytes >= next) {
      anchors->push_back(Anchor{last_key, bytes});
      next = bytes + step;
    }
  }
  if (!index.status().ok()) return index.status();
  if (bytes != 0 && (anchors->empty() || anchors->back().bytes != bytes)) {
    anchors->push_back(Anchor{std::move(last_key), bytes});
  }
  return Status::Ok();
}

Status BlockTable::VerifyChecksums(const ReadOptions& options) {
  ReadOptions verify = options;
  verify.verify_checksums = true;
  verify.fill_cache = false;
  verify.read_tier = ReadTier::kReadAll;
  TableRead read(verify, TableCaller::kVerify, options_.statistics);
  Readahead::Settings settings;
  settings.fixed_bytes =
      options.readahead_size != 0 ? static_cast<size_t>(options.readahead_size) : 256 << 10;
  Readahead readahead(settings);
  BlockRef block;
  auto check = [&](const BlockHandle& handle, BlockContent content, bool parse, Readahead* ahead) {
    return file_->ReadBlock(&read, handle, content, parse, ahead, &block);
  };

  for (const auto& [name, handle] : meta_blocks_) {
    // Those of the hash index may be compressed like the index.
    const bool index_like = Slice(name).StartsWith("rocksdb.hashindex.");
    if (name == "rocksdb.properties" || name == "rocksdb.stats") {
      // Read with its own rules for an assigned sequence number when it was opened; a
      // mismatch that those explain is none.
      Result<std::shared_ptr<const TableProperties>> properties =
          ReadTableProperties(file_->file(), file_->path(), file_->size_bytes());
      if (!properties.ok()) return properties.status();
      continue;
    }
    if (name == "rocksdb.index") continue;  // Below, with all its parts.
    Status s = check(handle, index_like ? BlockContent::kIndex : BlockContent::kMeta,
                     /*parse=*/false, nullptr);
    if (!s.ok()) return s;
  }
  if (Status s = check(file_->footer.metaindex, BlockContent::kMeta, false, nullptr); !s.ok()) {
    return s;
  }
  if (Status s = check(index_.handle, BlockContent::kIndex, false, nullptr); !s.ok()) return s;
  // The partitions of a filter, also of one that is not used because the options have no policy.
  const auto partitioned = meta_blocks_.find(kPartitionedFilterBlockName);
  if (partitioned != meta_blocks_.end()) {
    FilterReader::Setup setup;
    setup.loader = loader_.get();
    setup.order = options_.order;
    setup.kind = FilterReader::Kind::kPartitioned;
    setup.handle = partitioned->second;
    setup.flavour = index_.flavour;
    setup.flavour.first_keys = false;
    FilterReader filter;
    filter.Init(setup);
    ObjectRef<const IndexBlock> top;
    if (Status s = filter.LoadTop(&read, &top); !s.ok()) return s;
    for (uint32_t i = 0; top && i < top->count(); ++i) {
      if (Status s = check(top->handle(i), BlockContent::kMeta, false, nullptr); !s.ok()) return s;
    }
  }
  if (index_.two_level) {
    ObjectRef<const IndexBlock> top;
    if (Status s = index_.LoadTop(&read, &top); !s.ok()) return s;
    for (uint32_t i = 0; i < top->count(); ++i) {
      if (Status s = check(top->handle(i), BlockContent::kIndex, false, nullptr); !s.ok()) return s;
    }
  }
  IndexCursor index(&index_, &read);
  for (index.SeekToFirst(); index.valid(); index.Next()) {
    if (Status s = check(index.handle(), BlockContent::kData, /*parse=*/true, &readahead);
        !s.ok()) {
      return s;
    }
  }
  if (!index.status().ok()) return index.status();
  if (!has_embedded_values_) return Status::Ok();
  // Values between the blocks have checksums of their own, found through their entries.
  TableCursor cursor(this, verify, TableCaller::kVerify, /*skip_filters=*/true,
                     /*compaction_readahead_bytes=*/0);
  cursor.SeekToFirst();
  while (cursor.valid()) cursor.Next();
  return cursor.status();
}

size_t BlockTable::memory_bytes() const {
  size_t bytes = sizeof(BlockTable) + file_->memory_bytes() + filter_.memory_bytes() +
                 kPropertiesBytesEstimate;
  if (index_.top && !index_.cached) bytes += index_.top->memory_bytes();
  if (loader_->cache() == nullptr) {
    for (const auto& partition : index_.partitions) bytes += partition->memory_bytes();
  }
  if (file_->dictionary != nullptr) bytes += file_->dictionary->MemoryUsage();
  return bytes;
}

void BlockTable::MarkObsolete() {
  // Only what is known without reading; the rest grows old in the cache by itself.
  if (loader_->cache() == nullptr || !index_.top) return;
  if (index_.two_level && index_.partitions.empty()) return;
  static const ReadOptions* const options = new ReadOptions;
  TableRead read(*options, TableCaller::kApproximate, /*statistics=*/nullptr);
  IndexCursor index(&index_, &read);
  for (index.SeekToFirst(); index.valid(); index.Next()) loader_->Erase(index.handle());
}

}  // namespace skarn
