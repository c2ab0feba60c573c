// Workloads that open, close, recover, flush and compact.

#include <string>

#include "tools/bench/workload.h"

namespace bench {
namespace {

enum class Part { kOpen, kClose, kBoth };

void OpenAndClose(Run& run, Part part) {
  Database& database = run.database;
  if (std::string error = database.Open(); !error.empty()) return run.Fail(error);
  database.Close();
  std::string error;
  for (uint64_t i = 0; i < run.settings.opens && error.empty(); ++i) {
    const auto open = [&] { error = database.Open(); };
    const auto close = [&] { database.Close(); };
    switch (part) {
      case Part::kOpen:
        run.Timed(1, open);
        close();
        break;
      case Part::kClose:
        open();
        if (error.empty()) run.Timed(1, close);
        break;
      case Part::kBoth:
        run.Timed(1, [&] {
          open();
          close();
        });
        break;
    }
  }
  if (!error.empty()) run.Fail(error);
}

void Open(Run& run) { OpenAndClose(run, Part::kOpen); }
void Close(Run& run) { OpenAndClose(run, Part::kClose); }
void OpenClose(Run& run) { OpenAndClose(run, Part::kBoth); }

// Leaves num entries in the log and nothing in tables, then times the open that reads them.
void Recover(Run& run) {
  const Api& api = run.api;
  const Settings& settings = run.settings;
  Database& database = run.database;
  std::string error = database.Destroy();
  if (error.empty()) error = database.OpenWithoutFlushes();
  if (!error.empty()) return run.Fail(error);
  const ValueSource values(settings.value_size, settings.compression_ratio, settings.seed);
  const Shuffle shuffle(settings.num, settings.seed);
  KeyBuffer key(settings.key_size);
  char* failure = nullptr;
  for (uint64_t i = 0; i < settings.num && failure == nullptr; ++i) {
    const uint64_t number = shuffle.At(i);
    const std::string_view k = key.Set(number);
    const std::string_view v = values.At(number);
    api.rocksdb_put(database.db(), database.write_options(), k.data(), k.size(), v.data(), v.size(),
                    &failure);
  }
  database.Close();
  if (error = TakeError(api, &failure); !error.empty()) return run.Fail(error);

  run.Timed(settings.num, [&] { error = database.Open(); });
  if (!error.empty()) return run.Fail(error);

  // Whether they are all there, in a thousand places.
  Random random(settings.seed);
  uint64_t found = 0;
  uint64_t bytes = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string_view k = key.Set(random.Below(settings.num));
    size_t size = 0;
    char* value = api.rocksdb_get(database.db(), database.read_options(), k.data(), k.size(), &size,
                                  &failure);
    if (error = TakeError(api, &failure); !error.empty()) return run.Fail(error);
    if (value == nullptr) return run.Fail("a key is missing after recovery");
    api.rocksdb_free(value);
    ++found;
    bytes += size;
  }
  run.Read(found, bytes);
}

void Flush(Run& run) {
  std::string error;
  run.Timed(run.settings.num, [&] { error = run.database.Flush(); });
  if (!error.empty()) run.Fail(error);
}

void Compact(Run& run) {
  if (std::string error = run.database.Flush(); !error.empty()) return run.Fail(error);
  run.Timed(run.settings.num,
            [&] { run.api.rocksdb_compact_range(run.database.db(), nullptr, 0, nullptr, 0); });
}

void WaitForCompaction(Run& run) {
  run.Timed(1, [&] { run.database.Settle(); });
}

}  // namespace

std::vector<Workload> MaintenanceWorkloads() {
  using Start = Workload::Start;
  return {
      {"open",
       "opens the database --opens times; the time of closing is left out",
       Start::kOwn,
       {},
       Open},
      {"close", "closes it --opens times; the time of opening is left out", Start::kOwn, {}, Close},
      {"openclose", "opens and closes it --opens times", Start::kOwn, {}, OpenClose},
      {"recover",
       "opens a new database whose num entries are all in the log",
       Start::kOwn,
       {"options_set_write_buffer_size"},
       Recover},
      {"flush",
       "writes what is in memory to tables; counted as num entries",
       Start::kOpen,
       {"flush"},
       Flush},
      {"compact",
       "flushes untimed, then compacts everything; counted as num entries",
       Start::kOpen,
       {"compact_range"},
       Compact},
      {"waitforcompaction",
       "waits until flushes and compactions are over",
       Start::kOpen,
       {},
       WaitForCompaction},
  };
}

}  // namespace bench
