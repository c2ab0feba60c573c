#include "side.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace differential {

Side::Side(const Api& the_api, const Config& the_config, std::string the_directory)
    : api(the_api), config(the_config), directory(std::move(the_directory)) {}

Side::~Side() { Close(); }

bool Side::Ok(char* error) {
  if (error == nullptr) return true;
  SayError(error);
  api.rocksdb_free(error);
  return false;
}

bool Side::Open() {
  std::vector<const char*> names;
  std::vector<const rocksdb_options_t*> family_options;
  kept_options.clear();
  for (const std::string& name : family_names) {
    names.push_back(name.c_str());
    kept_options.push_back(std::make_unique<Options>(api, config, config.Family(name), directory));
    family_options.push_back(kept_options.back()->get());
  }
  std::vector<rocksdb_column_family_handle_t*> handles(names.size(), nullptr);
  char* error = nullptr;
  db = api.rocksdb_open_column_families(kept_options[0]->get(), directory.c_str(),
                                        static_cast<int>(names.size()), names.data(),
                                        family_options.data(), handles.data(), &error);
  if (!Ok(error)) {
    db = nullptr;
    return false;
  }
  for (size_t i = 0; i < names.size(); i++) {
    auto family = std::make_unique<Family>();
    family->name = family_names[i];
    family->config = config.Family(family->name);
    family->handle = handles[i];
    for (auto& [name, keys] : kept_single_keys)
      if (name == family->name) family->single_keys = keys;
    families.push_back(std::move(family));
  }
  kept_single_keys.clear();
  answer.Say("opened, sequence");
  answer.Number(api.rocksdb_get_latest_sequence_number(db));
  has_unlogged_writes = false;
  is_poisoned = false;
  return true;
}

void Side::Close() {
  if (db == nullptr) return;
  while (!iterators.empty()) DestroyIterator(iterators.size() - 1);
  for (const rocksdb_snapshot_t* snapshot : snapshots) api.rocksdb_release_snapshot(db, snapshot);
  snapshots.clear();
  kept_single_keys.clear();
  for (const auto& family : families) {
    if (!family->is_dropped) kept_single_keys.emplace_back(family->name, family->single_keys);
    api.rocksdb_column_family_handle_destroy(family->handle);
  }
  families.clear();
  api.rocksdb_close(db);
  db = nullptr;
  kept_options.clear();
}

void Side::DestroyIterator(size_t index) {
  api.rocksdb_iter_destroy(iterators[index]->iterator);
  api.rocksdb_readoptions_destroy(iterators[index]->options);
  iterators.erase(iterators.begin() + static_cast<ptrdiff_t>(index));
}

void Side::DumpFamily(rocksdb_t* database, rocksdb_column_family_handle_t* handle,
                      const FamilyConfig& family_config, const std::string& name) {
  rocksdb_readoptions_t* read = api.rocksdb_readoptions_create();
  api.rocksdb_readoptions_set_total_order_seek(read, 1);
  const std::string latest = EncodeTimestamp(~0ull);
  if (family_config.order == KeyOrder::kTimestamped)
    api.rocksdb_readoptions_set_timestamp(read, latest.data(), latest.size());
  rocksdb_iterator_t* it = api.rocksdb_create_iterator_cf(database, read, handle);

  answer.Bytes(name);
  std::vector<std::string> records;
  for (api.rocksdb_iter_seek_to_first(it); api.rocksdb_iter_valid(it); api.rocksdb_iter_next(it)) {
    size_t key_size, value_size;
    const char* key = api.rocksdb_iter_key(it, &key_size);
    const char* value = api.rocksdb_iter_value(it, &value_size);
    records.push_back(Printable({key, key_size}) + "=" + Printable({value, value_size}));
  }
  char* error = nullptr;
  api.rocksdb_iter_get_error(it, &error);
  Ok(error);

  // Backward must give the same records; only a difference is worth saying. Merges cannot be read
  // backward while they are in a memtable that is updated in place.
  const bool goes_back = !family_config.inplace_update;
  size_t at = goes_back ? records.size() : 0;
  if (goes_back) api.rocksdb_iter_seek_to_last(it);
  for (; goes_back && api.rocksdb_iter_valid(it); api.rocksdb_iter_prev(it)) {
    size_t key_size, value_size;
    const char* key = api.rocksdb_iter_key(it, &key_size);
    const char* value = api.rocksdb_iter_value(it, &value_size);
    const std::string record = Printable({key, key_size}) + "=" + Printable({value, value_size});
    if (at == 0 || records[at - 1] != record) {
      answer.Say("backward differs at " + std::to_string(at) + ": " + record);
      break;
    }
    at--;
  }
  error = nullptr;
  api.rocksdb_iter_get_error(it, &error);
  if (Ok(error) && at != 0) answer.Say("backward ends early at " + std::to_string(at));
  api.rocksdb_iter_destroy(it);
  api.rocksdb_readoptions_destroy(read);

  answer.Number(records.size());
  for (const std::string& record : records) answer.Say(record);
}

