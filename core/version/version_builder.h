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

  // Fills `storage`, which has no files yet; new files now belong to whoever has `storage`. With
  // `check`, Corruption when order, overlap or links of the result are wrong; then, and when
  // a level is too high, nothing was handed over.
  Status SaveTo(VersionStorage* storage, bool check);

  // Puts files of `storage` in the place of equal ones that Apply() made, so that open tables
  // stay in use. `storage` must outlive the result.
  void ReuseFiles(const VersionStorage* storage);

  // Files that Apply() added and that are still there, with their level; for opening them.
  std::vector<std::pair<int, FileMetadata*>> AddedFiles() const;
  // Gives all files epoch numbers when some have none. Returns the next free number.
  uint64_t ResolveEpochs(bool reserve_first);

 private:
  // What became of a file number since the base.
  struct Change {
    int level = -1;                // -1: removed.
    FileMetadata* file = nullptr;  // Added by this builder, or the base's own, moved.
  };

  // Where a file is now; -1 when it is not in the tree.
  int LevelOf(uint64_t number) const;
  Status ApplyBlobs(const VersionEdit& edit);
  BlobFileMetadata* MutableBlob(uint64_t number);
  std::vector<FileMetadata*> LevelFilesNow(int level) const;
  bool AnyUnknownEpoch(const std::vector<FileMetadata*>& level0) const;
  Status Check(const std::vector<std::vector<FileMetadata*>>& levels, bool by_sequence) const;
  void SaveBlobs(const std::vector<std::vector<FileMetadata*>>& levels,
                 VersionStorage* storage) const;

  const KeyOrder* const order_;
  const int num_levels_;
  const VersionStorage* const base_;
  std::unordered_map<uint64_t, Change> changes_;
  // Value files that changed; the rest is the base's.
  std::map<uint64_t, BlobFileMetadata> blob_changes_;
  std::map<int, std::string> cursors_;
  int highest_level_ = -1;
  std::vector<std::unique_ptr<FileMetadata>> owned_;
};

// Newest first in level 0: by epoch, or by sequence numbers when `by_sequence`.
bool NewerInLevel0(const FileMetadata& a, const FileMetadata& b, bool by_sequence);

}  // namespace skarn

#endif  // SKARN_CORE_VERSION_VERSION_BUILDER_H_
