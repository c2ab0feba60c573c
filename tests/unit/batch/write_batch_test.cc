#include "core/batch/write_batch.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>
#include <vector>

#include "core/base/coding.h"
#include "core/batch/batch_format.h"
#include "tests/unit/test_seed.h"

namespace skarn {
namespace {

// Notes every call as a line of text.
class Recorder : public WriteBatch::Handler {
 public:
  Status Put(uint32_t cf, Slice key, Slice value) override { return Note("put", cf, key, value); }
  Status Delete(uint32_t cf, Slice key) override { return Note("delete", cf, key, Slice()); }
  Status SingleDelete(uint32_t cf, Slice key) override { return Note("single", cf, key, Slice()); }
  Status DeleteRange(uint32_t cf, Slice begin, Slice end) override {
    return Note("range", cf, begin, end);
  }
  Status Merge(uint32_t cf, Slice key, Slice operand) override {
    return Note("merge", cf, key, operand);
  }
  Status PutEntity(uint32_t cf, Slice key, Slice entity) override {
    return Note("entity", cf, key, entity);
  }
  Status PutBlobIndex(uint32_t cf, Slice key, Slice index) override {
    return Note("blob", cf, key, index);
  }
  Status TimedPut(uint32_t cf, Slice key, Slice value, uint64_t time) override {
    return Note(Concat("timed@", time).c_str(), cf, key, value);
  }
  void LogData(Slice blob) override { lines.push_back("log " + blob.ToString()); }
  Status MarkNoop(bool empty_batch) override {
    lines.push_back(empty_batch ? "noop empty" : "noop");
    return Status::Ok();
  }
  Status MarkBeginPrepare(uint8_t tag) override {
    lines.push_back(Concat("begin ", static_cast<int>(tag)));
    return Status::Ok();
  }
  Status MarkEndPrepare(Slice xid) override { return Line("end " + xid.ToString()); }
  Status MarkCommit(Slice xid) override { return Line("commit " + xid.ToString()); }
  Status MarkCommitWithTimestamp(Slice xid, Slice ts) override {
    return Line("commit " + xid.ToString() + " at " + ts.ToString());
  }
  Status MarkRollback(Slice xid) override { return Line("rollback " + xid.ToString()); }
  bool Continue() override { return lines.size() < stop_after; }

  std::vector<std::string> lines;
  size_t stop_after = std::numeric_limits<size_t>::max();

