#include "core/env/logger.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include "core/base/mutex.h"
#include "core/env/clock.h"
#include "core/env/file_system.h"

namespace skarn {

void Log(LogLevel level, Logger* logger, const char* format, ...) {
  if (logger == nullptr || level < logger->level()) return;
  char small[512];
  va_list arguments;
  va_start(arguments, format);
  va_list again;
  va_copy(again, arguments);
  const int size = vsnprintf(small, sizeof(small), format, arguments);
  va_end(arguments);
  if (size >= 0 && static_cast<size_t>(size) < sizeof(small)) {
    logger->Write(level, Slice(small, static_cast<size_t>(size)));
  } else if (size >= 0) {
    std::string large(static_cast<size_t>(size) + 1, '\0');
    vsnprintf(large.data(), large.size(), format, again);
    logger->Write(level, Slice(large.data(), static_cast<size_t>(size)));
  }
  va_end(again);
}

namespace {

const char* TagOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "[DEBUG] ";
    case LogLevel::kWarn:
      return "[WARN] ";
    case LogLevel::kError:
      return "[ERROR] ";
    case LogLevel::kFatal:
      return "[FATAL] ";
    case LogLevel::kInfo:
    case LogLevel::kHeader:
      return "";
  }
  return "";
}

// What lines begin with. The last answer is kept: a log's head is hundreds of lines of one
// thread and one second.
//
// Thread safety: one thread at a time.
class LineHead {
 public:
  // `2026/01/31-23:59:59.123456 <thread id> <prefix><tag>text` and a line end.
  void Append(uint64_t now_us, Slice prefix, LogLevel level, Slice text, std::string* line) {
    const auto second = static_cast<time_t>(now_us / 1000000);
    if (second != second_) {
      second_ = second;
      struct tm local {};
      localtime_r(&second, &local);
      snprintf(stamp_, sizeof(stamp_), "%04d/%02d/%02d-%02d:%02d:%02d.", local.tm_year + 1900,
               local.tm_mon + 1, local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
    }
    if (!any_thread_ || pthread_equal(thread_, pthread_self()) == 0) {
      any_thread_ = true;
      thread_ = pthread_self();
      snprintf(thread_text_, sizeof(thread_text_), " %ld ", syscall(SYS_gettid));
    }
    char micros[6];
    auto rest = static_cast<uint32_t>(now_us % 1000000);
    for (int i = 5; i >= 0; --i, rest /= 10) micros[i] = static_cast<char>('0' + rest % 10);
    line->append(stamp_);
    line->append(micros, sizeof(micros));
    line->append(thread_text_);
    line->append(prefix.data(), prefix.size());
    line->append(TagOf(level));
    line->append(text.data(), text.size());
    if (line->back() != '\n') line->push_back('\n');
  }

 private:
  time_t second_ = -1;
  char stamp_[80] = {};
  bool any_thread_ = false;
  pthread_t thread_{};
  char thread_text_[24] = {};
};

class FileLogger final : public Logger {
 public:
  static constexpr size_t kHeldBytesMax = 64 << 10;

  FileLogger(FileSystem* fs, Clock* clock, std::string directory, std::string base_name,
             const FileLoggerOptions& options)
      : Logger(options.level),
        fs_(fs),
        clock_(clock),
        directory_(std::move(directory)),
        base_name_(std::move(base_name)),
        options_(options) {}

  ~FileLogger() override { Flush(); }

  // Moves an existing file away and opens a new one.
  Status Open() SKARN_EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    return OpenLocked();
  }

  void Write(LogLevel level, Slice text) override SKARN_EXCLUDES(mu_) {
    const uint64_t now_us = clock_->NowMicros();
    MutexLock lock(&mu_);
    line_.clear();
    head_.Append(now_us, Slice(), level, text, &line_);
    if (level == LogLevel::kHeader && Rolls()) headers_.push_back(text.ToString());
    if (MustRoll(now_us, line_.size())) {
      WriteHeld();
      // When no new file can be opened, the old one takes the messages.
      std::unique_ptr<WritableFile> old = std::move(file_);
      if (!OpenLocked().ok() && file_ == nullptr) file_ = std::move(old);
    }
    AddLine(level, line_);
  }

  void Flush() override SKARN_EXCLUDES(mu_) {
    MutexLock lock(&mu_);
    WriteHeld();
    if (file_ != nullptr) (void)file_->Flush();
  }

 private:
  bool Rolls() const { return options_.max_file_size != 0 || options_.roll_after_seconds != 0; }

  bool MustRoll(uint64_t now_us, size_t more) const SKARN_REQUIRES(mu_) {
    const uint64_t size = size_ + held_.size();
    if (options_.max_file_size != 0 && size != 0 && size + more > options_.max_file_size) {
      return true;
    }
    return options_.roll_after_seconds != 0 &&
           now_us >= opened_us_ + options_.roll_after_seconds * 1000000;
  }

