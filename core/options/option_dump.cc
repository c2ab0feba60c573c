#include "core/options/option_dump.h"

#include <string>
#include "core/plugin/table_properties_collector.h"

#include "core/options/option_rows.h"
#include "core/options/option_text.h"

namespace skarn {
namespace {

// Names end at this column, so that values stand below each other.
constexpr int kNameWidth = 48;

void Line(Logger* logger, Slice name, Slice value) {
  const std::string label = Concat("Options.", name);
  Log(LogLevel::kHeader, logger, "%*s: %.*s", kNameWidth, label.c_str(),
      static_cast<int>(value.size()), value.data());
}

// Log readers expect flags as digits, and "None" for what is not set.
std::string ShownValue(Slice type, Slice text) {
  if (type == "bool") return text == "true" ? "1" : "0";
  if (text == "nullptr") return "None";
  return UnescapeOptionText(text);
}

template <typename Options>
void Rows(Logger* logger, std::span<const OptionRow<Options>> rows, const Options& options) {
  for (const OptionRow<Options>& row : rows) {
    if (!row.in_text || row.has_parts) continue;
    std::string text;
    row.print(options, &text);
    Line(logger, row.name, ShownValue(row.type, text));
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

// The format's options are one message of many lines.
void TableLines(Logger* logger, const TableFactory& factory) {
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
        text += Concat("  ", row.name, ": ", value, "\n");
      }
      text += Concat("  block_cache: ", Pointer(factory.block_based.block_cache.get()), "\n");
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

void DumpOptions(Logger* logger, Slice name, const ColumnFamilyOptions& options) {
  if (logger == nullptr) return;
  Log(LogLevel::kHeader, logger,
      "--------------- Options for column family [%.*s]:", static_cast<int>(name.size()),
      name.data());
  Rows(logger, ColumnFamilyOptionRows(), options);
  TableLines(logger, options.table_factory);
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
    collectors += Concat(factory->Name(), "; ");
  }
  Line(logger, "table_properties_collectors", collectors);
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
