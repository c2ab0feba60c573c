// The options in force, as the lines that the LOG shows at open.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_OPTIONS_OPTION_DUMP_H_
#define SKARN_CORE_OPTIONS_OPTION_DUMP_H_

#include "core/base/slice.h"
#include "core/env/logger.h"
#include "core/options/options.h"

namespace skarn {

// One line "Options.<name>: <value>" for each option, of header level.
void DumpOptions(Logger* logger, const DbOptions& options);
// Begins with "--------------- Options for column family [<name>]:". `cache_lines` describe the
// block cache, which this room cannot look into.
void DumpOptions(Logger* logger, Slice name, const ColumnFamilyOptions& options, Slice cache_lines);
// One line "<name>: <value>" for each option that may be changed while the database is open.
void DumpChangeableOptions(Logger* logger, const ColumnFamilyOptions& options);
// Which codecs there are.
void DumpCodecs(Logger* logger);

}  // namespace skarn

#endif  // SKARN_CORE_OPTIONS_OPTION_DUMP_H_
