// Which optional instructions this processor has, so that a fast kernel can be
// chosen at run time and the build stays portable.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_BASE_CPU_H_
#define SKARN_CORE_BASE_CPU_H_

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
