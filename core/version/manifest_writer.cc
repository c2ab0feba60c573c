// How VersionSet writes the MANIFEST: the queue of writers, rolling over to a new file, and
// what happens when it fails. docs/formats/manifest.md has the bytes.

#include <algorithm>
#include <cassert>
#include <utility>

#include "core/metrics/statistics.h"
#include "core/version/manifest_state.h"
#include "core/version/version_builder.h"
#include "core/version/version_set.h"

namespace skarn {

// A call of LogAndApply() that waits for its turn.
struct VersionSet::Writer {
  Writer(Mutex* mutex, const std::vector<FamilyEdits>& edits) : changes(&edits), done(mutex) {}

  const std::vector<FamilyEdits>* changes;
  bool atomic = false;
  bool new_manifest = false;
  bool sync_names = true;
  bool family_change = false;  // Adds or drops a family: written alone.
  const FamilySpec* added = nullptr;
  Directory* directory = nullptr;
  ColumnFamilyVersions* created = nullptr;  // Out, for `added`.

  bool finished = false;
  Status status;
  CondVar done;
};

// What one leader writes.
struct VersionSet::Batch {
  struct Part {
    ColumnFamilyVersions* family = nullptr;
    // Held while the mutex is released.
    std::shared_ptr<const ColumnFamilyOptions> options;
    std::unique_ptr<VersionBuilder> builder;
    Version* version = nullptr;
  };
  struct Entry {
    ColumnFamilyVersions* family = nullptr;
    VersionEdit* edit = nullptr;
  };

  std::vector<Writer*> writers;
  std::vector<Entry> entries;  // In the order in which they are written.
  std::vector<Part> parts;     // Families whose files change.
  Directory* directory = nullptr;
  bool sync_names = false;
  std::shared_ptr<const DbOptions> options;

