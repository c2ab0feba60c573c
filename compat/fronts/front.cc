// The C functions that an older release of RocksDB has with other defaults or another signature
// than the newest one. A library made of this file holds these and nothing else; all other
// functions are found in libskarn.so.1, which it needs. CMakeLists.txt says which release is made
// with which of
//
//   SKARN_FRONT_DEFAULTS   options begin with the defaults of release 7.8      (up to 8.3)
//   SKARN_FRONT_FORCE      rocksdb_enable_file_deletions() takes `force`       (up to 8.11)
//
// and all of them have `in_range` in rocksdb_slicetransform_create().
//
// It does not include rocksdb/c.h, whose prototypes are those of the newest release.

#include <stddef.h>

extern "C" {

struct rocksdb_t;
struct rocksdb_options_t;
struct rocksdb_block_based_table_options_t;
struct rocksdb_slicetransform_t;

#define SKARN_EXPORT __attribute__((visibility("default")))

rocksdb_options_t* skarn_options_create_for_release(int major, int minor);
rocksdb_block_based_table_options_t* skarn_block_based_options_create_for_release(int major,
                                                                                  int minor);
rocksdb_slicetransform_t* skarn_slicetransform_create(
    void* state, void (*destructor)(void*),
    char* (*transform)(void*, const char* key, size_t length, size_t* dst_length),
    unsigned char (*in_domain)(void*, const char* key, size_t length), const char* (*name)(void*));
void skarn_enable_file_deletions(rocksdb_t* db, char** errptr);

#ifdef SKARN_FRONT_DEFAULTS
SKARN_EXPORT rocksdb_options_t* rocksdb_options_create(void) {
  return skarn_options_create_for_release(7, 8);
}

SKARN_EXPORT rocksdb_block_based_table_options_t* rocksdb_block_based_options_create(void) {
  return skarn_block_based_options_create_for_release(7, 8);
}
#endif

// `in_range` was never called for anything but old checks; later releases dropped it.
SKARN_EXPORT rocksdb_slicetransform_t* rocksdb_slicetransform_create(
    void* state, void (*destructor)(void*),
    char* (*transform)(void*, const char* key, size_t length, size_t* dst_length),
    unsigned char (*in_domain)(void*, const char* key, size_t length),
    unsigned char (*in_range)(void*, const char* key, size_t length), const char* (*name)(void*)) {
  (void)in_range;
  return skarn_slicetransform_create(state, destructor, transform, in_domain, name);
}

#ifdef SKARN_FRONT_FORCE
// `force` undid all earlier disable calls at once.
SKARN_EXPORT void rocksdb_enable_file_deletions(rocksdb_t* db, unsigned char force, char** errptr) {
  (void)force;
  skarn_enable_file_deletions(db, errptr);
}
#endif

}  // extern "C"
