// PageWarmer touches fresh memory in the background, ahead of the writer that fills it:
// the first touch of a page costs more than the record that is written there.
//
// Nothing depends on it: what is not warm yet when the writer comes, the writer touches.
//
// Thread safety: any thread; Stop() waits for what is running.

#ifndef SKARN_CORE_MEMTABLE_PAGE_WARMER_H_
#define SKARN_CORE_MEMTABLE_PAGE_WARMER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace skarn {

class PageWarmer {
 public:
  PageWarmer() = default;
  ~PageWarmer() { Stop(); }
  PageWarmer(const PageWarmer&) = delete;
  PageWarmer& operator=(const PageWarmer&) = delete;

  // Pages between `begin` and `begin + size`, which must stay mapped until Stop(). The
  // content may be read and written meanwhile.
  void Warm(char* begin, size_t size);
  // No more Warm() may come.
  void Stop();

 private:
  class Job;

  std::atomic<bool> stop_{false};
  std::atomic<uint32_t> jobs_{0};  // Queued or running.
};

}  // namespace skarn

#endif  // SKARN_CORE_MEMTABLE_PAGE_WARMER_H_
