// TableReader answers questions of one block-based table file.
//
// Thread safety: any thread. Immutable once open; shared by versions that hold the file.

#ifndef SKARN_CORE_TABLE_TABLE_READER_H_
#define SKARN_CORE_TABLE_TABLE_READER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/env/file_system.h"
#include "core/env/rate_limiter.h"
#include "core/key/internal_cursor.h"
#include "core/key/point_lookup.h"
#include "core/key/range_tombstone.h"
#include "core/options/options.h"
#include "core/table/table_properties.h"

namespace skarn {

class Histogram;
class Statistics;

struct TableReaderOptions {
  const KeyOrder* order = nullptr;  // Outlives the reader.
  TableOptions table;
  std::shared_ptr<const SliceTransform> prefix_extractor;  // Shared with the column family.
  Env* env = nullptr;
  Statistics* statistics = nullptr;
  std::string path;
  uint64_t file_number = 0;
  uint64_t file_size_bytes = 0;
  uint64_t tail_size_bytes = 0;            // 0: unknown.
  int level = -1;                          // Where the file is; pins index and filter per level.
  bool last_level = false;                 // It is the last that the column family can have.
  Histogram* level_read_micros = nullptr;  // For reads of that level; outlives the reader.
  bool skip_filters = false;
  bool flushed_recently = false;  // Came from a flush; pinning tier kFlushedAndSimilar.
  bool max_open_files_unlimited = true;
  // Index and filter may be left to FinishOpening(), where they would not be in the block cache.
  bool may_defer = false;
  // Set sequence numbers of all entries to this (ingested files); kMaxSequenceNumber: as stored.
  SequenceNumber global_sequence = kMaxSequenceNumber;
  SequenceNumber largest_sequence = kMaxSequenceNumber;
  // From the MANIFEST; zero: not checked. Compared with the one computed from properties.
  uint64_t unique_id[2] = {0, 0};
  std::string db_session_id;
  bool protect_cached_blocks = false;   // Verify data blocks each time they come from the cache.
  RateLimiter* rate_limiter = nullptr;  // Of reads that ask for it; outlives the reader.
};

// Who reads: decides readahead, cache priority and statistics.
enum class TableCaller : uint8_t { kUser, kUserIterator, kCompaction, kApproximate, kVerify };

class TableReader;

// A key of a multi-get and a table that may have it.
struct TableLookup {
  TableReader* table;
  PointLookup* lookup;
};

class TableReader {
 public:
  static Result<std::unique_ptr<TableReader>> Open(const TableReaderOptions& options,
                                                   std::unique_ptr<RandomAccessFile> file);
  virtual ~TableReader() = default;

  // Whether nothing was left to FinishOpening(). Until then only properties(), Tombstones() and
  // MarkObsolete() may be called. What was left has been checked as far as its checksum goes.
  bool complete() const { return complete_; }
  // Loads what Open() left. One thread at a time; may be repeated after an error.
  virtual Status FinishOpening() { return Status::Ok(); }

  // Offers the table's versions of the key to `lookup`, tombstones not included. Errors go to
  // lookup->Fail(). `read.read_tier` cache-only gives Incomplete when a block is not cached.
  virtual void Get(const ReadOptions& read, PointLookup* lookup, bool skip_filters) = 0;
  // The same for keys in ascending order: filters, index, blocks each for all of them,
  // neighbouring blocks read together.
  virtual void MultiGet(const ReadOptions& read, PointLookup* const* lookups, size_t count,
                        bool skip_filters) = 0;
  // The same for tables of one database, as far as filters and cached blocks have the answer, so
  // that keys of different tables wait for memory together. Moves the others to the front and
  // returns how many they are: MultiGetRest() of their tables must follow.
  static size_t MultiGetCached(const ReadOptions& read, TableLookup* lookups, size_t count,
                               bool skip_filters);
  // What MultiGetCached() left, of this table and in ascending order.
  virtual void MultiGetRest(const ReadOptions& read, const TableLookup* lookups, size_t count) = 0;
  // Starts loading what Get() reads first for a key with this Hash64().
  virtual void PrefetchGet(uint64_t hash) const { (void)hash; }
  // False when the filter says that the key is not here.
  virtual bool KeyMayMatch(const ReadOptions& read, Slice user_key) = 0;
  // `read` must outlive the cursor (bounds are read through it).
  virtual std::unique_ptr<InternalCursor> NewCursor(const ReadOptions& read, TableCaller caller,
                                                    bool skip_filters,
                                                    size_t compaction_readahead_bytes = 0) = 0;
  // Null when there are none. As stored: clip them to the file's boundaries.
  const std::shared_ptr<const FragmentedTombstones>& Tombstones() const { return tombstones_; }
  // Bytes of the file before the position of the key; metadata spread in proportion.
  virtual uint64_t ApproximateOffset(Slice user_key, uint64_t tag) = 0;
  virtual const std::shared_ptr<const TableProperties>& properties() const = 0;
  // Keys that cut the file into about `count` equal parts, with the bytes up to each.
  struct Anchor {
    std::string user_key;
    uint64_t bytes = 0;
  };
  virtual Status Anchors(size_t count, std::vector<Anchor>* anchors) = 0;
  virtual Status VerifyChecksums(const ReadOptions& read) = 0;
  // Memory outside the block cache: index, filter, properties.
  virtual size_t memory_bytes() const = 0;
  virtual bool has_filter() const = 0;
  // The file will not be used again; drop its blocks from the cache.
  virtual void MarkObsolete() = 0;

 protected:
  // Set as the table is opened; shared with whoever asked for them.
  std::shared_ptr<const FragmentedTombstones> tombstones_;
  bool complete_ = true;
};

// Reads only the properties; for tools and for sampled statistics.
Result<std::shared_ptr<const TableProperties>> ReadTableProperties(const RandomAccessFile& file,
                                                                   const std::string& path,
                                                                   uint64_t file_size_bytes);

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_TABLE_READER_H_
