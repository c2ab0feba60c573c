#include "core/table/block_cursor.h"

#include <algorithm>
#include <limits>

#include "core/base/hash.h"
#include "core/table/key_compare.h"

namespace skarn {
namespace {

constexpr size_t kRememberedBytesMax = size_t{1} << 30;

}  // namespace

void DataBlockCursor::Reset(const char* data, const BlockLayout& layout,
                            const KeyFlavour& flavour) {
  data_ = data;
  layout_ = layout;
  flavour_ = flavour;
  limit_ = data + layout.entries_end;
  fast_ = !layout.separated;
  size_min_ = static_cast<uint32_t>(flavour.packed_size_min);
  quick_limit_ =
      fast_ && flavour.stripped_timestamp == 0 && size_min_ == kTagSize ? limit_ : nullptr;
  corrupt_ = false;
  key_size_ = 0;
  Invalidate();
}

void DataBlockCursor::GrowKey(size_t size) {
  if (size <= key_capacity_) return;
  const size_t capacity = std::max(size, key_capacity_ * 2);
  std::unique_ptr<char[]> larger(new char[capacity]);
  memcpy(larger.get(), key_, key_size_);
  key_heap_ = std::move(larger);
  key_ = key_heap_.get();
  key_capacity_ = capacity;
}

bool DataBlockCursor::StepSlow() {
  const bool at_restart =
      layout_.separated && next_restart_ < layout_.restart_count &&
      next_ - data_ == static_cast<ptrdiff_t>(layout_.restart(data_, next_restart_));
  EntryHead head;
  const char* key =
      DecodeEntryHead(next_, limit_, /*delta_values=*/false, layout_.separated, at_restart, &head);
  if (key == nullptr || head.shared > key_size_ || uint64_t{head.shared} + head.fresh < size_min_ ||
      uint64_t{head.shared} + head.fresh > std::numeric_limits<uint32_t>::max() - 64) {
    return Damaged();
  }
  const char* value = key + head.fresh;
  const char* next = value + head.value_size;
  if (layout_.separated) {
    if (at_restart) {
      if (head.shared != 0) return Damaged();
      value = data_ + layout_.values_offset;
      const uint64_t room = layout_.restarts_offset - layout_.values_offset;
      if (head.value_offset > room) return Damaged();
      value += head.value_offset;
      ++next_restart_;
    } else {
      // Values lie one after the other; there was an entry before, since the first is a
      // restart.
      if (key_size_ == 0) return Damaged();
      value = value_ + value_size_;
    }
    if (head.value_size > static_cast<uint64_t>(data_ + layout_.restarts_offset - value)) {
      return Damaged();
    }
    next = key + head.fresh;
  }
  GrowKey(size_t{head.shared} + head.fresh + kBlockPadding);
  memcpy(key_ + head.shared, key, head.fresh);
  entry_ = next_;
  shared_ = head.shared;
  key_size_ = head.shared + head.fresh;
  key_in_block_ = head.shared == 0 ? key : nullptr;
  value_ = value;
  value_size_ = head.value_size;
  next_ = next;
  return true;
}

void DataBlockCursor::PadKey() {
  const size_t size = user_key_.size() + flavour_.stripped_timestamp;
  if (size > padded_capacity_) {
    padded_capacity_ = size * 2;
    padded_key_.reset(new char[padded_capacity_]);
  }
  memcpy(padded_key_.get(), user_key_.data(), user_key_.size());
  memset(padded_key_.get() + user_key_.size(), 0, flavour_.stripped_timestamp);
  user_key_ = Slice(padded_key_.get(), size);
  key_in_block_ = nullptr;
}

bool DataBlockCursor::RestartKey(uint32_t index, Slice* user_key, uint64_t* tag) {
  const uint32_t offset = layout_.restart(data_, index);
  if (offset >= layout_.entries_end) return Damaged();
  const char* at = data_ + offset;
  const auto* p = reinterpret_cast<const uint8_t*>(at);
  uint32_t size;
  if (SKARN_LIKELY(fast_ && p[0] == 0 && ((p[1] | p[2]) & 0x80) == 0)) {
    size = p[1];
    at += 3;
    if (at + size + p[2] > limit_) return Damaged();
  } else {
    EntryHead head;
    at = DecodeEntryHead(at, limit_, /*delta_values=*/false, layout_.separated,
                         /*at_restart=*/true, &head);
    if (at == nullptr || head.shared != 0) return Damaged();
    size = head.fresh;
  }
  if (size < size_min_) return Damaged();
  *user_key = Slice(at, size - kTagSize);
  *tag = flavour_.Tag(DecodeFixed64(at + size - kTagSize));
  return true;
}

bool DataBlockCursor::GoToRestart(uint32_t index) {
  const uint32_t offset = layout_.restart(data_, index);
  if (offset >= layout_.entries_end) return Damaged();
  next_ = data_ + offset;
  next_restart_ = index;
  key_size_ = 0;
  back_ = -1;
  return true;
}

int DataBlockCursor::Compare(const KeyOrder& order, Slice stored_user_key, uint64_t tag,
                             Slice user_key, uint64_t target_tag) {
  if (SKARN_UNLIKELY(flavour_.stripped_timestamp != 0)) {
    user_key_ = stored_user_key;
    PadKey();
    stored_user_key = user_key_;
  }
  return order.Compare(stored_user_key, tag, user_key, target_tag);
}

template <bool kBytewise>
bool DataBlockCursor::FindRestart(const KeyOrder& order, Slice user_key, uint64_t tag,
                                  uint32_t* index) {
  uint32_t low = 0, high = layout_.restart_count - 1;
  while (low < high) {
    const uint32_t middle = low + (high - low + 1) / 2;
    Slice key;
    uint64_t key_tag = 0;
    if (!RestartKey(middle, &key, &key_tag)) return false;
    int difference;
    if constexpr (kBytewise) {
      difference = CompareBytes(key.data(), key.size(), user_key.data(), user_key.size());
      if (difference == 0) difference = key_tag > tag ? -1 : (key_tag < tag ? 1 : 0);
    } else {
      difference = Compare(order, key, key_tag, user_key, tag);
    }
    if (difference <= 0) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  *index = low;
  return true;
}

// Tells for ascending keys, bytewise, whether each is at or after a target. Most need no
// comparison: `match_` is how many bytes the key before has in common with the target, and
// an entry that shares more than those with it is on the same side.
class DataBlockCursor::BytewiseTarget {
 public:
  BytewiseTarget(Slice user_key, uint64_t tag, const KeyFlavour& flavour)
      : data_(user_key.data()), size_(user_key.size()), tag_(tag), flavour_(flavour) {}

  // `key` is packed, `size` its user key's, `shared` what it has of the key before.
  bool IsReachedBy(const char* key, size_t size, size_t shared) {
    if (shared > match_ && skip_) return false;
    const size_t common = std::min(size, size_);
    match_ = FirstDifference(key, data_, std::min({shared, match_, common}), common);
    if (match_ < common) {
      skip_ = true;
      return static_cast<uint8_t>(key[match_]) > static_cast<uint8_t>(data_[match_]);
    }
    skip_ = false;  // One is the beginning of the other: the next key may be anything.
    return size > size_ || (size == size_ && flavour_.Tag(DecodeFixed64(key + size)) <= tag_);
  }

 private:
  const char* const data_;
  const size_t size_;
  const uint64_t tag_;
  const KeyFlavour& flavour_;
  size_t match_ = 0;
  bool skip_ = false;  // The key before differs from the target at match_.
};

// The loop keeps in locals what Step() keeps in members, for entries of the usual form.
template <>
void DataBlockCursor::ScanTo<true>(const KeyOrder&, Slice user_key, uint64_t tag) {
  BytewiseTarget target(user_key, tag, flavour_);
  if (fast_) {
    const char* at = next_;
    const char* const limit = limit_;
    char* const buffer = key_;
    const uint32_t size_min = size_min_;
    uint32_t key_size = key_size_;
    while (at < limit) {
      uint32_t shared, fresh, value_size;
      const char* key;
      if (!DecodeUsualHead(at, &shared, &fresh, &value_size, &key)) break;
      const char* const next = key + fresh + value_size;
      if (SKARN_UNLIKELY(next > limit || shared > key_size || shared + fresh < size_min)) {
        Damaged();
        return;
      }
      memcpy(buffer + shared, key, 16);
      if (SKARN_UNLIKELY(fresh > 16)) memcpy(buffer + shared + 16, key + 16, fresh - 16);
      key_size = shared + fresh;
      if (target.IsReachedBy(buffer, key_size - kTagSize, shared)) {
        entry_ = at;
        next_ = next;
        shared_ = shared;
        key_size_ = key_size;
        key_in_block_ = shared == 0 ? key : nullptr;
        value_ = key + fresh;
        value_size_ = value_size;
        return Publish();
      }
      at = next;
    }
    next_ = at;
    key_size_ = key_size;
  }
  while (Step()) {
    if (target.IsReachedBy(key_, key_size_ - kTagSize, shared_)) return Publish();
  }
  valid_ = false;
}

template <>
void DataBlockCursor::ScanTo<false>(const KeyOrder& order, Slice user_key, uint64_t tag) {
  while (Step()) {
    const size_t size = key_size_ - kTagSize;
    const uint64_t key_tag = flavour_.Tag(DecodeFixed64(key_ + size));
    if (Compare(order, Slice(key_, size), key_tag, user_key, tag) >= 0) return Publish();
  }
  valid_ = false;
}

void DataBlockCursor::SeekToFirst() {
  Invalidate();
  if (corrupt_ || !layout_.has_entries() || !GoToRestart(0)) return;
  if (Step()) Publish();
}

void DataBlockCursor::SeekToLast() {
  Invalidate();
  if (corrupt_ || !layout_.has_entries() || !GoToRestart(layout_.restart_count - 1)) return;
  bool any = false;
  while (next_ < limit_) {
    if (!Step()) return;
    any = true;
  }
  if (any) Publish();
}

void DataBlockCursor::Seek(const KeyOrder& order, Slice user_key, uint64_t tag) {
  Invalidate();
  if (corrupt_ || !layout_.has_entries()) return;
  uint32_t index = 0;
  if (order.bytewise() && SKARN_LIKELY(flavour_.stripped_timestamp == 0)) {
    if (!FindRestart<true>(order, user_key, tag, &index) || !GoToRestart(index)) return;
    ScanTo<true>(order, user_key, tag);
  } else {
    if (!FindRestart<false>(order, user_key, tag, &index) || !GoToRestart(index)) return;
    ScanTo<false>(order, user_key, tag);
  }
}

void DataBlockCursor::SeekIndexed(const EntryIndex& entries, const KeyOrder& order, Slice user_key,
                                  uint64_t tag) {
  uint32_t i = 0;
  if (SKARN_UNLIKELY(entries.Find(data_, user_key, tag, flavour_, &i) ==
                     EntryIndex::Found::kUnsure)) {
    return Seek(order, user_key, tag);
  }
  Invalidate();
  if (i < entries.count() && !corrupt_) GoToEntry(entries, i);
}

void DataBlockCursor::GoToEntry(const EntryIndex& entries, uint32_t i) {
  if (SKARN_LIKELY(entries.whole_keys())) {
    const EntryIndex::Entry entry = entries.At(data_, i);
    key_size_ = 0;
    GrowKey(entries.key_size() + kTagSize + kBlockPadding);
    const size_t size = entries.CopyKey(data_, i, key_);
    memcpy(key_ + size, entry.value - kTagSize, kTagSize);
    key_size_ = static_cast<uint32_t>(size + kTagSize);
    shared_ = entry.shared;
    key_in_block_ = entry.shared == 0 ? entry.key : nullptr;
    value_ = entry.value;
    value_size_ = entry.value_size;
    entry_ = data_ + entries.offset(i);
    next_ = value_ + value_size_;
    return Publish();
  }
  if (!GoToRestart(entries.RestartOf(data_, layout_, i))) return;
  const char* const wanted = data_ + entries.offset(i);
  entry_ = nullptr;  // Restarts of a damaged block may lie beyond the entry.
  while (next_ <= wanted) {
    if (!Step()) return;
  }
  if (entry_ == wanted) {
    Publish();
  } else {
    Damaged();
  }
}

void DataBlockCursor::SeekForLookup(const KeyOrder& order, Slice user_key, uint64_t tag) {
  if (layout_.bucket_count == 0 || order.timestamp_size() != 0 ||
      !order.comparator()->EqualMeansSameBytes() || corrupt_ || !layout_.has_entries()) {
    return Seek(order, user_key, tag);
  }
  const uint8_t bucket = HashBucket(data_, layout_, SliceHash(user_key));
  if (bucket == kHashBucketCollision ||
      (bucket != kHashBucketEmpty && bucket >= layout_.restart_count)) {
    return Seek(order, user_key, tag);
  }
  Invalidate();
  const uint32_t last = layout_.restart_count - 1;
  const bool bytewise = order.bytewise();
  if (bucket != kHashBucketEmpty) {
    // All entries of the key are in this run, which ends at the next restart.
    const char* end = limit_;
    if (bucket < last) {
      const uint32_t offset = layout_.restart(data_, bucket + uint32_t{1});
      if (offset > layout_.entries_end) {
        Damaged();
        return;
      }
      end = data_ + offset;
    }
    if (!GoToRestart(bucket)) return;
    const char* const all = limit_;
    limit_ = end;
    if (bytewise) {
      ScanTo<true>(order, user_key, tag);
    } else {
      ScanTo<false>(order, user_key, tag);
    }
    limit_ = all;
    if (valid_ || corrupt_ || bucket == last) return;
  }
  // The block does not have the key. Its last run tells whether the next block may.
  if (!GoToRestart(last)) return;
  if (bytewise) {
    ScanTo<true>(order, user_key, tag);
  } else {
    ScanTo<false>(order, user_key, tag);
  }
}

void DataBlockCursor::NextAfterPrev() {
  if (static_cast<size_t>(back_) + 1 < remembered_.size()) {
    ++back_;
    return PublishRemembered();
  }
  // From here on entries are decoded again; the last remembered key is their base.
  const Remembered& item = remembered_[static_cast<size_t>(back_)];
  key_size_ = 0;
  GrowKey(size_t{item.key_size} + kBlockPadding);
  memcpy(key_, remembered_keys_.get() + item.key_offset, item.key_size);
  key_size_ = item.key_size;
  value_ = item.value;
  value_size_ = item.value_size;
  next_ = item.next;
  back_ = -1;
  if (Step()) {
    Publish();
  } else {
    valid_ = false;
  }
}

char* DataBlockCursor::RoomForKey(size_t size) {
  if (SKARN_UNLIKELY(remembered_size_ + size > remembered_capacity_)) {
    const size_t capacity = std::max(remembered_size_ + size, remembered_capacity_ * 2 + 2048);
    std::unique_ptr<char[]> larger(new char[capacity]);
    if (remembered_size_ != 0) memcpy(larger.get(), remembered_keys_.get(), remembered_size_);
    remembered_keys_ = std::move(larger);
    remembered_capacity_ = capacity;
  }
  return remembered_keys_.get() + remembered_size_;
}

void DataBlockCursor::RememberQuickly(const char* end) {
  if (quick_limit_ == nullptr || end > quick_limit_) return;
  const char* at = next_;
  Remembered item;
  item.key_offset = item.key_size = 0;
  while (at < end && remembered_size_ <= kRememberedBytesMax) {
    uint32_t shared, fresh, value_size;
    const char* key;
    if (!DecodeUsualHead(at, &shared, &fresh, &value_size, &key)) break;
    const char* const value = key + fresh;
    if (SKARN_UNLIKELY(fresh < kTagSize || value + value_size > quick_limit_ ||
                       shared > item.key_size)) {
      break;
    }
    // Keys lie in whole pieces of 16 bytes, and are copied by them.
    const size_t room = (shared + fresh + size_t{47}) & ~size_t{15};
    char* const to = RoomForKey(room);
    const char* const from = remembered_keys_.get() + item.key_offset;
    for (uint32_t i = 0; i < shared; i += 16) memcpy(to + i, from + i, 16);
    memcpy(to + shared, key, 16);
    if (fresh > 16) memcpy(to + shared + 16, key + 16, 16);
    if (SKARN_UNLIKELY(fresh > 32)) memcpy(to + shared + 32, key + 32, fresh - 32);
    item.key_offset = static_cast<uint32_t>(remembered_size_);
    item.key_size = shared + fresh;
    item.value = value;
    item.value_size = value_size;
    item.entry = at;
    item.next = at = value + value_size;
    item.key_in_block = shared == 0 ? key : nullptr;
    remembered_.push_back(item);
    remembered_size_ += room;
  }
  if (remembered_.empty()) return;
  // Whatever is not of the usual form goes on from here.
  memcpy(key_, remembered_keys_.get() + item.key_offset, item.key_size);
  key_size_ = item.key_size;
  next_ = at;
}

bool DataBlockCursor::Remember(uint32_t restart, const char* end) {
  Invalidate();
  remembered_.clear();
  remembered_size_ = 0;
  if (!GoToRestart(restart)) return false;
  RememberQuickly(end);
  while (next_ < end) {
    // Keys that share long beginnings are larger here than in the block; a run of them
    // that no writer makes must not take all memory.
    if (!Step() || remembered_size_ > kRememberedBytesMax) return Damaged();
    Remembered item;
    item.key_offset = static_cast<uint32_t>(remembered_size_);
    item.key_size = key_size_;
    item.value = value_;
    item.value_size = value_size_;
    item.entry = entry_;
    item.next = next_;
    item.key_in_block = key_in_block_;
    CopyKeyBytes(RoomForKey(key_size_), key_, key_size_);
    remembered_.push_back(item);
    remembered_size_ += key_size_;
  }
  if (next_ != end || remembered_.empty()) return Damaged();
  back_ = static_cast<int32_t>(remembered_.size()) - 1;
  PublishRemembered();
  return true;
}

void DataBlockCursor::Prev() {
  if (back_ > 0) {
    --back_;
    return PublishRemembered();
  }
  const char* const current = entry_;
  uint32_t restart = 0;
  Invalidate();
  if (FindRestartBefore(current, &restart)) (void)Remember(restart, current);
}

bool DataBlockCursor::FindRestartBefore(const char* entry, uint32_t* restart) {
  const auto offset = static_cast<uint32_t>(entry - data_);
  if (offset == 0) return false;
  uint32_t low = 0, high = layout_.restart_count - 1;
  while (low < high) {
    const uint32_t middle = low + (high - low + 1) / 2;
    if (layout_.restart(data_, middle) < offset) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  *restart = low;
  return layout_.restart(data_, low) < offset || Damaged();
}

bool DataBlockCursor::LookBack(int32_t count) {
  if (quick_limit_ == nullptr) return false;
  const char* const first = back_ < 0 ? entry_ : remembered_.front().entry;
  const char* const end = back_ < 0 ? next_ : remembered_[static_cast<size_t>(back_)].next;
  uint32_t restart = 0;
  if (!FindRestartBefore(first, &restart)) return false;
  while (Remember(restart, end)) {
    if (back_ >= count) return true;
    if (restart == 0) return false;
    --restart;  // Runs of one entry.
  }
  return false;
}

}  // namespace skarn
