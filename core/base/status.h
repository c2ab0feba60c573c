// Status is the outcome of an operation: success, or a code, a subcode and a message.
//
// It is one machine word. Success is zero, and an outcome without a message
// (such as a key that is not there) is held in the word itself, so neither
// allocates. Codes, subcodes and the text of ToString() are those that programs
// written for RocksDB compare (docs/abi/errors.md).
//
// Thread safety: a plain value.

#ifndef SKARN_CORE_BASE_STATUS_H_
#define SKARN_CORE_BASE_STATUS_H_

#include <cstdint>
#include <string>
#include <utility>

#include "core/base/slice.h"

namespace skarn {

class [[nodiscard]] Status {
 public:
  // The numbers are part of the ABI: callbacks receive them.
  enum class Code : uint8_t {
    kOk = 0,
    kNotFound = 1,
    kCorruption = 2,
    kNotSupported = 3,
    kInvalidArgument = 4,
    kIoError = 5,
    kMergeInProgress = 6,
    kIncomplete = 7,
    kShutdownInProgress = 8,
    kTimedOut = 9,
    kAborted = 10,
    kBusy = 11,
    kExpired = 12,
    kTryAgain = 13,
    kCompactionTooLarge = 14,
    kColumnFamilyDropped = 15,
  };

  enum class Subcode : uint8_t {
    kNone = 0,
    kMutexTimeout = 1,
    kLockTimeout = 2,
    kLockLimit = 3,
    kNoSpace = 4,
    kDeadlock = 5,
    kStaleFile = 6,
    kMemoryLimit = 7,
    kSpaceLimit = 8,
    kPathNotFound = 9,
    kMergeOperandsInsufficientCapacity = 10,
    kManualCompactionPaused = 11,
    kOverwritten = 12,
    kTransactionNotPrepared = 13,
    kIoFenced = 14,
    kMergeOperatorFailed = 15,
    kMergeOperandThresholdExceeded = 16,
    kPrefetchLimitReached = 17,
    kNotExpectedCodePath = 18,
    kCompactionAborted = 19,
  };

  // How bad a background error is; rules in core/db/background_error.h.
  enum class Severity : uint8_t { kNone = 0, kSoft = 1, kHard = 2, kFatal = 3, kUnrecoverable = 4 };

  Status() = default;
  Status(Code code, Subcode subcode) : word_(Inline(code, subcode)) {}
  // The stored message is `message`, or `message: detail` when there is a detail.
  Status(Code code, Subcode subcode, Slice message, Slice detail = Slice());

  Status(const Status& other) : word_(other.IsHeap() ? other.CopyHeap() : other.word_) {}
  Status(Status&& other) noexcept : word_(std::exchange(other.word_, 0)) {}
  Status& operator=(const Status& other) {
    if (this != &other) *this = Status(other);
    return *this;
  }
  Status& operator=(Status&& other) noexcept {
    std::swap(word_, other.word_);
    return *this;
  }
  ~Status() {
    if (IsHeap()) FreeHeap();
  }

  static Status Ok() { return Status(); }
  static Status NotFound() { return Status(Code::kNotFound, Subcode::kNone); }
  static Status NotFound(Slice message, Slice detail = Slice()) {
    return Status(Code::kNotFound, Subcode::kNone, message, detail);
  }
  static Status Corruption(Slice message, Slice detail = Slice()) {
    return Status(Code::kCorruption, Subcode::kNone, message, detail);
  }
  static Status NotSupported(Slice message, Slice detail = Slice()) {
    return Status(Code::kNotSupported, Subcode::kNone, message, detail);
  }
  static Status InvalidArgument(Slice message, Slice detail = Slice()) {
    return Status(Code::kInvalidArgument, Subcode::kNone, message, detail);
  }
  static Status IoError(Slice message, Slice detail = Slice()) {
    return Status(Code::kIoError, Subcode::kNone, message, detail);
  }
  // The outcome of a system call that failed with `error_number` (an errno value):
  // `<context>: <path>: <strerror>`, with the subcode that errno has.
  static Status IoErrorFromErrno(Slice context, Slice path, int error_number);
  static Status MergeInProgress() { return Status(Code::kMergeInProgress, Subcode::kNone); }
  static Status Incomplete(Slice message, Slice detail = Slice()) {
    return Status(Code::kIncomplete, Subcode::kNone, message, detail);
  }
  static Status ShutdownInProgress() { return Status(Code::kShutdownInProgress, Subcode::kNone); }
  static Status ShutdownInProgress(Slice message) {
    return Status(Code::kShutdownInProgress, Subcode::kNone, message);
  }
  static Status TimedOut() { return Status(Code::kTimedOut, Subcode::kNone); }
  static Status Aborted() { return Status(Code::kAborted, Subcode::kNone); }
  static Status Aborted(Slice message, Slice detail = Slice()) {
    return Status(Code::kAborted, Subcode::kNone, message, detail);
  }
  static Status Busy() { return Status(Code::kBusy, Subcode::kNone); }
  static Status Busy(Slice message) { return Status(Code::kBusy, Subcode::kNone, message); }
  static Status TryAgain(Slice message) { return Status(Code::kTryAgain, Subcode::kNone, message); }
  static Status CompactionTooLarge() { return Status(Code::kCompactionTooLarge, Subcode::kNone); }
  static Status ColumnFamilyDropped() { return Status(Code::kColumnFamilyDropped, Subcode::kNone); }

