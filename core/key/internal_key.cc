#include "core/key/internal_key.h"

#include <bit>

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

uint64_t KeyPrefix(Slice key, size_t skip) {
  uint64_t prefix = 0;
  if (key.size() >= skip + sizeof(prefix)) {
    memcpy(&prefix, key.data() + skip, sizeof(prefix));
  } else if (key.size() > skip) {
    memcpy(&prefix, key.data() + skip, key.size() - skip);
  }
  return __builtin_bswap64(prefix);
}

}  // namespace skarn
