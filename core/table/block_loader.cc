#include "core/table/block_loader.h"

#include <cstring>
#include <utility>

#include "core/base/hash.h"
#include "core/table/readahead.h"
#include "core/table/table_properties.h"
#include "core/table/unique_id.h"

namespace skarn {
namespace {

// Never 0, which stands for none.
uint32_t CheckOf(const HeapBlock& block) {
  return static_cast<uint32_t>(Xxh3(block.data(), block.size())) | 1;
}

}  // namespace

uint64_t CacheFileKey(Slice db_id, Slice db_session_id, uint64_t original_file_number) {
  // Without a name of its own, a file is known to this process only, and anew with every
  // opening.
  if (db_session_id.empty() || original_file_number == 0) return Cache::NewId();
  const Result<UniqueId> id =
      ComputeUniqueId(db_id, db_session_id, original_file_number, /*force=*/true);
  if (!id.ok()) return Cache::NewId();
  return Xxh3(reinterpret_cast<const char*>(id->words), sizeof(id->words));
}

uint64_t CacheFileKey(const TableProperties& properties) {
  return CacheFileKey(properties.db_id, properties.db_session_id, properties.orig_file_number);
}

void CacheDataBlock(Cache* cache, uint64_t file_key, const BlockHandle& handle, Slice payload) {
  HeapBlock* heap = HeapBlock::Allocate(payload.size());
  if (heap == nullptr) return;
  memcpy(heap->data(), payload.data(), payload.size());
  heap->set_size(payload.size());
  if (!heap->ParseLayout()) return heap->Unref();
  // A full cache does not keep it, which is no error.
  (void)static_cast<ShardedCache*>(cache)->InsertPlaced(
      CacheKey{file_key, handle.offset}, heap, HeapBlock::Delete, heap->memory_bytes(),
      Cache::Role::kDataBlock, Cache::Priority::kLow, nullptr, heap->cache_place());
}

const EntryIndex* BlockLoader::MakeEntries(const HeapBlock* block, Cache::Handle* entry) const {
  // What the cache holds is shared; only counts and the index in it change, atomically.
  auto* shared = const_cast<HeapBlock*>(block);
  if (!indexes_entries_ || !shared->NoteSearch()) return nullptr;
  EntryIndex* entries = EntryIndex::Build(block->bytes(), block->layout(), keys_);
  if (entries == nullptr || !shared->SetEntries(entries)) return block->entries();
  cache_->Recharge(entry, block->memory_bytes());
  return entries;
}

Status BlockLoader::CheckTier(const TableRead& read) const {
  if (SKARN_LIKELY(read.options.read_tier != ReadTier::kBlockCache)) return Status::Ok();
  return Status::Incomplete("no blocking io");
}

Status BlockLoader::UseCached(TableRead* read, const BlockHandle& handle, Cache::Handle* entry,
                              BlockRef* block) {
  const auto* heap = static_cast<const HeapBlock*>(cache_->Value(entry));
  if (SKARN_UNLIKELY(heap->check() != 0) && heap->check() != CheckOf(*heap)) {
    cache_->Release(entry, /*erase=*/true);
    return file_->Damaged(handle,
                          "Corrupted block entry: its checksum in the cache does not match");
  }
  block->SetCached(cache_, entry, heap);
  ++read->counts.data_hits;
  read->counts.hit_bytes += heap->size();
  return Status::Ok();
}

Status BlockLoader::DataWithoutRead(TableRead* read, const BlockHandle& handle, BlockRef* block,
                                    bool* found) {
  *found = false;
  if (cache_ != nullptr) {
    if (Cache::Handle* entry = cache_->Lookup(KeyOf(handle))) {
      *found = true;
      return UseCached(read, handle, entry, block);
    }
    ++read->counts.data_misses;
  }
  if (!file_->IsResident(handle)) {
    if (Status s = CheckTier(*read); !s.ok()) return s;
    if (!file_->mapped()) return Status::Ok();
  }
  *found = true;
  Status s = file_->ReadBlock(read, handle, BlockContent::kData, /*parse=*/true,
                              /*readahead=*/nullptr, block);
  return s.ok() ? InsertData(read, handle, block) : s;
}

Status BlockLoader::FinishData(TableRead* read, const BlockHandle& handle, const char* raw,
                               BlockRef* block) {
  ++read->counts.blocks_read;
  read->counts.bytes_read += handle.size + kBlockTrailerSize;
  Status s = file_->FinishBlock(read, handle, BlockContent::kData, /*parse=*/true, raw, block);
  return s.ok() ? InsertData(read, handle, block) : s;
}

Status BlockLoader::InsertData(TableRead* read, const BlockHandle& handle, BlockRef* block) {
  if (cache_ == nullptr || !read->options.fill_cache) return Status::Ok();
  HeapBlock* heap = block->TakeHeap();
  if (heap == nullptr) return Status::Ok();  // Mapped bytes stay where they are.
  if (SKARN_UNLIKELY(protect_)) heap->set_check(CheckOf(*heap));
  const size_t charge = heap->memory_bytes();
  Cache::Handle* entry = nullptr;
  if (Status s = cache_->InsertPlaced(KeyOf(handle), heap, HeapBlock::Delete, charge,
                                      Cache::Role::kDataBlock, Cache::Priority::kLow, &entry,
                                      heap->cache_place());
      !s.ok()) {
    ++read->counts.adds_failed;
    return s;
  }
  ++read->counts.data_adds;
  read->counts.data_add_bytes += charge;
  block->SetCached(cache_, entry, heap);
  return Status::Ok();
}

Status BlockLoader::Data(TableRead* read, const BlockHandle& handle, Readahead* readahead,
                         BlockRef* block) {
  block->Reset();
  if (cache_ != nullptr) {
    if (Cache::Handle* entry = cache_->Lookup(KeyOf(handle))) {
      if (Status s = UseCached(read, handle, entry, block); !s.ok()) return s;
      if (readahead != nullptr) readahead->Touch(handle.offset, handle.size + kBlockTrailerSize);
      return Status::Ok();
    }
    ++read->counts.data_misses;
  }
  if (!file_->IsResident(handle)) {
    if (Status s = CheckTier(*read); !s.ok()) return s;
  }
  Status s = file_->ReadBlock(read, handle, BlockContent::kData, /*parse=*/true, readahead, block);
  return s.ok() ? InsertData(read, handle, block) : s;
}

Status BlockLoader::Index(TableRead* read, const BlockHandle& handle, const IndexFlavour& flavour,
                          const KeyOrder& order, bool cached, Readahead* readahead,
                          ObjectRef<const IndexBlock>* index) {
  cached = cached && cache_ != nullptr;
  if (cached) {
    if (Cache::Handle* entry = cache_->Lookup(KeyOf(handle))) {
      index->SetCached(cache_, entry);
      ++read->counts.index_hits;
      read->counts.hit_bytes += (*index)->memory_bytes();
      return Status::Ok();
    }
    ++read->counts.index_misses;
  }
  if (Status s = CheckTier(*read); !s.ok()) return s;
  ++read->counts.index_blocks_read;
  read->counts.index_bytes_read += handle.size + kBlockTrailerSize;
  BlockRef block;
  if (Status s =
          file_->ReadBlock(read, handle, BlockContent::kIndex, /*parse=*/false, readahead, &block);
      !s.ok()) {
    return s;
  }
  Result<std::unique_ptr<IndexBlock>> parsed =
      IndexBlock::Parse(block.bytes(), flavour, order, file_->footer.offset);
  if (!parsed.ok()) return file_->Damaged(handle, parsed.status().message());
  if (!cached || !read->options.fill_cache) {
    index->SetOwned(parsed->release());
    return Status::Ok();
  }
  const size_t charge = (*parsed)->memory_bytes();
  Cache::Handle* entry = nullptr;
  if (Status s = cache_->Insert(
          KeyOf(handle), parsed->release(),
          [](void* object) { delete static_cast<IndexBlock*>(object); }, charge,
          Cache::Role::kIndexBlock, priority_, &entry);
      !s.ok()) {
    ++read->counts.adds_failed;
    return s;
  }
  ++read->counts.index_adds;
  read->counts.index_add_bytes += charge;
  index->SetCached(cache_, entry);
  return Status::Ok();
}

Status BlockLoader::Filter(TableRead* read, const BlockHandle& handle, bool cached,
                           Readahead* readahead, ObjectRef<const FilterBlock>* filter) {
  cached = cached && cache_ != nullptr;
  if (cached) {
    if (Cache::Handle* entry = cache_->Lookup(KeyOf(handle))) {
      filter->SetCached(cache_, entry);
      ++read->counts.filter_hits;
      read->counts.hit_bytes += (*filter)->memory_bytes();
      return Status::Ok();
    }
    ++read->counts.filter_misses;
  }
  if (Status s = CheckTier(*read); !s.ok()) return s;
  ++read->counts.filter_blocks_read;
  read->counts.filter_bytes_read += handle.size + kBlockTrailerSize;
  BlockRef block;
  if (Status s =
          file_->ReadBlock(read, handle, BlockContent::kMeta, /*parse=*/false, readahead, &block);
      !s.ok()) {
    return s;
  }
  if (block.mapped()) {
    // The cache's entry may outlive the mapping, whose small pages would be slow besides.
    HeapBlock* copy = HeapBlock::Allocate(block.size());
    if (copy == nullptr) {
      return Status(Status::Code::kAborted, Status::Subcode::kMemoryLimit, "Out of memory");
    }
    memcpy(copy->data(), block.data(), block.size());
    copy->set_size(block.size());
    block.SetHeap(copy);
  }
  auto parsed = std::make_unique<FilterBlock>(std::move(block));
  if (!cached || !read->options.fill_cache) {
    filter->SetOwned(parsed.release());
    return Status::Ok();
  }
  const size_t charge = parsed->memory_bytes();
  Cache::Handle* entry = nullptr;
  if (Status s = cache_->Insert(
          KeyOf(handle), parsed.release(),
          [](void* object) { delete static_cast<FilterBlock*>(object); }, charge,
          Cache::Role::kFilterBlock, priority_, &entry);
      !s.ok()) {
    ++read->counts.adds_failed;
    return s;
  }
  ++read->counts.filter_adds;
  read->counts.filter_add_bytes += charge;
  filter->SetCached(cache_, entry);
  return Status::Ok();
}

}  // namespace skarn
