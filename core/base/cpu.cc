#include "core/base/cpu.h"

#include <algorithm>
#include <thread>

namespace skarn {

namespace {

CpuFeatures Detect() {
  CpuFeatures features;
#if defined(__x86_64__)
  __builtin_cpu_init();
  features.sse42 = __builtin_cpu_supports("sse4.2") != 0;
  features.pclmul = __builtin_cpu_supports("pclmul") != 0;
  features.avx2 = __builtin_cpu_supports("avx2") != 0;
  features.bmi2 = __builtin_cpu_supports("bmi2") != 0;
  features.avx512 =
      __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
#endif
  return features;
}

}  // namespace

unsigned CpuCount() {
  static const unsigned count = std::max(1u, std::thread::hardware_concurrency());
  return count;
}

const CpuFeatures& Cpu() {
  static const CpuFeatures features = Detect();
  return features;
}

}  // namespace skarn
