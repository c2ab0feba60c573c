// Opens copies of database directories that genuine RocksDB wrote (README.md in this folder),
// compares their whole content with what that RocksDB read back itself, writes on, and has the
// genuine `ldb` read the result.
//
// Uses nothing but rocksdb/c.h: built against Skarn it is the test, built against the genuine
// library it is the proof that the test is right.
//
//   golden ROOT/rocksdb-X.Y.Z SCRATCH [--ldb PROGRAM] [CASE...]

#include <rocksdb/c.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;

// What cannot be opened yet must be refused with a reason, and never be misread: opening such a
// directory either gives the right content or an error.
const std::set<std::string> kMayBeRefused = {"blob", "cuckoo-table", "plain-table",
                                             "two-phase-prepared"};

using Content = std::map<std::string, std::string>;  // Key to value.
using Families = std::map<std::string, Content>;     // Family name to content.
using Expected = std::map<std::string, std::vector<std::pair<std::string, std::string>>>;

[[noreturn]] void Fail(const std::string& why) {
  printf("    %s\n", why.c_str());
  fflush(stdout);
  _exit(1);
}

void Check(bool condition, const std::string& why) {
  if (!condition) Fail(why);
}

// Ends the case when a call failed.
void Ok(char* error, const char* what) {
  if (error != nullptr) Fail(std::string(what) + ": " + error);
}

std::string Hex(std::string_view bytes) {
  std::string text;
  char digits[3];
  for (unsigned char byte : bytes) {
    snprintf(digits, sizeof(digits), "%02x", byte);
    text += digits;
  }
  return text;
}

// As expected.tsv writes keys and values: FNV-1a with an offset basis of its own.
std::string Token(std::string_view bytes) {
  if (bytes.size() <= 64) return Hex(bytes);
  uint64_t hash = 1469598103934665603ull;
  for (unsigned char byte : bytes) hash = (hash ^ byte) * 0x100000001b3ull;
  char text[48];
  snprintf(text, sizeof(text), "#%zu:%016llx", bytes.size(), static_cast<unsigned long long>(hash));
  return text;
}

Expected ReadExpected(const fs::path& file) {
  Expected expected;
  std::ifstream in(file);
  Check(in.good(), "cannot read " + file.string());
  for (std::string line; std::getline(in, line);) {
    const size_t first = line.find('\t'), second = line.find('\t', first + 1);
    Check(second != std::string::npos, "bad line in expected.tsv: " + line);
    expected[line.substr(0, first)].emplace_back(line.substr(first + 1, second - first - 1),
                                                 line.substr(second + 1));
  }
  return expected;
}

// The merge operator of the golden directories: operands joined by commas.
char* JoinOperands(void*, const char*, size_t, const char* existing, size_t existing_size,
                   const char* const* operands, const size_t* sizes, int count,
                   unsigned char* success, size_t* new_size) {
  std::string joined;
  if (existing != nullptr) joined.assign(existing, existing_size);
  for (int i = 0; i < count; i++) {
    if (existing != nullptr || i > 0) joined += ',';
    joined.append(operands[i], sizes[i]);
  }
  char* copy = static_cast<char*>(malloc(joined.size() + 1));
  memcpy(copy, joined.data(), joined.size());
  *new_size = joined.size();
  *success = 1;
  return copy;
}
char* JoinPartial(void* state, const char* key, size_t key_size, const char* const* operands,
                  const size_t* sizes, int count, unsigned char* success, size_t* new_size) {
  return JoinOperands(state, key, key_size, nullptr, 0, operands, sizes, count, success, new_size);
}
void FreeJoined(void*, const char* value, size_t) { free(const_cast<char*>(value)); }
const char* JoinName(void*) { return "golden.cat"; }
void Nothing(void*) {}

void AddOperator(rocksdb_options_t* options) {
  rocksdb_options_set_merge_operator(
      options, rocksdb_mergeoperator_create(nullptr, Nothing, JoinOperands, JoinPartial, FreeJoined,
                                            JoinName));
}

