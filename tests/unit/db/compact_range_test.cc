// Compactions that callers ask for: how far they go and what they rewrite.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/db/ttl_db.h"
#include "core/env/test_clock.h"
#include "core/plugin/builtin_merge_operators.h"
#include "core/plugin/compaction_filter.h"
#include "tests/unit/db/db_test_base.h"

namespace skarn {
namespace {

// Counts how often it is shown a key: "a b b" for a once and b twice.
class SeenKeys final : public CompactionFilter {
 public:
  const char* Name() const override { return "SeenKeys"; }
  Decision Filter(int level, Slice key, Slice value, std::string* new_value) const override {
    (void)level, (void)value, (void)new_value;
    seen_.push_back(key.ToString());
    return Decision::kKeep;
  }
  std::string Take() {
    std::vector<std::string> seen = std::exchange(seen_, {});
    std::sort(seen.begin(), seen.end());
    std::string text;
    for (const std::string& key : seen) text += text.empty() ? key : " " + key;
    return text;
  }

 private:
  mutable std::vector<std::string> seen_;
};

class CompactRangeTest : public DbTest {
 protected:
  CompactRangeTest() { family_options_.disable_auto_compactions = true; }
  void AddFile(const std::string& first, const std::string& last, const std::string& value) {
    ASSERT_OK(Put(first, value));
    ASSERT_OK(Put(last, value));
    ASSERT_OK(Flush());
  }
  Status Compact(BottommostLevelCompaction bottommost) {
    CompactRangeOptions options;
    options.bottommost_level_compaction = bottommost;
    return db_->CompactRange(options, cf(0), nullptr, nullptr);
  }
  // Three files on the last level, and on level 0 what overlaps the middle one.
  void MakeThreeFiles() {
    for (const char* keys : {"ab", "mn", "yz"}) {
      AddFile(std::string(1, keys[0]), std::string(1, keys[1]), "old");
      const Slice begin(keys, 1), end(keys + 1, 1);
      ASSERT_OK(db_->CompactRange(CompactRangeOptions(), cf(0), &begin, &end));
    }
    AddFile("m", "n", "new");
    ASSERT_EQ(Levels(), "1,0,0,0,0,0,3");
    (void)filter_.Take();
  }
  SeenKeys filter_;
};

// Level 0 went straight to the last level, under what lay on the levels between: old values came
// back for good.
TEST_F(CompactRangeTest, InUniversalStyleNothingGoesBelowWhatIsOlder) {
  family_options_.level_compaction_dynamic_level_bytes = false;
  Open();
  AddFile("a", "b", "1");
  ASSERT_OK(Compact(BottommostLevelCompaction::kSkip));
  ASSERT_EQ(Levels(), "0,1");
  family_options_.compaction_style = CompactionStyle::kUniversal;
  Open();
  AddFile("a", "b", "2");
  AddFile("b", "c", "3");
  ASSERT_OK(Compact(BottommostLevelCompaction::kSkip));
  EXPECT_EQ(Scan(), "a->2 b->3 c->3");
  EXPECT_EQ(Get("a"), "2");
}

TEST_F(CompactRangeTest, UniversalStyleIsArrangedByLevels) {
  family_options_.compaction_style = CompactionStyle::kUniversal;
  family_options_.level0_file_num_compaction_trigger = 2;
  family_options_.disable_auto_compactions = false;
  for (const int levels : {1, 2, 7}) {
    path_ = "universal-" + std::to_string(levels);
    family_options_.num_levels = levels;
    Open();
    for (int i = 0; i < 20; ++i) {
      AddFile("a", "b" + std::to_string(i), std::to_string(i));
      ASSERT_OK(db_->WaitForCompact(WaitForCompactOptions()));
    }
    EXPECT_EQ(Get("a"), "19");
    if (levels > 1) EXPECT_EQ(Levels().substr(0, 2), "0,");
    AddFile("a", "b", "20");
    ASSERT_OK(Compact(BottommostLevelCompaction::kForce));
    EXPECT_EQ(Levels(), levels == 1 ? "1" : "0,1");
    EXPECT_EQ(Get("a"), "20");
    CloseDb();
  }
}

TEST_F(CompactRangeTest, ForcedItRewritesWhatItHasJustWrittenToo) {
  family_options_.compaction_filter = &filter_;
  Open();
  MakeThreeFiles();
  ASSERT_OK(Compact(BottommostLevelCompaction::kForce));
  EXPECT_EQ(filter_.Take(), "a b m m n n y z");
  EXPECT_EQ(Scan(), "a->old b->old m->new n->new y->old z->old");
}

// A file that was just written lies between two that were not: merged into one they would span it,
// and so have it filtered once more.
TEST_F(CompactRangeTest, OptimizedItFiltersNothingTwice) {
  family_options_.compaction_filter = &filter_;
  for (const BottommostLevelCompaction bottommost :
       {BottommostLevelCompaction::kIfHaveCompactionFilter,
        BottommostLevelCompaction::kForceOptimized}) {
    path_ = "optimized-" + std::to_string(static_cast<int>(bottommost));
    Open();
    MakeThreeFiles();
    ASSERT_OK(Compact(bottommost));
    EXPECT_EQ(filter_.Take(), "a b m n y z");
    EXPECT_EQ(Levels(), "0,0,0,0,0,0,3");
    EXPECT_EQ(Scan(), "a->old b->old m->new n->new y->old z->old");
  }
}

// A value is as old as its newest operand: dropped alone, the older ones would be missing in it.
TEST_F(CompactRangeTest, OperandsThatAreOlderThanTheTimeToLiveStayWithNewerOnes) {
  TestClock clock;
  env_->clock = &clock;
  family_options_.merge_operator = NewMergeOperator("stringappend", {});
  Db::OpenRequest request;
  request.options = options_;
  request.path = path_;
  request.column_families.push_back({"default", family_options_});
  Result<std::unique_ptr<Db>> db = OpenTtlDb(std::move(request), {10}, &handles_);
  ASSERT_OK(db.status());
  db_ = std::move(*db);
  ASSERT_OK(db_->Merge(write_, cf(0), "k", Slice(), "1"));
  ASSERT_OK(db_->Merge(write_, cf(0), "old", Slice(), "1"));
  ASSERT_OK(Flush());
  clock.Advance(20 * 1000000);
  ASSERT_OK(db_->Merge(write_, cf(0), "k", Slice(), "2"));
  ASSERT_OK(Flush());
  ASSERT_OK(Compact(BottommostLevelCompaction::kSkip));
  EXPECT_EQ(Get("k"), "1,2");
  CloseDb();
  env_->clock = SystemClock();
}

}  // namespace
}  // namespace skarn
