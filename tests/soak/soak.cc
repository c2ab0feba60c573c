// Runs for minutes or hours: random options, faults, power cuts and load, checked every minute.
//
//   soak [--minutes M] [--seed N]
//
// One database on real files lives through the whole run. Writers load it, each with a model of its
// own keys, while options change and maintenance goes on. Every minute the writers pause, and it is
// checked: every key against the models, forwards and backwards, all checksums, a checkpoint opened
// and compared, the memory of the process and the space on disk against their bounds; then it is
// closed and opened with other options. Between these, for a third of each minute, databases in
// memory with random options meet power cuts and failing calls (tests/crash).
//
// Prints its seed, a line a minute, and the violations; exits 1 when there is one.

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "core/cache/cache.h"
#include "core/db/checkpoint.h"
#include "core/iterate/db_iterator.h"
#include "tests/crash/fault_run.h"
#include "tests/crash/recovery_check.h"

namespace skarn {
namespace {

constexpr size_t kWriters = 3, kFamilies = 2, kKeys = 20000;  // Keys: of each writer.
constexpr uint64_t kMemoryMax = uint64_t{600} << 20;

uint64_t ResidentBytes() {
  unsigned long pages = 0, resident = 0;
  FILE* const file = fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  const int fields = fscanf(file, "%lu %lu", &pages, &resident);
  fclose(file);
  return fields == 2 ? resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

class Soak {
 public:
  Soak(uint64_t seed, std::string directory)
      : seed_(seed), random_(seed), directory_(std::move(directory)), genuine_(Genuine::Load()) {}

  uint64_t violations() const { return violations_; }

  void Go(uint64_t minutes) {
    if (!Open()) return;
    for (minute_ = 1; minute_ <= minutes && violations_ == 0; ++minute_) {
      Load(/*seconds=*/40);
      CheckAll();
      const time_t end = time(nullptr) + 20;
      while (time(nullptr) < end && violations_ == 0) {
        if (random_.OneIn(2)) {
          CutPower();
        } else {
          FailCalls();
        }
      }
      printf(
          "minute %llu: %llu writes, %llu keys compared, %llu recoveries, %llu failed calls, "
          "%llu MiB resident, %llu MiB on disk, %llu violations\n",
          static_cast<unsigned long long>(minute_), static_cast<unsigned long long>(writes_.load()),
          static_cast<unsigned long long>(compared_), static_cast<unsigned long long>(recoveries_),
          static_cast<unsigned long long>(failed_calls_),
          static_cast<unsigned long long>(ResidentBytes() >> 20),
          static_cast<unsigned long long>(disk_bytes_ >> 20),
          static_cast<unsigned long long>(violations_));
      fflush(stdout);
      Reopen();
    }
    Close();
  }

 private:
  using Model = std::map<std::string, std::string>;

  void Violation(const std::string& what) {
    const std::lock_guard<std::mutex> lock(violation_mutex_);
    ++violations_;
    printf("seed %llu, minute %llu: %s\n", static_cast<unsigned long long>(seed_),
           static_cast<unsigned long long>(minute_), what.c_str());
    fflush(stdout);
  }
  bool Good(const Status& status, const char* what) {
    if (!status.ok()) Violation(std::string(what) + ": " + status.ToString());
    return status.ok();
  }

  bool Open() {
    Db::OpenRequest request;
    request.path = directory_ + "/db";
    DbOptions& db = request.options;
    db.create_if_missing = true;
    db.create_missing_column_families = true;
    db.max_background_jobs = static_cast<int>(1 + random_.Uniform(6));
    db.max_subcompactions = static_cast<uint32_t>(1 + random_.Uniform(3));
    db.enable_pipelined_write = random_.OneIn(3);
    db.recycle_log_file_num = random_.OneIn(3) ? 2 : 0;
    db.wal_compression = random_.OneIn(4) ? CompressionType::kZstd : CompressionType::kNone;
    db.manual_wal_flush = random_.OneIn(5);
    db.avoid_flush_during_recovery = random_.OneIn(2);
    db.avoid_flush_during_shutdown = random_.OneIn(2);
    db.max_open_files = random_.OneIn(3) ? 30 : -1;
    db.use_direct_reads = random_.OneIn(6);
    db.use_direct_io_for_flush_and_compaction = random_.OneIn(6);
    db.max_manifest_file_size = random_.OneIn(2) ? 20000 : uint64_t{1} << 30;
    db.max_total_wal_size = random_.OneIn(3) ? 8 << 20 : 0;
    family_ = ColumnFamilyOptions();
    family_.write_buffer_size = (1 + random_.Uniform(8)) << 20;
    family_.target_file_size_base = (1 + random_.Uniform(4)) << 20;
    family_.max_bytes_for_level_base = 8 << 20;
    family_.level0_file_num_compaction_trigger = static_cast<int>(2 + random_.Uniform(4));
    family_.level_compaction_dynamic_level_bytes = random_.OneIn(2);
    family_.compaction_pri = static_cast<CompactionPri>(random_.Uniform(5));
    const CompressionType codecs[] = {CompressionType::kNone, CompressionType::kLz4,
                                      CompressionType::kSnappy, CompressionType::kZstd};
    family_.compression = codecs[random_.Uniform(4)];
    TableOptions& table = family_.table_factory.block_based;
    table.block_cache = NewLruCache({.capacity = 16 << 20});
    table.block_size = size_t{1} << (9 + random_.Uniform(6));
    table.format_version = static_cast<uint32_t>(2 + random_.Uniform(6));
    if (random_.OneIn(2)) table.filter_policy = std::make_shared<FilterPolicy>();
    if (random_.OneIn(3)) {
      table.index_type = IndexType::kTwoLevelIndexSearch;
      table.partition_filters = table.filter_policy != nullptr;
    }
    table.cache_index_and_filter_blocks = random_.OneIn(2);
    request.column_families.push_back({"default", family_});
    request.column_families.push_back({"second", family_});
    auto opened = Db::Open(std::move(request), &handles_);
    if (!Good(opened.status(), "open")) return false;
    db_ = std::move(*opened);
    return true;
  }
  void Close() {
    handles_.clear();
    db_.reset();
  }
  void Reopen() {
    if (violations_ != 0) return;
    Close();
    if (Open()) CheckModels();
  }

  static std::string Key(size_t writer, uint64_t number) {
    return "w" + std::to_string(writer) + "-" + std::to_string(number * 2654435761u % kKeys);
  }

  void Write(size_t writer) {
    Random random(seed_ * 31 + minute_ * 7 + writer);
    while (!stop_.load()) {
      WriteBatch batch;
      // The model is changed only when the batch is in: collect what to do.
      std::vector<std::function<void()>> then;
      for (uint64_t left = 1 + random.Uniform(8); left > 0; --left) {
        const size_t family = random.Uniform(kFamilies);
        const std::string key = Key(writer, random.Uniform(kKeys));
        Model* const model = &models_[writer][family];
        switch (random.Uniform(12)) {
          case 0:
          case 1:
            (void)batch.Delete(handles_[family]->id(), key).ok();
            then.push_back([model, key] { model->erase(key); });
            break;
          case 2: {
            const std::string end = key + "9";
            (void)batch.DeleteRange(handles_[family]->id(), key, end).ok();
            then.push_back([model, key, end] {
              model->erase(model->lower_bound(key), model->lower_bound(end));
            });
            break;
          }
          default: {
            std::string value(random.Skewed(11), static_cast<char>('a' + random.Uniform(26)));
            (void)batch.Put(handles_[family]->id(), key, value).ok();
            then.push_back([model, key, value] { (*model)[key] = value; });
          }
        }
      }
      WriteOptions options;
      options.sync = random.OneIn(200);
      if (!Good(db_->Write(options, &batch), "write")) return;
      for (const auto& change : then) change();
      writes_.fetch_add(1, std::memory_order_relaxed);
    }
  }

  void Maintain() {
    Random random(seed_ * 37 + minute_);
    while (!stop_.load()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20 + random.Uniform(400)));
      ColumnFamilyHandle* const family = handles_[random.Uniform(kFamilies)].get();
      switch (random.Uniform(6)) {
        case 0:
          Good(db_->Flush(FlushOptions(), {family}), "flush");
          break;
        case 1:
          Good(db_->CompactRange(CompactRangeOptions(), family, nullptr, nullptr), "compaction");
          break;
        case 2:
          Good(db_->SetOptions(
                   family, {{"write_buffer_size", std::to_string((1 + random.Uniform(8)) << 20)}}),
               "set");
          break;
        case 3:
          Good(db_->SetDbOptions({{"max_background_jobs", std::to_string(1 + random.Uniform(6))}}),
               "set");
          break;
        case 4:
          Good(db_->SyncWal(), "sync");
          break;
        default: {
          // A long look while all goes on.
          const auto iterator = db_->NewIterator(ReadOptions(), family);
          std::string before;
          for (iterator->SeekToFirst(); iterator->valid(); iterator->Next()) {
            const std::string key = iterator->key().ToString();
            if (!before.empty() && key <= before) Violation("keys out of order at " + key);
            before = key;
          }
          Good(iterator->status(), "scan");
        }
      }
    }
  }

