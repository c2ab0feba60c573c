#include "core/base/block_heap.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "core/base/chunk_heap.h"
#include "core/base/random.h"

namespace skarn {
namespace {

struct Held {
  char* memory;
  size_t size;
  char mark;
};

void Fill(const Held& held) { memset(held.memory, held.mark, held.size); }
bool IsFilled(const Held& held) {
  for (size_t i = 0; i < held.size; ++i) {
    if (held.memory[i] != held.mark) return false;
  }
  return true;
}

size_t RandomSize(Random* random) {
  switch (random->Uniform(8)) {
    case 0:
      return random->Uniform(40);
    case 1:
      return random->Uniform(64 << 10);
    case 2:
      return random->Uniform(20) == 0 ? ChunkHeap::kBytesMax - random->Uniform(100) : 1;
    default:
      return 4000 + random->Uniform(800);
  }
}

TEST(ChunkHeap, KeepsWhatIsHeldApart) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    ChunkHeap heap;
    std::vector<Held> all;
    for (int step = 0; step < 20000; ++step) {
      const bool grow = random.Uniform(2000) > all.size();
      if (grow || all.empty()) {
        Held held{nullptr, RandomSize(&random), static_cast<char>(step)};
        held.memory = static_cast<char*>(heap.Allocate(held.size));
        ASSERT_NE(held.memory, nullptr);
        ASSERT_EQ(reinterpret_cast<uintptr_t>(held.memory) % ChunkHeap::kAlignment, 0u);
        Fill(held);
        all.push_back(held);
      } else {
        std::swap(all[random.Uniform(all.size())], all.back());
        ASSERT_TRUE(IsFilled(all.back()));
        ChunkHeap::Free(all.back().memory);
        all.pop_back();
      }
    }
    for (const Held& held : all) {
      ASSERT_TRUE(IsFilled(held));
      ChunkHeap::Free(held.memory);
    }
    // Everything was joined, and given back but for a few.
    EXPECT_EQ(heap.chunk_count(), heap.empty_count());
    EXPECT_LE(heap.chunk_count(), ChunkHeap::kEmptyMax);
  }
}

TEST(ChunkHeap, WastesLittleOnBlocksThatComeAndGo) {
  Random random(301);
  ChunkHeap heap;
  std::vector<Held> all;
  size_t bytes = 0;
  for (int step = 0; step < 30000; ++step) {
    if (all.size() == 4000) {
      std::swap(all[random.Uniform(all.size())], all.back());
      bytes -= all.back().size;
      ChunkHeap::Free(all.back().memory);
      all.pop_back();
    }
    Held held{nullptr, 4000 + random.Uniform(300), 0};
    held.memory = static_cast<char*>(heap.Allocate(held.size));
    ASSERT_NE(held.memory, nullptr);
    bytes += held.size;
    all.push_back(held);
  }
  // One chunk more than is needed without any gap.
  EXPECT_LE(heap.chunk_count(), bytes / ChunkPool::kChunkBytes + 2);
  for (const Held& held : all) ChunkHeap::Free(held.memory);
}

TEST(ChunkHeap, ServesManyThreadsThatFreeForEachOther) {
  ChunkHeap heap;
  std::vector<std::vector<Held>> made(4);
  const auto run = [&](size_t self) {
    Random random(self);
    for (int i = 0; i < 3000; ++i) {
      Held held{nullptr, RandomSize(&random), static_cast<char>(self)};
      held.memory = static_cast<char*>(heap.Allocate(held.size));
      Fill(held);
      if (i % 3 == 0) {
        made[self].push_back(held);
      } else {
        ChunkHeap::Free(held.memory);
      }
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 0; i < made.size(); ++i) threads.emplace_back(run, i);
  for (std::thread& thread : threads) thread.join();
  for (const auto& list : made) {
    for (const Held& held : list) {
      ASSERT_TRUE(IsFilled(held));
      ChunkHeap::Free(held.memory);
    }
  }
  EXPECT_EQ(heap.chunk_count(), heap.empty_count());
  EXPECT_LE(heap.chunk_count(), ChunkHeap::kEmptyMax);
}

TEST(BlockHeap, GivesMemoryOfEverySize) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{5000}, BlockHeap::kObjectBytesMax,
                            BlockHeap::kObjectBytesMax + 1, size_t{5} << 20}) {
    SCOPED_TRACE(size);
    const Held held{static_cast<char*>(BlockHeap::Allocate(size)), size, 'x'};
    ASSERT_NE(held.memory, nullptr);
    Fill(held);
    BlockHeap::Free(held.memory, size);

    const Held lines{static_cast<char*>(BlockHeap::AllocateLines(size)), size, 'y'};
    ASSERT_NE(lines.memory, nullptr);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(lines.memory) % 64, 0u);
    Fill(lines);
    BlockHeap::FreeLines(lines.memory, size);
  }
  BlockHeap::Free(nullptr, 100);
  BlockHeap::FreeLines(nullptr, 100);
}

}  // namespace
}  // namespace skarn
