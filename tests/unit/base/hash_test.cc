#include "core/base/hash.h"

#include <gtest/gtest.h>

#include <set>

#include "core/base/checksum.h"
#include "core/base/cpu.h"
#include "core/base/crc32c.h"
#include "core/base/random.h"
#include "core/base/xxhash.h"
#include "tests/unit/base/vectors.h"

namespace skarn {
namespace {

std::string VectorInput(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; i++) bytes[i] = static_cast<char>(i * 131 + i / 8 * 17 + 7);
  return bytes;
}

TEST(Hash, AgreesWithEveryVector) {
  const nlohmann::json vectors = LoadVectors("hashes.json");
  ASSERT_EQ(vectors["rows"].size(), 64u);
  for (const auto& row : vectors["rows"]) {
    const std::string input = VectorInput(row["length"].get<size_t>());
    SCOPED_TRACE(input.size());
    EXPECT_EQ(Hash64(input), HexNumber(row["xxph3"]));
    EXPECT_EQ(Hash64Seeded(input.data(), input.size(), 0), HexNumber(row["xxph3"]));
    EXPECT_EQ(BloomHash(input), HexNumber(row["hash32_seed_bc9f1d34"]));
    EXPECT_EQ(SliceHash(input), HexNumber(row["hash32_seed_397"]));
    EXPECT_EQ(Hash32(input.data(), input.size(), 0), HexNumber(row["hash32_seed_0"]));
    EXPECT_EQ(crc32c::Value(input), HexNumber(row["crc32c"]));
    EXPECT_EQ(crc32c::ExtendPortable(0, input.data(), input.size()), HexNumber(row["crc32c"]));
    EXPECT_EQ(Xxh32(input.data(), input.size()), HexNumber(row["xxh32"]));
    EXPECT_EQ(Xxh64(input.data(), input.size()), HexNumber(row["xxh64"]));
    EXPECT_EQ(Xxh3(input.data(), input.size()), HexNumber(row["xxh3_64"]));
    EXPECT_EQ(internal::Xxh3Portable(input.data(), input.size()), HexNumber(row["xxh3_64"]));
    if (Cpu().avx2) {
      EXPECT_EQ(internal::Xxh3Avx2(input.data(), input.size()), HexNumber(row["xxh3_64"]));
    }
    const std::string wide = row["xxh3_128"].get<std::string>();
    const Hash128 hash = Xxh3Wide(input.data(), input.size());
    EXPECT_EQ(hash.high, HexNumber(wide.substr(0, 16)));
    EXPECT_EQ(hash.low, HexNumber(wide.substr(16)));
    EXPECT_EQ(Murmur64A(input.data(), input.size(), 816922183),
              HexNumber(row["murmur64a_seed_816922183"]));
  }
}

TEST(Hash, AgreesWithTheVectorsThatHaveASeed) {
  const nlohmann::json vectors = LoadVectors("hashes.json");
  size_t seen = 0;
  for (const auto& [length, expected] : vectors["seeded"]["values"].items()) {
    const std::string input = VectorInput(std::stoul(length));
    EXPECT_EQ(Hash64Seeded(input.data(), input.size(), 0x123456789abcdef0u), HexNumber(expected))
        << length;
    seen++;
  }
  EXPECT_EQ(seen, 15u);
}

TEST(Checksum, AgreesWithEveryVector) {
  const nlohmann::json vectors = LoadVectors("hashes.json");
  const std::pair<const char*, ChecksumType> kTypes[] = {{"crc32c_masked", ChecksumType::kCrc32c},
                                                         {"xxhash", ChecksumType::kXxHash},
                                                         {"xxhash64", ChecksumType::kXxHash64},
                                                         {"xxh3", ChecksumType::kXxh3}};
  for (const auto& row : vectors["rows"]) {
    const std::string input = VectorInput(row["length"].get<size_t>());
    for (const auto& [name, type] : kTypes) {
      EXPECT_EQ(ComputeChecksum(type, input.data(), input.size()), HexNumber(row["checksum"][name]))
          << name << " of " << input.size();
      EXPECT_EQ(ComputeChecksum(type, input.data(), input.size(), 7),
                HexNumber(row["checksum_with_type_byte_07"][name]))
          << name << " of " << input.size();
    }
    EXPECT_EQ(ComputeChecksum(ChecksumType::kNone, input.data(), input.size(), 7), 0u);
  }
}

TEST(Hash, MixesOneToOne) {
  const nlohmann::json vector = LoadVectors("hashes.json")["bijective_mixer"];
  const Hash128 input{.low = HexNumber(vector["lo"]), .high = HexNumber(vector["hi"])};
  const Hash128 mixed = BijectiveMix(input);
  EXPECT_EQ(mixed.low, HexNumber(vector["out_lo"]));
  EXPECT_EQ(mixed.high, HexNumber(vector["out_hi"]));
  Random random(/*seed=*/17);
  for (int i = 0; i < 1000; i++) {
    const Hash128 value{.low = random.Next(), .high = random.Next()};
    EXPECT_EQ(BijectiveUnmix(BijectiveMix(value)), value);
  }
}

TEST(Crc32c, HasTheStandardCheckValue) { EXPECT_EQ(crc32c::Value("123456789"), 0xE3069283u); }

TEST(Crc32c, AgreesWithThePortableBodyAtEverySizeAndAlignment) {
  Random random(/*seed=*/42);
  std::string bytes(20000, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.Next());
  for (size_t size = 0; size < 700; size++) {
    const size_t offset = random.Uniform(64);
    const auto start = static_cast<uint32_t>(random.Next());
    ASSERT_EQ(crc32c::Extend(start, bytes.data() + offset, size),
              crc32c::ExtendPortable(start, bytes.data() + offset, size))
        << size;
  }
  for (int i = 0; i < 300; i++) {
    const size_t offset = random.Uniform(bytes.size());
    const size_t size = random.Uniform(bytes.size() - offset);
    ASSERT_EQ(crc32c::Extend(1, bytes.data() + offset, size),
              crc32c::ExtendPortable(1, bytes.data() + offset, size))
        << size;
  }
}

TEST(Crc32c, CombinesTheCrcsOfTwoParts) {
  Random random(/*seed=*/43);
  std::string bytes(5000, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.Next());
  for (size_t cut : {0ul, 1ul, 7ul, 8ul, 100ul, 4095ul, 5000ul}) {
    EXPECT_EQ(
        crc32c::Combine(crc32c::Value(bytes.data(), cut),
                        crc32c::Value(bytes.data() + cut, bytes.size() - cut), bytes.size() - cut),
        crc32c::Value(bytes))
        << cut;
  }
}

TEST(Crc32c, MasksAndUnmasks) {
  EXPECT_NE(crc32c::Mask(0x12345678), 0x12345678u);
  EXPECT_EQ(crc32c::Unmask(crc32c::Mask(0x12345678)), 0x12345678u);
  EXPECT_EQ(crc32c::Mask(0), 0xA282EAD8u);
}

TEST(Random, RepeatsItselfAndStaysInRange) {
  Random a(/*seed=*/5), b(/*seed=*/5);
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; i++) {
    const uint64_t value = a.Uniform(10);
    EXPECT_EQ(value, b.Uniform(10));
    EXPECT_LT(value, 10u);
    seen.insert(value);
  }
  EXPECT_EQ(seen.size(), 10u);
}

}  // namespace
}  // namespace skarn
