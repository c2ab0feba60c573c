// What the build's checkers of memory and threads (the asan, tsan and fuzz presets) need to know
// about memory that the engine keeps for its next use: that nobody may look at it meanwhile.
// Nothing is left of this in other builds.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_BASE_CHECKERS_H_
#define SKARN_CORE_BASE_CHECKERS_H_

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define SKARN_CHECKS_ADDRESSES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SKARN_CHECKS_ADDRESSES 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define SKARN_CHECKS_THREADS 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SKARN_CHECKS_THREADS 1
#endif
#endif

#if defined(SKARN_CHECKS_ADDRESSES)
#include <sanitizer/asan_interface.h>
#endif

namespace skarn {

#if defined(SKARN_CHECKS_ADDRESSES) || defined(SKARN_CHECKS_THREADS)
inline constexpr bool kMemoryIsChecked = true;
#else
inline constexpr bool kMemoryIsChecked = false;
#endif

// From now on any use of these bytes is a mistake.
inline void ForbidMemory([[maybe_unused]] const char* memory, [[maybe_unused]] size_t size) {
#if defined(SKARN_CHECKS_ADDRESSES)
  __asan_poison_memory_region(memory, size);
#endif
}
// They are in use again, or belong to the system.
inline void AllowMemory([[maybe_unused]] const char* memory, [[maybe_unused]] size_t size) {
#if defined(SKARN_CHECKS_ADDRESSES)
  __asan_unpoison_memory_region(memory, size);
#endif
}

}  // namespace skarn

#endif  // SKARN_CORE_BASE_CHECKERS_H_
