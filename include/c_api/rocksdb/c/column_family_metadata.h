/* Which table files make up a column family. */

#ifndef SKARN_C_API_ROCKSDB_C_COLUMN_FAMILY_METADATA_H_
#define SKARN_C_API_ROCKSDB_C_COLUMN_FAMILY_METADATA_H_

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A description of this moment, for rocksdb_column_family_metadata_destroy(). */
extern ROCKSDB_LIBRARY_API rocksdb_column_family_metadata_t* rocksdb_get_column_family_metadata(
    rocksdb_t* db);
extern ROCKSDB_LIBRARY_API rocksdb_column_family_metadata_t* rocksdb_get_column_family_metadata_cf(
    rocksdb_t* db, rocksdb_column_family_handle_t* column_family);

extern ROCKSDB_LIBRARY_API void rocksdb_column_family_metadata_destroy(
    rocksdb_column_family_metadata_t* cf_meta);

/* Sizes in bytes, counts, and the name, which is for rocksdb_free(). */
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_column_family_metadata_get_size(
    rocksdb_column_family_metadata_t* cf_meta);
extern ROCKSDB_LIBRARY_API size_t rocksdb_column_family_metadata_get_file_count(
    rocksdb_column_family_metadata_t* cf_meta);
extern ROCKSDB_LIBRARY_API char* rocksdb_column_family_metadata_get_name(
    rocksdb_column_family_metadata_t* cf_meta);
extern ROCKSDB_LIBRARY_API size_t rocksdb_column_family_metadata_get_level_count(
    rocksdb_column_family_metadata_t* cf_meta);

/* One level; for rocksdb_level_metadata_destroy(), before the description it is of. NULL when
   `i` is too large. */
extern ROCKSDB_LIBRARY_API rocksdb_level_metadata_t* rocksdb_column_family_metadata_get_level_metadata(
    rocksdb_column_family_metadata_t* cf_meta, size_t i);
extern ROCKSDB_LIBRARY_API void rocksdb_level_metadata_destroy(
    rocksdb_level_metadata_t* level_meta);

extern ROCKSDB_LIBRARY_API int rocksdb_level_metadata_get_level(
    rocksdb_level_metadata_t* level_meta);
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_level_metadata_get_size(
    rocksdb_level_metadata_t* level_meta);
extern ROCKSDB_LIBRARY_API size_t rocksdb_level_metadata_get_file_count(
    rocksdb_level_metadata_t* level_meta);

/* One file; for rocksdb_sst_file_metadata_destroy(), before the description it is of. NULL
   when `i` is too large. */
extern ROCKSDB_LIBRARY_API rocksdb_sst_file_metadata_t* rocksdb_level_metadata_get_sst_file_metadata(
    rocksdb_level_metadata_t* level_meta, size_t i);
extern ROCKSDB_LIBRARY_API void rocksdb_sst_file_metadata_destroy(
    rocksdb_sst_file_metadata_t* file_meta);

/* The strings are for rocksdb_free(). */
extern ROCKSDB_LIBRARY_API char* rocksdb_sst_file_metadata_get_relative_filename(
    rocksdb_sst_file_metadata_t* file_meta);
extern ROCKSDB_LIBRARY_API char* rocksdb_sst_file_metadata_get_directory(
    rocksdb_sst_file_metadata_t* file_meta);
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_sst_file_metadata_get_size(
    rocksdb_sst_file_metadata_t* file_meta);
extern ROCKSDB_LIBRARY_API char* rocksdb_sst_file_metadata_get_smallestkey(
    rocksdb_sst_file_metadata_t* file_meta, size_t* len);
extern ROCKSDB_LIBRARY_API char* rocksdb_sst_file_metadata_get_largestkey(
    rocksdb_sst_file_metadata_t* file_meta, size_t* len);

#ifdef __cplusplus
}
#endif

#endif /* SKARN_C_API_ROCKSDB_C_COLUMN_FAMILY_METADATA_H_ */
