#include "tests/crash/workload.h"

#include <algorithm>
#include <utility>

#include "core/db/checkpoint.h"
#include "core/iterate/db_iterator.h"
#include "core/plugin/builtin_merge_operators.h"

namespace skarn {

const std::vector<Workload>& Workloads() {
  static const std::vector<Workload> workloads = {
      {.name = "synced_and_unsynced",
       .batches = 45,
       .sync_every = 4,
       .sync_wal_every = 15,
       .change = [](DbOptions*, ColumnFamilyOptions*) {}},
      {.name = "logs_through_memory",  // Long enough for it: the first batches of a log are not.
       .batches = 64,
       .sync_every = 13,
       .sync_wal_every = 17,
       .flush_every = 25,
       .reopen_every = 43,
       .through_memory = true,
       .change = [](DbOptions*, ColumnFamilyOptions*) {}},
      {.name = "flush_and_compaction",
       .batches = 40,
       .sync_every = 5,
       .flush_every = 4,
       .compact_every = 13,
       .change = [](DbOptions*, ColumnFamilyOptions*) {}},
      {.name = "column_families",
       .batches = 36,
       .sync_every = 7,
       .flush_every = 11,
       .family_every = 5,
       .change = [](DbOptions*, ColumnFamilyOptions*) {}},
      {.name = "manifest_rollover",
       .batches = 30,
       .sync_every = 6,
       .flush_every = 4,
       .compact_every = 14,
       .family_every = 11,
       .change =
           [](DbOptions* db, ColumnFamilyOptions*) {
             db->max_manifest_file_size = 200;
             db->max_manifest_space_amp_pct = 0;
           }},
      {.name = "recycled_logs",
       .batches = 45,
       .sync_every = 4,
       .flush_every = 5,
       .change = [](DbOptions* db, ColumnFamilyOptions*) { db->recycle_log_file_num = 2; }},
      {.name = "compressed_logs",
       .batches = 40,
       .sync_every = 4,
       .flush_every = 9,
       .change = [](DbOptions* db,
                    ColumnFamilyOptions*) { db->wal_compression = CompressionType::kZstd; }},
      {.name = "recycled_and_compressed_logs",
       .batches = 28,
       .sync_every = 5,
       .flush_every = 6,
       .reopen_every = 13,
       .change =
           [](DbOptions* db, ColumnFamilyOptions*) {
             db->recycle_log_file_num = 1;
             db->wal_compression = CompressionType::kZstd;
             db->avoid_flush_during_recovery = true;
           }},
      {.name = "atomic_flush",
       .batches = 40,
       .sync_every = 9,
       .flush_every = 7,
       .change = [](DbOptions* db, ColumnFamilyOptions*) { db->atomic_flush = true; }},
      {.name = "atomic_flush_without_log",
       .batches = 40,
       .flush_every = 5,
       .unlogged = true,
       .change = [](DbOptions* db, ColumnFamilyOptions*) { db->atomic_flush = true; }},
      {.name = "option_changes",
       .batches = 30,
       .sync_every = 5,
       .flush_every = 10,
       .options_every = 4,
       .change = [](DbOptions*, ColumnFamilyOptions*) {}},
      {.name = "checkpoints",
       .batches = 30,
       .sync_every = 8,
       .flush_every = 9,
       .checkpoint_every = 12,
       .change = [](DbOptions*, ColumnFamilyOptions*) {}},
      {.name = "reopens",
       .batches = 25,
       .sync_every = 9,
       .flush_every = 6,
       .reopen_every = 8,
       .change = [](DbOptions* db,
                    ColumnFamilyOptions*) { db->avoid_flush_during_recovery = true; }},
      {.name = "log_flush_by_hand",
       .batches = 40,
       .sync_every = 9,
       .sync_wal_every = 4,
       .flush_every = 13,
       .change = [](DbOptions* db, ColumnFamilyOptions*) { db->manual_wal_flush = true; }},
      {.name = "tracked_logs",
       .batches = 36,
       .sync_every = 6,
       .sync_wal_every = 10,
       .flush_every = 5,
       .change = [](DbOptions* db,
                    ColumnFamilyOptions*) { db->track_and_verify_wals_in_manifest = true; }},
      {.name = "chained_logs",
       .batches = 24,
       .sync_every = 6,
       .sync_wal_every = 10,
       .flush_every = 5,
       .for_genuine = false,  // Releases before 10 take the record that links logs for damage.
       .change = [](DbOptions* db, ColumnFamilyOptions*) { db->track_and_verify_wals = true; }},
      {.name = "ingestion",
       .batches = 32,
       .sync_every = 7,
       .flush_every = 6,
       .compact_every = 19,
       .ingest_every = 4,
       .change = [](DbOptions*, ColumnFamilyOptions*) {}},
  };
  return workloads;
}

Status OpenDatabase::Open(FileSystem* fs, const Workload& workload, bool create,
                          std::vector<std::string> names, const std::string& path) {
  (void)Close().ok();
  pool_ = std::make_unique<DeterministicPool>();
  clock_ = std::make_unique<TestClock>();
  env_.file_system = fs;
  env_.clock = clock_.get();
  env_.thread_pool = pool_.get();
  Db::OpenRequest request;
  request.options.env = &env_;
  request.options.create_if_missing = create;
  request.options.create_missing_column_families = create;
  request.options.max_bgerror_resume_count = 0;  // No thread of its own; tests resume by hand.
  family_options_ = ColumnFamilyOptions();
  family_options_.compression = CompressionType::kNone;
  family_options_.level0_file_num_compaction_trigger = 3;
  family_options_.merge_operator = NewMergeOperator("stringappend", {});
  // So that genuine releases from 7 on can read the files.
  family_options_.table_factory.block_based.format_version = 5;
  workload.change(&request.options, &family_options_);
  if (names.empty()) {
    auto listed = Db::ListColumnFamilies(request.options, path);
    if (!listed.ok()) return listed.status();
    names = std::move(*listed);
  }
  request.path = path;
  for (const std::string& name : names) request.column_families.push_back({name, family_options_});
  std::vector<std::unique_ptr<ColumnFamilyHandle>> handles;
  auto db = Db::Open(std::move(request), &handles);
  if (!db.ok()) return db.status();
  db_ = std::move(*db);
  for (size_t i = 0; i < names.size(); ++i) handles_[names[i]] = std::move(handles[i]);
  Settle();
  return Status::Ok();
}

Status OpenDatabase::Close() {
  if (db_ == nullptr) return Status::Ok();
  Settle();
  handles_.clear();
  Status status = db_->Close();
  db_.reset();
  return status;
}

std::vector<std::string> OpenDatabase::names() const {
  std::vector<std::string> names;
  for (const auto& [name, handle] : handles_) names.push_back(name);
  return names;
}

Status OpenDatabase::Create(const std::string& name) {
  auto handle = db_->CreateColumnFamily(family_options_, name);
  if (!handle.ok()) return handle.status();
  handles_[name] = std::move(*handle);
  return Status::Ok();
}

Status OpenDatabase::Drop(const std::string& name) {
  const auto found = handles_.find(name);
  Status status = db_->DropColumnFamily(found->second.get());
  if (status.ok()) handles_.erase(found);
  return status;
}

Status OpenDatabase::Read(Moment* moment, const Snapshot* snapshot) const {
  ReadOptions options;
  options.snapshot = snapshot;
  for (const auto& [name, handle] : handles_) {
    Content& content = (*moment)[name];
    const auto iterator = db_->NewIterator(options, handle.get());
    for (iterator->SeekToFirst(); iterator->valid(); iterator->Next()) {
      content[iterator->key().ToString()] = iterator->value().ToString();
    }
    if (Status s = iterator->status(); !s.ok()) return s;
  }
  return Status::Ok();
}

void FillBatch(uint64_t seed, size_t number, const OpenDatabase& database, WriteBatch* batch,
               Moment* moment) {
  Random random(seed * 7919 + number);
  struct Target {
    uint32_t id;
    Content* content;
  };
  std::vector<Target> targets;
  for (const auto& [name, handle] : database.handles()) {
    targets.push_back({handle->id(), &(*moment)[name]});
  }
  // Adding to a batch fails only for keys of gigabytes.
  for (int entry = 0; entry < 4; ++entry) {
    const Target& target = targets[random.Uniform(targets.size())];
    const std::string key = "k" + std::to_string(10 + random.Uniform(20));
    switch (random.Uniform(8)) {
      case 0:
        (void)batch->Delete(target.id, key).ok();
        target.content->erase(key);
        break;
      case 1: {
        const std::string end = "k" + std::to_string(10 + random.Uniform(20));
        if (key >= end) break;
        (void)batch->DeleteRange(target.id, key, end).ok();
        target.content->erase(target.content->lower_bound(key), target.content->lower_bound(end));
        break;
      }
      case 2: {
        const std::string merged = "m" + std::to_string(random.Uniform(3));
        const std::string operand = std::to_string(number);
        (void)batch->Merge(target.id, merged, operand).ok();
        std::string& value = (*target.content)[merged];
        value += (value.empty() ? "" : ",") + operand;
        break;
      }
      default: {
        // Seldom larger than a block of the log.
        const size_t size = random.OneIn(30) ? 40000 : random.Uniform(400);
        const std::string value = std::to_string(number) + std::string(size, 'v');
        (void)batch->Put(target.id, key, value).ok();
        (*target.content)[key] = value;
      }
    }
  }
  for (const Target& target : targets) {
    (void)batch->Put(target.id, kCounterKey, std::to_string(number)).ok();
    (*target.content)[kCounterKey] = std::to_string(number);
  }
}

Status Player::Begin() {
  database_ = std::make_unique<OpenDatabase>();
  const std::vector<std::string> names = {"default", "second"};
  if (Status s = database_->Open(fs_, workload_, /*create=*/true, names); !s.ok()) return s;
  history_.opened = Now();
  for (const std::string& name : names) {
    history_.families.push_back({.name = name, .create_begun = 0, .created = Now()});
  }
  return Status::Ok();
}

Status Player::Play() {
  if (Status s = Begin(); !s.ok()) return s;
  while (!done()) {
    if (Status s = Step(); !s.ok()) return s;
  }
  CloseDatabase();
  return Status::Ok();
}

void Player::CloseDatabase() {
  if (database_ == nullptr || database_->db() == nullptr) return;
  if (snapshot_ != nullptr) database_->db()->ReleaseSnapshot(std::exchange(snapshot_, nullptr));
  // Closing would flush what no log has, and wait for this thread. Where this fails, it does not.
  if (workload_.unlogged) (void)FlushSome().ok();
  (void)database_->Close().ok();
}

Status Player::Step() {
  if (Status s = WriteNext(); !s.ok()) return s;
  database_->Settle();
  if (Status s = Maintain(); !s.ok()) return s;
  database_->Settle();
  ++next_;
  return Status::Ok();
}

void Player::Promise(bool survives_power) {
  history_.promises.push_back({Now(), history_.moments.size() - 1, survives_power});
}

Status Player::WriteNext() {
  if (Due(workload_.ingest_every)) return IngestNext();
  WriteBatch batch;
  Moment moment = history_.moments.back();
  FillBatch(seed_, next_, *database_, &batch, &moment);
  WriteOptions options;
  options.sync = Due(workload_.sync_every);
  options.disable_wal = workload_.unlogged;
  history_.begun.push_back(Now());
  if (Status s = database_->db()->Write(options, &batch); !s.ok()) {
    failed_batch_ = next_;
    failed_moment_ = std::move(moment);
    return s;
  }
  history_.moments.push_back(std::move(moment));
  history_.sequences.push_back(database_->db()->LatestSequence());
  const bool buffered = database_->db()->GetDbOptions().manual_wal_flush && !options.sync;
  if (!workload_.unlogged && !buffered) Promise(/*survives_power=*/options.sync);
  return Status::Ok();
}

Status Player::Maintain() {
  if (Status s = CheckSnapshots(); !s.ok()) return s;
  Db* const db = database_->db();
  if (Due(workload_.sync_wal_every)) {
    const bool by_hand = db->GetDbOptions().manual_wal_flush;
    const bool sync = !by_hand || next_ % 3 == 0;
    if (Status s = by_hand ? db->FlushWal(sync) : db->SyncWal(); !s.ok()) return s;
    Promise(/*survives_power=*/sync);
  }
  if (Due(workload_.family_every)) {
    if (Status s = ChangeFamilies(); !s.ok()) return s;
  }
  if (Due(workload_.options_every)) {
    if (Status s = ChangeOptions(); !s.ok()) return s;
  }
  if (Due(workload_.flush_every)) {
    if (Status s = FlushSome(); !s.ok()) return s;
  }
  if (Due(workload_.compact_every)) {
    const auto handle = std::next(database_->handles().begin(), static_cast<long>(next_ % 2));
    // What it would flush is flushed first: a flush inside would wait for this thread.
    for (const auto& family : database_->handles()) {
      FlushOptions flush;
      flush.wait = false;
      if (Status s = db->Flush(flush, {family.second.get()}); !s.ok()) return s;
      database_->Settle();
    }
    CompactRangeOptions options;
    options.bottommost_level_compaction = BottommostLevelCompaction::kForceOptimized;
    if (Status s = db->CompactRange(options, handle->second.get(), nullptr, nullptr); !s.ok()) {
      return s;
    }
  }
  if (Due(workload_.checkpoint_every)) {
    if (Status s = MakeCheckpoint(); !s.ok()) return s;
  }
  if (Due(workload_.reopen_every)) return Reopen();
  return Status::Ok();
}

Status Player::ChangeFamilies() {
  History::Family family;
  family.name = "family" + std::to_string(next_);
  family.create_begun = Now();
  history_.families.push_back(family);
  if (Status s = database_->Create(family.name); !s.ok()) return s;
  history_.families.back().created = Now();
  // The one before the last goes.
  const size_t count = history_.families.size();
  if (count < 5) return Status::Ok();
  History::Family& old = history_.families[count - 3];
  old.drop_begun = Now();
  if (Status s = database_->Drop(old.name); !s.ok()) return s;
  old.dropped = Now();
  return Status::Ok();
}

Status Player::ChangeOptions() {
  Db* const db = database_->db();
  if (turn_++ % 3 == 2) {
    return db->SetDbOptions({{"max_total_wal_size", std::to_string((1 << 20) + next_)}});
  }
  const uint64_t size = (64 << 20) + next_;
  const size_t begun = Now();
  history_.settings.push_back({begun, kNever, size});
  Status s = db->SetOptions(database_->handles().at("default").get(),
                            {{"write_buffer_size", std::to_string(size)}});
  if (s.ok()) history_.settings.back().done = Now();
  return s;
}

Status Player::FlushSome() {
  Db* const db = database_->db();
  std::vector<ColumnFamilyHandle*> flushed;
  const auto& handles = database_->handles();
  if (db->GetDbOptions().atomic_flush) {
    for (const auto& [name, handle] : handles) flushed.push_back(handle.get());
  } else {
    flushed.push_back(
        std::next(handles.begin(), static_cast<long>(turn_++ % handles.size()))->second.get());
  }
  FlushOptions options;
  options.wait = false;
  history_.flush_points.push_back(history_.moments.size() - 1);
  // A flush of nothing makes nothing durable.
  bool nothing = true;
  for (ColumnFamilyHandle* const handle : flushed) {
    uint64_t entries = 1;
    (void)db->GetIntProperty(handle, "rocksdb.num-entries-active-mem-table", &entries);
    nothing = nothing && entries == 0;
  }
  if (Status s = db->Flush(options, flushed); !s.ok()) return s;
  database_->Settle();
  if (Status s = FlushHappened(flushed); !s.ok()) return s;
  if (!nothing) Promise(/*survives_power=*/true);
  return Status::Ok();
}

Status Player::FlushHappened(const std::vector<ColumnFamilyHandle*>& families) {
  Db* const db = database_->db();
  FlushOptions options;
  options.wait = false;
  // Asking again waits for nothing that is left to do.
  for (ColumnFamilyHandle* const handle : families) {
    uint64_t pending = 0;
    if (!db->GetIntProperty(handle, "rocksdb.num-immutable-mem-table", &pending) || pending > 0) {
      Status s = db->Flush(options, {handle});
      return s.ok() ? Status::IoError("a flush did not happen and nobody said why") : s;
    }
  }
  return Status::Ok();
}

Status Player::MakeCheckpoint() {
  History::Checkpoint checkpoint;
  checkpoint.path = "/checkpoint" + std::to_string(next_);
  checkpoint.begun = Now();
  checkpoint.done = kNever;
  checkpoint.batch = history_.moments.size() - 1;
  checkpoint.families = database_->names();
  history_.checkpoints.push_back(checkpoint);
  // It takes the logs along: a flush inside would wait for this thread.
  Status s = CreateCheckpoint(database_->db(), checkpoint.path, /*log_size_for_flush=*/UINT64_MAX);
  if (s.ok()) history_.checkpoints.back().done = Now();
  return s;
}

Status Player::Reopen() {
  if (snapshot_ != nullptr) database_->db()->ReleaseSnapshot(std::exchange(snapshot_, nullptr));
  const std::vector<std::string> names = database_->names();
  // What the log had still in memory is lost if it cannot be written now.
  if (database_->Close().ok()) Promise(/*survives_power=*/false);
  // It is opened with the options that it had at first.
  if (!history_.settings.empty()) history_.settings.push_back({Now(), Now(), 0});
  if (Status s = database_->Open(fs_, workload_, /*create=*/false, names); !s.ok()) return s;
  Promise(/*survives_power=*/true);
  return Status::Ok();
}

Status Player::CheckSnapshots() {
  if (next_ % 9 != 0) return Status::Ok();
  Db* const db = database_->db();
  if (snapshot_ != nullptr) {
    Moment found;
    Status s = database_->Read(&found, snapshot_);
    db->ReleaseSnapshot(std::exchange(snapshot_, nullptr));
    if (!s.ok()) return s;
    const Moment& expected = history_.moments[snapshot_batch_];
    for (const auto& [name, content] : found) {
      const auto then = expected.find(name);
      if (content != (then == expected.end() ? Content() : then->second)) {
        return Status::Corruption("a snapshot of family " + name + " has changed");
      }
    }
  }
  snapshot_ = db->GetSnapshot();
  snapshot_batch_ = history_.moments.size() - 1;
  return Status::Ok();
}

}  // namespace skarn
