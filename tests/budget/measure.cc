// Runs small fixed workloads of one library and has callgrind count the instructions of each.
//
// Usage, by tests/budget/check_budgets.py under valgrind: budget_measure LIBRARY DIRECTORY. Each
// measured part ends with a dump that bears its name, and a line "name operations" on the standard
// output. Nothing depends on a clock or on chance.

#include <valgrind/callgrind.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tools/bench/api.h"
#include "tools/bench/database.h"
#include "tools/bench/key_values.h"
#include "tools/bench/settings.h"

namespace {

using bench::Api;
using bench::Database;
using bench::KeyBuffer;
using bench::Settings;

constexpr uint64_t kKeys = 20000;
constexpr uint64_t kOperations = 10000;
constexpr uint64_t kGroup = 32;
constexpr uint64_t kBatch = 100;

void Check(const std::string& error) {
  if (error.empty()) return;
  fprintf(stderr, "budget_measure: %s\n", error.c_str());
  exit(1);
}

// Counts the instructions of `work`, of all threads.
void Measure(const char* name, uint64_t operations, const std::function<void()>& work) {
  CALLGRIND_ZERO_STATS;
  CALLGRIND_START_INSTRUMENTATION;
  work();
  CALLGRIND_STOP_INSTRUMENTATION;
  CALLGRIND_DUMP_STATS_AT(name);
  printf("%s %llu\n", name, static_cast<unsigned long long>(operations));
}

// Keys made before the measurement, in the order of use.
class Keys {
 public:
  Keys(uint64_t count, const std::function<uint64_t(uint64_t)>& number, const char* suffix = "") {
    KeyBuffer buffer(16);
    for (uint64_t i = 0; i < count; ++i) {
      keys_.emplace_back(std::string(buffer.Set(number(i))) + suffix);
    }
  }
  const std::string& At(uint64_t i) const { return keys_[i]; }
  uint64_t size() const { return keys_.size(); }

 private:
  std::vector<std::string> keys_;
};

// One database with what every part does to it.
class Bed {
 public:
  Bed(const Api& api, const std::string& directory, const std::string& flags)
      : api_(api), values_(100, 0.5, 301), shuffle_(kKeys, 301) {
    std::string error;
    if (!SettingsWith("--bloom_bits=10 --cache_size=100000000 --num=20000 " + flags, &settings_,
                      &error)) {
      Check(error);
    }
    database_ = std::make_unique<Database>(api_, settings_, directory + "/db");
    Check(database_->Destroy());
    Check(database_->Open());
  }
  ~Bed() { Check(database_->Destroy()); }

  Database& database() { return *database_; }

  // Each key once in shuffled order, in `runs` flushes; 0: none.
  void Fill(int runs) {
    KeyBuffer key(16);
    for (uint64_t i = 0; i < kKeys; ++i) {
      const uint64_t number = shuffle_.At(i);
      Put(key.Set(number), number);
      if (runs > 0 && (i + 1) % (kKeys / static_cast<uint64_t>(runs)) == 0) {
        Check(database_->Flush());
      }
    }
  }

  void Compact() { api_.rocksdb_compact_range(db(), nullptr, 0, nullptr, 0); }

  void Put(std::string_view key, uint64_t number) {
    char* error = nullptr;
    const std::string_view value = values_.At(number);
    api_.rocksdb_put(db(), database_->write_options(), key.data(), key.size(), value.data(),
                     value.size(), &error);
    Check(TakeError(api_, &error));
  }

  void PutAll(const Keys& keys) {
    for (uint64_t i = 0; i < keys.size(); ++i) Put(keys.At(i), i);
  }

  void GetAll(const Keys& keys, bool expected) {
    for (uint64_t i = 0; i < keys.size(); ++i) {
      char* error = nullptr;
      size_t size = 0;
      char* value = api_.rocksdb_get(db(), database_->read_options(), keys.At(i).data(),
                                     keys.At(i).size(), &size, &error);
      if ((value != nullptr) != expected || error != nullptr) Check("a wrong answer to a get");
      if (value != nullptr) api_.rocksdb_free(value);
    }
  }

  void MultiGetAll(const Keys& keys) {
    const char* pointers[kGroup];
    size_t sizes[kGroup];
    char* values[kGroup];
    size_t value_sizes[kGroup];
    char* errors[kGroup];
    for (uint64_t i = 0; i + kGroup <= keys.size(); i += kGroup) {
      for (uint64_t j = 0; j < kGroup; ++j) {
        pointers[j] = keys.At(i + j).data();
        sizes[j] = keys.At(i + j).size();
      }
      api_.rocksdb_multi_get(db(), database_->read_options(), kGroup, pointers, sizes, values,
                             value_sizes, errors);
      for (uint64_t j = 0; j < kGroup; ++j) {
        if (values[j] == nullptr) Check("a wrong answer to a multi-get");
        api_.rocksdb_free(values[j]);
      }
    }
  }

  // Steps from one end towards the other, `count` times.
  void Walk(rocksdb_iterator_t* iterator, bool forward, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
      size_t size = 0;
      if (!api_.rocksdb_iter_valid(iterator)) Check("an iterator ended early");
      api_.rocksdb_iter_key(iterator, &size);
      api_.rocksdb_iter_value(iterator, &size);
      forward ? api_.rocksdb_iter_next(iterator) : api_.rocksdb_iter_prev(iterator);
    }
  }

  rocksdb_iterator_t* NewIterator() {
    return api_.rocksdb_create_iterator(db(), database_->read_options());
  }

