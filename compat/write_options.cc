// Options of writes, flushes and compactions (c/write_options.h).

#include "compat/handle_life.h"
#include "compat/handles.h"
#include "compat/option_functions.h"
#include "include/c_api/rocksdb/c.h"

extern "C" {

rocksdb_writeoptions_t* rocksdb_writeoptions_create() { return new rocksdb_writeoptions_t; }
void rocksdb_writeoptions_destroy(rocksdb_writeoptions_t* options) { Retire(options); }

SKARN_C_SETTER(rocksdb_writeoptions_set_sync, rocksdb_writeoptions_t, rep.sync)
SKARN_C_GETTER(rocksdb_writeoptions_get_sync, rocksdb_writeoptions_t, rep.sync)
SKARN_C_SETTER(rocksdb_writeoptions_set_ignore_missing_column_families, rocksdb_writeoptions_t,
               rep.ignore_missing_column_families)
SKARN_C_GETTER(rocksdb_writeoptions_get_ignore_missing_column_families, rocksdb_writeoptions_t,
               rep.ignore_missing_column_families)
SKARN_C_SETTER(rocksdb_writeoptions_set_no_slowdown, rocksdb_writeoptions_t, rep.no_slowdown)
SKARN_C_GETTER(rocksdb_writeoptions_get_no_slowdown, rocksdb_writeoptions_t, rep.no_slowdown)
SKARN_C_SETTER(rocksdb_writeoptions_set_low_pri, rocksdb_writeoptions_t, rep.low_pri)
SKARN_C_GETTER(rocksdb_writeoptions_get_low_pri, rocksdb_writeoptions_t, rep.low_pri)
SKARN_C_SETTER(rocksdb_writeoptions_set_memtable_insert_hint_per_batch, rocksdb_writeoptions_t,
               rep.memtable_insert_hint_per_batch)
SKARN_C_GETTER(rocksdb_writeoptions_get_memtable_insert_hint_per_batch, rocksdb_writeoptions_t,
               rep.memtable_insert_hint_per_batch)
SKARN_C_SETTER(rocksdb_writeoptions_disable_WAL, rocksdb_writeoptions_t, rep.disable_wal)
SKARN_C_GETTER(rocksdb_writeoptions_get_disable_WAL, rocksdb_writeoptions_t, rep.disable_wal)

rocksdb_flushoptions_t* rocksdb_flushoptions_create() { return new rocksdb_flushoptions_t; }
void rocksdb_flushoptions_destroy(rocksdb_flushoptions_t* options) { Retire(options); }

SKARN_C_SETTER(rocksdb_flushoptions_set_wait, rocksdb_flushoptions_t, rep.wait)
SKARN_C_GETTER(rocksdb_flushoptions_get_wait, rocksdb_flushoptions_t, rep.wait)

rocksdb_compactoptions_t* rocksdb_compactoptions_create() { return new rocksdb_compactoptions_t; }
void rocksdb_compactoptions_destroy(rocksdb_compactoptions_t* options) { Retire(options); }

SKARN_C_SETTER(rocksdb_compactoptions_set_exclusive_manual_compaction, rocksdb_compactoptions_t,
               rep.exclusive_manual_compaction)
SKARN_C_GETTER(rocksdb_compactoptions_get_exclusive_manual_compaction, rocksdb_compactoptions_t,
               rep.exclusive_manual_compaction)
SKARN_C_SETTER(rocksdb_compactoptions_set_bottommost_level_compaction, rocksdb_compactoptions_t,
               rep.bottommost_level_compaction)
SKARN_C_GETTER(rocksdb_compactoptions_get_bottommost_level_compaction, rocksdb_compactoptions_t,
               rep.bottommost_level_compaction)
SKARN_C_SETTER(rocksdb_compactoptions_set_change_level, rocksdb_compactoptions_t, rep.change_level)
SKARN_C_GETTER(rocksdb_compactoptions_get_change_level, rocksdb_compactoptions_t, rep.change_level)
SKARN_C_SETTER(rocksdb_compactoptions_set_target_level, rocksdb_compactoptions_t, rep.target_level)
SKARN_C_GETTER(rocksdb_compactoptions_get_target_level, rocksdb_compactoptions_t, rep.target_level)
SKARN_C_SETTER(rocksdb_compactoptions_set_target_path_id, rocksdb_compactoptions_t,
               rep.target_path_id)
SKARN_C_GETTER(rocksdb_compactoptions_get_target_path_id, rocksdb_compactoptions_t,
               rep.target_path_id)
SKARN_C_SETTER(rocksdb_compactoptions_set_allow_write_stall, rocksdb_compactoptions_t,
               rep.allow_write_stall)
SKARN_C_GETTER(rocksdb_compactoptions_get_allow_write_stall, rocksdb_compactoptions_t,
               rep.allow_write_stall)
SKARN_C_SETTER(rocksdb_compactoptions_set_max_subcompactions, rocksdb_compactoptions_t,
               rep.max_subcompactions)
SKARN_C_GETTER(rocksdb_compactoptions_get_max_subcompactions, rocksdb_compactoptions_t,
               rep.max_subcompactions)

void rocksdb_compactoptions_set_full_history_ts_low(rocksdb_compactoptions_t* options, char* ts,
                                                    size_t tslen) {
  Usable(options)->rep.full_history_ts_low.assign(ts == nullptr ? "" : ts,
                                                  ts == nullptr ? 0 : tslen);
}

rocksdb_wait_for_compact_options_t* rocksdb_wait_for_compact_options_create() {
  return new rocksdb_wait_for_compact_options_t;
}
void rocksdb_wait_for_compact_options_destroy(rocksdb_wait_for_compact_options_t* options) {
  Retire(options);
}

SKARN_C_SETTER(rocksdb_wait_for_compact_options_set_abort_on_pause,
               rocksdb_wait_for_compact_options_t, rep.abort_on_pause)
SKARN_C_GETTER(rocksdb_wait_for_compact_options_get_abort_on_pause,
               rocksdb_wait_for_compact_options_t, rep.abort_on_pause)
SKARN_C_SETTER(rocksdb_wait_for_compact_options_set_flush, rocksdb_wait_for_compact_options_t,
               rep.flush)
SKARN_C_GETTER(rocksdb_wait_for_compact_options_get_flush, rocksdb_wait_for_compact_options_t,
               rep.flush)
SKARN_C_SETTER(rocksdb_wait_for_compact_options_set_close_db, rocksdb_wait_for_compact_options_t,
               rep.close_db)
SKARN_C_GETTER(rocksdb_wait_for_compact_options_get_close_db, rocksdb_wait_for_compact_options_t,
               rep.close_db)
SKARN_C_SETTER(rocksdb_wait_for_compact_options_set_timeout, rocksdb_wait_for_compact_options_t,
               rep.timeout_us)
SKARN_C_GETTER(rocksdb_wait_for_compact_options_get_timeout, rocksdb_wait_for_compact_options_t,
               rep.timeout_us)

rocksdb_envoptions_t* rocksdb_envoptions_create() { return new rocksdb_envoptions_t; }
void rocksdb_envoptions_destroy(rocksdb_envoptions_t* options) { Retire(options); }

}  // extern "C"
