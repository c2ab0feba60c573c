// Wide columns: a value that is several named columns (an entity), and the one byte
// string that holds it in batches, memtables and tables.
//
//   varint32 version = 1
//   varint32 n
//   n x { length-prefixed name, varint32 value size }
//   n x value bytes, in the same order
//
// Names ascend strictly in byte order; the default column has the empty name and so
// comes first. Version 2, which holds blob references too, is read but never written:
//
//   varint32 version = 2
//   varint32 n
//   varint32 bytes of the name sizes, of the value sizes, of the names
//   n type bytes (1 inline, 0x11 blob index)
//   n x varint32 name size | n x varint32 value size | names | values
//
// Thread safety: pure functions.

#ifndef SKARN_CORE_KEY_WIDE_COLUMNS_H_
#define SKARN_CORE_KEY_WIDE_COLUMNS_H_

#include <string>
#include <vector>

#include "core/base/slice.h"
#include "core/base/status.h"

namespace skarn {

struct WideColumn {
  Slice name;
  Slice value;
  bool is_blob_index = false;  // `value` tells where the value is.
};

// The name of the column that plain reads return.
inline constexpr Slice kDefaultColumnName = Slice();

// Appends the entity of `columns`, given in any order. Corruption when two have one
// name; then *to is unchanged.
Status EncodeWideColumns(std::vector<WideColumn> columns, std::string* to);

// The columns, in order; they point into `entity`.
Status DecodeWideColumns(Slice entity, std::vector<WideColumn>* columns);

// The value of the default column, "" when there is none. Decodes no more than it needs.
Status DefaultColumnOf(Slice entity, Slice* value);

// Appends `entity` with the default column replaced by `value`, or added.
Status WithDefaultColumn(Slice entity, Slice value, std::string* to);

}  // namespace skarn

#endif  // SKARN_CORE_KEY_WIDE_COLUMNS_H_
