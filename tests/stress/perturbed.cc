#include "tests/stress/perturbed.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <atomic>

#include "core/base/random.h"

namespace skarn {

namespace {

std::atomic<uint64_t> seed{1};
std::atomic<uint32_t> chance{0};
std::atomic<uint64_t> points{0}, done{0};
std::atomic<uint64_t> threads{0};

}  // namespace

void SetPerturbation(uint64_t new_seed, uint32_t one_in) {
  seed.store(new_seed);
  chance.store(one_in);
}

void PerturbationPoint() {
  const uint32_t one_in = chance.load(std::memory_order_relaxed);
  if (one_in == 0) return;
  thread_local Random random(seed.load() * 1000003 + threads.fetch_add(1));
  thread_local uint32_t passed = 0;
  if ((++passed & 255) == 0) points.fetch_add(256, std::memory_order_relaxed);
  if (!random.OneIn(one_in)) return;
  done.fetch_add(1, std::memory_order_relaxed);
  if (random.OneIn(2)) {
    sched_yield();
    return;
  }
  const timespec pause = {0, static_cast<long>(random.Uniform(200000))};
  nanosleep(&pause, nullptr);
}

uint64_t PerturbationPoints() { return points.load(); }
uint64_t Perturbations() { return done.load(); }

}  // namespace skarn

// The linker sends calls of these functions from the engine's objects here.
extern "C" {

int __real_pthread_mutex_lock(pthread_mutex_t* mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t* mutex) {
  skarn::PerturbationPoint();
  return __real_pthread_mutex_lock(mutex);
}

int __real_pthread_mutex_unlock(pthread_mutex_t* mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t* mutex) {
  const int outcome = __real_pthread_mutex_unlock(mutex);
  skarn::PerturbationPoint();
  return outcome;
}

int __real_sched_yield();
int __wrap_sched_yield() {
  skarn::PerturbationPoint();
  return __real_sched_yield();
}

}  // extern "C"
