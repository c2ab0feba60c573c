#include "core/env/clock.h"

#include <time.h>

#include <cerrno>

namespace skarn {

namespace {

uint64_t Nanos(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
}

class MachineClock final : public Clock {
 public:
  uint64_t NowMicros() override { return Nanos(CLOCK_REALTIME) / 1000; }
  uint64_t NowSeconds() override { return static_cast<uint64_t>(time(nullptr)); }
  uint64_t NowNanos() override { return Nanos(CLOCK_MONOTONIC); }
  uint64_t CpuMicros() override { return Nanos(CLOCK_THREAD_CPUTIME_ID) / 1000; }
  void SleepMicros(uint64_t duration_us) override {
    timespec left{static_cast<time_t>(duration_us / 1000000),
                  static_cast<long>(duration_us % 1000000 * 1000)};  // NOLINT: its type.
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
  }
};

}  // namespace

Clock* SystemClock() {
  static auto* const clock = new MachineClock;  // Never destroyed, as the header says.
  return clock;
}

}  // namespace skarn