  void Load(uint64_t seconds) {
    stop_.store(false);
    std::vector<std::thread> threads;
    for (size_t writer = 0; writer < kWriters; ++writer) {
      threads.emplace_back([this, writer] { Write(writer); });
    }
    threads.emplace_back([this] { Maintain(); });
    for (uint64_t i = 0; i < seconds * 10 && violations_ == 0; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    stop_.store(true);
    for (std::thread& thread : threads) thread.join();
  }

  Model Expected(size_t family) const {
    Model all;
    for (const std::vector<Model>& models : models_) {
      all.insert(models[family].begin(), models[family].end());
    }
    return all;
  }
  void Compare(Db* db, ColumnFamilyHandle* handle, const Model& expected, const char* where) {
    const auto iterator = db->NewIterator(ReadOptions(), handle);
    auto next = expected.begin();
    for (iterator->SeekToFirst(); iterator->valid(); iterator->Next(), ++next) {
      if (next == expected.end() || iterator->key() != Slice(next->first) ||
          iterator->value() != Slice(next->second)) {
        Violation(std::string(where) + ": wrong at " + iterator->key().ToString());
        return;
      }
      ++compared_;
    }
    if (!Good(iterator->status(), where)) return;
    if (next != expected.end()) Violation(std::string(where) + ": lost " + next->first);
    size_t backwards = 0;
    for (iterator->SeekToLast(); iterator->valid(); iterator->Prev()) ++backwards;
    if (backwards != expected.size()) Violation(std::string(where) + ": backwards is different");
  }
  void CheckModels() {
    for (size_t family = 0; family < kFamilies; ++family) {
      Compare(db_.get(), handles_[family].get(), Expected(family), "scan");
    }
  }

  void CheckAll() {
    CheckModels();
    for (int i = 0; i < 2000; ++i) {
      const size_t writer = random_.Uniform(kWriters), family = random_.Uniform(kFamilies);
      const std::string key = Key(writer, random_.Uniform(kKeys));
      PinnedValue value;
      const Status s = db_->Get(ReadOptions(), handles_[family].get(), key, &value, nullptr);
      const auto right = models_[writer][family].find(key);
      const bool same = right == models_[writer][family].end()
                            ? s.IsNotFound()
                            : s.ok() && value.slice() == Slice(right->second);
      if (!same) Violation("point read of " + key + ": " + s.ToString());
      ++compared_;
    }
    Good(db_->VerifyChecksums(ReadOptions()), "checksums");
    const std::string path = directory_ + "/checkpoint";
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
    if (Good(CreateCheckpoint(db_.get(), path, random_.OneIn(2) ? 0 : UINT64_MAX), "checkpoint")) {
      Db::OpenRequest request;
      request.path = path;
      request.column_families = {{"default", family_}, {"second", family_}};
      std::vector<std::unique_ptr<ColumnFamilyHandle>> handles;
      auto opened = Db::Open(std::move(request), &handles);
      if (Good(opened.status(), "open of a checkpoint")) {
        for (size_t family = 0; family < kFamilies; ++family) {
          Compare(opened->get(), handles[family].get(), Expected(family), "checkpoint");
        }
      }
      handles.clear();
    }
    std::filesystem::remove_all(path, ignored);
    CheckBounds();
  }

  void CheckBounds() {
    uint64_t live = 0;
    for (size_t family = 0; family < kFamilies; ++family) {
      for (const auto& [key, value] : Expected(family)) live += key.size() + value.size();
    }
    Good(db_->Flush(FlushOptions(), {handles_[0].get()}), "flush");
    Good(db_->Flush(FlushOptions(), {handles_[1].get()}), "flush");
    Good(db_->WaitForCompact(WaitForCompactOptions()), "wait");
    disk_bytes_ = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory_ + "/db")) {
      if (entry.is_regular_file() && entry.path().extension() == ".sst") {
        disk_bytes_ += entry.file_size();
      }
    }
    // Level 0 and the levels above the last, and tombstones on their way down.
    if (disk_bytes_ > 3 * live + (uint64_t{64} << 20)) {
      Violation(Concat("tables take ", disk_bytes_, " bytes for ", live, " of data"));
    }
    if (ResidentBytes() > kMemoryMax) {
      Violation(Concat(ResidentBytes(), " bytes of memory, bound ", kMemoryMax));
    }
  }

