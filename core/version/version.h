// Version is the tree of files of one column family at one moment, and how it is read.
//
// Versions are immutable and reference counted. Whoever reads without a count is
// inside an epoch and got the version from something that is retired, not freed.
//
// Thread safety: any thread; storage() has rules of its own.

#ifndef SKARN_CORE_VERSION_VERSION_H_
#define SKARN_CORE_VERSION_VERSION_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/key/internal_cursor.h"
#include "core/key/point_lookup.h"
#include "core/key/range_tombstone.h"
#include "core/options/options.h"
#include "core/table/table_properties.h"
#include "core/version/table_cache.h"
#include "core/version/version_storage.h"

namespace skarn {

class ColumnFamilyVersions;
class VersionSet;

// One table file as an ordered source. Destroy the cursor before the pin.
struct TableSource {
  FileMetadata* file = nullptr;
  Pin pin;  // Keeps the table open.
  std::unique_ptr<InternalCursor> cursor;
  // Null when the file has none. As stored, and so reaching beyond the file: clip them to
  // file->smallest and file->largest (core/key/clipped_tombstones.h).
  std::shared_ptr<const FragmentedTombstones> tombstones;
};

// Bounds of an approximation; see docs/architecture.md.
struct SizeApproximation {
  double files_size_error_margin = -1;
};

class Version {
 public:
  void Ref() { references_.fetch_add(1, std::memory_order_relaxed); }
  // The last one frees the version and lets go of its files. Takes no lock but a leaf.
  void Unref();

  const VersionStorage& storage() const { return storage_; }
  // For scores, marks and positions: under the db mutex.
  VersionStorage* mutable_storage() { return &storage_; }
  uint64_t number() const { return number_; }
  ColumnFamilyVersions* family() const { return family_; }
  TableCache* table_cache() const { return table_cache_; }
  const KeyOrder& order() const { return storage_.order(); }

  // Offers what the files have to `lookup`, newest first, until it is done. Does not call
  // Finish(): the caller does once no older source is left. Errors go to lookup->Fail().
  // Precondition: the calling thread is inside an epoch.
  void Get(const ReadOptions& read, PointLookup* lookup);
  // The same for many keys in ascending order; those that are done() are left alone.
  void MultiGet(const ReadOptions& read, PointLookup* const* lookups, size_t count);

  // Opens a cursor over one file. `read` must outlive it. With `read.table_filter` set and false
  // for the file, the cursor is null and the tombstones remain.
  Status OpenTable(const ReadOptions& read, int level, FileMetadata* file, TableCaller caller,
                   size_t compaction_readahead_bytes, TableSource* source);

  // Whether the files of a level (not 0) are known to have no range tombstones: all of them are
  // open, or were when they were asked. Each call asks a few at most.
  bool HasNoTombstones(int level);

  // Bytes of the files between two user keys (without timestamp).
  uint64_t ApproximateBytes(const SizeApproximation& how, Slice start, Slice limit,
                            int start_level = 0, int end_level = -1);
  // Bytes of one file before the key.
  uint64_t ApproximateOffset(FileMetadata* file, int level, Slice user_key, uint64_t tag);

  // By path of the table file; of one level or (-1) all.
  Status PropertiesOfTables(
      int level, std::map<std::string, std::shared_ptr<const TableProperties>>* properties);
  Status AggregatedProperties(int level, TableProperties* sum);
  uint64_t TableReaderMemory() const;
  // Numbers of all table and value files.
  void AddLiveFiles(std::vector<uint64_t>* tables, std::vector<uint64_t>* blobs) const;

 private:
  friend class VersionSet;
  friend class ColumnFamilyVersions;
  Version(VersionSet* set, ColumnFamilyVersions* family, TableCache* table_cache, uint64_t number,
          const KeyOrder* order, int num_levels, CompactionStyle style);
  ~Version() = default;
  // Looks at properties of new files; of a few that it must open for that when `may_open`.
  // Before installation.
  void SampleProperties(bool may_open);
  // Whether a tombstone of `file` with `sequence` that covers the key counts, given the
  // file's upper boundary.
  bool TombstoneCounts(const FileRecord& file, const PointLookup& lookup,
                       SequenceNumber sequence) const;
  bool SkipFilters(int level, size_t position) const;
  // The parts of LookIn() that are rarely needed. OpenFor(): null after an error.
  [[gnu::cold, gnu::noinline]] TableReader* OpenFor(const ReadOptions& read, FileMetadata* file,
                                                    int level, PointLookup* lookup);
  [[gnu::noinline]] void Cover(const FileMetadata& file, const FragmentedTombstones& tombstones,
                               PointLookup* lookup) const;
  [[gnu::cold, gnu::noinline]] static void NoteSample(FileMetadata* file,
                                                      const PointLookup& lookup);
  // Errors make the lookup fail.
  void LookIn(const ReadOptions& read, FileMetadata* file, int level, size_t position,
              PointLookup* lookup);
  // From file `position` on, as long as files have versions of the key.
  void LookInLevel(const ReadOptions& read, int level, size_t position, PointLookup* lookup);
  void LookInForMany(const ReadOptions& read, int level, size_t position,
                     PointLookup* const* lookups, size_t count);
  // Looks in the files of a level (not 0) at those positions, each for its key, so that all wait
  // for memory together. False: nothing was done, it must be file by file.
  bool LookTogether(const ReadOptions& read, int level, const size_t* positions,
                    PointLookup* const* lookups, size_t count);
  uint64_t ApproximateBytesOfFile(FileMetadata* file, int level, Slice start, Slice limit);

  static constexpr uint64_t kMaxSeekTag = SeekTag(kMaxSequenceNumber);

  VersionSet* const set_;
  ColumnFamilyVersions* const family_;
  TableCache* const table_cache_;
  const uint64_t number_;
  VersionStorage storage_;
  bool skip_last_filters_ = false;  // optimize_filters_for_hits.
  // Of each level: so many files, from the first on, are known to have no range tombstones;
  // kSomeHave: it is known otherwise. Relaxed: the files do not change.
  static constexpr uint32_t kSomeHave = UINT32_MAX;
  const std::unique_ptr<std::atomic<uint32_t>[]> without_tombstones_;
  std::atomic<int> references_{0};
  // The list of versions of the family; guarded by the set's files_mutex_.
  Version* next_ = nullptr;
  Version* previous_ = nullptr;
};

}  // namespace skarn

#endif  // SKARN_CORE_VERSION_VERSION_H_
