/* Caches, write buffer managers, environments, loggers, rate limiters, the SST file
   manager and measurements. */

#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <time.h>

#include "check.h"
#include "directory.h"
#include "rocksdb/c.h"

static void TestCaches(void) {
  rocksdb_lru_cache_options_t* lru_options = rocksdb_lru_cache_options_create();
  rocksdb_hyper_clock_cache_options_t* clock_options =
      rocksdb_hyper_clock_cache_options_create(1 << 20, 0);
  rocksdb_cache_t* caches[4];
  char* error = NULL;
  int i;
  rocksdb_lru_cache_options_set_capacity(lru_options, 1 << 20);
  rocksdb_lru_cache_options_set_num_shard_bits(lru_options, 2);
  rocksdb_lru_cache_options_set_memory_allocator(lru_options, NULL);
  rocksdb_hyper_clock_cache_options_set_capacity(clock_options, 1 << 20);
  rocksdb_hyper_clock_cache_options_set_estimated_entry_charge(clock_options, 4096);
  rocksdb_hyper_clock_cache_options_set_num_shard_bits(clock_options, 1);
  rocksdb_hyper_clock_cache_options_set_memory_allocator(clock_options, NULL);
  caches[0] = rocksdb_cache_create_lru(1 << 20);
  caches[1] = rocksdb_cache_create_lru_opts(lru_options);
  caches[2] = rocksdb_cache_create_hyper_clock(1 << 20, 4096);
  caches[3] = rocksdb_cache_create_hyper_clock_opts(clock_options);
  for (i = 0; i < 4; i++) {
    CHECK(rocksdb_cache_get_capacity(caches[i]) == (1 << 20));
    /* A clock cache counts its own tables. */
    CHECK(rocksdb_cache_get_usage(caches[i]) < (i < 2 ? 1 : 1 << 19));
    CHECK(rocksdb_cache_get_pinned_usage(caches[i]) == 0);
    CHECK(rocksdb_cache_get_occupancy_count(caches[i]) == 0);
    rocksdb_cache_get_table_address_count(caches[i]);
    rocksdb_cache_set_capacity(caches[i], 1 << 21);
    CHECK(rocksdb_cache_get_capacity(caches[i]) == (1 << 21));
    if (i == 0) rocksdb_cache_disown_data(caches[i]);
    rocksdb_cache_destroy(caches[i]);
  }
  rocksdb_lru_cache_options_destroy(lru_options);
  rocksdb_hyper_clock_cache_options_destroy(clock_options);

  CHECK(rocksdb_jemalloc_nodump_allocator_create(&error) == NULL);
  CHECK_ERROR(error, "Not implemented: Not compiled with JEMALLOC");
  rocksdb_memory_allocator_destroy(NULL);
}

static void TestWriteBufferManagers(void) {
  rocksdb_cache_t* cache = rocksdb_cache_create_lru(8 << 20);
  rocksdb_write_buffer_manager_t* plain = rocksdb_write_buffer_manager_create(1 << 20, false);
  rocksdb_write_buffer_manager_t* cached =
      rocksdb_write_buffer_manager_create_with_cache(0, cache, true);
  CHECK(rocksdb_write_buffer_manager_enabled(plain));
  CHECK(!rocksdb_write_buffer_manager_enabled(cached));
  CHECK(!rocksdb_write_buffer_manager_cost_to_cache(plain));
  CHECK(rocksdb_write_buffer_manager_cost_to_cache(cached));
  CHECK(rocksdb_write_buffer_manager_memory_usage(plain) == 0);
  CHECK(rocksdb_write_buffer_manager_mutable_memtable_memory_usage(plain) == 0);
  CHECK(rocksdb_write_buffer_manager_dummy_entries_in_cache_usage(cached) == 0);
  CHECK(rocksdb_write_buffer_manager_buffer_size(plain) == (1 << 20));
  rocksdb_write_buffer_manager_set_buffer_size(plain, 2 << 20);
  CHECK(rocksdb_write_buffer_manager_buffer_size(plain) == (2 << 20));
  rocksdb_write_buffer_manager_set_allow_stall(plain, true);
  rocksdb_write_buffer_manager_destroy(plain);
  rocksdb_write_buffer_manager_destroy(cached);
  rocksdb_cache_destroy(cache);
}