  // A workload that nobody wrote down.
  Workload RandomWorkload() {
    Workload workload = Workloads()[random_.Uniform(Workloads().size())];
    const auto some = [this](int most) {
      return random_.OneIn(3) ? 0
                              : static_cast<int>(2 + random_.Uniform(static_cast<uint64_t>(most)));
    };
    workload.batches = static_cast<int>(10 + random_.Uniform(60));
    workload.flush_every = some(15);
    workload.options_every = some(20);
    if (!workload.unlogged) {
      // Those of a workload without logs would have what was flushed alone.
      workload.checkpoint_every = random_.OneIn(3) ? 12 : 0;
      workload.sync_every = some(10);
      workload.sync_wal_every = some(15);
      workload.compact_every = some(20);
      workload.family_every = some(12);
      workload.reopen_every = some(25);
    }
    return workload;
  }

  void CutPower() {
    const Workload workload = RandomWorkload();
    const uint64_t seed = random_.Next() >> 32;
    CrashFileSystem disk;
    Player player(
        workload, seed, &disk,
        [](const void* d) { return static_cast<const CrashFileSystem*>(d)->OperationCount(); },
        &disk);
    if (!Good(player.Play(), workload.name)) return;
    const RecoveryCheck check(workload, player.history(),
                              workload.for_genuine ? genuine_.get() : nullptr);
    for (int i = 0; i < 40; ++i) {
      const size_t first = player.history().opened;
      const size_t cut = first + random_.Uniform(disk.OperationCount() - first + 1);
      const auto loss = static_cast<CrashFileSystem::Loss>(random_.Uniform(4));
      const bool killed = loss == CrashFileSystem::Loss::kNothing;
      const auto after = disk.AfterPowerCut(cut, loss, random_.Next());
      const RecoveryCheck::Outcome outcome =
          check.Check(after.get(), ExpectationAt(player.history(), cut, killed),
                      /*thorough=*/random_.OneIn(4), /*ask_genuine=*/random_.OneIn(30));
      ++recoveries_;
      for (const Fault& fault : outcome.faults) {
        Violation(Concat(workload.name, " of seed ", seed, ", cut ", cut, " loss ",
                         static_cast<int>(loss), ": I", fault.invariant, ": ", fault.what));
      }
    }
  }

