// What the asan and tsan presets ask of their checkers, for every program of the tests. There are
// no suppressions.

#define SKARN_ASKED_BY_CHECKER extern "C" __attribute__((visibility("default"), used)) const char*

// Genuine RocksDB, where a test loads it, is built without the checker, which therefore cannot see
// what orders its memory accesses: what it does inside is not judged.
SKARN_ASKED_BY_CHECKER __tsan_default_options();
SKARN_ASKED_BY_CHECKER __tsan_default_options() {
  return "ignore_noninstrumented_modules=1:second_deadlock_stack=1:history_size=4";
}

SKARN_ASKED_BY_CHECKER __asan_default_options();
SKARN_ASKED_BY_CHECKER __asan_default_options() { return "strict_string_checks=1"; }

SKARN_ASKED_BY_CHECKER __ubsan_default_options();
SKARN_ASKED_BY_CHECKER __ubsan_default_options() { return "print_stacktrace=1"; }
