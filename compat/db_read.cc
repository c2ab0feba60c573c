// Point reads and snapshots (c/db.h).

#include <string>
#include <vector>

#include "compat/c_status.h"
#include "compat/handle_life.h"
#include "compat/handles.h"
#include "compat/value_sinks.h"
#include "core/base/small_array.h"
#include "include/c_api/rocksdb/c.h"

namespace {

using skarn::ColumnFamilyHandle;
using skarn::CopyToMalloc;
using skarn::MallocSink;
using skarn::SaveError;
using skarn::Slice;
using skarn::Status;
using skarn::ValueSink;

// What a multi-get holds for each of its keys; usual numbers of keys need no allocation.
template <typename T>
using PerKey = skarn::SmallArray<T, 32>;

char* GetCopy(rocksdb_t* db, const rocksdb_readoptions_t* options, ColumnFamilyHandle* family,
              Slice key, size_t* vallen, char** ts, size_t* tslen, char** errptr) {
  MallocSink sink;
  std::string timestamp;
  const Status status =
      DbOf(db, family)
          ->Get(Usable(options)->rep, family, key, &sink, ts != nullptr ? &timestamp : nullptr);
  if (status.ok()) {
    GiveSize(vallen, sink.size);
    if (ts != nullptr) {
      *ts = CopyToMalloc(timestamp);
      GiveSize(tslen, timestamp.size());
    }
    return sink.data;
  }
  free(sink.data);
  GiveSize(vallen, 0);
  if (ts != nullptr) {
    *ts = nullptr;
    GiveSize(tslen, 0);
  }
  if (!status.IsNotFound()) SaveError(errptr, status);  // A missing key is an answer.
  return nullptr;
}

// `Handle` has a PinnedValue named rep.
template <typename Handle>
Handle* GetPinned(rocksdb_t* db, const rocksdb_readoptions_t* options, ColumnFamilyHandle* family,
                  Slice key, char** errptr) {
  auto* handle = new Handle;
  const Status status =
      DbOf(db, family)->Get(Usable(options)->rep, family, key, &handle->rep, nullptr);
  if (status.ok()) return handle;
  delete handle;
  if (!status.IsNotFound()) SaveError(errptr, status);
  return nullptr;
}

unsigned char GetIntoBuffer(rocksdb_t* db, const rocksdb_readoptions_t* options,
                            ColumnFamilyHandle* family, Slice key, char* buffer, size_t buffer_size,
                            size_t* vallen, unsigned char* found, char** errptr) {
  skarn::BufferSink sink(buffer, buffer_size);
  const Status status = DbOf(db, family)->Get(Usable(options)->rep, family, key, &sink, nullptr);
  GiveSize(vallen, status.ok() ? sink.size : 0);
  if (found != nullptr) *found = status.ok() ? 1 : 0;
  if (!status.ok() && !status.IsNotFound()) SaveError(errptr, status);
  return status.ok() && sink.fits ? 1 : 0;
}

void MultiGetCopies(rocksdb_t* db, const rocksdb_readoptions_t* options,
                    const rocksdb_column_family_handle_t* const* families, size_t count,
                    const char* const* keys, const size_t* key_sizes, char** values,
                    size_t* value_sizes, char** timestamps, size_t* timestamp_sizes, char** errs) {
  PerKey<Slice> slices(count);
  PerKey<ColumnFamilyHandle*> handles(count);
  PerKey<MallocSink> sinks(count);
  PerKey<ValueSink*> sink_pointers(count);
  PerKey<Status> statuses(count);
  std::vector<std::string> found(timestamps != nullptr ? count : 0);
  for (size_t i = 0; i < count; ++i) {
    slices[i] = Slice(keys[i], key_sizes[i]);
    handles[i] = families != nullptr ? FamilyIn(db, families[i]) : nullptr;
    sink_pointers[i] = &sinks[i];
  }
  DbOf(db, handles.data(), count)
      ->MultiGet(Usable(options)->rep, count, handles.data(), slices.data(), sink_pointers.data(),
                 timestamps != nullptr ? found.data() : nullptr, statuses.data(),
                 /*sorted_input=*/false);
  for (size_t i = 0; i < count; ++i) {
    const bool ok = statuses[i].ok();
    errs[i] = ok || statuses[i].IsNotFound() ? nullptr : CopyToMalloc(statuses[i].ToString());
    if (!ok) free(sinks[i].data);
    values[i] = ok ? sinks[i].data : nullptr;
    value_sizes[i] = ok ? sinks[i].size : 0;
    if (timestamps != nullptr) {
      timestamps[i] = ok ? CopyToMalloc(found[i]) : nullptr;
      timestamp_sizes[i] = ok ? found[i].size() : 0;
    }
  }
}

// `SliceAt(i)` gives the i-th key.
template <typename SliceAt>
void BatchedMultiGet(rocksdb_t* db, const rocksdb_readoptions_t* options,
                     ColumnFamilyHandle* family, size_t count, SliceAt slice_at,
                     rocksdb_pinnableslice_t** values, char** errs, bool sorted_input) {
  PerKey<Slice> slices(count);
  PerKey<ColumnFamilyHandle*> handles(count);
  PerKey<ValueSink*> sinks(count);
  PerKey<Status> statuses(count);
  for (size_t i = 0; i < count; ++i) {
    slices[i] = slice_at(i);
    handles[i] = family;
    values[i] = new rocksdb_pinnableslice_t;
    sinks[i] = &values[i]->rep;
  }
  DbOf(db, family)
      ->MultiGet(Usable(options)->rep, count, handles.data(), slices.data(), sinks.data(), nullptr,
                 statuses.data(), sorted_input);
  for (size_t i = 0; i < count; ++i) {
    errs[i] = nullptr;
    if (statuses[i].ok()) continue;
    delete values[i];
    values[i] = nullptr;
    if (!statuses[i].IsNotFound()) errs[i] = CopyToMalloc(statuses[i].ToString());
  }
}

unsigned char KeyMayExist(rocksdb_t* db, const rocksdb_readoptions_t* options,
                          ColumnFamilyHandle* family, Slice key, char** value, size_t* val_len,
                          Slice timestamp, unsigned char* value_found) {
  MallocSink sink;
  bool found = false;
  skarn::ReadOptions read = Usable(options)->rep;
  if (!timestamp.empty()) read.timestamp = &timestamp;
  const bool may_exist = DbOf(db, family)
                             ->KeyMayExist(read, family, key, &sink, nullptr,
                                           value_found != nullptr ? &found : nullptr);
  if (value_found != nullptr) *value_found = found ? 1 : 0;
  if (found && value != nullptr) {
    // For a denied key an empty value, to be freed as others.
    *value = sink.data != nullptr ? sink.data : static_cast<char*>(calloc(1, 1));
    GiveSize(val_len, sink.size);
  } else {
    free(sink.data);
  }
  return may_exist ? 1 : 0;
}

}  // namespace

