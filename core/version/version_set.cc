#include "core/version/version_set.h"

#include <algorithm>
#include <cassert>
#include <set>
#include <utility>

#include "core/base/epoch.h"

namespace skarn {
namespace {

bool IngestsBehind(const DbOptions& db, const ColumnFamilyOptions& options) {
  return db.allow_ingest_behind || options.cf_allow_ingest_behind;
}

}  // namespace

// --- ColumnFamilyVersions ---

ColumnFamilyVersions::ColumnFamilyVersions(VersionSet* set, uint32_t id, std::string name,
                                           std::shared_ptr<const ColumnFamilyOptions> options)
    : set_(set),
      id_(id),
      name_(std::move(name)),
      order_(options->comparator),
      num_levels_(options->num_levels),
      options_(std::move(options)) {
  const std::vector<DbPath>& paths =
      options_->cf_paths.empty() ? set->options_->db_paths : options_->cf_paths;
  for (const DbPath& path : paths) directories_.push_back(path.path);
  if (directories_.empty()) directories_.push_back(set->db_path_);

  TableCache::Context context;
  context.order = &order_;
  context.db_options = set->options_;
  context.options = options_;
  context.directories = directories_;
  context.db_session_id = set->db_session_id_;
  table_cache_ = std::make_unique<TableCache>(std::move(context), set->tables_);
}

ColumnFamilyVersions::~ColumnFamilyVersions() = default;

void ColumnFamilyVersions::SetOptions(std::shared_ptr<const ColumnFamilyOptions> options) {
  options_ = std::move(options);
  table_cache_->SetOptions(options_);
  if (current_ == nullptr) return;
  VersionStorage* storage = current_->mutable_storage();
  storage->Finish(*options_, set_->options_->env->clock->NowSeconds(), storage->oldest_snapshot(),
                  IngestsBehind(*set_->options_, *options_));
}

void ColumnFamilyVersions::Unref() {
  // Release so that the last holder sees all uses; acquire for that last one.
  if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  if (current_ != nullptr) std::exchange(current_, nullptr)->Unref();
  DropLife();
}

void ColumnFamilyVersions::DropLife() {
  if (lives_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  {
    MutexLock lock(&set_->files_mutex_);
    auto& all = set_->all_families_;
    all.erase(std::remove(all.begin(), all.end(), this), all.end());
  }
  delete this;
}

size_t ColumnFamilyVersions::version_count() const {
  MutexLock lock(&set_->files_mutex_);
  size_t count = 0;
  for (const Version* version = versions_; version != nullptr; version = version->next_) ++count;
  return count;
}

uint64_t ColumnFamilyVersions::TotalTableBytesOfAllVersions() const {
  MutexLock lock(&set_->files_mutex_);
  std::set<uint64_t> seen;
  uint64_t bytes = 0;
  for (const Version* version = versions_; version != nullptr; version = version->next_) {
    for (int level = 0; level < version->storage_.num_levels(); ++level) {
      for (const FileMetadata* file : version->storage_.level(level)) {
        if (seen.insert(file->number).second) bytes += file->size_bytes;
      }
    }
  }
  return bytes;
}

// --- VersionSet: families and versions ---

VersionSet::VersionSet(Context context)
    : db_path_(std::move(context.db_path)),
      options_(std::move(context.options)),
      file_system_(options_->env->file_system),
      mutex_(context.mutex),
      tables_(context.tables),
      db_session_id_(std::move(context.db_session_id)) {}

VersionSet::~VersionSet() {
  assert(writers_.empty());
  if (manifest_ != nullptr) (void)manifest_->Close();
  manifest_.reset();
  for (ColumnFamilyVersions* family : families_) family->Unref();
  families_.clear();
  MutexLock lock(&files_mutex_);
  assert(all_families_.empty());
  // Nothing is obsolete: the files are the database.
  for (ObsoleteTable& table : obsolete_tables_) TableCache::Close(table.file.get(), false);
}

FileOptions VersionSet::MetadataFileOptions(const DbOptions& options) {
  FileOptions file_options;
  file_options.allow_fallocate = options.allow_fallocate;
  file_options.use_fsync = options.use_fsync;
  file_options.close_on_exec = options.is_fd_close_on_exec;
  return file_options;
}

ColumnFamilyVersions* VersionSet::NewFamily(uint32_t id, const FamilySpec& spec) {
  auto* family = new ColumnFamilyVersions(this, id, spec.name, spec.options);
  if (IngestsBehind(*options_, *spec.options)) {
    family->next_epoch_number_ = kEpochReservedForIngestBehind + 1;
  }
  MutexLock lock(&files_mutex_);
  all_families_.push_back(family);
  return family;
}

ColumnFamilyVersions* VersionSet::Find(uint32_t id) const {
  for (ColumnFamilyVersions* family : families_) {
    if (family->id_ == id) return family;
  }
  return nullptr;
}

ColumnFamilyVersions* VersionSet::Find(const std::string& name) const {
  for (ColumnFamilyVersions* family : families_) {
    if (family->name_ == name) return family;
  }
  return nullptr;
}

Version* VersionSet::NewVersion(ColumnFamilyVersions* family, const ColumnFamilyOptions& options) {
  // Universal style is arranged by levels, where it has any.
  const bool levels =
      options.compaction_style == CompactionStyle::kUniversal && family->num_levels_ > 1;
  return new Version(this, family, family->table_cache_.get(), NewVersionNumber(), &family->order_,
                     family->num_levels_,
                     levels ? CompactionStyle::kLevel : options.compaction_style);
}

Status VersionSet::Prepare(ColumnFamilyVersions* family, Version* version,
                           const DbOptions& db_options, const ColumnFamilyOptions& options,
                           bool open_tables) {
  if (open_tables) {
    Status s = OpenTables({{family, version}}, db_options, /*ahead=*/false);
    if (!s.ok()) return s;
  }
  version->skip_last_filters_ = options.optimize_filters_for_hits;
  // Only recovery meets files that nobody has open.
  version->SampleProperties(/*may_open=*/!db_options.skip_stats_update_on_db_open);
  return Status::Ok();
}

void VersionSet::Finish(ColumnFamilyVersions* family, Version* version) {
  // Marks of bottommost files go on from what the version before knew.
  const SequenceNumber oldest_snapshot =
      family->current_ == nullptr ? 0 : family->current_->storage_.oldest_snapshot();
  version->storage_.Finish(*family->options_, options_->env->clock->NowSeconds(), oldest_snapshot,
                           IngestsBehind(*options_, *family->options_));
}

void VersionSet::Install(ColumnFamilyVersions* family, Version* version) {
  version->Ref();
  family->lives_.fetch_add(1, std::memory_order_relaxed);
  {
    MutexLock lock(&files_mutex_);
    version->next_ = family->versions_;
    if (family->versions_ != nullptr) family->versions_->previous_ = version;
    family->versions_ = version;
    for (int level = 0; level < version->storage_.num_levels(); ++level) {
      for (FileMetadata* file : version->storage_.level(level)) {
        if (file->references.fetch_add(1, std::memory_order_relaxed) == 0) {
          ++table_objects_[file->number];
        }
      }
    }
    for (const auto& [number, blob] : version->storage_.blob_files()) ++blob_references_[number];
  }
  Version* old = std::exchange(family->current_, version);
  if (old != nullptr) old->Unref();
}

void VersionSet::Discard(Version* version) {
  assert(version->references_.load(std::memory_order_relaxed) == 0);
  for (int level = 0; level < version->storage_.num_levels(); ++level) {
    for (FileMetadata* file : version->storage_.level(level)) {
      if (file->references.load(std::memory_order_relaxed) != 0) continue;
      TableCache::Close(file, /*obsolete=*/false);
      delete file;
    }
  }
  delete version;
}

void VersionSet::ReleaseVersion(Version* version) {
  ColumnFamilyVersions* const family = version->family_;
  std::vector<std::unique_ptr<FileMetadata>> replaced;
  std::vector<uint64_t> gone;
  {
    MutexLock lock(&files_mutex_);
    if (version->previous_ != nullptr) {
      version->previous_->next_ = version->next_;
    } else {
      family->versions_ = version->next_;
    }
    if (version->next_ != nullptr) version->next_->previous_ = version->previous_;
    for (int level = 0; level < version->storage_.num_levels(); ++level) {
      for (FileMetadata* file : version->storage_.level(level)) {
        if (file->references.fetch_sub(1, std::memory_order_acq_rel) != 1) continue;
        const auto objects = table_objects_.find(file->number);
        if (--objects->second > 0) {
          // The same file goes on under a record with other facts.
          replaced.emplace_back(file);
          continue;
        }
        table_objects_.erase(objects);
        gone.push_back(file->number);
        obsolete_tables_.push_back(
            {std::unique_ptr<FileMetadata>(file), family->table_cache_->PathOf(*file)});
      }
    }
    for (const auto& [number, blob] : version->storage_.blob_files()) {
      const auto references = blob_references_.find(number);
      if (--references->second > 0) continue;
      blob_references_.erase(references);
      obsolete_blobs_.push_back({number, BlobFileName(family->directories_.front(), number)});
    }
  }
  for (const auto& file : replaced) TableCache::Close(file.get(), /*obsolete=*/false);
  // That nobody has asked for: open, they would take space after they are deleted.
  for (const uint64_t number : gone) family->table_cache_->Forget(number);
  delete version;
  family->DropLife();
}

// --- Numbers ---

void VersionSet::MarkFileNumberUsed(uint64_t number) {
  uint64_t next = next_file_number_.load(std::memory_order_relaxed);
  while (next <= number &&
         !next_file_number_.compare_exchange_weak(next, number + 1, std::memory_order_relaxed)) {
  }
}

uint64_t VersionSet::MinLogNumberWithUnflushedData(const ColumnFamilyVersions* except) const {
  uint64_t number = UINT64_MAX;
  for (const ColumnFamilyVersions* family : families_) {
    if (family != except) number = std::min(number, family->log_number_);
  }
  return number;
}

Status VersionSet::CheckTrackedWals(const std::map<uint64_t, std::string>& logs_on_disk) const {
  for (const auto& [number, synced_size] : tracked_wals_) {
    // Nothing was promised about a log that was never synced.
    if (!synced_size) continue;
    const auto log = logs_on_disk.find(number);
    if (log == logs_on_disk.end()) {
      return Status::Corruption(Concat("Missing WAL with log number: ", number, "."));
    }
    const Result<uint64_t> size = file_system()->FileSize(log->second);
    if (!size.ok()) return size.status();
    if (*size < *synced_size) {
      return Status::Corruption(Concat("Size mismatch: WAL (log number: ", number,
                                       ") in MANIFEST is ", *synced_size,
                                       " bytes , but actually is ", *size, " bytes on disk."));
    }
  }
  return Status::Ok();
}

// --- Files ---

void VersionSet::AddLiveFiles(std::vector<uint64_t>* tables, std::vector<uint64_t>* blobs) const {
  tables->insert(tables->end(), uncertain_tables_.begin(), uncertain_tables_.end());
  blobs->insert(blobs->end(), uncertain_blobs_.begin(), uncertain_blobs_.end());
  MutexLock lock(&files_mutex_);
  for (const ColumnFamilyVersions* family : all_families_) {
    for (const Version* version = family->versions_; version != nullptr; version = version->next_) {
      version->AddLiveFiles(tables, blobs);
    }
  }
}

void VersionSet::TakeObsoleteFiles(std::vector<ObsoleteTable>* tables,
                                   std::vector<ObsoleteBlob>* blobs,
                                   std::vector<std::string>* manifests,
                                   uint64_t min_pending_output) {
  const size_t first = tables->size();
  {
    MutexLock lock(&files_mutex_);
    // A number that is being written again, or still in doubt, stays for later.
    const auto take = [&](auto* from, auto* to, auto number, const std::vector<uint64_t>& kept) {
      auto wait = from->begin();
      for (auto& one : *from) {
        const bool later = number(one) >= min_pending_output ||
                           std::find(kept.begin(), kept.end(), number(one)) != kept.end();
        if (later) {
          if (&*wait != &one) *wait = std::move(one);
          ++wait;
        } else {
          to->push_back(std::move(one));
        }
      }
      from->erase(wait, from->end());
    };
    take(
        &obsolete_tables_, tables, [](const ObsoleteTable& table) { return table.file->number; },
        uncertain_tables_);
    take(
        &obsolete_blobs_, blobs, [](const ObsoleteBlob& blob) { return blob.number; },
        uncertain_blobs_);
    manifests->insert(manifests->end(), obsolete_manifests_.begin(), obsolete_manifests_.end());
    obsolete_manifests_.clear();
  }
  for (size_t i = first; i < tables->size(); ++i) {
    TableCache::Close((*tables)[i].file.get(), /*obsolete=*/true);
  }
}

uint64_t VersionSet::MinObsoleteTableNumber() const {
  MutexLock lock(&files_mutex_);
  uint64_t number = UINT64_MAX;
  for (const ObsoleteTable& table : obsolete_tables_) number = std::min(number, table.file->number);
  return number;
}

std::vector<VersionSet::LiveTable> VersionSet::LiveTables() const {
  std::vector<LiveTable> tables;
  for (ColumnFamilyVersions* family : families_) {
    if (family->current_ == nullptr) continue;
    const VersionStorage& storage = family->current_->storage_;
    for (int level = 0; level < storage.num_levels(); ++level) {
      for (FileMetadata* file : storage.level(level)) {
        tables.push_back(
            {family, level, file, DirectoryOfPath(family->directories_, file->path_id)});
      }
    }
  }
  return tables;
}

bool VersionSet::FindTable(uint64_t file_number, LiveTable* table) const {
  for (ColumnFamilyVersions* family : families_) {
    if (family->current_ == nullptr) continue;
    if (!family->current_->storage_.Find(file_number, &table->level, &table->file)) continue;
    table->family = family;
    table->directory = DirectoryOfPath(family->directories_, table->file->path_id);
    return true;
  }
  return false;
}

Status VersionSet::CheckFilesExist() {
  for (const LiveTable& table : LiveTables()) {
    const std::string path = TableFileName(table.directory, table.file->number);
    Result<uint64_t> size = file_system()->FileSize(path);
    if (!size.ok()) {
      size = file_system()->FileSize(OldTableFileName(table.directory, table.file->number));
    }
    if (!size.ok()) {
      return Status::Corruption(
          Concat("Can't access ", path, ": ", size.status().ToString(), "\n"));
    }
    if (*size != table.file->size_bytes) {
      return Status::Corruption(Concat("Sst file size mismatch: ", path,
                                       ". Size recorded in manifest ", table.file->size_bytes,
                                       ", actual size ", *size, "\n"));
    }
  }
  return Status::Ok();
}

}  // namespace skarn
