#include "core/key/wide_columns.h"

#include <algorithm>
#include <cstdint>

#include "core/base/coding.h"

namespace skarn {
namespace {

constexpr uint32_t kVersion = 1;
constexpr uint32_t kVersionWithBlobs = 2;
constexpr char kInlineColumn = 0x01;
constexpr char kBlobColumn = 0x11;

Status OutOfOrder() { return Status::Corruption("Wide columns out of order"); }
Status BadName() { return Status::Corruption("Error decoding wide column name"); }
Status BadValueSize() { return Status::Corruption("Error decoding wide column value size"); }
Status BadValue() { return Status::Corruption("Error decoding wide column value payload"); }

Status DecodeHead(Slice* input, uint32_t* version, uint32_t* count) {
  if (!GetVarint32(input, version)) {
    return Status::Corruption("Error decoding wide column version");
  }
  if (*version != kVersion && *version != kVersionWithBlobs) {
    return Status::Corruption("Corrupt or unsupported wide column version");
  }
  if (!GetVarint32(input, count)) {
    return Status::Corruption("Error decoding number of wide columns");
  }
  return Status::Ok();
}

// Cuts `size` bytes off the front.
bool Take(Slice* input, size_t size, Slice* part) {
  if (input->size() < size) return false;
  *part = Slice(input->data(), size);
  input->RemovePrefix(size);
  return true;
}

Status DecodeVersion1(Slice input, uint32_t count, std::vector<WideColumn>* columns) {
  // A column takes two bytes at least: no count can make us reserve more than that.
  std::vector<uint32_t> sizes;
  sizes.reserve(std::min<size_t>(count, input.size() / 2));
  for (uint32_t i = 0; i < count; ++i) {
    WideColumn column;
    if (!GetLengthPrefixed(&input, &column.name)) return BadName();
    if (!columns->empty() && columns->back().name.Compare(column.name) >= 0) return OutOfOrder();
    uint32_t size = 0;
    if (!GetVarint32(&input, &size)) return BadValueSize();
    columns->push_back(column);
    sizes.push_back(size);
  }
  for (uint32_t i = 0; i < count; ++i) {
    if (!Take(&input, sizes[i], &(*columns)[i].value)) return BadValue();
  }
  if (!input.empty()) {
    return Status::Corruption("Unexpected trailing data after wide column entity");
  }
  return Status::Ok();
}

Status DecodeVersion2(Slice input, uint32_t count, std::vector<WideColumn>* columns) {
  uint32_t name_sizes_bytes = 0;
  uint32_t value_sizes_bytes = 0;
  uint32_t names_bytes = 0;
  Slice types, name_sizes, value_sizes, names;
  const auto mismatch = [] { return Status::Corruption("Wide column section size mismatch"); };
  if (!GetVarint32(&input, &name_sizes_bytes) || !GetVarint32(&input, &value_sizes_bytes) ||
      !GetVarint32(&input, &names_bytes)) {
    return mismatch();
  }
  if (!Take(&input, count, &types) || !Take(&input, name_sizes_bytes, &name_sizes) ||
      !Take(&input, value_sizes_bytes, &value_sizes) || !Take(&input, names_bytes, &names)) {
    return mismatch();
  }
  for (uint32_t i = 0; i < count; ++i) {
    WideColumn column;
    if (types[i] != kInlineColumn && types[i] != kBlobColumn) {
      return Status::Corruption("Unsupported wide column ValueType");
    }
    column.is_blob_index = types[i] == kBlobColumn;
    uint32_t size = 0;
    if (!GetVarint32(&name_sizes, &size) || !Take(&names, size, &column.name)) return BadName();
    if (!columns->empty() && columns->back().name.Compare(column.name) >= 0) return OutOfOrder();
    if (!GetVarint32(&value_sizes, &size)) return BadValueSize();
    if (!Take(&input, size, &column.value)) return BadValue();
    columns->push_back(column);
  }
  if (!name_sizes.empty() || !value_sizes.empty() || !names.empty() || !input.empty()) {
    return mismatch();
  }
  return Status::Ok();
}

}  // namespace

Status EncodeWideColumns(std::vector<WideColumn> columns, std::string* to) {
  std::sort(columns.begin(), columns.end(),
            [](const WideColumn& a, const WideColumn& b) { return a.name < b.name; });
  for (size_t i = 1; i < columns.size(); ++i) {
    if (columns[i - 1].name == columns[i].name) return OutOfOrder();
  }
  PutVarint32(to, kVersion);
  PutVarint32(to, static_cast<uint32_t>(columns.size()));
  for (const WideColumn& column : columns) {
    PutLengthPrefixed(to, column.name);
    PutVarint32(to, static_cast<uint32_t>(column.value.size()));
  }
  for (const WideColumn& column : columns) to->append(column.value.data(), column.value.size());
  return Status::Ok();
}

Status DecodeWideColumns(Slice entity, std::vector<WideColumn>* columns) {
  columns->clear();
  uint32_t version = 0;
  uint32_t count = 0;
  if (Status s = DecodeHead(&entity, &version, &count); !s.ok()) return s;
  return version == kVersion ? DecodeVersion1(entity, count, columns)
                             : DecodeVersion2(entity, count, columns);
}

Status DefaultColumnOf(Slice entity, Slice* value) {
  *value = Slice();
  std::vector<WideColumn> columns;
  if (Status s = DecodeWideColumns(entity, &columns); !s.ok()) return s;
  if (columns.empty() || !columns.front().name.empty()) return Status::Ok();
  if (columns.front().is_blob_index) {
    return Status::NotSupported("Default wide column is a blob reference");
  }
  *value = columns.front().value;
  return Status::Ok();
}

Status WithDefaultColumn(Slice entity, Slice value, std::string* to) {
  std::vector<WideColumn> columns;
  if (Status s = DecodeWideColumns(entity, &columns); !s.ok()) return s;
  for (const WideColumn& column : columns) {
    if (column.is_blob_index) {
      return Status::NotSupported("Wide column entity holds a blob reference");
    }
  }
  if (!columns.empty() && columns.front().name.empty()) {
    columns.front().value = value;
  } else {
    columns.insert(columns.begin(), WideColumn{kDefaultColumnName, value});
  }
  return EncodeWideColumns(std::move(columns), to);
}

}  // namespace skarn
