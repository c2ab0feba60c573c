// FilterBlock is a loaded filter, or a partition of one, ready to be asked.
//
// Thread safety: immutable; any thread.

#ifndef SKARN_CORE_TABLE_FILTER_BLOCK_H_
#define SKARN_CORE_TABLE_FILTER_BLOCK_H_

#include <utility>

#include "core/table/block.h"
#include "core/table/filter_format.h"

namespace skarn {

class FilterBlock {
 public:
  explicit FilterBlock(BlockRef block)
      : block_(std::move(block)), probe_(FilterProbe::Parse(block_.bytes())) {}

  const FilterProbe& probe() const { return probe_; }
  size_t memory_bytes() const {
    return sizeof(FilterBlock) + (block_.mapped() ? 0 : block_.size());
  }

 private:
  const BlockRef block_;  // Never of the cache: this object is what the cache holds.
  const FilterProbe probe_;
};

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_FILTER_BLOCK_H_
