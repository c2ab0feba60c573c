// Many threads on one database, checked by invariants that hold at every moment.

#include <atomic>
#include <cstdlib>
#include <thread>

#include "core/base/random.h"
#include "core/batch/write_batch.h"
#include "tests/unit/db/db_test_base.h"
#include "tests/unit/test_seed.h"

namespace skarn {
namespace {

class ConcurrencyTest : public DbTest {
 protected:
  ConcurrencyTest() {
    seed_ = TestSeed();
    printf("seed %llu\n", static_cast<unsigned long long>(seed_));
    options_.create_missing_column_families = true;
    family_options_.write_buffer_size = 64 << 10;
    family_options_.target_file_size_base = 32 << 10;
    family_options_.max_bytes_for_level_base = 128 << 10;
    family_options_.level0_file_num_compaction_trigger = 2;
  }
  static std::string PairKey(int writer, uint64_t pair, char side) {
    return std::string(1, side) + std::to_string(writer) + "-" + std::to_string(pair);
  }

  // Every batch writes one number under two keys of two families: readers must never see them
  // differ. Values carry padding so that memtables fill.
  void RunMixed(int writers, int seconds_tenths, bool sync_some) {
    static constexpr uint64_t kPairs = 50;
    Open({"default", "second"});
    std::atomic<bool> stop{false};
    std::atomic<uint64_t> writes{0}, reads{0};
    std::atomic<int> failures{0};
    std::vector<std::vector<uint64_t>> last(static_cast<size_t>(writers),
                                            std::vector<uint64_t>(kPairs, 0));
    const auto fail = [&](const std::string& what) {
      if (failures.fetch_add(1) < 5) ADD_FAILURE() << what << " SKARN_TEST_SEED=" << seed_;
      stop.store(true);
    };
    std::vector<std::thread> threads;
    for (int writer = 0; writer < writers; ++writer) {
      threads.emplace_back([&, writer] {
        Random random(seed_ + static_cast<uint64_t>(writer));
        for (uint64_t count = 1; !stop.load(); ++count) {
          const uint64_t pair = random.Uniform(kPairs);
          const std::string value = std::to_string(count) + std::string(random.Uniform(400), '.');
          WriteBatch batch;
          if (!batch.Put(0, PairKey(writer, pair, 'a'), value).ok() ||
              !batch.Put(1, PairKey(writer, pair, 'b'), value).ok() ||
              !batch.Put(0, PairKey(writer, pair, 'c'), value).ok()) {
            fail("batch");
          }
          WriteOptions write;
          write.sync = sync_some && random.OneIn(20);
          const Status status = db_->Write(write, &batch);
          if (!status.ok()) fail(status.ToString());
          last[static_cast<size_t>(writer)][pair] = count;
          writes.fetch_add(1, std::memory_order_relaxed);
        }
      });
    }
    for (int reader = 0; reader < 2; ++reader) {
      threads.emplace_back([&, reader] {
        Random random(seed_ + 100 + static_cast<uint64_t>(reader));
        while (!stop.load()) {
          const int writer = static_cast<int>(random.Uniform(static_cast<uint64_t>(writers)));
          const uint64_t pair = random.Uniform(kPairs);
          const std::string keys[3] = {PairKey(writer, pair, 'a'), PairKey(writer, pair, 'b'),
                                       PairKey(writer, pair, 'c')};
          const size_t families[3] = {0, 1, 0};
          std::string values[3];
          if (random.OneIn(2)) {
            const Snapshot* const snapshot = db_->GetSnapshot();
            for (int i = 0; i < 3; ++i) values[i] = Get(keys[i], families[i], snapshot);
            db_->ReleaseSnapshot(snapshot);
          } else {
            const Slice slices[3] = {keys[0], keys[1], keys[2]};
            ColumnFamilyHandle* const handles[3] = {cf(0), cf(1), cf(0)};
            PinnedValue pinned[3];
            ValueSink* const sinks[3] = {&pinned[0], &pinned[1], &pinned[2]};
            Status statuses[3];
            db_->MultiGet(ReadOptions(), 3, handles, slices, sinks, nullptr, statuses, false);
            for (int i = 0; i < 3; ++i) {
              values[i] = statuses[i].ok() ? pinned[i].slice().ToString() : "NOT_FOUND";
            }
          }
          if (values[0] != values[1] || values[0] != values[2]) {
            fail("pair differs: " + values[0].substr(0, 8) + " " + values[1].substr(0, 8) + " " +
                 values[2].substr(0, 8));
          }
          reads.fetch_add(1, std::memory_order_relaxed);
        }
      });
    }
    threads.emplace_back([&] {
      Random random(seed_ + 200);
      while (!stop.load()) {
        // Both families at one moment.
        std::vector<std::unique_ptr<DbIterator>> iterators;
        const Status status = db_->NewIterators(ReadOptions(), {cf(0), cf(1)}, &iterators);
        if (!status.ok()) {
          fail(status.ToString());
          break;
        }
        std::map<std::string, std::string> sides[3];
        for (size_t family = 0; family < 2; ++family) {
          DbIterator* const iterator = iterators[family].get();
          for (iterator->SeekToFirst(); iterator->valid(); iterator->Next()) {
            const std::string key = iterator->key().ToString();
            sides[key[0] - 'a'][key.substr(1)] = iterator->value().ToString();
          }
          if (!iterator->status().ok()) fail(iterator->status().ToString());
        }
        if (sides[0] != sides[1] || sides[0] != sides[2]) fail("iterators differ");
      }
    });
    threads.emplace_back([&] {
      Random random(seed_ + 300);
      while (!stop.load()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5 + random.Uniform(20)));
        Status status;
        switch (random.Uniform(5)) {
          case 0:
            status = Flush(random.Uniform(2));
            break;
          case 1:
            status = Compact(random.Uniform(2));
            break;
          case 2:
            status = db_->SetOptions(cf(0),
                                     {{"write_buffer_size", random.OneIn(2) ? "65536" : "131072"}});
            break;
          case 3: {
            Result<std::unique_ptr<ColumnFamilyHandle>> created = db_->CreateColumnFamily(
                family_options_, "temporary" + std::to_string(random.Uniform(1000000)));
            status = created.ok() ? Status::Ok() : created.status();
            if (created.ok()) {
              status = db_->Put(write_, created->get(), "x", Slice(), "y");
              if (status.ok()) status = db_->DropColumnFamily(created->get());
            }
            break;
          }
          default:
            status = db_->SyncWal();
            break;
        }
        if (!status.ok()) fail(status.ToString());
      }
    });
    for (int i = 0; i < seconds_tenths && !stop.load(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    stop.store(true);
    for (std::thread& thread : threads) thread.join();
    printf("%llu writes, %llu reads\n", static_cast<unsigned long long>(writes.load()),
           static_cast<unsigned long long>(reads.load()));
    const auto check_last = [&] {
      for (int writer = 0; writer < writers; ++writer) {
        for (uint64_t pair = 0; pair < kPairs; ++pair) {
          const uint64_t count = last[static_cast<size_t>(writer)][pair];
          const std::string found = Get(PairKey(writer, pair, 'a'));
          if (count == 0) {
            ASSERT_EQ(found, "NOT_FOUND");
          } else {
            ASSERT_EQ(strtoull(found.c_str(), nullptr, 10), count);
          }
        }
      }
    };
    check_last();
    Open({"default", "second"});
    check_last();
  }

  uint64_t seed_ = 0;
};

TEST_F(ConcurrencyTest, ReadersNeverSeeHalfABatch) { RunMixed(3, 15, /*sync_some=*/false); }

TEST_F(ConcurrencyTest, WithSyncedWritesAmongOthers) { RunMixed(4, 15, /*sync_some=*/true); }

TEST_F(ConcurrencyTest, WithAtomicFlushAndRecycledLogs) {
  options_.atomic_flush = true;
  options_.recycle_log_file_num = 2;
  RunMixed(2, 10, /*sync_some=*/true);
}

TEST_F(ConcurrencyTest, WithFewOpenFilesAndAStallingLimitOnMemory) {
  options_.max_open_files = 20;
  options_.db_write_buffer_size = 256 << 10;
  RunMixed(3, 10, /*sync_some=*/false);
}

// Groups of writes larger than a memtable's share are inserted by their members in parallel.
TEST_F(ConcurrencyTest, LargeWritesOfManyThreadsAllArrive) {
  family_options_.write_buffer_size = 8 << 20;
  Open();
  std::vector<std::thread> threads;
  std::atomic<int> failed{0};
  for (int writer = 0; writer < 6; ++writer) {
    threads.emplace_back([&, writer] {
      for (int i = 0; i < 100; ++i) {
        WriteBatch batch;
        for (int j = 0; j < 10; ++j) {
          const std::string key =
              std::to_string(writer) + "-" + std::to_string(i) + "-" + std::to_string(j);
          if (!batch.Put(0, key, std::string(2000, 'v')).ok()) ++failed;
        }
        if (!db_->Write(write_, &batch).ok()) ++failed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed.load(), 0);
  EXPECT_EQ(db_->LatestSequence(), 6000u);
  int found = 0;
  const std::unique_ptr<DbIterator> iterator = db_->NewIterator(ReadOptions(), cf(0));
  for (iterator->SeekToFirst(); iterator->valid(); iterator->Next()) ++found;
  EXPECT_EQ(found, 6000);
}

TEST_F(ConcurrencyTest, StoppedWritesGoOnWhenMemoryIsFlushed) {
  family_options_.max_write_buffer_number = 2;
  Open();
  ASSERT_OK(db_->PauseBackgroundWork());
  std::atomic<int> written{0};
  std::thread writer([&] {
    for (int i = 0; i < 2000; ++i) {
      if (!Put("key" + std::to_string(i), std::string(200, 'x')).ok()) break;
      ++written;
    }
  });
  int before = -1;
  while (written.load() != before) {
    before = written.load();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  EXPECT_LT(before, 2000);  // Two memtables are full.
  uint64_t stopped = 0;
  EXPECT_TRUE(db_->GetIntProperty(nullptr, "rocksdb.is-write-stopped", &stopped));
  EXPECT_EQ(stopped, 1u);
  WriteOptions no_slowdown;
  no_slowdown.no_slowdown = true;
  EXPECT_EQ(db_->Put(no_slowdown, nullptr, "k", Slice(), "v").ToString(),
            "Result incomplete: Write stall");
  ASSERT_OK(db_->ContinueBackgroundWork());
  writer.join();
  EXPECT_EQ(written.load(), 2000);
}

// Not all together, since writes go on after the first.
TEST_F(ConcurrencyTest, MemtablesThatWritesWaitForAreFlushedOneByOne) {
  family_options_.max_write_buffer_number = 3;
  family_options_.disable_auto_compactions = true;
  for (const uint64_t merged : {1, 2}) {
    family_options_.min_write_buffer_number_to_merge = static_cast<int>(merged);
    path_ = "/merged" + std::to_string(merged);
    Open();
    ASSERT_OK(db_->PauseBackgroundWork());
    std::atomic<bool> enough{false};
    std::thread writer([this, &enough] {
      for (int i = 0; !enough; ++i) ASSERT_OK(Put("key" + std::to_string(i), "value"));
    });
    uint64_t stopped = 0;
    while (stopped == 0) {
      ASSERT_TRUE(db_->GetIntProperty(nullptr, "rocksdb.is-write-stopped", &stopped));
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const uint64_t before = db_->LatestSequence();
    enough = true;
    ASSERT_OK(db_->ContinueBackgroundWork());
    writer.join();
    ASSERT_OK(Flush());  // All that is left, whatever min_write_buffer_number_to_merge says.
    // Of the first file: one of three memtables, or two.
    uint64_t largest = 0;
    std::vector<LiveTable> tables;
    db_->GetLiveTables(&tables);
    for (const LiveTable& table : tables) {
      if (table.smallest_sequence <= 1) largest = table.largest_sequence;
    }
    EXPECT_GT(largest, before * (2 * merged - 1) / 6);
    EXPECT_LT(largest, before * (2 * merged + 1) / 6);
    CloseDb();
  }
}

}  // namespace
}  // namespace skarn
