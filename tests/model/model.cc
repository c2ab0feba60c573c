// Random operations through the C API on the in-memory file system, compared with std::map.
//
// What the differential test cannot ask of two real libraries is asked here: every snapshot and
// iterator is checked against a copy of all there was when it was made, iterators are refreshed,
// and tailing ones must see new writes. Nothing touches a disk, so reopening is cheap and frequent.
//
//   model [FIRST_SEED LAST_SEED [OPERATIONS]]

#include <rocksdb/c.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Content = std::map<std::string, std::string>;
using State = std::map<std::string, Content>;  // By family.

uint64_t seed, operation;

[[noreturn]] void Fail(const std::string& why) {
  printf("seed %llu, operation %llu: %s\n", static_cast<unsigned long long>(seed),
         static_cast<unsigned long long>(operation), why.c_str());
  exit(1);
}
void Check(bool condition, const std::string& why) {
  if (!condition) Fail(why);
}
void Ok(char* error, const char* what) {
  if (error != nullptr) Fail(std::string(what) + ": " + error);
}

class Random {
 public:
  explicit Random(uint64_t start) : state_(start * 0x9e3779b97f4a7c15ull + 1) {}
  uint64_t Below(uint64_t limit) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return (state_ * 0x2545f4914f6cdd1dull >> 16) % limit;
  }
  bool OneIn(uint64_t count) { return Below(count) == 0; }

 private:
  uint64_t state_;
};

void Nothing(void*) {}
char* Join(void*, const char*, size_t, const char* existing, size_t existing_size,
           const char* const* operands, const size_t* sizes, int count, unsigned char* success,
           size_t* size) {
  std::string joined(existing == nullptr ? "" : std::string_view(existing, existing_size));
  for (int i = 0; i < count; i++) {
    if (existing != nullptr || i > 0) joined += '+';
    joined.append(operands[i], sizes[i]);
  }
  *success = 1;
  *size = joined.size();
  char* copy = static_cast<char*>(malloc(joined.size() + 1));
  memcpy(copy, joined.data(), joined.size());
  return copy;
}
char* JoinSome(void* state, const char* key, size_t key_size, const char* const* operands,
               const size_t* sizes, int count, unsigned char* success, size_t* size) {
  return Join(state, key, key_size, nullptr, 0, operands, sizes, count, success, size);
}
void Free(void*, const char* value, size_t) { free(const_cast<char*>(value)); }
const char* JoinName(void*) { return "model.join"; }

struct Iterator {
  rocksdb_iterator_t* it = nullptr;
  rocksdb_readoptions_t* read = nullptr;
  std::string family, lower, upper;
  bool has_lower = false, has_upper = false;
  Content content;  // What it must see, bounds applied.
  Content::const_iterator at;

  void See(const Content& all) {
    content.clear();
    for (const auto& [key, value] : all)
      if ((!has_lower || key >= lower) && (!has_upper || key < upper)) content[key] = value;
    at = content.end();
  }
};

struct Snapshot {
  const rocksdb_snapshot_t* snapshot;
  State state;
};

class Run {
 public:
  explicit Run(uint64_t start)
      : random_(start), env_(rocksdb_create_mem_env()), options_(rocksdb_options_create()) {
    rocksdb_options_set_env(options_, env_);
    rocksdb_options_set_create_if_missing(options_, 1);
    rocksdb_options_set_merge_operator(
        options_, rocksdb_mergeoperator_create(nullptr, Nothing, Join, JoinSome, Free, JoinName));
    rocksdb_options_set_write_buffer_size(options_, random_.OneIn(2) ? 64 << 10 : 4 << 20);
    rocksdb_options_set_target_file_size_base(options_, 16 << 10);
    rocksdb_options_set_max_bytes_for_level_base(options_, 64 << 10);
    rocksdb_options_set_level0_file_num_compaction_trigger(options_,
                                                           static_cast<int>(2 + random_.Below(4)));
    rocksdb_options_set_level_compaction_dynamic_level_bytes(options_, random_.OneIn(2));
    rocksdb_options_set_max_subcompactions(options_, static_cast<uint32_t>(1 + random_.Below(3)));
    rocksdb_options_set_compression(
        options_, random_.OneIn(2) ? rocksdb_lz4_compression : rocksdb_no_compression);
    rocksdb_block_based_table_options_t* table = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_size(table, random_.OneIn(2) ? 256 : 4096);
    if (random_.OneIn(2))
      rocksdb_block_based_options_set_filter_policy(table, rocksdb_filterpolicy_create_bloom(10));
    if (random_.OneIn(3)) rocksdb_block_based_options_set_index_type(table, 2);
    rocksdb_options_set_block_based_table_factory(options_, table);
    rocksdb_block_based_options_destroy(table);
    write_ = rocksdb_writeoptions_create();
    names_ = {"default"};
    state_["default"];
    keys_ = 20 << random_.Below(7);
    Open();
  }

