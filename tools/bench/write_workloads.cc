// Workloads that write: filling, overwriting, deleting, merging.

#include <algorithm>
#include <cstring>

#include "tools/bench/workload.h"

namespace bench {
namespace {

enum class Order { kAscending, kRandom, kEachOnce };

struct Writing {
  Order order = Order::kRandom;
  uint64_t count = 0;  // Per thread.
  uint64_t batch_size = 1;
  const rocksdb_writeoptions_t* options = nullptr;
};

uint64_t Count(const Run& run) {
  return run.settings.writes != 0 ? run.settings.writes : run.settings.num;
}

// Flushes, and waits for what follows, when the time is to include that.
std::function<void()> SustainedEnd(Run& run) {
  if (!run.settings.sustained) return nullptr;
  return [&run] {
    if (std::string error = run.database.Flush(); !error.empty()) run.Fail(error);
    run.database.Settle();
  };
}

void Write(Run& run, const Writing& writing) {
  const Api& api = run.api;
  const Settings& settings = run.settings;
  const ValueSource values(settings.value_size, settings.compression_ratio, settings.seed);
  const uint64_t keys = settings.num;
  const Shuffle shuffle(keys, settings.seed);

  const auto work = [&](Worker& worker) {
    KeyBuffer key(settings.key_size);
    const uint64_t threads = static_cast<uint64_t>(settings.threads);
    const uint64_t first = static_cast<uint64_t>(worker.index());
    uint64_t step = 0;
    const auto next_key = [&]() -> uint64_t {
      const uint64_t place = (first + threads * step++) % keys;
      if (writing.order == Order::kAscending) return place;
      if (writing.order == Order::kEachOnce) return shuffle.At(place);
      return worker.random().Below(keys);
    };
    char* error = nullptr;
    if (writing.batch_size <= 1) {
      for (worker.Start(writing.count); worker.More();) {
        const uint64_t number = next_key();
        const std::string_view k = key.Set(number);
        const std::string_view v = values.At(number + step);
        api.rocksdb_put(run.database.db(), writing.options, k.data(), k.size(), v.data(), v.size(),
                        &error);
        if (worker.Failed(api, &error)) break;
        worker.Done();
      }
      return;
    }
    rocksdb_writebatch_t* batch = api.rocksdb_writebatch_create();
    for (worker.Start(writing.count); worker.More();) {
      api.rocksdb_writebatch_clear(batch);
      for (uint64_t i = 0; i < writing.batch_size; ++i) {
        const uint64_t number = next_key();
        const std::string_view k = key.Set(number);
        const std::string_view v = values.At(number + step);
        api.rocksdb_writebatch_put(batch, k.data(), k.size(), v.data(), v.size());
      }
      api.rocksdb_write(run.database.db(), writing.options, batch, &error);
      if (worker.Failed(api, &error)) break;
      worker.Done(writing.batch_size);
    }
    api.rocksdb_writebatch_destroy(batch);
  };
  Crew crew;
  crew.threads = settings.threads;
  crew.count = writing.count;
  crew.work = work;
  run.Parallel({crew}, SustainedEnd(run));
}

Writing Plain(const Run& run, Order order) {
  Writing writing;
  writing.order = order;
  writing.count = Count(run);
  writing.batch_size = run.settings.batch_size;
  writing.options = run.database.write_options();
  return writing;
}

void FillSeq(Run& run) { Write(run, Plain(run, Order::kAscending)); }
void FillRandom(Run& run) { Write(run, Plain(run, Order::kRandom)); }

void FillUniqueRandom(Run& run) {
  Writing writing = Plain(run, Order::kEachOnce);
  const uint64_t threads = static_cast<uint64_t>(run.settings.threads);
  writing.count = (run.settings.num + threads - 1) / threads;
  Write(run, writing);
}

void FillSync(Run& run) {
  Writing writing = Plain(run, Order::kRandom);
  if (run.settings.writes == 0) writing.count = std::max<uint64_t>(run.settings.num / 1000, 1);
  writing.options = run.database.write_options_synced();
  Write(run, writing);
}

void FillBatch(Run& run) {
  Writing writing = Plain(run, Order::kAscending);
  if (writing.batch_size == 1) writing.batch_size = 1000;
  Write(run, writing);
}

// Every key once in random order, in as many flushes as there are to be runs.
void FillRuns(Run& run) {
  const Api& api = run.api;
  const Settings& settings = run.settings;
  const ValueSource values(settings.value_size, settings.compression_ratio, settings.seed);
  const Shuffle shuffle(settings.num, settings.seed);
  Crew crew;
  crew.count = settings.num;
  crew.work = [&](Worker& worker) {
    KeyBuffer key(settings.key_size);
    char* error = nullptr;
    uint64_t place = 0;
    worker.Start(settings.num);
    for (uint64_t i = 1; i <= settings.runs && worker.More(); ++i) {
      for (; place < settings.num * i / settings.runs && worker.More(); ++place) {
        const uint64_t number = shuffle.At(place);
        const std::string_view k = key.Set(number);
        const std::string_view v = values.At(number);
        api.rocksdb_put(run.database.db(), run.database.write_options(), k.data(), k.size(),
                        v.data(), v.size(), &error);
        if (worker.Failed(api, &error)) return;
        worker.Done();
      }
      if (std::string text = run.database.Flush(); !text.empty()) return worker.Fail(text);
    }
  };
  run.Parallel({crew});
}

void DeleteRandom(Run& run) {
  Crew crew;
  crew.threads = run.settings.threads;
  crew.count = run.settings.deletes;
  crew.work = [&run](Worker& worker) {
    KeyBuffer key(run.settings.key_size);
    char* error = nullptr;
    for (worker.Start(run.settings.deletes); worker.More();) {
      const std::string_view k = key.Set(worker.random().Below(run.settings.num));
      run.api.rocksdb_delete(run.database.db(), run.database.write_options(), k.data(), k.size(),
                             &error);
      if (worker.Failed(run.api, &error)) break;
      worker.Done();
    }
  };
  run.Parallel({crew}, SustainedEnd(run));
}

void MergeRandom(Run& run) {
  Crew crew;
  crew.threads = run.settings.threads;
  crew.count = Count(run);
  crew.work = [&run](Worker& worker) {
    KeyBuffer key(run.settings.key_size);
    char* error = nullptr;
    const uint64_t one = 1;
    char operand[sizeof(one)];
    memcpy(operand, &one, sizeof(one));
    for (worker.Start(Count(run)); worker.More();) {
      const std::string_view k = key.Set(worker.random().Below(run.settings.num));
      run.api.rocksdb_merge(run.database.db(), run.database.write_options(), k.data(), k.size(),
                            operand, sizeof(operand), &error);
      if (worker.Failed(run.api, &error)) break;
      worker.Done();
    }
  };
  run.Parallel({crew}, SustainedEnd(run));
}

void DeleteRange(Run& run) {
  const Settings& settings = run.settings;
  const uint64_t width = std::max<uint64_t>(settings.range_tombstone_width, 1);
  const uint64_t count =
      settings.writes != 0 ? settings.writes : std::max<uint64_t>(settings.num / width, 1);
  Crew crew;
  crew.threads = settings.threads;
  crew.count = count;
  crew.work = [&run, width, count](Worker& worker) {
    const Api& api = run.api;
    KeyBuffer begin(run.settings.key_size);
    KeyBuffer end(run.settings.key_size);
    rocksdb_writebatch_t* batch = api.rocksdb_writebatch_create();
    char* error = nullptr;
    for (worker.Start(count); worker.More();) {
      const uint64_t first = worker.random().Below(run.settings.num);
      const std::string_view from = begin.Set(first);
      const std::string_view to = end.Set(first + width);
      api.rocksdb_writebatch_clear(batch);
      api.rocksdb_writebatch_delete_range(batch, from.data(), from.size(), to.data(), to.size());
      api.rocksdb_write(run.database.db(), run.database.write_options(), batch, &error);
      if (worker.Failed(api, &error)) break;
      worker.Done();
    }
    api.rocksdb_writebatch_destroy(batch);
  };
  run.Parallel({crew}, SustainedEnd(run));
}

}  // namespace

std::vector<Workload> WriteWorkloads() {
  using Start = Workload::Start;
  const std::vector<const char*> batch = {"write", "writebatch_create", "writebatch_clear",
                                          "writebatch_put", "writebatch_destroy"};
  return {
      {"fillseq", "every key in ascending order", Start::kFresh, {}, FillSeq},
      {"fillrandom", "num writes to random keys", Start::kFresh, {}, FillRandom},
      {"filluniquerandom", "every key once, in random order", Start::kFresh, {}, FillUniqueRandom},
      {"fillruns",
       "as filluniquerandom, flushed into --runs runs",
       Start::kFresh,
       {"flush"},
       FillRuns},
      {"fillsync",
       "num/1000 synced writes to random keys",
       Start::kFresh,
       {"writeoptions_set_sync"},
       FillSync},
      {"fillbatch", "ascending keys in batches of --batch_size, else 1000", Start::kFresh, batch,
       FillBatch},
      {"overwrite", "num writes to random keys of the database", Start::kOpen, {}, FillRandom},
      {"deleterandom", "deletes random keys", Start::kOpen, {"delete"}, DeleteRandom},
      {"mergerandom",
       "adds 1 to counters at random keys by merge operands",
       Start::kOpen,
       {"merge", "options_set_uint64add_merge_operator"},
       MergeRandom},
      {"deleterange",
       "num/width deletions of --range_tombstone_width keys",
       Start::kOpen,
       {"write", "writebatch_create", "writebatch_clear", "writebatch_delete_range",
        "writebatch_destroy"},
       DeleteRange},
  };
}

}  // namespace bench
