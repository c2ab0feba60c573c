// DeterministicPool is a ThreadPool without threads: jobs run on the thread of the test,
// when the test asks for one, in an order that a seed decides.
//
// Thread safety: Schedule() and the numbers: any thread. Jobs run on whichever thread
// calls RunOne() or RunAll().

#ifndef SKARN_CORE_ENV_DETERMINISTIC_POOL_H_
#define SKARN_CORE_ENV_DETERMINISTIC_POOL_H_

#include <deque>
#include <vector>

#include "core/base/mutex.h"
#include "core/base/random.h"
#include "core/env/thread_pool.h"

namespace skarn {

class DeterministicPool final : public ThreadPool {
 public:
  // Seed 0: by priority, high before low before bottom, then in the order of scheduling.
  // Any other seed: the next job is the oldest of a priority drawn at random.
  explicit DeterministicPool(uint64_t seed = 0) : random_(seed), shuffled_(seed != 0) {}
  ~DeterministicPool() override { JoinAll(); }

  void Schedule(Priority priority, const void* owner, std::function<void()> job,
                std::function<void()> on_cancel) override SKARN_EXCLUDES(mu_);
  int Cancel(Priority priority, const void* owner) override SKARN_EXCLUDES(mu_);
  void SetThreads(Priority priority, int count) override SKARN_EXCLUDES(mu_);
  void RaiseThreads(Priority priority, int count) override SKARN_EXCLUDES(mu_);
  int Threads(Priority priority) override SKARN_EXCLUDES(mu_);
  int QueueLength(Priority priority) override SKARN_EXCLUDES(mu_);
  void LowerIoPriority(Priority) override {}
  void LowerCpuPriority(Priority) override {}
  void JoinAll() override SKARN_EXCLUDES(mu_);

  // Runs one job; false when none waits.
  bool RunOne() SKARN_EXCLUDES(mu_);
  // Runs jobs, also those that jobs schedule, until none waits; returns how many ran.
  size_t RunAll() SKARN_EXCLUDES(mu_);

 private:
  struct Job {
    const void* owner;
    std::function<void()> run;
    std::function<void()> on_cancel;
  };

  // A leaf in the lock order; jobs run without it.
  Mutex mu_;
  std::deque<Job> queues_[kPriorities] SKARN_GUARDED_BY(mu_);
  int threads_[kPriorities] SKARN_GUARDED_BY(mu_) = {0, 1, 1, 1};
  Random random_ SKARN_GUARDED_BY(mu_);
  const bool shuffled_;
};

}  // namespace skarn

#endif  // SKARN_CORE_ENV_DETERMINISTIC_POOL_H_
