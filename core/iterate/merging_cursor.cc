#include "core/iterate/merging_cursor.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/base/pooled.h"
#include "core/metrics/perf_context.h"

namespace skarn {
namespace {

class EmptyCursor final : public InternalCursor {
 public:
  explicit EmptyCursor(Status status) : status_(std::move(status)) {}
  void SeekToFirst() override {}
  void SeekToLast() override {}
  void Seek(Slice, uint64_t) override {}
  void SeekForPrev(Slice, uint64_t) override {}
  void Next() override {}
  void Prev() override {}
  Status status() const override { return status_; }

 private:
  const Status status_;
};

}  // namespace

// A loser tree over the children. Each child has a rank beside it, made of a prefix of its
// key: smaller comes first in the direction of travel. So most games are decided by one
// comparison of integers. Children that are not valid have the last rank and lose.
class MergingCursor final : public InternalCursor, public Pooled {
 public:
  MergingCursor(const KeyOrder& order, SequenceNumber snapshot, Slice read_timestamp,
                size_t common_bytes, std::vector<MergingCursorBuilder::Source> sources)
      : order_(order),
        comparator_kind_(order.comparator()->kind()),
        snapshot_(snapshot),
        read_timestamp_(read_timestamp),
        common_bytes_(common_bytes) {
    children_.reserve(sources.size());
    owned_.reserve(sources.size());
    for (size_t i = 0; i < sources.size(); ++i) {
      if (sources[i].tombstones != nullptr) {
        covers_.push_back({sources[i].tombstones, i, TombstoneSpan()});
      }
      children_.emplace_back();
      children_.back().cursor = sources[i].cursor.get();
      children_.back().table = AsTableCursor(sources[i].cursor.get());
      owned_.push_back({std::move(sources[i].cursor), std::move(sources[i].owned_tombstones), ""});
    }
    losers_.resize(children_.size());
    count_ = static_cast<uint32_t>(children_.size());
    max_timestamp_.assign(order.timestamp_size(), '\xff');
  }

  void SeekToFirst() override {
    Restart(/*forward=*/true);
    for (Child& child : children_) child.cursor->SeekToFirst();
    Settle();
  }
  void SeekToLast() override {
    Restart(/*forward=*/false);
    for (Child& child : children_) child.cursor->SeekToLast();
    Settle();
  }
  void Seek(Slice user_key, uint64_t tag) override {
    Restart(/*forward=*/true);
    PerfAdd(CurrentThreadContext(), PerfMetric::kSeekChildSeekCount, children_.size());
    for (int part = 0; part < kSeekParts; ++part) {
      for (Child& child : children_) child.cursor->SeekPart(part, user_key, tag);
    }
    Settle();
  }
  void SeekForPrev(Slice user_key, uint64_t tag) override {
    Restart(/*forward=*/false);
    PerfAdd(CurrentThreadContext(), PerfMetric::kSeekChildSeekCount, children_.size());
    for (Child& child : children_) child.cursor->SeekForPrev(user_key, tag);
    Settle();
  }

  void Next() override {
    if (SKARN_UNLIKELY(!forward_)) {
      Turn(/*forward=*/true);
    } else {
      const Child& child = children_[winner_];
      if (SKARN_LIKELY(child.table != nullptr)) {
        child.table->Next();
      } else {
        child.cursor->Next();
      }
    }
    Replay();
    Filter();
  }
  void Prev() override {
    if (SKARN_UNLIKELY(forward_)) {
      Turn(/*forward=*/false);
    } else {
      children_[winner_].cursor->Prev();
    }
    Replay();
    Filter();
  }

  bool PrepareValue() override {
    InternalCursor* cursor = children_[winner_].cursor;
    if (!cursor->PrepareValue()) {
      Fail(cursor->status());
      return false;
    }
    value_ = cursor->value();
    value_ready_ = true;
    return true;
  }

