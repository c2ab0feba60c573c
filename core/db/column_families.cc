// Creating and dropping column families; their handles.

#include "core/db/db_impl.h"
#include "core/iterate/db_iterator.h"
#include "core/options/option_rules.h"

namespace skarn {

ColumnFamily* DbImpl::AddFamily(ColumnFamilyVersions* versions) {
  auto* const family = new ColumnFamily(this, versions, memory_charge_.get());
  family->ReplaceActive(family->NewMemTable(*versions->options(), visible()));
  families_.push_back(family);
  return family;
}

void DbImpl::ReleaseHandle(ColumnFamily* family) {
  if (family->UnrefUser()) AbandonFamily(family);
}

// Nobody can name the family any more; iterators may still read it.
void DbImpl::AbandonFamily(ColumnFamily* family) {
  Cleanup cleanup;
  SuperVersion* const old = family->RemoveSuperVersion();
  if (old != nullptr) cleanup.super_versions.push_back(old);
  family->Unref();
  RunCleanup(&cleanup);
}

Result<std::unique_ptr<ColumnFamilyHandle>> DbImpl::CreateColumnFamily(
    const ColumnFamilyOptions& given, const std::string& name) {
  if (Status s = RejectWrite(); !s.ok()) return s;
  if (name.empty()) {
    return Status::InvalidArgument("Column family name cannot be the empty string");
  }
  const std::shared_ptr<const DbOptions> options = db_options();
  ColumnFamilyOptions sanitized = Sanitize(*options, given);
  if (Status s = Validate(*options, sanitized); !s.ok()) return s;
  if (Status s = CheckWritable(sanitized); !s.ok()) return s;
  {
    MutexLock lock(&mutex_);
    GiveBlockCache(&sanitized, &default_cache_);
  }
  for (const DbPath& place : sanitized.cf_paths) {
    if (Status s = fs_->CreateDirIfMissing(place.path); !s.ok()) return s;
  }
  Result<ColumnFamily*> family = CreateFamily(sanitized, name);
  if (!family.ok()) return family.status();
  std::unique_ptr<ColumnFamilyHandle> handle = std::make_unique<FamilyHandle>(*family);
  MutexLock lock(&mutex_);
  if (Status s = WriteOptionsFile(); !s.ok()) return s;
  return handle;
}

Result<ColumnFamily*> DbImpl::CreateFamily(const ColumnFamilyOptions& options,
                                           const std::string& name) {
  // Writers find families without a lock: the table changes only while none of them runs.
  Cleanup cleanup;
  Writer writer;
  queue_.EnterExclusive(&writer);
  ColumnFamily* created = nullptr;
  Status status;
  {
    MutexLock lock(&mutex_);
    if (errors_.stops_writes()) {
      status = errors_.error();
    } else if (versions_->Find(name) != nullptr) {
      status = Status::InvalidArgument("Column family already exists");
    } else {
      versions_->set_last_sequence(visible());
      Result<ColumnFamilyVersions*> versions =
          versions_->AddColumnFamily({name, std::make_shared<const ColumnFamilyOptions>(options)},
                                     wals_.current_number(), db_directory_.get());
      if (versions.ok()) {
        created = AddFamily(*versions);
        LogFamilyOptions(name, options);
        if (options.inplace_update_support) {
          supports_snapshots_.store(false, std::memory_order_relaxed);
        }
        PublishFamilyTable();
        InstallSuperVersion(created, &cleanup);
        Log(LogLevel::kInfo, info_log_.get(), "Created column family [%s] (ID %u)", name.c_str(),
            created->id());
      } else {
        status = versions.status();
        if (!status.IsInvalidArgument()) {
          manifest_uncertain_ = true;
          SetBackgroundError(status, ErrorCause::kManifestWrite);
        }
      }
    }
  }
  queue_.LeaveExclusive(&writer);
  RunCleanup(&cleanup);
  if (!status.ok()) return status;
  return created;
}

Status DbImpl::DropColumnFamily(ColumnFamilyHandle* handle) {
  if (Status s = RejectWrite(); !s.ok()) return s;
  ColumnFamily* const family = FamilyOf(handle);
  if (family->id() == 0) return Status::InvalidArgument("Can't drop default column family");
  Cleanup cleanup;
  Writer writer;
  queue_.EnterExclusive(&writer);
  Status status;
  {
    MutexLock lock(&mutex_);
    if (family->dropped()) {
      status = Status::InvalidArgument("Column family already dropped!\n");
    } else {
      versions_->set_last_sequence(visible());
      status = versions_->DropColumnFamily(family->versions(), db_directory_.get());
      if (!status.ok()) {
        manifest_uncertain_ = true;
        SetBackgroundError(status, ErrorCause::kManifestWrite);
      }
    }
    if (status.ok()) {
      family->MarkDropped();
      std::erase(families_, family);
      PublishFamilyTable();
      // It stalls nobody any more, and waiting flushes notice.
      EvaluateStalls(family);
      bool inplace = false;
      for (const ColumnFamily* other : families_) {
        inplace = inplace || other->options().inplace_update_support;
      }
      supports_snapshots_.store(!inplace, std::memory_order_relaxed);
      Log(LogLevel::kInfo, info_log_.get(), "Dropped column family with id %u", family->id());
      work_done_.SignalAll();
    }
  }
  queue_.LeaveExclusive(&writer);
  RunCleanup(&cleanup);
  if (!status.ok()) return status;
  // Handles and iterators still read it; the database itself is done with it.
  if (family->UnrefUser()) AbandonFamily(family);
  MutexLock lock(&mutex_);
  return WriteOptionsFile();
}

}  // namespace skarn
