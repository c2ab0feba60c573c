// Single writes, misuse of them, and what poisons a database.

#include "operations.h"

namespace differential {

rocksdb_writeoptions_t* NewWriteOptions(Side& side, Rng& rng) {
  const Api& a = side.api;
  rocksdb_writeoptions_t* write = a.rocksdb_writeoptions_create();
  if (rng.Percent(2)) {
    a.rocksdb_writeoptions_set_sync(write, 1);
    side.what += " sync";
  }
  // Later releases refuse this together with recycled logs. Where logs are kept, they are read
  // (UpdatesSince), and what they lack is a gap whose place depends on when logs are dropped.
  if (rng.Percent(4) && side.config.recycled_wals == 0 && !side.config.keep_wals) {
    a.rocksdb_writeoptions_disable_WAL(write, 1);
    side.has_unlogged_writes = true;
    side.what += " unlogged";
  }
  if (rng.Percent(4)) a.rocksdb_writeoptions_set_no_slowdown(write, 0);
  if (rng.Percent(4)) a.rocksdb_writeoptions_set_low_pri(write, 1);
  // Genuine RocksDB 7.8 loses its way in the skip list with these hints.
  if (rng.Percent(10) && !a.is_oracle)
    a.rocksdb_writeoptions_set_memtable_insert_hint_per_batch(write, 1);
  return write;
}

namespace {

bool IsTimed(const Family& family) { return family.config.order == KeyOrder::kTimestamped; }

void SaySequence(Side& side) {
  side.answer.Number(side.api.rocksdb_get_latest_sequence_number(side.db));
}

void Put(Side& side, Rng& rng) {
  Family* family = side.PickFamily(rng, /*timed_too=*/true);
  const std::string key = side.KeyFor(rng, family->config);
  const std::string value = side.Value(rng, family->config);
  side.what = "put " + family->name + " " + Printable(key) + " " + Printable(value);
  rocksdb_writeoptions_t* write = NewWriteOptions(side, rng);
  char* error = nullptr;
  if (IsTimed(*family)) {
    const std::string timestamp = EncodeTimestamp(++side.clock);
    side.api.rocksdb_put_cf_with_ts(side.db, write, family->handle, key.data(), key.size(),
                                    timestamp.data(), timestamp.size(), value.data(), value.size(),
                                    &error);
  } else if (family->name == "default" && rng.Percent(50)) {
    side.api.rocksdb_put(side.db, write, key.data(), key.size(), value.data(), value.size(),
                         &error);
  } else {
    side.api.rocksdb_put_cf(side.db, write, family->handle, key.data(), key.size(), value.data(),
                            value.size(), &error);
  }
  side.Ok(error);
  side.api.rocksdb_writeoptions_destroy(write);
  SaySequence(side);
}

void Delete(Side& side, Rng& rng) {
  Family* family = side.PickFamily(rng, /*timed_too=*/true);
  const std::string key = side.KeyFor(rng, family->config);
  side.what = "delete " + family->name + " " + Printable(key);
  rocksdb_writeoptions_t* write = NewWriteOptions(side, rng);
  char* error = nullptr;
  if (IsTimed(*family)) {
    const std::string timestamp = EncodeTimestamp(++side.clock);
    side.api.rocksdb_delete_cf_with_ts(side.db, write, family->handle, key.data(), key.size(),
                                       timestamp.data(), timestamp.size(), &error);
  } else if (family->name == "default" && rng.Percent(50)) {
    side.api.rocksdb_delete(side.db, write, key.data(), key.size(), &error);
  } else {
    side.api.rocksdb_delete_cf(side.db, write, family->handle, key.data(), key.size(), &error);
  }
  side.Ok(error);
  side.api.rocksdb_writeoptions_destroy(write);
  SaySequence(side);
}

void Merge(Side& side, Rng& rng) {
  Family* family = side.PickFamily(rng);
  const std::string key = side.KeyFor(rng, family->config);
  const std::string operand = side.Operand(rng, family->config);
  side.what = "merge " + family->name + " " + Printable(key) + " " + Printable(operand);
  rocksdb_writeoptions_t* write = NewWriteOptions(side, rng);
  char* error = nullptr;
  if (family->name == "default" && rng.Percent(50)) {
    side.api.rocksdb_merge(side.db, write, key.data(), key.size(), operand.data(), operand.size(),
                           &error);
  } else {
    side.api.rocksdb_merge_cf(side.db, write, family->handle, key.data(), key.size(),
                              operand.data(), operand.size(), &error);
  }
  side.Ok(error);
  side.api.rocksdb_writeoptions_destroy(write);
  SaySequence(side);
}

// A key is put once and single-deleted at most once, as the contract wants it: anything else has
// no defined answer.
void SingleDelete(Side& side, Rng& rng) {
  Family* family = side.PickFamily(rng);
  const bool wants_put = rng.Percent(60);
  rocksdb_writeoptions_t* write = NewWriteOptions(side, rng);
  char* error = nullptr;
  if (wants_put || family->single_keys.empty()) {
    char key[24];
    const int size =
        snprintf(key, sizeof(key), "s%07llu", static_cast<unsigned long long>(side.operation));
    const std::string value = side.Value(rng, family->config);
    side.what = "put for a single delete " + family->name + " " + key;
    side.api.rocksdb_put_cf(side.db, write, family->handle, key, static_cast<size_t>(size),
                            value.data(), value.size(), &error);
    if (side.Ok(error)) family->single_keys.push_back(key);
  } else {
    const size_t index = rng.Below(family->single_keys.size());
    const std::string key = family->single_keys[index];
    side.what = "single delete " + family->name + " " + key;
    if (family->name == "default" && rng.Percent(50))
      side.api.rocksdb_singledelete(side.db, write, key.data(), key.size(), &error);
    else
      side.api.rocksdb_singledelete_cf(side.db, write, family->handle, key.data(), key.size(),
                                       &error);
    if (side.Ok(error))
      family->single_keys.erase(family->single_keys.begin() + static_cast<ptrdiff_t>(index));
    // A flush may drop both, the numbers with them: where they are the last ones, the number
    // after a reopen would depend on when it was. Not so with one more write.
    error = nullptr;
    side.api.rocksdb_put(side.db, write, "k0000", 5, "after a single delete", 21, &error);
    side.Ok(error);
  }
  side.api.rocksdb_writeoptions_destroy(write);
  SaySequence(side);
}

void DeleteRange(Side& side, Rng& rng) {
  Family* family = side.PickFamily(rng);
  std::string begin = side.RangeKey(rng);
  std::string end = side.RangeKey(rng);
  if (family->config.forbids_range_deletes) return;
  if (CompareKeys(family->config.order, begin, end) > 0) begin.swap(end);
  side.what = "delete range " + family->name + " " + Printable(begin) + " " + Printable(end);
  rocksdb_writeoptions_t* write = NewWriteOptions(side, rng);
  char* error = nullptr;
  side.api.rocksdb_delete_range_cf(side.db, write, family->handle, begin.data(), begin.size(),
                                   end.data(), end.size(), &error);
  side.Ok(error);
  side.api.rocksdb_writeoptions_destroy(write);
  SaySequence(side);
}

// Calls that are refused, or that do nothing.
void Misuse(Side& side, Rng& rng) {
  const Api& a = side.api;
  rocksdb_writeoptions_t* write = a.rocksdb_writeoptions_create();
  rocksdb_readoptions_t* read = a.rocksdb_readoptions_create();
  Family* timed = side.FindFamily("timed");
  Family* plain = side.PickFamily(rng);
  const std::string key = side.KeyFor(rng, plain->config);
  char* error = nullptr;
  const unsigned kind = static_cast<unsigned>(rng.Below(6));
  side.what = "misuse " + std::to_string(kind) + " " + plain->name + " " + Printable(key);
  // With recycled logs later releases refuse a write without a log for that reason first.
  if (kind == 0 && side.config.recycled_wals == 0) {
    a.rocksdb_writeoptions_set_sync(write, 1);
    a.rocksdb_writeoptions_disable_WAL(write, 1);
    a.rocksdb_put_cf(side.db, write, plain->handle, key.data(), key.size(), "v", 1, &error);
  } else if (kind == 1 && timed != nullptr) {
    a.rocksdb_put_cf(side.db, write, timed->handle, key.data(), key.size(), "v", 1, &error);
  } else if (kind == 2 && timed != nullptr) {
    a.rocksdb_delete_range_cf(side.db, write, timed->handle, "a", 1, "b", 1, &error);
  } else if (kind == 3) {
    const std::string timestamp = EncodeTimestamp(side.clock);
    a.rocksdb_put_cf_with_ts(side.db, write, plain->handle, key.data(), key.size(),
                             timestamp.data(), timestamp.size(), "v", 1, &error);
  } else if (kind == 4 && timed != nullptr) {
    size_t size = 0;
    char* value =
        a.rocksdb_get_cf(side.db, read, timed->handle, key.data(), key.size(), &size, &error);
    side.answer.Value(value, size);
    a.rocksdb_free(value);
  } else if (kind == 5) {
    const std::string timestamp = EncodeTimestamp(side.clock);
    a.rocksdb_readoptions_set_timestamp(read, timestamp.data(), timestamp.size());
    size_t size = 0;
    char* value =
        a.rocksdb_get_cf(side.db, read, plain->handle, key.data(), key.size(), &size, &error);
    side.answer.Value(value, size);
    a.rocksdb_free(value);
  }
  side.Ok(error);
  a.rocksdb_writeoptions_destroy(write);
  a.rocksdb_readoptions_destroy(read);
  SaySequence(side);
}

// What genuine RocksDB only notices when it has already written the log: it then refuses every
// further write until it is opened again (docs/abi/differences.md).
void Poison(Side& side, Rng& rng) {
  const unsigned kind = static_cast<unsigned>(rng.Below(2));
  Family* family = side.PickFamily(rng);
  if (!side.config.poisons || side.poison_differs || side.is_poisoned ||
      family->config.forbids_range_deletes)
    return;
  const Api& a = side.api;
  rocksdb_writeoptions_t* write = a.rocksdb_writeoptions_create();
  char* error = nullptr;
  if (kind == 0) {
    const bool is_reverse = CompareKeys(family->config.order, "k1", "k2") > 0;
    side.what = "poison with a range that ends before it begins " + family->name;
    a.rocksdb_delete_range_cf(side.db, write, family->handle, is_reverse ? "k1" : "k2", 2,
                              is_reverse ? "k2" : "k1", 2, &error);
  } else {
    Family* dropped = nullptr;
    for (const auto& candidate : side.families)
      if (candidate->is_dropped) dropped = candidate.get();
    if (dropped == nullptr) {
      a.rocksdb_writeoptions_destroy(write);
      return;
    }
    side.what = "poison with a write to the dropped family " + dropped->name;
    a.rocksdb_put_cf(side.db, write, dropped->handle, "k1", 2, "v", 1, &error);
  }
  side.is_poisoned = !side.Ok(error);
  a.rocksdb_writeoptions_destroy(write);
}

}  // namespace

const std::vector<Operation>& WriteOperations() {
  static const std::vector<Operation> operations = {
      {"put", 220, Put},
      {"delete", 60, Delete},
      {"merge", 90, Merge},
      {"single_delete", 40, SingleDelete},
      {"delete_range", 20, DeleteRange},
      {"misuse", 6, Misuse},
      {"poison", 1, Poison},
  };
  return operations;
}

}  // namespace differential
