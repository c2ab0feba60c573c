#include "tools/bench/api.h"

#include <dlfcn.h>

namespace bench {

bool Api::Load(const std::string& path, std::string* error) {
  // dlopen() searches the system's folders for a name without a slash.
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    *error = dlerror();
    return false;
  }
  is_leveldb = dlsym(library, "rocksdb_open") == nullptr;
  const std::string prefix = is_leveldb ? "leveldb_" : "rocksdb_";
  std::string missing;
#define WANTED(name)     \
  this->rocksdb_##name = \
      reinterpret_cast<decltype(this->rocksdb_##name)>(dlsym(library, (prefix + #name).c_str()));
#define NEEDED(name) \
  WANTED(name)       \
  if (this->rocksdb_##name == nullptr) missing += " " + prefix + #name;
#include "tools/bench/functions.inc"
#undef NEEDED
#undef WANTED
  if (!missing.empty()) {
    *error = path + " does not export" + missing;
    return false;
  }
  if (is_leveldb) {
    const auto find = [library](const char* name, auto* function) {
      *function = reinterpret_cast<std::remove_pointer_t<decltype(function)>>(dlsym(library, name));
    };
    find("leveldb_options_set_cache", &leveldb_options_set_cache);
    find("leveldb_options_set_filter_policy", &leveldb_options_set_filter_policy);
    find("leveldb_options_set_block_size", &leveldb_options_set_block_size);
    find("leveldb_filterpolicy_create_bloom", &leveldb_filterpolicy_create_bloom);
    rocksdb_filterpolicy_create_bloom = nullptr;  // Its parameter has another type there.
  }
  return true;
}

bool Api::Has(std::string_view function) const {
#define NEEDED(name) \
  if (function == #name) return rocksdb_##name != nullptr;
#define WANTED(name) NEEDED(name)
#include "tools/bench/functions.inc"
#undef WANTED
#undef NEEDED
  return false;
}

std::string Api::Lacks(const std::vector<const char*>& functions) const {
  std::string lacks;
  for (const char* function : functions) {
    if (Has(function)) continue;
    if (!lacks.empty()) lacks += ' ';
    lacks += function;
  }
  return lacks;
}

}  // namespace bench
