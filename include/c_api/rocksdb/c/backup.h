/* Backups of a database in a directory of their own. */

#ifndef SKARN_C_API_ROCKSDB_C_BACKUP_H_
#define SKARN_C_API_ROCKSDB_C_BACKUP_H_

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

extern ROCKSDB_LIBRARY_API void rocksdb_backup_engine_close(rocksdb_backup_engine_t* be);
extern ROCKSDB_LIBRARY_API void rocksdb_backup_engine_create_new_backup(
    rocksdb_backup_engine_t* be, rocksdb_t* db, char** errptr);
extern ROCKSDB_LIBRARY_API void rocksdb_backup_engine_create_new_backup_flush(
    rocksdb_backup_engine_t* be, rocksdb_t* db, unsigned char flush_before_backup, char** errptr);
extern ROCKSDB_LIBRARY_API const rocksdb_backup_engine_info_t* rocksdb_backup_engine_get_backup_info(
    rocksdb_backup_engine_t* be);
extern ROCKSDB_LIBRARY_API uint32_t rocksdb_backup_engine_info_backup_id(
    const rocksdb_backup_engine_info_t* info, int index);
extern ROCKSDB_LIBRARY_API int rocksdb_backup_engine_info_count(
    const rocksdb_backup_engine_info_t* info);
extern ROCKSDB_LIBRARY_API void rocksdb_backup_engine_info_destroy(
    const rocksdb_backup_engine_info_t* info);
extern ROCKSDB_LIBRARY_API uint32_t rocksdb_backup_engine_info_number_files(
    const rocksdb_backup_engine_info_t* info, int index);
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_backup_engine_info_size(
    const rocksdb_backup_engine_info_t* info, int index);
extern ROCKSDB_LIBRARY_API int64_t rocksdb_backup_engine_info_timestamp(
    const rocksdb_backup_engine_info_t* info, int index);
extern ROCKSDB_LIBRARY_API rocksdb_backup_engine_t* rocksdb_backup_engine_open(
    const rocksdb_options_t* options, const char* path, char** errptr);
extern ROCKSDB_LIBRARY_API rocksdb_backup_engine_t* rocksdb_backup_engine_open_opts(
    const rocksdb_backup_engine_options_t* options, rocksdb_env_t* env, char** errptr);
extern ROCKSDB_LIBRARY_API rocksdb_backup_engine_options_t* rocksdb_backup_engine_options_create(
    const char* backup_dir);
extern ROCKSDB_LIBRARY_API void rocksdb_backup_engine_options_destroy(
    rocksdb_backup_engine_options_t* options);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_backup_engine_options_get_backup_log_files(
    rocksdb_backup_engine_options_t* opt);
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_backup_engine_options_get_backup_rate_limit(
    rocksdb_backup_engine_options_t* opt);
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_backup_engine_options_get_callback_trigger_interval_size(
    rocksdb_backup_engine_options_t* opt);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_backup_engine_options_get_destroy_old_data(
    rocksdb_backup_engine_options_t* opt);
extern ROCKSDB_LIBRARY_API int rocksdb_backup_engine_options_get_max_background_operations(
    rocksdb_backup_engine_options_t* opt);
extern ROCKSDB_LIBRARY_API int rocksdb_backup_engine_options_get_max_valid_backups_to_open(
    rocksdb_backup_engine_options_t* opt);
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_backup_engine_options_get_restore_rate_limit(
    rocksdb_backup_engine_options_t* opt);
extern ROCKSDB_LIBRARY_API int rocksdb_backup_engine_options_get_share_files_with_checksum_naming(
    rocksdb_backup_engine_options_t* opt);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_backup_engine_options_get_share_table_files(
    rocksdb_backup_engine_options_t* opt);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_backup_engine_options_get_sync(
    rocksdb_backup_engine_options_t* opt);
extern ROCKSDB_LIBRARY_API void rocksdb_backup_engine_options_set_backup_dir(
    rocksdb_backup_engine_options_t* opt, const char* v);
extern ROCKSDB_LIBRARY_API void rocksdb_backup_engine_options_set_backup_log_files(
    rocksdb_backup_engine_options_t* opt, unsigned char v);
extern ROCKSDB_LIBRARY_API void rocksdb_backup_engine_options_set_backup_rate_limit(
    rocksdb_backup_engine_options_t* opt, uint64_t v);
extern ROCKSDB_LIBRARY_API void rocksdb_backup_engine_options_set_callback_trigger_interval_size(
    rocksdb_backup_engine_options_t* opt, uint64_t v);
extern ROCKSDB_LIBRARY_API void rocksdb_backup_engine_options_set_destroy_old_data(
    rocksdb_backup_engine_options_t* opt, unsigned char v);
extern ROCKSDB_LIBRARY_API void rocksdb_backup_engine_options_set_env(
    rocksdb_backup_engine_options_t* options, rocksdb_env_t* env);
extern ROCKSDB_LIBRARY_API void rocksdb_backup_engine_options_set_max_background_operations(
    rocksdb_backup_engine_options_t* opt, int v);
extern ROCKSDB_LIBRARY_API void rocksdb_backup_engine_options_set_max_valid_backups_to_open(
    rocksdb_backup_engine_options_t* opt, int v);
extern ROCKSDB_LIBRARY_API void rocksdb_backup_engine_options_set_restore_rate_limit(
    rocksdb_backup_engine_options_t* opt, uint64_t v);
extern ROCKSDB_LIBRARY_API void rocksdb_backup_engine_options_set_share_files_with_checksum_naming(
    rocksdb_backup_engine_options_t* opt, int v);
