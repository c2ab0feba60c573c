// BlockSightings remembers where in memory the cached blocks of a table were seen last, and the
// indexes of their entries. A search asks for them while it still waits for the cache to say
// where the block is: what would be one wait after the other becomes one.
//
// These are hints. What was there may be gone, so the addresses are prefetched, which cannot
// fail, and never followed.
//
// Thread safety: any thread. Nothing is written while blocks stay where they are.

#ifndef SKARN_CORE_TABLE_BLOCK_SIGHTINGS_H_
#define SKARN_CORE_TABLE_BLOCK_SIGHTINGS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/base/cpu.h"

namespace skarn {

class BlockSightings {
 public:
  BlockSightings() = default;
  ~BlockSightings();
  BlockSightings(const BlockSightings&) = delete;
  BlockSightings& operator=(const BlockSightings&) = delete;

  struct Sighting {
    const void* block = nullptr;  // Null: not seen.
    const void* entries = nullptr;

    bool IsOf(const void* at, const void* entries_at) const {
      return block == at && entries == entries_at;
    }
    // Starts loading what a search of a block reads first: the cache's entry with the head of
    // the block and its first key, and all of the usual index of entries.
    void Prefetch() const {
      if (block == nullptr) return;
      const char* const head = static_cast<const char*>(block);
      const char* const index = static_cast<const char*>(entries);
      for (size_t at = 0; at < 192; at += 64) __builtin_prefetch(head + at);
      for (size_t at = 0; at < 448; at += 64) __builtin_prefetch(index + at);
    }
  };

  Sighting Of(uint32_t i) const {
    // Pairs with the release in Note().
    const Slot* const slots = slots_.load(std::memory_order_acquire);
    if (slots == nullptr) return Sighting();
    return {slots[i].block.load(std::memory_order_relaxed),
            slots[i].entries.load(std::memory_order_relaxed)};
  }
  // Starts loading what Of() reads for blocks `i` up to `i + count`.
  void PrefetchRange(uint32_t i, uint32_t count) const {
    const Slot* const slots = slots_.load(std::memory_order_acquire);
    if (slots == nullptr) return;
    for (uint32_t n = 0; n < count; n += 64 / sizeof(Slot)) __builtin_prefetch(slots + i + n);
    __builtin_prefetch(slots + i + count - 1);
  }
  // `count`: of the table's blocks, always the same. Memory is taken at the first call; when
  // there is none, nothing is remembered.
  void Note(uint32_t i, uint32_t count, const void* block, const void* entries);

  size_t memory_bytes() const;

 private:
  // Relaxed: a pair that does not belong together is only a bad hint.
  struct Slot {
    std::atomic<const void*> block{nullptr};
    std::atomic<const void*> entries{nullptr};
  };

  std::atomic<Slot*> slots_{nullptr};  // Set once.
  std::atomic<uint32_t> count_{0};     // Set before slots_.
};

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_BLOCK_SIGHTINGS_H_