static void TestEnvironments(void) {
  rocksdb_env_t* env = rocksdb_create_default_env();
  rocksdb_env_set_background_threads(env, 7);
  CHECK(rocksdb_env_get_background_threads(env) == 7);
  CHECK(rocksdb_env_get_low_priority_background_threads(env) == 7);
  rocksdb_env_set_low_priority_background_threads(env, 3);
  CHECK(rocksdb_env_get_background_threads(env) == 3);
  rocksdb_env_set_high_priority_background_threads(env, 2);
  CHECK(rocksdb_env_get_high_priority_background_threads(env) == 2);
  rocksdb_env_set_bottom_priority_background_threads(env, 1);
  CHECK(rocksdb_env_get_bottom_priority_background_threads(env) == 1);
  rocksdb_env_lower_thread_pool_io_priority(env);
  rocksdb_env_lower_high_priority_thread_pool_io_priority(env);
  rocksdb_env_lower_thread_pool_cpu_priority(env);
  rocksdb_env_lower_high_priority_thread_pool_cpu_priority(env);
  rocksdb_env_join_all_threads(env);
  rocksdb_env_destroy(env);
}

/* A merge operator whose merges wait until they are let on. */
static struct {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  int waiting, let_on;
} gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0};
static char* MergeAtGate(void* state, const char* key, size_t key_length, const char* base,
                         size_t base_length, const char* const* operands,
                         const size_t* operand_lengths, int count, unsigned char* success,
                         size_t* length) {
  char* merged = malloc(1);
  (void)state, (void)key, (void)key_length, (void)base, (void)base_length;
  (void)operands, (void)operand_lengths, (void)count;
  pthread_mutex_lock(&gate.mutex);
  gate.waiting = 1;
  pthread_cond_broadcast(&gate.changed);
  while (!gate.let_on) pthread_cond_wait(&gate.changed, &gate.mutex);
  pthread_mutex_unlock(&gate.mutex);
  *merged = 'm';
  *length = *success = 1;
  return merged;
}
static char* MergeNothing(void* state, const char* key, size_t key_length,
                          const char* const* operands, const size_t* operand_lengths, int count,
                          unsigned char* success, size_t* length) {
  (void)state, (void)key, (void)key_length, (void)operands, (void)operand_lengths, (void)count;
  *success = 0;
  *length = 0;
  return NULL;
}
static void FreeMerged(void* state, const char* value, size_t length) {
  (void)state, (void)length;
  free((void*)value);
}
static const char* GateName(void* state) {
  (void)state;
  return "gate";
}
static void FreeNothing(void* state) { (void)state; }
static void* JoinAllThreads(void* env) {
  rocksdb_env_join_all_threads(env);
  return NULL;
}

