// What flushes and compactions keep must look the same to every snapshot as what they
// were given.

#include "core/compaction/compaction_iterator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/compaction/range_deletions.h"
#include "core/plugin/compaction_filter.h"
#include "core/plugin/merge_operator.h"

namespace skarn {
namespace {

struct Entry {
  std::string key;
  SequenceNumber sequence;
  EntryKind kind;
  std::string value;
  bool operator==(const Entry&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Entry& e) {
  return out << e.key << "@" << e.sequence << "#" << static_cast<int>(e.kind) << "=" << e.value;
}

class VectorCursor final : public InternalCursor {
 public:
  explicit VectorCursor(std::vector<Entry> entries) : entries_(std::move(entries)) {
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
      return a.key != b.key ? a.key < b.key : a.sequence > b.sequence;
    });
  }
  void SeekToFirst() override { Set(0); }
  void SeekToLast() override { Set(entries_.size() - 1); }
  void Seek(Slice, uint64_t) override { FAIL(); }
  void SeekForPrev(Slice, uint64_t) override { FAIL(); }
  void Next() override { Set(at_ + 1); }
  void Prev() override { FAIL(); }
  Status status() const override { return Status::Ok(); }

 private:
  void Set(size_t at) {
    at_ = at;
    valid_ = at < entries_.size();
    if (!valid_) return;
    // Fresh memory for every entry: a slice that is used too long is found.
    key_ = std::make_unique<std::string>(entries_[at].key);
    text_ = std::make_unique<std::string>(entries_[at].value);
    user_key_ = *key_;
    value_ = *text_;
    tag_ = PackTag(entries_[at].sequence, entries_[at].kind);
  }
  std::vector<Entry> entries_;
  std::unique_ptr<std::string> key_, text_;
  size_t at_ = 0;
};

class Append final : public MergeOperator {
 public:
  const char* Name() const override { return "append"; }
  bool FullMerge(Slice, const Slice* existing, const std::vector<Slice>& operands,
                 std::string* result) const override {
    *result = existing != nullptr ? existing->ToString() : "";
    for (const Slice operand : operands) result->append("+" + operand.ToString());
    return true;
  }
  bool PartialMerge(Slice, const std::vector<Slice>& operands, std::string* result) const override {
    for (const Slice operand : operands) {
      if (!result->empty()) result->push_back('+');
      result->append(operand.view());
    }
    return true;
  }
};

struct Job {
  std::vector<SequenceNumber> snapshots = {};
  bool bottommost = false;
  std::vector<RangeTombstone> tombstones = {};
  const CompactionFilter* filter = nullptr;
};

std::vector<Entry> Compact(const std::vector<Entry>& input, const Job& setup,
                           Status* status = nullptr) {
  static const KeyOrder order(BytewiseComparator());
  static const Append append;
  VectorCursor cursor(input);
  cursor.SeekToFirst();
  CompactionRangeDeletions deletions(order, setup.snapshots);
  if (!setup.tombstones.empty()) {
    deletions.Add(std::make_shared<FragmentedTombstones>(order, setup.tombstones));
  }
  deletions.Freeze();
  CompactionIteratorOptions options;
  options.order = &order;
  options.snapshots = setup.snapshots;
  options.bottommost = setup.bottommost;
  options.merge_operator = &append;
  options.filter = setup.filter;
  options.range_deletions = deletions.empty() ? nullptr : &deletions;
  CompactionIterator iterator(options, &cursor);
  std::vector<Entry> output;
  for (iterator.SeekToFirst(); iterator.valid(); iterator.Next()) {
    output.push_back({iterator.user_key().ToString(), TagSequence(iterator.tag()),
                      TagKind(iterator.tag()), iterator.value().ToString()});
  }
  if (status != nullptr) {
    *status = iterator.status();
  } else {
    EXPECT_TRUE(iterator.status().ok()) << iterator.status().ToString();
  }
  return output;
}

TEST(CompactionIterator, KeepsTheNewestVersionOfEachSnapshotStripe) {
  const std::vector<Entry> input = {{"a", 9, EntryKind::kValue, "9"},
                                    {"a", 6, EntryKind::kValue, "6"},
                                    {"a", 5, EntryKind::kValue, "5"},
                                    {"a", 2, EntryKind::kValue, "2"}};
  EXPECT_EQ(
      Compact(input, {.snapshots = {5}}),
      (std::vector<Entry>{{"a", 9, EntryKind::kValue, "9"}, {"a", 5, EntryKind::kValue, "5"}}));
}

TEST(CompactionIterator, ZeroesSequenceNumbersAtTheBottomBelowAllSnapshots) {
  const std::vector<Entry> input = {{"a", 9, EntryKind::kValue, "9"},
                                    {"b", 3, EntryKind::kValue, "3"}};
  EXPECT_EQ(
      Compact(input, {.snapshots = {5}, .bottommost = true}),
      (std::vector<Entry>{{"a", 9, EntryKind::kValue, "9"}, {"b", 0, EntryKind::kValue, "3"}}));
}

TEST(CompactionIterator, DropsADeletionAtTheBottomWithWhatItHides) {
  const std::vector<Entry> input = {{"a", 9, EntryKind::kDeletion, ""},
                                    {"a", 3, EntryKind::kValue, "3"}};
  EXPECT_TRUE(Compact(input, {.bottommost = true}).empty());
  EXPECT_EQ(Compact(input, {}), (std::vector<Entry>{{"a", 9, EntryKind::kDeletion, ""}}));
  // A snapshot between them sees the value, so the deletion must stay above it.
  EXPECT_EQ(Compact(input, {.snapshots = {5}, .bottommost = true}).size(), 2u);
}

TEST(CompactionIterator, RemovesASingleDeletionTogetherWithItsValue) {
  const std::vector<Entry> input = {{"a", 9, EntryKind::kSingleDeletion, ""},
                                    {"a", 3, EntryKind::kValue, "3"},
                                    {"b", 4, EntryKind::kSingleDeletion, ""}};
  EXPECT_EQ(Compact(input, {}), (std::vector<Entry>{{"b", 4, EntryKind::kSingleDeletion, ""}}));
  EXPECT_EQ(Compact(input, {.snapshots = {5}}).size(), 3u);
}

TEST(CompactionIterator, RefusesASingleDeletionOverADeletion) {
  Status status;
  Compact({{"a", 9, EntryKind::kSingleDeletion, ""}, {"a", 3, EntryKind::kDeletion, ""}}, {},
          &status);
  EXPECT_TRUE(status.IsCorruption());
  EXPECT_NE(status.ToString().find("Found SD and type: 0 on the same key"), std::string::npos);
}

TEST(CompactionIterator, MergesOperandsWithTheirBaseAndNothingAtTheBottom) {
  const std::vector<Entry> input = {{"a", 9, EntryKind::kMerge, "y"},
                                    {"a", 8, EntryKind::kMerge, "x"},
                                    {"a", 3, EntryKind::kValue, "v"},
                                    {"b", 7, EntryKind::kMerge, "2"},
                                    {"b", 6, EntryKind::kMerge, "1"}};
  EXPECT_EQ(Compact(input, {}), (std::vector<Entry>{{"a", 9, EntryKind::kValue, "v+x+y"},
                                                    {"b", 7, EntryKind::kMerge, "1+2"}}));
  EXPECT_EQ(Compact(input, {.bottommost = true}),
            (std::vector<Entry>{{"a", 0, EntryKind::kValue, "v+x+y"},
                                {"b", 0, EntryKind::kValue, "+1+2"}}));
}

TEST(CompactionIterator, DropsWhatARangeTombstoneOfTheStripeCovers) {
  const std::vector<Entry> input = {{"a", 3, EntryKind::kValue, "3"},
                                    {"b", 9, EntryKind::kValue, "9"},
                                    {"b", 4, EntryKind::kValue, "4"},
                                    {"c", 2, EntryKind::kValue, "2"}};
  EXPECT_EQ(
      Compact(input, {.tombstones = {{"a", "c", 6}}}),
      (std::vector<Entry>{{"b", 9, EntryKind::kValue, "9"}, {"c", 2, EntryKind::kValue, "2"}}));
  // The snapshot at 5 is older than the tombstone and still sees them.
  EXPECT_EQ(Compact(input, {.snapshots = {5}, .tombstones = {{"a", "c", 6}}}).size(), 4u);
}

class RemoveOdd final : public CompactionFilter {
 public:
  const char* Name() const override { return "odd"; }
  Decision Filter(int, Slice, Slice value, std::string* changed) const override {
    if (value == Slice("odd")) return Decision::kRemove;
    if (value != Slice("grow")) return Decision::kKeep;
    *changed = "grown";
    return Decision::kChangeValue;
  }
};

TEST(CompactionIterator, AsksTheFilterAboutTheNewestVersionOnly) {
  const RemoveOdd filter;
  const std::vector<Entry> input = {{"a", 5, EntryKind::kValue, "odd"},
                                    {"b", 6, EntryKind::kValue, "grow"},
                                    {"c", 8, EntryKind::kValue, "even"},
                                    {"c", 7, EntryKind::kValue, "odd"}};
  EXPECT_EQ(Compact(input, {.filter = &filter}),
            (std::vector<Entry>{{"a", 5, EntryKind::kDeletion, ""},
                                {"b", 6, EntryKind::kValue, "grown"},
                                {"c", 8, EntryKind::kValue, "even"}}));
}

// What a reader at `snapshot` finds for `key`.
std::optional<std::string> Read(const std::vector<Entry>& entries,
                                const std::vector<RangeTombstone>& tombstones,
                                const std::string& key, SequenceNumber snapshot) {
  std::vector<Entry> versions;
  for (const Entry& entry : entries) {
    if (entry.key == key && entry.sequence <= snapshot) versions.push_back(entry);
  }
  std::sort(versions.begin(), versions.end(),
            [](const Entry& a, const Entry& b) { return a.sequence > b.sequence; });
  SequenceNumber covered = 0;
  for (const RangeTombstone& t : tombstones) {
    if (t.sequence <= snapshot && t.start <= key && key < t.end) {
      covered = std::max(covered, t.sequence);
    }
  }
  std::vector<std::string> operands;  // Newest first.
  std::optional<std::string> base;
  for (const Entry& version : versions) {
    if (version.sequence < covered) break;
    if (version.kind == EntryKind::kMerge) {
      operands.push_back(version.value);
      continue;
    }
    if (version.kind == EntryKind::kValue) base = version.value;
    break;
  }
  if (operands.empty()) return base;
  std::string result = base.value_or("");
  for (auto it = operands.rbegin(); it != operands.rend(); ++it) result += "+" + *it;
  return result;
}

TEST(CompactionIterator, ShowsEverySnapshotTheSameForRandomHistories) {
  const uint32_t seed = 20260101;
  for (uint32_t round = 0; round < 3000; ++round) {
    SCOPED_TRACE("seed " + std::to_string(seed + round));
    std::mt19937 random(seed + round);
    std::vector<Entry> input;
    Job setup;
    setup.bottommost = random() % 2 == 0;
    const SequenceNumber newest = 1 + random() % 40;
    std::map<std::string, bool> may_single_delete;
    for (SequenceNumber sequence = 1; sequence <= newest; ++sequence) {
      const std::string key(1, static_cast<char>('a' + random() % 4));
      switch (random() % 8) {
        case 0:
          input.push_back({key, sequence, EntryKind::kDeletion, ""});
          break;
        case 1:
        case 2:
          input.push_back({key, sequence, EntryKind::kMerge, std::to_string(sequence)});
          break;
        case 3:
          setup.tombstones.push_back(
              {key, std::string(1, static_cast<char>(key[0] + 1 + random() % 3)), sequence});
          break;
        case 4:
          setup.snapshots.push_back(sequence);
          [[fallthrough]];
        default:
          input.push_back({key, sequence, EntryKind::kValue, "v" + std::to_string(sequence)});
      }
    }
    const std::vector<Entry> output = Compact(input, setup);
    EXPECT_LE(output.size(), input.size());
    std::vector<SequenceNumber> readers = setup.snapshots;
    readers.push_back(kMaxSequenceNumber);
    for (const SequenceNumber reader : readers) {
      for (char key = 'a'; key < 'e'; ++key) {
        const std::string name(1, key);
        // Sequence number 0 is below every tombstone: those must not cover it any more.
        std::vector<RangeTombstone> left = setup.tombstones;
        if (setup.bottommost) {
          const SequenceNumber earliest =
              setup.snapshots.empty() ? kMaxSequenceNumber : setup.snapshots.front();
          std::erase_if(left, [&](const RangeTombstone& t) { return t.sequence <= earliest; });
        }
        auto expected = Read(input, setup.tombstones, name, reader);
        auto found = Read(output, left, name, reader);
        // A partial merge joins operands; how they were grouped is not to be seen.
        ASSERT_EQ(found, expected) << "key " << name << " at " << reader;
      }
    }
  }
}

}  // namespace
}  // namespace skarn
