// What the kernel counts for this process: processor time, bytes written, memory; and the size of a
// directory.
//
// Thread safety: any thread; the counts are of the whole process.

#ifndef SKARN_TOOLS_BENCH_PROCESS_USAGE_H_
#define SKARN_TOOLS_BENCH_PROCESS_USAGE_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace bench {

// Seconds of user and system time of all threads so far.
double CpuSeconds();

// Bytes of pages made dirty in files so far; a file deleted before its pages reach the disk counts.
// 0 where the kernel does not tell.
uint64_t BytesWritten();

// MemoryWatch looks at the process's memory every few milliseconds while it lives.
//
// Pages of mapped files are counted apart: they are the kernel's page cache, which holds what other
// libraries read(2) as well but shows it as memory of those only that map it.
class MemoryWatch {
 public:
  MemoryWatch();
  ~MemoryWatch();
  MemoryWatch(const MemoryWatch&) = delete;
  MemoryWatch& operator=(const MemoryWatch&) = delete;

  // Bytes at most so far.
  uint64_t own_max() const { return own_max_.load(std::memory_order_relaxed); }
  uint64_t mapped_max() const { return mapped_max_.load(std::memory_order_relaxed); }

 private:
  void Look();

  std::atomic<uint64_t> own_max_{0};
  std::atomic<uint64_t> mapped_max_{0};
  std::mutex mu_;
  std::condition_variable ended_;
  bool end_ = false;  // Guarded by mu_.
  std::thread thread_;
};

// Bytes that all files below `directory` hold: neither holes nor blocks set aside.
uint64_t DirectoryBytes(const std::string& directory);

}  // namespace bench

#endif  // SKARN_TOOLS_BENCH_PROCESS_USAGE_H_
