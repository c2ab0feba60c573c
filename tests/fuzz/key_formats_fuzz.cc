// Wide-column entities, internal keys and range tombstones of any bytes. The first byte chooses.

#include "core/key/internal_key.h"
#include "core/key/range_tombstone.h"
#include "core/key/wide_columns.h"
#include "core/plugin/comparator.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace skarn;

void ReadEntity(Slice bytes) {
  std::vector<WideColumn> columns;
  const bool readable = DecodeWideColumns(bytes, &columns).ok();
  Slice value;
  if (readable) Require(DefaultColumnOf(bytes, &value).ok());
  (void)DefaultColumnOf(bytes, &value).ok();
  std::string changed;
  if (WithDefaultColumn(bytes, "new", &changed).ok()) {
    Require(DefaultColumnOf(changed, &value).ok() && value == "new");
  }
  if (!readable) return;
  std::string again;
  if (!EncodeWideColumns(columns, &again).ok()) return;
  std::vector<WideColumn> same;
  Require(DecodeWideColumns(again, &same).ok() && same.size() == columns.size());
}

void CutTombstones(FuzzInput input) {
  static const KeyOrder order(BytewiseComparator());
  std::vector<RangeTombstone> tombstones;
  while (!input.empty() && tombstones.size() < 40) {
    RangeTombstone tombstone;
    tombstone.start = input.Bytes(4).ToString();
    tombstone.end = input.Bytes(4).ToString();
    tombstone.sequence = input.Byte();
    tombstones.push_back(tombstone);
  }
  const FragmentedTombstones fragments(order, tombstones);
  for (size_t i = 1; i < fragments.fragments().size(); ++i) {
    Require(!(fragments.fragments()[i].start.view() < fragments.fragments()[i - 1].end.view()));
  }
  // Every boundary, at two moments, against what the tombstones say themselves.
  for (const RangeTombstone& at : tombstones) {
    for (const SequenceNumber snapshot : {at.sequence, kMaxSequenceNumber}) {
      SequenceNumber newest = 0;
      for (const RangeTombstone& t : tombstones) {
        if (t.sequence <= snapshot && t.start <= at.start && at.start < t.end) {
          newest = t.sequence > newest ? t.sequence : newest;
        }
      }
      Require(fragments.MaxCovering(at.start, snapshot) == newest);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  FuzzInput input(data, size);
  if (input.Byte() % 2 == 0) {
    ReadEntity(input.rest());
  } else {
    CutTombstones(input);
  }
  return 0;
}
