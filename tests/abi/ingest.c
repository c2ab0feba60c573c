/* Table files that are written outside a database and taken in. */

#define _POSIX_C_SOURCE 200809L

#include <unistd.h>

#include "database.h"

static rocksdb_envoptions_t* env_options;

static rocksdb_sstfilewriter_t* NewWriter(const char* path) {
  rocksdb_sstfilewriter_t* writer = rocksdb_sstfilewriter_create(env_options, options);
  rocksdb_sstfilewriter_open(writer, path, &error);
  CHECK_OK(error);
  return writer;
}
static void Finish(rocksdb_sstfilewriter_t* writer) {
  uint64_t size = 0;
  rocksdb_sstfilewriter_finish(writer, &error);
  CHECK_OK(error);
  rocksdb_sstfilewriter_file_size(writer, &size);
  CHECK(size > 100);
  rocksdb_sstfilewriter_destroy(writer);
}
static void Add(rocksdb_sstfilewriter_t* writer, const char* key, const char* value) {
  rocksdb_sstfilewriter_put(writer, key, strlen(key), value, strlen(value), &error);
  CHECK_OK(error);
}
static void Ingest(rocksdb_t* db, const char* first, const char* second,
                   const rocksdb_ingestexternalfileoptions_t* ingest) {
  const char* files[2];
  files[0] = first;
  files[1] = second;
  rocksdb_ingest_external_file(db, files, second == NULL ? 1 : 2, ingest, &error);
}
static int LevelOf(rocksdb_t* db, const char* smallest) {
  const rocksdb_livefiles_t* files = rocksdb_livefiles(db);
  int level = -1, i;
  for (i = 0; i < rocksdb_livefiles_count(files); i++) {
    size_t size = 0;
    const char* key = rocksdb_livefiles_smallestkey(files, i, &size);
    if (Same(key, size, smallest)) level = rocksdb_livefiles_level(files, i);
  }
  rocksdb_livefiles_destroy(files);
  return level;
}

static void TestTheWriter(const char* directory) {
  rocksdb_sstfilewriter_t* writer = rocksdb_sstfilewriter_create(env_options, options);
  rocksdb_sstfilewriter_put(writer, "a", 1, "1", 1, &error);
  CHECK_ERROR(error, "Invalid argument: File is not opened");
  rocksdb_sstfilewriter_finish(writer, &error);
  CHECK_ERROR(error, "Invalid argument: File is not opened");
  rocksdb_sstfilewriter_open(writer, PathIn(directory, "writer.sst", 0), &error);
  CHECK_OK(error);
  rocksdb_sstfilewriter_finish(writer, &error);
  CHECK_ERROR(error, "Invalid argument: Cannot create sst file with no entries");
  Add(writer, "b", "1");
  rocksdb_sstfilewriter_put(writer, "b", 1, "2", 1, &error);
  CHECK_ERROR(error, "Invalid argument: Keys must be added in strict ascending order.");
  rocksdb_sstfilewriter_delete(writer, "a", 1, &error);
  CHECK_ERROR(error, "Invalid argument: Keys must be added in strict ascending order.");
  rocksdb_sstfilewriter_delete_range(writer, "d", 1, "c", 1, &error);
  CHECK_ERROR(error, "Invalid argument: end key comes before start key");
  rocksdb_sstfilewriter_put_with_ts(writer, "c", 1, "12345678", 8, "1", 1, &error);
  CHECK_ERROR(error, "Invalid argument: Timestamp size mismatch");
  rocksdb_sstfilewriter_delete_with_ts(writer, "c", 1, "12345678", 8, &error);
  CHECK_ERROR(error, "Invalid argument: Timestamp size mismatch");
  rocksdb_sstfilewriter_merge(writer, "m", 1, "2", 1, &error);
  CHECK_OK(error);
  rocksdb_sstfilewriter_add(writer, "n", 1, "2", 1, &error);
  CHECK_OK(error);
  Finish(writer);
}

static int CompareBytes(void* state, const char* a, size_t a_size, const char* b, size_t b_size) {
  const size_t size = a_size < b_size ? a_size : b_size;
  const int order = memcmp(a, b, size);
  (void)state;
  if (order != 0) return order;
  return a_size < b_size ? -1 : a_size > b_size;
}
static const char* NameOfBytes(void* state) {
  (void)state;
  return "test.Bytes";
}
static void Nothing(void* state) { (void)state; }

