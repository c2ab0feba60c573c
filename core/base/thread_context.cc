#include "core/base/thread_context.h"

#include <pthread.h>

#include <cstdlib>
#include <cstring>

#include "core/base/codec_contexts.h"
#include "core/base/epoch_internals.h"
#include "core/base/mutex.h"

namespace skarn {

constinit thread_local ThreadContext* internal::current_thread_context = nullptr;

void ScratchBuffer::Release() {
  free(data_);
  data_ = nullptr;
  capacity_ = 0;
}

char* ScratchBuffer::Grow(size_t size) {
  // The content need not be kept, so this is no realloc().
  Release();
  const size_t capacity = size < 4096 ? 4096 : size + size / 2;
  data_ = static_cast<char*>(malloc(capacity));
  if (data_ == nullptr) return nullptr;
  capacity_ = capacity;
  return data_;
}

namespace {

// Contexts are pushed and never taken out. Pairs with FirstThreadContext().
constinit std::atomic<ThreadContext*> all_contexts{nullptr};

struct Registry {
  // A leaf in the lock order: nothing is locked under it.
  Mutex mu;
  ThreadContext* free_contexts SKARN_GUARDED_BY(mu) = nullptr;
  uint32_t contexts SKARN_GUARDED_BY(mu) = 0;
  size_t slots SKARN_GUARDED_BY(mu) = 0;
  // Written under mu before the index is given out, read without it.
  std::atomic<void (*)(void*)> destroy_slot[ThreadContext::kRoomSlots] = {};
  pthread_key_t key = 0;
};

void DetachThreadContext(void* pointer);

Registry& GetRegistry() {
  // Never destroyed: threads may end after static objects are gone.
  static Registry* const registry = [] {
    auto* made = new Registry;
    internal::PrepareEpochs();
    pthread_key_create(&made->key, &DetachThreadContext);
    return made;
  }();
  return *registry;
}

// When the library is loaded there is mostly one thread, and the kernel takes the registration
// for membarrier(2) at once. Later it waits until every processor has passed through the
// scheduler: ten milliseconds and more, in the middle of somebody's first operation.
[[gnu::constructor]] void PrepareAtLoad() { GetRegistry(); }

void DetachThreadContext(void* pointer) {
  auto* context = static_cast<ThreadContext*>(pointer);
  Registry& registry = GetRegistry();
  for (size_t i = 0; i < ThreadContext::kRoomSlots; i++) {
    void* content = context->room_slots[i];
    if (content == nullptr) continue;
    context->room_slots[i] = nullptr;
    auto* destroy = registry.destroy_slot[i].load(std::memory_order_acquire);
    if (destroy != nullptr) destroy(content);
  }
  DestroyCodecContexts(context->codec_contexts);
  context->codec_contexts = nullptr;
  context->scratch.Release();
  context->second_scratch.Release();
  context->perf_level = 2;
  memset(context->perf_counters, 0, sizeof(context->perf_counters));
  context->epoch_depth = 0;
  context->epoch.store(0, std::memory_order_release);
  // Destructors of other thread-local objects may still call the engine; then the
  // thread attaches again and the key's destructor runs again.
  internal::current_thread_context = nullptr;

  MutexLock lock(&registry.mu);
  context->next_free = registry.free_contexts;
  registry.free_contexts = context;
}

}  // namespace

ThreadContext* internal::AttachThreadContext() {
  Registry& registry = GetRegistry();
  ThreadContext* context = nullptr;
  {
    MutexLock lock(&registry.mu);
    context = registry.free_contexts;
    if (context != nullptr) {
      registry.free_contexts = context->next_free;
      context->next_free = nullptr;
    } else {
      context = new ThreadContext;
      context->index = registry.contexts++;
      context->next = all_contexts.load(std::memory_order_relaxed);
      all_contexts.store(context, std::memory_order_release);
    }
  }
  pthread_setspecific(registry.key, context);
  current_thread_context = context;
  return context;
}

ThreadContext* FirstThreadContext() { return all_contexts.load(std::memory_order_acquire); }

size_t RegisterThreadSlot(void (*destroy)(void* content)) {
  Registry& registry = GetRegistry();
  MutexLock lock(&registry.mu);
  if (registry.slots == ThreadContext::kRoomSlots) abort();  // A programmer's mistake.
  registry.destroy_slot[registry.slots].store(destroy, std::memory_order_release);
  return registry.slots++;
}

}  // namespace skarn
