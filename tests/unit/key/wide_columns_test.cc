#include "core/key/wide_columns.h"

#include <gtest/gtest.h>

#include "core/base/random.h"

namespace skarn {
namespace {

TEST(WideColumns, EncodesTheDocumentedExample) {
  std::string entity;
  ASSERT_TRUE(EncodeWideColumns({{"b", "2"}, {"a", "1"}, {"", "dflt"}}, &entity).ok());
  const char expected[] =
      "\x01\x03\x00\x04\x01"
      "a\x01\x01"
      "b\x01"
      "dflt12";
  EXPECT_EQ(entity, std::string(expected, sizeof(expected) - 1));
}

TEST(WideColumns, RefusesTwoColumnsOfOneName) {
  std::string entity = "kept";
  const Status s = EncodeWideColumns({{"a", "1"}, {"a", "2"}}, &entity);
  EXPECT_EQ(s.ToString(), "Corruption: Wide columns out of order");
  EXPECT_EQ(entity, "kept");
}

TEST(WideColumns, GivesTheDefaultColumnOrNothing) {
  std::string with, without;
  ASSERT_TRUE(EncodeWideColumns({{"a", "1"}, {"", "plain"}}, &with).ok());
  ASSERT_TRUE(EncodeWideColumns({{"a", "1"}}, &without).ok());
  Slice value;
  ASSERT_TRUE(DefaultColumnOf(with, &value).ok());
  EXPECT_EQ(value, Slice("plain"));
  ASSERT_TRUE(DefaultColumnOf(without, &value).ok());
  EXPECT_EQ(value, Slice(""));
}

TEST(WideColumns, ReplacesTheDefaultColumn) {
  std::string entity, changed;
  ASSERT_TRUE(EncodeWideColumns({{"a", "1"}}, &entity).ok());
  ASSERT_TRUE(WithDefaultColumn(entity, "x", &changed).ok());
  std::vector<WideColumn> columns;
  ASSERT_TRUE(DecodeWideColumns(changed, &columns).ok());
  ASSERT_EQ(columns.size(), 2u);
  EXPECT_EQ(columns[0].value, Slice("x"));
  EXPECT_EQ(columns[1].name, Slice("a"));
}

TEST(WideColumns, ReadsVersionTwo) {
  // Two columns, "" inline and "b" a blob index.
  const char bytes[] =
      "\x02\x02\x02\x02\x01\x01\x11\x00\x01\x03\x02"
      "b"
      "abcXY";
  std::vector<WideColumn> columns;
  const Status s = DecodeWideColumns(Slice(bytes, sizeof(bytes) - 1), &columns);
  ASSERT_TRUE(s.ok()) << s.ToString();
  ASSERT_EQ(columns.size(), 2u);
  EXPECT_EQ(columns[0].value, Slice("abc"));
  EXPECT_FALSE(columns[0].is_blob_index);
  EXPECT_EQ(columns[1].name, Slice("b"));
  EXPECT_EQ(columns[1].value, Slice("XY"));
  EXPECT_TRUE(columns[1].is_blob_index);
}

TEST(WideColumns, NamesWhatIsWrong) {
  std::vector<WideColumn> columns;
  const auto text = [&](std::string bytes) {
    return DecodeWideColumns(bytes, &columns).ToString();
  };
  EXPECT_EQ(text(""), "Corruption: Error decoding wide column version");
  EXPECT_EQ(text("\x03"), "Corruption: Corrupt or unsupported wide column version");
  EXPECT_EQ(text("\x01"), "Corruption: Error decoding number of wide columns");
  EXPECT_EQ(text("\x01\x01"), "Corruption: Error decoding wide column name");
  EXPECT_EQ(text("\x01\x01\x01"
                 "a"),
            "Corruption: Error decoding wide column value size");
  EXPECT_EQ(text("\x01\x01\x01"
                 "a\x02"
                 "x"),
            "Corruption: Error decoding wide column value payload");
  EXPECT_EQ(text("\x01\x01\x01"
                 "a\x01"
                 "xy"),
            "Corruption: Unexpected trailing data after wide column entity");
  EXPECT_EQ(text("\x01\x02\x01"
                 "b\x01\x01"
                 "a\x01"
                 "xy"),
            "Corruption: Wide columns out of order");
}

// A count of four billion in a short entity must not be believed.
TEST(WideColumns, SurvivesAnyBytes) {
  const uint64_t seed = 20240601;
  Random random(seed);
  std::vector<WideColumn> columns;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes(1, static_cast<char>(1 + random.Uniform(2)));
    const size_t size = random.Uniform(24);
    for (size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(random.Next()));
    const Status s = DecodeWideColumns(bytes, &columns);
    if (!s.ok()) {
      ASSERT_TRUE(s.IsCorruption()) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace skarn
