#include "core/table/readahead.h"

#include <algorithm>
#include <new>

#include "core/table/table_file.h"

namespace skarn {

// Large enough that letting go costs little beside reading.
constexpr uint64_t kReleasedBytes = 512 << 10;

size_t Readahead::Advance(uint64_t offset, size_t size) {
  if (offset == expected_) {
    ++sequential_;
  } else {
    sequential_ = 1;
    ahead_bytes_ = settings_.initial_bytes;
  }
  expected_ = offset + size;
  if (settings_.fixed_bytes != 0) return std::max(settings_.fixed_bytes, size);
  if (settings_.bytes_max == 0 || sequential_ <= settings_.reads_before) return 0;
  return size + std::min(ahead_bytes_, settings_.bytes_max);
}

Status Readahead::Read(TableRead* read, TableFile* file, uint64_t offset, size_t size,
                       Slice* result) {
  *result = Slice();
  size_t want = Advance(offset, size);
  if (offset >= start_ && offset - start_ <= view_.size() &&
      size <= view_.size() - (offset - start_)) {
    *result = Slice(view_.data() + (offset - start_), size);
    return Status::Ok();
  }
  if (want == 0) return Status::Ok();
  // Only reads grow the distance, not blocks found in the buffer.
  ahead_bytes_ = std::min(std::max(ahead_bytes_, size_t{1}) * 2, settings_.bytes_max);
  want = static_cast<size_t>(std::min<uint64_t>(want, file->size_bytes() - offset));
  if (want > capacity_) {
    buffer_.reset(new (std::nothrow) char[want]);
    capacity_ = buffer_ == nullptr ? 0 : want;
    if (buffer_ == nullptr) {
      view_ = Slice();
      return Status::Ok();  // The block alone may still fit.
    }
  }
  view_ = Slice();
  if (Status s = file->ReadRaw(read, offset, want, &view_, buffer_.get()); !s.ok()) {
    // What failed may lie beyond the block: that is read alone, and its error counts.
    view_ = Slice();
    return s.IsTimedOut() ? s : Status::Ok();
  }
  start_ = offset;
  *result = Slice(view_.data(), size);
  return Status::Ok();
}

void Readahead::HintMapped(TableFile* file, uint64_t offset, size_t size) {
  const size_t want = Advance(offset, size);
  if (settings_.releases_passed) {
    if (offset < released_) released_ = offset;
    if (offset - released_ >= kReleasedBytes) {
      if (sequential_ > 1) file->ReleaseMapped(released_, offset - released_);
      released_ = offset;
    }
  }
  if (want == 0 || offset + size <= hinted_) return;
  ahead_bytes_ = std::min(std::max(ahead_bytes_, size_t{1}) * 2, settings_.bytes_max);
  hinted_ = offset + want;
  file->Prefetch(offset,
                 static_cast<size_t>(std::min<uint64_t>(want, file->size_bytes() - offset)));
}

}  // namespace skarn
