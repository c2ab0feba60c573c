#include "core/base/pooled.h"

#include <cstdint>
#include <new>

#include "core/base/checkers.h"
#include "core/base/cpu.h"
#include "core/base/thread_context.h"

namespace skarn {
namespace {

// Checkers of memory should see each object come and go.
constexpr bool kKeep = !kMemoryIsChecked;

constexpr size_t kGrain = 128;
constexpr size_t kClasses = 16;    // Larger objects are not kept.
constexpr uint32_t kKeptMax = 16;  // Of each class, by a thread.

// What one thread keeps.
struct Pool {
  struct Item {
    Item* next;
  };
  Item* items[kClasses] = {};
  uint32_t counts[kClasses] = {};

  ~Pool() {
    for (Item* item : items) {
      while (item != nullptr) {
        Item* const next = item->next;
        ::operator delete(item);
        item = next;
      }
    }
  }
};

size_t ClassOf(size_t size) { return (size - 1) / kGrain; }

size_t PoolSlot() {
  static const size_t slot =
      RegisterThreadSlot([](void* content) { delete static_cast<Pool*>(content); });
  return slot;
}

Pool* PoolOfThread() {
  void*& content = CurrentThreadContext()->room_slots[PoolSlot()];
  if (SKARN_UNLIKELY(content == nullptr)) content = new Pool;
  return static_cast<Pool*>(content);
}

}  // namespace

void* internal::TakePooled(size_t size) {
  const size_t which = ClassOf(size);
  if (!kKeep || which >= kClasses) return ::operator new(size);
  Pool* const pool = PoolOfThread();
  Pool::Item* const item = pool->items[which];
  if (SKARN_UNLIKELY(item == nullptr)) return ::operator new((which + 1) * kGrain);
  pool->items[which] = item->next;
  --pool->counts[which];
  return item;
}

void internal::GivePooled(void* memory, size_t size) {
  if (memory == nullptr) return;
  const size_t which = ClassOf(size);
  if (kKeep && which < kClasses) {
    Pool* const pool = PoolOfThread();
    if (SKARN_LIKELY(pool->counts[which] < kKeptMax)) {
      auto* const item = static_cast<Pool::Item*>(memory);
      item->next = pool->items[which];
      pool->items[which] = item;
      ++pool->counts[which];
      return;
    }
  }
  ::operator delete(memory);
}

}  // namespace skarn
