// The pure formats of table files, against bytes cut out of genuine files, and against
// damage.

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "core/base/coding.h"
#include "core/key/internal_key.h"
#include "core/table/block_builder.h"
#include "core/table/block_format.h"
#include "core/table/block_handle.h"
#include "core/table/block_trailer.h"
#include "core/table/block_walk.h"
#include "core/table/footer.h"
#include "core/table/table_properties.h"
#include "core/table/unique_id.h"
#include "tests/unit/base/vectors.h"

namespace skarn {
namespace {

// --- Handles ---

TEST(FormatHandle, EncodesAsTheFilesDo) {
  const auto vectors = LoadVectors("coding.json");
  for (const auto& item : vectors["block_handle"]) {
    const auto number = [](const auto& value) {
      return value.is_string() ? std::stoull(value.template get<std::string>())
                               : value.template get<uint64_t>();
    };
    BlockHandle handle;
    handle.offset = number(item["offset"]);
    handle.size = number(item["size"]);
    std::string bytes;
    handle.AppendTo(&bytes);
    EXPECT_EQ(bytes, FromHex(item["bytes"]));
    BlockHandle decoded;
    Slice input = bytes;
    ASSERT_TRUE(decoded.DecodeFrom(&input));
    EXPECT_EQ(decoded, handle);
    EXPECT_TRUE(input.empty());
  }
}

TEST(FormatHandle, IsRefusedWhenCutShort) {
  BlockHandle handle;
  handle.offset = UINT64_MAX;
  handle.size = uint64_t{1} << 40;
  std::string bytes;
  handle.AppendTo(&bytes);
  for (size_t size = 0; size < bytes.size(); ++size) {
    Slice input(bytes.data(), size);
    BlockHandle decoded;
    EXPECT_FALSE(decoded.DecodeFrom(&input)) << size;
  }
}

TEST(FormatHandle, FitsOnlyWhatDoesNotOverflow) {
  BlockHandle handle;
  handle.offset = 90;
  handle.size = 5;
  EXPECT_TRUE(handle.FitsIn(100, 5));
  EXPECT_FALSE(handle.FitsIn(99, 5));
  handle.size = UINT64_MAX - 80;
  EXPECT_FALSE(handle.FitsIn(100, 5));
  handle.offset = UINT64_MAX;
  EXPECT_FALSE(handle.FitsIn(100, 5));
}

TEST(FormatHandle, ZigZagIsItsOwnInverse) {
  for (const int64_t value :
       {int64_t{0}, int64_t{-1}, int64_t{1}, int64_t{-5}, INT64_MAX, INT64_MIN}) {
    EXPECT_EQ(UnZigZag(ZigZag(value)), value);
  }
  EXPECT_EQ(ZigZag(-1), 1u);
  EXPECT_EQ(ZigZag(1), 2u);
}

// --- Footers ---

Footer ExpectedFooter(const nlohmann::json& item) {
  Footer footer;
  footer.format_version = item["format_version"].get<uint32_t>();
  footer.checksum = static_cast<ChecksumType>(item["checksum_type"].get<int>());
  footer.offset = item["footer_offset"].get<uint64_t>();
  footer.metaindex.offset = item["metaindex_handle"][0].get<uint64_t>();
  footer.metaindex.size = item["metaindex_handle"][1].get<uint64_t>();
  if (HasIndexHandleInFooter(footer.format_version)) {
    footer.index.offset = item["index_handle"][0].get<uint64_t>();
    footer.index.size = item["index_handle"][1].get<uint64_t>();
  }
  return footer;
}

TEST(FormatFooter, ReadsAndWritesWhatGenuineFilesEndWith) {
  const auto vectors = LoadVectors("footers.json");
  for (const auto& item : vectors["footers"]) {
    SCOPED_TRACE(item.dump());
    const std::string bytes = FromHex(item["footer"]);
    Result<Footer> footer = DecodeFooter(bytes, item["file_size"].get<uint64_t>(), "file");
    ASSERT_TRUE(footer.ok()) << footer.status().ToString();
    Footer expected = ExpectedFooter(item);
    expected.base_context_checksum = footer->base_context_checksum;
    if (item.contains("base_context_checksum")) {
      EXPECT_EQ(footer->base_context_checksum, HexNumber(item["base_context_checksum"]));
    }
    EXPECT_EQ(*footer, expected);
    std::string again;
    AppendFooter(*footer, &again);
    EXPECT_EQ(Slice(again).ToHex(), Slice(bytes).ToHex());
  }
}

TEST(FormatFooter, IsRefusedWhenCutShort) {
  const auto vectors = LoadVectors("footers.json");
  for (const auto& item : vectors["footers"]) {
    const std::string bytes = FromHex(item["footer"]);
    const auto size = item["file_size"].get<uint64_t>();
    for (size_t keep = 0; keep < bytes.size(); ++keep) {
      // The end is missing.
      EXPECT_FALSE(DecodeFooter(Slice(bytes.data(), keep), size, "file").ok()) << keep;
    }
    // The file is shorter than the handles say.
    EXPECT_FALSE(DecodeFooter(bytes, bytes.size(), "file").ok());
  }
}

TEST(FormatFooter, EveryFlippedBitIsNoticedFromVersion6On) {
  const auto vectors = LoadVectors("footers.json");
  for (const auto& item : vectors["footers"]) {
    const std::string bytes = FromHex(item["footer"]);
    const auto size = item["file_size"].get<uint64_t>();
    const bool covered = item["format_version"].get<int>() >= 6 && item["checksum_type"] != 0;
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      std::string damaged = bytes;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      const Result<Footer> footer = DecodeFooter(damaged, size, "file");
      if (covered) {
        EXPECT_FALSE(footer.ok()) << "bit " << bit;
      }
      if (footer.ok()) {
        EXPECT_TRUE(footer->metaindex.FitsIn(size, kBlockTrailerSize)) << "bit " << bit;
        EXPECT_TRUE(footer->index.FitsIn(size, 0)) << "bit " << bit;
      }
    }
  }
}

TEST(FormatFooter, HasNoByteWithoutMeaningBeforeVersion6) {
  Footer footer;
  footer.format_version = 5;
  footer.metaindex = {200, 100};
  footer.index = {400, 50};
  footer.offset = 600;
  std::string bytes;
  AppendFooter(footer, &bytes);
  const uint64_t size = footer.offset + bytes.size();
  ASSERT_TRUE(DecodeFooter(bytes, size, "file").ok());
  // Behind the handles, which take 2 + 1 + 2 + 1 bytes, and in their last byte: 50 in two bytes.
  for (const size_t at : {7, 8, 20, 40}) {
    std::string damaged = bytes;
    damaged[at] ^= 1;
    EXPECT_FALSE(DecodeFooter(damaged, size, "file").ok()) << at;
  }
  bytes[6] = static_cast<char>(bytes[6] | 0x80);
  EXPECT_FALSE(DecodeFooter(bytes, size, "file").ok());
}

TEST(FormatFooter, NamesTheFileWhenTheMagicIsWrong) {
  const std::string bytes(kFooterSize, '\0');
  const Status s = DecodeFooter(bytes, 1000, "dir/000007.sst").status();
  EXPECT_EQ(s.ToString(),
            "Corruption: Bad table magic number: expected 9863518390377041911, found 0 in "
            "dir/000007.sst");
}

// --- Trailers ---

TEST(FormatTrailer, ChecksumsAreThoseOfGenuineFiles) {
  const auto vectors = LoadVectors("block-trailers.json");
  for (const auto& item : vectors["trailers"]) {
    SCOPED_TRACE(item.dump());
    const std::string payload = FromHex(item["payload"]);
    const auto type = static_cast<ChecksumType>(item["checksum_type"].get<int>());
    const auto base = static_cast<uint32_t>(HexNumber(item["base_context_checksum"]));
    const auto offset = item["offset"].is_string() ? std::stoull(item["offset"].get<std::string>())
                                                   : item["offset"].get<uint64_t>();
    std::string block = payload + std::string(kBlockTrailerSize, '\0');
    EncodeBlockTrailer(type, payload, item["type_byte"].get<uint8_t>(), base, offset,
                       block.data() + payload.size());
    EXPECT_EQ(Slice(block.data() + payload.size(), kBlockTrailerSize).ToHex(),
              Slice(FromHex(item["trailer"])).ToHex());
    EXPECT_TRUE(BlockTrailerMatches(type, block.data(), payload.size(), base, offset));
    if (type != ChecksumType::kNone && !payload.empty()) {
      block[payload.size() / 2] ^= 1;
      const Status s =
          VerifyBlockTrailer(type, block.data(), payload.size(), base, offset, "x.sst");
      EXPECT_TRUE(s.IsCorruption());
      EXPECT_NE(s.ToString().find("x.sst"), std::string::npos);
    }
  }
}

// A block that a bug or the disk has moved carries the checksum of its old place.
TEST(FormatTrailer, ContextMakesAMovedBlockFail) {
  std::string block = "some payload" + std::string(kBlockTrailerSize, '\0');
  EncodeBlockTrailer(ChecksumType::kXxh3, Slice(block.data(), 12), 0, 77, 4096, block.data() + 12);
  EXPECT_TRUE(BlockTrailerMatches(ChecksumType::kXxh3, block.data(), 12, 77, 4096));
  EXPECT_FALSE(BlockTrailerMatches(ChecksumType::kXxh3, block.data(), 12, 77, 8192));
  EXPECT_FALSE(BlockTrailerMatches(ChecksumType::kXxh3, block.data(), 12, 78, 4096));
}

// --- Blocks ---

BlockWalk::Options WalkOptionsFor(const std::string& name) {
  BlockWalk::Options options;
  options.is_index = name.starts_with("index") || name == "filter_partition_index" ||
                     name.starts_with("metaindex");
  options.delta_values = name == "index_fv5_delta" || name == "index_first_key_delta" ||
                         name == "index_top_level" || name.starts_with("index_partition") ||
                         name == "filter_partition_index" || name == "index_uniform";
  options.has_first_key = name == "index_first_key_delta";
  return options;
}

bool IsContainer(const std::string& name) {
  return !name.starts_with("hash_index") && name != "filter_partition_0";
}

TEST(FormatBlock, WalksBlocksOfGenuineFiles) {
  int entries_seen = 0;
  const auto vectors = LoadVectors("blocks.json");
  for (const auto& item : vectors["blocks"]) {
    const auto name = item["name"].get<std::string>();
    if (!IsContainer(name)) continue;
    SCOPED_TRACE(name);
    const std::string payload = FromHex(item["payload"]);
    BlockWalk walk(payload, WalkOptionsFor(name));
    if (item.contains("entries")) {
      for (const auto& entry : item["entries"]) {
        ASSERT_TRUE(walk.Next()) << walk.damage();
        if (name.starts_with("metaindex")) {
          EXPECT_EQ(walk.key().ToString(), entry[0].get<std::string>());
        } else {
          EXPECT_EQ(walk.key().ToHex(), Slice(FromHex(entry[0])).ToHex());
        }
        EXPECT_EQ(walk.value().ToHex(), Slice(FromHex(entry[1])).ToHex());
        ++entries_seen;
      }
    } else if (item.contains("index_entries")) {
      for (const auto& entry : item["index_entries"]) {
        ASSERT_TRUE(walk.Next()) << walk.damage();
        EXPECT_EQ(walk.key().ToHex(), Slice(FromHex(entry["separator"])).ToHex());
        EXPECT_EQ(walk.index_value().handle.offset, entry["offset"].get<uint64_t>());
        EXPECT_EQ(walk.index_value().handle.size, entry["size"].get<uint64_t>());
        if (entry.contains("first_key")) {
          EXPECT_EQ(walk.index_value().first_internal_key.ToHex(),
                    Slice(FromHex(entry["first_key"])).ToHex());
        }
        ++entries_seen;
      }
    } else if (item.contains("partitions")) {
      for (const auto& entry : item["partitions"]) {
        ASSERT_TRUE(walk.Next()) << walk.damage();
        EXPECT_EQ(walk.key().ToHex(), Slice(FromHex(entry[0])).ToHex());
        EXPECT_EQ(walk.index_value().handle.offset, entry[1].get<uint64_t>());
        EXPECT_EQ(walk.index_value().handle.size, entry[2].get<uint64_t>());
        ++entries_seen;
      }
    } else {
      while (walk.Next()) {
      }
    }
    EXPECT_FALSE(walk.Next());
    EXPECT_FALSE(walk.damaged()) << walk.damage();
    if (item.contains("restarts")) {
      ASSERT_EQ(walk.layout().restart_count, item["restarts"].size());
      for (uint32_t i = 0; i < walk.layout().restart_count; ++i) {
        EXPECT_EQ(walk.layout().restart(payload.data(), i), item["restarts"][i].get<uint32_t>());
      }
    }
    if (item.contains("buckets")) {
      ASSERT_EQ(walk.layout().bucket_count, item["buckets"].size());
      for (uint32_t i = 0; i < walk.layout().bucket_count; ++i) {
        EXPECT_EQ(HashBucket(payload.data(), walk.layout(), i), item["buckets"][i].get<int>());
      }
    }
    EXPECT_EQ(walk.layout().separated, name.find("separated") != std::string::npos);
    EXPECT_EQ(walk.layout().uniform, name == "index_uniform");
  }
  EXPECT_GT(entries_seen, 80);
}

TEST(FormatBlock, DamagedBlocksNeverReadOutsideThemselves) {
  const uint32_t seed = 20240;
  std::mt19937 random(seed);
  SCOPED_TRACE(seed);
  const auto vectors = LoadVectors("blocks.json");
  for (const auto& item : vectors["blocks"]) {
    const auto name = item["name"].get<std::string>();
    if (!IsContainer(name)) continue;
    const std::string payload = FromHex(item["payload"]);
    const auto walk_exact = [&](const std::string& bytes) {
      // A copy of exactly this size, so that a sanitizer sees one byte too far.
      const std::unique_ptr<char[]> exact(new char[bytes.size()]);
      memcpy(exact.get(), bytes.data(), bytes.size());
      for (const bool as_index : {false, true}) {
        BlockWalk::Options options;
        if (as_index) options = WalkOptionsFor("index_first_key_delta");
        BlockWalk walk(Slice(exact.get(), bytes.size()), options);
        size_t steps = 0;
        while (walk.Next()) ASSERT_LT(++steps, bytes.size() + 1);
      }
      BlockWalk walk(Slice(exact.get(), bytes.size()), WalkOptionsFor(name));
      while (walk.Next()) {
      }
    };
    for (size_t size = 0; size < payload.size(); ++size) walk_exact(payload.substr(0, size));
    for (size_t bit = 0; bit < payload.size() * 8; ++bit) {
      std::string damaged = payload;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      walk_exact(damaged);
    }
    for (int i = 0; i < 200; ++i) {
      std::string damaged = payload;
      for (int j = 0; j < 4; ++j) damaged[random() % damaged.size()] = static_cast<char>(random());
      walk_exact(damaged);
    }
  }
}

TEST(FormatBlock, ReservedBitAndImpossibleCountsAreDamage) {
  std::string block;
  PutFixed32(&block, 0);
  PutFixed32(&block, 1 | kReservedBit);
  BlockLayout layout;
  EXPECT_FALSE(ParseBlockLayout(block, &layout));
  block.clear();
  PutFixed32(&block, 0);
  PutFixed32(&block, 2);
  EXPECT_FALSE(ParseBlockLayout(block, &layout));
  block.clear();
  PutFixed32(&block, 0);
  EXPECT_TRUE(ParseBlockLayout(block, &layout));
  EXPECT_FALSE(layout.has_entries());
  EXPECT_FALSE(ParseBlockLayout(Slice(block.data(), 3), &layout));
}

// --- Unique ids ---

TEST(FormatUniqueId, IsComputedAsGenuineFilesHaveIt) {
  const auto vectors = LoadVectors("unique-id.json");
  for (const auto& item : vectors["ids"]) {
    SCOPED_TRACE(item.dump());
    const Result<UniqueId> id =
        ComputeUniqueId(item["db_id"].get<std::string>(), item["session_id"].get<std::string>(),
                        item["file_number"].get<uint64_t>());
    ASSERT_TRUE(id.ok());
    const UniqueId external = ExternalFromInternal(*id);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(id->words[i], HexNumber(item["internal_words"][i]));
      EXPECT_EQ(external.words[i], HexNumber(item["external_words"][i]));
    }
    EXPECT_EQ(UniqueIdText(UniqueIdBytes(external, 3)),
              item["external_192_text"].get<std::string>());
    EXPECT_EQ(InternalFromExternal(external), *id);
  }
}

