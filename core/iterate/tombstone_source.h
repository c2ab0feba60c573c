// TombstoneSource tells a merging cursor what one source's range tombstones delete
// around a key. Single sources (a memtable, a file of level 0) have one list; a level
// asks the file that is responsible for the key.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_ITERATE_TOMBSTONE_SOURCE_H_
#define SKARN_CORE_ITERATE_TOMBSTONE_SOURCE_H_

#include <memory>
#include <utility>

#include "core/base/status.h"
#include "core/key/clipped_tombstones.h"

namespace skarn {

class TombstoneSource {
 public:
  virtual ~TombstoneSource() = default;
  // A run of keys around `user_key` (without timestamp) that is covered alike. The span
  // is valid until the next call.
  virtual Status Find(Slice user_key, TombstoneSpan* span) = 0;
};

class SingleTombstoneSource : public TombstoneSource {
 public:
  explicit SingleTombstoneSource(ClippedTombstones tombstones)
      : tombstones_(std::move(tombstones)) {}
  Status Find(Slice user_key, TombstoneSpan* span) override {
    tombstones_.Find(user_key, span);
    return Status::Ok();
  }

 private:
  const ClippedTombstones tombstones_;
};

}  // namespace skarn

#endif  // SKARN_CORE_ITERATE_TOMBSTONE_SOURCE_H_
