// Side: one of the two libraries under comparison, with its directory, its open database and every
// handle the run holds on it.
//
// Both sides are always in the same state as far as a user can tell: an operation runs on each with
// the same Rng, so what is picked from a list here is picked there too.
//
// Thread safety: one thread at a time.

#ifndef SKARN_TESTS_DIFFERENTIAL_SIDE_H_
#define SKARN_TESTS_DIFFERENTIAL_SIDE_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "answer.h"
#include "api.h"
#include "config.h"
#include "iterator_model.h"
#include "random.h"

namespace differential {

struct Family {
  std::string name;
  FamilyConfig config;
  rocksdb_column_family_handle_t* handle = nullptr;
  bool is_dropped = false;
  // Keys "s..." with one put that no single delete has met yet.
  std::vector<std::string> single_keys;
};

struct OpenIterator {
  rocksdb_iterator_t* iterator = nullptr;
  rocksdb_readoptions_t* options = nullptr;
  std::string family;
  FamilyConfig config;
  std::string lower_bound;
  std::string upper_bound;
  std::string timestamp;
  // With a prefix extractor and without total order: only keys with the prefix of the last seek
  // are defined.
  bool is_prefix_mode = false;
  std::string prefix;
  // Whether Next() and Prev() are defined where it stands.
  bool is_positioned = false;
  bool may_go_forward = false;
  bool may_go_back = false;
  // Genuine RocksDB 7.8 gives a wrong timestamp after moving back and then forward.
  bool knows_timestamp = true;
  // What it must answer. An iterator of the genuine library that answered otherwise stands
  // elsewhere, and is not moved until it seeks again.
  IteratorModel model;
  bool is_astray = false;
};

class Side {
 public:
  Side(const Api& api, const Config& config, std::string directory);
  ~Side();
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;

  // Opens with every family in `family_names`. False when the library refuses; the answer says why.
  bool Open();
  // Gives back every handle and closes. No-op when closed.
  void Close();

  // Appends the whole content of every family, both ways, to the answer.
  void Dump();
  // The same for a database opened aside of this one.
  void DumpFamily(rocksdb_t* database, rocksdb_column_family_handle_t* handle,
                  const FamilyConfig& family_config, const std::string& name);

  // Takes over an error text: records and frees it. True when there was none.
  bool Ok(char* error);
  void SayError(const char* error) { answer.Error(error, directory); }

  // The live family to work on; families with timestamps only when `timed_too`.
  Family* PickFamily(Rng& rng, bool timed_too = false);
  Family* FindFamily(std::string_view name);
  size_t LiveFamilies() const;
  // Null when there is none, or this draw wants none.
  const rocksdb_snapshot_t* PickSnapshot(Rng& rng);
  void DestroyIterator(size_t index);

  std::string Key(Rng& rng) const;
  // The same, but one that `family` can hold.
  std::string KeyFor(Rng& rng, const FamilyConfig& family) const;
  // A key with an ordinary place in the order, fit for the end of a range delete.
  std::string RangeKey(Rng& rng) const;
  std::string Value(Rng& rng, const FamilyConfig& family) const;
  std::string Operand(Rng& rng, const FamilyConfig& family) const;
  // Read options with what does not change the answer drawn at random. The caller destroys them.
  rocksdb_readoptions_t* NewReadOptions(Rng& rng) const;
  // Sets *timestamp as the options keep a pointer to it.
  void SetTimestamp(Rng& rng, rocksdb_readoptions_t* options, std::string* timestamp) const;

  const Api& api;
  const Config& config;
  std::string directory;
  Answer answer;
  std::string what;  // The operation in words, for traces.

  rocksdb_t* db = nullptr;
  // Names the database holds now, in order of creation; survives Close().
  std::vector<std::string> family_names = {"default"};
  std::vector<std::unique_ptr<Family>> families;
  std::vector<const rocksdb_snapshot_t*> snapshots;
  // The options of an iterator point into its bounds, so it stays where it is.
  std::vector<std::unique_ptr<OpenIterator>> iterators;
  uint64_t clock = 1000;             // The last timestamp written.
  bool has_unlogged_writes = false;  // Since the last open, some with the WAL disabled.
  bool has_foreign_logs = false;     // The other side wrote some of this directory's logs.
  bool is_poisoned = false;          // Writes fail until it is reopened.
  bool poison_differs = false;       // The other side checks such writes before it logs them.
  uint64_t operation = 0;            // The index of the running operation.
  uint64_t iterator_errors = 0;      // Of the genuine library: see OpenIterator::model.
  // Single-delete keys by family, kept over Close().
  std::vector<std::pair<std::string, std::vector<std::string>>> kept_single_keys;

  // Of the open database and of families made since: comparators and filters are used until it is
  // closed.
  std::vector<std::unique_ptr<Options>> kept_options;
};

}  // namespace differential

#endif  // SKARN_TESTS_DIFFERENTIAL_SIDE_H_
