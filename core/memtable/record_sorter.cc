#include "core/memtable/record_sorter.h"

#include <algorithm>
#include <bit>
#include <utility>
#include <vector>

namespace skarn {
namespace {

// Below, comparisons beat the passes over counters.
constexpr size_t kRadixMin = 200;
// Bits that are sorted by beyond those that number the entries: they tell most of the keys apart.
constexpr int kSpareBits = 3;
// The counters of half as many fit the first cache.
constexpr int kRadixBitsMax = 24;
constexpr size_t kPrefetchDistance = 8;

[[gnu::noinline]] void SortByComparison(const RecordOrder& order, SortEntry* begin,
                                        SortEntry* end) {
  const RecordStore& store = order.store();
  const KeyOrder& keys = order.order();
  const auto less = [&](const SortEntry& a, const SortEntry& b) {
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    const RecordKey x = ReadRecordKey(store.At(a.ref));
    const RecordKey y = ReadRecordKey(store.At(b.ref));
    return keys.Compare(x.user_key, x.tag, y.user_key, y.tag) < 0;
  };
  if (end - begin == 2) {
    if (less(begin[1], begin[0])) std::swap(begin[0], begin[1]);
    return;
  }
  std::sort(begin, end, less);
}

// The highest of the bits that differ, drawn together.
class RadixBits {
 public:
  RadixBits(uint64_t differing, size_t count) {
    const int wanted =
        std::min(static_cast<int>(std::bit_width(count)) + kSpareBits, kRadixBitsMax);
    while (std::popcount(differing) > wanted) differing &= differing - 1;
    bits_ = std::popcount(differing);
    for (int done = 0; differing != 0;) {
      const int from = std::countr_zero(differing);
      const int length = std::countr_one(differing >> from);
      const uint64_t mask = (uint64_t{1} << length) - 1;
      runs_[run_count_++] = {from - done, static_cast<uint32_t>(mask << done)};
      differing &= ~(mask << from);
      done += length;
    }
  }
  int low_bits() const { return bits_ / 2; }
  int high_bits() const { return bits_ - bits_ / 2; }
  uint32_t Of(uint64_t prefix) const {
    uint32_t bits = 0;
    for (int i = 0; i < run_count_; ++i) {
      bits |= static_cast<uint32_t>(prefix >> runs_[i].shift) & runs_[i].mask;
    }
    return bits;
  }

 private:
  struct Run {
    int shift;
    uint32_t mask;
  };
  int bits_ = 0;
  int run_count_ = 0;
  Run runs_[kRadixBitsMax];
};

void CountsToPositions(std::vector<uint32_t>* counts) {
  uint32_t position = 0;
  for (uint32_t& number : *counts) position += std::exchange(number, position);
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

RecordOrder PrefixScan::Finish(const RecordStore& store, SortEntries* entries) const {
  RecordOrder order(order_, store, std::string(first_.data(), shared_));
  const Comparator::Kind kind = order_.comparator()->kind();
  if (kind == Comparator::Kind::kUser) {
    for (SortEntry& entry : *entries) entry.prefix = 0;
    return order;
  }
  // The earliest keys were cut after more bytes, all of them the first key's: these come back.
  size_t begin = 0;
  for (const Change& change : changes_) {
    const size_t bytes = change.shared - shared_;
    uint64_t back = 0;
    for (size_t i = 0; i < sizeof(back) && i < bytes; ++i) {
      back |= uint64_t{static_cast<uint8_t>(first_[shared_ + i])} << (56 - i * 8);
    }
    for (; begin < change.end; ++begin) {
      uint64_t& prefix = (*entries)[begin].prefix;
      prefix = back | (bytes < sizeof(back) ? prefix >> (bytes * 8) : 0);
    }
  }
  if (kind != Comparator::Kind::kBytewise) {
    for (SortEntry& entry : *entries) entry.prefix = ~entry.prefix;
  }
  return order;
}

void SortRecords(const RecordOrder& order, SortEntries* entries) {
  const RecordStore& store = order.store();
  const size_t count = entries->size();
  for (size_t i = 0; i < count; ++i) {
    if (i + kPrefetchDistance < count) {
      __builtin_prefetch(store.At((*entries)[i + kPrefetchDistance].ref));
    }
    SortEntry& entry = (*entries)[i];
    entry.prefix = order.PrefixOfRecord(entry.ref);
  }
  SortByPrefixes(order, entries);
}

void SortByPrefixes(const RecordOrder& order, SortEntries* sorted) {
  SortEntry* const entries = sorted->data();
  const size_t count = sorted->size();
  if (count < 2) return;
  uint64_t differing = 0;
  bool ascending = true;
  for (size_t i = 1; i < count; ++i) {
    differing |= entries[i].prefix ^ entries[0].prefix;
    ascending = ascending && entries[i - 1].prefix < entries[i].prefix;
  }
  if (ascending) return;
  if (count < kRadixMin || differing == 0) return SortByComparison(order, entries, entries + count);

  const RadixBits bits(differing, count);
  std::vector<uint32_t> low(size_t{1} << bits.low_bits());
  std::vector<uint32_t> high(size_t{1} << bits.high_bits());
  const uint32_t low_mask = (1u << bits.low_bits()) - 1;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t radix = bits.Of(entries[i].prefix);
    entries[i].radix = radix;
    ++low[radix & low_mask];
    ++high[radix >> bits.low_bits()];
  }
  CountsToPositions(&low);
  CountsToPositions(&high);
  const LargeBytes memory = MakeLargeBytes(count * sizeof(SortEntry));
  auto* const other = reinterpret_cast<SortEntry*>(memory.get());
  for (size_t i = 0; i < count; ++i) other[low[entries[i].radix & low_mask]++] = entries[i];
  for (size_t i = 0; i < count; ++i) {
    entries[high[other[i].radix >> bits.low_bits()]++] = other[i];
  }

  // What these bits do not tell apart is left: mostly versions of a key.
  const RecordStore& store = order.store();
  for (size_t begin = 0; begin + 1 < count;) {
    const size_t ahead = begin + kPrefetchDistance;
    if (ahead + 1 < count && entries[ahead].prefix == entries[ahead + 1].prefix) {
      __builtin_prefetch(store.At(entries[ahead].ref));
      __builtin_prefetch(store.At(entries[ahead + 1].ref));
    }
    size_t end = begin + 1;
    while (end < count && entries[end].radix == entries[begin].radix) ++end;
    if (end - begin > 1) SortByComparison(order, entries + begin, entries + end);
    begin = end;
  }
}

}  // namespace skarn
