/* Code that callers supply: that it is called with what it should see, and freed once. */

#define _POSIX_C_SOURCE 200809L

#include "check.h"
#include "directory.h"
#include "rocksdb/c.h"

static int freed;
static void Free(void* state) {
  CHECK(strcmp(state, "state") == 0);
  freed++;
}
static char state[] = "state";
static const char* Name(void* s) {
  CHECK(s == state);
  return "skarn.test";
}

/* Orders keys from the largest to the smallest. */
static int CompareBackwards(void* s, const char* a, size_t a_size, const char* b, size_t b_size) {
  const size_t common = a_size < b_size ? a_size : b_size;
  const int order = memcmp(b, a, common);
  CHECK(s == state);
  return order != 0 ? order : (a_size < b_size ? 1 : (a_size > b_size ? -1 : 0));
}
static int CompareTimestamps(void* s, const char* a, size_t a_size, const char* b,
                             size_t b_size) {
  (void)s, (void)a_size, (void)b_size;
  return memcmp(a, b, 8);
}
static int CompareWithoutTimestamps(void* s, const char* a, size_t a_size, unsigned char a_has,
                                    const char* b, size_t b_size, unsigned char b_has) {
  return CompareBackwards(s, a, a_size - (a_has ? 8 : 0), b, b_size - (b_has ? 8 : 0));
}

/* Joins operands with commas; memory goes through delete_value. */
static int values_alive;
static char* Join(const char* existing, size_t existing_size, const char* const* operands,
                  const size_t* sizes, int count, unsigned char* success, size_t* size) {
  char* result = malloc(1000);
  size_t used = 0;
  int i;
  if (existing != NULL) {
    memcpy(result, existing, existing_size);
    used = existing_size;
  }
  for (i = 0; i < count; i++) {
    if (used > 0) result[used++] = ',';
    memcpy(result + used, operands[i], sizes[i]);
    used += sizes[i];
  }
  *success = 1;
  *size = used;
  values_alive++;
  return result;
}
static char* FullMerge(void* s, const char* key, size_t key_size, const char* existing,
                       size_t existing_size, const char* const* operands, const size_t* sizes,
                       int count, unsigned char* success, size_t* size) {
  CHECK(s == state && key_size > 0 && key != NULL);
  return Join(existing, existing_size, operands, sizes, count, success, size);
}
static char* PartialMerge(void* s, const char* key, size_t key_size, const char* const* operands,
                          const size_t* sizes, int count, unsigned char* success, size_t* size) {
  (void)s, (void)key, (void)key_size;
  return Join(NULL, 0, operands, sizes, count, success, size);
}
static void DeleteValue(void* s, const char* value, size_t size) {
  (void)s, (void)size;
  free((char*)value);
  values_alive--;
}

/* Removes "drop", changes "change", keeps the rest. */
static unsigned char Filter(void* s, int level, const char* key, size_t key_size,
                            const char* value, size_t value_size, char** new_value,
                            size_t* new_size, unsigned char* changed) {
  static char changed_value[] = "changed";
  (void)s, (void)level, (void)value, (void)value_size;
  if (key_size == 4 && memcmp(key, "drop", 4) == 0) return 1;
  if (key_size == 6 && memcmp(key, "change", 6) == 0) {
    *changed = 1;
    *new_value = changed_value;
    *new_size = 7;
  }
  return 0;
}
static int filters_made;
static rocksdb_compactionfilter_t* MakeFilter(void* s, rocksdb_compactionfiltercontext_t* context) {
  CHECK(s == state);
  CHECK(rocksdb_compactionfiltercontext_is_manual_compaction(context) == 1);
  (void)rocksdb_compactionfiltercontext_is_full_compaction(context);
  filters_made++;
  return rocksdb_compactionfilter_create(state, Free, Filter, Name);
}

static char* FirstByte(void* s, const char* key, size_t size, size_t* prefix_size) {
  (void)s, (void)size;
  *prefix_size = 1;
  return (char*)key;
}
static unsigned char NotEmpty(void* s, const char* key, size_t size) {
  (void)s, (void)key;
  return size > 0;
}

