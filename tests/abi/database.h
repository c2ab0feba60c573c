/* A database with what most tests need of it. */

#ifndef SKARN_TESTS_ABI_DATABASE_H_
#define SKARN_TESTS_ABI_DATABASE_H_

#include "check.h"
#include "directory.h"
#include "rocksdb/c.h"

static rocksdb_options_t* options;
static rocksdb_writeoptions_t* write_options;
static rocksdb_readoptions_t* read_options;
static rocksdb_flushoptions_t* flush_options;
static char* error;

static void SetUp(void) {
  options = rocksdb_options_create();
  write_options = rocksdb_writeoptions_create();
  read_options = rocksdb_readoptions_create();
  flush_options = rocksdb_flushoptions_create();
  rocksdb_options_set_create_if_missing(options, 1);
  rocksdb_options_set_create_missing_column_families(options, 1);
  error = NULL;
}
static void TearDown(void) {
  rocksdb_options_destroy(options);
  rocksdb_writeoptions_destroy(write_options);
  rocksdb_readoptions_destroy(read_options);
  rocksdb_flushoptions_destroy(flush_options);
}

static inline int Same(const char* bytes, size_t size, const char* expected) {
  return bytes != NULL && size == strlen(expected) && memcmp(bytes, expected, size) == 0;
}
static inline int SameSlice(rocksdb_slice_t slice, const char* expected) {
  return Same(slice.data, slice.size, expected);
}
static inline void Put(rocksdb_t* db, const char* key, const char* value) {
  rocksdb_put(db, write_options, key, strlen(key), value, strlen(value), &error);
  CHECK_OK(error);
}
/* `expected` NULL: the key has no value. */
static inline void CheckValue(rocksdb_t* db, const char* key, const char* expected) {
  size_t size = 7;
  char* value = rocksdb_get(db, read_options, key, strlen(key), &size, &error);
  CHECK_OK(error);
  if (expected == NULL) {
    CHECK(value == NULL && size == 0);
  } else {
    CHECK(Same(value, size, expected));
  }
  rocksdb_free(value);
}

#endif
