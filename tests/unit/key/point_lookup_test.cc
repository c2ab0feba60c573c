#include "core/key/point_lookup.h"

#include <gtest/gtest.h>

#include "core/key/merge_helper.h"
#include "core/key/wide_columns.h"

namespace skarn {
namespace {

// Joins everything with commas; a base first. Fails on the operand "bad".
class Joining : public MergeOperator {
 public:
  const char* Name() const override { return "joining"; }
  bool FullMerge(Slice, const Slice* existing, const std::vector<Slice>& operands,
                 std::string* result) const override {
    *result = existing == nullptr ? "(none)" : existing->ToString();
    for (Slice operand : operands) {
      if (operand == Slice("bad")) return false;
      *result += "," + operand.ToString();
    }
    return true;
  }
  bool PartialMerge(Slice, const std::vector<Slice>&, std::string*) const override { return false; }
};

struct Lookup {
  explicit Lookup(SequenceNumber snapshot = 100, const MergeOperator* merge_operator = &joining())
      : lookup(bytewise(), "k", snapshot, Slice(), merge_operator, &value) {}
  static const Joining& joining() {
    static const Joining instance;
    return instance;
  }
  static const KeyOrder& bytewise() {
    static const KeyOrder order(BytewiseComparator());
    return order;
  }
  bool Offer(SequenceNumber sequence, EntryKind kind, Slice bytes = "") {
    return lookup.Offer("k", PackTag(sequence, kind), bytes, PinSource());
  }
  std::string Result() {
    lookup.Finish();
    switch (lookup.state()) {
      case PointLookup::State::kFound:
        return value.slice().ToString();
      case PointLookup::State::kDeleted:
        return "(deleted)";
      default:
        return lookup.status().ToString();
    }
  }
  PinnedValue value;
  PointLookup lookup;
};

TEST(PointLookup, EndsAtTheFirstValueTheSnapshotSees) {
  Lookup l(5);
  EXPECT_TRUE(l.Offer(6, EntryKind::kValue, "new"));
  EXPECT_FALSE(l.Offer(5, EntryKind::kValue, "old"));
  EXPECT_TRUE(l.lookup.done());
  EXPECT_EQ(l.Result(), "old");
}

TEST(PointLookup, EndsAtDeletionsOfEveryKind) {
  for (EntryKind kind :
       {EntryKind::kDeletion, EntryKind::kSingleDeletion, EntryKind::kDeletionWithTimestamp}) {
    Lookup l;
    EXPECT_FALSE(l.Offer(3, kind));
    EXPECT_EQ(l.Result(), "(deleted)");
  }
}

TEST(PointLookup, MergesOverAValueADeletionAndNothing) {
  Lookup over_value, over_deletion, over_nothing;
  for (Lookup* l : {&over_value, &over_deletion, &over_nothing}) {
    EXPECT_TRUE(l->Offer(9, EntryKind::kMerge, "b"));
    EXPECT_TRUE(l->Offer(8, EntryKind::kMerge, "a"));
  }
  EXPECT_FALSE(over_value.Offer(7, EntryKind::kValue, "base"));
  EXPECT_FALSE(over_deletion.Offer(7, EntryKind::kSingleDeletion));
  EXPECT_EQ(over_value.Result(), "base,a,b");
  EXPECT_EQ(over_deletion.Result(), "(none),a,b");
  EXPECT_EQ(over_nothing.Result(), "(none),a,b");
}

TEST(PointLookup, TellsWhenTheMergeOperatorFailsOrIsMissing) {
  Lookup failing;
  EXPECT_TRUE(failing.Offer(9, EntryKind::kMerge, "bad"));
  EXPECT_EQ(failing.Result(), "Corruption: Merge operator failed");
  Lookup missing(100, nullptr);
  EXPECT_FALSE(missing.Offer(9, EntryKind::kMerge, "a"));
  EXPECT_EQ(missing.Result(), "Invalid argument: merge_operator is not properly initialized.");
}

TEST(PointLookup, TreatsCoveredVersionsAsDeleted) {
  Lookup newer;
  newer.lookup.CoverUpTo(7);
  EXPECT_TRUE(newer.lookup.settled());
  EXPECT_FALSE(newer.Offer(8, EntryKind::kValue, "newer"));
  EXPECT_EQ(newer.Result(), "newer");

  Lookup older;
  older.lookup.CoverUpTo(7);
  older.lookup.CoverUpTo(5);
  EXPECT_TRUE(older.Offer(9, EntryKind::kMerge, "a"));
  EXPECT_FALSE(older.Offer(6, EntryKind::kValue, "gone"));
  EXPECT_EQ(older.Result(), "(none),a");
}

TEST(PointLookup, GivesTheDefaultColumnOfAnEntity) {
  std::string entity;
  ASSERT_TRUE(EncodeWideColumns({{"", "plain"}, {"x", "1"}}, &entity).ok());
  Lookup l;
  EXPECT_FALSE(l.Offer(9, EntryKind::kWideColumnEntity, entity));
  EXPECT_EQ(l.Result(), "plain");
}

TEST(PointLookup, MergesIntoTheDefaultColumnAndKeepsTheOthers) {
  std::string entity;
  ASSERT_TRUE(EncodeWideColumns({{"", "plain"}, {"x", "1"}}, &entity).ok());
  Lookup l;
  l.lookup.extras().raw_entity = true;
  EXPECT_TRUE(l.Offer(9, EntryKind::kMerge, "a"));
  EXPECT_FALSE(l.Offer(8, EntryKind::kWideColumnEntity, entity));
  std::vector<WideColumn> columns;
  const std::string result = l.Result();
  ASSERT_TRUE(DecodeWideColumns(result, &columns).ok());
  ASSERT_EQ(columns.size(), 2u);
  EXPECT_EQ(columns[0].value, Slice("plain,a"));
  EXPECT_EQ(columns[1].value, Slice("1"));
}

TEST(PointLookup, GivesAPlainValueAsAnEntityOfOneColumnWhenAsked) {
  Lookup l;
  l.lookup.extras().raw_entity = true;
  EXPECT_FALSE(l.Offer(9, EntryKind::kValue, "v"));
  std::vector<WideColumn> columns;
  const std::string result = l.Result();
  ASSERT_TRUE(DecodeWideColumns(result, &columns).ok());
  ASSERT_EQ(columns.size(), 1u);
  EXPECT_EQ(columns[0].name, Slice(""));
  EXPECT_EQ(columns[0].value, Slice("v"));
}

TEST(PointLookup, CollectsOperandsInsteadOfMerging) {
  std::vector<std::string> operands;
  Lookup l(100, nullptr);
  l.lookup.extras().operands = &operands;
  EXPECT_TRUE(l.Offer(9, EntryKind::kMerge, "b"));
  EXPECT_TRUE(l.Offer(8, EntryKind::kMerge, "a"));
  EXPECT_FALSE(l.Offer(7, EntryKind::kValue, "base"));
  EXPECT_EQ(operands, (std::vector<std::string>{"base", "a", "b"}));
}

TEST(PointLookup, DropsThePreferredSequenceFromAValue) {
  std::string stored = "v";
  PutFixed64(&stored, 77);
  Lookup l;
  EXPECT_FALSE(l.Offer(9, EntryKind::kValuePreferredSequence, stored));
  EXPECT_EQ(l.Result(), "v");
  Lookup shorter;
  EXPECT_FALSE(shorter.Offer(9, EntryKind::kValuePreferredSequence, "1234567"));
  EXPECT_TRUE(shorter.lookup.status().IsCorruption());
}

class Blobs : public BlobFetcher {
 public:
  Status Fetch(Slice, Slice index, std::string* value) const override {
    if (index == Slice("broken")) return Status::Corruption("blob");
    *value = "blob of " + index.ToString();
    return Status::Ok();
  }
};

TEST(PointLookup, ReadsBlobsThroughTheFetcher) {
  const Blobs blobs;
  Lookup plain, merged, broken, without;
  for (Lookup* l : {&plain, &merged, &broken}) l->lookup.extras().blobs = &blobs;
  EXPECT_FALSE(plain.Offer(9, EntryKind::kBlobIndex, "7"));
  EXPECT_EQ(plain.Result(), "blob of 7");
  EXPECT_TRUE(merged.Offer(9, EntryKind::kMerge, "a"));
  EXPECT_FALSE(merged.Offer(8, EntryKind::kBlobIndex, "7"));
  EXPECT_EQ(merged.Result(), "blob of 7,a");
  EXPECT_FALSE(broken.Offer(9, EntryKind::kBlobIndex, "broken"));
  EXPECT_EQ(broken.Result(), "Corruption: blob");
  EXPECT_FALSE(without.Offer(9, EntryKind::kBlobIndex, "7"));
  EXPECT_TRUE(without.lookup.status().IsNotSupported());
}

TEST(PointLookup, RefusesAnUnknownKind) {
  Lookup l;
  EXPECT_FALSE(l.Offer(9, static_cast<EntryKind>(0x55), ""));
  EXPECT_TRUE(l.lookup.status().IsCorruption());
}

TEST(PointLookup, PassesOverVersionsNewerThanTheReadTimestamp) {
  const KeyOrder order(BytewiseComparatorWithU64Timestamp());
  const auto stamp = [](uint64_t t) {
    std::string bytes;
    PutFixed64(&bytes, t);
    return bytes;
  };
  const std::string read_timestamp = stamp(20);
  std::string found;
  PinnedValue value;
  PointLookup lookup(order, "k", 100, read_timestamp, nullptr, &value);
  lookup.extras().timestamp = &found;
  EXPECT_EQ(lookup.seek_key().ToString(), "k" + read_timestamp);
  EXPECT_TRUE(lookup.Offer("k" + stamp(30), PackTag(9, EntryKind::kValue), "new", PinSource()));
  EXPECT_FALSE(lookup.Offer("k" + stamp(15), PackTag(8, EntryKind::kValue), "old", PinSource()));
  EXPECT_EQ(value.slice(), Slice("old"));
  EXPECT_EQ(found, stamp(15));
}

TEST(PointLookup, TellsTheNewestSequenceItSaw) {
  SequenceNumber sequence = 0;
  Lookup l;
  l.lookup.extras().sequence = &sequence;
  EXPECT_TRUE(l.Offer(9, EntryKind::kMerge, "a"));
  EXPECT_FALSE(l.Offer(8, EntryKind::kValue, "v"));
  EXPECT_EQ(sequence, 9u);
}

}  // namespace
}  // namespace skarn
