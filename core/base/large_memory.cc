#include "core/base/large_memory.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>

#include "core/base/checkers.h"

namespace skarn {

namespace {

// Where the C library begins to ask the system, too, until somebody frees something larger.
constexpr size_t kLargeFrom = 128 << 10;

// What checks memory knows the heap best.
bool IsLarge(size_t size) { return !kMemoryIsChecked && size >= kLargeFrom; }

}  // namespace

void* TryAllocateLarge(size_t size) {
  if (!IsLarge(size)) return ::operator new(size, std::nothrow);
  void* const memory =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

void* AllocateLarge(size_t size) {
  void* const memory = TryAllocateLarge(size);
  return memory != nullptr ? memory : ::operator new(PTRDIFF_MAX);  // Which fails.
}

void FreeLarge(void* memory, size_t size) {
  if (memory == nullptr) return;
  if (IsLarge(size)) {
    munmap(memory, size);
  } else {
    ::operator delete(memory);
  }
}

}  // namespace skarn
