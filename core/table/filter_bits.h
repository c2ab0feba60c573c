// Makes the payloads of full filters (filter_format.h) from the hashes of keys.
//
// Thread safety: pure functions.

#ifndef SKARN_CORE_TABLE_FILTER_BITS_H_
#define SKARN_CORE_TABLE_FILTER_BITS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/plugin/filter_policy.h"

namespace skarn {

// What a FilterPolicy means for one table.
struct FilterRecipe {
  enum class Kind : uint8_t { kNone, kLegacyBloom, kFastLocalBloom, kRibbon };

  Kind kind = Kind::kNone;
  double bits_per_key = 0;  // Between 1 and 100.
  uint32_t millibits = 0;   // The same times 1000, rounded.
  // Bloom filters take as many probes as serve the bits that a key gets in fact, which in
  // small filters are more than it was meant to get.
  bool probes_by_size = false;

  // Which hash of a key the filter wants: BloomHash() or Hash64().
  bool uses_hash32() const { return kind == Kind::kLegacyBloom; }
};

// `levelish` is where the table will be: -1 for flushes, INT32_MAX when unknown.
FilterRecipe MakeFilterRecipe(const FilterPolicy& policy, uint32_t format_version, int32_t levelish,
                              bool probes_by_size = false);

// The payload for keys with these hashes, duplicates included as they are. Hashes of
// legacy Bloom filters have 32 bits. Without hashes: a payload that matches nothing.
std::string BuildFilter(const FilterRecipe& recipe, std::span<const uint64_t> hashes);

// Size of the payload for `count` keys; of a Ribbon filter, nearly.
size_t FilterSize(const FilterRecipe& recipe, size_t count);
// How many keys a payload of at most `size_bytes` serves; at least 1.
size_t FilterCapacity(const FilterRecipe& recipe, size_t size_bytes);

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_FILTER_BITS_H_
