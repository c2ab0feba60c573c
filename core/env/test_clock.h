// TestClock shows the time it was told. It is for tests of everything that depends on
// time: sleeping returns at once and moves the time forward.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_ENV_TEST_CLOCK_H_
#define SKARN_CORE_ENV_TEST_CLOCK_H_

#include <atomic>
#include <cstdint>

#include "core/env/clock.h"

namespace skarn {

class TestClock final : public Clock {
 public:
  // Starts in January 2020 unless told otherwise.
  explicit TestClock(uint64_t now_us = uint64_t{1577836800} * 1000000) : now_us_(now_us) {}

  uint64_t NowMicros() override { return now_us_.load(std::memory_order_relaxed); }
  uint64_t NowNanos() override { return monotonic_ns_.load(std::memory_order_relaxed); }
  uint64_t CpuMicros() override { return NowNanos() / 1000; }
  void SleepMicros(uint64_t duration_us) override {
    slept_us_.fetch_add(duration_us, std::memory_order_relaxed);
    Advance(duration_us);
  }

  void Advance(uint64_t duration_us) {
    now_us_.fetch_add(duration_us, std::memory_order_relaxed);
    monotonic_ns_.fetch_add(duration_us * 1000, std::memory_order_relaxed);
  }
  // The wall clock may jump, backwards too; monotonic time does not.
  void SetMicros(uint64_t now_us) { now_us_.store(now_us, std::memory_order_relaxed); }
  // The sum of all sleeps.
  uint64_t slept_us() const { return slept_us_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> now_us_;                    // Any thread.
  std::atomic<uint64_t> monotonic_ns_{1000000000};  // Any thread.
  std::atomic<uint64_t> slept_us_{0};               // Any thread.
};

}  // namespace skarn

#endif  // SKARN_CORE_ENV_TEST_CLOCK_H_
