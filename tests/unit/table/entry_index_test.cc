#include "core/table/entry_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/random.h"
#include "core/key/internal_key.h"
#include "core/plugin/comparator.h"
#include "core/table/block_builder.h"
#include "core/table/block_cursor.h"

namespace skarn {
namespace {

using Entries = std::vector<std::pair<std::string, uint64_t>>;  // User key and tag, in order.

struct Freed {
  void operator()(EntryIndex* index) const { EntryIndex::Free(index); }
};
using OwnedIndex = std::unique_ptr<EntryIndex, Freed>;

// A block with the padding that cursors want.
struct Block {
  std::string bytes;
  BlockLayout layout;
  KeyFlavour flavour;

  Slice payload() const { return Slice(bytes.data(), bytes.size() - kBlockPadding); }
  OwnedIndex Index() const { return OwnedIndex(EntryIndex::Build(payload(), layout, flavour)); }
};

Block MakeBlock(const Entries& entries, int restart_interval, size_t value_size) {
  BlockBuilder::Options options;
  options.restart_interval = restart_interval;
  BlockBuilder builder(options);
  builder.Reset();
  for (size_t i = 0; i < entries.size(); ++i) {
    builder.Add(entries[i].first, entries[i].second, std::string(value_size, char('a' + i % 26)));
  }
  Block block;
  block.bytes = builder.Finish().ToString();
  EXPECT_TRUE(ParseBlockLayout(block.bytes, &block.layout));
  block.bytes.append(kBlockPadding, 0);
  return block;
}

const KeyOrder& Order() {
  static const KeyOrder* const order = new KeyOrder(BytewiseComparator());
  return *order;
}

// Where a search of the entries themselves ends, and with the index: the same place, and
// the same entries from there on in both directions.
void ExpectSame(const Block& block, const EntryIndex& index, Slice key, uint64_t tag) {
  DataBlockCursor plain, indexed;
  plain.Reset(block.bytes.data(), block.layout, block.flavour);
  indexed.Reset(block.bytes.data(), block.layout, block.flavour);
  plain.Seek(Order(), key, tag);
  indexed.SeekIndexed(index, Order(), key, tag);
  const auto same = [&] {
    ASSERT_EQ(indexed.valid(), plain.valid()) << key.ToHex();
    ASSERT_FALSE(indexed.corrupt());
    if (!plain.valid()) return;
    ASSERT_EQ(indexed.user_key().ToHex(), plain.user_key().ToHex());
    ASSERT_EQ(indexed.tag(), plain.tag());
    ASSERT_EQ(indexed.value().ToString(), plain.value().ToString());
  };
  same();
  const bool forward = key.size() % 2 == 0;
  for (int step = 0; step < 20 && plain.valid(); ++step) {
    if (forward) {
      plain.Next();
      indexed.Next();
    } else {
      plain.Prev();
      indexed.Prev();
    }
    same();
  }
}

std::string RandomKey(Random* random, int shape) {
  std::string key;
  switch (shape) {
    case 0:  // A fixed size and a long common beginning.
      key = "user-profile-";
      for (int i = 0; i < 4; ++i) key.push_back(static_cast<char>('0' + random->Uniform(10)));
      return key;
    case 1:  // Any bytes, any size, from few letters: one is often the beginning of another.
      key.resize(random->Uniform(6));
      for (char& letter : key) letter = static_cast<char>(random->Uniform(2) == 0 ? 0 : 'a');
      return key;
    case 2:  // They differ late.
      key = std::string(8 + random->Uniform(3), 'x') + std::string(random->Uniform(20), 0);
      key.push_back(static_cast<char>(random->Uniform(256)));
      return key;
    case 3: {  // A number of 8 bytes and the same end, as a rule.
      key.assign(7, 0);
      key.push_back(static_cast<char>(random->Uniform(256)));
      const uint64_t end = random->Uniform(64);
      return key + (end == 0 ? "0001" : end == 1 ? "00000000001" : "00000000000");
    }
    case 4:  // They differ early and go on in many ways.
      key = "user" + std::to_string(100 + random->Uniform(40)) + "@";
      for (uint64_t i = random->Uniform(12); i > 0; --i) {
        key.push_back(static_cast<char>('x' + random->Uniform(2)));
      }
      return key;
    default:  // Few different keys with many versions, longer than 127 bytes.
      return std::string(150, 'k') + static_cast<char>('a' + random->Uniform(4));
  }
}

TEST(EntryIndex, FindsWhatASearchOfTheEntriesFinds) {
  for (int shape = 0; shape < 6; ++shape) {
    for (uint64_t seed = 1; seed <= 30; ++seed) {
      SCOPED_TRACE("shape " + std::to_string(shape) + " seed " + std::to_string(seed));
      Random random(seed);
      Entries entries;
      const uint64_t count = 1 + random.Uniform(60);
      for (uint64_t i = 0; i < count; ++i) {
        entries.emplace_back(RandomKey(&random, shape),
                             PackTag(1 + random.Uniform(1000), EntryKind::kValue));
      }
      std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
        const int order = Slice(a.first).Compare(b.first);
        return order != 0 ? order < 0 : a.second > b.second;
      });
      entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
      const Block block =
          MakeBlock(entries, 1 << random.Uniform(5), random.Uniform(2) == 0 ? 5 : 200);
      const OwnedIndex index = block.Index();
      ASSERT_NE(index, nullptr);
      ASSERT_EQ(index->count(), entries.size());
      for (const auto& [key, tag] : entries) {
        ExpectSame(block, *index, key, tag);
        ExpectSame(block, *index, key, kMaxTag);
        ExpectSame(block, *index, key, tag - 1);
        ExpectSame(block, *index, key, 0);
        ExpectSame(block, *index, key + std::string(1, 0), kMaxTag);
        if (!key.empty()) ExpectSame(block, *index, key.substr(0, key.size() - 1), kMaxTag);
      }
      for (int i = 0; i < 50; ++i) ExpectSame(block, *index, RandomKey(&random, shape), kMaxTag);
      ExpectSame(block, *index, Slice(), kMaxTag);
      ExpectSame(block, *index, std::string(30, 0xff), kMaxTag);
    }
  }
}

