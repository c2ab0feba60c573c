#include "core/db/stats_text.h"

#include <algorithm>
#include <cstdio>

namespace skarn {
namespace {

constexpr double kMiB = 1048576.0;
constexpr double kGiB = kMiB * 1024;
constexpr double kMicrosPerSecond = 1e6;

using LevelStats = ColumnFamily::LevelStats;

template <typename... Values>
[[gnu::format(printf, 2, 0)]] void Print(std::string* text, const char* format, Values... values) {
  char line[1024];
  const int size = snprintf(line, sizeof(line), format, values...);
  if (size > 0) text->append(line, std::min(static_cast<size_t>(size), sizeof(line) - 1));
}

void Add(const LevelStats& from, LevelStats* to) {
  to->micros += from.micros;
  to->bytes_read += from.bytes_read;
  to->bytes_read_output_level += from.bytes_read_output_level;
  to->bytes_written += from.bytes_written;
  to->compactions += from.compactions;
  to->input_records += from.input_records;
  to->dropped_records += from.dropped_records;
}

LevelStats Difference(const LevelStats& now, const LevelStats& then) {
  LevelStats difference;
  difference.micros = now.micros - then.micros;
  difference.bytes_read = now.bytes_read - then.bytes_read;
  difference.bytes_read_output_level = now.bytes_read_output_level - then.bytes_read_output_level;
  difference.bytes_written = now.bytes_written - then.bytes_written;
  difference.compactions = now.compactions - then.compactions;
  difference.input_records = now.input_records - then.input_records;
  difference.dropped_records = now.dropped_records - then.dropped_records;
  return difference;
}

std::string HumanBytes(double bytes) {
  static constexpr const char* kUnits[] = {"KB", "MB", "GB", "TB"};
  bytes /= 1024;
  size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < std::size(kUnits)) {
    bytes /= 1024;
    ++unit;
  }
  std::string text;
  Print(&text, "%.2f %s", bytes, kUnits[unit]);
  return text;
}

void AppendHeader(const char* first_column, const std::string& name, std::string* text) {
  Print(text, "\n** Compaction Stats [%s] **\n", name.c_str());
  const size_t start = text->size();
  Print(text,
        "%s    Files   Size     Score Read(GB)  Rn(GB) Rnp1(GB) Write(GB) Wnew(GB) Moved(GB) "
        "W-Amp Rd(MB/s) Wr(MB/s) Comp(sec) CompMergeCPU(sec) Comp(cnt) Avg(sec) KeyIn "
        "KeyDrop Rblob(GB) Wblob(GB)\n",
        first_column);
  text->append(text->size() - start - 1, '-');
  text->push_back('\n');
}

void AppendRow(const std::string& label, const LevelRow& row, double write_amplification,
               std::string* text) {
  const LevelStats& s = row.stats;
  const double seconds = static_cast<double>(s.micros) / kMicrosPerSecond;
  const double read = static_cast<double>(s.bytes_read);
  const double read_output = static_cast<double>(s.bytes_read_output_level);
  const double written = static_cast<double>(s.bytes_written);
  const double rate_seconds = seconds > 0 ? seconds : 1e-6;
  Print(text,
        "%4s %6d/%-3d %8s %5.1f %8.1f %7.1f %8.1f %9.1f %8.1f %9.1f %5.1f %8.1f %8.1f %9.2f %17.2f "
        "%9llu %8.3f %7s %6s %9.1f %9.1f\n",
        label.c_str(), row.files, row.files_compacted,
        HumanBytes(static_cast<double>(row.bytes)).c_str(), row.score, read / kGiB,
        (read - read_output) / kGiB, read_output / kGiB, written / kGiB,
        (written - read_output) / kGiB, 0.0, write_amplification, read / kMiB / rate_seconds,
        written / kMiB / rate_seconds, seconds, seconds,
        static_cast<unsigned long long>(s.compactions),
        s.compactions == 0 ? 0.0 : seconds / static_cast<double>(s.compactions),
        HumanNumber(s.input_records).c_str(), HumanNumber(s.dropped_records).c_str(), 0.0, 0.0);
}

double Ratio(uint64_t a, uint64_t b) {
  return b == 0 ? 0 : static_cast<double>(a) / static_cast<double>(b);
}

std::string Duration(uint64_t micros) {
  const uint64_t seconds = micros / 1000000;
  std::string text;
  Print(&text, "%02d:%02d:%.3f", static_cast<int>(seconds / 3600),
        static_cast<int>(seconds / 60 % 60),
        static_cast<double>(micros % 60000000) / kMicrosPerSecond);
  return text;
}

}  // namespace

