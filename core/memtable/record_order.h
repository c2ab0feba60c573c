// RecordOrder orders the records of one memtable, looking at an integer made of 8 key
// bytes before it looks at keys.
//
// The bytes are taken after those that the keys are expected to share. A key that does
// not share them gets the smallest or largest integer, so integers never order two keys
// wrongly; they only leave more to the full comparison. User comparators get 0 always.
//
// Thread safety: any thread once made.

#ifndef SKARN_CORE_MEMTABLE_RECORD_ORDER_H_
#define SKARN_CORE_MEMTABLE_RECORD_ORDER_H_

#include <cstdint>
#include <cstring>
#include <string>

#include "core/key/internal_key.h"
#include "core/memtable/record.h"
#include "core/memtable/record_store.h"

namespace skarn {

class RecordOrder {
 public:
  // `shared`: bytes that most keys begin with. `order` and `store` outlive this object.
  RecordOrder(const KeyOrder& order, const RecordStore& store, std::string shared = std::string())
      : order_(order),
        store_(store),
        kind_(order.comparator()->kind()),
        timestamp_size_(order.timestamp_size()),
        shared_(kind_ == Comparator::Kind::kUser ? std::string() : std::move(shared)) {}

  const KeyOrder& order() const { return order_; }
  const RecordStore& store() const { return store_; }
  const std::string& shared() const { return shared_; }

  uint64_t PrefixOf(Slice user_key) const {
    if (kind_ == Comparator::Kind::kUser) return 0;
    user_key.RemoveSuffix(timestamp_size_);
    const uint64_t prefix = BytewisePrefix(user_key);
    return kind_ == Comparator::Kind::kBytewise ? prefix : ~prefix;
  }
  uint64_t PrefixOfRecord(RecordRef ref) const {
    return PrefixOf(ReadRecordKey(store_.At(ref)).user_key);
  }

  // Of (user_key, tag), whose prefix is given, to the record `ref`, likewise.
  int Compare(uint64_t prefix, Slice user_key, uint64_t tag, uint64_t ref_prefix,
              RecordRef ref) const {
    if (prefix != ref_prefix) return prefix < ref_prefix ? -1 : 1;
    const RecordKey key = ReadRecordKey(store_.At(ref));
    return order_.Compare(user_key, tag, key.user_key, key.tag);
  }

 private:
  uint64_t BytewisePrefix(Slice key) const {
    if (!shared_.empty()) {
      const size_t common = key.size() < shared_.size() ? key.size() : shared_.size();
      const int difference = memcmp(key.data(), shared_.data(), common);
      if (difference != 0) return difference < 0 ? 0 : UINT64_MAX;
      if (common < shared_.size()) return 0;
      key.RemovePrefix(common);
    }
    uint64_t prefix = 0;
    if (key.size() >= sizeof(prefix)) {
      memcpy(&prefix, key.data(), sizeof(prefix));
    } else if (!key.empty()) {
      memcpy(&prefix, key.data(), key.size());
    }
    return __builtin_bswap64(prefix);
  }

  const KeyOrder& order_;
  const RecordStore& store_;
  const Comparator::Kind kind_;
  const size_t timestamp_size_;
  const std::string shared_;
};

}  // namespace skarn

#endif  // SKARN_CORE_MEMTABLE_RECORD_ORDER_H_