class Database {
 public:
  // `from_file`: with the options of the OPTIONS file; otherwise with the defaults.
  Database(std::string directory, bool from_file) : directory_(std::move(directory)) {
    char* error = nullptr;
    if (from_file) {
      rocksdb_env_t* env = rocksdb_create_default_env();
      rocksdb_cache_t* cache = rocksdb_cache_create_lru(8 << 20);
      rocksdb_load_latest_options(directory_.c_str(), env, /*ignore_unknown_options=*/true, cache,
                                  &loaded_, &loaded_count_, &loaded_names_, &loaded_families_,
                                  &error);
      Ok(error, "load the options");
      rocksdb_cache_destroy(cache);
      rocksdb_env_destroy(env);
      for (size_t i = 0; i < loaded_count_; i++) {
        names_.push_back(loaded_names_[i]);
        options_.push_back(loaded_families_[i]);
      }
    } else {
      own_ = rocksdb_options_create();
      size_t count = 0;
      char** names = rocksdb_list_column_families(own_, directory_.c_str(), &count, &error);
      Ok(error, "list the families");
      for (size_t i = 0; i < count; i++) {
        names_.push_back(names[i]);
        options_.push_back(own_);
      }
      rocksdb_list_column_families_destroy(names, count);
    }
    if (own_ != nullptr) AddOperator(own_);
    for (size_t i = 0; i < loaded_count_; i++) AddOperator(loaded_families_[i]);
    read_ = rocksdb_readoptions_create();
    rocksdb_readoptions_set_total_order_seek(read_, 1);
    write_ = rocksdb_writeoptions_create();
  }

  ~Database() {
    Close();
    rocksdb_readoptions_destroy(read_);
    rocksdb_writeoptions_destroy(write_);
    if (own_ != nullptr) rocksdb_options_destroy(own_);
    if (loaded_ != nullptr)
      rocksdb_load_latest_options_destroy(loaded_, loaded_names_, loaded_families_, loaded_count_);
  }

  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // The reason why it cannot be opened, or nothing.
  std::string Open(bool read_only = false) {
    std::vector<const char*> names;
    for (const std::string& name : names_) names.push_back(name.c_str());
    handles_.assign(names.size(), nullptr);
    char* error = nullptr;
    const rocksdb_options_t* options = loaded_ != nullptr ? loaded_ : own_;
    const int count = static_cast<int>(names.size());
    db_ = read_only ? rocksdb_open_for_read_only_column_families(options, directory_.c_str(), count,
                                                                 names.data(), options_.data(),
                                                                 handles_.data(), 0, &error)
                    : rocksdb_open_column_families(options, directory_.c_str(), count, names.data(),
                                                   options_.data(), handles_.data(), &error);
    if (error == nullptr) return "";
    const std::string reason = error;
    Check(!reason.empty(), "refused without a reason");
    rocksdb_free(error);
    db_ = nullptr;
    return reason;
  }

  void Close() {
    if (db_ == nullptr) return;
    for (rocksdb_column_family_handle_t* handle : handles_)
      rocksdb_column_family_handle_destroy(handle);
    rocksdb_close(db_);
    db_ = nullptr;
  }

  const std::vector<std::string>& names() const { return names_; }

  // The whole content, read forward; Fail() when reading backward or getting keys disagrees.
  // A failed read is the caller's to judge when `reason` is given.
  Families ReadAll(std::string* reason = nullptr) {
    Families families;
    for (size_t i = 0; i < names_.size(); i++) {
      Content& content = families[names_[i]];
      std::vector<std::string> order;
      rocksdb_iterator_t* it = rocksdb_create_iterator_cf(db_, read_, handles_[i]);
      for (rocksdb_iter_seek_to_first(it); rocksdb_iter_valid(it); rocksdb_iter_next(it)) {
        order.push_back(KeyOf(it));
        content[order.back()] = ValueOf(it);
      }
      if (!Ended(it, reason)) {
        rocksdb_iter_destroy(it);
        return families;
      }
      Check(content.size() == order.size(), "a key comes twice in " + names_[i]);
      size_t left = order.size();
      for (rocksdb_iter_seek_to_last(it); rocksdb_iter_valid(it); rocksdb_iter_prev(it)) {
        Check(left > 0, "backward gives more keys in " + names_[i]);
        left--;
        Check(KeyOf(it) == order[left], "backward: key " + Hex(KeyOf(it)) + " instead of " +
                                            Hex(order[left]) + " in " + names_[i]);
        Check(ValueOf(it) == content[order[left]], "backward: value of " + Hex(order[left]));
      }
      if (!Ended(it, reason)) {
        rocksdb_iter_destroy(it);
        return families;
      }
      Check(left == 0, "backward ends early in " + names_[i]);
      rocksdb_iter_destroy(it);
      GetAll(i, order, content);
    }
    return families;
  }

