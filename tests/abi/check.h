/* What the C tests share: checks that say where they failed. */

#ifndef SKARN_TESTS_ABI_CHECK_H_
#define SKARN_TESTS_ABI_CHECK_H_

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) {                                                         \
      fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                                  \
    }                                                                           \
  } while (0)

#define CHECK_TEXT(actual, expected)                                       \
  do {                                                                     \
    const char* check_text = (actual);                                     \
    if (check_text == NULL || strcmp(check_text, (expected)) != 0) {       \
      fprintf(stderr, "%s:%d: \"%s\" is not \"%s\"\n", __FILE__, __LINE__, \
              check_text == NULL ? "(null)" : check_text, (expected));     \
      exit(1);                                                             \
    }                                                                      \
  } while (0)

/* `error` must be NULL, or the text given; it is freed and set to NULL again. */
#define CHECK_OK(error)                                            \
  do {                                                             \
    if ((error) != NULL) {                                         \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, (error)); \
      exit(1);                                                     \
    }                                                              \
  } while (0)
#define CHECK_ERROR(error, expected) \
  do {                               \
    CHECK_TEXT(error, expected);     \
    rocksdb_free(error);             \
    (error) = NULL;                  \
  } while (0)

#endif
