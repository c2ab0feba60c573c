#include "core/version/table_cache.h"

#include <algorithm>
#include <utility>

#include "core/base/epoch.h"
#include "core/metrics/perf_context.h"
#include "core/metrics/statistics.h"
#include "core/version/file_names.h"

namespace skarn {
namespace {

// Lets go of one hold. The last one leaves the table to the epoch: a read may still be
// in it without a hold.
void Drop(OpenTable* table) {
  // Release so that the last holder sees all uses; acquire for that last one.
  if (table->holders.fetch_sub(1, std::memory_order_acq_rel) == 1) EpochDomain::Retire(table);
}

void DropAll(const std::vector<OpenTable*>& tables) {
  for (OpenTable* table : tables) Drop(table);
}

void ReleaseHold(void* object, void* /*context*/) { Drop(static_cast<OpenTable*>(object)); }

}  // namespace

// --- OpenTableBudget ---

OpenTableBudget::~OpenTableBudget() {
  std::vector<OpenTable*> closed;
  {
    MutexLock lock(&mutex_);
    while (!tables_.empty()) {
      closed.push_back(tables_.front());
      Unlink(tables_.front());
    }
  }
  DropAll(closed);
}

size_t OpenTableBudget::Limit(int32_t max_open_files) {
  if (max_open_files < 0) return SIZE_MAX;
  // A few descriptors are for logs, the MANIFEST and the like.
  constexpr int32_t kReserved = 10;
  return static_cast<size_t>(std::max(1, max_open_files - kReserved));
}

void OpenTableBudget::SetMax(int32_t max_open_files) {
  std::vector<OpenTable*> closed;
  {
    MutexLock lock(&mutex_);
    max_.store(Limit(max_open_files), std::memory_order_relaxed);
    CloseSome(&closed);
  }
  DropAll(closed);
}

size_t OpenTableBudget::open_count() const {
  MutexLock lock(&mutex_);
  return tables_.size();
}

void OpenTableBudget::Unlink(OpenTable* table) {
  if (hand_ == table->place) ++hand_;
  tables_.erase(table->place);
  table->file->reader.store(nullptr, std::memory_order_release);
  table->file->open_table.store(nullptr, std::memory_order_release);
  table->file = nullptr;
}

void OpenTableBudget::CloseSome(std::vector<OpenTable*>* closed) {
  const size_t max = max_.load(std::memory_order_relaxed);
  while (tables_.size() > max) {
    if (hand_ == tables_.end()) hand_ = tables_.begin();
    OpenTable* table = *hand_;
    if (table->used.exchange(false, std::memory_order_relaxed)) {
      ++hand_;
      continue;
    }
    Unlink(table);
    closed->push_back(table);
  }
}

// --- TableCache ---

TableCache::TableCache(Context context, OpenTableBudget* budget)
    : context_(std::move(context)),
      budget_(budget),
      level_count_(std::max(context_.options->num_levels, 1)),
      level_read_micros_(new Histogram[static_cast<size_t>(level_count_)]),
      row_cache_(context_.db_options->row_cache.get(), context_.db_options->statistics.get()) {}

TableCache::~TableCache() = default;

std::string TableCache::PathOf(const FileRecord& file) const {
  return TableFileName(DirectoryOfPath(context_.directories, file.path_id), file.number);
}

void TableCache::SetOptions(std::shared_ptr<const ColumnFamilyOptions> options) {
  MutexLock lock(&mutex_);
  context_.options = std::move(options);
}

TableHold TableCache::TryHold(FileMetadata* file) {
  EpochGuard guard;
  OpenTable* table = file->open_table.load(std::memory_order_acquire);
  if (table == nullptr || !table->complete.load(std::memory_order_acquire)) return TableHold();
  int holders = table->holders.load(std::memory_order_relaxed);
  // Nobody may come back to a table that all have let go.
  while (holders > 0) {
    if (table->holders.compare_exchange_weak(holders, holders + 1, std::memory_order_acquire,
                                             std::memory_order_relaxed)) {
      table->used.store(true, std::memory_order_relaxed);
      return TableHold(table->reader.get(), Pin(table, nullptr, &ReleaseHold));
    }
  }
  return TableHold();
}

Result<std::unique_ptr<RandomAccessFile>> TableCache::OpenFile(const FileRecord& file,
                                                               std::string* path,
                                                               uint64_t* size_bytes, bool direct) {
  const DbOptions& db = *context_.db_options;
  FileSystem* fs = db.env->file_system;
  FileOptions options;
  options.direct_reads = direct || db.use_direct_reads;
  options.mmap_reads = db.allow_mmap_reads;
  options.close_on_exec = db.is_fd_close_on_exec;
  *path = PathOf(file);
  auto opened = fs->NewRandomAccessFile(*path, options);
  if (!opened.ok() && opened.status().IsPathNotFound()) {
    const std::string old_path =
        OldTableFileName(DirectoryOfPath(context_.directories, file.path_id), file.number);
    auto old = fs->NewRandomAccessFile(old_path, options);
    if (old.ok()) {
      *path = old_path;
      opened = std::move(old);
    }
  }
  CountTicker(db.statistics.get(), opened.ok() ? Ticker::kNoFileOpens : Ticker::kNoFileErrors);
  if (!opened.ok()) return opened;
  Result<uint64_t> size = (*opened)->Size();
  if (!size.ok()) return size.status();
  *size_bytes = *size;
  if (db.advise_random_on_open) (*opened)->Advise(RandomAccessFile::Pattern::kRandom);
  return opened;
}

void TableCache::Park(const FileRecord& file, int level, std::unique_ptr<TableReader> reader) {
  MutexLock lock(&mutex_);
  if (parked_.size() < kParkedMax) parked_.push_back({file.number, level, std::move(reader)});
}

void TableCache::Forget(uint64_t file_number) { (void)TakeParked(file_number, /*level=*/-1); }

std::unique_ptr<TableReader> TableCache::TakeParked(uint64_t file_number, int level) {
  Parked found{file_number, level, nullptr};
  {
    MutexLock lock(&mutex_);
    for (Parked& parked : parked_) {
      if (parked.file_number != file_number) continue;
      found = std::move(parked);
      if (&parked != &parked_.back()) parked = std::move(parked_.back());
      parked_.pop_back();
      break;
    }
  }
  // Of a file that was moved, the reader pins and counts as one of another level does.
  if (found.level != level) return nullptr;
  return std::move(found.reader);
}

Result<std::unique_ptr<TableReader>> TableCache::OpenReader(const FileRecord& file, int level,
                                                            bool direct, bool may_defer) {
  if (!direct) {
    if (auto parked = TakeParked(file.number, level)) return parked;
  }
  Statistics* const statistics = context_.db_options->statistics.get();
  const bool timed = statistics != nullptr && statistics->WantsTimers();
  const uint64_t start_ns = timed ? PerfNow() : 0;
  std::string path;
  uint64_t size_bytes = 0;
  auto opened = OpenFile(file, &path, &size_bytes, direct);
  if (!opened.ok()) return opened.status();
  if (size_bytes != file.size_bytes) {
    return Status::Corruption(Concat("Sst file size mismatch between expected ", file.size_bytes,
                                     " and file system ", size_bytes, " sstable: ", path));
  }
  std::shared_ptr<const ColumnFamilyOptions> options;
  {
    MutexLock lock(&mutex_);
    options = context_.options;
  }
  const DbOptions& db = *context_.db_options;
  TableReaderOptions reader;
  reader.order = context_.order;
  reader.table = options->table_factory.block_based;
  reader.prefix_extractor = options->prefix_extractor;
  reader.env = db.env;
  reader.statistics = db.statistics.get();
  reader.path = path;
  reader.file_number = file.number;
  reader.file_size_bytes = size_bytes;
  reader.tail_size_bytes = file.tail_size_bytes;
  reader.level = level;
  reader.last_level = level == level_count_ - 1;
  if (level >= 0 && level < level_count_) reader.level_read_micros = &level_read_micros_[level];
  reader.max_open_files_unlimited = budget_->unlimited();
  reader.may_defer = may_defer;
  reader.largest_sequence = file.largest_sequence;
  if (db.verify_sst_unique_id_in_manifest) {
    reader.unique_id[0] = file.unique_id[0];
    reader.unique_id[1] = file.unique_id[1];
  }
  reader.db_session_id = context_.db_session_id;
  reader.protect_cached_blocks = options->block_protection_bytes_per_key != 0;
  reader.rate_limiter = db.rate_limiter.get();
  auto table = TableReader::Open(reader, std::move(*opened));
  if (timed) {
    statistics->Record(HistogramKind::kTableOpenIoMicros, (PerfNow() - start_ns) / 1000);
  }
  return table;
}

Result<TableReader*> TableCache::FindSlow(FileMetadata* file, int level) {
  TableReader* reader = file->reader.load(std::memory_order_acquire);
  if (reader != nullptr) {
    OpenTable* table = file->open_table.load(std::memory_order_acquire);
    // Setting it only when it is clear keeps the line shared.
    if (table != nullptr && !table->used.load(std::memory_order_relaxed)) {
      table->used.store(true, std::memory_order_relaxed);
    }
    return reader;
  }

  std::vector<OpenTable*> closed;
  {
    MutexLock opening(&opening_mutexes_[file->number % kOpeningMutexes]);
    reader = file->reader.load(std::memory_order_acquire);
    if (reader != nullptr) return reader;
    OpenTable* const ahead = file->open_table.load(std::memory_order_acquire);
    if (ahead != nullptr) return Complete(file, ahead);
    auto opened = OpenReader(*file, level);
    if (!opened.ok()) return opened.status();
    reader = opened->get();
    // What this closes may be the new table itself; the caller's epoch keeps it.
    Publish(file, std::move(*opened), &closed);
  }
  DropAll(closed);
  return reader;
}

Result<TableReader*> TableCache::Complete(FileMetadata* file, OpenTable* table) {
  TableReader* const reader = table->reader.get();
  if (Status s = reader->FinishOpening(); !s.ok()) return s;
  MutexLock lock(&budget_->mutex_);
  table->used.store(true, std::memory_order_relaxed);
  // Release: whoever sees it sees all of the reader.
  table->complete.store(true, std::memory_order_release);
  // The budget may have closed it meanwhile; the caller's epoch keeps it.
  if (table->file == file) file->reader.store(reader, std::memory_order_release);
  return reader;
}

void TableCache::Publish(FileMetadata* file, std::unique_ptr<TableReader> reader,
                         std::vector<OpenTable*>* closed) {
  auto* table = new OpenTable;
  table->reader = std::move(reader);
  table->budget = budget_;
  table->file = file;
  const bool complete = table->reader->complete();
  table->complete.store(complete, std::memory_order_relaxed);
  MutexLock lock(&budget_->mutex_);
  table->place = budget_->tables_.insert(budget_->tables_.end(), table);
  file->open_table.store(table, std::memory_order_release);
  if (complete) file->reader.store(table->reader.get(), std::memory_order_release);
  budget_->CloseSome(closed);
}

Status TableCache::OpenAhead(FileMetadata* file, int level) {
  std::vector<OpenTable*> closed;
  {
    MutexLock opening(&opening_mutexes_[file->number % kOpeningMutexes]);
    if (IsOpen(file)) return Status::Ok();
    auto opened = OpenReader(*file, level, /*direct=*/false, /*may_defer=*/true);
    if (!opened.ok()) return opened.status();
    Publish(file, std::move(*opened), &closed);
  }
  DropAll(closed);
  return Status::Ok();
}

Result<TableHold> TableCache::Hold(FileMetadata* file, int level, bool cached_only) {
  while (true) {
    TableHold hold = TryHold(file);
    if (hold) return hold;
    if (cached_only && !IsOpen(file)) {
      return Status::Incomplete("Table not found in table_cache, no_io is set");
    }
    EpochGuard guard;
    Result<TableReader*> reader = FindSlow(file, level);
    if (!reader.ok()) return reader.status();
    // Inside the epoch the table cannot go away, but it may have been closed again.
    hold = TryHold(file);
    if (hold) return hold;
  }
}

Result<std::unique_ptr<TableReader>> TableCache::OpenUnshared(const FileRecord& file, int level) {
  return OpenReader(file, level);
}

Result<std::unique_ptr<InternalCursor>> TableCache::NewCursor(const ReadOptions& read,
                                                              FileMetadata* file, int level,
                                                              TableCaller caller,
                                                              size_t compaction_readahead_bytes,
                                                              Pin* pin) {
  if (caller == TableCaller::kCompaction && !context_.db_options->use_direct_reads &&
      context_.db_options->use_direct_io_for_compaction_reads) {
    auto own = OpenReader(*file, level, /*direct=*/true);
    if (!own.ok()) return own.status();
    auto cursor =
        (*own)->NewCursor(read, caller, /*skip_filters=*/false, compaction_readahead_bytes);
    *pin = Pin(own->release(), nullptr,
               [](void* object, void*) { delete static_cast<TableReader*>(object); });
    return cursor;
  }
  Result<TableHold> hold = Hold(file, level, read.read_tier == ReadTier::kBlockCache);
  if (!hold.ok()) return hold.status();
  auto cursor =
      (*hold)->NewCursor(read, caller, /*skip_filters=*/false, compaction_readahead_bytes);
  *pin = hold->TakePin();
  return cursor;
}

Result<std::shared_ptr<const TableProperties>> TableCache::Properties(const FileMetadata& file) {
  {
    EpochGuard guard;
    const TableReader* reader = Peek(&file);
    if (reader != nullptr) return reader->properties();
  }
  std::string path;
  uint64_t size_bytes = 0;
  auto opened = OpenFile(file, &path, &size_bytes);
  if (!opened.ok()) return opened.status();
  return ReadTableProperties(**opened, path, size_bytes);
}

void TableCache::Close(FileMetadata* file, bool obsolete) {
  OpenTable* table = nullptr;
  {
    EpochGuard guard;
    table = file->open_table.load(std::memory_order_acquire);
    if (table == nullptr) return;
    if (obsolete) table->reader->MarkObsolete();
    MutexLock lock(&table->budget->mutex_);
    // The budget may have closed it meanwhile.
    table = file->open_table.load(std::memory_order_relaxed);
    if (table != nullptr) table->budget->Unlink(table);
  }
  if (table != nullptr) Drop(table);
}

uint64_t TableCache::MemoryBytes(const std::vector<FileMetadata*>& files) {
  EpochGuard guard;
  uint64_t bytes = 0;
  for (const FileMetadata* file : files) {
    const TableReader* reader = file->reader.load(std::memory_order_acquire);
    if (reader != nullptr) bytes += reader->memory_bytes();
  }
  return bytes;
}

}  // namespace skarn
