// Filter payloads: built byte for byte as genuine files have them, probed, damaged.

#include <gtest/gtest.h>

#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "core/base/hash.h"
#include "core/table/filter_bits.h"
#include "core/table/filter_builder.h"
#include "core/table/filter_format.h"
#include "tests/unit/base/vectors.h"

namespace skarn {
namespace {

std::vector<std::string> KeysOf(const nlohmann::json& item) {
  const auto& keys = item.contains("strings_hashed") ? item["strings_hashed"] : item["keys"];
  std::vector<std::string> result;
  if (keys.is_array()) {
    for (const auto& key : keys) result.push_back(FromHex(key));
    return result;
  }
  // A rule: "key" + 6 digits of 3*i, i = 0..n; or "r0-" + 5 digits of i.
  const auto rule = keys.get<std::string>();
  const int last = std::stoi(rule.substr(rule.find("..") + 2));
  const bool threes = rule.find("3*i") != std::string::npos;
  for (int i = 0; i <= last; ++i) {
    char text[32];
    snprintf(text, sizeof(text), threes ? "key%06d" : "r0-%05d", threes ? 3 * i : i);
    result.emplace_back(text);
  }
  return result;
}

// Eight probes at a time find what one after the other finds.
TEST(FormatFilter, AnswersAreThoseOfTheBitsOfALine) {
  std::mt19937_64 random(301);
  constexpr uint32_t kLines = 3;
  for (uint32_t probes = 1; probes <= 30; ++probes) {
    SCOPED_TRACE(probes);
    std::string payload;
    // Dense enough that many keys seem to be there.
    for (uint32_t i = 0; i < kLines * kBloomLineBytes; ++i) {
      payload.push_back(static_cast<char>(random() | random() | random() | random()));
    }
    payload += std::string("\xff\0", 2) + static_cast<char>(probes) + std::string(2, 0);
    const FilterProbe probe = FilterProbe::Parse(payload);
    ASSERT_EQ(probe.kind(), FilterProbe::Kind::kFastLocalBloom);
    int present = 0;
    for (int i = 0; i < 4000; ++i) {
      const uint64_t hash = random();
      const size_t line = FastRange32(static_cast<uint32_t>(hash), kLines) * kBloomLineBytes;
      auto bits = static_cast<uint32_t>(hash >> 32);
      bool expected = true;
      for (uint32_t left = probes; left != 0; --left, bits *= 0x9E3779B9u) {
        expected = expected && ((payload[line + (bits >> 26)] >> ((bits >> 23) & 7)) & 1) != 0;
      }
      ASSERT_EQ(probe.MayMatch(hash), expected) << hash;
      present += expected ? 1 : 0;
    }
    EXPECT_GT(present, 10);
    EXPECT_LT(present, 4000);
  }
}

TEST(FormatFilter, PayloadsAreThoseOfGenuineFiles) {
  int compared = 0;
  const auto vectors = LoadVectors("filters.json");
  for (const auto& item : vectors["filters"]) {
    SCOPED_TRACE(item["name"].get<std::string>());
    FilterPolicy policy;
    policy.kind =
        item["policy"] == "ribbon" ? FilterPolicy::Kind::kRibbon : FilterPolicy::Kind::kBloom;
    policy.bits_per_key = item["bits_per_key"].get<double>();
    const FilterRecipe recipe =
        MakeFilterRecipe(policy, item["format_version"].get<uint32_t>(), /*levelish=*/1);
    const std::vector<std::string> keys = KeysOf(item);
    std::vector<uint64_t> hashes;
    for (const std::string& key : keys) {
      hashes.push_back(recipe.uses_hash32() ? BloomHash(key) : Hash64(key));
    }
    const std::string payload = BuildFilter(recipe, hashes);
    const std::string expected = FromHex(item["payload"]);
    EXPECT_EQ(Slice(payload).ToHex(), Slice(expected).ToHex());
    ++compared;

    const FilterProbe probe = FilterProbe::Parse(expected);
    EXPECT_EQ(probe.uses_hash32(), recipe.uses_hash32());
    for (const std::string& key : keys) EXPECT_TRUE(probe.MayMatch(probe.Hash(key))) << key;
    if (item.contains("maybe_for_absent_keys")) {
      std::vector<std::string> maybe;
      for (int i = 0; i < 40; ++i) {
        const std::string key = "absent-" + std::to_string(i);
        probe.Prefetch(probe.Hash(key));
        if (probe.MayMatch(probe.Hash(key))) maybe.push_back(key);
      }
      EXPECT_EQ(maybe, item["maybe_for_absent_keys"].get<std::vector<std::string>>());
    }
  }
  EXPECT_EQ(compared, 24);
}

TEST(FormatFilter, LargeFiltersKeepTheirPromise) {
  const uint64_t seed = 7;
  SCOPED_TRACE(seed);
  for (const auto kind : {FilterPolicy::Kind::kBloom, FilterPolicy::Kind::kRibbon}) {
    for (const uint32_t format_version : {4u, 7u}) {
      for (const size_t count : {size_t{1}, size_t{100}, size_t{5000}, size_t{50000}}) {
        FilterPolicy policy;
        policy.kind = kind;
        const FilterRecipe recipe = MakeFilterRecipe(policy, format_version, 1);
        std::mt19937_64 random(seed);
        std::vector<uint64_t> hashes;
        for (size_t i = 0; i < count; ++i) {
          hashes.push_back(recipe.uses_hash32() ? static_cast<uint32_t>(random()) : random());
        }
        const std::string payload = BuildFilter(recipe, hashes);
        const FilterProbe probe = FilterProbe::Parse(payload);
        for (const uint64_t hash : hashes) ASSERT_TRUE(probe.MayMatch(hash));
        int wrong = 0;
        for (int i = 0; i < 10000; ++i) {
          const uint64_t hash = random();
          wrong +=
              probe.MayMatch(recipe.uses_hash32() ? static_cast<uint32_t>(hash) : hash) ? 1 : 0;
        }
        // About 1 %, of the legacy kind somewhat more.
        EXPECT_LT(wrong, 300) << count;
        EXPECT_NEAR(static_cast<double>(FilterSize(recipe, count)),
                    static_cast<double>(payload.size()), 0.02 * payload.size() + 64);
      }
    }
  }
}

TEST(FormatFilter, MalformedPayloadsAnswerMaybe) {
  const auto maybe = [](std::string payload) {
    const FilterProbe probe = FilterProbe::Parse(payload);
    return probe.MayMatch(12345) && probe.kind() == FilterProbe::Kind::kAlways;
  };
  EXPECT_FALSE(FilterProbe::Parse(Slice()).MayMatch(1));
  EXPECT_FALSE(FilterProbe::Parse(std::string(5, '\xff')).MayMatch(1));
  EXPECT_TRUE(maybe(std::string(6, '\0')));
  const std::string line(64, '\0');
  EXPECT_FALSE(maybe(line + std::string("\xff\x00\x06\x00\x00", 5)));
  EXPECT_TRUE(maybe(line + std::string("\xff\x01\x06\x00\x00", 5)));  // Unknown kind of it.
  EXPECT_TRUE(maybe(line + std::string("\xff\x00\x00\x00\x00", 5)));  // No probes.
  EXPECT_TRUE(maybe(line + std::string("\xff\x00\x1f\x00\x00", 5)));  // Too many.
  EXPECT_TRUE(maybe(line + std::string("\xff\x00\x26\x00\x00", 5)));  // Other line size.
  EXPECT_TRUE(maybe(line + std::string("\xff\x00\x06\x01\x00", 5)));  // Reserved bytes.
  EXPECT_TRUE(maybe("x" + line + std::string("\xff\x00\x06\x00\x00", 5)));
  EXPECT_TRUE(maybe(line + std::string("\xfe\x00\x01\x00\x00", 5)));  // One block only.
  EXPECT_TRUE(maybe(std::string(8, 'x') + std::string("\xfe\x00\x02\x00\x00", 5)));
  EXPECT_TRUE(maybe(line + std::string("\x06\x00\x00\x00\x00", 5)));  // No lines.
  EXPECT_TRUE(maybe(line + std::string("\x06\x03\x00\x00\x00", 5)));  // Not a power of two.
  EXPECT_TRUE(maybe(line + std::string("\x80\x01\x00\x00\x00", 5)));  // Unknown marker.
}

TEST(FormatFilter, AnyPayloadCanBeProbed) {
  const uint32_t seed = 99;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  constexpr char kMarkers[] = {'\xff', '\xfe', 6, 1, 127, 0};
  for (int i = 0; i < 20000; ++i) {
    const size_t size = random() % 300;
    const std::unique_ptr<char[]> payload(new char[size]);
    for (size_t j = 0; j < size; ++j) payload[j] = static_cast<char>(random());
    if (size > 5) payload[size - 5] = kMarkers[random() % sizeof(kMarkers)];
    if (size > 5 && random() % 2 == 0) {
      payload[size - 4] = static_cast<char>(random() % 4);
      payload[size - 3] = static_cast<char>(random() % 8);
      payload[size - 2] = payload[size - 1] = 0;
    }
    const FilterProbe probe = FilterProbe::Parse(Slice(payload.get(), size));
    for (int j = 0; j < 4; ++j) {
      const uint64_t hash = (uint64_t{random()} << 32) | random();
      probe.Prefetch(hash);
      (void)probe.MayMatch(hash);
    }
  }
}

TEST(FormatFilter, PolicyDecidesKindByVersionAndLevel) {
  using Kind = FilterRecipe::Kind;
  FilterPolicy policy;
  EXPECT_EQ(MakeFilterRecipe(policy, 4, 1).kind, Kind::kLegacyBloom);
  EXPECT_EQ(MakeFilterRecipe(policy, 5, 1).kind, Kind::kFastLocalBloom);
  policy.bits_per_key = 0.4;
  EXPECT_EQ(MakeFilterRecipe(policy, 5, 1).kind, Kind::kNone);
  policy.bits_per_key = 0.6;
  EXPECT_EQ(MakeFilterRecipe(policy, 5, 1).millibits, 1000u);
  policy.bits_per_key = 1000;
  EXPECT_EQ(MakeFilterRecipe(policy, 5, 1).millibits, 100000u);
  policy.bits_per_key = 10;
  policy.kind = FilterPolicy::Kind::kRibbon;
  policy.bloom_before_level = 0;
  EXPECT_EQ(MakeFilterRecipe(policy, 4, -1).kind, Kind::kFastLocalBloom);
  EXPECT_EQ(MakeFilterRecipe(policy, 4, 0).kind, Kind::kRibbon);
  policy.bloom_before_level = -1;
  EXPECT_EQ(MakeFilterRecipe(policy, 7, -1).kind, Kind::kRibbon);
  policy.bloom_before_level = 3;
  EXPECT_EQ(MakeFilterRecipe(policy, 7, 2).kind, Kind::kFastLocalBloom);
  EXPECT_EQ(MakeFilterRecipe(policy, 7, INT32_MAX - 1).kind, Kind::kRibbon);
  policy.bloom_before_level = INT32_MAX;
  EXPECT_EQ(MakeFilterRecipe(policy, 7, INT32_MAX - 1).kind, Kind::kFastLocalBloom);
}

TEST(FormatFilter, CapacityIsTheLargestCountThatFits) {
  for (const auto kind : {FilterPolicy::Kind::kBloom, FilterPolicy::Kind::kRibbon}) {
    FilterPolicy policy;
    policy.kind = kind;
    const FilterRecipe recipe = MakeFilterRecipe(policy, 5, 1);
    for (const size_t bytes : {1u, 69u, 4096u, 100000u}) {
      const size_t count = FilterCapacity(recipe, bytes);
      ASSERT_GE(count, 1u);
      if (count > 1) {
        EXPECT_LE(FilterSize(recipe, count), bytes);
      }
      EXPECT_GT(FilterSize(recipe, count + 1), bytes);
    }
  }
}

}  // namespace
}  // namespace skarn