  Status status() const override { return status_; }
  bool KeyPinned() const override { return children_[winner_].cursor->KeyPinned(); }
  bool ValuePinned() const override { return children_[winner_].cursor->ValuePinned(); }
  bool PinValue(Pin* pin) override { return children_[winner_].cursor->PinValue(pin); }
  void SetPinList(PinList* pins) override {
    for (Child& child : children_) child.cursor->SetPinList(pins);
  }
  bool KnownBelowUpperBound() const override {
    return children_[winner_].cursor->KnownBelowUpperBound();
  }
  bool StoppedAtUpperBound() const override {
    for (const Child& child : children_) {
      if (!child.cursor->valid() && child.cursor->StoppedAtUpperBound()) return true;
    }
    return false;
  }

 private:
  struct Owned {
    std::unique_ptr<InternalCursor> cursor;
    std::unique_ptr<TombstoneSource> tombstones;
    // Where the child leapt last since it was put somewhere; empty: nowhere. It is never before
    // that again, unless its keys are out of order.
    std::string leapt_to;
  };
  struct Child {
    uint64_t rank = kLastRank;
    InternalCursor* cursor = nullptr;  // Of owned_.
    TableCursor* table = nullptr;      // The same, when it is a table's.
    bool valid = false;
  };
  static constexpr uint64_t kLastRank = UINT64_MAX;
  struct Loser {
    uint64_t rank = kLastRank;
    uint32_t child = 0;
  };
  // The tombstones of one child, and what they do around the current key.
  struct Cover {
    TombstoneSource* source;
    size_t child;
    TombstoneSpan span;
    bool known = false;
  };

  void Restart(bool forward) {
    forward_ = forward;
    status_ = Status::Ok();
    cover_known_ = false;
    ForgetLeaps();
  }
  void ForgetLeaps() {
    if (SKARN_LIKELY(!leapt_)) return;
    leapt_ = false;
    for (Owned& owned : owned_) owned.leapt_to.clear();
  }

  void Fail(Status status) {
    status_ = std::move(status);
    valid_ = false;
  }

  // Takes over what a move made of a child.
  void Refresh(Child* child) {
    child->valid = child->cursor->valid();
    if (SKARN_LIKELY(child->valid)) {
      child->rank = RankOf(order_.StripTimestamp(child->cursor->user_key()));
    } else {
      Exhausted(child);
    }
  }
  [[gnu::noinline]] void Exhausted(Child* child) {
    child->rank = kLastRank;
    if (Status s = child->cursor->status(); !s.ok()) Fail(std::move(s));
  }

  // Of a key without timestamp. Equal ranks tell nothing.
  uint64_t RankOf(Slice user_key) const {
    if (SKARN_UNLIKELY(comparator_kind_ == Comparator::Kind::kUser)) return 0;
    // A key shorter than common_bytes_ is damage, whose order is noticed elsewhere.
    const uint64_t prefix = shared_size_ != 0
                                ? RankBeyondShared(user_key)
                                : KeyPrefix(user_key, std::min(common_bytes_, user_key.size()));
    return forward_ == (comparator_kind_ == Comparator::Kind::kBytewise) ? prefix : ~prefix;
  }

  // Keys that begin with shared_ are told apart by the bytes behind it, all others are before
  // or after them.
  uint64_t RankBeyondShared(Slice user_key) const {
    for (size_t at = 0; at < shared_size_; at += sizeof(uint64_t)) {
      const uint64_t here = KeyPrefix(user_key, at);
      if (SKARN_UNLIKELY(here != shared_[at / sizeof(uint64_t)])) {
        return here < shared_[at / sizeof(uint64_t)] ? 0 : UINT64_MAX;
      }
    }
    return KeyPrefix(user_key, shared_size_);
  }
  // Finds what the children's keys begin with, in whole words.
  void NoteShared() {
    shared_size_ = 0;
    if (count_ < 2 || common_bytes_ != 0 || comparator_kind_ == Comparator::Kind::kUser) return;
    for (size_t word = 0; word < kSharedWords; ++word) {
      bool any = false;
      for (const Child& child : children_) {
        if (!child.cursor->valid()) continue;
        const Slice user_key = order_.StripTimestamp(child.cursor->user_key());
        if (user_key.size() < (word + 1) * sizeof(uint64_t)) return;
        const uint64_t here = KeyPrefix(user_key, word * sizeof(uint64_t));
        if (any && here != shared_[word]) return;
        shared_[word] = here;
        any = true;
      }
      if (!any) return;
      shared_size_ += sizeof(uint64_t);
    }
  }

