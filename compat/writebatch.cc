// Write batches (c/writebatch.h).
//
// Functions that cannot report an error leave the batch as it was when one occurs.

#include <string>
#include <vector>

#include "compat/c_status.h"
#include "compat/handle_life.h"
#include "compat/handles.h"
#include "include/c_api/rocksdb/c.h"

namespace {

using skarn::SaveError;
using skarn::Slice;
using skarn::Status;
using skarn::WriteBatch;

// What a key of the column family still lacks: a timestamp of zeroes as placeholder,
// to be overwritten before the batch is written.
constexpr char kZeroes[64] = {};

// No handle is the default column family.
uint32_t IdOf(const rocksdb_column_family_handle_t* family) {
  return family != nullptr ? FamilyOf(family)->id() : 0;
}

size_t TimestampSize(const rocksdb_column_family_handle_t* family) {
  return family != nullptr ? FamilyOf(family)->comparator()->timestamp_size() : 0;
}

// Key parts: the key and, where the column family wants one, the placeholder.
struct KeyParts {
  KeyParts(rocksdb_writebatch_t* batch, const rocksdb_column_family_handle_t* family, Slice key)
      : parts{key, Slice()} {
    const size_t size = TimestampSize(family);
    if (size == 0 || size > sizeof(kZeroes)) return;
    parts[1] = Slice(kZeroes, size);
    count = 2;
    Usable(batch)->rep.set_needs_timestamps(true);
  }
  Slice parts[2];
  size_t count = 1;
};

// Key and timestamp as the caller gave them; count 0 when the size is not the column family's.
struct StampedKey {
  StampedKey(const rocksdb_column_family_handle_t* family, Slice key, Slice timestamp)
      : parts{key, timestamp}, count(TimestampSize(family) == timestamp.size() ? 2 : 0) {}
  Slice parts[2];
  size_t count;
};

void Ignore(const Status& status) { (void)status.ok(); }

std::vector<Slice> Parts(int count, const char* const* list, const size_t* sizes) {
  std::vector<Slice> parts;
  for (int i = 0; i < count; ++i) parts.emplace_back(list[i], sizes[i]);
  return parts;
}

// The same for keys, with the placeholder of the column family; `family` may be null.
std::vector<Slice> KeyPartsOf(rocksdb_writebatch_t* batch,
                              const rocksdb_column_family_handle_t* family, int count,
                              const char* const* list, const size_t* sizes) {
  std::vector<Slice> parts = Parts(count, list, sizes);
  if (family != nullptr) {
    const KeyParts placeholder(batch, family, Slice());
    if (placeholder.count == 2) parts.push_back(placeholder.parts[1]);
  }
  return parts;
}

void PutV(rocksdb_writebatch_t* b, const rocksdb_column_family_handle_t* family, int num_keys,
          const char* const* keys_list, const size_t* keys_list_sizes, int num_values,
          const char* const* values_list, const size_t* values_list_sizes) {
  const auto key = KeyPartsOf(b, family, num_keys, keys_list, keys_list_sizes);
  const auto value = Parts(num_values, values_list, values_list_sizes);
  Ignore(Usable(b)->rep.PutParts(IdOf(family), key.data(), key.size(), value.data(), value.size()));
}

void MergeV(rocksdb_writebatch_t* b, const rocksdb_column_family_handle_t* family, int num_keys,
            const char* const* keys_list, const size_t* keys_list_sizes, int num_values,
            const char* const* values_list, const size_t* values_list_sizes) {
  const auto key = KeyPartsOf(b, family, num_keys, keys_list, keys_list_sizes);
  const auto value = Parts(num_values, values_list, values_list_sizes);
  Ignore(
      Usable(b)->rep.MergeParts(IdOf(family), key.data(), key.size(), value.data(), value.size()));
}

void DeleteV(rocksdb_writebatch_t* b, const rocksdb_column_family_handle_t* family, int num_keys,
             const char* const* keys_list, const size_t* keys_list_sizes) {
  const auto key = KeyPartsOf(b, family, num_keys, keys_list, keys_list_sizes);
  Ignore(Usable(b)->rep.DeleteParts(IdOf(family), key.data(), key.size()));
}

void DeleteRangeV(rocksdb_writebatch_t* b, const rocksdb_column_family_handle_t* family,
                  int num_keys, const char* const* start_keys_list,
                  const size_t* start_keys_list_sizes, const char* const* end_keys_list,
                  const size_t* end_keys_list_sizes) {
  const auto begin = KeyPartsOf(b, family, num_keys, start_keys_list, start_keys_list_sizes);
  const auto end = KeyPartsOf(b, family, num_keys, end_keys_list, end_keys_list_sizes);
  Ignore(Usable(b)->rep.DeleteRangeParts(IdOf(family), begin.data(), begin.size(), end.data(),
                                         end.size()));
}

// Gives entries to the C callbacks; stops, silently, at the first they have no place for.
class CallbackHandler : public WriteBatch::Handler {
 public:
  void* state = nullptr;
  void (*put)(void*, const char*, size_t, const char*, size_t) = nullptr;
  void (*deleted)(void*, const char*, size_t) = nullptr;
  void (*put_cf)(void*, uint32_t, const char*, size_t, const char*, size_t) = nullptr;
  void (*deleted_cf)(void*, uint32_t, const char*, size_t) = nullptr;
  void (*merge_cf)(void*, uint32_t, const char*, size_t, const char*, size_t) = nullptr;
  void (*log_data)(void*, const char*, size_t) = nullptr;

