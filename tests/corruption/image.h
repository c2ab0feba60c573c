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
  // What it holds, oldest first: the last is the whole, those before it are what is left when
  // the log ends earlier.
  std::vector<Contents> states;
  // What it held before those; empty when nobody knows.
  std::vector<Contents> earlier;
  // Its tables have no checksums: answers may be wrong, nothing else may happen.
  bool unprotected = false;
  // Which of its files are worth damaging; the others are like another image's.
  bool sweep_tables = true;
  bool sweep_logs = true;
  bool sweep_rest = true;
  uint32_t damages_max = 0;  // 0: no limit.

  const Contents& whole() const { return states.back(); }
};

// A database opened on a file system of its own.
struct OpenImage {
  std::unique_ptr<FileSystem> file_system;
  Env env;
  std::vector<std::unique_ptr<ColumnFamilyHandle>> handles;
  std::unique_ptr<Db> db;

  ~OpenImage() { Close(); }
  void Close() {
    handles.clear();
    db.reset();
  }
};

// Puts the files of `image` into memory; `changed` replaces the file of that name.
void LoadImage(const Image& image, const std::string& name, const std::string& changed,
               OpenImage* open);
Status OpenLoaded(const Image& image, OpenImage* open);
// Adds what a whole scan shows; on an error, what it showed before that.
Status ScanFamily(const OpenImage& open, size_t family, std::map<std::string, std::string>* found);

// What Skarn itself writes: every format version, index, filter, codec, checksum and form of log.
std::vector<Image> OwnImages();
// The directories below `root` (tests/golden) that can be opened and are not large.
std::vector<Image> GoldenImages(const std::string& root);

}  // namespace skarn

#endif  // SKARN_TESTS_CORRUPTION_IMAGE_H_