TEST(EntryIndex, TellsAVersionFromALaterKey) {
  const Block block = MakeBlock({{"key-0001", PackTag(9, EntryKind::kValue)},
                                 {"key-0001", PackTag(5, EntryKind::kDeletion)},
                                 {"key-0003", PackTag(7, EntryKind::kValue)}},
                                1, 10);
  const OwnedIndex index = block.Index();
  ASSERT_NE(index, nullptr);
  ASSERT_TRUE(index->whole_keys());
  uint32_t i = 9;
  const auto find = [&](Slice key, SequenceNumber snapshot) {
    return index->Find(block.bytes.data(), key, SeekTag(snapshot), block.flavour, &i);
  };
  EXPECT_EQ(find("key-0001", 100), EntryIndex::Found::kVersion);
  EXPECT_EQ(i, 0u);
  EXPECT_EQ(find("key-0001", 8), EntryIndex::Found::kVersion);
  EXPECT_EQ(i, 1u);
  EXPECT_EQ(find("key-0001", 4), EntryIndex::Found::kAfter);
  EXPECT_EQ(i, 2u);
  EXPECT_EQ(find("key-0002", 100), EntryIndex::Found::kAfter);
  EXPECT_EQ(i, 2u);
  EXPECT_EQ(find("key-0003", 6), EntryIndex::Found::kAfter);
  EXPECT_EQ(i, 3u);
  EXPECT_EQ(find("kex", 100), EntryIndex::Found::kAfter);
  EXPECT_EQ(i, 0u);
  EXPECT_EQ(find("key-", 100), EntryIndex::Found::kAfter);
  EXPECT_EQ(i, 0u);
  EXPECT_EQ(find("kez", 100), EntryIndex::Found::kAfter);
  EXPECT_EQ(i, 3u);
}

// Keys whose last bytes are all the same are told apart by the 8 bytes before.
TEST(EntryIndex, ComparesTheCommonEndOfKeys) {
  const auto key = [](char number, const char* end) {
    return std::string(7, 0) + number + std::string(end);
  };
  const Block block = MakeBlock({{key(1, "00000000"), PackTag(9, EntryKind::kValue)},
                                 {key(3, "00000000"), PackTag(7, EntryKind::kValue)},
                                 {key(3, "00000000"), PackTag(4, EntryKind::kDeletion)},
                                 {key(5, "00000000"), PackTag(7, EntryKind::kValue)}},
                                16, 10);
  const OwnedIndex index = block.Index();
  ASSERT_NE(index, nullptr);
  ASSERT_TRUE(index->whole_keys());
  const auto find = [&](Slice wanted, SequenceNumber snapshot) {
    uint32_t i = 99;
    const EntryIndex::Found found =
        index->Find(block.bytes.data(), wanted, SeekTag(snapshot), block.flavour, &i);
    return std::pair(found, i);
  };
  EXPECT_EQ(find(key(3, "00000000"), 100), std::pair(EntryIndex::Found::kVersion, 1u));
  EXPECT_EQ(find(key(3, "00000000"), 5), std::pair(EntryIndex::Found::kVersion, 2u));
  EXPECT_EQ(find(key(3, "00000000"), 3), std::pair(EntryIndex::Found::kAfter, 3u));
  EXPECT_EQ(find(key(3, "0000000/"), 100), std::pair(EntryIndex::Found::kAfter, 1u));
  EXPECT_EQ(find(key(3, "10000000"), 100), std::pair(EntryIndex::Found::kAfter, 3u));
  EXPECT_EQ(find(key(4, "00000000"), 100), std::pair(EntryIndex::Found::kAfter, 3u));
  EXPECT_EQ(find(key(5, "00000001"), 100), std::pair(EntryIndex::Found::kAfter, 4u));
}

