// Many threads on one database, checked for snapshot isolation.
//
//   stress [--seconds S] [--seed N] [--perturb ONE_IN]
//
// In rounds, each with random options: four writers, five readers, two holders of iterators, one of
// snapshots, two that flush and compact, and one each for column families, options, checkpoints and
// properties: sixteen threads and the engine's own. Then all stop, the database is closed in the
// middle of its background work, opened again and compared. What readers saw must fit one order of
// writes (tests/stress/history_checker.h); each round ends with that check.
//
// Prints the seed, the counts and the violations; exits 1 when there is one. Run it with the tsan
// preset for races of memory.

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "core/base/random.h"
#include "core/batch/write_batch.h"
#include "core/db/checkpoint.h"
#include "core/db/db.h"
#include "core/env/env.h"
#include "core/iterate/db_iterator.h"
#include "core/plugin/builtin_merge_operators.h"
#include "tests/stress/history_checker.h"
#include "tests/stress/perturbed.h"

namespace skarn {
namespace {

constexpr size_t kWriters = 4, kReaders = 5, kCells = 6, kFamilies = 2;

struct Counts {
  std::atomic<uint64_t> rounds{0}, writes{0}, looks{0}, violations{0};
};

class Round {
 public:
  Round(FileSystem* fs, uint64_t seed, std::vector<uint64_t>* versions, Counts* counts)
      : seed_(seed), versions_(versions), counts_(counts), checker_(kWriters, kReaders) {
    env_.file_system = fs;
    env_.clock = SystemClock();
    env_.thread_pool = SystemThreadPool();
  }

  void Go(uint64_t milliseconds) {
    counts_->rounds.fetch_add(1);
    if (!Open()) return;
    CheckLast();
    for (size_t writer = 0; writer < kWriters; ++writer) {
      checker_.Begun(writer, (*versions_)[writer]);
      checker_.Acknowledged(writer, (*versions_)[writer]);
    }
    std::vector<std::thread> threads;
    for (size_t i = 0; i < kWriters; ++i) threads.emplace_back([this, i] { Write(i); });
    for (size_t i = 0; i < kReaders; ++i) threads.emplace_back([this, i] { Look(i); });
    threads.emplace_back([this] { HoldIterators(1); });
    threads.emplace_back([this] { HoldIterators(2); });
    threads.emplace_back([this] { HoldSnapshots(); });
    threads.emplace_back([this] { FlushAndCompact(0); });
    threads.emplace_back([this] { FlushAndCompact(1); });
    threads.emplace_back([this] { ChangeFamilies(); });
    threads.emplace_back([this] { ChangeOptions(); });
    threads.emplace_back([this] { LookAround(); });
    for (uint64_t waited = 0; waited < milliseconds && !stop_.load(); waited += 10) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    stop_.store(true);
    for (std::thread& thread : threads) thread.join();
    if (const std::string what = checker_.Check(); !what.empty()) Violation(what);
    counts_->looks.fetch_add(checker_.looks());
    CheckLast();
    // Whatever runs in the background now is cut short.
    handles_.clear();
    db_.reset();
  }

 private:
  void Violation(const std::string& what) {
    if (counts_->violations.fetch_add(1) < 10) {
      printf("seed %llu: %s\n", static_cast<unsigned long long>(seed_), what.c_str());
      fflush(stdout);
    }
    stop_.store(true);
  }
  void Check(const Status& status, const char* what) {
    if (!status.ok()) Violation(std::string(what) + ": " + status.ToString());
  }

