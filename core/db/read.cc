// Point reads: Get, MultiGet, KeyMayExist. They lock nothing and write no shared memory.

#include <algorithm>
#include <optional>

#include "core/base/small_array.h"
#include "core/db/db_impl.h"
#include "core/key/point_lookup.h"
#include "core/metrics/perf_context.h"
#include "core/metrics/statistics.h"

namespace skarn {

namespace {

Status Outcome(const PointLookup& lookup) {
  switch (lookup.state()) {
    case PointLookup::State::kFound:
      return Status::Ok();
    case PointLookup::State::kFailed:
      return lookup.status();
    default:
      return Status::NotFound();
  }
}

// A key of a multi-get and where it stands in the order of keys.
struct Placed {
  uint64_t prefix;  // See KeyPrefix().
  uint32_t index;
};

// How many bytes all keys begin with.
size_t SharedBeginning(const Slice* keys, size_t count) {
  size_t shared = keys[0].size();
  for (size_t i = 1; i < count && shared != 0; ++i) {
    shared = std::min(shared, keys[i].size());
    size_t at = 0;
    while (at + 8 <= shared &&
           DecodeFixed64(keys[0].data() + at) == DecodeFixed64(keys[i].data() + at)) {
      at += 8;
    }
    while (at < shared && keys[0][at] == keys[i][at]) ++at;
    shared = at;
  }
  return shared;
}

// Which source had the answer to a point read.
void CountSource(const PointLookup& lookup, Statistics* statistics, ThreadContext* context) {
  if (lookup.found_in() == PointLookup::kFromMemtable) {
    statistics->Add(context, Ticker::kMemtableHit, 1);
    return;
  }
  statistics->Add(context, Ticker::kMemtableMiss, 1);
  if (lookup.state() != PointLookup::State::kFound || lookup.found_in() < 0) return;
  statistics->Add(context,
                  lookup.found_in() == 0   ? Ticker::kL0Hit
                  : lookup.found_in() == 1 ? Ticker::kL1Hit
                                           : Ticker::kL2andupHit,
                  1);
}

bool SkipsMemtables(const ReadOptions& options, bool unlogged_writes) {
  return SKARN_UNLIKELY(options.read_tier == ReadTier::kPersisted) && unlogged_writes;
}

}  // namespace

Status DbImpl::CheckTimestamp(const ColumnFamily* family, const Slice* timestamp) const {
  if (SKARN_LIKELY(timestamp == nullptr && family->timestamp_size() == 0)) return Status::Ok();
  if (Status s = CheckTimestampFits(*family, timestamp); !s.ok()) return s;
  return CheckHistory(family, *timestamp);
}

Status DbImpl::CheckHistory(const ColumnFamily* family, Slice timestamp) const {
  EpochGuard guard;
  const SuperVersion* const super_version = family->super_version();
  if (super_version == nullptr || super_version->full_history_ts_low.empty()) return Status::Ok();
  const std::string& low = super_version->full_history_ts_low;
  if (family->order().comparator()->CompareTimestamp(timestamp, low) >= 0) return Status::Ok();
  const auto text = [](Slice stamp) {
    return stamp.size() == sizeof(uint64_t) ? std::to_string(DecodeFixed64(stamp.data()))
                                            : stamp.ToHex();
  };
  return Status::InvalidArgument(Concat("Read timestamp: ", text(timestamp),
                                        " is smaller than full_history_ts_low: ", text(low), "\n"));
}

void DbImpl::LookUp(const ReadOptions& options, SuperVersion* super_version, MemTable* active,
                    PointLookup* lookup) {
  if (SKARN_LIKELY(active != nullptr)) {
    uint64_t asked = 0;
    if (!active->empty()) {
      ++asked;
      active->Get(lookup, !options.ignore_range_deletions);
    }
    for (MemTable* table : super_version->immutables) {
      if (lookup->settled()) break;
      ++asked;
      table->Get(lookup, !options.ignore_range_deletions);
    }
    PerfAdd(CurrentThreadContext(), PerfMetric::kGetFromMemtableCount, asked);
    if (lookup->done()) return;
  }
  if (!lookup->settled() && options.read_tier != ReadTier::kMemtable) {
    if (SKARN_UNLIKELY(options.deadline_us != 0) &&
        super_version->family->db()->env()->clock->NowMicros() >= options.deadline_us) {
      lookup->Fail(Status::TimedOut());
    } else {
      super_version->current->Get(options, lookup);
    }
  }
  if (!lookup->done()) lookup->Finish();
}

Status DbImpl::Get(const ReadOptions& options, ColumnFamilyHandle* handle, Slice key,
                   ValueSink* sink, std::string* found_timestamp) {
  ColumnFamily* const family = FamilyOf(handle);
  if (Status s = CheckTimestamp(family, options.timestamp); !s.ok()) return s;
  ThreadContext* const context = CurrentThreadContext();
  const bool timed = statistics_ != nullptr && statistics_->WantsTimers();
  const uint64_t start_ns = SKARN_UNLIKELY(timed) ? PerfNow() : 0;

  EpochGuard guard(context);
  SuperVersion* const super_version = family->super_version();
  if (SKARN_UNLIKELY(super_version == nullptr)) return Status::ShutdownInProgress();
  // The number after the super version: what a flush or compaction dropped since was hidden
  // by something that this number shows.
  const SequenceNumber snapshot =
      options.snapshot != nullptr ? options.snapshot->sequence() : visible();
  PointLookup lookup(family->order(), key, snapshot,
                     options.timestamp != nullptr ? *options.timestamp : Slice(),
                     family->merge_operator(), sink);
  lookup.extras().timestamp = found_timestamp;
  lookup.extras().blobs = family->blobs();
  lookup.extras().statistics = statistics_;
  const bool skip = SkipsMemtables(options, unlogged_writes_.load(std::memory_order_relaxed));
  LookUp(options, super_version, skip ? nullptr : super_version->active, &lookup);

  PerfAdd(context, PerfMetric::kGetReadBytes, lookup.value_bytes());
  if (SKARN_UNLIKELY(lookup.operand_count() != 0)) {
    PerfAdd(context, PerfMetric::kInternalMergePointLookupCount, lookup.operand_count());
  }
  if (SKARN_UNLIKELY(statistics_ != nullptr)) {
    CountSource(lookup, statistics_, context);
    statistics_->Add(context, Ticker::kNumberKeysRead, 1);
    statistics_->Add(context, Ticker::kBytesRead, lookup.value_bytes());
    statistics_->Record(context, HistogramKind::kBytesPerRead, lookup.value_bytes());
    if (timed) {
      statistics_->Record(context, HistogramKind::kDbGetMicros, (PerfNow() - start_ns) / 1000);
    }
  }
  return Outcome(lookup);
}

bool DbImpl::KeyMayExist(const ReadOptions& options, ColumnFamilyHandle* handle, Slice key,
                         ValueSink* sink, std::string* found_timestamp, bool* value_found) {
  ReadOptions cached = options;
  cached.read_tier = ReadTier::kBlockCache;
  const Status status = Get(cached, handle, key, sink, found_timestamp);
  // As RocksDB has it, what a denied key lacks was found out, too.
  if (value_found != nullptr) *value_found = status.ok() || status.IsNotFound();
  return status.ok() || status.IsIncomplete();
}

SequenceNumber DbImpl::LoadTogether(const std::vector<ColumnFamily*>& families,
                                    const Snapshot* snapshot,
                                    std::vector<SuperVersion*>* super_versions) {
  super_versions->resize(families.size());
  const auto load = [&] {
    for (size_t i = 0; i < families.size(); ++i) {
      (*super_versions)[i] = families[i]->super_version();
    }
  };
  load();
  if (snapshot != nullptr) return snapshot->sequence();
  SequenceNumber sequence = visible();
  if (families.size() <= 1) return sequence;
  static constexpr int kTries = 3;
  for (int i = 0; i < kTries; ++i) {
    // When no memtable was switched, all that `sequence` shows is in these memtables.
    bool same = true;
    for (size_t j = 0; j < families.size(); ++j) {
      const SuperVersion* const now = families[j]->super_version();
      same = same && now != nullptr && (*super_versions)[j] != nullptr &&
             now->active == (*super_versions)[j]->active;
    }
    if (same) return sequence;
    load();
    sequence = visible();
  }
  MutexLock lock(&mutex_);  // Nobody switches under it.
  load();
  return visible();
}

void DbImpl::MultiGet(const ReadOptions& options, size_t count, ColumnFamilyHandle* const* handles,
                      const Slice* keys, ValueSink* const* sinks, std::string* found_timestamps,
                      Status* statuses, bool sorted_input) {
  static constexpr size_t kGroup = 32;
  if (count == 0) return;
  ThreadContext* const context = CurrentThreadContext();
  const bool timed = statistics_ != nullptr && statistics_->WantsTimers();
  const uint64_t start_ns = SKARN_UNLIKELY(timed) ? PerfNow() : 0;

  SmallArray<ColumnFamily*, kGroup> family_of(count);
  std::vector<ColumnFamily*> families;
  for (size_t i = 0; i < count; ++i) {
    family_of[i] = FamilyOf(handles[i]);
    if (i > 0 && family_of[i] == family_of[i - 1]) continue;
    if (std::find(families.begin(), families.end(), family_of[i]) == families.end()) {
      families.push_back(family_of[i]);
    }
  }
  SmallArray<Placed, kGroup> order(count);
  const bool bytewise = families.size() == 1 && families.front()->order().bytewise();
  const size_t shared = bytewise && !sorted_input ? SharedBeginning(keys, count) : 0;
  for (size_t i = 0; i < count; ++i) {
    order[i].index = static_cast<uint32_t>(i);
    order[i].prefix = bytewise ? KeyPrefix(keys[i], shared) : 0;
  }
  if (!sorted_input || families.size() > 1) {
    std::sort(order.begin(), order.end(), [&](const Placed& one, const Placed& other) {
      if (SKARN_LIKELY(one.prefix != other.prefix)) return one.prefix < other.prefix;
      const uint32_t a = one.index, b = other.index;
      if (family_of[a] != family_of[b]) return family_of[a]->id() < family_of[b]->id();
      const Comparator* const comparator = family_of[a]->order().comparator();
      const int by_key = family_of[a]->order().bytewise()
                             ? keys[a].Compare(keys[b])
                             : comparator->CompareWithoutTimestamp(keys[a], false, keys[b], false);
      return by_key != 0 ? by_key < 0 : a < b;
    });
  }

  EpochGuard guard(context);
  std::vector<SuperVersion*> super_versions;
  const SequenceNumber snapshot = LoadTogether(families, options.snapshot, &super_versions);
  const bool skip = SkipsMemtables(options, unlogged_writes_.load(std::memory_order_relaxed));
  const Slice read_timestamp = options.timestamp != nullptr ? *options.timestamp : Slice();

  uint64_t bytes = 0, found = 0;
  bool over_limit = false;
  for (size_t begin = 0; begin < count;) {
    ColumnFamily* const family = family_of[order[begin].index];
    size_t end = begin;
    while (end < count && end - begin < kGroup && family_of[order[end].index] == family) ++end;
    const size_t size = end - begin;
    const size_t family_index =
        static_cast<size_t>(std::find(families.begin(), families.end(), family) - families.begin());
    SuperVersion* const super_version = super_versions[family_index];

    Status group_status = CheckTimestamp(family, options.timestamp);
    if (group_status.ok() && super_version == nullptr) group_status = Status::ShutdownInProgress();
    if (group_status.ok() && over_limit) group_status = Status::Aborted();
    if (group_status.ok() && options.deadline_us != 0 && begin > 0 &&
        env_->clock->NowMicros() >= options.deadline_us) {
      group_status = Status::TimedOut();
    }
    if (!group_status.ok()) {
      for (size_t i = begin; i < end; ++i) statuses[order[i].index] = group_status;
      begin = end;
      continue;
    }

    std::optional<PointLookup> lookups[kGroup];
    PointLookup* waiting[kGroup];
    size_t waiting_count = 0;
    for (size_t i = 0; i < size; ++i) {
      const size_t index = order[begin + i].index;
      lookups[i].emplace(family->order(), keys[index], snapshot, read_timestamp,
                         family->merge_operator(), sinks[index]);
      if (found_timestamps != nullptr) lookups[i]->extras().timestamp = &found_timestamps[index];
      lookups[i]->extras().blobs = family->blobs();
      lookups[i]->extras().statistics = statistics_;
      waiting[waiting_count++] = &*lookups[i];
    }
    const auto keep_unsettled = [&] {
      waiting_count = static_cast<size_t>(
          std::remove_if(waiting, waiting + waiting_count,
                         [](const PointLookup* lookup) { return lookup->settled(); }) -
          waiting);
    };
    if (!skip) {
      if (!super_version->active->empty()) {
        super_version->active->MultiGet(waiting, waiting_count, !options.ignore_range_deletions);
        keep_unsettled();
      }
      for (MemTable* table : super_version->immutables) {
        if (waiting_count == 0) break;
        table->MultiGet(waiting, waiting_count, !options.ignore_range_deletions);
        keep_unsettled();
      }
    }
    if (waiting_count > 0 && options.read_tier != ReadTier::kMemtable) {
      if (SKARN_UNLIKELY(options.deadline_us != 0) &&
          env_->clock->NowMicros() >= options.deadline_us) {
        for (size_t i = 0; i < waiting_count; ++i) waiting[i]->Fail(Status::TimedOut());
      } else {
        super_version->current->MultiGet(options, waiting, waiting_count);
      }
    }
    for (size_t i = 0; i < size; ++i) {
      const size_t index = order[begin + i].index;
      if (over_limit) {
        // The sink was perhaps called already; the status tells that the value is not to be used.
        statuses[index] = Status::Aborted();
        continue;
      }
      if (!lookups[i]->done()) lookups[i]->Finish();
      statuses[index] = Outcome(*lookups[i]);
      if (statistics_ != nullptr) CountSource(*lookups[i], statistics_, context);
      if (statuses[index].ok()) ++found;
      bytes += lookups[i]->value_bytes();
      over_limit = bytes > options.value_size_soft_limit;
    }
    begin = end;
  }

  PerfAdd(context, PerfMetric::kMultigetReadBytes, bytes);
  if (statistics_ != nullptr) {
    statistics_->Add(context, Ticker::kNumberMultigetKeysFound, found);
    statistics_->Add(context, Ticker::kNumberMultigetGet, 1);
    statistics_->Add(context, Ticker::kNumberMultigetKeysRead, count);
    statistics_->Add(context, Ticker::kNumberMultigetBytesRead, bytes);
    statistics_->Record(context, HistogramKind::kBytesPerMultiget, bytes);
    if (timed) {
      statistics_->Record(context, HistogramKind::kDbMultigetMicros, (PerfNow() - start_ns) / 1000);
    }
  }
}

}  // namespace skarn
