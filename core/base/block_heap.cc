#include "core/base/block_heap.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <thread>

#include "core/base/checkers.h"
#include "core/base/chunk_heap.h"
#include "core/base/cpu.h"
#include "core/base/thread_context.h"

namespace skarn {
namespace {

// Checkers of memory should see each object come and go.
constexpr bool kChunks = !kMemoryIsChecked;

static_assert(BlockHeap::kObjectBytesMax <= ChunkHeap::kBytesMax &&
              BlockHeap::kAlignment == ChunkHeap::kAlignment);
constexpr size_t kLineBytes = 64;

// Half as many as there are processors: a thread holds one only for an instant.
constexpr uint32_t kHeapsMax = 16;

struct Heaps {
  const uint32_t mask =
      std::bit_floor(std::clamp(std::thread::hardware_concurrency() / 2, 1u, kHeapsMax)) - 1;
  ChunkHeap heaps[kHeapsMax];
};

ChunkHeap& OwnHeap() {
  static Heaps* const heaps = new Heaps;  // Never destroyed: objects may outlive statics.
  return heaps->heaps[CurrentThreadContext()->index & heaps->mask];
}

}  // namespace

void* BlockHeap::Allocate(size_t size) {
  if (!kChunks || SKARN_UNLIKELY(size > kObjectBytesMax)) return malloc(size);
  return OwnHeap().Allocate(size);
}

void BlockHeap::Free(void* memory, size_t size) {
  if (SKARN_UNLIKELY(memory == nullptr)) return;
  if (!kChunks || SKARN_UNLIKELY(size > kObjectBytesMax)) return free(memory);
  ChunkHeap::Free(memory);
}

void* BlockHeap::AllocateLines(size_t size) {
  // The distance to the start of the memory is kept before the first line.
  void* const memory = Allocate(size + kLineBytes);
  if (memory == nullptr) return nullptr;
  const auto address = reinterpret_cast<uintptr_t>(memory);
  const size_t skip = kLineBytes - address % kLineBytes;  // 16 at least.
  char* const line = static_cast<char*>(memory) + skip;
  line[-1] = static_cast<char>(skip);
  return line;
}

void BlockHeap::FreeLines(void* memory, size_t size) {
  if (memory == nullptr) return;
  auto* const line = static_cast<char*>(memory);
  Free(line - line[-1], size + kLineBytes);
}

}  // namespace skarn