  bool Open() {
    Random random(seed_);
    Db::OpenRequest request;
    request.path = "/db";
    DbOptions& db = request.options;
    db.env = &env_;
    db.create_if_missing = true;
    db.create_missing_column_families = true;
    db.max_background_jobs = static_cast<int>(1 + random.Uniform(6));
    db.max_subcompactions = static_cast<uint32_t>(1 + random.Uniform(3));
    db.allow_concurrent_memtable_write = !random.OneIn(4);
    db.enable_pipelined_write = random.OneIn(3);
    db.atomic_flush = random.OneIn(3) && !db.enable_pipelined_write;
    db.two_write_queues = random.OneIn(4) && !db.enable_pipelined_write;
    db.recycle_log_file_num = random.OneIn(3) ? 2 : 0;
    db.manual_wal_flush = random.OneIn(4);
    db.max_open_files = random.OneIn(3) ? 20 : -1;
    db.avoid_flush_during_recovery = random.OneIn(2);
    db.avoid_unnecessary_blocking_io = random.OneIn(2);
    db.max_manifest_file_size = random.OneIn(3) ? 2000 : uint64_t{1} << 30;
    if (random.OneIn(4)) db.db_write_buffer_size = 256 << 10;
    if (random.OneIn(4)) db.max_total_wal_size = 200 << 10;
    options_.write_buffer_size = 64 << 10;
    options_.max_write_buffer_number = static_cast<int>(2 + random.Uniform(3));
    options_.target_file_size_base = 16 << 10;
    options_.max_bytes_for_level_base = 64 << 10;
    options_.level0_file_num_compaction_trigger = static_cast<int>(2 + random.Uniform(3));
    options_.compression = random.OneIn(2) ? CompressionType::kNone : CompressionType::kLz4;
    options_.memtable_whole_key_filtering = random.OneIn(3);
    options_.memtable_prefix_bloom_size_ratio = random.OneIn(2) ? 0.1 : 0;
    options_.merge_operator = NewMergeOperator("stringappend", {});
    options_.table_factory.block_based.block_size = random.OneIn(2) ? 256 : 4096;
    if (random.OneIn(2)) {
      options_.table_factory.block_based.filter_policy = std::make_shared<FilterPolicy>();
    }
    // The same families as last time, and new ones.
    request.column_families.push_back({"default", options_});
    request.column_families.push_back({"second", options_});
    const auto names = Db::ListColumnFamilies(db, "/db");
    if (names.ok()) {
      for (const std::string& name : *names) {
        if (name != "default" && name != "second")
          request.column_families.push_back({name, options_});
      }
    }
    auto opened = Db::Open(std::move(request), &handles_);
    if (!opened.ok()) {
      Violation("open: " + opened.status().ToString());
      return false;
    }
    db_ = std::move(*opened);
    // What a round left of its temporary families goes.
    while (handles_.size() > kFamilies) {
      Check(db_->DropColumnFamily(handles_.back().get()), "drop");
      handles_.pop_back();
    }
    return true;
  }

  static std::string Cell(size_t writer, size_t cell) {
    return "cell-" + std::to_string(writer) + "-" + std::to_string(cell);
  }
  ColumnFamilyHandle* FamilyOfCell(size_t cell) const { return handles_[cell % kFamilies].get(); }

  void Write(size_t writer) {
    Random random(seed_ + writer);
    while (!stop_.load()) {
      const uint64_t number = (*versions_)[writer] + 1;
      const std::string value = std::to_string(number) + std::string(random.Uniform(300), '.');
      WriteBatch batch;
      for (size_t cell = 0; cell < kCells; ++cell) {
        (void)batch.Put(FamilyOfCell(cell)->id(), Cell(writer, cell), value).ok();
      }
      // Something to compact.
      const std::string churn = "churn-" + std::to_string(random.Uniform(500));
      const uint32_t family = handles_[random.Uniform(kFamilies)]->id();
      switch (random.Uniform(6)) {
        case 0:
          (void)batch.Delete(family, churn).ok();
          break;
        case 1:
          (void)batch.DeleteRange(family, churn, churn + "5").ok();
          break;
        case 2:
          (void)batch.Merge(family, "merge-" + churn, "x").ok();
          break;
        default:
          (void)batch.Put(family, churn, value).ok();
      }
      WriteOptions options;
      options.sync = random.OneIn(50);
      checker_.Begun(writer, number);
      const Status status = db_->Write(options, &batch);
      if (!status.ok()) {
        Violation("write: " + status.ToString());
        return;
      }
      checker_.Acknowledged(writer, number);
      (*versions_)[writer] = number;
      counts_->writes.fetch_add(1, std::memory_order_relaxed);
    }
  }

