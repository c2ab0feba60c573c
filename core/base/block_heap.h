// BlockHeap is the heap for what a cache holds: blocks, what belongs to them, and the tables
// that find them. Millions of small objects on small pages cost a read more in the processor's
// page tables than in its caches; here they lie close together in chunks of huge pages.
//
// Who frees an object tells its size, so an object has 8 bytes of overhead. Neighbours that are
// free are joined, and a chunk with nothing in it goes back to the system. There are several heaps
// on machines with many processors, and a thread allocates from one of them; to users they are
// one.
//
// What is larger than kObjectBytesMax comes from malloc(). So does everything under the address
// and thread sanitizers, which then see what is used after it was freed.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_BASE_BLOCK_HEAP_H_
#define SKARN_CORE_BASE_BLOCK_HEAP_H_

#include <cstddef>
#include <limits>
#include <new>

namespace skarn {

class BlockHeap {
 public:
  static constexpr size_t kObjectBytesMax = (size_t{2} << 20) - 4096;
  static constexpr size_t kAlignment = 16;

  // Null when memory is exhausted. At a multiple of kAlignment.
  static void* Allocate(size_t size);
  // `size` as it was allocated. Null is ignored.
  static void Free(void* memory, size_t size);

  // At a multiple of 64, a line of the processor's cache.
  static void* AllocateLines(size_t size);
  static void FreeLines(void* memory, size_t size);
};

// Makes `new` of a class take its memory there.
class InBlockHeap {
 public:
  static void* operator new(size_t size) { return OrThrow(BlockHeap::Allocate(size)); }
  static void* operator new(size_t size, const std::nothrow_t&) noexcept {
    return BlockHeap::Allocate(size);
  }
  static void operator delete(void* memory, size_t size) { BlockHeap::Free(memory, size); }

  // Fails like others who have no memory.
  static void* OrThrow(void* memory) {
    return memory != nullptr ? memory : ::operator new(std::numeric_limits<size_t>::max());
  }
};

// For standard containers.
template <typename T>
struct BlockAllocator {
  using value_type = T;
  BlockAllocator() = default;
  template <typename Other>
  explicit BlockAllocator(const BlockAllocator<Other>&) {}
  T* allocate(size_t count) {
    const bool fits = count <= std::numeric_limits<size_t>::max() / 2 / sizeof(T);
    return static_cast<T*>(
        InBlockHeap::OrThrow(fits ? BlockHeap::Allocate(count * sizeof(T)) : nullptr));
  }
  void deallocate(T* memory, size_t count) { BlockHeap::Free(memory, count * sizeof(T)); }
  bool operator==(const BlockAllocator&) const = default;
};

}  // namespace skarn

#endif  // SKARN_CORE_BASE_BLOCK_HEAP_H_
