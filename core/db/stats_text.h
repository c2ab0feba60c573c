// The tables of statistics that people and log parsers read: `rocksdb.cfstats`,
// `rocksdb.dbstats`, and the dumps in the LOG. Their shapes are RocksDB's.
//
// Thread safety: pure functions over what they are given.

#ifndef SKARN_CORE_DB_STATS_TEXT_H_
#define SKARN_CORE_DB_STATS_TEXT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/cache/cache.h"
#include "core/db/column_family.h"

namespace skarn {

// "9999", "10K", "25M", "10G".
std::string HumanNumber(uint64_t number);

struct LevelRow {
  int files = 0;
  int files_compacted = 0;
  uint64_t bytes = 0;
  double score = 0;
  ColumnFamily::LevelStats stats;
};

struct ColumnFamilyStatsInput {
  std::string name;
  std::vector<LevelRow> levels;
  ColumnFamily::LevelStats flush;
  ColumnFamily::LevelStats since;  // The sum when the interval began.
  double uptime_s = 0;
  double interval_s = 0;
  uint64_t level0_slowdowns = 0;
  uint64_t level0_stops = 0;
  uint64_t pending_slowdowns = 0;
  uint64_t pending_stops = 0;
  uint64_t memtable_slowdowns = 0;
  uint64_t memtable_stops = 0;
  uint64_t pending_compaction_bytes = 0;
  std::string write_stalls;  // As `rocksdb.cf-write-stall-stats` shows them.
  Cache* block_cache = nullptr;
};
// What all levels and the flushes did together.
ColumnFamily::LevelStats SumOf(const ColumnFamilyStatsInput& input);
void AppendColumnFamilyStats(const ColumnFamilyStatsInput& input, std::string* text);
void AppendBlockCacheStats(const Cache& cache, std::string* text);

struct DbStats {
  uint64_t writes = 0;
  uint64_t keys = 0;
  uint64_t groups = 0;
  uint64_t bytes = 0;
  uint64_t wal_writes = 0;
  uint64_t wal_syncs = 0;
  uint64_t wal_bytes = 0;
  uint64_t stall_micros = 0;
};
void AppendDbStats(const DbStats& total, const DbStats& since, double uptime_s, double interval_s,
                   uint64_t write_buffer_manager_stops, std::string* text);

}  // namespace skarn

#endif  // SKARN_CORE_DB_STATS_TEXT_H_
