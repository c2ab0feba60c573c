// The searching readers of single blocks on any bytes: data blocks, index blocks, range
// deletions. The first byte chooses.

#include <cstring>
#include <memory>

#include "core/key/range_tombstone.h"
#include "core/plugin/comparator.h"
#include "core/table/block.h"
#include "core/table/block_cursor.h"
#include "core/table/block_walk.h"
#include "core/table/index_block.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace skarn;

const KeyOrder& Order() {
  static const KeyOrder order(BytewiseComparator());
  return order;
}

void SearchData(FuzzInput input) {
  const Slice key = input.Bytes(20);
  const Slice bytes = input.rest();
  HeapBlock* const block = HeapBlock::Allocate(bytes.size());
  if (!bytes.empty()) memcpy(block->data(), bytes.data(), bytes.size());
  block->set_size(bytes.size());
  uint64_t sum = 0;
  if (block->ParseLayout()) {
    DataBlockCursor cursor;
    cursor.Reset(block->data(), block->layout(), KeyFlavour());
    const auto look = [&] {
      if (!cursor.valid()) return;
      for (const Slice part : {cursor.user_key(), cursor.value()}) {
        for (const char c : part.view()) sum += static_cast<uint8_t>(c);
      }
    };
    size_t steps = 0;
    for (cursor.SeekToFirst(); cursor.valid(); cursor.Next()) {
      look();
      Require(++steps <= bytes.size());
    }
    for (cursor.SeekToLast(); cursor.valid(); cursor.Prev()) {
      look();
      Require(++steps <= 2 * bytes.size());
    }
    cursor.Seek(Order(), key, kMaxTag);
    look();
    if (cursor.valid()) cursor.Prev();
    look();
    if (cursor.valid()) cursor.Next();
    look();
    cursor.SeekForLookup(Order(), key, kMaxTag);
    look();
  }
  block->Unref();
  Require(sum != ~uint64_t{0});
}

void SearchIndex(uint8_t choice, FuzzInput input) {
  IndexFlavour flavour;
  flavour.user_keys_only = (choice & 0x10) != 0;
  flavour.delta_values = (choice & 0x20) != 0;
  flavour.first_keys = (choice & 0x40) != 0;
  const Slice key = input.Bytes(20);
  const auto index = IndexBlock::Parse(input.rest(), flavour, Order(), /*limit=*/1 << 20);
  if (!index.ok()) return;
  Require((*index)->Find(Order(), key, kMaxTag) <= (*index)->count());
  Require((*index)->count() <= input.rest().size());
  for (uint32_t i = 0; i < (*index)->count(); ++i) {
    (void)(*index)->Find(Order(), (*index)->user_key(i), (*index)->tag(i));
    Require((*index)->handle(i).offset + (*index)->handle(i).size <= (1 << 20));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  FuzzInput input(data, size);
  const uint8_t choice = input.Byte();
  if (choice % 2 == 0) {
    SearchData(input);
  } else {
    SearchIndex(choice, input);
  }
  return 0;
}
