// Power cuts at many moments of a workload. What is recovered must be a prefix of the
// history, across column families, that holds every write acknowledged as synced.

#include <cstdlib>

#include "core/base/random.h"
#include "core/batch/write_batch.h"
#include "core/env/crash_file_system.h"
#include "core/env/thread_pool.h"
#include "tests/unit/db/db_test_base.h"
#include "tests/unit/test_seed.h"

namespace skarn {
namespace {

class CrashTest : public ::testing::Test {
 protected:
  static constexpr uint32_t kFamilies = 2;
  using State = std::map<std::string, std::string>;
  struct Moment {
    State families[kFamilies];
  };
  struct Acknowledged {
    size_t operations;  // Of the file system, when the write returned.
    size_t index;       // Of the write, from 1.
  };

  CrashTest() {
    seed_ = TestSeed();
    printf("seed %llu\n", static_cast<unsigned long long>(seed_));
    family_options_.compression = CompressionType::kNone;
    family_options_.write_buffer_size = 64 << 10;
    family_options_.target_file_size_base = 16 << 10;
    family_options_.level0_file_num_compaction_trigger = 2;
    options_.create_if_missing = true;
    options_.create_missing_column_families = true;
  }

  Result<std::unique_ptr<Db>> Open(Env* env,
                                   std::vector<std::unique_ptr<ColumnFamilyHandle>>* handles) {
    Db::OpenRequest request;
    request.options = options_;
    request.options.env = env;
    request.path = "/db";
    request.column_families.push_back({"default", family_options_});
    request.column_families.push_back({"second", family_options_});
    return Db::Open(std::move(request), handles);
  }
  static Env MakeEnv(FileSystem* fs, ThreadPool* pool) {
    Env env;
    env.file_system = fs;
    env.clock = SystemClock();
    env.thread_pool = pool;
    return env;
  }

  // Writes `count` batches, each of which sets "count" in all families to its own index.
  void RunWorkload(size_t count) {
    Random random(seed_);
    const std::unique_ptr<ThreadPool> pool = NewThreadPool();
    Env env = MakeEnv(&disk_, pool.get());
    moments_.resize(1);
    std::vector<std::unique_ptr<ColumnFamilyHandle>> handles;
    std::unique_ptr<Db> db;
    for (size_t i = 1; i <= count; ++i) {
      if (db == nullptr || random.OneIn(60)) {
        handles.clear();
        db.reset();
        Result<std::unique_ptr<Db>> opened = Open(&env, &handles);
        ASSERT_TRUE(opened.ok()) << opened.status().ToString();
        db = std::move(*opened);
      }
      WriteBatch batch;
      Moment moment = moments_.back();
      for (uint32_t family = 0; family < kFamilies; ++family) {
        ASSERT_OK(batch.Put(family, "count", std::to_string(i)));
        moment.families[family]["count"] = std::to_string(i);
        for (uint64_t j = random.Uniform(4); j > 0; --j) {
          const std::string key = "key" + std::to_string(random.Uniform(40));
          const std::string value(1 + random.Uniform(700), static_cast<char>('a' + i % 26));
          if (random.OneIn(4)) {
            ASSERT_OK(batch.Delete(family, key));
            moment.families[family].erase(key);
          } else {
            ASSERT_OK(batch.Put(family, key, value));
            moment.families[family][key] = value;
          }
        }
      }
      moments_.push_back(std::move(moment));
      begun_.push_back({disk_.OperationCount(), i});
      WriteOptions write;
      write.sync = random.OneIn(5);
      ASSERT_OK(db->Write(write, &batch));
      if (write.sync) synced_.push_back({disk_.OperationCount(), i});
      if (random.OneIn(30)) {
        ASSERT_OK(db->Flush(FlushOptions(), {handles[random.Uniform(kFamilies)].get()}));
      }
      if (random.OneIn(80)) {
        ASSERT_OK(db->CompactRange(CompactRangeOptions(), handles[random.Uniform(kFamilies)].get(),
                                   nullptr, nullptr));
      }
      if (random.OneIn(40)) {
        ASSERT_OK(db->SyncWal());
        synced_.push_back({disk_.OperationCount(), i});
      }
    }
    handles.clear();
    db.reset();
  }

  static void ReadAll(Db* db, ColumnFamilyHandle* family, State* state) {
    const std::unique_ptr<DbIterator> iterator = db->NewIterator(ReadOptions(), family);
    for (iterator->SeekToFirst(); iterator->valid(); iterator->Next()) {
      (*state)[iterator->key().ToString()] = iterator->value().ToString();
    }
    ASSERT_OK(iterator->status());
  }

