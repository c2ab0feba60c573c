// KnownBugs is the fixture of tests for immunity to bugs that lost or damaged data in RocksDB
// releases since 2020. Each test is one row of the table in docs/reliability.md: Row07... is row 7.
//
// The database is on a file system whose power can be cut and whose calls can be made to fail.

#ifndef SKARN_TESTS_BUGS_KNOWN_BUGS_H_
#define SKARN_TESTS_BUGS_KNOWN_BUGS_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/random.h"
#include "core/batch/write_batch.h"
#include "core/env/crash_file_system.h"
#include "core/env/fault_file_system.h"
#include "core/env/test_clock.h"
#include "core/plugin/builtin_merge_operators.h"
#include "core/plugin/filter_policy.h"
#include "core/plugin/slice_transform.h"
#include "tests/unit/db/db_test_base.h"

namespace skarn {

class KnownBugs : public DbTest {
 protected:
  using Loss = CrashFileSystem::Loss;

  KnownBugs() {
    UseDisk(std::make_unique<CrashFileSystem>());
    disk_env_.clock = SystemClock();
    disk_env_.thread_pool = SystemThreadPool();
    options_.env = &disk_env_;
    options_.create_missing_column_families = true;
    options_.max_bgerror_resume_count = 0;  // Tests resume by hand.
  }
  ~KnownBugs() override { CloseDb(); }

  // The power goes now.
  void CutPower(Loss loss, uint64_t seed = 1) {
    auto after = disk_->AfterPowerCut(disk_->OperationCount(), loss, seed);
    CloseDb();
    UseDisk(std::move(after));
  }
  void FailNext(uint32_t kinds, const std::string& path_contains, int error_number = EIO,
                bool forever = false, bool retryable = false) {
    FaultFileSystem::Plan plan;
    plan.kinds = kinds;
    plan.path_contains = path_contains;
    plan.error_number = error_number;
    plan.forever = forever;
    plan.retryable = retryable;
    faults_->Arm(plan);
  }
  std::vector<std::string> FilesOnDisk(const std::string& ending) {
    std::vector<std::string> names, found;
    EXPECT_OK(disk_->GetChildren(path_, &names));
    for (const std::string& name : names) {
      if (Slice(name).EndsWith(ending)) found.push_back(name);
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  Status PutUnlogged(const std::string& key, const std::string& value, size_t family = 0) {
    WriteOptions unlogged;
    unlogged.disable_wal = true;
    return db_->Put(unlogged, cf(family), key, Slice(), value);
  }
  Status PutSynced(const std::string& key, const std::string& value, size_t family = 0) {
    WriteOptions synced;
    synced.sync = true;
    return db_->Put(synced, cf(family), key, Slice(), value);
  }
  Status DeleteRange(const std::string& begin, const std::string& end, size_t family = 0) {
    return db_->DeleteRange(write_, cf(family), begin, end, Slice());
  }
  Status Merge(const std::string& key, const std::string& operand, size_t family = 0) {
    return db_->Merge(write_, cf(family), key, Slice(), operand);
  }
  // Values of `keys`, all asked for at once.
  std::vector<std::string> MultiGet(const std::vector<std::string>& keys,
                                    const ReadOptions& read = ReadOptions()) {
    const std::vector<Slice> slices(keys.begin(), keys.end());
    const std::vector<ColumnFamilyHandle*> families(keys.size(), cf(0));
    std::vector<PinnedValue> values(keys.size());
    std::vector<ValueSink*> sinks;
    for (PinnedValue& value : values) sinks.push_back(&value);
    std::vector<Status> statuses(keys.size());
    db_->MultiGet(read, keys.size(), families.data(), slices.data(), sinks.data(), nullptr,
                  statuses.data(), /*sorted_input=*/false);
    std::vector<std::string> found;
    for (size_t i = 0; i < keys.size(); ++i) {
      found.push_back(statuses[i].ok()           ? values[i].slice().ToString()
                      : statuses[i].IsNotFound() ? "NOT_FOUND"
                                                 : statuses[i].ToString());
    }
    return found;
  }
  Status CompactAll(size_t family = 0) {
    CompactRangeOptions options;
    options.bottommost_level_compaction = BottommostLevelCompaction::kForce;
    return db_->CompactRange(options, cf(family), nullptr, nullptr);
  }

  std::unique_ptr<CrashFileSystem> disk_;
  std::unique_ptr<FaultFileSystem> faults_;
  Env disk_env_;

 private:
  void UseDisk(std::unique_ptr<CrashFileSystem> disk) {
    faults_.reset();
    disk_ = std::move(disk);
    faults_ = std::make_unique<FaultFileSystem>(disk_.get());
    faults_->set_on_failed_sync([this](const std::string& path) { disk_->FailSync(path); });
    disk_env_.file_system = faults_.get();
  }
};

}  // namespace skarn

#endif  // SKARN_TESTS_BUGS_KNOWN_BUGS_H_
