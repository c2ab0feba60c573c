// XXH3 compiled for AVX2, whatever the build assumes. What the headers below declare
// inline is compiled for AVX2 here too, so only headers that the other source files
// compile without it as well are included before the switch, and none after it.

#include "core/base/xxhash.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2")
#endif

#define XXH_INLINE_ALL
#define XXH_VECTOR 2  // XXH_AVX2
#include <xxhash.h>

namespace skarn::internal {

uint64_t Xxh3Avx2(const char* data, size_t size) { return XXH3_64bits(data, size); }

}  // namespace skarn::internal

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
