// BackgroundErrors remembers the worst failure of background work or of the write path
// and says what it forbids.
//
//   soft           writes go on; compactions wait until it is cleared
//   hard           writes and flushes return it; Resume() flushes all and clears it
//   fatal          as hard, but only reopening helps
//   unrecoverable  as fatal: data is damaged
//
// Only a more severe error replaces the stored one.
//
// Thread safety: every call needs the db mutex.

#ifndef SKARN_CORE_DB_BACKGROUND_ERROR_H_
#define SKARN_CORE_DB_BACKGROUND_ERROR_H_

#include <cstdint>

#include "core/base/status.h"

namespace skarn {

enum class ErrorCause : uint8_t {
  kCompaction,
  kFlush,
  kFlushWithoutWal,
  kWalWrite,  // Appends and syncs of the log.
  kManifestWrite,
  kMemtableInsert,
};
const char* ErrorCauseName(ErrorCause cause);

class BackgroundErrors {
 public:
  struct Options {
    bool paranoid_checks = true;
    bool manual_wal_flush = false;
    bool allow_2pc = false;
  };
  explicit BackgroundErrors(const Options& options) : options_(options) {}

  // Severity of `error` by cause; kNone when it is not to be recorded.
  Status::Severity Classify(const Status& error, ErrorCause cause) const;
  // Stores it when it is worse than what is stored. Returns the severity it has.
  Status::Severity Set(const Status& error, ErrorCause cause);

  const Status& error() const { return error_; }
  Status::Severity severity() const { return severity_; }
  bool ok() const { return severity_ == Status::Severity::kNone; }
  bool stops_writes() const { return severity_ >= Status::Severity::kHard; }
  bool stops_compactions() const { return severity_ >= Status::Severity::kSoft; }
  // Space is short: Resume() runs by itself once there is room again.
  bool waits_for_space() const {
    return error_.IsNoSpace() && severity_ < Status::Severity::kFatal && !ok();
  }
  // Transient by the file system's word: Resume() runs by itself.
  bool waits_for_retry() const {
    return error_.retryable() && severity_ < Status::Severity::kFatal && !ok();
  }
  uint64_t count() const { return count_; }

  bool recovering() const { return recovering_; }
  void set_recovering(bool value) { recovering_ = value; }
  // Forgets the error. Precondition: below fatal.
  void Clear();

 private:
  const Options options_;
  Status error_;
  Status::Severity severity_ = Status::Severity::kNone;
  ErrorCause cause_ = ErrorCause::kCompaction;
  uint64_t count_ = 0;  // Errors ever reported, for the property.
  bool recovering_ = false;
};

}  // namespace skarn

#endif  // SKARN_CORE_DB_BACKGROUND_ERROR_H_
