/* Mistakes that callers of a C API make. RocksDB leaves most of them undefined; here each is a
   defined error or has no effect, and none ends the process (compat/handle_life.h). */

#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "database.h"
#include "directory.h"
#include "rocksdb/c.h"

/* Counts what was tried. */
static int tried = 0;
#define TRY(statement) \
  do {                 \
    ++tried;           \
    statement;         \
  } while (0)
/* A call that must set an error. */
#define MUST_FAIL(call)   \
  do {                    \
    char* error = NULL;   \
    ++tried;              \
    call;                 \
    CHECK(error != NULL); \
    rocksdb_free(error);  \
  } while (0)

static rocksdb_t* OpenNew(const char* directory) {
  rocksdb_t* db = rocksdb_open(options, directory, &error);
  CHECK_OK(error);
  return db;
}

/* Every destroy function: of nothing, and twice. */
static void TestDestroyingTwice(void) {
#define TWICE(type, create, destroy) \
  do {                               \
    type* object = create;           \
    TRY(destroy(NULL));              \
    destroy(object);                 \
    TRY(destroy(object));            \
    TRY(destroy(object));            \
  } while (0)
  TWICE(rocksdb_options_t, rocksdb_options_create(), rocksdb_options_destroy);
  TWICE(rocksdb_readoptions_t, rocksdb_readoptions_create(), rocksdb_readoptions_destroy);
  TWICE(rocksdb_writeoptions_t, rocksdb_writeoptions_create(), rocksdb_writeoptions_destroy);
  TWICE(rocksdb_flushoptions_t, rocksdb_flushoptions_create(), rocksdb_flushoptions_destroy);
  TWICE(rocksdb_compactoptions_t, rocksdb_compactoptions_create(), rocksdb_compactoptions_destroy);
  TWICE(rocksdb_wait_for_compact_options_t, rocksdb_wait_for_compact_options_create(),
        rocksdb_wait_for_compact_options_destroy);
  TWICE(rocksdb_envoptions_t, rocksdb_envoptions_create(), rocksdb_envoptions_destroy);
  TWICE(rocksdb_block_based_table_options_t, rocksdb_block_based_options_create(),
        rocksdb_block_based_options_destroy);
  TWICE(rocksdb_dbpath_t, rocksdb_dbpath_create("x", 1), rocksdb_dbpath_destroy);
  TWICE(rocksdb_writebatch_t, rocksdb_writebatch_create(), rocksdb_writebatch_destroy);
  TWICE(rocksdb_cache_t, rocksdb_cache_create_lru(1 << 20), rocksdb_cache_destroy);
  TWICE(rocksdb_cache_t, rocksdb_cache_create_hyper_clock(1 << 20, 0), rocksdb_cache_destroy);
  TWICE(rocksdb_lru_cache_options_t, rocksdb_lru_cache_options_create(),
        rocksdb_lru_cache_options_destroy);
  TWICE(rocksdb_hyper_clock_cache_options_t, rocksdb_hyper_clock_cache_options_create(1, 0),
        rocksdb_hyper_clock_cache_options_destroy);
  TWICE(rocksdb_write_buffer_manager_t, rocksdb_write_buffer_manager_create(1, 0),
        rocksdb_write_buffer_manager_destroy);
  TWICE(rocksdb_ratelimiter_t, rocksdb_ratelimiter_create(1 << 20, 100000, 10),
        rocksdb_ratelimiter_destroy);
  TWICE(rocksdb_env_t, rocksdb_create_default_env(), rocksdb_env_destroy);
  TWICE(rocksdb_env_t, rocksdb_create_mem_env(), rocksdb_env_destroy);
  TWICE(rocksdb_filterpolicy_t, rocksdb_filterpolicy_create_bloom(10),
        rocksdb_filterpolicy_destroy);
  TWICE(rocksdb_slicetransform_t, rocksdb_slicetransform_create_fixed_prefix(3),
        rocksdb_slicetransform_destroy);
  TWICE(rocksdb_statistics_histogram_data_t, rocksdb_statistics_histogram_data_create(),
        rocksdb_statistics_histogram_data_destroy);
  TWICE(rocksdb_perfcontext_t, rocksdb_perfcontext_create(), rocksdb_perfcontext_destroy);
  TWICE(rocksdb_memory_consumers_t, rocksdb_memory_consumers_create(),
        rocksdb_memory_consumers_destroy);
}

