#include "core/db/commit_queue.h"

#include <cassert>
#include <chrono>
#include <thread>

#include "core/base/futex.h"

namespace skarn {

namespace {

inline void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::atomic_signal_fence(std::memory_order_seq_cst);
#endif
}

// About a microsecond: a leader that only copies memory is done by then.
constexpr int kPauses = 20;

// What a sync waits for the writers of the last one: about half of what a sync takes.
constexpr uint64_t kReturnUsMax = 50;
constexpr int kReturnYieldsMax = 64;

}  // namespace

void CommitQueue::LinkNewer(Writer* newest, Writer* leader) {
  for (Writer* writer = newest; writer != leader && writer->older->newer == nullptr;
       writer = writer->older) {
    writer->older->newer = writer;
  }
}

template <typename Done>
bool CommitQueue::YieldUntil(const Done& done, uint64_t micros_max, bool for_sync) {
  using Clock = std::chrono::steady_clock;
  const std::chrono::microseconds slow(limits_.yield_us_expected * kSlowYield);
  Clock::time_point now = Clock::now();
  const Clock::time_point give_up = now + std::chrono::microseconds(micros_max);
  for (bool calm = true; calm && now < give_up;) {
    const Clock::time_point before = now;
    std::this_thread::yield();
    now = Clock::now();
    calm = now - before <= slow;
    if (!calm && for_sync) slow_yields_.fetch_add(1, std::memory_order_relaxed);
    if (done()) return true;
  }
  return false;
}

void CommitQueue::WaitWhile(Writer* writer, uint32_t state) {
  const auto done = [writer, state] {
    return (writer->state.load(std::memory_order_acquire) & ~Writer::kAsleep) != state;
  };
  for (int i = 0; i < kPauses; ++i) {
    if (done()) return;
    Pause();
  }
  if (!writer->sync) {
    if (limits_.spin && YieldUntil(done, limits_.yield_us_max, /*for_sync=*/false)) return;
    uint32_t awake = state;
    if (!writer->state.compare_exchange_strong(awake, state | Writer::kAsleep,
                                               std::memory_order_acquire)) {
      return;
    }
    while (!done()) SleepWhile(writer->state, state | Writer::kAsleep);
    return;
  }
  if (yields_for_syncs() &&
      YieldUntil(done, limits_.yield_us_max * kSyncYields, /*for_sync=*/true)) {
    return;
  }
  // Counted before it looks, so that whoever changes the state later knows of it: WakeRound() looks
  // at the count after it has changed the round, in one order for all (seq_cst).
  round_sleepers_.fetch_add(1, std::memory_order_seq_cst);
  for (;;) {
    const uint32_t round = round_.load(std::memory_order_seq_cst);
    if (done()) break;
    SleepWhile(round_, round);
  }
  round_sleepers_.fetch_sub(1, std::memory_order_relaxed);
}

void CommitQueue::AwaitReturn() {
  if (sleeping_syncs_left_ > 0) return;
  int yields_left = kReturnYieldsMax;
  const auto done = [this, &yields_left] {
    return syncing() >= last_sync_writers_ || --yields_left <= 0;
  };
  if (syncing() < last_sync_writers_) YieldUntil(done, kReturnUsMax, /*for_sync=*/true);
}

void CommitQueue::NoteSync(uint64_t micros, size_t writers) {
  last_sync_writers_ = writers;
  uint32_t slow_yields = 0;
  if (slow_yields_.load(std::memory_order_relaxed) != 0) {
    slow_yields = slow_yields_.exchange(0, std::memory_order_relaxed);
  }
  slow_yields_lately_ =
      slow_yields == 0 ? slow_yields_lately_ / 2 : slow_yields_lately_ + slow_yields;
  if (slow_yields_lately_ >= kSlowYieldsMax) {
    slow_yields_lately_ = 0;
    sleeping_syncs_ = std::clamp(sleeping_syncs_ * 2, kSleepingSyncsMin, kSleepingSyncsMax);
    sleeping_syncs_left_ = sleeping_syncs_;
  } else if (sleeping_syncs_left_ > 0) {
    --sleeping_syncs_left_;
  } else {
    sleeping_syncs_ /= 2;
  }
  const bool yields = limits_.spin && writers >= kYieldersMin && sleeping_syncs_left_ == 0 &&
                      micros <= limits_.yield_us_max * kSyncYields;
  if (yields != yields_for_syncs()) {
    yields_for_syncs_.store(yields, std::memory_order_relaxed);
  }
}

bool CommitQueue::Set(Writer* writer, Writer::State state) {
  const bool together = writer->sync;
  // The writer's stack frame may be gone right after the exchange: only the address is used to
  // wake.
  std::atomic<uint32_t>* const word = &writer->state;
  if ((word->exchange(state, std::memory_order_acq_rel) & Writer::kAsleep) != 0) WakeSleeper(word);
  return together;
}

void CommitQueue::WakeRound() {
  round_.fetch_add(1, std::memory_order_seq_cst);
  if (round_sleepers_.load(std::memory_order_seq_cst) != 0) WakeSleepers(&round_);
}

void CommitQueue::Wake(Writer* writer, Writer::State state) {
  if (Set(writer, state)) WakeRound();
}

bool CommitQueue::JoinSlow(Writer* writer) {
  if (writer->no_slowdown && refusing()) {
    writer->status = Status::Incomplete("Write stall");
    writer->state.store(Writer::kDone, std::memory_order_relaxed);
    return false;
  }
  if (writer->sync) syncing_.fetch_add(1, std::memory_order_relaxed);
  Writer* newest = newest_.load(std::memory_order_relaxed);
  do {
    writer->older = newest;
    // Release publishes the writer's fields to the leader; acquire takes over what the
    // last leader of an emptied queue did.
  } while (!newest_.compare_exchange_weak(newest, writer, std::memory_order_acq_rel,
                                          std::memory_order_relaxed));
  if (newest == nullptr) {
    writer->state.store(Writer::kLeading, std::memory_order_relaxed);
    return true;
  }
  WaitWhile(writer, Writer::kWaiting);
  return writer->state.load(std::memory_order_acquire) == Writer::kLeading;
}

