// Logger receives the engine's messages for people and log parsers (the LOG file).
//
// Thread safety: any thread.

#ifndef SKARN_CORE_ENV_LOGGER_H_
#define SKARN_CORE_ENV_LOGGER_H_

#include <atomic>
#include <cstdarg>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/base/slice.h"

namespace skarn {

class FileSystem;
class Clock;

// The numbers are part of the ABI.
enum class LogLevel : uint8_t { kDebug = 0, kInfo, kWarn, kError, kFatal, kHeader };

class Logger {
 public:
  explicit Logger(LogLevel level) : level_(level) {}
  virtual ~Logger() = default;
  // One message; `text` has no line end. Called only for levels that pass level().
  virtual void Write(LogLevel level, Slice text) = 0;
  virtual void Flush() {}

  LogLevel level() const { return level_.load(std::memory_order_relaxed); }
  void set_level(LogLevel level) { level_.store(level, std::memory_order_relaxed); }

 private:
  std::atomic<LogLevel> level_;  // Any thread.
};

// Formats and writes when `logger` is set and wants `level`. Lines of a header level
// are written whatever the logger's level is.
[[gnu::cold, gnu::format(printf, 3, 4)]] void Log(LogLevel level, Logger* logger,
                                                  const char* format, ...);

struct FileLoggerOptions {
  LogLevel level = LogLevel::kInfo;
  uint64_t max_file_size = 0;       // 0: one file.
  uint64_t roll_after_seconds = 0;  // 0: never.
  uint64_t keep_file_count = 1000;
};

// Opens `<directory>/<base_name>` after moving an existing one to
// `<base_name>.old.<micros>` (docs/formats/directory.md). Lines are
// `2026/01/31-23:59:59.123456 <thread id> text`, continuing RocksDB's shape.
Result<std::shared_ptr<Logger>> NewFileLogger(FileSystem* fs, Clock* clock,
                                              const std::string& directory,
                                              const std::string& base_name,
                                              const FileLoggerOptions& options);
// Writes to the standard error stream, each line after `prefix`.
std::shared_ptr<Logger> NewStderrLogger(LogLevel level, const std::string& prefix);
// Hands each message to `write(state, level, text, size)`, which may be called from any
// thread. `text` ends with a zero byte that `size` does not count.
std::shared_ptr<Logger> NewCallbackLogger(LogLevel level,
                                          void (*write)(void* state, unsigned level, char* text,
                                                        size_t size),
                                          void* state);

}  // namespace skarn

#endif  // SKARN_CORE_ENV_LOGGER_H_
