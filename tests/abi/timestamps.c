/* User-defined timestamps: eight bytes, little-endian, at the end of every key. */

#define _POSIX_C_SOURCE 200809L

#include "database.h"

static const char* Time(uint64_t time, char* bytes) {
  int i;
  for (i = 0; i < 8; i++) bytes[i] = (char)(time >> (8 * i));
  return bytes;
}
static uint64_t TimeOf(const char* bytes) {
  uint64_t time = 0;
  int i;
  for (i = 7; i >= 0; i--) time = (time << 8) | (unsigned char)bytes[i];
  return time;
}

static const char* Name(void* state) {
  (void)state;
  return "skarn.test.u64ts";
}
static int CompareWithout(void* state, const char* a, size_t a_size, unsigned char a_has,
                          const char* b, size_t b_size, unsigned char b_has) {
  const size_t a_key = a_size - (a_has ? 8 : 0);
  const size_t b_key = b_size - (b_has ? 8 : 0);
  const int order = memcmp(a, b, a_key < b_key ? a_key : b_key);
  (void)state;
  return order != 0 ? order : (a_key > b_key) - (a_key < b_key);
}
static int CompareTimes(void* state, const char* a, size_t a_size, const char* b, size_t b_size) {
  const uint64_t x = TimeOf(a);
  const uint64_t y = TimeOf(b);
  (void)state, (void)a_size, (void)b_size;
  return (x > y) - (x < y);
}
static int Compare(void* state, const char* a, size_t a_size, const char* b, size_t b_size) {
  const int order = CompareWithout(state, a, a_size, 1, b, b_size, 1);
  return order != 0 ? order : -CompareTimes(state, a + a_size - 8, 8, b + b_size - 8, 8);
}
static void Free(void* state) { (void)state; }

static size_t TimestampSizeOf(void* state, uint32_t family) {
  (void)state, (void)family;
  return 8;
}

