// Env gathers what the engine needs of the outside world.
//
// Thread safety: any thread. Owns what it was given ownership of; the default
// environment lives until the process ends.

#ifndef SKARN_CORE_ENV_ENV_H_
#define SKARN_CORE_ENV_ENV_H_

#include <memory>

#include "core/env/clock.h"
#include "core/env/file_system.h"
#include "core/env/thread_pool.h"

namespace skarn {

struct Env {
  FileSystem* file_system = nullptr;
  Clock* clock = nullptr;
  ThreadPool* thread_pool = nullptr;
  // What of the above this object owns, if anything.
  std::unique_ptr<FileSystem> owned_file_system;
  std::unique_ptr<Clock> owned_clock;
  std::unique_ptr<ThreadPool> owned_thread_pool;
};

// POSIX files, the machine's clock, the process-wide pool.
Env* DefaultEnv();
// Files in memory; clock and pool of the default environment.
std::unique_ptr<Env> NewMemoryEnv();

}  // namespace skarn

#endif  // SKARN_CORE_ENV_ENV_H_