  // All cells at one moment; false on a failure.
  bool ReadCells(uint64_t way, HistoryChecker::Versions* seen) {
    std::vector<std::string> cells(kWriters * kCells);
    if (way <= 1) {
      const Snapshot* const snapshot = way == 0 ? db_->GetSnapshot() : nullptr;
      if (way == 0) {
        for (size_t i = 0; i < cells.size(); ++i) {
          ReadOptions read;
          read.snapshot = snapshot;
          PinnedValue value;
          const Status s = db_->Get(read, FamilyOfCell(i % kCells), Cell(i / kCells, i % kCells),
                                    &value, nullptr);
          if (s.ok()) cells[i] = value.slice().ToString();
          if (!s.ok() && !s.IsNotFound()) Check(s, "get");
        }
        db_->ReleaseSnapshot(snapshot);
      } else {
        std::vector<std::string> keys;
        std::vector<ColumnFamilyHandle*> families;
        for (size_t i = 0; i < cells.size(); ++i) {
          keys.push_back(Cell(i / kCells, i % kCells));
          families.push_back(FamilyOfCell(i % kCells));
        }
        const std::vector<Slice> slices(keys.begin(), keys.end());
        std::vector<PinnedValue> values(keys.size());
        std::vector<ValueSink*> sinks;
        for (PinnedValue& value : values) sinks.push_back(&value);
        std::vector<Status> statuses(keys.size());
        db_->MultiGet(ReadOptions(), keys.size(), families.data(), slices.data(), sinks.data(),
                      nullptr, statuses.data(), false);
        for (size_t i = 0; i < cells.size(); ++i) {
          if (statuses[i].ok()) cells[i] = values[i].slice().ToString();
          if (!statuses[i].ok() && !statuses[i].IsNotFound()) Check(statuses[i], "multi-get");
        }
      }
    } else {
      std::vector<std::unique_ptr<DbIterator>> iterators;
      Status s =
          db_->NewIterators(ReadOptions(), {handles_[0].get(), handles_[1].get()}, &iterators);
      if (!s.ok()) {
        Check(s, "iterators");
        return false;
      }
      for (const auto& iterator : iterators) {
        if (way == 2) {
          for (iterator->Seek("cell-"); iterator->valid() && iterator->key().StartsWith("cell-");
               iterator->Next()) {
            TakeCell(*iterator, &cells);
          }
        } else {
          for (iterator->SeekForPrev("cell~");
               iterator->valid() && iterator->key().StartsWith("cell-"); iterator->Prev()) {
            TakeCell(*iterator, &cells);
          }
        }
        Check(iterator->status(), "iterate");
      }
    }
    seen->assign(kWriters, 0);
    for (size_t i = 0; i < cells.size(); ++i) {
      const uint64_t number = strtoull(cells[i].c_str(), nullptr, 10);
      if (i % kCells == 0) {
        (*seen)[i / kCells] = number;
      } else if ((*seen)[i / kCells] != number) {
        Violation("half a batch: cells of writer " + std::to_string(i / kCells) + " at " +
                  std::to_string((*seen)[i / kCells]) + " and " + std::to_string(number) +
                  ", way " + std::to_string(way));
        return false;
      }
    }
    return true;
  }
  static void TakeCell(const DbIterator& iterator, std::vector<std::string>* cells) {
    const std::string key = iterator.key().ToString();
    size_t writer = 0, cell = 0;
    if (sscanf(key.c_str(), "cell-%zu-%zu", &writer, &cell) != 2) return;
    if (writer < kWriters && cell < kCells) {
      (*cells)[writer * kCells + cell] = iterator.value().ToString();
    }
  }

  void Look(size_t reader) {
    Random random(seed_ + 100 + reader);
    while (!stop_.load()) {
      const HistoryChecker::Versions least = checker_.Least();
      HistoryChecker::Versions seen;
      if (!ReadCells(random.Uniform(4), &seen)) return;
      if (const std::string what = checker_.Add(reader, least, seen); !what.empty()) {
        Violation(what);
      }
    }
  }

  // One moment, looked at again and again while files come and go.
  void HoldIterators(uint64_t salt) {
    Random random(seed_ + 200 + salt);
    while (!stop_.load()) {
      const auto iterator = db_->NewIterator(ReadOptions(), handles_[random.Uniform(2)].get());
      size_t before = 0;
      for (int pass = 0; pass < 4 && !stop_.load(); ++pass) {
        size_t hash = 0, count = 0;
        for (iterator->SeekToFirst(); iterator->valid(); iterator->Next(), ++count) {
          hash = hash * 31 + std::hash<std::string>()(iterator->value().ToString());
        }
        if (!iterator->status().ok()) Check(iterator->status(), "a held iterator");
        if (pass > 0 && hash != before) Violation("an iterator saw two different moments");
        before = hash;
      }
      Check(iterator->Refresh(), "refresh");
      iterator->SeekToLast();
      if (iterator->valid()) iterator->Prev();
      Check(iterator->status(), "a refreshed iterator");
    }
  }