TEST(FormatUniqueId, SessionIdsReadBackAsWritten) {
  SessionWords words;
  ASSERT_TRUE(DecodeSessionId("T5S7QFTNRSX6B3MHESPI", &words));
  EXPECT_EQ(EncodeSessionId(words), "T5S7QFTNRSX6B3MHESPI");
  SessionWords lower;
  ASSERT_TRUE(DecodeSessionId("t5s7qftnrsx6b3mhespi", &lower));
  EXPECT_EQ(lower, words);
  EXPECT_FALSE(DecodeSessionId("T5S7QFTNRSX6", &words));               // Too short.
  EXPECT_FALSE(DecodeSessionId("T5S7QFTNRSX6B3MHESPI12345", &words));  // Too long.
  EXPECT_FALSE(DecodeSessionId("T5S7QFTNRSX6-3MHESPI", &words));
}

TEST(FormatUniqueId, NeedsEveryPartUnlessForced) {
  EXPECT_FALSE(ComputeUniqueId("", "T5S7QFTNRSX6B3MHESPI", 1).ok());
  EXPECT_FALSE(ComputeUniqueId("db", "", 1).ok());
  EXPECT_FALSE(ComputeUniqueId("db", "T5S7QFTNRSX6B3MHESPI", 0).ok());
  EXPECT_FALSE(ComputeUniqueId("db", "short", 1).ok());
  EXPECT_TRUE(ComputeUniqueId("", "short", 0, /*force=*/true).ok());
}

}  // namespace
}  // namespace skarn
