// CompactionRangeDeletions holds the range tombstones of a job's inputs: which point
// entries they cover, and which of them the outputs must carry on.
//
// Each input's tombstones count only within the bounds of the file they came from
// (core/key/clipped_tombstones.h).
//
// Thread safety: Add() and Freeze() by one thread; afterwards Covers() belongs to one
// user (it remembers a position; make a copy per subcompaction), the rest is immutable.

#ifndef SKARN_CORE_COMPACTION_RANGE_DELETIONS_H_
#define SKARN_CORE_COMPACTION_RANGE_DELETIONS_H_

#include <memory>
#include <string>
#include <vector>

#include "core/key/clipped_tombstones.h"
#include "core/key/internal_key.h"
#include "core/key/range_tombstone.h"

namespace skarn {

class CompactionRangeDeletions {
 public:
  // `snapshots` ascending; both outlive this object. Tombstones with timestamps newer than
  // `newest_timestamp` (empty: no limit) are left out.
  CompactionRangeDeletions(const KeyOrder& order, const std::vector<SequenceNumber>& snapshots,
                           Slice newest_timestamp = Slice());

  // Of a memtable; null is none.
  void Add(std::shared_ptr<const FragmentedTombstones> tombstones);
  // Of a file with these boundaries, packed keys.
  void Add(std::shared_ptr<const FragmentedTombstones> tombstones, Slice smallest, Slice largest);
  // After the last Add().
  void Freeze();
  bool empty() const { return sources_.empty(); }

  // Whether a tombstone newer than the entry, but in the same snapshot stripe, covers it.
  // With timestamps only those up to `timestamp` count. Entries are asked about in ascending
  // order.
  bool Covers(Slice user_key, uint64_t tag, Slice timestamp = Slice());

  // All of them, cut to the bounds of their files and at each other's ends. Null when empty().
  const std::shared_ptr<const FragmentedTombstones>& merged() const { return merged_; }

 private:
  struct Source {
    std::unique_ptr<const ClippedTombstones> tombstones;
    bool bounded = false;
    std::string first;  // User keys without timestamp, when bounded.
    std::string last;
  };

  const KeyOrder& order_;
  const std::vector<SequenceNumber>& snapshots_;
  const std::string newest_timestamp_;
  std::vector<Source> sources_;  // By first key after Freeze(), those without bounds first.
  std::vector<size_t> active_;   // Sources whose bounds may hold the last entry asked about.
  size_t next_ = 0;              // First source not yet active.
  std::shared_ptr<const FragmentedTombstones> merged_;
};

}  // namespace skarn

#endif  // SKARN_CORE_COMPACTION_RANGE_DELETIONS_H_
