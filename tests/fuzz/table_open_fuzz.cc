// Whole table files of any bytes: opened, walked both ways, sought, asked for keys. The corpus
// has tables without checksums, so that damage inside blocks gets past the door.

#include <algorithm>
#include <cstring>
#include <memory>

#include "core/cache/cache.h"
#include "core/key/point_lookup.h"
#include "core/plugin/comparator.h"
#include "core/plugin/slice_transform.h"
#include "core/table/table_reader.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace skarn;

// Mapped or not, the bytes lie in a block of their own.
class BytesFile final : public RandomAccessFile {
 public:
  BytesFile(Slice bytes, bool mapped)
      : size_(bytes.size()), bytes_(new char[bytes.size()]), mapped_(mapped) {
    if (size_ > 0) memcpy(bytes_.get(), bytes.data(), size_);
  }
  Status Read(uint64_t offset, size_t size, Slice* result, char* scratch) const override {
    if (offset > size_) return Status::IoError("read past the end");
    size = std::min<size_t>(size, size_ - offset);
    memcpy(scratch, bytes_.get() + offset, size);
    *result = Slice(scratch, size);
    return Status::Ok();
  }
  Slice Mapping() const override { return mapped_ ? Slice(bytes_.get(), size_) : Slice(); }
  Result<uint64_t> Size() const override { return uint64_t{size_}; }

 private:
  const size_t size_;
  const std::unique_ptr<char[]> bytes_;
  const bool mapped_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static const KeyOrder order(BytewiseComparator());
  FuzzInput input(data, size);
  const uint8_t choice = input.Byte();
  const Slice bytes = input.rest();
  TableReaderOptions options;
  options.order = &order;
  options.path = "fuzzed";
  options.table.filter_policy = std::make_shared<FilterPolicy>();
  options.prefix_extractor = NewFixedPrefixTransform(3);
  options.file_size_bytes = bytes.size();
  options.table.cache_index_and_filter_blocks = (choice & 1) != 0;
  auto table = TableReader::Open(options, std::make_unique<BytesFile>(bytes, (choice & 2) != 0));
  if (!table.ok()) return 0;
  ReadOptions read;
  read.total_order_seek = (choice & 4) != 0;
  read.verify_checksums = (choice & 8) == 0;
  uint64_t sum = 0;
  std::string key = "key";
  auto cursor = (*table)->NewCursor(read, TableCaller::kUser, false);
  const auto look = [&] {
    for (const char c : cursor->user_key().view()) sum += static_cast<uint8_t>(c);
    if (!cursor->PrepareValue()) return;
    for (const char c : cursor->value().view()) sum += static_cast<uint8_t>(c);
  };
  size_t steps = 0;
  for (cursor->SeekToFirst(); cursor->valid() && ++steps < 5000; cursor->Next()) {
    look();
    if (steps % 7 == 1) key = cursor->user_key().ToString();
  }
  for (cursor->SeekToLast(); cursor->valid() && ++steps < 10000; cursor->Prev()) look();
  cursor->Seek(key, kMaxTag);
  if (cursor->valid()) look();
  if (cursor->valid()) cursor->Prev();
  cursor->SeekForPrev(key, 0);
  if (cursor->valid()) cursor->Next();

  PinnedValue value;
  PointLookup lookup(order, key, kMaxSequenceNumber, Slice(), nullptr, &value);
  (*table)->Get(read, &lookup, false);
  lookup.Finish();
  (void)(*table)->KeyMayMatch(read, key);
  if (const auto tombstones = (*table)->Tombstones(); tombstones != nullptr) {
    (void)tombstones->MaxCovering(key, kMaxSequenceNumber);
  }
  std::vector<TableReader::Anchor> anchors;
  (void)(*table)->Anchors(4, &anchors).ok();
  (void)(*table)->ApproximateOffset(key, kMaxTag);
  (void)(*table)->VerifyChecksums(read).ok();
  Require(sum != ~uint64_t{0});
  return 0;
}
