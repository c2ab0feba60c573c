// EpochDomain lets readers use shared objects without counting references: an object
// that was unlinked is freed only after every reader that could have seen it has left.
//
// A reader enters, loads pointers, uses what they point at, and leaves: two plain
// stores to a line of its own. A writer unlinks an object, so that no new reader finds
// it, and then retires it. There is one domain for the process.
//
// How it works: Enter() notes the current epoch in this thread's slot. Retire() tags
// the object with the current epoch. A drain advances the epoch, makes every thread
// pass a memory barrier (membarrier(2); where that is missing, Enter() has a fence of
// its own), and then frees what was tagged before the oldest epoch still in a slot.
//
// Thread safety: any thread. Nothing is locked while deleters run, so they may retire.

#ifndef SKARN_CORE_BASE_EPOCH_H_
#define SKARN_CORE_BASE_EPOCH_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/base/thread_context.h"

namespace skarn {

namespace internal {
void PrepareEpochs();
}

class EpochDomain {
 public:
  // Calls nest; only the outermost pair counts.
  static void Enter(ThreadContext* context) {
    if (context->epoch_depth++ != 0) return;
    // Acquire pairs with the advance in Drain(): who reads the new epoch also sees that
    // what was retired before is unlinked.
    context->epoch.store(now_.load(std::memory_order_acquire), std::memory_order_release);
    // Keeps the compiler from moving loads above the store; the barrier in Drain()
    // keeps the processor from it.
    LightFence();
  }
  // Precondition: Enter() was called by the same thread.
  static void Leave(ThreadContext* context) {
    if (--context->epoch_depth != 0) return;
    context->epoch.store(0, std::memory_order_release);
  }

  // Frees `object` by `deleter(object)` once no reader can hold it; from this or any
  // other thread, at once or much later. Precondition: unlinked already.
  static void Retire(void* object, void (*deleter)(void* object));
  template <typename T>
  static void Retire(T* object) {
    Retire(const_cast<void*>(static_cast<const void*>(object)),
           [](void* pointer) { delete static_cast<T*>(pointer); });
  }

  // Frees what can be freed now, without waiting. Returns how many objects still wait.
  static size_t Drain();
  // Waits until all that was retired before this call is freed.
  // Precondition: the calling thread is outside.
  static void Synchronize();
  // How many objects wait.
  static size_t Pending();

  // Two threads that each store and then load what the other stores: with a light fence
  // between on the frequent side and a heavy one on the rare side, at least one sees the
  // other's store.
  static void LightFence() {
    if (SKARN_UNLIKELY(fence_on_enter_.load(std::memory_order_relaxed))) {
      std::atomic_thread_fence(std::memory_order_seq_cst);
    }
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
  static void HeavyFence();

 private:
  // Written by Drain(). Never 0, which means "outside" in a slot.
  static std::atomic<uint64_t> now_;
  // Set before the first thread context is made, when membarrier(2) is missing.
  static std::atomic<bool> fence_on_enter_;
  friend void internal::PrepareEpochs();
};

// Inside for as long as the guard lives.
class EpochGuard {
 public:
  EpochGuard() : EpochGuard(CurrentThreadContext()) {}
  explicit EpochGuard(ThreadContext* context) : context_(context) { EpochDomain::Enter(context); }
  ~EpochGuard() { EpochDomain::Leave(context_); }
  EpochGuard(const EpochGuard&) = delete;
  EpochGuard& operator=(const EpochGuard&) = delete;

 private:
  ThreadContext* const context_;
};

}  // namespace skarn

#endif  // SKARN_CORE_BASE_EPOCH_H_
