// Single writes, batches applied, and the log (c/db.h).

#include "compat/c_status.h"
#include "compat/handle_life.h"
#include "compat/handles.h"
#include "include/c_api/rocksdb/c.h"

using skarn::SaveError;
using skarn::Slice;

extern "C" {

void rocksdb_put(rocksdb_t* db, const rocksdb_writeoptions_t* options, const char* key,
                 size_t keylen, const char* val, size_t vallen, char** errptr) {
  SaveError(errptr, DbOf(db)->Put(Usable(options)->rep, nullptr, Slice(key, keylen), Slice(),
                                  Slice(val, vallen)));
}

void rocksdb_put_cf(rocksdb_t* db, const rocksdb_writeoptions_t* options,
                    rocksdb_column_family_handle_t* column_family, const char* key, size_t keylen,
                    const char* val, size_t vallen, char** errptr) {
  SaveError(errptr, DbOf(db, FamilyIn(db, column_family))
                        ->Put(Usable(options)->rep, FamilyIn(db, column_family), Slice(key, keylen),
                              Slice(), Slice(val, vallen)));
}

void rocksdb_put_with_ts(rocksdb_t* db, const rocksdb_writeoptions_t* options, const char* key,
                         size_t keylen, const char* ts, size_t tslen, const char* val,
                         size_t vallen, char** errptr) {
  SaveError(errptr, DbOf(db)->Put(Usable(options)->rep, nullptr, Slice(key, keylen),
                                  Slice(ts, tslen), Slice(val, vallen)));
}

void rocksdb_put_cf_with_ts(rocksdb_t* db, const rocksdb_writeoptions_t* options,
                            rocksdb_column_family_handle_t* column_family, const char* key,
                            size_t keylen, const char* ts, size_t tslen, const char* val,
                            size_t vallen, char** errptr) {
  SaveError(errptr, DbOf(db, FamilyIn(db, column_family))
                        ->Put(Usable(options)->rep, FamilyIn(db, column_family), Slice(key, keylen),
                              Slice(ts, tslen), Slice(val, vallen)));
}

void rocksdb_delete(rocksdb_t* db, const rocksdb_writeoptions_t* options, const char* key,
                    size_t keylen, char** errptr) {
  SaveError(errptr, DbOf(db)->Delete(Usable(options)->rep, nullptr, Slice(key, keylen), Slice()));
}

void rocksdb_delete_cf(rocksdb_t* db, const rocksdb_writeoptions_t* options,
                       rocksdb_column_family_handle_t* column_family, const char* key,
                       size_t keylen, char** errptr) {
  SaveError(errptr, DbOf(db, FamilyIn(db, column_family))
                        ->Delete(Usable(options)->rep, FamilyIn(db, column_family),
                                 Slice(key, keylen), Slice()));
}

void rocksdb_delete_with_ts(rocksdb_t* db, const rocksdb_writeoptions_t* options, const char* key,
                            size_t keylen, const char* ts, size_t tslen, char** errptr) {
  SaveError(errptr,
            DbOf(db)->Delete(Usable(options)->rep, nullptr, Slice(key, keylen), Slice(ts, tslen)));
}

void rocksdb_delete_cf_with_ts(rocksdb_t* db, const rocksdb_writeoptions_t* options,
                               rocksdb_column_family_handle_t* column_family, const char* key,
                               size_t keylen, const char* ts, size_t tslen, char** errptr) {
  SaveError(errptr, DbOf(db, FamilyIn(db, column_family))
                        ->Delete(Usable(options)->rep, FamilyIn(db, column_family),
                                 Slice(key, keylen), Slice(ts, tslen)));
}

void rocksdb_singledelete(rocksdb_t* db, const rocksdb_writeoptions_t* options, const char* key,
                          size_t keylen, char** errptr) {
  SaveError(errptr,
            DbOf(db)->SingleDelete(Usable(options)->rep, nullptr, Slice(key, keylen), Slice()));
}

void rocksdb_singledelete_cf(rocksdb_t* db, const rocksdb_writeoptions_t* options,
                             rocksdb_column_family_handle_t* column_family, const char* key,
                             size_t keylen, char** errptr) {
  SaveError(errptr, DbOf(db, FamilyIn(db, column_family))
                        ->SingleDelete(Usable(options)->rep, FamilyIn(db, column_family),
                                       Slice(key, keylen), Slice()));
}

void rocksdb_singledelete_with_ts(rocksdb_t* db, const rocksdb_writeoptions_t* options,
                                  const char* key, size_t keylen, const char* ts, size_t tslen,
                                  char** errptr) {
  SaveError(errptr, DbOf(db)->SingleDelete(Usable(options)->rep, nullptr, Slice(key, keylen),
                                           Slice(ts, tslen)));
}

void rocksdb_singledelete_cf_with_ts(rocksdb_t* db, const rocksdb_writeoptions_t* options,
                                     rocksdb_column_family_handle_t* column_family, const char* key,
                                     size_t keylen, const char* ts, size_t tslen, char** errptr) {
  SaveError(errptr, DbOf(db, FamilyIn(db, column_family))
                        ->SingleDelete(Usable(options)->rep, FamilyIn(db, column_family),
                                       Slice(key, keylen), Slice(ts, tslen)));
}

void rocksdb_delete_range_cf(rocksdb_t* db, const rocksdb_writeoptions_t* options,
                             rocksdb_column_family_handle_t* column_family, const char* start_key,
                             size_t start_key_len, const char* end_key, size_t end_key_len,
                             char** errptr) {
  SaveError(errptr, DbOf(db, FamilyIn(db, column_family))
                        ->DeleteRange(Usable(options)->rep, FamilyIn(db, column_family),
                                      Slice(start_key, start_key_len), Slice(end_key, end_key_len),
                                      Slice()));
}

void rocksdb_merge(rocksdb_t* db, const rocksdb_writeoptions_t* options, const char* key,
                   size_t keylen, const char* val, size_t vallen, char** errptr) {
  SaveError(errptr, DbOf(db)->Merge(Usable(options)->rep, nullptr, Slice(key, keylen), Slice(),
                                    Slice(val, vallen)));
}

void rocksdb_merge_cf(rocksdb_t* db, const rocksdb_writeoptions_t* options,
                      rocksdb_column_family_handle_t* column_family, const char* key, size_t keylen,
                      const char* val, size_t vallen, char** errptr) {
  SaveError(errptr, DbOf(db, FamilyIn(db, column_family))
                        ->Merge(Usable(options)->rep, FamilyIn(db, column_family),
                                Slice(key, keylen), Slice(), Slice(val, vallen)));
}

void rocksdb_write(rocksdb_t* db, const rocksdb_writeoptions_t* options,
                   rocksdb_writebatch_t* batch, char** errptr) {
  SaveError(errptr, DbOf(db)->Write(Usable(options)->rep, &Usable(batch)->rep));
}

void rocksdb_flush_wal(rocksdb_t* db, unsigned char sync, char** errptr) {
  SaveError(errptr, DbOf(db)->FlushWal(sync != 0));
}

uint64_t rocksdb_get_latest_sequence_number(rocksdb_t* db) { return DbOf(db)->LatestSequence(); }

}  // extern "C"
