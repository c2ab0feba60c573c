// Column families: create, drop, handles, and what is known of their files (c/column_family.h).

#include <string>
#include <utility>

#include "compat/c_status.h"
#include "compat/handle_life.h"
#include "compat/handles.h"
#include "core/db/ttl_db.h"
#include "include/c_api/rocksdb/c.h"

namespace {

using skarn::ColumnFamilyHandle;
using skarn::CopyToMalloc;
using skarn::Result;
using skarn::SaveError;

rocksdb_column_family_handle_t* Wrap(rocksdb_t* db,
                                     Result<std::unique_ptr<ColumnFamilyHandle>> created,
                                     char** errptr) {
  if (!created.ok()) {
    SaveError(errptr, created.status());
    return nullptr;
  }
  ColumnFamilyHandle* rep = created->get();
  return new rocksdb_column_family_handle_t{db->rep, rep, std::move(created.value())};
}

const skarn::LevelMetadata& LevelOf(const rocksdb_level_metadata_t* level) {
  static const skarn::LevelMetadata none;
  return level != nullptr && level->rep != nullptr ? *level->rep : none;
}
const skarn::LevelFile& FileOf(const rocksdb_sst_file_metadata_t* file) {
  static const skarn::LevelFile none;
  return file != nullptr && file->rep != nullptr ? *file->rep : none;
}

}  // namespace

