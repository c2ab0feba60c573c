/* Writes numbered records until it is killed, opens what is left, and checks that it is a prefix of
   what was written, no shorter than what was acknowledged, and whole batches only.

     crash_reopen DIRECTORY run        several rounds of writing, SIGKILL, reopening and checking
     crash_reopen DIRECTORY verify     only the check
     crash_reopen DIRECTORY write N    writes from record N on, for the first form, until it is killed

   Each batch puts record n into two column families; every 50th is synced. How many records survive
   a kill differs from run to run, so stdout says what held, not how many; at the end the rest is
   written, and the whole content is the same every time. */

#define _POSIX_C_SOURCE 200809L
#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "demo_common.h"

#define ROUNDS 6
#define PER_ROUND 20000ull
#define TOTAL (ROUNDS * PER_ROUND)

static const char* const kNames[2] = {"default", "mirror"};

typedef struct {
  rocksdb_t* db;
  rocksdb_column_family_handle_t* family[2];
} store_t;

static store_t store_open(const char* directory) {
  store_t store;
  rocksdb_options_t* options = rocksdb_options_create();
  const rocksdb_options_t* both[2];
  char* error = NULL;
  rocksdb_options_set_create_if_missing(options, 1);
  rocksdb_options_set_create_missing_column_families(options, 1);
  rocksdb_options_set_write_buffer_size(options, 1 << 20);
  both[0] = both[1] = options;
  store.db = rocksdb_open_column_families(options, directory, 2, kNames, both, store.family,
                                          &error);
  check(error, "open");
  rocksdb_options_destroy(options);
  return store;
}

static void store_close(store_t* store) {
  rocksdb_column_family_handle_destroy(store->family[0]);
  rocksdb_column_family_handle_destroy(store->family[1]);
  rocksdb_close(store->db);
}

static size_t record_key(char* key, uint64_t n) {
  return (size_t)sprintf(key, "record-%012llu", (unsigned long long)n);
}
static size_t record_value(char* value, uint64_t n) {
  size_t size = 20 + n * 2654435761u % 200, i;
  for (i = 0; i < size; i++) value[i] = (char)('a' + (n * 31 + i * (n % 7 + 1)) % 26);
  return size;
}

/* Writes records from..to-1. Tells each acknowledged number through `report` when it is >= 0. */
static void write_records(store_t* store, uint64_t from, uint64_t to, int report) {
  rocksdb_writeoptions_t* plain = rocksdb_writeoptions_create();
  rocksdb_writeoptions_t* synced = rocksdb_writeoptions_create();
  rocksdb_writebatch_t* batch = rocksdb_writebatch_create();
  char* error = NULL;
  uint64_t n;
  rocksdb_writeoptions_set_sync(synced, 1);
  for (n = from; n < to; n++) {
    char key[32], value[256];
    size_t key_size = record_key(key, n), value_size = record_value(value, n);
    rocksdb_writebatch_clear(batch);
    rocksdb_writebatch_put(batch, key, key_size, value, value_size);
    rocksdb_writebatch_put_cf(batch, store->family[1], key, key_size, value, value_size / 2);
    rocksdb_write(store->db, n % 50 == 49 ? synced : plain, batch, &error);
    check(error, "write");
    if (report >= 0 && write(report, &n, sizeof(n)) != (ssize_t)sizeof(n)) _exit(1);
  }
  rocksdb_writebatch_destroy(batch);
  rocksdb_writeoptions_destroy(plain);
  rocksdb_writeoptions_destroy(synced);
}

