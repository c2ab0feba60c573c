// Options objects, what they refer to, and settings of many options at once
// (c/options_objects.h).

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "compat/c_status.h"
#include "compat/handle_life.h"
#include "compat/handles.h"
#include "core/options/option_presets.h"
#include "core/options/option_string.h"
#include "core/options/options_file.h"
#include "core/plugin/builtin_merge_operators.h"
#include "core/plugin/compact_on_deletion.h"
#include "include/c_api/rocksdb/c.h"

namespace {

using skarn::DbPath;
using skarn::MemtableFactory;
using skarn::SaveError;
using skarn::Status;

std::shared_ptr<skarn::Cache> MakeCache(size_t capacity_bytes) {
  skarn::LruCacheOptions options;
  options.capacity = capacity_bytes;
  return skarn::NewLruCache(options);
}

std::vector<DbPath> CopyPaths(const rocksdb_dbpath_t** values, size_t count) {
  std::vector<DbPath> paths;
  for (size_t i = 0; i < count; i++) paths.push_back(Usable(values[i])->rep);
  return paths;
}

void AddCompactOnDeletion(rocksdb_options_t* options,
                          const skarn::CompactOnDeletionOptions& settings) {
  Usable(options)->cf.table_properties_collector_factories.push_back(
      skarn::NewCompactOnDeletionFactory(settings));
}

}  // namespace

