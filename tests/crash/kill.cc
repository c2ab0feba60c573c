// Kills a process while it writes, and looks at what it left.
//
//   kill [--kills N] [--seconds S] [--seed S]
//
// A child writes numbered batches to three column families through the C API, on real files, while
// it also flushes and compacts; it tells each number through a pipe once the write has returned.
// At a random moment, often during recovery, it gets SIGKILL. Then the directory must open, every
// batch that was told must be there, and the content must be what the first n batches made, for
// one n. Every fourth time genuine RocksDB opens a copy first, recovers it by itself, and must say
// the same. The next child goes on where history ends.
//
// Prints kills, batches and violations; exits 1 when there is one.

#include <fcntl.h>
#include <rocksdb/c.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "core/base/random.h"
#include "tests/crash/genuine.h"

namespace skarn {
namespace {

constexpr int kFamilies = 3;
const char* const kNames[kFamilies] = {"default", "second", "third"};
constexpr int kPipe = 3;  // The child's end.

struct Change {
  enum Kind { kPut, kDelete, kDeleteRange } kind;
  int family;
  std::string key, value;  // Or the end of the range.
};

std::string Key(uint64_t number) { return "key" + std::to_string(1000 + number); }

// What batch `number` does: the same in every process.
std::vector<Change> ChangesOf(uint64_t seed, uint64_t number) {
  Random random(seed * 1000003 + number);
  std::vector<Change> changes;
  for (uint64_t left = 1 + random.Uniform(4); left > 0; --left) {
    Change change{Change::kPut, static_cast<int>(random.Uniform(kFamilies)),
                  Key(random.Uniform(300)), ""};
    const uint64_t draw = random.Uniform(20);
    if (draw == 0) {
      change.kind = Change::kDeleteRange;
      change.value = change.key + "~";
      change.key.pop_back();
    } else if (draw < 4) {
      change.kind = Change::kDelete;
    } else {
      change.value = std::to_string(number) + std::string(random.Uniform(600), 'v');
    }
    changes.push_back(std::move(change));
  }
  for (int family = 0; family < kFamilies; ++family) {
    changes.push_back({Change::kPut, family, kCounterKey, std::to_string(number)});
  }
  return changes;
}

void Apply(uint64_t seed, uint64_t first, uint64_t last, Moment* moment) {
  for (uint64_t number = first; number <= last; ++number) {
    for (const Change& change : ChangesOf(seed, number)) {
      Content& content = (*moment)[kNames[change.family]];
      switch (change.kind) {
        case Change::kPut:
          content[change.key] = change.value;
          break;
        case Change::kDelete:
          content.erase(change.key);
          break;
        case Change::kDeleteRange:
          content.erase(content.lower_bound(change.key), content.lower_bound(change.value));
          break;
      }
    }
  }
}

struct Store {
  rocksdb_t* db = nullptr;
  rocksdb_column_family_handle_t* families[kFamilies] = {};
};

// `variety` chooses options. Returns the error's text, empty when it is open.
std::string Open(const std::string& directory, uint64_t variety, Store* store) {
  rocksdb_options_t* const options = rocksdb_options_create();
  rocksdb_options_set_create_if_missing(options, 1);
  rocksdb_options_set_create_missing_column_families(options, 1);
  rocksdb_options_set_write_buffer_size(options, 64 << 10);
  rocksdb_options_set_target_file_size_base(options, 64 << 10);
  rocksdb_options_set_level0_file_num_compaction_trigger(options, 3);
  rocksdb_options_set_recycle_log_file_num(options, variety % 3 == 1 ? 2 : 0);
  rocksdb_options_set_wal_compression(
      options, variety % 4 == 1 ? rocksdb_zstd_compression : rocksdb_no_compression);
  rocksdb_options_set_atomic_flush(options, variety % 5 == 2);
  // The two do not go together.
  rocksdb_options_set_enable_pipelined_write(options, variety % 7 == 3 && variety % 5 != 2);
  // So that genuine releases from 7 on can read the files.
  rocksdb_block_based_table_options_t* const table = rocksdb_block_based_options_create();
  rocksdb_block_based_options_set_format_version(table, 5);
  rocksdb_options_set_block_based_table_factory(options, table);
  rocksdb_block_based_options_destroy(table);
  const rocksdb_options_t* all[kFamilies] = {options, options, options};
  char* error = nullptr;
  store->db = rocksdb_open_column_families(options, directory.c_str(), kFamilies, kNames, all,
                                           store->families, &error);
  rocksdb_options_destroy(options);
  const std::string text = error == nullptr ? "" : error;
  free(error);
  return text;
}

void Close(Store* store) {
  for (rocksdb_column_family_handle_t* const family : store->families) {
    rocksdb_column_family_handle_destroy(family);
  }
  rocksdb_close(store->db);
}

std::string Read(const Store& store, Moment* moment) {
  rocksdb_readoptions_t* const read = rocksdb_readoptions_create();
  char* error = nullptr;
  for (int family = 0; family < kFamilies; ++family) {
    Content& content = (*moment)[kNames[family]];
    rocksdb_iterator_t* const iterator =
        rocksdb_create_iterator_cf(store.db, read, store.families[family]);
    for (rocksdb_iter_seek_to_first(iterator); rocksdb_iter_valid(iterator);
         rocksdb_iter_next(iterator)) {
      size_t key_size = 0, value_size = 0;
      const char* const key = rocksdb_iter_key(iterator, &key_size);
      const char* const value = rocksdb_iter_value(iterator, &value_size);
      content.emplace(std::string(key, key_size), std::string(value, value_size));
    }
    rocksdb_iter_get_error(iterator, &error);
    rocksdb_iter_destroy(iterator);
    if (error != nullptr) break;
  }
  rocksdb_readoptions_destroy(read);
  const std::string text = error == nullptr ? "" : error;
  free(error);
  return text;
}

// Writes until it is killed.
int Child(const std::string& directory, uint64_t seed, uint64_t next, uint64_t variety) {
  Store store;
  if (const std::string error = Open(directory, variety, &store); !error.empty()) {
    fprintf(stderr, "child: open: %s\n", error.c_str());
    return 3;
  }
  std::thread maintenance([&store, variety] {
    Random random(variety + 1);
    rocksdb_flushoptions_t* const flush = rocksdb_flushoptions_create();
    while (true) {
      usleep(static_cast<useconds_t>(1000 + random.Uniform(20000)));
      char* error = nullptr;
      rocksdb_column_family_handle_t* const family = store.families[random.Uniform(kFamilies)];
      if (random.OneIn(4)) {
        rocksdb_compact_range_cf(store.db, family, nullptr, 0, nullptr, 0);
      } else {
        rocksdb_flush_cf(store.db, flush, family, &error);
      }
      free(error);
    }
  });
  rocksdb_writebatch_t* const batch = rocksdb_writebatch_create();
  rocksdb_writeoptions_t* const plain = rocksdb_writeoptions_create();
  rocksdb_writeoptions_t* const synced = rocksdb_writeoptions_create();
  rocksdb_writeoptions_set_sync(synced, 1);
  for (;; ++next) {
    rocksdb_writebatch_clear(batch);
    for (const Change& change : ChangesOf(seed, next)) {
      rocksdb_column_family_handle_t* const family = store.families[change.family];
      switch (change.kind) {
        case Change::kPut:
          rocksdb_writebatch_put_cf(batch, family, change.key.data(), change.key.size(),
                                    change.value.data(), change.value.size());
          break;
        case Change::kDelete:
          rocksdb_writebatch_delete_cf(batch, family, change.key.data(), change.key.size());
          break;
        case Change::kDeleteRange:
          rocksdb_writebatch_delete_range_cf(batch, family, change.key.data(), change.key.size(),
                                             change.value.data(), change.value.size());
          break;
      }
    }
    char* error = nullptr;
    rocksdb_write(store.db, next % 40 == 0 ? synced : plain, batch, &error);
    if (error != nullptr) {
      fprintf(stderr, "child: write: %s\n", error);
      return 3;
    }
    if (write(kPipe, &next, sizeof(next)) != sizeof(next)) return 4;
  }
}

class Killer {
 public:
  Killer(const char* self, uint64_t seed)
      : self_(self), seed_(seed), random_(seed), genuine_(Genuine::Load()) {}

