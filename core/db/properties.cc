// Properties, approximate sizes and memory (rocksdb_property_value and relatives).
//
// One row per property: its name, what computes it, and whether it is a number. Names
// that end in a number ("num-files-at-level2") have that number as argument.

#include <cinttypes>
#include <cstdio>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/epoch.h"
#include "core/cache/cache.h"
#include "core/cache/write_buffer_manager.h"
#include "core/db/db_impl.h"
#include "core/db/stats_text.h"
#include "core/metrics/statistics.h"

namespace skarn {
namespace {

constexpr char kPrefix[] = "rocksdb.";

// Splits "name12" into "name" and 12. False when it does not end in digits.
bool SplitArgument(Slice name, Slice* stem, uint64_t* argument) {
  size_t end = name.size();
  while (end > 0 && name[end - 1] >= '0' && name[end - 1] <= '9') --end;
  if (end == name.size() || name.size() - end > 10) return false;
  *stem = Slice(name.data(), end);
  *argument = 0;
  for (size_t i = end; i < name.size(); ++i) {
    *argument = *argument * 10 + static_cast<uint64_t>(name[i] - '0');
  }
  return true;
}

std::string Format(const char* format, double value) {
  char text[64];
  snprintf(text, sizeof(text), format, value);
  return text;
}

std::string WriteStalls(const ColumnFamily& f) {
  const auto at = [](const uint64_t* counts, StallCause cause) {
    return counts[static_cast<size_t>(cause)];
  };
  uint64_t delays = 0;
  uint64_t stops = 0;
  for (size_t i = 0; i < 5; ++i) {
    delays += f.stall_delays[i];
    stops += f.stall_stops[i];
  }
  return Concat(
      "Write Stall (count): "
      "cf-l0-file-count-limit-delays-with-ongoing-compaction: 0, "
      "cf-l0-file-count-limit-stops-with-ongoing-compaction: 0, "
      "l0-file-count-limit-delays: ",
      at(f.stall_delays, StallCause::kLevel0FileCount),
      ", l0-file-count-limit-stops: ", at(f.stall_stops, StallCause::kLevel0FileCount),
      ", memtable-limit-delays: ", at(f.stall_delays, StallCause::kMemtableLimit),
      ", memtable-limit-stops: ", at(f.stall_stops, StallCause::kMemtableLimit),
      ", pending-compaction-bytes-delays: ",
      at(f.stall_delays, StallCause::kPendingCompactionBytes),
      ", pending-compaction-bytes-stops: ", at(f.stall_stops, StallCause::kPendingCompactionBytes),
      ", total-delays: ", delays, ", total-stops: ", stops, "\n");
}

}  // namespace

// What all the rows below get. Lives under the db mutex.
struct PropertySource {
  DbImpl* db;
  ColumnFamily* family;
  Version* version;
  const VersionStorage* storage;
};

// The rows. Members of DbImpl's private part are reached through this friend.
class PropertyTable {
 public:
  using Number = bool (*)(const PropertySource& source, uint64_t* value);
  using Text = bool (*)(const PropertySource& source, uint64_t argument, std::string* value);
  struct NumberRow {
    const char* name;
    Number get;
  };
  struct TextRow {
    const char* name;
    bool has_argument;
    Text get;
  };

  static const NumberRow* FindNumber(Slice name);
  static const TextRow* FindText(Slice name, uint64_t* argument);

 private:
  static const NumberRow kNumbers[];
  static const TextRow kTexts[];

