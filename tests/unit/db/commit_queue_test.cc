#include "core/db/commit_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "core/base/random.h"

namespace skarn {
namespace {

// A writer on a thread of its own. Whoever leads notes its group's names and ends it.
class Writers {
 public:
  explicit Writers(CommitQueue* queue) : queue_(queue) {}
  ~Writers() { Wait(); }

  // Returns when all who joined have ended.
  void Wait() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  // Returns when the writer is in the queue.
  void Join(const std::string& name, bool disable_wal) {
    const uint32_t before = queue_->syncing();
    threads_.emplace_back([this, name, disable_wal] {
      Writer writer;
      writer.disable_wal = disable_wal;
      writer.sync = true;  // Those are counted.
      writer.size_bytes = 10;
      Named named{&writer, name};
      Run(&named);
    });
    while (queue_->syncing() == before) std::this_thread::yield();
    // It is counted a moment before it is in.
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }

  std::string GroupNames(Writer* leader) {
    size_t bytes = 0, count = 0;
    Writer* const last = queue_->TakeGroup(leader, &bytes, &count);
    std::string names;
    size_t members = 0;
    for (Writer* writer = leader;; writer = writer->newer) {
      if (writer != leader) names += static_cast<const char*>(writer->group);
      EXPECT_EQ(writer->disable_wal, leader->disable_wal);
      ++members;
      if (writer == last) break;
    }
    EXPECT_EQ(members, count);
    EXPECT_EQ(bytes, 10 * count);
    last_ = last;
    return names;
  }
  Writer* last() const { return last_; }
  // Of the groups led by Join()ed writers, in their order.
  std::string groups;

 private:
  struct Named {
    Writer* writer;
    std::string name;
  };
  void Run(Named* named) {
    named->writer->group = named->name.data();
    if (!queue_->Join(named->writer)) return;
    groups += "(" + named->name + GroupNames(named->writer) + ")";
    queue_->Finish(named->writer, last_);
  }

  CommitQueue* const queue_;
  Writer* last_ = nullptr;  // Leaders only.
  std::vector<std::thread> threads_;
};

TEST(CommitQueueTest, PassesOverThoseWhoCannotComeAlong) {
  CommitQueue queue{CommitQueue::Limits()};
  std::string groups;
  {
    Writers writers(&queue);
    Writer leader;
    leader.sync = true;
    leader.size_bytes = 10;
    ASSERT_TRUE(queue.Join(&leader));
    writers.Join("B", true);
    writers.Join("c", false);
    writers.Join("D", true);
    writers.Join("E", true);
    writers.Join("f", false);
    EXPECT_EQ(writers.GroupNames(&leader), "cf");
    Writer* const last = writers.last();
    // Joins behind what was the newest when the group was taken.
    writers.Join("g", false);
    writers.Join("H", true);
    queue.Finish(&leader, last);
    writers.Wait();
    groups = writers.groups;
  }
  EXPECT_EQ(groups, "(BDEH)(g)");
}

TEST(CommitQueueTest, WaitersYieldForShortSyncsOfSeveral) {
  CommitQueue queue{CommitQueue::Limits()};
  EXPECT_FALSE(queue.yields_for_syncs());
  queue.NoteSync(150, 2);
  EXPECT_FALSE(queue.yields_for_syncs());
  queue.NoteSync(150, 3);
  EXPECT_TRUE(queue.yields_for_syncs());
  queue.NoteSync(301, 8);
  EXPECT_FALSE(queue.yields_for_syncs());
  queue.NoteSync(300, 8);
  EXPECT_TRUE(queue.yields_for_syncs());

  CommitQueue::Limits none;
  none.yield_us_max = 0;
  CommitQueue sleeping{none};
  sleeping.NoteSync(150, 8);
  EXPECT_FALSE(sleeping.yields_for_syncs());
  none = CommitQueue::Limits();
  none.spin = false;
  CommitQueue asked{none};
  asked.NoteSync(150, 8);
  EXPECT_FALSE(asked.yields_for_syncs());
}

// Whose yield takes long has given the processor to somebody who works. Here everyone's does.
TEST(CommitQueueTest, WaitersSleepWhereOthersWantTheProcessor) {
  CommitQueue::Limits limits;
  limits.yield_us_expected = 0;
  CommitQueue queue{limits};
  const auto crowd = [&queue] {
    Writers writers(&queue);
    Writer leader;
    leader.sync = true;
    ASSERT_TRUE(queue.Join(&leader));
    for (const char* name : {"B", "C", "D", "E"}) writers.Join(name, true);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    queue.Finish(&leader, &leader);
    writers.Wait();
  };
  const auto sleeping_syncs = [&queue] {
    int syncs = 0;
    do {
      queue.NoteSync(150, 8);
      ++syncs;
    } while (!queue.yields_for_syncs() && syncs < 10000);
    return syncs;
  };
  EXPECT_EQ(sleeping_syncs(), 1);
  crowd();
  EXPECT_EQ(sleeping_syncs(), 17);
  crowd();
  EXPECT_EQ(sleeping_syncs(), 33);
  for (int i = 0; i < 6; ++i) queue.NoteSync(150, 8);  // Calm.
  crowd();
  EXPECT_EQ(sleeping_syncs(), 17);
}

TEST(CommitQueueTest, EveryWriterIsCommittedOnceWhateverTheMixture) {
  CommitQueue queue{CommitQueue::Limits()};
  static constexpr int kThreads = 6;
  static constexpr int kWrites = 3000;
  std::atomic<uint64_t> committed{0};
  int inside = 0;  // Leaders only.
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      Random random(static_cast<uint64_t>(t) + 1);
      for (int i = 0; i < kWrites; ++i) {
        Writer writer;
        writer.size_bytes = 10;
        writer.disable_wal = random.OneIn(3);
        writer.sync = !writer.disable_wal && random.OneIn(4);
        writer.disable_memtable = random.OneIn(5);
        if (random.OneIn(50)) {
          queue.EnterExclusive(&writer);
          EXPECT_EQ(inside++, 0);
          EXPECT_EQ(--inside, 0);
          queue.LeaveExclusive(&writer);
          committed.fetch_add(1);
          continue;
        }
        if (!queue.Join(&writer)) {
          EXPECT_EQ(writer.sequence, 1u);  // Exactly once.
          continue;
        }
        EXPECT_EQ(inside++, 0);
        size_t bytes = 0, count = 0;
        Writer* const last = queue.TakeGroup(&writer, &bytes, &count);
        for (Writer* member = &writer;; member = member->newer) {
          EXPECT_EQ(member->disable_wal, writer.disable_wal);
          EXPECT_EQ(member->disable_memtable, writer.disable_memtable);
          EXPECT_TRUE(writer.sync || !member->sync);
          EXPECT_FALSE(member->exclusive);
          ++member->sequence;
          committed.fetch_add(1);
          if (member == last) break;
        }
        EXPECT_EQ(--inside, 0);
        queue.Finish(&writer, last);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(committed.load(), static_cast<uint64_t>(kThreads) * kWrites);
  EXPECT_EQ(queue.syncing(), 0u);
}

}  // namespace
}  // namespace skarn
