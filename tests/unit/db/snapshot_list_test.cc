#include "core/db/snapshot_list.h"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "core/base/random.h"

namespace skarn {
namespace {

TEST(SnapshotList, AgreesWithAPlainListInAnyOrderOfReleases) {
  for (const uint64_t seed : {1u, 2u, 3u}) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    std::atomic<SequenceNumber> visible{10};
    SnapshotList list(&visible);
    std::vector<const Snapshot*> held;  // Oldest first.
    for (uint64_t step = 0; step < 3000; ++step) {
      if (held.empty() || (random.OneIn(2) && held.size() < 200)) {
        if (random.OneIn(3)) visible.fetch_add(1);
        held.push_back(list.New(/*now_s=*/step, random.OneIn(10)));
        ASSERT_EQ(held.back()->sequence(), visible.load());
        ASSERT_EQ(held.back()->created_s(), step);
      } else {
        const auto at = held.begin() + static_cast<ptrdiff_t>(random.Uniform(held.size()));
        const Snapshot* const released = *at;
        held.erase(at);
        const SequenceNumber left = held.empty() ? kMaxSequenceNumber : held.front()->sequence();
        ASSERT_EQ(list.Release(released), left);
      }
      std::vector<SequenceNumber> sequences;
      for (const Snapshot* snapshot : held) {
        if (sequences.empty() || sequences.back() != snapshot->sequence()) {
          sequences.push_back(snapshot->sequence());
        }
      }
      ASSERT_EQ(list.Sequences(), sequences);
      ASSERT_EQ(list.count(), held.size());
      ASSERT_EQ(list.oldest_time_s(), held.empty() ? 0 : held.front()->created_s());
      ASSERT_EQ(list.oldest_sequence(), held.empty() ? 0 : held.front()->sequence());
    }
    for (const Snapshot* snapshot : held) list.Release(snapshot);
  }
}

TEST(SnapshotList, LeavesTheLastOnesReleasedAsTheyWere) {
  std::atomic<SequenceNumber> visible{1};
  SnapshotList list(&visible);
  std::deque<std::pair<const Snapshot*, SequenceNumber>> released;
  for (int i = 0; i < 1000; ++i) {
    const Snapshot* const snapshot = list.New(/*now_s=*/1);
    released.emplace_back(snapshot, visible.fetch_add(1));
    list.Release(snapshot);
    if (released.size() > 60) released.pop_front();
    for (const auto& [old, sequence] : released) ASSERT_EQ(old->sequence(), sequence);
  }
}

}  // namespace
}  // namespace skarn