static int destroyed = 0;
static void CountDestroyed(void* state) {
  (void)state;
  ++destroyed;
}
static int Compare(void* state, const char* a, size_t alen, const char* b, size_t blen) {
  const size_t size = alen < blen ? alen : blen;
  const int result = memcmp(a, b, size);
  (void)state;
  return result != 0 ? result : (alen > blen) - (alen < blen);
}
static const char* Name(void* state) {
  (void)state;
  return "misuse";
}
static char* Merge(void* state, const char* key, size_t key_length, const char* existing,
                   size_t existing_length, const char* const* operands, const size_t* lengths,
                   int count, unsigned char* success, size_t* length) {
  (void)state, (void)key, (void)key_length, (void)existing, (void)existing_length;
  (void)operands, (void)lengths, (void)count;
  *success = 0;
  *length = 0;
  return NULL;
}

/* What a caller supplies is destroyed once, whoever destroys it how often. */
static void TestPluginsDestroyedTwice(void) {
  rocksdb_comparator_t* comparator = rocksdb_comparator_create(NULL, CountDestroyed, Compare, Name);
  rocksdb_mergeoperator_t* merge =
      rocksdb_mergeoperator_create(NULL, CountDestroyed, Merge, NULL, NULL, Name);
  rocksdb_options_t* first = rocksdb_options_create();
  rocksdb_options_t* second = rocksdb_options_create();
  rocksdb_slicetransform_t* prefix = rocksdb_slicetransform_create_fixed_prefix(2);
  rocksdb_block_based_table_options_t* table = rocksdb_block_based_options_create();
  rocksdb_filterpolicy_t* policy = rocksdb_filterpolicy_create_bloom(10);
  destroyed = 0;
  rocksdb_comparator_destroy(comparator);
  CHECK(destroyed == 1);
  TRY(rocksdb_comparator_destroy(comparator));
  CHECK(destroyed == 1);

  /* Passed to two option objects, and destroyed as well. */
  rocksdb_options_set_merge_operator(first, merge);
  TRY(rocksdb_options_set_merge_operator(second, merge));
  TRY(rocksdb_mergeoperator_destroy(merge));
  CHECK(destroyed == 1);
  rocksdb_options_set_prefix_extractor(first, prefix);
  TRY(rocksdb_options_set_prefix_extractor(second, prefix));
  TRY(rocksdb_slicetransform_destroy(prefix));
  rocksdb_block_based_options_set_filter_policy(table, policy);
  TRY(rocksdb_filterpolicy_destroy(policy));
  TRY(rocksdb_block_based_options_set_filter_policy(table, policy));
  TRY(rocksdb_options_set_merge_operator(NULL, NULL));
  TRY(rocksdb_options_set_prefix_extractor(NULL, NULL));
  rocksdb_options_destroy(first);
  CHECK(destroyed == 1);
  rocksdb_options_destroy(second);
  CHECK(destroyed == 2);
  TRY(rocksdb_mergeoperator_destroy(merge));
  CHECK(destroyed == 2);
  rocksdb_block_based_options_destroy(table);
}