  ~Run() {
    Close();
    rocksdb_writeoptions_destroy(write_);
    rocksdb_options_destroy(options_);
    rocksdb_env_destroy(env_);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  void Step() {
    const uint64_t draw = random_.Below(1000);
    if (draw < 300)
      WriteOne();
    else if (draw < 380)
      WriteBatch();
    else if (draw < 395)
      DeleteRange();
    else if (draw < 600)
      Get();
    else if (draw < 640)
      MultiGet();
    else if (draw < 660)
      NewSnapshot();
    else if (draw < 680)
      ReleaseSnapshot();
    else if (draw < 720)
      NewIterator();
    else if (draw < 935)
      Move();
    else if (draw < 950)
      Refresh();
    else if (draw < 965)
      DestroyIterator();
    else if (draw < 970)
      Tail();
    else if (draw < 980)
      Flush();
    else if (draw < 984)
      Compact();
    else if (draw < 990)
      CreateFamily();
    else if (draw < 992)
      DropFamily();
    else if (draw < 995)
      Reopen();
    else
      ReadAll();
  }

  void ReadAll() {
    for (const std::string& name : names_) {
      Iterator all;
      Make(&all, name, nullptr);
      all.See(state_[name]);
      rocksdb_iter_seek_to_first(all.it);
      for (all.at = all.content.begin(); all.at != all.content.end(); ++all.at) {
        CheckAt(all);
        rocksdb_iter_next(all.it);
      }
      CheckAt(all);
      Destroy(&all);
    }
  }

 private:
  void Open() {
    std::vector<const char*> names;
    for (const std::string& name : names_) names.push_back(name.c_str());
    std::vector<const rocksdb_options_t*> options(names.size(), options_);
    std::vector<rocksdb_column_family_handle_t*> handles(names.size());
    char* error = nullptr;
    db_ = rocksdb_open_column_families(options_, "/model", static_cast<int>(names.size()),
                                       names.data(), options.data(), handles.data(), &error);
    Ok(error, "open");
    for (size_t i = 0; i < names.size(); i++) handles_[names_[i]] = handles[i];
  }

  void Close() {
    for (auto& iterator : iterators_) Destroy(iterator.get());
    iterators_.clear();
    for (Snapshot& snapshot : snapshots_) rocksdb_release_snapshot(db_, snapshot.snapshot);
    snapshots_.clear();
    for (auto& [name, handle] : handles_) rocksdb_column_family_handle_destroy(handle);
    handles_.clear();
    rocksdb_close(db_);
  }

  void Reopen() {
    Close();
    Open();
    ReadAll();
  }

  std::string Key() {
    if (random_.OneIn(20))
      return std::string(random_.Below(3), static_cast<char>(random_.Below(3)));
    return "key" + std::to_string(random_.Below(keys_));
  }
  std::string Value() {
    return std::string(random_.Below(random_.OneIn(50) ? 5000 : 60),
                       static_cast<char>('a' + random_.Below(26)));
  }
  const std::string& Family() { return names_[random_.Below(names_.size())]; }

  static void Merge(Content* content, const std::string& key, const std::string& operand) {
    const auto [it, is_new] = content->try_emplace(key, operand);
    if (!is_new) it->second += "+" + operand;
  }

  void WriteOne() {
    const std::string family = Family(), key = Key(), value = Value();
    Content& content = state_[family];
    rocksdb_column_family_handle_t* handle = handles_[family];
    char* error = nullptr;
    const uint64_t kind = random_.Below(10);
    if (kind < 6) {
      rocksdb_put_cf(db_, write_, handle, key.data(), key.size(), value.data(), value.size(),
                     &error);
      content[key] = value;
    } else if (kind < 8) {
      rocksdb_delete_cf(db_, write_, handle, key.data(), key.size(), &error);
      content.erase(key);
    } else {
      rocksdb_merge_cf(db_, write_, handle, key.data(), key.size(), value.data(), value.size(),
                       &error);
      Merge(&content, key, value);
    }
    Ok(error, "write");
  }

  void WriteBatch() {
    rocksdb_writebatch_t* batch = rocksdb_writebatch_create();
    State after = state_, saved;
    bool has_save_point = false;
    char* error = nullptr;
    for (uint64_t left = random_.Below(30); left > 0; left--) {
      const std::string family = Family(), key = Key(), value = Value();
      rocksdb_column_family_handle_t* handle = handles_[family];
      const uint64_t kind = random_.Below(12);
      if (kind < 6) {
        rocksdb_writebatch_put_cf(batch, handle, key.data(), key.size(), value.data(),
                                  value.size());
        after[family][key] = value;
      } else if (kind < 8) {
        rocksdb_writebatch_delete_cf(batch, handle, key.data(), key.size());
        after[family].erase(key);
      } else if (kind < 10) {
        rocksdb_writebatch_merge_cf(batch, handle, key.data(), key.size(), value.data(),
                                    value.size());
        Merge(&after[family], key, value);
      } else if (kind == 10) {
        rocksdb_writebatch_set_save_point(batch);
        saved = after;
        has_save_point = true;
      } else if (has_save_point) {
        rocksdb_writebatch_rollback_to_save_point(batch, &error);
        Ok(error, "roll back");
        after = saved;
        has_save_point = false;
        break;
      }
    }
    rocksdb_write(db_, write_, batch, &error);
    Ok(error, "write a batch");
    rocksdb_writebatch_destroy(batch);
    state_ = std::move(after);
  }

  void DeleteRange() {
    const std::string family = Family();
    std::string begin = Key(), end = Key();
    if (end < begin) begin.swap(end);
    char* error = nullptr;
    rocksdb_delete_range_cf(db_, write_, handles_[family], begin.data(), begin.size(), end.data(),
                            end.size(), &error);
    Ok(error, "delete a range");
    Content& content = state_[family];
    content.erase(content.lower_bound(begin), content.lower_bound(end));
  }

  // The state to read and read options that see it.
  const State& PickState(rocksdb_readoptions_t* read) {
    if (snapshots_.empty() || random_.OneIn(2)) return state_;
    const Snapshot& snapshot = snapshots_[random_.Below(snapshots_.size())];
    rocksdb_readoptions_set_snapshot(read, snapshot.snapshot);
    return snapshot.state;
  }

  static void CheckValue(const Content& content, const std::string& key, const char* value,
                         size_t size) {
    const auto it = content.find(key);
    if (value == nullptr)
      Check(it == content.end(), "no value for " + key);
    else
      Check(it != content.end() && it->second == std::string_view(value, size),
            "wrong value for " + key);
  }

  static const Content& In(const State& state, const std::string& family) {
    static const Content nothing;
    const auto it = state.find(family);
    return it == state.end() ? nothing : it->second;
  }

  void Get() {
    const std::string family = Family(), key = Key();
    rocksdb_readoptions_t* read = rocksdb_readoptions_create();
    const Content& content = In(PickState(read), family);
    char* error = nullptr;
    size_t size = 0;
    if (random_.OneIn(2)) {
      char* value =
          rocksdb_get_cf(db_, read, handles_[family], key.data(), key.size(), &size, &error);
      Ok(error, "get");
      CheckValue(content, key, value, size);
      rocksdb_free(value);
    } else {
      rocksdb_pinnableslice_t* slice =
          rocksdb_get_pinned_cf(db_, read, handles_[family], key.data(), key.size(), &error);
      Ok(error, "get pinned");
      const char* value = slice == nullptr ? nullptr : rocksdb_pinnableslice_value(slice, &size);
      CheckValue(content, key, value, size);
      rocksdb_pinnableslice_destroy(slice);
    }
    rocksdb_readoptions_destroy(read);
  }

  void MultiGet() {
    const std::string family = Family();
    rocksdb_readoptions_t* read = rocksdb_readoptions_create();
    const Content& content = In(PickState(read), family);
    std::vector<std::string> keys(random_.Below(40));
    std::vector<const char*> pointers;
    std::vector<size_t> sizes;
    for (std::string& key : keys) {
      key = Key();
      pointers.push_back(key.data());
      sizes.push_back(key.size());
    }
    std::vector<rocksdb_pinnableslice_t*> values(keys.size());
    std::vector<char*> errors(keys.size());
    rocksdb_batched_multi_get_cf(db_, read, handles_[family], keys.size(), pointers.data(),
                                 sizes.data(), values.data(), errors.data(), false);
    for (size_t i = 0; i < keys.size(); i++) {
      Ok(errors[i], "multi-get");
      size_t size = 0;
      const char* value =
          values[i] == nullptr ? nullptr : rocksdb_pinnableslice_value(values[i], &size);
      CheckValue(content, keys[i], value, size);
      rocksdb_pinnableslice_destroy(values[i]);
    }
    rocksdb_readoptions_destroy(read);
  }

  void NewSnapshot() {
    if (snapshots_.size() < 4) snapshots_.push_back({rocksdb_create_snapshot(db_), state_});
  }
  void ReleaseSnapshot() {
    if (snapshots_.empty()) return;
    const size_t index = random_.Below(snapshots_.size());
    rocksdb_release_snapshot(db_, snapshots_[index].snapshot);
    snapshots_.erase(snapshots_.begin() + static_cast<ptrdiff_t>(index));
  }

  void Make(Iterator* iterator, const std::string& family, const rocksdb_snapshot_t* snapshot) {
    if (iterator->read == nullptr) iterator->read = rocksdb_readoptions_create();
    rocksdb_readoptions_set_snapshot(iterator->read, snapshot);
    iterator->family = family;
    iterator->it = rocksdb_create_iterator_cf(db_, iterator->read, handles_[family]);
  }
  static void Destroy(Iterator* iterator) {
    rocksdb_iter_destroy(iterator->it);
    rocksdb_readoptions_destroy(iterator->read);
  }

  void NewIterator() {
    if (iterators_.size() >= 6) return;
    auto iterator = std::make_unique<Iterator>();
    iterator->read = rocksdb_readoptions_create();
    iterator->lower = Key();
    iterator->upper = Key();
    if ((iterator->has_lower = random_.OneIn(3)))
      rocksdb_readoptions_set_iterate_lower_bound(iterator->read, iterator->lower.data(),
                                                  iterator->lower.size());
    if ((iterator->has_upper = random_.OneIn(3)))
      rocksdb_readoptions_set_iterate_upper_bound(iterator->read, iterator->upper.data(),
                                                  iterator->upper.size());
    if (random_.OneIn(4)) rocksdb_readoptions_set_pin_data(iterator->read, 1);
    const std::string family = Family();
    if (snapshots_.empty() || random_.OneIn(2)) {
      Make(iterator.get(), family, nullptr);
      iterator->See(state_[family]);
    } else {
      const Snapshot& snapshot = snapshots_[random_.Below(snapshots_.size())];
      Make(iterator.get(), family, snapshot.snapshot);
      iterator->See(In(snapshot.state, family));
    }
    iterators_.push_back(std::move(iterator));
  }

  static void CheckAt(const Iterator& iterator) {
    const bool is_valid = rocksdb_iter_valid(iterator.it) != 0;
    if (!is_valid) {
      char* error = nullptr;
      rocksdb_iter_get_error(iterator.it, &error);
      Ok(error, "iterate");
    }
    Check(is_valid == (iterator.at != iterator.content.end()),
          is_valid ? "the iterator should be at its end" : "the iterator ends early");
    if (!is_valid) return;
    size_t size = 0;
    const char* key = rocksdb_iter_key(iterator.it, &size);
    Check(iterator.at->first == std::string_view(key, size),
          "the iterator is at " + std::string(key, size) + ", not at " + iterator.at->first);
    const char* value = rocksdb_iter_value(iterator.it, &size);
    Check(iterator.at->second == std::string_view(value, size),
          "the iterator has a wrong value for " + iterator.at->first);
  }

  void Move() {
    if (iterators_.empty()) return;
    Iterator& iterator = *iterators_[random_.Below(iterators_.size())];
    const Content& content = iterator.content;
    for (uint64_t left = 1 + random_.Below(10); left > 0; left--) {
      const uint64_t kind = random_.Below(20);
      const std::string key = Key();
      if (kind == 0) {
        rocksdb_iter_seek_to_first(iterator.it);
        iterator.at = content.begin();
      } else if (kind == 1) {
        rocksdb_iter_seek_to_last(iterator.it);
        iterator.at = content.empty() ? content.end() : std::prev(content.end());
      } else if (kind < 4) {
        rocksdb_iter_seek(iterator.it, key.data(), key.size());
        iterator.at = content.lower_bound(key);
      } else if (kind < 6) {
        rocksdb_iter_seek_for_prev(iterator.it, key.data(), key.size());
        iterator.at = content.upper_bound(key);
        iterator.at = iterator.at == content.begin() ? content.end() : std::prev(iterator.at);
      } else if (iterator.at == content.end()) {
        continue;
      } else if (kind < 14) {
        rocksdb_iter_next(iterator.it);
        ++iterator.at;
      } else {
        rocksdb_iter_prev(iterator.it);
        iterator.at = iterator.at == content.begin() ? content.end() : std::prev(iterator.at);
      }
      CheckAt(iterator);
    }
  }

  void Refresh() {
#ifndef MODEL_OF_OLD_RELEASE
    if (iterators_.empty()) return;
    Iterator& iterator = *iterators_[random_.Below(iterators_.size())];
    if (!handles_.contains(iterator.family)) return;
    char* error = nullptr;
    rocksdb_iter_refresh(iterator.it, &error);
    Ok(error, "refresh");
    iterator.See(state_[iterator.family]);
#endif
  }

  void DestroyIterator() {
    if (iterators_.empty()) return;
    const size_t index = random_.Below(iterators_.size());
    Destroy(iterators_[index].get());
    iterators_.erase(iterators_.begin() + static_cast<ptrdiff_t>(index));
  }

  // A tailing iterator must see what is written after it was made, at its next seek.
  void Tail() {
#ifndef MODEL_OF_OLD_RELEASE
    const std::string family = Family();
    Iterator tail;
    tail.read = rocksdb_readoptions_create();
    rocksdb_readoptions_set_tailing(tail.read, 1);
    Make(&tail, family, nullptr);
    for (int round = 0; round < 3; round++) {
      const std::string key = Key();
      char* error = nullptr;
      rocksdb_iter_seek(tail.it, key.data(), key.size());
      rocksdb_iter_get_error(tail.it, &error);
      // Range deletes that have reached tables cannot be tailed over.
      if (error != nullptr) {
        Check(std::string_view(error) ==
                  "Not implemented: Range tombstones unsupported with ForwardIterator",
              error);
        rocksdb_free(error);
        break;
      }
      tail.See(state_[family]);
      tail.at = tail.content.lower_bound(key);
      for (int left = 5; left > 0; left--) {
        CheckAt(tail);
        if (tail.at == tail.content.end()) break;
        rocksdb_iter_next(tail.it);
        ++tail.at;
      }
      WriteOne();
      if (random_.OneIn(4)) Flush();
    }
    Destroy(&tail);
#endif
  }

  void Flush() {
    rocksdb_flushoptions_t* options = rocksdb_flushoptions_create();
    char* error = nullptr;
    rocksdb_flush_cf(db_, options, handles_[Family()], &error);
    Ok(error, "flush");
    rocksdb_flushoptions_destroy(options);
  }

  void Compact() {
    std::string begin = Key(), end = Key();
    if (end < begin) begin.swap(end);
    const bool whole = random_.OneIn(2);
    rocksdb_compact_range_cf(db_, handles_[Family()], whole ? nullptr : begin.data(), begin.size(),
                             whole ? nullptr : end.data(), end.size());
  }

  void CreateFamily() {
    if (names_.size() >= 4) return;
    const std::string name = "family" + std::to_string(families_made_++);
    char* error = nullptr;
    handles_[name] = rocksdb_create_column_family(db_, options_, name.c_str(), &error);
    Ok(error, "create a family");
    names_.push_back(name);
    state_[name];
  }

  // Iterators and snapshots of the family go on.
  void DropFamily() {
    if (names_.size() < 2) return;
    const std::string name = names_.back();
    char* error = nullptr;
    rocksdb_drop_column_family(db_, handles_[name], &error);
    Ok(error, "drop a family");
    rocksdb_column_family_handle_destroy(handles_[name]);
    handles_.erase(name);
    names_.pop_back();
    state_.erase(name);
  }

  Random random_;
  rocksdb_env_t* env_;
  rocksdb_options_t* options_;
  rocksdb_writeoptions_t* write_ = nullptr;
  rocksdb_t* db_ = nullptr;
  std::map<std::string, rocksdb_column_family_handle_t*> handles_;
  std::vector<std::string> names_;
  State state_;
  std::vector<Snapshot> snapshots_;
  std::vector<std::unique_ptr<Iterator>> iterators_;
  uint64_t keys_ = 0;
  int families_made_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const uint64_t first = argc > 2 ? strtoull(argv[1], nullptr, 10) : 1;
  const uint64_t last = argc > 2 ? strtoull(argv[2], nullptr, 10) : 20;
  const uint64_t operations = argc > 3 ? strtoull(argv[3], nullptr, 10) : 4000;
  for (seed = first; seed <= last; seed++) {
    Run run(seed);
    for (operation = 0; operation < operations; operation++) run.Step();
    run.ReadAll();
  }
  printf("%llu operations over %llu seeds agree with the model\n",
         static_cast<unsigned long long>((last - first + 1) * operations),
         static_cast<unsigned long long>(last - first + 1));
  return 0;
}