int main(void) {
  rocksdb_comparator_t* comparator =
      rocksdb_comparator_with_ts_create(NULL, Free, Compare, CompareTimes, CompareWithout, Name, 8);
  const char* directory = NewDirectory();
  const char* path = PathIn(directory, "db", 0);
  const char* family_name = "default";
  const rocksdb_options_t* family_options;
  const rocksdb_column_family_handle_t* families[1];
  const char* keys[1] = {"a"};
  const size_t key_sizes[1] = {1};
  rocksdb_column_family_handle_t* cf;
  rocksdb_iterator_t* iterator;
  rocksdb_writebatch_t* batch;
  rocksdb_t* db;
  char t1[8], t2[8], t3[8], t9[8];
  char* value;
  char* found_time = NULL;
  char* values[1];
  size_t value_sizes[1];
  char* times[1];
  size_t time_sizes[1];
  char* errors[1];
  size_t size = 0, time_size = 0;
  SetUp();
  Time(1, t1), Time(2, t2), Time(3, t3), Time(9, t9);
  rocksdb_options_set_comparator(options, comparator);
  db = rocksdb_open(options, path, &error);
  CHECK_OK(error);
  cf = rocksdb_get_default_column_family_handle(db);
  families[0] = cf;

  rocksdb_put_with_ts(db, write_options, "a", 1, t1, 8, "one", 3, &error);
  rocksdb_put_cf_with_ts(db, write_options, cf, "a", 1, t2, 8, "two", 3, &error);
  rocksdb_put_with_ts(db, write_options, "b", 1, t1, 8, "x", 1, &error);
  rocksdb_delete_with_ts(db, write_options, "b", 1, t2, 8, &error);
  rocksdb_put_with_ts(db, write_options, "c", 1, t1, 8, "x", 1, &error);
  rocksdb_delete_cf_with_ts(db, write_options, cf, "c", 1, t2, 8, &error);
  rocksdb_put_with_ts(db, write_options, "d", 1, t1, 8, "x", 1, &error);
  rocksdb_singledelete_with_ts(db, write_options, "d", 1, t2, 8, &error);
  rocksdb_put_with_ts(db, write_options, "e", 1, t1, 8, "x", 1, &error);
  rocksdb_singledelete_cf_with_ts(db, write_options, cf, "e", 1, t2, 8, &error);
  CHECK_OK(error);

  batch = rocksdb_writebatch_create_with_params(0, 0, 0, 8);
  rocksdb_writebatch_put_cf_with_ts(batch, cf, "f", 1, t1, 8, "batch", 5);
  rocksdb_writebatch_delete_cf_with_ts(batch, cf, "g", 1, t1, 8);
  rocksdb_writebatch_singledelete_cf_with_ts(batch, cf, "h", 1, t1, 8);
  rocksdb_writebatch_update_timestamps(batch, t3, 8, NULL, TimestampSizeOf, &error);
  CHECK_OK(error);
  rocksdb_write(db, write_options, batch, &error);
  CHECK_OK(error);
  rocksdb_writebatch_destroy(batch);

  rocksdb_readoptions_set_timestamp(read_options, t9, 8);
  value = rocksdb_get_with_ts(db, read_options, "a", 1, &size, &found_time, &time_size, &error);
  CHECK_OK(error);
  CHECK(Same(value, size, "two") && time_size == 8 && TimeOf(found_time) == 2);
  rocksdb_free(value);
  rocksdb_free(found_time);
  rocksdb_readoptions_set_timestamp(read_options, t1, 8);
  value =
      rocksdb_get_cf_with_ts(db, read_options, cf, "a", 1, &size, &found_time, &time_size, &error);
  CHECK(Same(value, size, "one") && TimeOf(found_time) == 1);
  rocksdb_free(value);
  rocksdb_free(found_time);
  rocksdb_readoptions_set_timestamp(read_options, t9, 8);
  CheckValue(db, "b", NULL);
  CheckValue(db, "f", "batch");
  rocksdb_multi_get_with_ts(db, read_options, 1, keys, key_sizes, values, value_sizes, times,
                            time_sizes, errors);
  CHECK_OK(errors[0]);
  CHECK(Same(values[0], value_sizes[0], "two") && TimeOf(times[0]) == 2);
  rocksdb_free(values[0]);
  rocksdb_free(times[0]);
  rocksdb_multi_get_cf_with_ts(db, read_options, families, 1, keys, key_sizes, values, value_sizes,
                               times, time_sizes, errors);
  CHECK(Same(values[0], value_sizes[0], "two") && TimeOf(times[0]) == 2);
  rocksdb_free(values[0]);
  rocksdb_free(times[0]);
  iterator = rocksdb_create_iterator(db, read_options);
  rocksdb_iter_seek_to_first(iterator);
  CHECK(rocksdb_iter_valid(iterator));
  CHECK(SameSlice(rocksdb_iter_key_slice(iterator), "a"));
  CHECK(TimeOf(rocksdb_iter_timestamp(iterator, &size)) == 2 && size == 8);
  CHECK(TimeOf(rocksdb_iter_timestamp_slice(iterator).data) == 2);
  rocksdb_iter_destroy(iterator);

  rocksdb_increase_full_history_ts_low(db, cf, t2, 8, &error);
  CHECK_OK(error);
  value = rocksdb_get_full_history_ts_low(db, cf, &size, &error);
  CHECK_OK(error);
  CHECK(size == 8 && TimeOf(value) == 2);
  rocksdb_free(value);
  rocksdb_column_family_handle_destroy(cf);
  rocksdb_close(db);

  family_options = options;
  db = rocksdb_open_and_trim_history(options, path, 1, &family_name, &family_options, &cf, t2, 8,
                                     &error);
  CHECK_OK(error);
  CheckValue(db, "a", "two");
  rocksdb_column_family_handle_destroy(cf);
  rocksdb_close(db);
  TearDown();
  rocksdb_comparator_destroy(comparator);
  return 0;
}
