// Column families: create, drop, handles, and what is known of their files (c/column_family.h).

#include <string>
#include <utility>

#include "compat/c_status.h"
#include "compat/handles.h"
#include "core/db/ttl_db.h"
#include "include/c_api/rocksdb/c.h"

namespace {

using skarn::ColumnFamilyHandle;
using skarn::CopyToMalloc;
using skarn::Result;
using skarn::SaveError;

rocksdb_column_family_handle_t* Wrap(Result<std::unique_ptr<ColumnFamilyHandle>> created,
                                     char** errptr) {
  if (!created.ok()) {
    SaveError(errptr, created.status());
    return nullptr;
  }
  ColumnFamilyHandle* rep = created->get();
  return new rocksdb_column_family_handle_t{rep, std::move(created.value())};
}

}  // namespace

extern "C" {

rocksdb_column_family_handle_t* rocksdb_create_column_family(
    rocksdb_t* db, const rocksdb_options_t* column_family_options, const char* column_family_name,
    char** errptr) {
  return Wrap(db->rep->CreateColumnFamily(column_family_options->cf, column_family_name), errptr);
}

rocksdb_column_family_handle_t** rocksdb_create_column_families(
    rocksdb_t* db, const rocksdb_options_t* column_family_options, int num_column_families,
    const char* const* column_family_names, size_t* lencfs, char** errptr) {
  *lencfs = 0;
  auto** handles = static_cast<rocksdb_column_family_handle_t**>(
      malloc(static_cast<size_t>(num_column_families) * sizeof(rocksdb_column_family_handle_t*)));
  // Those that were made before a failure are given to the caller.
  for (int i = 0; i < num_column_families; ++i) {
    handles[*lencfs] = Wrap(
        db->rep->CreateColumnFamily(column_family_options->cf, column_family_names[i]), errptr);
    if (handles[*lencfs] == nullptr) break;
    ++*lencfs;
  }
  return handles;
}

void rocksdb_create_column_families_destroy(rocksdb_column_family_handle_t** list) { free(list); }

rocksdb_column_family_handle_t* rocksdb_create_column_family_with_ttl(
    rocksdb_t* db, const rocksdb_options_t* column_family_options, const char* column_family_name,
    int ttl, char** errptr) {
  return Wrap(skarn::CreateTtlColumnFamily(db->rep.get(), column_family_options->cf,
                                           column_family_name, ttl),
              errptr);
}

void rocksdb_drop_column_family(rocksdb_t* db, rocksdb_column_family_handle_t* handle,
                                char** errptr) {
  SaveError(errptr, db->rep->DropColumnFamily(handle->rep));
}

rocksdb_column_family_handle_t* rocksdb_get_default_column_family_handle(rocksdb_t* db) {
  return new rocksdb_column_family_handle_t{db->rep->default_family(), nullptr};
}

uint32_t rocksdb_column_family_handle_get_id(rocksdb_column_family_handle_t* handle) {
  return handle->rep->id();
}

char* rocksdb_column_family_handle_get_name(rocksdb_column_family_handle_t* handle,
                                            size_t* name_len) {
  *name_len = handle->rep->name().size();
  return CopyToMalloc(handle->rep->name());
}

void rocksdb_column_family_handle_destroy(rocksdb_column_family_handle_t* handle) { delete handle; }

rocksdb_column_family_metadata_t* rocksdb_get_column_family_metadata(rocksdb_t* db) {
  auto* metadata = new rocksdb_column_family_metadata_t;
  db->rep->GetColumnFamilyMetadata(nullptr, &metadata->rep);
  return metadata;
}

rocksdb_column_family_metadata_t* rocksdb_get_column_family_metadata_cf(
    rocksdb_t* db, rocksdb_column_family_handle_t* column_family) {
  auto* metadata = new rocksdb_column_family_metadata_t;
  db->rep->GetColumnFamilyMetadata(column_family->rep, &metadata->rep);
  return metadata;
}

void rocksdb_column_family_metadata_destroy(rocksdb_column_family_metadata_t* cf_meta) {
  delete cf_meta;
}

uint64_t rocksdb_column_family_metadata_get_size(rocksdb_column_family_metadata_t* cf_meta) {
  return cf_meta->rep.size_bytes;
}

size_t rocksdb_column_family_metadata_get_file_count(rocksdb_column_family_metadata_t* cf_meta) {
  return cf_meta->rep.file_count;
}

char* rocksdb_column_family_metadata_get_name(rocksdb_column_family_metadata_t* cf_meta) {
  return CopyToMalloc(cf_meta->rep.name);
}

size_t rocksdb_column_family_metadata_get_level_count(rocksdb_column_family_metadata_t* cf_meta) {
  return cf_meta->rep.levels.size();
}

rocksdb_level_metadata_t* rocksdb_column_family_metadata_get_level_metadata(
    rocksdb_column_family_metadata_t* cf_meta, size_t i) {
  if (i >= cf_meta->rep.levels.size()) return nullptr;
  return new rocksdb_level_metadata_t{&cf_meta->rep.levels[i]};
}

void rocksdb_level_metadata_destroy(rocksdb_level_metadata_t* level_meta) { delete level_meta; }

int rocksdb_level_metadata_get_level(rocksdb_level_metadata_t* level_meta) {
  return level_meta->rep->level;
}

uint64_t rocksdb_level_metadata_get_size(rocksdb_level_metadata_t* level_meta) {
  return level_meta->rep->size_bytes;
}

size_t rocksdb_level_metadata_get_file_count(rocksdb_level_metadata_t* level_meta) {
  return level_meta->rep->files.size();
}

rocksdb_sst_file_metadata_t* rocksdb_level_metadata_get_sst_file_metadata(
    rocksdb_level_metadata_t* level_meta, size_t i) {
  if (i >= level_meta->rep->files.size()) return nullptr;
  return new rocksdb_sst_file_metadata_t{&level_meta->rep->files[i]};
}

void rocksdb_sst_file_metadata_destroy(rocksdb_sst_file_metadata_t* file_meta) { delete file_meta; }

char* rocksdb_sst_file_metadata_get_relative_filename(rocksdb_sst_file_metadata_t* file_meta) {
  return CopyToMalloc(file_meta->rep->relative_filename);
}

char* rocksdb_sst_file_metadata_get_directory(rocksdb_sst_file_metadata_t* file_meta) {
  return CopyToMalloc(file_meta->rep->directory);
}

uint64_t rocksdb_sst_file_metadata_get_size(rocksdb_sst_file_metadata_t* file_meta) {
  return file_meta->rep->size_bytes;
}

char* rocksdb_sst_file_metadata_get_smallestkey(rocksdb_sst_file_metadata_t* file_meta,
                                                size_t* len) {
  *len = file_meta->rep->smallest_user_key.size();
  return CopyToMalloc(file_meta->rep->smallest_user_key);
}

char* rocksdb_sst_file_metadata_get_largestkey(rocksdb_sst_file_metadata_t* file_meta,
                                               size_t* len) {
  *len = file_meta->rep->largest_user_key.size();
  return CopyToMalloc(file_meta->rep->largest_user_key);
}

}  // extern "C"
