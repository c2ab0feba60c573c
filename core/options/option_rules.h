// The rules about values of options: what open corrects, and what it refuses.
//
// Thread safety: pure functions.

#ifndef SKARN_CORE_OPTIONS_OPTION_RULES_H_
#define SKARN_CORE_OPTIONS_OPTION_RULES_H_

#include <string>

#include "core/base/status.h"
#include "core/options/options.h"

namespace skarn {

// The options of a database as they are in force: values corrected to what is possible,
// "choose for me" replaced by the choice. `path` is the database's directory; db_paths
// holds at least it afterwards. Never fails and touches no file.
//
// Objects that the caller left out (a logger, a write buffer manager) are made by Db.
DbOptions Sanitize(const std::string& path, const DbOptions& options);

// The same for a column family. `db` has been sanitized.
ColumnFamilyOptions Sanitize(const DbOptions& db, const ColumnFamilyOptions& options);

// Whether open may go on with these options, which have been sanitized.
Status Validate(const DbOptions& options);

// The same for a column family, at open, at its creation and after SetOptions.
Status Validate(const DbOptions& db, const ColumnFamilyOptions& options);

// In the hours that daily_offpeak_time_utc names, the seconds until they begin again; else 0.
uint64_t SecondsOfOffpeakAhead(const DbOptions& options, uint64_t now_s);

// NotSupported when writing with these options would need what is not there yet.
Status CheckWritable(const ColumnFamilyOptions& options);

// The codec of a new file of `level`. `bottommost`: no older data lies below it.
CompressionType CompressionOfLevel(const ColumnFamilyOptions& options, int level, int base_level,
                                   bool bottommost);
// How that codec works there.
const CompressionOptions& CompressionOptionsOfLevel(const ColumnFamilyOptions& options,
                                                    bool bottommost);

// How many flushes and compactions may run at a time. `speed_up`: compactions are behind.
struct BackgroundLimits {
  int flushes = 1;
  int compactions = 1;
};
BackgroundLimits ComputeBackgroundLimits(const DbOptions& options, bool speed_up);

}  // namespace skarn

#endif  // SKARN_CORE_OPTIONS_OPTION_RULES_H_
