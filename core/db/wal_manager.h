// WalManager owns the write-ahead logs of an open database: the current one, older
// ones that are not synced yet, and the list of all that may still be needed.
//
// Appending belongs to the commit leader. Syncing may run beside it on any thread: one
// syncer at a time, older logs first, and the directory before a log's first sync
// counts. A log whose write or sync failed is never appended to again.
//
// Lock order: the mutex is below the db mutex; no disk is waited for while it is held,
// except with manual_wal_flush, where appends and flushes exclude each other under a
// mutex of their own.
//
// Thread safety: as each method says.

#ifndef SKARN_CORE_DB_WAL_MANAGER_H_
#define SKARN_CORE_DB_WAL_MANAGER_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/cpu.h"
#include "core/base/mutex.h"
#include "core/base/slice.h"
#include "core/base/status.h"
#include "core/env/env.h"
#include "core/key/internal_key.h"
#include "core/options/options.h"
#include "core/wal/log_writer.h"

namespace skarn {

class WalManager {
 public:
  // `options` must outlive the manager. `directory`: where logs are.
  WalManager(const DbOptions& options, std::string directory);
  ~WalManager();

  // A log begins with an empty batch that has the number which recovery will have reached by
  // then: so a log whose predecessor lost its end is known for what it is, and one that
  // follows a recycled log, whose end looks like damage, is known to go on. It is written
  // with the first record, so that a log without records stays empty; where logs are recycled,
  // at once.
  //
  // Makes log `number` the current one, over a recycled file when there is one. The old one
  // is handed to the system and stays among the unsynced. Leader, or before writes begin.
  // `after_failure`: the old one's bytes do not matter any more.
  Status Switch(uint64_t number, uint64_t preallocation_bytes, SequenceNumber next_sequence,
                bool after_failure = false) SKARN_EXCLUDES(mu_, append_mu_);

  // Room for the record of a batch of `size` bytes, to be filled and then appended with
  // AppendFilled(); null: use Append(). Leader only.
  char* Room(size_t size) {
    if (SKARN_UNLIKELY(!marked_ || options_.manual_wal_flush)) return nullptr;
    return current_->Room(size);
  }
  Status AppendFilled(size_t size, SequenceNumber sequence);
  // One record, a batch, in parts; the first has the batch's header. Leader only.
  // `timestamp_sizes`: of the families it touches.
  Status Append(const Slice* parts, size_t count, const std::map<uint32_t, size_t>& timestamp_sizes)
      SKARN_EXCLUDES(append_mu_);
  // Writes the empty batch now, if the log is still without it. Leader only.
  Status AppendMarker();
  // Makes all logs durable, up to what was appended before the call. Any thread.
  Status Sync() SKARN_EXCLUDES(mu_);
  // Makes all logs but the current one durable. Any thread.
  Status SyncClosed() SKARN_EXCLUDES(mu_);
  // Hands buffered bytes to the system (manual_wal_flush). Any thread.
  Status Flush() SKARN_EXCLUDES(mu_);
  // Closes all files; buffered bytes are written. No other call may follow.
  Status Close() SKARN_EXCLUDES(mu_);

  // Whether the current log has no record yet. Leader only.
  bool empty() const { return empty_; }
  uint64_t current_number() const { return current_number_.load(std::memory_order_acquire); }
  // Bytes of all logs that are still needed.
  uint64_t total_bytes() const {
    // In this order: what is released was appended before.
    const uint64_t released = released_.load(std::memory_order_acquire);
    return appended_.load(std::memory_order_relaxed) - released;
  }
  // The oldest log that is still needed. Leader or db mutex.
  uint64_t oldest_number() const SKARN_EXCLUDES(mu_);
  // Bytes in the current log file, buffered ones included.
  uint64_t current_size_bytes() const SKARN_EXCLUDES(mu_);