  // Whether child `a` comes before `b` in the direction of travel.
  bool Before(uint32_t a, uint32_t b) const {
    const Child& x = children_[a];
    const Child& y = children_[b];
    if (SKARN_LIKELY(x.rank != y.rank)) return x.rank < y.rank;
    return BeforeByKey(a, b);
  }
  [[gnu::noinline]] bool BeforeByKey(uint32_t a, uint32_t b) const {
    const Child& x = children_[a];
    const Child& y = children_[b];
    if (!x.valid || !y.valid) return x.valid;
    const int order = order_.Compare(x.cursor->user_key(), x.cursor->tag(), y.cursor->user_key(),
                                     y.cursor->tag());
    // Of two equal entries the newer source's comes first.
    if (order == 0) return (a < b) == forward_;
    return (order < 0) == forward_;
  }

  // Plays all games, after every child has moved.
  void Settle() {
    NoteShared();
    for (Child& child : children_) Refresh(&child);
    winner_ = Play(1);
    if (status_.ok()) Filter();
    if (!status_.ok()) valid_ = false;
  }
  // The winner among the children below `node`; losers stay behind in the nodes. Node n
  // has children 2n and 2n+1; leaves count on from the number of children.
  uint32_t Play(uint32_t node) {
    if (node >= count_) return node - count_;
    const uint32_t left = Play(2 * node);
    const uint32_t right = Play(2 * node + 1);
    const bool left_wins = Before(left, right);
    const uint32_t loser = left_wins ? right : left;
    losers_[node] = {children_[loser].rank, loser};
    return left_wins ? left : right;
  }
  // Plays the games of the winner again after it moved.
  void Replay() {
    Child& moved = children_[winner_];
    Refresh(&moved);
    Loser winner{moved.rank, winner_};
    for (uint32_t node = (winner_ + count_) / 2; node >= 1; node /= 2) {
      Loser& loser = losers_[node];
      bool lost = loser.rank < winner.rank;
      if (SKARN_UNLIKELY(loser.rank == winner.rank)) lost = BeforeByKey(loser.child, winner.child);
      // Who wins cannot be foretold: no branch.
      const uint64_t rank = (loser.rank ^ winner.rank) & -static_cast<uint64_t>(lost);
      const uint32_t child = (loser.child ^ winner.child) & -static_cast<uint32_t>(lost);
      loser.rank ^= rank;
      loser.child ^= child;
      winner.rank ^= rank;
      winner.child ^= child;
    }
    winner_ = winner.child;
  }

  // Puts all children on the other side of the current entry, the winner included.
  void Turn(bool forward) {
    const std::string key = user_key_.ToString();
    const uint64_t tag = tag_;
    const uint32_t current = winner_;
    forward_ = forward;
    cover_known_ = false;
    ForgetLeaps();
    for (uint32_t i = 0; i < children_.size(); ++i) {
      InternalCursor* cursor = children_[i].cursor;
      if (i != current) {
        if (forward) {
          cursor->Seek(key, tag);
        } else {
          cursor->SeekForPrev(key, tag);
        }
      }
      // An equal entry of another source is on one side of ours or on the other.
      const bool step =
          i == current || ((i < current) == forward && cursor->valid() && cursor->tag() == tag &&
                           order_.CompareUser(cursor->user_key(), key) == 0);
      if (step && forward) cursor->Next();
      if (step && !forward) cursor->Prev();
      if (i != current) Refresh(&children_[i]);
    }
    Refresh(&children_[current]);
    winner_ = Play(1);
  }

