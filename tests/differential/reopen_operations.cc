// Closing and opening again in many ways, wrong ones too.

#include <sys/stat.h>

#include <algorithm>

#include "operations.h"

namespace differential {

void Reopen(Side& side) {
  side.Close();
  side.Open();
}

void DumpCopy(Side& side, const Config& config, const std::string& directory) {
  const Api& a = side.api;
  std::vector<const char*> names;
  std::vector<std::unique_ptr<Options>> options;
  std::vector<const rocksdb_options_t*> pointers;
  for (const std::string& name : side.family_names) {
    names.push_back(name.c_str());
    options.push_back(std::make_unique<Options>(a, config, config.Family(name), directory));
    pointers.push_back(options.back()->get());
  }
  std::vector<rocksdb_column_family_handle_t*> handles(names.size(), nullptr);
  char* error = nullptr;
  rocksdb_t* db = a.rocksdb_open_column_families(options[0]->get(), directory.c_str(),
                                                 static_cast<int>(names.size()), names.data(),
                                                 pointers.data(), handles.data(), &error);
  side.answer.Error(error, directory);
  if (error != nullptr) {
    a.rocksdb_free(error);
    return;
  }
  for (size_t i = 0; i < names.size(); i++) {
    side.DumpFamily(db, handles[i], config.Family(side.family_names[i]), side.family_names[i]);
    a.rocksdb_column_family_handle_destroy(handles[i]);
  }
  a.rocksdb_close(db);
}

namespace {

void PlainReopen(Side& side, Rng&) {
  side.what = "reopen";
  Reopen(side);
}

// Opens with the given names, says what happened and closes again.
void TryOpen(Side& side, const std::vector<std::string>& names, bool is_read_only) {
  const Api& a = side.api;
  std::vector<const char*> name_pointers;
  std::vector<std::unique_ptr<Options>> options;
  std::vector<const rocksdb_options_t*> pointers;
  for (const std::string& name : names) {
    name_pointers.push_back(name.c_str());
    options.push_back(
        std::make_unique<Options>(a, side.config, side.config.Family(name), side.directory));
    pointers.push_back(options.back()->get());
  }
  std::vector<rocksdb_column_family_handle_t*> handles(names.size(), nullptr);
  char* error = nullptr;
  const int count = static_cast<int>(names.size());
  rocksdb_options_t* database_options = options[0]->get();
  rocksdb_t* db = is_read_only
                      ? a.rocksdb_open_for_read_only_column_families(
                            database_options, side.directory.c_str(), count, name_pointers.data(),
                            pointers.data(), handles.data(), /*error_if_wal_file_exists=*/0, &error)
                      : a.rocksdb_open_column_families(database_options, side.directory.c_str(),
                                                       count, name_pointers.data(), pointers.data(),
                                                       handles.data(), &error);
  if (!side.Ok(error)) return;
  for (size_t i = 0; i < names.size(); i++)
    side.DumpFamily(db, handles[i], side.config.Family(names[i]), names[i]);
  if (is_read_only) {
    rocksdb_writeoptions_t* write = a.rocksdb_writeoptions_create();
    error = nullptr;
    a.rocksdb_put(db, write, "k", 1, "v", 1, &error);
    side.Ok(error);
    error = nullptr;
    a.rocksdb_delete_cf(db, write, handles[0], "k", 1, &error);
    side.Ok(error);
    a.rocksdb_writeoptions_destroy(write);
    rocksdb_flushoptions_t* flush = a.rocksdb_flushoptions_create();
    error = nullptr;
    a.rocksdb_flush(db, flush, &error);
    side.Ok(error);
    a.rocksdb_flushoptions_destroy(flush);
    const rocksdb_snapshot_t* snapshot = a.rocksdb_create_snapshot(db);
    if (snapshot != nullptr) a.rocksdb_release_snapshot(db, snapshot);
    side.answer.Number(a.rocksdb_get_latest_sequence_number(db));
  }
  for (rocksdb_column_family_handle_t* handle : handles)
    a.rocksdb_column_family_handle_destroy(handle);
  a.rocksdb_close(db);
}

void ReadOnly(Side& side, Rng& rng) {
  std::vector<std::string> names = side.family_names;
  if (rng.Percent(40)) {
    const size_t keep = rng.Below(names.size()) + 1;
    // All but the default family may be left out.
    names.resize(keep);
    if (std::find(names.begin(), names.end(), "default") == names.end())
      names.insert(names.begin(), "default");
  }
  side.what = "open " + std::to_string(names.size()) + " families read-only";
  side.Close();
  TryOpen(side, names, /*is_read_only=*/true);
  side.Open();
}

// Opening while it is open, with families missing, with unknown ones, without the default one.
void WrongOpen(Side& side, Rng& rng) {
  const unsigned kind = static_cast<unsigned>(rng.Below(6));
  std::vector<std::string> names = side.family_names;
  side.what = "open wrongly " + std::to_string(kind);
  if (kind == 0) {
    TryOpen(side, names, /*is_read_only=*/false);
    return;
  }
  side.Close();
  const Api& a = side.api;
  char* error = nullptr;
  if (kind == 1) {
    if (names.size() > 1) {
      names.resize(1);
      TryOpen(side, names, /*is_read_only=*/false);
    }
  } else if (kind == 2) {
    names.push_back("nobody");
    TryOpen(side, names, rng.Percent(50));
  } else if (kind == 3) {
    std::erase(names, "default");
    if (!names.empty()) TryOpen(side, names, rng.Percent(50));
  } else if (kind == 4) {
    const Options options(a, side.config, side.config.Family("default"), side.directory);
    a.rocksdb_options_set_error_if_exists(options.get(), 1);
    rocksdb_t* db = a.rocksdb_open(options.get(), side.directory.c_str(), &error);
    if (side.Ok(error)) a.rocksdb_close(db);
  } else {
    FamilyConfig other = side.config.Family("default");
    other.order = other.order == KeyOrder::kReverse ? KeyOrder::kLengthFirst : KeyOrder::kReverse;
    other.prefix = PrefixKind::kNone;
    if (other.index_type == 1) other.index_type = 0;
    if (other.memtable >= 2) other.memtable = 0;
    const Options options(a, side.config, other, side.directory);
    rocksdb_t* db = a.rocksdb_open_for_read_only(options.get(), side.directory.c_str(), 0, &error);
    if (side.Ok(error)) a.rocksdb_close(db);
  }
  side.Open();
}

void ListFamilies(Side& side, Rng&) {
  side.what = "list the families";
  const Options options(side.api, side.config, side.config.Family("default"), side.directory);
  size_t count = 0;
  char* error = nullptr;
  char** names = nullptr;
  // The database is open: the MANIFEST that CURRENT named may be gone when it is opened.
  for (int left = 20; left > 0; left--) {
    side.api.rocksdb_free(error);
    error = nullptr;
    names = side.api.rocksdb_list_column_families(options.get(), side.directory.c_str(), &count,
                                                  &error);
    if (error == nullptr) break;
  }
  if (!side.Ok(error)) return;
  for (size_t i = 0; i < count; i++) side.answer.Bytes(names[i]);
  side.api.rocksdb_list_column_families_destroy(names, count);
}

void OpenNothing(Side& side, Rng& rng) {
  const Api& a = side.api;
  const bool is_read_only = rng.Percent(50);
  side.what = "open a directory that does not exist";
  rocksdb_options_t* options = a.rocksdb_options_create();
  const std::string directory = side.directory + "/nothing/at/all";
  char* error = nullptr;
  rocksdb_t* db = is_read_only ? a.rocksdb_open_for_read_only(options, directory.c_str(), 0, &error)
                               : a.rocksdb_open(options, directory.c_str(), &error);
  if (side.Ok(error)) a.rocksdb_close(db);
  error = nullptr;
  size_t count = 0;
  char** names = a.rocksdb_list_column_families(options, directory.c_str(), &count, &error);
  if (side.Ok(error)) a.rocksdb_list_column_families_destroy(names, count);
  a.rocksdb_options_destroy(options);
}

}  // namespace

const std::vector<Operation>& ReopenOperations() {
  static const std::vector<Operation> operations = {
      {"reopen", 2, PlainReopen},       {"read_only", 1, ReadOnly},
      {"wrong_open", 1, WrongOpen},     {"list_families", 1, ListFamilies},
      {"open_nothing", 1, OpenNothing},
  };
  return operations;
}

}  // namespace differential
