// Arena, chunk pool, thread contexts and epochs.

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "core/base/arena.h"
#include "core/base/checkers.h"
#include "core/base/epoch.h"
#include "core/base/random.h"
#include "core/base/thread_context.h"

namespace skarn {
namespace {

TEST(Arena, CostsNothingWhenEmptyAndLittleWhenSmall) {
  Arena arena;
  EXPECT_EQ(arena.reserved_bytes(), 0u);
  ASSERT_NE(arena.Allocate(10), nullptr);
  EXPECT_EQ(arena.reserved_bytes(), Arena::kFirstBlockBytes);
  EXPECT_EQ(arena.used_bytes(), 10u);
}

TEST(Arena, HandsOutMemoryThatDoesNotOverlap) {
  Random random(/*seed=*/7);
  Arena arena;
  std::vector<std::pair<char*, size_t>> pieces;
  for (int i = 0; i < 4000; i++) {
    const size_t size = random.OneIn(500) ? random.Uniform(600000) : random.Uniform(3000);
    const size_t alignment = size_t{1} << random.Uniform(7);
    char* memory = arena.AllocateAligned(size, alignment);
    ASSERT_NE(memory, nullptr);
    ASSERT_EQ(reinterpret_cast<uintptr_t>(memory) % alignment, 0u);
    memset(memory, static_cast<char>(i), size);
    pieces.push_back({memory, size});
  }
  for (size_t i = 0; i < pieces.size(); i++) {
    const auto [memory, size] = pieces[i];
    for (size_t at = 0; at < size; at++) ASSERT_EQ(memory[at], static_cast<char>(i));
  }
  EXPECT_GE(arena.reserved_bytes(), arena.used_bytes());
}

TEST(Arena, RefusesWhatNoMachineHas) {
  if (kMemoryIsChecked) GTEST_SKIP() << "the checker's malloc() ends the program instead";
  Arena arena;
  EXPECT_EQ(arena.Allocate(SIZE_MAX), nullptr);
  EXPECT_EQ(arena.Allocate(SIZE_MAX / 2), nullptr);
  EXPECT_NE(arena.Allocate(100), nullptr);
}

TEST(ChunkPool, GivesTheSameChunkAgain) {
  ChunkPool::Trim(0);
  // The pool holds no more than three quarters of what is in use.
  char* const others[] = {ChunkPool::Acquire(), ChunkPool::Acquire()};
  char* chunk = ChunkPool::Acquire();
  ASSERT_NE(chunk, nullptr);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(chunk) % ChunkPool::kChunkBytes, 0u);
  chunk[0] = 1;
  chunk[ChunkPool::kChunkBytes - 1] = 1;
  ChunkPool::Release(chunk);
  EXPECT_EQ(ChunkPool::PooledChunks(), 1u);
  EXPECT_EQ(ChunkPool::Acquire(), chunk);
  EXPECT_EQ(ChunkPool::PooledChunks(), 0u);
  ChunkPool::Release(chunk);
  char* large = ChunkPool::Acquire(5 << 20);
  ASSERT_NE(large, nullptr);
  large[(5 << 20) - 1] = 1;
  ChunkPool::Release(large, 5 << 20);
  for (char* other : others) ChunkPool::Release(other);
  ChunkPool::Trim(0);
  EXPECT_EQ(ChunkPool::PooledChunks(), 0u);
}

// Other tests of this program may still have some.
TEST(ChunkPool, HoldsLessThanWhatIsInUse) {
  constexpr size_t kCount = 64;
  ChunkPool::Trim(0);
  std::vector<char*> chunks;
  for (size_t i = 0; i < kCount; ++i) chunks.push_back(ChunkPool::Acquire());
  for (; chunks.size() > kCount / 2; chunks.pop_back()) ChunkPool::Release(chunks.back());
  EXPECT_EQ(ChunkPool::PooledChunks(), kCount / 2 * 3 / 4);
  for (size_t i = 0; i < kCount / 4; ++i, chunks.pop_back()) ChunkPool::Release(chunks.back());
  EXPECT_EQ(ChunkPool::PooledChunks(), kCount / 4 * 3 / 4);
  for (char* chunk : chunks) ChunkPool::Release(chunk);
  EXPECT_EQ(ChunkPool::PooledChunks(), 0u);
  ChunkPool::Trim(0);
}

// What could not be had is not in use.
TEST(ChunkPool, DoesNotCountWhatTheSystemRefused) {
  if (kMemoryIsChecked) GTEST_SKIP() << "the checker has reserved more than any limit";
  ChunkPool::Trim(0);
  char* const chunk = ChunkPool::Acquire();
  ASSERT_NE(chunk, nullptr);
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_AS, &before), 0);
  rlimit small = before;
  small.rlim_cur = 1 << 20;  // Less than there is.
  ASSERT_EQ(setrlimit(RLIMIT_AS, &small), 0);
  bool refused = true;
  for (int i = 0; i < 100; ++i) refused = refused && ChunkPool::Acquire() == nullptr;
  ASSERT_EQ(setrlimit(RLIMIT_AS, &before), 0);
  EXPECT_TRUE(refused);
  ChunkPool::Release(chunk);
  EXPECT_EQ(ChunkPool::PooledChunks(), 0u);
}

