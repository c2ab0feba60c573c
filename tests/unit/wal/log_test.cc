#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "core/base/coding.h"
#include "core/base/crc32c.h"
#include "core/env/file_system.h"
#include "core/wal/log_format.h"
#include "core/wal/log_reader.h"
#include "core/wal/log_writer.h"
#include "tests/unit/test_seed.h"

namespace skarn {
namespace {

constexpr RecoveryMode kT = RecoveryMode::kTolerateCorruptedTail;
constexpr RecoveryMode kA = RecoveryMode::kAbsoluteConsistency;
constexpr RecoveryMode kP = RecoveryMode::kPointInTime;
constexpr RecoveryMode kS = RecoveryMode::kSkipAnyCorrupted;
constexpr RecoveryMode kModes[] = {kT, kA, kP, kS};

// Gives bytes that a test may lengthen while they are read.
class StringFile : public SequentialFile {
 public:
  explicit StringFile(const std::string* bytes) : bytes_(bytes) {}
  Status Read(size_t size, Slice* result, char* scratch) override {
    const size_t count = std::min(size, bytes_->size() - std::min(bytes_->size(), at_));
    memcpy(scratch, bytes_->data() + at_, count);
    *result = Slice(scratch, count);
    at_ += count;
    return Status::Ok();
  }
  Status Skip(uint64_t size) override {
    at_ += size;
    return Status::Ok();
  }
  Status Seek(uint64_t offset) override {
    at_ = offset;
    return Status::Ok();
  }

 private:
  const std::string* bytes_;
  size_t at_ = 0;
};

class Reports : public LogReader::Reporter {
 public:
  void Corruption(size_t, const Status& status, uint64_t number) override {
    texts.push_back(status.message().ToString());
    numbers.push_back(number);
  }
  void OldRecord(size_t) override { ++old_records; }
  std::vector<std::string> texts;
  std::vector<uint64_t> numbers;
  int old_records = 0;
};

struct Outcome {
  std::vector<std::string> records;
  Reports reports;
  uint64_t end = 0;
  bool recycled = false;
  std::map<uint32_t, size_t> timestamp_sizes;
};

// Reads everything, going on after reports.
Outcome ReadAll(const std::string& bytes, RecoveryMode mode, uint64_t number = 1) {
  Outcome outcome;
  LogReader reader(std::make_unique<StringFile>(&bytes), &outcome.reports, number);
  Slice record;
  std::string scratch;
  while (reader.ReadRecord(&record, &scratch, mode)) {
    outcome.records.push_back(record.ToString());
    outcome.end = reader.last_record_end();
  }
  outcome.recycled = reader.recycled();
  outcome.timestamp_sizes = reader.timestamp_sizes();
  return outcome;
}

// A log in memory.
class Log {
 public:
  explicit Log(LogWriter::Options options = {},
               const LogWriter::Predecessor* predecessor = nullptr) {
    if (options.log_number == 0) options.log_number = 1;
    auto file = fs_->NewWritableFile("/log", FileOptions());
    writer_ = std::make_unique<LogWriter>(
        std::make_unique<FileWriter>(std::move(*file), "/log", FileOptions(),
                                     FileWriter::Options()),
        options);
    EXPECT_TRUE(writer_->WriteHeader(predecessor).ok());
  }
  Log& Add(const std::string& record) {
    EXPECT_TRUE(writer_->AddRecord(record).ok());
    return *this;
  }
  LogWriter* writer() { return writer_.get(); }
  std::string bytes() {
    EXPECT_TRUE(writer_->Flush().ok());
    return *ReadFileToString(fs_.get(), "/log");
  }

