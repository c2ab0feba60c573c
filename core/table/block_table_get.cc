#include <algorithm>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "core/base/hash.h"
#include "core/metrics/perf_context.h"
#include "core/table/block_cursor.h"
#include "core/table/block_table.h"

namespace skarn {
namespace {

// Blocks that lie at most this far apart are read with one read.
constexpr uint64_t kCoalesceGap = 16 << 10;

bool SameUserKey(const KeyOrder& order, Slice a, Slice b) {
  if (order.bytewise()) return a == b;
  return order.CompareUserWithoutTimestamp(a, b) == 0;
}

}  // namespace

bool BlockTable::PointMayMatch(TableRead* read, Slice user_key, uint64_t hash, Slice seek_key,
                               uint64_t seek_tag) const {
  if (filter_whole_keys_) {
    if (!filter_.MayMatch(read, user_key, hash, seek_key, seek_tag)) {
      ++read->counts.filter_useful;
      return false;
    }
    ++read->counts.filter_positive;
    return true;
  }
  if (!filter_prefixes_ || !same_extractor_ || !extractor_->InDomain(user_key)) return true;
  const Slice prefix = extractor_->Transform(user_key);
  ++read->counts.prefix_checked;
  if (filter_.MayMatch(read, prefix, Hash64(prefix), seek_key, seek_tag)) return true;
  ++read->counts.prefix_useful;
  return false;
}

void BlockTable::PrefetchGet(uint64_t hash) const {
  filter_.Prefetch(hash);
  if (index_.top) index_.top->Prefetch();
}

bool BlockTable::KeyMayMatch(const ReadOptions& options, Slice user_key) {
  if (!filter_.exists()) return true;
  TableRead read(options, TableCaller::kUser, options_.statistics);
  const KeyOrder& order = *options_.order;
  if (order.timestamp_size() == 0) {
    return PointMayMatch(&read, user_key, Hash64(user_key), user_key, kMaxTag);
  }
  // The newest version of the key decides which partition is asked.
  std::string newest = user_key.ToString() + std::string(order.timestamp_size(), '\xff');
  return PointMayMatch(&read, user_key, Hash64(user_key), newest, kMaxTag);
}

bool BlockTable::Offer(TableRead* read, const BlockRef& block, Slice user_key, uint64_t tag,
                       Slice value, PointLookup* lookup) const {
  if (SKARN_UNLIKELY(has_embedded_values_ && TagKind(tag) == EntryKind::kBlobIndex)) {
    BlockRef embedded;
    bool inside = false;
    if (Status s = ReadEmbeddedValue(read, value, &embedded, &inside); !s.ok()) {
      lookup->Fail(std::move(s));
      return false;
    }
    if (inside) {
      return lookup->Offer(user_key, PackTag(TagSequence(tag), EntryKind::kValue), embedded.bytes(),
                           embedded.pin_source());
    }
  }
  return lookup->Offer(user_key, tag, value, block.pin_source());
}

void BlockTable::SearchBlocks(TableRead* read, IndexCursor* index, BlockRef* first,
                              PointLookup* lookup) {
  const KeyOrder& order = *options_.order;
  const Slice target = lookup->seek_key();
  DataBlockCursor cursor;
  BlockRef own;
  bool counted = false;
  for (; index->valid(); index->Next()) {
    if (index->has_first_key() &&
        order.CompareUserWithoutTimestamp(index->first_user_key(), target) > 0) {
      return;
    }
    BlockRef* block = &own;
    if (first != nullptr) {
      block = std::exchange(first, nullptr);
    } else if (Status s = loader_->Data(read, index->handle(), nullptr, &own); !s.ok()) {
      return lookup->Fail(std::move(s));
    }
    cursor.Reset(block->data(), block->layout(), keys());
    cursor.SeekForLookup(order, target, lookup->seek_tag());
    for (; cursor.valid(); cursor.Next()) {
      const Slice user_key = cursor.user_key();
      if (user_key.size() < order.timestamp_size() || !SameUserKey(order, user_key, target)) {
        return;
      }
      if (!counted && filter_.exists()) {
        counted = true;
        ++read->counts.filter_true_positive;
      }
      if (!Offer(read, *block, user_key, cursor.tag(), cursor.value(), lookup)) return;
    }
    if (SKARN_UNLIKELY(cursor.corrupt())) {
      return lookup->Fail(file_->Damaged(index->handle(), "bad entry in block"));
    }
    // Older versions may begin the next block only if the separator before it is of the
    // same user key. Separators without tags stand where no user key is divided.
    if (!(index->has_tags() || order.timestamp_size() != 0) ||
        !SameUserKey(order, index->user_key(), target)) {
      return;
    }
  }
  if (!index->status().ok()) lookup->Fail(index->status());
}

void BlockTable::Search(TableRead* read, PointLookup* lookup) {
  IndexCursor index(&index_, read);
  index.Seek(lookup->seek_key(), lookup->seek_tag());
  if (!index.valid()) {
    if (!index.status().ok()) lookup->Fail(index.status());
    return;
  }
  SearchBlocks(read, &index, nullptr, lookup);
}

inline bool BlockTable::SearchQuickly(PointLookup* lookup, QuickCounts* counts,
                                      uint32_t* position) const {
  const IndexBlock& index = *index_.top;
  *position = index.Find(*options_.order, lookup->user_key(), lookup->seek_tag());
  if (*position == index.count()) return true;
  const BlockSightings::Sighting seen = index.Seen(*position);
  seen.Prefetch();
  Cache::Handle* handle = nullptr;
  const HeapBlock* const block = loader_->PeekData(index.handle(*position), &handle);
  if (block == nullptr) return false;
  const EntryIndex* const entries = loader_->EntriesOf(block, handle);
  if (SKARN_UNLIKELY(entries == nullptr)) return false;
  if (SKARN_UNLIKELY(!seen.IsOf(block, entries))) {
    entries->Prefetch();
    index.NoteSeen(*position, block, entries);
  }
  return OfferQuickly(block, handle, *entries, index.has_tags(), lookup, counts);
}

[[gnu::always_inline]] inline bool BlockTable::OfferQuickly(const HeapBlock* block,
                                                            Cache::Handle* handle,
                                                            const EntryIndex& entries,
                                                            bool may_go_on, PointLookup* lookup,
                                                            QuickCounts* counts) const {
  uint32_t i = 0;
  const EntryIndex::Found found =
      entries.Find(block->data(), lookup->user_key(), lookup->seek_tag(), keys(), &i);
  return OfferFound(block, handle, entries, found, i, may_go_on, lookup, counts);
}

[[gnu::always_inline]] inline bool BlockTable::OfferFound(const HeapBlock* block,
                                                          Cache::Handle* handle,
                                                          const EntryIndex& entries,
                                                          EntryIndex::Found found, uint32_t i,
                                                          bool may_go_on, PointLookup* lookup,
                                                          QuickCounts* counts) const {
  if (found == EntryIndex::Found::kUnsure) return false;
  if (found == EntryIndex::Found::kAfter) {
    if (SKARN_UNLIKELY(i == entries.count() && may_go_on)) return false;
    ++counts->data_hits;
    counts->hit_bytes += block->size();
    return true;
  }
  const EntryIndex::Entry entry = entries.At(block->data(), i);
  const uint64_t tag = keys().Tag(DecodeFixed64(entry.value - kTagSize));
  const EntryKind kind = TagKind(tag);
  // Other kinds go on to older versions.
  if (kind != EntryKind::kValue && kind != EntryKind::kDeletion &&
      kind != EntryKind::kSingleDeletion) {
    return false;
  }
  ++counts->data_hits;
  counts->hit_bytes += block->size();
  ++counts->found;
  PinSource source;
  source.object = handle;
  source.context = loader_->cache();
  source.acquire = [](const PinSource& self, Pin* pin) {
    auto* const cache = static_cast<ShardedCache*>(self.context);
    if (!cache->TryRef(static_cast<Cache::Handle*>(self.object))) return false;
    *pin = Pin(self.object, self.context, [](void* pinned, void* of) {
      static_cast<Cache*>(of)->Release(static_cast<Cache::Handle*>(pinned));
    });
    return true;
  };
  (void)lookup->Offer(lookup->user_key(), tag, Slice(entry.value, entry.value_size), source);
  return true;
}

size_t BlockTable::SearchManyQuickly(TableRead* read, TableLookup* lookups, size_t count) {
  struct Item {
    TableLookup of;
    ShardedCache::Spot spot;
    Cache::Handle* handle;
    const HeapBlock* block;
    const EntryIndex* entries;
    EntryIndex::Found found;
    uint32_t entry;
  };
  Item items[kGroup];
  size_t used = 0;
  size_t left = 0;
  // Each stage asks for what the next one reads: bucket, block, its index, the entry.
  for (size_t i = 0; i < count; ++i) {
    const TableLookup of = lookups[i];
    const auto* const table = static_cast<const BlockTable*>(of.table);
    if (SKARN_UNLIKELY(!table->quick_)) {
      lookups[left++] = of;
      continue;
    }
    const IndexBlock& index = *table->index_.top;
    const uint32_t position =
        index.Find(*table->options_.order, of.lookup->user_key(), of.lookup->seek_tag());
    if (position == index.count()) continue;
    Item& item = items[used++];
    item.of = of;
    const BlockLoader& loader = *table->loader_;
    item.spot = loader.cache()->SpotOf(loader.KeyOf(index.handle(position)));
    ShardedCache::Prefetch(item.spot);
  }
  for (size_t i = 0; i < used; ++i) ShardedCache::PrefetchEntry(items[i].spot);
  for (size_t i = 0; i < used; ++i) {
    Item& item = items[i];
    item.entries = nullptr;
    item.handle = ShardedCache::Peek(item.spot);
    if (item.handle == nullptr) continue;
    item.block = static_cast<HeapBlock*>(item.handle->object);
    item.entries =
        static_cast<const BlockTable*>(item.of.table)->loader_->EntriesOf(item.block, item.handle);
    if (item.entries == nullptr) continue;
    item.entries->Prefetch();
    __builtin_prefetch(item.block->data());
  }
  for (size_t i = 0; i < used; ++i) {
    Item& item = items[i];
    if (item.entries == nullptr) continue;
    item.found =
        item.entries->FindPrefix(item.block->data(), item.of.lookup->user_key(), &item.entry);
    if (item.found == EntryIndex::Found::kUnsure) {
      const char* const entry = item.block->data() + item.entries->offset(item.entry);
      __builtin_prefetch(entry);
      __builtin_prefetch(entry + 64);
      __builtin_prefetch(entry + 128);
    }
  }
  for (size_t i = 0; i < used; ++i) {
    Item& item = items[i];
    PointLookup* const lookup = item.of.lookup;
    const auto* const table = static_cast<const BlockTable*>(item.of.table);
    if (item.entries != nullptr && item.found == EntryIndex::Found::kUnsure) {
      item.found = item.entries->Resolve(item.block->data(), lookup->user_key(), lookup->seek_tag(),
                                         table->keys(), &item.entry);
    }
    QuickCounts counts;
    if (item.entries == nullptr ||
        !table->OfferFound(item.block, item.handle, *item.entries, item.found, item.entry,
                           table->index_.top->has_tags(), lookup, &counts)) {
      lookups[left++] = item.of;
    }
    table->AddTo(read, counts);
  }
  return left;
}

void BlockTable::SearchFrom(TableRead* read, uint32_t position, PointLookup* lookup) {
  IndexCursor index(&index_, read);
  index.GoTo(position);
  SearchBlocks(read, &index, nullptr, lookup);
}

void BlockTable::Get(const ReadOptions& options, PointLookup* lookup, bool skip_filters) {
  const bool ask = !skip_filters && filter_.exists();
  QuickCounts counts;
  uint32_t position = 0;
  if (SKARN_LIKELY(lean_)) {
    ThreadContext* const thread = CurrentThreadContext();
    if (ask) {
      const bool maybe = filter_.HeldMayMatch(lookup->hash());
      PerfAdd(thread, maybe ? PerfMetric::kBloomSstHitCount : PerfMetric::kBloomSstMissCount);
      if (!maybe) return;
    }
    if (SKARN_LIKELY(SearchQuickly(lookup, &counts, &position))) {
      PerfAdd(thread, PerfMetric::kBlockCacheHitCount, counts.data_hits);
      PerfAdd(thread, PerfMetric::kBlockCacheReadByte, counts.hit_bytes);
      return;
    }
    TableRead read(options, TableCaller::kUser, /*statistics=*/nullptr);
    return SearchFrom(&read, position, lookup);
  }
  TableRead read(options, TableCaller::kUser, options_.statistics);
  if (ask && !PointMayMatch(&read, lookup->user_key(), lookup->hash(), lookup->seek_key(),
                            lookup->seek_tag())) {
    return;
  }
  if (SKARN_UNLIKELY(!quick_)) return Search(&read, lookup);
  const bool done = SearchQuickly(lookup, &counts, &position);
  AddTo(&read, counts);
  if (!done) SearchFrom(&read, position, lookup);
}

void BlockTable::AddTo(TableRead* read, const QuickCounts& counts) const {
  read->counts.data_hits += counts.data_hits;
  read->counts.hit_bytes += counts.hit_bytes;
  if (filter_.exists()) read->counts.filter_true_positive += counts.found;
}

size_t BlockTable::FilterMany(TableRead* read, TableLookup* lookups, size_t count,
                              bool skip_filters) {
  const auto asks = [skip_filters](const TableLookup& of) {
    return !skip_filters && static_cast<const BlockTable*>(of.table)->filter_.exists();
  };
  for (size_t i = 0; i < count; ++i) {
    if (asks(lookups[i])) {
      static_cast<const BlockTable*>(lookups[i].table)->filter_.Prefetch(lookups[i].lookup->hash());
    }
  }
  size_t passed = 0;
  for (size_t i = 0; i < count; ++i) {
    PointLookup& lookup = *lookups[i].lookup;
    if (lookup.done()) continue;
    if (!asks(lookups[i]) || static_cast<const BlockTable*>(lookups[i].table)
                                 ->PointMayMatch(read, lookup.user_key(), lookup.hash(),
                                                 lookup.seek_key(), lookup.seek_tag())) {
      lookups[passed++] = lookups[i];
    }
  }
  return passed;
}

size_t TableReader::MultiGetCached(const ReadOptions& options, TableLookup* lookups, size_t count,
                                   bool skip_filters) {
  TableRead read(options, TableCaller::kUser,
                 static_cast<const BlockTable*>(lookups[0].table)->options_.statistics);
  size_t left = 0;
  for (size_t begin = 0; begin < count; begin += BlockTable::kGroup) {
    TableLookup* const group = lookups + begin;
    size_t size = std::min(BlockTable::kGroup, count - begin);
    size = BlockTable::FilterMany(&read, group, size, skip_filters);
    size = BlockTable::SearchManyQuickly(&read, group, size);
    left = static_cast<size_t>(std::copy(group, group + size, lookups + left) - lookups);
  }
  return left;
}

void BlockTable::MultiGetRest(const ReadOptions& options, const TableLookup* lookups,
                              size_t count) {
  TableRead read(options, TableCaller::kUser, options_.statistics);
  for (size_t begin = 0; begin < count; begin += kGroup) {
    SearchMany(&read, lookups + begin, std::min(kGroup, count - begin));
  }
}

void BlockTable::MultiGet(const ReadOptions& options, PointLookup* const* lookups, size_t count,
                          bool skip_filters) {
  TableLookup group[kGroup];
  for (size_t begin = 0; begin < count; begin += kGroup) {
    size_t size = std::min(kGroup, count - begin);
    for (size_t i = 0; i < size; ++i) group[i] = {this, lookups[begin + i]};
    size = MultiGetCached(options, group, size, skip_filters);
    if (size != 0) MultiGetRest(options, group, size);
  }
}

void BlockTable::SearchMany(TableRead* table_read, const TableLookup* lookups, size_t count) {
  TableRead& read = *table_read;
  struct Item {
    PointLookup* lookup = nullptr;
    std::optional<IndexCursor> index;
    BlockRef block;
    size_t same_block_as = 0;  // The item whose block this is: itself, or one before it.
    bool missing = false;
  };
  Item items[kGroup];
  size_t used = 0;
  for (size_t i = 0; i < count; ++i) {
    PointLookup* lookup = lookups[i].lookup;
    Item& item = items[used];
    item.lookup = lookup;
    item.index.emplace(&index_, &read);
    item.index->Seek(lookup->seek_key(), lookup->seek_tag());
    if (!item.index->valid()) {
      if (!item.index->status().ok()) lookup->Fail(item.index->status());
      continue;
    }
    item.same_block_as = used;
    item.missing = false;
    if (used != 0) {
      const size_t before = items[used - 1].same_block_as;
      if (items[before].index->handle() == item.index->handle()) item.same_block_as = before;
    }
    if (item.same_block_as == used && loader_->cache() != nullptr) {
      ShardedCache::Prefetch(loader_->cache()->SpotOf(loader_->KeyOf(item.index->handle())));
    }
    ++used;
  }
  // Blocks that need no input.
  auto fail_block = [&](size_t owner, const Status& status) {
    for (size_t i = owner; i < used; ++i) {
      if (items[i].same_block_as == owner) items[i].lookup->Fail(status);
    }
  };
  size_t missing = 0;
  for (size_t i = 0; i < used; ++i) {
    if (items[i].same_block_as != i) continue;
    bool found = false;
    Status s = loader_->DataWithoutRead(&read, items[i].index->handle(), &items[i].block, &found);
    if (!s.ok()) {
      fail_block(i, s);
    } else if (!found) {
      items[i].missing = true;
      ++missing;
    }
  }
  // The others, neighbours with one read.
  if (missing != 0) {
    Status deadline = file_->CheckDeadline(read);
    std::unique_ptr<char[]> buffer;
    ReadRequest requests[kGroup];
    size_t request_of[kGroup];
    size_t request_count = 0;
    size_t total = 0;
    for (size_t i = 0; i < used; ++i) {
      if (!items[i].missing) continue;
      const BlockHandle handle = items[i].index->handle();
      const uint64_t block_end = handle.offset + handle.size + kBlockTrailerSize;
      ReadRequest* last = request_count == 0 ? nullptr : &requests[request_count - 1];
      const uint64_t last_end = last == nullptr ? 0 : last->offset + last->size;
      if (last != nullptr && handle.offset >= last->offset &&
          handle.offset <= last_end + kCoalesceGap) {
        if (block_end > last_end) {
          total += static_cast<size_t>(block_end - last_end);
          last->size = static_cast<size_t>(block_end - last->offset);
        }
      } else {
        requests[request_count].offset = handle.offset;
        requests[request_count].size = static_cast<size_t>(block_end - handle.offset);
        total += requests[request_count].size;
        ++request_count;
      }
      request_of[i] = request_count - 1;
    }
    if (deadline.ok()) {
      buffer.reset(new (std::nothrow) char[total + kBlockPadding]);
      if (buffer == nullptr) {
        deadline = Status(Status::Code::kAborted, Status::Subcode::kMemoryLimit, "Out of memory");
      }
    }
    if (deadline.ok()) {
      size_t at = 0;
      for (size_t r = 0; r < request_count; ++r) {
        requests[r].scratch = buffer.get() + at;
        at += requests[r].size;
      }
      file_->Throttle(read, total);
      file_->file().MultiRead(requests, request_count);
    }
    for (size_t i = 0; i < used; ++i) {
      if (!items[i].missing) continue;
      const BlockHandle handle = items[i].index->handle();
      Status s = deadline;
      if (s.ok()) {
        const ReadRequest& request = requests[request_of[i]];
        const uint64_t skip = handle.offset - request.offset;
        if (!request.status.ok()) {
          s = request.status;
        } else if (request.result.size() < skip + handle.size + kBlockTrailerSize) {
          s = file_->Damaged(handle, "truncated block read");
        } else {
          s = loader_->FinishData(&read, handle, request.result.data() + skip, &items[i].block);
        }
      }
      if (!s.ok()) fail_block(i, s);
    }
  }
  // Entries.
  for (size_t i = 0; i < used; ++i) {
    Item& item = items[i];
    if (item.lookup->done()) continue;
    BlockRef* block = &items[item.same_block_as].block;
    SearchBlocks(&read, &*item.index, block, item.lookup);
  }
  for (size_t i = 0; i < used; ++i) {
    items[i].block.Reset();
    items[i].index.reset();
  }
}

}  // namespace skarn
