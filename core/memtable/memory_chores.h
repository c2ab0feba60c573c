// MemoryChores are short background jobs of one memtable on its own memory, which make
// writers and readers faster and on which nothing depends: they may be dropped, and Stop()
// waits for those that run.
//
// WarmPages() is the most frequent: the first touch of a fresh page costs more than the
// record that is written there, so another thread touches it ahead of the writer.
//
// Thread safety: any thread; nothing is started after Stop().

#ifndef SKARN_CORE_MEMTABLE_MEMORY_CHORES_H_
#define SKARN_CORE_MEMTABLE_MEMORY_CHORES_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace skarn {

class MemoryChores {
 public:
  MemoryChores() = default;
  ~MemoryChores() { Stop(); }
  MemoryChores(const MemoryChores&) = delete;
  MemoryChores& operator=(const MemoryChores&) = delete;

  // `chore` should end soon once `stop` is set.
  void Start(std::function<void(const std::atomic<bool>& stop)> chore);
  void Stop();

 private:
  class Job;

  std::atomic<bool> stop_{false};
  std::atomic<uint32_t> jobs_{0};  // Queued or running.
};

// Touches the pages between `begin` and `begin + size`, which stay mapped until
// `chores->Stop()`. The content may be read and written meanwhile.
void WarmPages(MemoryChores* chores, char* begin, size_t size);

}  // namespace skarn

#endif  // SKARN_CORE_MEMTABLE_MEMORY_CHORES_H_
