#include "core/db/family_handle.h"

#include <utility>

#include "core/db/column_family.h"
#include "core/db/db_impl.h"

namespace skarn {

void OpenHandles::Add(FamilyHandle* handle) {
  MutexLock lock(&mu_);
  handles_.insert(handle);
}

void OpenHandles::Remove(FamilyHandle* handle) {
  ColumnFamily* family = nullptr;
  {
    MutexLock lock(&mu_);
    if (handles_.erase(handle) == 0) return;
    family = std::exchange(handle->family_, nullptr);
    ++releasing_;
  }
  family->db()->ReleaseHandle(family);
  MutexLock lock(&mu_);
  --releasing_;
  released_.SignalAll();
}

void OpenHandles::DetachAll() {
  MutexLock lock(&mu_);
  while (!handles_.empty()) {
    FamilyHandle* const handle = *handles_.begin();
    handles_.erase(handles_.begin());
    // From here on another thread may destroy the handle: it is touched under the mutex only.
    ColumnFamily* const family = std::exchange(handle->family_, nullptr);
    lock.Unlock();
    family->db()->ReleaseHandle(family);
    lock.Lock();
  }
  while (releasing_ > 0) released_.Wait();
}

FamilyHandle::FamilyHandle(ColumnFamily* family)
    : siblings_(family->db()->open_handles()),
      id_(family->id()),
      name_(family->name()),
      comparator_(family->order().comparator()) {
  family_ = family;
  family->RefUser();
  siblings_->Add(this);
}

FamilyHandle::~FamilyHandle() { siblings_->Remove(this); }

}  // namespace skarn