std::string HumanNumber(uint64_t number) {
  if (number < 10000) return std::to_string(number);
  if (number < 10000000) return std::to_string(number / 1000) + "K";
  if (number < 10000000000) return std::to_string(number / 1000000) + "M";
  return std::to_string(number / 1000000000) + "G";
}

LevelStats SumOf(const ColumnFamilyStatsInput& input) {
  LevelStats sum = input.flush;
  for (const LevelRow& row : input.levels) Add(row.stats, &sum);
  return sum;
}

void AppendColumnFamilyStats(const ColumnFamilyStatsInput& input, std::string* text) {
  AppendHeader("Level", input.name, text);
  LevelRow sum;
  for (size_t level = 0; level < input.levels.size(); ++level) {
    LevelRow row = input.levels[level];
    if (level == 0) Add(input.flush, &row.stats);
    if (row.files > 0 || row.stats.micros > 0) {
      const uint64_t from_above = row.stats.bytes_read - row.stats.bytes_read_output_level;
      AppendRow("L" + std::to_string(level), row,
                level == 0 ? Ratio(row.stats.bytes_written, input.flush.bytes_written)
                           : Ratio(row.stats.bytes_written, from_above),
                text);
    }
    sum.files += row.files;
    sum.files_compacted += row.files_compacted;
    sum.bytes += row.bytes;
    Add(row.stats, &sum.stats);
  }
  AppendRow("Sum", sum, Ratio(sum.stats.bytes_written, input.flush.bytes_written), text);
  LevelRow interval;
  interval.stats = Difference(sum.stats, input.since);
  AppendRow("Int", interval, Ratio(interval.stats.bytes_written, input.flush.bytes_written), text);

  AppendHeader("Priority", input.name, text);
  LevelRow low;
  for (const LevelRow& row : input.levels) Add(row.stats, &low.stats);
  LevelRow high;
  high.stats = input.flush;
  if (low.stats.compactions > 0) AppendRow("Low", low, 0, text);
  if (high.stats.compactions > 0) AppendRow("High", high, 0, text);

  text->append(
      "\nBlob file count: 0, total size: 0.0 GB, garbage size: 0.0 GB, space amp: 0.0\n\n");
  Print(text, "Uptime(secs): %.1f total, %.1f interval\n", input.uptime_s, input.interval_s);
  const double flushed = static_cast<double>(input.flush.bytes_written) / kGiB;
  Print(text, "Flush(GB): cumulative %.3f, interval %.3f\n", flushed,
        std::min(flushed, static_cast<double>(interval.stats.bytes_written) / kGiB));
  text->append(
      "AddFile(GB): cumulative 0.000, interval 0.000\n"
      "AddFile(Total Files): cumulative 0, interval 0\n"
      "AddFile(L0 Files): cumulative 0, interval 0\n"
      "AddFile(Keys): cumulative 0, interval 0\n");
  const auto line = [&](const char* title, const LevelStats& s, double elapsed) {
    const double seconds = std::max(elapsed, 0.001);
    Print(text,
          "%s compaction: %.2f GB write, %.2f MB/s write, %.2f GB read, %.2f MB/s read, "
          "%.1f seconds\n",
          title, static_cast<double>(s.bytes_written) / kGiB,
          static_cast<double>(s.bytes_written) / kMiB / seconds,
          static_cast<double>(s.bytes_read) / kGiB,
          static_cast<double>(s.bytes_read) / kMiB / seconds,
          static_cast<double>(s.micros) / kMicrosPerSecond);
  };
  line("Cumulative", sum.stats, input.uptime_s);
  line("Interval", interval.stats, input.interval_s);
  Print(text,
        "Stalls(count): %llu level0_slowdown, %llu level0_slowdown_with_compaction, %llu "
        "level0_numfiles, %llu level0_numfiles_with_compaction, %llu stop for "
        "pending_compaction_bytes, %llu slowdown for pending_compaction_bytes, %llu "
        "memtable_compaction, %llu memtable_slowdown, interval %llu total count\n",
        static_cast<unsigned long long>(input.level0_slowdowns), 0ULL,
        static_cast<unsigned long long>(input.level0_stops), 0ULL,
        static_cast<unsigned long long>(input.pending_stops),
        static_cast<unsigned long long>(input.pending_slowdowns),
        static_cast<unsigned long long>(input.memtable_stops),
        static_cast<unsigned long long>(input.memtable_slowdowns),
        static_cast<unsigned long long>(input.level0_slowdowns + input.level0_stops +
                                        input.pending_stops + input.pending_slowdowns +
                                        input.memtable_stops + input.memtable_slowdowns));
  Print(text, "Estimated pending compaction bytes: %llu\n",
        static_cast<unsigned long long>(input.pending_compaction_bytes));
  text->append(input.write_stalls);
  if (input.block_cache != nullptr) AppendBlockCacheStats(*input.block_cache, text);
}

