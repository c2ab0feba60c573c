// Worker: one thread of a workload, with its random numbers, its count and its latencies.
//
// The loop of a workload is
//
//     for (worker.Start(count); worker.More();) {
//       ... one operation ...
//       worker.Done();
//     }
//
// More() says no after `count` operations, after the time that the settings allow, after an error,
// or when the threads it accompanies have ended.
//
// Thread safety: its own thread only, but done() may be read by any.

#ifndef SKARN_TOOLS_BENCH_WORKER_H_
#define SKARN_TOOLS_BENCH_WORKER_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "tools/bench/api.h"
#include "tools/bench/histogram.h"
#include "tools/bench/key_values.h"
#include "tools/bench/tick_clock.h"

namespace bench {

class Worker {
 public:
  // Every `latency_every`-th operation (a power of two) is timed; with 1 all are, and each costs
  // one reading of the clock. `stop` may be null.
  Worker(int index, uint64_t seed, uint64_t latency_every, double duration_seconds,
         const std::atomic<bool>* stop);

  void Start(uint64_t count) {
    limit_ = count;
    if (duration_ticks_ != 0) {
      limit_ = ~uint64_t{0};
      end_ticks_ = Ticks() + duration_ticks_;
    }
    last_ticks_ = Ticks();
    timing_ = true;
  }

  bool More() const { return count_ < limit_ && !ended_; }

  // One operation is over; it stood for `entries` of the count.
  void Done(uint64_t entries = 1) {
    count_ += entries;
    done_.store(count_, std::memory_order_relaxed);  // Read by the sampler; nothing depends on it.
    const uint64_t call = ++calls_;
    if (timing_) {
      const uint64_t now = Ticks();
      latencies_.Add(now - last_ticks_);
      last_ticks_ = now;
      timing_ = latency_mask_ == 0;
    } else if ((call & latency_mask_) == 0) {
      last_ticks_ = Ticks();
      timing_ = true;
    }
    if ((call & kCheckMask) == 0) CheckEnd();
  }

  // Counts what a read returned.
  void Read(size_t bytes) {
    ++found_;
    bytes_ += bytes;
  }

  // Ends the loop when *error is set (which is released).
  bool Failed(const Api& api, char** error);
  void Fail(const std::string& text);

  Random& random() { return random_; }
  int index() const { return index_; }

  uint64_t done() const { return done_.load(std::memory_order_relaxed); }
  const Histogram& latencies() const { return latencies_; }
  uint64_t found() const { return found_; }
  uint64_t bytes() const { return bytes_; }
  const std::string& error() const { return error_; }

 private:
  static constexpr uint64_t kCheckMask = 31;
  void CheckEnd();

  // Written by this thread, read by the sampler: a line of its own.
  alignas(128) std::atomic<uint64_t> done_{0};
  alignas(128) uint64_t count_ = 0;
  uint64_t limit_ = 0;
  bool ended_ = false;
  bool timing_ = true;
  uint64_t latency_mask_;
  uint64_t calls_ = 0;
  uint64_t last_ticks_ = 0;
  uint64_t found_ = 0;
  uint64_t bytes_ = 0;
  uint64_t duration_ticks_;
  uint64_t end_ticks_ = 0;
  const std::atomic<bool>* stop_;
  const int index_;
  Random random_;
  std::string error_;
  Histogram latencies_;
};

}  // namespace bench

#endif  // SKARN_TOOLS_BENCH_WORKER_H_
