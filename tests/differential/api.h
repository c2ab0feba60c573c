// Api: RocksDB's C functions of one loaded library, so that two libraries that export the same
// names can be called side by side in one process.
//
// Thread safety: immutable after Load().

#ifndef SKARN_TESTS_DIFFERENTIAL_API_H_
#define SKARN_TESTS_DIFFERENTIAL_API_H_

#include <rocksdb/c.h>

#include <string>
#include <vector>

namespace differential {

struct Api {
#define FUNCTION(name) decltype(&::name) name = nullptr;
#include "functions.inc"
#undef FUNCTION

  // Loads the library at `path` without making its symbols visible to others. A function that the
  // library does not export is listed in `missing`; calling it names it and ends the process.
  // Returns false, with the reason in *error, when the library cannot be loaded at all.
  bool Load(const std::string& path, std::string* error);

  // Two functions lost a parameter after 7.8; these call either form.
  rocksdb_slicetransform_t* NewSliceTransform(
      char* (*transform)(void*, const char*, size_t, size_t*),
      unsigned char (*in_domain)(void*, const char*, size_t),
      unsigned char (*in_range)(void*, const char*, size_t), const char* (*name)(void*)) const;
  void EnableFileDeletions(rocksdb_t* db, char** error) const;

  std::vector<std::string> missing;
  // Genuine RocksDB, which is spared what it is known to crash in.
  bool is_oracle = false;
  // Whether the library has the signatures of 7.8 rather than those of the newest release.
  bool has_old_signatures = true;
};

}  // namespace differential

#endif  // SKARN_TESTS_DIFFERENTIAL_API_H_
