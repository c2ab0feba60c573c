#include "core/key/clipped_tombstones.h"

#include <utility>

#include "core/base/status.h"

namespace skarn {
namespace {

constexpr uint64_t kRangeEndTag = PackTag(kMaxSequenceNumber, EntryKind::kRangeDeletion);

}  // namespace

ClippedTombstones::ClippedTombstones(const KeyOrder& order,
                                     std::shared_ptr<const FragmentedTombstones> list)
    : order_(order), list_(std::move(list)) {}

ClippedTombstones::ClippedTombstones(const KeyOrder& order,
                                     std::shared_ptr<const FragmentedTombstones> list,
                                     Slice smallest, Slice largest)
    : order_(order), list_(std::move(list)) {
  const size_t least = kTagSize + order.timestamp_size();
  if (smallest.size() < least || largest.size() < least) return;
  clipped_ = true;
  smallest_ = order.StripTimestamp(PackedUserKey(smallest)).ToString();
  largest_ = order.StripTimestamp(PackedUserKey(largest)).ToString();
  const uint64_t tag = PackedTag(largest);
  largest_included_ = tag != kRangeEndTag && TagSequence(tag) != 0;
}

bool ClippedTombstones::Outside(Slice user_key) const {
  if (!clipped_) return false;
  if (order_.CompareStripped(user_key, smallest_) < 0) return true;
  return order_.CompareStripped(user_key, largest_) >= (largest_included_ ? 1 : 0);
}

SequenceNumber ClippedTombstones::MaxCovering(Slice user_key, SequenceNumber snapshot,
                                              Slice read_timestamp, Slice* found_timestamp) const {
  if (empty() || Outside(user_key)) return 0;
  return list_->MaxCovering(user_key, snapshot, read_timestamp, found_timestamp);
}

void ClippedTombstones::Find(Slice user_key, TombstoneSpan* span) const {
  *span = TombstoneSpan();
  if (empty()) return;
  if (clipped_ && order_.CompareStripped(user_key, smallest_) < 0) {
    span->has_limit = true;
    span->limit = smallest_;
    return;
  }
  if (Outside(user_key)) {
    span->has_start = true;
    span->start = largest_;
    span->start_excluded = largest_included_;
    return;
  }
  if (clipped_) {
    span->has_start = span->has_limit = true;
    span->start = smallest_;
    span->limit = largest_;
    span->limit_included = largest_included_;
  }
  const auto raise_start = [&](Slice start) {
    if (!span->has_start || order_.CompareStripped(start, span->start) > 0) span->start = start;
    span->has_start = true;
  };
  const auto lower_limit = [&](Slice limit) {
    if (!span->has_limit || order_.CompareStripped(limit, span->limit) <= 0) {
      span->limit = limit;
      span->limit_included = false;
    }
    span->has_limit = true;
  };
  const std::vector<FragmentedTombstones::Fragment>& fragments = list_->fragments();
  const size_t index = list_->Find(user_key);
  if (index > 0) raise_start(fragments[index - 1].end);
  if (index == fragments.size()) return;
  const FragmentedTombstones::Fragment& fragment = fragments[index];
  if (order_.CompareStripped(user_key, fragment.start) < 0) {
    lower_limit(fragment.start);
    return;
  }
  raise_start(fragment.start);
  lower_limit(fragment.end);
  span->tombstones = list_.get();
  span->fragment = &fragment;
}

void ClippedTombstones::AppendTo(std::vector<RangeTombstone>* tombstones) const {
  if (empty()) return;
  for (const FragmentedTombstones::Fragment& fragment : list_->fragments()) {
    Slice start = fragment.start;
    Slice end = fragment.end;
    if (clipped_) {
      if (order_.CompareStripped(start, smallest_) < 0) start = smallest_;
      if (order_.CompareStripped(end, largest_) > 0) end = largest_;
      if (order_.CompareStripped(start, end) >= 0) continue;
    }
    for (uint32_t i = 0; i < fragment.count; ++i) {
      const Slice timestamp = list_->timestamp(fragment, i);
      tombstones->push_back(
          {Concat(start, timestamp), Concat(end, timestamp), list_->sequence(fragment, i)});
    }
  }
}

}  // namespace skarn
