#include "core/batch/batch_format.h"

namespace skarn {

bool BatchReader::Fail(int tag, bool second_part) {
  next_ = end_;
  const char* text = nullptr;
  switch (static_cast<BatchTag>(tag)) {
    case BatchTag::kDelete:
    case BatchTag::kDeleteCf:
    case BatchTag::kSingleDelete:
    case BatchTag::kSingleDeleteCf:
      text = "bad WriteBatch Delete";
      break;
    case BatchTag::kPut:
    case BatchTag::kPutCf:
      text = "bad WriteBatch Put";
      break;
    case BatchTag::kMerge:
    case BatchTag::kMergeCf:
      text = "bad WriteBatch Merge";
      break;
    case BatchTag::kDeleteRange:
    case BatchTag::kDeleteRangeCf:
      text = "bad WriteBatch DeleteRange";
      break;
    case BatchTag::kBlobIndex:
    case BatchTag::kBlobIndexCf:
      text = "bad WriteBatch BlobIndex";
      break;
    case BatchTag::kEntity:
    case BatchTag::kEntityCf:
      text = "bad WriteBatch PutEntity";
      break;
    case BatchTag::kTimedPut:
    case BatchTag::kTimedPutCf:
      text = "bad WriteBatch TimedPut";
      break;
    case BatchTag::kLogData:
      text = "bad WriteBatch Blob";
      break;
    case BatchTag::kEndPrepare:
      text = "bad EndPrepare XID";
      break;
    case BatchTag::kCommit:
      text = "bad Commit XID";
      break;
    case BatchTag::kCommitWithTimestamp:
      text = second_part ? "bad Commit XID" : "bad commit timestamp";
      break;
    case BatchTag::kRollback:
      text = "bad Rollback XID";
      break;
    default:
      break;
  }
  if (tag < 0) {
    status_ = Status::Corruption("malformed WriteBatch (too small)");
  } else if (text != nullptr) {
    status_ = Status::Corruption(text);
  } else {
    status_ = Status::Corruption(Concat("unknown WriteBatch tag: ", tag));
  }
  return false;
}

Status SplitTimedValue(Slice stored, Slice* value, uint64_t* write_time_s) {
  if (stored.size() < sizeof(uint64_t)) return Status::Corruption("bad WriteBatch TimedPut");
  *value = Slice(stored.data(), stored.size() - sizeof(uint64_t));
  *write_time_s = DecodeFixed64(value->end());
  return Status::Ok();
}

Status CheckBatch(Slice bytes) {
  BatchReader reader(bytes);
  BatchEntry entry;
  uint32_t found = 0;
  while (reader.Next(&entry)) {
    found += entry.counted;
    if (entry.kind == BatchTag::kTimedPut && entry.value.size() < sizeof(uint64_t)) {
      return Status::Corruption("bad WriteBatch TimedPut");
    }
  }
  if (!reader.status().ok()) return reader.status();
  if (found != BatchCount(bytes)) return Status::Corruption("WriteBatch has wrong count");
  return Status::Ok();
}

}  // namespace skarn