 private:
  std::unique_ptr<FileSystem> fs_ = NewMemoryFileSystem();
  std::unique_ptr<LogWriter> writer_;
};

std::string Physical(uint8_t type, const std::string& payload, uint32_t number = 1) {
  std::string body(1, static_cast<char>(type));
  if (IsRecyclableLogType(type)) PutFixed32(&body, number);
  body += payload;
  std::string out;
  PutFixed32(&out, crc32c::Mask(crc32c::Value(body)));
  PutFixed16(&out, static_cast<uint16_t>(payload.size()));
  return out + body;
}

using Strings = std::vector<std::string>;

TEST(LogWriter, FramesARecordAsDocumented) {
  EXPECT_EQ(Log().Add("hello").bytes(), Physical(1, "hello"));
  EXPECT_EQ(Log().Add("").bytes(), Physical(1, ""));
  LogWriter::Options recyclable;
  recyclable.recyclable = true;
  recyclable.log_number = 0x1234567890;
  EXPECT_EQ(Log(recyclable).Add("hello").bytes(), Physical(5, "hello", 0x34567890));
}

TEST(LogWriter, SplitsRecordsAtBlocksAndPadsWhatIsTooShortForAHeader) {
  for (size_t left = 0; left <= 14; ++left) {
    Log log;
    const std::string first(kLogBlockSize - kLogHeaderSize - left, 'a');
    const std::string bytes = log.Add(first).Add("bcd").Add("e").bytes();
    SCOPED_TRACE(left);
    const Outcome outcome = ReadAll(bytes, kA);
    EXPECT_EQ(outcome.records, (Strings{first, "bcd", "e"}));
    EXPECT_TRUE(outcome.reports.texts.empty());
    EXPECT_EQ(outcome.end, bytes.size());
    const std::string block_end = bytes.substr(kLogBlockSize - left, left);
    if (left <= 7) {
      EXPECT_EQ(block_end, left == 7 ? Physical(2, "") : std::string(left, '\0'));
    }
  }
}

TEST(LogWriter, WhatWasWrittenComesBackInEveryForm) {
  const auto seed = static_cast<uint32_t>(TestSeed());
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int form = 0; form < 4; ++form) {
    LogWriter::Options options;
    options.recyclable = (form & 1) != 0;
    options.compress_zstd = (form & 2) != 0;
    Log log(options);
    Strings expected;
    for (int i = 0; i < 200; ++i) {
      const size_t size = random() % 10 == 0 ? random() % 150000 : random() % 300;
      std::string record(size, '\0');
      const bool compressible = random() % 2 == 0;
      for (char& c : record) c = static_cast<char>(compressible ? 'x' : random());
      expected.push_back(record);
      // In parts, some of them empty.
      const size_t cut = size == 0 ? 0 : random() % size;
      const Slice parts[] = {Slice(record.data(), cut), Slice(),
                             Slice(record.data() + cut, size - cut)};
      ASSERT_TRUE(log.writer()->AddRecordParts(parts, 3).ok());
    }
    const std::string bytes = log.bytes();
    for (RecoveryMode mode : kModes) {
      const Outcome outcome = ReadAll(bytes, mode);
      ASSERT_EQ(outcome.records.size(), expected.size()) << form;
      EXPECT_EQ(outcome.records, expected) << form;
      EXPECT_TRUE(outcome.reports.texts.empty()) << form << outcome.reports.texts.front();
      EXPECT_EQ(outcome.end, bytes.size());
      EXPECT_EQ(outcome.recycled, options.recyclable);
    }
  }
}

TEST(LogWriter, RecordsTimestampSizesOnce) {
  Log log;
  ASSERT_TRUE(log.writer()->AddTimestampSizes({{1, 8}, {2, 0}}).ok());
  log.Add("one");
  ASSERT_TRUE(log.writer()->AddTimestampSizes({{1, 8}, {7, 8}}).ok());
  ASSERT_TRUE(log.writer()->AddTimestampSizes({{1, 8}, {7, 8}}).ok());
  log.Add("two");
  const std::string bytes = log.bytes();
  EXPECT_EQ(bytes, Physical(10, std::string("\1\0\0\0\10\0", 6)) + Physical(1, "one") +
                       Physical(10, std::string("\7\0\0\0\10\0", 6)) + Physical(1, "two"));
  const Outcome outcome = ReadAll(bytes, kA);
  EXPECT_EQ(outcome.records, (Strings{"one", "two"}));
  EXPECT_EQ(outcome.timestamp_sizes, (std::map<uint32_t, size_t>{{1, 8}, {7, 8}}));
}

// Padding before a control record may hold a whole header of zeroes.
TEST(LogWriter, PadsABlockBeforeAControlRecordThatDoesNotFit) {
  Log log;
  const std::string first(kLogBlockSize - kLogHeaderSize - 12, 'a');
  log.Add(first);
  ASSERT_TRUE(log.writer()->AddTimestampSizes({{1, 8}}).ok());
  const std::string bytes = log.Add("b").bytes();
  EXPECT_EQ(bytes.substr(kLogBlockSize - 12, 12), std::string(12, '\0'));
  for (RecoveryMode mode : kModes) {
    const Outcome outcome = ReadAll(bytes, mode);
    EXPECT_EQ(outcome.records, (Strings{first, "b"}));
    EXPECT_TRUE(outcome.reports.texts.empty());
  }
}

TEST(LogReader, ComparesThePredecessorWithWhatWasSeen) {
  const LogWriter::Predecessor written{10, 82, 6};
  Log log({}, &written);
  const std::string bytes = log.Add("x").bytes();
  EXPECT_EQ(static_cast<uint8_t>(bytes[6]), 130);

  auto read = [&bytes](LogReader::Predecessor seen, RecoveryMode mode, Reports* reports) {
    LogReader reader(std::make_unique<StringFile>(&bytes), reports, 1);
    reader.CheckPredecessor(std::move(seen));
    Slice record;
    std::string scratch;
    EXPECT_TRUE(reader.ReadRecord(&record, &scratch, mode));
  };
  struct {
    LogReader::Predecessor seen;
    const char* text;
  } cases[] = {
      {{true, 10, 82, 6, "/w/12.log", 4}, nullptr},
      {{false, 0, 0, 0, "/w/12.log", 11}, nullptr},
      {{false, 0, 0, 0, "/w/12.log", 4}, "Missing WAL of log number 10"},
      {{true, 4, 82, 6, "/w/12.log", 4},
       "Mismatched predecessor log number of WAL file /w/12.log Recorded 10. Observed 4"},
      {{true, 10, 82, 5, "/w/12.log", 4},
       "Mismatched last sequence number recorded in the WAL of log number 10. Recorded 6. Observed "
       "5. (Last sequence number equal to 0 indicates no WAL records)"},
      {{true, 10, 182, 6, "/w/12.log", 4},
       "Mismatched size of the WAL of log number 10. Recorded 82 bytes. Observed 182 bytes."},
  };
  for (const auto& c : cases) {
    Reports reports, skipping;
    read(c.seen, kP, &reports);
    read(c.seen, kS, &skipping);
    EXPECT_EQ(reports.texts, c.text == nullptr ? Strings{} : Strings{c.text});
    EXPECT_EQ(reports.numbers,
              c.text == nullptr ? std::vector<uint64_t>{} : std::vector<uint64_t>{10});
    EXPECT_TRUE(skipping.texts.empty());
  }
}

// --- The damage table ---

struct Damage {
  const char* what;
  std::string bytes;
  // What each mode gives back and reports: T, A, P, S.
  Strings records[4];
  Strings reports[4];
};

TEST(LogReader, ClassifiesDamageAsEachModeWantsIt) {
  const std::string a = Physical(1, "aaaa"), b = Physical(1, "bbbb"), c = Physical(1, "cccc");
  const std::string abc = a + b + c;
  std::string flipped = abc;
  flipped[a.size() + 8] ^= 1;
  std::string long_length = abc;
  EncodeFixed16(long_length.data() + a.size() + 4, 5000);
  const Strings none, all{"aaaa", "bbbb", "cccc"}, two{"aaaa", "bbbb"}, one{"aaaa"};
  const std::string oversized = [&] {
    std::string bytes = a;
    std::string bad = Physical(1, "zz");
    EncodeFixed16(bad.data() + 4, 40000);
    bytes += bad;
    bytes.resize(kLogBlockSize, '\0');
    return bytes + c;
  }();

  const Damage cases[] = {
      {"cut inside the last body",
       abc.substr(0, abc.size() - 1),
       {two, two, two, two},
       {none, {"truncated record body"}, {"truncated record body"}, none}},
      {"cut inside the last header",
       (a + b).append(c, 0, 5),
       {two, two, two, two},
       {none, {"truncated header"}, {"truncated header"}, none}},
      {"cut at a record's end", a + b, {two, two, two, two}, {none, none, none, none}},
      {"flipped bit",
       flipped,
       {one, one, one, one},
       {{"checksum mismatch"},
        {"checksum mismatch"},
        {"checksum mismatch"},
        {"checksum mismatch"}}},
      {"zeroes behind",
       abc + std::string(100, '\0'),
       {all, all, all, all},
       {none, none, none, none}},
      {"0x55 behind",
       abc + std::string(100, 'U'),
       {all, all, all, all},
       {none, {"truncated record body"}, {"truncated record body"}, none}},
      {"length past the end",
       long_length,
       {one, one, one, one},
       {none, {"truncated record body"}, {"truncated record body"}, none}},
      {"length past the block",
       oversized,
       {{"aaaa", "cccc"}, {"aaaa", "cccc"}, {"aaaa", "cccc"}, {"aaaa", "cccc"}},
       {{"bad record length"},
        {"bad record length"},
        {"bad record length"},
        {"bad record length"}}},
      {"first without an end",
       a + Physical(2, "xx"),
       {one, one, one, one},
       {none,
        {"error reading trailing data due to encountering EOF"},
        {"error reading trailing data due to encountering EOF"},
        none}},
      {"first then full",
       a + Physical(2, "xx") + b,
       {two, two, two, two},
       {{"partial record without end(1)"},
        {"partial record without end(1)"},
        {"partial record without end(1)"},
        {"partial record without end(1)"}}},
      {"first then first",
       Physical(2, "xx") + Physical(2, "aa") + Physical(4, "aa"),
       {one, one, one, one},
       {{"partial record without end(2)"},
        {"partial record without end(2)"},
        {"partial record without end(2)"},
        {"partial record without end(2)"}}},
      {"middle without a start",
       Physical(3, "xx") + a,
       {one, one, one, one},
       {{"missing start of fragmented record(1)"},
        {"missing start of fragmented record(1)"},
        {"missing start of fragmented record(1)"},
        {"missing start of fragmented record(1)"}}},
      {"last without a start",
       Physical(4, "xx") + a,
       {one, one, one, one},
       {{"missing start of fragmented record(2)"},
        {"missing start of fragmented record(2)"},
        {"missing start of fragmented record(2)"},
        {"missing start of fragmented record(2)"}}},
      {"unknown type",
       a + Physical(77, "xx") + b,
       {two, two, two, two},
       {{"unknown record type 77"},
        {"unknown record type 77"},
        {"unknown record type 77"},
        {"unknown record type 77"}}},
      {"unknown type that may be skipped",
       a + Physical(200, "xx") + b,
       {two, two, two, two},
       {none, none, none, none}},
      {"type number that readers once used themselves",
       a + Physical(132, "xx") + b,
       {two, two, two, two},
       {none, none, none, none}},
      {"empty file", "", {none, none, none, none}, {none, none, none, none}},
  };
  for (const Damage& damage : cases) {
    for (int i = 0; i < 4; ++i) {
      SCOPED_TRACE(std::string(damage.what) + ", mode " + std::to_string(i));
      const Outcome outcome = ReadAll(damage.bytes, kModes[i] == kT   ? kT
                                                    : kModes[i] == kA ? kA
                                                    : kModes[i] == kP ? kP
                                                                      : kS);
      EXPECT_EQ(outcome.records, damage.records[i]);
      EXPECT_EQ(outcome.reports.texts, damage.reports[i]);
    }
  }
}

TEST(LogReader, GoesOnAtTheNextBlockAfterAChecksumMismatch) {
  Log log;
  const std::string filler(kLogBlockSize - 3 * kLogHeaderSize - 8, 'f');
  std::string bytes = log.Add("aaaa").Add("bbbb").Add(filler).Add("next").bytes();
  bytes[20] ^= 4;  // In the second record: the third is lost with it.
  EXPECT_EQ(ReadAll(bytes, kS).records, (Strings{"aaaa", "next"}));
}

TEST(LogReader, TellsARecycledLogsOldRecordsFromNewOnes) {
  const std::string fresh = Physical(5, "new1", 2) + Physical(5, "new2", 2);
  const std::string stale = Physical(5, "old1", 1) + Physical(5, "old2", 1);
  for (RecoveryMode mode : {kT, kA, kP}) {
    const Outcome outcome = ReadAll(fresh + stale, mode, 2);
    EXPECT_EQ(outcome.records, (Strings{"new1", "new2"}));
    EXPECT_TRUE(outcome.reports.texts.empty());
    EXPECT_EQ(outcome.reports.old_records, mode == kP ? 1 : 0);
  }
  EXPECT_EQ(ReadAll(fresh + stale, kS, 2).records, (Strings{"new1", "new2"}));
  // The new record ends inside an old one.
  const Outcome torn = ReadAll(fresh + std::string(40, '\x21'), kT, 2);
  EXPECT_EQ(torn.records, (Strings{"new1", "new2"}));
  EXPECT_TRUE(torn.reports.texts.empty());
  // Inside a fragmented record.
  const std::string open = Physical(6, "part", 2) + stale;
  EXPECT_TRUE(ReadAll(open, kT, 2).reports.texts.empty());
  EXPECT_EQ(ReadAll(open, kP, 2).reports.texts,
            (Strings{"error reading trailing data due to encountering old record"}));
  // A log that began with plain records was never recycled.
  EXPECT_EQ(ReadAll(Physical(1, "x") + Physical(5, "y", 1), kS).records, (Strings{"x"}));
}

TEST(LogReader, RefusesControlRecordsInTheWrongPlace) {
  const std::string zstd(std::string("\7\0\0\0", 4));
  EXPECT_EQ(ReadAll(Physical(1, "a") + Physical(9, zstd), kP).reports.texts,
            (Strings{"SetCompressionType not the first record"}));
  EXPECT_EQ(ReadAll(Physical(9, zstd) + Physical(9, zstd), kP).reports.texts,
            (Strings{"read multiple SetCompressionType records"}));
  EXPECT_EQ(ReadAll(Physical(9, std::string("\3\0\0\0", 4)) + Physical(1, "a"), kS).reports.texts,
            (Strings{"CompressionTypeRecord: WAL compression type not supported"}));
  EXPECT_EQ(ReadAll(Physical(9, "x"), kP).reports.texts.size(), 1u);
  EXPECT_EQ(ReadAll(Physical(9, std::string(4, '\0')) + Physical(1, "a"), kP).records,
            Strings{"a"});
  EXPECT_EQ(ReadAll(Physical(10, "12345"), kP).reports.texts.size(), 1u);
  EXPECT_EQ(ReadAll(Physical(10, std::string("\1\0\0\0\0\0", 6)), kP).reports.texts.size(), 1u);
  const std::string size = Physical(10, std::string("\1\0\0\0\10\0", 6));
  EXPECT_EQ(ReadAll(size + size, kP).reports.texts.size(), 1u);
}

TEST(LogReader, DropsABlockWhoseCompressedBytesAreNoFrame) {
  const std::string bytes =
      Physical(9, std::string("\7\0\0\0", 4)) + Physical(1, "no frame") + Physical(1, "more");
  const Outcome outcome = ReadAll(bytes, kS);
  EXPECT_TRUE(outcome.records.empty());
}

// A page that never reached the disk before a power cut must not hide a hole.
TEST(LogReader, ReportsDataBehindAZeroedPage) {
  Log log;
  for (int i = 0; i < 30; ++i) log.Add(std::string(4000, static_cast<char>('a' + i)));
  std::string bytes = log.bytes();
  memset(bytes.data() + 8192, 0, 4096);
  // The page begins inside a record.
  EXPECT_EQ(ReadAll(bytes, kP).reports.texts.front(), "checksum mismatch");
  // It begins where a record does.
  std::string aligned = Physical(1, std::string(4096 - 7, 'a'));
  aligned.resize(kLogBlockSize, '\0');
  aligned += Physical(1, "late");
  EXPECT_EQ(ReadAll(aligned, kP).reports.texts, Strings{"record after a run of zeroes"});
  EXPECT_EQ(ReadAll(aligned, kA).reports.texts, Strings{"record after a run of zeroes"});
  EXPECT_TRUE(ReadAll(aligned, kT).reports.texts.empty());
  EXPECT_TRUE(ReadAll(aligned, kS).reports.texts.empty());
}

// Damage that used to look like the end of the log: nobody was told that records are missing.
TEST(LogReader, ADamagedHeaderIsNotTakenForTheEnd) {
  const std::string first = Physical(1, "first");
  for (const RecoveryMode mode : kModes) {
    for (const size_t at : {size_t{0}, first.size()}) {
      // The type of a recycled log in one that is not.
      std::string bytes = first + Physical(1, "last");
      bytes[at + 6] ^= 4;
      EXPECT_EQ(ReadAll(bytes, mode).reports.texts, Strings{"checksum mismatch"});
    }
    std::string bytes = Physical(10, "123456") + Physical(1, "last");
    bytes[6] ^= 1;
    EXPECT_EQ(ReadAll(bytes, mode).reports.texts, Strings{"checksum mismatch"});
  }
  // The number in a record of a recycled one.
  const std::string recycled = Physical(5, "first");
  for (const RecoveryMode mode : {kA, kP, kS}) {
    std::string bytes = recycled + Physical(5, "last");
    bytes[recycled.size() + 8] ^= 1;
    EXPECT_EQ(ReadAll(bytes, mode).reports.texts, Strings{"checksum mismatch"});
    EXPECT_EQ(ReadAll(bytes, mode).reports.old_records, 0);
  }
}

TEST(LogReader, ZeroesAmidRecordsAreDamageWhereEveryRecordCounts) {
  const std::string first = Physical(1, "first");
  std::string bytes = first + Physical(1, "second") + Physical(1, "third");
  memset(&bytes[first.size()], 0, Physical(1, "second").size());
  EXPECT_EQ(ReadAll(bytes, kA).reports.texts, Strings{"zeroes amid records"});
  EXPECT_EQ(ReadAll(bytes, kP).reports.texts, Strings{"zeroes amid records"});
  EXPECT_TRUE(ReadAll(bytes, kT).reports.texts.empty());
  // Space reserved ahead is none.
  bytes.resize(first.size());
  bytes.append(600, '\0');
  EXPECT_TRUE(ReadAll(bytes, kA).reports.texts.empty());
}

TEST(LogReader, TheLastRecordOfAManifestIsNotLostByItsLength) {
  const std::string first = Physical(1, "first");
  const auto read = [](std::string bytes) {
    Reports reports;
    LogReader reader(std::make_unique<StringFile>(&bytes), &reports, 0);
    reader.set_exact();
    Slice record;
    std::string scratch;
    while (reader.ReadRecord(&record, &scratch, kT)) {
    }
    return reports.texts;
  };
  // A length that reaches past the end of the file, of a record that is whole.
  std::string bytes = first + Physical(1, "last");
  bytes[first.size() + 5] ^= 0x40;
  EXPECT_EQ(read(bytes), Strings{"checksum mismatch"});
  // One that is not whole was being written.
  EXPECT_TRUE(read(bytes.substr(0, bytes.size() - 1)).empty());
}

// A log that is filled through memory: at any moment it ends with zeroes, and in front of them may
// be a record whose payload is there, and perhaps its checksum, but not its length and type.
TEST(LogReader, FollowsALogThatIsFilledThroughMemory) {
  std::mt19937 random(5);
  for (const bool with_timestamps : {false, true}) {
    Log log;
    Strings expected;
    std::vector<size_t> ends;
    for (int i = 0; i < 120; ++i) {
      // A control record that does not fit leaves a run of zeroes at the end of a block.
      if (with_timestamps && i % 10 == 5) {
        std::map<uint32_t, size_t> sizes;
        for (uint32_t family = 0; family < 300; ++family) {
          sizes[static_cast<uint32_t>(i) * 1000 + family] = 8;
        }
        ASSERT_TRUE(log.writer()->AddTimestampSizes(sizes).ok());
      }
      const size_t size = random() % (i % 20 == 0 ? 70000 : 3000);
      expected.push_back(std::string(size, static_cast<char>('a' + i % 26)));
      log.Add(expected.back());
      ends.push_back(log.writer()->file()->size_bytes());
    }
    const std::string whole = log.bytes();
    std::vector<size_t> headers;  // Of physical records.
    for (size_t at = 0; at < whole.size();) {
      const size_t left = kLogBlockSize - at % kLogBlockSize;
      if (left < kLogHeaderSize || whole[at + 6] == 0) {
        at += left;
        continue;
      }
      headers.push_back(at);
      at += kLogHeaderSize + DecodeFixed16(whole.data() + at + 4);
    }

    std::string seen;
    Reports reports;
    LogReader reader(std::make_unique<StringFile>(&seen), &reports, 1);
    reader.set_following();
    Strings records;
    Slice record;
    std::string scratch;
    const auto read = [&] {
      reader.ContinueAfterEnd();
      while (reader.ReadRecord(&record, &scratch, kT)) records.push_back(record.ToString());
      ASSERT_TRUE(reader.at_end());
    };
    for (size_t cut = 0; cut < whole.size(); cut += 1 + random() % 997) {
      seen = whole.substr(0, cut);
      const auto after = std::upper_bound(headers.begin(), headers.end(), cut);
      if (after != headers.begin()) {
        const size_t header = *(after - 1);
        const size_t end = header + kLogHeaderSize + DecodeFixed16(whole.data() + header + 4);
        if (cut < end) {
          const size_t from = header + (random() % 2) * 4;  // With or without the checksum.
          for (size_t at = from; at < std::min(header + kLogHeaderSize, cut); ++at) seen[at] = 0;
        }
      }
      seen.resize((seen.size() / 4096 + 1 + random() % 16) * 4096);
      read();
      ASSERT_TRUE(reports.texts.empty()) << cut << ": " << reports.texts[0];
      const auto whole_ones = std::upper_bound(ends.begin(), ends.end(), cut) - ends.begin();
      ASSERT_EQ(records.size(), static_cast<size_t>(whole_ones)) << cut;
    }
    seen = whole;  // It was closed.
    read();
    EXPECT_TRUE(reports.texts.empty());
    EXPECT_EQ(records, expected);
  }
}

// Damage in front of later records is told, also by a reader that follows.
TEST(LogReader, AFollowerTellsOfDamage) {
  Log log;
  for (int i = 0; i < 4; ++i) log.Add(std::string(500, static_cast<char>('a' + i)));
  std::string bytes = log.bytes();
  bytes[600] ^= 1;
  bytes.resize(8192);
  Reports reports;
  LogReader reader(std::make_unique<StringFile>(&bytes), &reports, 1);
  reader.set_following();
  Slice record;
  std::string scratch;
  ASSERT_TRUE(reader.ReadRecord(&record, &scratch, kT));
  EXPECT_FALSE(reader.ReadRecord(&record, &scratch, kT));
  EXPECT_EQ(reports.texts, Strings{"checksum mismatch"});
}

// A long record is written front to back into the zeroes ahead: for a while its header is there
// and the rest is not.
TEST(LogReader, AFollowerWaitsForARecordThatIsBeingWritten) {
  std::mt19937 random(7);
  Log log;
  Strings expected;
  std::vector<size_t> ends;
  for (int i = 0; i < 40; ++i) {
    const size_t size = random() % 3 == 0 ? random() % 60000 : random() % 6000;
    expected.push_back(std::string(size, static_cast<char>('a' + i % 26)));
    log.Add(expected.back());
    ends.push_back(log.writer()->file()->size_bytes());
  }
  const std::string whole = log.bytes();
  std::string seen;
  Reports reports;
  LogReader reader(std::make_unique<StringFile>(&seen), &reports, 1);
  reader.set_following();
  Strings records;
  Slice record;
  std::string scratch;
  for (size_t cut = 0; cut < whole.size(); cut += 1 + random() % 2000) {
    seen = whole.substr(0, cut);
    seen.resize(whole.size() + 8192);
    for (int again = 0; again < 2; ++again) {
      reader.ContinueAfterEnd();
      while (reader.ReadRecord(&record, &scratch, kT)) records.push_back(record.ToString());
      ASSERT_TRUE(reader.at_end());
      ASSERT_TRUE(reports.texts.empty()) << cut << ": " << reports.texts[0];
      const auto whole_ones = std::upper_bound(ends.begin(), ends.end(), cut) - ends.begin();
      ASSERT_GE(records.size(), static_cast<size_t>(whole_ones)) << cut;
    }
  }
  seen = whole;
  reader.ContinueAfterEnd();
  while (reader.ReadRecord(&record, &scratch, kT)) records.push_back(record.ToString());
  EXPECT_EQ(records, expected);
  EXPECT_TRUE(reports.texts.empty());
}

// Behind the last record of a recycled log are those of the log before, until they are written
// over.
TEST(LogReader, AFollowerGoesOnWhereARecycledLogEnded) {
  LogWriter::Options options;
  options.recyclable = true;
  options.log_number = 1;
  Log before(options);
  options.log_number = 2;
  Log log(options);
  for (int i = 0; i < 300; ++i)
    before.Add(std::string(300, static_cast<char>(i % 4 == 1 ? 0 : 'A' + i % 26)));
  std::string seen = before.bytes();
  Reports reports;
  LogReader reader(std::make_unique<StringFile>(&seen), &reports, 2);
  reader.set_following();
  Slice record;
  std::string scratch;
  for (int i = 0; i < 250; ++i) {
    // Now and then where one of the old ones begins.
    log.Add(std::string(i % 3 == 0 ? 300 : 289 - i % 2, static_cast<char>('a' + i % 26)));
    const std::string bytes = log.bytes();
    seen.replace(0, bytes.size(), bytes);
    reader.ContinueAfterEnd();
    ASSERT_TRUE(reader.ReadRecord(&record, &scratch, kT)) << i;
    EXPECT_EQ(record[0], 'a' + i % 26);
    if (i % 3 == 0) EXPECT_FALSE(reader.ReadRecord(&record, &scratch, kT));
  }
  EXPECT_TRUE(reports.texts.empty());
}

TEST(LogReader, GoesOnWhenTheFileHasGrown) {
  Log log;
  Strings expected;
  for (int i = 0; i < 60; ++i) {
    expected.push_back(std::string(static_cast<size_t>(i) * 97, static_cast<char>('a' + i % 26)));
    log.Add(expected.back());
  }
  const std::string whole = log.bytes();
  std::string seen;
  Reports reports;
  LogReader reader(std::make_unique<StringFile>(&seen), &reports, 1);
  Strings records;
  Slice record;
  std::string scratch;
  // Cuts fall inside headers, bodies and between records.
  for (size_t size = 0; size <= whole.size(); size += 13) {
    seen = whole.substr(0, std::min(size, whole.size()));
    if (size > 0) reader.ContinueAfterEnd();
    while (reader.ReadRecord(&record, &scratch, kT)) records.push_back(record.ToString());
    ASSERT_TRUE(reader.at_end());
  }
  seen = whole;
  reader.ContinueAfterEnd();
  while (reader.ReadRecord(&record, &scratch, kT)) records.push_back(record.ToString());
  EXPECT_EQ(records, expected);
  EXPECT_TRUE(reports.texts.empty());
}

TEST(LogReader, NoDamageMakesItCrashOrInventRecords) {
  const auto seed = static_cast<uint32_t>(TestSeed());
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int form = 0; form < 4; ++form) {
    LogWriter::Options options;
    options.recyclable = (form & 1) != 0;
    options.compress_zstd = (form & 2) != 0;
    Log log(options);
    std::set<std::string> written;
    for (int i = 0; i < 25; ++i) {
      std::string record(static_cast<size_t>(random() % 6000) + 1, static_cast<char>('a' + i));
      for (size_t j = 0; j < record.size(); j += 7) record[j] = static_cast<char>(random());
      written.insert(record);
      log.Add(record);
    }
    const std::string bytes = log.bytes();
    for (int i = 0; i < 400; ++i) {
      std::string damaged = bytes;
      switch (random() % 3) {
        case 0:
          damaged.resize(random() % bytes.size());
          break;
        case 1:
          damaged[random() % bytes.size()] ^= static_cast<char>(1u << (random() % 8));
          break;
        default:
          memset(damaged.data() + (random() % bytes.size()) / 512 * 512, 0, 1);
          break;
      }
      for (RecoveryMode mode : kModes) {
        for (const std::string& record : ReadAll(damaged, mode).records) {
          ASSERT_TRUE(written.count(record) != 0);
        }
      }
    }
  }
}

