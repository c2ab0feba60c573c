// Flush, compaction, options in force, properties, sizes, and the like (c/db.h).

#include <string>
#include <unordered_map>
#include <vector>

#include "compat/c_status.h"
#include "compat/handle_life.h"
#include "compat/handles.h"
#include "include/c_api/rocksdb/c.h"

namespace {

using skarn::ColumnFamilyHandle;
using skarn::CopyToMalloc;
using skarn::SaveError;
using skarn::Slice;
using skarn::Status;

// A bound that a C caller leaves open by passing NULL.
class OptionalKey {
 public:
  OptionalKey(const char* key, size_t size)
      : slice_(key != nullptr ? Slice(key, size) : Slice()), given_(key != nullptr) {}
  const Slice* get() const { return given_ ? &slice_ : nullptr; }

 private:
  Slice slice_;
  bool given_;
};

void CompactRange(rocksdb_t* db, const skarn::CompactRangeOptions& options,
                  ColumnFamilyHandle* family, const char* start_key, size_t start_key_len,
                  const char* limit_key, size_t limit_key_len) {
  const OptionalKey begin(start_key, start_key_len);
  const OptionalKey end(limit_key, limit_key_len);
  // The C function has no way to tell an error; it is in the LOG.
  const Status status = DbOf(db, family)->CompactRange(options, family, begin.get(), end.get());
  (void)status.ok();
}

void SuggestCompactRange(rocksdb_t* db, ColumnFamilyHandle* family, const char* start_key,
                         size_t start_key_len, const char* limit_key, size_t limit_key_len,
                         char** errptr) {
  const OptionalKey begin(start_key, start_key_len);
  const OptionalKey end(limit_key, limit_key_len);
  SaveError(errptr, DbOf(db, family)->SuggestCompactRange(family, begin.get(), end.get()));
}

void DeleteFileInRange(rocksdb_t* db, ColumnFamilyHandle* family, const char* start_key,
                       size_t start_key_len, const char* limit_key, size_t limit_key_len,
                       char** errptr) {
  const OptionalKey begin(start_key, start_key_len);
  const OptionalKey end(limit_key, limit_key_len);
  const Slice* starts[] = {begin.get()};
  const Slice* limits[] = {end.get()};
  SaveError(errptr,
            DbOf(db, family)->DeleteFilesInRanges(family, starts, limits, 1, /*include_end=*/true));
}

void ApproximateSizes(rocksdb_t* db, ColumnFamilyHandle* family, int num_ranges,
                      const char* const* range_start_key, const size_t* range_start_key_len,
                      const char* const* range_limit_key, const size_t* range_limit_key_len,
                      bool include_memtables, bool include_files, double error_margin,
                      uint64_t* sizes, char** errptr) {
  std::vector<skarn::KeyRange> ranges;
  for (int i = 0; i < num_ranges; ++i) {
    ranges.push_back({Slice(range_start_key[i], range_start_key_len[i]),
                      Slice(range_limit_key[i], range_limit_key_len[i])});
  }
  const Status status = DbOf(db, family)
                            ->ApproximateSizes(family, include_memtables, include_files,
                                               error_margin, ranges.data(), ranges.size(), sizes);
  if (SaveError(errptr, status)) {
    for (int i = 0; i < num_ranges; ++i) sizes[i] = 0;
  }
}

char* PropertyValue(rocksdb_t* db, ColumnFamilyHandle* family, const char* name) {
  std::string value;
  return name != nullptr && DbOf(db, family)->GetProperty(family, name, &value)
             ? CopyToMalloc(value)
             : nullptr;
}

int PropertyInt(rocksdb_t* db, ColumnFamilyHandle* family, const char* name, uint64_t* value) {
  if (name == nullptr || value == nullptr) return -1;
  return DbOf(db, family)->GetIntProperty(family, name, value) ? 0 : -1;
}

std::unordered_map<std::string, std::string> Changes(int count, const char* const keys[],
                                                     const char* const values[]) {
  std::unordered_map<std::string, std::string> changes;
  for (int i = 0; i < count && keys != nullptr && values != nullptr; ++i) {
    if (keys[i] != nullptr && values[i] != nullptr) changes[keys[i]] = values[i];
  }
  return changes;
}

}  // namespace

