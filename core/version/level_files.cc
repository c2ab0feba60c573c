#include "core/version/level_files.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/table/key_compare.h"

namespace skarn {
namespace {

size_t LowerBound(const std::vector<uint64_t>& numbers, uint64_t wanted) {
  return FirstAtLeast(numbers.data(), numbers.size(), wanted);
}

size_t CommonPrefix(Slice a, Slice b) {
  const size_t limit = std::min(a.size(), b.size());
  size_t common = 0;
  while (common < limit && a[common] == b[common]) ++common;
  return common;
}

}  // namespace

LevelFiles::LevelFiles(const KeyOrder& order, std::vector<FileMetadata*> files)
    : order_(&order), prefixes_(order.bytewise()), files_(std::move(files)) {
  if (!prefixes_ || files_.empty()) return;
  const Slice first = files_.front()->smallest_user_key();
  size_t shared = first.size();
  for (const FileMetadata* file : files_) {
    shared = std::min(shared, CommonPrefix(first, file->smallest_user_key()));
    shared = std::min(shared, CommonPrefix(first, file->largest_user_key()));
  }
  shared_.assign(first.data(), shared);
  smallest_prefixes_.reserve(files_.size());
  largest_prefixes_.reserve(files_.size());
  for (const FileMetadata* file : files_) {
    smallest_prefixes_.push_back(KeyPrefix(file->smallest_user_key(), shared));
    largest_prefixes_.push_back(KeyPrefix(file->largest_user_key(), shared));
  }
}

inline LevelFiles::Side LevelFiles::Locate(Slice user_key, uint64_t* prefix) const {
  const size_t common = std::min(user_key.size(), shared_.size());
  const char* const shared = shared_.data();
  const size_t at = FirstDifference(shared, user_key.data(), 0, common);
  if (SKARN_UNLIKELY(at < shared_.size())) {
    if (at == user_key.size()) return Side::kBefore;
    return static_cast<uint8_t>(user_key.data()[at]) < static_cast<uint8_t>(shared[at])
               ? Side::kBefore
               : Side::kAfter;
  }
  *prefix = KeyPrefix(user_key, shared_.size());
  return Side::kInside;
}

size_t LevelFiles::Find(Slice user_key, uint64_t tag) const {
  const auto before = [this, user_key, tag](const FileMetadata* file) {
    return order_->Compare(PackedUserKey(file->largest), PackedTag(file->largest), user_key, tag) <
           0;
  };
  if (files_.empty()) return 0;
  if (!prefixes_) {
    return static_cast<size_t>(std::partition_point(files_.begin(), files_.end(), before) -
                               files_.begin());
  }
  uint64_t prefix = 0;
  const Side side = Locate(user_key, &prefix);
  if (side != Side::kInside) return side == Side::kBefore ? 0 : files_.size();
  size_t at = LowerBound(largest_prefixes_, prefix);
  if (at == files_.size() || largest_prefixes_[at] != prefix) return at;
  // Full keys decide among equal prefixes.
  size_t end = at + 1;
  while (end < files_.size() && largest_prefixes_[end] == prefix) ++end;
  return static_cast<size_t>(std::partition_point(files_.begin() + static_cast<ptrdiff_t>(at),
                                                  files_.begin() + static_cast<ptrdiff_t>(end),
                                                  before) -
                             files_.begin());
}

size_t LevelFiles::FindHolder(Slice user_key, uint64_t tag) const {
  const size_t count = files_.size();
  uint64_t prefix = 0;
  if (SKARN_LIKELY(prefixes_ && count != 0)) {
    if (Locate(user_key, &prefix) != Side::kInside) return count;
    const size_t at = count == 1 ? 0 : LowerBound(largest_prefixes_, prefix);
    // Usually no boundary begins like the key.
    if (SKARN_LIKELY(at < count && largest_prefixes_[at] > prefix)) {
      if (SKARN_LIKELY(smallest_prefixes_[at] < prefix)) return at;
      if (smallest_prefixes_[at] > prefix) return count;
    } else if (at == count || largest_prefixes_[at] < prefix) {
      return count;
    }
  }
  const size_t at = Find(user_key, tag);
  return at < count && AtOrAfterSmallest(at, order_->StripTimestamp(user_key)) ? at : count;
}

size_t LevelFiles::FindUserKey(Slice user_key) const {
  const auto before = [this, user_key](const FileMetadata* file) {
    return order_->CompareStripped(order_->StripTimestamp(file->largest_user_key()), user_key) < 0;
  };
  if (files_.empty()) return 0;
  if (!prefixes_) {
    return static_cast<size_t>(std::partition_point(files_.begin(), files_.end(), before) -
                               files_.begin());
  }
  uint64_t prefix = 0;
  const Side side = Locate(user_key, &prefix);
  if (side != Side::kInside) return side == Side::kBefore ? 0 : files_.size();
  size_t at = LowerBound(largest_prefixes_, prefix);
  while (at < files_.size() && largest_prefixes_[at] == prefix && before(files_[at])) ++at;
  return at;
}

bool LevelFiles::AtOrAfterSmallest(size_t index, Slice user_key) const {
  uint64_t prefix = 0;
  if (prefixes_ && Locate(user_key, &prefix) == Side::kInside &&
      smallest_prefixes_[index] != prefix) {
    return prefix > smallest_prefixes_[index];
  }
  const Slice smallest = order_->StripTimestamp(files_[index]->smallest_user_key());
  return order_->CompareStripped(user_key, smallest) >= 0;
}

bool LevelFiles::AtOrBeforeLargest(size_t index, Slice user_key) const {
  const Slice largest = order_->StripTimestamp(files_[index]->largest_user_key());
  return order_->CompareStripped(user_key, largest) <= 0;
}

size_t LevelFiles::CollectCovering(Slice user_key, uint32_t* positions) const {
  size_t found = 0;
  const size_t count = files_.size();
  if (!prefixes_) {
    for (size_t i = 0; i < count; ++i) {
      if (Covers(i, user_key)) positions[found++] = static_cast<uint32_t>(i);
    }
    return found;
  }
  uint64_t prefix = 0;
  if (count == 0 || Locate(user_key, &prefix) != Side::kInside) return 0;
  for (size_t i = 0; i < count; ++i) {
    // Adding without a branch: what does not cover is overwritten by the next.
    positions[found] = static_cast<uint32_t>(i);
    const bool within = smallest_prefixes_[i] <= prefix && prefix <= largest_prefixes_[i];
    const bool tie = smallest_prefixes_[i] == prefix || prefix == largest_prefixes_[i];
    if (SKARN_UNLIKELY(within && tie)) {
      found += Covers(i, user_key) ? 1 : 0;
    } else {
      found += within ? 1 : 0;
    }
  }
  return found;
}

}  // namespace skarn