// --- Logs of genuine releases ---

std::string ReadDisk(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream content;
  content << in.rdbuf();
  return content.str();
}

// Reads a log whose every byte must be accounted for; returns the number of records.
size_t CheckGenuineLog(const std::string& name, const std::string& bytes, uint64_t number) {
  Reports reports;
  LogReader reader(std::make_unique<StringFile>(&bytes), &reports, number);
  Slice record;
  std::string scratch;
  size_t count = 0;
  uint64_t next = 0;
  while (reader.ReadRecord(&record, &scratch, kP)) {
    ++count;
    EXPECT_GE(record.size(), 12u) << name;
    if (record.size() < 12) break;
    // Two-phase records repeat a base; nothing goes back.
    const uint64_t sequence = DecodeFixed64(record.data());
    EXPECT_GE(sequence, next) << name;
    next = sequence;
  }
  EXPECT_TRUE(reports.texts.empty()) << name << ": " << reports.texts.front();
  if (reports.old_records == 0 && count > 0) {
    EXPECT_EQ(reader.last_record_end(), bytes.size()) << name;
  }
  return count;
}

TEST(LogReader, ReadsLogsOfGenuineReleasesToTheirEnd) {
  size_t logs = 0, records = 0;
  for (const auto& entry : std::filesystem::directory_iterator(SKARN_TEST_DATA "/wal")) {
    const std::string name = entry.path().filename().string();
    const uint64_t number = std::stoull(name.substr(name.rfind('-') + 1));
    const size_t found = CheckGenuineLog(name, ReadDisk(entry.path()), number);
    EXPECT_GT(found, 0u) << name;
    records += found;
    ++logs;
  }
  EXPECT_EQ(logs, 9u);
  EXPECT_GT(records, 500u);
}

// All of them, where the collection is at hand.
TEST(LogReader, ReadsEveryLogOfTheGoldenDatabases) {
  const std::filesystem::path golden = SKARN_SHARED_DATA "/golden";
  if (!std::filesystem::exists(golden)) GTEST_SKIP() << "no golden databases here";
  size_t logs = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(golden)) {
    if (entry.path().extension() != ".log") continue;
    CheckGenuineLog(entry.path().string(), ReadDisk(entry.path()),
                    std::stoull(entry.path().stem().string()));
    ++logs;
  }
  EXPECT_GT(logs, 60u);
}

}  // namespace
}  // namespace skarn
