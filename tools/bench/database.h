// Database: one database of one library, with the options that the settings ask for.
//
// Thread safety: Open(), Close(), Destroy() and Settle() from one thread while no other uses it;
// the handles may be used by any number of threads between.

#ifndef SKARN_TOOLS_BENCH_DATABASE_H_
#define SKARN_TOOLS_BENCH_DATABASE_H_

#include <cstdint>
#include <string>

#include "tools/bench/api.h"
#include "tools/bench/settings.h"

namespace bench {

class Database {
 public:
  Database(const Api& api, const Settings& settings, std::string path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Opens the database, making it when it is missing. Each of these returns what went wrong, empty
  // when nothing did.
  std::string Open();
  void Close();
  std::string Destroy();

  // Writes everything in memory to tables.
  std::string Flush();
  // Waits until no flush and no compaction runs or is due. Libraries that cannot tell are given
  // half a second.
  void Settle();

  // As Open(), but with memtables so large that nothing is flushed.
  std::string OpenWithoutFlushes();

  bool is_open() const { return db_ != nullptr; }
  rocksdb_t* db() const { return db_; }
  const std::string& path() const { return path_; }
  const rocksdb_readoptions_t* read_options() const { return read_options_; }
  const rocksdb_writeoptions_t* write_options() const { return write_options_; }
  const rocksdb_writeoptions_t* write_options_synced() const { return write_options_synced_; }

  // The text of the statistics object; empty without one.
  std::string Statistics() const;

 private:
  void MakeOptions();
  std::string OpenWith(rocksdb_options_t* options);

  const Api& api_;
  const Settings& settings_;
  const std::string path_;
  rocksdb_t* db_ = nullptr;
  rocksdb_options_t* options_ = nullptr;
  rocksdb_cache_t* cache_ = nullptr;
  rocksdb_comparator_t* comparator_ = nullptr;
  rocksdb_readoptions_t* read_options_ = nullptr;
  rocksdb_writeoptions_t* write_options_ = nullptr;
  rocksdb_writeoptions_t* write_options_synced_ = nullptr;
};

// The text at `error`, which is released and set to null; empty for none.
std::string TakeError(const Api& api, char** error);

}  // namespace bench

#endif  // SKARN_TOOLS_BENCH_DATABASE_H_
