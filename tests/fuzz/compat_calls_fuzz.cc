// Sequences of C calls on a database in memory, compared with std::map. Each byte of the input
// chooses the next call or an argument of it.

#include <rocksdb/c.h>

#include <cstring>
#include <list>
#include <map>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz.h"

namespace {

using skarn::FuzzInput;
using skarn::Require;
using skarn::Slice;

using Map = std::map<std::string, std::string>;

class Session {
 public:
  explicit Session(FuzzInput input) : input_(input) {
    env_ = rocksdb_create_mem_env();
    options_ = rocksdb_options_create();
    rocksdb_options_set_env(options_, env_);
    rocksdb_options_set_create_if_missing(options_, 1);
    rocksdb_options_set_create_missing_column_families(options_, 1);
    rocksdb_options_set_info_log_level(options_, 4);
    rocksdb_options_set_uint64add_merge_operator(options_);
    read_ = rocksdb_readoptions_create();
    write_ = rocksdb_writeoptions_create();
    batch_ = rocksdb_writebatch_create();
    Open();
  }
  ~Session() {
    Close();
    rocksdb_writebatch_destroy(batch_);
    rocksdb_writeoptions_destroy(write_);
    rocksdb_readoptions_destroy(read_);
    rocksdb_options_destroy(options_);
    rocksdb_env_destroy(env_);
  }

  void Run() {
    for (int calls = 0; calls < 400 && !input_.empty(); ++calls) Step();
    for (size_t f = 0; f < 2; ++f) CompareAll(f);
  }

 private:
  static constexpr size_t kFamilies = 2;

  void Open() {
    const char* const names[kFamilies] = {"default", "other"};
    const rocksdb_options_t* const options[kFamilies] = {options_, options_};
    char* error = nullptr;
    db_ =
        rocksdb_open_column_families(options_, "/db", kFamilies, names, options, families_, &error);
    Require(error == nullptr && db_ != nullptr);
  }
  void Close() {
    for (Moment& moment : moments_) {
      rocksdb_iter_destroy(moment.iterator);
      rocksdb_release_snapshot(db_, moment.snapshot);
    }
    moments_.clear();
    for (rocksdb_column_family_handle_t* family : families_) {
      rocksdb_column_family_handle_destroy(family);
    }
    rocksdb_close(db_);
  }

  void Step() {
    char* error = nullptr;
    const size_t f = input_.Byte() % kFamilies;
    const uint8_t call = input_.Byte() % 20;
    switch (call) {
      case 0:
      case 1:
      case 2: {
        const Slice key = input_.Bytes(6);
        const Slice value = input_.Bytes(40);
        rocksdb_put_cf(db_, write_, families_[f], key.data(), key.size(), value.data(),
                       value.size(), &error);
        maps_[f][key.ToString()] = value.ToString();
        break;
      }
      case 3: {
        const Slice key = input_.Bytes(6);
        rocksdb_delete_cf(db_, write_, families_[f], key.data(), key.size(), &error);
        maps_[f].erase(key.ToString());
        break;
      }
      case 4: {
        const Slice begin = input_.Bytes(6);
        const Slice end = input_.Bytes(6);
        rocksdb_delete_range_cf(db_, write_, families_[f], begin.data(), begin.size(), end.data(),
                                end.size(), &error);
        if (begin.view() > end.view()) {
          Require(error != nullptr);
        } else {
          Map& map = maps_[f];
          map.erase(map.lower_bound(begin.ToString()), map.lower_bound(end.ToString()));
        }
        rocksdb_free(error);
        error = nullptr;
        break;
      }
      case 5: {
        const Slice key = input_.Bytes(6);
        CompareGet(f, key, read_, maps_[f]);
        break;
      }
      case 6:
        rocksdb_writebatch_put_cf(batch_, families_[f], "batch", 5, "value", 5);
        pending_.emplace_back(f, true);
        break;
      case 7:
        rocksdb_writebatch_delete_cf(batch_, families_[f], "batch", 5);
        pending_.emplace_back(f, false);
        break;
      case 8:
        rocksdb_write(db_, write_, batch_, &error);
        for (const auto& [family, put] : pending_) {
          maps_[family].erase("batch");
          if (put) maps_[family]["batch"] = "value";
        }
        rocksdb_writebatch_clear(batch_);
        pending_.clear();
        break;
      case 9: {
        rocksdb_flushoptions_t* const flush = rocksdb_flushoptions_create();
        rocksdb_flush_cf(db_, flush, families_[f], &error);
        rocksdb_flushoptions_destroy(flush);
        break;
      }
      case 10:
        if (input_.Byte() % 4 == 0) {
          rocksdb_compact_range_cf(db_, families_[f], nullptr, 0, nullptr, 0);
        }
        break;
      case 11:
        if (moments_.size() < 3) {
          const rocksdb_snapshot_t* const snapshot = rocksdb_create_snapshot(db_);
          rocksdb_iterator_t* const iterator = rocksdb_create_iterator_cf(db_, read_, families_[f]);
          moments_.push_back({f, maps_[f], snapshot, iterator, {}});
          moments_.back().at = moments_.back().map.end();
        }
        break;
      case 12:
        if (!moments_.empty()) {
          rocksdb_iter_destroy(moments_.front().iterator);
          rocksdb_release_snapshot(db_, moments_.front().snapshot);
          moments_.pop_front();
        }
        break;
      case 13:
        if (!moments_.empty()) {
          const Moment& moment = moments_.back();
          rocksdb_readoptions_t* const read = rocksdb_readoptions_create();
          rocksdb_readoptions_set_snapshot(read, moment.snapshot);
          CompareGet(moment.family, input_.Bytes(6), read, moment.map);
          rocksdb_readoptions_destroy(read);
        }
        break;
      case 14:
      case 15:
      case 16:
      case 17:
        if (!moments_.empty()) Move(&moments_.back(), call - 14);
        break;
      case 18:
        if (input_.Byte() % 8 == 0) {
          Close();
          Open();
        }
        break;
      default: {
        const Slice text = input_.Bytes(60);
        const std::string copy = text.ToString();
        rocksdb_options_t* const made = rocksdb_options_create();
        rocksdb_get_options_from_string(options_, copy.c_str(), made, &error);
        rocksdb_options_destroy(made);
        rocksdb_free(error);
        error = nullptr;
        char* const property = rocksdb_property_value_cf(db_, families_[f], copy.c_str());
        rocksdb_free(property);
      }
    }
    Require(error == nullptr);
  }

