// Opening: fresh and existing databases, directories, LOCK, IDENTITY, MANIFEST.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "core/base/random.h"
#include "core/batch/batch_format.h"
#include "core/cache/cache.h"
#include "core/cache/write_buffer_manager.h"
#include "core/db/db_opener.h"
#include "core/db/periodic_work.h"
#include "core/db/secondary.h"
#include "core/options/option_rules.h"
#include "core/table/unique_id.h"
#include "core/version/file_names.h"

namespace skarn {

namespace {

// Tells the write buffer manager about a memtable's memory.
class BufferCharge : public MemoryCharge {
 public:
  explicit BufferCharge(WriteBufferManager* manager) : manager_(manager) {}
  void Reserve(size_t bytes) override { manager_->Reserve(bytes); }
  void BecameImmutable(size_t bytes) override { manager_->ScheduleFree(bytes); }
  void Free(size_t bytes) override { manager_->Free(bytes); }

 private:
  WriteBufferManager* const manager_;
};

uint64_t RandomWord() {
  static std::atomic<uint64_t> counter{0};
  // Not std::random_device, which asks the processor what it has: that is slow in virtual machines.
  uint64_t drawn = 0;
  (void)getentropy(&drawn, sizeof(drawn));
  const uint64_t seed = drawn ^ (counter.fetch_add(1, std::memory_order_relaxed) << 17) ^
                        (static_cast<uint64_t>(getpid()) << 48) ^ SystemClock()->NowMicros();
  return Random(seed).Next();
}

// A random UUID: what IDENTITY holds.
std::string NewDbId() {
  const uint64_t high = (RandomWord() & ~uint64_t{0xf000}) | 0x4000;
  const uint64_t low = (RandomWord() & ~(uint64_t{3} << 62)) | (uint64_t{1} << 63);
  char text[40];
  snprintf(text, sizeof(text), "%08x-%04x-%04x-%04x-%012llx", static_cast<uint32_t>(high >> 32),
           static_cast<uint32_t>((high >> 16) & 0xffff), static_cast<uint32_t>(high & 0xffff),
           static_cast<uint32_t>(low >> 48),
           static_cast<unsigned long long>(low & 0xffffffffffffULL));
  return text;
}

std::string NewSessionId() {
  SessionWords words;
  words.upper = RandomWord() >> 2;
  words.lower = RandomWord();
  return EncodeSessionId(words);
}

std::string HostId(const DbOptions& options) {
  if (options.db_host_id != "__hostname__") return options.db_host_id;
  char name[256] = {};
  if (gethostname(name, sizeof(name) - 1) != 0) return "";
  return name;
}

std::string WalDirectory(const DbOptions& options, const std::string& path) {
  return options.wal_dir.empty() ? path : options.wal_dir;
}

// Deleting files of this size takes longer than having a thread do it.
constexpr uint64_t kPurgedLaterBytes = 4 << 20;

// Where persist_stats_to_disk of genuine releases puts its samples.
constexpr char kStatisticsFamily[] = "___rocksdb_stats_history___";

}  // namespace

void GiveBlockCache(ColumnFamilyOptions* family, std::shared_ptr<Cache>* shared) {
  TableOptions& table = family->table_factory.block_based;
  if (table.block_cache != nullptr || table.no_block_cache) return;
  if (*shared == nullptr) {
    LruCacheOptions options;
    options.capacity = 32 << 20;
    options.high_pri_pool_ratio = 0;
    *shared = NewLruCache(options);
  }
  table.block_cache = *shared;
}

DbImpl::DbImpl(OpenRequest request, std::shared_ptr<const DbOptions> options)
    : mode_(request.mode),
      path_(request.path),
      secondary_path_(request.secondary_path),
      env_(options->env),
      fs_(options->env->file_system),
      info_log_(options->info_log),
      opened_options_(options),
      statistics_(options->statistics.get()),
      wal_directory_(WalDirectory(*options, request.path)),
      session_id_(NewSessionId()),
      host_id_(HostId(*options)),
      rate_limiter_(options->rate_limiter.get()),
      has_row_cache_(options->row_cache != nullptr),
      recycles_logs_(options->recycle_log_file_num > 0),
      manual_wal_flush_(options->manual_wal_flush),
      concurrent_inserts_(options->allow_concurrent_memtable_write),
      tracks_logs_(options->track_and_verify_wals_in_manifest),
      purges_in_background_(options->avoid_unnecessary_blocking_io),
      queue_({options->max_write_batch_group_size_bytes, options->write_thread_max_yield_usec,
              options->write_thread_slow_yield_usec, options->enable_write_thread_adaptive_yield}),
      wals_(*opened_options_, wal_directory_),
      snapshots_(&visible_),
      open_tables_(options->max_open_files),
      options_(options),
      write_buffers_(options->write_buffer_manager),
      errors_({options->paranoid_checks, options->manual_wal_flush, options->allow_2pc}),
      write_controller_(options->delayed_write_rate) {
  if (write_buffers_ == nullptr && options->db_write_buffer_size > 0) {
    write_buffers_ = std::make_shared<WriteBufferManager>(options->db_write_buffer_size, nullptr,
                                                          /*allow_stall=*/false);
  }
  if (write_buffers_ != nullptr) {
    memory_charge_ = std::make_unique<BufferCharge>(write_buffers_.get());
    if (write_buffers_->enabled()) admission_.fetch_or(kSharedBuffer, std::memory_order_relaxed);
  }
  if (mode_ != Mode::kReadWrite) admission_.fetch_or(kNotWritable, std::memory_order_relaxed);
  opened_us_ = env_->clock->NowMicros();
}

Result<std::unique_ptr<Db>> Db::Open(OpenRequest request,
                                     std::vector<std::unique_ptr<ColumnFamilyHandle>>* handles) {
  handles->clear();
  return DbOpener(std::move(request), handles).Run();
}

Result<std::unique_ptr<Db>> DbOpener::Run() {
  Status status = CheckOptions();
  if (!status.ok()) return status;
  db_ = std::make_unique<DbImpl>(request_, options_);
  db_->default_cache_ = default_cache_;
  const bool writable = request_.mode == Db::Mode::kReadWrite;
  if (status.ok()) status = MakeDirectories();
  if (status.ok()) status = OpenInfoLog();
  if (status.ok()) db_->LogHeader();
  if (status.ok() && writable) status = Lock();
  if (status.ok() && writable) status = CreateIfMissing();
  if (status.ok()) status = RecoverManifest();
  if (status.ok() && writable) status = SettleIdentity();
  if (status.ok() && writable) status = ScanDirectories();
  if (status.ok() && request_.mode != Db::Mode::kSecondary) status = ReplayWals();
  if (status.ok()) status = writable ? Start() : StartReadOnly();
  if (status.ok()) status = MakeHandles();
  if (status.ok() && !request_.trim_history_timestamp.empty()) status = TrimHistory();
  if (!status.ok()) {
    Log(LogLevel::kError, db_->info_log_.get(), "Open failed: %s", status.ToString().c_str());
    handles_->clear();
    db_.reset();
    return status;
  }
  return std::unique_ptr<Db>(std::move(db_));
}

Status DbOpener::CheckOptions() {
  auto options = std::make_shared<DbOptions>(Sanitize(request_.path, request_.options));
  if (Status s = Validate(*options); !s.ok()) return s;
  for (const ColumnFamilyDescriptor& descriptor : request_.column_families) {
    bool known = false;
    for (const auto& family : families_) known = known || family.first == descriptor.name;
    if (known) continue;
    auto family = std::make_shared<ColumnFamilyOptions>(Sanitize(*options, descriptor.options));
    if (Status s = Validate(*options, *family); !s.ok()) return s;
    if (request_.mode == Db::Mode::kReadWrite) {
      if (Status s = CheckWritable(*family); !s.ok()) return s;
    }
    GiveBlockCache(family.get(), &default_cache_);
    families_.emplace_back(descriptor.name, std::move(family));
  }
  if (options->avoid_flush_during_recovery && !request_.trim_history_timestamp.empty()) {
    return Status::InvalidArgument(
        "avoid_flush_during_recovery incompatible with OpenAndTrimHistory");
  }
  options_ = std::move(options);
  return Status::Ok();
}

Status DbOpener::MakeDirectories() {
  FileSystem* const fs = db_->fs_;
  const std::string& path = request_.path;
  if (request_.mode == Db::Mode::kSecondary) return fs->CreateDirIfMissing(request_.secondary_path);
  if (request_.mode == Db::Mode::kReadOnly) {
    if (options_->create_if_missing) return fs->CreateDirIfMissing(path);
    return Status::Ok();
  }
  if (Status s = fs->CreateDirIfMissing(path); !s.ok()) return s;
  if (db_->wal_directory_ != path) {
    if (Status s = fs->CreateDirIfMissing(db_->wal_directory_); !s.ok()) return s;
  }
  for (const DbPath& place : options_->db_paths) {
    if (place.path == path) continue;
    if (Status s = fs->CreateDirIfMissing(place.path); !s.ok()) return s;
  }
  for (const auto& family : families_) {
    for (const DbPath& place : family.second->cf_paths) {
      if (Status s = fs->CreateDirIfMissing(place.path); !s.ok()) return s;
    }
  }
  if (options_->WAL_ttl_seconds > 0 || options_->WAL_size_limit_MB > 0) {
    if (Status s = fs->CreateDirIfMissing(ArchiveDirectory(db_->wal_directory_)); !s.ok()) {
      return s;
    }
  }
  return Status::Ok();
}

Status DbOpener::OpenInfoLog() {
  if (request_.mode == Db::Mode::kReadOnly || options_->info_log != nullptr) return Status::Ok();
  const bool shared = !options_->db_log_dir.empty();
  const bool secondary = request_.mode == Db::Mode::kSecondary;
  const std::string& path = secondary ? request_.secondary_path : request_.path;
  std::string directory = path;
  std::string absolute = path;
  if (shared) {
    directory = options_->db_log_dir;
    if (Status s = db_->fs_->CreateDirIfMissing(directory); !s.ok()) return Status::Ok();
    Result<std::string> resolved = db_->fs_->AbsolutePath(path);
    if (resolved.ok()) absolute = std::move(*resolved);
  }
  FileLoggerOptions logger;
  logger.level = options_->info_log_level;
  logger.max_file_size = options_->max_log_file_size;
  logger.roll_after_seconds = options_->log_file_time_to_roll;
  logger.keep_file_count = options_->keep_log_file_num;
  Result<std::shared_ptr<Logger>> log =
      NewFileLogger(db_->fs_, db_->env_->clock, directory, InfoLogName(absolute, shared), logger);
  // A database that can be opened is not refused for want of a place to tell about it.
  if (!log.ok()) return Status::Ok();
  db_->info_log_ = *log;
  auto with_log = std::make_shared<DbOptions>(*options_);
  with_log->info_log = *log;
  options_ = with_log;
  MutexLock lock(&db_->mutex_);
  db_->options_ = options_;
  return Status::Ok();
}

Status DbOpener::Lock() {
  Result<std::unique_ptr<FileLock>> lock = db_->fs_->LockFile(LockFileName(request_.path));
  if (!lock.ok()) return lock.status();
  db_->file_lock_ = std::move(*lock);
  Result<std::unique_ptr<Directory>> directory = db_->fs_->NewDirectory(request_.path);
  if (!directory.ok()) return directory.status();
  db_->db_directory_ = std::move(*directory);
  return Status::Ok();
}

Status DbOpener::CreateIfMissing() {
  FileSystem* const fs = db_->fs_;
  const std::string& path = request_.path;
  Status status = fs->FileExists(CurrentFileName(path));
  if (status.ok()) {
    if (options_->error_if_exists) {
      return Status::InvalidArgument(path, "exists (error_if_exists is true)");
    }
    return Status::Ok();
  }
  if (!status.IsNotFound() && !status.IsPathNotFound()) return status;
  if (options_->best_efforts_recovery) {
    // CURRENT does not matter as long as there is a MANIFEST.
    std::vector<std::string> names;
    if (fs->GetChildren(path, &names).ok()) {
      for (const std::string& name : names) {
        ParsedFileName parsed;
        if (ParseFileName(name, &parsed) && parsed.kind == FileKind::kManifest) return Status::Ok();
      }
    }
  }
  if (!options_->create_if_missing) {
    return Status::InvalidArgument(CurrentFileName(path),
                                   "does not exist (create_if_missing is false)");
  }
  std::vector<WalFile> wals;
  if (Status s = ListWals(&wals); !s.ok()) return s;
  if (!wals.empty()) {
    char name[32];
    snprintf(name, sizeof(name), "%06llu.log", static_cast<unsigned long long>(wals[0].number));
    return Status::Corruption("While creating a new Db, wal_dir contains existing log file: ",
                              name);
  }
  const std::string db_id = NewDbId();
  if (options_->write_identity_file) {
    status = WriteIdentityFile(fs, path, db_id, db_->db_directory_.get());
    if (!status.ok()) return status;
  }
  created_ = true;
  Log(LogLevel::kInfo, db_->info_log_.get(), "Creating manifest 1 ");
  return VersionSet::CreateNew(*options_, path, db_id, db_->db_directory_.get());
}

Status DbOpener::RecoverManifest() {
  VersionSet::Context context;
  context.db_path = request_.path;
  context.options = options_;
  context.mutex = &db_->mutex_;
  context.tables = &db_->open_tables_;
  context.db_session_id = db_->session_id_;
  db_->versions_ = std::make_unique<VersionSet>(std::move(context));

  bool has_default = false;
  VersionSet::RecoverRequest recover;
  for (const auto& family : families_) {
    has_default = has_default || family.first == "default";
    recover.families.push_back({family.first, family.second, /*optional=*/false});
  }
  if (!has_default) return Status::InvalidArgument("Default column family not specified");
  // Nobody names it, so it must not be missed.
  auto hidden = std::make_shared<ColumnFamilyOptions>(Sanitize(*options_, ColumnFamilyOptions()));
  hidden->compression = CompressionType::kNone;
  recover.families.push_back({kStatisticsFamily, std::move(hidden), /*optional=*/true});
  recover.read_only = request_.mode != Db::Mode::kReadWrite;
  recover.follow = request_.mode == Db::Mode::kSecondary;
  MutexLock lock(&db_->mutex_);
  Status status;
  if (options_->best_efforts_recovery && request_.mode == Db::Mode::kReadWrite) {
    bool incomplete = false;
    status = db_->versions_->RecoverBestEfforts(recover, &missing_families_, &incomplete);
    if (status.ok() && incomplete) {
      // What the logs hold may depend on what was left out.
      Log(LogLevel::kWarn, db_->info_log_.get(), "Best-efforts recovery left data out");
      skip_wals_ = true;
    }
  } else {
    status = db_->versions_->Recover(recover, &missing_families_);
  }
  if (!status.ok()) return status;
  Log(LogLevel::kInfo, db_->info_log_.get(), "Recovering from manifest file: %s",
      ManifestFileName(request_.path, db_->versions_->manifest_file_number()).c_str());
  if (!missing_families_.empty() &&
      !(options_->create_missing_column_families && request_.mode == Db::Mode::kReadWrite)) {
    return Status::InvalidArgument("Column family not found", missing_families_.front());
  }
  for (ColumnFamilyVersions* versions : db_->versions_->families()) db_->AddFamily(versions);
  db_->default_family_ = db_->families_.empty() ? nullptr : db_->families_.front();
  for (ColumnFamily* family : db_->families_) {
    if (family->id() == 0) db_->default_family_ = family;
  }
  db_->PublishFamilyTable();
  for (const ColumnFamily* family : db_->families_) {
    db_->LogFamilyOptions(family->name(), family->options());
  }
  db_->LogRecoveredManifest();
  return Status::Ok();
}

Status DbOpener::SettleIdentity() {
  VersionSet* const versions = db_->versions_.get();
  std::string in_file;
  if (Result<std::string> read = ReadIdentityFile(db_->fs_, request_.path); read.ok()) {
    in_file = std::move(*read);
  }
  std::string id = versions->db_id();
  if (id.empty()) id = in_file.empty() ? NewDbId() : in_file;
  versions->set_db_id(id);
  Log(LogLevel::kInfo, db_->info_log_.get(), "DB ID: %s", id.c_str());
  if (options_->write_identity_file) {
    if (in_file == id) return Status::Ok();
    return WriteIdentityFile(db_->fs_, request_.path, id, db_->db_directory_.get());
  }
  if (!in_file.empty()) (void)db_->fs_->DeleteFile(IdentityFileName(request_.path)).ok();
  return Status::Ok();
}

Status DbOpener::ScanDirectories() {
  std::vector<std::string> directories = {request_.path};
  const auto add = [&directories](const std::string& directory) {
    if (std::find(directories.begin(), directories.end(), directory) == directories.end()) {
      directories.push_back(directory);
    }
  };
  for (const DbPath& place : options_->db_paths) add(place.path);
  for (const auto& family : families_) {
    for (const DbPath& place : family.second->cf_paths) add(place.path);
  }
  // One number more than needed is skipped, as genuine releases do.
  uint64_t largest = db_->versions_->next_file_number();
  for (const std::string& directory : directories) {
    std::vector<std::string> names;
    if (Status s = db_->fs_->GetChildren(directory, &names); !s.ok()) return s;
    if (directory == db_->wal_directory_) listed_ = names;
    for (const std::string& name : names) {
      ParsedFileName parsed;
      // Info logs are numbered by the time.
      if (ParseFileName(name, &parsed) && parsed.kind != FileKind::kInfoLog) {
        largest = std::max(largest, parsed.number);
        if (parsed.kind == FileKind::kOptions && directory == request_.path) {
          newest_options_ = std::max(newest_options_, parsed.number);
        }
      }
    }
  }
  db_->versions_->MarkFileNumberUsed(largest);
  return Status::Ok();
}

Status DbOpener::Start() {
  DbImpl* const db = db_.get();
  VersionSet* const versions = db->versions_.get();
  db->last_allocated_ = versions->last_sequence();
  db->visible_.store(db->last_allocated_, std::memory_order_release);

  // A new log, before the MANIFEST that makes the old ones obsolete.
  const uint64_t log_number = versions->NewFileNumber();
  uint64_t preallocation = 0;
  {
    MutexLock lock(&db->mutex_);
    preallocation = db->PreallocationBytes(db->default_family_->options());
  }
  if (kept_in_memory_) {
    for (const WalFile& wal : wals_) {
      const Result<uint64_t> size = db->fs_->FileSize(wal.path);
      if (!size.ok()) return size.status();
      db->wals_.AddRecovered(wal.number, *size);
      // A sync of the new log promises that everything before is durable too, and nobody
      // syncs these again.
      Result<std::unique_ptr<WritableFile>> file =
          db->fs_->ReopenWritableFile(wal.path, FileOptions());
      if (!file.ok()) return file.status();
      Status synced = (*file)->Sync();
      if (synced.ok()) synced = (*file)->Close();
      if (!synced.ok()) return synced;
    }
    if (!wals_.empty()) {
      // Gives back what was reserved beyond the end; a file system that cannot loses nothing.
      const Result<uint64_t> size = db->fs_->FileSize(wals_.back().path);
      if (size.ok()) (void)db->fs_->Truncate(wals_.back().path, *size).ok();
    }
  }
  db->next_logged_ = next_sequence_ != kUnset ? next_sequence_ : db->last_allocated_ + 1;
  Status status = db->wals_.Switch(log_number, preallocation, db->next_logged_);
  if (!status.ok()) return status;
  if (met_damage_ && next_sequence_ != kUnset) {
    // Tells the next recovery that this log goes on where the damaged one broke off.
    status = db->wals_.AppendMarker();
    if (status.ok()) status = db->wals_.Sync();
    if (!status.ok()) return status;
  }

  // The commit point of recovery: one write of a new MANIFEST.
  std::vector<FamilyEdits> changes;
  MutexLock lock(&db->mutex_);
  bool has_default = false;
  for (ColumnFamily* family : db->families_) {
    const auto edit = edits_.find(family->id());
    if (edit == edits_.end()) continue;
    edit->second.column_family = family->id();
    changes.push_back({family->versions(), {&edit->second}});
    if (family == db->default_family_) {
      changes.back().edits.push_back(&log_edit_);
      has_default = true;
    }
  }
  if (!has_default) changes.push_back({db->default_family_->versions(), {&log_edit_}});
  // One sync of the directory serves CURRENT and the OPTIONS file, where nothing comes between.
  const bool sync_names = !missing_families_.empty();
  status = versions->LogAndApply(changes, db->db_directory_.get(), /*atomic=*/false,
                                 /*new_manifest=*/true, sync_names);
  if (!status.ok()) return status;
  Log(LogLevel::kInfo, db->info_log_.get(), "Creating manifest %llu",
      static_cast<unsigned long long>(versions->manifest_file_number()));
  DbImpl::Cleanup cleanup;
  for (ColumnFamily* family : db->families_) {
    if (family->active()->empty() && family->versions()->log_number() < log_number) {
      family->versions()->set_log_number(log_number);
    }
    if (family->options().inplace_update_support) db->supports_snapshots_.store(false);
  }
  db->open_ = true;
  for (ColumnFamily* family : db->families_) db->InstallSuperVersion(family, &cleanup);
  db->CountLiveTableFiles();
  lock.Unlock();

  for (const std::string& name : missing_families_) {
    for (const auto& wanted : families_) {
      if (wanted.first != name) continue;
      Result<ColumnFamily*> family = db->CreateFamily(*wanted.second, name);
      if (!family.ok()) return family.status();
    }
  }

  lock.Lock();
  db->full_purge_due_ = false;
  // Nothing is deleted while a power cut might bring the old CURRENT back, also when opening
  // fails from here on.
  db->manifest_uncertain_ = !sync_names;
  // Nothing depends on it: an OPTIONS file that cannot be written does not keep anyone out.
  status = db->WriteOptionsFile(/*opening=*/true, newest_options_);
  if (!status.ok()) {
    Log(LogLevel::kWarn, db->info_log_.get(), "OPTIONS file not written: %s",
        status.ToString().c_str());
    if (options_->paranoid_checks) return status;
  }
  lock.Unlock();
  if (status = db->db_directory_->Fsync(); !status.ok()) return status;
  lock.Lock();
  db->manifest_uncertain_ = false;
  lock.Unlock();
  Log(LogLevel::kInfo, db->info_log_.get(), "DB pointer %p", static_cast<void*>(db));
  // With large logs goes much of the page cache: nobody need wait for that.
  const bool purge_later = !kept_in_memory_ && replayed_bytes_ >= kPurgedLaterBytes;
  cleanup.full_purge = !purge_later;
  db->RunCleanup(&cleanup);
  lock.Lock();
  db->last_full_purge_us_ = db->env_->clock->NowMicros();
  if (purge_later) db->full_purge_due_ = true;
  db->MaybeSchedule();
  lock.Unlock();
  if (purge_later) db->RequestPurge();
  // A clock that tests control is not followed by real time.
  if (db->env_->clock == SystemClock()) PeriodicWork::Add(db);
  return Status::Ok();
}

bool DbOpener::FitsCompactedMode() const {
  if (!request_.single_column_family || options_->max_open_files != -1 || replayed_any_) {
    return false;
  }
  const ColumnFamily* const family = db_->default_family_;
  if (family->has_merge_operator()) return false;
  for (const WalFile& wal : wals_) {
    const Result<uint64_t> size = db_->fs_->FileSize(wal.path);
    if (!size.ok() || *size > 0) return false;
  }
  const VersionStorage& storage = family->versions()->current()->storage();
  int levels = 0;
  for (int level = 0; level < storage.num_levels(); ++level) {
    levels += storage.file_count(level) > 0 ? 1 : 0;
  }
  return levels == 1 && storage.file_count(0) <= 1;
}

Status DbOpener::StartReadOnly() {
  DbImpl* const db = db_.get();
  if (request_.mode == Db::Mode::kSecondary) {
    db->secondary_ = std::make_unique<SecondaryReplay>(db);
    if (Status s = db->secondary_->Start(); !s.ok()) return s;
  }
  db->last_allocated_ = db->versions_->last_sequence();
  db->visible_.store(db->last_allocated_, std::memory_order_release);
  db->compacted_mode_ = request_.mode == Db::Mode::kReadOnly && FitsCompactedMode();
  DbImpl::Cleanup cleanup;
  {
    MutexLock lock(&db->mutex_);
    for (ColumnFamily* family : db->families_) {
      if (family->options().inplace_update_support) db->supports_snapshots_.store(false);
      db->InstallSuperVersion(family, &cleanup);
    }
    db->open_ = true;
  }
  db->RunCleanup(&cleanup);
  return Status::Ok();
}

Status DbOpener::MakeHandles() {
  MutexLock lock(&db_->mutex_);
  for (const ColumnFamilyDescriptor& descriptor : request_.column_families) {
    ColumnFamily* found = nullptr;
    for (ColumnFamily* family : db_->families_) {
      if (family->name() == descriptor.name) found = family;
    }
    if (found == nullptr) {
      return Status::InvalidArgument("Column family not found", descriptor.name);
    }
    handles_->push_back(std::make_unique<FamilyHandle>(found));
  }
  db_->default_handle_ = std::make_unique<FamilyHandle>(db_->default_family_);
  return Status::Ok();
}

Status DbOpener::TrimHistory() {
  CompactRangeOptions options;
  options.bottommost_level_compaction = BottommostLevelCompaction::kForceOptimized;
  options.trim_timestamp = request_.trim_history_timestamp;
  for (const std::unique_ptr<ColumnFamilyHandle>& handle : *handles_) {
    const size_t size = handle->comparator()->timestamp_size();
    if (size == 0) continue;
    if (size != options.trim_timestamp.size()) {
      return Status::InvalidArgument(Concat("Timestamp sizes mismatch: expect ", size, ", ",
                                            options.trim_timestamp.size(), " given"));
    }
    if (Status s = db_->CompactRange(options, handle.get(), nullptr, nullptr); !s.ok()) return s;
  }
  return Status::Ok();
}

}  // namespace skarn