  void MeasureSteps(const char* name, bool forward) {
    rocksdb_iterator_t* iterator = NewIterator();
    // Once through untold, so that every block has been seen.
    for (const bool told : {false, true}) {
      forward ? api_.rocksdb_iter_seek_to_first(iterator)
              : api_.rocksdb_iter_seek_to_last(iterator);
      const uint64_t count = told ? kOperations : kKeys;
      if (told) {
        Measure(name, count, [&] { Walk(iterator, forward, count); });
      } else {
        Walk(iterator, forward, count);
      }
    }
    api_.rocksdb_iter_destroy(iterator);
  }

  void MeasureSeeks(const char* name, const Keys& keys) {
    rocksdb_iterator_t* iterator = NewIterator();
    const auto all = [&] {
      for (uint64_t i = 0; i < keys.size(); ++i) {
        api_.rocksdb_iter_seek(iterator, keys.At(i).data(), keys.At(i).size());
        if (!api_.rocksdb_iter_valid(iterator)) Check("a seek found nothing");
      }
    };
    all();
    Measure(name, keys.size(), all);
    api_.rocksdb_iter_destroy(iterator);
  }

  void MeasureIterators(const char* name, const Keys& keys) {
    const auto all = [&] {
      for (uint64_t i = 0; i < keys.size(); ++i) {
        rocksdb_iterator_t* iterator = NewIterator();
        api_.rocksdb_iter_seek(iterator, keys.At(i).data(), keys.At(i).size());
        if (!api_.rocksdb_iter_valid(iterator)) Check("a seek found nothing");
        api_.rocksdb_iter_destroy(iterator);
      }
    };
    all();
    Measure(name, keys.size(), all);
  }

  void MeasureBatches(const char* name, const Keys& keys) {
    std::vector<rocksdb_writebatch_t*> batches;
    for (uint64_t i = 0; i < keys.size(); ++i) {
      if (i % kBatch == 0) batches.push_back(api_.rocksdb_writebatch_create());
      const std::string_view value = values_.At(i);
      api_.rocksdb_writebatch_put(batches.back(), keys.At(i).data(), keys.At(i).size(),
                                  value.data(), value.size());
    }
    Measure(name, keys.size(), [&] {
      for (rocksdb_writebatch_t* batch : batches) {
        char* error = nullptr;
        api_.rocksdb_write(db(), database_->write_options(), batch, &error);
        Check(TakeError(api_, &error));
      }
    });
    for (rocksdb_writebatch_t* batch : batches) api_.rocksdb_writebatch_destroy(batch);
  }

 private:
  rocksdb_t* db() { return database_->db(); }

  const Api& api_;
  Settings settings_;
  const bench::ValueSource values_;
  const bench::Shuffle shuffle_;
  std::unique_ptr<Database> database_;
};

void Writing(const Api& api, const std::string& directory, const Keys& random) {
  {
    Bed bed(api, directory, "--disable_wal");
    bed.Fill(0);
    Measure("put_no_wal", random.size(), [&] { bed.PutAll(random); });
  }
  Bed bed(api, directory, "");
  bed.Fill(0);
  Measure("put_wal", random.size(), [&] { bed.PutAll(random); });
  bed.MeasureBatches("batch_100", random);
  bed.GetAll(random, true);
  Measure("get_memtable", random.size(), [&] { bed.GetAll(random, true); });
}

void Reading(const Api& api, const std::string& directory, const Keys& random, const Keys& absent) {
  {
    Bed bed(api, directory, "");
    bed.Fill(1);
    bed.Compact();
    for (int i = 0; i < 2; ++i) bed.GetAll(random, true);
    Measure("get_cached", random.size(), [&] { bed.GetAll(random, true); });
    bed.GetAll(absent, false);
    Measure("get_absent", absent.size(), [&] { bed.GetAll(absent, false); });
    bed.MultiGetAll(random);
    Measure("multi_get_32", random.size() / kGroup * kGroup, [&] { bed.MultiGetAll(random); });
    bed.MeasureSteps("next_one_run", /*forward=*/true);
    bed.MeasureSteps("prev_one_run", /*forward=*/false);
    bed.MeasureSeeks("seek_one_run", random);
    bed.MeasureIterators("iterator_one_run", random);
  }
  Bed bed(api, directory, "--disable_auto_compactions");
  bed.Fill(8);
  bed.MeasureSteps("next_8_runs", /*forward=*/true);
  bed.MeasureSeeks("seek_8_runs", random);
  bed.MeasureIterators("iterator_8_runs", random);
}

void Background(const Api& api, const std::string& directory) {
  for (const std::string codec : {"none", "lz4"}) {
    Bed bed(api, directory, "--disable_auto_compactions --compression_type=" + codec);
    bed.Fill(0);
    Measure(("flush_" + codec).c_str(), kKeys, [&] { Check(bed.database().Flush()); });
    bed.Fill(7);
    Measure(("compaction_" + codec).c_str(), 2 * kKeys, [&] { bed.Compact(); });
  }
  Bed bed(api, directory, "--compression_type=none");
  bed.Fill(0);
  bed.database().Close();
  Measure("recovery", kKeys, [&] { Check(bed.database().Open()); });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: budget_measure LIBRARY DIRECTORY\n");
    return 2;
  }
  Api api;
  std::string error;
  if (!api.Load(argv[1], &error)) Check(error);
  bench::Random random(7);
  const auto any = [&random](uint64_t) { return random.Below(kKeys); };
  const Keys present(kOperations, any);
  const Keys absent(kOperations, any, ".");
  Writing(api, argv[2], present);
  Reading(api, argv[2], present, absent);
  Background(api, argv[2]);
  return 0;
}
