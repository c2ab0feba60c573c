#include "core/options/option_rows.h"

#include <algorithm>
#include <type_traits>

#include "core/metrics/statistics.h"
#include "core/options/option_text.h"

namespace skarn {
namespace {

template <typename T>
inline constexpr bool kHasParts =
    std::is_same_v<T, CompressionOptions> || std::is_same_v<T, UniversalCompactionOptions> ||
    std::is_same_v<T, FifoCompactionOptions> || std::is_same_v<T, MetadataCacheOptions> ||
    std::is_same_v<T, TableFactory>;

template <auto kMember, typename Options>
Status ParseMember(const OptionReading& reading, Slice name, Slice text, Options* options) {
  return ParseValue(reading, name, text, &(options->*kMember));
}
template <auto kMember, typename Options>
void PrintMember(const Options& options, std::string* out) {
  PrintValue(options.*kMember, out);
}

#define SKARN_ROW(Options, name, type, default_value, changes, summary) \
  {#name,                                                               \
   #type,                                                               \
   #default_value,                                                      \
   Changes::changes,                                                    \
   summary,                                                             \
   true,                                                                \
   kHasParts<decltype(Options::name)>,                                  \
   &ParseMember<&Options::name, Options>,                               \
   &PrintMember<&Options::name, Options>},
#define SKARN_ROW_IN_MEMORY(name, type, default_value, summary) \
  {#name, #type, #default_value, Changes::kAtOpen, summary, false, false, nullptr, nullptr},

constexpr OptionRow<DbOptions> kDbRows[] = {
#define SKARN_OPTION(name, type, default_value, changes, summary) \
  SKARN_ROW(DbOptions, name, type, default_value, changes, summary)
#define SKARN_OPTION_IN_MEMORY(name, type, default_value, summary) \
  SKARN_ROW_IN_MEMORY(name, type, default_value, summary)
#include "core/options/db_options.def"
};

constexpr OptionRow<ColumnFamilyOptions> kColumnFamilyRows[] = {
#define SKARN_OPTION(name, type, default_value, changes, summary) \
  SKARN_ROW(ColumnFamilyOptions, name, type, default_value, changes, summary)
#define SKARN_OPTION_IN_MEMORY(name, type, default_value, summary) \
  SKARN_ROW_IN_MEMORY(name, type, default_value, summary)
#include "core/options/column_family_options.def"
};

constexpr OptionRow<TableOptions> kTableRows[] = {
#define SKARN_OPTION(name, type, default_value, changes, summary) \
  SKARN_ROW(TableOptions, name, type, default_value, changes, summary)
#define SKARN_OPTION_IN_MEMORY(name, type, default_value, summary) \
  SKARN_ROW_IN_MEMORY(name, type, default_value, summary)
#include "core/options/table_options.def"
};

template <typename Options, size_t kCount>
const OptionRow<Options>* Find(const OptionRow<Options> (&rows)[kCount], Slice name) {
  if (name.empty()) return nullptr;
  for (const OptionRow<Options>& row : rows) {
    if (row.name[0] == name[0] && row.in_text && name == Slice(row.name)) return &row;
  }
  return nullptr;
}

constexpr const char* kRetiredDbOptions[] = {"allow_os_buffer",
                                             "base_background_compactions",
                                             "use_direct_writes",
                                             "disableDataSync",
                                             "disable_data_sync",
                                             "experimental_allow_mempurge",
                                             "experimental_mempurge_policy",
                                             "skip_log_error_on_recovery",
                                             "skip_checking_sst_file_sizes_on_db_open",
                                             "new_table_reader_for_compaction_inputs",
                                             "random_access_max_buffer_size",
                                             "fail_if_options_file_error",
                                             "access_hint_on_compaction_start",
                                             "preserve_deletes",
                                             "concurrent_prepare",
                                             "seq_per_batch",
                                             "rate_limiter"};

constexpr const char* kRetiredTableOptions[] = {"hash_index_allow_collision",
                                                "index_per_partition",
                                                "reserve_table_builder_memory",
                                                "reserve_table_reader_memory",
                                                "skip_table_builder_flush",
                                                "block_cache_compressed",
                                                "persistent_cache"};

struct RetiredOption {
  const char* name;
  bool changeable;
};
constexpr RetiredOption kRetiredColumnFamilyOptions[] = {
    {"filter_deletes", true},
    {"check_flush_compaction_key_order", true},
    {"verify_checksums_in_compaction", true},
    {"hard_rate_limit", true},
    {"soft_rate_limit", true},
    {"ignore_max_compaction_bytes_for_input", true},
    {"expanded_compaction_factor", true},
    {"max_grandparent_overlap_factor", true},
    {"source_compaction_factor", true},
    {"memtable_prefix_bloom_huge_page_tlb_size", true},
    {"memtable_prefix_bloom_bits", true},
    {"memtable_prefix_bloom_probes", true},
    {"min_partial_merge_operands", true},
    {"snap_refresh_nanos", true},
    {"bottommost_temperature", true},
    {"compaction_measure_io_stats", false},
    {"purge_redundant_kvs_while_flush", false},
    {"level_compaction_dynamic_file_size", false},
    {"max_mem_compaction_level", false},
    {"max_write_buffer_number_to_maintain", false},
    {"rate_limit_delay_max_milliseconds", false},
    {"table_properties_collectors", false}};

// Applies `part_of_row` to a row that has parts. The structure's reader knows the rest.
template <typename Options, typename FindRow>
bool SetPart(const OptionReading& reading, Slice name, Slice value, FindRow find_row,
             Options* options, Status* status) {
  const size_t dot = name.view().find('.');
  if (dot == std::string_view::npos) return false;
  const Slice outer(name.data(), dot);
  const OptionRow<Options>* row = find_row(outer);
  if (row == nullptr || !row->has_parts) return false;
  const Slice part(name.data() + dot + 1, name.size() - dot - 1);
  *status = row->parse(reading, outer, Concat("{", part, "={", value, "}}"), options);
  return true;
}

}  // namespace

std::span<const OptionRow<DbOptions>> DbOptionRows() { return kDbRows; }
std::span<const OptionRow<ColumnFamilyOptions>> ColumnFamilyOptionRows() {
  return kColumnFamilyRows;
}
std::span<const OptionRow<TableOptions>> TableOptionRows() { return kTableRows; }

const OptionRow<DbOptions>* FindDbOption(Slice name) { return Find(kDbRows, name); }

const OptionRow<ColumnFamilyOptions>* FindColumnFamilyOption(Slice name) {
  if (name == "memtable") name = "memtable_factory";
  if (name == "block_based_table_factory" || name == "plain_table_factory") name = "table_factory";
  if (name == "memtable_veirfy_per_key_checksum_on_seek") {
    name = "memtable_verify_per_key_checksum_on_seek";
  }
  return Find(kColumnFamilyRows, name);
}

const OptionRow<TableOptions>* FindTableOption(Slice name) { return Find(kTableRows, name); }

bool IsRetiredDbOption(Slice name) {
  return std::any_of(std::begin(kRetiredDbOptions), std::end(kRetiredDbOptions),
                     [name](const char* retired) { return name == Slice(retired); });
}
bool IsRetiredTableOption(Slice name) {
  return std::any_of(std::begin(kRetiredTableOptions), std::end(kRetiredTableOptions),
                     [name](const char* retired) { return name == Slice(retired); });
}
bool IsRetiredColumnFamilyOption(Slice name, bool* changeable) {
  for (const RetiredOption& retired : kRetiredColumnFamilyOptions) {
    if (name != Slice(retired.name)) continue;
    if (changeable != nullptr) *changeable = retired.changeable;
    return true;
  }
  return false;
}

bool SetDbOption(const OptionReading& reading, Slice name, Slice value, DbOptions* options,
                 Status* status) {
  if (const OptionRow<DbOptions>* row = FindDbOption(name); row != nullptr) {
    *status = row->parse(reading, name, value, options);
    return true;
  }
  if (name == "rate_limiter_bytes_per_sec") {
    uint64_t rate = 0;
    *status = ParseValue(reading, name, value, &rate);
    if (status->ok() && rate > 0) {
      options->rate_limiter =
          NewRateLimiter(options->env->clock, rate, /*refill_period_us=*/100000,
                         /*fairness=*/10, RateLimiter::Mode::kWritesOnly, /*auto_tuned=*/false);
    }
    return true;
  }
  if (name == "statistics") {
    ObjectText object;
    *status = SplitObjectText(value, &object);
    if (status->ok() && object.id == "BasicStatistics") {
      options->statistics = std::make_shared<Statistics>();
    }
    return true;
  }
  return name == "env" || name == "listeners" || IsRetiredDbOption(name);
}

bool SetColumnFamilyOption(const OptionReading& reading, Slice name, Slice value,
                           ColumnFamilyOptions* options, Status* status) {
  const OptionRow<ColumnFamilyOptions>* row = FindColumnFamilyOption(name);
  if (row != nullptr) {
    *status = row->parse(reading, name, value, options);
    return true;
  }
  return SetPart(reading, name, value, FindColumnFamilyOption, options, status) ||
         IsRetiredColumnFamilyOption(name, nullptr);
}

bool SetTableOption(const OptionReading& reading, Slice name, Slice value, TableOptions* options,
                    Status* status) {
  if (const OptionRow<TableOptions>* row = FindTableOption(name); row != nullptr) {
    *status = row->parse(reading, name, value, options);
    return true;
  }
  if (name == "block_cache") {
    Slice capacity = value;
    ObjectText object;
    if (value.view().find('=') != std::string_view::npos) {
      *status = SplitObjectText(value, &object);
      if (!status->ok()) return true;
      capacity = object.options["capacity"];
    }
    size_t bytes = 0;
    *status = ParseValue(reading, name, capacity, &bytes);
    if (status->ok() && reading.make_cache != nullptr) {
      options->block_cache = reading.make_cache(bytes);
    }
    return true;
  }
  return SetPart(reading, name, value, FindTableOption, options, status) ||
         IsRetiredTableOption(name);
}

}  // namespace skarn
