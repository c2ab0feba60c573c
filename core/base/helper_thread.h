// HelperThread is a thread that is welcome but not needed: std::thread ends the program of a
// caller in C when the system, or a container's limit, has none left.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_BASE_HELPER_THREAD_H_
#define SKARN_CORE_BASE_HELPER_THREAD_H_

#include <pthread.h>

#include <functional>

namespace skarn {

class HelperThread {
 public:
  // False: there is no thread, and nobody does `work`. Once only; after true, one of the two below.
  [[nodiscard]] bool Start(std::function<void()> work);
  void Join() { (void)pthread_join(thread_, nullptr); }
  void Detach() { (void)pthread_detach(thread_); }

 private:
  pthread_t thread_{};
};

}  // namespace skarn

#endif  // SKARN_CORE_BASE_HELPER_THREAD_H_
