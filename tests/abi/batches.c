/* Batches, iterators, and iterators over the log. */

#define _POSIX_C_SOURCE 200809L

#include "database.h"

static const char* directory;

/* What a batch holds, as text: "put k v; delete k; ..." */
static char seen[4096];
static void See(const char* what, const char* key, size_t key_size, const char* value,
                size_t value_size) {
  char line[256];
  snprintf(line, sizeof(line), "%s %.*s%s%.*s; ", what, (int)key_size, key,
           value == NULL ? "" : " ", (int)value_size, value == NULL ? "" : value);
  CHECK(strlen(seen) + strlen(line) < sizeof(seen));
  strcat(seen, line);
}
static void SeePut(void* state, const char* k, size_t klen, const char* v, size_t vlen) {
  CHECK(state == seen);
  See("put", k, klen, v, vlen);
}
static void SeeDelete(void* state, const char* k, size_t klen) {
  CHECK(state == seen);
  See("delete", k, klen, NULL, 0);
}
static void SeePutCf(void* state, uint32_t family, const char* k, size_t klen, const char* v,
                     size_t vlen) {
  (void)family;
  SeePut(state, k, klen, v, vlen);
}
static void SeeDeleteCf(void* state, uint32_t family, const char* k, size_t klen) {
  (void)family;
  SeeDelete(state, k, klen);
}
static void SeeMergeCf(void* state, uint32_t family, const char* k, size_t klen, const char* v,
                       size_t vlen) {
  (void)state, (void)family;
  See("merge", k, klen, v, vlen);
}
static void SeeLogData(void* state, const char* blob, size_t length) {
  (void)state;
  See("data", blob, length, NULL, 0);
}

static void TestContent(void) {
  rocksdb_writebatch_t* batch = rocksdb_writebatch_create();
  rocksdb_writebatch_t* copy;
  const char* parts[2] = {"ke", "y"};
  const size_t part_sizes[2] = {2, 1};
  const char* ends[2] = {"ke", "z"};
  const char* data;
  size_t size;
  rocksdb_writebatch_put(batch, "a", 1, "1", 1);
  rocksdb_writebatch_put_cf(batch, NULL, "b", 1, "2", 1);
  rocksdb_writebatch_delete(batch, "c", 1);
  rocksdb_writebatch_delete_cf(batch, NULL, "d", 1);
  CHECK(rocksdb_writebatch_count(batch) == 4);
  rocksdb_writebatch_set_save_point(batch);
  rocksdb_writebatch_put(batch, "gone", 4, "x", 1);
  rocksdb_writebatch_rollback_to_save_point(batch, &error);
  CHECK_OK(error);
  rocksdb_writebatch_set_save_point(batch);
  rocksdb_writebatch_pop_save_point(batch, &error);
  CHECK_OK(error);
  rocksdb_writebatch_pop_save_point(batch, &error);
  CHECK(error != NULL && strstr(error, "NotFound") == error);
  rocksdb_free(error);
  error = NULL;
  seen[0] = '\0';
  rocksdb_writebatch_iterate(batch, seen, SeePut, SeeDelete);
  CHECK_TEXT(seen, "put a 1; put b 2; delete c; delete d; ");

  rocksdb_writebatch_merge(batch, "e", 1, "3", 1);
  rocksdb_writebatch_merge_cf(batch, NULL, "f", 1, "4", 1);
  rocksdb_writebatch_put_log_data(batch, "note", 4);
  data = rocksdb_writebatch_data(batch, &size);
  copy = rocksdb_writebatch_create_from(data, size);
  CHECK(rocksdb_writebatch_count(copy) == 6);
  seen[0] = '\0';
  rocksdb_writebatch_iterate_cf(copy, seen, SeePutCf, SeeDeleteCf, SeeMergeCf);
  CHECK_TEXT(seen, "put a 1; put b 2; delete c; delete d; merge e 3; merge f 4; ");
  seen[0] = '\0';
  rocksdb_writebatch_iterate_cf_ld(copy, seen, SeePutCf, SeeDeleteCf, SeeMergeCf, SeeLogData);
  CHECK_TEXT(seen, "put a 1; put b 2; delete c; delete d; merge e 3; merge f 4; data note; ");
  rocksdb_writebatch_destroy(copy);
  rocksdb_writebatch_clear(batch);
  CHECK(rocksdb_writebatch_count(batch) == 0);
  rocksdb_writebatch_destroy(batch);

  batch = rocksdb_writebatch_create_with_params(100, 0, 0, 0);
  rocksdb_writebatch_singledelete(batch, "a", 1);
  rocksdb_writebatch_singledelete_cf(batch, NULL, "b", 1);
  rocksdb_writebatch_delete_range(batch, "a", 1, "b", 1);
  rocksdb_writebatch_delete_range_cf(batch, NULL, "a", 1, "b", 1);
  CHECK(rocksdb_writebatch_count(batch) == 4);
  rocksdb_writebatch_clear(batch);
  rocksdb_writebatch_putv(batch, 2, parts, part_sizes, 2, parts, part_sizes);
  rocksdb_writebatch_putv_cf(batch, NULL, 2, parts, part_sizes, 1, parts, part_sizes);
  rocksdb_writebatch_deletev(batch, 2, parts, part_sizes);
  rocksdb_writebatch_deletev_cf(batch, NULL, 1, parts, part_sizes);
  seen[0] = '\0';
  rocksdb_writebatch_iterate_ld(batch, seen, SeePut, SeeDelete, SeeLogData);
  CHECK_TEXT(seen, "put key key; put key ke; delete key; delete ke; ");
  rocksdb_writebatch_mergev(batch, 2, parts, part_sizes, 1, parts, part_sizes);
  rocksdb_writebatch_mergev_cf(batch, NULL, 2, parts, part_sizes, 1, parts, part_sizes);
  rocksdb_writebatch_delete_rangev(batch, 2, parts, part_sizes, ends, part_sizes);
  rocksdb_writebatch_delete_rangev_cf(batch, NULL, 2, parts, part_sizes, ends, part_sizes);
  CHECK(rocksdb_writebatch_count(batch) == 8);
  rocksdb_writebatch_destroy(batch);
}