  // Writes of every kind on top of what is there; `families` follows them.
  void WriteOn(Families* families) {
    for (size_t i = 0; i < names_.size(); i++) {
      Content& content = (*families)[names_[i]];
      rocksdb_writebatch_t* batch = rocksdb_writebatch_create();
      std::vector<std::string> keys;
      for (const auto& [key, value] : content) keys.push_back(key);
      for (size_t k = 0; k < keys.size(); k += 7) {
        rocksdb_writebatch_delete_cf(batch, handles_[i], keys[k].data(), keys[k].size());
        content.erase(keys[k]);
      }
      for (size_t k = 3; k < keys.size(); k += 7) {
        rocksdb_writebatch_merge_cf(batch, handles_[i], keys[k].data(), keys[k].size(), "more", 4);
        content[keys[k]] += ",more";
      }
      if (keys.size() > 20) {
        const std::string &begin = keys[keys.size() / 2], &end = keys[keys.size() / 2 + 9];
        rocksdb_writebatch_delete_range_cf(batch, handles_[i], begin.data(), begin.size(),
                                           end.data(), end.size());
        content.erase(content.lower_bound(begin), content.lower_bound(end));
      }
      for (int n = 0; n < 60; n++) {
        const std::string key = "later-" + std::to_string(1000 + n);
        const std::string value(static_cast<size_t>(n * 17), static_cast<char>('a' + n % 26));
        rocksdb_writebatch_put_cf(batch, handles_[i], key.data(), key.size(), value.data(),
                                  value.size());
        content[key] = value;
      }
      char* error = nullptr;
      rocksdb_write(db_, write_, batch, &error);
      Ok(error, "write");
      rocksdb_writebatch_destroy(batch);
    }
  }

  void CompactAll() {
    for (rocksdb_column_family_handle_t* handle : handles_)
      rocksdb_compact_range_cf(db_, handle, nullptr, 0, nullptr, 0);
  }

 private:
  static std::string KeyOf(rocksdb_iterator_t* it) {
    size_t size = 0;
    const char* key = rocksdb_iter_key(it, &size);
    return {key, size};
  }
  static std::string ValueOf(rocksdb_iterator_t* it) {
    size_t size = 0;
    const char* value = rocksdb_iter_value(it, &size);
    return {value, size};
  }
  static bool Ended(rocksdb_iterator_t* it, std::string* reason) {
    char* error = nullptr;
    rocksdb_iter_get_error(it, &error);
    if (error == nullptr) return true;
    if (reason == nullptr) Fail(std::string("iterate: ") + error);
    *reason = error;
    rocksdb_free(error);
    return false;
  }

  // Every key by multi-get, with one that is missing in between.
  void GetAll(size_t family, const std::vector<std::string>& keys, Content& content) {
    std::vector<const char*> pointers = {"no such key"};
    std::vector<size_t> sizes = {11};
    for (const std::string& key : keys) {
      pointers.push_back(key.data());
      sizes.push_back(key.size());
    }
    const size_t count = pointers.size();
    std::vector<const rocksdb_column_family_handle_t*> handles(count, handles_[family]);
    std::vector<char*> values(count, nullptr), errors(count, nullptr);
    std::vector<size_t> value_sizes(count, 0);
    rocksdb_multi_get_cf(db_, read_, handles.data(), count, pointers.data(), sizes.data(),
                         values.data(), value_sizes.data(), errors.data());
    Check(values[0] == nullptr && errors[0] == nullptr, "multi-get finds a missing key");
    for (size_t i = 1; i < count; i++) {
      Ok(errors[i], "multi-get");
      Check(values[i] != nullptr, "multi-get misses " + Hex(keys[i - 1]));
      Check(std::string(values[i], value_sizes[i]) == content[keys[i - 1]],
            "multi-get: value of " + Hex(keys[i - 1]));
      rocksdb_free(values[i]);
    }
  }

