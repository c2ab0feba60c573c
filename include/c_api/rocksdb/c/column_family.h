/* Column families: named parts of one database that share its log. */

#ifndef SKARN_C_API_ROCKSDB_C_COLUMN_FAMILY_H_
#define SKARN_C_API_ROCKSDB_C_COLUMN_FAMILY_H_

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Creates a column family. The handle belongs to the caller; NULL on an error. */
extern ROCKSDB_LIBRARY_API rocksdb_column_family_handle_t* rocksdb_create_column_family(
    rocksdb_t* db, const rocksdb_options_t* column_family_options, const char* column_family_name,
    char** errptr);

/* Creates several in one step. Returns an array for rocksdb_free() whose handles belong to the
   caller, and in *lencfs how many were created; fewer than asked for only on an error. */
extern ROCKSDB_LIBRARY_API rocksdb_column_family_handle_t** rocksdb_create_column_families(
    rocksdb_t* db, const rocksdb_options_t* column_family_options, int num_column_families,
    const char* const* column_family_names, size_t* lencfs, char** errptr);

/* Frees such an array, not the handles in it. */
extern ROCKSDB_LIBRARY_API void rocksdb_create_column_families_destroy(
    rocksdb_column_family_handle_t** list);

/* Creates a column family of a database opened with a ttl; as rocksdb_open_with_ttl(). */
extern ROCKSDB_LIBRARY_API rocksdb_column_family_handle_t* rocksdb_create_column_family_with_ttl(
    rocksdb_t* db, const rocksdb_options_t* column_family_options, const char* column_family_name,
    int ttl, char** errptr);

/* Removes a column family. Its data stays readable through `handle` until that is destroyed.

   An error that begins with "IO error: Unable to persist options." tells that the family is gone
   for good and that only the OPTIONS file could not be written; creating a family and setting
   options do the same. */
extern ROCKSDB_LIBRARY_API void rocksdb_drop_column_family(rocksdb_t* db,
                                                           rocksdb_column_family_handle_t* handle,
                                                           char** errptr);

/* A handle of the default column family; belongs to the caller. */
extern ROCKSDB_LIBRARY_API rocksdb_column_family_handle_t* rocksdb_get_default_column_family_handle(
    rocksdb_t* db);

/* Frees a handle; the column family itself stays. */
extern ROCKSDB_LIBRARY_API void rocksdb_column_family_handle_destroy(
    rocksdb_column_family_handle_t* handle);

/* The number and the name of a column family. The name is for rocksdb_free(). */
extern ROCKSDB_LIBRARY_API uint32_t rocksdb_column_family_handle_get_id(
    rocksdb_column_family_handle_t* handle);
extern ROCKSDB_LIBRARY_API char* rocksdb_column_family_handle_get_name(
    rocksdb_column_family_handle_t* handle, size_t* name_len);

#ifdef __cplusplus
}
#endif

#endif /* SKARN_C_API_ROCKSDB_C_COLUMN_FAMILY_H_ */
