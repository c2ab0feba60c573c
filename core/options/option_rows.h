// The rows of the .def files as tables that code can walk: who reads and writes text,
// who checks what may change, who writes docs/options.md.
//
// Thread safety: pure functions over constant tables.

#ifndef SKARN_CORE_OPTIONS_OPTION_ROWS_H_
#define SKARN_CORE_OPTIONS_OPTION_ROWS_H_

#include <span>
#include <string>

#include "core/options/option_row.h"
#include "core/options/option_string.h"
#include "core/options/options.h"

namespace skarn {

template <typename Options>
struct OptionRow {
  const char* name;
  const char* type;           // As the row spells it.
  const char* default_value;  // Likewise.
  Changes changes;
  const char* summary;
  bool in_text;    // Written to files; false for SKARN_OPTION_IN_MEMORY.
  bool has_parts;  // Can be addressed as `name.part`.
  // Both null unless in_text.
  Status (*parse)(const OptionReading& reading, Slice name, Slice text, Options* options);
  void (*print)(const Options& options, std::string* out);
};

std::span<const OptionRow<DbOptions>> DbOptionRows();
std::span<const OptionRow<ColumnFamilyOptions>> ColumnFamilyOptionRows();
std::span<const OptionRow<TableOptions>> TableOptionRows();

// By name, or null; finds only rows that are in_text. Other accepted spellings
// (`memtable`, `block_based_table_factory`) are found too.
const OptionRow<DbOptions>* FindDbOption(Slice name);
const OptionRow<ColumnFamilyOptions>* FindColumnFamilyOption(Slice name);
const OptionRow<TableOptions>* FindTableOption(Slice name);

// Names that older releases had. They are accepted everywhere and mean nothing.
bool IsRetiredDbOption(Slice name);
bool IsRetiredTableOption(Slice name);
// `changeable` tells whether SetOptions accepts it too; may be null.
bool IsRetiredColumnFamilyOption(Slice name, bool* changeable);

// Applies one name and value, `part` addresses and other spellings included. False when
// the name is not known; then *status is unchanged.
bool SetDbOption(const OptionReading& reading, Slice name, Slice value, DbOptions* options,
                 Status* status);
bool SetColumnFamilyOption(const OptionReading& reading, Slice name, Slice value,
                           ColumnFamilyOptions* options, Status* status);
bool SetTableOption(const OptionReading& reading, Slice name, Slice value, TableOptions* options,
                    Status* status);

}  // namespace skarn

#endif  // SKARN_CORE_OPTIONS_OPTION_ROWS_H_
