/* Checkpoints: a copy opens by itself and has what the database had. */

#define _POSIX_C_SOURCE 200809L

#include "check.h"
#include "directory.h"
#include "rocksdb/c.h"

static rocksdb_writeoptions_t* write_options;
static rocksdb_readoptions_t* read_options;

static void Put(rocksdb_t* db, const char* key, const char* value) {
  char* error = NULL;
  rocksdb_put(db, write_options, key, strlen(key), value, strlen(value), &error);
  CHECK_OK(error);
}
static int Has(rocksdb_t* db, const char* key) {
  char* error = NULL;
  size_t size = 0;
  char* value = rocksdb_get(db, read_options, key, strlen(key), &size, &error);
  const int found = value != NULL;
  CHECK_OK(error);
  rocksdb_free(value);
  return found;
}

/* The first copy flushes, the second takes the log as it is. */
static int CountLogs(const char* path) {
  DIR* entries = opendir(path);
  struct dirent* entry;
  int count = 0;
  CHECK(entries != NULL);
  while ((entry = readdir(entries)) != NULL) count += strstr(entry->d_name, ".log") != NULL;
  closedir(entries);
  return count;
}

static void TestCopies(const char* directory) {
  rocksdb_options_t* options = rocksdb_options_create();
  char* error = NULL;
  rocksdb_t* db;
  rocksdb_t* copy;
  rocksdb_checkpoint_t* checkpoint;
  rocksdb_options_set_create_if_missing(options, 1);
  db = rocksdb_open(options, PathIn(directory, "db", 0), &error);
  CHECK_OK(error);
  Put(db, "flushed", "1");
  checkpoint = rocksdb_checkpoint_object_create(db, &error);
  CHECK_OK(error);
  rocksdb_checkpoint_create(checkpoint, PathIn(directory, "first", 1), 0, &error);
  CHECK_OK(error);
  CHECK(CountLogs(PathIn(directory, "first", 1)) == 1); /* The flushed one is left out. */
  Put(db, "logged", "2");
  rocksdb_checkpoint_create(checkpoint, PathIn(directory, "second", 1), 1 << 30, &error);
  CHECK_OK(error);
  Put(db, "later", "3");
  rocksdb_checkpoint_create(checkpoint, PathIn(directory, "second", 1), 0, &error);
  CHECK_ERROR(error, "Invalid argument: Directory exists");
  rocksdb_checkpoint_object_destroy(checkpoint);

  /* The copies are whole while the database goes on, and after it was compacted away. */
  rocksdb_compact_range(db, NULL, 0, NULL, 0);
  copy = rocksdb_open(options, PathIn(directory, "first", 1), &error);
  CHECK_OK(error);
  CHECK(Has(copy, "flushed") && !Has(copy, "logged") && !Has(copy, "later"));
  rocksdb_close(copy);
  copy = rocksdb_open(options, PathIn(directory, "second", 1), &error);
  CHECK_OK(error);
  CHECK(Has(copy, "flushed") && Has(copy, "logged") && !Has(copy, "later"));
  Put(copy, "own", "4");
  rocksdb_close(copy);
  CHECK(Has(db, "flushed") && Has(db, "later") && !Has(db, "own"));
  rocksdb_close(db);
  rocksdb_options_destroy(options);
}

/* A database that is only read can be copied too. */
static void TestCopyOfAReadOnlyDatabase(const char* directory) {
  rocksdb_options_t* options = rocksdb_options_create();
  char* error = NULL;
  rocksdb_t* db;
  rocksdb_t* copy;
  rocksdb_checkpoint_t* checkpoint;
  rocksdb_options_set_create_if_missing(options, 1);
  db = rocksdb_open(options, PathIn(directory, "read", 0), &error);
  CHECK_OK(error);
  Put(db, "key", "1");
  rocksdb_close(db);
  db = rocksdb_open_for_read_only(options, PathIn(directory, "read", 0), 0, &error);
  CHECK_OK(error);
  checkpoint = rocksdb_checkpoint_object_create(db, &error);
  CHECK_OK(error);
  rocksdb_checkpoint_create(checkpoint, PathIn(directory, "third", 1), 0, &error);
  CHECK_OK(error);
  rocksdb_checkpoint_object_destroy(checkpoint);
  rocksdb_close(db);
  copy = rocksdb_open(options, PathIn(directory, "third", 1), &error);
  CHECK_OK(error);
  CHECK(Has(copy, "key"));
  rocksdb_close(copy);
  rocksdb_options_destroy(options);
}

int main(void) {
  const char* directory = NewDirectory();
  write_options = rocksdb_writeoptions_create();
  read_options = rocksdb_readoptions_create();
  TestCopies(directory);
  TestCopyOfAReadOnlyDatabase(directory);
  rocksdb_writeoptions_destroy(write_options);
  rocksdb_readoptions_destroy(read_options);
  return 0;
}
