#include "tools/bench/tick_clock.h"

namespace bench {

double TicksPerUs() {
  static const double ticks_per_us = [] {
    const uint64_t start_ns = MonotonicNs();
    const uint64_t start = Ticks();
    while (MonotonicNs() - start_ns < 20000000) {
    }
    const uint64_t elapsed_ns = MonotonicNs() - start_ns;
    return static_cast<double>(Ticks() - start) * 1000 / static_cast<double>(elapsed_ns);
  }();
  return ticks_per_us;
}

}  // namespace bench
