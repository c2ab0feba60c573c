// Bugs of flushes, compactions, options and checkpoints, many of them races.

#include <atomic>
#include <thread>

#include "core/db/checkpoint.h"
#include "core/options/options_file.h"
#include "tests/bugs/known_bugs.h"

namespace skarn {
namespace {

TEST_F(KnownBugs, Row07ManualCompactionsThatChangeLevelsMakeNoOverlap) {
  family_options_.target_file_size_base = 8 << 10;
  family_options_.write_buffer_size = 64 << 10;
  Open();
  std::map<std::string, std::string> model;
  std::atomic<bool> stop{false};
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int which = 0; which < 3; ++which) {
    threads.emplace_back([&, which] {
      Random random(static_cast<uint64_t>(which) + 7);
      while (!stop.load()) {
        const std::string a = "key" + std::to_string(random.Uniform(900));
        const std::string b = a + "~";
        const Slice begin = a, end = random.OneIn(2) ? Slice("key~") : Slice(b);
        CompactRangeOptions options;
        options.change_level = which != 0;
        options.target_level = which == 1 ? -1 : 3;
        options.exclusive_manual_compaction = random.OneIn(3);
        const Status s = db_->CompactRange(options, cf(0), &begin, &end);
        // Levels that are not empty are refused; damage is not.
        if (s.IsCorruption() || s.IsIoError()) failures.fetch_add(1);
      }
    });
  }
  for (int i = 0; i < 3000; ++i) {
    const std::string key = "key" + std::to_string(i * 37 % 1000);
    ASSERT_OK(Put(key, std::to_string(i) + std::string(60, 'v')));
    model[key] = std::to_string(i) + std::string(60, 'v');
    if (i % 500 == 499) ASSERT_OK(Flush());
  }
  stop.store(true);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures.load(), 0);
  for (const auto& [key, value] : model) ASSERT_EQ(Get(key), value);
  Open();  // force_consistency_checks looks at the levels again.
  for (const auto& [key, value] : model) ASSERT_EQ(Get(key), value);
}

TEST_F(KnownBugs, Row09ACheckpointDuringWritesIsOneMomentOfAllFamilies) {
  Open({"default", "second"});
  std::atomic<bool> stop{false};
  std::atomic<int> written{0};
  std::thread writer([&] {
    for (int i = 1; !stop.load(); ++i) {
      WriteBatch batch;
      EXPECT_OK(batch.Put(cf(0)->id(), "count", std::to_string(i)));
      EXPECT_OK(batch.Put(cf(1)->id(), "count", std::to_string(i)));
      EXPECT_OK(batch.Put(cf(static_cast<size_t>(i % 2))->id(), "k" + std::to_string(i), "v"));
      EXPECT_OK(db_->Write(write_, &batch));
      written.store(i);
      if (i % 100 == 0) EXPECT_OK(Flush(static_cast<size_t>(i / 100 % 2)));
    }
  });
  std::vector<std::pair<std::string, int>> checkpoints;
  for (int i = 0; i < 8; ++i) {
    while (written.load() < (i + 1) * 60) std::this_thread::yield();
    const std::string path = "/checkpoint" + std::to_string(i);
    const int before = written.load();
    ASSERT_OK(CreateCheckpoint(db_.get(), path, i % 2 == 0 ? 0 : UINT64_MAX));
    checkpoints.push_back({path, before});
  }
  stop.store(true);
  writer.join();
  // Power goes at the end: complete checkpoints are durable.
  CutPower(Loss::kEverything);
  for (const auto& [path, before] : checkpoints) {
    path_ = path;
    Open({"default", "second"});
    const int count = atoi(Get("count").c_str());
    EXPECT_GE(count, before) << path;
    EXPECT_EQ(Get("count", 1), std::to_string(count)) << path;
    for (int i = 1; i <= count + 3; ++i) {
      EXPECT_EQ(Get("k" + std::to_string(i), static_cast<size_t>(i % 2)),
                i <= count ? "v" : "NOT_FOUND")
          << path << " " << i;
    }
  }
}

