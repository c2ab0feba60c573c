#include "core/table/block_cursor.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/base/random.h"
#include "core/key/internal_key.h"
#include "core/table/block_builder.h"

namespace skarn {
namespace {

struct Entry {
  std::string user_key;
  uint64_t tag;
  std::string value;
};

std::string BlockOf(const std::vector<Entry>& entries, int restart_interval, BlockLayout* layout) {
  BlockBuilder::Options options;
  options.restart_interval = restart_interval;
  BlockBuilder builder(options);
  builder.Reset();
  for (const Entry& entry : entries) builder.Add(entry.user_key, entry.tag, entry.value);
  std::string bytes = builder.Finish().ToString();
  EXPECT_TRUE(ParseBlockLayout(bytes, layout));
  return bytes.append(kBlockPadding, 0);
}

// Ascending keys of all sizes, some of them with a few versions.
std::vector<Entry> RandomEntries(Random* random, size_t count) {
  std::vector<Entry> entries;
  const size_t size = random->Uniform(4) == 0 ? 100 + random->Uniform(60) : random->Uniform(40);
  std::string key(size, 'k');
  while (entries.size() < count) {
    // The next key: the last one with its end made larger, or longer.
    const size_t place = key.empty() ? 0 : key.size() - 1 - random->Uniform(key.size()) / 3;
    if (key.empty() || key[place] == 'z' || random->Uniform(9) == 0) {
      key.append(1 + random->Uniform(3), 'a');
    } else {
      ++key[place];
      if (random->Uniform(3) == 0) key.resize(place + 1);
    }
    const size_t versions = random->Uniform(4) == 0 ? 1 + random->Uniform(4) : 1;
    for (size_t i = 0; i < versions; ++i) {
      entries.push_back({key, PackTag(1000 - i * 7, EntryKind::kValue),
                         std::string(random->Uniform(7) == 0 ? 300 : random->Uniform(20), 'v')});
    }
  }
  return entries;
}

void ExpectAt(const DataBlockCursor& cursor, const std::vector<Entry>& entries, size_t i) {
  ASSERT_TRUE(cursor.valid());
  ASSERT_EQ(cursor.user_key().ToString(), entries[i].user_key);
  ASSERT_EQ(cursor.tag(), entries[i].tag);
  ASSERT_EQ(cursor.value().ToString(), entries[i].value);
}

// The short steps go where the long ones would, or nowhere, and never to another version of
// the same key; in any mixture.
TEST(DataBlockCursor, ShortStepsAreThoseToOtherKeysOnly) {
  size_t short_steps = 0;
  for (uint32_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    const std::vector<Entry> entries = RandomEntries(&random, 1 + random.Uniform(60));
    BlockLayout layout;
    const std::string bytes = BlockOf(entries, 1 + static_cast<int>(random.Uniform(17)), &layout);
    const auto other = [&](size_t a, size_t b) {
      return entries[a].user_key != entries[b].user_key;
    };
    DataBlockCursor cursor;
    cursor.Reset(bytes.data(), layout, KeyFlavour());
    cursor.SeekToFirst();
    size_t at = 0;
    for (int step = 0; step < 400; ++step) {
      ExpectAt(cursor, entries, at);
      if (HasFatalFailure()) return;
      switch (random.Uniform(6)) {
        case 0:
        case 1:
          if (!cursor.NextOtherKey()) break;
          ++short_steps;
          ++at;
          ASSERT_LT(at, entries.size());
          ASSERT_TRUE(other(at, at - 1));
          break;
        case 2:
        case 3:
          if (!cursor.HasOtherKeyBefore()) {
            ASSERT_TRUE(cursor.valid());
            break;
          }
          ASSERT_GT(at, 0u);
          ASSERT_TRUE(other(at, at - 1));
          ExpectAt(cursor, entries, at);
          if (!cursor.PrevOtherKey()) break;
          ++short_steps;
          --at;
          ASSERT_GT(at, 0u);
          ASSERT_TRUE(other(at, at - 1));
          break;
        case 4:
          if (at + 1 == entries.size()) break;
          cursor.Next();
          ++at;
          break;
        default:
          if (at == 0) break;
          cursor.Prev();
          --at;
      }
    }
  }
  EXPECT_GT(short_steps, 5000u);  // They are the rule.
}

// Whatever the bytes are, steps end: at an end of the block or with corrupt().
TEST(DataBlockCursor, StepsThroughDamagedBlocksEnd) {
  for (uint32_t seed = 1; seed <= 2000; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed);
    const std::vector<Entry> entries = RandomEntries(&random, 1 + random.Uniform(40));
    BlockLayout layout;
    std::string bytes = BlockOf(entries, 1 + static_cast<int>(random.Uniform(17)), &layout);
    for (int i = 0; i < 3; ++i) {
      bytes[random.Uniform(bytes.size() - kBlockPadding)] = static_cast<char>(random.Uniform(256));
    }
    if (!ParseBlockLayout(Slice(bytes.data(), bytes.size() - kBlockPadding), &layout)) continue;
    DataBlockCursor cursor;
    cursor.Reset(bytes.data(), layout, KeyFlavour());
    size_t steps = 0;
    for (cursor.SeekToFirst(); cursor.valid(); ++steps) {
      if (!cursor.NextOtherKey()) cursor.Next();
      ASSERT_LE(steps, bytes.size());
    }
    for (cursor.SeekToLast(); cursor.valid(); ++steps) {
      if (!cursor.HasOtherKeyBefore() || !cursor.PrevOtherKey()) {
        if (cursor.valid()) cursor.Prev();
      }
      ASSERT_LE(steps, 3 * bytes.size());
    }
  }
}

}  // namespace
}  // namespace skarn
