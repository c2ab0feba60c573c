/* What the demo programs share: reading package records, and ending on an error.

   A record is a run of "Field: value" lines ended by an empty line, as `apt-cache dumpavail` and
   /var/lib/dpkg/status have them. A line that begins with a space continues the field above. */

#ifndef SKARN_TOOLS_DEMO_COMMON_H_
#define SKARN_TOOLS_DEMO_COMMON_H_

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rocksdb/c.h"

/* Ends the program when a call has set *error. */
static inline void check(char* error, const char* what) {
  if (error == NULL) return;
  fprintf(stderr, "%s: %s\n", what, error);
  exit(1);
}

typedef struct {
  char* text; /* The whole record; a NUL ends each field's value. */
  const char* names[64];
  const char* values[64];
  int count;
} record_t;

typedef struct {
  char* file;
  size_t size;
  size_t at;
} records_t;

static inline records_t records_open(const char* path) {
  records_t records = {NULL, 0, 0};
  FILE* in = fopen(path, "rb");
  long size;
  if (in == NULL) {
    perror(path);
    exit(1);
  }
  fseek(in, 0, SEEK_END);
  size = ftell(in);
  rewind(in);
  records.file = malloc((size_t)size + 2);
  records.size = fread(records.file, 1, (size_t)size, in);
  records.file[records.size++] = '\n';
  records.file[records.size] = '\0';
  fclose(in);
  return records;
}

/* Splits the next record in place. Returns 0 at the end of the file. */
static inline int records_next(records_t* records, record_t* record) {
  char* line = records->file + records->at;
  char* end = records->file + records->size;
  while (line < end && *line == '\n') line++;
  if (line >= end) return 0;
  record->count = 0;
  while (line < end && *line != '\n') {
    char* stop = memchr(line, '\n', (size_t)(end - line));
    char* colon = memchr(line, ':', (size_t)(stop - line));
    while (stop + 1 < end && stop[1] == ' ') {
      *stop = ' ';
      stop = memchr(stop + 1, '\n', (size_t)(end - stop - 1));
    }
    *stop = '\0';
    if (colon != NULL && record->count < 64) {
      char* value = colon + 1;
      *colon = '\0';
      while (*value == ' ') value++;
      record->names[record->count] = line;
      record->values[record->count] = value;
      record->count++;
    }
    line = stop + 1;
  }
  records->at = (size_t)(line - records->file);
  return 1;
}

/* The value of a field, or "" when the record has none. */
static inline const char* record_field(const record_t* record, const char* name) {
  int i;
  for (i = 0; i < record->count; i++)
    if (strcmp(record->names[i], name) == 0) return record->values[i];
  return "";
}

/* A checksum over keys and values in the order they come (64-bit FNV-1a). */
static inline uint64_t mix(uint64_t hash, const char* bytes, size_t size) {
  size_t i;
  for (i = 0; i < size; i++) hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3ull;
  return (hash ^ 0xff) * 0x100000001b3ull;
}
#define MIX_START 0xcbf29ce484222325ull

#endif /* SKARN_TOOLS_DEMO_COMMON_H_ */
