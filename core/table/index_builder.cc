#include "core/table/index_builder.h"

#include <cassert>

#include "core/base/coding.h"
#include "core/plugin/slice_transform.h"
#include "core/table/block_trailer.h"

namespace skarn {

IndexBuilder::IndexBuilder(const Options& options)
    : options_(options),
      two_level_(options.type == IndexType::kTwoLevelIndexSearch),
      with_first_key_(options.type == IndexType::kBinarySearchWithFirstKey) {
  if (two_level_) {
    open_with_tags_ = std::make_unique<BlockBuilder>(BlockOptions());
    open_without_tags_ = std::make_unique<BlockBuilder>(BlockOptions());
  }
}

BlockBuilder::Options IndexBuilder::BlockOptions() const {
  BlockBuilder::Options block;
  block.restart_interval = options_.type == IndexType::kHashSearch ? 1 : options_.restart_interval;
  block.delta_values = options_.delta_values;
  block.uniform_cv_threshold = options_.uniform_cv_threshold;
  return block;
}

void IndexBuilder::NoteKey(Slice user_key) {
  assert(options_.type == IndexType::kHashSearch);
  if (!options_.prefix_extractor->InDomain(user_key)) return;
  const Slice prefix = options_.prefix_extractor->Transform(user_key);
  const auto block = static_cast<uint32_t>(entries_.size());
  if (open_prefix_blocks_ == 0 || Slice(open_prefix_) != prefix) {
    FlushPrefix();
    open_prefix_.assign(prefix.data(), prefix.size());
    open_prefix_first_ = block;
    open_prefix_blocks_ = 1;
  } else {
    open_prefix_blocks_ = block - open_prefix_first_ + 1;
  }
}

void IndexBuilder::FlushPrefix() {
  if (open_prefix_blocks_ == 0) return;
  prefixes_.append(open_prefix_);
  PutVarint32(&prefix_metadata_, static_cast<uint32_t>(open_prefix_.size()));
  PutVarint32(&prefix_metadata_, open_prefix_first_);
  PutVarint32(&prefix_metadata_, open_prefix_blocks_);
  open_prefix_blocks_ = 0;
}

bool IndexBuilder::SameUserKey(Slice a, Slice b) const {
  const Comparator* comparator = options_.order->comparator();
  if (options_.stripped_timestamps) {
    return comparator->CompareWithoutTimestamp(a, false, b, false) == 0;
  }
  return options_.order->CompareUser(a, b) == 0;
}

// Puts a key between `last` and the next block's first key into separator_.
void IndexBuilder::FindSeparator(Slice last, const Slice* next_user_key) {
  const Slice user_key = PackedUserKey(last);
  separator_.assign(user_key.data(), user_key.size());
  separator_tag_ = PackedTag(last);
  const bool shorten = next_user_key != nullptr
                           ? options_.shortening != IndexShortening::kNoShortening
                           : options_.shortening == IndexShortening::kShortenSeparatorsAndSuccessor;
  // A comparator with timestamps expects them in the keys it is given.
  if (!shorten || options_.stripped_timestamps) return;

  const Comparator* comparator = options_.order->comparator();
  scratch_.assign(user_key.data(), user_key.size());
  if (next_user_key != nullptr) {
    comparator->FindShortestSeparator(&scratch_, *next_user_key);
  } else {
    comparator->FindShortSuccessor(&scratch_);
  }
  if (scratch_.size() <= user_key.size() && comparator->Compare(user_key, scratch_) < 0) {
    separator_.swap(scratch_);
    separator_tag_ = PackTag(kMaxSequenceNumber, kKindForSeek);
  }
}

size_t IndexBuilder::AddBlock(Slice first, Slice last, const Slice* next_user_key,
                              const BlockHandle& handle) {
  // The partition ends before this block, as it would not fit, but never before the last.
  bool begins_partition = entries_.empty();
  if (two_level_ && next_user_key != nullptr && !open_with_tags_->empty() &&
      (cut_requested_ || ShouldCutPartition(last, handle))) {
    open_with_tags_->Reset();
    open_without_tags_->Reset();
    begins_partition = true;
    partition_cut_ = true;
    cut_requested_ = false;
  }

  FindSeparator(last, next_user_key);
  if (next_user_key != nullptr && !split_user_key_ &&
      SameUserKey(PackedUserKey(last), *next_user_key)) {
    split_user_key_ = true;
  }

  Entry entry;
  entry.key_at = bytes_.size();
  entry.key_size = static_cast<uint32_t>(separator_.size());
  entry.first_size = 0;
  entry.tag = separator_tag_;
  entry.handle = handle;
  entry.after_gap = false;
  entry.begins_partition = begins_partition;
  bytes_.append(separator_);
  if (with_first_key_) {
    entry.first_size = static_cast<uint32_t>(first.size());
    bytes_.append(first.data(), first.size());
  }
  if (two_level_) {
    const BlockHandle* previous = begins_partition ? nullptr : &entries_.back().handle;
    AppendEntry(open_with_tags_.get(), true, separator_, separator_tag_, handle, previous, false,
                Slice());
    AppendEntry(open_without_tags_.get(), false, separator_, separator_tag_, handle, previous,
                false, Slice());
  }
  entries_.push_back(entry);
  return entries_.size() - 1;
}

bool IndexBuilder::ShouldCutPartition(Slice last, const BlockHandle& handle) const {
  const BlockBuilder& block = keys_have_tags() ? *open_with_tags_ : *open_without_tags_;
  const size_t size = block.EstimatedSize();
  const uint64_t limit = options_.partition_size;
  if (size >= limit) return true;
  if (options_.partition_deviation <= 0) return false;
  const auto percent = static_cast<uint64_t>(100 - options_.partition_deviation);
  const uint64_t nearly = (limit * percent + 99) / 100;
  const size_t value_size = VarintSize(handle.offset) + VarintSize(handle.size);
  return block.EstimatedSizeAfter(last.size(), value_size) > limit && size > nearly;
}

void IndexBuilder::SetHandle(size_t entry, const BlockHandle& handle, bool after_gap) {
  entries_[entry].handle = handle;
  entries_[entry].after_gap = after_gap;
}

bool IndexBuilder::TakePartitionCut() {
  const bool cut = partition_cut_;
  partition_cut_ = false;
  return cut;
}

Slice IndexBuilder::last_separator() const { return KeyOf(entries_.back()); }

size_t IndexBuilder::EstimatedSize() const {
  // Keys, and for each entry about what its lengths, tag and handle take.
  return bytes_.size() + entries_.size() * 16 + prefixes_.size() + prefix_metadata_.size() + 8;
}

void IndexBuilder::AppendEntry(BlockBuilder* block, bool with_tag, Slice user_key, uint64_t tag,
                               const BlockHandle& handle, const BlockHandle* previous,
                               bool after_gap, Slice first_key) {
  std::string full;
  handle.AppendTo(&full);
  std::string delta;
  const bool whole_key = after_gap || previous == nullptr;
  if (options_.delta_values && !whole_key) {
    PutVarint64(&delta, ZigZag(static_cast<int64_t>(handle.size - previous->size)));
  }
  if (with_first_key_ && first_key.data() != nullptr && first_key.size() != 0) {
    PutLengthPrefixed(&full, first_key);
    PutLengthPrefixed(&delta, first_key);
  }
  std::string packed;
  Slice key = user_key;
  if (with_tag) {
    packed = PackKey(user_key, tag);
    key = packed;
  }
  if (options_.delta_values) {
    block->AddIndexEntry(key, full, delta, whole_key);
  } else {
    block->Add(key, full);
  }
}

void IndexBuilder::FinishPrefixes(Finished* finished) {
  FlushPrefix();
  finished->prefixes = prefixes_;
  finished->prefix_metadata = prefix_metadata_;
}

Status IndexBuilder::Finish(BlockSink* sink, Finished* finished) {
  const bool with_tags = keys_have_tags();
  finished->keys_have_tags = with_tags;
  finished->size = finished->prefixes.size() + finished->prefix_metadata.size();
  BlockBuilder block(BlockOptions());
  BlockBuilder top(BlockOptions());
  BlockHandle previous_partition;
  size_t i = 0;
  while (two_level_ && i < entries_.size()) {
    block.Reset();
    const size_t begin = i;
    do {
      const Entry& entry = entries_[i];
      AppendEntry(&block, with_tags, KeyOf(entry), entry.tag, entry.handle,
                  i == begin ? nullptr : &entries_[i - 1].handle, entry.after_gap, Slice());
      ++i;
    } while (i < entries_.size() && !entries_[i].begins_partition);

    const Slice payload = block.Finish();
    BlockHandle handle;
    Status s = sink->Write(BlockRole::kIndexPartition, payload, &handle);
    if (!s.ok()) return s;
    finished->size += payload.size();
    finished->uniform_blocks += block.uniform() ? 1 : 0;
    const Entry& last = entries_[i - 1];
    const bool follows =
        begin != 0 &&
        handle.offset == previous_partition.offset + previous_partition.size + kBlockTrailerSize;
    AppendEntry(&top, with_tags, KeyOf(last), last.tag, handle,
                follows ? &previous_partition : nullptr, false, Slice());
    previous_partition = handle;
    ++finished->partitions;
  }
  if (two_level_) {
    const Slice payload = top.Finish();
    finished->top_level_size = payload.size();
    finished->size += payload.size();
    finished->uniform_blocks += top.uniform() ? 1 : 0;
    return sink->Write(BlockRole::kIndex, payload, &finished->handle);
  }

  for (; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    const Slice first(bytes_.data() + entry.key_at + entry.key_size, entry.first_size);
    AppendEntry(&block, with_tags, KeyOf(entry), entry.tag, entry.handle,
                i == 0 ? nullptr : &entries_[i - 1].handle, entry.after_gap, first);
  }
  const Slice payload = block.Finish();
  finished->size += payload.size();
  finished->uniform_blocks += block.uniform() ? 1 : 0;
  return sink->Write(BlockRole::kIndex, payload, &finished->handle);
}

}  // namespace skarn