extern "C" {

void rocksdb_flush(rocksdb_t* db, const rocksdb_flushoptions_t* options, char** errptr) {
  SaveError(errptr, DbOf(db)->Flush(Usable(options)->rep, {nullptr}));
}

void rocksdb_flush_cf(rocksdb_t* db, const rocksdb_flushoptions_t* options,
                      rocksdb_column_family_handle_t* column_family, char** errptr) {
  SaveError(errptr, DbOf(db, FamilyIn(db, column_family))
                        ->Flush(Usable(options)->rep, {FamilyIn(db, column_family)}));
}

void rocksdb_flush_cfs(rocksdb_t* db, const rocksdb_flushoptions_t* options,
                       rocksdb_column_family_handle_t** column_family, int num_column_families,
                       char** errptr) {
  std::vector<ColumnFamilyHandle*> families;
  for (int i = 0; i < num_column_families; ++i) families.push_back(FamilyIn(db, column_family[i]));
  SaveError(errptr, DbOf(db, families)->Flush(Usable(options)->rep, families));
}

void rocksdb_compact_range(rocksdb_t* db, const char* start_key, size_t start_key_len,
                           const char* limit_key, size_t limit_key_len) {
  CompactRange(db, {}, nullptr, start_key, start_key_len, limit_key, limit_key_len);
}

void rocksdb_compact_range_cf(rocksdb_t* db, rocksdb_column_family_handle_t* column_family,
                              const char* start_key, size_t start_key_len, const char* limit_key,
                              size_t limit_key_len) {
  CompactRange(db, {}, FamilyIn(db, column_family), start_key, start_key_len, limit_key,
               limit_key_len);
}

void rocksdb_compact_range_opt(rocksdb_t* db, rocksdb_compactoptions_t* opt, const char* start_key,
                               size_t start_key_len, const char* limit_key, size_t limit_key_len) {
  CompactRange(db, Usable(opt)->rep, nullptr, start_key, start_key_len, limit_key, limit_key_len);
}

void rocksdb_compact_range_cf_opt(rocksdb_t* db, rocksdb_column_family_handle_t* column_family,
                                  rocksdb_compactoptions_t* opt, const char* start_key,
                                  size_t start_key_len, const char* limit_key,
                                  size_t limit_key_len) {
  CompactRange(db, Usable(opt)->rep, FamilyIn(db, column_family), start_key, start_key_len,
               limit_key, limit_key_len);
}

void rocksdb_suggest_compact_range(rocksdb_t* db, const char* start_key, size_t start_key_len,
                                   const char* limit_key, size_t limit_key_len, char** errptr) {
  SuggestCompactRange(db, nullptr, start_key, start_key_len, limit_key, limit_key_len, errptr);
}

void rocksdb_suggest_compact_range_cf(rocksdb_t* db, rocksdb_column_family_handle_t* column_family,
                                      const char* start_key, size_t start_key_len,
                                      const char* limit_key, size_t limit_key_len, char** errptr) {
  SuggestCompactRange(db, FamilyIn(db, column_family), start_key, start_key_len, limit_key,
                      limit_key_len, errptr);
}

void rocksdb_delete_file(rocksdb_t* db, const char* name) {
  const Status status =
      DbOf(db)->DeleteFile(TextOf(name));  // No way to tell an error; it is in the LOG.
  (void)status.ok();
}

void rocksdb_delete_file_in_range(rocksdb_t* db, const char* start_key, size_t start_key_len,
                                  const char* limit_key, size_t limit_key_len, char** errptr) {
  DeleteFileInRange(db, nullptr, start_key, start_key_len, limit_key, limit_key_len, errptr);
}

void rocksdb_delete_file_in_range_cf(rocksdb_t* db, rocksdb_column_family_handle_t* column_family,
                                     const char* start_key, size_t start_key_len,
                                     const char* limit_key, size_t limit_key_len, char** errptr) {
  DeleteFileInRange(db, FamilyIn(db, column_family), start_key, start_key_len, limit_key,
                    limit_key_len, errptr);
}

void rocksdb_wait_for_compact(rocksdb_t* db, rocksdb_wait_for_compact_options_t* options,
                              char** errptr) {
  SaveError(errptr, DbOf(db)->WaitForCompact(Usable(options)->rep));
}

void rocksdb_cancel_all_background_work(rocksdb_t* db, unsigned char wait) {
  DbOf(db)->CancelAllBackgroundWork(wait != 0);
}

void rocksdb_disable_manual_compaction(rocksdb_t* db) { DbOf(db)->DisableManualCompaction(); }

void rocksdb_enable_manual_compaction(rocksdb_t* db) { DbOf(db)->EnableManualCompaction(); }

void rocksdb_disable_file_deletions(rocksdb_t* db, char** errptr) {
  SaveError(errptr, DbOf(db)->DisableFileDeletions());
}

void rocksdb_enable_file_deletions(rocksdb_t* db, char** errptr) {
  SaveError(errptr, DbOf(db)->EnableFileDeletions());
}

void rocksdb_set_options(rocksdb_t* db, int count, const char* const keys[],
                         const char* const values[], char** errptr) {
  SaveError(errptr, DbOf(db)->SetOptions(nullptr, Changes(count, keys, values)));
}

void rocksdb_set_options_cf(rocksdb_t* db, rocksdb_column_family_handle_t* handle, int count,
                            const char* const keys[], const char* const values[], char** errptr) {
  SaveError(errptr, DbOf(db, FamilyIn(db, handle))
                        ->SetOptions(FamilyIn(db, handle), Changes(count, keys, values)));
}

char* rocksdb_property_value(rocksdb_t* db, const char* propname) {
  return PropertyValue(db, nullptr, propname);
}

char* rocksdb_property_value_cf(rocksdb_t* db, rocksdb_column_family_handle_t* column_family,
                                const char* propname) {
  return PropertyValue(db, FamilyIn(db, column_family), propname);
}

int rocksdb_property_int(rocksdb_t* db, const char* propname, uint64_t* out_val) {
  return PropertyInt(db, nullptr, propname, out_val);
}

int rocksdb_property_int_cf(rocksdb_t* db, rocksdb_column_family_handle_t* column_family,
                            const char* propname, uint64_t* out_val) {
  return PropertyInt(db, FamilyIn(db, column_family), propname, out_val);
}

void rocksdb_approximate_sizes(rocksdb_t* db, int num_ranges, const char* const* range_start_key,
                               const size_t* range_start_key_len,
                               const char* const* range_limit_key,
                               const size_t* range_limit_key_len, uint64_t* sizes, char** errptr) {
  ApproximateSizes(db, nullptr, num_ranges, range_start_key, range_start_key_len, range_limit_key,
                   range_limit_key_len, false, true, -1.0, sizes, errptr);
}

void rocksdb_approximate_sizes_cf(rocksdb_t* db, rocksdb_column_family_handle_t* column_family,
                                  int num_ranges, const char* const* range_start_key,
                                  const size_t* range_start_key_len,
                                  const char* const* range_limit_key,
                                  const size_t* range_limit_key_len, uint64_t* sizes,
                                  char** errptr) {
  ApproximateSizes(db, FamilyIn(db, column_family), num_ranges, range_start_key,
                   range_start_key_len, range_limit_key, range_limit_key_len, false, true, -1.0,
                   sizes, errptr);
}

char* rocksdb_get_db_identity(rocksdb_t* db, size_t* id_len) {
  const auto identity = DbOf(db)->GetDbIdentity();
  GiveSize(id_len, identity.ok() ? identity->size() : 0);
  return identity.ok() ? CopyToMalloc(identity.value()) : nullptr;
}

void rocksdb_increase_full_history_ts_low(rocksdb_t* db,
                                          rocksdb_column_family_handle_t* column_family,
                                          const char* ts_low, size_t ts_lowlen, char** errptr) {
  SaveError(errptr, DbOf(db, FamilyIn(db, column_family))
                        ->IncreaseFullHistoryTimestampLow(FamilyIn(db, column_family),
                                                          Slice(ts_low, ts_lowlen)));
}

char* rocksdb_get_full_history_ts_low(rocksdb_t* db, rocksdb_column_family_handle_t* column_family,
                                      size_t* ts_lowlen, char** errptr) {
  const auto timestamp = DbOf(db, FamilyIn(db, column_family))
                             ->GetFullHistoryTimestampLow(FamilyIn(db, column_family));
  if (!timestamp.ok()) {
    GiveSize(ts_lowlen, 0);
    SaveError(errptr, timestamp.status());
    return nullptr;
  }
  GiveSize(ts_lowlen, timestamp->size());
  return CopyToMalloc(timestamp.value());
}

void rocksdb_try_catch_up_with_primary(rocksdb_t* db, char** errptr) {
  SaveError(errptr, DbOf(db)->TryCatchUpWithPrimary());
}

rocksdb_memory_consumers_t* rocksdb_memory_consumers_create(void) {
  return new rocksdb_memory_consumers_t;
}

void rocksdb_memory_consumers_add_db(rocksdb_memory_consumers_t* consumers, rocksdb_t* db) {
  Usable(consumers)->databases.push_back(db);
}

void rocksdb_memory_consumers_add_cache(rocksdb_memory_consumers_t* consumers,
                                        rocksdb_cache_t* cache) {
  Usable(consumers)->caches.push_back(cache);
}

void rocksdb_memory_consumers_destroy(rocksdb_memory_consumers_t* consumers) { Retire(consumers); }

rocksdb_memory_usage_t* rocksdb_approximate_memory_usage_create(
    rocksdb_memory_consumers_t* consumers, char** errptr) {
  (void)errptr;  // Nothing here can fail.
  consumers = Usable(consumers);
  auto* usage = new rocksdb_memory_usage_t;
  for (rocksdb_t* db : consumers->databases) {
    uint64_t total = 0;
    uint64_t unflushed = 0;
    uint64_t readers = 0;
    DbOf(db)->GetMemoryUsage(&total, &unflushed, &readers);
    usage->memtables_total += total;
    usage->memtables_unflushed += unflushed;
    usage->table_readers_total += readers;
  }
  for (rocksdb_cache_t* cache : consumers->caches) usage->caches_total += CacheOf(cache)->usage();
  return usage;
}

uint64_t rocksdb_approximate_memory_usage_get_mem_table_total(
    rocksdb_memory_usage_t* memory_usage) {
  return Usable(memory_usage)->memtables_total;
}

uint64_t rocksdb_approximate_memory_usage_get_mem_table_unflushed(
    rocksdb_memory_usage_t* memory_usage) {
  return Usable(memory_usage)->memtables_unflushed;
}

uint64_t rocksdb_approximate_memory_usage_get_mem_table_readers_total(
    rocksdb_memory_usage_t* memory_usage) {
  return Usable(memory_usage)->table_readers_total;
}

uint64_t rocksdb_approximate_memory_usage_get_cache_total(rocksdb_memory_usage_t* memory_usage) {
  return Usable(memory_usage)->caches_total;
}

void rocksdb_approximate_memory_usage_destroy(rocksdb_memory_usage_t* usage) { Retire(usage); }

}  // extern "C"
