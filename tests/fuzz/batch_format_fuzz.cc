// Write batches of any bytes: walked, checked, taken over by WriteBatch and compared.

#include "core/batch/batch_format.h"
#include "core/batch/write_batch.h"
#include "tests/fuzz/fuzz.h"

using namespace skarn;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Slice bytes(reinterpret_cast<const char*>(data), size);
  BatchReader reader(bytes);
  BatchEntry entry;
  size_t entries = 0;
  uint32_t counted = 0;
  while (reader.Next(&entry)) {
    Require(++entries <= size);
    counted += entry.counted ? 1 : 0;
    for (const Slice part : {entry.key, entry.value}) {
      Require(part.empty() || (part.data() >= bytes.data() && part.end() <= bytes.end()));
    }
    if (entry.kind == BatchTag::kTimedPut) {
      Slice value;
      uint64_t time = 0;
      (void)SplitTimedValue(entry.value, &value, &time).ok();
    }
  }
  Require(reader.at_end() || !reader.status().ok());
  const bool whole = CheckBatch(bytes).ok();
  if (whole) Require(reader.status().ok() && counted == BatchCount(bytes));
  if (size < kBatchHeaderSize) return 0;

  WriteBatch batch = WriteBatch::FromBytes(bytes);
  Require(Slice(batch.bytes()) == bytes);
  WriteBatch::Handler handler;
  (void)batch.Iterate(&handler).ok();
  WriteBatch other;
  (void)other.Put(0, "a", "b").ok();
  (void)other.Append(batch).ok();
  (void)(batch.HasPut() || batch.HasDeleteRange() || batch.HasEntity());
  batch.SetSavePoint();
  (void)batch.Delete(1, "key").ok();
  (void)batch.RollbackToSavePoint().ok();
  if (whole) Require(CheckBatch(batch.bytes()).ok());
  return 0;
}
