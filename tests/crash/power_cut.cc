// Power cuts at every change that a workload makes to the disk.
//
//   power_cut [--seeds A..B] [--workload NAME]
//
// A workload writes batches to two column families and notes after each how many
// changes the disk had seen. Then, for every number of changes and several ways to lose
// what was not synced, the disk is rebuilt as a power cut would have left it and the
// database is opened on it. What is checked (docs/invariants.md):
//
//   I1  every batch that was synced and acknowledged before the cut is there
//   I2  what is there is what the first n batches made, for one n: a prefix of history
//   I3  a batch is there in both column families or in none
//   I4  so no deleted or overwritten value is back
//   I9  a second cut, during the recovery, changes none of this
//
// A killed process (nothing lost but the process) must keep every acknowledged batch.
//
// One outcome is counted apart: when any 512 bytes may be missing by themselves, the record
// that was being written to the MANIFEST can come out whole in length and wrong in content.
// That looks like decay of a durable record, and is refused with Corruption as RocksDB
// refuses it, because dropping a durable record would lose data in silence.
//
// Prints the points tried, those refused and the violations; exits 1 when there is one.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/db/db.h"
#include "core/env/crash_file_system.h"
#include "core/env/env.h"
#include "core/iterate/db_iterator.h"

namespace skarn {
namespace {

constexpr char kPath[] = "/db";
constexpr char kCounterKey[] = "~counter";
const std::vector<std::string> kFamilies = {"default", "second"};

struct Workload {
  const char* name;
  int batches;
  int sync_every;   // 0: never.
  int flush_every;  // 0: never.
  bool compact;
  void (*change)(DbOptions* db, ColumnFamilyOptions* family);
};

const Workload kWorkloads[] = {
    {"synced", 60, 3, 0, false, [](DbOptions*, ColumnFamilyOptions*) {}},
    {"flush_and_compact", 70, 5, 9, true, [](DbOptions*, ColumnFamilyOptions*) {}},
    {"atomic_flush", 60, 7, 11, false,
     [](DbOptions* db, ColumnFamilyOptions*) { db->atomic_flush = true; }},
    {"recycled_logs", 60, 4, 6, false,
     [](DbOptions* db, ColumnFamilyOptions*) { db->recycle_log_file_num = 2; }},
    {"compressed_logs", 60, 4, 13, false,
     [](DbOptions* db, ColumnFamilyOptions*) { db->wal_compression = CompressionType::kZstd; }},
    {"small_manifest", 60, 5, 4, true,
     [](DbOptions* db, ColumnFamilyOptions*) {
       db->max_manifest_file_size = 200;
       db->max_manifest_space_amp_pct = 0;
     }},
};

using Contents = std::vector<std::map<std::string, std::string>>;  // By column family.

// Batch `i` of a history: the same for every run with the same seed.
void FillBatch(uint32_t seed, int i, WriteBatch* batch, Contents* contents) {
  std::mt19937 random(seed * 7919 + static_cast<uint32_t>(i));
  const auto put = [&](uint32_t family, const std::string& key, const std::string& value) {
    if (batch != nullptr) (void)batch->Put(family, key, value).ok();
    (*contents)[family][key] = value;
  };
  const auto erase = [&](uint32_t family, const std::string& key) {
    if (batch != nullptr) (void)batch->Delete(family, key).ok();
    (*contents)[family].erase(key);
  };
  for (int entry = 0; entry < 4; ++entry) {
    const uint32_t family = random() % 2;
    const std::string key = "k" + std::to_string(random() % 20);
    switch (random() % 5) {
      case 0:
        erase(family, key);
        break;
      case 1: {
        const std::string end = key + "~";
        if (batch != nullptr) (void)batch->DeleteRange(family, key, end).ok();
        auto& map = (*contents)[family];
        map.erase(map.lower_bound(key), map.lower_bound(end));
        break;
      }
      default:
        put(family, key, std::string(random() % 300, static_cast<char>('a' + i % 26)));
    }
  }
  put(0, kCounterKey, std::to_string(i));
  put(1, kCounterKey, std::to_string(i));
}

struct Opened {
  Env env;
  std::vector<std::unique_ptr<ColumnFamilyHandle>> handles;
  std::unique_ptr<Db> db;
};

Status Open(FileSystem* fs, const Workload& workload, bool create, Opened* opened) {
  opened->env.file_system = fs;
  opened->env.clock = SystemClock();
  opened->env.thread_pool = SystemThreadPool();
  Db::OpenRequest request;
  request.options.env = &opened->env;
  request.options.create_if_missing = true;
  request.options.create_missing_column_families = create;
  ColumnFamilyOptions family;
  family.compression = CompressionType::kNone;
  family.level0_file_num_compaction_trigger = 3;
  workload.change(&request.options, &family);
  request.path = kPath;
  for (const std::string& name : kFamilies) request.column_families.push_back({name, family});
  auto db = Db::Open(std::move(request), &opened->handles);
  if (!db.ok()) return db.status();
  opened->db = std::move(*db);
  return Status::Ok();
}

void Close(Opened* opened) {
  opened->handles.clear();
  opened->db.reset();
}

Status Read(Db* db, ColumnFamilyHandle* family, std::map<std::string, std::string>* contents) {
  const auto iterator = db->NewIterator(ReadOptions(), family);
  for (iterator->SeekToFirst(); iterator->valid(); iterator->Next()) {
    (*contents)[iterator->key().ToString()] = iterator->value().ToString();
  }
  return iterator->status();
}

// What had been promised when the disk had seen so many changes.
struct Acknowledged {
  size_t operations;
  int batch;
  bool synced;
};

class Run {
 public:
  Run(const Workload& workload, uint32_t seed) : workload_(workload), seed_(seed) {}

