// Long random histories, compared with a plain std::map at every step.

#include <cstdlib>

#include "core/base/random.h"
#include "core/batch/write_batch.h"
#include "tests/unit/db/db_test_base.h"
#include "tests/unit/test_seed.h"

namespace skarn {
namespace {

class AppendOperator : public MergeOperator {
 public:
  const char* Name() const override { return "test.append"; }
  bool FullMerge(Slice key, const Slice* existing, const std::vector<Slice>& operands,
                 std::string* result) const override {
    (void)key;
    result->clear();
    if (existing != nullptr) *result = existing->ToString();
    for (const Slice operand : operands) {
      if (!result->empty()) *result += ',';
      result->append(operand.data(), operand.size());
    }
    return true;
  }
  bool PartialMerge(Slice key, const std::vector<Slice>& operands,
                    std::string* result) const override {
    return FullMerge(key, nullptr, operands, result);
  }
};

using Model = std::map<std::string, std::string>;

class ModelTest : public DbTest {
 protected:
  static constexpr size_t kFamilies = 2;
  struct Held {
    const Snapshot* snapshot;
    Model models[kFamilies];
  };

  ModelTest() {
    seed_ = TestSeed();
    random_ = std::make_unique<Random>(seed_);
    family_options_.merge_operator = std::make_shared<AppendOperator>();
    family_options_.write_buffer_size = 64 << 10;
    family_options_.target_file_size_base = 16 << 10;
    family_options_.max_bytes_for_level_base = 64 << 10;
    family_options_.level0_file_num_compaction_trigger = 3;
    options_.create_missing_column_families = true;
  }

  std::string RandomKey() {
    const std::string prefix = random_->OneIn(4) ? "k" : "key-with-a-long-common-prefix-";
    return prefix + std::to_string(random_->Uniform(300));
  }
  std::string RandomValue() {
    return std::string(1 + random_->Skewed(9), static_cast<char>('a' + random_->Uniform(26)));
  }
  static void EraseRange(Model* model, const std::string& begin, const std::string& end) {
    model->erase(model->lower_bound(begin), model->lower_bound(end));
  }
  static void MergeInto(Model* model, const std::string& key, const std::string& operand) {
    std::string& value = (*model)[key];
    value = value.empty() ? operand : value + "," + operand;
  }

  void CheckFamily(size_t family, const Model& model, const Snapshot* snapshot) {
    ReadOptions read;
    read.snapshot = snapshot;
    const std::unique_ptr<DbIterator> iterator = db_->NewIterator(read, cf(family));
    auto expected = model.begin();
    for (iterator->SeekToFirst(); iterator->valid(); iterator->Next(), ++expected) {
      ASSERT_NE(expected, model.end()) << "extra key " << iterator->key().ToString();
      ASSERT_EQ(iterator->key().ToString(), expected->first);
      ASSERT_EQ(iterator->value().ToString(), expected->second);
    }
    ASSERT_OK(iterator->status());
    ASSERT_EQ(expected, model.end()) << "missing key " << expected->first;
    auto backward = model.rbegin();
    for (iterator->SeekToLast(); iterator->valid(); iterator->Prev(), ++backward) {
      ASSERT_NE(backward, model.rend()) << "extra key " << iterator->key().ToString();
      ASSERT_EQ(iterator->key().ToString(), backward->first);
      ASSERT_EQ(iterator->value().ToString(), backward->second);
    }
    ASSERT_OK(iterator->status());
    ASSERT_EQ(backward, model.rend());
    for (int i = 0; i < 10; ++i) {
      const std::string key = RandomKey();
      const auto found = model.find(key);
      ASSERT_EQ(Get(key, family, snapshot), found == model.end() ? "NOT_FOUND" : found->second)
          << key;
      iterator->Seek(key);
      const auto at = model.lower_bound(key);
      ASSERT_EQ(iterator->valid(), at != model.end()) << key;
      if (iterator->valid()) {
        ASSERT_EQ(iterator->key().ToString(), at->first);
        // Back and forth again.
        iterator->Prev();
        if (at != model.begin()) {
          ASSERT_TRUE(iterator->valid());
          ASSERT_EQ(iterator->key().ToString(), std::prev(at)->first);
          iterator->Next();
          ASSERT_TRUE(iterator->valid());
          ASSERT_EQ(iterator->key().ToString(), at->first);
        } else {
          ASSERT_FALSE(iterator->valid());
        }
      }
    }
  }
  void ReleaseSnapshots() {
    for (const Held& held : held_) db_->ReleaseSnapshot(held.snapshot);
    held_.clear();
  }
  void Reopen() {
    ReleaseSnapshots();
    Open({"default", "second"});
  }

