// DbOpener carries one Db::Open() from options to a running DbImpl.
//
//   open.cc     options, directories, LOCK, CURRENT, IDENTITY, MANIFEST, new log
//   recover.cc  the logs
//
// The order of durable steps is that of docs/formats/directory.md: nothing that an old
// state needs is deleted before the new MANIFEST is the current one, so a crash at any
// point is recovered by opening again.
//
// Thread safety: one thread; nobody else knows the database yet. The db mutex is held
// where DbImpl's methods want it.

#ifndef SKARN_CORE_DB_DB_OPENER_H_
#define SKARN_CORE_DB_DB_OPENER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/db/db_impl.h"
#include "core/wal/log_reader.h"

namespace skarn {

class DbOpener {
 public:
  DbOpener(Db::OpenRequest request, std::vector<std::unique_ptr<ColumnFamilyHandle>>* handles)
      : request_(std::move(request)), handles_(handles) {}

  Result<std::unique_ptr<Db>> Run();

 private:
  // open.cc
  Status CheckOptions();
  Status MakeDirectories();
  Status OpenInfoLog();
  Status Lock();
  Status CreateIfMissing();
  Status RecoverManifest();
  Status SettleIdentity();
  Status ScanDirectories();
  Status Start();  // After the logs: new log, new MANIFEST, running state.
  Status StartReadOnly();
  Status MakeHandles();
  Status TrimHistory();
  bool FitsCompactedMode() const;

  // recover.cc
  struct WalFile {
    uint64_t number = 0;
    std::string path;
  };
  Status ListWals(std::vector<WalFile>* wals) const;
  Status ReplayWals();
  Status ReplayWal(const WalFile& wal);
  Status ApplyRecord(Slice record, uint64_t log_number, LogReader* reader);
  Status ApplyTwoPhase(Slice bytes, InsertContext* context);
  // It was committed or rolled back: its log need not be kept for it.
  void ForgetTransaction(const std::string& xid);
  // Writes `timestamp` over the last bytes of every key that has one.
  void StampKeys(std::string* bytes, Slice timestamp) const;
  // Makes keys of families whose timestamps were another size when the log was written as
  // they are now. Empty `*rebuilt`: nothing changes.
  Status AdaptTimestamps(Slice bytes, const std::map<uint32_t, size_t>& recorded,
                         std::string* rebuilt) const;
  // Writes a family's active memtable to level 0 and gives it a new one.
  Status FlushFamily(ColumnFamily* family);
  Status FlushFullMemtables();
  Status CheckStoppedReplay() const;
  // What events of the recovery have as their job; taken when first asked for.
  int RecoveryJob();
  // After all logs: what stays in memory, what goes to files, and the edits for both.
  Status SettleFamilies();

  Db::OpenRequest request_;
  std::vector<std::unique_ptr<ColumnFamilyHandle>>* const handles_;
  std::shared_ptr<const DbOptions> options_;  // Sanitized; shared with the database.
  std::vector<std::pair<std::string, std::shared_ptr<const ColumnFamilyOptions>>> families_;
  std::unique_ptr<DbImpl> db_;
  std::vector<std::string> missing_families_;
  std::shared_ptr<Cache> default_cache_;  // Shared by column families without one.
  bool created_ = false;
  bool skip_wals_ = false;  // Best-efforts recovery left files out: no log fits any more.

  // Recovery.
  uint64_t newest_options_ = 0;  // The number of the newest OPTIONS file that was there; 0: none.
  std::vector<std::string> listed_;  // Of the logs' directory, if ScanDirectories() saw it.
  std::vector<WalFile> wals_;        // Those that are needed, ascending.
  uint64_t newest_wal_ = 0;          // Of all that were found.
  uint64_t replayed_bytes_ = 0;      // Of the logs that were read.
  SequenceNumber next_sequence_ = kUnset;
  // Where the last record would end if all its entries took a number. Recovery gives none to
  // ranges that are empty, unless their family is passed over.
  SequenceNumber logged_end_ = 0;
  SequenceNumber inserted_end_ = 0;  // Above every number that is in a memtable.
  static constexpr SequenceNumber kUnset = UINT64_MAX;
  bool stop_replay_ = false;  // A log was damaged; only a log that goes on where it broke counts.
  uint64_t damaged_wal_ = 0;
  // A recycled log that ended in old bytes, as they do; damaged if the next one does not go on
  // there.
  uint64_t recycled_end_ = 0;
  bool met_damage_ = false;
  bool replayed_any_ = false;
  int recovery_job_ = 0;
  bool kept_in_memory_ = false;  // Recovered data stays in memtables: its logs stay.
  LogReader::Predecessor predecessor_;
  std::map<uint32_t, VersionEdit> edits_;  // Of families, by id.
  std::map<uint32_t, bool> flushed_;
  VersionEdit log_edit_;  // Of the whole database.
};

}  // namespace skarn

#endif  // SKARN_CORE_DB_DB_OPENER_H_
