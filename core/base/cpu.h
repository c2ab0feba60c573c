// Which optional instructions this processor has, so that a fast kernel can be
// chosen at run time and the build stays portable.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_BASE_CPU_H_
#define SKARN_CORE_BASE_CPU_H_

#include <cstdint>

namespace skarn {

struct CpuFeatures {
  bool sse42 = false;
  bool pclmul = false;
  bool avx2 = false;
  bool bmi2 = false;
  bool avx512 = false;  // F, BW, DQ and VL, as one.
};

// Asked of the processor once, on the first call.
const CpuFeatures& Cpu();

// How many processors this process may use, at least 1. Asked of the system once.
unsigned CpuCount();

// A counter that goes on with time, read without a system call, and what it counts in a short time:
// less than a tenth of a second, more than a millisecond, on processors of today.
#if defined(__x86_64__)
inline uint64_t TimeCount() { return __builtin_ia32_rdtsc(); }
inline constexpr uint64_t kShortTimeCount = uint64_t{1} << 27;
#elif defined(__aarch64__)
inline uint64_t TimeCount() {
  uint64_t count;
  asm volatile("mrs %0, cntvct_el0" : "=r"(count));
  return count;
}
inline constexpr uint64_t kShortTimeCount = uint64_t{1} << 20;
#else
// None: no time ever seems short.
inline uint64_t TimeCount() { return 0; }
inline constexpr uint64_t kShortTimeCount = 0;
#endif

}  // namespace skarn

// For functions that use instructions the build does not assume. Call them only
// after a look at Cpu().
#if defined(__x86_64__)
#define SKARN_TARGET(features) __attribute__((target(features)))
#else
#define SKARN_TARGET(features)
#endif

#define SKARN_LIKELY(x) __builtin_expect(static_cast<bool>(x), true)
#define SKARN_UNLIKELY(x) __builtin_expect(static_cast<bool>(x), false)

#endif  // SKARN_CORE_BASE_CPU_H_
