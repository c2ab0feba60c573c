#include "core/key/internal_key.h"

namespace skarn {

bool IsStoredKind(uint8_t kind) {
  switch (static_cast<EntryKind>(kind)) {
    case EntryKind::kDeletion:
    case EntryKind::kValue:
    case EntryKind::kMerge:
    case EntryKind::kSingleDeletion:
    case EntryKind::kRangeDeletion:
    case EntryKind::kBlobIndex:
    case EntryKind::kDeletionWithTimestamp:
    case EntryKind::kWideColumnEntity:
    case EntryKind::kValuePreferredSequence:
      return true;
    default:
      return false;
  }
}

std::string DescribePackedKey(Slice packed) {
  InternalKey key;
  if (!ParsePackedKey(packed, &key)) return "(bad)" + packed.ToHex();
  return "'" + key.user_key.ToHex() + "' seq:" + std::to_string(key.sequence()) +
         ", type:" + std::to_string(static_cast<int>(key.kind()));
}

}  // namespace skarn
