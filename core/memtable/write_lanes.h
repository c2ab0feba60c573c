// WriteLanes lets several threads add to one memtable: each holds a lane, with an
// extent of its own to append to and counters of its own. Sums over the lanes are the
// memtable's counts.
//
// Thread safety: any thread. A lane belongs to one writer at a time: alone, writers use
// first() without claiming it; concurrent ones claim and release.

#ifndef SKARN_CORE_MEMTABLE_WRITE_LANES_H_
#define SKARN_CORE_MEMTABLE_WRITE_LANES_H_

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "core/base/thread_context.h"
#include "core/key/internal_key.h"
#include "core/memtable/record_store.h"
#include "core/memtable/spin_wait.h"

namespace skarn {

struct alignas(128) WriteLane {
  std::atomic<bool> busy{false};
  RecordStore::Lane position;
  // Bytes added but not yet in the memtable's sum.
  uint64_t pending_bytes = 0;

  // Written by the lane's owner, read by any thread. `entries` last, with release: who
  // counts an entry can find it.
  std::atomic<uint64_t> deletions{0};
  std::atomic<uint64_t> data_bytes{0};
  std::atomic<SequenceNumber> smallest_sequence{kMaxSequenceNumber};
  std::atomic<SequenceNumber> largest_sequence{0};
  std::atomic<uint64_t> entries{0};

  void Count(SequenceNumber sequence, bool deletion, uint64_t bytes) {
    const auto add = [](std::atomic<uint64_t>* to, uint64_t more) {
      to->store(to->load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
    };
    if (deletion) add(&deletions, 1);
    add(&data_bytes, bytes);
    if (sequence < smallest_sequence.load(std::memory_order_relaxed)) {
      smallest_sequence.store(sequence, std::memory_order_relaxed);
    }
    if (sequence > largest_sequence.load(std::memory_order_relaxed)) {
      largest_sequence.store(sequence, std::memory_order_relaxed);
    }
    entries.store(entries.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
};

class WriteLanes {
 public:
  static constexpr uint32_t kLanes = 8;

  WriteLane* first() { return &lanes_[0]; }
  WriteLane* Claim() {
    uint32_t index = CurrentThreadContext()->index;
    SpinWait spin;
    for (uint32_t tries = 1;; ++tries, ++index) {
      WriteLane* lane = &lanes_[index % kLanes];
      // Acquire pairs with the release of the lane's last owner.
      if (!lane->busy.exchange(true, std::memory_order_acquire)) return lane;
      if (tries % kLanes == 0) spin.Pause();
    }
  }
  static void Release(WriteLane* lane) { lane->busy.store(false, std::memory_order_release); }

  uint64_t entries() const {
    uint64_t sum = 0;
    for (const WriteLane& lane : lanes_) sum += lane.entries.load(std::memory_order_acquire);
    return sum;
  }
  uint64_t deletions() const {
    uint64_t sum = 0;
    for (const WriteLane& lane : lanes_) sum += lane.deletions.load(std::memory_order_relaxed);
    return sum;
  }
  uint64_t data_bytes() const {
    uint64_t sum = 0;
    for (const WriteLane& lane : lanes_) sum += lane.data_bytes.load(std::memory_order_relaxed);
    return sum;
  }
  // kMaxSequenceNumber when there is nothing.
  SequenceNumber smallest_sequence() const {
    SequenceNumber smallest = kMaxSequenceNumber;
    for (const WriteLane& lane : lanes_) {
      smallest = std::min(smallest, lane.smallest_sequence.load(std::memory_order_relaxed));
    }
    return smallest;
  }
  SequenceNumber largest_sequence() const {
    SequenceNumber largest = 0;
    for (const WriteLane& lane : lanes_) {
      largest = std::max(largest, lane.largest_sequence.load(std::memory_order_relaxed));
    }
    return largest;
  }

 private:
  WriteLane lanes_[kLanes];
};

}  // namespace skarn

#endif  // SKARN_CORE_MEMTABLE_WRITE_LANES_H_
