#include "core/memtable/memtable.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/env/clock.h"
#include "core/memtable/checked_cursor.h"
#include "core/memtable/in_place_locks.h"
#include "core/memtable/lazy_hash.h"
#include "core/memtable/memtable_cursor.h"
#include "core/memtable/memtable_tombstones.h"
#include "core/memtable/ordered_records.h"
#include "core/memtable/record_check.h"
#include "core/memtable/write_lanes.h"

namespace skarn {
namespace {

// What a version costs besides its record: its share of the hash table.
constexpr uint64_t kEntryOverhead = 12;
// What a range tombstone costs besides its keys.
constexpr uint64_t kTombstoneOverhead = 64;
// Charged for an empty memtable, as RocksDB's arena does.
constexpr size_t kInitialCharge = 2048;
constexpr size_t kArenaBlockMin = 4096;
constexpr size_t kArenaBlockMax = size_t{2} << 30;
// References reach 16 GiB; leave room for the batches under way.
constexpr uint64_t kFullMax = uint64_t{12} << 30;
// Versions newer than the snapshot that a lookup steps over before it searches the order.
constexpr int kChainStepsMax = 64;
constexpr size_t kMultiGetGroup = 32;
// How often, at most, writers could be told that the memtable is nearly full, of which a quarter
// are: each time may be a long wait.
constexpr uint64_t kNoticesPerFill = 16;
// A record of some 100 bytes, wherever it begins.
constexpr size_t kPrefetchedLines = 3;

size_t ArenaBlockSize(const MemTableOptions& options) {
  size_t size = options.arena_block_size;
  if (size == 0) {
    size = std::min<size_t>(options.write_buffer_size / 8, size_t{1} << 20);
    size = (size + 4095) & ~size_t{4095};
  }
  return std::clamp(size, kArenaBlockMin, kArenaBlockMax);
}

// The number of used bytes from which on the memtable is full. With blocks of `block`
// bytes it is full when it has more than write_buffer_size + 0.6 blocks; or when one
// block more would be too much and the last one has less than a quarter free.
uint64_t FullAt(size_t write_buffer_size, size_t block) {
  const auto room = static_cast<uint64_t>(static_cast<double>(write_buffer_size) +
                                          0.6 * static_cast<double>(block));
  const uint64_t blocks = room / block;
  if (blocks == 0) return kInitialCharge;
  return std::min(blocks * block - block / 4 + 1, kFullMax);
}

bool IsDeletion(EntryKind kind) {
  return kind == EntryKind::kDeletion || kind == EntryKind::kSingleDeletion ||
         kind == EntryKind::kDeletionWithTimestamp;
}

}  // namespace

struct MemTable::Rep {
  Rep(const KeyOrder& key_order, const MemTableOptions& given, MemoryCharge* memory_charge)
      : order(key_order),
        options(given),
        charge(memory_charge),
        block_size(ArenaBlockSize(given)),
        full_at(FullAt(given.write_buffer_size, block_size)),
        check(given.inplace_update_support ? 0 : given.protection_bytes_per_key),
        reads_plainly(check.size_bytes() == 0 && !given.inplace_update_support),
        notice_at(full_at / 4 * 3),
        tombstones(order),
        ordered(order, store, lanes,
                /*eager=*/!CanHash(key_order) || given.inplace_update_support, check.size_bytes()) {
    if (CanHash(key_order)) {
      hash.emplace(store, lanes, check.size_bytes(), given.expected_entries,
                   VersionHash::Forecast{&Rep::ForecastEntries, this});
    }
    if (given.inplace_update_support) locks.emplace(given.inplace_update_num_locks);
    if (charge != nullptr) charge->Reserve(kInitialCharge);
  }

  // Timestamps of one key may be written in any order, so finding the newest visible one
  // needs the order.
  static bool CanHash(const KeyOrder& order) {
    return order.comparator()->EqualMeansSameBytes() && order.timestamp_size() == 0;
  }

