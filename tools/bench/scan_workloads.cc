// Workloads with iterators.

#include "tools/bench/workload.h"

namespace bench {
namespace {

// A step is too short to read a clock after each.
constexpr uint64_t kStepsPerSample = 16;

// Counts the entry at `iterator` as read.
void Take(const Api& api, Worker& worker, const rocksdb_iterator_t* iterator) {
  size_t key_size = 0;
  size_t value_size = 0;
  const char* key = api.rocksdb_iter_key(iterator, &key_size);
  const char* value = api.rocksdb_iter_value(iterator, &value_size);
  // The key's last byte is looked at, so that it is really there.
  if (key_size == 0 || (key[key_size - 1] == 0 && value == nullptr)) worker.Fail("an empty entry");
  worker.Read(key_size + value_size);
}

void CheckIterator(const Api& api, Worker& worker, const rocksdb_iterator_t* iterator) {
  char* error = nullptr;
  api.rocksdb_iter_get_error(iterator, &error);
  worker.Failed(api, &error);
}

void Parallel(Run& run, uint64_t latency_every, std::function<void(Worker&)> work) {
  Crew crew;
  crew.threads = run.settings.threads;
  crew.count = run.settings.reads;
  crew.latency_every = latency_every;
  crew.work = std::move(work);
  run.Parallel({crew});
}

// From one end to the other, again from the start until there were enough steps.
template <bool kForward>
void ReadOrdered(Run& run) {
  Parallel(run, kStepsPerSample, [&run](Worker& worker) {
    const Api& api = run.api;
    rocksdb_iterator_t* iterator =
        api.rocksdb_create_iterator(run.database.db(), run.database.read_options());
    worker.Start(run.settings.reads);
    while (worker.More()) {
      if constexpr (kForward) {
        api.rocksdb_iter_seek_to_first(iterator);
      } else {
        api.rocksdb_iter_seek_to_last(iterator);
      }
      if (!api.rocksdb_iter_valid(iterator)) {
        worker.Fail("the database is empty");
        break;
      }
      while (worker.More() && api.rocksdb_iter_valid(iterator)) {
        Take(api, worker, iterator);
        if constexpr (kForward) {
          api.rocksdb_iter_next(iterator);
        } else {
          api.rocksdb_iter_prev(iterator);
        }
        worker.Done();
      }
      CheckIterator(api, worker, iterator);
    }
    api.rocksdb_iter_destroy(iterator);
  });
}

void SeekRandom(Run& run) {
  Parallel(run, 1, [&run](Worker& worker) {
    const Api& api = run.api;
    KeyBuffer key(run.settings.key_size);
    rocksdb_iterator_t* iterator =
        api.rocksdb_create_iterator(run.database.db(), run.database.read_options());
    for (worker.Start(run.settings.reads); worker.More();) {
      const std::string_view k = key.Set(worker.random().Below(run.settings.num));
      api.rocksdb_iter_seek(iterator, k.data(), k.size());
      if (api.rocksdb_iter_valid(iterator)) Take(api, worker, iterator);
      for (int i = 0; i < run.settings.seek_nexts && api.rocksdb_iter_valid(iterator); ++i) {
        api.rocksdb_iter_next(iterator);
        if (api.rocksdb_iter_valid(iterator)) Take(api, worker, iterator);
      }
      worker.Done();
    }
    CheckIterator(api, worker, iterator);
    api.rocksdb_iter_destroy(iterator);
  });
}

void NewIterator(Run& run) {
  Parallel(run, 1, [&run](Worker& worker) {
    const Api& api = run.api;
    KeyBuffer key(run.settings.key_size);
    for (worker.Start(run.settings.reads); worker.More();) {
      const std::string_view k = key.Set(worker.random().Below(run.settings.num));
      rocksdb_iterator_t* iterator =
          api.rocksdb_create_iterator(run.database.db(), run.database.read_options());
      api.rocksdb_iter_seek(iterator, k.data(), k.size());
      if (api.rocksdb_iter_valid(iterator)) Take(api, worker, iterator);
      api.rocksdb_iter_destroy(iterator);
      worker.Done();
    }
  });
}

}  // namespace

std::vector<Workload> ScanWorkloads() {
  using Start = Workload::Start;
  const std::vector<const char*> steps = {"create_iterator", "iter_destroy",       "iter_get_error",
                                          "iter_key",        "iter_next",          "iter_seek",
                                          "iter_valid",      "iter_seek_to_first", "iter_value"};
  std::vector<const char*> back = steps;
  back.insert(back.end(), {"iter_seek_to_last", "iter_prev"});
  return {
      {"readseq", "steps through all entries in order", Start::kOpen, steps, ReadOrdered<true>},
      {"readreverse", "steps through all entries backwards", Start::kOpen, back,
       ReadOrdered<false>},
      {"seekrandom", "seeks to random keys, then --seek_nexts steps", Start::kOpen, steps,
       SeekRandom},
      {"newiterator",
       "makes an iterator, seeks to a random key, destroys it",
       Start::kOpen,
       {},
       NewIterator},
  };
}

}  // namespace bench