/* Databases share the threads of an environment; who joins those takes no job from anybody. */
static void TestJoiningThreadsKeepsJobs(void) {
  const struct timespec moment = {0, 50000000};
  rocksdb_env_t* env = rocksdb_create_default_env();
  rocksdb_options_t* options = rocksdb_options_create();
  rocksdb_flushoptions_t* flush = rocksdb_flushoptions_create();
  rocksdb_flushoptions_t* begin = rocksdb_flushoptions_create();
  rocksdb_writeoptions_t* write = rocksdb_writeoptions_create();
  const char* directory = NewDirectory();
  char* error = NULL;
  char* files;
  pthread_t joiner;
  rocksdb_t* held;
  rocksdb_t* waiting;
  rocksdb_flushoptions_set_wait(begin, 0);
  rocksdb_env_set_high_priority_background_threads(env, 1);
  rocksdb_options_set_env(options, env);
  rocksdb_options_set_create_if_missing(options, 1);
  rocksdb_options_set_merge_operator(
      options, rocksdb_mergeoperator_create(NULL, FreeNothing, MergeAtGate, MergeNothing,
                                            FreeMerged, GateName));
  held = rocksdb_open(options, PathIn(directory, "held", 0), &error);
  CHECK_OK(error);
  waiting = rocksdb_open(options, PathIn(directory, "waiting", 0), &error);
  CHECK_OK(error);
  rocksdb_put(held, write, "k", 1, "v", 1, &error);
  rocksdb_merge(held, write, "k", 1, "v", 1, &error);
  rocksdb_flush(held, begin, &error);
  pthread_mutex_lock(&gate.mutex);
  while (!gate.waiting) pthread_cond_wait(&gate.changed, &gate.mutex);
  pthread_mutex_unlock(&gate.mutex);
  rocksdb_put(waiting, write, "k", 1, "v", 1, &error);
  rocksdb_flush(waiting, begin, &error);
  CHECK_OK(error);
  pthread_create(&joiner, NULL, JoinAllThreads, env);
  nanosleep(&moment, NULL);
  pthread_mutex_lock(&gate.mutex);
  gate.let_on = 1;
  pthread_cond_broadcast(&gate.changed);
  pthread_mutex_unlock(&gate.mutex);
  pthread_join(joiner, NULL);
  alarm(60); /* So long would somebody have to wait who waits for ever. */
  rocksdb_flush(held, flush, &error);
  rocksdb_flush(waiting, flush, &error);
  CHECK_OK(error);
  alarm(0);
  files = rocksdb_property_value(waiting, "rocksdb.num-files-at-level0");
  CHECK_TEXT(files, "1");
  rocksdb_free(files);
  rocksdb_close(held);
  rocksdb_close(waiting);
  rocksdb_writeoptions_destroy(write);
  rocksdb_flushoptions_destroy(begin);
  rocksdb_flushoptions_destroy(flush);
  rocksdb_options_destroy(options);
  rocksdb_env_destroy(env);
}

static int messages;
static void CountMessage(void* priv, unsigned level, char* message, size_t length) {
  (void)level;
  CHECK(priv == &messages);
  CHECK(message != NULL || length == 0);
  messages++;
}

/* A database in memory that uses one of everything; what it shares may be given back
   while it is open. */
static void TestDatabaseInMemoryWithEverythingShared(void) {
  rocksdb_env_t* env = rocksdb_create_mem_env();
  rocksdb_options_t* options = rocksdb_options_create();
  rocksdb_logger_t* logger = rocksdb_logger_create_callback_logger(1, CountMessage, &messages);
  rocksdb_ratelimiter_t* limiter = rocksdb_ratelimiter_create(100 << 20, 100000, 10);
  rocksdb_cache_t* row_cache = rocksdb_cache_create_lru(1 << 20);
  rocksdb_write_buffer_manager_t* manager = rocksdb_write_buffer_manager_create(0, false);
  rocksdb_sst_file_manager_t* files = rocksdb_sst_file_manager_create(env);
  rocksdb_flushoptions_t* flush = rocksdb_flushoptions_create();
  rocksdb_writeoptions_t* write = rocksdb_writeoptions_create();
  rocksdb_readoptions_t* read = rocksdb_readoptions_create();
  rocksdb_logger_t* got;
  char* error = NULL;
  char* value;
  size_t length = 0;
  rocksdb_t* db;

  rocksdb_options_set_create_if_missing(options, 1);
  rocksdb_options_set_env(options, env);
  rocksdb_options_set_info_log(options, logger);
  rocksdb_options_set_ratelimiter(options, limiter);
  rocksdb_options_set_row_cache(options, row_cache);
  rocksdb_options_set_write_buffer_manager(options, manager);
  rocksdb_options_set_sst_file_manager(options, files);
  got = rocksdb_options_get_info_log(options);
  CHECK(got != NULL);
  rocksdb_logger_destroy(got);
  rocksdb_logger_destroy(logger);
  rocksdb_ratelimiter_destroy(limiter);
  rocksdb_cache_destroy(row_cache);
  rocksdb_write_buffer_manager_destroy(manager);

  db = rocksdb_open(options, "/in/memory", &error);
  CHECK_OK(error);
  rocksdb_put(db, write, "key", 3, "value", 5, &error);
  CHECK_OK(error);
  rocksdb_flush(db, flush, &error);
  CHECK_OK(error);
  value = rocksdb_get(db, read, "key", 3, &length, &error);
  CHECK_OK(error);
  CHECK(length == 5 && memcmp(value, "value", 5) == 0);
  rocksdb_free(value);
  CHECK(messages > 0);
  rocksdb_close(db);
  rocksdb_options_destroy(options);
  rocksdb_sst_file_manager_destroy(files);
  rocksdb_flushoptions_destroy(flush);
  rocksdb_writeoptions_destroy(write);
  rocksdb_readoptions_destroy(read);
  rocksdb_env_destroy(env);
}

