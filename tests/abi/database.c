/* Databases and column families: open in every way, read, write, look after. */

#define _POSIX_C_SOURCE 200809L

#include "database.h"
#include "skarn/release.h"

static const char* directory;

static void TestReadsAndWrites(void) {
  rocksdb_t* db = rocksdb_open(options, PathIn(directory, "plain", 0), &error);
  rocksdb_column_family_handle_t* cf;
  rocksdb_pinnableslice_t* pinned;
  rocksdb_pinnable_handle_t* handle;
  char buffer[8];
  size_t size = 0;
  unsigned char found = 0;
  char* value;
  CHECK_OK(error);
  cf = rocksdb_get_default_column_family_handle(db);
  CHECK(rocksdb_column_family_handle_get_id(cf) == 0);
  value = rocksdb_column_family_handle_get_name(cf, &size);
  CHECK(Same(value, size, "default"));
  rocksdb_free(value);

  Put(db, "a", "1");
  rocksdb_put_cf(db, write_options, cf, "b", 1, "22", 2, &error);
  CHECK_OK(error);
  Put(db, "once", "x");
  CheckValue(db, "a", "1");
  value = rocksdb_get_cf(db, read_options, cf, "b", 1, &size, &error);
  CHECK(Same(value, size, "22"));
  rocksdb_free(value);
  pinned = rocksdb_get_pinned(db, read_options, "a", 1, &error);
  CHECK(SameSlice((rocksdb_slice_t){rocksdb_pinnableslice_value(pinned, &size), 1}, "1"));
  rocksdb_pinnableslice_destroy(pinned);
  pinned = rocksdb_get_pinned_cf(db, read_options, cf, "b", 1, &error);
  CHECK(Same(rocksdb_pinnableslice_value(pinned, &size), 2, "22") && size == 2);
  rocksdb_pinnableslice_destroy(pinned);
  CHECK(rocksdb_get_pinned(db, read_options, "none", 4, &error) == NULL);
  CHECK_OK(error);
  CHECK(rocksdb_pinnableslice_value(NULL, &size) == NULL && size == 0);
  handle = rocksdb_get_pinned_v2(db, read_options, "a", 1, &error);
  CHECK(Same(rocksdb_pinnable_handle_get_value(handle, &size), 1, "1") && size == 1);
  rocksdb_pinnable_handle_destroy(handle);
  handle = rocksdb_get_pinned_cf_v2(db, read_options, cf, "b", 1, &error);
  CHECK(Same(rocksdb_pinnable_handle_get_value(handle, &size), 2, "22"));
  rocksdb_pinnable_handle_destroy(handle);
  CHECK(rocksdb_get_into_buffer(db, read_options, "a", 1, buffer, 8, &size, &found, &error) == 1);
  CHECK(found == 1 && Same(buffer, size, "1"));
  CHECK(rocksdb_get_into_buffer_cf(db, read_options, cf, "b", 1, buffer, 1, &size, &found,
                                   &error) == 0);
  CHECK(found == 1 && size == 2);
  CHECK_OK(error);

  value = NULL;
  CHECK(rocksdb_key_may_exist(db, read_options, "a", 1, &value, &size, NULL, 0, &found) == 1);
  if (found) CHECK(Same(value, size, "1"));
  rocksdb_free(value);
  CHECK(rocksdb_key_may_exist_cf(db, read_options, cf, "b", 1, NULL, NULL, NULL, 0, NULL) == 1);
  /* That a key is surely absent is an answer too, with an empty value. */
  value = NULL;
  size = 1;
  found = 0;
  CHECK(rocksdb_key_may_exist(db, read_options, "absent", 6, &value, &size, NULL, 0, &found) == 0);
  CHECK(found == 1 && value != NULL && size == 0);
  rocksdb_free(value);

  rocksdb_delete(db, write_options, "a", 1, &error);
  rocksdb_delete_cf(db, write_options, cf, "none", 4, &error);
  rocksdb_singledelete(db, write_options, "once", 4, &error);
  rocksdb_singledelete_cf(db, write_options, cf, "never", 5, &error);
  rocksdb_delete_range_cf(db, write_options, cf, "b", 1, "c", 1, &error);
  CHECK_OK(error);
  CheckValue(db, "a", NULL);
  CheckValue(db, "b", NULL);
  CheckValue(db, "once", NULL);
  CHECK(rocksdb_get_latest_sequence_number(db) == 8);
  value = rocksdb_get_db_identity(db, &size);
  CHECK(size == 36);
  rocksdb_free(value);
  rocksdb_merge_cf(db, write_options, cf, "m", 1, "x", 1, &error);
  CHECK(error != NULL);
  rocksdb_free(error);
  error = NULL;
  rocksdb_column_family_handle_destroy(cf);
  rocksdb_close(db);
}