static void TestAComparator(const char* directory) {
  rocksdb_comparator_t* comparator =
      rocksdb_comparator_create(NULL, Nothing, CompareBytes, NameOfBytes);
  rocksdb_ingestexternalfileoptions_t* ingest = rocksdb_ingestexternalfileoptions_create();
  rocksdb_options_t* other = rocksdb_options_create();
  rocksdb_sstfilewriter_t* writer;
  const char* file = PathIn(directory, "comparator.sst", 2);
  rocksdb_t* db = rocksdb_open(options, PathIn(directory, "comparators", 0), &error);
  CHECK_OK(error);
  rocksdb_options_set_comparator(other, comparator);
  /* The comparator is that of the options, whatever the last argument is. */
  writer = rocksdb_sstfilewriter_create_with_comparator(env_options, other, NULL);
  rocksdb_sstfilewriter_open(writer, file, &error);
  CHECK_OK(error);
  Add(writer, "a", "1");
  Finish(writer);
  Ingest(db, file, NULL, ingest);
  CHECK_ERROR(error,
              "Invalid argument: leveldb.BytewiseComparator: does not match existing comparator "
              "test.Bytes");
  rocksdb_close(db);
  rocksdb_ingestexternalfileoptions_destroy(ingest);
  rocksdb_options_destroy(other);
  rocksdb_comparator_destroy(comparator);
}

static void TestPlaces(const char* directory) {
  rocksdb_ingestexternalfileoptions_t* ingest = rocksdb_ingestexternalfileoptions_create();
  rocksdb_t* db = rocksdb_open(options, PathIn(directory, "places", 0), &error);
  rocksdb_sstfilewriter_t* writer;
  const rocksdb_snapshot_t* snapshot;
  char first[4096], second[4096];
  CHECK_OK(error);
  snprintf(first, sizeof(first), "%s/first.sst", directory);
  snprintf(second, sizeof(second), "%s/second.sst", directory);

  Ingest(db, PathIn(directory, "nothing.sst", 1), NULL, ingest);
  CHECK(error != NULL && strncmp(error, "IO error: No such file or directory: ", 37) == 0);
  rocksdb_free(error);
  error = NULL;

  /* Into an empty database: the last level, and no sequence number. */
  writer = NewWriter(first);
  Add(writer, "b", "1");
  Add(writer, "d", "1");
  Finish(writer);
  Ingest(db, first, NULL, ingest);
  CHECK_OK(error);
  CHECK(access(first, F_OK) == 0);
  CHECK(rocksdb_get_latest_sequence_number(db) == 0);
  CHECK(LevelOf(db, "b") == 6);
  CheckValue(db, "b", "1");

  /* Between its keys: no data overlaps, but the file does not fit there. */
  writer = NewWriter(second);
  Add(writer, "c", "2");
  Finish(writer);
  rocksdb_ingestexternalfileoptions_set_fail_if_not_bottommost_level(ingest, 1);
  Ingest(db, second, NULL, ingest);
  CHECK(error != NULL && strncmp(error, "Operation failed. Try again.: Files cannot", 42) == 0);
  rocksdb_free(error);
  error = NULL;
  rocksdb_ingestexternalfileoptions_set_fail_if_not_bottommost_level(ingest, 0);
  rocksdb_ingestexternalfileoptions_set_move_files(ingest, 1);
  Ingest(db, second, NULL, ingest);
  CHECK_OK(error);
  CHECK(access(second, F_OK) != 0);
  CHECK(rocksdb_get_latest_sequence_number(db) == 0);
  CheckValue(db, "b", "1");
  CheckValue(db, "c", "2");
  CheckValue(db, "d", "1");

  /* Over data in a memtable, which is flushed. */
  Put(db, "e", "memtable");
  writer = NewWriter(second);
  Add(writer, "e", "3");
  rocksdb_sstfilewriter_delete_range(writer, "b", 1, "c", 1, &error);
  CHECK_OK(error);
  Finish(writer);
  rocksdb_ingestexternalfileoptions_set_allow_blocking_flush(ingest, 0);
  Ingest(db, second, NULL, ingest);
  CHECK_ERROR(error, "Invalid argument: External file requires flush");
  rocksdb_ingestexternalfileoptions_set_allow_blocking_flush(ingest, 1);
  rocksdb_ingestexternalfileoptions_set_allow_global_seqno(ingest, 0);
  Ingest(db, second, NULL, ingest);
  CHECK_ERROR(error, "Invalid argument: Global seqno is required, but disabled");
  rocksdb_ingestexternalfileoptions_set_allow_global_seqno(ingest, 1);
  Ingest(db, second, NULL, ingest);
  CHECK_OK(error);
  CHECK(rocksdb_get_latest_sequence_number(db) == 2);
  CheckValue(db, "e", "3");
  CheckValue(db, "b", NULL);
  CheckValue(db, "c", "2");

  /* Two files that overlap: the later wins. A snapshot sees neither. */
  snapshot = rocksdb_create_snapshot(db);
  writer = NewWriter(first);
  Add(writer, "x", "first");
  Add(writer, "y", "first");
  Finish(writer);
  writer = NewWriter(second);
  Add(writer, "y", "second");
  Finish(writer);
  rocksdb_ingestexternalfileoptions_set_snapshot_consistency(ingest, 1);
  Ingest(db, first, second, ingest);
  CHECK_OK(error);
  CheckValue(db, "x", "first");
  CheckValue(db, "y", "second");
  rocksdb_readoptions_set_snapshot(read_options, snapshot);
  CheckValue(db, "x", NULL);
  CheckValue(db, "e", "3");
  rocksdb_readoptions_set_snapshot(read_options, NULL);
  rocksdb_release_snapshot(db, snapshot);
  Put(db, "x", "later");
  CheckValue(db, "x", "later");

  rocksdb_ingestexternalfileoptions_set_ingest_behind(ingest, 1);
  writer = NewWriter(first);
  Add(writer, "z", "behind");
  Finish(writer);
  Ingest(db, first, NULL, ingest);
  CHECK(error != NULL && strncmp(error, "Invalid argument: Can't ingest_behind", 37) == 0);
  rocksdb_free(error);
  error = NULL;

  rocksdb_compact_range(db, NULL, 0, NULL, 0);
  CheckValue(db, "b", NULL);
  CheckValue(db, "e", "3");
  CheckValue(db, "y", "second");
  rocksdb_close(db);
  db = rocksdb_open(options, PathIn(directory, "places", 0), &error);
  CHECK_OK(error);
  CheckValue(db, "c", "2");
  CheckValue(db, "x", "later");
  CheckValue(db, "y", "second");
  rocksdb_close(db);
  rocksdb_ingestexternalfileoptions_destroy(ingest);
}

