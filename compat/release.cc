// Defaults of older releases (skarn/release.h). One row per default that changed.

#include "include/c_api/skarn/release.h"

#include "compat/handle_life.h"
#include "compat/handles.h"
#include "core/base/version.h"
#include "core/cache/cache.h"

namespace {

struct Release {
  int major;
  int minor;
  bool Before(int other_major, int other_minor) const {
    return major < other_major || (major == other_major && minor < other_minor);
  }
};

void ApplyDefaults(const Release& release, skarn::TableOptions* table) {
  if (release.Before(11, 0)) table->format_version = 6;
  if (release.Before(9, 0)) {
    table->format_version = 5;
    table->optimize_filters_for_memory = false;
  }
  if (release.Before(10, 0)) table->decouple_partitioned_filters = false;
  if (release.Before(8, 6)) {
    skarn::LruCacheOptions cache;
    cache.capacity = 8 << 20;
    table->block_cache = skarn::NewLruCache(cache);
  }
  if (release.Before(6, 6)) table->format_version = 2;
}

void ApplyDefaults(const Release& release, skarn::DbOptions* db, skarn::ColumnFamilyOptions* cf) {
  if (release.Before(11, 5)) cf->compression = skarn::CompressionType::kSnappy;
  if (release.Before(8, 4)) cf->level_compaction_dynamic_level_bytes = false;
  if (release.Before(8, 7)) db->compaction_readahead_size = 0;
  if (release.Before(9, 7)) db->write_dbid_to_manifest = false;
  db->options_file_release = static_cast<uint32_t>(release.major * 100 + release.minor);
  ApplyDefaults(release, &cf->table_factory.block_based);
}

}  // namespace

extern "C" {

rocksdb_options_t* skarn_options_create_for_release(int major, int minor) {
  rocksdb_options_t* options = rocksdb_options_create();
  ApplyDefaults({major, minor}, &Usable(options)->db, &Usable(options)->cf);
  return options;
}

rocksdb_block_based_table_options_t* skarn_block_based_options_create_for_release(int major,
                                                                                  int minor) {
  rocksdb_block_based_table_options_t* options = rocksdb_block_based_options_create();
  ApplyDefaults({major, minor}, &Usable(options)->rep);
  return options;
}

// The newest forms under names that the fronts of older releases do not shadow.
__attribute__((visibility("default"))) rocksdb_slicetransform_t* skarn_slicetransform_create(
    void* state, void (*destructor)(void*),
    char* (*transform)(void*, const char* key, size_t length, size_t* dst_length),
    unsigned char (*in_domain)(void*, const char* key, size_t length), const char* (*name)(void*)) {
  return rocksdb_slicetransform_create(state, destructor, transform, in_domain, name);
}

__attribute__((visibility("default"))) void skarn_enable_file_deletions(rocksdb_t* db,
                                                                        char** errptr) {
  rocksdb_enable_file_deletions(db, errptr);
}

const char* skarn_version(void) { return SKARN_VERSION; }

}  // extern "C"
