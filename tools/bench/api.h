// Api: the C functions of one library, loaded by its path so that the same program can measure any
// number of them.
//
// A library that has the functions under the prefix "leveldb_" is taken too: where the names agree
// the signatures do, and what it lacks is left out. LevelDB sets the cache, the filter and the
// block size on the options themselves; those three functions are here under its own names.
//
// Thread safety: immutable after Load().

#ifndef SKARN_TOOLS_BENCH_API_H_
#define SKARN_TOOLS_BENCH_API_H_

#include <rocksdb/c.h>

#include <string>
#include <string_view>
#include <vector>

namespace bench {

struct Api {
  // Members are named as the functions are, with "rocksdb_" before; null when the library lacks
  // one.
#define NEEDED(name) decltype(&::rocksdb_##name) rocksdb_##name = nullptr;
#define WANTED(name) NEEDED(name)
#include "tools/bench/functions.inc"
#undef WANTED
#undef NEEDED

  void (*leveldb_options_set_cache)(rocksdb_options_t*, rocksdb_cache_t*) = nullptr;
  void (*leveldb_options_set_filter_policy)(rocksdb_options_t*, rocksdb_filterpolicy_t*) = nullptr;
  void (*leveldb_options_set_block_size)(rocksdb_options_t*, size_t) = nullptr;
  rocksdb_filterpolicy_t* (*leveldb_filterpolicy_create_bloom)(int) = nullptr;

  bool is_leveldb = false;

  // Loads the library at `path` without showing its symbols to others. Returns false, with the
  // reason in *error, when that fails or a function is missing without which nothing works.
  bool Load(const std::string& path, std::string* error);

  // The names (without prefix) in `functions` that the library lacks, separated by spaces.
  std::string Lacks(const std::vector<const char*>& functions) const;

 private:
  bool Has(std::string_view function) const;
};

}  // namespace bench

#endif  // SKARN_TOOLS_BENCH_API_H_
