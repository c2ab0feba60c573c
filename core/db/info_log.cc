// The LOG: what stands at its head, events for parsers, and statistics from time to time.

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/version.h"
#include "core/db/db_impl.h"
#include "core/db/stats_text.h"
#include "core/metrics/statistics.h"
#include "core/options/option_dump.h"
#include "core/version/file_names.h"

namespace skarn {
namespace {

// The release whose behaviour is followed; log parsers look for the line.
constexpr char kVersionLine[] = "RocksDB version: 11.8.1";
constexpr size_t kMaxFilesListed = 9;

// One message a line: parsers go line by line.
void LogLines(Logger* logger, const std::string& text) {
  size_t start = 0;
  while (start < text.size()) {
    size_t end = text.find('\n', start);
    if (end == std::string::npos) end = text.size();
    logger->Write(LogLevel::kInfo, Slice(text.data() + start, end - start));
    start = end + 1;
  }
}

}  // namespace

void DbImpl::LogHeader() {
  Logger* const log = info_log_.get();
  if (log == nullptr) return;
  Log(LogLevel::kHeader, log, "%s", kVersionLine);
  Log(LogLevel::kHeader, log, "Skarn version: %s", SKARN_VERSION);
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
  log->Flush();
}

void DbImpl::LogEvent(const std::string& json) const {
  Log(LogLevel::kInfo, info_log_.get(), "EVENT_LOG_v1 %s", json.c_str());
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
    if (statistics_ != nullptr) counters = statistics_->ToString();
  }
  if (info_log_ == nullptr) return;
  Log(LogLevel::kInfo, info_log_.get(), "------- DUMPING STATS -------");
  LogLines(info_log_.get(), text);
  if (!counters.empty()) {
    Log(LogLevel::kInfo, info_log_.get(), "STATISTICS:");
    LogLines(info_log_.get(), counters);
  }
}

}  // namespace skarn
