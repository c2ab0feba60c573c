#include "core/plugin/comparator.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/coding.h"
#include "core/base/random.h"
#include "core/plugin/slice_transform.h"

namespace skarn {
namespace {

std::string FromHex(const nlohmann::json& value) {
  const auto text = value.get<std::string>();
  std::string bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

std::string Separator(const Comparator* comparator, std::string start, Slice limit) {
  comparator->FindShortestSeparator(&start, limit);
  return start;
}

TEST(Comparator, ShortensSeparatorsAsTheVectorsDo) {
  std::ifstream file(std::string(SKARN_TEST_DATA) + "/vectors/separators.json");
  const nlohmann::json vectors = nlohmann::json::parse(file);
  const std::pair<const char*, const Comparator*> kCases[] = {
      {"bytewise", BytewiseComparator()}, {"reverse_bytewise", ReverseBytewiseComparator()}};
  for (const auto& [name, comparator] : kCases) {
    ASSERT_EQ(vectors[name].size(), 19u);
    for (const auto& row : vectors[name]) {
      const std::string last = FromHex(row["last_key"]);
      const std::string next = FromHex(row["next_first_key"]);
      if (next.empty()) continue;  // The end of the table: a successor, not a separator.
      std::string expected = FromHex(row["separator"]);
      ASSERT_GE(expected.size(), 8u);
      expected.resize(expected.size() - 8);  // The footer of the internal key.
      EXPECT_EQ(Slice(Separator(comparator, last, next)).ToHex(), Slice(expected).ToHex())
          << name << " " << row.dump();
    }
  }
}

// The promise to callers, whatever the bytes: start <= separator < limit.
TEST(Comparator, KeepsSeparatorsAndSuccessorsInOrder) {
  Random random(/*seed=*/11);
  for (const Comparator* comparator : {BytewiseComparator(), ReverseBytewiseComparator()}) {
    for (int round = 0; round < 20000; round++) {
      std::string a, b;
      for (size_t i = random.Uniform(5); i > 0; i--)
        a.push_back("\x00\x01\x7f\x80\xfe\xff"[random.Uniform(6)]);
      for (size_t i = random.Uniform(5); i > 0; i--)
        b.push_back("\x00\x01\x7f\x80\xfe\xff"[random.Uniform(6)]);
      if (comparator->Compare(a, b) >= 0) continue;
      const std::string separator = Separator(comparator, a, b);
      EXPECT_LE(comparator->Compare(a, separator), 0);
      EXPECT_LT(comparator->Compare(separator, b), 0);
      EXPECT_LE(separator.size(), a.size());
      std::string successor = a;
      comparator->FindShortSuccessor(&successor);
      EXPECT_LE(comparator->Compare(a, successor), 0);
    }
  }
}

TEST(Comparator, HasTheNamesThatDataHold) {
  EXPECT_STREQ(BytewiseComparator()->Name(), "leveldb.BytewiseComparator");
  EXPECT_STREQ(ReverseBytewiseComparator()->Name(), "rocksdb.ReverseBytewiseComparator");
  EXPECT_STREQ(BytewiseComparatorWithU64Timestamp()->Name(), "leveldb.BytewiseComparator.u64ts");
  EXPECT_STREQ(ReverseBytewiseComparatorWithU64Timestamp()->Name(),
               "rocksdb.ReverseBytewiseComparator.u64ts");
}

std::string WithTimestamp(std::string key, uint64_t timestamp) {
  PutFixed64(&key, timestamp);
  return key;
}

TEST(Comparator, OrdersNewerTimestampsOfOneKeyFirst) {
  for (const bool reverse : {false, true}) {
    const Comparator* comparator = reverse ? ReverseBytewiseComparatorWithU64Timestamp()
                                           : BytewiseComparatorWithU64Timestamp();
    EXPECT_EQ(comparator->timestamp_size(), 8u);
    const int forward = reverse ? 1 : -1;
    EXPECT_LT(comparator->Compare(WithTimestamp("a", 300), WithTimestamp("a", 5)), 0);
    EXPECT_EQ(comparator->Compare(WithTimestamp("a", 5), WithTimestamp("a", 5)), 0);
    EXPECT_LT(forward * comparator->Compare(WithTimestamp("b", 9), WithTimestamp("a", 5)), 0);
    EXPECT_EQ(comparator->CompareWithoutTimestamp(WithTimestamp("a", 5), true, "a", false), 0);
    EXPECT_LT(comparator->CompareTimestamp(WithTimestamp("", 5), WithTimestamp("", 300)), 0);
    EXPECT_EQ(Separator(comparator, WithTimestamp("abc", 1), WithTimestamp("xyz", 1)),
              WithTimestamp("abc", 1));
    // Too short for a timestamp, as damaged files may have it: any order, no crash.
    (void)comparator->Compare("abc", "");
  }
}

TEST(SliceTransform, CutsPrefixes) {
  const auto fixed = NewFixedPrefixTransform(4);
  EXPECT_EQ(fixed->Name(), "rocksdb.FixedPrefix.4");
  EXPECT_EQ(fixed->FixedLength(), 4u);
  EXPECT_TRUE(fixed->InDomain("abcd"));
  EXPECT_FALSE(fixed->InDomain("abc"));
  EXPECT_EQ(fixed->Transform("abcdef"), Slice("abcd"));

  const auto capped = NewCappedPrefixTransform(4);
  EXPECT_EQ(capped->Name(), "rocksdb.CappedPrefix.4");
  EXPECT_TRUE(capped->InDomain("a"));
  EXPECT_EQ(capped->Transform("a"), Slice("a"));
  EXPECT_EQ(capped->Transform("abcdef"), Slice("abcd"));
  EXPECT_EQ(capped->FixedLength(), 0u);

  EXPECT_EQ(NewNoopTransform()->Name(), "rocksdb.Noop");
  EXPECT_EQ(NewNoopTransform()->Transform("abc"), Slice("abc"));
}

}  // namespace
}  // namespace skarn
