// The LOG: what stands at its head, events for parsers, and statistics from time to time.

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "core/base/codec.h"
#include "core/base/cpu.h"
#include "core/base/version.h"
#include "core/cache/cache.h"
#include "core/db/db_impl.h"
#include "core/db/event_log.h"
#include "core/db/stats_text.h"
#include "core/metrics/statistics.h"
#include "core/options/option_dump.h"
#include "core/version/file_names.h"

namespace skarn {
namespace {

// The release whose behaviour is followed; log parsers look for the line.
constexpr char kVersionLine[] = "RocksDB version: 11.8.1";
constexpr size_t kMaxFilesListed = 9;

// "[1 0 2]", files by level.
std::string LevelList(const std::vector<uint64_t>& counts) {
  std::string text = "[";
  for (size_t i = 0; i < counts.size(); ++i) text += Concat(i == 0 ? "" : " ", counts[i]);
  return text + "]";
}

double MaxScore(const VersionStorage& storage) {
  double score = 0;
  for (int i = 0; i < storage.score_count(); ++i) score = std::max(score, storage.score(i));
  return score;
}

unsigned long long Long(uint64_t value) { return value; }

double PerMicro(uint64_t bytes, uint64_t micros) {
  return micros == 0 ? 0 : static_cast<double>(bytes) / static_cast<double>(micros);
}

double Mega(uint64_t bytes) { return static_cast<double>(bytes) / 1048576.0; }

// "3@0 + 1@1": how many files of which levels.
std::string InputCounts(const Compaction& compaction) {
  std::string text;
  for (const CompactionInput& input : compaction.inputs()) {
    text += Concat(text.empty() ? "" : " + ", input.files.size(), "@", input.level);
  }
  return text;
}

}  // namespace

void DbImpl::LogHeader() {
  Logger* const log = info_log_.get();
  if (log == nullptr) return;
  Log(LogLevel::kHeader, log, "%s", kVersionLine);
  Log(LogLevel::kHeader, log, "Skarn version: %s", SKARN_VERSION);
  Log(LogLevel::kHeader, log, "Git sha 0");
  Log(LogLevel::kHeader, log, "DB SUMMARY");
  Log(LogLevel::kHeader, log, "Host name (Env):  %s", host_id_.c_str());
  Log(LogLevel::kHeader, log, "DB Session ID:  %s", session_id_.c_str());

  std::vector<std::string> names;
  (void)fs_->GetChildren(path_, &names).ok();  // A directory that is not there has no files.
  std::sort(names.begin(), names.end());
  size_t tables = 0;
  std::string listed;
  std::string logs;
  for (const std::string& name : names) {
    ParsedFileName parsed;
    if (!ParseFileName(name, &parsed)) continue;
    switch (parsed.kind) {
      case FileKind::kCurrent:
        Log(LogLevel::kHeader, log, "CURRENT file:  %s", name.c_str());
        break;
      case FileKind::kIdentity:
        Log(LogLevel::kHeader, log, "IDENTITY file:  %s", name.c_str());
        break;
      case FileKind::kManifest: {
        const Result<uint64_t> size = fs_->FileSize(path_ + "/" + name);
        Log(LogLevel::kHeader, log, "MANIFEST file:  %s size: %llu Bytes", name.c_str(),
            static_cast<unsigned long long>(size.ok() ? *size : 0));
        break;
      }
      case FileKind::kWal: {
        const Result<uint64_t> size = fs_->FileSize(path_ + "/" + name);
        logs.append(Concat(name, " size: ", size.ok() ? *size : 0, " ; "));
        break;
      }
      case FileKind::kTable:
        if (++tables <= kMaxFilesListed) listed.append(name).append(" ");
        break;
      default:
        break;
    }
  }
  Log(LogLevel::kHeader, log, "SST files in %s dir, Total Num: %zu, files: %s", path_.c_str(),
      tables, listed.c_str());
  Log(LogLevel::kHeader, log, "Write Ahead Log file in %s: %s", wal_directory_.c_str(),
      logs.c_str());
  DumpOptions(log, *db_options());
  DumpCodecs(log);
  Log(LogLevel::kHeader, log, "Fast CRC32 supported: %s",
      Cpu().sse42 && Cpu().pclmul ? "Supported on x86" : "Not supported on x86");
  Log(LogLevel::kHeader, log, "DMutex implementation: pthread_mutex_t");
  Log(LogLevel::kHeader, log, "Jemalloc supported: 0");
  log->Flush();
}

void DbImpl::LogEvent(const std::string& json) const {
  Log(LogLevel::kInfo, info_log_.get(), "EVENT_LOG_v1 %s", json.c_str());
}

void DbImpl::LogFamilyOptions(const std::string& family, const ColumnFamilyOptions& options) const {
  if (info_log_ == nullptr) return;
  std::string cache_lines;
  if (const Cache* cache = options.table_factory.block_based.block_cache.get()) {
    cache_lines = Concat(
        "  block_cache_name: ", cache->kind() == Cache::Kind::kLru ? "LRUCache" : "HyperClockCache",
        "\n  block_cache_options:\n    capacity : ", cache->capacity(),
        "\n    strict_capacity_limit : ", cache->strict_limit() ? 1 : 0, "\n");
  }
  DumpOptions(info_log_.get(), family, options, cache_lines);
}

void DbImpl::LogChanges(const std::string& family, const ColumnFamilyOptions& options,
                        const std::unordered_map<std::string, std::string>& changes,
                        const Status& status) const {
  Logger* const log = info_log_.get();
  if (log == nullptr) return;
  Log(LogLevel::kInfo, log, "SetOptions() on column family [%s], inputs:", family.c_str());
  const std::map<std::string, std::string> ordered(changes.begin(), changes.end());
  for (const auto& [name, value] : ordered) {
    Log(LogLevel::kInfo, log, "%s: %s", name.c_str(), value.c_str());
  }
  if (!status.ok()) {
    Log(LogLevel::kWarn, log, "[%s] SetOptions() failed: %s", family.c_str(),
        status.ToString().c_str());
    return;
  }
  Log(LogLevel::kInfo, log, "[%s] SetOptions() succeeded", family.c_str());
  DumpChangeableOptions(log, options);
}

void DbImpl::LogRecoveredManifest() const {
  Logger* const log = info_log_.get();
  if (log == nullptr) return;
  const VersionSet& versions = *versions_;
  Log(LogLevel::kInfo, log,
      "Recovered from manifest file:%s succeeded,manifest_file_number is %llu, next_file_number is "
      "%llu, last_sequence is %llu, log_number is %llu,prev_log_number is %llu,max_column_family "
      "is "
      "%u,min_log_number_to_keep is %llu",
      ManifestFileName(path_, versions.manifest_file_number()).c_str(),
      Long(versions.manifest_file_number()), Long(versions.next_file_number()),
      Long(versions.last_sequence()), Long(default_family_->versions()->log_number()),
      Long(versions.previous_log_number()), versions.max_column_family(),
      Long(versions.min_log_number_to_keep()));
  for (const ColumnFamily* family : families_) {
    Log(LogLevel::kInfo, log, "Column family [%s] (ID %u), log number is %llu",
        family->name().c_str(), family->id(), Long(family->versions()->log_number()));
  }
}

void DbImpl::LogFlushedTable(const std::string& family, int job_id, uint64_t start_us,
                             const FlushResult& result) const {
  if (info_log_ == nullptr) return;
  Logger* const log = info_log_.get();
  const uint64_t now_us = env_->clock->NowMicros();
  if (result.has_file) {
    const FileMetadata& file = result.output.file;
    LogEvent(TableCreatedEvent(now_us, family, job_id, result.output));
    Log(LogLevel::kInfo, log, "[%s] [JOB %d] Level-0 flush table #%llu: %llu bytes OK",
        family.c_str(), job_id, Long(file.number), Long(file.size_bytes));
  }
  Log(LogLevel::kInfo, log,
      "[%s] [JOB %d] Flush lasted %llu microseconds, and %llu cpu microseconds.", family.c_str(),
      job_id, Long(now_us - start_us), Long(result.cpu_micros));
}

void DbImpl::LogLevelSummary(const ColumnFamily* family) const {
  Log(LogLevel::kInfo, info_log_.get(),
      "[%s] Level summary: files%s max score %.2f, estimated pending compaction bytes %llu",
      family->name().c_str(), LevelList(LevelCounts(family)).c_str(),
      MaxScore(family->versions()->current()->storage()),
      Long(family->versions()->current()->storage().pending_compaction_bytes()));
}

void DbImpl::LogCompactionStart(const Compaction& compaction, const JobContext& context,
                                uint64_t start_us) const {
  if (info_log_ == nullptr) return;
  const std::string& family = context.column_family_name;
  Log(LogLevel::kInfo, info_log_.get(), "[%s] [JOB %d] Compacting %s files to L%d, score %.2f",
      family.c_str(), context.job_id, InputCounts(compaction).c_str(), compaction.output_level(),
      compaction.score);
  std::string inputs;
  EventLine event(start_us);
  event.Add("job", context.job_id).Add("event", "compaction_started").Add("cf_name", family);
  event.Add("compaction_reason", CompactionReasonName(compaction.reason()));
  for (const CompactionInput& input : compaction.inputs()) {
    std::vector<uint64_t> numbers;
    inputs += inputs.empty() ? "[" : ", [";
    for (const FileMetadata* file : input.files) {
      inputs +=
          Concat(numbers.empty() ? "" : " ", file->number, "(", file->size_bytes >> 10, "KB)");
      numbers.push_back(file->number);
    }
    inputs += "]";
    event.AddList(Concat("files_L", input.level).c_str(), numbers);
  }
  Log(LogLevel::kInfo, info_log_.get(),
      "[%s]: Compaction start summary: Base version %llu Base level %d, inputs: %s", family.c_str(),
      Long(compaction.version()->number()), compaction.start_level(), inputs.c_str());
  event.Add("score", static_cast<int64_t>(compaction.score));
  event.Add("input_data_size", compaction.input_bytes());
  event.Add("oldest_snapshot_seqno", context.snapshots.empty()
                                         ? int64_t{-1}
                                         : static_cast<int64_t>(context.snapshots.front()));
  LogEvent(event.Take());
}

void DbImpl::LogCompactionOutputs(const Compaction& compaction, const JobContext& context,
                                  const CompactionResult& result) const {
  if (info_log_ == nullptr) return;
  const std::string& family = context.column_family_name;
  const uint64_t now_us = env_->clock->NowMicros();
  for (const TableOutput& output : result.outputs) {
    Log(LogLevel::kInfo, info_log_.get(),
        "[%s] [JOB %d] Generated table #%llu: %llu keys, %llu bytes, temperature: kUnknown",
        family.c_str(), context.job_id, Long(output.file.number),
        Long(output.properties.num_entries), Long(output.file.size_bytes));
    LogEvent(TableCreatedEvent(now_us, family, context.job_id, output));
  }
  Log(LogLevel::kInfo, info_log_.get(), "[%s] [JOB %d] Compacted %s files to L%d => %llu bytes",
      family.c_str(), context.job_id, InputCounts(compaction).c_str(), compaction.output_level(),
      Long(result.bytes_written));
}

void DbImpl::LogCompactionEnd(const Compaction& compaction, const ColumnFamily* family,
                              const CompactionResult& result, int job_id, uint64_t start_us,
                              uint64_t now_us) const {
  if (info_log_ == nullptr) return;
  const uint64_t micros = now_us - start_us;
  const uint64_t from_above = result.bytes_read - result.bytes_read_output_level;
  const CompactionIterator::Counts& counts = result.counts;
  uint64_t output_records = 0;
  for (const TableOutput& output : result.outputs) output_records += output.properties.num_entries;
  size_t files_above = 0, files_of_output_level = 0;
  for (const CompactionInput& input : compaction.inputs()) {
    (input.level == compaction.output_level() ? files_of_output_level : files_above) +=
        input.files.size();
  }
  const auto ratio = [from_above](uint64_t bytes) {
    return from_above == 0 ? 0 : static_cast<double>(bytes) / static_cast<double>(from_above);
  };
  const char* const codec = CodecName(compaction.OutputCompression());
  Log(LogLevel::kInfo, info_log_.get(),
      "[%s] compacted to: files%s max score %.2f, MB/sec: %.1f rd, %.1f wr, level %d, files "
      "in(%zu, %zu) out(%zu +0 blob) MB in(%.1f, %.1f +0.0 blob) out(%.1f +0.0 blob), "
      "read-write-amplify(%.1f) write-amplify(%.1f) OK, records in: %llu, records dropped: %llu "
      "output_compression: %s",
      family->name().c_str(), LevelList(LevelCounts(family)).c_str(),
      MaxScore(family->versions()->current()->storage()), PerMicro(result.bytes_read, micros),
      PerMicro(result.bytes_written, micros), compaction.output_level(), files_above,
      files_of_output_level, result.outputs.size(), Mega(from_above),
      Mega(result.bytes_read_output_level), Mega(result.bytes_written),
      ratio(result.bytes_read + result.bytes_written), ratio(result.bytes_written),
      Long(counts.input_records),
      Long(counts.input_records - std::min(output_records, counts.input_records)), codec);
  LogEvent(EventLine(now_us)
               .Add("job", job_id)
               .Add("event", "compaction_finished")
               .Add("compaction_time_micros", micros)
               .Add("compaction_time_cpu_micros", result.cpu_micros)
               .Add("output_level", compaction.output_level())
               .Add("num_output_files", result.outputs.size())
               .Add("total_output_size", result.bytes_written)
               .Add("num_input_records", counts.input_records)
               .Add("num_output_records", output_records)
               .Add("num_subcompactions", result.subcompactions)
               .Add("output_compression", codec)
               .Add("num_single_delete_mismatches", counts.single_delete_mismatch)
               .Add("num_single_delete_fallthrough", counts.single_delete_fallthrough)
               .AddList("lsm_state", LevelCounts(family))
               .Take());
}

void DbImpl::LogMove(const Compaction& compaction, const ColumnFamily* family,
                     const VersionEdit& edit, int job_id, uint64_t now_us) const {
  uint64_t bytes = 0;
  for (const auto& [level, file] : edit.new_files) {
    bytes += file.size_bytes;
    Log(LogLevel::kInfo, info_log_.get(), "[%s] Moving #%llu to level-%d %llu bytes",
        family->name().c_str(), Long(file.number), compaction.output_level(),
        Long(file.size_bytes));
  }
  LogEvent(EventLine(now_us)
               .Add("job", job_id)
               .Add("event", "trivial_move")
               .Add("destination_level", compaction.output_level())
               .Add("files", edit.new_files.size())
               .Add("total_files_size", bytes)
               .Take());
  Log(LogLevel::kInfo, info_log_.get(),
      "[%s] Moved #%zu files to level-%d %llu bytes OK: files%s "
      "max score %.2f",
      family->name().c_str(), edit.new_files.size(), compaction.output_level(), Long(bytes),
      LevelList(LevelCounts(family)).c_str(), MaxScore(family->versions()->current()->storage()));
}

void DbImpl::MaybeDumpStatistics() {
  std::string text;
  std::string counters;
  {
    MutexLock lock(&mutex_);
    const uint64_t period_us = uint64_t{options_->stats_dump_period_sec} * 1000000;
    const uint64_t now_us = env_->clock->NowMicros();
    if (period_us == 0 || now_us < std::max(last_stats_dump_us_, opened_us_) + period_us) return;
    last_stats_dump_us_ = now_us;
    text = DbStatsText(/*new_interval=*/true);
    for (ColumnFamily* family : families_) {
      text.append(FamilyStatsText(family, /*new_interval=*/true));
    }
    for (const ColumnFamily* family : families_) text.append(FileReadHistograms(family));
    if (statistics_ != nullptr) counters = statistics_->ToString();
  }
  if (info_log_ == nullptr) return;
  Log(LogLevel::kInfo, info_log_.get(), "------- DUMPING STATS -------");
  // One message of many lines: parsers take what follows without a time as its rest.
  if (!text.empty() && text.back() == '\n') text.pop_back();
  info_log_->Write(LogLevel::kInfo, text);
  if (!counters.empty()) info_log_->Write(LogLevel::kInfo, Concat("STATISTICS:\n ", counters));
}

}  // namespace skarn
