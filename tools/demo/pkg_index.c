/* An index of packages: records in one column family, and three more that find them by section, by
   maintainer and by what they depend on.

     pkg_index DIRECTORY load FILE    reads package records and writes them in batches
     pkg_index DIRECTORY report       opens what is there and answers questions about it
     pkg_index DIRECTORY update       rewrites and drops packages, seen by a snapshot and without

   What goes to stdout depends on the records only. */

#include "demo_common.h"

enum { PACKAGES, SECTIONS, MAINTAINERS, DEPENDENTS, FAMILIES };
static const char* const kNames[FAMILIES] = {"default", "by_section", "by_maintainer",
                                             "dependents"};

typedef struct {
  rocksdb_t* db;
  rocksdb_column_family_handle_t* family[FAMILIES];
  rocksdb_options_t* options[FAMILIES];
  rocksdb_writeoptions_t* write;
  rocksdb_readoptions_t* read;
} index_t;

static index_t index_open(const char* directory) {
  index_t index;
  char* error = NULL;
  int i;
  for (i = 0; i < FAMILIES; i++) {
    rocksdb_block_based_table_options_t* table = rocksdb_block_based_options_create();
    rocksdb_options_t* options = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_options_set_create_missing_column_families(options, 1);
    rocksdb_options_set_write_buffer_size(options, 4 << 20);
    rocksdb_options_set_compression(options, i == PACKAGES ? rocksdb_zstd_compression
                                                           : rocksdb_lz4_compression);
    rocksdb_block_based_options_set_filter_policy(table, rocksdb_filterpolicy_create_bloom(10));
    rocksdb_options_set_block_based_table_factory(options, table);
    rocksdb_block_based_options_destroy(table);
    /* Sections are looked through by their first letters. */
    if (i == SECTIONS)
      rocksdb_options_set_prefix_extractor(options, rocksdb_slicetransform_create_fixed_prefix(3));
    index.options[i] = options;
  }
  index.db = rocksdb_open_column_families(index.options[0], directory, FAMILIES, kNames,
                                          (const rocksdb_options_t* const*)index.options,
                                          index.family, &error);
  check(error, "open");
  index.write = rocksdb_writeoptions_create();
  index.read = rocksdb_readoptions_create();
  return index;
}

static void index_close(index_t* index) {
  int i;
  rocksdb_writeoptions_destroy(index->write);
  rocksdb_readoptions_destroy(index->read);
  for (i = 0; i < FAMILIES; i++) rocksdb_column_family_handle_destroy(index->family[i]);
  rocksdb_close(index->db);
  for (i = 0; i < FAMILIES; i++) rocksdb_options_destroy(index->options[i]);
}

/* "group\0name" in `key`; returns its size. */
static size_t pair_key(char* key, size_t limit, const char* group, size_t group_size,
                       const char* name) {
  size_t name_size = strlen(name);
  if (group_size + 1 + name_size > limit) return 0;
  memcpy(key, group, group_size);
  key[group_size] = '\0';
  memcpy(key + group_size + 1, name, name_size);
  return group_size + 1 + name_size;
}

static void put_pair(index_t* index, rocksdb_writebatch_t* batch, int family, const char* group,
                     size_t group_size, const char* name) {
  char key[1024];
  size_t size = pair_key(key, sizeof(key), group, group_size, name);
  if (size > 0) rocksdb_writebatch_put_cf(batch, index->family[family], key, size, "", 0);
}

static void add_package(index_t* index, rocksdb_writebatch_t* batch, const record_t* record) {
  const char* name = record_field(record, "Package");
  const char* section = record_field(record, "Section");
  const char* maintainer = record_field(record, "Maintainer");
  const char* depends = record_field(record, "Depends");
  char value[4096];
  int size = snprintf(value, sizeof(value), "%s\t%s\t%s\t%s\t%s", record_field(record, "Version"),
                      record_field(record, "Installed-Size"), section, maintainer,
                      record_field(record, "Description"));
  if (size >= (int)sizeof(value)) size = sizeof(value) - 1;
  rocksdb_writebatch_put_cf(batch, index->family[PACKAGES], name, strlen(name), value,
                            (size_t)size);
  put_pair(index, batch, SECTIONS, section, strlen(section), name);
  put_pair(index, batch, MAINTAINERS, maintainer, strlen(maintainer), name);
  while (*depends != '\0') {
    size_t word = strcspn(depends, " ,|(:");
    if (word > 0) put_pair(index, batch, DEPENDENTS, depends, word, name);
    depends += word;
    /* To the next alternative or dependency, past version and architecture. */
    depends += strcspn(depends, ",|");
    depends += strspn(depends, ",| ");
  }
}

