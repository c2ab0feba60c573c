#include "core/cache/cache.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/epoch.h"
#include "core/base/random.h"
#include "core/cache/sharded_cache.h"

namespace skarn {
namespace {

std::atomic<int> live_objects{0};

struct Object {
  explicit Object(uint64_t number) : number(number) { ++live_objects; }
  ~Object() {
    number = ~uint64_t{0};
    --live_objects;
  }
  uint64_t number;
};
void DeleteObject(void* object) { delete static_cast<Object*>(object); }

// Once all that was let go is deleted, too.
int LiveObjects() {
  EpochDomain::Synchronize();
  return live_objects;
}

// One shard whose entries cost exactly their charge.
std::unique_ptr<Cache> PlainCache(size_t capacity, bool strict = false, double high_ratio = 0,
                                  double low_ratio = 0) {
  ShardedCache::Settings settings;
  settings.capacity = capacity;
  settings.strict = strict;
  settings.high_ratio = high_ratio;
  settings.low_ratio = low_ratio;
  return std::make_unique<ShardedCache>(settings);
}

Status Put(Cache* cache, uint64_t key, size_t charge,
           Cache::Priority priority = Cache::Priority::kLow, Cache::Handle** handle = nullptr) {
  return cache->Insert(CacheKey{7, key}, new Object(key), DeleteObject, charge,
                       Cache::Role::kDataBlock, priority, handle);
}
// Without marking the entry as used more than a lookup does.
bool Has(Cache* cache, uint64_t key) {
  Cache::Handle* handle = cache->Lookup(CacheKey{7, key});
  if (handle == nullptr) return false;
  EXPECT_EQ(static_cast<Object*>(cache->Value(handle))->number, key);
  cache->Release(handle);
  return true;
}

TEST(Cache, FindsWhatWasInsertedAndNothingElse) {
  auto cache = PlainCache(1000);
  ASSERT_TRUE(Put(cache.get(), 1, 10).ok());
  EXPECT_TRUE(Has(cache.get(), 1));
  EXPECT_FALSE(Has(cache.get(), 2));
  EXPECT_EQ(cache->usage(), 10u);
  EXPECT_EQ(cache->occupancy_count(), 1u);
}

// An object with the memory of its entry: both go together.
struct Holder {
  explicit Holder(uint64_t given) : object(given) {}
  alignas(Cache::Handle) unsigned char place[sizeof(Cache::Handle)];
  Object object;
};
void DeleteHolder(void* holder) { delete static_cast<Holder*>(holder); }

TEST(Cache, PutsItsEntryIntoTheObjectWhenItMay) {
  {
    ShardedCache::Settings settings;
    settings.capacity = 100;
    settings.strict = true;
    ShardedCache cache(settings);
    const auto put = [&](uint64_t key, size_t charge, Cache::Handle** handle) {
      auto* holder = new Holder(key);
      return cache.InsertPlaced(CacheKey{7, key}, holder, DeleteHolder, charge,
                                Cache::Role::kDataBlock, Cache::Priority::kLow, handle,
                                holder->place);
    };
    const auto number = [&](Cache::Handle* handle) {
      return static_cast<Holder*>(cache.Value(handle))->object.number;
    };
    Cache::Handle* pinned = nullptr;
    ASSERT_TRUE(put(1, 60, &pinned).ok());
    EXPECT_EQ(static_cast<void*>(pinned),
              static_cast<void*>(static_cast<Holder*>(cache.Value(pinned))->place));
    EXPECT_EQ(number(pinned), 1u);
    // Does not fit beside the pinned one.
    Cache::Handle* none = nullptr;
    EXPECT_FALSE(put(2, 60, &none).ok());
    EXPECT_EQ(LiveObjects(), 1);
    // Taken out, it lives while it is pinned.
    cache.Erase(CacheKey{7, 1});
    EXPECT_EQ(number(pinned), 1u);
    EXPECT_EQ(LiveObjects(), 1);
    cache.Release(pinned, /*erase=*/false);
    EXPECT_EQ(LiveObjects(), 0);
    // Evicted by others, and left for the end.
    for (uint64_t key = 3; key < 9; ++key) ASSERT_TRUE(put(key, 40, nullptr).ok());
    EXPECT_EQ(LiveObjects(), 2);
    ASSERT_TRUE(put(8, 20, nullptr).ok());  // Replaced.
    EXPECT_EQ(LiveObjects(), 2);
    {
      EpochGuard guard;
      const ShardedCache::Spot spot = cache.SpotOf(CacheKey{7, 8});
      ShardedCache::Prefetch(spot);
      ShardedCache::PrefetchEntry(spot);
      Cache::Handle* found = ShardedCache::Peek(spot);
      ASSERT_NE(found, nullptr);
      EXPECT_EQ(number(found), 8u);
    }
  }
  EXPECT_EQ(LiveObjects(), 0);
}

TEST(Cache, AnEntryWithTheSameKeyIsReplacedAndTheOldOneLivesWhileItIsPinned) {
  auto cache = PlainCache(1000);
  Cache::Handle* old = nullptr;
  ASSERT_TRUE(Put(cache.get(), 1, 10, Cache::Priority::kLow, &old).ok());
  ASSERT_TRUE(cache
                  ->Insert(CacheKey{7, 1}, new Object(99), DeleteObject, 20,
                           Cache::Role::kDataBlock, Cache::Priority::kLow, nullptr)
                  .ok());
  EXPECT_EQ(static_cast<Object*>(cache->Value(old))->number, 1u);
  EXPECT_EQ(cache->usage(), 30u);
  EXPECT_EQ(cache->pinned_usage(), 10u);
  EXPECT_EQ(cache->occupancy_count(), 1u);

  Cache::Handle* fresh = cache->Lookup(CacheKey{7, 1});
  ASSERT_NE(fresh, nullptr);
  EXPECT_EQ(static_cast<Object*>(cache->Value(fresh))->number, 99u);
  cache->Release(fresh);
  cache->Release(old);
  EXPECT_EQ(cache->usage(), 20u);
  EXPECT_EQ(cache->pinned_usage(), 0u);
}

TEST(Cache, DropsTheOldestFirstButNotWhatWasUsedSince) {
  auto cache = PlainCache(30);
  for (uint64_t key = 1; key <= 3; ++key) ASSERT_TRUE(Put(cache.get(), key, 10).ok());
  EXPECT_TRUE(Has(cache.get(), 1));
  ASSERT_TRUE(Put(cache.get(), 4, 10).ok());
  EXPECT_TRUE(Has(cache.get(), 1));
  EXPECT_FALSE(Has(cache.get(), 2));
  EXPECT_TRUE(Has(cache.get(), 3));
  EXPECT_TRUE(Has(cache.get(), 4));
}

TEST(Cache, EntriesOfHighPriorityStayWhileTheirShareLasts) {
  auto cache = PlainCache(100, /*strict=*/false, /*high_ratio=*/0.5);
  for (uint64_t key = 1; key <= 5; ++key) {
    ASSERT_TRUE(Put(cache.get(), key, 10, Cache::Priority::kHigh).ok());
  }
  for (uint64_t key = 100; key < 150; ++key) ASSERT_TRUE(Put(cache.get(), key, 10).ok());
  for (uint64_t key = 1; key <= 5; ++key) EXPECT_TRUE(Has(cache.get(), key)) << key;
}

TEST(Cache, HighPriorityBeyondItsShareIsDroppedLikeTheRest) {
  auto cache = PlainCache(100, /*strict=*/false, /*high_ratio=*/0.5);
  for (uint64_t key = 1; key <= 10; ++key) {
    ASSERT_TRUE(Put(cache.get(), key, 10, Cache::Priority::kHigh).ok());
  }
  ASSERT_TRUE(Put(cache.get(), 100, 10).ok());
  EXPECT_FALSE(Has(cache.get(), 1));
  EXPECT_TRUE(Has(cache.get(), 10));
}

TEST(Cache, LowPriorityOutlivesBottomPriority) {
  auto cache = PlainCache(100, /*strict=*/false, /*high_ratio=*/0, /*low_ratio=*/0.5);
  ASSERT_TRUE(Put(cache.get(), 1, 10, Cache::Priority::kLow).ok());
  for (uint64_t key = 100; key < 150; ++key) {
    ASSERT_TRUE(Put(cache.get(), key, 10, Cache::Priority::kBottom).ok());
  }
  EXPECT_TRUE(Has(cache.get(), 1));
}

TEST(Cache, AScanDoesNotPushOutWhatIsUsedAgainAndAgain) {
  auto cache = PlainCache(100, /*strict=*/false, /*high_ratio=*/0.5);
  for (uint64_t key = 1; key <= 4; ++key) ASSERT_TRUE(Put(cache.get(), key, 10).ok());
  for (uint64_t key = 100; key < 1000; ++key) {
    ASSERT_TRUE(Put(cache.get(), key, 10).ok());
    if (key % 3 == 0) {
      for (uint64_t hot = 1; hot <= 4; ++hot) EXPECT_TRUE(Has(cache.get(), hot)) << key;
    }
  }
}

TEST(Cache, AFullCacheWithoutStrictLimitGrowsForPinnedEntriesAndShrinksAtTheirRelease) {
  auto cache = PlainCache(20);
  std::vector<Cache::Handle*> handles(4);
  for (uint64_t key = 0; key < 4; ++key) {
    ASSERT_TRUE(Put(cache.get(), key, 10, Cache::Priority::kLow, &handles[key]).ok());
  }
  EXPECT_EQ(cache->usage(), 40u);
  EXPECT_EQ(cache->pinned_usage(), 40u);
  // Nothing can be dropped for it: it is not kept, and that is no error.
  ASSERT_TRUE(Put(cache.get(), 9, 10).ok());
  EXPECT_FALSE(Has(cache.get(), 9));
  for (Cache::Handle* handle : handles) cache->Release(handle);
  EXPECT_EQ(cache->usage(), 20u);
  EXPECT_EQ(cache->pinned_usage(), 0u);
  // What was set aside while pinned can be dropped again.
  ASSERT_TRUE(Put(cache.get(), 10, 10).ok());
  ASSERT_TRUE(Put(cache.get(), 11, 10).ok());
  EXPECT_TRUE(Has(cache.get(), 10));
  EXPECT_TRUE(Has(cache.get(), 11));
  EXPECT_EQ(cache->usage(), 20u);
}

TEST(Cache, AStrictLimitRefusesPinnedEntriesAndDeletesTheObject) {
  const int before = LiveObjects();
  auto cache = PlainCache(20, /*strict=*/true);
  Cache::Handle* first = nullptr;
  ASSERT_TRUE(Put(cache.get(), 1, 20, Cache::Priority::kLow, &first).ok());
  Cache::Handle* second = first;
  const Status status = Put(cache.get(), 2, 1, Cache::Priority::kLow, &second);
  EXPECT_EQ(status.ToString(),
            "Operation aborted: Memory limit reached: Insert failed due to LRU cache being full.");
  EXPECT_EQ(second, nullptr);
  EXPECT_EQ(LiveObjects(), before + 1);
  EXPECT_TRUE(Put(cache.get(), 3, 1).ok());
  EXPECT_FALSE(Has(cache.get(), 3));
  cache->Release(first);
}

TEST(Cache, SetCapacityDropsAtOnce) {
  auto cache = PlainCache(100);
  for (uint64_t key = 0; key < 10; ++key) ASSERT_TRUE(Put(cache.get(), key, 10).ok());
  cache->SetCapacity(30);
  EXPECT_EQ(cache->usage(), 30u);
  EXPECT_EQ(cache->capacity(), 30u);
  EXPECT_TRUE(Has(cache.get(), 9));
  EXPECT_FALSE(Has(cache.get(), 0));
}

TEST(Cache, EraseHidesAnEntryAndFreesItWhenTheLastPinGoes) {
  const int before = LiveObjects();
  auto cache = PlainCache(100);
  Cache::Handle* handle = nullptr;
  ASSERT_TRUE(Put(cache.get(), 1, 10, Cache::Priority::kLow, &handle).ok());
  cache->Ref(handle);
  cache->Erase(CacheKey{7, 1});
  EXPECT_FALSE(Has(cache.get(), 1));
  cache->Release(handle);
  EXPECT_EQ(LiveObjects(), before + 1);
  EXPECT_EQ(cache->usage(), 10u);
  cache->Release(handle);
  EXPECT_EQ(cache->usage(), 0u);
  EXPECT_EQ(LiveObjects(), before);
}

TEST(Cache, WhatIsLookedAtWithoutAPinLivesAsLongAsTheEpoch) {
  const int before = LiveObjects();
  auto cache = PlainCache(100);
  auto* const sharded = static_cast<ShardedCache*>(cache.get());
  ASSERT_TRUE(Put(cache.get(), 1, 10).ok());
  {
    EpochGuard guard;
    EXPECT_EQ(sharded->Peek(CacheKey{7, 2}), nullptr);
    Cache::Handle* handle = sharded->Peek(CacheKey{7, 1});
    ASSERT_NE(handle, nullptr);
    EXPECT_EQ(cache->pinned_usage(), 0u);
    cache->Erase(CacheKey{7, 1});
    EpochDomain::Drain();
    EXPECT_EQ(static_cast<Object*>(cache->Value(handle))->number, 1u);
    EXPECT_FALSE(sharded->TryRef(handle)) << "it is not in the cache any more";
    EXPECT_EQ(cache->usage(), 0u);
  }
  EXPECT_EQ(LiveObjects(), before);

  ASSERT_TRUE(Put(cache.get(), 3, 10).ok());
  Cache::Handle* handle = nullptr;
  {
    EpochGuard guard;
    handle = sharded->Peek(CacheKey{7, 3});
    ASSERT_TRUE(sharded->TryRef(handle));
  }
  cache->Erase(CacheKey{7, 3});
  EpochDomain::Synchronize();
  EXPECT_EQ(static_cast<Object*>(cache->Value(handle))->number, 3u);
  cache->Release(handle);
}

TEST(Cache, AGrownObjectIsChargedAndPushesOutOthers) {
  auto cache = PlainCache(30);
  auto* const sharded = static_cast<ShardedCache*>(cache.get());
  for (uint64_t key = 1; key <= 3; ++key) ASSERT_TRUE(Put(cache.get(), key, 10).ok());
  Cache::Handle* handle = cache->Lookup(CacheKey{7, 3});
  ASSERT_NE(handle, nullptr);
  sharded->Recharge(handle, 15);
  EXPECT_EQ(cache->Charge(handle), 15u);
  EXPECT_EQ(cache->usage(), 25u);
  EXPECT_EQ(cache->pinned_usage(), 15u);
  size_t bytes = 0, entries = 0;
  cache->UsageOf(Cache::Role::kDataBlock, &bytes, &entries);
  EXPECT_EQ(bytes, 25u);
  sharded->Recharge(handle, 5);
  EXPECT_EQ(cache->usage(), 15u);
  cache->Erase(CacheKey{7, 3});
  sharded->Recharge(handle, 500);  // Too late to matter.
  cache->Release(handle);
  EXPECT_EQ(cache->usage(), 10u);
}

TEST(Cache, ReleaseWithEraseTakesTheEntryOut) {
  auto cache = PlainCache(100);
  Cache::Handle* handle = nullptr;
  ASSERT_TRUE(Put(cache.get(), 1, 10, Cache::Priority::kLow, &handle).ok());
  cache->Release(handle, /*erase=*/true);
  EXPECT_FALSE(Has(cache.get(), 1));
  EXPECT_EQ(cache->usage(), 0u);
}

TEST(Cache, EraseUnreferencedKeepsWhatIsPinned) {
  auto cache = PlainCache(100);
  Cache::Handle* handle = nullptr;
  ASSERT_TRUE(Put(cache.get(), 1, 10, Cache::Priority::kLow, &handle).ok());
  ASSERT_TRUE(Put(cache.get(), 2, 10).ok());
  ASSERT_TRUE(Put(cache.get(), 3, 10, Cache::Priority::kHigh).ok());
  cache->EraseUnreferenced();
  EXPECT_EQ(cache->usage(), 10u);
  EXPECT_TRUE(Has(cache.get(), 1));
  EXPECT_FALSE(Has(cache.get(), 2));
  cache->Release(handle);
}

TEST(Cache, CountsBytesAndEntriesByRole) {
  auto cache = PlainCache(1000);
  ASSERT_TRUE(Put(cache.get(), 1, 10).ok());
  ASSERT_TRUE(cache
                  ->Insert(CacheKey{7, 2}, nullptr, nullptr, 30, Cache::Role::kFilterBlock,
                           Cache::Priority::kHigh, nullptr)
                  .ok());
  size_t bytes = 0, entries = 0;
  cache->UsageOf(Cache::Role::kDataBlock, &bytes, &entries);
  EXPECT_EQ(bytes, 10u);
  EXPECT_EQ(entries, 1u);
  cache->UsageOf(Cache::Role::kFilterBlock, &bytes, &entries);
  EXPECT_EQ(bytes, 30u);
  EXPECT_EQ(entries, 1u);
  cache->Erase(CacheKey{7, 2});
  cache->UsageOf(Cache::Role::kFilterBlock, &bytes, &entries);
  EXPECT_EQ(bytes, 0u);
  EXPECT_EQ(entries, 0u);
}

TEST(Cache, DestroyingItFreesItsObjectsUnlessTheyWereDisowned) {
  const int before = LiveObjects();
  {
    auto cache = PlainCache(1000);
    for (uint64_t key = 0; key < 50; ++key) ASSERT_TRUE(Put(cache.get(), key, 1).ok());
  }
  EXPECT_EQ(LiveObjects(), before);
  static auto* const kept = new std::vector<Object*>;  // Reachable: no leak is reported.
  {
    auto cache = PlainCache(1000);
    kept->push_back(new Object(1));
    ASSERT_TRUE(cache
                    ->Insert(CacheKey{7, 1}, kept->back(), DeleteObject, 1, Cache::Role::kDataBlock,
                             Cache::Priority::kLow, nullptr)
                    .ok());
    cache->DisownData();
  }
  EXPECT_EQ(LiveObjects(), before + 1);
}

TEST(Cache, ReportsWhatRocksDBReports) {
  LruCacheOptions lru;
  lru.capacity = 1 << 20;
  lru.num_shard_bits = 0;
  std::shared_ptr<Cache> cache = NewLruCache(lru);
  EXPECT_EQ(cache->kind(), Cache::Kind::kLru);
  EXPECT_EQ(cache->usage(), 0u);
  EXPECT_EQ(cache->table_address_count(), 16u);
  Cache::Handle* handle = nullptr;
  ASSERT_TRUE(Put(cache.get(), 1, 1000, Cache::Priority::kLow, &handle).ok());
  EXPECT_EQ(cache->usage(), 1088u);
  EXPECT_EQ(cache->pinned_usage(), 1088u);
  EXPECT_EQ(cache->Charge(handle), 1000u);
  cache->Release(handle);
  EXPECT_EQ(cache->pinned_usage(), 0u);

  HyperClockCacheOptions clock;
  clock.capacity = 1 << 20;
  clock.estimated_entry_charge = 1000;
  cache = NewHyperClockCache(clock);
  EXPECT_EQ(cache->kind(), Cache::Kind::kHyperClock);
  EXPECT_EQ(cache->usage(), 131072u);
  EXPECT_EQ(cache->table_address_count(), 2048u);
  ASSERT_TRUE(Put(cache.get(), 1, 1000).ok());
  EXPECT_EQ(cache->usage(), 132072u);

  lru.num_shard_bits = -1;
  const struct {
    size_t capacity, addresses;
  } cases[] = {{1 << 10, 16}, {1 << 19, 16}, {1 << 20, 32}, {8 << 20, 256}, {1 << 30, 1024}};
  for (const auto& item : cases) {
    lru.capacity = item.capacity;
    EXPECT_EQ(NewLruCache(lru)->table_address_count(), item.addresses) << item.capacity;
  }
}

TEST(Cache, RefusesImpossibleSettings) {
  LruCacheOptions options;
  options.capacity = 100;
  options.high_pri_pool_ratio = 1.5;
  EXPECT_EQ(NewLruCache(options), nullptr);
  options.high_pri_pool_ratio = 0.6;
  options.low_pri_pool_ratio = 0.6;
  EXPECT_EQ(NewLruCache(options), nullptr);
  options.low_pri_pool_ratio = 0;
  options.num_shard_bits = 20;
  EXPECT_EQ(NewLruCache(options), nullptr);
}

TEST(Cache, HoldsManyEntriesThroughTheGrowthOfItsTable) {
  auto cache = PlainCache(size_t{1} << 30);
  for (uint64_t key = 0; key < 20000; ++key) ASSERT_TRUE(Put(cache.get(), key, 1).ok());
  for (uint64_t key = 0; key < 20000; ++key) ASSERT_TRUE(Has(cache.get(), key)) << key;
  EXPECT_EQ(cache->occupancy_count(), 20000u);
  EpochDomain::Synchronize();
}

struct RetiredPin {
  Cache* cache;
  Cache::Handle* handle;
};

// What is freed when the table grows may release pins of the same shard.
TEST(Cache, ItsTableGrowsWhileObjectsThatPinItsEntriesAreRetired) {
  for (uint64_t waiting = 1; waiting <= 200; ++waiting) {
    auto cache = PlainCache(/*capacity=*/1);
    uint64_t key = 0;
    {
      EpochGuard guard;  // Nothing is freed yet.
      for (; key < waiting; ++key) {
        Cache::Handle* handle = nullptr;
        ASSERT_TRUE(Put(cache.get(), key, 1, Cache::Priority::kLow, &handle).ok());
        EpochDomain::Retire(new RetiredPin{cache.get(), handle}, [](void* retired) {
          auto* pin = static_cast<RetiredPin*>(retired);
          pin->cache->Release(pin->handle);
          delete pin;
        });
      }
    }
    std::vector<Cache::Handle*> pinned;
    for (const uint64_t end = 2 * key + 64; key < end; ++key) {
      pinned.push_back(nullptr);
      ASSERT_TRUE(Put(cache.get(), key, 1, Cache::Priority::kLow, &pinned.back()).ok());
    }
    for (Cache::Handle* handle : pinned) cache->Release(handle);
    EpochDomain::Synchronize();
  }
}

// Readers, writers, erasers and pinners at once. What a handle shows must be the object
// that belongs to its key for as long as it is held, and nothing may be left over.
TEST(Cache, KeepsItsPromisesUnderManyThreads) {
  const int before = LiveObjects();
  for (const bool strict : {false, true}) {
    LruCacheOptions options;
    options.capacity = 300 * 100;
    options.num_shard_bits = 1;
    options.strict_capacity_limit = strict;
    std::shared_ptr<Cache> cache = NewLruCache(options);
    std::atomic<uint64_t> hits{0};
    auto work = [&](uint64_t seed) {
      Random random(seed);
      std::vector<std::pair<uint64_t, Cache::Handle*>> held;
      for (int i = 0; i < 40000; ++i) {
        const uint64_t key = random.Uniform(random.Uniform(2) == 0 ? 50 : 1000);
        switch (random.Uniform(12)) {
          case 0:
            cache->Erase(CacheKey{7, key});
            break;
          case 1: {
            EpochGuard guard;
            auto* const sharded = static_cast<ShardedCache*>(cache.get());
            Cache::Handle* handle = sharded->Peek(CacheKey{7, key});
            if (handle == nullptr) break;
            ASSERT_EQ(static_cast<Object*>(cache->Value(handle))->number, key);
            if (random.Uniform(4) == 0) sharded->Recharge(handle, 1 + random.Uniform(100));
            if (random.Uniform(2) == 0 && sharded->TryRef(handle)) held.emplace_back(key, handle);
            ASSERT_EQ(static_cast<Object*>(cache->Value(handle))->number, key);
            break;
          }
          case 2:
            if (random.Uniform(500) == 0) cache->EraseUnreferenced();
            if (random.Uniform(500) == 0) (void)cache->pinned_usage();
            if (random.Uniform(500) == 0) {
              cache->SetCapacity(random.Uniform(2) == 0 ? 10000 : 30000);
            }
            break;
          default: {
            Cache::Handle* handle = cache->Lookup(CacheKey{7, key});
            if (handle == nullptr) {
              (void)Put(cache.get(), key, 1 + random.Uniform(100),
                        static_cast<Cache::Priority>(random.Uniform(3)),
                        random.Uniform(2) == 0 ? &handle : nullptr);
            } else {
              hits.fetch_add(1, std::memory_order_relaxed);
            }
            if (handle != nullptr) held.emplace_back(key, handle);
          }
        }
        while (held.size() > random.Uniform(10)) {
          const size_t which = random.Uniform(held.size());
          ASSERT_EQ(static_cast<Object*>(cache->Value(held[which].second))->number,
                    held[which].first);
          cache->Release(held[which].second, random.Uniform(50) == 0);
          held.erase(held.begin() + static_cast<std::ptrdiff_t>(which));
        }
      }
      for (auto& [key, handle] : held) {
        ASSERT_EQ(static_cast<Object*>(cache->Value(handle))->number, key);
        cache->Release(handle);
      }
    };
    std::vector<std::thread> threads;
    for (uint64_t seed = 1; seed <= 4; ++seed) threads.emplace_back(work, seed);
    for (std::thread& thread : threads) thread.join();
    EXPECT_GT(hits.load(), 1000u);
    EXPECT_EQ(cache->pinned_usage(), 0u);
    EXPECT_LE(cache->usage(), cache->capacity() + 1);
    cache->EraseUnreferenced();
    EXPECT_EQ(cache->usage(), 0u);
    EXPECT_EQ(cache->occupancy_count(), 0u);
    EXPECT_EQ(LiveObjects(), before);
  }
  EpochDomain::Synchronize();
}

}  // namespace
}  // namespace skarn
