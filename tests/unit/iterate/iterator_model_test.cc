// Random histories spread over a memtable, files of level 0 and a level, iterated at
// random snapshots with random bounds, against a std::map.

#include <gtest/gtest.h>

#include <set>

#include "core/iterate/db_iterator.h"
#include "core/memtable/memtable.h"
#include "tests/unit/iterate/sources.h"

namespace skarn {
namespace {

class Joining : public MergeOperator {
 public:
  const char* Name() const override { return "joining"; }
  bool FullMerge(Slice, const Slice* existing, const std::vector<Slice>& operands,
                 std::string* result) const override {
    *result = existing == nullptr ? "(none)" : existing->ToString();
    for (Slice operand : operands) *result += "," + operand.ToString();
    return true;
  }
  bool PartialMerge(Slice, const std::vector<Slice>&, std::string*) const override { return false; }
};

// What is visible at `sequence`.
std::map<std::string, std::string> VisibleAt(const std::vector<Change>& history,
                                             SequenceNumber sequence) {
  std::map<std::string, std::string> state;
  for (const Change& change : history) {
    if (change.sequence > sequence) break;
    switch (change.kind) {
      case EntryKind::kValue:
        state[change.key] = change.value;
        break;
      case EntryKind::kMerge: {
        const auto it = state.find(change.key);
        state[change.key] = (it == state.end() ? "(none)" : it->second) + "," + change.value;
        break;
      }
      case EntryKind::kRangeDeletion:
        if (change.key < change.value) {
          state.erase(state.lower_bound(change.key), state.lower_bound(change.value));
        }
        break;
      default:
        state.erase(change.key);
    }
  }
  return state;
}

struct Scenario {
  explicit Scenario(uint64_t seed, const KeyOrder& order) : random(seed), order(order) {
    const uint64_t keys = 5 + random.Uniform(60);
    const bool ranges = !random.OneIn(3);
    const bool merges = !random.OneIn(3);
    const size_t count = 20 + random.Uniform(300);
    for (SequenceNumber s = 1; s <= count; ++s) {
      Change change{s, EntryKind::kValue, Key(keys), "v" + std::to_string(s)};
      const uint64_t dice = random.Uniform(20);
      if (dice < 3) {
        change.kind = random.OneIn(2) ? EntryKind::kDeletion : EntryKind::kSingleDeletion;
        change.value.clear();
      } else if (dice < 7 && merges) {
        change.kind = EntryKind::kMerge;
      } else if (dice < 8 && ranges) {
        change.kind = EntryKind::kRangeDeletion;
        change.value = Key(keys);
      }
      history.push_back(change);
    }
    // Cut by age: the oldest into a level, the newest into a memtable.
    std::set<size_t> cuts = {0, count};
    for (uint64_t i = 0; i < random.Uniform(5); ++i) cuts.insert(random.Uniform(count));
    for (auto it = cuts.begin(); std::next(it) != cuts.end(); ++it) {
      parts.emplace_back(history.begin() + static_cast<ptrdiff_t>(*it),
                         history.begin() + static_cast<ptrdiff_t>(*std::next(it)));
    }
    std::reverse(parts.begin(), parts.end());  // Newest first.
  }
  ~Scenario() {
    if (table != nullptr) table->Unref();
  }
  std::string Key(uint64_t keys) { return "k" + std::to_string(100 + random.Uniform(keys)); }

