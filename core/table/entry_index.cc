#include "core/table/entry_index.h"

#include <algorithm>
#include <limits>
#include <new>
#include <vector>

#include "core/base/block_heap.h"
#include "core/table/key_compare.h"

namespace skarn {
namespace {

constexpr size_t kBlockMax = std::numeric_limits<uint16_t>::max();  // Offsets have 16 bits.
// Keys grow when their shared beginnings come back; a block that no writer makes gets no index.
constexpr size_t kKeyBytesMax = 4 * kBlockMax;

}  // namespace

EntryIndex* EntryIndex::Build(Slice block, const BlockLayout& layout, const KeyFlavour& flavour) {
  if (layout.separated || !layout.has_entries() || flavour.stripped_timestamp != 0 ||
      block.size() > kBlockMax) {
    return nullptr;
  }
  // All user keys, one after the other, and what else is known of each entry.
  struct Seen {
    uint32_t offset;
    uint32_t key_end;
  };
  std::vector<char> keys;
  std::vector<Seen> entries;
  keys.reserve(block.size());
  entries.reserve(layout.restart_count * size_t{16});

  const char* const limit = block.data() + layout.entries_end;
  const char* at = block.data();
  char tag[kTagSize];  // Of the key before.
  size_t begin = 0;    // Of the key before, in `keys`,
  size_t size = 0;     // and its size.
  size_t first_key = 0;
  size_t common = 0;
  bool same_size = true, whole_tags = true;
  while (at < limit) {
    EntryHead head;
    const char* const fresh = DecodeEntryHead(at, limit, /*delta_values=*/false,
                                              /*separated=*/false, /*at_restart=*/false, &head);
    const size_t packed = fresh == nullptr ? 0 : size_t{head.shared} + head.fresh;
    const size_t packed_before = entries.empty() ? 0 : size + kTagSize;
    if (fresh == nullptr || head.shared > packed_before || packed < flavour.packed_size_min ||
        keys.size() + packed > kKeyBytesMax) {
      return nullptr;
    }
    const size_t user_size = packed - kTagSize;
    const size_t start = keys.size();
    keys.resize(start + packed);
    char* const key = keys.data() + start;
    const size_t from_key = std::min<size_t>(head.shared, size);
    memcpy(key, keys.data() + begin, from_key);
    if (head.shared > from_key) memcpy(key + from_key, tag, head.shared - from_key);
    memcpy(key + head.shared, fresh, head.fresh);
    memcpy(tag, key + user_size, kTagSize);
    keys.resize(start + user_size);
    if (entries.empty()) {
      first_key = static_cast<size_t>(fresh - block.data());
      common = user_size;
    } else {
      same_size = same_size && user_size == size;
      common = FirstDifference(keys.data(), key, 0, std::min(common, user_size));
    }
    whole_tags = whole_tags && head.fresh >= kTagSize;
    begin = start;
    size = user_size;
    entries.push_back(
        {static_cast<uint32_t>(at - block.data()), static_cast<uint32_t>(start + user_size)});
    at = fresh + head.fresh + head.value_size;
  }
  if (entries.empty()) return nullptr;

  const auto count = static_cast<uint32_t>(entries.size());
  void* const memory = BlockHeap::Allocate(BytesFor(count));
  if (memory == nullptr) return nullptr;
  auto* index = new (memory) EntryIndex;
  index->count_ = count;
  index->first_key_ = static_cast<uint32_t>(first_key);
  index->common_ = static_cast<uint32_t>(common);
  index->key_size_ = entries.front().key_end;
  if (index->key_size_ > common + sizeof(uint64_t)) {
    index->tail_ = index->key_size_ - static_cast<uint32_t>(common + sizeof(uint64_t));
  }
  bool same_tail = same_size;
  for (size_t i = 1; same_tail && index->tail_ != 0 && i < entries.size(); ++i) {
    same_tail = memcmp(keys.data() + entries[i].key_end - index->tail_,
                       keys.data() + index->key_size_ - index->tail_, index->tail_) == 0;
  }
  index->whole_ = same_tail && whole_tags;
  auto* const prefixes = const_cast<uint64_t*>(index->prefixes());
  auto* const offsets = const_cast<uint16_t*>(index->offsets());
  size_t start = 0;
  for (uint32_t i = 0; i < count; ++i) {
    prefixes[i] = KeyPrefix(Slice(keys.data() + start, entries[i].key_end - start), common);
    offsets[i] = static_cast<uint16_t>(entries[i].offset);
    start = entries[i].key_end;
  }
  return index;
}

void EntryIndex::Free(EntryIndex* index) {
  if (index != nullptr) BlockHeap::Free(index, index->memory_bytes());
}

uint32_t EntryIndex::RestartOf(const char* block, const BlockLayout& layout, uint32_t i) const {
  const uint32_t offset = offsets()[i];
  uint32_t low = 0, high = layout.restart_count - 1;
  while (low < high) {
    const uint32_t middle = low + (high - low + 1) / 2;
    if (layout.restart(block, middle) <= offset) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

EntryIndex::Found EntryIndex::FindInEntries(const char* block, Slice user_key, uint64_t tag,
                                            const KeyFlavour& flavour, uint32_t* entry) const {
  uint32_t i = *entry;
  const uint64_t prefix = prefixes()[i];
  // What an entry shares with the one before must be known to be in ours: the prefix, then, once
  // a version of the key was seen, all of it.
  size_t known = common_ + sizeof(uint64_t);
  while (true) {
    const Entry here = At(block, i);
    if (here.shared > known || here.fresh < kTagSize) return Found::kUnsure;
    const size_t size = here.shared + here.fresh - kTagSize;
    const size_t both = std::min(size, user_key.size());
    const size_t rest = both - std::min<size_t>(both, here.shared);
    int side = CompareBytes(here.key, rest, user_key.data() + (both - rest), rest);
    if (side == 0 && size != user_key.size()) side = size < user_key.size() ? -1 : 1;
    *entry = i;
    if (side > 0) return Found::kAfter;
    if (side == 0) {
      known = size;
      if (flavour.Tag(DecodeFixed64(here.value - kTagSize)) <= tag) return Found::kVersion;
    }
    *entry = ++i;
    if (i == count_ || prefixes()[i] != prefix) return Found::kAfter;
    // What a smaller key has in common with the next one need not be in ours.
    if (side < 0) return Found::kUnsure;
  }
}

EntryIndex::Entry EntryIndex::AtSlow(const char* block, uint32_t i) const {
  EntryHead head;
  // Build() saw that the entry fits.
  const char* const key =
      DecodeEntryHead(block + offsets()[i], block + kBlockMax, /*delta_values=*/false,
                      /*separated=*/false, /*at_restart=*/false, &head);
  Entry entry;
  entry.key = key;
  entry.shared = head.shared;
  entry.fresh = head.fresh;
  entry.value = key + head.fresh;
  entry.value_size = head.value_size;
  return entry;
}

}  // namespace skarn
