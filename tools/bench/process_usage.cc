#include "tools/bench/process_usage.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace bench {
namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// The number behind `name` in a file of lines "name: number".
uint64_t NumberIn(const char* path, const std::string& name) {
  std::ifstream file(path);
  std::string word;
  while (file >> word) {
    uint64_t number = 0;
    if (word == name && file >> number) return number;
  }
  return 0;
}

}  // namespace

double CpuSeconds() {
  rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  return Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
}

uint64_t BytesWritten() { return NumberIn("/proc/self/io", "write_bytes:"); }

MemoryWatch::MemoryWatch() {
  Look();
  thread_ = std::thread([this] {
    std::unique_lock lock(mu_);
    while (!ended_.wait_for(lock, std::chrono::milliseconds(5), [this] { return end_; })) Look();
  });
}

MemoryWatch::~MemoryWatch() {
  {
    const std::lock_guard lock(mu_);
    end_ = true;
  }
  ended_.notify_all();
  thread_.join();
}

void MemoryWatch::Look() {
  // Pages: the address space, what is resident, what of that belongs to files.
  std::ifstream file("/proc/self/statm");
  uint64_t all = 0;
  uint64_t resident = 0;
  uint64_t mapped = 0;
  if (!(file >> all >> resident >> mapped)) return;
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const uint64_t own = (resident - std::min(resident, mapped)) * page;
  own_max_.store(std::max(own_max(), own), std::memory_order_relaxed);
  mapped_max_.store(std::max(mapped_max(), mapped * page), std::memory_order_relaxed);
}

uint64_t DirectoryBytes(const std::string& directory) {
  uint64_t bytes = 0;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator file(directory, error), end;
       !error && file != end; file.increment(error)) {
    struct stat status;
    if (stat(file->path().c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
      // Blocks set aside past the end are given back on close; holes never were there.
      bytes += static_cast<uint64_t>(std::min<int64_t>(status.st_size, status.st_blocks * 512));
    }
  }
  return bytes;
}

}  // namespace bench
