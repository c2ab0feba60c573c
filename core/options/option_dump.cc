#include "core/options/option_dump.h"

#include <algorithm>
#include <string>

#include "core/env/env.h"
#include "core/options/option_rows.h"
#include "core/options/option_text.h"
#include "core/plugin/table_properties_collector.h"

namespace skarn {
namespace {

// Names end at this column, so that values stand below each other.
constexpr size_t kNameWidth = 48;

void Line(Logger* logger, Slice name, Slice value) {
  // Log readers know the one option that has a space there.
  const std::string label = Concat("Options.", name, name == "delayed_write_rate" ? " " : "");
  if (logger == nullptr || LogLevel::kHeader < logger->level()) return;
  // There are hundreds of them, so they are put together by hand.
  std::string text(kNameWidth - std::min(kNameWidth, label.size()), ' ');
  text += label;
  text += ": ";
  text.append(value.data(), value.size());
  logger->Write(LogLevel::kHeader, text);
}

// These are shown as "true" and "false"; other flags as digits.
bool ShownAsWord(Slice name) {
  static constexpr const char* kNames[] = {
      "enforce_single_del_contracts", "ignore_max_compaction_bytes_for_input", "enable_blob_files",
      "enable_blob_garbage_collection", "write_identity_file"};
  for (const char* word : kNames) {
    if (name == Slice(word)) return true;
  }
  return false;
}

// Where the text of OPTIONS files is not what log readers know.
std::string ShownValue(Slice name, Slice type, Slice text) {
  if (type == "bool" && !ShownAsWord(name)) return text == "true" ? "1" : "0";
  const bool codec = type == "CompressionType" && text.StartsWith("k");
  if (codec) {
    if (text == "kDisableCompressionOption") return "Disabled";
    Slice short_name = text;
    short_name.RemovePrefix(1);
    if (text != "kNoCompression" && short_name.EndsWith("Compression")) {
      short_name.RemoveSuffix(sizeof("Compression") - 1);
    }
    return short_name.ToString();
  }
  if (text == "nullptr") {
    if (name == "file_checksum_gen_factory") return "Unknown";
    return name.EndsWith("prefix_extractor") ? "nullptr" : "None";
  }
  return UnescapeOptionText(text);
}

// Enumerations that are numbers there.
bool NumberOf(const DbOptions& options, Slice name, int* number) {
  if (name == "wal_recovery_mode") {
    *number = static_cast<int>(options.wal_recovery_mode);
  } else if (name == "wal_compression") {
    *number = static_cast<int>(options.wal_compression);
  } else {
    return false;
  }
  return true;
}
bool NumberOf(const ColumnFamilyOptions&, Slice, int*) { return false; }

template <typename Options>
void Rows(Logger* logger, std::span<const OptionRow<Options>> rows, const Options& options) {
  for (const OptionRow<Options>& row : rows) {
    if (!row.in_text || row.has_parts) continue;
    std::string text;
    if (int number = 0; NumberOf(options, row.name, &number)) {
      text = std::to_string(number);
    } else {
      row.print(options, &text);
    }
    Line(logger, row.name, ShownValue(row.name, row.type, text));
  }
}

template <typename Structure>
void Fields(Logger* logger, Slice outer, const Structure& value) {
  for (const auto& [name, text] : FieldsOf(value)) Line(logger, Concat(outer, ".", name), text);
}

std::string Pointer(const void* object) {
  if (object == nullptr) return "(nil)";
  char text[32];
  snprintf(text, sizeof(text), "%p", object);
  return text;
}

// Enumerations are numbers there.
bool NumberOf(const TableOptions& table, Slice name, int* number) {
  if (name == "index_type") {
    *number = static_cast<int>(table.index_type);
  } else if (name == "data_block_index_type") {
    *number = static_cast<int>(table.data_block_index_type);
  } else if (name == "index_shortening") {
    *number = static_cast<int>(table.index_shortening);
  } else if (name == "checksum") {
    *number = static_cast<int>(table.checksum);
  } else if (name == "prepopulate_block_cache") {
    *number = static_cast<int>(table.prepopulate_block_cache);
  } else {
    return false;
  }
  return true;
}

// The format's options are one message of many lines.
void TableLines(Logger* logger, const TableFactory& factory, Slice cache_lines) {
  std::string format;
  PrintValue(factory, &format);
  Line(logger, "table_factory", format);

  std::string text;
  switch (factory.format) {
    case TableFactory::Format::kBlockBased:
      for (const OptionRow<TableOptions>& row : TableOptionRows()) {
        if (!row.in_text) continue;
        std::string value;
        row.print(factory.block_based, &value);
        if (Slice(row.type) == "bool") value = value == "true" ? "1" : "0";
        if (int number = 0; NumberOf(factory.block_based, row.name, &number)) {
          value = std::to_string(number);
        } else if (Slice(row.name) == "filter_policy") {
          value.resize(std::min(value.size(), value.find(':')));  // Without its settings.
        }
        text += Concat("  ", row.name, ": ", value, "\n");
      }
      text += Concat("  block_cache: ", Pointer(factory.block_based.block_cache.get()), "\n",
                     cache_lines, "  persistent_cache: (nil)\n");
      break;
    case TableFactory::Format::kPlain:
      for (const auto& [name, value] : FieldsOf(factory.plain)) {
        text += Concat("  ", name, ": ", value, "\n");
      }
      break;
    case TableFactory::Format::kCuckoo:
      for (const auto& [name, value] : FieldsOf(factory.cuckoo)) {
        text += Concat("  ", name, ": ", value, "\n");
      }
      break;
  }
  Log(LogLevel::kHeader, logger, "           table_factory options: %s", text.c_str());
}

}  // namespace

void DumpOptions(Logger* logger, const DbOptions& options) {
  if (logger == nullptr) return;
  Rows(logger, DbOptionRows(), options);
  Line(logger, "fs", options.env == DefaultEnv() ? "PosixFileSystem" : "FileSystem");
  Line(logger, "env", Pointer(options.env));
  Line(logger, "info_log", Pointer(options.info_log.get()));
  Line(logger, "statistics", Pointer(options.statistics.get()));
  Line(logger, "rate_limiter", Pointer(options.rate_limiter.get()));
  Line(logger, "write_buffer_manager", Pointer(options.write_buffer_manager.get()));
  Line(logger, "row_cache", options.row_cache == nullptr ? "None" : "set");
  for (size_t i = 0; i < options.db_paths.size(); i++) {
    Line(logger, Concat("db_paths[", i, "]"),
         Concat(options.db_paths[i].path, " ", options.db_paths[i].target_size));
  }
}

void DumpOptions(Logger* logger, Slice name, const ColumnFamilyOptions& options,
                 Slice cache_lines) {
  if (logger == nullptr) return;
  Log(LogLevel::kHeader, logger,
      "--------------- Options for column family [%.*s]:", static_cast<int>(name.size()),
      name.data());
  Rows(logger, ColumnFamilyOptionRows(), options);
  TableLines(logger, options.table_factory, cache_lines);
  Fields(logger, "compression_opts", options.compression_opts);
  Fields(logger, "bottommost_compression_opts", options.bottommost_compression_opts);
  const std::vector<int32_t>& factors = options.max_bytes_for_level_multiplier_additional;
  for (size_t i = 0; i < factors.size(); i++) {
    Line(logger, Concat("max_bytes_for_level_multiplier_addtl[", i, "]"),
         std::to_string(factors[i]));
  }
  Fields(logger, "compaction_options_universal", options.compaction_options_universal);
  Fields(logger, "compaction_options_fifo", options.compaction_options_fifo);
  std::string collectors;
  for (const auto& factory : options.table_properties_collector_factories) {
    collectors += Concat(factory->ToString(), "; ");
  }
  Line(logger, "table_properties_collectors", collectors);
}

void DumpChangeableOptions(Logger* logger, const ColumnFamilyOptions& options) {
  if (logger == nullptr) return;
  for (const OptionRow<ColumnFamilyOptions>& row : ColumnFamilyOptionRows()) {
    if (!row.in_text || row.has_parts || row.changes != Changes::kWhileOpen) continue;
    std::string text;
    row.print(options, &text);
    Log(LogLevel::kInfo, logger, "%*s: %s", static_cast<int>(kNameWidth), row.name,
        ShownValue(row.name, row.type, text).c_str());
  }
}

void DumpCodecs(Logger* logger) {
  if (logger == nullptr) return;
  Log(LogLevel::kHeader, logger, "Compression algorithms supported:");
  for (const CompressionType type :
       {CompressionType::kSnappy, CompressionType::kZlib, CompressionType::kBZip2,
        CompressionType::kLz4, CompressionType::kLz4hc, CompressionType::kXpress,
        CompressionType::kZstd}) {
    Log(LogLevel::kHeader, logger, "\t%s supported: %d", NameOf(type),
        IsCodecAvailable(type) ? 1 : 0);
  }
}

}  // namespace skarn