extern "C" {

rocksdb_column_family_handle_t* rocksdb_create_column_family(
    rocksdb_t* db, const rocksdb_options_t* column_family_options, const char* column_family_name,
    char** errptr) {
  return Wrap(
      db,
      DbOf(db)->CreateColumnFamily(Usable(column_family_options)->cf, TextOf(column_family_name)),
      errptr);
}

rocksdb_column_family_handle_t** rocksdb_create_column_families(
    rocksdb_t* db, const rocksdb_options_t* column_family_options, int num_column_families,
    const char* const* column_family_names, size_t* lencfs, char** errptr) {
  if (lencfs == nullptr || column_family_names == nullptr || num_column_families < 0) {
    SaveError(errptr, MisusedStatus());
    GiveSize(lencfs, 0);
    return nullptr;
  }
  *lencfs = 0;
  auto** handles = static_cast<rocksdb_column_family_handle_t**>(
      malloc(static_cast<size_t>(num_column_families) * sizeof(rocksdb_column_family_handle_t*)));
  // Those that were made before a failure are given to the caller.
  for (int i = 0; i < num_column_families; ++i) {
    handles[*lencfs] = Wrap(
        db, DbOf(db)->CreateColumnFamily(Usable(column_family_options)->cf, column_family_names[i]),
        errptr);
    if (handles[*lencfs] == nullptr) break;
    ++*lencfs;
  }
  return handles;
}

void rocksdb_create_column_families_destroy(rocksdb_column_family_handle_t** list) { free(list); }

rocksdb_column_family_handle_t* rocksdb_create_column_family_with_ttl(
    rocksdb_t* db, const rocksdb_options_t* column_family_options, const char* column_family_name,
    int ttl, char** errptr) {
  return Wrap(db,
              skarn::CreateTtlColumnFamily(DbOf(db), Usable(column_family_options)->cf,
                                           TextOf(column_family_name), ttl),
              errptr);
}

void rocksdb_drop_column_family(rocksdb_t* db, rocksdb_column_family_handle_t* handle,
                                char** errptr) {
  SaveError(errptr, DbOf(db, FamilyIn(db, handle))->DropColumnFamily(FamilyIn(db, handle)));
}

rocksdb_column_family_handle_t* rocksdb_get_default_column_family_handle(rocksdb_t* db) {
  if (db == nullptr || db->rep == nullptr) return nullptr;
  return new rocksdb_column_family_handle_t{db->rep, db->rep->default_family()};
}

uint32_t rocksdb_column_family_handle_get_id(rocksdb_column_family_handle_t* handle) {
  return FamilyOf(handle)->id();
}

char* rocksdb_column_family_handle_get_name(rocksdb_column_family_handle_t* handle,
                                            size_t* name_len) {
  GiveSize(name_len, FamilyOf(handle)->name().size());
  return CopyToMalloc(FamilyOf(handle)->name());
}

void rocksdb_column_family_handle_destroy(rocksdb_column_family_handle_t* handle) {
  Retire(handle);
}

rocksdb_column_family_metadata_t* rocksdb_get_column_family_metadata(rocksdb_t* db) {
  auto* metadata = new rocksdb_column_family_metadata_t;
  DbOf(db)->GetColumnFamilyMetadata(nullptr, &metadata->rep);
  return metadata;
}

rocksdb_column_family_metadata_t* rocksdb_get_column_family_metadata_cf(
    rocksdb_t* db, rocksdb_column_family_handle_t* column_family) {
  auto* metadata = new rocksdb_column_family_metadata_t;
  DbOf(db, FamilyIn(db, column_family))
      ->GetColumnFamilyMetadata(FamilyIn(db, column_family), &metadata->rep);
  return metadata;
}

void rocksdb_column_family_metadata_destroy(rocksdb_column_family_metadata_t* cf_meta) {
  Retire(cf_meta);
}

uint64_t rocksdb_column_family_metadata_get_size(rocksdb_column_family_metadata_t* cf_meta) {
  return Usable(cf_meta)->rep.size_bytes;
}

size_t rocksdb_column_family_metadata_get_file_count(rocksdb_column_family_metadata_t* cf_meta) {
  return Usable(cf_meta)->rep.file_count;
}

char* rocksdb_column_family_metadata_get_name(rocksdb_column_family_metadata_t* cf_meta) {
  return CopyToMalloc(Usable(cf_meta)->rep.name);
}

size_t rocksdb_column_family_metadata_get_level_count(rocksdb_column_family_metadata_t* cf_meta) {
  return Usable(cf_meta)->rep.levels.size();
}

rocksdb_level_metadata_t* rocksdb_column_family_metadata_get_level_metadata(
    rocksdb_column_family_metadata_t* cf_meta, size_t i) {
  if (i >= Usable(cf_meta)->rep.levels.size()) return nullptr;
  return new rocksdb_level_metadata_t{&Usable(cf_meta)->rep.levels[i]};
}

void rocksdb_level_metadata_destroy(rocksdb_level_metadata_t* level_meta) { Retire(level_meta); }

int rocksdb_level_metadata_get_level(rocksdb_level_metadata_t* level_meta) {
  return LevelOf(level_meta).level;
}

uint64_t rocksdb_level_metadata_get_size(rocksdb_level_metadata_t* level_meta) {
  return LevelOf(level_meta).size_bytes;
}

size_t rocksdb_level_metadata_get_file_count(rocksdb_level_metadata_t* level_meta) {
  return LevelOf(level_meta).files.size();
}

rocksdb_sst_file_metadata_t* rocksdb_level_metadata_get_sst_file_metadata(
    rocksdb_level_metadata_t* level_meta, size_t i) {
  if (i >= LevelOf(level_meta).files.size()) return nullptr;
  return new rocksdb_sst_file_metadata_t{&LevelOf(level_meta).files[i]};
}

void rocksdb_sst_file_metadata_destroy(rocksdb_sst_file_metadata_t* file_meta) {
  Retire(file_meta);
}

char* rocksdb_sst_file_metadata_get_relative_filename(rocksdb_sst_file_metadata_t* file_meta) {
  return CopyToMalloc(FileOf(file_meta).relative_filename);
}

char* rocksdb_sst_file_metadata_get_directory(rocksdb_sst_file_metadata_t* file_meta) {
  return CopyToMalloc(FileOf(file_meta).directory);
}

uint64_t rocksdb_sst_file_metadata_get_size(rocksdb_sst_file_metadata_t* file_meta) {
  return FileOf(file_meta).size_bytes;
}

char* rocksdb_sst_file_metadata_get_smallestkey(rocksdb_sst_file_metadata_t* file_meta,
                                                size_t* len) {
  GiveSize(len, FileOf(file_meta).smallest_user_key.size());
  return CopyToMalloc(FileOf(file_meta).smallest_user_key);
}

char* rocksdb_sst_file_metadata_get_largestkey(rocksdb_sst_file_metadata_t* file_meta,
                                               size_t* len) {
  GiveSize(len, FileOf(file_meta).largest_user_key.size());
  return CopyToMalloc(FileOf(file_meta).largest_user_key);
}

}  // extern "C"
