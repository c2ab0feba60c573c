/* What statistics count, on a workload whose counts RocksDB gives too. */

#define _POSIX_C_SOURCE 200809L

#include "check.h"
#include "directory.h"
#include "rocksdb/c.h"

/* The count of a ticker or histogram, by its name. */
static unsigned long long Count(rocksdb_options_t* options, const char* name) {
  char* text = rocksdb_options_statistics_get_string(options);
  char* line = text;
  unsigned long long count = (unsigned long long)-1;
  CHECK(text != NULL);
  while (line != NULL && *line != '\0') {
    char* const end = strchr(line, '\n');
    const size_t size = strlen(name);
    if (end != NULL) *end = '\0';
    if (strncmp(line, name, size) == 0 && line[size] == ' ') {
      const char* const at = strstr(line, "COUNT : ");
      CHECK(at != NULL);
      count = strtoull(at + 8, NULL, 10);
    }
    line = end == NULL ? NULL : end + 1;
  }
  rocksdb_free(text);
  return count;
}

#define CHECK_COUNT(name, expected)                                                  \
  do {                                                                               \
    const unsigned long long check_count = Count(options, "rocksdb." name);          \
    if (check_count != (unsigned long long)(expected)) {                             \
      fprintf(stderr, "%s:%d: " name " is %llu\n", __FILE__, __LINE__, check_count); \
      exit(1);                                                                       \
    }                                                                                \
  } while (0)

static void GetAll(rocksdb_t* db, rocksdb_readoptions_t* read) {
  char* error = NULL;
  int i;
  for (i = 0; i < 120; i++) {
    char key[16];
    size_t size = 0;
    char* value;
    snprintf(key, sizeof(key), "key%03d", i);
    value = rocksdb_get(db, read, key, 6, &size, &error);
    CHECK_OK(error);
    CHECK((value != NULL) == (i < 100 && i % 10 != 0));
    rocksdb_free(value);
  }
}

