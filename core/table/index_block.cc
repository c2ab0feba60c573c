#include "core/table/index_block.h"

#include <algorithm>

#include "core/table/key_compare.h"

namespace skarn {
namespace {

// What decoding of small entries that share most of their key may grow to, for one byte
// of index block. Writers stay far below; a damaged block must not take all memory.
constexpr uint64_t kGrowthMax = 4096;

// So few prefixes are in the processor's cache as a rule: marks would save nothing.
constexpr uint32_t kCountWithoutMarks = 1024;
constexpr uint32_t kPerMark = 16;

// Of an array of 16, at any address.
template <typename T>
void PrefetchGroup(const T* group) {
  for (uint32_t i = 0; i < kPerMark; i += 64 / sizeof(T)) __builtin_prefetch(group + i);
  __builtin_prefetch(group + kPerMark - 1);
}

}  // namespace

Result<std::unique_ptr<IndexBlock>> IndexBlock::Parse(Slice payload, const IndexFlavour& flavour,
                                                      const KeyOrder& order, uint64_t limit) {
  BlockLayout layout;
  // No release writes index blocks with values apart or with a hash of keys.
  if (!ParseBlockLayout(payload, &layout) || layout.separated || layout.bucket_count != 0) {
    return Status::Corruption("bad index block");
  }
  std::unique_ptr<IndexBlock> index(new IndexBlock);
  index->keys_.push_back(0);
  const size_t padding = flavour.keys.stripped_timestamp;
  const size_t tag_size = flavour.user_keys_only ? 0 : kTagSize;
  const size_t size_min = flavour.keys.packed_size_min - kTagSize + tag_size;

  // Where separators are stored as they are, the last one is in bytes_, not in `key`.
  const bool plain = padding == 0 && tag_size == 0;
  std::string key;
  size_t key_size = 0;
  bool key_in_bytes = false;
  std::string first_bytes;
  std::vector<uint64_t> first_ends;
  const char* at = payload.data();
  const char* const end = payload.data() + layout.entries_end;
  if (layout.has_entries()) {
    index->offsets_.reserve(layout.restart_count);
    index->sizes_.reserve(layout.restart_count);
    index->keys_.reserve(layout.restart_count + size_t{1});
    if (layout.restart_count != 0) index->bytes_.reserve(layout.entries_end);
  }
  BlockHandle previous;
  while (at < end) {
    EntryHead head;
    at = DecodeEntryHead(at, end, flavour.delta_values, /*separated=*/false, /*at_restart=*/false,
                         &head);
    if (at == nullptr || head.shared > key_size || uint64_t{head.shared} + head.fresh < size_min) {
      return Status::Corruption("bad entry in index block");
    }
    const char* const fresh = at;
    at += head.fresh;
    if (!(plain && head.shared == 0)) {
      if (key_in_bytes) {
        key.assign(index->bytes_.data() + index->bytes_.size() - key_size, key_size);
      }
      key.resize(head.shared);
      key.append(fresh, head.fresh);
    }
    key_in_bytes = plain && head.shared == 0;
    key_size = size_t{head.shared} + head.fresh;
    // A delta value ends where its own numbers say; others at value_size.
    Slice input(at, flavour.delta_values ? static_cast<size_t>(end - at) : head.value_size);
    IndexValue value;
    const bool difference = flavour.delta_values && head.shared > 0;
    if (!DecodeIndexValue(&input, difference ? &previous : nullptr, flavour.first_keys, &value) ||
        !value.handle.FitsIn(limit, kBlockTrailerSize) || value.handle.size > UINT32_MAX) {
      return Status::Corruption("bad block handle in index block");
    }
    at = flavour.delta_values ? input.data() : at + head.value_size;
    previous = value.handle;

    index->offsets_.push_back(value.handle.offset);
    index->sizes_.push_back(static_cast<uint32_t>(value.handle.size));
    if (key_in_bytes) {
      index->bytes_.append(fresh, head.fresh);
    } else {
      index->bytes_.append(key.data(), key.size() - tag_size);
      index->bytes_.append(padding, '\0');
    }
    index->keys_.push_back(index->bytes_.size());
    if (tag_size != 0) index->tags_.push_back(DecodeFixed64(key.data() + key.size() - kTagSize));
    if (flavour.first_keys) {
      InternalKey first;
      if (value.first_internal_key.size() < flavour.keys.packed_size_min ||
          !ParsePackedKey(value.first_internal_key, &first)) {
        return Status::Corruption("bad first key in index block");
      }
      first_bytes.append(first.user_key.data(), first.user_key.size());
      first_bytes.append(padding, '\0');
      first_ends.push_back(first_bytes.size());
      index->first_tags_.push_back(first.tag);
    }
    if (index->bytes_.size() / kGrowthMax > payload.size() ||
        index->offsets_.size() >= UINT32_MAX) {
      return Status::Corruption("bad entry in index block");
    }
  }
  index->count_ = static_cast<uint32_t>(index->offsets_.size());
  if (flavour.first_keys) {
    const uint64_t base = index->bytes_.size();
    index->first_keys_.reserve(first_ends.size() + 1);
    index->first_keys_.push_back(base);
    for (const uint64_t first_end : first_ends) index->first_keys_.push_back(base + first_end);
    index->bytes_ += first_bytes;
  }
  if (order.bytewise()) index->BuildPrefixes();
  return index;
}

void IndexBlock::BuildPrefixes() {
  if (count_ == 0) return;
  // Separators ascend, so what the first and the last have in common all have. A damaged
  // block may not ascend: then it finds the wrong block, which answers with other keys.
  const Slice first = user_key(0);
  const Slice last = user_key(count_ - 1);
  common_ = FirstDifference(first.data(), last.data(), 0, std::min(first.size(), last.size()));
  for (uint32_t i = 1; i + 1 < count_; ++i) {
    const Slice key = user_key(i);
    common_ = std::min(common_, key.size());
    common_ = FirstDifference(first.data(), key.data(), 0, common_);
  }
  prefixes_.reserve(count_);
  for (uint32_t i = 0; i < count_; ++i) prefixes_.push_back(KeyPrefix(user_key(i), common_));
  if (count_ <= kCountWithoutMarks) return;
  marks_.reserve(count_ / kPerMark);
  for (uint32_t i = kPerMark - 1; i < count_; i += kPerMark) marks_.push_back(prefixes_[i]);
}

bool IndexBlock::Before(const KeyOrder& order, uint32_t i, Slice target, uint64_t tag) const {
  const int difference = order.CompareUser(user_key(i), target);
  if (difference != 0) return difference < 0;
  // Without tags an equal user key means that all its versions are in the block or
  // before it; the newest is then in this block. Tags sort descending.
  return !tags_.empty() && tags_[i] > tag;
}

uint32_t IndexBlock::Find(const KeyOrder& order, Slice target, uint64_t tag) const {
  uint32_t low = 0, high = count_;
  if (!prefixes_.empty()) {
    const char* common = bytes_.data();
    const size_t shared = std::min(common_, target.size());
    const size_t differs = FirstDifference(common, target.data(), 0, shared);
    if (differs < shared) {
      return static_cast<uint8_t>(target.data()[differs]) < static_cast<uint8_t>(common[differs])
                 ? 0
                 : count_;
    }
    if (target.size() < common_) return 0;
    const uint64_t prefix = KeyPrefix(target, common_);
    // The range of separators with the same prefix; without branches on the outcome.
    uint32_t size = count_;
    if (!marks_.empty()) {
      low = kPerMark * static_cast<uint32_t>(FirstAtLeast(marks_.data(), marks_.size(), prefix));
      size = std::min(size - low, kPerMark);
      // What is asked for next lies there, too.
      PrefetchGroup(prefixes_.data() + low);
      PrefetchGroup(offsets_.data() + low);
      PrefetchGroup(sizes_.data() + low);
      sightings_.PrefetchRange(low, kPerMark);
    }
    low += static_cast<uint32_t>(FirstAtLeast(prefixes_.data() + low, size, prefix));
    if (low == count_ || prefixes_[low] != prefix) return low;
    high = low + 1;
    uint32_t step = 1;
    while (high < count_ && prefixes_[high] == prefix) {
      high = std::min(count_, high + step);
      step *= 2;
      if (prefixes_[high - 1] != prefix) break;
    }
  }
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (Before(order, middle, target, tag)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

size_t IndexBlock::memory_bytes() const {
  return sizeof(IndexBlock) + bytes_.capacity() +
         sizeof(uint64_t) *
             (offsets_.capacity() + keys_.capacity() + tags_.capacity() + first_keys_.capacity() +
              first_tags_.capacity() + prefixes_.capacity() + marks_.capacity()) +
         sizeof(uint32_t) * sizes_.capacity() + sightings_.memory_bytes();
}

}  // namespace skarn
