// Full filters: blocks that tell, from the hash of a key, whether the key may be in a
// file. Three kinds; the last five bytes of a payload tell which:
//
//   byte n-5     kind                       the rest of the payload
//   1 .. 127     legacy Bloom, that many    lines of line_bytes; n-4: fixed32 lines
//                probes
//   0            always "maybe"
//   0xFF         FastLocalBloom             lines of 64 bytes; n-4: 0; n-3: probes;
//                                           n-2, n-1: 0
//   0xFE         Ribbon, "Standard128"      16-byte segments; n-4: seed; n-3: fixed24
//                                           blocks of 128 slots
//   others       always "maybe"
//
// A payload of 5 bytes or less holds no keys. Whatever is not understood is answered
// with "maybe", never with "no".
//
// Thread safety: a plain value; any thread.

#ifndef SKARN_CORE_TABLE_FILTER_FORMAT_H_
#define SKARN_CORE_TABLE_FILTER_FORMAT_H_

#include <cstddef>
#include <cstdint>

#include "core/base/cpu.h"
#include "core/base/hash.h"
#include "core/base/slice.h"

namespace skarn {

inline constexpr size_t kFilterTrailerSize = 5;
inline constexpr uint8_t kFilterMarkerFastLocalBloom = 0xFF;
inline constexpr uint8_t kFilterMarkerRibbon = 0xFE;
inline constexpr size_t kBloomLineBytes = 64;
inline constexpr uint32_t kRibbonBlockSlots = 128;
inline constexpr size_t kRibbonSegmentBytes = 16;
inline constexpr uint32_t kRibbonColumnsMax = 32;

// The answers of one filter payload. Parsed once when the payload is loaded; points into
// the payload, which must outlive it.
//
// For many filters at once: take the hash, call Prefetch() on all, then MayMatch().
class FilterProbe {
 public:
  enum class Kind : uint8_t { kAlways, kNever, kFastLocalBloom, kRibbon, kLegacyBloom };

  // Always "maybe".
  FilterProbe() = default;
  static FilterProbe Parse(Slice payload);

  Kind kind() const { return kind_; }
  // Which of the two hashes of a key MayMatch() and Prefetch() take.
  bool uses_hash32() const { return kind_ == Kind::kLegacyBloom; }
  uint64_t Hash(Slice key) const { return uses_hash32() ? BloomHash(key) : Hash64(key); }

  // Starts loading what MayMatch(hash) reads first.
  void Prefetch(uint64_t hash) const {
    switch (kind_) {
      case Kind::kFastLocalBloom:
        __builtin_prefetch(FastLocalLine(hash));
        break;
      case Kind::kLegacyBloom:
        __builtin_prefetch(LegacyLine(static_cast<uint32_t>(hash)));
        break;
      case Kind::kRibbon:
        PrefetchRibbon(hash);
        break;
      case Kind::kAlways:
      case Kind::kNever:
        break;
    }
  }

  // False: the key is not in the file. `hash` is Hash64(key), or BloomHash(key) when
  // uses_hash32().
  bool MayMatch(uint64_t hash) const {
    switch (kind_) {
      case Kind::kFastLocalBloom: {
        const char* line = FastLocalLine(hash);
        auto bits = static_cast<uint32_t>(hash >> 32);
        if (SKARN_LIKELY(wide_)) return ProbeLineWide(line, bits, probes_);
        for (uint32_t i = probes_; i != 0; --i) {
          const uint32_t bit = bits >> 23;
          if ((line[bit >> 3] & (1 << (bit & 7))) == 0) return false;
          bits *= 0x9E3779B9u;
        }
        return true;
      }
      case Kind::kRibbon:
        return RibbonMayMatch(hash);
      case Kind::kLegacyBloom:
        return LegacyMayMatch(static_cast<uint32_t>(hash));
      case Kind::kAlways:
        return true;
      case Kind::kNever:
        return false;
    }
    return true;
  }

 private:
  const char* FastLocalLine(uint64_t hash) const {
    return data_ + size_t{FastRange32(static_cast<uint32_t>(hash), lines_)} * kBloomLineBytes;
  }
  const char* LegacyLine(uint32_t hash) const {
    return data_ + (size_t{hash % lines_} << line_bits_);
  }
  // Eight probes at a time; for processors with AVX2.
  static bool ProbeLineWide(const char* line, uint32_t bits, uint32_t probes);
  bool LegacyMayMatch(uint32_t hash) const;
  bool RibbonMayMatch(uint64_t hash) const;
  void PrefetchRibbon(uint64_t hash) const;

  const char* data_ = nullptr;
  Kind kind_ = Kind::kAlways;
  uint8_t probes_ = 0;         // Bloom.
  bool wide_ = false;          // FastLocalBloom: the processor has what ProbeLineWide() uses.
  uint8_t line_bits_ = 0;      // Legacy Bloom: log2 of bytes in a line.
  uint32_t lines_ = 0;         // Bloom: lines. Ribbon: blocks of 128 slots.
  uint32_t columns_ = 0;       // Ribbon: columns of the blocks that have more.
  uint32_t short_blocks_ = 0;  // Ribbon: blocks, the first ones, with one column less.
  uint32_t raw_seed_ = 0;      // Ribbon.
};

// What a Ribbon filter derives from a key's hash under a raw seed.
struct RibbonHash {
  uint64_t start = 0;  // First slot.
  unsigned __int128 coefficients = 0;
  uint32_t result = 0;
};
inline uint32_t RibbonRawSeed(uint8_t ordinal) {
  uint64_t seed = uint64_t{ordinal} * 0xC78219A23EEADD03u;
  seed ^= (seed & 0xF0F0F0F0F0F0F0F0u) >> 4;
  return static_cast<uint32_t>(seed);
}
// `starts` is the number of slots less 127.
inline RibbonHash HashForRibbon(uint64_t hash, uint32_t raw_seed, uint64_t starts) {
  RibbonHash out;
  const uint64_t seeded = (hash ^ raw_seed) * 0x6193D459236A3A0Du;
  out.start = FastRange64(seeded, starts);
  const uint64_t a = seeded * 0xC28F82822B650BEDu;
  out.coefficients = (static_cast<unsigned __int128>(a) << 64) | (a ^ 0xC367844A6E52731Du) | 1u;
  out.result = static_cast<uint32_t>(__builtin_bswap64(a));
  return out;
}

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_FILTER_FORMAT_H_