/* Calls on a database that is closed, or none at all. */
static void CallsOn(rocksdb_t* db) {
  size_t size = 1;
  unsigned char found = 1;
  uint64_t number = 0;
  char* errors[2] = {NULL, NULL};
  char* values[2] = {NULL, NULL};
  size_t sizes[2] = {1, 1};
  const char* keys[2] = {"a", "b"};
  const size_t key_sizes[2] = {1, 1};
  const rocksdb_snapshot_t* snapshot;
  rocksdb_iterator_t* iterator;
  rocksdb_column_family_handle_t* family;
  rocksdb_writebatch_t* batch = rocksdb_writebatch_create();
  rocksdb_wait_for_compact_options_t* wait = rocksdb_wait_for_compact_options_create();
  char* text;
  int i;
  rocksdb_writebatch_put(batch, "a", 1, "b", 1);
  MUST_FAIL(rocksdb_put(db, write_options, "a", 1, "b", 1, &error));
  MUST_FAIL(rocksdb_delete(db, write_options, "a", 1, &error));
  MUST_FAIL(rocksdb_singledelete(db, write_options, "a", 1, &error));
  MUST_FAIL(rocksdb_merge(db, write_options, "a", 1, "b", 1, &error));
  MUST_FAIL(rocksdb_write(db, write_options, batch, &error));
  MUST_FAIL(CHECK(rocksdb_get(db, read_options, "a", 1, &size, &error) == NULL));
  CHECK(size == 0);
  MUST_FAIL(CHECK(rocksdb_get_pinned(db, read_options, "a", 1, &error) == NULL));
  MUST_FAIL(rocksdb_flush(db, flush_options, &error));
  MUST_FAIL(rocksdb_flush_wal(db, 1, &error));
  MUST_FAIL(rocksdb_disable_file_deletions(db, &error));
  MUST_FAIL(rocksdb_enable_file_deletions(db, &error));
  MUST_FAIL(rocksdb_wait_for_compact(db, wait, &error));
  MUST_FAIL(rocksdb_set_options(db, 1, keys, keys, &error));
  MUST_FAIL(rocksdb_try_catch_up_with_primary(db, &error));
  MUST_FAIL(CHECK(rocksdb_get_updates_since(db, 0, NULL, &error) == NULL));
  MUST_FAIL(CHECK(rocksdb_create_column_family(db, options, "x", &error) == NULL));
  MUST_FAIL(rocksdb_suggest_compact_range(db, "a", 1, "b", 1, &error));
  MUST_FAIL(rocksdb_approximate_sizes(db, 1, keys, key_sizes, keys, key_sizes, &number, &error));
  TRY(rocksdb_multi_get(db, read_options, 2, keys, key_sizes, values, sizes, errors));
  for (i = 0; i < 2; i++) {
    CHECK(values[i] == NULL && sizes[i] == 0 && errors[i] != NULL);
    rocksdb_free(errors[i]);
  }
  TRY(CHECK(!rocksdb_key_may_exist(db, read_options, "a", 1, NULL, NULL, NULL, 0, &found)));
  TRY(CHECK(rocksdb_property_value(db, "rocksdb.stats") == NULL));
  TRY(CHECK(rocksdb_property_int(db, "rocksdb.num-snapshots", &number) != 0));
  TRY(CHECK(rocksdb_get_latest_sequence_number(db) == 0));
  TRY(CHECK(rocksdb_get_db_identity(db, &size) == NULL));
  TRY(rocksdb_compact_range(db, NULL, 0, NULL, 0));
  TRY(rocksdb_delete_file(db, "000001.sst"));
  TRY(rocksdb_cancel_all_background_work(db, 1));
  TRY(rocksdb_disable_manual_compaction(db));
  TRY(rocksdb_enable_manual_compaction(db));
  TRY(snapshot = rocksdb_create_snapshot(db));
  TRY(CHECK(rocksdb_snapshot_get_sequence_number(snapshot) == 0));
  TRY(rocksdb_release_snapshot(db, snapshot));
  TRY(iterator = rocksdb_create_iterator(db, read_options));
  TRY(rocksdb_iter_seek_to_first(iterator));
  CHECK(!rocksdb_iter_valid(iterator));
  MUST_FAIL(rocksdb_iter_get_error(iterator, &error));
  rocksdb_iter_destroy(iterator);
  TRY(family = rocksdb_get_default_column_family_handle(db));
  TRY(rocksdb_column_family_handle_destroy(family));
  TRY(rocksdb_column_family_metadata_destroy(rocksdb_get_column_family_metadata(db)));
  TRY(text = rocksdb_property_value(db, NULL));
  CHECK(text == NULL);
  rocksdb_writebatch_destroy(batch);
  rocksdb_wait_for_compact_options_destroy(wait);
}

static void TestClosedDatabase(void) {
  const char* directory = NewDirectory();
  rocksdb_t* db = OpenNew(directory);
  Put(db, "a", "1");
  rocksdb_close(db);
  TRY(rocksdb_close(db));
  TRY(rocksdb_close(NULL));
  CallsOn(db);
  TRY(rocksdb_close(db));
  CallsOn(NULL);
  db = OpenNew(directory);
  CheckValue(db, "a", "1");
  rocksdb_close(db);
}

