#include "core/version/version_edit.h"

#include <algorithm>
#include <limits>

#include "core/base/coding.h"

namespace skarn {
namespace {

// Levels are small numbers; one beyond this is damage.
constexpr uint32_t kLevelMax = 1 << 16;

// Newest type that any release is known to store in a boundary key by mistake.
constexpr uint8_t kBoundaryKindMax = 0x1A;

bool GetLevel(Slice* input, int* level) {
  uint32_t value = 0;
  if (!GetVarint32(input, &value) || value > kLevelMax) return false;
  *level = static_cast<int>(value);
  return true;
}

bool GetBoundary(Slice* input, std::string* key) {
  Slice bytes;
  if (!GetLengthPrefixed(input, &bytes) || bytes.size() < kTagSize) return false;
  const auto kind = static_cast<uint8_t>(PackedTag(bytes) & 0xff);
  if (!IsStoredKind(kind) && kind > kBoundaryKindMax) return false;
  *key = bytes.ToString();
  return true;
}

bool GetText(Slice* input, std::string* text) {
  Slice bytes;
  if (!GetLengthPrefixed(input, &bytes)) return false;
  *text = bytes.ToString();
  return true;
}

void PutTag(std::string* to, EditTag tag) { PutVarint32(to, static_cast<uint32_t>(tag)); }
void PutNumber(std::string* to, EditTag tag, uint64_t number) {
  PutTag(to, tag);
  PutVarint64(to, number);
}

void PutField(std::string* to, NewFileTag tag, Slice value) {
  PutVarint32(to, static_cast<uint32_t>(tag));
  PutLengthPrefixed(to, value);
}
void PutField(std::string* to, NewFileTag tag, uint64_t number) {
  char bytes[kMaxVarint64Size];
  PutField(to, tag, Slice(bytes, static_cast<size_t>(EncodeVarint64(bytes, number) - bytes)));
}
void PutByte(std::string* to, NewFileTag tag, uint8_t byte) {
  const char value = static_cast<char>(byte);
  PutField(to, tag, Slice(&value, 1));
}

// A boundary as it is stored: without timestamp when the file has none.
void PutBoundary(std::string* to, Slice packed, size_t strip) {
  if (strip == 0) {
    PutLengthPrefixed(to, packed);
    return;
  }
  const Slice user_key = PackedUserKey(packed);
  const size_t kept = user_key.size() - std::min(strip, user_key.size());
  PutVarint32(to, static_cast<uint32_t>(kept + kTagSize));
  to->append(user_key.data(), kept);
  to->append(packed.end() - kTagSize, kTagSize);
}

void PutNewFile(std::string* to, int level, const FileRecord& file, size_t strip,
                std::optional<uint64_t> min_log_number) {
  PutTag(to, EditTag::kNewFile4);
  PutVarint32(to, static_cast<uint32_t>(level));
  PutVarint64(to, file.number);
  PutVarint64(to, file.size_bytes);
  PutBoundary(to, file.smallest, strip);
  PutBoundary(to, file.largest, strip);
  PutVarint64(to, file.smallest_sequence);
  PutVarint64(to, file.largest_sequence);

  // Some releases cannot do without the first two.
  PutField(to, NewFileTag::kOldestAncestorTime, file.oldest_ancestor_time);
  PutField(to, NewFileTag::kFileCreationTime, file.file_creation_time);
  PutField(to, NewFileTag::kEpochNumber, file.epoch_number);
  if (!file.checksum_function.empty()) {
    PutField(to, NewFileTag::kFileChecksum, Slice(file.checksum));
    PutField(to, NewFileTag::kFileChecksumFunction, Slice(file.checksum_function));
  }
  if (file.path_id != 0) PutByte(to, NewFileTag::kPathId, static_cast<uint8_t>(file.path_id));
  if (file.temperature != Temperature::kUnknown) {
    PutByte(to, NewFileTag::kTemperature, static_cast<uint8_t>(file.temperature));
  }
  if (file.marked_for_compaction) PutByte(to, NewFileTag::kNeedCompaction, 1);
  if (min_log_number) {
    char bytes[8];
    EncodeFixed64(bytes, *min_log_number);
    PutField(to, NewFileTag::kMinLogNumberToKeep, Slice(bytes, sizeof(bytes)));
  }
  if (file.oldest_blob_file != 0) {
    PutField(to, NewFileTag::kOldestBlobFile, file.oldest_blob_file);
  }
  if (file.unique_id[0] != 0 || file.unique_id[1] != 0) {
    char bytes[16];
    EncodeFixed64(bytes, file.unique_id[0]);
    EncodeFixed64(bytes + 8, file.unique_id[1]);
    PutField(to, NewFileTag::kUniqueId, Slice(bytes, sizeof(bytes)));
  }
  if (file.compensated_range_deletion_size != 0) {
    PutField(to, NewFileTag::kCompensatedRangeDeletionSize, file.compensated_range_deletion_size);
  }
  if (file.tail_size_bytes != 0) PutField(to, NewFileTag::kTailSize, file.tail_size_bytes);
  if (!file.timestamps_persisted) PutByte(to, NewFileTag::kTimestampsPersisted, 0);
  if (!file.min_timestamp.empty())
    PutField(to, NewFileTag::kMinTimestamp, Slice(file.min_timestamp));
  if (!file.max_timestamp.empty())
    PutField(to, NewFileTag::kMaxTimestamp, Slice(file.max_timestamp));
  if (!file.open_metadata.empty())
    PutField(to, NewFileTag::kOpenMetadata, Slice(file.open_metadata));
  PutVarint32(to, static_cast<uint32_t>(NewFileTag::kTerminate));
}

bool ValidBoundary(Slice packed) {
  return packed.size() >= kTagSize && IsStoredKind(static_cast<uint8_t>(PackedTag(packed) & 0xff));
}

bool KnownTemperature(uint8_t value) {
  switch (static_cast<Temperature>(value)) {
    case Temperature::kUnknown:
    case Temperature::kHot:
    case Temperature::kWarm:
    case Temperature::kCool:
    case Temperature::kCold:
    case Temperature::kIce:
      return true;
  }
  return false;
}

// Reads the custom field `tag`; nullptr or what is wrong.
const char* ReadCustomField(uint32_t tag, Slice field, FileRecord* file,
                            std::optional<uint64_t>* min_log_number) {
  switch (static_cast<NewFileTag>(tag)) {
    case NewFileTag::kNeedCompaction:
      if (field.size() != 1) return "need_compaction field wrong size";
      file->marked_for_compaction = field[0] == 1;
      return nullptr;
    case NewFileTag::kMinLogNumberToKeep: {
      uint64_t number = 0;
      if (!GetFixed64(&field, &number)) return "deleted log number malformatted";
      *min_log_number = number;
      return nullptr;
    }
    case NewFileTag::kOldestBlobFile:
      return GetVarint64(&field, &file->oldest_blob_file) ? nullptr
                                                          : "invalid oldest blob file number";
    case NewFileTag::kOldestAncestorTime:
      return GetVarint64(&field, &file->oldest_ancestor_time) ? nullptr
                                                              : "invalid oldest ancester time";
    case NewFileTag::kFileCreationTime:
      return GetVarint64(&field, &file->file_creation_time) ? nullptr
                                                            : "invalid file creation time";
    case NewFileTag::kFileChecksum:
      file->checksum = field.ToString();
      return nullptr;
    case NewFileTag::kFileChecksumFunction:
      file->checksum_function = field.ToString();
      return nullptr;
    case NewFileTag::kTemperature:
      if (field.size() != 1) return "temperature field wrong size";
      if (KnownTemperature(static_cast<uint8_t>(field[0]))) {
        file->temperature = static_cast<Temperature>(field[0]);
      }
      return nullptr;
    case NewFileTag::kMinTimestamp:
      file->min_timestamp = field.ToString();
      return nullptr;
    case NewFileTag::kMaxTimestamp:
      file->max_timestamp = field.ToString();
      return nullptr;
    case NewFileTag::kUniqueId:
      if (!GetFixed64(&field, &file->unique_id[0]) || !GetFixed64(&field, &file->unique_id[1])) {
        return "invalid unique id";
      }
      return nullptr;
    case NewFileTag::kEpochNumber:
      return GetVarint64(&field, &file->epoch_number) ? nullptr : "invalid epoch number";
    case NewFileTag::kCompensatedRangeDeletionSize:
      return GetVarint64(&field, &file->compensated_range_deletion_size)
                 ? nullptr
                 : "invalid compensated range deletion size";
    case NewFileTag::kTailSize:
      return GetVarint64(&field, &file->tail_size_bytes) ? nullptr : "invalid tail start offset";
    case NewFileTag::kTimestampsPersisted:
      if (field.size() != 1) return "user-defined timestamps persisted field wrong size";
      file->timestamps_persisted = field[0] == 1;
      return nullptr;
    case NewFileTag::kOpenMetadata:
      file->open_metadata = field.ToString();
      return nullptr;
    case NewFileTag::kPathId:
      if (field.size() != 1) return "path_id field wrong size";
      file->path_id = static_cast<uint8_t>(field[0]);
      return file->path_id > 3 ? "path_id wrong vaue" : nullptr;
    case NewFileTag::kTerminate:
    case NewFileTag::kNonSafeIgnoreMask:
      break;
  }
  if ((tag & static_cast<uint32_t>(NewFileTag::kNonSafeIgnoreMask)) != 0) {
    return "new-file4 custom field not supported";
  }
  return nullptr;
}

const char* ReadNewFile4(Slice* input, int* level, FileRecord* file,
                         std::optional<uint64_t>* min_log_number) {
  if (!GetLevel(input, level) || !GetVarint64(input, &file->number) ||
      !GetVarint64(input, &file->size_bytes) || !GetBoundary(input, &file->smallest) ||
      !GetBoundary(input, &file->largest) || !GetVarint64(input, &file->smallest_sequence) ||
      !GetVarint64(input, &file->largest_sequence)) {
    return "new-file4 entry";
  }
  while (true) {
    uint32_t tag = 0;
    Slice field;
    if (!GetVarint32(input, &tag)) return "new-file4 custom field";
    if (tag == static_cast<uint32_t>(NewFileTag::kTerminate)) break;
    if (!GetLengthPrefixed(input, &field)) {
      return "new-file4 custom field length prefixed slice error";
    }
    if (const char* problem = ReadCustomField(tag, field, file, min_log_number)) return problem;
  }
  if (file->checksum_function == "Unknown") {
    file->checksum.clear();
    file->checksum_function.clear();
  }
  return nullptr;
}

// The custom fields that end both blob records: none is defined yet.
constexpr uint32_t kBlobFieldEnd = 0;
constexpr uint32_t kBlobFieldMustKnow = 1 << 6;

Status SkipBlobFields(Slice* input, const char* record) {
  while (true) {
    uint32_t tag = 0;
    Slice field;
    if (!GetVarint32(input, &tag))
      return Status::Corruption(record, "Error decoding custom field tag");
    if (tag == kBlobFieldEnd) return Status::Ok();
    if ((tag & kBlobFieldMustKnow) != 0) {
      return Status::Corruption(record, "Forward incompatible custom field encountered");
    }
    if (!GetLengthPrefixed(input, &field)) {
      return Status::Corruption(record, "Error decoding custom field value");
    }
  }
}

Status ReadBlobAddition(Slice* input, BlobFileAddition* blob) {
  constexpr const char* kRecord = "BlobFileAddition";
  if (!GetVarint64(input, &blob->number)) {
    return Status::Corruption(kRecord, "Error decoding blob file number");
  }
  if (!GetVarint64(input, &blob->count)) {
    return Status::Corruption(kRecord, "Error decoding total blob count");
  }
  if (!GetVarint64(input, &blob->bytes)) {
    return Status::Corruption(kRecord, "Error decoding total blob bytes");
  }
  if (!GetText(input, &blob->checksum_method)) {
    return Status::Corruption(kRecord, "Error decoding checksum method");
  }
  if (!GetText(input, &blob->checksum_value)) {
    return Status::Corruption(kRecord, "Error decoding checksum value");
  }
  return SkipBlobFields(input, kRecord);
}

Status ReadBlobGarbage(Slice* input, BlobFileGarbage* blob) {
  constexpr const char* kRecord = "BlobFileGarbage";
  if (!GetVarint64(input, &blob->number)) {
    return Status::Corruption(kRecord, "Error decoding blob file number");
  }
  if (!GetVarint64(input, &blob->count)) {
    return Status::Corruption(kRecord, "Error decoding garbage blob count");
  }
  if (!GetVarint64(input, &blob->bytes)) {
    return Status::Corruption(kRecord, "Error decoding garbage blob bytes");
  }
  return SkipBlobFields(input, kRecord);
}

constexpr uint32_t kWalFieldEnd = 1;
constexpr uint32_t kWalFieldSyncedSize = 2;

Status ReadWalAddition(Slice* input, WalAddition* wal) {
  constexpr const char* kRecord = "WalAddition";
  if (!GetVarint64(input, &wal->number)) {
    return Status::Corruption(kRecord, "Error decoding WAL log number");
  }
  while (true) {
    uint32_t tag = 0;
    if (!GetVarint32(input, &tag)) return Status::Corruption(kRecord, "Error decoding tag");
    if (tag == kWalFieldEnd) return Status::Ok();
    if (tag != kWalFieldSyncedSize) {
      return Status::Corruption(kRecord, Concat("Unknown tag ", tag));
    }
    uint64_t size = 0;
    if (!GetVarint64(input, &size)) {
      return Status::Corruption(kRecord, "Error decoding WAL file size");
    }
    wal->synced_size_bytes = size;
  }
}

}  // namespace

void FileRecord::ExtendTo(const KeyOrder& order, Slice user_key, uint64_t tag) {
  if (smallest.empty() ||
      order.Compare(user_key, tag, PackedUserKey(smallest), PackedTag(smallest)) < 0) {
    smallest = PackKey(user_key, tag);
  }
  if (largest.empty() ||
      order.Compare(user_key, tag, PackedUserKey(largest), PackedTag(largest)) > 0) {
    largest = PackKey(user_key, tag);
  }
  smallest_sequence = std::min(smallest_sequence, TagSequence(tag));
  largest_sequence = std::max(largest_sequence, TagSequence(tag));
}

void FileRecord::ExtendToRange(const KeyOrder& order, Slice smallest_packed, Slice largest_packed,
                               SequenceNumber sequence) {
  if (smallest.empty() || order.ComparePacked(smallest_packed, smallest) < 0) {
    smallest = smallest_packed.ToString();
  }
  if (largest.empty() || order.ComparePacked(largest_packed, largest) > 0) {
    largest = largest_packed.ToString();
  }
  smallest_sequence = std::min(smallest_sequence, sequence);
  largest_sequence = std::max(largest_sequence, sequence);
}

void VersionEdit::AddFile(int level, FileRecord file) {
  if (!last_sequence || *last_sequence < file.largest_sequence)
    last_sequence = file.largest_sequence;
  new_files.emplace_back(level, std::move(file));
}

Status VersionEdit::EncodeTo(std::string* to, size_t timestamp_size) const {
  for (const auto& [level, file] : new_files) {
    if (!ValidBoundary(file.smallest) || !ValidBoundary(file.largest) ||
        file.epoch_number == kUnknownEpoch) {
      return Status::Corruption(Concat("Unable to encode VersionEdit:", ToString()));
    }
  }
  if (db_id) {
    PutTag(to, EditTag::kDbId);
    PutLengthPrefixed(to, *db_id);
  }
  if (comparator) {
    PutTag(to, EditTag::kComparator);
    PutLengthPrefixed(to, *comparator);
  }
  if (log_number) PutNumber(to, EditTag::kLogNumber, *log_number);
  if (previous_log_number) PutNumber(to, EditTag::kPreviousLogNumber, *previous_log_number);
  if (next_file_number) PutNumber(to, EditTag::kNextFileNumber, *next_file_number);
  if (max_column_family) PutNumber(to, EditTag::kMaxColumnFamily, *max_column_family);
  if (min_log_number_to_keep) PutNumber(to, EditTag::kMinLogNumberToKeep, *min_log_number_to_keep);
  if (last_sequence) PutNumber(to, EditTag::kLastSequence, *last_sequence);
  for (const auto& [level, key] : compact_cursors) {
    if (key.size() < kTagSize) continue;
    PutNumber(to, EditTag::kCompactCursor, static_cast<uint32_t>(level));
    PutLengthPrefixed(to, key);
  }
  for (const auto& [level, number] : deleted_files) {
    PutNumber(to, EditTag::kDeletedFile, static_cast<uint32_t>(level));
    PutVarint64(to, number);
  }
  bool first = true;
  for (const auto& [level, file] : new_files) {
    PutNewFile(to, level, file, file.timestamps_persisted ? 0 : timestamp_size,
               first ? min_log_number_to_keep : std::nullopt);
    first = false;
  }
  for (const BlobFileAddition& blob : blob_additions) {
    PutNumber(to, EditTag::kBlobFileAddition, blob.number);
    PutVarint64(to, blob.count);
    PutVarint64(to, blob.bytes);
    PutLengthPrefixed(to, blob.checksum_method);
    PutLengthPrefixed(to, blob.checksum_value);
    PutVarint32(to, kBlobFieldEnd);
  }
  for (const BlobFileGarbage& blob : blob_garbage) {
    PutNumber(to, EditTag::kBlobFileGarbage, blob.number);
    PutVarint64(to, blob.count);
    PutVarint64(to, blob.bytes);
    PutVarint32(to, kBlobFieldEnd);
  }
  for (const WalAddition& wal : wal_additions) {
    std::string body;
    PutVarint64(&body, wal.number);
    if (wal.synced_size_bytes) {
      PutVarint32(&body, kWalFieldSyncedSize);
      PutVarint64(&body, *wal.synced_size_bytes);
    }
    PutVarint32(&body, kWalFieldEnd);
    PutTag(to, EditTag::kWalAddition);
    PutLengthPrefixed(to, body);
  }
  if (wal_deletion) {
    std::string body;
    PutVarint64(&body, *wal_deletion);
    PutTag(to, EditTag::kWalDeletion);
    PutLengthPrefixed(to, body);
  }
  if (column_family != 0) PutNumber(to, EditTag::kColumnFamily, column_family);
  if (column_family_add) {
    PutTag(to, EditTag::kColumnFamilyAdd);
    PutLengthPrefixed(to, *column_family_add);
  }
  if (column_family_drop) PutTag(to, EditTag::kColumnFamilyDrop);
  if (remaining_in_group) PutNumber(to, EditTag::kInAtomicGroup, *remaining_in_group);
  if (full_history_ts_low) {
    PutTag(to, EditTag::kFullHistoryTsLow);
    PutLengthPrefixed(to, *full_history_ts_low);
  }
  if (persist_timestamps) {
    PutTag(to, EditTag::kPersistTimestamps);
    const char value = *persist_timestamps ? 1 : 0;
    PutLengthPrefixed(to, Slice(&value, 1));
  }
  if (subcompaction_progress) {
    PutTag(to, EditTag::kSubcompactionProgress);
    PutLengthPrefixed(to, *subcompaction_progress);
  }
  if (compacted_manifest_bytes) {
    std::string body;
    PutVarint64(&body, *compacted_manifest_bytes);
    PutTag(to, EditTag::kCompactedManifestBytes);
    PutLengthPrefixed(to, body);
  }
  return Status::Ok();
}

Status VersionEdit::DecodeFrom(Slice bytes) {
  *this = VersionEdit();
  Slice input = bytes;
  const char* problem = nullptr;
  uint32_t raw_tag = 0;
  while (problem == nullptr && GetVarint32(&input, &raw_tag)) {
    uint64_t number = 0;
    uint32_t number32 = 0;
    std::string text;
    int level = 0;
    Status s;
    switch (static_cast<EditTag>(raw_tag)) {
      case EditTag::kDbId:
        if (!GetText(&input, &text)) {
          problem = "db id";
          break;
        }
        db_id = std::move(text);
        break;
      case EditTag::kComparator:
        if (!GetText(&input, &text)) {
          problem = "comparator name";
          break;
        }
        comparator = std::move(text);
        break;
      case EditTag::kLogNumber:
        if (!GetVarint64(&input, &number)) {
          problem = "log number";
          break;
        }
        log_number = number;
        break;
      case EditTag::kPreviousLogNumber:
        if (!GetVarint64(&input, &number)) {
          problem = "previous log number";
          break;
        }
        previous_log_number = number;
        break;
      case EditTag::kNextFileNumber:
        if (!GetVarint64(&input, &number)) {
          problem = "next file number";
          break;
        }
        next_file_number = number;
        break;
      case EditTag::kMaxColumnFamily:
        if (!GetVarint32(&input, &number32)) {
          problem = "max column family";
          break;
        }
        max_column_family = number32;
        break;
      case EditTag::kMinLogNumberToKeep:
        if (!GetVarint64(&input, &number)) {
          problem = "min log number to kee";
          break;
        }
        min_log_number_to_keep = number;
        break;
      case EditTag::kLastSequence:
        if (!GetVarint64(&input, &number)) {
          problem = "last sequence number";
          break;
        }
        last_sequence = number;
        break;
      case EditTag::kCompactCursor:
        if (!GetLevel(&input, &level) || !GetBoundary(&input, &text)) {
          problem = "compaction cursor";
          break;
        }
        compact_cursors.emplace_back(level, std::move(text));
        break;
      case EditTag::kDeletedFile:
        if (!GetLevel(&input, &level) || !GetVarint64(&input, &number)) {
          problem = "deleted file";
          break;
        }
        deleted_files.emplace_back(level, number);
        break;
      case EditTag::kNewFile: {
        FileRecord file;
        if (!GetLevel(&input, &level) || !GetVarint64(&input, &file.number) ||
            !GetVarint64(&input, &file.size_bytes) || !GetBoundary(&input, &file.smallest) ||
            !GetBoundary(&input, &file.largest)) {
          problem = "new-file entry";
          break;
        }
        file.smallest_sequence = 0;  // Not stored then.
        new_files.emplace_back(level, std::move(file));
        break;
      }
      case EditTag::kNewFile2: {
        FileRecord file;
        if (!GetLevel(&input, &level) || !GetVarint64(&input, &file.number) ||
            !GetVarint64(&input, &file.size_bytes) || !GetBoundary(&input, &file.smallest) ||
            !GetBoundary(&input, &file.largest) || !GetVarint64(&input, &file.smallest_sequence) ||
            !GetVarint64(&input, &file.largest_sequence)) {
          problem = "new-file2 entry";
          break;
        }
        new_files.emplace_back(level, std::move(file));
        break;
      }
      case EditTag::kNewFile3: {
        FileRecord file;
        if (!GetLevel(&input, &level) || !GetVarint64(&input, &file.number) ||
            !GetVarint32(&input, &file.path_id) || !GetVarint64(&input, &file.size_bytes) ||
            !GetBoundary(&input, &file.smallest) || !GetBoundary(&input, &file.largest) ||
            !GetVarint64(&input, &file.smallest_sequence) ||
            !GetVarint64(&input, &file.largest_sequence)) {
          problem = "new-file3 entry";
          break;
        }
        new_files.emplace_back(level, std::move(file));
        break;
      }
      case EditTag::kNewFile4: {
        FileRecord file;
        std::optional<uint64_t> min_log_number;
        problem = ReadNewFile4(&input, &level, &file, &min_log_number);
        if (problem != nullptr) break;
        if (min_log_number) min_log_number_to_keep = min_log_number;
        new_files.emplace_back(level, std::move(file));
        break;
      }
      case EditTag::kBlobFileAddition:
      case EditTag::kBlobFileAdditionOld: {
        BlobFileAddition blob;
        s = ReadBlobAddition(&input, &blob);
        if (!s.ok()) return s;
        blob_additions.push_back(std::move(blob));
        break;
      }
      case EditTag::kBlobFileGarbage:
      case EditTag::kBlobFileGarbageOld: {
        BlobFileGarbage blob;
        s = ReadBlobGarbage(&input, &blob);
        if (!s.ok()) return s;
        blob_garbage.push_back(blob);
        break;
      }
      case EditTag::kWalAdditionOld: {
        WalAddition wal;
        s = ReadWalAddition(&input, &wal);
        if (!s.ok()) return s;
        wal_additions.push_back(wal);
        break;
      }
      case EditTag::kWalAddition: {
        Slice body;
        WalAddition wal;
        if (!GetLengthPrefixed(&input, &body)) {
          problem = "WalAddition not prefixed by length";
          break;
        }
        s = ReadWalAddition(&body, &wal);
        if (!s.ok()) return s;
        wal_additions.push_back(wal);
        break;
      }
      case EditTag::kWalDeletionOld:
        if (!GetVarint64(&input, &number)) {
          return Status::Corruption("WalDeletion", "Error decoding WAL log number");
        }
        wal_deletion = number;
        break;
      case EditTag::kWalDeletion: {
        Slice body;
        if (!GetLengthPrefixed(&input, &body)) {
          problem = "WalDeletion not prefixed by length";
          break;
        }
        if (!GetVarint64(&body, &number)) {
          return Status::Corruption("WalDeletion", "Error decoding WAL log number");
        }
        wal_deletion = number;
        break;
      }
      case EditTag::kColumnFamily:
        if (!GetVarint32(&input, &column_family)) problem = "set column family id";
        break;
      case EditTag::kColumnFamilyAdd:
        if (!GetText(&input, &text)) {
          problem = "column family add";
          break;
        }
        column_family_add = std::move(text);
        break;
      case EditTag::kColumnFamilyDrop:
        column_family_drop = true;
        break;
      case EditTag::kInAtomicGroup:
        if (!GetVarint32(&input, &number32)) {
          problem = "remaining entries";
          break;
        }
        remaining_in_group = number32;
        break;
      case EditTag::kFullHistoryTsLow:
        if (!GetText(&input, &text)) {
          problem = "full_history_ts_low";
          break;
        }
        if (text.empty()) {
          problem = "full_history_ts_low: empty";
          break;
        }
        full_history_ts_low = std::move(text);
        break;
      case EditTag::kPersistTimestamps:
        if (!GetText(&input, &text) || text.size() != 1) {
          problem = "persist_user_defined_timestamps field wrong size";
          break;
        }
        persist_timestamps = text[0] == 1;
        break;
      case EditTag::kSubcompactionProgress:
        if (!GetText(&input, &text)) {
          problem = "subcompaction progress";
          break;
        }
        subcompaction_progress = std::move(text);
        break;
      case EditTag::kCompactedManifestBytes: {
        Slice body;
        if (!GetLengthPrefixed(&input, &body) || !GetVarint64(&body, &number)) {
          problem = "last compacted manifest file size";
          break;
        }
        compacted_manifest_bytes = number;
        break;
      }
      case EditTag::kSafeIgnoreMask:
      default: {
        Slice skipped;
        if ((raw_tag & static_cast<uint32_t>(EditTag::kSafeIgnoreMask)) == 0) {
          problem = "unknown tag";
        } else if (!GetLengthPrefixed(&input, &skipped)) {
          problem = "safely ignoreable tag length error";
        }
        break;
      }
    }
  }
  if (problem == nullptr && !input.empty()) problem = "invalid tag";
  return problem == nullptr ? Status::Ok() : Status::Corruption("VersionEdit", problem);
}

void VersionEdit::PadTimestamps(size_t timestamp_size) {
  if (timestamp_size == 0) return;
  auto pad = [timestamp_size](std::string* packed, char byte) {
    packed->insert(packed->size() - kTagSize, timestamp_size, byte);
  };
  for (auto& [level, file] : new_files) {
    if (file.timestamps_persisted) continue;
    pad(&file.smallest, '\0');
    pad(&file.largest, file.largest_is_exclusive() ? '\xff' : '\0');
  }
}

std::string VersionEdit::ToString() const {
  std::string text = "VersionEdit {";
  auto number = [&text](const char* name, const auto& value) {
    if (value) text.append(Concat(" ", name, ": ", *value));
  };
  if (db_id) text.append(Concat(" db_id: ", *db_id));
  if (comparator) text.append(Concat(" comparator: ", *comparator));
  number("log_number", log_number);
  number("previous_log_number", previous_log_number);
  number("next_file_number", next_file_number);
  number("min_log_number_to_keep", min_log_number_to_keep);
  number("last_sequence", last_sequence);
  for (const auto& [level, key] : compact_cursors) {
    text.append(Concat(" compact_cursor: ", level, " ", DescribePackedKey(key)));
  }
  for (const auto& [level, file] : deleted_files)
    text.append(Concat(" delete: ", level, " ", file));
  for (const auto& [level, file] : new_files) {
    text.append(Concat(" add: ", level, " ", file.number, " ", file.size_bytes, " bytes, epoch ",
                       file.epoch_number, ", sequence ", file.smallest_sequence, " .. ",
                       file.largest_sequence));
    if (file.smallest.size() >= kTagSize && file.largest.size() >= kTagSize) {
      text.append(
          Concat(" ", DescribePackedKey(file.smallest), " .. ", DescribePackedKey(file.largest)));
    }
  }
  for (const BlobFileAddition& blob : blob_additions) {
    text.append(
        Concat(" add_blob: ", blob.number, " ", blob.count, " blobs, ", blob.bytes, " bytes"));
  }
  for (const BlobFileGarbage& blob : blob_garbage) {
    text.append(
        Concat(" blob_garbage: ", blob.number, " ", blob.count, " blobs, ", blob.bytes, " bytes"));
  }
  for (const WalAddition& wal : wal_additions) text.append(Concat(" add_wal: ", wal.number));
  number("delete_wals_before", wal_deletion);
  text.append(Concat(" column_family: ", column_family));
  if (column_family_add) text.append(Concat(" add_column_family: ", *column_family_add));
  if (column_family_drop) text.append(" drop_column_family");
  number("max_column_family", max_column_family);
  number("remaining_in_group", remaining_in_group);
  if (full_history_ts_low) {
    text.append(Concat(" full_history_ts_low: ", Slice(*full_history_ts_low).ToHex()));
  }
  number("compacted_manifest_bytes", compacted_manifest_bytes);
  text.append(" }");
  return text;
}

}  // namespace skarn
