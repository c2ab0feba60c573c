// ThreadPool runs background jobs: flushes, compactions and file deletions.
//
// Threads start when the first job arrives, not before, so opening a database
// starts none. Jobs of one priority run in the order they were scheduled.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_ENV_THREAD_POOL_H_
#define SKARN_CORE_ENV_THREAD_POOL_H_

#include <cstdint>
#include <functional>
#include <memory>

namespace skarn {

class ThreadPool {
 public:
  // The numbers are those of RocksDB's Env::Priority.
  enum class Priority : uint8_t { kBottom = 0, kLow = 1, kHigh = 2, kUser = 3 };
  static constexpr int kPriorities = 4;

  virtual ~ThreadPool() = default;
  // Queues `job`. `owner` groups jobs for Cancel(). `on_cancel`, when set, is run
  // instead of a job that Cancel() took out of the queue.
  virtual void Schedule(Priority priority, const void* owner, std::function<void()> job,
                        std::function<void()> on_cancel = nullptr) = 0;
  // Takes all jobs of `owner` that have not started out of the queue; returns how many.
  virtual int Cancel(Priority priority, const void* owner) = 0;
  // The number of threads of a priority; fewer than before lets extra threads end
  // after their job.
  virtual void SetThreads(Priority priority, int count) = 0;
  // Like SetThreads(), but never lowers the number.
  virtual void RaiseThreads(Priority priority, int count) = 0;
  virtual int Threads(Priority priority) = 0;
  virtual int QueueLength(Priority priority) = 0;
  virtual void LowerIoPriority(Priority priority) = 0;
  virtual void LowerCpuPriority(Priority priority) = 0;
  // Waits for running jobs, drops queued ones, ends all threads. New jobs start threads again.
  virtual void JoinAll() = 0;
};

// The process-wide pool; lives until the process ends.
ThreadPool* SystemThreadPool();
// A pool of its own threads.
std::unique_ptr<ThreadPool> NewThreadPool();
// For tests, a pool that runs no threads: deterministic_pool.h.

}  // namespace skarn

#endif  // SKARN_CORE_ENV_THREAD_POOL_H_
