#include "core/table/filter_bits.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "core/base/coding.h"
#include "core/table/filter_format.h"

namespace skarn {

namespace {

using Word128 = unsigned __int128;

// How many keys the loops that fill filters look ahead, to load lines before use.
constexpr size_t kLookAhead = 8;

// --- FastLocalBloom ---

uint32_t BloomProbes(uint32_t millibits) {
  constexpr uint32_t kLimits[] = {2080,  3580,  5100,  6640,  8300,  10070,
                                  11720, 14001, 16050, 18300, 22001, 25501};
  for (uint32_t i = 0; i < std::size(kLimits); ++i) {
    if (millibits <= kLimits[i]) return i + 1;
  }
  return millibits > 50000 ? 24 : (millibits - 1) / 2000 - 1;
}

size_t BloomBytes(uint32_t millibits, size_t count) {
  constexpr uint64_t kBytesMax = 0xFFFFFFC0u;
  const Word128 raw = (static_cast<Word128>(count) * millibits + 7999) / 8000;
  const uint64_t bytes = raw > kBytesMax ? kBytesMax : static_cast<uint64_t>(raw);
  return (bytes + kBloomLineBytes - 1) / kBloomLineBytes * kBloomLineBytes;
}

std::string BuildFastLocalBloom(const FilterRecipe& recipe, std::span<const uint64_t> hashes) {
  const size_t size = BloomBytes(recipe.millibits, hashes.size());
  std::string payload(size + kFilterTrailerSize, '\0');
  const uint64_t actual_millibits = uint64_t{size} * 8000 / hashes.size();
  const uint32_t probes = BloomProbes(
      recipe.probes_by_size ? static_cast<uint32_t>(std::min<uint64_t>(actual_millibits, 100000))
                            : recipe.millibits);
  const auto lines = static_cast<uint32_t>(size / kBloomLineBytes);
  char* data = payload.data();
  const auto line_of = [data, lines](uint64_t hash) {
    return data + size_t{FastRange32(static_cast<uint32_t>(hash), lines)} * kBloomLineBytes;
  };
  for (size_t i = 0; i < std::min(kLookAhead, hashes.size()); ++i) {
    __builtin_prefetch(line_of(hashes[i]), 1);
  }
  for (size_t i = 0; i < hashes.size(); ++i) {
    if (i + kLookAhead < hashes.size()) __builtin_prefetch(line_of(hashes[i + kLookAhead]), 1);
    char* line = line_of(hashes[i]);
    auto bits = static_cast<uint32_t>(hashes[i] >> 32);
    for (uint32_t probe = 0; probe < probes; ++probe) {
      const uint32_t bit = bits >> 23;
      line[bit >> 3] = static_cast<char>(line[bit >> 3] | (1 << (bit & 7)));
      bits *= 0x9E3779B9u;
    }
  }
  data[size] = static_cast<char>(kFilterMarkerFastLocalBloom);
  data[size + 2] = static_cast<char>(probes);
  return payload;
}

// --- Legacy Bloom ---

uint32_t WholeBits(uint32_t millibits) { return (millibits + 500) / 1000; }

uint32_t LegacyLines(uint32_t whole_bits, size_t count) {
  constexpr uint64_t kBitsMax = 0xFFFF0000u;
  const uint64_t bits = std::min(static_cast<uint64_t>(count) * whole_bits, kBitsMax);
  const auto lines = static_cast<uint32_t>((bits + 511) / 512);
  return lines | 1;
}

std::string BuildLegacyBloom(uint32_t millibits, std::span<const uint64_t> hashes) {
  const uint32_t whole_bits = WholeBits(millibits);
  const int probes = std::clamp(static_cast<int>(whole_bits * 0.69), 1, 30);
  const uint32_t lines = LegacyLines(whole_bits, hashes.size());
  const size_t size = size_t{lines} * kBloomLineBytes;
  std::string payload(size + kFilterTrailerSize, '\0');
  char* data = payload.data();
  for (size_t i = 0; i < hashes.size(); ++i) {
    if (i + kLookAhead < hashes.size()) {
      const auto ahead = static_cast<uint32_t>(hashes[i + kLookAhead]);
      __builtin_prefetch(data + size_t{ahead % lines} * kBloomLineBytes, 1);
    }
    auto hash = static_cast<uint32_t>(hashes[i]);
    const uint32_t delta = std::rotr(hash, 17);
    char* line = data + size_t{hash % lines} * kBloomLineBytes;
    for (int probe = 0; probe < probes; ++probe) {
      const uint32_t bit = hash & 511;
      line[bit >> 3] = static_cast<char>(line[bit >> 3] | (1 << (bit & 7)));
      hash += delta;
    }
  }
  data[size] = static_cast<char>(probes);
  EncodeFixed32(data + size + 1, lines);
  return payload;
}

// --- Ribbon ---

constexpr size_t kRibbonKeysMax = 950000000;

// Share of false positives of a Bloom filter with `bits` per key in one run.
double PlainBloomRate(double bits, double probes) {
  return std::pow(1.0 - std::exp(-probes / bits), probes);
}

// The reciprocal of the rate of a Bloom filter that has lines of 512 bits, some of them
// fuller than others.
double BloomOneIn(double bits_per_key, uint32_t probes) {
  const double keys = 512.0 / bits_per_key;
  const double spread = std::sqrt(keys);
  const double rate = (PlainBloomRate(512.0 / (keys + spread), probes) +
                       PlainBloomRate(512.0 / (keys - spread), probes)) /
                      2.0;
  return 1.0 / rate;
}

// How many keys 2^exponent slots hold, so that almost every seed succeeds.
double RibbonKeysForSlots(int exponent) {
  constexpr double kMeasured[] = {248.851, 499.532, 1001.26, 2003.97, 4005.59,
                                  8000.39, 15966.6, 31828.1, 63447.3, 126506};
  if (exponent < 8) return 0;
  if (exponent <= 17) return kMeasured[exponent - 8];
  constexpr double kFactor = 0.0038;
  constexpr double kBase = 131072.0 / 126506.0 - 17 * kFactor;
  return std::ldexp(1.0, exponent) / (kBase + kFactor * exponent);
}

uint64_t RibbonSlots(size_t count) {
  const auto keys = static_cast<double>(count);
  double slots = 256;
  int exponent = static_cast<int>(std::floor(std::log(keys) * 1.4426950409 + 0.5));
  double here = RibbonKeysForSlots(exponent);
  if (exponent > 0 && here > 0) {
    double low = here;
    double high = 0;
    if (keys < here) {
      high = here;
      --exponent;
      low = RibbonKeysForSlots(exponent);
    } else {
      high = RibbonKeysForSlots(exponent + 1);
    }
    const double size = std::ldexp(1.0, exponent);
    slots = std::floor((keys - low) / (high - low) * size + size + 0.999999999);
  }
  const auto whole = static_cast<uint64_t>(slots);
  const uint64_t rounded = (whole + kRibbonBlockSlots - 1) / kRibbonBlockSlots * kRibbonBlockSlots;
  return std::max<uint64_t>(rounded, 2 * kRibbonBlockSlots);
}

// Bytes of segments for so many slots. `bias`, between 0 and 1, spreads the rounding
// over files.
uint64_t RibbonBytes(uint64_t slots, double one_in, double bias) {
  if (!(one_in > 1)) return kRibbonSegmentBytes;
  if (one_in > 4294967295.0) return 4 * slots;
  const uint64_t blocks = slots / kRibbonBlockSlots;
  const uint64_t starts = slots - (kRibbonBlockSlots - 1);
  const int columns = std::bit_width(static_cast<uint64_t>(one_in)) - 1;
  const double rate = 1.0 / one_in;
  const double with_few = std::ldexp(1.0, -columns);
  const double with_more = std::ldexp(1.0, -(columns + 1));
  const double portion = (rate - with_more) / (with_few - with_more);
  const auto short_blocks = std::min(
      blocks,
      static_cast<uint64_t>((portion * static_cast<double>(starts) + bias) / kRibbonBlockSlots));
  return kRibbonSegmentBytes * (blocks * static_cast<uint64_t>(columns) + (blocks - short_blocks));
}

// The equations of all keys, one row per slot, in the shape that is solved from the back.
class RibbonBanding {
 public:
  explicit RibbonBanding(uint64_t slots)
      : slots_(slots), coefficients_(new Word128[slots]), results_(new uint32_t[slots]) {}

