// The merge operators that option strings can name.
//
//   UInt64AddOperator (uint64add)       adds 8-byte little-endian numbers
//   PutOperator (put, put_v1)           the newest operand replaces the value
//   MaxOperator (max)                   keeps the largest, compared bytewise
//   BytesXOR (bytesxor)                 exclusive or, the longer operand's length
//   StringAppendOperator (stringappend) joins operands with a delimiter
//
// Thread safety: pure functions; the operators have no state that changes.

#ifndef SKARN_CORE_PLUGIN_BUILTIN_MERGE_OPERATORS_H_
#define SKARN_CORE_PLUGIN_BUILTIN_MERGE_OPERATORS_H_

#include <map>
#include <memory>
#include <string>

#include "core/plugin/merge_operator.h"

namespace skarn {

std::shared_ptr<MergeOperator> NewUInt64AddOperator();

// The operator of an id or its short name, or null when nobody knows it. Of `options`,
// `delimiter` (or `delim`) is looked at.
std::shared_ptr<MergeOperator> NewMergeOperator(const std::string& id,
                                                const std::map<std::string, std::string>& options);

// What makes the operator again: its name, or `{id=name;option=value;}`.
std::string TextOf(const MergeOperator& merge_operator);

}  // namespace skarn

#endif  // SKARN_CORE_PLUGIN_BUILTIN_MERGE_OPERATORS_H_
