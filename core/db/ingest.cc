// Taking table files in that were written outside (core/manage/sst_file_writer.h).
//
// All files of a call become visible together. A file gets the lowest level where nothing
// above holds keys of its range, and no compaction writes there now; when something in the
// database or another of the files does, its entries get a new sequence number, which stands
// in the MANIFEST only.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/base/coding.h"
#include "core/compaction/output_writer.h"
#include "core/db/db_impl.h"
#include "core/db/event_log.h"
#include "core/table/meta_block_names.h"
#include "core/table/unique_id.h"
#include "core/version/file_names.h"

namespace skarn {
namespace {

// One file on its way in.
struct Incoming {
  std::string given_path;
  std::string path;  // Inside the database; empty before anything is there.
  FileMetadata file;
  std::string smallest_key;  // User keys without timestamps.
  std::string largest_key;
  bool largest_exclusive = false;  // The end of a range deletion.
  int level = 0;
  SequenceNumber sequence = 0;
};

Status CheckVersion(const TableProperties& properties) {
  const auto& collected = properties.user_collected;
  const auto version_at = collected.find(kExternalFileVersionProperty);
  if (version_at == collected.end() || version_at->second.size() != sizeof(uint32_t)) {
    return Status::Corruption("External file version not found");
  }
  const uint32_t version = DecodeFixed32(version_at->second.data());
  if (version == 1) {
    return Status::InvalidArgument("External SST file V1 does not support global seqno");
  }
  if (version != 2) {
    return Status::InvalidArgument(Concat("External file version ", version, " is not supported"));
  }
  const auto sequence_at = collected.find(kExternalFileGlobalSequenceProperty);
  if (sequence_at == collected.end()) {
    return Status::Corruption("External file global sequence number not found");
  }
  // Its own would contradict the one of the MANIFEST each time the file is opened.
  if (sequence_at->second != std::string(sizeof(uint64_t), '\0')) {
    return Status::Corruption("External file has non zero sequence number");
  }
  return Status::Ok();
}

// Opens the file where it is and fills in what its content tells.
Status Inspect(const DbOptions& db, const ColumnFamily& family, const ColumnFamilyOptions& options,
               bool verify, Incoming* incoming) {
  FileSystem* const fs = db.env->file_system;
  const Result<uint64_t> size = fs->FileSize(incoming->given_path);
  if (!size.ok()) return size.status();
  auto opened = fs->NewRandomAccessFile(incoming->given_path, FileOptions());
  if (!opened.ok()) return opened.status();
  TableReaderOptions table;
  table.order = &family.order();
  table.table = options.table_factory.block_based;
  table.table.block_cache = nullptr;
  table.table.no_block_cache = true;
  table.prefix_extractor = options.prefix_extractor;
  table.env = db.env;
  table.path = incoming->given_path;
  table.file_size_bytes = *size;
  auto reader = TableReader::Open(table, std::move(*opened));
  if (!reader.ok()) return reader.status();
  const TableProperties& properties = *(*reader)->properties();
  if (Status s = CheckVersion(properties); !s.ok()) return s;
  if (properties.comparator_name != family.order().comparator()->Name()) {
    return Status::InvalidArgument(
        family.order().comparator()->Name(),
        Concat("does not match existing comparator ", properties.comparator_name));
  }
  ReadOptions read;
  read.fill_cache = false;
  read.total_order_seek = true;
  if (verify) {
    if (Status s = (*reader)->VerifyChecksums(read); !s.ok()) return s;
  }

  FileMetadata& file = incoming->file;
  file.size_bytes = *size;
  file.tail_size_bytes =
      properties.tail_start_offset != 0 ? *size - properties.tail_start_offset : 0;
  file.sampled = true;
  file.entries = properties.num_entries;
  file.deletions = properties.num_deletions;
  file.range_deletions = properties.num_range_deletions;
  file.raw_key_bytes = properties.raw_key_size;
  file.raw_value_bytes = properties.raw_value_size;
  file.timestamps_persisted = properties.user_defined_timestamps_persisted != 0;
  const Result<UniqueId> id = ComputeUniqueId(properties);
  if (id.ok()) {
    file.unique_id[0] = id->words[0];
    file.unique_id[1] = id->words[1];
  }
  const KeyOrder& order = family.order();
  const auto cursor = (*reader)->NewCursor(read, TableCaller::kVerify, /*skip_filters=*/true);
  cursor->SeekToFirst();
  if (cursor->valid()) {
    file.ExtendTo(order, cursor->user_key(), cursor->tag());
    cursor->SeekToLast();
    if (cursor->valid()) file.ExtendTo(order, cursor->user_key(), cursor->tag());
  }
  if (!cursor->status().ok()) return cursor->status();
  if (const auto tombstones = (*reader)->Tombstones(); tombstones != nullptr) {
    for (const auto& fragment : tombstones->fragments()) {
      const std::string stamp(order.timestamp_size(), '\xff');
      file.ExtendToRange(
          order, PackKey(Concat(fragment.start, stamp), PackTag(0, EntryKind::kRangeDeletion)),
          PackKey(Concat(fragment.end, stamp), FileRecord::kRangeEndTag), 0);
    }
  }
  if (file.smallest.empty()) return Status::InvalidArgument("File contain no entries");
  incoming->smallest_key = order.StripTimestamp(file.smallest_user_key()).ToString();
  incoming->largest_key = order.StripTimestamp(file.largest_user_key()).ToString();
  incoming->largest_exclusive = file.largest_is_exclusive();
  return Status::Ok();
}

// Whether two ranges share a key.
bool Overlap(const KeyOrder& order, const Incoming& a, Slice smallest, Slice largest,
             bool largest_exclusive) {
  const int left = order.CompareStripped(a.smallest_key, largest);
  const int right = order.CompareStripped(smallest, a.largest_key);
  return (left < 0 || (left == 0 && !largest_exclusive)) &&
         (right < 0 || (right == 0 && !a.largest_exclusive));
}

// Whether a source has an entry or a tombstone in the range.
bool HoldsKeys(const KeyOrder& order, InternalCursor* cursor,
               const FragmentedTombstones* tombstones, const Incoming& incoming, Status* status) {
  const std::string begin =
      Concat(incoming.smallest_key, std::string(order.timestamp_size(), '\xff'));
  cursor->Seek(begin, kMaxTag);
  if (!cursor->status().ok()) *status = cursor->status();
  if (cursor->valid()) {
    const int at =
        order.CompareStripped(order.StripTimestamp(cursor->user_key()), incoming.largest_key);
    if (at < 0 || (at == 0 && !incoming.largest_exclusive)) return true;
  }
  if (tombstones == nullptr) return false;
  for (const auto& fragment : tombstones->fragments()) {
    if (Overlap(order, incoming, fragment.start, fragment.end, /*largest_exclusive=*/true)) {
      return true;
    }
  }
  return false;
}

// Whether files of the level hold keys of the range. Reads files: without the db mutex.
Result<bool> LevelHoldsKeys(Version* version, int level, const Incoming& incoming) {
  const KeyOrder& order = version->storage().order();
  const Slice begin = incoming.smallest_key, end = incoming.largest_key;
  std::vector<FileMetadata*> files;
  version->storage().OverlappingFiles(level, &begin, &end, &files, /*grow=*/false);
  ReadOptions read;
  read.fill_cache = false;
  read.total_order_seek = true;
  for (FileMetadata* file : files) {
    Result<TableHold> table = version->table_cache()->Hold(file, level);
    if (!table.ok()) return table.status();
    const auto cursor = (*table)->NewCursor(read, TableCaller::kUser, /*skip_filters=*/true);
    const auto tombstones = (*table)->Tombstones();
    Status status;
    const bool holds = HoldsKeys(order, cursor.get(), tombstones.get(), incoming, &status);
    if (!status.ok()) return status;
    if (holds) return true;
  }
  return false;
}

}  // namespace

Status DbImpl::IngestExternalFiles(ColumnFamilyHandle* handle,
                                   const std::vector<std::string>& paths,
                                   const IngestOptions& ingest) {
  if (Status s = RejectWrite(); !s.ok()) return s;
  if (paths.empty()) return Status::InvalidArgument("external_files[0] is empty");
  ColumnFamily* const family = FamilyOf(handle);
  if (family->dropped()) return Status::ColumnFamilyDropped();
  const KeyOrder& order = family->order();
  const std::shared_ptr<const DbOptions> db = db_options();
  const ColumnFamilyOptions options = GetColumnFamilyOptions(handle);
  if (ingest.ingest_behind && !db->allow_ingest_behind && !options.cf_allow_ingest_behind) {
    return Status::InvalidArgument(
        "Can't ingest_behind file in ColumnFamily %s with cf_allow_ingest_behind=false");
  }

  std::vector<Incoming> files(paths.size());
  for (size_t i = 0; i < paths.size(); ++i) {
    files[i].given_path = paths[i];
    Status s = Inspect(*db, *family, options, ingest.verify_checksums, &files[i]);
    if (!s.ok()) return s;
  }
  bool files_overlap = false;
  {
    std::vector<const Incoming*> ordered;
    for (const Incoming& incoming : files) ordered.push_back(&incoming);
    std::sort(ordered.begin(), ordered.end(), [&](const Incoming* a, const Incoming* b) {
      return order.CompareStripped(a->smallest_key, b->smallest_key) < 0;
    });
    for (size_t i = 1; i < ordered.size(); ++i) {
      files_overlap =
          files_overlap || Overlap(order, *ordered[i - 1], ordered[i]->smallest_key,
                                   ordered[i]->largest_key, ordered[i]->largest_exclusive);
    }
  }
  if (files_overlap && ingest.ingest_behind) {
    return Status::NotSupported(
        "Files with overlapping ranges cannot be ingested with ingestion behind mode.");
  }
  if (files_overlap && !ingest.allow_global_sequence) {
    return Status::InvalidArgument("Global seqno is required, but disabled");
  }
  if (files_overlap && order.timestamp_size() > 0) {
    return Status::NotSupported(
        "Files with overlapping ranges cannot be ingested to column family with user-defined "
        "timestamp enabled.");
  }

  std::list<uint64_t>::iterator protection;
  {
    MutexLock lock(&mutex_);
    protection = ProtectNewFiles();
  }
  const std::string directory = DirectoryOfPath(family->versions()->directories(), 0);
  Status status;
  for (Incoming& incoming : files) {
    incoming.file.number = versions_->NewFileNumber();
    const std::string path = TableFileName(directory, incoming.file.number);
    incoming.path = path;  // From here on there may be something to delete.
    bool linked = false;
    if (ingest.move_files) {
      linked = fs_->LinkFile(incoming.given_path, path).ok();
      if (linked) status = SyncFile(path);
    }
    // Also from another file system, or one without links.
    if (!linked) status = CopyFile(fs_, incoming.given_path, path, 0, /*sync=*/true);
    if (!status.ok()) break;
  }
  if (status.ok()) status = SyncDirectories(fs_, {directory});
  Cleanup cleanup;
  if (status.ok()) {
    Writer writer;
    queue_.EnterExclusive(&writer);
    std::vector<Incoming*> pointers;
    status = FlushOverlapped(
        family, ingest, [&](InternalCursor* cursor, const FragmentedTombstones* tombstones) {
          Status ignored;  // Memtables do not fail.
          return std::any_of(files.begin(), files.end(), [&](const Incoming& incoming) {
            return HoldsKeys(order, cursor, tombstones, incoming, &ignored);
          });
        });
    if (status.ok()) {
      MutexLock lock(&mutex_);
      // From here until the MANIFEST names the files nothing else may be put on levels that was
      // not on its way already: like a piece of an exclusive manual compaction, but one that waits
      // for no other, because it can tell where the others write to.
      while (refitting_) work_done_.Wait();
      ++manual_running_;
      ++exclusive_manual_;
      if (errors_.stops_writes()) status = errors_.error();
      SequenceNumber next = last_allocated_ + 1;
      // What comes behind is older than all data: a number would make it the newest.
      const bool for_snapshots = ingest.snapshot_consistency && !ingest.ingest_behind;
      bool number_all = for_snapshots && snapshots_.count() > 0;
      bool held_off = false;
      VersionEdit edit;
      // Levels are chosen in a version without the mutex; another one begins it anew.
      while (status.ok()) {
        Version* const version = family->versions()->current();
        version->Ref();
        const VersionStorage& storage = version->storage();
        next = last_allocated_ + 1;
        for (Incoming& incoming : files) {
          incoming.sequence = number_all || files_overlap ? next : 0;
          incoming.level = 0;
          bool overlaps = files_overlap;
          const int levels = storage.num_levels();
          if (ingest.ingest_behind) {
            const Slice begin = incoming.smallest_key, end = incoming.largest_key;
            incoming.level = levels - 1;
            if (storage.RangeOverlaps(levels - 1, &begin, &end)) {
              status = Status::InvalidArgument(
                  "Can't ingest_behind file as it doesn't fit at the last level!");
            }
          } else if (!files_overlap) {
            for (int level = 0; level < levels && status.ok(); ++level) {
              if (level > 0 && level < storage.base_level()) continue;
              const Slice begin = incoming.smallest_key, end = incoming.largest_key;
              if (family->picker()->OverlapsRunningOutput(begin, end, level)) {
                overlaps = true;  // With what is written there, and may be below.
                break;
              }
              if (storage.RangeOverlaps(level, &begin, &end)) {
                mutex_.Unlock();
                const Result<bool> holds = LevelHoldsKeys(version, level, incoming);
                mutex_.Lock();
                status = holds.ok() ? Status::Ok() : holds.status();
                overlaps = status.ok() && *holds;
                if (overlaps || !status.ok()) break;
                if (level > 0) continue;  // It does not fit between the files there.
              }
              incoming.level = level;
            }
          }
          if (overlaps && order.timestamp_size() > 0) {
            status = Status::InvalidArgument(
                "Column family enables user-defined timestamps, please make sure the key range "
                "(without timestamp) of external file does not overlap with key range (without "
                "timestamp) in the db");
          }
          if (!status.ok()) break;
          if (ingest.fail_if_not_bottommost_level && incoming.level < levels - 1) {
            status = Status::TryAgain(
                "Files cannot be ingested to Lmax. Please make sure key range of Lmax and ongoing "
                "compaction's output to Lmaxdoes not overlap with files to ingest.");
            break;
          }
          if (overlaps && incoming.sequence == 0) incoming.sequence = next;
          if (incoming.sequence != 0 && !ingest.allow_global_sequence) {
            status = Status::InvalidArgument("Global seqno is required, but disabled");
            break;
          }
          if (incoming.sequence != 0) next = incoming.sequence + 1;
        }
        const bool same = version == family->versions()->current();
        version->Unref();
        if (!status.ok()) break;
        if (!same) continue;
        // A file without a number of its own is of all times: no snapshot may begin without it
        // and find it later.
        if (!for_snapshots || number_all) break;
        held_off = snapshots_.HoldOff();
        if (held_off) break;
        number_all = true;
      }
      if (status.ok() && family->dropped()) status = Status::ColumnFamilyDropped();
      if (status.ok()) {
        SequenceNumber largest = 0;
        const uint64_t now_s = env_->clock->NowSeconds();
        edit.column_family = family->id();
        for (Incoming& incoming : files) {
          FileMetadata& file = incoming.file;
          largest = std::max(largest, incoming.sequence);
          file.smallest_sequence = file.largest_sequence = incoming.sequence;
          const auto number = [&](std::string* packed) {
            if (PackedTag(*packed) == FileRecord::kRangeEndTag) return;
            *packed = PackKey(PackedUserKey(*packed).ToString(),
                              PackTag(incoming.sequence, TagKind(PackedTag(*packed))));
          };
          number(&file.smallest);
          number(&file.largest);
          file.epoch_number = ingest.ingest_behind ? kEpochReservedForIngestBehind
                                                   : family->versions()->NewEpochNumber();
          file.oldest_ancestor_time = file.file_creation_time = now_s;
          edit.AddFile(incoming.level, file);
        }
        const SequenceNumber last = std::max(last_allocated_, largest);
        versions_->set_last_sequence(std::max(visible(), last));
        status = versions_->LogAndApply(family->versions(), &edit, db_directory_.get());
        if (status.ok()) {
          InstallSuperVersion(family, &cleanup);
          last_allocated_ = last;
          Publish(last);
          for (const Incoming& incoming : files) {
            CountTableFile(incoming.path, incoming.file.size_bytes, ErrorCause::kFlush);
          }
          QueueCompaction(family);
        } else if (!status.IsColumnFamilyDropped()) {
          manifest_uncertain_ = true;
          SetBackgroundError(status, ErrorCause::kManifestWrite);
        }
      }
      if (held_off) snapshots_.LetIn();
      --manual_running_;
      --exclusive_manual_;
      MaybeSchedule();
      work_done_.SignalAll();
    }
    queue_.LeaveExclusive(&writer);
  }
  bool uncertain = false;
  {
    MutexLock lock(&mutex_);
    UnprotectNewFiles(protection);
    uncertain = manifest_uncertain_;
  }
  RunCleanup(&cleanup);
  for (const Incoming& incoming : files) {
    if (status.ok() && ingest.move_files) {
      (void)fs_->DeleteFile(incoming.given_path)
          .ok();  // The database has the file by its own name.
    } else if (!status.ok() && !uncertain && !incoming.path.empty()) {
      DeleteObsolete(incoming.path);
    }
  }
  if (status.ok()) {
    EventLine event(env_->clock->NowMicros());
    event.Add("event", "ingest_finished");
    std::vector<uint64_t> numbers;
    for (const Incoming& incoming : files) numbers.push_back(incoming.file.number);
    LogEvent(event.AddList("files_ingested", numbers).Take());
  }
  return status;
}

Status DbImpl::SyncFile(const std::string& path) {
  auto file = fs_->ReopenWritableFile(path, FileOptions());
  if (!file.ok()) return file.status();
  Status status = (*file)->Sync();
  Status closed = (*file)->Close();
  return status.ok() ? closed : status;
}

Status DbImpl::FlushOverlapped(
    ColumnFamily* family, const IngestOptions& ingest,
    const std::function<bool(InternalCursor*, const FragmentedTombstones*)>& overlaps) {
  bool needed = false;
  {
    MutexLock lock(&mutex_);
    std::vector<MemTable*> tables = {family->active()};
    for (const auto& entry : family->immutables().entries()) tables.push_back(entry.table);
    for (MemTable* table : tables) {
      if (needed || table->empty()) continue;
      const auto cursor = table->NewCursor();
      const auto tombstones = table->Tombstones(kMaxSequenceNumber);
      needed = overlaps(cursor.get(), tombstones.get());
    }
  }
  if (!needed) return Status::Ok();
  if (!ingest.allow_blocking_flush) {
    return Status::InvalidArgument("External file requires flush");
  }
  if (family->timestamp_size() > 0) {
    return Status::InvalidArgument(
        "Column family enables user-defined timestamps, please make sure the key range (without "
        "timestamp) of external file does not overlap with key range in the memtables.");
  }
  FlushOptions flush;
  flush.allow_write_stall = true;
  return FlushFamilies({family}, flush, FlushReason::kExternalFileIngestion,
                       /*entered_queue=*/true);
}

}  // namespace skarn
