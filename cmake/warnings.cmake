# The warnings of both compilers; thread-safety analysis under clang, where a broken lock rule is
# an error.

set(SKARN_WARNINGS -Wall -Wextra -Wshadow=local -Wnon-virtual-dtor -Woverloaded-virtual)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  set(SKARN_WARNINGS -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
    -Wthread-safety -Werror=thread-safety)
elseif(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # Where a string literal and a std::string are added, gcc 12 sees copies of nearly all memory.
  list(APPEND SKARN_WARNINGS -Wno-restrict)
endif()
option(SKARN_WERROR "treat warnings as errors" OFF)
if(SKARN_WERROR)
  list(APPEND SKARN_WARNINGS -Werror)
endif()
