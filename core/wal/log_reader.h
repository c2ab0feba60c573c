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

  // What was seen of the log before this one, to compare with what this one says of it
  // (track_and_verify_wals). Differences are reported under the predecessor's number.
  struct Predecessor {
    bool seen = false;  // False: this is the first log of the recovery.
    uint64_t log_number = 0;
    uint64_t size_bytes = 0;
    uint64_t last_sequence = 0;   // Of the last batch; 0: none.
    std::string path;             // Of this log, for messages.
    uint64_t min_log_number = 0;  // Logs below are not needed.
  };

  // `reporter` may be null. `log_number` checks recyclable records.
  LogReader(std::unique_ptr<SequentialFile> file, Reporter* reporter, uint64_t log_number,
            bool verify_checksums = true);
  ~LogReader();

  // Without this call, what the log says of its predecessor is passed over.
  void CheckPredecessor(Predecessor expected);

  // For MANIFESTs: a last record that is whole but for its length is reported in every mode, not
  // only in the strict ones.
  void set_exact();

  // For a log that somebody may be writing to: zeroes behind the last record are space that is not
  // written yet, which is the end for now. The file must be one that can Seek().
  void set_following();

  // The next record, valid until the next call; false at the end (or where `mode` says
  // that reading stops).
  bool ReadRecord(Slice* record, std::string* scratch, RecoveryMode mode);

  // File offset just after / at the start of the last record returned.
  uint64_t last_record_end() const;
  uint64_t last_record_offset() const;
  bool at_end() const;
  // Lets reading go on after at_end() when more may have been written (tailing).
  void ContinueAfterEnd();
  // Whether a record with the header of recyclable logs was seen.
  bool recycled() const;
  const std::map<uint32_t, size_t>& timestamp_sizes() const;

 private:
  struct Rep;
  std::unique_ptr<Rep> rep_;
};

}  // namespace skarn

#endif  // SKARN_CORE_WAL_LOG_READER_H_