static void load(index_t* index, const char* path) {
  records_t records = records_open(path);
  rocksdb_writebatch_t* batch = rocksdb_writebatch_create();
  record_t record;
  char* error = NULL;
  long count = 0;
  while (records_next(&records, &record)) {
    if (*record_field(&record, "Package") == '\0') continue;
    add_package(index, batch, &record);
    if (++count % 200 == 0) {
      rocksdb_write(index->db, index->write, batch, &error);
      check(error, "write");
      rocksdb_writebatch_clear(batch);
    }
  }
  rocksdb_write(index->db, index->write, batch, &error);
  check(error, "write");
  rocksdb_writebatch_destroy(batch);
  free(records.file);
  printf("loaded %ld records, sequence %llu\n", count,
         (unsigned long long)rocksdb_get_latest_sequence_number(index->db));
}

/* Entries and checksum of a family, forward; backward must find as many. */
static void report_family(index_t* index, const rocksdb_readoptions_t* read, int family) {
  rocksdb_iterator_t* it = rocksdb_create_iterator_cf(index->db, read, index->family[family]);
  uint64_t hash = MIX_START;
  long forward = 0, backward = 0;
  char* error = NULL;
  for (rocksdb_iter_seek_to_first(it); rocksdb_iter_valid(it); rocksdb_iter_next(it)) {
    size_t key_size, value_size;
    const char* key = rocksdb_iter_key(it, &key_size);
    const char* value = rocksdb_iter_value(it, &value_size);
    hash = mix(mix(hash, key, key_size), value, value_size);
    forward++;
  }
  for (rocksdb_iter_seek_to_last(it); rocksdb_iter_valid(it); rocksdb_iter_prev(it)) backward++;
  rocksdb_iter_get_error(it, &error);
  check(error, "iterate");
  rocksdb_iter_destroy(it);
  printf("%-14s %7ld entries, %7ld backward, checksum %016llx\n", kNames[family], forward, backward,
         (unsigned long long)hash);
}

/* How many entries of `family` belong to `group`, by a scan of the group alone. */
static long group_count(index_t* index, const rocksdb_snapshot_t* snapshot, int family,
                        const char* group) {
  rocksdb_readoptions_t* read = rocksdb_readoptions_create();
  rocksdb_iterator_t* it;
  char from[256], to[256];
  size_t size = strlen(group);
  long count = 0;
  char* error = NULL;
  memcpy(from, group, size + 1); /* "group\0" up to "group\1" */
  memcpy(to, group, size);
  to[size] = '\1';
  rocksdb_readoptions_set_snapshot(read, snapshot);
  rocksdb_readoptions_set_iterate_upper_bound(read, to, size + 1);
  if (family == SECTIONS) rocksdb_readoptions_set_prefix_same_as_start(read, 1);
  it = rocksdb_create_iterator_cf(index->db, read, index->family[family]);
  for (rocksdb_iter_seek(it, from, size + 1); rocksdb_iter_valid(it); rocksdb_iter_next(it))
    count++;
  rocksdb_iter_get_error(it, &error);
  check(error, "scan");
  rocksdb_iter_destroy(it);
  rocksdb_readoptions_destroy(read);
  return count;
}

static const char* const kSections[] = {"admin", "devel", "doc",   "editors", "games",
                                        "libs",  "mail",  "python", "science", "utils"};
static const char* const kLooked[] = {"libc6", "python3", "perl", "zlib1g", "libstdc++6",
                                      "systemd", "no-such-package"};
#define COUNT_OF(array) ((int)(sizeof(array) / sizeof(*(array))))

