// Random histories against a std::map of versions.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/base/epoch.h"
#include "core/base/random.h"
#include "core/memtable/memtable.h"

namespace skarn {
namespace {

// Compares keys without looking at case: equal keys may differ in bytes.
class CaselessComparator : public Comparator {
 public:
  CaselessComparator() : Comparator(Kind::kUser) {}
  const char* Name() const override { return "caseless"; }
  static std::string Fold(Slice key) {
    std::string folded = key.ToString();
    for (char& c : folded) c = static_cast<char>(tolower(c));
    return folded;
  }
  int Compare(Slice a, Slice b) const override { return Slice(Fold(a)).Compare(Fold(b)); }
  int CompareWithoutTimestamp(Slice a, bool, Slice b, bool) const override { return Compare(a, b); }
  int CompareTimestamp(Slice, Slice) const override { return 0; }
  void FindShortestSeparator(std::string*, Slice) const override {}
  void FindShortSuccessor(std::string*) const override {}
};

enum class Shape { kBytewise, kReverse, kCaseless, kLongSharedPrefix, kAnyBytes, kAnyBytesReverse };

class Model {
 public:
  explicit Model(const KeyOrder& order) : versions_(Less{&order}) {}

  struct Entry {
    EntryKind kind;
    std::string value;
  };
  using Key = std::pair<std::string, uint64_t>;  // User key, tag.
  struct Less {
    const KeyOrder* order;
    bool operator()(const Key& a, const Key& b) const {
      return order->Compare(a.first, a.second, b.first, b.second) < 0;
    }
  };
  std::map<Key, std::string, Less> versions_;

