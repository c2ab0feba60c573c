/* Counts words with a merge operator: each word of a description, and each package that another one
   names in a dependency, is one merge of +1, and nothing is read while counting.

     word_count DIRECTORY load FILE    counts the records of a file on top of what is there
     word_count DIRECTORY report       the most frequent words, and a checksum of all counts

   What goes to stdout depends on the records only. */

#include <ctype.h>

#include "demo_common.h"

static uint64_t number(const char* digits, size_t size) {
  uint64_t value = 0;
  size_t i;
  for (i = 0; i < size; i++) value = value * 10 + (uint64_t)(digits[i] - '0');
  return value;
}

static char* sum(uint64_t value, const char* const* operands, const size_t* sizes, int count,
                 unsigned char* success, size_t* new_size) {
  char* text = malloc(24);
  int i;
  for (i = 0; i < count; i++) value += number(operands[i], sizes[i]);
  *new_size = (size_t)snprintf(text, 24, "%llu", (unsigned long long)value);
  *success = 1;
  return text;
}

static char* full_merge(void* state, const char* key, size_t key_size, const char* existing,
                        size_t existing_size, const char* const* operands, const size_t* sizes,
                        int count, unsigned char* success, size_t* new_size) {
  (void)state, (void)key, (void)key_size;
  return sum(existing == NULL ? 0 : number(existing, existing_size), operands, sizes, count,
             success, new_size);
}
static char* partial_merge(void* state, const char* key, size_t key_size,
                           const char* const* operands, const size_t* sizes, int count,
                           unsigned char* success, size_t* new_size) {
  (void)state, (void)key, (void)key_size;
  return sum(0, operands, sizes, count, success, new_size);
}
static void free_value(void* state, const char* value, size_t size) {
  (void)state, (void)size;
  free((char*)value);
}
static const char* operator_name(void* state) {
  (void)state;
  return "demo.count";
}
static void nothing(void* state) { (void)state; }

static rocksdb_t* open_counts(const char* directory) {
  rocksdb_options_t* options = rocksdb_options_create();
  rocksdb_t* db;
  char* error = NULL;
  rocksdb_options_set_create_if_missing(options, 1);
  rocksdb_options_set_write_buffer_size(options, 8 << 20);
  rocksdb_options_set_compression(options, rocksdb_snappy_compression);
  rocksdb_options_set_merge_operator(
      options, rocksdb_mergeoperator_create(NULL, nothing, full_merge, partial_merge, free_value,
                                            operator_name));
  db = rocksdb_open(options, directory, &error);
  check(error, "open");
  rocksdb_options_destroy(options);
  return db;
}

static void load(rocksdb_t* db, const char* path) {
  records_t records = records_open(path);
  rocksdb_writeoptions_t* write = rocksdb_writeoptions_create();
  rocksdb_writebatch_t* batch = rocksdb_writebatch_create();
  record_t record;
  char* error = NULL;
  long merges = 0;
  while (records_next(&records, &record)) {
    static const char* const kFields[] = {"Description", "Depends", "Recommends"};
    size_t f;
    for (f = 0; f < 3; f++) {
      const char* text = record_field(&record, kFields[f]);
      while (*text != '\0') {
        char word[64];
        size_t size = 0;
        word[size++] = f == 0 ? 'w' : 'p';
        word[size++] = ':';
        while (*text != '\0' && !isalnum((unsigned char)*text)) text++;
        for (; isalnum((unsigned char)*text) || (f > 0 && *text != '\0' && strchr("+-.", *text));
             text++)
          if (size < sizeof(word)) word[size++] = (char)tolower((unsigned char)*text);
        if (size > 2) {
          rocksdb_writebatch_merge(batch, word, size, "1", 1);
          merges++;
        }
        if (f > 0) text += strcspn(text, ",|"); /* Past versions. */
      }
    }
    if (rocksdb_writebatch_count(batch) >= 500) {
      rocksdb_write(db, write, batch, &error);
      check(error, "write");
      rocksdb_writebatch_clear(batch);
    }
  }
  rocksdb_write(db, write, batch, &error);
  check(error, "write");
  rocksdb_writebatch_destroy(batch);
  rocksdb_writeoptions_destroy(write);
  free(records.file);
  rocksdb_compact_range(db, NULL, 0, NULL, 0);
  printf("%ld merges\n", merges);
}

#define TOP 15
static void report(rocksdb_t* db, const char* prefix, const char* title) {
  rocksdb_readoptions_t* read = rocksdb_readoptions_create();
  rocksdb_iterator_t* it = rocksdb_create_iterator(db, read);
  char words[TOP][64];
  uint64_t counts[TOP] = {0}, total = 0, hash = MIX_START;
  long different = 0;
  char* error = NULL;
  int i;
  for (rocksdb_iter_seek(it, prefix, 2); rocksdb_iter_valid(it); rocksdb_iter_next(it)) {
    size_t key_size, value_size;
    const char* key = rocksdb_iter_key(it, &key_size);
    const char* value = rocksdb_iter_value(it, &value_size);
    uint64_t count = number(value, value_size);
    if (key_size < 2 || memcmp(key, prefix, 2) != 0) break;
    different++;
    total += count;
    hash = mix(mix(hash, key, key_size), value, value_size);
    if (count <= counts[TOP - 1]) continue;
    for (i = TOP - 1; i > 0 && counts[i - 1] < count; i--) {
      counts[i] = counts[i - 1];
      memcpy(words[i], words[i - 1], sizeof(words[i]));
    }
    counts[i] = count;
    memcpy(words[i], key + 2, key_size - 2);
    words[i][key_size - 2] = '\0';
  }
  rocksdb_iter_get_error(it, &error);
  check(error, "iterate");
  rocksdb_iter_destroy(it);
  rocksdb_readoptions_destroy(read);
  printf("%s: %ld different, %llu in all, checksum %016llx\n", title, different,
         (unsigned long long)total, (unsigned long long)hash);
  for (i = 0; i < TOP && counts[i] > 0; i++)
    printf("  %8llu %s\n", (unsigned long long)counts[i], words[i]);
}

int main(int argc, char** argv) {
  rocksdb_t* db;
  if (argc < 3 || (strcmp(argv[2], "load") == 0 && argc < 4)) {
    fprintf(stderr, "usage: word_count DIRECTORY load FILE | report\n");
    return 2;
  }
  db = open_counts(argv[1]);
  if (strcmp(argv[2], "load") == 0) load(db, argv[3]);
  report(db, "w:", "words");
  report(db, "p:", "packages named in dependencies");
  rocksdb_close(db);
  return 0;
}
