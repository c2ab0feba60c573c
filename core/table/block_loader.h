// BlockLoader brings blocks of one table from the block cache or from the file, in the
// form in which they are used: data blocks as bytes, index blocks decoded, filters parsed.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_TABLE_BLOCK_LOADER_H_
#define SKARN_CORE_TABLE_BLOCK_LOADER_H_

#include <cstdint>
#include <memory>

#include "core/cache/cache.h"
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
  // `cache` may be null, `priority` is that of index and filter blocks in it.
  BlockLoader(TableFile* file, Cache* cache, uint64_t file_key, Cache::Priority priority)
      : file_(file), cache_(cache), file_key_(file_key), priority_(priority) {}

  TableFile* file() const { return file_; }
  Cache* cache() const { return cache_; }
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

  void Erase(const BlockHandle& handle) {
    if (cache_ != nullptr) cache_->Erase(KeyOf(handle));
  }

 private:
  Status InsertData(TableRead* read, const BlockHandle& handle, BlockRef* block);
  Status CheckTier(const TableRead& read) const;

  TableFile* const file_;
  Cache* const cache_;
  const uint64_t file_key_;
  const Cache::Priority priority_;
};

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_BLOCK_LOADER_H_