/* Checks both families and returns how many records there are. */
static uint64_t verify(store_t* store) {
  uint64_t counts[2];
  int f;
  for (f = 0; f < 2; f++) {
    rocksdb_readoptions_t* read = rocksdb_readoptions_create();
    rocksdb_iterator_t* it = rocksdb_create_iterator_cf(store->db, read, store->family[f]);
    char* error = NULL;
    uint64_t n = 0;
    for (rocksdb_iter_seek_to_first(it); rocksdb_iter_valid(it); rocksdb_iter_next(it), n++) {
      char key[32], value[256];
      size_t key_size = record_key(key, n), value_size = record_value(value, n), size;
      const char* found = rocksdb_iter_key(it, &size);
      if (f == 1) value_size /= 2;
      if (size != key_size || memcmp(found, key, size) != 0) {
        printf("%s: %.*s where %s should be\n", kNames[f], (int)size, found, key);
        exit(1);
      }
      found = rocksdb_iter_value(it, &size);
      if (size != value_size || memcmp(found, value, size) != 0) {
        printf("%s: wrong value of %s\n", kNames[f], key);
        exit(1);
      }
    }
    rocksdb_iter_get_error(it, &error);
    check(error, "iterate");
    rocksdb_iter_destroy(it);
    rocksdb_readoptions_destroy(read);
    counts[f] = n;
  }
  if (counts[0] != counts[1]) {
    printf("half a batch: %llu and %llu records\n", (unsigned long long)counts[0],
           (unsigned long long)counts[1]);
    exit(1);
  }
  return counts[0];
}

/* Another process writes from `from` on and is killed once `enough` records are acknowledged. Returns
   how many were acknowledged. The directory must not be open in this process. */
static uint64_t write_and_kill(const char* directory, uint64_t from, uint64_t enough) {
  int pipes[2];
  uint64_t acknowledged = from, n;
  pid_t child;
  if (pipe(pipes) != 0) exit(1);
  fflush(stdout);
  child = fork();
  if (child == 0) {
    /* A program of its own: the threads of an open database do not survive fork(). */
    char first[24];
    sprintf(first, "%llu", (unsigned long long)from);
    dup2(pipes[1], 1);
    close(pipes[0]);
    close(pipes[1]);
    execl("/proc/self/exe", "crash_reopen", directory, "write", first, (char*)NULL);
    _exit(127);
  }
  close(pipes[1]);
  while (acknowledged < enough && read(pipes[0], &n, sizeof(n)) == (ssize_t)sizeof(n))
    acknowledged = n + 1;
  kill(child, SIGKILL);
  /* What it had told before it died counts as well. */
  while (read(pipes[0], &n, sizeof(n)) == (ssize_t)sizeof(n)) acknowledged = n + 1;
  waitpid(child, NULL, 0);
  close(pipes[0]);
  return acknowledged;
}

static void run(const char* directory) {
  uint64_t have = 0;
  store_t store;
  int round;
  for (round = 1; round < ROUNDS; round++) {
    uint64_t acknowledged = write_and_kill(directory, have, (uint64_t)round * PER_ROUND);
    uint64_t found;
    store = store_open(directory);
    found = verify(&store);
    printf("round %d: killed; what is left is %s\n", round,
           found < acknowledged ? "SHORTER THAN WHAT WAS ACKNOWLEDGED"
                                : "a whole prefix with all that was acknowledged");
    fprintf(stderr, "  acknowledged %llu, found %llu\n", (unsigned long long)acknowledged,
            (unsigned long long)found);
    if (found < acknowledged) exit(1);
    store_close(&store);
    have = found;
  }
  store = store_open(directory);
  write_records(&store, have, TOTAL > have ? TOTAL : have, -1);
  store_close(&store);
}

int main(int argc, char** argv) {
  store_t store;
  uint64_t count;
  if (argc < 3) {
    fprintf(stderr, "usage: crash_reopen DIRECTORY run | verify\n");
    return 2;
  }
  if (strcmp(argv[2], "write") == 0 && argc > 3) {
    store = store_open(argv[1]);
    write_records(&store, strtoull(argv[3], NULL, 10), TOTAL * 10, 1);
    store_close(&store);
    return 0;
  }
  if (strcmp(argv[2], "run") == 0) run(argv[1]);
  store = store_open(argv[1]);
  count = verify(&store);
  if (count >= TOTAL)
    printf("at least %llu records, all as written\n", (unsigned long long)TOTAL);
  else
    printf("only %llu records, all as written\n", (unsigned long long)count);
  store_close(&store);
  return 0;
}
