// Result: what one run of one workload on one library showed.
//
// Thread safety: a value.

#ifndef SKARN_TOOLS_BENCH_RESULT_H_
#define SKARN_TOOLS_BENCH_RESULT_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace bench {

struct Result {
  std::string scenario;
  std::string workload;  // "readwhilewriting.writer" is the second kind of thread of a mixed one.
  int library = 0;
  int round = 0;
  std::string skipped;  // Why it was not run; empty when it was.
  std::string error;    // What went wrong; the figures then mean nothing.

  uint64_t operations = 0;
  double seconds = 0;
  double ops_per_second = 0;
  double mean_us = 0;
  double p50_us = 0;
  double p99_us = 0;
  double p999_us = 0;
  double p9999_us = 0;
  double max_us = 0;
  double cpu_us_per_op = 0;  // User and system, of all threads of the process.
  uint64_t bytes_written =
      0;  // To files, as the kernel counts pages made dirty, settling included.
  uint64_t bytes_on_disk = 0;  // Of all files of the database afterwards.
  uint64_t peak_memory = 0;    // Bytes of memory of its own at most, within this workload.
  uint64_t peak_mapped = 0;    // The same of mapped files' pages, the program's code included.
  uint64_t found = 0;          // Keys read that had a value.
  uint64_t bytes = 0;          // Key and value bytes that were read.

  std::vector<std::pair<double, double>> curve;   // {fraction of operations, microseconds}
  std::vector<std::pair<double, double>> series;  // {seconds, operations per second}

  bool usable() const { return skipped.empty() && error.empty() && operations > 0; }
};

// As one line of JSON, and back. DecodeResult() returns false when the text is not one.
std::string EncodeResults(const std::vector<Result>& results);
bool DecodeResults(const std::string& line, std::vector<Result>* results);

}  // namespace bench

#endif  // SKARN_TOOLS_BENCH_RESULT_H_
