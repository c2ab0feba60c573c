#include "core/base/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

#include "core/base/checkers.h"
#include "core/base/mutex.h"

namespace skarn {

namespace {

struct Pool {
  // A leaf in the lock order: nothing is locked under it.
  Mutex mu;
  std::vector<char*> chunks SKARN_GUARDED_BY(mu);
  size_t in_use SKARN_GUARDED_BY(mu) = 0;  // Chunks of one unit that were given out.
};

Pool& GetPool() {
  static Pool* const pool = new Pool;  // Never destroyed: threads may outlive statics.
  return *pool;
}

size_t RoundUpToChunks(size_t size) {
  return (size + ChunkPool::kChunkBytes - 1) / ChunkPool::kChunkBytes * ChunkPool::kChunkBytes;
}

}  // namespace

char* ChunkPool::Map(size_t size) {
  size = RoundUpToChunks(size);
  // One chunk more than needed, so that an aligned start lies inside.
  const size_t mapped = size + kChunkBytes;
  if (mapped < size) return nullptr;
  void* memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  const auto start = reinterpret_cast<uintptr_t>(memory);
  const size_t skip = -start & (kChunkBytes - 1);
  char* aligned = static_cast<char*>(memory) + skip;
  if (skip != 0) munmap(memory, skip);
  munmap(aligned + size, mapped - skip - size);
  return aligned;
}

void ChunkPool::Unmap(char* chunk, size_t size) { munmap(chunk, RoundUpToChunks(size)); }

char* ChunkPool::Acquire(size_t size, bool* fresh) {
  if (size > SIZE_MAX - 2 * kChunkBytes) return nullptr;
  if (fresh != nullptr) *fresh = false;
  size = RoundUpToChunks(size == 0 ? 1 : size);
  if (size == kChunkBytes) {
    Pool& pool = GetPool();
    MutexLock lock(&pool.mu);
    if (!pool.chunks.empty()) {
      ++pool.in_use;
      char* chunk = pool.chunks.back();
      pool.chunks.pop_back();
      AllowMemory(chunk, kChunkBytes);
      return chunk;
    }
  }
  if (fresh != nullptr) *fresh = true;
  char* const chunk = Map(size);
  if (chunk != nullptr && size == kChunkBytes) {
    Pool& pool = GetPool();
    MutexLock lock(&pool.mu);
    ++pool.in_use;
  }
  return chunk;
}

void ChunkPool::Release(char* chunk, size_t size) {
  size = RoundUpToChunks(size == 0 ? 1 : size);
  char* surplus[2] = {chunk, nullptr};
  if (size == kChunkBytes) {
    Pool& pool = GetPool();
    MutexLock lock(&pool.mu);
    --pool.in_use;
    // Where little is in use, little is about to be asked for. The quarter leaves room for the
    // arrays of the flush that begins now.
    const size_t most = pool.in_use - pool.in_use / 4;
    if (pool.chunks.size() < most) {
      ForbidMemory(chunk, kChunkBytes);
      pool.chunks.push_back(chunk);
      surplus[0] = nullptr;
    } else if (pool.chunks.size() > most) {
      surplus[1] = pool.chunks.back();
      pool.chunks.pop_back();
      AllowMemory(surplus[1], kChunkBytes);
    }
  }
  for (char* memory : surplus) {
    if (memory != nullptr) Unmap(memory, size);
  }
}

void ChunkPool::Trim(size_t count) {
  Pool& pool = GetPool();
  std::vector<char*> surplus;
  {
    MutexLock lock(&pool.mu);
    while (pool.chunks.size() > count) {
      surplus.push_back(pool.chunks.back());
      pool.chunks.pop_back();
    }
  }
  for (char* chunk : surplus) {
    AllowMemory(chunk, kChunkBytes);
    munmap(chunk, kChunkBytes);
  }
}

size_t ChunkPool::PooledChunks() {
  Pool& pool = GetPool();
  MutexLock lock(&pool.mu);
  return pool.chunks.size();
}

namespace {

// Blocks from the heap double up to this size; then chunks follow.
constexpr size_t kHeapBlockBytesMax = 128 << 10;
// What is larger than this gets a block of its own, so that the rest of the current
// block stays in use.
constexpr size_t kOwnBlockBytes = 256 << 10;

}  // namespace

Arena::~Arena() {
  for (const Block& block : blocks_) {
    if (block.pooled) {
      ChunkPool::Release(block.data, block.size);
    } else {
      free(block.data);
    }
  }
}

char* Arena::AddBlock(size_t size, bool pooled) {
  char* data = pooled ? ChunkPool::Acquire(size) : static_cast<char*>(malloc(size));
  if (data == nullptr) return nullptr;
  blocks_.push_back({data, size, pooled});
  reserved_.store(reserved_.load(std::memory_order_relaxed) + size, std::memory_order_relaxed);
  return data;
}

char* Arena::AllocateSlow(size_t size, size_t alignment) {
  const size_t need = size + alignment - 1;
  if (need < size) return nullptr;
  if (need > kOwnBlockBytes) {
    char* data = AddBlock(need, /*pooled=*/false);
    if (data == nullptr) return nullptr;
    used_.store(used_.load(std::memory_order_relaxed) + need, std::memory_order_relaxed);
    return data + (-reinterpret_cast<uintptr_t>(data) & (alignment - 1));
  }
  while (heap_block_bytes_ < need && heap_block_bytes_ <= kHeapBlockBytesMax) {
    heap_block_bytes_ *= 2;
  }
  const bool pooled = heap_block_bytes_ > kHeapBlockBytesMax;
  const size_t block_bytes = pooled ? ChunkPool::kChunkBytes : heap_block_bytes_;
  if (!pooled) heap_block_bytes_ *= 2;
  char* data = AddBlock(block_bytes, pooled);
  if (data == nullptr) return nullptr;
  next_ = data;
  limit_ = data + block_bytes;
  return AllocateAligned(size, alignment);
}

}  // namespace skarn