  void Step() {
    const size_t family = random_->Uniform(kFamilies);
    Model& model = models_[family];
    switch (random_->Uniform(100)) {
      case 0:
        if (random_->OneIn(4)) Reopen();
        break;
      case 1:
        ASSERT_OK(Flush(family));
        break;
      case 2:
        if (random_->OneIn(3)) ASSERT_OK(Compact(family));
        break;
      case 3: {
        std::string begin = RandomKey(), end = RandomKey();
        if (end < begin) std::swap(begin, end);
        Slice begin_slice = begin, end_slice = end;
        ASSERT_OK(db_->CompactRange(CompactRangeOptions(), cf(family), &begin_slice, &end_slice));
        break;
      }
      case 4: {
        Held held;
        held.snapshot = db_->GetSnapshot();
        for (size_t i = 0; i < kFamilies; ++i) held.models[i] = models_[i];
        held_.push_back(std::move(held));
        break;
      }
      case 5:
        if (!held_.empty()) {
          const size_t index = random_->Uniform(held_.size());
          for (size_t i = 0; i < kFamilies; ++i) {
            CheckFamily(i, held_[index].models[i], held_[index].snapshot);
          }
          db_->ReleaseSnapshot(held_[index].snapshot);
          held_.erase(held_.begin() + static_cast<long>(index));
        }
        break;
      case 6:
      case 7: {
        std::string begin = RandomKey(), end = RandomKey();
        if (end < begin) std::swap(begin, end);
        ASSERT_OK(db_->DeleteRange(write_, cf(family), begin, end, Slice()));
        EraseRange(&model, begin, end);
        break;
      }
      case 8:
      case 9: {
        WriteBatch batch;
        for (uint64_t i = random_->Uniform(20); i > 0; --i) {
          const std::string key = RandomKey(), value = RandomValue();
          const auto target = static_cast<uint32_t>(random_->Uniform(kFamilies));
          if (random_->OneIn(4)) {
            ASSERT_OK(batch.Delete(target, key));
            models_[target].erase(key);
          } else if (random_->OneIn(6)) {
            const std::string end = key + "~";
            ASSERT_OK(batch.DeleteRange(target, key, end));
            EraseRange(&models_[target], key, end);
          } else {
            ASSERT_OK(batch.Put(target, key, value));
            models_[target][key] = value;
          }
        }
        ASSERT_OK(db_->Write(write_, &batch));
        break;
      }
      case 10:
        CheckFamily(family, model, nullptr);
        break;
      default: {
        const std::string key = RandomKey(), value = RandomValue();
        if (random_->OneIn(5)) {
          ASSERT_OK(Delete(key, family));
          model.erase(key);
        } else if (random_->OneIn(5)) {
          ASSERT_OK(db_->Merge(write_, cf(family), key, Slice(), value));
          MergeInto(&model, key, value);
        } else {
          ASSERT_OK(Put(key, value, family));
          model[key] = value;
        }
        break;
      }
    }
  }

  void RunSteps(int steps) {
    SCOPED_TRACE("SKARN_TEST_SEED=" + std::to_string(seed_));
    printf("seed %llu\n", static_cast<unsigned long long>(seed_));
    Open({"default", "second"});
    for (int i = 0; i < steps && !HasFatalFailure(); ++i) {
      SCOPED_TRACE("step " + std::to_string(i));
      Step();
    }
    if (HasFatalFailure()) return;
    for (size_t i = 0; i < kFamilies; ++i) CheckFamily(i, models_[i], nullptr);
    Reopen();
    for (size_t i = 0; i < kFamilies; ++i) CheckFamily(i, models_[i], nullptr);
    ReleaseSnapshots();
  }
  void TearDown() override {
    if (db_ != nullptr) ReleaseSnapshots();
  }

  uint64_t seed_ = 0;
  std::unique_ptr<Random> random_;
  Model models_[kFamilies];
  std::vector<Held> held_;
};

TEST_F(ModelTest, LevelCompaction) { RunSteps(8000); }

TEST_F(ModelTest, StaticLevels) {
  family_options_.level_compaction_dynamic_level_bytes = false;
  RunSteps(6000);
}

TEST_F(ModelTest, AtomicFlush) {
  options_.atomic_flush = true;
  RunSteps(5000);
}

TEST_F(ModelTest, RecoveredDataStaysInMemory) {
  options_.avoid_flush_during_recovery = true;
  RunSteps(5000);
}

TEST_F(ModelTest, RecycledLogs) {
  options_.recycle_log_file_num = 2;
  RunSteps(5000);
}

TEST_F(ModelTest, ManualLogFlush) {
  options_.manual_wal_flush = true;
  RunSteps(5000);
}

TEST_F(ModelTest, CompressedLogsTrackedInTheManifest) {
  options_.wal_compression = CompressionType::kZstd;
  options_.track_and_verify_wals_in_manifest = true;
  options_.track_and_verify_wals = true;
  RunSteps(5000);
}

TEST_F(ModelTest, MergesAtTheHead) {
  family_options_.max_successive_merges = 2;
  RunSteps(4000);
}

TEST_F(ModelTest, FewOpenFiles) {
  options_.max_open_files = 20;
  RunSteps(5000);
}

}  // namespace
}  // namespace skarn
