// MergeOperator turns a value and a list of operands into a new value.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_PLUGIN_MERGE_OPERATOR_H_
#define SKARN_CORE_PLUGIN_MERGE_OPERATOR_H_

#include <string>
#include <vector>

#include "core/base/slice.h"

namespace skarn {

class MergeOperator {
 public:
  virtual ~MergeOperator() = default;
  virtual const char* Name() const = 0;
  // Operands are oldest first. `existing` is nullptr when the history begins with
  // a deletion or nothing. False means failure: the data cannot be merged.
  virtual bool FullMerge(Slice key, const Slice* existing, const std::vector<Slice>& operands,
                         std::string* result) const = 0;
  // Combines operands without a base. False means "not possible", which is no failure.
  virtual bool PartialMerge(Slice key, const std::vector<Slice>& operands,
                            std::string* result) const = 0;
  virtual bool AllowSingleOperand() const { return false; }
};

}  // namespace skarn

#endif  // SKARN_CORE_PLUGIN_MERGE_OPERATOR_H_
