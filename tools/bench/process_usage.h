// What the kernel counts for this process: processor time, bytes written, memory; and the size of a
// directory.
//
// Thread safety: any thread; the counts are of the whole process.

#ifndef SKARN_TOOLS_BENCH_PROCESS_USAGE_H_
#define SKARN_TOOLS_BENCH_PROCESS_USAGE_H_

#include <cstdint>
#include <string>

namespace bench {

// Seconds of user and system time of all threads so far.
double CpuSeconds();

// Bytes of pages made dirty in files so far; a file deleted before its pages reach the disk counts.
// 0 where the kernel does not tell.
uint64_t BytesWritten();

// The most memory that was resident since the last ResetPeakMemory() (or the process's start, where
// the kernel cannot reset it).
uint64_t PeakMemory();
void ResetPeakMemory();

// Bytes that all files below `directory` hold: neither holes nor blocks set aside.
uint64_t DirectoryBytes(const std::string& directory);

}  // namespace bench

#endif  // SKARN_TOOLS_BENCH_PROCESS_USAGE_H_