static void TestWriteAndIterate(void) {
  rocksdb_t* db = rocksdb_open(options, PathIn(directory, "iterate", 0), &error);
  rocksdb_column_family_handle_t* cf;
  rocksdb_writebatch_t* batch = rocksdb_writebatch_create();
  rocksdb_iterator_t* iterator;
  rocksdb_iterator_t* iterators[1];
  size_t size;
  CHECK_OK(error);
  cf = rocksdb_get_default_column_family_handle(db);
  rocksdb_writebatch_put(batch, "a", 1, "1", 1);
  rocksdb_writebatch_put(batch, "b", 1, "2", 1);
  rocksdb_writebatch_put(batch, "d", 1, "4", 1);
  rocksdb_write(db, write_options, batch, &error);
  CHECK_OK(error);
  rocksdb_writebatch_destroy(batch);

  iterator = rocksdb_create_iterator(db, read_options);
  CHECK(!rocksdb_iter_valid(iterator));
  rocksdb_iter_seek_to_first(iterator);
  CHECK(Same(rocksdb_iter_key(iterator, &size), 1, "a") && size == 1);
  CHECK(Same(rocksdb_iter_value(iterator, &size), 1, "1"));
  rocksdb_iter_next(iterator);
  CHECK(SameSlice(rocksdb_iter_key_slice(iterator), "b"));
  CHECK(SameSlice(rocksdb_iter_value_slice(iterator), "2"));
  rocksdb_iter_prev(iterator);
  CHECK(SameSlice(rocksdb_iter_key_slice(iterator), "a"));
  rocksdb_iter_seek(iterator, "c", 1);
  CHECK(SameSlice(rocksdb_iter_key_slice(iterator), "d"));
  rocksdb_iter_seek_for_prev(iterator, "c", 1);
  CHECK(SameSlice(rocksdb_iter_key_slice(iterator), "b"));
  rocksdb_iter_seek_to_last(iterator);
  CHECK(SameSlice(rocksdb_iter_key_slice(iterator), "d"));
  rocksdb_iter_next(iterator);
  CHECK(!rocksdb_iter_valid(iterator));
  rocksdb_iter_get_error(iterator, &error);
  CHECK_OK(error);
  Put(db, "e", "5");
  rocksdb_iter_seek_to_last(iterator);
  CHECK(SameSlice(rocksdb_iter_key_slice(iterator), "d"));
  rocksdb_iter_refresh(iterator, &error);
  CHECK_OK(error);
  rocksdb_iter_seek_to_last(iterator);
  CHECK(SameSlice(rocksdb_iter_key_slice(iterator), "e"));
  rocksdb_iter_destroy(iterator);

  iterator = rocksdb_create_iterator_cf(db, read_options, cf);
  rocksdb_iter_seek_to_first(iterator);
  CHECK(rocksdb_iter_valid(iterator));
  rocksdb_iter_destroy(iterator);
  rocksdb_create_iterators(db, read_options, &cf, iterators, 1, &error);
  CHECK_OK(error);
  rocksdb_iter_seek_to_first(iterators[0]);
  CHECK(rocksdb_iter_valid(iterators[0]));
  rocksdb_iter_destroy(iterators[0]);
  rocksdb_column_family_handle_destroy(cf);
  rocksdb_close(db);
}

static void TestWalIterator(void) {
  rocksdb_t* db = rocksdb_open(options, PathIn(directory, "log", 0), &error);
  rocksdb_wal_iterator_t* iterator;
  rocksdb_writebatch_t* batch;
  uint64_t sequence = 0;
  CHECK_OK(error);
  Put(db, "a", "1");
  Put(db, "b", "2");
  iterator = rocksdb_get_updates_since(db, 1, NULL, &error);
  CHECK_OK(error);
  CHECK(rocksdb_wal_iter_valid(iterator));
  rocksdb_wal_iter_next(iterator);
  CHECK(rocksdb_wal_iter_valid(iterator));
  batch = rocksdb_wal_iter_get_batch(iterator, &sequence);
  CHECK(sequence == 2);
  seen[0] = '\0';
  rocksdb_writebatch_iterate(batch, seen, SeePut, SeeDelete);
  CHECK_TEXT(seen, "put b 2; ");
  rocksdb_writebatch_destroy(batch);
  rocksdb_wal_iter_next(iterator);
  CHECK(!rocksdb_wal_iter_valid(iterator));
  rocksdb_wal_iter_status(iterator, &error);
  if (error != NULL) rocksdb_free(error);
  error = NULL;
  rocksdb_wal_iter_destroy(iterator);
  rocksdb_close(db);
}

int main(void) {
  SetUp();
  directory = NewDirectory();
  TestContent();
  TestWriteAndIterate();
  TestWalIterator();
  TearDown();
  return 0;
}