  uint64_t points = 0;
  uint64_t refused = 0;
  uint64_t violations = 0;

  void Go() {
    Write();
    const size_t total = fs_.OperationCount();
    for (size_t cut = created_; cut <= total; ++cut) {
      Check(cut, CrashFileSystem::Loss::kNothing);
      Check(cut, CrashFileSystem::Loss::kEverything);
      Check(cut, CrashFileSystem::Loss::kTail);
      Check(cut, CrashFileSystem::Loss::kAnything);
    }
  }

 private:
  void Write() {
    Opened opened;
    if (Status s = Open(&fs_, workload_, true, &opened); !s.ok()) {
      Report("the workload could not open: " + s.ToString());
      return;
    }
    created_ = fs_.OperationCount();
    Contents contents(kFamilies.size());
    states_.push_back(contents);
    for (int i = 1; i <= workload_.batches; ++i) {
      WriteBatch batch;
      FillBatch(seed_, i, &batch, &contents);
      states_.push_back(contents);
      WriteOptions options;
      options.sync = workload_.sync_every > 0 && i % workload_.sync_every == 0;
      if (Status s = opened.db->Write(options, &batch); !s.ok()) Report("write: " + s.ToString());
      acknowledged_.push_back({fs_.OperationCount(), i, options.sync});
      if (workload_.flush_every > 0 && i % workload_.flush_every == 0) {
        ColumnFamilyHandle* const family = opened.handles[(i / workload_.flush_every) % 2].get();
        if (Status s = opened.db->Flush(FlushOptions(), {family}); !s.ok()) {
          Report("flush: " + s.ToString());
        }
        if (workload_.compact && i % (3 * workload_.flush_every) == 0) {
          Status s = opened.db->CompactRange(CompactRangeOptions(), family, nullptr, nullptr);
          if (!s.ok()) Report("compaction: " + s.ToString());
        }
      }
    }
    Close(&opened);
  }

  void Check(size_t cut, CrashFileSystem::Loss loss) {
    // A synced batch covers all that were committed before it.
    int promised = 0;
    for (const Acknowledged& a : acknowledged_) {
      if (a.operations > cut) break;
      if (a.synced || loss == CrashFileSystem::Loss::kNothing) promised = a.batch;
    }
    const auto disk = fs_.AfterPowerCut(cut, loss, seed_ + cut);
    Recover(disk.get(), cut, loss, promised, /*depth=*/0);
  }

