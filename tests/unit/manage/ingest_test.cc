// Files from outside that are not what they should be.

#include <functional>

#include "core/base/coding.h"
#include "core/env/fault_file_system.h"
#include "core/manage/sst_file_writer.h"
#include "core/plugin/comparator.h"
#include "tests/unit/db/db_test_base.h"

namespace skarn {
namespace {

constexpr char kOutside[] = "/outside.sst";

class IngestTest : public DbTest {
 protected:
  // The bytes of a file with keys k00 to k29 and a range deletion behind them.
  std::string NewFile() {
    SstFileWriter writer(options_, family_options_);
    EXPECT_OK(writer.Open(kOutside));
    for (int i = 0; i < 30; ++i) {
      EXPECT_OK(writer.Add(EntryKind::kValue, Key(i), Slice(), "new" + std::to_string(i)));
    }
    EXPECT_OK(writer.DeleteRange("x", "y"));
    EXPECT_OK(writer.Finish());
    return *ReadFileToString(env_->file_system, kOutside);
  }
  static std::string Key(int i) { return std::string(i < 10 ? "k0" : "k") + std::to_string(i); }
  Status Ingest(const std::string& bytes, bool verify) {
    EXPECT_OK(WriteStringToFile(env_->file_system, bytes, kOutside, /*sync=*/false));
    IngestOptions ingest;
    ingest.verify_checksums = verify;
    return db_->IngestExternalFiles(cf(0), {kOutside}, ingest);
  }
  // The database shows what it had, with all of the file over it or none, or says what is wrong.
  void ExpectNoWrongAnswer(bool taken_in, const std::string& when) {
    for (const std::string& key : {Key(3), Key(17), std::string("x5"), std::string("z")}) {
      const std::string value = Get(key);
      if (value.rfind("Corruption", 0) == 0) continue;
      const bool in_file = key[0] == 'k';
      const std::string after = in_file         ? "new" + std::to_string(atoi(key.c_str() + 1))
                                : key[0] == 'x' ? "NOT_FOUND"
                                                : "old";
      ASSERT_EQ(value, taken_in ? after : "old") << when << ": " << key;
    }
  }
  void TryAll(const std::function<void(std::string*, size_t)>& damage, size_t step) {
    family_options_.table_factory.block_based.block_size = 100;
    const std::string good = NewFile();
    for (const bool verify : {false, true}) {
      size_t refused = 0, tried = 0;
      for (size_t at = verify ? step / 2 : 0; at < good.size(); at += step) {
        path_ = "/db" + std::to_string(at) + (verify ? "v" : "");
        Open();
        for (const std::string& key : {Key(3), Key(17), std::string("x5"), std::string("z")}) {
          ASSERT_OK(Put(key, "old"));
        }
        std::string bytes = good;
        damage(&bytes, at);
        const Status status = Ingest(bytes, verify);
        ++tried;
        refused += !status.ok();
        const std::string when = std::to_string(at) + ": " + status.ToString();
        EXPECT_TRUE(status.ok() || status.IsCorruption() || status.IsInvalidArgument()) << when;
        ASSERT_NO_FATAL_FAILURE(ExpectNoWrongAnswer(status.ok(), when));
        ASSERT_OK(Put("later", "1"));
        EXPECT_EQ(Get("later"), "1") << when;
        // What was refused has left nothing behind.
        if (!status.ok()) {
          Open();
          EXPECT_EQ(Scan(), "k03->old k17->old later->1 x5->old z->old") << when;
        }
        CloseDb();
      }
      if (verify) {
        EXPECT_EQ(refused, tried) << "damage that nobody noticed";
      } else {
        EXPECT_GT(refused, tried / 10);
      }
    }
  }
};

TEST_F(IngestTest, AFlippedBitIsRefusedOrToldWhenItIsRead) {
  TryAll([](std::string* bytes, size_t at) { (*bytes)[at] ^= static_cast<char>(1 << at % 8); }, 7);
}

TEST_F(IngestTest, AFileThatWasCutIsRefused) {
  TryAll([](std::string* bytes, size_t at) { bytes->resize(at); }, 13);
}

// The database gives it another one, and would find the two at odds whenever it opens the file.
TEST_F(IngestTest, AFileWithASequenceNumberOfItsOwnIsRefused) {
  Open();
  std::string bytes = NewFile();
  const std::string name = "external_sst_file.global_seqno";
  const size_t at = bytes.find(name);
  ASSERT_NE(at, std::string::npos);
  // Readers take this field as zero when they check the block.
  EncodeFixed64(&bytes[at + name.size()], 5);
  const Status status = Ingest(bytes, /*verify=*/false);
  EXPECT_EQ(status.ToString(), "Corruption: External file has non zero sequence number");
  EXPECT_EQ(Scan(), "");
}

// Two copies of a file have one name in the block cache, and each its sequence number.
TEST_F(IngestTest, AFileMayBeTakenInTwice) {
  TableOptions& table = family_options_.table_factory.block_based;
  table.cache_index_and_filter_blocks = true;
  table.block_size = 100;
  for (const IndexType index : {IndexType::kBinarySearch, IndexType::kTwoLevelIndexSearch,
                                IndexType::kBinarySearchWithFirstKey}) {
    table.index_type = index;
    path_ = "/twice" + std::to_string(static_cast<int>(index));
    Open();
    const std::string bytes = NewFile();
    std::string all;
    for (int i = 0; i < 30; ++i) {
      all += (i == 0 ? "" : " ") + Key(i) + "->new" + std::to_string(i);
    }
    ASSERT_OK(Ingest(bytes, /*verify=*/false));
    EXPECT_EQ(Scan(), all);
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < 30; ++i) ASSERT_OK(Delete(Key(i)));
      EXPECT_EQ(Scan(), "");
      ASSERT_OK(Ingest(bytes, /*verify=*/false));
      EXPECT_EQ(Scan(), all) << static_cast<int>(index);
      EXPECT_EQ(Get(Key(7)), "new7");
    }
  }
}

