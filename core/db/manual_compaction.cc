// Compactions that callers ask for, and changes of a level as a whole.

#include <algorithm>
#include <optional>
#include <utility>

#include "core/db/db_impl.h"
#include "core/key/internal_cursor.h"

namespace skarn {

namespace {

Status Paused() {
  return Status(Status::Code::kIncomplete, Status::Subcode::kManualCompactionPaused);
}

// Whether an entry, or one of `tombstones` (null: none), lies between two keys, both included.
bool HasKeyBetween(const KeyOrder& order, InternalCursor* cursor,
                   const FragmentedTombstones* tombstones, Slice begin, Slice end) {
  if (tombstones != nullptr) {
    const size_t index = tombstones->Find(begin);
    if (index < tombstones->fragments().size() &&
        order.CompareStripped(tombstones->fragments()[index].start, end) <= 0) {
      return true;
    }
  }
  // The newest timestamp sorts first.
  cursor->Seek(Concat(begin, std::string(order.timestamp_size(), '\xff')), kMaxTag);
  return cursor->valid() &&
         order.CompareStripped(order.StripTimestamp(cursor->user_key()), end) <= 0;
}

// Whether a memtable has something in the range; null bounds are open ends.
bool MemtableOverlaps(const MemTable& table, const KeyOrder& order, const Slice* begin,
                      const Slice* end) {
  if (table.empty()) return false;
  if (begin == nullptr || end == nullptr) return true;
  const auto tombstones = table.Tombstones(kMaxSequenceNumber);
  return HasKeyBetween(order, table.NewCursor().get(), tombstones.get(), *begin, *end);
}

// The same for the files of a level: with both bounds, what is in the files counts and not what
// they span. A file that cannot be read counts as having something. Reads files.
bool LevelOverlaps(Version* version, int level, const Slice* begin, const Slice* end) {
  const VersionStorage& storage = version->storage();
  if (!storage.RangeOverlaps(level, begin, end)) return false;
  if (begin == nullptr || end == nullptr) return true;
  const KeyOrder& order = version->order();
  std::vector<FileMetadata*> files;
  storage.OverlappingFiles(level, begin, end, &files, /*grow=*/false);
  ReadOptions read;
  read.total_order_seek = true;
  for (FileMetadata* file : files) {
    TableSource source;
    Status s = version->OpenTable(read, level, file, TableCaller::kUserIterator,
                                  /*compaction_readahead_bytes=*/0, &source);
    if (!s.ok()) return true;
    // Tombstones reach beyond the file, but do not count there.
    const Slice smallest = order.StripTimestamp(file->smallest_user_key());
    const Slice largest = order.StripTimestamp(file->largest_user_key());
    const Slice from = order.CompareStripped(*begin, smallest) < 0 ? smallest : *begin;
    const Slice to = order.CompareStripped(largest, *end) < 0 ? largest : *end;
    if (HasKeyBetween(order, source.cursor.get(), source.tombstones.get(), from, to) ||
        !source.cursor->status().ok()) {
      return true;
    }
  }
  return false;
}

}  // namespace

Status DbImpl::CompactRange(const CompactRangeOptions& options, ColumnFamilyHandle* handle,
                            const Slice* begin, const Slice* end) {
  if (Status s = RejectWrite(); !s.ok()) return s;
  ColumnFamily* const family = FamilyOf(handle);
  if (manual_compactions_disabled_.load(std::memory_order_acquire) > 0 ||
      (options.canceled != nullptr && options.canceled->load(std::memory_order_acquire))) {
    return Paused();
  }
  if (options.target_path_id >= family->versions()->directories().size()) {
    return Status::InvalidArgument("Invalid target path ID");
  }
  if (!options.full_history_ts_low.empty()) {
    Status status = IncreaseFullHistoryTimestampLow(handle, options.full_history_ts_low);
    if (!status.ok()) return status;
  }
  bool flush = false;
  {
    MutexLock lock(&mutex_);
    if (options.change_level && options.target_level >= family->versions()->num_levels()) {
      return Status::InvalidArgument("Target level exceeds number of levels");
    }
    if (options.change_level && family->options().compaction_style == CompactionStyle::kFIFO) {
      return Status::NotSupported("FIFO compaction does not support change_level.");
    }
    flush = MemtableOverlaps(*family->active(), family->order(), begin, end);
    for (const ImmutableList::Entry& entry : family->immutables().entries()) {
      flush = flush || MemtableOverlaps(*entry.table, family->order(), begin, end);
    }
  }
  if (flush) {
    FlushOptions flush_options;
    flush_options.allow_write_stall = options.allow_write_stall;
    Status status = FlushFamilies({family}, flush_options, FlushReason::kManualCompaction);
    if (!status.ok()) return status;
  }
  return CompactLevels(options, family, begin, end);
}

Status DbImpl::CompactLevels(const CompactRangeOptions& options, ColumnFamily* family,
                             const Slice* begin, const Slice* end) {
  CompactionStyle style;
  bool dynamic = false, has_filter = false;
  int first = -1, levels = 0;
  uint64_t next_file_number = 0;
  Version* version = nullptr;
  {
    MutexLock lock(&mutex_);
    const ColumnFamilyOptions& now = family->options();
    style = now.compaction_style;
    dynamic = now.level_compaction_dynamic_level_bytes;
    has_filter = now.compaction_filter != nullptr || now.compaction_filter_factory != nullptr;
    version = family->versions()->current();
    version->Ref();
    levels = version->storage().num_levels();
    next_file_number = versions_->next_file_number();
  }
  for (int level = 0; first < 0 && level < version->storage().num_non_empty_levels(); ++level) {
    if (LevelOverlaps(version, level, begin, end)) first = level;
  }
  version->Unref();
  Status status;
  int final_level = std::max(first, 0);
  if (first >= 0 && (style == CompactionStyle::kFIFO || levels == 1)) {
    status = RunManualCompaction(options, family, /*input_level=*/0, &final_level, begin, end,
                                 /*max_file_number=*/UINT64_MAX, /*allow_move=*/true);
  } else if (first >= 0) {
    // Down, level by level, to the lowest that has files, or with dynamic levels to the last.
    const auto is_last = [&] {
      if (final_level == 0) return false;
      if (dynamic) return final_level + 1 >= levels;
      MutexLock lock(&mutex_);
      return final_level + 1 >= family->versions()->current()->storage().num_non_empty_levels();
    };
    while (status.ok() && !is_last()) {
      const int level = final_level;
      final_level = level == 0 && dynamic ? kToBaseLevel : level + 1;
      status = RunManualCompaction(options, family, level, &final_level, begin, end,
                                   /*max_file_number=*/UINT64_MAX, /*allow_move=*/true);
    }
    const BottommostLevelCompaction bottommost = options.bottommost_level_compaction;
    if (status.ok() &&
        (bottommost == BottommostLevelCompaction::kForce ||
         bottommost == BottommostLevelCompaction::kForceOptimized ||
         (bottommost == BottommostLevelCompaction::kIfHaveCompactionFilter && has_filter))) {
      // There, what was not written just now is rewritten in place; forced, all of it.
      status = RunManualCompaction(
          options, family, final_level, &final_level, begin, end,
          bottommost == BottommostLevelCompaction::kForce ? UINT64_MAX : next_file_number,
          /*allow_move=*/false);
    }
  }
  if (status.ok() && options.change_level) {
    // No compaction may be under way between the levels.
    status = PauseBackgroundWork();
    if (status.ok()) {
      status = ChangeLevel(family, final_level, options.target_level);
      (void)ContinueBackgroundWork().ok();
    }
  }
  Log(LogLevel::kInfo, info_log_.get(), "[%s] Manual compaction ended: %s", family->name().c_str(),
      status.ToString().c_str());
  return status;
}

Status DbImpl::RunManualCompaction(const CompactRangeOptions& options, ColumnFamily* family,
                                   int input_level, int* output_level, const Slice* begin,
                                   const Slice* end, uint64_t max_file_number, bool allow_move) {
  const int wanted_output = *output_level;
  const std::atomic<bool>* const pause =
      options.canceled != nullptr ? options.canceled : &manual_compactions_stopped_;
  const bool exclusive = options.exclusive_manual_compaction;
  std::string begin_storage;
  Slice begin_slice;
  Status status;
  MutexLock lock(&mutex_);
  ++manual_waiting_;
  if (exclusive) ++exclusive_manual_;
  while (true) {
    if (manual_compactions_stopped_.load(std::memory_order_acquire) ||
        pause->load(std::memory_order_acquire)) {
      status = Paused();
      break;
    }
    if (shutting_down_.load(std::memory_order_acquire)) {
      status = Status::ShutdownInProgress();
      break;
    }
    if (errors_.stops_compactions()) {
      status = errors_.error();
      break;
    }
    if (family->dropped()) {
      status = Status::ColumnFamilyDropped();
      break;
    }
    if (pause_count_ > 0 || (exclusive && (compactions_scheduled_ > 0 || manual_running_ > 0)) ||
        (!exclusive && exclusive_manual_ > 0)) {
      // Woken also to look at a flag that a caller sets from outside.
      (void)work_done_.WaitFor(100000);
      continue;
    }
    ManualRange range;
    range.input_level = input_level;
    if (wanted_output == kToBaseLevel) {
      const int base = family->versions()->current()->storage().base_level();
      *output_level = base > 0 ? base : 1;
    }
    range.output_level = *output_level;
    range.begin = begin;
    range.end = end;
    range.max_file_number = max_file_number;
    range.options = options;
    bool conflict = false;
    std::optional<std::string> next_begin;
    std::unique_ptr<Compaction> compaction = family->picker()->PickManual(
        family->versions()->current(), family->options(), *options_, range, &conflict, &next_begin);
    if (compaction == nullptr && conflict) {
      (void)work_done_.WaitFor(100000);
      continue;
    }
    if (compaction != nullptr) {
      compaction->trim_timestamp = options.trim_timestamp;
      Cleanup cleanup;
      // Deleting the log of a flush that ended just before takes longer than moving a file.
      cleanup.leave_logs = true;
      ++manual_running_;
      const auto protection = ProtectNewFiles();
      status = RunCompaction(family, compaction.get(), pause, &cleanup, allow_move);
      family->picker()->Release(compaction.get());
      compaction.reset();
      if (!family->dropped()) {
        Rescore(family);
        QueueCompaction(family);
      }
      UnprotectNewFiles(protection);
      lock.Unlock();
      RunCleanup(&cleanup);
      lock.Lock();
      --manual_running_;
      work_done_.SignalAll();
      if (!status.ok()) break;
    }
    if (!next_begin.has_value()) break;
    begin_storage = std::move(*next_begin);
    begin_slice = begin_storage;
    begin = &begin_slice;
  }
  if (exclusive) --exclusive_manual_;
  --manual_waiting_;
  MaybeSchedule();
  work_done_.SignalAll();
  return status;
}

Status DbImpl::ChangeLevel(ColumnFamily* family, int level, int target_level) {
  Cleanup cleanup;
  Status status;
  {
    MutexLock lock(&mutex_);
    while (manual_running_ > 0) work_done_.Wait();  // Ingestions, and others' pieces.
    if (refitting_) return Status::NotSupported("another thread is refitting");
    const VersionStorage& storage = family->versions()->current()->storage();
    int to = target_level;
    if (to < 0) {
      to = level;
      for (int i = level - 1; i > 0; --i) {
        if (storage.file_count(i) > 0 || storage.target_bytes(i) < storage.level_bytes(level))
          break;
        to = i;
      }
    }
    if (to == level) return Status::Ok();
    if (to > level && level == 0) {
      return Status::NotSupported("Cannot change from level 0 to other levels.");
    }
    const int between_first = to > level ? level + 1 : to;
    const int between_last = to > level ? to : level - 1;
    for (int i = between_first; i <= between_last; ++i) {
      if (storage.file_count(i) > 0) {
        return Status::NotSupported("Levels between source and target are not empty for a move.");
      }
    }
    if (to == 0 && storage.file_count(level) > 1) {
      return Status::Aborted(
          "Moving more than 1 file from non-L0 to L0 is not allowed as it does not bring any "
          "benefit to read nor write throughput.");
    }
    refitting_ = true;
    VersionEdit edit;
    edit.column_family = family->id();
    for (const FileMetadata* file : storage.level(level)) {
      edit.DeleteFile(level, file->number);
      edit.AddFile(to, *file);
    }
    versions_->set_last_sequence(visible());
    status = versions_->LogAndApply(family->versions(), &edit, db_directory_.get());
    if (status.ok()) {
      InstallSuperVersion(family, &cleanup);
    } else {
      manifest_uncertain_ = true;
      SetBackgroundError(status, ErrorCause::kManifestWrite);
    }
    refitting_ = false;
    work_done_.SignalAll();
  }
  RunCleanup(&cleanup);
  return status;
}

Status DbImpl::SuggestCompactRange(ColumnFamilyHandle* handle, const Slice* begin,
                                   const Slice* end) {
  if (Status s = RejectWrite(); !s.ok()) return s;
  ColumnFamily* const family = FamilyOf(handle);
  MutexLock lock(&mutex_);
  VersionStorage* const storage = family->versions()->current()->mutable_storage();
  // Files of the last level have nowhere to go.
  for (int level = 0; level < storage->num_non_empty_levels() - 1; ++level) {
    std::vector<FileMetadata*> files;
    storage->OverlappingFiles(level, begin, end, &files);
    for (FileMetadata* file : files) {
      file->marked_by_request = true;
      file->marked_for_compaction = true;
    }
  }
  Rescore(family);
  QueueCompaction(family);
  MaybeSchedule();
  return Status::Ok();
}

// The two are counted, and may come in either order: enabling first makes the next disabling
// have no effect, as it does in RocksDB.
void DbImpl::DisableManualCompaction() {
  MutexLock lock(&mutex_);
  if (manual_compactions_disabled_.fetch_add(1, std::memory_order_acq_rel) < 0) return;
  manual_compactions_stopped_.store(true, std::memory_order_release);
  work_done_.SignalAll();
  while (manual_waiting_ > 0) work_done_.Wait();
}

void DbImpl::EnableManualCompaction() {
  MutexLock lock(&mutex_);
  if (manual_compactions_disabled_.fetch_sub(1, std::memory_order_acq_rel) <= 1) {
    manual_compactions_stopped_.store(false, std::memory_order_release);
  }
}

}  // namespace skarn
