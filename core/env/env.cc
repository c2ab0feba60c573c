#include "core/env/env.h"

namespace skarn {

Env* DefaultEnv() {
  static Env* const env = [] {
    auto* made = new Env;  // Never destroyed: databases may outlive static objects.
    made->file_system = PosixFileSystem();
    made->clock = SystemClock();
    made->thread_pool = SystemThreadPool();
    return made;
  }();
  return env;
}

std::unique_ptr<Env> NewMemoryEnv() {
  auto env = std::make_unique<Env>();
  env->owned_file_system = NewMemoryFileSystem();
  env->file_system = env->owned_file_system.get();
  env->clock = SystemClock();
  env->thread_pool = SystemThreadPool();
  return env;
}

}  // namespace skarn