  static Cache* BlockCache(const PropertySource& source) {
    const auto& table = source.family->options().table_factory.block_based;
    return table.no_block_cache ? nullptr : table.block_cache.get();
  }
  static uint64_t MemtableBytes(const PropertySource& source) {
    return source.family->active()->memory_bytes() + source.family->immutables().unflushed_bytes();
  }
  static uint64_t SumOfImmutables(const PropertySource& source,
                                  uint64_t (MemTable::*count)() const) {
    uint64_t sum = 0;
    for (const auto& entry : source.family->immutables().entries()) sum += (entry.table->*count)();
    return sum;
  }
  // Range deletions are not among them.
  static uint64_t PointDeletions(const MemTable& table) {
    return table.deletion_count() - table.range_deletion_count();
  }
  static uint64_t PointDeletionsOfImmutables(const PropertySource& source) {
    return SumOfImmutables(source, &MemTable::deletion_count) -
           SumOfImmutables(source, &MemTable::range_deletion_count);
  }
  // The caller holds the mutex through another name for the same database.
  static bool TableProperties(const PropertySource& source, int level,
                              std::string* value) SKARN_NO_THREAD_SAFETY_ANALYSIS {
    // Reading properties may need a file: not under the mutex.
    Version* const version = source.version;
    version->Ref();
    source.db->mutex()->Unlock();
    skarn::TableProperties sum;
    const Status status = version->AggregatedProperties(level, &sum);
    version->Unref();
    source.db->mutex()->Lock();
    if (status.ok()) *value = sum.ToString();
    return status.ok();
  }
};

const PropertyTable::NumberRow PropertyTable::kNumbers[] = {
    {"num-immutable-mem-table",
     [](const PropertySource& s, uint64_t* v) {
       *v = s.family->immutables().unflushed();
       return true;
     }},
    {"num-immutable-mem-table-flushed",
     [](const PropertySource& s, uint64_t* v) {
       *v = s.family->immutables().History().size();
       return true;
     }},
    {"mem-table-flush-pending",
     [](const PropertySource& s, uint64_t* v) {
       const ImmutableList& list = s.family->immutables();
       const auto least =
           static_cast<size_t>(s.family->options().min_write_buffer_number_to_merge);
       *v = list.waiting() > 0 && (list.flush_requested || list.waiting() >= least) ? 1 : 0;
       return true;
     }},
    {"num-running-flushes",
     [](const PropertySource& s, uint64_t* v) {
       s.db->mutex_.AssertHeld();
       *v = static_cast<uint64_t>(s.db->flushes_running_);
       return true;
     }},
    {"compaction-pending",
     [](const PropertySource& s, uint64_t* v) {
       *v = s.family->picker()->NeedsCompaction(*s.version) ? 1 : 0;
       return true;
     }},
    {"num-running-compactions",
     [](const PropertySource& s, uint64_t* v) {
       s.db->mutex_.AssertHeld();
       *v = static_cast<uint64_t>(s.db->compactions_running_);
       return true;
     }},
    {"num-running-compaction-sorted-runs",
     [](const PropertySource& s, uint64_t* v) {
       uint64_t runs = 0;
       for (int level = 0; level < s.storage->num_levels(); ++level) {
         bool any = false;
         for (const FileMetadata* file : s.storage->level(level)) {
           if (!file->being_compacted) continue;
           if (level == 0) ++runs;
           any = true;
         }
         if (level > 0 && any) ++runs;
       }
       *v = runs;
       return true;
     }},
    {"compaction-abort-count",
     [](const PropertySource&, uint64_t* v) {
       *v = 0;  // Nothing in the C API aborts running compactions as a whole.
       return true;
     }},
    {"background-errors",
     [](const PropertySource& s, uint64_t* v) {
       s.db->mutex_.AssertHeld();
       *v = s.db->errors_.count();
       return true;
     }},
    {"cur-size-active-mem-table",
     [](const PropertySource& s, uint64_t* v) {
       *v = s.family->active()->memory_bytes();
       return true;
     }},
    {"cur-size-all-mem-tables",
     [](const PropertySource& s, uint64_t* v) {
       *v = MemtableBytes(s);
       return true;
     }},
    {"size-all-mem-tables",
     [](const PropertySource& s, uint64_t* v) {
       *v = MemtableBytes(s) + s.family->immutables().history_bytes();
       return true;
     }},
    {"num-entries-active-mem-table",
     [](const PropertySource& s, uint64_t* v) {
       *v = s.family->active()->entry_count();
       return true;
     }},
    {"num-entries-imm-mem-tables",
     [](const PropertySource& s, uint64_t* v) {
       *v = SumOfImmutables(s, &MemTable::entry_count);
       return true;
     }},
    {"num-deletes-active-mem-table",
     [](const PropertySource& s, uint64_t* v) {
       *v = PointDeletions(*s.family->active());
       return true;
     }},
    {"num-deletes-imm-mem-tables",
     [](const PropertySource& s, uint64_t* v) {
       *v = PointDeletionsOfImmutables(s);
       return true;
     }},
    {"estimate-num-keys",
     [](const PropertySource& s, uint64_t* v) {
       const MemTable& active = *s.family->active();
       const uint64_t entries = active.entry_count() +
                                SumOfImmutables(s, &MemTable::entry_count) +
                                s.storage->EstimatedLiveKeys();
       const uint64_t deletions =
           PointDeletions(active) + PointDeletionsOfImmutables(s);
       *v = entries > 2 * deletions ? entries - 2 * deletions : 0;
       return true;
     }},
    {"estimate-table-readers-mem",
     [](const PropertySource& s, uint64_t* v) {
       *v = s.version->TableReaderMemory();
       return true;
     }},
    {"is-file-deletions-enabled",
     [](const PropertySource& s, uint64_t* v) {
       s.db->mutex_.AssertHeld();
       *v = s.db->file_deletions_disabled_ == 0 ? 1 : 0;
       return true;
     }},
    {"num-snapshots",
     [](const PropertySource& s, uint64_t* v) {
       *v = s.db->snapshots_.count();
       return true;
     }},
    {"oldest-snapshot-time",
     [](const PropertySource& s, uint64_t* v) {
       *v = s.db->snapshots_.oldest_time_s();
       return true;
     }},
    {"oldest-snapshot-sequence",
     [](const PropertySource& s, uint64_t* v) {
       *v = s.db->snapshots_.count() == 0 ? 0 : s.db->snapshots_.oldest_sequence();
       return true;
     }},
    {"num-live-versions",
     [](const PropertySource& s, uint64_t* v) {
       *v = s.family->versions()->version_count();
       return true;
     }},
    {"current-super-version-number",
     [](const PropertySource& s, uint64_t* v) {
       *v = s.family->super_version_number();
       return true;
     }},
    {"estimate-live-data-size",
     [](const PropertySource& s, uint64_t* v) {
       *v = s.storage->EstimatedLiveBytes();
       return true;
     }},
    {"min-log-number-to-keep",
     [](const PropertySource& s, uint64_t* v) {
       *v = s.db->versions_->min_log_number_to_keep();
       return true;
     }},
    {"min-obsolete-sst-number-to-keep",
     [](const PropertySource& s, uint64_t* v) {
       *v = s.db->versions_->MinObsoleteTableNumber();
       return true;
     }},
    {"total-sst-files-size",
     [](const PropertySource& s, uint64_t* v) {
       *v = s.family->versions()->TotalTableBytesOfAllVersions();
       return true;
     }},
    {"live-sst-files-size",
     [](const PropertySource& s, uint64_t* v) {
       *v = s.storage->total_bytes();
       return true;
     }},
    {"obsolete-sst-files-size",
     [](const PropertySource& s, uint64_t* v) {
       const uint64_t all = s.family->versions()->TotalTableBytesOfAllVersions();
       const uint64_t live = s.storage->total_bytes();
       *v = all > live ? all - live : 0;
       return true;
     }},
    {"base-level",
     [](const PropertySource& s, uint64_t* v) {
       *v = static_cast<uint64_t>(static_cast<int64_t>(s.storage->base_level()));
       return true;
     }},
    {"estimate-pending-compaction-bytes",
     [](const PropertySource& s, uint64_t* v) {
       *v = s.storage->pending_compaction_bytes();
       return true;
     }},
    {"actual-delayed-write-rate",
     [](const PropertySource& s, uint64_t* v) {
       s.db->mutex_.AssertHeld();
       *v = s.db->write_controller_.delayed() ? s.db->write_controller_.rate() : 0;
       return true;
     }},
    {"is-write-stopped",
     [](const PropertySource& s, uint64_t* v) {
       s.db->mutex_.AssertHeld();
       *v = s.db->write_controller_.stopped() ? 1 : 0;
       return true;
     }},
    {"block-cache-capacity",
     [](const PropertySource& s, uint64_t* v) {
       Cache* const cache = BlockCache(s);
       if (cache != nullptr) *v = cache->capacity();
       return cache != nullptr;
     }},
    {"block-cache-usage",
     [](const PropertySource& s, uint64_t* v) {
       Cache* const cache = BlockCache(s);
       if (cache != nullptr) *v = cache->usage();
       return cache != nullptr;
     }},
    {"block-cache-pinned-usage",
     [](const PropertySource& s, uint64_t* v) {
       Cache* const cache = BlockCache(s);
       if (cache != nullptr) *v = cache->pinned_usage();
       return cache != nullptr;
     }},
    {"num-blob-files",
     [](const PropertySource& s, uint64_t* v) {
       *v = s.storage->blob_files().size();
       return true;
     }},
    {"total-blob-file-size",
     [](const PropertySource& s, uint64_t* v) {
       *v = 0;
       for (const auto& [number, file] : s.storage->blob_files()) *v += file->file_bytes();
       return true;
     }},
    {"live-blob-file-size",
     [](const PropertySource& s, uint64_t* v) {
       *v = 0;
       for (const auto& [number, file] : s.storage->blob_files()) *v += file->file_bytes();
       return true;
     }},
    {"live-blob-file-garbage-size",
     [](const PropertySource& s, uint64_t* v) {
       *v = 0;
       for (const auto& [number, file] : s.storage->blob_files()) *v += file->garbage_bytes;
       return true;
     }},
};

const PropertyTable::
    TextRow
        PropertyTable::
            kTexts
                [] =
                    {
                        {"num-files-at-level", true,
                         [](const PropertySource& s, uint64_t level, std::string* v) {
                           if (level >= static_cast<uint64_t>(s.storage->num_levels()))
                             return false;
                           *v = std::to_string(s.storage->file_count(static_cast<int>(level)));
                           return true;
                         }},
                        {"compression-ratio-at-level", true,
                         [](const PropertySource& s, uint64_t level, std::string* v) {
                           if (level >= static_cast<uint64_t>(s.storage->num_levels()))
                             return false;
                           uint64_t stored = 0;
                           uint64_t raw = 0;
                           for (const FileMetadata* file :
                                s.storage->level(static_cast<int>(level))) {
                             stored += file->size_bytes;
                             raw += file->raw_key_bytes + file->raw_value_bytes;
                           }
                           *v = Format("%.6f", stored == 0 ? -1.0
                                                           : static_cast<double>(raw) /
                                                                 static_cast<double>(stored));
                           return true;
                         }},
                        {"levelstats", false,
                         [](const PropertySource& s, uint64_t, std::string* v) {
                           *v = "Level Files Size(MB)\n--------------------\n";
                           for (int level = 0; level < s.storage->num_levels(); ++level) {
                             char line[64];
                             snprintf(
                                 line, sizeof(line), "%3d %8d %8.0f\n", level,
                                 s.storage->file_count(level),
                                 static_cast<double>(s.storage->level_bytes(level)) / 1048576.0);
                             v->append(line);
                           }
                           return true;
                         }},
                        {"sstables", false,
                         [](const PropertySource& s, uint64_t, std::string* v) {
                           *v = s.storage->DebugString(s.version->number());
                           return true;
                         }},
                        {"stats", false,
                         [](const PropertySource& s, uint64_t, std::string* v)
                             SKARN_NO_THREAD_SAFETY_ANALYSIS {
                               *v = s.db->FamilyStatsText(s.family, /*new_interval=*/true);
                               v->append(DbImpl::FileReadHistograms(s.family));
                               v->append(s.db->DbStatsText(/*new_interval=*/true));
                               return true;
                             }},
                        {"cfstats", false,
                         [](const PropertySource& s, uint64_t, std::string* v)
                             SKARN_NO_THREAD_SAFETY_ANALYSIS {
                               *v = s.db->FamilyStatsText(s.family, /*new_interval=*/true);
                               v->append(DbImpl::FileReadHistograms(s.family));
                               return true;
                             }},
                        {"cfstats-no-file-histogram", false,
                         [](const PropertySource& s, uint64_t, std::string* v)
                             SKARN_NO_THREAD_SAFETY_ANALYSIS {
                               *v = s.db->FamilyStatsText(s.family, /*new_interval=*/true);
                               return true;
                             }},
                        {"cf-file-histogram", false,
                         [](const PropertySource& s, uint64_t, std::string* v) {
                           *v = DbImpl::FileReadHistograms(s.family);
                           return true;
                         }},
                        {"cf-write-stall-stats", false,
                         [](const PropertySource& s, uint64_t, std::string* v) {
                           *v = WriteStalls(*s.family);
                           return true;
                         }},
                        {"dbstats", false,
                         [](const PropertySource& s, uint64_t, std::string* v)
                             SKARN_NO_THREAD_SAFETY_ANALYSIS {
                               *v = s.db->DbStatsText(/*new_interval=*/true);
                               return true;
                             }},
                        {"db-write-stall-stats", false,
                         [](const PropertySource& s, uint64_t, std::string* v) {
                           s.db->mutex_.AssertHeld();
                           const auto stops =
                               s.db->write_controller_.stop_counts[static_cast<size_t>(
                                   StallCause::kWriteBufferManagerLimit)];
                           *v = Concat("Write Stall (count): write-buffer-manager-limit-stops: ",
                                       stops, "\n");
                           return true;
                         }},
                        {"block-cache-entry-stats", false,
                         [](const PropertySource& s, uint64_t, std::string* v) {
                           Cache* const cache = BlockCache(s);
                           if (cache != nullptr) AppendBlockCacheStats(*cache, v);
                           return cache != nullptr;
                         }},
                        {"fast-block-cache-entry-stats", false,
                         [](const PropertySource& s, uint64_t, std::string* v) {
                           Cache* const cache = BlockCache(s);
                           if (cache != nullptr) AppendBlockCacheStats(*cache, v);
                           return cache != nullptr;
                         }},
                        {"aggregated-table-properties", false,
                         [](const PropertySource& s, uint64_t, std::string* v) {
                           return TableProperties(s, -1, v);
                         }},
                        {"aggregated-table-properties-at-level", true,
                         [](const PropertySource& s, uint64_t level, std::string* v) {
                           return level < static_cast<uint64_t>(s.storage->num_levels()) &&
                                  TableProperties(s, static_cast<int>(level), v);
                         }},
                        {"options-statistics", false,
                         [](const PropertySource& s, uint64_t, std::string* v) {
                           if (s.db->statistics_ == nullptr) return false;
                           *v = s.db->statistics_->ToString();
                           return true;
                         }},
                        {"blob-stats", false,
                         [](const PropertySource& s, uint64_t, std::string* v) {
                           uint64_t total = 0;
                           uint64_t garbage = 0;
                           for (const auto& [number, file] : s.storage->blob_files()) {
                             total += file->file_bytes();
                             garbage += file->garbage_bytes;
                           }
                           const double amplification =
                               total > garbage ? static_cast<double>(total) /
                                                     static_cast<double>(total - garbage)
                                               : 0;
                           *v = Concat("Number of blob files: ", s.storage->blob_files().size(),
                                       "\nTotal size of blob files: ", total,
                                       "\nTotal size of garbage in blob files: ", garbage,
                                       "\nBlob file space amplification: ",
                                       Format("%g", amplification), "\n");
                           return true;
                         }},
                        {"live-sst-files-size-at-temperature", true,
                         [](const PropertySource& s, uint64_t temperature, std::string* v) {
                           uint64_t bytes = 0;
                           for (int level = 0; level < s.storage->num_levels(); ++level) {
                             for (const FileMetadata* file : s.storage->level(level)) {
                               if (static_cast<uint64_t>(file->temperature) == temperature)
                                 bytes += file->size_bytes;
                             }
                           }
                           *v = std::to_string(bytes);
                           return true;
                         }},
};

namespace {

// Finds the row of a name by its size and three of its characters, then compares it.
template <typename Row>
class RowIndex {
 public:
  template <size_t kCount>
  explicit RowIndex(const Row (&rows)[kCount]) : rows_(rows) {
    for (const Row& row : rows) prints_.push_back(PrintOf(row.name));
  }
  const Row* Find(Slice name) const {
    const uint32_t print = PrintOf(name);
    for (size_t i = 0; i < prints_.size(); ++i) {
      if (prints_[i] == print && name == Slice(rows_[i].name)) return rows_ + i;
    }
    return nullptr;
  }