  void Recover(CrashFileSystem* disk, size_t cut, CrashFileSystem::Loss loss, int promised,
               int depth) {
    ++points;
    const std::string where =
        Concat("cut ", cut, " loss ", static_cast<int>(loss), " depth ", depth, " (",
               cut > 0 ? fs_.DescribeOperation(cut - 1) : "", ")");
    Opened opened;
    if (Status s = Open(disk, workload_, false, &opened); !s.ok()) {
      if (loss == CrashFileSystem::Loss::kAnything && s.IsCorruption() &&
          s.ToString().find("/MANIFEST-") != std::string::npos) {
        ++refused;
        return;
      }
      Report(where + ": open: " + s.ToString());
      return;
    }
    Contents found(kFamilies.size());
    for (size_t i = 0; i < kFamilies.size(); ++i) {
      if (Status s = Read(opened.db.get(), opened.handles[i].get(), &found[i]); !s.ok()) {
        Report(where + ": scan: " + s.ToString());
        Close(&opened);
        return;
      }
    }
    Close(&opened);
    const auto counter = found[0].find(kCounterKey);
    const int last = counter == found[0].end() ? 0 : atoi(counter->second.c_str());
    if (last < promised) {
      Report(Concat(where, ": batch ", promised, " was promised, history ends at ", last));
    } else if (found != states_[static_cast<size_t>(last)]) {
      Report(Concat(where, ": not what the first ", last, " batches made"));
    }
    // Cut the recovery itself, somewhere; what it found must be found again.
    if (depth < 2 && points % 7 == 0 && disk->OperationCount() > 0) {
      const size_t second = (cut * 31 + points) % (disk->OperationCount() + 1);
      const auto again = disk->AfterPowerCut(second, loss, seed_ + points);
      Recover(again.get(), cut, loss, loss == CrashFileSystem::Loss::kNothing ? last : promised,
              depth + 1);
    }
  }

  void Report(const std::string& what) {
    ++violations;
    if (violations <= 10) {
      printf("%s seed %u: %s\n", workload_.name, seed_, what.c_str());
    }
  }

  const Workload& workload_;
  const uint32_t seed_;
  CrashFileSystem fs_;
  size_t created_ = 0;
  std::vector<Contents> states_;  // After so many batches.
  std::vector<Acknowledged> acknowledged_;
};

}  // namespace
}  // namespace skarn

int main(int argc, char** argv) {
  unsigned first = 1;
  unsigned last = 1;
  const char* only = nullptr;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--seeds") == 0 && sscanf(argv[i + 1], "%u..%u", &first, &last) >= 1) {
      if (strstr(argv[i + 1], "..") == nullptr) last = first;
    } else if (strcmp(argv[i], "--workload") == 0) {
      only = argv[i + 1];
    } else {
      fprintf(stderr, "usage: power_cut [--seeds A..B] [--workload NAME]\n");
      return 2;
    }
  }
  uint64_t points = 0;
  uint64_t refused = 0;
  uint64_t violations = 0;
  for (unsigned seed = first; seed <= last; ++seed) {
    for (const skarn::Workload& workload : skarn::kWorkloads) {
      if (only != nullptr && strcmp(only, workload.name) != 0) continue;
      skarn::Run run(workload, seed);
      run.Go();
      printf("%s seed %u: %llu points, %llu violations\n", workload.name, seed,
             static_cast<unsigned long long>(run.points),
             static_cast<unsigned long long>(run.violations));
      fflush(stdout);
      points += run.points;
      refused += run.refused;
      violations += run.violations;
    }
  }
  printf("%llu points tried, %llu refused, %llu violations\n",
         static_cast<unsigned long long>(points), static_cast<unsigned long long>(refused),
         static_cast<unsigned long long>(violations));
  return violations == 0 ? 0 : 1;
}
