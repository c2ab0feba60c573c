// The bytes of a write batch, and a decoder of them that costs no virtual call.
//
//   offset  bytes  field
//   0       8      sequence   of the first entry; 0 until the batch is written
//   8       4      count      entries that take a sequence number
//   12      ...    entries, one after the other up to the end
//
//   entry:  1 byte BatchTag, [varint32 column family], [bytes], [bytes]
//   bytes:  varint32 length, then that many
//
// Numbers are little-endian. docs/formats/write_batch.md has the meaning of each tag.
//
// Thread safety: BatchReader: one thread at a time. The rest are pure functions.

#ifndef SKARN_CORE_BATCH_BATCH_FORMAT_H_
#define SKARN_CORE_BATCH_BATCH_FORMAT_H_

#include <array>
#include <cstdint>
#include <cstring>

#include "core/base/coding.h"
#include "core/base/cpu.h"
#include "core/base/slice.h"
#include "core/base/status.h"

namespace skarn {

inline constexpr size_t kBatchHeaderSize = 8 + 4;
inline constexpr size_t kBatchCountOffset = 8;

// Stored on disk: never renumber, never reuse.
enum class BatchTag : uint8_t {
  kDelete = 0x00,
  kPut = 0x01,
  kMerge = 0x02,
  kLogData = 0x03,  // Not an entry: for whoever reads the log.
  kDeleteCf = 0x04,
  kPutCf = 0x05,
  kMergeCf = 0x06,
  kSingleDelete = 0x07,
  kSingleDeleteCf = 0x08,
  kBeginPrepare = 0x09,
  kEndPrepare = 0x0A,
  kCommit = 0x0B,
  kRollback = 0x0C,
  kNoop = 0x0D,
  kDeleteRangeCf = 0x0E,  // This pair and the next have the form with a family first.
  kDeleteRange = 0x0F,
  kBlobIndexCf = 0x10,
  kBlobIndex = 0x11,
  kBeginPersistedPrepare = 0x12,
  kBeginUnprepare = 0x13,
  kCommitWithTimestamp = 0x15,
  kEntity = 0x16,
  kEntityCf = 0x17,
  kTimedPut = 0x18,
  kTimedPutCf = 0x19,
};

inline uint64_t BatchSequence(Slice bytes) {
  return bytes.size() < kBatchHeaderSize ? 0 : DecodeFixed64(bytes.data());
}
inline uint32_t BatchCount(Slice bytes) {
  return bytes.size() < kBatchHeaderSize ? 0 : DecodeFixed32(bytes.data() + kBatchCountOffset);
}

struct BatchEntry {
  BatchTag kind;    // The form without a column family, whichever form was stored.
  bool counted;     // Takes a sequence number.
  uint32_t family;  // Column family id.
  Slice key;    // Key, range start, xid; the commit timestamp of kCommitWithTimestamp; log data.
  Slice value;  // Value, operand, range end, entity, blob index; xid of kCommitWithTimestamp.
};

namespace internal {
// What follows each tag.
struct BatchForm {
  BatchTag kind = BatchTag::kNoop;
  uint8_t parts = 0;
  bool family = false;
  bool counted = false;
  bool known = false;
};
constexpr std::array<BatchForm, 0x1A> MakeBatchForms() {
  std::array<BatchForm, 0x1A> forms{};
  auto set = [&forms](BatchTag tag, BatchTag kind, uint8_t parts, bool family, bool counted) {
    forms[static_cast<size_t>(tag)] = BatchForm{kind, parts, family, counted, /*known=*/true};
  };
  auto pair = [&set](BatchTag plain, BatchTag with_family, uint8_t parts) {
    set(plain, plain, parts, /*family=*/false, /*counted=*/true);
    set(with_family, plain, parts, /*family=*/true, /*counted=*/true);
  };
  auto marker = [&set](BatchTag tag, uint8_t parts) {
    set(tag, tag, parts, /*family=*/false, /*counted=*/false);
  };
  pair(BatchTag::kDelete, BatchTag::kDeleteCf, 1);
  pair(BatchTag::kPut, BatchTag::kPutCf, 2);
  pair(BatchTag::kMerge, BatchTag::kMergeCf, 2);
  pair(BatchTag::kSingleDelete, BatchTag::kSingleDeleteCf, 1);
  pair(BatchTag::kDeleteRange, BatchTag::kDeleteRangeCf, 2);
  pair(BatchTag::kBlobIndex, BatchTag::kBlobIndexCf, 2);
  pair(BatchTag::kEntity, BatchTag::kEntityCf, 2);
  pair(BatchTag::kTimedPut, BatchTag::kTimedPutCf, 2);
  marker(BatchTag::kLogData, 1);
  marker(BatchTag::kNoop, 0);
  marker(BatchTag::kBeginPrepare, 0);
  marker(BatchTag::kBeginPersistedPrepare, 0);
  marker(BatchTag::kBeginUnprepare, 0);
  marker(BatchTag::kEndPrepare, 1);
  marker(BatchTag::kCommit, 1);
  marker(BatchTag::kCommitWithTimestamp, 2);
  marker(BatchTag::kRollback, 1);
  return forms;
}
inline constexpr std::array<BatchForm, 0x1A> kBatchForms = MakeBatchForms();
}  // namespace internal

// Walks the entries of a batch that may hold any bytes.
//
//   BatchReader reader(bytes);
//   while (reader.Next(&entry)) ...
//   if (!reader.status().ok()) return reader.status();
class BatchReader {
 public:
  explicit BatchReader(Slice bytes) : start_(bytes.data()), next_(bytes.data()), end_(bytes.end()) {
    if (bytes.size() < kBatchHeaderSize) {
      Fail(/*tag=*/-1);
    } else {
      next_ += kBatchHeaderSize;
    }
  }

