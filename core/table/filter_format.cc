#include "core/table/filter_format.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <bit>

#include "core/base/coding.h"

namespace skarn {

namespace {

using Word128 = unsigned __int128;

Word128 LoadSegment(const char* data, uint64_t segment) {
  const char* at = data + segment * kRibbonSegmentBytes;
  return (static_cast<Word128>(DecodeFixed64(at + 8)) << 64) | DecodeFixed64(at);
}

uint32_t Parity(Word128 word) {
  return static_cast<uint32_t>(
      __builtin_parityll(static_cast<uint64_t>(word) ^ static_cast<uint64_t>(word >> 64)));
}

}  // namespace

#if defined(__x86_64__)
SKARN_TARGET("avx2")
bool FilterProbe::ProbeLineWide(const char* line, uint32_t bits, uint32_t probes) {
  constexpr uint32_t kFactor = 0x9E3779B9u;
  uint32_t powers[9] = {1};
  for (int i = 1; i < 9; ++i) powers[i] = powers[i - 1] * kFactor;
  const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(line));
  const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(line) + 1);
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i factors = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(powers));
  for (auto left = static_cast<int>(probes); left > 0; left -= 8, bits *= powers[8]) {
    // Of 9 bits the first 4 tell the word of the line, the others the bit of the word.
    const __m256i at = _mm256_mullo_epi32(_mm256_set1_epi32(static_cast<int>(bits)), factors);
    const __m256i word = _mm256_srli_epi32(at, 28);
    const __m256i words = _mm256_castps_si256(_mm256_blendv_ps(
        _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(low, word)),
        _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(high, word)), _mm256_castsi256_ps(at)));
    __m256i wanted =
        _mm256_sllv_epi32(_mm256_set1_epi32(1), _mm256_srli_epi32(_mm256_slli_epi32(at, 4), 27));
    wanted = _mm256_and_si256(wanted, _mm256_cmpgt_epi32(_mm256_set1_epi32(left), lanes));
    if (_mm256_testc_si256(words, wanted) == 0) return false;
  }
  return true;
}
#else
bool FilterProbe::ProbeLineWide(const char*, uint32_t, uint32_t) { return true; }
#endif

FilterProbe FilterProbe::Parse(Slice payload) {
  FilterProbe probe;
  if (payload.size() <= kFilterTrailerSize) {
    probe.kind_ = Kind::kNever;
    return probe;
  }
  const size_t size = payload.size() - kFilterTrailerSize;
  const char* trailer = payload.data() + size;
  const auto marker = static_cast<uint8_t>(trailer[0]);
  const auto first = static_cast<uint8_t>(trailer[1]);
  const auto second = static_cast<uint8_t>(trailer[2]);

  if (marker == kFilterMarkerFastLocalBloom) {
    const uint32_t probes = second & 31;
    const uint64_t lines = size / kBloomLineBytes;
    if (first != 0 || (second >> 5) != 0 || trailer[3] != 0 || trailer[4] != 0 || probes == 0 ||
        probes > 30 || size % kBloomLineBytes != 0 || lines > UINT32_MAX) {
      return probe;
    }
    probe.kind_ = Kind::kFastLocalBloom;
    probe.probes_ = static_cast<uint8_t>(probes);
    probe.lines_ = static_cast<uint32_t>(lines);
    probe.wide_ = Cpu().avx2;
  } else if (marker == kFilterMarkerRibbon) {
    const uint32_t blocks = DecodeFixed32(trailer + 1) >> 8;
    if (blocks < 2) return probe;
    const uint64_t segments = size / kRibbonSegmentBytes;
    uint64_t columns = (segments + blocks - 1) / blocks;
    uint64_t short_blocks = columns * blocks - segments;
    if (columns > kRibbonColumnsMax) {
      columns = kRibbonColumnsMax;
      short_blocks = 0;
    }
    if (columns == 0) return probe;
    probe.kind_ = Kind::kRibbon;
    probe.lines_ = blocks;
    probe.columns_ = static_cast<uint32_t>(columns);
    probe.short_blocks_ = static_cast<uint32_t>(short_blocks);
    probe.raw_seed_ = RibbonRawSeed(first);
  } else if (marker >= 1 && marker <= 127) {
    const uint32_t lines = DecodeFixed32(trailer + 1);
    if (lines == 0 || size % lines != 0) return probe;
    const uint64_t line_bytes = size / lines;
    if (!std::has_single_bit(line_bytes) || line_bytes > (uint64_t{1} << 28)) return probe;
    probe.kind_ = Kind::kLegacyBloom;
    probe.probes_ = marker;
    probe.lines_ = lines;
    probe.line_bits_ = static_cast<uint8_t>(std::countr_zero(line_bytes));
  } else {
    return probe;
  }
  probe.data_ = payload.data();
  return probe;
}

bool FilterProbe::LegacyMayMatch(uint32_t hash) const {
  const uint32_t delta = std::rotr(hash, 17);
  const char* line = LegacyLine(hash);
  const uint32_t bit_mask = (uint32_t{8} << line_bits_) - 1;
  for (uint32_t i = probes_; i != 0; --i) {
    const uint32_t bit = hash & bit_mask;
    if ((line[bit >> 3] & (1 << (bit & 7))) == 0) return false;
    hash += delta;
  }
  return true;
}

void FilterProbe::PrefetchRibbon(uint64_t hash) const {
  const uint64_t seeded = (hash ^ raw_seed_) * 0x6193D459236A3A0Du;
  const uint64_t start =
      FastRange64(seeded, uint64_t{lines_} * kRibbonBlockSlots - (kRibbonBlockSlots - 1));
  const uint64_t block = start / kRibbonBlockSlots;
  const uint64_t segment = block * columns_ - (block < short_blocks_ ? block : short_blocks_);
  const char* first = data_ + segment * kRibbonSegmentBytes;
  __builtin_prefetch(first);
  // A query reads the segments of two blocks, most often 14 to 20 of them.
  __builtin_prefetch(first + 64);
  __builtin_prefetch(first + size_t{columns_} * kRibbonSegmentBytes);
}

bool FilterProbe::RibbonMayMatch(uint64_t hash) const {
  const uint64_t starts = uint64_t{lines_} * kRibbonBlockSlots - (kRibbonBlockSlots - 1);
  const RibbonHash key = HashForRibbon(hash, raw_seed_, starts);
  const uint64_t block = key.start / kRibbonBlockSlots;
  const auto shift = static_cast<uint32_t>(key.start % kRibbonBlockSlots);
  const bool is_short = block < short_blocks_;
  const uint32_t columns = columns_ - (is_short ? 1 : 0);
  const uint64_t first = block * columns_ - (is_short ? block : short_blocks_);

  // Slots of the next block are read only when shift > 0, and then there is a next
  // block, with at least as many columns: short blocks come first.
  const Word128 low = key.coefficients << shift;
  const Word128 high = shift == 0 ? 0 : key.coefficients >> (kRibbonBlockSlots - shift);
  for (uint32_t column = 0; column < columns; ++column) {
    Word128 bits = LoadSegment(data_, first + column) & low;
    if (shift != 0) bits ^= LoadSegment(data_, first + columns + column) & high;
    if (Parity(bits) != ((key.result >> column) & 1)) return false;
  }
  return true;
}

}  // namespace skarn
