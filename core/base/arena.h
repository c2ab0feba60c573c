// Arena hands out memory that is freed all at once, when the arena is destroyed.
//
// Memory comes in 2 MiB chunks from a process-wide pool, so that a memtable writes to pages
// which the one before it has touched. Huge pages are not asked for: whoever touches one first
// waits until all of it is cleared, hundreds of microseconds, milliseconds where a
// hypervisor has to find the memory.
// The first few kilobytes come from the heap instead: thousands of empty arenas cost
// little.
//
// Thread safety: ChunkPool: any thread. Arena: one thread at a time, except for
// reserved_bytes() and used_bytes(), which any thread may call.

#ifndef SKARN_CORE_BASE_ARENA_H_
#define SKARN_CORE_BASE_ARENA_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/cpu.h"

namespace skarn {

// Memory of memtables in multiples of 2 MiB, aligned to 2 MiB. Single chunks are pooled.
class ChunkPool {
 public:
  static constexpr size_t kChunkBytes = size_t{2} << 20;

  // The content is unspecified: old bytes or zeroes. Returns nullptr when memory is
  // exhausted. `size` is rounded up to a multiple of kChunkBytes. `fresh`, when given, is told
  // whether the pages come from the system untouched: then they are zeroes.
  static char* Acquire(size_t size = kChunkBytes, bool* fresh = nullptr);
  // Keeps the chunk, as long as no more are kept than three quarters of those in use: the memtable
  // that is being filled takes them next, and both are never more than what was in use at once.
  static void Release(char* chunk, size_t size = kChunkBytes);
  // Gives pooled chunks back to the system until at most `count` are left.
  static void Trim(size_t count);
  static size_t PooledChunks();

  // The same memory past the pool, for others than memtables: untouched, and given back at once.
  static char* Map(size_t size);
  static void Unmap(char* chunk, size_t size);
};

class Arena {
 public:
  static constexpr size_t kFirstBlockBytes = 4096;

  Arena() = default;
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Memory at any address. Returns nullptr when memory is exhausted.
  char* Allocate(size_t size) {
    if (SKARN_LIKELY(size <= static_cast<size_t>(limit_ - next_))) {
      char* result = next_;
      next_ += size;
      used_.store(used_.load(std::memory_order_relaxed) + size, std::memory_order_relaxed);
      return result;
    }
    return AllocateSlow(size, /*alignment=*/1);
  }
  // Memory at a multiple of `alignment`, a power of two of at most 4096.
  char* AllocateAligned(size_t size, size_t alignment = alignof(std::max_align_t)) {
    const size_t skip = -reinterpret_cast<uintptr_t>(next_) & (alignment - 1);
    if (SKARN_LIKELY(size + skip <= static_cast<size_t>(limit_ - next_))) {
      char* result = next_ + skip;
      next_ += skip + size;
      used_.store(used_.load(std::memory_order_relaxed) + skip + size, std::memory_order_relaxed);
      return result;
    }
    return AllocateSlow(size, alignment);
  }

  // Bytes taken from the system or the pool, used or not.
  size_t reserved_bytes() const { return reserved_.load(std::memory_order_relaxed); }
  // Bytes handed out.
  size_t used_bytes() const { return used_.load(std::memory_order_relaxed); }

 private:
  struct Block {
    char* data;
    size_t size;
    bool pooled;  // From ChunkPool; else from the heap.
  };
  [[gnu::noinline]] char* AllocateSlow(size_t size, size_t alignment);
  char* AddBlock(size_t size, bool pooled);

  char* next_ = nullptr;
  char* limit_ = nullptr;
  std::vector<Block> blocks_;
  size_t heap_block_bytes_ = kFirstBlockBytes;  // Size of the next block from the heap.
  std::atomic<size_t> reserved_{0};             // Written by the allocating thread.
  std::atomic<size_t> used_{0};                 // Written by the allocating thread.
};

}  // namespace skarn

#endif  // SKARN_CORE_BASE_ARENA_H_
