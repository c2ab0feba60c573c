#include "core/table/index_cursor.h"

#include <utility>

namespace skarn {

bool IndexCursor::Fail(Status status) {
  status_ = std::move(status);
  valid_ = false;
  return false;
}

bool IndexCursor::LoadTop() {
  valid_ = false;
  status_ = Status();
  if (top_) return true;
  if (Status s = index_->LoadTop(read_, &top_); !s.ok()) return Fail(std::move(s));
  if (!index_->two_level) leaf_ = top_.get();
  return true;
}

bool IndexCursor::LoadLeaf() {
  if (partition_number_ == top_i_) return true;
  partition_.Reset();
  partition_number_ = UINT32_MAX;
  leaf_ = nullptr;
  if (Status s = index_->LoadPartition(read_, top_i_, top_->handle(top_i_), &partition_); !s.ok()) {
    return Fail(std::move(s));
  }
  partition_number_ = top_i_;
  leaf_ = partition_.get();
  return true;
}

void IndexCursor::SkipEmptyForward() {
  while (i_ >= leaf_->count()) {
    if (!index_->two_level || ++top_i_ >= top_->count()) {
      valid_ = false;
      return;
    }
    if (!LoadLeaf()) return;
    i_ = 0;
  }
  valid_ = true;
}

void IndexCursor::SkipEmptyBackward() {
  // i_ is one past the wanted entry.
  while (i_ == 0) {
    if (!index_->two_level || top_i_ == 0) {
      valid_ = false;
      return;
    }
    --top_i_;
    if (!LoadLeaf()) return;
    i_ = leaf_->count();
  }
  --i_;
  valid_ = true;
}

void IndexCursor::SeekToFirst() {
  if (!LoadTop()) return;
  if (index_->two_level) {
    if (top_->count() == 0) return;
    top_i_ = 0;
    if (!LoadLeaf()) return;
  }
  i_ = 0;
  SkipEmptyForward();
}

void IndexCursor::SeekToLast() {
  if (!LoadTop()) return;
  if (index_->two_level) {
    if (top_->count() == 0) return;
    top_i_ = top_->count() - 1;
    if (!LoadLeaf()) return;
  }
  i_ = leaf_->count();
  SkipEmptyBackward();
}

void IndexCursor::Seek(Slice user_key, uint64_t tag) {
  if (!LoadTop()) return;
  if (index_->two_level) {
    top_i_ = top_->Find(*index_->order, user_key, tag);
    if (top_i_ >= top_->count()) return;
    if (!LoadLeaf()) return;
  }
  i_ = leaf_->Find(*index_->order, user_key, tag);
  SkipEmptyForward();
}

void IndexCursor::Next() {
  ++i_;
  SkipEmptyForward();
}

void IndexCursor::Prev() { SkipEmptyBackward(); }

}  // namespace skarn