static void TestMultiGet(void) {
  rocksdb_t* db = rocksdb_open(options, PathIn(directory, "multi", 0), &error);
  rocksdb_column_family_handle_t* cf;
  const rocksdb_column_family_handle_t* families[3];
  const char* keys[3] = {"a", "b", "c"};
  const size_t sizes[3] = {1, 1, 1};
  rocksdb_slice_t slices[3] = {{"a", 1}, {"b", 1}, {"c", 1}};
  char* values[3];
  size_t value_sizes[3];
  char* errors[3];
  rocksdb_pinnableslice_t* pinned[3];
  size_t size;
  int way, i;
  CHECK_OK(error);
  cf = rocksdb_get_default_column_family_handle(db);
  Put(db, "a", "A");
  Put(db, "c", "C");
  for (i = 0; i < 3; i++) families[i] = cf;
  for (way = 0; way < 2; way++) {
    if (way == 0) {
      rocksdb_multi_get(db, read_options, 3, keys, sizes, values, value_sizes, errors);
    } else {
      rocksdb_multi_get_cf(db, read_options, families, 3, keys, sizes, values, value_sizes,
                           errors);
    }
    for (i = 0; i < 3; i++) CHECK_OK(errors[i]);
    CHECK(Same(values[0], value_sizes[0], "A") && Same(values[2], value_sizes[2], "C"));
    CHECK(values[1] == NULL && value_sizes[1] == 0);
    for (i = 0; i < 3; i++) rocksdb_free(values[i]);
  }
  for (way = 0; way < 2; way++) {
    if (way == 0) {
      rocksdb_batched_multi_get_cf(db, read_options, cf, 3, keys, sizes, pinned, errors, true);
    } else {
      rocksdb_batched_multi_get_cf_slice(db, read_options, cf, 3, slices, pinned, errors, false);
    }
    for (i = 0; i < 3; i++) CHECK_OK(errors[i]);
    CHECK(Same(rocksdb_pinnableslice_value(pinned[0], &size), 1, "A"));
    CHECK(pinned[1] == NULL);
    for (i = 0; i < 3; i++) rocksdb_pinnableslice_destroy(pinned[i]);
  }
  rocksdb_column_family_handle_destroy(cf);
  rocksdb_close(db);
}

static void TestSnapshots(void) {
  rocksdb_t* db = rocksdb_open(options, PathIn(directory, "snapshots", 0), &error);
  const rocksdb_snapshot_t* snapshot;
  CHECK_OK(error);
  Put(db, "k", "old");
  snapshot = rocksdb_create_snapshot(db);
  CHECK(rocksdb_snapshot_get_sequence_number(snapshot) == 1);
  Put(db, "k", "new");
  rocksdb_readoptions_set_snapshot(read_options, snapshot);
  CheckValue(db, "k", "old");
  rocksdb_readoptions_set_snapshot(read_options, NULL);
  CheckValue(db, "k", "new");
  rocksdb_release_snapshot(db, snapshot);
  rocksdb_close(db);
}

