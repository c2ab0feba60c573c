#include "core/iterate/concatenating_cursor.h"

#include <utility>

namespace skarn {
namespace {

constexpr uint64_t kRangeEndTag = PackTag(kMaxSequenceNumber, EntryKind::kRangeDeletion);

}  // namespace

size_t FileSequence::Find(const KeyOrder& order, Slice user_key, uint64_t tag) const {
  size_t begin = 0;
  size_t end = size();
  while (begin < end) {
    const size_t middle = begin + (end - begin) / 2;
    const Slice last = largest(middle);
    if (order.Compare(PackedUserKey(last), PackedTag(last), user_key, tag) < 0) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin;
}

ConcatenatingCursor::ConcatenatingCursor(const KeyOrder& order, std::unique_ptr<FileSequence> files,
                                         const Slice* lower_bound, const Slice* upper_bound)
    : order_(order),
      files_(std::move(files)),
      lower_bound_(lower_bound),
      upper_bound_(upper_bound) {}

ConcatenatingCursor::~ConcatenatingCursor() = default;

bool ConcatenatingCursor::BeyondUpperBound(size_t index) const {
  return upper_bound_ != nullptr &&
         order_.CompareStripped(order_.StripTimestamp(PackedUserKey(files_->smallest(index))),
                                *upper_bound_) >= 0;
}

bool ConcatenatingCursor::BeyondLowerBound(size_t index) const {
  return lower_bound_ != nullptr &&
         order_.CompareStripped(order_.StripTimestamp(PackedUserKey(files_->largest(index))),
                                *lower_bound_) < 0;
}

void ConcatenatingCursor::Close() {
  cursor_.reset();
  table_ = nullptr;
  index_ = kNoFile;
  valid_ = false;
}

bool ConcatenatingCursor::Open(size_t index) {
  if (index >= files_->size()) {
    Close();
    return false;
  }
  if (index == index_) return true;
  cursor_ = files_->OpenCursor(index);
  table_ = AsTableCursor(cursor_.get());
  cursor_->SetPinList(pins_);
  index_ = index;
  return true;
}

void ConcatenatingCursor::Copy() {
  valid_ = true;
  user_key_ = cursor_->user_key();
  tag_ = cursor_->tag();
  value_ = cursor_->value();
  value_ready_ = cursor_->value_ready();
}

void ConcatenatingCursor::SkipEmptyForward() {
  while (!cursor_->valid()) {
    valid_ = false;
    if (!cursor_->status().ok()) return;
    if (cursor_->StoppedAtUpperBound()) {
      stopped_at_upper_bound_ = true;
      return;
    }
    const size_t next = index_ + 1;
    if (next < files_->size() && BeyondUpperBound(next)) {
      stopped_at_upper_bound_ = true;
      return;
    }
    if (!Open(next)) return;
    cursor_->SeekToFirst();
  }
  Copy();
}

void ConcatenatingCursor::SkipEmptyBackward() {
  while (!cursor_->valid()) {
    valid_ = false;
    if (!cursor_->status().ok()) return;
    if (index_ == 0 || BeyondLowerBound(index_ - 1)) {
      Close();
      return;
    }
    Open(index_ - 1);
    cursor_->SeekToLast();
  }
  Copy();
}

void ConcatenatingCursor::SeekToFirst() {
  stopped_at_upper_bound_ = false;
  if (!Open(0)) return;
  cursor_->SeekToFirst();
  SkipEmptyForward();
}

void ConcatenatingCursor::SeekToLast() {
  stopped_at_upper_bound_ = false;
  if (files_->size() == 0) return;
  Open(files_->size() - 1);
  cursor_->SeekToLast();
  SkipEmptyBackward();
}

bool ConcatenatingCursor::SeekFile(Slice user_key, uint64_t tag) {
  stopped_at_upper_bound_ = false;
  const size_t index = files_->Find(order_, user_key, tag);
  if (index < files_->size() && BeyondUpperBound(index)) {
    Close();
    stopped_at_upper_bound_ = true;
    return false;
  }
  return Open(index);
}

void ConcatenatingCursor::Seek(Slice user_key, uint64_t tag) {
  if (!SeekFile(user_key, tag)) return;
  cursor_->Seek(user_key, tag);
  SkipEmptyForward();
}

void ConcatenatingCursor::SeekPart(int part, Slice user_key, uint64_t tag) {
  if (part == 0) seek_goes_on_ = SeekFile(user_key, tag);
  if (!seek_goes_on_) return;
  cursor_->SeekPart(part, user_key, tag);
  if (part == kSeekParts - 1) SkipEmptyForward();
}

void ConcatenatingCursor::SeekForPrev(Slice user_key, uint64_t tag) {
  stopped_at_upper_bound_ = false;
  if (files_->size() == 0) return;
  size_t index = files_->Find(order_, user_key, tag);
  if (index == files_->size()) --index;
  Open(index);
  cursor_->SeekForPrev(user_key, tag);
  SkipEmptyBackward();
}

void ConcatenatingCursor::Next() {
  cursor_->Next();
  if (cursor_->valid()) {
    Copy();
  } else {
    SkipEmptyForward();
  }
}

void ConcatenatingCursor::Prev() {
  cursor_->Prev();
  if (cursor_->valid()) {
    Copy();
  } else {
    SkipEmptyBackward();
  }
}

bool ConcatenatingCursor::PrepareValue() {
  if (!cursor_->PrepareValue()) {
    valid_ = false;
    return false;
  }
  value_ = cursor_->value();
  return true;
}

Status ConcatenatingCursor::status() const {
  return cursor_ == nullptr ? Status::Ok() : cursor_->status();
}

bool ConcatenatingCursor::KeyPinned() const { return cursor_->KeyPinned(); }
bool ConcatenatingCursor::ValuePinned() const { return cursor_->ValuePinned(); }
bool ConcatenatingCursor::PinValue(Pin* pin) { return cursor_->PinValue(pin); }
bool ConcatenatingCursor::KnownBelowUpperBound() const { return cursor_->KnownBelowUpperBound(); }

void ConcatenatingCursor::SetPinList(PinList* pins) {
  pins_ = pins;
  if (cursor_ != nullptr) cursor_->SetPinList(pins);
}

Status ConcatenatingCursor::Find(Slice user_key, TombstoneSpan* span) {
  const auto stripped = [this](Slice packed) {
    return order_.StripTimestamp(PackedUserKey(packed));
  };
  const auto ends_before_key = [&](size_t index) {
    const Slice last = files_->largest(index);
    return order_.CompareStripped(user_key, stripped(last)) >=
           (PackedTag(last) == kRangeEndTag ? 0 : 1);
  };
  const auto begins_after_key = [&](size_t index) {
    return order_.CompareStripped(user_key, stripped(files_->smallest(index))) < 0;
  };
  // Of files that share the key, the last has all tombstones that cover it.
  const auto next_has_key = [&](size_t index) {
    return index + 1 < files_->size() && !begins_after_key(index + 1);
  };
  size_t index = tombstone_index_;
  if (index == kNoFile || ends_before_key(index) || begins_after_key(index) ||
      next_has_key(index)) {
    std::string target;
    Slice seek = user_key;
    if (order_.timestamp_size() != 0) {
      target = user_key.ToString();
      target.append(order_.timestamp_size(), '\xff');
      seek = target;
    }
    index = files_->Find(order_, seek, kMaxTag);
    while (index < files_->size() && (ends_before_key(index) || next_has_key(index))) ++index;
  }

  *span = TombstoneSpan();
  if (index == files_->size() || begins_after_key(index)) {
    // Between two files.
    if (index > 0) {
      const Slice last = files_->largest(index - 1);
      span->has_start = true;
      span->start = stripped(last);
      span->start_excluded = PackedTag(last) != kRangeEndTag;
    }
    if (index < files_->size()) {
      span->has_limit = true;
      span->limit = stripped(files_->smallest(index));
    }
    return Status::Ok();
  }
  if (index != tombstone_index_) {
    std::shared_ptr<const FragmentedTombstones> list;
    if (Status s = files_->Tombstones(index, &list); !s.ok()) return s;
    tombstones_ = std::make_unique<ClippedTombstones>(
        order_, std::move(list), files_->smallest(index), files_->largest(index));
    tombstone_index_ = index;
  }
  if (tombstones_->empty()) {
    span->has_start = true;
    span->start = stripped(files_->smallest(index));
  } else {
    tombstones_->Find(user_key, span);
  }
  if (!span->has_limit) {
    // Nothing more up to the end of the file.
    const Slice last = files_->largest(index);
    span->has_limit = true;
    span->limit_included = PackedTag(last) != kRangeEndTag;
    span->limit = stripped(last);
  }
  if (span->limit_included && index + 1 < files_->size() &&
      order_.CompareStripped(span->limit, stripped(files_->smallest(index + 1))) == 0) {
    span->limit_included = false;
  }
  return Status::Ok();
}

}  // namespace skarn