/* What comes out of a database and is still there when it is closed. */
static void TestOutliving(void) {
  const char* directory = NewDirectory();
  const char* names[2] = {"default", "second"};
  const rocksdb_options_t* both[2] = {options, options};
  rocksdb_column_family_handle_t* families[2];
  rocksdb_column_family_handle_t* closed[2];
  rocksdb_readoptions_t* read = rocksdb_readoptions_create();
  rocksdb_t* db;
  rocksdb_t* again;
  rocksdb_iterator_t* iterator;
  rocksdb_iterator_t* in_files;
  const rocksdb_snapshot_t* snapshot;
  size_t size = 0;
  db = rocksdb_open_column_families(options, directory, 2, names, both, closed, &error);
  CHECK_OK(error);
  Put(db, "a", "1");
  rocksdb_flush(db, flush_options, &error);
  CHECK_OK(error);
  in_files = rocksdb_create_iterator(db, read_options);
  rocksdb_iter_seek_to_first(in_files);
  Put(db, "b", "2");
  iterator = rocksdb_create_iterator_cf(db, read_options, closed[0]);
  snapshot = rocksdb_create_snapshot(db);
  rocksdb_readoptions_set_snapshot(read, snapshot);
  rocksdb_close(db);
  again = rocksdb_open_column_families(options, directory, 2, names, both, families, &error);
  CHECK_OK(error);
  Put(again, "c", "3");
  rocksdb_flush(again, flush_options, &error);
  CHECK_OK(error);

  MUST_FAIL(rocksdb_put_cf(again, write_options, closed[1], "d", 1, "4", 1, &error));
  TRY(rocksdb_column_family_handle_destroy(closed[0]));
  TRY(rocksdb_column_family_handle_destroy(closed[1]));
  TRY(CHECK(rocksdb_iter_valid(in_files)));
  TRY(rocksdb_iter_next(in_files));
  TRY(rocksdb_iter_seek_to_first(in_files));
  TRY(rocksdb_iter_seek_to_last(iterator));
  TRY(rocksdb_iter_prev(iterator));
  MUST_FAIL(rocksdb_iter_refresh(iterator, &error));
  TRY(rocksdb_iter_destroy(iterator));
  TRY(rocksdb_iter_destroy(iterator));
  TRY(rocksdb_iter_next(iterator));
  TRY(rocksdb_iter_seek(iterator, "a", 1));
  TRY(CHECK(!rocksdb_iter_valid(iterator)));
  TRY(rocksdb_iter_key(iterator, &size));
  CHECK(size == 0);
  TRY(rocksdb_iter_destroy(in_files));
  TRY(CHECK(rocksdb_snapshot_get_sequence_number(snapshot) == 2));
  /* Of the first database, which is gone; neither is it the second one's. */
  TRY(rocksdb_release_snapshot(again, snapshot));
  TRY(rocksdb_release_snapshot(again, snapshot));
  TRY(rocksdb_release_snapshot(db, snapshot));
  TRY(rocksdb_release_snapshot(again, NULL));
  TRY(rocksdb_free(rocksdb_get(again, read, "a", 1, &size, &error)));
  CHECK_OK(error);
  rocksdb_readoptions_destroy(read);
  rocksdb_close(again);
  TRY(CHECK(rocksdb_column_family_handle_get_id(families[1]) == 1));
  TRY(rocksdb_column_family_handle_destroy(families[0]));
  TRY(rocksdb_column_family_handle_destroy(families[1]));
  TRY(rocksdb_column_family_handle_destroy(families[1]));
}