  // How many entries there will be when the memtable is full, if they go on as they began.
  static uint64_t ForecastEntries(const void* state) {
    const Rep& rep = *static_cast<const Rep*>(state);
    const uint64_t bytes = rep.used.load(std::memory_order_relaxed);
    if (bytes == 0) return 0;
    const double each = static_cast<double>(bytes) /
                        static_cast<double>(std::max<uint64_t>(rep.lanes.entries(), 1));
    return static_cast<uint64_t>(static_cast<double>(rep.full_at) / each);
  }

  // Adds to the used bytes. True when NoteFilling() is to follow.
  bool Use(uint64_t bytes, bool concurrent) {
    uint64_t now;
    if (concurrent) {
      now = used.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    } else {
      now = used.load(std::memory_order_relaxed) + bytes;
      used.store(now, std::memory_order_relaxed);
    }
    if (SKARN_UNLIKELY(now > charged.load(std::memory_order_relaxed))) Charge(now);
    return now >= notice_at.load(std::memory_order_relaxed);
  }
  [[gnu::noinline]] void Charge(uint64_t now) {
    uint64_t before = charged.load(std::memory_order_relaxed);
    while (now > before) {
      const uint64_t blocks = (now - before + block_size - 1) / block_size;
      if (charged.compare_exchange_weak(before, before + blocks * block_size,
                                        std::memory_order_relaxed)) {
        if (charge != nullptr) charge->Reserve(blocks * block_size);
        return;
      }
    }
  }
  void NoteFirstWrite() {
    uint64_t none = UINT64_MAX;
    oldest_write_s.compare_exchange_strong(none, SystemClock()->NowSeconds(),
                                           std::memory_order_relaxed);
  }

  const KeyOrder order;
  const MemTableOptions options;
  MemoryCharge* const charge;
  const size_t block_size;
  const uint64_t full_at;
  const RecordCheck check;
  const bool reads_plainly;  // Values need neither locks nor verification.

  std::atomic<uint64_t> used{0};                  // Written by adding threads.
  std::atomic<uint64_t> notice_at;                // Likewise: used bytes to be noted next.
  std::atomic<uint64_t> charged{kInitialCharge};  // Likewise.
  std::atomic<uint64_t> oldest_write_s{UINT64_MAX};
  std::atomic<bool> immutable{false};

