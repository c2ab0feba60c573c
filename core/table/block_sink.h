// BlockSink is where the parts of a table builder put the blocks they have finished.

#ifndef SKARN_CORE_TABLE_BLOCK_SINK_H_
#define SKARN_CORE_TABLE_BLOCK_SINK_H_

#include "core/base/slice.h"
#include "core/base/status.h"
#include "core/table/block_handle.h"

namespace skarn {

// What a block is for; decides about compression and about caching it.
enum class BlockRole : uint8_t {
  kData,
  kIndex,  // A whole index, or the top of a two-level one.
  kIndexPartition,
  kHashIndex,  // The two prefix blocks of a hash index.
  kFilter,     // A whole filter.
  kFilterPartition,
  kFilterIndex,  // The index of filter partitions.
  kOther,
};

class BlockSink {
 public:
  virtual ~BlockSink() = default;
  // Writes `payload` after all that was written before and tells where it went.
  virtual Status Write(BlockRole role, Slice payload, BlockHandle* handle) = 0;
};

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_BLOCK_SINK_H_
