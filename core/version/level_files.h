// LevelFiles is the list of files of one level, laid out for finding the file of a key.
//
// Beside the pointers stand two arrays of 8-byte key prefixes, one of smallest and one
// of largest user keys, taken after the bytes that all boundaries of the level share.
// A search compares integers and looks at full keys only where prefixes are equal.
// Other than bytewise orders compare full keys throughout.
//
// Thread safety: immutable once built; any thread.

#ifndef SKARN_CORE_VERSION_LEVEL_FILES_H_
#define SKARN_CORE_VERSION_LEVEL_FILES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/cpu.h"
#include "core/base/slice.h"
#include "core/key/internal_key.h"
#include "core/version/version_edit.h"

namespace skarn {

class LevelFiles {
 public:
  LevelFiles() = default;
  // `files` in the order of the level. `order` outlives this object.
  LevelFiles(const KeyOrder& order, std::vector<FileMetadata*> files);

  size_t size() const { return files_.size(); }
  bool empty() const { return files_.empty(); }
  FileMetadata* operator[](size_t index) const { return files_[index]; }
  const std::vector<FileMetadata*>& files() const { return files_; }
  std::vector<FileMetadata*>::const_iterator begin() const { return files_.begin(); }
  std::vector<FileMetadata*>::const_iterator end() const { return files_.end(); }

  // `user_key` is without timestamp unless a tag comes with it.
  //
  // For levels whose files do not overlap (not level 0):

  // The first file whose largest key is at or after (user_key, tag); size() if none.
  size_t Find(Slice user_key, uint64_t tag) const;
  // The same when its smallest key is at or before it, too; size() if not.
  size_t FindHolder(Slice user_key, uint64_t tag) const;
  // The first file whose largest user key (timestamps not looked at) is at or after
  // `user_key`; size() if none.
  size_t FindUserKey(Slice user_key) const;

  // For any level: whether (timestamps not looked at) `user_key` lies within the
  // boundaries of file `index`.
  bool Covers(size_t index, Slice user_key) const {
    return AtOrAfterSmallest(index, user_key) && AtOrBeforeLargest(index, user_key);
  }
  // The positions, ascending, of all files that cover the key. `positions` has room for size().
  size_t CollectCovering(Slice user_key, uint32_t* positions) const;
  bool AtOrAfterSmallest(size_t index, Slice user_key) const;
  bool AtOrBeforeLargest(size_t index, Slice user_key) const;

 private:
  enum class Side : uint8_t { kBefore, kInside, kAfter };
  // Where `user_key` stands to keys that begin with the shared bytes; `*prefix` is set for kInside.
  Side Locate(Slice user_key, uint64_t* prefix) const;

  const KeyOrder* order_ = nullptr;
  bool prefixes_ = false;  // Bytewise order: the arrays below are filled.
  std::string shared_;     // What all boundaries begin with.
  std::vector<uint64_t> smallest_prefixes_;
  std::vector<uint64_t> largest_prefixes_;
  std::vector<FileMetadata*> files_;
};

}  // namespace skarn

#endif  // SKARN_CORE_VERSION_LEVEL_FILES_H_
