// Clock is where the engine reads time and sleeps, so that a test can turn it.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_ENV_CLOCK_H_
#define SKARN_CORE_ENV_CLOCK_H_

#include <cstdint>

namespace skarn {

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall clock since 1970.
  virtual uint64_t NowMicros() = 0;
  // Monotonic, from an arbitrary start.
  virtual uint64_t NowNanos() = 0;
  virtual uint64_t CpuMicros() { return 0; }  // Of the calling thread.
  virtual void SleepMicros(uint64_t duration_us) = 0;
  // Of the wall clock; the machine's may be one tick of its timer late, and costs a tenth.
  virtual uint64_t NowSeconds() { return NowMicros() / 1000000; }
};

// The machine's clock; lives until the process ends.
Clock* SystemClock();

}  // namespace skarn

#endif  // SKARN_CORE_ENV_CLOCK_H_