  void LogData(Slice blob) override {
    if (log_data != nullptr) log_data(state, blob.data(), blob.size());
  }

  Status Put(uint32_t cf, Slice key, Slice value) override {
    if (put_cf != nullptr) {
      put_cf(state, cf, key.data(), key.size(), value.data(), value.size());
      return Status::Ok();
    }
    if (cf != 0) return Handler::Put(cf, key, value);
    put(state, key.data(), key.size(), value.data(), value.size());
    return Status::Ok();
  }
  Status Delete(uint32_t cf, Slice key) override {
    if (deleted_cf != nullptr) {
      deleted_cf(state, cf, key.data(), key.size());
      return Status::Ok();
    }
    if (cf != 0) return Handler::Delete(cf, key);
    deleted(state, key.data(), key.size());
    return Status::Ok();
  }
  Status Merge(uint32_t cf, Slice key, Slice operand) override {
    if (merge_cf != nullptr) {
      merge_cf(state, cf, key.data(), key.size(), operand.data(), operand.size());
      return Status::Ok();
    }
    return cf == 0 ? Status::Ok() : Handler::Merge(cf, key, operand);
  }
  Status SingleDelete(uint32_t cf, Slice key) override {
    return cf == 0 ? Status::Ok() : Handler::SingleDelete(cf, key);
  }
};

}  // namespace

