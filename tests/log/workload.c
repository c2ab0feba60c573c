/* What the test of the LOG runs on both libraries: two opens with column families, flushes, a
   manual compaction, option changes, a dropped family, and dumps of statistics.

   Usage: workload DIRECTORY */

#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rocksdb/c.h"

enum { kKeys = 1000, kRounds = 5 };

static char* error;

static void Check(int line) {
  if (error == NULL) return;
  fprintf(stderr, "line %d: %s\n", line, error);
  exit(1);
}
#define OK() Check(__LINE__)

static void Fill(rocksdb_t* db, rocksdb_writeoptions_t* write,
                 rocksdb_column_family_handle_t* family, int round) {
  int i;
  for (i = 0; i < kKeys; i++) {
    char key[32], value[128];
    snprintf(key, sizeof(key), "key%06d", i * 7 % kKeys);
    snprintf(value, sizeof(value),
             "value-%d-%d-abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", round, i);
    rocksdb_put_cf(db, write, family, key, strlen(key), value, strlen(value), &error);
    OK();
    if (i % 10 != 0) continue;
    rocksdb_delete_cf(db, write, family, key, strlen(key), &error);
    OK();
  }
}

static void ReadAll(rocksdb_t* db, rocksdb_readoptions_t* read,
                    rocksdb_column_family_handle_t* family) {
  int i;
  for (i = 0; i < kKeys + kKeys / 2; i++) {
    char key[32];
    size_t size;
    snprintf(key, sizeof(key), "key%06d", i);
    free(rocksdb_get_cf(db, read, family, key, strlen(key), &size, &error));
    OK();
  }
}

int main(int argc, char** argv) {
  rocksdb_options_t* options = rocksdb_options_create();
  rocksdb_block_based_table_options_t* table = rocksdb_block_based_options_create();
  rocksdb_writeoptions_t* write = rocksdb_writeoptions_create();
  rocksdb_readoptions_t* read = rocksdb_readoptions_create();
  rocksdb_flushoptions_t* flush = rocksdb_flushoptions_create();
  const char* names[] = {"default", "second"};
  const rocksdb_options_t* family_options[2];
  int opens;
  if (argc != 2) return 2;
  rocksdb_options_set_create_if_missing(options, 1);
  rocksdb_options_set_create_missing_column_families(options, 1);
  rocksdb_options_enable_statistics(options);
  rocksdb_options_set_stats_dump_period_sec(options, 1);
  rocksdb_options_set_compression(options, rocksdb_lz4_compression);
  rocksdb_options_set_write_buffer_size(options, 1 << 20);
  rocksdb_options_set_level0_file_num_compaction_trigger(options, 4);
  rocksdb_block_based_options_set_filter_policy(table, rocksdb_filterpolicy_create_bloom(10));
  rocksdb_options_set_block_based_table_factory(options, table);
  family_options[0] = family_options[1] = options;

  for (opens = 0; opens < 2; opens++) {
    static const char* const kNames[] = {"write_buffer_size", "level0_file_num_compaction_trigger"};
    static const char* const kValues[] = {"2000000", "3"};
    rocksdb_column_family_handle_t* families[2];
    rocksdb_column_family_handle_t* third;
    rocksdb_t* db =
        rocksdb_open_column_families(options, argv[1], 2, names, family_options, families, &error);
    int round;
    OK();
    for (round = 0; round < kRounds; round++) {
      Fill(db, write, families[round & 1], round);
      rocksdb_flush_cf(db, flush, families[round & 1], &error);
      OK();
    }
    rocksdb_compact_range_cf(db, families[0], NULL, 0, NULL, 0);
    ReadAll(db, read, families[0]);
    /* Stays in the log, so that the next open recovers it. */
    rocksdb_put_cf(db, write, families[1], "z", 1, "y", 1, &error);
    OK();
    third = rocksdb_create_column_family(db, options, "third", &error);
    OK();
    rocksdb_put_cf(db, write, third, "z", 1, "y", 1, &error);
    OK();
    rocksdb_flush_cf(db, flush, third, &error);
    OK();
    rocksdb_set_options_cf(db, families[0], 2, kNames, kValues, &error);
    OK();
    rocksdb_drop_column_family(db, third, &error);
    OK();
    rocksdb_column_family_handle_destroy(third);
    sleep(2); /* Longer than the period of the dumps. */
    rocksdb_put_cf(db, write, families[0], "key000500", 9, "y", 1, &error);
    OK();
    rocksdb_flush_cf(db, flush, families[0], &error);
    OK();
    rocksdb_column_family_handle_destroy(families[0]);
    rocksdb_column_family_handle_destroy(families[1]);
    rocksdb_close(db);
  }
  rocksdb_flushoptions_destroy(flush);
  rocksdb_readoptions_destroy(read);
  rocksdb_writeoptions_destroy(write);
  rocksdb_block_based_options_destroy(table);
  rocksdb_options_destroy(options);
  return 0;
}
