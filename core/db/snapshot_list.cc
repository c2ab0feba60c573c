#include "core/db/snapshot_list.h"

#include <algorithm>
#include <new>
#include <utility>

#include "core/base/quarantine.h"

namespace skarn {

namespace {

// Snapshots of closed databases.
Quarantine<Snapshot, 64> left_over;

}  // namespace

SnapshotList::SnapshotList(const std::atomic<SequenceNumber>* visible)
    : visible_(visible), head_(0, 0) {
  head_.next_ = &head_;
  head_.previous_ = &head_;
}

SnapshotList::~SnapshotList() {
  while (head_.next_ != &head_) {
    Snapshot* const snapshot = head_.next_;
    head_.next_ = snapshot->next_;
    delete left_over.Exchange(snapshot);
  }
  for (Snapshot* snapshot : released_) {
    if (snapshot != nullptr) delete left_over.Exchange(snapshot);
  }
}

const Snapshot* SnapshotList::New(uint64_t now_s, bool write_conflict_boundary) {
  MutexLock lock(&mu_);
  while (held_off_) let_in_.Wait();
  Snapshot*& oldest = released_[next_released_];
  void* const memory = oldest != nullptr ? oldest : ::operator new(sizeof(Snapshot));
  oldest = nullptr;
  auto* const snapshot = new (memory) Snapshot(visible_->load(std::memory_order_acquire), now_s);
  snapshot->next_ = &head_;
  snapshot->previous_ = head_.previous_;
  snapshot->previous_->next_ = snapshot;
  head_.previous_ = snapshot;
  ++count_;
  if (write_conflict_boundary) boundaries_.push_back(snapshot);
  return snapshot;
}

bool SnapshotList::HoldOff() {
  MutexLock lock(&mu_);
  held_off_ = count_ == 0;
  return held_off_;
}

void SnapshotList::LetIn() {
  MutexLock lock(&mu_);
  held_off_ = false;
  let_in_.SignalAll();
}

SequenceNumber SnapshotList::Release(const Snapshot* snapshot) {
  MutexLock lock(&mu_);
  auto* const mine = const_cast<Snapshot*>(snapshot);
  mine->previous_->next_ = mine->next_;
  mine->next_->previous_ = mine->previous_;
  --count_;
  if (!boundaries_.empty()) {
    const auto found = std::find(boundaries_.begin(), boundaries_.end(), snapshot);
    if (found != boundaries_.end()) boundaries_.erase(found);
  }
  delete std::exchange(released_[next_released_], mine);
  next_released_ = (next_released_ + 1) % kReleasedKept;
  return head_.next_ == &head_ ? kMaxSequenceNumber : head_.next_->sequence();
}

std::vector<SequenceNumber> SnapshotList::Sequences(SequenceNumber* earliest_write_conflict) const {
  MutexLock lock(&mu_);
  std::vector<SequenceNumber> sequences;
  sequences.reserve(count_);
  // The ring is in order of creation, and the visible number never goes back.
  for (const Snapshot* at = head_.next_; at != &head_; at = at->next_) {
    if (sequences.empty() || sequences.back() != at->sequence())
      sequences.push_back(at->sequence());
  }
  if (earliest_write_conflict != nullptr) {
    *earliest_write_conflict = kMaxSequenceNumber;
    for (const Snapshot* boundary : boundaries_) {
      *earliest_write_conflict = std::min(*earliest_write_conflict, boundary->sequence());
    }
  }
  return sequences;
}

size_t SnapshotList::count() const {
  MutexLock lock(&mu_);
  return count_;
}

uint64_t SnapshotList::oldest_time_s() const {
  MutexLock lock(&mu_);
  return count_ == 0 ? 0 : head_.next_->created_s();
}

SequenceNumber SnapshotList::oldest_sequence() const {
  MutexLock lock(&mu_);
  return count_ == 0 ? 0 : head_.next_->sequence();
}

}  // namespace skarn
