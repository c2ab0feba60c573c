// Workloads in which one thread does something else than the others.

#include <limits>

#include "tools/bench/workload.h"

namespace bench {
namespace {

Crew Readers(Run& run) {
  Crew crew;
  crew.threads = run.settings.threads;
  crew.count = run.settings.reads;
  crew.work = [&run](Worker& worker) {
    const Api& api = run.api;
    KeyBuffer key(run.settings.key_size);
    char* error = nullptr;
    for (worker.Start(run.settings.reads); worker.More();) {
      const std::string_view k = key.Set(worker.random().Below(run.settings.num));
      size_t size = 0;
      char* value = api.rocksdb_get(run.database.db(), run.database.read_options(), k.data(),
                                    k.size(), &size, &error);
      if (value != nullptr) {
        worker.Read(size);
        api.rocksdb_free(value);
      }
      if (worker.Failed(api, &error)) break;
      worker.Done();
    }
  };
  return crew;
}

void ReadWhileWriting(Run& run) {
  const Settings& settings = run.settings;
  const ValueSource values(settings.value_size, settings.compression_ratio, settings.seed);
  Crew writer;
  writer.label = "writer";
  writer.accompanies = true;
  writer.work = [&run, &values](Worker& worker) {
    const Api& api = run.api;
    KeyBuffer key(run.settings.key_size);
    char* error = nullptr;
    for (worker.Start(std::numeric_limits<uint64_t>::max()); worker.More();) {
      const uint64_t number = worker.random().Below(run.settings.num);
      const std::string_view k = key.Set(number);
      const std::string_view v = values.At(worker.random().Next());
      api.rocksdb_put(run.database.db(), run.database.write_options(), k.data(), k.size(), v.data(),
                      v.size(), &error);
      if (worker.Failed(api, &error)) break;
      worker.Done();
    }
  };
  run.Parallel({Readers(run), writer});
}

void ReadWhileScanning(Run& run) {
  Crew scanner;
  scanner.label = "scanner";
  scanner.accompanies = true;
  scanner.latency_every = 16;
  scanner.work = [&run](Worker& worker) {
    const Api& api = run.api;
    worker.Start(std::numeric_limits<uint64_t>::max());
    while (worker.More()) {
      rocksdb_iterator_t* iterator =
          api.rocksdb_create_iterator(run.database.db(), run.database.read_options());
      api.rocksdb_iter_seek_to_first(iterator);
      if (!api.rocksdb_iter_valid(iterator)) worker.Fail("the database is empty");
      while (worker.More() && api.rocksdb_iter_valid(iterator)) {
        size_t key_size = 0;
        size_t value_size = 0;
        api.rocksdb_iter_key(iterator, &key_size);
        api.rocksdb_iter_value(iterator, &value_size);
        worker.Read(key_size + value_size);
        api.rocksdb_iter_next(iterator);
        worker.Done();
      }
      api.rocksdb_iter_destroy(iterator);
    }
  };
  run.Parallel({Readers(run), scanner});
}

}  // namespace

std::vector<Workload> MixedWorkloads() {
  using Start = Workload::Start;
  return {
      {"readwhilewriting",
       "--threads read random keys while one more writes",
       Start::kOpen,
       {},
       ReadWhileWriting},
      {"readwhilescanning",
       "--threads read random keys while one more steps through all",
       Start::kOpen,
       {"create_iterator", "iter_destroy", "iter_seek_to_first", "iter_valid", "iter_key",
        "iter_value", "iter_next"},
       ReadWhileScanning},
  };
}

}  // namespace bench
