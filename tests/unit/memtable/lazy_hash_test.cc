#include "core/memtable/lazy_hash.h"

#include <gtest/gtest.h>

#include <string>

#include "core/base/hash.h"

namespace skarn {
namespace {

class LazyHashTest : public testing::Test {
 protected:
  // Everything a writer does but the commit. Sets `added_` when the table took it.
  void Write(const std::string& key, SequenceNumber sequence) {
    key_ = key;
    tag_ = PackTag(sequence, EntryKind::kValue);
    size_ = RecordSize(key.size(), /*value_size=*/0, /*check_size=*/0);
    WriteLane* const lane = lanes_.first();
    char* const record = store_.Append(&lane->position, size_, &ref_);
    ASSERT_NE(record, nullptr);
    WriteRecord(record, key_, tag_, Slice());
    VersionHash* const hash = lazy_.ForWriting();
    added_ = hash != nullptr;
    if (added_) {
      ASSERT_EQ(hash->Insert(Hash64(key_), key_, tag_, ref_), VersionHash::Outcome::kAdded);
    }
  }
  void Commit() {
    WriteLane* const lane = lanes_.first();
    store_.Commit(&lane->position, size_);
    lane->Count(TagSequence(tag_), /*deletion=*/false, key_.size());
  }
  void Committed() {
    if (!added_) lazy_.Committed(key_, tag_, ref_, lanes_.entries());
  }
  RecordRef Find(const std::string& key) { return lazy_.ForReading().Find(Hash64(key), key); }
  uint64_t Newest(const std::string& key) {
    const RecordRef ref = Find(key);
    return ref == 0 ? 0 : TagSequence(ReadRecordKey(store_.At(ref)).tag);
  }

  RecordStore store_;
  WriteLanes lanes_;
  LazyHash lazy_{store_, lanes_, /*check_size=*/0, /*expected_entries=*/0, VersionHash::Forecast()};
  std::string key_;
  uint64_t tag_ = 0;
  RecordRef ref_ = 0;
  size_t size_ = 0;
  bool added_ = false;
};

TEST_F(LazyHashTest, TakesInARecordThatIsCommittedAfterTheTableWasMade) {
  Write("a", 1);
  Commit();
  Committed();
  Write("a", 2);
  ASSERT_FALSE(added_);
  EXPECT_EQ(Newest("a"), 1u);  // Makes the table, which cannot have the second record.
  Commit();
  Committed();
  EXPECT_EQ(Newest("a"), 2u);
  Write("b", 3);
  EXPECT_TRUE(added_);
  EXPECT_EQ(Newest("b"), 3u);
}

TEST_F(LazyHashTest, TakesInARecordOnceThatIsCommittedBeforeTheTableIsMade) {
  Write("a", 1);
  Commit();
  Committed();
  Write("a", 2);
  Commit();
  EXPECT_EQ(Newest("a"), 2u);  // Makes the table with both records.
  const RecordRef head = Find("a");
  Committed();
  EXPECT_EQ(Find("a"), head);
  const RecordRef older = RecordOlder(store_.At(head)).load();
  ASSERT_NE(older, 0u);
  EXPECT_NE(older, head);
  EXPECT_EQ(RecordOlder(store_.At(older)).load(), 0u);
}

}  // namespace
}  // namespace skarn