  std::string directory_;
  std::vector<std::string> names_;
  std::vector<const rocksdb_options_t*> options_;
  rocksdb_options_t* own_ = nullptr;
  rocksdb_options_t* loaded_ = nullptr;
  char** loaded_names_ = nullptr;
  rocksdb_options_t** loaded_families_ = nullptr;
  size_t loaded_count_ = 0;
  rocksdb_readoptions_t* read_ = nullptr;
  rocksdb_writeoptions_t* write_ = nullptr;
  rocksdb_t* db_ = nullptr;
  std::vector<rocksdb_column_family_handle_t*> handles_;
};

void CompareWithExpected(const Families& families, const Expected& expected) {
  for (const auto& [name, records] : expected)
    Check(families.contains(name), "family " + name + " is missing");
  for (const auto& [name, content] : families) {
    const auto found = expected.find(name);
    if (found == expected.end()) {
      Check(content.empty(), "family " + name + " should be empty or dropped");
      continue;
    }
    auto record = found->second.begin();
    for (const auto& [key, value] : content) {
      Check(record != found->second.end(), "too many keys in " + name);
      Check(Token(key) == record->first,
            "key " + Token(key) + " instead of " + record->first + " in " + name);
      Check(Token(value) == record->second,
            "value of " + record->first + ": " + Token(value) + " instead of " + record->second);
      ++record;
    }
    Check(record == found->second.end(), "too few keys in " + name);
  }
}

void CompareFamilies(const Families& read, const Families& wanted, const char* when) {
  for (const auto& [name, content] : wanted) {
    const Content& found = read.at(name);
    for (const auto& [key, value] : content) {
      const auto it = found.find(key);
      Check(it != found.end(), std::string(when) + ": " + Hex(key) + " is lost in " + name);
      Check(it->second == value, std::string(when) + ": value of " + Hex(key) + " in " + name);
    }
    Check(found.size() == content.size(), std::string(when) + ": keys came back in " + name);
  }
}

// The genuine tool must see the same, apart from merges it has no operator for: everything is
// compacted, so there are none left.
void CompareWithLdb(const std::string& ldb, const std::string& directory, const Families& wanted) {
  for (const auto& [name, content] : wanted) {
    const std::string command = ldb + " --db='" + directory + "' --column_family='" + name +
                                "' --ignore_unknown_options scan --hex 2>&1 </dev/null";
    FILE* pipe = popen(command.c_str(), "r");
    Check(pipe != nullptr, "cannot start ldb");
    std::string output;
    char buffer[65536];
    for (size_t n; (n = fread(buffer, 1, sizeof(buffer), pipe)) > 0;) output.append(buffer, n);
    const int status = pclose(pipe);
    Check(status == 0, "ldb fails: " + output.substr(0, 300));
    std::istringstream lines(output);
    auto record = content.begin();
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("0x")) continue;
      Check(record != content.end(), "ldb finds more keys in " + name);
      std::string want = "0x" + Hex(record->first) + " : 0x" + Hex(record->second);
      for (size_t i = 0; i < line.size() && i < want.size(); i++)
        if (line[i] >= 'A' && line[i] <= 'F') line[i] = static_cast<char>(line[i] + 32);
      if (record->second.empty() && line != want) want = "0x" + Hex(record->first) + " : 0x";
      Check(line == want,
            "ldb reads " + line.substr(0, 200) + " instead of " + want.substr(0, 200));
      ++record;
    }
    Check(record == content.end(), "ldb finds fewer keys in " + name);
  }
}

