// Point reads, snapshots, properties, and the log of updates.

#include "operations.h"

namespace differential {
namespace {

bool IsTimed(const Family& family) { return family.config.order == KeyOrder::kTimestamped; }

// A family to read from, now and then one that is dropped but whose handle is still held.
Family* PickReadable(Side& side, Rng& rng) {
  const bool wants_dropped = rng.Percent(5);
  Family* family = side.PickFamily(rng, /*timed_too=*/true);
  if (wants_dropped)
    for (const auto& candidate : side.families)
      if (candidate->is_dropped) return candidate.get();
  return family;
}

std::string ReadKey(Side& side, Rng& rng, const Family& family) {
  const bool wants_single = rng.Percent(15);
  const uint64_t draw = rng.Next();
  std::string key = side.KeyFor(rng, family.config);
  if (wants_single && !family.single_keys.empty())
    key = family.single_keys[draw % family.single_keys.size()];
  return key;
}

void Get(Side& side, Rng& rng) {
  const Api& a = side.api;
  Family* family = PickReadable(side, rng);
  const std::string key = ReadKey(side, rng, *family);
  rocksdb_readoptions_t* read = side.NewReadOptions(rng);
  const rocksdb_snapshot_t* snapshot = side.PickSnapshot(rng);
  a.rocksdb_readoptions_set_snapshot(read, snapshot);
  side.what = "get " + family->name + " " + Printable(key) + (snapshot ? " at a snapshot" : "");
  const bool is_default = family->name == "default" && rng.Percent(50);
  char* error = nullptr;
  size_t size = 0;
  if (IsTimed(*family)) {
    std::string timestamp;
    side.SetTimestamp(rng, read, &timestamp);
    char* found_timestamp = nullptr;
    size_t timestamp_size = 0;
    char* value = a.rocksdb_get_cf_with_ts(side.db, read, family->handle, key.data(), key.size(),
                                           &size, &found_timestamp, &timestamp_size, &error);
    side.answer.Value(value, size);
    if (value != nullptr) side.answer.Value(found_timestamp, timestamp_size);
    a.rocksdb_free(value);
    a.rocksdb_free(found_timestamp);
  } else if (rng.Percent(50)) {
    char* value = is_default ? a.rocksdb_get(side.db, read, key.data(), key.size(), &size, &error)
                             : a.rocksdb_get_cf(side.db, read, family->handle, key.data(),
                                                key.size(), &size, &error);
    side.answer.Value(value, size);
    a.rocksdb_free(value);
  } else {
    rocksdb_pinnableslice_t* slice =
        is_default ? a.rocksdb_get_pinned(side.db, read, key.data(), key.size(), &error)
                   : a.rocksdb_get_pinned_cf(side.db, read, family->handle, key.data(), key.size(),
                                             &error);
    const char* value = a.rocksdb_pinnableslice_value(slice, &size);
    side.answer.Value(value, size);
    a.rocksdb_pinnableslice_destroy(slice);
  }
  side.Ok(error);
  a.rocksdb_readoptions_destroy(read);
}

// Keys for one multi-get, some of them twice.
struct KeyList {
  std::vector<std::string> keys;
  std::vector<const char*> pointers;
  std::vector<size_t> sizes;

