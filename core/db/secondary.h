// SecondaryReplay keeps a secondary up with its primary: it tails the MANIFEST and the
// logs, and rebuilds memtables from what the logs have that no file has yet.
//
// Thread safety: one thread at a time; takes the db mutex where it changes what readers
// see.

#ifndef SKARN_CORE_DB_SECONDARY_H_
#define SKARN_CORE_DB_SECONDARY_H_

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "core/base/mutex.h"
#include "core/base/status.h"
#include "core/key/internal_key.h"

namespace skarn {

class ColumnFamily;
class DbImpl;
class MemTable;

class SecondaryReplay {
 public:
  explicit SecondaryReplay(DbImpl* db);
  ~SecondaryReplay();

  // After the MANIFEST was recovered: applies the logs.
  Status Start();
  // Applies what the primary wrote since.
  Status CatchUp() SKARN_EXCLUDES(mutex_);

 private:
  struct OpenLogs;
  Status ReplayLogs();
  Status Apply(Slice record, uint64_t log_number);
  // Memtables whose data is in files by now go.
  void DropFlushed(ColumnFamily* family, std::vector<MemTable*>* dropped);

  DbImpl* const db_;
  Mutex mutex_;  // Outermost in the lock order: one catch-up at a time.
  std::unique_ptr<OpenLogs> logs_;
  SequenceNumber newest_ = 0;
  // By family: the log that the active memtable began with.
  std::map<uint32_t, uint64_t> active_log_;
};

}  // namespace skarn

#endif  // SKARN_CORE_DB_SECONDARY_H_
