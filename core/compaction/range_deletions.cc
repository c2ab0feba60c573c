#include "core/compaction/range_deletions.h"

#include <algorithm>
#include <utility>

#include "core/base/status.h"

namespace skarn {

CompactionRangeDeletions::CompactionRangeDeletions(const KeyOrder& order,
                                                   const std::vector<SequenceNumber>& snapshots)
    : order_(order), snapshots_(snapshots) {}

void CompactionRangeDeletions::Add(std::shared_ptr<const FragmentedTombstones> tombstones,
                                   std::string lower, std::string upper) {
  if (tombstones == nullptr || tombstones->empty()) return;
  sources_.push_back({std::move(tombstones), std::move(lower), std::move(upper)});
}

void CompactionRangeDeletions::Freeze() {
  std::sort(sources_.begin(), sources_.end(), [this](const Source& a, const Source& b) {
    if (a.lower.empty() || b.lower.empty()) return a.lower.empty() && !b.lower.empty();
    return order_.ComparePacked(a.lower, b.lower) < 0;
  });
  std::vector<RangeTombstone> clipped;
  for (const Source& source : sources_) {
    for (const FragmentedTombstones::Fragment& fragment : source.tombstones->fragments()) {
      Slice start = fragment.start;
      Slice end = fragment.end;
      if (!source.lower.empty()) {
        const Slice bound = order_.StripTimestamp(PackedUserKey(source.lower));
        if (order_.comparator()->CompareWithoutTimestamp(start, false, bound, false) < 0) {
          start = bound;
        }
      }
      if (!source.upper.empty()) {
        const Slice bound = order_.StripTimestamp(PackedUserKey(source.upper));
        if (order_.comparator()->CompareWithoutTimestamp(end, false, bound, false) > 0) {
          end = bound;
        }
      }
      if (order_.comparator()->CompareWithoutTimestamp(start, false, end, false) >= 0) continue;
      for (uint32_t i = 0; i < fragment.count; ++i) {
        const Slice timestamp = source.tombstones->timestamp(fragment, i);
        clipped.push_back({Concat(start, timestamp), Concat(end, timestamp),
                           source.tombstones->sequence(fragment, i)});
      }
    }
  }
  if (!clipped.empty()) {
    merged_ = std::make_shared<const FragmentedTombstones>(order_, std::move(clipped));
  }
}

bool CompactionRangeDeletions::Covers(Slice user_key, uint64_t tag) {
  const auto before = [&](const std::string& bound) {
    return order_.Compare(user_key, tag, PackedUserKey(bound), PackedTag(bound)) < 0;
  };
  while (next_ < sources_.size() &&
         (sources_[next_].lower.empty() || !before(sources_[next_].lower))) {
    active_.push_back(next_++);
  }
  if (active_.empty()) return false;
  std::erase_if(active_, [&](size_t index) {
    return !sources_[index].upper.empty() && !before(sources_[index].upper);
  });

  const SequenceNumber sequence = TagSequence(tag);
  const auto stripe_end = std::lower_bound(snapshots_.begin(), snapshots_.end(), sequence);
  const SequenceNumber newest_in_stripe =
      stripe_end == snapshots_.end() ? kMaxSequenceNumber : *stripe_end;
  const Slice key = order_.StripTimestamp(user_key);
  for (const size_t index : active_) {
    if (sources_[index].tombstones->MaxCovering(key, newest_in_stripe) > sequence) return true;
  }
  return false;
}

}  // namespace skarn
