# SKARN_SANITIZE: "", "address,undefined" or "thread", for everything that is built.
#
# Tests that ask this file's SKARN_TEST_SHARE take a smaller share of their cases under a checker,
# which makes everything three to fifteen times slower: one case in SKARN_TEST_SHARE.

set(SKARN_SANITIZE "" CACHE STRING "sanitizers to build with")
set(SKARN_TEST_SHARE 1)
if(SKARN_SANITIZE)
  add_compile_options(-fsanitize=${SKARN_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SKARN_SANITIZE})
  set(SKARN_TEST_SHARE 4)
endif()
if(SKARN_SANITIZE STREQUAL "thread")
  set(SKARN_TEST_SHARE 12)
  # The checker knows nothing of fences by themselves, of which gcc warns. That is right for
  # those of epochs (core/base/epoch.h): they decide which objects a drain may see in use; that the
  # last use came before is what the drain learns from the release store that it acquires, and that
  # the checker does see.
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
endif()
