// VersionHash finds the newest version of a user key.
//
// Open addressing without moves: a key has a group of 16 slots (128 bytes), begins at
// one of them and takes the first that is free. Nothing is ever removed, so a free slot
// on the way proves that the key is absent, and two writers of one key always meet at
// one slot. A key whose group is full goes to the next segment: one for all entries that
// are still expected, or a small one when the table is large enough for them. So the table
// grows without moving anything and without stopping writers.
//
//   slot (64 bits): upper half of the hash | reference of the newest record; 0 free
//
// Older versions follow by the records' links, newest first whatever the order in
// which concurrent writers come.
//
// Thread safety: any number of writers and readers at once, without locks.

#ifndef SKARN_CORE_MEMTABLE_VERSION_HASH_H_
#define SKARN_CORE_MEMTABLE_VERSION_HASH_H_

#include <atomic>
#include <cstdint>

#include "core/base/mutex.h"
#include "core/base/slice.h"
#include "core/key/key_bytes.h"
#include "core/memtable/record.h"
#include "core/memtable/record_store.h"

namespace skarn {

class VersionHash {
 public:
  // Tells how many entries the memtable is going to have; 0: unknown. Any writer calls it.
  struct Forecast {
    using Entries = uint64_t(const void* state);
    Entries* entries = nullptr;
    const void* state = nullptr;
  };
  // `expected_entries` 0: unknown, start small and grow by the forecast.
  VersionHash(const RecordStore& store, uint64_t expected_entries, Forecast forecast);
  ~VersionHash();
  VersionHash(const VersionHash&) = delete;
  VersionHash& operator=(const VersionHash&) = delete;

  enum class Outcome : uint8_t { kAdded, kDuplicate, kNoMemory };
  // Publishes the record `ref`, whose key, hash and tag are given. kDuplicate: the key has
  // a version with the same sequence number.
  Outcome Insert(uint64_t hash, Slice user_key, uint64_t tag, RecordRef ref);

  // The newest version of the key, 0 when there is none.
  RecordRef Find(uint64_t hash, Slice user_key) const {
    const Segment* segment = &first_;
    do {
      const std::atomic<uint64_t>* group = segment->Group(hash);
      for (unsigned i = 0; i < kGroupSlots; ++i) {
        const uint64_t slot = group[(hash + i) % kGroupSlots].load(std::memory_order_acquire);
        if (slot == 0) return 0;
        if ((slot ^ hash) >> 32 != 0) continue;
        const auto ref = static_cast<RecordRef>(slot);
        const char* const record = store_.At(ref);
        PrefetchValue(record);
        if (SKARN_LIKELY(SameBytes(ReadRecordKey(record).user_key, user_key))) return ref;
      }
      segment = segment->next.load(std::memory_order_acquire);
    } while (SKARN_UNLIKELY(segment != nullptr));
    return 0;
  }

  // Asks for what Insert() is going to look at.
  void PrefetchInsert(uint64_t hash) const {
    const Segment* segment = &first_;
    do {
      __builtin_prefetch(segment->Group(hash) + hash % kGroupSlots, /*rw=*/1);
      segment = segment->next.load(std::memory_order_acquire);
    } while (segment != nullptr);
  }

  // For lookups in bulk: first ask for the group, then for the record that is likely to be
  // the key's.
  void PrefetchGroup(uint64_t hash) const {
    const std::atomic<uint64_t>* group = first_.Group(hash);
    __builtin_prefetch(group + hash % kGroupSlots);
  }
  void PrefetchRecord(uint64_t hash) const {
    const std::atomic<uint64_t>* group = first_.Group(hash);
    for (unsigned i = 0; i < kGroupSlots; ++i) {
      const uint64_t slot = group[(hash + i) % kGroupSlots].load(std::memory_order_acquire);
      if (slot == 0) return;
      if ((slot ^ hash) >> 32 != 0) continue;
      const char* record = store_.At(static_cast<RecordRef>(slot));
      __builtin_prefetch(record);
      PrefetchValue(record);
      return;
    }
  }

  size_t memory_bytes() const { return memory_.load(std::memory_order_relaxed); }

 private:
  static constexpr unsigned kGroupSlots = 16;
  static constexpr uint64_t kFirstSlots = 1024;
  // Up to here a forecast is followed in large steps: it takes 8 MiB.
  static constexpr uint64_t kEagerSlotsMax = uint64_t{1} << 20;
  static constexpr uint64_t kSlotsMax = uint64_t{1} << 31;

  struct Segment {
    std::atomic<uint64_t>* slots = nullptr;
    uint64_t group_mask = 0;
    std::atomic<Segment*> next{nullptr};  // Set once, under grow_mu_.
    size_t bytes = 0;
    bool pooled = false;

    std::atomic<uint64_t>* Group(uint64_t hash) const {
      return slots + ((hash >> 4) & group_mask) * kGroupSlots;
    }
  };

  // The value is wanted next: its lines come while the key's is waited for.
  static void PrefetchValue(const char* record) {
    __builtin_prefetch(record + 64);
    __builtin_prefetch(record + 128);
  }
  bool SameKey(RecordRef ref, Slice user_key) const {
    const RecordKey key = ReadRecordKey(store_.At(ref));
    return SameBytes(key.user_key, user_key);
  }
  bool Allocate(Segment* segment, uint64_t slots);
  static void Release(Segment* segment);
  // How large the next segment should be.
  uint64_t NextSlots() const;
  Segment* Grow(Segment* last) SKARN_EXCLUDES(grow_mu_);
  // Puts `ref` into the list below `head`, which is newer.
  Outcome InsertBelow(RecordRef head, uint64_t tag, RecordRef ref);

  const RecordStore& store_;
  const Forecast forecast_;
  Segment first_;
  std::atomic<size_t> memory_{0};  // Written under grow_mu_ or by the constructor.
  Mutex grow_mu_;                  // A leaf in the lock order.
};

}  // namespace skarn

#endif  // SKARN_CORE_MEMTABLE_VERSION_HASH_H_
