// Environments, loggers, rate limiters and the SST file manager (c/env.h).

#include <string>

#include "compat/handle_life.h"
#include "compat/handles.h"
#include "core/env/sst_file_manager.h"
#include "include/c_api/rocksdb/c.h"

namespace {

using skarn::LogLevel;
using skarn::RateLimiter;
using skarn::Slice;
using skarn::ThreadPool;

using LogFunction = void (*)(void* priv, unsigned lev, char* msg, size_t len);

class CallerLogger : public skarn::Logger {
 public:
  CallerLogger(LogLevel level, LogFunction log, void* priv)
      : Logger(level), log_(log), priv_(priv) {}
  void Write(LogLevel level, Slice text) override {
    // The type of the callback has no const; callers only read.
    log_(priv_, static_cast<unsigned>(level), const_cast<char*>(text.data()), text.size());
  }

 private:
  const LogFunction log_;
  void* const priv_;
};

rocksdb_ratelimiter_t* NewLimiter(int64_t rate, int64_t refill_period_us, int32_t fairness,
                                  RateLimiter::Mode mode, bool auto_tuned) {
  return new rocksdb_ratelimiter_t{
      skarn::NewRateLimiter(skarn::DefaultEnv()->clock, static_cast<uint64_t>(rate),
                            static_cast<uint64_t>(refill_period_us), fairness, mode, auto_tuned)};
}

ThreadPool* PoolOf(rocksdb_env_t* env) {
  return (env != nullptr ? env->rep : skarn::DefaultEnv())->thread_pool;
}

skarn::SstFileManager& ManagerOf(const rocksdb_sst_file_manager_t* sfm) {
  if (sfm != nullptr && sfm->rep != nullptr) return *sfm->rep;
  static auto* const none = new skarn::SstFileManager(skarn::DefaultEnv());
  return *none;
}

}  // namespace