  // Goes on to the first entry that no tombstone covers, and shows it.
  void Filter() {
    const Child& child = children_[winner_];
    if (SKARN_LIKELY(child.valid && status_.ok() &&
                     (covers_.empty() || (cover_known_ && child.rank < nearest_rank_ &&
                                          child.cursor->sequence() >= covered_up_to_)))) {
      Show(*child.cursor);
    } else {
      FilterCovered();
    }
  }
  void Show(const InternalCursor& cursor) {
    valid_ = true;
    user_key_ = cursor.user_key();
    tag_ = cursor.tag();
    value_ = cursor.value();
    value_ready_ = cursor.value_ready();
  }
  [[gnu::noinline]] void FilterCovered() {
    while (SKARN_LIKELY(status_.ok())) {
      Child& child = children_[winner_];
      valid_ = child.valid;
      if (!valid_) return;
      const InternalCursor& cursor = *child.cursor;
      if (covers_.empty() || !Covered(child, cursor.sequence())) {
        if (SKARN_LIKELY(status_.ok())) Show(cursor);
        break;
      }
      Leap(&child);
      Replay();
    }
    if (!status_.ok()) valid_ = false;
  }

  bool Covered(const Child& child, SequenceNumber sequence) {
    const Slice user_key = order_.StripTimestamp(child.cursor->user_key());
    if (!StillKnown(child.rank, user_key)) Find(user_key);
    return sequence < covered_up_to_;
  }
  // Whether what we know of the last key's surroundings holds for this one too.
  bool StillKnown(uint64_t rank, Slice user_key) const {
    if (!cover_known_) return false;
    if (nearest_ == nullptr || rank < nearest_rank_) return true;
    return forward_ ? !nearest_->PastLimit(order_, user_key)
                    : !nearest_->BeforeStart(order_, user_key);
  }
  void Find(Slice user_key) {
    covered_up_to_ = 0;
    nearest_ = nullptr;
    for (Cover& cover : covers_) {
      if (!cover.known || !cover.span.Contains(order_, user_key)) {
        cover.known = true;
        if (Status s = cover.source->Find(user_key, &cover.span); !s.ok()) {
          cover.known = false;
          Fail(std::move(s));
          return;
        }
      }
      const TombstoneSpan& span = cover.span;
      const SequenceNumber sequence = span.NewestVisible(snapshot_, read_timestamp_);
      if (sequence > covered_up_to_) {
        covered_up_to_ = sequence;
        covering_ = &cover;
      }
      // The run that ends first in the direction of travel.
      if (forward_) {
        if (span.has_limit && (nearest_ == nullptr || EndsBefore(span, *nearest_)))
          nearest_ = &span;
      } else {
        if (span.has_start && (nearest_ == nullptr || StartsAfter(span, *nearest_))) {
          nearest_ = &span;
        }
      }
    }
    nearest_rank_ =
        nearest_ == nullptr ? kLastRank : RankOf(forward_ ? nearest_->limit : nearest_->start);
    cover_known_ = true;
  }
  bool EndsBefore(const TombstoneSpan& a, const TombstoneSpan& b) const {
    const int order = order_.CompareStripped(a.limit, b.limit);
    return order != 0 ? order < 0 : !a.limit_included && b.limit_included;
  }
  bool StartsAfter(const TombstoneSpan& a, const TombstoneSpan& b) const {
    const int order = order_.CompareStripped(a.start, b.start);
    return order != 0 ? order > 0 : a.start_excluded && !b.start_excluded;
  }

