// Option strings: "a=1;b={c=2;d=3}", and options made from them.
//
// Thread safety: pure functions.

#ifndef SKARN_CORE_OPTIONS_OPTION_STRING_H_
#define SKARN_CORE_OPTIONS_OPTION_STRING_H_

#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "core/base/result.h"
#include "core/base/slice.h"
#include "core/options/options.h"

namespace skarn {

// What reading text forms depends on besides the text.
struct OptionReading {
  // Names that nobody knows are left out instead of refused.
  bool ignore_unknown = false;
  // Objects that cannot be made from their name (a caller's comparator) keep the value
  // of the base instead of being refused.
  bool ignore_unsupported = true;
  // Makes the cache that a capacity in bytes stands for. Null: such values are left out.
  std::shared_ptr<Cache> (*make_cache)(size_t capacity_bytes) = nullptr;
};

// Splits an option string. A key given twice has its last value. Braces around a value
// are taken off. Errors: InvalidArgument that names what is wrong, not where.
Result<std::map<std::string, std::string>> SplitOptionString(Slice text);

// `*db` and `*family` changed by an option string, in which database and column family
// options share one space of names. On an error neither is changed.
Status OptionsFromString(const OptionReading& reading, Slice text, DbOptions* db,
                         ColumnFamilyOptions* family);

// What SetDBOptions and SetOptions give: `current` with all of `changes`, or an error.
// Only what may change in an open database is allowed. Ranges are not corrected again.
Result<DbOptions> ApplyDbOptions(const DbOptions& current,
                                 const std::unordered_map<std::string, std::string>& changes);
Result<ColumnFamilyOptions> ApplyColumnFamilyOptions(
    const DbOptions& db, const ColumnFamilyOptions& current,
    const std::unordered_map<std::string, std::string>& changes);

}  // namespace skarn

#endif  // SKARN_CORE_OPTIONS_OPTION_STRING_H_
