// The iterator over the write-ahead logs (c/db.h).

#include <utility>

#include "compat/c_status.h"
#include "compat/handles.h"
#include "include/c_api/rocksdb/c.h"

using skarn::SaveError;

extern "C" {

rocksdb_wal_iterator_t* rocksdb_get_updates_since(rocksdb_t* db, uint64_t seq_number,
                                                  const rocksdb_wal_readoptions_t* options,
                                                  char** errptr) {
  (void)options;  // Checksums of log records are always verified.
  std::unique_ptr<skarn::WalIterator> iterator;
  if (SaveError(errptr, db->rep->GetUpdatesSince(seq_number, &iterator))) return nullptr;
  return new rocksdb_wal_iterator_t{std::move(iterator)};
}

unsigned char rocksdb_wal_iter_valid(const rocksdb_wal_iterator_t* iter) {
  return iter->rep->Valid() ? 1 : 0;
}

void rocksdb_wal_iter_next(rocksdb_wal_iterator_t* iter) { iter->rep->Next(); }

void rocksdb_wal_iter_status(const rocksdb_wal_iterator_t* iter, char** errptr) {
  SaveError(errptr, iter->rep->status());
}

rocksdb_writebatch_t* rocksdb_wal_iter_get_batch(const rocksdb_wal_iterator_t* iter,
                                                 uint64_t* seq) {
  skarn::SequenceNumber sequence = 0;
  auto* batch = new rocksdb_writebatch_t{iter->rep->Batch(&sequence)};
  if (seq != nullptr) *seq = sequence;
  return batch;
}

void rocksdb_wal_iter_destroy(const rocksdb_wal_iterator_t* iter) { delete iter; }

}  // extern "C"