  void HoldSnapshots() {
    Random random(seed_ + 300);
    struct Held {
      const Snapshot* snapshot;
      std::string value;
    };
    std::vector<Held> held;
    const auto read = [this](const Snapshot* snapshot) {
      ReadOptions options;
      options.snapshot = snapshot;
      PinnedValue value;
      const Status s = db_->Get(options, FamilyOfCell(0), Cell(0, 0), &value, nullptr);
      if (!s.ok() && !s.IsNotFound()) Check(s, "read of a snapshot");
      return value.slice().ToString();
    };
    while (!stop_.load()) {
      const Snapshot* const snapshot = db_->GetSnapshot();
      held.push_back({snapshot, read(snapshot)});
      if (held.size() > 10) {
        const size_t which = random.Uniform(held.size());
        if (read(held[which].snapshot) != held[which].value) Violation("a snapshot has changed");
        db_->ReleaseSnapshot(held[which].snapshot);
        held.erase(held.begin() + static_cast<long>(which));
      }
      std::this_thread::sleep_for(std::chrono::microseconds(random.Uniform(3000)));
    }
    for (const Held& one : held) db_->ReleaseSnapshot(one.snapshot);
  }

  void FlushAndCompact(uint64_t salt) {
    Random random(seed_ + 400 + salt);
    while (!stop_.load()) {
      std::this_thread::sleep_for(std::chrono::microseconds(random.Uniform(20000)));
      ColumnFamilyHandle* const family = handles_[random.Uniform(2)].get();
      if (random.OneIn(2)) {
        FlushOptions flush;
        flush.wait = random.OneIn(2);
        flush.allow_write_stall = random.OneIn(2);
        const Status s = db_->Flush(flush, {family});
        if (!s.ok() && !s.IsTryAgain()) Check(s, "flush");
        continue;
      }
      CompactRangeOptions options;
      options.exclusive_manual_compaction = random.OneIn(3);
      options.bottommost_level_compaction = BottommostLevelCompaction::kForceOptimized;
      const std::string from = "churn-" + std::to_string(random.Uniform(500));
      const Slice begin = from;
      const Status s =
          db_->CompactRange(options, family, random.OneIn(2) ? &begin : nullptr, nullptr);
      if (!s.ok() && !s.IsIncomplete()) Check(s, "compaction");
    }
  }

  void ChangeFamilies() {
    Random random(seed_ + 500);
    std::vector<std::unique_ptr<ColumnFamilyHandle>> temporary;
    for (int i = 0; !stop_.load(); ++i) {
      auto created = db_->CreateColumnFamily(
          options_, "temporary" + std::to_string(seed_) + "-" + std::to_string(i));
      if (!created.ok()) {
        Check(created.status(), "create");
        break;
      }
      temporary.push_back(std::move(*created));
      for (int key = 0; key < 20; ++key) {
        Check(db_->Put(WriteOptions(), temporary.back().get(), std::to_string(key), Slice(), "v"),
              "put");
      }
      const auto iterator = db_->NewIterator(ReadOptions(), temporary.back().get());
      if (temporary.size() > 2) {
        Check(db_->DropColumnFamily(temporary.front().get()), "drop");
        temporary.erase(temporary.begin());
      }
      int keys = 0;
      for (iterator->SeekToFirst(); iterator->valid(); iterator->Next()) ++keys;
      if (keys != 20) Violation("a new family has lost keys");
      std::this_thread::sleep_for(std::chrono::microseconds(random.Uniform(20000)));
    }
  }

  void ChangeOptions() {
    Random random(seed_ + 600);
    while (!stop_.load()) {
      std::this_thread::sleep_for(std::chrono::microseconds(random.Uniform(20000)));
      ColumnFamilyHandle* const family = handles_[random.Uniform(2)].get();
      switch (random.Uniform(4)) {
        case 0:
          Check(db_->SetOptions(family,
                                {{"write_buffer_size", random.OneIn(2) ? "65536" : "131072"}}),
                "set");
          break;
        case 1:
          Check(db_->SetOptions(
                    family, {{"level0_file_num_compaction_trigger", random.OneIn(2) ? "2" : "5"}}),
                "set");
          break;
        case 2:
          Check(db_->SetDbOptions({{"max_background_jobs", std::to_string(1 + random.Uniform(6))}}),
                "set");
          break;
        default:
          Check(db_->SetOptions(family,
                                {{"disable_auto_compactions", random.OneIn(2) ? "true" : "false"}}),
                "set");
      }
    }
  }

