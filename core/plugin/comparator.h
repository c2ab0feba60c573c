// Comparator orders user keys. Two are built in; users may supply their own.
//
// User-defined timestamps: when timestamp_size() is not 0, every key ends with that
// many bytes of timestamp. Compare() orders by key ascending, then timestamp
// descending; CompareWithoutTimestamp() looks at the key alone.
//
// Thread safety: any thread. Must order keys the same way for as long as data exists.

#ifndef SKARN_CORE_PLUGIN_COMPARATOR_H_
#define SKARN_CORE_PLUGIN_COMPARATOR_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/slice.h"

namespace skarn {

class Comparator {
 public:
  // Loops are instantiated for the first two; the third calls back.
  enum class Kind : uint8_t { kBytewise, kReverseBytewise, kUser };

  explicit Comparator(Kind kind, size_t timestamp_size = 0)
      : kind_(kind), timestamp_size_(timestamp_size) {}
  virtual ~Comparator() = default;

  // Stored in the data; opening with another name is refused.
  virtual const char* Name() const = 0;
  virtual int Compare(Slice a, Slice b) const = 0;
  virtual int CompareWithoutTimestamp(Slice a, bool a_has_timestamp, Slice b,
                                      bool b_has_timestamp) const = 0;
  virtual int CompareTimestamp(Slice a, Slice b) const = 0;
  // May shorten *start to any key in [*start, limit). Doing nothing is right too.
  virtual void FindShortestSeparator(std::string* start, Slice limit) const = 0;
  // May shorten *key to any key >= *key.
  virtual void FindShortSuccessor(std::string* key) const = 0;
  // Whether keys that compare equal have equal bytes; if not, hashing keys is off.
  virtual bool EqualMeansSameBytes() const { return kind_ != Kind::kUser; }

  Kind kind() const { return kind_; }
  size_t timestamp_size() const { return timestamp_size_; }
  bool Equal(Slice a, Slice b) const { return Compare(a, b) == 0; }

 private:
  const Kind kind_;
  const size_t timestamp_size_;
};

// "leveldb.BytewiseComparator", "rocksdb.ReverseBytewiseComparator", and both with
// the suffix ".u64ts" for 8-byte little-endian timestamps. Never freed.
const Comparator* BytewiseComparator();
const Comparator* ReverseBytewiseComparator();
const Comparator* BytewiseComparatorWithU64Timestamp();
const Comparator* ReverseBytewiseComparatorWithU64Timestamp();

}  // namespace skarn

#endif  // SKARN_CORE_PLUGIN_COMPARATOR_H_