  // Lines of the head come by the hundred: they are written together with the next other
  // line or at Flush().
  void AddLine(LogLevel level, const std::string& line) SKARN_REQUIRES(mu_) {
    held_.append(line);
    if (level != LogLevel::kHeader || held_.size() >= kHeldBytesMax) WriteHeld();
  }
  void WriteHeld() SKARN_REQUIRES(mu_) {
    // A log that cannot be written must not stop the engine.
    if (file_ != nullptr && !held_.empty() && file_->Append(held_).ok()) size_ += held_.size();
    held_.clear();
  }

  Status OpenLocked() SKARN_REQUIRES(mu_) {
    const std::string path = Concat(directory_, '/', base_name_);
    const uint64_t now_us = clock_->NowMicros();
    if (fs_->FileExists(path).ok()) {
      // Names carry the time; two files of one microsecond get different ones all the same.
      uint64_t name_us = now_us;
      while (fs_->FileExists(Concat(path, ".old.", name_us)).ok()) name_us++;
      if (Status s = fs_->RenameFile(path, Concat(path, ".old.", name_us)); !s.ok()) return s;
    }
    FileOptions file_options;
    Result<std::unique_ptr<WritableFile>> file = fs_->NewWritableFile(path, file_options);
    if (!file.ok()) return file.status();
    file_ = std::move(*file);
    size_ = 0;
    opened_us_ = now_us;
    for (const std::string& header : headers_) {
      std::string line;
      head_.Append(now_us, Slice(), LogLevel::kHeader, header, &line);
      AddLine(LogLevel::kHeader, line);
    }
    WriteHeld();
    DeleteOldFiles();
    return Status::Ok();
  }

  // Keeps `keep_file_count` files, the current one included.
  void DeleteOldFiles() SKARN_REQUIRES(mu_) {
    const std::string prefix = Concat(base_name_, ".old.");
    std::vector<std::string> names;
    if (!fs_->GetChildren(directory_, &names).ok()) return;
    std::vector<std::string> old;
    for (const std::string& name : names) {
      if (Slice(name).StartsWith(prefix)) old.push_back(name);
    }
    // By time: longer numbers are later.
    std::sort(old.begin(), old.end(), [](const std::string& a, const std::string& b) {
      return a.size() != b.size() ? a.size() < b.size() : a < b;
    });
    const size_t keep = options_.keep_file_count == 0 ? 0 : options_.keep_file_count - 1;
    for (size_t i = 0; i + keep < old.size(); i++) {
      (void)fs_->DeleteFile(Concat(directory_, '/', old[i]));
    }
  }

  FileSystem* const fs_;
  Clock* const clock_;
  const std::string directory_;
  const std::string base_name_;
  const FileLoggerOptions options_;

  // A leaf in the lock order. Files are written under it: messages must not mix.
  Mutex mu_;
  std::unique_ptr<WritableFile> file_ SKARN_GUARDED_BY(mu_);
  std::string held_ SKARN_GUARDED_BY(mu_);  // Lines that are not written yet.
  std::string line_ SKARN_GUARDED_BY(mu_);  // The one that is being written; its memory stays.
  LineHead head_ SKARN_GUARDED_BY(mu_);
  uint64_t size_ SKARN_GUARDED_BY(mu_) = 0;
  uint64_t opened_us_ SKARN_GUARDED_BY(mu_) = 0;
  std::vector<std::string> headers_ SKARN_GUARDED_BY(mu_);  // Repeated in each new file.
};

class StderrLogger final : public Logger {
 public:
  StderrLogger(LogLevel level, const std::string& prefix)
      : Logger(level), prefix_(prefix.empty() ? prefix : prefix + " ") {}

  void Write(LogLevel level, Slice text) override {
    std::string line;
    LineHead().Append(SystemClock()->NowMicros(), prefix_, level, text, &line);
    fwrite(line.data(), 1, line.size(), stderr);
  }
  void Flush() override { fflush(stderr); }

 private:
  const std::string prefix_;
};

class CallbackLogger final : public Logger {
 public:
  using Callback = void (*)(void* state, unsigned level, char* text, size_t size);
  CallbackLogger(LogLevel level, Callback callback, void* state)
      : Logger(level), callback_(callback), state_(state) {}

  void Write(LogLevel level, Slice text) override {
    std::string copy = text.ToString();
    callback_(state_, static_cast<unsigned>(level), copy.data(), copy.size());
  }

 private:
  const Callback callback_;
  void* const state_;
};

}  // namespace

Result<std::shared_ptr<Logger>> NewFileLogger(FileSystem* fs, Clock* clock,
                                              const std::string& directory,
                                              const std::string& base_name,
                                              const FileLoggerOptions& options) {
  auto logger = std::make_shared<FileLogger>(fs, clock, directory, base_name, options);
  if (Status s = logger->Open(); !s.ok()) return s;
  return std::shared_ptr<Logger>(std::move(logger));
}

std::shared_ptr<Logger> NewStderrLogger(LogLevel level, const std::string& prefix) {
  return std::make_shared<StderrLogger>(level, prefix);
}

std::shared_ptr<Logger> NewCallbackLogger(LogLevel level,
                                          void (*write)(void* state, unsigned level, char* text,
                                                        size_t size),
                                          void* state) {
  return std::make_shared<CallbackLogger>(level, write, state);
}

}  // namespace skarn
