#include "core/cache/cache_shard.h"

#include <cassert>
#include <new>

#include "core/base/cpu.h"
#include "core/base/epoch.h"

namespace skarn {
namespace {

// Objects of this many bytes may wait until no reader can be looking at them.
constexpr size_t kWaitingBytesMax = size_t{1} << 20;

}  // namespace

CacheShard::Table::Table(size_t bucket_count)
    : mask(bucket_count - 1),
      buckets(static_cast<Bucket*>(
          InBlockHeap::OrThrow(BlockHeap::AllocateLines(bucket_count * sizeof(Bucket))))) {
  for (size_t i = 0; i < bucket_count; ++i) ::new (static_cast<void*>(&buckets[i])) Bucket;
}

CacheShard::Table::~Table() {
  for (size_t i = 0; i <= mask; ++i) {
    Bucket* extra = buckets[i].overflow.load(std::memory_order_relaxed);
    while (extra != nullptr) {
      Bucket* next = extra->overflow.load(std::memory_order_relaxed);
      delete extra;
      extra = next;
    }
  }
  BlockHeap::FreeLines(buckets, (mask + 1) * sizeof(Bucket));
}

void CacheShard::Init(uint32_t index, size_t capacity, bool strict, double high_ratio,
                      double low_ratio, size_t overhead, size_t fixed_overhead,
                      uint32_t address_count_min) {
  index_ = index;
  high_ratio_ = high_ratio;
  low_ratio_ = low_ratio;
  overhead_ = overhead;
  fixed_overhead_ = fixed_overhead;
  strict_.store(strict, std::memory_order_relaxed);
  address_count_.store(address_count_min, std::memory_order_relaxed);
  table_.store(new Table(4), std::memory_order_release);
  {
    MutexLock lock(&mu_);
    for (List& list : lists_) list.ends.next = list.ends.previous = &list.ends;
  }
  SetCapacity(capacity);
}

CacheShard::~CacheShard() {
  Table* table = table_.load(std::memory_order_relaxed);
  if (table == nullptr) return;
  const bool disowned = disowned_.load(std::memory_order_relaxed);
  for (size_t i = 0; i <= table->mask; ++i) {
    for (Bucket* bucket = &table->buckets[i]; bucket != nullptr;
         bucket = bucket->overflow.load(std::memory_order_relaxed)) {
      for (std::atomic<uint64_t>& slot : bucket->slots) {
        const uint64_t word = slot.load(std::memory_order_relaxed);
        if (word == 0) continue;
        Handle* entry = Entry(word);
        // A pinned entry outlives the cache: its holder still reads it.
        if ((entry->state.load(std::memory_order_acquire) & kPins) != 0) continue;
        Delete(entry, /*with_object=*/!disowned);
      }
    }
  }
  delete table;
}

Cache::Handle* CacheShard::Peek(const CacheKey& key, uint64_t hash) const {
  const Table* table = table_.load(std::memory_order_acquire);
  const uint64_t tag = Tag(hash);
  const Bucket* bucket = &table->buckets[hash & table->mask];
  do {
    for (const std::atomic<uint64_t>& slot : bucket->slots) {
      // Pairs with the release in Place(): the entry is complete.
      const uint64_t word = slot.load(std::memory_order_acquire);
      if (word >> 48 != tag || word == 0) continue;
      Handle* entry = Entry(word);
      // What a reader of a block looks at next is right behind its entry (core/table/block.h).
      __builtin_prefetch(reinterpret_cast<const char*>(entry) + 64);
      __builtin_prefetch(reinterpret_cast<const char*>(entry) + 128);
      if (SKARN_UNLIKELY(!(entry->key == key))) continue;
      if (entry->used.load(std::memory_order_relaxed) == 0) {
        entry->used.store(1, std::memory_order_relaxed);
      }
      return entry;
    }
    bucket = bucket->overflow.load(std::memory_order_acquire);
  } while (SKARN_UNLIKELY(bucket != nullptr));
  return nullptr;
}

bool CacheShard::TryRef(Handle* handle) {
  const uint32_t old = handle->state.fetch_add(1, std::memory_order_acquire);
  if (SKARN_LIKELY((old & kInTable) != 0)) return true;
  // It was taken out meanwhile: undo. The epoch keeps the entry's memory.
  const uint32_t undone = handle->state.fetch_sub(1, std::memory_order_acq_rel);
  if ((undone & kPins) == 1) ReleasedLast(handle, undone);
  return false;
}

Cache::Handle* CacheShard::Lookup(const CacheKey& key, uint64_t hash) {
  EpochGuard guard;
  // What was taken out under our eyes may have been replaced.
  for (int tries = 0; tries < 2; ++tries) {
    Handle* entry = Peek(key, hash);
    if (entry == nullptr || SKARN_LIKELY(TryRef(entry))) return entry;
  }
  return nullptr;
}

void CacheShard::Recharge(Handle* handle, size_t charge) {
  Handle* garbage = nullptr;
  {
    MutexLock lock(&mu_);
    if ((handle->state.load(std::memory_order_acquire) & kInTable) == 0) return;
    // Sizes are unsigned: a difference below zero wraps, and so does its sum.
    const size_t more = charge - handle->charge.load(std::memory_order_relaxed);
    handle->charge.store(charge, std::memory_order_relaxed);
    usage_.fetch_add(more, std::memory_order_relaxed);
    role_bytes_[static_cast<size_t>(handle->role)].fetch_add(more, std::memory_order_relaxed);
    if (handle->list != kNoList) {
      lists_[handle->list].bytes += more;
      Rebalance();
    }
    EvictFor(0, &garbage);
  }
  FreeAll(garbage);
}

void CacheShard::Ref(Handle* handle) {
  // The caller holds a pin, so the entry cannot go.
  handle->state.fetch_add(1, std::memory_order_relaxed);
}

void CacheShard::Release(Handle* handle, bool erase) {
  EpochGuard guard;  // Another thread may free the entry once the count has fallen.
  if (SKARN_UNLIKELY(erase)) {
    Handle* garbage = nullptr;
    {
      MutexLock lock(&mu_);
      if ((handle->state.load(std::memory_order_acquire) & kInTable) != 0) {
        std::atomic<uint64_t>* slot = FindSlot(handle->key, handle->hash);
        if (slot != nullptr && Entry(slot->load(std::memory_order_relaxed)) == handle) {
          Unlink(slot, &garbage);
        }
      }
    }
    assert(garbage == nullptr);  // The caller's pin is still counted.
  }
  const uint32_t old = handle->state.fetch_sub(1, std::memory_order_acq_rel);
  assert((old & kPins) != 0);
  if ((old & kPins) != 1) return;
  if (SKARN_UNLIKELY((old & (kInTable | kParked)) != kInTable ||
                     usage() > capacity_.load(std::memory_order_relaxed))) {
    ReleasedLast(handle, old);
  }
}

void CacheShard::ReleasedLast(Handle* entry, uint32_t old_state) {
  Handle* garbage = nullptr;
  if ((old_state & kInTable) == 0) {
    uint32_t expected = 0;
    if (!entry->state.compare_exchange_strong(expected, kFreed, std::memory_order_acq_rel)) return;
    entry->next = nullptr;
    Uncount(entry);
    garbage = entry;
  } else {
    MutexLock lock(&mu_);
    const uint32_t state = entry->state.load(std::memory_order_acquire);
    // Somebody else may have pinned or removed it meanwhile; then it is theirs to do.
    if ((state & kInTable) == 0 || (state & kPins) != 0) return;
    if ((state & kParked) != 0) {
      entry->state.fetch_and(~kParked, std::memory_order_acq_rel);
      Link(entry, /*hit=*/entry->used.exchange(0, std::memory_order_relaxed) != 0);
    }
    // A cache that pins made too full drops what is released at once.
    if (usage() > capacity_.load(std::memory_order_relaxed)) {
      uint32_t expected = kInTable;
      if (entry->state.compare_exchange_strong(expected, kFreed, std::memory_order_acq_rel)) {
        Drop(entry, &garbage);
      }
    }
  }
  FreeAll(garbage);
}

Status CacheShard::Insert(const CacheKey& key, uint64_t hash, void* object, Cache::Deleter deleter,
                          size_t charge, Cache::Role role, Cache::Priority priority,
                          Handle** handle, void* place) {
  Handle* entry = place != nullptr ? ::new (place) Handle : new (std::nothrow) Handle;
  if (entry == nullptr) {
    if (deleter != nullptr) deleter(object);
    if (handle != nullptr) *handle = nullptr;
    return Status(Status::Code::kAborted, Status::Subcode::kMemoryLimit, "Out of memory");
  }
  entry->placed = place != nullptr;
  entry->key = key;
  entry->object = object;
  entry->deleter = deleter;
  entry->charge.store(charge, std::memory_order_relaxed);
  entry->shard = index_;
  entry->role = role;
  entry->priority = priority;
  entry->hash = hash;
  entry->list = kNoList;
  entry->state.store(kInTable | (handle != nullptr ? 1 : 0), std::memory_order_relaxed);

  bool stored = true;
  Handle* garbage = nullptr;
  Table* replaced = nullptr;
  {
    MutexLock lock(&mu_);
    const size_t total = Total(entry);
    EvictFor(total, &garbage);
    if (usage() + total > capacity_.load(std::memory_order_relaxed) &&
        (handle == nullptr || strict_.load(std::memory_order_relaxed))) {
      stored = false;
    } else {
      if (std::atomic<uint64_t>* slot = FindSlot(key, hash)) Unlink(slot, &garbage);
      replaced = GrowIfFull();
      usage_.fetch_add(total, std::memory_order_relaxed);
      role_bytes_[static_cast<size_t>(role)].fetch_add(charge, std::memory_order_relaxed);
      role_entries_[static_cast<size_t>(role)].fetch_add(1, std::memory_order_relaxed);
      Link(entry, /*hit=*/false);
      Place(table_.load(std::memory_order_relaxed), entry);
      const size_t count = count_.fetch_add(1, std::memory_order_relaxed) + 1;
      if (count > address_count_.load(std::memory_order_relaxed)) {
        address_count_.store(2 * address_count_.load(std::memory_order_relaxed),
                             std::memory_order_relaxed);
      }
    }
  }
  if (SKARN_UNLIKELY(replaced != nullptr)) EpochDomain::Retire(replaced);
  FreeAll(garbage);
  if (stored) {
    if (handle != nullptr) *handle = entry;
    return Status::Ok();
  }
  Delete(entry, /*with_object=*/true);
  if (handle == nullptr) return Status::Ok();
  *handle = nullptr;
  return Status(Status::Code::kAborted, Status::Subcode::kMemoryLimit,
                "Insert failed due to LRU cache being full.");
}

void CacheShard::Erase(const CacheKey& key, uint64_t hash) {
  Handle* garbage = nullptr;
  {
    MutexLock lock(&mu_);
    if (std::atomic<uint64_t>* slot = FindSlot(key, hash)) Unlink(slot, &garbage);
  }
  FreeAll(garbage);
}

void CacheShard::EraseUnreferenced() {
  Handle* garbage = nullptr;
  {
    MutexLock lock(&mu_);
    for (List& list : lists_) {
      for (Handle* entry = list.ends.next; entry != &list.ends;) {
        Handle* next = entry->next;
        uint32_t expected = kInTable;
        if (entry->state.compare_exchange_strong(expected, kFreed, std::memory_order_acq_rel)) {
          Drop(entry, &garbage);
        }
        entry = next;
      }
    }
  }
  FreeAll(garbage);
}

void CacheShard::SetCapacity(size_t capacity) {
  Handle* garbage = nullptr;
  {
    MutexLock lock(&mu_);
    capacity_.store(capacity, std::memory_order_relaxed);
    const double bytes = static_cast<double>(capacity);
    lists_[static_cast<size_t>(Cache::Priority::kHigh)].share =
        static_cast<size_t>(bytes * high_ratio_);
    lists_[static_cast<size_t>(Cache::Priority::kLow)].share =
        static_cast<size_t>(bytes * low_ratio_);
    Rebalance();
    EvictFor(0, &garbage);
  }
  FreeAll(garbage);
}

size_t CacheShard::pinned_usage() const {
  MutexLock lock(&mu_);
  size_t unpinned = 0;
  for (const List& list : lists_) {
    for (const Handle* entry = list.ends.next; entry != &list.ends; entry = entry->next) {
      if ((entry->state.load(std::memory_order_relaxed) & kPins) == 0) unpinned += Total(entry);
    }
  }
  const size_t used = usage_.load(std::memory_order_relaxed);
  return used > unpinned ? used - unpinned : 0;
}

void CacheShard::AddUsageOf(Cache::Role role, size_t* bytes, size_t* entries) const {
  *bytes += role_bytes_[static_cast<size_t>(role)].load(std::memory_order_relaxed);
  *entries += role_entries_[static_cast<size_t>(role)].load(std::memory_order_relaxed);
}

std::atomic<uint64_t>* CacheShard::FindSlot(const CacheKey& key, uint64_t hash) {
  Table* table = table_.load(std::memory_order_relaxed);
  for (Bucket* bucket = &table->buckets[hash & table->mask]; bucket != nullptr;
       bucket = bucket->overflow.load(std::memory_order_relaxed)) {
    for (std::atomic<uint64_t>& slot : bucket->slots) {
      const uint64_t word = slot.load(std::memory_order_relaxed);
      if (word != 0 && word >> 48 == Tag(hash) && Entry(word)->key == key) return &slot;
    }
  }
  return nullptr;
}

void CacheShard::Place(Table* table, Handle* entry) {
  Bucket* bucket = &table->buckets[entry->hash & table->mask];
  while (true) {
    for (std::atomic<uint64_t>& slot : bucket->slots) {
      if (slot.load(std::memory_order_relaxed) == 0) {
        slot.store(Word(entry), std::memory_order_release);
        return;
      }
    }
    Bucket* extra = bucket->overflow.load(std::memory_order_relaxed);
    if (extra == nullptr) {
      extra = new Bucket;
      bucket->overflow.store(extra, std::memory_order_release);
    }
    bucket = extra;
  }
}

CacheShard::Table* CacheShard::GrowIfFull() {
  Table* table = table_.load(std::memory_order_relaxed);
  // Four of seven slots on average: an overflow bucket is then rare.
  if (count_.load(std::memory_order_relaxed) < (table->mask + 1) * 4) return nullptr;
  auto* larger = new Table((table->mask + 1) * 2);
  for (size_t i = 0; i <= table->mask; ++i) {
    for (Bucket* bucket = &table->buckets[i]; bucket != nullptr;
         bucket = bucket->overflow.load(std::memory_order_relaxed)) {
      for (std::atomic<uint64_t>& slot : bucket->slots) {
        const uint64_t word = slot.load(std::memory_order_relaxed);
        if (word != 0) Place(larger, Entry(word));
      }
    }
  }
  // Readers of the old table miss only what is inserted from now on.
  table_.store(larger, std::memory_order_release);
  return table;
}

void CacheShard::Unlink(std::atomic<uint64_t>* slot, Handle** garbage) {
  Handle* entry = Entry(slot->load(std::memory_order_relaxed));
  slot->store(0, std::memory_order_release);
  count_.fetch_sub(1, std::memory_order_relaxed);
  if (entry->list != kNoList) Unlist(entry);
  const uint32_t old = entry->state.fetch_and(~(kInTable | kParked), std::memory_order_acq_rel);
  if ((old & kPins) != 0) return;  // The last release frees it.
  uint32_t expected = 0;
  if (entry->state.compare_exchange_strong(expected, kFreed, std::memory_order_acq_rel)) {
    Uncount(entry);
    entry->next = *garbage;
    *garbage = entry;
  }
}

void CacheShard::EvictFor(size_t bytes, Handle** garbage) {
  const size_t capacity = capacity_.load(std::memory_order_relaxed);
  int second_chances = kSecondChancesMax;
  while (usage() + bytes > capacity) {
    Handle* entry = nullptr;
    for (size_t which = kLists; which-- > 0 && entry == nullptr;) {
      List& list = lists_[which];
      if (list.ends.next != &list.ends) entry = list.ends.next;
    }
    if (entry == nullptr) return;  // What is left is pinned.
    if (second_chances > 0 && entry->used.load(std::memory_order_relaxed) != 0) {
      --second_chances;
      entry->used.store(0, std::memory_order_relaxed);
      Unlist(entry);
      Link(entry, /*hit=*/true);
      continue;
    }
    uint32_t state = kInTable;
    if (entry->state.compare_exchange_strong(state, kFreed, std::memory_order_acq_rel)) {
      Drop(entry, garbage);
      continue;
    }
    // Pinned: out of the way until its last release, which looks for the mark. When
    // that release came first, the entry is simply tried again.
    while ((state & kPins) != 0 &&
           !entry->state.compare_exchange_weak(state, state | kParked, std::memory_order_acq_rel)) {
    }
    if ((state & kPins) != 0) Unlist(entry);
  }
}

void CacheShard::Drop(Handle* entry, Handle** garbage) {
  FindSlot(entry->key, entry->hash)->store(0, std::memory_order_release);
  count_.fetch_sub(1, std::memory_order_relaxed);
  Unlist(entry);
  Uncount(entry);
  entry->next = *garbage;
  *garbage = entry;
}

void CacheShard::Link(Handle* entry, bool hit) {
  Cache::Priority target = Cache::Priority::kBottom;
  if (high_ratio_ > 0 && (hit || entry->priority == Cache::Priority::kHigh)) {
    target = Cache::Priority::kHigh;
  } else if (low_ratio_ > 0 && (hit || entry->priority != Cache::Priority::kBottom)) {
    target = Cache::Priority::kLow;
  }
  const auto which = static_cast<uint8_t>(target);
  List& list = lists_[which];
  entry->list = which;
  entry->next = &list.ends;
  entry->previous = list.ends.previous;
  entry->previous->next = entry;
  list.ends.previous = entry;
  list.bytes += Total(entry);
  Rebalance();
}

void CacheShard::Unlist(Handle* entry) {
  assert(entry->list < kLists);
  entry->next->previous = entry->previous;
  entry->previous->next = entry->next;
  lists_[entry->list].bytes -= Total(entry);
  entry->list = kNoList;
}

void CacheShard::Rebalance() {
  for (size_t which = 0; which + 1 < kLists; ++which) {
    List& list = lists_[which];
    List& below = lists_[which + 1];
    while (list.bytes > list.share) {
      Handle* entry = list.ends.next;
      Unlist(entry);
      entry->list = static_cast<uint8_t>(which + 1);
      entry->next = &below.ends;
      entry->previous = below.ends.previous;
      entry->previous->next = entry;
      below.ends.previous = entry;
      below.bytes += Total(entry);
    }
  }
}

void CacheShard::Uncount(const Handle* entry) {
  usage_.fetch_sub(Total(entry), std::memory_order_relaxed);
  role_bytes_[static_cast<size_t>(entry->role)].fetch_sub(
      entry->charge.load(std::memory_order_relaxed), std::memory_order_relaxed);
  role_entries_[static_cast<size_t>(entry->role)].fetch_sub(1, std::memory_order_relaxed);
}

void CacheShard::Delete(Handle* entry, bool with_object) {
  const bool placed = entry->placed;
  if (entry->deleter != nullptr && with_object) entry->deleter(entry->object);
  if (!placed) delete entry;
}

void CacheShard::FreeAll(Handle* garbage) {
  if (garbage == nullptr) return;
  size_t bytes = 0;
  while (garbage != nullptr) {
    Handle* next = garbage->next;
    bytes += garbage->charge.load(std::memory_order_relaxed);
    EpochDomain::Retire(garbage, [](void* retired) {
      Delete(static_cast<Handle*>(retired), /*with_object=*/true);
    });
    garbage = next;
  }
  // Large objects must not wait for as many others as small ones.
  static constinit std::atomic<size_t> waiting{0};  // Relaxed: about how much is enough.
  if (waiting.fetch_add(bytes, std::memory_order_relaxed) + bytes >= kWaitingBytesMax) {
    waiting.store(0, std::memory_order_relaxed);
    EpochDomain::Drain();
  }
}

}  // namespace skarn
