// ThreadContext is everything the engine keeps per thread, behind one thread-local
// pointer: a C function fetches it once and hands it down.
//
// Contexts are recycled when threads end and are never freed, so that the epoch scan
// may walk all of them without a lock.
//
// Thread safety: a thread touches only its own context, except for `epoch`, which
// others read.

#ifndef SKARN_CORE_BASE_THREAD_CONTEXT_H_
#define SKARN_CORE_BASE_THREAD_CONTEXT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/base/cpu.h"

namespace skarn {

class CodecContexts;

// A buffer that grows and is kept for the next use.
class ScratchBuffer {
 public:
  ScratchBuffer() = default;
  ~ScratchBuffer() { Release(); }
  ScratchBuffer(const ScratchBuffer&) = delete;
  ScratchBuffer& operator=(const ScratchBuffer&) = delete;

  // At least `size` bytes, whose content is unspecified; valid until the next Get().
  // Returns nullptr when memory is exhausted.
  char* Get(size_t size) {
    if (SKARN_LIKELY(size <= capacity_)) return data_;
    return Grow(size);
  }
  void Release();

 private:
  char* Grow(size_t size);

  char* data_ = nullptr;
  size_t capacity_ = 0;
};

struct alignas(128) ThreadContext {
  static constexpr size_t kPerfCounters = 128;
  static constexpr size_t kRoomSlots = 16;

  // EpochDomain: the epoch this thread reads in, or 0 outside. Written by the owner.
  std::atomic<uint64_t> epoch{0};
  uint32_t epoch_depth = 0;
  bool epoch_draining = false;  // Inside EpochDomain::Drain().

  // A small number no other living thread has; for choosing among per-core slots.
  uint32_t index = 0;

  // PerfContext (core/metrics/perf_context.h): the level decides what is counted.
  uint8_t perf_level = 2;
  uint64_t perf_counters[kPerfCounters] = {};

  // For use within one function that calls nothing else of the engine.
  ScratchBuffer scratch;
  ScratchBuffer second_scratch;

  // Compression contexts, made on first use (core/base/codec.cc).
  CodecContexts* codec_contexts = nullptr;

  // Whatever higher rooms keep per thread, such as pools; see RegisterThreadSlot().
  void* room_slots[kRoomSlots] = {};

  // Set once when the context is made; the list of all contexts.
  ThreadContext* next = nullptr;
  // The list of contexts without a thread; guarded by a mutex in thread_context.cc.
  ThreadContext* next_free = nullptr;
};

namespace internal {
// Eight bytes of static thread-local storage: cheap to reach, and few enough for a
// library loaded with dlopen().
extern constinit thread_local ThreadContext* current_thread_context
    __attribute__((tls_model("initial-exec")));
[[gnu::cold, gnu::noinline]] ThreadContext* AttachThreadContext();
}  // namespace internal

inline ThreadContext* CurrentThreadContext() {
  ThreadContext* context = internal::current_thread_context;
  if (SKARN_LIKELY(context != nullptr)) return context;
  return internal::AttachThreadContext();
}

// Reserves an index into room_slots for the life of the process. `destroy` is called
// with a slot's content, when that is not null, as its thread ends.
size_t RegisterThreadSlot(void (*destroy)(void* content));

// The newest context made; follow `next` for all others, with or without a thread.
ThreadContext* FirstThreadContext();

}  // namespace skarn

#endif  // SKARN_CORE_BASE_THREAD_CONTEXT_H_
