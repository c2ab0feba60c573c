#include "core/env/thread_pool.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "core/base/mutex.h"

namespace skarn {

namespace {

// The threads and the queue of one priority.
class Workers {
 public:
  explicit Workers(const char* name) : name_(name) {}
  ~Workers() { Join(); }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void Schedule(const void* owner, std::function<void()> job, std::function<void()> on_cancel)
      SKARN_EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    queue_.push_back({owner, std::move(job), std::move(on_cancel)});
    StartThreads();
    wake_.Signal();
  }

  int Cancel(const void* owner) SKARN_EXCLUDES(mu_) {
    std::vector<Job> cancelled;
    {
      MutexLock lock(&mu_);
      const auto first = std::stable_partition(
          queue_.begin(), queue_.end(), [owner](const Job& job) { return job.owner != owner; });
      std::move(first, queue_.end(), std::back_inserter(cancelled));
      queue_.erase(first, queue_.end());
    }
    for (Job& job : cancelled) {
      if (job.on_cancel) job.on_cancel();
    }
    return static_cast<int>(cancelled.size());
  }

  void SetThreads(int count, bool may_lower) SKARN_EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    const bool changes = may_lower || count > wanted_;
    if (changes) wanted_ = std::max(count, 0);
    StartThreads();  // Perhaps there is one for a job that found none.
    if (changes) wake_.SignalAll();
  }

  int threads() SKARN_EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    return std::max(wanted_, 0);
  }

  int QueueLength() SKARN_EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    return static_cast<int>(queue_.size());
  }

  void LowerIoPriority() SKARN_EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    low_io_ = true;
  }
  void LowerCpuPriority() SKARN_EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    low_cpu_ = true;
  }

  void Join() SKARN_EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    queue_.clear();
    joining_ = true;
    wake_.SignalAll();
    while (running_ != 0) all_ended_.Wait();
    joining_ = false;
  }

 private:
  struct Job {
    const void* owner;
    std::function<void()> run;
    std::function<void()> on_cancel;
  };

  // Until somebody sets a number there is one thread, which threads() does not tell.
  int Limit() const SKARN_REQUIRES(mu_) { return wanted_ < 0 ? 1 : wanted_; }

  void StartThreads() SKARN_REQUIRES(mu_) {
    while (!joining_ && running_ < Limit() && idle_ + starting_ < static_cast<int>(queue_.size())) {
      pthread_t thread;
      const auto run = [](void* workers) -> void* {
        static_cast<Workers*>(workers)->Run();
        return nullptr;
      };
      // Without a thread the job waits for the next one.
      if (pthread_create(&thread, nullptr, run, this) != 0) return;
      pthread_setname_np(thread, name_);
      pthread_detach(thread);  // Join() waits for `running_` instead.
      running_++;
      starting_++;
    }
  }

  void Run() SKARN_EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    starting_--;
    bool io_lowered = false;
    bool cpu_lowered = false;
    while (!joining_ && running_ <= Limit()) {
      if (queue_.empty()) {
        idle_++;
        wake_.Wait();
        idle_--;
        continue;
      }
      Job job = std::move(queue_.front());
      queue_.pop_front();
      const bool lower_io = low_io_ && !std::exchange(io_lowered, low_io_);
      const bool lower_cpu = low_cpu_ && !std::exchange(cpu_lowered, low_cpu_);
      lock.Unlock();
      if (lower_cpu) setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), 19);
      if (lower_io) LowerIoOfThisThread();
      job.run();
      job = Job();  // What the job holds is freed before the lock is taken.
      lock.Lock();
    }
    running_--;
    // A thread that ends because there are too many may have swallowed a wake.
    if (!queue_.empty()) wake_.Signal();
    if (running_ == 0) all_ended_.SignalAll();
  }

  static void LowerIoOfThisThread() {
    // The system has no header for these: the idle class for the calling thread.
    constexpr int kWhoProcess = 1;
    constexpr int kClassIdle = 3;
    constexpr int kClassShift = 13;
    syscall(SYS_ioprio_set, kWhoProcess, 0, kClassIdle << kClassShift);
  }

  const char* const name_;

  // A leaf in the lock order; jobs run without it.
  Mutex mu_;
  CondVar wake_{&mu_};
  CondVar all_ended_{&mu_};
  std::deque<Job> queue_ SKARN_GUARDED_BY(mu_);
  int wanted_ SKARN_GUARDED_BY(mu_) = -1;   // Threads at most; -1: nobody has said.
  int running_ SKARN_GUARDED_BY(mu_) = 0;   // Threads that exist.
  int starting_ SKARN_GUARDED_BY(mu_) = 0;  // Of them, those that have not looked yet.
  int idle_ SKARN_GUARDED_BY(mu_) = 0;      // Of them, those that wait for a job.
  bool joining_ SKARN_GUARDED_BY(mu_) = false;
  bool low_io_ SKARN_GUARDED_BY(mu_) = false;
  bool low_cpu_ SKARN_GUARDED_BY(mu_) = false;
};

class MachineThreadPool final : public ThreadPool {
 public:
  void Schedule(Priority priority, const void* owner, std::function<void()> job,
                std::function<void()> on_cancel) override {
    Of(priority).Schedule(owner, std::move(job), std::move(on_cancel));
  }
  int Cancel(Priority priority, const void* owner) override { return Of(priority).Cancel(owner); }
  void SetThreads(Priority priority, int count) override {
    Of(priority).SetThreads(count, /*may_lower=*/true);
  }
  void RaiseThreads(Priority priority, int count) override {
    Of(priority).SetThreads(count, /*may_lower=*/false);
  }
  int Threads(Priority priority) override { return Of(priority).threads(); }
  int QueueLength(Priority priority) override { return Of(priority).QueueLength(); }
  void LowerIoPriority(Priority priority) override { Of(priority).LowerIoPriority(); }
  void LowerCpuPriority(Priority priority) override { Of(priority).LowerCpuPriority(); }
  void JoinAll() override {
    for (Workers& workers : workers_) workers.Join();
  }

 private:
  Workers& Of(Priority priority) { return workers_[static_cast<size_t>(priority)]; }

  Workers workers_[kPriorities] = {Workers("skarn:bottom"), Workers("skarn:low"),
                                   Workers("skarn:high"), Workers("skarn:user")};
};

}  // namespace

ThreadPool* SystemThreadPool() {
  static auto* const pool = new MachineThreadPool;  // Never destroyed, as the header says.
  return pool;
}

std::unique_ptr<ThreadPool> NewThreadPool() { return std::make_unique<MachineThreadPool>(); }

}  // namespace skarn
