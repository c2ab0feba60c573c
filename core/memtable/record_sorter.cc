#include "core/memtable/record_sorter.h"

#include <algorithm>
#include <array>
#include <vector>

namespace skarn {
namespace {

// Below, comparisons beat the passes over counters.
constexpr size_t kRadixMin = 200;
// More bytes seldom decide anything that the final comparisons would not do as cheaply.
constexpr int kRadixBytesMax = 5;
constexpr size_t kPrefetchDistance = 8;

void SortByComparison(const RecordOrder& order, SortEntry* begin, SortEntry* end) {
  const RecordStore& store = order.store();
  const KeyOrder& keys = order.order();
  std::sort(begin, end, [&](const SortEntry& a, const SortEntry& b) {
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    const RecordKey x = ReadRecordKey(store.At(a.ref));
    const RecordKey y = ReadRecordKey(store.At(b.ref));
    return keys.Compare(x.user_key, x.tag, y.user_key, y.tag) < 0;
  });
}

}  // namespace

std::string SharedKeyBytes(const RecordOrder& order, const SortEntries& entries) {
  if (entries.empty()) return std::string();
  const RecordStore& store = order.store();
  const auto key_of = [&](RecordRef ref) {
    return order.order().StripTimestamp(ReadRecordKey(store.At(ref)).user_key);
  };
  const Slice first = key_of(entries.front().ref);
  size_t shared = first.size();
  for (size_t i = 0; i < entries.size() && shared > 0; ++i) {
    if (i + kPrefetchDistance < entries.size()) {
      __builtin_prefetch(store.At(entries[i + kPrefetchDistance].ref));
    }
    shared = SharedPrefix(first, key_of(entries[i].ref), shared);
  }
  return std::string(first.data(), shared);
}

void SortRecords(const RecordOrder& order, SortEntries* entries) {
  const RecordStore& store = order.store();
  const size_t count = entries->size();
  uint64_t differing = 0;
  uint64_t first = 0;
  for (size_t i = 0; i < count; ++i) {
    if (i + kPrefetchDistance < count) {
      __builtin_prefetch(store.At((*entries)[i + kPrefetchDistance].ref));
    }
    SortEntry& entry = (*entries)[i];
    entry.prefix = order.PrefixOfRecord(entry.ref);
    if (i == 0) first = entry.prefix;
    differing |= entry.prefix ^ first;
  }
  if (count < kRadixMin || differing == 0) {
    SortByComparison(order, entries->data(), entries->data() + count);
    return;
  }

  // The highest bytes that differ, least significant first.
  std::array<unsigned, kRadixBytesMax> shifts{};
  int passes = 0;
  for (int byte = 7; byte >= 0 && passes < kRadixBytesMax; --byte) {
    if ((differing >> (byte * 8) & 0xff) != 0) shifts[passes++] = static_cast<unsigned>(byte * 8);
  }
  std::reverse(shifts.begin(), shifts.begin() + passes);

  std::vector<std::array<uint32_t, 256>> counts(static_cast<size_t>(passes));
  for (auto& table : counts) table.fill(0);
  for (const SortEntry& entry : *entries) {
    for (int pass = 0; pass < passes; ++pass) {
      ++counts[static_cast<size_t>(pass)][entry.prefix >> shifts[pass] & 0xff];
    }
  }
  SortEntries other(count);
  for (int pass = 0; pass < passes; ++pass) {
    auto& table = counts[static_cast<size_t>(pass)];
    uint32_t position = 0;
    for (uint32_t& number : table) {
      const uint32_t here = number;
      number = position;
      position += here;
    }
    for (const SortEntry& entry : *entries) {
      other[table[entry.prefix >> shifts[pass] & 0xff]++] = entry;
    }
    entries->swap(other);
  }

  // Bytes below the lowest that was sorted, and keys with equal prefixes, are left.
  const uint64_t sorted_mask = ~uint64_t{0} << shifts[0];
  for (size_t begin = 0; begin < count;) {
    size_t end = begin + 1;
    const uint64_t high = (*entries)[begin].prefix & sorted_mask;
    while (end < count && ((*entries)[end].prefix & sorted_mask) == high) ++end;
    if (end - begin > 1) SortByComparison(order, entries->data() + begin, entries->data() + end);
    begin = end;
  }
}

}  // namespace skarn