int main(void) {
  rocksdb_options_t* options = rocksdb_options_create();
  rocksdb_writeoptions_t* write = rocksdb_writeoptions_create();
  rocksdb_readoptions_t* read = rocksdb_readoptions_create();
  rocksdb_flushoptions_t* flush = rocksdb_flushoptions_create();
  rocksdb_perfcontext_t* perf = rocksdb_perfcontext_create();
  rocksdb_iterator_t* iterator;
  const char* directory = NewDirectory();
  char* error = NULL;
  char* text;
  rocksdb_t* db;
  int i;

  rocksdb_options_set_create_if_missing(options, 1);
  rocksdb_options_set_disable_auto_compactions(options, 1);
  rocksdb_options_enable_statistics(options);
  rocksdb_options_set_statistics_level(options, rocksdb_statistics_level_all);
  rocksdb_set_perf_level(rocksdb_enable_count);
  db = rocksdb_open(options, directory, &error);
  CHECK_OK(error);

  for (i = 0; i < 100; i++) {
    char key[16];
    snprintf(key, sizeof(key), "key%03d", i);
    rocksdb_put(db, write, key, 6, "0123456789", 10, &error);
    CHECK_OK(error);
    if (i % 10 != 0) continue;
    rocksdb_delete(db, write, key, 6, &error);
    CHECK_OK(error);
  }
  CHECK_COUNT("number.keys.written", 110);
  CHECK_COUNT("write.self", 110);
  CHECK_COUNT("write.wal", 110);
  /* Each is a record of its own: header, tag, lengths, key and value. */
  CHECK_COUNT("bytes.written", 100 * (12 + 1 + 1 + 6 + 1 + 10) + 10 * (12 + 1 + 1 + 6));
  CHECK_COUNT("wal.bytes", Count(options, "rocksdb.bytes.written"));
  CHECK_COUNT("bytes.per.write", 110);

  rocksdb_perfcontext_reset(perf);
  GetAll(db, read);
  CHECK_COUNT("memtable.hit", 100);
  CHECK_COUNT("memtable.miss", 20);
  CHECK_COUNT("number.keys.read", 120);
  CHECK_COUNT("bytes.read", 90 * 10);
  CHECK(rocksdb_perfcontext_metric(perf, rocksdb_get_read_bytes) == 90 * 10);
  CHECK(rocksdb_perfcontext_metric(perf, rocksdb_get_from_memtable_count) == 120);

  rocksdb_flush(db, flush, &error);
  CHECK_OK(error);
  CHECK_COUNT("no.file.opens", 1);
  CHECK_COUNT("db.flush.micros", 1);
  CHECK_COUNT("table.sync.micros", 1);
  CHECK_COUNT("table.open.io.micros", 1);
  CHECK_COUNT("memtable.payload.bytes.at.flush", 100 * (6 + 8 + 10) + 10 * (6 + 8));
  CHECK_COUNT("memtable.garbage.bytes.at.flush", 10 * (6 + 8 + 10));
  GetAll(db, read);
  CHECK_COUNT("memtable.hit", 100);
  CHECK_COUNT("memtable.miss", 140);
  CHECK_COUNT("l0.hit", 90);

  rocksdb_perfcontext_reset(perf);
  iterator = rocksdb_create_iterator(db, read);
  for (rocksdb_iter_seek_to_first(iterator); rocksdb_iter_valid(iterator);) {
    rocksdb_iter_next(iterator);
  }
  rocksdb_iter_seek(iterator, "key050", 6);
  CHECK(rocksdb_iter_valid(iterator));
  rocksdb_iter_prev(iterator);
  rocksdb_iter_destroy(iterator);
  CHECK_COUNT("num.iterator.created", 1);
  CHECK_COUNT("num.iterator.deleted", 1);
  CHECK_COUNT("number.db.seek", 2);
  CHECK_COUNT("number.db.seek.found", 2);
  CHECK_COUNT("number.db.next", 90);
  CHECK_COUNT("number.db.next.found", 89);
  CHECK_COUNT("number.db.prev", 1);
  CHECK_COUNT("number.db.prev.found", 1);
  CHECK_COUNT("db.iter.bytes.read", 92 * 16);
  CHECK_COUNT("db.seek.micros", 1); /* Seeks to a key. */
  CHECK(rocksdb_perfcontext_metric(perf, rocksdb_iter_read_bytes) == 92 * 16);
  CHECK(rocksdb_perfcontext_metric(perf, rocksdb_internal_delete_skipped_count) >= 10);

  rocksdb_put(db, write, "key001", 6, "changed", 7, &error);
  CHECK_OK(error);
  rocksdb_flush(db, flush, &error);
  CHECK_OK(error);

  /* Enabling once more than was disabled cancels the next disabling. */
  rocksdb_enable_manual_compaction(db);
  rocksdb_disable_manual_compaction(db);
  rocksdb_perfcontext_reset(perf);
  rocksdb_compact_range(db, NULL, 0, NULL, 0);
  text = rocksdb_property_value(db, "rocksdb.num-files-at-level0");
  CHECK_TEXT(text, "0");
  rocksdb_free(text);
  CHECK_COUNT("compaction.times.micros", 1);
  CHECK_COUNT("compaction.outfile.sync.micros", 1);
  CHECK_COUNT("compaction.key.drop.obsolete", 10);
  CHECK_COUNT("compaction.key.drop.new", 1);
  CHECK_COUNT("no.file.opens", 3);
  /* It ran in this thread or another: what it read is not this thread's. */
  CHECK(rocksdb_perfcontext_metric(perf, rocksdb_block_read_count) == 0);
  rocksdb_disable_manual_compaction(db);
  rocksdb_put(db, write, "key000", 6, "0", 1, &error);
  CHECK_OK(error);
  rocksdb_flush(db, flush, &error);
  CHECK_OK(error);
  rocksdb_compact_range(db, NULL, 0, NULL, 0);
  text = rocksdb_property_value(db, "rocksdb.num-files-at-level0");
  CHECK_TEXT(text, "1");
  rocksdb_free(text);

  text = rocksdb_property_value(db, "rocksdb.stats");
  CHECK(strstr(text, "read latency histogram (micros):\nCount: ") != NULL);
  rocksdb_free(text);

  rocksdb_close(db);
  rocksdb_destroy_db(options, directory, &error);
  CHECK_OK(error);
  rocksdb_perfcontext_destroy(perf);
  rocksdb_flushoptions_destroy(flush);
  rocksdb_readoptions_destroy(read);
  rocksdb_writeoptions_destroy(write);
  rocksdb_options_destroy(options);
  return 0;
}
