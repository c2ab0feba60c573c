#include "core/memtable/version_hash.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <new>

#include "core/base/arena.h"

namespace skarn {
namespace {

constexpr size_t kLine = 128;  // Of a group.
constexpr uint64_t kGroupsSampled = 64;

}  // namespace

VersionHash::VersionHash(const RecordStore& store, uint64_t expected_entries, Forecast forecast)
    : store_(store), forecast_(forecast) {
  // At two thirds, few groups overflow.
  const uint64_t slots =
      std::clamp(std::bit_ceil(expected_entries + expected_entries / 2), kFirstSlots, kSlotsMax);
  if (!Allocate(&first_, slots)) {
    // Without memory for the table wished for, a small one still works; without that
    // nothing does.
    if (!Allocate(&first_, kFirstSlots)) abort();
  }
}

VersionHash::~VersionHash() {
  Segment* next = first_.next.load(std::memory_order_relaxed);
  Release(&first_);
  while (next != nullptr) {
    Segment* segment = next;
    next = segment->next.load(std::memory_order_relaxed);
    Release(segment);
    delete segment;
  }
}

bool VersionHash::Allocate(Segment* segment, uint64_t slots) {
  const size_t bytes = slots * sizeof(std::atomic<uint64_t>);
  void* memory = nullptr;
  bool zeroes = false;
  segment->pooled = bytes >= ChunkPool::kChunkBytes;
  if (segment->pooled) {
    memory = ChunkPool::Acquire(bytes, &zeroes);
  } else {
    memory = aligned_alloc(kLine, bytes);
  }
  if (memory == nullptr) return false;
  // Fresh pages are zeroes, and are better touched one by one.
  if (!zeroes) memset(memory, 0, bytes);
  static_assert(sizeof(std::atomic<uint64_t>) == sizeof(uint64_t));
  segment->slots = static_cast<std::atomic<uint64_t>*>(memory);
  segment->group_mask = slots / kGroupSlots - 1;
  segment->bytes = bytes;
  memory_.store(memory_.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
  return true;
}

void VersionHash::Release(Segment* segment) {
  if (segment->pooled) {
    ChunkPool::Release(reinterpret_cast<char*>(segment->slots), segment->bytes);
  } else {
    free(segment->slots);
  }
}

uint64_t VersionHash::NextSlots() const {
  uint64_t capacity = 0;
  uint64_t used = 0;
  for (const Segment* segment = &first_; segment != nullptr;
       segment = segment->next.load(std::memory_order_acquire)) {
    const uint64_t groups = segment->group_mask + 1;
    const uint64_t step = std::max<uint64_t>(groups / kGroupsSampled, 1);
    uint64_t looked = 0;
    uint64_t full = 0;
    for (uint64_t group = 0; group < groups; group += step) {
      for (unsigned i = 0; i < kGroupSlots; ++i, ++looked) {
        const auto& slot = segment->slots[group * kGroupSlots + i];
        if (slot.load(std::memory_order_relaxed) != 0) ++full;
      }
    }
    capacity += groups * kGroupSlots;
    used += groups * kGroupSlots * full / looked;
  }
  // Keys made to collide fill groups of an empty table: they must not make us take memory.
  if (used < capacity / 4) return kFirstSlots;
  const uint64_t expected = forecast_.entries != nullptr ? forecast_.entries(forecast_.state) : 0;
  const uint64_t wanted = expected + expected / 2;
  // While it is small, the table grows as soon as it can; later, rare overflows are no reason.
  const bool small = capacity < kEagerSlotsMax;
  if (wanted > 2 * capacity && (small || used >= capacity / 8 * 5)) {
    const uint64_t limit = small ? std::min(std::bit_ceil(capacity) * 32, kEagerSlotsMax)
                                 : std::min(std::bit_ceil(capacity) * 2, kSlotsMax);
    return std::clamp(std::bit_ceil(std::min(wanted, kSlotsMax)), kFirstSlots, limit);
  }
  // Some groups overflow long before the table is full: a small segment takes those.
  if (used < capacity / 4 * 3) {
    return std::clamp(std::bit_floor(capacity / 8), kFirstSlots, kSlotsMax);
  }
  return std::min(std::bit_ceil(capacity) * 2, kSlotsMax);
}

VersionHash::Segment* VersionHash::Grow(Segment* last) {
  MutexLock lock(&grow_mu_);
  if (Segment* next = last->next.load(std::memory_order_relaxed); next != nullptr) return next;
  auto* segment = new (std::nothrow) Segment;
  if (segment == nullptr) return nullptr;
  if (!Allocate(segment, NextSlots())) {
    delete segment;
    return nullptr;
  }
  // Release pairs with the acquire of who follows the pointer.
  last->next.store(segment, std::memory_order_release);
  return segment;
}

VersionHash::Outcome VersionHash::Insert(uint64_t hash, Slice user_key, uint64_t tag,
                                         RecordRef ref) {
  const uint64_t mine = (hash >> 32 << 32) | ref;
  Segment* segment = &first_;
  for (;;) {
    std::atomic<uint64_t>* group = segment->Group(hash);
    for (unsigned i = 0; i < kGroupSlots; ++i) {
      std::atomic<uint64_t>& place = group[(hash + i) % kGroupSlots];
      uint64_t slot = place.load(std::memory_order_acquire);
      if (slot == 0) {
        // Release publishes the record's bytes.
        if (place.compare_exchange_strong(slot, mine, std::memory_order_release,
                                          std::memory_order_acquire)) {
          return Outcome::kAdded;
        }
        // Another writer was first: `slot` is what it put here.
      }
      if ((slot ^ hash) >> 32 != 0) continue;
      if (!SameKey(static_cast<RecordRef>(slot), user_key)) continue;
      for (;;) {
        const auto head = static_cast<RecordRef>(slot);
        const uint64_t head_tag = ReadRecordKey(store_.At(head)).tag;
        if (TagSequence(head_tag) == TagSequence(tag)) return Outcome::kDuplicate;
        if (head_tag > tag) return InsertBelow(head, tag, ref);
        RecordOlder(store_.At(ref)).store(head, std::memory_order_relaxed);
        if (place.compare_exchange_strong(slot, mine, std::memory_order_release,
                                          std::memory_order_acquire)) {
          return Outcome::kAdded;
        }
      }
    }
    Segment* next = segment->next.load(std::memory_order_acquire);
    if (next == nullptr && (next = Grow(segment)) == nullptr) return Outcome::kNoMemory;
    segment = next;
  }
}

VersionHash::Outcome VersionHash::InsertBelow(RecordRef head, uint64_t tag, RecordRef ref) {
  const char* above = store_.At(head);
  for (;;) {
    uint32_t below = RecordOlder(above).load(std::memory_order_acquire);
    if (below != 0) {
      const char* record = store_.At(below);
      const uint64_t below_tag = ReadRecordKey(record).tag;
      if (TagSequence(below_tag) == TagSequence(tag)) return Outcome::kDuplicate;
      if (below_tag > tag) {
        above = record;
        continue;
      }
    }
    RecordOlder(store_.At(ref)).store(below, std::memory_order_relaxed);
    if (RecordOlder(above).compare_exchange_strong(below, ref, std::memory_order_release,
                                                   std::memory_order_acquire)) {
      return Outcome::kAdded;
    }
  }
}

}  // namespace skarn
