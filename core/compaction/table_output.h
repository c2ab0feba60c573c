// TableOutput is what flush and compaction jobs need to make new table files, and
// the files they made.
//
// Thread safety: one job at a time; NewFileNumber() any thread.

#ifndef SKARN_CORE_COMPACTION_TABLE_OUTPUT_H_
#define SKARN_CORE_COMPACTION_TABLE_OUTPUT_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/env/env.h"
#include "core/env/rate_limiter.h"
#include "core/options/options.h"
#include "core/table/block_batch.h"
#include "core/table/table_properties.h"
#include "core/version/version_edit.h"

namespace skarn {

class TableCache;

struct JobContext {
  const DbOptions* db_options = nullptr;
  Env* env = nullptr;
  std::string db_path;
  std::string db_id;
  std::string db_session_id;
  std::string db_host_id;
  uint32_t column_family_id = 0;
  std::string column_family_name;
  const KeyOrder* order = nullptr;
  TableCache* table_cache = nullptr;
  int job_id = 0;
  std::atomic<uint32_t>* progress = nullptr;  // Of a flush, in 1/1024; may be null.
  // Takes the next file number and protects it from the purge until the job ends.
  std::function<uint64_t()> new_file_number;
  // Where table files of a path id go.
  std::function<std::string(uint32_t path_id)> table_directory;
  std::vector<SequenceNumber> snapshots;  // Ascending.
  SequenceNumber earliest_write_conflict_snapshot = kMaxSequenceNumber;
  std::string full_history_ts_low;  // Versions with older timestamps may go; empty: none.
  std::string trim_timestamp;       // Versions with newer timestamps go; empty: none.
  const std::atomic<bool>* shutting_down = nullptr;
  const std::atomic<bool>* pause_manual = nullptr;
  IoPriority priority = IoPriority::kLow;
  BatchWorkers helpers;  // For compressing what is written.
};

struct TableOutput {
  FileMetadata file;
  TableProperties properties;
};

}  // namespace skarn

#endif  // SKARN_CORE_COMPACTION_TABLE_OUTPUT_H_
