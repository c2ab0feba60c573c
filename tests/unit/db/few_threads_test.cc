// Systems that give a process no more threads, as containers with a limit do.

#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "core/base/checkers.h"
#include "core/env/sst_file_manager.h"
#include "tests/unit/db/db_test_base.h"

namespace {
std::atomic<bool> refusing{false};
std::atomic<int> refused{0};
}  // namespace

// In place of the system's. Checkers have theirs.
#if !defined(SKARN_CHECKS_ADDRESSES) && !defined(SKARN_CHECKS_THREADS)
extern "C" [[gnu::visibility("default")]] int pthread_create(pthread_t* thread,
                                                             const pthread_attr_t* attributes,
                                                             void* (*run)(void*),
                                                             void* argument) noexcept {
  static const auto real =
      reinterpret_cast<decltype(&pthread_create)>(dlsym(RTLD_NEXT, "pthread_create"));
  if (!refusing) return real(thread, attributes, run, argument);
  ++refused;
  return EAGAIN;
}
#endif

namespace skarn {
namespace {

class FewThreadsTest : public DbTest {
 protected:
  ~FewThreadsTest() override { refusing = false; }
};

TEST_F(FewThreadsTest, WithoutNewOnesADatabaseIsOpenedAndCompacted) {
  if (kMemoryIsChecked) GTEST_SKIP() << "the checker starts threads in its own way";
  options_.max_subcompactions = 4;
  family_options_.disable_auto_compactions = true;
  family_options_.target_file_size_base = 20000;
  family_options_.max_bytes_for_level_base = 20000;
  Open();
  const std::string value(1000, 'v');
  for (int file = 0; file < 40; ++file) {
    for (int i = 0; i < 10; ++i) ASSERT_OK(Put("k" + std::to_string(i * 100 + file), value));
    ASSERT_OK(Flush());
  }
  CloseDb();
  refusing = true;
  refused = 0;
  Open();
  EXPECT_GT(refused, 0) << "tables were opened by one thread anyhow";
  refused = 0;
  ASSERT_OK(Compact());
  EXPECT_GT(refused, 0) << "it was one part anyhow";
  refusing = false;
  EXPECT_EQ(Get("k935"), value);
  const auto iterator = db_->NewIterator(ReadOptions(), cf(0));
  int count = 0;
  for (iterator->SeekToFirst(); iterator->valid(); iterator->Next()) ++count;
  EXPECT_EQ(count, 400);
}

// Files that would be deleted one after the other, by a thread, are deleted at once.
TEST_F(FewThreadsTest, WithoutNewOnesTrashIsDeletedAtOnce) {
  if (kMemoryIsChecked) GTEST_SKIP() << "the checker starts threads in its own way";
  SstFileManager manager(env_.get());
  manager.set_delete_rate(1);
  manager.set_max_trash_ratio(1000);
  FileSystem* const fs = env_->file_system;
  ASSERT_OK(WriteStringToFile(fs, "content", "/a.sst", /*sync=*/false));
  manager.OnAddFile("/a.sst", 7);
  refusing = true;
  refused = 0;
  ASSERT_OK(manager.DeleteFile(fs, "/a.sst"));
  EXPECT_GT(refused, 0);
  refusing = false;
  std::vector<std::string> left;
  ASSERT_OK(fs->GetChildren("/", &left));
  EXPECT_TRUE(left.empty()) << left[0];
  EXPECT_EQ(manager.trash_size(), 0u);
  EXPECT_EQ(manager.total_size(), 0u);
}

// A job for which there was no thread is begun when there is one again, although nobody asks anew.
TEST_F(FewThreadsTest, AFlushGoesOnWhenThereAreThreadsAgain) {
  if (kMemoryIsChecked) GTEST_SKIP() << "the checker starts threads in its own way";
  const std::unique_ptr<ThreadPool> pool = NewThreadPool();  // Without threads yet.
  env_->thread_pool = pool.get();
  Open();
  ASSERT_OK(Put("a", "1"));
  std::atomic<bool> go{false};
  std::thread flushing([this, &go] {
    while (!go) std::this_thread::yield();
    EXPECT_OK(Flush());
  });
  refusing = true;
  refused = 0;
  go = true;
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_GT(refused, 0);
  refusing = false;
  flushing.join();
  EXPECT_EQ(Get("a"), "1");
  CloseDb();
  env_->thread_pool = SystemThreadPool();
}

}  // namespace
}  // namespace skarn
