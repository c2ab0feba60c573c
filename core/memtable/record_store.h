// RecordStore is the append-only memory of a memtable's records.
//
// Memory is in chunks; each chunk has one or more slots of 2 MiB in the range of
// references, so a reference becomes an address by a table lookup. Writers append to
// extents cut from chunks. Each extent has one writer at a time, the lane that owns it,
// and tells by `committed` how far its records are complete: who wants all records
// walks the extents up to there.
//
// Nothing is freed before the store is.
//
// Thread safety: At() and extents() any thread. A lane's owner may append while others
// read. AddExtent() any thread.

#ifndef SKARN_CORE_MEMTABLE_RECORD_STORE_H_
#define SKARN_CORE_MEMTABLE_RECORD_STORE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "core/base/cpu.h"
#include "core/base/mutex.h"
#include "core/memtable/memory_chores.h"
#include "core/memtable/record.h"

namespace skarn {

class RecordStore {
 public:
  // A run of records. `begin` has reference `first`.
  struct Extent {
    char* begin = nullptr;
    char* limit = nullptr;
    RecordRef first = 0;
    // Records below are complete. Written by the owning lane with release.
    std::atomic<char*> committed{nullptr};
    // Nothing more will be committed. Written once by the owning lane with release.
    std::atomic<bool> closed{false};

    RecordRef RefOf(const char* record) const {
      return first + static_cast<RecordRef>((record - begin) / kRecordUnit);
    }
  };

  // Where a writer appends. One writer at a time.
  struct Lane {
    Extent* extent = nullptr;
    char* next = nullptr;
    char* limit = nullptr;
    // An extent left for a record that did not fit; used again before a new one is made.
    Extent* spare = nullptr;
    char* spare_next = nullptr;
  };

  RecordStore();
  ~RecordStore();
  RecordStore(const RecordStore&) = delete;
  RecordStore& operator=(const RecordStore&) = delete;

  const char* At(RecordRef ref) const {
    char* const* slots = slots_.load(std::memory_order_acquire);
    return slots[ref >> kSlotShift] + size_t{ref & kSlotMask} * kRecordUnit;
  }

  // Memory for a record of `size` bytes, a multiple of 4, and its reference. nullptr when
  // the store is full or memory is exhausted. Commit() or Abandon() is next.
  char* Append(Lane* lane, size_t size, RecordRef* ref) SKARN_EXCLUDES(mu_) {
    if (SKARN_UNLIKELY(size > static_cast<size_t>(lane->limit - lane->next))) {
      if (!Refill(lane, size)) return nullptr;
    }
    *ref = lane->extent->RefOf(lane->next);
    return lane->next;
  }
  // The record that the last Append() gave is complete.
  void Commit(Lane* lane, size_t size) {
    lane->next += size;
    lane->extent->committed.store(lane->next, std::memory_order_release);
  }
  // It is not wanted, and nobody has its reference.
  void Abandon(Lane*) {}

  // All extents from number `from` on, in the order they were made.
  void Extents(size_t from, std::vector<Extent*>* extents) const SKARN_EXCLUDES(mu_);
  // Bytes taken for chunks.
  size_t reserved_bytes() const { return reserved_.load(std::memory_order_relaxed); }

 private:
  static constexpr size_t kSlotBytes = size_t{2} << 20;
  static constexpr unsigned kSlotShift = 19;
  static constexpr uint32_t kSlotMask = (uint32_t{1} << kSlotShift) - 1;
  static_assert((size_t{1} << kSlotShift) * kRecordUnit == kSlotBytes);
  static constexpr size_t kSlotsMax = size_t{1} << (32 - kSlotShift);
  static constexpr size_t kExtentMin = 4096;
  static constexpr size_t kExtentMax = 256 << 10;
  // Below this much memory extents come from the heap one by one.
  static constexpr size_t kHeapMax = 1 << 20;

  struct Chunk {
    char* data;
    size_t size;
    bool pooled;
  };

  [[gnu::noinline]] bool Refill(Lane* lane, size_t size) SKARN_EXCLUDES(mu_);
  // Adds a chunk and its slots; nullptr when that is impossible.
  char* AddChunk(size_t size, bool pooled, RecordRef* first, bool* fresh = nullptr)
      SKARN_REQUIRES(mu_);
  void WarmAhead() SKARN_REQUIRES(mu_);

  // Start of the 2 MiB that each slot stands for. Replaced by a larger copy when it is
  // full; written under mu_. Who reads a reference sees the entry of its slot.
  std::atomic<char**> slots_;
  std::atomic<size_t> reserved_{0};  // Written under mu_.

  mutable Mutex mu_;  // A leaf in the lock order.
  std::vector<std::unique_ptr<char*[]>> slot_tables_ SKARN_GUARDED_BY(mu_);
  size_t slot_capacity_ SKARN_GUARDED_BY(mu_);
  size_t slot_count_ SKARN_GUARDED_BY(mu_) = 0;
  std::vector<Chunk> chunks_ SKARN_GUARDED_BY(mu_);
  std::deque<Extent> extents_ SKARN_GUARDED_BY(mu_);  // Addresses stay.
  // What is left of the newest pooled chunk.
  char* rest_ SKARN_GUARDED_BY(mu_) = nullptr;
  size_t rest_size_ SKARN_GUARDED_BY(mu_) = 0;
  RecordRef rest_ref_ SKARN_GUARDED_BY(mu_) = 0;
  // The end of that chunk which nothing has touched yet and nobody was told to.
  size_t cold_size_ SKARN_GUARDED_BY(mu_) = 0;
  MemoryChores chores_;
};

}  // namespace skarn

#endif  // SKARN_CORE_MEMTABLE_RECORD_STORE_H_
