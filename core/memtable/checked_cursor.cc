#include "core/memtable/checked_cursor.h"

#include <utility>

namespace skarn {

CheckedCursor::CheckedCursor(const KeyOrder& order, std::unique_ptr<InternalCursor> inner,
                             const RecordCheck* check, bool check_order)
    : order_(order), inner_(std::move(inner)), check_(check), check_order_(check_order) {
  value_ready_ = true;
}

void CheckedCursor::Land(int sign, Slice user_key, uint64_t tag, bool strictly) {
  status_ = inner_->status();
  valid_ = inner_->valid();
  if (!valid_) return;
  user_key_ = inner_->user_key();
  tag_ = inner_->tag();
  value_ = inner_->value();
  if (check_ != nullptr && !check_->Matches(user_key_, tag_, value_)) {
    status_ = RecordCheck::Mismatch();
  } else if (check_order_ && sign != 0) {
    const int order = order_.Compare(user_key_, tag_, user_key, tag) * sign;
    if (order < 0 || (strictly && order == 0)) {
      status_ = Status::Corruption("Out-of-order keys found in memtable.");
    }
  }
  valid_ = status_.ok();
}

void CheckedCursor::SeekToFirst() {
  inner_->SeekToFirst();
  Land(0, Slice(), 0, false);
}

void CheckedCursor::SeekToLast() {
  inner_->SeekToLast();
  Land(0, Slice(), 0, false);
}

void CheckedCursor::Seek(Slice user_key, uint64_t tag) {
  inner_->Seek(user_key, tag);
  Land(1, user_key, tag, false);
}

void CheckedCursor::SeekForPrev(Slice user_key, uint64_t tag) {
  inner_->SeekForPrev(user_key, tag);
  Land(-1, user_key, tag, false);
}

void CheckedCursor::Next() {
  const Slice before = user_key_;  // In the memtable: it stays where it is.
  const uint64_t tag = tag_;
  inner_->Next();
  Land(1, before, tag, true);
}

void CheckedCursor::Prev() {
  const Slice before = user_key_;
  const uint64_t tag = tag_;
  inner_->Prev();
  Land(-1, before, tag, true);
}

}  // namespace skarn