TEST_F(KnownBugs, Row12SnapshotsThatComeAndGoDuringCompactionsSeeTheirMoment) {
  family_options_.write_buffer_size = 64 << 10;
  family_options_.level0_file_num_compaction_trigger = 2;
  Open();
  std::atomic<bool> stop{false};
  std::thread compactor([&] {
    while (!stop.load()) {
      (void)Flush().ok();
      (void)CompactAll().ok();
    }
  });
  Random random(12);
  std::map<std::string, std::string> model;
  struct Held {
    const Snapshot* snapshot;
    std::map<std::string, std::string> model;
  };
  std::vector<Held> held;
  for (int i = 0; i < 4000; ++i) {
    const std::string key = "key" + std::to_string(random.Uniform(60));
    if (random.OneIn(5)) {
      ASSERT_OK(Delete(key));
      model.erase(key);
    } else {
      ASSERT_OK(Put(key, std::to_string(i)));
      model[key] = std::to_string(i);
    }
    if (random.OneIn(20)) held.push_back({db_->GetSnapshot(), model});
    if (held.size() > 8 || (!held.empty() && random.OneIn(25))) {
      const size_t which = random.Uniform(held.size());
      for (int j = 0; j < 60; j += 7) {
        const std::string asked = "key" + std::to_string(j);
        const auto then = held[which].model.find(asked);
        ASSERT_EQ(Get(asked, 0, held[which].snapshot),
                  then == held[which].model.end() ? "NOT_FOUND" : then->second);
      }
      db_->ReleaseSnapshot(held[which].snapshot);
      held.erase(held.begin() + static_cast<long>(which));
    }
  }
  stop.store(true);
  compactor.join();
  for (const Held& one : held) db_->ReleaseSnapshot(one.snapshot);
  for (int j = 0; j < 60; ++j) {
    const std::string asked = "key" + std::to_string(j);
    EXPECT_EQ(Get(asked), model.count(asked) != 0 ? model[asked] : "NOT_FOUND");
  }
}

// The number goes up, then everything is deleted: no snapshot may see both or neither.
TEST_F(KnownBugs, Row17ASnapshotTakenBesideAFlushSeesNothingThatWasDeletedBefore) {
  Open();
  std::atomic<bool> stop{false};
  std::atomic<int> deleted{0};
  std::thread flusher([&] {
    while (!stop.load()) (void)Flush().ok();
  });
  std::thread reader([&] {
    while (!stop.load()) {
      const int before = deleted.load();
      const Snapshot* const snapshot = db_->GetSnapshot();
      for (int i = std::max(1, before - 3); i <= before; ++i) {
        EXPECT_EQ(Get("key" + std::to_string(i), 0, snapshot), "NOT_FOUND");
      }
      db_->ReleaseSnapshot(snapshot);
    }
  });
  for (int i = 1; i < 1500; ++i) {
    ASSERT_OK(Put("key" + std::to_string(i), "v"));
    ASSERT_OK(i % 2 == 0 ? Delete("key" + std::to_string(i))
                         : DeleteRange("key" + std::to_string(i), "key" + std::to_string(i) + "!"));
    deleted.store(i);
  }
  stop.store(true);
  flusher.join();
  reader.join();
}

TEST_F(KnownBugs, Row27AnAtomicFlushTakesFamiliesWithOlderDataAlong) {
  options_.atomic_flush = true;
  Open({"default", "second"});
  for (int i = 0; i < 5; ++i) {
    // The second family has data from the first round only.
    if (i == 0) ASSERT_OK(PutUnlogged("old", "1", 1));
    ASSERT_OK(PutUnlogged("k" + std::to_string(i), "v"));
    ASSERT_OK(db_->Flush(FlushOptions(), {cf(0), cf(1)}));
    CutPower(Loss::kEverything);
    Open({"default", "second"});
    EXPECT_EQ(Scan(1), "old->1");
    EXPECT_EQ(Get("k" + std::to_string(i)), "v");
  }
  // A flush that is asked of one family is one of all.
  ASSERT_OK(PutUnlogged("new", "2", 1));
  ASSERT_OK(PutUnlogged("new", "2"));
  ASSERT_OK(db_->Flush(FlushOptions(), {cf(0), cf(1)}));
  CutPower(Loss::kEverything);
  Open({"default", "second"});
  EXPECT_EQ(Get("new"), Get("new", 1));
}

