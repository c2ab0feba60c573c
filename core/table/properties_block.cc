#include "core/table/properties_block.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "core/base/codec.h"
#include "core/base/coding.h"
#include "core/table/block_builder.h"
#include "core/table/block_walk.h"
#include "core/table/meta_block_names.h"

namespace skarn {

namespace {

// When a predefined number is written.
enum class Written : uint8_t {
  kAlways,
  kUnlessZero,
  kIfPartitioned,  // When there are index partitions.
  kIfZero,         // The default is 1.
  kIfKnown,        // Unknown is UINT64_MAX.
};

struct NumberRow {
  const char* name;
  uint64_t TableProperties::*member;
  Written written;
};
struct TextRow {
  const char* name;
  std::string TableProperties::*member;
  bool always;  // Else unless empty.
};

using P = TableProperties;

// Stored on disk: never change a name.
constexpr NumberRow kNumbers[] = {
    {"rocksdb.column.family.id", &P::column_family_id, Written::kAlways},
    {"rocksdb.creation.time", &P::creation_time, Written::kAlways},
    {"rocksdb.data.block.restart.interval", &P::data_block_restart_interval, Written::kUnlessZero},
    {"rocksdb.data.size", &P::data_size, Written::kAlways},
    {"rocksdb.deleted.keys", &P::num_deletions, Written::kAlways},
    {"rocksdb.file.creation.time", &P::file_creation_time, Written::kUnlessZero},
    {"rocksdb.filter.size", &P::filter_size, Written::kAlways},
    {"rocksdb.fixed.key.length", &P::fixed_key_len, Written::kAlways},
    {"rocksdb.format.version", &P::format_version, Written::kAlways},
    {"rocksdb.index.block.restart.interval", &P::index_block_restart_interval,
     Written::kUnlessZero},
    {"rocksdb.index.key.is.user.key", &P::index_key_is_user_key, Written::kAlways},
    {"rocksdb.index.partitions", &P::index_partitions, Written::kIfPartitioned},
    {"rocksdb.index.size", &P::index_size, Written::kAlways},
    {"rocksdb.index.value.is.delta.encoded", &P::index_value_is_delta_encoded, Written::kAlways},
    {"rocksdb.key.largest.seqno", &P::key_largest_seqno, Written::kIfKnown},
    {"rocksdb.key.smallest.seqno", &P::key_smallest_seqno, Written::kIfKnown},
    {"rocksdb.merge.operands", &P::num_merge_operands, Written::kAlways},
    {"rocksdb.newest.key.time", &P::newest_key_time, Written::kAlways},
    {"rocksdb.num.data.blocks", &P::num_data_blocks, Written::kAlways},
    {"rocksdb.num.data.blocks.compression.bypassed", &P::num_data_blocks_compression_bypassed,
     Written::kUnlessZero},
    {"rocksdb.num.data.blocks.compression.rejected", &P::num_data_blocks_compression_rejected,
     Written::kUnlessZero},
    {"rocksdb.num.entries", &P::num_entries, Written::kAlways},
    {"rocksdb.num.filter_entries", &P::num_filter_entries, Written::kAlways},
    {"rocksdb.num.range-deletions", &P::num_range_deletions, Written::kAlways},
    {"rocksdb.num.uniform.blocks", &P::num_uniform_blocks, Written::kAlways},
    {"rocksdb.oldest.key.time", &P::oldest_key_time, Written::kAlways},
    {"rocksdb.original.file.number", &P::orig_file_number, Written::kAlways},
    {"rocksdb.raw.key.size", &P::raw_key_size, Written::kAlways},
    {"rocksdb.raw.value.size", &P::raw_value_size, Written::kAlways},
    {"rocksdb.sample_for_compression.fast.data.size", &P::fast_compression_estimated_data_size,
     Written::kUnlessZero},
    {"rocksdb.sample_for_compression.slow.data.size", &P::slow_compression_estimated_data_size,
     Written::kUnlessZero},
    {"rocksdb.separate.key.value.in.data.block", &P::separate_key_value_in_data_block,
     Written::kUnlessZero},
    {"rocksdb.tail.start.offset", &P::tail_start_offset, Written::kAlways},
    {"rocksdb.top-level.index.size", &P::top_level_index_size, Written::kIfPartitioned},
    {"rocksdb.udi.is.primary.index", &P::udi_is_primary_index, Written::kUnlessZero},
    {"rocksdb.user.defined.timestamps.persisted", &P::user_defined_timestamps_persisted,
     Written::kIfZero},
};

constexpr TextRow kTexts[] = {
    {"rocksdb.column.family.name", &P::column_family_name, false},
    {"rocksdb.comparator", &P::comparator_name, true},
    {"rocksdb.compression", &P::compression_name, true},
    {"rocksdb.compression_options", &P::compression_options, true},
    {"rocksdb.creating.db.identity", &P::db_id, false},
    {"rocksdb.creating.host.identity", &P::db_host_id, false},
    {"rocksdb.creating.session.identity", &P::db_session_id, false},
    {"rocksdb.filter.policy", &P::filter_policy_name, false},
    {"rocksdb.merge.operator", &P::merge_operator_name, true},
    {"rocksdb.prefix.extractor.name", &P::prefix_extractor_name, true},
    {"rocksdb.property.collectors", &P::property_collectors_names, true},
    {"rocksdb.seqno.time.map", &P::seqno_to_time_mapping, false},
};

bool IsWritten(const NumberRow& row, const TableProperties& properties) {
  const uint64_t value = properties.*row.member;
  switch (row.written) {
    case Written::kAlways:
      return true;
    case Written::kUnlessZero:
      return value != 0;
    case Written::kIfPartitioned:
      return properties.index_partitions != 0;
    case Written::kIfZero:
      return value == 0;
    case Written::kIfKnown:
      return value != UINT64_MAX;
  }
  return false;
}

const NumberRow* FindNumber(Slice name) {
  for (const NumberRow& row : kNumbers) {
    if (name == Slice(row.name)) return &row;
  }
  return nullptr;
}

const TextRow* FindText(Slice name) {
  for (const TextRow& row : kTexts) {
    if (name == Slice(row.name)) return &row;
  }
  return nullptr;
}

int HexDigit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

}  // namespace

std::string EncodeProperties(const TableProperties& properties) {
  std::vector<std::pair<Slice, std::string>> rows;
  for (const NumberRow& row : kNumbers) {
    if (!IsWritten(row, properties)) continue;
    std::string value;
    PutVarint64(&value, properties.*row.member);
    rows.emplace_back(row.name, std::move(value));
  }
  for (const TextRow& row : kTexts) {
    const std::string& value = properties.*row.member;
    if (row.always || !value.empty()) rows.emplace_back(row.name, value);
  }
  for (const auto& [name, value] : properties.user_collected) {
    if (FindNumber(name) == nullptr && FindText(name) == nullptr) rows.emplace_back(name, value);
  }
  std::sort(rows.begin(), rows.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });

  BlockBuilder::Options options;
  options.restart_interval = UINT32_MAX;
  BlockBuilder block(options);
  for (const auto& [name, value] : rows) block.Add(name, value);
  return block.Finish().ToString();
}

Status ParseProperties(Slice payload, uint64_t block_offset, const std::string& file_name,
                       TableProperties* properties) {
  *properties = TableProperties();
  BlockWalk walk(payload);
  std::string last_name;
  for (bool first = true; walk.Next(); first = false) {
    const Slice name = walk.key();
    const Slice value = walk.value();
    if (!first && !(Slice(last_name) < name)) {
      return Status::Corruption(Concat("properties block at offset ", block_offset, " of ",
                                       file_name, ": names are not ascending at byte ",
                                       walk.entry_offset()));
    }
    last_name.assign(name.data(), name.size());

    if (const NumberRow* row = FindNumber(name); row != nullptr) {
      Slice rest = value;
      uint64_t number = 0;
      if (GetVarint64(&rest, &number)) properties->*row->member = number;
    } else if (const TextRow* text = FindText(name); text != nullptr) {
      properties->*text->member = value.ToString();
    } else {
      properties->user_collected.emplace_hint(properties->user_collected.end(), last_name,
                                              value.ToString());
      if (name == Slice(kExternalFileGlobalSequenceProperty)) {
        properties->external_sst_file_global_seqno_offset =
            block_offset + static_cast<uint64_t>(value.data() - payload.data());
      }
    }
  }
  return walk.status("properties", block_offset, file_name);
}

Status ParseCompressionProperty(Slice value, uint32_t format_version, const std::string& file_name,
                                CompressionProperty* property) {
  *property = CompressionProperty();
  if (value.empty()) return Status::Ok();
  if (format_version < 7) {
    if (value == Slice("NoCompression")) {
      property->none = true;
      return Status::Ok();
    }
    for (int type = 1; type <= 0x40; ++type) {
      const char* name = CodecName(static_cast<CompressionType>(type));
      if (name != nullptr && value == Slice(name)) return Status::Ok();
    }
    return Status::NotSupported(
        Concat("Unknown compression \"", value, "\" in the properties of ", file_name));
  }

  const auto bad = [&] {
    return Status::Corruption(
        Concat("bad compression property \"", value, "\" in the properties of ", file_name));
  };
  const std::string_view text = value.view();
  const size_t manager_end = text.find(';');
  if (manager_end == std::string_view::npos) return bad();
  const std::string_view manager = text.substr(0, manager_end);
  const std::string_view rest = text.substr(manager_end + 1);
  const size_t types_end = rest.find(';');
  if (types_end == std::string_view::npos) return bad();
  const std::string_view types = rest.substr(0, types_end);
  if (types.size() % 2 != 0) return bad();
  property->restricted = true;
  for (size_t i = 0; i < types.size(); i += 2) {
    const int high = HexDigit(types[i]);
    const int low = HexDigit(types[i + 1]);
    const int type = high * 16 + low;
    if (high < 0 || low < 0 || type == 0 || type == 0xff) return bad();
    property->allowed[type >> 6] |= uint64_t{1} << (type & 63);
  }
  if (manager.empty() && !types.empty()) return bad();
  if (!manager.empty() && manager != "BuiltinV2" && manager != "BuiltinV1") {
    return Status::NotSupported(
        Concat("Unknown compression manager \"", manager, "\" in the properties of ", file_name));
  }
  return Status::Ok();
}

}  // namespace skarn
