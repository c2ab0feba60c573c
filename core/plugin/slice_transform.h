// SliceTransform extracts the prefix of a key, for prefix filters and prefix scans.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_PLUGIN_SLICE_TRANSFORM_H_
#define SKARN_CORE_PLUGIN_SLICE_TRANSFORM_H_

#include <memory>
#include <string>

#include "core/base/slice.h"

namespace skarn {

class SliceTransform {
 public:
  virtual ~SliceTransform() = default;
  // Stored in tables, with the length for the built-in ones: "rocksdb.FixedPrefix.4".
  virtual const std::string& Name() const = 0;
  // Precondition: InDomain(key).
  virtual Slice Transform(Slice key) const = 0;
  virtual bool InDomain(Slice key) const = 0;
  // For built-in transforms with one prefix length: that length; else 0.
  virtual size_t FixedLength() const { return 0; }
};

std::shared_ptr<const SliceTransform> NewFixedPrefixTransform(size_t length);
std::shared_ptr<const SliceTransform> NewCappedPrefixTransform(size_t length);
std::shared_ptr<const SliceTransform> NewNoopTransform();

}  // namespace skarn

#endif  // SKARN_CORE_PLUGIN_SLICE_TRANSFORM_H_
