#include "core/plugin/comparator.h"

#include <cassert>

#include "core/base/coding.h"

namespace skarn {

namespace {

// Where two keys differ first; the length of the shorter one when it is a prefix.
size_t FirstDifference(Slice a, Slice b) {
  const size_t common = a.size() < b.size() ? a.size() : b.size();
  size_t at = 0;
  while (at < common && a[at] == b[at]) at++;
  return at;
}

class Bytewise final : public Comparator {
 public:
  Bytewise() : Comparator(Kind::kBytewise) {}

  const char* Name() const override { return "leveldb.BytewiseComparator"; }
  int Compare(Slice a, Slice b) const override { return a.Compare(b); }
  int CompareWithoutTimestamp(Slice a, bool, Slice b, bool) const override { return a.Compare(b); }
  int CompareTimestamp(Slice, Slice) const override { return 0; }

  void FindShortestSeparator(std::string* start, Slice limit) const override {
    const size_t at = FirstDifference(*start, limit);
    if (at >= start->size() || at >= limit.size()) return;  // One is a prefix of the other.
    const auto low = static_cast<uint8_t>((*start)[at]);
    const auto high = static_cast<uint8_t>(limit[at]);
    if (low >= high) return;  // Not in order; nothing to gain.
    if (at + 1 < limit.size() || low + 1 < high) {
      start->resize(at + 1);
      start->back() = static_cast<char>(low + 1);
      return;
    }
    // One more at `at` would be the limit itself: raise a byte further right instead.
    for (size_t i = at + 1; i < start->size(); i++) {
      const auto byte = static_cast<uint8_t>((*start)[i]);
      if (byte == 0xff) continue;
      start->resize(i + 1);
      start->back() = static_cast<char>(byte + 1);
      return;
    }
  }

  void FindShortSuccessor(std::string* key) const override {
    for (size_t i = 0; i < key->size(); i++) {
      const auto byte = static_cast<uint8_t>((*key)[i]);
      if (byte == 0xff) continue;
      key->resize(i + 1);
      key->back() = static_cast<char>(byte + 1);
      return;
    }
  }
};

class ReverseBytewise final : public Comparator {
 public:
  ReverseBytewise() : Comparator(Kind::kReverseBytewise) {}

  const char* Name() const override { return "rocksdb.ReverseBytewiseComparator"; }
  int Compare(Slice a, Slice b) const override { return b.Compare(a); }
  int CompareWithoutTimestamp(Slice a, bool, Slice b, bool) const override { return b.Compare(a); }
  int CompareTimestamp(Slice, Slice) const override { return 0; }

  void FindShortestSeparator(std::string* start, Slice limit) const override {
    const size_t at = FirstDifference(*start, limit);
    if (at >= start->size() || at >= limit.size()) return;  // One is a prefix of the other.
    const auto first = static_cast<uint8_t>((*start)[at]);
    const auto second = static_cast<uint8_t>(limit[at]);
    // Cutting makes a key that sorts later, and still before the limit.
    if (first > second && at + 1 < start->size()) start->resize(at + 1);
  }

  void FindShortSuccessor(std::string*) const override {}
};

// One of the two above, with eight bytes of timestamp at the end of each key. Its kind
// is kUser: loops for the plain orders do not know timestamps.
template <typename Base>
class WithU64Timestamp final : public Comparator {
 public:
  WithU64Timestamp()
      : Comparator(Kind::kUser, /*timestamp_size=*/sizeof(uint64_t)),
        name_(std::string(base_.Name()) + ".u64ts") {}

  const char* Name() const override { return name_.c_str(); }

  int Compare(Slice a, Slice b) const override {
    const int order = CompareWithoutTimestamp(a, true, b, true);
    if (order != 0) return order;
    return CompareTimestamp(TimestampOf(b), TimestampOf(a));  // Newest first.
  }

  int CompareWithoutTimestamp(Slice a, bool a_has_timestamp, Slice b,
                              bool b_has_timestamp) const override {
    if (a_has_timestamp) a = WithoutTimestamp(a);
    if (b_has_timestamp) b = WithoutTimestamp(b);
    return base_.Compare(a, b);
  }

  int CompareTimestamp(Slice a, Slice b) const override {
    const uint64_t first = DecodeTimestamp(a);
    const uint64_t second = DecodeTimestamp(b);
    return first < second ? -1 : (first > second ? 1 : 0);
  }

  // Never shortened: the timestamp at the end must stay whole.
  void FindShortestSeparator(std::string*, Slice) const override {}
  void FindShortSuccessor(std::string*) const override {}

  bool EqualMeansSameBytes() const override { return true; }

 private:
  // Keys from damaged files may be too short for a timestamp; they have none then.
  static Slice WithoutTimestamp(Slice key) {
    if (key.size() < sizeof(uint64_t)) return key;
    key.RemoveSuffix(sizeof(uint64_t));
    return key;
  }
  static Slice TimestampOf(Slice key) {
    if (key.size() < sizeof(uint64_t)) return Slice();
    return Slice(key.end() - sizeof(uint64_t), sizeof(uint64_t));
  }
  static uint64_t DecodeTimestamp(Slice timestamp) {
    return timestamp.size() < sizeof(uint64_t) ? 0 : DecodeFixed64(timestamp.data());
  }

  const Base base_;
  const std::string name_;
};

}  // namespace

const Comparator* BytewiseComparator() {
  static const auto* const comparator = new Bytewise;
  return comparator;
}

const Comparator* ReverseBytewiseComparator() {
  static const auto* const comparator = new ReverseBytewise;
  return comparator;
}

const Comparator* BytewiseComparatorWithU64Timestamp() {
  static const auto* const comparator = new WithU64Timestamp<Bytewise>;
  return comparator;
}

const Comparator* ReverseBytewiseComparatorWithU64Timestamp() {
  static const auto* const comparator = new WithU64Timestamp<ReverseBytewise>;
  return comparator;
}

}  // namespace skarn