  // False when the seed does not serve these keys.
  bool Fill(std::span<const uint64_t> hashes, uint8_t ordinal) {
    std::fill_n(coefficients_.get(), slots_, Word128{0});
    std::fill_n(results_.get(), slots_, uint32_t{0});
    const uint32_t raw_seed = RibbonRawSeed(ordinal);
    const uint64_t starts = slots_ - (kRibbonBlockSlots - 1);
    RibbonHash ahead[kLookAhead];
    const auto load = [&](size_t index) {
      RibbonHash& slot = ahead[index % kLookAhead];
      slot = HashForRibbon(hashes[index], raw_seed, starts);
      __builtin_prefetch(&coefficients_[slot.start], 1);
      __builtin_prefetch(&results_[slot.start], 1);
    };
    for (size_t i = 0; i < std::min(kLookAhead, hashes.size()); ++i) load(i);
    for (size_t i = 0; i < hashes.size(); ++i) {
      const RibbonHash row = ahead[i % kLookAhead];
      if (i + kLookAhead < hashes.size()) load(i + kLookAhead);
      if (!AddRow(row)) return false;
    }
    return true;
  }

  // Writes the solution as `size` bytes of segments.
  void Solve(char* segments, size_t size) const {
    const uint64_t blocks = slots_ / kRibbonBlockSlots;
    const uint64_t count = size / kRibbonSegmentBytes;
    uint64_t columns_max = (count + blocks - 1) / blocks;
    uint64_t short_blocks = columns_max * blocks - count;
    if (columns_max > kRibbonColumnsMax) {
      columns_max = kRibbonColumnsMax;
      short_blocks = 0;
    }
    Word128 state[kRibbonColumnsMax] = {};
    for (uint64_t block = blocks; block-- > 0;) {
      const bool is_short = block < short_blocks;
      const uint64_t columns = columns_max - (is_short ? 1 : 0);
      const uint64_t first = block * columns_max - std::min(block, short_blocks);
      for (uint64_t slot = (block + 1) * kRibbonBlockSlots; slot-- > block * kRibbonBlockSlots;) {
        const Word128 row = coefficients_[slot];
        const uint32_t result = results_[slot];
        for (uint64_t column = 0; column < columns; ++column) {
          const Word128 shifted = state[column] << 1;
          const Word128 masked = shifted & row;
          const int parity = __builtin_parityll(static_cast<uint64_t>(masked) ^
                                                static_cast<uint64_t>(masked >> 64));
          state[column] = shifted | (static_cast<uint32_t>(parity) ^ ((result >> column) & 1));
        }
      }
      for (uint64_t column = 0; column < columns; ++column) {
        char* to = segments + (first + column) * kRibbonSegmentBytes;
        EncodeFixed64(to, static_cast<uint64_t>(state[column]));
        EncodeFixed64(to + 8, static_cast<uint64_t>(state[column] >> 64));
      }
    }
  }