TEST(ThreadContext, IsOneForEachLivingThreadAndIsUsedAgain) {
  ThreadContext* const mine = CurrentThreadContext();
  EXPECT_EQ(CurrentThreadContext(), mine);
  ThreadContext* others[2] = {};
  for (ThreadContext*& other : others) {
    std::thread([&other] {
      other = CurrentThreadContext();
      other->perf_counters[3] = 77;
      other->perf_level = 4;
      ASSERT_NE(other->scratch.Get(100), nullptr);
    }).join();
  }
  EXPECT_NE(others[0], mine);
  EXPECT_EQ(others[0], others[1]);
  // The second thread began with a clean context, and left a clean one.
  EXPECT_EQ(others[1]->perf_counters[3], 0u);
  EXPECT_EQ(others[1]->perf_level, 2);
  size_t count = 0;
  for (ThreadContext* context = FirstThreadContext(); context != nullptr; context = context->next) {
    count++;
  }
  EXPECT_GE(count, 2u);
}

std::atomic<int> slots_destroyed{0};

TEST(ThreadContext, DestroysWhatRoomsKeptInASlotWhenTheThreadEnds) {
  const size_t slot = RegisterThreadSlot([](void* content) {
    delete static_cast<int*>(content);
    slots_destroyed++;
  });
  std::thread([slot] { CurrentThreadContext()->room_slots[slot] = new int(5); }).join();
  EXPECT_EQ(slots_destroyed.load(), 1);
  std::thread([slot] { EXPECT_EQ(CurrentThreadContext()->room_slots[slot], nullptr); }).join();
}

struct Counted {
  static std::atomic<int> alive;
  Counted() { alive++; }
  ~Counted() {
    marker = 0;
    alive--;
  }
  uint64_t marker = 0x600d;
};
std::atomic<int> Counted::alive{0};

TEST(Epoch, FreesWhatNoReaderCanHold) {
  EpochDomain::Retire(new Counted);
  EpochDomain::Synchronize();
  EXPECT_EQ(Counted::alive.load(), 0);
  EXPECT_EQ(EpochDomain::Pending(), 0u);
}

TEST(Epoch, KeepsWhatAReaderMayHoldUntilTheOutermostGuardEnds) {
  {
    EpochGuard outer;
    {
      EpochGuard inner;
      EpochDomain::Retire(new Counted);
    }
    EpochDomain::Drain();
    EXPECT_EQ(Counted::alive.load(), 1);
  }
  EpochDomain::Drain();
  EXPECT_EQ(Counted::alive.load(), 0);
}

TEST(Epoch, LetsDeletersRetireMore) {
  struct Chain {
    Chain* next;
  };
  static std::atomic<int> freed{0};
  static void (*const kDelete)(void*) = [](void* pointer) {
    auto* chain = static_cast<Chain*>(pointer);
    if (chain->next != nullptr) EpochDomain::Retire(chain->next, kDelete);
    delete chain;
    freed++;
  };
  Chain* head = nullptr;
  for (int i = 0; i < 300; i++) head = new Chain{head};
  EpochDomain::Retire(head, kDelete);
  for (int i = 0; i < 400 && freed.load() < 300; i++) EpochDomain::Synchronize();
  EXPECT_EQ(freed.load(), 300);
}

// Readers use an object that a writer keeps replacing. A freed one has no marker (and
// is a finding for the sanitizers).
TEST(Epoch, ProtectsReadersFromAWriter) {
  std::atomic<Counted*> current{new Counted};
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; i++) {
    readers.emplace_back([&] {
      while (!stop.load(std::memory_order_relaxed)) {
        EpochGuard guard;
        const Counted* object = current.load(std::memory_order_acquire);
        for (int look = 0; look < 20; look++) {
          if (object->marker != 0x600d) wrong++;
        }
      }
    });
  }
  for (int i = 0; i < 20000; i++) {
    EpochDomain::Retire(current.exchange(new Counted, std::memory_order_acq_rel));
    if (i % 64 == 0) std::this_thread::yield();
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EpochDomain::Synchronize();
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_EQ(Counted::alive.load(), 1);
  delete current.load();
}

}  // namespace
}  // namespace skarn
