#include "core/key/range_tombstone.h"

#include <algorithm>
#include <utility>

namespace skarn {

FragmentedTombstones::FragmentedTombstones(const KeyOrder& order,
                                           std::vector<RangeTombstone> tombstones)
    : order_(order), tombstones_(std::move(tombstones)) {
  struct Range {
    Slice start;
    Slice end;
    Slice timestamp;
    SequenceNumber sequence;
  };
  std::vector<Range> ranges;
  ranges.reserve(tombstones_.size());
  for (const RangeTombstone& tombstone : tombstones_) {
    if (tombstone.start.size() < order_.timestamp_size() ||
        tombstone.end.size() < order_.timestamp_size()) {
      continue;
    }
    Range range{order_.StripTimestamp(tombstone.start), order_.StripTimestamp(tombstone.end),
                order_.TimestampOf(tombstone.start), tombstone.sequence};
    if (order_.CompareStripped(range.start, range.end) < 0) ranges.push_back(range);
  }
  std::sort(ranges.begin(), ranges.end(), [this](const Range& a, const Range& b) {
    const int sign = order_.CompareStripped(a.start, b.start);
    return sign != 0 ? sign < 0 : a.sequence > b.sequence;
  });

  // A sweep over the starts. `open` holds the ranges that reach beyond `position`, as a
  // heap with the nearest end on top.
  const auto ends_later = [this](const Range& a, const Range& b) {
    return order_.CompareStripped(a.end, b.end) > 0;
  };
  std::vector<Range> open;
  std::vector<Range> covering;
  Slice position;
  const auto emit = [&](Slice end) {
    covering = open;
    std::sort(covering.begin(), covering.end(),
              [](const Range& a, const Range& b) { return a.sequence > b.sequence; });
    Fragment fragment{position, end, static_cast<uint32_t>(sequences_.size()), 0};
    for (const Range& range : covering) {
      sequences_.push_back(range.sequence);
      if (order_.timestamp_size() != 0) timestamps_.push_back(range.timestamp);
    }
    fragment.count = static_cast<uint32_t>(covering.size());
    fragments_.push_back(fragment);
  };
  // Emits fragments up to `limit`, or all of them without one.
  const auto advance = [&](const Slice* limit) {
    while (!open.empty()) {
      const Slice nearest = open.front().end;
      if (limit != nullptr && order_.CompareStripped(nearest, *limit) > 0) {
        if (order_.CompareStripped(position, *limit) < 0) emit(*limit);
        break;
      }
      emit(nearest);
      position = nearest;
      while (!open.empty() && order_.CompareStripped(open.front().end, position) == 0) {
        std::pop_heap(open.begin(), open.end(), ends_later);
        open.pop_back();
      }
    }
    if (limit != nullptr) position = *limit;
  };
  for (const Range& range : ranges) {
    if (open.empty()) {
      position = range.start;
    } else if (order_.CompareStripped(position, range.start) < 0) {
      advance(&range.start);
    }
    open.push_back(range);
    std::push_heap(open.begin(), open.end(), ends_later);
  }
  advance(nullptr);
}

size_t FragmentedTombstones::Find(Slice user_key) const {
  const auto found = std::upper_bound(fragments_.begin(), fragments_.end(), user_key,
                                      [this](Slice key, const Fragment& fragment) {
                                        return order_.CompareStripped(key, fragment.end) < 0;
                                      });
  return static_cast<size_t>(found - fragments_.begin());
}

SequenceNumber FragmentedTombstones::NewestVisible(const Fragment& fragment,
                                                   SequenceNumber snapshot, Slice read_timestamp,
                                                   Slice* found_timestamp) const {
  const auto begin = sequences_.begin() + fragment.first;
  const auto end = begin + fragment.count;
  // Newest first: the first that is not newer than the snapshot.
  auto found = std::lower_bound(begin, end, snapshot,
                                [](SequenceNumber a, SequenceNumber b) { return a > b; });
  if (!timestamps_.empty() && !read_timestamp.empty()) {
    const Comparator* comparator = order_.comparator();
    while (found != end && comparator->CompareTimestamp(timestamps_[found - sequences_.begin()],
                                                        read_timestamp) > 0) {
      ++found;
    }
  }
  if (found == end) return 0;
  if (found_timestamp != nullptr && !timestamps_.empty()) {
    *found_timestamp = timestamps_[found - sequences_.begin()];
  }
  return *found;
}

SequenceNumber FragmentedTombstones::MaxCovering(Slice user_key, SequenceNumber snapshot,
                                                 Slice read_timestamp,
                                                 Slice* found_timestamp) const {
  const size_t index = Find(user_key);
  if (index == fragments_.size()) return 0;
  const Fragment& fragment = fragments_[index];
  if (order_.CompareStripped(user_key, fragment.start) < 0) return 0;
  return NewestVisible(fragment, snapshot, read_timestamp, found_timestamp);
}

}  // namespace skarn