extern "C" {

rocksdb_env_t* rocksdb_create_default_env() {
  return new rocksdb_env_t{skarn::DefaultEnv(), nullptr};
}
rocksdb_env_t* rocksdb_create_mem_env() {
  std::unique_ptr<skarn::Env> env = skarn::NewMemoryEnv();
  skarn::Env* rep = env.get();
  return new rocksdb_env_t{rep, std::move(env)};
}
void rocksdb_env_destroy(rocksdb_env_t* env) { Retire(env); }

void rocksdb_env_set_background_threads(rocksdb_env_t* env, int n) {
  PoolOf(env)->SetThreads(ThreadPool::Priority::kLow, n);
}
int rocksdb_env_get_background_threads(rocksdb_env_t* env) {
  return PoolOf(env)->Threads(ThreadPool::Priority::kLow);
}
void rocksdb_env_set_low_priority_background_threads(rocksdb_env_t* env, int n) {
  PoolOf(env)->SetThreads(ThreadPool::Priority::kLow, n);
}
int rocksdb_env_get_low_priority_background_threads(rocksdb_env_t* env) {
  return PoolOf(env)->Threads(ThreadPool::Priority::kLow);
}
void rocksdb_env_set_high_priority_background_threads(rocksdb_env_t* env, int n) {
  PoolOf(env)->SetThreads(ThreadPool::Priority::kHigh, n);
}
int rocksdb_env_get_high_priority_background_threads(rocksdb_env_t* env) {
  return PoolOf(env)->Threads(ThreadPool::Priority::kHigh);
}
void rocksdb_env_set_bottom_priority_background_threads(rocksdb_env_t* env, int n) {
  PoolOf(env)->SetThreads(ThreadPool::Priority::kBottom, n);
}
int rocksdb_env_get_bottom_priority_background_threads(rocksdb_env_t* env) {
  return PoolOf(env)->Threads(ThreadPool::Priority::kBottom);
}
// It is about threads that programs start through an environment, which C ones cannot. Those of the
// pool go on: jobs of any database may be waiting for them.
void rocksdb_env_join_all_threads(rocksdb_env_t* env) { (void)env; }
void rocksdb_env_lower_thread_pool_io_priority(rocksdb_env_t* env) {
  PoolOf(env)->LowerIoPriority(ThreadPool::Priority::kLow);
}
void rocksdb_env_lower_high_priority_thread_pool_io_priority(rocksdb_env_t* env) {
  PoolOf(env)->LowerIoPriority(ThreadPool::Priority::kHigh);
}
void rocksdb_env_lower_thread_pool_cpu_priority(rocksdb_env_t* env) {
  PoolOf(env)->LowerCpuPriority(ThreadPool::Priority::kLow);
}
void rocksdb_env_lower_high_priority_thread_pool_cpu_priority(rocksdb_env_t* env) {
  PoolOf(env)->LowerCpuPriority(ThreadPool::Priority::kHigh);
}

rocksdb_logger_t* rocksdb_logger_create_stderr_logger(int log_level, const char* prefix) {
  return new rocksdb_logger_t{
      skarn::NewStderrLogger(static_cast<LogLevel>(log_level), prefix == nullptr ? "" : prefix)};
}
rocksdb_logger_t* rocksdb_logger_create_callback_logger(
    int log_level, void (*log)(void* priv, unsigned lev, char* msg, size_t len), void* priv) {
  return new rocksdb_logger_t{
      std::make_shared<CallerLogger>(static_cast<LogLevel>(log_level), log, priv)};
}
void rocksdb_logger_destroy(rocksdb_logger_t* logger) { Retire(logger); }

rocksdb_ratelimiter_t* rocksdb_ratelimiter_create(int64_t rate_bytes_per_sec,
                                                  int64_t refill_period_us, int32_t fairness) {
  return NewLimiter(rate_bytes_per_sec, refill_period_us, fairness, RateLimiter::Mode::kWritesOnly,
                    /*auto_tuned=*/false);
}
rocksdb_ratelimiter_t* rocksdb_ratelimiter_create_auto_tuned(int64_t rate_bytes_per_sec,
                                                             int64_t refill_period_us,
                                                             int32_t fairness) {
  return NewLimiter(rate_bytes_per_sec, refill_period_us, fairness, RateLimiter::Mode::kWritesOnly,
                    /*auto_tuned=*/true);
}
rocksdb_ratelimiter_t* rocksdb_ratelimiter_create_with_mode(int64_t rate_bytes_per_sec,
                                                            int64_t refill_period_us,
                                                            int32_t fairness, int mode,
                                                            bool auto_tuned) {
  return NewLimiter(rate_bytes_per_sec, refill_period_us, fairness,
                    static_cast<RateLimiter::Mode>(mode), auto_tuned);
}
void rocksdb_ratelimiter_destroy(rocksdb_ratelimiter_t* limiter) { Retire(limiter); }

rocksdb_sst_file_manager_t* rocksdb_sst_file_manager_create(rocksdb_env_t* env) {
  return new rocksdb_sst_file_manager_t{
      std::make_shared<skarn::SstFileManager>(env == nullptr ? skarn::DefaultEnv() : env->rep)};
}
void rocksdb_sst_file_manager_destroy(rocksdb_sst_file_manager_t* sfm) { Retire(sfm); }
void rocksdb_sst_file_manager_set_max_allowed_space_usage(rocksdb_sst_file_manager_t* sfm,
                                                          uint64_t max_allowed_space) {
  ManagerOf(sfm).set_max_allowed_space(max_allowed_space);
}
void rocksdb_sst_file_manager_set_compaction_buffer_size(rocksdb_sst_file_manager_t* sfm,
                                                         uint64_t compaction_buffer_size) {
  ManagerOf(sfm).set_compaction_buffer(compaction_buffer_size);
}
bool rocksdb_sst_file_manager_is_max_allowed_space_reached(rocksdb_sst_file_manager_t* sfm) {
  return ManagerOf(sfm).IsMaxAllowedSpaceReached();
}
bool rocksdb_sst_file_manager_is_max_allowed_space_reached_including_compactions(
    rocksdb_sst_file_manager_t* sfm) {
  return ManagerOf(sfm).IsMaxAllowedSpaceReachedIncludingCompactions();
}
uint64_t rocksdb_sst_file_manager_get_total_size(rocksdb_sst_file_manager_t* sfm) {
  return ManagerOf(sfm).total_size();
}
int64_t rocksdb_sst_file_manager_get_delete_rate_bytes_per_second(rocksdb_sst_file_manager_t* sfm) {
  return ManagerOf(sfm).delete_rate();
}
void rocksdb_sst_file_manager_set_delete_rate_bytes_per_second(rocksdb_sst_file_manager_t* sfm,
                                                               int64_t delete_rate) {
  ManagerOf(sfm).set_delete_rate(delete_rate);
}
double rocksdb_sst_file_manager_get_max_trash_db_ratio(rocksdb_sst_file_manager_t* sfm) {
  return ManagerOf(sfm).max_trash_ratio();
}
void rocksdb_sst_file_manager_set_max_trash_db_ratio(rocksdb_sst_file_manager_t* sfm,
                                                     double ratio) {
  ManagerOf(sfm).set_max_trash_ratio(ratio);
}
uint64_t rocksdb_sst_file_manager_get_total_trash_size(rocksdb_sst_file_manager_t* sfm) {
  return ManagerOf(sfm).trash_size();
}

}  // extern "C"
