#include "core/table/block_sightings.h"

#include <new>

#include "core/base/block_heap.h"

namespace skarn {

BlockSightings::~BlockSightings() {
  BlockHeap::Free(slots_.load(std::memory_order_relaxed),
                  count_.load(std::memory_order_relaxed) * sizeof(Slot));
}

void BlockSightings::Note(uint32_t i, uint32_t count, const void* block, const void* entries) {
  Slot* slots = slots_.load(std::memory_order_acquire);
  if (SKARN_UNLIKELY(slots == nullptr)) {
    void* const memory = BlockHeap::Allocate(count * sizeof(Slot));
    if (memory == nullptr) return;
    auto* const fresh = static_cast<Slot*>(memory);
    for (uint32_t n = 0; n < count; ++n) new (fresh + n) Slot;
    count_.store(count, std::memory_order_relaxed);
    // Release: who finds the slots finds them empty.
    if (slots_.compare_exchange_strong(slots, fresh, std::memory_order_acq_rel)) {
      slots = fresh;
    } else {
      BlockHeap::Free(memory, count * sizeof(Slot));
    }
  }
  slots[i].block.store(block, std::memory_order_relaxed);
  slots[i].entries.store(entries, std::memory_order_relaxed);
}

size_t BlockSightings::memory_bytes() const {
  return slots_.load(std::memory_order_acquire) == nullptr
             ? 0
             : count_.load(std::memory_order_relaxed) * sizeof(Slot);
}

}  // namespace skarn
