// The table files of an open database, and lists of files that callers put together.

#include <utility>

#include "compat/handle_life.h"
#include "compat/handles.h"
#include "include/c_api/rocksdb/c.h"

using skarn::LiveTable;

namespace {

// Indexes out of range give an empty file, so that no caller reads beyond the list.
const LiveTable& At(const rocksdb_livefiles_t* files, int index) {
  static const LiveTable none;
  if (files == nullptr || index < 0 || static_cast<size_t>(index) >= files->rep.size()) return none;
  return files->rep[static_cast<size_t>(index)];
}

}  // namespace

extern "C" {

const rocksdb_livefiles_t* rocksdb_livefiles(rocksdb_t* db) {
  auto* files = new rocksdb_livefiles_t;
  DbOf(db)->GetLiveTables(&files->rep);
  return files;
}

rocksdb_livefiles_t* rocksdb_livefiles_create(void) { return new rocksdb_livefiles_t; }

void rocksdb_livefiles_destroy(const rocksdb_livefiles_t* files) {
  Retire(const_cast<rocksdb_livefiles_t*>(files));
}

void rocksdb_livefiles_add(rocksdb_livefiles_t* files, rocksdb_livefile_t* livefile) {
  if (files == nullptr || livefile == nullptr || !livefile->tag.live()) return;
  files->rep.push_back(std::move(Usable(livefile)->rep));
  Retire(livefile);
}

int rocksdb_livefiles_count(const rocksdb_livefiles_t* files) {
  return files == nullptr ? 0 : static_cast<int>(files->rep.size());
}

const char* rocksdb_livefiles_column_family_name(const rocksdb_livefiles_t* files, int index) {
  return At(files, index).column_family.c_str();
}

const char* rocksdb_livefiles_name(const rocksdb_livefiles_t* files, int index) {
  return At(files, index).name.c_str();
}

const char* rocksdb_livefiles_directory(const rocksdb_livefiles_t* files, int index) {
  return At(files, index).file.directory.c_str();
}

int rocksdb_livefiles_level(const rocksdb_livefiles_t* files, int index) {
  return At(files, index).level;
}

size_t rocksdb_livefiles_size(const rocksdb_livefiles_t* files, int index) {
  return At(files, index).file.size_bytes;
}

const char* rocksdb_livefiles_smallestkey(const rocksdb_livefiles_t* files, int index,
                                          size_t* size) {
  const std::string& key = At(files, index).file.smallest_user_key;
  GiveSize(size, key.size());
  return key.data();
}

const char* rocksdb_livefiles_largestkey(const rocksdb_livefiles_t* files, int index,
                                         size_t* size) {
  const std::string& key = At(files, index).file.largest_user_key;
  GiveSize(size, key.size());
  return key.data();
}

uint64_t rocksdb_livefiles_smallest_seqno(const rocksdb_livefiles_t* files, int index) {
  return At(files, index).smallest_sequence;
}

uint64_t rocksdb_livefiles_largest_seqno(const rocksdb_livefiles_t* files, int index) {
  return At(files, index).largest_sequence;
}

uint64_t rocksdb_livefiles_entries(const rocksdb_livefiles_t* files, int index) {
  return At(files, index).entries;
}

uint64_t rocksdb_livefiles_deletions(const rocksdb_livefiles_t* files, int index) {
  return At(files, index).deletions;
}

rocksdb_livefile_t* rocksdb_livefile_create(void) { return new rocksdb_livefile_t; }

void rocksdb_livefile_destroy(rocksdb_livefile_t* livefile) { Retire(livefile); }

void rocksdb_livefile_set_column_family_name(rocksdb_livefile_t* livefile, const char* value) {
  Usable(livefile)->rep.column_family = TextOf(value);
}

void rocksdb_livefile_set_name(rocksdb_livefile_t* livefile, const char* value) {
  Usable(livefile)->rep.name = TextOf(value);
}

void rocksdb_livefile_set_directory(rocksdb_livefile_t* livefile, const char* value) {
  Usable(livefile)->rep.file.directory = TextOf(value);
}

void rocksdb_livefile_set_level(rocksdb_livefile_t* livefile, int value) {
  Usable(livefile)->rep.level = value;
}

void rocksdb_livefile_set_size(rocksdb_livefile_t* livefile, size_t value) {
  Usable(livefile)->rep.file.size_bytes = value;
}

void rocksdb_livefile_set_smallest_key(rocksdb_livefile_t* livefile, const char* value,
                                       size_t length) {
  Usable(livefile)->rep.file.smallest_user_key =
      skarn::Slice(value, value == nullptr ? 0 : length).ToString();
}

void rocksdb_livefile_set_largest_key(rocksdb_livefile_t* livefile, const char* value,
                                      size_t length) {
  Usable(livefile)->rep.file.largest_user_key =
      skarn::Slice(value, value == nullptr ? 0 : length).ToString();
}

void rocksdb_livefile_set_smallest_seqno(rocksdb_livefile_t* livefile, uint64_t value) {
  Usable(livefile)->rep.smallest_sequence = value;
}

void rocksdb_livefile_set_largest_seqno(rocksdb_livefile_t* livefile, uint64_t value) {
  Usable(livefile)->rep.largest_sequence = value;
}

void rocksdb_livefile_set_num_entries(rocksdb_livefile_t* livefile, uint64_t value) {
  Usable(livefile)->rep.entries = value;
}

void rocksdb_livefile_set_num_deletions(rocksdb_livefile_t* livefile, uint64_t value) {
  Usable(livefile)->rep.deletions = value;
}

}  // extern "C"
