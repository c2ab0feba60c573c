#include "tools/bench/worker.h"

#include "tools/bench/database.h"

namespace bench {

Worker::Worker(int index, uint64_t seed, uint64_t latency_every, double duration_seconds,
               const std::atomic<bool>* stop)
    : latency_mask_(latency_every - 1),
      duration_ticks_(static_cast<uint64_t>(duration_seconds * 1e6 * TicksPerUs())),
      stop_(stop),
      index_(index),
      random_(seed + 1000003 * static_cast<uint64_t>(index + 1)) {}

void Worker::CheckEnd() {
  if (duration_ticks_ != 0 && Ticks() >= end_ticks_) ended_ = true;
  if (stop_ != nullptr && stop_->load(std::memory_order_relaxed)) ended_ = true;
}

bool Worker::Failed(const Api& api, char** error) {
  if (*error == nullptr) return false;
  Fail(TakeError(api, error));
  return true;
}

void Worker::Fail(const std::string& text) {
  if (error_.empty()) error_ = text;
  ended_ = true;
}

}  // namespace bench
