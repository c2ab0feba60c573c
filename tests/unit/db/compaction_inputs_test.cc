#include <string>

#include "tests/unit/db/db_test_base.h"

namespace skarn {
namespace {

class CompactionInputsTest : public DbTest {
 protected:
  void AddFile(const std::string& first, const std::string& last) {
    ASSERT_OK(Put(first, first));
    ASSERT_OK(Put(last, last));
    ASSERT_OK(Flush());
    ASSERT_OK(db_->WaitForCompact(WaitForCompactOptions()));
  }
  void SetLevelBase(const std::string& bytes) {
    ASSERT_OK(db_->SetOptions(cf(0), {{"max_bytes_for_level_base", bytes}}));
  }
};

// The two files of level 1 have nothing below them, but what lies below is between them: merged
// into one file they would overlap it.
TEST_F(CompactionInputsTest, FilesAreNotTakenAlongAcrossAFileBelow) {
  family_options_.num_levels = 3;
  family_options_.level0_file_num_compaction_trigger = 1;
  family_options_.level_compaction_dynamic_level_bytes = false;
  family_options_.max_bytes_for_level_base = 1;
  // No moves: level 2 is compressed otherwise than level 1.
  family_options_.compression_per_level = {CompressionType::kNone, CompressionType::kNone,
                                           CompressionType::kSnappy};
  Open();
  AddFile("c", "d");
  SetLevelBase("1000000");
  AddFile("a", "b");
  AddFile("e", "f");
  ASSERT_EQ(Levels(), "0,2,1");
  SetLevelBase("1");
  ASSERT_OK(db_->WaitForCompact(WaitForCompactOptions()));
  EXPECT_EQ(Scan(), "a->a b->b c->c d->d e->e f->f");
  EXPECT_OK(Put("g", "g"));
  EXPECT_OK(Flush());
}

}  // namespace
}  // namespace skarn
