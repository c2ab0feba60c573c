# SKARN_SANITIZE: "", "address,undefined" or "thread", for everything that is built.

set(SKARN_SANITIZE "" CACHE STRING "sanitizers to build with")
if(SKARN_SANITIZE)
  add_compile_options(-fsanitize=${SKARN_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SKARN_SANITIZE})
endif()