  // False at the end and on an error. `entry` points into the batch.
  bool Next(BatchEntry* entry) {
    if (next_ >= end_) return false;
    const auto tag = static_cast<uint8_t>(*next_);
    const internal::BatchForm form =
        tag < internal::kBatchForms.size() ? internal::kBatchForms[tag] : internal::BatchForm{};
    const char* at = next_ + 1;
    uint32_t size = 0;
    entry->family = 0;
    entry->kind = form.kind;
    entry->counted = form.counted;
    if (SKARN_UNLIKELY(form.family)) {
      at = DecodeVarint32(at, end_, &entry->family);
      if (SKARN_UNLIKELY(at == nullptr)) return Fail(tag);
    }
    if (SKARN_LIKELY(form.parts != 0)) {
      at = DecodeVarint32(at, end_, &size);
      if (SKARN_UNLIKELY(at == nullptr || size > static_cast<size_t>(end_ - at))) return Fail(tag);
      entry->key = Slice(at, size);
      at += size;
      if (form.parts == 2) {
        at = DecodeVarint32(at, end_, &size);
        if (SKARN_UNLIKELY(at == nullptr || size > static_cast<size_t>(end_ - at))) {
          return Fail(tag, /*second_part=*/true);
        }
        entry->value = Slice(at, size);
        at += size;
      }
    } else if (SKARN_UNLIKELY(!form.known)) {
      return Fail(tag);
    }
    next_ = at;
    return true;
  }

  const Status& status() const { return status_; }
  bool at_end() const { return next_ >= end_; }
  // Bytes from the start of the batch to the next entry.
  size_t offset() const { return static_cast<size_t>(next_ - start_); }

 private:
  // `tag` -1: the batch is shorter than its header.
  [[gnu::cold, gnu::noinline]] bool Fail(int tag, bool second_part = false);

  const char* const start_;
  const char* next_;
  const char* end_;
  Status status_;
};

// Splits the value of a kTimedPut entry. Corruption when it is too short.
Status SplitTimedValue(Slice stored, Slice* value, uint64_t* write_time_s);

// Ok when every entry can be read and their number is the batch's count.
Status CheckBatch(Slice bytes);

}  // namespace skarn

#endif  // SKARN_CORE_BATCH_BATCH_FORMAT_H_