  uint64_t kills = 0, in_recovery = 0, asked_genuine = 0, violations = 0;
  uint64_t batches() const { return base_; }

  void Once() {
    ++kills;
    const uint64_t variety = random_.Uniform(1000);
    bool opened = false;
    const uint64_t told = RunAndKill(variety, &opened);
    if (!opened) ++in_recovery;
    if (genuine_ != nullptr && kills % 4 == 0) AskGenuine(told);
    Store store;
    if (const std::string error = Open(Directory(), variety, &store); !error.empty()) {
      // Before the first database was complete there is nothing to open, but opening makes it.
      Violation("open: " + error);
      return;
    }
    Moment found;
    const std::string error = Read(store, &found);
    Close(&store);
    if (!error.empty()) {
      Violation("scan: " + error);
      return;
    }
    const uint64_t last = Compare(found, told, "");
    Apply(seed_, base_ + 1, last, &model_);
    base_ = std::max(base_, last);
  }

 private:
  std::string Directory() const { return scratch_.path() + "/db"; }

  void Violation(const std::string& what) {
    ++violations;
    printf("kill %llu of seed %llu: %s\n", static_cast<unsigned long long>(kills),
           static_cast<unsigned long long>(seed_), what.c_str());
  }

  // Returns the last batch that the child told of.
  uint64_t RunAndKill(uint64_t variety, bool* opened) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) abort();
    const pid_t child = fork();
    if (child == 0) {
      if (ends[1] == kPipe) {
        fcntl(kPipe, F_SETFD, 0);
      } else {
        dup2(ends[1], kPipe);
      }
      const std::string numbers[] = {std::to_string(seed_), std::to_string(base_ + 1),
                                     std::to_string(variety)};
      execl(self_, self_, "--child", Directory().c_str(), numbers[0].c_str(), numbers[1].c_str(),
            numbers[2].c_str(), nullptr);
      _exit(5);
    }
    close(ends[1]);
    uint64_t told = base_;
    const auto take = [&] {
      uint64_t number = 0;
      const bool more = read(ends[0], &number, sizeof(number)) == sizeof(number);
      if (more) told = number;
      return more;
    };
    // Every third time at any moment from the start on, else while it writes.
    if (!random_.OneIn(3)) *opened = take();
    // The pipe is emptied meanwhile, or the child would wait.
    std::thread reader;
    if (*opened) {
      reader = std::thread([&] {
        while (take()) {
        }
      });
    }
    usleep(static_cast<useconds_t>(random_.Uniform(*opened ? 150000 : 20000)));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    if (reader.joinable()) {
      reader.join();
    } else {
      while (take()) *opened = true;
    }
    close(ends[0]);
    if (!WIFSIGNALED(status)) Violation(Concat("the child ended by itself, status ", status));
    return told;
  }