static void TestLoggersAndLimiters(void) {
  rocksdb_ratelimiter_destroy(rocksdb_ratelimiter_create_auto_tuned(1 << 20, 100000, 10));
  rocksdb_ratelimiter_destroy(rocksdb_ratelimiter_create_with_mode(1 << 20, 100000, 10, 2, false));
  rocksdb_logger_destroy(rocksdb_logger_create_stderr_logger(3, "prefix"));
  rocksdb_logger_destroy(rocksdb_logger_create_stderr_logger(3, NULL));
}

static void TestSstFileManager(void) {
  rocksdb_env_t* env = rocksdb_create_default_env();
  rocksdb_sst_file_manager_t* files = rocksdb_sst_file_manager_create(env);
  rocksdb_sst_file_manager_set_max_allowed_space_usage(files, 1 << 30);
  rocksdb_sst_file_manager_set_compaction_buffer_size(files, 1 << 20);
  CHECK(!rocksdb_sst_file_manager_is_max_allowed_space_reached(files));
  CHECK(!rocksdb_sst_file_manager_is_max_allowed_space_reached_including_compactions(files));
  CHECK(rocksdb_sst_file_manager_get_total_size(files) == 0);
  CHECK(rocksdb_sst_file_manager_get_delete_rate_bytes_per_second(files) == 0);
  rocksdb_sst_file_manager_set_delete_rate_bytes_per_second(files, 12345);
  CHECK(rocksdb_sst_file_manager_get_delete_rate_bytes_per_second(files) == 12345);
  CHECK(rocksdb_sst_file_manager_get_max_trash_db_ratio(files) == 0.25);
  rocksdb_sst_file_manager_set_max_trash_db_ratio(files, 0.5);
  CHECK(rocksdb_sst_file_manager_get_max_trash_db_ratio(files) == 0.5);
  CHECK(rocksdb_sst_file_manager_get_total_trash_size(files) == 0);
  rocksdb_sst_file_manager_destroy(files);
  rocksdb_env_destroy(env);
}