  RecordStore store;
  WriteLanes lanes;
  MemTableTombstones tombstones;
  OrderedRecords ordered;
  mutable std::optional<LazyHash> hash;  // Not with comparators that cannot be hashed.
  std::optional<InPlaceLocks> locks;     // With in-place updates.
};

MemTable::MemTable(const KeyOrder& order, const MemTableOptions& options, MemoryCharge* charge,
                   SequenceNumber earliest_sequence, uint64_t id)
    : rep_(std::make_unique<Rep>(order, options, charge)),
      id_(id),
      earliest_sequence_(earliest_sequence) {}

MemTable::~MemTable() {
  MarkImmutable();
  if (rep_->charge != nullptr) rep_->charge->Free(rep_->charged.load(std::memory_order_relaxed));
}

void MemTable::Unref() {
  // Acquire and release: the last one sees what all others did.
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

void MemTable::MarkImmutable() {
  if (rep_->immutable.exchange(true, std::memory_order_relaxed)) return;
  if (rep_->charge != nullptr) {
    rep_->charge->BecameImmutable(rep_->charged.load(std::memory_order_relaxed));
  }
}

Status MemTable::Add(SequenceNumber sequence, EntryKind kind, Slice user_key, Slice value,
                     bool concurrent) {
  if (SKARN_UNLIKELY(kind == EntryKind::kRangeDeletion)) {
    return AddTombstone(sequence, user_key, value);
  }
  Rep& rep = *rep_;
  const uint64_t tag = PackTag(sequence, kind);
  const size_t size = RecordSize(user_key.size(), value.size(), rep.check.size_bytes());
  WriteLane* lane = concurrent ? rep.lanes.Claim() : rep.lanes.first();

  RecordRef ref = 0;
  char* record = rep.store.Append(&lane->position, size, &ref);
  if (SKARN_UNLIKELY(record == nullptr)) {
    if (concurrent) WriteLanes::Release(lane);
    notices_.fetch_or(kFull, std::memory_order_relaxed);
    return Status::Aborted("memtable has no room for the entry");
  }
  WriteRecord(record, user_key, tag, value);
  if (SKARN_UNLIKELY(rep.check.size_bytes() != 0)) {
    // Of what the caller gave, not of what arrived.
    rep.check.Write(user_key, tag, ReadRecordValue(ReadRecordKey(record).rest), value);
  }

  bool added = true;
  bool memory = true;
  const bool hashed = rep.hash.has_value();
  VersionHash* const hash = SKARN_LIKELY(hashed) ? rep.hash->ForWriting() : nullptr;
  if (hash != nullptr) {
    const VersionHash::Outcome outcome = hash->Insert(Hash64(user_key), user_key, tag, ref);
    added = outcome == VersionHash::Outcome::kAdded;
    memory = outcome != VersionHash::Outcome::kNoMemory;
  }
  if (SKARN_UNLIKELY(rep.ordered.eager()) && added) {
    const OrderTree::Outcome outcome = rep.ordered.AddNow(user_key, tag, ref);
    added = outcome == OrderTree::Outcome::kAdded;
    memory = outcome != OrderTree::Outcome::kNoMemory;
  }
  if (SKARN_UNLIKELY(!added)) {
    rep.store.Abandon(&lane->position);
    if (concurrent) WriteLanes::Release(lane);
    if (!memory) return Status::Aborted("memtable has no memory for the entry");
    return Status::TryAgain("key+seq exists");
  }
  rep.store.Commit(&lane->position, size);
  lane->Count(sequence, IsDeletion(kind), user_key.size() + value.size());
  const uint64_t lane_entries = lane->entries.load(std::memory_order_relaxed);
  if (hashed && hash == nullptr) rep.hash->Committed(user_key, tag, ref, lane_entries);
  if (SKARN_UNLIKELY(lane_entries == 1)) {
    rep.NoteFirstWrite();
    written_.store(true, std::memory_order_release);
  }

  bool note = false;
  if (!concurrent) {
    note = rep.Use(size + kEntryOverhead, /*concurrent=*/false);
  } else {
    // The sum is a line that all writers share: they touch it now and then.
    lane->pending_bytes += size + kEntryOverhead;
    if (lane->pending_bytes >= rep.block_size / 16) {
      note = rep.Use(lane->pending_bytes, /*concurrent=*/true);
      lane->pending_bytes = 0;
    }
    WriteLanes::Release(lane);
  }
  if (SKARN_UNLIKELY(note)) NoteFilling();
  if (SKARN_UNLIKELY(lane_entries % OrderedRecords::kDrainInterval == 0) && !rep.ordered.eager() &&
      rep.ordered.wanted()) {
    rep.ordered.DrainSome();
  }
  return Status::Ok();
}

void MemTable::NoteFilling() {
  const uint64_t used = rep_->used.load(std::memory_order_relaxed);
  const bool full = used >= rep_->full_at;
  // When it is full, every writer is told.
  if (!full) {
    const uint64_t step = std::max<uint64_t>(rep_->block_size, rep_->full_at / kNoticesPerFill);
    rep_->notice_at.store(std::min(used + step, rep_->full_at), std::memory_order_relaxed);
  }
  notices_.fetch_or(full ? kFull : kNearlyFull, std::memory_order_relaxed);
}

uint32_t MemTable::fullness() const {
  return static_cast<uint32_t>(rep_->used.load(std::memory_order_relaxed) * 1024 / rep_->full_at);
}

bool MemTable::WantsPrefetch() const {
  return rep_->hash.has_value() && rep_->hash->ForWriting() != nullptr;
}

void MemTable::PrefetchAdd(Slice user_key) const {
  // Where the record is going to be: lines that nobody has had in a cache.
  const auto next = reinterpret_cast<uintptr_t>(rep_->lanes.first()->position.next);  // Or null.
  for (size_t line = 0; line < kPrefetchedLines; ++line) {
    __builtin_prefetch(reinterpret_cast<const void*>(next + line * 64), /*rw=*/1);
  }
  if (SKARN_LIKELY(rep_->hash.has_value())) rep_->hash->PrefetchInsert(user_key);
}

Status MemTable::AddTombstone(SequenceNumber sequence, Slice start, Slice end) {
  Rep& rep = *rep_;
  rep.tombstones.Add(start, end, sequence);
  rep.NoteFirstWrite();
  written_.store(true, std::memory_order_release);
  if (rep.Use(start.size() + end.size() + kTombstoneOverhead, /*concurrent=*/true)) NoteFilling();
  const uint32_t count_max = rep.options.max_range_deletions;
  if (count_max > 0 && rep.tombstones.count() >= count_max) {
    notices_.fetch_or(kFull, std::memory_order_relaxed);
  }
  return Status::Ok();
}

void MemTable::ExpectRepeats() {
  if (rep_->hash.has_value()) (void)rep_->hash->ForReading();
}

bool MemTable::UpdateInPlace(Slice user_key, Slice value) {
  Rep& rep = *rep_;
  if (!rep.locks.has_value()) return false;
  RecordKey newest;
  if (rep.hash.has_value()) {
    const RecordRef ref = rep.hash->ForReading().Find(Hash64(user_key), user_key);
    if (ref == 0) return false;
    newest = ReadRecordKey(rep.store.At(ref));
  } else {
    OrderTree::Leaf leaf;
    const int index = rep.ordered.Current()->Seek(user_key, kMaxTag, &leaf);
    if (index < 0) return false;
    newest = ReadRecordKey(rep.store.At(leaf.ref(static_cast<uint32_t>(index))));
    if (rep.order.CompareUser(newest.user_key, user_key) != 0) return false;
  }
  if (TagKind(newest.tag) != EntryKind::kValue) return false;
  return rep.locks->Write(newest.user_key, newest.rest, value);
}

bool MemTable::OfferRecord(PointLookup* lookup, const char* record) const {
  return OfferKey(lookup, ReadRecordKey(record));
}

inline bool MemTable::OfferKey(PointLookup* lookup, const RecordKey& key) const {
  if (SKARN_UNLIKELY(!rep_->reads_plainly)) {
    if (rep_->locks.has_value()) {
      std::string copy;
      rep_->locks->Read(key.user_key, key.rest, &copy);
      return lookup->Offer(key.user_key, key.tag, copy, PinSource());
    }
    if (!rep_->check.Matches(key.user_key, key.tag, ReadRecordValue(key.rest))) {
      lookup->Fail(RecordCheck::Mismatch());
      return false;
    }
  }
  PinSource source;
  source.object = const_cast<MemTable*>(this);
  source.acquire = [](const PinSource& self, Pin* pin) {
    static_cast<MemTable*>(self.object)->Ref();
    *pin = Pin(self.object, nullptr,
               [](void* object, void*) { static_cast<MemTable*>(object)->Unref(); });
    return true;
  };
  return lookup->Offer(key.user_key, key.tag, ReadRecordValue(key.rest), source);
}

void MemTable::Get(PointLookup* lookup, bool tombstones) const {
  const Rep& rep = *rep_;
  if (SKARN_UNLIKELY(rep.tombstones.count() != 0) && tombstones) {
    Slice timestamp;
    const SequenceNumber covered = rep.tombstones.MaxCovering(
        lookup->user_key(), lookup->snapshot(), lookup->read_timestamp(), &timestamp);
    if (covered != 0) lookup->CoverUpTo(covered, timestamp);
  }
  if (SKARN_UNLIKELY(!rep.hash.has_value())) {
    GetOrdered(lookup);
    return;
  }
  RecordRef ref = rep.hash->ForReading().Find(lookup->hash(), lookup->user_key());
  int steps = 0;
  while (ref != 0) {
    const char* record = rep.store.At(ref);
    const RecordKey key = ReadRecordKey(record);
    if (SKARN_LIKELY(key.tag <= lookup->seek_tag())) {
      if (!OfferKey(lookup, key)) return;
    } else if (++steps > kChainStepsMax) {
      GetOrdered(lookup);
      return;
    }
    ref = RecordOlder(record).load(std::memory_order_acquire);
  }
}

void MemTable::GetOrdered(PointLookup* lookup) const {
  const OrderTree* tree = rep_->ordered.Current();
  OrderTree::Leaf leaf;
  int index = tree->Seek(lookup->seek_key(), lookup->seek_tag(), &leaf);
  while (index >= 0) {
    const char* record = rep_->store.At(leaf.ref(static_cast<uint32_t>(index)));
    const Slice key = rep_->order.StripTimestamp(ReadRecordKey(record).user_key);
    if (rep_->order.CompareStripped(key, lookup->user_key()) != 0) return;
    if (!OfferRecord(lookup, record)) return;
    if (++index == static_cast<int>(leaf.count())) index = tree->NextLeaf(&leaf);
  }
}

void MemTable::MultiGet(PointLookup* const* lookups, size_t count, bool tombstones) const {
  const Rep& rep = *rep_;
  if (rep.hash.has_value()) {
    const VersionHash& hash = rep.hash->ForReading();
    for (size_t begin = 0; begin < count; begin += kMultiGetGroup) {
      const size_t end = std::min(begin + kMultiGetGroup, count);
      for (size_t i = begin; i < end; ++i) hash.PrefetchGroup(lookups[i]->hash());
      for (size_t i = begin; i < end; ++i) hash.PrefetchRecord(lookups[i]->hash());
      for (size_t i = begin; i < end; ++i) Get(lookups[i], tombstones);
    }
    return;
  }
  for (size_t i = 0; i < count; ++i) Get(lookups[i], tombstones);
}

size_t MemTable::CountSuccessiveMerges(Slice user_key, SequenceNumber snapshot) const {
  const Rep& rep = *rep_;
  size_t merges = 0;
  if (rep.hash.has_value()) {
    RecordRef ref = rep.hash->ForReading().Find(Hash64(user_key), user_key);
    while (ref != 0) {
      const char* record = rep.store.At(ref);
      const uint64_t tag = ReadRecordKey(record).tag;
      if (TagSequence(tag) <= snapshot) {
        if (TagKind(tag) != EntryKind::kMerge) break;
        ++merges;
      }
      ref = RecordOlder(record).load(std::memory_order_acquire);
    }
    return merges;
  }
  const OrderTree* tree = rep_->ordered.Current();
  OrderTree::Leaf leaf;
  int index = tree->Seek(user_key, SeekTag(snapshot), &leaf);
  while (index >= 0) {
    const RecordKey key = ReadRecordKey(rep.store.At(leaf.ref(static_cast<uint32_t>(index))));
    if (TagKind(key.tag) != EntryKind::kMerge ||
        rep.order.CompareUserWithoutTimestamp(key.user_key, user_key) != 0) {
      break;
    }
    ++merges;
    if (++index == static_cast<int>(leaf.count())) index = tree->NextLeaf(&leaf);
  }
  return merges;
}

bool MemTable::NewestSequence(Slice user_key, SequenceNumber* sequence) const {
  const Rep& rep = *rep_;
  SequenceNumber newest = 0;
  bool found = false;
  if (rep.tombstones.count() != 0) {
    newest = rep.tombstones.MaxCovering(user_key, kMaxSequenceNumber, Slice(), nullptr);
    found = newest != 0;
  }
  if (rep.hash.has_value()) {
    if (const RecordRef ref = rep.hash->ForReading().Find(Hash64(user_key), user_key); ref != 0) {
      newest = std::max(newest, TagSequence(ReadRecordKey(rep.store.At(ref)).tag));
      found = true;
    }
  } else {
    const PointLookup lookup(rep.order, user_key, kMaxSequenceNumber, Slice(), nullptr, nullptr);
    const OrderTree* tree = rep_->ordered.Current();
    OrderTree::Leaf leaf;
    int index = tree->Seek(lookup.seek_key(), kMaxTag, &leaf);
    while (index >= 0) {
      const RecordKey key = ReadRecordKey(rep.store.At(leaf.ref(static_cast<uint32_t>(index))));
      if (rep.order.CompareStripped(rep.order.StripTimestamp(key.user_key), user_key) != 0) break;
      newest = std::max(newest, TagSequence(key.tag));
      found = true;
      if (rep.order.timestamp_size() == 0) break;
      if (++index == static_cast<int>(leaf.count())) index = tree->NextLeaf(&leaf);
    }
  }
  *sequence = newest;
  return found;
}

std::unique_ptr<InternalCursor> MemTable::NewCursor() const {
  return Checked(std::make_unique<OrderCursor>(this, &rep_->ordered,
                                               rep_->locks.has_value() ? &*rep_->locks : nullptr));
}

std::unique_ptr<InternalCursor> MemTable::Checked(std::unique_ptr<InternalCursor> cursor) const {
  const bool sums = rep_->check.size_bytes() != 0;
  const bool order = rep_->options.paranoid_memory_checks;
  if (SKARN_LIKELY(!sums && !order)) return cursor;
  return std::make_unique<CheckedCursor>(rep_->order, std::move(cursor),
                                         sums ? &rep_->check : nullptr, order);
}

std::unique_ptr<InternalCursor> MemTable::NewFlushCursor() const {
  // When there is an order already, it is as good as a sort.
  if (rep_->ordered.wanted()) return NewCursor();
  return Checked(std::make_unique<FlushCursor>(this, rep_->ordered));
}

std::shared_ptr<const FragmentedTombstones> MemTable::Tombstones(SequenceNumber snapshot) const {
  if (rep_->tombstones.count() == 0 || rep_->tombstones.smallest_sequence() > snapshot) {
    return nullptr;
  }
  return rep_->tombstones.Fragments();
}

uint64_t MemTable::entry_count() const { return rep_->lanes.entries() + rep_->tombstones.count(); }
uint64_t MemTable::deletion_count() const {
  return rep_->lanes.deletions() + rep_->tombstones.count();
}
uint64_t MemTable::range_deletion_count() const { return rep_->tombstones.count(); }
uint64_t MemTable::data_bytes() const {
  return rep_->lanes.data_bytes() + rep_->tombstones.data_bytes();
}
size_t MemTable::memory_bytes() const {
  return rep_->charged.load(std::memory_order_relaxed) + rep_->ordered.memory_bytes();
}
SequenceNumber MemTable::first_sequence() const {
  const SequenceNumber first =
      std::min(rep_->lanes.smallest_sequence(), rep_->tombstones.smallest_sequence());
  return first == kMaxSequenceNumber ? 0 : first;
}
SequenceNumber MemTable::largest_sequence() const {
  return std::max(rep_->lanes.largest_sequence(), rep_->tombstones.largest_sequence());
}
uint64_t MemTable::oldest_write_s() const {
  return rep_->oldest_write_s.load(std::memory_order_relaxed);
}

void MemTable::ApproximateRange(Slice start, Slice limit, uint64_t* entries,
                                uint64_t* bytes) const {
  *entries = *bytes = 0;
  const uint64_t all = rep_->lanes.entries();
  if (all == 0) return;
  *entries = rep_->ordered.Current()->CountBetween(start, limit);
  *bytes = *entries * (rep_->lanes.data_bytes() / all);
}

}  // namespace skarn
