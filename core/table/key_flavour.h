// KeyFlavour is what a table says about the keys of all its blocks.
//
// Thread safety: a plain value.

#ifndef SKARN_CORE_TABLE_KEY_FLAVOUR_H_
#define SKARN_CORE_TABLE_KEY_FLAVOUR_H_

#include <cstddef>
#include <cstdint>

#include "core/key/internal_key.h"

namespace skarn {

struct KeyFlavour {
  // tag = (stored & tag_and) | tag_or: sets the sequence number of ingested files.
  uint64_t tag_and = ~uint64_t{0};
  uint64_t tag_or = 0;
  // Bytes of timestamp that were left out of user keys and come back as zeroes.
  size_t stripped_timestamp = 0;
  // A packed key is at least its tag, and the timestamp that it must end with.
  size_t packed_size_min = kTagSize;

  uint64_t Tag(uint64_t stored) const { return (stored & tag_and) | tag_or; }
};

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_KEY_FLAVOUR_H_