 private:
  bool AddRow(const RibbonHash& row) {
    uint64_t slot = row.start;
    Word128 coefficients = row.coefficients;
    uint32_t result = row.result;
    while (true) {
      const Word128 held = coefficients_[slot];
      if (held == 0) {
        coefficients_[slot] = coefficients;
        results_[slot] = result;
        return true;
      }
      coefficients ^= held;
      result ^= results_[slot];
      if (coefficients == 0) return result == 0;
      const auto low = static_cast<uint64_t>(coefficients);
      const int skip = low != 0 ? __builtin_ctzll(low)
                                : 64 + __builtin_ctzll(static_cast<uint64_t>(coefficients >> 64));
      slot += static_cast<uint64_t>(skip);
      coefficients >>= skip;
    }
  }

  const uint64_t slots_;
  std::unique_ptr<Word128[]> coefficients_;
  std::unique_ptr<uint32_t[]> results_;
};

std::string BuildRibbon(const FilterRecipe& recipe, std::span<const uint64_t> hashes) {
  if (hashes.size() > kRibbonKeysMax) return BuildFastLocalBloom(recipe, hashes);
  const double one_in = BloomOneIn(recipe.bits_per_key, BloomProbes(recipe.millibits));
  const uint64_t slots = RibbonSlots(hashes.size());
  const double bias = (static_cast<double>(hashes[0] >> 32) + 0.5) / 4294967296.0;
  const uint64_t size = RibbonBytes(slots, one_in, bias);
  // Small filters waste much of their slots.
  if (slots < 1024 && BloomBytes(recipe.millibits, hashes.size()) < size) {
    return BuildFastLocalBloom(recipe, hashes);
  }
  RibbonBanding banding(slots);
  const auto first_seed = static_cast<uint8_t>(hashes[0]);
  for (int i = 0; i < 256; ++i) {
    const auto seed = static_cast<uint8_t>(first_seed + i);
    if (!banding.Fill(hashes, seed)) continue;
    std::string payload(size + kFilterTrailerSize, '\0');
    banding.Solve(payload.data(), size);
    char* trailer = payload.data() + size;
    trailer[0] = static_cast<char>(kFilterMarkerRibbon);
    trailer[1] = static_cast<char>(seed);
    const auto blocks = static_cast<uint32_t>(slots / kRibbonBlockSlots);
    trailer[2] = static_cast<char>(blocks);
    trailer[3] = static_cast<char>(blocks >> 8);
    trailer[4] = static_cast<char>(blocks >> 16);
    return payload;
  }
  return BuildFastLocalBloom(recipe, hashes);
}

}  // namespace

FilterRecipe MakeFilterRecipe(const FilterPolicy& policy, uint32_t format_version, int32_t levelish,
                              bool probes_by_size) {
  FilterRecipe recipe;
  recipe.probes_by_size = probes_by_size;
  double bits = policy.bits_per_key;
  if (!(bits >= 0.5)) return recipe;
  bits = bits < 1 ? 1 : (bits < 100 ? bits : 100);
  recipe.bits_per_key = bits;
  recipe.millibits = static_cast<uint32_t>(bits * 1000.0 + 0.500001);
  const bool ribbon = policy.kind == FilterPolicy::Kind::kRibbon &&
                      policy.bloom_before_level != INT32_MAX &&
                      levelish >= policy.bloom_before_level;
  if (ribbon) {
    recipe.kind = FilterRecipe::Kind::kRibbon;
  } else if (policy.kind == FilterPolicy::Kind::kBloom && format_version < 5) {
    recipe.kind = FilterRecipe::Kind::kLegacyBloom;
  } else {
    recipe.kind = FilterRecipe::Kind::kFastLocalBloom;
  }
  return recipe;
}

std::string BuildFilter(const FilterRecipe& recipe, std::span<const uint64_t> hashes) {
  if (hashes.empty()) return std::string(kFilterTrailerSize, '\0');
  switch (recipe.kind) {
    case FilterRecipe::Kind::kLegacyBloom:
      return BuildLegacyBloom(recipe.millibits, hashes);
    case FilterRecipe::Kind::kFastLocalBloom:
      return BuildFastLocalBloom(recipe, hashes);
    case FilterRecipe::Kind::kRibbon:
      return BuildRibbon(recipe, hashes);
    case FilterRecipe::Kind::kNone:
      break;
  }
  // Always "maybe".
  return std::string(kFilterTrailerSize + 1, '\0');
}

size_t FilterSize(const FilterRecipe& recipe, size_t count) {
  if (count == 0) return 0;
  switch (recipe.kind) {
    case FilterRecipe::Kind::kLegacyBloom:
      return size_t{LegacyLines(WholeBits(recipe.millibits), count)} * kBloomLineBytes +
             kFilterTrailerSize;
    case FilterRecipe::Kind::kFastLocalBloom:
      return BloomBytes(recipe.millibits, count) + kFilterTrailerSize;
    case FilterRecipe::Kind::kRibbon: {
      const size_t bloom = BloomBytes(recipe.millibits, count);
      if (count > kRibbonKeysMax) return bloom + kFilterTrailerSize;
      const uint64_t slots = RibbonSlots(count);
      const size_t ribbon =
          RibbonBytes(slots, BloomOneIn(recipe.bits_per_key, BloomProbes(recipe.millibits)), 0.5);
      return (slots < 1024 ? std::min(ribbon, bloom) : ribbon) + kFilterTrailerSize;
    }
    case FilterRecipe::Kind::kNone:
      break;
  }
  return 0;
}

size_t FilterCapacity(const FilterRecipe& recipe, size_t size_bytes) {
  if (recipe.kind == FilterRecipe::Kind::kNone) return SIZE_MAX;
  // The largest count whose filter fits. Sizes grow with counts.
  size_t low = 1;
  size_t high = 2;
  while (high < (size_t{1} << 40) && FilterSize(recipe, high) <= size_bytes) {
    low = high;
    high *= 2;
  }
  while (low + 1 < high) {
    const size_t middle = low + (high - low) / 2;
    if (FilterSize(recipe, middle) <= size_bytes) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace skarn
