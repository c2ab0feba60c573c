// FilterPolicy says which filter new tables get. It is data, not code: the filters
// themselves are in core/table.
//
// Thread safety: a plain value, never changed after it was set.

#ifndef SKARN_CORE_PLUGIN_FILTER_POLICY_H_
#define SKARN_CORE_PLUGIN_FILTER_POLICY_H_

#include <cstdint>

namespace skarn {

struct FilterPolicy {
  enum class Kind : uint8_t { kBloom, kRibbon };
  Kind kind = Kind::kBloom;
  double bits_per_key = 10;
  // Ribbon only: levels before this one get a Bloom filter (flushes are level -1,
  // kept as 0 here); INT32_MAX is never Ribbon.
  int32_t bloom_before_level = 0;
};

}  // namespace skarn

#endif  // SKARN_CORE_PLUGIN_FILTER_POLICY_H_