  // Opens what a cut after `operations` leaves. Cuts the recovery too, `depth` times.
  void CheckCut(const CrashFileSystem& before, size_t operations, CrashFileSystem::Loss loss,
                size_t index_min, size_t index_max, int depth, uint64_t seed) {
    const std::unique_ptr<CrashFileSystem> disk = before.AfterPowerCut(operations, loss, seed);
    const std::unique_ptr<ThreadPool> pool = NewThreadPool();
    size_t recovered = 0;
    {
      Env env = MakeEnv(disk.get(), pool.get());
      std::vector<std::unique_ptr<ColumnFamilyHandle>> handles;
      Result<std::unique_ptr<Db>> opened = Open(&env, &handles);
      if (!opened.ok() && loss == CrashFileSystem::Loss::kAnything &&
          opened.status().message().view().find("MANIFEST") != std::string_view::npos) {
        // A last record of which single sectors are missing cannot be told from damage to a record
        // that was durable: refusing is right, and file systems that extend files in order never
        // leave it.
        return;
      }
      ASSERT_TRUE(opened.ok()) << opened.status().ToString();
      const std::unique_ptr<Db> db = std::move(*opened);
      const auto own_handles = std::move(handles);  // Destroyed before the database.
      Moment found;
      for (uint32_t family = 0; family < kFamilies; ++family) {
        ReadAll(db.get(), own_handles[family].get(), &found.families[family]);
        if (HasFatalFailure()) return;
      }
      const auto count = found.families[0].find("count");
      recovered = count == found.families[0].end() ? 0 : std::stoul(count->second);
      ASSERT_GE(recovered, index_min) << "a synced write is gone";
      ASSERT_LE(recovered, index_max);
      for (uint32_t family = 0; family < kFamilies; ++family) {
        ASSERT_TRUE(found.families[family] == moments_[recovered].families[family])
            << "family " << family << " is not what write " << recovered << " left";
      }
      ++recoveries_;
    }
    if (depth == 0) return;
    // Cut the recovery itself: it must lose nothing more.
    const size_t total = disk->OperationCount();
    for (size_t at = 0; at <= total; at += 1 + total / 4) {
      SCOPED_TRACE("recovery cut at " + std::to_string(at) + " of " + std::to_string(total));
      CheckCut(*disk, at, CrashFileSystem::Loss::kEverything, index_min, recovered, depth - 1,
               seed + at);
      if (HasFatalFailure()) return;
    }
  }

  void CheckCuts(size_t step) {
    const size_t total = disk_.OperationCount();
    Random random(seed_ + 1);
    for (size_t at = random.Uniform(step); at <= total; at += step) {
      size_t index_min = 0, index_max = 0;
      for (const Acknowledged& write : synced_) {
        if (write.operations <= at) index_min = std::max(index_min, write.index);
      }
      for (const Acknowledged& write : begun_) {
        if (write.operations <= at) index_max = std::max(index_max, write.index);
      }
      for (const CrashFileSystem::Loss loss :
           {CrashFileSystem::Loss::kNothing, CrashFileSystem::Loss::kEverything,
            CrashFileSystem::Loss::kTail, CrashFileSystem::Loss::kAnything}) {
        SCOPED_TRACE("cut after " + std::to_string(at) + " operations, loss " +
                     std::to_string(static_cast<int>(loss)) +
                     " SKARN_TEST_SEED=" + std::to_string(seed_));
        CheckCut(disk_, at, loss, index_min, index_max, random.OneIn(30) ? 2 : 0, seed_ + at);
        if (HasFatalFailure()) return;
      }
    }
    printf("%zu recoveries of %zu operations\n", recoveries_, total);
  }

  uint64_t seed_ = 0;
  CrashFileSystem disk_;
  DbOptions options_;
  ColumnFamilyOptions family_options_;
  std::vector<Moment> moments_;  // After each write.
  std::vector<Acknowledged> begun_;
  std::vector<Acknowledged> synced_;
  size_t recoveries_ = 0;
};

TEST_F(CrashTest, RecoversAPrefixOfTheHistory) {
  RunWorkload(300);
  CheckCuts(/*step=*/11);
}

TEST_F(CrashTest, WithRecycledLogs) {
  options_.recycle_log_file_num = 2;
  RunWorkload(200);
  CheckCuts(/*step=*/17);
}

TEST_F(CrashTest, WithDataKeptInMemoryAtOpen) {
  options_.avoid_flush_during_recovery = true;
  RunWorkload(200);
  CheckCuts(/*step=*/17);
}

TEST_F(CrashTest, WithAtomicFlush) {
  options_.atomic_flush = true;
  RunWorkload(200);
  CheckCuts(/*step=*/17);
}

TEST_F(CrashTest, WithLogsTrackedInTheManifest) {
  options_.track_and_verify_wals_in_manifest = true;
  RunWorkload(200);
  CheckCuts(/*step=*/17);
}

}  // namespace
}  // namespace skarn
