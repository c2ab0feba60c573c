// FamilyView opens what an iterator walks: one cursor over the memtables and files of a
// super version, with what keeps them alive.
//
// Thread safety: any thread; a view belongs to one iterator.

#ifndef SKARN_CORE_DB_FAMILY_VIEW_H_
#define SKARN_CORE_DB_FAMILY_VIEW_H_

#include "core/base/status.h"
#include "core/db/super_version.h"
#include "core/iterate/db_iterator.h"

namespace skarn {

class DbImpl;

// Fills `view` from `super_version` at `sequence`. Takes over the caller's reference, also
// on an error. `read` must outlive the view's cursor, unless `copy_options`.
Status OpenFamilyView(const ReadOptions& read, bool copy_options, SuperVersion* super_version,
                      SequenceNumber sequence, IteratorView* view);

// Gives iterators of one column family their views, now and when they refresh.
class FamilyViewSource final : public IteratorViewSource {
 public:
  FamilyViewSource(DbImpl* db, ColumnFamily* family) : db_(db), family_(family) {}

  Status Open(const ReadOptions& read, const Snapshot* snapshot, IteratorView* view) override;
  uint64_t CurrentSuperVersion() const override;
  SequenceNumber VisibleSequence() const override;
  void WantsFlush(uint64_t super_version) override;

 private:
  DbImpl* const db_;
  ColumnFamily* const family_;
};

}  // namespace skarn

#endif  // SKARN_CORE_DB_FAMILY_VIEW_H_