 private:
  Status Line(std::string line) {
    lines.push_back(std::move(line));
    return Status::Ok();
  }
  Status Note(const char* what, uint32_t cf, Slice a, Slice b) {
    return Line(Concat(what, " ", cf, " ", a, " ", b));
  }
};

std::string Bytes(uint32_t count, Slice entries) {
  std::string bytes(8, '\0');
  PutFixed32(&bytes, count);
  bytes.append(entries.data(), entries.size());
  return bytes;
}

TEST(WriteBatch, ANewBatchIsTwelveZeroBytes) {
  EXPECT_EQ(WriteBatch().bytes(), std::string(12, '\0'));
  WriteBatch reserved(/*reserved_bytes=*/1000);
  EXPECT_EQ(reserved.bytes().size(), 12u);
  EXPECT_EQ(reserved.count(), 0u);
}

TEST(WriteBatch, StoresEveryEntryInItsDocumentedForm) {
  WriteBatch batch;
  ASSERT_TRUE(batch.Put(0, "k", "v1").ok());
  EXPECT_EQ(batch.bytes(), Bytes(1, Slice("\x01\x01k\x02v1", 6)));
  batch.Clear();
  ASSERT_TRUE(batch.Put(300, "k", "").ok());
  EXPECT_EQ(batch.bytes(), Bytes(1, Slice("\x05\xAC\x02\x01k\x00", 6)));
  batch.Clear();
  ASSERT_TRUE(batch.DeleteRange(0, "a", "b").ok());
  ASSERT_TRUE(batch.DeleteRange(2, "a", "b").ok());
  EXPECT_EQ(batch.bytes(), Bytes(2, Slice("\x0F\x01"
                                          "a\x01"
                                          "b\x0E\x02\x01"
                                          "a\x01"
                                          "b",
                                          11)));
}

TEST(WriteBatch, GivesBackEveryKindOfEntryInOrder) {
  WriteBatch batch;
  batch.MarkNoop();
  ASSERT_TRUE(batch.Put(0, "a", "1").ok());
  ASSERT_TRUE(batch.Delete(3, "b").ok());
  ASSERT_TRUE(batch.SingleDelete(0, "c").ok());
  ASSERT_TRUE(batch.SingleDelete(1, "c").ok());
  ASSERT_TRUE(batch.Merge(0, "d", "2").ok());
  ASSERT_TRUE(batch.Merge(7, "d", "2").ok());
  ASSERT_TRUE(batch.DeleteRange(0, "e", "f").ok());
  ASSERT_TRUE(batch.PutEntity(0, "g", "E").ok());
  ASSERT_TRUE(batch.PutEntity(5, "g", "E").ok());
  ASSERT_TRUE(batch.PutBlobIndex(4, "h", "B").ok());
  ASSERT_TRUE(batch.TimedPut(0, "i", "v", 77).ok());
  ASSERT_TRUE(batch.TimedPut(9, "i", "v", std::numeric_limits<uint64_t>::max()).ok());
  ASSERT_TRUE(batch.PutLogData("note").ok());
  batch.MarkNoop();
  batch.MarkEndPrepare("x1", static_cast<uint8_t>(BatchTag::kBeginPrepare));
  batch.MarkCommit("x2");
  batch.MarkCommitWithTimestamp("x3", "ts");
  batch.MarkRollback("x4");
  EXPECT_EQ(batch.count(), 12u);

  Recorder recorder;
  ASSERT_TRUE(batch.Iterate(&recorder).ok());
  const std::vector<std::string> expected = {
      "begin 9",     "put 0 a 1",      "delete 3 b ",     "single 0 c ",  "single 1 c ",
      "merge 0 d 2", "merge 7 d 2",    "range 0 e f",     "entity 0 g E", "entity 5 g E",
      "blob 4 h B",  "timed@77 0 i v", "put 9 i v",       "log note",     "noop",
      "end x1",      "commit x2",      "commit x3 at ts", "rollback x4"};
  EXPECT_EQ(recorder.lines, expected);
  EXPECT_TRUE(CheckBatch(batch.bytes()).ok());

  WriteBatch copy = WriteBatch::FromBytes(batch.bytes());
  EXPECT_TRUE(copy.HasMerge() && copy.HasDeleteRange() && copy.HasEntity() && copy.HasPut());
  EXPECT_FALSE(WriteBatch::FromBytes(Bytes(0, "")).HasMerge());
}

TEST(WriteBatch, AcceptsTheFamilyFormWithFamilyZero) {
  Recorder recorder;
  const WriteBatch batch = WriteBatch::FromBytes(Bytes(1, Slice("\x05\x00\x01k\x01v", 6)));
  ASSERT_TRUE(batch.Iterate(&recorder).ok());
  EXPECT_EQ(recorder.lines, std::vector<std::string>{"put 0 k v"});
}

TEST(WriteBatch, ReportsDamageWithTheTextOfItsEntry) {
  const struct {
    std::string entries;
    const char* text;
  } cases[] = {
      {std::string("\x01\x05", 2), "Corruption: bad WriteBatch Put"},
      {std::string("\x05", 1), "Corruption: bad WriteBatch Put"},
      {std::string("\x01\x01k\x09v", 5), "Corruption: bad WriteBatch Put"},
      {std::string("\x00\x05", 2), "Corruption: bad WriteBatch Delete"},
      {std::string("\x07\x05", 2), "Corruption: bad WriteBatch Delete"},
      {std::string("\x0F\x01k", 3), "Corruption: bad WriteBatch DeleteRange"},
      {std::string("\x02\x01k", 3), "Corruption: bad WriteBatch Merge"},
      {std::string("\x11\x01k", 3), "Corruption: bad WriteBatch BlobIndex"},
      {std::string("\x03\x09z", 3), "Corruption: bad WriteBatch Blob"},
      {std::string("\x16\x01k", 3), "Corruption: bad WriteBatch PutEntity"},
      {std::string("\x18\x01k", 3), "Corruption: bad WriteBatch TimedPut"},
      {std::string("\x18\x01k\x02vv", 6), "Corruption: bad WriteBatch TimedPut"},
      {std::string("\x0A\x09", 2), "Corruption: bad EndPrepare XID"},
      {std::string("\x15\x09", 2), "Corruption: bad commit timestamp"},
      {std::string("\x15\x01t\x09", 4), "Corruption: bad Commit XID"},
      {std::string("\x0B\x09", 2), "Corruption: bad Commit XID"},
      {std::string("\x0C\x09", 2), "Corruption: bad Rollback XID"},
      {std::string("\x14", 1), "Corruption: unknown WriteBatch tag: 20"},
      {std::string("\xC8", 1), "Corruption: unknown WriteBatch tag: 200"},
  };
  for (const auto& c : cases) {
    Recorder recorder;
    const std::string bytes = Bytes(1, c.entries);
    EXPECT_EQ(WriteBatch::FromBytes(bytes).Iterate(&recorder).ToString(), c.text);
    EXPECT_EQ(CheckBatch(bytes).ToString(), c.text);
  }
  Recorder recorder;
  EXPECT_EQ(WriteBatch::FromBytes("short").Iterate(&recorder).ToString(),
            "Corruption: malformed WriteBatch (too small)");
  EXPECT_EQ(WriteBatch::FromBytes(Bytes(2, Slice("\x00\x01k", 3))).Iterate(&recorder).ToString(),
            "Corruption: WriteBatch has wrong count");
}

TEST(WriteBatch, RefusesToGrowBytesThatAreNoBatch) {
  WriteBatch batch = WriteBatch::FromBytes("short");
  EXPECT_EQ(batch.Put(0, "k", "v").ToString(), "Corruption: malformed WriteBatch (too small)");
  EXPECT_EQ(batch.count(), 0u);
  batch.set_sequence(5);
  EXPECT_EQ(batch.bytes(), "short");
}

TEST(WriteBatch, StopsWithoutAnErrorWhenTheHandlerHasEnough) {
  WriteBatch batch;
  for (const char* key : {"a", "b", "c"}) ASSERT_TRUE(batch.Put(0, key, "v").ok());
  Recorder recorder;
  recorder.stop_after = 2;
  EXPECT_TRUE(batch.Iterate(&recorder).ok());
  EXPECT_EQ(recorder.lines.size(), 2u);
}

TEST(WriteBatch, AHandlerThatOverridesNothingPassesDefaultFamilyEntriesOnly) {
  WriteBatch::Handler handler;
  WriteBatch batch;
  ASSERT_TRUE(batch.Put(0, "a", "v").ok());
  ASSERT_TRUE(batch.Merge(0, "a", "v").ok());
  ASSERT_TRUE(batch.SingleDelete(0, "a").ok());
  EXPECT_TRUE(batch.Iterate(&handler).ok());
  ASSERT_TRUE(batch.Delete(1, "a").ok());
  EXPECT_EQ(batch.Iterate(&handler).ToString(),
            "Invalid argument: non-default column family and DeleteCF not implemented");
  batch.Clear();
  ASSERT_TRUE(batch.PutEntity(0, "a", "v").ok());
  EXPECT_EQ(batch.Iterate(&handler).ToString(), "Not implemented: PutEntityCF not implemented");
  batch.Clear();
  batch.MarkRollback("x");
  EXPECT_EQ(batch.Iterate(&handler).ToString(),
            "Invalid argument: MarkRollbackPrepare() handler not defined.");
}

TEST(WriteBatch, SavePointsRestoreBytesCountAndFlags) {
  WriteBatch batch;
  EXPECT_EQ(batch.RollbackToSavePoint().ToString(), "NotFound: ");
  EXPECT_EQ(batch.PopSavePoint().ToString(), "NotFound: ");
  batch.SetSavePoint();  // At twelve bytes.
  ASSERT_TRUE(batch.Put(0, "a", "1").ok());
  const std::string one = batch.bytes();
  batch.SetSavePoint();
  ASSERT_TRUE(batch.Merge(0, "b", "2").ok());
  EXPECT_TRUE(batch.HasMerge());
  ASSERT_TRUE(batch.RollbackToSavePoint().ok());
  EXPECT_EQ(batch.bytes(), one);
  EXPECT_FALSE(batch.HasMerge());
  batch.SetSavePoint();
  ASSERT_TRUE(batch.PopSavePoint().ok());
  EXPECT_EQ(batch.bytes(), one);
  ASSERT_TRUE(batch.RollbackToSavePoint().ok());
  EXPECT_EQ(batch.bytes(), std::string(12, '\0'));
  EXPECT_EQ(batch.RollbackToSavePoint().ToString(), "NotFound: ");
}

TEST(WriteBatch, LeavesTheBatchAsItWasWhenItWouldGrowPastItsLimit) {
  WriteBatch batch(/*reserved_bytes=*/0, /*max_bytes=*/20);
  ASSERT_TRUE(batch.Put(0, "a", "1").ok());
  const std::string before = batch.bytes();
  EXPECT_EQ(batch.Merge(0, "bb", "22").ToString(), "Operation aborted: Memory limit reached");
  EXPECT_EQ(batch.bytes(), before);
  EXPECT_FALSE(batch.HasMerge());
  EXPECT_EQ(batch.PutLogData("long enough to be too long").ToString(),
            "Operation aborted: Memory limit reached");
  EXPECT_EQ(batch.bytes(), before);
}

TEST(WriteBatch, JoinsKeysAndValuesGivenInParts) {
  const Slice key[] = {"k", "e", "y"};
  const Slice value[] = {"va", "lue"};
  WriteBatch parts;
  ASSERT_TRUE(parts.PutParts(2, key, 3, value, 2).ok());
  ASSERT_TRUE(parts.DeleteParts(0, key, 3).ok());
  ASSERT_TRUE(parts.DeleteRangeParts(0, key, 1, key, 3).ok());
  WriteBatch whole;
  ASSERT_TRUE(whole.Put(2, "key", "value").ok());
  ASSERT_TRUE(whole.Delete(0, "key").ok());
  ASSERT_TRUE(whole.DeleteRange(0, "k", "key").ok());
  EXPECT_EQ(parts.bytes(), whole.bytes());
}

TEST(WriteBatch, AppendAddsEntriesAndCounts) {
  WriteBatch a, b;
  ASSERT_TRUE(a.Put(0, "a", "1").ok());
  ASSERT_TRUE(b.Merge(1, "b", "2").ok());
  ASSERT_TRUE(b.PutLogData("x").ok());
  ASSERT_TRUE(a.Append(b).ok());
  EXPECT_EQ(a.count(), 2u);
  EXPECT_TRUE(a.HasMerge());
  Recorder recorder;
  ASSERT_TRUE(a.Iterate(&recorder).ok());
  EXPECT_EQ(recorder.lines, (std::vector<std::string>{"put 0 a 1", "merge 1 b 2", "log x"}));
}

TEST(WriteBatch, WritesTimestampsOverTheEndOfKeysOfFamiliesThatHaveThem) {
  WriteBatch batch;
  ASSERT_TRUE(batch.Put(0, "plain", "v").ok());
  ASSERT_TRUE(batch.Put(1, Slice("key\0\0\0\0\0\0\0\0", 11), "v").ok());
  ASSERT_TRUE(
      batch.DeleteRange(1, Slice("a\0\0\0\0\0\0\0\0", 9), Slice("b\0\0\0\0\0\0\0\0", 9)).ok());
  batch.set_needs_timestamps(true);
  auto size_of = [](void*, uint32_t cf) -> size_t { return cf == 1 ? 8 : 0; };
  ASSERT_TRUE(batch.UpdateTimestamps("TIMESTMP", size_of, nullptr).ok());
  EXPECT_FALSE(batch.needs_timestamps());
  Recorder recorder;
  ASSERT_TRUE(batch.Iterate(&recorder).ok());
  EXPECT_EQ(recorder.lines, (std::vector<std::string>{"put 0 plain v", "put 1 keyTIMESTMP v",
                                                      "range 1 aTIMESTMP bTIMESTMP"}));
  EXPECT_EQ(batch.UpdateTimestamps("tooshrt", size_of, nullptr).ToString(),
            "Invalid argument: timestamp size mismatch");
}

TEST(WriteBatch, OnlyWhatCameBeforeTheMarkGoesToTheLog) {
  WriteBatch batch;
  EXPECT_EQ(batch.wal_bytes().size(), 12u);
  ASSERT_TRUE(batch.Put(0, "a", "1").ok());
  batch.MarkCommit("x");
  batch.MarkWalEnd();
  const size_t size = batch.bytes().size();
  ASSERT_TRUE(batch.Put(0, "b", "2").ok());
  EXPECT_EQ(batch.wal_bytes().size(), size);
  EXPECT_EQ(batch.wal_count(), 1u);
  EXPECT_EQ(batch.count(), 2u);
  batch.Clear();
  EXPECT_EQ(batch.wal_bytes().size(), 12u);
}

// Any bytes at all: reading ends, stays inside, and never counts what is not there.
TEST(WriteBatch, DamagedBytesNeverLeadOutsideTheBatch) {
  const auto seed = static_cast<uint32_t>(TestSeed());
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  WriteBatch batch;
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(batch.Put(random() % 3, std::string(random() % 200, 'k'), "value").ok());
    ASSERT_TRUE(batch.DeleteRange(0, "a", "b").ok());
    ASSERT_TRUE(batch.TimedPut(1, "t", "v", 5).ok());
    batch.MarkCommitWithTimestamp("xid", "ts");
  }
  ASSERT_TRUE(batch.Put(0, "last", "counted").ok());
  for (size_t size = 0; size <= batch.bytes().size(); ++size) {
    Recorder recorder;
    const WriteBatch cut = WriteBatch::FromBytes(Slice(batch.bytes().data(), size));
    EXPECT_EQ(cut.Iterate(&recorder).ok(), size == batch.bytes().size());
  }
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = batch.bytes();
    for (uint32_t flips = random() % 4 + 1; flips > 0; --flips) {
      bytes[random() % bytes.size()] ^= static_cast<char>(1u << (random() % 8));
    }
    BatchReader reader(bytes);
    BatchEntry entry;
    while (reader.Next(&entry)) {
      ASSERT_LE(reader.offset(), bytes.size());
    }
    Recorder recorder;
    (void)WriteBatch::FromBytes(bytes).Iterate(&recorder);
  }
}

