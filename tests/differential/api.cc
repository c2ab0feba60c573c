#include "api.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>

namespace differential {
namespace {

[[noreturn]] void Missing(const char* name) {
  fprintf(stderr, "called %s, which the library does not export\n", name);
  fflush(nullptr);
  _exit(3);
}

#define FUNCTION(name) \
  [[noreturn]] void missing_##name() { Missing(#name); }
#include "functions.inc"
#undef FUNCTION

void Nothing(void*) {}

}  // namespace

bool Api::Load(const std::string& path, std::string* error) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    *error = dlerror();
    return false;
  }
#define FUNCTION(name)                                                        \
  this->name = reinterpret_cast<decltype(this->name)>(dlsym(library, #name)); \
  if (this->name == nullptr) {                                                \
    missing.push_back(#name);                                                 \
    this->name = reinterpret_cast<decltype(this->name)>(&missing_##name);     \
  }
#include "functions.inc"
#undef FUNCTION
  // One export list serves all fronts, so the release is known by the file name.
  has_old_signatures = path.find(".so.7") != std::string::npos;
  return true;
}

rocksdb_slicetransform_t* Api::NewSliceTransform(
    char* (*transform)(void*, const char*, size_t, size_t*),
    unsigned char (*in_domain)(void*, const char*, size_t),
    unsigned char (*in_range)(void*, const char*, size_t), const char* (*name)(void*)) const {
  if (has_old_signatures)
    return rocksdb_slicetransform_create(nullptr, Nothing, transform, in_domain, in_range, name);
  using Newer = rocksdb_slicetransform_t* (*)(void*, void (*)(void*), decltype(transform),
                                              decltype(in_domain), decltype(name));
  return reinterpret_cast<Newer>(reinterpret_cast<void*>(rocksdb_slicetransform_create))(
      nullptr, Nothing, transform, in_domain, name);
}

void Api::EnableFileDeletions(rocksdb_t* db, char** error) const {
  if (has_old_signatures) {
    rocksdb_enable_file_deletions(db, /*force=*/0, error);
    return;
  }
  using Newer = void (*)(rocksdb_t*, char**);
  reinterpret_cast<Newer>(reinterpret_cast<void*>(rocksdb_enable_file_deletions))(db, error);
}

}  // namespace differential