static void TestStatistics(void) {
  rocksdb_options_t* options = rocksdb_options_create();
  rocksdb_statistics_histogram_data_t* data = rocksdb_statistics_histogram_data_create();
  char* text;
  CHECK(rocksdb_options_statistics_get_string(options) == NULL);
  CHECK(rocksdb_options_get_statistics_level(options) == rocksdb_statistics_level_disable_all);
  CHECK(rocksdb_options_statistics_get_ticker_count(options, 0) == 0);
  rocksdb_options_set_statistics_level(options, rocksdb_statistics_level_all);
  rocksdb_options_enable_statistics(options);
  CHECK(rocksdb_options_get_statistics_level(options) ==
        rocksdb_statistics_level_except_detailed_timers);
  rocksdb_options_set_statistics_level(options, 1000);
  CHECK(rocksdb_options_get_statistics_level(options) == rocksdb_statistics_level_all);
  text = rocksdb_options_statistics_get_string(options);
  CHECK(text != NULL && strstr(text, "rocksdb.block.cache.miss COUNT : 0") != NULL);
  rocksdb_free(text);
  CHECK(rocksdb_options_statistics_get_ticker_count(options, 0) == 0);
  CHECK(rocksdb_options_statistics_get_ticker_count(options, 1000000) == 0);
  rocksdb_options_statistics_get_histogram_data(options, 0, data);
  CHECK(rocksdb_statistics_histogram_data_get_median(data) == 0);
  CHECK(rocksdb_statistics_histogram_data_get_p95(data) == 0);
  CHECK(rocksdb_statistics_histogram_data_get_p99(data) == 0);
  CHECK(rocksdb_statistics_histogram_data_get_average(data) == 0);
  CHECK(rocksdb_statistics_histogram_data_get_std_dev(data) == 0);
  CHECK(rocksdb_statistics_histogram_data_get_max(data) == 0);
  CHECK(rocksdb_statistics_histogram_data_get_min(data) >= 0);
  CHECK(rocksdb_statistics_histogram_data_get_count(data) == 0);
  CHECK(rocksdb_statistics_histogram_data_get_sum(data) == 0);
  rocksdb_statistics_histogram_data_destroy(data);
  rocksdb_options_destroy(options);
}

static void TestPerfContext(void) {
  rocksdb_perfcontext_t* context = rocksdb_perfcontext_create();
  char* text;
  rocksdb_set_perf_level(rocksdb_enable_time);
  rocksdb_perfcontext_reset(context);
  CHECK(rocksdb_perfcontext_metric(context, rocksdb_user_key_comparison_count) == 0);
  CHECK(rocksdb_perfcontext_metric(context, -1) == 0);
  CHECK(rocksdb_perfcontext_metric(context, 100000) == 0);
  text = rocksdb_perfcontext_report(context, 0);
  CHECK(strstr(text, "user_key_comparison_count = 0") != NULL);
  rocksdb_free(text);
  rocksdb_set_perf_level(rocksdb_disable);
  rocksdb_perfcontext_destroy(context);
}

static void TestMemoryUsage(void) {
  rocksdb_options_t* options = rocksdb_options_create();
  rocksdb_memory_consumers_t* consumers = rocksdb_memory_consumers_create();
  rocksdb_cache_t* cache = rocksdb_cache_create_lru(1 << 20);
  rocksdb_memory_usage_t* usage;
  char* error = NULL;
  rocksdb_t* db;
  rocksdb_options_set_create_if_missing(options, 1);
  db = rocksdb_open(options, PathIn(NewDirectory(), "usage", 0), &error);
  CHECK_OK(error);
  rocksdb_memory_consumers_add_db(consumers, db);
  rocksdb_memory_consumers_add_cache(consumers, cache);
  usage = rocksdb_approximate_memory_usage_create(consumers, &error);
  CHECK_OK(error);
  CHECK(rocksdb_approximate_memory_usage_get_mem_table_total(usage) > 0);
  CHECK(rocksdb_approximate_memory_usage_get_mem_table_unflushed(usage) > 0);
  CHECK(rocksdb_approximate_memory_usage_get_mem_table_readers_total(usage) == 0);
  CHECK(rocksdb_approximate_memory_usage_get_cache_total(usage) ==
        rocksdb_cache_get_usage(cache));
  rocksdb_approximate_memory_usage_destroy(usage);
  rocksdb_memory_consumers_destroy(consumers);
  rocksdb_close(db);
  rocksdb_cache_destroy(cache);
  rocksdb_options_destroy(options);
}

int main(void) {
  TestCaches();
  TestWriteBufferManagers();
  TestEnvironments();
  TestJoiningThreadsKeepsJobs();
  TestDatabaseInMemoryWithEverythingShared();
  TestLoggersAndLimiters();
  TestSstFileManager();
  TestStatistics();
  TestPerfContext();
  TestMemoryUsage();
  return 0;
}