static rocksdb_writeoptions_t* write_options;
static rocksdb_readoptions_t* read_options;

static void Put(rocksdb_t* db, const char* key, const char* value) {
  char* error = NULL;
  rocksdb_put(db, write_options, key, strlen(key), value, strlen(value), &error);
  CHECK_OK(error);
}
static void CheckValue(rocksdb_t* db, const char* key, const char* expected) {
  char* error = NULL;
  size_t size = 0;
  char* value = rocksdb_get(db, read_options, key, strlen(key), &size, &error);
  CHECK_OK(error);
  if (expected == NULL) {
    CHECK(value == NULL);
  } else {
    CHECK(value != NULL && size == strlen(expected) && memcmp(value, expected, size) == 0);
  }
  rocksdb_free(value);
}
static rocksdb_t* Open(rocksdb_options_t* options, const char* name) {
  char* error = NULL;
  rocksdb_t* db;
  rocksdb_options_set_create_if_missing(options, 1);
  db = rocksdb_open(options, PathIn(NewDirectory(), name, 0), &error);
  CHECK_OK(error);
  return db;
}

static void TestComparatorStaysTheCallers(void) {
  rocksdb_options_t* options = rocksdb_options_create();
  rocksdb_comparator_t* comparator =
      rocksdb_comparator_create(state, Free, CompareBackwards, Name);
  rocksdb_comparator_t* with_timestamps = rocksdb_comparator_with_ts_create(
      state, Free, CompareBackwards, CompareTimestamps, CompareWithoutTimestamps, Name, 8);
  rocksdb_t* db;
  rocksdb_iterator_t* iterator;
  size_t size;
  freed = 0;
  rocksdb_options_set_comparator(options, comparator);
  db = Open(options, "comparator");
  Put(db, "a", "1");
  Put(db, "b", "2");
  iterator = rocksdb_create_iterator(db, read_options);
  rocksdb_iter_seek_to_first(iterator);
  CHECK(rocksdb_iter_valid(iterator) && *rocksdb_iter_key(iterator, &size) == 'b');
  rocksdb_iter_destroy(iterator);
  rocksdb_close(db);
  rocksdb_options_destroy(options);
  CHECK(freed == 0);
  rocksdb_comparator_destroy(comparator);
  rocksdb_comparator_destroy(with_timestamps);
  CHECK(freed == 2);
}

static void TestMergeOperatorPassesToTheOptions(void) {
  rocksdb_options_t* options = rocksdb_options_create();
  char* error = NULL;
  rocksdb_t* db;
  freed = 0;
  rocksdb_options_set_merge_operator(
      options,
      rocksdb_mergeoperator_create(state, Free, FullMerge, PartialMerge, DeleteValue, Name));
  db = Open(options, "merge");
  rocksdb_options_destroy(options);
  CHECK(freed == 0);  /* The database still uses it. */
  rocksdb_merge(db, write_options, "k", 1, "x", 1, &error);
  CHECK_OK(error);
  rocksdb_merge(db, write_options, "k", 1, "y", 1, &error);
  CHECK_OK(error);
  CheckValue(db, "k", "x,y");
  Put(db, "k", "base");
  rocksdb_merge(db, write_options, "k", 1, "z", 1, &error);
  CHECK_OK(error);
  CheckValue(db, "k", "base,z");
  rocksdb_compact_range(db, NULL, 0, NULL, 0);
  CheckValue(db, "k", "base,z");
  CHECK(values_alive == 0);
  rocksdb_close(db);
  CHECK(freed == 1);
  rocksdb_mergeoperator_destroy(
      rocksdb_mergeoperator_create(state, Free, FullMerge, PartialMerge, DeleteValue, Name));
  CHECK(freed == 2);

  options = rocksdb_options_create();
  rocksdb_options_set_uint64add_merge_operator(options);
  db = Open(options, "add");
  rocksdb_merge(db, write_options, "n", 1, "\1\0\0\0\0\0\0\0", 8, &error);
  rocksdb_merge(db, write_options, "n", 1, "\2\0\0\0\0\0\0\0", 8, &error);
  CHECK_OK(error);
  {
    size_t size = 0;
    char* value = rocksdb_get(db, read_options, "n", 1, &size, &error);
    CHECK(size == 8 && value[0] == 3);
    rocksdb_free(value);
  }
  rocksdb_close(db);
  rocksdb_options_destroy(options);
}

