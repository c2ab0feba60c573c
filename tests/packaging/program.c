/* A user of the installed library: writes, reads, and says so. */

#include <rocksdb/c.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char** argv) {
  char* error = NULL;
  size_t size = 0;
  rocksdb_options_t* options = rocksdb_options_create();
  rocksdb_writeoptions_t* write = rocksdb_writeoptions_create();
  rocksdb_readoptions_t* read = rocksdb_readoptions_create();
  rocksdb_t* db;
  char* value;
  if (argc < 2) return 2;
  rocksdb_options_set_create_if_missing(options, 1);
  db = rocksdb_open(options, argv[1], &error);
  if (error == NULL) rocksdb_put(db, write, "key", 3, "value", 5, &error);
  value = error == NULL ? rocksdb_get(db, read, "key", 3, &size, &error) : NULL;
  if (error != NULL || size != 5 || memcmp(value, "value", 5) != 0) {
    fprintf(stderr, "%s\n", error == NULL ? "wrong value" : error);
    return 1;
  }
  rocksdb_free(value);
  rocksdb_close(db);
  rocksdb_options_destroy(options);
  rocksdb_writeoptions_destroy(write);
  rocksdb_readoptions_destroy(read);
  puts("works");
  return 0;
}
