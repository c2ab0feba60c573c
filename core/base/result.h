// Result<T> is a value or the Status that explains why there is none.
//
// Thread safety: a plain value.

#ifndef SKARN_CORE_BASE_RESULT_H_
#define SKARN_CORE_BASE_RESULT_H_

#include <cassert>
#include <optional>
#include <utility>

#include "core/base/status.h"

namespace skarn {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}                                  // NOLINT
  Result(Status status) : status_(std::move(status)) { assert(!status_.ok()); }  // NOLINT

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }

  // Precondition for all below: ok().
  T& value() { return *value_; }
  const T& value() const { return *value_; }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  Status status_;
  std::optional<T> value_;
};

}  // namespace skarn

#endif  // SKARN_CORE_BASE_RESULT_H_