  // What a lookup without merges gives: "(none)" when deleted or absent.
  std::string Get(const KeyOrder& order, const std::string& key, SequenceNumber snapshot) const {
    const auto it = versions_.lower_bound({key, SeekTag(snapshot)});
    if (it == versions_.end() || order.CompareUser(it->first.first, key) != 0) return "(none)";
    return TagKind(it->first.second) == EntryKind::kValue ? it->second : "(none)";
  }
};

std::string GetFrom(const MemTable& table, const KeyOrder& order, const std::string& key,
                    SequenceNumber snapshot) {
  const EpochGuard guard;
  PinnedValue value;
  PointLookup lookup(order, key, snapshot, Slice(), nullptr, &value);
  table.Get(&lookup);
  return lookup.state() == PointLookup::State::kFound ? value.slice().ToString() : "(none)";
}

class MemTableModel : public testing::TestWithParam<Shape> {
 protected:
  const Comparator* comparator() {
    static const CaselessComparator caseless;
    switch (GetParam()) {
      case Shape::kReverse:
      case Shape::kAnyBytesReverse:
        return ReverseBytewiseComparator();
      case Shape::kCaseless:
        return &caseless;
      default:
        return BytewiseComparator();
    }
  }
  std::string RandomKey(Random* random, uint64_t space) {
    if (GetParam() == Shape::kAnyBytes || GetParam() == Shape::kAnyBytesReverse) {
      // Seldom one that shares less than those before, and ends that look like padding.
      std::string bytes(random->OneIn(100) ? random->Uniform(20) : 20 + random->Uniform(2), 'a');
      for (uint64_t left = random->Uniform(10); left > 0; --left) {
        bytes += "\0\1\x7f\x80\xff"[random->Uniform(5)];
      }
      return bytes;
    }
    std::string key = std::to_string(random->Uniform(space));
    if (GetParam() == Shape::kLongSharedPrefix && !random->OneIn(50)) {
      key = "a/long/prefix/that/all/keys/share/" + key;
    }
    if (GetParam() == Shape::kCaseless) {
      for (char& c : key) c = static_cast<char>((random->OneIn(2) ? 'a' : 'A') + (c - '0'));
    }
    return key;
  }
  void CheckCursor(InternalCursor* cursor, const Model& model, Random* random,
                   SequenceNumber visible) {
    // Entries above `visible` may be in the memtable or not yet; here they all are.
    (void)visible;
    const auto same = [&](auto it) {
      if (it == model.versions_.end()) return !cursor->valid();
      return cursor->valid() && cursor->user_key() == Slice(it->first.first) &&
             cursor->tag() == it->first.second && cursor->value() == Slice(it->second);
    };
    cursor->SeekToFirst();
    for (auto it = model.versions_.begin();; ++it, cursor->Next()) {
      ASSERT_TRUE(same(it));
      if (it == model.versions_.end()) break;
    }
    cursor->SeekToLast();
    for (auto it = model.versions_.end(); it != model.versions_.begin(); cursor->Prev()) {
      ASSERT_TRUE(same(--it));
    }
    ASSERT_FALSE(cursor->valid());
    for (int i = 0; i < 40; ++i) {
      const std::string key = RandomKey(random, 300);
      const uint64_t tag = random->OneIn(3) ? kMaxTag : SeekTag(random->Uniform(2000));
      cursor->Seek(key, tag);
      auto it = model.versions_.lower_bound({key, tag});
      ASSERT_TRUE(same(it));
      // A walk with turns.
      for (int step = 0; step < 20 && cursor->valid(); ++step) {
        if (random->OneIn(3)) {
          cursor->Prev();
          it = it == model.versions_.begin() ? model.versions_.end() : std::prev(it);
        } else {
          cursor->Next();
          ++it;
        }
        ASSERT_TRUE(same(it));
      }
      cursor->SeekForPrev(key, tag);
      it = model.versions_.upper_bound({key, tag});
      ASSERT_TRUE(same(it == model.versions_.begin() ? model.versions_.end() : std::prev(it)));
    }
  }
};

TEST_P(MemTableModel, AgreesWithAMapOfVersions) {
  for (const uint64_t seed : {11u, 12u, 13u, 14u}) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const KeyOrder order(comparator());
    MemTableOptions options;
    options.expected_entries = random.OneIn(2) ? 0 : 1000;
    auto* table = new MemTable(order, options, nullptr, 1, 1);
    Model model(order);
    SequenceNumber next = 1;
    std::unique_ptr<InternalCursor> long_lived;
    for (int round = 0; round < 60; ++round) {
      // A group of writers whose entries arrive in any order.
      const size_t group = 1 + random.Skewed(7);
      std::vector<SequenceNumber> sequences;
      for (size_t i = 0; i < group; ++i) sequences.push_back(next++);
      for (size_t i = group; i > 1; --i) std::swap(sequences[i - 1], sequences[random.Uniform(i)]);
      for (const SequenceNumber sequence : sequences) {
        const std::string key = RandomKey(&random, 300);
        const EntryKind kind = random.OneIn(5) ? EntryKind::kDeletion : EntryKind::kValue;
        std::string value = kind == EntryKind::kValue
                                ? std::string(random.Skewed(9), static_cast<char>(random.Next()))
                                : std::string();
        ASSERT_TRUE(table->Add(sequence, kind, key, value, random.OneIn(2)).ok());
        model.versions_[{key, PackTag(sequence, kind)}] = value;
      }
      for (int i = 0; i < 30; ++i) {
        const std::string key = RandomKey(&random, 330);
        const SequenceNumber snapshot = random.Uniform(next + 1);
        ASSERT_EQ(GetFrom(*table, order, key, snapshot), model.Get(order, key, snapshot)) << key;
      }
      if (random.OneIn(4)) {
        auto cursor = table->NewCursor();
        CheckCursor(cursor.get(), model, &random, next - 1);
        if (HasFatalFailure()) return;
        if (random.OneIn(3)) long_lived = std::move(cursor);
      }
      if (long_lived != nullptr) {
        CheckCursor(long_lived.get(), model, &random, next - 1);
        if (HasFatalFailure()) return;
      }
    }
    EXPECT_EQ(table->entry_count(), model.versions_.size());
    EXPECT_EQ(table->first_sequence(), 1u);
    EXPECT_EQ(table->largest_sequence(), next - 1);
    table->MarkImmutable();
    long_lived.reset();
    auto flush = table->NewFlushCursor();
    CheckCursor(flush.get(), model, &random, next - 1);
    flush.reset();
    table->Unref();
  }
}

// The flush of a memtable that nobody iterated sorts by radix.
TEST_P(MemTableModel, FlushesInOrderWithoutEverBeingIterated) {
  Random random(21);
  const KeyOrder order(comparator());
  auto* table = new MemTable(order, MemTableOptions(), nullptr, 1, 1);
  Model model(order);
  for (SequenceNumber sequence = 1; sequence <= 3000; ++sequence) {
    const std::string key = RandomKey(&random, 2000);
    ASSERT_TRUE(table->Add(sequence, EntryKind::kValue, key, key, false).ok());
    model.versions_[{key, PackTag(sequence, EntryKind::kValue)}] = key;
  }
  table->MarkImmutable();
  auto flush = table->NewFlushCursor();
  CheckCursor(flush.get(), model, &random, 3000);
  flush.reset();
  table->Unref();
}

// So does the first cursor.
TEST_P(MemTableModel, ShowsInOrderWhatIsLookedAtLate) {
  for (const int count : {1, 2, 150, 3000}) {
    Random random(23);
    const KeyOrder order(comparator());
    auto* table = new MemTable(order, MemTableOptions(), nullptr, 1, 1);
    Model model(order);
    for (int i = 1; i <= count; ++i) {
      const auto sequence = static_cast<SequenceNumber>(i);
      const std::string key = RandomKey(&random, 2000);
      ASSERT_TRUE(table->Add(sequence, EntryKind::kValue, key, key, false).ok());
      model.versions_[{key, PackTag(sequence, EntryKind::kValue)}] = key;
    }
    auto cursor = table->NewCursor();
    CheckCursor(cursor.get(), model, &random, 3000);
    cursor.reset();
    table->Unref();
    if (HasFatalFailure()) return;
  }
}

// A bulk load comes in order and is not sorted again, unless something late breaks the order.
TEST_P(MemTableModel, FlushesInOrderWhatCameInOrder) {
  enum class Late { kNothing, kSmaller, kLastKeyAgain };
  const KeyOrder order(comparator());
  for (const Late late : {Late::kNothing, Late::kSmaller, Late::kLastKeyAgain}) {
    Random random(22);
    std::set<std::string> known;
    while (known.size() < 1500) known.insert(RandomKey(&random, 100000));
    std::vector<std::string> keys(known.begin(), known.end());
    std::sort(keys.begin(), keys.end(), [&](const std::string& a, const std::string& b) {
      return order.CompareUser(a, b) < 0;
    });
    if (late == Late::kSmaller) std::rotate(keys.end() - 700, keys.end() - 1, keys.end());
    if (late == Late::kLastKeyAgain) keys.push_back(keys.back());
    auto* table = new MemTable(order, MemTableOptions(), nullptr, 1, 1);
    Model model(order);
    SequenceNumber sequence = 0;
    for (const std::string& key : keys) {
      ++sequence;
      ASSERT_TRUE(table->Add(sequence, EntryKind::kValue, key, key, false).ok());
      model.versions_[{key, PackTag(sequence, EntryKind::kValue)}] = key;
    }
    table->MarkImmutable();
    auto flush = table->NewFlushCursor();
    CheckCursor(flush.get(), model, &random, sequence);
    flush.reset();
    table->Unref();
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, MemTableModel,
                         testing::Values(Shape::kBytewise, Shape::kReverse, Shape::kCaseless,
                                         Shape::kLongSharedPrefix, Shape::kAnyBytes,
                                         Shape::kAnyBytesReverse));

TEST(MemTableTimestamps, FindsTheNewestVersionNotAfterTheReadTimestamp) {
  const uint64_t seed = 31;
  Random random(seed);
  const KeyOrder order(BytewiseComparatorWithU64Timestamp());
  auto* table = new MemTable(order, MemTableOptions(), nullptr, 1, 1);
  const auto stamp = [](uint64_t t) {
    std::string bytes;
    PutFixed64(&bytes, t);
    return bytes;
  };
  struct Version {
    uint64_t time;
    SequenceNumber sequence;
    std::string value;
  };
  std::map<std::string, std::vector<Version>> model;
  for (SequenceNumber sequence = 1; sequence <= 2000; ++sequence) {
    const std::string key = std::to_string(random.Uniform(100));
    const uint64_t time = random.Uniform(500);
    const std::string value = std::to_string(sequence);
    ASSERT_TRUE(table->Add(sequence, EntryKind::kValue, key + stamp(time), value, false).ok());
    model[key].push_back({time, sequence, value});
  }
  for (int i = 0; i < 2000; ++i) {
    const std::string key = std::to_string(random.Uniform(110));
    const uint64_t time = random.Uniform(520);
    const SequenceNumber snapshot = random.Uniform(2100);
    const Version* best = nullptr;
    for (const Version& v : model[key]) {
      if (v.time > time || v.sequence > snapshot) continue;
      if (best == nullptr || v.time > best->time ||
          (v.time == best->time && v.sequence > best->sequence)) {
        best = &v;
      }
    }
    PinnedValue value;
    const std::string read_timestamp = stamp(time);
    PointLookup lookup(order, key, snapshot, read_timestamp, nullptr, &value);
    table->Get(&lookup);
    ASSERT_EQ(lookup.done(), best != nullptr) << "seed " << seed;
    if (best != nullptr) {
      ASSERT_EQ(value.slice(), Slice(best->value)) << "seed " << seed;
    }
  }
  SequenceNumber newest = 0;
  ASSERT_TRUE(table->NewestSequence("7", &newest));
  SequenceNumber expected = 0;
  for (const Version& v : model["7"]) expected = std::max(expected, v.sequence);
  EXPECT_EQ(newest, expected);
  table->Unref();
}

}  // namespace
}  // namespace skarn
