// Quarantine keeps the last objects that were given up from being reused, so that a caller who
// goes on using one by mistake meets an inert object and not somebody else's memory.
//
// Thread safety: any thread, without locks. Meant for static storage: what it holds when the
// process ends is not freed.

#ifndef SKARN_CORE_BASE_QUARANTINE_H_
#define SKARN_CORE_BASE_QUARANTINE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace skarn {

template <typename T, size_t kSlots>
class Quarantine {
  static_assert((kSlots & (kSlots - 1)) == 0);

 public:
  // Takes `object` over; gives back the one that has been here longest, or null.
  [[nodiscard]] T* Exchange(T* object) {
    const uint32_t slot = next_.fetch_add(1, std::memory_order_relaxed) & (kSlots - 1);
    // Pairs with itself: the object was written by whichever thread gave it up.
    return slots_[slot].exchange(object, std::memory_order_acq_rel);
  }
  // Whether the object is here.
  bool Holds(const T* object) const {
    for (const std::atomic<T*>& slot : slots_) {
      if (slot.load(std::memory_order_relaxed) == object) return true;
    }
    return false;
  }

 private:
  std::atomic<uint32_t> next_{0};
  std::atomic<T*> slots_[kSlots] = {};
};

}  // namespace skarn

#endif  // SKARN_CORE_BASE_QUARANTINE_H_
