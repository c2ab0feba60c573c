// MergingCursor shows the entries of many cursors as one, in internal-key order.
//
// With range tombstones it also leaves out the entries they cover for a reader at one
// snapshot, and leaps: when an entry of an older source is covered by a tombstone of a
// newer one, the older source seeks to the tombstone's end, because nothing of it can
// be alive before.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_ITERATE_MERGING_CURSOR_H_
#define SKARN_CORE_ITERATE_MERGING_CURSOR_H_

#include <memory>
#include <vector>

#include "core/iterate/concatenating_cursor.h"
#include "core/iterate/tombstone_source.h"
#include "core/key/internal_cursor.h"
#include "core/key/internal_key.h"

namespace skarn {

class MergingCursorBuilder {
 public:
  // For readers at `snapshot`, `read_timestamp` (empty: no limit; must outlive the
  // cursor). Jobs that must see everything add no tombstones. `order` outlives the cursor.
  explicit MergingCursorBuilder(const KeyOrder& order, SequenceNumber snapshot = kMaxSequenceNumber,
                                Slice read_timestamp = Slice())
      : order_(order), snapshot_(snapshot), read_timestamp_(read_timestamp) {}

  // Sources newest first: memtables, files of level 0, then levels. `tombstones` may be null.
  void Add(std::unique_ptr<InternalCursor> cursor,
           std::unique_ptr<TombstoneSource> tombstones = nullptr);
  // Tombstones of a memtable or a file without further ado; `list` may be null.
  void Add(std::unique_ptr<InternalCursor> cursor, ClippedTombstones tombstones);
  // A level. Its tombstones are looked at unless `ignore_tombstones`.
  void AddLevel(std::unique_ptr<ConcatenatingCursor> level, bool ignore_tombstones = false);

  // All keys begin with the same so many bytes, which need not be compared. Without
  // timestamps.
  void SetCommonBytes(size_t count) { common_bytes_ = count; }

  // The one cursor itself when there is only one and no tombstones; never null.
  std::unique_ptr<InternalCursor> Finish();

 private:
  friend class MergingCursor;
  struct Source {
    std::unique_ptr<InternalCursor> cursor;
    std::unique_ptr<TombstoneSource> owned_tombstones;
    TombstoneSource* tombstones = nullptr;  // Owned here or by the cursor itself.
  };

  void Add(Source source);

  const KeyOrder& order_;
  const SequenceNumber snapshot_;
  const Slice read_timestamp_;
  size_t common_bytes_ = 0;
  Source only_;  // The first, as long as no other has come.
  std::vector<Source> sources_;
};

// A cursor without entries, in the given state.
std::unique_ptr<InternalCursor> NewEmptyCursor(Status status = Status::Ok());

}  // namespace skarn

#endif  // SKARN_CORE_ITERATE_MERGING_CURSOR_H_