  void LookAround() {
    Random random(seed_ + 700);
    for (int i = 0; !stop_.load(); ++i) {
      std::this_thread::sleep_for(std::chrono::microseconds(random.Uniform(20000)));
      std::string text;
      uint64_t number = 0;
      switch (random.Uniform(6)) {
        case 0: {
          const std::string path = "/checkpoint" + std::to_string(seed_) + "-" + std::to_string(i);
          Check(CreateCheckpoint(db_.get(), path, random.OneIn(2) ? 0 : UINT64_MAX), "checkpoint");
          DbOptions options;
          options.env = &env_;
          Check(Db::Destroy(options, ColumnFamilyOptions(), path), "destroy");
          break;
        }
        case 1:
          (void)db_->GetProperty(nullptr, "rocksdb.stats", &text);
          (void)db_->GetIntProperty(nullptr, "rocksdb.estimate-live-data-size", &number);
          break;
        case 2:
          Check(random.OneIn(2) ? db_->SyncWal() : db_->FlushWal(random.OneIn(2)), "sync");
          break;
        case 3:
          Check(db_->PauseBackgroundWork(), "pause");
          std::this_thread::sleep_for(std::chrono::microseconds(random.Uniform(2000)));
          Check(db_->ContinueBackgroundWork(), "continue");
          break;
        case 4:
          db_->DisableManualCompaction();
          db_->EnableManualCompaction();
          break;
        default: {
          ColumnFamilyMetadata metadata;
          db_->GetColumnFamilyMetadata(handles_[0].get(), &metadata);
          (void)db_->GetDbOptions();
        }
      }
    }
  }

  void CheckLast() {
    HistoryChecker::Versions seen;
    for (uint64_t way = 0; way < 4; ++way) {
      if (ReadCells(way, &seen) && seen != *versions_) {
        Violation("the last state is not what was written, way " + std::to_string(way));
      }
    }
  }

  const uint64_t seed_;
  std::vector<uint64_t>* const versions_;  // By writer; each writes its own.
  Counts* const counts_;
  Env env_;
  ColumnFamilyOptions options_;
  HistoryChecker checker_;
  std::atomic<bool> stop_{false};
  std::unique_ptr<Db> db_;
  std::vector<std::unique_ptr<ColumnFamilyHandle>> handles_;
};

}  // namespace
}  // namespace skarn

int main(int argc, char** argv) {
  uint64_t seconds = 12, seed = 1, one_in = 40;
  for (int i = 1; i + 1 < argc; i += 2) {
    const uint64_t value = strtoull(argv[i + 1], nullptr, 10);
    if (strcmp(argv[i], "--seconds") == 0) {
      seconds = value;
    } else if (strcmp(argv[i], "--seed") == 0) {
      seed = value;
    } else if (strcmp(argv[i], "--perturb") == 0) {
      one_in = value;
    } else {
      fprintf(stderr, "usage: stress [--seconds S] [--seed N] [--perturb ONE_IN]\n");
      return 2;
    }
  }
  printf("seed %llu\n", static_cast<unsigned long long>(seed));
  skarn::SetPerturbation(seed, static_cast<uint32_t>(one_in));
  const std::unique_ptr<skarn::FileSystem> memory = skarn::NewMemoryFileSystem();
  skarn::PerturbedFileSystem fs(memory.get());
  std::vector<uint64_t> versions(skarn::kWriters, 0);
  skarn::Counts counts;
  const time_t end = time(nullptr) + static_cast<time_t>(seconds);
  for (uint64_t round = 0; time(nullptr) < end && counts.violations.load() == 0; ++round) {
    skarn::Round(&fs, seed * 1000 + round, &versions, &counts).Go(1000);
  }
  printf(
      "%llu rounds, %llu batches, %llu looks in one order, %llu perturbations at %llu points, %llu "
      "violations\n",
      static_cast<unsigned long long>(counts.rounds.load()),
      static_cast<unsigned long long>(counts.writes.load()),
      static_cast<unsigned long long>(counts.looks.load()),
      static_cast<unsigned long long>(skarn::Perturbations()),
      static_cast<unsigned long long>(skarn::PerturbationPoints()),
      static_cast<unsigned long long>(counts.violations.load()));
  return counts.violations.load() == 0 ? 0 : 1;
}
