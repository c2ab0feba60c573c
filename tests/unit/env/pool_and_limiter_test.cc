// Thread pools, the rate limiter and the loggers.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include "core/base/mutex.h"
#include "core/env/deterministic_pool.h"
#include "core/env/file_system.h"
#include "core/env/logger.h"
#include "core/env/rate_limiter.h"
#include "core/env/test_clock.h"
#include "core/env/thread_pool.h"

namespace skarn {
namespace {

using Priority = ThreadPool::Priority;

// Lets jobs wait for the test.
class Gate {
 public:
  void Open() {
    MutexLock lock(&mu_);
    open_ = true;
    changed_.SignalAll();
  }
  void Pass() {
    MutexLock lock(&mu_);
    waiting_++;
    changed_.SignalAll();
    while (!open_) changed_.Wait();
  }
  void AwaitWaiting(int count) {
    MutexLock lock(&mu_);
    while (waiting_ < count) changed_.Wait();
  }
  int waiting() {
    MutexLock lock(&mu_);
    return waiting_;
  }

 private:
  Mutex mu_;
  CondVar changed_{&mu_};
  bool open_ = false;
  int waiting_ = 0;
};

TEST(ThreadPool, RunsJobsWithoutBeingToldANumberOfThreads) {
  auto pool = NewThreadPool();
  EXPECT_EQ(pool->Threads(Priority::kLow), 0);
  Gate gate;
  pool->Schedule(Priority::kLow, nullptr, [&] { gate.Pass(); });
  gate.AwaitWaiting(1);
  gate.Open();
  pool->JoinAll();
}

TEST(ThreadPool, RunsAsManyJobsAtOnceAsItHasThreads) {
  auto pool = NewThreadPool();
  pool->RaiseThreads(Priority::kLow, 3);
  pool->RaiseThreads(Priority::kLow, 2);
  EXPECT_EQ(pool->Threads(Priority::kLow), 3);
  Gate gate;
  for (int i = 0; i < 5; i++) pool->Schedule(Priority::kLow, nullptr, [&] { gate.Pass(); });
  gate.AwaitWaiting(3);
  EXPECT_EQ(pool->QueueLength(Priority::kLow), 2);
  pool->SetThreads(Priority::kLow, 5);
  gate.AwaitWaiting(5);
  pool->SetThreads(Priority::kLow, 1);
  gate.Open();
  Gate second;
  for (int i = 0; i < 3; i++) pool->Schedule(Priority::kLow, nullptr, [&] { second.Pass(); });
  second.AwaitWaiting(1);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(second.waiting(), 1);
  second.Open();
  second.AwaitWaiting(3);
  pool->JoinAll();
}

TEST(ThreadPool, KeepsTheOrderOfOnePriority) {
  auto pool = NewThreadPool();
  std::vector<int> order;
  Gate gate;
  pool->Schedule(Priority::kHigh, nullptr, [&] { gate.Pass(); });
  for (int i = 0; i < 100; i++) {
    pool->Schedule(Priority::kHigh, nullptr, [&order, i] { order.push_back(i); });
  }
  Gate end;
  pool->Schedule(Priority::kHigh, nullptr, [&] { end.Pass(); });
  gate.Open();
  end.AwaitWaiting(1);
  EXPECT_EQ(order.size(), 100u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  end.Open();
  pool->JoinAll();
}

TEST(ThreadPool, CancelsTheJobsOfOneOwner) {
  auto pool = NewThreadPool();
  Gate gate;
  int owner = 0;
  std::atomic<int> ran{0}, cancelled{0};
  pool->Schedule(Priority::kLow, nullptr, [&] { gate.Pass(); });
  gate.AwaitWaiting(1);
  for (int i = 0; i < 3; i++) {
    pool->Schedule(
        Priority::kLow, &owner, [&] { ran++; }, [&] { cancelled++; });
  }
  pool->Schedule(Priority::kLow, nullptr, [&] { ran += 10; });
  EXPECT_EQ(pool->Cancel(Priority::kLow, &owner), 3);
  EXPECT_EQ(cancelled.load(), 3);
  gate.Open();
  Gate end;
  pool->Schedule(Priority::kLow, nullptr, [&] { end.Pass(); });
  end.AwaitWaiting(1);
  EXPECT_EQ(ran.load(), 10);
  end.Open();
}

TEST(ThreadPool, StartsThreadsAgainAfterJoiningThem) {
  auto pool = NewThreadPool();
  pool->LowerCpuPriority(Priority::kLow);
  pool->LowerIoPriority(Priority::kLow);
  for (int round = 0; round < 50; round++) {
    Gate gate;
    pool->Schedule(Priority::kLow, nullptr, [&] { gate.Pass(); });
    gate.AwaitWaiting(1);
    gate.Open();
    pool->JoinAll();
  }
}

TEST(DeterministicPool, RunsOneJobAtATimeInAnOrderTheSeedDecides) {
  const auto run = [](uint64_t seed) {
    DeterministicPool pool(seed);
    std::string order;
    for (int i = 0; i < 4; i++) {
      pool.Schedule(
          Priority::kLow, nullptr, [&order] { order += 'l'; }, nullptr);
      pool.Schedule(
          Priority::kHigh, nullptr, [&order] { order += 'h'; }, nullptr);
    }
    EXPECT_TRUE(pool.RunOne());
    EXPECT_EQ(order.size(), 1u);
    EXPECT_EQ(pool.RunAll(), 7u);
    EXPECT_FALSE(pool.RunOne());
    return order;
  };
  EXPECT_EQ(run(0), "hhhhllll");
  EXPECT_EQ(run(5), run(5));
  bool differs = false;
  for (uint64_t seed = 1; seed < 10; seed++) differs = differs || run(seed) != run(0);
  EXPECT_TRUE(differs);
}

TEST(RateLimiter, SpreadsRequestsOverTime) {
  TestClock clock;
  auto limiter = NewRateLimiter(&clock, 1000000, 100000, 10, RateLimiter::Mode::kWritesOnly,
                                /*auto_tuned=*/false);
  EXPECT_EQ(limiter->single_burst_bytes(), 100000u);
  EXPECT_EQ(limiter->bytes_per_second(), 1000000u);
  EXPECT_EQ(limiter->mode(), RateLimiter::Mode::kWritesOnly);
  const uint64_t before = clock.NowMicros();
  for (int i = 0; i < 100; i++) limiter->Request(50000, IoPriority::kLow);
  // Five megabytes at one a second, less the first period's.
  const uint64_t elapsed = clock.NowMicros() - before;
  EXPECT_GE(elapsed, 4800000u);
  EXPECT_LE(elapsed, 5100000u);
  EXPECT_EQ(limiter->total_bytes(IoPriority::kLow), 5000000u);
  EXPECT_EQ(limiter->total_requests(IoPriority::kTotal), 100u);
  limiter->set_bytes_per_second(10);
  EXPECT_EQ(limiter->single_burst_bytes(), 1u);
}

TEST(RateLimiter, ServesManyThreadsAndAllPriorities) {
  TestClock clock;
  auto limiter =
      NewRateLimiter(&clock, 1000000, 1000, 10, RateLimiter::Mode::kAllIo, /*auto_tuned=*/false);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; i++) {
    threads.emplace_back([&limiter, i] {
      for (int n = 0; n < 200; n++) limiter->Request(700, static_cast<IoPriority>(i % 4));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(limiter->total_bytes(IoPriority::kTotal), 8u * 200 * 700);
  EXPECT_GE(clock.slept_us(), 900000u);
}

TEST(RateLimiter, TunesItselfToTheDemand) {
  TestClock clock;
  auto limiter = NewRateLimiter(&clock, 1000000, 1000, 10, RateLimiter::Mode::kAllIo,
                                /*auto_tuned=*/true);
  EXPECT_EQ(limiter->bytes_per_second(), 500000u);
  for (int i = 0; i < 3000; i++) limiter->Request(10000, IoPriority::kLow);
  EXPECT_GT(limiter->bytes_per_second(), 900000u);  // Always dry: up, step by step.
  for (int i = 0; i < 10; i++) {
    clock.Advance(1000000);
    limiter->Request(1, IoPriority::kLow);
  }
  EXPECT_EQ(limiter->bytes_per_second(), 50000u);  // Never dry: down to a twentieth.
}

std::vector<std::string> Lines(FileSystem* fs, const std::string& path) {
  const Result<std::string> content = ReadFileToString(fs, path);
  std::vector<std::string> lines;
  if (!content.ok()) return lines;
  size_t start = 0;
  for (size_t end; (end = content->find('\n', start)) != std::string::npos; start = end + 1) {
    lines.push_back(content->substr(start, end - start));
  }
  return lines;
}

TEST(Logger, WritesLinesOfTheKnownShape) {
  auto fs = NewMemoryFileSystem();
  TestClock clock(uint64_t{1770000000} * 1000000 + 42);
  auto logger = NewFileLogger(fs.get(), &clock, "/db", "LOG", FileLoggerOptions());
  ASSERT_TRUE(logger.ok());
  Log(LogLevel::kInfo, logger->get(), "opened %d files", 3);
  Log(LogLevel::kDebug, logger->get(), "not wanted");
  Log(LogLevel::kWarn, logger->get(), "%s", std::string(2000, 'x').c_str());
  Log(LogLevel::kInfo, nullptr, "nobody listens");
  const auto lines = Lines(fs.get(), "/db/LOG");
  ASSERT_EQ(lines.size(), 2u);
  // Digits vary with the time zone and the thread.
  std::string shape;
  for (const char byte : lines[0]) {
    const char shown = byte >= '0' && byte <= '9' ? '9' : byte;
    if (shown != '9' || shape.empty() || shape.back() != '9') shape.push_back(shown);
  }
  EXPECT_EQ(shape, "9/9/9-9:9:9.9 9 opened 9 files") << lines[0];
  EXPECT_NE(lines[0].find(".000042 "), std::string::npos) << lines[0];
  EXPECT_NE(lines[1].find(" [WARN] xxx"), std::string::npos);
  EXPECT_GT(lines[1].size(), 2000u);
}

TEST(Logger, MovesAnOldFileAwayAndKeepsAsManyAsAsked) {
  auto fs = NewMemoryFileSystem();
  TestClock clock;
  FileLoggerOptions options;
  options.keep_file_count = 3;
  for (int i = 0; i < 6; i++) {
    auto logger = NewFileLogger(fs.get(), &clock, "/db", "LOG", options);
    ASSERT_TRUE(logger.ok());
    Log(LogLevel::kInfo, logger->get(), "run %d", i);
  }
  std::vector<std::string> names;
  ASSERT_TRUE(fs->GetChildren("/db", &names).ok());
  EXPECT_EQ(names.size(), 3u);
  for (const std::string& name : names) {
    if (name != "LOG") {
      EXPECT_EQ(name.find("LOG.old.15778368000000"), 0u) << name;
    }
  }
}

TEST(Logger, RollsBySizeAndTimeAndRepeatsHeaders) {
  auto fs = NewMemoryFileSystem();
  TestClock clock;
  FileLoggerOptions options;
  options.max_file_size = 1000;
  options.roll_after_seconds = 60;
  auto logger = NewFileLogger(fs.get(), &clock, "/db", "LOG", options);
  ASSERT_TRUE(logger.ok());
  (*logger)->set_level(LogLevel::kError);
  Log(LogLevel::kHeader, logger->get(), "version 1");
  Log(LogLevel::kError, logger->get(), "%s", std::string(900, 'a').c_str());
  Log(LogLevel::kError, logger->get(), "%s", std::string(900, 'b').c_str());
  auto lines = Lines(fs.get(), "/db/LOG");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_NE(lines[0].find("version 1"), std::string::npos);
  EXPECT_NE(lines[1].find("bbb"), std::string::npos);
  clock.Advance(61 * 1000000);
  Log(LogLevel::kError, logger->get(), "later");
  lines = Lines(fs.get(), "/db/LOG");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_NE(lines[1].find("later"), std::string::npos);
  std::vector<std::string> names;
  ASSERT_TRUE(fs->GetChildren("/db", &names).ok());
  EXPECT_EQ(names.size(), 3u);
}

TEST(Logger, CallsBackWithLevelAndText) {
  std::vector<std::pair<unsigned, std::string>> seen;
  auto logger = NewCallbackLogger(
      LogLevel::kInfo,
      [](void* state, unsigned level, char* text, size_t size) {
        EXPECT_EQ(text[size], '\0');
        static_cast<decltype(seen)*>(state)->emplace_back(level, std::string(text, size));
      },
      &seen);
  Log(LogLevel::kWarn, logger.get(), "low on %s", "space");
  Log(LogLevel::kDebug, logger.get(), "not wanted");
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0], (std::pair<unsigned, std::string>{2, "low on space"}));
}

TEST(Logger, WritesToTheStandardErrorStream) {
  testing::internal::CaptureStderr();
  auto logger = NewStderrLogger(LogLevel::kInfo, "mine");
  Log(LogLevel::kInfo, logger.get(), "hello");
  logger->Flush();
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find(" mine hello\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace skarn