static void TestAColumnFamily(const char* directory) {
  const char* names[] = {"default", "second"};
  const rocksdb_options_t* family_options[2];
  rocksdb_column_family_handle_t* families[2];
  rocksdb_ingestexternalfileoptions_t* ingest = rocksdb_ingestexternalfileoptions_create();
  const char* file = PathIn(directory, "family.sst", 2);
  rocksdb_sstfilewriter_t* writer = NewWriter(file);
  rocksdb_t* db;
  size_t size = 0;
  char* value;
  family_options[0] = family_options[1] = options;
  db = rocksdb_open_column_families(options, PathIn(directory, "families", 0), 2, names,
                                    family_options, families, &error);
  CHECK_OK(error);
  Add(writer, "key", "value");
  Finish(writer);
  rocksdb_ingest_external_file_cf(db, families[1], &file, 1, ingest, &error);
  CHECK_OK(error);
  value = rocksdb_get_cf(db, read_options, families[1], "key", 3, &size, &error);
  CHECK_OK(error);
  CHECK(Same(value, size, "value"));
  rocksdb_free(value);
  CheckValue(db, "key", NULL);
  rocksdb_column_family_handle_destroy(families[0]);
  rocksdb_column_family_handle_destroy(families[1]);
  rocksdb_close(db);
  rocksdb_ingestexternalfileoptions_destroy(ingest);
}

int main(void) {
  const char* directory = NewDirectory();
  SetUp();
  env_options = rocksdb_envoptions_create();
  TestTheWriter(directory);
  TestAComparator(directory);
  TestPlaces(directory);
  TestAColumnFamily(directory);
  rocksdb_envoptions_destroy(env_options);
  TearDown();
  return 0;
}
