// BlockLoader brings blocks of one table from the block cache or from the file, in the
// form in which they are used: data blocks as bytes, index blocks decoded, filters parsed.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_TABLE_BLOCK_LOADER_H_
#define SKARN_CORE_TABLE_BLOCK_LOADER_H_

#include <cstdint>
#include <memory>

#include "core/cache/sharded_cache.h"
#include "core/table/block.h"
#include "core/table/filter_block.h"
#include "core/table/index_block.h"
#include "core/table/table_file.h"

namespace skarn {

struct TableProperties;

// The first half of the cache keys of a file's blocks: the same for every copy of a file
// that knows who made it, and different for all others.
uint64_t CacheFileKey(Slice db_id, Slice db_session_id, uint64_t original_file_number);
uint64_t CacheFileKey(const TableProperties& properties);

// Puts an uncompressed data block into the cache, as a reader would find it there.
void CacheDataBlock(Cache* cache, uint64_t file_key, const BlockHandle& handle, Slice payload);

class BlockLoader {
 public:
  // `cache` may be null, `priority` is that of index and filter blocks in it. `indexes_entries`:
  // the order is bytewise, so an index of a block's entries may be made. `protect`: data blocks
  // get a checksum when they go into the cache, and lookups there verify it.
  BlockLoader(TableFile* file, Cache* cache, uint64_t file_key, Cache::Priority priority,
              const KeyFlavour& keys, bool indexes_entries, bool protect)
      : file_(file),
        cache_(static_cast<ShardedCache*>(cache)),  // There is no other cache.
        file_key_(file_key),
        priority_(priority),
        keys_(keys),
        indexes_entries_(indexes_entries),
        protect_(protect) {}

  TableFile* file() const { return file_; }
  ShardedCache* cache() const { return cache_; }
  CacheKey KeyOf(const BlockHandle& handle) const { return CacheKey{file_key_, handle.offset}; }

  // Errors of all three: as TableFile::ReadBlock(); Incomplete when the read tier forbids
  // the input that is needed; MemoryLimit of a cache with a strict limit.
  Status Data(TableRead* read, const BlockHandle& handle, Readahead* readahead, BlockRef* block);
  // With `cached` false the block cache is passed by.
  Status Index(TableRead* read, const BlockHandle& handle, const IndexFlavour& flavour,
               const KeyOrder& order, bool cached, Readahead* readahead,
               ObjectRef<const IndexBlock>* index);
  Status Filter(TableRead* read, const BlockHandle& handle, bool cached, Readahead* readahead,
                ObjectRef<const FilterBlock>* filter);

  // The parts of Data(), for reading many blocks together: a data block from the cache or
  // the mapping, and one read in another way. `found` tells whether the first had it.
  Status DataWithoutRead(TableRead* read, const BlockHandle& handle, BlockRef* block, bool* found);
  Status FinishData(TableRead* read, const BlockHandle& handle, const char* raw, BlockRef* block);

  // A data block in the cache, without a pin: valid until the calling thread leaves its epoch.
  // Null when it is not there. Precondition: inside an epoch.
  const HeapBlock* PeekData(const BlockHandle& handle, Cache::Handle** entry) const {
    *entry = cache_->Peek(KeyOf(handle));
    return *entry == nullptr ? nullptr : static_cast<const HeapBlock*>((*entry)->object);
  }
  // A hint that Data() of this block follows soon; see ShardedCache::Approach().
  void Approach(const BlockHandle& handle, int step, size_t bytes) const {
    if (cache_ != nullptr) cache_->Approach(KeyOf(handle), step, bytes);
  }
  // The index of a cached data block's entries, which is made once the block was searched
  // often enough; null until then and for blocks that have none.
  const EntryIndex* EntriesOf(const HeapBlock* block, Cache::Handle* entry) const {
    const EntryIndex* entries = block->entries();
    return SKARN_LIKELY(entries != nullptr) ? entries : MakeEntries(block, entry);
  }
  const EntryIndex* EntriesOf(const BlockRef& block) const {
    Cache::Handle* entry = block.cache_handle();
    return entry == nullptr ? nullptr : EntriesOf(block.heap(), entry);
  }

  void Erase(const BlockHandle& handle) {
    if (cache_ != nullptr) cache_->Erase(KeyOf(handle));
  }

 private:
  // The entry of a data block in the cache is taken over; an error gives it back.
  Status UseCached(TableRead* read, const BlockHandle& handle, Cache::Handle* entry,
                   BlockRef* block);
  Status InsertData(TableRead* read, const BlockHandle& handle, BlockRef* block);
  Status CheckTier(const TableRead& read) const;
  const EntryIndex* MakeEntries(const HeapBlock* block, Cache::Handle* entry) const;

  TableFile* const file_;
  ShardedCache* const cache_;
  const uint64_t file_key_;
  const Cache::Priority priority_;
  const KeyFlavour keys_;
  const bool indexes_entries_;
  const bool protect_;
};

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_BLOCK_LOADER_H_
