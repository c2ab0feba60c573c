#include "core/base/status.h"

#include <cerrno>
#include <cstring>

namespace skarn {

struct Status::Heap {
  Code code;
  Subcode subcode;
  bool retryable;
  std::string message;
};

namespace {

const char* PrefixOf(Status::Code code) {
  switch (code) {
    case Status::Code::kOk:
      return "OK";
    case Status::Code::kNotFound:
      return "NotFound: ";
    case Status::Code::kCorruption:
      return "Corruption: ";
    case Status::Code::kNotSupported:
      return "Not implemented: ";
    case Status::Code::kInvalidArgument:
      return "Invalid argument: ";
    case Status::Code::kIoError:
      return "IO error: ";
    case Status::Code::kMergeInProgress:
      return "Merge in progress: ";
    case Status::Code::kIncomplete:
      return "Result incomplete: ";
    case Status::Code::kShutdownInProgress:
      return "Shutdown in progress: ";
    case Status::Code::kTimedOut:
      return "Operation timed out: ";
    case Status::Code::kAborted:
      return "Operation aborted: ";
    case Status::Code::kBusy:
      return "Resource busy: ";
    case Status::Code::kExpired:
      return "Operation expired: ";
    case Status::Code::kTryAgain:
      return "Operation failed. Try again.: ";
    case Status::Code::kCompactionTooLarge:
      return "Compaction too large: ";
    case Status::Code::kColumnFamilyDropped:
      return "Column family dropped: ";
  }
  return "Unknown code: ";
}

const char* TextOf(Status::Subcode subcode) {
  switch (subcode) {
    case Status::Subcode::kNone:
      return "";
    case Status::Subcode::kMutexTimeout:
      return "Timeout Acquiring Mutex";
    case Status::Subcode::kLockTimeout:
      return "Timeout waiting to lock key";
    case Status::Subcode::kLockLimit:
      return "Failed to acquire lock due to max_num_locks limit";
    case Status::Subcode::kNoSpace:
      return "No space left on device";
    case Status::Subcode::kDeadlock:
      return "Deadlock";
    case Status::Subcode::kStaleFile:
      return "Stale file handle";
    case Status::Subcode::kMemoryLimit:
      return "Memory limit reached";
    case Status::Subcode::kSpaceLimit:
      return "Space limit reached";
    case Status::Subcode::kPathNotFound:
      return "No such file or directory";
    case Status::Subcode::kMergeOperandsInsufficientCapacity:
      return "Insufficient capacity for merge operands";
    case Status::Subcode::kManualCompactionPaused:
      return "Manual compaction paused";
    case Status::Subcode::kOverwritten:
      return " (overwritten)";
    case Status::Subcode::kTransactionNotPrepared:
      return "Txn not prepared";
    case Status::Subcode::kIoFenced:
      return "IO fenced off";
    case Status::Subcode::kMergeOperatorFailed:
      return "Merge operator failed";
    case Status::Subcode::kMergeOperandThresholdExceeded:
      return "Number of operands merged exceeded threshold";
    case Status::Subcode::kPrefetchLimitReached:
      return "MultiScan reached file prefetch limit";
    case Status::Subcode::kNotExpectedCodePath:
      return "Not expected code path";
    case Status::Subcode::kCompactionAborted:
      return "All compactions aborted";
  }
  return "";
}

}  // namespace

Status::Status(Code code, Subcode subcode, Slice message, Slice detail) {
  auto* heap = new Heap{code, subcode, /*retryable=*/false, message.ToString()};
  if (!detail.empty()) heap->message.append(": ").append(detail.view());
  word_ = reinterpret_cast<uintptr_t>(heap);
}

Status Status::IoErrorFromErrno(Slice context, Slice path, int error_number) {
  Subcode subcode = Subcode::kNone;
  if (error_number == ENOENT) subcode = Subcode::kPathNotFound;
  if (error_number == ENOSPC) subcode = Subcode::kNoSpace;
  if (error_number == ESTALE) subcode = Subcode::kStaleFile;
  char buffer[256];
  const char* text = strerror_r(error_number, buffer, sizeof(buffer));  // The GNU form.
  Status status(Code::kIoError, subcode,
                path.empty() ? context.ToString() : Concat(context, ": ", path), text);
  if (error_number == ENOSPC) status.set_retryable(true);
  return status;
}

Status::Code Status::code() const {
  if (IsHeap()) return heap()->code;
  return static_cast<Code>((word_ >> 8) & 0xff);
}

Status::Subcode Status::subcode() const {
  if (IsHeap()) return heap()->subcode;
  return static_cast<Subcode>((word_ >> 16) & 0xff);
}

Slice Status::message() const { return IsHeap() ? Slice(heap()->message) : Slice(); }

bool Status::retryable() const { return IsHeap() && heap()->retryable; }

Status& Status::set_retryable(bool value) {
  if (ok() || retryable() == value) return *this;
  if (!IsHeap()) *this = Status(code(), subcode(), Slice());
  reinterpret_cast<Heap*>(word_)->retryable = value;
  return *this;
}

uintptr_t Status::CopyHeap() const { return reinterpret_cast<uintptr_t>(new Heap(*heap())); }

void Status::FreeHeap() { delete reinterpret_cast<Heap*>(word_); }

std::string Status::ToString() const {
  if (ok()) return "OK";
  std::string text = PrefixOf(code());
  if (subcode() != Subcode::kNone) {
    text.append(TextOf(subcode()));
    if (!message().empty()) text.append(": ");
  }
  text.append(message().view());
  return text;
}

}  // namespace skarn