  void CompareGet(size_t f, Slice key, const rocksdb_readoptions_t* read, const Map& map) {
    char* error = nullptr;
    size_t size = 0;
    char* const value =
        rocksdb_get_cf(db_, read, families_[f], key.data(), key.size(), &size, &error);
    Require(error == nullptr);
    const auto expected = map.find(key.ToString());
    Require((value != nullptr) == (expected != map.end()));
    if (value == nullptr) return;
    Require(Slice(value, size) == Slice(expected->second));
    rocksdb_free(value);
  }

  struct Moment {
    size_t family;
    Map map;
    const rocksdb_snapshot_t* snapshot;
    rocksdb_iterator_t* iterator;
    Map::iterator at;  // end(): not valid.
  };
  void Move(Moment* moment, int how) {
    Map& map = moment->map;
    if (how == 0) {
      const Slice key = input_.Bytes(6);
      rocksdb_iter_seek(moment->iterator, key.data(), key.size());
      moment->at = map.lower_bound(key.ToString());
    } else if (how == 1) {
      rocksdb_iter_seek_to_last(moment->iterator);
      moment->at = map.empty() ? map.end() : --map.end();
    } else if (rocksdb_iter_valid(moment->iterator) == 0) {
      return;
    } else if (how == 2) {
      rocksdb_iter_next(moment->iterator);
      ++moment->at;
    } else {
      rocksdb_iter_prev(moment->iterator);
      moment->at = moment->at == map.begin() ? map.end() : --moment->at;
    }
    const bool valid = rocksdb_iter_valid(moment->iterator) != 0;
    Require(valid == (moment->at != map.end()));
    if (!valid) return;
    size_t size = 0;
    const char* bytes = rocksdb_iter_key(moment->iterator, &size);
    Require(Slice(bytes, size) == Slice(moment->at->first));
    bytes = rocksdb_iter_value(moment->iterator, &size);
    Require(Slice(bytes, size) == Slice(moment->at->second));
  }

  void CompareAll(size_t f) {
    rocksdb_iterator_t* const iterator = rocksdb_create_iterator_cf(db_, read_, families_[f]);
    auto expected = maps_[f].begin();
    for (rocksdb_iter_seek_to_first(iterator); rocksdb_iter_valid(iterator) != 0;
         rocksdb_iter_next(iterator)) {
      Require(expected != maps_[f].end());
      size_t size = 0;
      const char* const key = rocksdb_iter_key(iterator, &size);
      Require(Slice(key, size) == Slice(expected->first));
      ++expected;
    }
    Require(expected == maps_[f].end());
    rocksdb_iter_destroy(iterator);
  }

  FuzzInput input_;
  rocksdb_env_t* env_ = nullptr;
  rocksdb_options_t* options_ = nullptr;
  rocksdb_readoptions_t* read_ = nullptr;
  rocksdb_writeoptions_t* write_ = nullptr;
  rocksdb_writebatch_t* batch_ = nullptr;
  rocksdb_t* db_ = nullptr;
  rocksdb_column_family_handle_t* families_[kFamilies] = {};
  Map maps_[kFamilies];
  std::vector<std::pair<size_t, bool>> pending_;  // Of batch_: the family, put or delete.
  std::list<Moment> moments_;                     // A list: `at` points into the map beside it.
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Session(FuzzInput(data, size)).Run();
  return 0;
}