extern ROCKSDB_LIBRARY_API void rocksdb_backup_engine_options_set_share_table_files(
    rocksdb_backup_engine_options_t* opt, unsigned char v);
extern ROCKSDB_LIBRARY_API void rocksdb_backup_engine_options_set_sync(
    rocksdb_backup_engine_options_t* opt, unsigned char v);
extern ROCKSDB_LIBRARY_API void rocksdb_backup_engine_purge_old_backups(
    rocksdb_backup_engine_t* be, uint32_t num_backups_to_keep, char** errptr);
extern ROCKSDB_LIBRARY_API void rocksdb_backup_engine_restore_db_from_backup(
    rocksdb_backup_engine_t* be, const char* db_dir, const char* wal_dir,
    const rocksdb_restore_options_t* restore_options, const uint32_t backup_id, char** errptr);
extern ROCKSDB_LIBRARY_API void rocksdb_backup_engine_restore_db_from_latest_backup(
    rocksdb_backup_engine_t* be, const char* db_dir, const char* wal_dir,
    const rocksdb_restore_options_t* restore_options, char** errptr);
extern ROCKSDB_LIBRARY_API void rocksdb_backup_engine_verify_backup(
    rocksdb_backup_engine_t* be, uint32_t backup_id, char** errptr);
extern ROCKSDB_LIBRARY_API rocksdb_backupable_db_options_t* rocksdb_backupable_db_options_create(
    const char* backup_dir);
extern ROCKSDB_LIBRARY_API void rocksdb_backupable_db_options_destroy(
    rocksdb_backupable_db_options_t* options);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_backupable_db_options_get_backup_log_files(
    rocksdb_backupable_db_options_t* options);
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_backupable_db_options_get_backup_rate_limit(
    rocksdb_backupable_db_options_t* options);
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_backupable_db_options_get_callback_trigger_interval_size(
    rocksdb_backupable_db_options_t* options);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_backupable_db_options_get_destroy_old_data(
    rocksdb_backupable_db_options_t* options);
extern ROCKSDB_LIBRARY_API int rocksdb_backupable_db_options_get_max_background_operations(
    rocksdb_backupable_db_options_t* options);
extern ROCKSDB_LIBRARY_API int rocksdb_backupable_db_options_get_max_valid_backups_to_open(
    rocksdb_backupable_db_options_t* options);
extern ROCKSDB_LIBRARY_API uint64_t rocksdb_backupable_db_options_get_restore_rate_limit(
    rocksdb_backupable_db_options_t* options);
extern ROCKSDB_LIBRARY_API int rocksdb_backupable_db_options_get_share_files_with_checksum_naming(
    rocksdb_backupable_db_options_t* options);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_backupable_db_options_get_share_table_files(
    rocksdb_backupable_db_options_t* options);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_backupable_db_options_get_sync(
    rocksdb_backupable_db_options_t* options);
extern ROCKSDB_LIBRARY_API void rocksdb_backupable_db_options_set_backup_dir(
    rocksdb_backupable_db_options_t* options, const char* backup_dir);
extern ROCKSDB_LIBRARY_API void rocksdb_backupable_db_options_set_backup_log_files(
    rocksdb_backupable_db_options_t* options, unsigned char val);
extern ROCKSDB_LIBRARY_API void rocksdb_backupable_db_options_set_backup_rate_limit(
    rocksdb_backupable_db_options_t* options, uint64_t limit);
extern ROCKSDB_LIBRARY_API void rocksdb_backupable_db_options_set_callback_trigger_interval_size(
    rocksdb_backupable_db_options_t* options, uint64_t size);
extern ROCKSDB_LIBRARY_API void rocksdb_backupable_db_options_set_destroy_old_data(
    rocksdb_backupable_db_options_t* options, unsigned char val);
extern ROCKSDB_LIBRARY_API void rocksdb_backupable_db_options_set_env(
    rocksdb_backupable_db_options_t* options, rocksdb_env_t* env);
extern ROCKSDB_LIBRARY_API void rocksdb_backupable_db_options_set_max_background_operations(
    rocksdb_backupable_db_options_t* options, int val);
extern ROCKSDB_LIBRARY_API void rocksdb_backupable_db_options_set_max_valid_backups_to_open(
    rocksdb_backupable_db_options_t* options, int val);
extern ROCKSDB_LIBRARY_API void rocksdb_backupable_db_options_set_restore_rate_limit(
    rocksdb_backupable_db_options_t* options, uint64_t limit);
extern ROCKSDB_LIBRARY_API void rocksdb_backupable_db_options_set_share_files_with_checksum_naming(
    rocksdb_backupable_db_options_t* options, int val);
extern ROCKSDB_LIBRARY_API void rocksdb_backupable_db_options_set_share_table_files(
    rocksdb_backupable_db_options_t* options, unsigned char val);
extern ROCKSDB_LIBRARY_API void rocksdb_backupable_db_options_set_sync(
    rocksdb_backupable_db_options_t* options, unsigned char val);
extern ROCKSDB_LIBRARY_API rocksdb_restore_options_t* rocksdb_restore_options_create(void);
extern ROCKSDB_LIBRARY_API void rocksdb_restore_options_destroy(rocksdb_restore_options_t* opt);
extern ROCKSDB_LIBRARY_API void rocksdb_restore_options_set_keep_log_files(
    rocksdb_restore_options_t* opt, int v);

#ifdef __cplusplus
}
#endif

#endif /* SKARN_C_API_ROCKSDB_C_BACKUP_H_ */