extern "C" {

char* rocksdb_get(rocksdb_t* db, const rocksdb_readoptions_t* options, const char* key,
                  size_t keylen, size_t* vallen, char** errptr) {
  return GetCopy(db, options, nullptr, Slice(key, keylen), vallen, nullptr, nullptr, errptr);
}

char* rocksdb_get_cf(rocksdb_t* db, const rocksdb_readoptions_t* options,
                     rocksdb_column_family_handle_t* column_family, const char* key, size_t keylen,
                     size_t* vallen, char** errptr) {
  return GetCopy(db, options, FamilyIn(db, column_family), Slice(key, keylen), vallen, nullptr,
                 nullptr, errptr);
}

char* rocksdb_get_with_ts(rocksdb_t* db, const rocksdb_readoptions_t* options, const char* key,
                          size_t keylen, size_t* vallen, char** ts, size_t* tslen, char** errptr) {
  return GetCopy(db, options, nullptr, Slice(key, keylen), vallen, ts, tslen, errptr);
}

char* rocksdb_get_cf_with_ts(rocksdb_t* db, const rocksdb_readoptions_t* options,
                             rocksdb_column_family_handle_t* column_family, const char* key,
                             size_t keylen, size_t* vallen, char** ts, size_t* tslen,
                             char** errptr) {
  return GetCopy(db, options, FamilyIn(db, column_family), Slice(key, keylen), vallen, ts, tslen,
                 errptr);
}

rocksdb_pinnableslice_t* rocksdb_get_pinned(rocksdb_t* db, const rocksdb_readoptions_t* options,
                                            const char* key, size_t keylen, char** errptr) {
  return GetPinned<rocksdb_pinnableslice_t>(db, options, nullptr, Slice(key, keylen), errptr);
}

rocksdb_pinnableslice_t* rocksdb_get_pinned_cf(rocksdb_t* db, const rocksdb_readoptions_t* options,
                                               rocksdb_column_family_handle_t* column_family,
                                               const char* key, size_t keylen, char** errptr) {
  return GetPinned<rocksdb_pinnableslice_t>(db, options, FamilyIn(db, column_family),
                                            Slice(key, keylen), errptr);
}

void rocksdb_pinnableslice_destroy(rocksdb_pinnableslice_t* v) { Retire(v); }

const char* rocksdb_pinnableslice_value(const rocksdb_pinnableslice_t* t, size_t* vlen) {
  if (t == nullptr) {
    GiveSize(vlen, 0);
    return nullptr;
  }
  GiveSize(vlen, t->rep.slice().size());
  return t->rep.slice().data();
}

rocksdb_pinnable_handle_t* rocksdb_get_pinned_v2(rocksdb_t* db,
                                                 const rocksdb_readoptions_t* options,
                                                 const char* key, size_t keylen, char** errptr) {
  return GetPinned<rocksdb_pinnable_handle_t>(db, options, nullptr, Slice(key, keylen), errptr);
}

rocksdb_pinnable_handle_t* rocksdb_get_pinned_cf_v2(rocksdb_t* db,
                                                    const rocksdb_readoptions_t* options,
                                                    rocksdb_column_family_handle_t* column_family,
                                                    const char* key, size_t keylen, char** errptr) {
  return GetPinned<rocksdb_pinnable_handle_t>(db, options, FamilyIn(db, column_family),
                                              Slice(key, keylen), errptr);
}

void rocksdb_pinnable_handle_destroy(rocksdb_pinnable_handle_t* handle) { Retire(handle); }

const char* rocksdb_pinnable_handle_get_value(const rocksdb_pinnable_handle_t* handle,
                                              size_t* vallen) {
  if (handle == nullptr) {
    GiveSize(vallen, 0);
    return nullptr;
  }
  GiveSize(vallen, handle->rep.slice().size());
  return handle->rep.slice().data();
}

unsigned char rocksdb_get_into_buffer(rocksdb_t* db, const rocksdb_readoptions_t* options,
                                      const char* key, size_t keylen, char* buffer,
                                      size_t buffer_size, size_t* vallen, unsigned char* found,
                                      char** errptr) {
  return GetIntoBuffer(db, options, nullptr, Slice(key, keylen), buffer, buffer_size, vallen, found,
                       errptr);
}

unsigned char rocksdb_get_into_buffer_cf(rocksdb_t* db, const rocksdb_readoptions_t* options,
                                         rocksdb_column_family_handle_t* column_family,
                                         const char* key, size_t keylen, char* buffer,
                                         size_t buffer_size, size_t* vallen, unsigned char* found,
                                         char** errptr) {
  return GetIntoBuffer(db, options, FamilyIn(db, column_family), Slice(key, keylen), buffer,
                       buffer_size, vallen, found, errptr);
}

void rocksdb_multi_get(rocksdb_t* db, const rocksdb_readoptions_t* options, size_t num_keys,
                       const char* const* keys_list, const size_t* keys_list_sizes,
                       char** values_list, size_t* values_list_sizes, char** errs) {
  MultiGetCopies(db, options, nullptr, num_keys, keys_list, keys_list_sizes, values_list,
                 values_list_sizes, nullptr, nullptr, errs);
}

void rocksdb_multi_get_with_ts(rocksdb_t* db, const rocksdb_readoptions_t* options, size_t num_keys,
                               const char* const* keys_list, const size_t* keys_list_sizes,
                               char** values_list, size_t* values_list_sizes, char** timestamp_list,
                               size_t* timestamp_list_sizes, char** errs) {
  MultiGetCopies(db, options, nullptr, num_keys, keys_list, keys_list_sizes, values_list,
                 values_list_sizes, timestamp_list, timestamp_list_sizes, errs);
}

void rocksdb_multi_get_cf(rocksdb_t* db, const rocksdb_readoptions_t* options,
                          const rocksdb_column_family_handle_t* const* column_families,
                          size_t num_keys, const char* const* keys_list,
                          const size_t* keys_list_sizes, char** values_list,
                          size_t* values_list_sizes, char** errs) {
  MultiGetCopies(db, options, column_families, num_keys, keys_list, keys_list_sizes, values_list,
                 values_list_sizes, nullptr, nullptr, errs);
}

void rocksdb_multi_get_cf_with_ts(rocksdb_t* db, const rocksdb_readoptions_t* options,
                                  const rocksdb_column_family_handle_t* const* column_families,
                                  size_t num_keys, const char* const* keys_list,
                                  const size_t* keys_list_sizes, char** values_list,
                                  size_t* values_list_sizes, char** timestamps_list,
                                  size_t* timestamps_list_sizes, char** errs) {
  MultiGetCopies(db, options, column_families, num_keys, keys_list, keys_list_sizes, values_list,
                 values_list_sizes, timestamps_list, timestamps_list_sizes, errs);
}

void rocksdb_batched_multi_get_cf(rocksdb_t* db, const rocksdb_readoptions_t* options,
                                  rocksdb_column_family_handle_t* column_family, size_t num_keys,
                                  const char* const* keys_list, const size_t* keys_list_sizes,
                                  rocksdb_pinnableslice_t** values, char** errs,
                                  const bool sorted_input) {
  BatchedMultiGet(
      db, options, FamilyIn(db, column_family), num_keys,
      [&](size_t i) { return Slice(keys_list[i], keys_list_sizes[i]); }, values, errs,
      sorted_input);
}

void rocksdb_batched_multi_get_cf_slice(rocksdb_t* db, const rocksdb_readoptions_t* options,
                                        rocksdb_column_family_handle_t* column_family,
                                        size_t num_keys, const rocksdb_slice_t* keys_list,
                                        rocksdb_pinnableslice_t** values, char** errs,
                                        const bool sorted_input) {
  BatchedMultiGet(
      db, options, FamilyIn(db, column_family), num_keys,
      [&](size_t i) { return Slice(keys_list[i].data, keys_list[i].size); }, values, errs,
      sorted_input);
}

unsigned char rocksdb_key_may_exist(rocksdb_t* db, const rocksdb_readoptions_t* options,
                                    const char* key, size_t key_len, char** value, size_t* val_len,
                                    const char* timestamp, size_t timestamp_len,
                                    unsigned char* value_found) {
  return KeyMayExist(db, options, nullptr, Slice(key, key_len), value, val_len,
                     timestamp != nullptr ? Slice(timestamp, timestamp_len) : Slice(), value_found);
}

unsigned char rocksdb_key_may_exist_cf(rocksdb_t* db, const rocksdb_readoptions_t* options,
                                       rocksdb_column_family_handle_t* column_family,
                                       const char* key, size_t key_len, char** value,
                                       size_t* val_len, const char* timestamp, size_t timestamp_len,
                                       unsigned char* value_found) {
  return KeyMayExist(db, options, FamilyIn(db, column_family), Slice(key, key_len), value, val_len,
                     timestamp != nullptr ? Slice(timestamp, timestamp_len) : Slice(), value_found);
}

const rocksdb_snapshot_t* rocksdb_create_snapshot(rocksdb_t* db) {
  const skarn::Snapshot* const snapshot = DbOf(db)->GetSnapshot();
  if (snapshot == nullptr) return new rocksdb_snapshot_t;
  return new rocksdb_snapshot_t{snapshot, snapshot->sequence(), db->rep->serial()};
}

void rocksdb_release_snapshot(rocksdb_t* db, const rocksdb_snapshot_t* snapshot) {
  // One of another database, or of this one before it was closed, is not in its list.
  if (snapshot != nullptr && snapshot->rep != nullptr && db != nullptr && db->rep != nullptr &&
      snapshot->db_serial == db->rep->serial()) {
    db->rep->ReleaseSnapshot(snapshot->rep);
  }
  Retire(const_cast<rocksdb_snapshot_t*>(snapshot));
}

uint64_t rocksdb_snapshot_get_sequence_number(const rocksdb_snapshot_t* snapshot) {
  return Usable(snapshot)->sequence;
}

}  // extern "C"