 private:
  static uint32_t PrintOf(Slice name) {
    const size_t size = name.size();
    if (size == 0) return 0;
    const auto at = [name](size_t i) { return uint32_t{static_cast<uint8_t>(name[i])}; };
    return static_cast<uint32_t>(size) << 24 | at(size - 1) << 16 | at(size / 2) << 8 |
           at(size / 3);
  }
  const Row* const rows_;
  std::vector<uint32_t> prints_;
};

}  // namespace

const PropertyTable::NumberRow* PropertyTable::FindNumber(Slice name) {
  static const RowIndex<NumberRow> index(kNumbers);
  return index.Find(name);
}

const PropertyTable::TextRow* PropertyTable::FindText(Slice name, uint64_t* argument) {
  static const RowIndex<TextRow> index(kTexts);
  const TextRow* row = index.Find(name);
  if (row != nullptr && !row->has_argument) return row;
  Slice stem;
  if (!SplitArgument(name, &stem, argument)) return nullptr;
  row = index.Find(stem);
  return row != nullptr && row->has_argument ? row : nullptr;
}

bool DbImpl::GetProperty(ColumnFamilyHandle* handle, Slice name, std::string* value) {
  value->clear();
  if (!name.StartsWith(kPrefix)) return false;
  name.RemovePrefix(sizeof(kPrefix) - 1);
  ColumnFamily* const family = FamilyOf(handle);
  MutexLock lock(&mutex_);
  Version* const version = family->versions()->current();
  const PropertySource source{this, family, version, &version->storage()};
  if (const PropertyTable::NumberRow* row = PropertyTable::FindNumber(name)) {
    uint64_t number = 0;
    if (!row->get(source, &number)) return false;
    *value = std::to_string(number);
    return true;
  }
  uint64_t argument = 0;
  const PropertyTable::TextRow* row = PropertyTable::FindText(name, &argument);
  return row != nullptr && row->get(source, argument, value);
}

bool DbImpl::GetIntProperty(ColumnFamilyHandle* handle, Slice name, uint64_t* value) {
  if (!name.StartsWith(kPrefix)) return false;
  name.RemovePrefix(sizeof(kPrefix) - 1);
  const PropertyTable::NumberRow* row = PropertyTable::FindNumber(name);
  if (row == nullptr) return false;
  ColumnFamily* const family = FamilyOf(handle);
  MutexLock lock(&mutex_);
  Version* const version = family->versions()->current();
  return row->get({this, family, version, &version->storage()}, value);
}

bool DbImpl::GetAggregatedIntProperty(Slice name, uint64_t* value) {
  if (!name.StartsWith(kPrefix)) return false;
  name.RemovePrefix(sizeof(kPrefix) - 1);
  const PropertyTable::NumberRow* row = PropertyTable::FindNumber(name);
  if (row == nullptr) return false;
  MutexLock lock(&mutex_);
  *value = 0;
  for (ColumnFamily* family : families_) {
    Version* const version = family->versions()->current();
    uint64_t of_family = 0;
    if (!row->get({this, family, version, &version->storage()}, &of_family)) return false;
    *value += of_family;
  }
  return true;
}

Status DbImpl::ApproximateSizes(ColumnFamilyHandle* handle, bool include_memtables,
                                bool include_files, double files_size_error_margin,
                                const KeyRange* ranges, size_t count, uint64_t* sizes) {
  if (!include_memtables && !include_files) return Status::InvalidArgument("Invalid options");
  SuperVersion* const super_version = AcquireSuperVersion(FamilyOf(handle));
  const SizeApproximation how{files_size_error_margin};
  for (size_t i = 0; i < count; ++i) {
    sizes[i] = 0;
    if (include_files) {
      sizes[i] += super_version->current->ApproximateBytes(how, ranges[i].start, ranges[i].limit);
    }
    if (!include_memtables) continue;
    const auto add = [&](const MemTable& table) {
      uint64_t entries = 0;
      uint64_t bytes = 0;
      table.ApproximateRange(ranges[i].start, ranges[i].limit, &entries, &bytes);
      sizes[i] += bytes;
    };
    add(*super_version->active);
    for (const MemTable* table : super_version->immutables) add(*table);
  }
  ReleaseSuperVersion(super_version);
  return Status::Ok();
}

void DbImpl::GetMemoryUsage(uint64_t* memtables_total, uint64_t* memtables_unflushed,
                            uint64_t* table_readers) {
  *memtables_total = *memtables_unflushed = *table_readers = 0;
  MutexLock lock(&mutex_);
  for (ColumnFamily* family : families_) {
    const uint64_t unflushed =
        family->active()->memory_bytes() + family->immutables().unflushed_bytes();
    *memtables_unflushed += unflushed;
    *memtables_total += unflushed + family->immutables().history_bytes();
    *table_readers += family->versions()->current()->TableReaderMemory();
  }
}

DbStats DbImpl::CurrentDbStats() const {
  DbStats stats;
  stats.writes = writes_.load(std::memory_order_relaxed);
  stats.keys = keys_written_.load(std::memory_order_relaxed);
  stats.groups = groups_.load(std::memory_order_relaxed);
  stats.bytes = bytes_written_.load(std::memory_order_relaxed);
  stats.wal_writes = logged_writes_.load(std::memory_order_relaxed);
  stats.wal_syncs = wals_.syncs();
  stats.wal_bytes = wals_.bytes_written();
  stats.stall_micros = stall_micros_;
  return stats;
}

std::string DbImpl::DbStatsText(bool new_interval) {
  const uint64_t now_us = env_->clock->NowMicros();
  const uint64_t interval_began_us = std::max(interval_began_us_, opened_us_);
  const DbStats stats = CurrentDbStats();
  std::string text;
  AppendDbStats(
      stats, interval_stats_, static_cast<double>(now_us - opened_us_) / 1e6,
      static_cast<double>(now_us - interval_began_us) / 1e6,
      write_controller_.stop_counts[static_cast<size_t>(StallCause::kWriteBufferManagerLimit)],
      &text);
  if (new_interval) {
    interval_stats_ = stats;
    interval_began_us_ = now_us;
  }
  return text;
}

std::string DbImpl::FileReadHistograms(const ColumnFamily* family) {
  std::string text =
      Concat("\n** File Read Latency Histogram By Level [", family->name(), "] **\n");
  const TableCache& tables = *family->versions()->table_cache();
  for (int level = 0; level < tables.level_count(); ++level) {
    HistogramSnapshot histogram;
    tables.level_read_micros(level).AddTo(&histogram);
    if (histogram.empty()) continue;
    text += Concat("** Level ", level, " read latency histogram (micros):\n", histogram.ToString(),
                   "\n");
  }
  return text;
}

std::string DbImpl::FamilyStatsText(ColumnFamily* family, bool new_interval) {
  const uint64_t now_us = env_->clock->NowMicros();
  const VersionStorage& storage = family->versions()->current()->storage();
  ColumnFamilyStatsInput input;
  input.name = family->name();
  const size_t levels = static_cast<size_t>(storage.num_levels());
  for (size_t level = 0; level < levels; ++level) {
    LevelRow row;
    row.files = storage.file_count(static_cast<int>(level));
    row.bytes = storage.level_bytes(static_cast<int>(level));
    for (const FileMetadata* file : storage.level(static_cast<int>(level))) {
      row.files_compacted += file->being_compacted ? 1 : 0;
    }
    for (int i = 0; i < storage.score_count(); ++i) {
      if (storage.score_level(i) == static_cast<int>(level)) row.score = storage.score(i);
    }
    if (level < family->level_stats.size()) row.stats = family->level_stats[level];
    input.levels.push_back(row);
  }
  if (family->level_stats.size() > levels) input.flush = family->level_stats[levels];
  input.since = family->interval_stats;
  input.uptime_s = static_cast<double>(now_us - opened_us_) / 1e6;
  input.interval_s =
      static_cast<double>(now_us - std::max(family->interval_began_us, opened_us_)) / 1e6;
  const auto at = [](const uint64_t* counts, StallCause cause) {
    return counts[static_cast<size_t>(cause)];
  };
  input.level0_slowdowns = at(family->stall_delays, StallCause::kLevel0FileCount);
  input.level0_stops = at(family->stall_stops, StallCause::kLevel0FileCount);
  input.pending_slowdowns = at(family->stall_delays, StallCause::kPendingCompactionBytes);
  input.pending_stops = at(family->stall_stops, StallCause::kPendingCompactionBytes);
  input.memtable_slowdowns = at(family->stall_delays, StallCause::kMemtableLimit);
  input.memtable_stops = at(family->stall_stops, StallCause::kMemtableLimit);
  input.pending_compaction_bytes = storage.pending_compaction_bytes();
  input.write_stalls = WriteStalls(*family);
  const auto& table = family->options().table_factory.block_based;
  input.block_cache = table.no_block_cache ? nullptr : table.block_cache.get();
  std::string text;
  AppendColumnFamilyStats(input, &text);
  if (new_interval) {
    family->interval_stats = SumOf(input);
    family->interval_began_us = now_us;
  }
  return text;
}

}  // namespace skarn
