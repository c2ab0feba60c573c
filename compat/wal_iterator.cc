// The iterator over the write-ahead logs (c/db.h).

#include <utility>

#include "compat/c_status.h"
#include "compat/handle_life.h"
#include "compat/handles.h"
#include "include/c_api/rocksdb/c.h"

using skarn::SaveError;

extern "C" {

rocksdb_wal_iterator_t* rocksdb_get_updates_since(rocksdb_t* db, uint64_t seq_number,
                                                  const rocksdb_wal_readoptions_t* options,
                                                  char** errptr) {
  (void)options;  // Checksums of log records are always verified.
  std::unique_ptr<skarn::WalIterator> iterator;
  if (SaveError(errptr, DbOf(db)->GetUpdatesSince(seq_number, &iterator))) return nullptr;
  return new rocksdb_wal_iterator_t{std::move(iterator)};
}

unsigned char rocksdb_wal_iter_valid(const rocksdb_wal_iterator_t* iter) {
  return iter != nullptr && iter->rep != nullptr && iter->rep->Valid() ? 1 : 0;
}

void rocksdb_wal_iter_next(rocksdb_wal_iterator_t* iter) {
  if (rocksdb_wal_iter_valid(iter) != 0) iter->rep->Next();
}

void rocksdb_wal_iter_status(const rocksdb_wal_iterator_t* iter, char** errptr) {
  const bool usable = iter != nullptr && iter->rep != nullptr;
  SaveError(errptr, usable ? iter->rep->status() : MisusedStatus());
}

rocksdb_writebatch_t* rocksdb_wal_iter_get_batch(const rocksdb_wal_iterator_t* iter,
                                                 uint64_t* seq) {
  if (rocksdb_wal_iter_valid(iter) == 0) return nullptr;
  skarn::SequenceNumber sequence = 0;
  auto* batch = new rocksdb_writebatch_t{iter->rep->Batch(&sequence)};
  if (seq != nullptr) *seq = sequence;
  return batch;
}

void rocksdb_wal_iter_destroy(const rocksdb_wal_iterator_t* iter) {
  Retire(const_cast<rocksdb_wal_iterator_t*>(iter));
}

}  // extern "C"
