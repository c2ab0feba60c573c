// Mutex, MutexLock and CondVar: the standard ones, with annotations that clang checks.
//
// The order in which mutexes may be taken is one list in docs/concurrency.md.

#ifndef SKARN_CORE_BASE_MUTEX_H_
#define SKARN_CORE_BASE_MUTEX_H_

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "core/base/thread_annotations.h"

namespace skarn {

class SKARN_CAPABILITY("mutex") Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() SKARN_ACQUIRE() { mu_.lock(); }
  void Unlock() SKARN_RELEASE() { mu_.unlock(); }
  bool TryLock() SKARN_TRY_ACQUIRE(true) { return mu_.try_lock(); }
  // Tells the analysis that the calling thread holds the mutex.
  void AssertHeld() const SKARN_ASSERT_CAPABILITY(this) {}

 private:
  friend class CondVar;
  std::mutex mu_;
};

// Holds a mutex for a scope. Unlock() and Lock() open a gap in it.
class SKARN_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex* mutex) SKARN_ACQUIRE(mutex) : mutex_(mutex) { mutex_->Lock(); }
  ~MutexLock() SKARN_RELEASE() {
    if (held_) mutex_->Unlock();
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  void Unlock() SKARN_RELEASE() {
    mutex_->Unlock();
    held_ = false;
  }
  void Lock() SKARN_ACQUIRE() {
    mutex_->Lock();
    held_ = true;
  }

 private:
  Mutex* const mutex_;
  bool held_ = true;
};

// A condition to wait for under one mutex. Wakes may be spurious: wait in a loop.
class CondVar {
 public:
  explicit CondVar(Mutex* mutex) : mutex_(mutex) {}

  // Precondition for both waits: the calling thread holds the mutex.
  void Wait() {
    std::unique_lock<std::mutex> lock(mutex_->mu_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  // Returns false when `timeout_us` passed without a wake.
  bool WaitFor(uint64_t timeout_us) {
    std::unique_lock<std::mutex> lock(mutex_->mu_, std::adopt_lock);
    const auto outcome = condition_.wait_for(lock, std::chrono::microseconds(timeout_us));
    lock.release();
    return outcome == std::cv_status::no_timeout;
  }
  void Signal() { condition_.notify_one(); }
  void SignalAll() { condition_.notify_all(); }

 private:
  Mutex* const mutex_;
  std::condition_variable condition_;
};

}  // namespace skarn

#endif  // SKARN_CORE_BASE_MUTEX_H_
