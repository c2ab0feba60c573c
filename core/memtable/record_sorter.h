// Sorting many records at once: by radix on the bytes in which their prefixes differ,
// then by full comparison where those do not decide.
//
// Thread safety: pure functions.

#ifndef SKARN_CORE_MEMTABLE_RECORD_SORTER_H_
#define SKARN_CORE_MEMTABLE_RECORD_SORTER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/memtable/record.h"
#include "core/memtable/record_order.h"

namespace skarn {

struct SortEntry {
  uint64_t prefix;
  RecordRef ref;
};

// The bytes that all these records' keys (without timestamps) begin with.
std::string SharedKeyBytes(const RecordOrder& order, const std::vector<SortEntry>& entries);

// Sets the prefixes by `order` and sorts by it.
void SortRecords(const RecordOrder& order, std::vector<SortEntry>* entries);

}  // namespace skarn

#endif  // SKARN_CORE_MEMTABLE_RECORD_SORTER_H_