TEST_F(IngestTest, WhatCannotBeCopiedLeavesNothingBehind) {
  FaultFileSystem faults(env_->file_system);
  Env faulty;
  faulty.file_system = &faults;
  faulty.clock = SystemClock();
  faulty.thread_pool = SystemThreadPool();
  options_.env = &faulty;
  Open();
  const std::string bytes = NewFile();
  for (const uint32_t kind :
       {FaultFileSystem::kOpenForWriting, FaultFileSystem::kAppend, FaultFileSystem::kSync}) {
    for (const bool move : {false, true}) {
      if (move && kind == FaultFileSystem::kAppend) continue;
      FaultFileSystem::Plan plan;
      plan.kinds = kind;
      plan.path_contains = ".sst";
      plan.error_number = ENOSPC;
      plan.partial_bytes = 100;
      plan.forever = true;
      faults.Arm(plan);
      IngestOptions ingest;
      ingest.move_files = move;
      EXPECT_FALSE(db_->IngestExternalFiles(cf(0), {kOutside}, ingest).ok());
      EXPECT_TRUE(FilesEndingWith(".sst").empty()) << kind << move;
      faults.Disarm();
    }
  }
  ASSERT_OK(Ingest(bytes, /*verify=*/false));
  EXPECT_EQ(Get(Key(7)), "new7");
  CloseDb();
}

// A snapshot asks for numbers, but what is below all data cannot be newer than it.
TEST_F(IngestTest, WhatComesBehindLosesToAllDataBesideASnapshotToo) {
  family_options_.cf_allow_ingest_behind = true;
  Open();
  const std::string bytes = NewFile();
  ASSERT_OK(Put(Key(3), "old"));
  ASSERT_OK(Flush());
  const Snapshot* const snapshot = db_->GetSnapshot();
  IngestOptions ingest;
  ingest.ingest_behind = true;
  ASSERT_OK(db_->IngestExternalFiles(cf(0), {kOutside}, ingest));
  db_->ReleaseSnapshot(snapshot);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(Get(Key(3)), "old");
    EXPECT_EQ(Get(Key(4)), "new4");
    const std::string all = Scan();
    EXPECT_NE(all.find("k03->old k04->new4"), std::string::npos) << all;
    ASSERT_OK(Compact());
  }
}

TEST_F(IngestTest, WithTimestampsAFileMayNotOverlapWhatIsThere) {
  family_options_.comparator = BytewiseComparatorWithU64Timestamp();
  Open();
  const auto ingest = [&](const std::string& key) {
    SstFileWriter writer(options_, family_options_);
    EXPECT_OK(writer.Open(kOutside));
    EXPECT_OK(writer.Add(EntryKind::kValue, key, std::string("\1\0\0\0\0\0\0\0", 8), "v"));
    EXPECT_OK(writer.Finish());
    return db_->IngestExternalFiles(cf(0), {kOutside}, IngestOptions());
  };
  EXPECT_OK(ingest("a"));
  EXPECT_OK(ingest("b"));
  const Status status = ingest("a");
  EXPECT_TRUE(status.IsInvalidArgument()) << status.ToString();
  EXPECT_NE(status.ToString().find("in the db"), std::string::npos) << status.ToString();
}

}  // namespace
}  // namespace skarn
