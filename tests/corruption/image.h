// Images: small database directories held in memory, each with all that it may answer.
//
// Thread safety: plain values; the functions are for one thread.

#ifndef SKARN_TESTS_CORRUPTION_IMAGE_H_
#define SKARN_TESTS_CORRUPTION_IMAGE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/db/db.h"
#include "core/env/env.h"

namespace skarn {

inline constexpr char kImagePath[] = "/db";

using Contents = std::vector<std::map<std::string, std::string>>;  // By column family.

struct Image {
  std::string name;
  DbOptions db;
  std::vector<ColumnFamilyDescriptor> families;
  std::map<std::string, std::string> files;  // By name, without directory.
  Contents whole;                            // What it holds.
  // Of Skarn's own images: which batches its tables and its log hold is known (ModelOf).
  bool modelled = false;
  size_t value_bytes = 0;  // Of the values in the log; 0: short ones.
  // Its tables have no checksums: answers may be wrong, nothing else may happen.
  bool unprotected = false;
  // Which of its files are worth damaging; the others are like another image's.
  bool sweep_tables = true;
  bool sweep_logs = true;
  bool sweep_rest = true;
};

// Skarn's own images have these batches: in a first table of each family, in a second, in the log.
inline constexpr int kFirstTableEnd = 12;
inline constexpr int kSecondTableEnd = 24;
inline constexpr int kBatches = 36;

// What `image` would hold if family f had in its tables the first table_end[f] batches, and its
// logs had those from log_begin on without [skip_begin, skip_end).
Contents ModelOf(const Image& image, const std::vector<int>& table_end, int log_begin,
                 int skip_begin, int skip_end);

// A database opened on a file system of its own.
struct OpenImage {
  std::unique_ptr<FileSystem> file_system;
  std::unique_ptr<FileSystem> mapping;
  Env env;
  std::vector<std::unique_ptr<ColumnFamilyHandle>> handles;
  std::unique_ptr<Db> db;

  ~OpenImage() { Close(); }
  void Close() {
    handles.clear();
    db.reset();
  }
};

// How a database is opened.
struct Manner {
  bool mapped = false;       // Tables are mapped.
  bool small_cache = false;  // For a few blocks; else for all.
  bool lazy = false;         // Tables are opened when they are needed.
};

// Puts the files of `image` into memory; `changed` replaces the file of that name.
void LoadImage(const Image& image, const std::string& name, const std::string& changed,
               OpenImage* open);
Status OpenLoaded(const Image& image, const Manner& manner, const std::string& path,
                  OpenImage* open);
// What a scan of the whole shows; false: an error.
bool ContentsOf(const Image& image, Contents* contents);

// What Skarn itself writes: every format version, index, filter, codec, checksum and form of log.
std::vector<Image> OwnImages();
// Of the directories below `root` (tests/golden) that are not large, every so many from `first` on.
std::vector<Image> GoldenImages(const std::string& root, size_t first, size_t every);

}  // namespace skarn

#endif  // SKARN_TESTS_CORRUPTION_IMAGE_H_