  bool ok() const { return word_ == 0; }
  Code code() const;
  Subcode subcode() const;
  // The message without prefix and subcode text.
  Slice message() const;

  // Whether trying again may help without anything else changing; set by file systems.
  bool retryable() const;
  Status& set_retryable(bool value);

  bool IsNotFound() const { return code() == Code::kNotFound; }
  bool IsCorruption() const { return code() == Code::kCorruption; }
  bool IsNotSupported() const { return code() == Code::kNotSupported; }
  bool IsInvalidArgument() const { return code() == Code::kInvalidArgument; }
  bool IsIoError() const { return code() == Code::kIoError; }
  bool IsMergeInProgress() const { return code() == Code::kMergeInProgress; }
  bool IsIncomplete() const { return code() == Code::kIncomplete; }
  bool IsShutdownInProgress() const { return code() == Code::kShutdownInProgress; }
  bool IsTimedOut() const { return code() == Code::kTimedOut; }
  bool IsAborted() const { return code() == Code::kAborted; }
  bool IsBusy() const { return code() == Code::kBusy; }
  bool IsTryAgain() const { return code() == Code::kTryAgain; }
  bool IsColumnFamilyDropped() const { return code() == Code::kColumnFamilyDropped; }
  bool IsNoSpace() const { return IsIoError() && subcode() == Subcode::kNoSpace; }
  bool IsPathNotFound() const {
    return (IsIoError() || IsNotFound()) && subcode() == Subcode::kPathNotFound;
  }

  // The text a C caller sees in *errptr, and log lines show.
  std::string ToString() const;

 private:
  struct Heap;

  // The lowest bit marks a word that is not a pointer: then byte 1 is the code
  // and byte 2 the subcode.
  static uintptr_t Inline(Code code, Subcode subcode) {
    return code == Code::kOk && subcode == Subcode::kNone
               ? 0
               : (static_cast<uintptr_t>(subcode) << 16) | (static_cast<uintptr_t>(code) << 8) | 1;
  }
  bool IsHeap() const { return word_ != 0 && (word_ & 1) == 0; }
  const Heap* heap() const { return reinterpret_cast<const Heap*>(word_); }
  uintptr_t CopyHeap() const;
  void FreeHeap();

  uintptr_t word_ = 0;
};

// Joins its arguments into one string: text, slices, characters and numbers.
template <typename... Parts>
std::string Concat(const Parts&... parts);

namespace internal {
inline void AppendPart(std::string* out, Slice part) { out->append(part.data(), part.size()); }
inline void AppendPart(std::string* out, const std::string& part) { out->append(part); }
inline void AppendPart(std::string* out, const char* part) { out->append(part); }
inline void AppendPart(std::string* out, char part) { out->push_back(part); }
template <typename Number>
requires std::is_integral_v<Number> || std::is_enum_v<Number>
void AppendPart(std::string* out, Number part) {
  if constexpr (std::is_enum_v<Number>) {
    out->append(std::to_string(static_cast<int64_t>(part)));
  } else {
    out->append(std::to_string(part));
  }
}
}  // namespace internal

template <typename... Parts>
std::string Concat(const Parts&... parts) {
  std::string out;
  (internal::AppendPart(&out, parts), ...);
  return out;
}

}  // namespace skarn

#endif  // SKARN_CORE_BASE_STATUS_H_
