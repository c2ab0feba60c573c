// Options of reads (c/read_options.h).

#include "compat/handle_life.h"
#include "compat/handles.h"
#include "compat/option_functions.h"
#include "include/c_api/rocksdb/c.h"

namespace {

// Points `*option` at `*place`, which becomes the caller's bytes; null bytes: nothing.
void SetBytes(const char* bytes, size_t size, skarn::Slice* place, const skarn::Slice** option) {
  *place = bytes == nullptr ? skarn::Slice() : skarn::Slice(bytes, size);
  *option = bytes == nullptr ? nullptr : place;
}

}  // namespace

extern "C" {

rocksdb_readoptions_t* rocksdb_readoptions_create() { return new rocksdb_readoptions_t; }
void rocksdb_readoptions_destroy(rocksdb_readoptions_t* options) { Retire(options); }

SKARN_C_SETTER(rocksdb_readoptions_set_verify_checksums, rocksdb_readoptions_t,
               rep.verify_checksums)
SKARN_C_GETTER(rocksdb_readoptions_get_verify_checksums, rocksdb_readoptions_t,
               rep.verify_checksums)
SKARN_C_SETTER(rocksdb_readoptions_set_fill_cache, rocksdb_readoptions_t, rep.fill_cache)
SKARN_C_GETTER(rocksdb_readoptions_get_fill_cache, rocksdb_readoptions_t, rep.fill_cache)
SKARN_C_SETTER(rocksdb_readoptions_set_read_tier, rocksdb_readoptions_t, rep.read_tier)
SKARN_C_GETTER(rocksdb_readoptions_get_read_tier, rocksdb_readoptions_t, rep.read_tier)
SKARN_C_SETTER(rocksdb_readoptions_set_tailing, rocksdb_readoptions_t, rep.tailing)
SKARN_C_GETTER(rocksdb_readoptions_get_tailing, rocksdb_readoptions_t, rep.tailing)
SKARN_C_SETTER(rocksdb_readoptions_set_readahead_size, rocksdb_readoptions_t, rep.readahead_size)
SKARN_C_GETTER(rocksdb_readoptions_get_readahead_size, rocksdb_readoptions_t, rep.readahead_size)
SKARN_C_SETTER(rocksdb_readoptions_set_prefix_same_as_start, rocksdb_readoptions_t,
               rep.prefix_same_as_start)
SKARN_C_GETTER(rocksdb_readoptions_get_prefix_same_as_start, rocksdb_readoptions_t,
               rep.prefix_same_as_start)
SKARN_C_SETTER(rocksdb_readoptions_set_pin_data, rocksdb_readoptions_t, rep.pin_data)
SKARN_C_GETTER(rocksdb_readoptions_get_pin_data, rocksdb_readoptions_t, rep.pin_data)
SKARN_C_SETTER(rocksdb_readoptions_set_total_order_seek, rocksdb_readoptions_t,
               rep.total_order_seek)
SKARN_C_GETTER(rocksdb_readoptions_get_total_order_seek, rocksdb_readoptions_t,
               rep.total_order_seek)
SKARN_C_SETTER(rocksdb_readoptions_set_max_skippable_internal_keys, rocksdb_readoptions_t,
               rep.max_skippable_internal_keys)
SKARN_C_GETTER(rocksdb_readoptions_get_max_skippable_internal_keys, rocksdb_readoptions_t,
               rep.max_skippable_internal_keys)
SKARN_C_SETTER(rocksdb_readoptions_set_background_purge_on_iterator_cleanup, rocksdb_readoptions_t,
               rep.background_purge_on_iterator_cleanup)
SKARN_C_GETTER(rocksdb_readoptions_get_background_purge_on_iterator_cleanup, rocksdb_readoptions_t,
               rep.background_purge_on_iterator_cleanup)
SKARN_C_SETTER(rocksdb_readoptions_set_ignore_range_deletions, rocksdb_readoptions_t,
               rep.ignore_range_deletions)
SKARN_C_GETTER(rocksdb_readoptions_get_ignore_range_deletions, rocksdb_readoptions_t,
               rep.ignore_range_deletions)
SKARN_C_SETTER(rocksdb_readoptions_set_deadline, rocksdb_readoptions_t, rep.deadline_us)
SKARN_C_GETTER(rocksdb_readoptions_get_deadline, rocksdb_readoptions_t, rep.deadline_us)
SKARN_C_SETTER(rocksdb_readoptions_set_io_timeout, rocksdb_readoptions_t, rep.io_timeout_us)
SKARN_C_GETTER(rocksdb_readoptions_get_io_timeout, rocksdb_readoptions_t, rep.io_timeout_us)
SKARN_C_SETTER(rocksdb_readoptions_set_async_io, rocksdb_readoptions_t, rep.async_io)
SKARN_C_GETTER(rocksdb_readoptions_get_async_io, rocksdb_readoptions_t, rep.async_io)
SKARN_C_SETTER(rocksdb_readoptions_set_auto_readahead_size, rocksdb_readoptions_t,
               rep.auto_readahead_size)

void rocksdb_readoptions_set_snapshot(rocksdb_readoptions_t* options,
                                      const rocksdb_snapshot_t* snapshot) {
  Usable(options)->rep.snapshot = snapshot == nullptr ? nullptr : snapshot->rep;
}
void rocksdb_readoptions_set_iterate_lower_bound(rocksdb_readoptions_t* options, const char* key,
                                                 size_t keylen) {
  SetBytes(key, keylen, &Usable(options)->lower_bound, &Usable(options)->rep.iterate_lower_bound);
}
void rocksdb_readoptions_set_iterate_upper_bound(rocksdb_readoptions_t* options, const char* key,
                                                 size_t keylen) {
  SetBytes(key, keylen, &Usable(options)->upper_bound, &Usable(options)->rep.iterate_upper_bound);
}
void rocksdb_readoptions_set_timestamp(rocksdb_readoptions_t* options, const char* ts,
                                       size_t tslen) {
  SetBytes(ts, tslen, &Usable(options)->timestamp, &Usable(options)->rep.timestamp);
}
void rocksdb_readoptions_set_iter_start_ts(rocksdb_readoptions_t* options, const char* ts,
                                           size_t tslen) {
  SetBytes(ts, tslen, &Usable(options)->iter_start_ts, &Usable(options)->rep.iter_start_ts);
}

}  // extern "C"
