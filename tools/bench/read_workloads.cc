// Workloads that read single keys and groups of keys.

#include <algorithm>
#include <string>

#include "tools/bench/workload.h"

namespace bench {
namespace {

void Parallel(Run& run, uint64_t count, std::function<void(Worker&)> work) {
  Crew crew;
  crew.threads = run.settings.threads;
  crew.count = count;
  crew.work = std::move(work);
  run.Parallel({crew});
}

// Reads `number`'s key. Returns false after an error.
bool GetOne(Run& run, Worker& worker, std::string_view key) {
  char* error = nullptr;
  size_t size = 0;
  char* value = run.api.rocksdb_get(run.database.db(), run.database.read_options(), key.data(),
                                    key.size(), &size, &error);
  if (value != nullptr) {
    worker.Read(size);
    run.api.rocksdb_free(value);
  }
  return !worker.Failed(run.api, &error);
}

void ReadBelow(Run& run, uint64_t keys) {
  Parallel(run, run.settings.reads, [&run, keys](Worker& worker) {
    KeyBuffer key(run.settings.key_size);
    for (worker.Start(run.settings.reads); worker.More();) {
      if (!GetOne(run, worker, key.Set(worker.random().Below(keys)))) break;
      worker.Done();
    }
  });
}

void ReadRandom(Run& run) { ReadBelow(run, run.settings.num); }
void ReadHot(Run& run) { ReadBelow(run, std::min(run.settings.hot_keys, run.settings.num)); }

void ReadMissing(Run& run) {
  Parallel(run, run.settings.reads, [&run](Worker& worker) {
    KeyBuffer key(run.settings.key_size);
    std::string missing;
    for (worker.Start(run.settings.reads); worker.More();) {
      // A key of the database with one more byte: in its range, in none of its files.
      missing = key.Set(worker.random().Below(run.settings.num));
      missing.push_back('.');
      if (!GetOne(run, worker, missing)) break;
      worker.Done();
    }
  });
}

void Warm(Run& run) {
  Parallel(run, run.settings.num, [&run](Worker& worker) {
    KeyBuffer key(run.settings.key_size);
    worker.Start(run.settings.num);
    for (uint64_t number = 0; worker.More(); ++number) {
      if (!GetOne(run, worker, key.Set(number % run.settings.num))) break;
      worker.Done();
    }
  });
}

// The keys of one multi-get, and what the C functions want to know of them.
struct Group {
  Group(size_t size, size_t key_size)
      : buffers(size, KeyBuffer(key_size)),
        keys(size),
        sizes(size, key_size),
        values(size),
        value_sizes(size),
        errors(size),
        slices(size) {}

  void Choose(Random& random, uint64_t limit) {
    for (size_t i = 0; i < keys.size(); ++i) {
      keys[i] = buffers[i].Set(random.Below(limit)).data();
    }
  }

  std::vector<KeyBuffer> buffers;
  std::vector<const char*> keys;
  std::vector<size_t> sizes;
  std::vector<char*> values;
  std::vector<size_t> value_sizes;
  std::vector<char*> errors;
  std::vector<rocksdb_pinnableslice_t*> slices;
};

void MultiReadPlain(Run& run, Worker& worker, Group& group) {
  const Api& api = run.api;
  const size_t size = group.keys.size();
  for (worker.Start(run.settings.reads); worker.More();) {
    group.Choose(worker.random(), run.settings.num);
    api.rocksdb_multi_get(run.database.db(), run.database.read_options(), size, group.keys.data(),
                          group.sizes.data(), group.values.data(), group.value_sizes.data(),
                          group.errors.data());
    for (size_t i = 0; i < size; ++i) {
      if (group.values[i] != nullptr) {
        worker.Read(group.value_sizes[i]);
        api.rocksdb_free(group.values[i]);
      }
      worker.Failed(api, &group.errors[i]);
    }
    worker.Done(size);
  }
}

void MultiReadBatched(Run& run, Worker& worker, Group& group) {
  const Api& api = run.api;
  const size_t size = group.keys.size();
  rocksdb_column_family_handle_t* family =
      api.rocksdb_get_default_column_family_handle(run.database.db());
  for (worker.Start(run.settings.reads); worker.More();) {
    group.Choose(worker.random(), run.settings.num);
    api.rocksdb_batched_multi_get_cf(run.database.db(), run.database.read_options(), family, size,
                                     group.keys.data(), group.sizes.data(), group.slices.data(),
                                     group.errors.data(), /*sorted_input=*/false);
    for (size_t i = 0; i < size; ++i) {
      if (group.slices[i] != nullptr) {
        size_t value_size = 0;
        api.rocksdb_pinnableslice_value(group.slices[i], &value_size);
        worker.Read(value_size);
        api.rocksdb_pinnableslice_destroy(group.slices[i]);
      }
      worker.Failed(api, &group.errors[i]);
    }
    worker.Done(size);
  }
}

void MultiReadRandom(Run& run) {
  const std::string lacks =
      run.settings.multiread_batched
          ? run.api.Lacks({"batched_multi_get_cf", "get_default_column_family_handle",
                           "pinnableslice_value", "pinnableslice_destroy"})
          : run.api.Lacks({"multi_get"});
  if (!lacks.empty()) return run.LeaveOut(lacks);
  Parallel(run, run.settings.reads, [&run](Worker& worker) {
    const size_t size = run.settings.batch_size > 1 ? run.settings.batch_size : 32;
    Group group(size, run.settings.key_size);
    (run.settings.multiread_batched ? MultiReadBatched : MultiReadPlain)(run, worker, group);
  });
}

}  // namespace

std::vector<Workload> ReadWorkloads() {
  using Start = Workload::Start;
  return {
      {"readrandom", "reads random keys", Start::kOpen, {}, ReadRandom},
      {"readhot", "reads random ones of --hot_keys keys", Start::kOpen, {}, ReadHot},
      {"readmissing", "reads keys that are absent but in the range", Start::kOpen, {}, ReadMissing},
      {"multireadrandom",
       "reads random keys in groups of --batch_size, else 32",
       Start::kOpen,
       {},
       MultiReadRandom},
      {"warm", "reads every key once, in order", Start::kOpen, {}, Warm},
  };
}

}  // namespace bench
