// FamilyHandle is what callers hold of a column family; OpenHandles are all those of a
// database.
//
// A handle may outlive its database: when the database goes, it lets go of the column
// family for its handles, and all that is left of them is a name and an id.
//
// Thread safety: any thread. A handle may be destroyed while its database is closed by
// another thread.

#ifndef SKARN_CORE_DB_FAMILY_HANDLE_H_
#define SKARN_CORE_DB_FAMILY_HANDLE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>

#include "core/base/mutex.h"
#include "core/db/db.h"

namespace skarn {

class FamilyHandle;

class OpenHandles {
 public:
  void Add(FamilyHandle* handle) SKARN_EXCLUDES(mu_);
  // Gives up what the handle holds, unless DetachAll() has done it.
  void Remove(FamilyHandle* handle) SKARN_EXCLUDES(mu_);
  // What the destructor of the database does for all handles that are left.
  void DetachAll() SKARN_EXCLUDES(mu_);

 private:
  // A leaf in the lock order; handles are released outside it.
  Mutex mu_;
  CondVar released_{&mu_};
  std::unordered_set<FamilyHandle*> handles_ SKARN_GUARDED_BY(mu_);
  int releasing_ SKARN_GUARDED_BY(mu_) = 0;  // Removed, but still using the database.
};

class FamilyHandle final : public ColumnFamilyHandle {
 public:
  explicit FamilyHandle(ColumnFamily* family);
  ~FamilyHandle() override;
  uint32_t id() const override { return id_; }
  const std::string& name() const override { return name_; }
  const Comparator* comparator() const override { return comparator_; }

 private:
  friend class OpenHandles;

  const std::shared_ptr<OpenHandles> siblings_;  // Shared with the database.
  const uint32_t id_;
  const std::string name_;
  const Comparator* const comparator_;
};

}  // namespace skarn

#endif  // SKARN_CORE_DB_FAMILY_HANDLE_H_
