#include "core/compaction/range_deletions.h"

#include <algorithm>
#include <utility>

namespace skarn {

CompactionRangeDeletions::CompactionRangeDeletions(const KeyOrder& order,
                                                   const std::vector<SequenceNumber>& snapshots,
                                                   Slice newest_timestamp)
    : order_(order), snapshots_(snapshots), newest_timestamp_(newest_timestamp.ToString()) {}

void CompactionRangeDeletions::Add(std::shared_ptr<const FragmentedTombstones> tombstones) {
  if (tombstones == nullptr || tombstones->empty()) return;
  sources_.push_back(
      {std::make_unique<const ClippedTombstones>(order_, std::move(tombstones)), false, "", ""});
}

void CompactionRangeDeletions::Add(std::shared_ptr<const FragmentedTombstones> tombstones,
                                   Slice smallest, Slice largest) {
  if (tombstones == nullptr || tombstones->empty()) return;
  sources_.push_back(
      {std::make_unique<const ClippedTombstones>(order_, std::move(tombstones), smallest, largest),
       true, order_.StripTimestamp(PackedUserKey(smallest)).ToString(),
       order_.StripTimestamp(PackedUserKey(largest)).ToString()});
}

void CompactionRangeDeletions::Freeze() {
  std::sort(sources_.begin(), sources_.end(), [this](const Source& a, const Source& b) {
    if (!a.bounded || !b.bounded) return !a.bounded && b.bounded;
    return order_.CompareStripped(a.first, b.first) < 0;
  });
  std::vector<RangeTombstone> clipped;
  for (const Source& source : sources_) source.tombstones->AppendTo(&clipped);
  if (!newest_timestamp_.empty()) {
    std::erase_if(clipped, [this](const RangeTombstone& tombstone) {
      const Slice start(tombstone.start);
      const Slice timestamp(start.end() - order_.timestamp_size(), order_.timestamp_size());
      return order_.comparator()->CompareTimestamp(timestamp, newest_timestamp_) > 0;
    });
  }
  if (!clipped.empty()) {
    merged_ = std::make_shared<const FragmentedTombstones>(order_, std::move(clipped));
  }
}

bool CompactionRangeDeletions::Covers(Slice user_key, uint64_t tag, Slice timestamp) {
  const Slice key = order_.StripTimestamp(user_key);
  while (next_ < sources_.size() &&
         (!sources_[next_].bounded || order_.CompareStripped(key, sources_[next_].first) >= 0)) {
    active_.push_back(next_++);
  }
  if (active_.empty()) return false;
  std::erase_if(active_, [&](size_t index) {
    return sources_[index].bounded && order_.CompareStripped(key, sources_[index].last) > 0;
  });

  const SequenceNumber sequence = TagSequence(tag);
  const auto stripe_end = std::lower_bound(snapshots_.begin(), snapshots_.end(), sequence);
  const SequenceNumber newest_in_stripe =
      stripe_end == snapshots_.end() ? kMaxSequenceNumber : *stripe_end;
  if (!newest_timestamp_.empty() && (timestamp.empty() || order_.comparator()->CompareTimestamp(
                                                              timestamp, newest_timestamp_) > 0)) {
    timestamp = newest_timestamp_;
  }
  for (const size_t index : active_) {
    if (sources_[index].tombstones->MaxCovering(key, newest_in_stripe, timestamp) > sequence) {
      return true;
    }
  }
  return false;
}

}  // namespace skarn
