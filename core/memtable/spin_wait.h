// SpinWait is what a loop does between two looks at what another thread is about to
// change: at first a pause, then the processor for others.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_MEMTABLE_SPIN_WAIT_H_
#define SKARN_CORE_MEMTABLE_SPIN_WAIT_H_

#include <cstdint>
#include <thread>

namespace skarn {

class SpinWait {
 public:
  void Pause() {
    if (++rounds_ < kPauses) {
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    } else {
      std::this_thread::yield();
    }
  }

 private:
  static constexpr uint32_t kPauses = 64;
  uint32_t rounds_ = 0;
};

}  // namespace skarn

#endif  // SKARN_CORE_MEMTABLE_SPIN_WAIT_H_
