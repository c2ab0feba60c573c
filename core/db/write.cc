// Writes: from the caller's bytes through the commit queue into log and memtables.

#include <algorithm>
#include <cstring>
#include <deque>
#include <limits>

#include "core/base/futex.h"
#include "core/batch/batch_format.h"
#include "core/batch/write_batch.h"
#include "core/db/db_impl.h"
#include "core/key/key_bytes.h"
#include "core/key/point_lookup.h"
#include "core/metrics/perf_context.h"
#include "core/metrics/statistics.h"

namespace skarn {

namespace {

constexpr size_t kKeySizeMax = std::numeric_limits<uint32_t>::max() - kTagSize;
constexpr size_t kValueSizeMax = std::numeric_limits<uint32_t>::max();
// Groups with at least this many bytes are inserted by their members in parallel; smaller ones
// are done before the members would be awake.
constexpr size_t kParallelInsertBytes = 64 << 10;

// A group whose members insert their own entries.
struct ParallelInsert {
  const FamilyTable* families = nullptr;
  std::atomic<uint32_t> pending{0};  // Members that are not done.
  std::atomic<uint32_t> notices{0};  // Of all members.
};

// The tag for the default family; `*with_family` gets the one that a family's id follows.
BatchTag TagOf(EntryKind kind, BatchTag* with_family) {
  switch (kind) {
    case EntryKind::kDeletion:
    case EntryKind::kDeletionWithTimestamp:
      *with_family = BatchTag::kDeleteCf;
      return BatchTag::kDelete;
    case EntryKind::kSingleDeletion:
      *with_family = BatchTag::kSingleDeleteCf;
      return BatchTag::kSingleDelete;
    case EntryKind::kMerge:
      *with_family = BatchTag::kMergeCf;
      return BatchTag::kMerge;
    case EntryKind::kRangeDeletion:
      *with_family = BatchTag::kDeleteRangeCf;
      return BatchTag::kDeleteRange;
    default:
      *with_family = BatchTag::kPutCf;
      return BatchTag::kPut;
  }
}

bool HasValue(EntryKind kind) {
  return kind == EntryKind::kValue || kind == EntryKind::kMerge ||
         kind == EntryKind::kRangeDeletion;
}

// Bytes of the one entry of a writer in the log.
size_t EntryLogSize(uint32_t family, EntryKind kind, Slice key, Slice value) {
  size_t size = 1 + VarintSize(key.size()) + key.size();
  if (SKARN_UNLIKELY(family != 0)) size += VarintSize(family);
  if (HasValue(kind)) size += VarintSize(value.size()) + value.size();
  return size;
}

// Writes the log's bytes of a writer's one entry, up to its value, and returns their end.
char* PutEntryHead(const Writer& writer, char* to) {
  BatchTag plain = BatchTag::kPut, with_family = BatchTag::kPutCf;
  if (SKARN_UNLIKELY(writer.kind != EntryKind::kValue)) plain = TagOf(writer.kind, &with_family);
  if (const uint32_t family = writer.family->id(); SKARN_LIKELY(family == 0)) {
    *to++ = static_cast<char>(plain);
  } else {
    *to++ = static_cast<char>(with_family);
    to = EncodeVarint32(to, family);
  }
  to = EncodeVarint32(to, static_cast<uint32_t>(writer.key.size()));
  CopyKeyBytes(to, writer.key.data(), writer.key.size());
  to += writer.key.size();
  if (!HasValue(writer.kind)) return to;
  return EncodeVarint32(to, static_cast<uint32_t>(writer.value.size()));
}

// Only the commit leader writes the counter.
void Bump(std::atomic<uint64_t>* counter, uint64_t count) {
  counter->store(counter->load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
}

void TakeWriteOptions(const WriteOptions& options, Writer* writer) {
  writer->sync = options.sync;
  writer->disable_wal = options.disable_wal;
  writer->no_slowdown = options.no_slowdown;
  writer->low_pri = options.low_pri;
  writer->rate_limiter_priority = options.rate_limiter_priority;
}

}  // namespace

Status DbImpl::Put(const WriteOptions& options, ColumnFamilyHandle* family, Slice key,
                   Slice timestamp, Slice value) {
  return CommitOne(options, FamilyOf(family), EntryKind::kValue, key, timestamp, value);
}

Status DbImpl::Delete(const WriteOptions& options, ColumnFamilyHandle* family, Slice key,
                      Slice timestamp) {
  return CommitOne(options, FamilyOf(family),
                   timestamp.empty() ? EntryKind::kDeletion : EntryKind::kDeletionWithTimestamp,
                   key, timestamp, Slice());
}

Status DbImpl::SingleDelete(const WriteOptions& options, ColumnFamilyHandle* family, Slice key,
                            Slice timestamp) {
  return CommitOne(options, FamilyOf(family), EntryKind::kSingleDeletion, key, timestamp, Slice());
}

Status DbImpl::Merge(const WriteOptions& options, ColumnFamilyHandle* family, Slice key,
                     Slice timestamp, Slice operand) {
  ColumnFamily* const target = FamilyOf(family);
  if (mode_ == Mode::kReadWrite && !target->has_merge_operator()) {
    return Status::NotSupported("Provide a merge_operator when opening DB");
  }
  return CommitOne(options, target, EntryKind::kMerge, key, timestamp, operand);
}

Status DbImpl::DeleteRange(const WriteOptions& options, ColumnFamilyHandle* family, Slice begin,
                           Slice end, Slice timestamp) {
  ColumnFamily* const target = FamilyOf(family);
  if (Status s = RejectWrite(); !s.ok()) return s;
  if (timestamp.size() != target->timestamp_size()) {
    return CommitOne(options, target, EntryKind::kRangeDeletion, begin, timestamp, end);
  }
  if (has_row_cache_) return Status::NotSupported("DeleteRange is not compatible with row cache.");
  if (end.size() > kKeySizeMax) return Status::InvalidArgument("end key is too large");
  std::string end_storage;
  if (!timestamp.empty()) {
    // Both ends carry the timestamp.
    end_storage = end.ToString();
    end_storage.append(timestamp.data(), timestamp.size());
    end = end_storage;
    if (target->order().comparator()->CompareWithoutTimestamp(begin, false, end, true) > 0) {
      return Status::InvalidArgument("end key comes before start key");
    }
  } else if (target->order().CompareUser(begin, end) > 0) {
    return Status::InvalidArgument("end key comes before start key");
  }
  if (target->order().comparator()->CompareWithoutTimestamp(begin, false, end,
                                                            !timestamp.empty()) == 0) {
    // Deletes nothing, but stands in the log and takes a number, as in a batch.
    WriteBatch batch;
    const Slice stamped_begin[] = {begin, timestamp};
    if (Status s = batch.DeleteRangeParts(target->id(), stamped_begin, 2, &end, 1); !s.ok()) {
      return s;
    }
    return CommitBatch(options, &batch, WriteExtras());
  }
  return CommitOne(options, target, EntryKind::kRangeDeletion, begin, timestamp, end);
}

Status DbImpl::Write(const WriteOptions& options, WriteBatch* batch) {
  return CommitBatch(options, batch, WriteExtras());
}

Status DbImpl::WriteWithExtras(const WriteOptions& options, WriteBatch* batch,
                               const WriteExtras& extras) {
  return CommitBatch(options, batch, extras);
}

Status DbImpl::CheckWriteOptions(const WriteOptions& options) const {
  if (options.rate_limiter_priority != IoPriority::kTotal) {
    if (options.rate_limiter_priority != IoPriority::kUser) {
      return Status::InvalidArgument(
          "WriteOptions::rate_limiter_priority only allows Env::IO_TOTAL and Env::IO_USER due to "
          "implementation constraints");
    }
    if (options.disable_wal || manual_wal_flush_) {
      return Status::InvalidArgument(
          "WriteOptions::rate_limiter_priority currently only supports rate-limiting automatic WAL "
          "flush, which requires `WriteOptions::disableWAL` and `DBOptions::manual_wal_flush` both "
          "set to false");
    }
  }
  if (options.protection_bytes_per_key != 0 && options.protection_bytes_per_key != 8) {
    return Status::InvalidArgument(
        "`WriteOptions::protection_bytes_per_key` must be zero or eight");
  }
  if (options.disable_wal && recycles_logs_) {
    return Status::InvalidArgument(
        "WriteOptions::disableWAL option is not supported if DBOptions::recycle_log_file_num > 0");
  }
  if (options.sync && options.disable_wal) {
    return Status::InvalidArgument("Sync writes has to enable WAL.");
  }
  return Status::Ok();
}

Status DbImpl::CommitOne(const WriteOptions& options, ColumnFamily* family, EntryKind kind,
                         Slice key, Slice timestamp, Slice value) {
  if (SKARN_UNLIKELY(options.sync || options.disable_wal || options.protection_bytes_per_key != 0 ||
                     options.rate_limiter_priority != IoPriority::kTotal)) {
    if (Status s = CheckWriteOptions(options); !s.ok()) return s;
  }
  if (SKARN_UNLIKELY(timestamp.size() != family->timestamp_size())) {
    return CheckTimestampFits(*family, timestamp.empty() ? nullptr : &timestamp);
  }
  if (SKARN_UNLIKELY(key.size() + timestamp.size() > kKeySizeMax)) {
    return Status::InvalidArgument("key is too large");
  }
  if (SKARN_UNLIKELY(value.size() > kValueSizeMax)) {
    return Status::InvalidArgument("value is too large");
  }
  if (SKARN_UNLIKELY(family->dropped())) {
    if (Status s = RejectWrite(); !s.ok()) return s;
    return Status::InvalidArgument("Invalid column family specified in write batch");
  }
  if (SKARN_UNLIKELY(family->writes_disallowed())) {
    return Status::InvalidArgument("This column family has disallow_memtable_writes=true");
  }

  Writer writer;
  TakeWriteOptions(options, &writer);
  std::string with_timestamp;
  if (SKARN_UNLIKELY(!timestamp.empty())) {
    with_timestamp.reserve(key.size() + timestamp.size());
    with_timestamp.append(key.data(), key.size());
    with_timestamp.append(timestamp.data(), timestamp.size());
    key = with_timestamp;
  }
  writer.log_size = EntryLogSize(family->id(), kind, key, value);
  writer.size_bytes = kBatchHeaderSize + writer.log_size;
  writer.entry_count = writer.log_entry_count = 1;
  writer.family = family;
  writer.kind = kind;
  writer.key = key;
  writer.value = value;
  writer.has_merge = kind == EntryKind::kMerge;
  return Commit(&writer);
}

Status DbImpl::CommitBatch(const WriteOptions& options, WriteBatch* batch,
                           const WriteExtras& extras) {
  if (batch == nullptr) return Status::InvalidArgument("Batch is nullptr!");
  if (!extras.log_only && batch->needs_timestamps()) {
    return Status::InvalidArgument("write batch must have timestamp(s) set");
  }
  if (Status s = CheckWriteOptions(options); !s.ok()) return s;
  if (Status s = RejectWrite(); !s.ok()) return s;
  const Slice bytes = batch->bytes();
  BatchFacts facts;
  if (!batch->IsPlain() || default_family_->timestamp_size() != 0 ||
      default_family_->writes_disallowed()) {
    // What cannot be applied is refused here, before it can reach the log.
    EpochGuard guard;
    Status s = ValidateBatch(bytes, *family_table_.load(std::memory_order_acquire),
                             options.ignore_missing_column_families, &facts);
    if (!s.ok()) return s;
  }
  if (facts.has_range_deletion && has_row_cache_) {
    return Status::NotSupported("DeleteRange is not compatible with row cache.");
  }

  Writer writer;
  TakeWriteOptions(options, &writer);
  writer.log_bytes = batch->wal_bytes();
  writer.log_bytes.RemovePrefix(kBatchHeaderSize);
  writer.log_size = writer.log_bytes.size();
  writer.size_bytes = bytes.size();
  writer.log_entry_count = batch->wal_count();
  writer.entry_count = extras.log_only ? 0 : batch->count();
  writer.batch_bytes = bytes;
  writer.batch = batch;
  writer.callback = extras.callback;
  writer.log_reference = extras.log_reference;
  writer.disable_memtable = extras.log_only;
  writer.has_merge = facts.has_merge;
  Status status = Commit(&writer);
  if (status.ok()) {
    if (extras.log_used != nullptr) *extras.log_used = writer.log_used;
    if (extras.sequence != nullptr) *extras.sequence = writer.sequence;
  }
  return status;
}

Status DbImpl::Commit(Writer* writer) {
  if (SKARN_UNLIKELY(writer->low_pri)) {
    if (Status s = ThrottleLowPriority(*writer); !s.ok()) return s;
  }
  ThreadContext* const context = CurrentThreadContext();
  const bool timed = statistics_ != nullptr && statistics_->WantsTimers();
  const uint64_t start_ns = SKARN_UNLIKELY(timed) ? env_->clock->NowNanos() : 0;
  if (queue_.Join(writer)) {
    LeadGroup(writer);
  } else {
    if (writer->state.load(std::memory_order_acquire) == Writer::kInserting) {
      auto* const group = static_cast<ParallelInsert*>(writer->group);
      InsertContext insert;
      insert.families = group->families;
      insert.concurrent = true;
      writer->status = InsertWriter(writer, &insert);
      if (insert.notices != 0) group->notices.fetch_or(insert.notices, std::memory_order_relaxed);
      // Release: the leader sees what was inserted. The group may vanish after this.
      std::atomic<uint32_t>* const pending = &group->pending;
      if (pending->fetch_sub(1, std::memory_order_acq_rel) == 1) WakeSleeper(pending);
      queue_.WaitWhile(writer, Writer::kInserting);
    }
    if (statistics_ != nullptr) statistics_->Add(context, Ticker::kWriteOther, 1);
  }
  if (SKARN_UNLIKELY(timed)) {
    statistics_->Record(context, HistogramKind::kDbWriteMicros,
                        (env_->clock->NowNanos() - start_ns) / 1000);
  }
  return std::move(writer->status);
}

void DbImpl::LeadGroup(Writer* leader) {
  if (SKARN_UNLIKELY(admission_.load(std::memory_order_acquire) != 0)) {
    leader->status = Admit(leader);
    if (!leader->status.ok()) {
      queue_.Finish(leader, leader);
      return;
    }
  }
  if (leader->sync) queue_.AwaitReturn();
  size_t group_bytes = 0, group_size = 0;
  Writer* const last = queue_.TakeGroup(leader, &group_bytes, &group_size);

  // Sequence numbers, in queue order.
  const SequenceNumber first = last_allocated_ + 1;
  uint32_t entries = 0;
  bool any_merge = false;
  for (Writer* writer = leader;; writer = writer->newer) {
    if (SKARN_UNLIKELY(writer->callback != nullptr)) {
      writer->status = writer->callback->Check();
      writer->excluded = !writer->status.ok();
    }
    if (!writer->excluded) {
      writer->sequence = first + entries;
      entries += writer->entry_count;
      any_merge = any_merge || writer->has_merge;
    }
    if (writer == last) break;
  }

  Status status;
  if (SKARN_LIKELY(!leader->disable_wal)) {
    // While the log is written, the memtable's memory comes near.
    if (leader->family != nullptr) leader->family->active()->PrefetchAdd(leader->key);
    status = AppendGroup(leader, last, first);
    if (SKARN_UNLIKELY(!status.ok())) {
      MutexLock lock(&mutex_);
      SetBackgroundError(status, ErrorCause::kWalWrite);
    }
  } else if (!unlogged_writes_.load(std::memory_order_relaxed)) {
    unlogged_writes_.store(true, std::memory_order_relaxed);
  }
  if (SKARN_UNLIKELY(leader->disable_memtable) && status.ok()) {
    // Before anybody can flush past these logs.
    for (Writer* writer = leader;; writer = writer->newer) {
      if (!writer->excluded && writer->log_used != 0) TrackPrepare(writer->log_used);
      if (writer == last) break;
    }
  }
  // Numbers of a failed group are not given again: part of it may be in the log.
  last_allocated_ += entries;
  if (!leader->disable_wal) {
    next_logged_ = SKARN_LIKELY(status.ok()) ? first + entries : last_allocated_ + 1;
  }

  if (SKARN_LIKELY(status.ok())) {
    const bool parallel =
        group_size > 1 && group_bytes >= kParallelInsertBytes && !any_merge && concurrent_inserts_;
    status = InsertGroup(leader, last, parallel);
    if (SKARN_LIKELY(status.ok())) {
      Publish(last_allocated_);
    } else {
      MutexLock lock(&mutex_);
      SetBackgroundError(status, ErrorCause::kMemtableInsert);
    }
  }

  last_group_bytes_ = group_bytes;
  // The group goes under one header.
  const uint64_t written_bytes = group_bytes - (group_size - 1) * kBatchHeaderSize;
  Bump(&writes_, group_size);
  Bump(&groups_, 1);
  Bump(&keys_written_, entries);
  Bump(&bytes_written_, written_bytes);
  if (!leader->disable_wal) Bump(&logged_writes_, group_size);
  if (statistics_ != nullptr) {
    ThreadContext* const context = CurrentThreadContext();
    statistics_->Add(context, Ticker::kNumberKeysWritten, entries);
    statistics_->Add(context, Ticker::kBytesWritten, written_bytes);
    statistics_->Add(context, Ticker::kWriteSelf, 1);
    if (!leader->disable_wal) statistics_->Add(context, Ticker::kWriteWal, group_size);
    statistics_->Record(context, HistogramKind::kBytesPerWrite, written_bytes);
  }
  for (Writer* writer = leader;; writer = writer->newer) {
    if (!writer->excluded) {
      if (!status.ok()) {
        writer->status = status;
      } else if (writer->batch != nullptr) {
        writer->batch->set_sequence(writer->sequence);
      }
    }
    if (writer == last) break;
  }
  queue_.Finish(leader, last);
}

Status DbImpl::AppendGroup(Writer* leader, Writer* last, SequenceNumber first) {
  uint32_t entries = 0;
  size_t bytes = kBatchHeaderSize;
  bool anything = false;
  size_t synced = 0;
  for (Writer* writer = leader;; writer = writer->newer) {
    if (!writer->excluded) {
      anything = true;
      synced += writer->sync ? 1 : 0;
      entries += writer->log_entry_count;
      bytes += writer->log_size;
      writer->log_used = wals_.current_number();
    }
    if (writer == last) break;
  }
  if (!anything) return Status::Ok();

  if (SKARN_UNLIKELY(leader->rate_limiter_priority != IoPriority::kTotal) &&
      rate_limiter_ != nullptr) {
    for (uint64_t left = bytes; left > 0;) {
      const uint64_t part = std::min(left, rate_limiter_->single_burst_bytes());
      rate_limiter_->Request(part, leader->rate_limiter_priority);
      left -= part;
    }
  }
  Status s;
  const FamilyTable& families = *family_table_.load(std::memory_order_acquire);
  if (char* to = families.has_timestamps() ? nullptr : wals_.Room(bytes);
      SKARN_LIKELY(to != nullptr)) {
    EncodeFixed64(to, first);
    EncodeFixed32(to + kBatchCountOffset, entries);
    to += kBatchHeaderSize;
    for (const Writer* writer = leader;; writer = writer->newer) {
      if (!writer->excluded) {
        const bool single = writer->family != nullptr;
        if (single) to = PutEntryHead(*writer, to);
        const Slice rest = single ? writer->value : writer->log_bytes;
        if (!rest.empty()) memcpy(to, rest.data(), rest.size());
        to += rest.size();
      }
      if (writer == last) break;
    }
    s = wals_.AppendFilled(bytes, first);
  } else {
    s = AppendInParts(leader, last, first, entries);
  }
  if (!s.ok()) return s;
  if (statistics_ != nullptr) statistics_->Add(Ticker::kWalBytes, bytes);
  if (leader->sync) {
    s = SyncGroup(synced);
    if (!s.ok()) return s;
  }
  if (SKARN_UNLIKELY(wals_.total_bytes() > log_size_limit_.load(std::memory_order_relaxed))) {
    SetAdmission(kLogsTooLarge);
  }
  return Status::Ok();
}

Status DbImpl::SyncGroup(size_t writers) {
  const uint64_t start_ns = env_->clock->NowNanos();
  Status s = wals_.Sync();
  if (!s.ok()) return s;
  const uint64_t micros = (env_->clock->NowNanos() - start_ns) / 1000;
  queue_.NoteSync(micros, writers);
  if (statistics_ == nullptr) return s;
  if (statistics_->WantsTimers()) {
    statistics_->Record(HistogramKind::kWalFileSyncMicros, micros);
  }
  statistics_->Add(Ticker::kWalSynced, 1);
  return s;
}

Status DbImpl::AppendInParts(Writer* leader, Writer* last, SequenceNumber first, uint32_t entries) {
  std::map<uint32_t, size_t> timestamp_sizes;
  const FamilyTable& families = *family_table_.load(std::memory_order_acquire);
  if (families.has_timestamps()) {
    constexpr uint32_t kFirstReleaseWithSizes = 802;
    const uint32_t release = opened_options_->options_file_release;
    const bool older = release != 0 && release < kFirstReleaseWithSizes;
    for (Writer* writer = leader;; writer = writer->newer) {
      if (!writer->excluded) {
        if (writer->family != nullptr) {
          CollectTimestampSize(*writer->family, older, &timestamp_sizes);
        } else {
          CollectTimestampSizes(writer->batch_bytes, families, older, &timestamp_sizes);
        }
      }
      if (writer == last) break;
    }
  }
  char header[kBatchHeaderSize];
  EncodeFixed64(header, first);
  EncodeFixed32(header + kBatchCountOffset, entries);
  group_parts_.clear();
  group_parts_.emplace_back(header, kBatchHeaderSize);
  std::deque<std::string> heads;  // Elements stay where they are.
  for (const Writer* writer = leader;; writer = writer->newer) {
    if (!writer->excluded) {
      if (writer->family != nullptr) {
        std::string& head = heads.emplace_back(writer->log_size - writer->value.size(), '\0');
        PutEntryHead(*writer, head.data());
        group_parts_.emplace_back(head);
        group_parts_.push_back(writer->value);
      } else {
        group_parts_.push_back(writer->log_bytes);
      }
    }
    if (writer == last) break;
  }
  return wals_.Append(group_parts_.data(), group_parts_.size(), timestamp_sizes);
}

Status DbImpl::InsertWriter(Writer* writer, InsertContext* context) {
  context->sequence = writer->sequence;
  context->log_reference = writer->log_reference;
  if (!writer->batch_bytes.empty()) return InsertBatch(writer->batch_bytes, context);
  if (SKARN_UNLIKELY(writer->family->dropped())) return Status::Ok();
  return InsertEntry(writer->family, writer->kind, writer->key, writer->value, context);
}

Status DbImpl::InsertInParallel(Writer* leader, Writer* last, InsertContext* insert) {
  Status status;
  ParallelInsert group;
  group.families = insert->families;
  insert->concurrent = true;
  uint32_t members = 0;
  for (Writer* writer = leader->newer;; writer = writer->newer) {
    if (!writer->excluded && !writer->disable_memtable) ++members;
    if (writer == last) break;
  }
  group.pending.store(members, std::memory_order_relaxed);
  for (Writer* writer = leader->newer;;) {
    Writer* const next = writer->newer;
    const bool is_last = writer == last;
    if (!writer->excluded && !writer->disable_memtable) {
      writer->group = &group;
      queue_.Wake(writer, Writer::kInserting);
    }
    if (is_last) break;
    writer = next;
  }
  if (!leader->excluded && !leader->disable_memtable) status = InsertWriter(leader, insert);
  for (uint32_t left = group.pending.load(std::memory_order_acquire); left != 0;
       left = group.pending.load(std::memory_order_acquire)) {
    SleepWhile(group.pending, left);
  }
  insert->notices |= group.notices.load(std::memory_order_relaxed);
  for (Writer* writer = leader->newer;; writer = writer->newer) {
    if (!writer->excluded && !writer->status.ok() && status.ok()) status = writer->status;
    if (writer == last) break;
  }
  return status;
}

Status DbImpl::InsertGroup(Writer* leader, Writer* last, bool parallel) {
  Status status;
  InsertContext insert;
  insert.families = family_table_.load(std::memory_order_acquire);
  if (SKARN_LIKELY(!parallel)) {
    for (Writer* writer = leader;; writer = writer->newer) {
      if (!writer->excluded && !writer->disable_memtable) {
        status = InsertWriter(writer, &insert);
        if (SKARN_UNLIKELY(!status.ok())) break;
      }
      if (writer == last) break;
    }
  } else {
    status = InsertInParallel(leader, last, &insert);
  }
  if (SKARN_UNLIKELY(insert.notices != 0)) {
    SetAdmission((insert.notices & MemTable::kFull) != 0 ? kSwitchMemtable : kPace);
  }
  return status;
}

bool DbImpl::MergeHeadSlow(ColumnFamily* family, Slice key, Slice operand, SequenceNumber sequence,
                           std::string* merged) {
  EpochGuard guard;
  SuperVersion* const super_version = family->super_version();
  const ColumnFamilyOptions& options = *super_version->options;
  const size_t limit = options.max_successive_merges;
  if (limit == 0 || family->active()->CountSuccessiveMerges(key, sequence - 1) < limit)
    return false;

  ReadOptions read;
  if (!options.strict_max_successive_merges) read.read_tier = ReadTier::kBlockCache;
  const KeyOrder& order = family->order();
  PinnedValue existing;
  PointLookup lookup(order, order.StripTimestamp(key), sequence - 1, order.TimestampOf(key),
                     family->merge_operator(), &existing);
  LookUp(read, super_version, family->active(), &lookup);
  if (lookup.state() == PointLookup::State::kFailed) return false;
  const Slice base = existing.slice();
  const std::vector<Slice> operands = {operand};
  return family->merge_operator()->FullMerge(
      order.StripTimestamp(key), lookup.state() == PointLookup::State::kFound ? &base : nullptr,
      operands, merged);
}

}  // namespace skarn
