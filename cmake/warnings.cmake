# The warnings of both compilers; thread-safety analysis under clang, where a broken lock rule is
# an error.

set(SKARN_WARNINGS -Wall -Wextra -Wshadow=local -Wnon-virtual-dtor -Woverloaded-virtual)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  set(SKARN_WARNINGS -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
    -Wthread-safety -Werror=thread-safety)
endif()
option(SKARN_WERROR "treat warnings as errors" OFF)
if(SKARN_WERROR)
  list(APPEND SKARN_WARNINGS -Werror)
endif()
