#include "core/memtable/page_warmer.h"

#include <sys/mman.h>

#include <algorithm>
#include <memory>

#include "core/env/thread_pool.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23  // Since Linux 5.14; others refuse it, and nothing is lost.
#endif

namespace skarn {
namespace {

// Small enough that a memtable which goes away does not wait.
constexpr size_t kStepBytes = 64 << 10;

}  // namespace

// Ends when the pool lets go of it, whether it ran or not.
class PageWarmer::Job {
 public:
  Job(PageWarmer* warmer, char* begin, size_t size) : warmer_(warmer), begin_(begin), size_(size) {
    warmer_->jobs_.fetch_add(1, std::memory_order_relaxed);
  }
  ~Job() {
    // The warmer may be gone right after the count is: only its address is used then.
    std::atomic<uint32_t>* const jobs = &warmer_->jobs_;
    if (jobs->fetch_sub(1, std::memory_order_acq_rel) == 1) jobs->notify_all();
  }
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  void Run() const {
    for (size_t done = 0; done < size_; done += kStepBytes) {
      if (warmer_->stop_.load(std::memory_order_relaxed)) return;
      if (madvise(begin_ + done, std::min(kStepBytes, size_ - done), MADV_POPULATE_WRITE) != 0) {
        return;
      }
    }
  }

 private:
  PageWarmer* const warmer_;
  char* const begin_;
  const size_t size_;
};

void PageWarmer::Stop() {
  if (jobs_.load(std::memory_order_acquire) == 0) return;
  stop_.store(true, std::memory_order_relaxed);
  SystemThreadPool()->Cancel(ThreadPool::Priority::kUser, this);
  for (uint32_t left = jobs_.load(std::memory_order_acquire); left != 0;
       left = jobs_.load(std::memory_order_acquire)) {
    jobs_.wait(left, std::memory_order_acquire);
  }
}

void PageWarmer::Warm(char* begin, size_t size) {
  auto job = std::make_shared<Job>(this, begin, size);
  // Threads of this priority have nothing else to do.
  SystemThreadPool()->Schedule(ThreadPool::Priority::kUser, this, [job] { job->Run(); });
}

}  // namespace skarn
