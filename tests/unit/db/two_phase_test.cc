// Logs with prepared transactions, made by hand as transactions of genuine releases write
// them: what recovery makes of prepare, commit and rollback records.

#include "core/base/coding.h"
#include "core/env/file_writer.h"
#include "core/version/file_names.h"
#include "core/wal/log_writer.h"
#include "tests/unit/db/db_test_base.h"

namespace skarn {
namespace {

class Batch {
 public:
  explicit Batch(SequenceNumber sequence) {
    PutFixed64(&bytes_, sequence);
    PutFixed32(&bytes_, 0);
  }
  Batch& Put(const std::string& key, const std::string& value) {
    Tag(0x01).Bytes(key).Bytes(value);
    EncodeFixed32(bytes_.data() + 8, DecodeFixed32(bytes_.data() + 8) + 1);
    return *this;
  }
  Batch& BeginPrepare() { return Tag(0x09); }
  Batch& EndPrepare(const std::string& xid) { return Tag(0x0A).Bytes(xid); }
  Batch& Commit(const std::string& xid) { return Tag(0x0B).Bytes(xid); }
  Batch& Rollback(const std::string& xid) { return Tag(0x0C).Bytes(xid); }
  Batch& Noop() { return Tag(0x0D); }
  Batch& Tag(int tag) {
    bytes_.push_back(static_cast<char>(tag));
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  Batch& Bytes(const std::string& text) {
    PutLengthPrefixed(&bytes_, text);
    return *this;
  }
  std::string bytes_;
};

class TwoPhaseTest : public DbTest {
 protected:
  TwoPhaseTest() { options_.allow_2pc = true; }
  ~TwoPhaseTest() override { CloseDb(); }

  // The database is closed; adds a log after all others.
  void AddLog(const std::vector<Batch>& batches) {
    CloseDb();
    uint64_t number = 0;
    for (const char* ending : {".log", ".sst"}) {
      for (const std::string& name : FilesEndingWith(ending)) {
        number = std::max(number, static_cast<uint64_t>(std::stoull(name)));
      }
    }
    const std::string path = WalFileName(path_, number + 1);
    auto file = env_->file_system->NewWritableFile(path, FileOptions());
    ASSERT_OK(file.status());
    LogWriter log(
        std::make_unique<FileWriter>(std::move(*file), path, FileOptions(), FileWriter::Options()),
        LogWriter::Options());
    for (const Batch& batch : batches) ASSERT_OK(log.AddRecord(batch.bytes()));
    ASSERT_OK(log.Close());
  }
  size_t Prepared() { return impl()->recovered_transactions().size(); }
};

TEST_F(TwoPhaseTest, CommittedIsThereRolledBackIsNotPreparedIsRemembered) {
  Open();
  ASSERT_OK(Put("a", "1"));  // Sequence 1.
  AddLog({
      Batch(2).BeginPrepare().Put("k1", "one").Put("k2", "two").EndPrepare("committed"),
      Batch(2).Put("b", "2"),
      Batch(3).Noop().Commit("committed"),  // Takes 3 and 4.
      Batch(5).BeginPrepare().Put("k3", "three").EndPrepare("rolled back"),
      Batch(5).Rollback("rolled back"),
      Batch(5).BeginPrepare().Put("k4", "four").EndPrepare("prepared"),
      Batch(5).Put("c", "3"),
  });
  const std::string committed = "a->1 b->2 c->3 k1->one k2->two";
  for (int round = 0; round < 3; ++round) {
    SCOPED_TRACE(round);
    Open();
    EXPECT_EQ(Scan(), committed);
    EXPECT_EQ(db_->LatestSequence(), 5u);
    ASSERT_EQ(Prepared(), 1u);
    const RecoveredTransaction& transaction = impl()->recovered_transactions().at("prepared");
    EXPECT_EQ(transaction.entry_count, 1u);
    EXPECT_GT(transaction.log_number, 0u);
  }
}

TEST_F(TwoPhaseTest, ACommitMayBeInALaterLogThanItsPrepare) {
  Open();
  AddLog({Batch(1).BeginPrepare().Put("k", "v").EndPrepare("x"), Batch(1).Put("a", "1")});
  Open();
  EXPECT_EQ(Scan(), "a->1");
  EXPECT_EQ(Prepared(), 1u);
  ASSERT_OK(Put("b", "2"));  // Sequence 2.
  AddLog({Batch(3).Commit("x")});
  Open();
  EXPECT_EQ(Scan(), "a->1 b->2 k->v");
  EXPECT_EQ(Prepared(), 0u);
  ASSERT_OK(Put("d", "4"));
  Open();
  EXPECT_EQ(Scan(), "a->1 b->2 d->4 k->v");
}

TEST_F(TwoPhaseTest, TheLogOfAPreparedTransactionSurvivesFlushes) {
  Open();
  AddLog({Batch(1).BeginPrepare().Put("k", "v").EndPrepare("x"), Batch(1).Put("a", "1")});
  for (int round = 0; round < 3; ++round) {
    Open();
    ASSERT_OK(Put("b", std::to_string(round)));
    ASSERT_OK(Flush());
    EXPECT_EQ(Prepared(), 1u);
  }
}

TEST_F(TwoPhaseTest, CommitsOfWhatNoLogHoldsMeanNothing) {
  Open();
  ASSERT_OK(Put("a", "1"));
  AddLog({Batch(2).Commit("unknown"), Batch(2).Rollback("unknown"), Batch(2).Put("b", "2")});
  Open();
  EXPECT_EQ(Scan(), "a->1 b->2");
}

TEST_F(TwoPhaseTest, OneBatchMayPrepareAndCommit) {
  Open();
  AddLog({Batch(1).Put("a", "1").BeginPrepare().Put("k", "v").EndPrepare("x").Commit("x").Put(
      "b", "2")});
  Open();
  EXPECT_EQ(Scan(), "a->1 b->2 k->v");
}

TEST_F(TwoPhaseTest, PreparedDataIsRefusedWithoutTwoPhaseCommit) {
  Open();
  AddLog({Batch(1).BeginPrepare().Put("k", "v").EndPrepare("x")});
  options_.allow_2pc = false;
  EXPECT_EQ(TryOpen().ToString(),
            "Not implemented: WAL contains prepared transactions. Open with "
            "TransactionDB::Open().");
  options_.allow_2pc = true;
  Open();
  EXPECT_EQ(Prepared(), 1u);
}

TEST_F(TwoPhaseTest, OtherWritePoliciesAreRefused) {
  for (const int tag : {0x12, 0x13}) {
    CloseDb();
    ASSERT_OK(Db::Destroy(options_, family_options_, path_));
    Open();
    AddLog({Batch(1).Tag(tag).Put("k", "v").EndPrepare("x")});
    EXPECT_TRUE(TryOpen().IsNotSupported()) << tag;
  }
}

TEST_F(TwoPhaseTest, AnEndWithoutABeginIsDamage) {
  Open();
  AddLog({Batch(1).Put("k", "v").EndPrepare("x")});
  EXPECT_FALSE(TryOpen().ok());
}

}  // namespace
}  // namespace skarn
