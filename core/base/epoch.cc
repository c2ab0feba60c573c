#include "core/base/epoch.h"

#include <linux/membarrier.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "core/base/epoch_internals.h"
#include "core/base/mutex.h"

namespace skarn {

constinit std::atomic<uint64_t> EpochDomain::now_{1};
constinit std::atomic<bool> EpochDomain::fence_on_enter_{false};

namespace {

// Retire() drains by itself once this many objects wait.
constexpr size_t kDrainThreshold = 64;

struct Retired {
  void* object;
  void (*deleter)(void* object);
  uint64_t epoch;  // Current when it was retired.
};

struct Limbo {
  // A leaf in the lock order: nothing is locked under it, and no deleter runs under it.
  Mutex mu;
  std::vector<Retired> waiting SKARN_GUARDED_BY(mu);  // By epoch, ascending.
  size_t drain_at SKARN_GUARDED_BY(mu) = kDrainThreshold;
  // What Drain() took out of `waiting` and is deleting just now.
  size_t in_deleters SKARN_GUARDED_BY(mu) = 0;
};

Limbo& GetLimbo() {
  static Limbo* const limbo = new Limbo;  // Never destroyed: threads may outlive statics.
  return *limbo;
}

int MemBarrier(int command) { return static_cast<int>(syscall(SYS_membarrier, command, 0, 0)); }

// Every thread of the process passes a full barrier before this returns, or has a
// fence of its own in Enter().
void BarrierOnAllThreads(bool threads_have_fences) {
  if (!threads_have_fences && MemBarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0) {
    // The registration is lost in a few rare cases, such as a fork in some kernels.
    MemBarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
    MemBarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
  }
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

uint64_t OldestEpochInUse() {
  uint64_t oldest = UINT64_MAX;
  for (const ThreadContext* context = FirstThreadContext(); context != nullptr;
       context = context->next) {
    // Acquire pairs with the release in Enter() and Leave(): what the reader did with
    // objects before that store has happened.
    const uint64_t epoch = context->epoch.load(std::memory_order_acquire);
    if (epoch != 0) oldest = std::min(oldest, epoch);
  }
  return oldest;
}

}  // namespace

void internal::PrepareEpochs() {
  const bool works = MemBarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0 &&
                     MemBarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0;
  EpochDomain::fence_on_enter_.store(!works, std::memory_order_relaxed);
}

void EpochDomain::HeavyFence() {
  BarrierOnAllThreads(fence_on_enter_.load(std::memory_order_relaxed));
}

void EpochDomain::Retire(void* object, void (*deleter)(void* object)) {
  Limbo& limbo = GetLimbo();
  bool drain = false;
  {
    MutexLock lock(&limbo.mu);
    limbo.waiting.push_back({object, deleter, now_.load(std::memory_order_relaxed)});
    if (limbo.waiting.size() >= limbo.drain_at) {
      drain = true;
      // A reader that stays inside for long must not make every Retire() drain.
      limbo.drain_at = 2 * limbo.waiting.size();
    }
  }
  if (drain) Drain();
}

size_t EpochDomain::Drain() {
  // Deleters that retire more must not recurse into here without end.
  ThreadContext* const context = CurrentThreadContext();
  Limbo& limbo = GetLimbo();
  if (context->epoch_draining) return Pending();

  std::vector<Retired> ready;
  {
    MutexLock lock(&limbo.mu);
    if (limbo.waiting.empty()) return limbo.in_deleters;
    // From here on readers enter with a newer epoch than anything that waits has.
    // Release: who sees the new epoch also sees those objects unlinked.
    now_.store(now_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    // A reader that entered earlier shows in its slot after the barrier; one that enters
    // later loads its pointers after the barrier and finds nothing of what waits.
    BarrierOnAllThreads(fence_on_enter_.load(std::memory_order_relaxed));
    const uint64_t oldest = OldestEpochInUse();
    const auto first_kept =
        std::partition_point(limbo.waiting.begin(), limbo.waiting.end(),
                             [oldest](const Retired& retired) { return retired.epoch < oldest; });
    ready.assign(limbo.waiting.begin(), first_kept);
    limbo.waiting.erase(limbo.waiting.begin(), first_kept);
    limbo.drain_at = std::max(kDrainThreshold, 2 * limbo.waiting.size());
    limbo.in_deleters += ready.size();
  }
  context->epoch_draining = true;
  for (const Retired& retired : ready) retired.deleter(retired.object);
  context->epoch_draining = false;
  MutexLock lock(&limbo.mu);
  limbo.in_deleters -= ready.size();
  return limbo.waiting.size() + limbo.in_deleters;
}

void EpochDomain::Synchronize() {
  Limbo& limbo = GetLimbo();
  const uint64_t last = [&] {
    MutexLock lock(&limbo.mu);
    return now_.load(std::memory_order_relaxed);
  }();
  for (int round = 0;; round++) {
    Drain();
    {
      MutexLock lock(&limbo.mu);
      const bool waits = !limbo.waiting.empty() && limbo.waiting.front().epoch <= last;
      if (!waits && limbo.in_deleters == 0) return;
    }
    // Readers leave within microseconds as a rule.
    if (round < 100) {
      sched_yield();
    } else {
      const timespec pause{0, 100 * 1000};
      nanosleep(&pause, nullptr);
    }
  }
}

size_t EpochDomain::Pending() {
  Limbo& limbo = GetLimbo();
  MutexLock lock(&limbo.mu);
  return limbo.waiting.size() + limbo.in_deleters;
}

}  // namespace skarn
