// Caches, their options, and the write buffer manager (c/cache.h).

#include "compat/c_status.h"
#include "compat/handle_life.h"
#include "compat/handles.h"
#include "include/c_api/rocksdb/c.h"

using skarn::SaveError;
using skarn::Status;

namespace {

skarn::WriteBufferManager& ManagerOf(const rocksdb_write_buffer_manager_t* wbm) {
  if (wbm != nullptr && wbm->rep != nullptr) return *wbm->rep;
  static auto* const none = new skarn::WriteBufferManager(0, nullptr, /*allow_stall=*/false);
  return *none;
}

}  // namespace

extern "C" {

rocksdb_cache_t* rocksdb_cache_create_lru(size_t capacity) {
  skarn::LruCacheOptions options;
  options.capacity = capacity;
  return new rocksdb_cache_t{skarn::NewLruCache(options)};
}
rocksdb_cache_t* rocksdb_cache_create_lru_opts(const rocksdb_lru_cache_options_t* options) {
  return new rocksdb_cache_t{skarn::NewLruCache(Usable(options)->rep)};
}
rocksdb_cache_t* rocksdb_cache_create_hyper_clock(size_t capacity, size_t estimated_entry_charge) {
  skarn::HyperClockCacheOptions options;
  options.capacity = capacity;
  options.estimated_entry_charge = estimated_entry_charge;
  return new rocksdb_cache_t{skarn::NewHyperClockCache(options)};
}
rocksdb_cache_t* rocksdb_cache_create_hyper_clock_opts(
    const rocksdb_hyper_clock_cache_options_t* options) {
  return new rocksdb_cache_t{skarn::NewHyperClockCache(Usable(options)->rep)};
}
void rocksdb_cache_destroy(rocksdb_cache_t* cache) { Retire(cache); }
void rocksdb_cache_disown_data(rocksdb_cache_t* cache) { CacheOf(cache)->DisownData(); }
void rocksdb_cache_set_capacity(rocksdb_cache_t* cache, size_t capacity) {
  CacheOf(cache)->SetCapacity(capacity);
}
size_t rocksdb_cache_get_capacity(const rocksdb_cache_t* cache) {
  return CacheOf(cache)->capacity();
}
size_t rocksdb_cache_get_usage(const rocksdb_cache_t* cache) { return CacheOf(cache)->usage(); }
size_t rocksdb_cache_get_pinned_usage(const rocksdb_cache_t* cache) {
  return CacheOf(cache)->pinned_usage();
}
size_t rocksdb_cache_get_occupancy_count(const rocksdb_cache_t* cache) {
  return CacheOf(cache)->occupancy_count();
}
size_t rocksdb_cache_get_table_address_count(const rocksdb_cache_t* cache) {
  return CacheOf(cache)->table_address_count();
}

rocksdb_lru_cache_options_t* rocksdb_lru_cache_options_create() {
  return new rocksdb_lru_cache_options_t;
}
void rocksdb_lru_cache_options_destroy(rocksdb_lru_cache_options_t* options) { Retire(options); }
void rocksdb_lru_cache_options_set_capacity(rocksdb_lru_cache_options_t* options, size_t capacity) {
  Usable(options)->rep.capacity = capacity;
}
void rocksdb_lru_cache_options_set_num_shard_bits(rocksdb_lru_cache_options_t* options,
                                                  int num_shard_bits) {
  Usable(options)->rep.num_shard_bits = num_shard_bits;
}
// No function makes an allocator here, so only null can come.
void rocksdb_lru_cache_options_set_memory_allocator(rocksdb_lru_cache_options_t*,
                                                    rocksdb_memory_allocator_t*) {}

rocksdb_hyper_clock_cache_options_t* rocksdb_hyper_clock_cache_options_create(
    size_t capacity, size_t estimated_entry_charge) {
  auto* options = new rocksdb_hyper_clock_cache_options_t;
  options->rep.capacity = capacity;
  options->rep.estimated_entry_charge = estimated_entry_charge;
  return options;
}
void rocksdb_hyper_clock_cache_options_destroy(rocksdb_hyper_clock_cache_options_t* options) {
  Retire(options);
}
void rocksdb_hyper_clock_cache_options_set_capacity(rocksdb_hyper_clock_cache_options_t* options,
                                                    size_t capacity) {
  Usable(options)->rep.capacity = capacity;
}
void rocksdb_hyper_clock_cache_options_set_estimated_entry_charge(
    rocksdb_hyper_clock_cache_options_t* options, size_t estimated_entry_charge) {
  Usable(options)->rep.estimated_entry_charge = estimated_entry_charge;
}
void rocksdb_hyper_clock_cache_options_set_num_shard_bits(
    rocksdb_hyper_clock_cache_options_t* options, int num_shard_bits) {
  Usable(options)->rep.num_shard_bits = num_shard_bits;
}
void rocksdb_hyper_clock_cache_options_set_memory_allocator(rocksdb_hyper_clock_cache_options_t*,
                                                            rocksdb_memory_allocator_t*) {}

rocksdb_memory_allocator_t* rocksdb_jemalloc_nodump_allocator_create(char** errptr) {
  SaveError(errptr, Status::NotSupported("Not compiled with JEMALLOC"));
  return nullptr;
}
void rocksdb_memory_allocator_destroy(rocksdb_memory_allocator_t*) {}

rocksdb_write_buffer_manager_t* rocksdb_write_buffer_manager_create(size_t buffer_size,
                                                                    bool allow_stall) {
  return new rocksdb_write_buffer_manager_t{
      std::make_shared<skarn::WriteBufferManager>(buffer_size, nullptr, allow_stall)};
}
rocksdb_write_buffer_manager_t* rocksdb_write_buffer_manager_create_with_cache(
    size_t buffer_size, const rocksdb_cache_t* cache, bool allow_stall) {
  return new rocksdb_write_buffer_manager_t{std::make_shared<skarn::WriteBufferManager>(
      buffer_size, cache == nullptr ? nullptr : cache->rep, allow_stall)};
}
void rocksdb_write_buffer_manager_destroy(rocksdb_write_buffer_manager_t* wbm) { Retire(wbm); }
bool rocksdb_write_buffer_manager_enabled(rocksdb_write_buffer_manager_t* wbm) {
  return ManagerOf(wbm).enabled();
}
bool rocksdb_write_buffer_manager_cost_to_cache(rocksdb_write_buffer_manager_t* wbm) {
  return ManagerOf(wbm).cost_to_cache();
}
size_t rocksdb_write_buffer_manager_memory_usage(rocksdb_write_buffer_manager_t* wbm) {
  return ManagerOf(wbm).memory_usage();
}
size_t rocksdb_write_buffer_manager_mutable_memtable_memory_usage(
    rocksdb_write_buffer_manager_t* wbm) {
  return ManagerOf(wbm).mutable_memory_usage();
}
size_t rocksdb_write_buffer_manager_dummy_entries_in_cache_usage(
    rocksdb_write_buffer_manager_t* wbm) {
  return ManagerOf(wbm).dummy_entries_in_cache_usage();
}
size_t rocksdb_write_buffer_manager_buffer_size(rocksdb_write_buffer_manager_t* wbm) {
  return ManagerOf(wbm).buffer_size();
}
void rocksdb_write_buffer_manager_set_buffer_size(rocksdb_write_buffer_manager_t* wbm,
                                                  size_t new_size) {
  ManagerOf(wbm).SetBufferSize(new_size);
}
void rocksdb_write_buffer_manager_set_allow_stall(rocksdb_write_buffer_manager_t* wbm,
                                                  bool new_allow_stall) {
  ManagerOf(wbm).SetAllowStall(new_allow_stall);
}

}  // extern "C"