void Side::Dump() {
  for (const auto& family : families)
    if (!family->is_dropped) DumpFamily(db, family->handle, family->config, family->name);
}

Family* Side::PickFamily(Rng& rng, bool timed_too) {
  std::vector<Family*> live;
  for (const auto& family : families) {
    if (family->is_dropped) continue;
    if (!timed_too && family->config.order == KeyOrder::kTimestamped) continue;
    live.push_back(family.get());
  }
  return live[rng.Below(live.size())];
}

Family* Side::FindFamily(std::string_view name) {
  for (const auto& family : families)
    if (!family->is_dropped && family->name == name) return family.get();
  return nullptr;
}

size_t Side::LiveFamilies() const {
  return static_cast<size_t>(std::count_if(families.begin(), families.end(),
                                           [](const auto& family) { return !family->is_dropped; }));
}

const rocksdb_snapshot_t* Side::PickSnapshot(Rng& rng) {
  const bool wanted = rng.Percent(30);
  const uint64_t draw = rng.Next();
  if (!wanted || snapshots.empty()) return nullptr;
  return snapshots[draw % snapshots.size()];
}

std::string Side::Key(Rng& rng) const {
  const unsigned kind = static_cast<unsigned>(rng.Below(100));
  if (kind < 75) {
    char key[16];
    snprintf(key, sizeof(key), "k%04u", static_cast<unsigned>(rng.Below(config.key_count)));
    return key;
  }
  std::string key;
  if (kind < 90) {
    constexpr char kAlphabet[] = {'\0', 'a', 'b', '\xff'};
    for (size_t left = rng.Below(5); left > 0; left--) key += rng.Pick(kAlphabet);
  } else if (kind < 97) {
    for (size_t left = rng.Between(1, 10); left > 0; left--) key += "pq";
  } else {
    key.assign(rng.Between(200, 2000), 'L');
    key += std::to_string(rng.Below(5));
  }
  return key;
}

std::string Side::KeyFor(Rng& rng, const FamilyConfig& family) const {
  std::string key = Key(rng), prefix;
  if (family.has_only_prefixed_keys && !PrefixOf(family.prefix, key, &prefix)) key = "dom" + key;
  // Genuine RocksDB stops the process at an empty key with a timestamp.
  if (key.empty() && family.order == KeyOrder::kTimestamped) key = "e";
  return key;
}

std::string Side::RangeKey(Rng& rng) const {
  char key[16];
  snprintf(key, sizeof(key), "k%04u", static_cast<unsigned>(rng.Below(config.key_count + 1)));
  return key;
}

std::string Side::Value(Rng& rng, const FamilyConfig& family) const {
  if (family.merge == MergeKind::kAdd && rng.Percent(85)) {
    const uint64_t number = rng.Below(1000);
    return std::string(reinterpret_cast<const char*>(&number), sizeof(number));
  }
  std::string value = rng.Percent(10) ? kFilterMark : "";
  size_t size = rng.Below(config.value_size_max);
  if (rng.OneIn(60)) size = rng.Between(1000, 5000);
  if (rng.OneIn(500)) size = 40000;
  const uint64_t pattern = rng.Next();
  while (value.size() < size) {
    value += static_cast<char>('a' + (value.size() * pattern >> 60));
    if (value.size() % 7 == 0) value += std::to_string(pattern % 1000);
  }
  return value;
}

std::string Side::Operand(Rng& rng, const FamilyConfig& family) const {
  if (family.merge == MergeKind::kAdd && rng.Percent(95)) {
    const uint64_t number = rng.Below(1000);
    return std::string(reinterpret_cast<const char*>(&number), sizeof(number));
  }
  return "m" + std::to_string(rng.Below(100000));
}

rocksdb_readoptions_t* Side::NewReadOptions(Rng& rng) const {
  rocksdb_readoptions_t* read = api.rocksdb_readoptions_create();
  if (rng.Percent(20)) api.rocksdb_readoptions_set_verify_checksums(read, 0);
  if (rng.Percent(20)) api.rocksdb_readoptions_set_fill_cache(read, 0);
  if (rng.Percent(10)) api.rocksdb_readoptions_set_readahead_size(read, 8192);
  if (rng.Percent(10)) api.rocksdb_readoptions_set_background_purge_on_iterator_cleanup(read, 1);
  return read;
}

void Side::SetTimestamp(Rng& rng, rocksdb_readoptions_t* options, std::string* timestamp) const {
  *timestamp = EncodeTimestamp(rng.Percent(50) ? ~0ull : rng.Between(990, clock + 5));
  api.rocksdb_readoptions_set_timestamp(options, timestamp->data(), timestamp->size());
}

}  // namespace differential
