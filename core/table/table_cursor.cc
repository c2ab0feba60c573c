#include "core/table/table_cursor.h"

#include <utility>

namespace skarn {
namespace {

Readahead::Settings ReadaheadSettings(const TableOptions& table, const ReadOptions& options,
                                      TableCaller caller, size_t compaction_readahead_bytes) {
  Readahead::Settings settings;
  settings.initial_bytes = table.initial_auto_readahead_size;
  settings.bytes_max = table.max_auto_readahead_size;
  settings.reads_before = table.num_file_reads_for_auto_readahead;
  if (settings.initial_bytes == 0) settings.bytes_max = 0;
  settings.fixed_bytes = static_cast<size_t>(options.readahead_size);
  if (caller == TableCaller::kCompaction) {
    settings.fixed_bytes = compaction_readahead_bytes;
    settings.releases_passed = true;
  }
  return settings;
}

// What a search of a cached block reads first: its head with the first key, its index of entries.
constexpr size_t kHeadBytes = 128;
constexpr size_t kEntriesBytes = 384;
// What a scan reads of a block before steps ask for more; see DataBlockCursor::NextOtherKey().
constexpr size_t kScanBytes = 640;

}  // namespace

TableCursor::TableCursor(BlockTable* table, const ReadOptions& options, TableCaller caller,
                         bool skip_filters, size_t compaction_readahead_bytes)
    : table_(table),
      order_(table->order()),
      read_(options, caller, table->statistics()),
      index_(&table->index(), &read_),
      readahead_(ReadaheadSettings(table->options(), options, caller, compaction_readahead_bytes)),
      check_prefix_(!skip_filters && !options.total_order_seek && table->filters_prefixes() &&
                    caller != TableCaller::kCompaction),
      embedded_(table->has_embedded_values()) {}

TableCursor::~TableCursor() {
  if (pins_ == nullptr) return;
  LetGoOfBlock();
  LetGoOfEmbedded();
}

void TableCursor::SetPinList(PinList* pins) {
  pins_ = pins;
  if (pins != nullptr && valid_ && !at_first_key_ && block_.key_in_block() != nullptr) {
    user_key_ = Slice(block_.key_in_block(), user_key_.size());
  }
}

void TableCursor::FlushCounts() {
  read_.Flush();
  counted_ = false;
}

void TableCursor::Restart() {
  valid_ = false;
  at_first_key_ = false;
  stopped_at_bound_ = false;
  below_bound_ = false;
  status_ = Status();
  // Cursors may move from thread to thread; what they count belongs to the one that reads.
  read_.thread = CurrentThreadContext();
  counted_ = true;
}

bool TableCursor::Fail(Status status) {
  status_ = std::move(status);
  valid_ = false;
  at_first_key_ = false;
  LetGoOfBlock();
  return false;
}

bool TableCursor::FailBlock() {
  return Fail(table_->file()->Damaged(index_.handle(), "bad entry in block"));
}

void TableCursor::LetGoOfBlock() {
  if (!block_ref_.held()) return;
  if (pins_ != nullptr) {
    Pin pin;
    block_ref_.AcquirePin(&pin);
    pins_->Add(std::move(pin));
  }
  block_.Clear();
  block_ref_.Reset();
}

bool TableCursor::PastUpperBound(Slice user_key) const {
  const Slice bound = *read_.options.iterate_upper_bound;
  if (order_.bytewise()) return user_key.Compare(bound) >= 0;
  return order_.comparator()->CompareWithoutTimestamp(user_key, true, bound, false) >= 0;
}

void TableCursor::NoteBound() {
  // All keys of the block are at or before its separator.
  below_bound_ = read_.options.iterate_upper_bound != nullptr && !PastUpperBound(index_.user_key());
  check_entries_ = embedded_ || (read_.options.iterate_upper_bound != nullptr && !below_bound_);
}

void TableCursor::CheckEntry() {
  if (read_.options.iterate_upper_bound != nullptr && !below_bound_ && PastUpperBound(user_key_)) {
    valid_ = false;
    stopped_at_bound_ = true;
    return;
  }
  if (embedded_) ResolveEmbedded();
}

void TableCursor::LetGoOfEmbedded() {
  if (!embedded_value_.held()) return;
  if (pins_ != nullptr) {
    Pin pin;
    embedded_value_.AcquirePin(&pin);
    pins_->Add(std::move(pin));
  }
  embedded_value_.Reset();
}

void TableCursor::ResolveEmbedded() {
  if (kind() != EntryKind::kBlobIndex) return;
  LetGoOfEmbedded();
  counted_ = true;
  read_.thread = CurrentThreadContext();
  bool inside = false;
  if (Status s = table_->ReadEmbeddedValue(&read_, value_, &embedded_value_, &inside); !s.ok()) {
    (void)Fail(std::move(s));
    return;
  }
  if (inside) {
    tag_ = PackTag(sequence(), EntryKind::kValue);
    value_ = embedded_value_.bytes();
  }
}

bool TableCursor::LoadBlock() {
  const BlockHandle handle = index_.handle();
  NoteBound();
  if (block_ref_.held() && block_offset_ == handle.offset && !block_.corrupt()) return true;
  LetGoOfBlock();
  read_.thread = CurrentThreadContext();
  counted_ = true;
  if (Status s = table_->loader()->Data(&read_, handle, &readahead_, &block_ref_); !s.ok()) {
    return Fail(std::move(s));
  }
  block_offset_ = handle.offset;
  block_.Reset(block_ref_.data(), block_ref_.layout(), table_->keys());
  return true;
}

bool TableCursor::ShowFirstKey() {
  if (!index_.has_first_key() || read_.caller == TableCaller::kCompaction || embedded_) {
    return false;
  }
  if (block_ref_.held() && block_offset_ == index_.handle().offset) return false;
  LetGoOfBlock();
  NoteBound();
  user_key_ = index_.first_user_key();
  tag_ = index_.first_tag();
  value_ = Slice();
  value_ready_ = false;
  valid_ = true;
  at_first_key_ = true;
  if (check_entries_) {
    CheckEntry();
    if (!valid_) at_first_key_ = false;
  }
  return true;
}

bool TableCursor::EnterBlock() {
  at_first_key_ = false;
  if (!LoadBlock()) return false;
  block_.SeekToFirst();
  if (!block_.valid()) return FailBlock();
  // The index must have told the truth.
  if (order_.Compare(block_.user_key(), block_.tag(), user_key_, tag_) != 0) {
    return Fail(table_->file()->Damaged(index_.handle(),
                                        "first key in index doesn't match first key in block"));
  }
  Show();
  EndOperation();
  return valid_;
}

bool TableCursor::PrepareValue() { return !at_first_key_ || EnterBlock(); }

void TableCursor::ApproachBlocks(int32_t direction) {
  if (block_ref_.cache_handle() == nullptr || index_.few_blocks()) return;
  const BlockLoader* const loader = table_->loader();
  BlockHandle handle;
  for (int32_t distance = 3; distance > 0; --distance) {
    if (index_.HandleAt(distance * direction, &handle)) {
      loader->Approach(handle, 3 - distance, kScanBytes);
    }
  }
}

void TableCursor::NextSlow() {
  block_.Next();
  if (SKARN_LIKELY(block_.valid())) {
    Show();
  } else {
    Forward();
  }
}

void TableCursor::Forward() {
  valid_ = false;
  while (true) {
    if (block_.has_block() && block_.corrupt()) {
      (void)FailBlock();
      break;
    }
    if (!index_.valid()) break;
    // The separator is past the bound: so are all further blocks.
    if (read_.options.iterate_upper_bound != nullptr && !below_bound_ &&
        PastUpperBound(index_.user_key())) {
      stopped_at_bound_ = true;
      break;
    }
    read_.thread = CurrentThreadContext();
    counted_ = true;
    index_.Next();
    if (!index_.valid()) {
      if (!index_.status().ok()) (void)Fail(index_.status());
      break;
    }
    if (ShowFirstKey()) break;
    if (!LoadBlock()) break;
    ApproachBlocks(1);
    block_.SeekToFirst();
    if (block_.valid()) {
      Show();
      break;
    }
  }
  EndOperation();
}

void TableCursor::Backward() {
  valid_ = false;
  while (true) {
    if (block_.has_block() && block_.corrupt()) {
      (void)FailBlock();
      break;
    }
    if (!index_.valid()) break;
    read_.thread = CurrentThreadContext();
    counted_ = true;
    index_.Prev();
    if (!index_.valid()) {
      if (!index_.status().ok()) (void)Fail(index_.status());
      break;
    }
    if (!LoadBlock()) break;
    ApproachBlocks(-1);
    block_.SeekToLast();
    if (block_.valid()) {
      ShowBackward();
      break;
    }
  }
  EndOperation();
}

void TableCursor::SeekToFirst() {
  Restart();
  index_.SeekToFirst();
  if (!index_.valid()) {
    if (!index_.status().ok()) (void)Fail(index_.status());
    return EndOperation();
  }
  if (ShowFirstKey()) return EndOperation();
  if (!LoadBlock()) return EndOperation();
  block_.SeekToFirst();
  if (!block_.valid()) return Forward();
  Show();
  EndOperation();
}

void TableCursor::SeekToLast() {
  Restart();
  index_.SeekToLast();
  if (!index_.valid()) {
    if (!index_.status().ok()) (void)Fail(index_.status());
    return EndOperation();
  }
  if (!LoadBlock()) return EndOperation();
  block_.SeekToLast();
  if (!block_.valid()) return Backward();
  ShowBackward();
  EndOperation();
}

bool TableCursor::PrefixExcluded(Slice user_key, uint64_t tag) {
  if (!check_prefix_) return false;
  const Slice stripped = order_.StripTimestamp(user_key);
  return !table_->PrefixMayMatch(&read_, stripped, user_key, tag);
}

void TableCursor::SeekInBlock(Slice user_key, uint64_t tag) {
  if (const EntryIndex* entries = table_->loader()->EntriesOf(block_ref_)) {
    if (!index_.WasSeen(block_ref_.heap(), entries)) entries->Prefetch();
    block_.SeekIndexed(*entries, order_, user_key, tag);
  } else {
    block_.Seek(order_, user_key, tag);
  }
}

bool TableCursor::SeekIndex(Slice user_key, uint64_t tag) {
  Restart();
  if (PrefixExcluded(user_key, tag)) return false;
  index_.Seek(user_key, tag);
  if (!index_.valid()) {
    if (!index_.status().ok()) (void)Fail(index_.status());
    return false;
  }
  if (index_.has_first_key() &&
      order_.Compare(user_key, tag, index_.first_user_key(), index_.first_tag()) <= 0 &&
      ShowFirstKey()) {
    return false;
  }
  index_.PrefetchSeen();
  return true;
}

void TableCursor::SeekInLoadedBlock(Slice user_key, uint64_t tag) {
  SeekInBlock(user_key, tag);
  if (!block_.valid()) return Forward();
  Show();
}

void TableCursor::Seek(Slice user_key, uint64_t tag) {
  if (SeekIndex(user_key, tag) && LoadBlock()) SeekInLoadedBlock(user_key, tag);
  EndOperation();
}

void TableCursor::SeekPart(int part, Slice user_key, uint64_t tag) {
  static_assert(kSeekParts == 5);
  if (part == 0) {
    seek_goes_on_ = SeekIndex(user_key, tag);
    if (seek_goes_on_ && index_.few_blocks()) {
      seek_goes_on_ = false;
      if (LoadBlock()) SeekInLoadedBlock(user_key, tag);
    }
  }
  if (seek_goes_on_) {
    if (part < 3) return table_->loader()->Approach(index_.handle(), part, kHeadBytes);
    if (part == 3) {
      seek_goes_on_ = LoadBlock();
      if (HeapBlock* const heap = seek_goes_on_ ? block_ref_.heap() : nullptr) {
        const auto* const entries = reinterpret_cast<const char*>(heap->entries());
        for (size_t at = 0; at < kEntriesBytes; at += 64) __builtin_prefetch(entries + at);
      }
      return;
    }
    SeekInLoadedBlock(user_key, tag);
  }
  if (part == kSeekParts - 1) {
    seek_goes_on_ = false;
    EndOperation();
  }
}

void TableCursor::SeekForPrev(Slice user_key, uint64_t tag) {
  Restart();
  // A partition is chosen by the target, and the keys before it may be in another one.
  if (!table_->filter().partitioned() && !read_.options.auto_prefix_mode &&
      PrefixExcluded(user_key, tag)) {
    return EndOperation();
  }
  index_.Seek(user_key, tag);
  if (!index_.valid()) {
    if (!index_.status().ok()) {
      (void)Fail(index_.status());
      return EndOperation();
    }
    return SeekToLast();
  }
  if (!LoadBlock()) return EndOperation();
  SeekInBlock(user_key, tag);
  if (block_.valid()) {
    if (block_.tag() == tag && order_.CompareUser(block_.user_key(), user_key) == 0) {
      ShowBackward();
      return EndOperation();
    }
    block_.Prev();
  } else if (!block_.corrupt()) {
    // The target lies between the block's last key and its separator.
    block_.SeekToLast();
  }
  if (!block_.valid()) return Backward();
  ShowBackward();
  EndOperation();
}

void TableCursor::Prev() {
  if (SKARN_UNLIKELY(at_first_key_)) {
    at_first_key_ = false;
    return Backward();
  }
  block_.Prev();
  if (SKARN_LIKELY(block_.valid())) {
    ShowBackward();
  } else {
    Backward();
  }
}

bool TableCursor::PinValue(Pin* pin) {
  if (!valid_ || at_first_key_) return false;
  if (embedded_ && embedded_value_.held() && value_.data() == embedded_value_.data()) {
    embedded_value_.AcquirePin(pin);
    return true;
  }
  if (!block_ref_.held()) return false;
  block_ref_.AcquirePin(pin);
  return true;
}

}  // namespace skarn
