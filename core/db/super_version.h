// SuperVersion is all that a read of one column family needs, at one moment: the active
// memtable, the immutable ones, the files, and the options in force.
//
// It never changes. The column family points at the newest; a reader inside an epoch
// loads that pointer and uses it without counting. Who keeps it longer (iterators,
// pins) takes a reference while still inside the epoch.
//
// When a newer one is installed, the column family's own reference is given up only
// after every reader in the epoch has left. The last reference must be dropped through
// DbImpl, because the version in it belongs to the db mutex.
//
// Thread safety: immutable; references from any thread.

#ifndef SKARN_CORE_DB_SUPER_VERSION_H_
#define SKARN_CORE_DB_SUPER_VERSION_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/memtable/memtable.h"
#include "core/options/options.h"

namespace skarn {

class ColumnFamily;
class Version;

struct SuperVersion {
  ColumnFamily* family = nullptr;     // Referenced.
  MemTable* active = nullptr;         // Referenced.
  std::vector<MemTable*> immutables;  // Referenced; newest first, not yet flushed.
  Version* current = nullptr;         // Referenced.
  // Shared with the column family, which replaces it on SetOptions.
  std::shared_ptr<const ColumnFamilyOptions> options;
  uint64_t number = 0;              // Counts the super versions of the column family.
  std::string full_history_ts_low;  // Timestamps below may be gone; empty: none are.

  // Precondition: inside the epoch in which the pointer was loaded, or holding a reference.
  void Ref() { references.fetch_add(1, std::memory_order_relaxed); }
  // True when that was the last reference: hand it to DbImpl::DropSuperVersion().
  [[nodiscard]] bool Unref() { return references.fetch_sub(1, std::memory_order_acq_rel) == 1; }

  std::atomic<uint32_t> references{1};
  SuperVersion* next_dead = nullptr;  // DbImpl's list of those without references.
};

}  // namespace skarn

#endif  // SKARN_CORE_DB_SUPER_VERSION_H_
