/* A directory of its own for each test program. */

#ifndef SKARN_TESTS_ABI_DIRECTORY_H_
#define SKARN_TESTS_ABI_DIRECTORY_H_

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Returns `<parent>/<name>` in memory that the next call with that slot overwrites. */
static const char* PathIn(const char* parent, const char* name, int slot) {
  static char paths[4][8192];
  if (snprintf(paths[slot], sizeof(paths[slot]), "%s/%s", parent, name) >=
      (int)sizeof(paths[slot])) {
    abort();
  }
  return paths[slot];
}

/* A new, empty directory under TMPDIR. */
static const char* NewDirectory(void) {
  static char path[4096];
  const char* parent = getenv("TMPDIR");
  snprintf(path, sizeof(path), "%s/skarn-abi-XXXXXX", parent == NULL ? "/tmp" : parent);
  if (mkdtemp(path) == NULL) {
    perror(path);
    exit(1);
  }
  return path;
}

/* The content of the newest OPTIONS file of a database. */
static inline const char* OptionsFileOf(const char* database) {
  static char text[1 << 17];
  char name[512] = "";
  DIR* entries = opendir(database);
  struct dirent* entry;
  FILE* file;
  size_t size;
  while (entries != NULL && (entry = readdir(entries)) != NULL) {
    if (strncmp(entry->d_name, "OPTIONS-", 8) == 0 && strcmp(entry->d_name, name) > 0) {
      snprintf(name, sizeof(name), "%s", entry->d_name);
    }
  }
  if (entries != NULL) closedir(entries);
  file = fopen(PathIn(database, name, 3), "r");
  size = file == NULL ? 0 : fread(text, 1, sizeof(text) - 1, file);
  if (file != NULL) fclose(file);
  text[size] = '\0';
  return text;
}

#endif
