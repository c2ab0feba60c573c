#include "core/memtable/version_hash.h"

#include <gtest/gtest.h>

#include <string>

#include "core/base/hash.h"

namespace skarn {
namespace {

class VersionHashTest : public testing::Test {
 protected:
  static VersionHash::Forecast Expect(const uint64_t* entries) {
    return {[](const void* state) { return *static_cast<const uint64_t*>(state); }, entries};
  }
  static std::string Key(uint64_t i) { return "key" + std::to_string(i * 2654435761u); }

  void Insert(VersionHash* hash, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
      const std::string key = Key(i);
      const uint64_t tag = PackTag(i + 1, EntryKind::kValue);
      const size_t size = RecordSize(key.size(), /*value_size=*/0, /*check_size=*/0);
      RecordRef ref = 0;
      char* const record = store_.Append(&lane_, size, &ref);
      ASSERT_NE(record, nullptr);
      WriteRecord(record, key, tag, Slice());
      ASSERT_EQ(hash->Insert(Hash64(key), key, tag, ref), VersionHash::Outcome::kAdded);
      store_.Commit(&lane_, size);
    }
    for (uint64_t i = 0; i < count; i += 7) {
      const std::string key = Key(i);
      const RecordRef ref = hash->Find(Hash64(key), key);
      ASSERT_NE(ref, 0u);
      EXPECT_EQ(ReadRecordKey(store_.At(ref)).tag, PackTag(i + 1, EntryKind::kValue));
      EXPECT_EQ(hash->Find(Hash64(key + "x"), key + "x"), 0u);
    }
  }

  RecordStore store_;
  RecordStore::Lane lane_;
};

// Every segment that is full is looked at by every later insert and lookup: there must be few.
TEST_F(VersionHashTest, GrowsInFewStepsWhenManyEntriesAreForecast) {
  const uint64_t expected = 500000;
  VersionHash hash(store_, 0, Expect(&expected));
  Insert(&hash, 60000);
  EXPECT_EQ(hash.memory_bytes(), ((1 << 10) + (32 << 10) + (1 << 20)) * sizeof(uint64_t));
}

TEST_F(VersionHashTest, TakesLittleMemoryForFewEntries) {
  const uint64_t expected = 20000000;
  VersionHash hash(store_, 0, Expect(&expected));
  Insert(&hash, 400);
  EXPECT_LE(hash.memory_bytes(), 33u << 13);
}

// In a large table some group overflows early: no reason to take hundreds of megabytes.
TEST_F(VersionHashTest, DoesNotGrowForRareOverflows) {
  const uint64_t expected = 20000000;
  VersionHash hash(store_, 0, Expect(&expected));
  Insert(&hash, 400000);
  EXPECT_LE(hash.memory_bytes(), 12u << 20);
}

TEST_F(VersionHashTest, GrowsWithoutAForecast) {
  VersionHash hash(store_, 0, {});
  Insert(&hash, 30000);
}

}  // namespace
}  // namespace skarn
