// What one library makes of the files of the other while that one has them open: OPTIONS files,
// checkpoints, a secondary that follows.

#include <filesystem>

#include "operations.h"

namespace differential {

void SayLatestOptions(Side& side, const std::string& directory) {
  const Api& a = side.api;
  rocksdb_options_t* database = nullptr;
  rocksdb_options_t** families = nullptr;
  char** names = nullptr;
  size_t count = 0;
  char* error = nullptr;
  rocksdb_env_t* env = a.rocksdb_create_default_env();
  rocksdb_cache_t* cache = a.rocksdb_cache_create_lru(1 << 20);
  a.rocksdb_load_latest_options(directory.c_str(), env, /*ignore_unknown_options=*/false, cache,
                                &database, &count, &names, &families, &error);
  side.answer.Error(error, directory);
  if (error == nullptr) {
    side.answer.Number(a.rocksdb_options_get_wal_recovery_mode(database));
    side.answer.Number(a.rocksdb_options_get_atomic_flush(database));
    side.answer.Number(a.rocksdb_options_get_enable_pipelined_write(database));
    side.answer.Number(a.rocksdb_options_get_manual_wal_flush(database));
    side.answer.Number(a.rocksdb_options_get_max_total_wal_size(database));
    side.answer.Number(a.rocksdb_options_get_db_write_buffer_size(database));
    side.answer.Number(a.rocksdb_options_get_max_manifest_file_size(database));
    side.answer.Number(a.rocksdb_options_get_WAL_ttl_seconds(database));
    // Not recycle_log_file_num: which recovery modes turn it off depends on the release.
    side.answer.Number(static_cast<uint64_t>(a.rocksdb_options_get_wal_compression(database)));
    for (size_t i = 0; i < count; i++) {
      side.answer.Bytes(names[i]);
      const rocksdb_options_t* family = families[i];
      rocksdb_options_t* o = const_cast<rocksdb_options_t*>(family);
      side.answer.Number(a.rocksdb_options_get_write_buffer_size(o));
      side.answer.Number(static_cast<uint64_t>(a.rocksdb_options_get_max_write_buffer_number(o)));
      side.answer.Number(static_cast<uint64_t>(a.rocksdb_options_get_num_levels(o)));
      side.answer.Number(
          static_cast<uint64_t>(a.rocksdb_options_get_level0_file_num_compaction_trigger(o)));
      side.answer.Number(
          static_cast<uint64_t>(a.rocksdb_options_get_level0_slowdown_writes_trigger(o)));
      side.answer.Number(a.rocksdb_options_get_target_file_size_base(o));
      side.answer.Number(a.rocksdb_options_get_max_bytes_for_level_base(o));
      side.answer.Number(a.rocksdb_options_get_level_compaction_dynamic_level_bytes(o));
      side.answer.Number(a.rocksdb_options_get_disable_auto_compactions(o));
      side.answer.Number(a.rocksdb_options_get_optimize_filters_for_hits(o));
      side.answer.Number(a.rocksdb_options_get_max_sequential_skip_in_iterations(o));
      side.answer.Number(a.rocksdb_options_get_max_successive_merges(o));
      side.answer.Number(a.rocksdb_options_get_inplace_update_support(o));
      side.answer.Number(a.rocksdb_options_get_report_bg_io_stats(o));
      side.answer.Number(static_cast<uint64_t>(a.rocksdb_options_get_compression(o)));
      side.answer.Number(static_cast<uint64_t>(a.rocksdb_options_get_bottommost_compression(o)));
      side.answer.Say(std::to_string(a.rocksdb_options_get_memtable_prefix_bloom_size_ratio(o)));
    }
    a.rocksdb_load_latest_options_destroy(database, names, families, count);
  } else {
    a.rocksdb_free(error);
  }
  a.rocksdb_cache_destroy(cache);
  a.rocksdb_env_destroy(env);
}

void DumpSecondary(Side& side, const std::string& directory) {
  const Api& a = side.api;
  std::vector<const char*> names;
  std::vector<std::unique_ptr<Options>> options;
  std::vector<const rocksdb_options_t*> pointers;
  for (const std::string& name : side.family_names) {
    names.push_back(name.c_str());
    options.push_back(
        std::make_unique<Options>(a, side.config, side.config.Family(name), directory));
    a.rocksdb_options_set_max_open_files(options.back()->get(), -1);
    pointers.push_back(options.back()->get());
  }
  const std::string own = directory + ".secondary";
  std::error_code ignored;
  std::filesystem::remove_all(own, ignored);
  std::filesystem::create_directories(own, ignored);
  std::vector<rocksdb_column_family_handle_t*> handles(names.size(), nullptr);
  char* error = nullptr;
  rocksdb_t* db = a.rocksdb_open_as_secondary_column_families(
      options[0]->get(), directory.c_str(), own.c_str(), static_cast<int>(names.size()),
      names.data(), pointers.data(), handles.data(), &error);
  side.answer.Error(error, directory);
  if (error != nullptr) {
    a.rocksdb_free(error);
    return;
  }
  a.rocksdb_try_catch_up_with_primary(db, &error);
  side.answer.Error(error, directory);
  a.rocksdb_free(error);
  for (size_t i = 0; i < names.size(); i++) {
    side.DumpFamily(db, handles[i], side.config.Family(side.family_names[i]), side.family_names[i]);
    a.rocksdb_column_family_handle_destroy(handles[i]);
  }
  a.rocksdb_close(db);
  std::filesystem::remove_all(own, ignored);
}

bool CreateCheckpoint(Side& side, const std::string& directory, bool flushes) {
  const Api& a = side.api;
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
  char* error = nullptr;
  rocksdb_checkpoint_t* checkpoint = a.rocksdb_checkpoint_object_create(side.db, &error);
  if (!side.Ok(error)) return false;
  a.rocksdb_checkpoint_create(checkpoint, directory.c_str(), flushes ? 0 : UINT64_MAX, &error);
  a.rocksdb_checkpoint_object_destroy(checkpoint);
  return side.Ok(error);
}

}  // namespace differential
