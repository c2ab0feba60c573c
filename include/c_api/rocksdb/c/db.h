/* Opening, closing and looking after a database. */

#ifndef SKARN_C_API_ROCKSDB_C_DB_H_
#define SKARN_C_API_ROCKSDB_C_DB_H_

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Opens the database at `name`, a directory, with its default column family only.

   `options` is copied; what it refers to (comparator, caches, ...) must stay as its own
   header says. Returns NULL and sets *errptr on failure. */
extern ROCKSDB_LIBRARY_API rocksdb_t* rocksdb_open(const rocksdb_options_t* options,
                                                   const char* name, char** errptr);

/* Opens a database with all its column families.

   `column_family_names` must name every column family that exists, "default" included.
   On success column_family_handles[i] belongs to the caller, for
   rocksdb_column_family_handle_destroy(); best before the database is closed, since RocksDB
   wants that. Here a handle may outlive it, and then still has its name and id. */
extern ROCKSDB_LIBRARY_API rocksdb_t* rocksdb_open_column_families(
    const rocksdb_options_t* options, const char* name, int num_column_families,
    const char* const* column_family_names, const rocksdb_options_t* const* column_family_options,
    rocksdb_column_family_handle_t** column_family_handles, char** errptr);

/* The same for reading only: no file is changed, other processes may have the database
   open. With `error_if_wal_file_exists`, fails when there is data that is only in a log. */
extern ROCKSDB_LIBRARY_API rocksdb_t* rocksdb_open_for_read_only(
    const rocksdb_options_t* options, const char* name, unsigned char error_if_wal_file_exists,
    char** errptr);
extern ROCKSDB_LIBRARY_API rocksdb_t* rocksdb_open_for_read_only_column_families(
    const rocksdb_options_t* options, const char* name, int num_column_families,
    const char* const* column_family_names, const rocksdb_options_t* const* column_family_options,
    rocksdb_column_family_handle_t** column_family_handles, unsigned char error_if_wal_file_exists,
    char** errptr);

/* Opens a second view on a database that another process writes to. Its own files (the
   LOG) go to `secondary_path`. It shows what was there at open and at each
   rocksdb_try_catch_up_with_primary(). */
extern ROCKSDB_LIBRARY_API rocksdb_t* rocksdb_open_as_secondary(
    const rocksdb_options_t* options, const char* name, const char* secondary_path, char** errptr);
extern ROCKSDB_LIBRARY_API rocksdb_t* rocksdb_open_as_secondary_column_families(
    const rocksdb_options_t* options, const char* name, const char* secondary_path,
    int num_column_families, const char* const* column_family_names,
    const rocksdb_options_t* const* column_family_options,
    rocksdb_column_family_handle_t** column_family_handles, char** errptr);
extern ROCKSDB_LIBRARY_API void rocksdb_try_catch_up_with_primary(rocksdb_t* db, char** errptr);

/* Opens a database whose values expire `ttl` seconds after they were written; compactions
   drop them then. 0 or less: never. Values carry four more bytes on disk. */
extern ROCKSDB_LIBRARY_API rocksdb_t* rocksdb_open_with_ttl(
    const rocksdb_options_t* options, const char* name, int ttl, char** errptr);
extern ROCKSDB_LIBRARY_API rocksdb_t* rocksdb_open_column_families_with_ttl(
    const rocksdb_options_t* options, const char* name, int num_column_families,
    const char* const* column_family_names, const rocksdb_options_t* const* column_family_options,
    rocksdb_column_family_handle_t** column_family_handles, const int* ttls, char** errptr);

/* Opens a database with user-defined timestamps and drops everything newer than `trim_ts`. */
extern ROCKSDB_LIBRARY_API rocksdb_t* rocksdb_open_and_trim_history(
    const rocksdb_options_t* options, const char* name, int num_column_families,
    const char* const* column_family_names, const rocksdb_options_t* const* column_family_options,
    rocksdb_column_family_handle_t** column_family_handles, char* trim_ts, size_t trim_tslen,
    char** errptr);

/* Closes and frees `db`. All calls on it must have returned, and its iterators, snapshots
   and column family handles must have been given back. */
extern ROCKSDB_LIBRARY_API void rocksdb_close(rocksdb_t* db);

/* Deletes the database at `name` with all its data. The database must not be open. */
extern ROCKSDB_LIBRARY_API void rocksdb_destroy_db(const rocksdb_options_t* options,
                                                   const char* name, char** errptr);

/* Recovers as much as possible of a database that no longer opens. */
extern ROCKSDB_LIBRARY_API void rocksdb_repair_db(const rocksdb_options_t* options,
                                                  const char* name, char** errptr);

/* Returns the names of the column families of a database that need not be open, and their
   number in *lencf. Free with rocksdb_list_column_families_destroy(). */
extern ROCKSDB_LIBRARY_API char** rocksdb_list_column_families(
    const rocksdb_options_t* options, const char* name, size_t* lencf, char** errptr);
extern ROCKSDB_LIBRARY_API void rocksdb_list_column_families_destroy(char** list, size_t len);

/* Returns the database's unique id, for rocksdb_free(), and its length. */
extern ROCKSDB_LIBRARY_API char* rocksdb_get_db_identity(rocksdb_t* db, size_t* id_len);

/* The number of the newest write. */
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_get_latest_sequence_number(rocksdb_t* db);

/* Changes options of the open database: `count` pairs of a name and a value, as in option
   strings (options.h). All are applied, or, on an error, none. */
extern ROCKSDB_LIBRARY_API void rocksdb_set_options(rocksdb_t* db, int count,
                                                    const char* const keys[],
                                                    const char* const values[], char** errptr);
extern ROCKSDB_LIBRARY_API void rocksdb_set_options_cf(rocksdb_t* db,
                                                       rocksdb_column_family_handle_t* handle,
                                                       int count, const char* const keys[],
                                                       const char* const values[], char** errptr);

/* Stops background work for good, before rocksdb_close(). With `wait`, returns when it has
   stopped. */
extern ROCKSDB_LIBRARY_API void rocksdb_cancel_all_background_work(
    rocksdb_t* db, unsigned char wait);

/* Keeps files of the database from being deleted, for instance while it is copied. Calls
   nest: deletions begin again after as many calls of rocksdb_enable_file_deletions(). */
extern ROCKSDB_LIBRARY_API void rocksdb_disable_file_deletions(rocksdb_t* db, char** errptr);
#if defined(SKARN_ROCKSDB_RELEASE) && SKARN_ROCKSDB_RELEASE < 900
/* Up to release 8.11; `force` has no effect. See rocksdb_slicetransform_create(). */
extern ROCKSDB_LIBRARY_API void rocksdb_enable_file_deletions(rocksdb_t* db, unsigned char force,
                                                              char** errptr);
#else
extern ROCKSDB_LIBRARY_API void rocksdb_enable_file_deletions(rocksdb_t* db, char** errptr);
#endif

/* Frees memory that a function of this library returned. NULL is allowed. */
extern ROCKSDB_LIBRARY_API void rocksdb_free(void* ptr);

#ifdef __cplusplus
}
#endif

#endif /* SKARN_C_API_ROCKSDB_C_DB_H_ */
