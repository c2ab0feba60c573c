// Memory for the large arrays of a job, such as the hashes of a table's keys: from the system and
// straight back to it. The heap would keep it: megabytes in the part of every thread that has
// built a table.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_BASE_LARGE_MEMORY_H_
#define SKARN_CORE_BASE_LARGE_MEMORY_H_

#include <cstddef>
#include <memory>
#include <vector>

namespace skarn {

// Aligned as by new; null when memory is exhausted. Sizes that are not large come from the heap.
void* TryAllocateLarge(size_t size);
// Fails as new does.
void* AllocateLarge(size_t size);
// `size` is what it was allocated with.
void FreeLarge(void* memory, size_t size);

template <typename T>
struct LargeAllocator {
  using value_type = T;
  LargeAllocator() = default;
  template <typename U>
  LargeAllocator(const LargeAllocator<U>&) {}  // NOLINT: allocators convert.
  T* allocate(size_t count) { return static_cast<T*>(AllocateLarge(count * sizeof(T))); }
  void deallocate(T* memory, size_t count) { FreeLarge(memory, count * sizeof(T)); }
  bool operator==(const LargeAllocator&) const { return true; }
};

template <typename T>
using LargeVector = std::vector<T, LargeAllocator<T>>;

// Bytes that are not set to anything.
struct LargeBytesDeleter {
  size_t size = 0;
  void operator()(char* bytes) const { FreeLarge(bytes, size); }
};
using LargeBytes = std::unique_ptr<char[], LargeBytesDeleter>;
inline LargeBytes MakeLargeBytes(size_t size) {
  return LargeBytes(static_cast<char*>(AllocateLarge(size)), LargeBytesDeleter{size});
}

}  // namespace skarn

#endif  // SKARN_CORE_BASE_LARGE_MEMORY_H_
