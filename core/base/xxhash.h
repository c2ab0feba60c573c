// The bodies of the released xxHash functions for one instruction set each; use the
// functions of hash.h.

#ifndef SKARN_CORE_BASE_XXHASH_H_
#define SKARN_CORE_BASE_XXHASH_H_

#include <cstddef>
#include <cstdint>

#include "core/base/hash.h"

namespace skarn::internal {

// Precondition: Cpu().avx2.
uint64_t Xxh3Avx2(const char* data, size_t size);
uint64_t Xxh3Portable(const char* data, size_t size);

}  // namespace skarn::internal

#endif  // SKARN_CORE_BASE_XXHASH_H_