/* Column family handles of nothing, of another database, destroyed. */
static void TestWrongFamilies(void) {
  char path[2][4096];
  const char* key = "a";
  const size_t one = 1;
  const char* names[2] = {"default", "second"};
  const rocksdb_options_t* both[2] = {options, options};
  rocksdb_column_family_handle_t* families[2];
  rocksdb_column_family_handle_t* others[2];
  rocksdb_column_family_handle_t* bad[3];
  rocksdb_iterator_t* iterator;
  rocksdb_writebatch_t* batch = rocksdb_writebatch_create();
  rocksdb_t* db;
  rocksdb_t* other;
  size_t size = 0;
  char* name;
  uint64_t number = 0;
  int i;
  strcpy(path[0], NewDirectory());
  strcpy(path[1], NewDirectory());
  db = rocksdb_open_column_families(options, path[0], 2, names, both, families, &error);
  CHECK_OK(error);
  other = rocksdb_open_column_families(options, path[1], 2, names, both, others, &error);
  CHECK_OK(error);
  rocksdb_put_cf(db, write_options, families[1], key, 1, "own", 3, &error);
  CHECK_OK(error);
  bad[0] = NULL;
  bad[1] = others[1];
  bad[2] = rocksdb_create_column_family(db, options, "third", &error);
  CHECK_OK(error);
  rocksdb_column_family_handle_destroy(bad[2]);
  for (i = 0; i < 3; i++) {
    rocksdb_column_family_handle_t* family = bad[i];
    char* value = NULL;
    char* text = NULL;
    MUST_FAIL(rocksdb_put_cf(db, write_options, family, key, 1, "b", 1, &error));
    MUST_FAIL(rocksdb_delete_cf(db, write_options, family, key, 1, &error));
    MUST_FAIL(rocksdb_merge_cf(db, write_options, family, key, 1, "b", 1, &error));
    MUST_FAIL(rocksdb_delete_range_cf(db, write_options, family, key, 1, "b", 1, &error));
    MUST_FAIL(value = rocksdb_get_cf(db, read_options, family, key, 1, &size, &error));
    CHECK(value == NULL);
    MUST_FAIL(rocksdb_get_pinned_cf(db, read_options, family, key, 1, &error));
    MUST_FAIL(rocksdb_flush_cf(db, flush_options, family, &error));
    MUST_FAIL(rocksdb_flush_cfs(db, flush_options, &family, 1, &error));
    MUST_FAIL(rocksdb_drop_column_family(db, family, &error));
    MUST_FAIL(rocksdb_set_options_cf(db, family, 1, &key, &key, &error));
    MUST_FAIL(rocksdb_create_iterators(db, read_options, &family, &iterator, 1, &error));
    TRY(iterator = rocksdb_create_iterator_cf(db, read_options, family));
    MUST_FAIL(rocksdb_iter_get_error(iterator, &error));
    rocksdb_iter_destroy(iterator);
    TRY(rocksdb_multi_get_cf(db, read_options, (const rocksdb_column_family_handle_t**)&family, 1,
                             &key, &one, &value, &size, &text));
    CHECK(value == NULL && text != NULL);
    rocksdb_free(text);
    TRY(CHECK(rocksdb_property_value_cf(db, family, "rocksdb.stats") == NULL));
    TRY(CHECK(rocksdb_property_int_cf(db, family, "rocksdb.num-snapshots", &number) != 0));
    TRY(rocksdb_compact_range_cf(db, family, NULL, 0, NULL, 0));
    TRY(rocksdb_column_family_metadata_destroy(rocksdb_get_column_family_metadata_cf(db, family)));
    if (family == others[1]) continue;
    TRY(CHECK(rocksdb_column_family_handle_get_id(family) == UINT32_MAX));
    TRY(name = rocksdb_column_family_handle_get_name(family, &size));
    CHECK(size == 0);
    rocksdb_free(name);
    if (family == NULL) continue; /* In a batch, the default column family. */
    rocksdb_writebatch_clear(batch);
    TRY(rocksdb_writebatch_put_cf(batch, family, key, 1, "b", 1));
    MUST_FAIL(rocksdb_write(db, write_options, batch, &error));
  }
  CheckValue(db, "a", NULL);
  for (i = 0; i < 2; i++) {
    rocksdb_column_family_handle_destroy(families[i]);
    rocksdb_column_family_handle_destroy(others[i]);
  }
  rocksdb_writebatch_destroy(batch);
  rocksdb_close(db);
  rocksdb_close(other);
}