// Tables the genuine 7.8 tools cannot read.
bool IsTooNewForLdb(const fs::path& directory) {
  bool too_new = false;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (!entry.path().filename().string().starts_with("OPTIONS-")) continue;
    std::ifstream in(entry.path());
    for (std::string line; std::getline(in, line);)
      if (line.find("format_version=6") != std::string::npos ||
          line.find("format_version=7") != std::string::npos)
        too_new = true;
  }
  return too_new;
}

void RunCase(const fs::path& golden, const fs::path& scratch, const std::string& ldb) {
  const bool may_be_refused = kMayBeRefused.contains(golden.filename().string());
  const Expected expected = ReadExpected(golden / "expected.tsv");
  const std::string directory = scratch.string();
  const auto copy = [&] {
    fs::remove_all(scratch);
    fs::create_directories(scratch.parent_path());
    fs::copy(golden / "db", scratch, fs::copy_options::recursive);
  };

  // Read-only first, with the defaults: nothing may change.
  copy();
  {
    Database database(directory, /*from_file=*/false);
    std::string reason = database.Open(/*read_only=*/true);
    if (reason.empty()) {
      const Families families = database.ReadAll(may_be_refused ? &reason : nullptr);
      if (reason.empty()) CompareWithExpected(families, expected);
    }
    if (may_be_refused && !reason.empty()) {
      printf("    refused: %s\n", reason.c_str());
      return;
    }
    Check(reason.empty(), "read-only: " + reason);
  }

  // Then with the options it was made with, written on and looked at from all sides.
  copy();
  Families families;
  {
    Database database(directory, /*from_file=*/true);
    std::string reason = database.Open();
    Check(reason.empty(), "open: " + reason);
    families = database.ReadAll();
    CompareWithExpected(families, expected);
    database.WriteOn(&families);
    CompareFamilies(database.ReadAll(), families, "after writing");
    database.Close();
    reason = database.Open();
    Check(reason.empty(), "reopen: " + reason);
    CompareFamilies(database.ReadAll(), families, "after reopening");
    database.CompactAll();
    CompareFamilies(database.ReadAll(), families, "after compacting");
    database.Close();
    reason = database.Open();
    Check(reason.empty(), "second reopen: " + reason);
    CompareFamilies(database.ReadAll(), families, "after compacting and reopening");
  }
  if (!ldb.empty() && !IsTooNewForLdb(scratch)) CompareWithLdb(ldb, directory, families);
}

}  // namespace

int main(int argc, char** argv) {
  std::string root, scratch, ldb;
  std::set<std::string> wanted;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--ldb") == 0 && i + 1 < argc)
      ldb = argv[++i];
    else if (root.empty())
      root = argv[i];
    else if (scratch.empty())
      scratch = argv[i];
    else
      wanted.insert(argv[i]);
  }
  if (scratch.empty()) {
    fprintf(stderr, "usage: golden DIRECTORIES SCRATCH [--ldb PROGRAM] [CASE...]\n");
    return 2;
  }
  std::vector<fs::path> cases;
  for (const auto& entry : fs::directory_iterator(root))
    if (wanted.empty() || wanted.contains(entry.path().filename().string()))
      cases.push_back(entry.path());
  std::sort(cases.begin(), cases.end());
  int failed = 0;
  for (const fs::path& golden : cases) {
    const std::string name = golden.filename().string();
    const fs::path work = fs::path(scratch) / name;
    fflush(stdout);
    const pid_t child = fork();  // A crash in one case must not hide the others.
    if (child == 0) {
      alarm(120);
      RunCase(golden, work, ldb);
      fflush(stdout);
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (status != 0) failed++;
    printf(
        "%s %s%s\n", status == 0 ? "ok    " : "FAILED", name.c_str(),
        WIFSIGNALED(status) ? (std::string(" (") + strsignal(WTERMSIG(status)) + ")").c_str() : "");
    std::error_code ignored;
    if (status == 0) fs::remove_all(work, ignored);
  }
  printf("%zu golden directories, %d failed\n", cases.size(), failed);
  return failed == 0 && !cases.empty() ? 0 : 1;
}