  bool roll = false;
  uint64_t manifest_number = 0;
  std::unique_ptr<LogWriter> log;  // The new file, when it rolls.
  ManifestState state;             // What a new file begins with.
  uint64_t compacted_bytes = 0;
  SequenceNumber last_sequence = 0;
  uint64_t manifest_size = 0;
};

Status VersionSet::LogAndApply(ColumnFamilyVersions* family, VersionEdit* edit,
                               Directory* directory) {
  return LogAndApply({FamilyEdits{family, {edit}}}, directory);
}

Status VersionSet::LogAndApply(const std::vector<FamilyEdits>& changes, Directory* directory,
                               bool atomic, bool new_manifest, bool sync_names) {
  mutex_->AssertHeld();
  Writer writer(mutex_, changes);
  writer.atomic = atomic;
  writer.new_manifest = new_manifest;
  writer.sync_names = sync_names;
  writer.directory = directory;
  return Submit(&writer);
}

Result<ColumnFamilyVersions*> VersionSet::AddColumnFamily(const FamilySpec& spec,
                                                          uint64_t log_number,
                                                          Directory* directory) {
  mutex_->AssertHeld();
  VersionEdit edit;
  edit.column_family_add = spec.name;
  edit.column_family = ++max_column_family_;
  edit.comparator = spec.options->comparator->Name();
  edit.log_number = log_number;
  edit.persist_timestamps = spec.options->persist_user_defined_timestamps;
  const std::vector<FamilyEdits> changes = {FamilyEdits{nullptr, {&edit}}};
  Writer writer(mutex_, changes);
  writer.family_change = true;
  writer.added = &spec;
  writer.directory = directory;
  Status s = Submit(&writer);
  if (!s.ok()) return s;
  return writer.created;
}

Status VersionSet::DropColumnFamily(ColumnFamilyVersions* family, Directory* directory) {
  mutex_->AssertHeld();
  VersionEdit edit;
  edit.column_family_drop = true;
  const std::vector<FamilyEdits> changes = {FamilyEdits{family, {&edit}}};
  Writer writer(mutex_, changes);
  writer.family_change = true;
  writer.directory = directory;
  return Submit(&writer);
}

Status VersionSet::Submit(Writer* writer) {
  const bool any_left =
      std::any_of(writer->changes->begin(), writer->changes->end(), [](const FamilyEdits& change) {
        return change.family == nullptr || !change.family->dropped();
      });
  if (!any_left) return Status::ColumnFamilyDropped();

  writers_.push_back(writer);
  while (!writer->finished && writers_.front() != writer) writer->done.Wait();
  if (!writer->finished) WriteAsLeader(writer);
  return writer->status;
}

uint64_t VersionSet::ManifestLimit() const {
  const auto percent =
      static_cast<uint64_t>(100 + std::max(0, options_->max_manifest_space_amp_pct));
  return std::max(options_->max_manifest_file_size, compacted_manifest_bytes_ * percent / 100);
}

// Takes the leader and who follows it, as many as may be written together.
void VersionSet::Collect(Writer* leader, Batch* batch) {
  bool new_manifest = false;
  for (Writer* writer : writers_) {
    if (writer != leader && (leader->family_change || writer->family_change)) break;
    batch->writers.push_back(writer);
    new_manifest |= writer->new_manifest;
    batch->sync_names |= writer->sync_names;
    if (writer->directory != nullptr) batch->directory = writer->directory;

    const size_t first = batch->entries.size();
    for (const FamilyEdits& change : *writer->changes) {
      // A family that was dropped while its writer waited has no use for its edits.
      if (change.family != nullptr && change.family->dropped()) continue;
      for (VersionEdit* edit : change.edits) {
        if (change.family != nullptr) edit->column_family = change.family->id();
        batch->entries.push_back({change.family, edit});
      }
    }
    if (first == batch->entries.size()) writer->status = Status::ColumnFamilyDropped();
    const size_t count = batch->entries.size() - first;
    for (size_t i = 0; i < count; ++i) {
      auto& remaining = batch->entries[first + i].edit->remaining_in_group;
      remaining.reset();
      if (writer->atomic && count > 1) remaining = static_cast<uint32_t>(count - 1 - i);
    }
  }
  batch->options = options_;
  batch->roll = manifest_ == nullptr || new_manifest || manifest_file_size_ >= ManifestLimit();
}

// Gives the edits what only the set knows.
void VersionSet::Complete(const Batch& batch) {
  SequenceNumber last_sequence = manifest_last_sequence_;
  for (const Batch::Entry& entry : batch.entries) {
    VersionEdit& edit = *entry.edit;
    const bool logs_only = !edit.wal_additions.empty();
    if (logs_only) continue;
    if (!edit.is_column_family_change() && !edit.previous_log_number) edit.previous_log_number = 0;
    if (edit.column_family_drop) edit.max_column_family = max_column_family_;
    edit.next_file_number = next_file_number();
    last_sequence = std::max(last_sequence, edit.last_sequence.value_or(0));
    edit.last_sequence = last_sequence;
  }
  if (batch.roll && !batch.entries.empty()) {
    if (max_column_family_ > 0) batch.entries.front().edit->max_column_family = max_column_family_;
    batch.entries.back().edit->next_file_number = next_file_number();
  }
}

Status VersionSet::BuildVersions(Batch* batch) {
  for (Batch::Part& part : batch->parts) {
    Version* const version = NewVersion(part.family, *part.options);
    part.version = version;
    for (const Batch::Entry& entry : batch->entries) {
      if (entry.family != part.family || !entry.edit->wal_additions.empty()) continue;
      Status s = part.builder->Apply(*entry.edit);
      if (!s.ok()) return s;
    }
    Status s =
        part.builder->SaveTo(version->mutable_storage(), part.options->force_consistency_checks);
    if (!s.ok()) return s;
    // Tables that can be open all the time are opened before anybody can ask for them.
    s = Prepare(part.family, version, *batch->options, *part.options, tables_->unlimited());
    if (!s.ok()) {
      if (batch->options->paranoid_checks) return s;
      (void)Prepare(part.family, version, *batch->options, *part.options, /*open_tables=*/false);
    }
  }
  return Status::Ok();
}

Status VersionSet::OpenManifest(const DbOptions& options, const std::string& path, uint64_t number,
                                std::unique_ptr<LogWriter>* log) const {
  auto file = file_system()->NewWritableFile(path, MetadataFileOptions(options));
  if (!file.ok()) return file.status();
  FileWriter::Options writer_options;
  writer_options.buffer_bytes = 64 << 10;
  writer_options.preallocation_bytes = options.manifest_preallocation_size;
  auto writer = std::make_unique<FileWriter>(std::move(*file), path, MetadataFileOptions(options),
                                             writer_options);
  LogWriter::Options log_options;
  log_options.manual_flush = true;
  (void)number;  // A MANIFEST's records do not hold it.
  *log = std::make_unique<LogWriter>(std::move(writer), log_options);
  return Status::Ok();
}

// Without the mutex. Everything is durable when it returns Ok.
Status VersionSet::WriteManifest(Batch* batch, bool* current_may_have_changed) {
  const DbOptions& options = *batch->options;  // options_ may be replaced meanwhile.
  LogWriter* log = manifest_.get();
  if (batch->roll) {
    const std::string path = ManifestFileName(db_path_, batch->manifest_number);
    Status s = OpenManifest(options, path, batch->manifest_number, &batch->log);
    if (!s.ok()) return s;
    log = batch->log.get();
    s = batch->state.Write(log, &batch->compacted_bytes);
    if (!s.ok()) return s;
  }
  std::string bytes;
  for (const Batch::Entry& entry : batch->entries) {
    bytes.clear();
    const size_t timestamp_size =
        entry.family == nullptr ? 0 : entry.family->order_.timestamp_size();
    Status s = entry.edit->EncodeTo(&bytes, timestamp_size);
    if (s.ok()) s = log->AddRecord(bytes);
    if (!s.ok()) return s;
  }
  std::unique_ptr<WritableFile> current;
  if (batch->roll) {
    auto begun = BeginCurrentFile(file_system(), db_path_, batch->manifest_number);
    if (!begun.ok()) return begun.status();
    current = std::move(*begun);
  }
  const uint64_t start_ns = options.env->clock->NowNanos();
  Status s = log->file()->Sync();
  RecordHistogram(options.statistics.get(), HistogramKind::kManifestFileSyncMicros,
                  (options.env->clock->NowNanos() - start_ns) / 1000);
  batch->manifest_size = log->file()->size_bytes();
  if (!batch->roll) return s;
  if (!s.ok()) {
    DropCurrentFile(file_system(), db_path_, batch->manifest_number, std::move(current));
    return s;
  }
  return SetCurrentFile(file_system(), db_path_, batch->manifest_number, std::move(current),
                        batch->directory, current_may_have_changed, batch->sync_names);
}

void VersionSet::InstallBatch(Batch* batch) {
  for (const Batch::Entry& entry : batch->entries) {
    const VersionEdit& edit = *entry.edit;
    if (edit.last_sequence) {
      manifest_last_sequence_ = std::max(manifest_last_sequence_, *edit.last_sequence);
    }
    if (edit.min_log_number_to_keep) {
      min_log_number_to_keep_.store(
          std::max(min_log_number_to_keep(), *edit.min_log_number_to_keep),
          std::memory_order_relaxed);
    }
    if (edit.previous_log_number) previous_log_number_ = *edit.previous_log_number;
    for (const WalAddition& wal : edit.wal_additions) {
      std::optional<uint64_t>& size = tracked_wals_[wal.number];
      if (wal.synced_size_bytes) size = wal.synced_size_bytes;
    }
    if (!edit.wal_additions.empty()) continue;
    if (edit.wal_deletion) {
      tracked_wals_.erase(tracked_wals_.begin(), tracked_wals_.lower_bound(*edit.wal_deletion));
      continue;
    }
    ColumnFamilyVersions* family = entry.family;
    if (family == nullptr) continue;
    if (edit.log_number) family->log_number_ = std::max(family->log_number_, *edit.log_number);
    if (edit.full_history_ts_low) family->full_history_ts_low_ = *edit.full_history_ts_low;
    for (const auto& [level, file] : edit.new_files) {
      family->next_epoch_number_ = std::max(family->next_epoch_number_, file.epoch_number + 1);
    }
    if (edit.column_family_drop) {
      family->dropped_ = true;
      families_.erase(std::remove(families_.begin(), families_.end(), family), families_.end());
      family->Unref();
    }
  }
  for (Batch::Part& part : batch->parts) {
    if (part.version == nullptr) continue;
    Finish(part.family, part.version);
    Install(part.family, std::exchange(part.version, nullptr));
  }
  Writer* const leader = batch->writers.front();
  if (leader->added != nullptr) {
    const VersionEdit& edit = *batch->entries.front().edit;
    ColumnFamilyVersions* family = NewFamily(edit.column_family, *leader->added);
    family->log_number_ = *edit.log_number;
    Version* version = NewVersion(family, *family->options_);
    Finish(family, version);
    Install(family, version);
    families_.push_back(family);
    leader->created = family;
  }
}

// The queue's front. Releases the mutex while it works.
void VersionSet::WriteAsLeader(Writer* leader) {
  Batch batch;
  Collect(leader, &batch);
  Status status;
  bool current_may_have_changed = false;
  if (!batch.entries.empty()) {
    for (const Batch::Entry& entry : batch.entries) {
      ColumnFamilyVersions* family = entry.family;
      const VersionEdit& edit = *entry.edit;
      if (family == nullptr || edit.column_family_drop || !edit.wal_additions.empty()) continue;
      const bool known =
          std::any_of(batch.parts.begin(), batch.parts.end(),
                      [family](const Batch::Part& part) { return part.family == family; });
      if (known) continue;
      Batch::Part part;
      part.family = family;
      part.options = family->options_;
      part.builder = std::make_unique<VersionBuilder>(&family->order_, family->num_levels_,
                                                      &family->current_->storage_);
      batch.parts.push_back(std::move(part));
    }
    if (batch.roll) {
      batch.manifest_number = NewFileNumber();
      batch.state.Take(*this);
    }
    Complete(batch);

    // Only the leader changes what is read below, and the queue makes others wait.
    mutex_->Unlock();
    status = BuildVersions(&batch);
    const bool built = status.ok();
    if (built) status = WriteManifest(&batch, &current_may_have_changed);
    // The old file is closed outside the lock, and before it can be deleted.
    if (status.ok() && batch.roll && manifest_ != nullptr) (void)manifest_->Close();
    if (built && !status.ok() && batch.roll && !current_may_have_changed) {
      batch.log.reset();
      (void)file_system()->DeleteFile(ManifestFileName(db_path_, batch.manifest_number));
    }
    mutex_->Lock();

    if (status.ok()) {
      if (batch.roll) {
        if (manifest_file_number_ != 0 && manifest_file_number_ < batch.manifest_number) {
          MutexLock lock(&files_mutex_);
          obsolete_manifests_.push_back(ManifestFileName("", manifest_file_number_).substr(1));
        }
        manifest_ = std::move(batch.log);
        manifest_file_number_ = batch.manifest_number;
        compacted_manifest_bytes_ = batch.compacted_bytes;
        manifest_status_ = Status::Ok();
        // What the failed file may have named is in no file that counts.
        uncertain_tables_.clear();
        uncertain_blobs_.clear();
      }
      manifest_file_size_ = batch.manifest_size;
      InstallBatch(&batch);
    } else if (built) {
      // How much of the edits reached the disk is not known: the files they name stay until a
      // new MANIFEST is in place.
      for (const Batch::Entry& entry : batch.entries) {
        for (const auto& [level, file] : entry.edit->new_files)
          uncertain_tables_.push_back(file.number);
        for (const auto& blob : entry.edit->blob_additions) uncertain_blobs_.push_back(blob.number);
      }
      manifest_.reset();
      manifest_status_ = status;
    }
    for (Batch::Part& part : batch.parts) {
      if (part.version == nullptr) continue;
      Discard(part.version);
      part.version = nullptr;
    }
    batch.state.Release();
  }

  for (Writer* writer : batch.writers) {
    assert(writers_.front() == writer);
    writers_.pop_front();
    if (writer->status.ok()) writer->status = status;
    writer->finished = true;
    if (writer != leader) writer->done.Signal();
  }
  if (!writers_.empty()) writers_.front()->done.Signal();
}

Status VersionSet::Close(Directory* directory) {
  mutex_->AssertHeld();
  return CloseManifest(directory);
}

Status VersionSet::CloseManifest(Directory* directory) {
  if (manifest_ == nullptr) return Status::Ok();
  const std::string path = ManifestFileName(db_path_, manifest_file_number_);
  const uint64_t expected = manifest_file_size_;
  const bool verify = options_->verify_manifest_content_on_close;
  mutex_->Unlock();
  Status s = manifest_->Close();
  bool sound = s.ok();
  if (sound) {
    const Result<uint64_t> size = file_system()->FileSize(path);
    sound = size.ok() && *size == expected;
  }
  if (sound && verify) sound = ManifestState::CheckReadable(file_system(), path).ok();
  mutex_->Lock();
  manifest_.reset();
  if (sound) return s;
  // Somebody or something damaged it while it was in use: write what is known.
  VersionEdit edit;
  ColumnFamilyVersions* family = Find(uint32_t{0});
  if (family == nullptr) return s;
  s = LogAndApply({FamilyEdits{family, {&edit}}}, directory, /*atomic=*/false,
                  /*new_manifest=*/true);
  if (s.ok() && manifest_ != nullptr) s = manifest_->Close();
  manifest_.reset();
  return s;
}

}  // namespace skarn