Writer* CommitQueue::TakeMore(Writer* leader, Writer* newest, size_t* size_bytes, size_t* count) {
  if (leader->callback != nullptr && !leader->callback->AllowsGroup()) return leader;

  // A small write must not wait for a megabyte of others.
  size_t limit = limits_.group_bytes_max;
  const size_t small = limit / 8;
  if (leader->size_bytes <= small) limit = leader->size_bytes + small;

  LinkNewer(newest, leader);
  // The group grows behind `last`; who is passed over waits between `first_left` and
  // `last_left`, behind the group. `writer` is the one after all of these.
  Writer* last = leader;
  Writer* first_left = nullptr;
  Writer* last_left = nullptr;
  for (Writer* writer = leader->newer; writer != nullptr;) {
    // What leads alone, or would make the group too large, ends it: nobody is passed over
    // for long.
    if (writer->exclusive || *size_bytes + writer->size_bytes > limit) break;
    Writer* const next = writer == newest ? nullptr : writer->newer;
    if (!MayShareGroup(*leader, *writer)) {
      if (first_left == nullptr) first_left = writer;
      last_left = writer;
    } else {
      *size_bytes += writer->size_bytes;
      ++*count;
      if (first_left != nullptr) MoveBefore(first_left, last_left, writer, newest);
      last = writer;
    }
    writer = next;
  }
  return last;
}

bool CommitQueue::MayShareGroup(const Writer& leader, const Writer& writer) {
  return (leader.sync || !writer.sync) && writer.disable_wal == leader.disable_wal &&
         writer.no_slowdown == leader.no_slowdown &&
         writer.disable_memtable == leader.disable_memtable &&
         writer.rate_limiter_priority == leader.rate_limiter_priority &&
         (writer.callback == nullptr || writer.callback->AllowsGroup());
}

void CommitQueue::MoveBefore(Writer* first_left, Writer* last_left, Writer* writer,
                             Writer* newest) {
  // before, first_left .. last_left, writer, after -> before, writer, first_left .. last_left,
  // after
  Writer* const before = first_left->older;
  Writer* const after = writer == newest ? nullptr : writer->newer;
  before->newer = writer;
  writer->older = before;
  writer->newer = first_left;
  first_left->older = writer;
  last_left->newer = after;
  if (after != nullptr) {
    after->older = last_left;
    return;
  }
  Writer* now = writer;
  if (newest_.compare_exchange_strong(now, last_left, std::memory_order_acq_rel,
                                      std::memory_order_acquire)) {
    return;
  }
  // Others have joined behind `writer` and know it as the one before them.
  while (now->older != writer) now = now->older;
  now->older = last_left;
}

void CommitQueue::FinishSlow(Writer* leader, Writer* last) {
  uint32_t synced = leader->sync ? 1 : 0;
  for (Writer* writer = last; writer != leader; writer = writer->older) {
    if (writer->sync) ++synced;
  }
  if (synced != 0) syncing_.fetch_sub(synced, std::memory_order_relaxed);

  // Members are woken after the next leader is known, since the links go through them.
  Writer* newest = last;
  Writer* next = nullptr;
  if (!newest_.compare_exchange_strong(newest, nullptr, std::memory_order_acq_rel,
                                       std::memory_order_acquire)) {
    LinkNewer(newest, last);
    next = last->newer;
    assert(next != nullptr);
    next->older = nullptr;
  }
  bool together = false;
  Writer* member = leader == last ? nullptr : last;
  while (member != nullptr) {
    Writer* const older = member->older;  // Before the wake: the member may vanish.
    together |= Set(member, Writer::kDone);
    member = older == leader ? nullptr : older;
  }
  if (next != nullptr) together |= Set(next, Writer::kLeading);
  if (together) WakeRound();
}

void CommitQueue::EnterExclusive(Writer* writer) {
  writer->exclusive = true;
  const bool leads = Join(writer);
  assert(leads);
  (void)leads;
}

void CommitQueue::RefuseNoSlowdown(Writer* leader, const Status& status) {
  refusing_.store(true, std::memory_order_release);
  const auto refused = [](const Writer* writer) {
    return writer->no_slowdown && !writer->exclusive;
  };
  // The newest first: newest_ points at them, and a joining thread may be linking to one.
  Writer* newest = newest_.load(std::memory_order_acquire);
  while (newest != leader && refused(newest)) {
    Writer* const older = newest->older;
    if (!newest_.compare_exchange_strong(newest, older, std::memory_order_acq_rel,
                                         std::memory_order_acquire)) {
      continue;  // A newer one has joined; `newest` is it.
    }
    if (older->newer == newest) older->newer = nullptr;
    if (newest->sync) syncing_.fetch_sub(1, std::memory_order_relaxed);
    newest->status = status;
    Wake(newest, Writer::kDone);
    newest = older;
  }
  if (newest == leader) return;
  LinkNewer(newest, leader);
  for (Writer* writer = leader->newer; writer != newest;) {
    Writer* const newer = writer->newer;
    if (refused(writer)) {
      writer->older->newer = newer;
      newer->older = writer->older;
      if (writer->sync) syncing_.fetch_sub(1, std::memory_order_relaxed);
      writer->status = status;
      Wake(writer, Writer::kDone);
    }
    writer = newer;
  }
}

}  // namespace skarn
