// Iterators and snapshots.

#include <utility>

#include "core/db/db_impl.h"
#include "core/db/family_view.h"
#include "core/iterate/db_iterator.h"
#include "core/metrics/statistics.h"

namespace skarn {

namespace {

Status CheckIteratorOptions(const ReadOptions& options) {
  if (options.read_tier == ReadTier::kPersisted) {
    return Status::NotSupported("ReadTier::kPersistedData is not yet supported in iterators.");
  }
  return Status::Ok();
}

}  // namespace

DbIteratorSetup DbImpl::NewIteratorSetup(const ReadOptions& options, ColumnFamily* family,
                                         const ColumnFamilyOptions& now) {
  DbIteratorSetup setup;
  setup.order = &family->order();
  setup.read = options;
  setup.read.total_order_seek |= opened_options_->prefix_seek_opt_in_only;
  setup.merge_operator = family->merge_operator();
  setup.prefix_extractor = now.prefix_extractor;
  setup.max_sequential_skip = now.max_sequential_skip_in_iterations;
  setup.statistics = statistics_;
  if (mode_ == Mode::kReadWrite) {
    setup.scan_flush_trigger = now.memtable_op_scan_flush_trigger;
    setup.scan_flush_average = now.memtable_avg_op_scan_flush_trigger;
  }
  setup.source = family->view_source();
  return setup;
}

std::unique_ptr<DbIterator> DbImpl::NewIterator(const ReadOptions& options,
                                                ColumnFamilyHandle* handle) {
  ColumnFamily* const family = FamilyOf(handle);
  if (Status s = CheckIteratorOptions(options); !s.ok()) return NewErrorIterator(std::move(s));
  if (Status s = CheckTimestamp(family, options.timestamp); !s.ok()) {
    return NewErrorIterator(std::move(s));
  }
  if (mode_ == Mode::kSecondary) {
    if (options.tailing) {
      return NewErrorIterator(
          Status::NotSupported("tailing iterator not supported in secondary mode"));
    }
    if (options.snapshot != nullptr) {
      return NewErrorIterator(Status::NotSupported("snapshot not supported in secondary mode"));
    }
  }
  DbIteratorSetup setup;
  {
    EpochGuard guard;
    SuperVersion* const super_version = family->super_version();
    if (super_version == nullptr) return NewErrorIterator(Status::ShutdownInProgress());
    setup = NewIteratorSetup(options, family, *super_version->options);
  }
  return NewDbIterator(std::move(setup));
}

Status DbImpl::NewIterators(const ReadOptions& options,
                            const std::vector<ColumnFamilyHandle*>& handles,
                            std::vector<std::unique_ptr<DbIterator>>* iterators) {
  if (Status s = CheckIteratorOptions(options); !s.ok()) return s;
  std::vector<ColumnFamily*> families;
  for (ColumnFamilyHandle* handle : handles) {
    families.push_back(FamilyOf(handle));
    if (Status s = CheckTimestamp(families.back(), options.timestamp); !s.ok()) return s;
  }
  if (mode_ == Mode::kSecondary) {
    if (options.tailing) {
      return Status::NotSupported("tailing iterator not supported in secondary mode");
    }
    if (options.snapshot != nullptr) {
      return Status::NotSupported("snapshot not supported in secondary mode");
    }
  }
  iterators->clear();
  if (options.tailing) {
    for (ColumnFamilyHandle* handle : handles) iterators->push_back(NewIterator(options, handle));
    return Status::Ok();
  }
  std::vector<SuperVersion*> super_versions;
  SequenceNumber sequence = 0;
  {
    EpochGuard guard;
    sequence = LoadTogether(families, options.snapshot, &super_versions);
    bool closed = false;
    for (SuperVersion* super_version : super_versions) closed = closed || super_version == nullptr;
    if (closed) return Status::ShutdownInProgress();
    for (SuperVersion* super_version : super_versions) super_version->Ref();
  }
  Status status;
  for (size_t i = 0; i < families.size(); ++i) {
    if (!status.ok()) {
      ReleaseSuperVersion(super_versions[i]);
      continue;
    }
    DbIteratorSetup setup = NewIteratorSetup(options, families[i], *super_versions[i]->options);
    IteratorView view;
    // Takes the reference over, also when it fails.
    status = OpenFamilyView(setup.read, /*copy_options=*/true, super_versions[i], sequence, &view);
    if (status.ok()) iterators->push_back(NewDbIterator(std::move(setup), std::move(view)));
  }
  if (!status.ok()) iterators->clear();
  return status;
}

void DbImpl::RequestSwitch(ColumnFamily* family, uint64_t super_version) {
  MutexLock lock(&mutex_);
  if (family->dropped() || family->super_version_number() != super_version) return;
  family->wants_switch.store(true, std::memory_order_relaxed);
  SetAdmission(kSwitchMemtable);
}

const Snapshot* DbImpl::GetSnapshot() {
  if (!supports_snapshots_.load(std::memory_order_relaxed)) return nullptr;
  return snapshots_.New(env_->clock->NowSeconds());
}

const Snapshot* DbImpl::GetSnapshotForWriteConflicts() {
  if (!supports_snapshots_.load(std::memory_order_relaxed)) return nullptr;
  return snapshots_.New(env_->clock->NowSeconds(), /*write_conflict_boundary=*/true);
}

void DbImpl::ReleaseSnapshot(const Snapshot* snapshot) {
  if (snapshot == nullptr) return;
  SequenceNumber oldest = snapshots_.Release(snapshot);
  if (mode_ != Mode::kReadWrite) return;
  if (oldest == kMaxSequenceNumber) oldest = visible();
  // Files of the last level whose hidden entries nobody can see any more are worth rewriting.
  if (oldest <= bottommost_threshold_.load(std::memory_order_relaxed)) return;
  MutexLock lock(&mutex_);
  SequenceNumber next = kMaxSequenceNumber;
  for (ColumnFamily* family : families_) {
    if (family->options().disable_auto_compactions) continue;
    VersionStorage* const storage = family->versions()->current()->mutable_storage();
    storage->UpdateOldestSnapshot(
        oldest, options_->allow_ingest_behind || family->options().cf_allow_ingest_behind);
    if (!storage->marked_bottommost().empty()) QueueCompaction(family);
    for (const MarkedFile& file : storage->bottommost_files()) {
      if (file.file->largest_sequence != 0 && file.file->largest_sequence >= oldest) {
        next = std::min(next, file.file->largest_sequence);
      }
    }
  }
  bottommost_threshold_.store(next, std::memory_order_relaxed);
  MaybeSchedule();
}

}  // namespace skarn
