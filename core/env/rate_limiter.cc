#include "core/env/rate_limiter.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <utility>

#include "core/base/mutex.h"
#include "core/base/random.h"
#include "core/env/clock.h"

namespace skarn {

namespace {

constexpr size_t kPriorities = static_cast<size_t>(IoPriority::kTotal);
constexpr uint64_t kMicrosPerSecond = 1000000;

// A bucket that is filled once a period. Requests that find it empty wait in one queue
// for each priority; the first waiter of all sleeps until the next filling and hands out
// what it brings: to user requests first, then high, mid and low, except that sometimes
// a lower priority goes first, so that none starves.
class TokenBucket final : public RateLimiter {
 public:
  TokenBucket(Clock* clock, uint64_t bytes_per_second, uint64_t refill_period_us, int32_t fairness,
              Mode mode, bool auto_tuned)
      : clock_(clock),
        period_us_(std::max<uint64_t>(refill_period_us, 1)),
        fairness_(static_cast<uint64_t>(std::clamp(fairness, 1, 100))),
        mode_(mode),
        auto_tuned_(auto_tuned),
        rate_max_(bytes_per_second),
        rate_(auto_tuned ? std::max<uint64_t>(bytes_per_second / 2, 1) : bytes_per_second),
        period_bytes_(BytesPerPeriod(rate_.load(std::memory_order_relaxed))),
        random_(/*seed=*/0x5ca1ab1e),
        next_refill_us_(NowMicros()),
        tuned_at_us_(next_refill_us_) {}

  void Request(uint64_t bytes, IoPriority priority) override SKARN_EXCLUDES(mu_) {
    const auto index = std::min(static_cast<size_t>(priority), kPriorities - 1);
    MutexLock lock(&mu_);
    if (auto_tuned_) {
      const uint64_t now_us = NowMicros();
      if (now_us >= tuned_at_us_ + kPeriodsPerTune * period_us_) Tune(now_us);
    }
    bytes = std::min(bytes, period_bytes_.load(std::memory_order_relaxed));
    total_bytes_[index] += bytes;
    total_requests_[index]++;
    if (available_ > 0 && NobodyWaits()) {
      const uint64_t granted = std::min(available_, bytes);
      available_ -= granted;
      bytes -= granted;
    }
    if (bytes == 0) return;

    Waiter self(&mu_, bytes);
    queues_[index].push_back(&self);
    while (self.missing != 0) {
      if (refiller_present_) {
        self.wake.Wait();
        continue;
      }
      refiller_present_ = true;
      const uint64_t now_us = NowMicros();
      if (now_us < next_refill_us_) {
        const uint64_t sleep_us = next_refill_us_ - now_us;
        drains_++;
        lock.Unlock();
        clock_->SleepMicros(sleep_us);
        lock.Lock();
      } else {
        Refill(now_us);
      }
      refiller_present_ = false;
      // Someone else takes over when this request is served and others are not.
      if (self.missing == 0) WakeNextRefiller();
    }
  }