/* Opening with nothing, or with too much. */
static void TestOpening(void) {
  const char* directory = NewDirectory();
  const char* names[2] = {"default", NULL};
  const rocksdb_options_t* both[2] = {options, NULL};
  rocksdb_column_family_handle_t* families[2] = {NULL, NULL};
  size_t count = 7;
  MUST_FAIL(rocksdb_open(options, NULL, &error));
  MUST_FAIL(rocksdb_open(options, "", &error));
  MUST_FAIL(rocksdb_open(NULL, directory, &error)); /* Defaults do not create. */
  MUST_FAIL(rocksdb_open_column_families(options, directory, 0, NULL, NULL, NULL, &error));
  MUST_FAIL(rocksdb_open_column_families(options, directory, 2, NULL, both, families, &error));
  MUST_FAIL(rocksdb_open_column_families(options, directory, -5, names, both, families, &error));
  MUST_FAIL(rocksdb_open_for_read_only(options, NULL, 0, &error));
  MUST_FAIL(rocksdb_open_as_secondary(options, directory, NULL, &error));
  MUST_FAIL(rocksdb_open_with_ttl(options, NULL, 1, &error));
  MUST_FAIL(rocksdb_list_column_families(options, NULL, &count, &error));
  MUST_FAIL(rocksdb_list_column_families(options, "/no/such/place", &count, &error));
  TRY(CHECK(rocksdb_open(options, NULL, NULL) == NULL));
  TRY(rocksdb_list_column_families_destroy(NULL, 3));
  TRY(rocksdb_free(NULL));
}

/* Options that are destroyed, or none, where a call wants some. */
static void TestMissingOptions(void) {
  rocksdb_t* db = OpenNew(NewDirectory());
  rocksdb_readoptions_t* read = rocksdb_readoptions_create();
  rocksdb_writeoptions_t* write = rocksdb_writeoptions_create();
  rocksdb_flushoptions_t* flush = rocksdb_flushoptions_create();
  rocksdb_writebatch_t* batch = rocksdb_writebatch_create();
  rocksdb_iterator_t* iterator;
  size_t size = 0;
  const char* value;
  rocksdb_readoptions_set_iterate_upper_bound(read, "b", 1);
  iterator = rocksdb_create_iterator(db, read);
  TRY(rocksdb_readoptions_destroy(read)); /* Its bound is still read. */
  TRY(rocksdb_readoptions_set_iterate_upper_bound(NULL, "b", 1));
  TRY(rocksdb_readoptions_set_snapshot(NULL, NULL));
  rocksdb_writeoptions_destroy(write);
  rocksdb_flushoptions_destroy(flush);
  TRY(rocksdb_put(db, write, "a", 1, "1", 1, &error));
  CHECK_OK(error);
  TRY(rocksdb_put(db, NULL, "b", 1, "2", 1, &error));
  CHECK_OK(error);
  TRY(rocksdb_free(rocksdb_get(db, NULL, "a", 1, &size, &error)));
  CHECK(size == 1);
  TRY(rocksdb_free(rocksdb_get(db, read, "a", 1, NULL, &error)));
  TRY(rocksdb_flush(db, flush, &error));
  TRY(rocksdb_flush(db, NULL, &error));
  CHECK_OK(error);
  TRY(rocksdb_iter_seek_to_first(iterator));
  rocksdb_iter_destroy(iterator);
  TRY(iterator = rocksdb_create_iterator(db, NULL));
  rocksdb_iter_seek_to_first(iterator);
  CHECK(rocksdb_iter_valid(iterator));
  TRY(rocksdb_iter_key(iterator, NULL));
  TRY(rocksdb_iter_value(iterator, NULL));
  TRY(rocksdb_iter_prev(iterator));
  TRY(rocksdb_iter_next(iterator));
  TRY(rocksdb_iter_get_error(iterator, NULL));
  rocksdb_iter_destroy(iterator);
  TRY(rocksdb_iter_seek_to_first(NULL));
  TRY(rocksdb_iter_next(NULL));
  TRY(CHECK(!rocksdb_iter_valid(NULL)));
  MUST_FAIL(rocksdb_iter_get_error(NULL, &error));
  TRY(rocksdb_write(db, write, NULL, &error));
  CHECK_OK(error);
  TRY(rocksdb_writebatch_put(NULL, "a", 1, "b", 1));
  TRY(CHECK(rocksdb_writebatch_count(NULL) == 0));
  TRY(rocksdb_writebatch_clear(NULL));
  MUST_FAIL(rocksdb_writebatch_rollback_to_save_point(NULL, &error));
  MUST_FAIL(rocksdb_writebatch_pop_save_point(batch, &error));
  rocksdb_writebatch_destroy(batch);
  TRY(rocksdb_writebatch_put(batch, "a", 1, "b", 1));
  TRY(rocksdb_writebatch_destroy(batch));
  TRY(value = rocksdb_pinnableslice_value(NULL, &size));
  CHECK(value == NULL);
  /* A caller who wants no error texts. */
  TRY(rocksdb_put(db, write_options, "a", 1, "1", 1, NULL));
  TRY(rocksdb_drop_column_family(db, NULL, NULL));
  MUST_FAIL(rocksdb_checkpoint_create(NULL, "x", 0, &error));
  TRY(rocksdb_checkpoint_object_destroy(NULL));
  rocksdb_close(db);
}

