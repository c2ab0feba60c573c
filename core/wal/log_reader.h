// LogReader gives back the logical records of a log file and classifies damage.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_WAL_LOG_READER_H_
#define SKARN_CORE_WAL_LOG_READER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "core/base/slice.h"
#include "core/base/status.h"
#include "core/env/file_system.h"

namespace skarn {

// The numbers are part of the ABI (rocksdb_options_set_wal_recovery_mode).
enum class RecoveryMode : uint8_t {
  kTolerateCorruptedTail = 0,
  kAbsoluteConsistency = 1,
  kPointInTime = 2,
  kSkipAnyCorrupted = 3,
};

class LogReader {
 public:
  // Told about damage; `bytes` is how much was dropped.
  class Reporter {
   public:
    virtual ~Reporter() = default;
    virtual void Corruption(size_t bytes, const Status& status, uint64_t log_number) = 0;
    virtual void OldRecord(size_t bytes) { (void)bytes; }
  };

  // `reporter` may be null. `log_number` checks recyclable records.
  LogReader(std::unique_ptr<SequentialFile> file, Reporter* reporter, uint64_t log_number,
            bool verify_checksums = true);
  ~LogReader();

  // The next record, valid until the next call; false at the end (or where `mode` says
  // that reading stops).
  bool ReadRecord(Slice* record, std::string* scratch, RecoveryMode mode);

  // File offset just after / at the start of the last record returned.
  uint64_t last_record_end() const;
  uint64_t last_record_offset() const;
  bool at_end() const;
  // Lets reading go on after at_end() when the file has grown (tailing).
  void ContinueAfterEnd();
  bool recycled() const;
  const std::map<uint32_t, size_t>& timestamp_sizes() const;

 private:
  struct Rep;
  std::unique_ptr<Rep> rep_;
};

}  // namespace skarn

#endif  // SKARN_CORE_WAL_LOG_READER_H_
