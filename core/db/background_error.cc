#include "core/db/background_error.h"

#include <cassert>

namespace skarn {

const char* ErrorCauseName(ErrorCause cause) {
  switch (cause) {
    case ErrorCause::kCompaction:
      return "compaction";
    case ErrorCause::kFlush:
      return "flush";
    case ErrorCause::kFlushWithoutWal:
      return "flush without WAL";
    case ErrorCause::kWalWrite:
      return "WAL write";
    case ErrorCause::kManifestWrite:
      return "MANIFEST write";
    case ErrorCause::kMemtableInsert:
      return "memtable insert";
  }
  return "unknown";
}

Status::Severity BackgroundErrors::Classify(const Status& error, ErrorCause cause) const {
  using Severity = Status::Severity;
  using Subcode = Status::Subcode;
  if (error.ok()) return Severity::kNone;
  const bool paranoid = options_.paranoid_checks;
  const bool background = cause == ErrorCause::kCompaction || cause == ErrorCause::kFlush ||
                          cause == ErrorCause::kFlushWithoutWal;

  if (cause == ErrorCause::kWalWrite && error.IsIoError() && options_.manual_wal_flush) {
    // Bytes that were never handed over may be lost: older writes that were acknowledged.
    return Severity::kFatal;
  }
  if (error.IsIoError() && error.retryable() && !error.IsNoSpace()) {
    if (cause == ErrorCause::kCompaction) return Severity::kNone;  // Simply tried again.
    if (cause == ErrorCause::kFlushWithoutWal) return Severity::kSoft;
    return cause == ErrorCause::kMemtableInsert ? Severity::kFatal : Severity::kHard;
  }
  if (cause == ErrorCause::kMemtableInsert) return Severity::kFatal;
  if (error.IsIoError() && error.subcode() == Subcode::kIoFenced) return Severity::kFatal;

  if (error.IsNoSpace()) {
    if (cause == ErrorCause::kCompaction) {
      if (!paranoid) return Severity::kNone;
      return options_.allow_2pc ? Severity::kFatal : Severity::kSoft;
    }
    if (background && !paranoid) return Severity::kNone;
    return Severity::kHard;
  }
  if (error.IsIoError() && error.subcode() == Subcode::kSpaceLimit) {
    if (cause == ErrorCause::kManifestWrite) return Severity::kFatal;
    if (!paranoid) return Severity::kNone;
    return background ? Severity::kHard : Severity::kFatal;
  }
  if (cause == ErrorCause::kManifestWrite) return Severity::kFatal;
  if (error.IsCorruption()) return paranoid ? Severity::kUnrecoverable : Severity::kNone;
  if (error.IsIoError()) return paranoid ? Severity::kFatal : Severity::kNone;
  if (background) return paranoid ? Severity::kFatal : Severity::kNone;
  return Severity::kFatal;
}

Status::Severity BackgroundErrors::Set(const Status& error, ErrorCause cause) {
  const Status::Severity severity = Classify(error, cause);
  if (!error.ok()) ++count_;
  if (severity > severity_) {
    error_ = error;
    severity_ = severity;
    cause_ = cause;
  }
  return severity;
}

void BackgroundErrors::Clear() {
  assert(severity_ < Status::Severity::kFatal);
  error_ = Status::Ok();
  severity_ = Status::Severity::kNone;
}

}  // namespace skarn