TEST_F(KnownBugs, Row30OptionsInEffectAreThoseThatArePersisted) {
  Open({"default"});
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int which = 0; which < 3; ++which) {
    threads.emplace_back([&, which] {
      for (int i = 0; i < 25; ++i) {
        Status s;
        if (which == 0) {
          s = db_->SetOptions(cf(0), {{"write_buffer_size", std::to_string((64 << 10) + i)}});
        } else if (which == 1) {
          s = db_->SetDbOptions({{"max_background_jobs", std::to_string(2 + i % 5)}});
        } else {
          auto created = db_->CreateColumnFamily(family_options_, "family" + std::to_string(i));
          s = created.status();
          if (created.ok() && i % 2 == 0) s = db_->DropColumnFamily(created->get());
        }
        if (!s.ok()) failures.fetch_add(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures.load(), 0);
  const auto file = LoadLatestOptionsFile(OptionReading(), disk_.get(), path_);
  ASSERT_TRUE(file.ok()) << file.status().ToString();
  EXPECT_EQ(file->db.max_background_jobs, db_->GetDbOptions().max_background_jobs);
  EXPECT_EQ(file->db.max_background_jobs, 2 + 24 % 5);
  const auto now = db_->GetColumnFamilyOptions(cf(0));
  EXPECT_EQ(now.write_buffer_size, static_cast<size_t>((64 << 10) + 24));
  ASSERT_EQ(file->families.front().name, "default");
  EXPECT_EQ(file->families.front().options.write_buffer_size, now.write_buffer_size);
  EXPECT_EQ(file->families.size(), 13u);  // Every second one of 25 stays, and "default".
}

TEST_F(KnownBugs, Row41OptionsThatWereSetStaySetThroughFlushesAndCompactions) {
  Open();
  ASSERT_OK(db_->SetOptions(
      cf(0), {{"level0_file_num_compaction_trigger", "7"}, {"target_file_size_base", "123456"}}));
  for (int i = 0; i < 5; ++i) {
    ASSERT_OK(Put("k", std::to_string(i)));
    ASSERT_OK(Flush());
    if (i == 3) ASSERT_OK(CompactAll());
    const auto now = db_->GetColumnFamilyOptions(cf(0));
    EXPECT_EQ(now.level0_file_num_compaction_trigger, 7);
    EXPECT_EQ(now.target_file_size_base, 123456u);
  }
  const auto file = LoadLatestOptionsFile(OptionReading(), disk_.get(), path_);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->families.front().options.target_file_size_base, 123456u);
}

TEST_F(KnownBugs, Row43ACompactionThatNothingSurvivesDeletesNoLiveFile) {
  family_options_.disable_auto_compactions = true;
  Open({"default", "second"});
  ASSERT_OK(Put("stays", "1", 1));
  ASSERT_OK(Flush(1));
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 50; ++i) ASSERT_OK(Put("k" + std::to_string(i), "v"));
    ASSERT_OK(Flush());
    const auto iterator = db_->NewIterator(ReadOptions(), cf(0));  // Holds the files.
    ASSERT_OK(DeleteRange("a", "z"));
    ASSERT_OK(Flush());
    ASSERT_OK(CompactAll());
    EXPECT_EQ(Levels(), "");
    int held = 0;
    for (iterator->SeekToFirst(); iterator->valid(); iterator->Next()) ++held;
    EXPECT_EQ(held, 50);
    EXPECT_OK(iterator->status());
  }
  EXPECT_EQ(Scan(), "");
  EXPECT_EQ(Scan(1), "stays->1");
  CutPower(Loss::kEverything);
  Open({"default", "second"});
  EXPECT_EQ(Scan(), "");
  EXPECT_EQ(Scan(1), "stays->1");
}

TEST_F(KnownBugs, Row50EveryOrderOfPickingFilesLeavesNoOverlap) {
  int number = 0;
  for (const CompactionPri order :
       {CompactionPri::kRoundRobin, CompactionPri::kMinOverlappingRatio,
        CompactionPri::kOldestLargestSeqFirst, CompactionPri::kOldestSmallestSeqFirst,
        CompactionPri::kByCompensatedSize}) {
    path_ = "/db" + std::to_string(number++);
    family_options_.compaction_pri = order;
    family_options_.write_buffer_size = 64 << 10;
    family_options_.target_file_size_base = 8 << 10;
    family_options_.max_bytes_for_level_base = 32 << 10;
    family_options_.max_bytes_for_level_multiplier = 3;
    family_options_.level0_file_num_compaction_trigger = 2;
    options_.max_background_jobs = 4;
    options_.max_subcompactions = 2;
    Open();
    Random random(50);
    std::map<std::string, std::string> model;
    for (int i = 0; i < 4000; ++i) {
      const std::string key = "key" + std::to_string(random.Uniform(1500));
      if (random.OneIn(6)) {
        ASSERT_OK(Delete(key));
        model.erase(key);
      } else {
        const std::string value = std::to_string(i) + std::string(random.Uniform(120), 'v');
        ASSERT_OK(Put(key, value));
        model[key] = value;
      }
      if (i % 800 == 799) ASSERT_OK(Flush());
    }
    ASSERT_OK(db_->WaitForCompact(WaitForCompactOptions()));
    for (const auto& [key, value] : model) ASSERT_EQ(Get(key), value) << number;
    const auto iterator = db_->NewIterator(ReadOptions(), cf(0));
    auto expected = model.begin();
    for (iterator->SeekToFirst(); iterator->valid(); iterator->Next(), ++expected) {
      ASSERT_NE(expected, model.end());
      ASSERT_EQ(iterator->key().ToString(), expected->first);
    }
    EXPECT_EQ(expected, model.end());
  }
}

}  // namespace
}  // namespace skarn