  void FailCalls() {
    const Workload workload = RandomWorkload();
    const uint64_t seed = random_.Next() >> 32;
    for (int i = 0; i < 10; ++i) {
      FaultFileSystem::Plan plan;
      plan.kinds = random_.OneIn(3) ? FaultFileSystem::kSync | FaultFileSystem::kDirectorySync
                                    : FaultFileSystem::kAnyWrite;
      plan.nth = 1 + random_.Uniform(400);
      plan.forever = random_.OneIn(2);
      plan.error_number = random_.OneIn(2) ? ENOSPC : EIO;
      plan.retryable = plan.error_number == ENOSPC;
      plan.partial_bytes = random_.Skewed(10);
      FaultRun run(workload, seed, plan);
      (void)run.Go();
      failed_calls_ += run.failed_calls();
      for (const std::string& violation : run.violations()) {
        Violation(Concat(workload.name, " of seed ", seed, ", call ", plan.nth, ": ", violation));
      }
    }
  }

  const uint64_t seed_;
  Random random_;
  const std::string directory_;
  const std::unique_ptr<Genuine> genuine_;
  ColumnFamilyOptions family_;
  std::unique_ptr<Db> db_;
  std::vector<std::unique_ptr<ColumnFamilyHandle>> handles_;
  std::vector<std::vector<Model>> models_ =
      std::vector<std::vector<Model>>(kWriters, std::vector<Model>(kFamilies));
  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> writes_{0};
  uint64_t minute_ = 0, compared_ = 0, recoveries_ = 0, failed_calls_ = 0, disk_bytes_ = 0;
  std::mutex violation_mutex_;
  std::atomic<uint64_t> violations_{0};
};

}  // namespace
}  // namespace skarn

int main(int argc, char** argv) {
  uint64_t minutes = 1, seed = 1;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--minutes") == 0) {
      minutes = strtoull(argv[i + 1], nullptr, 10);
    } else if (strcmp(argv[i], "--seed") == 0) {
      seed = strtoull(argv[i + 1], nullptr, 10);
    } else {
      fprintf(stderr, "usage: soak [--minutes M] [--seed N]\n");
      return 2;
    }
  }
  printf("seed %llu\n", static_cast<unsigned long long>(seed));
  const skarn::ScratchDirectory scratch(/*on_disk=*/true);  // Not all is possible in memory.
  skarn::Soak soak(seed, scratch.path());
  soak.Go(minutes);
  printf("%llu minutes, %llu violations\n", static_cast<unsigned long long>(minutes),
         static_cast<unsigned long long>(soak.violations()));
  return soak.violations() == 0 ? 0 : 1;
}