static void TestColumnFamilies(void) {
  const char* path = PathIn(directory, "families", 0);
  const char* names[3] = {"default", "one", "two"};
  const rocksdb_options_t* all_options[3];
  rocksdb_column_family_handle_t* handles[3];
  rocksdb_column_family_handle_t** created;
  rocksdb_column_family_handle_t* flushed[2];
  rocksdb_t* db = rocksdb_open(options, path, &error);
  rocksdb_column_family_handle_t* handle;
  const char* more[2] = {"two", "three"};
  size_t count = 0;
  char** list;
  char* value;
  size_t size;
  int i;
  CHECK_OK(error);
  for (i = 0; i < 3; i++) all_options[i] = options;
  handle = rocksdb_create_column_family(db, options, "one", &error);
  CHECK_OK(error);
  CHECK(rocksdb_create_column_family(db, options, "one", &error) == NULL);
  CHECK_ERROR(error, "Invalid argument: Column family already exists");
  created = rocksdb_create_column_families(db, options, 2, more, &count, &error);
  CHECK_OK(error);
  CHECK(count == 2);
  rocksdb_put_cf(db, write_options, handle, "k", 1, "v", 1, &error);
  CHECK_OK(error);
  rocksdb_flush_cf(db, flush_options, handle, &error);
  CHECK_OK(error);
  flushed[0] = handle;
  flushed[1] = created[0];
  rocksdb_flush_cfs(db, flush_options, flushed, 2, &error);
  CHECK_OK(error);
  rocksdb_drop_column_family(db, created[1], &error);
  CHECK_OK(error);
  rocksdb_column_family_handle_destroy(created[0]);
  rocksdb_column_family_handle_destroy(created[1]);
  rocksdb_create_column_families_destroy(created);
  rocksdb_column_family_handle_destroy(handle);
  rocksdb_close(db);

  list = rocksdb_list_column_families(options, path, &count, &error);
  CHECK_OK(error);
  CHECK(count == 3 && strcmp(list[0], "default") == 0);
  rocksdb_list_column_families_destroy(list, count);

  CHECK(rocksdb_open(options, path, &error) == NULL);
  CHECK(strstr(error, "Invalid argument: Column families not opened: ") == error);
  rocksdb_free(error);
  error = NULL;
  db = rocksdb_open_column_families(options, path, 3, names, all_options, handles, &error);
  CHECK_OK(error);
  value = rocksdb_get_cf(db, read_options, handles[1], "k", 1, &size, &error);
  CHECK(Same(value, size, "v"));
  rocksdb_free(value);
  for (i = 0; i < 3; i++) rocksdb_column_family_handle_destroy(handles[i]);
  rocksdb_close(db);

  db = rocksdb_open_for_read_only_column_families(options, path, 3, names, all_options, handles, 0,
                                                  &error);
  CHECK_OK(error);
  rocksdb_put_cf(db, write_options, handles[1], "k", 1, "v", 1, &error);
  CHECK_ERROR(error, "Not implemented: Not supported operation in read only mode.");
  for (i = 0; i < 3; i++) rocksdb_column_family_handle_destroy(handles[i]);
  rocksdb_close(db);

  rocksdb_options_set_max_open_files(options, -1);
  db = rocksdb_open_as_secondary_column_families(options, path, PathIn(directory, "second", 1), 3,
                                                 names, all_options, handles, &error);
  CHECK_OK(error);
  rocksdb_try_catch_up_with_primary(db, &error);
  CHECK_OK(error);
  for (i = 0; i < 3; i++) rocksdb_column_family_handle_destroy(handles[i]);
  rocksdb_close(db);

  rocksdb_destroy_db(options, path, &error);
  CHECK_OK(error);
  list = rocksdb_list_column_families(options, path, &count, &error);
  CHECK(list == NULL && count == 0 && error != NULL);
  rocksdb_free(error);
  error = NULL;
}