  // A log that recovery left in place because its data is in memtables only.
  void AddRecovered(uint64_t number, uint64_t size_bytes) SKARN_EXCLUDES(mu_);
  // Logs before `number` are no longer needed: `obsolete` gets them. The caller calls
  // AwaitSyncsOfReleased(), closes their writers and deletes the files; nothing here waits on a
  // disk.
  struct ObsoleteLog {
    uint64_t number = 0;
    std::shared_ptr<LogWriter> writer;  // To close outside of locks. Null: closed.
    bool recycled = false;              // The file is kept to be written again.
  };
  void ReleaseBefore(uint64_t number, bool may_recycle, std::vector<ObsoleteLog>* obsolete)
      SKARN_EXCLUDES(mu_);
  // Waits until no sync is at work on logs that were released before the call: it uses their
  // writers, or closes them. Not with the db mutex held.
  void AwaitSyncsOfReleased() SKARN_EXCLUDES(mu_);
  // The writer of a log with `recycled` is closed: the file may be written again.
  void Recycle(uint64_t number) SKARN_EXCLUDES(mu_);
  // Whether the purge must leave the file alone.
  bool IsKept(uint64_t number) const SKARN_EXCLUDES(mu_);
  // Alive logs, oldest first.
  struct LogFile {
    uint64_t number = 0;
    uint64_t size_bytes = 0;
  };
  std::vector<LogFile> AliveLogs() const SKARN_EXCLUDES(mu_);
  // Closed logs that were synced since the last call, for tracking in the MANIFEST.
  std::vector<LogFile> TakeSyncedClosed() SKARN_EXCLUDES(mu_);

  uint64_t bytes_written() const { return bytes_written_.load(std::memory_order_relaxed); }
  uint64_t syncs() const { return syncs_.load(std::memory_order_relaxed); }

 private:
  struct OpenLog {
    uint64_t number = 0;
    std::shared_ptr<LogWriter> writer;  // Shared with a sync that is running on it.
    uint64_t synced_bytes = 0;
    bool fully_synced = false;  // Closed, and nothing is left to sync.
  };
  Status SyncLogs(bool include_current) SKARN_EXCLUDES(mu_, append_mu_);
  void CountAppended(SequenceNumber sequence);
  Status AppendLocked(const Slice* parts, size_t count,
                      const std::map<uint32_t, size_t>& timestamp_sizes);

  const DbOptions& options_;
  const std::string directory_;

  Mutex append_mu_;   // Before mu_. Taken with manual_wal_flush only.
  mutable Mutex mu_;  // A leaf in the lock order.
  CondVar sync_done_{&mu_};
  bool syncing_ SKARN_GUARDED_BY(mu_) = false;
  uint64_t sync_rounds_ SKARN_GUARDED_BY(mu_) = 0;  // How many have ended.
  int closing_ SKARN_GUARDED_BY(mu_) = 0;           // Syncs that are over but for closing logs.
  bool directory_synced_ SKARN_GUARDED_BY(mu_) = false;
  std::deque<OpenLog> open_ SKARN_GUARDED_BY(mu_);  // Oldest first; the last is the current.
  std::deque<LogFile> alive_ SKARN_GUARDED_BY(mu_);
  std::deque<uint64_t> recycle_ SKARN_GUARDED_BY(mu_);
  std::vector<uint64_t> recycle_later_ SKARN_GUARDED_BY(mu_);  // Still being closed.
  uint64_t reusing_ SKARN_GUARDED_BY(mu_) = 0;  // Is being given its new name; 0: none.
  std::vector<LogFile> synced_closed_ SKARN_GUARDED_BY(mu_);
  uint64_t first_own_number_ SKARN_GUARDED_BY(mu_) = 0;  // Logs before were made by others.

  LogWriter* current_ = nullptr;   // Leader only; owned by open_.back().
  bool empty_ = true;              // Leader only.
  SequenceNumber marker_ = 0;      // Leader only: of the empty batch to come.
  bool marked_ = false;            // Leader only: the empty batch is written.
  SequenceNumber last_batch_ = 0;  // Leader only: of the last record of the current log; 0 none.
  uint64_t counted_ = 0;           // Leader only: bytes of the current log in appended_.
  std::atomic<uint64_t> current_number_{0};
  // Bytes of all logs, and of those that are not needed any more. Written by the leader, and under
  // mu_.
  std::atomic<uint64_t> appended_{0};
  std::atomic<uint64_t> released_{0};
  std::atomic<uint64_t> bytes_written_{0};  // By records. Written by the leader.
  std::atomic<uint64_t> syncs_{0};
};

}  // namespace skarn

#endif  // SKARN_CORE_DB_WAL_MANAGER_H_
