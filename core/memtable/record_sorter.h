// Sorting many records at once: by radix on the bytes in which their prefixes differ,
// then by full comparison where those do not decide.
//
// Thread safety: pure functions.

#ifndef SKARN_CORE_MEMTABLE_RECORD_SORTER_H_
#define SKARN_CORE_MEMTABLE_RECORD_SORTER_H_

#include <cstdint>
#include <string>

#include "core/base/large_memory.h"
#include "core/memtable/record.h"
#include "core/memtable/record_order.h"

namespace skarn {

struct SortEntry {
  uint64_t prefix;
  RecordRef ref;
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

// Sets the prefixes by `order` and sorts by it.
void SortRecords(const RecordOrder& order, SortEntries* entries);

}  // namespace skarn

#endif  // SKARN_CORE_MEMTABLE_RECORD_SORTER_H_
