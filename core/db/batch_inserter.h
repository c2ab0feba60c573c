// Applies the entries of batches to memtables: one loop over the bytes, without a
// virtual call per entry. Also checks a batch before it is written anywhere, so that a
// batch that cannot be applied never reaches the log.
//
// Thread safety: pure functions over their arguments. Memtables take entries from
// several threads at once when `concurrent` is set.

#ifndef SKARN_CORE_DB_BATCH_INSERTER_H_
#define SKARN_CORE_DB_BATCH_INSERTER_H_

#include <cstdint>
#include <map>
#include <string>

#include "core/base/slice.h"
#include "core/base/status.h"
#include "core/db/column_family.h"
#include "core/key/internal_key.h"

namespace skarn {

// What ValidateBatch() learns on its way.
struct BatchFacts {
  bool has_merge = false;
  bool has_range_deletion = false;
  bool has_prepare_markers = false;
};

// Walks `bytes` (a whole batch) and returns what applying it would fail with: bytes that
// are no batch, a column family that is not there (unless ignored), a merge without
// operator, a range deletion with its ends swapped, an entry count that is wrong.
Status ValidateBatch(Slice bytes, const FamilyTable& families, bool ignore_missing_column_families,
                     BatchFacts* facts);

// Sizes of the timestamps of all families in a batch that have them; `older`: as far as a log
// that releases before 8.2 may read must tell them. Those know no record of sizes and drop what
// follows one. Without it keys are replayed as they are, which is right for families that have
// always had timestamps.
void CollectTimestampSizes(Slice bytes, const FamilyTable& families, bool older,
                           std::map<uint32_t, size_t>* sizes);
void CollectTimestampSize(const ColumnFamily& family, bool older,
                          std::map<uint32_t, size_t>* sizes);

struct InsertContext {
  const FamilyTable* families = nullptr;
  SequenceNumber sequence = 0;  // Of the next entry; advanced.
  bool concurrent = false;
  uint32_t notices = 0;        // MemTable::Notice bits of those inserted into.
  uint64_t log_reference = 0;  // Of the prepare record, for commits of transactions.

  // Recovery only: entries of families whose log number is above this are in files already.
  bool recovering = false;
  uint64_t recovery_log_number = 0;
  bool only_new = false;  // No entry can be there already: then none is looked up.
  uint64_t inserted = 0;  // Entries that went into a memtable.
};

// Inserts all entries of a batch that ValidateBatch() accepted, or that was recovered.
// Markers are passed over. Families that are not there any more are skipped. On an error
// the entries before it are in.
Status InsertBatch(Slice bytes, InsertContext* context);

// Inserts one entry with the next sequence number. `key` has its timestamp.
Status InsertEntry(ColumnFamily* family, EntryKind kind, Slice key, Slice value,
                   InsertContext* context);

// Records of prepared transactions as recovery meets them (write-committed policy).
struct RecoveredTransaction {
  std::string xid;
  std::string body;             // Entries between the prepare markers.
  uint64_t log_number = 0;      // Of the prepare record.
  SequenceNumber sequence = 0;  // Of the prepare record.
  uint32_t entry_count = 0;
};

}  // namespace skarn

#endif  // SKARN_CORE_DB_BATCH_INSERTER_H_
