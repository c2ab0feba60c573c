#include "tools/bench/process_usage.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
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

uint64_t PeakMemory() { return NumberIn("/proc/self/status", "VmHWM:") * 1024; }

void ResetPeakMemory() {
  std::ofstream file("/proc/self/clear_refs");
  file << "5";
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
