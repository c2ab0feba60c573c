#include "core/base/helper_thread.h"

#include <memory>
#include <utility>

namespace skarn {

bool HelperThread::Start(std::function<void()> work) {
  using Work = std::function<void()>;
  auto own = std::make_unique<Work>(std::move(work));
  const auto run = [](void* argument) -> void* {
    const std::unique_ptr<Work> mine(static_cast<Work*>(argument));
    (*mine)();
    return nullptr;
  };
  if (pthread_create(&thread_, nullptr, run, own.get()) != 0) return false;
  (void)own.release();
  return true;
}

}  // namespace skarn
