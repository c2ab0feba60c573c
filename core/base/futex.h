// Threads that sleep until a word changes. std::atomic's wait() yields four times before it sleeps,
// and where others want the processor each yield takes as long as their time slice, and lets the
// thread that has yielded run later when it is woken.
//
// Thread safety: any thread. The caller's memory order decides what is seen after waking.

#ifndef SKARN_CORE_BASE_FUTEX_H_
#define SKARN_CORE_BASE_FUTEX_H_

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdint>

namespace skarn {

static_assert(sizeof(std::atomic<uint32_t>) == 4 && std::atomic<uint32_t>::is_always_lock_free);

// Sleeps if the word has this value; may return without anything having happened.
inline void SleepWhile(const std::atomic<uint32_t>& word, uint32_t value) {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}

// For who has changed the word. It may be gone by now: only its address is used.
inline void WakeSleeper(const std::atomic<uint32_t>* word) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}
inline void WakeSleepers(const std::atomic<uint32_t>* word) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace skarn

#endif  // SKARN_CORE_BASE_FUTEX_H_
