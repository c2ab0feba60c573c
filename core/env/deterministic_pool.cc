#include "core/env/deterministic_pool.h"

#include <algorithm>
#include <utility>

namespace skarn {

void DeterministicPool::Schedule(Priority priority, const void* owner, std::function<void()> job,
                                 std::function<void()> on_cancel) {
  MutexLock lock(&mu_);
  queues_[static_cast<size_t>(priority)].push_back({owner, std::move(job), std::move(on_cancel)});
}

int DeterministicPool::Cancel(Priority priority, const void* owner) {
  std::vector<Job> cancelled;
  {
    MutexLock lock(&mu_);
    auto& queue = queues_[static_cast<size_t>(priority)];
    const auto first = std::stable_partition(
        queue.begin(), queue.end(), [owner](const Job& job) { return job.owner != owner; });
    std::move(first, queue.end(), std::back_inserter(cancelled));
    queue.erase(first, queue.end());
  }
  for (Job& job : cancelled) {
    if (job.on_cancel) job.on_cancel();
  }
  return static_cast<int>(cancelled.size());
}

void DeterministicPool::SetThreads(Priority priority, int count) {
  MutexLock lock(&mu_);
  threads_[static_cast<size_t>(priority)] = std::max(count, 0);
}

void DeterministicPool::RaiseThreads(Priority priority, int count) {
  MutexLock lock(&mu_);
  int& threads = threads_[static_cast<size_t>(priority)];
  threads = std::max(threads, count);
}

int DeterministicPool::Threads(Priority priority) {
  MutexLock lock(&mu_);
  return threads_[static_cast<size_t>(priority)];
}

int DeterministicPool::QueueLength(Priority priority) {
  MutexLock lock(&mu_);
  return static_cast<int>(queues_[static_cast<size_t>(priority)].size());
}

void DeterministicPool::JoinAll() {
  MutexLock lock(&mu_);
  for (auto& queue : queues_) queue.clear();
}

bool DeterministicPool::RunOne() {
  Job job;
  {
    MutexLock lock(&mu_);
    constexpr size_t kOrder[kPriorities] = {
        static_cast<size_t>(Priority::kHigh), static_cast<size_t>(Priority::kUser),
        static_cast<size_t>(Priority::kLow), static_cast<size_t>(Priority::kBottom)};
    std::vector<size_t> busy;
    for (const size_t priority : kOrder) {
      if (!queues_[priority].empty()) busy.push_back(priority);
    }
    if (busy.empty()) return false;
    auto& queue = queues_[busy[shuffled_ ? random_.Uniform(busy.size()) : 0]];
    job = std::move(queue.front());
    queue.pop_front();
  }
  job.run();
  return true;
}

size_t DeterministicPool::RunAll() {
  size_t count = 0;
  while (RunOne()) count++;
  return count;
}

}  // namespace skarn