  uint64_t single_burst_bytes() const override {
    return period_bytes_.load(std::memory_order_relaxed);
  }
  void set_bytes_per_second(uint64_t rate) override SKARN_EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    rate_max_ = std::max<uint64_t>(rate, 1);
    SetRate(rate_max_);
  }
  uint64_t bytes_per_second() const override { return rate_.load(std::memory_order_relaxed); }
  Mode mode() const override { return mode_; }
  uint64_t total_bytes(IoPriority priority) const override SKARN_EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    return Sum(total_bytes_, priority);
  }
  uint64_t total_requests(IoPriority priority) const override SKARN_EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    return Sum(total_requests_, priority);
  }

 private:
  static constexpr uint64_t kPeriodsPerTune = 100;

  struct Waiter {
    Waiter(Mutex* mutex, uint64_t bytes) : missing(bytes), wake(mutex) {}
    uint64_t missing;
    CondVar wake;
  };
  using Totals = uint64_t[kPriorities];

  uint64_t NowMicros() const { return clock_->NowNanos() / 1000; }

  uint64_t BytesPerPeriod(uint64_t rate) const {
    return std::max<uint64_t>(
        static_cast<uint64_t>(static_cast<unsigned __int128>(rate) * period_us_ / kMicrosPerSecond),
        1);
  }

  static uint64_t Sum(const Totals& totals, IoPriority priority) {
    if (priority != IoPriority::kTotal) return totals[static_cast<size_t>(priority)];
    uint64_t sum = 0;
    for (const uint64_t total : totals) sum += total;
    return sum;
  }

  bool NobodyWaits() const SKARN_REQUIRES(mu_) {
    return std::all_of(std::begin(queues_), std::end(queues_),
                       [](const auto& queue) { return queue.empty(); });
  }

  void SetRate(uint64_t rate) SKARN_REQUIRES(mu_) {
    rate_.store(rate, std::memory_order_relaxed);
    period_bytes_.store(BytesPerPeriod(rate), std::memory_order_relaxed);
  }

  void WakeNextRefiller() SKARN_REQUIRES(mu_) {
    for (auto& queue : queues_) {
      if (queue.empty()) continue;
      queue.front()->wake.Signal();
      return;
    }
  }

  void Refill(uint64_t now_us) SKARN_REQUIRES(mu_) {
    next_refill_us_ = now_us + period_us_;
    const uint64_t period_bytes = period_bytes_.load(std::memory_order_relaxed);
    if (available_ < period_bytes) available_ += period_bytes;

    constexpr auto kLow = static_cast<size_t>(IoPriority::kLow);
    constexpr auto kMid = static_cast<size_t>(IoPriority::kMid);
    constexpr auto kHigh = static_cast<size_t>(IoPriority::kHigh);
    constexpr auto kUser = static_cast<size_t>(IoPriority::kUser);
    size_t order[kPriorities] = {kUser, kHigh, kMid, kLow};
    if (random_.OneIn(fairness_)) std::rotate(order + 1, order + 2, order + 4);  // High last.
    if (random_.OneIn(fairness_)) {                                              // Low before mid.
      std::swap(*std::find(order, order + 4, kMid), *std::find(order, order + 4, kLow));
    }
    for (const size_t priority : order) {
      auto& queue = queues_[priority];
      while (!queue.empty()) {
        Waiter* waiter = queue.front();
        const uint64_t granted = std::min(available_, waiter->missing);
        available_ -= granted;
        waiter->missing -= granted;
        if (waiter->missing != 0) return;  // Keeps its place and what it got.
        queue.pop_front();
        waiter->wake.Signal();
      }
    }
  }

  // Lowers the rate while the bucket is seldom empty, and raises it while it often is.
  void Tune(uint64_t now_us) SKARN_REQUIRES(mu_) {
    const uint64_t periods =
        std::max<uint64_t>((now_us - tuned_at_us_ + period_us_ - 1) / period_us_, 1);
    const uint64_t drained_percent = drains_ * 100 / periods;
    const uint64_t rate_min = std::max<uint64_t>(rate_max_ / 20, 1);
    const uint64_t rate = rate_.load(std::memory_order_relaxed);
    uint64_t tuned = rate;
    if (drained_percent == 0) {
      tuned = rate_min;
    } else if (drained_percent < 50) {
      tuned = std::max(rate_min, rate / 105 * 100 + rate % 105 * 100 / 105);
    } else if (drained_percent > 90) {
      tuned = std::min(rate_max_, rate / 100 * 105 + rate % 100 * 105 / 100);
    }
    if (tuned != rate) SetRate(tuned);
    drains_ = 0;
    tuned_at_us_ = now_us;
  }

  Clock* const clock_;
  const uint64_t period_us_;
  const uint64_t fairness_;
  const Mode mode_;
  const bool auto_tuned_;

  // A leaf in the lock order: nothing is locked under it. Never held while sleeping.
  mutable Mutex mu_;
  uint64_t rate_max_ SKARN_GUARDED_BY(mu_);
  std::atomic<uint64_t> rate_;          // Written under mu_, read without it.
  std::atomic<uint64_t> period_bytes_;  // Written under mu_, read without it.
  Random random_ SKARN_GUARDED_BY(mu_);
  uint64_t next_refill_us_ SKARN_GUARDED_BY(mu_);
  uint64_t tuned_at_us_ SKARN_GUARDED_BY(mu_);
  uint64_t available_ SKARN_GUARDED_BY(mu_) = 0;
  uint64_t drains_ SKARN_GUARDED_BY(mu_) = 0;  // Periods in which the bucket ran dry.
  bool refiller_present_ SKARN_GUARDED_BY(mu_) = false;
  std::deque<Waiter*> queues_[kPriorities] SKARN_GUARDED_BY(mu_);
  Totals total_bytes_ SKARN_GUARDED_BY(mu_) = {};
  Totals total_requests_ SKARN_GUARDED_BY(mu_) = {};
};

}  // namespace

std::shared_ptr<RateLimiter> NewRateLimiter(Clock* clock, uint64_t bytes_per_second,
                                            uint64_t refill_period_us, int32_t fairness,
                                            RateLimiter::Mode mode, bool auto_tuned) {
  return std::make_shared<TokenBucket>(clock, std::max<uint64_t>(bytes_per_second, 1),
                                       refill_period_us, fairness, mode, auto_tuned);
}

}  // namespace skarn