  void Add(std::string key) { keys.push_back(std::move(key)); }
  void Finish() {
    for (const std::string& key : keys) {
      pointers.push_back(key.data());
      sizes.push_back(key.size());
    }
  }
};

void SayMany(Side& side, std::vector<char*>& values, const std::vector<size_t>& sizes,
             std::vector<char*>& errors) {
  for (size_t i = 0; i < values.size(); i++) {
    side.answer.Value(values[i], sizes[i]);
    side.Ok(errors[i]);
    side.api.rocksdb_free(values[i]);
  }
}

void MultiGet(Side& side, Rng& rng) {
  const Api& a = side.api;
  const size_t count = rng.OneIn(20) ? rng.Between(33, 80) : rng.Below(12);
  const unsigned kind = static_cast<unsigned>(rng.Below(3));
  Family* family = side.PickFamily(rng);
  if (kind == 0) family = side.FindFamily("default");
  rocksdb_readoptions_t* read = side.NewReadOptions(rng);
  a.rocksdb_readoptions_set_snapshot(read, side.PickSnapshot(rng));
  KeyList list;
  std::vector<const rocksdb_column_family_handle_t*> handles;
  for (size_t i = 0; i < count; i++) {
    Family* other = kind != 1 || rng.Percent(60) ? family : side.PickFamily(rng);
    const std::string key = ReadKey(side, rng, *other);
    for (int times = rng.Percent(10) ? 2 : 1; times > 0; times--) {
      list.Add(key);
      handles.push_back(other->handle);
    }
  }
  list.Finish();
  const size_t n = list.keys.size();
  side.what = "multi-get of " + std::to_string(n) + " in " + family->name;
  std::vector<char*> values(n, nullptr), errors(n, nullptr);
  std::vector<size_t> sizes(n, 0);
  if (kind == 0) {
    a.rocksdb_multi_get(side.db, read, n, list.pointers.data(), list.sizes.data(), values.data(),
                        sizes.data(), errors.data());
    SayMany(side, values, sizes, errors);
  } else if (kind == 1) {
    side.what += " and others";
    a.rocksdb_multi_get_cf(side.db, read, handles.data(), n, list.pointers.data(),
                           list.sizes.data(), values.data(), sizes.data(), errors.data());
    SayMany(side, values, sizes, errors);
  } else {
    side.what += ", batched";
    std::vector<rocksdb_pinnableslice_t*> slices(n, nullptr);
    a.rocksdb_batched_multi_get_cf(side.db, read, family->handle, n, list.pointers.data(),
                                   list.sizes.data(), slices.data(), errors.data(),
                                   /*sorted_input=*/false);
    for (size_t i = 0; i < n; i++) {
      size_t size = 0;
      const char* value =
          slices[i] == nullptr ? nullptr : a.rocksdb_pinnableslice_value(slices[i], &size);
      side.answer.Value(value, size);
      side.Ok(errors[i]);
      a.rocksdb_pinnableslice_destroy(slices[i]);
    }
  }
  a.rocksdb_readoptions_destroy(read);
}

void MultiGetTimed(Side& side, Rng& rng) {
  const Api& a = side.api;
  Family* family = side.FindFamily("timed");
  if (family == nullptr) return;
  side.what = "multi-get with timestamps";
  KeyList list;
  const size_t n = rng.Below(8);
  for (size_t i = 0; i < n; i++) list.Add(side.KeyFor(rng, family->config));
  list.Finish();
  rocksdb_readoptions_t* read = side.NewReadOptions(rng);
  std::string timestamp;
  side.SetTimestamp(rng, read, &timestamp);
  side.what += " at " + Printable(timestamp) + " of";
  for (const std::string& key : list.keys) side.what += " " + Printable(key);
  std::vector<const rocksdb_column_family_handle_t*> handles(n, family->handle);
  std::vector<char*> values(n, nullptr), errors(n, nullptr), timestamps(n, nullptr);
  std::vector<size_t> sizes(n, 0), timestamp_sizes(n, 0);
  a.rocksdb_multi_get_cf_with_ts(side.db, read, handles.data(), n, list.pointers.data(),
                                 list.sizes.data(), values.data(), sizes.data(), timestamps.data(),
                                 timestamp_sizes.data(), errors.data());
  for (size_t i = 0; i < n; i++) {
    if (values[i] != nullptr) side.answer.Value(timestamps[i], timestamp_sizes[i]);
    a.rocksdb_free(timestamps[i]);
  }
  SayMany(side, values, sizes, errors);
  a.rocksdb_readoptions_destroy(read);
}

// Whether a key may exist depends on what is in memory; that it must be right does not.
void KeyMayExist(Side& side, Rng& rng) {
  const Api& a = side.api;
  Family* family = side.PickFamily(rng);
  const std::string key = ReadKey(side, rng, *family);
  side.what = "key may exist " + family->name + " " + Printable(key);
  rocksdb_readoptions_t* read = side.NewReadOptions(rng);
  char* value = nullptr;
  size_t size = 0;
  unsigned char has_value = 0;
  const unsigned char may_exist =
      family->name == "default" && rng.Percent(50)
          ? a.rocksdb_key_may_exist(side.db, read, key.data(), key.size(), &value, &size, nullptr,
                                    0, &has_value)
          : a.rocksdb_key_may_exist_cf(side.db, read, family->handle, key.data(), key.size(),
                                       &value, &size, nullptr, 0, &has_value);
  char* error = nullptr;
  size_t real_size = 0;
  char* real =
      a.rocksdb_get_cf(side.db, read, family->handle, key.data(), key.size(), &real_size, &error);
  side.Ok(error);
  if (may_exist == 0 && real != nullptr) side.answer.Say("denied a key that exists");
  // The flag means nothing for a key that is denied. Releases before 9.1 may give a wrong value
  // when part of the answer is not in memory.
  if (may_exist == 0 || a.is_oracle) has_value = 0;
  if (has_value != 0 && real == nullptr) side.answer.Say("gave a value for a missing key");
  if (has_value != 0 && real != nullptr &&
      std::string_view(value, size) != std::string_view(real, real_size))
    side.answer.Say("gave a wrong value");
  if (has_value != 0) a.rocksdb_free(value);
  a.rocksdb_free(real);
  a.rocksdb_readoptions_destroy(read);
}

// A read that may not touch the disk either gives the right answer or says it cannot.
void GetFromCacheOnly(Side& side, Rng& rng) {
  const Api& a = side.api;
  Family* family = side.PickFamily(rng);
  const std::string key = ReadKey(side, rng, *family);
  side.what = "get without I/O " + family->name + " " + Printable(key);
  rocksdb_readoptions_t* read = side.NewReadOptions(rng);
  char* error = nullptr;
  size_t size = 0, real_size = 0;
  a.rocksdb_readoptions_set_read_tier(read, 1);
  char* value =
      a.rocksdb_get_cf(side.db, read, family->handle, key.data(), key.size(), &size, &error);
  const bool is_incomplete = error != nullptr;
  if (is_incomplete) {
    if (!std::string_view(error).starts_with("Result incomplete: ")) side.SayError(error);
    a.rocksdb_free(error);
    error = nullptr;
  }
  a.rocksdb_readoptions_set_read_tier(read, 0);
  char* real =
      a.rocksdb_get_cf(side.db, read, family->handle, key.data(), key.size(), &real_size, &error);
  side.Ok(error);
  side.answer.Value(real, real_size);
  // Releases before 9.1 may give an empty value instead of saying so.
  const bool is_unsure = is_incomplete || a.is_oracle;
  if (!is_unsure &&
      ((value == nullptr) != (real == nullptr) ||
       (value != nullptr && std::string_view(value, size) != std::string_view(real, real_size))))
    side.answer.Say("differs without I/O");
  a.rocksdb_free(value);
  a.rocksdb_free(real);
  a.rocksdb_readoptions_destroy(read);
}

void CreateSnapshot(Side& side, Rng&) {
  if (side.snapshots.size() >= 4) return;
  side.what = "create a snapshot";
  const rocksdb_snapshot_t* snapshot = side.api.rocksdb_create_snapshot(side.db);
  // None is given while a memtable is updated in place.
  side.answer.Say(snapshot == nullptr ? "refused" : "given");
  if (snapshot != nullptr) side.snapshots.push_back(snapshot);
}

void ReleaseSnapshot(Side& side, Rng& rng) {
  const uint64_t draw = rng.Next();
  if (side.snapshots.empty()) return;
  side.what = "release a snapshot";
  const size_t index = draw % side.snapshots.size();
  side.api.rocksdb_release_snapshot(side.db, side.snapshots[index]);
  side.snapshots.erase(side.snapshots.begin() + static_cast<ptrdiff_t>(index));
}

void SayProperty(Side& side, Family* family, const char* name) {
  uint64_t number = 0;
  const int result = side.api.rocksdb_property_int_cf(side.db, family->handle, name, &number);
  side.answer.Say(name);
  side.answer.Say(std::to_string(result));
  side.answer.Number(number);
  char* text = side.api.rocksdb_property_value_cf(side.db, family->handle, name);
  side.answer.Say(text == nullptr ? "NULL" : text);
  side.api.rocksdb_free(text);
}

void Properties(Side& side, Rng& rng) {
  Family* family = side.PickFamily(rng, /*timed_too=*/true);
  side.what = "properties of " + family->name;
  for (const char* name :
       {"rocksdb.num-snapshots", "rocksdb.is-file-deletions-enabled", "rocksdb.background-errors",
        "rocksdb.is-write-stopped", "rocksdb.no-such-property", "not.rocksdb",
        "rocksdb.num-files-at-level99", "rocksdb.num-files-at-levelx", "rocksdb.blob-stats",
        "rocksdb.oldest-snapshot-sequence"})
    SayProperty(side, family, name);
  for (const char* name : {"rocksdb.stats", "rocksdb.levelstats", "rocksdb.sstables",
                           "rocksdb.dbstats", "rocksdb.cfstats"}) {
    uint64_t number = 0;
    side.answer.Say(std::to_string(side.api.rocksdb_property_int(side.db, name, &number)));
    char* text = side.api.rocksdb_property_value_cf(side.db, family->handle, name);
    side.answer.Say(text == nullptr ? "NULL" : "text");
    side.api.rocksdb_free(text);
  }
  // What a memtable holds is the same on both sides while nothing but the run itself flushes.
  const Config& config = side.config;
  const bool flushes_on_demand =
      family->config.write_buffer_size >= (16u << 20) && config.db_write_buffer_size == 0 &&
      config.total_wal_size_max == 0 && !config.atomic_flush && !config.inplace_update &&
      family->config.successive_merges_max == 0;
  if (flushes_on_demand) {
    SayProperty(side, family, "rocksdb.num-entries-active-mem-table");
    if (!family->config.auto_compactions) SayProperty(side, family, "rocksdb.num-files-at-level0");
  }
}

void UpdatesSince(Side& side, Rng& rng) {
  const Api& a = side.api;
  const uint64_t latest = a.rocksdb_get_latest_sequence_number(side.db);
  const uint64_t from = rng.Percent(10) ? latest + rng.Between(1, 5) : rng.Between(1, latest + 1);
  if (!side.config.keep_wals || side.config.recycled_wals != 0) return;
  if (side.config.manual_wal_flush) return;
  // Genuine RocksDB may begin too late where a compressed log without records is among the others.
  if (side.config.wal_compression) return;
  side.what = "updates since " + std::to_string(from) + " of " + std::to_string(latest);
  char* error = nullptr;
  rocksdb_wal_iterator_t* it = a.rocksdb_get_updates_since(side.db, from, nullptr, &error);
  if (!side.Ok(error)) return;
  int left = 20;
  while (a.rocksdb_wal_iter_valid(it) && left > 0) {
    uint64_t sequence = 0;
    rocksdb_writebatch_t* batch = a.rocksdb_wal_iter_get_batch(it, &sequence);
    size_t size = 0;
    const char* data = a.rocksdb_writebatch_data(batch, &size);
    // Every log that Skarn wrote begins with an empty batch, which the other library shows.
    constexpr size_t kEmptyBatch = 12;
    if (size != kEmptyBatch || !side.has_foreign_logs) {
      side.answer.Number(sequence);
      side.answer.Bytes({data, size});
      left--;
    }
    a.rocksdb_writebatch_destroy(batch);
    a.rocksdb_wal_iter_next(it);
  }
  side.answer.Say(left > 0 ? "end" : "more");
  error = nullptr;
  a.rocksdb_wal_iter_status(it, &error);
  side.Ok(error);
  a.rocksdb_wal_iter_destroy(it);
}

}  // namespace

const std::vector<Operation>& ReadOperations() {
  static const std::vector<Operation> operations = {
      {"get", 180, Get},
      {"multi_get", 40, MultiGet},
      {"multi_get_timed", 6, MultiGetTimed},
      {"key_may_exist", 15, KeyMayExist},
      {"get_from_cache", 10, GetFromCacheOnly},
      {"create_snapshot", 12, CreateSnapshot},
      {"release_snapshot", 10, ReleaseSnapshot},
      {"properties", 5, Properties},
      {"updates_since", 4, UpdatesSince},
  };
  return operations;
}

}  // namespace differential
