#include "tests/crash/genuine.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <vector>

namespace skarn {

namespace {

// The C API's handles are opaque here.
struct Handle;

}  // namespace

struct Genuine::Functions {
  Handle* (*options_create)();
  void (*options_destroy)(Handle*);
  void (*get_options_from_string)(const Handle*, const char*, Handle*, char**);
  char** (*list_column_families)(const Handle*, const char*, size_t*, char**);
  void (*list_column_families_destroy)(char**, size_t);
  Handle* (*open_column_families)(const Handle*, const char*, int, const char* const*,
                                  const Handle* const*, Handle**, char**);
  void (*column_family_handle_destroy)(Handle*);
  void (*close)(Handle*);
  Handle* (*readoptions_create)();
  void (*readoptions_destroy)(Handle*);
  Handle* (*create_iterator_cf)(Handle*, const Handle*, Handle*);
  void (*iter_destroy)(Handle*);
  void (*iter_seek_to_first)(Handle*);
  unsigned char (*iter_valid)(const Handle*);
  void (*iter_next)(Handle*);
  const char* (*iter_key)(const Handle*, size_t*);
  const char* (*iter_value)(const Handle*, size_t*);
  void (*iter_get_error)(const Handle*, char**);
};

std::unique_ptr<Genuine> Genuine::Load() {
  const char* const given = getenv("SKARN_GENUINE_LIBRARY");
  void* const library =
      dlopen(given != nullptr ? given : "librocksdb.so.7.8", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    fprintf(stderr, "no genuine RocksDB to compare with: %s\n", dlerror());
    return nullptr;
  }
  auto functions = std::make_shared<Functions>();
  bool complete = true;
  const auto find = [&](const char* name, auto* function) {
    void* const symbol = dlsym(library, (std::string("rocksdb_") + name).c_str());
    complete = complete && symbol != nullptr;
    *function = reinterpret_cast<std::remove_pointer_t<decltype(function)>>(symbol);
  };
  find("options_create", &functions->options_create);
  find("options_destroy", &functions->options_destroy);
  find("get_options_from_string", &functions->get_options_from_string);
  find("list_column_families", &functions->list_column_families);
  find("list_column_families_destroy", &functions->list_column_families_destroy);
  find("open_column_families", &functions->open_column_families);
  find("column_family_handle_destroy", &functions->column_family_handle_destroy);
  find("close", &functions->close);
  find("readoptions_create", &functions->readoptions_create);
  find("readoptions_destroy", &functions->readoptions_destroy);
  find("create_iterator_cf", &functions->create_iterator_cf);
  find("iter_destroy", &functions->iter_destroy);
  find("iter_seek_to_first", &functions->iter_seek_to_first);
  find("iter_valid", &functions->iter_valid);
  find("iter_next", &functions->iter_next);
  find("iter_key", &functions->iter_key);
  find("iter_value", &functions->iter_value);
  find("iter_get_error", &functions->iter_get_error);
  if (!complete) {
    fprintf(stderr, "the library found lacks functions of the C API\n");
    return nullptr;
  }
  std::unique_ptr<Genuine> genuine(new Genuine);
  genuine->functions_ = std::move(functions);
  return genuine;
}

Status Genuine::Read(const std::string& directory, Moment* moment) const {
  const Functions& c = *functions_;
  char* error = nullptr;
  const auto taken = [&error] {
    const std::string text = error == nullptr ? "" : error;
    free(error);
    error = nullptr;
    return text;
  };
  Handle* const base = c.options_create();
  Handle* const options = c.options_create();
  c.get_options_from_string(base, "merge_operator=stringappend;disable_auto_compactions=true",
                            options, &error);
  c.options_destroy(base);
  size_t count = 0;
  char** names = nullptr;
  if (error == nullptr) names = c.list_column_families(options, directory.c_str(), &count, &error);
  if (error != nullptr) {
    c.options_destroy(options);
    return Status::IoError(taken());
  }
  const std::vector<const Handle*> family_options(count, options);
  std::vector<Handle*> families(count);
  Handle* const db = c.open_column_families(options, directory.c_str(), static_cast<int>(count),
                                            names, family_options.data(), families.data(), &error);
  Handle* const read = c.readoptions_create();
  for (size_t i = 0; i < count && error == nullptr; ++i) {
    Content& content = (*moment)[names[i]];
    Handle* const iterator = c.create_iterator_cf(db, read, families[i]);
    for (c.iter_seek_to_first(iterator); c.iter_valid(iterator) != 0; c.iter_next(iterator)) {
      size_t key_size = 0, value_size = 0;
      const char* const key = c.iter_key(iterator, &key_size);
      const char* const value = c.iter_value(iterator, &value_size);
      content.emplace(std::string(key, key_size), std::string(value, value_size));
    }
    c.iter_get_error(iterator, &error);
    c.iter_destroy(iterator);
  }
  if (db != nullptr) {
    for (Handle* const family : families) c.column_family_handle_destroy(family);
    c.close(db);
  }
  c.readoptions_destroy(read);
  c.list_column_families_destroy(names, count);
  c.options_destroy(options);
  const std::string text = taken();
  return text.empty() ? Status::Ok() : Status::IoError(text);
}

Status Genuine::ReadCopy(FileSystem* fs, const std::string& path, Moment* moment) const {
  const ScratchDirectory scratch;
  std::vector<std::string> names;
  if (Status s = fs->GetChildren(path, &names); !s.ok()) return s;
  for (const std::string& name : names) {
    const Result<std::string> content = ReadFileToString(fs, path + "/" + name);
    if (!content.ok()) continue;  // A directory.
    Status s = WriteStringToFile(PosixFileSystem(), *content, scratch.path() + "/" + name,
                                 /*sync=*/false);
    if (!s.ok()) return s;
  }
  return Read(scratch.path(), moment);
}

ScratchDirectory::ScratchDirectory(bool on_disk) {
  const char* const parents[] = {on_disk ? nullptr : "/dev/shm", getenv("TMPDIR"), "/tmp"};
  for (const char* const parent : parents) {
    if (parent == nullptr || access(parent, W_OK | X_OK) != 0) continue;
    path_ = parent;
    path_ += "/skarn-crash-XXXXXX";
    if (mkdtemp(path_.data()) != nullptr) return;
  }
  fprintf(stderr, "cannot make a directory for files\n");
  abort();
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace skarn
