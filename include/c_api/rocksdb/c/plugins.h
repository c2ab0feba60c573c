/* Code that callers supply: orders, merges, filters, prefixes.
   Functions of the caller may run in any thread, several at once, with `state` as their first
   argument; they must not throw or jump out. `destructor` frees `state` when the object goes.
   The name is stored in the data: opening with another one is refused where it matters. */

#ifndef SKARN_C_API_ROCKSDB_C_PLUGINS_H_
#define SKARN_C_API_ROCKSDB_C_PLUGINS_H_

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Orders keys: `compare` returns a negative number, 0 or a positive one. The order must never
   change while there is data. */
extern ROCKSDB_LIBRARY_API rocksdb_comparator_t* rocksdb_comparator_create(
    void* state, void (*destructor)(void*),
    int (*compare)(void*, const char* a, size_t alen, const char* b, size_t blen),
    const char* (*name)(void*));

/* The same for keys that end with `timestamp_size` bytes of timestamp. `compare` looks at the
   whole, newer timestamps first. */
extern ROCKSDB_LIBRARY_API rocksdb_comparator_t* rocksdb_comparator_with_ts_create(
    void* state, void (*destructor)(void*),
    int (*compare)(void*, const char* a, size_t alen, const char* b, size_t blen),
    int (*compare_ts)(void*, const char* a_ts, size_t a_tslen, const char* b_ts, size_t b_tslen),
    int (*compare_without_ts)(void*, const char* a, size_t alen, unsigned char a_has_ts,
        const char* b, size_t blen, unsigned char b_has_ts), const char* (*name)(void*),
    size_t timestamp_size);

extern ROCKSDB_LIBRARY_API void rocksdb_comparator_destroy(rocksdb_comparator_t* comparator);

/* Merges operands, oldest first, into a value (`full_merge`; `existing_value` may be NULL) or
   into one operand (`partial_merge`). Results are freed with `delete_value`, or free() when that
   is NULL. Both set *success to 0 when it cannot be done; only for `full_merge` that is a
   failure. */
extern ROCKSDB_LIBRARY_API rocksdb_mergeoperator_t* rocksdb_mergeoperator_create(
    void* state, void (*destructor)(void*),
    char* (*full_merge)(void*, const char* key, size_t key_length, const char* existing_value,
        size_t existing_value_length, const char* const* operands_list,
        const size_t* operands_list_length, int num_operands, unsigned char* success,
        size_t* new_value_length),
    char* (*partial_merge)(void*, const char* key, size_t key_length,
        const char* const* operands_list, const size_t* operands_list_length, int num_operands,
        unsigned char* success, size_t* new_value_length),
    void (*delete_value)(void*, const char* value, size_t value_length),
    const char* (*name)(void*));
extern ROCKSDB_LIBRARY_API void rocksdb_mergeoperator_destroy(
    rocksdb_mergeoperator_t* merge_operator);

/* Decides for each value a compaction sees: 1 removes it; 0 keeps it, or with *value_changed
   set to 1 replaces it by *new_value, which stays the caller's. */
extern ROCKSDB_LIBRARY_API rocksdb_compactionfilter_t* rocksdb_compactionfilter_create(
    void* state, void (*destructor)(void*),
    unsigned char (*filter)(void*, int level, const char* key, size_t key_length,
        const char* existing_value, size_t value_length, char** new_value,
        size_t* new_value_length, unsigned char* value_changed), const char* (*name)(void*));

/* Whether keys that snapshots still see are filtered too. Default: 1; 0 is refused. */
extern ROCKSDB_LIBRARY_API void rocksdb_compactionfilter_set_ignore_snapshots(
    rocksdb_compactionfilter_t* filter, unsigned char value);

extern ROCKSDB_LIBRARY_API void rocksdb_compactionfilter_destroy(
    rocksdb_compactionfilter_t* filter);

/* Makes a filter for each compaction, which destroys it. */
extern ROCKSDB_LIBRARY_API rocksdb_compactionfilterfactory_t* rocksdb_compactionfilterfactory_create(
    void* state, void (*destructor)(void*),
    rocksdb_compactionfilter_t* (*create_compaction_filter)(void*,
        rocksdb_compactionfiltercontext_t* context), const char* (*name)(void*));

extern ROCKSDB_LIBRARY_API void rocksdb_compactionfilterfactory_destroy(
    rocksdb_compactionfilterfactory_t* factory);

extern ROCKSDB_LIBRARY_API unsigned char rocksdb_compactionfiltercontext_is_full_compaction(
    rocksdb_compactionfiltercontext_t* context);
extern ROCKSDB_LIBRARY_API unsigned char rocksdb_compactionfiltercontext_is_manual_compaction(
    rocksdb_compactionfiltercontext_t* context);

/* Extracts prefixes: `transform` returns memory inside `key`, and its length.

   Releases before 11 have a function more, which is not called. A program written for them
   defines SKARN_ROCKSDB_RELEASE, as 1010 for release 10.10, and is linked with that release's
   librocksdb.so. */
#if defined(SKARN_ROCKSDB_RELEASE) && SKARN_ROCKSDB_RELEASE < 1100
extern ROCKSDB_LIBRARY_API rocksdb_slicetransform_t* rocksdb_slicetransform_create(
    void* state, void (*destructor)(void*),
    char* (*transform)(void*, const char* key, size_t length, size_t* dst_length),
    unsigned char (*in_domain)(void*, const char* key, size_t length),
    unsigned char (*in_range)(void*, const char* key, size_t length), const char* (*name)(void*));
#else
extern ROCKSDB_LIBRARY_API rocksdb_slicetransform_t* rocksdb_slicetransform_create(
    void* state, void (*destructor)(void*),
    char* (*transform)(void*, const char* key, size_t length, size_t* dst_length),
    unsigned char (*in_domain)(void*, const char* key, size_t length), const char* (*name)(void*));
#endif

/* The first bytes of a key, for keys that have so many; the whole key. */
extern ROCKSDB_LIBRARY_API rocksdb_slicetransform_t* rocksdb_slicetransform_create_fixed_prefix(
    size_t prefix_length);
extern ROCKSDB_LIBRARY_API rocksdb_slicetransform_t* rocksdb_slicetransform_create_noop(void);

extern ROCKSDB_LIBRARY_API void rocksdb_slicetransform_destroy(rocksdb_slicetransform_t* transform);

/* Filters for table files with this many bits for each key. Ribbon takes less space and more
   time to build; the hybrid one uses Bloom filters in levels before `bloom_before_level`. */
extern ROCKSDB_LIBRARY_API rocksdb_filterpolicy_t* rocksdb_filterpolicy_create_bloom(
    double bits_per_key);
extern ROCKSDB_LIBRARY_API rocksdb_filterpolicy_t* rocksdb_filterpolicy_create_bloom_full(
    double bits_per_key);
extern ROCKSDB_LIBRARY_API rocksdb_filterpolicy_t* rocksdb_filterpolicy_create_ribbon(
    double bloom_equivalent_bits_per_key);
extern ROCKSDB_LIBRARY_API rocksdb_filterpolicy_t* rocksdb_filterpolicy_create_ribbon_hybrid(
    double bloom_equivalent_bits_per_key, int bloom_before_level);

extern ROCKSDB_LIBRARY_API void rocksdb_filterpolicy_destroy(rocksdb_filterpolicy_t* policy);

#ifdef __cplusplus
}
#endif

#endif /* SKARN_C_API_ROCKSDB_C_PLUGINS_H_ */
