// Write batches: how their bytes grow, save points, and writing them.

#include "operations.h"

namespace differential {
namespace {

void SayBatch(Side& side, rocksdb_writebatch_t* batch) {
  side.answer.Number(static_cast<uint64_t>(side.api.rocksdb_writebatch_count(batch)));
  size_t size = 0;
  const char* data = side.api.rocksdb_writebatch_data(batch, &size);
  side.answer.Bytes({data, size});
}

// Pointers and sizes of some strings, as the functions with many parts want them.
struct Parts {
  explicit Parts(const std::vector<std::string>& strings) {
    for (const std::string& string : strings) {
      pointers.push_back(string.data());
      sizes.push_back(string.size());
    }
  }
  int count() const { return static_cast<int>(pointers.size()); }
  std::vector<const char*> pointers;
  std::vector<size_t> sizes;
};

std::vector<std::string> Split(Rng& rng, const std::string& whole) {
  std::vector<std::string> parts;
  const size_t middle = rng.Below(whole.size() + 1);
  parts.push_back(whole.substr(0, middle));
  parts.push_back(whole.substr(middle));
  if (rng.Percent(20)) parts.push_back("");
  return parts;
}

void AddPut(Side& side, Rng& rng, rocksdb_writebatch_t* batch, Family* family) {
  const Api& a = side.api;
  const std::string key = side.KeyFor(rng, family->config);
  const std::string value = side.Value(rng, family->config);
  if (family->config.order == KeyOrder::kTimestamped) {
    const std::string timestamp = EncodeTimestamp(++side.clock);
    a.rocksdb_writebatch_put_cf_with_ts(batch, family->handle, key.data(), key.size(),
                                        timestamp.data(), timestamp.size(), value.data(),
                                        value.size());
    return;
  }
  const bool is_default = family->name == "default" && rng.Percent(50);
  if (rng.Percent(15)) {
    const std::vector<std::string> keys = Split(rng, key), values = Split(rng, value);
    const Parts k(keys), v(values);
    if (is_default)
      a.rocksdb_writebatch_putv(batch, k.count(), k.pointers.data(), k.sizes.data(), v.count(),
                                v.pointers.data(), v.sizes.data());
    else
      a.rocksdb_writebatch_putv_cf(batch, family->handle, k.count(), k.pointers.data(),
                                   k.sizes.data(), v.count(), v.pointers.data(), v.sizes.data());
  } else if (is_default) {
    a.rocksdb_writebatch_put(batch, key.data(), key.size(), value.data(), value.size());
  } else {
    a.rocksdb_writebatch_put_cf(batch, family->handle, key.data(), key.size(), value.data(),
                                value.size());
  }
}

void AddDelete(Side& side, Rng& rng, rocksdb_writebatch_t* batch, Family* family) {
  const Api& a = side.api;
  const std::string key = side.KeyFor(rng, family->config);
  if (family->config.order == KeyOrder::kTimestamped) {
    const std::string timestamp = EncodeTimestamp(++side.clock);
    a.rocksdb_writebatch_delete_cf_with_ts(batch, family->handle, key.data(), key.size(),
                                           timestamp.data(), timestamp.size());
    return;
  }
  const bool is_default = family->name == "default" && rng.Percent(50);
  if (rng.Percent(15)) {
    const std::vector<std::string> keys = Split(rng, key);
    const Parts k(keys);
    if (is_default)
      a.rocksdb_writebatch_deletev(batch, k.count(), k.pointers.data(), k.sizes.data());
    else
      a.rocksdb_writebatch_deletev_cf(batch, family->handle, k.count(), k.pointers.data(),
                                      k.sizes.data());
  } else if (is_default) {
    a.rocksdb_writebatch_delete(batch, key.data(), key.size());
  } else {
    a.rocksdb_writebatch_delete_cf(batch, family->handle, key.data(), key.size());
  }
}

void AddMerge(Side& side, Rng& rng, rocksdb_writebatch_t* batch, Family* family) {
  const Api& a = side.api;
  // Without an operator the write would poison the database.
  if (family->config.merge == MergeKind::kNone) return AddPut(side, rng, batch, family);
  const std::string key = side.KeyFor(rng, family->config);
  const std::string operand = side.Operand(rng, family->config);
  const bool is_default = family->name == "default" && rng.Percent(50);
  if (rng.Percent(15)) {
    const std::vector<std::string> keys = Split(rng, key), values = Split(rng, operand);
    const Parts k(keys), v(values);
    if (is_default)
      a.rocksdb_writebatch_mergev(batch, k.count(), k.pointers.data(), k.sizes.data(), v.count(),
                                  v.pointers.data(), v.sizes.data());
    else
      a.rocksdb_writebatch_mergev_cf(batch, family->handle, k.count(), k.pointers.data(),
                                     k.sizes.data(), v.count(), v.pointers.data(), v.sizes.data());
  } else if (is_default) {
    a.rocksdb_writebatch_merge(batch, key.data(), key.size(), operand.data(), operand.size());
  } else {
    a.rocksdb_writebatch_merge_cf(batch, family->handle, key.data(), key.size(), operand.data(),
                                  operand.size());
  }
}

void AddDeleteRange(Side& side, Rng& rng, rocksdb_writebatch_t* batch, Family* family) {
  const Api& a = side.api;
  if (family->config.order == KeyOrder::kTimestamped || family->config.forbids_range_deletes)
    return;
  std::string begin = side.RangeKey(rng);
  std::string end = side.RangeKey(rng);
  if (CompareKeys(family->config.order, begin, end) > 0) begin.swap(end);
  const bool is_default = family->name == "default" && rng.Percent(50);
  if (rng.Percent(20)) {
    const std::vector<std::string> begins = Split(rng, begin);
    std::vector<std::string> ends = Split(rng, end);
    ends.resize(begins.size());
    const Parts b(begins), e(ends);
    if (is_default)
      a.rocksdb_writebatch_delete_rangev(batch, b.count(), b.pointers.data(), b.sizes.data(),
                                         e.pointers.data(), e.sizes.data());
    else
      a.rocksdb_writebatch_delete_rangev_cf(batch, family->handle, b.count(), b.pointers.data(),
                                            b.sizes.data(), e.pointers.data(), e.sizes.data());
  } else if (is_default) {
    a.rocksdb_writebatch_delete_range(batch, begin.data(), begin.size(), end.data(), end.size());
  } else {
    a.rocksdb_writebatch_delete_range_cf(batch, family->handle, begin.data(), begin.size(),
                                         end.data(), end.size());
  }
}

struct Seen {
  Answer* answer;
};
void SeenPut(void* state, const char* key, size_t key_size, const char* value, size_t value_size) {
  Answer* answer = static_cast<Seen*>(state)->answer;
  answer->Say("put");
  answer->Bytes({key, key_size});
  answer->Bytes({value, value_size});
}
void SeenDelete(void* state, const char* key, size_t key_size) {
  Answer* answer = static_cast<Seen*>(state)->answer;
  answer->Say("delete");
  answer->Bytes({key, key_size});
}

void AddRandom(Side& side, Rng& rng, rocksdb_writebatch_t* batch, bool delete_ranges) {
  const Api& a = side.api;
  Family* family = side.PickFamily(rng, /*timed_too=*/true);
  const unsigned kind = static_cast<unsigned>(rng.Below(100));
  char* error = nullptr;
  if (kind < 50) {
    AddPut(side, rng, batch, family);
  } else if (kind < 68) {
    AddDelete(side, rng, batch, family);
  } else if (kind < 82) {
    AddMerge(side, rng, batch, family);
  } else if (kind < 86) {
    if (delete_ranges) AddDeleteRange(side, rng, batch, family);
  } else if (kind < 89) {
    const std::string blob = side.Value(rng, family->config);
    a.rocksdb_writebatch_put_log_data(batch, blob.data(), blob.size());
  } else if (kind < 94) {
    a.rocksdb_writebatch_set_save_point(batch);
    side.answer.Say("save");
  } else if (kind < 97) {
    side.answer.Say("roll back");
    a.rocksdb_writebatch_rollback_to_save_point(batch, &error);
    if (side.Ok(error)) SayBatch(side, batch);
  } else if (kind < 99) {
    side.answer.Say("pop");
    a.rocksdb_writebatch_pop_save_point(batch, &error);
    side.Ok(error);
  } else {
    side.answer.Say("clear");
    a.rocksdb_writebatch_clear(batch);
    SayBatch(side, batch);
  }
}

void Batch(Side& side, Rng& rng) {
  const Api& a = side.api;
  rocksdb_writebatch_t* batch = a.rocksdb_writebatch_create();
  const size_t entries = rng.OneIn(40) ? rng.Between(100, 400) : rng.Below(20);
  // A quarter of the batches: with a row cache, one range delete refuses the whole batch.
  const bool delete_ranges = rng.Percent(25);
  side.what = "batch of " + std::to_string(entries);
  for (size_t i = 0; i < entries; i++) AddRandom(side, rng, batch, delete_ranges);
  SayBatch(side, batch);
  if (rng.Percent(10)) {
    Seen seen{&side.answer};
    a.rocksdb_writebatch_iterate(batch, &seen, SeenPut, SeenDelete);
  }
  if (rng.Percent(10)) {
    size_t size = 0;
    const char* data = a.rocksdb_writebatch_data(batch, &size);
    rocksdb_writebatch_t* copy = a.rocksdb_writebatch_create_from(data, size);
    a.rocksdb_writebatch_destroy(batch);
    batch = copy;
    side.what += " rebuilt";
  }

  rocksdb_writeoptions_t* write = NewWriteOptions(side, rng);
  char* error = nullptr;
  a.rocksdb_write(side.db, write, batch, &error);
  side.Ok(error);
  SayBatch(side, batch);  // Its header now holds the sequence it got.
  a.rocksdb_writeoptions_destroy(write);
  a.rocksdb_writebatch_destroy(batch);
  side.answer.Number(a.rocksdb_get_latest_sequence_number(side.db));
}

// Bytes that are no batch: refused when written, harmless otherwise.
void BrokenBatch(Side& side, Rng& rng) {
  const Api& a = side.api;
  rocksdb_writebatch_t* batch = a.rocksdb_writebatch_create();
  AddPut(side, rng, batch, side.PickFamily(rng));
  size_t size = 0;
  const char* data = a.rocksdb_writebatch_data(batch, &size);
  std::string bytes(data, size);
  a.rocksdb_writebatch_destroy(batch);
  // Only what is refused before anything is written: too short for a header.
  bytes.resize(rng.Below(12));
  side.what = "broken batch of " + std::to_string(bytes.size()) + " bytes";
  batch = a.rocksdb_writebatch_create_from(bytes.data(), bytes.size());
  size = 0;
  data = a.rocksdb_writebatch_data(batch, &size);
  side.answer.Bytes({data, size});
  Seen seen{&side.answer};
  a.rocksdb_writebatch_iterate(batch, &seen, SeenPut, SeenDelete);
  a.rocksdb_writebatch_destroy(batch);
}

}  // namespace

const std::vector<Operation>& BatchOperations() {
  static const std::vector<Operation> operations = {
      {"batch", 70, Batch},
      {"broken_batch", 2, BrokenBatch},
  };
  return operations;
}

}  // namespace differential