extern "C" {

rocksdb_writebatch_t* rocksdb_writebatch_create(void) { return new rocksdb_writebatch_t; }

rocksdb_writebatch_t* rocksdb_writebatch_create_from(const char* rep, size_t size) {
  return new rocksdb_writebatch_t{WriteBatch::FromBytes(Slice(rep, size))};
}

rocksdb_writebatch_t* rocksdb_writebatch_create_with_params(size_t reserved_bytes, size_t max_bytes,
                                                            size_t protection_bytes_per_key,
                                                            size_t default_cf_ts_sz) {
  return new rocksdb_writebatch_t{
      WriteBatch(reserved_bytes, max_bytes, protection_bytes_per_key, default_cf_ts_sz)};
}

void rocksdb_writebatch_destroy(rocksdb_writebatch_t* b) { Retire(b); }

void rocksdb_writebatch_clear(rocksdb_writebatch_t* b) { Usable(b)->rep.Clear(); }

int rocksdb_writebatch_count(rocksdb_writebatch_t* b) {
  return static_cast<int>(Usable(b)->rep.count());
}

const char* rocksdb_writebatch_data(rocksdb_writebatch_t* b, size_t* size) {
  GiveSize(size, Usable(b)->rep.bytes().size());
  return Usable(b)->rep.bytes().data();
}

void rocksdb_writebatch_put(rocksdb_writebatch_t* b, const char* key, size_t klen, const char* val,
                            size_t vlen) {
  Ignore(Usable(b)->rep.Put(0, Slice(key, klen), Slice(val, vlen)));
}

void rocksdb_writebatch_put_cf(rocksdb_writebatch_t* b,
                               rocksdb_column_family_handle_t* column_family, const char* key,
                               size_t klen, const char* val, size_t vlen) {
  const KeyParts parts(b, column_family, Slice(key, klen));
  const Slice value(val, vlen);
  Ignore(Usable(b)->rep.PutParts(IdOf(column_family), parts.parts, parts.count, &value, 1));
}

void rocksdb_writebatch_put_cf_with_ts(rocksdb_writebatch_t* b,
                                       rocksdb_column_family_handle_t* column_family,
                                       const char* key, size_t klen, const char* ts, size_t tslen,
                                       const char* val, size_t vlen) {
  const StampedKey stamped(column_family, Slice(key, klen), Slice(ts, tslen));
  if (stamped.count == 0) return;
  const Slice value(val, vlen);
  Ignore(Usable(b)->rep.PutParts(IdOf(column_family), stamped.parts, stamped.count, &value, 1));
}

void rocksdb_writebatch_merge(rocksdb_writebatch_t* b, const char* key, size_t klen,
                              const char* val, size_t vlen) {
  Ignore(Usable(b)->rep.Merge(0, Slice(key, klen), Slice(val, vlen)));
}

void rocksdb_writebatch_merge_cf(rocksdb_writebatch_t* b,
                                 rocksdb_column_family_handle_t* column_family, const char* key,
                                 size_t klen, const char* val, size_t vlen) {
  const KeyParts parts(b, column_family, Slice(key, klen));
  const Slice value(val, vlen);
  Ignore(Usable(b)->rep.MergeParts(IdOf(column_family), parts.parts, parts.count, &value, 1));
}

void rocksdb_writebatch_delete(rocksdb_writebatch_t* b, const char* key, size_t klen) {
  Ignore(Usable(b)->rep.Delete(0, Slice(key, klen)));
}

void rocksdb_writebatch_delete_cf(rocksdb_writebatch_t* b,
                                  rocksdb_column_family_handle_t* column_family, const char* key,
                                  size_t klen) {
  const KeyParts parts(b, column_family, Slice(key, klen));
  Ignore(Usable(b)->rep.DeleteParts(IdOf(column_family), parts.parts, parts.count));
}

void rocksdb_writebatch_delete_cf_with_ts(rocksdb_writebatch_t* b,
                                          rocksdb_column_family_handle_t* column_family,
                                          const char* key, size_t klen, const char* ts,
                                          size_t tslen) {
  const StampedKey stamped(column_family, Slice(key, klen), Slice(ts, tslen));
  if (stamped.count == 0) return;
  Ignore(Usable(b)->rep.DeleteParts(IdOf(column_family), stamped.parts, stamped.count));
}

void rocksdb_writebatch_singledelete(rocksdb_writebatch_t* b, const char* key, size_t klen) {
  Ignore(Usable(b)->rep.SingleDelete(0, Slice(key, klen)));
}

void rocksdb_writebatch_singledelete_cf(rocksdb_writebatch_t* b,
                                        rocksdb_column_family_handle_t* column_family,
                                        const char* key, size_t klen) {
  const KeyParts parts(b, column_family, Slice(key, klen));
  std::string whole = parts.parts[0].ToString();
  whole.append(parts.parts[1].view());
  Ignore(Usable(b)->rep.SingleDelete(IdOf(column_family), whole));
}

void rocksdb_writebatch_singledelete_cf_with_ts(rocksdb_writebatch_t* b,
                                                rocksdb_column_family_handle_t* column_family,
                                                const char* key, size_t klen, const char* ts,
                                                size_t tslen) {
  const StampedKey stamped(column_family, Slice(key, klen), Slice(ts, tslen));
  if (stamped.count == 0) return;
  std::string whole = stamped.parts[0].ToString();
  whole.append(stamped.parts[1].view());
  Ignore(Usable(b)->rep.SingleDelete(IdOf(column_family), whole));
}

void rocksdb_writebatch_delete_range(rocksdb_writebatch_t* b, const char* start_key,
                                     size_t start_key_len, const char* end_key,
                                     size_t end_key_len) {
  Ignore(
      Usable(b)->rep.DeleteRange(0, Slice(start_key, start_key_len), Slice(end_key, end_key_len)));
}

void rocksdb_writebatch_delete_range_cf(rocksdb_writebatch_t* b,
                                        rocksdb_column_family_handle_t* column_family,
                                        const char* start_key, size_t start_key_len,
                                        const char* end_key, size_t end_key_len) {
  const KeyParts begin(b, column_family, Slice(start_key, start_key_len));
  const KeyParts end(b, column_family, Slice(end_key, end_key_len));
  Ignore(Usable(b)->rep.DeleteRangeParts(IdOf(column_family), begin.parts, begin.count, end.parts,
                                         end.count));
}

void rocksdb_writebatch_put_log_data(rocksdb_writebatch_t* b, const char* blob, size_t len) {
  Ignore(Usable(b)->rep.PutLogData(Slice(blob, len)));
}

void rocksdb_writebatch_set_save_point(rocksdb_writebatch_t* b) { Usable(b)->rep.SetSavePoint(); }

void rocksdb_writebatch_rollback_to_save_point(rocksdb_writebatch_t* b, char** errptr) {
  SaveError(errptr, Usable(b)->rep.RollbackToSavePoint());
}

void rocksdb_writebatch_pop_save_point(rocksdb_writebatch_t* b, char** errptr) {
  SaveError(errptr, Usable(b)->rep.PopSavePoint());
}

void rocksdb_writebatch_iterate(rocksdb_writebatch_t* b, void* state,
                                void (*put)(void*, const char* k, size_t klen, const char* v,
                                            size_t vlen),
                                void (*deleted)(void*, const char* k, size_t klen)) {
  CallbackHandler handler;
  handler.state = state;
  handler.put = put;
  handler.deleted = deleted;
  Ignore(Usable(b)->rep.Iterate(&handler));
}

void rocksdb_writebatch_iterate_cf(rocksdb_writebatch_t* b, void* state,
                                   void (*put_cf)(void*, uint32_t cfid, const char* k, size_t klen,
                                                  const char* v, size_t vlen),
                                   void (*deleted_cf)(void*, uint32_t cfid, const char* k,
                                                      size_t klen),
                                   void (*merge_cf)(void*, uint32_t cfid, const char* k,
                                                    size_t klen, const char* v, size_t vlen)) {
  CallbackHandler handler;
  handler.state = state;
  handler.put_cf = put_cf;
  handler.deleted_cf = deleted_cf;
  handler.merge_cf = merge_cf;
  Ignore(Usable(b)->rep.Iterate(&handler));
}

void rocksdb_writebatch_iterate_ld(rocksdb_writebatch_t* b, void* state,
                                   void (*put)(void*, const char* k, size_t klen, const char* v,
                                               size_t vlen),
                                   void (*deleted)(void*, const char* k, size_t klen),
                                   void (*log_data)(void*, const char* blob, size_t blob_len)) {
  CallbackHandler handler;
  handler.state = state;
  handler.put = put;
  handler.deleted = deleted;
  handler.log_data = log_data;
  Ignore(Usable(b)->rep.Iterate(&handler));
}

void rocksdb_writebatch_iterate_cf_ld(
    rocksdb_writebatch_t* b, void* state,
    void (*put_cf)(void*, uint32_t cfid, const char* k, size_t klen, const char* v, size_t vlen),
    void (*deleted_cf)(void*, uint32_t cfid, const char* k, size_t klen),
    void (*merge_cf)(void*, uint32_t cfid, const char* k, size_t klen, const char* v, size_t vlen),
    void (*log_data)(void*, const char* blob, size_t blob_len)) {
  CallbackHandler handler;
  handler.state = state;
  handler.put_cf = put_cf;
  handler.deleted_cf = deleted_cf;
  handler.merge_cf = merge_cf;
  handler.log_data = log_data;
  Ignore(Usable(b)->rep.Iterate(&handler));
}

void rocksdb_writebatch_putv(rocksdb_writebatch_t* b, int num_keys, const char* const* keys_list,
                             const size_t* keys_list_sizes, int num_values,
                             const char* const* values_list, const size_t* values_list_sizes) {
  PutV(b, nullptr, num_keys, keys_list, keys_list_sizes, num_values, values_list,
       values_list_sizes);
}

void rocksdb_writebatch_putv_cf(rocksdb_writebatch_t* b,
                                rocksdb_column_family_handle_t* column_family, int num_keys,
                                const char* const* keys_list, const size_t* keys_list_sizes,
                                int num_values, const char* const* values_list,
                                const size_t* values_list_sizes) {
  PutV(b, column_family, num_keys, keys_list, keys_list_sizes, num_values, values_list,
       values_list_sizes);
}

void rocksdb_writebatch_mergev(rocksdb_writebatch_t* b, int num_keys, const char* const* keys_list,
                               const size_t* keys_list_sizes, int num_values,
                               const char* const* values_list, const size_t* values_list_sizes) {
  MergeV(b, nullptr, num_keys, keys_list, keys_list_sizes, num_values, values_list,
         values_list_sizes);
}

void rocksdb_writebatch_mergev_cf(rocksdb_writebatch_t* b,
                                  rocksdb_column_family_handle_t* column_family, int num_keys,
                                  const char* const* keys_list, const size_t* keys_list_sizes,
                                  int num_values, const char* const* values_list,
                                  const size_t* values_list_sizes) {
  MergeV(b, column_family, num_keys, keys_list, keys_list_sizes, num_values, values_list,
         values_list_sizes);
}

void rocksdb_writebatch_deletev(rocksdb_writebatch_t* b, int num_keys, const char* const* keys_list,
                                const size_t* keys_list_sizes) {
  DeleteV(b, nullptr, num_keys, keys_list, keys_list_sizes);
}

void rocksdb_writebatch_deletev_cf(rocksdb_writebatch_t* b,
                                   rocksdb_column_family_handle_t* column_family, int num_keys,
                                   const char* const* keys_list, const size_t* keys_list_sizes) {
  DeleteV(b, column_family, num_keys, keys_list, keys_list_sizes);
}

void rocksdb_writebatch_delete_rangev(rocksdb_writebatch_t* b, int num_keys,
                                      const char* const* start_keys_list,
                                      const size_t* start_keys_list_sizes,
                                      const char* const* end_keys_list,
                                      const size_t* end_keys_list_sizes) {
  DeleteRangeV(b, nullptr, num_keys, start_keys_list, start_keys_list_sizes, end_keys_list,
               end_keys_list_sizes);
}

void rocksdb_writebatch_delete_rangev_cf(rocksdb_writebatch_t* b,
                                         rocksdb_column_family_handle_t* column_family,
                                         int num_keys, const char* const* start_keys_list,
                                         const size_t* start_keys_list_sizes,
                                         const char* const* end_keys_list,
                                         const size_t* end_keys_list_sizes) {
  DeleteRangeV(b, column_family, num_keys, start_keys_list, start_keys_list_sizes, end_keys_list,
               end_keys_list_sizes);
}

void rocksdb_writebatch_update_timestamps(rocksdb_writebatch_t* wb, const char* ts, size_t tslen,
                                          void* state, size_t (*get_ts_size)(void*, uint32_t),
                                          char** errptr) {
  SaveError(errptr, Usable(wb)->rep.UpdateTimestamps(Slice(ts, tslen), get_ts_size, state));
}

}  // extern "C"