// What is plain is not checked again before it is written.
TEST(WriteBatch, IsPlainOnlyWhenItsBytesNeedNoCheck) {
  WriteBatch batch;
  ASSERT_TRUE(batch.Put(0, "k", "v").ok());
  ASSERT_TRUE(batch.Delete(0, "k").ok());
  EXPECT_TRUE(batch.IsPlain());
  batch.SetSavePoint();
  ASSERT_TRUE(batch.Put(1, "k", "v").ok());
  EXPECT_FALSE(batch.IsPlain());
  ASSERT_TRUE(batch.RollbackToSavePoint().ok());
  EXPECT_TRUE(batch.IsPlain());
  ASSERT_TRUE(batch.Merge(0, "k", "v").ok());
  EXPECT_FALSE(batch.IsPlain());
  batch.Clear();
  EXPECT_TRUE(batch.IsPlain());
  ASSERT_TRUE(batch.DeleteRange(0, "k", "j").ok());
  EXPECT_FALSE(batch.IsPlain());

  const WriteBatch foreign = WriteBatch::FromBytes(std::string(12, '\0') + "no entry");
  EXPECT_FALSE(foreign.IsPlain());
  EXPECT_FALSE(foreign.HasPut());  // Looks at the bytes; that makes them no better.
  EXPECT_FALSE(foreign.IsPlain());
  batch.Clear();
  ASSERT_TRUE(batch.Append(foreign).ok());
  EXPECT_FALSE(batch.IsPlain());
}

TEST(WriteBatch, TakesAValueOfNoParts) {
  WriteBatch parts, whole;
  const Slice key[] = {"a", std::string_view("bc")};
  ASSERT_TRUE(parts.PutParts(0, key, 2, nullptr, 0).ok());
  ASSERT_TRUE(whole.Put(0, "abc", "").ok());
  EXPECT_EQ(parts.bytes(), whole.bytes());
  const std::string long_key(100, 'x');
  const Slice long_parts[] = {Slice(long_key.data(), 60), Slice(long_key.data(), 40)};
  ASSERT_TRUE(parts.PutParts(7, long_parts, 2, key, 2).ok());
  ASSERT_TRUE(whole.Put(7, long_key, "abc").ok());
  EXPECT_EQ(parts.bytes(), whole.bytes());
}

}  // namespace
}  // namespace skarn
