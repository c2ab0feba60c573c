#include "core/db/batch_inserter.h"

#include "core/batch/batch_format.h"
#include "core/db/db_impl.h"

namespace skarn {

namespace {

constexpr uint32_t kPrefetchedBatch = 16;
constexpr int kPrefetchDistance = 8;

}  // namespace

Status ValidateBatch(Slice bytes, const FamilyTable& families, bool ignore_missing_column_families,
                     BatchFacts* facts) {
  BatchReader reader(bytes);
  BatchEntry entry;
  uint32_t count = 0;
  uint32_t family_id = UINT32_MAX;
  ColumnFamily* family = nullptr;
  while (reader.Next(&entry)) {
    if (!entry.counted) {
      switch (entry.kind) {
        case BatchTag::kLogData:
        case BatchTag::kNoop:
          break;
        default:
          facts->has_prepare_markers = true;
          break;
      }
      continue;
    }
    ++count;
    if (entry.family != family_id) {
      family = families.Find(entry.family);
      family_id = entry.family;
    }
    if (family == nullptr || family->dropped()) {
      if (ignore_missing_column_families) continue;
      return Status::InvalidArgument("Invalid column family specified in write batch");
    }
    if (entry.key.size() < family->timestamp_size()) {
      return Status::InvalidArgument("timestamp size mismatch");
    }
    if (family->writes_disallowed()) {
      return Status::InvalidArgument("This column family has disallow_memtable_writes=true");
    }
    if (entry.kind == BatchTag::kMerge) {
      facts->has_merge = true;
      if (!family->has_merge_operator()) {
        return Status::InvalidArgument(
            "Merge requires `ColumnFamilyOptions::merge_operator != nullptr`");
      }
    } else if (entry.kind == BatchTag::kDeleteRange) {
      facts->has_range_deletion = true;
      if (entry.value.size() < family->timestamp_size()) {
        return Status::InvalidArgument("timestamp size mismatch");
      }
      const int order = family->order().CompareUserWithoutTimestamp(entry.key, entry.value);
      if (order > 0) return Status::InvalidArgument("end key comes before start key");
    } else if (entry.kind == BatchTag::kTimedPut) {
      Slice value;
      uint64_t write_time_s = 0;
      if (Status s = SplitTimedValue(entry.value, &value, &write_time_s); !s.ok()) return s;
    }
  }
  if (!reader.status().ok()) return reader.status();
  if (count != BatchCount(bytes)) return Status::Corruption("WriteBatch has wrong count");
  return Status::Ok();
}

void CollectTimestampSize(const ColumnFamily& family, bool older,
                          std::map<uint32_t, size_t>* sizes) {
  const size_t size = family.timestamp_size();
  if (size > 0 && !(older && family.always_had_timestamps())) (*sizes)[family.id()] = size;
}

void CollectTimestampSizes(Slice bytes, const FamilyTable& families, bool older,
                           std::map<uint32_t, size_t>* sizes) {
  BatchReader reader(bytes);
  BatchEntry entry;
  while (reader.Next(&entry)) {
    if (!entry.counted) continue;
    const ColumnFamily* family = families.Find(entry.family);
    if (family != nullptr) CollectTimestampSize(*family, older, sizes);
  }
}

namespace {

// After an entry went into `table`, or is there already.
void Inserted(ColumnFamily* family, MemTable* table, InsertContext* context) {
  ++context->sequence;
  ++context->inserted;
  const uint32_t notices = table->notices();
  if (SKARN_LIKELY(notices == 0)) return;
  context->notices |= notices;
  if ((notices & MemTable::kNearlyFull) != 0) table->ForgetNearlyFull();
  if ((notices & MemTable::kFull) != 0 && !family->wants_switch.load(std::memory_order_relaxed)) {
    family->wants_switch.store(true, std::memory_order_relaxed);
  }
}

// For recovery, merge operands, values that may be updated in place, and commits of
// transactions.
[[gnu::noinline]] Status InsertUnusual(ColumnFamily* family, EntryKind kind, Slice key, Slice value,
                                       InsertContext* context) {
  MemTable* const table = family->active();
  if (kind == EntryKind::kValue && family->inplace_updates() && table->UpdateInPlace(key, value)) {
    ++context->sequence;
    ++context->inserted;
    return Status::Ok();
  }
  std::string merged;
  if (kind == EntryKind::kMerge && !context->recovering &&
      family->db()->MergeHead(family, key, value, context->sequence, &merged)) {
    kind = EntryKind::kValue;
    value = merged;
  }
  if (context->recovering && !context->only_new) table->ExpectRepeats();
  Status status = table->Add(context->sequence, kind, key, value, context->concurrent);
  // The same log replayed twice onto one memtable: the entry is there already.
  if (!status.ok() && !(context->recovering && status.IsTryAgain())) return status;
  if (context->log_reference != 0) {
    uint64_t oldest = family->active_prepare_log.load(std::memory_order_relaxed);
    while ((oldest == 0 || oldest > context->log_reference) &&
           !family->active_prepare_log.compare_exchange_weak(oldest, context->log_reference,
                                                             std::memory_order_relaxed)) {
    }
  }
  Inserted(family, table, context);
  return Status::Ok();
}

}  // namespace

Status InsertEntry(ColumnFamily* family, EntryKind kind, Slice key, Slice value,
                   InsertContext* context) {
  if (SKARN_UNLIKELY(kind == EntryKind::kMerge || context->recovering ||
                     context->log_reference != 0 || family->inplace_updates())) {
    return InsertUnusual(family, kind, key, value, context);
  }
  MemTable* const table = family->active();
  Status status = table->Add(context->sequence, kind, key, value, context->concurrent);
  if (SKARN_LIKELY(status.ok())) Inserted(family, table, context);
  return status;
}

Status InsertBatch(Slice bytes, InsertContext* context) {
  const bool usual = !context->recovering && context->log_reference == 0;
  BatchReader reader(bytes);
  BatchEntry entry;
  uint32_t family_id = UINT32_MAX;
  ColumnFamily* family = nullptr;
  // In large memtables every entry is a miss or two: those of a long batch overlap.
  BatchReader ahead(bytes);
  bool prefetches = BatchCount(bytes) >= kPrefetchedBatch;
  int lead = kPrefetchDistance;
  while (reader.Next(&entry)) {
    if (!entry.counted) continue;
    if (entry.family != family_id) {
      family_id = entry.family;
      family = context->families->Find(family_id);
      if (family != nullptr &&
          (family->dropped() || (context->recovering && family->versions()->log_number() >
                                                            context->recovery_log_number))) {
        family = nullptr;
      }
    }
    if (SKARN_UNLIKELY(family == nullptr)) {
      ++context->sequence;
      continue;
    }
    if (prefetches) {
      prefetches = family->active()->WantsPrefetch();
      BatchEntry later;
      for (; lead > 0 && prefetches; --lead) {
        prefetches = ahead.Next(&later);
        if (prefetches && later.counted && later.family == family_id) {
          family->active()->PrefetchAdd(later.key);
        }
      }
      lead = 1;
    }
    if (SKARN_LIKELY(entry.kind == BatchTag::kPut && usual && !family->inplace_updates())) {
      MemTable* const table = family->active();
      Status s = table->Add(context->sequence, EntryKind::kValue, entry.key, entry.value,
                            context->concurrent);
      if (SKARN_UNLIKELY(!s.ok())) return s;
      Inserted(family, table, context);
      continue;
    }
    EntryKind kind = EntryKind::kValue;
    switch (entry.kind) {
      case BatchTag::kPut:
        break;
      case BatchTag::kDelete:
        kind =
            family->timestamp_size() > 0 ? EntryKind::kDeletionWithTimestamp : EntryKind::kDeletion;
        break;
      case BatchTag::kMerge:
        kind = EntryKind::kMerge;
        if (SKARN_UNLIKELY(!family->has_merge_operator())) {
          return Status::InvalidArgument(
              "Merge requires `ColumnFamilyOptions::merge_operator != nullptr`");
        }
        break;
      case BatchTag::kSingleDelete:
        kind = EntryKind::kSingleDeletion;
        break;
      case BatchTag::kDeleteRange: {
        const int order = family->order().CompareUserWithoutTimestamp(entry.key, entry.value);
        if (order > 0) return Status::InvalidArgument("end key comes before start key");
        // An empty range takes no sequence number; genuine logs are read the same way.
        if (order == 0) continue;
        kind = EntryKind::kRangeDeletion;
        break;
      }
      case BatchTag::kBlobIndex:
        kind = EntryKind::kBlobIndex;
        break;
      case BatchTag::kEntity:
        kind = EntryKind::kWideColumnEntity;
        break;
      case BatchTag::kTimedPut:
        kind = EntryKind::kValuePreferredSequence;
        break;
      default:
        continue;
    }
    if (Status s = InsertEntry(family, kind, entry.key, entry.value, context); !s.ok()) return s;
  }
  return reader.status();
}

}  // namespace skarn
