#include "core/memtable/memory_chores.h"

#include <sys/mman.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "core/base/futex.h"
#include "core/env/thread_pool.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23  // Since Linux 5.14; others refuse it, and nothing is lost.
#endif

namespace skarn {
namespace {

// Small enough that a memtable which goes away does not wait.
constexpr size_t kWarmStep = 64 << 10;

}  // namespace

// Ends when the pool lets go of it, whether it ran or not.
class MemoryChores::Job {
 public:
  Job(MemoryChores* chores, std::function<void(const std::atomic<bool>&)> chore)
      : chores_(chores), chore_(std::move(chore)) {
    chores_->jobs_.fetch_add(1, std::memory_order_relaxed);
  }
  ~Job() {
    // The owner may be gone right after the count is: only the address is used then.
    std::atomic<uint32_t>* const jobs = &chores_->jobs_;
    if (jobs->fetch_sub(1, std::memory_order_acq_rel) == 1) WakeSleepers(jobs);
  }
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  void Run() const { chore_(chores_->stop_); }

 private:
  MemoryChores* const chores_;
  const std::function<void(const std::atomic<bool>&)> chore_;
};

void MemoryChores::Start(std::function<void(const std::atomic<bool>&)> chore) {
  auto job = std::make_shared<Job>(this, std::move(chore));
  // Threads of this priority have nothing else to do.
  SystemThreadPool()->Schedule(ThreadPool::Priority::kUser, this, [job] { job->Run(); });
}

void MemoryChores::Stop() {
  if (jobs_.load(std::memory_order_acquire) == 0) return;
  stop_.store(true, std::memory_order_relaxed);
  SystemThreadPool()->Cancel(ThreadPool::Priority::kUser, this);
  for (uint32_t left = jobs_.load(std::memory_order_acquire); left != 0;
       left = jobs_.load(std::memory_order_acquire)) {
    SleepWhile(jobs_, left);
  }
}

void WarmPages(MemoryChores* chores, char* begin, size_t size) {
  chores->Start([begin, size](const std::atomic<bool>& stop) {
    for (size_t done = 0; done < size; done += kWarmStep) {
      if (stop.load(std::memory_order_relaxed)) return;
      if (madvise(begin + done, std::min(kWarmStep, size - done), MADV_POPULATE_WRITE) != 0) return;
    }
  });
}

}  // namespace skarn