  IteratorView View(SequenceNumber sequence) {
    IteratorView view;
    view.sequence = sequence;
    MergingCursorBuilder builder(order, sequence);
    for (size_t i = 0; i < parts.size(); ++i) {
      if (i == 0) {
        if (table == nullptr) {
          table = new MemTable(order, MemTableOptions(), nullptr, 1, 1);
          for (const Change& c : parts[0]) {
            EXPECT_TRUE(table->Add(c.sequence, c.kind, c.key, c.value, false).ok());
          }
        }
        builder.Add(table->NewCursor(), ClippedTombstones(order, table->Tombstones(sequence)));
      } else if (i + 1 == parts.size()) {
        builder.AddLevel(std::make_unique<ConcatenatingCursor>(
            order, MakeLevel(order, parts[i], &random, 1 + random.Uniform(10))));
      } else {
        auto file = MakeLevel(order, parts[i], &random, UINT64_MAX);
        if (file->size() == 0) continue;
        std::shared_ptr<const FragmentedTombstones> list;
        EXPECT_TRUE(file->Tombstones(0, &list).ok());
        builder.Add(file->OpenCursor(0),
                    ClippedTombstones(order, list, file->smallest(0), file->largest(0)));
      }
    }
    view.cursor = builder.Finish();
    return view;
  }

  Random random;
  const KeyOrder& order;
  std::vector<Change> history;
  std::vector<std::vector<Change>> parts;
  MemTable* table = nullptr;
};

TEST(UserIterator, AgreesWithAMapAtEverySnapshot) {
  static const Joining merge_operator;
  const KeyOrder order(BytewiseComparator());
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Scenario scenario(seed, order);
    Random& random = scenario.random;
    for (int round = 0; round < 4; ++round) {
      const SequenceNumber sequence = random.Uniform(scenario.history.size() + 1);
      std::map<std::string, std::string> state = VisibleAt(scenario.history, sequence);
      const std::string lower_key = scenario.Key(70), upper_key = scenario.Key(70);
      const Slice lower(lower_key), upper(upper_key);
      DbIteratorSetup setup;
      setup.order = &order;
      setup.merge_operator = &merge_operator;
      setup.max_sequential_skip = random.Uniform(4) * random.Uniform(4);
      setup.read.pin_data = random.OneIn(3);
      if (random.OneIn(2)) setup.read.iterate_lower_bound = &lower;
      if (random.OneIn(2)) setup.read.iterate_upper_bound = &upper;
      if (setup.read.iterate_lower_bound != nullptr) {
        state.erase(state.begin(), state.lower_bound(lower_key));
      }
      if (setup.read.iterate_upper_bound != nullptr) {
        state.erase(state.lower_bound(upper_key), state.end());
      }
      const auto iterator = NewDbIterator(setup, scenario.View(sequence));

      auto at = state.end();
      const auto check = [&](const char* what) {
        ASSERT_TRUE(iterator->status().ok()) << what << iterator->status().ToString();
        ASSERT_EQ(iterator->valid(), at != state.end()) << what;
        if (at == state.end()) return;
        ASSERT_EQ(iterator->key(), Slice(at->first)) << what;
        ASSERT_EQ(iterator->value(), Slice(at->second)) << what;
      };
      // Complete walks first.
      iterator->SeekToFirst();
      for (at = state.begin(); at != state.end(); ++at, iterator->Next()) {
        check("first to last");
        if (HasFatalFailure()) return;
      }
      check("end");
      iterator->SeekToLast();
      while (at != state.begin()) {
        --at;
        check("last to first");
        if (HasFatalFailure()) return;
        iterator->Prev();
      }
      at = state.end();
      check("front end");
      for (int step = 0; step < 120 && !HasFatalFailure(); ++step) {
        const uint64_t action = random.Uniform(12);
        if (at == state.end() || action < 3) {
          const std::string target = random.OneIn(8) ? "" : scenario.Key(75);
          if (action % 2 == 0) {
            iterator->Seek(target);
            at = state.lower_bound(target);
            check("seek");
          } else {
            iterator->SeekForPrev(target);
            at = state.upper_bound(target);
            at = at == state.begin() ? state.end() : std::prev(at);
            check("seek for prev");
          }
        } else if (action < 8) {
          iterator->Next();
          ++at;
          check("next");
        } else {
          iterator->Prev();
          at = at == state.begin() ? state.end() : std::prev(at);
          check("prev");
        }
      }
      if (HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace skarn
