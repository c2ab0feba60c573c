// BlockTable is the reader of block-based tables: what table_reader.h promises.
//
// The parts: table_file.h reads and verifies blocks, block_loader.h adds the cache,
// index_cursor.h finds the block of a key, filter_reader.h says when not to look,
// block_cursor.h searches the block. This class knows which of them the file has.
//
//   block_table_open.cc   opening: footer, metaindex, properties, what they decide
//   block_table_get.cc    lookups of one key and of many
//   block_table.cc        everything else
//   table_cursor.h        cursors
//
// Thread safety: any thread, once it is complete(); immutable from then on.

#ifndef SKARN_CORE_TABLE_BLOCK_TABLE_H_
#define SKARN_CORE_TABLE_BLOCK_TABLE_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/plugin/slice_transform.h"
#include "core/table/block_loader.h"
#include "core/table/filter_reader.h"
#include "core/table/index_cursor.h"
#include "core/table/table_file.h"
#include "core/table/table_reader.h"

namespace skarn {

class BlockTable final : public TableReader {
 public:
  static Result<std::unique_ptr<TableReader>> Open(const TableReaderOptions& options,
                                                   std::unique_ptr<RandomAccessFile> file);
  ~BlockTable() override;

  Status FinishOpening() override;
  void Get(const ReadOptions& read, PointLookup* lookup, bool skip_filters) override;
  void MultiGet(const ReadOptions& read, PointLookup* const* lookups, size_t count,
                bool skip_filters) override;
  void MultiGetRest(const ReadOptions& read, const TableLookup* lookups, size_t count) override;
  bool KeyMayMatch(const ReadOptions& read, Slice user_key) override;
  void PrefetchGet(uint64_t hash) const override;
  std::unique_ptr<InternalCursor> NewCursor(const ReadOptions& read, TableCaller caller,
                                            bool skip_filters,
                                            size_t compaction_readahead_bytes) override;
  uint64_t ApproximateOffset(Slice user_key, uint64_t tag) override;
  const std::shared_ptr<const TableProperties>& properties() const override { return properties_; }
  Status Anchors(size_t count, std::vector<Anchor>* anchors) override;
  Status VerifyChecksums(const ReadOptions& read) override;
  size_t memory_bytes() const override;
  bool has_filter() const override { return filter_.exists(); }
  void MarkObsolete() override;

  // For cursors of this table.
  BlockLoader* loader() { return &*loader_; }
  TableFile* file() const { return file_; }
  const KeyOrder& order() const { return *options_.order; }
  const TableIndex& index() const { return index_; }
  const FilterReader& filter() const { return filter_; }
  const KeyFlavour& keys() const { return index_.flavour.keys; }
  const TableOptions& options() const { return options_.table; }
  Statistics* statistics() const { return options_.statistics; }
  bool has_embedded_values() const { return has_embedded_values_; }
  // False when the filter excludes every key that a scan from `user_key` (without
  // timestamp) to the upper bound of `read`, or within the key's prefix, would show.
  bool PrefixMayMatch(TableRead* read, Slice user_key, Slice seek_key, uint64_t seek_tag) const;
  // Whether PrefixMayMatch() can ever say no.
  bool filters_prefixes() const { return filter_prefixes_ && filter_.exists(); }
  // The value that an entry of kind kBlobIndex refers to inside this file. `*inside` is
  // false, and nothing done, when it lies in another file.
  Status ReadEmbeddedValue(TableRead* read, Slice reference, BlockRef* value, bool* inside) const;

 private:
  friend class BlockTableOpener;
  friend class TableReader;  // Its MultiGetCached().

  // What the short ways count.
  struct QuickCounts {
    uint32_t data_hits = 0;
    uint32_t found = 0;  // Versions of the key, of whatever kind.
    uint64_t hit_bytes = 0;
  };
  // Keys of a multi-get that go through the stages together.
  static constexpr size_t kGroup = 32;

  explicit BlockTable(const TableReaderOptions& options) : options_(options) {}
  // Loads index and filter, as far as they stay in memory or are wanted in the cache.
  Status LoadIndexAndFilter(TableRead* read, Readahead* tail);
  bool Holds(PinningTier tier, PinningTier fallback) const;
  // False: the filter says that the key of the lookup is not here.
  bool PointMayMatch(TableRead* read, Slice user_key, uint64_t hash, Slice seek_key,
                     uint64_t seek_tag) const;
  // Offers the versions in blocks from `index` on. The first block may be given.
  void SearchBlocks(TableRead* read, IndexCursor* index, BlockRef* first, PointLookup* lookup);
  void Search(TableRead* read, PointLookup* lookup);
  // The short way of a lookup whose data block is in the cache and has an index of entries.
  // False: nothing was offered, search in full from entry `*position` of the index on.
  bool SearchQuickly(PointLookup* lookup, QuickCounts* counts, uint32_t* position) const;
  // Its last step. `may_go_on`: versions of the block's last key may be in the next block.
  bool OfferQuickly(const HeapBlock* block, Cache::Handle* handle, const EntryIndex& entries,
                    bool may_go_on, PointLookup* lookup, QuickCounts* counts) const;
  // The same after EntryIndex::Find().
  bool OfferFound(const HeapBlock* block, Cache::Handle* handle, const EntryIndex& entries,
                  EntryIndex::Found found, uint32_t i, bool may_go_on, PointLookup* lookup,
                  QuickCounts* counts) const;
  // The same for at most kGroup keys, of any tables, that the filters let pass, stage by stage.
  // Leaves those that it could not serve in `lookups` and returns how many.
  static size_t SearchManyQuickly(TableRead* read, TableLookup* lookups, size_t count);
  void AddTo(TableRead* read, const QuickCounts& counts) const;
  // Goes on where SearchQuickly() did not serve.
  [[gnu::noinline]] void SearchFrom(TableRead* read, uint32_t position, PointLookup* lookup);
  // The same in full: neighbouring blocks that are not cached are read together.
  void SearchMany(TableRead* read, const TableLookup* lookups, size_t count);
  // Moves those that are not done and that the filters let pass to the front, and returns how
  // many they are.
  static size_t FilterMany(TableRead* read, TableLookup* lookups, size_t count, bool skip_filters);
  bool Offer(TableRead* read, const BlockRef& block, Slice user_key, uint64_t tag, Slice value,
             PointLookup* lookup) const;
  uint64_t DataEnd(IndexCursor* index) const;

  const TableReaderOptions options_;
  TableFile* file_ = nullptr;  // One count is held.
  std::unique_ptr<BlockLoader> loader_;
  std::shared_ptr<const TableProperties> properties_;  // Shared with whoever asked for them.
  std::map<std::string, BlockHandle> meta_blocks_;
  TableIndex index_;
  FilterReader filter_;
  // The extractor whose prefixes the filter holds, and whether it is the column family's
  // now. Null when it is not known any more.
  std::shared_ptr<const SliceTransform> extractor_;  // Shared with the column family, or own.
  bool same_extractor_ = false;
  bool filter_whole_keys_ = false;
  bool filter_prefixes_ = false;
  bool has_embedded_values_ = false;
  bool quick_ = false;  // SearchQuickly() may be tried.
  // The same, the filter is in memory if there is one, and nobody wants statistics.
  bool lean_ = false;
};

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_BLOCK_TABLE_H_
