// ClippedTombstones are the range tombstones of one source, cut to the keys that the
// source is responsible for.
//
// A compaction that splits its output writes a tombstone in full into every file it
// overlaps; what belongs to a file is told by the file's boundaries alone. Everyone who
// reads a file's tombstones must therefore clip them, or one file's copy would delete
// keys of its neighbours. Memtables need no clipping.
//
// Clipping is by user key: from the smallest key on; up to the largest, which is
// excluded when the boundary is a range end or has sequence number 0. Where neighbours
// share a user key, the last of them has all tombstones that cover it.
//
// Thread safety: immutable after construction; any thread.

#ifndef SKARN_CORE_KEY_CLIPPED_TOMBSTONES_H_
#define SKARN_CORE_KEY_CLIPPED_TOMBSTONES_H_

#include <memory>
#include <string>
#include <vector>

#include "core/base/slice.h"
#include "core/key/internal_key.h"
#include "core/key/range_tombstone.h"

namespace skarn {

// A run of user keys over which a source's tombstones are the same. Keys are without
// timestamps and point into the source.
struct TombstoneSpan {
  bool has_start = false;  // False: from the first key on.
  bool has_limit = false;  // False: to the last key.
  bool start_excluded = false;
  bool limit_included = false;
  Slice start;
  Slice limit;
  // What covers the run; null: nothing.
  const FragmentedTombstones* tombstones = nullptr;
  const FragmentedTombstones::Fragment* fragment = nullptr;

  bool Contains(const KeyOrder& order, Slice user_key) const {
    return !BeforeStart(order, user_key) && !PastLimit(order, user_key);
  }
  bool BeforeStart(const KeyOrder& order, Slice user_key) const {
    return has_start && order.CompareStripped(user_key, start) < (start_excluded ? 1 : 0);
  }
  bool PastLimit(const KeyOrder& order, Slice user_key) const {
    return has_limit && order.CompareStripped(user_key, limit) >= (limit_included ? 1 : 0);
  }
  // See FragmentedTombstones::NewestVisible(); 0 where nothing covers.
  SequenceNumber NewestVisible(SequenceNumber snapshot, Slice read_timestamp = Slice()) const {
    return fragment == nullptr ? 0 : tombstones->NewestVisible(*fragment, snapshot, read_timestamp);
  }
};

class ClippedTombstones {
 public:
  // Of a memtable: not clipped. `list` may be null: no tombstones. It is shared with
  // whoever made it.
  ClippedTombstones(const KeyOrder& order, std::shared_ptr<const FragmentedTombstones> list);
  // Of a file with these boundaries (packed internal keys, copied).
  ClippedTombstones(const KeyOrder& order, std::shared_ptr<const FragmentedTombstones> list,
                    Slice smallest, Slice largest);

  bool empty() const { return list_ == nullptr || list_->empty(); }
  const std::shared_ptr<const FragmentedTombstones>& list() const { return list_; }

  // As FragmentedTombstones::MaxCovering(), within the boundaries.
  SequenceNumber MaxCovering(Slice user_key, SequenceNumber snapshot,
                             Slice read_timestamp = Slice(),
                             Slice* found_timestamp = nullptr) const;
  // The longest run around `user_key` (without timestamp) that is covered alike.
  void Find(Slice user_key, TombstoneSpan* span) const;
  // Appends the tombstones, one for each fragment and sequence number, clipped. A largest
  // key that belongs to the file is not covered: the next file's copy does that.
  void AppendTo(std::vector<RangeTombstone>* tombstones) const;

 private:
  bool Outside(Slice user_key) const;

  const KeyOrder order_;
  const std::shared_ptr<const FragmentedTombstones> list_;
  bool clipped_ = false;
  bool largest_included_ = false;
  std::string smallest_;  // User keys without timestamp.
  std::string largest_;
};

}  // namespace skarn

#endif  // SKARN_CORE_KEY_CLIPPED_TOMBSTONES_H_
