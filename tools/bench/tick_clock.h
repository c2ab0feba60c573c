// A clock cheap enough to read after every operation: the processor's time stamp counter where
// there is one, the monotonic clock elsewhere.
//
// Thread safety: any thread.

#ifndef SKARN_TOOLS_BENCH_TICK_CLOCK_H_
#define SKARN_TOOLS_BENCH_TICK_CLOCK_H_

#include <cstdint>
#include <ctime>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace bench {

inline uint64_t MonotonicNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
}

inline uint64_t Ticks() {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return MonotonicNs();
#endif
}

// Ticks per microsecond, found once by comparing with the monotonic clock for 20 ms.
double TicksPerUs();

}  // namespace bench

#endif  // SKARN_TOOLS_BENCH_TICK_CLOCK_H_
