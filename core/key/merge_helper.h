// How merge operands become values. Lookups, iterators, compactions and writes
// (max_successive_merges) share these, so they agree on what an entity, a missing
// base and a failure mean.
//
// Thread safety: pure functions, as far as the merge operator is.

#ifndef SKARN_CORE_KEY_MERGE_HELPER_H_
#define SKARN_CORE_KEY_MERGE_HELPER_H_

#include <string>
#include <vector>

#include "core/base/slice.h"
#include "core/base/status.h"
#include "core/key/internal_key.h"
#include "core/plugin/merge_operator.h"

namespace skarn {

class Statistics;

// What a merge adds to. Time always goes to the perf context as well.
struct MergeStatistics {
  Statistics* statistics = nullptr;
  bool counts_operands = false;  // Reads do, jobs do not.
};

// A merge operand was met and there is no merge operator.
Status MissingMergeOperator();
// "Corruption: Merge operator failed".
Status MergeFailed();

// Merges `operands`, oldest first, over `base`. `user_key` is without timestamp.
//
// `has_base` is false when the history ends in a deletion or in nothing. A base of kind
// kWideColumnEntity takes part with its default column, and the result is an entity
// again: *result_kind tells (kValue or kWideColumnEntity). A base of kind
// kValuePreferredSequence loses the number at its end. Blob indexes must be resolved
// before: NotSupported.
Status MergeWithBase(const MergeOperator& merge_operator, Slice user_key, bool has_base,
                     EntryKind base_kind, Slice base, const std::vector<Slice>& operands,
                     EntryKind* result_kind, std::string* result,
                     const MergeStatistics& statistics = MergeStatistics());

// The plain value of an entry: an entity's default column, a value without the number
// that kValuePreferredSequence appends. `value` keeps pointing into `stored`.
// Precondition: kind is kValue, kValuePreferredSequence or kWideColumnEntity.
Status PlainValueOf(EntryKind kind, Slice stored, Slice* value);

}  // namespace skarn

#endif  // SKARN_CORE_KEY_MERGE_HELPER_H_