  // Moves a child off a covered entry: out of the tombstone when all of the child is older.
  void Leap(Child* child) {
    InternalCursor* cursor = child->cursor;
    const TombstoneSpan& span = covering_->span;
    const Slice user_key = order_.StripTimestamp(cursor->user_key());
    const bool older = winner_ > covering_->child;
    std::string& leapt_to = owned_[winner_].leapt_to;
    if (SKARN_UNLIKELY(!leapt_to.empty() &&
                       (order_.CompareStripped(user_key, leapt_to) < 0) == forward_)) {
      Fail(Status::Corruption(Concat("keys out of order: ", user_key.ToHex(), " after a leap to ",
                                     Slice(leapt_to).ToHex())));
      return;
    }
    if (forward_) {
      // At an included limit there is nowhere to seek to.
      if (older && span.has_limit && order_.CompareStripped(user_key, span.limit) < 0) {
        PerfAdd(CurrentThreadContext(), PerfMetric::kInternalRangeDelReseekCount);
        NoteLeap(span.limit, &leapt_to);
        cursor->Seek(WithMaxTimestamp(span.limit), kMaxTag);
      } else {
        cursor->Next();
      }
    } else if (older && span.has_start) {
      PerfAdd(CurrentThreadContext(), PerfMetric::kInternalRangeDelReseekCount);
      NoteLeap(span.start, &leapt_to);
      cursor->SeekForPrev(WithMaxTimestamp(span.start), kMaxTag);
    } else {
      cursor->Prev();
    }
  }
  void NoteLeap(Slice target, std::string* leapt_to) {
    leapt_to->assign(target.data(), target.size());
    leapt_ = true;
  }
  Slice WithMaxTimestamp(Slice user_key) {
    leap_target_.assign(user_key.data(), user_key.size());
    leap_target_.append(max_timestamp_);
    return leap_target_;
  }

  const KeyOrder& order_;
  const Comparator::Kind comparator_kind_;
  const SequenceNumber snapshot_;
  const Slice read_timestamp_;
  const size_t common_bytes_;  // Left out of the ranks.
  std::vector<Owned> owned_;
  std::vector<Child> children_;  // Newest first.
  std::vector<Loser> losers_;    // Of inner nodes 1 on.
  uint32_t count_ = 0;           // Of children.
  uint32_t winner_ = 0;
  bool forward_ = true;
  Status status_;
  // Whole words that all children's keys began with after the last seek; ranks leave them out.
  static constexpr size_t kSharedWords = 3;
  size_t shared_size_ = 0;  // In bytes.
  uint64_t shared_[kSharedWords] = {};

  std::vector<Cover> covers_;
  // While cover_known_: keys up to the end of *nearest_ (null: all) in the direction of
  // travel are covered up to this number, by *covering_ when it is not 0.
  bool cover_known_ = false;
  bool leapt_ = false;  // Some child has a leapt_to.
  SequenceNumber covered_up_to_ = 0;
  const Cover* covering_ = nullptr;
  const TombstoneSpan* nearest_ = nullptr;
  uint64_t nearest_rank_ = 0;
  std::string max_timestamp_;
  std::string leap_target_;
};

void MergingCursorBuilder::Add(std::unique_ptr<InternalCursor> cursor,
                               std::unique_ptr<TombstoneSource> tombstones) {
  TombstoneSource* source = tombstones.get();
  Add(Source{std::move(cursor), std::move(tombstones), source});
}

void MergingCursorBuilder::Add(Source source) {
  if (sources_.empty()) {
    if (only_.cursor == nullptr) {
      only_ = std::move(source);
      return;
    }
    sources_.reserve(8);
    sources_.push_back(std::move(only_));
  }
  sources_.push_back(std::move(source));
}

void MergingCursorBuilder::Add(std::unique_ptr<InternalCursor> cursor,
                               ClippedTombstones tombstones) {
  if (tombstones.empty()) {
    Add(std::move(cursor));
  } else {
    Add(std::move(cursor), std::make_unique<SingleTombstoneSource>(std::move(tombstones)));
  }
}

void MergingCursorBuilder::AddLevel(std::unique_ptr<ConcatenatingCursor> level,
                                    bool ignore_tombstones) {
  TombstoneSource* source = ignore_tombstones ? nullptr : level.get();
  Add(Source{std::move(level), nullptr, source});
}

std::unique_ptr<InternalCursor> MergingCursorBuilder::Finish() {
  if (sources_.empty()) {
    if (only_.cursor == nullptr) return NewEmptyCursor();
    if (only_.tombstones == nullptr) return std::move(only_.cursor);
    sources_.push_back(std::move(only_));
  }
  return std::make_unique<MergingCursor>(order_, snapshot_, read_timestamp_, common_bytes_,
                                         std::move(sources_));
}

std::unique_ptr<InternalCursor> NewEmptyCursor(Status status) {
  return std::make_unique<EmptyCursor>(std::move(status));
}

}  // namespace skarn
