// Range tombstones: deletions of all keys in [start, end) older than a sequence number.
//
// As written they may overlap. FragmentedTombstones cuts them at each other's ends
// into fragments that do not, each with the sequence numbers that cover it, newest
// first; that makes "what covers this key" a binary search.
//
// Thread safety: immutable after construction; any thread.

#ifndef SKARN_CORE_KEY_RANGE_TOMBSTONE_H_
#define SKARN_CORE_KEY_RANGE_TOMBSTONE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/slice.h"
#include "core/key/internal_key.h"

namespace skarn {

struct RangeTombstone {
  std::string start;  // With timestamp where the comparator has them.
  std::string end;    // Exclusive.
  SequenceNumber sequence = 0;
};

class FragmentedTombstones {
 public:
  struct Fragment {
    Slice start;  // Without timestamp.
    Slice end;
    // Range in sequences(): newest first.
    uint32_t first = 0;
    uint32_t count = 0;
  };

  // Tombstones that end at or before their start are left out of the fragments.
  FragmentedTombstones(const KeyOrder& order, std::vector<RangeTombstone> tombstones);
  FragmentedTombstones(const FragmentedTombstones&) = delete;
  FragmentedTombstones& operator=(const FragmentedTombstones&) = delete;

  bool empty() const { return fragments_.empty(); }
  const std::vector<Fragment>& fragments() const { return fragments_; }
  SequenceNumber sequence(const Fragment& fragment, uint32_t index) const {
    return sequences_[fragment.first + index];
  }
  // Timestamp of the same; empty without timestamps.
  Slice timestamp(const Fragment& fragment, uint32_t index) const {
    return timestamps_.empty() ? Slice() : timestamps_[fragment.first + index];
  }
  const KeyOrder& order() const { return order_; }
  // The tombstones as they were written, in no order.
  const std::vector<RangeTombstone>& unfragmented() const { return tombstones_; }

  // The first fragment whose end is after `user_key` (without timestamp); fragments().size() if
  // none.
  size_t Find(Slice user_key) const;
  // The newest sequence number <= `snapshot` of the fragment's tombstones whose timestamp is
  // not after `read_timestamp` (empty: no limit); 0 if none.
  SequenceNumber NewestVisible(const Fragment& fragment, SequenceNumber snapshot,
                               Slice read_timestamp = Slice(),
                               Slice* found_timestamp = nullptr) const;
  // The newest sequence number <= `snapshot` of a tombstone that covers `user_key`; 0 if none.
  // `read_timestamp` limits which tombstones count when the comparator has timestamps.
  SequenceNumber MaxCovering(Slice user_key, SequenceNumber snapshot,
                             Slice read_timestamp = Slice(),
                             Slice* found_timestamp = nullptr) const;

 private:
  KeyOrder order_;
  std::vector<RangeTombstone> tombstones_;
  std::vector<Fragment> fragments_;
  std::vector<SequenceNumber> sequences_;
  std::vector<Slice> timestamps_;
};

}  // namespace skarn

#endif  // SKARN_CORE_KEY_RANGE_TOMBSTONE_H_