  // Returns the number of batches in `found`.
  uint64_t Compare(const Moment& found, uint64_t told, const char* who) {
    uint64_t counts[kFamilies];
    for (int family = 0; family < kFamilies; ++family) {
      const auto content = found.find(kNames[family]);
      const bool has = content != found.end() && content->second.count(kCounterKey) != 0;
      counts[family] = has ? strtoull(content->second.at(kCounterKey).c_str(), nullptr, 10) : 0;
      if (counts[family] != counts[0]) {
        Violation(Concat(who, "families end at batches ", counts[0], " and ", counts[family]));
      }
    }
    if (counts[0] < told) {
      Violation(Concat(who, "batch ", told, " was told, history ends at ", counts[0]));
      return std::max(counts[0], base_);
    }
    Moment expected = model_;
    Apply(seed_, base_ + 1, counts[0], &expected);
    for (int family = 0; family < kFamilies; ++family) {
      const auto content = found.find(kNames[family]);
      if ((content == found.end() ? Content() : content->second) != expected[kNames[family]]) {
        Violation(Concat(who, "family ", kNames[family], " is not what the first ", counts[0],
                         " batches made"));
      }
    }
    return counts[0];
  }

  void AskGenuine(uint64_t told) {
    const std::string copy = scratch_.path() + "/copy";
    std::error_code error;
    std::filesystem::remove_all(copy, error);
    std::filesystem::copy(Directory(), copy, error);
    if (error || !std::filesystem::exists(copy + "/CURRENT")) return;  // It was never open.
    ++asked_genuine;
    Moment found;
    if (Status s = genuine_->Read(copy, &found); !s.ok()) {
      Violation("genuine RocksDB: " + s.ToString());
      return;
    }
    (void)Compare(found, told, "genuine RocksDB: ");
  }

  const char* const self_;
  const uint64_t seed_;
  Random random_;
  const std::unique_ptr<Genuine> genuine_;
  const ScratchDirectory scratch_;
  uint64_t base_ = 0;  // Batches that were found last time: model_ holds them.
  Moment model_;
};

}  // namespace
}  // namespace skarn

int main(int argc, char** argv) {
  if (argc == 6 && strcmp(argv[1], "--child") == 0) {
    return skarn::Child(argv[2], strtoull(argv[3], nullptr, 10), strtoull(argv[4], nullptr, 10),
                        strtoull(argv[5], nullptr, 10));
  }
  uint64_t kills = 50, seconds = 30, seed = 1;
  for (int i = 1; i < argc; i += 2) {
    const char* const value = i + 1 < argc ? argv[i + 1] : "";
    if (strcmp(argv[i], "--kills") == 0) {
      kills = strtoull(value, nullptr, 10);
    } else if (strcmp(argv[i], "--seconds") == 0) {
      seconds = strtoull(value, nullptr, 10);
    } else if (strcmp(argv[i], "--seed") == 0) {
      seed = strtoull(value, nullptr, 10);
    } else {
      fprintf(stderr, "usage: kill [--kills N] [--seconds S] [--seed S]\n");
      return 2;
    }
  }
  signal(SIGPIPE, SIG_IGN);
  printf("seed %llu\n", static_cast<unsigned long long>(seed));
  skarn::Killer killer("/proc/self/exe", seed);
  const time_t end = time(nullptr) + static_cast<time_t>(seconds);
  while (killer.kills < kills && time(nullptr) < end) killer.Once();
  printf(
      "%llu kills (%llu before the database was open, %llu also read by genuine RocksDB), %llu "
      "batches, %llu violations\n",
      static_cast<unsigned long long>(killer.kills),
      static_cast<unsigned long long>(killer.in_recovery),
      static_cast<unsigned long long>(killer.asked_genuine),
      static_cast<unsigned long long>(killer.batches()),
      static_cast<unsigned long long>(killer.violations));
  return killer.violations == 0 ? 0 : 1;
}
