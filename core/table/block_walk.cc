#include "core/table/block_walk.h"

namespace skarn {

BlockWalk::BlockWalk(Slice block, const Options& options) : block_(block), options_(options) {
  if (!ParseBlockLayout(block, &layout_)) {
    damage_ = "bad restart array";
    layout_ = BlockLayout();
  } else {
    value_end_ = layout_.values_offset;
  }
}

bool BlockWalk::Next() {
  if (damaged()) return false;
  entry_offset_ = next_;
  if (next_ >= layout_.entries_end) {
    if (layout_.has_entries() && next_restart_ != layout_.restart_count) {
      return Fail("restart point outside the entries");
    }
    return false;
  }
  bool at_restart = false;
  if (next_restart_ < layout_.restart_count) {
    const uint32_t restart = layout_.restart(block_.data(), next_restart_);
    if (restart < next_) return Fail("restart point inside an entry");
    at_restart = restart == next_;
    if (at_restart) ++next_restart_;
  }
  if (next_ == 0 && !at_restart) return Fail("first restart point is not 0");

  const char* limit = block_.data() + layout_.entries_end;
  const char* at = DecodeEntryHead(block_.data() + next_, limit, options_.delta_values,
                                   layout_.separated, at_restart, &head_);
  if (at == nullptr) return Fail("entry passes the end of its block");
  if (head_.shared > key_.size()) return Fail("entry shares more than the key before it has");
  if (at_restart && head_.shared != 0) return Fail("key at a restart point is not whole");
  key_.resize(head_.shared);
  key_.append(at, head_.fresh);
  at += head_.fresh;

  if (options_.is_index) {
    Slice rest(at, static_cast<size_t>(limit - at));
    if (!options_.delta_values) rest = Slice(at, head_.value_size);
    const BlockHandle previous = index_value_.handle;
    const bool delta = options_.delta_values && head_.shared > 0;
    if (!DecodeIndexValue(&rest, delta ? &previous : nullptr, options_.has_first_key,
                          &index_value_)) {
      return Fail("bad block handle");
    }
    if (!options_.delta_values) {
      value_ = Slice(at, head_.value_size);
      at += head_.value_size;
    } else {
      value_ = Slice();
      at = rest.data();
    }
  } else if (layout_.separated) {
    if (at_restart) {
      const uint64_t start = uint64_t{layout_.values_offset} + head_.value_offset;
      if (start > layout_.restarts_offset) return Fail("value passes the end of its block");
      value_end_ = static_cast<size_t>(start);
    }
    if (head_.value_size > layout_.restarts_offset - value_end_) {
      return Fail("value passes the end of its block");
    }
    value_ = Slice(block_.data() + value_end_, head_.value_size);
    value_end_ += head_.value_size;
  } else {
    value_ = Slice(at, head_.value_size);
    at += head_.value_size;
  }
  next_ = static_cast<size_t>(at - block_.data());
  return true;
}

Status BlockWalk::status(const char* what, uint64_t block_offset,
                         const std::string& file_name) const {
  if (!damaged()) return Status::Ok();
  return Status::Corruption(Concat(what, " block at offset ", block_offset, " of ", file_name, ": ",
                                   damage_, " at byte ", entry_offset_));
}

}  // namespace skarn