/* Sizes that no machine has. */
static void TestAbsurdSizes(void) {
  rocksdb_t* db = OpenNew(NewDirectory());
  char buffer[4];
  size_t size = 0;
  unsigned char found = 0;
  MUST_FAIL(rocksdb_put(db, write_options, "a", (size_t)1 << 40, "b", 1, &error));
  MUST_FAIL(rocksdb_put(db, write_options, "a", 1, "b", (size_t)1 << 40, &error));
  MUST_FAIL(rocksdb_delete(db, write_options, "a", (size_t)1 << 40, &error));
  TRY(rocksdb_get_into_buffer(db, read_options, "a", 1, buffer, 0, &size, &found, &error));
  CHECK_OK(error);
  CHECK(!found);
  TRY(rocksdb_cache_destroy(rocksdb_cache_create_lru(SIZE_MAX)));
  TRY(rocksdb_cache_destroy(rocksdb_cache_create_lru(0)));
  TRY(rocksdb_writebatch_destroy(rocksdb_writebatch_create_from("short", 5)));
  MUST_FAIL({
    rocksdb_writebatch_t* batch = rocksdb_writebatch_create_from("short", 5);
    rocksdb_write(db, write_options, batch, &error);
    rocksdb_writebatch_destroy(batch);
  });
  rocksdb_close(db);
}

static void* Walk(void* iterator) {
  int i;
  for (i = 0; i < 2000; i++) {
    rocksdb_iter_next(iterator);
    if (!rocksdb_iter_valid(iterator)) break;
  }
  return NULL;
}

/* An iterator that goes from thread to thread, one at a time, which is allowed. */
static void TestIteratorAcrossThreads(void) {
  rocksdb_t* db = OpenNew(NewDirectory());
  rocksdb_iterator_t* iterator;
  pthread_t thread;
  int i;
  for (i = 0; i < 100; i++) {
    char key[12];
    snprintf(key, sizeof(key), "%04d", i);
    Put(db, key, "value");
  }
  iterator = rocksdb_create_iterator(db, read_options);
  for (i = 0; i < 4; i++) {
    TRY(rocksdb_iter_seek_to_first(iterator));
    CHECK(pthread_create(&thread, NULL, Walk, iterator) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(!rocksdb_iter_valid(iterator));
  }
  rocksdb_iter_destroy(iterator);
  rocksdb_close(db);
}

/* Every setter and getter with a number: of nothing, and of a destroyed object. */
static void TestNumbersOfNothing(void) {
  rocksdb_options_t* gone = rocksdb_options_create();
  rocksdb_readoptions_t* read_gone = rocksdb_readoptions_create();
  rocksdb_options_destroy(gone);
  rocksdb_readoptions_destroy(read_gone);
#define NUMBER(function)                        \
  TRY(rocksdb_options_set_##function(NULL, 1)); \
  TRY(rocksdb_options_set_##function(gone, 1));
#define GETTER(function)                     \
  TRY(rocksdb_options_get_##function(NULL)); \
  TRY(rocksdb_options_get_##function(gone));
#define READ(function)                          \
  TRY(rocksdb_readoptions_##function(NULL, 1)); \
  TRY(rocksdb_readoptions_##function(read_gone, 1));
#include "misuse_numbers.inc"
}

int main(void) {
  SetUp();
  TestDestroyingTwice();
  TestPluginsDestroyedTwice();
  TestClosedDatabase();
  TestOutliving();
  TestWrongFamilies();
  TestOpening();
  TestMissingOptions();
  TestAbsurdSizes();
  TestIteratorAcrossThreads();
  TestNumbersOfNothing();
  TearDown();
  printf("%d mistakes tried\n", tried);
  CHECK(tried >= 200);
  return 0;
}
