#include "core/base/codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "core/base/coding.h"
#include "core/base/random.h"
#include "tests/unit/base/vectors.h"

namespace skarn {
namespace {

// Text-like bytes that compress to a third or so.
std::string Compressible(size_t size, uint64_t seed) {
  static const char* const kWords[] = {"stone ", "cairn ", "ridge ", "moss ", "lichen ", "wind "};
  Random random(seed);
  std::string text;
  while (text.size() < size) {
    text += kWords[random.Uniform(6)];
    if (random.OneIn(5)) text += std::to_string(random.Uniform(1000));
  }
  text.resize(size);
  return text;
}

std::string Noise(size_t size, uint64_t seed) {
  Random random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.Next());
  return bytes;
}

std::vector<CompressionType> RealCodecs() {
  std::vector<CompressionType> codecs = AvailableCodecs();
  codecs.erase(codecs.begin());
  return codecs;
}

std::string CompressAll(CompressionType type, Slice raw, const CodecOptions& options = {},
                        const CompressionDictionary* dictionary = nullptr) {
  std::string out(MaxCompressedSize(type, raw.size()), '\0');
  out.resize(Compress(type, options, dictionary, raw, out.data(), out.size()));
  return out;
}

TEST(Codec, ReadsEveryPayloadOfTheVectors) {
  const nlohmann::json vectors = LoadVectors("compression.json");
  const std::string expected = FromHex(vectors["decompressed"]);
  ASSERT_EQ(vectors["blocks"].size(), 17u);
  for (const auto& block : vectors["blocks"]) {
    SCOPED_TRACE(block["type_byte"].dump() + " fv " + block["format_version"].dump());
    const Result<CodecBuffer> result =
        Uncompress(static_cast<CompressionType>(block["type_byte"].get<int>()),
                   block["format_version"].get<uint32_t>(), nullptr, FromHex(block["payload"]));
    ASSERT_TRUE(result.ok()) << result.status().ToString();
    EXPECT_EQ(result->slice(), Slice(expected));
  }
}

TEST(Codec, ReadsEveryPayloadWithADictionaryOfTheVectors) {
  const nlohmann::json vectors = LoadVectors("compression.json");
  ASSERT_EQ(vectors["dictionary_blocks"].size(), 3u);
  for (const auto& block : vectors["dictionary_blocks"]) {
    const DecompressionDictionary dictionary(FromHex(block["dictionary"]));
    const auto type = static_cast<CompressionType>(block["type_byte"].get<int>());
    const std::string payload = FromHex(block["payload"]);
    const Result<CodecBuffer> result =
        Uncompress(type, block["format_version"].get<uint32_t>(), &dictionary, payload);
    ASSERT_TRUE(result.ok()) << result.status().ToString();
    EXPECT_EQ(result->slice(), Slice(FromHex(block["decompressed"])));
    // Without the dictionary the same bytes are damage, not something else.
    EXPECT_FALSE(Uncompress(type, 5, nullptr, payload).ok() &&
                 Uncompress(type, 5, nullptr, payload)->slice() ==
                     Slice(FromHex(block["decompressed"])));
  }
}

TEST(Codec, ReturnsWhatWasCompressedForEverySize) {
  for (CompressionType type : RealCodecs()) {
    for (size_t size : {0, 1, 2, 15, 100, 4096, 70000, 300000}) {
      for (const std::string& raw : {Compressible(size, size), Noise(size, size)}) {
        const std::string payload = CompressAll(type, raw);
        ASSERT_GT(payload.size(), 0u) << CodecName(type) << " of " << size;
        const Result<size_t> told = UncompressedSize(type, 5, payload);
        ASSERT_TRUE(told.ok());
        EXPECT_EQ(*told, size);
        const Result<CodecBuffer> back = Uncompress(type, 5, nullptr, payload, /*padding=*/16);
        ASSERT_TRUE(back.ok()) << CodecName(type) << " " << back.status().ToString();
        EXPECT_EQ(back->slice(), Slice(raw)) << CodecName(type) << " of " << size;
      }
    }
  }
}

TEST(Codec, GivesUpWhenTheResultIsNotWorthwhile) {
  const CodecOptions options;
  EXPECT_EQ(WorthwhileSize(4096, options), 3584u);
  const std::string noise = Noise(4096, 1);
  const std::string text = Compressible(4096, 2);
  std::string out(4096, '\0');
  for (CompressionType type : RealCodecs()) {
    EXPECT_EQ(Compress(type, options, nullptr, noise, out.data(), 3584), 0u) << CodecName(type);
    // The refusal must leave the context fit for the next block.
    const size_t size = Compress(type, options, nullptr, text, out.data(), 3584);
    ASSERT_GT(size, 0u) << CodecName(type);
    const Result<CodecBuffer> back = Uncompress(type, 5, nullptr, Slice(out.data(), size));
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(back->slice(), Slice(text));
  }
}

TEST(Codec, UsesLevelsWindowsAndChecksums) {
  const std::string text = Compressible(100000, 3);
  for (CompressionType type : RealCodecs()) {
    for (int level : {-5, 1, 6, 9}) {
      CodecOptions options;
      options.level = type == CompressionType::kZlib && level < 0 ? -1 : level;
      options.window_bits = -10;
      options.checksum = true;
      const std::string payload = CompressAll(type, text, options);
      const Result<CodecBuffer> back = Uncompress(type, 2, nullptr, payload);
      ASSERT_TRUE(back.ok()) << CodecName(type) << level;
      EXPECT_EQ(back->slice(), Slice(text));
    }
  }
}

TEST(Codec, RoundTripsWithDictionaries) {
  std::string samples;
  std::vector<size_t> sizes;
  for (int i = 0; i < 400; i++) {
    const std::string sample = "common beginning of all records " + Compressible(200, i);
    samples += sample;
    sizes.push_back(sample.size());
  }
  const std::string trained = TrainZstdDictionary(samples, sizes, 4096);
  const std::string finalized =
      FinalizeZstdDictionary(samples, sizes, 4096, CodecOptions::kDefaultLevel);
  ASSERT_FALSE(trained.empty());
  ASSERT_FALSE(finalized.empty());
  EXPECT_LE(trained.size(), 4096u);
  EXPECT_LE(finalized.size(), 4096u);
  const std::string raw_content = samples.substr(0, 4096);
  const std::string record = "common beginning of all records " + Compressible(200, 9999);
  for (CompressionType type : RealCodecs()) {
    for (const std::string& bytes : {trained, finalized, raw_content}) {
      const CompressionDictionary writer(type, {}, bytes);
      const DecompressionDictionary reader(bytes);
      for (int i = 0; i < 3; i++) {
        const std::string payload = CompressAll(type, record, {}, &writer);
        const Result<CodecBuffer> back = Uncompress(type, 5, &reader, payload);
        ASSERT_TRUE(back.ok()) << CodecName(type) << back.status().ToString();
        EXPECT_EQ(back->slice(), Slice(record));
        // Without a dictionary in between, so that state left behind would show.
        EXPECT_TRUE(Uncompress(type, 5, nullptr, CompressAll(type, record)).ok());
      }
      if (type == CompressionType::kZstd || type == CompressionType::kZlib) {
        EXPECT_LT(CompressAll(type, record, {}, &writer).size(), CompressAll(type, record).size());
      }
    }
  }
}

TEST(Codec, TrainingNeedsSamples) {
  EXPECT_EQ(TrainZstdDictionary("", {}, 1000), "");
  EXPECT_EQ(TrainZstdDictionary("abc", {3}, 1000), "");
}

TEST(Codec, RefusesTypesItCannotHandle) {
  EXPECT_TRUE(Uncompress(CompressionType::kXpress, 5, nullptr, "abc").status().IsNotSupported());
  EXPECT_TRUE(
      Uncompress(static_cast<CompressionType>(0x99), 5, nullptr, "abc").status().IsNotSupported());
  EXPECT_FALSE(IsCodecAvailable(CompressionType::kXpress));
  EXPECT_EQ(CodecName(static_cast<CompressionType>(0x55)), nullptr);
}

TEST(Codec, RefusesSizesThatNoPayloadCanReach) {
  std::string payload;
  PutVarint64(&payload, uint64_t{1} << 31);
  payload += "xxxx";
  for (CompressionType type : {CompressionType::kZlib, CompressionType::kLz4,
                               CompressionType::kZstd, CompressionType::kSnappy}) {
    EXPECT_TRUE(UncompressedSize(type, 5, payload).status().IsCorruption()) << CodecName(type);
  }
  payload.clear();
  PutVarint64(&payload, uint64_t{1} << 60);
  EXPECT_TRUE(UncompressedSize(CompressionType::kBZip2, 5, payload).status().IsCorruption());
}

// Every kind of damage gives a Corruption or a wrong answer of the right size, which
// the block checksum is there to catch; never a crash (run with sanitizers).
TEST(Codec, SurvivesDamagedPayloads) {
  const uint64_t seed = 20260131;
  Random random(seed);
  const std::string raw = Compressible(3000, 4);
  for (CompressionType type : RealCodecs()) {
    const std::string good = CompressAll(type, raw);
    for (int round = 0; round < 400; round++) {
      std::string bad = good;
      switch (random.Uniform(3)) {
        case 0:
          bad[random.Uniform(bad.size())] ^= static_cast<char>(1 << random.Uniform(8));
          break;
        case 1:
          bad.resize(random.Uniform(bad.size()));
          break;
        default:
          for (int i = 0; i < 5; i++)
            bad[random.Uniform(bad.size())] = static_cast<char>(random.Next());
      }
      for (uint32_t format_version : {1u, 5u}) {
        const Result<CodecBuffer> result = Uncompress(type, format_version, nullptr, bad);
        if (result.ok()) continue;
        EXPECT_TRUE(result.status().IsCorruption() || result.status().IsAborted())
            << result.status().ToString() << " seed " << seed;
      }
    }
  }
}

TEST(StreamCodec, ReturnsRecordsOfAnySizeInChunks) {
  StreamCompressor compressor;
  StreamDecompressor decompressor;
  const size_t chunk_size = 1000;
  for (size_t size : {1, 10, 1000, 100000, 3000000}) {
    const std::string record = size % 3 == 1 ? Compressible(size, size) : Noise(size, size);
    std::vector<std::string> chunks;
    compressor.Begin(record);
    for (bool done = false; !done;) {
      std::string chunk(chunk_size, '\0');
      size_t chunk_bytes = 0;
      ASSERT_TRUE(compressor.Next(chunk.data(), chunk.size(), &chunk_bytes, &done).ok());
      chunk.resize(chunk_bytes);
      chunks.push_back(chunk);
    }
    std::string back;
    decompressor.Begin();
    for (const std::string& chunk : chunks) {
      EXPECT_FALSE(decompressor.frame_ended());
      ASSERT_TRUE(decompressor.Feed(chunk, &back, size).ok());
    }
    EXPECT_TRUE(decompressor.frame_ended());
    EXPECT_EQ(back, record);
  }
}

TEST(StreamCodec, NoticesDamageAndStartsAfresh) {
  StreamCompressor compressor;
  StreamDecompressor decompressor;
  const std::string record = Compressible(5000, 8);
  std::string frame(10000, '\0');
  size_t size = 0;
  bool done = false;
  compressor.Begin(record);
  ASSERT_TRUE(compressor.Next(frame.data(), frame.size(), &size, &done).ok());
  ASSERT_TRUE(done);
  frame.resize(size);
  std::string bad = frame;
  bad[bad.size() - 2] ^= 1;  // In the checksum at the end.
  std::string back;
  decompressor.Begin();
  EXPECT_TRUE(decompressor.Feed(bad, &back, SIZE_MAX).IsCorruption());
  back.clear();
  decompressor.Begin();
  EXPECT_TRUE(decompressor.Feed(frame, &back, SIZE_MAX).ok());
  EXPECT_EQ(back, record);
  back.clear();
  decompressor.Begin();
  EXPECT_TRUE(decompressor.Feed(frame, &back, 100).IsCorruption());
}

// Contexts belong to threads: many at once, each ending.
TEST(Codec, WorksInManyThreads) {
  const std::string raw = Compressible(20000, 5);
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 8; i++) {
    threads.emplace_back([&] {
      for (CompressionType type : RealCodecs()) {
        const Result<CodecBuffer> back = Uncompress(type, 5, nullptr, CompressAll(type, raw));
        if (back.ok() && back->slice() == Slice(raw)) good++;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good.load(), 8 * 6);
}

}  // namespace
}  // namespace skarn