// Keys that go on in their own way beyond the 8 bytes are compared in the entry, and a search
// of the block is needed only where several share those bytes.
TEST(EntryIndex, ComparesTheRestOfAKeyInItsEntry) {
  const Block block = MakeBlock({{"key-00000001-alpha", PackTag(9, EntryKind::kValue)},
                                 {"key-00000002-b", PackTag(9, EntryKind::kValue)},
                                 {"key-00000002-b", PackTag(5, EntryKind::kDeletion)},
                                 {"key-00000003-gamma-1", PackTag(7, EntryKind::kValue)},
                                 {"key-00000003-gamma-2", PackTag(7, EntryKind::kValue)}},
                                16, 10);
  const OwnedIndex index = block.Index();
  ASSERT_NE(index, nullptr);
  ASSERT_FALSE(index->whole_keys());
  const auto find = [&](Slice wanted, SequenceNumber snapshot) {
    uint32_t i = 99;
    const EntryIndex::Found found =
        index->Find(block.bytes.data(), wanted, SeekTag(snapshot), block.flavour, &i);
    return std::pair(found, i);
  };
  EXPECT_EQ(find("key-00000001-alpha", 100), std::pair(EntryIndex::Found::kVersion, 0u));
  EXPECT_EQ(find("key-00000001-alpha", 8), std::pair(EntryIndex::Found::kAfter, 1u));
  EXPECT_EQ(find("key-00000001-alph", 100), std::pair(EntryIndex::Found::kAfter, 0u));
  EXPECT_EQ(find("key-00000001-alphas", 100), std::pair(EntryIndex::Found::kAfter, 1u));
  EXPECT_EQ(find("key-00000002-b", 100), std::pair(EntryIndex::Found::kVersion, 1u));
  EXPECT_EQ(find("key-00000002-b", 6), std::pair(EntryIndex::Found::kVersion, 2u));
  EXPECT_EQ(find("key-00000002-b", 3), std::pair(EntryIndex::Found::kAfter, 3u));
  EXPECT_EQ(find("key-00000002-", 100), std::pair(EntryIndex::Found::kAfter, 1u));
  EXPECT_EQ(find("key-00000003-gamma-1", 100), std::pair(EntryIndex::Found::kVersion, 3u));
  EXPECT_EQ(find("key-00000003-gamma-2", 100).first, EntryIndex::Found::kUnsure);
}

// Nothing in a damaged block may make the index point outside of it.
TEST(EntryIndex, IsNotMadeOfADamagedBlockOrStaysInsideIt) {
  Random random(7);
  Entries entries;
  for (int i = 0; i < 40; ++i) {
    entries.emplace_back("key" + std::to_string(100 + i), PackTag(5, EntryKind::kValue));
  }
  const Block good = MakeBlock(entries, 4, 20);
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    Block bad = good;
    for (uint64_t i = 0; i <= random.Uniform(3); ++i) {
      bad.bytes[random.Uniform(bad.payload().size())] = static_cast<char>(random.Uniform(256));
    }
    if (!ParseBlockLayout(bad.payload(), &bad.layout)) continue;
    // A copy without room behind it, so that a checker of memory sees what is read beyond.
    const OwnedIndex index = bad.Index();
    if (index == nullptr) {
      ++refused;
      continue;
    }
    for (uint32_t i = 0; i < index->count(); ++i) {
      const EntryIndex::Entry entry = index->At(bad.bytes.data(), i);
      ASSERT_LE(entry.value + entry.value_size, bad.bytes.data() + bad.layout.entries_end);
      ASSERT_GE(entry.key, bad.bytes.data());
    }
    DataBlockCursor cursor;
    cursor.Reset(bad.bytes.data(), bad.layout, bad.flavour);
    cursor.SeekIndexed(*index, Order(), entries[random.Uniform(40)].first, kMaxTag);
    for (int step = 0; step < 50 && cursor.valid(); ++step) {
      if (round % 2 == 0) {
        cursor.Next();
      } else {
        cursor.Prev();
      }
    }
  }
  EXPECT_GT(refused, 100);
}

TEST(EntryIndex, LeavesAloneWhatItDoesNotServe) {
  Block block = MakeBlock({{"a", PackTag(1, EntryKind::kValue)}}, 1, 70000);
  EXPECT_EQ(block.Index(), nullptr) << "offsets have 16 bits";
  block = MakeBlock({{"a", PackTag(1, EntryKind::kValue)}}, 1, 7);
  EXPECT_NE(block.Index(), nullptr);
  block.flavour.stripped_timestamp = 8;
  EXPECT_EQ(block.Index(), nullptr);
}

}  // namespace
}  // namespace skarn