static void TestOtherWaysToOpen(void) {
  const char* path = PathIn(directory, "ways", 0);
  const char* name = "default";
  const int ttl = 1000;
  const rocksdb_options_t* family = options;
  rocksdb_column_family_handle_t* handle;
  rocksdb_t* db = rocksdb_open_with_ttl(options, path, ttl, &error);
  CHECK_OK(error);
  Put(db, "k", "v");
  CheckValue(db, "k", "v");
  handle = rocksdb_create_column_family_with_ttl(db, options, "short", 5, &error);
  CHECK_OK(error);
  rocksdb_drop_column_family(db, handle, &error);
  rocksdb_column_family_handle_destroy(handle);
  rocksdb_close(db);
  db = rocksdb_open_column_families_with_ttl(options, path, 1, &name, &family, &handle, &ttl,
                                             &error);
  CHECK_OK(error);
  CheckValue(db, "k", "v");
  rocksdb_column_family_handle_destroy(handle);
  rocksdb_close(db);

  db = rocksdb_open(options, path, &error);
  CHECK_OK(error);
  Put(db, "k", "v");
  rocksdb_close(db);
  db = rocksdb_open_as_secondary(options, path, PathIn(directory, "third", 1), &error);
  CHECK_OK(error);
  CheckValue(db, "k", "v");
  rocksdb_close(db);
  rocksdb_repair_db(options, path, &error);
  CHECK_OK(error);
  db = rocksdb_open_for_read_only(options, path, 0, &error);
  CHECK_OK(error);
  CheckValue(db, "k", "v");
  rocksdb_close(db);
}

