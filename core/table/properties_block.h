// The properties block: TableProperties as names and values in a block of keys and
// values (block_format.h), names ascending.
//
// Thread safety: pure functions.

#ifndef SKARN_CORE_TABLE_PROPERTIES_BLOCK_H_
#define SKARN_CORE_TABLE_PROPERTIES_BLOCK_H_

#include <cstdint>
#include <string>

#include "core/base/slice.h"
#include "core/base/status.h"
#include "core/table/table_properties.h"

namespace skarn {

// The payload of the properties block. `user_collected` goes in as it is; a name there
// that a predefined property has, too, is left out.
std::string EncodeProperties(const TableProperties& properties);

// Reads a payload. Unknown names end up in `user_collected`; a number that does not
// parse keeps its default. `block_offset` is where the payload lies in its file, for
// external_sst_file_global_seqno_offset and for messages.
//
// Errors: Corruption for a damaged block and names that are not ascending.
Status ParseProperties(Slice payload, uint64_t block_offset, const std::string& file_name,
                       TableProperties* properties);

// The spelling of a compression type in the property of format_version 6 and earlier is
// CodecName(). From 7 on: "<manager>;<types>;", the types as two hex digits each.
//
// What the value says about reading blocks.
struct CompressionProperty {
  // Blocks are stored as they are; their type bytes are not looked at.
  bool none = false;
  // format_version 7: only the types with a bit in `allowed` may occur, and 0. A block of
  // another type is damaged. Before 7 and without the property all types may occur.
  bool restricted = false;
  uint64_t allowed[4] = {0, 0, 0, 0};

  bool Allows(uint8_t type) const {
    return type == 0 || !restricted || ((allowed[type >> 6] >> (type & 63)) & 1) != 0;
  }
};
// Errors: Corruption when the value is malformed, NotSupported for an unknown manager or
// (before 7) an unknown name.
Status ParseCompressionProperty(Slice value, uint32_t format_version, const std::string& file_name,
                                CompressionProperty* property);

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_PROPERTIES_BLOCK_H_
