#include "core/batch/write_batch.h"

#include <limits>

#include "core/base/coding.h"
#include "core/base/cpu.h"
#include "core/batch/batch_format.h"
#include "core/key/key_bytes.h"

namespace skarn {
namespace {

// What a batch holds. Not stored.
enum Flag : uint32_t {
  kHasPut = 1 << 0,
  kHasDelete = 1 << 1,
  kHasSingleDelete = 1 << 2,
  kHasMerge = 1 << 3,
  kHasDeleteRange = 1 << 4,
  kHasBlobIndex = 1 << 5,
  kHasEntity = 1 << 6,
  kHasBeginPrepare = 1 << 7,
  kHasEndPrepare = 1 << 8,
  kHasCommit = 1 << 9,
  kHasRollback = 1 << 10,
  kHasTimedPut = 1 << 11,
  kHasFamily = 1 << 12,          // Something for another family than the default one.
  kForeign = 1 << 13,            // Bytes that this class did not write.
  kUnknown = uint32_t{1} << 31,  // Made from bytes and not looked at yet.
};

uint32_t FlagOf(BatchTag kind) {
  switch (kind) {
    case BatchTag::kPut:
      return kHasPut;
    case BatchTag::kDelete:
      return kHasDelete;
    case BatchTag::kSingleDelete:
      return kHasSingleDelete;
    case BatchTag::kMerge:
      return kHasMerge;
    case BatchTag::kDeleteRange:
      return kHasDeleteRange;
    case BatchTag::kBlobIndex:
      return kHasBlobIndex;
    case BatchTag::kEntity:
      return kHasEntity;
    case BatchTag::kTimedPut:
      return kHasTimedPut;
    case BatchTag::kBeginPrepare:
    case BatchTag::kBeginPersistedPrepare:
    case BatchTag::kBeginUnprepare:
      return kHasBeginPrepare;
    case BatchTag::kEndPrepare:
      return kHasEndPrepare;
    case BatchTag::kCommit:
    case BatchTag::kCommitWithTimestamp:
      return kHasCommit;
    case BatchTag::kRollback:
      return kHasRollback;
    default:
      return 0;
  }
}

constexpr size_t kKeySizeMax = std::numeric_limits<uint32_t>::max() - kTagSize;
constexpr size_t kValueSizeMax = std::numeric_limits<uint32_t>::max();

size_t TotalSize(const Slice* parts, size_t count) {
  size_t total = 0;
  for (size_t i = 0; i < count; ++i) total += parts[i].size();
  return total;
}

uint8_t Byte(BatchTag tag) { return static_cast<uint8_t>(tag); }

Status TooSmall() { return Status::Corruption("malformed WriteBatch (too small)"); }

}  // namespace

WriteBatch::WriteBatch(size_t reserved_bytes, size_t max_bytes, size_t protection_bytes_per_key,
                       size_t default_timestamp_size)
    : max_bytes_(max_bytes),
      protection_bytes_per_key_(protection_bytes_per_key),
      default_timestamp_size_(default_timestamp_size) {
  if (reserved_bytes > kBatchHeaderSize) bytes_.reserve(reserved_bytes);
  bytes_.resize(kBatchHeaderSize);
}

WriteBatch WriteBatch::FromBytes(Slice bytes) {
  WriteBatch batch;
  batch.bytes_.assign(bytes.data(), bytes.size());
  batch.flags_ = kUnknown | kForeign;
  return batch;
}

uint32_t WriteBatch::count() const { return BatchCount(bytes_); }
SequenceNumber WriteBatch::sequence() const { return BatchSequence(bytes_); }
void WriteBatch::set_sequence(SequenceNumber sequence) {
  if (bytes_.size() >= kBatchHeaderSize) EncodeFixed64(bytes_.data(), sequence);
}

WriteBatch::SavePoint WriteBatch::Mark() const { return {bytes_.size(), count(), flags_}; }

void WriteBatch::RollbackTo(const SavePoint& point) {
  bytes_.resize(point.size);
  EncodeFixed32(bytes_.data() + kBatchCountOffset, point.count);
  flags_ = point.flags;
}

Status WriteBatch::AddEntry(uint8_t tag, uint8_t tag_with_family, uint32_t flag, uint32_t cf,
                            const Slice* key, size_t key_parts, const Slice* value,
                            size_t value_parts) {
  if (bytes_.size() < kBatchHeaderSize) return TooSmall();
  const size_t key_size = TotalSize(key, key_parts);
  const size_t value_size = TotalSize(value, value_parts);
  const bool range = tag == Byte(BatchTag::kDeleteRange);
  if (key_size > kKeySizeMax) return Status::InvalidArgument("key is too large");
  if (range && value_size > kKeySizeMax) return Status::InvalidArgument("end key is too large");
  if (value_size > kValueSizeMax) {
    return Status::InvalidArgument(
        tag == Byte(BatchTag::kEntity) ? "wide column entity is too large" : "value is too large");
  }
  const SavePoint before = Mark();
  // Tag, family, sizes and a short key are put together first: appending has its price.
  constexpr size_t kShortKey = 64;
  char head[1 + 3 * kMaxVarint32Size + kShortKey];
  char* to = head;
  *to++ = static_cast<char>(cf == 0 ? tag : tag_with_family);
  if (SKARN_UNLIKELY(cf != 0)) {
    to = EncodeVarint32(to, cf);
    flag |= kHasFamily;
  }
  to = EncodeVarint32(to, static_cast<uint32_t>(key_size));
  if (SKARN_LIKELY(key_parts == 1 && key_size <= kShortKey)) {
    CopyKeyBytes(to, key->data(), key_size);
    to += key_size;
  } else {
    bytes_.append(head, static_cast<size_t>(to - head));
    to = head;
    for (size_t i = 0; i < key_parts; ++i) bytes_.append(key[i].data(), key[i].size());
  }
  if (tag != Byte(BatchTag::kDelete) && tag != Byte(BatchTag::kSingleDelete)) {
    to = EncodeVarint32(to, static_cast<uint32_t>(value_size));
  }
  bytes_.append(head, static_cast<size_t>(to - head));
  for (size_t i = 0; i < value_parts; ++i) bytes_.append(value[i].data(), value[i].size());
  EncodeFixed32(bytes_.data() + kBatchCountOffset, before.count + 1);
  flags_ |= flag;
  if (max_bytes_ != 0 && bytes_.size() > max_bytes_) {
    RollbackTo(before);
    return Status(Status::Code::kAborted, Status::Subcode::kMemoryLimit);
  }
  return Status::Ok();
}

Status WriteBatch::PutParts(uint32_t cf, const Slice* key, size_t key_parts, const Slice* value,
                            size_t value_parts) {
  return AddEntry(Byte(BatchTag::kPut), Byte(BatchTag::kPutCf), kHasPut, cf, key, key_parts, value,
                  value_parts);
}
Status WriteBatch::MergeParts(uint32_t cf, const Slice* key, size_t key_parts, const Slice* value,
                              size_t value_parts) {
  return AddEntry(Byte(BatchTag::kMerge), Byte(BatchTag::kMergeCf), kHasMerge, cf, key, key_parts,
                  value, value_parts);
}
Status WriteBatch::DeleteParts(uint32_t cf, const Slice* key, size_t key_parts) {
  return AddEntry(Byte(BatchTag::kDelete), Byte(BatchTag::kDeleteCf), kHasDelete, cf, key,
                  key_parts, nullptr, 0);
}
Status WriteBatch::SingleDelete(uint32_t cf, Slice key) {
  return AddEntry(Byte(BatchTag::kSingleDelete), Byte(BatchTag::kSingleDeleteCf), kHasSingleDelete,
                  cf, &key, 1, nullptr, 0);
}
Status WriteBatch::DeleteRangeParts(uint32_t cf, const Slice* begin, size_t begin_parts,
                                    const Slice* end, size_t end_parts) {
  return AddEntry(Byte(BatchTag::kDeleteRange), Byte(BatchTag::kDeleteRangeCf), kHasDeleteRange, cf,
                  begin, begin_parts, end, end_parts);
}
Status WriteBatch::PutEntity(uint32_t cf, Slice key, Slice entity) {
  return AddEntry(Byte(BatchTag::kEntity), Byte(BatchTag::kEntityCf), kHasEntity, cf, &key, 1,
                  &entity, 1);
}
Status WriteBatch::PutBlobIndex(uint32_t cf, Slice key, Slice index) {
  return AddEntry(Byte(BatchTag::kBlobIndex), Byte(BatchTag::kBlobIndexCf), kHasBlobIndex, cf, &key,
                  1, &index, 1);
}
Status WriteBatch::TimedPut(uint32_t cf, Slice key, Slice value, uint64_t write_time_s) {
  if (write_time_s == std::numeric_limits<uint64_t>::max()) return Put(cf, key, value);
  char time[sizeof(write_time_s)];
  EncodeFixed64(time, write_time_s);
  const Slice parts[] = {value, Slice(time, sizeof(time))};
  return AddEntry(Byte(BatchTag::kTimedPut), Byte(BatchTag::kTimedPutCf), kHasTimedPut, cf, &key, 1,
                  parts, 2);
}

Status WriteBatch::Put(uint32_t cf, Slice key, Slice value) {
  return PutParts(cf, &key, 1, &value, 1);
}
Status WriteBatch::Merge(uint32_t cf, Slice key, Slice operand) {
  return MergeParts(cf, &key, 1, &operand, 1);
}
Status WriteBatch::Delete(uint32_t cf, Slice key) { return DeleteParts(cf, &key, 1); }
Status WriteBatch::DeleteRange(uint32_t cf, Slice begin, Slice end) {
  return DeleteRangeParts(cf, &begin, 1, &end, 1);
}

Status WriteBatch::PutLogData(Slice blob) {
  if (bytes_.size() < kBatchHeaderSize) return TooSmall();
  const SavePoint before = Mark();
  AddMarker(Byte(BatchTag::kLogData), &blob, 1);
  if (max_bytes_ != 0 && bytes_.size() > max_bytes_) {
    RollbackTo(before);
    return Status(Status::Code::kAborted, Status::Subcode::kMemoryLimit);
  }
  return Status::Ok();
}

void WriteBatch::AddMarker(uint8_t tag, const Slice* body, size_t count) {
  if (bytes_.size() < kBatchHeaderSize) return;
  bytes_.push_back(static_cast<char>(tag));
  for (size_t i = 0; i < count; ++i) PutLengthPrefixed(&bytes_, body[i]);
  flags_ |= FlagOf(static_cast<BatchTag>(tag));
}

void WriteBatch::MarkNoop() { AddMarker(Byte(BatchTag::kNoop), nullptr, 0); }
void WriteBatch::MarkEndPrepare(Slice xid, uint8_t begin_tag) {
  if (bytes_.size() > kBatchHeaderSize &&
      static_cast<uint8_t>(bytes_[kBatchHeaderSize]) == Byte(BatchTag::kNoop)) {
    bytes_[kBatchHeaderSize] = static_cast<char>(begin_tag);
    flags_ |= kHasBeginPrepare;
  }
  AddMarker(Byte(BatchTag::kEndPrepare), &xid, 1);
}
void WriteBatch::MarkCommit(Slice xid) { AddMarker(Byte(BatchTag::kCommit), &xid, 1); }
void WriteBatch::MarkCommitWithTimestamp(Slice xid, Slice timestamp) {
  const Slice parts[] = {timestamp, xid};
  AddMarker(Byte(BatchTag::kCommitWithTimestamp), parts, 2);
}
void WriteBatch::MarkRollback(Slice xid) { AddMarker(Byte(BatchTag::kRollback), &xid, 1); }
void WriteBatch::MarkWalEnd() {
  wal_size_ = bytes_.size();
  wal_count_ = count();
}

Status WriteBatch::UpdateTimestamps(Slice timestamp, size_t (*timestamp_size_of)(void*, uint32_t),
                                    void* state) {
  BatchReader reader(bytes_);
  BatchEntry entry;
  char* const base = bytes_.data();
  while (reader.Next(&entry)) {
    if (!entry.counted) continue;
    const size_t size = timestamp_size_of(state, entry.family);
    if (size == 0) continue;
    if (size == std::numeric_limits<size_t>::max()) return Status::NotFound();
    if (size != timestamp.size() || entry.key.size() < size) {
      return Status::InvalidArgument("timestamp size mismatch");
    }
    memcpy(base + (entry.key.end() - base) - size, timestamp.data(), size);
    if (entry.kind == BatchTag::kDeleteRange) {
      if (entry.value.size() < size) return Status::InvalidArgument("timestamp size mismatch");
      memcpy(base + (entry.value.end() - base) - size, timestamp.data(), size);
    }
  }
  if (!reader.status().ok()) return reader.status();
  needs_timestamps_ = false;
  return Status::Ok();
}

void WriteBatch::Clear() {
  bytes_.assign(kBatchHeaderSize, '\0');
  save_points_.clear();
  flags_ = 0;
  wal_size_ = 0;
  wal_count_ = 0;
  needs_timestamps_ = false;
}

void WriteBatch::SetSavePoint() { save_points_.push_back(Mark()); }

Status WriteBatch::RollbackToSavePoint() {
  if (save_points_.empty()) return Status::NotFound();
  const SavePoint point = save_points_.back();
  save_points_.pop_back();
  if (bytes_.size() < kBatchHeaderSize || point.size < kBatchHeaderSize) return TooSmall();
  RollbackTo(point);
  return Status::Ok();
}

Status WriteBatch::PopSavePoint() {
  if (save_points_.empty()) return Status::NotFound();
  save_points_.pop_back();
  return Status::Ok();
}

Status WriteBatch::Append(const WriteBatch& other) {
  if (bytes_.size() < kBatchHeaderSize || other.bytes_.size() < kBatchHeaderSize) return TooSmall();
  const uint32_t total = count() + other.count();
  const uint32_t flags = other.flags_;
  bytes_.append(other.bytes_, kBatchHeaderSize, std::string::npos);
  EncodeFixed32(bytes_.data() + kBatchCountOffset, total);
  flags_ |= flags;
  needs_timestamps_ |= other.needs_timestamps_;
  return Status::Ok();
}

uint32_t WriteBatch::Flags() const {
  if ((flags_ & kUnknown) != 0) {
    uint32_t flags = flags_ & ~kUnknown;
    BatchReader reader(bytes_);
    BatchEntry entry;
    while (reader.Next(&entry)) flags |= FlagOf(entry.kind);
    flags_ = flags;
  }
  return flags_;
}

bool WriteBatch::IsPlain() const {
  return (flags_ & ~uint32_t{kHasPut | kHasDelete | kHasSingleDelete}) == 0;
}

bool WriteBatch::HasPut() const { return (Flags() & kHasPut) != 0; }
bool WriteBatch::HasDelete() const { return (Flags() & kHasDelete) != 0; }
bool WriteBatch::HasSingleDelete() const { return (Flags() & kHasSingleDelete) != 0; }
bool WriteBatch::HasMerge() const { return (Flags() & kHasMerge) != 0; }
bool WriteBatch::HasDeleteRange() const { return (Flags() & kHasDeleteRange) != 0; }
bool WriteBatch::HasEntity() const { return (Flags() & kHasEntity) != 0; }

Status WriteBatch::Iterate(Handler* handler) const {
  BatchReader reader(bytes_);
  BatchEntry entry;
  uint32_t found = 0;
  // Whether nothing came since the start or the last marker that ends a sub-batch.
  bool empty_batch = true;
  while (!reader.at_end()) {
    if (!handler->Continue()) return Status::Ok();
    if (!reader.Next(&entry)) break;
    found += entry.counted;
    if (entry.counted) empty_batch = false;
    Status s;
    switch (entry.kind) {
      case BatchTag::kPut:
        s = handler->Put(entry.family, entry.key, entry.value);
        break;
      case BatchTag::kDelete:
        s = handler->Delete(entry.family, entry.key);
        break;
      case BatchTag::kSingleDelete:
        s = handler->SingleDelete(entry.family, entry.key);
        break;
      case BatchTag::kDeleteRange:
        s = handler->DeleteRange(entry.family, entry.key, entry.value);
        break;
      case BatchTag::kMerge:
        s = handler->Merge(entry.family, entry.key, entry.value);
        break;
      case BatchTag::kEntity:
        s = handler->PutEntity(entry.family, entry.key, entry.value);
        break;
      case BatchTag::kBlobIndex:
        s = handler->PutBlobIndex(entry.family, entry.key, entry.value);
        break;
      case BatchTag::kTimedPut: {
        Slice value;
        uint64_t write_time_s = 0;
        s = SplitTimedValue(entry.value, &value, &write_time_s);
        if (s.ok()) s = handler->TimedPut(entry.family, entry.key, value, write_time_s);
        break;
      }
      case BatchTag::kLogData:
        handler->LogData(entry.key);
        break;
      case BatchTag::kNoop:
        s = handler->MarkNoop(empty_batch);
        empty_batch = true;
        break;
      case BatchTag::kBeginPrepare:
      case BatchTag::kBeginPersistedPrepare:
      case BatchTag::kBeginUnprepare:
        s = handler->MarkBeginPrepare(Byte(entry.kind));
        empty_batch = false;
        break;
      case BatchTag::kEndPrepare:
        s = handler->MarkEndPrepare(entry.key);
        empty_batch = true;
        break;
      case BatchTag::kCommit:
        s = handler->MarkCommit(entry.key);
        empty_batch = true;
        break;
      case BatchTag::kCommitWithTimestamp:
        s = handler->MarkCommitWithTimestamp(entry.value, entry.key);
        empty_batch = true;
        break;
      case BatchTag::kRollback:
        s = handler->MarkRollback(entry.key);
        empty_batch = true;
        break;
      default:
        assert(false);  // The reader gives the forms without a family only.
        break;
    }
    if (!s.ok()) return s;
  }
  if (!reader.status().ok()) return reader.status();
  if (found != count()) return Status::Corruption("WriteBatch has wrong count");
  return Status::Ok();
}

// What is not overridden. Entries of the default column family that RocksDB's handlers
// may leave out are passed over in silence.

Status WriteBatch::Handler::Put(uint32_t cf, Slice, Slice) {
  if (cf == 0) return Status::Ok();
  return Status::InvalidArgument("non-default column family and PutCF not implemented");
}
Status WriteBatch::Handler::Delete(uint32_t cf, Slice) {
  if (cf == 0) return Status::Ok();
  return Status::InvalidArgument("non-default column family and DeleteCF not implemented");
}
Status WriteBatch::Handler::SingleDelete(uint32_t cf, Slice) {
  if (cf == 0) return Status::Ok();
  return Status::InvalidArgument("non-default column family and SingleDeleteCF not implemented");
}
Status WriteBatch::Handler::Merge(uint32_t cf, Slice, Slice) {
  if (cf == 0) return Status::Ok();
  return Status::InvalidArgument("non-default column family and MergeCF not implemented");
}
Status WriteBatch::Handler::DeleteRange(uint32_t, Slice, Slice) {
  return Status::InvalidArgument("DeleteRangeCF not implemented");
}
Status WriteBatch::Handler::PutEntity(uint32_t, Slice, Slice) {
  return Status::NotSupported("PutEntityCF not implemented");
}
Status WriteBatch::Handler::PutBlobIndex(uint32_t, Slice, Slice) {
  return Status::InvalidArgument("PutBlobIndexCF not implemented");
}
Status WriteBatch::Handler::TimedPut(uint32_t, Slice, Slice, uint64_t) {
  return Status::InvalidArgument("TimedPutCF not implemented");
}
void WriteBatch::Handler::LogData(Slice) {}
Status WriteBatch::Handler::MarkNoop(bool) {
  return Status::InvalidArgument("MarkNoop() handler not defined.");
}
Status WriteBatch::Handler::MarkBeginPrepare(uint8_t) {
  return Status::InvalidArgument("MarkBeginPrepare() handler not defined.");
}
Status WriteBatch::Handler::MarkEndPrepare(Slice) {
  return Status::InvalidArgument("MarkEndPrepare() handler not defined.");
}
Status WriteBatch::Handler::MarkCommit(Slice) {
  return Status::InvalidArgument("MarkCommit() handler not defined.");
}
Status WriteBatch::Handler::MarkCommitWithTimestamp(Slice, Slice) {
  return Status::InvalidArgument("MarkCommitWithTimestamp() handler not defined.");
}
Status WriteBatch::Handler::MarkRollback(Slice) {
  return Status::InvalidArgument("MarkRollbackPrepare() handler not defined.");
}

}  // namespace skarn
