#include "core/cache/write_buffer_manager.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

namespace skarn {
namespace {

constexpr size_t kDummy = 256 << 10;

TEST(WriteBufferManager, WithoutALimitItOnlyCounts) {
  WriteBufferManager manager(0, nullptr, /*allow_stall=*/true);
  manager.Reserve(1 << 20);
  EXPECT_FALSE(manager.enabled());
  EXPECT_EQ(manager.memory_usage(), 1u << 20);
  EXPECT_FALSE(manager.ShouldFlush());
  EXPECT_FALSE(manager.ShouldStall());
  manager.Free(1 << 20);
  EXPECT_EQ(manager.memory_usage(), 0u);
}

TEST(WriteBufferManager, AsksForAFlushAboveSevenEighthsOfMutableMemory) {
  WriteBufferManager manager(1000, nullptr, /*allow_stall=*/false);
  manager.Reserve(875);
  EXPECT_FALSE(manager.ShouldFlush());
  manager.Reserve(1);
  EXPECT_TRUE(manager.ShouldFlush());
  manager.ScheduleFree(876);
  EXPECT_FALSE(manager.ShouldFlush());
}

TEST(WriteBufferManager, AsksForAFlushWhenAllIsUsedAndHalfOfItIsMutable) {
  WriteBufferManager manager(1000, nullptr, /*allow_stall=*/false);
  manager.Reserve(600);
  manager.ScheduleFree(600);
  manager.Reserve(499);
  EXPECT_EQ(manager.memory_usage(), 1099u);
  EXPECT_FALSE(manager.ShouldFlush());
  manager.Reserve(1);
  EXPECT_TRUE(manager.ShouldFlush());
  manager.Free(600);
  EXPECT_FALSE(manager.ShouldFlush());
}

TEST(WriteBufferManager, ChargesItsMemoryToTheCacheInDummyEntries) {
  LruCacheOptions options;
  options.capacity = 64 << 20;
  options.num_shard_bits = 0;
  std::shared_ptr<Cache> cache = NewLruCache(options);
  {
    WriteBufferManager manager(50 << 20, cache, /*allow_stall=*/false);
    EXPECT_TRUE(manager.cost_to_cache());
    manager.Reserve(1);
    EXPECT_EQ(manager.dummy_entries_in_cache_usage(), kDummy);
    manager.Reserve(4 * kDummy - 1);
    EXPECT_EQ(manager.dummy_entries_in_cache_usage(), 4 * kDummy);
    EXPECT_GE(cache->pinned_usage(), 4 * kDummy);
    size_t bytes = 0, entries = 0;
    cache->UsageOf(Cache::Role::kWriteBuffer, &bytes, &entries);
    EXPECT_EQ(entries, 4u);
    // Little was given back: it is kept, since it will be taken again.
    manager.Free(kDummy);
    EXPECT_EQ(manager.dummy_entries_in_cache_usage(), 4 * kDummy);
    manager.Free(kDummy);
    EXPECT_EQ(manager.dummy_entries_in_cache_usage(), 2 * kDummy);
    manager.Free(2 * kDummy);
    EXPECT_EQ(manager.dummy_entries_in_cache_usage(), 0u);
    manager.Reserve(kDummy);
  }
  EXPECT_EQ(cache->usage(), 0u);
}

TEST(WriteBufferManager, WaitersGoOnWhenMemoryIsFreed) {
  WriteBufferManager manager(1000, nullptr, /*allow_stall=*/true);
  manager.Reserve(1000);
  EXPECT_TRUE(manager.ShouldStall());
  std::atomic<bool> through{false};
  std::thread writer([&] {
    manager.WaitForRoom([](void*) { return true; }, nullptr);
    through = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(through);
  manager.Free(1);
  writer.join();
  EXPECT_TRUE(through);
}

TEST(WriteBufferManager, WaitersGoOnWhenTheyNoLongerWantToWait) {
  WriteBufferManager manager(1000, nullptr, /*allow_stall=*/true);
  manager.Reserve(1000);
  int asked = 0;
  manager.WaitForRoom([](void* state) { return ++*static_cast<int*>(state) < 2; }, &asked);
  EXPECT_EQ(asked, 2);
  manager.SetAllowStall(false);
  manager.WaitForRoom([](void*) { return true; }, nullptr);
}

}  // namespace
}  // namespace skarn
