// RateLimiter shares out bytes per second of file traffic.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_ENV_RATE_LIMITER_H_
#define SKARN_CORE_ENV_RATE_LIMITER_H_

#include <cstdint>
#include <memory>

namespace skarn {

class Clock;

enum class IoPriority : uint8_t { kLow = 0, kMid = 1, kHigh = 2, kUser = 3, kTotal = 4 };

class RateLimiter {
 public:
  enum class Mode : uint8_t { kReadsOnly = 0, kWritesOnly = 1, kAllIo = 2 };

  virtual ~RateLimiter() = default;
  // Waits until `bytes` (at most single_burst_bytes()) may pass.
  virtual void Request(uint64_t bytes, IoPriority priority) = 0;
  virtual uint64_t single_burst_bytes() const = 0;
  virtual void set_bytes_per_second(uint64_t rate) = 0;
  virtual uint64_t bytes_per_second() const = 0;
  virtual Mode mode() const = 0;
  virtual uint64_t total_bytes(IoPriority priority) const = 0;
  virtual uint64_t total_requests(IoPriority priority) const = 0;
};

// The token bucket that docs/architecture.md describes; `fairness` is 1/probability
// that a lower priority is served before a higher one.
std::shared_ptr<RateLimiter> NewRateLimiter(Clock* clock, uint64_t bytes_per_second,
                                            uint64_t refill_period_us, int32_t fairness,
                                            RateLimiter::Mode mode, bool auto_tuned);

}  // namespace skarn

#endif  // SKARN_CORE_ENV_RATE_LIMITER_H_
