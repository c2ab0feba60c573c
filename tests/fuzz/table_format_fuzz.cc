// The pure formats of table files on any bytes: nothing may be read outside of them, and
// nothing may run for ever. The first byte chooses the format.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/table/block_builder.h"
#include "core/table/block_trailer.h"
#include "core/table/block_walk.h"
#include "core/table/filter_format.h"
#include "core/table/footer.h"
#include "core/table/properties_block.h"
#include "core/table/table_properties.h"
#include "core/table/unique_id.h"

namespace {

using namespace skarn;

void Require(bool condition) {
  if (!condition) abort();
}

void WalkBlock(Slice bytes, const BlockWalk::Options& options) {
  BlockWalk walk(bytes, options);
  size_t keys = 0;
  while (walk.Next()) {
    ++keys;
    // Entries take at least two bytes each.
    Require(keys <= bytes.size());
    Require(walk.value().empty() ||
            (walk.value().data() >= bytes.data() && walk.value().end() <= bytes.end()));
  }
  (void)walk.status("fuzzed", 0, "file");
}

void ReadFooter(Slice bytes) {
  const uint64_t file_size = bytes.size() + 100000;
  const Result<Footer> footer = DecodeFooter(bytes, file_size, "file");
  if (!footer.ok() || footer->kind != TableKind::kBlockBased) return;
  Require(footer->metaindex.FitsIn(file_size, kBlockTrailerSize));
  std::string again;
  AppendFooter(*footer, &again);
  const Result<Footer> same = DecodeFooter(again, file_size, "file");
  Require(same.ok() && *same == *footer);
}

void ReadProperties(Slice bytes) {
  TableProperties properties;
  if (!ParseProperties(bytes, 1000, "file", &properties).ok()) return;
  TableProperties again;
  Require(ParseProperties(EncodeProperties(properties), 1000, "file", &again).ok());
  Require(again.ToString() == properties.ToString());
  CompressionProperty compression;
  for (const uint32_t version : {5u, 7u}) {
    (void)ParseCompressionProperty(properties.compression_name, version, "file", &compression);
    (void)ParseCompressionProperty(bytes, version, "file", &compression);
  }
  (void)ComputeUniqueId(properties);
}

void ProbeFilter(Slice bytes) {
  const FilterProbe probe = FilterProbe::Parse(bytes);
  for (uint64_t hash = 1; hash != 0; hash <<= 7) {
    probe.Prefetch(hash * 0x9E3779B97F4A7C15u);
    (void)probe.MayMatch(hash * 0x9E3779B97F4A7C15u);
    (void)probe.MayMatch(~hash);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Slice bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  BlockWalk::Options index;
  index.is_index = true;
  index.delta_values = (data[0] & 0x10) != 0;
  index.has_first_key = (data[0] & 0x20) != 0;
  switch (data[0] % 6) {
    case 0:
      ReadFooter(bytes);
      break;
    case 1:
      ReadProperties(bytes);
      break;
    case 2:
      ProbeFilter(bytes);
      break;
    case 3:
      WalkBlock(bytes, index);
      break;
    default:
      WalkBlock(bytes, BlockWalk::Options());
      break;
  }
  return 0;
}
