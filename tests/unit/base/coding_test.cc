#include "core/base/coding.h"

#include <gtest/gtest.h>

#include <array>

#include "core/base/result.h"
#include "core/base/status.h"
#include "tests/unit/base/vectors.h"

namespace skarn {
namespace {

TEST(Coding, AgreesWithEveryVarintOfTheVectors) {
  const nlohmann::json vectors = LoadVectors("coding.json");
  ASSERT_EQ(vectors["varint"].size(), 20u);
  for (const auto& row : vectors["varint"]) {
    const uint64_t value = std::stoull(row["value"].get<std::string>());
    const std::string bytes = FromHex(row["varint"]);
    std::string written;
    PutVarint64(&written, value);
    EXPECT_EQ(written, bytes);
    EXPECT_EQ(VarintSize(value), bytes.size());
    Slice input(bytes);
    uint64_t back = 0;
    EXPECT_TRUE(GetVarint64(&input, &back));
    EXPECT_EQ(back, value);
    EXPECT_TRUE(input.empty());
    // Any prefix is cut short.
    for (size_t size = 0; size < bytes.size(); size++) {
      input = Slice(bytes.data(), size);
      EXPECT_FALSE(GetVarint64(&input, &back));
    }
  }
}

TEST(Coding, RefusesVarintsThatAreTooLong) {
  const std::string five_full(5, '\xff');
  const std::string ten_full(10, '\xff');
  Slice input(five_full);
  uint32_t narrow = 0;
  EXPECT_FALSE(GetVarint32(&input, &narrow));
  input = Slice(ten_full);
  uint64_t wide = 0;
  EXPECT_FALSE(GetVarint64(&input, &wide));
}

TEST(Coding, ReadsBackFixedNumbersAndSlices) {
  std::string bytes;
  PutFixed16(&bytes, 0x1234);
  PutFixed32(&bytes, 0x12345678);
  PutFixed64(&bytes, 0x123456789abcdef0);
  PutLengthPrefixed(&bytes, "granite");
  PutVarint32(&bytes, 100);  // A length without its bytes.
  EXPECT_EQ(bytes.substr(0, 2), "\x34\x12");
  Slice input(bytes);
  uint16_t a = 0;
  uint32_t b = 0;
  uint64_t c = 0;
  Slice d;
  ASSERT_TRUE(GetFixed16(&input, &a) && GetFixed32(&input, &b) && GetFixed64(&input, &c) &&
              GetLengthPrefixed(&input, &d));
  EXPECT_EQ(a, 0x1234);
  EXPECT_EQ(b, 0x12345678u);
  EXPECT_EQ(c, 0x123456789abcdef0u);
  EXPECT_EQ(d, Slice("granite"));
  EXPECT_FALSE(GetLengthPrefixed(&input, &d));
}

TEST(Slice, ComparesBytesAsUnsignedAndPrefixesFirst) {
  EXPECT_LT(Slice("a").Compare("b"), 0);
  EXPECT_LT(Slice("a").Compare("aa"), 0);
  EXPECT_GT(Slice("\xff").Compare("a"), 0);
  EXPECT_EQ(Slice("a").Compare("a"), 0);
  EXPECT_TRUE(Slice("abc").StartsWith("ab"));
  EXPECT_TRUE(Slice("abc").EndsWith("bc"));
  EXPECT_FALSE(Slice("abc").StartsWith("abcd"));
  EXPECT_EQ(Slice("\x01\xab").ToHex(), "01AB");
}

TEST(Status, ShowsCodeSubcodeAndMessage) {
  EXPECT_EQ(Status::Ok().ToString(), "OK");
  EXPECT_EQ(Status::NotFound().ToString(), "NotFound: ");
  EXPECT_EQ(Status::Corruption("a", "b").ToString(), "Corruption: a: b");
  EXPECT_EQ(Status(Status::Code::kBusy, Status::Subcode::kDeadlock).ToString(),
            "Resource busy: Deadlock");
  const Status missing = Status::IoErrorFromErrno("While open a file", "/x", ENOENT);
  EXPECT_EQ(missing.ToString(),
            "IO error: No such file or directory: While open a file: /x: No such file or "
            "directory");
  EXPECT_TRUE(missing.IsPathNotFound());
  const Status full = Status::IoErrorFromErrno("While appending to file", "/x", ENOSPC);
  EXPECT_TRUE(full.IsNoSpace());
}

TEST(Status, CopiesAndMoves) {
  Status a = Status::Corruption("message");
  Status b = a;
  EXPECT_EQ(b.ToString(), a.ToString());
  Status c = std::move(a);
  EXPECT_EQ(c.ToString(), "Corruption: message");
  b = Status::Ok();
  EXPECT_TRUE(b.ok());
  c.set_retryable(true);
  EXPECT_TRUE(Status(c).retryable());
  const Result<int> value = 5;
  const Result<int> failure = Status::Busy("x");
  EXPECT_EQ(*value, 5);
  EXPECT_TRUE(failure.status().IsBusy());
}

}  // namespace
}  // namespace skarn