static void TestMaintenance(void) {
  rocksdb_t* db = rocksdb_open(options, PathIn(directory, "maintenance", 0), &error);
  rocksdb_column_family_handle_t* cf;
  rocksdb_compactoptions_t* compact = rocksdb_compactoptions_create();
  rocksdb_wait_for_compact_options_t* wait = rocksdb_wait_for_compact_options_create();
  rocksdb_column_family_metadata_t* metadata;
  rocksdb_level_metadata_t* level;
  rocksdb_sst_file_metadata_t* file;
  const char* starts[1] = {"a"};
  const char* limits[1] = {"z"};
  const size_t sizes[1] = {1};
  const char* keys[1] = {"write_buffer_size"};
  const char* values[1] = {"1M"};
  uint64_t number = 7;
  char* text;
  char* name;
  size_t size;
  CHECK_OK(error);
  cf = rocksdb_get_default_column_family_handle(db);
  Put(db, "a", "1");
  Put(db, "b", "2");
  rocksdb_flush_wal(db, 1, &error);
  CHECK_OK(error);
  rocksdb_flush(db, flush_options, &error);
  CHECK_OK(error);
  rocksdb_set_options(db, 1, keys, values, &error);
  CHECK_OK(error);
  rocksdb_set_options_cf(db, cf, 1, keys, values, &error);
  CHECK_OK(error);
  keys[0] = "foo";
  rocksdb_set_options(db, 1, keys, values, &error);
  CHECK_ERROR(error, "Invalid argument: Extra option not recognized: foo");

  metadata = rocksdb_get_column_family_metadata(db);
  CHECK(rocksdb_column_family_metadata_get_file_count(metadata) == 1);
  CHECK(rocksdb_column_family_metadata_get_level_count(metadata) == 7);
  CHECK(rocksdb_column_family_metadata_get_size(metadata) > 0);
  text = rocksdb_column_family_metadata_get_name(metadata);
  CHECK_TEXT(text, "default");
  rocksdb_free(text);
  CHECK(rocksdb_column_family_metadata_get_level_metadata(metadata, 100) == NULL);
  level = rocksdb_column_family_metadata_get_level_metadata(metadata, 0);
  CHECK(rocksdb_level_metadata_get_level(level) == 0);
  CHECK(rocksdb_level_metadata_get_size(level) > 0);
  CHECK(rocksdb_level_metadata_get_file_count(level) == 1);
  file = rocksdb_level_metadata_get_sst_file_metadata(level, 0);
  name = rocksdb_sst_file_metadata_get_relative_filename(file);
  CHECK(strstr(name, ".sst") != NULL);
  text = rocksdb_sst_file_metadata_get_directory(file);
  CHECK(strstr(text, "maintenance") != NULL);
  rocksdb_free(text);
  CHECK(rocksdb_sst_file_metadata_get_size(file) > 0);
  text = rocksdb_sst_file_metadata_get_smallestkey(file, &size);
  CHECK(Same(text, size, "a"));
  rocksdb_free(text);
  text = rocksdb_sst_file_metadata_get_largestkey(file, &size);
  CHECK(Same(text, size, "b"));
  rocksdb_free(text);
  rocksdb_sst_file_metadata_destroy(file);
  rocksdb_level_metadata_destroy(level);
  rocksdb_column_family_metadata_destroy(metadata);
  metadata = rocksdb_get_column_family_metadata_cf(db, cf);
  CHECK(rocksdb_column_family_metadata_get_file_count(metadata) == 1);
  rocksdb_column_family_metadata_destroy(metadata);

  rocksdb_compact_range_cf(db, cf, "a", 1, "z", 1);
  rocksdb_compact_range_opt(db, compact, NULL, 0, NULL, 0);
  rocksdb_compact_range_cf_opt(db, cf, compact, NULL, 0, NULL, 0);
  rocksdb_suggest_compact_range(db, "a", 1, "z", 1, &error);
  rocksdb_suggest_compact_range_cf(db, cf, "a", 1, "z", 1, &error);
  CHECK_OK(error);
  rocksdb_wait_for_compact(db, wait, &error);
  CHECK_OK(error);
  rocksdb_disable_manual_compaction(db);
  rocksdb_enable_manual_compaction(db);
  rocksdb_disable_file_deletions(db, &error);
  CHECK_OK(error);
  rocksdb_enable_file_deletions(db, &error);
  CHECK_OK(error);

  text = rocksdb_property_value(db, "rocksdb.num-files-at-level0");
  CHECK_TEXT(text, "0");
  rocksdb_free(text);
  CHECK(rocksdb_property_value(db, "rocksdb.nothing") == NULL);
  text = rocksdb_property_value_cf(db, cf, "rocksdb.stats");
  CHECK(text != NULL);
  rocksdb_free(text);
  CHECK(rocksdb_property_int(db, "rocksdb.estimate-num-keys", &number) == 0 && number == 2);
  CHECK(rocksdb_property_int(db, "rocksdb.nothing", &number) == -1);
  CHECK(rocksdb_property_int_cf(db, cf, "rocksdb.num-snapshots", &number) == 0 && number == 0);
  rocksdb_approximate_sizes(db, 1, starts, sizes, limits, sizes, &number, &error);
  CHECK_OK(error);
  rocksdb_approximate_sizes_cf(db, cf, 1, starts, sizes, limits, sizes, &number, &error);
  CHECK_OK(error);

  rocksdb_delete_file(db, "no-such-file");
  rocksdb_delete_file_in_range(db, "x", 1, "y", 1, &error);
  CHECK_OK(error);
  rocksdb_delete_file_in_range_cf(db, cf, "a", 1, "c", 1, &error);
  CHECK_OK(error);
  CheckValue(db, "a", NULL);
  rocksdb_free(name);
  rocksdb_cancel_all_background_work(db, 1);
  rocksdb_column_family_handle_destroy(cf);
  rocksdb_compactoptions_destroy(compact);
  rocksdb_wait_for_compact_options_destroy(wait);
  rocksdb_close(db);
}

static void TestReleases(void) {
  rocksdb_options_t* old = skarn_options_create_for_release(7, 8);
  CHECK(rocksdb_options_get_compression(old) == rocksdb_snappy_compression);
  CHECK(rocksdb_options_get_level_compaction_dynamic_level_bytes(old) == 0);
  rocksdb_options_destroy(old);
  rocksdb_block_based_options_destroy(skarn_block_based_options_create_for_release(7, 8));
  CHECK(strchr(skarn_version(), '.') != NULL);
}

int main(void) {
  SetUp();
  directory = NewDirectory();
  TestReadsAndWrites();
  TestMultiGet();
  TestSnapshots();
  TestColumnFamilies();
  TestOtherWaysToOpen();
  TestMaintenance();
  TestReleases();
  TearDown();
  return 0;
}
