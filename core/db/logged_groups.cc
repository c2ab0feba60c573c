#include "core/db/logged_groups.h"

#include <algorithm>
#include <bit>

namespace skarn {

void LoggedGroups::Average(uint64_t micros, uint64_t* average) {
  micros = std::max<uint64_t>(micros, 1);
  // One that took very long says little about the others.
  *average = *average == 0 ? micros : (*average * 3 + std::min(micros, *average * 3) + 3) / 4;
}

bool LoggedGroups::MayOverlap() {
  MutexLock lock(&mu_);
  const uint32_t turn = turn_++ % kLookAgain;
  if (turn < kAlone) return false;
  return turn < kAlone + kTrial || beside_us_ * 5 < alone_us_ * 8;
}

void LoggedGroups::NoteAlone(uint64_t micros) {
  MutexLock lock(&mu_);
  Average(micros, &alone_us_);
}

void LoggedGroups::Add(LoggedGroup* group) {
  MutexLock lock(&mu_);
  group->sync_number = syncs_begun_ + 1;
  uncovered_ = uncovered_ || group->sync;
  (newest_ == nullptr ? oldest_ : newest_->newer) = group;
  newest_ = group;
}

bool LoggedGroups::none() {
  MutexLock lock(&mu_);
  return NothingHere();
}

void LoggedGroups::AwaitNone() {
  MutexLock lock(&mu_);
  awaited_ = true;
  while (!NothingHere()) none_.Wait();
  awaited_ = false;
  uncovered_ = false;
  failure_ = Status::Ok();
}

LoggedGroups::Work LoggedGroups::Next(LoggedGroup* own) {
  const std::atomic<uint32_t>& state = own->leader->state;
  std::atomic<uint32_t>& word = words_[WordOf(*own)].wakes;
  Work work;
  for (;;) {
    uint32_t wakes = 0;
    {
      MutexLock lock(&mu_);
      own->passed_on = true;
      // First of all, even for a group that has ended: what the caller did may have let others be
      // committed, who sleep.
      if (!committing_ && oldest_ != nullptr && MayCommit(*oldest_)) {
        committing_ = true;
        work.kind = Work::Kind::kCommit;
        work.failure = failure_;
        work.first = work.last = oldest_;
        while (work.last->newer != nullptr && MayCommit(*work.last->newer)) {
          work.last = work.last->newer;
        }
        return work;
      }
      // Acquire: takes over what whoever committed the group has set.
      if (state.load(std::memory_order_acquire) == Writer::kDone) return work;
      constexpr uint32_t kAll = (1u << kSyncsMax) - 1;
      if (uncovered_ && failure_.ok() && running_ != kAll) {
        work.kind = Work::Kind::kSync;
        work.handle = static_cast<uint32_t>(std::countr_one(running_));
        work.number = ++syncs_begun_;
        uncovered_ = false;
        const bool alone = running_ == 0;
        running_ |= 1u << work.handle;
        overlapped_ = alone ? 0 : running_;
        return work;
      }
      // Read before the mutex is released: whoever ends the group changes it later.
      wakes = word.load(std::memory_order_relaxed);
    }
    word.wait(wakes, std::memory_order_acquire);
    if (state.load(std::memory_order_acquire) == Writer::kDone) return work;
  }
}

void LoggedGroups::EndSync(const Work& work, const Status& status, uint64_t micros) {
  const uint32_t bit = 1u << work.handle;
  std::atomic<uint32_t>* next = nullptr;
  {
    MutexLock lock(&mu_);
    running_ &= ~bit;
    if (!status.ok()) {
      if (failure_.ok()) failure_ = status;
    } else {
      durable_through_ = std::max(durable_through_, work.number);
      Average(micros, (overlapped_ & bit) != 0 ? &beside_us_ : &alone_us_);
      // One of those who wait for the next sync begins it, unless somebody comes before. While most
      // of the others are at work, one of theirs who return soon is quicker than who has to wake.
      if (uncovered_ && failure_.ok() && std::popcount(running_) < 2) {
        next = &words_[(syncs_begun_ + 1) % kWords].wakes;
        next->fetch_add(1, std::memory_order_relaxed);
      }
    }
    SignalWhenNone();
  }
  if (next != nullptr) next->notify_one();
}

void LoggedGroups::EndCommit(const Work& work, const Status& status, CommitQueue* queue) {
  LoggedGroup* group = work.first;
  {
    MutexLock lock(&mu_);
    if (!status.ok() && failure_.ok()) failure_ = status;
    oldest_ = work.last->newer;
    if (oldest_ == nullptr) newest_ = nullptr;
    committing_ = false;
    SignalWhenNone();
  }
  uint32_t words = 0;
  for (bool more = true; more;) {
    // Before its writers end: they have it on a stack.
    LoggedGroup* const newer = group->newer;
    more = group != work.last;
    words |= 1u << WordOf(*group);
    queue->End(group->leader, group->last);
    group = newer;
  }
  for (; words != 0; words &= words - 1) {
    std::atomic<uint32_t>& word = words_[std::countr_zero(words)].wakes;
    word.fetch_add(1, std::memory_order_release);
    word.notify_all();
  }
}

}  // namespace skarn