extern "C" {

rocksdb_options_t* rocksdb_options_create() { return new rocksdb_options_t; }
rocksdb_options_t* rocksdb_options_create_copy(rocksdb_options_t* options) {
  return new rocksdb_options_t(*Usable(options));
}
void rocksdb_options_destroy(rocksdb_options_t* options) { Retire(options); }

void rocksdb_options_set_comparator(rocksdb_options_t* options, rocksdb_comparator_t* comparator) {
  Usable(options)->cf.comparator = comparator;
}
void rocksdb_options_set_merge_operator(rocksdb_options_t* options,
                                        rocksdb_mergeoperator_t* merge_operator) {
  Usable(options)->cf.merge_operator = ShareObject(merge_operator);
}
void rocksdb_options_set_uint64add_merge_operator(rocksdb_options_t* options) {
  Usable(options)->cf.merge_operator = skarn::NewUInt64AddOperator();
}
void rocksdb_options_set_compaction_filter(rocksdb_options_t* options,
                                           rocksdb_compactionfilter_t* filter) {
  Usable(options)->cf.compaction_filter = filter;
}
void rocksdb_options_set_compaction_filter_factory(rocksdb_options_t* options,
                                                   rocksdb_compactionfilterfactory_t* factory) {
  Usable(options)->cf.compaction_filter_factory = ShareObject(factory);
}
void rocksdb_options_set_prefix_extractor(rocksdb_options_t* options,
                                          rocksdb_slicetransform_t* transform) {
  Usable(options)->cf.prefix_extractor = transform == nullptr ? nullptr : SharedPlugin(*transform);
  Retire(transform);
}

void rocksdb_options_set_env(rocksdb_options_t* options, rocksdb_env_t* env) {
  Usable(options)->db.env = env == nullptr ? skarn::DefaultEnv() : env->rep;
}
void rocksdb_options_set_info_log(rocksdb_options_t* options, rocksdb_logger_t* logger) {
  if (logger != nullptr) Usable(options)->db.info_log = logger->rep;
}
rocksdb_logger_t* rocksdb_options_get_info_log(rocksdb_options_t* options) {
  return Usable(options)->db.info_log == nullptr
             ? nullptr
             : new rocksdb_logger_t{Usable(options)->db.info_log};
}
void rocksdb_options_set_ratelimiter(rocksdb_options_t* options, rocksdb_ratelimiter_t* limiter) {
  if (limiter != nullptr) Usable(options)->db.rate_limiter = limiter->rep;
}
void rocksdb_options_set_row_cache(rocksdb_options_t* options, rocksdb_cache_t* cache) {
  if (cache != nullptr) Usable(options)->db.row_cache = cache->rep;
}
void rocksdb_options_set_write_buffer_manager(rocksdb_options_t* options,
                                              rocksdb_write_buffer_manager_t* wbm) {
  Usable(options)->db.write_buffer_manager = wbm == nullptr ? nullptr : wbm->rep;
}
void rocksdb_options_set_sst_file_manager(rocksdb_options_t* options,
                                          rocksdb_sst_file_manager_t* sfm) {
  Usable(options)->db.sst_file_manager = sfm == nullptr ? nullptr : sfm->rep;
}
void rocksdb_options_set_db_paths(rocksdb_options_t* options, const rocksdb_dbpath_t** path_values,
                                  size_t num_paths) {
  Usable(options)->db.db_paths = CopyPaths(path_values, num_paths);
}
void rocksdb_options_set_cf_paths(rocksdb_options_t* options, const rocksdb_dbpath_t** path_values,
                                  size_t num_paths) {
  Usable(options)->cf.cf_paths = CopyPaths(path_values, num_paths);
}

void rocksdb_options_set_block_based_table_factory(
    rocksdb_options_t* options, rocksdb_block_based_table_options_t* table_options) {
  if (table_options == nullptr) return;
  Usable(options)->cf.table_factory.format = skarn::TableFactory::Format::kBlockBased;
  Usable(options)->cf.table_factory.block_based = Usable(table_options)->rep;
}

void rocksdb_options_set_memtable_vector_rep(rocksdb_options_t* options) {
  Usable(options)->cf.memtable_factory = MemtableFactory{.kind = MemtableFactory::Kind::kVector};
}
void rocksdb_options_set_hash_skip_list_rep(rocksdb_options_t* options, size_t bucket_count,
                                            int32_t skiplist_height,
                                            int32_t skiplist_branching_factor) {
  Usable(options)->cf.memtable_factory =
      MemtableFactory{.kind = MemtableFactory::Kind::kHashSkipList,
                      .bucket_count = bucket_count,
                      .skip_list_height = skiplist_height,
                      .skip_list_branching_factor = skiplist_branching_factor};
}
void rocksdb_options_set_hash_link_list_rep(rocksdb_options_t* options, size_t bucket_count) {
  Usable(options)->cf.memtable_factory =
      MemtableFactory{.kind = MemtableFactory::Kind::kHashLinkList, .bucket_count = bucket_count};
}

void rocksdb_options_add_compact_on_deletion_collector_factory(rocksdb_options_t* options,
                                                               size_t window_size,
                                                               size_t num_dels_trigger) {
  AddCompactOnDeletion(options, {.window_size = window_size, .deletion_trigger = num_dels_trigger});
}
void rocksdb_options_add_compact_on_deletion_collector_factory_del_ratio(rocksdb_options_t* options,
                                                                         size_t window_size,
                                                                         size_t num_dels_trigger,
                                                                         double deletion_ratio) {
  AddCompactOnDeletion(options, {.window_size = window_size,
                                 .deletion_trigger = num_dels_trigger,
                                 .deletion_ratio = deletion_ratio});
}
void rocksdb_options_add_compact_on_deletion_collector_factory_min_file_size(
    rocksdb_options_t* options, size_t window_size, size_t num_dels_trigger, double deletion_ratio,
    uint64_t min_file_size) {
  AddCompactOnDeletion(options, {.window_size = window_size,
                                 .deletion_trigger = num_dels_trigger,
                                 .deletion_ratio = deletion_ratio,
                                 .min_file_size_bytes = min_file_size});
}

void rocksdb_options_increase_parallelism(rocksdb_options_t* options, int total_threads) {
  skarn::IncreaseParallelism(total_threads, &Usable(options)->db);
}
void rocksdb_options_optimize_for_point_lookup(rocksdb_options_t* options,
                                               uint64_t block_cache_size_mb) {
  skarn::OptimizeForPointLookup(MakeCache(block_cache_size_mb << 20), &Usable(options)->cf);
}
void rocksdb_options_optimize_level_style_compaction(rocksdb_options_t* options,
                                                     uint64_t memtable_memory_budget) {
  skarn::OptimizeLevelStyleCompaction(memtable_memory_budget, &Usable(options)->cf);
}
void rocksdb_options_prepare_for_bulk_load(rocksdb_options_t* options) {
  skarn::PrepareForBulkLoad(&Usable(options)->db, &Usable(options)->cf);
}

void rocksdb_get_options_from_string(const rocksdb_options_t* base_options, const char* opts_str,
                                     rocksdb_options_t* new_options, char** errptr) {
  skarn::OptionReading reading;
  reading.make_cache = &MakeCache;
  // `new_options` may be `base_options` itself.
  rocksdb_options_t result = *Usable(base_options);
  SaveError(errptr, skarn::OptionsFromString(reading, TextOf(opts_str), &result.db, &result.cf));
  *Usable(new_options) = std::move(result);
}

void rocksdb_load_latest_options(const char* db_path, rocksdb_env_t* env,
                                 bool ignore_unknown_options, rocksdb_cache_t* cache,
                                 rocksdb_options_t** db_options, size_t* num_column_families,
                                 char*** column_family_names,
                                 rocksdb_options_t*** column_family_options, char** errptr) {
  if (db_path == nullptr || db_options == nullptr || num_column_families == nullptr ||
      column_family_names == nullptr || column_family_options == nullptr) {
    SaveError(errptr, MisusedStatus());
    return;
  }
  *db_options = nullptr;
  *num_column_families = 0;
  *column_family_names = nullptr;
  *column_family_options = nullptr;

  skarn::OptionReading reading;
  reading.ignore_unknown = ignore_unknown_options;
  reading.make_cache = &MakeCache;
  skarn::Env* const files = env == nullptr ? skarn::DefaultEnv() : env->rep;
  skarn::Result<skarn::OptionsFile> loaded =
      skarn::LoadLatestOptionsFile(reading, files->file_system, db_path);
  if (!loaded.ok()) {
    SaveError(errptr, loaded.status());
    return;
  }
  loaded->db.env = files;

  const size_t count = loaded->families.size();
  auto* options = static_cast<rocksdb_options_t**>(malloc(count * sizeof(rocksdb_options_t*)));
  auto* names = static_cast<char**>(malloc(count * sizeof(char*)));
  for (size_t i = 0; i < count; i++) {
    skarn::NamedColumnFamilyOptions& family = loaded->families[i];
    if (cache != nullptr) family.options.table_factory.block_based.block_cache = cache->rep;
    names[i] = skarn::CopyToMalloc(family.name);
    options[i] = new rocksdb_options_t;
    options[i]->cf = std::move(family.options);
  }
  *db_options = new rocksdb_options_t;
  (*db_options)->db = std::move(loaded->db);
  *num_column_families = count;
  *column_family_names = names;
  *column_family_options = options;
}

void rocksdb_load_latest_options_destroy(rocksdb_options_t* db_options,
                                         char** list_column_family_names,
                                         rocksdb_options_t** list_column_family_options,
                                         size_t len) {
  Retire(db_options);
  for (size_t i = 0; i < len; i++) {
    if (list_column_family_names != nullptr) free(list_column_family_names[i]);
    if (list_column_family_options != nullptr) Retire(list_column_family_options[i]);
  }
  free(list_column_family_names);
  free(list_column_family_options);
}

rocksdb_dbpath_t* rocksdb_dbpath_create(const char* path, uint64_t target_size) {
  return new rocksdb_dbpath_t{{TextOf(path), target_size}};
}
void rocksdb_dbpath_destroy(rocksdb_dbpath_t* path) { Retire(path); }

}  // extern "C"
