// Iterators (c/iterator.h).
//
// Reading the current entry is a few loads: no call into the engine.

#include <memory>
#include <vector>

#include "compat/c_status.h"
#include "compat/handle_life.h"
#include "compat/handles.h"
#include "core/base/cpu.h"
#include "core/iterate/db_iterator.h"
#include "include/c_api/rocksdb/c.h"

using skarn::SaveError;
using skarn::Slice;

namespace {

// Null for a misused handle, whose iterator is never valid and has no key, no value.
const skarn::DbIterator* UsableRep(const rocksdb_iterator_t* iterator) {
  return SKARN_LIKELY(iterator != nullptr) ? iterator->rep.get() : nullptr;
}

const char* Give(Slice slice, size_t* size) {
  GiveSize(size, slice.size());
  return slice.data();
}

rocksdb_iterator_t* Wrap(const rocksdb_t* db, std::unique_ptr<skarn::DbIterator> iterator) {
  return new rocksdb_iterator_t{db != nullptr ? db->rep : nullptr, std::move(iterator)};
}

rocksdb_slice_t Give(Slice slice) { return {slice.data(), slice.size()}; }

}  // namespace

extern "C" {

rocksdb_iterator_t* rocksdb_create_iterator(rocksdb_t* db, const rocksdb_readoptions_t* options) {
  return Wrap(db, DbOf(db)->NewIterator(Usable(options)->rep, nullptr));
}

rocksdb_iterator_t* rocksdb_create_iterator_cf(rocksdb_t* db, const rocksdb_readoptions_t* options,
                                               rocksdb_column_family_handle_t* column_family) {
  return Wrap(db, DbOf(db, FamilyIn(db, column_family))
                      ->NewIterator(Usable(options)->rep, FamilyIn(db, column_family)));
}

void rocksdb_create_iterators(rocksdb_t* db, rocksdb_readoptions_t* opts,
                              rocksdb_column_family_handle_t** column_families,
                              rocksdb_iterator_t** iterators, size_t size, char** errptr) {
  std::vector<skarn::ColumnFamilyHandle*> families;
  for (size_t i = 0; i < size; ++i) {
    families.push_back(FamilyIn(db, column_families[i]));
    iterators[i] = nullptr;
  }
  std::vector<std::unique_ptr<skarn::DbIterator>> created;
  if (SaveError(errptr, DbOf(db, families)->NewIterators(Usable(opts)->rep, families, &created)))
    return;
  for (size_t i = 0; i < size; ++i) iterators[i] = Wrap(db, std::move(created[i]));
}

void rocksdb_iter_destroy(rocksdb_iterator_t* iter) { Retire(iter); }

unsigned char rocksdb_iter_valid(const rocksdb_iterator_t* iter) {
  const skarn::DbIterator* const rep = UsableRep(iter);
  return SKARN_LIKELY(rep != nullptr) && rep->valid() ? 1 : 0;
}

void rocksdb_iter_seek_to_first(rocksdb_iterator_t* iter) { IteratorOf(iter)->SeekToFirst(); }

void rocksdb_iter_seek_to_last(rocksdb_iterator_t* iter) { IteratorOf(iter)->SeekToLast(); }

void rocksdb_iter_seek(rocksdb_iterator_t* iter, const char* k, size_t klen) {
  IteratorOf(iter)->Seek(Slice(k, klen));
}

void rocksdb_iter_seek_for_prev(rocksdb_iterator_t* iter, const char* k, size_t klen) {
  IteratorOf(iter)->SeekForPrev(Slice(k, klen));
}

// A move of an iterator that is not valid is a mistake of the caller; it stays where it is.
void rocksdb_iter_next(rocksdb_iterator_t* iter) {
  if (SKARN_UNLIKELY(iter == nullptr)) return;
  skarn::DbIterator* const rep = iter->rep.get();
  if (SKARN_LIKELY(rep != nullptr && rep->valid())) rep->Next();
}

void rocksdb_iter_prev(rocksdb_iterator_t* iter) {
  if (SKARN_UNLIKELY(iter == nullptr)) return;
  skarn::DbIterator* const rep = iter->rep.get();
  if (SKARN_LIKELY(rep != nullptr && rep->valid())) rep->Prev();
}

const char* rocksdb_iter_key(const rocksdb_iterator_t* iter, size_t* klen) {
  const skarn::DbIterator* const rep = UsableRep(iter);
  return Give(SKARN_LIKELY(rep != nullptr) ? rep->key() : Slice(), klen);
}

const char* rocksdb_iter_value(const rocksdb_iterator_t* iter, size_t* vlen) {
  const skarn::DbIterator* const rep = UsableRep(iter);
  return Give(SKARN_LIKELY(rep != nullptr) ? rep->value() : Slice(), vlen);
}

const char* rocksdb_iter_timestamp(const rocksdb_iterator_t* iter, size_t* tslen) {
  return Give(IteratorOf(iter)->timestamp(), tslen);
}

rocksdb_slice_t rocksdb_iter_key_slice(const rocksdb_iterator_t* iter) {
  return Give(IteratorOf(iter)->key());
}

rocksdb_slice_t rocksdb_iter_value_slice(const rocksdb_iterator_t* iter) {
  return Give(IteratorOf(iter)->value());
}

rocksdb_slice_t rocksdb_iter_timestamp_slice(const rocksdb_iterator_t* iter) {
  return Give(IteratorOf(iter)->timestamp());
}

void rocksdb_iter_get_error(const rocksdb_iterator_t* iter, char** errptr) {
  SaveError(errptr, IteratorOf(iter)->status());
}

void rocksdb_iter_refresh(const rocksdb_iterator_t* iter, char** errptr) {
  SaveError(errptr, IteratorOf(iter)->Refresh());
}

}  // extern "C"
