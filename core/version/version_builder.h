// VersionBuilder applies edits to a base and yields the files of the version that results.
//
// Edits are checked as they come: removing what is not there, or adding what is there,
// is Corruption. Whether the result is a sound tree is checked by SaveTo().
//
// Thread safety: one thread at a time. No lock is needed: the base is immutable.

#ifndef SKARN_CORE_VERSION_VERSION_BUILDER_H_
#define SKARN_CORE_VERSION_VERSION_BUILDER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/status.h"
#include "core/version/version_edit.h"
#include "core/version/version_storage.h"

namespace skarn {

class VersionBuilder {
 public:
  // `base` may be null (nothing yet), and must outlive the builder. `order` too.
  VersionBuilder(const KeyOrder* order, int num_levels, const VersionStorage* base);
  ~VersionBuilder();
  VersionBuilder(const VersionBuilder&) = delete;
  VersionBuilder& operator=(const VersionBuilder&) = delete;

  // Blob additions, blob garbage, deletions, additions, cursors, in this order. The builder
  // is of no use after an error.
  Status Apply(const VersionEdit& edit);

  // Fills `storage`, which has no files yet. With `check`, Corruption when order, overlap or
  // links of the result are wrong.
  Status SaveTo(VersionStorage* storage, bool check);

  // Files that Apply() added and that are still there, with their level; for opening them.
  std::vector<std::pair<int, FileMetadata*>> AddedFiles() const;
  bool HasFileAtOrBeyond(int level) const;
  // Gives all files epoch numbers when some have none. Returns the next free number.
  uint64_t ResolveEpochs(bool reserve_first);
  // New objects that SaveTo() did not hand over are freed by the destructor.

 private:
  struct Place {
    int level = 0;
    FileMetadata* file = nullptr;
    bool added = false;  // Made by this builder.
  };
  struct BlobChange;

  Status CheckOrder(const std::vector<std::vector<FileMetadata*>>& levels) const;
  std::vector<std::vector<FileMetadata*>> SortedLevels() const;

  const KeyOrder* const order_;
  const int num_levels_;
  const VersionStorage* const base_;
  // Every file of the tree as it is now: file number -> place.
  std::unordered_map<uint64_t, Place> places_;
  std::map<uint64_t, BlobFileMetadata> blob_files_;
  std::map<int, std::string> cursors_;
  std::vector<std::unique_ptr<FileMetadata>> owned_;
};

// Newest first in level 0: by epoch, or by sequence numbers when `by_sequence`.
bool NewerInLevel0(const FileMetadata& a, const FileMetadata& b, bool by_sequence);

}  // namespace skarn

#endif  // SKARN_CORE_VERSION_VERSION_BUILDER_H_