void AppendBlockCacheStats(const Cache& cache, std::string* text) {
  static constexpr const char* kNames[] = {"DataBlock",  "FilterBlock", "FilterMetaBlock",
                                           "IndexBlock", "OtherBlock",  "WriteBuffer",
                                           "Misc"};
  static_assert(std::size(kNames) == static_cast<size_t>(Cache::Role::kCount));
  Print(text, "Block cache %s@%p capacity: %s usage: %s table_size: %zu occupancy: %zu\n",
        cache.kind() == Cache::Kind::kLru ? "LRUCache" : "HyperClockCache",
        static_cast<const void*>(&cache), HumanBytes(static_cast<double>(cache.capacity())).c_str(),
        HumanBytes(static_cast<double>(cache.usage())).c_str(), cache.table_address_count(),
        cache.occupancy_count());
  text->append("Block cache entry stats(count,size,portion):");
  for (size_t role = 0; role < std::size(kNames); ++role) {
    size_t bytes = 0;
    size_t entries = 0;
    cache.UsageOf(static_cast<Cache::Role>(role), &bytes, &entries);
    if (entries == 0) continue;
    Print(text, " %s(%zu,%s,%.6g%%)", kNames[role], entries,
          HumanBytes(static_cast<double>(bytes)).c_str(), 100 * Ratio(bytes, cache.capacity()));
  }
  text->push_back('\n');
}

void AppendDbStats(const DbStats& total, const DbStats& since, double uptime_s, double interval_s,
                   uint64_t write_buffer_manager_stops, std::string* text) {
  text->append("\n** DB Stats **\n");
  Print(text, "Uptime(secs): %.1f total, %.1f interval\n", uptime_s, interval_s);
  const auto lines = [&](const char* title, const DbStats& s, double elapsed, bool interval) {
    const double seconds = std::max(elapsed, 0.001);
    Print(text,
          "%s writes: %s writes, %s keys, %s commit groups, %.1f writes per commit group, "
          "ingest: %.2f %s, %.2f MB/s\n",
          title, HumanNumber(s.writes).c_str(), HumanNumber(s.keys).c_str(),
          HumanNumber(s.groups).c_str(), Ratio(s.writes, s.groups),
          static_cast<double>(s.bytes) / (interval ? kMiB : kGiB), interval ? "MB" : "GB",
          static_cast<double>(s.bytes) / kMiB / seconds);
    Print(
        text, "%s WAL: %s writes, %s syncs, %.2f writes per sync, written: %.2f GB, %.2f MB/s\n",
        title, HumanNumber(s.wal_writes).c_str(), HumanNumber(s.wal_syncs).c_str(),
        static_cast<double>(s.wal_writes) /
            static_cast<double>(interval && s.wal_writes == 0 ? 1
                                                              : std::max<uint64_t>(s.wal_syncs, 1)),
        static_cast<double>(s.wal_bytes) / kGiB, static_cast<double>(s.wal_bytes) / kMiB / seconds);
    Print(text, "%s stall: %s H:M:S, %.1f percent\n", title, Duration(s.stall_micros).c_str(),
          static_cast<double>(s.stall_micros) / 10000 / seconds);
  };
  lines("Cumulative", total, uptime_s, false);
  DbStats interval;
  interval.writes = total.writes - since.writes;
  interval.keys = total.keys - since.keys;
  interval.groups = total.groups - since.groups;
  interval.bytes = total.bytes - since.bytes;
  interval.wal_writes = total.wal_writes - since.wal_writes;
  interval.wal_syncs = total.wal_syncs - since.wal_syncs;
  interval.wal_bytes = total.wal_bytes - since.wal_bytes;
  interval.stall_micros = total.stall_micros - since.stall_micros;
  lines("Interval", interval, interval_s, true);
  Print(text, "Write Stall (count): write-buffer-manager-limit-stops: %llu\n",
        static_cast<unsigned long long>(write_buffer_manager_stops));
}

}  // namespace skarn