static void TestCompactionFilters(void) {
  rocksdb_options_t* options = rocksdb_options_create();
  rocksdb_compactionfilter_t* filter =
      rocksdb_compactionfilter_create(state, Free, Filter, Name);
  rocksdb_t* db;
  int with_factory;
  freed = 0;
  rocksdb_compactionfilter_set_ignore_snapshots(filter, 1);
  rocksdb_options_set_compaction_filter(options, filter);
  for (with_factory = 0; with_factory < 2; with_factory++) {
    if (with_factory) {
      rocksdb_options_set_compaction_filter(options, NULL);
      rocksdb_options_set_compaction_filter_factory(
          options, rocksdb_compactionfilterfactory_create(state, Free, MakeFilter, Name));
    }
    db = Open(options, "filter");
    Put(db, "change", "1");
    Put(db, "drop", "2");
    Put(db, "keep", "3");
    rocksdb_compact_range(db, NULL, 0, NULL, 0);
    CheckValue(db, "change", "changed");
    CheckValue(db, "drop", NULL);
    CheckValue(db, "keep", "3");
    rocksdb_close(db);
  }
  CHECK(filters_made > 0);
  rocksdb_options_destroy(options);
  CHECK(freed == filters_made + 1);  /* Each filter made, and the factory. */
  rocksdb_compactionfilter_destroy(filter);
  CHECK(freed == filters_made + 2);
  rocksdb_compactionfilterfactory_destroy(
      rocksdb_compactionfilterfactory_create(state, Free, MakeFilter, Name));
  CHECK(freed == filters_made + 3);
}

static void TestPrefixesAndFilterPolicies(void) {
  rocksdb_options_t* options = rocksdb_options_create();
  rocksdb_block_based_table_options_t* table = rocksdb_block_based_options_create();
  rocksdb_filterpolicy_t* policies[5];
  rocksdb_t* db;
  int i;
  freed = 0;
  rocksdb_slicetransform_destroy(rocksdb_slicetransform_create_fixed_prefix(3));
  rocksdb_slicetransform_destroy(rocksdb_slicetransform_create_noop());
  rocksdb_options_set_prefix_extractor(
      options, rocksdb_slicetransform_create(state, Free, FirstByte, NotEmpty, Name));
  policies[0] = rocksdb_filterpolicy_create_bloom(10);
  policies[1] = rocksdb_filterpolicy_create_bloom_full(10);
  policies[2] = rocksdb_filterpolicy_create_ribbon(10);
  policies[3] = rocksdb_filterpolicy_create_ribbon_hybrid(10, 2);
  policies[4] = rocksdb_filterpolicy_create(state, Free, NULL, NULL, NULL, Name);
  for (i = 0; i < 5; i++) {
    rocksdb_block_based_options_set_filter_policy(table, policies[i]);
    rocksdb_options_set_block_based_table_factory(options, table);
    db = Open(options, "filters");
    Put(db, "apple", "1");
    Put(db, "pear", "2");
    rocksdb_compact_range(db, NULL, 0, NULL, 0);
    CheckValue(db, "apple", "1");
    CheckValue(db, "quince", NULL);
    rocksdb_close(db);
  }
  rocksdb_filterpolicy_destroy(rocksdb_filterpolicy_create_bloom(10));
  rocksdb_block_based_options_destroy(table);
  CHECK(freed == 0);
  rocksdb_options_destroy(options);
  CHECK(freed == 2);  /* The transform and the caller's policy. */
}

int main(void) {
  write_options = rocksdb_writeoptions_create();
  read_options = rocksdb_readoptions_create();
  TestComparatorStaysTheCallers();
  TestMergeOperatorPassesToTheOptions();
  TestCompactionFilters();
  TestPrefixesAndFilterPolicies();
  rocksdb_writeoptions_destroy(write_options);
  rocksdb_readoptions_destroy(read_options);
  return 0;
}
