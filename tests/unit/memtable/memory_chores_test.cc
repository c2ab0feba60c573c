#include "core/memtable/memory_chores.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "core/base/arena.h"
#include "core/env/thread_pool.h"

namespace skarn {
namespace {

constexpr size_t kSize = ChunkPool::kChunkBytes;

TEST(MemoryChores, LeavesWhatAWriterPutsThereMeanwhile) {
  ChunkPool::Trim(0);
  for (int round = 0; round < 20; ++round) {
    bool fresh = false;
    char* const chunk = ChunkPool::Acquire(kSize, &fresh);
    ASSERT_NE(chunk, nullptr);
    EXPECT_TRUE(fresh);
    {
      MemoryChores chores;
      WarmPages(&chores, chunk, kSize);
      for (size_t i = 0; i < kSize; i += 64) chunk[i] = static_cast<char>(1 + i / 64 % 100);
    }
    for (size_t i = 0; i < kSize; i += 64) {
      ASSERT_EQ(chunk[i], static_cast<char>(1 + i / 64 % 100)) << i;
    }
    ChunkPool::Release(chunk);
    ChunkPool::Trim(0);
  }
}

TEST(MemoryChores, StopsWhetherItsJobsRanOrWereDropped) {
  // The pool holds no more than three quarters of what is in use.
  char* const others[] = {ChunkPool::Acquire(), ChunkPool::Acquire()};
  char* const chunk = ChunkPool::Acquire();
  for (int i = 0; i < 50; ++i) {
    MemoryChores chores;
    for (size_t from = 0; from < kSize; from += kSize / 4)
      WarmPages(&chores, chunk + from, kSize / 4);
    if (i % 3 == 0) std::this_thread::yield();
    // Drops what is queued without telling anybody.
    if (i % 5 == 0) SystemThreadPool()->JoinAll();
    chores.Stop();
  }
  bool fresh = true;
  ChunkPool::Release(chunk);
  EXPECT_EQ(ChunkPool::Acquire(kSize, &fresh), chunk);
  EXPECT_FALSE(fresh);
  ChunkPool::Release(chunk);
  for (char* other : others) ChunkPool::Release(other);
}

}  // namespace
}  // namespace skarn