static void report(index_t* index) {
  rocksdb_readoptions_t* all = rocksdb_readoptions_create();
  const char* values[COUNT_OF(kLooked)];
  size_t key_sizes[COUNT_OF(kLooked)], value_sizes[COUNT_OF(kLooked)];
  char* errors[COUNT_OF(kLooked)];
  int i;
  rocksdb_readoptions_set_total_order_seek(all, 1);
  for (i = 0; i < FAMILIES; i++) report_family(index, all, i);
  rocksdb_readoptions_destroy(all);
  for (i = 0; i < COUNT_OF(kSections); i++)
    printf("section %-8s %6ld packages\n", kSections[i],
           group_count(index, NULL, SECTIONS, kSections[i]));
  for (i = 0; i < COUNT_OF(kLooked); i++)
    printf("%-16s is needed by %ld packages\n", kLooked[i],
           group_count(index, NULL, DEPENDENTS, kLooked[i]));
  for (i = 0; i < COUNT_OF(kLooked); i++) key_sizes[i] = strlen(kLooked[i]);
  rocksdb_multi_get(index->db, index->read, COUNT_OF(kLooked), kLooked, key_sizes, (char**)values,
                    value_sizes, errors);
  for (i = 0; i < COUNT_OF(kLooked); i++) {
    check(errors[i], "multi-get");
    printf("%-16s %.*s\n", kLooked[i], values[i] == NULL ? 6 : (int)strcspn(values[i], "\t"),
           values[i] == NULL ? "absent" : values[i]);
    rocksdb_free((char*)values[i]);
  }
}

/* Drops the games and renames what editors say about themselves; a snapshot still sees it all. */
static void update(index_t* index) {
  const rocksdb_snapshot_t* before = rocksdb_create_snapshot(index->db);
  rocksdb_writebatch_t* batch = rocksdb_writebatch_create();
  rocksdb_readoptions_t* read = rocksdb_readoptions_create();
  rocksdb_iterator_t* it;
  char* error = NULL;
  long dropped = 0, changed = 0;
  rocksdb_readoptions_set_snapshot(read, before);
  rocksdb_readoptions_set_total_order_seek(read, 1);
  it = rocksdb_create_iterator_cf(index->db, read, index->family[SECTIONS]);
  for (rocksdb_iter_seek(it, "games", 6); rocksdb_iter_valid(it); rocksdb_iter_next(it)) {
    size_t size;
    const char* key = rocksdb_iter_key(it, &size);
    if (size < 6 || memcmp(key, "games", 6) != 0) break;
    rocksdb_writebatch_delete_cf(batch, index->family[PACKAGES], key + 6, size - 6);
    dropped++;
  }
  rocksdb_writebatch_delete_range_cf(batch, index->family[SECTIONS], "games", 6, "games\1", 6);
  rocksdb_writebatch_set_save_point(batch);
  rocksdb_writebatch_delete_range_cf(batch, index->family[SECTIONS], "a", 1, "z", 1);
  rocksdb_writebatch_rollback_to_save_point(batch, &error); /* Not that much. */
  check(error, "roll back");
  for (rocksdb_iter_seek(it, "editors", 8); rocksdb_iter_valid(it); rocksdb_iter_next(it)) {
    size_t size, value_size;
    const char* key = rocksdb_iter_key(it, &size);
    char* value;
    if (size < 8 || memcmp(key, "editors", 8) != 0) break;
    value = rocksdb_get(index->db, index->read, key + 8, size - 8, &value_size, &error);
    check(error, "get");
    if (value != NULL) {
      value = realloc(value, value_size + 8);
      memcpy(value + value_size, " (edits)", 8);
      rocksdb_writebatch_put_cf(batch, index->family[PACKAGES], key + 8, size - 8, value,
                                value_size + 8);
      changed++;
    }
    rocksdb_free(value);
  }
  rocksdb_iter_destroy(it);
  printf("batch of %d entries\n", rocksdb_writebatch_count(batch));
  rocksdb_write(index->db, index->write, batch, &error);
  check(error, "write");
  rocksdb_writebatch_destroy(batch);
  printf("dropped %ld games, changed %ld editors\n", dropped, changed);
  printf("games: %ld in the snapshot, %ld now\n", group_count(index, before, SECTIONS, "games"),
         group_count(index, NULL, SECTIONS, "games"));
  report_family(index, read, PACKAGES);
  rocksdb_readoptions_destroy(read);
  rocksdb_release_snapshot(index->db, before);
  rocksdb_compact_range_cf(index->db, index->family[SECTIONS], NULL, 0, NULL, 0);
  report(index);
}

int main(int argc, char** argv) {
  index_t index;
  if (argc < 3 || (strcmp(argv[2], "load") == 0 && argc < 4)) {
    fprintf(stderr, "usage: pkg_index DIRECTORY load FILE | report | update\n");
    return 2;
  }
  index = index_open(argv[1]);
  if (strcmp(argv[2], "load") == 0) load(&index, argv[3]);
  else if (strcmp(argv[2], "update") == 0) update(&index);
  else report(&index);
  index_close(&index);
  return 0;
}
