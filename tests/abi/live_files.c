/* The table files of a database, and lists of files that a caller makes. */

#define _POSIX_C_SOURCE 200809L

#include "database.h"

static void TestFilesOfADatabase(void) {
  const char* directory = NewDirectory();
  const char* names[] = {"default", "second"};
  const rocksdb_options_t* family_options[2];
  rocksdb_column_family_handle_t* families[2];
  const rocksdb_livefiles_t* files;
  size_t size = 0;
  const char* key;
  rocksdb_t* db;
  SetUp();
  family_options[0] = family_options[1] = options;
  rocksdb_options_set_disable_auto_compactions(options, 1);
  db = rocksdb_open_column_families(options, directory, 2, names, family_options, families, &error);
  CHECK_OK(error);
  files = rocksdb_livefiles(db);
  CHECK(rocksdb_livefiles_count(files) == 0);
  rocksdb_livefiles_destroy(files);

  Put(db, "apple", "1");
  Put(db, "pear", "2");
  rocksdb_delete(db, write_options, "quince", 6, &error);
  CHECK_OK(error);
  rocksdb_put_cf(db, write_options, families[1], "zebra", 5, "4", 1, &error);
  CHECK_OK(error);
  rocksdb_flush(db, flush_options, &error);
  CHECK_OK(error);
  rocksdb_flush_cf(db, flush_options, families[1], &error);
  CHECK_OK(error);

  files = rocksdb_livefiles(db);
  CHECK(rocksdb_livefiles_count(files) == 2);
  CHECK_TEXT(rocksdb_livefiles_column_family_name(files, 0), "default");
  CHECK_TEXT(rocksdb_livefiles_column_family_name(files, 1), "second");
  CHECK(rocksdb_livefiles_name(files, 0)[0] == '/');
  CHECK(strstr(rocksdb_livefiles_name(files, 0), ".sst") != NULL);
  CHECK_TEXT(rocksdb_livefiles_directory(files, 0), directory);
  CHECK(rocksdb_livefiles_level(files, 0) == 0);
  CHECK(rocksdb_livefiles_size(files, 0) > 500);
  key = rocksdb_livefiles_smallestkey(files, 0, &size);
  CHECK(Same(key, size, "apple"));
  key = rocksdb_livefiles_largestkey(files, 0, &size);
  CHECK(Same(key, size, "quince"));
  CHECK(rocksdb_livefiles_smallest_seqno(files, 0) == 1);
  CHECK(rocksdb_livefiles_largest_seqno(files, 0) == 3);
  CHECK(rocksdb_livefiles_entries(files, 0) == 3);
  CHECK(rocksdb_livefiles_deletions(files, 0) == 1);
  CHECK(rocksdb_livefiles_entries(files, 1) == 1);
  rocksdb_livefiles_destroy(files);

  rocksdb_column_family_handle_destroy(families[0]);
  rocksdb_column_family_handle_destroy(families[1]);
  rocksdb_close(db);
  TearDown();
}

static void TestListsOfCallers(void) {
  rocksdb_livefiles_t* files = rocksdb_livefiles_create();
  rocksdb_livefile_t* file = rocksdb_livefile_create();
  size_t size = 0;
  const char* key;
  rocksdb_livefile_destroy(file);
  file = rocksdb_livefile_create();
  rocksdb_livefile_set_column_family_name(file, "family");
  rocksdb_livefile_set_name(file, "/000012.sst");
  rocksdb_livefile_set_directory(file, "/somewhere");
  rocksdb_livefile_set_level(file, 3);
  rocksdb_livefile_set_size(file, 1234);
  rocksdb_livefile_set_smallest_key(file, "a", 1);
  rocksdb_livefile_set_largest_key(file, "b\0c", 3);
  rocksdb_livefile_set_smallest_seqno(file, 5);
  rocksdb_livefile_set_largest_seqno(file, 6);
  rocksdb_livefile_set_num_entries(file, 7);
  rocksdb_livefile_set_num_deletions(file, 2);
  rocksdb_livefiles_add(files, file);
  CHECK(rocksdb_livefiles_count(files) == 1);
  CHECK_TEXT(rocksdb_livefiles_column_family_name(files, 0), "family");
  CHECK_TEXT(rocksdb_livefiles_name(files, 0), "/000012.sst");
  CHECK_TEXT(rocksdb_livefiles_directory(files, 0), "/somewhere");
  CHECK(rocksdb_livefiles_level(files, 0) == 3);
  CHECK(rocksdb_livefiles_size(files, 0) == 1234);
  key = rocksdb_livefiles_smallestkey(files, 0, &size);
  CHECK(Same(key, size, "a"));
  key = rocksdb_livefiles_largestkey(files, 0, &size);
  CHECK(size == 3 && memcmp(key, "b\0c", 3) == 0);
  CHECK(rocksdb_livefiles_smallest_seqno(files, 0) == 5);
  CHECK(rocksdb_livefiles_largest_seqno(files, 0) == 6);
  CHECK(rocksdb_livefiles_entries(files, 0) == 7);
  CHECK(rocksdb_livefiles_deletions(files, 0) == 2);
  rocksdb_livefiles_destroy(files);
}

int main(void) {
  TestFilesOfADatabase();
  TestListsOfCallers();
  return 0;
}
