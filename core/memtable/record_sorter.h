// Sorting many records at once: by radix on the highest bits in which their prefixes differ,
// then by comparison where those do not decide. Numbers in decimal differ in four bits of
// each byte, so two passes over 20 bits do what five would over bytes.
//
// Thread safety: pure functions; PrefixScan one thread at a time.

#ifndef SKARN_CORE_MEMTABLE_RECORD_SORTER_H_
#define SKARN_CORE_MEMTABLE_RECORD_SORTER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/large_memory.h"
#include "core/memtable/record.h"
#include "core/memtable/record_order.h"

namespace skarn {

struct SortEntry {
  uint64_t prefix;
  RecordRef ref;
  uint32_t radix = 0;  // Of the sorter: bits of `prefix`.
};
using SortEntries = LargeVector<SortEntry>;

// How many of the first `shared` bytes of `first` the key begins with too.
inline size_t SharedPrefix(Slice first, Slice key, size_t shared) {
  if (shared > key.size()) shared = key.size();
  if (SKARN_LIKELY(SameBytes(first.data(), key.data(), shared))) return shared;
  size_t same = 0;
  while (first[same] == key[same]) ++same;
  return same;
}

// The bytes that all these records' keys (without timestamps) begin with.
std::string SharedKeyBytes(const RecordOrder& order, const SortEntries& entries);

// Makes prefixes while it learns what the keys share, so that records need be read but once.
class PrefixScan {
 public:
  explicit PrefixScan(const KeyOrder& order) : order_(order) {}

  // Adds the record that was read. Its prefix is of no use until Finish().
  void Add(const RecordKey& key, RecordRef ref, SortEntries* entries) {
    const Slice plain = order_.StripTimestamp(key.user_key);
    if (SKARN_UNLIKELY(entries->empty())) {
      first_ = plain;
      shared_ = plain.size();
    } else if (shared_ != 0) {
      if (const size_t shared = SharedPrefix(first_, plain, shared_); shared != shared_) {
        changes_.push_back({entries->size(), shared_});
        shared_ = shared;
      }
    }
    // The tag follows the key: there are 8 bytes to read.
    const size_t left = plain.size() - shared_;
    uint64_t prefix = __builtin_bswap64(DecodeFixed64(plain.data() + shared_));
    if (left < sizeof(prefix)) prefix &= ~(~uint64_t{0} >> (left * 8));
    entries->push_back({prefix, ref});
  }
  // The order for these records. Sets their prefixes by it. `entries` has what was added.
  RecordOrder Finish(const RecordStore& store, SortEntries* entries) const;

 private:
  struct Change {
    size_t end;     // Entries before
    size_t shared;  // and after the change before have prefixes after so many bytes.
  };
  const KeyOrder& order_;
  Slice first_;
  size_t shared_ = 0;
  std::vector<Change> changes_;
};

// Sorts by `order`, by which the prefixes are.
void SortByPrefixes(const RecordOrder& order, SortEntries* entries);
// Sets the prefixes by `order` and sorts by it.
void SortRecords(const RecordOrder& order, SortEntries* entries);

}  // namespace skarn

#endif  // SKARN_CORE_MEMTABLE_RECORD_SORTER_H_
